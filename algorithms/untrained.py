"""A policy as it begins, which plays on as in training and never learns: exploration before anything is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _grids as grids
from algorithms._episodes import EPISODE_METRICS, Episodes
from algorithms._grids import Trunk
from algorithms._ledger import Ledger
from algorithms.mace import MACE, Network, on_a_grid, sampled
from environments import Env, Streams, check


@dataclass
class UntrainedState:
    """What it owns. Shapes: noise [S, E, m], the ε of every copy's last step."""

    steps: int
    streams: Streams
    episodes: Episodes
    noise: Tensor
    ledger: Ledger
    network: Network


@dataclass(frozen=True)
class Untrained:
    """MACE or one of its baselines with the weights that a seed begins with, in as many copies and with the same draws.

    It meets the episodes of the seed's training until that has learnt something.

    Units: an iteration is `learner.steps_per_update` environment steps per seed, over all copies.
    """

    learner: MACE = MACE()

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = EPISODE_METRICS

    def __post_init__(self) -> None:
        check(self)

    def init(self, env: Env[Any], streams: Streams) -> UntrainedState:
        """The learner's own beginning."""
        begun = self.learner.init(env, streams)
        planes = on_a_grid(env).planes
        network = begun.network._replace(trunk=grids.still(cast(Trunk, begun.network.trunk), planes))
        ledger = Ledger.of(self.metrics, streams.n_seeds, streams.device)
        return UntrainedState(0, begun.streams, begun.episodes, begun.noise, ledger, network)

    @torch.no_grad()
    def advance(self, env: Env[Any], state: UntrainedState) -> None:
        """Play as many steps as the learner does between two updates."""
        for fresh, unit in self.learner.draws(env, state.streams):
            state.noise = self.learner.renewed(fresh, state)
            chosen = self.learner.decision(env, state.episodes.game, state.network, state.noise, unit)
            state.episodes.step(env, (chosen.actions,), state.streams, state.ledger)
        state.steps += self.learner.steps_per_update

    def policies(self, state: UntrainedState) -> Mapping[str, Policy]:
        """The learner's."""
        return {"sampled": sampled(self.learner, state.network, state.streams.branched())}
