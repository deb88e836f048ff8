"""How many kernels an update and a step are: they only become fewer, unless somebody says so here."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from benchmarks import Cell, Evaluation
from benchmarks._training.circumstances import one_thread
from benchmarks.speed._samples import small
from benchmarks.speed.kernels import _without_distillation, counted, counts
from environments.cooperative_navigation import CN_V1

one_thread()

AT_MOST = {"MADDPG-3": (613, 532, 98.5), "CTEDD": (254, 236, 102)}
LEARNERS: dict[str, Any] = {"MADDPG-3": MADDPG(message_size=3), "CTEDD": CTEDD()}


@pytest.mark.parametrize("name", LEARNERS)
def test_an_update_and_a_step_start_no_more_kernels_than_they_did(name: str) -> None:
    found = counts(_without_distillation(small(Cell(name, "CN-V1", LEARNERS[name], CN_V1, Evaluation(100, 1)))))
    assert found.update is not None
    assert found.update_on_a_card is not None
    assert found.step is not None
    update, on_a_card, step = AT_MOST[name]
    assert found.update <= update
    assert found.update_on_a_card <= on_a_card
    assert found.step <= step


def test_a_kernel_for_lists_is_one_where_they_lie_alike_in_one_piece_and_else_one_a_tensor() -> None:
    stack = [torch.zeros(3, 2, 4), torch.zeros(3, 2, 5)]
    for lists, n in (
        ((stack, [torch.ones_like(part) for part in stack]), 1),
        ((stack, [torch.ones(3, 1, 1) for _ in stack]), 2),  # spread out
        (([part[:, 0] for part in stack], [torch.ones(3, n) for n in (4, 5)]), 2),  # not in one piece
        ((stack, [torch.ones(2, 3, n).transpose(0, 1) for n in (4, 5)]), 2),  # in another order
    ):
        with counted() as kernels:
            torch._foreach_mul_(*lists)
        assert kernels["_foreach_mul_"] == n
