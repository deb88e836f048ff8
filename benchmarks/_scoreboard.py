"""What the claims of a figure came to, for a terminal: each with its profile, share of the paper's budget and number.

ctedd/fig5, quick: reports/site/ctedd/fig5.html
CTEDD-F5-4    REPRODUCED      quick, 6.2 % of the paper's steps, judged on the beginning
              CN-V1: L-1 > uniform play: +40 in test return, 90 % interval 31 to 49; from 10 on it matters
              “Meanwhile, …
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from benchmarks import Claim
from benchmarks._judging import words
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.readings import OPEN
from benchmarks._options import REPORT, ROOT

INDENT = 14


def scoreboard(exhibit: Exhibit, shown: Container[str], width: int) -> list[str]:
    """The claims that are `shown`, by their ids, below their figure and its page; a figure without claims says so."""
    figure = exhibit.figure
    claims = [claim for claim in figure.claims if claim.id in shown]
    title = f"{figure.id}, {exhibit.profile}: {page(figure.id)}"
    if not figure.claims:
        return ["", title, "no claims: it is drawn, and nothing is judged"]
    return ["", title, *(line for claim in claims for line in entry(exhibit, claim, width))] if claims else []


def page(figure: str) -> str:
    """Where the page of a figure is, as seen from the project where it lies there. That of a reading is its figure's."""
    path = REPORT / "site" / f"{figure.partition('@')[0]}.html"
    if not path.exists():
        return "no page yet, `python -m reports` writes it"
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def entry(exhibit: Exhibit, claim: Claim, width: int) -> Iterator[str]:
    """The verdict on a claim, what it hangs on, and the sentence, which alone is cut at `width` characters."""
    verdict, indent = exhibit.verdicts[claim.id], " " * INDENT
    about = f"{exhibit.profile}, {words.share(exhibit.share(claim), verdict)}" if claim.rows else exhibit.profile
    yield f"{claim.id:{INDENT - 1}} {verdict.outcome:15} {about}"
    index = words.weakest(claim, verdict)
    if index is not None and verdict.outcome not in OPEN:
        yield f"{indent}{verdict.rows[index].label}: {words.effect(claim.rows[index], verdict.rows[index])}"
    yield shortened(f"{indent}{claim.sentence}", width)


def shortened(line: str, width: int) -> str:
    """A line that fits."""
    return line if len(line) <= width else f"{line[: width - 1]}…"
