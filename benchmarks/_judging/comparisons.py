"""Two sides of one number a seed, compared: estimate, interval and three one-sided p, of one comparison or of B.

    found = difference(left, right, delta=1.0, gap=math.nan, sides=Sides(paired=False, splits=splits(6, 6)))
    found.support                        # p of "left is not larger"
    found.refuted                        # p of "left is larger by δ or more": the test of a refutation, not its absence

The same functions judge what is recorded and are fed with simulated scores, so that error rates are of these rules.

Shapes: sides [n] or [n, B]; all that is found scalars or [B].
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, bdtrc

from benchmarks import Floats, Multiple, Shorter
from benchmarks._judging import statistics
from benchmarks._judging.statistics import ALPHA, OneSided, Splits, Welch

LEVEL = 1 - 2 * ALPHA  # an interval whose either end is a one-sided test at α
MOST_CENSORED = 0.2  # above this share of a side, what it hides bounds the ratio no longer

Names = NDArray[np.str_]


class Sides(NamedTuple):
    """How two sides belong together, and how their seeds may be split."""

    paired: bool
    splits: Splits


class Found(NamedTuple):
    """What a comparison comes to before any correction, on the scale of its rule: a difference, or a ratio.

    `grade` is what it would be called if it is supported, `against` if the opposite is: NOT REPRODUCED where that is
    wholly smaller than of interest, for what is negligible one way is so the other way round. A rule without a test of
    the opposite has p = 1 there.
    """

    estimate: Floats
    low: Floats
    high: Floats
    support: Floats
    refuted: Floats
    opposite: Floats
    grade: Names
    against: Names


def ordered(left: Floats, right: Floats, sides: Sides, shift: float | Floats = 0.0) -> OneSided:
    """p of "left − right ≤ shift", and of "left − right ≥ shift"; 1 where a side has one seed."""
    if min(len(left), len(right)) < 2:
        return OneSided(np.ones(np.shape(left)[1:]), np.ones(np.shape(left)[1:]))
    test = statistics.paired_ordering if sides.paired else statistics.ordering
    return test(left - shift, right, sides.splits)


def interval(left: Floats, right: Floats, *, paired: bool) -> tuple[Floats, Floats]:
    """90 % interval of the difference, the paired t's where seeds belong together; no ends with one seed a side."""
    if min(len(left), len(right)) < 2:
        return np.full(np.shape(left)[1:], -math.inf), np.full(np.shape(left)[1:], math.inf)
    return _welch(left, right, paired=paired).interval(LEVEL)


def _welch(left: Floats, right: Floats, *, paired: bool) -> Welch:
    return statistics.paired_difference(left - right) if paired else statistics.difference(left, right)


def difference(left: Floats, right: Floats, delta: float | Floats, gap: float, sides: Sides) -> Found:
    """`Exceeds`: left − right > 0; NEGLIGIBLE if wholly below δ, PARTIAL if below the printed G (NaN: none is)."""
    test = ordered(left, right, sides)
    low, high = interval(left, right, paired=sides.paired)
    grade = np.select([high < delta, high < gap], ["NEGLIGIBLE", "PARTIAL"], "REPRODUCED")
    below = ordered(left, right, sides, delta).opposite
    estimate = left.mean(axis=0) - right.mean(axis=0)
    return Found(estimate, low, high, test.p, below, test.opposite, grade, reversal(low, -delta))


def reversal(low: Floats, least: float | Floats) -> Names:
    """What the opposite of a sentence is called: REVERSED only where its effect may be as large as is of interest."""
    return np.where(low > least, "NOT REPRODUCED", "REVERSED")


def no_worse(left: Floats, right: Floats, delta: float | Floats, sides: Sides) -> Found:
    """`NoWorse`: left − right > −δ."""
    test = ordered(left, right, sides, -delta)
    low, high = interval(left, right, paired=sides.paired)
    return _ungraded(left.mean(axis=0) - right.mean(axis=0), low, high, test.p, test.opposite)


def equality(left: Floats, right: Floats, delta: float | Floats, sides: Sides) -> Found:
    """`AboutEquals`: two one-sided tests of |left − right| < δ; refuted by one of beyond δ or of beyond −δ.

    To the smaller p of these comes that of as much beyond the other end. With δ near 0 that doubles it; with δ of one
    standard error or more it is next to nothing, for no difference of δ is mistaken for one beyond −δ (Hodges and
    Lehmann, JRSS B 1954).
    """
    above, below = ordered(left, right, sides, delta), ordered(left, right, sides, -delta)
    low, high = interval(left, right, paired=sides.paired)
    support = np.maximum(above.opposite, below.p)
    refuted = np.minimum(above.p, below.opposite) + _as_much_beyond(left, right, delta, sides)
    return _ungraded(left.mean(axis=0) - right.mean(axis=0), low, high, support, np.minimum(1.0, refuted))


