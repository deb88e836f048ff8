"""The learner: a table of values for every agent, each trained as if nobody else learnt (independent Q-learning).

A learner is a frozen dataclass of hyper-parameters. All that training owns lies in its state, whose tensors have the
seeds in front: so a run can be stopped anywhere and goes on bit for bit, and a seed alone learns what it learns among
others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Ledger, Policy
from environments import Amount, Count, Discrete, Env, Share, Streams, check

TRAINING_RETURN = "training return"


@dataclass
class IndependentQState:
    """All that training owns: tensors, `Streams`, and numbers that all seeds share."""

    steps: int  # of the game, over all copies
    streams: Streams
    ledger: Ledger
    game: Any
    elapsed: int  # steps of the episodes that are being played
    returns: Tensor  # [S, E], of those episodes so far
    values: Tensor  # [S, A, O, n]: of every choice n of agent A where it sees observation O


@dataclass(frozen=True)
class IndependentQ:
    """Q(o, a) ← Q(o, a) + η (r + γ max_a' Q(o', a') - Q(o, a)), the mean over the copies that chose a at o.

    Units: `steps_per_iteration` in steps of the game per seed, over all copies.
    """

    version: ClassVar[int] = 1  # raise it whenever the same call returns other numbers
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: "sum over agents and steps of the reward of a training episode, with exploration; "
        "mean over the episodes that ended since the last test"
    }

    learning_rate: Share = 0.2
    discount: Share = 0.9
    exploration: Share = 0.1
    """How often an agent chooses uniformly instead."""
    spread: Amount = 0.01
    """The first values lie in [0, spread), so that no two choices tie."""
    n_envs: Count = 20
    steps_per_iteration: Count = 100

    def __post_init__(self) -> None:
        check(self)
        if self.steps_per_iteration % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_iteration = {self.steps_per_iteration}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> IndependentQState:
        """The state before the first step.

        Raises: ValueError where it cannot play the game: say what was expected, and what was seen.
        """
        if len(env.roles) != 1 or not isinstance(env.roles[0].action, Discrete) or env.may_end:
            raise ValueError(f"expected one role with discrete actions in a game without an early end, got {env}")
        role = env.roles[0]
        game = env.reset(streams, self.n_envs)
        returns = torch.zeros(streams.n_seeds, self.n_envs, device=streams.device)
        values = streams.uniform(role.n_agents, *role.observation_shape, role.action.n, high=1.0) * self.spread
        ledger = Ledger.of(self.metrics, streams.n_seeds, streams.device)
        return IndependentQState(0, streams, ledger, game, 0, returns, values)

    @torch.no_grad()
    def advance(self, env: Env[Any], state: IndependentQState) -> None:
        """One iteration: `steps_per_iteration` steps, and what is learnt from each."""
        for _ in range(self.steps_per_iteration // self.n_envs):
            before, chosen = seen(env, state.game), self._explored(env, state)
            state.game, reward, _ = env.step(state.game, (chosen.transpose(1, 2),), state.streams)
            self._learn(state.values, before, chosen, reward.transpose(1, 2), seen(env, state.game))
            self._count(env, state, reward)
        state.steps += self.steps_per_iteration

    def policies(self, state: IndependentQState) -> Mapping[str, Policy]:
        """What is tested, by name: here as “test return greedy”. A policy returns one tensor a role, [S, E, A]."""

        def greedy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            return (best(state.values, seen(env, game)).transpose(1, 2),)

        return {"greedy": greedy}

    def _explored(self, env: Env[Any], state: IndependentQState) -> Tensor:
        """The best choices, some of them replaced by any. Shapes: [S, A, E]."""
        chosen = best(state.values, seen(env, state.game))
        shape, n_choices = chosen.shape[1:], state.values.shape[-1]
        explores = state.streams.uniform(*shape) < self.exploration
        return torch.where(explores, state.streams.integers(*shape, high=n_choices), chosen)

    def _learn(self, values: Tensor, before: Tensor, chosen: Tensor, reward: Tensor, after: Tensor) -> None:
        """Moves every value by the mean error of those copies that have chosen it. Shapes: [S, A, E]."""
        target = reward + self.discount * of(values, after).amax(-1)
        error = target - of(values, before).gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
        entry = before * values.shape[-1] + chosen  # of the table, laid out in a row
        table = values.flatten(2)
        total, number = (torch.zeros_like(table).scatter_add(2, entry, x) for x in (error, torch.ones_like(error)))
        table += self.learning_rate * total / number.clamp_min(1)

    def _count(self, env: Env[Any], state: IndependentQState, reward: Tensor) -> None:
        """Enters what the episodes that end have paid, and begins new ones. The ledger takes values [S, …]."""
        state.returns += reward.sum(2)
        state.elapsed += 1
        if state.elapsed == env.horizon:
            state.ledger.enter(TRAINING_RETURN, state.returns)
            state.game, state.elapsed = env.reset(state.streams, self.n_envs), 0
            state.returns.zero_()


def seen(env: Env[Any], game: Any) -> Tensor:
    """Which entry of its observation is 1, for every agent. Shapes: [S, A, E]."""
    return env.observe(game)[0].argmax(-1).transpose(1, 2)


def of(values: Tensor, observed: Tensor) -> Tensor:
    """The values of all choices there. Shapes: [S, A, O, n] and [S, A, E] → [S, A, E, n]."""
    return values.gather(2, observed.unsqueeze(-1).expand(-1, -1, -1, values.shape[-1]))


def best(values: Tensor, observed: Tensor) -> Tensor:
    """The choice with the largest value. Shapes: [S, A, O, n] and [S, A, E] → [S, A, E]."""
    return of(values, observed).argmax(-1)
