"""How soon each side comes half, three quarters and nine tenths of the way from chance to where ours ends."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from benchmarks import Curve, Floats
from benchmarks._exchange.equivalence import Span, Tracks
from benchmarks._exchange.units import on_grid
from benchmarks._judging import statistics
from benchmarks._judging.comparisons import Ratio, Sides, times
from benchmarks._judging.scores import EpisodesTo

SHARES = (0.5, 0.75, 0.9)
STAY = 2  # tests in a row
SMALLEST = 1.1  # the smallest ratio of interest


class Reached(NamedTuple):
    """A level, and after how long each side stays there: the geometric mean of the seeds that arrive, NaN where none
    does, and how many do. `ratio` is how many times as soon theirs come, with its 90 % interval.

    Units: episodes, or steps where the figure counts those.
    """

    share: float
    level: float
    theirs: float
    ours: float
    n_theirs: int
    n_ours: int
    ratio: float
    low: float
    high: float


def reached(theirs: Tracks, ours: Tracks, within: Span, ends: tuple[float, float], horizon: int) -> tuple[Reached, ...]:
    """Levels between both `ends`, chance and where ours comes to; both sides are tested as often as the rarer one."""
    grid = common_grid(theirs, ours, within)
    limit = float(grid[-1]) / horizon
    sign = 1.0 if ends[1] > ends[0] else -1.0
    found = []
    for share in SHARES:
        level = ends[0] + share * (ends[1] - ends[0])
        left, right = (_times(side, grid, sign, level, horizon) for side in (theirs, ours))
        sides = Sides(paired=False, splits=statistics.splits(len(left), len(right), "levels"))
        ratio = times(left, right, Ratio(math.nan, SMALLEST), limit, sides)
        n_theirs, n_ours = (int(np.isfinite(side).sum()) for side in (left, right))
        known = [float(value) if n_theirs and n_ours else math.nan for value in (ratio.estimate, ratio.low, ratio.high)]
        found.append(Reached(share, level, _mean(left), _mean(right), n_theirs, n_ours, *known))
    return tuple(found)


def common_grid(theirs: Tracks, ours: Tracks, within: Span) -> Floats:
    """The steps of the side with fewer tests within a span, without step 0."""
    sides = [next(iter(side.values())).steps for side in (theirs, ours)]
    kept = [steps[(steps > 0) & (steps >= within.first) & (steps <= within.last)] for steps in sides]
    return min((steps for steps in kept if len(steps)), key=len)


def _times(side: Tracks, grid: Floats, sign: float, level: float, horizon: int) -> Floats:
    """When every seed stays at a level or beyond; +inf where it does not. Shapes: [n]."""
    until = EpisodesTo(sign * level, stay=STAY)
    return np.array([until(Curve(grid, sign * on_grid(track, grid), horizon)) for track in side.values()])


def _mean(times_of: Floats) -> float:
    seen = times_of[np.isfinite(times_of)]
    return float(np.exp(np.log(seen).mean())) if len(seen) else math.nan
