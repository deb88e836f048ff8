"""What is drawn in Figures 5 and 6: which entries of λ correlate, where hunters go, and how both change in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks import Cell, Line
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, OfOne
from benchmarks._judging.statistics import mean_interval
from benchmarks.mace._latents import (
    ALPHA,
    ASSIGNMENTS,
    CAPTURED,
    COMPONENTS,
    COMPONENTS_BY_CHANCE,
    COMPONENTS_UNFELT,
    FIRST_START,
    HITS,
    HUNTERS,
    PATHS,
    PREY,
    P,
    R,
)
from results import Run

COLOURS = (BLUE, ORANGE, GREEN, GREY)
N_PATHS = 3


@dataclass(frozen=True)
class CurvePlate:
    """Metrics against samples; from 0 on where `before` has measured them too, on the same seeds before training."""

    title: str
    lines: tuple[Line, ...]
    ylabel: str
    before: Cell | None = None
    scale: float = 1.0
    top: float = 1.0

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Those of the lines, and the one before."""
        return (*(line.cell for line in self.lines), *([] if self.before is None else [self.before]))

    @property
    def words(self) -> str:
        """How it is to be read."""
        return "Curves: thick, mean over seeds; thin, the seeds; shaded, 95 % t interval of the mean."

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Every line in a colour of its own."""
        for line, of_line, colour in zip(self.lines, runs, COLOURS, strict=False):
            steps = next(iter(of_line.values())).steps / 1000
            values = np.stack([run.metrics[line.metric] for run in of_line.values()]).astype(np.float64)
            if self.before is not None and line.metric in next(iter(runs[-1].values())).metrics:
                first = [runs[-1][seed].metrics[line.metric][-1] if seed in runs[-1] else np.nan for seed in of_line]
                steps, values = np.append(0.0, steps), np.column_stack([first, values])
            values *= self.scale
            ax.plot(steps, values.T, color=colour, lw=0.5, alpha=0.35)
            alone = "o" if len(steps) == 1 else ""
            ax.plot(steps, values.mean(axis=0), alone + "-", color=colour, lw=1.6, ms=4, label=line.label)
            if len(values) > 1:
                ax.fill_between(steps, *mean_interval(values), color=colour, alpha=0.16, lw=0)
        ax.set(xlabel="samples (thousands)", ylabel=self.ylabel)
        ax.set_xlim(left=0)
        ax.set_ylim(0, self.top)
        ax.legend(frameon=False, fontsize=7.5, loc="best", handlelength=1.6)


@dataclass(frozen=True)
class CorrelationPlate(OfOne):
    """Which entries of λ correlate with which hunter's displacement, of the first seed."""

    title: str
    cell: Cell

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Squares, of the first seed: r of an entry of λ and a hunter's mean displacement over 100 episodes, "
            f"coloured where p < {ALPHA} (two-sided t test), else grey."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """A row for every hunter and axis, a column for every entry."""
        run = runs[0][min(runs[0])]
        r, p = (run.arrays[name].reshape(len(run.arrays[name]), -1).T for name in (R, P))  # [2N, m]
        ax.set_facecolor("0.9")
        shown = ax.imshow(np.where(p < ALPHA, r, np.nan), cmap="RdBu_r", vmin=-0.7, vmax=0.7, aspect="auto")
        ax.set_xticks(np.arange(-0.5, r.shape[1]), minor=True)
        ax.set_yticks(np.arange(-0.5, r.shape[0]), minor=True)
        ax.grid(which="minor", color="white", lw=0.6)
        ax.tick_params(which="minor", length=0)
        ax.set_xticks(range(0, r.shape[1], 3), [str(entry + 1) for entry in range(0, r.shape[1], 3)])
        ax.set_yticks(range(len(r)), [f"{row // 2 + 1} {'xy'[row % 2]}" for row in range(len(r))])
        if len(r) > 8:
            ax.tick_params(axis="y", labelsize=6)
        found, chance, unfelt = (
            np.mean([of.metrics[name][-1] for of in runs[0].values()])
            for name in (COMPONENTS, COMPONENTS_BY_CHANCE, COMPONENTS_UNFELT)
        )
        over = f"entry of λ\nmean over seeds: {found:.1f} of {r.shape[1]} correlate,\nby chance {chance:.1f}, if "
        over += f"nobody feels λ {unfelt:.1f}"
        ax.set(xlabel=over, ylabel="hunter and axis")
        ax.figure.colorbar(shown, ax=ax, shrink=0.85, pad=0.02, ticks=(-0.6, -0.3, 0, 0.3, 0.6), label="r")


