"""The benchmarks without pytest: see what a figure needs, and train it on a bare machine.

python -m benchmarks list
python -m benchmarks plan ctedd/fig5 --profile quick
python -m benchmarks run ctedd/fig5 --profile quick --time-limit 9m --device cuda
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import PROFILES
from benchmarks._catalogue import chosen, figures
from benchmarks._runner import Library, Progress, Work, missing_work, train_all, usable_device
from results import States, Store, StoreError, Stores

RESULTS = Path(__file__).parent.parent / "results"
RECORDED = RESULTS / "recorded"
LOCAL = RESULTS / "local"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what a user can get wrong ends in one sentence and exit code 2."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return int(options.command(options))
    except (ValueError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    commands.add_parser("list", help="every figure").set_defaults(command=_list)
    for name, command, text in (("plan", _plan, "what is missing"), ("run", _run, "train what is missing")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("figure", nargs="+", help="part of an id such as ctedd/fig5")
        sub.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)}")
        sub.add_argument("--seeds", help="how many seeds, instead of the profile's number")
        sub.add_argument("--store", type=Path, default=LOCAL, help="where results are kept (default: results/local)")
        sub.add_argument("--device", default="auto", help="auto, cpu or cuda")
        sub.add_argument("--jobs", help="cells that train side by side (default: one a core)")
        sub.add_argument("--time-limit", help="stop at a checkpoint after this long, such as 9m")
        sub.set_defaults(command=command)
    return parser


def _list(options: argparse.Namespace) -> int:
    for figure in figures():
        print(f"{figure.id:20} {figure.title}")
    return 0


def _work(options: argparse.Namespace) -> list[Work]:
    wanted = [figure for pattern in options.figure for figure in chosen(pattern)]
    library = Library(stores_of(options.store))
    return missing_work(wanted, profile(options.profile), whole_number("seeds", options.seeds), library)


def _plan(options: argparse.Namespace) -> int:
    work = _work(options)
    for item in work:
        print(f"{item.cell.key}: {len(item.seeds)} seeds to {item.n_steps:,} steps")
    print(f"{len(work)} cells are missing")
    return 0


def _run(options: argparse.Namespace) -> int:
    device = usable_device(options.device)
    limit = seconds(options.time_limit)
    n_jobs = whole_number("jobs", options.jobs)
    finished = train_all(
        _work(options),
        Store(options.store),
        States(options.store / ".states"),
        device,
        n_jobs=n_jobs,
        time_limit=limit,
        report=Reporter().report,
    )
    print("complete" if finished else "stopped at a checkpoint; the same command goes on")
    return 0


def stores_of(folder: Path) -> Stores:
    """One's own store, and the recorded one behind it."""
    recorded = Store(RECORDED)
    return Stores(recorded) if folder.resolve() == RECORDED.resolve() else Stores(Store(folder), recorded)


def profile(name: str) -> str:
    """A profile's name.

    Raises: ValueError where there is none of that name.
    """
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    return name


def whole_number(what: str, text: str | None) -> int | None:
    """A number of at least one, or None where none was given.

    Raises: ValueError where it is something else.
    """
    if text is None:
        return None
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"the number of {what} must be a whole number of at least 1, got {text!r}")
    return int(text)


def seconds(text: str | None) -> float | None:
    """A time such as 90s, 9m or 2h, or None where none was given.

    Raises: ValueError where it is something else.
    """
    if text is None:
        return None
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        value = float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError):
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"a time limit must be a number with s, m or h, such as 9m, got {text!r}")
    return value


class Reporter:
    """Progress as one line that is written over on a terminal, and every half minute elsewhere."""

    def __init__(self) -> None:
        self.last = 0.0

    def report(self, progress: Sequence[Progress], left: float) -> None:
        """Says how far everything is."""
        terminal = sys.stdout.isatty()
        if not terminal and time.time() - self.last < 30:
            return
        self.last = time.time()
        line = described(progress, left)
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", flush=True)


def described(progress: Sequence[Progress], left: float) -> str:
    """Share of the work, cells at work with their speed, time left."""
    done, total = sum(item.done for item in progress), sum(item.total for item in progress)
    active = [item for item in progress if 0 < item.done < item.total]
    cells = ", ".join(f"{item.label} {item.done / item.total:.0%} at {item.steps_per_second:,.0f}/s" for item in active)
    waiting = "" if math.isnan(left) else f", {left / 60:.0f} min left"
    return f"{done / max(total, 1):.0%}{waiting}: {cells}"


if __name__ == "__main__":
    sys.exit(main())
