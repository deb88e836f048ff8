"""The benchmarks without pytest: see what a figure needs, and train it on a bare machine.

`marl-repro` is the same where the suite is installed.

python -m benchmarks list
python -m benchmarks plan
python -m benchmarks plan "ctedd and fig5" --profile quick
python -m benchmarks run ctedd/fig5 --profile quick --time-limit 9m --device cuda
python -m benchmarks run ctedd/fig5@distance
python -m benchmarks run ctedd/fig5 --set MADDPG.learning_rate=0.02
python -m benchmarks run "" --profile paper --by value
python -m benchmarks repeat ctedd/fig5
python -m benchmarks clean ctedd/fig5 --profile paper
python -m benchmarks compare my_curves.csv ctedd/fig5 --line CN-V1/MADDPG-3
python -m benchmarks export ctedd/fig5 --to csv
python -m benchmarks watch ctedd/fig5 --cell CN-V1/CTEDD --policy L-3 --out game.gif
python -m benchmarks judge -k "ctedd and fig5"

Exit codes of run: 0 complete, 3 stopped at a checkpoint (the same command goes on), 1 something failed, 2 wrong use.
"""

from __future__ import annotations

import argparse
import importlib
import io
import signal
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import ALL, LOOKS, PROFILES, Figure, actors
from benchmarks._campaign import Campaign
from benchmarks._catalogue import chosen, figures, read
from benchmarks._exchange import commands as exchange
from benchmarks._judging import simulated
from benchmarks._judging.desk import Desk, papers
from benchmarks._judging.plans import Kept, keep, plan_of
from benchmarks._judging.readings import verdicts_of
from benchmarks._options import (
    LOCAL,
    NAME,
    RECORDED,
    SIMULATED,
    VERDICTS,
    apart,
    profile,
    reading,
    seconds,
    stores_of,
    version,
    whole_number,
)
from benchmarks._training.circumstances import commit, known_commit
from benchmarks._training.progress import Reporter, disk, failed, size
from benchmarks._training.repetition import Repetition, chain_seconds, chains, repeatable, repetitions
from benchmarks._training.runner import jobs_on, n_cores, train_all
from benchmarks._training.standing import standing_of
from benchmarks._training.work import Library, Work, in_order, missing_work, spare, usable_device, variants
from results import States, Store, StoreError, Stores, seal

