"""Stacks of small networks: one for every seed, or for every seed and agent, in a single matrix product.

Weights are `[S, (A,) out, in]`, inputs `[S, (A,) B, in]`: the leading axes are never mixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from algorithms._tree import leaves, rebuilt
from environments import Streams


class Linear(NamedTuple):
    """An affine map for every leading index. Shapes: weight [*, out, in], bias [*, 1, out]."""

    weight: Tensor
    bias: Tensor


MLP = tuple[Linear, ...]
Network = TypeVar("Network")  # a tree of tensors: layers, networks that belong together, an optimizer's moments


def xavier(streams: Streams, sizes: Sequence[int], groups: tuple[int, ...] = ()) -> MLP:
    """Layers of the given sizes with Xavier-uniform weights, U(±√(6/(in+out))), and zero biases.

    Shapes: weights [S, *groups, out, in].
    Source: the default initialiser of `tf.contrib.layers.fully_connected`, used by openai/maddpg@3ceefa0
    experiments/train.py `mlp_model`.
    """
    layers = []
    for n_in, n_out in pairwise(sizes):
        bound = math.sqrt(6 / (n_in + n_out))
        weight = streams.uniform(*groups, n_out, n_in, low=-bound, high=bound)
        layers.append(Linear(weight, weight.new_zeros(*weight.shape[:-2], 1, n_out)))
    return tuple(layers)


def fan_in_uniform(streams: Streams, sizes: Sequence[int], groups: tuple[int, ...] = ()) -> MLP:
    """Layers of the given sizes with weights and biases from U(±1/√in).

    Shapes: weights [S, *groups, out, in].
    Source: `torch.nn.Linear.reset_parameters`.
    """
    layers = []
    for n_in, n_out in pairwise(sizes):
        bound = 1 / math.sqrt(n_in)
        weight = streams.uniform(*groups, n_out, n_in, low=-bound, high=bound)
        layers.append(Linear(weight, streams.uniform(*groups, 1, n_out, low=-bound, high=bound)))
    return tuple(layers)


class _Layer(torch.autograd.Function):
    """x·Wᵀ + b, with or without ReLU, and its gradients as products of the shapes that BLAS is quick at.

    Autograd's own rule multiplies xᵀ·g, which takes five times as long as gᵀ·x where there are few outputs; and here
    the rectified output serves as the mask, so that no other activation is kept.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, rectified: bool) -> Tensor:
        y = torch.baddbmm(bias, x, weight.transpose(1, 2))
        if rectified:
            y.relu_()
        ctx.save_for_backward(x, weight, y if rectified else None)
        return y

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, y = ctx.saved_tensors
        if y is not None:
            g = torch.ops.aten.threshold_backward(g, y, 0)
        for_x, for_weight, for_bias, _ = ctx.needs_input_grad
        return (
            torch.bmm(g, weight) if for_x else None,
            torch.bmm(g.transpose(1, 2), x) if for_weight else None,
            g.sum(1, keepdim=True) if for_bias else None,
            None,
        )


def linear(x: Tensor, layer: Linear, *, rectified: bool = False) -> Tensor:
    """x·Wᵀ + b for every leading index, with ReLU if `rectified`. Shapes: x [*, B, in] → [*, B, out]."""
    weight, bias = layer
    n_out = weight.shape[-2]
    if n_out == 1:
        # A product with one column takes another path (gemv) when there is one seed only, with other rounding: a seed
        # alone would no longer equal the same seed among others bit for bit. Two columns do not.
        weight = torch.nn.functional.pad(weight, (0, 0, 0, 1))
        bias = torch.nn.functional.pad(bias, (0, 1))
    groups = (x.flatten(0, -3), weight.flatten(0, -3), bias.flatten(0, -3))
    product: Tensor = _Layer.apply(*groups, rectified)  # type: ignore[no-untyped-call]
    stacked: Tensor = product[..., :n_out].unflatten(0, layer.weight.shape[:-2])
    return stacked


def mlp(x: Tensor, layers: MLP) -> Tensor:
    """Layers with ReLU between them and a linear output. Shapes: x [*, B, in] → [*, B, out]."""
    for layer in layers[:-1]:
        x = linear(x, layer, rectified=True)
    return linear(x, layers[-1])


def tensors(network: object) -> list[Tensor]:
    """Every tensor of a network, or of networks that belong together, in a fixed order."""
    return [leaf for leaf in leaves(network).values() if isinstance(leaf, Tensor)]


def mapped(network: Network, of: Callable[[Tensor], Tensor]) -> Network:
    """The network with `of(x)` in the place of every tensor x, in a fixed order."""
    return rebuilt(network, lambda _, leaf: of(leaf) if isinstance(leaf, Tensor) else leaf)


def trainable(network: Network) -> Network:
    """The same memory as leaves of a new graph: what a loss is differentiated by."""
    return rebuilt(network, lambda _, leaf: leaf.detach().requires_grad_() if isinstance(leaf, Tensor) else leaf)


def clone(network: Network) -> Network:
    """The same values in memory of their own."""
    return rebuilt(network, lambda _, leaf: leaf.clone() if isinstance(leaf, Tensor) else leaf)


def of_agent(network: Network, agent: int) -> Network:
    """The network of one agent out of a stack, as views. Shapes: [S, A, …] → [S, …]."""
    return rebuilt(network, lambda _, leaf: leaf[:, agent] if isinstance(leaf, Tensor) else leaf)


def repeated(network: Network, n_agents: int) -> Network:
    """The same network for every agent, as views. Shapes: [S, …] → [S, A, …]."""

    def stacked(_: str, leaf: Any) -> Any:
        return leaf.unsqueeze(1).expand(-1, n_agents, *leaf.shape[1:]) if isinstance(leaf, Tensor) else leaf

    return rebuilt(network, stacked)


@torch.no_grad()
def polyak(target: object, online: object, keep: float) -> None:
    """θ′ ← keep·θ′ + (1-keep)·θ, in place. Source: openai/maddpg@3ceefa0 maddpg.py `make_update_exp`."""
    for followed, source in zip(tensors(target), tensors(online), strict=True):
        followed.lerp_(source, 1 - keep)
