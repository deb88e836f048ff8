"""Policies as they begin, which play on as in training and never learn: exploration before anything is learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _grids as grids
from algorithms._episodes import EARLY, EPISODE_LENGTH, EPISODE_METRICS, EPISODE_REWARD, STEP_REWARD, Episodes
from algorithms._grids import Still
from algorithms._ledger import Ledger
from algorithms.mace import MACE, Network, distribution, drawn, on_a_grid, sampled
from environments import Env, Streams, check

DEFAULT = MACE()
Name = Literal["MACE", "MACE, λ kept", "Shared", "Cloned"]
NAMES: tuple[Name, ...] = ("MACE", "MACE, λ kept", "Shared", "Cloned")


def of(name: str, metric: str) -> str:
    """How a metric of one of the policies is called."""
    return f"{name}, untrained: {metric}"


class Together(Streams):
    """The streams of several players, each of whom draws for copies of their own, side by side."""

    def __init__(self, parts: Sequence[Streams]) -> None:
        super().__init__(parts[0]._generators)
        self._parts = tuple(parts)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Shapes: the first axis is that of copies."""
        return self._joined(shape, lambda part, own: part.uniform(*own, low=low, high=high))

    def normal(self, *shape: int) -> Tensor:
        """Shapes: the first axis is that of copies."""
        return self._joined(shape, lambda part, own: part.normal(*own))

    def integers(self, *shape: int, high: int) -> Tensor:
        """Shapes: the first axis is that of copies."""
        return self._joined(shape, lambda part, own: part.integers(*own, high=high))

    def _joined(self, shape: tuple[int, ...], draw: Callable[[Streams, tuple[int, ...]], Tensor]) -> Tensor:
        own = (shape[0] // len(self._parts), *shape[1:])
        return torch.cat([draw(part, own) for part in self._parts], dim=1)


@dataclass
class UntrainedState:
    """What they own, of the four policies one after the other in the axis of copies.

    Shapes: noise [S, 4·E, m], the ε of every copy's last step; finished [S, 4], what each policy has been paid.
    """

    steps: int
    streams: list[Streams]
    episodes: Episodes
    noise: Tensor
    finished: Tensor
    trunk: Still
    networks: tuple[Network, ...]  # without a trunk, which is the same for all
    ledger: Ledger


@dataclass(frozen=True)
class Untrained:
    """MACE, the same with λ kept for an episode, Shared and Cloned, with the weights that a seed begins with.

    Each plays in as many copies and with the same draws as in training, so that it meets the episodes of the seed's
    training until that has learnt something. A seed's policies begin with one φ: it is computed for all at once.

    Units: an iteration is `learner.steps_per_update` environment steps per seed and policy, over all copies.
    """

    learner: MACE = DEFAULT

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        of(name, metric): unit for name in NAMES for metric, unit in EPISODE_METRICS.items()
    }

    def __post_init__(self) -> None:
        check(self)

    @property
    def learners(self) -> tuple[MACE, ...]:
        """Those of `NAMES`, in order."""
        kept = replace(self.learner, latent_lasts="episode")
        return (self.learner, kept, replace(self.learner, policy="Shared"), replace(self.learner, policy="Cloned"))

    def init(self, env: Env[Any], streams: Streams) -> UntrainedState:
        """The learners' own beginnings."""
        begun = [learner.init(env, streams.branched()) for learner in self.learners]
        together = Together([one.streams for one in begun])
        episodes = Episodes.of(env, together.branched(), len(begun) * self.learner.n_envs)
        games = zip(*(one.episodes.game for one in begun), strict=True)
        episodes.game = type(episodes.game)(*(torch.cat(field, dim=1) for field in games))
        return UntrainedState(
            steps=0,
            streams=[one.streams for one in begun],
            episodes=episodes,
            noise=torch.cat([one.noise for one in begun], dim=1),
            finished=torch.zeros(streams.n_seeds, len(begun), dtype=torch.float64, device=streams.device),
            trunk=grids.still(begun[0].network.trunk, on_a_grid(env).planes),
            networks=tuple(one.network._replace(trunk=()) for one in begun),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
        )

    @torch.no_grad()
    def advance(self, env: Env[Any], state: UntrainedState) -> None:
        """Each plays as many steps as the learner does between two updates."""
        draws = (one.draws(env, streams) for one, streams in zip(self.learners, state.streams, strict=True))
        for of_learners in zip(*draws, strict=True):
            before, elapsed = state.episodes.reward, state.episodes.elapsed
            actions = self._actions(env, state, *zip(*of_learners, strict=True))
            unused = Ledger.of(EPISODE_METRICS, len(actions), actions.device)
            reward, ended = state.episodes.step(env, (actions,), Together(state.streams), unused)
            self._enter(state, before + reward.sum(dim=-1), elapsed + 1, ended, env.horizon)
        state.steps += self.learner.steps_per_update

    def policies(self, state: UntrainedState) -> Mapping[str, Policy]:
        """The learners', by name."""
        return {
            name: sampled(learner, network._replace(trunk=state.trunk), streams.branched())
            for name, learner, network, streams in zip(NAMES, self.learners, state.networks, state.streams, strict=True)
        }

    def _actions(
        self, env: Env[Any], state: UntrainedState, fresh: tuple[Tensor, ...], unit: tuple[Tensor, ...]
    ) -> Tensor:
        """What everybody does, by their draws of ε and of U[0, 1). Shapes: [S, 4·E, A]."""
        grid, game, n_envs = on_a_grid(env), state.episodes.game, self.learner.n_envs
        seen = grids.phi(grid.cells(game), grid.planes, state.trunk, self.learner.beside(env, game))
        kept, begins = state.noise.split(n_envs, dim=1), (state.episodes.elapsed == 0).split(n_envs, dim=1)
        noise = [one.renewed(*of_one) for one, *of_one in zip(self.learners, fresh, kept, begins, strict=True)]
        state.noise = torch.cat(noise, dim=1)
        read = self.learner.read(seen).split(n_envs, dim=1)
        acting = [
            distribution(features, network, own, unit[0].shape[2]).log_probability
            for features, network, own in zip(read, state.networks, noise, strict=True)
        ]
        return drawn(torch.cat(acting, dim=1), torch.cat(unit, dim=1))

    def _enter(self, state: UntrainedState, reward: Tensor, length: Tensor, ended: Tensor, horizon: int) -> None:
        """What came of the episodes that have ended, of every policy. Shapes: [S, 4·E] each."""
        paid = torch.where(ended, reward, 0.0)
        entries = {
            STEP_REWARD: (paid, torch.ones_like(ended)),
            EPISODE_REWARD: (reward, ended),
            EPISODE_LENGTH: (length, ended),
            EARLY: (length < horizon, ended),
        }
        n_envs = self.learner.n_envs
        state.finished += paid.double().unflatten(1, (-1, n_envs)).sum(dim=2)
        for metric, (values, where) in entries.items():
            for name, its, of_its in zip(NAMES, values.split(n_envs, 1), where.split(n_envs, 1), strict=True):
                state.ledger.enter(of(name, metric), its, of_its)
