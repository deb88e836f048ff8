"""Estimates, intervals and tests on one number a seed. Axis 0 is the seed everywhere.

Few seeds rule most usual tools out. At n = 5 a percentile bootstrap's 95 % interval of a mean covers .83 on normal
scores, and a test by it errs in .08–.15 of cases at a nominal .05; Student's t covers .95 and Welch's test errs in .05.
So: t intervals, Welch beside an exact permutation test (the larger p counts), and the bootstrap for the IQM alone.

    p = ordering(left, right, "ctedd/fig4 CN-V1").p
    low, high = difference(left, right).interval(0.90)

Source: Welch, Biometrika 1947; Janssen, Statistics & Probability Letters 1997 (studentised permutation); Holm,
Scandinavian Journal of Statistics 1979; Benjamini and Heller, Biometrics 2008 (partial conjunctions); Agarwal et al.,
NeurIPS 2021 (IQM, probability of improvement).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from scipy.special import nctdtr, stdtr, stdtrit

from benchmarks import Floats

ALPHA = 0.05
MOST_SPLITS = 200_000  # 10 against 10 seeds are 184 756 splits; above this the splits are drawn
N_DRAWS = 19_999
MOST_SEEDS = 1000  # beyond which "more seeds" is no advice
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
    """One-sided p of "left is not larger", and of the opposite "left is not smaller"."""

    p: float
    opposite: float


def ordering(left: Floats, right: Floats, text: str) -> OneSided:
    """The larger p of Welch and of the studentised permutation test; the latter alone where both sides are constant."""
    welch = difference(left, right).p
    permuted = permutation(left, right, text)
    if np.isnan(welch):
        return permuted
    return OneSided(max(float(welch), permuted.p), max(float(1 - welch), permuted.opposite))


def permutation(left: Floats, right: Floats, text: str) -> OneSided:
    """Share of the splits of all seeds into n_l and n_r whose Welch t is at least (at most) the observed one."""
    p, opposite = shares(studentised(np.concatenate([left, right]), splits(len(left), len(right), text)))
    return OneSided(float(p), float(opposite))


def log_rank(left: Floats, right: Floats, text: str) -> OneSided:
    """Permutation test that events come earlier on the left; +inf is censored, at a time that both sides share.

    With Λ the Nelson–Aalen estimate over both sides, Σ_left (observed − expected) = Σ_left (event_i − Λ(t_i)): the
    log-rank statistic is a sum of fixed scores, so a split only chooses which of them to add. Its normal approximation
    errs in 8–9 % of cases at 5 % with five seeds a side; the permutation does not.
    """
    scores = log_rank_scores(np.concatenate([left, right]))
    p, opposite = shares(splits(len(left), len(right), text) @ scores)
    return OneSided(float(p), float(opposite))


def log_rank_scores(times: Floats) -> Floats:
    """event_i − Λ(t_i), with Λ(t) = Σ_{event times u ≤ t} (events at u)/(at risk at u). Shapes: [n] → [n]."""
    events = np.unique(times[np.isfinite(times)])
    hazard = np.array([(times == event).sum() / (times >= event).sum() for event in events])
    scores: Floats = np.isfinite(times) - (times[:, None] >= events) @ hazard
    return scores


@lru_cache(maxsize=8)
def splits(n_left: int, n_right: int, text: str = "") -> Floats:
    """Which seeds go left (1) or right (0): every way, or 19 999 drawn ways where there are too many.

    The first row is the observed split, so that a share over the rows is the exact p, or p with the +1 correction.

    Shapes: [K, n_left + n_right].
    """
    n = n_left + n_right
    if n_splits(n_left, n_right) <= MOST_SPLITS:
        flat = np.fromiter(chain.from_iterable(combinations(range(n), n_left)), dtype=np.intp)
        chosen = flat.reshape(-1, n_left)
    else:
        drawn = generator(text).permuted(np.tile(np.arange(n), (N_DRAWS, 1)), axis=1)[:, :n_left]
        chosen = np.vstack([np.arange(n_left), drawn])
    mask = np.zeros((len(chosen), n))
    np.put_along_axis(mask, chosen, 1.0, axis=1)
    return mask


def n_splits(n_left: int, n_right: int) -> int:
    """(n_l + n_r) over n_l."""
    return math.comb(n_left + n_right, n_left)


def studentised(pooled: Floats, mask: Floats) -> Floats:
    """Welch's t of every split. Shapes: pooled [n] or [n, B], mask [K, n] → [K] or [K, B]."""
    n_left = int(mask[0].sum())
    n_right = mask.shape[1] - n_left
    centred = pooled - pooled.mean(axis=0)
    total = (centred**2).sum(axis=0)
    sums, squares = mask @ centred, mask @ centred**2
    error = (squares - sums**2 / n_left) / (n_left * (n_left - 1))
    error += (total - squares - sums**2 / n_right) / (n_right * (n_right - 1))
    # The floor lies above rounding: a split into two constant sides is ranked by its difference, not divided by 0.
    floor = np.where(total > 0, 1e-12 * total, 1.0)
    t: Floats = sums * (1 / n_left + 1 / n_right) / np.sqrt(np.maximum(error, floor))
    return t


