"""How much of its teachers' values a student of value matching has learnt: who has learnt nothing minds no order.

By equation (6) one student of several critics comes to their mean at best: what they disagree in is nobody's failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms._copies import seen
from algorithms._networks import of_agent
from algorithms.dvm import Merging, MergingState, in_order
from benchmarks import Cell, Measured
from environments import Streams

UNEXPLAINED = "share of the teachers' values that is not explained"


@dataclass(frozen=True)
class Unexplained:
    """On batches of what each team has seen, that nobody learns from."""

    batch_size: int = 1024

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        UNEXPLAINED: "squared difference of the mean of a team's values, which least squares makes of several "
        "teachers, and of the student's, who sees the agents in a random order, by the variance of the former over the "
        "batch; mean over teams and over the critic's values"
    }
    arrays: ClassVar[Mapping[str, str]] = {}

    @torch.no_grad()
    def __call__(self, algorithm: Merging, env: Any, learner: MergingState, streams: Streams) -> Measured:
        """Of every team, whose members' critics are averaged."""
        shares = []
        for number, teacher in enumerate(learner.teachers):
            batch = teacher.replay.sample(streams, self.batch_size)
            observed, actions = seen(env, batch.state), batch.actions.transpose(1, 2)
            order = streams.uniform(observed.shape[1]).argsort(dim=1)
            said = self._valued(algorithm, learner.student, in_order(observed, order), in_order(actions, order))
            members = [agent for of, agent in algorithm.members if of == number]
            critics = [of_agent(teacher.taught, member) for member in members]
            taught = torch.stack([self._valued(algorithm, critic, observed, actions) for critic in critics]).mean(dim=0)
            shares.append((said - taught).square().mean(dim=2) / taught.var(dim=2))  # [S, V]
        return Measured({UNEXPLAINED: torch.stack(shares).mean(dim=(0, 2))}, {})

    def _valued(self, algorithm: Merging, critic: Any, observed: Tensor, actions: Tensor) -> Tensor:
        """Shapes: [S, A, B, D] and [S, A, B, n] → [S, V, B]."""
        return torch.stack(algorithm.learner.valued(critic, observed, actions), dim=1)


def explained(matching: Cell) -> Cell:
    """The same matching with the same draws, measured."""
    return replace(matching, name=f"{matching.name}, explained", measure=Unexplained())
