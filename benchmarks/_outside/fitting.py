"""Whether a figure of somebody's fits its cells, before anything is trained."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain

from benchmarks import PROFILES, Cell, Figure, scores_of
from benchmarks._training.loop import units
from environments import Streams


def fit(figures: Iterable[Figure]) -> None:
    """Nothing, if every figure can be trained, drawn and judged.

    Raises: ValueError where it reads a metric that its cell does not record, or a profile asks nothing of a cell.
    """
    for figure in figures:
        if said := next(chain(_unasked(figure), _unrecorded(figure)), ""):
            raise ValueError(f"{figure.id}: {said}")


@functools.cache
def recorded(cell: Cell) -> dict[str, str]:
    """What a cell records, and its unit in words.

    Raises: ValueError where its learner cannot begin in its game.
    """
    try:
        return units(cell, cell.algorithm.init(cell.env, Streams.of([0], "training", "cpu")))
    except Exception as error:
        raise ValueError(f"{called(cell)} cannot begin: {type(error).__name__}: {error}") from error


def called(cell: Cell) -> str:
    """How a cell is called where there are several."""
    return f"{cell.name} on {cell.environment}"


def _unasked(figure: Figure) -> Iterator[str]:
    """Profiles that are not there, and cells of which one asks nothing."""
    if tuple(figure.budgets) != PROFILES:
        yield f"budgets must be of {', '.join(PROFILES)}, in this order, got {', '.join(figure.budgets) or 'none'}"
        return
    for profile, sizes in figure.budgets.items():
        for cell in figure.cells:
            if not {cell.environment, called(cell)} & sizes.keys():
                names = ", ".join(map(repr, sizes)) or "none"
                yield f"profile {profile} must have a budget for {called(cell)}, got one for {names}"


def _unrecorded(figure: Figure) -> Iterator[str]:
    """Metrics that are read and not recorded."""
    for what, cell, metric in _read(figure):
        names = recorded(cell)
        if metric not in names:
            offered = ", ".join(map(repr, names))
            yield (
                f"{what} reads {metric!r} of {called(cell)}, which records {offered}; "
                f"`python -m benchmarks list metrics {figure.id}` says what each is"
            )


def _read(figure: Figure) -> Iterator[tuple[str, Cell, str]]:
    """Every metric that is read, by what, and of which cell."""
    for panel in figure.panels:
        yield from ((f"line {line.label!r} of panel {panel.title!r}", line.cell, line.metric) for line in panel.lines)
    for claim in figure.claims:
        for score in (part for row in claim.rows for read in scores_of(row) for part in read.parts):
            beside = score.beside if isinstance(score.beside, tuple) else (score.beside,)
            names = (score.metric.name, score.metric.witness, *(other.name for other in beside if other is not None))
            yield from ((f"claim {claim.id}", score.cell, name) for name in names if name)
