"""Simple tag: slower predators chase faster prey around obstacles.

Source: openai/multiagent-particle-envs @83ba4d1, `multiagent/scenarios/simple_tag.py`; mpe2 1.1.1, `simple_tag`, has
the same rules and another integrator.
"""

from __future__ import annotations

import functools
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
    bodies,
    constant,
    contact_forces,
    flattened,
    integrate,
    lengths,
    never,
    offsets,
    ordered_sum,
    others,
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
    may_end: ClassVar[bool] = False

    n_predators: int = 3
    n_prey: int = 1
    n_obstacles: Whole = 2
    horizon: int = 25
    action: ActionKind = "soft"
    predator_size: Positive = 0.075
    prey_size: Positive = 0.05
    obstacle_size: Positive = 0.2
    predator_sensitivity: Amount = 3.0
    prey_sensitivity: Amount = 4.0
    predator_max_speed: Positive = 1.0
    prey_max_speed: Positive = 1.3
    touch_reward: Amount = 10.0
    obstacle_spread: Amount = 0.9
    """Obstacles start uniformly in the square of this half-width."""
    velocities: Literal["prey", "all"] = "prey"
    """Of which others agents see the velocity."""
    physics: Physics = OPENAI

    def __post_init__(self) -> None:
        check(self)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Predators, whom the sources call adversaries, then prey."""
        space, shown = action_space(self.action), self._shown()
        size = 4 + 2 * self.n_obstacles + 2 * (self.n_predators + self.n_prey - 1)
        return (
            Role("adversary", self.n_predators, (size + 2 * (len(shown) - (0 in shown)),), space),
            Role("good", self.n_prey, (size + 2 * (len(shown) - 1),), space),
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
        solid = bodies(state)
        force = thrust(self.action, torch.cat(actions, 2), dtype) * sensitivity.unsqueeze(-1)
        force = force + contact_forces(self.physics, state.position, solid, reach)
        position, velocity = integrate(self.physics, state.position, state.velocity, force, speed)
        after = Particles(position, velocity, state.landmark)
        return after, self._reward(position), never(after)

    def observe(self, state: Particles) -> tuple[Tensor, ...]:
        """Own velocity, own position, relative obstacles, relative others, and the velocities of other prey, or of all
        others."""
        rows = flattened(state).flatten(0, 1)  # [N, D], for all copies of all seeds
        columns = torch.cat([rows, rows.new_zeros(len(rows), 1)], 1).t().contiguous()  # [D + 1, N]
        tables = _seen(self.n_predators, self.n_prey, self.n_obstacles, self._shown(), rows.device)
        rows_of_all = state.position.shape[:2]
        return tuple(
            counted(columns, *table).view(*rows_of_all, role.n_agents, -1)
            for role, table in zip(self.roles, tables, strict=True)
        )

    def full_state(self, state: Particles) -> Tensor:
        """Positions and velocities of all agents, then positions of the obstacles."""
        return flattened(state)

    def radii(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of predators and prey, and of obstacles."""
        return self._each(self.predator_size, self.prey_size), (self.obstacle_size,) * self.n_obstacles

    def _shown(self) -> range:
        """The agents whose velocity others see."""
        return range(self.n_predators if self.velocities == "prey" else 0, self.n_predators + self.n_prey)

    def _each(self, predator: float, prey: float) -> tuple[float, ...]:
        return (predator,) * self.n_predators + (prey,) * self.n_prey

    def _reward(self, position: Tensor) -> Tensor:
        predators, prey = position.tensor_split((self.n_predators,), dim=2)
        touching = lengths(offsets(predators, prey)) < self.predator_size + self.prey_size  # [S, E, predators, prey]
        touches = touching.sum(2).to(position.dtype) * self.touch_reward  # [S, E, prey]
        caught = -touches - ordered_sum(bound(prey.abs()), -1)
        hunted = ordered_sum(touches, -1).unsqueeze(-1).expand(-1, -1, self.n_predators)
        return torch.cat([hunted, caught], -1).contiguous()


def counted(columns: Tensor, things: Tensor, origins: Tensor) -> Tensor:
    """The numbers at `things`, each counted from the one at `origins`, contiguous. Shapes: [D, N] to [N, K]."""
    # Gathered in rows of copies, and transposed once: a gather of single numbers takes three times as long.
    return columns.index_select(0, things).sub_(columns.index_select(0, origins)).t().contiguous()


@functools.cache
def _seen(
    n_predators: int, n_prey: int, n_obstacles: int, shown: range, device: torch.device
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Which numbers of the flattened state each role's agents see in turn, and from which these are counted.

    The state is thought to end with a 0, from which velocities and own positions are counted.

    Shapes: for predators and for prey two of [n_agents · observation_size].
    """
    n_agents = n_predators + n_prey
    places = torch.arange(4 * n_agents + 2 * n_obstacles, device=device).view(-1, 2)
    position, velocity, obstacle = places.split([n_agents, n_agents, n_obstacles])
    zero = torch.full((2,), places.numel(), device=device)

    def by(agents: range) -> tuple[Tensor, Tensor]:
        things, origins = list[Tensor](), list[Tensor]()
        for i in agents:
            neighbours = [*obstacle, *position[others(n_agents, i)]]
            running = [velocity[j] for j in others(n_agents, i) if j in shown]
            things += [velocity[i], position[i], *neighbours, *running]
            origins += [zero, zero, *(position[i] for _ in neighbours), *(zero for _ in running)]
        return torch.cat(things), torch.cat(origins)

    return by(range(n_predators)), by(range(n_predators, n_agents))


def bound(x: Tensor) -> Tensor:
    """0 for x < 0.9, 10·(x − 0.9) for x < 1, else min(exp(2x − 2), 10): what prey pay at the border.

    Shapes: any.
    Source: openai/multiagent-particle-envs @83ba4d1, `simple_tag.Scenario.agent_reward`.
    """
    beyond = (2.0 * x - 2.0).exp().clamp_max(10.0)
    return torch.where(x < 1.0, ((x - 0.9) * 10.0).clamp_min(0.0), beyond)


PREDATOR_PREY_3V1 = SimpleTag(horizon=200, action="force", velocities="all")
"""DiMA-PG's game with prey that are 30 % faster, as in openai's: 200 steps, forces as actions, and all see how fast all
others are."""

PREDATOR_PREY_12V4 = SimpleTag(
    n_predators=12,
    n_prey=4,
    horizon=200,
    action="force",
    prey_max_speed=1.5,
    prey_sensitivity=4.5,
    velocities="all",
)
"""DiMA-PG's game with prey that are 50 % faster, and accelerate so, too, which the paper does not say."""
