"""Of what a test of the contract is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

Cases = Mapping[str, Mapping[str, Any]]
"""Things by their names, of each kind."""
MARKER = "every(argument, kind): the test is asked of every thing of a kind"


def every(argument: str, kind: str) -> pytest.MarkDecorator:
    """Marks a test that is asked of every thing of a kind, which comes as that argument."""
    return pytest.mark.every(argument, kind)


def parametrize(metafunc: pytest.Metafunc, cases: Cases) -> None:
    """Gives a test its cases; without any it is skipped."""
    for mark in metafunc.definition.iter_markers("every"):
        argument, kind = mark.args
        metafunc.parametrize(argument, list(cases[kind].values()), ids=list(cases[kind]))


def named(things: Iterable[Any], name: Any) -> dict[str, Any]:
    """Things by what they are called, those of one name numbered."""
    found: dict[str, Any] = {}
    for thing in things:
        called = name(thing)
        again = sum(known == called or known.startswith(f"{called}-again-") for known in found)
        found[f"{called}-again-{again}" if again else called] = thing
    return found
