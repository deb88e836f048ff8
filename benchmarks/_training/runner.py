"""Training what is missing: a process for every cell, cells and seeds side by side, and nothing that dies takes others.

    work = missing_work(figures, "quick", None, library)
    train_all(work, store, states, "cpu", time_limit=None, report=print)

A cell that starts from others begins when their training states are there. States are no results and may be lost: then
the seeds are trained again, to the same numbers.

Every process trains with one thread, always: another number of threads gives other bits. Where fewer cells are left
than there are processes, the seeds of a cell are shared among several of them, each with the same bits as ever. On an
accelerator they stay together: half of them would start as many kernels, and take as long.

Any number of calls may train in one store at once, on as many machines as see its folder: each takes the seeds that no
other has taken.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Literal, NamedTuple

from benchmarks._training import processors
from benchmarks._training.circumstances import fixed_card, one_thread
from benchmarks._training.session import (
    REPORT_SECONDS,
    Failure,
    Outcome,
    Progress,
    Released,
    progress_of,
    traceback_file,
    train_cell,
)
from benchmarks._training.sharing import free_memory, processes
from benchmarks._training.work import Device, Work, with_teachers
from results import States, Store

HALVE_SECONDS = 60.0  # what must be left of a cell for its seeds to be shared out while it trains

Report = Callable[[Sequence[Progress], float], None]


class Trained(NamedTuple):
    """What came of a campaign: whether all of it is there, and what has failed."""

    complete: bool
    failures: tuple[Failure, ...] = ()


def n_cores() -> int:
    """How many cores this process may use, with its container's limit."""
    return processors.usable()


def jobs_on(device: Device, work: Sequence[Work]) -> int:
    """How many cells train side by side where nobody says: one a core, on an accelerator as many as also fit."""
    return n_cores() if device == "cpu" else processes(work, n_cores(), free_memory())


def train_all(
    work: Sequence[Work],
    store: Store,
    states: States,
    device: Device,
    *,
    n_jobs: int | None = None,
    time_limit: float | None = None,
    set_aside: bool = False,
    report: Report,
) -> Trained:
    """Train what is missing, as far as it can be trained and the time allows.

    What a cell starts from is trained before it, also where it is not among the work and only its state is missing.
    What fails ends itself alone, and what starts from it; all else goes on. Whatever stops this (the time limit, an
    interrupt, SIGTERM to it or to all its processes, a kill) loses at most the last few minutes: the same call goes on
    from the last checkpoint. `set_aside` lets seeds begin anew whose training states cannot be used.

    `report(progress of every cell, seconds left)` is called every two seconds. Without `n_jobs` there is a process a
    core, on an accelerator as many as also fit into its memory.

    Raises: StoreError before anything is trained, where the store cannot be written.
    """
    store.writable()
    states.writable()
    if not work:
        return Trained(complete=True)
    items = [item._replace(cell=item.cell.on(device)) for item in with_teachers(work, states, device)]
    ends = math.inf if time_limit is None else time.monotonic() + time_limit
    n_jobs = n_jobs or jobs_on(device, items)
    return _Campaign(items, _Trainer(store, states, ends, set_aside), n_jobs, splits=device == "cpu").run(report)


# ---- one training process --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Trainer:
    """Starts the processes that train."""

    store: Store
    states: States
    ends: float
    set_aside: bool

    def held(self, item: Work) -> tuple[int, ...]:
        """The seeds that another process trains now."""
        found = []
        for seed in item.all_seeds:
            lock = self.states.try_lock(item.cell.key, seed)
            if lock is None:
                found.append(seed)
            else:
                lock.release()
        return tuple(found)

    def begin(self, item: Work) -> _Running:
        """A process that trains some seeds of a cell."""
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_process, args=(there, self, item, item.cell.key), name=item.label)
        process.start()
        there.close()
        return _Running(item, process, here)


def _process(connection: Connection, trainer: _Trainer, item: Work, key: str) -> None:
    """All that a training process does."""
    settle()
    if item.cell.device == "cuda":
        fixed_card()
    try:
        if replace(item.cell).key != key:
            raise ValueError(f"{key} has other settings in this process: the code was changed while this command ran")
        outcome = train_cell(
            item, trainer.store, trainer.states, _Line(connection, trainer.ends), set_aside=trainer.set_aside
        )
    except Exception as error:
        kept, sentence = traceback_file(trainer.store.folder, error), f"{type(error).__name__}: {error}"
        outcome = Outcome(failures=(Failure(item.label, key, item.all_seeds, sentence, kept),))
    _tell(connection, outcome)


