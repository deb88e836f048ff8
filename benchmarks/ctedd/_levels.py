"""How far one gets in the games of this paper without learning: fixed numbers, of which no learner is part.

Source: 4000 episodes each on CN-V1 and CN-V2, 20 000 on PF and PP, with standard errors of at most 2 (of 10 for the
script on PF); `tests/test_levels.py` plays them again.
"""

from __future__ import annotations

from typing import NamedTuple


class Levels(NamedTuple):
    """Returns of a test episode, summed over steps and agents."""

    uniform: float
    """Actions drawn uniformly."""
    still: float
    """Nobody pushes."""
    script: float
    """Everyone goes straight to a place of its own and stays."""
    target: float
    """The one return that the paper prints, or what is as far on the way from still to scripted."""
    delta: float
    """A tenth of the way from uniform to the target: the smallest difference of interest."""

    def on_the_way(self, share: float) -> float:
        """still + share · (target − still)."""
        return self.still + share * (self.target - self.still)


LEVELS = {
    "CN-V1": Levels(uniform=-688.0, still=-653.0, script=-311.0, target=-390.0, delta=30.0),
    "CN-V2": Levels(uniform=-717.0, still=-698.0, script=-362.0, target=-440.0, delta=28.0),
    "PF": Levels(uniform=-1484.0, still=-1355.0, script=2413.0, target=1546.0, delta=303.0),
    "PP": Levels(uniform=-1450.0, still=-1447.0, script=152.0, target=-216.0, delta=123.0),
}
