"""Finds every paper and figure by looking at the files."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable
from pathlib import Path

from benchmarks import ALL, VARIES, Figure, concerns, settings, variant

HERE = Path(__file__).parent


@functools.cache
def figures() -> tuple[Figure, ...]:
    """Every figure of every paper: `benchmarks/<paper>/<figure>.py` with a `FIGURE`."""
    files = sorted(HERE.glob("[!_]*/[!_]*.py"))
    modules = [path for path in files if (path.parent / "__init__.py").exists()]
    return tuple(importlib.import_module(f"benchmarks.{path.parent.name}.{path.stem}").FIGURE for path in modules)


def chosen(pattern: str, reading: str = "") -> tuple[Figure, ...]:
    """The figures whose id (`ctedd/fig5`) holds `pattern`, under a reading or as a variant: `ctedd/fig5@distance` and
    `ctedd/fig5@MADDPG.learning_rate=0.02` name it too.

    Raises: ValueError where there is none, or none of them has such a reading.
    """
    named, _, after = pattern.partition("@")
    found = tuple(figure for figure in figures() if named in figure.id)
    if not found:
        known = ", ".join(figure.id for figure in figures())
        raise ValueError(f"no figure or paper is called {named!r}; there are: {known}")
    return read(found, after or reading)


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


def varied(found: Iterable[Figure], text: str) -> tuple[Figure, ...]:
    """Figures with settings of one's own, those that have their classes.

    Raises: ValueError where none has, or a setting does not exist.
    """
    known, asked = list(found), settings(text)
    having = [figure for figure in known if concerns(figure, asked)]
    return tuple(variant(figure, text) for figure in having or known[:1])
