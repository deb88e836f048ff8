"""A fresh curve is compared with the recorded one: what is worse fails, what is better is told, noise is neither."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from _histories import a_history

from benchmarks import Floats
from benchmarks._reference import Agreement, agreement, differing, same_place
from results import PLACE, History, Run

N = 40
STEPS = np.arange(1.0, N + 1) * 1000


def curve(seed: int, level: float = 0.0, n_seeds: int = 5) -> Floats:
    """Seeds that scatter by 1 about a level. Shapes: [S, N]."""
    return np.random.default_rng(seed).normal(level, 1.0, (n_seeds, N))


def test_a_curve_agrees_with_itself_and_with_one_that_scatters_as_much() -> None:
    assert agreement(curve(0), curve(0), STEPS) == Agreement("", "")
    assert agreement(curve(1), curve(2), STEPS) == Agreement("", "")
    flat = np.ones((3, N))
    assert agreement(flat, flat, STEPS) == Agreement("", "")


def test_a_lower_curve_is_worse_and_a_higher_one_is_better() -> None:
    low, high = curve(1, -20.0), curve(2, 20.0)
    found = agreement(low, high, STEPS)
    assert found.better == ""
    assert found.worse.startswith(f"{low[:, 0].mean():.6g} at step 1,000 where {high[:, 0].mean():.6g} is recorded; ")
    assert found.worse.endswith(f"at step 40,000 where {high[:, -1].mean():.6g} is recorded")
    assert found.worse.count(" at step ") == 10
    assert agreement(high, low, STEPS).better.count(" at step ") == 10
    assert agreement(high, low, STEPS).worse == ""


def test_a_single_bad_stretch_is_named() -> None:
    fresh = curve(1)
    fresh[:, -1] -= 20.0
    found = agreement(fresh, curve(2), STEPS)
    assert found.worse.count("at step") == 1 and "at step 40,000" in found.worse


def test_noise_is_called_worse_in_less_than_three_of_a_hundred_comparisons() -> None:
    worse = [bool(agreement(curve(2 * i), curve(2 * i + 1), STEPS).worse) for i in range(300)]
    assert np.mean(worse) < 0.03


def test_numbers_without_scatter_that_differ_are_worse_or_better() -> None:
    zero, five = np.zeros((3, N)), np.full((3, N), 5.0)
    assert agreement(zero, five, STEPS).worse.startswith("0 at step 1,000 where 5 is recorded")
    assert agreement(zero, five, STEPS).better == ""
    assert agreement(five, zero, STEPS).better.startswith("5 at step 1,000 where 0 is recorded")


def test_divergence_where_none_is_recorded_is_worse() -> None:
    fresh = curve(1)
    fresh[2, -1] = np.nan
    found = agreement(fresh, curve(2), STEPS)
    assert found.worse.startswith("not finite at step 40,000 where ")
    assert found.better == ""
    assert agreement(curve(1, -20.0) * np.nan, curve(2), STEPS).worse.count("not finite") == 10


def test_recorded_divergence_is_no_yardstick() -> None:
    diverged = curve(2)
    diverged[2, 1:] = np.nan
    assert agreement(curve(1), diverged, STEPS) == Agreement("", "")
    assert agreement(diverged, diverged, STEPS) == Agreement("", "")
    assert agreement(curve(1), diverged * np.nan, STEPS) == Agreement("", "")


@pytest.mark.parametrize("n", [1, 2, 9, 10, 11])
def test_short_curves_are_compared_too(n: int) -> None:
    assert agreement(curve(1)[:, :n], curve(2)[:, :n], STEPS[:n]) == Agreement("", "")
    assert agreement(curve(1, -20.0)[:, :n], curve(2)[:, :n], STEPS[:n]).worse.count("at step") == min(n, 10)


# ---- bit for bit ----------------------------------------------------------------------------------------------------


HERE = a_history()


def a_run(*values: float, history: History = HERE) -> Run:
    steps = np.arange(1.0, len(values) + 1) * 1000
    return Run("a/b/c", 0, steps, {"return": np.array(values, np.float32)}, {"return": "sum"}, history)


def test_the_same_place_is_the_same_machine_and_versions_whatever_the_commit() -> None:
    assert same_place(a_run(), a_run(history=a_history(commit="later", wall_seconds=9.0, sources="other")))
    for name in PLACE:
        there: Any = 2 if name == "threads" else "there"
        elsewhere = a_history(**{name: there})
        assert not same_place(a_run(), a_run(history=elsewhere))
        assert not same_place(a_run(), a_run(history=(*elsewhere, *HERE)))  # not even where it ended here


def test_where_nobody_knows_from_it_is_not_the_same_place() -> None:
    assert not same_place(a_run(), a_run(history=()))


def test_the_first_bit_that_differs_is_named() -> None:
    nan = float("nan")
    assert differing(a_run(1, 2, nan, 4), a_run(1, 2, nan, 4), "return") == ""
    assert differing(a_run(1, 2, 3), a_run(1, 2), "return") == ""
    assert (
        differing(a_run(1, 2, 3), a_run(1, 2.5, 9), "return") == "return at step 2,000 is 2.0 and not the recorded 2.5"
    )
    assert differing(a_run(1, nan), a_run(1, 2), "return") == "return at step 2,000 is nan and not the recorded 2.0"
    near = replace(a_run(1), metrics={"return": np.nextafter(np.ones(1, np.float32), np.float32(2))})
    assert differing(near, a_run(1), "return") != ""
