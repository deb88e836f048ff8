"""How many kernels training starts: on an accelerator each costs its start, whatever it does.

    python -m benchmarks.speed.kernels [PART OF A NAME …]

Counted on the CPU, where the same operations are dispatched: every one that computes or writes is a kernel, views and
fresh memory are not. One for lists of tensors is one on CUDA where the lists lie alike in memory, each tensor in one
piece, and else one a tensor. What validates on the CPU only is left out. Sizes do not matter but for the number of
seeds, each of which has a stream of its own: ten, as in the papers' profiles. The draws of ten seeds are ten kernels on
a CPU and one on a card; of updates both counts are printed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor
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
            self.kernels[name] += _of_lists(args) if name.startswith("_foreach_") else 1
        return func(*args, **(kwargs or {}))


def _of_lists(args: Sequence[Any]) -> int:
    """How many kernels an operation on lists of tensors is. Source: PyTorch, ForeachUtils.h `can_use_fast_route`."""
    first, *others = [arg for arg in args if isinstance(arg, list | tuple) and isinstance(arg[0], Tensor)]
    dense = torch.ops.aten.is_non_overlapping_and_dense
    whole = all(dense(tensor) for tensors in (first, *others) for tensor in tensors)
    alike = all(_alike(*pair) for tensors in others for pair in zip(first, tensors, strict=True))
    return 1 if whole and alike else len(first)


def _alike(one: Tensor, other: Tensor) -> bool:
    strides = zip(one.shape, one.stride(), other.stride(), strict=False)
    return one.shape == other.shape and all(a == b for n, a, b in strides if n > 1)


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
    update_on_a_card: int | None
    step: float | None
    draws: int
    test_step: float


def counts(cell: Cell) -> Counts:
    """Those of a small cell; an iteration that neither distils nor grows its replay, and ends episodes as often as
    any."""
    iteration = _iteration(cell)
    names = {field.name for field in fields(cell.algorithm)}
    update, on_a_card, step = None, None, None
    if {"first_update", "steps_per_update"} <= names:
        waiting = replace(cell, algorithm=replace(cell.algorithm, first_update=10**9))
        playing = _iteration(waiting)
        update = iteration.total() - playing.total()
        on_a_card = update - (_draws(iteration) - _draws(playing)) * (N_SEEDS - 1) // N_SEEDS
        step = playing.total() * cell.algorithm.n_envs / cell.algorithm.steps_per_update
    return Counts(iteration.total(), update, on_a_card, step, _draws(iteration), _test(cell) / cell.env.horizon)


def _draws(kernels: Counter[str]) -> int:
    return sum(kernels[name] for name in DRAWS)


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
    print(_line("kernels, ten seeds", ("iteration", "update", "on a card", "step", "draws", "test, a step")))
    for name, cell in cells().items():
        if not parts or any(part in name for part in parts):
            found = counts(_without_distillation(small(cell)))
            print(_line(name, ["" if number is None else f"{number:.0f}" for number in found]))


def _line(name: str, numbers: Sequence[str]) -> str:
    return f"{name:38} " + " ".join(f"{number:>12}" for number in numbers)


def _without_distillation(cell: Cell) -> Cell:
    if "distill_every" in {field.name for field in fields(cell.algorithm)}:
        return replace(cell, algorithm=replace(cell.algorithm, distill_every=10**9))
    return cell


if __name__ == "__main__":
    main(sys.argv[1:])
