"""What of MACE's paper is no curve: Table 1 and the lengths of episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from algorithms.untrained import NAMES, of
from benchmarks import Cell
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, draw_printed, draw_seeds
from benchmarks.mace import CUMULATIVE, LENGTHS, METHODS, Game, cell, method, untrained
from results import Run, published

COLOURS = {"MACE": BLUE, "Shared": ORANGE, "Cloned": GREEN, "random walk": GREY}


@dataclass(frozen=True)
class Bar:
    """What one method has been paid."""

    label: str
    cell: Cell
    metric: str
    printed_as: str = ""

    @property
    def colour(self) -> str:
        """That of the method."""
        return next(colour for name, colour in COLOURS.items() if self.label.startswith(name))


def trained_bars(one: Game) -> tuple[Bar, ...]:
    """Every method while it trains."""
    return tuple(Bar(name, cell(name, *one), CUMULATIVE, name) for name in METHODS)


def untrained_bars(one: Game, printed: bool = False) -> tuple[Bar, ...]:
    """Every policy as it begins."""
    return tuple(
        Bar(f"{name},\nuntrained", untrained(*one), of(name, CUMULATIVE), method(name) if printed else "")
        for name in NAMES
    )


def named(one: Game) -> str:
    """A game in words."""
    kind, n, moving = one
    return f"{kind.capitalize()}-Hunters, {n}v{n}, {'moving' if moving else 'frozen'}"


@dataclass(frozen=True)
class RatePlate:
    """A column of Table 1: what everybody is paid per million samples, beside what the paper prints."""

    title: str
    where: str
    bars: tuple[Bar, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """One for every bar."""
        return tuple(bar.cell for bar in self.bars)

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
        for x, (bar, of_bar) in enumerate(zip(self.bars, runs, strict=True)):
            rates = np.array([1e6 * run.metrics[bar.metric][-1] / run.n_steps for run in of_bar.values()])
            every += rates.tolist()
            draw_seeds(ax, x, rates, bar.colour)
            totals = printed["totals"].get(bar.printed_as, {}).get(self.where, ())
            for total, samples, hollow in zip(totals, printed["samples"], (True, False), strict=False):
                draw_printed(ax, x, 1e6 * total / samples, bar.colour, hollow=hollow)
                every.append(1e6 * total / samples)
        ax.set_xlim(-0.5, len(self.bars) - 0.5)
        ax.set_xticks(range(len(self.bars)), [bar.label for bar in self.bars], rotation=60, ha="right", fontsize=6.5)
        if min(every) > 0 and max(every) > 20 * min(every):
            ax.set_yscale("log")
        elif 2 * min(every) < max(every):
            ax.set_ylim(bottom=0)
        ax.set_ylabel("reward per million samples")


@dataclass(frozen=True)
class LengthPlate:
    """How long training episodes were, of all methods, as shares of all episodes of all seeds."""

    title: str
    cells: tuple[Cell, ...]

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
        for one, of_method in zip(self.cells, runs, strict=True):
            counts = np.sum([run.arrays[LENGTHS] for run in of_method.values()], axis=0)
            shares = np.concatenate([[0.0], np.cumsum(counts) / max(counts.sum(), 1)])
            lengths = np.linspace(0, horizon, len(shares))
            ax.plot(lengths[:-1], shares[:-1], color=COLOURS[one.name], lw=1.5, label=one.name)
        ax.set(xlim=(0, horizon), xlabel="episode length (steps)", ylabel="share of episodes")
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False, loc="upper left")
