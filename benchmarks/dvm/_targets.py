"""Which of the three targets of Task III a team of push box reaches: one return over all of them hides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from algorithms._copies import lost, playable
from benchmarks import Cell, Evaluation, Measured, Metric, Score, Statistic
from benchmarks.dvm._push import HORIZON, third
from environments import Streams
from environments.push_box import TARGETS, PushBox

LEFT, RIGHT, THIRD = (f"test return, target {where}" for where in ("of Task I", "of Task II", "that is new"))
FAMILIAR = "test return, targets of Tasks I and II"
_UNIT = "sum over agents and steps of the reward of an episode without exploration; mean over test episodes"


@dataclass(frozen=True)
class ByTarget:
    """A team in tests with each of the three targets, from the same starts."""

    n_episodes: int = 25
    """For each target."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys((LEFT, RIGHT, THIRD), _UNIT),
        FAMILIAR: f"{_UNIT}; mean over both targets",
    }
    arrays: ClassVar[Mapping[str, str]] = {}

    @torch.no_grad()
    def __call__(self, algorithm: Any, env: PushBox, learner: Any, streams: Streams) -> Measured:
        """Plays the same starts three times, each with a target of its own."""
        policy = algorithm.policies(learner)["greedy"]
        start = env.reset(streams, self.n_episodes)
        targets = start.landmark.new_tensor(TARGETS["III"]) * env.distance  # [3, 2]
        landmark = targets.repeat_interleave(self.n_episodes, dim=0)[:, None].expand(streams.n_seeds, -1, 1, 2)
        game = type(start)(*(torch.cat([field] * 3, dim=1) for field in start))._replace(landmark=landmark.contiguous())
        total = torch.zeros((), device=landmark.device)
        for _ in range(env.horizon):
            actions = policy(env, game)
            game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
            total = total + (reward + torch.cat([lost(a) for a in actions], dim=-1)).sum(dim=-1)
        left, right, new = total.unflatten(1, (3, -1)).mean(dim=2).unbind(dim=1)
        return Measured({LEFT: left, RIGHT: right, THIRD: new, FAMILIAR: (left + right) / 2}, {})


LEARNING = replace(
    third("DVM"), name="DVM, by target", evaluation=Evaluation(every=20 * HORIZON, n_episodes=0), measure=ByTarget()
)
"""DVM in Task III once more, with the same draws, so that it is the same training, measured by target."""

FROZEN = replace(
    third("DVM", frozen=True),
    name="DVM, frozen, by target",
    evaluation=Evaluation(every=HORIZON, n_episodes=0),
    measure=ByTarget(400),
)
"""What was distilled, before anybody learns on."""


def reached(cell: Cell, metric: str, statistic: Statistic) -> Score:
    """How well a team does with some of the targets."""
    return Score(cell, Metric(metric, better="larger"), statistic)
