"""The estimates and tests, against hand enumeration, scipy, and simulation."""

from __future__ import annotations

import math
from itertools import combinations
from time import perf_counter

import numpy as np
import pytest
from scipy import stats

from benchmarks import Curve, Floats
from benchmarks import _statistics as statistics
from benchmarks._scores import Area, Early, EpisodesTo, Final, Last, Rise, Sparse, Stretch, Window


def draws(name: str, *shape: int) -> Floats:
    return statistics.generator(name).normal(size=shape)


def curve(*values: float, every: int = 100, horizon: int = 25) -> Curve:
    return Curve(np.arange(len(values), dtype=float) * every, np.array(values), horizon)


# ---------------------------------------------------------------------------------------------------------- intervals


def test_the_t_interval_covers_as_often_as_it_says() -> None:
    low, high = statistics.mean_interval(draws("coverage", 5, 20_000))
    assert ((low <= 0) & (high >= 0)).mean() == pytest.approx(0.95, abs=0.01)


def test_the_prediction_interval_covers_a_further_run() -> None:
    seeds = draws("prediction", 6, 4000)
    inside = [low <= seeds[5, i] <= high for i in range(4000) for low, high in [interval_of(seeds[:5, i])]]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def interval_of(values: Floats) -> statistics.Interval:
    return statistics.prediction_interval(values)


def test_the_t_interval_is_that_of_scipy() -> None:
    values = draws("t", 5)
    expected = stats.t.interval(0.9, 4, values.mean(), stats.sem(values))
    assert statistics.mean_interval(values, 0.9) == pytest.approx(expected)


@pytest.mark.parametrize("n_right", [3, 5, 8])
def test_welch_is_that_of_scipy(n_right: int) -> None:
    left, right = draws("left", 5) * 3 + 1, draws("right", n_right)
    expected = stats.ttest_ind(left, right, equal_var=False, alternative="greater")
    both_ends = stats.ttest_ind(left, right, equal_var=False).confidence_interval(0.9)
    welch = statistics.difference(left, right)
    assert float(welch.p) == pytest.approx(expected.pvalue)
    assert welch.interval(0.9) == pytest.approx((both_ends.low, both_ends.high))


def test_welch_makes_many_comparisons_as_it_makes_one() -> None:
    left, right = draws("many left", 5, 3), draws("many right", 4, 3)
    one_by_one = [float(statistics.difference(left[:, i], right[:, i]).p) for i in range(3)]
    assert statistics.difference(left, right).p == pytest.approx(one_by_one)


def test_the_iqm_drops_a_quarter_on_either_side() -> None:
    assert statistics.iqm(np.array([100.0, 1, 2, 3, 4, -50, 5, 6])) == (2 + 3 + 4 + 5) / 4
    values = draws("iqm", 11)
    assert statistics.iqm(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_a_bootstrap_interval_is_the_same_on_every_run_and_differs_between_claims() -> None:
    scores = draws("tasks", 5, 4)
    assert statistics.iqm_interval(scores, "a") == statistics.iqm_interval(scores, "a")
    assert statistics.iqm_interval(scores, "a") != statistics.iqm_interval(scores, "b")


def test_the_bootstrap_redraws_within_each_task() -> None:
    low, high = statistics.iqm_interval(np.tile([0.0, 1.0, 2.0, 3.0], (5, 1)), "strata")
    assert low == high == 1.5


def test_the_bootstrap_redraws_the_tasks_independently() -> None:
    # Were the same seeds drawn for both, every resample would mirror itself and have an IQM of exactly 0.
    values = draws("mirror", 5)
    low, high = statistics.iqm_interval(np.stack([values, -values], axis=1), "mirror")
    assert low < -0.01 < 0.01 < high


# -------------------------------------------------------------------------------------------------------------- tests


def enumerated(left: list[float], right: list[float]) -> float:
    """The permutation p by plain loops and scipy's t."""
    pooled = np.array(left + right)

    def t(chosen: tuple[int, ...]) -> float:
        return float(stats.ttest_ind(pooled[list(chosen)], np.delete(pooled, chosen), equal_var=False).statistic)

    observed = t(tuple(range(len(left))))
    every = [t(chosen) for chosen in combinations(range(len(pooled)), len(left))]
    return float(np.mean([value >= observed - 1e-9 for value in every]))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([1.0, 2.5, 4.0], [0.5, 3.0, -1.0]),
        ([9.0, 8.0, 7.5, 3.0], [1.0, 2.0, 3.5]),
        ([0.1, 0.2, 0.9, 1.4], [0.3, 1.1, 1.6, 0.7, 0.8]),
    ],
)
def test_the_permutation_p_is_that_of_enumeration(left: list[float], right: list[float]) -> None:
    found = statistics.permutation(np.array(left), np.array(right), "").p
    assert found == pytest.approx(enumerated(left, right))


