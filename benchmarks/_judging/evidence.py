"""What one comparison of a claim comes to by itself: estimate, interval, p, before any correction.

Seeds. A diverged seed (NaN) is never dropped, and how many diverge is told with an interval of its own. In an ordering
it counts as the worst value seen, by the metric's direction: the worst over *both* sides, because that value does not
depend on which seed is whose, so that the permutation test stays exact. In `Shorter` it has never arrived. It never
supports an equality or a printed number, and nothing at all where neither way is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from benchmarks import (
    ONE_SIDED,
    AboutEquals,
    Arm,
    Claim,
    Exceeds,
    Floats,
    Gap,
    Learnt,
    Margin,
    Multiple,
    NoWorse,
    Oftener,
    Outcome,
    Printed,
    PrintedTime,
    Row,
    RowVerdict,
    Scatters,
    Score,
    Seldom,
    Share,
    Shorter,
    reference_of,
    scores_of,
)
from benchmarks._judging import comparisons, statistics
from benchmarks._judging.comparisons import Found, Ratio, Sides
from benchmarks._judging.statistics import ALPHA
from benchmarks._judging.words import origin


@dataclass(frozen=True)
class SeedScores:
    """One score of every seed.

    `values` [n] is NaN where the run diverged or saw nothing, and +inf where an event did not come. `seeds` [n] are
    whose they are, 0 to n − 1 if not given. `missing` seeds have not been run. `identical` says that two seeds have the
    same curves, which independent seeds never have. `unseen` seeds have nothing to read in this part of their curve,
    `unreached` ones end before it does.
    `limit` is the budget in the unit of the score; only times to an event need it.
    """

    values: Floats
    missing: int = 0
    identical: bool = False
    limit: float = math.inf
    unseen: int = 0
    unreached: int = 0
    seeds: tuple[int, ...] = ()

    @property
    def of(self) -> dict[int, float]:
        """Every seed's value."""
        seeds = self.seeds or range(len(self.values))
        return dict(zip(seeds, self.values.tolist(), strict=True))

    @property
    def n_diverged(self) -> int:
        """Seeds without a number that have something to read."""
        return int(np.isnan(self.values).sum()) - self.unseen - self.unreached

    def only(self, wanted: Container[int]) -> SeedScores:
        """Some of the seeds."""
        kept = {seed: value for seed, value in self.of.items() if seed in wanted}
        return replace(self, values=np.array([*kept.values()], float), seeds=tuple(kept))


Lookup = Callable[[Score], SeedScores]
FEWEST_TAUGHT = 6  # seeds whose teachers had learnt, for a comparison of those alone


def read(score: Score, lookup: Lookup) -> SeedScores:
    """A score as it is compared, from bare ones: less another one of the same seed, of the seeds that count."""
    found = lookup(score.bare)
    if score.less is not None:
        found = _less(found, read(score.less, lookup))
    return found if score.among is None else _counting(found, read(score.among.score, lookup), score.among.above)


def _less(found: SeedScores, off: SeedScores) -> SeedScores:
    """The difference of every seed that both have."""
    left, right = found.of, off.of
    seeds = tuple(sorted(set(left) & set(right)))
    values = np.array([left[seed] - right[seed] for seed in seeds])
    identical = found.identical or off.identical
    return replace(found, values=values, seeds=seeds, identical=identical, limit=math.inf)


def _counting(found: SeedScores, condition: SeedScores, above: float) -> SeedScores:
    """The seeds whose condition is above a level."""
    met = {seed for seed, value in condition.of.items() if value > above}
    return replace(found.only(met), identical=found.identical or condition.identical)


