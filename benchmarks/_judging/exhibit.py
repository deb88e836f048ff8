"""A figure with all that is true of it now: what is drawn, judged, told and exported comes from it, and asks nobody.

(shown,) = desk.opened([figure])
shown.sample(line.cell).bundle("test return greedy").values          # [S, N]
shown.verdicts["CTEDD-F5-1"].outcome
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from benchmarks import Budget, Cell, Claim, Figure, Score, Verdict, scores_of
from benchmarks._judging.evidence import SeedScores
from benchmarks._judging.readings import Read
from benchmarks._judging.samples import Bundle, Sample
from benchmarks._training.standing import Standing
from results import Run


@dataclass(frozen=True)
class Exhibit:
    """A figure as it was opened in a profile.

    `samples` are the seeds of every cell, `standings` what is to be said of the code that made them, and `references`
    the recorded runs that reach as far, each by the cell's key; `verdicts` are by the claim's id, and so are `reads`,
    every claim under all of its readings, where that was asked for. `kin` is every figure
    of the paper, among which methods have their colours and claims are corrected.
    """

    figure: Figure
    profile: str
    kin: tuple[Figure, ...]
    samples: Mapping[str, Sample]
    verdicts: Mapping[str, Verdict]
    standings: Mapping[str, Standing]
    references: Mapping[str, Mapping[int, Run]] = field(default_factory=dict)
    reads: Mapping[str, tuple[Read, ...]] = field(default_factory=dict)

    def sample(self, cell: Cell) -> Sample:
        """The seeds of a cell."""
        return self.samples[cell.key]

    def budget(self, cell: Cell) -> Budget:
        """What is asked of a cell. Units: environment steps per seed."""
        return self.sample(cell).budget

    def bundle(self, cell: Cell, metric: str) -> Bundle:
        """One metric of the seeds of a cell."""
        return self.sample(cell).bundle(metric)

    def scores(self, score: Score) -> SeedScores:
        """One number of every seed."""
        return self.sample(score.cell).scores(score.metric, score.statistic, score.beside)

    def share(self, claim: Claim) -> float:
        """How much of the paper's training the cells of a claim have at least, by what is asked of them; 1 is all."""
        sizes = [(self.budget(cell).n_steps, self.figure.in_full("paper", cell).n_steps) for cell in cells_of(claim)]
        return min((steps / whole for steps, whole in sizes), default=1.0)

    @property
    def extent(self) -> str:
        """How much of the cells is drawn, in words."""
        return in_words(self.figure, [self.budget(cell) for cell in self.figure.drawn])


def in_words(figure: Figure, budgets: Iterable[Budget]) -> str:
    """What is asked of some cells of a figure."""
    asked = list(budgets)
    seeds = sorted({budget.n_seeds for budget in asked})
    steps = sorted({budget.n_steps for budget in asked})
    return f"{' or '.join(map(str, seeds))} seeds, {' or '.join(f'{n:,}' for n in steps)} {figure.step} each"


def cells_of(claim: Claim) -> tuple[Cell, ...]:
    """Every cell that a claim reads, each once."""
    return tuple({score.cell.key: score.cell for row in claim.rows for score in scores_of(row)}.values())
