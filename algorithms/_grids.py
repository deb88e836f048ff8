"""What a convolutional network sees on a torus where nearly all is empty: two convolutions and one full layer, φ(s).

The pictures are planes of zeros with few marks, so that the first convolution is not computed from planes, which are
never made, but from the marks: each adds, for every kernel position that covers it, one row of weights at one place.

A rollout keeps what every layer gave, and an update goes back through all its steps at once: nothing is computed twice,
and the gradients of the weights are products with as many rows as the rollout has steps, which takes half as long as
one product a step.

Both convolutions have 3×3 kernels, stride 2, padding 1 that is circular, and ReLU after them: a side of n becomes
⌈n/2⌉, and output o covers the inputs 2o-1, 2o and 2o+1.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms._networks import Linear
from environments import Planes, Streams

TAPS = 9  # positions of a 3×3 kernel, row by row


class Marked(NamedTuple):
    """The first convolution. Shapes: weight [S, C·9, out], one row a plane and kernel position; bias [S, 1, out]."""

    weight: Tensor
    bias: Tensor


class Trunk(NamedTuple):
    """φ. Shapes: second.weight [S, out, 9·in], kernel positions before channels; full.weight [S, out, places·in]."""

    first: Marked
    second: Linear
    full: Linear


class Still(NamedTuple):
    """φ of a network that does not learn, laid out so that it is quick to compute.

    Shapes: first as in `Trunk`; second.weight [S, 9·in, out] and full.weight [S, places·in + k, hidden], inputs first;
    empty [S, 1, places·width], what the second convolution gives where nothing is marked.
    """

    first: Marked
    second: Linear
    full: Linear
    empty: Tensor


class Layers(NamedTuple):
    """What the layers gave for some pictures, after ReLU, and where the marks were.

    Shapes: cells [S, B, K]; first [S, B, rows + 2, columns + 2, width], with the circular padding; second
    [S, B, places·width + k], the k numbers that the full layer sees beside it at the end; features [S, B, hidden].
    """

    cells: Tensor
    first: Tensor
    second: Tensor
    features: Tensor


def trunk(streams: Streams, planes: Planes, widths: tuple[int, int], hidden: int, n_beside: int = 0) -> Trunk:
    """Fresh weights, Xavier-uniform with the kernel's area in both fans, and zero biases.

    The full layer sees `n_beside` numbers beside the picture.

    Source: ikostrikov/pytorch-a3c@21bb228 model.py `weights_init`.
    """
    first, second = widths
    height, width = (halved(halved(side)) for side in planes[1:])
    full = networks.xavier(streams, (height * width * second + n_beside, hidden))[0]
    kernels = []
    for n_in, n_out in ((planes.n_planes, first), (first, second)):
        bound = math.sqrt(6 / (TAPS * (n_in + n_out)))
        kernels.append(streams.uniform(n_out, TAPS * n_in, low=-bound, high=bound))
    zeros = [kernel.new_zeros(streams.n_seeds, 1, kernel.shape[1]) for kernel in kernels]
    marked = Marked(kernels[0].transpose(1, 2).contiguous(), zeros[0])
    return Trunk(marked, Linear(kernels[1], zeros[1]), full)


def seen(cells: Tensor, planes: Planes, network: Trunk, beside: Tensor | None = None) -> Layers:
    """Every layer for some pictures, and what is seen beside them.

    Shapes: cells [S, B, K], indices into the flattened planes; beside [S, B, k].
    """
    first = _first(cells, planes, network.first)
    patches = _patches(first)
    second = torch.baddbmm(network.second.bias, patches, network.second.weight.transpose(1, 2)).relu_()
    second = _with(second.view(*cells.shape[:2], -1), beside)
    features = torch.baddbmm(network.full.bias, second, network.full.weight.transpose(1, 2)).relu_()
    return Layers(cells, first, second, features)


def features(steps: Sequence[Layers], planes: Planes, network: Trunk) -> Tensor:
    """φ of the pictures of several steps, one after the other, with its gradient; nothing is computed anew.

    `steps` must have been seen by this network. Shapes: T times [S, B, …] → [S, T·B, hidden].
    """
    weights = (*network.first, *network.second, *network.full)
    out: Tensor = _Remembered.apply(steps, planes, *weights)  # type: ignore[no-untyped-call]
    return out


class _Remembered(torch.autograd.Function):
    """The gradient of what has been computed before."""

    @staticmethod
    def forward(ctx: Any, steps: Sequence[Layers], planes: Planes, *weights: Tensor) -> Tensor:
        ctx.steps, ctx.planes = steps, planes
        out = torch.cat([step.features for step in steps], dim=1)
        ctx.save_for_backward(out, *weights)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        out, first_weight, first_bias, second_weight, second_bias, full_weight, _ = ctx.saved_tensors
        second = torch.cat([step.second for step in ctx.steps], dim=1)
        g = torch.ops.aten.threshold_backward(g, out, 0)
        for_full = torch.bmm(g.transpose(1, 2), second), g.sum(1, keepdim=True)
        n_seen = _n_places(ctx.planes) * second_weight.shape[1]  # and beside it what has no gradient
        g = torch.ops.aten.threshold_backward(torch.bmm(g, full_weight)[..., :n_seen], second[..., :n_seen], 0)
        for_first = torch.zeros_like(first_weight), torch.zeros_like(first_bias)
        for_second = torch.zeros_like(second_weight), torch.zeros_like(second_bias)
        # Step by step: the patches of all steps at once would fall out of every cache.
        for step, part in zip(ctx.steps, g.split([step.cells.shape[1] for step in ctx.steps], dim=1), strict=True):
            of_places = part.reshape(len(part), -1, second_weight.shape[1])  # [S, B·places, width]
            for_second[0].baddbmm_(of_places.transpose(1, 2), _patches(step.first))
            for_second[1].add_(of_places.sum(1, keepdim=True))
            g_first = _folded(torch.bmm(of_places, second_weight), step.first)
            for_first[0].add_(_gathered(g_first, step.cells, ctx.planes, first_weight))
            for_first[1].add_(g_first.flatten(1, 3).sum(1, keepdim=True))
        return (None, None, *for_first, *for_second, *for_full)


def still(network: Trunk, planes: Planes) -> Still:
    """The same network, as it is quick to compute where it does not change."""
    nowhere = network.first.weight.new_zeros(len(network.first.weight), 1, 0, dtype=torch.int64)
    second, full = (
        Linear(layer.weight.transpose(1, 2).contiguous(), layer.bias) for layer in (network.second, network.full)
    )
    padded = _patches(_first(nowhere, planes, network.first))
    empty = torch.baddbmm(network.second.bias, padded, network.second.weight.transpose(1, 2)).relu_().flatten(1)
    return Still(network.first, second, full, empty.unsqueeze(1))


def phi(cells: Tensor, planes: Planes, network: Trunk | Still, beside: Tensor | None = None) -> Tensor:
    """φ alone, without a gradient. Shapes: as of `seen`; returns [S, B, hidden]."""
    if isinstance(network, Trunk):
        return seen(cells, planes, network, beside).features
    second = _with(_second_where_marked(cells, planes, network), beside)
    return torch.baddbmm(network.full.bias, second, network.full.weight).relu_()


def _second_where_marked(cells: Tensor, planes: Planes, network: Still) -> Tensor:
    """The second convolution, computed only where marks lie below. Shapes: [S, B, K] → [S, B, places·width]."""
    n_seeds, n_pictures, _ = cells.shape
    first, row_of = _first_where_marked(cells, planes, network.first)
    inputs, below = _below(planes.height, planes.width, cells.device)  # [places, 9], [H·W, n]
    marked = cells.new_zeros(n_seeds, n_pictures, len(inputs), dtype=torch.bool)
    marked.scatter_(2, below[cells.remainder(len(below))].flatten(2), True)
    at = marked.flatten().nonzero().squeeze(1)
    picture = at.div(len(inputs), rounding_mode="floor")
    covered = inputs[at - picture * len(inputs)] + (picture * (len(row_of) // (n_seeds * n_pictures))).unsqueeze(1)
    patches = first.index_select(0, row_of[covered.flatten()]).view(len(at), -1)
    shares = patches.split(marked.flatten(1).sum(1).tolist())  # a seed's product hangs on its own marks alone
    layers = zip(shares, *network.second, strict=True)
    found = torch.cat([torch.addmm(bias, share, weight) for share, weight, bias in layers])
    out = network.empty.repeat(1, n_pictures, 1)
    out.view(-1, found.shape[1]).index_copy_(0, at, found.relu_())
    return out


def _first_where_marked(cells: Tensor, planes: Planes, layer: Marked) -> tuple[Tensor, Tensor]:
    """The first convolution, rectified, of the places that marks touch, then of an untouched one of every seed.

    Shapes: [S, B, K] → [n + S, width]; and of every place of every picture its row in that, [S·B·rows·columns].
    """
    n_seeds, n_pictures, _ = cells.shape
    n_places = halved(planes.height) * halved(planes.width)
    places, kernel_rows = _touched(cells, planes, n_places, _unpadded(planes.height, planes.width, cells.device))
    touched = places.new_zeros(n_seeds * n_pictures * n_places, dtype=torch.bool).index_fill_(0, places, True)
    at = touched.nonzero().squeeze(1)
    of_seed = torch.arange(n_seeds, device=cells.device)
    row_of = (of_seed + len(at)).repeat_interleave(n_pictures * n_places)
    row_of.index_copy_(0, at, torch.arange(len(at), device=cells.device))
    seeds = torch.cat([at.div(n_pictures * n_places, rounding_mode="floor"), of_seed])
    first = layer.bias.squeeze(1).index_select(0, seeds)
    first.index_add_(0, row_of[places], _with_nothing(layer.weight).index_select(0, kernel_rows))
    return first.relu_(), row_of


@functools.cache
def _unpadded(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """`_cover` with the places of an output without padding."""
    place, tap = _cover(height, width, device)
    columns = halved(width)
    row, column = place.div(columns + 2, rounding_mode="floor") - 1, place.remainder(columns + 2) - 1
    return torch.where(tap < 0, 0, row * columns + column), tap


@functools.cache
def _below(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which places of the first convolution an output of the second covers, and which outputs of the second a cell has
    a say in; where those are fewer than of other cells, one of them again.

    Shapes: [places, 9] and [H·W, n].
    """
    rows, columns = halved(height), halved(width)
    inputs = [
        [(2 * row - 1 + down) % rows * columns + (2 * column - 1 + right) % columns for down, right in _kernel()]
        for row, column in itertools.product(range(halved(rows)), range(halved(columns)))
    ]
    over = [
        [row * halved(columns) + column for row, column in itertools.product(*pair)]
        for pair in itertools.product(_reached(height), _reached(width))
    ]
    most = max(map(len, over))
    below = [[*places, *places[:1] * (most - len(places))] for places in over]
    return torch.tensor(inputs, device=device), torch.tensor(below, device=device)


