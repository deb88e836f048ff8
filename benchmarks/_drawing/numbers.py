"""Numbers of a picture: means and bands, curves of few points, how far an axis reaches, and its ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import Formatter

from benchmarks import Band, Floats
from benchmarks._judging.statistics import mean_interval

MOST_POINTS = 120  # of a curve: more cannot be told apart at print width
FEWEST_POINTS = 30
ALL_POINTS = 16_000  # of all curves of a picture, about 150 kB of text

EARLY = 0.2  # of a training: how much may be cut away, where it goes far beyond the rest
OUTLIERS = 0.02  # of the rest, the share of tests beyond each end that may be cut away with it
FAR = 3.0  # an axis is cut where all values reach this many times as far as those that must stay
MARGIN = 0.6  # of the range of those, kept on the side that is cut
NEAR = 0.5  # of an axis: a level that is no further beyond its end is drawn into it
NEAR_CUT = 1.5  # the same where that end has been cut anyway
STILL = 4.0  # standard errors that a line moves by chance between quarters of training
SOME_TESTS = 16  # four a quarter


class Thinned(NamedTuple):
    """A curve of few points, each the mean of `every` tests at most. Shapes: x [N], values [S, N]."""

    x: Floats
    values: Floats
    every: int


def points_of(n_curves: int) -> int:
    """How many points each of so many curves of a picture may have."""
    return min(MOST_POINTS, max(FEWEST_POINTS, ALL_POINTS // max(n_curves, 1)))


def thinned(x: Floats, values: Floats, most: int = MOST_POINTS) -> Thinned:
    """Means of tests in a row, as many at a time as it takes to leave few points, or here and there one less.

    Shapes: x [T], values [S, T].
    """
    every = max(1, math.ceil(len(x) / most))
    if every == 1:
        return Thinned(x, values, 1)
    starts = np.linspace(0, len(x), math.ceil(len(x) / every), endpoint=False).astype(int)
    sizes = np.diff(starts, append=len(x))
    return Thinned(np.add.reduceat(x, starts) / sizes, np.add.reduceat(values, starts, axis=1) / sizes, every)


def mean_and_band(values: Floats, band: Band | None = None) -> tuple[Floats, Floats, Floats]:
    """Mean over seeds and its 95 % t interval, or a paper's band; NaN wherever one seed is not finite.

    Shapes: [S, N], S > 1 → [N].
    """
    whole = np.isfinite(values).all(axis=0)
    mean, low, high = (np.full(values.shape[1], np.nan) for _ in range(3))
    if whole.any():
        known = values[:, whole]
        mean[whole] = known.mean(axis=0)
        if band is None:
            low[whole], high[whole] = mean_interval(known)
        elif band.deviations is None:
            low[whole], high[whole] = known.min(axis=0), known.max(axis=0)
        else:
            half = band.deviations * known.std(axis=0, ddof=1)
            low[whole], high[whole] = mean[whole] - half, mean[whole] + half
    return mean, low, high


class Limits(NamedTuple):
    """Ends of an axis, and the furthest value beyond each (NaN where nothing is cut)."""

    low: float
    high: float
    cut_low: float
    cut_high: float


def limits(values: Iterable[Floats], levels: Iterable[float] = ()) -> Limits:
    """All values and a little air; without an early transient that would flatten the rest; levels that are near.

    Of every seed all that comes after the first fifth of its training stays visible, but for one test in fifty at
    either end, so that no seed can vanish. Where nobody has learnt every level is within, and noise is not drawn large.

    Shapes: values [S, T] each.
    """
    lines = list(values)
    known = [curve[np.isfinite(curve)] for line in lines for curve in line]
    late = [curve[np.isfinite(curve)] for line in lines for curve in line[:, int(EARLY * line.shape[1]) :]]
    known, late = ([curve for curve in curves if curve.size] for curves in (known, late))
    if not known:
        return Limits(0.0, 1.0, np.nan, np.nan)
    lowest, highest = min(float(curve.min()) for curve in known), max(float(curve.max()) for curve in known)
    low, high = _without_transient(lowest, highest, late)
    cut_low, cut_high = lowest if lowest < low else np.nan, highest if highest > high else np.nan
    high = high or float(lowest == 0)  # of 0 alone: what lies above it is seen, as nothing lies below
    air = 0.04 * (high - low) or abs(high) * 0.05
    low, high = low if lowest < low else low - air, high if highest > high else high + air
    fixed = list(levels)
    if all(_is_still(line) for line in lines):
        low, high = _of_noise(low, high, fixed, lowest)
        return Limits(low, high, cut_low, cut_high)
    return Limits(*_with_levels(low, high, fixed, np.isfinite(cut_low)), cut_low, cut_high)


def _without_transient(lowest: float, highest: float, late: Sequence[Floats]) -> tuple[float, float]:
    """Where an axis ends if what is early may be cut away."""
    if not late:
        return lowest, highest
    inner_low = min(float(np.quantile(curve, OUTLIERS)) for curve in late)
    inner_high = max(float(np.quantile(curve, 1 - OUTLIERS)) for curve in late)
    inner = inner_high - inner_low
    if inner <= 0 or highest - lowest <= FAR * inner:
        return lowest, highest
    return max(lowest, inner_low - MARGIN * inner), min(highest, inner_high + MARGIN * inner)


def _of_noise(low: float, high: float, levels: Sequence[float], lowest: float) -> tuple[float, float]:
    """The ends where nobody has learnt: as far as the levels, or else so that noise fills a third of the height; not
    below 0 where nothing is.
    """
    if not levels:
        wider = low - (high - low)
        return (max(wider, min(low, 0.0)) if lowest >= 0 else wider), high + (high - low)
    whole = max(*levels, high) - min(*levels, low)
    return min(low, min(levels) - 0.06 * whole), max(high, max(levels) + 0.06 * whole)


def _with_levels(low: float, high: float, levels: Sequence[float], cut: bool) -> tuple[float, float]:
    """The ends with the levels that lie near them, and room for their names."""
    size = high - low
    below = [level for level in levels if low - (NEAR_CUT if cut else NEAR) * size < level < low + 0.1 * size]
    above = [level for level in levels if high - 0.1 * size < level < high + NEAR * size]
    low = min([low, *(level - 0.15 * size for level in below)])
    return low, max([high, *(level + 0.1 * (high - low) for level in above)])


def _is_still(values: Floats) -> bool:
    """Whether a line has moved between the quarters of its training by no more than chance moves it, and no seed of it
    by half of what is seen of all. Shapes: [S, T].
    """
    if values.shape[0] < 2 or values.shape[1] < 4 or not np.isfinite(values).all():
        return False
    quarters = np.stack([part.mean(axis=1) for part in np.array_split(values, 4, axis=1)], axis=1)  # [S, 4]
    moved = quarters - quarters[:, :1]
    if values.shape[1] >= SOME_TESTS and np.abs(moved).max() > 0.5 * np.ptp(values):
        return False
    errors = moved.std(axis=0, ddof=1) / math.sqrt(len(values))
    return bool((np.abs(moved.mean(axis=0)) <= STILL * errors).all())


class Numbers(Formatter):
    """Ticks as `number` writes them, or with as many decimals as it takes to tell neighbours apart."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """A place by itself."""
        return number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All ticks of an axis, in order."""
        if len(set(map(number, values))) == len(values):
            return [number(value) for value in values]
        step = min(after - before for before, after in pairwise(values))
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return [f"{value:,.{decimals}f}".replace("-", "−") for value in values]


def number(value: float) -> str:
    """At most four digits, with a true minus and thousands apart: −4,012 or 0.25."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"
    return text.replace("-", "−")
