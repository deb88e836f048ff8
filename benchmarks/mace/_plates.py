"""What of MACE's paper is no curve: Table 1 and the lengths of episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import Cell
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, draw_printed, draw_seeds
from benchmarks.mace import CUMULATIVE, LENGTHS, METHODS, Kind, cell, place
from results import Run, published

COLOURS = {"MACE": BLUE, "Shared": ORANGE, "Cloned": GREEN, "random walk": GREY}


@dataclass(frozen=True)
class RatePlate:
    """A column of Table 1: what every method is paid per million samples, beside what the paper prints."""

    kind: Kind
    n: int
    moving: bool

    @property
    def title(self) -> str:
        """The game."""
        return f"{self.kind.capitalize()}-Hunters, {self.n}v{self.n}, {'moving' if self.moving else 'frozen'}"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every method."""
        return tuple(cell(method, self.kind, self.n, self.moving) for method in METHODS)

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Terminal reward per million samples, of all training so far. Discs: mean over seeds with its 95 % "
            "t interval; dots: the seeds. Diamonds: printed in Table 1, open after 500 000 samples, filled after "
            "1 000 000."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Methods side by side, on a logarithmic axis where they are far apart, from 0 on where they are not alike."""
        printed = published("mace")
        every = []
        for x, (method, of_method) in enumerate(zip(METHODS, runs, strict=True)):
            rates = np.array([1e6 * run.metrics[CUMULATIVE][-1] / run.n_steps for run in of_method.values()])
            every += rates.tolist()
            draw_seeds(ax, x, rates, COLOURS[method])
            totals = printed["totals"].get(method, {}).get(place(self.kind, self.n, self.moving), ())
            for total, samples, hollow in zip(totals, printed["samples"], (True, False), strict=False):
                draw_printed(ax, x, 1e6 * total / samples, COLOURS[method], hollow=hollow)
                every.append(1e6 * total / samples)
        ax.set_xlim(-0.5, len(METHODS) - 0.5)
        ax.set_xticks(range(len(METHODS)), METHODS)
        if min(every) > 0 and max(every) > 20 * min(every):
            ax.set_yscale("log")
        elif 2 * min(every) < max(every):
            ax.set_ylim(bottom=0)
        ax.set_ylabel("reward per million samples")


@dataclass(frozen=True)
class LengthPlate:
    """How long training episodes were, of all methods, as shares of all episodes of all seeds."""

    kind: Kind
    n: int
    moving: bool

    @property
    def title(self) -> str:
        """The game."""
        return RatePlate(self.kind, self.n, self.moving).title

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every method."""
        return RatePlate(self.kind, self.n, self.moving).cells

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Share of training episodes that lasted at most so long, of all seeds together; the rest was ended by T, "
            "the right end of the axis."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Cumulative shares as steps."""
        horizon = self.cells[0].env.horizon
        for method, of_method in zip(METHODS, runs, strict=True):
            counts = np.sum([run.arrays[LENGTHS] for run in of_method.values()], axis=0)
            shares = np.concatenate([[0.0], np.cumsum(counts) / max(counts.sum(), 1)])
            lengths = np.linspace(0, horizon, len(shares))
            ax.plot(lengths[:-1], shares[:-1], color=COLOURS[method], lw=1.5, label=method)
        ax.set(xlim=(0, horizon), xlabel="episode length (steps)", ylabel="share of episodes")
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False, loc="upper left")
