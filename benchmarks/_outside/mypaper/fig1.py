"""Figure 1: what two independent learners earn on the ring, beside agents that choose uniformly.

A figure is data: the curves that it needs, the sentences of the paper that its runs can refute, and what the paper left
open. All else (training, testing, judging, drawing) is the suite's.
"""

from __future__ import annotations

from algorithms.uniform import Uniform
from benchmarks import (
    Budget,
    Cell,
    Claim,
    Decision,
    Evaluation,
    Exceeds,
    Figure,
    Line,
    Margin,
    Metric,
    Panel,
    Row,
    Score,
)
from benchmarks._judging.scores import Final

from . import PAPER
from .game import Meeting
from .learner import IndependentQ

# A cell is a learner in a game, tested in one way: every 500 steps, in 100 episodes without exploration.
EVALUATION = Evaluation(every=500, n_episodes=100)
LEARNERS = Cell("IQL", "Ring", IndependentQ(), Meeting(), EVALUATION)
CHANCE = Cell("uniform", "Ring", Uniform(steps_per_iteration=500), Meeting(), EVALUATION)

# Of every seed one number is compared: the mean of its last five tests.
LEARNT = Score(LEARNERS, Metric("test return greedy", better="larger"), Final(window=5))
NOT_LEARNT = Score(CHANCE, Metric("test return uniform", better="larger"), Final(window=5))

FIGURE = Figure(
    paper=PAPER,
    name="fig1",  # as this file is called
    title="Meeting on a ring",
    caption="Test return: the sum over both agents and ten steps of an episode's reward.",
    panels=(
        Panel(
            "Ring",
            (Line("independent Q", LEARNERS, "test return greedy"), Line("uniform", CHANCE, "test return uniform")),
            "test return",
        ),
    ),
    claims=(
        Claim(
            id="MYPAPER-F1-1",
            quote="“Two agents that learn by themselves soon meet.”",
            place="section 4",
            reading="at the end of training they earn more than agents that choose uniformly",
            rows=(
                Row(
                    "Ring: independent Q > uniform",
                    LEARNT,
                    NOT_LEARNT,
                    Exceeds(Margin(2.0, "one step of ten in which both stand together")),
                    about="end",
                ),
            ),
        ),
    ),
    # How much a profile runs: seeds, and steps of each. A larger one goes on from where a smaller one ends.
    budgets={
        "smoke": {"Ring": Budget(n_seeds=2, n_steps=1_000)},
        "quick": {"Ring": Budget(n_seeds=5, n_steps=10_000)},
        "paper": {"Ring": Budget(n_seeds=10, n_steps=10_000)},
    },
    # What the paper leaves open, how it is answered here, and why.
    decisions=(
        Decision(
            "What are the first values of a table?",
            "Drawn uniformly from [0, 0.01).",
            "The paper does not say. Equal ones would let the first of all choices win every tie.",
        ),
    ),
)
