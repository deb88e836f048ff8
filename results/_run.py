"""One seed's curve, and the numbers of a curve as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Run:
    """One seed's curve: what its tests measured, after how many steps.

    `provenance` is where the numbers come from (commit, versions, machine, wall time): told, never compared.

    Shapes: steps and every metric [N].
    Units: steps are environment steps per seed; `units` says of each metric what is summed over what.
    Raises: ValueError where shapes, names or kinds do not fit.
    """

    key: str
    seed: int
    steps: NDArray[np.float64]
    metrics: Mapping[str, NDArray[np.float32]]  # NaN where the run diverged
    units: Mapping[str, str]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"a seed must not be negative, got {self.seed}")
        if self.steps.dtype != np.float64 or self.steps.ndim != 1 or not _rises(self.steps):
            raise ValueError(f"steps must be rising float64 numbers [N], got {self.steps!r}")
        if set(self.metrics) != set(self.units):
            raise ValueError(f"every metric needs its unit, got {sorted(self.metrics)} and {sorted(self.units)}")
        for name, values in self.metrics.items():
            if values.dtype != np.float32 or values.shape != self.steps.shape:
                raise ValueError(f"metric {name} must be float32 {self.steps.shape}, got {values.dtype} {values.shape}")

    @property
    def n_steps(self) -> float:
        """When the last test was; 0 where there was none. Units: environment steps per seed."""
        return float(self.steps[-1]) if self.steps.size else 0.0

    def upto(self, n_steps: float) -> Run:
        """The first part of the curve: all tests until `n_steps`, that one included."""
        n = int(np.searchsorted(self.steps, n_steps, side="right"))
        metrics = {name: values[:n] for name, values in self.metrics.items()}
        return replace(self, steps=self.steps[:n], metrics=metrics)


def disagreement(stored: Run, other: Run) -> str | None:
    """Where two runs first differ, bit for bit, on the part that both have; None where one begins the other."""
    if dict(stored.units) != dict(other.units):
        return f"metrics and their units are {dict(stored.units)} there and {dict(other.units)} here"
    n = min(stored.steps.size, other.steps.size)
    curves: list[tuple[str, NDArray[Any], NDArray[Any]]] = [("steps", stored.steps, other.steps)]
    curves += [(name, stored.metrics[name], other.metrics[name]) for name in sorted(stored.metrics)]
    for name, there, here in curves:
        differing = np.flatnonzero(_bits(there[:n]) != _bits(here[:n]))
        if differing.size:
            first = differing[0]
            return f"{name} at step {stored.steps[first]:.0f} is {there[first]} there and {here[first]} here"
    return None


def content(run: Run) -> dict[str, Any]:
    """A run as JSON values."""
    return {
        "key": run.key,
        "seed": run.seed,
        "units": dict(run.units),
        "provenance": dict(run.provenance),
        "steps": [int(step) if step.is_integer() else step for step in run.steps.tolist()],
        "metrics": {name: _shortest(values) for name, values in run.metrics.items()},
    }


def from_content(value: Mapping[str, Any]) -> Run:
    """The run that `content` wrote, bit for bit.

    Raises: KeyError, TypeError or ValueError where it is something else.
    """
    metrics = {name: _numbers(values).astype(np.float32) for name, values in value["metrics"].items()}
    rest = {name: value[name] for name in ("key", "seed", "units", "provenance")}
    return Run(steps=_numbers(value["steps"]), metrics=metrics, **rest)


def _rises(steps: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(steps).all() and (steps >= 0).all() and (np.diff(steps) > 0).all())


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """The bits of numbers, with one NaN for all: the file keeps no more of it."""
    canonical = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)
    return canonical.view(f"u{values.dtype.itemsize}")


def _shortest(values: NDArray[np.float32]) -> list[float | str | None]:
    """float32 numbers as the shortest decimals that read back as they were: 0.1, not 0.10000000149011612."""
    short = values.astype(str).astype(np.float64)
    # Reading rounds twice, to float64 and then to float32; where that would miss, the long decimal is exact.
    exact = np.where(short.astype(np.float32) == values, short, values.astype(np.float64))
    return [_json(value) for value in exact.tolist()]


def _json(value: float) -> float | str | None:
    """JSON has neither NaN nor infinity."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _numbers(values: list[float | str | None]) -> NDArray[np.float64]:
    return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)
