"""Table 2: Survival after training, what is left of food and agents and what they got."""

from benchmarks import Claim, Exceeds, Figure, Gap, Margin, Printed, Row, Score, Share, dimapg
from benchmarks._scores import Fixed
from benchmarks.dimapg._maps import TablePlate
from benchmarks.dimapg._survival import (
    FOOD,
    IMPOSSIBLE,
    METRICS,
    REWARD,
    SHARE,
    SIZES,
    SURVIVAL_DECISIONS,
    SURVIVORS,
    at_last,
    budgets,
    trained,
    untrained,
)
from results import published

PRINTED = published("dimapg")["table2"]
TOLERANCE = 8.0
"""Pieces of food: a twentieth of what there was."""
OF_INTEREST = Margin(153.0, "a tenth of what 230 agents are printed to lose before training, 1530")


def printed_share(n_agents: int) -> float:
    """How large a share survives."""
    return float(PRINTED["survivors"][str(n_agents)]) / n_agents


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="table2",
    title="Survival with 230 and with 630 agents",
    caption="What is left of 160 pieces of food and of the agents, and the sum of what all agents got, before and "
    "after training.",
    panels=(),
    plates=tuple(TablePlate(n, metric) for metric in (FOOD, SURVIVORS, REWARD) for n in SIZES),
    claims=(
        Claim(
            "DIMA-T2-1",
            "",
            "Table 2",
            "all food has been eaten, by 230 and by 630 agents",
            tuple(
                Row(
                    f"{n} agents: food left ≈ 0",
                    at_last(trained(n), FOOD),
                    None,
                    Printed(float(PRINTED["food left"][str(n)]), TOLERANCE, "a twentieth of what there was"),
                    "end",
                    "replicate",
                )
                for n in SIZES
            ),
            note=f"Up to {TOLERANCE:g} of 160 pieces pass for none.",
        ),
        Claim(
            "DIMA-T2-2",
            "",
            "the text and Table 2",
            "230 agents hardly kill each other, of 630 those kill that are far from food: 227 and 490 survive",
            (
                Row(
                    "share of survivors: 230 agents > 630 agents",
                    at_last(trained(230), SHARE),
                    at_last(trained(630), SHARE),
                    Exceeds(Gap(printed_share(230) - printed_share(630))),
                    "end",
                ),
            ),
        ),
        Claim(
            "DIMA-T2-3",
            "",
            "the text and Table 2",
            "the average reward rises with training, becomes positive, and is larger with 230 agents than with 630",
            (
                *(
                    Row(
                        f"{n} agents: after > before training",
                        at_last(trained(n), REWARD),
                        at_last(untrained(n), REWARD),
                        Exceeds(OF_INTEREST),
                        "end",
                        "replicate",
                    )
                    for n in SIZES
                ),
                *(
                    Row(
                        f"{n} agents: after > 0",
                        at_last(trained(n), REWARD),
                        Score(trained(n), METRICS[REWARD], Fixed(0.0)),
                        Exceeds(Share(at_last(untrained(n), REWARD))),
                        "end",
                        "replicate",
                    )
                    for n in SIZES
                ),
                Row(
                    "after training: 230 agents > 630 agents",
                    at_last(trained(230), REWARD),
                    at_last(trained(630), REWARD),
                    Exceeds(Share(at_last(untrained(230), REWARD))),
                    "end",
                ),
            ),
            note="Only signs and order are asked for, for the values cannot be reached.",
        ),
        Claim(
            "DIMA-T2-3-value",
            "",
            "Table 2",
            "the average reward is 946 with 230 agents and 674 with 630",
            (),
            untestable="160 pieces of food at 5 each are 800 in all, so nobody can get 946; and 227 survivors pay "
            "0.01 in each of 200 steps, 454, which leaves 346.",
        ),
    ),
    budgets=budgets(),
    decisions=(*SURVIVAL_DECISIONS, *IMPOSSIBLE),
    published=(
        "After training, with 230 and with 630 agents: food left 0 and 0, survivors 227 and 490, average reward 946 "
        "and 674; average reward before training −1530 and −3800.",
    ),
)