def _as_much_beyond(left: Floats, right: Floats, delta: float | Floats, sides: Sides) -> Floats:
    """The t test's p of |left − right| + δ: of what is seen on the other side, were that end of ±δ the true one.

    0 where both sides are constant, which are mistaken for nothing.
    """
    if min(len(left), len(right)) < 2:
        return np.zeros(np.shape(left)[1:])
    seen = _welch(left, right, paired=sides.paired)
    return np.nan_to_num(seen._replace(estimate=np.abs(seen.estimate) + delta).p)


def scatter(left: Floats, right: Floats, delta: float | Floats, sides: Sides) -> Found:
    """`Scatters`: the difference of how far seeds lie from the median of their side.

    It is shown by splits of the seeds, and never refuted as too small: where a few seeds collapse, a t test of
    distances would refute what is true far too often.
    """
    found = difference(statistics.apart(left), statistics.apart(right), delta, math.nan, sides)
    if min(len(left), len(right)) < 2:
        return found
    test = statistics.scattering(left, right, sides.splits)
    return found._replace(support=test.p, opposite=test.opposite, refuted=np.ones_like(test.p))


def oftener(left: Floats, right: Floats, delta: float) -> Found:
    """`Oftener`: the exact sign test of the pairs in which one side has it and the other has not (McNemar's).

    It is refuted by the exact test of "the difference of the shares is δ or more"; where it happens on neither side,
    nothing is. Shapes: 0 or 1, [n] or [n, B].
    """
    only_left, only_right = ((one > other).sum(axis=0) for one, other in ((left, right), (right, left)))
    support, opposite = (
        statistics.sign_test(one, other) for one, other in ((only_left, only_right), (only_right, only_left))
    )
    lead, nowhere = only_left - only_right, (left.max(axis=0) == 0) & (right.max(axis=0) == 0)
    refuted = np.where(nowhere, 1.0, statistics.at_most_by_chance(lead, len(left), delta))
    high, low = statistics.largest_lead(lead, len(left)), -statistics.largest_lead(-lead, len(left))
    grade = np.where(high < delta, "NEGLIGIBLE", "REPRODUCED")
    return Found(lead / len(left), low, high, support, refuted, opposite, grade, reversal(low, -delta))


def seldom(left: Floats, share: float) -> Found:
    """`Seldom`: the exact binomial test of "it happens in a share of this or more", and of "in this or less".

    Shapes: 0 or 1, [n] or [n, B]; the estimate is the share that was seen, with Clopper's and Pearson's interval.
    """
    n, count = len(left), left.sum(axis=0)
    support, refuted = bdtr(count, n, share), np.where(count > 0, bdtrc(count - 1, n, share), 1.0)
    low, high = statistics.share_interval(count, n, LEVEL)
    return _ungraded(count / n, low, high, support, refuted)


def printed(left: Floats, value: float, tolerance: float) -> Found:
    """`Printed`: two one-sided t tests of |mean − m₀| < τ; refuted by twice the smaller p of beyond m₀ ± τ.

    Twice whatever τ is: on one side, a t test of few seeds that collapse at times errs far more often than it says.
    """
    found, above, below = _beyond(left - value, tolerance)
    support, refuted = np.maximum(1 - above, below), np.minimum(1.0, 2 * np.minimum(above, 1 - below))
    return _ungraded(found.estimate, *found.interval(LEVEL), support, refuted)


def printed_time(times: Floats, value: float, factor: float, limit: float | Floats) -> Found:
    """`PrintedTime`: the ratio m₀ / T, of the mean of log T, which is at least what is seen where many are censored.

    Shapes: limit a scalar or [B]; censored times are +inf.
    """
    hidden = np.isinf(times).mean(axis=0) > MOST_CENSORED
    found, above, below = _beyond(np.log(np.minimum(times, limit)) - math.log(value), math.log(factor))
    low, high = found.interval(LEVEL)
    support = np.where(hidden, 1.0, np.maximum(1 - above, below))
    refuted = np.minimum(1.0, 2 * np.where(hidden, above, np.minimum(above, 1 - below)))
    longest = np.where(hidden, math.inf, high)
    return _ungraded(np.exp(-found.estimate), np.exp(-longest), np.exp(-low), support, refuted)


