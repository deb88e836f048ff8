"""Training what is missing: a worker for every cell, cells and seeds side by side, and nothing that dies takes others.

    work = missing_work(figures, "quick", None, library)
    train_all(work, store, states, "cpu", time_limit=None, report=print)

A cell that starts from others begins when their training states are there. States are no results and may be lost: then
the seeds are trained again, to the same numbers.

Every worker trains with one thread, always: another number of threads gives other bits. Where fewer cells are left
than there are workers, the seeds of a cell are shared among several of them, each with the same bits as ever. On an
accelerator they stay together: half of them would start as many kernels, and take as long. Who the workers are is the
engine's: processes of this machine, or of a cluster.

Any number of calls may train in one store at once, on as many machines as see its folder: each takes the seeds that no
other has taken.
"""

from __future__ import annotations

import math
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import NamedTuple

from benchmarks._training.engines import Engine, Opened, Task, Worker, processes
from benchmarks._training.session import REPORT_SECONDS, Failure, Outcome, Progress, Released, progress_of
from benchmarks._training.work import Device, Work, with_teachers
from results import States, Store

HALVE_SECONDS = 60.0  # what must be left of a cell for its seeds to be shared out while it trains

Report = Callable[[Sequence[Progress], float], None]


class Trained(NamedTuple):
    """What came of a campaign: whether all of it is there, and what has failed."""

    complete: bool
    failures: tuple[Failure, ...] = ()


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
    engine: Opened = processes,
) -> Trained:
    """Train what is missing, as far as it can be trained and the time allows.

    What a cell starts from is trained before it, also where it is not among the work and only its state is missing.
    What fails ends itself alone, and what starts from it; all else goes on. Whatever stops this (the time limit, an
    interrupt, SIGTERM to it or to all its processes, a kill) loses at most the last few minutes: the same call goes on
    from the last checkpoint. `set_aside` lets seeds begin anew whose training states cannot be used.

    `report(progress of every cell, seconds left)` is called every two seconds. Without `n_jobs` there is a worker a
    core, on an accelerator as many as also fit into its memory.

    Raises: StoreError before anything is trained, where the store cannot be written; ValueError where the engine
    cannot train.
    """
    store.writable()
    states.writable()
    if not work:
        return Trained(complete=True)
    items = [item._replace(cell=item.cell.on(device)) for item in with_teachers(work, states, device)]
    ends = math.inf if time_limit is None else time.monotonic() + time_limit
    with engine(Task(items, store, states, device, n_jobs, ends, set_aside)) as opened:
        return _Campaign(items, opened, ends).run(report)


@dataclass
class _Running:
    """Seeds of a cell in training."""

    item: Work
    worker: Worker
    latest: Progress | None = None
    outcome: Outcome | None = None
    halving: bool = False

    @property
    def seconds_left(self) -> float:
        """By its own speed; NaN before that is known."""
        if self.latest is None or not self.latest.steps_per_second > 0:
            return math.nan
        return (self.latest.total - self.latest.done) / self.latest.steps_per_second


@dataclass
class _Campaign:
    """Cells in training: which wait, which run, what has come of them."""

    items: Sequence[Work]
    engine: Engine
    ends: float  # when time is up, by `time.monotonic`
    waiting: list[Work] = field(default_factory=list)  # in the order in which they begin
    running: list[_Running] = field(default_factory=list)
    open: dict[str, set[int]] = field(default_factory=dict)  # seeds that are not whole, by the cell's key
    due: dict[Work, float] = field(default_factory=dict)  # when to try again what another process trains
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)  # by the cell's key

    def __post_init__(self) -> None:
        self.waiting = [item for item in self.items if item.all_seeds]
        self.open = {item.cell.key: set(item.all_seeds) for item in self.items}

    def run(self, report: Report) -> Trained:
        """Until nothing is left, or the time is up."""
        with _terminated_as_interrupted():
            try:
                while self._step():
                    progress = self.progress()
                    report(progress, time_left(progress, self.engine.n_jobs))
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
        """Of every cell, the workers that share it added up."""
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
        self.engine.wait([one.worker for one in self.running], REPORT_SECONDS)
        for one in list(self.running):
            self._hear(one)
        return True

    def _startable(self) -> list[Work]:
        """What waits for no other cell, in order, what another process trains last; nothing once the time is up."""
        if time.monotonic() >= self.ends:
            return []
        free = [item for item in self.waiting if not any(self.open.get(of.key) for of, _ in item.cell.teachers)]
        return sorted(free, key=lambda item: self.due.get(item, -math.inf))

    def _begin(self) -> None:
        """Fills the free workers; where there are more of them than cells, seeds are shared out."""
        n_free = max(0, self.engine.n_jobs - len(self.running))
        ready = self._ready() if n_free else []
        pieces = shared_out(ready, n_free) if self.engine.splits else list(ready[:n_free])
        for item in ready[:n_free]:
            self.waiting.remove(item)
        self.running += [_Running(piece, self.engine.begin(piece)) for piece in pieces]
        if self.engine.splits and len(pieces) < n_free and not ready:
            self._halve()

    def _ready(self) -> list[Work]:
        """What can begin now; for seeds that somebody else trains none is begun that would only find that out."""
        now = time.monotonic()
        found = []
        for item in [one for one in self._startable() if self.due.get(one, -math.inf) <= now]:
            held = self.engine.held(item)
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
        """Asks the worker that has longest to go to give up half of its seeds."""
        long = [one for one in self.running if one.seconds_left > HALVE_SECONDS and len(one.item.all_seeds) > 1]
        if long and not any(one.halving for one in self.running):
            chosen = max(long, key=lambda one: one.seconds_left)
            chosen.halving = True
            chosen.worker.ask("halve")

    def _hear(self, one: _Running) -> None:
        """Takes in what a worker has said, and its end."""
        ended = one.worker.ended  # before listening: what it said last must not be missed
        for said in one.worker.heard():
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
            self.running.remove(one)
            self._take(one, one.worker.close())

    def _take(self, one: _Running, death: str) -> None:
        """What came of the seeds of a worker that has ended."""
        key = one.item.cell.key
        outcome = one.outcome
        if outcome is None:
            self.failures.append(Failure(one.item.label, key, one.item.all_seeds, death))
            return
        self.open[key] -= set(outcome.whole)
        self.failures += outcome.failures
        if outcome.elsewhere:
            self._put_off(one.item.only(outcome.elsewhere))

    def _stop(self) -> None:
        """Has every worker stop at a checkpoint, and waits for it; a second interrupt ends them at once."""
        workers = [one.worker for one in self.running]
        try:
            for worker in workers:
                worker.ask("stop")
            while left := [worker for worker in workers if not worker.ended]:
                self.engine.wait(left, REPORT_SECONDS)
                for worker in left:
                    for _ in worker.heard():
                        pass
            for worker in workers:
                worker.close()
        except BaseException:
            for worker in workers:
                worker.kill()
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


def interrupted(number: int, frame: FrameType | None) -> None:
    """Handles a signal: what is done is stopped, and whoever asks knows by which.

    Raises: KeyboardInterrupt with the signal's name, always.
    """
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM stops training like an interrupt does; only a main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = signal.signal(signal.SIGTERM, interrupted)
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
