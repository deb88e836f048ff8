"""What one comparison of a claim comes to by itself: estimate, interval, p, before any correction.

Seeds. A diverged seed (NaN) is never dropped: it counts as the worst value seen in its comparison, and as "never
reached" in `Shorter`. The worst over *both* sides, because that value does not depend on which seed is whose: the
permutation test stays exact. Larger is better in every score; a cost is claimed with its sides exchanged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import (
    AboutEquals,
    Claim,
    Floats,
    Outcome,
    Outperforms,
    Printed,
    Row,
    RowVerdict,
    Rule,
    Score,
    Shorter,
    scores_of,
)
from benchmarks import _statistics as statistics
from benchmarks._statistics import ALPHA, OneSided

LEVEL = 1 - 2 * ALPHA  # an interval whose either end is a one-sided test at α
SMALLEST_SHARE = 0.1  # of the range from a random policy to the better side
SMALLEST_RATIO = 1.1
MOST_CENSORED = 0.2  # above this share a ratio of times is only bounded


@dataclass(frozen=True)
class SeedScores:
    """One score of every seed, in the order of the seeds.

    `values` [n] is NaN where the run diverged and +inf where an event did not come. `missing` seeds have not been run.
    `identical` says that two seeds have the same curves, which independent seeds never have. `limit` is the budget in
    the unit of the score; only times to an event need it.
    """

    values: Floats
    missing: int = 0
    identical: bool = False
    limit: float = math.inf


Lookup = Callable[[Score], SeedScores]


@dataclass(frozen=True)
class Evidence:
    """A comparison before any correction.

    Estimate, interval, G and δ stand on the scale of the rule: a difference, or a ratio of times.
    """

    rule: Rule
    shown: RowVerdict
    opposite: float = math.nan  # one-sided p of the opposite ordering
    gap: float = math.nan  # G or ρ; NaN where the paper prints none
    interest: float = math.nan  # δ or r
    spread: float = math.nan  # standard deviation of a seed, of log T for times
    bounded: bool = False  # too many seeds never reached the threshold
    predicted: bool = False  # the printed number is a plausible further run of ours
    settled: Outcome | None = None  # decided before any comparison


def makes_test(rule: Rule) -> bool:
    """Whether a rule makes a test that takes part in Holm's correction."""
    return isinstance(rule, Outperforms | Shorter)


def weigh(row: Row, claim: Claim, lookup: Lookup) -> Evidence:
    """All that can be said of a row by itself; nothing is estimated while seeds are missing or not independent."""
    scores = scores_of(row)
    found = [lookup(score) for score in scores]
    doubled = [score.label for score, seeds in zip(scores, found, strict=True) if seeds.identical]
    if doubled:
        return unweighed(row, found, "INVALID", f"two seeds have identical curves: {', '.join(doubled)}")
    missing = [
        f"{_seeds(seeds.missing)} of {score.label} missing"
        for score, seeds in zip(scores, found, strict=True)
        if seeds.missing
    ]
    if missing:
        return unweighed(row, found, "INCOMPLETE", "; ".join(missing))
    text = f"{claim.id} {row.label}"
    if row.right is None and not isinstance(row.rule, Printed):
        raise ValueError(f"{text}: {type(row.rule).__name__} compares two scores, found no right side")
    if isinstance(row.rule, Shorter):
        return weigh_times(row, row.rule, found, text)
    if any(np.isinf(seeds.values).any() for seeds in found):
        raise ValueError(f"{text}: a score that can be +inf (never reached) is compared by Shorter only")
    compared = found[: 1 if row.right is None else 2]
    if any(np.isnan(seeds.values).any() for seeds in found[2:]):
        raise ValueError(f"{text}: the reference has diverged seeds, but a policy that does not learn cannot diverge")
    if all(np.isnan(seeds.values).all() for seeds in compared):
        return unweighed(row, found, "NOT REPRODUCED", "every seed diverged")
    worst = min(float(np.nanmin(seeds.values)) for seeds in compared if not np.isnan(seeds.values).all())
    sides = [np.where(np.isnan(seeds.values), worst, seeds.values) for seeds in compared]
    notes = _diverged(row, compared, "the worst value seen")
    if isinstance(row.rule, Printed):
        return weigh_printed(
            row, row.rule, sides[0], n_other=int((found[0].values != row.rule.value).sum()), notes=notes
        )
    return weigh_difference(row, row.rule, sides[0], sides[1], reference=found[2:], text=text, notes=notes)


