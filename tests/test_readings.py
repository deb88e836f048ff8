"""A reading of a paper: the same figure with other cells, and nothing that is recorded of our own choice touched."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    Cell,
    Claim,
    Decision,
    Exceeds,
    Figure,
    Margin,
    NoWorse,
    Printed,
    PrintedTime,
    Reading,
    Row,
    Score,
    Share,
    Shorter,
    Verdict,
    lineage,
    mapped,
)
from benchmarks._catalogue import chosen, figures, read
from benchmarks._judging.evidence import FEWEST_TAUGHT, SeedScores, weigh
from benchmarks._judging.readings import ANALYSES, Judge, Read, even, readings_of, robustness, taught
from benchmarks._judging.scores import EpisodesTo, Final, Stretch, Window
from benchmarks._judging.statistics import ALPHA
from benchmarks._judging.verdicts import judge as judge_claims

FIGURES = {figure.id: figure for figure in figures()}
OFFERED = [(figure, name) for figure in figures() for name in figure.readings]


def slower(cell: Cell) -> Cell:
    if not hasattr(cell.algorithm, "learning_rate"):
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, learning_rate=cell.algorithm.learning_rate / 2))


def asked(figure: Figure, *readings: Reading) -> Figure:
    return replace(figure, decisions=(Decision("How fast?", "as printed", "it is printed", readings=readings),))


def reading(**changes: Any) -> Reading:
    return replace(Reading("slower", "half as fast", "it might be", under=slower), **changes)


@pytest.mark.parametrize("id_", ["ctedd/fig5", "dvm/fig4", "mace/fig5"])
def test_a_figure_is_read_with_other_cells_and_keeps_its_own(id_: str) -> None:
    figure = asked(FIGURES[id_], reading())
    before = [cell.key for cell in figure.cells]
    read = figure.under("slower")
    assert [cell.key for cell in figure.cells] == before
    assert read.id == f"{id_}@slower"
    assert [claim.id for claim in read.claims] == [f"{claim.id}@slower" for claim in figure.claims]
    assert [(cell.name, cell.environment) for cell in read.cells] == [(c.name, c.environment) for c in figure.cells]
    moved = {cell.key for cell in figure.cells if any(slower(one).key != one.key for one in lineage(cell))}
    assert {cell.key for cell in figure.cells} & {cell.key for cell in read.cells} == {*before} - moved
    assert moved


def test_what_a_cell_starts_from_is_read_too() -> None:
    read = asked(FIGURES["dvm/fig4"], reading()).under("slower")
    keys = {cell.key for cell in read.cells}
    assert all(teacher.key in keys for cell in read.cells for teacher, _ in cell.teachers)


def test_a_reading_that_changes_nothing_is_refused() -> None:
    figure = asked(FIGURES["ctedd/fig5"], reading(under=lambda cell: cell))
    with pytest.raises(ValueError, match="reading slower must change a cell, but leaves each of"):
        figure.under("slower")


def test_two_readings_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="every reading a name of its own, got slower, slower"):
        asked(FIGURES["ctedd/fig5"], reading(), reading())


def test_a_name_that_cannot_stand_in_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens, and not all, got 'a b'"):
        reading(name="a b")
    with pytest.raises(ValueError, match="and not all, got 'all'"):
        reading(name="all")


def test_a_reading_gets_its_own_largest_budget_and_is_measured_by_the_papers() -> None:
    figure = asked(FIGURES["ctedd/fig5"], reading(most="quick"), reading(name="every", most="paper"))
    cell = figure.cells[0]
    quick, full = (figure.budget(profile, cell) for profile in ("quick", "paper"))
    assert quick != full
    read = figure.under("slower")
    assert (read.budget("paper", cell), read.in_full("paper", cell)) == (quick, full)
    assert read.budget("smoke", cell) == figure.budget("smoke", cell)
    assert figure.under("every").budget("paper", cell) == full


@pytest.mark.parametrize(("figure", "name"), OFFERED, ids=[f"{figure.id}@{name}" for figure, name in OFFERED])
def test_every_reading_that_is_offered_can_be_run(figure: Figure, name: str) -> None:
    read = figure.under(name)
    assert {cell.key for cell in read.cells} != {cell.key for cell in figure.cells}
    for cell in read.cells:
        assert read.budget("quick", cell).n_steps > 0


def test_a_pattern_names_a_reading_and_all_means_each_beside_the_default() -> None:
    (found,) = chosen("dvm/fig4@every-order")
    assert found.id == "dvm/fig4@every-order"
    assert chosen("dvm/fig4", "every-order") == chosen("dvm/fig4@every-order")
    every = [figure.id for figure in chosen("dvm/fig4", "all")]
    assert every == ["dvm/fig4", *(f"dvm/fig4@{name}" for name in FIGURES["dvm/fig4"].readings)]
    with pytest.raises(ValueError, match="no chosen figure has a reading called 'nonsense'; there are: dvm/fig4@"):
        read([FIGURES["dvm/fig4"]], "nonsense")


# ------------------------------------------------------------------------------------------ how verdicts move with them


def judged_by(outcomes: Callable[[Claim], str]) -> Judge:
    """A judge to whom every claim is what a function says."""

    def judge(
        paper: Sequence[Figure], alpha: float = ALPHA, wanted: Container[str] | None = None, /
    ) -> dict[str, Verdict]:
        claims = [claim for figure in paper for claim in figure.claims if wanted is None or claim.id in wanted]
        return {claim.id: Verdict(claim.id, outcomes(claim), (), "quick", "") for claim in claims}  # type: ignore[arg-type]

    return judge


def read_of(judge: Judge, figure: Figure, claim: str) -> tuple[Read, ...]:
    return readings_of([figure], judge)[claim]


def test_every_claim_is_judged_under_its_paper_s_readings_and_those_analyses_that_change_it() -> None:
    figure = asked(FIGURES["dvm/fig4"], reading())
    reads = read_of(judged_by(lambda claim: "REPRODUCED"), figure, "DVM-F4-2")
    assert [(read.name, read.kind) for read in reads] == [
        ("", "default"),
        ("short-window", "analysis"),
        ("long-window", "analysis"),
        ("small-delta", "analysis"),
        ("large-delta", "analysis"),
        ("taught-seeds", "analysis"),
        ("strict", "analysis"),
        ("lenient", "analysis"),
        ("slower", "paper"),
    ]
    assert [read.verdict.claim for read in reads] == [
        "DVM-F4-2",
        *(f"DVM-F4-2~{read.name}" for read in reads[1:-1]),
        "DVM-F4-2@slower",
    ]
    assert (reads[-1].question, reads[-1].choice) == ("How fast?", "half as fast")


def test_a_strict_and_a_lenient_judge_ask_for_less_chance_and_for_more() -> None:
    asked_of = []

    def judge(
        paper: Sequence[Figure], alpha: float = ALPHA, wanted: Container[str] | None = None, /
    ) -> dict[str, Verdict]:
        asked_of.append(alpha)
        return judged_by(lambda claim: "REPRODUCED" if alpha >= 0.05 else "INCONCLUSIVE")(paper, alpha, wanted)

    reads = {read.name: read.verdict.outcome for read in read_of(judge, FIGURES["dvm/fig4"], "DVM-F4-2")}
    assert sorted({*asked_of}) == [0.01, 0.05, 0.1]
    assert [name for name, outcome in reads.items() if outcome == "INCONCLUSIVE"] == ["strict"]


def test_a_family_under_a_reading_keeps_its_size() -> None:
    sizes = []

    def judge(
        paper: Sequence[Figure], alpha: float = ALPHA, wanted: Container[str] | None = None, /
    ) -> dict[str, Verdict]:
        sizes.append(sum(len(figure.claims) for figure in paper))
        return judged_by(lambda claim: "INCONCLUSIVE")(paper, alpha, wanted)

    paper = [asked(FIGURES["dvm/fig4"], reading()), FIGURES["dvm/fig5"], FIGURES["dvm/matching"]]
    readings_of(paper, judge)
    assert len(sizes) > 3
    assert len({*sizes}) == 1


@pytest.mark.parametrize(
    ("outcomes", "word", "same"),
    [
        (lambda claim: "REPRODUCED", "robust", 9),
        (lambda claim: "PARTIAL" if "delta" in claim.id else "REPRODUCED", "hangs on one decision", 7),
        (lambda claim: "PARTIAL" if "delta" in claim.id or "@" in claim.id else "REPRODUCED", "fragile", 6),
        (lambda claim: "REPRODUCED" if "@" in claim.id else "INCOMPLETE", "", 0),
    ],
)
def test_a_verdict_is_robust_or_hangs_on_a_decision_or_is_fragile(
    outcomes: Callable[[Claim], str], word: str, same: int
) -> None:
    found = robustness(read_of(judged_by(outcomes), asked(FIGURES["dvm/fig4"], reading()), "DVM-F4-2"))
    assert (found.word, found.same) == (word, same)


def test_a_reading_that_has_not_been_run_waits_and_speaks_neither_way() -> None:
    judge = judged_by(lambda claim: "INCOMPLETE" if "@" in claim.id else "REPRODUCED")
    found = robustness(read_of(judge, asked(FIGURES["dvm/fig4"], reading()), "DVM-F4-2"))
    assert (found.same, found.judged, found.waiting, found.word) == (8, 8, 1, "robust")


@pytest.mark.parametrize(
    ("analysis", "before", "after"),
    [
        ("short-window", Final(10), Final(5)),
        ("long-window", Final(10), Final(20)),
        ("short-window", Final(1), Final(1)),
        ("long-window", EpisodesTo(-390.0), EpisodesTo(-390.0, smooth=2)),
        ("short-window", Window(0, 1_000), Window(500, 1_000)),
        ("long-window", Window(600, 1_000), Window(200, 1_000)),
        ("long-window", Window(100, 1_000), Window(0, 1_000)),
        ("short-window", Stretch(0.5, 1.0), Stretch(0.75, 1.0)),
        ("large-delta", Margin(3.0, "three"), Margin(6.0, "three")),
        ("small-delta", Shorter(), Shorter(smallest=1.05)),
        ("small-delta", Shorter(2.0), Shorter(2.0)),
        ("large-delta", Printed(1.0, 0.2, "a fifth"), Printed(1.0, 0.4, "a fifth")),
        ("large-delta", PrintedTime(150.0, 1.25, "a quarter"), PrintedTime(150.0, 1.5, "a quarter")),
        ("low-level", EpisodesTo(-400.0), EpisodesTo(-410.0)),
        ("high-level", EpisodesTo(400.0), EpisodesTo(410.0)),
    ],
)
def test_an_analysis_reads_otherwise_what_it_is_about(analysis: str, before: Any, after: Any) -> None:
    (change,) = (one.change for one in ANALYSES if one.name == analysis)
    changed = change(before)
    assert type(changed) is type(after)
    assert all(getattr(changed, f.name) == pytest.approx(getattr(after, f.name)) for f in fields(after))


def test_a_share_of_a_range_is_halved_wherever_it_stands() -> None:
    (small,) = (one for one in ANALYSES if one.name == "small-delta")
    (claim,) = (claim for claim in FIGURES["ctedd/fig6"].claims if claim.id == "CTEDD-F6-2")
    shares = [row.rule.delta for row in claim.rows if isinstance(row.rule, Exceeds | NoWorse)]
    changed = [row.rule.delta for row in mapped(claim, small.change).rows if isinstance(row.rule, Exceeds | NoWorse)]
    assert shares
    for old, new in zip(shares, changed, strict=True):
        name = "share" if isinstance(old, Share) else "value"
        assert new == replace(old, **{name: getattr(old, name) / 2})


# --------------------------------------------------------------------------------- only seeds whose teachers had learnt


def pushed(learnt: Sequence[bool]) -> Callable[[Score], SeedScores]:
    """What every seed of Figure 6 has got: where its team of Task II has not learnt, DVM does better than ever."""

    def lookup(score: Score) -> SeedScores:
        name, seeds = score.cell.name, 0.1 * np.arange(len(learnt))
        if name.startswith("Task") and not isinstance(score.statistic, Final):
            return SeedScores(np.full(len(learnt), -144.5))  # nobody moves the box
        taught_well = {"Task I": -60.0, "Task II": -60.0, "DVM": -80.0, "No DVM": -100.0}[name]
        taught_badly = {"Task I": -60.0, "Task II": -140.0, "DVM": -20.0, "No DVM": -100.0}[name]
        return SeedScores(np.where(learnt, taught_well, taught_badly) + seeds)

    return lookup


def of_dvm() -> tuple[Claim, Row]:
    (claim,) = (claim for claim in FIGURES["dvm/fig6"].claims if claim.id == "DVM-F6-1")
    return claim, claim.rows[0]


def test_taught_seeds_are_told_by_their_teachers_and_not_by_what_came_of_it() -> None:
    claim, row = of_dvm()
    learnt = [True, True, False, True, True, True, False, True, True, True]
    found = weigh(taught(row), claim, pushed(learnt))
    assert found.shown.n_left == found.shown.n_right == 8
    assert found.shown.estimate == pytest.approx(20.0), "what the two others got is in neither mean"
    assert weigh(row, claim, pushed(learnt)).shown.outcome == "NOT LEARNT", "their teams together had not all learnt"


def test_too_few_taught_seeds_say_nothing() -> None:
    claim, row = of_dvm()
    found = weigh(taught(row), claim, pushed([True] * (FEWEST_TAUGHT - 1) + [False] * 5))
    assert found.shown.outcome == "INCOMPLETE", "a reading of which nothing is known moves no verdict"
    assert found.shown.note == "5 of 10 seeds had teachers that had learnt, and 6 are needed"
    (verdict,) = judge_claims([claim], {claim.id: [found] * len(claim.rows)}, "paper", lambda _: True)
    assert (verdict.outcome, verdict.note) == ("INCOMPLETE", "1 seed missing")


def test_where_all_teachers_had_learnt_all_seeds_are_compared_however_few() -> None:
    claim, row = of_dvm()
    found, of_all = (weigh(one, claim, pushed([True] * 5)) for one in (taught(row), row))
    assert found.shown == of_all.shown
    assert found.shown.n_left == 5


def test_only_what_both_sides_start_from_may_choose_seeds() -> None:
    for figure in figures():
        for row in (row for claim in figure.claims for row in claim.rows):
            sides = [score.cell.key for score in (row.left, row.right) if score is not None]
            assert not {arm.trained.cell.key for part in row.of_teachers for arm in part.arms} & set(sides)
            assert (taught(row) != row) == bool(row.of_teachers)


# ---------------------------------------------------------------------------------------------- as many updates of both


def test_copies_of_one_agent_are_compared_after_as_many_updates_as_theta_has_made() -> None:
    (claim,) = (claim for claim in FIGURES["dimapg/table1"].claims if claim.id == "DIMA-T1-2")
    for row, (first, last) in zip(claim.rows, [(32_000, 40_000)] * 2 + [(10_323, 12_903)] * 2, strict=True):
        found = even(row)
        assert found.left == row.left and found.right and row.right
        assert replace(found.right, statistic=row.right.statistic) == row.right, "but for when, it is the same"
        assert (found.right.statistic.first, found.right.statistic.last) == pytest.approx(
            (first * 200, last * 200), abs=200
        )
        assert found.learnt[0].arms[1].trained == found.right, "so is whether it has learnt"


def test_nothing_else_is_compared_at_another_time() -> None:
    concerned = [
        claim.id for figure in figures() for claim in figure.claims if any(even(row) != row for row in claim.rows)
    ]
    assert concerned == ["DIMA-T1-2"]


def test_as_many_updates_are_an_analysis_of_that_claim() -> None:
    (analysis,) = (analysis for analysis in ANALYSES if analysis.change is even)
    figure = FIGURES["dimapg/table1"]
    both = zip(figure.claims, analysis.of(figure).claims, strict=True)
    assert [claim.id for claim, read in both if analysis.concerns(claim, read)] == ["DIMA-T1-2"]


def test_a_side_at_another_time_is_of_the_same_cell() -> None:
    (claim,) = (claim for claim in FIGURES["dimapg/table1"].claims if claim.id == "DIMA-T1-2")
    with pytest.raises(ValueError, match="even must be the right side's cell at another time"):
        replace(claim.rows[0], even=claim.rows[0].left)
