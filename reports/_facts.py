"""What a page says, gathered from the desk before anything is rendered."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import (
    LOOKS,
    Cell,
    Claim,
    Figure,
    Floats,
    Line,
    Logged,
    Metric,
    Multiple,
    Paper,
    Printed,
    Row,
    RowVerdict,
    Score,
    Shorter,
    Verdict,
)
from benchmarks._judging.characteristics import Characteristic, Errors
from benchmarks._judging.desk import Desk
from benchmarks._judging.scores import Final
from benchmarks._judging.simulated import Simulated, of_family
from benchmarks._judging.statistics import mean_interval
from benchmarks._options import SIMULATED
from benchmarks._training.standing import standing
from reports import _words as words

FINAL = Final(window=10)
ROOT = Path(__file__).resolve().parent.parent


class Value(NamedTuple):
    """Where a line ends: mean over seeds and its 95 % interval (NaN where there is none)."""

    panel: str
    line: str
    mean: float
    low: float
    high: float
    n_seeds: int
    asked: int
    note: str


class Remembered(NamedTuple):
    """A number of the authors' logs, and ours: mean over seeds and its 95 % interval (NaN where there is none)."""

    logged: Logged
    mean: float
    low: float
    high: float
    n_seeds: int


class Source(NamedTuple):
    """Where the numbers of a cell come from. Units: `wall` is of all seeds that were trained together."""

    name: str
    environment: str
    key: str
    places: tuple[str, ...]
    seeds: str
    budget: str
    commit: str
    torch: str
    device: str
    together: str
    wall: str
    standing: str  # what is to be said of the code that made them, empty where nothing is


