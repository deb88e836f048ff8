"""Table 2: Survival after training, what is left of food and agents and what they got."""

from benchmarks import Arm, Claim, Exceeds, Figure, Learnt, Margin, Printed, Row, dimapg
from benchmarks.dimapg._maps import table_plate
from benchmarks.dimapg._survival import (
    BOTH_READINGS,
    FOOD,
    KILLS,
    OUTER,
    PIECES_OF_INTEREST,
    POSSIBLE,
    REWARD,
    SHARE,
    SIZES,
    STILL_RISING,
    SURVIVAL_DECISIONS,
    SURVIVORS,
    at_last,
    budgets,
    far_and_near,
    learnt_to_eat,
    trained,
    untrained,
    where_killing_pays,
)
from results import published

PRINTED = published("dimapg")["table2"]
TWENTIETH = "a twentieth of the agents"


def printed(metric: str, n_agents: int) -> float:
    """A number of the table, or of its caption."""
    return float(PRINTED[metric][str(n_agents)])


def rise(n_agents: int) -> float:
    """By how much the reward is printed to rise."""
    return printed(REWARD, n_agents) - printed(f"{REWARD} before training", n_agents)


def printed_share(n_agents: int) -> float:
    """How large a share survives."""
    return printed(SURVIVORS, n_agents) / n_agents


def learnt_to_earn(n_agents: int) -> tuple[Learnt, ...]:
    """The reward has risen by a tenth of what is printed; what a game pays untrained agents stands for chance too."""
    before = at_last(untrained(n_agents), REWARD)
    tenth = Margin(rise(n_agents) / 10, "a tenth of the printed rise")
    return (Learnt((Arm(at_last(trained(n_agents), REWARD), before),), before, tenth),)


def eating(n_agents: int) -> Row:
    """Training makes them eat."""
    return Row(
        f"{n_agents} agents: food left before > after training",
        at_last(untrained(n_agents), FOOD),
        at_last(trained(n_agents), FOOD),
        Exceeds(PIECES_OF_INTEREST),
        "end",
        "necessary",
        learnt_to_eat(n_agents),
    )


def surviving(n_agents: int) -> Row:
    """As many as printed."""
    value, tolerance = printed(SURVIVORS, n_agents), n_agents / 20
    return Row(
        f"{n_agents} agents: {value:g} survive",
        at_last(trained(n_agents), SURVIVORS),
        None,
        Printed(value, tolerance, TWENTIETH),
        "end",
        learnt=learnt_to_eat(n_agents),
    )


