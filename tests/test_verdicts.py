"""The rules of judgement: every outcome by a constructed example, and every way in which they once went wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from algorithms.frozen import Frozen
from algorithms.uniform import Uniform
from benchmarks import (
    ONE_SIDED,
    AboutEquals,
    Among,
    Arm,
    Cell,
    Claim,
    Evaluation,
    Exceeds,
    Floats,
    Gap,
    Learnt,
    Margin,
    Metric,
    Multiple,
    NoWorse,
    Oftener,
    Outcome,
    Printed,
    PrintedTime,
    Row,
    Rule,
    Scatters,
    Score,
    Seldom,
    Share,
    Shorter,
    Start,
    Verdict,
    scores_of,
)
from benchmarks._judging import statistics
from benchmarks._judging.evidence import SeedScores, read, weighed
from benchmarks._judging.scores import Final, Fixed
from benchmarks._judging.verdicts import judge, warnings

SPREAD = np.array([-0.25, -0.15, -0.05, 0.05, 0.15, 0.25])
SEEDS = statistics.generator("seeds").normal(0, 0.2, 10)
FLOOR = 1 / 924  # the smallest p of six seeds a side
ONE = Margin(1.0, "a test")
RETURN, COST, VALUE = (Metric("return", better) for better in ("larger", "smaller", "neither"))


@dataclass(frozen=True)
class Named:
    """Stands for an algorithm or an environment."""

    name: str


def cell(name: str, start: Start | None = None) -> Cell:
    return Cell(name, "game", Named(name), Named("game"), Evaluation(1, 1), start=start)


def score(name: str, metric: Metric = RETURN) -> Score:
    return Score(cell(name), metric, Final(1))


def row(rule: Rule, left: str = "left", right: str = "right", metric: Metric = RETURN, **settings: Any) -> Row:
    other = None if isinstance(rule, ONE_SIDED) else score(right, metric)
    settings = {"about": "structure"} | settings
    return Row(f"{left} {right}", score(left, metric), other, rule, **settings)


def claim(*rows: Row, name: str = "claim", **settings: Any) -> Claim:
    return Claim(name, "“…”", "§1", "a test", rows, **settings)


def judged(
    *claims: Claim, profile: str = "paper", seeds: dict[str, SeedScores] | None = None, **values: Any
) -> tuple[Verdict, ...]:
    """Verdicts on claims, from the scores of each side by its name; only profile paper trains to the end."""
    known = {name: SeedScores(np.array(numbers, float), limit=1000) for name, numbers in values.items()}
    known |= seeds or {}
    found = weighed(claims, lambda wanted: known[wanted.cell.name])
    return judge(claims, found, profile, lambda _: profile == "paper")


def verdict(
    rule: Rule, left: Sequence[float] | Floats, right: Sequence[float] | Floats = (), **settings: Any
) -> Verdict:
    return judged(claim(row(rule, **settings)), left=left, right=right, random=np.zeros(6))[0]


def outcome(
    rule: Rule, left: Sequence[float] | Floats, right: Sequence[float] | Floats = (), **settings: Any
) -> Outcome:
    return verdict(rule, left, right, **settings).outcome


# ------------------------------------------------------------------------------------------------- the table, by rule


@pytest.mark.parametrize(
    ("rule", "left", "expected"),
    [
        (Exceeds(Gap(1.0)), SPREAD + 1, "REPRODUCED"),
        (Exceeds(Gap(2.0)), SPREAD + 1, "PARTIAL"),
        (Exceeds(Gap(6.0)), SPREAD + 1, "NEGLIGIBLE"),
        (Exceeds(Gap(2.0)), SPREAD, "NOT REPRODUCED"),
        (Exceeds(Gap(2.0)), SPREAD - 1, "REVERSED"),
        (Exceeds(Gap(2.0)), 10 * SPREAD + 1, "INCONCLUSIVE"),
        (Exceeds(Margin(0.5, "…")), SPREAD + 0.5, "REPRODUCED"),
        (Exceeds(Margin(0.1, "…")), SPREAD, "INCONCLUSIVE"),
        (NoWorse(ONE), SPREAD, "REPRODUCED"),
        (NoWorse(ONE), SPREAD - 2, "NOT REPRODUCED"),
        (NoWorse(ONE), 10 * SPREAD, "INCONCLUSIVE"),
        (AboutEquals(Share(score("random"))), SPREAD, "REPRODUCED"),
        (AboutEquals(Share(score("random"))), SPREAD - 3, "NOT REPRODUCED"),
        (AboutEquals(Share(score("random"))), SPREAD + 3, "NOT REPRODUCED"),
        (AboutEquals(Share(score("random"))), 10 * SPREAD, "INCONCLUSIVE"),
    ],
)
def test_each_outcome_of_a_difference(rule: Rule, left: Floats, expected: Outcome) -> None:
    assert outcome(rule, left + 10, SPREAD + 10) == expected


@pytest.mark.parametrize(
    ("ratio", "left", "expected"),
    [
        (2.0, 50 * np.exp(SPREAD), "REPRODUCED"),
        (4.0, 50 * np.exp(SPREAD), "PARTIAL"),
        (10.0, 50 * np.exp(SPREAD), "NEGLIGIBLE"),
        (2.0, 100 * np.exp(SPREAD), "NOT REPRODUCED"),
        (2.0, 200 * np.exp(SPREAD), "REVERSED"),
        (2.0, 80 * np.exp(5 * SPREAD), "INCONCLUSIVE"),
        (None, 70 * np.exp(SPREAD), "REPRODUCED"),
        (None, 100 * np.exp(SPREAD), "INCONCLUSIVE"),
        (None, 100 * np.exp(SPREAD / 100), "NOT REPRODUCED"),
    ],
)
def test_each_outcome_of_a_ratio_of_episodes(ratio: float | None, left: Floats, expected: Outcome) -> None:
    assert (
        outcome(Shorter(ratio), left, 100 * np.exp(SPREAD / (1 if expected != "NOT REPRODUCED" else 100))) == expected
    )


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (100 + 40 * SPREAD, "REPRODUCED"),
        (60 + 40 * SPREAD, "PARTIAL"),
        (20 + 10 * SPREAD, "NEGLIGIBLE"),
        (10 + 10 * SPREAD, "NOT REPRODUCED"),
        (2 + SPREAD, "REVERSED"),
        (40 + 200 * SPREAD, "INCONCLUSIVE"),
    ],
)
def test_each_outcome_of_ten_times_as_much(left: Floats, expected: Outcome) -> None:
    assert outcome(Multiple(10.0), left, 10 + 4 * SPREAD) == expected


def test_a_printed_number_is_reproduced_within_its_tolerance_and_refuted_beyond_it() -> None:
    for value, expected in (
        (0.1, "REPRODUCED"),
        (0.35, "INCONCLUSIVE"),
        (-0.35, "INCONCLUSIVE"),
        (1.0, "NOT REPRODUCED"),
    ):
        assert outcome(Printed(value, 0.4, "…"), SPREAD) == expected


def test_a_number_that_our_seeds_scatter_far_around_is_neither_reproduced_nor_in_part() -> None:
    wide = 30 * SPREAD  # m₀ lies well within the prediction interval, five τ off
    found = verdict(Printed(5.0, 1.0, "…"), wide)
    assert found.outcome == "INCONCLUSIVE"
    assert "95 % of further runs lie in" in found.rows[0].note


def test_an_exact_number_is_reproduced_by_seeds_that_all_have_it_and_missed_by_one_that_differs() -> None:
    exact = Printed(0, 0, "a counter")
    assert outcome(exact, np.zeros(6)) == "REPRODUCED"
    for other in (1.0, 1e-9, math.nan):
        found = verdict(exact, [0, 0, 0, 0, 0, other])
        assert found.outcome == "NOT REPRODUCED"
        assert "1 of 6 seeds differ" in found.rows[0].note


# ------------------------------------------------------------------------------------------ δ, on both sides and honest


def test_a_difference_that_is_wholly_within_delta_is_never_called_reproduced() -> None:
    found = verdict(Exceeds(ONE), SPREAD + 0.6, SPREAD)
    assert found.rows[0].p == pytest.approx(FLOOR) and found.rows[0].high < 1
    assert found.outcome == "NEGLIGIBLE"
    assert outcome(AboutEquals(ONE), SPREAD + 0.6, SPREAD) == "REPRODUCED"


@pytest.mark.parametrize("rule", [Exceeds(ONE), Shorter(smallest=math.e), Oftener(Margin(0.4, "…"))])
def test_a_reversed_effect_that_is_wholly_within_delta_is_not_called_reversed(rule: Rule) -> None:
    """It was the other way round, beyond chance, at a hundredth of what matters."""
    left, right = SPREAD, SPREAD + 0.6
    if isinstance(rule, Shorter):
        left, right = np.exp(right), np.exp(left)
    if isinstance(rule, Oftener):
        left, right = np.zeros(60), np.append(np.ones(6), np.zeros(54))
    found = verdict(rule, left, right)
    assert found.rows[0].p_opposite <= 0.05 / 3
    assert (found.outcome, found.rows[0].outcome) == ("NOT REPRODUCED", "NOT REPRODUCED")


def test_a_reversal_is_one_only_where_each_comparison_may_matter() -> None:
    assert on_games(-2, -2).outcome == "REVERSED"
    mixed = on_games(-2, -0.5)
    assert (mixed.outcome, [row.outcome for row in mixed.rows]) == ("NOT REPRODUCED", ["REVERSED", "NOT REPRODUCED"])
    assert mixed.p_reversed <= 0.05


def test_where_the_family_leaves_the_direction_open_what_does_not_matter_is_not_reproduced() -> None:
    """Both comparisons are negligible by themselves; among many sentences only their size is beyond chance."""
    small = claim(*(row(Exceeds(ONE), side, role="replicate") for side in ("one", "other")), name="small")
    values: dict[str, Any] = {"one": SPREAD + 0.28, "other": SPREAD + 0.3, "right": SPREAD, "none": SPREAD - 1}
    alone = judged(small, **values)[0]
    assert alone.outcome == "NEGLIGIBLE"
    nothing = [claim(row(Exceeds(Gap(3.0)), "none", "right"), name=f"{i}") for i in range(10)]
    among = judged(small, *nothing, **values)[0]
    assert among.p > 0.05 >= among.p_refuted
    assert among.outcome == "NOT REPRODUCED" and {row.outcome for row in among.rows} == {"NEGLIGIBLE"}


@pytest.mark.parametrize("n", [6, 10])
def test_without_any_effect_direction_is_claimed_no_oftener_than_support(n: int) -> None:
    """Were negligible rows enough, one in twenty of these sentences were called true, but too small to matter."""
    left, right = 0.3 * statistics.generator(f"nothing, {n}").normal(size=(2, n, 300))
    families = (
        judged(*(claim(row(Exceeds(ONE), f"l{j}", f"r{j}"), name=f"{j}") for j in range(10)), **sides)
        for i in range(0, 300, 10)
        for sides in [{f"{side}{j}": of[:, i + j] for side, of in (("l", left), ("r", right)) for j in range(10)}]
    )
    outcomes = [each.outcome for family in families for each in family]
    assert outcomes.count("NEGLIGIBLE") <= 3 and outcomes.count("REVERSED") == 0
    assert outcomes.count("NOT REPRODUCED") >= 290


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan])
def test_a_delta_of_nothing_is_refused_with_a_sentence(delta: float) -> None:
    with pytest.raises(ValueError, match="must be above 0, because any noise is above 0"):
        Margin(delta, "…")
    with pytest.raises(ValueError, match="must be above 0"):
        Gap(delta)
    with pytest.raises(ValueError, match="must be above 0"):
        Share(score("random"), delta)


@pytest.mark.parametrize("side", ["left", "right"])
def test_delta_is_not_measured_from_one_of_the_two_sides(side: str) -> None:
    with pytest.raises(ValueError, match="δ must not be measured from one of the two sides"):
        row(Exceeds(Share(score(side))))


def test_a_tolerance_and_a_margin_have_reasons() -> None:
    with pytest.raises(ValueError, match="must have a reason, got none"):
        Printed(0.0, 0.1, " ")
    with pytest.raises(ValueError, match="δ must have a reason"):
        Margin(0.1, "")


def test_delta_is_a_third_of_a_printed_gap_or_a_tenth_of_the_range_to_the_better_side() -> None:
    assert verdict(Exceeds(Gap(3.0)), SPREAD, SPREAD).rows[0].delta == 1
    share = Exceeds(Share(score("random")))
    assert verdict(share, SPREAD + 10, SPREAD + 5).rows[0].delta == pytest.approx(1)
    assert verdict(share, SPREAD + 10, SPREAD + 5, metric=COST).rows[0].delta == pytest.approx(0.5)
    assert verdict(share, SPREAD - 10, SPREAD + 5, metric=VALUE).rows[0].delta == pytest.approx(1)


# ------------------------------------------------------------------------------------------------------------- families


def test_a_family_is_all_testable_sentences_whatever_has_been_run() -> None:
    shown = claim(row(Exceeds(ONE)), name="shown")
    later = [claim(row(Exceeds(ONE), about="end"), name=f"later {i}") for i in range(3)]
    unready = claim(row(Exceeds(ONE), left="gone"), name="unready")
    seeds = {"gone": SeedScores(SPREAD[:3], missing=3)}
    never = claim(name="never", untestable="no settings given")
    check = claim(row(Exceeds(ONE)), name="check", kind="check")
    found = judged(shown, *later, unready, never, check, profile="quick", seeds=seeds, left=SPREAD + 2, right=SPREAD)
    assert found[0].p == pytest.approx(5 * FLOOR)  # of these neither the untestable nor the check
    assert found[-1].p == pytest.approx(FLOOR)


def test_a_verdict_is_the_same_whether_or_not_that_of_others_is_wanted() -> None:
    family = [claim(row(Exceeds(ONE)), name=str(i)) for i in range(3)]
    family += [claim(row(Exceeds(ONE), left="right"), name="other"), claim(name="never", untestable="no settings")]
    known = {name: SeedScores(values) for name, values in (("left", SPREAD + 2), ("right", SPREAD))}
    found = weighed(family, lambda wanted: known[wanted.cell.name])
    every = {each.claim: each for each in judge(family, found, "paper", lambda _: True)}
    for names in (("1",), ("2", "never"), ()):
        some = judge(family, found, "paper", lambda _: True, wanted=names)
        assert some == tuple(every[name] for name in names)


def test_one_more_confirmed_claim_takes_nothing_from_the_others() -> None:
    """Twelve claims at the smallest p of five seeds were REPRODUCED; a thirteenth made all of them INCONCLUSIVE."""
    five = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    for n in (12, 13):
        family = [claim(row(Exceeds(ONE)), name=str(i)) for i in range(n)]
        found = judged(*family, left=five + 2, right=five)
        assert {each.outcome for each in found} == {"REPRODUCED"}


def test_no_verdict_depends_on_what_else_is_assessed() -> None:
    shown = claim(row(Exceeds(ONE)), name="shown")
    others = [claim(row(Exceeds(ONE), left="right", about="end"), name=str(i)) for i in range(30)]
    early, late = (judged(shown, *others, profile=p, left=SPREAD + 2, right=SPREAD)[0] for p in ("quick", "paper"))
    assert early.p == late.p


def test_a_family_that_is_too_large_for_its_seeds_is_announced_before_training() -> None:
    family = [claim(row(Exceeds(ONE)), name=f"{i}") for i in range(13)]
    (warning,) = warnings(family, 5)
    assert warning.startswith("13 claims") and "at least 6 seeds" in warning
    assert warnings(family, 6) == warnings(family[:2], 4) == ()
    assert warnings([*family[1:], replace(family[0], rows=(), untestable="…")], 5) == ()
    assert warnings([*family[1:], replace(family[0], kind="check")], 5) == ()


# ----------------------------------------------------------------------------------------------------------- refutation


def test_one_of_many_rows_below_delta_by_chance_does_not_sink_a_sentence() -> None:
    """A true sentence on 8 games was NOT REPRODUCED in a tenth of all cases, on 32 in almost half."""
    wide = 3 * SPREAD  # δ is .3 of a seed's standard deviation, the effect twice that
    noise = statistics.generator("many rows").normal(0, 0.56, (2, 40, 32, 6))
    refuted = 0
    for left, right in zip(*noise, strict=True):
        rows = [row(Exceeds(Margin(0.17, "…")), f"l{i}", f"r{i}", role="replicate") for i in range(32)]
        values = {f"l{i}": left[i] + 0.34 for i in range(32)} | {f"r{i}": right[i] for i in range(32)}
        refuted += judged(claim(*rows), **values)[0].outcome in ("NOT REPRODUCED", "REVERSED")
    assert wide.std() > 0 and refuted <= 1


def test_a_refutation_is_simes_over_rows_and_corrected_over_the_family() -> None:
    far = claim(row(Exceeds(Gap(9.0))), row(Exceeds(Gap(9.0)), left="other"), name="far")
    alone = claim(row(Exceeds(ONE), "other", "right"), name="alone")
    found = judged(far, alone, left=SPREAD, other=SPREAD + 9, right=SPREAD)[0]
    assert found.rows[0].p_refuted == pytest.approx(FLOOR) and found.rows[1].p_refuted > 0.5
    assert found.p_refuted == pytest.approx(2 * 2 * FLOOR)
    assert found.outcome == "NOT REPRODUCED"
    many = [claim(row(Exceeds(Gap(9.0)), "other"), name=str(i)) for i in range(30)]
    assert judged(far, *many, left=SPREAD, other=SPREAD + 9, right=SPREAD)[0].outcome == "INCONCLUSIVE"


@pytest.mark.parametrize("n_rows", [1, 2, 8])
@pytest.mark.parametrize("away", [-3, 3])
def test_equalities_that_six_seeds_all_refute_fall_alone_among_the_sentences_of_a_paper(
    n_rows: int, away: float
) -> None:
    """Two sides × rows × sentences were .061 at best for two rows of fourteen sentences, whatever the seeds said."""
    rows = [row(AboutEquals(ONE), f"left {i}", role="replicate") for i in range(n_rows)]
    others = [claim(lacks="…", name=str(i)) for i in range(13)]
    values: dict[str, Any] = {f"left {i}": SPREAD + away for i in range(n_rows)}
    found = judged(claim(*rows), *others, right=SPREAD, **values)[0]
    assert found.p_refuted == pytest.approx(14 * FLOOR, rel=1e-3)
    assert found.outcome == "NOT REPRODUCED"


def test_an_equality_is_refuted_by_one_end_of_its_margin_and_what_is_as_far_beyond_the_other() -> None:
    wide = 4 * SPREAD
    for delta in (0.5, 1e-9):
        nearer = float(statistics.ordering(wide + 2 - delta, wide, statistics.splits(6, 6)).p)
        other = float(statistics.difference(wide + 2 + delta, wide).p)
        assert (other < nearer / 10) == (delta == 0.5)
        for away in (2, -2):
            found = verdict(AboutEquals(Margin(delta, "…")), wide + away, wide).rows[0]
            assert found.p_refuted == pytest.approx(nearer + other)


def test_a_sentence_may_be_refuted_without_it_being_told_by_which_row() -> None:
    rows = [row(Exceeds(ONE), f"left {i}", role="replicate") for i in range(3)]
    sides: dict[str, Any] = {f"left {i}": 3 * SPREAD + 0.35 for i in range(3)}
    found = judged(claim(*rows), right=3 * SPREAD, **sides)[0]
    assert found.p_refuted == pytest.approx(found.rows[0].p_refuted)
    assert 0.05 / 3 < found.p_refuted <= 0.05
    assert found.outcome == "NOT REPRODUCED"
    assert {one.outcome for one in found.rows} == {"INCONCLUSIVE"}


def test_an_open_row_is_no_evidence_against_a_sentence() -> None:
    rows = (row(Exceeds(ONE)), row(Exceeds(ONE), left="open"))
    assert judged(claim(*rows), left=SPREAD + 2, open=20 * SPREAD + 1, right=SPREAD)[0].outcome == "INCONCLUSIVE"


# ------------------------------------------------------------------------------------------------- rows and their roles


def on_games(*levels: float, role: str = "replicate", **settings: Any) -> Verdict:
    """A sentence on several games, on each of which left is so much above right; δ is 1."""
    rows = [row(Exceeds(ONE), f"game {i}", "right", role=role) for i in range(len(levels))]
    values: dict[str, Any] = {f"game {i}": SPREAD + level for i, level in enumerate(levels)}
    return judged(claim(*rows, **settings), right=SPREAD, **values)[0]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ((2, 2, 2, 2), "REPRODUCED"),
        ((2, 2, 0, 0), "PARTIAL"),
        ((2, 2, 0.5, 0.5), "PARTIAL"),
        ((2, 0, 0, 0), "NOT REPRODUCED"),
        ((2, 2, 2, -2), "NOT REPRODUCED"),
        ((0.5, 0.5), "NEGLIGIBLE"),
        ((-2, -2), "REVERSED"),
    ],
)
def test_a_sentence_on_several_games(levels: tuple[float, ...], expected: Outcome) -> None:
    assert on_games(*levels).outcome == expected


def test_what_must_hold_is_not_made_up_for_by_what_is_trivial() -> None:
    """Five refuted rows of interest and six trivial ones were PARTIAL."""
    assert on_games(2, 2, 0, 0, role="claim").outcome == "NOT REPRODUCED"
    trivial = row(Exceeds(ONE), "high", role="necessary")
    rows = [row(Exceeds(ONE), "left", role="replicate"), row(Exceeds(ONE), "low", role="replicate")]
    found = judged(claim(trivial, trivial, trivial, *rows), left=SPREAD, low=SPREAD, high=SPREAD + 9, right=SPREAD)[0]
    assert found.outcome == "NOT REPRODUCED"
    assert found.note == "0 of 2 shown"


def test_a_replicate_that_holds_is_worth_nothing_where_a_necessary_condition_does_not() -> None:
    rows = [row(Exceeds(ONE), "open", role="necessary"), *(row(Exceeds(ONE), role="replicate") for _ in range(2))]
    assert judged(claim(*rows), open=20 * SPREAD, left=SPREAD + 2, right=SPREAD)[0].outcome == "INCONCLUSIVE"


def test_a_sentence_with_can_asks_for_one_replicate_and_is_refuted_by_all() -> None:
    assert on_games(2, 0, 0, holds="some").outcome == "REPRODUCED"
    assert on_games(0, 0, 0, holds="some").outcome == "NOT REPRODUCED"
    assert on_games(0.5, 0, 0, holds="some").outcome == "NEGLIGIBLE"
    assert on_games(-2, -2, holds="some").outcome == "REVERSED"


def test_a_row_of_a_sentence_with_can_is_not_shown_by_another() -> None:
    """All rows were shown at the p of the best, and a negligible one made whole by one that shows nothing."""
    first, second = on_games(2, 0.02, holds="some").rows
    assert (first.outcome, second.outcome == "REPRODUCED") == ("REPRODUCED", False)
    wide = [row(Exceeds(ONE), side, role="replicate") for side in ("small", "wide")]
    sides: dict[str, Any] = {"small": SPREAD + 0.5, "wide": 20 * SPREAD + 3, "right": SPREAD}
    assert judged(claim(*wide, holds="some"), **sides)[0].outcome == "NEGLIGIBLE"


def groups(*of: Sequence[float], holds: Any = "some") -> Verdict:
    """A sentence whose replicates are groups of rows; every number is how much a row's left side is above its right."""
    rows: list[Row] = []
    sides: dict[str, Any] = {"right": SPREAD}
    for group, rises in enumerate(of):
        for i, rise in enumerate(rises):
            sides[f"{group} {i}"] = SPREAD + rise
            rows.append(row(Exceeds(ONE), f"{group} {i}", role="replicate", group=f"group {group}"))
    return judged(claim(*rows, holds=holds), **sides)[0]


