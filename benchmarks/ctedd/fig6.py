"""Figure 6: what maximum-entropy exploration is worth in push forward, against constant standard deviations."""

from benchmarks import About, Claim, Exceeds, Figure, Line, Panel, Role, Row, Score, Share, ctedd
from benchmarks._scores import Early, Final
from benchmarks.ctedd import FINAL, PAPER_STEPS, TEST, TRAINING, tested, trained, uniform_level

STDS = (0.4, 0.6, 0.8)
START = Early(fraction=0.05, n_steps=PAPER_STEPS)  # 400 000 steps, 8000 episodes
SPEED_AND_END: tuple[tuple[str, Early | Final, About], ...] = (("speed", START, "beginning"), ("end", FINAL, "end"))
CTEDD = ctedd.ctedd("PF")
FIXED = {std: ctedd.fixed_std("PF", std) for std in STDS}


def better(label: str, left: Score, right: Score, about: About, role: Role = "replicate") -> Row:
    """An ordering in push forward."""
    return Row(label, left, right, Exceeds(Share(uniform_level("PF"))), about, role)


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="fig6",
    title="Learning and testing performance on PF with and without maximum-entropy exploration",
    caption="In parentheses the constant standard deviation that replaces the learnt one.",
    panels=(
        Panel(
            "PF, learning",
            (Line("CTEDD", CTEDD, TRAINING), *(Line(f"CTEDD ({std})", FIXED[std], TRAINING) for std in STDS)),
            "training return",
        ),
        Panel(
            "PF, testing",
            (
                Line("CTEDD-G", CTEDD, TEST.format("G")),
                *(Line(f"CTEDD-G ({std})", FIXED[std], TEST.format("G")) for std in STDS),
            ),
            "test return",
        ),
    ),
    claims=(
        Claim(
            "CTEDD-F6-1",
            "“will hurt the final performance”",
            "section 5, on Figure 6",
            "a constant standard deviation of 0.8 “will hurt the final performance”",
            (
                better(
                    "PF: CTEDD > 0.8 at the end",
                    tested(CTEDD, FINAL, "G"),
                    tested(FIXED[0.8], FINAL, "G"),
                    "end",
                    "claim",
                ),
            ),
        ),
        Claim(
            "CTEDD-F6-2",
            "“initial learning speed may suffer”",
            "section 5, on Figure 6",
            "with a constant standard deviation of 0.4 the “initial learning speed may suffer”",
            tuple(
                better(
                    f"PF: {std} > 0.4 at the start",
                    tested(FIXED[std], START, "G"),
                    tested(FIXED[0.4], START, "G"),
                    "beginning",
                )
                for std in (0.6, 0.8)
            ),
        ),
        Claim(
            "CTEDD-F6-3",
            "“the best learning speed and performance”",
            "section 5, on Figure 6",
            "CTEDD with equation (5) has “the best learning speed and performance”",
            tuple(
                better(f"PF: CTEDD > {std}, {when}", trained(CTEDD, part), trained(FIXED[std], part), about)
                for when, part, about in SPEED_AND_END
                for std in STDS
            ),
        ),
        Claim(
            "CTEDD-F6-4",
            "“can still outperform MADDPG”",
            "section 5, on Figure 6",
            "CTEDD without maximum-entropy exploration “can still outperform MADDPG”",
            tuple(
                better(
                    f"PF: {std} > MADDPG-{size} at the end",
                    tested(FIXED[std], FINAL, "G"),
                    tested(ctedd.maddpg("PF", size), FINAL),
                    "end",
                )
                for std in STDS
                for size in (1, 3)
            ),
        ),
    ),
    budgets=ctedd.budgets(ctedd.QUICK_STEPS),
    decisions=ctedd.DECISIONS,
)
