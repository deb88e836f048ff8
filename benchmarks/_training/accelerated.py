"""Training on an accelerator, where learners allow it in stretches of many iterations that are started as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from algorithms._stretches import Recorder, Stretches, graph, recordable
from benchmarks import Cell
from benchmarks._training import loop
from benchmarks._training.loop import Training

Trains = Callable[[Cell, Sequence[int], Training, int, Callable[[int], bool]], None]
"""What goes on with a training: see `loop.train`."""


def training_of(cell: Cell) -> Trains:
    """How a cell is trained on its device."""
    return in_stretches if cell.device == "cuda" and recordable(cell.algorithm) else loop.train


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
    stretches = Stretches(cell.algorithm, cell.env, learner, recorder)
    while learner.steps < n_steps:
        before = learner.steps
        stretches.advance(min(n_steps, (before // every + 1) * every))
        if learner.steps // every > before // every:
            loop._record(cell, seeds, training)
        if pause(learner.steps):
            return
