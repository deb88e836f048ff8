"""Two small games on a torus, for algorithms that play on grids.

`Chase` has all that such games can have: an odd and an even side, marks that may fall together, draws while it goes on,
episodes that end at different times, some with a reward and some at the time limit without one. `Targets` takes one
step, and what is best in it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from environments import Action, Discrete, Planes, Role, Streams


class Positions(NamedTuple):
    agents: Tensor  # [S, E, A, 2] int64: row, column
    prey: Tensor  # [S, E, 2] int64
    step: Tensor  # [S, E] int64


@dataclass(frozen=True)
class Chase:
    """Agents run after one prey that strays. Whoever stands on it when somebody does gets 1, and it is over.

    Plane i shows agent i, the last one the prey.
    """

    n_agents: int = 3
    height: int = 6
    width: int = 5
    horizon: int = 8

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = True

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("hunter", self.n_agents, (2 * self.n_agents + 2,), Discrete(5)),)

    @property
    def planes(self) -> Planes:
        return Planes(self.n_agents + 1, self.height, self.width)

    def reset(self, streams: Streams, n_envs: int) -> Positions:
        places = streams.integers(n_envs, self.n_agents + 1, high=self.height * self.width)
        drawn = torch.stack([places // self.width, places % self.width], dim=-1)
        step = torch.zeros(drawn.shape[:2], dtype=torch.int64, device=streams.device)
        return Positions(drawn[:, :, :-1].contiguous(), drawn[:, :, -1].contiguous(), step)

    def step(self, state: Positions, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Positions, Tensor, Tensor]:
        size = torch.tensor([self.height, self.width], device=streams.device)
        moves = torch.tensor([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]], device=streams.device)
        strays = streams.integers(state.prey.shape[1], high=5)
        agents, prey = (state.agents + moves[actions[0]]) % size, (state.prey + moves[strays]) % size
        caught = (agents == prey.unsqueeze(2)).all(dim=-1)  # [S, E, A]
        after = Positions(agents, prey, state.step + 1)
        return after, caught.float(), caught.any(dim=-1) | (after.step >= self.horizon)

    def observe(self, state: Positions) -> tuple[Tensor, ...]:
        seen = self.full_state(state).unsqueeze(2)
        return (seen.expand(-1, -1, self.n_agents, -1),)

    def full_state(self, state: Positions) -> Tensor:
        return torch.cat([state.agents.flatten(2), state.prey], dim=-1).float()

    def cells(self, state: Positions) -> Tensor:
        everybody = torch.cat([state.agents, state.prey.unsqueeze(2)], dim=2)  # [S, E, A+1, 2]
        plane = torch.arange(self.n_agents + 1, device=everybody.device)
        return (plane * self.height + everybody[..., 0]) * self.width + everybody[..., 1]

    def elapsed(self, state: Positions) -> Tensor:
        return state.step


class Shown(NamedTuple):
    first: Tensor  # [S, E] int64


@dataclass(frozen=True)
class Targets:
    """In one step every agent chooses a target, each the one after the next agent's; one mark shows agent 0's.

    Everybody gets 1 for every agent that chooses its own target, by the number of agents. There are as many targets as
    agents: drawing them uniformly earns 1/A an agent, and so does every other policy that is the same for all.
    """

    n_agents: int = 4
    horizon: int = 1

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = True

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", self.n_agents, (1,), Discrete(self.n_agents)),)

    @property
    def planes(self) -> Planes:
        return Planes(1, 4, self.n_agents)

    def reset(self, streams: Streams, n_envs: int) -> Shown:
        return Shown(streams.integers(n_envs, high=self.n_agents))

    def step(self, state: Shown, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Shown, Tensor, Tensor]:
        right = (actions[0] == self.right(state)).float().mean(dim=-1, keepdim=True)
        return state, right.expand(-1, -1, self.n_agents), torch.ones_like(state.first, dtype=torch.bool)

    def right(self, state: Shown) -> Tensor:
        """Every agent's target. Shapes: [S, E, A]."""
        return (state.first.unsqueeze(-1) + torch.arange(self.n_agents, device=state.first.device)) % self.n_agents

    def observe(self, state: Shown) -> tuple[Tensor, ...]:
        return (self.full_state(state).unsqueeze(2).expand(-1, -1, self.n_agents, -1),)

    def full_state(self, state: Shown) -> Tensor:
        return state.first.float().unsqueeze(-1)

    def cells(self, state: Shown) -> Tensor:
        return (self.n_agents + state.first).unsqueeze(-1)  # in the second row


class Counted(NamedTuple):
    step: Tensor  # [S, E, A, 1]


@dataclass(frozen=True)
class Brief:
    """Pays everybody 1 a step and ends after the third, but goes on paying whoever plays on; on a grid or not."""

    action: Action
    n_agents: int = 2
    horizon: int = 25

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = True

    LENGTH: ClassVar[int] = 3

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", self.n_agents, (1,), self.action),)

    @property
    def planes(self) -> Planes:
        return Planes(1, 4, 4)

    def reset(self, streams: Streams, n_envs: int) -> Counted:
        return Counted(torch.zeros(streams.n_seeds, n_envs, self.n_agents, 1, device=streams.device))

    def step(self, state: Counted, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Counted, Tensor, Tensor]:
        after = Counted(state.step + 1)
        return after, torch.ones_like(state.step[..., 0]), after.step[:, :, 0, 0] >= self.LENGTH

    def observe(self, state: Counted) -> tuple[Tensor, ...]:
        return (state.step / self.horizon,)

    def full_state(self, state: Counted) -> Tensor:
        return state.step.flatten(2)

    def cells(self, state: Counted) -> Tensor:
        return state.step[:, :, 0].long().clamp_max(15)
