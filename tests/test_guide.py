"""The guide to a paper of one's own holds: its commands are run, from the first to the last, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import _commands

ROOT = Path(__file__).parent.parent
WARM = Path(__file__).parent / "_warm.py"
GUIDE = ROOT / "docs" / "add-a-paper.md"


def commands(guide: Path) -> str:
    """All that a reader is to type."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", guide.read_text(), flags=re.DOTALL | re.MULTILINE))


def test_the_guide_is_true_from_its_first_to_its_last_command(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "marl-repro"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {WARM} "$@"\n')
    command.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = os.environ | {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["COMMANDS"] = str(_commands.line())
    done = subprocess.run(
        ["bash", "-c", f"set -eux\n{commands(GUIDE)}"],
        cwd=work,
        env=environment,
        pass_fds=[_commands.line()],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert re.search(r"^MYPAPER-F1-1 +REPRODUCED ", done.stdout, re.MULTILINE), said
    assert "'test return greedy'" in done.stdout
    assert sorted(path.name for path in (work / "tables").iterdir()) == ["mypaper-fig1-claims.csv", "mypaper-fig1.csv"]
    assert len({line.split(",")[3] for line in (work / "tables" / "mypaper-fig1.csv").read_text().splitlines()}) > 1
    assert (work / "runs" / "figures" / "mypaper" / "fig1.svg").exists()
    assert len(list((work / "runs").glob("IndependentQ/Ring/*/seed-*.json"))) == 5