def shares(statistics: Floats) -> tuple[Floats, Floats]:
    """Share of the rows at least (at most) as large as the first. Shapes: [K] or [K, B] → scalars or [B]."""
    slack = ROUNDING * (1 + np.abs(statistics[0]))
    return (statistics >= statistics[0] - slack).mean(axis=0), (statistics <= statistics[0] + slack).mean(axis=0)


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's corrected p: max over the i-th smallest and all smaller ones of (m − i + 1) · p_(i), at most 1."""
    corrected, largest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        corrected[index] = largest
    return tuple(corrected)


def partial_conjunction(p: Sequence[float], n_true: int) -> float:
    """p of "fewer than u of m effects are there": (m − u + 1) · p_(u), at most 1, with u = `n_true`.

    With m − u + 1 rows or more without an effect, one of them is among the u smallest p: Bonferroni over them. With
    u = m it is the largest p.
    """
    return min(1.0, (len(p) - n_true + 1) * sorted(p)[n_true - 1])


def smallest_p(n_left: int, n_right: int) -> float:
    """What no permutation test of so many seeds can go below: .05 for 3 a side, .0143 for 4, .0040 for 5."""
    ways = n_splits(n_left, n_right)
    return 1 / ways if ways <= MOST_SPLITS else 1 / (N_DRAWS + 1)


def largest_family(n_seeds: int, alpha: float = ALPHA) -> int:
    """How many claims Holm can correct for so that one alone could still pass: α / smallest p."""
    return int(alpha / smallest_p(n_seeds, n_seeds) + ROUNDING)


def family_warning(n_claims: int, n_seeds: int, alpha: float = ALPHA) -> str:
    """What to say before training where a family is too large to decide anything; empty where it is not."""
    most = largest_family(n_seeds, alpha)
    if n_claims <= most:
        return ""
    return (
        f"{n_claims} claims are corrected for together, but with {n_seeds} seeds a side a permutation test reaches "
        f"p = {smallest_p(n_seeds, n_seeds):.2g} at best, which decides at most {most}: no ordering can be called "
        f"reproduced; use at least {seeds_for_family(n_claims, alpha)} seeds."
    )


def seeds_for_family(n_claims: int, alpha: float = ALPHA) -> int:
    """The fewest seeds a side with which one of `n_claims` can pass Holm."""
    return next(n for n in range(2, MOST_SEEDS) if smallest_p(n, n) <= alpha / n_claims or n_splits(n, n) > MOST_SPLITS)


def seeds_for_power(effect: float, alpha: float = ALPHA, power: float = 0.8) -> int:
    """The fewest seeds a side with which a one-sided t test finds a difference of `effect` standard deviations.

    1 − F(t_{1−α}; ν = 2n−2, λ = effect·√(n/2)) ≥ power, F the noncentral t. Returns `MOST_SEEDS` where that or more.
    """
    n = np.arange(2, MOST_SEEDS)
    if effect <= 0:
        return MOST_SEEDS
    shift = np.minimum(effect * np.sqrt(n / 2), 30.0)  # far beyond any critical value, and where the series converges
    reached = 1 - nctdtr(2 * n - 2, shift, stdtrit(2 * n - 2, 1 - alpha)) >= power
    return int(n[reached.argmax()]) if reached.any() else MOST_SEEDS


def pooled_deviation(left: Floats, right: Floats) -> float:
    """√((s²_l + s²_r)/2)."""
    return float(np.sqrt((variance(left) + variance(right)) / 2))


def standardised_difference(left: Floats, right: Floats) -> float:
    """(mean_l − mean_r) / pooled standard deviation; ±inf where constant sides differ, 0 where they agree."""
    raw, spread = float(left.mean() - right.mean()), pooled_deviation(left, right)
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
