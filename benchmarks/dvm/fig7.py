"""Figure 7: DVM in Task III of push box, with and without further learning."""

from benchmarks import AboutEquals, Arm, Claim, Exceeds, Figure, Learnt, Line, Margin, NoWorse, Panel, Row, dvm
from benchmarks._judging.scores import Fixed, Last, Stretch, Window
from benchmarks.dvm import FINAL, tested
from benchmarks.dvm._push import (
    DELTA,
    HELD,
    HORIZON,
    PUSH_DECISIONS,
    PUSH_LEVELS,
    budgets,
    optimum,
    teams_learnt,
    third,
    uniform_level,
)
from benchmarks.dvm._targets import COVERED, THIRD_COVERED, reached
from benchmarks.dvm._targets import FROZEN as BY_TARGET

PLACE = "section V-B-2 and Figure 7"
LEARNING, FROZEN = third("DVM"), third("DVM", frozen=True)
AFTER = Window(20 * HORIZON, 300 * HORIZON)
RECOVERED = Window(700 * HORIZON, 1_000 * HORIZON)
THROUGHOUT = Stretch(0.0, 1.0)  # all tests

SOMETHING_TO_LOSE = (
    *teams_learnt(),
    Learnt((Arm(tested(FROZEN, THROUGHOUT), uniform_level()),), uniform_level(), DELTA),
)
"""What was distilled is worth something before anybody learns on."""

TENTH = Margin(0.1, "a tenth of all episodes")
FAMILIAR = reached(BY_TARGET, COVERED, Last())
NEVER = reached(BY_TARGET, COVERED, Fixed(0.0))
REACHES_FAMILIAR = (*teams_learnt(), Learnt((Arm(FAMILIAR, NEVER),), NEVER, TENTH))
"""Who reaches no target at all tells nothing of the new one."""

FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig7",
    title="DVM in Task III of push box, learning on and frozen",
    caption="Test return in Task III.",
    pictured="Evaluation curves of DVM in Task III of push box, with and without learning on. The text says that who "
    "learns drops at first, recovers quickly and then stays above who does not.",
    panels=(
        Panel(
            "Task III",
            (Line("DVM", LEARNING, dvm.TEST), Line("DVM without learning", FROZEN, dvm.TEST)),
            "test return",
            levels=PUSH_LEVELS,
        ),
    ),
    claims=(
        Claim(
            "DVM-F7-1",
            "“Though the agents which continue learning drop in evaluation score as the policies and critics reconcile "
            "their updates, they quickly recover and converge on an optimal policy.” “DVM starts worse, but quickly "
            "reaches and outperforms the baseline.”",
            PLACE,
            "the team that learns on falls below the frozen one, which is what it was before, and within a fifth of "
            "Task III is back",
            (
                Row(
                    "without learning > learning, episodes 20 to 300",
                    tested(FROZEN, AFTER),
                    tested(LEARNING, AFTER),
                    Exceeds(DELTA),
                    "beginning",
                    learnt=SOMETHING_TO_LOSE,
                ),
                Row(
                    "learning not below without, episodes 700 to 1000",
                    tested(LEARNING, RECOVERED),
                    tested(FROZEN, RECOVERED),
                    NoWorse(DELTA),
                    "beginning",
                    learnt=SOMETHING_TO_LOSE,
                ),
            ),
        ),
        Claim(
            "DVM-F7-1c",
            "“When the agents do not update their policies, there is no possibility of the policies diverging.” "
            "“Without learning, the policy does not diverge”",
            PLACE,
            "the tests of the frozen team stay where they are, which holds by construction",
            (
                Row(
                    "without learning, episodes 20 to 300 ≈ before",
                    tested(FROZEN, AFTER),
                    tested(FROZEN, HELD),
                    AboutEquals(DELTA),
                    "structure",
                ),
            ),
            kind="check",
        ),
        Claim(
            "DVM-F7-2",
            "“the DVM agents learn the correct policy and return a steady-state reward higher than the baseline.” “DVM "
            "starts worse, but quickly reaches and outperforms the baseline.”",
            PLACE,
            "the baseline is DVM without learning: the team that learns on ends above it",
            (
                Row(
                    "learning > without learning, end",
                    tested(LEARNING, FINAL),
                    tested(FROZEN, FINAL),
                    Exceeds(DELTA),
                    "end",
                    learnt=teams_learnt(),
                ),
            ),
        ),
        Claim(
            "DVM-F7-3",
            "“Without learning, the policy does not diverge but cannot learn the optimal policy or how to reach the "
            "new target location.”",
            "Figure 7",
            "what was distilled is not optimal already, and the box ends on the new target more rarely than on the "
            "other two, and in less than half of the episodes",
            (
                Row(
                    "without learning, below the optimum",
                    optimum(FROZEN),
                    tested(FROZEN, THROUGHOUT),
                    Exceeds(DELTA),
                    "beginning",
                    learnt=teams_learnt(),
                ),
                Row(
                    "without learning, box on its target at the end: of Tasks I and II > the new one",
                    FAMILIAR,
                    reached(BY_TARGET, THIRD_COVERED, Last()),
                    Exceeds(TENTH),
                    "beginning",
                    learnt=REACHES_FAMILIAR,
                ),
                Row(
                    "without learning, box on the new target at the end: less than in half of the episodes",
                    reached(BY_TARGET, THIRD_COVERED, Fixed(0.5)),
                    reached(BY_TARGET, THIRD_COVERED, Last()),
                    Exceeds(TENTH),
                    "beginning",
                    learnt=teams_learnt(),
                ),
            ),
            note="A target is reached where its middle lies under the box. By returns it could not be told: who pushes "
            "the box to the target of Task I, where the new one is asked for, gets -102, half of the way from a box "
            "that never moves to the optimum. The three targets are equally far, and tested from the same starts.",
        ),
    ),
    budgets=budgets(),
    decisions=PUSH_DECISIONS,
    printed_band=dvm.PRINTED_BAND,
)
