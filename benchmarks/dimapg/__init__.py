"""DiMA-PG: distributed multi-agent policy gradients (Khan et al. 2018)."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any, Literal

from algorithms.dimapg import DiMAPG
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.uniform import Uniform
from benchmarks import Arm, Band, Budget, Cell, Decision, Evaluation, Learnt, Metric, Paper, Score, Statistic
from benchmarks._judging.scores import Final, Window
from benchmarks.dimapg._levels import NAVIGATION
from benchmarks.dimapg._measures import LEAST, Adapted, Chance, Cloned, Elsewhere, Least
from benchmarks.dimapg._readings import COLLECTIVE, DISCS, LONG_STEPS, RLLAB, WALLS
from benchmarks.dimapg._scripts import Scripted
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
    "MADDPG": SoftMADDPG(),
    "A3C-KitchenSink": A3CKitchenSink(),
    "TRPO-KitchenSink": TRPOKitchenSink(),
}

GAMES = {3: NAVIGATION_3, 10: NAVIGATION_10}
"""Cooperative navigation, by the number of agents."""

HORIZON = 200
UNLIMITED = 1e6
"""More than anybody can lose in a step."""
PRINTED_BAND = Band(deviations=1.0)
"""The paper says that it shades the variance, which would have another unit than the axis."""

EVERY: dict[Method | Literal["Fine Tune", "level"], dict[int, int]] = {
    "DiMA-PG": {3: 1_250, 10: 1_550},
    "MADDPG": {3: 500, 10: 250},
    "A3C-KitchenSink": {3: 500, 10: 250},
    "TRPO-KitchenSink": {3: 500, 10: 250},
    "Fine Tune": {3: 1_000, 10: 1_000},
    "level": {3: 1_000, 10: 1_000},
}
"""Episodes between two tests: five and two iterations of DiMA-PG."""

QUICK_EPISODES: dict[str, dict[int, int]] = {
    "DiMA-PG": {3: 100_000, 10: 100_750},
    "MADDPG": {3: 25_000, 10: 10_000},
    "A3C-KitchenSink": {3: 25_000, 10: 10_000},
    "TRPO-KitchenSink": {3: 25_000, 10: 10_000},
    "Fine Tune": {3: 100_000, 10: 100_000},
}
"""What decides every claim but the late stretch of DIMA-F3-2, fixed before any of it was run."""

PAPER_EPISODES: dict[str, dict[int, int]] = QUICK_EPISODES | {
    "MADDPG": {3: 500_000, 10: 25_000},
    "TRPO-KitchenSink": {3: 500_000, 10: 100_000},
}
SMOKE_EPISODES: dict[str, dict[int, int]] = {name: EVERY[name] for name in EVERY if name != "level"}
LEVEL_TESTS = {"smoke": 2, "quick": 100, "paper": 100}
UNTRAINED_TESTS = {"smoke": 1, "quick": 10, "paper": 10}
N_SEEDS = {"smoke": 2, "quick": 6, "paper": 10}


@functools.cache
def place(n_agents: int) -> str:
    """How cooperative navigation is called."""
    return f"navigation-{n_agents}"


def game(method: Method, n_agents: int) -> GoalNavigation:
    """Forces for all but MADDPG, whose agents weigh five directions, as its authors' do: what they can do is alike."""
    return replace(GAMES[n_agents], action="soft") if method == "MADDPG" else GAMES[n_agents]


def navigation(method: Method, n_agents: int) -> Cell:
    """A method with so many agents and goals; of DiMA-PG also what becomes of it when its agents adapt."""
    measure = Adapted() if method == "DiMA-PG" else Least()
    evaluation = Evaluation(EVERY[method][n_agents] * HORIZON, n_episodes=0)
    return Cell(method, place(n_agents), LEARNERS[method], game(method, n_agents), evaluation, measure=measure)


