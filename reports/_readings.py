"""A claim's specification curve: one comparison under every reading, sorted, and which decision each of them changes.

Effects are shown in the smallest effect of interest by default, δ, so that all readings share one axis: 0 is none, 1 is
just large enough to matter. Ratios are counted in their logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import Claim, Multiple, Outcome, Row, RowVerdict, Shorter
from benchmarks._judging.readings import Read, Robustness, robustness
from benchmarks._judging.words import is_measured, weakest

ROOM = 0.08  # beside the outermost values, as a share of the axis


class Mark(NamedTuple):
    """One reading. Units: `estimate`, its 90 % interval and `delta` in the default's δ; places on the axis in percent.

    `bound` is where its own δ lies; `open_low` and `open_high` say that the interval goes on beyond the axis.
    """

    name: str
    question: str
    choice: str
    outcome: Outcome
    estimate: float
    low: float
    high: float
    delta: float
    at: float
    left: float
    right: float
    bound: float
    open_low: bool
    open_high: bool

    @property
    def is_default(self) -> bool:
        """Whether it is our own choice of everything."""
        return not self.name


class Axis(NamedTuple):
    """Where an axis begins and ends. Units: the default's δ."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value lies, in percent, at an end where it is beyond it."""
        return 100 * min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


class Specification(NamedTuple):
    """The curve of a claim: `label` is the comparison that it shows, and `waiting` are readings that have not been run.

    `zero` and `one` are where no effect and the default's δ lie, in percent.
    """

    label: str
    outcome: Outcome
    marks: tuple[Mark, ...]
    robustness: Robustness
    waiting: tuple[Read, ...]
    zero: float
    one: float


def specification(claim: Claim, reads: Sequence[Read]) -> Specification | None:
    """The curve of the comparison that decides a claim by default; None where there is nothing to show it beside."""
    found = robustness(reads)
    index = weakest(claim, reads[0].verdict)
    if index is None or found.judged <= 1:
        return None
    unit = reads[0].verdict.rows[index].delta
    judged = [read for read in reads if index < len(read.verdict.rows) and is_measured(read.verdict.rows[index])]
    effects = [_effects(claim.rows[index], read.verdict.rows[index], unit) for read in judged]
    axis = axis_of(effects)
    marks = [_mark(read, values, axis) for read, values in zip(judged, effects, strict=True)]
    waiting = tuple(read for read in reads if read not in judged)
    ordered = tuple(sorted(marks, key=lambda mark: -mark.estimate))
    return Specification(
        claim.rows[index].label, reads[0].verdict.outcome, ordered, found, waiting, axis.place(0.0), axis.place(1.0)
    )


class Effects(NamedTuple):
    """What a comparison came to, in the default's δ."""

    estimate: float
    low: float
    high: float
    delta: float


def _effects(row: Row, found: RowVerdict, unit: float) -> Effects:
    """Differences in δ, ratios in its logarithm."""
    values = (found.estimate, found.low, found.high, found.delta)
    if isinstance(row.rule, Shorter | Multiple):
        return Effects(*(_log(value) / math.log(unit) for value in values))
    return Effects(*(value / unit for value in values))


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def axis_of(effects: Sequence[Effects]) -> Axis:
    """From the least to the largest estimate, with 0, δ and the default's whole interval, which stands first."""
    ends = [0.0, 1.0, effects[0].low, effects[0].high, *(effect.estimate for effect in effects)]
    known = [value for value in ends if math.isfinite(value)]
    room = ROOM * (max(known) - min(known))
    return Axis(min(known) - room, max(known) + room)


def _mark(read: Read, effects: Effects, axis: Axis) -> Mark:
    return Mark(
        read.name,
        read.question,
        read.choice,
        read.verdict.outcome,
        *effects,
        at=axis.place(effects.estimate),
        left=axis.place(effects.low),
        right=axis.place(effects.high),
        bound=axis.place(effects.delta),
        open_low=not effects.low >= axis.low,
        open_high=not effects.high <= axis.high,
    )