@dataclass(frozen=True)
class Evidence:
    """A comparison before any correction: what is shown of it, and its three p with what it would be called.

    `settled` rows were decided before any comparison and have no say: their p are 1. `spread`, ρ and the censored
    shares say how seeds vary, for simulations: the standard deviation of a seed (of log T for times) and the
    correlation of paired seeds.
    """

    row: Row
    shown: RowVerdict
    support: float = 1.0
    refuted: float = 1.0
    opposite: float = 1.0
    grade: Outcome = "INCONCLUSIVE"
    against: Outcome = "REVERSED"
    settled: Outcome | None = None
    spread: float = math.nan
    correlation: float = math.nan
    censored: tuple[float, float] = (0.0, 0.0)
    missing: tuple[tuple[str, int], ...] = ()  # seeds that have not been run, by cell


@dataclass
class _Account:
    """Notes of a row as it is weighed."""

    text: str
    notes: list[str] = field(default_factory=list)


def weighed(claims: Sequence[Claim], lookup: Lookup) -> dict[str, tuple[Evidence, ...]]:
    """Every row of every claim by itself."""
    return {claim.id: tuple(weigh(row, claim, lookup) for row in claim.rows) for claim in claims}


def named(claim: Claim) -> str:
    """The id of a claim under whichever reading, so that what is drawn at random is drawn alike."""
    return claim.id.partition("@")[0].partition("~")[0]


def weigh(row: Row, claim: Claim, lookup: Lookup) -> Evidence:
    """All that can be said of a row by itself; nothing is estimated while seeds are missing or not independent."""
    scores = scores_of(row)
    found = [lookup(score) for score in scores]
    for outcome, note in (
        ("INVALID", _listed("two seeds have identical curves", scores, [seeds.identical for seeds in found])),
        ("INCOMPLETE", _counted("missing", scores, [seeds.missing for seeds in found])),
        ("NOT ASSESSED", _counted("ended before this stretch", scores, [seeds.unreached for seeds in found])),
        ("INCONCLUSIVE", _counted("without anything to read in this stretch", scores, [s.unseen for s in found])),
        _uncertain(scores, found[: 1 if row.right is None else 2], lookup),
    ):
        if note:
            return unweighed(row, found, outcome, note)  # type: ignore[arg-type]
    sides, learnt, n_wanted = _compared(row, found, lookup)
    diverged = ["every seed diverged"] if all(np.isnan(side.values).all() for side in sides) else []
    note = "; ".join([*diverged, *filter(None, (unlearnt(part, lookup) for part in learnt))])
    if n_wanted or note:
        return _too_few(row, found, n_wanted) if n_wanted else unweighed(row, found, "NOT LEARNT", note)
    account = _Account(f"{named(claim)} {row.label}", _diverged(row, sides))
    if isinstance(row.rule, Shorter | PrintedTime):
        return weigh_times(row, row.rule, sides, account)
    if any(np.isinf(seeds.values).any() for seeds in found):
        raise ValueError(f"{account.text}: a score that can be +inf (never reached) is compared by Shorter only")
    if isinstance(row.rule, Printed | Seldom):
        weigh_one = weigh_printed if isinstance(row.rule, Printed) else weigh_share
        return weigh_one(row, row.rule, sides[0], account)  # type: ignore[arg-type]
    if any(side.n_diverged for side in sides) and row.left.metric.better == "neither":
        return unweighed(row, found, "INCONCLUSIVE", "; ".join([*account.notes, "neither way is better, so no more"]))
    return weigh_difference(row, sides, lookup, account)


