"""Training on an accelerator in stretches: many iterations are started as one, not kernel by kernel.

A kernel of these small networks takes a few microseconds, and Python longer to start the next. So a stretch of
iterations that covers whole episodes is recorded once (on CUDA as a graph) and then run again and again. What is
recorded stands: addresses, sizes, and every number that the host puts into a kernel. An algorithm need not know of it,
because the host's numbers come out of objects that its state holds, and these are replaced by stand-ins:

- `_Numbers`: the host's numbers are written into a table before each run, and the kernels read them from there;
- `_Adam`: the bias corrections; `_Replay`: rows to write, and the range to draw from; both by `_Numbers`;
- `_Streams`: random numbers are copied from the stock into memory that stands;
- of the algorithm itself a schedule, such as the temperature of CTEDD.

A number comes out the same whether a stretch is run as recorded, or iteration by iteration with the same stand-ins, as
it is where a stretch does not fit before the next test. So a run does not hang on where its sessions ended.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from algorithms._networks import tensors
from algorithms._optimizers import Adam, Tensors
from algorithms._replay import Replay, Transitions
from algorithms._tree import leaves
from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from environments import Env, Streams, side_by_side
from environments._streams import _stretched

Run = Callable[[], None]
SCHEDULES: Mapping[type, str | None] = {MADDPG: None, CTEDD: "temperature"}
"""Learners that can be recorded, and the method by which the host gives them a number that changes as they learn."""
CHRONOLOGICAL = ("chronological",)
LEAST = 20
"""Iterations of a stretch, at least."""


class Recorder(Protocol):
    """What records kernels."""

    def __call__(self, run: Run) -> Run:
        """Runs something once, and returns what runs the same kernels again."""


def graph(run: Run) -> Run:
    """Records a CUDA graph."""
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        run()
    recorded.replay()
    return recorded.replay


class Stretches:
    """Advances a learner; whole stretches as one, once they have been seen and recorded.

    `until` is where the caller wants to look at the learner next: no stretch goes beyond.
    """

    def __init__(self, algorithm: Any, env: Env[Any], state: Any, recorder: Recorder = graph) -> None:
        self._algorithm, self._env, self._state, self._recorder = algorithm, env, state, recorder
        self._each = algorithm.steps_per_update
        self._length = _length(self._each // algorithm.n_envs, env.horizon)
        self._every: int | None = getattr(algorithm, "distill_every", None)
        self._stand_in: _StandIn | None = None
        self._again: Run | None = None

    def advance(self, until: int) -> None:
        """One iteration, or a stretch of them, and the distillation that is due behind it."""
        if self._state.steps + self._each < self._algorithm.first_update:
            self._algorithm.advance(self._env, self._state)
            return
        if self._stand_in is None:
            self._stand_in = _StandIn(self._algorithm, self._env, self._state)
            self._lessons = _Lessons(self._algorithm, self._env, self._state, self._recorder)
        if self._fits(until):
            self._stretch(self._stand_in)
        else:
            self._stand_in.iterations(1)
        if self._every is not None and self._state.steps % self._every == 0:
            self._lessons.teach()

    def _stretch(self, stand_in: _StandIn) -> None:
        if self._again is not None:
            stand_in.prepare(self._length)
            self._again()
        elif stand_in.heard:
            stand_in.prepare(self._length)
            self._again = self._recorder(stand_in.kernels(self._length))
        else:
            stand_in.listen(self._length)

    def _fits(self, until: int) -> bool:
        """Whether a whole stretch comes before the caller looks, and before a distillation."""
        before, after = self._state.steps, self._state.steps + self._length * self._each
        distils = self._every is not None and (after - 1) // self._every > before // self._every
        return bool(after <= until and not distils and self._state.copies.elapsed == 0)


def _length(steps: int, horizon: int) -> int:
    """Iterations of so many steps of every copy that end with an episode, and begin with one."""
    whole = horizon // math.gcd(steps, horizon)
    return whole * -(-LEAST // whole)


def recordable(algorithm: object) -> bool:
    """Whether a learner can be recorded."""
    return type(algorithm) in SCHEDULES and getattr(algorithm, "distillations", CHRONOLOGICAL) == CHRONOLOGICAL


# ---- what stands in for what changes ---------------------------------------------------------------------------------


class _Numbers:
    """The host's numbers for the kernels of a stretch.

    While it listens every question is answered at once, and kept. Later all kept questions are asked in the same order
    before a stretch, and the answers lie in a table.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.listening = False
        self.reading = False
        self._asked: list[tuple[Callable[[], Sequence[float]], torch.dtype, int]] = []
        self._tables: dict[torch.dtype, Tensor] = {}
        self._places: list[tuple[torch.dtype, int, int]] = []
        self._next = 0

    def __call__(self, question: Callable[[], Sequence[float]], dtype: torch.dtype) -> Tensor:
        """What the host answers, as a tensor on the device. Shapes: [n]."""
        if self.reading:
            kind, first, n = self._places[self._next]
            self._next += 1
            return self._tables[kind][first : first + n]
        answer = question()
        if self.listening:
            self._asked.append((question, dtype, len(answer)))
        return torch.tensor(answer, dtype=dtype, device=self.device)

    def settle(self) -> None:
        """Ends listening: gives every answer its place."""
        self.listening = False
        sizes = dict.fromkeys((dtype for _, dtype, _ in self._asked), 0)
        for _, dtype, n in self._asked:
            self._places.append((dtype, sizes[dtype], n))
            sizes[dtype] += n
        self._tables = {dtype: torch.empty(n, dtype=dtype, device=self.device) for dtype, n in sizes.items()}

    def prepare(self) -> None:
        """Asks everything again, for the next stretch."""
        answers: dict[torch.dtype, list[float]] = {dtype: [] for dtype in self._tables}
        for question, dtype, _ in self._asked:
            answers[dtype] += question()
        for dtype, table in self._tables.items():
            fresh = torch.tensor(answers[dtype], dtype=dtype)
            table.copy_(fresh.pin_memory() if self.device.type == "cuda" else fresh, non_blocking=True)

    def read(self) -> None:
        """From now on answers are read, from the first on."""
        self.reading, self._next = True, 0


