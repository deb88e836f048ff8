"""Figure 4: predators and prey of different methods against each other."""

from typing import Literal

from benchmarks import Claim, Exceeds, Figure, Metric, Row, Score, Share, dimapg
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
    cell, rule = tournament(game), Exceeds(Share(chance_level(game)))

    def caught(metric: str, better: Literal["larger", "smaller"] = "larger") -> Score:
        return Score(cell, Metric(metric, better), FINAL)

    return tuple(
        row
        for other in dimapg.BASELINES
        for row in (
            Row(
                f"predators of {OURS} get more than those of {other}",
                caught(predators(OURS)),
                caught(predators(other)),
                rule,
                "end",
                "replicate",
            ),
            Row(
                f"prey of {other} are caught more than those of {OURS}",
                caught(prey(other), better="smaller"),
                caught(prey(OURS), better="smaller"),
                rule,
                "end",
                "replicate",
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
            "",
            "the experiments, on Figure 4",
            "in predator-prey with 3 against 1 DiMA-PG learns better policies than MADDPG and both kitchen sinks",
            better_policies("3v1"),
        ),
        Claim(
            "DIMA-F4-2",
            "",
            "the experiments, on Figure 4",
            "so it does with more predators and prey, 12 against 4",
            better_policies("12v4"),
        ),
    ),
    budgets=budgets(),
    decisions=PURSUIT_DECISIONS,
)
