"""Whether the algorithms find what is known to be best: no sign of a loss can be wrong and these tests pass.

In the game, every agent is put where its action says, and is rewarded, one step later, by how close it stands to a goal
of its own: r_i = −(x_i − g_i)², of the state that the step began in. So an action pays only through the critic's
bootstrap; the best action is the goal; and without knowing the goal it is 0, which loses Var(g) = 0.64/3 a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms.ctedd import CTEDD, CTEDDState, Recent
from algorithms.maddpg import MADDPG
from environments import Box, Env, Role, Streams

torch.set_num_threads(1)

SEEDS = (0, 1)
FARTHEST = 0.8
IGNORANT = FARTHEST**2 / 3  # the loss a step of an agent that cannot know its goal: Var(g)
NEAR = 0.03


class Places(NamedTuple):
    position: Tensor  # [S, E, A, 1]
    goal: Tensor  # [S, E, A, 1]


@dataclass(frozen=True)
class Goals:
    """Two agents go to their goals; `seen_by` says who sees an agent's goal: itself, or only the other one."""

    seen_by: str = "itself"
    horizon: int = 5

    version: ClassVar[int] = 1

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", 2, (1,), Box(1)),)

    def reset(self, streams: Streams, n_envs: int) -> Places:
        drawn = streams.uniform(n_envs, 2, 2, 1, low=-FARTHEST, high=FARTHEST)
        return Places(*(part.contiguous() for part in drawn.unbind(2)))

    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Places, Tensor, Tensor]:
        reward = -(state.position - state.goal).square().squeeze(-1)
        return Places(actions[0], state.goal), reward, torch.zeros(reward.shape[:2], dtype=torch.bool)

    def observe(self, state: Places) -> tuple[Tensor, ...]:
        goal = state.goal if self.seen_by == "itself" else state.goal.flip(2)
        return (goal,)  # not the position, which tells what the agent did, and so its goal

    def full_state(self, state: Places) -> Tensor:
        return torch.cat([field.flatten(2) for field in state], dim=-1)


OPEN, HIDDEN = Goals(), Goals(seen_by="the other")
SMALL: dict[str, Any] = {
    "hidden": 32,
    "batch_size": 128,
    "first_update": 500,
    "steps_per_update": 50,
    "n_envs": 25,
    "polyak": 0.9,
    "clip": 10.0,
}


@cache
def trained(algorithm: Any, env: Env[Any], n_updates: int) -> Any:
    state = algorithm.init(env, Streams.of(SEEDS, "training", "cpu"))
    while state.steps < algorithm.first_update + n_updates * algorithm.steps_per_update:
        algorithm.advance(env, state)
    return state


def losses_per_step(algorithm: Any, env: Env[Any], n_updates: int) -> dict[str, float]:
    """Of every policy, what the worse of the seeds and agents loses a step by not being at its goal."""
    state = trained(algorithm, env, n_updates)
    game = env.reset(Streams.of(SEEDS, "test", "cpu"), 500)
    with torch.no_grad():
        played = {name: policy(env, game)[0] for name, policy in algorithm.policies(state).items()}
    return {name: float((actions - game.goal).square().mean(dim=(1, 3)).max()) for name, actions in played.items()}


def std(algorithm: CTEDD, env: Env[Any], n_updates: int) -> Tensor:
    """The learnt standard deviation of every seed, mean over states and actions. Shapes: [S]."""
    state = trained(algorithm, env, n_updates)
    seen = env.full_state(env.reset(Streams.of(SEEDS, "test", "cpu"), 500))
    return algorithm._std(state.spread, state.actor.features(seen)).flatten(1).mean(1)


TALKING, SILENT = MADDPG(message_size=3, **SMALL), MADDPG(**SMALL)
EXPLORING = CTEDD(message_sizes=(0, 1), first_temperature=1e-3, distill_every=1_000, **SMALL)
