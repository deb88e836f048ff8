"""What Figures 3 and 7 have in common: what training has been paid, against samples."""

from __future__ import annotations

from benchmarks import Band, Line, Panel
from benchmarks.mace import CUMULATIVE, METHODS, Kind, cell

PRINTED_BAND = Band(deviations=None)
"""The paper shades from the lowest to the highest of its best five runs."""


def panel(kind: Kind, n: int, moving: bool, horizon: int | None = None) -> Panel:
    """One game."""
    title = f"{kind.capitalize()}-Hunters, {n}v{n}, {'moving' if moving else 'frozen'}"
    lines = tuple(Line(method, cell(method, kind, n, moving, horizon), CUMULATIVE) for method in METHODS)
    return Panel(title, lines, CUMULATIVE, against="samples")
