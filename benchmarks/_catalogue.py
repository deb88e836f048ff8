"""Finds every paper and figure by looking at the files."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from benchmarks import Figure

HERE = Path(__file__).parent


@functools.cache
def figures() -> tuple[Figure, ...]:
    """Every figure of every paper: `benchmarks/<paper>/<figure>.py` with a `FIGURE`."""
    files = sorted(HERE.glob("[!_]*/[!_]*.py"))
    modules = [path for path in files if (path.parent / "__init__.py").exists()]
    return tuple(importlib.import_module(f"benchmarks.{path.parent.name}.{path.stem}").FIGURE for path in modules)


def chosen(pattern: str) -> tuple[Figure, ...]:
    """The figures whose id (`ctedd/fig5`) holds `pattern`.

    Raises: ValueError where there is none.
    """
    found = tuple(figure for figure in figures() if pattern in figure.id)
    if not found:
        known = ", ".join(figure.id for figure in figures())
        raise ValueError(f"no figure or paper is called {pattern!r}; there are: {known}")
    return found
