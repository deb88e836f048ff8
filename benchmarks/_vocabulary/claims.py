"""What is said: scores of runs, rules that compare them, and sentences that are true or not by what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks._vocabulary.cells import Cell, lineage

Floats = NDArray[np.float64]


class Statistic(Protocol):
    """A seed's curve turned into one number, fixed in advance. Implementations are frozen dataclasses."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""

    def __call__(self, curve: Curve) -> float:
        """The number; NaN where the run diverged or has nothing to read; +inf where an event did not come in time."""


@dataclass(frozen=True)
class Curve:
    """One metric of one seed; `empty` tests have seen nothing, and their values say nothing.

    `beside` is another metric of the same seed, where the score names one, with the next one beside it where it names
    several. `arrays` are those of the last test, where the cell's measure leaves any.

    Shapes: steps, values and empty [N]. Units: steps are environment steps per seed.
    """

    steps: Floats
    values: Floats
    horizon: int
    empty: NDArray[np.bool_] | None = None
    beside: Curve | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The tests that have seen something."""
        return np.ones(len(self.values), bool) if self.empty is None else ~self.empty

    @property
    def episodes(self) -> Floats:
        """Learning episodes at each point."""
        return self.steps / self.horizon


@dataclass(frozen=True)
class Metric:
    """A curve that scores read, by the name under which runs hold it; declared once, where its name is.

    `better` says which way is better. A diverged seed counts as the worst value seen; where neither way is better there
    is no worst value, and it supports nothing.

    `empty` says what a test without a finite value means. "never": no test is empty, so that the seed has diverged.
    "skipped": nothing was entered since the test before (no episode has ended); the test is left out. A number: it
    counts as that. A seed has diverged in any case where `witness`, another curve of the run, is not finite: it tells
    divergence from an empty test, and from a count that stands still.
    """

    name: str
    better: Literal["larger", "smaller", "neither"]
    empty: Literal["never", "skipped"] | float = "never"
    witness: str = ""

    def __post_init__(self) -> None:
        if self.empty != "never" and not self.witness:
            raise ValueError(f"{self.name}: only a witness tells an empty test from a diverged seed, found none")


@dataclass(frozen=True)
class Score:
    """One number a seed: a statistic of a metric of a cell, or of several, where it looks at others `beside` its own.

    `less` is another score that is taken off, seed by seed: what training has added to an untrained policy, or what one
    condition has over another. `among` leaves only the seeds of which something else is true.

    Raises: ValueError where it is taken off itself.
    """

    cell: Cell
    metric: Metric
    statistic: Statistic
    beside: Metric | tuple[Metric, ...] | None = None
    less: Score | None = None
    among: Among | None = None

    def __post_init__(self) -> None:
        if self.less is not None and self.less == self.bare:
            raise ValueError(f"{self.label}: a score that is taken off must be another one, got itself")

    def __hash__(self) -> int:
        """Of what tells nearly all scores apart, where that of all its parts takes long."""
        return hash((self.cell, self.metric.name))

    @property
    def label(self) -> str:
        """How tables call it."""
        less = "" if self.less is None else f" less {self.less.label}"
        return f"{self.cell.name} {self.metric.name}{less}"

    @property
    def bare(self) -> Score:
        """What of it is read of its own cell: nothing is taken off, and every seed counts."""
        return self if self.less is None and self.among is None else replace(self, less=None, among=None)

    @property
    def parts(self) -> tuple[Score, ...]:
        """Every bare score that it is made of, its own first."""
        others = [self.less] * (self.less is not None) + ([] if self.among is None else [self.among.score])
        return (self.bare, *(part for other in others if other is not None for part in other.parts))


@dataclass(frozen=True)
class Among:
    """Only the seeds whose `score` is above a level, for a reason; one that has diverged is above none."""

    score: Score
    above: float
    reason: str

    def __post_init__(self) -> None:
        _reasoned(f"a level of {self.above:g}", self.reason)


# ------------------------------------------------------------------------------- δ: the smallest difference of interest


@dataclass(frozen=True)
class Share:
    """δ is a share of the range from a level, such as random play, to the better side. The level is neither side."""

    reference: Score
    share: float = 0.1

    def __post_init__(self) -> None:
        _positive("a share of a range as δ", self.share)


@dataclass(frozen=True)
class Margin:
    """δ is a number in the unit of the score, for a reason."""

    value: float
    reason: str

    def __post_init__(self) -> None:
        _positive("δ", self.value)
        _reasoned("δ", self.reason)


@dataclass(frozen=True)
class Gap:
    """The paper prints the difference G: δ is a third of it, and a whole success has G within its interval."""

    value: float

    def __post_init__(self) -> None:
        _positive("a printed gap, from which δ is taken,", self.value)


Delta = Share | Margin | Gap


def _positive(what: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{what} must be above 0, because any noise is above 0, got {value}")


def _reasoned(what: str, reason: str) -> None:
    if not reason.strip():
        raise ValueError(f"{what} must have a reason, got none")


# --------------------------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True)
class Exceeds:
    """`left` is larger than `right`, by δ or more as far as the interval tells. Of a cost, the winner stands right."""

    delta: Delta


@dataclass(frozen=True)
class NoWorse:
    """`left` is not smaller than `right` by δ or more."""

    delta: Share | Margin


@dataclass(frozen=True)
class AboutEquals:
    """`left` and `right` differ by less than δ."""

    delta: Share | Margin


@dataclass(frozen=True)
class Scatters:
    """The seeds of `left` lie further from their median than those of `right` do from theirs, as by `Exceeds`."""

    delta: Margin


@dataclass(frozen=True)
class Oftener:
    """`left` happens in more seeds than `right`, 0 or 1 of each, by pairs: seed s of both sides has the same settings.

    What happens on neither side is nothing that can be told, and refutes nothing.
    """

    delta: Margin


@dataclass(frozen=True)
class Seldom:
    """What is 0 or 1 of every seed happens in a share of less than `share`, for a reason: “never”, with some slack."""

    share: float
    reason: str

    def __post_init__(self) -> None:
        _reasoned(f"a share of {self.share:g}", self.reason)
        if not 0 < self.share < 1:
            raise ValueError(f"a share must be above 0 and below 1, got {self.share:g}")


@dataclass(frozen=True)
class Shorter:
    """`left` is a shorter time than `right`, such as the episodes until a threshold is reached, or the steps of an
    episode; `ratio` is how many times shorter, where printed, and otherwise `smallest` the least ratio of interest."""

    ratio: float | None = None
    smallest: float = 1.1

    def __post_init__(self) -> None:
        _above_one(self.ratio)
        _above_one(self.smallest)


@dataclass(frozen=True)
class Multiple:
    """`left` is `ratio` times as large as `right`, both positive: the ratio of two means, as printed."""

    ratio: float

    def __post_init__(self) -> None:
        _above_one(self.ratio)


@dataclass(frozen=True)
class Printed:
    """`left` equals a number that the paper prints, within a tolerance that has a reason. `n_runs` is how many runs it
    is the mean of. A tolerance of 0 stands for what holds by construction: every seed has the number, or it fails."""

    value: float
    tolerance: float
    reason: str
    n_runs: int = 1

    def __post_init__(self) -> None:
        _reasoned(f"a tolerance of {self.tolerance:g}", self.reason)


@dataclass(frozen=True)
class PrintedTime:
    """`left` is a time that the paper prints, within a factor that has a reason. Means are geometric; one that was not
    reached within the budget hides a longer time."""

    value: float
    factor: float
    reason: str

    def __post_init__(self) -> None:
        _positive("a printed time", self.value)
        _above_one(self.factor)
        _reasoned(f"a factor of {self.factor:g}", self.reason)


ONE_SIDED = (Printed, PrintedTime, Seldom)
"""Rules whose other side is a number."""


def _above_one(ratio: float | None) -> None:
    if ratio is not None and not ratio > 1:
        raise ValueError(f"a ratio must be above 1, got {ratio}: exchange the sides")


Rule = Exceeds | NoWorse | AboutEquals | Scatters | Oftener | Seldom | Shorter | Multiple | Printed | PrintedTime


# ------------------------------------------------------------------------------------------------------ rows and claims

About = Literal["beginning", "end", "structure"]
Role = Literal["necessary", "claim", "replicate", "doubt"]


@dataclass(frozen=True)
class Arm:
    """A learner, and the same one before it has learnt: an early stretch of its own curve, or a frozen copy."""

    trained: Score
    untrained: Score


@dataclass(frozen=True)
class Learnt:
    """One of the arms has learnt: it is better than chance by δ, and better than it was before, each shown at .05.

    Better is what the metric says. Two of these in a row's `learnt` ask that either holds of its own arms.
    """

    arms: tuple[Arm, ...]
    chance: Score
    delta: Share | Margin


@dataclass(frozen=True)
class Row:
    """One comparison of a claim.

    `about` says what it speaks of: the "beginning" of training, which a truncated budget has too; its "end", which is
    not assessed before; or "structure", that is, nothing about training, such as a property of a game.

    `role`: a "claim" and a "necessary" condition (true of every success, but trivial by itself) must hold, or the
    sentence does not; a "replicate" is the sentence once more elsewhere (another game, size or rival), of which PARTIAL
    counts how many hold. Replicates of one `group` hold together, and count once. A "doubt" is the sentence as its text
    can be read, too: it supports nothing, but where no such row is refuted nothing of the sentence is.

    `learnt` holds preconditions. Where one fails the row is NOT LEARNT, which refutes nothing.

    `seeds` says which are compared: "all", or "taught" ones, whose own teachers had learnt. Those are told by what both
    sides start from and not by what came of it, so that nothing is chosen by its result.

    `even` is the right side after as many updates as the left has made, where as many episodes make unlike many: an
    analysis compares it instead.

    Raises: ValueError where a side is missing, δ is measured from one of the two sides, or `even` is of another cell.
    """

    label: str
    left: Score
    right: Score | None
    rule: Rule
    about: About
    role: Role = "claim"
    learnt: tuple[Learnt, ...] = ()
    group: str = ""
    seeds: Literal["all", "taught"] = "all"
    even: Score | None = None

    def __post_init__(self) -> None:
        if (self.right is None) != isinstance(self.rule, ONE_SIDED):
            found = "no right side" if self.right is None else "a right side"
            raise ValueError(f"{self.label}: Printed has one side and every other rule two, found {found}")
        if self.group and self.role != "replicate":
            raise ValueError(f"{self.label}: only replicates have a group, found {self.group!r} of role {self.role}")
        if reference_of(self.rule) in (self.left, self.right) and reference_of(self.rule) is not None:
            raise ValueError(f"{self.label}: δ must not be measured from one of the two sides: give another level")
        if self.even is not None and (self.right is None or self.even.cell != self.right.cell):
            raise ValueError(f"{self.label}: even must be the right side's cell at another time, got {self.even.label}")

    @cached_property
    def _scores(self) -> tuple[Score, ...]:
        sides = [score for score in (self.left, self.right, reference_of(self.rule)) if score is not None]
        return (
            *sides,
            *(part for side in sides if side != side.bare for part in side.parts),
            *(of for learnt in self.learnt for of in scores_in(learnt)),
        )

    @cached_property
    def of_teachers(self) -> tuple[Learnt, ...]:
        """The preconditions that ask of nothing but what both sides start from."""
        sides = [score.cell for score in (self.left, self.right) if score is not None]
        shared = set.intersection(*({cell.key for cell in lineage(side)[:-1]} for side in sides))
        return tuple(part for part in self.learnt if {arm.trained.cell.key for arm in part.arms} <= shared)

    @cached_property
    def paired(self) -> bool:
        """Whether seed s of both sides comes from one run or lineage, so that sides are compared seed by seed."""
        if self.right is None:
            return False
        left, right = (
            {cell.key for part in side.parts for cell in lineage(part.cell)} for side in (self.left, self.right)
        )
        return isinstance(self.rule, Oftener) or bool(left & right)


def reference_of(rule: Rule) -> Score | None:
    """The level from which a rule measures δ, where it does."""
    delta = rule.delta if isinstance(rule, Exceeds | NoWorse | AboutEquals) else None
    return delta.reference if isinstance(delta, Share) else None


@dataclass(frozen=True)
class Claim:
    """A falsifiable sentence, and the comparisons that decide it.

    `quote` is the paper's sentence verbatim, with “…” around each piece, and `place` where it stands; `reading` says in
    our words what is judged. The kind "sentence" is the paper's and could have failed; a "check" is ours, or cannot
    fail, and the headline does not count it; it may do without a quote.

    `lacks` says what must be measured, and is not yet, before the sentence can be judged: its rows, none or some of
    those that it needs, are shown, and it is counted in its family.

    `holds`: of its replicates "all" must hold, or "some" where the paper says that something can be.

    `untestable` says why nothing could decide it. `lacks` says what must be measured, and is not yet, before it can be
    judged; until then its rows are what of it can be said already, perhaps none, and it is counted but not judged.

    Claims of a kind in a paper are one family: they are corrected for one another, whatever has been run.
    """

    id: str
    quote: str
    place: str
    reading: str
    rows: tuple[Row, ...]
    kind: Literal["sentence", "check"] = "sentence"
    holds: Literal["all", "some"] = "all"
    untestable: str = ""
    lacks: str = ""
    note: str = ""

    @property
    def sentence(self) -> str:
        """What it says, in one line: the paper's words where it has any, and ours."""
        if not self.quote or self.reading in ("", self.quote):
            return self.quote or self.reading
        return f"{self.quote} ({self.reading})"


def scores_of(row: Row) -> tuple[Score, ...]:
    """Every score that a row reads: its sides, the level of δ, what sides are made of, and those of preconditions."""
    return row._scores


def scores_in(learnt: Learnt) -> tuple[Score, ...]:
    """Every score that a precondition reads."""
    levels = [learnt.delta.reference] if isinstance(learnt.delta, Share) else []
    return (*(score for arm in learnt.arms for score in (arm.trained, arm.untrained)), learnt.chance, *levels)
