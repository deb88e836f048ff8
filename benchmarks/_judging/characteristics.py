"""How often a claim comes to each outcome if it is true, half true or false, simulated through its own rows.

Every row of every claim of a paper is fed with scores that vary as its own were seen to: its δ in standard deviations
of a seed, the correlation of seeds that are paired, the share of times that are censored. What comes out goes through
the rules that judge what is recorded, with the family at its full size.

True is the effect that the paper prints or else 2δ, in every row; half true is half of that, and false is none. Of what
is to be equal true is 0, half true δ or τ, false twice that. What is to scatter more does so by the same effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from benchmarks import (
    AboutEquals,
    Exceeds,
    Floats,
    Gap,
    Multiple,
    NoWorse,
    Outcome,
    Printed,
    PrintedTime,
    Role,
    Rule,
    Scatters,
    Shorter,
)
from benchmarks._judging import comparisons, decisions, statistics
from benchmarks._judging.comparisons import Found, Names, Ratio, Sides
from benchmarks._judging.decisions import Rows
from benchmarks._judging.evidence import Evidence
from benchmarks._judging.statistics import ALPHA, Splits

Truth = Literal["true", "half true", "false"]
TRUTHS: tuple[Truth, ...] = ("true", "half true", "false")
SHARES: Mapping[Truth, float] = {"true": 1.0, "half true": 0.5, "false": 0.0}
LOOKED_AT = (6, 10)
N_SPLITS = 1000  # of the 184 756 of ten seeds a side, which are enough for the levels that occur


@dataclass(frozen=True)
class Likeness:
    """What a row's scores are like, in standard deviations of a seed (of log T for times).

    `delta` is δ or τ (of `Multiple`: the standard deviation as a share of the right mean).
    """

    rule: Rule
    role: Role
    delta: float
    paired: bool = False
    correlation: float = 0.0
    censored: float = 0.0
    group: str = ""


@dataclass(frozen=True)
class Sketch:
    """A claim as it is simulated."""

    id: str
    rows: tuple[Likeness, ...]
    holds: Literal["all", "some"] = "all"


class Characteristic(NamedTuple):
    """How often a claim comes to each outcome at so many seeds, if `truth` is what holds."""

    n_seeds: int
    truth: Truth
    shares: dict[Outcome, float]


def sketch(id_: str, holds: Literal["all", "some"], evidence: Sequence[Evidence], otherwise: float) -> Sketch:
    """A claim from what was seen of its rows; `otherwise` is δ where nothing was."""
    return Sketch(id_, tuple(likeness(part, otherwise) for part in evidence), holds)


def likeness(part: Evidence, otherwise: float) -> Likeness:
    """What a row's scores are like, as far as they were seen."""
    row, known = part.row, interest(part)
    correlation = part.correlation if math.isfinite(part.correlation) else 0.0
    censored = min(part.censored[isinstance(row.rule, Shorter)], 0.9)
    delta = known if math.isfinite(known) else otherwise
    return Likeness(row.rule, row.role, delta, row.paired, correlation, censored, row.group)


def interest(part: Evidence) -> float:
    """δ in standard deviations of a seed; NaN where nothing is known of them."""
    delta, spread = part.shown.delta, part.spread
    if isinstance(part.row.rule, Shorter | PrintedTime):
        return math.log(delta) / spread if spread > 0 else math.nan
    if isinstance(part.row.rule, Multiple):
        return min(spread / part.shown.right_mean, 1.0) if part.shown.right_mean > 0 else math.nan
    return min(delta / spread, 100.0) if spread > 0 and delta > 0 else math.nan


def sketches(found: Mapping[str, tuple[Literal["all", "some"], Sequence[Evidence]]]) -> tuple[Sketch, ...]:
    """All claims of a family; a row of which nothing was seen has the median δ of those of which something was.

    None where nothing was seen of any.
    """
    seen = [interest(part) for _, evidence in found.values() for part in evidence]
    known = [value for value in seen if math.isfinite(value)]
    if not known:
        return ()
    otherwise = float(np.median(known))
    return tuple(sketch(id_, holds, evidence, otherwise) for id_, (holds, evidence) in found.items())


