"""`--papers`, `new` and `check` of the command line."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks._outside.making import made
from benchmarks._outside.papers import VARIABLE, at

PAPERS = f"a paper's folder outside of the suite, for any command; repeatable (or in {VARIABLE}, joined as in PATH)"
CONTRACT = Path(__file__).parents[1] / "_contract"


def taken(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands behind every --papers, wherever that is, and all other arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--papers", action="append", default=[])
    found, others = parser.parse_known_args(arguments)
    return found.papers, others


def add(commands: Any) -> None:
    """Adds the commands to those of a parser."""
    new = commands.add_parser("new", help="begin a paper of your own: a folder that works at once")
    new.add_argument("what", choices=["paper"])
    new.add_argument("path", type=Path, help="the folder, whose name is the paper's, such as mypaper")
    new.set_defaults(command=_new)
    check = commands.add_parser("check", help="try what every game, learner and figure keeps to on a paper of yours")
    check.add_argument("path", type=Path, help="the paper's folder")
    check.add_argument("arguments", nargs=argparse.REMAINDER, help="options of pytest, such as -x")
    check.set_defaults(command=_check)


def _new(options: argparse.Namespace) -> int:
    folder = made(options.path)
    print(f"{options.path}: {', '.join(path.name for path in sorted(folder.iterdir()))}")
    print(f"try it: python -m benchmarks check {options.path}")
    print(f"run it: python -m benchmarks judge {options.path} --repro-profile smoke")
    return 0


def _check(options: argparse.Namespace) -> int:
    if find_spec("pytest") is None:
        raise ValueError("checking needs pytest, found none installed: pip install pytest")
    folder = at(options.path).folder
    pytest = importlib.import_module("pytest")
    contract = [str(CONTRACT / f"{name}.py") for name in ("environments", "algorithms", "figures")]
    own = sorted(str(path) for path in folder.rglob("test_*.py"))
    settings = ["-c", str(CONTRACT / "pytest.ini"), "--rootdir", str(folder), f"--confcutdir={CONTRACT}"]
    plugin = ["-p", "benchmarks._contract.trying", "-p", "no:cacheprovider", f"--contract-of={folder}"]
    return int(pytest.main([*settings, *plugin, *contract, *own, *options.arguments]))
