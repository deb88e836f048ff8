"""The suite as a wheel, in a folder that knows nothing of its project, and what a stranger asks of a package."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from benchmarks import _options
from benchmarks._options import NAME, version

ROOT = Path(__file__).parent.parent
PACKAGES = ("algorithms", "benchmarks", "environments", "reports", "results")
AROUND = ("pyproject.toml", "README.md", "LICENSE")
BUILD = "from setuptools.build_meta import build_wheel; build_wheel('.')"
TOLD = """
from pathlib import Path
from benchmarks import _options
from benchmarks._catalogue import figures
from benchmarks._training.circumstances import commit
from benchmarks._training.sources import digest
from benchmarks.__main__ import main
from benchmarks.ctedd import ctedd
from results import Store, published
cell = ctedd("CN-V1")
print(repr(commit()), _options.LOCAL, _options.REPORT, digest(cell), len(figures()), len(published("dvm")) > 0)
print(Store(_options.RECORDED).load(cell, 0).key == cell.key, len(Store(_options.RECORDED).keys()))
try:
    main(["--version"])
except SystemExit:
    pass
"""


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder; of the project's own path it knows nothing."""
    known = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "XDG_DATA_HOME")}
    return subprocess.run(command, cwd=folder, env=known | environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the project and nothing from another day comes into it."""
    copy = tmp_path_factory.mktemp("project")
    left = shutil.ignore_patterns("__pycache__", ".states", "local", "fresh", "site")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=left)
    for name in AROUND:
        shutil.copy(ROOT / name, copy)
    (copy / "results" / "recorded" / ".states" / "X" / "Y" / "Z").mkdir(parents=True)
    (copy / "results" / "recorded" / ".states" / "X" / "Y" / "Z" / "cell.json").touch()
    done = run(copy, sys.executable, "-c", BUILD)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = copy.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its packages in a folder within a checkout of something else."""
    project = tmp_path_factory.mktemp("theirs")
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    folder = project / "libraries"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_brings_types_licence_and_all_that_is_recorded_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    tracked = subprocess.run(["git", "ls-files", "results"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode == 0:
        assert set(tracked.stdout.split()) <= names
    assert not [name for name in names if re.search(r"/\.|^tests/|^reports/figures/", name)]


def test_it_works_from_any_folder_and_keeps_what_is_ones_own_elsewhere(installed: Path, tmp_path: Path) -> None:
    there = {"PYTHONPATH": str(installed), "XDG_DATA_HOME": str(tmp_path / "data")}
    done = run(tmp_path, sys.executable, "-c", TOLD, **there)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(TOLD, {})
    here = said.getvalue().splitlines()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == here[1]
    commit, local, report, *rest = done.stdout.splitlines()[0].split()
    assert (commit, rest) == ("''", here[0].split()[3:])
    assert Path(local) == tmp_path / "data" / NAME / "results" / "local"
    assert Path(report) == tmp_path / "data" / NAME / "reports"
    assert done.stdout.splitlines()[2:] == [f"{NAME} {version()}"]
    assert not list(tmp_path.iterdir()), "asking must not leave anything"


def test_it_begins_a_paper_anywhere_and_asks_the_contract_of_it(installed: Path, tmp_path: Path) -> None:
    there = {"PYTHONPATH": str(installed), "XDG_DATA_HOME": str(tmp_path / "data")}
    command = [sys.executable, "-m", "benchmarks"]
    made = run(tmp_path, *command, "new", "paper", "mine", **there)
    assert made.returncode == 0, made.stderr
    done = run(tmp_path, *command, "check", "mine", "-q", **there)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^4\d passed", done.stdout, re.MULTILINE), done.stdout


def test_ones_own_files_stay_in_the_project_where_it_is_one() -> None:
    assert _options.LOCAL == ROOT / "results" / "local"
    assert _options.REPORT == ROOT / "reports"


def test_every_place_names_the_same_version() -> None:
    assert f"version: {version()}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {version()} " in (ROOT / "CHANGELOG.md").read_text()


def test_where_files_cannot_be_locked_one_sentence_says_so() -> None:
    script = "import sys; sys.modules['fcntl'] = None; import results"
    done = run(ROOT, sys.executable, "-c", script, PYTHONPATH=str(ROOT))
    assert re.search(r"ImportError: .*on Windows, use the Windows Subsystem for Linux$", done.stderr.strip())


def test_who_judges_needs_no_plugin_of_pytest() -> None:
    """Those for the tests of the code and of speed are left out, as where they are not installed."""
    script = """
import importlib.util, sys
import pytest
known = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "pytest_benchmark" else known(name, *rest)
sys.exit(pytest.main(["benchmarks", "--collect-only", "-k", "fig5 and mace"]))
"""
    command = [sys.executable, "-c", script]
    done = run(ROOT, *command, PYTHONPATH=str(ROOT), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mace/fig5" in done.stdout
    assert "benchmarks/speed is left out" in done.stdout
