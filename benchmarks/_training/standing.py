"""Does today's code still stand behind what is recorded?

A run counts as it is where all of its sessions ran with the code that is here now, or with code of which a certificate
says that today's has repeated its numbers. All others are said to be recorded with other code, wherever they are used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from benchmarks import Cell
from benchmarks._training.sources import digest
from benchmarks._training.work import Library
from results import Run


class Standing(NamedTuple):
    """How many runs are there, and of how many there is something to be said."""

    runs: int
    other_code: int  # recorded with code that is not today's, which has not repeated their numbers
    changed_code: int  # of which a session ran with code that was changed since its commit, so that nobody has it
    short_history: int  # from before histories were kept: of their sessions only the last is told

    def __add__(self, other: tuple[int, ...]) -> Standing:  # type: ignore[override]
        """Of both together."""
        return Standing(*(one + two for one, two in zip(self, other, strict=True)))

    @property
    def words(self) -> str:
        """What is to be said; empty where nothing is."""
        told = [
            (self.other_code, "recorded with other code than is here now; `python -m benchmarks repeat` certifies it"),
            (self.changed_code, "recorded from code that had been changed since its commit"),
        ]
        return "; ".join(f"{count} of {self.runs} runs: {what}" for count, what in told if count)


NOTHING = Standing(0, 0, 0, 0)


def standing(cell: Cell, runs: Mapping[int, Run], library: Library) -> Standing:
    """What is to be said of the runs of a cell."""
    today = digest(cell)
    keys = {run.key for run in runs.values()}
    certificates = [one for key in keys for one in library.stores.certificates(key) if one.sources == today]
    known = {today, *(code for one in certificates for code in one.of)}
    return Standing(
        runs=len(runs),
        other_code=sum(not codes(run) <= known for run in runs.values()),
        changed_code=sum(any(session.changed for session in run.history) for run in runs.values()),
        short_history=sum(any(session.first is None for session in run.history) for run in runs.values()),
    )


def codes(run: Run) -> set[str]:
    """The digests of the codes that made a run."""
    return {session.sources for session in run.history} or {""}


def standing_of(cells: Iterable[Cell], library: Library, n_seeds: int) -> Standing:
    """Of all stored runs of some cells, each counted once."""
    total = NOTHING
    for cell in {cell.key: cell for cell in cells}.values():
        found = {seed: run for seed in range(n_seeds) if (run := library.load(cell, seed, 0)) is not None}
        total += standing(cell, found, library)
    return total
