"""How far hunters are from their prey while nobody learns: is the game easier if prey moves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from benchmarks import Measured
from environments import Streams
from environments.hunters import Hunt

APART, NEAREST = "distance of free hunters from uncaptured prey", "distance of free hunters from the nearest such prey"
CELLS = (
    "steps on the torus, before each step of an episode that still goes; mean over {}, then over steps of all episodes"
)


@dataclass(frozen=True)
class Distances:
    """Episodes of the one policy of who does not learn."""

    n_episodes: int = 20

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        APART: CELLS.format("all pairs of a hunter and prey"),
        NEAREST: CELLS.format("hunters"),
    }
    arrays: ClassVar[Mapping[str, str]] = {}

    @torch.no_grad()
    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Plays until every episode has ended."""
        (policy,) = algorithm.policies(learner).values()
        game = env.reset(streams, self.n_episodes)
        going = torch.ones(game.t.shape[:2], dtype=torch.bool, device=game.t.device)
        total = torch.zeros(len(going), 3, dtype=torch.float64, device=game.t.device)
        for _ in range(env.horizon):
            counted, of_pairs, of_nearest = apart(game, env.grid)
            counted &= going
            total += torch.stack([of * counted for of in (of_pairs, of_nearest, counted.double())], dim=-1).sum(dim=1)
            game, _, ended = env.step(game, policy(env, game), streams)
            going &= ~ended
        pairs, nearest, steps = total.unbind(dim=1)
        return Measured({APART: pairs / steps, NEAREST: nearest / steps}, {})


def apart(game: Hunt, grid: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which games have a free hunter and prey that is not caught; the mean distance of pairs; that of the nearest.

    Shapes: [S, E] each. Units: Manhattan distance on the torus.
    """
    away = (game.hunters.unsqueeze(3) - game.prey.unsqueeze(2)).abs()  # [S, E, N, M, 2]
    distance = torch.minimum(away, grid - away).sum(dim=-1).double()
    free, alive = game.captured < 0, game.hits > 0
    pair = (free.unsqueeze(3) & alive.unsqueeze(2)).double()
    counted = free.any(dim=2) & alive.any(dim=2)
    nearest = distance.masked_fill(~alive.unsqueeze(2), torch.inf).amin(dim=3).nan_to_num(posinf=0.0)
    of_pairs = (distance * pair).sum(dim=(2, 3)) / pair.sum(dim=(2, 3)).clamp_min(1.0)
    of_nearest = (nearest * free).sum(dim=2) / free.sum(dim=2).clamp_min(1)
    return counted, of_pairs, of_nearest
