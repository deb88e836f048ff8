"""How far one gets in the games of this paper without learning: fixed numbers, of which no learner is part.

Source: 400 episodes each in navigation, with standard errors of at most 1.7, and 60 in pursuit;
`tests/test_games_dimapg.py` plays them again.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmarks import Margin


class Levels(NamedTuple):
    """Returns of an episode: of the agent that gets least, or of one predator against prey that play at random."""

    uniform: float
    """Actions drawn uniformly."""
    script: float
    """Who knows the rules."""

    @property
    def delta(self) -> Margin:
        """The smallest difference of interest."""
        return Margin(
            round((self.script - self.uniform) / 10, 1),
            f"a tenth of the way from random play, {self.uniform:g}, to a script, {self.script:g}",
        )


NAVIGATION = {3: Levels(uniform=-187.6, script=-15.2), 10: Levels(uniform=-192.3, script=-11.2)}
"""By the number of agents."""

PURSUIT = {"3v1": Levels(uniform=14.0, script=1541.0), "12v4": Levels(uniform=189.0, script=5065.0)}
"""By the game; both against prey that play at random."""
