"""What a page says: functions of an exhibit, of which nothing is asked of anybody else."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import (
    LOOKS,
    ONE_SIDED,
    AboutEquals,
    Cell,
    Claim,
    Figure,
    Floats,
    Line,
    Logged,
    Metric,
    Multiple,
    Outcome,
    Panel,
    Paper,
    Printed,
    PrintedTime,
    Row,
    RowVerdict,
    Score,
    Shorter,
    Verdict,
)
from benchmarks._drawing.curves import Key, across, keys_of
from benchmarks._drawing.style import OF_NOBODY
from benchmarks._glances import Glance, glances
from benchmarks._judging import words as told
from benchmarks._judging.characteristics import LOOKED_AT, Characteristic, Errors
from benchmarks._judging.desk import Exhibition
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.reach import Reach, reach
from benchmarks._judging.readings import OPEN
from benchmarks._judging.scores import Final, Last
from benchmarks._judging.simulated import Simulated
from benchmarks._judging.statistics import mean_interval
from reports import _words as words
from reports._readings import Specification, specification

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
    places: tuple[Path, ...]
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
        return isinstance(self.row.rule, Shorter | Multiple | PrintedTime)

    @property
    def margin(self) -> str:
        """What stands before δ: ± where it bounds what is about equal."""
        return "±" if isinstance(self.row.rule, AboutEquals | Printed) and math.isfinite(self.found.delta) else ""

    @property
    def is_printed(self) -> bool:
        """Whether the right side is a number of the paper."""
        return isinstance(self.row.rule, ONE_SIDED)


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict."""

    figure: Figure
    claim: Claim
    verdict: Verdict
    budget: str
    seeds: str
    part: float  # of the paper's training
    levels: str  # what one gets without learning, where the comparison is made that it hangs on
    reach: tuple[Reach, ...]  # how far it can be decided at best, at each look
    characteristics: tuple[Characteristic, ...]
    specification: Specification | None

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
    def robustness(self) -> str:
        """In how many readings it comes to the same, and what it hangs on; empty where there is one reading only."""
        return words.robustness(self.specification.robustness) if self.specification else ""

    @property
    def conclusion(self) -> str:
        """The verdict in full sentences."""
        return words.conclusion(self.claim, self.verdict)

    @property
    def weakest(self) -> Compared | None:
        """The comparison that the verdict hangs on; none where nothing was measured."""
        index = told.weakest(self.claim, self.verdict)
        return None if index is None else self.rows[index]

    @property
    def effect(self) -> str:
        """What that one came to; empty where nothing was measured."""
        found = self.weakest
        return "" if found is None else told.effect(found.row, found.found)

    @property
    def why(self) -> str:
        """Why nobody has learnt, as far as the first comparison says; empty where somebody has."""
        return words.why(self.verdict)

    @property
    def comparisons(self) -> str:
        """How many came out as claimed."""
        return words.comparisons(self.verdict)

    @property
    def out_of_reach(self) -> str:
        """What no seeds could decide by themselves, whatever they say; empty where there is nothing."""
        return " ".join(map(words.out_of_reach, self.reach)).strip()

    @property
    def is_open(self) -> bool:
        """Whether there is no verdict."""
        return self.verdict.outcome in OPEN

    @property
    def share(self) -> str:
        """How much of the paper's training it was judged on; empty where it is not about training."""
        return told.share(self.part, self.verdict) if self.claim.rows else ""


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
    keys: tuple[Key, ...] = ()
    games: tuple[Glance, ...] = ()

    @property
    def of_paper(self) -> bool:
        """Whether the paper has such a figure."""
        return not reading_order(self.figure)[0]

    @property
    def legend(self) -> str:
        """What the colours of its games mean; where that differs, in which of them."""
        found: dict[str, list[str]] = {}
        for glance in self.games:
            found.setdefault(glance.legend, []).append(glance.game)
        if len(found) < 2:
            return "".join(found)
        return "; ".join(f"{legend} ({', '.join(games)})" for legend, games in found.items())

    @property
    def tally(self) -> dict[Outcome, int]:
        """How many of its claims came to each outcome, the outcomes in their fixed order; checks of ours count."""
        found = [judged.verdict.outcome for judged in self.claims]
        return {outcome: found.count(outcome) for outcome in words.OUTCOMES if outcome in found}


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


