"""Training that is killed again and again loses nothing: not a seed, not a bit; and so it is where a disk is full.

    pytest -m long tests/test_kills.py        more than 60 kills

A kill is SIGKILL: to a command line with all its processes, to a command line alone, or to one process that trains.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from _tiny import MADDPG_CELL, SKETCHED, TRANSFERS
from _trials import (
    Begin,
    Begun,
    alive,
    assert_same_end,
    bits,
    command_lines,
    curves,
    descendants,
    heard,
    loaded,
    outcome,
    states_of,
    trained,
    wait_for,
)

from benchmarks import Cell, Figure
from benchmarks._training import session as session_module
from benchmarks._training.circumstances import one_thread
from benchmarks._training.session import Outcome
from benchmarks._training.work import Work
from results import Store, StoreError

one_thread()

COMMAND = ("run", "transfers", "sketched", "--profile", "smoke", "--device", "cpu")
OURS = re.compile(r"cell\.json|seed-\d{3}\.json|seed-\d{3}-\d+\.npz|seed-\d{3}\.safetensors|\d{8}-\d{6}-\w{4}\.txt")
WHAT = ("all", "command line", "training process")


def every_cell() -> list[tuple[Figure, Cell]]:
    """Chains of cells, and one that leaves arrays."""
    return [(figure, cell) for figure in (TRANSFERS, SKETCHED) for cell in figure.cells]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it, trained here without a break."""
    folder = tmp_path_factory.mktemp("whole")
    for figure, cell in every_cell():
        assert trained(folder, cell, n_steps=figure.budget("smoke", cell).n_steps)
    return folder


def written(folder: Path) -> int:
    """Another number whenever a state or a run has been written."""
    total = 0
    for path in folder.rglob("seed-*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_mtime_ns
    return total


def stored(folder: Path) -> dict[tuple[str, int], float]:
    """How far every run is that is stored."""
    store = Store(folder)
    runs = [store.load(cell, seed) for _, cell in every_cell() for seed in store.seeds(cell.key)]
    return {(run.key, run.seed): run.n_steps for run in runs if run is not None}


class Killer(NamedTuple):
    """Several command lines at once on one store, and who kills them."""

    begin: Begin
    folder: Path
    chance: random.Random
    lines: list[Begun]

    def start(self) -> Begun:
        return self.begin(*COMMAND, "--store", self.folder, "--jobs", 2, TINY_HALVE_SECONDS="0.1")

    def kill(self) -> bool:
        """Kills somebody at work, a little after something was written; False where nobody is."""
        before = written(self.folder)
        wait_for(lambda: self.ended() is not None or written(self.folder) != before, "something is written")
        time.sleep(self.chance.uniform(0.0, 0.5))
        at = self.ended()
        if at is not None:
            self.restart(at)
            return False
        line, what = self.chance.choice(self.lines), self.chance.choice(WHAT)
        workers = descendants(line.pid)
        if what == "training process":
            if workers:
                os.kill(self.chance.choice(workers), signal.SIGKILL)
            return bool(workers)
        if what == "all":
            os.killpg(line.pid, signal.SIGKILL)
        else:
            line.kill()
        line.wait()
        wait_for(lambda: not any(map(alive, workers)), "the processes of a dead command line are gone")
        self.restart(self.lines.index(line))
        return True

    def ended(self) -> int | None:
        """One that has come to its end."""
        return next((at for at, line in enumerate(self.lines) if line.poll() is not None), None)

    def restart(self, at: int) -> None:
        """Another in the place of one that has ended or that was killed."""
        said = heard(self.lines[at])
        assert self.lines[at].returncode in (0, 1, -signal.SIGKILL) and "Traceback" not in said, said
        self.lines[at] = self.start()


def killed(folder: Path, whole: Path, n_lines: int, n_kills: int, seed: int) -> int:
    """Trains all of it with so many kills, or as many as fit in, and returns how many there were."""
    n_killed = 0
    known: dict[tuple[str, int], float] = {}
    with command_lines() as begin:
        killer = Killer(begin, folder, random.Random(seed), [])
        killer.lines.extend(killer.start() for _ in range(n_lines))
        while n_killed < n_kills and len(known) < len(every_cell()) * 2:
            n_killed += killer.kill()
            now = stored(folder)
            assert {owner: now.get(owner, 0) >= steps for owner, steps in known.items()} == dict.fromkeys(known, True)
            known = now
        for line in killer.lines:
            said = heard(line)
            assert line.returncode in (0, 1) and "Traceback" not in said, said
        last = killer.start()
        said = heard(last)
        assert last.returncode == 0 and said.endswith("complete\n"), said
        for line in [*killer.lines, last]:
            wait_for(lambda: is_gone(line.pid), "nobody of its group is left")  # noqa: B023
    for _, cell in every_cell():
        assert Store(folder).seeds(cell.key) == (0, 1)
        assert_same_end(folder, whole, cell)
    names = [path.name for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    assert [name for name in names if not OURS.fullmatch(name)] == []
    return n_killed


def is_gone(group: int) -> bool:
    """Whether a group has no process any more."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_few_kills_lose_nothing(whole: Path, tmp_path: Path) -> None:
    assert killed(tmp_path, whole, n_lines=2, n_kills=4, seed=1) >= 2


@pytest.mark.long
@pytest.mark.parametrize("n_lines", [1, 4, 8])
def test_many_kills_lose_nothing(whole: Path, tmp_path: Path, n_lines: int) -> None:
    n_killed, n_rounds = 0, 0
    while n_killed < 25:
        n_killed += killed(tmp_path / str(n_rounds), whole, n_lines, n_kills=12, seed=100 * n_lines + n_rounds)
        n_rounds += 1
    print(f"{n_killed} kills of {n_lines} command lines at once, in {n_rounds} campaigns")


# ---- a disk that is full --------------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of six million bytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def filled_but_for(disk: Path, n_bytes: int) -> Path:
    """A file that leaves so much room on a disk."""
    stat = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(b"\0" * max(0, stat.f_bavail * stat.f_frsize - n_bytes))
    return filler


@pytest.mark.parametrize("room", [0, 40_000, 150_000, 400_000])
def test_a_full_disk_is_one_sentence_and_all_goes_on_once_there_is_room(
    disk: Path, tmp_path: Path, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", 0.0)
    work = Work(MADDPG_CELL, (0, 1), 400)
    assert trained(tmp_path / "whole", MADDPG_CELL) and trained(disk / "store", MADDPG_CELL, n_steps=100)
    before = curves(disk / "store", MADDPG_CELL)
    filler = filled_but_for(disk, room)
    writing: list[Callable[[], None]] = [Store(disk / "store").writable, states_of(disk / "store").writable]
    for attempt in writing if room == 0 else ():
        with pytest.raises(StoreError, match=r"No space left on device.*make room"):
            attempt()
    found = outcome(disk / "store", work)
    for failure in found.failures:
        assert "No space left on device" in failure.sentence and "make room" in failure.sentence
    assert found.failures or room > 0
    assert [bits(loaded(disk / "store", MADDPG_CELL, seed).upto(100)) for seed in (0, 1)] == before
    assert not list(disk.rglob("*.tmp"))
    filler.unlink()
    assert outcome(disk / "store", work) == Outcome(whole=(0, 1))
    assert_same_end(disk / "store", tmp_path / "whole", MADDPG_CELL)
