"""From stored runs to scores: what a test without a value means is said by the metric, and never guessed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_drawing import BAD, GOOD, beats, curves, figure, line, stored

from benchmarks import LOOKS, Claim, Metric, Panel, Score
from benchmarks._judging.desk import curve_of, limit_of, number, papers
from benchmarks._judging.scores import EpisodesTo, Final, Last, Length, Window
from results import Run

NAN = math.nan


def a_run(**metrics: list[float]) -> Run:
    curves = {name: np.array(values, np.float32) for name, values in metrics.items()}
    steps = np.arange(1.0, 5.0) * 1000
    return Run("a/b/c", 0, steps, curves, dict.fromkeys(curves, "unit"))


def score_of(metric: Metric, statistic: Any, **metrics: list[float]) -> Any:
    return number(Score(GOOD, metric, statistic), curve_of(metric, a_run(**metrics), 25))


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
