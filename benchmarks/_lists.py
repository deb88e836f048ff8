"""What a figure may be written with: statistics, rules, and the metrics that its cells record."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args

from benchmarks import Delta, Figure, Rule
from benchmarks._judging import scores
from benchmarks._outside.fitting import called, recorded
from benchmarks._training.loop import array_units

KINDS = {
    "figures": "every figure (default)",
    "statistics": "how a seed's curve becomes a number",
    "rules": "how two numbers are compared, and how the smallest difference of interest is said",
    "metrics": "what the cells of a figure record",
}

TOLD = "; ".join(map(": ".join, KINDS.items()))


def add(commands: Any, command: Callable[[argparse.Namespace], int]) -> None:
    """Adds the command to those of a parser."""
    listed = commands.add_parser("list", help="every figure; or statistics, rules, and metrics, to write one with")
    listed.add_argument("what", nargs="?", choices=KINDS, default="figures", help=TOLD)
    listed.add_argument("figure", nargs="*", default=[], help="of metrics: which figures, such as ctedd/fig5")
    listed.set_defaults(command=command)


def show(what: str, figures: Sequence[Figure]) -> int:
    """Prints a list.

    Raises: ValueError where metrics are asked for and no figure.
    """
    if what == "metrics" and not figures:
        raise ValueError("whose metrics must be said, such as `list metrics ctedd/fig5`, got no figure")
    lines = {"statistics": _statistics, "rules": _rules}.get(what, lambda: _metrics(figures))()
    print("\n".join(lines))
    return 0


def _statistics() -> Iterator[str]:
    yield "from benchmarks._judging.scores import …"
    yield from _described(
        kind for _, kind in inspect.getmembers(scores, is_dataclass) if kind.__module__ == scores.__name__
    )


def _rules() -> Iterator[str]:
    yield "from benchmarks import …"
    yield from _described(get_args(Rule))
    yield "\ntheir delta:"
    yield from _described(get_args(Delta))


def _described(kinds: Iterable[Any]) -> Iterator[str]:
    """Dataclasses with their fields, defaults where they have some, and what they are."""
    for kind in kinds:
        settings = (item.name if item.default is MISSING else f"{item.name}={item.default!r}" for item in fields(kind))
        yield f"\n{kind.__name__}({', '.join(settings)})"
        yield _indented(" ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split()))


def _metrics(figures: Iterable[Figure]) -> Iterator[str]:
    for cell in {cell.key: cell for figure in figures for cell in figure.cells}.values():
        yield f"\n{called(cell)}"
        for name, unit in recorded(cell).items():
            yield f"  {name!r}"
            yield _indented(unit)
        for name, what in array_units(cell).items():
            yield f"  {name!r} (an array, of the last test)"
            yield _indented(what)


def _indented(text: str) -> str:
    return textwrap.fill(text, 110, initial_indent="    ", subsequent_indent="    ")