def test_the_rows_of_a_group_hold_together() -> None:
    assert groups((2, 2), (0, 0)).outcome == "REPRODUCED"
    assert groups((2, 0), (0, 2)).outcome == "NOT REPRODUCED"  # every group holds one that is refuted
    assert groups((2, 0.4), (0.4, 2)).outcome == "NEGLIGIBLE"
    assert groups((2, 0), (2, 0.02 * 20)).outcome == "NEGLIGIBLE"
    assert groups((2, 2), (2, 0), holds="all").outcome == "PARTIAL"


def test_a_group_has_the_largest_p_of_its_rows_and_is_refuted_as_a_sentence_of_them() -> None:
    found = groups((2, 0.12), (2, 0.08), (2, 2, 0.04))
    p, refuted = ([getattr(of, name) for of in found.rows] for name in ("p", "p_refuted"))
    assert found.p == pytest.approx(min(1.0, 3 * min(max(p[:2]), max(p[2:4]), max(p[4:]))))
    assert found.p_refuted == pytest.approx(max(2 * min(refuted[:2]), 2 * min(refuted[2:4]), 3 * min(refuted[4:])))


def doubtful(rise: float, other: float, third: float = 2.0) -> Verdict:
    """A sentence, and two rows of another way to read it: how much left is above right in each; δ is 1."""
    rows = [row(Exceeds(ONE), "one"), row(Exceeds(ONE), "other", role="doubt"), row(Exceeds(ONE), "3", role="doubt")]
    sides: dict[str, Any] = {"one": SPREAD + rise, "other": SPREAD + other, "3": SPREAD + third, "right": SPREAD}
    return judged(claim(*rows), **sides)[0]