def weigh_difference(
    row: Row,
    rule: Outperforms | AboutEquals,
    left: Floats,
    right: Floats,
    *,
    reference: Sequence[SeedScores],
    text: str,
    notes: list[str],
) -> Evidence:
    """Difference of two means, with δ from the printed gap or from the reference."""
    gap = rule.gap if isinstance(rule, Outperforms) else None
    better = max(float(left.mean()), float(right.mean()))
    if gap is not None:
        interest = gap / 3
    elif reference:
        interest = SMALLEST_SHARE * abs(better - float(reference[0].values.mean()))
    else:
        interest = 0.0
        notes = [*notes, "no gap is printed and no reference is given: any difference above 0 is of interest"]
    if isinstance(rule, AboutEquals):
        test = OneSided(math.nan, math.nan)
    elif min(len(left), len(right)) < 2:
        test = OneSided(1.0, 1.0)
    else:
        test = statistics.ordering(left, right, text)
        if np.ptp(left) == np.ptp(right) == 0:
            notes = [*notes, "constant arms: permutation test only"]
    shown = _row_verdict(row, left, right, interval=_interval(left, right), p=test.p, notes=notes)
    return Evidence(rule, shown, test.opposite, math.nan if gap is None else gap, interest, spread=_spread(left, right))


def weigh_printed(row: Row, rule: Printed, left: Floats, *, n_other: int, notes: list[str]) -> Evidence:
    """Our mean minus the printed number, and whether the printed number is a plausible further run.

    `n_other` seeds have another number, diverged ones included. A tolerance of 0 stands for what holds by construction,
    such as a counter: nothing is estimated, every seed has the number or the claim fails.
    """
    n = len(left)
    mean = float(left.mean())
    low, high = (float(end) for end in statistics.mean_interval(left, LEVEL)) if n > 1 else (-math.inf, math.inf)
    first, last = statistics.prediction_interval(left, rule.n_runs) if n > 1 else (-math.inf, math.inf)
    spread = float(np.sqrt(statistics.variance(left))) if n > 1 else math.nan
    settled: Outcome | None = None
    if rule.tolerance == 0:
        settled = "NOT REPRODUCED" if n_other else "REPRODUCED"
        notes = [*notes, f"{n_other} of {_seeds(n)} differ"] if n_other else notes
    elif n == 1:
        # With one seed nothing is known of the spread: not even an implausible number can be called so.
        settled = "INCONCLUSIVE"
    else:
        notes = [*notes, f"95 % of further runs lie in {first:.3g} … {last:.3g}".replace("-", "−")]
    shown = RowVerdict(
        label=row.label,
        outcome="INCONCLUSIVE",
        estimate=mean - rule.value,
        low=low - rule.value,
        high=high - rule.value,
        p=math.nan,
        p_holm=math.nan,
        n_left=n,
        n_right=0,
        standardised=(mean - rule.value) / spread if spread > 0 else math.nan,
        improvement=math.nan,
        left_mean=mean,
        right_mean=rule.value,
        unit=row.left.statistic.unit,
        note="; ".join(notes),
    )
    return Evidence(rule, shown, predicted=first <= rule.value <= last, settled=settled)


