"""DiMA-PG: distributed multi-agent policy gradients (Khan et al. 2018)."""

from __future__ import annotations

import functools
from typing import Any, Literal

from algorithms.dimapg import DiMAPG
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.maddpg import MADDPG
from algorithms.uniform import Uniform
from benchmarks import Arm, Band, Budget, Cell, Decision, Evaluation, Learnt, Margin, Metric, Paper, Score, Statistic
from benchmarks._judging.scores import Final, Window
from benchmarks.dimapg._measures import LEAST, Adapted, Chance, Cloned, Least
from environments.goal_navigation import NAVIGATION_3, NAVIGATION_10, GoalNavigation

PAPER = Paper(
    name="dimapg",
    title="Scalable Centralized Deep Multi-Agent Reinforcement Learning via Policy Gradients",
    authors="Arbaaz Khan, Clark Zhang, Daniel D. Lee, Vijay Kumar, Alejandro Ribeiro",
    venue="arXiv 1805.08776, 2018",
    summary="All agents share one policy, which is trained so that a few gradient steps of one agent by itself would "
    "lead far. It is to learn in large populations, where methods fail that treat all agents as one.",
)

Method = Literal["DiMA-PG", "MADDPG", "A3C-KitchenSink", "TRPO-KitchenSink"]
BASELINES: tuple[Method, ...] = ("MADDPG", "A3C-KitchenSink", "TRPO-KitchenSink")
METHODS: tuple[Method, ...] = ("DiMA-PG", *BASELINES)
LEARNERS: dict[Method, Any] = {
    "DiMA-PG": DiMAPG(),
    "MADDPG": MADDPG(),
    "A3C-KitchenSink": A3CKitchenSink(),
    "TRPO-KitchenSink": TRPOKitchenSink(),
}

GAMES = {3: NAVIGATION_3, 10: NAVIGATION_10}
"""Cooperative navigation, by the number of agents."""

HORIZON = 200
PAPER_EPISODES = 500_000
PRINTED_BAND = Band(deviations=1.0)
"""The paper says that it shades the variance, which would have another unit than the axis."""

EVERY = {3: 250_000, 10: 500_000}
"""Environment steps between two tests of DiMA-PG: five of its iterations with 3 agents, three or four with 10."""

QUICK_EPISODES: dict[Method, dict[int, int]] = {
    "DiMA-PG": {3: 40_000, 10: 50_000},
    "MADDPG": {3: 4_000, 10: 500},
    "A3C-KitchenSink": {3: 2_500, 10: 250},
    "TRPO-KitchenSink": {3: 15_000, 10: 4_000},
}
ALONE_EPISODES = {"smoke": 500, "quick": 5_000, "paper": PAPER_EPISODES}
CHANCE_EPISODES = {"smoke": 50, "quick": 1_000, "paper": 2_000}


@functools.cache
def place(n_agents: int) -> str:
    """How cooperative navigation is called."""
    return f"navigation-{n_agents}"


def navigation(method: Method, n_agents: int) -> Cell:
    """A method with so many agents and goals; of DiMA-PG also what becomes of it when its agents adapt."""
    if method == "DiMA-PG":
        evaluation, measure = Evaluation(EVERY[n_agents], n_episodes=0), Adapted()
        return Cell(method, place(n_agents), LEARNERS[method], GAMES[n_agents], evaluation, measure=measure)
    evaluation = Evaluation(every=100 * HORIZON if n_agents == 3 else 50 * HORIZON, n_episodes=0)
    return Cell(method, place(n_agents), LEARNERS[method], GAMES[n_agents], evaluation, measure=Least())


def alone(n_agents: int) -> Cell:
    """One agent learns where all goals are, and is copied."""
    game = GoalNavigation(n_agents=1, n_goals=n_agents, agent_size=GAMES[n_agents].agent_size)
    evaluation = Evaluation(every=500 * HORIZON, n_episodes=0)
    return Cell("Fine Tune", place(n_agents), DiMAPG(), game, evaluation, measure=Cloned(GAMES[n_agents]))


def chance(n_agents: int) -> Cell:
    """Actions drawn uniformly: the level from which effects are measured."""
    evaluation = Evaluation(every=50 * HORIZON, n_episodes=0)
    return Cell("Uniform", place(n_agents), Uniform(), GAMES[n_agents], evaluation, measure=Chance())


def least(cell: Cell, statistic: Statistic, metric: str = LEAST) -> Score:
    """What the agent gets that gets least."""
    return Score(cell, Metric(metric, better="larger"), statistic)