def untrained(method: Method, n_agents: int) -> Cell:
    """The same learner before its first iteration."""
    algorithm = Frozen(LEARNERS[method])
    evaluation = Evaluation(every=algorithm.steps_per_iteration, n_episodes=0)
    return Cell(f"{method} untrained", place(n_agents), algorithm, game(method, n_agents), evaluation, measure=Least())


def unclipped() -> Cell:
    """DiMA-PG that learns from rewards as they are, with 3 agents, and is tested where they are clipped."""
    evaluation = Evaluation(EVERY["DiMA-PG"][3] * HORIZON, n_episodes=0)
    game = replace(GAMES[3], reward_limit=UNLIMITED)
    return Cell("DiMA-PG unclipped", place(3), LEARNERS["DiMA-PG"], game, evaluation, measure=Elsewhere(GAMES[3]))


def alone(n_agents: int) -> Cell:
    """One agent learns where all goals are, and is copied."""
    lonely = replace(GAMES[n_agents], n_agents=1, n_goals=n_agents)
    evaluation = Evaluation(every=EVERY["Fine Tune"][n_agents] * HORIZON, n_episodes=0)
    return Cell("Fine Tune", place(n_agents), DiMAPG(), lonely, evaluation, measure=Cloned(GAMES[n_agents]))


def level(name: Literal["Uniform", "Script"], n_agents: int) -> Cell:
    """Actions drawn uniformly, or a script: between which levels effects are measured."""
    every = EVERY["level"][n_agents] * HORIZON
    algorithm = Uniform(every) if name == "Uniform" else Scripted("navigator", every)
    return Cell(name, place(n_agents), algorithm, GAMES[n_agents], Evaluation(every, n_episodes=0), measure=Chance())


def least(cell: Cell, statistic: Statistic, metric: str = LEAST) -> Score:
    """What the agent gets that gets least."""
    return Score(cell, Metric(metric, better="larger"), statistic)


def chance_level(n_agents: int) -> Score:
    """What the least gets where all play at random."""
    return least(level("Uniform", n_agents), Final(window=100))


DELTA = {n: levels.delta for n, levels in NAVIGATION.items()}
"""The smallest difference of interest, by the number of agents; neither end of the way is a side of any row."""


def episodes(first: int, last: int) -> Window:
    """Tests of one stretch of training, after `first` and up to `last` episodes of all that the method plays."""
    return Window(first * HORIZON, last * HORIZON)


def arm(method: Method, n_agents: int, statistic: Statistic) -> Arm:
    """A learner, and the same one before it has learnt."""
    before = least(untrained(method, n_agents), Final(window=10))
    return Arm(least(navigation(method, n_agents), statistic), before)


def alone_arm(n_agents: int, statistic: Statistic) -> Arm:
    """Copies of one agent that learnt alone; untrained they are as copies of DiMA-PG's θ are."""
    return Arm(least(alone(n_agents), statistic), least(untrained("DiMA-PG", n_agents), Final(window=10)))


def unclipped_arm(statistic: Statistic) -> Arm:
    """DiMA-PG that learns from rewards as they are; untrained it is as DiMA-PG is."""
    return Arm(least(unclipped(), statistic), least(untrained("DiMA-PG", 3), Final(window=10)))


