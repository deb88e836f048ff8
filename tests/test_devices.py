"""On an accelerator nothing may lie elsewhere: here on "meta", a device without memory, which no other may be mixed with.

What asks for a number cannot be played on it; those who do are left out, up to where they ask.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks import Cell
from benchmarks._training.circumstances import one_thread
from benchmarks._training.loop import tested, tested_policies
from benchmarks.speed._samples import cells, small
from environments import Streams

one_thread()

SEEDS = (0, 1)
CELLS = cells()
ASKING = ("TRPO", "DiMAPG", "Rivals", "Survival", "Hunters")
"""Whose line search, or rounds until nothing changes any more, need a number."""


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


def played(cell: Cell) -> Any:
    """The learner after two iterations and tests; what it starts from has gone through as many."""
    learner = cell.algorithm.init(cell.env, Nowhere())
    if cell.start is not None:
        brief = [small(teacher).on(cell.device) for teacher, _ in cell.teachers]
        cell.start.transfer(cell.algorithm, cell.env, learner, tuple((one.env, played(one)) for one in brief))
    for _ in range(2):
        cell.algorithm.advance(cell.env, learner)
        for policy in tested_policies(cell, learner).values():
            tested(cell, policy, SEEDS, learner.steps)
    return learner


@pytest.mark.parametrize("name", [name for name in CELLS if not any(part in name for part in ASKING)])
def test_nothing_lies_elsewhere(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Streams, "of", lambda *_: Nowhere())
    device: Any = "meta"
    played(small(CELLS[name]).on(device))
