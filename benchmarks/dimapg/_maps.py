"""What is shown of Survival: Table 2, and the map at moments of a game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import Cell
from benchmarks._drawing.plates import BLUE, GREEN, GREY, draw_printed, draw_seeds
from benchmarks.dimapg import HORIZON
from benchmarks.dimapg._survival import AGENTS, MOMENTS, PIECES, REWARD, Moment, level, trained, untrained
from results import Run, published

MARKERS = (">", "v", "<", "^")
"""East, south, west, north."""


@dataclass(frozen=True)
class TablePlate:
    """A column of Table 2 for one number of agents: one quantity, before and after training."""

    n_agents: int
    metric: str
    cells: tuple[Cell, ...]
    """Before and after training; a script, and random play."""

    @property
    def title(self) -> str:
        """What and where."""
        return f"{self.metric.capitalize()}, {self.n_agents} agents"

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Mean over 20 games of every seed. Discs: mean over seeds with its 95 % t interval; dots: the seeds. "
            "Diamonds: printed in Table 2 and, of the beginning, in the text. Dashed: everybody goes for the nearest "
            "food; dotted: actions drawn uniformly."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Before and after side by side."""
        printed = published("dimapg")["table2"]
        for x, (of, suffix, colour) in enumerate(zip(runs[:2], (" before training", ""), (GREY, BLUE), strict=True)):
            values = np.array([run.metrics[self.metric][-1] for run in of.values()], dtype=np.float64)
            number = printed.get(self.metric + suffix, {}).get(str(self.n_agents))
            draw_seeds(ax, x, values, colour)
            if number is not None:
                draw_printed(ax, x, number, colour)
        for dashes, of in zip(("--", ":"), runs[2:], strict=True):
            ax.axhline(np.mean([run.metrics[self.metric][-1] for run in of.values()]), color=GREY, ls=dashes, lw=1)
        ax.set_xlim(-0.5, 1.5)
        ax.set_xticks(range(2), ["before training", "after"])
        ax.set_ylabel(self.metric)
        if self.metric != REWARD:
            ax.set_ylim(bottom=0)


@dataclass(frozen=True)
class MapPlate:
    """The whole map at one moment of a game, of the first seed."""

    cells: tuple[Cell, ...]
    """The one."""
    moment: Moment
    learnt: bool = True

    @property
    def title(self) -> str:
        """When."""
        step = {"start": 0, "middle": HORIZON // 2, "end": HORIZON}[self.moment]
        return f"{'trained' if self.learnt else 'before training'}, step {step}"

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Shown is one game of the first seed. Squares: food, paler the fewer hit points are left. Triangles: "
            "living agents, pointing to where they face; one blow kills. Grey crosses: where agents died. A game "
            "that has ended stays as it was."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Cells of the map, with y growing downwards."""
        env = self.cells[0].env
        run = runs[0][min(runs[0])]
        row = MOMENTS.index(self.moment)
        agents, pieces = run.arrays[AGENTS][row], run.arrays[PIECES][row]
        food = pieces[pieces[:, 2] >= 0]
        shade = 0.25 + 0.75 * food[:, 2] / env.food_hp
        ax.scatter(food[:, 0], food[:, 1], s=6, marker="s", color=GREEN, alpha=shade, lw=0)
        dead, living = agents[agents[:, 3] < 0], agents[agents[:, 3] >= 0]
        ax.scatter(dead[:, 0], dead[:, 1], s=7, marker="x", color="0.65", lw=0.6)
        for heading, marker in enumerate(MARKERS):
            those = living[living[:, 2] == heading]
            ax.scatter(those[:, 0], those[:, 1], s=8, marker=marker, color=BLUE, lw=0)
        ax.set(aspect="equal", xlim=(-0.5, env.map_size - 0.5), ylim=(env.map_size - 0.5, -0.5))
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlabel(f"{len(living)} of {len(agents)} agents, {len(food)} of {len(pieces)} pieces of food")
        ax.patch.set(edgecolor="0.6", linewidth=0.7)  # a frame on all sides


def table_plate(n_agents: int, metric: str) -> TablePlate:
    """One quantity of so many agents."""
    cells = untrained(n_agents), trained(n_agents), level("Script", n_agents), level("Uniform", n_agents)
    return TablePlate(n_agents, metric, cells)


def maps(n_agents: int) -> tuple[MapPlate, ...]:
    """A game of the trained agents at all moments, and how one of the untrained ends."""
    learnt = (trained(n_agents),)
    return (*(MapPlate(learnt, moment) for moment in MOMENTS), MapPlate((untrained(n_agents),), "end", learnt=False))
