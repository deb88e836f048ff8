"""Our estimates beside those of rliable and marl-eval, which most papers of the field quote.

Neither is needed by the suite. rliable 1.2.0 installs beside numpy 2 with arch 7.2.0 and pandas 2.3.3, but not with
pandas 3, on which arch fails; marl-eval 0.0.4 demands pandas 1.4.4, which has no numpy 2, and runs with these versions
where it is installed without its dependencies:

    pip install rliable==1.2.0 arch==7.2.0 "pandas<3" colorama && pip install --no-deps id-marl-eval==0.0.4
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

from benchmarks import Floats
from benchmarks._judging import statistics

WITH = 'pip install rliable==1.2.0 arch==7.2.0 "pandas<3" colorama; pip install --no-deps id-marl-eval==0.0.4'


def oracle(name: str) -> Any:
    """A module of theirs, or a skip that says with which versions it is there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except Exception as error:  # arch raises a TypeError on pandas 3
            pytest.skip(f"{name} does not import here ({type(error).__name__}: {error}); it does after {WITH}")


def scores(name: str, level: float = 0.0) -> Floats:
    """Ten runs of three tasks. Shapes: [10, 3]."""
    return statistics.generator(name).normal(level, 1.0, (10, 3))


def test_the_iqm_is_that_of_rliable() -> None:
    metrics = oracle("rliable.metrics")
    for n in (5, 6, 10):
        some = scores("iqm")[:n]
        assert statistics.iqm(some.ravel()) == pytest.approx(metrics.aggregate_iqm(some))


def test_the_probability_of_improvement_is_that_of_rliable() -> None:
    metrics = oracle("rliable.metrics")
    left, right = scores("left", 0.5).round(1), scores("right").round(1)  # with ties
    ours = np.mean([statistics.probability_of_improvement(*task) for task in zip(left.T, right.T, strict=True)])
    assert ours == pytest.approx(metrics.probability_of_improvement(left, right))


def test_the_stratified_interval_of_the_iqm_is_that_of_rliable() -> None:
    library, metrics = oracle("rliable.library"), oracle("rliable.metrics")
    some = scores("interval") + np.array([0.0, 5.0, 10.0])
    _, theirs = library.get_interval_estimates(
        {"ours": some}, lambda drawn: np.array([metrics.aggregate_iqm(drawn)]), reps=4000
    )
    assert statistics.iqm_interval(some, "interval", n_resamples=4000) == pytest.approx(theirs["ours"][:, 0], abs=0.06)


def test_marl_eval_reads_the_same_scores_from_its_own_format() -> None:
    processing, metrics = oracle("marl_eval.utils.data_processing_utils"), oracle("rliable.metrics")
    some = {"CTEDD": scores("one", 3.0), "MADDPG": scores("two")}
    runs = {
        f"task_{task}": {
            method: {
                f"seed_{seed}": {
                    "step_0": {"step_count": 0, "return": [float(of[seed, task])]},
                    "absolute_metrics": {"return": [float(of[seed, task])]},
                }
                for seed in range(10)
            }
            for method, of in some.items()
        }
        for task in range(3)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        processed = processing.data_process_pipeline({"game": runs}, metrics_to_normalize=[])
        _, theirs = processing.create_matrices_for_rliable(processed, "game", metrics_to_normalize=[])
    for method, of in some.items():
        matrix = {name.lower(): values for name, values in theirs["mean_return"].items()}[method.lower()]
        assert metrics.aggregate_iqm(matrix) == pytest.approx(statistics.iqm(of.ravel()))
