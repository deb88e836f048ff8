"""Spread: agents in fixed boxes cover landmarks in the same boxes; in Phase II they start from each other's.

The paper draws the boxes without numbers and speaks of distances only. The boxes are those of the authors' scenarios,
and so are the collisions in the reward, the order of what is seen, and the silence of the others.

Source: DVM, experiments section; SamirW/multiagent-particle-envs @b7f53c0, `simple_spread_flip.py`,
    `simple_spread_flip_3.py` and `simple_spread_flip_4.py` of `multiagent/scenarios`.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from environments import Amount, Positive, Role, Streams, Whole, check
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
    lengths,
    never,
    offsets,
    reaches,
    shared,
    stored_for_speed,
    thrust,
    uncovered,
    validate,
)

BOXES: dict[int, tuple[tuple[float, float], ...]] = {
    2: ((-1.0, -1.0), (1.0, 1.0)),
    3: ((1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)),
    4: ((1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)),
}
"""The outer corner of every box, for 2, 3 and 4 agents; landmark l is in box l."""

INNER = {2: 0.5, 3: 0.33, 4: 0.33}
"""Where boxes begin in either coordinate: a point of a box is its corner times two draws from U[inner, 1)."""

STARTS: dict[tuple[int, str], tuple[tuple[int, ...], ...]] = {
    (2, "I"): ((0, 1),),
    (3, "I"): ((0, 1, 2),),
    (4, "I"): ((0, 1, 2, 3),),
    (2, "II"): ((1, 0),),
    (3, "II"): ((1, 2, 0),),
    (4, "II"): tuple(itertools.permutations(range(4))),
}
"""In which boxes agents may start, agent by agent: one way, or one of 24 anew at every reset."""


@dataclass(frozen=True)
class Spread:
    """Agents are rewarded by how far landmarks are from their closest agents, and penalised for collisions.

    An agent's own reward is rᵢ = −Σ_l min_a d(a, l) − #collisions of i, itself among them. The paper's reward is joint,
    and here every agent gets the mean, (1/n)·Σᵢ rᵢ. In the authors' code each gets its own (`shared_reward=False`),
    which differs only where agents collide unequally.

    Landmarks, and then the other agents, are seen in the order of their direction, counter-clockwise from −π to π.
    Two agents, but not three or four, see also the time in the authors' code, t/25; here those of `Timed` do.

    Units: the reward of one agent is, if shared, the mean over agents at one step, else its own.
    Raises: ValueError where the number of agents or the phase has no boxes.
    """

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    n_agents: int = 2
    """And as many landmarks."""
    phase: Literal["I", "II"] = "I"
    """I starts agent i in the box of landmark i; II swaps 2, turns 3 by (1, 2, 0), and shuffles 4 at every reset."""
    action: ActionKind = "discrete"
    horizon: int = 25
    agent_size: Positive = 0.15
    sensitivity: Amount = 5.0
    collision_penalty: Amount = 1.0
    self_collision: bool = True
    shared_reward: bool = True
    message_size: Whole = 2
    """Zeros per other agent in the observation: agents are silent, but their words are seen (`dim_c`)."""
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)
        if (self.n_agents, self.phase) not in STARTS:
            raise ValueError(
                f"spread is for 2, 3 or 4 agents in phase 'I' or 'II', got n_agents={self.n_agents}, "
                f"phase={self.phase!r}"
            )

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = 4 + 2 * self.n_agents + (2 + self.message_size) * (self.n_agents - 1)
        return (Role("agent", self.n_agents, (size,), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest and landmarks, all uniform in their boxes."""
        n, device = self.n_agents, streams.device
        unit = streams.uniform(n_envs, 2 * n, 2, low=INNER[n], high=1.0)  # [S, E, agents and landmarks, 2]
        ways = _starts(n, self.phase, device)
        way = streams.integers(n_envs, high=len(ways))  # [S, E]
        corners = _corners(n, device)  # [n, 2]
        position, landmark = unit[:, :, :n] * corners[ways[way]], unit[:, :, n:] * corners
        return Particles(position, torch.zeros_like(position), landmark)

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
        """Own velocity, own position, relative landmarks by direction, relative others so too, and their silence."""
        n_seeds, n_envs, n = state.position.shape[:3]
        rows = flattened(state).flatten(0, 1)  # [N, D], for all copies of all seeds
        position, velocity, landmark = rows.t().contiguous().unflatten(0, (-1, 2)).split([n, n, n])  # [A, 2, N]
        silence = rows.new_zeros(n, self.message_size * (n - 1), len(rows))
        seen = torch.cat([velocity, position, *by_direction(position, landmark), silence], 1)  # [A, F, N]
        # A transposition of two axes: with four, as `joined` has them, it takes five times as long.
        return (seen.flatten(0, 1).t().contiguous().view(n_seeds, n_envs, n, -1),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the landmarks."""
        return flattened(state)

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _reward(self, state: Particles) -> Tensor:
        together = -uncovered(lengths(offsets(state.position, state.landmark))).unsqueeze(-1)  # [S, E, 1]
        collided = collisions(state.position, self._reach(state)) - (0.0 if self.self_collision else 1.0)
        reward = together - collided * self.collision_penalty  # [S, E, A]
        return shared(reward) / self.n_agents if self.shared_reward else reward.contiguous()


def by_direction(position: Tensor, landmark: Tensor) -> list[Tensor]:
    """Where landmarks and then the other agents are, each group counter-clockwise from −π, equal directions by index.

    Both groups are sorted at once, by exchanging neighbours that stand the wrong way round. A few comparisons of whole
    batches are faster than a sort of many short rows, and need no gathering.

    Shapes: position and landmark [A, 2, N], with N copies in the innermost axis; returns A and A-1 times [A, 2, N].
    """
    places = torch.stack([landmark, position], 1)  # [A, groups, 2, N]
    offset = places.unsqueeze(1) - position.unsqueeze(1)  # [places, A, groups, 2, N]
    key = direction(*offset.unbind(-2))  # [places, A, groups, N]
    key[:, :, 1].diagonal().fill_(torch.inf)  # an agent among the others of itself: the last one, to be left out
    seen, keys = list(offset), list(key)
    for last in reversed(range(len(seen))):
        for i in range(last):
            wrong = keys[i] > keys[i + 1]
            keys[i], keys[i + 1] = torch.minimum(keys[i], keys[i + 1]), torch.maximum(keys[i], keys[i + 1])
            seen[i], seen[i + 1] = exchanged(wrong.unsqueeze(-2), seen[i], seen[i + 1])
    landmarks, others = zip(*(vectors.unbind(1) for vectors in seen), strict=True)
    return [*landmarks, *others[:-1]]


def direction(x: Tensor, y: Tensor) -> Tensor:
    """A number that grows with the angle of (x, y) in (−π, π]: ±(1 − x / (|x| + |y|)) with the sign of y; 0 at (0, 0).

    It takes the place of the angle, because it consists of operations that give the same bits everywhere in a batch.

    Shapes: any, the same; returns that.
    """
    tiny = 1e-30  # makes (0, 0) point to the right, as atan2 has it, and is lost in all else
    turned = 1.0 - (x + tiny) / (x.abs() + y.abs() + tiny)
    return torch.copysign(turned, y + 0.0)  # + 0: to the left is π, however its zero is signed


def exchanged(condition: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """(second, first) where the condition holds, else (first, second). Shapes: all that broadcast."""
    return torch.where(condition, second, first), torch.where(condition, first, second)


@functools.cache
def _corners(n_agents: int, device: torch.device) -> Tensor:
    """`BOXES` as a tensor. Shapes: [n, 2]."""
    return torch.tensor(BOXES[n_agents], dtype=torch.float32, device=device)


@functools.cache
def _starts(n_agents: int, phase: str, device: torch.device) -> Tensor:
    """`STARTS` as a tensor. Shapes: [ways, n]."""
    return torch.tensor(STARTS[n_agents, phase], device=device)
