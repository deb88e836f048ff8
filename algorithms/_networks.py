"""Stacks of small networks: one for every seed, or for every seed and agent, in a single matrix product.

Weights are `[S, (A,) out, in]`, inputs `[S, (A,) B, in]`: the leading axes are never mixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

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


class _Layers(torch.autograd.Function):
    """Affine maps with ReLU between them, and their gradients as products of the shapes that BLAS is quick at.

    Autograd's own rule multiplies xᵀ·g, which takes five times as long as gᵀ·x where there are few outputs; here the
    rectified outputs serve as the masks, so that no other activation is kept, and what only passes from layer to layer
    is masked where it lies.

    Where the last layer has one output, it comes out twice, and one of the two is asked about (`_twice`).
    """

    @staticmethod
    def forward(ctx: Any, rectified: bool, x: Tensor, *parameters: Tensor) -> Tensor:
        weights, biases = _twice(parameters[::2]), parameters[1::2]
        outputs = _outputs(rectified, x, weights, biases)
        ctx.rectified, ctx.n_out = rectified, parameters[-2].shape[1]
        ctx.save_for_backward(x, *outputs[: None if rectified else -1], *weights)
        return outputs[-1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        _, for_x, *for_parameters = ctx.needs_input_grad
        n_layers = len(for_parameters) // 2
        saved = ctx.saved_tensors
        inputs, weights, rectified = saved[:n_layers], saved[-n_layers:], saved[1:-n_layers]
        gradients: list[Tensor | None] = []
        if ctx.rectified:
            g = torch.ops.aten.threshold_backward(g, rectified[-1], 0)
        for layer in reversed(range(n_layers)):
            for_weight, for_bias = for_parameters[2 * layer : 2 * layer + 2]
            n_out = ctx.n_out if layer + 1 == n_layers else g.shape[2]
            gradients.append(g.sum(1, keepdim=True)[..., :n_out] if for_bias else None)
            gradients.append(torch.bmm(g.mT, inputs[layer])[:, :n_out] if for_weight else None)
            if layer:
                g = torch.bmm(g, weights[layer])
                torch.ops.aten.threshold_backward.grad_input(g, rectified[layer - 1], 0, grad_input=g)
        return None, torch.bmm(g, weights[0]) if for_x else None, *reversed(gradients)


def _outputs(rectified: bool, x: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> list[Tensor]:
    """What every layer makes of the one before. Shapes: x [*, B, in]."""
    outputs = []
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = torch.baddbmm(bias, x, weight.mT)
        if rectified or layer + 1 < len(weights):
            x.relu_()
        outputs.append(x)
    return outputs


def _twice(weights: Sequence[Tensor]) -> list[Tensor]:
    """The weights of every layer, where the last has one output, with that twice.

    A product with one column takes another path (gemv) when there is one seed only, with other rounding: a seed alone
    would no longer equal the same seed among others bit for bit. Two columns do not.
    """
    *hidden, last = weights
    return [*hidden, torch.cat([last, last], dim=1) if last.shape[1] == 1 else last]


def mlp(x: Tensor, layers: Sequence[Linear], *, rectified: bool = False) -> Tensor:
    """Layers with ReLU between them, and after the last if `rectified`. Shapes: x [*, B, in] → [*, B, out]."""
    outputs = _of_all(x, layers, rectified=rectified)
    return outputs[..., :1] if layers[-1].weight.shape[-2] == 1 else outputs


def value(x: Tensor, layers: Sequence[Linear]) -> Tensor:
    """What `mlp` makes of x where there is one output. Shapes: [*, B, in] → [*, B]."""
    return _of_all(x, layers, rectified=False).select(-1, 0)


def _of_all(x: Tensor, layers: Sequence[Linear], *, rectified: bool) -> Tensor:
    """The outputs of a stack of networks; where each has one, it is there twice. Shapes: x [*, B, in] → [*, B, out]."""
    groups = layers[-1].weight.shape[:-2]
    parameters = [part for layer in layers for part in layer]
    if len(groups) > 1:
        x, *parameters = (tensor.flatten(0, -3) for tensor in (x, *parameters))
    if torch.is_grad_enabled():
        outputs: Tensor = _Layers.apply(rectified, x, *parameters)  # type: ignore[no-untyped-call]
    else:
        outputs = _outputs(rectified, x, _twice(parameters[::2]), parameters[1::2])[-1]
    return outputs.unflatten(0, groups) if len(groups) > 1 else outputs


def linear(x: Tensor, layer: Linear, *, rectified: bool = False) -> Tensor:
    """x·Wᵀ + b for every leading index, with ReLU if `rectified`. Shapes: x [*, B, in] → [*, B, out]."""
    return mlp(x, (layer,), rectified=rectified)


def mapped(network: Network, change: Callable[[Tensor], Tensor]) -> Network:
    """The same networks, or moments of an optimizer, with every tensor changed; quicker than `_tree.rebuilt`."""
    node: Any = network
    if isinstance(node, Tensor):
        return change(node)  # type: ignore[return-value]
    if isinstance(node, tuple | list):
        # Tensors are changed where they are found: a call of this function takes as long as many a change.
        parts = [change(part) if isinstance(part, Tensor) else mapped(part, change) for part in node]
        return type(node)(*parts) if hasattr(node, "_fields") else type(node)(parts)  # type: ignore[return-value]
    if is_dataclass(node) and not isinstance(node, type):
        return replace(node, **{item.name: mapped(getattr(node, item.name), change) for item in fields(node)})  # type: ignore[return-value]
    return network


def tensors(network: object) -> list[Tensor]:
    """Every tensor of a network, or of networks that belong together, in a fixed order."""
    if isinstance(network, Tensor):
        return [network]
    if isinstance(network, tuple | list):
        return [tensor for part in network for tensor in tensors(part)]
    if is_dataclass(network) and not isinstance(network, type):
        return [tensor for item in fields(network) for tensor in tensors(getattr(network, item.name))]
    return []


def trainable(network: Network) -> Network:
    """The same memory as leaves of a new graph: what a loss is differentiated by."""
    return mapped(network, lambda tensor: tensor.detach().requires_grad_())


def clone(network: Network) -> Network:
    """The same values in memory of their own."""
    return mapped(network, torch.clone)


def of_agent(network: Network, agent: int) -> Network:
    """The network of one agent out of a stack, as views. Shapes: [S, A, …] → [S, …]."""
    return mapped(network, lambda tensor: tensor.select(1, agent))


def of_agents(network: Network, agents: Tensor) -> Network:
    """The networks of some agents out of a stack, in memory of their own. Shapes: [S, A, …], agents [n] → [S, n, …]."""
    side_by_side = torch.cat([tensor.flatten(2) for tensor in tensors(network)], dim=-1)  # gathered at once
    sizes = [tensor[0, 0].numel() for tensor in tensors(network)]
    parts = iter(side_by_side.index_select(1, agents).split(sizes, dim=-1))
    return mapped(network, lambda tensor: next(parts).unflatten(-1, tensor.shape[2:]))


def repeated(network: Network, n_agents: int) -> Network:
    """The same network for every agent, as views. Shapes: [S, …] → [S, A, …]."""
    return mapped(network, lambda tensor: tensor.unsqueeze(1).expand(-1, n_agents, *tensor.shape[1:]))


@torch.no_grad()
def polyak(target: object, online: object, keep: float) -> None:
    """θ′ ← keep·θ′ + (1-keep)·θ, in place. Source: openai/maddpg@3ceefa0 maddpg.py `make_update_exp`."""
    torch._foreach_lerp_(tensors(target), tensors(online), 1 - keep)
