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
from benchmarks._judging.scores import Fixed, Gained, Reaches, Window
from benchmarks._judging.verdicts import judge
from benchmarks.dvm._targets import THIRD_COVERED
from benchmarks.mace import MILLION, RANDOM_WALK

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


# ---- the new target of push box -------------------------------------------------------------------------------------


def pushing(familiar: float, third: float, mean_return: float, n: int) -> World:
    """DVM without learning; its teams have learnt."""
    noise = 0.01 * statistics.generator("seeds").normal(size=n)

    def world(score: Score) -> Floats:
        if isinstance(score.statistic, Fixed):
            return np.full(n, score.statistic.value)
        if score.cell.name.startswith("Task"):
            return np.full(n, -144.5) if isinstance(score.statistic, Window) else -60 + noise
        if score.cell.name == "DVM, frozen":
            return mean_return + noise
        return np.clip((third if score.metric.name == THIRD_COVERED else familiar) + noise, 0, 1)

    return world


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("familiar", "third", "mean_return", "expected"),
    [
        (0.95, 0.0, -79.0, "REPRODUCED"),  # it pushes to the nearest target that it knows
        (0.95, 0.3, -75.0, "REPRODUCED"),
        (0.95, 0.9, -66.0, "NOT REPRODUCED"),
        (0.0, 0.0, -144.5, "NOT LEARNT"),  # nothing was distilled
    ],
)
def test_who_does_not_learn_on_does_not_reach_the_new_target(
    familiar: float, third: float, mean_return: float, n: int, expected: Outcome
) -> None:
    claim = claim_of("DVM-F7-3", "dvm/fig7")
    assert judged(claim, pushing(familiar, third, mean_return, n)).outcome == expected


# ---- what training adds, compared to the baselines ------------------------------------------------------------------


def paid(mace: float, shared: float, cloned: float, n: int) -> World:
    """What is paid in half a million samples, in units of what random play and untrained policies are paid there."""
    gains = {"MACE": mace, "Shared": shared, "Cloned": cloned}
    random = statistics.generator(f"paid, {n}")

    def world(score: Score) -> Floats:
        assert isinstance(score.statistic, Gained)
        unit = RANDOM_WALK[score.cell.environment] * (score.statistic.last - score.statistic.first) / MILLION
        return unit * (1 + gains.get(score.cell.name, 0.0)) + 0.1 * unit * random.normal(size=n)

    return world


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(("name", "figure"), [("MACE-F7-1", "mace/fig7"), ("MACE-T1-4", "mace/table1")])
@pytest.mark.parametrize(
    ("of_all", "expected"),
    [
        ((9.0, 3.0, 3.0), {"REPRODUCED"}),
        ((9.0, 9.0, 3.0), {"INCONCLUSIVE", "NOT REPRODUCED"}),  # one of the baselines is as good, in every game
        ((0.0, 0.0, 0.0), {"NOT LEARNT"}),
    ],
)
def test_more_than_the_baselines_is_more_than_both(
    of_all: tuple[float, float, float], name: str, figure: str, n: int, expected: set[Outcome]
) -> None:
    assert judged(claim_of(name, figure), paid(*of_all, n)).outcome in expected
