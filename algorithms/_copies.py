"""The copies of a game in which an algorithm gathers experience, all in step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from algorithms._ledger import Ledger
from environments import Env, Streams

TRAINING_RETURN, LEAST_RETURN = "training return", "least return"
TRAINING_RETURN_UNIT = (
    "sum over agents and steps of the reward of a training episode, with exploration; "
    "mean over the episodes that ended since the last test"
)


@dataclass
class Copies:
    """E games a seed, all at the same step of their episodes, which therefore nothing but the horizon may end."""

    game: Any  # the environment's state
    elapsed: int
    returns: Tensor  # [S, E] so far, summed over agents

    @classmethod
    def of(cls, env: Env[Any], streams: Streams, n_envs: int) -> Copies:
        """Fresh episodes.

        Raises: ValueError where the game may end by its rules.
        """
        refuse_ends(env)
        return cls(env.reset(streams, n_envs), 0, torch.zeros(streams.n_seeds, n_envs, device=streams.device))

    def step(self, env: Env[Any], actions: Tensor, streams: Streams, ledger: Ledger) -> tuple[Tensor, Any]:
        """Play one step; where the episodes end, begin new ones.

        Returns the reward [S, E, A] and the state that the step led to, which is not the new episode's first.
        """
        # A seed that has diverged plays on with zeros, so that the others are not held up, and its returns are NaN.
        reached, reward, _ = env.step(self.game, by_role(env, playable(actions)), streams)
        self.returns += (reward + lost(actions)).sum(dim=-1)
        self.elapsed += 1
        self.game = reached
        if self.elapsed == env.horizon:
            ledger.enter(TRAINING_RETURN, self.returns)
            self.game, self.elapsed = env.reset(streams, self.returns.shape[1]), 0
            self.returns.zero_()
        return reward, reached


def refuse_ends(env: Env[Any]) -> None:
    """Nothing, if no episode ends before the horizon: for learners to which the end of one would be another step.

    Raises: ValueError where the game may end by its rules.
    """
    if env.may_end:
        raise ValueError(f"expected a game that only its horizon ends, got {env}, which may end by its rules")


def playable(actions: Tensor) -> Tensor:
    """The same actions, and rest in the place of what a diverged policy returns, which is NaN or a choice of -1.

    Shapes: [S, E, A, n] or [S, E, A] int64.
    """
    return actions.nan_to_num(0.0, 0.0, 0.0) if actions.is_floating_point() else actions.clamp_min(0)


def lost(actions: Tensor) -> Tensor:
    """NaN for every agent whose policy has diverged, else 0. Shapes: [S, E, A, n] or [S, E, A] int64 → [S, E, A]."""
    if actions.is_floating_point():
        return 0.0 * actions.sum(dim=-1)
    return actions.clamp_max(0).sqrt()  # of -1 it is NaN


def seen(env: Env[Any], game: Any) -> Tensor:
    """What each agent observes, agents in front, role after role, shorter observations with zeros behind them.

    Shapes: [S, A, E, D], as a view of [S, E, A, D].
    """
    observed, *others = env.observe(game)
    if others:
        widest = max(part.shape[-1] for part in (observed, *others))
        observed = torch.cat([pad(part, (0, widest - part.shape[-1])) for part in (observed, *others)], dim=2)
    return observed.transpose(1, 2)


def by_role(env: Env[Any], of_all: Tensor) -> tuple[Tensor, ...]:
    """What belongs to all agents, one tensor a role. Shapes: [S, E, A, …] → [S, E, A_role, …]."""
    of_roles: tuple[Tensor, ...] = of_all.split([role.n_agents for role in env.roles], dim=2)
    return of_roles
