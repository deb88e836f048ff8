"""MACE without the KL term: does σ vanish, and reward with it?"""

from dataclasses import replace

from algorithms._episodes import EARLY
from algorithms.mace import MACE, SIGMA
from benchmarks import (
    Among,
    Arm,
    Budget,
    Cell,
    Claim,
    Decision,
    Exceeds,
    Figure,
    Learnt,
    Line,
    Margin,
    Metric,
    NoWorse,
    Oftener,
    Panel,
    Row,
    Score,
    mace,
)
from benchmarks._judging.scores import Fixed, Reaches, StaysBelow
from benchmarks.mace import MILLION, learner
from benchmarks.mace._phases import LATE, TENTH
from benchmarks.mace.fig5 import ENDED, EVALUATION, GAME, LENGTH
from benchmarks.mace.fig5 import PLACE as PAIR_PLACE

WHERE = f"{PAIR_PLACE}-search"
WITH = Cell("MACE", WHERE, MACE(search=True), GAME, EVALUATION)
WITHOUT = replace(WITH, name="MACE without KL", algorithm=MACE(search=True, kl_weight=0.0))
CHANCE = Cell("random walk", WHERE, learner("random walk"), GAME, EVALUATION)
SPREAD = Metric(SIGMA, better="neither")
COLLAPSED = StaysBelow(0.1, 900_000, MILLION)
LEARNS = 0.4
THAT_LEARN = Among(Score(WITH, ENDED, LATE), LEARNS, "a tenth of all episodes above random play, which comes to 0.30")
"""Configurations that learn where the KL term is there."""
OFTEN = Margin(0.1, "a tenth of all configurations")
PLACE = "section 4, on using the ELBO"


def learns(of: Cell) -> Score:
    """1 where a configuration has learnt, else 0."""
    return Score(of, ENDED, Reaches(LEARNS, LATE.first, LATE.last))


SOME_LEARN = Learnt(
    tuple(Arm(learns(of), learns(CHANCE)) for of in (WITH, WITHOUT)),
    learns(CHANCE),
    Margin(0.05, "one of 20 configurations"),
)
"""Of a search over five decades of learning rates few learn: their share is asked for, not the mean success of all."""


FIGURE = Figure(
    paper=mace.PAPER,
    name="kl",
    title="MACE with and without the KL term (Hare-Hunters, 2 against 2, frozen, 10 × 10)",
    caption="Spread of λ given the state, and success in training, over configurations of the random search.",
    panels=(
        Panel("Spread", tuple(Line(of.name, of, SIGMA) for of in (WITH, WITHOUT)), "std of λ", against="samples"),
        Panel(
            "Success",
            tuple(Line(of.name, of, EARLY) for of in (WITH, WITHOUT, CHANCE)),
            "share of episodes that succeed",
            against="samples",
        ),
    ),
    claims=(
        Claim(
            "MACE-KL-1",
            "“We found that without KL-regularization, training is unstable and prone to mode collapse: the variance σ "
            "of the variational distribution can go to 0.”",
            PLACE,
            "over configurations, σ stays below a tenth at every test of the last tenth of a million samples more "
            "often without the KL term than with it, and in at least one without it that does not with it",
            (
                Row(
                    "collapsed: without KL > with it",
                    Score(WITHOUT, SPREAD, COLLAPSED),
                    Score(WITH, SPREAD, COLLAPSED),
                    Oftener(OFTEN),
                    "end",
                ),
            ),
            note="Configurations are compared in pairs, exactly: of those that collapse with the KL term or without it "
            "alone, too many do without it for a coin. Where none collapses either way, nothing is refuted. “Can” and "
            "“prone to” ask for more often than with it, not for always nor for the mean. “Unstable” is judged as what "
            "the sentence says of σ alone: a run that diverges has not collapsed. If none of 20 collapses, 13.9 % "
            "still may.",
        ),
        Claim(
            "MACE-KL-2",
            "“This reflects in essentially 0 achieved reward: the model does not solve the game for any reasonable "
            "hyperparameter settings.”",
            PLACE,
            "of the configurations that learn with the KL term the mean success without it is below a tenth of all "
            "episodes",
            (
                Row(
                    "success: with KL > without it",
                    Score(WITH, ENDED, LATE),
                    Score(WITHOUT, ENDED, LATE),
                    Exceeds(TENTH),
                    "end",
                    "necessary",
                    (SOME_LEARN,),
                ),
                Row(
                    "configurations that learn with KL: success without it is not above 0",
                    Score(WITHOUT, ENDED, Fixed(0.0), among=THAT_LEARN),
                    Score(WITHOUT, ENDED, LATE, among=THAT_LEARN),
                    NoWorse(TENTH),
                    "end",
                ),
            ),
            note="“Any” allows none: with a mean below a tenth fewer than a quarter can come to 0.4, which counts as "
            "having learnt. A tenth of all episodes is a third of what random play comes to. With fewer than six "
            "configurations that learn, of 20, nobody counts as having learnt. A run that diverges without the KL term "
            "counts as the least success that is seen, 0.",
        ),
    ),
    budgets={
        "smoke": {WHERE: Budget(2, 50_000)},
        "quick": {WHERE: Budget(20, 400_000)},
        "paper": {WHERE: Budget(20, MILLION)},
    },
    decisions=(
        Decision(
            "In which game is the KL term judged?",
            "In that of Figure 5, over 20 configurations of the random search, each with and without the KL term.",
            "“Several instances of the above experiments” are games in which nobody learns here, and in which random "
            "play is paid: there 0 reward is out of reach. “For any reasonable hyperparameter settings” is said of "
            "configurations, not of one.",
            departs=True,
        ),
        Decision(
            "What does a run draw?",
            "η log-uniformly, γ, τ, α and β uniformly from the ranges of Table 2, the weight of the KL term from 0.001 "
            "to 0.01, or 0 without it. Run s has the same hyper-parameters with and without the KL term, but for its "
            "weight.",
            "The paper prints ranges and no distribution, and none for the KL term.",
        ),
        *(
            decision
            for decision in mace.DECISIONS
            if decision.question not in (LENGTH, "Which hyper-parameters?", mace.TRAINING)
        ),
    ),
    family="ablations",
)
