"""What of DiMA-PG's paper is no curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import Cell, Floats
from benchmarks._statistics import mean_interval
from benchmarks.dimapg import alone, navigation, published
from benchmarks.dimapg._measures import ADAPTED, LEAST, LIKELIEST
from results import Run

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"


def draw_beside(ax: Any, x: float, values: Floats, printed: float | None, colour: str) -> None:
    """Our seeds, their mean with its 95 % t interval, and to their right the printed number. Shapes: [n]."""
    ax.plot(np.full(len(values), x - 0.15), values, ".", color=colour, ms=4, alpha=0.6)
    if len(values) > 1:
        ax.plot([x, x], mean_interval(values), color=colour, lw=1.4)
    ax.plot(x, values.mean(), "o", color=colour, ms=6)
    if printed is not None:
        ax.plot(x + 0.2, printed, "D", color=colour, ms=5, clip_on=False)  # may lie on the axis


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
        printed = published()["table1"]
        together, alone_runs = runs
        columns = ((together, LEAST, BLUE), (together, ADAPTED, GREEN), (alone_runs, LEAST, ORANGE))
        for x, (name, (of, metric, colour)) in enumerate(zip(printed, columns, strict=True)):
            values = np.array([run.metrics[metric][-1] for run in of.values()], dtype=np.float64)
            draw_beside(ax, x, values, printed[name][str(self.n_agents)], colour)
            likeliest = np.mean([run.metrics[metric + LIKELIEST][-1] for run in of.values()])
            ax.plot(x + 0.08, likeliest, "o", mec=colour, mfc="none", ms=6)
        ax.set_xlim(-0.5, 2.5)
        ax.set_xticks(range(3), ["$θ$", "$θ_i'$", "Fine Tune"])
        ax.set_ylim(top=0)
        ax.set_ylabel(LEAST)
