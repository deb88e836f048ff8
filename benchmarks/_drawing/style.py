"""How pictures look: a style for every method, the same in all figures of a paper, and what is set while drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from algorithms._copies import TRAINING_RETURN
from benchmarks import Figure, Line
from benchmarks._drawing.plates import BLUE, GREEN, GREY, ORANGE, PURPLE
from benchmarks._training.loop import TEST_RETURN

INK = "#262626"

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#e69f00", "#56b4e9", "#332288", "#661100", "#882255", "#999933")
"""Neighbours are of different lightness, too."""

DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.6)),
    (0, (1.2, 1.2)),
    (0, (6, 1.5, 1.2, 1.5)),
    (0, (3.5, 1.2, 1.2, 1.2, 1.2, 1.2)),
    (0, (9, 2)),
    (0, (2.2, 2.2)),
    (0, (4, 1, 1, 1)),
    (0, (1.2, 3)),
    (0, (9, 1.5, 3, 1.5)),
)
"""One for every colour, so that lines can be told apart in grey."""


class Style(NamedTuple):
    """How a method is drawn in all figures of a paper."""

    colour: str
    dashes: Any


OF_NOBODY: Mapping[str, Style] = {
    "Uniform": Style(GREY, (0, (1, 1.5))),
    "random walk": Style(GREY, (0, (1, 1.5))),
    "Script": Style("#222222", (0, (4, 2))),
}
"""Who does not learn is grey in every figure of every paper, and has no colour of its own."""

Method = tuple[str, str]
"""Name of a cell and, where a panel draws several metrics of it, the metric if it is not how well its main policy does:
("CTEDD", "test return L-3")."""


@dataclass(frozen=True)
class Palette:
    """A style for every method of a paper.

    An algorithm's main policy is the one that the paper's figures show most often; its training curve is drawn alike.
    Methods of several figures come first and share their colours with nobody; others take what their panels leave.
    """

    main: Mapping[str, str]
    several: frozenset[str]  # names of cells of which one panel draws several metrics
    styles: Mapping[Method, Style]

    @classmethod
    def of(cls, figure: Figure, kin: Sequence[Figure]) -> Palette:
        """The styles of a figure among all figures of its paper."""
        every = sorted({other.id: other for other in (*kin, figure)}.values(), key=lambda other: other.id)
        panels = [panel.lines for other in every for panel in other.panels]
        tests = Counter((_class(line), line.metric) for lines in panels for line in lines if _is_test(line))
        main = {name: metric for (name, metric), _ in reversed(tests.most_common())}
        several = _several(panels)
        sets = [{method(line, main, several) for line in lines} for lines in panels]
        homes = Counter(
            name
            for other in every
            for name in {method(line, main, several): 0 for panel in other.panels for line in panel.lines}
        )
        shared = {name for name, count in homes.items() if count > 1}
        index: dict[Method, int] = {}
        for name, _ in homes.most_common():  # stable: of equals, the first drawn
            if name[0] in OF_NOBODY:
                continue
            beside = shared.union(*(group for group in sets if name in group))
            taken = {index[other] for other in beside if other in index}
            free = (i for i in range(len(COLOURS)) if i not in taken)
            index[name] = next(free, len(index) % len(COLOURS))
        styles = {name: Style(COLOURS[i], DASHES[i]) for name, i in index.items()}
        return cls(main, several, styles | {name: OF_NOBODY[name[0]] for name in homes if name[0] in OF_NOBODY})

    def style(self, line: Line) -> Style:
        """How a line is drawn."""
        return self.styles[method(line, self.main, self.several)]


def method(line: Line, main: Mapping[str, str], several: Container[str]) -> Method:
    """What a line shows, whatever a panel calls it: where one cell plays several policies, "policy: metric" says whose
    it is."""
    policy, colon, _ = line.metric.partition(": ")
    if colon:
        return line.cell.name, policy
    like_the_main_one = line.metric in (TRAINING_RETURN, main.get(_class(line)))
    return line.cell.name, "" if like_the_main_one or line.cell.name not in several else line.metric


def _several(panels: Iterable[Sequence[Line]]) -> frozenset[str]:
    """The names of cells that stand in one panel with several metrics."""
    counted = (Counter(name for name, _ in {(line.cell.name, line.metric) for line in lines}) for lines in panels)
    return frozenset(name for names in counted for name, count in names.items() if count > 1)


def _is_test(line: Line) -> bool:
    return line.metric.startswith(TEST_RETURN)


def _class(line: Line) -> str:
    return type(line.cell.algorithm).__name__


def settings(figure: Figure) -> Any:  # a dictionary; matplotlib's type for its keys lists all their names
    """What is set while this figure is drawn or written, and only then."""
    import seaborn as sns  # noqa: PLC0415 - it takes a second, and what is drawn already needs it no more

    return {
        **sns.plotting_context("paper"),
        **sns.axes_style("ticks"),
        "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same glyphs everywhere
        "font.size": 8,
        "text.hinting": "none",  # the letters of an image are those of the SVG
        "text.color": INK,
        "axes.titlesize": 9,
        "axes.titley": 1.0,  # nothing is above the axes, so that no title need be moved
        "axes.labelsize": 8,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "axes.linewidth": 0.7,
        "axes.unicode_minus": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 7.5,
        "ytick.labelsize": 7.5,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "legend.fontsize": 8,
        "lines.solid_capstyle": "round",
        "figure.facecolor": "white",
        "path.simplify_threshold": 0.3,
        "svg.fonttype": "path",
        "svg.hashsalt": figure.id,
    }