def _kernel() -> Iterator[tuple[int, int]]:
    """The positions of a 3×3 kernel, row by row."""
    return itertools.product(range(3), range(3))


def _reached(side: int) -> list[list[int]]:
    """For every cell of a ring, which outputs of the second convolution it has a say in, along that ring."""
    second = _covering(halved(side))
    return [sorted({out for place, _ in first for out, _ in second[place]}) for first in _covering(side)]


def _with(second: Tensor, beside: Tensor | None) -> Tensor:
    return second if beside is None else torch.cat([second, beside], dim=-1)


def _n_places(planes: Planes) -> int:
    """Of the second convolution's output."""
    return halved(halved(planes.height)) * halved(halved(planes.width))


def _first(cells: Tensor, planes: Planes, layer: Marked) -> Tensor:
    """The first convolution, rectified and padded. Shapes: [S, B, K] → [S, B, rows + 2, columns + 2, width]."""
    n_seeds, n_pictures, _ = cells.shape
    rows, columns = halved(planes.height) + 2, halved(planes.width) + 2
    out = layer.bias.expand(n_seeds, n_pictures * rows * columns, -1).contiguous()
    places, kernel_rows = _touched_with_padding(cells, planes)
    out.flatten(0, 1).index_add_(0, places, _with_nothing(layer.weight).index_select(0, kernel_rows))
    padded = out.relu_().view(n_seeds, n_pictures, rows, columns, -1)
    padded[:, :, 0], padded[:, :, -1] = padded[:, :, -2], padded[:, :, 1]
    padded[:, :, :, 0], padded[:, :, :, -1] = padded[:, :, :, -2], padded[:, :, :, 1]
    return padded


