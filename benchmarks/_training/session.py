"""Training the missing seeds of one cell, in a process of its own: stoppable, resumable, and true about its history.

Seeds that stand at the same step train together, in one batched program. A seed goes on from its training state bit for
bit. Where that state was made by other code, other versions or another machine, the beginning of its run is played
again first and compared: a run whose sessions would not give the same numbers is no run.

What goes wrong with a seed ends that seed alone, and is told in a sentence.
"""

from __future__ import annotations

import json
import math
import secrets
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from benchmarks import Cell
from benchmarks._training.accelerated import training_of
from benchmarks._training.circumstances import session as session_now
from benchmarks._training.loop import Training, runs
from benchmarks._training.work import Work, may_go_on
from results import History, Lock, Run, Session, State, States, Store, StoreError, disagreement

CHECKPOINT_SECONDS = 300.0
REPORT_SECONDS = 2.0
REPLAY_SECONDS = 20.0  # how long a beginning is played again, for one test at least


class Progress(NamedTuple):
    """How far a cell is, in steps of all its seeds together, and how fast."""

    label: str
    done: int
    total: int
    steps_per_second: float
    note: str = ""
    algorithm: str = ""  # whose steps are alike in time


class Released(NamedTuple):
    """Seeds that a process gives up at a checkpoint, for another to go on with."""

    seeds: tuple[int, ...]


class Failure(NamedTuple):
    """What ended some seeds of a cell: a sentence, and the file that holds the traceback, where there is one."""

    label: str
    key: str
    seeds: tuple[int, ...]
    sentence: str
    traceback: Path | None = None


class Outcome(NamedTuple):
    """What came of some seeds of a cell; those that are in none of the three stand at a checkpoint."""

    whole: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()  # another process trains them
    failures: tuple[Failure, ...] = ()


class Line(Protocol):
    """What connects a training process with the one that started it. `ends` is when time is up, by `time.monotonic`."""

    @property
    def ends(self) -> float:
        """Infinite where there is no limit."""

    def say(self, said: Progress | Released) -> None:
        """Tells."""

    def asked(self) -> Literal["", "stop", "halve"]:
        """What is asked of this process since it last asked."""


def train_cell(item: Work, store: Store, states: States, line: Line, *, set_aside: bool = False) -> Outcome:
    """Train the missing seeds of one cell, but for those that another process trains.

    Where others start from a seed, its training state is there in the end as well. A state that cannot be used is an
    error of its seed; with `set_aside` it gets another name, and the seed begins anew.
    """
    with ExitStack() as held:
        locks = {seed: states.try_lock(item.cell.key, seed) for seed in item.all_seeds}
        for lock in filter(None, locks.values()):
            held.enter_context(lock)
        mine = tuple(seed for seed, lock in locks.items() if lock is not None)
        elsewhere = tuple(seed for seed, lock in locks.items() if lock is None)
        piece = _Piece(item.only(mine), store, states, line, locks, set_aside=set_aside)
        piece.train()
        return Outcome(tuple(sorted(piece.whole)), elsewhere, tuple(piece.failures))


