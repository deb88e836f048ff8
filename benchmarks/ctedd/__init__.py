"""CTEDD: centralised training and exploration, decentralised execution by policy distillation (Chen 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from algorithms.uniform import Uniform
from benchmarks import (
    Arm,
    Budget,
    Cell,
    Decision,
    Evaluation,
    Learnt,
    Level,
    Margin,
    Metric,
    Paper,
    Reading,
    Score,
    Statistic,
)
from benchmarks._judging.scores import Final, Rise, Sparse, Window
from benchmarks.ctedd._levels import LEVELS
from environments import Env
from environments.cooperative_navigation import CN_V1, CN_V2
from environments.predator_prey import PredatorPrey
from environments.push_forward import PushForward

PAPER = Paper(
    name="ctedd",
    title="A New Framework for Multi-Agent Reinforcement Learning — Centralized Training and Exploration with "
    "Decentralized Execution via Policy Distillation",
    authors="Gang Chen",
    venue="arXiv 1910.09152, 2019",
    summary="A global policy that sees everything explores for the whole team and is trained by one Q-network; local "
    "policies that exchange short messages are then distilled from it, without further samples.",
)

ENVIRONMENTS: dict[str, Env[Any]] = {
    "CN-V1": CN_V1,
    "CN-V2": CN_V2,
    "PF": PushForward(),
    "PP": PredatorPrey(),
}

EVALUATION = Evaluation(every=10_000, n_episodes=400)
"""Tests after every 10 000 environment samples, 400 episodes each (section 5)."""

PAPER_STEPS = 8_000_000
"""The paper prints no number of episodes. Its claim about CN-V1 speaks of 2 × 150 000 episodes, 7.5M steps."""

QUICK_STEPS = {"CN-V1": 1_000_000, "CN-V2": 1_000_000, "PF": 500_000, "PP": 500_000}
"""40 000 episodes of cooperative navigation, 10 000 of the others."""


def levels(environment: str, *, printed: bool = True) -> tuple[Level, ...]:
    """Lines across a panel: how far one gets in a game without learning, and the one return that the paper prints.

    `printed` says whether that one is drawn: it is a test return, and has no place beside training returns.
    """
    known = LEVELS[environment]
    of_tests = (
        (Level("printed of CTEDD-L-3", known.target, printed=True),) if printed and environment == "CN-V1" else ()
    )
    return (
        Level("uniform play", known.uniform),
        Level("nobody moves", known.still),
        Level("a script", known.script),
        *of_tests,
    )


def budgets(most_steps: int = PAPER_STEPS) -> dict[str, dict[str, Budget]]:
    """What each profile runs in every environment; `quick`, the beginning of `paper`, ends at `most_steps` at most."""
    quick = {name: Budget(6, min(steps, most_steps)) for name, steps in QUICK_STEPS.items()}
    smoke, paper = dict.fromkeys(ENVIRONMENTS, Budget(2, 30_000)), dict.fromkeys(ENVIRONMENTS, Budget(10, PAPER_STEPS))
    return {"smoke": smoke, "quick": quick, "paper": paper}


def cell(name: str, environment: str, algorithm: object) -> Cell:
    """A curve of this paper."""
    return Cell(name, environment, algorithm, ENVIRONMENTS[environment], EVALUATION)


PUBLISHED = CTEDD(update_order="on-policy")
"""The global policy with all its exploration, and L-1 and L-3 distilled from it on the way."""


def ctedd(environment: str) -> Cell:
    """CTEDD as published."""
    return cell("CTEDD", environment, PUBLISHED)


def fixed_std(environment: str, std: float) -> Cell:
    """CTEDD without maximum-entropy exploration: a constant standard deviation."""
    return cell(f"CTEDD ({std})", environment, CTEDD(fixed_std=std, message_sizes=()))


def maddpg(environment: str, message_size: int) -> Cell:
    """MADDPG whose agents exchange messages of `message_size` numbers."""
    return cell(f"MADDPG-{message_size}", environment, MADDPG(message_size=message_size))


def uniform(environment: str) -> Cell:
    """Actions drawn uniformly: the level from which effects are measured."""
    return cell("Uniform", environment, Uniform())


def uniform_level(environment: str) -> Score:
    """How well a team does that plays at random."""
    return tested(uniform(environment), Final(window=100), "uniform")


TRAINING = "training return"
TEST = "test return {}"
BEFORE = 25_600
"""Environment steps after which the first update comes."""

MILLION = 1_000_000
FINAL = Final(window=10)  # the last 100 000 steps
RISE = Rise(untrained=BEFORE, last=MILLION)
GRID = 100_000
LOCAL_END = Sparse(Final(window=5), every=GRID)  # the last 500 000 steps, for local policies and what they are held to
UNTRAINED = Window(0, 20_000)


def until(n_steps: int) -> Window:
    """The end of a judged stretch: its last 100 000 steps."""
    return Window(n_steps - GRID, n_steps)


def trained(cell: Cell, statistic: Statistic) -> Score:
    """How well a team does while it trains, exploration included."""
    return Score(cell, Metric(TRAINING, better="larger"), statistic)


def tested(cell: Cell, statistic: Statistic, policy: str = "greedy") -> Score:
    """How well a policy does without exploration."""
    return Score(cell, Metric(TEST.format(policy), better="larger"), statistic)


def greedy(cell: Cell, statistic: Statistic) -> Score:
    """How well a learner does without exploration: the global policy of CTEDD, and MADDPG."""
    return tested(cell, statistic, "G" if isinstance(cell.algorithm, CTEDD) else "greedy")


def delta(environment: str) -> Margin:
    """The smallest difference of interest."""
    levels = LEVELS[environment]
    to = "the return that is printed" if environment == "CN-V1" else "what is as far as -390 is on CN-V1"
    return Margin(levels.delta, f"a tenth of the way from uniform play ({levels.uniform:g}) to {levels.target:g}, {to}")


def learnt(*cells: Cell, by: Statistic = FINAL) -> tuple[Learnt, ...]:
    """One of these learners has learnt, by the end of the stretch that is judged."""
    environment = cells[0].environment
    arms = tuple(Arm(greedy(cell, by), greedy(cell, UNTRAINED)) for cell in cells)
    return (Learnt(arms, uniform_level(environment), delta(environment)),)


# ----------------------------------------------------------------------------------- what the text leaves open, and how


def by_distance(cell: Cell) -> Cell:
    """On CN-V1, agents that measure lengths alone; who plays at random sees nothing."""
    if cell.environment != "CN-V1" or isinstance(cell.algorithm, Uniform):
        return cell
    return replace(cell, env=replace(cell.env, observation="distance"))


def by_sender(cell: Cell) -> Cell:
    """MADDPG whose messages are trained by who sends them."""
    if not isinstance(cell.algorithm, MADDPG):
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, message_updates="sender"))


def with_captures(cell: Cell, **changes: Any) -> Cell:
    """Predator and prey with other captures."""
    return cell if cell.environment != "PP" else replace(cell, env=replace(cell.env, **changes))


def in_order_of_equations(cell: Cell) -> Cell:
    """CTEDD whose equation (5) comes after (4); nobody looks at its students."""
    if cell.algorithm != PUBLISHED:
        return cell
    return replace(cell, algorithm=replace(PUBLISHED, update_order="as numbered", message_sizes=()))


def distilled(cell: Cell, **changes: Any) -> Cell:
    """CTEDD whose students are taught in another way."""
    return cell if cell.algorithm != PUBLISHED else replace(cell, algorithm=replace(PUBLISHED, **changes))


def decisions(*readings: str) -> tuple[Decision, ...]:
    """All that the paper leaves open, with those other readings that a figure is run under."""
    return tuple(
        replace(decision, readings=tuple(reading for reading in decision.readings if reading.name in readings))
        for decision in DECISIONS
    )


PLAYED = ("distance", "own-messages", "wide-capture", "capture-for-each", "capture-once")
"""Readings that change how a game is played or a baseline is trained."""
TAUGHT = ("continued", "random")
"""Readings that change local policies alone."""

DECISIONS = (
    Decision(
        "What is an episode's reward?",
        "The sum over steps and over the three agents of the reward that they share, which itself is the sum of the "
        "agents' own rewards: openai/maddpg's `episode_rewards`. The penalty of an agent for overlapping itself stays.",
        "The paper prints one number, -390 on CN-V1. In this unit standing still scores -653 (4000 episodes), so "
        "that -390 is a good policy; per agent, or without the self-overlap, -390 would be untrained or out of reach.",
    ),
    Decision(
        "What does an agent observe?",
        "Its velocity and the vectors to all landmarks and other agents.",
        "Distances alone give no direction: local networks distilled from a scripted near-optimal controller reach "
        "about -395 with vectors and 3-number messages, and not better than -510 with distances.",
        departs=True,
        readings=(
            Reading(
                "distance",
                "On CN-V1, its velocity and the lengths of those vectors alone.",
                "The text is that agents “measure its Euclidean distance from other agents and all the landmarks”; the "
                "text has the same in all four games, and here the other three keep vectors.",
                under=by_distance,
            ),
        ),
    ),
    Decision(
        "How long is training?",
        "8M environment steps a seed in profile `paper`; `quick` is the first million of the same run on CN-V1 and "
        "CN-V2 and the first half of it on PF and PP, with the same schedules.",
        "No number is printed; the claim about CN-V1 needs at least 7.5M.",
    ),
    Decision(
        "How many copies of the game collect the 100 steps between two updates?",
        "25, in step, 4 steps each; openai/maddpg has one.",
        "One batched program is many times faster; the figure `ctedd/copies` measures whether the curve moves.",
        departs=True,
    ),
    Decision(
        "What are MADDPG-1 and MADDPG-3?",
        "openai/maddpg's algorithm with the paper's Figure 2 as actor: messages of 1 or 3 tanh-bounded numbers to all "
        "others, computed anew from replayed observations, gradients through the channel. One optimizer an agent, over "
        "every variable that its loss reaches. Its critics see the full state, as CTEDD's does.",
        "The paper gives the topology and says that gradients pass; so only the actors differ between the methods.",
        readings=(
            Reading(
                "own-messages",
                "What makes a message is stepped by its sender's optimizer alone, once an iteration, by the sum of the "
                "gradients of both listeners.",
                "Who trains the senders is not said. With an optimizer an agent for all that its loss reaches, each "
                "sender takes two steps an iteration.",
                under=by_sender,
            ),
        ),
    ),
    Decision(
        "Are MADDPG's actions bounded?",
        "They are clipped to [-1, 1] wherever they are drawn: in play, in the target and in the actor's loss.",
        "openai/maddpg leaves its Gaussian unbounded. Here the game clips forces, and where rewards are rare a critic "
        "of unbounded actions diverged to NaN within 40 000 steps. As in openai/maddpg nothing holds the learnt "
        "standard deviation back, and in some states it grows until actions are coin flips between the ends of the "
        "box; only its logarithm is cut, at 80, so that it stays a number.",
        departs=True,
    ),
    Decision(
        "What is the reward of Push Forward and of Predator and Prey?",
        "As in cooperative navigation every agent's own reward is -Σ_l min_a d(a, l) and -1 for every agent that it "
        "overlaps, itself included; all agents get the sum. A push adds 10 to every agent's own reward. A capture adds "
        "10 to what all get, once, at every step in which a prey has all three agents within the capture radius.",
        "“The reward will be deducted by the distance of every landmark from its closest agent”, “the collision "
        "penalty also applies”, “similar to PF”. +10 goes “to every pushing agent”, but that for a capture is "
        "“provided by the learning environment”, which “produces a scalar reward” … “to all learning agents”, like "
        "CN-V2's -10. Prey are not replaced and may “escape from a capture”, so that a capture lasts; and a game that "
        "paid for a prey only once would have to remember it.",
        readings=(
            Reading(
                "capture-for-each",
                "A capture adds 10 to every agent's own reward, as a push does, and so 30 to the sum that all get.",
                "The text does not say to whom “a reward of +10.0” goes; in PF it goes “to every pushing agent”. The "
                "smallest difference of interest and the levels stay those of our choice.",
                under=lambda cell: with_captures(cell, capture_reward=30.0),
            ),
            Reading(
                "capture-once",
                "A capture pays in the step in which it begins.",
                "“Upon capturing a landmark” may be a moment. Levels stay those of our choice, and are then too high.",
                under=lambda cell: with_captures(cell, capture_pays="once"),
            ),
        ),
    ),
    Decision(
        "Which constants of Push Forward and of Predator and Prey are not printed?",
        "Agents of size 0.1, that start at rest and uniformly in [-1, 1]². PF: push zones of radius 0.2, a push of "
        "0.05, landmarks that start uniformly in [-1, -0.2] × [-1, 1] and at least 0.5 apart. PP: capture radius 0.3, "
        "prey that start uniformly in [-1, 1]², stay there and go 0.05 a step in the best of 16 directions, or stay.",
        "Two agents in one zone would touch, and zones do not overlap. Three agents have room in 0.3 without "
        "touching. A script earns 2413 in PF, where standing still earns -1355 and uniform play "
        "-1484, and 152 in PP, where they earn -1447 and -1450 (20 000 episodes, standard errors 10, 2, 2; 2, 2, 2).",
        readings=(
            Reading(
                "wide-capture",
                "PP's capture radius is 0.6.",
                "How close “the close proximity” is has no number. A capture is easier then; levels stay those of our "
                "choice.",
                under=lambda cell: with_captures(cell, capture_radius=0.6),
            ),
        ),
    ),
    Decision(
        "Who is penalised in CN-V2, and how often?",
        "All together, by 10 a step, where fewer than two agents are closest to the landmark that is reached best. "
        "Ties are no offence.",
        "The paper says that a penalty of -10.0 “will be incurred”, of no agent in particular.",
    ),
    Decision(
        "What bounds the exploration's standard deviation?",
        "σ = 0.001 + 0.999·sigmoid(x), and the deterministic part is tanh.",
        "The paper says bounded actions; a hard clip at 1 would leave σ without gradient once it is reached.",
    ),
    Decision(
        "What trains the shared trunk?",
        "Equation (4) alone; equation (5) trains the stochastic heads.",
        "“Only ω will be trained via (3)”.",
    ),
    Decision(
        "Which action does the target of equation (2) take?",
        "A sample: the target network's deterministic part plus the online spread, clipped; the spread has no target.",
        "The equation writes the stochastic policy; target networks are named for the deterministic parts and Q only.",
    ),
    Decision(
        "In which order are the three updates of an iteration made?",
        "Q by (2), the spread by (5), the deterministic part by (4): so (5) weighs samples of the very policy that "
        "drew them.",
        "The paper does not say. Footnote 1, to gradients by (3), supports this order: (3), printed there as (1), "
        "“only applies to environment samples obtained by using the policies being trained”. And it matters: with (5) "
        "after (4) the spread falls to between 0 and 0.33 within a million steps, before it stays between 0.35 and "
        "0.65 (five seeds, CN-V1 and PF).",
        readings=(
            Reading(
                "as-numbered",
                "Q by (2), the deterministic part by (4), the spread by (5).",
                "It is the order in which the text has the equations.",
                under=in_order_of_equations,
            ),
        ),
    ),
    Decision(
        "How is the entropy term of equation (5) scaled?",
        "Averaged over the batch, as the first term is.",
        "As printed, without 1/‖B‖, the meaning of α would change with the size of the batch.",
        departs=True,
    ),
    Decision(
        "When and how are the local policies distilled?",
        "Every 100 000 steps, right before the test: fresh policies, once over all states that the buffer holds, in "
        "the order of time, in batches of 1024, 4 updates each, by the deterministic global policy as it is then. "
        "Between distillations they stand, and so do their test results: the tests at multiples of 100 000 count.",
        "Algorithm 1 and section 4.2: after the global policies have been trained, all samples in the buffer, earlier "
        "ones first, “a few iterations” a batch. The curves of Figure 5 need it more often than once, and at every "
        "test, 10 000 steps, it would cost many times the training. The buffer holds the newest million "
        "transitions.",
        readings=(
            Reading(
                "random",
                "Fresh policies, as many states in as many batches, drawn at random from all that the buffer holds.",
                "Footnote 2 names it as the other way, and calls it worse.",
                under=lambda cell: distilled(cell, distillations=("random",)),
            ),
            Reading(
                "continued",
                "Every 10 000 steps, policies that go on learning, from the newest 10 000 states alone.",
                "“State samples obtained at earlier times will be used first”: as they come, then, "
                "and tested as often as everybody else.",
                under=lambda cell: distilled(cell, distillations=("continued",), distill_every=10_000),
            ),
        ),
    ),
    Decision(
        "Which interval is the shaded one?",
        "95 % Student t over seeds.",
        "The paper says confidence interval, without a level.",
    ),
    Decision(
        "When does learning begin, and do target networks start as copies?",
        "After 25 600 transitions, also where episodes have 50 steps. CTEDD's targets start as copies, MADDPG's from "
        "their own random numbers, as in openai/maddpg.",
        "“all other hyper-parameters are made identical” “according to the default settings in the MADDPG source "
        "code”, openai/maddpg, whose rule gives 25 600 with 25-step episodes.",
    ),
)
