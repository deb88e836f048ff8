"""Simulated error rates that are kept, so that a report takes seconds: by a digest of all that they depend on."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import Exceeds, Gap, Multiple, Oftener, Rule, Seldom, Shorter
from benchmarks._judging.characteristics import (
    SHAPES,
    Characteristic,
    Errors,
    Likeness,
    Sketch,
    characteristics,
    errors,
)
from results._sealed import read, write

VERSION = 4  # raised with every change of the rules or of the simulation


class Simulated(NamedTuple):
    """Of a paper's sentences: how often each comes to each outcome, and how often the family as a whole errs."""

    claims: dict[str, tuple[Characteristic, ...]]
    errors: tuple[Errors, ...]


def of_family(path: Path, family: tuple[Sketch, ...]) -> Simulated:
    """What is kept of a family, or else its claims simulated now; the family's errors take longer and are only kept.

    Of a paper of which nothing has been run nothing can be simulated.
    """
    kept = (read(path) or {}).get(digest(family))
    return _now(family) if kept is None else _read(kept)


@functools.cache
def _now(family: tuple[Sketch, ...]) -> Simulated:
    return Simulated(characteristics(family) if family else {}, ())


def keep(path: Path, families: dict[str, tuple[Sketch, ...]]) -> dict[str, Simulated]:
    """Simulates what is not kept yet of each paper, and writes all of it at once; what is of earlier states goes."""
    kept = read(path) or {}
    found = {
        name: _read(kept[digest(family)]) if digest(family) in kept else _whole(family)
        for name, family in families.items()
        if family
    }
    write(path, {digest(families[name]): _written(name, of) for name, of in found.items()})
    return found


def _whole(family: tuple[Sketch, ...]) -> Simulated:
    wrong = tuple(found for shape in SHAPES for found in errors(family, shape))
    return Simulated(characteristics(family), wrong)


def _written(name: str, of: Simulated) -> dict[str, Any]:
    return {
        "paper": name,
        "claims": {claim: [list(line) for line in lines] for claim, lines in of.claims.items()},
        "errors": [list(line) for line in of.errors],
    }


def _read(content: dict[str, Any]) -> Simulated:
    claims = {claim: tuple(Characteristic(*line) for line in lines) for claim, lines in content["claims"].items()}
    return Simulated(claims, tuple(Errors(*line) for line in content["errors"]))


def digest(family: Sequence[Sketch]) -> str:
    """Of all that a simulation depends on, numbers to three digits."""
    told = [[claim.id, claim.holds, [_likeness(row) for row in claim.rows]] for claim in family]
    return hashlib.sha256(json.dumps([VERSION, told]).encode()).hexdigest()[:16]


def _likeness(row: Likeness) -> list[Any]:
    numbers = [f"{value:.3g}" for value in (row.delta, row.correlation, row.censored)]
    group = [row.group] if row.group else []
    return [_kind(row.rule), row.role, row.paired, *numbers, *group]


def _kind(rule: Rule) -> str:
    if isinstance(rule, Exceeds):
        return f"Exceeds {isinstance(rule.delta, Gap)}"
    if isinstance(rule, Oftener | Seldom):
        return f"{type(rule).__name__} {rule.delta.value if isinstance(rule, Oftener) else rule.share:g}"
    return f"{type(rule).__name__} {rule.ratio}" if isinstance(rule, Shorter | Multiple) else type(rule).__name__
