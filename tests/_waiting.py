"""Raises where a program would have to wait for an accelerator: proof without one that training never does.

A kernel is started and not waited for, so that a device has work while Python prepares more. What ends this is to ask
for a number (`item`), for a shape that hangs on numbers (`nonzero`, a mask as an index), or to hand over data from
Python or from memory that is not pinned (`torch.tensor([...])`, a list as an index).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

OURS = ("algorithms", "environments", "benchmarks")
ROOT = Path(__file__).parent.parent

# By their names in ATen, without what follows the dot.
ASKING = {
    "_local_scalar_dense",
    "_linalg_check_errors",
    "_unique",
    "_unique2",
    "bincount",
    "equal",
    "is_nonzero",
    "item",
    "masked_select",
    "multinomial",
    "nonzero",
    "repeat_interleave",
    "unique_consecutive",
    "unique_dim",
}
INDEXING = {"index", "index_put", "index_put_", "_unsafe_index", "_unsafe_index_put", "_index_put_impl_"}
FROM_PYTHON = {torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy, torch.frombuffer, Tensor.new_tensor}
TO_THE_HOST = {Tensor.tolist, Tensor.numpy, Tensor.cpu, Tensor.cuda, Tensor.__array__, Tensor.__contains__}


class WaitingError(AssertionError):
    """Something that a device would have to be waited for."""


class _Watch:
    """What happens where: places that may wait are noted, others raise."""

    def __init__(self, allowed: Mapping[tuple[str, str], str]) -> None:
        self.allowed, self.seen = allowed, set[tuple[str, str]]()

    def stop(self, what: str) -> None:
        """Called where something would wait."""
        places = list(_places())
        excused = [place for place in places if place in self.allowed]
        if not excused:
            raise WaitingError(f"{what} would wait for an accelerator, in {' < '.join(':'.join(p) for p in places)}")
        self.seen.add(excused[0])


def _places() -> Iterator[tuple[str, str]]:
    """The functions of ours that are being called, the innermost first, each with its file."""
    frame = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in OURS:
            yield str(path.relative_to(ROOT)), frame.f_code.co_name
        frame = frame.f_back  # type: ignore[assignment]


class _Kernels(TorchDispatchMode):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, kwargs = func._schema.name.split("::")[1], kwargs or {}
        masked = name in INDEXING and any(x is not None and x.dtype in (torch.bool, torch.uint8) for x in args[1])
        elsewhere = name == "_to_copy" and kwargs.get("device") not in (None, args[0].device)
        if name in ASKING or masked or elsewhere:
            self.watch.stop(str(func))
        return func(*args, **kwargs)


class _Calls(TorchFunctionMode):
    """What leaves no trace among kernels on the CPU, where data are where they are needed."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func in FROM_PYTHON and not isinstance(args[0], Tensor)
        listed = func in (Tensor.__getitem__, Tensor.__setitem__) and _lists(args[1])
        named = func is Tensor.to and any(isinstance(x, str) for x in (*args[1:], (kwargs or {}).get("device")))
        if made or listed or named or func in TO_THE_HOST:
            self.watch.stop(getattr(func, "__name__", str(func)))
        return func(*args, **(kwargs or {}))


def _lists(index: Any) -> bool:
    """Whether an index holds Python data that would have to be handed over."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(not isinstance(part, Tensor | slice | int | None | type(Ellipsis)) for part in parts)


@contextmanager
def never_waiting(allowed: Mapping[tuple[str, str], str]) -> Iterator[Callable[[], set[tuple[str, str]]]]:
    """Raises where training would wait, but in `allowed` functions; gives what tells those that have been.

    Raises: WaitingError.
    """
    watch = _Watch(allowed)
    with _Kernels(watch), _Calls(watch):
        yield lambda: watch.seen
