"""Letters of pictures as outlines: where those of a text stand is found once, in however many pictures it stands.

Ticks and units are the same all over: of the texts of all pictures one in five is another one.
"""

from __future__ import annotations

from typing import Any

from matplotlib.font_manager import fontManager, get_font
from matplotlib.textpath import TextToPath

TABLES = {"OS/2": ("sTypoAscender", "sTypoDescender", "sTypoLineGap"), "hhea": ("ascent", "descent", "lineGap")}
"""Where fonts say how far lines reach up and down, and the gap between them: in the first one that they have."""


class Letters(TextToPath):
    """Gives what its base gives, which lays a text out anew for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[Any, Any] = {}
        self._places: dict[Any, Any] = {}
        self._outlines: dict[Any, Any] = {}
        self._heights: dict[Any, tuple[float, float, float]] = {}

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        """How large a text is. Units: points."""
        if (s, prop, ismath) not in self._sizes:
            self._sizes[s, prop.copy(), ismath] = super().get_text_width_height_descent(s, prop, ismath)
        return self._sizes[s, prop, ismath]

    def heights(self, prop: Any) -> tuple[float, float, float]:
        """How far lines of a font reach up and down, and the gap between them. Units: points."""
        if prop not in self._heights:
            self._heights[prop.copy()] = _heights_of(prop)
        return self._heights[prop]

    def get_glyphs_with_font(
        self, font: Any, s: str, glyph_map: Any = None, return_new_glyphs_only: bool = False, **features: Any
    ) -> Any:
        """Where each letter stands, the outlines of letters that are not in `glyph_map`, and no rectangles."""
        text = font, s, str(features)
        if text not in self._places:
            self._places[text], _, _ = super().get_glyphs_with_font(font, s, glyph_map=self._outlines, **features)
        places = self._places[text]
        known = {} if glyph_map is None else glyph_map
        new = {name: self._outlines[name] for name, *_ in places if name not in known}
        return places, new if return_new_glyphs_only else {**known, **new}, []


def _heights_of(prop: Any) -> tuple[float, float, float]:
    """As matplotlib reads them for every text anew."""
    font: Any = get_font(fontManager._find_fonts_by_props(prop))
    name = next(name for name in TABLES if font.get_sfnt_table(name) is not None)
    up, down, gap = (font.get_sfnt_table(name)[what] for what in TABLES[name])
    size = 1 / font.get_sfnt_table("head")["unitsPerEm"] * prop.get_size_in_points()
    return up * size, -down * size, gap * size


LETTERS = Letters()