def weigh_difference(row: Row, sides: Sequence[SeedScores], lookup: Lookup, account: _Account) -> Evidence:
    """Difference or ratio of two means."""
    whole = _with_furthest(sides) if isinstance(row.rule, Scatters) else [_with_worst(row, sides, s) for s in sides]
    left, right = _aligned(row, whole)
    together = Sides(row.paired, statistics.splits(len(left), len(right), account.text))
    delta = delta_of(row, left, right, lookup)
    if not delta > 0:
        account.notes.append("nobody differs from the level of δ")
    match row.rule:
        case Exceeds(Gap(gap)):
            found = comparisons.difference(left, right, delta, gap, together)
        case Exceeds():
            found = comparisons.difference(left, right, delta, math.nan, together)
        case Oftener():
            found = comparisons.oftener(left, right, delta)
            account.notes.append(_in_pairs(left, right))
            if any(side.n_diverged for side in sides):
                found = found._replace(support=np.ones(()), refuted=np.ones(()), opposite=np.ones(()))
        case Scatters():
            found = comparisons.scatter(left, right, delta, together)
            left, right = statistics.apart(left), statistics.apart(right)
        case NoWorse():
            found = comparisons.no_worse(left, right, delta, together)
        case AboutEquals():
            found = comparisons.equality(left, right, delta, together)
            if any(side.n_diverged for side in sides):
                found = found._replace(support=np.ones(()))
        case Multiple():
            found = comparisons.multiple(left, right, Ratio.of(row.rule), together)
        case _:
            raise TypeError(f"{account.text}: {type(row.rule).__name__} compares no two means")
    if min(len(left), len(right)) > 1 and np.ptp(left) == np.ptp(right) == 0 and not row.paired:
        account.notes.append("constant arms: permutation test only")
    return _evidence(row, found, Compared(left, right, sides), delta, account)


def _uncertain(scores: Sequence[Score], sides: Sequence[SeedScores], lookup: Lookup) -> tuple[str, str]:
    """Why nothing can be said of sides that are made of several scores: what is taken off has diverged, which is
    neither good nor bad, or fewer than two seeds count."""
    for score, side in zip(scores, sides, strict=False):
        if score.less is not None and lookup(score.less).n_diverged:
            return "INCONCLUSIVE", f"of {score.less.label}, which is taken off, seeds diverged"
        if score.among is not None and len(side.values) < 2:
            of = f"{score.among.score.label} is above {score.among.above:g}"
            return "NOT LEARNT", f"{of} in {_seeds(len(side.values))}, too few to say anything of"
    return "", ""


def weigh_share(row: Row, rule: Seldom, side: SeedScores, account: _Account) -> Evidence:
    """In how many of the seeds that count it happens, exactly; who diverged supports and refutes nothing."""
    known = side.values[~np.isnan(side.values)]
    found = comparisons.seldom(known, rule.share)
    account.notes.append(f"in {int(known.sum())} of {_seeds(len(side.values))} that count")
    if side.n_diverged:
        found = found._replace(support=np.ones(()), refuted=np.ones(()))
    return _evidence(row, found, Compared(known, np.full(len(known), rule.share), [side]), rule.share, account)


def weigh_printed(row: Row, rule: Printed, side: SeedScores, account: _Account) -> Evidence:
    """Our mean minus the printed number, and where a further run of ours would lie.

    A tolerance of 0 stands for what holds by construction, such as a counter: nothing is estimated, every seed has the
    number or the claim fails. Seeds that diverged support nothing and are not averaged.
    """
    left = side.values[~np.isnan(side.values)]
    n_other = int((side.values != rule.value).sum())
    if rule.tolerance == 0 or len(left) < 2:
        found = _exact(left, rule, n_other, of_one=len(side.values) < 2)
        account.notes += [f"{n_other} of {_seeds(len(side.values))} differ"] if n_other and not rule.tolerance else []
    else:
        found = comparisons.printed(left, rule.value, rule.tolerance)
        first, last = statistics.prediction_interval(left, rule.n_runs)
        account.notes.append(f"95 % of further runs lie in {first:.3g} … {last:.3g}".replace("-", "−"))
        if side.n_diverged:
            found = found._replace(support=np.ones(()), refuted=np.ones(()))
    return _evidence(row, found, Compared(left, np.full(len(left), rule.value), [side]), rule.tolerance, account)


def _in_pairs(left: Floats, right: Floats) -> str:
    """How often only one side of a pair has it."""
    alone = (int((one > other).sum()) for one, other in ((left, right), (right, left)))
    return "of {} {} on the left alone, {} on the right".format(_seeds(len(left)), *alone)


