"""Renders every figure and page from stored runs, in seconds; trains nothing.

python -m reports
python -m reports --profile paper --store results/local --output report
python -m reports --papers mypaper
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    gc.disable()  # what is imported and drawn is full of cycles, and to look for them takes a tenth of the time

from benchmarks import Figure
from benchmarks._catalogue import figures, is_theirs, theirs
from benchmarks._judging.desk import desks, exhibition
from benchmarks._options import LOCAL, RECORDED, REPORT, SIMULATED, profile, stores_of
from benchmarks._outside.commands import PAPERS, taken
from benchmarks._outside.papers import also, are_named
from benchmarks._training.work import Library
from reports._site import build
from results import StoreError

PATIENCE = 2.0  # seconds without a word
BETWEEN = 10.0  # seconds between two lines


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what a user can get wrong ends in one sentence and exit code 2."""
    papers, rest = taken(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(rest)
    try:
        with also(papers):
            built = _built(options)
    except (ValueError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"error: {error.filename or options.output} cannot be written ({error.strerror or error}): "
            "make room or permit it, or choose another --output",
            file=sys.stderr,
        )
        return 2
    for path in built:
        print(path)
    return 0


def _built(options: argparse.Namespace) -> list[Path]:
    """The suite's papers; or those of somebody's that are named, alone, from and into a store of one's own."""
    name = None if options.profile is None else profile(options.profile)
    shown, usual = (theirs(), LOCAL) if are_named() else (_ours(), RECORDED)
    store = folder("store", options.store or usual)
    output = creatable("output", options.output or (store / "report" if are_named() else REPORT))
    command = "python -m reports" if name is None else f"python -m reports --profile {name}"
    line = Line()
    at = desks(Library(stores_of(store)), shown, name, line.say)
    built = build(exhibition(at, shown, SIMULATED, line.say), output, command, line.say, png=options.png)
    line.clear()
    return built


def _ours() -> tuple[Figure, ...]:
    return tuple(figure for figure in figures() if not is_theirs(figure))


class Line:
    """What is being done, told on standard error where it takes longer than two seconds: over itself on a terminal,
    elsewhere a line every ten seconds."""

    def __init__(self) -> None:
        self.over = sys.stderr.isatty()
        self.next = time.monotonic() + PATIENCE

    def say(self, what: str) -> None:
        """Tells it, where it is time."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + (0 if self.over else BETWEEN)
        print(f"\r\x1b[K{what}" if self.over else what, end="" if self.over else "\n", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leaves the line empty."""
        if self.over:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reports", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--profile", help="smoke, quick or paper (default: of every figure the largest that has been run in full)"
    )
    parser.add_argument("--papers", metavar="PATH", help=f"{PAPERS}; these alone are shown")
    parser.add_argument(
        "--store", type=Path, help=f"whose results are read first (default: {RECORDED}, of your papers {LOCAL})"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help=f"where the report is written (default: {REPORT}, of your papers report/ in the store)",
    )
    parser.add_argument("--png", action="store_true", help="draw every picture as an image of 180 dpi, too")
    return parser


def folder(what: str, path: Path) -> Path:
    """A folder that is there.

    Raises: ValueError where it is not.
    """
    if not path.is_dir():
        raise ValueError(f"--{what} must be a folder of results, found none at {path}")
    return path


def creatable(what: str, path: Path) -> Path:
    """A folder, or the name of one to come.

    Raises: ValueError where a file is in its place.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"--{what} must be a folder, found a file at {path}")
    return path


if __name__ == "__main__":
    status = main()
    gc.freeze()  # nor does the end look for them, where everything goes at once
    sys.exit(status)
