"""Figure 6: what 630 agents have learnt to do in Survival."""

from benchmarks import Figure, dimapg
from benchmarks.dimapg._maps import maps
from benchmarks.dimapg._survival import SURVIVAL_DECISIONS, budgets

FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig6",
    title="Survival: 630 agents after training",
    caption="A game as it begins, in its middle and at its end, and the end of one before training.",
    panels=(),
    plates=maps(630),
    claims=(),
    budgets=budgets(),
    decisions=SURVIVAL_DECISIONS,
)