def _exact(left: Floats, rule: Printed, n_other: int, *, of_one: bool) -> Found:
    """All seeds have the number, or not; one seed of a number with a tolerance says nothing."""
    unknown = of_one or rule.tolerance > 0
    support, refuted = (1.0, 1.0) if unknown and rule.tolerance else (float(n_other > 0), float(n_other == 0))
    estimate, inf = left.mean() - rule.value, np.asarray(math.inf)
    names = np.asarray("REPRODUCED"), np.asarray("REVERSED")
    return Found(estimate, -inf, inf, np.asarray(support), np.asarray(refuted), np.ones(()), *names)


def weigh_times(row: Row, rule: Shorter | PrintedTime, sides: Sequence[SeedScores], account: _Account) -> Evidence:
    """Ratio of the geometric means, T_right / T_left, and a log-rank test; who diverged has never arrived.

    Raises: ValueError where seeds are censored and the two sides do not share a limit.
    """
    if isinstance(rule, PrintedTime):
        return weigh_printed_time(row, rule, sides[0], account)
    left, right = _aligned(row, [_arrived(side) for side in sides])
    limit = sides[0].limit
    n_censored = _censored(row, (left, right), [side.limit for side in sides], account)
    ratio = Ratio.of(rule)
    together = Sides(row.paired, statistics.splits(len(left), len(right), account.text))
    found = comparisons.times(left, right, ratio, limit, together)
    if found.low == 0 or found.high == math.inf:
        account.notes.append("the ratio is only bounded")
    logs = [np.log(np.minimum(side, limit)) for side in (left, right)]
    evidence = _evidence(row, found, Compared(-logs[0], -logs[1], sides), ratio.interest, account)
    shown = replace(evidence.shown, left_mean=math.exp(logs[0].mean()), right_mean=math.exp(logs[1].mean()))
    shares = (n_censored[0] / len(left), n_censored[1] / len(right))
    return replace(evidence, shown=shown, censored=shares)


def weigh_printed_time(row: Row, rule: PrintedTime, side: SeedScores, account: _Account) -> Evidence:
    """Ratio of the printed time to the geometric mean; who diverged has never arrived.

    Raises: ValueError where seeds are censored and there is no limit.
    """
    side = _arrived(side)
    (n_censored,) = _censored(row, (side.values,), [side.limit], account)
    if len(side.values) < 2:
        return unweighed(row, [side], "INCONCLUSIVE", "one seed shows nothing")
    found = comparisons.printed_time(side.values, rule.value, rule.factor, side.limit)
    logs = np.log(np.minimum(side.values, side.limit))
    printed = np.full(len(logs), math.log(rule.value))
    evidence = _evidence(row, found, Compared(-logs, -printed, [side]), rule.factor, account)
    shown = replace(evidence.shown, left_mean=math.exp(logs.mean()), right_mean=rule.value)
    return replace(evidence, shown=shown, censored=(n_censored / len(logs), 0.0))


def _censored(row: Row, sides: Sequence[Floats], limits: Sequence[float], account: _Account) -> list[int]:
    """How many seeds of each side did not arrive within the budget, with a note."""
    counts = [int(np.isinf(side).sum()) for side in sides]
    if any(counts) and not (np.isfinite(limits[0]) and len({*limits}) == 1):
        raise ValueError(
            f"{account.text}: censored times need one finite limit on both sides, got {', '.join(map(str, limits))}"
        )
    account.notes += [
        f"{count} of {_seeds(len(side))} of {score.label} did not reach it within the budget"
        for count, side, score in zip(counts, sides, scores_of(row), strict=False)
        if count
    ]
    return counts


def delta_of(row: Row, left: Floats, right: Floats, lookup: Lookup) -> float:
    """δ in the unit of the score; of a ratio r."""
    match row.rule:
        case Multiple():
            return Ratio.of(row.rule).interest
        case Exceeds(Gap(gap)):
            return gap / 3
        case Exceeds(Margin(value)) | NoWorse(Margin(value)) | AboutEquals(Margin(value)):
            return value
        case Scatters(Margin(value)) | Oftener(Margin(value)):
            return value
        case Exceeds(Share(share=share)) | NoWorse(Share(share=share)) | AboutEquals(Share(share=share)):
            level = reference_of(row.rule)
            assert level is not None
            return share * _range(float(_mean_of(level, lookup)), left, right, row)
    raise TypeError(f"{row.label}: {type(row.rule).__name__} has no δ")


