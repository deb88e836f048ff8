"""What Figures 3 and 7 have in common: what training has been paid, against samples."""

from __future__ import annotations

from algorithms.untrained import NAMES, of
from benchmarks import Band, Line, Panel
from benchmarks.mace import CUMULATIVE, METHODS, Game, cell, untrained
from benchmarks.mace._plates import named

PRINTED_BAND = Band(deviations=None)
"""The paper shades from the lowest to the highest of its best five runs."""


def panel(one: Game, horizon: int | None = None) -> Panel:
    """One game: every method while it trains, and as it begins."""
    lines = [Line(name, cell(name, *one, horizon), CUMULATIVE, total=True) for name in METHODS]
    lines += [Line(f"{name}, untrained", untrained(*one, horizon), of(name, CUMULATIVE), total=True) for name in NAMES]
    return Panel(named(one), tuple(lines), CUMULATIVE, against="samples")
