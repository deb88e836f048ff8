"""A curve turned into one number, fixed before anything is run.

A diverged run has values that are not finite. Its score is NaN if the statistic reads such a value, and NaN is never
dropped: the verdicts count it as the worst value of the comparison (as "never reached" for `EpisodesTo`). A run that
diverges after the part of the curve that a statistic reads keeps its number. A test that saw nothing, such as one since
which no episode has ended, is left out; a stretch of such tests alone has no number, which is no divergence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks import Curve, Floats, Statistic


class NothingSeenError(Exception):
    """No test in the part of the curve that a statistic reads has seen anything."""


class NotReachedError(Exception):
    """The run ends before the part of the curve that a statistic reads, or within it."""


@dataclass(frozen=True)
class Final:
    """Mean of the last `window` tests (of all of them, where a run is shorter than that)."""

    window: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean of the last {self.window} tests"

    def __call__(self, curve: Curve) -> float:
        """1/w Σ_{i > N−w} y_i."""
        return _mean(curve, np.arange(len(curve.values)) >= len(curve.values) - self.window)


@dataclass(frozen=True)
class Last:
    """The last value as it stands: counters, and numbers that are measured once."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return "last value"

    def __call__(self, curve: Curve) -> float:
        """y_N."""
        return _at(curve, -1)


@dataclass(frozen=True)
class Length:
    """The last value of a curve of lengths, each at most the horizon: at the horizon nobody knows how long it would
    have been."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return "last value"

    def __call__(self, curve: Curve) -> float:
        """y_N; +inf where y_N is the horizon."""
        value = _at(curve, -1)
        return math.inf if value >= curve.horizon else value


@dataclass(frozen=True)
class Fixed:
    """A number that no run has a say in, for a score to be compared with: a test of one sample."""

    value: float

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"{self.value:g}, fixed"

    def __call__(self, curve: Curve) -> float:
        """The number."""
        return self.value


@dataclass(frozen=True)
class Window:
    """Mean over the tests of one stretch of training, after `first` and up to `last`; a run that ends within has none.

    Units: environment steps.
    """

    first: int
    last: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean over steps {self.first:,} to {self.last:,}"

    def __call__(self, curve: Curve) -> float:
        """Mean of y_i over first < step_i ≤ last.

        Raises: NotReachedError where a further test would still lie in it.
        """
        return _mean(curve, _between(curve, self.first, self.last))


@dataclass(frozen=True)
class StaysBelow:
    """1 where every test of a stretch of training is below a level, else 0: what has collapsed. Units: steps."""

    level: float
    first: int
    last: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"1 where all tests over steps {self.first:,} to {self.last:,} are below {self.level:g}, else 0"

    def __call__(self, curve: Curve) -> float:
        """min over first < step_i ≤ last of [y_i < level]; who diverged is below nothing.

        Raises: NotReachedError where a further test would still lie in the stretch.
        """
        below = (curve.values < self.level).astype(float)
        return float(_mean(replace(curve, values=below), _between(curve, self.first, self.last)) == 1)


@dataclass(frozen=True)
class Stretch:
    """Mean over the tests of one stretch of a run, whatever its length. Units: shares of the run's tests."""

    first: float
    last: float

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean over {self.first:.0%} to {self.last:.0%} of training"

    def __call__(self, curve: Curve) -> float:
        """Mean of y_i over first · N < i ≤ last · N, or the one test that lies next where there is none."""
        n = len(curve.values)
        first = min(int(self.first * n), n - 1)
        test = np.arange(n)
        return _mean(curve, (test >= first) & (test < max(round(self.last * n), first + 1)))


