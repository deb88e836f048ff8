"""What else the text allows of cooperative navigation: the same cells in another game, or with another baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from algorithms._rollouts import Baseline
from algorithms.dimapg import DiMAPG
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from benchmarks import Cell, Decision, Reading
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


def with_long_steps(cell: Cell) -> Cell:
    """Where TRPO moves θ."""
    if not isinstance(cell.algorithm, DiMAPG) or cell.algorithm.outer != "TRPO":
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, max_divergence=0.05))


def a3c(**settings: Any) -> Callable[[Cell], Cell]:
    """A cell of A3C-KitchenSink with other settings."""

    def under(cell: Cell) -> Cell:
        if not isinstance(cell.algorithm, A3CKitchenSink):
            return cell
        return replace(cell, algorithm=replace(cell.algorithm, **settings))

    return under


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
LONG_STEPS = Reading(
    "long-steps",
    "TRPO of θ, and of an agent that learns alone, may go a divergence of 0.05.",
    "“Learning rate for central policy updates ε = 0.05” can be that number, for the library calls it `step_size`.",
    under=with_long_steps,
)
RLLAB = Reading(
    "rllab",
    "By the baseline that was fitted in the iteration before, which is then fitted anew; the curvature is measured on "
    "every step.",
    "The order of the library that the paper names.",
    under=as_rllab,
)

APART = Reading(
    "apart",
    "Nothing, and every copy's advantage is the whole error of V; rewards are divided by 100.",
    "So the notebook.",
    under=a3c(compared=False, reward_scale=0.01),
)
WORKERS = Reading(
    "workers",
    "Four times as far.",
    "Where noise prevails, as here, a gradient of one copy has four times the noise of the mean of 16, by which Adam "
    "divides it, so that 16 steps add up to four.",
    under=a3c(learning_rate=4e-4),
)

OF_A3C = (
    Decision(
        "What does the critic of A3C-KitchenSink know of the time?",
        "Nothing, and it need not: the mean over the 16 copies at the same step is taken off the error of V, by which "
        "it learns and which is the advantage. Rewards are as they are.",
        "The paper does not compare copies. It says that an “Actor-critic loss is setup and minimzied”, and of the "
        "critic that it is a layer on the memory. An episode of cooperative navigation pays in every one of its 200 "
        "steps, so that what is left falls with the time, which agents do not see. There, with 3 untrained agents, the "
        "return of thirty steps and what follows has a standard deviation of 15 over an episode, and of 0.75 over "
        "copies at one step, which is all that actions can change: a critic that is off by 1 % of 86, the discounted "
        "return of a whole episode, already makes most of the gradient noise. Tried were, one seed each, for 480 "
        "episodes, of which the last 160 came to: as in the notebook, with no time and rewards divided by 100, −189; "
        "so, but with the time as an input of the memory, as the notebook's author has it elsewhere "
        "(awjuliani/Meta-RL), −189; copies compared for the policy alone, −193, and for both, but with rewards "
        "divided by 100, −190; and what is built −164, and −64 after 4300 episodes. Random play gets −188. The "
        "sentence on A3C says that it learns, so that a stand-in that cannot would say nothing of it. The library that "
        "the paper names has the same remedy in its own way: baselines that see the time, and advantages that are "
        "centred.",
        departs=True,
        readings=(APART,),
    ),
    Decision(
        "How far do 16 workers of A3C-KitchenSink step?",
        "As far as one: a step of Adam at the printed 10⁻⁴ by the mean of their gradients.",
        "The number of workers is not printed. Each would take a step of its own, by a gradient that is old by then.",
        readings=(WORKERS,),
    ),
)
"""What is left open of A3C-KitchenSink, where it plays."""
