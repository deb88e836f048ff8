"""What else the text allows of cooperative navigation: the same cells in another game, or with another baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from algorithms._rollouts import Baseline
from algorithms.dimapg import DiMAPG
from algorithms.kitchen_sink import TRPOKitchenSink
from benchmarks import Cell, Reading
from environments.goal_navigation import GoalNavigation

OTHER_SIZE = {3: 0.05, 10: 0.02}


def elsewhere(change: Callable[[GoalNavigation], GoalNavigation]) -> Callable[[Cell], Cell]:
    """A cell in another game, and tested there, too, where its measure has a game of its own."""

    def under(cell: Cell) -> Cell:
        if not isinstance(cell.env, GoalNavigation):
            return cell
        measure: Any = cell.measure
        if isinstance(getattr(measure, "game", None), GoalNavigation):
            measure = replace(measure, game=change(measure.game))
        return replace(cell, env=change(cell.env), measure=measure)

    return under


def paid(reward: Literal["own", "mean", "sum"]) -> Callable[[Cell], Cell]:
    """Where agents are paid for all goals."""
    return elsewhere(lambda game: replace(game, reward=reward))


def as_rllab(cell: Cell) -> Cell:
    """Advantages from the last iteration's baseline, and the curvature measured on every step."""
    if not isinstance(cell.algorithm, DiMAPG | TRPOKitchenSink):
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, baseline=Baseline(lagged=True), curvature_stride=1))


COLLECTIVE = (
    Reading(
        "mean",
        "Minus the mean over goals of their squared distance from their closest agent, the same for all.",
        "“The agents are collectively rewarded based on the how far any agent is from each goal”, in the unit of one "
        "goal.",
        under=paid("mean"),
    ),
    Reading(
        "sum",
        "Minus the sum over goals of the same.",
        "The same sentence. Clipped, nearly every step of random play is at the floor with 10 agents.",
        under=paid("sum"),
    ),
)
DISCS = Reading(
    "small-discs",
    "0.05 where there are 3, 0.02 where there are 10.",
    "With ten discs of 0.02 a script gets about −7, near the printed −8.",
    under=elsewhere(lambda game: replace(game, agent_size=OTHER_SIZE[game.n_goals or game.n_agents])),
)
WALLS = Reading(
    "walls",
    "Walls at ±1.2 hold agents back.",
    "“when they step out of the environment boundary” can also be of a boundary that is one.",
    under=elsewhere(lambda game: replace(game, walls=1.2)),
)
RLLAB = Reading(
    "rllab",
    "By the baseline that was fitted in the iteration before, which is then fitted anew; the curvature is measured on "
    "every step.",
    "The order of the library that the paper names.",
    under=as_rllab,
)
