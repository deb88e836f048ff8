"""What of DiMA-PG's paper is no curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import Cell
from benchmarks._drawing.plates import BLUE, GREEN, ORANGE, draw_printed, draw_seeds
from benchmarks.dimapg import alone, navigation
from benchmarks.dimapg._measures import ADAPTED, LEAST, LIKELIEST
from results import Run, published


@dataclass(frozen=True)
class LeastPlate:
    """A column of Table 1: what the least gets with θ, with adapted parameters and with copies of one agent."""

    n_agents: int

    @property
    def title(self) -> str:
        """The game."""
        return f"{self.n_agents} agents"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """DiMA-PG among all agents, and of one alone."""
        return navigation("DiMA-PG", self.n_agents), alone(self.n_agents)

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Return of the agent that gets least in an episode, mean of 100 episodes after training. Discs: mean over "
            "seeds with its 95 % t interval, dots: the seeds, with drawn actions; circle: mean with the likeliest. "
            "Diamonds: printed in Table 1."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """The three rows of the table side by side."""
        printed = published("dimapg")["table1"]
        together, alone_runs = runs
        columns = ((together, LEAST, BLUE), (together, ADAPTED, GREEN), (alone_runs, LEAST, ORANGE))
        for x, (name, (of, metric, colour)) in enumerate(zip(printed, columns, strict=True)):
            values = np.array([run.metrics[metric][-1] for run in of.values()], dtype=np.float64)
            draw_seeds(ax, x, values, colour)
            draw_printed(ax, x, printed[name][str(self.n_agents)], colour)
            likeliest = np.mean([run.metrics[metric + LIKELIEST][-1] for run in of.values()])
            ax.plot(x + 0.08, likeliest, "o", mec=colour, mfc="none", ms=6)
        ax.set_xlim(-0.5, 2.5)
        ax.set_xticks(range(3), ["$θ$", "$θ_i'$", "Fine Tune"])
        ax.set_ylim(top=0)
        ax.set_ylabel(LEAST)
