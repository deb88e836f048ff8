"""What each claim came to, from one number a seed, by rules that are fixed before anything is run.

| rule          | REPRODUCED                   | PARTIAL                    | NOT REPRODUCED   | REVERSED      |
|---------------|------------------------------|----------------------------|------------------|---------------|
| Outperforms   | significant, upper ≥ G       | significant, upper < G     | upper < δ        | opposite test |
| Shorter       | significant, lower ≥ r and   | significant, and lower > 1 | upper < r        | opposite test |
|               | upper ≥ ρ                    | or only bounded            |                  | and upper < 1 |
| AboutEquals   | interval inside ±δ           | –                          | interval outside | –             |
| Printed       | interval inside m₀ ± τ       | m₀ may be a further run    | otherwise        | –             |
| Printed, τ=0  | every seed is m₀             | –                          | otherwise        | –             |

What fits none is INCONCLUSIVE, with the seeds that would decide it: "not significant" is never "equal". Intervals are
90 %, upper and lower their ends; G and ρ are the paper's gap and ratio; δ = G/3 and r = 1 + (ρ−1)/3 are the smallest
effects of interest. Where no gap is printed, δ is a tenth of the range from a random policy to the better side, and the
conditions on G fall away; where no ratio is printed, r = 1.1, a claim needs lower > 1 only, and a bound is enough.

Sentences. A claim of several rows is REPRODUCED if all rows are, REVERSED if all are, and PARTIAL if at least half of
them are shown (REPRODUCED or PARTIAL), none is REVERSED, and that passes its own test, below. Otherwise it is NOT
REPRODUCED if a row is refuted (NOT REPRODUCED or REVERSED). Open rows do not refute, they leave it INCONCLUSIVE: too
few seeds are no evidence against a sentence, and a claim that nobody could decide must not look like one that failed.

Corrections. A sentence about several environments is a conjunction, and so it is shown only if every row is: an
intersection-union test, whose p is the largest of the rows' and which needs no correction inside the claim. Holm's
correction is therefore made over claims, one p each, within paper, family and profile. PARTIAL says less, that at least
u = ⌈m/2⌉ of m rows hold, and is a test of its own: the p of this partial conjunction, (m − u + 1) · p₍ᵤ₎, is corrected
by Holm over the family's claims likewise. (m counts the rows that make a test. A sentence whose conjunction passes has
passed this too: if all rows hold, half of them do.) To say *how many* rows of a sentence were shown, the rows' p are
corrected by Holm within their claim.

With five seeds a side no permutation test goes below p = .0040, so that a family of more than twelve claims could
decide nothing: `warnings` says so before training. A claim whose seeds are missing keeps its place in the family with
p = 1, so that completing it can only help. Claims that a profile does not assess cost the others nothing: they are
corrected among themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from benchmarks import AboutEquals, Claim, Outcome, Outperforms, Printed, RowVerdict, Shorter, Verdict, scores_of
from benchmarks import _statistics as statistics
from benchmarks._evidence import Evidence, Lookup, makes_test, weigh
from benchmarks._statistics import ALPHA

SHOWN: tuple[Outcome, ...] = ("REPRODUCED", "PARTIAL")
REFUTED: tuple[Outcome, ...] = ("NOT REPRODUCED", "REVERSED")


class Extent(NamedTuple):
    """How much training a claim rests on: in words, and whether it is all that the paper's claim is about."""

    words: str
    whole: bool


def judge(
    claims: Sequence[Claim], lookup: Lookup, profile: str, extent: Callable[[Claim], Extent]
) -> tuple[Verdict, ...]:
    """The verdicts on all claims of one paper's family, in their order; Holm's correction is made among them.

    Raises: ValueError where a claim has neither rows nor a reason why it is untestable.
    """
    for claim in claims:
        if not (claim.rows or claim.untestable):
            raise ValueError(f"{claim.id}: a claim needs rows, or a reason why it is untestable")
    evidence = [() if claim.untestable else tuple(weigh(row, claim, lookup) for row in claim.rows) for claim in claims]
    verdicts: dict[int, Verdict] = {}
    for assessed in (True, False):
        among = [i for i, claim in enumerate(claims) if is_assessed(claim, profile, extent(claim)) is assessed]
        corrected = corrections([evidence[i] for i in among])
        n_together = n_tested([claims[i] for i in among])
        for i, correction in zip(among, corrected, strict=True):
            rows = tuple(
                decided(*row, n_together)
                for row in zip(evidence[i], correction.rows, correction.opposite_rows, strict=True)
            )
            verdicts[i] = concluded(claims[i], rows, correction, lookup, profile=profile, extent=extent(claims[i]))
    return tuple(verdicts[i] for i in range(len(claims)))


