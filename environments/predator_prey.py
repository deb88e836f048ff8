"""Predator and prey (PP): agents surround prey landmarks that run away from where the agents are about to be.

The paper gives three agents, two prey that know the agents' location, velocity and acceleration, +10 per capture and 50
steps. It does not print the sizes, the speed of the prey or what a capture is; they are fields here, and our choices.

Source: CTEDD, experiments section.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from environments import Role, Streams, check
from environments._particles import (
    OPENAI,
    ActionKind,
    Particles,
    Physics,
    action_space,
    contact_forces,
    egocentric,
    egocentric_size,
    flattened,
    integrate,
    lengths,
    never,
    offsets,
    ordered_sum,
    reaches,
    shared,
    stored_for_speed,
    thrust,
    validate,
)


@dataclass(frozen=True)
class PredatorPrey:
    """Agents are rewarded while all of them are close to the same prey.

    Once the forces of this step are known, each prey predicts the agents at x + v·dt + ½·a·dt² and goes, one step of
    fixed length inside the arena, where the sum of its distances to them is largest; or it stays. Then the agents
    move. Every agent's own reward has +10 for each prey that has all agents within the capture radius, at every such
    step; prey are not replaced. All agents get the sum over agents.

    Units: the reward of one agent is the sum over agents at one step.
    """

    version: ClassVar[int] = 1

    n_agents: int = 3
    n_prey: int = 2
    horizon: int = 50
    action: ActionKind = "force"
    observation: Literal["vectors", "distance"] = "vectors"
    agent_size: float = 0.1
    sensitivity: float = 5.0
    capture_radius: float = 0.3
    capture_reward: float = 10.0
    prey_step: float = 0.05
    n_directions: int = 16
    arena: float = 1.0
    """Prey stay in the square of this half-width; agents may leave it."""
    physics: Physics = OPENAI

    may_end: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check(self)

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = egocentric_size(self.n_agents, self.n_prey, self.observation)
        return (Role("agent", self.n_agents, (size,), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest and prey, all uniform in [−1, 1)²."""
        places = streams.uniform(n_envs, self.n_agents + self.n_prey, 2, low=-1.0, high=1.0)
        position, prey = places.tensor_split((self.n_agents,), dim=2)
        return Particles(position.contiguous(), torch.zeros_like(position), prey.contiguous())

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes and is pushed; then prey flee and agents move."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        force = thrust(self.action, actions[0], state.position.dtype) * self.sensitivity
        force = force + contact_forces(self.physics, state.position, state.position, self._reach(state))
        prey = self._fled(state, force)
        position, velocity = integrate(self.physics, state.position, state.velocity, force)
        after = Particles(position, velocity, prey)
        return after, self._reward(after), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, then relative prey, then relative agents (or their distances)."""
        return (egocentric(state, self.observation),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the prey."""
        return flattened(state)

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _fled(self, state: Particles, force: Tensor) -> Tensor:
        dt = self.physics.dt
        predicted = state.position + state.velocity * dt + force * (0.5 * dt * dt / self.physics.mass)
        steps = directions(self.n_directions, force.device, force.dtype) * self.prey_step  # [K, 2]
        options = (state.landmark.unsqueeze(-2) + steps).clamp(-self.arena, self.arena)  # [S, E, P, K, 2]
        distance = lengths(offsets(options, predicted.unsqueeze(2)))  # [S, E, P, K, A]
        best = ordered_sum(distance, -1).argmax(-1)  # [S, E, P], the first of the largest
        return options.take_along_dim(best[..., None, None], -2).squeeze(-2)

    def _reward(self, after: Particles) -> Tensor:
        near = lengths(offsets(after.position, after.landmark)) < self.capture_radius  # [S, E, A, P]
        captures = near.all(-2).sum(-1).to(after.position.dtype)  # [S, E]
        return shared((captures * self.capture_reward).unsqueeze(-1).expand(-1, -1, self.n_agents))


@functools.cache
def directions(n: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Staying, then n unit vectors counter-clockwise from +x. Shapes: [1 + n, 2]."""
    angles = [2.0 * math.pi * k / n for k in range(n)]
    return torch.tensor([(0.0, 0.0)] + [(math.cos(a), math.sin(a)) for a in angles], device=device, dtype=dtype)
