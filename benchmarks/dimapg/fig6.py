"""Figure 6: what 630 agents have learnt to do in Survival."""

from benchmarks import Claim, Exceeds, Figure, Margin, Row, dimapg
from benchmarks.dimapg._maps import maps
from benchmarks.dimapg._survival import (
    BOTH_READINGS,
    OUTER,
    SURVIVAL_DECISIONS,
    TEAMS,
    at_last,
    budgets,
    far_and_near,
    learnt_to_eat,
    trained,
    untrained,
    where_killing_pays,
)

OF_OUTER = (
    *far_and_near(),
    Row(
        "630 agents: a larger share of the outermost third's blows is in a team, after > before training",
        at_last(trained(630), TEAMS + OUTER),
        at_last(untrained(630), TEAMS + OUTER),
        Exceeds(Margin(0.1, "a tenth of the way from none to all")),
        "end",
        learnt=learnt_to_eat(630),
    ),
)

FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig6",
    title="Survival: 630 agents after training",
    caption="A game as it begins, in its middle and at its end, and the end of one before training.",
    pictured="A snapshot of a game of Survival with 630 trained agents. The caption says that those near the food rush "
    "in, and those further away, near the walls, form teams and try to take down others.",
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
            "kill more; a larger share of the blows of outer agents than before training falls on someone beside whom "
            "another living agent stands",
            (*OF_OUTER, *map(where_killing_pays, OF_OUTER)),
            note=BOTH_READINGS + " The caption goes on: “This can also be interpreted as follows: Agents who can "
            "observe the food within their sensing range choose to rush in food. Agents who do not observe food within "
            "their sensing range choose to form groups to take down other agents.” That is the same picture in other "
            "words, by what agents see in the place of where they are, and a sentence is counted once. Judged is the "
            "first wording. Of 630 agents one in thirty sees food at the start, all of them of the innermost third; "
            "who sees any later hangs on where it has gone, so that the second says less of who does what than of why.",
        ),
    ),
    budgets=budgets(),
    decisions=SURVIVAL_DECISIONS,
)
