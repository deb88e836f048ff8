"""What every agent learns from in an iteration: drawn one after the other, but gathered and looked at all together.

`draws` has of each agent which transitions it learns from, [S, B] as of `Replay.drawn`, and the noise in what is drawn
for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from algorithms._copies import seen
from algorithms._replay import Moments, Replay, Transitions
from environments import Env, side_by_side

Draws = Sequence[tuple[Tensor, ...]]


class FullBatch(NamedTuple):
    """Of one agent, where critics see the full state. Noise is normal, or the uniform numbers behind a choice."""

    observed: Tensor  # [S, A, B, D]
    joint: Tensor  # [S, B, D + A·n]: the full state and everybody's actions
    reward: Tensor  # [S, B]: its own
    next_observed: Tensor  # [S, A, B, D]
    next_full_state: Tensor  # [S, B, D]
    next_noise: Tensor  # [S, A, B, n]
    noise: Tensor  # [S, B, n]


class ViewBatch(NamedTuple):
    """Of one agent, where critics see what all agents observe."""

    observed: Tensor  # [S, A, B, D]
    actions: Tensor  # [S, A, B, n]
    reward: Tensor  # [S, B]: its own, normalised
    following: Tensor  # [S, B] bool: whether there is a next state to bootstrap from
    next_observed: Tensor  # [S, A, B, D]
    noise: Tensor  # [S, B, n]


def full_batches(env: Env[Any], replay: Replay, draws: Draws) -> list[FullBatch]:
    """A batch for every agent, whose noise is that of the next actions and that of its own."""
    found = _gathered(replay, draws)
    observed, next_observed = seen(env, found.state), seen(env, found.next_state)  # [S, A, A·B, D]
    joint = side_by_side([env.full_state(found.state), found.actions])
    next_full_state = env.full_state(found.next_state)
    batches = []
    for agent, rows, noise in _apart(draws):
        now = (observed[:, :, rows], joint[:, rows], found.reward[:, rows, agent])
        batches.append(FullBatch(*now, next_observed[:, :, rows], next_full_state[:, rows], *noise))
    return batches


def view_batches(
    env: Env[Any], replay: Replay, draws: Draws, rewards: Moments, *, timeout_terminal: bool
) -> list[ViewBatch]:
    """A batch for every agent; a time limit that is terminal has nothing behind it."""
    found = _gathered(replay, draws)
    observed, next_observed = seen(env, found.state), seen(env, found.next_state)  # [S, A, A·B, D]
    actions, reward = found.actions.transpose(1, 2), rewards.normalised(found.reward)
    following = found.elapsed < (env.horizon - 1 if timeout_terminal else env.horizon)
    batches = []
    for agent, rows, noise in _apart(draws):
        now = (observed[:, :, rows], actions[:, :, rows], reward[:, rows, agent])
        batches.append(ViewBatch(*now, following[:, rows], next_observed[:, :, rows], *noise))
    return batches


def _gathered(replay: Replay, draws: Draws) -> Transitions:
    """All agents' transitions, one agent's behind another's. Shapes: [S, A·B, …]."""
    return replay.taken(torch.cat([numbers for numbers, *_ in draws], dim=1))


def _apart(draws: Draws) -> Iterator[tuple[int, slice, list[Tensor]]]:
    """Every agent, which of the gathered rows are its own, and its noise."""
    for agent, (numbers, *noise) in enumerate(draws):
        size = numbers.shape[1]
        yield agent, slice(agent * size, (agent + 1) * size), noise
