"""Simple spread: three agents cover three landmarks without colliding, as openai's and mpe2's particle worlds have it.

Source: openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_spread.py`; mpe2 1.1.1, `simple_spread`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from environments import Amount, Positive, Role, Share, Streams, Whole, check
from environments._particles import (
    OPENAI,
    ActionKind,
    Particles,
    Physics,
    action_space,
    collisions,
    contact_forces,
    flattened,
    integrate,
    joined,
    lengths,
    never,
    offsets,
    offsets_to_others,
    reaches,
    shared,
    stored_for_speed,
    thrust,
    uncovered,
    validate,
)


@dataclass(frozen=True)
class SimpleSpread:
    """Agents are rewarded by how far landmarks are from their closest agents, and penalised for collisions.

    As written it is openai's game: rᵢ = −Σ_l min_a d(a, l) − #collisions of i, itself among them, and every agent gets
    Σᵢ rᵢ. The game of mpe2 is

        SimpleSpread(physics=MPE2, self_collision=False, shared_reward=False, local_ratio=0.5)

    Units: the reward of one agent is, if shared, the sum over agents at one step, else its own.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    n_agents: int = 3
    n_landmarks: int = 3
    horizon: int = 25
    action: ActionKind = "soft"
    agent_size: Positive = 0.15
    sensitivity: Amount = 5.0
    collision_penalty: Amount = 1.0
    self_collision: bool = True
    shared_reward: bool = True
    local_ratio: Share | None = None
    """ρ of rᵢ = (1 − ρ)·(−Σ_l min_a d) + ρ·(−#collisions); None adds the two unweighted, as openai does."""
    message_size: Whole = 2
    """Zeros per other agent in the observation: agents are silent, but their words are seen (`dim_c`)."""
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = 4 + 2 * self.n_landmarks + (2 + self.message_size) * (self.n_agents - 1)
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
        """Own velocity, own position, relative landmarks, relative others, and the others' silence."""
        state = stored_for_speed(state)
        landmarks = offsets(state.position, state.landmark).flatten(-2)
        others = offsets_to_others(state.position).flatten(-2)
        silence = others.new_zeros((*others.shape[:-1], self.message_size * (self.n_agents - 1)))
        return (joined([state.velocity, state.position, landmarks, others, silence]),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the landmarks."""
        return flattened(state)

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _reward(self, state: Particles) -> Tensor:
        together = -uncovered(lengths(offsets(state.position, state.landmark))).unsqueeze(-1)  # [S, E, 1]
        collided = collisions(state.position, self._reach(state)) - (0.0 if self.self_collision else 1.0)
        alone = collided * -self.collision_penalty  # [S, E, A]
        if self.local_ratio is None:
            reward = together + alone
        else:
            reward = together * (1.0 - self.local_ratio) + alone * self.local_ratio
        return shared(reward) if self.shared_reward else reward.contiguous()
