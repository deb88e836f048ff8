"""A line of a figure as others are held against it: its stored curves, its margin, and chance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks import Figure, Line, Margin, Panel, Row, Score, scores_of
from benchmarks._exchange.curves import Track
from benchmarks._exchange.equivalence import Tracks, Way
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.reference import direction

SHARE = 0.1
"""Of the way from chance to the best, where no claim has a margin."""
END = 10  # tests that are the end of a curve


class Stored(NamedTuple):
    """One line of a figure, with its curves. `better` is which way it is better."""

    exhibit: Exhibit
    panel: Panel
    line: Line
    tracks: Tracks
    unit: str
    margin: Margin
    better: Way

    @property
    def name(self) -> str:
        """`CN-V1/MADDPG-3`."""
        return named(self.panel, self.line)

    @property
    def horizon(self) -> int:
        """What times are counted in, in environment steps: an episode, or one step where the panel counts those."""
        return int(self.line.cell.env.horizon) if self.panel.against == "learning episodes" else 1


def stored(exhibit: Exhibit, name: str, margin: float | None = None) -> Stored:
    """A line by its name, with a margin of one's own or that of the figure's claims.

    Raises: ValueError where there is no such line, or none of its seeds has been run.
    """
    panel, line = line_of(exhibit.figure, name)
    bundle = exhibit.bundle(line.cell, line.metric)
    if not bundle.seeds:
        raise ValueError(f"{exhibit.figure.id} must have stored curves of {name}, found none")
    tracks = {str(seed): Track(bundle.steps, values) for seed, values in zip(bundle.seeds, bundle.values, strict=True)}
    unit = next(iter(exhibit.sample(line.cell).runs.values())).units[line.metric]
    asked = margin_of(exhibit, panel, line) if margin is None else Margin(margin, "as it was asked for")
    return Stored(exhibit, panel, line, tracks, unit, asked, direction(exhibit.figure, line))


def named(panel: Panel, line: Line) -> str:
    """How a line is called: its panel and its label."""
    return f"{panel.title}/{line.label}"


def line_of(figure: Figure, name: str) -> tuple[Panel, Line]:
    """A line by panel and label, or by its label alone where one panel has it.

    Raises: ValueError where none or several are called so.
    """
    every = [(panel, line) for panel in figure.panels for line in panel.lines]
    found = [pair for pair in every if named(*pair) == name] or [pair for pair in every if pair[1].label == name]
    if len(found) != 1:
        offered = ", ".join(named(*pair) for pair in every) or "none, for it shows no curves"
        raise ValueError(f"{figure.id} must have one line called {name!r}, found {len(found)}; there are: {offered}")
    return found[0]


def margin_of(exhibit: Exhibit, panel: Panel, line: Line) -> Margin:
    """The smallest difference of interest: that of a claim on this curve, else of one on its metric in its game, else a
    tenth of the way from chance to the best line of the panel.

    Raises: ValueError where that way has no length.
    """
    rows = [(claim, row) for claim in exhibit.figure.claims for row in claim.rows if _margin(row) is not None]
    mine = [pair for pair in rows if any(_is_of(score, line, exactly=True) for score in _sides(pair[1]))]
    near = [pair for pair in rows if any(_is_of(score, line, exactly=False) for score in _sides(pair[1]))]
    for claim, row in (*mine, *near):
        found = _margin(row)
        assert found is not None
        return Margin(found.value, f"as in {claim.id}: {found.reason}")
    low, high = ends(exhibit, panel, panel.lines)
    if not abs(high - low) > 0:
        raise ValueError(f"{exhibit.figure.id} has no claim that gives {panel.title} a margin: --margin must give one")
    return Margin(SHARE * abs(high - low), f"a tenth of the way from chance ({low:.4g}) to the best line ({high:.4g})")


def _margin(row: Row) -> Margin | None:
    delta = getattr(row.rule, "delta", None)
    return delta if isinstance(delta, Margin) else None


def _sides(row: Row) -> tuple[Score, ...]:
    return scores_of(row) if row.right is not None else (row.left,)


def _is_of(score: Score, line: Line, *, exactly: bool) -> bool:
    """Whether a score reads this curve, or one of its kind in its game."""
    if exactly:
        return score.cell.key == line.cell.key and score.metric.name == line.metric
    kind = line.metric.rpartition(" ")[0] or line.metric
    return score.cell.environment == line.cell.environment and score.metric.name.startswith(kind)


def ends(exhibit: Exhibit, panel: Panel, lines: tuple[Line, ...]) -> tuple[float, float]:
    """Chance, and where the best of some lines comes to.

    Chance is the first level of the panel, or else where these lines begin.
    """
    sign = 1.0 if direction(exhibit.figure, lines[0]) == "larger" else -1.0
    curves = [mean for line in lines if len(mean := _mean_curve(exhibit, line))]
    if not curves:
        return 0.0, 0.0
    best = sign * max(sign * float(curve[-END:].mean()) for curve in curves)
    chance = float(np.mean([curve[0] for curve in curves]))
    for level in panel.levels[:1]:
        value = level.value
        chance = float(exhibit.scores(value).values.mean()) if isinstance(value, Score) else float(value)
    return chance, best


def _mean_curve(exhibit: Exhibit, line: Line) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The mean over seeds, of tests that all of them have a finite value of."""
    values = exhibit.bundle(line.cell, line.metric).values
    if not values.size:
        return np.empty(0)
    whole: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = values[:, np.isfinite(values).all(axis=0)].mean(axis=0)
    return whole
