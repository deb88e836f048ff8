"""Several algorithms in the same game, each learning among its own kind, so that what they become can be mixed.

They share nothing: each has networks and copies of the game of its own, and learns what it would learn alone, bit for
bit. Together they are one training that can be tested by pitting one's predators against another's prey, and extended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from algorithms import Learner, Policy
from algorithms._ledger import Ledger
from environments import Count, Env, Streams, check


@dataclass
class RivalsState:
    """What all of them own."""

    steps: int
    ledger: Ledger
    learners: list[Any]


@dataclass(frozen=True)
class Rivals:
    """Learners side by side, named by their classes.

    Units: `steps_per_round` in environment steps per seed of each of them. One whose iterations are longer, or do not
    divide a round, is ahead of the others by less than an iteration, and waits until they come up.
    """

    learners: tuple[Learner, ...]
    steps_per_round: Count = 5_000

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        check(self)
        if not self.learners:
            raise ValueError("rivals must be at least one learner, got none")
        twice = [name for name, n in Counter(self.names).items() if n > 1]
        if twice:
            raise ValueError(f"rivals are told apart by their classes, got several of {', '.join(twice)}")

    @property
    def names(self) -> tuple[str, ...]:
        """What each of them is."""
        return tuple(type(learner).__name__ for learner in self.learners)

    def init(self, env: Env[Any], streams: Streams) -> RivalsState:
        """The beginning of each, with the same random numbers that it would have alone."""
        learners = [learner.init(env, streams.branched()) for learner in self.learners]
        return RivalsState(0, Ledger.of(self.metrics, streams.n_seeds, streams.device), learners)

    def advance(self, env: Env[Any], state: RivalsState) -> None:
        """A round of each."""
        state.steps += self.steps_per_round
        for learner, own in zip(self.learners, state.learners, strict=True):
            while own.steps < state.steps:
                learner.advance(env, own)

    def policies(self, state: RivalsState) -> Mapping[str, Policy]:
        """The first policy of each, by its name."""
        return {
            name: next(iter(learner.policies(own).values()))
            for name, learner, own in zip(self.names, self.learners, state.learners, strict=True)
        }
