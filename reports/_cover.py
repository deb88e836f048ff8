"""The picture at the top of the project's page: a figure below its verdicts, as one SVG."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from xml.sax.saxutils import escape

from benchmarks import Outcome
from reports import _words as words
from reports._facts import Judged, Page

WIDTH = 504.0  # points, as all pictures
MOST = 3  # verdicts
COLUMNS = 88  # characters of a line; the letters are the reader's own
LINE = 13.0
COLOURS: dict[Outcome, str] = {
    "REPRODUCED": "#0b6b3a",
    "PARTIAL": "#7a5a00",
    "NEGLIGIBLE": "#7a5a00",
    "NOT REPRODUCED": "#a3260f",
    "REVERSED": "#a3260f",
}
OPEN = "#45515c"
SIZE = re.compile(r'<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"')


def cover_page(pages: Iterable[Page]) -> Page | None:
    """The figure of curves of which most sentences are decided, the first of equals; none where none is."""
    counted = [(len(_decided(page)), page) for page in pages if page.figure.panels]
    most = max((n for n, _ in counted), default=0)
    return next((page for n, page in counted if n == most), None) if most else None


def cover(page: Page, picture: str) -> str:
    """Its verdicts, and below them its picture."""
    texts, y = [_text(8, 18, 12, page.figure.title, weight=600)], 30.0
    for judged in _decided(page)[:MOST]:
        block, y = _verdict(judged, y + 6)
        texts += block
    size = SIZE.search(picture)
    height = float(size[2]) if size else 0.0
    inner = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->", "", picture, flags=re.S).strip()
    placed = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', inner, count=2)
    placed = placed.replace("<svg ", f'<svg x="0" y="{y + 8:g}" ', 1)
    whole = y + 8 + height
    size_of_all = f'viewBox="0 0 {WIDTH:g} {whole:g}" width="{WIDTH:g}pt" height="{whole:g}pt"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size_of_all}>'
    return "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', *texts, placed, "</svg>", ""))


def _decided(page: Page) -> list[Judged]:
    """Sentences of the paper with a verdict, those that decide first."""
    found = [judged for judged in page.claims if judged.claim.kind == "sentence" and not judged.is_open]
    decided = [judged for judged in found if judged.verdict.outcome not in ("INCONCLUSIVE", "NOT LEARNT")]
    return sorted(decided, key=lambda judged: judged.verdict.outcome == "NEGLIGIBLE")


def _verdict(judged: Judged, y: float) -> tuple[list[str], float]:
    """A sentence with its outcome, and where it ends."""
    outcome = judged.verdict.outcome
    quoted = textwrap.wrap(judged.claim.quote or judged.claim.reading, COLUMNS)
    lines = quoted[:2] if len(quoted) <= 2 else [quoted[0], textwrap.shorten(quoted[1], COLUMNS - 2) + " …"]
    found = [_text(8, y + LINE, 9.5, words.signed(outcome), colour=COLOURS.get(outcome, OPEN), weight=700)]
    sizes = ", ".join(part for part in (f"{judged.seeds} seeds a side", judged.share) if part)
    found.append(_text(118, y + LINE, 8.5, f"{judged.claim.id}; {sizes}", colour=OPEN))
    for i, line in enumerate(lines, start=2):
        found.append(_text(8, y + i * LINE, 9.5, line, style="italic"))
    if judged.weakest is not None:
        measured = textwrap.shorten(f"{judged.weakest.found.label}: {judged.effect}", 110, placeholder=" …")
        found.append(_text(8, y + (len(lines) + 2) * LINE, 8, measured, colour=OPEN))
    return found, y + (len(lines) + 2) * LINE


def _text(x: float, y: float, size: float, text: str, *, colour: str = "#262626", **font: object) -> str:
    """A line in the reader's sans-serif letters."""
    more = "".join(f' font-{name}="{value}"' for name, value in font.items())
    place = f'x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"'
    return f'<text {place} font-family="Helvetica, Arial, sans-serif"{more}>{escape(text)}</text>'
