"""A page of a comparison that needs nothing beside it: the answer, the picture, and the numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from benchmarks._exchange import words
from benchmarks._exchange.comparison import Comparison
from benchmarks._exchange.words import Table

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.4rem; } svg { width: 100%; height: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .8rem; border-bottom: 1px solid #ddd; } th { font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; } .table { overflow-x: auto; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 0; overflow-wrap: anywhere; } .answer { font-size: 1.1rem; }
"""


def write(found: Comparison, svg: str, path: Path) -> None:
    """The page."""
    path.write_text(page(found, svg), encoding="utf-8")


def page(found: Comparison, svg: str) -> str:
    """The page as HTML, with the picture in it."""
    title = f"Your curves beside {found.stored.exhibit.figure.id}, {found.stored.name}"
    picture = svg[svg.index("<svg") :]
    said = [*words.unit(found), words.excluded(found), *words.single(found)]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="answer"><strong>{escape(words.verdict(found))}</strong></p>',
        *(f"<p>{escape(text)}</p>" for text in said if text),
        f'<figure role="img" aria-label="{escape(words.verdict(found))}" style="margin: 0">{picture}</figure>',
        table(words.quarters(found)),
        table(words.levels(found)) if found.levels else "",
        _sides(words.sides(found)),
    ]
    body = "\n".join(part for part in parts if part)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    whole = f'<html lang="en">\n<head>{head}<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>'
    return f"<!doctype html>\n{whole}\n"


def table(shown: Table) -> str:
    """A table as HTML."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in shown.head)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in shown.rows)
    return f'<div class="table"><table><tr>{head}</tr>{rows}</table></div>'


def _sides(told: list[tuple[str, str]]) -> str:
    rows = "".join(f"{f'<dt>{escape(name)}</dt>' if name else ''}<dd>{escape(what)}</dd>" for name, what in told)
    return f"<dl>{rows}</dl>"
