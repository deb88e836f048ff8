"""Claims in worlds of which we know what is so: where the sentence is true, where it is false, where nobody learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from benchmarks import Claim, Floats, Outcome, Score, Verdict
from benchmarks._catalogue import chosen
from benchmarks._judging import statistics
from benchmarks._judging.evidence import SeedScores, read, weighed
from benchmarks._judging.scores import Fixed, Reaches
from benchmarks._judging.verdicts import judge

World = Callable[[Score], Sequence[float] | Floats]


def claim_of(name: str, figure: str) -> Claim:
    (found,) = (claim for of in chosen(figure) for claim in of.claims if claim.id == name)
    return found


def judged(claim: Claim, world: World, n_further: int = 0) -> Verdict:
    """The verdict on a claim, among further ones that are as yet untouched."""

    def lookup(score: Score) -> SeedScores:
        return read(score, lambda bare: SeedScores(np.asarray(world(bare), float)))

    others = [Claim(f"other {i}", "", "", "…", (), lacks="…") for i in range(n_further)]
    return judge([claim, *others], weighed([claim], lookup), "paper", lambda _: True)[0]


# ---- the KL term of MACE --------------------------------------------------------------------------------------------

N_SENTENCES = 20
BY_CHANCE = 0.3 + 0.01 * statistics.generator("random play").normal(size=20)


def search(with_kl: Sequence[float], without: Sequence[float]) -> World:
    """20 configurations, of whom the first come to the success that is given and all others stay at random play."""
    successes = {"MACE": with_kl, "MACE without KL": without, "random walk": ()}

    def world(score: Score) -> Floats:
        first = successes[score.cell.name]
        values = np.concatenate([first, BY_CHANCE[len(first) :]])
        if isinstance(score.statistic, Fixed):
            return np.full(20, score.statistic.value)
        return (values >= score.statistic.level).astype(float) if isinstance(score.statistic, Reaches) else values

    return world


WELL = (0.8, 0.75, 0.9, 0.6, 0.85, 0.7, 0.65, 0.8)
NOTHING = (0.0, 0.01, 0.0, 0.02, 0.0, 0.01, 0.0, 0.0)


@pytest.mark.parametrize(
    ("with_kl", "without", "expected"),
    [
        (WELL, NOTHING, "REPRODUCED"),
        (WELL, (*NOTHING[:6], math.nan, math.nan), "REPRODUCED"),
        (WELL, WELL, "NOT REPRODUCED"),
        (WELL, (), "NOT REPRODUCED"),  # random play is paid: that is not 0
        (WELL, (*NOTHING[:7], 0.8), "INCONCLUSIVE"),  # “for any” allows none
        (WELL[:5], NOTHING[:5], "NOT LEARNT"),  # too few to tell from chance
        ((), WELL, "NOT REPRODUCED"),  # it is solved without, and only so
        ((), (), "NOT LEARNT"),
    ],
)
def test_without_kl_nothing_is_solved_that_is_solved_with_it(
    with_kl: Sequence[float], without: Sequence[float], expected: Outcome
) -> None:
    claim = claim_of("MACE-KL-2", "mace/kl")
    assert judged(claim, search(with_kl, without), N_SENTENCES - 1).outcome == expected
