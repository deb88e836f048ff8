"""From stored runs to scores: what a test without a value means is said by the metric, and never guessed."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_drawing import BAD, GOOD, NEVER, beats, curves, figure, line, stored

from benchmarks import LOOKS, Band, Budget, Claim, Curve, Metric, Panel
from benchmarks._judging.beside import Following, LeftBehind, left_behind
from benchmarks._judging.desk import desks, exhibition, papers
from benchmarks._judging.samples import Sample, curve_of, has_twins, limit_of, number
from benchmarks._judging.scores import EpisodesTo, Final, Last, Length, NothingSeenError, Sparse, Window
from benchmarks._options import SIMULATED
from reports._site import build
from results import Run, Store

NAN = math.nan


def a_run(**metrics: list[float]) -> Run:
    curves = {name: np.array(values, np.float32) for name, values in metrics.items()}
    steps = np.arange(1.0, 5.0) * 1000
    return Run("a/b/c", 0, steps, curves, dict.fromkeys(curves, "unit"))


def score_of(metric: Metric, statistic: Any, **metrics: list[float]) -> Any:
    return number(statistic, curve_of(metric, a_run(**metrics), 25))


def test_a_window_in_which_no_episode_ended_is_no_divergence() -> None:
    """It was read as divergence, and counted as the worst value seen."""
    episode = Metric("episode", better="larger", empty="skipped", witness="paid")
    alive = {"episode": [1.0, NAN, 3.0, NAN], "paid": [0.0, 1.0, 2.0, 2.0]}
    assert score_of(episode, Final(4), **alive) == 2
    assert score_of(episode, Final(1), **alive) == "unseen"
    diverged = {"episode": [1.0, NAN, NAN, NAN], "paid": [0.0, 1.0, NAN, NAN]}
    assert math.isnan(score_of(episode, Final(2), **diverged))
    never = Metric("episode", better="larger")
    assert math.isnan(score_of(never, Final(4), **alive))


def test_a_stretch_that_the_run_does_not_reach_has_no_number() -> None:
    assert score_of(Metric("paid", better="larger"), Window(4000, 8000), paid=[0.0, 1.0, 2.0, 2.0]) == "unreached"


def test_an_empty_window_may_count_as_a_number() -> None:
    nothing = Metric("episode", better="larger", empty=0.0, witness="paid")
    assert score_of(nothing, Final(4), episode=[1.0, NAN, 3.0, NAN], paid=[0.0, 0.0, 0.0, 0.0]) == 1


def test_a_count_that_stands_still_since_its_seed_diverged_is_divergence() -> None:
    median = Metric("median", better="smaller", witness="paid")
    assert score_of(median, Last(), median=[25.0, 20.0, 20.0, 20.0], paid=[0.0, 1.0, 2.0, 3.0]) == 20
    assert math.isnan(score_of(median, Last(), median=[25.0, 20.0, 20.0, 20.0], paid=[0.0, 1.0, NAN, NAN]))


def test_a_quantile_at_the_horizon_is_censored_there() -> None:
    assert score_of(Metric("median", better="smaller"), Length(), median=[25.0] * 4) == math.inf
    assert [limit_of(statistic, 1000, 25) for statistic in (Length(), EpisodesTo(1.0), Last())] == [25, 40, math.inf]


# ------------------------------------------------------------------------------------------------- a student, a teacher

STUDENT, TEACHER = [-9.0, -6.0, -5.0, -4.0, -4.0, -3.0], [-8.0, -6.0, -3.0, -4.0, -2.0, -1.0]
STAYS = Sparse(Final(2), 100)  # at -3.5


def of_run(values: list[float], every: float = 100.0) -> Curve:
    return Curve(every * np.arange(1.0, len(values) + 1), np.array(values), horizon=25)


def pair(student: list[float], teacher: list[float]) -> tuple[Curve, Curve]:
    left, right = of_run(student), of_run(teacher)
    return replace(left, beside=right), replace(right, beside=left)


def test_a_student_is_left_behind_once_its_teacher_is_twice_where_the_student_stays() -> None:
    student, teacher = pair(STUDENT, TEACHER)
    assert left_behind(student, teacher, STAYS, 100) == 500  # at 300 once only
    assert left_behind(student, of_run(STUDENT), STAYS, 100) == math.inf
    assert math.isnan(left_behind(of_run([*STUDENT[:5], NAN]), teacher, STAYS, 100))


def test_both_are_averaged_over_the_same_tests_until_the_student_is_left_behind() -> None:
    student, teacher = pair(STUDENT, TEACHER)
    assert Following(STAYS, 100)(student) == pytest.approx(-(9 + 6 + 5 + 4 + 4) / 5)
    assert Following(STAYS, 100, teacher=True)(teacher) == pytest.approx(-(8 + 6 + 3 + 4 + 2) / 5)


def test_a_student_that_is_never_left_behind_is_followed_to_the_end() -> None:
    student, teacher = pair(STUDENT, [-9.0] * 6)
    assert Following(STAYS, 100)(student) == pytest.approx(np.mean(STUDENT))
    assert Following(STAYS, 100, teacher=True)(teacher) == -9
    with pytest.raises(NothingSeenError):
        LeftBehind(STAYS, 100, 100)(student)


def test_a_student_that_has_been_left_behind_is_averaged_over_what_comes_then_and_no_less() -> None:
    student, _ = pair([-9.0, -6.0, -5.0, -4.0, -4.0, -3.0], [-3.0, -3.0, -3.0, -3.0, -3.0, -3.0])  # left behind at 100
    assert LeftBehind(STAYS, 100, 200)(student) == pytest.approx(-(6 + 5) / 2)
    assert LeftBehind(STAYS, 100, 500)(student) == pytest.approx(-(6 + 5 + 4 + 4 + 3) / 5)
    with pytest.raises(NothingSeenError):
        LeftBehind(STAYS, 100, 600)(student)


def test_a_teacher_that_is_tested_more_often_is_read_where_its_student_is() -> None:
    often = Curve(50 * np.arange(1.0, 13), np.repeat(TEACHER, 2) + np.tile([50.0, 0.0], 6), horizon=25)
    student, teacher = replace(of_run(STUDENT), beside=often), replace(often, beside=of_run(STUDENT))
    assert Following(STAYS, 100)(student) == pytest.approx(-(9 + 6 + 5 + 4 + 4) / 5)
    assert Following(STAYS, 100, teacher=True)(teacher) == pytest.approx(-(8 + 6 + 3 + 4 + 2) / 5)


def test_a_score_of_two_curves_reads_both_of_the_same_run() -> None:
    student, teacher = Metric("student", better="larger"), Metric("teacher", better="larger")
    runs = {
        0: a_run(student=[-4.0, -3.0, -3.0, -3.0], teacher=[-4.0, -2.0, -2.0, -2.0]),
        1: replace(a_run(student=[-8.0, -6.0, -6.0, -6.0], teacher=[-6.0, -6.0, -9.0, -9.0]), seed=1),
    }
    sample = Sample(GOOD, Budget(2, 4000), runs, {})
    statistic = Following(Final(1), 1000)
    assert sample.scores(student, statistic, teacher).values.tolist() == [-3.5, -8.0]
    assert sample.scores(student, Final(1)).values.tolist() == [-3.0, -6.0]
    with pytest.raises(ValueError, match="must name the metric beside its own, found none"):
        sample.scores(student, statistic)


def test_the_claims_of_all_figures_of_a_paper_are_one_family(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    shown = [
        figure(
            Panel("Game", (line(GOOD), line(BAD)), "y"),
            claims=(Claim(f"S-{i}", "", "§1", "good is better", (beats(GOOD, BAD, about="beginning"),)),),
            name=f"fig{i}",
            family=family,
        )
        for i, family in enumerate(("figures", "ablations", "figures"))
    ]
    assert [len(paper) for paper in papers(shown)] == [3]
    (alone,), together = desk.verdicts(shown[:1]).values(), desk.verdicts(shown)
    assert alone.p == pytest.approx(1 / 20)
    assert {verdict.p for verdict in together.values()} == {alone.p}  # three that hold: 3/3 of the smallest p
    assert {verdict.profile for verdict in together.values()} <= set(LOOKS)


def test_seeds_with_the_same_curves_are_twins_unless_nothing_moves() -> None:
    moving, still = a_run(paid=[0.0, 1.0, 2.0, NAN]), a_run(paid=[0.0, 0.0, NAN, 0.0])
    assert has_twins([moving, a_run(paid=[0.0, 1.0, 2.0, NAN])])
    assert not has_twins([moving, a_run(paid=[0.0, 1.0, 2.0, 3.0])])
    assert not has_twins([still, a_run(paid=[0.0, 0.0, NAN, 0.0])])


# ---- a figure is opened once ----------------------------------------------------------------------------------------


def test_a_run_is_read_once_whatever_shares_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two profiles, figures, claims, pictures and pages share cells; the files of a seed are opened once."""
    library = stored(tmp_path / "store", {GOOD: curves(10), BAD: curves(5)}).library
    read = counted_reads(monkeypatch)
    claim = Claim("S-1", "", "§1", "good is better", (beats(GOOD, BAD, about="beginning"),))
    shown = [
        figure(Panel("Game", (line(GOOD), line(BAD)), "y"), claims=(claim,)),
        figure(Panel("Game", (line(GOOD), line(NEVER)), "y"), name="fig2", printed_band=Band(1.0)),
    ]
    found = exhibition(desks(library, shown, None), shown, SIMULATED)
    build(found, tmp_path / "out", "python -m reports")
    assert {(cell.key, seed) for cell in (GOOD, BAD) for seed in range(3)} <= set(read)
    assert set(read.values()) == {1}


