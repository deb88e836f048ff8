"""Policies as they begin, which play on as in training and never learn: exploration before anything is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, cast

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _grids as grids
from algorithms._episodes import EPISODE_METRICS, Episodes
from algorithms._grids import Still, Trunk
from algorithms._ledger import Ledger
from algorithms.mace import MACE, Network, distribution, drawn, on_a_grid, sampled
from environments import Env, Streams, check

Name = Literal["MACE", "MACE, λ kept", "Shared", "Cloned"]
NAMES: tuple[Name, ...] = ("MACE", "MACE, λ kept", "Shared", "Cloned")


def of(name: str, metric: str) -> str:
    """How a metric of one of the policies is called."""
    return f"{name}, untrained: {metric}"


@dataclass
class Player:
    """One of the policies and its games. Shapes: noise [S, E, m], the ε of every copy's last step."""

    streams: Streams
    episodes: Episodes
    noise: Tensor
    network: Network  # without a trunk


@dataclass
class UntrainedState:
    """What they own. The trunk is the same for all."""

    steps: int
    trunk: Still
    players: tuple[Player, ...]
    ledger: Ledger


@dataclass(frozen=True)
class Untrained:
    """MACE, the same with λ kept for an episode, Shared and Cloned, with the weights that a seed begins with.

    Each plays in as many copies and with the same draws as in training, so that it meets the episodes of the seed's
    training until that has learnt something. A seed's policies begin with one φ: it is computed for all at once.

    Units: an iteration is `learner.steps_per_update` environment steps per seed and policy, over all copies.
    """

    learner: MACE = MACE()

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        of(name, metric): unit for name in NAMES for metric, unit in EPISODE_METRICS.items()
    }

    def __post_init__(self) -> None:
        check(self)

    @property
    def learners(self) -> tuple[MACE, ...]:
        """Those of `NAMES`, in order."""
        return (
            self.learner,
            replace(self.learner, latent_lasts="episode"),
            *(replace(self.learner, policy=policy) for policy in ("Shared", "Cloned")),
        )

    def init(self, env: Env[Any], streams: Streams) -> UntrainedState:
        """The learners' own beginnings."""
        begun = [learner.init(env, streams.branched()) for learner in self.learners]
        trunk = grids.still(cast(Trunk, begun[0].network.trunk), on_a_grid(env).planes)
        players = (
            Player(one.streams, one.episodes, one.noise, one.network._replace(trunk=())) for one in begun
        )
        return UntrainedState(0, trunk, tuple(players), Ledger.of(self.metrics, streams.n_seeds, streams.device))

    @torch.no_grad()
    def advance(self, env: Env[Any], state: UntrainedState) -> None:
        """Each plays as many steps as the learner does between two updates."""
        draws = (one.draws(env, player.streams) for one, player in zip(self.learners, state.players, strict=True))
        for of_players in zip(*draws, strict=True):
            self._step(env, state, of_players)
        state.steps += self.learner.steps_per_update

    def policies(self, state: UntrainedState) -> Mapping[str, Policy]:
        """The learners', by name."""
        return {
            name: sampled(learner, player.network._replace(trunk=state.trunk), player.streams.branched())
            for name, learner, player in zip(NAMES, self.learners, state.players, strict=True)
        }

    def _step(self, env: Env[Any], state: UntrainedState, draws: tuple[tuple[Tensor, Tensor], ...]) -> None:
        """One step of everybody, by their draws of ε and of U[0, 1)."""
        features = self._features(env, state).split(self.learner.n_envs, dim=1)
        for name, learner, player, read, (fresh, unit) in zip(
            NAMES, self.learners, state.players, features, draws, strict=True
        ):
            player.noise = learner.renewed(fresh, player)
            acting = distribution(read, player.network, player.noise, unit.shape[2])
            ledger = Ledger({metric: state.ledger.totals[of(name, metric)] for metric in EPISODE_METRICS})
            player.episodes.step(env, (drawn(acting.log_probability, unit),), player.streams, ledger)

    def _features(self, env: Env[Any], state: UntrainedState) -> Tensor:
        """What every policy reads of its games, one policy after the other. Shapes: [S, P·E, hidden]."""
        grid, games = on_a_grid(env), [player.episodes.game for player in state.players]
        cells = torch.cat([grid.cells(game) for game in games], dim=1)
        clocks = [clock for game in games if (clock := self.learner.beside(env, game)) is not None]
        beside = torch.cat(clocks, dim=1) if clocks else None
        return self.learner.read(grids.phi(cells, grid.planes, state.trunk, beside))