@pytest.mark.parametrize(
    ("rises", "expected"),
    [
        ((2, 2), "REPRODUCED"),
        ((2, 0), "REPRODUCED"),
        ((2, -2), "REPRODUCED"),
        ((0.12, 9), "INCONCLUSIVE"),
        ((0, 2), "INCONCLUSIVE"),
        ((-2, 2), "INCONCLUSIVE"),
        ((0, 0), "NOT REPRODUCED"),
        ((-2, -2), "NOT REPRODUCED"),
        ((-2, -2, -2), "REVERSED"),
    ],
)
def test_what_is_in_doubt_supports_nothing_and_is_refuted_too_where_a_sentence_is(
    rises: tuple[float, ...], expected: Outcome
) -> None:
    found = doubtful(*rises)
    assert found.outcome == expected
    assert found.note == f"{int(rises[0] == 2)} of 1 shown"


def test_a_sentence_is_refuted_at_the_larger_p_of_its_own_rows_and_of_those_in_doubt() -> None:
    found = doubtful(0, 0.9)
    one, other, third = (of.p_refuted for of in found.rows)
    assert found.p_refuted == pytest.approx(max(one, 2 * min(other, third))) == pytest.approx(2 * other)


def test_what_is_in_doubt_and_reversed_takes_no_part_of_a_sentence_away() -> None:
    replicates = [row(Exceeds(ONE), name, role="replicate") for name in ("one", "two")]
    sides: dict[str, Any] = {"one": SPREAD + 2, "two": SPREAD + 0.3, "other": SPREAD - 2, "right": SPREAD}
    found, without = (
        judged(claim(*rows), **sides)[0]
        for rows in ((*replicates, row(Exceeds(ONE), "other", role="doubt")), replicates)
    )
    assert found.rows[2].outcome == "REVERSED"
    assert found.outcome == without.outcome == "PARTIAL"