def _range(level: float, left: Floats, right: Floats, row: Row) -> float:
    """From a level to the better side; to the further one where neither way is better."""
    means = (float(left.mean()), float(right.mean()))
    match row.left.metric.better:
        case "larger":
            return abs(max(means) - level)
        case "smaller":
            return abs(min(means) - level)
        case _:
            return max(abs(mean - level) for mean in means)


def _mean_of(level: Score, lookup: Lookup) -> float:
    values = lookup(level).values
    if np.isnan(values).any():
        raise ValueError(f"{level.label}: a level has diverged seeds, but who does not learn cannot diverge")
    return float(values.mean())


# --------------------------------------------------------------------------------------------------- has an arm learnt?


def unlearnt(part: Learnt, lookup: Lookup) -> str:
    """Why none of the arms has learnt; empty where one has: each test at .05 over the number of arms."""
    level = ALPHA / len(part.arms)
    said = []
    for arm in part.arms:
        sides = [lookup(score).values for score in (arm.trained, arm.untrained, part.chance)]
        after, before, chance = _by_direction(arm.trained, sides)
        if min(map(len, sides)) > 1 and not np.isnan(after).any():
            delta = _delta_of_learning(part, lookup)
            by_chance = _p_larger(after, chance, delta, f"{arm.trained.label} chance")
            if max(by_chance, _p_larger(after, before, 0.0, f"{arm.trained.label} untrained")) <= level:
                return ""
        said.append(_beside_levels(arm, part.chance, [float(np.mean(values)) for values in sides]))
    return f"nobody has learnt: {'; '.join(said)}"


def _beside_levels(arm: Arm, chance: Score, means: Sequence[float]) -> str:
    """`MADDPG test return is −500, untrained −510, by chance −520`; where it is asked for one level only, that one."""
    trained, untrained, level = (f"{mean:.4g}".replace("-", "−") for mean in means)
    name = origin(chance, arm.trained)
    before = "" if arm.untrained == chance else f"untrained {untrained}, "
    return f"{arm.trained.label} is {trained}, {before}{name} {level}"


def _compared(
    row: Row, found: Sequence[SeedScores], lookup: Lookup
) -> tuple[list[SeedScores], tuple[Learnt, ...], int]:
    """The seeds of both sides that are compared, what is still to be asked of them, and how many more are needed.

    Where the teachers of all seeds had learnt, their comparison is that of all, however many there are.
    """
    sides = list(found[: 1 if row.right is None else 2])
    if row.seeds == "all":
        return sides, row.learnt, 0
    seeds = taught(row, lookup)
    kept = [side.only(seeds) for side in sides]
    n, of = (min(len(side.values) for side in each) for each in (kept, sides))
    others = tuple(part for part in row.learnt if part not in row.of_teachers)
    return kept, others, max(FEWEST_TAUGHT - n, 0) if n < of else 0


def _too_few(row: Row, found: Sequence[SeedScores], n_wanted: int) -> Evidence:
    """Further seeds are needed whose teachers have learnt: a comparison that is still to come, and says nothing yet."""
    few = f"{FEWEST_TAUGHT - n_wanted} of {_seeds(len(found[0].values))} had teachers that had learnt"
    evidence = unweighed(row, found, "INCOMPLETE", f"{few}, and {FEWEST_TAUGHT} are needed")
    return replace(evidence, missing=((row.left.cell.key, n_wanted),))


def taught(row: Row, lookup: Lookup) -> set[int]:
    """The seeds of which each that both sides start from had learnt: one of its arms is better than chance by δ."""
    found = [set().union(*(_better(arm, part, lookup) for arm in part.arms)) for part in row.of_teachers]
    return set.intersection(*found) if found else set(lookup(row.left).of)


