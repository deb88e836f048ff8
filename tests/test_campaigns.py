"""Whatever dies, fails or is stopped takes nothing else with it, and is told; every process trains with one thread."""

from __future__ import annotations

import math
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import pytest
import torch
from _tiny import CTEDD_CELL, FIGURE, FIRST, MADDPG_CELL, SECOND, THIRD, Failing
from _trials import (
    Told,
    alive,
    assert_same_end,
    command_lines,
    curves,
    descendants,
    heard,
    loaded,
    outcome,
    saved,
    silent,
    states_of,
    trained,
    wait_for,
)

from benchmarks import Budget, Cell, Evaluation, Figure, Line, Panel
from benchmarks import __main__ as command_line
from benchmarks._training import engines
from benchmarks._training import session as session_module
from benchmarks._training.circumstances import one_thread
from benchmarks._training.engines import Task
from benchmarks._training.runner import Trained, shared_out, train_all
from benchmarks._training.session import Outcome, Released
from benchmarks._training.work import Work
from benchmarks.dimapg import navigation
from results import States, Store

one_thread()

N_FREE_CORES = engines.n_cores()
PLAIN = navigation("TRPO-KitchenSink", 3)
LONELY = replace(PLAIN, env=replace(PLAIN.env, horizon=50), evaluation=Evaluation(every=25 * 50, n_episodes=0))
"""Products so large that two threads share them, and so round them otherwise."""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every iteration, and at every one a look at what is asked."""
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)


@pytest.fixture
def _signals() -> Iterator[None]:
    """The command line takes these over, which is right for a process of its own."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of the tiny cells, trained to step 400 together and without a break."""
    folder = tmp_path_factory.mktemp("whole")
    for cell in FIGURE.cells:
        assert trained(folder, cell, seeds=range(3))
    return folder


# ---- one thread -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(N_FREE_CORES < 2, reason="needs two cores")
def test_a_lone_cell_with_cores_to_spare_is_stopped_and_goes_on_to_the_bits_of_an_uninterrupted_run(
    tmp_path: Path,
) -> None:
    every = LONELY.evaluation.every
    assert torch.get_num_threads() == 1 and trained(tmp_path / "whole", LONELY, [0], 2 * every)
    store, states = Store(tmp_path / "lone"), states_of(tmp_path / "lone")
    for n_steps in (every, 2 * every):
        work = [Work(LONELY, (0,), n_steps)]
        assert train_all(work, store, states, "cpu", n_jobs=N_FREE_CORES, report=silent) == Trained(complete=True)
    assert curves(tmp_path / "lone", LONELY, [0]) == curves(tmp_path / "whole", LONELY, [0])
    history = loaded(tmp_path / "lone", LONELY, 0).history
    assert [(session.first, session.threads) for session in history] == [(0, 1), (every, 1)]


def test_seeds_of_one_cell_that_several_processes_share_have_the_bits_of_one_process(
    whole: Path, tmp_path: Path
) -> None:
    most = 0

    def report(*_: object) -> None:
        nonlocal most
        most = max(most, len(multiprocessing.active_children()))

    work = [Work(CTEDD_CELL, (0, 1, 2), 400)]
    done = train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", n_jobs=2, report=report)
    assert done == Trained(complete=True) and most >= 2
    assert_same_end(tmp_path, whole, CTEDD_CELL, range(3))
    together = [loaded(tmp_path, CTEDD_CELL, seed).history[-1].seeds_together for seed in range(3)]
    assert together == [2, 2, 1]


def test_seeds_are_shared_out_by_halves_of_the_largest_piece_until_every_process_has_one() -> None:
    many, few, one = Work(FIRST, (0, 1, 2, 3, 4), 9), Work(SECOND, (0, 1), 9, taken=(1, 2)), Work(THIRD, (7,), 9)
    assert shared_out([many, few, one], 2) == [many, few]
    assert shared_out([many, few, one], 3) == [many, few, one]
    first, second = Work(FIRST, (0, 1, 2), 9), Work(FIRST, (3, 4), 9)
    assert shared_out([many, few, one], 4) == [first, second, few, one]
    thirds = [Work(SECOND, (0, 1), 9, taken=(1,)), Work(SECOND, (), 9, taken=(2,))]
    assert shared_out([many, few], 4) == [Work(FIRST, (0, 1), 9), Work(FIRST, (2,), 9), second, few]
    assert shared_out([few], 2) == thirds
    assert shared_out([one], 9) == [one] and shared_out([], 9) == [] and shared_out([many], 0) == []
    assert [piece.all_seeds for piece in shared_out([many], 99)] == [(0,), (1,), (2,), (3,), (4,)]


