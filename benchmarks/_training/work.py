"""What is to be trained: the seeds whose runs are missing, what they start from, and in which order.

work = missing_work(figures, "quick", None, library)
work = with_teachers(work, states, "cpu")
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch

from benchmarks import Budget, Cell, Figure
from results import Run, States, Stored, StoreError, Stores, reaching

Device = Literal["cpu", "cuda"]


class Work(NamedTuple):
    """What is left to train of a cell. Units: environment steps per seed."""

    cell: Cell
    seeds: tuple[int, ...]  # whose run does not reach `n_steps`
    n_steps: int
    taken: tuple[int, ...] = ()  # from whose training state at `n_steps` others start, and it is not there

    @property
    def all_seeds(self) -> tuple[int, ...]:
        """Every seed, for whichever reason, in order."""
        return tuple(sorted({*self.seeds, *self.taken}))

    @property
    def total(self) -> int:
        """Steps of all its seeds together."""
        return len(self.all_seeds) * self.n_steps

    @property
    def again(self) -> tuple[int, ...]:
        """The seeds whose run is there and which are trained again for their training state."""
        return tuple(seed for seed in self.taken if seed not in self.seeds)

    @property
    def label(self) -> str:
        """How the cell is called while it trains."""
        return f"{self.cell.name} on {self.cell.environment}"

    def only(self, seeds: Iterable[int]) -> Work:
        """The part of the work that some of its seeds are."""
        kept = set(seeds)
        first, second = (tuple(seed for seed in kind if seed in kept) for kind in (self.seeds, self.taken))
        return self._replace(seeds=first, taken=second)

    def halves(self) -> tuple[Work, Work]:
        """The same work in two parts, of which a single seed leaves the second empty."""
        middle = (len(self.all_seeds) + 1) // 2
        return self.only(self.all_seeds[:middle]), self.only(self.all_seeds[middle:])


@dataclass(frozen=True)
class Library:
    """Where runs are looked for, on whatever class of device they were made."""

    stores: Stores

    def load(self, cell: Cell, seed: int, n_steps: float) -> Run | None:
        """The run of a seed up to the test that is due at `n_steps`, or the longest that there is, or None."""
        found = chosen(self.stored(cell, (seed,))[seed], n_steps)
        return None if found is None else found.run

    def stored(self, cell: Cell, seeds: Iterable[int]) -> dict[int, tuple[tuple[Stored, ...], ...]]:
        """All that is stored of some seeds, however long: of every class of device, one's own first."""
        asked = tuple(seeds)
        of_devices = [self.stores.every(variant, asked) for variant in variants(cell)]
        return {seed: tuple(of[seed] for of in of_devices) for seed in asked}

    def missing(self, cell: Cell, seeds: Iterable[int], n_steps: int) -> tuple[int, ...]:
        """The seeds whose run does not reach `n_steps`."""
        left = tuple(seeds)
        for variant in variants(cell):
            left = self.stores.missing(variant, left, n_steps)
        return left

    def steps_per_second(self, cell: Cell) -> tuple[float, str]:
        """How fast the last session of the cell's stored seed 0 was, and the key of the run that says so, "" if none.

        NaN where there is no run, or none that took a measurable time.

        Units: steps of all its seeds together.
        """
        run = self.load(cell, 0, math.inf)
        if run is None or not run.history:
            return math.nan, ""
        last = run.history[-1]
        trained = (run.n_steps - (last.first or 0)) * last.seeds_together
        return (trained / last.wall_seconds if last.wall_seconds and trained > 0 else math.nan), run.key


def chosen(stored: Iterable[Sequence[Stored]], n_steps: float) -> Stored | None:
    """Of a seed's runs that which is read, up to the test that is due at `n_steps`; None where there is none."""
    found = [one for of_device in stored if (one := reaching(of_device, n_steps)) is not None]
    longest = max(found, key=lambda one: one.run.n_steps, default=None)
    if longest is None:
        return None
    return longest._replace(run=longest.run.upto(last_test(longest.run, n_steps)))


def last_test(run: Run, n_steps: float) -> float:
    """When the test was that is due at `n_steps`: at the end of the iteration that reaches them, which may be later."""
    since = run.steps[run.steps >= n_steps]
    return float(since[0]) if since.size else run.n_steps


def variants(cell: Cell) -> tuple[Cell, ...]:
    """The same cell on every class of device."""
    return cell.on("cpu"), cell.on("cuda")


