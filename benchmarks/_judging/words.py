"""Effects, shares and numbers in words, the same in the terminal and on every page."""

from __future__ import annotations

import math

from algorithms.frozen import Frozen
from benchmarks import (
    AboutEquals,
    Claim,
    Multiple,
    NoWorse,
    Oftener,
    Printed,
    PrintedTime,
    Row,
    RowVerdict,
    Score,
    Seldom,
    Shorter,
    Verdict,
)
from benchmarks._judging.readings import OPEN
from benchmarks._judging.scores import Fixed
from benchmarks._training.loop import TEST_RETURN


def weakest(claim: Claim, verdict: Verdict) -> int | None:
    """The comparison that the verdict hangs on: of those that came to the same as the claim, or else of all that it is
    made of, the one that is furthest from showing what the claim says."""
    asked = [
        (found.outcome == verdict.outcome, found.p, i)
        for i, (row, found) in enumerate(zip(claim.rows, verdict.rows, strict=False))
        if row.role not in ("necessary", "doubt") and is_measured(found)
    ]
    return max(asked)[-1] if asked else None


def is_measured(found: RowVerdict) -> bool:
    """Whether a comparison has an effect and a least one that matters."""
    return math.isfinite(found.estimate) and math.isfinite(found.delta) and found.delta > 0


def effect(row: Row, found: RowVerdict) -> str:
    """What one comparison came to, in the unit of its score, with its interval and the least that matters."""
    match row.rule:
        case Printed():
            beside = f"a difference of {plus(found.estimate)}, {span(found)}"
            text = f"{number(found.left_mean)} where {number(found.right_mean)} is printed, {beside}"
        case PrintedTime():
            text = f"{number(found.left_mean)} where {number(found.right_mean)} is printed; ratio {_ratio(found)}"
        case Shorter():
            text = f"ratio of times, right over left, {_ratio(found)}"
            if found.low == 0 and found.high == math.inf:
                text = "too few seeds of either side reached it within the budget to bound the ratio of times"
        case Multiple():
            text = f"ratio, left over right, {_ratio(found)}"
        case Oftener():
            text = f"in {percent(found.left_mean)} of the seeds, where the other has {percent(found.right_mean)}"
            text = f"{text}: a difference of {plus(found.estimate)}, {span(found)}"
        case Seldom():
            text = f"in {percent(found.left_mean)} of the seeds that count, {span(found)}"
        case _:
            text = f"{sides(row, found)}{plus(found.estimate)} in {quantity(row.left)}, {span(found)}"
    return f"{text}; {margin(row, found)}" if math.isfinite(found.delta) else text


def sides(row: Row, found: RowVerdict) -> str:
    """`0 (fixed) against 0.85 (MACE without KL): `, where a label does not tell which side is which: of a fixed number,
    and where one is to be no worse, which is as well said of the other."""
    if row.right is None or not (isinstance(row.rule, NoWorse) or is_fixed(row.left) or is_fixed(row.right)):
        return ""
    left, right = ("fixed" if is_fixed(side) else side.cell.name for side in (row.left, row.right))
    return f"{number(found.left_mean)} ({left}) against {number(found.right_mean)} ({right}): "


def is_fixed(score: Score) -> bool:
    """Whether it is a number that no run has a say in."""
    return isinstance(score.statistic, Fixed)


def origin(level: Score, learner: Score) -> str:
    """Whose a level is by which it is told whether somebody has learnt: `untrained`, of the learner itself before it
    has, `fixed`, of a number that no run has a say in, or `by chance`, of who never learns."""
    if is_fixed(level):
        return "fixed"
    before = level.cell == learner.cell and level.metric == learner.metric
    return "untrained" if before or isinstance(level.cell.algorithm, Frozen) else "by chance"


def quantity(score: Score) -> str:
    """What a score is a number of: its metric, or what its statistic makes of that and of what lies beside it."""
    less = "" if score.less is None else f", less that of {score.less.cell.name}"
    return f"{getattr(score.statistic, 'quantity', metric(score.metric.name))}{less}"


def metric(name: str) -> str:
    """A metric in words: `test return (greedy)` says with which policy."""
    policy = name.removeprefix(f"{TEST_RETURN} ")
    return name if policy == name else f"{TEST_RETURN} ({policy})"


def margin(row: Row, found: RowVerdict) -> str:
    """By which margin it was judged."""
    delta = number(found.delta)
    match row.rule:
        case Printed() | PrintedTime():
            return f"within {'a factor of ' if isinstance(row.rule, PrintedTime) else '±'}{delta} counts as equal"
        case AboutEquals():
            return f"within ±{delta} counts as about equal"
        case Seldom():
            return f"below {delta} counts as hardly ever"
        case NoWorse():
            return f"up to {delta} below counts as no worse"
        case _:
            return f"from {delta} on it matters"


def _ratio(found: RowVerdict) -> str:
    return f"{number(found.estimate)}, {span(found)}"


def share(part: float, verdict: Verdict) -> str:
    """`12 % of the paper's steps, judged on the beginning`."""
    if part >= 1:
        return "all of the paper's steps"
    end = ", judged on the beginning" if verdict.outcome not in (*OPEN, "NOT LEARNT") else ""
    return f"{percent(part)} of the paper's steps{end}"


def span(row: RowVerdict) -> str:
    """The 90 % interval of a row."""
    return f"90 % interval {number(row.low)} to {number(row.high)}"


def number(value: float) -> str:
    """Three digits or all before the point, with a true minus; “–” for none."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    digits = 0 if size >= 100 or value == 0 else 1 if size >= 10 else 2
    text = f"{value:,.{digits}f}" if size >= 0.1 or value == 0 else f"{value:.2g}"
    return text.replace("-", "−")


def plus(value: float) -> str:
    """The same with its sign: a difference."""
    return f"+{number(value)}" if value > 0 and math.isfinite(value) else number(value)


def percent(value: float) -> str:
    """`67 %`, `0.4 %`."""
    return f"{100 * value:.0f} %" if value >= 0.1 or value == 0 else f"{100 * value:.1f} %"
