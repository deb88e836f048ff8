"""Where cells train: in processes of this machine, or on a Ray cluster. What waits and what has failed is the runner's.

    train_all(work, store, states, "cpu", report=print, engine=engine("ray", "auto"))

An engine says how many workers it has room for, begins one that trains some seeds of a cell, and waits until one of
them has said something. A worker trains with one thread, always.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Literal, NamedTuple, Protocol

import torch

from benchmarks._training import processors
from benchmarks._training.circumstances import fixed_card
from benchmarks._training.session import Failure, Outcome, Progress, Released, traceback_file, train_cell
from benchmarks._training.sharing import free_memory
from benchmarks._training.sharing import processes as sharing
from benchmarks._training.starting import context, settle
from benchmarks._training.work import Device, Work
from results import States, Store

ENGINES = ("processes", "ray")
GOES_ON = "the same command goes on from the last checkpoint"

Said = Progress | Released | Outcome
Request = Literal["", "stop", "halve"]


class Worker(Protocol):
    """Somebody who trains some seeds of a cell, seen from the one who has asked for it."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will be said than what is there to be heard."""

    def heard(self) -> Iterator[Said]:
        """All that was said since."""

    def ask(self, what: Literal["stop", "halve"]) -> None:
        """Asks for something; who is dead does not hear it."""

    def close(self) -> str:
        """Lets go of one that has ended; how it died, should it not have said what came of it."""

    def kill(self) -> None:
        """Ends it at once."""


class Engine(Protocol):
    """Whoever trains, as many cells side by side as there is room for."""

    @property
    def n_jobs(self) -> int:
        """How many workers there is room for now, at least one."""

    @property
    def splits(self) -> bool:
        """Whether free workers take seeds of cells that others have begun."""

    def held(self, item: Work) -> tuple[int, ...]:
        """The seeds that somebody else trains now."""

    def begin(self, item: Work) -> Worker:
        """Somebody who trains some seeds of a cell."""

    def wait(self, workers: Sequence[Worker], seconds: float) -> None:
        """Until one of them has said something or ended, but no longer than that."""


class Task(NamedTuple):
    """What an engine is to train, and where that is kept."""

    items: Sequence[Work]
    store: Store
    states: States
    device: Device
    n_jobs: int | None  # how many workers at most, where somebody says
    ends: float  # when time is up, by `time.monotonic`
    set_aside: bool  # whether seeds begin anew whose training states cannot be used


Opened = Callable[[Task], AbstractContextManager[Engine]]


def engine(name: str, address: str | None = None) -> Opened:
    """An engine by its name; `address` is that of a Ray cluster, without which one of this machine is made.

    Raises: ValueError where there is none of that name, or what it needs is not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"engine must be {' or '.join(ENGINES)}, got {name!r}")
    if name == "processes":
        if address is not None:
            raise ValueError(f"an address is a Ray cluster's and needs engine ray, got {address!r} with {name}")
        return processes
    if find_spec("ray") is None:
        raise ValueError("engine ray needs ray, install it with pip install 'ray>=2.56', found none")
    from benchmarks._training import ray_engine  # noqa: PLC0415 - not every machine has Ray, and it takes seconds

    return ray_engine.cluster(address)


def n_cores() -> int:
    """How many cores this process may use, with its container's limit."""
    return processors.usable()


def jobs_on(device: Device, work: Sequence[Work]) -> int:
    """How many cells train side by side where nobody says: one a core, on an accelerator as many as also fit."""
    if device == "cpu" or not torch.cuda.is_available():
        return n_cores()
    return sharing(work, n_cores(), free_memory())


def held(states: States, item: Work) -> tuple[int, ...]:
    """The seeds of a piece of work that somebody trains now."""
    found = []
    for seed in item.all_seeds:
        lock = states.try_lock(item.cell.key, seed)
        if lock is None:
            found.append(seed)
        else:
            lock.release()
    return tuple(found)


# ---- this machine's processes ----------------------------------------------------------------------------------------


@contextmanager
def processes(task: Task) -> Iterator[Engine]:
    """This machine's processes."""
    yield Processes(task, task.n_jobs or jobs_on(task.device, task.items), splits=task.device == "cpu")


@dataclass(frozen=True)
class Processes:
    """A process for every cell: nothing that dies takes others."""

    task: Task
    n_jobs: int
    splits: bool

    def held(self, item: Work) -> tuple[int, ...]:
        """The seeds that another process trains now."""
        return held(self.task.states, item)

    def begin(self, item: Work) -> Process:
        """A process that trains some seeds of a cell."""
        starts = context(item.cell.device)
        here, there = starts.Pipe()
        arguments = (there, self.task._replace(items=()), item, item.cell.key, dict(os.environ))
        process = starts.Process(target=trained, args=arguments, name=item.label)
        process.start()
        there.close()
        return Process(process, here)

    def wait(self, workers: Sequence[Worker], seconds: float) -> None:
        """Until one of them has said something or ended, but no longer than that."""
        mine = [worker for worker in workers if isinstance(worker, Process)]
        wait([*(one.connection for one in mine), *(one.process.sentinel for one in mine)], timeout=seconds)


@dataclass(frozen=True)
class Process:
    """A training process, seen from the one that started it."""

    process: BaseProcess
    connection: Connection

    @property
    def ended(self) -> bool:
        """Whether it has died."""
        return not self.process.is_alive()

    def heard(self) -> Iterator[Said]:
        """All that it has said."""
        with suppress(EOFError, OSError):
            while self.connection.poll():
                yield self.connection.recv()

    def ask(self, what: Literal["stop", "halve"]) -> None:
        """Asks for something; who is dead does not hear it."""
        with suppress(OSError):
            self.connection.send(what)

    def close(self) -> str:
        """How it died."""
        self.process.join()
        self.connection.close()
        status = self.process.exitcode
        how = f"ended with status {status} before it could say why"
        if status is not None and status < 0:
            how = f"was killed by {signal.Signals(-status).name}, by somebody or for want of memory"
        return f"its process {how}: {GOES_ON}, and fewer --jobs need less memory"

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()


def trained(connection: Connection, task: Task, item: Work, key: str, environment: Mapping[str, str]) -> None:
    """All that a training process does."""
    settle(environment)
    if item.cell.device == "cuda":
        fixed_card()
    try:
        same_code(item, key)
        line = Line(connection, task.ends)
        outcome = train_cell(item, task.store, task.states, line, set_aside=task.set_aside)
    except Exception as error:
        kept, sentence = traceback_file(task.store.folder, error), f"{type(error).__name__}: {error}"
        outcome = Outcome(failures=(Failure(item.label, key, item.all_seeds, sentence, kept),))
    _tell(connection, outcome)


def same_code(item: Work, key: str) -> None:
    """Nothing, where a cell means the same here as where it comes from.

    Raises: ValueError where its key is another.
    """
    if replace(item.cell).key != key:
        raise ValueError(f"{key} has other settings in this process: the code was changed while this command ran")


def _tell(connection: Connection, said: Said) -> None:
    """Tells the parent; where that is dead, this process ends as well, without a word."""
    try:
        connection.send(said)
    except OSError:
        os._exit(1)


@dataclass(frozen=True)
class Line:
    """The end of the line in a training process. Each has a line of its own: a kill can only cut that one."""

    connection: Connection
    ends: float = math.inf

    def say(self, said: Progress | Released) -> None:
        """Tells the parent."""
        _tell(self.connection, said)

    def asked(self) -> Request:
        """The last thing that the parent has asked for."""
        last: Request = ""
        while self.connection.poll():
            last = self.connection.recv()
        return last
