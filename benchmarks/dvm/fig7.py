"""Figure 7: DVM in Task III of push box, with and without further learning."""

from benchmarks import AboutEquals, Claim, Figure, Line, Outperforms, Panel, Row, dvm
from benchmarks._scores import Window
from benchmarks.dvm import FINAL, tested
from benchmarks.dvm._push import HORIZON, PUSH_DECISIONS, budgets, third, uniform_level

LEARNING, FROZEN = third("DVM"), third("DVM", frozen=True)
HELD = Window(0, 10 * HORIZON)  # before there is enough in replay to learn from
AFTER = Window(20 * HORIZON, 300 * HORIZON)

FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig7",
    title="DVM in Task III of push box, learning on and frozen",
    caption="Test return in Task III.",
    panels=(
        Panel(
            "Task III",
            (Line("DVM", LEARNING, dvm.TEST), Line("DVM without learning", FROZEN, dvm.TEST)),
            "test return",
        ),
    ),
    claims=(
        Claim(
            "DVM-F7-1",
            "DVM that learns on drops first, while without learning it “does not diverge”",
            "section V, on Figure 7",
            (
                Row(
                    "learning, before the first update > after 20 to 300 episodes",
                    tested(LEARNING, HELD),
                    tested(LEARNING, AFTER),
                    Outperforms(reference=uniform_level()),
                ),
                Row(
                    "without learning, after 20 to 300 episodes ≈ before",
                    tested(FROZEN, AFTER),
                    tested(FROZEN, HELD),
                    AboutEquals(reference=uniform_level()),
                ),
            ),
            about="beginning",
            note="A seed's two stretches are compared as if they were of different seeds, which makes the test wider.",
        ),
        Claim(
            "DVM-F7-2",
            "DVM that learns on ends above DVM that does not",
            "section V, on Figure 7",
            (
                Row(
                    "learning > without learning at the end",
                    tested(LEARNING, FINAL),
                    tested(FROZEN, FINAL),
                    Outperforms(reference=uniform_level()),
                ),
            ),
        ),
    ),
    budgets=budgets(),
    decisions=PUSH_DECISIONS,
    printed_band=dvm.PRINTED_BAND,
)
