"""Two sets of curves in one unit: whether they agree, by how much they may differ, and how soon each comes where.

They agree where in every quarter of what both have the difference of the means lies within a margin, by two one-sided
tests at .05, the larger p of Welch's and of the permutation test each: if they differed by the margin in any quarter,
all four would pass in at most 5 % of cases. They differ where it is beyond the margin in a quarter, at .05 over the
four. Otherwise nothing is shown, which is said, and never read as agreement.

    found = equivalence(theirs, ours, Margin(30.0, "…"), better="larger")
    found.verdict, found.excluded
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from benchmarks import Floats, Margin
from benchmarks._exchange.curves import Track
from benchmarks._judging import statistics
from benchmarks._judging.comparisons import Found, Sides, equality
from benchmarks._judging.statistics import ALPHA

N_PARTS = 4
FEWEST_TESTS = 2
POWER = 0.9
"""With which a difference of a margin is told from none on one side, and so no difference shown by both in .8."""

Tracks = Mapping[str, Track]
Way = Literal["larger", "smaller"]
Answer = Literal["AGREE", "DIFFER", "UNDECIDED"]


class Span(NamedTuple):
    """What every seed of both sides has. Units: environment steps."""

    first: float
    last: float

    @property
    def parts(self) -> tuple[Span, ...]:
        """Its quarters."""
        edges = np.linspace(self.first, self.last, N_PARTS + 1).tolist()
        return tuple(Span(*edges[i : i + 2]) for i in range(N_PARTS))


class Part(NamedTuple):
    """A quarter: the mean of every seed, and how they compare. Shapes: theirs [n], ours [m]."""

    span: Span
    theirs: Floats
    ours: Floats
    found: Found


@dataclass(frozen=True)
class Equivalence:
    """What the quarters come to."""

    margin: Margin
    better: Way
    span: Span
    parts: tuple[Part, ...]
    diverged: tuple[str, ...] = ()

    @property
    def verdict(self) -> Answer:
        """Whether they agree, differ, or nothing is shown; a seed that diverged agrees with nothing."""
        if self.diverged:
            return "DIFFER"
        if all(part.found.support <= ALPHA for part in self.parts):
            return "AGREE"
        beyond = min(float(part.found.refuted) for part in self.parts) * len(self.parts)
        return "DIFFER" if beyond <= ALPHA else "UNDECIDED"

    @property
    def clearest(self) -> Part:
        """The quarter that is most clearly beyond the margin."""
        return min(self.parts, key=lambda part: float(part.found.refuted))

    @property
    def loss(self) -> float:
        """In the last quarter, the largest loss that is still within a one-sided 95 % bound; ∞ with one seed a side."""
        last = self.parts[-1].found
        return max(0.0, float(-last.low if self.better == "larger" else last.high))

    @property
    def seeds_to_decide(self) -> int:
        """How many seeds a side would show agreement four times in five, if there were no difference."""
        few = min(min(len(part.theirs), len(part.ours)) for part in self.parts)
        if few < 2:
            return 0
        spread = max(statistics.pooled_deviation(part.theirs, part.ours) for part in self.parts)
        return statistics.seeds_for_power(self.margin.value / spread, power=POWER) if spread else few


def span(theirs: Tracks, ours: Tracks) -> Span | None:
    """From where on and how far every seed of both sides goes, None where that is less than two tests of ours.

    It ends before the first value of ours that is not finite, from which on nothing is known.
    """
    every = [*theirs.values(), *ours.values()]
    first, last = (max(track.steps[0] for track in every), min(track.steps[-1] for track in every))
    steps = next(iter(ours.values())).steps
    known = np.isfinite([track.values for track in ours.values()]).all(axis=0)
    within = steps[known & (steps >= first) & (steps <= last)]
    if not known.all():
        within = within[within < steps[~known & (steps >= first)].min(initial=math.inf)]
    return Span(first, float(within[-1])) if len(within) >= FEWEST_TESTS and within[-1] > first else None


def means(tracks: Tracks, part: Span) -> Floats:
    """The mean over a span of every seed's curve, which is straight between its tests. Shapes: [n]."""
    return np.array([_mean(track, part) for track in tracks.values()])


def _mean(track: Track, part: Span) -> float:
    """∫ y d(step) over the span, divided by its length."""
    inside = (track.steps > part.first) & (track.steps < part.last)
    steps = np.concatenate([[part.first], track.steps[inside], [part.last]])
    values = np.interp(steps, track.steps, track.values)
    return float(np.trapezoid(values, steps) / (part.last - part.first))


def equivalence(theirs: Tracks, ours: Tracks, margin: Margin, better: Way, within: Span) -> Equivalence:
    """All quarters compared, of the seeds of theirs that have not diverged.

    Raises: ValueError where all of them have.
    """
    diverged = tuple(seed for seed, track in theirs.items() if not _is_finite(track, within))
    kept = {seed: track for seed, track in theirs.items() if seed not in diverged}
    if not kept:
        raise ValueError("all of these seeds have diverged: each has a value that is not finite where ours are")
    parts = []
    for part in within.parts:
        left, right = means(kept, part), means(ours, part)
        sides = Sides(paired=False, splits=statistics.splits(len(left), len(right), "equivalence"))
        parts.append(Part(part, left, right, equality(left, right, margin.value, sides)))
    return Equivalence(margin, better, within, tuple(parts), diverged)


def _is_finite(track: Track, within: Span) -> bool:
    """Whether a curve has values up to the end of a span."""
    return bool(np.isfinite(track.values[track.steps <= within.last]).all())


class Lone(NamedTuple):
    """One run beside ours in a quarter: where 95 % of single runs like ours lie, and whether it lies there."""

    low: float
    high: float
    inside: bool


def lone(part: Part) -> Lone | None:
    """What can be said of one run; None where there are more, or one of ours alone."""
    if len(part.theirs) != 1 or len(part.ours) < 2:
        return None
    low, high = statistics.prediction_interval(part.ours)
    return Lone(low, high, bool(low <= part.theirs[0] <= high))
