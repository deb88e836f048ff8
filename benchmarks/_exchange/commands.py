"""`compare` and `export` of the command line: what they ask for, and what they say."""

from __future__ import annotations

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any

from benchmarks import Figure, Line
from benchmarks._catalogue import chosen, figures
from benchmarks._exchange import dictionaries, lines, tidy
from benchmarks._exchange.comparison import compared
from benchmarks._exchange.curves import columns
from benchmarks._exchange.lines import stored
from benchmarks._exchange.reading import read
from benchmarks._judging.desk import Desk, largest
from benchmarks._judging.exhibit import Exhibit
from benchmarks._options import LOCAL, RECORDED, profile, stores_of
from benchmarks._training.work import Library

COMPARED = LOCAL / "compared"
EXPORTED = LOCAL / "exported"
KINDS = ("csv", "parquet", "rliable", "marl-eval", "latex")
COUNTED = ("steps", "episodes", "agent-steps")
CODES = {"AGREE": 0, "DIFFER": 1, "UNDECIDED": 4}
"""Exit codes of compare."""


def add(commands: Any) -> None:
    """Adds the commands to those of a parser."""
    own = commands.add_parser("compare", help="hold your curves against stored ones; 0 agree, 1 differ, 4 not shown")
    own.add_argument("curves", type=Path, help="CSV or Parquet in long form, marl-eval's JSON, BenchMARL's or sacred's")
    own.add_argument("figure", help="id of a figure such as ctedd/fig5")
    own.add_argument("--line", required=True, help="panel and curve, such as CN-V1/MADDPG-3")
    own.add_argument("--columns", help="how a table calls its columns (default: seed=seed,steps=steps,value=value)")
    own.add_argument("--where", nargs="+", default=[], metavar="NAME=VALUE", help="which rows, or runs, are meant")
    own.add_argument("--metric", help="which metric or column is meant")
    own.add_argument("--counted", default="steps", help=f"what your steps count: {', '.join(COUNTED)}")
    own.add_argument("--margin", help="the smallest difference of interest (default: as the figure's claims)")
    own.add_argument("--profile", help="which stored curves (default: paper where all of it has been run, else quick)")
    own.add_argument("--store", type=Path, default=RECORDED, help="whose curves (default: results/recorded)")
    own.add_argument("--out", type=Path, default=COMPARED, help="where the page goes (default: results/local/compared)")
    own.set_defaults(command=compare)
    out = commands.add_parser("export", help="write a figure's numbers for other tools, or for a paper")
    out.add_argument("figure", help="id of a figure such as ctedd/fig5")
    out.add_argument("--to", required=True, help=f"one of {', '.join(KINDS)}")
    out.add_argument("--profile", help="which stored runs (default: paper where all of it has been run, else quick)")
    out.add_argument("--store", type=Path, default=RECORDED, help="whose runs (default: results/recorded)")
    out.add_argument("--out", type=Path, default=EXPORTED, help="where the files go (default: results/local/exported)")
    out.set_defaults(command=export)


def compare(options: argparse.Namespace) -> int:
    """Reads, compares, says, draws, and writes the page."""
    if options.counted not in COUNTED:
        raise ValueError(f"--counted must be one of {', '.join(COUNTED)}, got {options.counted!r}")
    exhibit = opened(named(options.figure), options)
    line = stored(exhibit, options.line, margin(options.margin))
    given = read(options.curves, columns(options.columns, options.where), options.metric)
    env = line.line.cell.env
    strides = dict(zip(COUNTED, (1.0, env.horizon, 1 / sum(role.n_agents for role in env.roles)), strict=True))
    known = options.counted != "steps"
    found = compared(given.converted(stride=strides[options.counted]), line, counts_known=known)
    from benchmarks._exchange import page, picture, words  # noqa: PLC0415 because matplotlib is not everywhere

    print(words.text(found))
    stem = options.out / slug(f"{exhibit.figure.id} {line.name}")
    svg, png = picture.save(found, stem)
    page.write(found, svg, stem.with_name(f"{stem.name}.html"))
    print(f"\n{stem.with_name(f'{stem.name}.html')}\n{png}")
    return CODES[found.verdict]


def export(options: argparse.Namespace) -> int:
    """Writes what is asked for, and says what it lies in and what there is not."""
    if options.to not in KINDS:
        raise ValueError(f"--to must be one of {', '.join(KINDS)}, got {options.to!r}")
    figure = named(options.figure)
    exhibit = opened(figure, options, figures())
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / slug(figure.id)
    paths, said = _latex(exhibit, stem) if options.to == "latex" else (_written(exhibit, stem, options.to), "")
    absent = [lines.named(panel, line) for panel in figure.panels for line in panel.lines if not _is_run(exhibit, line)]
    print("\n".join([*map(str, paths), *([said] if said else [])]))
    if absent:
        print(f"not run, and not in it: {', '.join(absent)}")
    return 0


def _is_run(exhibit: Exhibit, line: Line) -> bool:
    return bool(exhibit.sample(line.cell).runs)


def _written(exhibit: Exhibit, stem: Path, kind: str) -> list[Path]:
    """The tables, or one file of dictionaries."""
    if kind in ("csv", "parquet"):
        paths = [stem.with_name(f"{stem.name}{part}.{kind}") for part in ("", "-claims")]
        tidy.write(tidy.curves(exhibit), tidy.CURVES, paths[0])
        tidy.write(tidy.claims(exhibit), tidy.CLAIMS, paths[1])
        return paths
    content = dictionaries.rliable(exhibit) if kind == "rliable" else dictionaries.marl_eval(exhibit)
    path = stem.with_name(f"{stem.name}-{kind}.json")
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [path]


def _latex(exhibit: Exhibit, stem: Path) -> tuple[list[Path], str]:
    """Tables and pictures, and why one of them is not there."""
    from benchmarks._exchange import latex  # noqa: PLC0415 because matplotlib is not everywhere

    path = stem.with_name(f"{stem.name}.tex")
    path.write_text(latex.tables(exhibit), encoding="utf-8")
    pictures, said = latex.pictures(exhibit, stem)
    return [path, *pictures], said


def opened(figure: Figure, options: argparse.Namespace, among: tuple[Figure, ...] = ()) -> Exhibit:
    """A figure in the profile that is asked for, or else the largest that is there in full.

    Its claims are corrected `among` those of others of its paper.
    """
    named = None if options.profile is None else profile(options.profile)
    desk = Desk(Library(stores_of(options.store)), named or "quick")
    (exhibit,) = (desk if named else largest(desk, figure)).opened([figure], among)
    return exhibit


def named(pattern: str) -> Figure:
    """The one figure of that id, or whose id alone holds the pattern.

    Raises: ValueError where there is none, or there are several.
    """
    found = chosen(pattern)
    exact = [figure for figure in found if figure.id == pattern]
    if len(exact or found) != 1:
        raise ValueError(f"one figure must be named, got {pattern!r}, which is {', '.join(f.id for f in found)}")
    return (exact or list(found))[0]


def margin(text: str | None) -> float | None:
    """A margin, or None where none was given.

    Raises: ValueError where it is no number above 0.
    """
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"--margin must be a number above 0, got {text!r}")
    return value


def slug(text: str) -> str:
    """A text as part of a file's name."""
    return re.sub(r"[^\w.@+-]+", "-", text).strip("-")