def chapters(shown: Exhibition) -> tuple[Chapter, ...]:
    """All that is to be said, paper by paper, the paper's own figures first."""
    exhibits, simulated = shown
    found = []
    for name in sorted({exhibit.figure.paper.name for exhibit in exhibits}):
        own = [exhibit for exhibit in exhibits if exhibit.figure.paper.name == name]
        grouped: dict[str, list[Page]] = {}
        for exhibit in sorted(own, key=lambda exhibit: reading_order(exhibit.figure)):
            grouped.setdefault(exhibit.figure.family, []).append(page(exhibit, simulated[name]))
        families = tuple(Family(family, tuple(pages)) for family, pages in grouped.items())
        found.append(Chapter(own[0].figure.paper, families, len(simulated[name].claims), simulated[name].errors))
    return tuple(found)


def reading_order(figure: Figure) -> tuple[bool, str, int, str]:
    """Figures and tables of the paper by number, then all that has none."""
    match = re.fullmatch(r"(fig|table)(\d+)(.*)", figure.name)
    if match is None:
        return True, "", 0, figure.name
    return False, match[1], int(match[2]), match[3]


def page(exhibit: Exhibit, simulated: Simulated) -> Page:
    """All that is to be said of a figure."""
    figure = exhibit.figure
    values = tuple(value(exhibit, panel.title, line) for panel in figure.panels for line in panel.lines)
    claims = tuple(judged(exhibit, claim, simulated.claims.get(claim.id, ())) for claim in figure.claims)
    units = {
        metric: run.units[metric]
        for cell in figure.cells
        for run in list(exhibit.sample(cell).runs.values())[:1]
        for metric in run.units
        if metric in run.metrics
    }
    sources = tuple(source(exhibit, cell) for cell in figure.cells)
    logs = tuple(remembered(exhibit, logged) for logged in figure.logged)
    about = (alt(figure, values), exhibit.profile, exhibit.extent, keys_of(exhibit), glances(figure))
    return Page(figure, claims, values, logs, sources, units, *about)


def judged(exhibit: Exhibit, claim: Claim, simulated: tuple[Characteristic, ...]) -> Judged:
    """A claim with the seeds and the budget that its comparisons had."""
    verdict = exhibit.verdicts[claim.id]
    pairs = zip(claim.rows, verdict.rows, strict=False)
    counts = sorted({n for row, found in pairs for n in (found.n_left, found.n_right)[: 2 if row.right else 1]})
    cells = {score.cell.key: score.cell for row in claim.rows for score in (row.left, row.right) if score}
    steps = sorted({exhibit.budget(cell).n_steps for cell in cells.values()})
    asked = sorted({exhibit.budget(cell).n_seeds for cell in cells.values()})
    have = either(counts) if counts else "0"
    seeds = have if have == either(asked) or not asked else f"{have} of {either(asked)}"
    budget = f"{either(steps)} steps, {told.percent(exhibit.share(claim))} of the paper's" if steps else "–"
    reads = exhibit.reads.get(claim.id, ())
    return Judged(
        exhibit.figure,
        claim,
        verdict,
        budget,
        seeds if cells else "–",
        exhibit.share(claim),
        levels(exhibit, claim, verdict),
        reaches(exhibit, claim),
        simulated,
        specification(claim, reads) if reads else None,
    )


def reaches(exhibit: Exhibit, claim: Claim) -> tuple[Reach, ...]:
    """How far a claim can be decided at best at each look, among those of its kind in its paper."""
    claims = [other for figure in exhibit.kin for other in figure.claims]
    n_claims = sum(other.kind == claim.kind and not other.untestable for other in claims)
    return tuple(reach(claim, n_claims, n_seeds) for n_seeds in LOOKED_AT) if claim.rows else ()


def levels(exhibit: Exhibit, claim: Claim, verdict: Verdict) -> str:
    """`CN-V1, test return: uniform play −688, a script −311`: in the panel of the comparison that a verdict hangs on,
    or else what chance gets, by which it is judged whether anybody has learnt."""
    index = told.weakest(claim, verdict)
    if index is None:
        return ""
    row = claim.rows[index]
    shown = [panel for panel in exhibit.figure.panels if shows(panel, row.left)]
    for panel in sorted(shown, key=lambda panel: not shows(panel, row.left, same_metric=True)):
        known = levels_of(exhibit, panel)
        if known:
            return f"{panel.title}, {panel.ylabel}: {known}"
    chance = [(of.chance, of.arms[0].trained, exhibit.scores(of.chance).values) for of in row.learnt]
    return ", ".join(dict.fromkeys(by_chance(level, of, float(got.mean())) for level, of, got in chance if len(got)))


