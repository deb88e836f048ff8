"""Where things stand on a picture at print width: panels in two columns, each whole by itself. Units: inches.

Every panel has a box with its title, axes and labels, and nothing of another. The boxes are views of the SVG, so that a
narrow screen shows them below one another.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture

WIDTH = 7.0  # the text of a page of A4 or letter
ALONE = 4.6  # of a panel that has no other beside it
LEFT, RIGHT, BOTTOM, GAP = 0.86, 0.18, 0.42, 0.1  # around the axes of a panel
AXES_HEIGHT = 1.75
TITLE_HEIGHT, NOTE_HEIGHT, NAME_HEIGHT = 0.24, 0.135, 0.165
PLATE_HEIGHT = 3.3
FOOT_COLUMNS = 122
POINTS = 72.0  # an inch


class Box(NamedTuple):
    """A rectangle, measured from the upper left corner."""

    x: float
    y: float
    width: float
    height: float


class Sheet(NamedTuple):
    """A picture with the axes and the box of every panel."""

    picture: Picture
    axes: tuple[Axes, ...]
    boxes: tuple[Box, ...]


def panels(notes: Sequence[int], names: Sequence[int], head: float, foot: str) -> Sheet:
    """Axes for every panel. `notes` and `names` are how many lines of text stand above and below each."""
    n_columns = max(1, min(2, len(notes)))
    width = WIDTH / 2 if n_columns == 2 else ALONE
    rows = [range(i, min(i + n_columns, len(notes))) for i in range(0, len(notes), n_columns)]
    above = [TITLE_HEIGHT + NOTE_HEIGHT * max(notes[i] for i in row) for row in rows]
    below = [BOTTOM + NAME_HEIGHT * max(names[i] for i in row) + GAP for row in rows]
    height = head + sum(above) + sum(below) + AXES_HEIGHT * len(rows) + foot_height(foot)
    picture = _sheet(height, foot)
    axes, boxes, top = [], [], head
    for row, over, under in zip(rows, above, below, strict=True):
        for i in row:
            x, y = (i - row[0]) * width, top + over
            inner = Box(x + LEFT, y, width - LEFT - RIGHT, AXES_HEIGHT)
            axes.append(picture.add_axes(_place(inner, height)))
            boxes.append(Box(x, top, width, over + AXES_HEIGHT + under - GAP / 2))
        top += over + AXES_HEIGHT + under
    return Sheet(picture, tuple(axes), tuple(boxes))


def empty_place(n: int) -> float:
    """How wide the place is that an odd number of panels leaves beside the last one."""
    return WIDTH - (ALONE if n == 1 else WIDTH / 2)


def plates(n: int, head: float, foot: str) -> Sheet:
    """Axes of what is no curve, whose surroundings differ: `settled` finds their places when all has been drawn."""
    n_columns = min(2, n)
    n_rows = -(-n // n_columns) if n else 0
    height = head + n_rows * PLATE_HEIGHT + foot_height(foot)
    picture = _sheet(height, foot)
    if not n:
        return Sheet(picture, (), ())
    picture.set_layout_engine("constrained")
    engine: Any = picture.get_layout_engine()
    low = foot_height(foot) / height
    engine.set(rect=(0, low, 1, 1 - low - head / height), w_pad=0.05, h_pad=0.05)
    axes: list[Axes] = list(picture.subplots(n_rows, n_columns, squeeze=False).ravel())
    for ax in axes[n:]:
        ax.set_axis_off()
    return Sheet(picture, tuple(axes[:n]), ())


def settled(sheet: Sheet) -> Sheet:
    """The same with all axes where they stay, and the box of each plate: as far as the next plate begins."""
    picture = sheet.picture
    if not sheet.axes:
        return sheet
    engine: Any = picture.get_layout_engine()
    engine.execute(picture)
    picture.set_layout_engine("none")
    canvas: Any = picture.canvas
    extents: list[Any] = [ax.get_tightbbox(canvas.get_renderer()) for ax in sheet.axes]
    dpi, height = picture.dpi, picture.get_size_inches()[1]
    n_columns = min(2, len(extents))
    second = min((box.x0 for box in extents[1::2]), default=WIDTH * dpi) / dpi - 0.03
    across = [0.0, second, WIDTH] if n_columns == 2 else [0.0, WIDTH]
    tops = [
        max(0.0, height - max(box.y1 for box in extents[i : i + n_columns]) / dpi - 0.05)
        for i in range(0, len(extents), n_columns)
    ]
    bottom = height - min(box.y0 for box in extents) / dpi + 0.05
    down = [*tops, bottom]
    boxes = []
    for i in range(len(extents)):
        row, column = divmod(i, n_columns)
        boxes.append(Box(across[column], down[row], across[column + 1] - across[column], down[row + 1] - down[row]))
    return Sheet(picture, sheet.axes, tuple(boxes))


def foot_of(texts: Iterable[str]) -> str:
    """What stands below a picture, in lines."""
    return "\n".join(line for text in texts for line in textwrap.wrap(text, FOOT_COLUMNS))


def foot_height(foot: str) -> float:
    """How much room that takes."""
    return 0.1 + 0.145 * (foot.count("\n") + 1)


def _sheet(height: float, foot: str) -> Picture:
    """A picture at print width without axes; it belongs to no window and no global list."""
    picture = Picture(figsize=(WIDTH, height))
    FigureCanvasAgg(picture)
    picture.text(0.01, 0.05 / height, foot, fontsize=7.5, color="0.3", va="bottom", linespacing=1.3)
    return picture


def _place(box: Box, height: float) -> tuple[float, float, float, float]:
    """A box as shares of a picture, from its lower left corner."""
    return box.x / WIDTH, 1 - (box.y + box.height) / height, box.width / WIDTH, box.height / height
