"""Scripted teams of CTEDD's games: what can be earned by who knows the rules, as a measure of those who must learn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from environments import Env, Streams
from environments._particles import Particles

Player = Callable[[Particles, Particles], Tensor]
"""Forces [S, E, A, 2] from the state in which the episode began, and the present one."""


def cumulative_reward(env: Env[Any], player: Player, seeds: list[int], n_episodes: int) -> Tensor:
    """What a team earns, in the unit of the figures: the shared reward summed over agents and steps. Shapes: [S, E]."""
    streams = Streams.of(seeds, "levels", "cpu")
    start = game = env.reset(streams, n_episodes)
    total = torch.zeros(len(seeds), n_episodes)
    for _ in range(env.horizon):
        game, reward, _ = env.step(game, (player(start, game),), streams)
        total += reward.sum(-1)
    return total


def still(start: Particles, game: Particles) -> Tensor:
    """Nobody pushes."""
    return torch.zeros_like(game.position)


def uniform(seeds: list[int]) -> Player:
    """Forces drawn uniformly."""
    draws = Streams.of(seeds, "play at random", "cpu")
    return lambda start, game: draws.uniform(*game.position.shape[1:], low=-1.0, high=1.0)


def spreading(start: Particles, game: Particles) -> Tensor:
    """CN-V1: to the landmarks in the order that took the least way at the beginning."""
    return towards(nearest(start.position, game.landmark), game)


def pushing(start: Particles, game: Particles) -> Tensor:
    """PF: everyone waits to the left of a landmark, and when all are there they follow it to the right."""
    mine = nearest(start.position, start.landmark)
    mine = mine + (game.landmark - start.landmark)[:, :, :1]  # all landmarks are pushed together
    ready = ((mine - game.position).norm(dim=-1) < 0.19).all(-1)
    ahead = torch.where(ready, 0.05, -0.05)[..., None]
    return towards(torch.stack([mine[..., 0] + ahead, mine[..., 1]], dim=-1), game)


def hunting(start: Particles, game: Particles) -> Tensor:
    """PP: all surround the prey that was closest to their middle, near enough to capture and too far to collide."""
    middle = start.position.mean(2, keepdim=True)
    chosen = (start.landmark - middle).norm(dim=-1).argmin(-1)[..., None, None]  # [S, E, 1, 1]
    angles = torch.tensor([math.pi / 2 + 2 * math.pi * k / 3 for k in range(3)])
    corners = 0.18 * torch.stack([angles.cos(), angles.sin()], dim=-1)
    return towards(nearest(game.position, game.landmark.take_along_dim(chosen, 2) + corners), game)


def nearest(position: Tensor, goals: Tensor) -> Tensor:
    """The goals in the order in which the agents have the least way to them. Shapes: [S, E, 3, 2] each."""
    distance = (position.unsqueeze(3) - goals.unsqueeze(2)).norm(dim=-1)  # [S, E, A, L]
    orders = torch.tensor(list(itertools.permutations(range(3))))
    ways = torch.stack([sum(distance[:, :, i, j] for i, j in enumerate(order)) for order in orders.tolist()])
    return goals.take_along_dim(orders[ways.argmin(0)][..., None], 2)


def towards(goals: Tensor, game: Particles) -> Tensor:
    """The forces that bring agents to their goals in a step and a half, as far as they are strong enough."""
    return ((goals - game.position) / 0.15 - 0.75 * game.velocity).div(0.5).clamp(-1.0, 1.0)
