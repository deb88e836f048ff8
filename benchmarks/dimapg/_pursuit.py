"""Predator and prey, of Figure 4: every method's predators against every method's prey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from algorithms import Policy
from algorithms._copies import lost, playable
from algorithms.dimapg import DiMAPG
from algorithms.kitchen_sink import A3CKitchenSink
from algorithms.rivals import Rivals, RivalsState
from algorithms.uniform import Uniform
from benchmarks import Budget, Cell, Decision, Evaluation, Floats, Margin, Measured, Metric, Score
from benchmarks._drawing.plates import BLUE, GREEN, ORANGE, PURPLE
from benchmarks._judging.scores import Final
from benchmarks._judging.statistics import mean_interval
from benchmarks.dimapg import HORIZON, LEARNERS, METHODS, PAPER_EPISODES, Method
from benchmarks.dimapg._measures import sampled
from environments import Streams
from environments.simple_tag import PREDATOR_PREY_3V1, PREDATOR_PREY_12V4, SimpleTag
from results import Run

GAMES: dict[str, SimpleTag] = {"3v1": PREDATOR_PREY_3V1, "12v4": PREDATOR_PREY_12V4}
EPISODES = {
    "smoke": {"3v1": 100, "12v4": 100},
    "quick": {"3v1": 2_600, "12v4": 300},
    "paper": {"3v1": PAPER_EPISODES, "12v4": PAPER_EPISODES},
}
"""Of every method."""

CHANCE_EPISODES = {"smoke": 100, "quick": 1_000, "paper": 2_000}

EVALUATION = Evaluation(every=100 * HORIZON, n_episodes=0)
"""Every hundred episodes. The sum over predators and prey says nothing: only the measure looks at the learners."""

FINAL = Final(window=5)
TOUCH = Margin(10.0, "what the game itself pays for one touch in an episode, until a script is measured")
"""The smallest difference of interest."""
COLOURS = (BLUE, ORANGE, GREEN, PURPLE)


@dataclass(frozen=True)
class CrossPlay:
    """The average reward of every team's predators against every team's prey, of `Rivals` in the order of `teams`.

    All pairs meet in the same games, and draw their actions as in training.

    Units: the sum over the steps of an episode of a predator's reward; mean over predators and `n_episodes` of a pair.
    """

    teams: tuple[str, ...] = METHODS
    n_episodes: int = 10

    version: ClassVar[int] = 1
    arrays: ClassVar[Mapping[str, str]] = {}

    @property
    def metrics(self) -> Mapping[str, str]:
        """Of every pair, of all that a team's predators and its prey are in, and how far each has learnt."""
        unit = "sum over steps of a predator's reward, mean over predators; mean over"
        return {
            **{pair(*both): f"{unit} {self.n_episodes} episodes" for both in product(self.teams, repeat=2)},
            **{predators(team): f"{unit} all teams' prey, {self.n_episodes} episodes each" for team in self.teams},
            **{prey(team): f"{unit} all teams' predators, {self.n_episodes} episodes each" for team in self.teams},
            **{episodes(team): "learning episodes that it has played" for team in self.teams},
        }

    def __call__(self, algorithm: Rivals, env: Any, learner: RivalsState, streams: Streams) -> Measured:
        """Plays an episode of all pairs at once."""
        policies = list(map(sampled, algorithm.learners, learner.learners))
        reward = crossed(policies, env, streams, self.n_episodes)  # [S, P, Q]
        found = {
            pair(*both): of for both, of in zip(product(self.teams, repeat=2), reward.flatten(1).unbind(1), strict=True)
        }
        found |= {predators(team): of for team, of in zip(self.teams, reward.mean(dim=2).unbind(1), strict=True)}
        found |= {prey(team): of for team, of in zip(self.teams, reward.mean(dim=1).unbind(1), strict=True)}
        for team, own in zip(self.teams, learner.learners, strict=True):
            found[episodes(team)] = torch.full_like(reward[:, 0, 0], own.steps / env.horizon)
        return Measured(found, {})