class _Piece:
    """Some seeds of a cell on their way to the end: each is whole, has failed, or stands somewhere."""

    def __init__(
        self,
        item: Work,
        store: Store,
        states: States,
        line: Line,
        locks: Mapping[int, Lock | None],
        *,
        set_aside: bool,
    ) -> None:
        self.item, self.store, self.states, self.line, self.locks = item, store, states, line, locks
        self.may_set_aside = set_aside
        self.at: dict[int, int] = {}  # steps of every seed that is neither whole nor has failed; -1: not yet begun
        self.whole: set[int] = set()
        self.failures: list[Failure] = []

    def train(self) -> None:
        """Groups of seeds that stand at the same step, one after the other, until all have ended or it shall stop."""
        self._begin()
        while self.at:
            steps, together = next(groupby(sorted(self.at, key=self.at.__getitem__), key=self.at.__getitem__))
            group = tuple(together)
            try:
                stopped = _Group(self, group, begun=steps >= 0).run()
            except _BegunAnewError:
                continue
            except Exception as error:  # whatever it is, it ends these seeds and no others
                self.fail(group, error)
                continue
            if stopped:
                return

    def _begin(self) -> None:
        """Finds where every seed stands."""
        missing = self._missing()
        self.whole = set(self.item.all_seeds) - missing - {seed for failure in self.failures for seed in failure.seeds}
        for seed in sorted(missing):
            try:
                state = self.state(seed)
                self.at[seed] = -1 if state is None else state.steps
            except StoreError as error:
                self.fail((seed,), error)
        if not self.at:
            self.report()

    def _missing(self) -> set[int]:
        """The seeds that nobody has trained meanwhile; one whose run cannot be read has failed."""
        missing = set()
        for seed in self.item.all_seeds:
            try:
                missing |= set(self.store.missing(self.item.cell, [seed], self.item.n_steps))
            except StoreError as error:
                self.fail((seed,), error)
        failed = {seed for failure in self.failures for seed in failure.seeds}
        key, n_steps = self.item.cell.key, self.item.n_steps
        return missing | {seed for seed in self.item.taken if seed not in failed and self._stands(key, seed) != n_steps}

    def _stands(self, key: str, seed: int) -> int | None:
        try:
            return self.states.steps(key, seed)
        except StoreError:
            return None

    def state(self, seed: int) -> State | None:
        """Where a seed goes on, or None where it begins.

        A state from before histories were kept does not say where it comes from, and is not gone on from.

        Raises: StoreError where the state is damaged and must stay where it is.
        """
        try:
            state = self.states.latest(self.item.cell.key, seed)
            if state is not None and not (may_go_on(state.steps, self.item, seed) and sessions_of(state)):
                return None
        except (StoreError, ValueError, TypeError) as error:
            if not self.may_set_aside:
                raise StoreError(str(error)) from error
            self.states.set_aside(self.item.cell.key, seed)
            return None
        return state

    def fail(self, seeds: Iterable[int], error: BaseException) -> None:
        """Some seeds have ended."""
        failed = tuple(seeds)
        kept = traceback_file(self.store.folder, error) if not isinstance(error, StoreError) else None
        sentence = str(error) if isinstance(error, StoreError | ValueError) else f"{type(error).__name__}: {error}"
        self.failures.append(Failure(self.item.label, self.item.cell.key, failed, sentence, kept))
        for seed in failed:
            self.at.pop(seed, None)

    def halve(self) -> None:
        """Gives up the later half of what is left."""
        left = sorted(self.at)
        given = tuple(left[(len(left) + 1) // 2 :])
        for seed in given:
            del self.at[seed]
        self.item = self.item.only(set(self.item.all_seeds) - set(given))
        for lock in filter(None, map(self.locks.get, given)):
            lock.release()
        self.line.say(Released(given))

    def report(self, steps_per_second: float = math.nan, note: str = "") -> None:
        """Says how far all of it is."""
        n_steps, failed = self.item.n_steps, {seed for failure in self.failures for seed in failure.seeds}
        ended = len(self.whole | failed) * n_steps
        done = ended + sum(min(max(steps, 0), n_steps) for steps in self.at.values())
        self.line.say(progress_of(self.item, done, steps_per_second, note))


class _Group:
    """Seeds of a cell in training together: when to report, to compare, to save, to stop."""

    def __init__(self, piece: _Piece, seeds: tuple[int, ...], *, begun: bool) -> None:
        self.piece, self.seeds = piece, seeds
        self.began = time.monotonic()
        found = [piece.state(seed) for seed in seeds] if begun else []
        states = [state for state in found if state is not None]
        self.now = session_now(piece.item.cell, len(seeds), states[0].steps if states else 0)
        self.earlier = [sessions_of(state) for state in states] or [()] * len(seeds)
        self.stored = {seed: piece.store.load(piece.item.cell, seed) for seed in seeds}
        self.failed: dict[int, str] = self._contradicted(states)
        self.training = self._beginning(states)
        self.first = self.training.learner.steps
        self.n_tests = self.training.steps.shape[1]
        self.n_stored = max((run.steps.size for run in self.stored.values() if run is not None), default=0)
        self.asked: Literal["", "stop", "halve"] = ""
        self.saved = self.reported = time.monotonic()
        if states and not self.failed:
            self._compare()
        if piece.item.cell.start is not None and not states:
            self._save()  # a transfer may take long

    def run(self) -> bool:
        """Train to the end, or to where something ends some of it; True where all of it shall stop."""
        item = self.piece.item
        if not self.failed:
            training_of(item.cell)(item.cell, self.seeds, self.training, item.n_steps, self._pause)
            self._save()
        for seed, sentence in self.failed.items():
            self.piece.fail((seed,), StoreError(sentence))
        if self.failed:
            return False  # the others go on from where they stand
        if self.training.learner.steps < item.n_steps:
            if self.asked == "halve":
                self.piece.halve()
                return False
            return True
        self._end()
        return False

    def _beginning(self, states: Sequence[State]) -> Training:
        cell, start = self.piece.item.cell, self.piece.item.cell.start
        if states:
            return Training.resumed(cell, self.seeds, states)
        if start is None:
            return Training.of(cell, self.seeds)
        self.piece.report(note="transfer")
        teachers = [
            as_it_stood(*teacher, self.seeds, self.piece.store, self.piece.states) for teacher in start.teachers
        ]
        return Training.started(cell, start, self.seeds, teachers)

    def _contradicted(self, states: Sequence[State]) -> dict[int, str]:
        """The seeds that must not go on from their states, and why: other code would have brought them elsewhere.

        Raises: _BegunAnewError where seeds begin anew instead.
        """
        checked: dict[tuple[str, str], str] = {}
        failed, anew = {}, []
        for seed, state, earlier in zip(self.seeds, states, self.earlier, strict=False):
            apart = parted(earlier[-1], self.now)
            if not apart:
                continue
            if not n_tests(state):  # there is nothing to compare, and little to lose
                anew.append(seed)
                continue
            case = (earlier[-1].sources, earlier[-1].elsewhere(self.now))
            if case not in checked:
                self.piece.report(note="played again, for its state is of other code or of another machine")
                checked[case] = self._differing(seed, state, earlier)
            if checked[case]:
                failed[seed] = (
                    f"seed {seed} of {self.piece.item.cell.key} was trained to {state.steps} steps under other "
                    f"circumstances ({apart}), and those of now give other numbers ({checked[case]}): "
                    "go back to those, raise the version of what has changed, or begin anew with --set-aside"
                )
        if self.piece.may_set_aside:
            for seed in failed:
                self.piece.states.set_aside(self.piece.item.cell.key, seed)
            anew += failed
        if anew:
            self.piece.at |= dict.fromkeys(anew, -1)
            raise _BegunAnewError
        return failed

    def _differing(self, seed: int, state: State, earlier: History) -> str:
        """Where the beginning of a seed differs that is played again; empty where no bit does."""
        cell, start = self.piece.item.cell, self.piece.item.cell.start
        stood = Training.resumed(cell, (seed,), [state])
        teachers = [
            as_it_stood(*teacher, (seed,), self.piece.store, self.piece.states)
            for teacher in (() if start is None else start.teachers)
        ]
        (then,) = runs(cell, (seed,), stood, [earlier])
        return disagreement(then, replayed(cell, seed, state.steps, REPLAY_SECONDS, teachers)) or ""

    def _pause(self, steps: int) -> bool:
        now = time.monotonic()
        self.piece.at |= dict.fromkeys(self.seeds, steps)
        if self.training.steps.shape[1] > self.n_tests:
            self.n_tests = self.training.steps.shape[1]
            if self.n_tests <= self.n_stored:
                self._compare()
        if now - self.saved >= CHECKPOINT_SECONDS:
            self._save()
        if now - self.reported >= REPORT_SECONDS:
            self._report()
            self.asked = self.piece.line.asked()
        if now >= self.piece.line.ends:
            self.asked = "stop"
        return bool(self.failed) or self.asked == "stop" or (self.asked == "halve" and len(self.piece.at) > 1)

    def _compare(self) -> None:
        """Looks whether a stored run has other numbers, at the first test that shows it."""
        for run in self._runs() if self.n_stored else ():
            stored = self.stored[run.seed]
            differing = None if stored is None else disagreement(stored, run)
            if stored is not None and differing is not None:
                apart = parted(stored.history[-1], self.now) if stored.history else ""
                self.failed[run.seed] = (
                    f"seed {run.seed} of {run.key} is stored with other numbers ({differing})"
                    f"{f', from other circumstances ({apart})' if apart else ''}: train into another store"
                )

    def _report(self) -> None:
        self.reported = time.monotonic()
        trained = len(self.seeds) * (self.training.learner.steps - self.first)
        self.piece.report(trained / max(self.reported - self.began, 1e-9))

    def _histories(self) -> list[History]:
        now = replace(self.now, wall_seconds=round(time.monotonic() - self.began, 3))
        return [(*earlier, now) for earlier in self.earlier]

    def _runs(self) -> list[Run]:
        return runs(self.piece.item.cell, self.seeds, self.training, self._histories())

    def _save(self) -> None:
        steps, key = self.training.learner.steps, self.piece.item.cell.key
        saved = zip(self.seeds, self.training.saved(len(self.seeds)), self._histories(), strict=True)
        for seed, tensors, history in saved:
            self.piece.states.save(
                key, seed, steps, tensors, {"sessions": json.dumps([asdict(one) for one in history])}
            )
        self.saved = time.monotonic()

    def _end(self) -> None:
        """Stores what is whole."""
        item, steps = self.piece.item, self.training.learner.steps
        if steps > item.n_steps and not set(self.seeds).isdisjoint(item.taken):
            raise ValueError(
                f"{item.label} must end an iteration at {item.n_steps} steps, where others start from it, "
                f"got one that ends at {steps}"
            )
        for run in self._runs():
            try:
                self.piece.store.save(item.cell, run)
            except StoreError as error:
                self.piece.fail((run.seed,), error)
            else:
                self.piece.whole.add(run.seed)
                self.piece.at.pop(run.seed, None)
        self._report()


class _BegunAnewError(Exception):
    """Some seeds of a group do not go on from their states but begin."""


def replayed(cell: Cell, seed: int, n_steps: int, seconds: float, teachers: Sequence[Training]) -> Run:
    """A seed played again from its beginning, alone: until `n_steps`, or until the time is up and a test has been made.

    `teachers` are the learners that the cell starts from, as they stood.
    """
    start = cell.start
    training = Training.of(cell, (seed,)) if start is None else Training.started(cell, start, (seed,), teachers)
    began = time.monotonic()
    training_of(cell)(
        cell,
        (seed,),
        training,
        n_steps,
        lambda _: training.steps.numel() > 0 and time.monotonic() - began >= seconds,
    )
    history = replace(session_now(cell, 1, 0), wall_seconds=time.monotonic() - began)
    (run,) = runs(cell, (seed,), training, [(history,)])
    return run


def as_it_stood(teacher: Cell, steps: int, seeds: Sequence[int], store: Store, states: States) -> Training:
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
    for run in runs(teacher, seeds, training, [()] * len(seeds)):
        stored = store.load(teacher, run.seed)
        if stored is not None and stored.n_steps >= run.n_steps:
            store.save(teacher, run)  # changes nothing, but refuses other numbers
    return training


def sessions_of(state: State) -> History:
    """The sessions that have brought a seed where it stands; empty in a state from before histories were kept.

    Raises: ValueError or TypeError where they make no sense.
    """
    return tuple(Session(**one) for one in json.loads(state.metadata.get("sessions", "[]")))


def n_tests(state: State) -> int:
    """How many tests a seed has seen."""
    return int(state.tensors[".steps"].numel())


def parted(then: Session, now: Session) -> str:
    """In what two sessions differ that numbers depend on; empty where there is nothing."""
    code = f"code of commit {then.commit or 'unknown'} and of {now.commit or 'unknown'}"
    return ", ".join(filter(None, (code if then.sources != now.sources else "", then.elsewhere(now))))


def progress_of(item: Work, done: int, steps_per_second: float = math.nan, note: str = "") -> Progress:
    """How far some work is."""
    algorithm = type(item.cell.algorithm).__name__
    return Progress(item.label, done, item.total, steps_per_second, note, algorithm)


def traceback_file(folder: Path, error: BaseException) -> Path | None:
    """Writes down how an error came about; None where even that fails."""
    path = folder / ".failures" / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)))
    except OSError:
        return None
    return path