def test_a_row_in_doubt_is_not_shown_by_the_sentence() -> None:
    assert [of.outcome for of in doubtful(2, 0.02).rows] == ["REPRODUCED", "NOT REPRODUCED", "REPRODUCED"]


def test_only_replicates_have_a_group() -> None:
    with pytest.raises(ValueError, match="only replicates have a group, found 'one' of role claim"):
        row(Exceeds(ONE), group="one")


def test_all_rows_hold_at_the_p_of_the_weakest_and_half_at_that_of_the_partial_conjunction() -> None:
    found = on_games(2, 2, 0.08)
    assert found.p == pytest.approx(found.rows[2].p)
    assert found.p_part == pytest.approx(2 * FLOOR)


def test_rows_of_a_sentence_that_holds_as_a_whole_hold_each() -> None:
    rows = [row(Exceeds(Gap(0.1)), f"game {i}", role="claim") for i in range(3)]
    values: dict[str, Any] = {f"game {i}": 3 * SPREAD + 0.75 for i in range(3)}
    found = judged(claim(*rows), right=3 * SPREAD, **values)[0]
    assert 0.05 / 3 < found.p <= 0.05
    assert found.outcome == "REPRODUCED"


def test_a_comparison_has_two_sides_and_a_printed_number_one() -> None:
    with pytest.raises(ValueError, match="Printed has one side and every other rule two, found no right side"):
        replace(row(Exceeds(ONE)), right=None)
    with pytest.raises(ValueError, match="found a right side"):
        replace(row(Exceeds(ONE)), rule=Printed(1, 1, "…"))


