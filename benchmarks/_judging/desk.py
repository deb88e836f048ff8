"""From stored runs to what is true of a figure: how much is read, what is judged together, and figures opened."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from benchmarks import Budget, Cell, Claim, Figure, Row, Score, Verdict
from benchmarks._judging.characteristics import Sketch, sketches
from benchmarks._judging.evidence import Evidence, SeedScores, read, weigh
from benchmarks._judging.exhibit import Exhibit, cells_of, in_words
from benchmarks._judging.readings import Read, readings_of, verdicts_of
from benchmarks._judging.samples import Sample
from benchmarks._judging.simulated import Simulated, of_family
from benchmarks._judging.statistics import ALPHA
from benchmarks._judging.verdicts import judge, warnings
from benchmarks._training.standing import standing
from benchmarks._training.work import Library, chosen
from results import Run, Stored

N_RECORDED = 10  # the most seeds that a profile records


Say = Callable[[str], None]
"""Hears what is being done."""


def silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Shelf:
    """What has been taken out of the stores, so that every file is read once, whichever figures and profiles share it.

    Files by the cell's key and seed, samples also by the budget.
    """

    stored: dict[str, dict[int, tuple[tuple[Stored, ...], ...]]] = field(default_factory=dict)
    samples: dict[tuple[str, Budget], Sample] = field(default_factory=dict)


@dataclass(frozen=True)
class Desk:
    """Where figures are opened: the stores, and how much of them a profile reads.

    `n_seeds` overrides the profile's number; `reference` holds the recorded runs that curves are held against.
    """

    library: Library
    profile: str
    n_seeds: int | None = None
    reference: Library | None = None
    _shelf: Shelf = field(default_factory=Shelf, repr=False, compare=False)
    _weighed: dict[str, tuple[Evidence, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _rows: dict[tuple[int, str], tuple[Row, Evidence]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _scores: dict[str, dict[Score, SeedScores]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _looked_up: dict[tuple[int, int], tuple[Figure, Score, SeedScores]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def at(self, profile: str) -> Desk:
        """The same in another profile; what has been read is shared."""
        return replace(self, profile=profile)

    def opened(
        self, figures: Iterable[Figure], among: Sequence[Figure] = (), *, read: bool = False
    ) -> tuple[Exhibit, ...]:
        """Each figure with all that is true of it now, its claims corrected `among` those of every figure of the paper.

        Under a reading, the others are judged under it too. `read` asks for every claim under all of its readings.
        """
        shown = list(figures)
        names = {figure.paper.name for figure in shown}
        every = [figure for figure in among or shown if figure.paper.name in names]
        reads: dict[str, tuple[Read, ...]] = {}
        if read:
            wanted = {claim.id for figure in shown for claim in figure.claims}
            for paper in papers(every):
                reads |= readings_of(paper, self.verdicts, wanted)
        left = [figure for figure in shown if not all(claim.id in reads for claim in figure.claims)]
        verdicts = {id_: of[0].verdict for id_, of in reads.items()} | verdicts_of(left, every, self.verdicts)
        return tuple(self._opened(figure, every, verdicts, reads) for figure in shown)

    def _opened(
        self,
        figure: Figure,
        every: Sequence[Figure],
        verdicts: Mapping[str, Verdict],
        reads: Mapping[str, tuple[Read, ...]],
    ) -> Exhibit:
        samples = {cell.key: self.sample(figure, cell) for cell in figure.cells}
        return Exhibit(
            figure=figure,
            profile=self.profile,
            kin=tuple(other for other in every if other.paper.name == figure.paper.name),
            samples=samples,
            verdicts={claim.id: verdicts[claim.id] for claim in figure.claims},
            standings={key: standing(sample.cell, sample.runs, self.library) for key, sample in samples.items()},
            references={key: self._recorded(sample) for key, sample in samples.items()},
            reads={claim.id: reads[claim.id] for claim in figure.claims if claim.id in reads},
        )

    def _recorded(self, sample: Sample) -> dict[int, Run]:
        """The recorded seeds of a cell that reach as far as ours, cut there."""
        if self.reference is None or not sample.runs:
            return {}
        end = int(next(iter(sample.runs.values())).n_steps)
        found = {seed: self.reference.load(sample.cell, seed, end) for seed in range(N_RECORDED)}
        return {seed: run for seed, run in found.items() if run is not None and run.n_steps >= end}

    def budget(self, figure: Figure, cell: Cell) -> Budget:
        """What is asked of a cell, in whole tests. Units: environment steps per seed."""
        asked = figure.budget(self.profile, cell)
        n_seeds = asked.n_seeds if self.n_seeds is None else self.n_seeds
        return Budget(n_seeds, asked.n_steps // cell.evaluation.every * cell.evaluation.every)

    def sample(self, figure: Figure, cell: Cell) -> Sample:
        """The seeds of a cell that are there in full, up to the budget."""
        budget, samples = self.budget(figure, cell), self._shelf.samples
        if (cell.key, budget) not in samples:
            samples[cell.key, budget] = self._taken(cell, budget)
        return samples[cell.key, budget]

    def _taken(self, cell: Cell, budget: Budget) -> Sample:
        """Read from the stores, as far as it has not been."""
        read = self._shelf.stored.setdefault(cell.key, {})
        read |= self.library.stored(cell, [seed for seed in range(budget.n_seeds) if seed not in read])
        found = {seed: chosen(read[seed], budget.n_steps) for seed in range(budget.n_seeds)}
        whole = {seed: one for seed, one in found.items() if one is not None and one.run.n_steps >= budget.n_steps}
        runs = {seed: one.run for seed, one in whole.items()}
        return Sample(cell, budget, runs, {seed: one.folder for seed, one in whole.items()})

    def scores(self, figure: Figure, score: Score) -> SeedScores:
        """One number of every seed of the cell that a score reads; rows ask for it again and again."""
        place = id(figure), id(score)
        if place not in self._looked_up:
            self._looked_up[place] = figure, score, self._read(figure, score)
        return self._looked_up[place][2]

    def _read(self, figure: Figure, score: Score) -> SeedScores:
        """Scores that are equal are read once."""
        known = self._scores.setdefault(figure.id, {})
        if score not in known:
            known[score] = read(
                score, lambda bare: self.sample(figure, bare.cell).scores(bare.metric, bare.statistic, bare.beside)
            )
        return known[score]

    def is_whole(self, figure: Figure) -> bool:
        """Whether every seed of a figure is there in full."""
        return all(self.sample(figure, cell).is_whole for cell in figure.cells)

    def verdicts(
        self, figures: Iterable[Figure], alpha: float = ALPHA, wanted: Container[str] | None = None
    ) -> dict[str, Verdict]:
        """Every claim's verdict by its id, the claims of a paper corrected for one another, whatever has been run.

        `alpha` is the largest p that decides. The verdicts are those that are `wanted`, or else all.
        """
        found: dict[str, Verdict] = {}
        for paper in papers(figures):
            home = {claim.id: figure for figure in paper for claim in figure.claims}
            claims = [claim for figure in paper for claim in figure.claims]
            weighed = self.weighed(paper)
            homes = {id(part.row): home[claim.id] for claim in claims for part in weighed[claim.id]}
            judged = judge(
                claims,
                weighed,
                self.profile,
                lambda row, homes=homes: self.is_to_the_end(homes[id(row)], row),  # type: ignore[misc]
                lambda claim, home=home: self.extent(home[claim.id], claim),  # type: ignore[misc]
                alpha=alpha,
                wanted=wanted,
            )
            found |= {verdict.claim: verdict for verdict in judged}
        return found

    def weighed(self, paper: Iterable[Figure]) -> dict[str, tuple[Evidence, ...]]:
        """Every row of the claims of some figures, by the claim's id; each is weighed once."""
        for figure in paper:
            for claim in figure.claims:
                if claim.id not in self._weighed:
                    self._weighed[claim.id] = tuple(self._evidence(figure, claim, row) for row in claim.rows)
        return self._weighed

    def _evidence(self, figure: Figure, claim: Claim, row: Row) -> Evidence:
        """A row by itself; where a reading leaves it as it is, it is not weighed again."""
        place = id(row), figure.effective(self.profile)
        if place not in self._rows:
            self._rows[place] = row, weigh(row, claim, lambda score: self.scores(figure, score))
        return self._rows[place][1]

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
        return in_words(figure, [self.budget(figure, cell) for cell in cells_of(claim)])


