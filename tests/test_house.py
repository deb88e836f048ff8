"""The rules of the house, so that `pytest` is the only command."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"environments", "algorithms", "benchmarks", "results", "reports"}
BARE = {"torch", "numpy", "scipy"}
TRAINERS = sorted(
    path
    for folder in ("algorithms", "environments")
    for path in (ROOT / folder).glob("*.py")
    if path.name != "pettingzoo.py"
)
ABSENT = ("pettingzoo", "gymnasium", "mpe2", "matplotlib", "pytest", "jinja2", "pandas")


def outcome(*command: str) -> str:
    """What a command had to say; empty where it was content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def tool(name: str, *arguments: str) -> str:
    """A tool that lies beside this Python."""
    return outcome(str(Path(sys.executable).parent / name), *arguments)


def assert_content(said: str) -> None:
    if said:
        pytest.fail(said, pytrace=False)


def test_ruff_finds_nothing() -> None:
    assert_content(tool("ruff", "check", "--output-format=concise"))


def test_everything_is_formatted() -> None:
    assert_content(tool("ruff", "format", "--check"))


def test_mypy_is_content_with_every_type() -> None:
    assert_content(tool("mypy", "environments", "algorithms", "benchmarks", "results", "reports", "tests"))


def test_imports_point_down_only() -> None:
    assert_content(tool("lint-imports"))


def imported(path: Path) -> set[str]:
    """The packages that a file imports as soon as it is imported itself."""
    packages: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add(str(node.module).partition(".")[0])
    return packages


@pytest.mark.parametrize("path", TRAINERS, ids=[f"{path.parent.name}/{path.name}" for path in TRAINERS])
def test_what_trains_needs_torch_numpy_and_scipy_only(path: Path) -> None:
    assert imported(path) - set(sys.stdlib_module_names) - OURS <= BARE


def test_a_bare_machine_can_train() -> None:
    """The command line, every figure and every algorithm load where nothing is installed that only draws or tests."""
    script = f"""
import sys
sys.modules.update(dict.fromkeys({ABSENT!r}))
import importlib, pathlib
import benchmarks.__main__
for folder in ("algorithms", "environments"):
    for path in pathlib.Path(folder).glob("*.py"):
        if path.stem not in ("pettingzoo", "__init__"):
            importlib.import_module(f"{{folder}}.{{path.stem}}")
assert benchmarks.__main__.main(["list"]) == 0
"""
    assert_content(outcome(sys.executable, "-c", script))