# --------------------------------------------------------------------------------------------------------- precondition


def learnt(*arms: str) -> tuple[Learnt, ...]:
    return (Learnt(tuple(Arm(score(arm), score(f"{arm} before")) for arm in arms), score("random"), ONE),)


def test_two_arms_at_the_floor_are_not_about_equal_but_have_not_learnt() -> None:
    equal = claim(row(AboutEquals(ONE), learnt=learnt("left", "right")))
    start: dict[str, Any] = {"left before": SPREAD, "right before": SPREAD, "random": SPREAD}
    assert judged(claim(row(AboutEquals(ONE))), left=SPREAD, right=SPREAD)[0].outcome == "REPRODUCED"
    found = judged(equal, left=SPREAD, right=SPREAD, **start)[0]
    assert found.outcome == "NOT LEARNT"
    assert found.rows[0].note.startswith("nobody has learnt: left return is")
    assert judged(equal, left=SPREAD + 9, right=SPREAD + 9, **start)[0].outcome == "REPRODUCED"


def test_learners_of_whom_none_has_learnt_refute_nothing() -> None:
    better = claim(row(Exceeds(Gap(3.0)), learnt=learnt("left", "right")))
    start: dict[str, Any] = {"left before": SPREAD, "right before": SPREAD, "random": SPREAD}
    assert judged(better, left=SPREAD, right=SPREAD, **start)[0].outcome == "NOT LEARNT"
    assert judged(better, left=SPREAD + 9, right=SPREAD + 9, **start)[0].outcome == "NOT REPRODUCED"


def test_who_was_good_before_has_not_learnt() -> None:
    better = claim(row(Exceeds(ONE), learnt=learnt("left")))
    values: dict[str, Any] = {"left": SPREAD + 9, "left before": SPREAD + 9, "right": SPREAD, "random": SPREAD}
    assert judged(better, **values)[0].outcome == "NOT LEARNT"


def test_why_nobody_has_learnt_names_the_levels_that_were_asked_for() -> None:
    left = score("left")
    frozen = replace(left, cell=replace(cell("before"), algorithm=Frozen(Uniform(100))))
    early, nobody, fixed = replace(left, statistic=Final(2)), score("random"), replace(left, statistic=Fixed(0.0))

    def levels(untrained: Score, chance: Score) -> str:
        asked = claim(row(AboutEquals(ONE), learnt=(Learnt((Arm(left, untrained),), chance, ONE),)))
        found = judged(asked, left=SPREAD - 1, right=SPREAD, before=SPREAD - 1.5, random=SPREAD - 2)[0].rows[0]
        return found.note.removeprefix("nobody has learnt: left return is −1, ")

    assert levels(frozen, nobody) == "untrained −1.5, by chance −2"
    assert levels(frozen, frozen) == "untrained −1.5"
    assert levels(early, early) == "untrained −1"
    assert levels(early, fixed) == "untrained −1, fixed −1"  # what is looked up hangs on the name of a cell alone
    assert levels(nobody, nobody) == "by chance −2"


def test_to_learn_is_to_become_better_by_the_direction_of_the_metric() -> None:
    arms = (Arm(score("left", COST), score("before", COST)),)
    cheap = claim(row(AboutEquals(ONE), metric=COST, learnt=(Learnt(arms, score("random", COST), ONE),)))
    values: dict[str, Any] = {"left": SPREAD, "right": SPREAD, "before": SPREAD + 9, "random": SPREAD + 9}
    assert judged(cheap, **values)[0].outcome == "REPRODUCED"
    assert judged(cheap, **(values | {"before": SPREAD - 9, "random": SPREAD - 9}))[0].outcome == "NOT LEARNT"


# --------------------------------------------------------------------------------------------------- seeds gone wrong


def test_a_diverged_seed_is_kept_as_the_worst_value_of_either_side() -> None:
    left = [5.0, 5.1, 5.2, 5.3, 5.4, math.nan]
    kept = verdict(Exceeds(ONE), left, SPREAD).rows[0]
    assert (kept.n_left, kept.diverged_left, kept.diverged_right) == (6, 1, 0)
    assert kept.left_mean == pytest.approx((5.0 + 5.1 + 5.2 + 5.3 + 5.4 - 0.25) / 6)
    assert "1 of 6 seeds of left return diverged (95 % interval of the rate 0% to 64%)" in kept.note


def test_a_diverged_seed_of_a_cost_never_makes_a_winner() -> None:
    """It had the lowest value seen, which is a cost's best."""
    mostly_gone = [math.nan] * 5 + [1.0]
    found = verdict(Exceeds(ONE), SPREAD + 3, mostly_gone, metric=COST)
    assert found.outcome != "REPRODUCED"
    assert found.rows[0].right_mean == pytest.approx((5 * 3.25 + 1) / 6)


def test_divergence_never_supports_an_equality_nor_a_printed_number() -> None:
    mostly_gone = [math.nan] * 4 + [0.0, 0.1]
    assert outcome(AboutEquals(ONE), mostly_gone, SPREAD) == "INCONCLUSIVE"
    assert outcome(AboutEquals(ONE), [*SPREAD[:5], math.nan], SPREAD) == "INCONCLUSIVE"
    assert outcome(Printed(0.0, 1.0, "…"), [*SPREAD[:5], math.nan]) == "INCONCLUSIVE"


def test_where_neither_way_is_better_divergence_supports_nothing() -> None:
    assert outcome(Exceeds(ONE), SPREAD + 9, [*SPREAD[:5], math.nan], metric=VALUE) == "INCONCLUSIVE"


def test_where_every_seed_diverged_nothing_is_learnt_and_nothing_refuted() -> None:
    gone = [math.nan] * 6
    assert outcome(Exceeds(ONE), gone, gone) == "NOT LEARNT"
    assert outcome(Printed(1, 1, "…"), gone) == "NOT LEARNT"
    assert outcome(Exceeds(ONE), gone, SPREAD) != "REPRODUCED"


def test_a_stretch_in_which_nothing_was_seen_is_no_divergence() -> None:
    seeds = {"left": SeedScores(np.array([5.0, 5, 5, 5, 5, math.nan]), unseen=1)}
    found = judged(claim(row(Exceeds(ONE))), seeds=seeds, right=SPREAD)[0]
    assert found.outcome == "INCONCLUSIVE"
    assert found.rows[0].note == "1 seed of left return without anything to read in this stretch"
    assert found.rows[0].diverged_left == 0


