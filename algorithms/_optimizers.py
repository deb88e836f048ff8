"""Adam for stacked networks, and two ways to clip gradients: variable by variable, and over all variables."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = list[Tensor] | tuple[Tensor, ...]


@dataclass
class Adam:
    """The moments of one optimizer. Shapes: as its parameters."""

    first: list[Tensor]
    second: list[Tensor]
    count: int = 0

    @classmethod
    def of(cls, parameters: Tensors) -> Adam:
        """A fresh optimizer for these parameters."""
        return cls([torch.zeros_like(p) for p in parameters], [torch.zeros_like(p) for p in parameters])

    def step(
        self,
        parameters: Tensors,
        gradients: Tensors,
        learning_rate: float | Tensor,
        *,
        corrected_epsilon: bool = False,
    ) -> None:
        """θ ← θ - η·√(1-β₂ᵗ)/(1-β₁ᵗ) · m/(√v + ε̂), in place, with β = (0.9, 0.999); η may be one a seed, [S].

        ε̂ is 1e-8, outside of the bias correction, as in `tf.train.AdamOptimizer` (Kingma & Ba's "epsilon hat"), which
        openai/maddpg@3ceefa0 uses; with `corrected_epsilon` it is √(1-β₂ᵗ)·1e-8, as in `torch.optim.Adam`.
        """
        self.count += 1
        correction = math.sqrt(1 - 0.999**self.count)
        rate = learning_rate * correction / (1 - 0.9**self.count)
        epsilon = 1e-8 * correction if corrected_epsilon else 1e-8
        # One call for all variables: most are so small that a call of their own takes longer than what it does.
        torch._foreach_lerp_(self.first, gradients, 0.1)
        torch._foreach_mul_(self.second, 0.999)
        torch._foreach_addcmul_(self.second, gradients, gradients, 0.001)
        roots = torch._foreach_sqrt(self.second)
        torch._foreach_add_(roots, epsilon)
        if isinstance(rate, Tensor):
            for p, m, root in zip(parameters, self.first, roots, strict=True):
                p.sub_(torch.div(m, root, out=root).mul_(rate.view(-1, *(1,) * (p.dim() - 1))))
        else:
            torch._foreach_addcdiv_(parameters, self.first, roots, -rate)


def clip_by_norm(gradients: Tensors, limit: float) -> list[Tensor]:
    """Every variable's gradient scaled to a norm of at most `limit`, each variable of each network by itself.

    Shapes: gradients [*, n, m]; one norm for every leading index.
    Source: `tf.clip_by_norm` in openai/maddpg@3ceefa0 tf_util.py `minimize_and_clip`; not the norm over all variables.
    """
    scales = [torch.linalg.vector_norm(g, dim=(-2, -1), keepdim=True) for g in gradients]
    torch._foreach_clamp_min_(scales, limit)
    torch._foreach_reciprocal_(scales)
    torch._foreach_mul_(scales, limit)
    return list(torch._foreach_mul(gradients, scales))


def descend(loss: Tensor, variables: Tensors, optimizer: Adam, *, learning_rate: float, clip: float) -> None:
    """One clipped Adam step on `variables`, the leaves of the loss's graph, in place."""
    gradients = torch.autograd.grad(loss, variables)
    with torch.no_grad():
        optimizer.step(variables, clip_by_norm(gradients, clip), learning_rate)


def follow(
    outputs: Tensors, slopes: Tensors, variables: Tensors, optimizer: Adam, *, learning_rate: float, clip: float
) -> None:
    """`descend` on a loss that is given by its derivatives by some outputs: it need not be computed itself."""
    gradients = torch.autograd.grad(outputs, variables, slopes)
    with torch.no_grad():
        optimizer.step(variables, clip_by_norm(gradients, clip), learning_rate)


def clip_by_joint_norm(gradients: Tensors, limit: float) -> list[Tensor]:
    """All gradients of a network scaled together so that their joint norm is at most `limit`.

    Shapes: gradients [*, n, m]; one norm for every leading index, each of which is a network.
    Source: `torch.nn.utils.clip_grad_norm_`.
    """
    norms = [torch.linalg.vector_norm(g, dim=(-2, -1), keepdim=True) for g in gradients]
    norm = functools.reduce(torch.add, torch._foreach_mul(norms, norms)).sqrt()
    scale = (limit / (norm + 1e-6)).clamp(max=1.0)
    return [g * scale for g in gradients]


def descend_jointly(
    loss: Tensor, variables: Tensors, optimizer: Adam, *, learning_rate: float, clip: float | None
) -> None:
    """One step of `torch.optim.Adam` on `variables`, the leaves of the loss's graph, in place; clipped jointly."""
    gradients = torch.autograd.grad(loss, variables)
    with torch.no_grad():
        clipped = gradients if clip is None else clip_by_joint_norm(gradients, clip)
        optimizer.step(variables, clipped, learning_rate, corrected_epsilon=True)


def follow_jointly(
    outputs: Tensors, slopes: Tensors, variables: Tensors, optimizer: Adam, *, learning_rate: float, clip: float
) -> None:
    """`descend_jointly` on a loss that is given by its derivatives by some outputs."""
    gradients = torch.autograd.grad(outputs, variables, slopes)
    with torch.no_grad():
        optimizer.step(variables, clip_by_joint_norm(gradients, clip), learning_rate, corrected_epsilon=True)
