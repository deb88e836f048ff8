"""What plates of several figures share: colours, and numbers of seeds beside printed ones.

Plates are declared where training imports them, so that nothing here needs matplotlib.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import Cell, Floats
from benchmarks._judging.statistics import mean_interval

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#aa3377", "#666666"
"""After Okabe and Ito: told apart with any colour vision."""


class OfOne:
    """A plate that shows one cell."""

    cell: Cell

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The one."""
        return (self.cell,)


SEED, MEAN, PRINTED = "a seed", "mean over seeds, 95 % interval", "printed in the paper"
"""What marks stand for; a picture that has any of them gets a legend of them."""


def draw_seeds(ax: Any, x: float, values: Floats, colour: str) -> None:
    """Our seeds, and their mean with its 95 % t interval, at one place of the axis. Shapes: [n]."""
    ax.plot(np.full(len(values), x - 0.15), values, ".", color=colour, ms=4, alpha=0.6, label=SEED)
    if len(values) > 1:
        ax.plot([x, x], mean_interval(values), color=colour, lw=1.4)
    ax.plot(x, values.mean(), "o", color=colour, ms=6, label=MEAN)


def draw_printed(ax: Any, x: float, value: float, colour: str, *, hollow: bool = False) -> None:
    """A number that the paper prints, to the right of ours. It may lie on the axis."""
    face = "none" if hollow else colour
    ax.plot(x + 0.2, value, "D", mec=colour, mfc=face, ms=5, clip_on=False, label=PRINTED)
