"""Cooperative navigation to goals: n agents cover n goals, do not collide, and stay inside the arena.

A game with the name of CTEDD's and another reward: distances are squared, every agent pays for collisions and for the
border itself, nobody collides with itself, nothing is summed over agents, and each step's reward is clipped.

Source: DiMA-PG, experiments section, on the physics and constants of openai's `simple_spread`
    (openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_spread.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from environments import Amount, Count, Positive, Role, Streams, check
from environments._particles import (
    OPENAI,
    ActionKind,
    Particles,
    Physics,
    action_space,
    collisions,
    contact_forces,
    egocentric,
    egocentric_size,
    flattened,
    integrate,
    never,
    offsets,
    reaches,
    squares,
    stored_for_speed,
    thrust,
    uncovered,
    validate,
)


@dataclass(frozen=True)
class GoalNavigation:
    """Every agent is rewarded with clip(−Σ_g min_a d(a, g)² − #collisions − 1[outside], −1, 1) of its own.

    The first term is the same for all; agent i pays for the other agents that it overlaps, and for being outside of
    the arena. The paper names these terms, that rewards are clipped to [−1, 1], and 200 steps. It does not say what is
    clipped, nor how much a collision or the border costs: here it is the reward of one agent at one step, and 1 each.

    Agents are seen and see as in CTEDD's games: own velocity, all goals and the other agents relative to themselves, so
    that they know where the border is only as far as the goals show it.

    Units: the reward of one agent at one step.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    n_agents: int = 3
    n_goals: Count | None = None
    """As many as agents where none is named."""
    horizon: int = 200
    action: ActionKind = "force"
    agent_size: Positive = 0.15
    sensitivity: Amount = 5.0
    collision_penalty: Amount = 1.0
    """For each other agent that is overlapped."""
    outside_penalty: Amount = 1.0
    arena: Positive = 1.0
    """Agents outside the square of this half-width are penalised, not held back."""
    reward_limit: Positive = 1.0
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = egocentric_size(self.n_agents, self._n_goals, "vectors")
        return (Role("agent", self.n_agents, (size,), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest and goals, all uniform in [−1, 1)²."""
        places = streams.uniform(n_envs, self.n_agents + self._n_goals, 2, low=-1.0, high=1.0)
        position, goal = places.tensor_split((self.n_agents,), dim=2)
        return Particles(position.contiguous(), torch.zeros_like(position), goal.contiguous())

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes, is pushed, and moves; goals stay."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        force = thrust(self.action, actions[0], state.position.dtype) * self.sensitivity
        force = force + contact_forces(self.physics, state.position, state.position, self._reach(state))
        position, velocity = integrate(self.physics, state.position, state.velocity, force)
        after = Particles(position, velocity, state.landmark)
        return after, self._reward(after), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, then relative goals, then relative agents."""
        return (egocentric(state, "vectors"),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the goals."""
        return flattened(state)

    @property
    def _n_goals(self) -> int:
        return self.n_agents if self.n_goals is None else self.n_goals

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _reward(self, state: Particles) -> Tensor:
        squared = squares(offsets(state.position, state.landmark))  # [S, E, A, G]
        missed = uncovered(squared).unsqueeze(-1)  # [S, E, 1]
        collided = collisions(state.position, self._reach(state)) - 1.0  # without itself
        outside = torch.maximum(*state.position.abs().unbind(-1)) > self.arena
        reward = -missed - collided * self.collision_penalty - outside.to(missed.dtype) * self.outside_penalty
        return reward.clamp(-self.reward_limit, self.reward_limit).contiguous()


NAVIGATION_3 = GoalNavigation()
NAVIGATION_10 = GoalNavigation(n_agents=10, agent_size=0.05)
