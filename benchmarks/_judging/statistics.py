"""Estimates, intervals and tests on one number a seed. Axis 0 is the seed everywhere.

Few seeds rule most usual tools out. At n = 5 a percentile bootstrap's 95 % interval of a mean covers .83 on normal
scores, and a test by it errs in .08–.15 of cases at a nominal .05; Student's t covers .95 and Welch's test errs in .05.
So: t intervals, Welch beside an exact permutation test (the larger p counts), and the bootstrap for the IQM alone.

    p = ordering(left, right, splits(6, 6, "ctedd/fig4 CN-V1")).p
    low, high = difference(left, right).interval(0.90)

Source: Welch, Biometrika 1947; Janssen, Statistics & Probability Letters 1997 (studentised permutation); Holm,
Scandinavian Journal of Statistics 1979; Benjamini and Hochberg, Journal of the Royal Statistical Society B 1995;
Simes, Biometrika 1986; Sarkar, Annals of Statistics 1998; Benjamini and Heller, Biometrics 2008 (partial conjunctions);
Fieller, JRSS B 1954 (ratios of means); Clopper and Pearson, Biometrika 1934 (rates); Agarwal et al., NeurIPS 2021 (IQM,
probability of improvement).
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, betaincinv, nctdtr, stdtr, stdtrit

from benchmarks import Floats

ALPHA = 0.05
MOST_SPLITS = 200_000  # 10 against 10 seeds are 184 756 splits; above this the splits are drawn
N_DRAWS = 19_999
LARGE = 8  # seeds a side from which on it is sooner counted than tried how many splits differ as much
MOST_TOGETHER = 2000  # comparisons permuted at once, so that they fit in the cache
MOST_KEPT = 20_000  # comparisons of two sides whose p is kept
MOST_SEEDS = 1000  # beyond which "more seeds" is no advice
FEWEST_FLIPPED = 10  # seeds from which on sign flips can pass a family: 2⁻¹⁰ = .001
N_CHANCES = 101  # at which the chances of a pair are tried
ROUNDING = 1e-9  # statistics this close, relatively, are ties

Interval = tuple[float, float]


def generator(text: str) -> np.random.Generator:
    """Random numbers that depend on `text` alone, so that an interval is the same on every run and machine."""
    return np.random.default_rng(zlib.crc32(text.encode()))


class Welch(NamedTuple):
    """An estimate with its standard error and degrees of freedom. Shapes: scalars, or [B] for B comparisons."""

    estimate: Floats
    error: Floats
    freedom: Floats

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """estimate ± t(ν, (1+level)/2) · error."""
        half = stdtrit(self.freedom, (1 + level) / 2) * self.error
        return self.estimate - half, self.estimate + half

    @property
    def p(self) -> Floats:
        """One-sided p of estimate ≤ 0; NaN where the error is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.estimate / self.error
        return np.where(self.error > 0, stdtr(self.freedom, -t), np.nan)


def difference(left: Floats, right: Floats) -> Welch:
    """mean(left) − mean(right), with error² = s²_l/n_l + s²_r/n_r and Welch's degrees of freedom.

    Shapes: left [n_l] or [n_l, B], right likewise; at least two seeds each.
    """
    parts = [variance(side) / len(side) for side in (left, right)]
    squared = parts[0] + parts[1]
    dividend = parts[0] ** 2 / (len(left) - 1) + parts[1] ** 2 / (len(right) - 1)
    with np.errstate(invalid="ignore"):
        freedom = np.where(squared > 0, squared**2 / dividend, len(left) + len(right) - 2)
    return Welch(left.mean(axis=0) - right.mean(axis=0), np.sqrt(squared), freedom)


