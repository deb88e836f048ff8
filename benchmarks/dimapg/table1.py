"""Table 1: what the agent gets that gets least, with θ, with adapted parameters, and with copies of one agent."""

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Gap, Row, Share, dimapg
from benchmarks._scores import Last
from benchmarks.dimapg import GAMES, alone, chance_level, least, navigation
from benchmarks.dimapg._measures import ADAPTED
from benchmarks.dimapg._plates import LeastPlate
from results import published

PRINTED = published("dimapg")["table1"]

FIGURE = Figure(
    paper=dimapg.PAPER,
    name="table1",
    title="Cooperative navigation after training: θ, θ′ and Fine Tune",
    caption="The learners of Figure 3, with θ for all agents and with each agent adapted to itself, beside copies of "
    "an agent that learnt alone.",
    panels=(),
    plates=tuple(LeastPlate(n) for n in GAMES),
    claims=(
        Claim(
            "DIMA-T1-1",
            "“almost similar”",
            "the text and Table 1",
            "results of θ and of the adapted parameters are “almost similar”: −34.8 and −37.19 with 3 agents, −8 and "
            "−8.5 with 10",
            tuple(
                Row(
                    f"{n} agents: adapted ≈ θ",
                    least(navigation("DiMA-PG", n), Last(), ADAPTED),
                    least(navigation("DiMA-PG", n), Last()),
                    AboutEquals(Share(chance_level(n))),
                    "end",
                    "replicate",
                )
                for n in GAMES
            ),
            note="Almost similar is read as a difference of less than a tenth of the range from random play to the "
            "better side.",
        ),
        Claim(
            "DIMA-T1-2",
            "“yields poor results”",
            "the text and Table 1",
            "training one agent and copying it “yields poor results”: −44.17 with 3 agents, −56.3 with 10",
            tuple(
                Row(
                    f"{n} agents: θ > Fine Tune",
                    least(navigation("DiMA-PG", n), Last()),
                    least(alone(n), Last()),
                    Exceeds(Gap(PRINTED["θ"]["3"] - PRINTED["Fine Tune"]["3"]))
                    if n == 3
                    else Exceeds(Share(chance_level(n))),
                    "end",
                    "replicate",
                )
                for n in GAMES
            ),
            note="The gap printed for 10 agents is not asked for, because −8 is not of this game.",
        ),
        Claim(
            "DIMA-T1-3",
            "",
            "Table 1",
            "the least reward is better with 10 agents, −8, than with 3, −34.8",
            (),
            untestable="The two columns are hardly of one game. A script that sends everyone straight to its goal gets "
            "−18.6 with 3 agents of 0.15. With 10 of that size, which are in each other's way, it gets −122.7; with 10 "
            "of 0.05 −18.7; and about −8 only if neither collisions nor the border cost anything, −9.6.",
        ),
    ),
    budgets=dimapg.budgets(),
    decisions=(*dimapg.DECISIONS, *dimapg.INCONSISTENCIES),
    published=(
        "Least reward with 3 and with 10 agents: θ −34.8 and −8, adapted −37.19 and −8.5, Fine Tune −44.17 and −56.3.",
    ),
)
