"""Training away from the store: what seeds of a cell need goes along, and what comes of them comes back.

    luggage, home = packed(item, task)          # where the store is
    train_away(pickle.dumps(luggage), post)     # elsewhere, in a folder that is gone afterwards
    last, letters = post.taken(last, seconds)
    said = home.take_in(letter)                 # where the store is

The two need no folder in common. Every state and run is checked where it is read and sealed where it is written, by the
same classes as ever, and while seeds are trained elsewhere their locks are held where the store is.
"""

from __future__ import annotations

import pickle
import tempfile
import threading
import traceback
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from benchmarks import Cell
from benchmarks._training.circumstances import fixed_card
from benchmarks._training.engines import Request, Said, Task, same_code
from benchmarks._training.session import Failure, Outcome, Progress, Released, progress_of, traceback_file, train_cell
from benchmarks._training.work import Work, standing
from results import Lock, Run, States, Store, StoreError


class Parcel(NamedTuple):
    """A training state on its way."""

    key: str
    seed: int
    steps: int
    tensors: bytes  # in the format of safetensors
    metadata: dict[str, str]

    def unpacked(self, states: States) -> None:
        """Keeps it in a folder.

        Raises: StoreError where that cannot be written.
        """
        states.save(self.key, self.seed, self.steps, tensors_of(self.tensors), self.metadata)


def parcel(states: States, key: str, seed: int) -> Parcel | None:
    """The state of a seed, or None where there is none.

    Raises: StoreError where it is damaged.
    """
    state = states.latest(key, seed)
    return None if state is None else Parcel(key, seed, state.steps, bytes_of(state.tensors), state.metadata)


class Luggage(NamedTuple):
    """All that some seeds of a cell need to begin, or to go on, where nothing else is."""

    item: Work
    key: str  # of the cell, where it comes from
    parcels: tuple[Parcel, ...]  # states: their own, and those of the cells that they start from
    runs: tuple[tuple[Cell, Run], ...]  # what is stored already, which new numbers must agree with
    set_aside: bool


class SetAside(NamedTuple):
    """The state of a seed is not gone on from, and gets another name."""

    seed: int


class Ended(NamedTuple):
    """What came of all; the tracebacks of its failures as texts, empty where there is none."""

    outcome: Outcome
    traces: tuple[str, ...]


class Broken(NamedTuple):
    """Nothing came of it."""

    sentence: str
    trace: str


Letter = Parcel | SetAside | Run | Progress | Released | Ended | Broken


class Post:
    """Letters that wait to be fetched, and what is asked of the one who writes them. Threads may share it.

    A later state of a seed takes the place of an earlier one that nobody has fetched, and so does progress.
    """

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._letters: dict[Hashable, tuple[int, Letter]] = {}
        self._last = 0
        self._request: Request = ""

    def put(self, letter: Letter) -> None:
        """Adds a letter."""
        with self._news:
            self._last += 1
            kind: Hashable = self._last
            if isinstance(letter, Parcel | Progress):
                kind = (type(letter), letter.seed if isinstance(letter, Parcel) else None)
            self._letters[kind] = (self._last, letter)
            self._news.notify_all()

    def taken(self, after: int, seconds: float) -> tuple[int, list[Letter]]:
        """All letters after the one of that number, in order, and the number of the last; waits until there are some.

        Earlier ones have arrived and are forgotten. Who asks again for what was on its way gets it again.
        """
        with self._news:
            self._letters = {kind: one for kind, one in self._letters.items() if one[0] > after}
            self._news.wait_for(lambda: bool(self._letters), seconds)
            found = sorted(self._letters.values(), key=lambda one: one[0])
            return (found[-1][0] if found else after), [letter for _, letter in found]

    def ask(self, what: Request) -> None:
        """Asks for something."""
        self._request = what

    def asked(self) -> Request:
        """The last thing that was asked for since; who shall stop is told so again and again."""
        last = self._request
        if last != "stop":
            self._request = ""
        return last


# ---- away ------------------------------------------------------------------------------------------------------------


