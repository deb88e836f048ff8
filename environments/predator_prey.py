"""Predator and prey (PP): agents surround prey landmarks that run away from where the agents are about to be.

The paper gives three agents, two prey that know the agents' location, velocity and acceleration, +10 for a capture, the
deduction of every prey's distance from its closest agent, agents that must not collide, and 50 steps. It does not print
the sizes, the speed of the prey or what a capture is; they are fields here, and our choices.

Source: CTEDD, section 5.1.
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
    expense,
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
    """Agents follow prey, must not collide, and are rewarded while all of them are close to the same one.

    Once the forces of this step are known, each prey predicts the agents at x + v·dt + ½·a·dt² and goes, one step of
    fixed length inside the arena, where the sum of its distances to them is largest; or it stays. Then the agents
    move. Every agent's own reward is −Σ_l min_a d(a, l) − #collisions, and all get the sum over agents. As in
    cooperative navigation an agent counts as colliding with itself: a constant −1 an agent and step. On top of it the
    game gives +10, once to all together, for each prey that has all agents within the capture radius. Prey are not
    replaced, and may escape.

    Units: the reward of one agent is the sum over agents at one step.
    """

    version: ClassVar[int] = 2

    n_agents: int = 3
    n_prey: int = 2
    horizon: int = 50
    action: ActionKind = "force"
    observation: Literal["vectors", "distance"] = "vectors"
    agent_size: float = 0.1
    """As in push forward."""
    sensitivity: float = 5.0
    """openai's, as in every game of this framework whose agents have no acceleration of their own."""
    collision_penalty: float = 1.0
    self_collision: bool = True
    capture_radius: float = 0.3
    """“Close proximity”: three agents have room in it without touching, which takes 2/√3 · 0.1 = 0.115."""
    capture_reward: float = 10.0
    """To the team, as a number that all agents get; 30 where each of three agents should have 10 of its own."""
    capture_pays: Literal["every step", "once"] = "every step"
    """While prey are captured; or in the step in which they become so, once more after an escape."""
    prey_step: float = 0.05
    """A quarter of an agent's top speed: prey turn at once, but do not outrun anybody."""
    n_directions: int = 16
    """In which prey may go, besides staying: the best of all directions to 11 degrees."""
    arena: float = 1.0
    """Prey stay in the square of this half-width, or they would run for ever; agents may leave it."""
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
        return after, self._reward(state, after), never(after)

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

    def _reward(self, before: Particles, after: Particles) -> Tensor:
        distance = lengths(offsets(after.position, after.landmark))  # [S, E, A, P]
        paid = self._captured(distance)
        if self.capture_pays == "once":
            paid = paid & ~self._captured(lengths(offsets(before.position, before.landmark)))
        lost = expense(after, distance, self._reach(after), self.collision_penalty, self.self_collision)
        return shared(-lost) + (paid.sum(-1).to(distance.dtype) * self.capture_reward).unsqueeze(-1)

    def _captured(self, distance: Tensor) -> Tensor:
        """Which prey have all agents around them. Shapes: distance [S, E, A, P]; returns [S, E, P] bool."""
        return (distance < self.capture_radius).all(-2)


@functools.cache
def directions(n: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Staying, then n unit vectors counter-clockwise from +x. Shapes: [1 + n, 2]."""
    angles = [2.0 * math.pi * k / n for k in range(n)]
    return torch.tensor([(0.0, 0.0)] + [(math.cos(a), math.sin(a)) for a in angles], device=device, dtype=dtype)
