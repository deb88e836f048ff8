"""How far one gets in the games of this paper without learning: fixed numbers, of which no learner is part.

Source: 4000 episodes each, with standard errors below 0.7; `tests/test_levels.py` plays them again.
"""

from __future__ import annotations

from typing import NamedTuple


class Levels(NamedTuple):
    """Returns of a test episode, summed over steps and agents."""

    uniform: float
    """Actions drawn uniformly."""
    script: float
    """Everyone goes straight to a landmark of its own and stays."""
    delta: float
    """A tenth of the way from one to the other: the smallest difference of interest."""


DISCRETE_SPREAD = {
    2: Levels(uniform=-101.8, script=-54.1, delta=4.8),
    3: Levels(uniform=-197.7, script=-87.3, delta=11.0),
    4: Levels(uniform=-313.2, script=-122.0, delta=19.1),
}
"""Phase II, by the number of agents."""

CONTINUOUS_SPREAD = {
    2: Levels(uniform=-98.3, script=-51.5, delta=4.7),
    3: Levels(uniform=-191.8, script=-80.8, delta=11.1),
    4: Levels(uniform=-304.9, script=-110.4, delta=19.5),
}

UNMOVED = -144.5
"""Push box where the box never moves: −2 · 100 · 0.85²."""

OPTIMUM = -60.0
"""Twice what the authors' logs reach in Tasks I and II; the paper prints no number."""

PUSH_DELTA = 8.5
"""A tenth of the way from the one to the other."""

TEAM = -64.0
"""What a team that has learnt Task I or II is at or above."""

STRAIGHT_WALK = 0.679
"""How much a field leans to the goal that points straight to it, on the grid of Figure 8; one that does not mind, 0."""

LEADS = 0.34
"""Half of that: a field leads to the goal."""

LEANS = 0.068
"""A tenth of it: the smallest difference of interest."""
