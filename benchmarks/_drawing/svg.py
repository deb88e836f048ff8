"""A picture as text: small, the same bytes for the same numbers, and with a view of each panel.

`fig5.svg#panel-2` is the second panel alone. The last line says what a picture was drawn from, so that one that is
there already need not be drawn again.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure as Picture

from benchmarks._drawing.layout import POINTS, Box
from benchmarks._drawing.letters import LETTERS

CLIP_NAME = re.compile(r"p(?<!\wp)[0-9a-f]{10}\b")  # begins with its letter, so that it is soon found
CURVE = re.compile(r' d="([^"QC]*)"')
POINT = re.compile(r"(z|[ML])(?: (\S+) (\S+))?")
INDENTED = re.compile(r"\n +")
VIEW = re.compile(r'<view id="panel-(\d+)" viewBox="([^"]+)"><title>([^<]*)</title></view>')
ORIGIN = "<!-- drawn from {} -->\n"
WRITER: Any = RendererSVG  # matplotlib gives none of these types
MIXED: Any = MixedModeRenderer


def written(picture: Picture, title: str, views: Iterable[tuple[str, Box]], origin: str) -> str:
    """SVG with a view for every panel, by its title."""
    svg = INDENTED.sub("\n", CURVE.sub(_shortened, with_counted_clips(as_svg(picture, title))))
    known = "".join(_view(i, name, box) for i, (name, box) in enumerate(views, start=1))
    return svg.replace("<defs>", f"{known}<defs>", 1) + ORIGIN.format(origin)


def as_svg(picture: Picture, title: str) -> str:
    """What matplotlib writes."""
    text, metadata = io.StringIO(), {"Date": None, "Creator": None, "Title": title}
    dpi, (width, height) = picture.get_dpi(), picture.get_size_inches()
    writer: Any = WRITER(POINTS * width, POINTS * height, text, image_dpi=dpi, metadata=metadata)
    writer._text2path, writer._get_font_height_metrics = LETTERS, LETTERS.heights
    picture.set_dpi(POINTS)
    renderer: Any = MIXED(picture, width, height, dpi, writer)  # for what a picture holds as an image
    picture.draw(renderer)
    renderer.finalize()
    return text.getvalue()


def is_of(path: Path, origin: str) -> bool:
    """Whether a whole picture lies there that was drawn from the same."""
    return path.is_file() and path.read_bytes().endswith(ORIGIN.format(origin).encode())


def views_of(svg: str) -> list[tuple[str, float, float]]:
    """Title, width and height of every panel. Units: points."""
    found = [(title, *map(float, box.split()[2:])) for _, box, title in VIEW.findall(svg)]
    return [(title, width, height) for title, width, height in found]


def with_counted_clips(svg: str) -> str:
    """The same picture with its clipping rectangles called clip1, clip2, … in the order in which they are used.

    matplotlib calls them by a hash of their coordinates, whose last bits are not the same in every process.
    """
    counted: dict[str, str] = {}
    return CLIP_NAME.sub(lambda found: counted.setdefault(found[0], f"clip{len(counted) + 1}"), svg)


def _shortened(found: re.Match[str]) -> str:
    """A path of straight lines in tenths of a point, less than the width of any line; every point from the one before.

    Places are rounded before they are subtracted, so that no error adds up.
    """
    written, at = [], (0, 0)
    for letter, x, y in POINT.findall(found[1]):
        if letter == "z":
            written.append("z")
            continue
        place = round(10 * float(x)), round(10 * float(y))
        if letter == "M":
            written.append(f"M{_tenths(place[0])} {_tenths(place[1])}l")
        else:
            right, down = place[0] - at[0], place[1] - at[1]
            written.append(f"{_tenths(right)}{'' if down < 0 else ' '}{_tenths(down)} ")
        at = place
    return f' d="{"".join(written).replace("lM", "M").rstrip("l ")}"'


def _tenths(n: int) -> str:
    return f"{n / 10:g}"


def _view(i: int, title: str, box: Box) -> str:
    numbers = " ".join(f"{POINTS * side:.1f}" for side in box)
    return f'<view id="panel-{i}" viewBox="{numbers}"><title>{escape(title)}</title></view>\n'
