"""Figure 6: what maximum-entropy exploration is worth in push forward, against constant standard deviations."""

from benchmarks import Cell, Claim, Exceeds, Figure, Line, Panel, Role, Row, ctedd
from benchmarks._judging.scores import Window
from benchmarks.ctedd import FINAL, TEST, TRAINING, delta, greedy, learnt, trained, until

PLACE = "section 5.3, on Figure 6"
STDS = (0.4, 0.6, 0.8)
N_START = 400_000  # steps, 8000 episodes
START = Window(0, N_START)
CTEDD = ctedd.ctedd("PF")
FIXED = {std: ctedd.fixed_std("PF", std) for std in STDS}
DELTA = delta("PF")
MADDPG = tuple(ctedd.maddpg("PF", size) for size in (1, 3))


def at_the_end(left: Cell, right: Cell) -> Row:
    """The test return ends higher."""
    label, scores = f"PF: {left.name} > {right.name}, end", (greedy(left, FINAL), greedy(right, FINAL))
    return Row(label, *scores, Exceeds(DELTA), "end", "claim", learnt(left, right))


def at_the_start(left: Cell, right: Cell, role: Role, *arms: Cell) -> Row:
    """The test return is higher over the first 400 000 steps, in which one of the arms has learnt."""
    label, scores = f"PF: {left.name} > {right.name}, speed", (greedy(left, START), greedy(right, START))
    return Row(label, *scores, Exceeds(DELTA), "beginning", role, learnt(*arms, by=until(N_START)))


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="fig6",
    title="Learning and testing performance on PF with and without maximum-entropy exploration",
    caption="In parentheses the constant standard deviation that replaces the learnt one.",
    pictured="Learning and testing curves of CTEDD on PF, with the standard deviation that it learns and with three "
    "constant ones (0.4, 0.6, 0.8). The text says that 0.8 hurts the end, that 0.4 slows the beginning, and "
    "that the learnt one is best in both.",
    panels=(
        Panel(
            "PF, learning",
            (Line("CTEDD", CTEDD, TRAINING), *(Line(f"CTEDD ({std})", FIXED[std], TRAINING) for std in STDS)),
            "training return",
            levels=ctedd.levels("PF"),
        ),
        Panel(
            "PF, testing",
            (
                Line("CTEDD-G", CTEDD, TEST.format("G")),
                *(Line(f"CTEDD-G ({std})", FIXED[std], TEST.format("G")) for std in STDS),
            ),
            "test return",
            levels=ctedd.levels("PF"),
        ),
    ),
    claims=(
        Claim(
            "CTEDD-F6-1",
            "“As clearly evidenced in this figure, without (5), it is hard to set the standard deviation for action "
            "sampling properly. Setting it to a high value (e.g., 0.8) will hurt the final performance of CTEDD.”",
            PLACE,
            "of the constant standard deviations, 0.8 ends below the two lower ones, judged without exploration",
            tuple(at_the_end(FIXED[std], FIXED[0.8]) for std in (0.4, 0.6)),
        ),
        Claim(
            "CTEDD-F6-2",
            "“On the other hand, when the standard deviation is set to a low level (e.g., 0.4), the initial learning "
            "speed may suffer (in comparison to the case when the standard deviation equals to 0.6 or 0.8).”",
            PLACE,
            "over the first 400 000 steps 0.4 is below 0.6 and below 0.8, judged without exploration",
            tuple(at_the_start(FIXED[std], FIXED[0.4], "replicate", FIXED[std]) for std in (0.6, 0.8)),
        ),
        Claim(
            "CTEDD-F6-3",
            "“In contrast, by utilizing (5), CTEDD can manage to achieve the best learning speed and performance.”",
            PLACE,
            "with (5) CTEDD is above each constant standard deviation, over the first 400 000 steps and at the end, "
            "judged without exploration",
            (
                *(at_the_start(CTEDD, fixed, "claim", CTEDD, fixed) for fixed in FIXED.values()),
                *(at_the_end(CTEDD, fixed) for fixed in FIXED.values()),
            ),
            note="A larger standard deviation lowers the training return by itself.",
        ),
        Claim(
            "CTEDD-F6-4",
            "“Meanwhile, a comparison to experiment results of MADDPG depicted in Figures 4 and 5 indicate that CTEDD "
            "can still outperform MADDPG without using any maximum-entropy RL methods.”",
            PLACE,
            "can: one constant standard deviation at least ends above both baselines, in learning and in tests",
            tuple(
                Row(
                    f"PF: {fixed.name} > {theirs.name}, {what}",
                    score(fixed, FINAL),
                    score(theirs, FINAL),
                    Exceeds(DELTA),
                    "end",
                    "replicate",
                    learnt(fixed, theirs),
                    group=fixed.name,
                )
                for fixed in FIXED.values()
                for theirs in MADDPG
                for what, score in (("learning", trained), ("testing", greedy))
            ),
            holds="some",
            note="All four comparisons of one standard deviation hold together.",
        ),
    ),
    budgets=ctedd.budgets(),
    decisions=ctedd.decisions("as-numbered"),
)