def _gathered(g: Tensor, cells: Tensor, planes: Planes, weight: Tensor) -> Tensor:
    """The gradient of the first convolution's weights. Shapes: g as `_first` gives it; weight [S, C·9, width]."""
    places, kernel_rows = _touched_with_padding(cells, planes)
    n_seeds, n_rows, width = weight.shape
    out = weight.new_zeros(n_seeds, n_rows + 1, width)
    out.flatten(0, 1).index_add_(0, kernel_rows, g.flatten(0, 3).index_select(0, places))
    return out[:, :-1]


def _with_nothing(weight: Tensor) -> Tensor:
    """The rows of all seeds, and after those of each seed one of zeros. Shapes: [S, C·9, n] → [S·(C·9 + 1), n]."""
    return torch.nn.functional.pad(weight, (0, 0, 0, 1)).flatten(0, 1)


def _touched_with_padding(cells: Tensor, planes: Planes) -> tuple[Tensor, Tensor]:
    """As `_touched`, in the padded output."""
    n_places = (halved(planes.height) + 2) * (halved(planes.width) + 2)
    return _touched(cells, planes, n_places, _cover(planes.height, planes.width, cells.device))


def _touched(cells: Tensor, planes: Planes, n_places: int, cover: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """For every mark where it counts in the first convolution's output, and with which row of weights.

    Every mark has as many entries as the one with the most. Those that it does not need have the row of zeros.

    Shapes: [S, B, K] → [S·B·K·n] each, indices into all seeds' places and into `_with_nothing`.
    """
    n_seeds, n_pictures, _ = cells.shape
    place, tap = cover  # [H·W, n] each
    plane, cell = cells.div(len(place), rounding_mode="floor"), cells.remainder(len(place))
    n_rows = TAPS * planes.n_planes + 1
    pictures = torch.arange(n_seeds * n_pictures, device=cells.device).view(n_seeds, n_pictures, 1, 1)
    seeds = torch.arange(n_seeds, device=cells.device).view(n_seeds, 1, 1, 1)
    taps = tap[cell]  # [S, B, K, n]
    rows = torch.where(taps < 0, n_rows - 1, plane.unsqueeze(-1) * TAPS + taps)
    return (place[cell] + pictures * n_places).flatten(), (rows + seeds * n_rows).flatten()


@functools.cache
def _cover(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """For every cell, the places of the padded output whose kernels cover it, and at which kernel position.

    Where a cell is covered by fewer than others, the rest is place 0 and position -1.

    Shapes: [H·W, n] each.
    """
    entries: list[list[tuple[int, int]]] = []
    for rows, columns in itertools.product(_covering(height), _covering(width)):
        entries.append(
            [
                ((row + 1) * (halved(width) + 2) + column + 1, 3 * down + right)
                for (row, down), (column, right) in itertools.product(rows, columns)
            ]
        )
    most = max(map(len, entries))
    padded = torch.tensor([entry + [(0, -1)] * (most - len(entry)) for entry in entries], device=device)
    place, tap = padded.unbind(-1)
    return place.contiguous(), tap.contiguous()


def _covering(side: int) -> list[list[tuple[int, int]]]:
    """For every cell of a ring of `side` cells, which outputs cover it, and with which of their three positions."""
    covering: list[list[tuple[int, int]]] = [[] for _ in range(side)]
    for out, position in itertools.product(range(halved(side)), range(3)):
        covering[(2 * out - 1 + position) % side].append((out, position))
    return covering


def _patches(first: Tensor) -> Tensor:
    """What each output of the second convolution covers. Shapes: as `_first` gives it → [S, B·places, 9·in]."""
    n_seeds, n_pictures, rows, columns, n_in = first.shape
    picture, row, column = first.stride()[1:4]
    places = halved(rows - 2), halved(columns - 2)
    size = (n_seeds * n_pictures, *places, 3, 3 * n_in)
    covered = first.as_strided(size, (picture, 2 * row, 2 * column, row, 1))
    return covered.reshape(n_seeds, n_pictures * places[0] * places[1], TAPS * n_in)


def _folded(patches: Tensor, first: Tensor) -> Tensor:
    """The gradient before the first convolution's ReLU, from that of its patches; zero in the padding.

    Shapes: [S, B·places, 9·in], and first as `_first` gives it → as first.
    """
    g = torch.empty_like(first)
    rows, columns = halved(first.shape[2] - 2), halved(first.shape[3] - 2)
    g[:, :, 2 * rows :], g[:, :, :, 2 * columns :] = 0.0, 0.0
    of_taps = patches.view(*first.shape[:2], rows, columns, 3, 3, -1)
    # Without their last row and column kernels do not overlap, and fill all but the last row or two, and columns.
    pairs = of_taps[..., :2, :2, :].transpose(3, 4)  # [S, B, rows, 2, columns, 2, in]
    g[:, :, : 2 * rows, : 2 * columns].unflatten(2, (rows, 2)).unflatten(4, (columns, 2)).copy_(pairs)
    below, beside = slice(2, 2 * rows + 1, 2), slice(2, 2 * columns + 1, 2)
    g[:, :, below, : 2 * columns].unflatten(3, (columns, 2)).add_(of_taps[..., 2, :2, :])
    g[:, :, : 2 * rows, beside].unflatten(2, (rows, 2)).add_(of_taps[..., :2, 2, :].transpose(3, 4))
    g[:, :, below, beside] += of_taps[..., 2, 2, :]
    # What the padding got belongs to the other side.
    g[:, :, :, 1] += g[:, :, :, -1]
    g[:, :, :, -2] += g[:, :, :, 0]
    g[:, :, 1] += g[:, :, -1]
    g[:, :, -2] += g[:, :, 0]
    for edge in (0, -1):
        g[:, :, edge] = 0.0
        g[:, :, :, edge] = 0.0
    rectified: Tensor = torch.ops.aten.threshold_backward(g, first, 0)
    return rectified


def halved(side: int) -> int:
    """The side of a convolution's output."""
    return (side + 1) // 2
