"""What the paper says about its own choices, without a figure: the order of distillation, learning rates, fixed α."""

from dataclasses import replace

from benchmarks import AboutEquals, Cell, Claim, Decision, Figure, Line, Outperforms, Panel, Row, ctedd
from benchmarks._scores import Early
from benchmarks.ctedd import FINAL, PAPER_STEPS, TEST, tested, uniform_level

ENVIRONMENT = "CN-V1"
QUICK_STEPS = 500_000
DEFAULT = ctedd.ctedd(ENVIRONMENT)
TEACHER = replace(ctedd.PUBLISHED, message_sizes=())  # nobody looks at its students
BOTH_ORDERS = replace(ctedd.PUBLISHED, distillations=("chronological", "random"))
RANDOM = ctedd.cell("CTEDD, both orders", ENVIRONMENT, BOTH_ORDERS)
SHORT = Early(fraction=QUICK_STEPS / PAPER_STEPS, n_steps=PAPER_STEPS)


def with_learning_rate(learning_rate: float) -> Cell:
    """CTEDD with another step size in all its networks."""
    return ctedd.cell(f"CTEDD, η = {learning_rate}", ENVIRONMENT, replace(TEACHER, learning_rate=learning_rate))


def with_temperature(temperature: float) -> Cell:
    """CTEDD whose α is not annealed."""
    algorithm = replace(TEACHER, first_temperature=temperature, last_temperature=temperature)
    return ctedd.cell(f"CTEDD, α = {temperature}", ENVIRONMENT, algorithm)


def as_numbered(environment: str) -> Cell:
    """CTEDD whose equation (5) comes after (4)."""
    return ctedd.cell("CTEDD, (5) after (4)", environment, replace(TEACHER, update_order="as numbered"))


RATES = {rate: with_learning_rate(rate) for rate in (0.02, 0.01, 0.002)}
TEMPERATURES = {temperature: with_temperature(temperature) for temperature in (0.1, 0.01, 0.001)}

FIGURE = Figure(
    paper=ctedd.PAPER,
    name="ablations",
    title="Order of distillation, learning rates and fixed temperatures on CN-V1",
    caption="Test return. The paper reports these comparisons in its text only.",
    panels=(
        Panel(
            "order of distillation",
            (
                Line("L-3, chronological", RANDOM, TEST.format("L-3")),
                Line("L-3, random", RANDOM, TEST.format("L-3 random")),
            ),
            "test return",
        ),
        Panel(
            "learning rate",
            (
                Line("0.005", DEFAULT, TEST.format("G")),
                *(Line(str(rate), cell, TEST.format("G")) for rate, cell in RATES.items()),
            ),
            "test return",
        ),
        Panel(
            "temperature α",
            (
                Line("annealed", DEFAULT, TEST.format("G")),
                *(Line(str(temperature), cell, TEST.format("G")) for temperature, cell in TEMPERATURES.items()),
            ),
            "test return",
        ),
        *(
            Panel(
                f"order of the updates, {environment}",
                (
                    Line("(5) before (4)", ctedd.ctedd(environment), TEST.format("G")),
                    Line("(5) after (4)", as_numbered(environment), TEST.format("G")),
                ),
                "test return",
            )
            for environment in (ENVIRONMENT, "PF")
        ),
    ),
    claims=(
        Claim(
            "CTEDD-T-1",
            "samples in chronological order give better local policies than random samples",
            "footnote 2",
            (
                Row(
                    "CN-V1: L-3 chronological > random",
                    tested(RANDOM, SHORT, "L-3"),
                    tested(RANDOM, SHORT, "L-3 random"),
                    Outperforms(reference=uniform_level(ENVIRONMENT)),
                ),
            ),
            about="beginning",
            note="Judged over the first 500 000 steps. Both have the same teacher, all that replay holds, and as "
            "many batches.",
        ),
        Claim(
            "CTEDD-T-2",
            "among learning rates of 0.02, 0.01, 0.005 and 0.002 the author “did not notice significant impacts”",
            "section 5",
            tuple(
                Row(
                    f"CN-V1: {rate} ≈ 0.005",
                    tested(cell, FINAL, "G"),
                    tested(DEFAULT, FINAL, "G"),
                    AboutEquals(reference=uniform_level(ENVIRONMENT)),
                )
                for rate, cell in RATES.items()
            ),
        ),
        Claim(
            "CTEDD-T-3",
            "annealing α is better than the fixed values 0.1, 0.01 and 0.001",
            "section 5",
            tuple(
                Row(
                    f"CN-V1: annealed > {temperature}",
                    tested(DEFAULT, FINAL, "G"),
                    tested(cell, FINAL, "G"),
                    Outperforms(reference=uniform_level(ENVIRONMENT)),
                )
                for temperature, cell in TEMPERATURES.items()
            ),
            note="Over the first 500 000 of 3M steps of annealing α falls from 0.100 to 0.084 only.",
        ),
        Claim(
            "CTEDD-T-4",
            "MADDPG with the soft objective of SAC does not beat MADDPG",
            "footnote 3",
            (),
            untestable="MADDPG with a soft objective is not part of this suite yet, and the paper gives none of its "
            "settings.",
        ),
    ),
    budgets=ctedd.budgets(QUICK_STEPS),
    decisions=(
        Decision(
            "Where are the ablations run?",
            "On CN-V1.",
            "The paper does not say where it compared; CN-V1 is its first environment and the cheapest.",
        ),
        *ctedd.DECISIONS,
    ),
    family="ablations",
)
