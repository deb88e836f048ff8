"""Claims in worlds of which we know what is so: where the sentence is true, where it is false, where nobody learns."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import Claim, Floats, Outcome, Score, Verdict, mapped
from benchmarks._catalogue import chosen
from benchmarks._judging import statistics
from benchmarks._judging.evidence import SeedScores, read, weighed
from benchmarks._judging.readings import even
from benchmarks._judging.scores import Area, Fixed, Gained, Rate, Reaches, Window
from benchmarks._judging.verdicts import judge
from benchmarks.dimapg import HORIZON, alone
from benchmarks.dimapg._levels import NAVIGATION
from benchmarks.dimapg._measures import ADAPTED
from benchmarks.dimapg.fig3 import outer
from benchmarks.dvm._targets import THIRD_COVERED
from benchmarks.mace import MILLION, RANDOM_WALK
from benchmarks.mace.table1 import DISTANCES

World = Callable[[Score], Sequence[float] | Floats]


def claim_of(name: str, figure: str) -> Claim:
    (found,) = (claim for of in chosen(figure) for claim in of.claims if claim.id == name)
    return found


def judged(claim: Claim, world: World, n_further: int = 0) -> Verdict:
    """The verdict on a claim, among further ones as yet untouched."""

    def lookup(score: Score) -> SeedScores:
        return read(score, lambda bare: SeedScores(np.asarray(world(bare), float)))

    others = [Claim(f"other {i}", "", "", "…", (), lacks="…") for i in range(n_further)]
    return judge([claim, *others], weighed([claim], lookup), "paper", lambda _: True)[0]


def refuted_if_enough(expected: Outcome, n: int) -> set[Outcome]:
    """Six seeds may be too few to refute a sentence alone among all of a paper by one of its several comparisons."""
    return {expected, "INCONCLUSIVE"} if n == 6 and expected == "NOT REPRODUCED" else {expected}


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


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("pays", "apart", "expected"),
    [
        (2.0, -5.0, "REPRODUCED"),
        (2.0, 0.0, "NOT REPRODUCED"),  # easier, but not because anybody is nearer
        (1.0, -5.0, "NOT REPRODUCED"),
        (0.5, 5.0, "REVERSED"),
    ],
)
def test_prey_that_moves_is_nearer_and_pays_random_walkers_more(
    pays: float, apart: float, n: int, expected: Outcome
) -> None:
    def world(score: Score) -> Floats:
        noise, moving = statistics.generator(str(score)).normal(size=n), bool(score.cell.env.moving)
        if score.cell.name == DISTANCES:
            return np.asarray(25 + apart * moving + 0.1 * noise, float)
        assert isinstance(score.statistic, Rate)
        return np.asarray(10_000 * (pays if moving else 1.0) + 100 * noise, float)

    found = judged(claim_of("MACE-T1-5", "mace/table1"), world, N_SENTENCES - 1).outcome
    assert found in refuted_if_enough(expected, n)


# ---- small games, in which something is learnt -----------------------------------------------------------------------

Success = tuple[float, float]
"""Late in training, and over all of it."""
BEGINS: Success = (0.3, 0.3)


def hunting(of: Mapping[str, Success], n: int, others: Success = BEGINS) -> World:
    """Shares of episodes in which hunters succeed; who is not named succeeds as `others` do, and chance as it does."""

    def world(score: Score) -> Floats:
        name = score.cell.name
        nobody = name == "random walk" or name.endswith("untrained")
        late, over = BEGINS if nobody else of.get(name, others)
        noise = 0.01 * statistics.generator(str(score)).normal(size=n)
        return np.clip((over if isinstance(score.statistic, Area) else late) + noise, 0, 1)

    return world


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({"MACE": (0.9, 0.7), "Shared": (0.6, 0.5), "Cloned": (0.6, 0.5)}, "REPRODUCED"),
        ({"MACE": (0.9, 0.7), "Shared": (0.9, 0.5), "Cloned": (0.6, 0.5)}, "NOT REPRODUCED"),  # no further
        ({"MACE": (0.9, 0.5), "Shared": (0.6, 0.5), "Cloned": (0.6, 0.5)}, "NOT REPRODUCED"),  # no faster
        ({"MACE": (0.3, 0.3), "Shared": (0.9, 0.7), "Cloned": (0.9, 0.7)}, "REVERSED"),
        ({}, "NOT LEARNT"),
    ],
)
def test_mace_learns_small_games_faster_and_further_than_both(
    of: Mapping[str, Success], n: int, expected: Outcome
) -> None:
    assert judged(claim_of("MACE-L-1", "mace/learning"), hunting(of, n)).outcome == expected


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("others", "of", "expected"),
    [
        ((0.8, 0.6), {}, "REPRODUCED"),
        ((0.8, 0.6), {"Cloned": BEGINS}, "NOT REPRODUCED"),
        (BEGINS, {}, "NOT REPRODUCED"),
    ],
)
def test_every_method_learns_small_games(others: Success, of: Mapping[str, Success], n: int, expected: Outcome) -> None:
    assert judged(claim_of("MACE-L-2", "mace/learning"), hunting(of, n, others)).outcome == expected


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("egocentric", "cloned", "expected"),
    [
        ((1.0, 0.9), (1.0, 0.6), "REPRODUCED"),  # both get there, one sooner
        ((1.0, 0.6), (1.0, 0.6), "NOT REPRODUCED"),
        (BEGINS, BEGINS, "NOT REPRODUCED"),
    ],
)
def test_clones_learn_sooner_where_they_know_their_place(
    egocentric: Success, cloned: Success, n: int, expected: Outcome
) -> None:
    world = hunting({"Cloned, egocentric": egocentric, "Cloned": cloned}, n)
    assert judged(claim_of("MACE-L-3", "mace/learning"), world).outcome == expected


# ---- cooperative navigation ------------------------------------------------------------------------------------------

N_OF_DIMAPG = 14
Curve = Callable[[float], float]
"""What the least gets more than at random, after so many episodes of all that a method plays."""


def nothing(_: float) -> float:
    """Who stays where it began."""
    return 0.0


def soon(height: float, after: float) -> Curve:
    """Who is there after so many episodes, and stays."""
    return lambda episodes: height * min(episodes / after, 1.0)


def navigating(of: Mapping[str, Curve], n: int, adapting: float = 0.0) -> World:
    """Returns of whom is named; of all others as at random. Adapted agents get so much more, in the same tests."""

    def world(score: Score) -> Floats:
        stretch, n_agents = score.statistic, int(score.cell.environment.partition("-")[2])
        noise = statistics.generator(f"{score.cell.name} {n_agents} {stretch}").normal(size=n)
        at_random = NAVIGATION[n_agents].uniform + noise
        if not isinstance(stretch, Window) or score.cell.name not in of:
            return at_random
        tests = np.linspace(stretch.first, stretch.last, 20) / HORIZON
        gain = float(np.mean([of[score.cell.name](test) for test in tests]))
        return at_random + gain + (adapting + 0.1 * noise**2 if score.metric.name == ADAPTED else 0.0)

    return world


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (soon(120, 30_000), "REPRODUCED"),
        (soon(120, 100_000), "NOT REPRODUCED"),  # rises to the end
        (soon(30, 100_000), "NOT REPRODUCED"),  # the same, and hardly learns
        (lambda episodes: 120 if episodes < 70_000 else 60, "NOT REPRODUCED"),  # forgets
        (nothing, "NOT LEARNT"),
    ],
)
def test_who_converges_quickly_stays(ours: Curve, n: int, expected: Outcome) -> None:
    """Two equalities, and both are refuted by so few seeds without another of the 14 sentences."""
    claim = claim_of("DIMA-F3-4", "dimapg/fig3")
    assert judged(claim, navigating({"DiMA-PG": ours}, n), N_OF_DIMAPG - 1).outcome == expected


@pytest.mark.parametrize("n", [6, 10])
def test_a3c_that_rises_to_the_end_has_not_converged(n: int) -> None:
    rising = {"A3C-KitchenSink": soon(150, 25_000), "DiMA-PG": soon(120, 30_000)}
    found = judged(claim_of("DIMA-F3-1", "dimapg/fig3"), navigating(rising, n), N_OF_DIMAPG - 1)
    assert found.outcome == "NOT REPRODUCED"  # one equality among three comparisons: 3 · 14/924 at best


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ({"A3C-KitchenSink": soon(150, 5_000)}, "REPRODUCED"),
        ({"A3C-KitchenSink": soon(150, 5_000), "MADDPG": soon(150, 5_000)}, "NOT REPRODUCED"),
        ({"MADDPG": soon(150, 5_000)}, "NOT LEARNT"),  # an A3C of ours that does not learn is no A3C of theirs
        ({}, "NOT LEARNT"),
    ],
)
def test_a3c_is_best_and_has_converged(of: Mapping[str, Curve], n: int, expected: Outcome) -> None:
    found = judged(claim_of("DIMA-F3-1", "dimapg/fig3"), navigating(of, n), N_OF_DIMAPG - 1).outcome
    assert found == expected


BY_TEN_THOUSAND, BY_THREE_THOUSAND = soon(120, 5_000), soon(120, 1_500)
ONLY_IF_25_COUNT = soon(120, 1_600 * outer(10))
LATER = soon(120, 200_000)


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("of", "every_episode", "of_25"),
    [
        ({"DiMA-PG": BY_TEN_THOUSAND}, "REPRODUCED", "REPRODUCED"),
        ({"DiMA-PG": BY_TEN_THOUSAND, "MADDPG": BY_THREE_THOUSAND}, "NOT REPRODUCED", "NOT REPRODUCED"),
        ({"MADDPG": BY_THREE_THOUSAND}, "NOT REPRODUCED", "NOT REPRODUCED"),
        # one way to count refutes it and the other does not
        ({"DiMA-PG": ONLY_IF_25_COUNT, "MADDPG": lambda e: 120.0 * (e > 4_000)}, "INCONCLUSIVE", "REPRODUCED"),
        ({"DiMA-PG": lambda e: 120.0 * (e > 40_000)}, "NOT LEARNT", "REPRODUCED"),
        ({}, "NOT LEARNT", "NOT LEARNT"),
    ],
)
def test_only_one_learns_quickly_with_ten_agents(
    of: Mapping[str, Curve], n: int, every_episode: Outcome, of_25: Outcome
) -> None:
    claims = [claim_of(name, "dimapg/fig3") for name in ("DIMA-F3-3", "DIMA-F3-3-25")]
    first, second = (judged(claim, navigating(of, n), N_OF_DIMAPG - 1).outcome for claim in claims)
    assert first in refuted_if_enough(every_episode, n)
    assert second == of_25


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("clipped", "unclipped", "expected"),
    [
        (soon(120, 30_000), nothing, "REPRODUCED"),
        (soon(120, 30_000), soon(120, 30_000), "NOT REPRODUCED"),
        (nothing, soon(120, 30_000), "REVERSED"),  # whoever does not clip learns, and only so
        (nothing, nothing, "NOT LEARNT"),
    ],
)
def test_rewards_need_be_clipped(clipped: Curve, unclipped: Curve, n: int, expected: Outcome) -> None:
    world = navigating({"DiMA-PG": clipped, "DiMA-PG unclipped": unclipped}, n)
    assert judged(claim_of("DIMA-R-1", "dimapg/fig3"), world, N_OF_DIMAPG - 1).outcome == expected


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("ours", "adapting", "expected"),
    [
        (soon(120, 30_000), -1.0, "REPRODUCED"),
        (soon(120, 30_000), -8.0, "NOT REPRODUCED"),
        (soon(120, 30_000), 8.0, "NOT REPRODUCED"),
        (nothing, 0.0, "NOT LEARNT"),
    ],
)
def test_theta_is_as_good_as_what_it_adapts_to(ours: Curve, adapting: float, n: int, expected: Outcome) -> None:
    claim = claim_of("DIMA-T1-1", "dimapg/table1")
    assert judged(claim, navigating({"DiMA-PG": ours}, n, adapting), N_OF_DIMAPG - 1).outcome == expected


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    ("copies", "by_episodes", "by_updates"),
    [
        (nothing, "REPRODUCED", "REPRODUCED"),
        (soon(120, 9_000), "NOT REPRODUCED", "NOT REPRODUCED"),  # as good, however it is counted
        (soon(150, 1_000), "REVERSED", "REVERSED"),
        (lambda episodes: 120.0 * (episodes > 50_000), "NOT REPRODUCED", "REPRODUCED"),  # only by further steps
    ],
)
def test_copies_of_one_agent_are_poor(copies: Curve, n: int, by_episodes: Outcome, by_updates: Outcome) -> None:
    claim = claim_of("DIMA-T1-2", "dimapg/table1")
    world = navigating({"DiMA-PG": soon(120, 30_000), alone(3).name: copies}, n)
    for read_so, expected in ((claim, by_episodes), (replace(claim, rows=mapped(claim.rows, even)), by_updates)):
        assert judged(read_so, world, N_OF_DIMAPG - 1).outcome == expected
