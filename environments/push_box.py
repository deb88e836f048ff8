"""Push box: two agents push a heavy box to a target, and the box moves only while both of them touch it.

The paper gives the rule, the reward and that three targets are equally far away. The sizes, the mass, the start and
what counts as touching are those of the authors' last setup before their logged runs. It is not in the repository with
their other scenarios, where the box is so heavy that no policy could reach the logged returns.

Source: DVM, experiments section; andretag/multiagent-particle-envs @8efd5c1 (of a co-author, "Final experiment and
    setup for push box test"), `complex_push.py` in `multiagent/scenarios`, `multiagent/core.py` and `environment.py`.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from environments import Amount, Positive, Role, Streams, check
from environments._particles import (
    OPENAI,
    ActionKind,
    Particles,
    Physics,
    action_space,
    contact_forces,
    flattened,
    integrate,
    lengths,
    never,
    ordered_sum,
    others,
    reaches,
    stored_for_speed,
    thrust,
    validate,
)

LEFT, RIGHT, DIAGONAL = (-1.0, 0.0), (1.0, 0.0), (-math.sqrt(0.5), -math.sqrt(0.5))

TARGETS = {"I": (LEFT,), "II": (RIGHT,), "III": (LEFT, RIGHT, DIAGONAL)}
"""In which directions from the box the target may lie; the third is that of SamirW's fork @6419450, (−0.60, −0.60)."""


@dataclass(frozen=True)
class PushBox:
    """Every agent is rewarded with −‖box − target‖², so that an episode in which nobody moves the box is worth −72.25.

    The box is the last body of the state and the target its landmark. Contact pushes agents and box apart with equal
    force. Where fewer than two agents touch the box, once they have moved, it stays where it is in that step, and keeps
    the velocity with which it goes on when they touch it again.

    Two departures from the authors' code: there an agent touches the box where the x component of the force between
    them is at least 0.005, so that nobody could push along y, and here where its length is; and their agents see the
    time, t/100, as here those of `Timed` do.

    Units: the reward of one agent is the same for all, at one step.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    n_agents: int = 2
    task: Literal["I", "II", "III"] = "I"
    """The target is on the left in I, on the right in II; in III it is either, or a third, anew at every reset."""
    action: ActionKind = "discrete"
    horizon: int = 100
    agent_size: Positive = 0.1
    box_size: Positive = 0.25
    box_mass: Positive = 5.0
    distance: Amount = 0.85
    """From the box at (0, 0) to the target."""
    sensitivity: Amount = 2.0
    touch: Amount = 0.003
    """An agent touches the box with less than this between them: there the contact force is 0.005."""
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        return (Role("agent", self.n_agents, (8 + 2 * (self.n_agents - 1),), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest, uniform in [−1, 1)² even where the box is; the box at (0, 0); the target of the task."""
        agents = streams.uniform(n_envs, self.n_agents, 2, low=-1.0, high=1.0)
        position = torch.cat([agents, torch.zeros_like(agents[:, :, :1])], 2)
        targets = _targets(self.task, agents.device) * self.distance
        chosen = streams.integers(n_envs, 1, high=len(targets))  # [S, E, 1]
        return Particles(position, torch.zeros_like(position), targets[chosen])

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes, is pushed, and moves; then the box does, where two touch it. The target stays."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        agents, box = state.position.split([self.n_agents, 1], 2)
        velocity, box_velocity = state.velocity.split([self.n_agents, 1], 2)
        pushed = contact_forces(self.physics, agents, box, self._reach(agents, (self.box_size,)))
        apart = contact_forces(self.physics, agents, agents, self._reach(agents, (self.agent_size,) * self.n_agents))
        force = thrust(self.action, actions[0], agents.dtype) * self.sensitivity + apart + pushed
        agents, velocity = integrate(self.physics, agents, velocity, force)
        moving = integrate(self.physics, box, box_velocity, -ordered_sum(pushed, 2).unsqueeze(2) / self.box_mass)
        # As in the authors' loop over bodies, agents have moved when it is asked who touches the box.
        touching = lengths(agents - box) < self.agent_size + self.box_size + self.touch  # [S, E, A]
        moves = (touching.sum(-1) >= 2)[:, :, None, None]
        box, box_velocity = torch.where(moves, moving[0], box), torch.where(moves, moving[1], box_velocity)
        after = Particles(torch.cat([agents, box], 2), torch.cat([velocity, box_velocity], 2), state.landmark)
        return after, self._reward(after), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, own position, the relative box, the relative target, relative others."""
        measuring = _measuring(self.n_agents, state.position.device, state.position.dtype)
        return ((flattened(state) @ measuring).unflatten(-1, (self.n_agents, -1)),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents and the box, each with the box last, then the target."""
        return flattened(state)

    def radii(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of agents and the box; the target is a place."""
        return (*(self.agent_size,) * self.n_agents, self.box_size), (0.05,)

    def _reach(self, agents: Tensor, sizes: tuple[float, ...]) -> Tensor:
        return reaches((self.agent_size,) * self.n_agents, sizes, agents.device, agents.dtype)

    def _reward(self, state: Particles) -> Tensor:
        missing = state.position[:, :, -1] - state.landmark[:, :, 0]
        reward = -ordered_sum(missing.square(), -1).unsqueeze(-1)  # [S, E, 1]
        return reward.expand(-1, -1, self.n_agents).contiguous()


@functools.cache
def _targets(task: str, device: torch.device) -> Tensor:
    """`TARGETS` as a tensor. Shapes: [ways, 2]."""
    return torch.tensor(TARGETS[task], dtype=torch.float32, device=device)


@functools.cache
def _measuring(n_agents: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The matrix that turns a flattened state into what all agents see: every column has a 1, or a 1 and a -1.

    As in `egocentric`, a product with it equals the subtractions bit for bit, and is faster.

    Shapes: [4(A+1) + 2, A · (8 + 2(A-1))].
    """
    n_places = 2 * (n_agents + 1) + 1  # positions, velocities, target
    place = torch.eye(2 * n_places, device=device, dtype=dtype).unflatten(0, (n_places, 2))  # [n, 2, K]
    position, velocity, (target,) = place.split([n_agents + 1, n_agents + 1, 1])
    columns = []
    for i in range(n_agents):
        seen = [position[-1], target, *(position[j] for j in others(n_agents, i))]
        columns += [velocity[i], position[i], *(thing - position[i] for thing in seen)]
    return torch.cat(columns).T.contiguous()