def _beyond(differences: Floats, tolerance: float) -> tuple[Welch, Floats, Floats]:
    """The mean, and the t test's p of "mean ≤ τ" and of "mean ≤ −τ"."""
    found = statistics.paired_difference(differences)

    def p_above(shift: float) -> Floats:
        shifted = found._replace(estimate=found.estimate - shift)
        return np.where(found.error > 0, shifted.p, np.where(shifted.estimate > 0, 0.0, 1.0))

    return found, p_above(tolerance), p_above(-tolerance)


class Ratio(NamedTuple):
    """ρ, which is NaN where none is printed, and r, the smallest of interest: 1 + (ρ − 1)/3, or as the rule says."""

    printed: float
    interest: float

    @classmethod
    def of(cls, rule: Shorter | Multiple) -> Ratio:
        """What a rule says."""
        if rule.ratio is not None:
            return cls(rule.ratio, 1 + (rule.ratio - 1) / 3)
        return cls(math.nan, rule.smallest)


def multiple(left: Floats, right: Floats, ratio: Ratio, sides: Sides) -> Found:
    """`Multiple`: mean(left) / mean(right), with Fieller's interval and a third of the way from 1 to ρ of interest."""
    test = ordered(left, right, sides)
    low, high = statistics.ratio_interval(left, right, LEVEL, paired=sides.paired)
    below = ordered(left, ratio.interest * right, sides).opposite
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = left.mean(axis=0) / right.mean(axis=0)
    against = reversal(low, 1 / ratio.interest)
    return Found(estimate, low, high, test.p, below, test.opposite, ratio_grade(low, high, ratio), against)


def times(left: Floats, right: Floats, ratio: Ratio, limit: float | Floats, sides: Sides) -> Found:
    """`Shorter`: the ratio of geometric means T_right / T_left, and log-rank tests.

    A censored seed enters the ratio at the limit, too short a time. What is censored on the right only hides a larger
    ratio, so that the lower end stands; what is censored on the left, a smaller one, so that the upper end stands.

    Shapes: limit a scalar or [B]; censored times are +inf.
    """
    interest = ratio.interest
    hidden = [np.isinf(side).mean(axis=0) > MOST_CENSORED for side in (left, right)]
    logs = [np.log(np.minimum(side, limit)) for side in (left, right)]
    ends = interval(logs[1], logs[0], paired=sides.paired)
    low = np.where(hidden[0], 0.0, np.exp(ends[0]))
    high = np.where(hidden[1], math.inf, np.exp(ends[1]))
    test = _earlier(left, right, logs, sides)
    # "The ratio is at least r" is refuted as "r times left comes no later than right" is, as far as times are seen.
    slower = left * interest
    slower = np.where(slower > limit, math.inf, slower)
    below = _earlier(slower, right, [logs[0] + math.log(interest), logs[1]], sides).opposite
    below = np.where(hidden[1], 1.0, below)
    opposite = np.where(high < 1, test.opposite, 1.0)
    estimate = np.exp(logs[1].mean(axis=0) - logs[0].mean(axis=0))
    support = np.where((low > 1) | hidden[0], test.p, 1.0)
    against = reversal(low, 1 / interest)
    return Found(estimate, low, high, support, below, opposite, ratio_grade(low, high, ratio), against)


def _earlier(left: Floats, right: Floats, logs: list[Floats], sides: Sides) -> OneSided:
    """The log-rank p; of paired sides the larger one of it and the paired t's of log T, or from ten seeds as ever."""
    if min(len(left), len(right)) < 2:
        return OneSided(np.ones(np.shape(left)[1:]), np.ones(np.shape(left)[1:]))
    if sides.paired and len(left) >= statistics.FEWEST_FLIPPED:
        return statistics.paired_ordering(logs[1], logs[0], sides.splits)
    test = statistics.log_rank(left, right, sides.splits)
    if not sides.paired:
        return test
    p = statistics.paired_difference(logs[1] - logs[0]).p
    return statistics.larger_p(test, OneSided(p, 1 - p))


def ratio_grade(low: Floats, high: Floats, ratio: Ratio) -> Names:
    """NEGLIGIBLE if wholly below r; where ρ is printed, whole only with the interval from r up and ρ within it."""
    printed, interest = ratio
    whole = np.asarray(high >= interest) if math.isnan(printed) else (low >= interest) & (high >= printed)
    return np.select([high < interest, whole], ["NEGLIGIBLE", "REPRODUCED"], "PARTIAL")


def _ungraded(estimate: Floats, low: Floats, high: Floats, support: Floats, refuted: Floats) -> Found:
    """Of a rule that is whole or not at all, and has no opposite."""
    whole, reverse = (np.full(np.shape(support), name) for name in ("REPRODUCED", "REVERSED"))
    return Found(estimate, low, high, support, refuted, np.ones_like(support), whole, reverse)