def crossed(policies: Sequence[Policy], env: Any, streams: Streams, n_episodes: int) -> Tensor:
    """What predators get, in the same games of all pairs. Shapes: [S, P, Q], by whose predators and whose prey."""
    n_teams, n_predators = len(policies), env.roles[0].n_agents
    of_pairs = (1, n_teams**2)
    start = env.reset(streams, n_episodes)
    game = type(start)(*(field.repeat(*of_pairs, *(1,) * (field.dim() - 2)) for field in start))
    total: Tensor | float = 0.0
    for _ in range(env.horizon):
        actions = joined([policy(env, both_sides(game, n_teams, i)) for i, policy in enumerate(policies)])
        game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
        missing = torch.cat([lost(action) for action in actions], dim=2).sum(dim=2)  # NaN where one has diverged
        total = total + reward[:, :, :n_predators].mean(dim=2) + missing
    assert isinstance(total, Tensor)
    reward_of_pairs: Tensor = total.unflatten(1, (n_teams, n_teams, -1)).mean(dim=3)
    return reward_of_pairs


def both_sides(game: Any, n_teams: int, i: int) -> Any:
    """The games with a team's predators, then those with its prey. Shapes: [S, P·Q·n, …] → [S, (Q + P)·n, …]."""
    parts = (field.unflatten(1, (n_teams, n_teams, -1)) for field in game)
    return type(game)(*(torch.cat([part[:, i], part[:, :, i]], dim=1).flatten(1, 2).contiguous() for part in parts))


def joined(of_teams: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, Tensor]:
    """Predators' actions from the games that their team hunts in, prey's from those that it flees in.

    Shapes: [S, (Q + P)·n, A, k] for every team and role → [S, P·Q·n, A, k].
    """
    halves = [[side.unflatten(1, (2 * len(of_teams), -1)).chunk(2, dim=1) for side in sides] for sides in of_teams]
    hunting = torch.stack([chasing for (chasing, _), _ in halves], dim=1)  # [S, P, Q, n, A, k]
    fleeing = torch.stack([fleeing for _, (_, fleeing) in halves], dim=2)
    return hunting.flatten(1, 3), fleeing.flatten(1, 3)


def pair(hunters: str, hunted: str) -> str:
    """A metric: what one team's predators get from another's prey."""
    return f"predators of {hunters} against prey of {hunted}"


def predators(team: str) -> str:
    """A metric: what a team's predators get from all prey. More is better."""
    return f"predators of {team}"


def prey(team: str) -> str:
    """A metric: what all predators get from a team's prey. Less is better for the team."""
    return f"against prey of {team}"


def episodes(team: str) -> str:
    """A metric: how many episodes a team has learnt from."""
    return f"episodes of {team}"


def place(game: str) -> str:
    """How a game is called."""
    return f"pursuit-{game}"


def tournament(game: str) -> Cell:
    """All methods in a game."""
    here: dict[Method, Any] = {
        "DiMA-PG": DiMAPG("REINFORCE", n_adapted=None if game == "3v1" else 2),
        "A3C-KitchenSink": A3CKitchenSink(n_envs=25),
    }
    learners = tuple((LEARNERS | here)[method] for method in METHODS)
    return Cell("tournament", place(game), Rivals(learners), GAMES[game], EVALUATION, measure=CrossPlay())


def chance(game: str) -> Cell:
    """Predators and prey that play at random."""
    return Cell("Uniform", place(game), Rivals((Uniform(),)), GAMES[game], EVALUATION, measure=CrossPlay(("Uniform",)))


def hunting(cell: Cell, team: str) -> Score:
    """What a team's predators get."""
    return Score(cell, Metric(predators(team), better="larger"), FINAL)


def fleeing(cell: Cell, team: str) -> Score:
    """What predators get from a team's prey: a cost."""
    return Score(cell, Metric(prey(team), better="smaller"), FINAL)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs of every game."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in (("smoke", 2), ("quick", 5), ("paper", 10)):
        by_chance = Budget(n_seeds, CHANCE_EPISODES[profile] * HORIZON)
        found[profile] = {f"Uniform on {place(game)}": by_chance for game in GAMES}
        found[profile] |= {place(game): Budget(n_seeds, n * HORIZON) for game, n in EPISODES[profile].items()}
    return found


