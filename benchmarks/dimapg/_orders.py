"""In which order Table 1 takes a minimum and an average: measured both ways, of those who have trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from algorithms import Policy
from algorithms._copies import lost, playable
from algorithms.frozen import Frozen
from benchmarks import Cell, Evaluation, Measured, Start
from benchmarks._drawing.plates import BLUE, GREEN, ORANGE, draw_printed, draw_seeds
from benchmarks.dimapg import GAMES, HORIZON, QUICK_EPISODES, alone, navigation
from benchmarks.dimapg._measures import ADAPTED, LEAST, both_ways
from environments import Env, Streams
from environments.goal_navigation import GoalNavigation
from results import Run, published

Trained = Literal["DiMA-PG", "Fine Tune"]
AVERAGES = ", least of the agents' averages"
"""Behind the name of a metric that is else the average of what the least gets."""


@dataclass(frozen=True)
class Orders:
    """Episodes of `game`, drawn as in training: of copies of one agent, or of θ and of what it adapts to."""

    game: GoalNavigation
    copies: bool = False
    n_episodes: int = 100
    inner_steps: int = 3

    version: ClassVar[int] = 1
    arrays: ClassVar[Mapping[str, str]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics, by who plays."""
        return (LEAST,) if self.copies else (LEAST, ADAPTED)

    @property
    def metrics(self) -> Mapping[str, str]:
        """Each in both orders."""
        unit, of = "sum over steps of the reward of", f"over {self.n_episodes} test episodes"
        first = dict.fromkeys(self.names, f"{unit} the agent that gets least in an episode; mean {of}")
        return first | {
            name + AVERAGES: f"{unit} an agent, mean {of}; of the agent whose mean is least" for name in self.names
        }

    def __call__(self, algorithm: Frozen, env: Any, learner: Any, streams: Streams) -> Measured:
        """Fresh episodes, from the same starts for θ and for what it adapts to."""
        own: Any = algorithm.learner
        if self.copies:
            policies = {LEAST: own.cloned(learner)}
        else:
            adapted = own.adapted(env, learner, streams, self.inner_steps)
            policies = {LEAST: both_ways(own, learner), ADAPTED: adapted}
        found = {}
        for name, ways in policies.items():
            returns = each_return(self.game, ways["sampled"], streams.branched(), self.n_episodes)
            found[name] = returns.amin(dim=2).mean(dim=1)
            found[name + AVERAGES] = returns.mean(dim=1).amin(dim=1)
        return Measured(found, {})


def each_return(env: Env[Any], policy: Policy, streams: Streams, n_episodes: int) -> Tensor:
    """Σ_t r of every agent in every episode; NaN where the policy has diverged. Shapes: [S, E, A]."""
    game = env.reset(streams, n_episodes)
    total = torch.zeros(streams.n_seeds, n_episodes, env.roles[0].n_agents, device=streams.device)
    for _ in range(env.horizon):
        actions = policy(env, game)
        game, reward, _ = env.step(game, tuple(map(playable, actions)), streams)
        total += reward + torch.cat([lost(action) for action in actions], dim=-1)
    return total


@dataclass(frozen=True)
class Kept:
    """A learner that goes no further is what another has become."""

    version: ClassVar[int] = 1

    def __call__(self, algorithm: Frozen, env: Any, learner: Any, teachers: tuple[tuple[Any, Any], ...]) -> None:
        """Changes the learner, but not what it draws from."""
        ((_, trained),) = teachers
        learner.policies, learner.levels, learner.fits = trained.policies, trained.levels, trained.fits


def training(method: Trained, n_agents: int) -> Cell:
    """Who is tested, and how long it has trained."""
    return navigation("DiMA-PG", n_agents) if method == "DiMA-PG" else alone(n_agents)


def tested(method: Trained, n_agents: int) -> Cell:
    """The same after training."""
    trained = training(method, n_agents)
    algorithm = Frozen(trained.algorithm)
    return replace(
        trained,
        name=f"{method} trained",
        algorithm=algorithm,
        evaluation=Evaluation(every=algorithm.steps_per_iteration, n_episodes=0),
        start=Start(((trained, QUICK_EPISODES[method][n_agents] * HORIZON),), Kept()),
        measure=Orders(GAMES[n_agents], copies=method == "Fine Tune"),
    )


@dataclass(frozen=True)
class OrdersPlate:
    """A column of Table 1, taken in both orders."""

    n_agents: int
    cells: tuple[Cell, ...]
    """DiMA-PG among all agents, and of one alone, trained."""

    @property
    def title(self) -> str:
        """The game."""
        return f"{self.n_agents} agents"

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Left of each pair what Table 1 is read as: in every episode the return of the agent that gets least, mean "
            "over 100 episodes. Right: the least of the agents' mean returns over the same episodes. Discs: mean over "
            "seeds with its 95 % t interval, dots: the seeds, with drawn actions. Diamonds: printed in Table 1."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Three pairs."""
        printed = published("dimapg")["table1"]
        together, alone_runs = runs
        columns = ((together, LEAST, BLUE), (together, ADAPTED, GREEN), (alone_runs, LEAST, ORANGE))
        for i, (name, (of, metric, colour)) in enumerate(zip(printed, columns, strict=True)):
            for x, order in ((2 * i, ""), (2 * i + 1, AVERAGES)):
                values = np.array([run.metrics[metric + order].mean() for run in of.values()], dtype=np.float64)
                draw_seeds(ax, x, values, colour)
                draw_printed(ax, x, printed[name][str(self.n_agents)], colour)
        ax.set_xlim(-0.5, 5.5)
        names = [f"{who}\n{order}" for who in ("$θ$", "$θ_i'$", "Fine\nTune") for order in ("least", "averages")]
        ax.set_xticks(range(6), names)
        ax.set_ylim(top=0)
        ax.set_ylabel("return")


def orders_plate(n_agents: int) -> OrdersPlate:
    """The column of so many agents."""
    return OrdersPlate(n_agents, (tested("DiMA-PG", n_agents), tested("Fine Tune", n_agents)))
