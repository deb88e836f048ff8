"""What to do with a card that is at hand for some minutes: check it, time it, and record what it can.

    python -m benchmarks.speed.card --minutes 14 --out DIR [--store DIR] [--skip agreement rates sharing record]
    python -m benchmarks.speed.card --rehearse --minutes 4 --out DIR       the same on a CPU, with small cells

1. agreement: every algorithm in every game that figures use, in small, on the CPU and on the card, as two groups of
   seeds; more than chance between them ends it all;
2. rates: kernels and milliseconds of an iteration of each of them at full size;
3. sharing: steps a second of 1, 4, 8 and 12 processes that train the same cell side by side;
4. record: profile paper by value: the cells with which most sentences can be judged, as many as can end in what is
   left. What does not end is kept as far as it has come.

Processes share the card by CUDA's multi-process service, where its program is there: without it only one of them has
kernels on the card at a time. All that is found is printed at once, and written to `card.json` after each part; what
was recorded is packed into `recorded.tar`. Figures are trained into a store of their own, from which it can be copied
into results/recorded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch

from benchmarks import Cell
from benchmarks._catalogue import figures
from benchmarks._judging.desk import Desk
from benchmarks._judging.value import by_value
from benchmarks._options import RECORDED, stores_of
from benchmarks._training.circumstances import commit, fixed_card, one_thread
from benchmarks._training.loop import Training, runs
from benchmarks._training.progress import Reporter
from benchmarks._training.runner import n_cores, train_all
from benchmarks._training.session import n_tests, sessions_of
from benchmarks._training.work import Device, Library, Work, missing_work, usable_device
from benchmarks.speed._agreement import Comparison, apart, compared, curves
from benchmarks.speed._rates import Rate, rate, sample, side_by_side
from benchmarks.speed._samples import cells
from results import States, Store

PARTS = ("agreement", "rates", "sharing", "record")
MARGIN = 30.0
"""What is kept for processes to end in, and to store what has not ended. Units: seconds."""
SHARED = ("MADDPG on CooperativeNavigation", "DiscreteMADDPG on Spread")


@dataclass
class Plan:
    """How much of everything, and what has been found."""

    device: Device
    out: Path
    store: Path
    ends: float  # by `time.monotonic`
    brief: bool
    n_seeds: int = 10
    n_compared: int = 24
    n_iterations: int = 12
    seconds: float = 1.0
    numbers: tuple[int, ...] = (1, 4, 8, 12)
    part: str = ""  # of the ids of the figures that are recorded
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds, without the margin."""
        return self.ends - time.monotonic() - MARGIN

    def note(self, part: str, found: Any) -> None:
        """Writes down what a part has found."""
        self.found[part] = found
        (self.out / "card.json").write_text(json.dumps(self.found, indent=1) + "\n")


# ---- the four parts -------------------------------------------------------------------------------------------------


def agreement(plan: Plan, found: Mapping[str, Cell]) -> None:
    """Both devices, cell by cell; on a rehearsal the CPU and itself, with other seeds.

    Raises: ValueError where they differ by more than chance.
    """
    here = range(plan.n_compared)
    there = range(plan.n_compared, 2 * plan.n_compared)
    comparisons: list[Comparison] = []
    for name, cell in found.items():
        one = curves(cell, here, "cpu", plan.n_iterations)
        other = curves(cell, there, plan.device, plan.n_iterations)
        of_cell = list(compared(name, one, other))
        comparisons += of_cell
        say(f"{name:38} {len(of_cell)} curves, smallest p {min((c.p for c in of_cell), default=1.0):.2g}")
        plan.note("agreement", [c._asdict() for c in comparisons])
    differing = apart(comparisons)
    for one_of in differing:
        say(f"DIFFERS {one_of.cell}: {one_of.metric} {one_of.here:g} and {one_of.there:g}, p = {one_of.p:.2g}")
    if differing:
        raise ValueError(f"expected cpu and {plan.device} to train alike, got {len(differing)} curves that differ")