def test_a_process_gives_up_half_of_its_seeds_at_a_checkpoint_and_no_bit_changes(whole: Path, tmp_path: Path) -> None:
    work, line = Work(CTEDD_CELL, (0, 1, 2), 400), Told("halve")
    assert outcome(tmp_path, work, line=line) == Outcome(whole=(0,))
    assert [said for said in line.said if isinstance(said, Released)] == [Released((2,)), Released((1,))]
    assert [saved(tmp_path, CTEDD_CELL, seed).steps for seed in (1, 2)] == [100, 50]
    for seed in (1, 2):
        assert outcome(tmp_path, work.only([seed])) == Outcome(whole=(seed,))
    assert_same_end(tmp_path, whole, CTEDD_CELL, range(3))


def test_seeds_that_are_given_up_are_free_at_once(tmp_path: Path) -> None:
    states, free = states_of(tmp_path), []

    class Listening(Told):
        def say(self, said: object) -> None:
            if isinstance(said, Released):
                locks = [states.try_lock(CTEDD_CELL.key, seed) for seed in (0, 1)]
                free.append([lock is not None for lock in locks])
                for lock in filter(None, locks):
                    lock.release()

    outcome(tmp_path, Work(CTEDD_CELL, (0, 1), 100), line=Listening("halve"))
    assert free == [[False, True]]


# ---- what fails -----------------------------------------------------------------------------------------------------


def figure(*cells: Cell, n_seeds: int = 2) -> Figure:
    """A figure of some cells, with every profile as the tiny figures' shortest."""
    lines = tuple(Line(cell.name, cell, "test return greedy") for cell in cells)
    budget = {name: Budget(n_seeds, 200) for name in ("Task I", "Task II", "Task III")} | {"Tiny": Budget(n_seeds, 400)}
    budgets = dict.fromkeys(("smoke", "quick", "paper"), budget)
    return replace(FIGURE, panels=(Panel("Tiny", lines, "return"),), claims=(), budgets=budgets)


