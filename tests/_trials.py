"""What tests of training need: one end of a line, a look at stored numbers to the last bit, and real command lines."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import _commands
import torch
from torch import Tensor

from algorithms._tree import leaves, split
from benchmarks import Cell
from benchmarks._training.loop import Training
from benchmarks._training.session import Outcome, Progress, Released, train_cell
from benchmarks._training.work import Work
from results import Run, State, States, Store

ROOT = Path(__file__).parent.parent
TINY = Path(__file__).parent / "_tiny.py"
WARM = (TINY.name, "_sessions.py")
PATIENCE = 900.0  # seconds until a test gives up waiting for another process, on a machine that has more to do

Bits = dict[str, bytes]
Asked = Literal["", "stop", "halve"]


@dataclass
class Told:
    """A line that a test is at the other end of: asks for the same thing whenever it can, and keeps what was said."""

    asks: Asked = ""
    ends: float = math.inf
    said: list[Progress | Released] = field(default_factory=list)

    def say(self, said: Progress | Released) -> None:
        self.said.append(said)

    def asked(self) -> Asked:
        return self.asks

    @property
    def progress(self) -> list[Progress]:
        """How far it was, again and again."""
        return [one for one in self.said if isinstance(one, Progress)]


def states_of(folder: Path) -> States:
    return States(folder / ".states")


def outcome(
    folder: Path, item: Work, *, line: Told | None = None, set_aside: bool = False, states: States | None = None
) -> Outcome:
    """Trains here what a process of its own would."""
    return train_cell(item, Store(folder), states or states_of(folder), line or Told(), set_aside=set_aside)


def trained(
    folder: Path, cell: Cell, seeds: Sequence[int] = (0, 1), n_steps: int = 400, line: Told | None = None
) -> bool:
    """Trains here what must not fail; whether all of it is whole."""
    found = outcome(folder, Work(cell, tuple(seeds), n_steps), line=line)
    assert not found.failures, found.failures
    return set(found.whole) == set(seeds)


def failing(folder: Path, item: Work) -> dict[int, str]:
    """Trains here what must fail, and returns the sentence of every seed that has."""
    found = outcome(folder, item)
    assert found.failures and not set(found.whole) & {seed for failure in found.failures for seed in failure.seeds}
    return {seed: failure.sentence for failure in found.failures for seed in failure.seeds}


def loaded(folder: Path, cell: Cell, seed: int) -> Run:
    run = Store(folder).load(cell, seed)
    assert run is not None
    return run


def bits(run: Run) -> Bits:
    numbers: dict[str, Any] = {"steps": run.steps, **run.metrics, **run.arrays}
    return {name: values.tobytes() for name, values in numbers.items()}


def curves(folder: Path, cell: Cell, seeds: Sequence[int] = (0, 1)) -> list[Bits]:
    """All numbers that are stored."""
    return [bits(loaded(folder, cell, seed)) for seed in seeds]


def saved(folder: Path, cell: Cell, seed: int) -> State:
    state = states_of(folder).latest(cell.key, seed)
    assert state is not None
    return state


def contents(training: Training, n_seeds: int) -> list[dict[str, Tensor]]:
    """Copies of all that training owns; of replay what it holds, not the memory that nothing was written to."""
    held = split(training, n_seeds)
    replay = training.learner.replay
    transitions = leaves(replay.between(replay.oldest, replay.n_steps))
    for row, seed in enumerate(held):
        rows = [values[row].flatten() for values in transitions.values() if isinstance(values, Tensor)]
        seed[".learner.replay.rows"] = torch.cat(rows)
    return [{name: values.clone() for name, values in seed.items()} for seed in held]


def differing(folder: Path, other: Path, cell: Cell, seeds: Sequence[int] = (0, 1)) -> list[str]:
    """What is not the same, to the last bit, of the training states in two folders."""
    one, two = (
        contents(Training.resumed(cell, seeds, [saved(place, cell, seed) for seed in seeds]), len(seeds))
        for place in (folder, other)
    )
    return [
        f"{seed}{name}"
        for seed, here, there in zip(seeds, one, two, strict=True)
        for name in here
        if not torch.allclose(here[name].double(), there[name].double(), rtol=0, atol=0, equal_nan=True)
    ]


def assert_same_end(folder: Path, other: Path, cell: Cell, seeds: Sequence[int] = (0, 1)) -> None:
    assert curves(folder, cell, seeds) == curves(other, cell, seeds)
    assert differing(folder, other, cell, seeds) == []


def silent(progress: Sequence[Progress], left: float) -> None:
    """Nobody listens."""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"waited in vain until {what}"
        time.sleep(0.02)


OLD = "0" * 12  # the digest of code that is gone


def aged(folder: Path, to: Path, *cells: Cell, seeds: Sequence[int] = (0, 1)) -> None:
    """Puts the runs of a store into another, as other code would have left them."""
    for cell in cells:
        for seed in seeds:
            run = loaded(folder, cell, seed)
            history = tuple(replace(session, sources=OLD, commit="abc") for session in run.history)
            Store(to).save(cell, replace(run, history=history))


Begun = subprocess.Popen[str] | _commands.Command
Begin = Callable[..., Begun]


@contextmanager
def command_lines() -> Iterator[Begin]:
    """Starts command lines on the tiny figures, each in a group of its own, and ends what is left.

    They have all imported already, but those of other code, of another script, or that are to begin `cold`.
    """
    begun: list[Begun] = []

    def begin(
        *arguments: object, root: Path = ROOT, script: str = TINY.name, cold: bool = False, **variables: str
    ) -> Begun:
        command = [str(root / "tests" / script), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(root), **variables}
        if not cold and root == ROOT and script in WARM:
            begun.append(_commands.begin(command, cwd=root, environment=environment))
            return begun[-1]
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    try:
        yield begin
    finally:
        for process in begun:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def heard(process: Begun) -> str:
    """All that a command line says until it ends."""
    return process.communicate(timeout=PATIENCE)[0]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in found.stdout.splitlines()]
    wanted = [pid]
    for one in wanted:
        wanted += [child for child, parent in parents if parent == one]
    return wanted[1:]


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and that nobody has buried does not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() != "" and not found.stdout.startswith("Z")
