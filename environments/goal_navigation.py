"""Cooperative navigation to goals: n agents go to n goals, do not collide, and stay inside the arena.

A game with the name of CTEDD's and another reward: distances are squared, every agent pays for its own goal, for
collisions and for the border itself, nobody collides with itself, nothing is summed over agents, and each step's reward
is clipped.

Source: DiMA-PG, experiments section, on the physics and constants of openai's `simple_spread`
    (openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_spread.py`).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar, Literal

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
    """Every agent is rewarded with clip(−distance − #collisions − 1[outside], −1, 1) of its own.

    The distance is squared, d², and the paper describes it in two ways:

    - "own": min_g d(a, g)², the agent's own nearest goal: “rewarded for being close to the goals (negative square of
      distance to the goals)”;
    - "sum": Σ_g min_a d(a, g)², the same for all: “collectively rewarded based on how far any agent is from each goal”;
    - "mean": the sum divided by the number of goals, which says the same in the unit of one goal.

    Agent i pays for the other agents that it overlaps, and for being outside of the arena. The paper names these terms,
    that rewards are clipped to [−1, 1], and 200 steps. It does not say what is clipped, nor how much a collision or the
    border costs: here it is the reward of one agent at one step, and 1 each.

    Agents are seen and see as in CTEDD's games: own velocity, all goals and the other agents relative to themselves, so
    that they know where the border is only as far as the goals show it.

    Units: the reward of one agent at one step.
    """

    version: ClassVar[int] = 2
    may_end: ClassVar[bool] = False

    n_agents: int = 3
    n_goals: Count | None = None
    """As many as agents where none is named."""
    horizon: int = 200
    action: ActionKind = "force"
    reward: Literal["own", "mean", "sum"] = "own"
    agent_size: Positive = 0.15
    sensitivity: Amount = 5.0
    collision_penalty: Amount = 1.0
    """For each other agent that is overlapped."""
    outside_penalty: Amount = 1.0
    arena: Positive = 1.0
    """Agents outside the square of this half-width are penalised, not held back."""
    walls: Positive | None = None
    """The half-width of a square in which agents are held back, and lose their speed towards its wall; none."""
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
        if self.walls is not None:
            inside = position.abs() < self.walls
            position, velocity = position.clamp(-self.walls, self.walls), velocity * inside
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
        missed = self._missed(squares(offsets(state.position, state.landmark)))
        collided = collisions(state.position, self._reach(state)) - 1.0  # without itself
        outside = torch.maximum(*state.position.abs().unbind(-1)) > self.arena
        reward = -missed - collided * self.collision_penalty - outside.to(missed.dtype) * self.outside_penalty
        return reward.clamp(-self.reward_limit, self.reward_limit).contiguous()

    def _missed(self, squared: Tensor) -> Tensor:
        """What agents pay for distance. Shapes: d² [S, E, A, G] → [S, E, A], or [S, E, 1] where all pay alike."""
        if self.reward == "own":
            return functools.reduce(torch.minimum, squared.unbind(-1))
        total = uncovered(squared).unsqueeze(-1)
        return total / self._n_goals if self.reward == "mean" else total


NAVIGATION_3 = GoalNavigation()
NAVIGATION_10 = GoalNavigation(n_agents=10, agent_size=0.05)
