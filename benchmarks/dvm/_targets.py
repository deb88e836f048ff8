"""Which of the three targets of Task III a team of push box reaches: one return over all of them hides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms._copies import lost, playable
from benchmarks import Cell, Evaluation, Measured, Metric, Score, Statistic
from benchmarks.dvm._push import HORIZON, third
from environments import Streams
from environments.push_box import TARGETS, PushBox

LEFT, RIGHT, THIRD = (f"test return, target {where}" for where in ("of Task I", "of Task II", "that is new"))
COVERED, THIRD_COVERED = "targets of Tasks I and II covered", "target that is new covered"
_SHARE = "share of test episodes at whose end the middle of the target lies under the box"
_UNIT = "sum over agents and steps of the reward of an episode without exploration; mean over test episodes"


@dataclass(frozen=True)
class ByTarget:
    """A team in tests with each of the three targets, from the same starts."""

    n_episodes: int = 25
    """For each target."""

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys((LEFT, RIGHT, THIRD), _UNIT),
        COVERED: f"{_SHARE}; mean over both targets",
        THIRD_COVERED: _SHARE,
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
        apart = (game.position[:, :, -1] - landmark[:, :, 0]).norm(dim=-1)  # [S, 3·E]
        covered = (apart < env.box_size) + 0.0 * total  # NaN of who has diverged
        (left, right, third), (on_left, on_right, on_third) = map(_by_target, (total, covered))
        on_both = (on_left + on_right) / 2
        return Measured({LEFT: left, RIGHT: right, THIRD: third, COVERED: on_both, THIRD_COVERED: on_third}, {})


def _by_target(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The means over the episodes of each target. Shapes: [S, 3·E] → [S] each."""
    left, right, new = values.unflatten(1, (3, -1)).mean(dim=2).unbind(dim=1)
    return left, right, new


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
