"""What training costs, reckoned from what has been trained: the time of one core, and room for training states.

    prices = Prices(library, states, "cpu", cells)
    prices.of(item).seconds
    bill([prices.of(item) for item in work]).seconds

A seed that stands in the middle of its training costs only the rest of it.

A cell that was never timed costs what others like it do. Of 108 recorded cells, each estimated without itself, half
are within a factor of 1.2 of their own time, and nine in ten within 3.2, by others of their algorithm and game; within
1.4 and 3.1 by their algorithm's other games; within 2 and 190 by all other algorithms, as who only plays is hundreds of
times as fast as who learns.
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
    """What is left of a piece of work costs; seconds are NaN where nothing was ever timed, bytes where nothing of its
    algorithm and environment is there to tell.

    Units: `seconds` of one core, all seeds together; `n_bytes` of training states that are not there yet.
    """

    seconds: float
    estimated: bool  # by other cells of the same algorithm and environment, or by the same one on another device
    n_bytes: float
    rough: bool = False  # estimated by other games of the same algorithm, or else by other algorithms


class Bill(NamedTuple):
    """What several cost together, those left out whose price is not known, which are counted. Units: as of `Price`."""

    n: int
    seconds: float
    n_estimated: int
    n_rough: int
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
        n_rough=sum(one.rough for one in each),
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
        rough = math.isnan(rate)
        rate = self._rough_speed(item.cell) if rough else rate
        n_new = sum((item.cell.on(self.device).key, seed) not in self._sizes for seed in item.all_seeds)
        return Price(
            seconds=self.steps_left(item) / rate,
            estimated=not known and not rough,
            n_bytes=n_new * self._n_bytes(item.cell.on(self.device)) if n_new else 0.0,
            rough=rough and not math.isnan(rate),
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

    def _rough_speed(self, cell: Cell) -> float:
        """By its algorithm's other games, or else by all algorithms, the middle one; NaN where nobody was timed."""
        own = [efforts for name, efforts in self._efforts.items() if algorithm(name) == algorithm(cell.key)]
        every = _grouped(((name, one) for name, efforts in self._efforts.items() for one in efforts), algorithm)
        typical = [statistics.median(efforts) for efforts in own or every.values()]
        return 1 / (statistics.median(typical) * effort(cell)) if typical else math.nan

    def _n_bytes(self, cell: Cell) -> float:
        """Bytes that the state of a seed takes."""
        own = [n for (key, _), n in self._sizes.items() if key == cell.key]
        return statistics.median(own) if own else self._typical(cell, self._weights)

    def _typical(self, cell: Cell, known: Mapping[str, Sequence[float]]) -> float:
        """The median of what is known of a cell's algorithm in its environment; NaN where nothing is."""
        return statistics.median(known.get(kin(cell.key), [math.nan]))

    @cached_property
    def _timed(self) -> list[tuple[Cell, float]]:
        """Every cell that has a speed, and that."""
        each = [(cell, self.library.steps_per_second(cell)[0]) for cell in self.cells]
        return [(cell, rate) for cell, rate in each if not math.isnan(rate)]

    @cached_property
    def _speeds(self) -> dict[str, list[float]]:
        """By algorithm and environment."""
        return _grouped(((cell.key, rate) for cell, rate in self._timed), kin)

    @cached_property
    def _efforts(self) -> dict[str, list[float]]:
        """Seconds of a unit of effort, by algorithm and environment."""
        return _grouped(((cell.key, 1 / (rate * effort(cell))) for cell, rate in self._timed), kin)

    @cached_property
    def _weights(self) -> dict[str, list[float]]:
        return _grouped(((key, n) for (key, _), n in self._sizes.items()), kin)

    @cached_property
    def _sizes(self) -> dict[tuple[str, int], int]:
        return self.states.sizes()


def kin(key: str) -> str:
    """Algorithm and environment: the part of a key that cells have in common whose price is about the same."""
    return key.rsplit("/", 1)[0]


def algorithm(key: str) -> str:
    """The algorithm alone."""
    return key.partition("/")[0]


def effort(cell: Cell) -> float:
    """How much a step of a cell is, beside those of others: the geometric mean of its agents and its share of a test.

    Some cells take their time for steps of agents, others for tests, and neither tells the one kind from the other.
    """
    return math.sqrt(sum(role.n_agents for role in cell.env.roles) / cell.evaluation.every)


def _grouped(pairs: Iterable[tuple[str, float]], by: Callable[[str], str]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for key, value in pairs:
        found.setdefault(by(key), []).append(value)
    return found
