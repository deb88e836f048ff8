"""The verdict rules: every outcome by a constructed example, and how often they err."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    AboutEquals,
    Cell,
    Claim,
    Evaluation,
    Floats,
    Outcome,
    Outperforms,
    Printed,
    Row,
    Rule,
    Score,
    Shorter,
    Verdict,
)
from benchmarks import _statistics as statistics
from benchmarks._evidence import SeedScores
from benchmarks._scores import Final
from benchmarks._verdicts import (
    Extent,
    conjunction,
    corrected,
    corrected_halves,
    judge,
    operating_characteristics,
    warnings,
)

SPREAD = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])


@dataclass(frozen=True)
class Named:
    """Stands for an algorithm or an environment."""

    name: str


def score(name: str) -> Score:
    return Score(Cell(name, "game", Named(name), Named("game"), Evaluation(1, 1)), "return", Final(1))


def row(rule: Rule, left: str = "left", right: str = "right") -> Row:
    return Row(f"{left} {right}", score(left), None if isinstance(rule, Printed) else score(right), rule)


def claim(*rows: Row, name: str = "claim", **settings: Any) -> Claim:
    return Claim(name, "…", "§1", rows, **settings)


def judged(
    *claims: Claim, profile: str = "paper", seeds: dict[str, SeedScores] | None = None, **values: Any
) -> tuple[Verdict, ...]:
    """Verdicts on claims, from the scores of each side by its name."""
    known = {name: SeedScores(np.array(numbers, float), limit=1000) for name, numbers in values.items()}
    known |= seeds or {}
    extent = Extent("5 seeds", whole=profile == "paper")
    return judge(claims, lambda wanted: known[wanted.cell.name], profile, lambda _: extent)


def outcome(rule: Rule, left: Sequence[float] | Floats, right: Sequence[float] | Floats = ()) -> Outcome:
    return judged(claim(row(rule)), left=left, right=right, random=np.zeros(5))[0].outcome


# ------------------------------------------------------------------------------------------------- the table, by rule


@pytest.mark.parametrize(
    ("rule", "left", "expected"),
    [
        (Outperforms(gap=1), SPREAD + 1, "REPRODUCED"),
        (Outperforms(gap=2), SPREAD + 1, "PARTIAL"),
        (Outperforms(gap=2), SPREAD, "NOT REPRODUCED"),
        (Outperforms(gap=2), SPREAD - 1, "REVERSED"),
        (Outperforms(gap=2), 10 * SPREAD + 1, "INCONCLUSIVE"),
        (Outperforms(), SPREAD + 0.5, "REPRODUCED"),
        (Outperforms(), SPREAD, "INCONCLUSIVE"),
        (AboutEquals(score("random")), SPREAD, "REPRODUCED"),
        (AboutEquals(score("random")), SPREAD - 3, "NOT REPRODUCED"),
        (AboutEquals(score("random")), SPREAD + 3, "NOT REPRODUCED"),
        (AboutEquals(score("random")), 10 * SPREAD, "INCONCLUSIVE"),
    ],
)
def test_each_outcome_of_a_difference(rule: Rule, left: Floats, expected: Outcome) -> None:
    assert outcome(rule, left + 10, SPREAD + 10) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.1, "REPRODUCED"), (0.4, "PARTIAL"), (-0.4, "PARTIAL"), (1.0, "NOT REPRODUCED")]
)
def test_each_outcome_of_a_printed_number(value: float, expected: Outcome) -> None:
    assert outcome(Printed(value, tolerance=0.3), SPREAD) == expected


def test_a_printed_mean_of_many_runs_is_predicted_more_closely() -> None:
    assert outcome(Printed(0.4, tolerance=0.1, n_runs=1), SPREAD) == "PARTIAL"
    assert outcome(Printed(0.4, tolerance=0.1, n_runs=10), SPREAD) == "NOT REPRODUCED"


@pytest.mark.parametrize(
    ("ratio", "left", "expected"),
    [
        (2.0, 50 * np.exp(SPREAD), "REPRODUCED"),
        (4.0, 50 * np.exp(SPREAD), "PARTIAL"),
        (2.0, 100 * np.exp(SPREAD), "NOT REPRODUCED"),
        (2.0, 200 * np.exp(SPREAD), "REVERSED"),
        (2.0, 80 * np.exp(5 * SPREAD), "INCONCLUSIVE"),
        (None, 70 * np.exp(SPREAD), "REPRODUCED"),
        (None, 100 * np.exp(SPREAD), "INCONCLUSIVE"),
        (None, 100 * np.exp(SPREAD / 100), "INCONCLUSIVE"),
    ],
)
def test_each_outcome_of_a_ratio_of_episodes(ratio: float | None, left: Floats, expected: Outcome) -> None:
    assert outcome(Shorter(ratio), left, 100 * np.exp(SPREAD)) == expected


def test_without_a_printed_ratio_a_tenth_is_the_smallest_effect_of_interest() -> None:
    assert outcome(Shorter(), 100 * np.exp(SPREAD / 100), 100 * np.exp(SPREAD / 50)) == "NOT REPRODUCED"


def test_the_smallest_effect_of_interest_is_a_third_of_a_printed_gap() -> None:
    assert outcome(Outperforms(gap=3), 10 * SPREAD, 10 * SPREAD) == "INCONCLUSIVE"  # upper end 1.9, δ = 1
    assert outcome(Outperforms(gap=6), 10 * SPREAD, 10 * SPREAD) == "NOT REPRODUCED"  # δ = 2


def test_without_a_printed_gap_a_tenth_of_the_range_from_random_is() -> None:
    rule = Outperforms(reference=score("random"))
    assert outcome(rule, SPREAD + 10, SPREAD + 10) == "NOT REPRODUCED"  # δ = 1
    assert outcome(rule, SPREAD + 1, SPREAD + 1) == "INCONCLUSIVE"  # δ = 0.1


def test_a_ratio_below_one_is_reversed_only_where_the_opposite_test_passes_in_the_family() -> None:
    left, right = 130 * np.exp(0.7 * SPREAD), 100 * np.exp(0.7 * SPREAD)
    alone, others = claim(row(Shorter(2.0))), [claim(row(Printed(0, 1e6)), name=f"{i}") for i in range(11)]
    rivals = [claim(row(Shorter(2.0), left="right"), name=f"{i}") for i in range(11)]
    (found, *_), (among, *_) = (judged(alone, *rest, left=left, right=right) for rest in (others, rivals))
    assert found.rows[0].high == among.rows[0].high < 1
    assert (found.outcome, among.outcome) == ("REVERSED", "NOT REPRODUCED")


def test_a_passed_opposite_test_is_not_enough_where_the_ratio_may_be_above_one() -> None:
    found = judged(claim(row(Shorter())), left=[120, 121, 122, 123, 9000], right=[100, 101, 102, 103, 104])[0]
    assert found.rows[0].p == 1  # so that the opposite has the smallest p there is
    assert found.rows[0].high > 1.1
    assert found.outcome == "INCONCLUSIVE"


def test_censored_seeds_stay_in_the_test_and_leave_a_bound_of_the_ratio() -> None:
    right = [900.0, math.inf, math.inf, math.inf, math.inf]
    fast, printed = (
        judged(claim(row(Shorter(ratio))), left=100 * np.exp(SPREAD), right=right)[0] for ratio in (None, 2.0)
    )
    assert (fast.outcome, printed.outcome) == ("REPRODUCED", "PARTIAL")
    only = printed.rows[0]
    assert only.p == pytest.approx(1 / 252)
    assert only.high == math.inf
    assert only.low > 5
    assert "4 of 5 seeds of right return did not reach it" in only.note


def test_a_claim_whose_own_side_never_arrives_is_reversed() -> None:
    never = [math.inf] * 5
    assert outcome(Shorter(2.0), never, 100 * np.exp(SPREAD)) == "REVERSED"
    assert outcome(Shorter(2.0), never, never) == "INCONCLUSIVE"


def test_one_censored_seed_of_five_enters_the_ratio_at_the_budget() -> None:
    right = [900.0, 950.0, 920.0, 980.0, math.inf]
    only = judged(claim(row(Shorter(2.0))), left=100 * np.exp(SPREAD), right=right)[0].rows[0]
    assert only.outcome == "REPRODUCED"
    assert only.estimate == pytest.approx(np.exp(np.log([900, 950, 920, 980, 1000]).mean()) / 100)
    assert math.isfinite(only.high)


def test_censored_seeds_need_a_shared_limit() -> None:
    seeds = {"right": SeedScores(np.array([1.0, math.inf]))}
    with pytest.raises(ValueError, match="one finite limit"):
        judged(claim(row(Shorter())), seeds=seeds, left=[1.0, 2.0])


# --------------------------------------------------------------------------------------------------- seeds gone wrong


def test_a_diverged_seed_is_kept_as_the_worst_value_of_either_side() -> None:
    left = [5.0, 5.1, 5.2, 5.3, math.nan]
    kept = judged(claim(row(Outperforms())), left=left, right=SPREAD)[0].rows[0]
    assert kept.n_left == 5
    assert kept.left_mean == pytest.approx((5.0 + 5.1 + 5.2 + 5.3 - 0.2) / 5)
    assert kept.note.startswith("1 of 5 seeds of left return diverged and counts as the worst value seen")


def test_a_diverged_seed_never_reached_the_threshold() -> None:
    left = [100.0, 110.0, 120.0, math.nan, math.nan]
    kept = judged(claim(row(Shorter())), left=left, right=[900.0, 950.0, 960.0, 970.0, 980.0])[0].rows[0]
    assert "2 of 5 seeds of left return diverged and count as never having reached it" in kept.note
    assert kept.low == 0
    assert kept.outcome == "INCONCLUSIVE"


def test_where_every_seed_diverged_nothing_is_reproduced() -> None:
    gone = [math.nan] * 5
    assert outcome(Outperforms(), gone, gone) == "NOT REPRODUCED"
    assert outcome(Printed(1, 1), gone) == "NOT REPRODUCED"
    assert outcome(Outperforms(), gone, SPREAD) != "REPRODUCED"


def test_a_missing_seed_makes_a_claim_incomplete_and_shows_no_estimate() -> None:
    seeds = {"left": SeedScores(SPREAD[:3] + 9, missing=2)}
    found = judged(claim(row(Outperforms()), row(Printed(9, 1))), seeds=seeds, right=SPREAD)[0]
    assert (found.outcome, found.note) == ("INCOMPLETE", "2 seeds missing")
    assert math.isnan(found.rows[0].estimate)


def test_an_incomplete_claim_keeps_its_place_in_the_family() -> None:
    seeds = {"gone": SeedScores(SPREAD[:3], missing=2)}
    alone = claim(row(Outperforms()), name="alone")
    unready = claim(row(Outperforms(), left="gone"), name="unready")
    (found, _) = judged(alone, unready, seeds=seeds, left=SPREAD + 1, right=SPREAD)
    assert found.rows[0].p_holm == pytest.approx(2 * found.rows[0].p)


def test_identical_curves_are_refused_even_where_seeds_are_missing() -> None:
    seeds = {"left": SeedScores(SPREAD + 9, identical=True), "right": SeedScores(SPREAD[:2], missing=3)}
    assert judged(claim(row(Outperforms())), seeds=seeds)[0].outcome == "INVALID"


def test_constant_arms_are_judged_by_permutation_alone() -> None:
    found = judged(claim(row(Outperforms(gap=1))), left=np.ones(5), right=np.zeros(5))[0]
    assert found.outcome == "REPRODUCED"
    assert found.rows[0].p == pytest.approx(1 / 252)
    assert found.rows[0].note == "constant arms: permutation test only"


def test_an_exact_number_is_reproduced_by_seeds_that_all_have_it() -> None:
    assert outcome(Printed(0, 0), np.zeros(5)) == "REPRODUCED"
    assert outcome(Printed(0, 0), np.ones(5)) == "NOT REPRODUCED"


@pytest.mark.parametrize("other", [1.0, 1e-9, math.nan])
def test_an_exact_number_is_missed_by_one_seed_that_differs(other: float) -> None:
    found = judged(claim(row(Printed(0, 0))), left=[0, 0, 0, 0, other])[0]
    assert found.outcome == "NOT REPRODUCED"
    assert "1 of 5 seeds differ" in found.rows[0].note
    assert outcome(Printed(0, 0), [-1, 0, 0, 0, 1]) == "NOT REPRODUCED"


def test_one_seed_shows_nothing() -> None:
    for rule in (Outperforms(gap=1), AboutEquals(score("random")), Shorter(2), Printed(1, 1)):
        assert outcome(rule, [5.0], [1.0]) == "INCONCLUSIVE"


def test_a_censored_score_is_not_averaged() -> None:
    with pytest.raises(ValueError, match="Shorter"):
        outcome(Outperforms(), [math.inf, 1.0], [0.0, 1.0])


# ------------------------------------------------------------------------------------------------- profiles and claims


@pytest.mark.parametrize(
    ("profile", "about", "expected"),
    [
        ("smoke", "beginning", "NOT ASSESSED"),
        ("quick", "beginning", "REPRODUCED"),
        ("quick", "structure", "REPRODUCED"),
        ("quick", "end", "NOT ASSESSED"),
        ("paper", "end", "REPRODUCED"),
    ],
)
def test_a_truncated_budget_does_not_speak_about_the_end(profile: str, about: Any, expected: Outcome) -> None:
    found = judged(claim(row(Outperforms()), about=about), profile=profile, left=SPREAD + 1, right=SPREAD)[0]
    assert found.outcome == expected
    assert found.rows[0].outcome == "REPRODUCED"
    assert found.rows[0].estimate == pytest.approx(1)


def test_claims_that_are_not_assessed_cost_the_others_nothing() -> None:
    beginning = claim(row(Outperforms()), name="beginning", about="beginning")
    found = judged(beginning, claim(row(Outperforms())), profile="quick", left=SPREAD + 1, right=SPREAD)
    assert [verdict.rows[0].p_holm for verdict in found] == pytest.approx([1 / 252, 1 / 252])


def test_a_claim_about_the_end_is_assessed_by_any_profile_that_trains_to_the_end() -> None:
    ended = claim(row(Outperforms()))
    known = {"left": SeedScores(SPREAD + 1), "right": SeedScores(SPREAD)}
    for whole, expected in ((True, "REPRODUCED"), (False, "NOT ASSESSED")):
        extents = {ended.id: Extent("5 seeds", whole)}
        lookup = extents.__getitem__
        (found,) = judge([ended], lambda wanted: known[wanted.cell.name], "quick", lambda one, at=lookup: at(one.id))  # type: ignore[misc]
        assert found.outcome == expected


def test_an_untestable_claim_says_why() -> None:
    found = judged(claim(row(Outperforms()), untestable="the table contradicts itself"))[0]
    assert (found.outcome, found.rows, found.note) == ("UNTESTABLE", (), "the table contradicts itself")


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_a_claim_without_rows_needs_a_reason_and_costs_the_others_nothing(profile: str) -> None:
    named, shown = claim(name="named", untestable="no settings given"), claim(row(Outperforms()), about="beginning")
    found = judged(named, shown, profile=profile, left=SPREAD + 1, right=SPREAD)
    assert (found[0].outcome, found[0].note) == ("UNTESTABLE", "no settings given")
    assert found[1].rows[0].p_holm == found[1].rows[0].p
    with pytest.raises(ValueError, match="bare: a claim needs rows"):
        judged(claim(name="bare"))


def test_a_family_that_is_too_large_is_announced_before_training() -> None:
    family = [claim(row(Outperforms()), name=f"{i}") for i in range(13)]
    (warning,) = warnings(family, 5)
    assert warning.startswith("13 claims")
    assert warnings(family, 6) == warnings(family[:2], 4) == warnings([], 2) == ()
    assert warnings([*family[1:], replace(family[0], untestable="…")], 5) == ()
    assert warnings([*family[1:], claim(row(Printed(0, 0)))], 5) == ()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["REPRODUCED", "REPRODUCED"], "REPRODUCED"),
        (["REPRODUCED", "PARTIAL"], "PARTIAL"),
        (["REPRODUCED", "NOT REPRODUCED"], "PARTIAL"),
        (["REPRODUCED", "REVERSED"], "NOT REPRODUCED"),
        (["REPRODUCED", "NOT REPRODUCED", "INCONCLUSIVE"], "NOT REPRODUCED"),
        (["REPRODUCED", "INCONCLUSIVE", "INCONCLUSIVE"], "INCONCLUSIVE"),
        (["REVERSED", "REVERSED"], "REVERSED"),
    ],
)
def test_a_sentence_on_several_environments(rows: list[Outcome], expected: Outcome) -> None:
    assert conjunction(rows, 0.01, 0.01)[0] == expected


def test_half_of_a_sentence_needs_a_test_of_its_own() -> None:
    assert conjunction(["REPRODUCED", "INCONCLUSIVE"], 0.3, 0.05)[0] == "PARTIAL"
    outcome, note = conjunction(["REPRODUCED", "INCONCLUSIVE"], 0.3, 0.06)
    assert (outcome, note) == (
        "INCONCLUSIVE",
        "1 of 2 shown, each by itself; not after Holm's correction over the family",
    )
    assert conjunction(["REPRODUCED", "NOT REPRODUCED"], 0.3, 0.06)[0] == "NOT REPRODUCED"


def test_where_all_of_a_sentence_is_shown_so_is_half_of_it() -> None:
    assert conjunction(["PARTIAL", "REPRODUCED"], 0.04, 0.08)[0] == "PARTIAL"
    assert conjunction(["REPRODUCED", "REPRODUCED"], 0.04, 0.08)[0] == "REPRODUCED"


def test_a_sentence_without_tests_needs_no_correction() -> None:
    assert conjunction(["REPRODUCED", "NOT REPRODUCED"], math.nan, math.nan)[0] == "PARTIAL"


def test_half_of_a_sentence_has_the_p_of_its_partial_conjunction() -> None:
    halves = corrected_halves([[0.001, 0.2], [0.004], [0.3, math.nan, 0.002, 0.1], [math.nan]])
    # 2 · .001, .004 and, of three, (3 − 2 + 1) · .1: times 3, 2 and 1
    assert halves[:3] == pytest.approx((0.006, 0.008, 0.2))
    assert math.isnan(halves[3])


def test_a_conjunction_has_the_p_of_its_weakest_row() -> None:
    ((p, rows), (other, single)) = corrected([[0.001, 0.02, math.nan], [0.004]])
    assert (p, other) == pytest.approx((0.02, 0.008))
    assert rows[:2] == pytest.approx((0.002, 0.02))
    assert math.isnan(rows[2])
    assert single == pytest.approx((0.008,))


def test_a_conjunction_passes_where_holm_within_it_would_not() -> None:
    assert corrected([[0.04, 0.04, 0.04]])[0] == (0.04, (0.04, 0.04, 0.04))


def test_a_claim_without_a_test_leaves_the_family_alone() -> None:
    assert corrected([[math.nan], [0.04]])[1] == (0.04, (0.04,))


def test_a_large_family_makes_one_claim_harder_to_show() -> None:
    shown = claim(row(Outperforms()), name="shown")
    others = [claim(row(Outperforms(), left="right"), name=f"other {i}") for i in range(12)]
    values: dict[str, Any] = {"left": SPREAD + 1, "right": SPREAD}
    assert judged(shown, *others[:11], **values)[0].outcome == "REPRODUCED"
    assert judged(shown, *others, **values)[0].outcome == "INCONCLUSIVE"


def test_all_rows_shown_but_not_after_the_family_is_partial() -> None:
    assert conjunction(["REPRODUCED", "REPRODUCED"], 0.12, 0.03)[0] == "PARTIAL"
    assert conjunction(["REPRODUCED", "REPRODUCED"], 0.12, 0.06)[0] == "INCONCLUSIVE"


def test_an_open_row_says_how_many_seeds_would_decide_it() -> None:
    left = SPREAD * 5 + 0.7
    found = judged(claim(row(Outperforms(gap=1))), left=left, right=SPREAD * 5)[0].rows[0]
    expected = statistics.seeds_for_power(0.7 / statistics.pooled_deviation(left, SPREAD * 5)) - 5
    assert found.outcome == "INCONCLUSIVE"
    assert (
        found.note == f"if the difference seen is the true one, {expected} more seeds a side would decide at 80 % power"
    )


def test_a_comparison_needs_two_sides() -> None:
    with pytest.raises(ValueError, match="no right side"):
        judged(claim(replace(row(Outperforms()), right=None)), left=SPREAD)


# ------------------------------------------------------------------------------------------------- how often they err


def simulated(shift: float, n_families: int, n_rows: int = 1) -> list[list[Outcome]]:
    """Outcomes of families of six claims at five seeds, one list a family."""
    random = statistics.generator(f"families {shift} {n_rows}")
    names = [f"{i} {j}" for i in range(6) for j in range(n_rows)]
    claims = [
        claim(*(row(Outperforms(gap=2), f"left {i} {j}", f"right {i} {j}") for j in range(n_rows)), name=str(i))
        for i in range(6)
    ]
    families = []
    for _ in range(n_families):
        values: dict[str, Any] = {f"left {name}": random.normal(shift, 1, 5) for name in names}
        values |= {f"right {name}": random.normal(0, 1, 5) for name in names}
        families.append([verdict.outcome for verdict in judged(*claims, **values)])
    return families


def share(families: list[list[Outcome]], *wanted: Outcome) -> float:
    return float(np.mean([outcome in wanted for family in families for outcome in family]))


def test_a_family_without_any_effect_is_rarely_called_reproduced_even_in_part() -> None:
    families = simulated(0, 300)
    assert np.mean([any(found in ("REPRODUCED", "PARTIAL") for found in family) for family in families]) <= 0.06
    assert share(families, "REPRODUCED", "PARTIAL") <= 0.015


def test_sentences_on_two_environments_without_any_effect_are_rarely_called_reproduced_even_in_part() -> None:
    families = simulated(0, 200, n_rows=2)
    assert np.mean([any(found in ("REPRODUCED", "PARTIAL") for found in family) for family in families]) <= 0.06
    assert share(families, "REPRODUCED", "PARTIAL") <= 0.015


def test_an_effect_of_two_deviations_is_found_in_more_than_half_of_the_cases() -> None:
    families = simulated(2, 100)
    assert share(families, "REPRODUCED") >= 0.55
    assert share(families, "NOT REPRODUCED", "REVERSED") <= 0.01


def test_the_simulated_table_agrees_with_the_verdicts() -> None:
    table = {(line.n_seeds, line.truth): line.shares for line in operating_characteristics(n_families=200)}
    assert table[5, "G"]["REPRODUCED"] == pytest.approx(share(simulated(2, 100), "REPRODUCED"), abs=0.1)
    assert table[5, "0"]["REPRODUCED"] + table[5, "0"]["PARTIAL"] <= 0.02
    assert table[10, "G"]["REPRODUCED"] >= 0.9
    assert table[10, "−G"]["REVERSED"] >= 0.9
    assert all(sum(shares.values()) == pytest.approx(1) for shares in table.values())


def test_verdicts_are_the_same_on_every_run() -> None:
    left, right = statistics.generator("l").normal(0.5, 1, 12), statistics.generator("r").normal(0, 1, 12)
    first = judged(claim(row(Outperforms(gap=1))), left=left, right=right)
    statistics.splits.cache_clear()
    assert judged(claim(row(Outperforms(gap=1))), left=left, right=right) == first
