"""Simple tag: slower predators chase faster prey around obstacles.

Source: openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_tag.py`; mpe2 1.1.1, `simple_tag`, has
the same rules and another integrator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from environments import Role, Streams
from environments._particles import (
    OPENAI,
    ActionKind,
    Particles,
    Physics,
    action_space,
    constant,
    contact_forces,
    flattened,
    integrate,
    joined,
    lengths,
    never,
    offsets,
    offsets_to_others,
    ordered_sum,
    others_of,
    reaches,
    stored_for_speed,
    thrust,
    validate,
)


@dataclass(frozen=True)
class SimpleTag:
    """Predators are rewarded for every touch of prey, prey are penalised for it and for leaving the arena.

    Every predator gets +10 for each pair of a predator and a prey in contact; a prey gets −10 for each predator that
    touches it and −Σ_dim bound(|x_dim|). Nothing is summed over agents.

    Units: the reward of one agent at one step.
    """

    version: ClassVar[int] = 1

    n_predators: int = 3
    n_prey: int = 1
    n_obstacles: int = 2
    horizon: int = 25
    action: ActionKind = "soft"
    predator_size: float = 0.075
    prey_size: float = 0.05
    obstacle_size: float = 0.2
    predator_sensitivity: float = 3.0
    prey_sensitivity: float = 4.0
    predator_max_speed: float = 1.0
    prey_max_speed: float = 1.3
    touch_reward: float = 10.0
    obstacle_spread: float = 0.9
    """Obstacles start uniformly in the square of this half-width."""
    physics: Physics = OPENAI

    @property
    def roles(self) -> tuple[Role, ...]:
        """Predators, whom the sources call adversaries, then prey."""
        size = 4 + 2 * self.n_obstacles + 2 * (self.n_predators + self.n_prey - 1)
        space = action_space(self.action)
        return (
            Role("adversary", self.n_predators, (size + 2 * self.n_prey,), space),
            Role("good", self.n_prey, (size + 2 * (self.n_prey - 1),), space),
        )

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest, uniform in [−1, 1)², and obstacles in [−0.9, 0.9)²."""
        position = streams.uniform(n_envs, self.n_predators + self.n_prey, 2, low=-1.0, high=1.0)
        spread = self.obstacle_spread
        obstacles = streams.uniform(n_envs, self.n_obstacles, 2, low=-spread, high=spread)
        return Particles(position, torch.zeros_like(position), obstacles)

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes, is pushed by others and by obstacles, and moves up to its top speed."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        dtype, device = state.position.dtype, state.position.device
        sensitivity = constant(self._each(self.predator_sensitivity, self.prey_sensitivity), device, dtype)
        speed = constant(self._each(self.predator_max_speed, self.prey_max_speed), device, dtype)
        sizes = self._each(self.predator_size, self.prey_size)
        reach = reaches(sizes, (*sizes, *(self.obstacle_size,) * self.n_obstacles), device, dtype)
        solid = torch.cat([state.position, state.landmark], 2)
        force = thrust(self.action, torch.cat(actions, 2), dtype) * sensitivity.unsqueeze(-1)
        force = force + contact_forces(self.physics, state.position, solid, reach)
        position, velocity = integrate(self.physics, state.position, state.velocity, force, speed)
        after = Particles(position, velocity, state.landmark)
        return after, self._reward(position), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, own position, relative obstacles, relative others, and the velocities of the (other) prey."""
        state = stored_for_speed(state)
        landmarks = offsets(state.position, state.landmark).flatten(-2)
        others = offsets_to_others(state.position).flatten(-2)
        seen = joined([state.velocity, state.position, landmarks, others])
        predators, prey = seen.tensor_split((self.n_predators,), dim=2)
        running = state.velocity[:, :, self.n_predators :]  # [S, E, P, 2]
        all_running = running.flatten(2).unsqueeze(2).expand(-1, -1, self.n_predators, -1)
        other_running = others_of(running).flatten(-2)
        return torch.cat([predators, all_running], -1), torch.cat([prey, other_running], -1)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the obstacles."""
        return flattened(state)

    def _each(self, predator: float, prey: float) -> tuple[float, ...]:
        return (predator,) * self.n_predators + (prey,) * self.n_prey

    def _reward(self, position: Tensor) -> Tensor:
        predators, prey = position.tensor_split((self.n_predators,), dim=2)
        touching = lengths(offsets(predators, prey)) < self.predator_size + self.prey_size  # [S, E, predators, prey]
        touches = touching.sum(2).to(position.dtype) * self.touch_reward  # [S, E, prey]
        caught = -touches - ordered_sum(bound(prey.abs()), -1)
        hunted = ordered_sum(touches, -1).unsqueeze(-1).expand(-1, -1, self.n_predators)
        return torch.cat([hunted, caught], -1).contiguous()


def bound(x: Tensor) -> Tensor:
    """0 for x < 0.9, 10·(x − 0.9) for x < 1, else min(exp(2x − 2), 10): what prey pay at the border.

    Shapes: any.
    Source: openai/multiagent-particle-envs @83ba4d1, `simple_tag.Scenario.agent_reward`.
    """
    beyond = (2.0 * x - 2.0).exp().clamp_max(10.0)
    return torch.where(x < 1.0, ((x - 0.9) * 10.0).clamp_min(0.0), beyond)