def _tell(connection: Connection, said: Progress | Released | Outcome) -> None:
    """Tells the parent; where that is dead, this process ends as well, without a word."""
    try:
        connection.send(said)
    except OSError:
        os._exit(1)


def settle() -> None:
    """A fresh process: one thread, no say in interrupts, which are the parent's, and no life after it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    one_thread()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the death of the process that started this one, which nobody else would tell it of."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@dataclass(frozen=True)
class _Line:
    """The end of the line in a training process. Each has a line of its own: a kill can only cut that one."""

    connection: Connection
    ends: float

    def say(self, said: Progress | Released) -> None:
        """Tells the parent."""
        _tell(self.connection, said)

    def asked(self) -> Literal["", "stop", "halve"]:
        """The last thing that the parent has asked for."""
        last: Literal["", "stop", "halve"] = ""
        while self.connection.poll():
            last = self.connection.recv()
        return last


@dataclass
class _Running:
    """A training process, seen from the one that started it."""

    item: Work
    process: BaseProcess
    connection: Connection
    latest: Progress | None = None
    outcome: Outcome | None = None
    halving: bool = False

    def heard(self) -> Iterator[Progress | Released | Outcome]:
        """All that it has said."""
        with suppress(EOFError, OSError):
            while self.connection.poll():
                yield self.connection.recv()

    def ask(self, what: Literal["stop", "halve"]) -> None:
        """Asks for something; who is dead does not hear it."""
        with suppress(OSError):
            self.connection.send(what)

    @property
    def seconds_left(self) -> float:
        """By its own speed; NaN before that is known."""
        if self.latest is None or not self.latest.steps_per_second > 0:
            return math.nan
        return (self.latest.total - self.latest.done) / self.latest.steps_per_second


# ---- many of them ----------------------------------------------------------------------------------------------------


@dataclass
class _Campaign:
    """Cells in training: which wait, which run, what has come of them."""

    items: Sequence[Work]
    trainer: Any  # _Trainer
    n_jobs: int
    waiting: list[Work] = field(default_factory=list)  # in the order in which they begin
    running: list[_Running] = field(default_factory=list)
    open: dict[str, set[int]] = field(default_factory=dict)  # seeds that are not whole, by the cell's key
    due: dict[Work, float] = field(default_factory=dict)  # when to try again what another process trains
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)  # by the cell's key
    splits: bool = True  # whether free processes take seeds of cells that others have begun

    def __post_init__(self) -> None:
        self.waiting = [item for item in self.items if item.all_seeds]
        self.open = {item.cell.key: set(item.all_seeds) for item in self.items}

    def run(self, report: Report) -> Trained:
        """Until nothing is left, or the time is up."""
        with _terminated_as_interrupted():
            try:
                while self._step():
                    progress = self.progress()
                    report(progress, time_left(progress, self.n_jobs))
            except BaseException:
                self._stop()
                raise
        return Trained(not any(self.open.values()), (*self.failures, *self._blocked()))

    def _blocked(self) -> list[Failure]:
        """What did not begin because something that it starts from has failed, or did not begin itself."""
        failed = {failure.key for failure in self.failures}
        found = []
        for item in self.items:  # teachers before what starts from them
            reasons = [of.key for of, _ in item.cell.teachers if of.key in failed]
            if reasons and item in self.waiting:
                failed.add(item.cell.key)
                found.append(Failure(item.label, item.cell.key, item.all_seeds, f"not begun, for want of {reasons[0]}"))
        return found

    def progress(self) -> tuple[Progress, ...]:
        """Of every cell, the processes that share it added up."""
        found = []
        for item in self.items:
            key = item.cell.key
            mine = [one for one in self.running if one.item.cell.key == key]
            said = [one.latest for one in mine if one.latest is not None]
            failed = {seed for failure in self.failures if failure.key == key for seed in failure.seeds}
            ended = len(item.all_seeds) - len(self.open[key] - failed)
            done = ended * item.n_steps + sum(one.done for one in said)
            rate = sum(one.steps_per_second for one in said if one.steps_per_second > 0) or math.nan
            note = next((one.note for one in said if one.note), "" if mine else self.notes.get(key, ""))
            found.append(progress_of(item, min(done, item.total), rate, note))
        return tuple(found)

    def _step(self) -> bool:
        """Begins what can begin, hears what is said; False once nothing runs and nothing can begin."""
        self._begin()
        if not self.running and not self._startable():
            return False
        ends = [one.process.sentinel for one in self.running]
        wait([*(one.connection for one in self.running), *ends], timeout=REPORT_SECONDS)
        for one in list(self.running):
            self._hear(one)
        return True

    def _startable(self) -> list[Work]:
        """What waits for no other cell, in order, what another process trains last; nothing once the time is up."""
        if time.monotonic() >= self.trainer.ends:
            return []
        free = [item for item in self.waiting if not any(self.open.get(of.key) for of, _ in item.cell.teachers)]
        return sorted(free, key=lambda item: self.due.get(item, -math.inf))

    def _begin(self) -> None:
        """Fills the free processes; where there are more of them than cells, seeds are shared out."""
        n_free = self.n_jobs - len(self.running)
        ready = self._ready() if n_free else []
        pieces = shared_out(ready, n_free) if self.splits else list(ready[:n_free])
        for item in ready[:n_free]:
            self.waiting.remove(item)
        self.running += [self.trainer.begin(piece) for piece in pieces]
        if self.splits and len(pieces) < n_free and not ready:
            self._halve()

    def _ready(self) -> list[Work]:
        """What can begin now; for seeds that another process trains none is started that would only find that out."""
        now = time.monotonic()
        found = []
        for item in [one for one in self._startable() if self.due.get(one, -math.inf) <= now]:
            held = self.trainer.held(item)
            free = item.only(set(item.all_seeds) - set(held))
            at = self.waiting.index(item)
            self.waiting[at : at + 1] = [free] if free.all_seeds else []
            found += [free] if free.all_seeds else []
            if held:
                self._put_off(item.only(held))
        return found

    def _put_off(self, item: Work) -> None:
        """Lets seeds wait that another process trains."""
        self.waiting.append(item)
        self.due[item] = time.monotonic() + REPORT_SECONDS
        self.notes[item.cell.key] = "another process trains it"

    def _halve(self) -> None:
        """Asks the process that has longest to go to give up half of its seeds."""
        long = [one for one in self.running if one.seconds_left > HALVE_SECONDS and len(one.item.all_seeds) > 1]
        if long and not any(one.halving for one in self.running):
            chosen = max(long, key=lambda one: one.seconds_left)
            chosen.halving = True
            chosen.ask("halve")

    def _hear(self, one: _Running) -> None:
        """Takes in what a process has said, and its end."""
        ended = not one.process.is_alive()  # before listening: what it said last must not be missed
        for said in one.heard():
            match said:
                case Progress():
                    one.latest = said
                case Released(seeds):
                    self.waiting.insert(0, one.item.only(seeds))
                    one.item = one.item.only(set(one.item.all_seeds) - set(seeds))
                    one.halving = False
                case Outcome():
                    one.outcome = said
        if ended:
            one.process.join()
            one.connection.close()
            self.running.remove(one)
            self._take(one)

    def _take(self, one: _Running) -> None:
        """What came of the seeds of a process that has ended."""
        key = one.item.cell.key
        outcome = one.outcome
        if outcome is None:
            self.failures.append(Failure(one.item.label, key, one.item.all_seeds, _death(one.process.exitcode)))
            return
        self.open[key] -= set(outcome.whole)
        self.failures += outcome.failures
        if outcome.elsewhere:
            self._put_off(one.item.only(outcome.elsewhere))

    def _stop(self) -> None:
        """Has every process stop at a checkpoint, and waits for it; a second interrupt ends them at once."""
        try:
            for one in self.running:
                one.ask("stop")
            for one in self.running:
                while one.process.is_alive():
                    for _ in one.heard():
                        pass
                    one.process.join(0.1)
        except BaseException:
            for one in self.running:
                one.process.kill()
            raise


def shared_out(ready: Sequence[Work], n_free: int) -> list[Work]:
    """The first pieces of work for so many processes, the largest halved until there are enough, where seeds allow."""
    pieces = list(ready[:n_free])
    while 0 < len(pieces) < n_free:
        largest = max(pieces, key=lambda item: len(item.all_seeds))
        if len(largest.all_seeds) < 2:
            break
        at = pieces.index(largest)
        pieces[at : at + 1] = largest.halves()
    return pieces


def _death(status: int | None) -> str:
    """How a process ended that could not say why."""
    if status is not None and status < 0:
        how = f"was killed by {signal.Signals(-status).name}, by somebody or for want of memory"
    else:
        how = f"ended with status {status} before it could say why"
    return f"its process {how}: the same command goes on from the last checkpoint, and fewer --jobs need less memory"


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM stops training like an interrupt does; only a main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


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