def chance_level(n_agents: int) -> Score:
    """What the least gets where all play at random."""
    return least(chance(n_agents), Final(window=100))


SCRIPT = {3: -34.8, 10: -50.0}
"""About what a script gets that sends every agent straight to a goal of its own, without noise: with 3 agents at the
level that Table 1 prints for θ."""

DELTA = Margin(15.0, "a tenth of the way from random play, near the floor of −200, to a script, −34.8 or −50")
"""The smallest difference of interest, for both numbers of agents; neither end of the way is a side of any row."""

LACKS = (
    "The game of the text: each agent is paid by its own nearest goal. Learners that begin within the arena. A script "
    "and untrained learners as cells, so that δ is a tenth of the way from random play to the script in that game."
)
"""Of all claims on cooperative navigation. What is recorded so far pays every agent for all goals, clipped, a game in
which hardly anybody leaves the floor: it can refute nothing that the paper says."""


def episodes(first: int, last: int) -> Window:
    """Tests of one stretch of training, after `first` and up to `last` episodes of all that the method plays."""
    return Window(first * HORIZON, last * HORIZON)


def arm(cell: Cell, n_agents: int, statistic: Statistic) -> Arm:
    """A learner, and what it has to be better than: no untrained learner is measured yet, so it is random play."""
    return Arm(least(cell, statistic), chance_level(n_agents))


def somebody_learnt(n_agents: int, *arms: Arm) -> tuple[Learnt, ...]:
    """The precondition that one of some learners is above random play by δ."""
    return (Learnt(arms, chance_level(n_agents), DELTA),)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs of every cell of cooperative navigation."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in (("smoke", 2), ("quick", 5), ("paper", 10)):
        sizes: dict[tuple[str, int], int] = {}
        for n in GAMES:
            for method in METHODS:
                of = navigation(method, n)
                sizes[method, n] = {
                    "smoke": of.evaluation.every,
                    "quick": QUICK_EPISODES[method][n] * HORIZON,
                    "paper": PAPER_EPISODES * HORIZON,
                }[profile]
            sizes["Fine Tune", n] = ALONE_EPISODES[profile] * HORIZON
            sizes["Uniform", n] = CHANCE_EPISODES[profile] * HORIZON
        found[profile] = {f"{name} on {place(n)}": Budget(n_seeds, steps) for (name, n), steps in sizes.items()}
    return found


