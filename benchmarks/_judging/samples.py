"""The seeds of one cell that are there in full, as curves and as numbers: each is read and scored once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmarks import Budget, Cell, Curve, Floats, Metric, Statistic
from benchmarks._judging.evidence import SeedScores
from benchmarks._judging.scores import EpisodesTo, Length, NothingSeenError, NotReachedError, Sparse
from benchmarks._training.loop import array_units
from results import Run


class Bundle(NamedTuple):
    """One metric of all seeds. Shapes: steps [N], values [S, N]; S = 0 where nothing has been run."""

    seeds: tuple[int, ...]
    steps: Floats
    values: Floats


@dataclass(frozen=True)
class Sample:
    """The seeds of a cell that are there in full, up to a budget, and the folder in which each lies.

    Units: the budget's steps are environment steps per seed, in whole tests.
    """

    cell: Cell
    budget: Budget
    runs: Mapping[int, Run]
    folders: Mapping[int, Path]
    _curves: dict[Metric, list[Curve]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _scores: dict[tuple[Metric, Statistic, Metric | None], SeedScores] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def is_whole(self) -> bool:
        """Whether every seed that is asked for is there."""
        return len(self.runs) == self.budget.n_seeds

    @cached_property
    def has_twins(self) -> bool:
        """Whether two seeds are the same run."""
        return has_twins(list(self.runs.values()))

    @property
    def measured(self) -> dict[int, Run]:
        """The seeds that have kept the arrays of the cell's measure, where it leaves any.

        A run that is longer than the budget has kept those of its end, and none of this moment.
        """
        return {seed: run for seed, run in self.runs.items() if run.arrays or not array_units(self.cell)}

    def bundle(self, metric: str) -> Bundle:
        """One metric of all seeds."""
        if not self.runs:
            return Bundle((), np.empty(0), np.empty((0, 0)))
        values = np.stack([run.metrics[metric].astype(np.float64) for run in self.runs.values()])
        return Bundle(tuple(self.runs), next(iter(self.runs.values())).steps, values)

    def scores(self, metric: Metric, statistic: Statistic, beside: Metric | None = None) -> SeedScores:
        """One number of every seed, how many seeds are missing, whether two are the same run.

        `beside` is another metric that the statistic looks at.
        """
        if (metric, statistic, beside) not in self._scores:
            self._scores[metric, statistic, beside] = self._scored(metric, statistic, beside)
        return self._scores[metric, statistic, beside]

    def curves(self, metric: Metric, beside: Metric | None = None) -> list[Curve]:
        """A metric of every seed, with another one beside it where one is named."""
        if metric not in self._curves:
            self._curves[metric] = [curve_of(metric, run, self.cell.env.horizon) for run in self.runs.values()]
        if beside is None:
            return self._curves[metric]
        pairs = zip(self._curves[metric], self.curves(beside), strict=True)
        return [replace(curve, beside=other) for curve, other in pairs]

    def _scored(self, metric: Metric, statistic: Statistic, beside: Metric | None) -> SeedScores:
        values = [number(statistic, curve) for curve in self.curves(metric, beside)]
        return SeedScores(
            np.array([math.nan if isinstance(value, str) else value for value in values], float),
            missing=self.budget.n_seeds - len(self.runs),
            identical=self.has_twins,
            limit=limit_of(statistic, self.budget.n_steps, self.cell.env.horizon),
            unseen=values.count("unseen"),
            unreached=values.count("unreached"),
            seeds=tuple(self.runs),
        )


def number(statistic: Statistic, curve: Curve) -> float | Literal["unseen", "unreached"]:
    """A seed's score, NaN where it diverged; or that its stretch saw nothing, or was not reached."""
    try:
        return statistic(curve)
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
    moved = [run for run in runs if any(_moves(values) for values in run.metrics.values())]
    seen = {b"".join(run.metrics[name].tobytes() for name in sorted(run.metrics)) for run in moved}
    return len(seen) < len(moved)


def _moves(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> bool:
    """Whether its finite values differ."""
    known = values[np.isfinite(values)]
    return bool((known != known[:1]).any())
