"""Settings that cannot be misspelt: what a dataclass's annotations say of its fields, and that it holds.

    @dataclass(frozen=True)
    class Game:
        n_agents: int = 3                                  # a number of things, at least 1, for its name begins so
        message_size: Whole = 0                            # a whole number of at least 0
        integrator: Literal["openai", "mpe2"] = "openai"
        arena: Positive = 1.0

        def __post_init__(self) -> None:
            check(self)

    Game(n_agents=0)      # ValueError: n_agents of Game must be a whole number of at least 1, got 0

Settings are stored as JSON, so that a number is a Python number: neither a truth value nor a NumPy scalar.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple


class Within(NamedTuple):
    """The numbers that a setting may be, both ends among them, or without the lower one."""

    low: float = -math.inf
    high: float = math.inf
    without_low: bool = False

    def holds(self, value: float) -> bool:
        """Whether the number is one of them."""
        return (self.low < value if self.without_low else self.low <= value) and value <= self.high

    @property
    def words(self) -> str:
        """As the end of a sentence: " of at least 1"."""
        if self.high < math.inf:
            return f" in {'(' if self.without_low else '['}{self.low:g}, {self.high:g}]"
        if self.low == -math.inf:
            return ""
        return f" above {self.low:g}" if self.without_low else f" of at least {self.low:g}"


class Offers(NamedTuple):
    """What a setting that is an object must be able to do: the names of its methods."""

    names: tuple[str, ...]


Count = Annotated[int, Within(1)]
Whole = Annotated[int, Within(0)]
Amount = Annotated[float, Within(0)]
Positive = Annotated[float, Within(0, without_low=True)]
Share = Annotated[float, Within(0, 1)]


def check(settings: Any) -> None:
    """Nothing, if every field is what its annotation says.

    Raises: ValueError where a field is not: a text that is no choice, a number of another kind or out of its range.
    """
    own: Any = type(settings)
    for name, kind in _kinds(own):
        value = getattr(settings, name)
        if not kind.holds(value):
            raise ValueError(f"{name} of {type(settings).__name__} must be {kind.words}, got {value!r}")


class Kind(NamedTuple):
    """What a setting may be, and that in words."""

    holds: Callable[[Any], bool]
    words: str


@functools.cache
def _kinds(settings: Any) -> tuple[tuple[str, Kind], ...]:
    """Of every field of a dataclass; a bare `int` that counts, by its name `n_…` or `horizon`, is a `Count`."""
    hints = typing.get_type_hints(settings, include_extras=True)
    counting = {int: Count, int | None: Count | None}
    return tuple(
        (name, _kind(counting.get(hints[name], hints[name]) if counts(name) else hints[name]))
        for name in (field.name for field in dataclasses.fields(settings))
    )


def counts(name: str) -> bool:
    """Whether a field of this name is a number of things or of steps."""
    return name.startswith("n_") or name == "horizon"


def _kind(hint: Any) -> Kind:
    special = {
        Annotated: _ruled,
        Literal: _chosen,
        typing.Union: _either,
        types.UnionType: _either,
        tuple: _listed,
    }
    return special.get(typing.get_origin(hint), _plain)(hint)


def _ruled(hint: Any) -> Kind:
    bare, *rules = typing.get_args(hint)
    kind = _kind(bare)
    for rule in rules:
        kind = _offering(rule) if isinstance(rule, Offers) else _narrowed(kind, rule)
    return kind


def _narrowed(kind: Kind, rule: Within) -> Kind:
    return Kind(lambda value: kind.holds(value) and rule.holds(value), kind.words + rule.words)


def _offering(rule: Offers) -> Kind:
    def holds(value: Any) -> bool:
        return not isinstance(value, type) and all(callable(getattr(value, name, None)) for name in rule.names)

    return Kind(holds, f"an object that can {', '.join(rule.names)}")


def _chosen(hint: Any) -> Kind:
    choices = typing.get_args(hint)
    *others, last = map(repr, choices)
    words = f"{', '.join(others)} or {last}" if others else last
    return Kind(lambda value: type(value) is str and value in choices, words)


def _either(hint: Any) -> Kind:
    kinds = [_kind(one) for one in typing.get_args(hint)]
    return Kind(lambda value: any(kind.holds(value) for kind in kinds), " or ".join(kind.words for kind in kinds))


def _listed(hint: Any) -> Kind:
    *first, last = typing.get_args(hint)
    if last is ...:
        (item,) = map(_kind, first)
        words = f"a tuple in which each is {item.words}"
        return Kind(lambda value: isinstance(value, tuple) and all(map(item.holds, value)), words)
    kinds = [*map(_kind, first), _kind(last)]

    def holds(value: Any) -> bool:
        return (
            isinstance(value, tuple)
            and len(value) == len(kinds)
            and all(kind.holds(item) for kind, item in zip(kinds, value, strict=True))
        )

    return Kind(holds, f"a tuple of {', '.join(kind.words for kind in kinds)}")


def _plain(hint: Any) -> Kind:
    if hint is float:  # a whole number is one, too
        return Kind(lambda value: type(value) in (float, int) and math.isfinite(value), "a finite number")
    if hint is Any:
        return Kind(lambda _: True, "anything")
    exact = {int: "a whole number", bool: "True or False", str: "a text", types.NoneType: "None"}
    if hint in exact:
        return Kind(lambda value: type(value) is hint, exact[hint])
    return Kind(lambda value: isinstance(value, hint), f"a {hint.__name__}")
