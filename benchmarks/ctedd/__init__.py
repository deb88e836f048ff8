"""CTEDD: centralised training and exploration, decentralised execution by policy distillation (Chen 2019)."""

from __future__ import annotations

from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from algorithms.uniform import Uniform
from benchmarks import Budget, Cell, Decision, Evaluation, Paper
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

ENVIRONMENTS: dict[str, Env] = {"CN-V1": CN_V1, "CN-V2": CN_V2, "PF": PushForward(), "PP": PredatorPrey()}

EVALUATION = Evaluation(every=10_000, n_episodes=400)
"""Tests after every 10 000 environment samples, 400 episodes each (section 5)."""

PAPER_STEPS = 8_000_000
"""The paper prints no number of episodes. Its claim about CN-V1 speaks of 2 × 150 000 episodes, 7.5M steps."""

RETURN = "return of an episode, summed over agents"


def episodes(n_seeds: int, n_episodes: int) -> dict[str, Budget]:
    """The same number of episodes in every environment."""
    return {name: Budget(n_seeds, n_episodes * env.horizon) for name, env in ENVIRONMENTS.items()}


BUDGETS = {
    "smoke": {name: Budget(2, 30_000) for name in ENVIRONMENTS},
    "quick": episodes(n_seeds=5, n_episodes=20_000),
    "paper": {name: Budget(10, PAPER_STEPS) for name in ENVIRONMENTS},
}


def cell(name: str, environment: str, algorithm: object) -> Cell:
    """A curve of this paper."""
    return Cell(name, environment, algorithm, ENVIRONMENTS[environment], EVALUATION)


def ctedd(environment: str) -> Cell:
    """CTEDD as published: the global policy, with L-1 and L-3 distilled from it on the way."""
    return cell("CTEDD", environment, CTEDD())


def fixed_std(environment: str, std: float) -> Cell:
    """CTEDD without maximum-entropy exploration: a constant standard deviation."""
    return cell(f"CTEDD ({std})", environment, CTEDD(fixed_std=std))


def maddpg(environment: str, message_size: int) -> Cell:
    """MADDPG whose agents exchange messages of `message_size` numbers."""
    return cell(f"MADDPG-{message_size}", environment, MADDPG(message_size=message_size))


def uniform(environment: str) -> Cell:
    """Actions drawn uniformly: the level from which effects are measured."""
    return cell("Uniform", environment, Uniform())
