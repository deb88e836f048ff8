"""A learner that has stopped learning: what it has become is tested, and nothing else happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms import Learner, Policy
from environments import Count, Env, Streams, check


@dataclass(frozen=True)
class Frozen:
    """Another algorithm's learner, as it is when it begins: only time passes.

    Units: `steps_per_iteration` in environment steps per seed, of which none is taken.
    """

    learner: Learner
    steps_per_iteration: Count = 100

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        check(self)

    def init(self, env: Env[Any], streams: Streams) -> Any:
        """The learner's own beginning."""
        return self.learner.init(env, streams)

    def advance(self, env: Env[Any], state: Any) -> None:
        """Time passes."""
        state.steps += self.steps_per_iteration

    def policies(self, state: Any) -> Mapping[str, Policy]:
        """The learner's."""
        policies: Mapping[str, Policy] = self.learner.policies(state)
        return policies

    def followed(self, state: Any) -> Any:
        """The learner's, where it can be taught (see `dvm.Teachable`)."""
        return self.learner.followed(state)
