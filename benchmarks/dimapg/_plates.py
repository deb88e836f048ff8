"""What of DiMA-PG's paper is no curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import Cell
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, draw_printed, draw_seeds
from benchmarks.dimapg import alone, level, navigation
from benchmarks.dimapg._measures import ADAPTED, LEAST, LIKELIEST
from results import Run, published


@dataclass(frozen=True)
class LeastPlate:
    """A column of Table 1: what the least gets with θ, with adapted parameters and with copies of one agent."""

    n_agents: int
    cells: tuple[Cell, ...]
    """DiMA-PG among all agents, and of one alone; random play, and a script."""

    @property
    def title(self) -> str:
        """The game."""
        return f"{self.n_agents} agents"

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Return of the agent that gets least in an episode, mean of 100 episodes after training. Discs: mean over "
            "seeds with its 95 % t interval, dots: the seeds, with drawn actions; circle: mean with the likeliest. σ: "
            "of a force as actions are drawn, geometric mean over axes and seeds. Diamonds: printed in Table 1. "
            "Dashed: a script; dotted: actions drawn uniformly."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """The three rows of the table side by side."""
        printed = published("dimapg")["table1"]
        together, alone_runs, *levels = runs
        columns = ((together, LEAST, BLUE), (together, ADAPTED, GREEN), (alone_runs, LEAST, ORANGE))
        for x, (name, (of, metric, colour)) in enumerate(zip(printed, columns, strict=True)):
            values = np.array([run.metrics[metric][-1] for run in of.values()], dtype=np.float64)
            draw_seeds(ax, x, values, colour)
            draw_printed(ax, x, printed[name][str(self.n_agents)], colour)
            likeliest = np.mean([run.metrics[metric + LIKELIEST][-1] for run in of.values()])
            ax.plot(x + 0.08, likeliest, "o", mec=colour, mfc="none", ms=6)
        for dashes, of in zip((":", "--"), levels, strict=True):
            ax.axhline(np.mean([run.metrics[LEAST].mean() for run in of.values()]), color=GREY, ls=dashes, lw=1)
        ax.set_xlim(-0.5, 2.5)
        of_all, of_one = spread(together), spread(alone_runs)
        names = (f"$θ$\nσ {of_all:.2f}", "$θ_i'$", f"Fine Tune\nσ {of_one:.2f}")
        ax.set_xticks(range(3), names)
        ax.set_ylim(top=0)
        ax.set_ylabel(LEAST)


def spread(runs: Mapping[int, Run]) -> float:
    """σ of two forces whose entropy is Σ (log σ + ½ log 2πe), at the end of training, geometric mean over seeds."""
    entropy = np.mean([run.metrics["entropy"][-1] for run in runs.values()])
    return math.exp(entropy / 2 - 0.5 * math.log(2 * math.pi * math.e))


def least_plate(n_agents: int) -> LeastPlate:
    """The column of so many agents."""
    levels = level("Uniform", n_agents), level("Script", n_agents)
    return LeastPlate(n_agents, (navigation("DiMA-PG", n_agents), alone(n_agents), *levels))
