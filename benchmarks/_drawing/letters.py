"""Letters of pictures as outlines: where those of a text stand is found once, in however many pictures it stands.

Ticks and units are the same all over: of the texts of all pictures one in five is another one.
"""

from __future__ import annotations

from typing import Any

from matplotlib.textpath import TextToPath


class Letters(TextToPath):
    """Gives what its base gives, which lays a text out anew for every picture."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[Any, Any] = {}
        self._places: dict[Any, Any] = {}

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        """How large a text is. Units: points."""
        if (s, prop, ismath) not in self._sizes:
            self._sizes[s, prop.copy(), ismath] = super().get_text_width_height_descent(s, prop, ismath)
        return self._sizes[s, prop, ismath]

    def get_glyphs_with_font(
        self, font: Any, s: str, glyph_map: Any = None, return_new_glyphs_only: bool = False, **features: Any
    ) -> Any:
        """Where each letter stands, the outlines of letters that are not in `glyph_map`, and no rectangles."""
        text = font, s, str(features)
        if text not in self._places:
            self._places[text] = super().get_glyphs_with_font(font, s, **features)
        places, outlines, rectangles = self._places[text]
        known = {} if glyph_map is None else glyph_map
        new = {name: outline for name, outline in outlines.items() if name not in known}
        return places, new if return_new_glyphs_only else {**known, **new}, rectangles


LETTERS = Letters()
