"""The sentences of DiMA-PG and of MACE as claims, and the statistics that they read."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest

from benchmarks import AboutEquals, Claim, Curve, Exceeds, Floats, Gap, Margin, NoWorse, Row, Share, scores_of
from benchmarks._catalogue import chosen
from benchmarks._judging.scores import Gained, NotReachedError, Rate, ShortOf, StaysBelow, Total
from benchmarks.dimapg._levels import NAVIGATION
from benchmarks.dimapg.fig3 import EARLY, LATE, outer
from benchmarks.mace import TRAINED, of_interest, place
from benchmarks.mace._hits import InBoth, OfOneHunter


def curve(*values: float) -> Curve:
    """A test every 100 steps, with an episode of 25."""
    return Curve(np.arange(100.0, 100.0 * len(values) + 1, 100.0), np.array(values, dtype=np.float64), 25)


CLAIMS = {claim.id: claim for paper in ("dimapg/", "mace/") for figure in chosen(paper) for claim in figure.claims}


def of(paper: str) -> list[Claim]:
    return [claim for name, claim in CLAIMS.items() if name.startswith(paper)]


# ---- statistics -----------------------------------------------------------------------------------------------------


def test_a_total_is_read_where_it_is_reached() -> None:
    assert Total(300)(curve(1, 4, 9, 16)) == Total(201)(curve(1, 4, 9, 16)) == 9
    assert math.isnan(Total(200)(curve(1, math.nan, 9)))


def test_a_gain_is_the_difference_of_two_totals() -> None:
    assert Gained(200, 400)(curve(1, 4, 9, 16, 25)) == 12
    assert math.isnan(Gained(100, 200)(curve(1, math.nan)))


@pytest.mark.parametrize("statistic", [Total(301), Gained(100, 301), Gained(301, 400)])
def test_a_shorter_run_has_no_total_and_no_gain(statistic: Total | Gained) -> None:
    with pytest.raises(NotReachedError):
        statistic(curve(1, 4, 9))


def test_a_rate_is_of_any_run() -> None:
    assert Rate(1_000)(curve(1, 4, 9)) == 30
    assert Rate(1_000)(curve(2, 4, 6)) == Rate(1_000)(curve(2)) == 20
    assert math.isnan(Rate(1_000)(curve(1, math.nan)))


def test_what_is_gone_is_missing_from_the_total() -> None:
    assert ShortOf(160)(curve(160, 100, 30)) == 130
    assert math.isnan(ShortOf(160)(curve(160, math.nan)))


@pytest.mark.parametrize(
    ("values", "expected"), [((9, 1, 1), 1), ((1, 3, 1), 0), ((1, 1, 3), 0), ((math.nan, 1, 1), 1)]
)
def test_what_has_collapsed_is_below_a_level_at_every_test_of_a_stretch(
    values: tuple[float, ...], expected: int
) -> None:
    assert StaysBelow(2, 100, 300)(curve(*values)) == expected
    assert StaysBelow(2, 100, 300)(curve(1, 1, math.nan)) == 0
    with pytest.raises(NotReachedError):
        StaysBelow(2, 100, 400)(curve(*values))


# ---- claims ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paper", "size", "untestable"), [("DIMA", 14, 4), ("MACE", 20, 4)])
def test_a_family_is_all_sentences_that_make_a_test(paper: str, size: int, untestable: int) -> None:
    sentences = [claim for claim in of(paper) if claim.kind == "sentence"]
    assert len([claim for claim in sentences if not claim.untestable]) == size
    assert len([claim for claim in sentences if claim.untestable]) == untestable


def test_every_sentence_is_quoted() -> None:
    for claim in CLAIMS.values():
        assert claim.kind == "check" or (claim.quote[0], claim.quote[-1]) == ("“", "”"), claim.id


def test_every_sentence_of_dimapg_can_be_judged() -> None:
    assert [claim.id for claim in of("DIMA") if claim.lacks] == []


def test_no_delta_hangs_on_what_is_compared() -> None:
    rows: list[Row] = list(chain.from_iterable(claim.rows for claim in CLAIMS.values()))
    deltas = [row.rule.delta for row in rows if hasattr(row.rule, "delta")]
    deltas += [learnt.delta for row in rows for learnt in row.learnt]
    assert deltas and not [delta for delta in deltas if isinstance(delta, Share | Gap)]


def test_totals_that_are_asked_for_at_the_end_of_the_paper_s_training_are_never_those_of_a_shorter_run() -> None:
    for claim in of("MACE"):
        for row in claim.rows:
            assert row.about == "end" or not isinstance(row.left.statistic, Total | Gained), claim.id


@pytest.mark.parametrize("profile", ["quick", "paper"])
def test_rates_are_compared_of_runs_of_one_length(profile: str) -> None:
    """A run's last episodes, which are not over, are paid nothing: the more of it, the shorter it is."""
    rows = [(figure, row) for figure in chosen("mace/") for claim in figure.claims for row in claim.rows]
    sides = [
        (figure.budget(profile, row.left.cell).n_steps, figure.budget(profile, row.right.cell).n_steps)
        for figure, row in rows
        if row.right is not None and isinstance(row.left.statistic, Rate)
    ]
    assert sides and all(left == right for left, right in sides)


