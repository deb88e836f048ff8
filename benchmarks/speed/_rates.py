"""How fast a cell trains, alone and beside others on the same device."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

import torch

from algorithms._stretches import Stretches, recordable
from benchmarks import Cell
from benchmarks._training.circumstances import fixed_card
from benchmarks._training.starting import settle
from benchmarks._training.work import Device
from benchmarks.speed._samples import begun, small
from benchmarks.speed.kernels import counted

N_WARM = 3
EARLY = {"first_update": 0, "random_steps": 0, "epsilon_steps": 1}


class Rate(NamedTuple):
    """Of one process. Units: kernels and milliseconds of an iteration, environment steps per seed in it."""

    kernels: int
    milliseconds: float
    steps: float


class Ready(NamedTuple):
    """A cell that trains as it does later on."""

    iterate: Callable[[], int]  # an iteration or a stretch of them, which returns the steps so far
    kernels: int  # of an iteration
    steps: int


def ready(cell: Cell, n_seeds: int) -> Ready:
    """A cell that learns from the beginning, warm; on a card in stretches, where its learner can be recorded."""
    own = {field.name: EARLY[field.name] for field in fields(cell.algorithm) if field.name in EARLY}
    soon = replace(cell, algorithm=replace(cell.algorithm, **own), start=None, measure=None)
    learner = begun(soon, tuple(range(n_seeds))).learner

    def plainly() -> int:
        soon.algorithm.advance(soon.env, learner)
        return int(learner.steps)

    for _ in range(N_WARM):
        before = plainly()
    with counted() as kernels:
        steps = plainly() - before
    iterate = _in_stretches(soon, learner) if cell.device == "cuda" and recordable(soon.algorithm) else plainly
    for _ in range(N_WARM):
        iterate()
    return Ready(iterate, kernels.total(), steps)


def _in_stretches(cell: Cell, learner: Any) -> Callable[[], int]:
    stretches = Stretches(cell.algorithm, cell.env, learner, cell.evaluation.every)

    def iterate() -> int:
        stretches.advance(learner.steps + cell.evaluation.every)
        return int(learner.steps)

    return iterate


def rate(cell: Cell, n_seeds: int, seconds: float) -> Rate:
    """That of one process, which has the device for itself."""
    iterate, kernels, steps = ready(cell, n_seeds)
    first = iterate()
    _, last, took = timed(iterate, cell.device, seconds)
    return Rate(kernels, 1000 * took * steps / max(last - first, 1), steps)


def timed(iterate: Callable[[], int], device: str, seconds: float) -> tuple[int, int, float]:
    """How many iterations, the steps after them, and how long they took; one at least."""
    finished(device)
    began, n_iterations = time.perf_counter(), 0
    while True:
        steps, n_iterations = iterate(), n_iterations + 1
        if time.perf_counter() - began >= seconds:
            finished(device)
            return n_iterations, steps, time.perf_counter() - began


def finished(device: str) -> None:
    """Waits until all that was started has been done."""
    if device == "cuda":
        torch.cuda.synchronize()


def side_by_side(cell: Cell, n_seeds: int, seconds: float, n_processes: int) -> float:
    """Environment steps a second and seed of all processes together, each of which trains the same cell.

    Raises: RuntimeError where one of them has died.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(n_processes)
    lines = [context.Pipe() for _ in range(n_processes)]
    processes = [
        context.Process(target=_process, args=(there, barrier, cell, n_seeds, seconds), daemon=True)
        for _, there in lines
    ]
    for process, (_, there) in zip(processes, lines, strict=True):
        process.start()
        there.close()  # so that its death is heard
    try:
        return float(sum(here.recv() for here, _ in lines))
    except EOFError:
        raise RuntimeError(f"one of {n_processes} processes died; perhaps they do not fit into the memory") from None
    finally:
        for process in processes:
            process.kill()
            process.join()


def _process(line: Connection, barrier: Barrier, cell: Cell, n_seeds: int, seconds: float) -> None:
    settle(os.environ)
    fixed_card()
    iterate = ready(cell, n_seeds).iterate
    first = iterate()
    barrier.wait(timeout=120.0)
    _, last, took = timed(iterate, cell.device, seconds)
    line.send((last - first) / took)


def sample(cell: Cell, device: Device, *, brief: bool) -> Cell:
    """The cell as its figure has it, or in small, on a device."""
    return (small(cell) if brief else cell).on(device)