class Compared(NamedTuple):
    """A row of a claim: what was asked and what came out."""

    row: Row
    found: RowVerdict

    @property
    def is_ratio(self) -> bool:
        """Whether means are geometric and the estimate is a ratio."""
        return isinstance(self.row.rule, Shorter | Multiple)

    @property
    def is_printed(self) -> bool:
        """Whether the right side is a number of the paper."""
        return isinstance(self.row.rule, Printed)


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict."""

    figure: Figure
    claim: Claim
    verdict: Verdict
    budget: str
    seeds: str
    characteristics: tuple[Characteristic, ...]

    @property
    def rows(self) -> tuple[Compared, ...]:
        """Every comparison that there is something to say of."""
        return tuple(Compared(*pair) for pair in zip(self.claim.rows, self.verdict.rows, strict=False))

    @property
    def look(self) -> str:
        """Which of the two looks it is."""
        return LOOKS.get(self.verdict.profile, "no")

    @property
    def at_this_budget(self) -> str:
        """What its comparisons would come to if this much training were all; it counts for nothing."""
        return words.counted([compared.found.at_this_budget for compared in self.rows])

    @property
    def conclusion(self) -> str:
        """The verdict in full sentences."""
        return words.conclusion(self.claim, self.verdict)

    @property
    def effect(self) -> str:
        """What was measured, in one phrase."""
        return words.effect(self.claim, self.verdict)


@dataclass(frozen=True)
class Page:
    """A figure with all that its page says."""

    figure: Figure
    claims: tuple[Judged, ...]
    values: tuple[Value, ...]
    logs: tuple[Remembered, ...]
    sources: tuple[Source, ...]
    units: dict[str, str]
    alt: str
    profile: str
    budget: str


class Family(NamedTuple):
    """Pages of a paper that belong together."""

    name: str
    pages: tuple[Page, ...]


class Chapter(NamedTuple):
    """A paper and its pages, how many sentences are corrected for one another, and how often that errs."""

    paper: Paper
    families: tuple[Family, ...]
    n_sentences: int
    errors: tuple[Errors, ...]


def chapters(desks: Mapping[str, Desk], figures: Sequence[Figure], kept: Path = SIMULATED) -> tuple[Chapter, ...]:
    """All that is to be said, paper by paper, the paper's own figures first; `desks` by the figures' ids.

    `kept` is where simulated error rates are.
    """
    of_profiles = {desk.profile: desk for desk in desks.values()}
    verdicts = {profile: desk.verdicts(figures) for profile, desk in of_profiles.items()}
    papers = {figure.paper.name: figure.paper for figure in sorted(figures, key=lambda figure: figure.paper.name)}
    found = []
    for name, paper in papers.items():
        own = sorted((figure for figure in figures if figure.paper.name == name), key=reading_order)
        grouped: dict[str, list[Page]] = {}
        every = [figure for figure in figures if figure.paper.name == name]
        simulated = of_family(kept, first_look(desks, own).sketches(every))
        for figure in own:
            desk = desks[figure.id]
            grouped.setdefault(figure.family, []).append(page(figure, desk, verdicts[desk.profile], simulated))
        families = tuple(Family(family, tuple(pages)) for family, pages in grouped.items())
        found.append(Chapter(paper, families, len(simulated.claims), simulated.errors))
    return tuple(found)


def first_look(desks: Mapping[str, Desk], figures: Sequence[Figure]) -> Desk:
    """The desk from whose seeds a paper is simulated: that of profile quick where there is one."""
    own = [desks[figure.id] for figure in figures]
    return next((desk for desk in own if desk.profile == "quick"), own[0])


def reading_order(figure: Figure) -> tuple[bool, str, int, str]:
    """Figures and tables of the paper by number, then all that has none."""
    match = re.fullmatch(r"(fig|table)(\d+)(.*)", figure.name)
    if match is None:
        return True, "", 0, figure.name
    return False, match[1], int(match[2]), match[3]


def page(figure: Figure, desk: Desk, verdicts: dict[str, Verdict], simulated: Simulated) -> Page:
    """All that is to be said of a figure."""
    values = tuple(value(figure, panel.title, line, desk) for panel in figure.panels for line in panel.lines)
    claims = tuple(
        judged(figure, claim, desk, verdicts[claim.id], simulated.claims.get(claim.id, ())) for claim in figure.claims
    )
    units = {
        metric: run.units[metric]
        for cell in figure.cells
        for run in list(desk.runs(figure, cell).values())[:1]
        for metric in run.units
        if metric in run.metrics
    }
    sources = tuple(source(figure, cell, desk) for cell in figure.cells)
    logs = tuple(remembered(figure, logged, desk) for logged in figure.logged)
    budget = desk.in_words(figure, figure.drawn)
    return Page(figure, claims, values, logs, sources, units, alt(figure, values), desk.profile, budget)


def judged(figure: Figure, claim: Claim, desk: Desk, verdict: Verdict, simulated: tuple[Characteristic, ...]) -> Judged:
    """A claim with the seeds and the budget that its comparisons had."""
    pairs = zip(claim.rows, verdict.rows, strict=False)
    counts = sorted({n for row, found in pairs for n in (found.n_left, found.n_right)[: 2 if row.right else 1]})
    cells = {score.cell.key: score.cell for row in claim.rows for score in (row.left, row.right) if score}
    steps = sorted({desk.budget(figure, cell).n_steps for cell in cells.values()})
    asked = sorted({desk.budget(figure, cell).n_seeds for cell in cells.values()})
    have = either(counts) if counts else "0"
    seeds = have if have == either(asked) or not asked else f"{have} of {either(asked)}"
    budget = f"{either(steps)} steps" if steps else "–"
    return Judged(figure, claim, verdict, budget, seeds if cells else "–", simulated)


def value(figure: Figure, panel: str, line: Line, desk: Desk) -> Value:
    """Where a line ends, with what is wrong with it."""
    scores = desk.scores(figure, Score(line.cell, Metric(line.metric, "neither"), FINAL))
    asked = desk.budget(figure, line.cell).n_seeds
    n = len(scores.values)
    diverged = int((~np.isfinite(scores.values)).sum())
    mean, low, high = summary(scores.values)
    notes = ["not run"] if not n else [f"{scores.missing} seeds missing"] if scores.missing else []
    notes += [f"{diverged} of {n} seeds diverged, so there is no mean"] if diverged else []
    return Value(panel, line.label, mean, low, high, n, asked, "; ".join(notes))


def remembered(figure: Figure, logged: Logged, desk: Desk) -> Remembered:
    """A number of the authors' logs beside ours."""
    scores = desk.scores(figure, logged.score).values
    return Remembered(logged, *summary(scores), len(scores))