def train_away(luggage: bytes, post: Post) -> None:
    """Trains what a pickled `Luggage` holds, in a folder that is gone afterwards. The last letter says what came of it.

    Raises: nothing.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="marl-reproducibility-") as folder:
            last: Letter = _trained(pickle.loads(luggage), Path(folder), post)
    except Exception as error:
        last = Broken(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))
    post.put(last)


def _trained(luggage: Luggage, folder: Path, post: Post) -> Ended:
    item = luggage.item
    if item.cell.device == "cuda":
        fixed_card()
    same_code(item, luggage.key)
    store, states = Store(folder), _Announced(folder / ".states", post.put)
    for one in luggage.parcels:
        one.unpacked(States(states.folder))
    for cell, run in luggage.runs:
        store.save(cell, run)
    there = {run.seed for cell, run in luggage.runs if cell.key == luggage.key and run.n_steps >= item.n_steps}
    line = _Line(item, store, post, sent=there)
    outcome = train_cell(item, store, states, line, set_aside=luggage.set_aside)
    line.send_runs()
    traces = tuple("" if one.traceback is None else one.traceback.read_text() for one in outcome.failures)
    told = tuple(one._replace(traceback=None) for one in outcome.failures)
    return Ended(outcome._replace(failures=told), traces)


@dataclass(frozen=True)
class _Announced(States):
    """States in a folder, each of which is sent as soon as it is saved."""

    put: Callable[[Letter], None]

    def save(
        self, key: str, seed: int, steps: int, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Keeps a state, and sends it."""
        super().save(key, seed, steps, tensors, metadata)
        saved = parcel(self, key, seed)
        assert saved is not None
        self.put(saved)

    def set_aside(self, key: str, seed: int) -> Path:
        """Gives a state another name, here and where it came from."""
        self.put(SetAside(seed))
        return super().set_aside(key, seed)


@dataclass
class _Line:
    """The end of the line where a cell trains. Whoever is at the other end knows when time is up."""

    item: Work
    store: Store
    post: Post
    ends: float = float("inf")
    sent: set[int] = field(default_factory=set)

    def say(self, said: Progress | Released) -> None:
        """Tells, and sends what has been stored meanwhile."""
        self.send_runs()
        self.post.put(said)

    def asked(self) -> Request:
        """The last thing that was asked for."""
        return self.post.asked()

    def send_runs(self) -> None:
        """Sends the runs that are whole and have not been sent."""
        new = (set(self.store.seeds(self.item.cell.key)) & set(self.item.all_seeds)) - self.sent
        for seed, run in self.store.runs(self.item.cell, sorted(new)).items():
            if run.n_steps >= self.item.n_steps:
                self.sent.add(seed)
                self.post.put(run)


# ---- where the store is ----------------------------------------------------------------------------------------------


class AwayError(Exception):
    """Something that has gone wrong elsewhere, with its traceback."""


