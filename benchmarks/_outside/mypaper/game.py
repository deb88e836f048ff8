"""The game: two agents on a ring of places, who are paid while they stand in the same one.

A game is a frozen dataclass of its constants and keeps nothing: a state goes in, the next one comes out. All seeds and
all copies of the game are played at once. Shapes: S seeds, E copies, A agents; a seed never sees another one's numbers,
so that nothing is drawn, summed or normalised along the first axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from environments import Count, Discrete, Role, Streams, check
from environments._particles import validate


class Places(NamedTuple):
    """Where everybody stands: all that matters for the future."""

    place: Tensor  # [S, E, A], whole numbers 0 … n_places - 1, kept as floats


@dataclass(frozen=True)
class Meeting:
    """Both agents get 1 in every step after which they stand in the same place, else 0.

    An agent sees how many places the other one is ahead, and goes a place back, stays, or goes one on. Who are an odd
    number of places apart miss each other where both go: one of them must wait.

    Units: the reward of one agent at one step.
    """

    version: ClassVar[int] = 1  # raise it whenever the same call returns other numbers
    may_end: ClassVar[bool] = False  # no rule ends an episode before its horizon

    n_places: Count = 7
    horizon: int = 10

    def __post_init__(self) -> None:
        check(self)  # a misspelt setting is an error in one sentence

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role of two agents: what they see, and how many choices they have."""
        return (Role("agent", 2, (self.n_places,), Discrete(3)),)

    def reset(self, streams: Streams, n_envs: int) -> Places:
        """Both anywhere. Every seed draws from a stream of its own."""
        return Places(streams.integers(n_envs, 2, high=self.n_places).float())

    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Places, Tensor, Tensor]:
        """The next state, the reward [S, E, A], and whether a rule has ended the game [S, E]."""
        validate(self.roles, actions, state.place.shape[:2])
        place = (state.place + actions[0] - 1).remainder(self.n_places)
        together = place == place.flip(2)
        return Places(place), together.to(place.dtype), torch.zeros_like(together[:, :, 0])

    def observe(self, state: Places) -> tuple[Tensor, ...]:
        """How far the other one is ahead, as a row with a single 1. Shapes: one [S, E, A, n_places] a role."""
        ahead = (state.place.flip(2) - state.place).remainder(self.n_places)
        return (one_hot(ahead.long(), self.n_places).to(state.place.dtype),)

    def full_state(self, state: Places) -> Tensor:
        """The state as one row, for whoever may see everything. Shapes: [S, E, A]."""
        return torch.clone(state.place)

    def marks(self, state: Places) -> tuple[int, list[tuple[int, int, str]]]:
        """For whoever watches: how many cells a side has, and who is in which, the ring laid out as a row."""
        (first, second), row = state.place.int().tolist(), self.n_places // 2
        return self.n_places, [(first, row, "blue"), (second, row, "red")]