def test_sides_apart_reach_the_smallest_p_and_its_mirror_the_largest() -> None:
    high, low = np.array([4.0, 5.0, 6.5]), np.array([1.0, 2.0, 3.2])
    assert statistics.permutation(high, low, "") == (1 / 20, 1.0)
    assert statistics.permutation(low, high, "") == (1.0, 1 / 20)


def test_the_smallest_p_is_one_split_of_all() -> None:
    assert [round(statistics.smallest_p(n, n), 4) for n in (3, 4, 5)] == [0.05, 0.0143, 0.004]
    assert statistics.smallest_p(10, 10) == 1 / 184_756
    assert statistics.smallest_p(30, 30) == 1 / 20_000


def test_ten_against_ten_seeds_are_enumerated_quickly() -> None:
    statistics.splits.cache_clear()
    start = perf_counter()
    p = statistics.permutation(draws("l", 10) + 10, draws("r", 10), "").p
    assert p == pytest.approx(1 / 184_756)
    assert perf_counter() - start < 2


def test_drawn_splits_agree_with_every_split_and_with_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = draws("left", 6) + 1, draws("right", 6)
    exact = statistics.permutation(left, right, "")
    monkeypatch.setattr(statistics, "MOST_SPLITS", 10)
    statistics.splits.cache_clear()
    drawn = statistics.permutation(left, right, "a")
    statistics.splits.cache_clear()
    assert statistics.permutation(left, right, "a") == drawn
    assert statistics.permutation(left, right, "b") != drawn
    assert drawn == pytest.approx(exact, abs=0.01)
    assert statistics.permutation(left + 100, right, "a").p >= 1 / 20_000
    statistics.splits.cache_clear()


def test_constant_sides_are_left_to_the_permutation() -> None:
    low, high = np.full(5, 0.1), np.full(5, 0.3)
    assert statistics.ordering(high, low, "").p == pytest.approx(1 / 252)
    assert statistics.ordering(low, high, "").p == 1
    assert statistics.ordering(low, low, "") == (1, 1)


def test_the_larger_of_both_tests_counts() -> None:
    left, right = draws("both left", 5) + 1.5, draws("both right", 5)
    welch, permuted = float(statistics.difference(left, right).p), statistics.permutation(left, right, "").p
    assert welch != pytest.approx(permuted)
    assert statistics.ordering(left, right, "").p == max(welch, permuted)


@pytest.mark.parametrize("shape", ["normal", "skewed", "collapsing"])
def test_the_ordering_test_keeps_its_level(shape: str) -> None:
    noise = draws("level", 10, 6000)
    collapse = statistics.generator("collapse").random(noise.shape) < 0.2
    scores = {"normal": noise, "skewed": np.exp(noise), "collapsing": np.where(collapse, noise - 10, noise)}[shape]
    welch = statistics.difference(scores[:5], scores[5:]).p
    permuted, _ = statistics.shares(statistics.studentised(scores, statistics.splits(5, 5)))
    assert (np.maximum(welch, permuted) <= 0.05).mean() <= 0.055