STOPPED = 3  # exit code: stopped at a checkpoint
MOST_SEEDS = 10  # that a profile records
SELECTION = 'which figures, as in pytest -k: ctedd/fig5, "ctedd and (fig4 or fig5)", CTEDD-F5-4; "" is every figure'
READING = "what else the papers' texts allow: a name that list shows, or all (default: our choice of everything)"
SET = "the figure with a setting of one's own, such as MADDPG.learning_rate=0.02, beside what it varies; repeatable"
ORDERS = {
    "length": "what takes longest with all that starts from it is trained first (default)",
    "value": "what decides most claims per hour is trained first, in the order that plan shows",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; what a user can get wrong ends in one sentence and exit code 2."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows ASCII only shows the rest as ?
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
    script = Path(sys.argv[0]).name
    name = script if script == "marl-repro" else "python -m benchmarks"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.split("\n")[0])
    parser.add_argument("--version", action=_Version, nargs=0, help="which version this is")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("list", help="every figure").set_defaults(command=_list)
    record = commands.add_parser("record", help="write the verdicts of the recorded runs")
    record.add_argument("--replan", nargs="+", default=[], help="claims whose plan may move, such as CTEDD-F5-*")
    record.add_argument("--because", default="", help="why, which stays in the file")
    record.set_defaults(command=_record)
    seal_one = commands.add_parser("seal", help="seal a file of published numbers that has been checked and changed")
    seal_one.add_argument("file", type=Path)
    seal_one.set_defaults(command=_seal)
    for name, command, text in (("plan", _plan, "what is missing"), ("run", _run, "train what is missing")):
        sub = commands.add_parser(name, help=text)
        sub.add_argument("figure", nargs="*" if command is _plan else "+", default=[""], help=SELECTION)
        sub.add_argument("--reading", default="", help=READING)
        sub.add_argument("--set", action="append", default=[], metavar="CLASS.FIELD=VALUE", help=SET)
        sub.add_argument("--profile", default="quick", help=f"one of {', '.join(PROFILES)}")
        sub.add_argument("--seeds", help="how many seeds, instead of the profile's number")
        sub.add_argument("--store", type=Path, default=LOCAL, help=f"where results are kept (default: {LOCAL})")
        sub.add_argument("--device", default="auto", help="auto, cpu or cuda")
        sub.add_argument(
            "--jobs", help="cells that train side by side (default: one a core, and on a card as many as fit)"
        )
        sub.add_argument("--time-limit", help="stop at a checkpoint after this long, such as 9m")
        sub.add_argument(
            "--set-aside", action="store_true", help="begin anew where a training state is damaged or of other code"
        )
        if command is _run:
            sub.add_argument("--by", default="length", help="; ".join(map(": ".join, ORDERS.items())))
        sub.set_defaults(command=command)
    clean = commands.add_parser("clean", help="delete the training states that a profile does not need any more")
    clean.add_argument("figure", nargs="+", help=f"{SELECTION}; other figures' states are kept")
    clean.add_argument("--reading", default="", help=READING)
    clean.add_argument("--set", action="append", default=[], metavar="CLASS.FIELD=VALUE", help=SET)
    clean.add_argument("--profile", default="paper", help="what may still be trained (default: paper)")
    clean.add_argument("--seeds", help="how many seeds, instead of the profile's number")
    clean.add_argument("--store", type=Path, default=LOCAL, help=f"whose states (default: {LOCAL})")
    clean.add_argument("--device", default="auto", help="auto, cpu or cuda")
    clean.set_defaults(command=_clean)
    again = commands.add_parser("repeat", help="play the beginnings of recorded runs again and compare every bit")
    again.add_argument("figure", nargs="+", help=SELECTION)
    again.add_argument("--reading", default="", help=READING)
    again.add_argument("--seeds", default="1", help="how many seeds of every cell (default: 1)")
    again.add_argument("--store", type=Path, default=RECORDED, help="whose runs (default: those of the suite)")
    again.add_argument("--jobs", help="cells that are played side by side (default: one a core)")
    again.add_argument(
        "--time-limit", default="20s", help="how long each is played, for one test at least (default: 20s)"
    )
    again.add_argument(
        "--chains", default="10m", help="how long all that a cell starts from may take to train (default: 10m)"
    )
    again.set_defaults(command=_repeat)
    exchange.add(commands)
    _add_shown(commands)
    return parser


def _add_shown(commands: Any) -> None:
    """What looks at what there is: watching, what can be watched, judging."""
    watch = commands.add_parser("watch", help="an episode of a trained policy as a moving picture")
    watch.add_argument("figure", help="an id such as ctedd/fig5")
    watch.add_argument("--cell", required=True, help="one of its cells, such as CN-V1/CTEDD")
    watch.add_argument("--policy", default="", help="one of its policies, such as L-3, where it has several")
    watch.add_argument("--seed", type=int, default=0, help="which seed was trained (default: 0)")
    watch.add_argument("--episode", type=int, default=0, help="a number that says how the episode begins (default: 0)")
    watch.add_argument("--beside", default="untrained", help="untrained (default), chance or nobody")
    watch.add_argument("--store", type=Path, default=LOCAL, help=f"whose training states (default: {LOCAL})")
    watch.add_argument("--out", type=Path, required=True, help="a .gif, .png or .webp")
    watch.set_defaults(command=_watch)
    kept = commands.add_parser("actors", help="keep what recorded runs have learnt in results/actors")
    kept.add_argument("figure", nargs="+", help='part of an id such as ctedd/fig5, "" for every figure')
    kept.add_argument("--store", type=Path, default=RECORDED, help="whose training states (default: of the recorded)")
    kept.add_argument("--seed", type=int, default=0, help="which seed (default: 0)")
    kept.set_defaults(command=_actors)
    judge = commands.add_parser("judge", add_help=False, prefix_chars="\0", help="pytest on the figures")
    judge.add_argument("arguments", nargs="*")
    judge.set_defaults(command=_judge)