@dataclass
class Home:
    """Some seeds of a cell that are trained elsewhere: their locks, and where their letters go."""

    item: Work  # the seeds that are this one's to train
    task: Task
    locks: dict[int, Lock]
    elsewhere: tuple[int, ...] = ()  # somebody else's
    failures: dict[int, Failure] = field(default_factory=dict)
    stored: set[int] = field(default_factory=set)  # seeds whose run has arrived
    advanced: set[int] = field(default_factory=set)  # seeds of which a state has arrived

    @property
    def left(self) -> tuple[int, ...]:
        """The seeds of which neither a run nor a failure has come."""
        return tuple(seed for seed in self.item.all_seeds if seed not in self.stored and seed not in self.failures)

    @property
    def progress(self) -> Progress:
        """How far it stands in the store."""
        stood = [standing(self.task.states, self.item.cell.key, seed) for seed in self.left]
        done = sum(min(steps or 0, self.item.n_steps) for steps in stood)
        return progress_of(self.item, done)

    def take_in(self, letter: Letter) -> Said | None:
        """Keeps what a letter brings; what is to be said of it, if anything is."""
        match letter:
            case Parcel():
                self._keep(letter.seed, lambda: letter.unpacked(self.task.states))
                self.advanced.add(letter.seed)
            case SetAside(seed):
                self._keep(seed, lambda: self._set_aside(seed))
            case Run():
                self._keep(letter.seed, lambda: self.task.store.save(self.item.cell, letter))
                self.stored.add(letter.seed)
            case Ended(outcome, traces):
                return self._ended(outcome, traces)
            case Broken(sentence, trace):
                return self.outcome((self.failed(self.left, sentence, trace),), tuple(self.stored))
            case Released(seeds):
                self.release(seeds)
                return letter
            case Progress():
                return letter
        return None

    def failed(self, seeds: tuple[int, ...], sentence: str, trace: str = "") -> Failure:
        """That some seeds have failed; the traceback is kept beside the store."""
        kept = traceback_file(self.task.store.folder, AwayError(f"\n{trace}")) if trace else None
        return Failure(self.item.label, self.item.cell.key, seeds, sentence, kept)

    def outcome(self, failures: tuple[Failure, ...] = (), whole: tuple[int, ...] = ()) -> Outcome:
        """What came of all the seeds, what could not be kept among it."""
        kept = tuple(seed for seed in whole if seed not in self.failures)
        return Outcome(kept, self.elsewhere, (*self.failures.values(), *failures))

    def release(self, seeds: tuple[int, ...]) -> None:
        """Lets others train some seeds."""
        for seed in seeds:
            self.locks.pop(seed).release()

    def _ended(self, outcome: Outcome, traces: tuple[str, ...]) -> Outcome:
        told = zip(outcome.failures, traces, strict=True)
        failures = tuple(self.failed(one.seeds, one.sentence, trace) for one, trace in told)
        return self.outcome(failures, outcome.whole)

    def _keep(self, seed: int, keeping: Callable[[], object]) -> None:
        """Keeps something of a seed, which fails where that cannot be."""
        try:
            keeping()
        except StoreError as error:
            self.failures[seed] = self.failed((seed,), str(error))

    def _set_aside(self, seed: int) -> None:
        if self.task.states.steps(self.item.cell.key, seed) is not None:
            self.task.states.set_aside(self.item.cell.key, seed)


def packed(item: Work, task: Task) -> tuple[Luggage, Home]:
    """What seeds of a cell need to be trained elsewhere, with their locks; not of those that somebody else trains.

    A seed whose state or run cannot be read has failed. With `set_aside` such a state gets another name.
    """
    tried = {seed: task.states.try_lock(item.cell.key, seed) for seed in item.all_seeds}
    locks = {seed: lock for seed, lock in tried.items() if lock is not None}
    home = Home(item.only(locks), task, locks, tuple(seed for seed in tried if seed not in locks))
    parcels: list[Parcel] = []
    runs: list[tuple[Cell, Run]] = []
    for seed in home.item.all_seeds:
        try:
            states, stored = list(_states(item.cell, seed, task)), list(_runs(item.cell, seed, task.store))
        except StoreError as error:
            home.failures[seed] = home.failed((seed,), str(error))
        else:
            parcels += states
            runs += stored
    wanted = item.only(home.left)
    return Luggage(wanted, item.cell.key, tuple(parcels), tuple(runs), task.set_aside), home


def _states(cell: Cell, seed: int, task: Task) -> Iterator[Parcel]:
    """Where a seed stands, and where those stood that it starts from.

    Raises: StoreError where one of them is damaged.
    """
    try:
        own = parcel(task.states, cell.key, seed)
    except StoreError:
        if not task.set_aside:
            raise
        own = None
        task.states.set_aside(cell.key, seed)
    yield from filter(None, [own, *(parcel(task.states, teacher.key, seed) for teacher, _ in cell.teachers)])


def _runs(cell: Cell, seed: int, store: Store) -> Iterator[tuple[Cell, Run]]:
    """What is stored of a seed, and of it in the cells that it starts from.

    Raises: StoreError where one of them is damaged.
    """
    for one in (cell, *(teacher for teacher, _ in cell.teachers)):
        run = store.load(one, seed)
        if run is not None:
            yield one, run
