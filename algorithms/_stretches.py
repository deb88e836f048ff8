"""Training on an accelerator in stretches: many iterations are started as one, not kernel by kernel.

A kernel of these small networks takes a few microseconds, and Python longer to start the next. So a stretch of
iterations that covers whole episodes is recorded once (on CUDA as a graph) and then run again and again. An algorithm
need not know of it: the numbers that the host would put into kernels come out of objects that its state holds, and
these are replaced by stand-ins (`_stand_ins`).

A number comes out the same whether a stretch is run as recorded, or iteration by iteration with the same stand-ins, as
it is where a stretch does not fit before the next test. So a run does not hang on where its sessions ended.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from algorithms._networks import tensors
from algorithms._optimizers import Adam
from algorithms._replay import Replay
from algorithms._stand_ins import Numbers, ReadAdam, ReadReplay, ReadStreams, Recorder, Run, Schedule, graph, overwrites
from algorithms._tree import leaves
from algorithms.ctedd import CTEDD
from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from environments import Env, Streams

SCHEDULES: Mapping[type, str | None] = {MADDPG: None, CTEDD: "temperature", DiscreteMADDPG: None, MASAC: None}
"""Learners that can be recorded, and the method by which the host gives them a number that changes as they learn."""
SETTLED = ("first_update", "random_steps", "epsilon_steps")
"""Settings after whose steps a learner does the same in every iteration."""
CHRONOLOGICAL = ("chronological",)
LEAST = 20
"""Iterations of a stretch, where as many fit between two tests."""


class Stretches:
    """Advances a learner that is tested `every` so many steps; whole stretches as one, once they have been recorded."""

    def __init__(self, algorithm: Any, env: Env[Any], state: Any, every: int, recorder: Recorder = graph) -> None:
        self._algorithm, self._env, self._state, self._recorder = algorithm, env, state, recorder
        self._each = algorithm.steps_per_update
        self._length = _length(self._each // algorithm.n_envs, env.horizon, every // self._each)
        self._settled = max(getattr(algorithm, name, 0) for name in SETTLED)
        self._distils: int | None = getattr(algorithm, "distill_every", None)
        self._stand_ins: dict[bool, _StandIn] = {}  # by whether rewards leave the replay
        self._again: dict[bool, Run] = {}
        self._lessons: _Lessons | None = None

    def advance(self, until: int) -> None:
        """One iteration, or a stretch of them, and the distillation that is due behind it.

        No stretch has more than its last iteration beyond `until`, where the caller looks at the learner next.
        """
        if self._state.steps + self._each <= self._settled:
            self._algorithm.advance(self._env, self._state)
            return
        kind = self._kind(until)
        if kind is None:
            self._stand_in(self._overwrites()).iterations(1)
        else:
            self._stretch(kind, self._stand_in(kind))
        if self._distils is not None and self._state.steps % self._distils == 0:
            self._lessons = self._lessons or _Lessons(self._algorithm, self._env, self._state, self._recorder)
            self._lessons.teach()

    def _stand_in(self, kind: bool) -> _StandIn:
        if not self._stand_ins:
            # Kernels write new positions over the old ones, so that these need memory of their own.
            game = self._state.copies.game
            self._state.copies.game = type(game)(*(part.clone() for part in game))
        if kind not in self._stand_ins:
            self._stand_ins[kind] = _StandIn(self._algorithm, self._env, self._state)
        return self._stand_ins[kind]

    def _stretch(self, kind: bool, stand_in: _StandIn) -> None:
        if kind in self._again:
            stand_in.prepare(self._length)
            self._again[kind]()
        elif stand_in.heard:
            stand_in.prepare(self._length)
            self._again[kind] = self._recorder(stand_in.kernels(self._length))
        else:
            stand_in.listen(self._length)

    def _kind(self, until: int) -> bool | None:
        """Which stretch comes next; None where none fits before the caller looks, or before anything but updates."""
        state = self._state
        before, last = state.steps, state.steps + (self._length - 1) * self._each  # its last iteration begins there
        distils = self._distils is not None and last // self._distils > before // self._distils
        steps = self._length * self._each // self._algorithm.n_envs
        first, then = self._overwrites(), self._overwrites(steps - 1)
        return first if last < until and not distils and state.copies.elapsed == 0 and first == then else None

    def _overwrites(self, more: int = 0) -> bool:
        """Whether a learner that keeps account of the rewards in its replay will lose some with its next step."""
        return hasattr(self._state, "rewards") and overwrites(self._state.replay, more)


def _length(steps: int, horizon: int, between: int) -> int:
    """Iterations of so many steps of every copy that begin and end with an episode; `between` two tests, if they fit.

    As few as must be where a number of stretches would not end with a test.
    """
    whole = horizon // math.gcd(steps, horizon)
    n = min(-(-LEAST // whole), between // whole)
    return whole * n if n and between % (whole * n) == 0 else whole


def recordable(algorithm: object) -> bool:
    """Whether a learner can be recorded."""
    return type(algorithm) in SCHEDULES and getattr(algorithm, "distillations", CHRONOLOGICAL) == CHRONOLOGICAL


class _StandIn:
    """A learner's state with stand-ins in it; tensors are the learner's own, which learns by them."""

    def __init__(self, algorithm: Any, env: Env[Any], own: Any) -> None:
        self._env, self._own = env, own
        self._game = own.copies.game
        self._numbers = Numbers(own.streams.device)
        self._state: Any = _standing_in(own, self._numbers)
        name = SCHEDULES[type(algorithm)]
        self._schedule = None if name is None else Schedule(getattr(algorithm, name), self._numbers)
        self._algorithm = _recorded(algorithm, self._schedule)
        self.heard = False

    def iterations(self, n: int) -> None:
        """So many iterations, kernel by kernel."""
        self._numbers.reading = False
        self._begin()
        self._run(n)
        self._own.steps, self._own.copies.elapsed = self._state.steps, self._state.copies.elapsed

    def listen(self, n: int) -> None:
        """Iterations whose questions and draws are kept."""
        self._numbers.listening = True
        self.iterations(n)
        self._numbers.settle()
        self.heard = True

    def prepare(self, n: int) -> None:
        """Lays out what so many iterations will read."""
        self._begin()
        self._numbers.prepare()
        self._state.streams.prepare()
        self._own.steps += n * self._algorithm.steps_per_update

    def _begin(self) -> None:
        self._state.steps, self._state.copies.elapsed = self._own.steps, self._own.copies.elapsed
        if self._schedule is not None:
            self._schedule.begins = self._own.steps

    def kernels(self, n: int) -> Run:
        """What runs so many iterations that read what has been laid out.

        Raises: ValueError where they keep anything in new memory but where the game stands.
        """

        def run() -> None:
            self._numbers.read()
            before = _tensors(self._state)
            self._run(n)
            moved = [name for name, tensor in _tensors(self._state).items() if before[name] is not tensor]
            if moved:
                raise ValueError(f"expected a learner that writes its state in place, got new memory for {moved}")

        return run

    def _run(self, n: int) -> None:
        for _ in range(n):
            self._algorithm.advance(self._env, self._state)
        for place, part in zip(self._game, self._state.copies.game, strict=True):
            if place is not part:
                place.copy_(part)
        self._state.copies.game = self._game


class _Lessons:
    """The distillation of CTEDD (its point 9): whole batches as recorded, in the memory of the first students."""

    def __init__(self, algorithm: Any, env: Env[Any], own: Any, recorder: Recorder) -> None:
        self._algorithm, self._env, self._own, self._recorder = algorithm, env, own, recorder
        self._numbers = Numbers(own.streams.device)
        self._replay = ReadReplay(own.replay, self._numbers)
        self._again: Run | None = None
        self._heard = False
        self._first = 0  # of the batch

    def teach(self) -> None:
        """Fresh students, and every state in replay."""
        own, size = self._own, self._algorithm.batch_size
        own.distilled = own.steps
        if not own.students:
            return
        for student, fresh in zip(own.students, self._algorithm._born(self._env, own.births), strict=True):
            torch._foreach_copy_(tensors(student.policies), tensors(fresh.policies))
            torch._foreach_zero_([*student.optimizer.first, *student.optimizer.second])
            student.optimizer.count = 0
        newest = own.replay.n_steps * own.replay.n_envs
        for self._first in range(own.replay.oldest * own.replay.n_envs, newest, size):
            self._batch(min(size, newest - self._first))

    def _batch(self, n: int) -> None:
        if n < self._algorithm.batch_size:
            self._numbers.reading = False
            self._kernels(n)
        elif self._again is not None:
            self._numbers.prepare()
            self._again()
        elif self._heard:
            self._numbers.prepare()
            self._again = self._recorder(self._reading)
        else:
            self._numbers.reading, self._numbers.listening = False, True
            self._kernels(n)
            self._numbers.settle()
            self._heard = True

    def _reading(self) -> None:
        self._numbers.read()
        self._kernels(self._algorithm.batch_size)

    def _kernels(self, n: int) -> None:
        first = self._numbers(lambda: (self._first,), torch.int64)
        students = [replace(one, optimizer=ReadAdam(one.optimizer, self._numbers)) for one in self._own.students]
        self._algorithm._teach(self._env, self._own, students, self._replay.numbered(first, n).state)


def _tensors(state: Any) -> dict[str, Tensor]:
    return {name: leaf for name, leaf in leaves(state).items() if isinstance(leaf, Tensor)}


def _standing_in(node: Any, numbers: Numbers) -> Any:
    """The same tree of the same tensors, with stand-ins."""
    stands_in: Mapping[type, Any] = {Streams: ReadStreams, Adam: ReadAdam, Replay: ReadReplay}
    if type(node) in stands_in:
        return stands_in[type(node)](node, numbers)
    if isinstance(node, tuple | list) and not isinstance(node, torch.Size):
        items = [_standing_in(value, numbers) for value in node]
        return type(node)(*items) if hasattr(node, "_fields") else type(node)(items)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{item.name: _standing_in(getattr(node, item.name), numbers) for item in fields(node)})
    return node


def _recorded(algorithm: Any, schedule: Schedule | None) -> Any:
    """The same algorithm, whose schedule is read, and which leaves distillation to others."""
    kind = type(algorithm)
    changed: dict[str, Any] = {}
    if schedule is not None:
        changed[str(SCHEDULES[kind])] = lambda _, steps: schedule(steps)
    if hasattr(kind, "_distill"):
        changed["_distill"] = lambda _, env, state: None
    found: Any = object.__new__(type(f"Recorded{kind.__name__}", (kind,), changed))
    found.__dict__.update(algorithm.__dict__)
    return found
