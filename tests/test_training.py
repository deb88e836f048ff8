"""What becomes of tests while a cell trains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from _tiny import CTEDD_CELL

from benchmarks import Cell
from benchmarks._training import loop as training_module
from benchmarks._training.loop import TEST_RETURN, Training, train, units
from environments import Streams
from results import State

torch.set_num_threads(1)

SEEDS = [0, 1]


def test_where_a_policy_has_not_changed_since_its_last_test_the_result_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    draws = training_module.test_streams

    def noted(cell: Cell, seeds: Sequence[int], steps: int) -> Streams:
        made.append(steps)
        return draws(cell, seeds, steps)

    monkeypatch.setattr(training_module, "test_streams", noted)
    rarely = replace(CTEDD_CELL, algorithm=replace(CTEDD_CELL.algorithm, distill_every=300))
    training = Training.of(rarely, SEEDS)
    train(rarely, SEEDS, training, 400, lambda steps: False)
    saved = [State(400, {name: part.clone() for name, part in tensors.items()}, {}) for tensors in training.saved(2)]
    training = Training.resumed(rarely, SEEDS, saved)  # as in another process, which made none of the tests
    train(rarely, SEEDS, training, 700, lambda steps: False)
    # "L-1" at the first test, untaught, and then where it has been taught: at 300 and 600.
    assert made == sorted([100, 200, 300, 400, 500, 600, 700, 100, 300, 600])
    for seed in SEEDS:
        local, central = (training.curves[f"{TEST_RETURN} {name}"][seed].tolist() for name in ("L-1", "G"))
        assert local[0] == local[1] != local[2] == local[3] == local[4] != local[5] == local[6]
        assert len(set(central)) == 7
    described = units(rarely, training.learner)
    assert described[f"{TEST_RETURN} L-1"].endswith("until then its last result stands")
    assert "stands" not in described[f"{TEST_RETURN} G"]
