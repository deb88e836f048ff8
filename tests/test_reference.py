"""A fresh curve is compared with the recorded one: what is worse fails, what is better is told, noise is neither."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from _histories import a_history

from benchmarks import Floats
from benchmarks._judging.reference import Agreement, agreement, correlate
from benchmarks._training.repetition import differing, same_place
from results import PLACE, History, Run

N = 40
STEPS = np.arange(1.0, N + 1) * 1000


def curve(seed: int, level: float = 0.0, n_seeds: int = 5) -> Floats:
    """Seeds that scatter by 1 about a level. Shapes: [S, N]."""
    return np.random.default_rng(seed).normal(level, 1.0, (n_seeds, N))


def compared(fresh: Floats, recorded: Floats, steps: Floats = STEPS, n_curves: int = 1, **settings: Any) -> Agreement:
    """Seeds 0, 1, … on both sides."""
    return agreement(dict(enumerate(fresh)), dict(enumerate(recorded)), steps, n_curves, **settings)


def test_a_curve_agrees_with_itself_and_with_one_that_scatters_as_much() -> None:
    for fresh, recorded in ((curve(0), curve(0)), (curve(1), curve(2)), (np.ones((3, N)), np.ones((3, N)))):
        assert compared(fresh, recorded)[:2] == ("", "")


def test_a_lower_curve_is_worse_and_a_higher_one_is_better() -> None:
    low, high = curve(1, -20.0), curve(2, 20.0)
    found = compared(low, high)
    assert found.better == ""
    assert found.worse.startswith(
        f"{low[:, :10].mean():.6g} up to step 10,000 where {high[:, :10].mean():.6g} is recorded"
    )
    assert found.worse.count(" up to step ") == 4
    assert compared(high, low).better.count(" up to step ") == 4
    assert compared(high, low).worse == ""


def test_of_a_cost_the_higher_curve_is_worse() -> None:
    assert compared(curve(1, 20.0), curve(2), better="smaller").worse.count("up to step") == 4
    assert compared(curve(1, -20.0), curve(2), better="smaller").worse == ""


def test_a_single_bad_stretch_is_named() -> None:
    fresh = curve(1)
    fresh[:, 30:] -= 20.0
    found = compared(fresh, curve(2))
    assert found.worse.count("up to step") == 1 and "up to step 40,000" in found.worse


def test_a_whole_session_on_another_machine_fails_by_accident_in_at_most_one_of_twenty() -> None:
    random = np.random.default_rng(14)
    n_curves, failed = 20, 0
    for _ in range(150):
        level = random.normal(size=(2, n_curves, 6, 1))  # seeds differ by more than tests of a seed do
        fresh, recorded = level + 0.3 * random.normal(size=(2, n_curves, 6, 8))
        failed += any(compared(*pair, STEPS[:8], n_curves).worse for pair in zip(fresh, recorded, strict=True))
    assert failed / 150 <= 0.06


def test_what_fails_in_one_curve_alone_is_still_noise_among_a_hundred() -> None:
    random = np.random.default_rng(3)
    recorded = random.normal(size=(6, 8))
    fresh = random.normal(size=(6, 8)) - 1.4
    assert compared(fresh, recorded, STEPS[:8], 1).worse
    assert not compared(fresh, recorded, STEPS[:8], 10_000).worse


def test_the_same_seeds_are_compared_in_pairs_while_they_correlate() -> None:
    random = np.random.default_rng(5)
    level = 10 * random.normal(size=(6, 1))
    recorded, fresh = level + 0.1 * random.normal(size=(2, 6, N))
    assert compared(fresh, recorded, n_curves=100)[:2] == ("", "")
    found = compared(fresh - 1.0, recorded, n_curves=100)  # a tenth of a seed's standard deviation
    assert found.worse.count("in pairs of seeds") == 4
    parted = fresh.copy()
    parted[:, 20:] = parted[::-1, 20:]  # from there on a seed says nothing of the same seed elsewhere
    assert compared(parted - 1.0, recorded, n_curves=100).worse.count("up to step") == 2


def test_chance_hardly_ever_pairs_seeds() -> None:
    random = np.random.default_rng(6)
    assert np.mean([correlate(*random.normal(size=(2, 6))) for _ in range(4000)]) <= 0.003


def test_how_much_worse_it_could_be_is_said() -> None:
    found = compared(curve(1), curve(2), n_curves=100)
    assert found.excluded.startswith("a loss of more than 0.") and "standard deviations of a seed" in found.excluded
    near = compared(curve(1, n_seeds=10), curve(2, n_seeds=10)).excluded
    assert loss(near) < loss(found.excluded)


def loss(said: str) -> float:
    return float(said.removeprefix("a loss of more than ").split(",")[0])


def test_numbers_without_scatter_that_differ_are_worse_or_better() -> None:
    zero, five = np.zeros((3, N)), np.full((3, N), 5.0)
    assert compared(zero, five).worse.startswith("0 up to step 10,000 where 5 is recorded")
    assert compared(zero, five).better == ""
    assert compared(five, zero).better.startswith("5 up to step 10,000 where 0 is recorded")


def test_divergence_where_none_is_recorded_is_worse() -> None:
    fresh = curve(1)
    fresh[2, -1] = np.nan
    found = compared(fresh, curve(2))
    assert found.worse.startswith("not finite at step 40,000 where ")
    assert found.better == ""
    assert compared(curve(1, -20.0) * np.nan, curve(2)).worse.startswith("not finite at step 1,000 where ")


def test_recorded_divergence_is_no_yardstick() -> None:
    diverged = curve(2)
    diverged[2, 1:] = np.nan
    assert compared(curve(1), diverged)[:2] == ("", "")
    assert compared(diverged, diverged)[:2] == ("", "")
    assert compared(curve(1), diverged * np.nan) == Agreement("", "", "")


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_short_curves_are_compared_too(n: int) -> None:
    assert compared(curve(1)[:, :n], curve(2)[:, :n], STEPS[:n])[:2] == ("", "")
    assert compared(curve(1, -20.0)[:, :n], curve(2)[:, :n], STEPS[:n]).worse.count("up to step") == min(n, 4)


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
