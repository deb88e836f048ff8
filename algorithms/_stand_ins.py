"""Stand-ins for what the host decides as training goes on, so that kernels can be recorded and run again.

What is recorded stands: addresses, sizes, and every number that the host puts into a kernel. So the host's numbers are
written into a table before each run (`Numbers`), and what holds them reads them from there: an optimizer its bias
correction, a replay the rows that it writes and the range that it draws from, a schedule its value. Random numbers are
copied from the stock into memory that stands.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from algorithms._optimizers import Adam, Tensors
from algorithms._replay import Replay, Transitions
from environments import Streams, side_by_side
from environments._streams import _stretched

Run = Callable[[], None]


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


class Numbers:
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


class ReadAdam:
    """An optimizer whose corrections are read. The arithmetic is `Adam.step`'s, but for the last rounding."""

    def __init__(self, own: Adam, numbers: Numbers) -> None:
        self._own, self._numbers = own, numbers

    def step(
        self, parameters: Tensors, gradients: Tensors, learning_rate: float, *, corrected_epsilon: bool = False
    ) -> None:
        """See `Adam.step`."""
        own = self._own

        def corrections() -> tuple[float, float]:
            own.count += 1
            correction = math.sqrt(1 - 0.999**own.count)
            return learning_rate * correction / (1 - 0.9**own.count), 1e-8 * (correction if corrected_epsilon else 1.0)

        rate, epsilon = self._numbers(corrections, torch.float32).unbind(0)
        torch._foreach_lerp_(own.first, gradients, 0.1)
        torch._foreach_mul_(own.second, 0.999)
        torch._foreach_addcmul_(own.second, gradients, gradients, 0.001)
        roots = torch._foreach_sqrt(own.second)
        torch.ops.aten._foreach_add_.Tensor(roots, epsilon)  # by its name: Python would choose the one that waits
        changes = torch._foreach_div(own.first, roots)
        torch._foreach_mul_(changes, rate)
        torch._foreach_sub_(parameters, changes)


class ReadReplay:
    """A ring, at its full size, whose rows are found by numbers that are read."""

    def __init__(self, own: Replay, numbers: Numbers) -> None:
        while own.rows.shape[2] < (room := _most_rows(own)):
            grown = own.rows.new_zeros(*own.rows.shape[:2], room, own.rows.shape[3])
            grown[:, :, : own.rows.shape[2]] = own.rows
            own.rows = grown
        self._own, self._numbers = own, numbers
        self._overwrites = False  # while a stretch is recorded

    @property
    def actions_shape(self) -> torch.Size:
        """See `Replay.actions_shape`."""
        return self._own.actions_shape

    def append(self, state: Any, actions: Tensor, reward: Tensor, next_state: Any) -> None:
        """See `Replay.append`."""
        here, next_row = self._numbers(self._next_rows, torch.int64).split(1)
        following = side_by_side(next_state)
        row = torch.cat([side_by_side(state), *actions.unbind(2), reward], dim=-1)
        self._own.rows.index_copy_(2, here, row.unsqueeze(2))
        self._own.rows[..., : following.shape[-1]].index_copy_(2, next_row, following.unsqueeze(2))

    def numbered(self, first: Tensor, n: int) -> Transitions:
        """See `Replay.numbered`; so many from the first on. Shapes: first [1]."""
        rows = self._own.rows
        return self._own.taken((first + torch.arange(n, device=rows.device)).expand(rows.shape[0], -1))

    def _next_rows(self) -> tuple[int, int]:
        row = self._own._row(self._own.n_steps)
        self._own.n_steps += 1
        return row, row + 1

    def leaving(self) -> Tensor | None:
        """See `Replay.leaving`."""
        own = self._own
        if not self._numbers.reading:
            self._overwrites = overwrites(own)
        if not self._overwrites:
            return None
        row = self._numbers(lambda: (own._row(own.oldest),), torch.int64)
        return own.rows.index_select(2, row)[:, :, 0, -own.actions_shape[0] :]

    def sample(self, streams: Any, batch_size: int, *, oldest: int = 0) -> Transitions:
        """See `Replay.sample`."""
        return self.taken(self.drawn(streams, batch_size, oldest=oldest))

    def drawn(self, streams: Any, batch_size: int, *, oldest: int = 0) -> Tensor:
        """See `Replay.drawn`."""
        own = self._own

        def bounds() -> tuple[int, int]:
            first = max(oldest, own.oldest)
            return first * own.n_envs, (own.n_steps - first) * own.n_envs

        first, n = self._numbers(bounds, torch.int64).unbind(0)
        numbers: Tensor = streams.integers(batch_size, high=n).add_(first)
        return numbers

    def taken(self, numbers: Tensor) -> Transitions:
        """See `Replay.taken`."""
        return self._own.taken(numbers)


def overwrites(replay: Replay, more: int = 0) -> bool:
    """Whether the next step of every copy takes the place of another, once there have been so many more."""
    return replay.n_steps + more >= replay._room


def _most_rows(replay: Replay) -> int:
    """How many rows a ring has in the end."""
    ring = replace(replay, rows=replay.rows.to("meta"), n_steps=0)
    while True:
        before = ring.rows.shape[2]
        ring.n_steps = ring._episodes * ring.horizon
        ring._grow()
        if ring.rows.shape[2] == before:
            return before


class ReadStreams:
    """Streams whose numbers are copied into memory that stands, before a stretch reads them in order."""

    def __init__(self, own: Streams, numbers: Numbers) -> None:
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


class Schedule:
    """A number that hangs on how many steps there have been, such as a temperature."""

    def __init__(self, own: Callable[[int], float], numbers: Numbers) -> None:
        self._own, self._numbers = own, numbers
        self.begins = 0  # the stretch

    def __call__(self, steps: int) -> Tensor:
        """The number as it is after so many steps. Shapes: []."""
        since = steps - self.begins
        return self._numbers(lambda: (self._own(self.begins + since),), torch.float32)[0]


class Piece:
    """Something that draws from fresh streams each time, and whose memory stands: recorded once it has been seen."""

    def __init__(self, kernels: Callable[[Any], None], recorder: Recorder) -> None:
        self._kernels, self._recorder = kernels, recorder
        self._streams: ReadStreams | None = None
        self._again: Run | None = None

    def __call__(self, streams: Streams) -> None:
        """Runs it once."""
        if self._streams is None:
            self._streams = ReadStreams(streams, Numbers(streams.device))
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

    def _reading(self, streams: ReadStreams) -> None:
        streams.numbers.read()
        self._kernels(streams)