def weigh_times(row: Row, rule: Shorter, found: Sequence[SeedScores], text: str) -> Evidence:
    """Ratio of the geometric means, T_right / T_left, and a log-rank test.

    A censored seed enters the ratio at its limit, which makes it too short a time: a few are let pass, above a fifth of
    a side that end of the interval is given up.

    Raises: ValueError where seeds are censored and the two sides do not share a limit.
    """
    limit = found[0].limit
    times = [np.where(np.isnan(seeds.values), math.inf, seeds.values) for seeds in found]
    censored = [int(np.isinf(side).sum()) for side in times]
    if any(censored) and not (np.isfinite(limit) and limit == found[1].limit):
        raise ValueError(f"{text}: censored times need one finite limit on both sides, got {limit}, {found[1].limit}")
    left, right = (np.log(np.minimum(side, limit)) for side in times)
    bounds = [count > MOST_CENSORED * len(side) for count, side in zip(censored, times, strict=True)]
    notes = _diverged(row, found, "never having reached it") + [
        f"{count} of {_seeds(len(side))} of {score.label} did not reach it within the budget"
        for count, side, score in zip(censored, times, scores_of(row), strict=True)
        if count
    ]
    if any(bounds):
        notes.append("the ratio is only bounded")
    test = statistics.log_rank(times[0], times[1], text)
    shown = _row_verdict(row, -left, -right, interval=_interval(right, left), p=test.p, notes=notes)
    shown = replace(
        shown,
        estimate=math.exp(shown.estimate),
        low=0.0 if bounds[0] else math.exp(shown.low),
        high=math.inf if bounds[1] else math.exp(shown.high),
        left_mean=math.exp(left.mean()),
        right_mean=math.exp(right.mean()),
    )
    return Evidence(
        rule,
        shown,
        test.opposite,
        gap=math.nan if rule.ratio is None else rule.ratio,
        interest=SMALLEST_RATIO if rule.ratio is None else 1 + (rule.ratio - 1) / 3,
        spread=_spread(left, right),
        bounded=any(bounds),
    )


def unweighed(row: Row, found: Sequence[SeedScores], outcome: Outcome, note: str) -> Evidence:
    """A row that is settled without an estimate; it keeps its place in Holm's correction with p = 1."""
    p = 1.0 if makes_test(row.rule) else math.nan
    n_right = len(found[1].values) if row.right is not None else 0
    unknown = (math.nan,) * 4
    shown = RowVerdict(
        row.label, outcome, *unknown[:3], p, p, len(found[0].values), n_right, *unknown, row.left.statistic.unit, note
    )
    return Evidence(row.rule, shown, p, settled=outcome)


def _interval(left: Floats, right: Floats) -> statistics.Interval:
    """90 % interval of the difference; without ends where a side has one seed."""
    if min(len(left), len(right)) < 2:
        return -math.inf, math.inf
    low, high = statistics.difference(left, right).interval(LEVEL)
    return float(low), float(high)


def _spread(left: Floats, right: Floats) -> float:
    return statistics.pooled_deviation(left, right) if min(len(left), len(right)) > 1 else math.nan


def _row_verdict(
    row: Row, left: Floats, right: Floats, *, interval: statistics.Interval, p: float, notes: list[str]
) -> RowVerdict:
    several = min(len(left), len(right)) > 1
    return RowVerdict(
        label=row.label,
        outcome="INCONCLUSIVE",
        estimate=float(left.mean() - right.mean()),
        low=interval[0],
        high=interval[1],
        p=p,
        p_holm=math.nan,
        n_left=len(left),
        n_right=len(right),
        standardised=statistics.standardised_difference(left, right) if several else math.nan,
        improvement=statistics.probability_of_improvement(left, right),
        left_mean=float(left.mean()),
        right_mean=float(right.mean()),
        unit=row.left.statistic.unit,
        note="; ".join(notes if several else [*notes, "one seed a side shows nothing"]),
    )


def _diverged(row: Row, found: Sequence[SeedScores], counts_as: str) -> list[str]:
    notes = []
    for score, seeds in zip(scores_of(row), found, strict=False):
        count = int(np.isnan(seeds.values).sum())
        if count:
            verb = "counts" if count == 1 else "count"
            notes.append(f"{count} of {_seeds(len(seeds.values))} of {score.label} diverged and {verb} as {counts_as}")
    return notes


def _seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"
