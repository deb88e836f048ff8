"""From stored runs to curves and verdicts: what the tests and the report both show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from benchmarks import (
    Budget,
    Cell,
    Claim,
    Curve,
    Figure,
    Floats,
    Metric,
    Row,
    Score,
    Statistic,
    Verdict,
    scores_of,
)
from benchmarks._judging.characteristics import Sketch, sketches
from benchmarks._judging.evidence import Evidence, SeedScores, weighed
from benchmarks._judging.scores import EpisodesTo, Length, NothingSeenError, NotReachedError, Sparse
from benchmarks._judging.verdicts import judge, warnings
from benchmarks._training.loop import array_units
from benchmarks._training.work import Library
from results import Run


class Bundle(NamedTuple):
    """One metric of all seeds. Shapes: steps [N], values [S, N]; S = 0 where nothing has been run."""

    seeds: tuple[int, ...]
    steps: Floats
    values: Floats


@dataclass(frozen=True)
class Desk:
    """Runs and how much of them a profile reads: `n_seeds` overrides the profile's number. Every run is read once."""

    library: Library
    profile: str
    n_seeds: int | None = None
    _read: dict[tuple[str, Budget], dict[int, Run]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _weighed: dict[str, tuple[Evidence, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def budget(self, figure: Figure, cell: Cell) -> Budget:
        """What is asked of a cell, in whole tests. Units: environment steps per seed."""
        asked = figure.budget(self.profile, cell)
        n_seeds = asked.n_seeds if self.n_seeds is None else self.n_seeds
        return Budget(n_seeds, asked.n_steps // cell.evaluation.every * cell.evaluation.every)

    def runs(self, figure: Figure, cell: Cell) -> dict[int, Run]:
        """The seeds that are there in full, up to the budget."""
        budget = self.budget(figure, cell)
        if (cell.key, budget) not in self._read:
            found = {seed: self.library.load(cell, seed, budget.n_steps) for seed in range(budget.n_seeds)}
            self._read[cell.key, budget] = {
                seed: run for seed, run in found.items() if run is not None and run.n_steps >= budget.n_steps
            }
        return self._read[cell.key, budget]

    def is_whole(self, figure: Figure) -> bool:
        """Whether every seed of a figure is there in full."""
        return all(len(self.runs(figure, cell)) == self.budget(figure, cell).n_seeds for cell in figure.cells)

    def bundle(self, figure: Figure, cell: Cell, metric: str) -> Bundle:
        """One metric of the seeds that are there in full."""
        found = self.runs(figure, cell)
        if not found:
            return Bundle((), np.empty(0), np.empty((0, 0)))
        values = np.stack([run.metrics[metric].astype(np.float64) for run in found.values()])
        return Bundle(tuple(found), next(iter(found.values())).steps, values)

    def measured(self, figure: Figure, cell: Cell) -> dict[int, Run]:
        """The seeds that are there in full and have kept the arrays of the cell's measure, where it leaves any.

        A run that is longer than the budget has kept those of its end, and none of this moment.
        """
        return {seed: run for seed, run in self.runs(figure, cell).items() if run.arrays or not array_units(cell)}

    def scores(self, figure: Figure, score: Score) -> SeedScores:
        """One number of every seed that is there, how many are missing, whether two are the same run."""
        budget = self.budget(figure, score.cell)
        found = self.runs(figure, score.cell)
        horizon = score.cell.env.horizon
        values = [number(score, curve_of(score.metric, run, horizon)) for run in found.values()]
        return SeedScores(
            np.array([math.nan if isinstance(value, str) else value for value in values], float),
            missing=budget.n_seeds - len(found),
            identical=has_twins(list(found.values())),
            limit=limit_of(score.statistic, budget.n_steps, horizon),
            unseen=values.count("unseen"),
            unreached=values.count("unreached"),
            seeds=tuple(found),
        )

    def verdicts(self, figures: Iterable[Figure]) -> dict[str, Verdict]:
        """Every claim's verdict by its id, the claims of a paper corrected for one another, whatever has been run."""
        found: dict[str, Verdict] = {}
        for paper in papers(figures):
            home = {claim.id: figure for figure in paper for claim in figure.claims}
            claims = [claim for figure in paper for claim in figure.claims]
            whole = {row: self.is_to_the_end(figure, row) for figure in paper for row in rows_of(figure)}
            judged = judge(
                claims,
                self.weighed(paper),
                self.profile,
                whole.__getitem__,
                lambda claim, home=home: self.extent(home[claim.id], claim),  # type: ignore[misc]
            )
            found |= {verdict.claim: verdict for verdict in judged}
        return found

    def weighed(self, paper: Iterable[Figure]) -> dict[str, tuple[Evidence, ...]]:
        """Every row of the claims of some figures, by the claim's id; each is weighed once."""
        for figure in paper:
            new = [claim for claim in figure.claims if claim.id not in self._weighed]
            self._weighed.update(weighed(new, lambda score, figure=figure: self.scores(figure, score)))  # type: ignore[misc]
        return self._weighed

    def sketches(self, paper: Sequence[Figure]) -> tuple[Sketch, ...]:
        """What the sentences of a paper are simulated from."""
        claims = [claim for figure in paper for claim in figure.claims]
        asked = [claim for claim in claims if claim.kind == "sentence" and claim.rows]
        found = self.weighed(paper)
        return sketches({claim.id: (claim.holds, found[claim.id]) for claim in asked})

    def warnings(self, figures: Iterable[Figure]) -> list[str]:
        """What is to be said before training: papers with too many claims for their seeds to decide one alone."""
        found: list[str] = []
        for paper in papers(figures):
            n_seeds = min(self.budget(figure, cell).n_seeds for figure in paper for cell in figure.cells)
            found += warnings([claim for figure in paper for claim in figure.claims], n_seeds)
        return found

    def is_to_the_end(self, figure: Figure, row: Row) -> bool:
        """Whether both sides of a row are trained as long as in profile `paper`."""
        cells = [side.cell for side in (row.left, row.right) if side is not None]
        return all(figure.budget(self.profile, cell).n_steps >= figure.in_full("paper", cell).n_steps for cell in cells)

    def extent(self, figure: Figure, claim: Claim) -> str:
        """How long the cells of a claim are trained, in words."""
        return self.in_words(figure, {score.cell.key: score.cell for score in claim_scores(claim)}.values())

    def in_words(self, figure: Figure, cells: Iterable[Cell]) -> str:
        """What is asked of some cells of a figure."""
        budgets = [self.budget(figure, cell) for cell in cells]
        seeds = sorted({budget.n_seeds for budget in budgets})
        steps = sorted({budget.n_steps for budget in budgets})
        return f"{' or '.join(map(str, seeds))} seeds, {' or '.join(f'{n:,}' for n in steps)} {figure.step} each"


def desks(library: Library, figures: Iterable[Figure], profile: str | None) -> dict[str, Desk]:
    """The desk of every figure, by its id: of a profile, or else of `paper` where all of it is there, or of `quick`.

    Which one it is depends on what is there, never on what came out. A claim is corrected among those of its own
    profile, as in a report of that profile alone.
    """
    if profile is not None:
        return dict.fromkeys((figure.id for figure in figures), Desk(library, profile))
    paper, quick = Desk(library, "paper"), Desk(library, "quick")
    return {figure.id: paper if paper.is_whole(figure) else quick for figure in figures}


def papers(figures: Iterable[Figure]) -> list[list[Figure]]:
    """The figures of each paper, whose claims are corrected for one another."""
    grouped: dict[str, list[Figure]] = {}
    for figure in figures:
        grouped.setdefault(figure.paper.name, []).append(figure)
    return list(grouped.values())


def rows_of(figure: Figure) -> list[Row]:
    """Every row of every claim."""
    return [row for claim in figure.claims for row in claim.rows]


def claim_scores(claim: Claim) -> list[Score]:
    """Every score that a claim reads."""
    return [score for row in claim.rows for score in scores_of(row)]


def number(score: Score, curve: Curve) -> float | Literal["unseen", "unreached"]:
    """A seed's score, NaN where it diverged; or that its stretch saw nothing, or was not reached."""
    try:
        return score.statistic(curve)
    except NothingSeenError:
        return "unseen"
    except NotReachedError:
        return "unreached"


def curve_of(metric: Metric, run: Run, horizon: int) -> Curve:
    """A metric of a run: NaN where it has diverged, by its witness where it has one, and which tests are empty."""
    values = run.metrics[metric.name].astype(np.float64)
    finite = np.isfinite(values)
    alive = np.isfinite(run.metrics[metric.witness]) if metric.witness else finite
    empty = alive & ~finite if metric.empty == "skipped" else np.zeros(len(values), bool)
    if isinstance(metric.empty, float):
        values = np.where(alive & ~finite, metric.empty, values)
    return Curve(run.steps, np.where(alive, values, math.nan), horizon, empty)


def limit_of(statistic: Statistic, n_steps: int, horizon: int) -> float:
    """The largest time that can be seen, in the unit of the score; ∞ where it is no time."""
    if isinstance(statistic, Sparse):
        return limit_of(statistic.statistic, n_steps, horizon)
    if isinstance(statistic, EpisodesTo):
        return n_steps / horizon
    return horizon if isinstance(statistic, Length) else math.inf


def has_twins(runs: Sequence[Run]) -> bool:
    """Whether two seeds have the same curves in every metric, which independent seeds never have.

    Curves that never move may be the same: of play that is never paid, for instance.
    """
    moved = [run for run in runs if any(np.unique(v[np.isfinite(v)]).size > 1 for v in run.metrics.values())]
    seen = {b"".join(run.metrics[name].tobytes() for name in sorted(run.metrics)) for run in moved}
    return len(seen) < len(moved)
