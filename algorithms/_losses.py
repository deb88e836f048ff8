"""The equations, one pure function each. Every loss is summed over seeds and averaged over the batch: a mean over seeds
would divide each seed's gradient by their number, and Adam's ε would let it feel the others."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor


def td_target(reward: Tensor, next_value: Tensor, discount: float) -> Tensor:
    """y = r + γ·Q′(s′, a′); the time limit is not an end. Shapes: all [S, B].

    Source: openai/maddpg@3ceefa0 maddpg.py `update`, whose `done` is never true in these games.
    """
    return reward + discount * next_value


def squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Σ_s mean_b (x - y)². Shapes: [S, B]."""
    return _averaged((predicted - target).square())


def squared_error_slope(predicted: Tensor, target: Tensor, weight: float = 1.0) -> Tensor:
    """The derivative of weight · `squared_error` by what was predicted. Shapes: [S, B]."""
    # The weight as autograd has it, for its bits: rounded before it is divided.
    return (predicted - target) * (2.0 * float(np.float32(weight)) / predicted[0].numel())


def negative_value(value: Tensor) -> Tensor:
    """-Σ_s mean_b Q(s, π(s)): the deterministic policy gradient's loss. Shapes: [S, B]."""
    return -_averaged(value)


def negative_value_slope(value: Tensor) -> Tensor:
    """The derivative of `negative_value`, as a view of one number. Shapes: [S, B]."""
    return value.new_full((), -1.0 / value[0].numel()).expand_as(value)


def soft_value(value: Tensor, log_density: Tensor, temperature: float) -> Tensor:
    """Q(s, a) - α·log π(a|s): the value of a state, sampled. Shapes: [S, B].

    Source: DVM, equations (7), (8) and (10), which leave α out.
    """
    return value - temperature * log_density


def regularizer(parameters_of_distribution: Tensor) -> Tensor:
    """Σ_s mean x² over a network's raw outputs. Shapes: [S, …]. Source: openai/maddpg@3ceefa0 maddpg.py `p_reg`."""
    return _averaged(parameters_of_distribution.square())


def regularizer_slope(parameters_of_distribution: Tensor, weight: float) -> Tensor:
    """The derivative of weight · `regularizer`. Shapes: [S, …]."""
    # The weight as in `squared_error_slope`.
    return parameters_of_distribution * (2.0 * float(np.float32(weight)) / parameters_of_distribution[0].numel())


def gaussian_log_density(x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """log N(x; μ, σ²), summed over agents and action entries. Shapes: [S, B, A, n] → [S, B]."""
    scaled = (x - mean) / std
    return (-0.5 * scaled.square() - std.log() - 0.5 * math.log(2 * math.pi)).sum(dim=(-2, -1))


def gaussian_entropy(std: Tensor) -> Tensor:
    """H = Σ (log σ + ½ log 2πe), over agents and action entries. Shapes: [S, B, A, n] → [S, B]."""
    return (std.log() + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=(-2, -1))


def exploration_loss(log_density: Tensor, advantage: Tensor, entropy: Tensor, temperature: float) -> Tensor:
    """-Σ_s mean_b [log π̃(a|s)·(Q(s, a) - Q(s, π(s))) + α·H(π̃(·|s))]. Shapes: [S, B]; no gradient in the advantage.

    Source: CTEDD, equation (5). The paper writes the entropy term without the mean over the batch; with it, α keeps its
    meaning when the batch changes.
    """
    return -_averaged(log_density * advantage.detach() + temperature * entropy)


def distillation_loss(local: Tensor, central: Tensor) -> Tensor:
    """Σ_s mean_b ‖π_local(o) - π_global(s)‖², over all agents. Shapes: [S, A, B, n].

    `LocalPolicies.imitating` is its gradient.
    Source: CTEDD, equation (6).
    """
    return _averaged((local - central.detach()).square().sum(dim=(1, 3)))


def smooth_bounded(x: Tensor, low: float, high: float) -> Tensor:
    """low + (high - low)·sigmoid(x): bounded, with a gradient everywhere.

    Written with tanh, because torch.sigmoid's last bit depends on where in the batch a number stands (CPU, torch 2.13).
    """
    return low + 0.5 * (high - low) * (1.0 + torch.tanh(0.5 * x))


def _averaged(x: Tensor) -> Tensor:
    """Σ_s of every seed's mean. Shapes: [S, …]. Seeds meet in the loss alone, whose gradients are each seed's own."""
    return x.sum() / x[0].numel()
