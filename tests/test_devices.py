"""On an accelerator nothing may lie elsewhere: here on "meta", a device without memory.

What asks for a number cannot be played on it; those who do are left out, up to where they ask.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks import Cell
from benchmarks._training import loop
from benchmarks._training.circumstances import one_thread
from benchmarks.speed._samples import cells, small
from environments import Streams

one_thread()

SEEDS = (0, 1)
CELLS = cells()
ASKING = ("TRPO", "DiMAPG", "Survival", "Hunters", "Tuition", "Scripted", "Meeting")
"""Whose line search, early stop, assignment, or rounds until nothing changes any more, need a number; or who start from
such."""


class Nowhere:
    """Streams of numbers that are not there."""

    n_seeds, device = len(SEEDS), torch.device("meta")

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.empty(self.n_seeds, *shape, device=self.device)

    def normal(self, *shape: int) -> Tensor:
        return torch.empty(self.n_seeds, *shape, device=self.device)

    def integers(self, *shape: int, high: int) -> Tensor:
        return torch.empty(self.n_seeds, *shape, dtype=torch.int64, device=self.device)

    def branched(self) -> Nowhere:
        return self

    def aside(self, purpose: str) -> Nowhere:
        return self


class Together(TorchDispatchMode):
    """Raises where an operation's tensors lie on several devices, but for single numbers.

    Raises: ValueError.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [x for x in tree_leaves((args, kwargs or {})) if isinstance(x, Tensor) and x.dim()]
        devices = {x.device.type for x in given}
        if len(devices) > 1:
            raise ValueError(f"the tensors of {func} must lie on one device, got {sorted(devices)}")
        return func(*args, **(kwargs or {}))


def played(cell: Cell) -> Any:
    """The learner after two iterations and tests; what it starts from has gone through as many."""
    learner = cell.algorithm.init(cell.env, Nowhere())
    if cell.start is not None:
        brief = [small(teacher).on(cell.device) for teacher, _ in cell.teachers]
        cell.start.transfer(cell.algorithm, cell.env, learner, tuple((one.env, played(one)) for one in brief))
    for _ in range(2):
        cell.algorithm.advance(cell.env, learner)
        for policy in loop.tested_policies(cell, learner).values():
            loop.played(cell, policy, loop.test_streams(cell, SEEDS, learner.steps))
    return learner


@pytest.mark.parametrize("name", [name for name in CELLS if not any(part in name for part in ASKING)])
def test_nothing_lies_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "of", lambda *_: Nowhere())
    device: Any = "meta"
    with Together():  # type: ignore[no-untyped-call]
        played(small(CELLS[name]).on(device))


WAYS: dict[str, Any] = {
    "add": lambda x: x + torch.zeros(2),
    "index": lambda x: x[torch.tensor([0, 1])],
    "index_select": lambda x: x.index_select(0, torch.tensor([1])),
    "gather": lambda x: x.gather(0, torch.zeros(1, 2, dtype=torch.int64)),
    "product": lambda x: torch.bmm(x[None], torch.zeros(1, 2, 2)),
    "copy": lambda x: x.copy_(torch.zeros(3, 2)),
    "cat": lambda x: torch.cat([x, torch.zeros(3, 2)]),
}


@pytest.mark.parametrize("mixed", WAYS.values(), ids=WAYS.keys())
def test_it_would_be_noticed(mixed: Any) -> None:
    mixing = pytest.raises(ValueError, match=r"must lie on one device, got \['cpu', 'meta'\]")
    with Together(), mixing:  # type: ignore[no-untyped-call]
        mixed(torch.empty(3, 2, device="meta"))
