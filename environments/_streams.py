"""One random stream per seed, so that row `s` of every draw depends on seed `s` alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


class Streams:
    """`S` independent generators that are drawn from side by side; numbers are float32, whatever PyTorch's default is.

        streams = Streams.of(seeds=[3, 7], purpose="training", device="cpu")
        streams.normal(25, 2)                # [2, 25, 2]

    The same seed under another purpose is another stream: evaluating a policy never moves the stream that trains it.
    """

    def __init__(self, generators: Sequence[torch.Generator]) -> None:
        self._generators = tuple(generators)

    @classmethod
    def of(cls, seeds: Sequence[int], purpose: str, device: str | torch.device) -> Streams:
        """Fresh streams, one for each of `seeds`.

        Raises: ValueError where no seed is given.
        """
        if not seeds:
            raise ValueError("streams need at least one seed, got none")
        key = zlib.crc32(purpose.encode())
        return cls([_generator(np.random.SeedSequence(entropy=seed, spawn_key=(key,)), device) for seed in seeds])

    @property
    def n_seeds(self) -> int:
        return len(self._generators)

    @property
    def device(self) -> torch.device:
        return self._generators[0].device

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Draws from U[low, high). Shapes: [S, *shape]."""
        out = torch.empty(self.n_seeds, *shape, dtype=torch.float32, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.uniform_(low, high, generator=generator)
        return out

    def normal(self, *shape: int) -> Tensor:
        """Draws from N(0, 1). Shapes: [S, *shape]."""
        out = torch.empty(self.n_seeds, *shape, dtype=torch.float32, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.normal_(generator=generator)
        return out

    def integers(self, *shape: int, high: int) -> Tensor:
        """Draws from {0, …, high-1}. Shapes: [S, *shape] int64."""
        out = torch.empty(self.n_seeds, *shape, dtype=torch.int64, device=self.device)
        for row, generator in zip(out.unbind(0), self._generators, strict=True):
            row.random_(0, high, generator=generator)
        return out

    def branched(self) -> Streams:
        """Streams that go on from the same place, by themselves."""
        own = Streams([torch.Generator(device=self.device) for _ in self._generators])
        own.load(self.save())
        return own

    def aside(self, purpose: str) -> Streams:
        """Streams for another purpose, without moving these: what one of them draws says nothing about the other."""
        words = self.branched().integers(2, high=2**32).tolist()
        key = zlib.crc32(purpose.encode())
        return Streams(
            [_generator(np.random.SeedSequence(entropy=entropy, spawn_key=(key,)), self.device) for entropy in words]
        )

    def save(self) -> Tensor:
        """Where each stream stands. Shapes: [S, n] uint8."""
        return torch.stack([generator.get_state() for generator in self._generators])

    def load(self, saved: Tensor) -> None:
        """Continue from where `save` stood, bit for bit."""
        for generator, row in zip(self._generators, saved.cpu().unbind(0), strict=True):
            generator.set_state(row.clone())  # not a view: the rest of its memory would be read as well


def _generator(sequence: np.random.SeedSequence, device: str | torch.device) -> torch.Generator:
    """A fresh generator, seeded with 63 bits."""
    words = sequence.generate_state(2, np.uint32)
    generator = torch.Generator(device=device)
    generator.manual_seed(int(words[0]) | int(words[1] & 0x7FFFFFFF) << 32)
    return generator