def characteristics(family: Sequence[Sketch], n_families: int = 400) -> dict[str, tuple[Characteristic, ...]]:
    """Of every claim, at six and ten seeds, among claims that are true, half true or false with equal chance."""
    if not family:
        return {}
    random = statistics.generator(f"characteristics of {', '.join(claim.id for claim in family)}")
    drawn = random.integers(len(TRUTHS), size=(len(family), n_families))
    shares = np.array([SHARES[truth] for truth in TRUTHS])[drawn]
    looks = simulated(family, shares, random, normal)
    return {
        claim.id: tuple(
            Characteristic(n_seeds, truth, counted(outcomes[i][drawn[i] == index]))
            for n_seeds, outcomes in zip(LOOKED_AT, looks, strict=True)
            for index, truth in enumerate(TRUTHS)
        )
        for i, claim in enumerate(family)
    }


def counted(outcomes: Names) -> dict[Outcome, float]:
    """The share of each outcome."""
    names: tuple[Outcome, ...] = (
        "REPRODUCED", "PARTIAL", "NEGLIGIBLE", "NOT REPRODUCED", "REVERSED", "INCONCLUSIVE",
    )  # fmt: skip
    return {name: float((outcomes == name).mean()) if len(outcomes) else math.nan for name in names}


# --------------------------------------------------------------------------------------------------------- the families

Shape = Callable[[np.random.Generator, int, int, float], tuple[Floats, Floats]]
"""Scores of both sides with mean 0 and standard deviation 1, seeds correlated by ρ. Shapes: [n, B] each."""


def normal(random: np.random.Generator, n: int, size: int, correlation: float) -> tuple[Floats, Floats]:
    """Gaussian scores."""
    left, own = random.normal(size=(2, n, size))
    return left, correlation * left + math.sqrt(1 - correlation**2) * own


def lognormal(random: np.random.Generator, n: int, size: int, correlation: float) -> tuple[Floats, Floats]:
    """Skewed scores: e^z."""
    mean, spread = math.exp(0.5), math.sqrt(math.e * (math.e - 1))
    left, right = ((np.exp(z) - mean) / spread for z in normal(random, n, size, correlation))
    return left, right


def collapsing(random: np.random.Generator, n: int, size: int, correlation: float) -> tuple[Floats, Floats]:
    """A fifth of the seeds collapses, on either side by itself: z/2 − 3 · (u < 1/5)."""
    sides = normal(random, n, size, correlation)
    left, right = ((z / 2 - 3.0 * (random.random((n, size)) < 0.2) + 0.6) / 1.3 for z in sides)
    return left, right


SHAPES: Mapping[str, Shape] = {"normal": normal, "lognormal": lognormal, "a fifth collapses": collapsing}


def simulated(family: Sequence[Sketch], shares: Floats, random: np.random.Generator, shape: Shape) -> tuple[Names, ...]:
    """The outcome of every claim in B families, at both looks: at the first six seeds, and at all ten.

    Shapes: shares [claims, B] of the effect that is there → [claims, B] at each look.
    """
    ways = [splits_of(n, random) for n in LOOKED_AT]
    looks: list[list[Rows]] = [[] for _ in LOOKED_AT]
    for claim, share in zip(family, shares, strict=True):
        noise = [shape(random, LOOKED_AT[-1], len(share), row.correlation if row.paired else 0.0) for row in claim.rows]
        for rows, n, splits in zip(looks, LOOKED_AT, ways, strict=True):
            found = [
                compared(row, share, (left[:n], right[:n]), splits)
                for row, (left, right) in zip(claim.rows, noise, strict=True)
            ]
            roles, groups = (tuple(getattr(row, name) for row in claim.rows) for name in ("role", "group"))
            rows.append(Rows(roles, claim.holds, *_stacked(found), groups))
    return tuple(np.stack([outcome for outcome, _, _ in decisions.decided(rows)]) for rows in looks)


def _stacked(found: Sequence[Found]) -> tuple[Floats, Floats, Floats, Names]:
    support, refuted, opposite = (
        np.stack([getattr(one, name) for one in found]) for name in ("support", "refuted", "opposite")
    )
    return support, refuted, opposite, np.stack([one.grade for one in found])


def splits_of(n_seeds: int, random: np.random.Generator) -> Splits:
    """All splits, or some; only of what could pass is more looked at than t."""
    every = statistics.splits(n_seeds, n_seeds).mask
    if len(every) <= N_SPLITS:
        return Splits(every, worth=ALPHA)
    drawn = random.choice(len(every), N_SPLITS, replace=False)
    return Splits(every[np.concatenate([[0], drawn])], itself=False, worth=ALPHA)


