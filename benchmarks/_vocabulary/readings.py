"""What a text allows beside our choice: a reading is run and judged as the choice is, and shown beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from typing import Any

from benchmarks._vocabulary.cells import Cell

ALL = "all"
"""Our own choice of everything, and every reading."""
VARIES = "="
"""Stands in the name of a variant, a reading that no paper asks for: `MADDPG.learning_rate=0.02`."""


@dataclass(frozen=True)
class Reading:
    """Another answer to a question that the paper leaves open, under which a figure has other cells.

        Reading("kept", "an episode", reason, under=lambda cell: replace(cell, algorithm=kept(cell.algorithm)))

    `under` maps a cell to the one that this reading asks for, or to itself where the reading does not concern it. What
    a cell starts from has been mapped before. `renamed` says which metrics stand for which, where one cell has measured
    both our choice and the other. `name` stands in ids: `mace/table1@kept`. `most` is the largest profile
    whose budget a reading is given.

    Raises: ValueError where the name cannot stand in an id.
    """

    name: str
    choice: str
    reason: str
    under: Callable[[Cell], Cell]
    most: str = "quick"
    renamed: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not (self.name.replace("-", "").isalnum() or VARIES in self.name) or self.name == ALL:
            raise ValueError(f"a reading's name must be letters, digits and hyphens, and not {ALL}, got {self.name!r}")

    def of(self, cell: Cell) -> Cell:
        """A cell under this reading, and all that it starts from."""
        if cell.start is None:
            return self.under(cell)
        teachers = tuple((self.of(teacher), steps) for teacher, steps in cell.teachers)
        return self.under(replace(cell, start=replace(cell.start, teachers=teachers)))


def mapped(thing: Any, change: Callable[[Any], Any]) -> Any:
    """A specification with all its parts changed, the innermost first; a cell is one part, whatever it is made of.

    What has no changed part is the same object, and a part that stands in several places is changed once.
    """
    return _mapped(thing, change, {})


def _mapped(thing: Any, change: Callable[[Any], Any], known: dict[int, Any]) -> Any:
    """The same, with what has been found by the identity of the part, which lives as long as the whole does."""
    kind: Any = type(thing)
    if kind is str or kind is float or kind is int:
        return change(thing)
    if id(thing) in known:
        return known[id(thing)]
    found: Any
    if names := parts_of(kind):
        moved = {}
        for name in names:
            old = getattr(thing, name)
            new = _mapped(old, change, known)
            if new is not old and new != old:
                moved[name] = new
        found = change(replace(thing, **moved) if moved else thing)
    elif isinstance(thing, tuple):
        parts = tuple([_mapped(part, change, known) for part in thing])
        found = thing if all(part is old for part, old in zip(parts, thing, strict=True)) else parts
    elif isinstance(thing, Mapping):
        items = {name: _mapped(part, change, known) for name, part in thing.items()}
        found = thing if all(part is thing[name] for name, part in items.items()) else items
    else:
        found = change(thing)
    known[id(thing)] = found
    return found


@cache
def parts_of(kind: Any) -> tuple[str, ...]:
    """The names of the fields of a dataclass; none of what is one part."""
    whole = kind is Cell or not is_dataclass(kind)
    return () if whole else tuple(item.name for item in fields(kind))
