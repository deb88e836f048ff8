"""Which seeds are missing, and training them: seeds in one batch, cells side by side, stoppable, resumable.

    work = missing_work(figures, "quick", None, stores)
    train_all(work, store, states, "cpu", deadline=None, report=print)

Every process trains one cell with one thread, as long as there are cells enough: two processes with a thread each do
half as much again as one with two threads, because most tensors are too small to be shared between threads.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import queue
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, NamedTuple

import torch

from benchmarks import Budget, Cell, Figure
from benchmarks._training import Training, keep_freed_memory, provenance, runs, train
from results import Lock, Run, State, States, Store, Stores

CHECKPOINT_SECONDS = 300.0
REPORT_SECONDS = 2.0

Device = Literal["cpu", "cuda"]


class Work(NamedTuple):
    """Seeds of a cell that are not there up to `n_steps`. Units: environment steps per seed."""

    cell: Cell
    seeds: tuple[int, ...]
    n_steps: int


class Progress(NamedTuple):
    """How far a cell is, in steps of all its seeds together, and how fast."""

    label: str
    done: int
    total: int
    steps_per_second: float
    note: str = ""


@dataclass(frozen=True)
class Library:
    """Where runs are looked for, on whatever class of device they were made."""

    stores: Stores

    def load(self, cell: Cell, seed: int, n_steps: int) -> Run | None:
        """The run of a seed up to `n_steps`, or the longest that there is, or None."""
        found = [run for variant in variants(cell) if (run := self.stores.load(variant, seed, n_steps)) is not None]
        longest = max(found, key=lambda run: run.n_steps, default=None)
        return None if longest is None else longest.upto(n_steps)

    def missing(self, cell: Cell, seeds: Iterable[int], n_steps: int) -> tuple[int, ...]:
        """The seeds whose run does not reach `n_steps`."""
        left = tuple(seeds)
        for variant in variants(cell):
            left = self.stores.missing(variant, left, n_steps)
        return left

    def steps_per_second(self, item: Work) -> float:
        """How fast a stored run of the same cell was; NaN where there is none, or none that took a measurable time.

        Units: steps of all its seeds together.
        """
        run = self.load(item.cell, 0, item.n_steps)
        wall_seconds = None if run is None else run.provenance.get("wall_seconds")
        if run is None or not wall_seconds:
            return math.nan
        return float(run.n_steps * run.provenance["seeds_together"] / wall_seconds)


def variants(cell: Cell) -> tuple[Cell, ...]:
    """The same cell on every class of device."""
    return tuple(replace(cell, device=device) for device in ("cpu", "cuda"))


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
    """What is left to train, the longest first."""
    work = []
    for cell, budget in budgets(figures, profile, n_seeds):
        due = budget.n_steps // cell.evaluation.every * cell.evaluation.every
        seeds = library.missing(cell, range(budget.n_seeds), due)
        if seeds:
            work.append(Work(cell, seeds, due))
    return sorted(work, key=lambda item: -len(item.seeds) * item.n_steps)


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


def train_all(
    work: Sequence[Work],
    store: Store,
    states: States,
    device: Device,
    *,
    n_jobs: int | None = None,
    time_limit: float | None = None,
    report: Callable[[Sequence[Progress], float], None],
) -> bool:
    """Train what is missing; True where all of it is there in the end, False where the time was up before.

    `report(progress of every cell, seconds left)` is called every two seconds. Whatever stops this (the time limit, an
    interrupt, a kill) loses at most the last few minutes: the same call goes on from the last checkpoint.

    Raises: StoreError before anything is trained, where the store cannot be written; ChildProcessError where a training
    process was killed; what training itself raised.
    """
    store.writable()
    states.writable()
    if not work:
        return True
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    n_jobs = min(len(work), n_jobs or (1 if device == "cuda" else n_cores))
    ends = math.inf if time_limit is None else time.time() + time_limit
    items = [item._replace(cell=replace(item.cell, device=device)) for item in work]
    context = multiprocessing.get_context("spawn")
    line = Line(context.Queue(), context.Event(), ends)
    setup = (line, max(1, n_cores // n_jobs))
    with ProcessPoolExecutor(n_jobs, context, initializer=_prepare, initargs=setup) as pool:
        futures = [pool.submit(train_cell, item, store, states) for item in items]
        try:
            _watch(items, futures, line.inbox, n_jobs, report)
            finished = [future.result() for future in futures]  # every one, for any may raise
            return all(finished)
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a training process was killed, by somebody or for want of memory: "
                "the same command goes on from the last checkpoint, and fewer jobs need less memory"
            ) from error
        except BaseException:
            line.stop.set()
            for future in futures:
                future.cancel()
            raise


class Line(NamedTuple):
    """What connects a training process with the one that started it."""

    inbox: Any  # of Progress
    stop: Any  # set where training shall stop at a checkpoint
    ends: float  # when the time is up, in seconds since the epoch


_line: Line | None = None  # of this process, where it is one that trains


def _prepare(line: Line, n_threads: int) -> None:
    """A fresh process: its threads, its memory, and no say in interrupts, which the parent passes on."""
    global _line  # noqa: PLW0603  (queues reach a process of a pool at its birth only)
    _line = line
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(n_threads)
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the death of the process that started this one, which nobody else would tell it of."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def train_cell(item: Work, store: Store, states: States) -> bool:
    """Train the missing seeds of one cell; True where they are there in the end.

    Seeds that stand at the same step train together, in one batched program. Runs in a process of its own.
    """
    assert _line is not None
    lock = _right_to_train(item, states, _line)
    if lock is None:
        return False
    with lock:
        seeds = store.missing(item.cell, item.seeds, item.n_steps)
        found = {seed: states.latest(item.cell.key, seed) for seed in seeds}
        at = {seed: 0 if state is None else state.steps for seed, state in found.items()}
        done = (len(item.seeds) - len(seeds)) * item.n_steps + sum(min(steps, item.n_steps) for steps in at.values())
        for steps, group in groupby(sorted(seeds, key=at.__getitem__), key=at.__getitem__):
            together = tuple(group)
            begun = [state for seed in together if (state := found[seed]) is not None]
            session = _Session(_line, item, together, store=store, states=states, begun=begun, done=done)
            if not session.run():
                return False
            done += len(together) * max(0, item.n_steps - steps)
    return True


def _right_to_train(item: Work, states: States, line: Line) -> Lock | None:
    """The lock of a cell, waited for where another process has it; None where training shall stop."""
    while not line.stop.is_set() and time.time() < line.ends:
        lock = states.try_lock(item.cell.key)
        if lock is not None:
            return lock
        total = len(item.seeds) * item.n_steps
        line.inbox.put(Progress(label(item), 0, total, math.nan, "another process trains it"))
        line.stop.wait(REPORT_SECONDS)
    return None


class _Session:
    """Seeds of a cell in training together: when to report, to save, to stop."""

    def __init__(
        self,
        line: Line,
        item: Work,
        seeds: tuple[int, ...],
        *,
        store: Store,
        states: States,
        begun: Sequence[State],
        done: int,
    ) -> None:
        self.line, self.item, self.seeds, self.store, self.states, self.done = line, item, seeds, store, states, done
        self.training = Training.resumed(item.cell, seeds, begun) if begun else Training.of(item.cell, seeds)
        self.first = self.training.learner.steps
        self.earlier = max((float(state.metadata["wall_seconds"]) for state in begun), default=0.0)
        self.began = self.saved = self.reported = time.time()

    def run(self) -> bool:
        """Train to the end; False where it was stopped before."""
        train(self.item.cell, self.seeds, self.training, self.item.n_steps, self._pause)
        self._save()
        if self.training.learner.steps < self.item.n_steps:
            return False
        source = provenance(self.item.cell.device, len(self.seeds), self._wall_seconds)
        for run in runs(self.item.cell, self.seeds, self.training, source):
            self.store.save(self.item.cell, run)
        self._report()
        return True

    @property
    def _wall_seconds(self) -> float:
        return self.earlier + time.time() - self.began

    def _pause(self, steps: int) -> bool:
        now = time.time()
        if now - self.saved >= CHECKPOINT_SECONDS:
            self._save()
        if now - self.reported >= REPORT_SECONDS:
            self._report()
            if self.line.stop.is_set():
                return True
        return now >= self.line.ends

    def _report(self) -> None:
        self.reported = time.time()
        trained = len(self.seeds) * (self.training.learner.steps - self.first)
        rate = trained / max(self.reported - self.began, 1e-9)
        self.line.inbox.put(
            Progress(label(self.item), self.done + trained, len(self.item.seeds) * self.item.n_steps, rate)
        )

    def _save(self) -> None:
        metadata = {"wall_seconds": str(self._wall_seconds)}
        steps = self.training.learner.steps
        for seed, tensors in zip(self.seeds, self.training.saved(len(self.seeds)), strict=True):
            self.states.save(self.item.cell.key, seed, steps, tensors, metadata)
        self.saved = time.time()


def _watch(
    items: Sequence[Work],
    futures: Sequence[Future[bool]],
    inbox: Any,
    n_jobs: int,
    report: Callable[[Sequence[Progress], float], None],
) -> None:
    """Pass on what the processes say until they are done; raises what one of them raised."""
    latest = {label(item): Progress(label(item), 0, len(item.seeds) * item.n_steps, math.nan) for item in items}
    while not all(future.done() for future in futures):
        for future in futures:
            if future.done():
                future.result()
        try:
            said = inbox.get(timeout=REPORT_SECONDS)
        except queue.Empty:
            continue
        latest[said.label] = said
        report(tuple(latest.values()), time_left(tuple(latest.values()), n_jobs))


def label(item: Work) -> str:
    """How a cell is called while it trains."""
    return f"{item.cell.name} on {item.cell.environment}"


def time_left(progress: Sequence[Progress], n_jobs: int) -> float:
    """Seconds until all cells are trained, at the median rate so far; NaN before the first report."""
    rates = [item.steps_per_second for item in progress if item.steps_per_second > 0]
    if not rates:
        return math.nan
    left = sum(item.total - item.done for item in progress)
    return left / statistics.median(rates) / n_jobs
