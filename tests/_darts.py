"""A game for tests in which it is known what is best, and every action pays at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from environments import Box, Discrete, Role, Streams


class Board(NamedTuple):
    t: Tensor  # [S, E, 1]
    goal: Tensor  # [S, E, A, 1]


@dataclass(frozen=True)
class Darts:
    """Whoever throws at its goal gets -(a - ±goal)² for it; no throw changes what comes after.

    One or two roles of agents, the second of which is to hit the mirror image. `told` agents see their goals; else all
    see nothing, and an agent's goal is +0.5 or -0.5, by turns. With `choices` they say whether it is positive instead.
    """

    n_agents: int = 2
    n_mirrored: int = 0
    horizon: int = 3
    told: bool = True
    choices: bool = False
    bound: float = 1.0
    calls: list[int] = field(default_factory=list, compare=False)

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    @property
    def roles(self) -> tuple[Role, ...]:
        action = Discrete(2) if self.choices else Box(1, -self.bound, self.bound)
        first = Role("thrower", self.n_agents, (2,), action)
        return (first, Role("mirror", self.n_mirrored, (3,), action)) if self.n_mirrored else (first,)

    def reset(self, streams: Streams, n_envs: int) -> Board:
        n = self.n_agents + self.n_mirrored
        goal = streams.uniform(n_envs, n, 1, low=-0.8, high=0.8)
        if not self.told:
            goal = torch.tensor([0.5, -0.5]).repeat(n)[:n].unsqueeze(-1).expand_as(goal).clone()
        return Board(torch.zeros(streams.n_seeds, n_envs, 1), goal)

    def step(self, state: Board, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Board, Tensor, Tensor]:
        self.calls.append(state.goal.shape[1])
        sign = torch.tensor([1.0] * self.n_agents + [-1.0] * self.n_mirrored)
        thrown, wanted = torch.cat(actions, 2), sign * state.goal[..., 0]
        reward = ((thrown == 1) == (wanted > 0)).float() if self.choices else -(thrown[..., 0] - wanted).square()
        return Board(state.t + 1, state.goal), reward, torch.zeros(reward.shape[:2], dtype=torch.bool)

    def observe(self, state: Board) -> tuple[Tensor, ...]:
        goal = state.goal if self.told else torch.zeros_like(state.goal)
        first, second = goal.tensor_split((self.n_agents,), dim=2)
        seen = torch.cat([first, torch.ones_like(first)], -1)
        return (seen, torch.cat([second, second, torch.ones_like(second)], -1)) if self.n_mirrored else (seen,)

    def full_state(self, state: Board) -> Tensor:
        return state.goal.flatten(2)
