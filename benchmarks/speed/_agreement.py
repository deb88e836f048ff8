"""Whether two classes of devices train alike: not bit for bit, for they draw otherwise, but as two groups of seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from benchmarks import Cell
from benchmarks._training.work import Device
from benchmarks.speed._samples import advanced, begun, small

Numbers = NDArray[np.float64]
LEVEL = 1e-3
"""How often any of all comparisons would fail if nothing differed."""


class Comparison(NamedTuple):
    """One curve of one cell on two devices: how likely medians as far apart are if nothing differs."""

    cell: str
    metric: str
    here: float
    there: float
    p: float


def curves(cell: Cell, seeds: Sequence[int], device: Device, n_iterations: int) -> dict[str, Numbers]:
    """Of every metric of a small cell each seed's mean over all tests; infinite where one is not a number."""
    brief = small(cell).on(device)
    training = begun(brief, tuple(seeds))
    advanced(brief, tuple(seeds), training, n_iterations)
    found = {name: curve.double().numpy() for name, curve in training.curves.items()}
    # The first tests may have nothing to tell yet: no episode has ended.
    return {
        name: np.nan_to_num(curve[:, n_iterations // 2 :].mean(axis=1), nan=np.inf) for name, curve in found.items()
    }


def compared(name: str, here: dict[str, Numbers], there: dict[str, Numbers]) -> Iterator[Comparison]:
    """Every metric by a test of ranks."""
    for metric, values in here.items():
        both = np.concatenate([values, there[metric]])
        p = 1.0 if (both == both[0]).all() else float(mannwhitneyu(values, there[metric]).pvalue)
        yield Comparison(name, metric, float(np.median(values)), float(np.median(there[metric])), p)


def apart(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Those that differ by more than chance, the level divided among all."""
    return [one for one in comparisons if one.p < LEVEL / len(comparisons)]
