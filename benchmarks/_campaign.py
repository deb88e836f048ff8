"""What a campaign is: which cells it trains, what they cost, which claims they decide, and in which order.

campaign = Campaign(figures, desk, states, "cpu", timed=library)
print(campaign.words(n_jobs=2))
campaign.by_value       # cells' keys, those first that decide most claims per hour
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks import Cell, Figure
from benchmarks._catalogue import figures
from benchmarks._judging.desk import Desk, papers
from benchmarks._judging.value import Stage, by_value, undecided
from benchmarks._scoreboard import shortened
from benchmarks._training.prices import Bill, Price, Prices, bill
from benchmarks._training.progress import hours, size, span
from benchmarks._training.work import Device, Library, Work, missing_work, with_teachers
from results import States

ABOUT = "~"  # stands before what is estimated by other cells
ROUGHLY = "≈"  # and before what is estimated by other games or algorithms
UNKNOWN = "unknown time"
WHY = {
    "untestable": "untestable",
    "lacking": "that lack a measurement",
    "too_early": "about the end of training, before which the profile ends",
}


@dataclass(frozen=True)
class Campaign:
    """What is missing of some figures at a desk's profile, trained on a device, at the speed of the runs in `timed`.

    `others` are the cells by which the price of one that was never trained is estimated.
    """

    figures: Sequence[Figure]
    desk: Desk
    states: States
    device: Device
    timed: Library
    others: Sequence[Cell] = ()

    @classmethod
    def into(cls, folder: Path, wanted: Sequence[Figure], desk: Desk, device: Device, timed: Library) -> Campaign:
        """Trained into a store, its prices estimated by every figure's cells."""
        others = tuple(cell for figure in figures() for cell in figure.cells)
        return cls(wanted, desk, States(folder / ".states"), device, timed, others)

    @cached_property
    def missing(self) -> list[Work]:
        """The seeds that are not there."""
        return missing_work(self.figures, self.desk.profile, self.desk.n_seeds, self.desk.library)

    @cached_property
    def work(self) -> list[Work]:
        """All that is to be trained, teachers before what starts from them."""
        return with_teachers(self.missing, self.states, self.device)

    @cached_property
    def prices(self) -> dict[str, Price]:
        """What each costs, by the cell's key."""
        cells = {cell.key: cell for cell in (*self.others, *(item.cell for item in self.work))}
        prices = Prices(self.timed, self.states, self.device, tuple(cells.values()))
        return {item.cell.key: prices.of(item) for item in self.work}

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The work in the order of its value; where nothing was ever timed, a step counts for a second."""
        steps = {item.cell.key: float(item.total) for item in self.work}
        each = self.prices.items()
        seconds = {key: steps[key] if math.isnan(price.seconds) else price.seconds for key, price in each}
        return by_value(self.figures, self.desk, self.work, seconds)

    @property
    def by_value(self) -> tuple[str, ...]:
        """The keys of all cells that are to be trained, those first that decide most claims per hour."""
        return tuple(item.cell.key for stage in self.stages for item in stage.work)

    def words(self, n_jobs: int) -> str:
        """The plan, to be read by people: what a terminal still shows at the end is the sums."""
        if not self.work:
            return f"profile {self.desk.profile}: nothing is missing"
        return "\n".join([self._heading(n_jobs), *self._order(), "", *self._sums(), "", *self._notes()])

    # ---- the parts of the plan ---------------------------------------------------------------------------------------

    def _heading(self, n_jobs: int) -> str:
        n_missing = sum(bool(item.seeds) for item in self.work)
        n_again = len(self.work) - n_missing
        again = f", {n_again} more are trained again" if n_again else ""
        total = bill(self.prices.values())
        several = n_jobs > 1 and not total.n_untimed
        side_by_side = f", at least {span(self._at_best(n_jobs))} with {n_jobs} jobs" if several else ""
        takes = f"{cost(total)} on one core{side_by_side}"
        return f"profile {self.desk.profile}: {cells(n_missing)} are missing{again}: {takes}"

    def _at_best(self, n_jobs: int) -> float:
        """Seconds until all is trained where no job ever idles, or until the longest chain of teachers is."""
        ends: dict[str, float] = {}
        for item in self.work:
            seconds = self.prices[item.cell.key].seconds
            begins = max((ends.get(teacher.key, 0.0) for teacher, _ in item.cell.teachers), default=0.0)
            ends[item.cell.key] = begins + seconds / min(n_jobs, len(item.all_seeds))
        return max(bill(self.prices.values()).seconds / n_jobs, *ends.values())

    def _order(self) -> Iterator[str]:
        """The stages: what each costs, which claims can be judged then, and its cells."""
        width, spent = max(80, shutil.get_terminal_size().columns), 0.0
        for n, stage in enumerate(self.stages, start=1):
            total = bill(self.prices[item.cell.key] for item in stage.work)
            spent += total.seconds
            what = f"decides {claims(len(stage.claims))}" if stage.claims else "decides no claim"
            yield f"\n{n}. {what}: {cost(total)}" + (f", {hours(spent)} so far" if not total.n_untimed else "")
            ids = max((len(claim.id) for claim in stage.claims), default=0)
            told = (f"   {claim.id:{ids}}  {claim.reading or claim.quote}" for claim in stage.claims)
            yield from (shortened(line, width) for line in told)
            yield from (f"   {self._line(item)}" for item in stage.work)

    def _line(self, item: Work) -> str:
        """A cell: how long, which seeds, how far, which one."""
        price = self.prices[item.cell.key]
        time = "unknown" if math.isnan(price.seconds) else f"{mark(price.estimated, price.rough)}{span(price.seconds)}"
        part = "" if not item.again else " again" if not item.seeds else f" ({ranges(item.again)} again)"
        seeds = f"seeds {ranges(item.all_seeds)}{part}"
        return f"{time:>9}  {seeds:22} {item.n_steps:>11,} steps  {item.cell.name} ({item.cell.key})"

    def _sums(self) -> Iterator[str]:
        """What each figure costs and decides, each paper, and all."""
        decided = {claim.id for stage in self.stages for claim in stage.claims}
        yield columns("", "cells", "on one core", "claims decided")
        grouped = papers(self.figures)
        for paper in grouped:
            yield from (self._sum(figure.id, [figure], decided) for figure in paper)
            if len(paper) > 1:
                yield self._sum(f"{paper[0].paper.name} in all", paper, decided)
        if len(grouped) > 1:
            yield self._sum("in all", self.figures, decided)

    def _sum(self, name: str, figures: Sequence[Figure], decided: Container[str]) -> str:
        keys = {cell.key for figure in figures for cell in figure.cells}
        total = bill(price for key, price in self.prices.items() if key in keys)
        if not total.n:
            return columns(name, "–", "–", "–")
        n_decided = sum(claim.id in decided for figure in figures for claim in figure.claims)
        return columns(name, str(total.n), cost(total), str(n_decided))

    def _notes(self) -> Iterator[str]:
        """How the numbers are to be read."""
        total, left = bill(self.prices.values()), undecided(self.figures, self.desk)
        yield "Every hour decides the most claims in this order: `run --by value`."
        yield "What several figures need counts once in the sum of a paper."
        if any(item.again for item in self.work):
            yield "again: their runs are there, but not the training states from which others start."
        if total.n_estimated:
            nearest = "another device, or by others of their algorithm and game"
            yield f"{ABOUT}: {cells(total.n_estimated)}, not timed on {self.device}; estimated by {nearest}."
        if total.n_rough:
            what = "whose algorithm was never timed in their game"
            by = "its other games or else by other algorithms, which may be far off"
            yield f"{ROUGHLY}: {cells(total.n_rough)} {what}; estimated roughly, by {by}."
        if total.n_untimed:
            yield f"unknown: {cells(total.n_untimed)}, as nothing was ever timed; ordered by their steps."
        reasons = [f"{n} {WHY[name]}" for name, n in left._asdict().items() if n]
        if reasons:
            yield f"Claims that no training decides: {', '.join(reasons)}; checks are not counted."
        yield room(total)


def room(total: Bill) -> str:
    """The disk that the work's training states take."""
    if total.n_unweighed == total.n:
        return "Disk that the training states will take: unknown, as no state of these algorithms and games is here."
    unknown = f", without {cells(total.n_unweighed)} of which no state like theirs is here" if total.n_unweighed else ""
    return f"Disk that new training states will take: about {size(total.n_bytes)}{unknown}."


def cells(n: int) -> str:
    """So many cells."""
    return f"{n} cell{'' if n == 1 else 's'}"


def claims(n: int) -> str:
    """So many claims."""
    return f"{n} claim{'' if n == 1 else 's'}"


def cost(total: Bill) -> str:
    """The time of one core that several cells take together."""
    return UNKNOWN if total.n_untimed else f"{mark(total.n_estimated, total.n_rough)}{hours(total.seconds)}"


def mark(estimated: bool | int, rough: bool | int) -> str:
    """What stands before a time that is not known."""
    return ROUGHLY if rough else ABOUT if estimated else ""


def ranges(seeds: Iterable[int]) -> str:
    """Rising whole numbers, neighbours as one range: 0–4, 7."""
    found: list[list[int]] = []
    for seed in seeds:
        if found and found[-1][-1] == seed - 1:
            found[-1].append(seed)
        else:
            found.append([seed])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in found)


def columns(name: str, n_cells: str, time: str, n_claims: str) -> str:
    """A line of the table of sums."""
    return f"{name:24} {n_cells:>6} {time:>24} {n_claims:>15}"