def test_holm_multiplies_by_the_number_of_claims_left() -> None:
    assert statistics.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx((0.04, 0.09, 0.09, 0.5))
    assert statistics.holm([0.03, 0.01]) == pytest.approx((0.03, 0.02))
    assert statistics.holm([0.9, 0.8]) == (1.0, 1.0)
    assert statistics.holm([]) == ()


def test_a_partial_conjunction_by_hand() -> None:
    p = [0.2, 0.01, 0.03, 0.5]
    assert [statistics.partial_conjunction(p, u) for u in (1, 2, 3, 4)] == pytest.approx([0.04, 0.09, 0.4, 0.5])


def test_a_partial_conjunction_keeps_its_level_where_one_effect_too_few_is_there() -> None:
    p = statistics.generator("partial").random((20_000, 4))
    p[:, 0] = 0
    assert np.mean([statistics.partial_conjunction(list(row), 2) <= 0.05 for row in p]) == pytest.approx(
        0.05, abs=0.005
    )


def test_a_family_is_as_large_as_the_smallest_p_allows() -> None:
    assert [statistics.largest_family(n) for n in (2, 3, 4, 5)] == [0, 1, 3, 12]
    assert statistics.family_warning(12, 5) == ""
    assert "use at least 6 seeds" in statistics.family_warning(13, 5)


def test_seeds_for_power_are_those_of_the_tables() -> None:
    assert [statistics.seeds_for_power(effect) for effect in (1, 1.5, 2)] == [14, 7, 4]
    assert statistics.seeds_for_power(1e9) == 2
    assert statistics.seeds_for_power(0.01) == statistics.seeds_for_power(-1) == statistics.MOST_SEEDS


# ------------------------------------------------------------------------------------------------------------ log-rank


def test_log_rank_scores_are_those_computed_by_hand() -> None:
    # Events at 1, 2, 2 and one seed censored: hazards 1/4 at 1, then 2/3 at 2.
    scores = statistics.log_rank_scores(np.array([1.0, 2.0, 2.0, math.inf]))
    assert scores == pytest.approx([1 - 1 / 4, 1 - 11 / 12, 1 - 11 / 12, -11 / 12])


def test_the_log_rank_statistic_is_observed_minus_expected() -> None:
    left, right = np.array([3.0, 5.0, 8.0, math.inf]), np.array([5.0, 9.0, math.inf, math.inf])
    both = np.concatenate([left, right])
    events = [3.0, 5.0, 8.0, 9.0]
    expected = sum((both == t).sum() * (left >= t).sum() / (both >= t).sum() for t in events)
    assert statistics.log_rank_scores(both)[:4].sum() == pytest.approx(3 - expected)


def test_log_rank_counts_the_splits_with_events_as_early() -> None:
    # Of the 6 splits of 1, 2, 3, never only {1, 2} is as early as {1, 2}.
    assert statistics.log_rank(np.array([1.0, 2.0]), np.array([3.0, math.inf]), "") == (1 / 6, 1.0)


def test_where_nobody_arrives_nothing_is_earlier() -> None:
    never = np.full(5, math.inf)
    assert statistics.log_rank(never, never, "") == (1.0, 1.0)


def test_log_rank_keeps_its_level_under_censoring() -> None:
    times = np.exp(draws("times", 400, 10))
    times[times > 1.5] = math.inf
    assert np.mean([statistics.log_rank(row[:5], row[5:], "").p <= 0.05 for row in times]) <= 0.07


# ------------------------------------------------------------------------------------------------------- effect sizes


def test_effect_sizes_by_hand() -> None:
    left, right = np.array([1.0, 3.0]), np.array([0.0, 1.0])
    assert statistics.probability_of_improvement(left, right) == (3 + 0.5) / 4
    assert statistics.standardised_difference(left, right) == pytest.approx(1.5 / math.sqrt((2 + 0.5) / 2))
    assert statistics.standardised_difference(np.ones(3), np.zeros(3)) == math.inf
    assert statistics.standardised_difference(np.ones(3), np.ones(3)) == 0


