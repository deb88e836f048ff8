"""What a graph of kernels does, on the CPU: everything that was dispatched is run again, on the same memory."""

from __future__ import annotations

from typing import Any

import torch
from _waiting import never_waiting
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from algorithms._stand_ins import Run


class _Tape(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.calls.append((func, args, kwargs or {}, found))
        return found


def tape(run: Run) -> Run:
    """Runs something, and returns what runs it again without its Python: no number of the host moves on.

    Raises: WaitingError where a graph could not record it.
    """
    recorded = _Tape()
    with never_waiting({("environments/_particles.py", "_validate_values"): "asked on the CPU only"}), recorded:
        run()

    @torch.no_grad()
    def again() -> None:
        for func, args, kwargs, found in recorded.calls:
            for place, fresh in zip(tree_leaves(found), tree_leaves(func(*args, **kwargs)), strict=True):
                if isinstance(place, Tensor) and place.data_ptr() != fresh.data_ptr():
                    place.copy_(fresh)

    return again
