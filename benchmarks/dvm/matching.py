"""Equation (5): a critic whose values are matched does not mind the order of the agents. The paper draws no figure."""

import math
from typing import Any

from algorithms.dvm import STUDENTS_SENSITIVITY, TEACHERS_SENSITIVITY
from benchmarks import Cell, Claim, Decision, Exceeds, Figure, Line, Margin, Metric, Panel, Printed, Row, Score, dvm
from benchmarks._judging.scores import Final
from benchmarks.dvm import CONTINUOUS, DISCRETE, SPREAD_AGENTS, merging

TEACHERS, STUDENT = (Metric(name, better="smaller") for name in (TEACHERS_SENSITIVITY, STUDENTS_SENSITIVITY))
END = Final(window=4)  # the last quarter of the iterations
UNRELATED = 2 / math.sqrt(math.pi)  # how far two independent values are from each other, in standard deviations
TOLERANCE, REASON = round(0.1 * UNRELATED, 2), "a tenth of the way from invariant to unrelated"


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
            "“We introduce the idea of value matching: once the value of one state is learned, train the critic to "
            "assign the same value for all states in the symmetric group of the observation.”",
            "section III-B, equations (5) and (6)",
            "after matching the order of the agents does not matter to the student, where it did to its teachers, and "
            "the student has learnt their values",
            tuple(
                row
                for title, cell in games()
                for row in (
                    Row(
                        f"{title}: student ≈ 0",
                        Score(cell, STUDENT, END),
                        None,
                        Printed(0.0, TOLERANCE, REASON),
                        "structure",
                        "replicate",
                    ),
                    Row(
                        f"{title}: teachers > student",
                        Score(cell, TEACHERS, END),
                        Score(cell, STUDENT, END),
                        Exceeds(Margin(TOLERANCE, REASON)),
                        "structure",
                        "necessary",
                    ),
                )
            ),
            kind="check",
            lacks="How far the student's values are from the teachers', as a share of the variance of those, is still "
            "to be measured: who has learnt nothing may mind no order.",
            note="The paper defines matching and measures nothing. Invariance is 0; two unrelated values differ by "
            f"{UNRELATED:.2f} standard deviations of Q over a batch, and up to {TOLERANCE:g} pass for invariance.",
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
