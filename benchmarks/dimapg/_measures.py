"""What is measured of cooperative navigation: the return of the agent that gets least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms._copies import lost, playable
from benchmarks import Measured
from environments import Env, Streams

LEAST, ADAPTED = "least test return", "least test return, adapted"
_UNIT = "sum over steps of the reward of the agent that gets least in a test episode; mean over test episodes"


@dataclass(frozen=True)
class Least:
    """One of the learner's policies."""

    n_episodes: int = 25
    policy: str = "greedy"

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {LEAST: _UNIT}
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes."""
        policy = algorithm.policies(learner)[self.policy]
        return Measured({LEAST: least_return(env, policy, streams, self.n_episodes)}, {})


@dataclass(frozen=True)
class Adapted:
    """θ for all agents, and every agent with what it becomes when it adapts to itself, in the same episodes."""

    n_episodes: int = 100
    inner_steps: int = 3

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {LEAST: _UNIT, ADAPTED: f"{_UNIT}; all agents adapted"}
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Adapts, then plays twice."""
        adapted = algorithm.adapted(env, learner, streams, self.inner_steps)
        again = streams.branched()
        theta = least_return(env, algorithm.policies(learner)["greedy"], streams, self.n_episodes)
        return Measured({LEAST: theta, ADAPTED: least_return(env, adapted, again, self.n_episodes)}, {})


@dataclass(frozen=True)
class Cloned:
    """What an agent learnt alone, played by all agents of another game."""

    game: Any  # environments.Env
    n_episodes: int = 100

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {LEAST: _UNIT}
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes of the other game."""
        return Measured({LEAST: least_return(self.game, algorithm.cloned(learner), streams, self.n_episodes)}, {})


def least_return(env: Env[Any], policy: Policy, streams: Streams, n_episodes: int) -> Tensor:
    """The mean over episodes of min_i Σ_t r_i; NaN where the policy has diverged. Shapes: [S]."""
    game = env.reset(streams, n_episodes)
    total: Tensor | float = 0.0
    for _ in range(env.horizon):
        actions = policy(env, game)
        game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
        total = total + reward + torch.cat([lost(a) for a in actions], dim=-1)
    assert isinstance(total, Tensor)
    return total.amin(dim=2).mean(dim=1)
