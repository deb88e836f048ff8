"""Figure 7: DVM in Task III of push box, with and without further learning."""

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Line, Panel, Row, Share, dvm
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
            "“does not diverge”",
            "section V, on Figure 7",
            "DVM that learns on drops first, while without learning it “does not diverge”",
            (
                Row(
                    "learning, before the first update > after 20 to 300 episodes",
                    tested(LEARNING, HELD),
                    tested(LEARNING, AFTER),
                    Exceeds(Share(uniform_level())),
                    "beginning",
                ),
                Row(
                    "without learning, after 20 to 300 episodes ≈ before",
                    tested(FROZEN, AFTER),
                    tested(FROZEN, HELD),
                    AboutEquals(Share(uniform_level())),
                    "beginning",
                ),
            ),
        ),
        Claim(
            "DVM-F7-2",
            "",
            "section V, on Figure 7",
            "DVM that learns on ends above DVM that does not",
            (
                Row(
                    "learning > without learning at the end",
                    tested(LEARNING, FINAL),
                    tested(FROZEN, FINAL),
                    Exceeds(Share(uniform_level())),
                    "end",
                ),
            ),
        ),
    ),
    budgets=budgets(),
    decisions=PUSH_DECISIONS,
    printed_band=dvm.PRINTED_BAND,
)
