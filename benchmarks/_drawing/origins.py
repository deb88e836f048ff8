"""What a picture is drawn from, in one digest: the figure, the curves, and the code that draws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl

from benchmarks import Band, Cell
from benchmarks._drawing.style import Palette
from benchmarks._judging.exhibit import Exhibit

HERE = Path(__file__).parent
JUDGING = ("exhibit.py", "evidence.py", "samples.py", "scores.py", "statistics.py")
PUBLISHED = HERE.parent.parent / "results" / "published"


def origin(exhibit: Exhibit, band: Band | None) -> str:
    """The same where the picture would be."""
    found = hashlib.sha256(f"{mpl.__version__} {exhibit.profile} {band}".encode())
    found.update(code(exhibit.figure.paper.name).encode())
    found.update("\n".join(_specified(exhibit)).encode())
    for cell in sorted(exhibit.samples, key=str):
        sample = exhibit.samples[cell]
        found.update(f"{cell} {sample.budget}".encode())
        for seed, run in sorted(sample.runs.items()):
            found.update(f"{seed} {run.key} {sorted(run.units.items())}".encode())
            found.update(run.steps.tobytes())
            for name, values in sorted({**run.metrics, **run.arrays}.items()):
                found.update(name.encode())
                found.update(values.tobytes())
    return found.hexdigest()[:32]


@cache
def code(paper: str) -> str:
    """A digest of all code that draws figures of a paper, and of the numbers that it prints."""
    own = HERE.parent / paper
    files = [*HERE.glob("*.py"), *(HERE.parent / "_judging" / name for name in JUDGING), *own.glob("*.py")]
    files += PUBLISHED.rglob(f"*{paper}*")
    found = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()


def _specified(exhibit: Exhibit) -> Iterator[str]:
    """All that is shown, in words that are the same in every process."""
    figure = exhibit.figure
    yield from (figure.id, figure.title)
    yield from map(_told, (figure.panels, figure.plates))
    yield str([exhibit.figure.in_full("paper", cell) for cell in figure.drawn])
    yield str(sorted(Palette.of(figure, exhibit.kin).styles.items()))


def _told(thing: Any) -> str:
    """A specification as text; a cell by its name and key."""
    if isinstance(thing, Cell):
        return f"{thing.name} {thing.key}"
    if is_dataclass(thing) and not isinstance(thing, type):
        parts = (f"{item.name}={_told(getattr(thing, item.name))}" for item in fields(thing))
        return f"{type(thing).__name__}({', '.join(parts)})"
    if isinstance(thing, Mapping):
        return str({str(name): _told(part) for name, part in thing.items()})
    return f"({', '.join(map(_told, thing))})" if isinstance(thing, tuple | list) else repr(thing)
