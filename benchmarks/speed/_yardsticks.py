"""Games played by one copy in plain Python, as their rules are told: what ours are measured by, and checked against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

STRIDES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


@dataclass
class PlainHunt:
    """One game of hunters and prey; the first `n_stags` prey are stags, and without any it is Hare-Hunters.

    `needs` counts the hunters that each prey still needs, `hit` says which prey each hunter has hit.
    """

    grid: int
    horizon: int
    n_stags: int
    hunters: list[tuple[int, int]]
    prey: list[tuple[int, int]]
    needs: list[int]
    hit: list[int | None] = field(init=False)
    t: int = 0

    def __post_init__(self) -> None:
        self.hit = [None] * len(self.hunters)

    @property
    def ended(self) -> bool:
        """Nobody is left to be caught or to catch, or the time is up."""
        return not any(self.needs) or None not in self.hit or self.t == self.horizon

    def step(self, actions: Sequence[int], strides: Sequence[int]) -> list[float]:
        """Hunters move by their actions and prey by `strides`; returns what each hunter is paid."""
        if self.ended:
            return [0.0] * len(self.hunters)
        for i, action in enumerate(actions):
            if self.hit[i] is None:
                self.hunters[i] = self._beside(self.hunters[i], action)
        for j, stride in enumerate(strides):
            if self.needs[j]:
                self.prey[j] = self._beside(self.prey[j], stride)
        for i in range(len(self.hunters)):
            if self.hit[i] is None:
                self._try(i)
        self.t += 1
        return self._paid() if self.ended else [0.0] * len(self.hunters)

    def _beside(self, place: tuple[int, int], stride: int) -> tuple[int, int]:
        return (place[0] + STRIDES[stride][0]) % self.grid, (place[1] + STRIDES[stride][1]) % self.grid

    def _try(self, i: int) -> None:
        reach = {self._beside(self.hunters[i], stride) for stride in range(5)}
        for j, place in enumerate(self.prey):
            if place in reach and self.needs[j]:
                self.needs[j] -= 1
                self.hit[i] = j
                return

    def _paid(self) -> list[float]:
        if not self.n_stags:
            return [0.0 if any(self.needs) else 1.0] * len(self.hunters)
        return [0.0 if j is None or self.needs[j] else 1.0 if j < self.n_stags else 0.1 for j in self.hit]
