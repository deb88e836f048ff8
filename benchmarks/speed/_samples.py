"""What the suite trains, in small: every algorithm in every game that figures use, with few copies and small networks.

Steps, tests, resets, updates and distillations all come within a few iterations; what they do is what they do at full
size, kernel by kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from benchmarks import Cell, Evaluation
from benchmarks._catalogue import figures
from benchmarks._training.loop import Training, train

SMALL: dict[str, Any] = {
    "hidden": 8,
    "widths": (4, 4),
    "latent_size": 4,
    "batch_size": 16,
    "capacity": 480,
    "first_update": 20,
    "random_steps": 40,
    "epsilon_steps": 80,
    "steps_per_update": 20,
    "steps_per_iteration": 20,
    "n_envs": 5,
    "distill_every": 40,
    "iterations_per_round": 2,
    "n_trajectories": 3,
    "inner_steps": 2,
    "n_steps": 3,
}
HORIZON = 5
FOREVER = 10**12


def cells() -> dict[str, Cell]:
    """The first cell of every algorithm in every game, of all figures and of what their cells start from."""
    found: dict[str, Cell] = {}
    waiting = [cell for figure in figures() for cell in figure.cells]
    for cell in waiting:
        waiting += [teacher for teacher, _ in cell.teachers]
        found.setdefault(f"{type(cell.algorithm).__name__} on {type(cell.env).__name__}", cell)
    return found


def small(cell: Cell) -> Cell:
    """A cell with small settings, tested after every iteration in two short episodes, and measured by nothing else."""
    env = replace(cell.env, horizon=HORIZON)
    return replace(cell, algorithm=_small(cell.algorithm), env=env, evaluation=Evaluation(1, 2), measure=None)


def _small(algorithm: Any) -> Any:
    names = {field.name for field in fields(algorithm)}
    own: dict[str, Any] = {name: value for name, value in SMALL.items() if name in names}
    if "learner" in names:
        own["learner"] = _small(algorithm.learner)
    if "learners" in names:
        own["learners"] = tuple(map(_small, algorithm.learners))
    return replace(algorithm, **own)


def begun(cell: Cell, seeds: tuple[int, ...]) -> Training:
    """The beginning of a small cell; what it starts from has gone through a few iterations."""
    if cell.start is None:
        return Training.of(cell, seeds)
    teachers = []
    for teacher, _ in cell.teachers:
        brief = small(teacher).on(cell.device)
        teachers.append(begun(brief, seeds))
        advanced(brief, seeds, teachers[-1], 3)
    return Training.started(cell, cell.start, seeds, teachers)


def advanced(cell: Cell, seeds: tuple[int, ...], training: Training, n_iterations: int) -> None:
    """So many iterations, each with a test behind it."""
    train(cell, seeds, training, FOREVER, _after(n_iterations))


def _after(n_iterations: int) -> Callable[[int], bool]:
    """A pause that stops training then."""
    left = iter(range(n_iterations - 1, -1, -1))
    return lambda _: next(left) == 0
