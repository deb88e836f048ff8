"""Why training ended, in a sentence for whoever wrote the learner or the game: what was wrong, and in which line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from torch import Tensor

from algorithms import Ledger
from benchmarks import Cell
from benchmarks._vocabulary.cells import package_of
from results import StoreError


def explained(error: BaseException, cell: Cell) -> str:
    """The error, or what of one's own code it comes from where that is known; and where in one's own code."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    entered = next((frame for frame in frames if frame.f_code is Ledger.enter.__code__), None)
    said = _of_ledger(entered, cell) if entered is not None else ""
    plain = str(error) if isinstance(error, StoreError | ValueError) else f"{type(error).__name__}: {error}"
    return f"{said or plain}{_where(error, cell)}"


def _of_ledger(frame: FrameType, cell: Cell) -> str:
    """What is wrong with an entry; empty where nothing is seen to be."""
    held = frame.f_locals
    metric, values, totals = held["metric"], held["values"], held["self"].totals
    learner = type(cell.algorithm).__name__
    if metric not in totals:
        known = ", ".join(map(repr, totals)) or "none"
        return f"{learner} enters {metric!r} into its ledger, which its metrics must announce with a unit, got {known}"
    n_seeds = len(totals[metric])
    return _of_shape(f"{learner} must enter {metric!r}", values, n_seeds, held["where"])


def _of_shape(what: str, values: Any, n_seeds: int, where: Any) -> str:
    asked = f"{what} into its ledger as a tensor [S, …] with a number or more of each of its {n_seeds} seeds"
    if not isinstance(values, Tensor):
        return f"{asked}, got {type(values).__name__}"
    if values.dim() < 2 or len(values) != n_seeds:
        again = "; where a seed has one number, values.unsqueeze(1)" if values.shape == (n_seeds,) else ""
        return f"{asked}, at least two axes in all and seeds in front, got {list(values.shape)}{again}"
    if isinstance(where, Tensor) and where.shape != values.shape:
        return f"{asked}, and `where` of the same shape, got {list(values.shape)} and {list(where.shape)}"
    return ""


def _where(error: BaseException, cell: Cell) -> str:
    """The last line of a package of somebody's own, of which the cell is made, where there is one."""
    transfer = None if cell.start is None else cell.start.transfer
    things = (cell.algorithm, cell.env, cell.measure, transfer)
    packages = {package for thing in things if (package := package_of(type(thing)))}
    lines = list(_lines(error, packages))
    return f" ({lines[-1]})" if lines else ""


def _lines(error: BaseException, packages: set[str]) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__", "")).split(".", maxsplit=1)[0] in packages:
            path = Path(frame.f_code.co_filename)
            yield f"{path.parent.name}/{path.name}, line {line}"