class _Adam:
    """An optimizer whose corrections are read. The arithmetic is `Adam.step`'s, but for the last rounding."""

    def __init__(self, own: Adam, numbers: _Numbers) -> None:
        self._own, self._numbers = own, numbers

    def step(self, parameters: Tensors, gradients: Tensors, learning_rate: float) -> None:
        """See `Adam.step`."""
        own = self._own

        def rate() -> tuple[float]:
            own.count += 1
            return (learning_rate * math.sqrt(1 - 0.999**own.count) / (1 - 0.9**own.count),)

        (read,) = self._numbers(rate, torch.float32).unbind(0)
        torch._foreach_lerp_(own.first, gradients, 0.1)
        torch._foreach_mul_(own.second, 0.999)
        torch._foreach_addcmul_(own.second, gradients, gradients, 0.001)
        roots = torch._foreach_sqrt(own.second)
        torch._foreach_add_(roots, 1e-8)
        changes = torch._foreach_div(own.first, roots)
        torch._foreach_mul_(changes, read)
        torch._foreach_sub_(parameters, changes)


class _Replay:
    """A ring, at its full size, whose rows are found by numbers that are read."""

    def __init__(self, own: Replay, numbers: _Numbers) -> None:
        while own.rows.shape[2] < (room := _full(own)):
            grown = own.rows.new_zeros(*own.rows.shape[:2], room, own.rows.shape[3])
            grown[:, :, : own.rows.shape[2]] = own.rows
            own.rows = grown
        self._own, self._numbers = own, numbers

    def append(self, state: Any, actions: Tensor, reward: Tensor, next_state: Any) -> None:
        """See `Replay.append`."""
        here, next_row = self._numbers(self._next_rows, torch.int64).split(1)
        following = side_by_side(next_state)
        row = torch.cat([side_by_side(state), actions.flatten(2), reward], dim=-1)
        self._own.rows.index_copy_(2, here, row.unsqueeze(2))
        self._own.rows[..., : following.shape[-1]].index_copy_(2, next_row, following.unsqueeze(2))

    def numbered(self, first: Tensor, n: int) -> Transitions:
        """See `Replay.numbered`; so many from the first on. Shapes: first [1]."""
        rows, n_envs = self._own.rows, self._own.n_envs
        numbers = (first + torch.arange(n, device=rows.device)).expand(rows.shape[0], -1)
        steps = numbers // n_envs
        return self._own._gather(steps, torch.sub(numbers, steps, alpha=n_envs))

    def _next_rows(self) -> tuple[int, int]:
        row, _ = self._own._place(self._own.n_steps)
        self._own.n_steps += 1
        return row, row + 1

    def sample(self, streams: Any, batch_size: int, *, oldest: int = 0) -> Transitions:
        """See `Replay.sample`."""
        own = self._own

        def bounds() -> tuple[int, int]:
            first = max(oldest, own.oldest)
            return first, (own.n_steps - first) * own.n_envs

        first, n = self._numbers(bounds, torch.int64).unbind(0)
        drawn = streams.integers(batch_size, high=n)
        steps = drawn // own.n_envs
        return own._gather(first + steps, torch.sub(drawn, steps, alpha=own.n_envs))


def _full(replay: Replay) -> int:
    """How many rows a ring has in the end."""
    ring = replace(replay, rows=replay.rows.to("meta"), n_steps=0)
    while True:
        before = ring.rows.shape[2]
        ring.n_steps = ring._episodes * ring.horizon
        ring._grow()
        if ring.rows.shape[2] == before:
            return before


