"""Survival, of Table 2 and of Figures 5 and 6: what is left of the food and of the agents, and how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms._copies import lost, playable
from algorithms._rollouts import Baseline
from algorithms.dimapg import DiMAPG
from algorithms.frozen import Frozen
from benchmarks import Arm, Budget, Cell, Decision, Evaluation, Learnt, Margin, Measured, Metric, Score
from benchmarks._judging.scores import Last
from benchmarks.dimapg import DECISIONS, HORIZON
from environments import Streams
from environments.survival import Survival

SIZES = (230, 630)
FOOD, SURVIVORS, SHARE, REWARD = "food left", "survivors", "share of survivors", "average reward"
METRICS = {
    FOOD: Metric(FOOD, better="smaller"),
    **{name: Metric(name, better="larger") for name in (SURVIVORS, SHARE, REWARD)},
}
Moment = Literal["start", "middle", "end"]
MOMENTS: tuple[Moment, ...] = ("start", "middle", "end")
AGENTS, PIECES = "agents", "pieces of food"

N_CONDITION = 32
"""How many features of an observation are no view: whether alive, hit points, heading, place, last reward, action."""

EVERY = {230: 125, 630: 75}
"""Episodes between two tests: five and three iterations."""

EPISODES = {
    "smoke": {230: 125, 630: 75},
    "quick": {230: 750, 630: 300},
    "paper": {230: 25_125, 630: 25_125},
}

LEARNER = DiMAPG(
    outer="REINFORCE", n_trajectories=1, n_adapted=8, baseline=Baseline(n_features=N_CONDITION, pooled=True)
)
UNTRAINED = Frozen(LEARNER)


@dataclass(frozen=True)
class Outcomes:
    """Whole games of the sampled policy, and the first of them as it begins, in its middle and at its end."""

    n_games: int = 20

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        FOOD: "pieces of food left when a game ends; mean over test games",
        SURVIVORS: "agents alive when a game ends; mean over test games",
        SHARE: "agents alive when a game ends, as a share of all; mean over test games",
        REWARD: "sum over agents and steps of the reward of a game; mean over test games",
    }
    arrays: ClassVar[Mapping[str, str]] = {
        AGENTS: "of the first game: x and y in cells, heading (clockwise from the east) and hit points, below zero "
        "for the dead; [moment, agent, entry]",
        PIECES: "of the first game: x and y in cells and hit points, below zero for what is gone; "
        "[moment, piece, entry]",
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Plays to the horizon; a game that has ended before stays as it is and pays nothing more."""
        policy = algorithm.policies(learner)["sampled"]
        game = env.reset(streams, self.n_games)
        seen = [_first(game)]
        total: Tensor | float = 0.0
        for step in range(1, env.horizon + 1):
            (action,) = policy(env, game)
            game, reward, _ = env.step(game, (playable(action),), streams)
            total = total + (reward + lost(action)).sum(dim=2)
            if step in (env.horizon // 2, env.horizon):
                seen.append(_first(game))
        assert isinstance(total, Tensor)
        missing = 0.0 * total.mean(dim=1)  # NaN where the policy has diverged
        survivors = game.alive.sum(dim=2).float().mean(dim=1) + missing
        metrics = {
            FOOD: game.food_left.sum(dim=2).float().mean(dim=1) + missing,
            SURVIVORS: survivors,
            SHARE: survivors / env.n_agents,
            REWARD: total.mean(dim=1),
        }
        agents, pieces = (torch.stack(parts, dim=1) for parts in zip(*seen, strict=True))
        return Measured(metrics, {AGENTS: agents, PIECES: pieces})


def _first(game: Any) -> tuple[Tensor, Tensor]:
    """The first copy of every seed. Shapes: [S, A, 4], [S, F, 3]."""
    agents = torch.cat([game.position, game.heading.unsqueeze(-1), game.hp.unsqueeze(-1)], dim=-1)
    pieces = torch.cat([game.food_position, game.food_hp.unsqueeze(-1)], dim=-1)
    return agents[:, 0], pieces[:, 0]


def place(n_agents: int) -> str:
    """How the game is called."""
    return f"survival-{n_agents}"


def trained(n_agents: int) -> Cell:
    """DiMA-PG among so many agents."""
    evaluation = Evaluation(every=EVERY[n_agents] * HORIZON, n_episodes=0)
    return Cell("DiMA-PG", place(n_agents), LEARNER, Survival(n_agents=n_agents), evaluation, measure=Outcomes())


def untrained(n_agents: int) -> Cell:
    """The same learner before its first iteration."""
    return Cell(
        "before training",
        place(n_agents),
        UNTRAINED,
        Survival(n_agents=n_agents),
        Evaluation(every=UNTRAINED.steps_per_iteration, n_episodes=0),
        measure=Outcomes(),
    )


def at_last(cell: Cell, metric: str) -> Score:
    """At the end of training."""
    return Score(cell, METRICS[metric], Last())


PIECES_OF_INTEREST = Margin(16.0, "a tenth of 160 pieces of food")

LACKS = (
    "The game of the engine: a hit on food pays 0.5, a game ends when the food is gone, food lies where the innermost "
    "agents see it at the start, and the map of 630 agents is as large as the printed reward before training asks for. "
    "Training until a bound that is stated before it is run."
)
"""Of all claims on Survival. In the game that is recorded nobody is paid for a hit: it can refute nothing."""

READINGS = (
    " The same in the reading that an attack in a group pays 1, for the text says twice that killing pays: only what "
    "both readings refute is refuted."
)
"""Of claims on why agents kill."""


def learnt_to_eat(n_agents: int) -> tuple[Learnt, ...]:
    """The precondition that less food is left than before training: the peace of those who do nothing says nothing."""
    before = at_last(untrained(n_agents), FOOD)
    return (Learnt((Arm(at_last(trained(n_agents), FOOD), before),), before, PIECES_OF_INTEREST),)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs. Before training one test is enough; the profiles repeat it."""
    found = {}
    for profile, n_seeds, n_tests in (("smoke", 2, 1), ("quick", 5, 2), ("paper", 10, 2)):
        found[profile] = {
            f"{cell.name} on {place(n)}": Budget(n_seeds, steps)
            for n in SIZES
            for cell, steps in (
                (trained(n), EPISODES[profile][n] * HORIZON),
                (untrained(n), n_tests * UNTRAINED.steps_per_iteration),
            )
        }
    return found


SURVIVAL_DECISIONS = (
    Decision(
        "Which game is Survival?",
        "MAgent's gathering game on 100 × 100 cells, with food in a block in the middle and agents on three squares "
        "around it, 12 neighbouring cells to move to and staying, 8 to attack, and two turns.",
        "The paper names the engine, the numbers of agents and food, the actions and the rewards; hit points, damage "
        "and views are those of MAgent's game.",
    ),
    Decision(
        "Does killing pay?",
        "No. An attack costs 0.1, food that is eaten pays 5, a step costs 0.01, death 1.",
        "The paper says of rewards both that “if it chooses to attack another agent by forming a group it receives an "
        "award of 1” and that agents “also get reward for killing other agents (reward for eating food is higher)”; "
        "and also that killing “results in a small negative reward”. In MAgent's game `attack_in_group: 1` only "
        "permits to hit one's own group, which is permitted here. So nobody has a motive for the killing that "
        "the paper sees.",
        departs=True,
    ),
    Decision(
        "What does a hit on food pay?",
        "Nothing, until it is eaten; a game ends when no food or no agent is left.",
        "The paper lists 5 for eating food. MAgent's game pays 0.5 for a hit that does not kill, and only with that do "
        "the printed rewards add up.",
        departs=True,
    ),
    Decision(
        "Are there 225 or 230 agents?",
        "230.",
        "The paper writes both.",
    ),
    Decision(
        "What is the average reward?",
        "The sum over agents of what they get in a game; the mean over games.",
        "“The average reward over agents” is what the text says, but a mean over agents of 946 is impossible: food "
        "pays 800, and with hits 1120, which among 230 are 4.9 each. The printed −1530 and −3800 before training are "
        "−6.65 and −6.03 an agent, which fits 200 steps at 0.01 and an attack at 0.1 in a fifth of them, if nobody "
        "dies.",
    ),
    Decision(
        "Which 100 games?",
        "20 of every seed, 100 of five seeds together. Actions are sampled. A game ends when no food or no agent is "
        "left, or after 200 steps.",
        "The paper does not say whether actions are sampled. The likeliest action of an untrained policy is one and "
        "the same nearly everywhere, and would not be paid what is printed for the beginning.",
    ),
    Decision(
        "Who adapts?",
        "8 agents, drawn anew in every iteration, in games of their own where all others act with θ; one episode of "
        "each and one of θ, which are 25 episodes in an iteration.",
        "The paper samples from the population and does not say how many; elsewhere it prints 25 episodes for every "
        "agent. An episode of 630 agents costs 200 times one of cooperative navigation.",
        departs=True,
    ),
    Decision(
        "What moves θ?",
        "Plain gradient ascent with ε = 0.05.",
        "REINFORCE for both levels and ε are printed.",
    ),
    Decision(
        "What does the baseline see?",
        "The agent's own condition (alive, hit points, heading, place, last reward and action) and time. All agents "
        "that adapt share one baseline, and the scale of their advantages and returns.",
        "The paper refits a linear baseline for every agent. With the view of 745 entries it would have 1558 weights "
        "for the 200 steps of one episode.",
        departs=True,
    ),
    Decision(
        "How long is training?",
        "A thousand iterations, which are 25 000 episodes; `quick` has 30 of them with 230 agents and 12 with 630.",
        "Nothing is printed.",
    ),
    *DECISIONS,
)
"""What the paper leaves open of Survival, and of everything."""

POSSIBLE = (
    Decision(
        "Can 230 agents get 946, and 630 agents 674?",
        "Yes, if hits on food pay and all is eaten in some 40 steps: 800 for 160 pieces, 320 for 640 hits, less 80 for "
        "800 attacks, 3 deaths and 0.01·229·40 for living are 945. With 630: 800 + 320 − 80 − 140 (deaths) − 14 "
        "(attacks on agents) − 0.01·560·38 are 673.",
        "So the values can be tested in such a game. That they are possible does not say that they were so. In the "
        "game that is recorded, where hits pay nothing, they are out of reach.",
    ),
)
"""What the printed rewards are made of."""