@dataclass(frozen=True)
class MatrixPlate:
    """Every method's predators against every method's prey, with the means of rows and columns."""

    game: str

    @property
    def title(self) -> str:
        """The game."""
        return {"3v1": "3 against 1, prey 30 % faster", "12v4": "12 against 4, prey 50 % faster"}[self.game]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The one."""
        return (tournament(self.game),)

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            f"Matrices: reward of a predator in an episode, mean over seeds and the last {FINAL.window} tests of "
            f"{CrossPlay().n_episodes} episodes; rows are predators, columns prey, and “mean” is over all of them. "
            "Yellow is high: good for predators, bad for prey."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """A heat map with its numbers."""
        reward = matrix(tuple(runs[0].values())).mean(axis=0)
        n = len(METHODS)
        table = np.full((n + 1, n + 1), np.nan)
        table[:n, :n] = reward
        table[:n, n], table[n, :n] = reward.mean(axis=1), reward.mean(axis=0)
        shown = ax.imshow(table, cmap="viridis", aspect="auto")
        middle = (np.nanmin(table) + np.nanmax(table)) / 2
        for (row, column), value in np.ndenumerate(table):
            if np.isfinite(value):
                dark = value < middle
                ax.text(column, row, f"{value:.1f}", ha="center", va="center", color="white" if dark else "black")
        for between in (ax.axhline, ax.axvline):
            between(n - 0.5, color="white", lw=3)
        labels = [method.replace("-KitchenSink", "-KS") for method in METHODS]
        ax.set_xticks(range(n + 1), [*labels, "mean"], rotation=25, ha="right")
        ax.set_yticks(range(n + 1), [*labels, "mean"])
        ax.set(xlabel="prey", ylabel="predators")
        ax.figure.colorbar(shown, ax=ax, shrink=0.85, pad=0.02)


def matrix(runs: Sequence[Run]) -> Floats:
    """The end of training. Shapes: [seed, predators, prey]."""
    rows = [[run.metrics[pair(*both)][-FINAL.window :].mean() for both in product(METHODS, repeat=2)] for run in runs]
    return np.array(rows, dtype=np.float64).reshape(-1, len(METHODS), len(METHODS))


@dataclass(frozen=True)
class CurvePlate:
    """What every method's predators get from the prey that they train with, while they train."""

    game: str

    @property
    def title(self) -> str:
        """The game."""
        return f"Training, {self.game.replace('v', ' against ')}"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The one."""
        return (tournament(self.game),)

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Curves: reward of a predator in a test episode, actions drawn as in training, against the prey of "
            "its own method, over all episodes that the method has played; mean over seeds with its 95 % t interval."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """A line a method; what was tested again while it waited for the others is one point."""
        every = tuple(runs[0].values())
        n_tests = min(len(run.steps) for run in every)
        for method, colour in zip(METHODS, COLOURS, strict=True):
            played, point = np.unique(every[0].metrics[episodes(method)][:n_tests] / 1000, return_inverse=True)
            tests = np.array([run.metrics[pair(method, method)][:n_tests] for run in every], dtype=np.float64)
            values = np.array([tests[:, point == i].mean(axis=1) for i in range(len(played))])  # [point, seed]
            if len(every) > 1:
                low, high = np.array([mean_interval(of_point) for of_point in values]).T
                ax.fill_between(played, low, high, color=colour, alpha=0.2, lw=0)
            marker = "o" if len(played) == 1 else None
            ax.plot(played, values.mean(axis=1), color=colour, lw=1.5, marker=marker, ms=4, label=method)
        ax.set_xlim(left=0)
        ax.set(xlabel="learning episodes (thousands)", ylabel="reward of a predator")
        ax.legend(frameon=False, loc="best")


PURSUIT_DECISIONS = (
    Decision(
        "What is the reward of predators?",
        "That of one predator, summed over the 200 steps of an episode; mean over predators. All of them get 10 in a "
        "step for each pair of a predator and a prey that touch.",
        "The paper says average predator reward. In openai's simple_tag predators are paid alike, so that the mean is "
        "what each of them gets; nothing is clipped here, for the paper clips in cooperative navigation.",
    ),
    Decision(
        "Who plays against whom after training?",
        "Every method's predators against every method's prey, all drawing their actions as in training. As "
        "predators a method is judged by the mean of its row, as prey by the mean of its column, of both of which its "
        "own team is a part.",
        "“after training different policies for predators and preys” does not say who meets whom.",
    ),
    Decision(
        "Over how many episodes?",
        f"{CrossPlay().n_episodes} of every pair at each of the last {FINAL.window} tests: "
        f"{FINAL.window * CrossPlay().n_episodes} of a pair, "
        f"{FINAL.window * CrossPlay().n_episodes * len(METHODS)} of a team.",
        "The paper has 100 episodes after training. The last of a training in which two sides chase each other is one "
        "moment of many.",
        departs=True,
    ),
    Decision(
        "With whom does a method train?",
        "Its predators with its own prey: both learn by the same method at the same time.",
        "The paper does not say otherwise.",
    ),
    Decision(
        "How do both roles of DiMA-PG learn?",
        "By REINFORCE, for θ as for θ_n, with ε = 0.05 and α = 0.01; predators have one θ and prey another.",
        "So the paper for these games.",
    ),
    Decision(
        "Who adapts where there are 16 agents?",
        "Two predators and two prey in every iteration, drawn anew, so that it plays 325 episodes as with 3 against 1. "
        "In 3 against 1 all adapt.",
        "With all it would play 1225 episodes for one step. The paper draws agents in Survival, with more of them.",
        departs=True,
    ),
    Decision(
        "How fast are prey?",
        "1.3 and 1.5 where predators are 1.0; their acceleration is 4.0 and 4.5 where that of predators is 3.0. Two "
        "obstacles in both games.",
        "30 % and 50 % are printed, and the first is openai's own. The paper does not say whether faster prey also "
        "accelerate more. Its text has 12 against 1 once; the caption, 12 against 4, is followed.",
    ),
    Decision(
        "What are better policies?",
        "Those of both roles: its predators get more than another method's, and less is got from its prey. “Similar "
        "results” with more of both are the same order again.",
        "Figure 4 shows predators' reward after “training different policies for predators and preys”.",
    ),
    Decision(
        "Where is the summary of the conclusion judged, that DiMA-PG performs better “when the number of agents are "
        "increased”?",
        "By DIMA-F3-3, whose last rows compare it with 10 agents, and by DIMA-F4-2; it has no figure of its own and is "
        "not counted again. Nor are the introduction's “highly inefficient, as we will demonstrate” (DIMA-F3-3, "
        "MADDPG) and “this also turns out to be impractical” (DIMA-T1-2).",
        "A sentence is counted once.",
    ),
    Decision(
        "Are rewards shared in MADDPG?",
        "No: each agent learns from its own.",
        "openai's games share them if they are collaborative, properly since July 2018, and simple_tag is not, before "
        "or after: its predators are paid for each other's touches by the game itself.",
    ),
    Decision(
        "When does MADDPG first update?",
        "After 25 600 steps.",
        "The public code waits for 1024 batches of an episode's length, which with 200 steps would be 204 800.",
    ),
    Decision(
        "Which episodes are counted?",
        "All that a method plays: an iteration of DiMA-PG has 325, of TRPO-KitchenSink and of the 25 copies of "
        "A3C-KitchenSink 25. At a test DiMA-PG may be ahead of the others by less than an iteration.",
        "Otherwise DiMA-PG would seem to learn 13 times as fast as it does.",
    ),
    Decision(
        "How long do they train?",
        f"{EPISODES['paper']['3v1']:,} episodes each; in `quick` {EPISODES['quick']['3v1']:,} with 3 against 1 and "
        f"{EPISODES['quick']['12v4']} with 12 against 4, which are eight and one of DiMA-PG's iterations.",
        "No number is printed for these games; in cooperative navigation the slowest converge after 300 000 to "
        "400 000. `quick` is what two processor cores play in about half an hour, and too little to judge anybody by.",
    ),
)
