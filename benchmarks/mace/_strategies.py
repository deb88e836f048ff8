"""What λ tells of strategies: the two ways in which two hunters divide two hares, from one start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from benchmarks import Measured
from benchmarks.mace._assignments import METRICS, by_assignment
from benchmarks.mace._latents import (
    ASSIGNMENTS,
    FIRST,
    MEANS_FIXED,
    PATHS,
    RARER,
    SECOND,
    TOLD,
    TOLD_BY_CHANCE,
    TOLD_UNFELT,
    Latents,
    Played,
    known,
    played,
    player,
    shuffled,
    square,
    told,
)
from environments import Streams

OF_RANDOM_STARTS = Latents()


@dataclass(frozen=True)
class Strategies:
    """The same of two hunters, and from one start: who goes where, and whether λ tells it.

    λ tells as much as a linear rule, fitted to other episodes, can read from its mean over an episode. The share of
    right answers is the mean of those of both assignments, ½ by chance and where one of them does not appear.
    """

    latents: Latents = OF_RANDOM_STARTS
    n_folds: int = 10
    n_orders: int = 20
    n_assigned: int = 400
    """Episodes from one start, in which assignments are looked at one by one."""

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        **Latents.metrics,
        FIRST: "share of the episodes from one start in which hunter 1 has caught prey A and hunter 2 prey B",
        SECOND: "share of the episodes from one start in which hunter 1 has caught prey B and hunter 2 prey A",
        RARER: "share of the episodes from one start that end in the assignment in which fewer of them end",
        TOLD: "share of successful episodes from one start whose assignment is told rightly; mean over assignments",
        TOLD_BY_CHANCE: "the same with the assignments in another order; mean over orders",
        TOLD_UNFELT: "the same from a λ that is drawn in the same states and used for nothing",
        **METRICS,
    }
    arrays: ClassVar[Mapping[str, str]] = {
        **Latents.arrays,
        MEANS_FIXED: "of an episode; [episode, entry]",
        PATHS: "cells, not wrapped around the torus, at rest after the end; [episode, time, hunter, axis]",
        ASSIGNMENTS: "1 where hunter 1 has caught prey A and hunter 2 B, -1 where it is swapped, else 0; [episode]",
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Plays from random starts, then from the one."""
        correlating = self.latents(algorithm, env, learner, streams)
        n = self.latents.n_episodes
        keys = streams.uniform(self.n_orders, n)
        found, assignment = self._from_one_start(algorithm, env, learner, streams, n)
        first, second = ((assignment == which).double().mean(dim=1) for which in (1, -1))
        permuted, many = shuffled(assignment, keys), found.latent.unsqueeze(1).expand(-1, self.n_orders, -1, -1)
        metrics = {
            FIRST: first,
            SECOND: second,
            RARER: torch.minimum(first, second),
            TOLD: told(found.latent, assignment, self.n_folds),
            TOLD_BY_CHANCE: told(many, permuted, self.n_folds).mean(dim=1),
            TOLD_UNFELT: told(found.unfelt, assignment, self.n_folds),
        }
        arrays = {
            MEANS_FIXED: found.latent,
            PATHS: found.paths.to(torch.int8),
            ASSIGNMENTS: assignment.to(torch.int8),
        }
        assigned = by_assignment(*self._from_one_start(algorithm, env, learner, streams, self.n_assigned))
        found_out = known(metrics | assigned, found.latent)
        return Measured({**correlating.metrics, **found_out}, {**correlating.arrays, **arrays})

    def _from_one_start(
        self, algorithm: Any, env: Any, learner: Any, streams: Streams, n: int
    ) -> tuple[Played, Tensor]:
        """Episodes, and who caught what: 1 and -1 for the two assignments, else 0. Shapes: [S, E]."""
        start = square(env, streams.n_seeds, n, streams.device)
        found = played(player(algorithm), env, learner.network, start, streams)
        return found, torch.where(found.caught, 1 - 2 * found.end.captured[..., 0], 0)