def earning(n_agents: int, tolerance: float) -> tuple[Row, Row]:
    """The printed reward, and that it has risen to it."""
    value, learnt = printed(REWARD, n_agents), learnt_to_earn(n_agents)
    return (
        Row(
            f"{n_agents} agents: average reward {value:g}",
            at_last(trained(n_agents), REWARD),
            None,
            Printed(value, tolerance, "a tenth of it"),
            "end",
            learnt=learnt,
        ),
        Row(
            f"{n_agents} agents: after > before training",
            at_last(trained(n_agents), REWARD),
            at_last(untrained(n_agents), REWARD),
            Exceeds(Margin(rise(n_agents) / 3, "a third of the printed rise")),
            "end",
            "necessary",
            learnt,
        ),
    )


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="table2",
    title="Survival with 230 and with 630 agents",
    caption="What is left of 160 pieces of food and of the agents, and the sum of what all agents got, before and "
    "after training.",
    pictured="Food left, survivors and average reward over 100 games of Survival with 230 and with 630 agents after "
    "training; the caption adds the average reward before training.",
    panels=(),
    plates=tuple(table_plate(n, metric) for metric in (FOOD, SURVIVORS, REWARD) for n in SIZES),
    claims=(
        Claim(
            "DIMA-T2-1",
            "“We gauge the performance of DIMAPG on this task by evaluating the number of surviving agents and the "
            "food left at the end of the episode as well as the average reward over agents per episode.” "
            "“Food Left 0 0”",
            "section 5.4, and Table 2",
            "after training no food is left, by 230 and by 630 agents, and before training there was",
            tuple(
                row
                for n in SIZES
                for row in (
                    Row(
                        f"{n} agents: food left ≈ 0",
                        at_last(trained(n), FOOD),
                        None,
                        Printed(printed(FOOD, n), 1.6, "1 % of 160 pieces: a mean over 100 games that is printed as 0"),
                        "end",
                        learnt=learnt_to_eat(n),
                    ),
                    eating(n),
                )
            ),
            note=STILL_RISING,
        ),
        Claim(
            "DIMA-T2-2",
            "“It is observed in the case when N=225, the agents do not kill each other and instead learn to gather "
            "food. When the number of agents is increased to N=630 agents close to the food rush in to gather food "
            "while those further away start killing other agents.” “Survivors 227 490”",
            "section 5.4, and Table 2",
            "after training 227 of 230 and 490 of 630 agents survive, a larger share of 230 than of 630, and the 230 "
            "have eaten; of 630 agents those that start in the innermost third eat more and those in the outermost "
            "third kill more, and more than the outermost third of 230",
            (
                surviving(230),
                eating(230),
                surviving(630),
                Row(
                    "share of survivors: 230 agents > 630 agents",
                    at_last(trained(230), SHARE),
                    at_last(trained(630), SHARE),
                    Exceeds(Margin((printed_share(230) - printed_share(630)) / 3, "a third of the printed gap")),
                    "end",
                    learnt=(*learnt_to_eat(230), *learnt_to_eat(630)),
                ),
                *far_and_near(),
                Row(
                    "the outermost third kills more: 630 agents > 230 agents",
                    at_last(trained(630), KILLS + OUTER),
                    at_last(trained(230), KILLS + OUTER),
                    Exceeds(Margin(0.022, "a tenth of the printed deaths, 140 of 630 agents")),
                    "end",
                    learnt=(*learnt_to_eat(230), *learnt_to_eat(630)),
                ),
                *map(where_killing_pays, (surviving(630), *far_and_near())),
            ),
            note="The paper writes both 225 and 230. “Start killing” is read as when “the number of agents is "
            "increased”, not as when they are trained: untrained agents kill more than the paper's do, some 340 of 630 "
            "where the paper prints 140. " + f"{BOTH_READINGS} {STILL_RISING}",
        ),
        Claim(
            "DIMA-T2-3",
            "“Statistics on Survival collected over over 100 games using DIMAPG, after training. Initial average "
            "reward for N=630 is -3800 and for N=230 it is -1530.” “Average Reward 946 674”",
            "Table 2 and its caption",
            "the average reward after training is 946 with 230 agents and 674 with 630, and has risen to that",
            (*earning(230, 95.0), *earning(630, 67.0), where_killing_pays(earning(630, 67.0)[0])),
            note=f"It is the sum over agents. 674 has the deaths of 140 agents in it. {BOTH_READINGS} {STILL_RISING}",
        ),
        Claim(
            "DIMA-T2-4",
            "“Initial average reward for N=630 is -3800 and for N=230 it is -1530.”",
            "the caption of Table 2",
            "untrained agents get about as much",
            tuple(
                Row(
                    f"{n} agents: {value:g} before training",
                    at_last(untrained(n), REWARD),
                    None,
                    Printed(value, -value / 10, "a tenth of it"),
                    "structure",
                )
                for n in SIZES
                for value in (printed(f"{REWARD} before training", n),)
            ),
            kind="check",
            note="The sides of the maps were chosen to come near them, so that they are no evidence.",
        ),
        Claim(
            "DIMA-S-1",
            "“For this task, it is infeasible to train the other baselines and hence we do not benchmark for this "
            "experiment.”",
            "section 5.4",
            "other methods cannot be trained in Survival",
            (),
            untestable="No machine, no budget and no network is named: nothing could refute it.",
        ),
    ),
    budgets=budgets(),
    decisions=(*SURVIVAL_DECISIONS, *POSSIBLE),
    published=(
        "After training, with 230 and with 630 agents: food left 0 and 0, survivors 227 and 490, average reward 946 "
        "and 674; average reward before training −1530 and −3800.",
    ),
)
