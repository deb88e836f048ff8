"""Figure 5: what 230 agents have learnt to do in Survival."""

from benchmarks import Claim, Exceeds, Figure, Margin, Metric, Row, Score, dimapg
from benchmarks._judging.scores import Fixed, ShortOf
from benchmarks.dimapg._maps import maps
from benchmarks.dimapg._survival import (
    FOOD,
    METRICS,
    PIECES_OF_INTEREST,
    SHARE,
    SURVIVAL_DECISIONS,
    SURVIVORS,
    at_last,
    budgets,
    learnt_to_eat,
    trained,
)

AGENTS = trained(230)


def gone(metric: str, total: int) -> Score:
    """How many are no longer there when a game ends; neither way is better, for what is gone is eaten or killed."""
    return Score(AGENTS, Metric(metric, better="neither"), ShortOf(total))


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig5",
    title="Survival: 230 agents after training",
    caption="A game as it begins, in its middle and at its end, and the end of one before training.",
    pictured="A snapshot of a game of Survival with 230 trained agents. The caption says that they eat rather than "
    "kill each other, and that most of them survive.",
    panels=(),
    plates=maps(230),
    claims=(
        Claim(
            "DIMA-F5-1",
            "“When the number of agents is small, agents prefer to eat food instead of killing each other. Most agents "
            "survive in this setting.”",
            "the caption of Figure 5",
            "of 230 trained agents more than half survive, and more pieces of food are eaten than agents die",
            (
                Row(
                    "more than half of 230 agents survive",
                    at_last(AGENTS, SHARE),
                    Score(AGENTS, METRICS[SHARE], Fixed(0.5)),
                    Exceeds(Margin(0.05, "a tenth of the way from none to half")),
                    "end",
                    learnt=learnt_to_eat(230),
                ),
                Row(
                    "pieces of food eaten > agents dead",
                    gone(FOOD, AGENTS.env.n_food),
                    gone(SURVIVORS, AGENTS.env.n_agents),
                    Exceeds(PIECES_OF_INTEREST),
                    "end",
                    learnt=learnt_to_eat(230),
                ),
            ),
        ),
    ),
    budgets=budgets(),
    decisions=SURVIVAL_DECISIONS,
)