def test_a_metric_that_may_be_empty_names_a_witness() -> None:
    with pytest.raises(ValueError, match="only a witness tells an empty test from a diverged seed"):
        Metric("episode reward", better="larger", empty="skipped")


def test_a_missing_seed_makes_a_claim_incomplete_and_shows_no_estimate() -> None:
    seeds = {"left": SeedScores(SPREAD[:3] + 9, missing=3)}
    found = judged(claim(row(Exceeds(ONE)), row(Printed(9, 1, "…"))), seeds=seeds, right=SPREAD)[0]
    assert (found.outcome, found.note) == ("INCOMPLETE", "3 seeds missing")
    assert math.isnan(found.rows[0].estimate)


def test_identical_curves_are_refused_even_where_seeds_are_missing() -> None:
    seeds = {"left": SeedScores(SPREAD + 9, identical=True), "right": SeedScores(SPREAD[:2], missing=4)}
    assert judged(claim(row(Exceeds(ONE))), seeds=seeds)[0].outcome == "INVALID"


def test_constant_arms_are_judged_by_permutation_alone() -> None:
    found = verdict(Exceeds(Gap(1.0)), np.ones(6), np.zeros(6))
    assert found.outcome == "REPRODUCED"
    assert found.rows[0].p == pytest.approx(FLOOR)
    assert found.rows[0].note == "constant arms: permutation test only"


def test_one_seed_shows_nothing() -> None:
    for rule in (Exceeds(ONE), AboutEquals(ONE), NoWorse(ONE), Multiple(2.0), Shorter(2.0), Printed(1, 1, "…")):
        assert outcome(rule, [5.0], [1.0]) == "INCONCLUSIVE"


def test_a_censored_score_is_not_averaged() -> None:
    with pytest.raises(ValueError, match="Shorter"):
        outcome(Exceeds(ONE), [math.inf, 1.0], [0.0, 1.0])


# ---------------------------------------------------------------------------------------------------------------- times


def test_censoring_on_the_right_hides_a_larger_ratio_only() -> None:
    """A true ratio of 3 was never REPRODUCED where 2 is printed, because the slow side does not arrive."""
    right = [900.0, 950.0, math.inf, math.inf, math.inf, math.inf]
    found = verdict(Shorter(2.0), 100 * np.exp(SPREAD), right)
    assert found.outcome == "REPRODUCED"
    assert found.rows[0].low > 5 and found.rows[0].high == math.inf
    assert "4 of 6 seeds of right return did not reach it" in found.rows[0].note
    assert outcome(Shorter(40.0), 100 * np.exp(SPREAD), right) == "PARTIAL"  # it may be as large


def test_censoring_on_the_left_hides_a_smaller_ratio_only() -> None:
    left = [math.inf] * 3 + [400.0, 420.0, 440.0]
    found = verdict(Shorter(2.0), left, 300 * np.exp(SPREAD))
    assert (found.rows[0].low, found.outcome) == (0.0, "REVERSED")


def test_what_nobody_reaches_is_neither_equal_nor_refuted() -> None:
    """Medians that stand at the time limit read as a ratio of 1."""
    never = [math.inf] * 6
    assert outcome(Shorter(1.25), never, never) == "INCONCLUSIVE"
    assert outcome(Shorter(1.25), never, 100 * np.exp(SPREAD)) == "REVERSED"


def test_one_censored_seed_of_six_enters_the_ratio_at_the_budget() -> None:
    right = [900.0, 950.0, 920.0, 980.0, 930.0, math.inf]
    only = verdict(Shorter(2.0), 100 * np.exp(SPREAD), right).rows[0]
    assert only.outcome == "REPRODUCED"
    assert only.estimate == pytest.approx(np.exp(np.log([900, 950, 920, 980, 930, 1000]).mean()) / 100)
    assert math.isfinite(only.high)


def test_a_diverged_seed_never_reached_the_threshold() -> None:
    left = [100.0, 110.0, 120.0, 130.0, math.nan, math.nan]
    kept = verdict(Shorter(), left, [900.0, 950.0, 960.0, 970.0, 980.0, 990.0]).rows[0]
    assert "2 of 6 seeds of left return diverged" in kept.note and "never having reached it" in kept.note
    assert kept.low == 0


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (150 * np.exp(SPREAD / 2), "REPRODUCED"),
        (150 * np.exp(4 * SPREAD), "INCONCLUSIVE"),
        (60 * np.exp(SPREAD), "NOT REPRODUCED"),
        (350 * np.exp(SPREAD), "NOT REPRODUCED"),
        ([150.0, 151.0, 149.0, 150.0, 150.0, math.inf], "INCONCLUSIVE"),
        ([149.0, 150.0, 151.0, 152.0, math.inf, math.inf], "INCONCLUSIVE"),
        ([900.0, 950.0, math.inf, math.inf, math.inf, math.nan], "NOT REPRODUCED"),
        ([math.inf] * 6, "NOT REPRODUCED"),
        ([60.0, 60.0, 60.0, 60.0, math.inf, math.inf], "INCONCLUSIVE"),
    ],
)
def test_a_printed_time_is_met_within_its_factor_and_what_is_censored_is_longer(
    left: Floats | list[float], expected: Outcome
) -> None:
    assert outcome(PrintedTime(150.0, 4 / 3, "…"), left) == expected


@pytest.mark.parametrize(("limit", "seen"), [(152.0, 150.0), (62.0, 60.0)])
def test_a_time_that_too_few_reach_is_not_met_nor_shorter_however_near_the_budget_ends(
    limit: float, seen: float
) -> None:
    times = SeedScores(np.array([seen, seen, seen, seen + 1, math.inf, math.inf]), limit=limit)
    found = judged(claim(row(PrintedTime(150.0, 4 / 3, "…"))), seeds={"left": times})[0]
    assert found.outcome == "INCONCLUSIVE"


def test_a_printed_time_is_told_as_a_ratio_of_geometric_means() -> None:
    only = verdict(PrintedTime(150.0, 4 / 3, "…"), 100 * np.exp(SPREAD)).rows[0]
    assert only.estimate == pytest.approx(1.5)
    assert [only.left_mean, only.right_mean, only.delta] == pytest.approx([100, 150, 4 / 3])
    half = 2.015048 * np.std(SPREAD, ddof=1) / math.sqrt(6)
    assert [only.low, only.high] == pytest.approx([1.5 * math.exp(-half), 1.5 * math.exp(half)])
    assert verdict(PrintedTime(150.0, 4 / 3, "…"), [150.0]).outcome == "INCONCLUSIVE"
    some = verdict(PrintedTime(150.0, 4 / 3, "…"), [150.0, 151.0, 152.0, math.inf, math.inf, 150.0]).rows[0]
    assert some.low == 0 and "2 of 6 seeds of left return did not reach it" in some.note


def test_a_printed_time_needs_a_factor_with_a_reason() -> None:
    with pytest.raises(ValueError, match="a ratio must be above 1, got 1"):
        PrintedTime(150.0, 1.0, "…")
    with pytest.raises(ValueError, match=r"a factor of 1\.5 must have a reason"):
        PrintedTime(150.0, 1.5, " ")


