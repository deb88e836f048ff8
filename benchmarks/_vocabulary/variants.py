"""What no paper asks for: a figure with settings of one's own, as a reading that is made on the spot.

    variant(figure, "MADDPG.learning_rate=0.02")     # its id is ctedd/fig5@MADDPG.learning_rate=0.02

Every cell in whose algorithm, game or transfer an object of that class stands is another cell, and so is what starts
from it. They are named like the id, so that nowhere they pass for the cells that they vary, and drawn beside those.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

from benchmarks._vocabulary.cells import Cell
from benchmarks._vocabulary.figures import Decision, Figure, Line, Panel, Plate
from benchmarks._vocabulary.readings import VARIES, Reading, mapped
from results import Run

ONE = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)=([^/\0]+)")
BETWEEN = re.compile(r",(?=[A-Za-z_]\w*\.[A-Za-z_]\w*=)")


class Setting(NamedTuple):
    """A field of a class, and what it is to be, as text."""

    owner: str
    field: str
    text: str

    @property
    def name(self) -> str:
        """As it stands in ids; a number is written in one way only, however it was given."""
        value = self.value
        return f"{self.owner}.{self.field}{VARIES}{value if isinstance(value, str) else repr(value).replace(' ', '')}"

    @property
    def value(self) -> Any:
        """A number, a truth value, None or a tuple of such; all else is text."""
        try:
            return ast.literal_eval(self.text)
        except (ValueError, SyntaxError):
            return self.text

    def of(self, part: Any) -> Any:
        """A part of a cell's settings, changed where it is of the class.

        Raises: ValueError where it has no such field, or that cannot have this value.
        """
        if type(part).__name__ != self.owner or not is_dataclass(part) or isinstance(part, type):
            return part
        names = [item.name for item in fields(part) if item.init]
        if self.field not in names:
            raise ValueError(f"{self.owner} must have the field that is set, got {self.field!r} of {', '.join(names)}")
        value = self._like(getattr(part, self.field))
        try:
            return replace(part, **{self.field: value})
        except TypeError as error:
            raise ValueError(f"{self.field} of {self.owner} cannot be {value!r}: {error}") from error

    def _like(self, current: Any) -> Any:
        """The value, where it is of the kind of the current one."""
        value = self.value
        if type(current) is float and type(value) is int:
            return float(value)
        if current is not None and value is not None and type(value) is not type(current):
            raise ValueError(
                f"{self.field} of {self.owner} must be like {current!r}, which it is by default, got {self.text!r}"
            )
        return value


def settings(text: str) -> tuple[Setting, ...]:
    """`Class.field=value`, or several with commas between them.

    Raises: ValueError where it is something else, or sets a field twice.
    """
    found = []
    for one in BETWEEN.split(text):
        match = ONE.fullmatch(one.strip())
        if match is None:
            raise ValueError(f"a setting must be Class.field=value, such as MADDPG.learning_rate=0.02, got {one!r}")
        found.append(Setting(match[1], match[2], match[3].strip()))
    if len({(one.owner, one.field) for one in found}) < len(found):
        raise ValueError(f"every field must be set once, got {text!r}")
    return tuple(found)


def owners(figure: Figure) -> tuple[str, ...]:
    """The classes whose fields can be set, by name."""
    seen: set[str] = set()

    def note(part: Any) -> Any:
        if is_dataclass(part):
            seen.add(type(part).__name__)
        return part

    for cell in figure.cells:
        _changed(cell, note)
    return tuple(sorted(seen))


def concerns(figure: Figure, asked: Sequence[Setting]) -> bool:
    """Whether every class that is set stands in a figure."""
    return {one.owner for one in asked} <= {*owners(figure)}


def variant(figure: Figure, text: str) -> Figure:
    """The figure with settings of one's own, its curves beside those that they vary.

    Raises: ValueError where a class, a field or a value does not exist, or every cell has them already.
    """
    asked = settings(text)
    unknown = next((one.owner for one in asked if one.owner not in owners(figure)), None)
    if unknown is not None:
        known = ", ".join(owners(figure))
        raise ValueError(f"{figure.id} must have the class that is set, got {unknown}; there are {known}")
    name = ",".join(one.name for one in asked)

    def under(cell: Cell) -> Cell:
        new = cell
        for one in asked:
            new = _changed(new, one.of)
        varied = new.key != cell.key or any("@" in teacher.name for teacher, _ in cell.teachers)
        return replace(new, name=f"{cell.name}@{name}") if varied else cell

    reading = Reading(name, f"{name}.", "Asked for by whoever runs it.", under, most="paper")
    question = Decision("What would other settings do?", "Not tried.", "No paper asks for them.", readings=(reading,))
    varied = replace(figure, decisions=(*figure.decisions, question)).under(name)
    pairs = zip(figure.panels, varied.panels, strict=True)
    return replace(
        varied,
        title=f"{figure.title}, with {name}",
        panels=tuple(_beside(own, other, name) for own, other in pairs),
        plates=tuple(Marked(plate, name) for plate in varied.plates),
    )


def _changed(cell: Cell, change: Any) -> Cell:
    """A cell with the parts of its settings changed; how it is tested and measured stays."""
    start = cell.start and replace(cell.start, transfer=mapped(cell.start.transfer, change))
    return replace(cell, algorithm=mapped(cell.algorithm, change), env=mapped(cell.env, change), start=start)


def _beside(own: Panel, other: Panel, name: str) -> Panel:
    """A panel with the lines of both, those that differ under another name."""
    pairs = zip(own.lines, other.lines, strict=True)
    varied: tuple[Line, ...] = tuple(
        replace(new, label=f"{new.label}, {name}") for old, new in pairs if new.cell.key != old.cell.key
    )
    return replace(own, lines=(*own.lines, *varied))


@dataclass(frozen=True)
class Marked:
    """A plate whose title says what was varied."""

    plate: Plate
    name: str

    @property
    def title(self) -> str:
        """What stands above it."""
        return f"{self.plate.title}, {self.name}"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What it shows."""
        return self.plate.cells

    @property
    def words(self) -> str:
        """How it is to be read."""
        return self.plate.words

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Draws it."""
        self.plate.draw(ax, runs)
