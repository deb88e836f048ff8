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
"""Of actions that are drawn as in training."""
LIKELIEST = ", likeliest actions"
_UNIT = "sum over steps of the reward of the agent that gets least in a test episode; mean over test episodes"


def named(units: Mapping[str, str]) -> dict[str, str]:
    """Every metric twice: with drawn and with the likeliest actions."""
    return {
        metric + likeliest: f"{_UNIT}{unit}{likeliest}"
        for metric, unit in units.items()
        for likeliest in ("", LIKELIEST)
    }


def sampled(algorithm: Any, learner: Any) -> Policy:
    """The learner as it plays in training, or whoever has one way to play."""
    policies: Mapping[str, Policy] = algorithm.policies(learner)
    return policies["sampled"] if "sampled" in policies else next(iter(policies.values()))


def both_ways(algorithm: Any, learner: Any) -> dict[str, Policy]:
    """How a learner is tested."""
    return {"sampled": sampled(algorithm, learner), "greedy": algorithm.policies(learner)["greedy"]}


@dataclass(frozen=True)
class Least:
    """A learner with drawn and with the likeliest actions, in the same episodes."""

    n_episodes: int = 25

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = named({LEAST: ""})
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes."""
        return Measured(tested(env, {LEAST: both_ways(algorithm, learner)}, streams, self.n_episodes), {})


@dataclass(frozen=True)
class Chance:
    """Whoever has one way to play: at random, or by a script."""

    n_episodes: int = 25

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {LEAST: _UNIT}
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes."""
        return Measured({LEAST: least_return(env, sampled(algorithm, learner), streams, self.n_episodes)}, {})


@dataclass(frozen=True)
class Adapted:
    """θ for all agents, and every agent with what it becomes when it adapts to itself, in the same episodes."""

    n_episodes: int = 100
    inner_steps: int = 3

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = named({LEAST: "", ADAPTED: "; all agents adapted"})
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Adapts, then plays."""
        adapted = algorithm.adapted(env, learner, streams, self.inner_steps)
        return Measured(
            tested(env, {LEAST: both_ways(algorithm, learner), ADAPTED: adapted}, streams, self.n_episodes), {}
        )


@dataclass(frozen=True)
class Elsewhere:
    """A learner in another game than it learns in, with drawn and with the likeliest actions."""

    game: Any  # environments.Env
    n_episodes: int = 100

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = named({LEAST: ""})
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes of the other game."""
        return Measured(tested(self.game, {LEAST: both_ways(algorithm, learner)}, streams, self.n_episodes), {})


@dataclass(frozen=True)
class Cloned:
    """What an agent learnt alone, played by all agents of another game."""

    game: Any  # environments.Env
    n_episodes: int = 100

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = named({LEAST: ""})
    arrays: ClassVar[Mapping[str, str]] = {}

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes of the other game."""
        return Measured(tested(self.game, {LEAST: algorithm.cloned(learner)}, streams, self.n_episodes), {})


def tested(
    env: Env[Any], policies: Mapping[str, Mapping[str, Policy]], streams: Streams, n_episodes: int
) -> dict[str, Tensor]:
    """What the least gets with each of several policies, drawn and likeliest, all from the same starts."""
    return {
        metric + likeliest: least_return(env, both[way], streams.branched(), n_episodes)
        for metric, both in policies.items()
        for way, likeliest in (("sampled", ""), ("greedy", LIKELIEST))
    }


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
