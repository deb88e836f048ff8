"""One random stream per seed, so that row `s` of every draw depends on seed `s` alone."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

AHEAD = 1 << 18
"""How many numbers of a kind are drawn at a time where they are drawn ahead."""

KINDS: dict[str, tuple[torch.dtype, Callable[[Tensor, torch.Generator], Tensor]]] = {
    "uniform": (torch.float32, lambda row, generator: row.uniform_(generator=generator)),
    "normal": (torch.float32, lambda row, generator: row.normal_(generator=generator)),
    "integers": (torch.int64, lambda row, generator: row.random_(generator=generator)),
}


class Stock(NamedTuple):
    """Numbers that have been drawn ahead, how many have been handed out, and where every generator stood before.

    Shapes: numbers [S, n], which nobody writes to; before [S, m] uint8.
    """

    numbers: Tensor
    used: int
    before: Tensor


class Streams:
    """`S` independent generators that are drawn from side by side; numbers are float32, whatever PyTorch's default is.

        streams = Streams.of(seeds=[3, 7], purpose="training", device="cpu")
        streams.normal(25, 2)                # [2, 25, 2]

    The same seed under another purpose is another stream: evaluating a policy never moves the stream that trains it.

    A draw takes one operation a seed. On an accelerator, where every operation costs its start, many numbers are drawn
    `ahead`, and a draw copies some of them, of all seeds at once.
    """

    def __init__(self, generators: Sequence[torch.Generator], *, ahead: bool = False) -> None:
        self._generators, self._ahead = tuple(generators), ahead
        self._stocks: dict[str, Stock] = {}

    @classmethod
    def of(
        cls, seeds: Sequence[int], purpose: str, device: str | torch.device, *, ahead: bool | None = None
    ) -> Streams:
        """Fresh streams, one for each of `seeds`; where nothing is said, they draw ahead on accelerators.

        Raises: ValueError where no seed is given.
        """
        if not seeds:
            raise ValueError("streams need at least one seed, got none")
        key = zlib.crc32(purpose.encode())
        generators = [_generator(np.random.SeedSequence(entropy=seed, spawn_key=(key,)), device) for seed in seeds]
        return cls(generators, ahead=torch.device(device).type != "cpu" if ahead is None else ahead)

    @property
    def n_seeds(self) -> int:
        return len(self._generators)

    @property
    def device(self) -> torch.device:
        return self._generators[0].device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draws from U[low, high). Shapes: [S, *shape]."""
        if self._ahead:
            return _stretched(self._taken("uniform", shape), low, high)
        out = torch.empty(self.n_seeds, *shape, dtype=torch.float32, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.uniform_(low, high, generator=generator)
        return out

    def normal(self, *shape: int) -> Tensor:
        """Draws from N(0, 1). Shapes: [S, *shape]."""
        if self._ahead:
            return self._taken("normal", shape).clone()
        out = torch.empty(self.n_seeds, *shape, dtype=torch.float32, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.normal_(generator=generator)
        return out

    def integers(self, *shape: int, high: int) -> Tensor:
        """Draws from {0, …, high-1}. Shapes: [S, *shape] int64."""
        if self._ahead:
            return self._taken("integers", shape).remainder(high)  # of 2⁶³ numbers: they are as good as uniform
        out = torch.empty(self.n_seeds, *shape, dtype=torch.int64, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.random_(0, high, generator=generator)
        return out

    def branched(self) -> Streams:
        """Streams that go on from the same place, by themselves."""
        own = Streams([torch.Generator(device=self.device) for _ in self._generators], ahead=self._ahead)
        own._stand(self._standing())
        own._stocks = dict(self._stocks)
        return own

    def aside(self, purpose: str) -> Streams:
        """Streams for another purpose, without moving these: what one of them draws says nothing about the other."""
        words = self.branched().integers(2, high=2**32).tolist()
        key = zlib.crc32(purpose.encode())
        generators = [
            _generator(np.random.SeedSequence(entropy=entropy, spawn_key=(key,)), self.device) for entropy in words
        ]
        return Streams(generators, ahead=self._ahead)

    def save(self) -> Tensor:
        """Where each stream stands. Shapes: [S, n] uint8."""
        now = self._standing()
        if not self._ahead:
            return now
        parts = [now]
        for kind in KINDS:
            stock = self._stocks.get(kind, Stock(torch.empty(self.n_seeds, 0), 0, torch.zeros_like(now)))
            numbers = torch.tensor([[stock.numbers.shape[1], stock.used]]).view(torch.uint8)  # [1, 16]
            parts += [stock.before, numbers.expand(self.n_seeds, -1)]
        return torch.cat(parts, dim=1)

    def load(self, saved: Tensor) -> None:
        """Continue from where `save` stood, bit for bit.

        Raises: ValueError where numbers are drawn ahead, and the streams have drawn unequally many.
        """
        saved = saved.cpu()
        if not self._ahead:
            self._stand(saved)
            return
        width = self._standing().shape[1]
        now, *parts = saved.split([width, *(width, 16) * len(KINDS)], dim=1)
        self._stocks = {}
        for kind, before, counted in zip(KINDS, parts[::2], parts[1::2], strict=True):
            sizes = counted.contiguous().view(torch.int64)  # [S, 2]
            if not torch.equal(sizes, sizes[:1].expand_as(sizes)):
                raise ValueError(f"streams that draw side by side must have drawn as much, got {sizes.tolist()}")
            n_numbers, used = sizes[0].tolist()
            if n_numbers:
                self._stand(before)
                self._stocks[kind] = self._drawn(kind, n_numbers)._replace(used=used)
        self._stand(now)

    def _standing(self) -> Tensor:
        """The states of the generators. Shapes: [S, m] uint8."""
        return torch.stack([generator.get_state() for generator in self._generators])

    def _stand(self, states: Tensor) -> None:
        for generator, row in zip(self._generators, states.unbind(0), strict=True):
            generator.set_state(row.clone())  # not a view: the rest of its memory would be read as well

    def _taken(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        """The next numbers of a kind, as a view; what is left of a stock that is too small is lost."""
        n = math.prod(shape)
        stock = self._stocks.get(kind)
        if stock is None or stock.used + n > stock.numbers.shape[1]:
            stock = self._drawn(kind, max(AHEAD, n))
        self._stocks[kind] = stock._replace(used=stock.used + n)
        return stock.numbers[:, stock.used : stock.used + n].view(self.n_seeds, *shape)

    def _drawn(self, kind: str, n: int) -> Stock:
        """Fresh numbers of a kind, none of which has been handed out."""
        before = self._standing()
        dtype, fill = KINDS[kind]
        numbers = torch.empty(self.n_seeds, n, dtype=dtype, device=self.device)
        for row, generator in zip(numbers.unbind(0), self._generators, strict=True):
            fill(row, generator)
        return Stock(numbers, 0, before)


def _stretched(unit: Tensor, low: float, high: float) -> Tensor:
    """Draws from U[0, 1) as such from U[low, high), in memory of their own; no rounding leads to `high` itself."""
    if (low, high) == (0.0, 1.0):
        return unit.clone()
    below = float(np.nextafter(np.float32(high), np.float32(low)))
    return unit.mul(high - low).add_(low).clamp_max_(below)


def _generator(sequence: np.random.SeedSequence, device: str | torch.device) -> torch.Generator:
    """A fresh generator, seeded with 63 bits."""
    words = sequence.generate_state(2, np.uint32)
    generator = torch.Generator(device=device)
    generator.manual_seed(int(words[0]) | int(words[1] & 0x7FFFFFFF) << 32)
    return generator
