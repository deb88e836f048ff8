"""Players that know the rules and learn nothing: how far one gets in the games of this paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from algorithms import Policy
from algorithms._ledger import Ledger
from environments import Count, Streams, check
from environments._particles import Particles
from environments.survival import FIRST_ATTACK, TURN_RIGHT, Crowd, Survival, _aims

Script = Callable[[Any, Any], tuple[Tensor, ...]]


@dataclass
class ScriptedState:
    """What it owns."""

    steps: int
    ledger: Ledger


@dataclass(frozen=True)
class Scripted:
    """Somebody who plays by a script, in which nothing is drawn; time passes, and no step is taken.

    - "navigator": everybody goes to a goal of its own and stays; ways have the least sum of squares;
    - "hunter": predators go for the nearest prey, prey away from the nearest predator and back from the border;
    - "eater": everybody goes to the nearest food and eats it, and never strikes another.
    """

    script: Literal["navigator", "hunter", "eater"]
    steps_per_iteration: Count = 20_000

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        check(self)

    def init(self, env: Any, streams: Streams) -> ScriptedState:
        """Nothing."""
        return ScriptedState(0, Ledger.of(self.metrics, streams.n_seeds, streams.device))

    def advance(self, env: Any, state: ScriptedState) -> None:
        """Time passes."""
        state.steps += self.steps_per_iteration

    def policies(self, state: ScriptedState) -> Mapping[str, Policy]:
        """The one policy."""
        return {"scripted": SCRIPTS[self.script]}


def navigators(env: Any, game: Particles) -> tuple[Tensor, ...]:
    """Pushes towards everybody's goal, damped. Shapes: [S, E, A, 2]."""
    squared = (game.position.unsqueeze(3) - game.landmark.unsqueeze(2)).square().sum(-1)  # [S, E, A, G]
    costs = squared.flatten(0, 1).cpu().numpy()
    goals = torch.stack([torch.from_numpy(linear_sum_assignment(cost)[1]) for cost in costs]).to(squared.device)
    target = game.landmark.take_along_dim(goals.view(*squared.shape[:3], 1), 2)
    return (((target - game.position) * 8.0 - game.velocity * 4.0).clamp(-1.0, 1.0),)


def hunters(env: Any, game: Particles) -> tuple[Tensor, ...]:
    """Full force, of predators and of prey. Shapes: [S, E, A, 2] each."""
    predators, prey = game.position.split([role.n_agents for role in env.roles], dim=2)
    chase = nearest(predators, prey)
    flight = -nearest(prey, predators)
    back = torch.where(prey.abs() > 0.8, -prey.sign(), 0.0)
    return full(chase), full(full(flight) + 3.0 * back)


def full(direction: Tensor) -> Tensor:
    """As far as the box allows in a direction. Shapes: [..., 2]."""
    largest: Tensor = direction / direction.abs().amax(-1, keepdim=True).clamp_min(1e-6)
    return largest


def nearest(origin: Tensor, targets: Tensor) -> Tensor:
    """The way to whichever is nearest. Shapes: [S, E, A, 2], [S, E, N, 2] → [S, E, A, 2]."""
    ways = targets.unsqueeze(2) - origin.unsqueeze(3)  # [S, E, A, N, 2]
    which = ways.square().sum(-1).argmin(-1)
    return ways.take_along_dim(which[..., None, None], 3).squeeze(3)


def eaters(env: Survival, game: Crowd) -> tuple[Tensor, ...]:
    """Strikes food that is beside, else moves to the cell next to it, or as near as a move leads. Shapes: [S, E, A]."""
    far = env.map_size * 2
    food = torch.where(game.food_left.unsqueeze(-1), game.food_position, far)
    way = nearest(game.position, food)  # [S, E, A, 2]
    aims = _aims(way.device)[game.heading]  # [S, E, A, 23, 2]
    missed = (way.unsqueeze(3) - aims).abs().amax(-1)
    beside = way.abs().amax(-1) <= 1
    strike = missed[..., FIRST_ATTACK:].argmin(-1) + FIRST_ATTACK
    moves = missed[..., :TURN_RIGHT] + 0.01 * (way.unsqueeze(3) - aims[..., :TURN_RIGHT, :]).square().sum(-1)
    return (torch.where(beside, strike, moves.argmin(-1)),)


SCRIPTS: dict[str, Script] = {"navigator": navigators, "hunter": hunters, "eater": eaters}
