"""Trust region policy optimisation (Schulman et al. 2015) as rllab runs it, for every seed by itself.

    step = trust_region_step(gradient, product, judged, max_divergence=0.01)
    θ ← θ + step.change                                           # zero where a seed's step was refused

Parameters are flat vectors, one a seed: [S, N]. A seed that is done, or refused, is held by `torch.where` while the
others go on, so that none notices another.

Source: rll/rllab `rllab/misc/krylov.py` `cg`, `rllab/optimizers/conjugate_gradient_optimizer.py`, with its constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from algorithms._networks import mapped, tensors

Network = TypeVar("Network")
RESIDUAL = 1e-10
"""rᵀr at which conjugate gradients stop."""
NO_ZERO = 1e-8
"""What is added to every denominator."""


class Step(NamedTuple):
    """How far a seed goes, what it changes in the policy there, and whether it goes. Shapes: [S, N], [S], [S] bool."""

    change: Tensor
    divergence: Tensor
    accepted: Tensor


def flat(network: object) -> Tensor:
    """All parameters of a seed in one row. Shapes: each [S, …] → [S, N]."""
    return torch.cat([part.flatten(1) for part in tensors(network)], dim=1)


def shaped(row: Tensor, like: Network) -> Network:
    """The network whose parameters stand in `row`, as views of it. Shapes: [S, N] → each [S, …]."""
    parts = iter(row.split([part[0].numel() for part in tensors(like)], dim=1))

    return mapped(like, lambda part: next(parts).view(part.shape))


def dot(x: Tensor, y: Tensor) -> Tensor:
    """xᵀy of every seed. Shapes: [S, N] → [S, 1]."""
    product: Tensor = x * y
    return product.sum(dim=1, keepdim=True)


def conjugate_gradient(product: Callable[[Tensor], Tensor], b: Tensor, n_iterations: int = 10) -> Tensor:
    """x with A·x ≈ b, where `product(x)` is A·x. Shapes: [S, N] → [S, N]."""
    x, r, p = torch.zeros_like(b), b, b
    rr = dot(r, r)
    for _ in range(n_iterations):
        going = rr >= RESIDUAL  # [S, 1]
        z = product(p)
        step = torch.where(going, rr / (dot(p, z) + NO_ZERO), 0.0)
        x, r = x + step * p, r - step * z
        after = dot(r, r)
        p = torch.where(going, r + after / (rr + NO_ZERO) * p, p)
        rr = after
    return x


def trust_region_step(
    gradient: Tensor,
    product: Callable[[Tensor], Tensor],
    judged: Callable[[Tensor], tuple[Tensor, Tensor]],
    *,
    max_divergence: float = 0.01,
    n_iterations: int = 10,
    damping: float = 1e-5,
    backtrack: float = 0.8,
    n_backtracks: int = 15,
) -> Step:
    """The largest of √(2δ / xᵀFx)·x·βⁱ, x ≈ F⁻¹g, that improves the objective and keeps the divergence within δ.

    `product(x)` is F·x; `judged(change)` returns how much the objective grows by a change of the parameters, and the
    mean divergence of the policies before and after it. δ is `max_divergence`, β `backtrack`, i = 0 … n_backtracks - 1.

    Shapes: gradient, of the objective that is to grow, [S, N]; judged [S, N] → [S], [S].
    """

    def damped(x: Tensor) -> Tensor:
        return product(x) + damping * x

    direction = conjugate_gradient(damped, gradient, n_iterations)
    longest = direction * (2 * max_divergence / (dot(direction, damped(direction)) + NO_ZERO)).sqrt()
    found = Step(
        torch.zeros_like(gradient),
        gradient.new_zeros(gradient.shape[0]),
        gradient.new_zeros(gradient.shape[0], dtype=torch.bool),
    )
    for i in range(n_backtracks):
        change = backtrack**i * longest
        gain, divergence = judged(change)
        fits = (gain > 0) & (divergence <= max_divergence) & ~found.accepted
        found = Step(
            torch.where(fits.unsqueeze(1), change, found.change),
            torch.where(fits, divergence, found.divergence),
            found.accepted | fits,
        )
        if bool(found.accepted.all()):
            break  # trying on would change nothing for anybody
    return found