def damage(path: Path) -> bytes:
    """Changes a bit in the middle of a file, and returns what is there now."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    return bytes(data)


def state_file(folder: Path, cell: Cell, seed: int) -> Path:
    return states_of(folder).folder / cell.key / f"seed-{seed:03d}.safetensors"


def begun(folder: Path, cell: Cell, n_steps: int = 100) -> None:
    """Three seeds of a cell that stand at a checkpoint, with no run stored."""
    assert not trained(folder, cell, range(3), line=Told("stop"))
    assert [saved(folder, cell, seed).steps for seed in range(3)] == [50, 50, 50]


RAISES = replace(MADDPG_CELL, name="raises", algorithm=Failing("raises"))
DIES = replace(MADDPG_CELL, name="dies", algorithm=Failing("dies"))
LOST = replace(FIRST, name="lost first", algorithm=Failing("raises"))
PUPIL = replace(SECOND, name="pupil", start=replace(SECOND.start, teachers=((LOST, 200),)))  # type: ignore[type-var]
LATER = replace(THIRD, name="later", start=replace(THIRD.start, teachers=((PUPIL, 200),)))  # type: ignore[type-var]


@pytest.mark.usefixtures("_signals")
def test_whatever_fails_ends_its_own_seeds_only_and_is_told_at_the_end(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, MADDPG_CELL)
    damaged = damage(state_file(tmp_path, MADDPG_CELL, 0))
    monkeypatch.setattr(command_line, "chosen", lambda *_: (figure(RAISES, DIES, LATER, MADDPG_CELL, CTEDD_CELL),))
    command = ["run", "tiny", "--profile", "smoke", "--store", str(tmp_path), "--device", "cpu", "--jobs", "2"]
    assert command_line.main(command) == 1
    out = capsys.readouterr().out
    told = [line for line in out.splitlines() if line.startswith("failed: ")]

    def of(cell: Cell) -> str:
        (line,) = [line for line in told if cell.key in line.split(":")[1]]
        return line

    raised = r"failed: raises on Tiny, seeds 0, 1 of .*: ArithmeticError: the loss is imaginary \(traceback: (.*)\)$"
    (kept,) = re.findall(raised, of(RAISES))
    assert "in init\n" in Path(kept).read_text() and "ArithmeticError: the loss is imaginary" in Path(kept).read_text()
    died = [line for line in told if DIES.key in line]
    assert died and all("its process was killed by SIGKILL, by somebody or for want of memory" in line for line in died)
    assert re.match(r"failed: MADDPG-1 on Tiny, seed 0 of .*: .*seed-000\.safetensors is damaged: ", of(MADDPG_CELL))
    assert f"not begun, for want of {LOST.key}" in of(PUPIL) and f"not begun, for want of {PUPIL.key}" in of(LATER)
    assert state_file(tmp_path, MADDPG_CELL, 0).read_bytes() == damaged
    assert curves(tmp_path, CTEDD_CELL) == curves(whole, CTEDD_CELL)
    assert curves(tmp_path, MADDPG_CELL, [1]) == curves(whole, MADDPG_CELL, [1])
    assert Store(tmp_path).seeds(MADDPG_CELL.key) == (1,)
    monkeypatch.setattr(command_line, "chosen", lambda *_: (figure(MADDPG_CELL),))
    assert command_line.main([*command, "--set-aside"]) == 0
    assert capsys.readouterr().out.endswith("complete\n")
    assert_same_end(tmp_path, whole, MADDPG_CELL)
    aside = state_file(tmp_path, MADDPG_CELL, 0)
    assert aside.with_name(f"{aside.name}.aside-1").read_bytes() == damaged


def test_a_stored_run_that_is_damaged_ends_its_seed_only(whole: Path, tmp_path: Path) -> None:
    assert trained(tmp_path, MADDPG_CELL, range(3), 200)
    path = tmp_path / MADDPG_CELL.key / "seed-001.json"
    damaged = damage(path)
    found = outcome(tmp_path, Work(MADDPG_CELL, (0, 1, 2), 400))
    assert found.whole == (0, 2) and [failure.seeds for failure in found.failures] == [(1,)]
    assert re.search(r"seed-001\.json is damaged", found.failures[0].sentence) and path.read_bytes() == damaged
    assert curves(tmp_path, MADDPG_CELL, [0, 2]) == curves(whole, MADDPG_CELL, [0, 2])


def test_what_set_aside_is_never_overwrites_what_was_set_aside_before(tmp_path: Path) -> None:
    states = states_of(tmp_path)
    for n in (1, 2, 3):
        states.save(MADDPG_CELL.key, 0, n, {"x": torch.zeros(1)})
        assert states.set_aside(MADDPG_CELL.key, 0).name == f"seed-000.safetensors.aside-{n}"
    assert states.latest(MADDPG_CELL.key, 0) is None and states.sizes() == {}


@pytest.mark.parametrize("what", ["train_cell", "traceback_file"])
def test_who_ends_after_the_command_line_has_died_ends_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    ended: list[int] = []
    here, there = Pipe()
    here.close()
    monkeypatch.setattr(engines, "settle", lambda _: None)
    monkeypatch.setattr(os, "_exit", ended.append)
    monkeypatch.setattr(engines, what, lambda *_, **__: None)
    work = Work(RAISES, (0,), 400)
    task = Task((), Store(tmp_path), states_of(tmp_path), "cpu", None, ends=math.inf, set_aside=False)
    engines.trained(there, task, work, work.cell.key, {})
    engines.Line(there).say(Released((0,)))
    assert ended == [1, 1]
    there.close()


def test_a_disk_that_is_full_while_a_failure_is_told_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    (failure,) = outcome(tmp_path, Work(RAISES, (0,), 400)).failures
    assert failure.sentence == "ArithmeticError: the loss is imaginary" and failure.traceback is None


# ---- what is stopped ------------------------------------------------------------------------------------------------


def test_sigterm_to_the_whole_group_stops_at_a_checkpoint(tmp_path: Path) -> None:
    folders = own, tests = tmp_path / "run", tmp_path / "pytest"
    workers: list[int] = []
    with command_lines() as start:
        processes = [
            start("run", "tiny", "--profile", "quick", "--store", own, "--jobs", 2, cold=True),
            start(
                "pytest",
                "--repro-profile=quick",
                f"--repro-store={tests}",
                "-p",
                "no:cacheprovider",
                "-n0",
                "-k",
                "tiny",
            ),
        ]

        def stand(folder: Path) -> list[int]:
            found = [states_of(folder).steps(cell.key, seed) for cell in FIGURE.cells for seed in (0, 1)]
            return [steps for steps in found if steps is not None and steps >= 100]

        for folder, process in zip(folders, processes, strict=True):
            wait_for(lambda: process.poll() is not None or len(stand(folder)) == 4, "checkpoints are there")  # noqa: B023
            workers += descendants(process.pid)
            os.killpg(process.pid, signal.SIGTERM)
        said = [heard(process) for process in processes]
        assert [process.returncode for process in processes] == [3, 2], said
        assert said[0].endswith("stopped; the same command goes on from the last checkpoint\n")
        assert "Traceback" not in "".join(said) and not any(map(alive, workers))
    for folder in folders:
        assert len(stand(folder)) == 4 and not list(folder.rglob("*.tmp"))
    for cell in FIGURE.cells:
        n_steps = max(saved(folder, cell, 0).steps for folder in folders) // 100 * 100 + 200
        for folder in (*folders, tmp_path / "whole"):
            assert trained(folder, cell, n_steps=n_steps)
        for folder in folders:
            assert curves(folder, cell) == curves(tmp_path / "whole", cell)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_clock_that_jumps_changes_neither_the_checkpoints_nor_the_time_that_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", 600.0)
    hours = iter(range(10_000))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + jump * next(hours))
    n_saved = 0
    save = States.save

    def counted(*arguments: Any) -> None:
        nonlocal n_saved
        n_saved += 1
        save(*arguments)

    monkeypatch.setattr(States, "save", counted)
    assert trained(tmp_path, MADDPG_CELL, [0])
    assert n_saved == 1
    assert 0 <= loaded(tmp_path, MADDPG_CELL, 0).history[-1].wall_seconds < 60


# ---- the disk -------------------------------------------------------------------------------------------------------


def sizes(folder: Path, *cells: Cell) -> int:
    """Bytes that the states of some cells take."""
    return sum(n for (key, _), n in states_of(folder).sizes().items() if key in {cell.key for cell in cells})


@pytest.mark.usefixtures("_signals")
def test_clean_frees_the_states_that_nobody_needs_and_plan_says_how_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = {"Task I": Budget(2, 200), "Task II": Budget(2, 200)}
    ends = {"smoke": 100, "quick": 100, "paper": 300}
    budgets = {profile: {**tasks, "Task III": Budget(2, n_steps)} for profile, n_steps in ends.items()}
    chain = replace(figure(THIRD), budgets=budgets)
    monkeypatch.setattr(command_line, "chosen", lambda *_: (chain,))
    monkeypatch.setattr(command_line, "figures", lambda: (chain,))
    folder, states = tmp_path, states_of(tmp_path)

    def said(*arguments: str) -> str:
        assert command_line.main([*arguments, "--store", str(folder), "--device", "cpu"]) == 0
        return capsys.readouterr().out

    assert "training states take" not in said("plan", "tiny")
    for cell, n_steps in ((FIRST, 200), (SECOND, 200)):
        assert trained(folder, cell, n_steps=n_steps)
    assert trained(folder, THIRD, [0], 100)
    states.save("Other/Game/0123456789ab", 0, 1, {"x": torch.zeros(1)})  # of no figure that is here
    foreign = folder / ".states" / FIRST.key / "seed-000-mine.safetensors"
    foreign.write_bytes(b"mine")
    # Seed 0 goes on from its own state; seed 1 of the third has to begin, from the second's.
    spare = sizes(folder, FIRST) + states.sizes()[SECOND.key, 0]
    taken = sum(states.sizes().values())
    thousands = [f"{n / 1000:.1f} kB" for n in (taken, spare)]
    assert f"training states take {thousands[0]}, of which `clean` frees {thousands[1]}" in said("plan", "tiny")
    held = states.try_lock(FIRST.key, 1)
    assert held is not None
    assert said("clean", "tiny").endswith("of training states freed; 1 that are in training stay\n")
    held.release()
    assert re.fullmatch(r"\d+\.\d kB of training states freed\n", said("clean", "tiny"))
    left = {(THIRD.key, 0), (SECOND.key, 1), ("Other/Game/0123456789ab", 0)}
    assert set(states.sizes()) == left and foreign.read_bytes() == b"mine"
    assert said("clean", "tiny") == "0 bytes of training states freed\n"
    assert trained(folder, THIRD, n_steps=300)  # nothing that it needs is gone
    assert set(said("clean", "tiny", "--profile", "smoke").split()) & {"kB"}
    assert set(states.sizes()) == {("Other/Game/0123456789ab", 0)}
