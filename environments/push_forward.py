"""Push forward (PF): agents push movable landmarks to the right, which takes all of them at once.

The paper gives three agents, three movable landmarks, +10 for every pushing agent, the deduction of every landmark's
distance from its closest agent, the penalty for collisions, and 50 steps. It does not print the sizes, the speed or the
start; they are fields here, and our choices.

Source: CTEDD, section 5.1.
"""

from __future__ import annotations

import functools
import itertools
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
    constant,
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
class PushForward:
    """Each agent goes to a landmark of its own, and together they push all landmarks forward.

    A push happens when the agents can be matched one to one with the landmarks so that each stands in the zone of its
    own, and all of them move to the right in this step. Then every landmark moves, and every agent's own reward has
    +10; in any case it has −Σ_l min_a d(a, l) − #collisions. All get the sum over agents. As in cooperative navigation
    an agent counts as colliding with itself: a constant −1 an agent and step.

    Units: the reward of one agent is the sum over agents at one step.
    """

    version: ClassVar[int] = 2

    n_agents: int = 3
    """And as many landmarks."""
    horizon: int = 50
    action: ActionKind = "force"
    observation: Literal["vectors", "distance"] = "vectors"
    agent_size: float = 0.1
    """Two thirds of cooperative navigation's, so that a push zone holds an agent with room to move."""
    sensitivity: float = 5.0
    """openai's, as in every game of this framework whose agents have no acceleration of their own."""
    collision_penalty: float = 1.0
    self_collision: bool = True
    zone_radius: float = 0.2
    """Two agents in one zone would touch."""
    push_step: float = 0.05
    """“A small distance”: a quarter of an agent's top speed."""
    push_reward: float = 10.0
    """To every pushing agent, at every step in which they push."""
    landmark_left: float = -1.0
    landmark_right: float = -0.2
    """Landmarks begin in the left of the arena, to be pushed through it."""
    landmark_gap: float = 0.5
    """Zones do not overlap, and agents pass between each other in them."""
    n_layouts: int = 32
    """Layouts of landmarks that are drawn at a reset: the first that keeps the gap is taken, else the widest."""
    physics: Physics = OPENAI

    may_end: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check(self)
        if self.n_agents < 2:
            raise ValueError(f"landmarks keep a gap between them: n_agents must be at least 2, got {self.n_agents}")

    @property
    def roles(self) -> tuple[Role, ...]:
        """One role, for the agents are alike."""
        size = egocentric_size(self.n_agents, self.n_agents, self.observation)
        return (Role("agent", self.n_agents, (size,), action_space(self.action)),)

    def reset(self, streams: Streams, n_envs: int) -> Particles:
        """Agents at rest, uniform in [−1, 1)²; landmarks on the left, apart from each other."""
        position = streams.uniform(n_envs, self.n_agents, 2, low=-1.0, high=1.0)
        unit = streams.uniform(n_envs, self.n_layouts, self.n_agents, 2)  # [S, E, K, L, 2]
        x = unit[..., 0] * (self.landmark_right - self.landmark_left) + self.landmark_left
        layouts = torch.stack([x, unit[..., 1] * 2.0 - 1.0], -1)
        # Not a loop until all fit: the number of draws must not depend on what is drawn, or copies would share it.
        chosen = _gap(layouts).clamp_max(self.landmark_gap).argmax(-1)  # [S, E], the first of the largest
        landmark = layouts.take_along_dim(chosen[:, :, None, None, None], 2).squeeze(2)
        return Particles(position, torch.zeros_like(position), landmark)

    def step(self, state: Particles, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Particles, Tensor, Tensor]:
        """Everyone pushes, is pushed and moves; landmarks move where all agents stood in zones and went right."""
        validate(self.roles, actions, state.position.shape[:2])
        state = stored_for_speed(state)
        force = thrust(self.action, actions[0], state.position.dtype) * self.sensitivity
        force = force + contact_forces(self.physics, state.position, state.position, self._reach(state))
        position, velocity = integrate(self.physics, state.position, state.velocity, force)
        pushed = self._pushed(state, position)
        rightward = constant((self.push_step, 0.0), position.device, position.dtype)
        landmark = state.landmark + pushed[:, :, None, None] * rightward
        after = Particles(position, velocity, landmark)
        return after, self._reward(after, pushed), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, then relative landmarks, then relative agents (or their distances)."""
        return (egocentric(state, self.observation),)

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the landmarks."""
        return flattened(state)

    def _reach(self, state: Particles) -> Tensor:
        sizes = (self.agent_size,) * self.n_agents
        return reaches(sizes, sizes, state.position.device, state.position.dtype)

    def _pushed(self, before: Particles, position: Tensor) -> Tensor:
        inside = lengths(offsets(before.position, before.landmark)) < self.zone_radius  # [S, E, A, L]
        rightward = (position[..., 0] > before.position[..., 0]).all(-1)
        return matched(inside) & rightward

    def _reward(self, after: Particles, pushed: Tensor) -> Tensor:
        distance = lengths(offsets(after.position, after.landmark))
        lost = expense(after, distance, self._reach(after), self.collision_penalty, self.self_collision)
        gained = pushed.to(distance.dtype) * self.push_reward  # [S, E]
        return shared(gained.unsqueeze(-1) - lost)


def matched(inside: Tensor) -> Tensor:
    """Whether a one-to-one assignment exists in which every agent is inside its own zone.

    Shapes: inside [S, E, A, A], agents by zones, bool; returns [S, E] bool.
    """
    pairs = _assignments(inside.shape[-1], inside.device)  # [A!, A]
    return inside.flatten(-2)[:, :, pairs].all(-1).any(-1)


@functools.cache
def _assignments(n: int, device: torch.device) -> Tensor:
    """For each permutation the cells (agent, zone) that it uses, in a flattened n × n table. Shapes: [n!, n]."""
    rows = [[agent * n + zone for agent, zone in enumerate(order)] for order in itertools.permutations(range(n))]
    return torch.tensor(rows, device=device)


def _gap(places: Tensor) -> Tensor:
    """The smallest distance between two of the places. Shapes: [..., L, 2] to [...]."""
    first, second = _pairs(places.shape[-2], places.device)
    return lengths(places.index_select(-2, first) - places.index_select(-2, second)).amin(-1)


@functools.cache
def _pairs(n: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Of every pair the one and the other. Shapes: [n·(n-1)/2] each."""
    first, second = torch.tensor(list(itertools.combinations(range(n), 2)), device=device).unbind(-1)
    return first, second