def counted_reads(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, int]]:
    """How often a seed of a cell has been read from a store, from now on."""
    found: Counter[tuple[str, int]] = Counter()
    read = Store._run

    def counting(self: Store, key: str, seed: int) -> Run | None:
        found[key, seed] += 1
        return read(self, key, seed)

    monkeypatch.setattr(Store, "_run", counting)
    return found


def test_an_opened_figure_holds_all_that_is_true_of_it(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5, n_seeds=2)})
    claim = Claim("S-1", "", "§1", "good is better", (beats(GOOD, BAD, about="beginning"),))
    (shown,) = replace(desk, reference=desk.library).opened(
        [figure(Panel("Game", (line(GOOD),), "y"), claims=(claim,))]
    )
    assert {key: (list(of.runs), of.is_whole) for key, of in shown.samples.items()} == {
        GOOD.key: ([0, 1, 2], True),
        BAD.key: ([0, 1], False),
    }
    assert shown.verdicts == desk.verdicts([shown.figure])
    assert shown.sample(GOOD).folders == dict.fromkeys(range(3), tmp_path / GOOD.key)
    assert {key: list(runs) for key, runs in shown.references.items()} == {GOOD.key: [0, 1, 2], BAD.key: [0, 1]}
    assert shown.standings[BAD.key].runs == 2 and shown.extent == "3 seeds, 40,000 environment steps each"
