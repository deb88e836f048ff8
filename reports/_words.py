"""Outcomes, effects and numbers in words, the same on every page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import (
    ONE_SIDED,
    Claim,
    Outcome,
    RowVerdict,
    Seldom,
    Verdict,
)
from benchmarks._judging.decisions import REFUTED, SHOWN
from benchmarks._judging.reach import Reach
from benchmarks._judging.readings import Robustness
from benchmarks._judging.statistics import ALPHA
from benchmarks._judging.words import number


class Meaning(NamedTuple):
    """How an outcome is shown, so that colour is never needed to tell it, and what it says: briefly, and in full."""

    sign: str
    short: str
    text: str


NOBODY = "nobody has learnt: "  # in notes of comparisons
NOT_TOLD_WHICH = "; together they exclude that each effect is large enough to matter, without telling which is not"
NOT_AMONG_ALL = "not beyond chance after the correction over the paper's claims"

OUTCOMES: dict[Outcome, Meaning] = {
    "REPRODUCED": Meaning(
        "✓",
        "as the paper says",
        "Every comparison behind the sentence came out as the paper says, beyond what chance explains, large enough to "
        "matter and, where the paper prints a size, as large.",
    ),
    "PARTIAL": Meaning(
        "◐",
        "in some places, or smaller",
        "At least half of the places where the sentence was tried came out as the paper says and none the other way "
        "round; or the direction holds everywhere and the effect is smaller than printed, or can only be bounded.",
    ),
    "NEGLIGIBLE": Meaning(
        "≈",
        "true, but too small to matter",
        "The direction is as the paper says, beyond what chance explains, and the data exclude that it is large enough "
        "to matter.",
    ),
    "NOT REPRODUCED": Meaning(
        "✗",
        "the data speak against it",
        "A test of its own refutes the sentence: the data exclude that the effect is large enough to matter in every "
        "comparison that it needs, corrected for their number (Simes) and for the paper's other sentences.",
    ),
    "REVERSED": Meaning(
        "⇄",
        "the other way round",
        "Every comparison came out the other way round, beyond what chance explains, and that may matter.",
    ),
    "INCONCLUSIVE": Meaning(
        "?",
        "these seeds cannot tell",
        "These seeds neither show nor refute the sentence. “Not significant” is never read as “equal”; the table says "
        "how many seeds would decide.",
    ),
    "NOT LEARNT": Meaning(
        "○",
        "nobody has learnt",
        "No verdict: what is compared has not learnt, neither beyond chance nor beyond itself before training. It "
        "refutes nothing.",
    ),
    "NOT ASSESSED": Meaning(
        "…",
        "on purpose: the end of training, or a measurement, is still to come",
        "No verdict, on purpose: the sentence is about the end of training and this budget stops before it. "
        "The numbers are shown and decide nothing.",
    ),
    "INCOMPLETE": Meaning(
        "∅", "seeds are missing", "No verdict yet: seeds that the comparison needs have not been run."
    ),
    "INVALID": Meaning(
        "!",
        "a defect of our runs",
        "No verdict: two seeds have identical curves, a defect of our runs, not of the paper.",
    ),
    "UNTESTABLE": Meaning(
        "–", "nothing could decide it", "No verdict is possible on this sentence, for the reason given."
    ),
}


def counted(outcomes: Sequence[Outcome]) -> str:
    """`2 REPRODUCED, 1 INCONCLUSIVE`, in the fixed order."""
    return ", ".join(f"{n} {outcome}" for outcome in OUTCOMES if (n := list(outcomes).count(outcome)))


def robustness(found: Robustness) -> str:
    """`5 of 5, robust`."""
    return f"{found.same} of {found.judged}, {found.word}"


def signed(outcome: Outcome) -> str:
    """`✓ REPRODUCED`."""
    return f"{OUTCOMES[outcome].sign} {outcome}"


def conclusion(claim: Claim, verdict: Verdict) -> str:
    """The verdict on a claim as full sentences."""
    rows, note = verdict.rows, verdict.note
    match verdict.outcome:
        case "REPRODUCED":
            text = f"{_all(rows)} came out as the sentence says."
        case "PARTIAL":
            text = _partly(rows)
        case "NEGLIGIBLE":
            text = f"The direction is as the sentence says, but too small to matter: {_smaller(rows)}."
        case "NOT LEARNT":
            text = f"There is no verdict: {'; '.join(_unlearnt(rows))}."
        case "NOT REPRODUCED":
            text = _refuted(claim, rows)
        case "REVERSED":
            text = f"{_all(rows)} came out the other way round, beyond what chance explains."
        case "INCONCLUSIVE":
            text = f"These seeds neither show the sentence nor refute it{_open(rows)}."
        case "NOT ASSESSED":
            text = _unassessed(verdict)
        case "INCOMPLETE":
            text = f"There is no verdict yet: {note}. Comparisons whose seeds are all there are shown."
        case "INVALID":
            text = f"There is no verdict: {note}, which independent runs never have. Our runs must be repaired."
        case "UNTESTABLE":
            text = f"No verdict is possible: {note}"
    return text


def _refuted(claim: Claim, rows: Sequence[RowVerdict]) -> str:
    if all(row.outcome == "NEGLIGIBLE" for row in rows):
        each = "the comparison" if len(rows) == 1 else f"each of the {len(rows)} comparisons"
        return (
            "The data exclude that the effect is large enough to matter. Its direction is as the sentence says in "
            f"{each} by itself, but {NOT_AMONG_ALL}."
        )
    text = _refuted_alone(claim, rows) if len(rows) == 1 else _count(rows)
    which = "" if len(rows) == 1 or any(row.outcome in (*REFUTED, "NEGLIGIBLE") for row in rows) else NOT_TOLD_WHICH
    return f"The data speak against the sentence: {text}{which}."


def out_of_reach(found: Reach) -> str:
    """What so many seeds can never decide of a claim by itself; empty where there is nothing."""
    said = []
    for what, p, others in (
        ("shown", found.shown, found.others_shown),
        ("refuted", found.refuted, found.others_refuted),
    ):
        never = f"With {found.n_seeds} seeds it cannot be {what}, whatever they say"
        unless = f", unless {others} other{'s' if others > 1 else ''} of the paper's {_is(others)}" if others else ""
        if others != 0:
            said.append(f"{never}{unless}: p is {probability(p)} at best.")
    return " ".join(said)


def _open(rows: Sequence[RowVerdict]) -> str:
    if all(row.outcome in SHOWN for row in rows):
        each = "the comparison" if len(rows) == 1 else f"each of the {len(rows)} comparisons"
        return f": {each} came out as it says by itself, but {NOT_AMONG_ALL}"
    count = "" if len(rows) == 1 else f": {_count(rows)}"
    refuted = any(row.outcome in REFUTED for row in rows)
    return f"{count}; what is refuted is so by itself, but {NOT_AMONG_ALL}" if refuted else count


def _unassessed(verdict: Verdict) -> str:
    about = (
        ""
        if verdict.profile == "smoke"
        else " The numbers describe that first part and neither support nor contradict it."
    )
    return f"The sentence is not assessed: {verdict.note}.{about}"


def _all(rows: Sequence[RowVerdict]) -> str:
    return "The comparison" if len(rows) == 1 else f"All {len(rows)} comparisons"


def _count(rows: Sequence[RowVerdict]) -> str:
    shown = sum(row.outcome in SHOWN for row in rows)
    parts = [f"{shown} of {len(rows)} comparisons came out as it says"]
    for outcomes, what in (
        (("NEGLIGIBLE",), "too small to matter"),
        (REFUTED, "refuted"),
        (("INCONCLUSIVE",), "open"),
        (("NOT LEARNT",), "of nobody who has learnt"),
        (("NOT ASSESSED",), "not assessed yet"),
    ):
        labels = [row.label for row in rows if row.outcome in outcomes]
        named = f" ({'; '.join(labels)})" if what == "refuted" else ""
        if labels:
            parts.append(f"{len(labels)} {_is(len(labels))} {what}{named}")
    return ", ".join(parts)


def _smaller(rows: Sequence[RowVerdict]) -> str:
    if len(rows) > 1:
        return _count(rows)
    return f"the 90 % interval ends at {number(rows[0].high)}, below δ = {number(rows[0].delta)}"


def _unlearnt(rows: Sequence[RowVerdict]) -> list[str]:
    """Each reason once."""
    return list(dict.fromkeys(row.note for row in rows if row.outcome == "NOT LEARNT"))


def why(verdict: Verdict) -> str:
    """The first reason for which nobody counts as having learnt, and how many more there are."""
    found = _unlearnt(verdict.rows) if verdict.outcome == "NOT LEARNT" else []
    if not found:
        return ""
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    return f"learning is not shown beyond chance: {found[0].replace(NOBODY, '')}{more}"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _partly(rows: Sequence[RowVerdict]) -> str:
    shown = sum(row.outcome in SHOWN for row in rows)
    if shown < len(rows):
        return f"{_count(rows)[0].upper()}{_count(rows)[1:]}; none came out the other way round."
    if all(row.outcome == "REPRODUCED" for row in rows):
        return (
            f"Each of the {len(rows)} comparisons came out as the sentence says by itself, but all of them together "
            f"{NOT_AMONG_ALL}."
        )
    return (
        f"{_all(rows)} came out as the sentence says in direction, with an effect smaller than printed or only bounded."
    )


def _refuted_alone(claim: Claim, rows: Sequence[RowVerdict]) -> str:
    if math.isnan(rows[0].estimate):
        return rows[0].note
    if isinstance(claim.rows[0].rule, ONE_SIDED):
        exact = isinstance(claim.rows[0].rule, Seldom)
        return "it happens too often" if exact else "our mean lies beyond the printed number and its tolerance"
    return "the interval excludes an effect large enough to matter"


def comparisons(verdict: Verdict) -> str:
    """`5 of 8 as claimed`, and what the others came to."""
    if not verdict.rows:
        return "none"
    shown = sum(row.outcome in SHOWN for row in verdict.rows)
    others = counted([row.outcome for row in verdict.rows if row.outcome not in SHOWN])
    return f"{shown} of {len(verdict.rows)} as claimed" + (f"; {others.lower()}" if others else "")


def probability(value: float) -> str:
    """A p: `0.012`, `< 0.001`."""
    if math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.9995 else "1"


def duration(seconds: float) -> str:
    """`1 h 05 min`, `3 min` or `12 s`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


LEVEL = f"{ALPHA:g}"
