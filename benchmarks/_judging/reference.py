"""A fresh curve against the recorded one.

Whoever trains everything again on another machine compares many curves, and none of them should fail by accident: the
error is controlled over all curves of a session, at 5 %, and over the quarters of each. What that costs is said: how
much worse a fresh curve could be without being noticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from benchmarks import Figure, Floats, Line, scores_of
from benchmarks._judging import statistics
from benchmarks._judging.statistics import Welch
from results import Run

ALPHA = 0.05
"""Of a session: the probability that one of its curves fails by accident."""

N_WINDOWS = 4
CORRELATED = 0.001
"""The p of a correlation at which the same seeds are still compared in pairs: chance hardly ever picks it."""

Curves = Mapping[int, Floats]


class Agreement(NamedTuple):
    """What a comparison came to, in texts, empty where there is nothing to say.

    `excluded` says which loss at the end would have been noticed as such, with 95 % confidence.
    """

    worse: str
    better: str
    excluded: str


class Stretch(NamedTuple):
    """A quarter of a curve: where it ends, both means, and fresh less recorded, in pairs or not."""

    end: float
    fresh: float
    recorded: float
    difference: Welch
    paired: bool

    def p(self, sign: float) -> float:
        """One-sided p of "not larger", of fresh less recorded or with −1 the other way; without scatter 0 or 1."""
        if not self.difference.error > 0:
            return float(sign * self.difference.estimate <= 0)
        return float(stdtr(self.difference.freedom, -sign * self.difference.estimate / self.difference.error))


def agreement(
    fresh: Curves, recorded: Curves, steps: Floats, n_curves: int, better: Literal["larger", "smaller"] = "larger"
) -> Agreement:
    """Two one-sided t tests in every quarter of a curve, at .05 over the `n_curves` of a session and the quarters.

    The same seeds are compared in pairs while they still correlate, all seeds by Welch from there on. What is not
    finite is worse than anything recorded; where a recorded value is not finite, nothing is compared.

    Shapes: every curve and steps [N], already cut to the steps that both have.
    """
    new, old = (np.stack(list(curves.values())) for curves in (fresh, recorded))
    known = np.isfinite(old).all(axis=0)
    diverged = np.flatnonzero(known & ~np.isfinite(new).all(axis=0))
    compared = np.flatnonzero(known & np.isfinite(new).all(axis=0))
    parts = [part for part in np.array_split(compared, N_WINDOWS) if len(part)]
    stretches = [stretch(fresh, recorded, part, steps) for part in parts]
    level = ALPHA / max(n_curves, 1) / N_WINDOWS
    sign = 1.0 if better == "larger" else -1.0
    lost = [f"not finite at step {steps[i]:,.0f} where {old[:, i].mean():.6g} is recorded" for i in diverged[:1]]
    return Agreement(
        "; ".join(lost + [told(part) for part in stretches if part.p(-sign) <= level]),
        "; ".join(told(part) for part in stretches if part.p(sign) <= level),
        excluded(stretches[-1], sign, statistics.variance(old[:, parts[-1]].mean(axis=1))) if stretches else "",
    )


def stretch(fresh: Curves, recorded: Curves, part: np.ndarray[tuple[int], np.dtype[np.intp]], steps: Floats) -> Stretch:
    """A part of both curves, seed by seed where the same seeds correlate."""
    new, old = ({seed: float(curve[part].mean()) for seed, curve in curves.items()} for curves in (fresh, recorded))
    both = sorted(set(new) & set(old))
    sides = [np.array([of[seed] for seed in both]) for of in (new, old)]
    every = [np.array(list(of.values())) for of in (new, old)]
    paired = correlate(*sides)
    found = statistics.paired_difference(sides[0] - sides[1]) if paired else statistics.difference(*every)
    return Stretch(float(steps[part[-1]]), float(every[0].mean()), float(every[1].mean()), found, paired)


def correlate(left: Floats, right: Floats) -> bool:
    """Whether the same seeds vary together beyond chance, by the t test of Pearson's r at .001. Shapes: [n]."""
    n = len(left)
    if n < 4 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return False
    r = min(float(np.corrcoef(left, right)[0, 1]), 1 - 1e-12)
    return bool(stdtr(n - 2, -r * np.sqrt((n - 2) / (1 - r**2))) <= CORRELATED)


def told(part: Stretch) -> str:
    """Both means of a part."""
    how = ", in pairs of seeds" if part.paired else ""
    return f"{part.fresh:.6g} up to step {part.end:,.0f} where {part.recorded:.6g} is recorded{how}"


def excluded(part: Stretch, sign: float, variance: Floats) -> str:
    """The largest loss in the last quarter that is still within a one-sided 95 % bound."""
    if not part.difference.error > 0:
        return ""
    room = stdtrit(part.difference.freedom, 0.95) * part.difference.error
    loss = max(float(room - sign * part.difference.estimate), 0.0)
    spread = float(np.sqrt(variance))
    in_deviations = f", {loss / spread:.2g} standard deviations of a seed" if spread > 0 else ""
    return f"a loss of more than {loss:.3g}{in_deviations} is excluded"


def direction(figure: Figure, line: Line) -> Literal["larger", "smaller"]:
    """Which way a curve is better: as a claim of its figure says, or larger."""
    scores = [score for claim in figure.claims for row in claim.rows for score in scores_of(row)]
    said = {score.metric.better for score in scores if score.metric.name == line.metric}
    return "smaller" if "smaller" in said else "larger"


def incomparable(own: Mapping[int, Run], recorded: Mapping[int, Run]) -> str:
    """Why there is nothing to compare with the recorded runs, empty where there is something."""
    if not own:
        return "not run"
    if not recorded:
        return "without a recorded reference"
    same = all(seed in recorded and run.history == recorded[seed].history for seed, run in own.items())
    return "the recorded reference themselves" if same else ""
