"""The beginnings of recorded runs played again with the code as it is: do the same numbers come out?

A result stands for what the code does for as long as the code can repeat it. Each cell's seed is trained alone from its
start until the time for it is up, for one test at least, and every metric of every test is compared: bit for bit
where machine and versions are those of the record. Elsewhere numbers part after a while, and where is merely said.

A cell that starts from others is not repeated, for their training states are no part of a store; they themselves are.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple

import torch

from benchmarks import Cell
from benchmarks._reference import differing, same_place
from benchmarks._runner import settle
from benchmarks._training import Training, provenance, runs, train
from results import Store


class Repetition(NamedTuple):
    """What came of playing a seed of a cell again. Units: `steps` in environment steps."""

    cell: Cell
    seed: int
    n_tests: int
    steps: float
    same_place: bool
    differing: str  # where the numbers part first, empty where they do not

    @property
    def failed(self) -> bool:
        """Whether other numbers came out where the same must."""
        return self.same_place and bool(self.differing)

    @property
    def words(self) -> str:
        """One line."""
        what = f"{self.cell.name} on {self.cell.environment}, seed {self.seed}"
        if not self.differing:
            tests = "1 test" if self.n_tests == 1 else f"{self.n_tests} tests"
            return f"same    {what}: {tests} up to step {self.steps:,.0f}"
        return f"{'DIFFERS' if self.same_place else 'drifts '} {what}: {self.differing}"


def repeated(cell: Cell, store: Store, seed: int, seconds: float) -> Repetition:
    """A recorded seed played again for so long."""
    recorded = store.load(cell, seed)
    assert recorded is not None
    torch.set_num_threads(int(recorded.provenance.get("threads", 1)))
    training = Training.of(cell, (seed,))
    began = time.monotonic()

    def pause(_: int) -> bool:
        return training.steps.numel() > 0 and time.monotonic() - began >= seconds

    train(cell, (seed,), training, int(recorded.n_steps), pause)
    source = provenance(cell.device, 1, time.monotonic() - began)
    (fresh,) = runs(cell, (seed,), training, source)
    parted = next(filter(None, (differing(fresh, recorded, metric) for metric in sorted(recorded.metrics))), "")
    return Repetition(cell, seed, fresh.steps.size, fresh.n_steps, same_place(fresh, recorded), parted)


def repeatable(cells: Sequence[Cell], store: Store, n_seeds: int) -> list[tuple[Cell, int]]:
    """The first recorded seeds of every cell that starts from no other and can be trained on this machine.

    Raises: StoreError where a run cannot be read.
    """
    here = [cell for cell in cells if cell.start is None and (cell.device == "cpu" or torch.cuda.is_available())]
    first = [(cell, seed) for cell in here for seed in store.seeds(cell.key)[:n_seeds]]
    return [(cell, seed) for cell, seed in first if store.load(cell, seed) is not None]


def repetitions(work: Sequence[tuple[Cell, int]], store: Store, seconds: float, n_jobs: int) -> Iterator[Repetition]:
    """What came of each, as it comes, in processes of their own.

    Raises: ChildProcessError where one of them was killed; what training itself raised.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(n_jobs, len(work)), context, initializer=settle, initargs=(1,)) as pool:
        try:
            futures = [pool.submit(repeated, cell, store, seed, seconds) for cell, seed in work]
            yield from (future.result() for future in as_completed(futures))
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a process was killed, by somebody or for want of memory: fewer jobs need less memory"
            ) from error
        except BaseException:
            for process in multiprocessing.active_children():
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
