"""What training costs, reckoned from what has been trained: the time of one core, and room for training states.

    prices = Prices(library, states, "cpu", cells)
    prices.of(item).seconds
    bill([prices.of(item) for item in work]).seconds

A seed that stands in the middle of its training costs only the rest of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from benchmarks import Cell
from benchmarks._training.work import Device, Library, Work, may_go_on, standing
from results import States


class Price(NamedTuple):
    """What is left of a piece of work costs; NaN where nothing of its algorithm and environment is there to tell.

    Units: `seconds` of one core, all seeds together; `n_bytes` of training states that are not there yet.
    """

    seconds: float
    estimated: bool  # by other cells of the same algorithm and environment, or by the same one on another device
    n_bytes: float


class Bill(NamedTuple):
    """What several cost together, those left out whose price is not known, which are counted. Units: as of `Price`."""

    n: int
    seconds: float
    n_estimated: int
    n_untimed: int
    n_bytes: float
    n_unweighed: int


def bill(prices: Iterable[Price]) -> Bill:
    """The sum."""
    each = list(prices)
    return Bill(
        n=len(each),
        seconds=math.fsum(one.seconds for one in each if not math.isnan(one.seconds)),
        n_estimated=sum(one.estimated for one in each),
        n_untimed=sum(math.isnan(one.seconds) for one in each),
        n_bytes=math.fsum(one.n_bytes for one in each if not math.isnan(one.n_bytes)),
        n_unweighed=sum(math.isnan(one.n_bytes) for one in each),
    )


@dataclass(frozen=True)
class Prices:
    """Prices of work in the states' folder on a device, by the runs of a library; `cells` may stand for one another."""

    library: Library
    states: States
    device: Device
    cells: Sequence[Cell]

    def of(self, item: Work) -> Price:
        """What is left of a piece of work costs."""
        rate, known = self._speed(item.cell)
        n_new = sum((item.cell.on(self.device).key, seed) not in self._sizes for seed in item.all_seeds)
        return Price(
            seconds=self.steps_left(item) / rate,
            estimated=not known and not math.isnan(rate),
            n_bytes=n_new * self._n_bytes(item.cell.on(self.device)) if n_new else 0.0,
        )

    def steps_left(self, item: Work) -> int:
        """Environment steps of all seeds together, without those from which their training states go on."""
        key = item.cell.on(self.device).key
        stands = {seed: standing(self.states, key, seed) for seed in item.all_seeds}
        gone = sum(min(n or 0, item.n_steps) for seed, n in stands.items() if may_go_on(n, item, seed))
        return item.total - gone

    def _speed(self, cell: Cell) -> tuple[float, bool]:
        """Steps a second, all seeds together, and whether that is the cell's own speed on this device."""
        own, key = self.library.steps_per_second(cell)
        if not math.isnan(own):
            return own, key == cell.on(self.device).key
        return self._typical(cell, self._speeds), False

    def _n_bytes(self, cell: Cell) -> float:
        """Bytes that the state of a seed takes."""
        own = [n for (key, _), n in self._sizes.items() if key == cell.key]
        return statistics.median(own) if own else self._typical(cell, self._weights)

    def _typical(self, cell: Cell, known: Mapping[str, Sequence[float]]) -> float:
        """The median of what is known of a cell's algorithm in its environment; NaN where nothing is."""
        return statistics.median(known.get(kin(cell.key), [math.nan]))

    @cached_property
    def _speeds(self) -> dict[str, list[float]]:
        """Of every cell that has one, by algorithm and environment."""
        each = {cell.key: self.library.steps_per_second(cell)[0] for cell in self.cells}
        return _grouped(((key, rate) for key, rate in each.items() if not math.isnan(rate)), kin)

    @cached_property
    def _weights(self) -> dict[str, list[float]]:
        return _grouped(((key, n) for (key, _), n in self._sizes.items()), kin)

    @cached_property
    def _sizes(self) -> dict[tuple[str, int], int]:
        return self.states.sizes()


def kin(key: str) -> str:
    """Algorithm and environment: the part of a key that cells have in common whose price is about the same."""
    return key.rsplit("/", 1)[0]


def _grouped(pairs: Iterable[tuple[str, float]], by: Callable[[str], str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for key, value in pairs:
        found.setdefault(by(key), []).append(value)
    return found
