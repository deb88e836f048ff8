"""States as rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def side_by_side(parts: Sequence[Tensor]) -> Tensor:
    """What belongs to each copy as one row; a view where it lies so in memory, as the parts of a stored row do.

    Shapes: each [S, E, …]; returns [S, E, Σ].
    """
    first = parts[0]
    begin = end = first.storage_offset()
    apart, memory = first.stride()[:2], first.untyped_storage().data_ptr()
    for part in parts:
        if (
            part.storage_offset() != end
            or part.stride()[:2] != apart
            or not _in_one_piece(part)
            or part.untyped_storage().data_ptr() != memory
            or part.shape[:2] != first.shape[:2]
            or part.requires_grad  # a view of the first part would pass nothing on to the others
        ):
            return torch.cat([part.flatten(2) for part in parts], dim=-1)
        end += part.shape[2:].numel()
    return first.as_strided((*first.shape[:2], end - begin), (*apart, 1))


def _in_one_piece(part: Tensor) -> bool:
    """Whether the numbers of every copy lie one after the other."""
    strides, dense = part.stride(), 1
    for axis in range(part.dim() - 1, 1, -1):
        if strides[axis] != dense:
            return False
        dense *= part.shape[axis]
    return True
