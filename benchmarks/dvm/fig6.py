"""Figure 6: Task III of push box, by what its two agents begin with."""

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Line, Panel, Row, Share, dvm
from benchmarks._scores import Area
from benchmarks.dvm import FINAL, METHODS, tested
from benchmarks.dvm._push import PUSH_DECISIONS, budgets, third, uniform_level

FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig6",
    title="Task III of push box, MADDPG, 2 agents that have learnt Task I or Task II",
    caption="Test return in Task III.",
    panels=(Panel("Task III", tuple(Line(method, third(method), dvm.TEST) for method in METHODS), "test return"),),
    claims=(
        Claim(
            "DVM-F6-1",
            "",
            "section V, on Figure 6",
            "in push box DVM outperforms not distilling, distillation alone and value matching alone",
            tuple(
                Row(
                    f"DVM > {method}, {when}",
                    tested(third("DVM"), part),
                    tested(third(method), part),
                    Exceeds(Share(uniform_level())),
                    "end",
                    "replicate",
                )
                for method in ("No DVM", "Distillation", "Value Matching")
                for when, part in (("speed", Area()), ("end", FINAL))
            ),
        ),
        Claim(
            "DVM-F6-2",
            "",
            "section V, on Figure 6",
            "distillation alone and value matching alone do similarly in push box",
            (
                Row(
                    "Distillation ≈ Value Matching at the end",
                    tested(third("Distillation"), FINAL),
                    tested(third("Value Matching"), FINAL),
                    AboutEquals(Share(uniform_level())),
                    "end",
                ),
            ),
        ),
    ),
    budgets=budgets(),
    decisions=PUSH_DECISIONS,
    printed_band=dvm.PRINTED_BAND,
)
