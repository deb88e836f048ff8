"""Figure 4: predators and prey of different methods against each other."""

from collections.abc import Callable

from benchmarks import Arm, Cell, Claim, Exceeds, Figure, Learnt, Row, Score, dimapg
from benchmarks.dimapg._pursuit import (
    PURSUIT_DECISIONS,
    TOUCH,
    UNIFORM,
    budgets,
    curve_plate,
    fleeing,
    hunting,
    matrix_plate,
    tournament,
)

OURS = "DiMA-PG"
PLACE = "section 5.3, on Figure 4"


def better_policies(game: str) -> tuple[Row, ...]:
    """DiMA-PG's predators get more than others' predators, and predators get less from its prey than from others'."""
    cell = tournament(game)

    def either(score: Callable[[Cell, str], Score], other: str) -> tuple[Learnt, ...]:
        level = score(cell, UNIFORM)  # against the same opponents; it stands for untrained learners, too
        return (Learnt((Arm(score(cell, OURS), level), Arm(score(cell, other), level)), level, TOUCH[game]),)

    return tuple(
        row
        for other in dimapg.BASELINES
        for row in (
            Row(
                f"predators of {OURS} get more than those of {other}",
                hunting(cell, OURS),
                hunting(cell, other),
                Exceeds(TOUCH[game]),
                "end",
                learnt=either(hunting, other),
            ),
            Row(
                f"prey of {other} are caught more than those of {OURS}",
                fleeing(cell, other),
                fleeing(cell, OURS),
                Exceeds(TOUCH[game]),
                "end",
                learnt=either(fleeing, other),
            ),
        )
    )


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig4",
    title="Predators and prey of four methods against each other",
    caption="Average reward of predators, of every method's predators against every method's prey, and in training.",
    pictured="Left and centre, the average reward of predators over 100 episodes, every method's predators against "
    "every method's prey, 3 against 1 and 12 against 4; right, that reward over episodes of training, 3 "
    "against 1. The text says that DiMA-PG learns better policies than MADDPG and both kitchen sinks.",
    panels=(),
    plates=(matrix_plate("3v1"), matrix_plate("12v4"), curve_plate("3v1")),
    claims=(
        Claim(
            "DIMA-F4-1",
            "“We observe that DIMAPG is able to effectively learn better policies than both MADDPG and the centralized "
            "Kitchensink methods on this competitive task.”",
            PLACE,
            "with 3 predators against 1 prey, at the end of training, DiMA-PG's predators get more and its prey are "
            "caught less than those of MADDPG and of both kitchen sinks, against the same opponents",
            better_policies("3v1"),
        ),
        Claim(
            "DIMA-F4-2",
            "“Similar results with DIMAPG are achieved even when the number of predators and preys are increased.”",
            PLACE,
            "the same with 12 predators against 4 prey",
            better_policies("12v4"),
        ),
    ),
    budgets=budgets(),
    decisions=PURSUIT_DECISIONS,
)
