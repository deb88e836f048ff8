"""Cooperative navigation (CN-V1, CN-V2): agents spread out to reach all landmarks and must not collide.

In CN-V2 there are two landmarks for three agents, and the landmark that is reached best must be crowded: fewer than two
agents closest to it are penalised.

Source: CTEDD, experiments section, on the physics and constants of openai's `simple_spread`
    (openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_spread.py`).
"""

from __future__ import annotations

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
    egocentric,
    egocentric_size,
    expense,
    flattened,
    integrate,
    lengths,
    never,
    offsets,
    reaches,
    shared,
    stored_for_speed,
    thrust,
    validate,
)


@dataclass(frozen=True)
class CooperativeNavigation:
    """Agents cooperate to reach as many landmarks, collide as little, as they can.

    Every agent's own reward is −Σ_l min_a d(a, l) − #collisions, and all get the sum over agents. As in openai's
    `simple_spread`, an agent counts as colliding with itself: a constant −1 an agent and step.

    Units: the reward of one agent is the sum over agents at one step.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    n_agents: int = 3
    n_landmarks: int = 3
    horizon: int = 25
    action: ActionKind = "force"
    observation: Literal["vectors", "distance"] = "vectors"
    agent_size: Positive = 0.15
    sensitivity: Amount = 5.0
    collision_penalty: Amount = 1.0
    self_collision: bool = True
    sparse_penalty: Amount = 0.0
    """What all agents lose together, once a step, where fewer than two are closest to the landmark reached best."""
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)
        if self.sparse_penalty and self.n_landmarks != 2:
            raise ValueError(f"sparse_penalty is defined for 2 landmarks, got n_landmarks={self.n_landmarks}")

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = egocentric_size(self.n_agents, self.n_landmarks, self.observation)
        return (Role("agent", self.n_agents, (size,), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest and landmarks, all uniform in [−1, 1)²."""
        places = streams.uniform(n_envs, self.n_agents + self.n_landmarks, 2, low=-1.0, high=1.0)
        position, landmark = places.tensor_split((self.n_agents,), dim=2)
        return Particles(position.contiguous(), torch.zeros_like(position), landmark.contiguous())

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes, is pushed, and moves; landmarks stay."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        force = thrust(self.action, actions[0], state.position.dtype) * self.sensitivity
        force = force + contact_forces(self.physics, state.position, state.position, self._reach(state))
        position, velocity = integrate(self.physics, state.position, state.velocity, force)
        after = Particles(position, velocity, state.landmark)
        return after, self._reward(after), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, then relative landmarks, then relative agents (or their distances)."""
        return (egocentric(state, self.observation),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the landmarks."""
        return flattened(state)

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _reward(self, state: Particles) -> Tensor:
        distance = lengths(offsets(state.position, state.landmark))  # [S, E, A, L]
        lost = expense(state, distance, self._reach(state), self.collision_penalty, self.self_collision)
        joint = shared(-lost)
        if not self.sparse_penalty:
            return joint
        return joint - sparse(distance).to(joint.dtype).unsqueeze(-1) * self.sparse_penalty


def sparse(distance: Tensor) -> Tensor:
    """Whether the landmark with the smaller min_a d(a, l) is the closest one for fewer than two agents.

    The paper penalises two agents that are closer to landmark 2 while landmark 1 is the one reached best; here either
    landmark may be that one. Ties are no offence: neither equal minima nor an agent halfway between the landmarks.

    Shapes: distance [S, E, A, 2]; returns [S, E] bool.
    """
    first, second = distance.unbind(-1)  # [S, E, A]
    best_first, best_second = first.amin(-1), second.amin(-1)
    few_at_first = (first <= second).sum(-1) < 2
    few_at_second = (second <= first).sum(-1) < 2
    return (best_first < best_second) & few_at_first | (best_second < best_first) & few_at_second


CN_V1 = CooperativeNavigation()
CN_V2 = CooperativeNavigation(n_landmarks=2, sparse_penalty=10.0)