def largest(desk: Desk, figure: Figure) -> Desk:
    """The desk of profile `paper` where all of a figure is there in full, or else the one that is given.

    It depends on what is there, never on what came out.
    """
    paper = desk.at("paper")
    return paper if paper.is_whole(figure) else desk


def desks(library: Library, figures: Sequence[Figure], profile: str | None, said: Say = silent) -> dict[str, Desk]:
    """The desk of every figure, by its id: of a profile, or else the largest, `paper` or `quick`.

    A claim is corrected among those of its own profile, as in a report of that profile alone.
    """
    desk = Desk(library, profile or "quick")
    found = {}
    for i, figure in enumerate(figures, start=1):
        said(f"reading {figure.id}, {i} of {len(figures)}")
        found[figure.id] = desk if profile else largest(desk, figure)
    return found


class Exhibition(NamedTuple):
    """Figures as a report shows them, in their order, and how often the rules err on each paper, by its name."""

    exhibits: tuple[Exhibit, ...]
    simulated: Mapping[str, Simulated]


def exhibition(at: Mapping[str, Desk], figures: Sequence[Figure], kept: Path, said: Say = silent) -> Exhibition:
    """All figures opened, each `at` its desk; `kept` is where simulated error rates are.

    A paper is simulated from the seeds of profile quick where any of its figures is of that.
    """
    found: dict[str, Exhibit] = {}
    for profile, desk in {desk.profile: desk for desk in at.values()}.items():
        said(f"judging what is of profile {profile}")
        own = [figure for figure in figures if at[figure.id].profile == profile]
        found |= {exhibit.figure.id: exhibit for exhibit in desk.opened(own, figures, read=True)}
    simulated = {}
    for paper in papers(figures):
        own_desks = [at[figure.id] for figure in paper]
        first = next((desk for desk in own_desks if desk.profile == "quick"), own_desks[0])
        simulated[paper[0].paper.name] = of_family(kept, first.sketches(paper))
    return Exhibition(tuple(found[figure.id] for figure in figures), simulated)


def papers(figures: Iterable[Figure]) -> list[list[Figure]]:
    """The figures of each paper, whose claims are corrected for one another."""
    grouped: dict[str, list[Figure]] = {}
    for figure in figures:
        grouped.setdefault(figure.paper.name, []).append(figure)
    return list(grouped.values())
