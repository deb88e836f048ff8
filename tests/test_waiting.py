"""Training never waits for an accelerator: every algorithm in every game that figures use, on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from _waiting import WaitingError, never_waiting

from algorithms.maddpg import MADDPG
from benchmarks import Cell
from benchmarks._training.circumstances import one_thread
from benchmarks.speed._samples import advanced, begun, cells, small

one_thread()

SEEDS = (0, 1)
CELLS = cells()
ROUNDS = "rounds until nothing changes any more, of which most steps need one or two; as many as might be needed, as \
kernels that are not waited for, would take longer than to ask"
ALLOWED = {
    ("environments/_particles.py", "_validate_values"): "asked on the CPU only",
    ("environments/_memory.py", "room"): "memory of the CPU, asked for on the CPU only",
    ("environments/hunters.py", "_captures"): ROUNDS,
    ("environments/survival.py", "_attack"): ROUNDS,
    ("environments/survival.py", "_move"): ROUNDS,
    ("algorithms/_trust_region.py", "trust_region_step"): "a line search of fifteen steps at most, mostly one",
    ("benchmarks/_training/loop.py", "_record"): "what a test has found goes to the host, once a test",
}


@pytest.mark.parametrize("name", CELLS)
def test_an_iteration_a_test_and_a_reset_do_not_wait(name: str) -> None:
    cell = small(CELLS[name])
    training = begun(cell, SEEDS)
    advanced(cell, SEEDS, training, 5)  # what is made once has been made
    with never_waiting(ALLOWED):
        advanced(cell, SEEDS, training, 4)