def test_censored_seeds_need_a_shared_limit() -> None:
    seeds = {"right": SeedScores(np.array([1.0, math.inf]))}
    with pytest.raises(ValueError, match="one finite limit"):
        judged(claim(row(Shorter())), seeds=seeds, left=[1.0, 2.0])


# -------------------------------------------------------------------------------------------------------------- scatter


def test_scatter_is_the_difference_of_how_far_seeds_lie_from_the_median_of_their_side() -> None:
    left, right = [0.0, 1.0, 3.0, 10.0], [5.0, 5.0, 6.0, 8.0]  # medians 2 and 5.5
    only = verdict(Scatters(ONE), left, right).rows[0]
    assert only.left_mean == pytest.approx((2 + 1 + 1 + 8) / 4)
    assert only.right_mean == pytest.approx((0.5 + 0.5 + 0.5 + 2.5) / 4)
    assert only.estimate == pytest.approx(2.0)


def test_what_scatters_more_is_told_from_what_lies_elsewhere() -> None:
    wide = np.array([-9.0, -8.0, -7.0, 7.0, 8.0, 9.0])
    assert outcome(Scatters(ONE), wide, SPREAD) == "REPRODUCED"
    assert outcome(Scatters(ONE), SPREAD, wide) == "REVERSED"
    assert outcome(Scatters(ONE), wide - 100, SPREAD) == "INCONCLUSIVE"  # too far away to exchange seeds
    assert outcome(Scatters(ONE), SPREAD + 100, SPREAD) == "INCONCLUSIVE"  # never refuted as too small


def test_three_seeds_of_six_that_collapse_are_weak_evidence_of_scatter() -> None:
    """Distances from one median are not independent: all six seeds of a side lie far from it then."""
    collapsed = SPREAD + np.array([-9.0, -9.0, -9.0, 0.0, 0.0, 0.0])
    assert verdict(Exceeds(ONE), np.abs(collapsed - np.median(collapsed)), np.abs(SPREAD)).rows[0].p == FLOOR
    assert 0.03 < verdict(Scatters(ONE), collapsed, SPREAD).rows[0].p < 0.04


def test_a_diverged_seed_is_the_furthest_from_the_median() -> None:
    only = verdict(Scatters(ONE), [0.0, 1.0, 2.0, math.nan], [0.0, 4.0, 8.0, 100.0]).rows[0]
    assert only.left_mean == pytest.approx((1 + 0 + 1 + 94) / 4)
    assert "count as the furthest one seen" in only.note


# ----------------------------------------------------------------------------------------------- 0 or 1 of every seed

NEVER = np.zeros(20)


def first(n: int) -> Floats:
    """Of 20 seeds the first n."""
    return (np.arange(20) < n).astype(float)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (first(6), NEVER, "REPRODUCED"),
        (NEVER, first(6), "REVERSED"),
        (first(4), NEVER, "INCONCLUSIVE"),  # 1/16
        (first(20), first(20), "INCONCLUSIVE"),
        (NEVER, NEVER, "INCONCLUSIVE"),
    ],
)
def test_each_outcome_of_what_is_oftener_in_pairs(left: Floats, right: Floats, expected: Outcome) -> None:
    assert outcome(Oftener(Margin(0.1, "…")), left, right) == expected


def test_what_happens_on_neither_side_refutes_nothing_and_what_happens_on_both_does() -> None:
    assert outcome(Oftener(Margin(0.4, "…")), NEVER, NEVER) == "INCONCLUSIVE"
    assert outcome(Oftener(Margin(0.4, "…")), first(1), first(1)) == "NOT REPRODUCED"
    six = np.append(np.ones(6), np.zeros(54))
    assert outcome(Oftener(Margin(0.4, "…")), six, np.zeros(60)) == "NEGLIGIBLE"


def test_pairs_are_told_and_compared_whatever_the_cells_start_from() -> None:
    left, right = np.roll(first(8), 2), first(3)
    only = verdict(Oftener(Margin(0.1, "…")), left, right).rows[0]
    assert only.paired and only.estimate == pytest.approx(5 / 20)
    assert only.p == pytest.approx(statistics.sign_test(np.array(7), np.array(2)))
    assert only.note.startswith("of 20 seeds 7 on the left alone, 2 on the right")
    assert only.low < 5 / 20 < only.high


@pytest.mark.parametrize(
    ("n_seeds", "n", "expected"),
    [
        (11, 0, "REPRODUCED"),
        (10, 0, "INCONCLUSIVE"),
        (18, 1, "REPRODUCED"),
        (11, 3, "INCONCLUSIVE"),
        (11, 7, "NOT REPRODUCED"),
    ],
)
def test_what_happens_hardly_ever_does_so_in_less_than_a_share(n_seeds: int, n: int, expected: Outcome) -> None:
    happens = (np.arange(n_seeds) < n).astype(float)
    found = verdict(Seldom(0.25, "…"), happens)
    assert found.outcome == expected
    assert found.rows[0].estimate == pytest.approx(n / n_seeds) and found.rows[0].delta == 0.25
    assert found.rows[0].note == f"in {n} of {n_seeds} seeds that count"


def test_who_diverged_tells_nothing_of_how_often() -> None:
    assert outcome(Seldom(0.25, "…"), [0.0] * 20 + [math.nan]) == "INCONCLUSIVE"
    assert outcome(Oftener(Margin(0.1, "…")), [1.0] * 20 + [math.nan], [0.0] * 21) == "INCONCLUSIVE"


def test_a_share_is_one_and_has_a_reason() -> None:
    with pytest.raises(ValueError, match="a share must be above 0 and below 1, got 1"):
        Seldom(1.0, "…")
    with pytest.raises(ValueError, match=r"a share of 0\.25 must have a reason"):
        Seldom(0.25, " ")


# ------------------------------------------------------------------------------------------ scores that are made of two


def composed(only: Row, **values: Any) -> Verdict:
    """The verdict on one row whose sides are made of several scores, from those of each cell."""
    known = {name: SeedScores(np.array(numbers, float)) for name, numbers in values.items()}

    def lookup(wanted: Score) -> SeedScores:
        return read(wanted, lambda bare: known[bare.cell.name])

    return judge([claim(only)], weighed([claim(only)], lookup), "paper", lambda _: True)[0]


def gain(of: str, off: str) -> Score:
    return replace(score(of), less=score(off))


GAINS = Row("gains", gain("left", "before left"), gain("right", "before right"), Exceeds(ONE), "structure")


def test_two_differences_are_compared_seed_by_seed() -> None:
    level = 10 * statistics.generator("gains").normal(size=(2, 10))
    found = composed(
        GAINS,
        **{
            "left": level[0] + 3 + SEEDS,
            "before left": level[0],
            "right": level[1] + 1 - SEEDS,
            "before right": level[1],
        },
    )
    assert (found.outcome, found.rows[0].paired) == ("REPRODUCED", False)
    assert found.rows[0].left_mean == pytest.approx(3 + SEEDS.mean())
    expected = statistics.difference(3 + SEEDS, 1 - SEEDS)
    assert (found.rows[0].low, found.rows[0].high) == pytest.approx(expected.interval(0.9))