def mean_interval(values: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """mean ± t(n−1) · s/√n. Shapes: values [n] or [n, N], at least two seeds."""
    n = len(values)
    return Welch(values.mean(axis=0), np.sqrt(variance(values) / n), np.asarray(n - 1.0)).interval(level)


def prediction_interval(values: Floats, n_runs: int = 1, level: float = 0.95) -> Interval:
    """Where the mean of `n_runs` further runs like ours will lie: mean ± t(n−1) · s · √(1/n + 1/n_runs).

    A printed number is held against this and not against the interval of our mean, in which an identical single run
    would lie only 68 % of the time at n = 5.
    """
    n = len(values)
    error = np.sqrt(variance(values) * (1 / n + 1 / n_runs))
    low, high = Welch(values.mean(axis=0), error, np.asarray(n - 1.0)).interval(level)
    return float(low), float(high)


def variance(values: Floats) -> Floats:
    """s² with n − 1; exactly 0 where all seeds agree, which rounding would hide."""
    return np.where(np.ptp(values, axis=0) == 0, 0.0, values.var(axis=0, ddof=1))


class OneSided(NamedTuple):
    """One-sided p of "left is not larger", and of the opposite "left is not smaller". Shapes: scalars, or [B]."""

    p: Floats
    opposite: Floats


class Splits(NamedTuple):
    """Ways to part the seeds of two sides, the observed one first; what a permutation test looks at.

    Where they are a sample for a simulation, the observed one does not count `itself`, which would be a floor, and no
    comparison is permuted whose p by t is above `worth` both ways, for the larger p counts.

    Shapes: mask [K, n_l + n_r], 1 for left and 0 for right.
    """

    mask: Floats
    itself: bool = True
    worth: float = 1.0
    is_every: bool = False


def ordering(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """The larger p of Welch and of the studentised permutation test; the latter alone where both sides are constant.

    Claims and their readings compare the same two sides again and again: what has been found of one is kept.

    Shapes: left [n_l] or [n_l, B], right likewise.
    """
    if np.ndim(left) != 1:
        return where_worth(welch(left, right), ways, permutation, left, right)
    sides = (left.tobytes(), right.tobytes(), id(ways.mask), ways.itself)
    if sides not in _KEPT:
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        found = where_worth(welch(left, right), ways, permutation, left, right)
        _KEPT[sides] = ways.mask, found  # while the mask is kept, nothing else has its id
    return _KEPT[sides][1]


_KEPT: dict[tuple[bytes, bytes, int, bool], tuple[Floats, OneSided]] = {}


def where_worth(
    by_t: OneSided, ways: Splits, exact: Callable[[Floats, Floats, Splits], OneSided], left: Floats, right: Floats
) -> OneSided:
    """The larger one of the t test's p and of an exact one's, which is asked where it is worth it."""
    if np.ndim(left) == 1 or ways.worth >= 1:
        return larger_p(by_t, exact(left, right, ways))
    found = OneSided(np.zeros_like(by_t.p), np.zeros_like(by_t.p))
    worth = np.flatnonzero(~(np.minimum(by_t.p, by_t.opposite) > ways.worth))
    for part in np.array_split(worth, max(1, len(worth) // MOST_TOGETHER)):
        found.p[part], found.opposite[part] = exact(left[:, part], right[:, part], ways)
    return larger_p(by_t, found)


def welch(left: Floats, right: Floats) -> OneSided:
    """Welch's t test; NaN where both sides are constant."""
    p = difference(left, right).p
    return OneSided(p, 1 - p)


def permutation(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """Share of the splits of all seeds into n_l and n_r whose Welch t is at least (at most) the observed one."""
    if ways.is_every and np.ndim(left) == 1 and len(left) == len(right) >= LARGE:
        return OneSided(*_shares_of_halves(np.concatenate([left, right])))
    return OneSided(*shares(studentised(np.concatenate([left, right]), ways.mask), itself=ways.itself))


def paired_ordering(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """Seeds of one run or lineage on both sides. From ten seeds on the larger p of the paired t test and of the exact
    sign flips; below, where 2⁻ⁿ passes no family of claims, the larger of the paired t's and of the unpaired p.

    The paired t test alone errs: where a fifth of the seeds collapses on one side only, equal means and ρ = .9, six
    seeds give p ≤ .0015 in a fifth of all cases. With the unpaired p it is safe whatever the sign of ρ.
    """
    p = paired_difference(left - right).p
    by_t = OneSided(p, 1 - p)
    if len(left) < FEWEST_FLIPPED:
        return larger_p(by_t, ordering(left, right, ways))
    return where_worth(by_t, ways, lambda left, right, _: sign_flips(left - right), left, right)


def apart(side: Floats) -> Floats:
    """|x − median|. Shapes: [..., n, B] or [n], over the seeds."""
    axis = -2 if np.ndim(side) > 1 else 0
    found: Floats = np.abs(side - np.median(side, axis=axis, keepdims=True))
    return found


def scattering(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """The larger p of `ordering` of the seeds' distances from their medians, and of the same by splits of the seeds.

    Distances from one median are not independent. Where a fifth of all seeds collapses, six seeds of which three do
    all lie far from their median, by chance: the distances alone give p ≤ .0033 in .02 of cases. Where the
    sides lie far from each other, nothing is told from a split of their seeds.
    """
    by_distance = ordering(apart(left), apart(right), ways)
    return where_worth(by_distance, ways, _scatter_of_splits, left, right)


def _scatter_of_splits(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """Share of the splits whose halves' mean distances from their own medians differ as much."""
    pooled = np.concatenate([left, right]).reshape(ways.mask.shape[1], -1)  # [n, B]
    order = np.argsort(-ways.mask, axis=1, kind="stable")
    halves = np.split(order, [len(left)], axis=1)
    mean_left, mean_right = (apart(pooled[half]).mean(axis=1) for half in halves)  # [K, B]
    found = OneSided(*shares(mean_left - mean_right, itself=ways.itself))
    return found if np.ndim(left) > 1 else OneSided(found.p[0], found.opposite[0])


def larger_p(one: OneSided, other: OneSided) -> OneSided:
    """The larger p, each way; where one of them is NaN, the other."""
    return OneSided(np.fmax(one.p, other.p), np.fmax(one.opposite, other.opposite))


def paired_difference(differences: Floats) -> Welch:
    """Mean of the differences, s/√n, n − 1. Shapes: [n] or [n, B]."""
    n = len(differences)
    freedom = np.full(np.shape(differences)[1:], n - 1.0)
    return Welch(differences.mean(axis=0), np.sqrt(variance(differences) / n), freedom)


def sign_flips(differences: Floats) -> OneSided:
    """Share of the 2ⁿ ways to give the differences signs whose sum is at least (at most) the observed one.

    Above 17 seeds 19 999 ways are drawn. Shapes: [n] or [n, B].
    """
    return OneSided(*shares(signs(len(differences)) @ differences))


@lru_cache(maxsize=8)
def signs(n: int) -> Floats:
    """Every way to choose n signs, or 19 999 drawn ones; the first row is the observed one, all +1. Shapes: [K, n]."""
    if 2**n <= MOST_SPLITS:
        return np.asarray(1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1), dtype=np.float64)
    drawn = generator(f"{n} signs").choice([-1.0, 1.0], (N_DRAWS, n))
    return np.vstack([np.ones((1, n)), drawn])


def log_rank(left: Floats, right: Floats, ways: Splits) -> OneSided:
    """Permutation test that events come earlier on the left; +inf is censored, at a time that both sides share.

    With Λ the Nelson–Aalen estimate over both sides, Σ_left (observed − expected) = Σ_left (event_i − Λ(t_i)): the
    log-rank statistic is a sum of fixed scores, so a split only chooses which of them to add. Its normal approximation
    errs in 8–9 % of cases at 5 % with five seeds a side; the permutation does not.

    Shapes: as for `ordering`.
    """
    scores = log_rank_scores(np.concatenate([left, right]))
    return OneSided(*shares(ways.mask @ scores, itself=ways.itself))


def log_rank_scores(times: Floats) -> Floats:
    """event_i − Λ(t_i), with Λ(t) = Σ_{events j, t_j ≤ t} 1/(at risk at t_j). Shapes: [n] or [n, B], as given."""
    event = np.isfinite(times)
    at_risk = (times[:, None] >= times[None]).sum(axis=0)
    before = event[:, None] & (times[:, None] <= times[None])  # j had its event by t_i: [j, i]
    scores: Floats = event - (before / at_risk[:, None]).sum(axis=0)
    return scores


def ratio_interval(left: Floats, right: Floats, level: float, *, paired: bool) -> tuple[Floats, Floats]:
    """Fieller's interval of mean(left) / mean(right): all θ with |l − θr| ≤ t · se(l − θr); freedom min(n) − 1.

    Where mean(right) is not told from 0 the ratio has no bound: (−∞, ∞). Shapes: [n] or [n, B].
    """
    n_l, n_r = len(left), len(right)
    if min(n_l, n_r) < 2:
        return np.full(np.shape(left)[1:], -math.inf), np.full(np.shape(left)[1:], math.inf)
    t = stdtrit(min(n_l, n_r) - 1.0, (1 + level) / 2)
    over, under = left.mean(axis=0), right.mean(axis=0)
    parts = variance(left) / n_l, variance(right) / n_r
    shared = ((left - over) * (right - under)).sum(axis=0) / (n_l - 1) / n_l if paired else np.zeros_like(parts[0])
    a, b, c = under**2 - t**2 * parts[1], over * under - t**2 * shared, over**2 - t**2 * parts[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.sqrt(np.maximum(b**2 - a * c, 0.0))
        low, high = (b - half) / a, (b + half) / a
    known = (a > 0) & (under > 0)
    return np.where(known, low, -math.inf), np.where(known, high, math.inf)


def rate_interval(count: int, n: int, level: float = 0.95) -> Interval:
    """Clopper's and Pearson's exact interval of a rate of which `count` of `n` were seen."""
    low, high = share_interval(np.asarray(float(count)), n, level)
    return float(low), float(high)


def share_interval(count: Floats, n: int, level: float) -> tuple[Floats, Floats]:
    """The same of many counts. Shapes: [] or [B]."""
    tail = (1 - level) / 2
    low = np.where(count == 0, 0.0, betaincinv(np.maximum(count, 1), n - count + 1, tail))
    high = np.where(count == n, 1.0, betaincinv(count + 1, np.maximum(n - count, 1), 1 - tail))
    return low, high


# ---- 0 or 1 of every seed, in pairs ----------------------------------------------------------------------------------


def sign_test(more: NDArray[np.intp], less: NDArray[np.intp]) -> Floats:
    """P(Bin(m + l, ½) ≥ m): of the pairs that differ, as many or more would go this way if none were likelier."""
    found: Floats = np.where(more > 0, bdtrc(more - 1.0, more + less, 0.5), 1.0)
    return found


def at_most_by_chance(lead: NDArray[np.intp], n: int, delta: float) -> Floats:
    """The largest chance that of n pairs the left side leads in `lead` or fewer, if its share is δ larger or more.

    The chances of a pair are π of the left alone and π − δ of the right alone; a larger difference only leads to more,
    so that δ is the worst case, and π is sought on a grid. Shapes: as the lead's.
    """
    found: Floats = _led_by(n, delta)[np.asarray(lead, int) + n]
    return found


def largest_lead(lead: NDArray[np.intp], n: int) -> Floats:
    """The upper end of the exact one-sided 95 % interval of the difference of the shares, by the same test."""
    known = {int(value): _largest(n, int(value)) for value in np.unique(lead)}
    found: Floats = np.vectorize(known.__getitem__, otypes=[float])(lead)
    return found


@lru_cache(maxsize=256)
def _largest(n: int, lead: int) -> float:
    """sup {δ : P(led by at most this | δ) > .05}, by halving."""
    low, high = -1.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if _led_by(n, middle)[lead + n] > ALPHA else (low, middle)
    return high if lead < n else 1.0


@lru_cache(maxsize=4096)
def _led_by(n: int, delta: float) -> Floats:
    """max over π of P(lead ≤ k), k from −n to n. Shapes: [2n + 1]."""
    of_left = np.linspace(max(delta, 0.0), (1 + delta) / 2, N_CHANCES)[:, None]
    of_right = of_left - delta
    leads = np.zeros((N_CHANCES, 2 * n + 1))
    leads[:, n] = 1.0
    for _ in range(n):
        up, down = (np.roll(leads, shift, axis=1) for shift in (1, -1))
        leads = of_left * up + of_right * down + (1 - of_left - of_right) * leads
    found: Floats = np.minimum(leads.cumsum(axis=1), 1.0).max(axis=0)
    return found


def splits(n_left: int, n_right: int, text: str = "") -> Splits:
    """Every way, or 19 999 ways drawn for `text` where there are too many.

    The first one is the observed one, so that a share over them is the exact p, or p with the +1 correction.
    """
    if n_splits(n_left, n_right) <= MOST_SPLITS:
        return every_split(n_left, n_right)
    n = n_left + n_right
    drawn = generator(text).permuted(np.tile(np.arange(n), (N_DRAWS, 1)), axis=1)[:, :n_left]
    return Splits(_as_mask(np.vstack([np.arange(n_left), drawn]), n))


@lru_cache(maxsize=8)
def every_split(n_left: int, n_right: int) -> Splits:
    """All ways, the observed one first."""
    n = n_left + n_right
    flat = np.fromiter(chain.from_iterable(combinations(range(n), n_left)), dtype=np.intp)
    return Splits(_as_mask(flat.reshape(-1, n_left), n), is_every=True)


def _as_mask(chosen: NDArray[np.intp], n: int) -> Floats:
    mask = np.zeros((len(chosen), n))
    np.put_along_axis(mask, chosen, 1.0, axis=1)
    return mask


def n_splits(n_left: int, n_right: int) -> int:
    """(n_l + n_r) over n_l."""
    return math.comb(n_left + n_right, n_left)


def studentised(pooled: Floats, mask: Floats) -> Floats:
    """Welch's t of every split. Shapes: pooled [n] or [n, B], mask [K, n] → [K] or [K, B].

    Of sides of equal size sums / √total comes back: error² ∝ total − c · sums² there, so that t rises with it.
    """
    n_left = int(mask[0].sum())
    n_right = mask.shape[1] - n_left
    centred = pooled - pooled.mean(axis=0)
    total = (centred**2).sum(axis=0)
    if n_left == n_right:
        return np.asarray(mask @ (centred / np.sqrt(np.where(total > 0, total, 1.0))))
    sums, squares = mask @ centred, mask @ centred**2
    error = (squares - sums**2 / n_left) / (n_left * (n_left - 1))
    error += (total - squares - sums**2 / n_right) / (n_right * (n_right - 1))
    # The floor lies above rounding: a split into two constant sides is ranked by its difference, not divided by 0.
    floor = np.where(total > 0, 1e-12 * total, 1.0)
    t: Floats = sums * (1 / n_left + 1 / n_right) / np.sqrt(np.maximum(error, floor))
    return t


def _shares_of_halves(pooled: Floats) -> tuple[Floats, Floats]:
    """What `shares` of `studentised` are over every split into sides of equal size, without going through them all.

    There t rises with the sum of the left side, which has k of the first n seeds and n − k of the others. Of each
    k, sums of others that are large enough are counted in sorted order. Shapes: [2n].
    """
    n = len(pooled) // 2
    centred = pooled - pooled.mean()
    seen = centred[:n].sum()
    slack = ROUNDING * (math.sqrt((centred**2).sum()) + abs(seen))
    larger = smaller = 0
    for k in range(n + 1):
        some = centred[:n][_subsets(n, k)].sum(axis=1)
        others = np.sort(centred[n:][_subsets(n, n - k)].sum(axis=1))
        larger += len(some) * len(others) - int(np.searchsorted(others, seen - slack - some, "left").sum())
        smaller += int(np.searchsorted(others, seen + slack - some, "right").sum())
    n_ways = math.comb(2 * n, n)
    return np.asarray(larger / n_ways), np.asarray(smaller / n_ways)


@lru_cache(maxsize=128)
def _subsets(n: int, k: int) -> NDArray[np.intp]:
    """Every choice of k out of n. Shapes: [n over k, k]."""
    return np.array([*combinations(range(n), k)], dtype=np.intp).reshape(math.comb(n, k), k)


def shares(statistics: Floats, *, itself: bool = True) -> tuple[Floats, Floats]:
    """Share of the rows at least (at most) as large as the first, which counts `itself` or not.

    Shapes: [K] or [K, B] → scalars or [B].
    """
    slack = ROUNDING * (1 + np.abs(statistics[0]))
    others = statistics if itself else statistics[1:]
    larger, smaller = (others >= statistics[0] - slack), (others <= statistics[0] + slack)
    return np.count_nonzero(larger, axis=0) / len(others), np.count_nonzero(smaller, axis=0) / len(others)


def holm(p: Floats) -> Floats:
    """Holm's corrected p: max over the i-th smallest and all smaller ones of (m − i + 1) · p_(i), at most 1.

    Shapes: over axis 0.
    """
    factors = np.arange(len(p), 0, -1.0).reshape(-1, *(1,) * (np.ndim(p) - 1))
    return _unsorted(p, lambda ordered: np.minimum(np.maximum.accumulate(factors * ordered, axis=0), 1.0))


def benjamini_hochberg(p: Floats) -> Floats:
    """Corrected p: min over the i-th smallest and all larger ones of m/i · p_(i).

    Of those that are at most α, a share of at most α is in error.

    Shapes: over axis 0.
    """
    factors = (len(p) / np.arange(1.0, len(p) + 1)).reshape(-1, *(1,) * (np.ndim(p) - 1))
    return _unsorted(p, lambda ordered: np.minimum.accumulate((factors * ordered)[::-1], axis=0)[::-1])


def _unsorted(p: Floats, corrected: Callable[[Floats], Floats]) -> Floats:
    order = np.argsort(p, axis=0, kind="stable")
    found = np.empty_like(p, dtype=np.float64)
    np.put_along_axis(found, order, corrected(np.take_along_axis(p, order, axis=0)), axis=0)
    return found


def simes(p: Floats) -> Floats:
    """p of "none of m effects is there": min over i of m/i · p_(i), the smallest of Benjamini's and Hochberg's.

    At most Bonferroni's m · p_(1); where all m are alike it costs nothing. Its level is proven where p are independent
    or vary together (Sarkar). Rows that have a side in common, one on the left and one on the right, vary against each
    other: simulated, claims of two, three and eight such rows err in at most .048 of cases at .05.

    Shapes: over axis 0, at least one.
    """
    found: Floats = benjamini_hochberg(p).min(axis=0)
    return found


def partial_conjunction(p: Floats, n_true: int) -> Floats:
    """p of "fewer than u of m effects are there": (m − u + 1) · p_(u), at most 1, with u = `n_true`.

    With m − u + 1 rows or more without an effect, one of them is among the u smallest p: Bonferroni over them. With
    u = m it is the largest p. Shapes: over axis 0.
    """
    found: Floats = np.minimum(1.0, (len(p) - n_true + 1) * np.sort(p, axis=0)[n_true - 1])
    return found


def smallest_p(n_left: int, n_right: int) -> float:
    """What no permutation test of so many seeds can go below: .05 for 3 a side, .0143 for 4, .0040 for 5."""
    ways = n_splits(n_left, n_right)
    return 1 / ways if ways <= MOST_SPLITS else 1 / (N_DRAWS + 1)


def largest_family(n_seeds: int, alpha: float = ALPHA) -> int:
    """Of how many claims one alone could still pass: α / smallest p."""
    return int(alpha / smallest_p(n_seeds, n_seeds) + ROUNDING)


def family_warning(n_claims: int, n_seeds: int, alpha: float = ALPHA) -> str:
    """What to say before training where a family is too large to decide a claim alone; empty where it is not."""
    most = largest_family(n_seeds, alpha)
    if n_claims <= most:
        return ""
    return (
        f"{n_claims} claims are corrected for together, but with {n_seeds} seeds a side a permutation test reaches "
        f"p = {smallest_p(n_seeds, n_seeds):.2g} at best, at which one claim alone passes among at most {most}: use at "
        f"least {seeds_for_family(n_claims, alpha)} seeds."
    )


def seeds_for_family(n_claims: int, alpha: float = ALPHA) -> int:
    """The fewest seeds a side with which one of `n_claims` can pass by itself."""
    return next(n for n in range(2, MOST_SEEDS) if smallest_p(n, n) <= alpha / n_claims or n_splits(n, n) > MOST_SPLITS)


def seeds_for_power(effect: float, alpha: float = ALPHA, power: float = 0.8) -> int:
    """The fewest seeds a side with which a one-sided t test finds a difference of `effect` standard deviations.

    1 − F(t_{1−α}; ν = 2n−2, λ = effect·√(n/2)) ≥ power, F the noncentral t. Returns `MOST_SEEDS` where that or more.
    """
    if effect <= 0:
        return MOST_SEEDS

    def reached(n: int) -> bool:
        shift = min(effect * math.sqrt(n / 2), 30.0)  # far beyond any critical value, and where the series converges
        return bool(1 - nctdtr(2 * n - 2, shift, stdtrit(2 * n - 2, 1 - alpha)) >= power)

    return bisect_left(range(MOST_SEEDS), True, lo=2, key=reached)


def pooled_deviation(left: Floats, right: Floats) -> float:
    """√((s²_l + s²_r)/2)."""
    return float(np.sqrt((variance(left) + variance(right)) / 2))


def standardised_difference(left: Floats, right: Floats) -> float:
    """(mean_l − mean_r) / pooled standard deviation; ±inf where constant sides differ, 0 where they agree."""
    return in_deviations(float(left.mean() - right.mean()), pooled_deviation(left, right))


def in_deviations(raw: float, spread: float) -> float:
    """raw / spread; ±inf where there is no spread, 0 where there is no difference either."""
    if spread == 0:
        return math.copysign(math.inf, raw) if raw else 0.0
    return raw / spread


def probability_of_improvement(left: Floats, right: Floats) -> float:
    """P(left > right) + ½ P(left = right) over all pairs of seeds, known as A12."""
    return float((left[:, None] > right).mean() + 0.5 * (left[:, None] == right).mean())


def iqm(scores: Floats) -> Floats:
    """Interquartile mean: the mean without the ⌊n/4⌋ smallest and largest. Shapes: over axis 0."""
    cut = len(scores) // 4
    middle: Floats = np.sort(scores, axis=0)[cut : len(scores) - cut].mean(axis=0)
    return middle


def iqm_interval(scores: Floats, text: str, level: float = 0.95, n_resamples: int = 2000) -> Interval:
    """Percentile interval of the IQM over all seeds and tasks; seeds are redrawn within each task.

    Shapes: scores [n, M] for M tasks, on one scale.
    """
    drawn = generator(text).integers(len(scores), size=(n_resamples, *scores.shape))
    resampled = np.take_along_axis(scores[None], drawn, axis=1).reshape(n_resamples, -1)
    low, high = np.quantile(iqm(resampled.T), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
