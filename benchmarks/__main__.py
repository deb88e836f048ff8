"""The benchmarks without pytest: see what a figure needs, and train it on a bare machine.

python -m benchmarks list
python -m benchmarks plan ctedd/fig5 --profile quick
python -m benchmarks run ctedd/fig5 --profile quick --time-limit 9m --device cuda
python -m benchmarks repeat ctedd/fig5
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from benchmarks import LOOKS, PROFILES
from benchmarks import _simulated as simulated
from benchmarks._catalogue import chosen, figures
from benchmarks._judging import Desk, papers
from benchmarks._options import LOCAL, RECORDED, SIMULATED, VERDICTS, profile, seconds, stores_of, whole_number
from benchmarks._plans import Kept, keep, plan_of
from benchmarks._progress import Reporter, plan
from benchmarks._repetition import repeatable, repetitions
from benchmarks._runner import (
    Library,
    Work,
    missing_work,
    n_cores,
    train_all,
    usable_device,
    variants,
    with_teachers,
)
from results import States, Store, StoreError, Stores


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what a user can get wrong ends in one sentence and exit code 2."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return int(options.command(options))
    except (ValueError, StoreError, ChildProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        later = "; the same command goes on from the last checkpoint" if options.command is _run else ""
        print(f"stopped{later}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    commands.add_parser("list", help="every figure").set_defaults(command=_list)
    record = commands.add_parser("record", help="write the verdicts of the recorded runs")
    record.add_argument("--replan", nargs="+", default=[], help="claims whose plan may move, such as CTEDD-F5-*")
    record.add_argument("--because", default="", help="why, which stays in the file")
    record.set_defaults(command=_record)
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
    again = commands.add_parser("repeat", help="play the beginnings of recorded runs again and compare every bit")
    again.add_argument("figure", nargs="+", help="part of an id such as ctedd/fig5")
    again.add_argument("--seeds", default="1", help="how many seeds of every cell (default: 1)")
    again.add_argument("--store", type=Path, default=RECORDED, help="whose runs (default: results/recorded)")
    again.add_argument("--jobs", help="cells that are played side by side (default: one a core)")
    again.add_argument(
        "--time-limit", default="20s", help="how long each is played, for one test at least (default: 20s)"
    )
    again.set_defaults(command=_repeat)
    return parser


def _list(options: argparse.Namespace) -> int:
    for figure in figures():
        print(f"{figure.id:20} {figure.title}")
    return 0


def _work(options: argparse.Namespace, library: Library) -> list[Work]:
    wanted = [figure for pattern in options.figure for figure in chosen(pattern)]
    return missing_work(wanted, profile(options.profile), whole_number("seeds", options.seeds), library)


def _states(options: argparse.Namespace) -> States:
    return States(options.store / ".states")


def _plan(options: argparse.Namespace) -> int:
    library = Library(stores_of(options.store))
    work = with_teachers(_work(options, library), _states(options), usable_device(options.device))
    print(plan(work, library.steps_per_second))
    return 0


def _run(options: argparse.Namespace) -> int:
    finished = train_all(
        _work(options, Library(stores_of(options.store))),
        Store(options.store),
        _states(options),
        usable_device(options.device),
        n_jobs=whole_number("jobs", options.jobs),
        time_limit=seconds(options.time_limit),
        report=Reporter(_say, over=sys.stdout.isatty()).report,
    )
    print("\ncomplete" if finished else "\nstopped at a checkpoint; the same command goes on")
    return 0


def _repeat(options: argparse.Namespace) -> int:
    every = {cell.key: cell for pattern in options.figure for figure in chosen(pattern) for cell in figure.cells}
    cells = [variant for cell in every.values() for variant in variants(cell)]
    store, n_seeds = Store(options.store), whole_number("seeds", options.seeds) or 1
    limit, n_jobs = seconds(options.time_limit) or 0.0, whole_number("jobs", options.jobs) or n_cores()
    work = repeatable(cells, store, n_seeds)
    if not work:
        raise ValueError(f"{options.store} must hold runs that can be repeated, found none of these figures")
    failed = 0
    for n, found in enumerate(repetitions(work, store, limit, n_jobs), start=1):
        failed += found.failed
        print(f"{n:>{len(str(len(work)))}}/{len(work)} {found.words}", flush=True)
    later = sum(cell.start is not None and bool(store.seeds(cell.key)) for cell in cells)
    print(f"{failed} of {len(work)} differ; {later} cells start from others and were left out")
    return int(failed > 0)


def _record(options: argparse.Namespace) -> int:
    if bool(options.replan) != bool(options.because.strip()):
        raise ValueError("a plan moves for a reason: --replan CLAIM and --because go together")
    library = Library(Stores(Store(RECORDED)))
    desks = {look: Desk(library, look) for look in LOOKS}
    plans = {claim.id: plan_of(figure, claim) for figure in figures() for claim in figure.claims}
    known = {*plans, *(Kept.at(VERDICTS).plans if VERDICTS.exists() else ())}
    moving = {claim: options.because for claim in known if any(fnmatch(claim, name) for name in options.replan)}
    judged = {look: desk.verdicts(figures()) for look, desk in desks.items()}
    kept = keep(VERDICTS, judged, plans, moving)
    print(f"{VERDICTS}: {', '.join(f'{len(found)} verdicts of {look}' for look, found in kept.verdicts.items())}")
    families = {paper[0].paper.name: desks["quick"].sketches(paper) for paper in papers(figures())}
    print(f"{SIMULATED}: {', '.join(simulated.keep(SIMULATED, families))}")
    return 0


def _say(text: str) -> None:
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
