"""Training on an accelerator, where learners allow it in stretches of many iterations that are started as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from algorithms import Policy
from algorithms._stand_ins import Piece, Recorder, graph
from algorithms._stretches import Stretches, recordable
from benchmarks import Cell
from benchmarks._training.loop import Training, played, record, test_streams, train

Trains = Callable[[Cell, Sequence[int], Training, int, Callable[[int], bool]], None]
"""What goes on with a training: see `loop.train`."""


def training_of(cell: Cell) -> Trains:
    """How a cell is trained on its device."""
    return in_stretches if cell.device == "cuda" and recordable(cell.algorithm) else train


def in_stretches(
    cell: Cell,
    seeds: Sequence[int],
    training: Training,
    n_steps: int,
    pause: Callable[[int], bool],
    *,
    recorder: Recorder = graph,
) -> None:
    """As `loop.train`, with the same tests; `pause` is asked after every stretch."""
    learner, every = training.learner, cell.evaluation.every
    stretches = Stretches(cell.algorithm, cell.env, learner, every, recorder)
    tests = _Tests(cell, seeds, recorder)
    while learner.steps < n_steps:
        before = learner.steps
        stretches.advance(min(n_steps, (before // every + 1) * every))
        if learner.steps // every > before // every:
            record(cell, seeds, training, tests)
        if pause(learner.steps):
            return


class _Tests:
    """Tests of policies in memory that stands, each recorded once it has been seen."""

    def __init__(self, cell: Cell, seeds: Sequence[int], recorder: Recorder) -> None:
        self._cell, self._seeds, self._recorder = cell, seeds, recorder
        self._pieces: dict[str, Piece] = {}
        self._found: dict[str, Tensor] = {}

    def __call__(self, name: str, policy: Policy, steps: int) -> Tensor:
        """The mean returns of a policy, known by its name. Shapes: [S]."""
        streams = test_streams(self._cell, self._seeds, steps)

        def kernels(stand_in: Any) -> None:
            self._found[name] = played(self._cell, policy, stand_in)

        piece = self._pieces.setdefault(name, Piece(kernels, self._recorder))
        piece(streams)
        return self._found[name].clone()