def shows(panel: Panel, score: Score, *, same_metric: bool = False) -> bool:
    """Whether a panel has a line of the cell of a score, or even of its metric."""
    return any(
        line.cell.key == score.cell.key and (line.metric == score.metric.name or not same_metric)
        for line in panel.lines
    )


def by_chance(level: Score, learner: Score, mean: float) -> str:
    """`test return −313 by chance (spread-4-II)`; of a learner itself it is what it gets before training."""
    name = told.metric(level.metric.name).partition(" (")[0]
    when = {"untrained": "before training", "fixed": "as fixed"}.get(told.origin(level, learner), "by chance")
    return f"{name} {told.number(mean)} {when} ({level.cell.environment})"


def levels_of(exhibit: Exhibit, panel: Panel) -> str:
    """What one gets in a panel without learning."""
    found = [(level.label, level.value) for level in across(exhibit, panel)]
    for line in panel.lines:
        if line.cell.name in OF_NOBODY and exhibit.sample(line.cell).runs:
            found.append((line.label, value(exhibit, panel.title, line).mean))
    return ", ".join(f"{label} {told.number(got)}" for label, got in found)


def value(exhibit: Exhibit, panel: str, line: Line) -> Value:
    """Where a line ends, with what is wrong with it."""
    scores = exhibit.scores(Score(line.cell, Metric(line.metric, "neither"), Last() if line.total else FINAL))
    asked = exhibit.budget(line.cell).n_seeds
    n = len(scores.values)
    diverged = int((~np.isfinite(scores.values)).sum())
    mean, low, high = summary(scores.values)
    notes = ["not run"] if not n else [f"{scores.missing} seeds missing"] if scores.missing else []
    notes += [f"{diverged} of {n} seeds diverged, so there is no mean"] if diverged else []
    return Value(panel, line.label, mean, low, high, n, asked, "; ".join(notes))


def remembered(exhibit: Exhibit, logged: Logged) -> Remembered:
    """A number of the authors' logs beside ours."""
    scores = exhibit.scores(logged.score).values
    return Remembered(logged, *summary(scores), len(scores))


def summary(scores: Floats) -> tuple[float, float, float]:
    """The mean and its 95 % interval, NaN where one is not finite or there are too few."""
    if not len(scores) or not np.isfinite(scores).all():
        return math.nan, math.nan, math.nan
    low, high = mean_interval(scores) if len(scores) > 1 else (math.nan, math.nan)
    return float(scores.mean()), float(low), float(high)


def source(exhibit: Exhibit, cell: Cell) -> Source:
    """Where a cell's numbers lie, and what made them."""
    sample = exhibit.sample(cell)
    found, budget = sample.runs, sample.budget
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
        places=tuple(dict.fromkeys(sample.folders.values())),
        seeds=f"{len(found)} of {budget.n_seeds}",
        budget=f"{either(longest)} steps" if longest else f"not run ({budget.n_steps:,} steps asked)",
        commit=told("commit"),
        torch=told("torch"),
        device=told("device"),
        together=told("seeds_together"),
        wall=", ".join(words.duration(wall) for wall in walls) or "–",
        standing=exhibit.standings[cell.key].words,
    )


def place(folder: Path) -> str:
    """How a folder of runs is called: within the project by its path, otherwise from the store's own name on."""
    whole = folder.resolve()
    return whole.relative_to(ROOT).as_posix() if whole.is_relative_to(ROOT) else "/".join(whole.parts[-4:])


def link(folder: Path, page: Path) -> str:
    """From a page to a folder or a file, empty where one of both does not lie within the project."""
    target, start = folder.resolve(), page.resolve()
    if not (target.is_relative_to(ROOT) and start.is_relative_to(ROOT)):
        return ""
    return Path(os.path.relpath(target, start.parent)).as_posix() + ("" if target.is_file() else "/")


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
    return told.number(item.mean) if math.isfinite(item.mean) else "(not run)" if not item.n_seeds else "(no mean)"


def either(numbers: Sequence[Any]) -> str:
    """`5` or `5 or 10`."""
    return " or ".join(f"{item:,}" for item in numbers)