@dataclass(frozen=True)
class PathPlate(OfOne):
    """Episodes from one start that end in one of the two assignments, of the first seed."""

    title: str
    cell: Cell
    assignment: Literal[1, -1]

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            f"Paths, of the first seed: its first {N_PATHS} episodes from one start that end so, side by side; an "
            "arrow is a step, and what leaves the grid comes back at the other side. Discs: where hunters start; "
            "stars: prey, in the colour of the hunter who catches it."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Arrows of both hunters."""
        run, grid = runs[0][min(runs[0])], self.cell.env.grid
        ended_so = np.flatnonzero(run.arrays[ASSIGNMENTS] == self.assignment)
        start = np.array(FIRST_START)
        for hunter in range(2):
            for k, episode in enumerate(ended_so[:N_PATHS]):
                path = run.arrays[PATHS][episode, :, hunter].astype(np.float64)
                strides = np.diff(path, axis=0)
                goes = strides.any(axis=1)
                x, y = path[:-1][goes].T % grid + 0.12 * (k - (N_PATHS - 1) / 2)
                unit: dict[str, Any] = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006}
                ax.quiver(x, y, *strides[goes].T, color=COLOURS[hunter], alpha=0.75, headwidth=4, zorder=3, **unit)
            prey = hunter if self.assignment == 1 else 1 - hunter
            ax.plot(*start[hunter], "o", ms=11, color=COLOURS[hunter], mec="white", mew=0.8, zorder=4)
            ax.text(*start[hunter], str(hunter + 1), color="white", ha="center", va="center", fontsize=7, zorder=5)
            ax.plot(*start[2 + prey], "*", ms=15, color=COLOURS[hunter], mec="white", mew=0.8, zorder=4)
            ax.annotate("AB"[prey], start[2 + prey], (6, 5), textcoords="offset points", fontsize=8.5, zorder=5)
        on_a_torus(ax, grid)
        share = np.mean([(of.arrays[ASSIGNMENTS] == self.assignment).mean() for of in runs[0].values()])
        ax.set_xlabel(
            f"{len(ended_so)} of {len(run.arrays[ASSIGNMENTS])} episodes; mean over seeds {100 * share:.0f} %"
        )


@dataclass(frozen=True)
class SnapshotPlate(OfOne):
    """The first measured episode of the first seed at one of three times."""

    title: str
    cell: Cell
    time: Literal[0, 1, 2]

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Snapshots, of the first seed: its first measured episode. Discs: hunters, filled while free and hollow "
            "once they have caught a hare and are frozen; stars: hares, filled while alive and hollow once caught. The "
            "grid is a torus."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Everyone on the grid."""
        run = runs[0][min(runs[0])]
        frozen, alive = run.arrays[CAPTURED][self.time] >= 0, run.arrays[HITS][self.time] > 0
        hunters, prey = run.arrays[HUNTERS][self.time], run.arrays[PREY][self.time]
        for places, full, marker, size, colour in (
            (prey, alive, "*", 8.5, COLOURS[1]),
            (hunters, ~frozen, "o", 5.0, COLOURS[0]),
        ):
            ax.plot(*places[full].T, marker, ms=size, color=colour, mec="white", mew=0.4, ls="", zorder=3)
            ax.plot(*places[~full].T, marker, ms=size, mfc="none", mec=colour, mew=1.0, ls="", zorder=4)
        on_a_torus(ax, self.cell.env.grid)
        ax.set_xlabel(f"{frozen.sum()} of {len(frozen)} hunters frozen, {(~alive).sum()} of {len(alive)} hares caught")


def on_a_torus(ax: Any, grid: int) -> None:
    """A square of cells, whose borders are dashed because they are none."""
    edges = (-0.5, grid - 0.5)
    ax.set(aspect="equal", xlim=edges, ylim=edges, xticks=[], yticks=[])
    ax.set_xticks(np.arange(-0.5, grid), minor=True)
    ax.set_yticks(np.arange(-0.5, grid), minor=True)
    ax.grid(which="minor", color="0.92", lw=0.5, zorder=0)
    ax.tick_params(which="minor", length=0)
    ax.plot([edges[i] for i in (0, 1, 1, 0, 0)], [edges[i] for i in (0, 0, 1, 1, 0)], color="0.5", lw=1.0, ls="--")
    for side in ax.spines.values():
        side.set_color("none")
