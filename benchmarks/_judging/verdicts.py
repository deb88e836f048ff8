r"""What each claim came to, from one number a seed, by rules that are fixed before anything is run.

| rule        | supported where                            | then PARTIAL        | NEGLIGIBLE | refuted where         |
|-------------|--------------------------------------------|---------------------|------------|-----------------------|
| Exceeds     | left − right > 0                           | upper < G           | upper < δ  | left − right < δ      |
| NoWorse     | left − right > −δ                          | –                   | –          | left − right < −δ     |
| AboutEquals | −δ < left − right < δ                      | –                   | –          | beyond δ or beyond −δ |
| Scatters    | as Exceeds, of \|x − median\| of each side  | –                   | upper < δ  | –                     |
| Oftener     | more pairs of seeds this way than that     | –                   | upper < δ  | left − right < δ      |
| Seldom      | share of seeds < q                         | –                   | –          | share > q             |
| Shorter     | earlier by log-rank, lower > 1 where known | lower < r, upper < ρ | upper < r | ratio < r             |
| Multiple    | left − right > 0                           | lower < r, upper < ρ | upper < r | left < r · right      |
| Printed     | mean within m₀ ± τ                         | –                   | –          | mean beyond m₀ ± τ    |
| PrintedTime | mean of log T within log m₀ ± log f        | –                   | –          | mean beyond that      |

Each of these is a test at .05 after the corrections of `_decisions`; the opposite ordering has one too (REVERSED). What
passes none is INCONCLUSIVE, with the seeds that would decide it. Intervals are 90 %, upper and lower their ends. G and
ρ are what the paper prints, r = 1 + (ρ−1)/3 and δ = G/3 the smallest effects of interest; where nothing is printed the
claim says what they are.

A claim is looked at twice and no more: at the seeds of profile quick, the first look, and at those of `paper`, the
second. A row about the end of training is not assessed where a profile stops before it; what it would come to at this
budget is shown and counts for nothing. A claim with such rows is NOT ASSESSED, unless its other rows refute it already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks import (
    AboutEquals,
    Claim,
    Multiple,
    Oftener,
    Outcome,
    Printed,
    PrintedTime,
    Row,
    RowVerdict,
    Seldom,
    Shorter,
    Verdict,
)
from benchmarks._judging import decisions, statistics
from benchmarks._judging.decisions import Questions, Rows
from benchmarks._judging.evidence import Evidence
from benchmarks._judging.statistics import ALPHA

LACKS = "it lacks: "


def judge(
    claims: Sequence[Claim],
    weighed: Mapping[str, Sequence[Evidence]],
    profile: str,
    whole: Callable[[Row], bool],
    budget: Callable[[Claim], str] = lambda claim: "",
    *,
    alpha: float = ALPHA,
    wanted: Container[str] | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on all claims of a paper, in their order; those of a kind are corrected for one another.

    `weighed` holds the rows of each claim by its id. Where only some verdicts are `wanted`, by their claims' ids, the
    other claims count in their family and nothing more is said of them.

    `whole` says whether a row's cells are trained as long as in profile `paper`; `alpha` is the largest p that decides.

    Raises: ValueError where a claim has neither rows nor a reason why it is untestable.
    """
    for claim in claims:
        if (claim.untestable and (claim.rows or claim.lacks)) or not (claim.rows or claim.untestable or claim.lacks):
            raise ValueError(f"{claim.id}: a claim needs rows, or what it lacks, or else a reason why it is untestable")
    found: dict[str, Verdict] = {}
    for kind in ("sentence", "check"):
        testable = [claim for claim in claims if claim.kind == kind and not claim.untestable]
        family = [claim for claim in testable if claim.rows]
        evidence = [weighed[claim.id] for claim in family]
        heard = [
            tuple(profile != "smoke" and not claim.lacks and is_due(part, whole) for part in of_claim)
            for claim, of_claim in zip(family, evidence, strict=True)
        ]
        rows_of = [asked(*one) for one in zip(family, evidence, heard, strict=True)]
        corrected = decisions.corrected(map(decisions.questions_of, rows_of), len(testable) - len(family))
        for claim, of_claim, say, rows, questions in zip(family, evidence, heard, rows_of, corrected, strict=True):
            if wanted is not None and claim.id not in wanted:
                continue
            outcome, outcomes = decisions.outcome_of(rows, questions, alpha)
            shown = shown_rows(
                claim, of_claim, say, [str(row) for row in outcomes[:, 0]], n_claims=len(testable), alpha=alpha
            )
            verdict = Verdict(claim.id, str(outcome[0]), shown, profile, budget(claim), *told(questions))  # type: ignore[arg-type]
            found[claim.id] = concluded(claim, verdict, of_claim, say)
    shown_ones = [claim for claim in claims if wanted is None or claim.id in wanted]
    return tuple(found.get(claim.id) or without_rows(claim, profile) for claim in shown_ones)


