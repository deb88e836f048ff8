"""What is shown: papers, their figures and tables, and where we depart from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, Literal, Protocol

from benchmarks._vocabulary.cells import PROFILES, Budget, Cell, lineage
from benchmarks._vocabulary.claims import Claim, Score, scores_of
from benchmarks._vocabulary.readings import VARIES, Reading, mapped
from results import Run


@dataclass(frozen=True)
class Paper:
    """A publication that is re-implemented here."""

    name: str
    title: str
    authors: str
    venue: str
    summary: str


@dataclass(frozen=True)
class Line:
    """One curve of a panel: which metric of which cell, under the paper's name for it.

    `share` is how much of the cell's steps the panel counts, where a paper may have counted less than all. Of a running
    `total` the last value is where it ends, of any other curve a mean of its last tests.
    """

    label: str
    cell: Cell
    metric: str
    share: float = 1.0
    total: bool = False


@dataclass(frozen=True)
class Level:
    """A line across a panel, such as how far one gets without learning, or a number that the paper prints.

    `value` is fixed, or a score, which is drawn as its mean over seeds with a 95 % interval. Units: those of the panel.
    What the paper prints itself is marked as `printed`.
    """

    label: str
    value: float | Score
    printed: bool = False


@dataclass(frozen=True)
class Panel:
    """One set of axes. `against` is what steps are counted in: whole episodes, or what one step of the cells is.

    Where it counts a share of some lines' steps, it goes as far as the furthest of those.
    """

    title: str
    lines: tuple[Line, ...]
    ylabel: str
    against: Literal["learning episodes", "iterations", "samples"] = "learning episodes"
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Band:
    """What a paper shades around a mean: some standard deviations to both sides, or from the lowest to the highest.

    `smooth` is over how many tests its curves are averaged.
    """

    deviations: float | None  # None: the range
    smooth: int = 1

    @property
    def words(self) -> str:
        """What is shaded."""
        shade = "from the lowest to the highest seed"
        if self.deviations is not None:
            share = {0.5: "half a standard deviation", 1.0: "one standard deviation"}
            shade = f"mean ± {share.get(self.deviations, f'{self.deviations:g} standard deviations')} over seeds"
        return shade if self.smooth == 1 else f"{shade}; moving averages of {self.smooth} tests"


class Plate(Protocol):
    """One set of axes that shows something else than curves. Implementations are frozen dataclasses of one figure."""

    @property
    def title(self) -> str:
        """What stands above it."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What it shows."""

    @property
    def words(self) -> str:
        """How it is to be read."""

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Draws on a `matplotlib.axes.Axes`, from the runs of every cell, at least one each."""


@dataclass(frozen=True)
class Decision:
    """Something that the paper leaves open or that we do otherwise: what, which way, why.

    `readings` are other answers that the text allows and that are run as well.
    """

    question: str
    choice: str
    reason: str
    departs: bool = False
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Logged:
    """A number from logs of the paper's authors, which is not a published one, beside the score that measures it here.

    Units: `value` and `deviation`, over the episodes that it is the mean of, are those of the score.
    """

    panel: str
    curve: str
    value: float
    deviation: float
    score: Score
    source: str


@dataclass(frozen=True)
class Figure:
    """A figure or table of a paper, with all that it takes to draw and to judge it: panels of curves, or plates.

    `reading` names the reading that it is shown under, empty for our own choice of everything.

    Raises: ValueError where it has both or none, or two readings of one name, or a profile does not end a cell exactly
    where others start from it, or gives it fewer seeds.
    """

    paper: Paper
    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    claims: tuple[Claim, ...]
    budgets: Mapping[str, Mapping[str, Budget]]  # profile, environment or one cell: "CN-V1" or "MADDPG on CN-V1"
    decisions: tuple[Decision, ...] = ()
    family: str = "figures"
    plates: tuple[Plate, ...] = ()
    printed_band: Band | None = None  # where the paper shades something else than a 95 % interval
    pictured: str = ""  # what the paper's own picture shows, as far as its text says it
    published: tuple[str, ...] = field(default=())
    logged: tuple[Logged, ...] = field(default=())
    about_logs: str = ""
    reading: str = ""

    def __post_init__(self) -> None:
        if bool(self.panels) == bool(self.plates):
            kinds = f"{len(self.panels)} panels and {len(self.plates)} plates"
            raise ValueError(f"{self.id} must have panels of curves or else plates, got {kinds}")
        names = [reading.name for decision in self.decisions for reading in decision.readings]
        if len({*names}) < len(names):
            raise ValueError(f"{self.id} must give every reading a name of its own, got {', '.join(sorted(names))}")
        pairs = [(cell, teacher, steps) for cell in self.cells for teacher, steps in cell.teachers]
        for profile, (cell, teacher, steps) in product(self.budgets, pairs):
            asked = self._asked(profile, teacher) or Budget(0, 0)
            n_seeds = self.budget(profile, cell).n_seeds
            if asked.n_steps != steps or asked.n_seeds < n_seeds:
                raise ValueError(
                    f"{self.id}: {cell.name} starts from {teacher.name} on {teacher.environment} after {steps} steps, "
                    f"so profile {profile} must give that cell as many, and at least {n_seeds} seeds, got {asked}"
                )

    @property
    def id(self) -> str:
        """`ctedd/fig5`, and `ctedd/fig5@distance` under a reading."""
        return f"{self.paper.name}/{self.name}" + (f"@{self.reading}" if self.reading else "")

    @property
    def is_variant(self) -> bool:
        """Whether it has settings that somebody asked for, and no paper."""
        return VARIES in self.reading

    @property
    def readings(self) -> dict[str, tuple[Decision, Reading]]:
        """Every reading by its name, with the decision that it answers otherwise."""
        return {reading.name: (decision, reading) for decision in self.decisions for reading in decision.readings}

    def under(self, name: str) -> Figure:
        """The same figure with the cells of a reading, and its claims with ids of their own.

        Raises: KeyError where it has no such reading; ValueError where the reading changes none of its cells.
        """
        return self.once(name, lambda: self._under(name))

    def once(self, what: Any, make: Callable[[], Figure]) -> Figure:
        """What is made of this figure, made the first time that it is asked for."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]

    @cached_property
    def _made(self) -> dict[Any, Figure]:
        return {}

    def _under(self, name: str) -> Figure:
        _, reading = self.readings[name]
        others = {cell.key: read for cell in self.cells if (read := reading.of(cell)).key != cell.key}
        if not others:
            raise ValueError(f"{self.id}: reading {name} must change a cell, but leaves each of {len(self.cells)}")

        def changed(part: Any) -> Any:
            if isinstance(part, Claim):
                return replace(part, id=f"{part.id}@{name}")
            if isinstance(part, str):
                return reading.renamed.get(part, part)
            return others.get(part.key, part) if isinstance(part, Cell) else part

        panels, claims, plates, logged = mapped((self.panels, self.claims, self.plates, self.logged), changed)
        return replace(self, panels=panels, claims=claims, plates=plates, logged=logged, reading=name)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell that a panel or a claim needs, each once, in order of first use; what it starts from before it."""
        scores = [score for claim in self.claims for row in claim.rows for score in scores_of(row)]
        levels = [level.value.cell for panel in self.panels for level in panel.levels if isinstance(level.value, Score)]
        used = [*self.drawn, *levels, *(score.cell for score in scores)]
        return tuple({cell.key: cell for last in used for cell in lineage(last)}.values())

    @property
    def drawn(self) -> tuple[Cell, ...]:
        """The cell of every line, or all cells of every plate."""
        lines = [line.cell for panel in self.panels for line in panel.lines]
        return (*lines, *(cell for plate in self.plates for cell in plate.cells))

    @property
    def step(self) -> str:
        """What one step of its cells is, in the plural."""
        counted = {panel.against for panel in self.panels} - {"learning episodes"}
        return " or ".join(sorted(counted)) or "environment steps"

    def budget(self, profile: str, cell: Cell) -> Budget:
        """What a profile asks of a cell of this figure; under a reading no more than its largest profile does.

        Raises: KeyError where it asks nothing.
        """
        return self.in_full(self.effective(profile), cell)

    def effective(self, profile: str) -> str:
        """The profile whose budgets count where one is asked for: under a reading its largest at most."""
        return min(profile, self.readings[self.reading][1].most, key=PROFILES.index) if self.reading else profile

    def in_full(self, profile: str, cell: Cell) -> Budget:
        """What a profile asks of a cell under our own choice of everything.

        Raises: KeyError where it asks nothing.
        """
        budget = self._asked(profile, cell)
        if budget is None:
            raise KeyError(f"{self.id}: profile {profile} has no budget for {cell.name} on {cell.environment}")
        return budget

    def _asked(self, profile: str, cell: Cell) -> Budget | None:
        """The cell's own budget, or that of all cells in its environment; a variant has that of what it varies."""
        sizes, name = self.budgets[profile], cell.name.partition("@")[0]
        return sizes.get(f"{name} on {cell.environment}", sizes.get(cell.environment))
