"""Figure 4: predators and prey of different methods against each other."""

from benchmarks import Claim, Figure, Outperforms, Row, Score, dimapg
from benchmarks.dimapg._pursuit import (
    FINAL,
    PURSUIT_DECISIONS,
    CurvePlate,
    MatrixPlate,
    budgets,
    chance_level,
    predators,
    prey,
    tournament,
)

OURS = "DiMA-PG"


def better_policies(game: str) -> tuple[Row, ...]:
    """DiMA-PG's predators get more than others' predators, and predators get less from its prey than from others'."""
    cell, rule = tournament(game), Outperforms(reference=chance_level(game))
    return tuple(
        row
        for other in dimapg.BASELINES
        for row in (
            Row(
                f"predators of {OURS} get more than those of {other}",
                Score(cell, predators(OURS), FINAL),
                Score(cell, predators(other), FINAL),
                rule,
            ),
            Row(
                f"prey of {other} are caught more than those of {OURS}",
                Score(cell, prey(other), FINAL),
                Score(cell, prey(OURS), FINAL),
                rule,
            ),
        )
    )


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig4",
    title="Predators and prey of four methods against each other",
    caption="Average reward of predators, of every method's predators against every method's prey, and in training.",
    panels=(),
    plates=(MatrixPlate("3v1"), MatrixPlate("12v4"), CurvePlate("3v1")),
    claims=(
        Claim(
            "DIMA-F4-1",
            "in predator-prey with 3 against 1 DiMA-PG learns better policies than MADDPG and both kitchen sinks",
            "the experiments, on Figure 4",
            better_policies("3v1"),
            note="Both sides of a row are of the same seeds and are compared as if they were of different ones.",
        ),
        Claim(
            "DIMA-F4-2",
            "so it does with more predators and prey, 12 against 4",
            "the experiments, on Figure 4",
            better_policies("12v4"),
            note="Both sides of a row are of the same seeds and are compared as if they were of different ones.",
        ),
    ),
    budgets=budgets(),
    decisions=PURSUIT_DECISIONS,
)
