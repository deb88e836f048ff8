"""Agents that choose uniformly and play on: what a learner's training would be paid if it never learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms._episodes import EPISODE_METRICS, Episodes
from algorithms._ledger import Ledger
from environments import Count, Discrete, Env, Streams, check


@dataclass
class RandomPlayState:
    """What it owns."""

    steps: int
    streams: Streams
    episodes: Episodes
    ledger: Ledger


@dataclass(frozen=True)
class RandomPlay:
    """Every choice with equal probability, in as many copies as a learner has.

    Units: `steps_per_iteration` in environment steps per seed, over all copies.
    Raises: ValueError where the copies do not share the steps of an iteration evenly.
    """

    n_envs: int = 16
    steps_per_iteration: Count = 320

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = EPISODE_METRICS

    def __post_init__(self) -> None:
        check(self)
        if self.steps_per_iteration % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_iteration = {self.steps_per_iteration}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> RandomPlayState:
        """New episodes.

        Raises: ValueError where actions are no choices.
        """
        if not all(isinstance(role.action, Discrete) for role in env.roles):
            raise ValueError(f"expected discrete actions, got {env.roles}")
        ledger = Ledger.of(self.metrics, streams.n_seeds, streams.device)
        return RandomPlayState(0, streams, Episodes.of(env, streams, self.n_envs), ledger)

    @torch.no_grad()
    def advance(self, env: Env[Any], state: RandomPlayState) -> None:
        """Play `steps_per_iteration` steps."""
        for _ in range(self.steps_per_iteration // self.n_envs):
            state.episodes.step(env, _drawn(env, state.streams, self.n_envs), state.streams, state.ledger)
        state.steps += self.steps_per_iteration

    def policies(self, state: RandomPlayState) -> Mapping[str, Policy]:
        """The one policy, from a copy of the streams, which playing on does not feel."""
        streams = state.streams.branched()

        def play(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            return _drawn(env, streams, torch.as_tensor(game[0]).shape[1])

        return {"random": play}


def _drawn(env: Env[Any], streams: Streams, n_envs: int) -> tuple[Tensor, ...]:
    """A choice of every agent. Shapes: [S, E, A_role] int64 each."""
    return tuple(streams.integers(n_envs, role.n_agents, high=role.action.n) for role in env.roles)
