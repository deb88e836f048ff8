"""Memory for large tensors that are made anew at every step.

The C library gives large pieces back to the kernel when they are free, always above 32 MiB and often below, and gets
them again page by page: what an observation of a crowd holds is written in a few milliseconds, and got in several times
as many. GPUs have an allocator that keeps what it frees; this does the same for a few large pieces of a CPU.
"""

from __future__ import annotations

import ctypes
import math
import weakref

import torch
from torch import Tensor

LARGE = 1 << 20
"""From how many bytes on pieces are kept."""
KEPT = 4
"""How many free ones: of two sizes, and a learner holds an observation while it asks for the next."""

_free: dict[int, Tensor] = {}  # each [n] uint8, by its address, the last given back last


def room(*shape: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A tensor whose entries are still to be written, as `torch.empty` makes it.

    Its memory is used again when nothing refers to it any more, neither a view nor an array of NumPy.
    """
    n_bytes = math.prod(shape) * dtype.itemsize
    if device.type != "cpu" or n_bytes < LARGE:
        return torch.empty(shape, dtype=dtype, device=device)
    piece = _piece(n_bytes)
    lent = (ctypes.c_byte * n_bytes).from_address(piece.data_ptr())  # only the storage of the new tensor refers to it
    weakref.finalize(lent, _take_back, piece).atexit = False
    return torch.frombuffer(lent, dtype=dtype).view(shape)


def _piece(n_bytes: int) -> Tensor:
    for address, piece in reversed(tuple(_free.items())):  # the last is the likeliest to be in a cache
        if len(piece) == n_bytes and _free.pop(address, None) is not None:  # unless another thread was faster
            return piece
    return torch.empty(n_bytes, dtype=torch.uint8)


def _take_back(piece: Tensor) -> None:
    _free[piece.data_ptr()] = piece
    for address in tuple(_free)[:-KEPT]:
        _free.pop(address, None)