DECISIONS = (
    Decision(
        "What are agents paid for?",
        "Minus the squared distance of every goal from its closest agent, minus 1 for each other agent that is "
        "overlapped, minus 1 outside of [−1, 1]²; the reward of one agent at one step is clipped to [−1, 1].",
        "The paper names the terms and the clipping, so that an episode of 200 steps pays between −200 and 200. It has "
        "two descriptions: “collectively rewarded based on the how far any agent is from each goal”, which is built, "
        "and “Agents are rewarded for being close to the goals (negative square of distance to the goals)”. Clipped, "
        "the first hardly ever leaves the floor, and a minimum over agents says little where all share the main term. "
        "So nothing that is recorded of it is held against the paper.",
        departs=True,
    ),
    Decision(
        "What is the least reward?",
        "The return of the agent that gets least, undiscounted, episode by episode; then the mean over episodes: 100 "
        "for DiMA-PG and Fine Tune, 25 for the other curves. Actions are drawn as in training.",
        "The paper says minimum over agents, average of 100 episodes, and not whether actions are drawn. The code that "
        "its methods come from draws them wherever it writes returns down. The likeliest actions were measured too: "
        "with 3 agents and σ still about 1 they are worse, by up to 37 in the mean over five seeds.",
    ),
    Decision(
        "How large are agents?",
        "0.15 where there are 3, 0.05 where there are 10.",
        "The paper prints no size. With 3 agents of 0.15 a script that sends everyone straight to a goal of its own "
        "gets about −31 to −33, the level of the printed −34.8. Ten of that size are in each other's way.",
    ),
    Decision(
        "What does an agent see?",
        "Its velocity, and all goals and the other agents relative to itself.",
        "So the text. One set of weights then fits every agent.",
    ),
    Decision(
        "What is a policy?",
        "Two layers of 100 with rectifiers; a Gaussian of two forces whose σ starts at 1 and does not depend on the "
        "state. The last layer begins at full scale.",
        "The layers are printed, the rest are rllab's defaults; nothing is said of the initial scale. Begun so, means "
        "grow with the distance, and agents leave the arena before they learn.",
    ),
    Decision(
        "Which rates, and how many inner steps?",
        "α = 0.01 in all of k = 3 inner steps, by plain gradient ascent. The first step uses trajectories of θ, later "
        "ones are played anew by the agent's own parameters, 25 episodes each.",
        "The paper prints α₁ = α₂ = 0.01, k = 3 and 25.",
    ),
    Decision(
        "How is the derivative of the adapted parameters taken?",
        "As if they moved along with θ: both terms of equation (14), without second derivatives.",
        "The paper says that it approximates the second derivative, not how.",
    ),
    Decision(
        "What moves θ in cooperative navigation?",
        "TRPO: divergence up to 0.01, ten steps of conjugate gradients, backtracking by 0.8. The rate ε = 0.05 is not "
        "used there.",
        "TRPO is printed, its constants are rllab's defaults.",
    ),
    Decision(
        "How are advantages estimated?",
        "γ = 0.99, λ = 1, centred and scaled, by a baseline that is linear in the observation, its square and time, "
        "fitted anew to every agent and iteration.",
        "The paper names a linear feature baseline; its features and γ are rllab's.",
    ),
    Decision(
        "Which episodes are counted?",
        "All that an algorithm plays: (1 + n·k)·25 in an iteration of DiMA-PG, which are 250 with 3 agents and 775 "
        "with 10. The panels “25 an iteration” count 25 of them.",
        "The paper does not say. If it counted the trajectories of θ alone, DiMA-PG's curve is drawn up to 31 times "
        "too far to the left of the others.",
    ),
    Decision(
        "Which MADDPG?",
        "openai/maddpg's, each agent with its own reward, tested by its means. First update after 25 600 steps.",
        "When the paper was written the public code did not share rewards. Its rule for the first update would give "
        "204 800 steps here.",
    ),
    Decision(
        "What is A3C-KitchenSink?",
        "All observations are an image of agents × features with one channel; convolutions, a layer of 256 and an "
        "LSTM; one Gaussian for all agents; the reward of a step is the least of the agents'. 16 copies in step.",
        "The layers are printed and are those of a public notebook (awjuliani/DeepRL-Agents, A3C-Doom), from which "
        "the rest is taken. A3C's order of updates cannot be repeated.",
        departs=True,
    ),
    Decision(
        "What is TRPO-KitchenSink?",
        "TRPO of one policy with two layers of 100 for the joint observation and action, with the same least reward.",
        "The paper gives no network of its own for it, and does not say how TRPO would train a memory.",
    ),
    Decision(
        "What is Fine Tune?",
        "One agent learns by itself where all goals are, by DiMA-PG, and every agent plays what it has learnt. It sees "
        "no others.",
        "The paper says that one agent is trained and copied, not what the others do meanwhile.",
    ),
    Decision(
        "How long does each method train in `quick`?",
        "With 3 agents DiMA-PG 40 000 episodes, TRPO-KitchenSink 15 000, MADDPG 4000, A3C-KitchenSink 2500; with 10 "
        "agents 50 000, 4000, 500, 250. So curves stop at different places.",
        "An episode of A3C-KitchenSink takes some 18 times as long as one of DiMA-PG with 3 agents and some 70 times "
        "as long with 10, one of MADDPG 8 and 30 times. In profile `paper` all have 500 000.",
    ),
)

INCONSISTENCIES = (
    Decision(
        "Can 10 agents reach −8?",
        "Hardly: a script without noise that sends everyone straight to a goal of its own gets about −50 with 10 "
        "agents of 0.05, and near −8 only with discs of about 0.02.",
        "The size of agents is not printed and decides the order of the columns, so their numbers are not compared.",
    ),
    Decision(
        "Can −34.8 be reached with drawn actions?",
        "Not with σ near 1: a script without noise gets about −31 to −33 with 3 agents.",
        "The paper does not say whether actions are drawn. Drawn ones are judged, the likeliest shown beside them.",
    ),
    Decision(
        "How much can 10 agents learn from?",
        "In the game that is built, as long as they play at random 1.4 % of the steps are not clipped to −1, 7.6 % "
        "with 3 agents; of standing still 17 % and 34 %.",
        "Ten squared distances add up to less than 1 only while agents are spread over the arena as at the start, and "
        "random forces drive them out of it. In `quick` DiMA-PG makes 65 steps of θ with 10 agents and learns nothing.",
    ),
)
"""What the paper's own numbers contradict, and what the game does that is built."""
