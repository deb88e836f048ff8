"""The beginnings of recorded runs played again with the code as it is: do the same numbers come out?

A result stands for what the code does for as long as the code can repeat it. Each cell's seed is trained alone from its
start until the time for it is up, for one test at least, and every metric of every test is compared: bit for bit
where machine and versions are those of the record. Elsewhere numbers part after a while, and where is merely said.

A cell that starts from others is played after them: the whole chain of one seed is trained in a folder of its own,
where that is short enough, and all of it is compared.

Numbers that were met are certified: results that earlier code has recorded then count for today's.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from benchmarks import Cell, lineage
from benchmarks._training.circumstances import commit
from benchmarks._training.runner import Report, train_all
from benchmarks._training.session import replayed
from benchmarks._training.sources import digest
from benchmarks._training.standing import codes
from benchmarks._training.starting import context, settle
from benchmarks._training.work import Work
from results import Certificate, Run, States, Store

ROUNDING = 1e-3  # what the first test may differ by on another machine, relatively


class Repetition(NamedTuple):
    """What came of playing a seed of a cell again. Units: `steps` in environment steps."""

    cell: Cell
    seed: int
    n_tests: int
    steps: float
    same_place: bool
    differing: str  # where the numbers part first, empty where they do not
    close: bool  # the first test differs by rounding at most
    codes: tuple[str, ...] = ()  # digests of the codes that made the recorded run
    device: str = ""

    @property
    def failed(self) -> bool:
        """Whether other numbers came out where the same must."""
        return self.same_place and bool(self.differing)

    @property
    def words(self) -> str:
        """One line."""
        what = f"{self.cell.name} on {self.cell.environment}, seed {self.seed}"
        if not self.differing:
            tests = "1 test" if self.n_tests == 1 else f"{self.n_tests} tests"
            return f"same    {what}: {tests} up to step {self.steps:,.0f}"
        return f"{'DIFFERS' if self.same_place else 'drifts ' if self.close else 'parts  '} {what}: {self.differing}"

    @property
    def certificate(self) -> Certificate | None:
        """That today's code has repeated the numbers; None where it has not."""
        if self.failed or not self.close:
            return None
        return Certificate(
            sources=digest(self.cell),
            of=self.codes,
            seed=self.seed,
            n_tests=self.n_tests,
            steps=self.steps,
            exact=not self.differing,
            commit=commit(),
            device=self.device,
        )


def repeated(cell: Cell, store: Store, seed: int, seconds: float) -> Repetition:
    """A recorded seed, of a cell that starts from no other, played again for so long."""
    recorded = store.load(cell, seed)
    assert recorded is not None
    return compared(cell, replayed(cell, seed, int(recorded.n_steps), seconds, ()), recorded)


def compared(cell: Cell, fresh: Run, recorded: Run) -> Repetition:
    """What came of a seed that has been played again."""
    parted = next(filter(None, (differing(fresh, recorded, metric) for metric in sorted(recorded.metrics))), "")
    first = [(run.metrics[name][0] for run in (fresh, recorded)) for name in sorted(recorded.metrics)]
    return Repetition(
        cell,
        fresh.seed,
        fresh.steps.size,
        fresh.n_steps,
        same_place(fresh, recorded),
        parted,
        all(np.isclose(here, there, rtol=ROUNDING, atol=0, equal_nan=True) for here, there in first),
        tuple(sorted(codes(recorded))),
        fresh.history[-1].device,
    )


def same_place(fresh: Run, recorded: Run) -> bool:
    """Whether all sessions of two runs were on the same kind of machine with the same versions, so that their bits must
    agree."""
    sessions = (*fresh.history, *recorded.history)
    return bool(fresh.history and recorded.history) and not any(sessions[0].elsewhere(other) for other in sessions)


def differing(fresh: Run, recorded: Run, metric: str) -> str:
    """The first step at which two runs of one seed differ by a bit; empty where they agree."""
    n = min(fresh.steps.size, recorded.steps.size)
    here, there = fresh.metrics[metric][:n], recorded.metrics[metric][:n]
    unequal = np.flatnonzero(~((here == there) | (np.isnan(here) & np.isnan(there))))
    if not unequal.size:
        return ""
    i = unequal[0]
    return f"{metric} at step {fresh.steps[i]:,.0f} is {here[i]} and not the recorded {there[i]}"


def repeatable(cells: Sequence[Cell], store: Store, n_seeds: int) -> list[tuple[Cell, int]]:
    """The first recorded seeds of every cell that can be trained on this machine.

    Raises: StoreError where a run cannot be read.
    """
    here = [cell for cell in cells if cell.device == "cpu" or torch.cuda.is_available()]
    first = [(cell, seed) for cell in here for seed in store.seeds(cell.key)[:n_seeds]]
    return [(cell, seed) for cell, seed in first if store.load(cell, seed) is not None]


def chain_seconds(cell: Cell, seed: int, store: Store) -> float:
    """About how long one seed of all that a cell starts from takes; infinite where that is not recorded."""
    total = 0.0
    for teacher in lineage(cell)[:-1]:
        run = store.load(teacher, seed)
        if run is None or not run.history:
            return math.inf
        last = run.history[-1]
        total += last.wall_seconds / last.seeds_together * 2  # alone a seed takes more than its share
    return total


def repetitions(work: Sequence[tuple[Cell, int]], store: Store, seconds: float, n_jobs: int) -> Iterator[Repetition]:
    """What came of each that starts from no other, as it comes, in processes of their own.

    Raises: ChildProcessError where one of them was killed; what training itself raised.
    """
    starts = context("cpu" if all(cell.device == "cpu" for cell, _ in work) else "cuda")
    n_workers = max(1, min(n_jobs, len(work)))
    with ProcessPoolExecutor(n_workers, starts, initializer=settle, initargs=(dict(os.environ),)) as pool:
        try:
            futures = [pool.submit(repeated, cell, store, seed, seconds) for cell, seed in work]
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a process was killed, by somebody or for want of memory: fewer jobs need less memory"
            ) from error
        except BaseException:
            for process in multiprocessing.active_children():
                process.kill()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def chains(
    work: Sequence[tuple[Cell, int]], store: Store, n_jobs: int, report: Report, say: Callable[[str], None]
) -> list[Repetition]:
    """What came of cells that start from others, each to its first test, and of all that they start from.

    Trained from the beginning in a folder that is gone afterwards; what fails there is said.
    """
    taken = {of.key: steps for cell, _ in work for link in lineage(cell) for of, steps in link.teachers}
    items: dict[str, Work] = {}
    for cell, seed in work:
        known = items.get(cell.key, Work(cell, (), taken.get(cell.key, cell.evaluation.every)))
        items[cell.key] = known._replace(seeds=tuple(sorted({*known.seeds, seed})))
    with tempfile.TemporaryDirectory() as folder:
        fresh = Store(Path(folder))
        trained = train_all(
            list(items.values()), fresh, States(Path(folder) / ".states"), "cpu", n_jobs=n_jobs, report=report
        )
        for failure in trained.failures:
            say(f"failed  {failure.label}, seeds {', '.join(map(str, failure.seeds))}: {failure.sentence}\n")
        played = {link.key: link for cell, _ in work for link in lineage(cell)}
        return [
            compared(cell, run, recorded)
            for cell in played.values()
            for seed in fresh.seeds(cell.key)
            if (run := fresh.load(cell, seed)) is not None and (recorded := store.load(cell, seed)) is not None
        ]