def is_assessed(claim: Claim, profile: str, extent: Extent) -> bool:
    """Whether a profile trains long enough for a verdict: `smoke` never, and others where what a claim is about the
    end of has been trained to its end."""
    return profile != "smoke" and (extent.whole or claim.about != "end")


def n_tested(claims: Sequence[Claim]) -> int:
    """How many claims make a test, which Holm's correction counts."""
    return sum(not claim.untestable and any(makes_test(row.rule) for row in claim.rows) for claim in claims)


def warnings(assessed: Sequence[Claim], n_seeds: int) -> tuple[str, ...]:
    """What to say of the claims of a paper's family that a profile assesses before it trains `n_seeds` a side; empty
    where there is nothing."""
    warning = statistics.family_warning(n_tested(assessed), n_seeds)
    return (warning,) if warning else ()


class Correction(NamedTuple):
    """Corrected p of a claim and of half of it (NaN where no row makes a test), of its rows, and of their opposite."""

    claim: float
    half: float
    rows: tuple[float, ...]
    opposite_rows: tuple[float, ...]


def corrections(family: Sequence[Sequence[Evidence]]) -> list[Correction]:
    """Holm over the claims of a family, once for all rows of each and once for half of them; over rows in a claim."""
    p = [[part.shown.p for part in rows] for rows in family]
    backward = corrected([[part.opposite for part in rows] for rows in family])
    return [
        Correction(claim, half, rows, opposite)
        for (claim, rows), half, (_, opposite) in zip(corrected(p), corrected_halves(p), backward, strict=True)
    ]


def corrected(family: Sequence[Sequence[float]]) -> list[tuple[float, tuple[float, ...]]]:
    """For each claim its corrected p and those of its rows. A row without a test has p = NaN before and after.

    The one row of a claim has the claim's p. Several rows are corrected among themselves; where the conjunction as a
    whole passes at a smaller level, each of them does.
    """
    claims = holm_of_tests([p_of_all(rows) for rows in family])
    return [(claim, within(rows, claim)) for rows, claim in zip(family, claims, strict=True)]


