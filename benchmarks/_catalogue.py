"""Finds every paper and figure by looking at the files, and those that a user means.

One language chooses, here and in pytest's -k: parts of names, joined by and, or, not and parentheses, such as
`ctedd and fig5`. Names are those of a figure's tests, so a cell's or a claim's name chooses its figure. `@distance`
behind a name asks for that reading.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks import ALL, VARIES, Figure, concerns, settings, variant

HERE = Path(__file__).parent


@functools.cache
def figures() -> tuple[Figure, ...]:
    """Every figure of every paper: `benchmarks/<paper>/<figure>.py` with a `FIGURE`."""
    files = sorted(HERE.glob("[!_]*/[!_]*.py"))
    modules = [path for path in files if (path.parent / "__init__.py").exists()]
    return tuple(importlib.import_module(f"benchmarks.{path.parent.name}.{path.stem}").FIGURE for path in modules)


def chosen(selection: str, reading: str = "") -> tuple[Figure, ...]:
    """The figures that a selection means, under a reading or as a variant: `ctedd/fig5@distance` and
    `ctedd/fig5@MADDPG.learning_rate=0.02` name it too.

    Raises: ValueError where there is none, or none of them has such a reading.
    """
    plain, named = split(selection)
    found = tuple(figure for figure in figures() if any(selects(plain, name) for name in names_of(figure)))
    if not found:
        known = ", ".join(figure.id for figure in figures())
        raise ValueError(f"no figure, cell or claim is called {plain!r}; there are: {known}")
    return read(found, named or reading)


def names_of(figure: Figure) -> tuple[str, ...]:
    """What the tests of a figure are called: its own name, and of every cell, curve and claim."""
    cells = (f"{cell.environment}/{cell.name}" for cell in figure.cells)
    lines = (f"{panel.title}/{line.label}" for panel in figure.panels for line in panel.lines)
    claims = (claim.id for claim in figure.claims)
    return (figure.id, *(f"{figure.id}/{part}" for part in (*cells, *lines, *claims)))


def split(selection: str) -> tuple[str, str]:
    """A selection without its reading, and the reading.

    Raises: ValueError where it names two.
    """
    readings = sorted(set(re.findall(r"@([^\s()]+)", selection)))
    if len(readings) > 1:
        raise ValueError(f"a selection may name one reading, got {' and '.join(readings)} in {selection!r}")
    return re.sub(r"@[^\s()]+", "", selection), readings[0] if readings else ""


def selects(selection: str, name: str) -> bool:
    """Whether a selection means what is called so; an empty one means everything.

    Raises: ValueError where it makes no sense.
    """
    tokens = re.findall(r"[()]|[^\s()]+", selection)
    if not tokens:
        return True
    try:
        found = _any(tokens, lambda part: part.lower() in name.lower())
        if not tokens:
            return found
    except SyntaxError:
        pass
    raise ValueError(f"names are joined by and, or, not and parentheses, such as 'ctedd and fig5', got {selection!r}")


def _any(tokens: list[str], has: Callable[[str], bool]) -> bool:
    """Takes `a or b` off the tokens."""
    found = _all(tokens, has)
    while tokens[:1] == ["or"]:
        del tokens[0]
        found |= _all(tokens, has)
    return found


def _all(tokens: list[str], has: Callable[[str], bool]) -> bool:
    """Takes `a and b` off the tokens."""
    found = _one(tokens, has)
    while tokens[:1] == ["and"]:
        del tokens[0]
        found &= _one(tokens, has)
    return found


def _one(tokens: list[str], has: Callable[[str], bool]) -> bool:
    """Takes a name, `not a` or `(…)` off the tokens."""
    token = tokens.pop(0) if tokens else ""
    if token == "not":
        return not _one(tokens, has)
    if token == "(":
        found = _any(tokens, has)
        if tokens[:1] != [")"]:
            raise SyntaxError
        del tokens[0]
        return found
    if token in ("", ")", "and", "or"):
        raise SyntaxError
    return has(token)


def read(found: Iterable[Figure], reading: str) -> tuple[Figure, ...]:
    """Figures under a reading, those that have it; under "all" as they are and under each of theirs.

    Raises: ValueError where none of them has it.
    """
    known = list(found)
    if not reading:
        return tuple(known)
    if reading == ALL:
        return (*known, *(figure.under(name) for figure in known for name in figure.readings))
    if VARIES in reading:
        return varied(known, reading)
    having = [figure for figure in known if reading in figure.readings]
    if not having:
        offered = ", ".join(f"{figure.id}@{name}" for figure in known for name in figure.readings) or "none"
        raise ValueError(f"no chosen figure has a reading called {reading!r}; there are: {offered}")
    return tuple(figure.under(reading) for figure in having)


def lying_at(paths: Sequence[Path]) -> tuple[Figure, ...]:
    """The figures of some files, such as `benchmarks/ctedd/fig5.py`, or of papers' folders.

    Raises: ValueError where there is none at one of them.
    """
    wanted: dict[str, Figure] = {}
    for path in paths:
        name = path.relative_to(HERE).with_suffix("").as_posix()
        own = [figure for figure in figures() if name in (figure.id, figure.paper.name)]
        if not own:
            raise ValueError(f"{path} must be a figure's file or a paper's folder, found no figure there")
        wanted |= {figure.id: figure for figure in own}
    return tuple(wanted.values())


def varied(found: Iterable[Figure], text: str) -> tuple[Figure, ...]:
    """Figures with settings of one's own, those that have their classes.

    Raises: ValueError where none has, or a setting does not exist.
    """
    known, asked = list(found), settings(text)
    having = [figure for figure in known if concerns(figure, asked)]
    return tuple(variant(figure, text) for figure in having or known[:1])
