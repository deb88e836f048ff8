"""From stored runs to curves and verdicts: what the tests and the report both show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from benchmarks import Budget, Cell, Claim, Curve, Figure, Floats, Score, Verdict, scores_of
from benchmarks._evidence import SeedScores
from benchmarks._scores import EpisodesTo
from benchmarks._training import array_units
from benchmarks._verdicts import Extent, is_assessed, judge, warnings
from benchmarks._work import Library
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
        values = [
            score.statistic(Curve(run.steps, run.metrics[score.metric].astype(np.float64), horizon))
            for run in found.values()
        ]
        times = isinstance(score.statistic, EpisodesTo)
        return SeedScores(
            np.array(values),
            missing=budget.n_seeds - len(found),
            identical=has_twins(list(found.values())),
            limit=budget.n_steps / horizon if times else np.inf,
        )

    def verdicts(self, figures: Iterable[Figure]) -> dict[str, Verdict]:
        """Every claim's verdict by its id, corrected within families: a paper's claims that share `family`."""
        found: dict[str, Verdict] = {}
        for family in families(figures):
            home = {claim.id: figure for figure in family for claim in figure.claims}
            place = {score: figure for figure in family for claim in figure.claims for score in claim_scores(claim)}
            claims = [claim for figure in family for claim in figure.claims]
            judged = judge(
                claims,
                lambda score, place=place: self.scores(place[score], score),  # type: ignore[misc]
                self.profile,
                lambda claim, home=home: self.extent(home[claim.id], claim),  # type: ignore[misc]
            )
            found |= {verdict.claim: verdict for verdict in judged}
        return found

    def warnings(self, figures: Iterable[Figure]) -> list[str]:
        """What is to be said before training: families with too many claims for their seeds to decide any."""
        found: list[str] = []
        for family in families(figures):
            assessed = [
                claim
                for figure in family
                for claim in figure.claims
                if is_assessed(claim, self.profile, self.extent(figure, claim))
            ]
            n_seeds = min(self.budget(figure, cell).n_seeds for figure in family for cell in figure.cells)
            found += warnings(assessed, n_seeds)
        return found

    def extent(self, figure: Figure, claim: Claim) -> Extent:
        """How long the cells of a claim are trained, and whether it is as long as in profile `paper`."""
        cells = list({score.cell.key: score.cell for score in claim_scores(claim)}.values())
        whole = all(figure.budget(self.profile, cell).n_steps >= figure.budget("paper", cell).n_steps for cell in cells)
        return Extent(self.in_words(figure, cells), whole)

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


def families(figures: Iterable[Figure]) -> list[list[Figure]]:
    """Figures whose claims are corrected together."""
    grouped: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        grouped.setdefault((figure.paper.name, figure.family), []).append(figure)
    return list(grouped.values())


def claim_scores(claim: Claim) -> list[Score]:
    """Every score that a claim reads."""
    return [score for row in claim.rows for score in scores_of(row)]


def has_twins(runs: Sequence[Run]) -> bool:
    """Whether two seeds have the same curves in every metric, which independent seeds never have."""
    seen = {b"".join(run.metrics[name].tobytes() for name in sorted(run.metrics)) for run in runs}
    return len(seen) < len(runs)
