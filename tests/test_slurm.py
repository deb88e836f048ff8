"""The script for Slurm, with Slurm's variables set by hand: queued again while it can go on, and else not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from _tiny import FIGURE
from _trials import PATIENCE, ROOT, TINY, states_of, wait_for

from benchmarks.__main__ import main
from results import Store

SCRIPT = ROOT / "docs" / "slurm.sh"
MARGIN = 300

Job = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """Starts a job with a time that is left of it; what it asks of Slurm goes to a file."""
    control = tmp_path / "bin" / "scontrol"
    control.parent.mkdir()
    control.write_text('#!/bin/sh\necho "$SLURM_JOB_ID: $*" >> "$ASKED"\n')
    control.chmod(0o755)
    begun: list[subprocess.Popen[str]] = []

    def begin(name: str, seconds: float, *arguments: str) -> subprocess.Popen[str]:
        of_slurm = {"SLURM_JOB_ID": name, "SLURM_CPUS_PER_TASK": "2"}
        ends = {"SLURM_JOB_END_TIME": str(int(time.time() + MARGIN + seconds))}
        own = {"ASKED": str(tmp_path / "asked"), "MARL_REPRO": f"{sys.executable} {TINY}", "PYTHONPATH": str(ROOT)}
        path = {"PATH": f"{control.parent}{os.pathsep}{os.environ['PATH']}"}
        process = subprocess.Popen(
            ["bash", str(SCRIPT), *arguments, "--store", str(tmp_path / name), "--device", "cpu"],
            env={**os.environ, **of_slurm, **ends, **own, **path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_job_is_queued_again_while_it_can_go_on_and_else_not(job: Job, tmp_path: Path) -> None:
    endless = ("tiny", "--profile", "quick")
    jobs = {
        "limited": job("limited", 3.0, *endless),
        "wrong": job("wrong", 3.0, "tiny", "--profile", "huge"),
        "done": job("done", 10_000.0, "tiny", "--profile", "smoke"),
        "taken": job("taken", 10_000.0, *endless),
    }
    taken = jobs["taken"]

    def stands() -> bool:
        return any(states_of(tmp_path / "taken").steps(cell.key, 0) is not None for cell in FIGURE.cells)

    wait_for(lambda: taken.poll() is not None or stands(), "a checkpoint is there")
    taken.send_signal(signal.SIGTERM)  # to the script alone, as Slurm sends it
    said = {name: one.communicate(timeout=PATIENCE)[0] for name, one in jobs.items()}
    assert [one.returncode for one in jobs.values()] == [0, 2, 0, 0], said
    assert "stopped at a checkpoint; the same command goes on" in said["limited"]
    assert "error: profile must be one of" in said["wrong"] and said["done"].endswith("complete\ncomplete\n")
    assert "stopped; the same command goes on from the last checkpoint" in said["taken"]
    assert sorted((tmp_path / "asked").read_text().splitlines()) == [
        "limited: requeue limited",
        "taken: requeue taken",
    ]
    assert all(Store(tmp_path / "done").seeds(cell.key) == (0, 1) for cell in FIGURE.cells)


def test_the_exit_codes_are_told_where_one_asks_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["run", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "0 complete; 3 stopped at a checkpoint" in told and "1 something failed; 2 wrong use" in told