class _Version(argparse.Action):
    """Says which version this is, and of which commit where that is known."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(", ".join(filter(None, [f"{NAME} {version()}", commit() and f"commit {commit()}"])))
        parser.exit()


def _list(options: argparse.Namespace) -> int:
    for figure in figures():
        print(f"{figure.id:20} {figure.title}")
        for name, (decision, other) in figure.readings.items():
            print(f"  {f'@{name}':18} {decision.question} {other.choice}")
    return 0


def _seal(options: argparse.Namespace) -> int:
    seal(options.file)
    return 0


def _figures(options: argparse.Namespace) -> tuple[Figure, ...]:
    asked = reading(options.reading, options.set)
    found = {figure.id: figure for pattern in options.figure for figure in chosen(pattern, asked)}
    apart(found.values(), options.store)
    return tuple(found.values())


def _campaign(options: argparse.Namespace, library: Library) -> Campaign:
    desk = Desk(library, profile(options.profile), whole_number("seeds", options.seeds))
    return Campaign.into(options.store, _figures(options), desk, options.device, library)


def _work(options: argparse.Namespace, library: Library) -> list[Work]:
    """What is to be trained, in the order that is asked for."""
    if options.by not in ORDERS:
        raise ValueError(f"--by must be {' or '.join(ORDERS)}, got {options.by!r}")
    campaign = _campaign(options, library)
    return in_order(campaign.missing, campaign.by_value) if options.by == "value" else campaign.missing


def _states(options: argparse.Namespace) -> States:
    return States(options.store / ".states")


def _plan(options: argparse.Namespace) -> int:
    library, states, device = Library(stores_of(options.store)), _states(options), usable_device(options.device)
    campaign = _campaign(options, library)
    print(campaign.words(whole_number("jobs", options.jobs) or jobs_on(device, campaign.missing)))
    if sizes := states.sizes():
        print(disk(sizes, _spare(options, "paper", library, states)))
    _say_standing(options, library)
    return 0


def _run(options: argparse.Namespace) -> int:
    library = Library(stores_of(options.store))
    work = _work(options, library)
    if options.store.resolve() == RECORDED.resolve():
        known_commit()
    trained = train_all(
        work,
        Store(options.store),
        _states(options),
        usable_device(options.device),
        n_jobs=whole_number("jobs", options.jobs),
        time_limit=seconds(options.time_limit),
        set_aside=options.set_aside,
        report=Reporter(_say, over=sys.stdout.isatty()).report,
    )
    print()
    _say_standing(options, library)
    if trained.failures:
        print(failed(trained.failures))
        return 1
    print("complete" if trained.complete else "stopped at a checkpoint; the same command goes on")
    return 0 if trained.complete else STOPPED


def _say_standing(options: argparse.Namespace, library: Library) -> None:
    """That some of what is stored was recorded with other code."""
    cells = [cell for figure in _figures(options) for cell in figure.cells]
    said = standing_of(cells, library, MOST_SEEDS).words
    if said:
        print(said)


def _spare(options: argparse.Namespace, name: str, library: Library, states: States) -> dict[tuple[str, int], int]:
    """The states of the chosen figures that a profile does not need any more."""
    device = usable_device(options.device)
    mine = {cell.on(device).key for figure in _figures(options) for cell in figure.cells}
    wanted = (*read(figures(), ALL), *_figures(options))
    needed = missing_work(wanted, name, whole_number("seeds", options.seeds), library)
    return {owner: n for owner, n in spare(needed, states, device).items() if owner[0] in mine}


def _clean(options: argparse.Namespace) -> int:
    library, states = Library(stores_of(options.store)), _states(options)
    freed = kept = 0
    for (key, seed), n_bytes in _spare(options, profile(options.profile), library, states).items():
        if states.drop(key, seed):
            freed += n_bytes
        else:
            kept += 1
    in_training = f"; {kept} that are in training stay" if kept else ""
    print(f"{size(freed)} of training states freed{in_training}")
    return 0


def _repeat(options: argparse.Namespace) -> int:
    every = {
        cell.key: cell
        for pattern in options.figure
        for figure in chosen(pattern, options.reading)
        for cell in figure.cells
    }
    cells = [variant for cell in every.values() for variant in variants(cell)]
    store, n_seeds = Store(options.store), whole_number("seeds", options.seeds) or 1
    limit, n_jobs = seconds(options.time_limit) or 0.0, whole_number("jobs", options.jobs) or n_cores()
    longest = seconds(options.chains) or 0.0
    work = repeatable(cells, store, n_seeds)
    if not work:
        raise ValueError(f"{options.store} must hold runs that can be repeated, found none of these figures")
    first = [(cell, seed) for cell, seed in work if cell.start is None]
    later = [(cell, seed) for cell, seed in work if cell.start is not None and cell.device == "cpu"]
    short = [(cell, seed) for cell, seed in later if chain_seconds(cell, seed, store) <= longest]
    differ = sum(_told(found, store) for found in repetitions(first, store, limit, n_jobs))
    n_chains = 0
    if short:
        report = Reporter(_say, over=sys.stdout.isatty()).report
        played = chains(short, store, n_jobs, report, _say)
        print()
        n_chains = len(played)
        differ += sum(_told(found, store) for found in played)
    left = f"; {len(later) - len(short)} that start from others were left out, their chains are longer than --chains"
    print(f"{differ} of {len(first) + n_chains} differ{left if len(later) > len(short) else ''}")
    return int(differ > 0)


def _told(found: Repetition, store: Store) -> bool:
    """Says what came of a seed, certifies it where that can be, and returns whether it differs."""
    print(found.words, flush=True)
    certificate = found.certificate
    if certificate is not None and set(certificate.of) != {certificate.sources}:
        store.certify(found.cell.key, certificate)
    return found.failed


def _watch(options: argparse.Namespace) -> int:
    watching = importlib.import_module("benchmarks._watching")  # draws, which a machine that only trains cannot
    seen = watching.watch(
        options.figure,
        options.cell,
        options.policy,
        options.out,
        seed=options.seed,
        episode=options.episode,
        beside=options.beside,
        store=options.store,
    )
    for one in seen:
        print(f"{one.title}: paid to all in {len(one.episode.states) - 1} steps: {one.paid:,.2f}")
    print(options.out)
    return 0


def _actors(options: argparse.Namespace) -> int:
    every = {cell.key: cell for pattern in options.figure for figure in chosen(pattern) for cell in figure.cells}
    for one in actors.keep(every.values(), _states(options), options.seed):
        print(f"{one.cell.key} {one.cell.name}: {one.why_not or 'kept'}")
    return 0


def _judge(options: argparse.Namespace) -> int:
    if find_spec("pytest") is None:
        raise ValueError("judging needs pytest, found none installed: pip install pytest")
    pytest = importlib.import_module("pytest")
    cache = f"cache_dir={LOCAL.parent / '.pytest_cache'}"  # the packages' own folder may be read-only
    return int(pytest.main([str(Path(__file__).with_name("test_figures.py")), "-o", cache, *options.arguments]))


def _record(options: argparse.Namespace) -> int:
    known_commit()
    if bool(options.replan) != bool(options.because.strip()):
        raise ValueError("a plan moves for a reason: --replan CLAIM and --because go together")
    library = Library(Stores(Store(RECORDED)))
    desks = {look: Desk(library, look) for look in LOOKS}
    every = read(figures(), ALL)
    judgeable = [(figure, claim) for figure in every for claim in figure.claims if not claim.lacks]
    plans = {claim.id: plan_of(figure, claim) for figure, claim in judgeable}
    known = {*plans, *(Kept.at(VERDICTS).plans if VERDICTS.exists() else ())}
    moving = {claim: options.because for claim in known if any(fnmatch(claim, name) for name in options.replan)}
    judged = {
        look: {id_: verdict for id_, verdict in verdicts_of(every, figures(), desk.verdicts).items() if id_ in plans}
        for look, desk in desks.items()
    }
    waiting = {claim.id for figure in every for claim in figure.claims if claim.lacks}
    kept = keep(VERDICTS, judged, plans, moving, waiting)
    print(f"{VERDICTS}: {', '.join(f'{len(found)} verdicts of {look}' for look, found in kept.verdicts.items())}")
    families = {paper[0].paper.name: desks["quick"].sketches(paper) for paper in papers(figures())}
    print(f"{SIMULATED}: {', '.join(simulated.keep(SIMULATED, families))}")
    return 0


def _say(text: str) -> None:
    print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