@pytest.mark.parametrize(
    ("kind", "where", "n", "n_samples", "value"),
    [
        ("stag", "stag-10-frozen", 10, 1_000_000, 84.0),
        ("stag", "stag-10-frozen", 10, 500_000, 42.0),
        ("hare", "hare-20-moving", 20, 1_000_000, 215.6),
        ("hare", "hare-20-frozen", 20, 500_000, 20.0),
        ("hare", "hare-20-frozen-1000", 20, 1_000_000, 20.0),
    ],
)
def test_totals_differ_by_a_share_of_random_play_or_by_one_success(
    kind: str, where: str, n: int, n_samples: int, value: float
) -> None:
    found = of_interest(kind, where, n, n_samples)  # type: ignore[arg-type]
    assert found.value == pytest.approx(value)


def test_only_dimapg_learns_asks_of_every_baseline_that_it_is_not_above_random_play() -> None:
    rows = [row for row in CLAIMS["DIMA-F3-3"].rows if row.role != "doubt"]
    (first, *_), others = rows, [row for row in rows if isinstance(row.rule, NoWorse)]
    assert first.role == "necessary" and [row.right.cell.name for row in others if row.right] == [
        "MADDPG",
        "A3C-KitchenSink",
        "TRPO-KitchenSink",
    ]
    assert all(row.left.cell.name == "Uniform" and isinstance(row.rule.delta, Margin) for row in others)  # type: ignore[union-attr]


def test_only_dimapg_learns_is_in_doubt_where_25_episodes_an_iteration_are_counted() -> None:
    own = [row for row in CLAIMS["DIMA-F3-3"].rows if row.role != "doubt"]
    doubted = [row for row in CLAIMS["DIMA-F3-3"].rows if row.role == "doubt"]
    other = CLAIMS["DIMA-F3-3-25"].rows
    assert len(own) == len(other)
    assert [(row.left, row.right, row.rule) for row in doubted] == [(row.left, row.right, row.rule) for row in other]


@pytest.mark.parametrize(
    ("claim", "n_agents", "end"), [("DIMA-F3-4", 3, 100), ("DIMA-F3-4", 10, 100), ("DIMA-F3-1", 3, 25)]
)
def test_who_rises_evenly_and_has_learnt_has_not_converged(claim: str, n_agents: int, end: int) -> None:
    rows = [row for row in CLAIMS[claim].rows if isinstance(row.rule, AboutEquals)]
    (row,) = (row for row in rows if row.left.cell.env.n_agents == n_agents)
    level, learnt, rule = NAVIGATION[n_agents].uniform, row.learnt[0].delta, row.rule
    assert isinstance(learnt, Margin) and isinstance(rule, AboutEquals) and isinstance(rule.delta, Margin) and row.right
    steps = np.linspace(0.0, end * 200_000, 1_001)[1:]
    line = Curve(steps, level + steps / steps[-1] * learnt.value / 0.9, 200)
    last, middle = row.left.statistic(line), row.right.statistic(line)
    assert last - level == pytest.approx(learnt.value, rel=0.01), "it counts as learnt by the least that does"
    assert last - middle == pytest.approx(rule.delta.value, rel=0.02), "and rises by what does not count as equal"


@pytest.mark.parametrize("method", LATE)
def test_who_rises_evenly_by_what_is_asked_for_has_not_converged_late(method: str) -> None:
    rows = [row for row in CLAIMS["DIMA-F3-2"].rows if row.left.cell.name == method and row.right]
    before, after = (row for row in rows if row.right and row.right.cell.name == method)
    assert isinstance(before.rule, Exceeds) and isinstance(before.rule.delta, Margin)
    assert isinstance(after.rule, AboutEquals) and isinstance(after.rule.delta, Margin)
    steps = np.linspace(0.0, 500 * 200_000, 1_001)[1:]
    line = Curve(steps, steps / 150_000 / 200 * before.rule.delta.value, 200)
    risen, rises = (row.left.statistic(line) - row.right.statistic(line) for row in (before, after) if row.right)
    assert risen == pytest.approx(before.rule.delta.value), "it rises by the least that counts"
    assert rises > after.rule.delta.value, "and goes on to rise by what does not count as equal"
    assert after.right and after.right.statistic.first >= 400_000 * 200, "after the last episode that the text names"  # type: ignore[attr-defined]