def rates(plan: Plan, found: Mapping[str, Cell]) -> dict[str, Rate]:
    """An iteration of every cell, alone on the device."""
    measured = {}
    for name, cell in found.items():
        if cell.start is not None:  # it has the learner of another
            continue
        measured[name] = rate(sample(cell, plan.device, brief=plan.brief), plan.n_seeds, plan.seconds)
        kernels, milliseconds, _ = measured[name]
        say(f"{name:38} {kernels:7} kernels {milliseconds:9.1f} ms an iteration")
        plan.note("rates", {key: value._asdict() for key, value in measured.items()})
    return measured


def sharing(plan: Plan, found: Mapping[str, Cell]) -> float:
    """How many times the steps of one process most processes make together: the least of all cells."""
    gains, noted = [], dict[str, dict[int, float]]()
    for name in SHARED:
        cell = sample(found[name], plan.device, brief=plan.brief)
        together = noted[name] = dict[int, float]()
        for n in plan.numbers:
            together[n] = side_by_side(cell, plan.n_seeds, 3 * plan.seconds, n)
            say(f"{name:38} {n:3} processes {together[n]:9.1f} steps a second")
            plan.note("sharing", noted)
        gains.append(max(together.values()) / together[plan.numbers[0]])
    return min(gains)


def record(plan: Plan, measured: Mapping[str, Rate], gain: float) -> None:
    """What decides most for the time that is left; what has ended is packed, and what is as long as somebody asks."""
    library, store, states = Library(stores_of(plan.store)), Store(plan.store), States(plan.store / ".states")
    profile = "smoke" if plan.brief else "paper"
    every = [figure for figure in figures() if plan.part in figure.id]
    work = missing_work(every, profile, None, library)
    seconds = {item.cell.key: _seconds(item, measured) for item in work}
    stages = by_value(every, Desk(library, profile), work, seconds)
    chosen = affordable([stage.work for stage in stages], seconds, gain, plan.left)
    say(f"{len(chosen)} of {len(work)} cells that are missing are to be recorded in {plan.left:.0f} s")
    reporter = Reporter(say, over=False)
    n_jobs = max(1, min(len(chosen), n_cores()))
    train_all(chosen, store, states, plan.device, n_jobs=n_jobs, time_limit=plan.left, report=reporter.report)
    left = {item.cell.key for item in missing_work(every, profile, None, library)}
    kept = {item.cell.key: keep_beginning(item, plan.device, store, states) for item in chosen if item.cell.key in left}
    plan.note("record", {item.cell.key: kept.get(item.cell.key, item.n_steps) for item in chosen})
    say(f"{len(chosen) - len(kept)} of {len(chosen)} cells recorded to the end, {plan.left:.0f} s left")
    _pack(plan)


def keep_beginning(item: Work, device: Device, store: Store, states: States) -> int:
    """Stores of each seed what there is before its end; returns the least steps."""
    cell, reached = item.cell.on(device), [item.n_steps]
    for seed in item.all_seeds:
        state = states.latest(cell.key, seed)
        if state is None or not n_tests(state):
            reached.append(0)
            continue
        (run,) = runs(cell, (seed,), Training.resumed(cell, (seed,), [state]), [sessions_of(state)])
        store.save(cell, run)
        reached.append(state.steps)
    return min(reached)


# ---- what they need -------------------------------------------------------------------------------------------------


def _seconds(item: Work, measured: Mapping[str, Rate]) -> float:
    """How long all seeds of a cell take alone on the device, and what it starts from, by the rates of their kinds.

    Tests and transfers are not in it. What has no rate counts as nothing, and is left to the time limit.
    """
    found = measured.get(f"{type(item.cell.algorithm).__name__} on {type(item.cell.env).__name__}")
    own = item.n_steps / found.steps * found.milliseconds / 1000 if found and found.steps else 0.0
    return own + sum(_seconds(Work(cell, item.seeds, steps), measured) for cell, steps in item.cell.teachers)