def compared(row: Likeness, share: Floats, noise: tuple[Floats, Floats], ways: Splits) -> Found:
    """One row of B claims, with a share of its effect. Shapes: share [B], noise [n, B] each."""
    (left, right), sides, delta = noise, Sides(row.paired, ways), row.delta
    off = (1 - share) * 2 * delta
    match row.rule:
        case Exceeds(of):
            gap = 3 * delta if isinstance(of, Gap) else math.nan
            found = comparisons.difference(
                left + share * (2 * delta if math.isnan(gap) else gap), right, delta, gap, sides
            )
        case NoWorse():
            found = comparisons.no_worse(left - off, right, delta, sides)
        case AboutEquals():
            found = comparisons.equality(left + off, right, delta, sides)
        case Printed():
            found = comparisons.printed(left + off, 0.0, delta)
        case PrintedTime(factor=factor):
            found = _one_time(row, factor, left + off)
        case Scatters():
            away = np.abs(np.stack(noise) - np.median(noise))  # of all seeds, whose deviations shall vary by 1
            wider = 1 / away.std() + share * 2 * delta / away.mean()
            found = comparisons.scatter(wider * left, right / away.std(), delta, sides)
        case Multiple(ratio):
            told = Ratio.of(row.rule)
            found = comparisons.multiple(1 + share * (ratio - 1) + delta * left, 1 + delta * right, told, sides)
        case Shorter():
            found = _times(row, Ratio.of(row.rule), share, noise, sides)
    return found


def _times(row: Likeness, ratio: Ratio, share: Floats, noise: tuple[Floats, Floats], sides: Sides) -> Found:
    """Times whose logarithm varies so that log r is δ, censored where the slower side was seen to be."""
    effect = 2 * math.log(ratio.interest) if math.isnan(ratio.printed) else math.log(ratio.printed)
    spread = math.log(ratio.interest) / row.delta
    limit = math.exp(spread * float(ndtri(1 - row.censored))) if row.censored else math.inf
    left, right = (np.exp(spread * noise[0] - share * effect), np.exp(spread * noise[1]))
    left, right = (np.where(side > limit, math.inf, side) for side in (left, right))
    return comparisons.times(left, right, ratio, limit, sides)


def _one_time(row: Likeness, factor: float, logs: Floats) -> Found:
    """A time whose logarithm varies so that log f is δ, censored where it was seen to be."""
    spread = math.log(factor) / row.delta
    limit = math.exp(spread * float(ndtri(1 - row.censored))) if row.censored else math.inf
    times = np.exp(spread * logs)
    return comparisons.printed_time(np.where(times > limit, math.inf, times), 1.0, factor, limit)


class Errors(NamedTuple):
    """What the rules do to a family as a whole, simulated, at one look or over both."""

    shape: str
    look: Literal["first", "second", "both"]
    decided: float  # share of claims that are supported or refuted, where half are true and half are false
    wrong: float  # of the claims that are decided
    supported_by_chance: float  # of families without any effect, with a claim REPRODUCED or PARTIAL
    refuted_by_chance: float  # of families whose every sentence is true, with one NOT REPRODUCED or REVERSED


def errors(family: Sequence[Sketch], shape: str, n_families: int = 200) -> tuple[Errors, ...]:
    """How often a whole family is judged wrongly: at the first look, at the second, and at either."""
    random = statistics.generator(f"errors of {len(family)} claims, {shape}")
    size = (len(family), n_families)
    half: NDArray[np.bool_] = random.random(size) < 0.5
    mixed, none, every = (
        simulated(family, share.astype(float), random, SHAPES[shape]) for share in (half, np.zeros(size), np.ones(size))
    )
    return (
        _erred(shape, "first", half, (mixed[:1], none[:1], every[:1])),
        _erred(shape, "second", half, (mixed[1:], none[1:], every[1:])),
        _erred(shape, "both", half, (mixed, none, every)),
    )


def _erred(
    shape: str,
    look: Literal["first", "second", "both"],
    half: NDArray[np.bool_],
    outcomes: tuple[tuple[Names, ...], tuple[Names, ...], tuple[Names, ...]],
) -> Errors:
    """Over some looks, each of which counts."""
    mixed, none, every = outcomes
    supported, refuted = _ever(mixed, decisions.SHOWN), _ever(mixed, decisions.REFUTED)
    is_decided, is_wrong = supported | refuted, (supported & ~half) | (refuted & half)
    return Errors(
        shape,
        look,
        float(is_decided.mean()),
        float(is_wrong.sum() / max(is_decided.sum(), 1)),
        float(_ever(none, decisions.SHOWN).any(axis=0).mean()),
        float(_ever(every, decisions.REFUTED).any(axis=0).mean()),
    )


def _ever(looks: Sequence[Names], outcomes: Sequence[str]) -> NDArray[np.bool_]:
    return np.asarray(np.isin(np.stack(looks), outcomes).any(axis=0))