def budgets(figures: Iterable[Figure], profile: str, n_seeds: int | None) -> list[tuple[Cell, Budget]]:
    """Every cell once, with the largest budget that a figure asks of it. `n_seeds` overrides the profile's."""
    wanted: dict[str, tuple[Cell, Budget]] = {}
    for figure in figures:
        for cell in figure.cells:
            budget = figure.budget(profile, cell)
            _, known = wanted.get(cell.key, (cell, Budget(0, 0)))
            seeds = max(known.n_seeds, budget.n_seeds if n_seeds is None else n_seeds)
            wanted[cell.key] = (cell, Budget(seeds, max(known.n_steps, budget.n_steps)))
    return list(wanted.values())


def missing_work(figures: Iterable[Figure], profile: str, n_seeds: int | None, library: Library) -> list[Work]:
    """The seeds whose runs are not there, the cells first that take longest with all that starts from them."""
    work = []
    for cell, budget in budgets(figures, profile, n_seeds):
        due = budget.n_steps // cell.evaluation.every * cell.evaluation.every
        seeds = library.missing(cell, range(budget.n_seeds), due)
        if seeds:
            work.append(Work(cell, seeds, due))
    return sorted(work, key=lambda item: -_length(item, work))


def _length(item: Work, work: Sequence[Work]) -> int:
    """Steps from the beginning of an item to the end of the last that starts from it."""
    followers = [other for other in work if item.cell.key in {teacher.key for teacher, _ in other.cell.teachers}]
    return item.total + max((_length(other, work) for other in followers), default=0)


def in_order(work: Iterable[Work], keys: Sequence[str]) -> list[Work]:
    """The work in the order of its cells' keys."""
    places = {key: place for place, key in enumerate(keys)}
    return sorted(work, key=lambda item: places[item.cell.key])


def with_teachers(work: Iterable[Work], states: States, device: Device) -> list[Work]:
    """The work, and before it what must be trained, or trained again, so that its cells can start from it on a device.

    Raises: ValueError where a cell is to be trained further than where another starts from it.
    """
    found: dict[str, Work] = {}
    for item in (piece for last in work for piece in (*_origins(last, states, device), last)):
        known = found.get(item.cell.key, item)
        if known.n_steps != item.n_steps:
            raise ValueError(
                f"{item.label} must end where others start from it, got {known.n_steps} and {item.n_steps} steps"
            )
        seeds, taken = (tuple(sorted({*a, *b})) for a, b in ((known.seeds, item.seeds), (known.taken, item.taken)))
        found[item.cell.key] = Work(item.cell, seeds, item.n_steps, taken)
    return list(found.values())


def _origins(item: Work, states: States, device: Device) -> Iterator[Work]:
    """The teachers whose training states are not there for seeds that must begin; their own teachers before them."""
    key = item.cell.on(device).key
    begin = [seed for seed in item.all_seeds if not may_go_on(standing(states, key, seed), item, seed)]
    for teacher, steps in item.cell.teachers:
        there = teacher.on(device).key
        seeds = tuple(seed for seed in begin if standing(states, there, seed) != steps)
        if seeds:
            again = Work(teacher, (), steps, seeds)
            yield from _origins(again, states, device)
            yield again


def standing(states: States, key: str, seed: int) -> int | None:
    """How far a seed's training state is; None where it is absent, or damaged, which whoever trains it will say."""
    try:
        return states.steps(key, seed)
    except StoreError:
        return None


def may_go_on(steps: int | None, item: Work, seed: int) -> bool:
    """Whether a seed goes on from its training state: it has one, and not beyond where others start from it."""
    return steps is not None and (seed not in item.taken or steps <= item.n_steps)


def spare(work: Iterable[Work], states: States, device: Device) -> dict[tuple[str, int], int]:
    """The states that none of the work needs, and what each takes: nothing goes on from them, nothing starts from them.

    Units: bytes.
    """
    needed = set()
    for item in work:
        key = item.cell.on(device).key
        needed |= {(key, seed) for seed in item.all_seeds}
        begin = [seed for seed in item.all_seeds if not may_go_on(standing(states, key, seed), item, seed)]
        needed |= {(teacher.on(device).key, seed) for teacher, _ in item.cell.teachers for seed in begin}
    return {owner: size for owner, size in states.sizes().items() if owner not in needed}


def usable_device(asked: str) -> Device:
    """The device to train on.

    Raises: ValueError where it is unknown or not there.
    """
    if asked not in ("auto", "cpu", "cuda"):
        raise ValueError(f"device must be auto, cpu or cuda, got {asked!r}")
    if asked == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device cuda was asked for, but torch {torch.__version__} finds no CUDA device here")
    if asked == "cpu" or not torch.cuda.is_available():
        return "cpu"
    return "cuda"
