"""Figure 6: what 630 agents have learnt to do in Survival."""

from benchmarks import Claim, Figure, dimapg
from benchmarks.dimapg._maps import maps
from benchmarks.dimapg._survival import LACKS, READINGS, SURVIVAL_DECISIONS, budgets

FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig6",
    title="Survival: 630 agents after training",
    caption="A game as it begins, in its middle and at its end, and the end of one before training.",
    panels=(),
    plates=maps(630),
    claims=(
        Claim(
            "DIMA-F6-1",
            "“When the number of agents is much larger than the amount of food in the environment, the agents closer "
            "to the food rush in to gather food. We observe that the agents further away (near the walls) form teams "
            "and try to take down other agents thus maximizing reward for the group.”",
            "the caption of Figure 6",
            "of 630 trained agents those that start in the innermost third eat more and those in the outermost third "
            "kill more; a larger share of the blows of outer agents than before training falls on someone whom another "
            "living agent also strikes or stands beside in that step",
            (),
            lacks=LACKS
            + READINGS
            + " Food eaten, kills and blows by how far from the food an agent starts, and whether "
            "others take part in a blow, before and after training.",
        ),
    ),
    budgets=budgets(),
    decisions=SURVIVAL_DECISIONS,
)