def without_rows(claim: Claim, profile: str) -> Verdict:
    """What is said of a claim that nothing could decide, or nothing yet."""
    if claim.untestable:
        return Verdict(claim.id, "UNTESTABLE", (), profile, "", note=claim.untestable)
    return Verdict(claim.id, "NOT ASSESSED", (), profile, "", note=f"{LACKS}{claim.lacks}")


def is_due(part: Evidence, whole: Callable[[Row], bool]) -> bool:
    """Whether a row is trained as far as it speaks of."""
    return part.settled != "NOT ASSESSED" and (part.row.about != "end" or whole(part.row))


def asked(claim: Claim, evidence: Sequence[Evidence], heard: Sequence[bool]) -> Rows:
    """The rows of a claim; one that is not heard has p = 1 in every direction, and no grade. Shapes: [m, 1]."""

    def column(values: Sequence[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.array([[value if say else 1.0] for value, say in zip(values, heard, strict=True)])

    return Rows(
        tuple(part.row.role for part in evidence),
        claim.holds,
        column([part.support for part in evidence]),
        column([part.refuted for part in evidence]),
        column([part.opposite for part in evidence]),
        np.array([[part.grade if say else "INCONCLUSIVE"] for part, say in zip(evidence, heard, strict=True)]),
        tuple(part.row.group for part in evidence),
        np.array([[part.against] for part in evidence]),
    )


def shown_rows(
    claim: Claim,
    evidence: Sequence[Evidence],
    heard: Sequence[bool],
    outcomes: Sequence[str],
    *,
    n_claims: int,
    alpha: float,
) -> tuple[RowVerdict, ...]:
    """Every row with its outcome, with what it would come to at this budget, and with what would decide it."""
    rows = asked(claim, evidence, [True] * len(evidence))
    alone = decisions.questions_of(rows)
    at_this_budget = decisions.row_outcomes(rows, alone, alpha)[:, 0]
    p = decisions.shown(rows, alone.whole)[:, 0]
    found = []
    for part, say, outcome, now, corrected in zip(evidence, heard, outcomes, at_this_budget, p, strict=True):
        if part.settled is not None:
            open_ = say or part.settled in ("INVALID", "INCOMPLETE")
            found.append(part.shown if open_ else replace(part.shown, outcome="NOT ASSESSED"))
            continue
        shown: Outcome = outcome if say else "NOT ASSESSED"  # type: ignore[assignment]
        advice = more_seeds(part, n_claims) if "INCONCLUSIVE" in (outcome if say else "", str(now)) else ""
        note = "; ".join(filter(None, (part.shown.note, advice)))
        row = replace(part.shown, outcome=shown, at_this_budget=str(now), p_corrected=float(corrected), note=note)  # type: ignore[arg-type]
        found.append(row)
    return tuple(found)


def told(questions: Questions) -> tuple[float, ...]:
    """The four p of a claim after correction."""
    return tuple(float(p[0]) for p in questions)


def concluded(claim: Claim, verdict: Verdict, evidence: Sequence[Evidence], heard: Sequence[bool]) -> Verdict:
    """The verdict, where something stands before what the rows say."""
    settled = {part.settled for part in evidence}
    first: tuple[tuple[bool, Outcome, str], ...] = (
        (verdict.profile == "smoke", "NOT ASSESSED", "profile smoke only shows that everything runs"),
        ("INVALID" in settled, "INVALID", "two seeds have identical curves"),
        ("INCOMPLETE" in settled, "INCOMPLETE", missing(n_missing(evidence))),
        (bool(claim.lacks), "NOT ASSESSED", f"{LACKS}{claim.lacks}"),
    )
    for holds, outcome, note in first:
        if holds:
            return replace(verdict, outcome=outcome, note=note)
    later = heard.count(False)
    count = counted(claim, verdict)
    if not later:
        return replace(verdict, note=count)
    if verdict.outcome in decisions.REFUTED:
        return replace(verdict, note=f"{count}, and {later} that are about the end of training not assessed yet")
    which = "" if later == len(evidence) else f"{later} of {len(evidence)} comparisons are "
    note = f"{which}about the end of training, of which profile {verdict.profile} runs the first part only"
    return replace(verdict, outcome="NOT ASSESSED", note=note)


def counted(claim: Claim, verdict: Verdict) -> str:
    """How many rows were shown, of several: necessary conditions and what is in doubt are not counted."""
    rows = [row for row, of in zip(verdict.rows, claim.rows, strict=True) if of.role not in ("necessary", "doubt")]
    shown = sum(row.outcome in decisions.SHOWN for row in rows)
    return f"{shown} of {len(rows)} shown" if len(verdict.rows) > 1 else ""


def missing(n_seeds: int) -> str:
    """`1 seed missing`."""
    return f"{n_seeds} seed{'s' if n_seeds != 1 else ''} missing"


def n_missing(evidence: Sequence[Evidence]) -> int:
    """Seeds that a claim still needs, each cell's counted once."""
    return sum(dict(cell for part in evidence for cell in part.missing).values())


def warnings(claims: Sequence[Claim], n_seeds: int) -> tuple[str, ...]:
    """What to say of a paper's claims before `n_seeds` a side are trained; empty where there is nothing."""
    sizes = [sum(claim.kind == kind and not claim.untestable for claim in claims) for kind in ("sentence", "check")]
    return tuple(filter(None, (statistics.family_warning(size, n_seeds) for size in sizes if size)))


def more_seeds(evidence: Evidence, n_claims: int) -> str:
    """How many further seeds would decide an open row with 80 % power, were the true difference the one seen.

    An ordering is decided by showing it, at the level that the correction asks of the first of `n_claims` claims, or by
    showing that it is below δ; an equality or a number by an interval on one side of its margin.
    """
    row = evidence.shown
    if isinstance(evidence.row.rule, Multiple | Oftener | Seldom) or not evidence.spread > 0:
        return ""
    if isinstance(evidence.row.rule, Shorter | PrintedTime) and (row.low == 0 or row.high == math.inf):
        return "a larger budget would decide more than further seeds"
    seen, interest, what = row.estimate, row.delta, "difference"
    if isinstance(evidence.row.rule, Shorter | PrintedTime):
        seen, interest, what = math.log(seen), math.log(interest), "ratio"
    spread = evidence.spread * math.sqrt(1 - evidence.correlation) if row.paired else evidence.spread
    if spread == 0:
        return ""
    if isinstance(evidence.row.rule, AboutEquals | Printed | PrintedTime):
        needed = statistics.seeds_for_power(abs(interest - abs(seen)) / spread)
    else:
        by_showing = statistics.seeds_for_power(seen / spread, ALPHA / n_claims)
        by_excluding = statistics.seeds_for_power((interest - seen) / spread)
        needed = min(max(by_showing, statistics.seeds_for_family(n_claims)), by_excluding)
    assumed = f"if the {what} seen is the true one"
    if needed >= statistics.MOST_SEEDS:
        return f"{assumed}, not even {statistics.MOST_SEEDS} seeds a side would decide"
    further = max(needed - row.n_left, 1)
    return f"{assumed}, {further} more seed{'s' if further > 1 else ''} a side would decide at 80 % power"
