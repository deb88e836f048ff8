"""Actions drawn uniformly, for ever: the level that any learner must leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms._ledger import Ledger
from environments import Box, Count, Discrete, Env, Streams, check


@dataclass
class UniformState:
    """What it owns: where its stream stands."""

    steps: int
    streams: Streams
    ledger: Ledger


@dataclass(frozen=True)
class Uniform:
    """Every action with equal probability, in any environment. It takes no step of its own: there is nothing to learn.

    A draw comes from the generator of the policy, not of the test, so that it meets the test's episodes as others do.
    """

    steps_per_iteration: Count = 10_000

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        check(self)

    def init(self, env: Env[Any], streams: Streams) -> UniformState:
        """Nothing but a stream."""
        return UniformState(0, streams, Ledger.of(self.metrics, streams.n_seeds, streams.device))

    def advance(self, env: Env[Any], state: UniformState) -> None:
        """Time passes."""
        state.steps += self.steps_per_iteration

    def policies(self, state: UniformState) -> Mapping[str, Policy]:
        """The one policy."""

        def draw(space: Box | Discrete, *shape: int) -> Tensor:
            if isinstance(space, Discrete):
                return state.streams.integers(*shape, high=space.n)
            return state.streams.uniform(*shape, space.n, low=space.low, high=space.high)

        def play(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            n_envs = torch.as_tensor(game[0]).shape[1]
            return tuple(draw(role.action, n_envs, role.n_agents) for role in env.roles)

        return {"uniform": play}
