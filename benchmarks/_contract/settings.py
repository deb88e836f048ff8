"""Every field of a dataclass of settings, given what it cannot be."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from environments._settings import counts


def assert_settings_are_checked(settings: Any) -> None:
    """Each field refuses a value of another kind and, where it has choices or is a number, what is none of them."""
    kind = type(settings).__name__
    for field in dataclasses.fields(settings):
        for value in impossible(settings, field.name):
            with pytest.raises(ValueError, match=rf"^{field.name} of {kind} must be [^\n]+, got [^\n]+$"):
                dataclasses.replace(settings, **{field.name: value})


def impossible(settings: Any, name: str) -> Iterator[Any]:
    """What a field cannot be, whatever is played or learnt."""
    hints = typing.get_type_hints(type(settings))
    (hint,) = [one for one in alternatives(hints[name]) if one is not type(None)]
    yield from (object(), [], "", "Misspelt", b"openai")
    if hint is not bool:
        yield from (True, False)
    if hint is bool:
        yield from (0, 1, "True")
    if hint is int:
        yield from (1.0, 2.5, -1, math.inf)
        if counts(name) and "n_obstacles" not in name:
            yield 0
    if hint is float:
        yield from (math.nan, math.inf, -math.inf, "0.1")
    if typing.get_origin(hint) is Literal:
        yield from (choice.swapcase() for choice in typing.get_args(hint) if choice.swapcase() != choice)
        yield from (f"{choice} " for choice in typing.get_args(hint))
    if hint not in (int, float, Any):
        yield 1


def alternatives(hint: Any) -> tuple[Any, ...]:
    """The kinds that a field may be of."""
    return typing.get_args(hint) if type(None) in typing.get_args(hint) else (hint,)