class _Streams:
    """Streams whose numbers are copied into memory that stands, before a stretch reads them in order."""

    def __init__(self, own: Streams, numbers: _Numbers) -> None:
        self._own, self.numbers = own, numbers
        self._drawn: dict[str, list[int]] = {}
        self._held: dict[str, Tensor] = {}
        self._used: dict[str, int] = {}

    @property
    def n_seeds(self) -> int:
        return self._own.n_seeds

    @property
    def device(self) -> torch.device:
        return self._own.device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """See `Streams.uniform`."""
        return _stretched(self._taken("uniform", shape), low, high)

    def normal(self, *shape: int) -> Tensor:
        """See `Streams.normal`."""
        return self._taken("normal", shape).clone()

    def integers(self, *shape: int, high: int | Tensor) -> Tensor:
        """See `Streams.integers`."""
        return self._taken("integers", shape).remainder(high)

    def _taken(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        n = math.prod(shape)
        if self.numbers.reading:
            first = self._used[kind]
            self._used[kind] = first + n
            return self._held[kind][:, first : first + n].view(self.n_seeds, *shape)
        if self.numbers.listening:
            self._drawn.setdefault(kind, []).append(n)
        return self._own._taken(kind, shape)

    def begin(self, own: Streams) -> None:
        """From now on takes from others."""
        self._own = own

    def prepare(self) -> None:
        """Takes what the next stretch draws, in the order in which it draws."""
        for kind, sizes in self._drawn.items():
            pieces: list[Tensor] = []
            for n in sizes:
                piece = self._own._taken(kind, (n,))
                last = pieces[-1] if pieces else None
                if last is not None and _follows(last, piece):
                    pieces[-1] = last.as_strided((last.shape[0], last.shape[1] + n), last.stride())
                else:
                    pieces.append(piece)
            if kind not in self._held:
                self._held[kind] = torch.cat(pieces, dim=1)
            else:
                torch.cat(pieces, dim=1, out=self._held[kind])
        self._used = dict.fromkeys(self._drawn, 0)


def _follows(first: Tensor, second: Tensor) -> bool:
    """Whether one slice of a stock begins where another ends."""
    same = first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    return same and first.storage_offset() + first.shape[1] == second.storage_offset()


class _StandIn:
    """A learner's state with stand-ins in it; tensors are the learner's own, which learns by them."""

    def __init__(self, algorithm: Any, env: Env[Any], own: Any) -> None:
        self._env, self._own = env, own
        # Kernels write new positions over the old ones, so that these need memory of their own.
        own.copies.game = type(own.copies.game)(*(part.clone() for part in own.copies.game))
        self._game = own.copies.game
        self._numbers = _Numbers(own.streams.device)
        self._state: Any = _shadowed(own, self._numbers)
        name = SCHEDULES[type(algorithm)]
        self._schedule = None if name is None else _Schedule(getattr(algorithm, name), self._numbers)
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
        self._numbers = _Numbers(own.streams.device)
        self._replay = _Replay(own.replay, self._numbers)
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
        students = [replace(one, optimizer=_Adam(one.optimizer, self._numbers)) for one in self._own.students]
        self._algorithm._teach(self._env, self._own, students, self._replay.numbered(first, n).state)


def _tensors(state: Any) -> dict[str, Tensor]:
    return {name: leaf for name, leaf in leaves(state).items() if isinstance(leaf, Tensor)}


def _shadowed(node: Any, numbers: _Numbers) -> Any:
    """The same tree of the same tensors, with stand-ins."""
    stands_in: Mapping[type, Any] = {Streams: _Streams, Adam: _Adam, Replay: _Replay}
    if type(node) in stands_in:
        return stands_in[type(node)](node, numbers)
    if isinstance(node, tuple | list) and not isinstance(node, torch.Size):
        items = [_shadowed(value, numbers) for value in node]
        return type(node)(*items) if hasattr(node, "_fields") else type(node)(items)
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{item.name: _shadowed(getattr(node, item.name), numbers) for item in fields(node)})
    return node


class Piece:
    """Something that draws from fresh streams each time, and whose memory stands: recorded once it has been seen."""

    def __init__(self, kernels: Callable[[Any], None], recorder: Recorder) -> None:
        self._kernels, self._recorder = kernels, recorder
        self._streams: _Streams | None = None
        self._again: Run | None = None

    def __call__(self, streams: Streams) -> None:
        """Runs it once."""
        if self._streams is None:
            self._streams = _Streams(streams, _Numbers(streams.device))
            self._streams.numbers.listening = True
            self._kernels(self._streams)
            self._streams.numbers.settle()
            return
        self._streams.begin(streams)
        self._streams.prepare()
        if self._again is not None:
            self._again()
        else:
            self._again = self._recorder(functools.partial(self._reading, self._streams))

    def _reading(self, streams: _Streams) -> None:
        streams.numbers.read()
        self._kernels(streams)


class _Schedule:
    """A number that hangs on how many steps there have been, such as a temperature."""

    def __init__(self, own: Callable[[int], float], numbers: _Numbers) -> None:
        self._own, self._numbers = own, numbers
        self.begins = 0  # the stretch

    def __call__(self, steps: int) -> Tensor:
        """The number as it is after so many steps. Shapes: []."""
        since = steps - self.begins
        return self._numbers(lambda: (self._own(self.begins + since),), torch.float32)[0]


def _recorded(algorithm: Any, schedule: _Schedule | None) -> Any:
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
