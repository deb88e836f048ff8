"""From facts to files: pictures, pages and the scoreboard for a code host."""

from __future__ import annotations

import math
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from benchmarks import PROFILES, Outcome
from benchmarks._drawing.curves import AS_PRINTED, save
from benchmarks._drawing.svg import views_of
from benchmarks._judging import words as told
from benchmarks._judging.desk import Exhibition, Say, silent
from reports import _words as words
from reports._cover import cover, cover_page
from reports._facts import Chapter, Page, chapters, link, place

TEMPLATES = Path(__file__).parent / "templates"
STYLE = "style.css"


def build(shown: Exhibition, output: Path, command: str, said: Say = silent, *, png: bool = False) -> list[Path]:
    """Writes `README.md`, a page a paper, `figures/` and `site/` below `output`, and returns what a reader would open.

    `command` is what writes these pages again, `said` hears of every figure that is drawn, and `png` asks for images
    beside the SVG.

    The same runs give the same bytes. Nothing is trained: what has not been run is shown as such.
    """
    found = chapters(shown)
    site, pictures = output / "site", output / "figures"
    site.mkdir(parents=True, exist_ok=True)
    for i, exhibit in enumerate(shown.exhibits, start=1):
        said(f"drawing {exhibit.figure.id}, {i} of {len(shown.exhibits)}")
        for picture in save(exhibit, pictures, png=png):
            copy = site / picture.relative_to(pictures)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, copy)
    shutil.copyfile(TEMPLATES / STYLE, site / STYLE)
    (site / "games").mkdir(exist_ok=True)
    for glance in {glance for page in every_page(found) for glance in page.games}:
        shutil.copyfile(glance.path, site / "games" / glance.path.name)
    names = [f"{page.figure.id}{end}" for page in every_page(found) for end in ("", AS_PRINTED)]
    context = about(found, command) | {"views": {name: views(pictures / f"{name}.svg") for name in names}}
    pages, markdown = templates(markdown=False), templates(markdown=True)
    for page in every_page(found):
        path = site / f"{page.figure.id}.html"
        path.parent.mkdir(exist_ok=True)
        text = pages.get_template("figure.html.j2").render(page=page, path=path, root="../", **context)
        path.write_text(text, encoding="utf-8")
    index, readme = site / "index.html", output / "README.md"
    index.write_text(pages.get_template("index.html.j2").render(root="", **context), encoding="utf-8")
    readme.write_text(markdown.get_template("README.md.j2").render(**context), encoding="utf-8")
    for chapter in found:
        path = output / f"{chapter.paper.name}.md"
        path.write_text(
            markdown.get_template("paper.md.j2").render(chapter=chapter, path=path, **context), encoding="utf-8"
        )
    first = cover_page(every_page(found))
    if first is not None:
        drawn = (pictures / f"{first.figure.id}.svg").read_text(encoding="utf-8")
        (pictures / "cover.svg").write_text(cover(first, drawn), encoding="utf-8")
    return [readme, index]


def about(found: Sequence[Chapter], command: str) -> dict[str, Any]:
    """What every page knows."""
    return {
        "chapters": found,
        "scope": scope(found),
        "outcomes": words.OUTCOMES,
        "tally": tally(found),
        "n_checks": sum(judged.claim.kind == "check" for page in every_page(found) for judged in page.claims),
        "looks": {"first": "first, 6 seeds", "second": "second, 10 seeds", "both": "either"},
        "level": words.LEVEL,
        "as_printed": AS_PRINTED,
        "command": command,
    }


def views(picture: Path) -> list[tuple[str, float, float]]:
    """The panels of a picture: title, width and height. Units: points. None where nothing has been run."""
    return views_of(picture.read_text(encoding="utf-8")) if picture.exists() else []


def tally(found: Sequence[Chapter]) -> dict[Outcome, int]:
    """How many sentences came to each outcome, the outcomes in their fixed order; checks of ours are not counted."""
    every = [judged for page in every_page(found) for judged in page.claims]
    counted = Counter(judged.verdict.outcome for judged in every if judged.claim.kind == "sentence")
    return {outcome: counted[outcome] for outcome in words.OUTCOMES if counted[outcome]}


def scope(found: Sequence[Chapter]) -> str:
    """Which profile the verdicts are of."""
    counted = Counter(page.profile for page in every_page(found))
    if len(counted) == 1:
        return f"All figures are of profile {next(iter(counted))}"
    parts = [f"{counted[name]} of profile {name}" for name in reversed(PROFILES) if counted[name]]
    return f"Each figure is of the largest profile that has been run in full: {', '.join(parts)}"


def every_page(found: Sequence[Chapter]) -> list[Page]:
    """All pages in reading order."""
    return [page for chapter in found for family in chapter.families for page in family.pages]


def templates(*, markdown: bool) -> Environment:
    """Templates in which every text is escaped for its format and an unknown name is an error."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=not markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {
        "slug": slug,
        "md": escaped,
        "duration": words.duration,
        "percent": told.percent,
        "number": told.number,
        "data": lambda value: data(value, told.number(value)),
        "plus": lambda value: data(value, told.plus(value)),
        "interval": interval,
        "p": lambda value: data(value, words.probability(value)),
        "signed": words.signed,
        "unbroken": unbroken,
        "prose": prose,
        "capitalized": lambda text: minus(text[:1].upper() + text[1:]),
        "minus": minus,
    }
    found.globals |= {"link": link, "place": place}
    return found


def data(value: float, text: str) -> Any:
    """A rounded number for the eye that keeps the exact one."""
    return Markup('<data value="{}">{}</data>').format(repr(float(value)), text)


def interval(ends: tuple[float, float]) -> Any:
    """Two numbers, or one “–” where there are none."""
    low, high = ends
    if math.isnan(low) and math.isnan(high):
        return "–"
    return Markup("<span>{} to {}</span>").format(data(low, told.number(low)), data(high, told.number(high)))


def slug(text: str) -> str:
    """A text as part of an address or a class: `not-reproduced`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def prose(text: str) -> Any:
    """A text of the suite in which `code` stands between backticks."""
    parts = [part if i % 2 else minus(part) for i, part in enumerate(text.split("`"))]
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(Markup.escape("`".join(parts)))))


def minus(text: str) -> str:
    """A text of the suite, never a quotation, whose numbers below 0 have a true minus."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def unbroken(text: str) -> str:
    """A text whose names (`CTEDD-L-3`) do not break at the end of a line."""
    return re.sub(r"(?<=\w)-(?=\w)", "\N{NON-BREAKING HYPHEN}", text)


def escaped(text: str) -> str:
    """A text in which Markdown and HTML see no markup, on one line, so that it fits into a table."""
    plain = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|\[\]~#$])", r"\\\1", plain)