# ------------------------------------------------------------------------------------------------------------- scores


def test_scores_by_hand() -> None:
    seed = curve(0, 2, 4, 9)
    assert Final(2)(seed) == 6.5
    assert Final(100)(seed) == 3.75
    assert Last()(seed) == 9
    assert Early(0.5, 400)(seed) == 3
    assert Area()(seed) == (1 + 3 + 6.5) / 3


def test_a_rise_is_counted_from_the_untrained_tests_of_the_same_run() -> None:
    assert Rise(untrained=200, last=400)(curve(0, 2, 4, 8, 12)) == 10 - 3
    assert Rise(untrained=200, last=400)(curve(5, 2, 4, 8, 12, 99)) == 10 - 3
    assert Rise(untrained=200, last=400)(curve(0, 12, 14, 18, 22)) == 10 - 3
    assert math.isnan(Rise(untrained=200, last=400)(curve(0, 2, 4, 8, math.nan)))


def test_a_sparse_statistic_reads_every_curve_as_if_it_were_tested_as_seldom() -> None:
    often, seldom = curve(0, 1, 2, 3, 4, 5, 6), curve(0, 2, 4, 6, every=200)
    assert Sparse(Final(2), every=200)(often) == Final(2)(seldom) == 5
    assert Sparse(Window(200, 600), every=200)(often) == Window(200, 600)(seldom) == 5
    assert Sparse(Final(2), every=200)(seldom) == Final(2)(seldom)


def test_times_to_a_level_are_those_of_the_coarser_grid() -> None:
    often = curve(0, 9, 9, 1, 9, 9, 9)
    assert EpisodesTo(5, stay=2)(often) == 4
    assert Sparse(EpisodesTo(5, stay=2), every=200)(often) == 8
    assert Sparse(EpisodesTo(5, stay=2), every=300)(curve(0, 9, 9, 1, 9, 9, 9)) == math.inf


def test_a_stretch_is_of_any_run_and_never_empty() -> None:
    assert Stretch(0.2, 0.6)(curve(1, 2, 3, 4, 5)) == 2.5
    assert Stretch(0.8, 1.0)(curve(1, 2, 3, 4, 5)) == 5
    assert Stretch(0.0, 0.2)(curve(1, 2)) == 1
    assert [Stretch(*ends)(curve(7)) for ends in ((0.0, 0.2), (0.4, 0.6), (0.8, 1.0))] == [7, 7, 7]


def test_the_beginning_is_the_same_stretch_whatever_was_run() -> None:
    assert Early(0.5, 400)(curve(0, 2, 4)) == Early(0.5, 400)(curve(0, 2, 4, 100, 100))


@pytest.mark.parametrize(
    ("values", "smooth", "stay", "episodes"),
    [
        ((0, 1, 5, 1, 5, 5, 5), 1, 1, 8),
        ((0, 1, 5, 1, 5, 5, 5), 1, 2, 16),
        ((0, 1, 5, 1, 5, 5, 5), 2, 1, 20),
        ((0, 1, 5, 1, 5, 5, 5), 1, 4, math.inf),
        ((9, 1, 1), 1, 1, math.inf),
        ((0, 9), 3, 1, math.inf),
    ],
)
def test_episodes_to_a_threshold_by_hand(values: tuple[float, ...], smooth: int, stay: int, episodes: float) -> None:
    assert EpisodesTo(5, smooth, stay)(curve(*values)) == episodes


def test_a_diverged_run_has_no_number_unless_it_diverged_after_the_part_that_counts() -> None:
    late = curve(0, 5, 5, 5, math.nan)
    assert all(math.isnan(score(late)) for score in (Final(2), Last(), Area(), EpisodesTo(9)))
    assert math.isnan(Final(1)(curve(0, -math.inf)))
    assert Early(0.5, 400)(late) == 5
    assert EpisodesTo(5, stay=2)(late) == 4


def test_a_score_without_a_test_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one test"):
        Early(0.1, 100)(curve(0, 1))
