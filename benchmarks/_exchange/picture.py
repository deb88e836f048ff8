"""Their curves beside ours: as they were given, in our unit, and the difference beside the margin.

Means over seeds with 95 % intervals, and every seed.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture

from benchmarks._drawing.curves import DPI
from benchmarks._drawing.layout import WIDTH
from benchmarks._drawing.numbers import Numbers, limits, mean_and_band
from benchmarks._drawing.plates import BLUE, GREY, ORANGE
from benchmarks._drawing.style import settings
from benchmarks._drawing.svg import with_counted_clips
from benchmarks._exchange.comparison import Comparison
from benchmarks._exchange.equivalence import Part, Tracks
from benchmarks._exchange.units import on_grid

HEIGHT = 2.5
MOST_POINTS = 400
"""Of a mean: where seeds are tested at other steps than others, all lie on one grid of so many."""


def save(found: Comparison, stem: Path) -> tuple[str, Path]:
    """The picture as SVG, and where it lies as PNG, beside which the SVG lies too."""
    picture, png = draw(found), stem.with_name(f"{stem.name}.png")
    stem.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    with mpl.rc_context(settings(found.stored.exhibit.figure)):
        picture.savefig(text, format="svg", metadata={"Date": None, "Creator": None, "Title": found.stored.name})
        picture.savefig(png, dpi=DPI)
    svg = with_counted_clips(text.getvalue())
    stem.with_name(f"{stem.name}.svg").write_text(svg, encoding="utf-8")
    return svg, png


def draw(found: Comparison) -> Picture:
    """The picture, which belongs to no window."""
    with mpl.rc_context(settings(found.stored.exhibit.figure)):
        shown = [("in our unit", found.theirs, found.ours)]
        if found.unit.is_other:
            shown.insert(0, ("as they are", found.given.tracks, found.stored.tracks))
        n = len(shown) + 1
        picture = Picture(figsize=(WIDTH, HEIGHT if n == 2 else HEIGHT * 0.95), layout="constrained")
        FigureCanvasAgg(picture)
        axes: list[Axes] = list(picture.subplots(1, n, squeeze=False).ravel())
        for ax, (title, theirs, ours) in zip(axes, shown, strict=False):
            _draw_curves(ax, found, theirs, ours)
            ax.set_title(title if n > 2 else found.stored.name, loc="left", fontweight="bold")
        _draw_difference(axes[-1], found)
        axes[0].set_ylabel(found.stored.panel.ylabel)
        axes[0].legend(frameon=False, loc="best")
        for ax in axes:
            ax.spines[["top", "right"]].set_visible(False)
        return picture


def _draw_curves(ax: Axes, found: Comparison, theirs: Tracks, ours: Tracks) -> None:
    """Both sides, as far as both go: ours goes on where theirs ends."""
    for name, tracks, colour, dashes in (("ours", ours, BLUE, "-"), ("yours", theirs, ORANGE, (0, (5, 1.6)))):
        style: Any = {"color": colour, "ls": dashes}
        for track in tracks.values():
            known = np.where(np.isfinite(track.values), track.values, np.nan)
            ax.plot(track.steps / 1000, known, color=colour, lw=0.5, alpha=0.35, zorder=2)
        grid, values = _together(tracks)
        if len(tracks) > 1 and len(grid):
            mean, low, high = mean_and_band(values)
            ax.fill_between(grid / 1000, low, high, color=colour, alpha=0.16, lw=0, zorder=3)
            ax.plot(grid / 1000, mean, lw=1.6, zorder=4, label=name, **style)
        else:
            ax.plot([], [], label=name, **style)
    ends = limits([np.stack([track.values]) for side in (theirs, ours) for track in side.values()])
    ax.set_ylim(ends.low, ends.high)
    reach = max(track.steps[-1] for track in theirs.values()) / 1000
    ax.set_xlim(0, min(1.6 * reach, max(reach, max(track.steps[-1] for track in ours.values()) / 1000)))
    ax.yaxis.set_major_formatter(Numbers())
    ax.set_xlabel("steps (thousands)")


def _together(tracks: Tracks) -> tuple[Any, Any]:
    """Steps that all seeds reach, and every seed's value there. Shapes: [N] and [S, N]."""
    every = list(tracks.values())
    first, last = max(track.steps[0] for track in every), min(track.steps[-1] for track in every)
    grid = every[0].steps[(every[0].steps >= first) & (every[0].steps <= last)]
    if any(not np.array_equal(track.steps, every[0].steps) for track in every) or len(grid) > MOST_POINTS:
        grid = np.linspace(first, last, min(MOST_POINTS, max(len(track.steps) for track in every)))
    return grid, np.stack([on_grid(track, grid) for track in every])


def _draw_difference(ax: Axes, found: Comparison) -> None:
    """Every quarter's difference with its 90 % interval, within the margin or not."""
    margin = found.found.margin.value
    ax.axhspan(-margin, margin, color=GREY, alpha=0.16, lw=0)
    ax.axhline(0, color=GREY, lw=0.8)
    for part in found.found.parts:
        _draw_part(ax, part)
    ax.set_title("yours − ours", loc="left", fontweight="bold")
    ax.set_xlabel("steps (thousands)")
    ax.yaxis.set_major_formatter(Numbers())
    ends = [abs(end) for part in found.found.parts for end in _ends(part)]
    reach = 1.15 * max(margin, *ends)
    ax.set_ylim(-reach, reach)
    ax.annotate("margin", (1, margin), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7)


def _ends(part: Part) -> list[float]:
    found = [float(part.found.estimate), float(part.found.low), float(part.found.high)]
    return [end for end in found if np.isfinite(end)]


def _draw_part(ax: Axes, part: Part) -> None:
    middle = (part.span.first + part.span.last) / 2000
    estimate, *ends = _ends(part)
    if ends:
        ax.plot([middle, middle], ends, color=ORANGE, lw=1.6)
    ax.plot(middle, estimate, "o", color=ORANGE, ms=5)
