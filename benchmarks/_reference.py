"""A fresh curve against the recorded one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks import Floats
from benchmarks import _statistics as statistics
from results import Run

ALPHA = 0.01
N_POINTS = 10
SAME = ("python", "torch", "numpy", "system", "device", "threads")
"""Where all of these agree, the same seed must give the same bits."""


class Agreement(NamedTuple):
    """What a comparison came to; both are texts, empty where there is nothing to say."""

    worse: str
    better: str


def agreement(fresh: Floats, recorded: Floats, steps: Floats) -> Agreement:
    """Two one-sided Welch tests at α = .01 at up to ten points, spread over the curve, with Holm over the points.

    A larger value is better. Sides without any scatter are told apart by their order. What is not finite is worse than
    anything recorded; where a recorded value is not finite, nothing is compared.

    Shapes: fresh [S, N], recorded [R, N], steps [N], already cut to the steps that both have.
    """
    points = np.unique(np.linspace(0, len(steps) - 1, N_POINTS).round().astype(int))
    points = points[np.isfinite(recorded[:, points]).all(axis=0)]
    diverged = ~np.isfinite(fresh[:, points]).all(axis=0)
    varied = [i for i in points[~diverged] if np.ptp(np.concatenate([fresh[:, i], recorded[:, i]])) > 0]
    ways = []
    for left, right in ((recorded, fresh), (fresh, recorded)):
        p = statistics.holm(np.array([_p_of_larger(left[:, i], right[:, i]) for i in varied]))
        ways.append(
            [
                f"{fresh[:, i].mean():.6g} at step {steps[i]:,.0f} where {recorded[:, i].mean():.6g} is recorded"
                for i, value in zip(varied, p, strict=True)
                if value <= ALPHA
            ]
        )
    lost = [
        f"not finite at step {steps[i]:,.0f} where {recorded[:, i].mean():.6g} is recorded" for i in points[diverged]
    ]
    return Agreement("; ".join(lost + ways[0]), "; ".join(ways[1]))


def _p_of_larger(left: Floats, right: Floats) -> float:
    """One-sided p of mean(left) ≤ mean(right), by Welch; 0 or 1 where neither side scatters. Shapes: [n]."""
    found = statistics.difference(left, right)
    return float(found.p) if found.error > 0 else float(found.estimate <= 0)


def same_place(fresh: Run, recorded: Run) -> bool:
    """Whether two runs come from the same kind of machine and the same versions, so that their bits must agree."""
    return all(fresh.provenance.get(name) == recorded.provenance.get(name) for name in SAME)


def differing(fresh: Run, recorded: Run, metric: str) -> str:
    """The first step at which two runs of one seed differ by a bit; empty where they agree."""
    n = min(fresh.steps.size, recorded.steps.size)
    here, there = fresh.metrics[metric][:n], recorded.metrics[metric][:n]
    unequal = np.flatnonzero(~((here == there) | (np.isnan(here) & np.isnan(there))))
    if not unequal.size:
        return ""
    i = unequal[0]
    return f"{metric} at step {fresh.steps[i]:,.0f} is {here[i]} and not the recorded {there[i]}"
