"""How many kernels training starts: on an accelerator each costs its start, whatever it does.

    python -m benchmarks.speed.kernels [PART OF A NAME …]

Counted on the CPU, where the same operations are dispatched: every one that computes or writes is a kernel, views and
fresh memory are not, and one for a list of tensors is one. What validates on the CPU only is left out. Sizes do not
matter but for the number of seeds, each of which has a stream of its own: ten, as in the papers' profiles.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, NamedTuple
from unittest.mock import patch

from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import Cell
from benchmarks._training.circumstances import one_thread
from benchmarks._training.loop import Training, played, test_streams, tested_policies
from benchmarks.speed._samples import begun, cells, small
from environments import _particles

N_SEEDS = 10
NO_KERNELS = {
    "detach",
    "empty",
    "empty_like",
    "empty_strided",
    "new_empty",
    "new_empty_strided",
    "_unsafe_view",
    "set_",
}
DRAWS = {"uniform_", "normal_", "random_"}


class Counting(TorchDispatchMode):
    """Counts kernels by their names."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kernels: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.split("::")[1]
        if not func.is_view and name not in NO_KERNELS:
            self.kernels[name] += 1
        return func(*args, **(kwargs or {}))


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """The kernels that are started within, by name."""
    counting = Counting()
    with patch.object(_particles, "_validate_values", lambda *_: None), counting:
        yield counting.kernels


class Counts(NamedTuple):
    """Kernels of an iteration, of those an update and one of its steps; draws among them; of a step of all tests."""

    iteration: int
    update: int | None  # None where steps and updates cannot be told apart
    step: float | None
    draws: int
    test_step: float


def counts(cell: Cell) -> Counts:
    """Those of a small cell; an iteration that neither distils nor grows its replay, and ends episodes as often as
    any."""
    iteration = _iteration(cell)
    names = {field.name for field in fields(cell.algorithm)}
    update, step = None, None
    if {"first_update", "steps_per_update"} <= names:
        waiting = replace(cell, algorithm=replace(cell.algorithm, first_update=10**9))
        playing = _iteration(waiting).total()
        update = iteration.total() - playing
        step = playing * cell.algorithm.n_envs / cell.algorithm.steps_per_update
    draws = sum(iteration[name] for name in DRAWS)
    return Counts(iteration.total(), update, step, draws, _test(cell) / cell.env.horizon)


def _iteration(cell: Cell) -> Counter[str]:
    seeds = tuple(range(N_SEEDS))
    training = begun(cell, seeds)
    for _ in range(4):
        cell.algorithm.advance(cell.env, training.learner)
    with counted() as kernels:
        cell.algorithm.advance(cell.env, training.learner)
    return kernels


def _test(cell: Cell) -> int:
    seeds = tuple(range(N_SEEDS))
    training = begun(cell, seeds)
    test = _tests(cell, seeds, training)
    test()
    with counted() as kernels:
        test()
    return kernels.total()


def _tests(cell: Cell, seeds: tuple[int, ...], training: Training) -> Callable[[], None]:
    def test() -> None:
        for policy in tested_policies(cell, training.learner).values():
            played(cell, policy, test_streams(cell, seeds, 0))

    return test


def main(parts: list[str]) -> None:
    """Prints a line a cell."""
    one_thread()
    print(f"{'kernels, ten seeds':38} {'iteration':>9} {'update':>7} {'step':>6} {'draws':>6} {'test, a step':>13}")
    for name, cell in cells().items():
        if not parts or any(part in name for part in parts):
            found = counts(_without_distillation(small(cell)))
            update = "" if found.update is None else str(found.update)
            step = "" if found.step is None else f"{found.step:.0f}"
            print(f"{name:38} {found.iteration:9} {update:>7} {step:>6} {found.draws:6} {found.test_step:13.0f}")


def _without_distillation(cell: Cell) -> Cell:
    if "distill_every" in {field.name for field in fields(cell.algorithm)}:
        return replace(cell, algorithm=replace(cell.algorithm, distill_every=10**9))
    return cell


if __name__ == "__main__":
    main(sys.argv[1:])