def corrected_halves(family: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """For each claim the p of "less than half of the rows hold", corrected over claims."""
    return holm_of_tests([p_of_half(rows) for rows in family])


def within(rows: Sequence[float], claim: float) -> tuple[float, ...]:
    """The rows' p, corrected among themselves and at most that of their claim, which is that of an only row."""
    if sum(not math.isnan(p) for p in rows) == 1:
        return tuple(math.nan if math.isnan(p) else claim for p in rows)
    return tuple(math.nan if math.isnan(p) else min(p, claim) for p in holm_of_tests(rows))


def holm_of_tests(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's correction among the p that are not NaN."""
    left = iter(statistics.holm(tested(p)))
    return tuple(math.nan if math.isnan(value) else next(left) for value in p)


def p_of_all(rows: Sequence[float]) -> float:
    """p_(m) of the m rows that make a test: of "not all rows hold"."""
    return max(tested(rows), default=math.nan)


def p_of_half(rows: Sequence[float]) -> float:
    """(m − u + 1) · p_(u), u = ⌈m/2⌉, of the m rows that make a test: of "less than half of the rows hold"."""
    known = tested(rows)
    return statistics.partial_conjunction(known, math.ceil(len(known) / 2)) if known else math.nan


def tested(p: Sequence[float]) -> list[float]:
    """The p that are not NaN."""
    return [value for value in p if not math.isnan(value)]


# ---------------------------------------------------------------------------------------------------------- the rules


def ordering_outcome(p: float, opposite: float, high: float, gap: float, interest: float) -> Outcome:
    """Outperforms: p and its opposite after Holm, the upper end, G (NaN where none is printed) and δ."""
    if p <= ALPHA:
        return "PARTIAL" if high < gap else "REPRODUCED"
    if opposite <= ALPHA:
        return "REVERSED"
    return "NOT REPRODUCED" if high < interest else "INCONCLUSIVE"


def equality_outcome(low: float, high: float, margin: float) -> Outcome:
    """AboutEquals: the interval inside ±δ, outside of it, or across one of its ends."""
    if -margin <= low and high <= margin:
        return "REPRODUCED"
    return "NOT REPRODUCED" if low > margin or high < -margin else "INCONCLUSIVE"


def printed_outcome(low: float, high: float, tolerance: float, predicted: bool) -> Outcome:
    """Printed: interval of our mean minus m₀ inside ±τ; else whether m₀ is a plausible further run."""
    if -tolerance <= low and high <= tolerance:
        return "REPRODUCED"
    return "PARTIAL" if predicted else "NOT REPRODUCED"


def speed_outcome(
    p: float, opposite: float, low: float, high: float, *, ratio: float, interest: float, bounded: bool
) -> Outcome:
    """Shorter: p and its opposite after Holm, interval of the ratio, ρ (NaN where none is printed) and r."""
    if p <= ALPHA and (low > 1 or bounded):
        if math.isnan(ratio):
            return "REPRODUCED"
        return "REPRODUCED" if low >= interest and high >= ratio and not bounded else "PARTIAL"
    if opposite <= ALPHA and high < 1:
        return "REVERSED"
    return "NOT REPRODUCED" if high < interest else "INCONCLUSIVE"


def decided(evidence: Evidence, p: float, opposite: float, n_together: int) -> RowVerdict:
    """The row with its corrected p, its outcome and, where that is open, what would decide it."""
    if evidence.settled is not None:
        return replace(evidence.shown, outcome=evidence.settled, p_holm=p)
    row = evidence.shown
    match evidence.rule:
        case Outperforms():
            outcome = ordering_outcome(p, opposite, row.high, evidence.gap, evidence.interest)
        case Shorter():
            outcome = speed_outcome(
                p,
                opposite,
                row.low,
                row.high,
                ratio=evidence.gap,
                interest=evidence.interest,
                bounded=evidence.bounded,
            )
        case AboutEquals():
            outcome = equality_outcome(row.low, row.high, evidence.interest)
        case Printed():
            outcome = printed_outcome(row.low, row.high, evidence.rule.tolerance, evidence.predicted)
    advice = more_seeds(evidence, n_together) if outcome == "INCONCLUSIVE" else ""
    return replace(row, outcome=outcome, p_holm=p, note="; ".join(part for part in (row.note, advice) if part))


def more_seeds(evidence: Evidence, n_together: int) -> str:
    """How many further seeds would decide an open row with 80 % power, were the true difference the one seen.

    An ordering is decided by showing it, at the level that Holm asks of the first of `n_together` claims, or by showing
    that it is below δ; an equality by an interval on one side of ±δ.
    """
    if evidence.bounded:
        return "a larger budget would decide more than further seeds"
    if not evidence.spread > 0:
        return ""
    row = evidence.shown
    seen, interest, what = row.estimate, evidence.interest, "difference"
    if isinstance(evidence.rule, Shorter):
        seen, interest, what = math.log(seen), math.log(interest), "ratio"
    if isinstance(evidence.rule, AboutEquals):
        needed = statistics.seeds_for_power(abs(interest - abs(seen)) / evidence.spread)
    else:
        by_showing = statistics.seeds_for_power(seen / evidence.spread, ALPHA / n_together)
        by_excluding = statistics.seeds_for_power((interest - seen) / evidence.spread)
        needed = min(max(by_showing, statistics.seeds_for_family(n_together)), by_excluding)
    assumed = f"if the {what} seen is the true one"
    if needed >= statistics.MOST_SEEDS:
        return f"{assumed}, not even {statistics.MOST_SEEDS} seeds a side would decide"
    further = max(needed - min(row.n_left, row.n_right), 1)
    return f"{assumed}, {further} more seed{'s' if further > 1 else ''} a side would decide at 80 % power"


def concluded(
    claim: Claim, rows: tuple[RowVerdict, ...], correction: Correction, lookup: Lookup, *, profile: str, extent: Extent
) -> Verdict:
    """The verdict on a claim from its rows and its corrected p."""
    verdict = Verdict(claim.id, "NOT ASSESSED", rows, profile, extent.words)
    outcomes = {row.outcome for row in rows}
    if claim.untestable:
        return replace(verdict, outcome="UNTESTABLE", note=claim.untestable)
    if profile == "smoke":
        return replace(verdict, note="profile smoke only shows that everything runs")
    if "INVALID" in outcomes:
        return replace(verdict, outcome="INVALID", note="two seeds have identical curves")
    if "INCOMPLETE" in outcomes:
        return replace(verdict, outcome="INCOMPLETE", note=f"{n_missing(claim, lookup)} seeds missing")
    if not is_assessed(claim, profile, extent):
        return replace(verdict, note=f"about the end of training, of which profile {profile} runs the first part only")
    outcome, note = conjunction([row.outcome for row in rows], correction.claim, correction.half)
    return replace(verdict, outcome=outcome, note=note)


def conjunction(rows: Sequence[Outcome], p: float, half: float) -> tuple[Outcome, str]:
    """A claim's outcome and a note: all rows, at least half of them, refuted by one, or open.

    `p` and `half` are those of all and of half of the rows after Holm, NaN where no row makes a test. A row that is
    merely open does not refute.
    """
    n_shown = sum(outcome in SHOWN for outcome in rows)
    count = f"{n_shown} of {len(rows)} shown"
    if len(rows) == 1:
        return rows[0], ""
    if all(outcome == "REVERSED" for outcome in rows):
        return "REVERSED", count
    enough = 2 * n_shown >= len(rows) and "REVERSED" not in rows
    if not enough or min(p, half) > ALPHA:
        refuted = any(outcome in REFUTED for outcome in rows)
        note = f"{count}, each by itself; not after Holm's correction over the family" if enough else count
        return "NOT REPRODUCED" if refuted else "INCONCLUSIVE", note
    if any(outcome != "REPRODUCED" for outcome in rows):
        return "PARTIAL", count
    if p > ALPHA:
        return "PARTIAL", f"{count}, each by itself; all together not after Holm's correction over the family"
    return "REPRODUCED", count


def n_missing(claim: Claim, lookup: Lookup) -> int:
    """Seeds that a claim still needs, each cell's counted once."""
    scores = [score for row in claim.rows for score in scores_of(row)]
    return sum({score.cell.key: lookup(score).missing for score in scores}.values())


class Characteristic(NamedTuple):
    """How often the ordering rule comes to each outcome, if `truth` is what holds in all claims of a family."""

    n_seeds: int
    truth: str
    shares: dict[Outcome, float]


def operating_characteristics(
    n_families: int = 400, n_claims: int = 6, gap: float = 2.0, n_splits: int = 2000
) -> tuple[Characteristic, ...]:
    """How good the rule of `Outperforms` is at 5 and 10 seeds, simulated: normal scores of standard deviation 1, a
    printed gap G, and a truth of G, 0 or −G in every claim of a family.

    With ten seeds the permutation test uses `n_splits` of its 184 756 splits, enough for the levels that occur.
    """
    table = []
    for n_seeds in (5, 10):
        every = statistics.splits(n_seeds, n_seeds)
        random = statistics.generator(f"operating characteristics, {n_seeds} seeds")
        mask = every if len(every) <= n_splits else np.vstack([every[:1], random.choice(every, n_splits - 1)])
        noise = random.normal(size=(2 * n_seeds, n_families * n_claims))
        for truth, shift in (("G", gap), ("0", 0.0), ("−G", -gap)):
            left, right = noise[:n_seeds] + shift, noise[n_seeds:]
            welch = statistics.difference(left, right)
            forward, backward = statistics.shares(statistics.studentised(np.concatenate([left, right]), mask))
            p = np.maximum(welch.p, forward).reshape(n_families, n_claims)
            opposite = np.maximum(1 - welch.p, backward).reshape(n_families, n_claims)
            high = welch.interval(1 - 2 * ALPHA)[1].reshape(n_families, n_claims)
            outcomes = [
                ordering_outcome(*claim, gap, gap / 3)
                for family in zip(p, opposite, high, strict=True)
                for claim in zip(
                    statistics.holm(family[0].tolist()), statistics.holm(family[1].tolist()), family[2], strict=True
                )
            ]
            names = dict.fromkeys([*SHOWN, *REFUTED, "INCONCLUSIVE"])
            table.append(Characteristic(n_seeds, truth, {o: outcomes.count(o) / len(outcomes) for o in names}))
    return tuple(table)