def _better(arm: Arm, part: Learnt, lookup: Lookup) -> set[int]:
    level, delta = _mean_of(part.chance, lookup), _delta_of_learning(part, lookup)
    least = level + delta if arm.trained.metric.better == "larger" else level - delta
    return {
        seed
        for seed, value in lookup(arm.trained).of.items()
        if (value >= least if arm.trained.metric.better == "larger" else value <= least)
    }


def _by_direction(score: Score, sides: Sequence[Floats]) -> list[Floats]:
    """All sides with larger values the better ones, and the worst of all for who diverged."""
    signed = [-side if score.metric.better == "smaller" else side for side in sides]
    worst = math.nan if all(np.isnan(side).all() for side in signed) else np.nanmin(np.concatenate(signed))
    return [np.where(np.isnan(side), worst, side) for side in signed]


def _delta_of_learning(part: Learnt, lookup: Lookup) -> float:
    if isinstance(part.delta, Margin):
        return part.delta.value
    return part.delta.share * abs(_mean_of(part.delta.reference, lookup) - _mean_of(part.chance, lookup))


def _p_larger(left: Floats, right: Floats, shift: float, text: str) -> float:
    """p of "left is not above right by more than the shift", by seeds that are taken as independent."""
    return float(statistics.ordering(left - shift, right, statistics.splits(len(left), len(right), text)).p)


# ---------------------------------------------------------------------------------------------------------------- seeds


def _with_worst(row: Row, sides: Sequence[SeedScores], side: SeedScores) -> SeedScores:
    """A side whose diverged seeds have the worst value of both."""
    known = np.concatenate([each.values[~np.isnan(each.values)] for each in sides])
    worst = known.max() if row.left.metric.better == "smaller" else known.min()
    return replace(side, values=np.where(np.isnan(side.values), worst, side.values))


def _with_furthest(sides: Sequence[SeedScores]) -> list[SeedScores]:
    """Both sides with their diverged seeds as far above their median as the furthest seed of both is from its own."""
    medians = [float(np.nanmedian(side.values)) if not np.isnan(side.values).all() else 0.0 for side in sides]
    apart = [np.abs(side.values - median) for side, median in zip(sides, medians, strict=True)]
    furthest = float(np.nanmax(np.concatenate(apart)))
    return [
        replace(side, values=np.where(np.isnan(side.values), median + furthest, side.values))
        for side, median in zip(sides, medians, strict=True)
    ]


def _arrived(side: SeedScores) -> SeedScores:
    return replace(side, values=np.where(np.isnan(side.values), math.inf, side.values))


def _aligned(row: Row, sides: Sequence[SeedScores]) -> tuple[Floats, Floats]:
    """Both sides; of a paired row the seeds that both have, in the same order."""
    if not row.paired:
        return sides[0].values, sides[1].values
    left, right = (side.of for side in sides)
    both = sorted(set(left) & set(right))
    return np.array([left[seed] for seed in both]), np.array([right[seed] for seed in both])


def _diverged(row: Row, sides: Sequence[SeedScores]) -> list[str]:
    """How many seeds of each side diverged, at which rate, and what they count as."""
    counts_as = "support nothing"
    if isinstance(row.rule, Shorter | PrintedTime):
        counts_as = "count as never having reached it"
    elif isinstance(row.rule, Exceeds | NoWorse | Multiple) and row.left.metric.better != "neither":
        counts_as = "count as the worst value seen"
    elif isinstance(row.rule, Scatters):
        counts_as = "count as the furthest one seen"
    notes = []
    for score, side in zip(scores_of(row), sides, strict=False):
        if side.n_diverged:
            low, high = statistics.rate_interval(side.n_diverged, len(side.values))
            of = f"{side.n_diverged} of {_seeds(len(side.values))} of {score.label}"
            notes.append(f"{of} diverged (95 % interval of the rate {low:.0%} to {high:.0%}) and {counts_as}")
    return notes


def _listed(what: str, scores: Sequence[Score], which: Sequence[bool]) -> str:
    named = [score.label for score, is_so in zip(scores, which, strict=True) if is_so]
    return f"{what}: {', '.join(named)}" if named else ""


