"""Which unit a curve is in: the convention under which it lies nearest to ours, where it does not lie there as it is.

A convention fits where the means of the quarters differ by no more than the margin, on average, and by no more than a
tenth of the curve's own height, since whatever is made small enough lies near a curve that is. Of those that fit, the
one is taken of which the fewest changes bring it nearest; of what comes to the same, nobody can tell. If none fits,
the nearest factor is named where it is at least three times as near as the curve as it is, and within a quarter of the
way from chance to the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks import Floats, Margin
from benchmarks._exchange.conventions import AS_IT_IS, Convention
from benchmarks._exchange.curves import Curves, Track
from benchmarks._exchange.equivalence import Tracks, means, span

HEIGHT = 0.1
NEARER = 3.0
FURTHEST = 2.5  # margins, each a tenth of the way from chance to the best
CHANGE = 0.5  # margins that a change must bring it nearer
CLOSE = 1.5  # times the best: what is called a rival

SMOOTHED = 4.0  # a curve is called smoothed from this many times less noise on
WIDTHS = (2, 3, 5, 10, 20, 25, 50, 100)
FEWEST = 8  # tests without which nothing is said of noise


class Fit(NamedTuple):
    """How far a curve is from ours in a convention. Units: margins."""

    convention: Convention
    misfit: float


class Unit(NamedTuple):
    """What was found: how far it is as it is, the convention that is taken, and others that fit about as well.

    `misfit` of `as_it_is` is ∞ where the two have nothing in common to compare.
    """

    as_it_is: Fit
    taken: Fit
    rivals: tuple[Fit, ...]

    @property
    def is_other(self) -> bool:
        """Whether the curve is in another unit than ours."""
        return self.taken.convention.changes > 0


def unit_of(theirs: Curves, ours: Tracks, margin: Margin, offered: Sequence[Convention]) -> Unit:
    """The unit of a curve, among those that are offered, of which the first is ours."""
    fits = [Fit(one, misfit) for one in offered if (misfit := _misfit(theirs, ours, margin, one)) is not None]
    as_it_is = next((fit for fit in fits if fit.convention.changes == 0), Fit(AS_IT_IS, np.inf))
    if as_it_is.misfit <= 1 or not fits:
        return Unit(as_it_is, as_it_is, ())
    fitting = [fit for fit in fits if fit.misfit <= 1]
    if fitting:
        taken = min(fitting, key=_strain)
        return Unit(as_it_is, taken, _rivals(fitting, taken))
    scaled = [fit for fit in fits if _is_factor(fit.convention)]
    nearest = min(scaled, key=lambda fit: fit.misfit, default=as_it_is)
    far = nearest.misfit > FURTHEST or nearest.misfit * NEARER > as_it_is.misfit
    return Unit(as_it_is, as_it_is, ()) if far else Unit(as_it_is, nearest, _rivals(scaled, nearest))


def _is_factor(one: Convention) -> bool:
    """Whether it is a factor alone, and exact."""
    return one.shift == 0 and one.stride == 1 and not one.guessed


def _strain(fit: Fit) -> float:
    """What is otherwise counts, beside how far it is: half a margin each, and once more for what holds only about."""
    return fit.misfit + CHANGE * (fit.convention.changes + fit.convention.guessed)


def _rivals(fits: Sequence[Fit], taken: Fit) -> tuple[Fit, ...]:
    """What fits about as well, with no more changes than one beyond."""
    close = [
        fit
        for fit in fits
        if fit is not taken
        and fit.misfit <= max(1.0, CLOSE * taken.misfit)
        and fit.convention.changes <= taken.convention.changes
    ]
    return tuple(sorted(close, key=lambda fit: fit.misfit)[:3])


def _misfit(theirs: Curves, ours: Tracks, margin: Margin, one: Convention) -> float | None:
    """How far the means of the quarters are from each other on average, None where they have none in common.

    Units: margins, or tenths of the curve's height where those are smaller.
    """
    finite = {seed: _finite(track) for seed, track in theirs.tracks.items()}
    tracks = {
        seed: Track(one.stride * track.steps, one.factor * track.values + one.shift)
        for seed, track in finite.items()
        if len(track.steps)
    }
    within = span(tracks, ours) if tracks else None
    if within is None:
        return None
    pairs = [(means(tracks, part).mean(), means(ours, part).mean()) for part in within.parts]
    height = max(abs(left - one.shift) for left, _ in pairs)
    scale = min(margin.value, HEIGHT * height)
    return float(np.mean([abs(left - right) for left, right in pairs]) / scale) if scale > 0 else None


def _finite(track: Track) -> Track:
    """The beginning of a curve, up to where it diverges."""
    beyond = np.flatnonzero(~np.isfinite(track.values))
    n = int(beyond[0]) if len(beyond) else len(track.values)
    return Track(track.steps[:n], track.values[:n])


# ----------------------------------------------------------------------------------------------------------- smoothing


class Smoothing(NamedTuple):
    """Over how many tests a curve seems to be averaged, and how many times less noise it has. 1 where it does not."""

    width: int
    less: float


def smoothing(theirs: Tracks, ours: Tracks) -> Smoothing:
    """What makes ours as smooth as theirs: the moving average after which neighbouring tests scatter as much.

    A curve of tests of many times as many episodes looks the same.
    """
    within = span(theirs, ours)
    grid = _coarser(theirs, ours) if within is not None else np.empty(0)
    if within is not None:
        grid = grid[(grid >= within.first) & (grid <= within.last)]
    if len(grid) < FEWEST:
        return Smoothing(1, 1.0)
    rough, of_ours = (_roughness([on_grid(track, grid) for track in side.values()]) for side in (theirs, ours))
    if not (rough > 0 and of_ours > SMOOTHED * rough):
        return Smoothing(1, of_ours / rough if rough > 0 else 1.0)
    widths = [width for width in WIDTHS if len(grid) >= width + FEWEST]
    smooth = {width: _roughness([trailing(on_grid(track, grid), width) for track in ours.values()]) for width in widths}
    width = min(widths, key=lambda width: abs(np.log(max(smooth[width], 1e-300) / rough)), default=1)
    return Smoothing(width, of_ours / rough)


def smoothed(tracks: Tracks, width: int) -> dict[str, Track]:
    """Each value the mean of the last `width` tests."""
    return {
        seed: Track(track.steps[width - 1 :], trailing(track.values, width))
        for seed, track in tracks.items()
        if len(track.steps) >= width
    }


def trailing(values: Floats, width: int) -> Floats:
    """Means of `width` neighbours. Shapes: [N] → [N − width + 1]."""
    means_of: Floats = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=-1)
    return means_of


def on_grid(track: Track, grid: Floats) -> Floats:
    """A curve's values at some steps, straight between its tests."""
    return np.interp(grid, track.steps, track.values)


def _coarser(theirs: Tracks, ours: Tracks) -> Floats:
    """The steps of the side that tests less often."""
    sides = [next(iter(side.values())).steps for side in (theirs, ours)]
    return max(sides, key=lambda steps: float(np.median(np.diff(steps))) if len(steps) > 1 else np.inf)


def _roughness(values: Sequence[Floats]) -> float:
    """How much neighbouring tests scatter: the median over seeds of the mean squared second difference."""
    return float(np.median([np.mean(np.diff(curve, 2) ** 2) for curve in values]))