def test_differences_from_one_run_are_paired_and_cells_of_all_scores_are_asked_for() -> None:
    shared = replace(GAINS, right=gain("right", "before left"))
    assert shared.paired and not GAINS.paired
    assert {of.cell.name for of in scores_of(GAINS)} == {"left", "before left", "right", "before right"}


def test_what_is_taken_off_is_missing_or_diverges_with_its_name() -> None:
    values = {"left": SPREAD + 3, "before left": SPREAD, "right": SPREAD, "before right": SPREAD}
    gone = composed(GAINS, **{**values, "before right": [*SPREAD[:5], math.nan]})
    assert gone.outcome == "INCONCLUSIVE"
    assert gone.rows[0].note == "of before right return, which is taken off, seeds diverged"
    worst = composed(GAINS, **{**values, "right": [*SPREAD[:5], math.nan]}).rows[0]
    assert (worst.diverged_right, worst.n_right) == (1, 6)
    with pytest.raises(ValueError, match="a score that is taken off must be another one, got itself"):
        gain("left", "left")


def that_learn(above: float) -> Row:
    condition = Among(score("condition"), above, "…")
    return Row("seldom", replace(score("left"), among=condition), None, Seldom(0.25, "…"), "structure")


def test_only_the_seeds_count_of_which_something_else_is_true() -> None:
    values = {"left": 1 - first(12), "condition": first(12)}
    found = composed(that_learn(0.5), **values)
    assert (found.outcome, found.rows[0].n_left) == ("REPRODUCED", 12)
    nobody = composed(that_learn(2.0), **values)
    assert nobody.outcome == "NOT LEARNT"
    assert nobody.rows[0].note == "condition return is above 2 in 0 seeds, too few to say anything of"
    diverged = {**values, "condition": np.where(first(12) > 0, math.nan, 1.0)}
    assert composed(that_learn(0.5), **diverged).rows[0].estimate == 1.0


# ---------------------------------------------------------------------------------------------------------------- pairs


def test_rows_of_one_run_or_lineage_are_paired() -> None:
    root = cell("root")
    one, two = (cell(name, Start(((root, 1),), Named("as it is"))) for name in ("one", "two"))
    apart = row(Exceeds(ONE))
    same_run = row(Exceeds(ONE), "left", "left", metric=RETURN)
    relatives = replace(apart, left=Score(one, RETURN, Final(1)), right=Score(two, RETURN, Final(1)))
    child = replace(apart, left=Score(one, RETURN, Final(1)), right=Score(root, RETURN, Final(1)))
    assert [each.paired for each in (apart, same_run, relatives, child)] == [False, True, True, True]


def two_windows(n: int, seeds: tuple[int, ...] = ()) -> Verdict:
    """A run that rises by one in every seed, while seeds differ by ten."""
    level = 10 * statistics.generator("levels").normal(size=n)
    early, late = Score(cell("run"), RETURN, Final(1)), Score(cell("run"), RETURN, Final(2))
    found = {early: SeedScores(level), late: SeedScores(level + 1 + 0.1 * level / 10, seeds=seeds)}
    rises = claim(Row("rises", late, early, Exceeds(Margin(0.5, "…")), "structure"))
    return judge([rises], weighed([rises], found.__getitem__), "paper", lambda _: True)[0]


def test_a_pair_is_compared_seed_by_seed() -> None:
    found = two_windows(10)
    assert found.rows[0].paired and found.outcome == "REPRODUCED"
    assert 0.8 < found.rows[0].low < found.rows[0].high < 1.2  # unpaired it would be ±8
    assert found.rows[0].p == pytest.approx(2**-10)
    assert "paired" not in found.rows[0].note


def test_below_ten_seeds_a_pair_has_the_interval_of_pairs_and_the_p_of_no_pairs() -> None:
    found = two_windows(6)
    assert found.rows[0].high - found.rows[0].low < 0.5
    assert found.rows[0].p > 0.3
    assert found.outcome == "INCONCLUSIVE"


def test_a_pair_is_made_by_seed_and_not_by_place() -> None:
    turned = two_windows(10, seeds=tuple(range(9, -1, -1)))
    assert turned.rows[0].high - turned.rows[0].low > 5


# ------------------------------------------------------------------------------------------------- profiles and extents


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
    found = judged(claim(row(Exceeds(ONE), about=about)), profile=profile, left=SPREAD + 2, right=SPREAD)[0]
    assert found.outcome == expected
    assert found.rows[0].at_this_budget == "REPRODUCED"
    assert found.rows[0].outcome == expected
    assert found.rows[0].estimate == pytest.approx(2)


def test_what_a_row_says_at_this_budget_counts_for_nothing() -> None:
    later = claim(row(Exceeds(ONE), about="end"))
    found = judged(later, profile="quick", left=SPREAD - 2, right=SPREAD)[0]
    assert (found.outcome, found.rows[0].at_this_budget) == ("NOT ASSESSED", "REVERSED")
    assert (found.p, found.p_refuted, found.p_reversed) == (1, 1, 1)


def test_extent_is_of_a_row() -> None:
    soon, later = row(Exceeds(Gap(3.0))), row(Exceeds(Gap(3.0)), "other", about="end")
    values: dict[str, Any] = {"right": SPREAD, "other": SPREAD + 9}
    part = judged(claim(soon, later), profile="quick", left=SPREAD + 3, **values)[0]
    assert part.outcome == "NOT ASSESSED" and part.note.startswith("1 of 2 comparisons are about the end of training")
    assert [each.outcome for each in part.rows] == ["REPRODUCED", "NOT ASSESSED"]
    refuted = judged(claim(soon, later), profile="quick", left=SPREAD, **values)[0]
    assert refuted.outcome == "NOT REPRODUCED"
    assert refuted.note.endswith("and 1 that are about the end of training not assessed yet")


def test_an_untestable_claim_says_why_and_one_without_rows_must() -> None:
    named = claim(name="named", untestable="no settings given")
    assert [(each.outcome, each.note) for each in judged(named)] == [("UNTESTABLE", "no settings given")]
    with pytest.raises(ValueError, match="bare: a claim needs rows"):
        judged(claim(name="bare"))


def test_an_open_row_says_how_many_seeds_would_decide_it() -> None:
    left = SPREAD * 5 + 0.7
    found = verdict(Exceeds(Gap(1.0)), left, SPREAD * 5).rows[0]
    expected = statistics.seeds_for_power(0.7 / statistics.pooled_deviation(left, SPREAD * 5)) - 6
    assert found.outcome == "INCONCLUSIVE"
    assert (
        found.note == f"if the difference seen is the true one, {expected} more seeds a side would decide at 80 % power"
    )


def test_verdicts_are_the_same_on_every_run() -> None:
    left, right = statistics.generator("l").normal(0.5, 1, 12), statistics.generator("r").normal(0, 1, 12)
    first = verdict(Exceeds(Gap(1.0)), left, right)
    statistics.every_split.cache_clear()
    assert verdict(Exceeds(Gap(1.0)), left, right) == first
