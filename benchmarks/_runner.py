"""Which seeds are missing, and training them: seeds in one batch, cells side by side, stoppable, resumable.

    work = missing_work(figures, "quick", None, library)
    train_all(work, store, states, "cpu", time_limit=None, report=print)

A cell that starts from others begins when their training states are there. States are no results and may be lost: then
the seeds are trained again, to the same numbers.

Every process trains one cell with one thread, as long as there are cells enough: two processes with a thread each do
half as much again as one with two threads, because most tensors are too small to be shared between threads.

Any number of calls may train in one store at once, on as many machines as see its folder: each takes the cells that no
other has taken.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, NamedTuple

import torch

from benchmarks import Budget, Cell, Figure
from benchmarks._training import Training, keep_freed_memory, provenance, runs, train
from results import Run, State, States, Store, StoreError, Stores

CHECKPOINT_SECONDS = 300.0
REPORT_SECONDS = 2.0

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


class Progress(NamedTuple):
    """How far a cell is, in steps of all its seeds together, and how fast."""

    label: str
    done: int
    total: int
    steps_per_second: float
    note: str = ""
    algorithm: str = ""  # whose steps are alike in time


@dataclass(frozen=True)
class Library:
    """Where runs are looked for, on whatever class of device they were made."""

    stores: Stores

    def load(self, cell: Cell, seed: int, n_steps: int) -> Run | None:
        """The run of a seed up to the test that is due at `n_steps`, or the longest that there is, or None."""
        found = [run for variant in variants(cell) if (run := self.stores.load(variant, seed, n_steps)) is not None]
        longest = max(found, key=lambda run: run.n_steps, default=None)
        return None if longest is None else longest.upto(last_test(longest, n_steps))

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


def last_test(run: Run, n_steps: int) -> float:
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


def with_teachers(work: Iterable[Work], states: States, device: Device) -> list[Work]:
    """The work, and before it what must be trained, or trained again, so that its cells can start from it on a device.

    Raises: ValueError where a cell is to be trained further than where another starts from it.
    """
    found: dict[str, Work] = {}
    for item in (piece for last in work for piece in (*_origins(last, states, device), last)):
        known = found.get(item.cell.key, item)
        if known.n_steps != item.n_steps:
            raise ValueError(
                f"{label(item)} must end where others start from it, got {known.n_steps} and {item.n_steps} steps"
            )
        seeds, taken = (tuple(sorted({*a, *b})) for a, b in ((known.seeds, item.seeds), (known.taken, item.taken)))
        found[item.cell.key] = Work(item.cell, seeds, item.n_steps, taken)
    return list(found.values())


def _origins(item: Work, states: States, device: Device) -> Iterator[Work]:
    """The teachers whose training states are not there for seeds that must begin; their own teachers before them."""
    key = item.cell.on(device).key
    begin = [seed for seed in item.all_seeds if not _may_go_on(states.steps(key, seed), item, seed)]
    for teacher, steps in item.cell.teachers:
        there = teacher.on(device).key
        seeds = tuple(seed for seed in begin if states.steps(there, seed) != steps)
        if seeds:
            again = Work(teacher, (), steps, seeds)
            yield from _origins(again, states, device)
            yield again


def _may_go_on(steps: int | None, item: Work, seed: int) -> bool:
    """Whether a seed goes on from its training state: it has one, and not beyond where others start from it."""
    return steps is not None and (seed not in item.taken or steps <= item.n_steps)


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


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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

    What a cell starts from is trained before it, also where it is not among the work and only its state is missing.

    `report(progress of every cell, seconds left)` is called every two seconds. Whatever stops this (the time limit, an
    interrupt, a kill) loses at most the last few minutes: the same call goes on from the last checkpoint.

    Raises: StoreError before anything is trained, where the store cannot be written; ChildProcessError where a training
    process was killed; what training itself raised.
    """
    store.writable()
    states.writable()
    if not work:
        return True
    items = [item._replace(cell=item.cell.on(device)) for item in with_teachers(work, states, device)]
    n_jobs = min(len(items), n_jobs or (1 if device == "cuda" else n_cores()))
    ends = math.inf if time_limit is None else time.time() + time_limit
    context = multiprocessing.get_context("spawn")
    line = Line(context.Queue(), context.Event(), ends)
    setup = (line, max(1, n_cores() // n_jobs))
    with ProcessPoolExecutor(n_jobs, context, initializer=_prepare, initargs=setup) as pool:
        futures: Futures = {}
        try:
            for latest in _watch(
                items, futures, lambda item: pool.submit(train_cell, item, store, states), line.inbox, n_jobs
            ):
                report(latest, time_left(latest, n_jobs))
            finished = [future.result() for future in futures.values()]  # every one, for any may raise
            return len(futures) == len(items) and all(finished)
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a training process was killed, by somebody or for want of memory: "
                "the same command goes on from the last checkpoint, and fewer jobs need less memory"
            ) from error
        except BaseException:
            line.stop.set()
            for future in futures.values():
                future.cancel()
            raise


class Line(NamedTuple):
    """What connects a training process with the one that started it."""

    inbox: Any  # of Progress
    stop: Any  # set where training shall stop at a checkpoint
    ends: float  # when the time is up, in seconds since the epoch


_line: Line | None = None  # of this process, where it is one that trains


def _prepare(line: Line, n_threads: int) -> None:
    """A fresh process that trains for `train_all`."""
    global _line  # noqa: PLW0603  (queues reach a process of a pool at its birth only)
    _line = line
    settle(n_threads)


def settle(n_threads: int) -> None:
    """A fresh process: its threads, its memory, no say in interrupts, which are the parent's, and no life after it."""
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


def train_cell(item: Work, store: Store, states: States) -> bool | None:
    """Train the missing seeds of one cell; True where they are there in the end, None where another process trains it.

    Seeds that stand at the same step train together, in one batched program. Where others start from a seed, its
    training state is there in the end as well. Runs in a process of its own.
    """
    assert _line is not None
    if _line.stop.is_set() or time.time() >= _line.ends:
        return False
    lock = states.try_lock(item.cell.key)
    if lock is None:
        _line.inbox.put(_progress(item, 0, note="another process trains it"))
        return None
    with lock:
        seeds = _left(item, store, states)
        found = {seed: _begun(item, seed, states) for seed in seeds}
        at = {seed: -1 if state is None else state.steps for seed, state in found.items()}  # -1: not yet begun
        left = {seed: item.n_steps - min(max(0, steps), item.n_steps) for seed, steps in at.items()}
        done = item.total - sum(left.values())
        if not seeds:
            _line.inbox.put(_progress(item, done))  # no longer as it was while another process trained it
        for _, group in groupby(sorted(seeds, key=at.__getitem__), key=at.__getitem__):
            together = tuple(group)
            begun = [state for seed in together if (state := found[seed]) is not None]
            session = _Session(_line, item, together, store=store, states=states, begun=begun, done=done)
            if not session.run():
                return False
            done += sum(left[seed] for seed in together)
    return True


def _left(item: Work, store: Store, states: States) -> tuple[int, ...]:
    """The seeds that another process has not trained meanwhile."""
    missing = set(store.missing(item.cell, item.all_seeds, item.n_steps))
    missing |= {seed for seed in item.taken if states.steps(item.cell.key, seed) != item.n_steps}
    return tuple(sorted(missing))


def _begun(item: Work, seed: int, states: States) -> State | None:
    """Where a seed goes on, or None where it begins."""
    state = states.latest(item.cell.key, seed)
    return state if _may_go_on(None if state is None else state.steps, item, seed) else None


def _as_it_stood(teacher: Cell, steps: int, seeds: Sequence[int], store: Store, states: States) -> Training:
    """The training of a cell as it stood after so many steps, for another to start from.

    Raises: StoreError where its training states are not there, or belong to other numbers than the stored runs.
    """
    found = [state for seed in seeds if (state := states.latest(teacher.key, seed)) is not None]
    if [state.steps for state in found] != [steps] * len(seeds):
        raise StoreError(
            f"seeds {list(seeds)} of {teacher.key} must have training states at {steps} steps to start from, "
            f"got them at {[state.steps for state in found]}: the same command trains them again"
        )
    training = Training.resumed(teacher, seeds, found)
    for run in runs(teacher, seeds, training, {}):
        stored = store.load(teacher, run.seed)
        if stored is not None and stored.n_steps >= run.n_steps:
            store.save(teacher, run)  # changes nothing, but refuses other numbers
    return training


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
        began = time.time()
        self.training = Training.resumed(item.cell, seeds, begun) if begun else self._beginning()
        self.first = self.training.learner.steps
        self.earlier = max((float(state.metadata["wall_seconds"]) for state in begun), default=0.0)
        self.began = self.saved = self.reported = time.time()
        self.earlier += self.began - began
        if item.cell.start is not None and not begun:
            self._save()  # a transfer may take long

    def _beginning(self) -> Training:
        cell, start = self.item.cell, self.item.cell.start
        if start is None:
            return Training.of(cell, self.seeds)
        self.line.inbox.put(_progress(self.item, self.done, note="transfer"))
        teachers = [_as_it_stood(*teacher, self.seeds, self.store, self.states) for teacher in start.teachers]
        return Training.started(cell, start, self.seeds, teachers)

    def run(self) -> bool:
        """Train to the end; False where it was stopped before."""
        train(self.item.cell, self.seeds, self.training, self.item.n_steps, self._pause)
        self._save()
        steps = self.training.learner.steps
        if steps < self.item.n_steps:
            return False
        if steps > self.item.n_steps and not set(self.seeds).isdisjoint(self.item.taken):
            raise ValueError(
                f"{label(self.item)} must end an iteration at {self.item.n_steps} steps, where others start from it, "
                f"got one that ends at {steps}"
            )
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
        done = min(self.done + trained, self.item.total)  # the last iteration may end later
        self.line.inbox.put(_progress(self.item, done, rate))

    def _save(self) -> None:
        metadata = {"wall_seconds": str(self._wall_seconds)}
        steps = self.training.learner.steps
        for seed, tensors in zip(self.seeds, self.training.saved(len(self.seeds)), strict=True):
            self.states.save(self.item.cell.key, seed, steps, tensors, metadata)
        self.saved = time.time()


Futures = dict[str, Future[bool | None]]
"""Of every cell that has been handed to a process, by its key; what another process trains is taken out again."""


def _watch(
    items: Sequence[Work],
    futures: Futures,
    begin: Callable[[Work], Future[bool | None]],
    inbox: Any,
    n_jobs: int,
) -> Iterator[tuple[Progress, ...]]:
    """Begin what is ready, in order, and pass on what the processes say until nothing is left.

    No more begins than there are processes, or what is ready later would wait behind all that comes after it. What
    another process trains is tried again, after all that has not been tried.

    Raises: what one of the processes raised.
    """
    latest = {label(item): _progress(item, 0) for item in items}
    elsewhere: dict[str, float] = {}  # when to try a cell again, by its key
    while True:
        for key in [key for key, future in futures.items() if future.done() and future.result() is None]:
            del futures[key]
            elsewhere[key] = time.monotonic() + REPORT_SECONDS
        n_running = sum(not future.done() for future in futures.values())
        ready = sorted(_ready(items, futures), key=lambda item: elsewhere.get(item.cell.key, -math.inf))
        if not n_running and not ready:
            return
        due = [item for item in ready if elsewhere.get(item.cell.key, -math.inf) <= time.monotonic()]
        futures.update({item.cell.key: begin(item) for item in due[: n_jobs - n_running]})
        try:
            said = inbox.get(timeout=REPORT_SECONDS)
        except queue.Empty:
            continue
        latest[said.label] = said
        yield tuple(latest.values())


def _ready(items: Sequence[Work], futures: Futures) -> list[Work]:
    """What has not begun and waits for no other; raises what one of them raised."""
    whole = {key for key, future in futures.items() if future.done() and future.result()}
    open_keys = {item.cell.key for item in items} - whole
    return [
        item
        for item in items
        if item.cell.key not in futures and not open_keys & {teacher.key for teacher, _ in item.cell.teachers}
    ]


def label(item: Work) -> str:
    """How a cell is called while it trains."""
    return f"{item.cell.name} on {item.cell.environment}"


def _progress(item: Work, done: int, steps_per_second: float = math.nan, note: str = "") -> Progress:
    return Progress(label(item), done, item.total, steps_per_second, note, type(item.cell.algorithm).__name__)


def time_left(progress: Sequence[Progress], n_jobs: int) -> float:
    """Seconds until all cells are trained; NaN before the first report.

    A cell that has not begun is as fast as the median of those of its algorithm, or of all where none of them has.
    """
    known = [item for item in progress if item.steps_per_second > 0]
    if not known:
        return math.nan
    left = 0.0
    for item in progress:
        alike = [other for other in known if other.algorithm == item.algorithm]
        rates = [other.steps_per_second for other in ([item] if item in known else alike or known)]
        left += (item.total - item.done) / statistics.median(rates)
    return left / n_jobs