@dataclass(frozen=True)
class Area:
    """Mean over the curve: the area under it divided by its length, which needs no threshold to speak of speed."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return "mean over training"

    def __call__(self, curve: Curve) -> float:
        """∫ y d(step) / (step_N − step_1), by trapezoids."""
        steps, values = curve.steps[curve.seen], curve.values[curve.seen]
        if len(values) <= 1 or not np.isfinite(values).all():
            return _mean(curve, curve.steps >= 0)
        return float(np.trapezoid(values, steps) / (steps[-1] - steps[0]))


@dataclass(frozen=True)
class EpisodesTo:
    """Learning episodes at the first test from which on the mean of the last `smooth` tests stays at `threshold` or
    above for `stay` tests; +inf if that does not come within the budget.

    The untrained test at step 0 is left out: no number of episodes, whose logarithm is compared, is 0.
    """

    threshold: float
    smooth: int = 1
    stay: int = 1

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"episodes until the mean of {self.smooth} tests stays ≥ {self.threshold:g} for {self.stay} tests"

    def __call__(self, curve: Curve) -> float:
        """min {episode_i : ȳ_i, …, ȳ_{i+stay−1} ≥ threshold}, ȳ_i the mean of the `smooth` tests that end with i."""
        after = (curve.steps > 0) & curve.seen
        values, episodes = curve.values[after], curve.episodes[after][self.smooth - 1 :]
        reached = _trailing_means(values, self.smooth) >= self.threshold
        for first in range(len(reached) - self.stay + 1):
            if reached[first : first + self.stay].all():
                return float(episodes[first])
        return math.inf if np.isfinite(values).all() else math.nan


def _between(curve: Curve, first: int, last: int) -> NDArray[np.bool_]:
    """The tests of a stretch.

    Raises: NotReachedError where a further test would still lie in it.
    """
    if curve.steps[-1] + np.diff(curve.steps, prepend=0.0).max() <= last:
        raise NotReachedError
    within: NDArray[np.bool_] = (curve.steps > first) & (curve.steps <= last)
    return within


def _trailing_means(values: Floats, width: int) -> Floats:
    """Mean of each `width` neighbours. Shapes: [N] → [N − width + 1], empty where N < width."""
    if len(values) < width:
        return np.empty(0)
    means: Floats = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=-1)
    return means


def _at(curve: Curve, index: int) -> float:
    """One value; a negative index counts from the end."""
    return _mean(curve, np.arange(len(curve.values)) == index % len(curve.values))


def _mean(curve: Curve, selected: NDArray[np.bool_]) -> float:
    """The mean of the selected tests that saw something; NaN where a value is not finite.

    Raises: NotReachedError where the run has no test in the stretch that is asked for; NothingSeenError where none of
    them saw anything.
    """
    if not selected.any():
        raise NotReachedError
    values = curve.values[selected & curve.seen]
    if not len(values):
        raise NothingSeenError
    return float(values.mean()) if np.isfinite(values).all() else math.nan


@dataclass(frozen=True)
class Rise:
    """How much higher than the run's own untrained tests: untrained policies that explore unequally begin unequally.

    Units: environment steps; nothing is learnt up to `untrained`.
    """

    untrained: int
    last: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean over steps {self.untrained:,} to {self.last:,}, above the mean before"

    def __call__(self, curve: Curve) -> float:
        """Mean of y_i over untrained < step_i ≤ last, less that over 0 < step_i ≤ untrained."""
        return Window(self.untrained, self.last)(curve) - Window(0, self.untrained)(curve)


@dataclass(frozen=True)
class Sparse:
    """Another statistic, of the tests at multiples of `every` steps alone: curves that are tested more or less often
    are then read alike, and the mean of a stretch smooths both as much."""

    statistic: Statistic
    every: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"{self.statistic.unit}, of tests at multiples of {self.every:,} steps"

    def __call__(self, curve: Curve) -> float:
        """f((step_i, y_i) : every | step_i).

        Raises: NotReachedError where there is no such test.
        """
        kept = curve.steps % self.every == 0
        if not kept.any():
            raise NotReachedError
        columns = {item.name: getattr(curve, item.name) for item in fields(curve)}
        columns = {name: column[kept] for name, column in columns.items() if isinstance(column, np.ndarray)}
        return self.statistic(replace(curve, **columns))


# ---- totals, which a shorter run has not reached, and what is missing from them -------------------------------------


@dataclass(frozen=True)
class Total:
    """What a running total has come to at a step, which a shorter run has no number for. Units: environment steps."""

    last: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"value after {self.last:,} steps"

    def __call__(self, curve: Curve) -> float:
        """y_i of the first step_i ≥ last.

        Raises: NotReachedError where the run ends before.
        """
        return _reached(curve, self.last)


@dataclass(frozen=True)
class Gained:
    """What a running total has gained in one stretch of training. Units: environment steps."""

    first: int
    last: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"gain from {self.first:,} to {self.last:,} steps"

    def __call__(self, curve: Curve) -> float:
        """y_j − y_i of the first step_j ≥ last and the first step_i ≥ first.

        Raises: NotReachedError where the run ends before.
        """
        return _reached(curve, self.last) - _reached(curve, self.first)


@dataclass(frozen=True)
class Rate:
    """How fast a running total has grown, whatever the run's length. Units: per so many environment steps."""

    per: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"growth per {self.per:,} steps"

    def __call__(self, curve: Curve) -> float:
        """per · y_N / step_N."""
        return self.per * _reached(curve, curve.steps[-1]) / float(curve.steps[-1])


@dataclass(frozen=True)
class ShortOf:
    """How far the last value stays below a total, such as what has been eaten of all food."""

    total: float

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"{self.total:g} minus the last value"

    def __call__(self, curve: Curve) -> float:
        """total − y_N."""
        return self.total - _reached(curve, curve.steps[-1])


def _reached(curve: Curve, step: float) -> float:
    """y_i of the first step_i ≥ step; NaN where it is not finite.

    Raises: NotReachedError where the run ends before.
    """
    index = int(np.searchsorted(curve.steps, step))
    if index == len(curve.values):
        raise NotReachedError
    value = float(curve.values[index])
    return value if math.isfinite(value) else math.nan
