"""Copies of a game whose episodes end by its rules, each at its own time, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms._copies import lost, playable
from algorithms._ledger import Ledger
from environments import Env, Streams

EPISODE_REWARD, EPISODE_LENGTH, EARLY = "episode reward", "episode length", "share ended early"
STEP_REWARD = "reward per step"
N_BINS = 100

_ENDED = "mean over the episodes that ended since the last test"
EPISODE_METRICS: Mapping[str, str] = {
    EPISODE_REWARD: f"sum over agents and steps of the reward of a training episode; {_ENDED}",
    EPISODE_LENGTH: f"environment steps of a training episode; {_ENDED}",
    EARLY: f"1 for a training episode that ended before the horizon, else 0; {_ENDED}",
    STEP_REWARD: "sum over agents of the reward of the episodes that ended since the last test, by steps taken",
}


@dataclass
class Episodes:
    """E games a seed, each at its own step, and what came of those that have ended.

    Units: `finished_reward` is the sum over agents and over all episodes that have ended since training began;
    `lengths` counts them by length: bin b holds those of more than b and at most b+1 hundredths of the horizon.
    """

    game: Any  # the environment's state
    elapsed: Tensor  # [S, E] int64
    reward: Tensor  # [S, E] so far, summed over agents
    finished_reward: Tensor  # [S] float64
    lengths: Tensor  # [S, 100] int64

    @classmethod
    def of(cls, env: Env[Any], streams: Streams, n_envs: int) -> Episodes:
        """Fresh games."""
        game = env.reset(streams, n_envs)
        zeros = torch.zeros(streams.n_seeds, n_envs, device=streams.device)
        lengths = zeros.new_zeros(streams.n_seeds, N_BINS, dtype=torch.int64)
        return cls(game, zeros.long(), zeros, zeros[:, 0].double(), lengths)

    def step(
        self, env: Env[Any], actions: tuple[Tensor, ...], streams: Streams, ledger: Ledger
    ) -> tuple[Tensor, Tensor]:
        """Play one step; where an episode ends, enter what came of it and begin a new one.

        Fresh games are drawn at every step for all copies, so that no seed's draws depend on how another one fares. A
        seed that has diverged rests, so that the others are not held up; its rewards are NaN, its lengths not counted.

        Returns the reward [S, E, A], and where an episode ended [S, E].
        """
        reached, reward, terminated = env.step(self.game, tuple(map(playable, actions)), streams)
        reward = reward + torch.cat([lost(x) for x in actions], dim=-1)
        so_far, elapsed = self.reward + reward.sum(dim=-1), self.elapsed + 1
        ended = terminated | (elapsed >= env.horizon)
        self._enter(ledger, ended, so_far, elapsed, env.horizon)
        self.game = renewed(ended, env.reset(streams, ended.shape[1]), reached)
        self.reward, self.elapsed = so_far.masked_fill(ended, 0.0), elapsed.masked_fill(ended, 0)
        return reward, ended

    def _enter(self, ledger: Ledger, ended: Tensor, reward: Tensor, length: Tensor, horizon: int) -> None:
        paid = torch.where(ended, reward, 0.0)
        self.finished_reward += paid.double().sum(dim=1)
        self.lengths.scatter_add_(1, (length - 1) * N_BINS // horizon, (ended & ~reward.isnan()).long())
        ledger.enter(STEP_REWARD, paid)
        for metric, values in ((EPISODE_REWARD, reward), (EPISODE_LENGTH, length), (EARLY, length < horizon)):
            ledger.enter(metric, values, where=ended)


def renewed(ended: Tensor, fresh: Any, reached: Any) -> Any:
    """A fresh game where one has ended. Shapes: ended [S, E]; fields [S, E, ...]."""

    def of(new: Tensor, old: Tensor) -> Tensor:
        return torch.where(ended.view(*ended.shape, *(1,) * (old.dim() - 2)), new, old)

    return type(reached)(*(of(new, old) for new, old in zip(fresh, reached, strict=True)))