def test_that_dimapg_converges_is_told_by_its_own_runs() -> None:
    cells = {score.cell.name for row in CLAIMS["DIMA-F3-4"].rows for score in scores_of(row)}
    assert cells == {"DiMA-PG", "DiMA-PG untrained", "Uniform"}


def test_counted_episodes_stay_within_what_dimapg_plays() -> None:
    ours = CLAIMS["DIMA-F3-3-25"].rows[0].left.statistic
    assert outer(10) == 31 and (ours.first, ours.last) == (49_600 * 200, 99_200 * 200)  # type: ignore[attr-defined]
    assert (EARLY.first, EARLY.last) == (5_000 * 200, 10_000 * 200)


@pytest.mark.parametrize("figure", ["dimapg/fig5", "dimapg/fig6", "dimapg/table2"])
def test_the_end_of_survival_is_reached_with_the_seeds_of_quick(figure: str) -> None:
    (shown,) = chosen(figure)
    for cell in shown.cells:
        assert shown.budget("quick", cell).n_steps == shown.in_full("paper", cell).n_steps, cell.name
        assert shown.budget("quick", cell).n_seeds == 6


def test_every_game_of_the_table_is_compared_at_both_moments_with_both_baselines() -> None:
    labels = {row.label for row in CLAIMS["MACE-T1-1"].rows}
    assert labels == {
        f"{place(*game)}, {samples}: MACE > {rival}"
        for game in TRAINED
        for samples in ("500k", "1M")
        for rival in ("Shared", "Cloned")
    }


def test_the_sets_that_must_be_disjoint_are_those_of_the_two_assignments() -> None:
    rows = {row.label: row for row in CLAIMS["MACE-F5-2"].rows}
    for label in ("the two assignments' entries ≈ disjoint", "entries that correlate with one hunter alone ≈ none"):
        row = rows[f"{label}, beyond false hits"]
        assert row.rule.value == 0.0  # type: ignore[union-attr]


def hits(chances: Floats, unfelt: float, n: int = 400) -> list[tuple[Curve, Curve]]:
    """What a test records of n seeds whose entries hit with a chance each, [entry, hunter, assignment], or falsely."""
    random = np.random.default_rng(0)
    seeds: Any = random.random((n, *chances.shape)) < chances
    false = (random.random((n, *chances.shape)) < unfelt).any(axis=2).sum(axis=(1, 2))
    of_assignments, of_hunters = seeds.any(axis=2), seeds.any(axis=3)
    both, either = of_assignments.all(axis=2).sum(axis=1), of_assignments.any(axis=2).sum(axis=1)
    alike = of_hunters.all(axis=2).sum(axis=1)
    found = []
    for i in np.flatnonzero(either):
        added = replace(curve(float(of_assignments[i].sum())), beside=curve(float(false[i])))
        overlap = replace(curve(both[i] / either[i]), beside=added)
        found.append((overlap, replace(curve(alike[i] / either[i]), beside=overlap)))
    return found


@pytest.mark.parametrize("unfelt", [0.05, 0.19])
@pytest.mark.parametrize(
    ("disjoint", "shared", "lone"), [(16, 0, 0), (8, 0, 0), (0, 0, 0), (6, 4, 0), (0, 0, 6)]
)  # of 16 entries: of one assignment each, of both, and of one hunter in one of them
def test_false_hits_are_taken_off_whatever_their_rate(disjoint: int, shared: int, lone: int, unfelt: float) -> None:
    chances = np.full((16, 2, 2), unfelt)
    for entry in range(disjoint):
        chances[entry, :, entry % 2] = 1.0
    chances[disjoint : disjoint + shared] = 1.0
    chances[disjoint + shared : disjoint + shared + lone, 0, 0] = 1.0
    q = 1 - (1 - unfelt) ** 2
    seen = hits(chances, unfelt)
    assert np.mean([InBoth()(overlap) for overlap, _ in seen]) == pytest.approx(shared * (1 - q) ** 2, abs=0.25)
    assert np.mean([OfOneHunter()(share) for _, share in seen]) == pytest.approx(lone * (1 - q) ** 2, abs=0.4)


def test_hits_beyond_false_ones_by_hand() -> None:
    """Sets of 6 and 4 entries share 2; of the 8 in either, 6 correlate with both hunters; 8 of 32 unfelt ones hit."""
    added = replace(curve(10.0), beside=curve(8.0))
    overlap = replace(curve(2 / 8), beside=added)
    assert InBoth()(overlap) == pytest.approx(2 - 0.25 * 10 + 16 * 8 * 7 / (32 * 31))
    assert OfOneHunter()(replace(curve(6 / 8), beside=overlap)) == pytest.approx(2 - 0.25 * (32 - 14))
