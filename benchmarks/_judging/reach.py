"""What a sentence can come to at best with so many seeds: an exact test of few has a smallest p, whatever they show.

Every row is fed, through the rules that judge what is recorded, with sides that are as far apart as can be, either way,
and with sides that are the same. Of its p each is taken as small as it ever is; what the claim comes to then, and the
correction over its family, are again those of the rules. A sentence that is not decided then never is, unless others of
its paper are decided with it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from benchmarks import AboutEquals, Claim, Exceeds, Floats, NoWorse, Printed, PrintedTime, Row, Scatters, Seldom
from benchmarks._judging import decisions, verdicts
from benchmarks._judging.decisions import Questions
from benchmarks._judging.evidence import Evidence, Lookup, SeedScores, weigh
from benchmarks._judging.statistics import ALPHA

FAR = 1e9  # beyond any margin


class Reach(NamedTuple):
    """The smallest p of a claim at so many seeds, and how many others must be decided with it so that it can be.

    None of either where not even all others are enough.
    """

    n_seeds: int
    shown: float
    refuted: float
    others_shown: int | None
    others_refuted: int | None


def reach(claim: Claim, n_claims: int, n_seeds: int) -> Reach:
    """Of one of the `n_claims` claims of its kind in a paper."""
    best = at_best(claim, n_seeds)
    numbers = range(n_claims)
    others = [next((n for n in numbers if _least(best, n_claims, n)[which] <= ALPHA), None) for which in (0, 1)]
    return Reach(n_seeds, *_least(best, n_claims, 0), *others)


def _least(best: Questions, n_claims: int, n_others: int) -> tuple[float, float]:
    """The p of "shown" and of "refuted" after correction, where some others are decided for certain."""
    certain = Questions(*(np.zeros(1) for _ in best))
    p, *_ = decisions.corrected([best, *[certain] * n_others], n_claims - 1 - n_others)
    return float(min(p.whole, p.part)[0]), float(min(p.refuted, p.reversed)[0])


def at_best(claim: Claim, n_seeds: int) -> Questions:
    """The four p of a claim before correction over the family, each as small as it can be. Shapes: [1]."""
    rows = [row_at_best(row, claim, n_seeds) for row in claim.rows]
    return decisions.questions_of(verdicts.asked(claim, rows, [True] * len(rows)))


def row_at_best(row: Row, claim: Claim, n_seeds: int) -> Evidence:
    """A row with the smallest of each of its p; its preconditions are taken as met."""
    bare = replace(row, learnt=(), seeds="all")
    return replace(_smallest(Alike.of(bare, claim), n_seeds), row=bare)


@dataclass(frozen=True)
class Alike:
    """A row as far as its smallest p hang on it: between sides that are as far apart as can be no margin matters."""

    rule: Any
    paired: bool
    better: str
    row: Row = field(compare=False)
    claim: Claim = field(compare=False)

    @classmethod
    def of(cls, row: Row, claim: Claim) -> Alike:
        """The rows of all four papers are of some forty kinds."""
        rule: Any = row.rule
        if isinstance(rule, Exceeds | NoWorse | AboutEquals | Scatters):
            rule = type(rule), type(rule.delta)
        return cls(rule, row.paired, row.left.metric.better, row, claim)


@functools.cache
def _smallest(alike: Alike, n_seeds: int) -> Evidence:
    row, claim = alike.row, alike.claim
    found = [weigh(row, claim, fed(row, *sides)) for sides in extremes(row, n_seeds)]
    support, refuted, opposite = (
        min(getattr(one, name) for one in found) for name in ("support", "refuted", "opposite")
    )
    return replace(found[0], support=support, refuted=refuted, opposite=opposite)


def fed(row: Row, left: Floats, right: Floats) -> Lookup:
    """Gives the sides of a row what they are fed with, and 0 for everything else that it reads."""
    known = {row.left: SeedScores(left), row.right: SeedScores(right)}
    other = SeedScores(np.zeros(len(left)))
    return lambda score: known.get(score, other)


def extremes(row: Row, n_seeds: int) -> Iterator[tuple[Floats, Floats]]:
    """Sides at which one of the p of a row is as small as it can be. Shapes: [n] each."""
    near, far = np.ones(n_seeds), np.full(n_seeds, FAR)
    apart = far * (-1.0) ** np.arange(n_seeds)
    match row.rule:
        case Seldom():
            yield from ((0 * near, near), (near, near))
        case Printed(value=value) | PrintedTime(value=value):
            yield from ((value * near, near), (far, near))
        case Scatters():
            yield from ((apart, near), (near, apart))
        case _:
            yield from ((far, near), (near, far), (near, near))