def affordable(stages: Iterable[Sequence[Work]], seconds: Mapping[str, float], gain: float, left: float) -> list[Work]:
    """Whole stages in their order, each that still ends: no sooner than its longest cell, nor than all by their gain.

    Units: `seconds` of each cell alone by its key, `left`; `gain` is how much more is done side by side.
    """
    chosen: list[Work] = []
    for stage in stages:
        prices = [seconds[item.cell.key] for item in (*chosen, *stage)]
        if prices and max(*prices, sum(prices) / gain) <= left:
            chosen += stage
    return chosen


@contextmanager
def shared_card(device: Device) -> Iterator[None]:
    """Has processes share the card at the same time, where CUDA's multi-process service is there and not running."""
    control = shutil.which("nvidia-cuda-mps-control")
    if device == "cpu" or control is None or "CUDA_MPS_PIPE_DIRECTORY" in os.environ:
        yield
        return
    with TemporaryDirectory() as folder, patch.dict(os.environ, CUDA_MPS_PIPE_DIRECTORY=folder):
        started = subprocess.run([control, "-d"], check=False).returncode == 0
        say("processes share the card" if started else "the multi-process service does not start")
        try:
            yield
        finally:
            if started:
                subprocess.run([control], input="quit\n", text=True, check=False)


def _pack(plan: Plan) -> None:
    """All runs in one file; training states stay."""
    with tarfile.open(plan.out / "recorded.tar", "w") as archive:
        for path in sorted(plan.store.rglob("*.json")):
            if ".states" not in path.parts:
                archive.add(path, path.relative_to(plan.store))


def say(line: str) -> None:
    """Prints a line at once."""
    print(line, flush=True)


def main(arguments: list[str]) -> int:
    """Does all parts that are not skipped."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.card")
    parser.add_argument("--minutes", type=float, default=14.0, help="when to stop (default: 14)")
    parser.add_argument("--out", type=Path, required=True, help="where card.json and recorded.tar go")
    parser.add_argument("--store", type=Path, help="where runs go (default: a folder in --out)")
    parser.add_argument("--skip", nargs="*", choices=PARTS, default=[], help="parts to leave out")
    parser.add_argument("--only", default="", help="part of the names of the cells that are checked and timed")
    parser.add_argument("--figures", default="", help="part of the ids of the figures that are recorded")
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, with small cells and few seeds")
    options = parser.parse_args(arguments)
    try:
        plan = _plan(options)
        with shared_card(plan.device):
            _all_parts(plan, {name: cell for name, cell in cells().items() if options.only in name}, options.skip)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _plan(options: argparse.Namespace) -> Plan:
    device = usable_device("cpu" if options.rehearse else "cuda")
    store = options.store or options.out / "store"
    if store.resolve() == RECORDED.resolve():
        raise ValueError(f"--store must be a folder of its own, got {store}: what has been looked at is copied there")
    options.out.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * options.minutes
    plan = Plan(device, options.out, store, ends, brief=options.rehearse, part=options.figures)
    if options.rehearse:
        plan.n_seeds, plan.n_compared, plan.n_iterations, plan.seconds, plan.numbers = 2, 8, 4, 0.2, (1, 2)
    name = torch.cuda.get_device_name() if device == "cuda" else "a CPU"
    plan.note("made", {"device": name, "torch": torch.__version__, "cores": n_cores(), "commit": commit()})
    return plan


def _all_parts(plan: Plan, found: Mapping[str, Cell], skipped: Sequence[str]) -> None:
    one_thread()
    fixed_card()
    if "agreement" not in skipped:
        agreement(plan, found)
    measured = {} if "rates" in skipped else rates(plan, found)
    gain = 1.0 if "sharing" in skipped else sharing(plan, cells())
    if "record" not in skipped:
        record(plan, measured, gain)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
