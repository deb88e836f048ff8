"""Figure 4: learning performance in four environments, exploration included."""

from collections.abc import Iterable
from typing import NamedTuple

from benchmarks import About, Cell, Claim, Exceeds, Figure, Line, Panel, Row, Statistic, ctedd
from benchmarks.ctedd import ENVIRONMENTS, FINAL, MILLION, RISE, delta, learnt, trained, until

CN = ("CN-V1", "CN-V2")
PLACE = "section 5.3, on Figure 4"


class Stage(NamedTuple):
    """What is read of a curve, and by when somebody must have learnt for it to count."""

    statistic: Statistic
    by: Statistic
    about: About


BEGINNING = Stage(RISE, until(MILLION), "beginning")
END = Stage(FINAL, FINAL, "end")


def better(left: Cell, right: Cell, stage: Stage) -> Row:
    """An ordering of training returns."""
    environment = left.environment
    return Row(
        f"{environment}: {left.name} > {right.name}",
        trained(left, stage.statistic),
        trained(right, stage.statistic),
        Exceeds(delta(environment)),
        stage.about,
        "replicate",
        learnt(left, right, by=stage.by),
    )


def beats_maddpg(stage: Stage) -> tuple[Row, ...]:
    """CTEDD against both baselines in every game."""
    return tuple(
        better(ctedd.ctedd(environment), ctedd.maddpg(environment, size), stage)
        for environment in ENVIRONMENTS
        for size in (1, 3)
    )


def message_sizes(environments: Iterable[str], better_size: int, worse_size: int, stage: Stage) -> tuple[Row, ...]:
    """One baseline above the other."""
    return tuple(
        better(ctedd.maddpg(environment, better_size), ctedd.maddpg(environment, worse_size), stage)
        for environment in environments
    )


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="fig4",
    title="Learning performance of CTEDD, MADDPG-1 and MADDPG-3",
    caption="Cumulative reward that all agents obtain together in an episode of training, with exploration.",
    pictured="Curves of the average cumulative reward of all agents in an episode of training, over 10 seeds with a "
    "confidence interval, of CTEDD, MADDPG-1 and MADDPG-3 in each of the four games. The text says that CTEDD "
    "learns faster than both and stays above them everywhere.",
    panels=tuple(
        Panel(
            environment,
            (
                Line("CTEDD", ctedd.ctedd(environment), ctedd.TRAINING),
                Line("MADDPG-1", ctedd.maddpg(environment, 1), ctedd.TRAINING),
                Line("MADDPG-3", ctedd.maddpg(environment, 3), ctedd.TRAINING),
            ),
            "training return",
            levels=ctedd.levels(environment, printed=False),
        )
        for environment in ENVIRONMENTS
    ),
    claims=(
        Claim(
            "CTEDD-F4-1",
            "“First, CTEDD can clearly learn faster and achieve higher effective-ness than MADDPG. In fact, CTEDD "
            "consistently outperformed MADDPG-1 and MADDPG-3 on all environments, confirming that the global policies "
            "trained by CTEDD can promote coordinated” “environment exploration and learning among all agents.”",
            PLACE,
            "higher effectiveness: at the end the training return of CTEDD, exploration included, is above that of "
            "either baseline in every game",
            beats_maddpg(END),
        ),
        Claim(
            "CTEDD-F4-2",
            "“First, CTEDD can clearly learn faster and achieve higher effective-ness than MADDPG.”",
            PLACE,
            "faster: over the first million steps the training return of CTEDD rises more than that of either baseline "
            "in every game",
            beats_maddpg(BEGINNING),
            note="A rise is counted from the run's own tests before the first update, because untrained policies "
            "explore unequally: with a standard deviation of about 0.5 in CTEDD and of about 1 in MADDPG.",
        ),
        Claim(
            "CTEDD-F4-3a",
            "“But this may slow down the learning process. For example, on CN-V1 and CN-V2, MADDPG-3 improved slowly "
            "at the beginning but eventually surpassed MADDPG-1 in learning performance.”",
            PLACE,
            "slowly: over the first million steps the training return of MADDPG-3 rises less than that of MADDPG-1 in "
            "both games",
            message_sizes(CN, 1, 3, BEGINNING),
        ),
        Claim(
            "CTEDD-F4-3b",
            "“For example, on CN-V1 and CN-V2, MADDPG-3 improved slowly at the beginning but eventually surpassed "
            "MADDPG-1 in learning performance. This is easily understandable since” “this will enable agents to learn "
            "to cooperate more effectively at a later stage.”",
            PLACE,
            "eventually: at the end the training return of MADDPG-3 is above that of MADDPG-1 in both games",
            message_sizes(CN, 3, 1, END),
        ),
        Claim(
            "CTEDD-F4-4",
            "“exchanging more information among the learning agents can contribute positively to the final learning "
            "performance.”",
            PLACE,
            "can: in one game at least the training return of MADDPG-3 ends above that of MADDPG-1",
            message_sizes(ENVIRONMENTS, 3, 1, END),
            holds="some",
        ),
    ),
    budgets=ctedd.budgets(),
    decisions=ctedd.decisions(*ctedd.PLAYED, "as-numbered"),
)
