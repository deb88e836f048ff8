"""Equation (5): a critic whose values are matched does not mind the order of the agents. The paper draws no figure."""

from typing import Any

from algorithms.dvm import STUDENTS_SENSITIVITY, TEACHERS_SENSITIVITY
from benchmarks import Cell, Claim, Decision, Exceeds, Figure, Line, Margin, Metric, Panel, Printed, Row, Score, dvm
from benchmarks._scores import Final
from benchmarks.dvm import CONTINUOUS, DISCRETE, SPREAD_AGENTS, merging

TEACHERS, STUDENT = (Metric(name, better="smaller") for name in (TEACHERS_SENSITIVITY, STUDENTS_SENSITIVITY))
END = Final(window=4)  # the last quarter of the iterations
TOLERANCE, REASON = 0.1, "a tenth of the standard deviation of Q over a batch"


def games() -> tuple[tuple[str, Cell], ...]:
    """Value matching with 2, 3 and 4 agents, of both algorithms."""
    learners: tuple[tuple[str, Any], ...] = (("MADDPG", DISCRETE), ("MA-SAC", CONTINUOUS))
    return tuple(
        (f"{name}, {n} agents", merging(learner, n, "critic")) for name, learner in learners for n in SPREAD_AGENTS
    )


FIGURE = Figure(
    paper=dvm.PAPER,
    name="matching",
    title="How much a critic minds the order of the agents, while its values are matched",
    caption="Order sensitivity of the student, and of the teachers that it is matched to.",
    panels=tuple(
        Panel(
            title,
            (Line("student", cell, STUDENTS_SENSITIVITY), Line("teachers", cell, TEACHERS_SENSITIVITY)),
            "order sensitivity",
            against="iterations",
        )
        for title, cell in games()
    ),
    claims=(
        Claim(
            "DVM-T-1",
            "",
            "section IV, equations (5) and (6)",
            "value matching makes the critic invariant to permutations of the agents",
            tuple(
                row
                for title, cell in games()
                for row in (
                    Row(
                        f"{title}: teachers > student",
                        Score(cell, TEACHERS, END),
                        Score(cell, STUDENT, END),
                        Exceeds(Margin(TOLERANCE, REASON)),
                        "end",
                        "replicate",
                    ),
                    Row(
                        f"{title}: student ≈ 0",
                        Score(cell, STUDENT, END),
                        None,
                        Printed(0.0, TOLERANCE, REASON),
                        "end",
                        "replicate",
                    ),
                )
            ),
            note=f"Invariance is 0; up to {TOLERANCE:g} standard deviations of Q over a batch pass for it.",
        ),
    ),
    budgets=dvm.budgets(),
    decisions=(
        Decision(
            "What is order sensitivity?",
            "The mean of |Q - Q with every agent in its neighbour's place|, in standard deviations of Q over a batch.",
            "The paper claims invariance and measures nothing. A turn by one place moves every agent.",
        ),
        *dvm.SPREAD_DECISIONS,
    ),
)