def summary(scores: Floats) -> tuple[float, float, float]:
    """The mean and its 95 % interval, NaN where one is not finite or there are too few."""
    if not len(scores) or not np.isfinite(scores).all():
        return math.nan, math.nan, math.nan
    low, high = mean_interval(scores) if len(scores) > 1 else (math.nan, math.nan)
    return float(scores.mean()), float(low), float(high)


def source(figure: Figure, cell: Cell, desk: Desk) -> Source:
    """Where a cell's numbers lie, and what made them."""
    found = desk.runs(figure, cell)
    budget = desk.budget(figure, cell)
    keys = sorted({run.key for run in found.values()})

    sessions = list(dict.fromkeys(session for run in found.values() for session in run.history))

    def told(name: str) -> str:
        return ", ".join(dict.fromkeys(str(getattr(session, name) or "–") for session in sessions)) or "–"

    batches = {(session.first, session.seeds_together, session.wall_seconds) for session in sessions}
    walls = sorted(wall for _, _, wall in batches)
    longest = sorted({int(run.n_steps) for run in found.values()})
    return Source(
        name=cell.name,
        environment=cell.environment,
        key=keys[0] if len(keys) == 1 else cell.key,
        places=tuple(dict.fromkeys(place(desk, run.key, seed) for seed, run in found.items())),
        seeds=f"{len(found)} of {budget.n_seeds}",
        budget=f"{either(longest)} steps" if longest else f"not run ({budget.n_steps:,} steps asked)",
        commit=told("commit"),
        torch=told("torch"),
        device=told("device"),
        together=told("seeds_together"),
        wall=", ".join(words.duration(wall) for wall in walls) or "–",
        standing=standing(cell, found, desk.library).words,
    )


def place(desk: Desk, key: str, seed: int) -> str:
    """The folder of a run: within the project where it lies there, otherwise below the store's own name."""
    stores = desk.library.stores
    layers = [store.folder for store in (stores.working, stores.recorded) if store is not None]
    folder = next((layer for layer in layers if (layer / key / f"seed-{seed:03d}.json").exists()), layers[0]).resolve()
    shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else Path(folder.name)
    return f"{shown.as_posix()}/{key}"


def link(place: str, page: Path) -> str:
    """From a page to a folder of results, empty where no such folder lies within the project or the page does not."""
    target = ROOT / place
    if not target.is_dir() or not page.resolve().is_relative_to(ROOT):
        return ""
    return Path(os.path.relpath(target, page.resolve().parent)).as_posix() + "/"


def alt(figure: Figure, values: Iterable[Value]) -> str:
    """What the picture shows, for who cannot see it."""
    found = list(values)
    if figure.plates:
        return " ".join(f"{plate.title}: {plate.words}" for plate in figure.plates)
    panels = []
    for panel in figure.panels:
        ends = [f"{item.line} {ending(item)}" for item in found if item.panel == panel.title]
        panels.append(f"{panel.title}: {panel.ylabel} ends at {', '.join(ends)}")
    against = " or ".join(sorted({panel.against for panel in figure.panels}))
    return f"Curves over {against} in {len(panels)} panels. {'. '.join(panels)}."


def ending(item: Value) -> str:
    """The last mean, or why there is none."""
    return words.number(item.mean) if math.isfinite(item.mean) else "(not run)" if not item.n_seeds else "(no mean)"


def either(numbers: Sequence[Any]) -> str:
    """`5` or `5 or 10`."""
    return " or ".join(f"{item:,}" for item in numbers)