def _counted(what: str, scores: Sequence[Score], counts: Sequence[int]) -> str:
    named = [f"{_seeds(n)} of {score.label} {what}" for score, n in zip(scores, counts, strict=True) if n]
    return "; ".join(dict.fromkeys(named))


def _seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"


# -------------------------------------------------------------------------------------------------------- what is shown


class Compared(NamedTuple):
    """Both sides as they were compared, and as they were looked up; a printed number stands right in the first only."""

    left: Floats
    right: Floats
    looked_up: Sequence[SeedScores]


def _evidence(row: Row, found: Found, compared: Compared, delta: float, account: _Account) -> Evidence:
    left, right, sides = compared
    several = min(len(left), len(right)) > 1
    one_sided = isinstance(row.rule, ONE_SIDED)
    shown = RowVerdict(
        label=row.label,
        outcome="INCONCLUSIVE",
        at_this_budget="INCONCLUSIVE",
        estimate=float(found.estimate),
        low=float(found.low),
        high=float(found.high),
        delta=delta,
        p=float(found.support),
        p_corrected=math.nan,
        p_refuted=float(found.refuted),
        p_opposite=float(found.opposite),
        n_left=len(sides[0].values),
        n_right=0 if one_sided else len(sides[1].values),
        diverged_left=sides[0].n_diverged,
        diverged_right=0 if one_sided else sides[1].n_diverged,
        paired=row.paired,
        standardised=_standardised(left, right, paired=row.paired or one_sided) if several else math.nan,
        improvement=math.nan if one_sided else statistics.probability_of_improvement(left, right),
        left_mean=float(left.mean()) if len(left) else math.nan,
        right_mean=float(right.mean()) if len(right) else math.nan,
        unit=row.left.statistic.unit,
        note="; ".join(account.notes if several else [*account.notes, "one seed a side shows nothing"]),
    )
    correlation = _correlation(left, right) if row.paired and several else math.nan
    spread = statistics.pooled_deviation(left, right) if several else math.nan
    if one_sided and several:
        spread = float(np.sqrt(statistics.variance(left)))
    grade, against = str(found.grade), str(found.against)
    return Evidence(
        row,
        shown,
        support=float(found.support),
        refuted=float(found.refuted),
        opposite=float(found.opposite),
        grade=grade,  # type: ignore[arg-type]
        against=against,  # type: ignore[arg-type]
        spread=spread,
        correlation=correlation,
    )


def _standardised(left: Floats, right: Floats, *, paired: bool) -> float:
    if not paired:
        return statistics.standardised_difference(left, right)
    differences = left - right
    return statistics.in_deviations(float(differences.mean()), float(np.sqrt(statistics.variance(differences))))


def _correlation(left: Floats, right: Floats) -> float:
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return float(np.corrcoef(left, right)[0, 1])


def unweighed(row: Row, found: Sequence[SeedScores], outcome: Outcome, note: str) -> Evidence:
    """A row that is settled without an estimate; it keeps its place with p = 1."""
    n_right = len(found[1].values) if row.right is not None else 0
    nan = math.nan
    shown = RowVerdict(
        label=row.label,
        outcome=outcome,
        at_this_budget=outcome,
        estimate=nan,
        low=nan,
        high=nan,
        delta=nan,
        p=1.0,
        p_corrected=1.0,
        p_refuted=1.0,
        p_opposite=1.0,
        n_left=len(found[0].values),
        n_right=n_right,
        diverged_left=found[0].n_diverged,
        diverged_right=found[1].n_diverged if row.right is not None else 0,
        paired=row.paired,
        standardised=nan,
        improvement=nan,
        left_mean=nan,
        right_mean=nan,
        unit=row.left.statistic.unit,
        note=note,
    )
    missing = tuple((of.cell.key, seeds.missing) for of, seeds in zip(scores_of(row), found, strict=True))
    return Evidence(row, shown, grade=outcome, settled=outcome, missing=missing)
