"""How many processes share one accelerator, and what they share out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from _tiny import CTEDD_CELL, MADDPG_CELL
from test_runner import Pool
from torch import Tensor

from algorithms._tree import leaves
from benchmarks import Cell
from benchmarks._training.loop import Training, train
from benchmarks._training.sharing import ALLOWANCE, bytes_needed, processes
from benchmarks._training.work import Work

GIB = 1 << 30


def held(training: Training) -> int:
    """What the tensors of a learner hold. Units: bytes."""
    return sum(leaf.nbytes for leaf in leaves(training.learner).values() if isinstance(leaf, Tensor))


@pytest.mark.parametrize("cell", [MADDPG_CELL, CTEDD_CELL], ids=lambda cell: cell.name)
def test_what_a_cell_needs_is_what_training_holds_and_the_ring_that_its_replay_outgrew(cell: Cell) -> None:
    learns = replace(cell, algorithm=replace(cell.algorithm, capacity=10_000))
    later = {name: 10_000 for name in ("first_update", "distill_every") if hasattr(cell.algorithm, name)}
    plays = replace(cell, algorithm=replace(learns.algorithm, **later))
    for n_steps, large in ((100, learns), (1_000, plays), (2_000, plays)):
        training = Training.of(large, (0, 1))
        sizes = {training.learner.replay.rows.nbytes}

        def watch(_: int, training: Training = training, sizes: set[int] = sizes) -> bool:
            sizes.add(training.learner.replay.rows.nbytes)
            return False

        train(large, (0, 1), training, n_steps, watch)
        outgrown = sorted(sizes)[-2] if len(sizes) > 1 else 0
        most = held(training) + outgrown
        assert bytes_needed(Work(large, (0, 1), n_steps)) == most


def test_as_many_as_have_a_core_and_fit_and_no_more_than_cells() -> None:
    work = [Work(replace(MADDPG_CELL, name=str(i)), (0,), 400) for i in range(20)]
    need = ALLOWANCE + bytes_needed(work[0])
    assert processes(work, n_cores=16, free=200 * GIB) == 16
    assert processes(work[:3], n_cores=16, free=200 * GIB) == 3
    assert processes(work, n_cores=16, free=int(5 * need / 0.9) + 1) == 5
    assert processes(work, n_cores=16, free=0) == processes([], n_cores=16, free=GIB) == 1


def test_the_largest_cell_decides() -> None:
    large = Work(
        replace(MADDPG_CELL, algorithm=replace(MADDPG_CELL.algorithm, capacity=10**6)), tuple(range(10)), 10**6
    )
    small = Work(MADDPG_CELL, (0,), 400)
    free = int(4 * (ALLOWANCE + bytes_needed(large)) / 0.9) + 1
    assert processes([small] * 9, 9, free) == 9
    assert processes([large, *[small] * 8], 9, free) == 4


def test_on_an_accelerator_the_seeds_of_a_cell_stay_together() -> None:
    for splits, n_begun in ((True, 4), (False, 2)):
        pool = Pool([Work(MADDPG_CELL, (0, 1, 2), 400), Work(CTEDD_CELL, (0, 1), 400)], n_jobs=4)
        pool.splits = splits
        assert len(pool.watched()) == n_begun
