"""The estimates and tests, against hand enumeration, scipy, and simulation."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, product
from time import perf_counter

import numpy as np
import pytest
from scipy import stats

from benchmarks import Curve, Floats
from benchmarks._judging import characteristics, comparisons, statistics
from benchmarks._judging.scores import (
    Area,
    EpisodesTo,
    Final,
    Last,
    Length,
    NothingSeenError,
    NotReachedError,
    Rise,
    Sparse,
    Stretch,
    Window,
)


def draws(name: str, *shape: int) -> Floats:
    return statistics.generator(name).normal(size=shape)


def permutation(left: Floats, right: Floats, text: str) -> statistics.OneSided:
    return statistics.permutation(left, right, statistics.splits(len(left), len(right), text))


def ordering(left: Floats, right: Floats, text: str) -> statistics.OneSided:
    return statistics.ordering(left, right, statistics.splits(len(left), len(right), text))


def log_rank(left: Floats, right: Floats, text: str) -> statistics.OneSided:
    return statistics.log_rank(left, right, statistics.splits(len(left), len(right), text))


def pair(found: tuple[Floats, Floats]) -> list[float]:
    return [float(value) for value in found]


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
    found = permutation(np.array(left), np.array(right), "").p
    assert found == pytest.approx(enumerated(left, right))


def test_sides_apart_reach_the_smallest_p_and_its_mirror_the_largest() -> None:
    high, low = np.array([4.0, 5.0, 6.5]), np.array([1.0, 2.0, 3.2])
    assert pair(permutation(high, low, "")) == [1 / 20, 1.0]
    assert pair(permutation(low, high, "")) == [1.0, 1 / 20]


def test_the_smallest_p_is_one_split_of_all() -> None:
    assert [round(statistics.smallest_p(n, n), 4) for n in (3, 4, 5)] == [0.05, 0.0143, 0.004]
    assert statistics.smallest_p(10, 10) == 1 / 184_756
    assert statistics.smallest_p(30, 30) == 1 / 20_000


def test_ten_against_ten_seeds_are_enumerated_quickly() -> None:
    statistics.every_split.cache_clear()
    start = perf_counter()
    p = permutation(draws("l", 10) + 10, draws("r", 10), "").p
    assert p == pytest.approx(1 / 184_756)
    assert perf_counter() - start < 2


@pytest.mark.parametrize("n", [8, 9, 10])
def test_splits_are_counted_as_they_are_when_each_is_tried(n: int) -> None:
    ways = statistics.splits(n, n)
    few = statistics.generator("ties").integers(0, 3, 2 * n).astype(float)
    apart = np.where(few == 0, -1e6, draws("apart", 2 * n))
    for pooled in (draws("all", 2 * n), few, apart, np.full(2 * n, 0.1)):
        each = statistics.shares(statistics.studentised(pooled, ways.mask))
        assert pair(permutation(pooled[:n], pooled[n:], "")) == [float(p) for p in each]


def test_drawn_splits_agree_with_every_split_and_with_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = draws("left", 6) + 1, draws("right", 6)
    exact = permutation(left, right, "")
    monkeypatch.setattr(statistics, "MOST_SPLITS", 10)
    statistics.every_split.cache_clear()
    drawn = permutation(left, right, "a")
    statistics.every_split.cache_clear()
    assert permutation(left, right, "a") == drawn
    assert permutation(left, right, "b") != drawn
    assert drawn == pytest.approx(exact, abs=0.01)
    assert permutation(left + 100, right, "a").p >= 1 / 20_000
    statistics.every_split.cache_clear()


def test_constant_sides_are_left_to_the_permutation() -> None:
    low, high = np.full(5, 0.1), np.full(5, 0.3)
    assert ordering(high, low, "").p == pytest.approx(1 / 252)
    assert ordering(low, high, "").p == 1
    assert pair(ordering(low, low, "")) == [1, 1]


def test_the_larger_of_both_tests_counts() -> None:
    left, right = draws("both left", 5) + 1.5, draws("both right", 5)
    welch, permuted = float(statistics.difference(left, right).p), permutation(left, right, "").p
    assert welch != pytest.approx(permuted)
    assert ordering(left, right, "").p == max(welch, permuted)


@pytest.mark.parametrize("shape", ["normal", "skewed", "collapsing"])
def test_the_ordering_test_keeps_its_level(shape: str) -> None:
    noise = draws("level", 10, 6000)
    collapse = statistics.generator("collapse").random(noise.shape) < 0.2
    scores = {"normal": noise, "skewed": np.exp(noise), "collapsing": np.where(collapse, noise - 10, noise)}[shape]
    welch = statistics.difference(scores[:5], scores[5:]).p
    permuted, _ = statistics.shares(statistics.studentised(scores, statistics.splits(5, 5).mask))
    assert (np.maximum(welch, permuted) <= 0.05).mean() <= 0.055


def test_holm_multiplies_by_the_number_of_claims_left() -> None:
    assert statistics.holm(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx((0.04, 0.09, 0.09, 0.5))
    assert statistics.holm(np.array([0.03, 0.01])) == pytest.approx((0.03, 0.02))
    assert statistics.holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert statistics.holm(np.empty(0)).tolist() == []


def test_benjamini_and_hochberg_divide_by_the_rank_and_agree_with_scipy() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.5])
    assert statistics.benjamini_hochberg(p) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    many = statistics.generator("many").random((17, 5)) ** 3
    assert statistics.benjamini_hochberg(many) == pytest.approx(stats.false_discovery_control(many, axis=0))


def test_corrections_are_made_over_axis_0() -> None:
    p = statistics.generator("columns").random((6, 4))
    assert statistics.simes(p) == pytest.approx([statistics.simes(column) for column in p.T])
    for correction in (statistics.holm, statistics.benjamini_hochberg):
        columns = [correction(column) for column in p.T]
        assert correction(p) == pytest.approx(np.stack(columns, axis=1))


def test_a_confirmed_claim_never_makes_another_harder_to_confirm() -> None:
    p = np.array([1 / 252] * 12 + [1.0])
    assert (statistics.benjamini_hochberg(p)[:12] <= 0.05).all()
    p[12] = 1 / 252
    assert (statistics.benjamini_hochberg(p) <= 0.05).all()
    assert not (statistics.holm(p) <= 0.05).any()  # which erased all twelve


# -------------------------------------------------------------------------------------------------------------- pairs


def paired(left: Floats, right: Floats) -> statistics.OneSided:
    return statistics.paired_ordering(left, right, statistics.splits(len(left), len(right)))


def test_sign_flips_are_those_of_scipy() -> None:
    differences = draws("differences", 11) + 0.4
    expected = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    found = statistics.sign_flips(differences)
    assert 2 * min(found) == pytest.approx(expected.pvalue)
    assert pair(statistics.sign_flips(np.ones(10))) == [1 / 1024, 1.0]


def test_below_ten_seeds_pairs_count_by_the_larger_of_the_paired_t_and_the_unpaired_p() -> None:
    left = draws("left", 6)
    for right in (left - 0.3 + 0.1 * draws("near", 6), -left - 2.0):
        by_t = float(stats.ttest_rel(left, right, alternative="greater").pvalue)
        assert paired(left, right).p == pytest.approx(max(by_t, ordering(left, right, "").p))


def test_from_ten_seeds_pairs_count_by_the_larger_of_the_paired_t_and_the_sign_flips() -> None:
    left = draws("left", 10)
    right = left - 0.3 + 0.2 * draws("near", 10)
    by_t = float(stats.ttest_rel(left, right, alternative="greater").pvalue)
    assert paired(left, right).p == pytest.approx(max(by_t, statistics.sign_flips(left - right).p))
    assert paired(left, right).p < ordering(left, right, "").p / 10


@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.9])
@pytest.mark.parametrize("n", [6, 10])
def test_pairs_keep_the_level_whatever_the_sign_of_the_correlation(correlation: float, n: int) -> None:
    left, own = statistics.generator(f"pairs {correlation} {n}").normal(size=(2, n, 4000))
    right = correlation * left + math.sqrt(1 - correlation**2) * own
    found = statistics.paired_ordering(left, right, statistics.splits(n, n) if n < 10 else statistics.Splits(own))
    assert (found.p <= 0.05).mean() <= 0.056
    assert (found.opposite <= 0.05).mean() <= 0.056


def test_pairs_whose_seeds_collapse_on_one_side_only_hardly_ever_pass_a_family() -> None:
    random = statistics.generator("collapse on one side")
    shared, own = random.normal(size=(2, 6, 20_000))
    left = shared - 3.0 * (random.random(shared.shape) < 0.2) + 0.6
    right = 0.9 * shared + math.sqrt(0.19) * own
    by_t = statistics.paired_difference(right - left).p
    found = statistics.paired_ordering(right, left, statistics.splits(6, 6)._replace(worth=0.05))
    assert (by_t <= 0.0015).mean() <= 0.001  # this way the paired t is honest …
    assert (statistics.paired_difference(left - right).p <= 0.0015).mean() >= 0.04  # … and this way it is not
    assert (found.opposite <= 0.0015).mean() <= 0.0015


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize("correlation", [-0.9, 0.0, 0.9])
def test_gains_over_what_one_run_holds_keep_their_level(correlation: float, n: int) -> None:
    """Two trained policies, each less its own untrained one, both of which one run has measured; nothing is gained."""
    random = statistics.generator(f"{n} gains, {correlation}")
    of_left, own = random.normal(size=(2, n, 2000))
    of_right = correlation * of_left + math.sqrt(1 - correlation**2) * own
    left, right = (0.5 * random.normal(size=(n, 2000)) - off for off in (of_left, of_right))
    found = statistics.paired_ordering(left, right, characteristics.splits_of(n, random))
    assert (found.p <= 0.05).mean() <= 0.06
    below = statistics.paired_ordering(left + 1, right, characteristics.splits_of(n, random))
    assert ((below.opposite <= 0.05).mean()) <= 0.01


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize("correlation", [-0.9, 0.9])
def test_scatter_of_seeds_that_share_their_teachers_is_shown_by_chance_no_oftener(correlation: float, n: int) -> None:
    random = statistics.generator(f"{n} scattering, {correlation}")
    for shape in characteristics.SHAPES.values():
        sides = shape(random, n, 1000, correlation)
        found = statistics.scattering(*sides, characteristics.splits_of(n, random))
        assert (found.p <= 0.05).mean() <= 0.06


def test_where_it_is_not_worth_it_nothing_is_permuted_and_nothing_changes_below() -> None:
    left, right = draws("worth", 6, 300) + 1.0, draws("worth too", 6, 300)
    every = statistics.splits(6, 6)
    whole, spared = (statistics.ordering(left, right, ways) for ways in (every, every._replace(worth=0.05)))
    assert (np.asarray(whole.p)[whole.p <= 0.05] == np.asarray(spared.p)[whole.p <= 0.05]).all()
    assert ((spared.p <= 0.05) == (whole.p <= 0.05)).all()


# ----------------------------------------------------------------------------------------------------- ratios and rates


def test_the_interval_of_a_ratio_of_means_covers_and_has_no_end_where_the_lower_mean_may_be_0() -> None:
    left, right = 30 + 3 * draws("over", 6, 4000), 10 + 2 * draws("under", 6, 4000)
    low, high = statistics.ratio_interval(left, right, 0.9, paired=False)
    assert ((low <= 3) & (high >= 3)).mean() >= 0.89
    nothing = statistics.ratio_interval(np.array([1.0, 2.0]), np.array([-1.0, 1.5]), 0.9, paired=False)
    assert pair(nothing) == [-math.inf, math.inf]
    same = np.array([10.0, 11.0, 13.0])
    assert pair(statistics.ratio_interval(2 * same, same, 0.9, paired=True)) == pytest.approx([2, 2])


def test_a_rate_has_the_interval_of_scipy() -> None:
    for count in (0, 4, 5):
        expected = stats.binomtest(count, 5).proportion_ci(0.95, "exact")
        assert statistics.rate_interval(count, 5) == pytest.approx((expected.low, expected.high))


def test_pairs_that_differ_are_a_coin_s() -> None:
    more, less = np.array([5, 0, 3, 6]), np.array([0, 0, 2, 1])
    exact = [float(stats.binom.sf(m - 1, m + n, 0.5)) for m, n in zip(more, less, strict=True)]
    assert statistics.sign_test(more, less) == pytest.approx(exact)
    assert statistics.sign_test(more, less) == pytest.approx([1 / 32, 1.0, 0.5, 8 / 128])


def led_by(lead: int, n: int, left: float, right: float) -> float:
    """P(lead or less) by all outcomes of n pairs."""
    chances = {1: left, -1: right, 0: 1 - left - right}
    return sum(math.prod(chances[way] for way in ways) for ways in product((-1, 0, 1), repeat=n) if sum(ways) <= lead)


@pytest.mark.parametrize("delta", [0.1, 0.4, -0.3])
def test_a_lead_in_pairs_is_refuted_by_the_chances_that_make_it_likeliest(delta: float) -> None:
    lefts = np.linspace(max(delta, 0.0), (1 + delta) / 2, 101)
    for lead in (-4, -1, 0, 2, 4):
        worst = max(led_by(lead, 4, left, left - delta) for left in lefts)
        assert float(statistics.at_most_by_chance(np.array(lead), 4, delta)) == pytest.approx(worst)


def test_the_largest_lead_that_is_not_refuted_is_the_end_of_the_interval() -> None:
    leads = np.arange(-6, 6)
    ends = statistics.largest_lead(leads, 6)
    for lead, end in zip(leads, ends, strict=True):
        assert float(statistics.at_most_by_chance(np.array(lead), 6, float(end) + 1e-4)) <= 0.05
        assert float(statistics.at_most_by_chance(np.array(lead), 6, float(end) - 1e-4)) > 0.05
    assert (np.diff(ends) > 0).all() and float(statistics.largest_lead(np.array(6), 6)) == 1.0


@pytest.mark.parametrize("n", [6, 10, 20])
def test_pairs_of_0_and_1_keep_their_level_whatever_happens_how_often(n: int) -> None:
    random = statistics.generator(f"{n} pairs of 0 and 1")
    for often in (0.05, 0.3, 0.5):
        left, right = (np.asarray(random.random((n, 4000)) < share, float) for share in (often + 0.2, often))
        equal = np.asarray(random.random((n, 4000)) < often, float)
        assert (comparisons.oftener(equal, right, 0.1).support <= 0.05).mean() <= 0.055
        assert (comparisons.oftener(left, right, 0.2).refuted <= 0.05).mean() <= 0.055


@pytest.mark.parametrize("n", [6, 10, 20])
def test_what_happens_seldom_is_told_at_its_level(n: int) -> None:
    count = np.arange(n + 1.0)
    seen = np.array([[float(i < k) for k in range(n + 1)] for i in range(n)])
    found = comparisons.seldom(seen, 0.25)
    assert found.support == pytest.approx([stats.binomtest(int(k), n, 0.25, alternative="less").pvalue for k in count])
    assert found.refuted == pytest.approx(
        [stats.binomtest(int(k), n, 0.25, alternative="greater").pvalue for k in count]
    )
    chances = stats.binom.pmf(count, n, 0.25)
    assert max(chances[found.support <= 0.05].sum(), chances[found.refuted <= 0.05].sum()) <= 0.05
    assert (found.support <= 0.05).any() == (n >= 11)


def test_simes_p_by_hand() -> None:
    assert statistics.simes(np.array([0.01, 0.03, 0.2, 0.5])) == pytest.approx(0.04)  # 4/1 · .01
    assert statistics.simes(np.array([0.5, 0.03, 0.02, 0.04])) == pytest.approx(4 / 3 * 0.04)
    assert statistics.simes(np.full(8, 1 / 924)) == pytest.approx(1 / 924)
    assert statistics.simes(np.array([[0.04, 1.0], [0.04, 1.0]])) == pytest.approx([0.04, 1.0])


def test_simes_errs_as_often_as_it_says_and_hardly_more_where_p_vary_against_each_other() -> None:
    z = draws("Simes", 3, 40_000)
    away = (z - z.mean(axis=0)) / math.sqrt(2 / 3)  # ρ = −½, as far against each other as three can be
    for rows, least in ((z, 0.047), (away, 0.04)):
        assert least <= np.mean(statistics.simes(stats.norm.sf(rows)) <= 0.05) <= 0.053


def test_a_partial_conjunction_by_hand() -> None:
    p = np.array([0.2, 0.01, 0.03, 0.5])
    assert [statistics.partial_conjunction(p, u) for u in (1, 2, 3, 4)] == pytest.approx([0.04, 0.09, 0.4, 0.5])


def test_a_partial_conjunction_keeps_its_level_where_one_effect_too_few_is_there() -> None:
    p = statistics.generator("partial").random((20_000, 4))
    p[:, 0] = 0
    assert np.mean(statistics.partial_conjunction(p.T, 2) <= 0.05) == pytest.approx(0.05, abs=0.005)


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
    assert pair(log_rank(np.array([1.0, 2.0]), np.array([3.0, math.inf]), "")) == [1 / 6, 1.0]


def test_where_nobody_arrives_nothing_is_earlier() -> None:
    never = np.full(5, math.inf)
    assert pair(log_rank(never, never, "")) == [1.0, 1.0]


def test_log_rank_keeps_its_level_under_censoring() -> None:
    times = np.exp(draws("times", 400, 10))
    times[times > 1.5] = math.inf
    assert np.mean([log_rank(row[:5], row[5:], "").p <= 0.05 for row in times]) <= 0.07


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
    assert Window(0, 200)(seed) == 3
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


def test_a_run_without_a_test_on_the_coarse_grid_has_no_number() -> None:
    for statistic in (Final(2), Window(0, 600), EpisodesTo(5)):
        with pytest.raises(NotReachedError):
            Sparse(statistic, every=1000)(Curve(np.array([100.0, 200.0]), np.array([1.0, 2.0]), 25))


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
    assert Window(0, 200)(curve(0, 2, 4)) == Window(0, 200)(curve(0, 2, 4, 100, 100))


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
    assert Window(0, 200)(late) == 5
    assert EpisodesTo(5, stay=2)(late) == 4


def test_an_empty_test_is_left_out_and_a_stretch_of_them_has_no_number() -> None:
    values = np.array([1.0, math.nan, 3.0, math.nan])
    seed = Curve(np.arange(4.0) * 100, values, 25, np.isnan(values))
    assert Final(2)(seed) == 3
    assert Area()(seed) == 2
    with pytest.raises(NothingSeenError):
        Last()(seed)
    assert math.isnan(Final(2)(replace(seed, empty=None)))


def test_a_length_at_the_horizon_is_not_known() -> None:
    assert Length()(curve(9, 24)) == 24
    assert Length()(curve(9, 25)) == math.inf
    assert math.isnan(Length()(curve(9, math.nan)))


@pytest.mark.parametrize("statistic", [Window(400, 500), Window(100, 600), Window(110, 190)])
def test_a_run_that_ends_before_a_stretch_or_within_it_has_no_number_for_it(statistic: Window) -> None:
    with pytest.raises(NotReachedError):
        statistic(curve(0, 1, 2, 3, 4))


def test_a_stretch_is_reached_where_no_further_test_would_lie_in_it() -> None:
    assert Window(100, 499)(curve(0, 1, 2, 3, 4)) == 3