def somebody_learnt(n_agents: int, *arms: Arm) -> tuple[Learnt, ...]:
    """The precondition that one of some learners is above random play by δ."""
    return (Learnt(arms, chance_level(n_agents), DELTA[n_agents]),)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs of every cell of cooperative navigation."""
    found: dict[str, dict[str, Budget]] = {}
    every_size = {"smoke": SMOKE_EPISODES, "quick": QUICK_EPISODES, "paper": PAPER_EPISODES}
    for profile, sizes in every_size.items():
        steps = {(name, n): episodes * HORIZON for name, of in sizes.items() for n, episodes in of.items()}
        for n in GAMES:
            for name in ("Uniform", "Script"):
                steps[name, n] = LEVEL_TESTS[profile] * EVERY["level"][n] * HORIZON
            steps["DiMA-PG unclipped", 3] = steps["DiMA-PG", 3]
            for method in METHODS:
                steps[f"{method} untrained", n] = UNTRAINED_TESTS[profile] * untrained(method, n).evaluation.every
        found[profile] = {f"{name} on {place(n)}": Budget(N_SEEDS[profile], of) for (name, n), of in steps.items()}
    return found


DECISIONS = (
    Decision(
        "What are agents paid for?",
        "Minus the squared distance to the agent's own nearest goal, minus 1 for each other agent that is overlapped, "
        "minus 1 outside of [−1, 1]²; the reward of one agent at one step is clipped to [−1, 1].",
        "The paper names the terms and the clipping, so that an episode of 200 steps pays between −200 and 200. It has "
        "two descriptions: “Agents are rewarded for being close to the goals (negative square of distance to the "
        "goals)”, which is built, and “collectively rewarded based on the how far any agent is from each goal”. "
        "Rewards are individual in equation (1); a minimum over agents says little where all share the main term; "
        "one agent that learns alone, as for Fine Tune, can learn only by a reward of its own; and more goals bring a "
        "goal nearer, which is the one way in which −8 with 10 agents against −34.8 with 3 is natural.",
        readings=COLLECTIVE,
    ),
    Decision(
        "What is the least reward?",
        "The return of the agent that gets least, undiscounted, episode by episode; then the mean over episodes: 100 "
        "for DiMA-PG and Fine Tune, 25 for the other curves. Actions are drawn as in training.",
        "The paper says minimum over agents, average of 100 episodes, and not whether actions are drawn. The code that "
        "its methods come from draws them wherever it writes returns down. The likeliest actions were measured too: "
        "while σ is about 1 they are worse, of DiMA-PG after 100 000 episodes by 33 with 3 agents and by 65 with 10 in "
        "the mean over six seeds. Nor does the paper say which comes first, the least or the average. The least of the "
        "agents' averages over 100 episodes can only be higher (a script's is about −11 instead of −16 with 3 agents, "
        "−4 instead of −12 with 10). It is measured beside, of those who have trained, and decides nothing.",
    ),
    Decision(
        "How large are agents?",
        "0.15 where there are 3, 0.05 where there are 10.",
        "The paper prints no size; 0.15 is that of openai's game. Ten of that size are in each other's way.",
        readings=(DISCS,),
    ),
    Decision(
        "Is the boundary a wall?",
        "No: who is outside pays, and comes back by itself.",
        "openai's games have no walls, and the text says that agents “step out of the environment boundary”.",
        readings=(WALLS,),
    ),
    Decision(
        "What does an agent see?",
        "Its velocity, and all goals and the other agents relative to itself.",
        "The text names goals and other agents. The velocity is added, which agents see in openai's game; their own "
        "place, which they see there too, is not. One set of weights then fits every agent.",
    ),
    Decision(
        "What is a policy?",
        "Two layers of 100 with rectifiers; a Gaussian of two forces whose σ starts at 1 and does not depend on the "
        "state. The last layer begins at a hundredth of its scale, of all methods alike.",
        "The layers are printed, the rest are rllab's defaults; nothing is said of the initial scale. At full scale "
        "means grow with the distance behind rectifiers, and agents leave the arena for good before they learn.",
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
        "TRPO is printed, its constants are rllab's defaults. A step of TRPO has no rate, but the library calls the "
        "divergence that it may go `step_size`.",
        readings=(LONG_STEPS,),
    ),
    Decision(
        "How are advantages estimated?",
        "γ = 0.99, λ = 1, centred and scaled, by a baseline that is linear in the observation, its square and time, "
        "fitted to every agent and iteration, to the very returns that it is subtracted from. The curvature of a "
        "trust region is measured on every fifth step.",
        "The paper names a linear feature baseline that is “fitted separately at each iteration”; its features and γ "
        "are rllab's. So fitted, it takes a part of the gradient away with the noise.",
        readings=(RLLAB,),
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
        "openai/maddpg's, each agent with its own reward, and with the actions of its own games: five soft weights, "
        "drawn from a softmax with Gumbel noise. First update after 25 600 steps. All other methods use forces; both "
        "push as far along an axis.",
        "The paper used the authors' code, whose agents have such actions. When the paper was written it did not share "
        "rewards. Its rule for the first update would give 204 800 steps here. With forces and a Gaussian its σ was "
        "seen to grow without bounds.",
    ),
    Decision(
        "What is A3C-KitchenSink?",
        "All observations are an image of agents × features with one channel; convolutions, a layer of 256 and an "
        "LSTM; one Gaussian for all agents; the reward of a step is the least of the agents'. 16 copies in step, and "
        "one step of Adam at the printed 10⁻⁴ by the mean of their gradients.",
        "The layers are printed and are those of a public notebook (awjuliani/DeepRL-Agents, A3C-Doom), from which "
        "the rest is taken; the entropy's weight, 10⁻⁴, is that of Mnih et al. (2016) for actions that are vectors. "
        "A3C's order of updates cannot be repeated. A policy of this method has to be played from the beginning of an "
        "episode, whose steps its memory goes through.",
        departs=True,
    ),
    Decision(
        "What is TRPO-KitchenSink?",
        "TRPO of one policy with two layers of 100 for the joint observation and action, with the same least reward.",
        "“For all experiments” the paper has two hidden layers of 100; for this method alone it says “we setup similar "
        "policy layer and value function layer” as for A3C-KitchenSink, and not how TRPO would train a memory.",
        departs=True,
    ),
    Decision(
        "What is Fine Tune?",
        "One agent learns by itself where all goals are, by DiMA-PG, and every agent plays what it has learnt. It sees "
        "no others.",
        "The paper says that one agent is trained and copied, not what the others do meanwhile.",
    ),
    Decision(
        "How long does each method train?",
        "In `quick` DiMA-PG and Fine Tune 100 000 episodes, the others 25 000 with 3 agents and 10 000 with 10. In "
        "`paper` MADDPG and TRPO-KitchenSink have 500 000 with 3 agents. So curves stop at different places.",
        "The only printed number is 300 000 to 400 000, after which two methods converge with 3 agents. 25 000 and "
        "10 000 are how “quickly” is read. An episode of A3C-KitchenSink takes some 16 times as long as one of DiMA-PG "
        "with 3 agents and some 100 times as long with 10, one of MADDPG 8 and 45 times.",
    ),
)

INCONSISTENCIES = (
    Decision(
        "Can 10 agents reach −8?",
        "Yes, if discs are small: a script without noise that sends everyone straight to a goal of its own gets about "
        "−7 with discs of 0.02, −11 with 0.05 and, with 3 agents of 0.15, −15.",
        "The size of agents is not printed and decides the order of the columns, so their numbers are not compared.",
    ),
    Decision(
        "Can −34.8 be reached with drawn actions?",
        "With 3 agents only if σ has fallen below 1: a script that sends everyone to a goal of its own gets about −44 "
        "where noise of σ = 1 is added to its forces, and −15 without. With 10 agents it gets −65 and −11.",
        "The paper does not say whether actions are drawn. Drawn ones are judged, the likeliest shown beside them.",
    ),
    Decision(
        "How much can agents learn from?",
        "Where all pay for all goals, with 10 agents 1.4 % of the steps of random play are not clipped to −1, and 7.6 "
        "% with 3.",
        "Ten squared distances add up to less than 1 only while agents are spread over the arena as at the start. So "
        "the reading “sum” may be a game that nobody can learn.",
    ),
)
"""What the paper's own numbers contradict, and what the game does that is built."""
