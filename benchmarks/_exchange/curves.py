"""Curves of other people's runs: what every seed measured, after how many steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import Floats


class Track(NamedTuple):
    """One seed's curve. Shapes: steps and values [N], steps rising. A value that is not finite has diverged."""

    steps: Floats
    values: Floats


@dataclass(frozen=True)
class Curves:
    """Runs of one method in one game, each by the name of its seed.

    `metric` is what they call it, `notes` what is to be known of the format they were in.
    """

    source: str
    metric: str
    tracks: Mapping[str, Track]
    notes: tuple[str, ...] = ()

    def converted(self, factor: float = 1.0, shift: float = 0.0, stride: float = 1.0) -> Curves:
        """The same in another unit: factor · value + shift, after stride · step."""
        tracks = {
            name: Track(stride * track.steps, factor * track.values + shift) for name, track in self.tracks.items()
        }
        return replace(self, tracks=tracks)


class Columns(NamedTuple):
    """How the columns of a long table are called, and which of its rows are meant."""

    seed: str = "seed"
    steps: str = "steps"
    value: str = "value"
    where: Mapping[str, str] = {}


def columns(named: str | None, where: Iterable[str]) -> Columns:
    """Columns from texts such as "seed=run,value=return", and rows from such as ["line=MADDPG-3"].

    Raises: ValueError where a text is something else.
    """
    pairs = dict(pair(text) for text in (named or "").split(",") if text)
    if wrong := set(pairs) - {"seed", "steps", "value"}:
        raise ValueError(f"--columns must name seed, steps or value, got {', '.join(sorted(wrong))}")
    return Columns(**pairs, where=dict(pair(text) for text in where))


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE in its two parts.

    Raises: ValueError where it has none.
    """
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"this must be NAME=VALUE, got {text!r}")
    return name.strip(), value.strip()


def gathered(source: Path | str, metric: str, points: Iterable[tuple[str, Any, Any]], *notes: str) -> Curves:
    """Curves from (seed, steps, value), in whatever order; an empty value, None or NaN is one that has diverged.

    Raises: ValueError where a step or a value is no number, a seed has two values at a step, or there is none at all.
    """
    found: dict[str, dict[float, float]] = {}
    for seed, step, value in points:
        at, measured = number(source, "steps", step), number(source, "value", value)
        if not (np.isfinite(at) and at >= 0):
            raise ValueError(f"{source}: steps must be numbers of at least 0, got {step!r} of seed {seed}")
        of_seed = found.setdefault(seed, {})
        if at in of_seed:
            raise ValueError(
                f"{source}: a seed has one value after a number of steps, but seed {seed} has two after {at:g}; "
                "--where NAME=VALUE chooses among methods, games or metrics in one file"
            )
        of_seed[at] = measured
    if not found:
        raise ValueError(f"{source} must hold a curve, found no value of {metric!r}")
    return Curves(str(source), metric, {seed: _track(found[seed]) for seed in sorted(found, key=_order)}, notes)


def number(source: Path | str, what: str, value: Any) -> float:
    """A number as a file has it; empty and None are NaN.

    Raises: ValueError where it is none.
    """
    if value is None or value == "":
        return float("nan")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{source}: {what} must be a number, got {value!r}") from None


def _track(values: Mapping[float, float]) -> Track:
    steps = np.array(sorted(values), float)
    return Track(steps, np.array([values[step] for step in steps.tolist()], float))


def _order(seed: str) -> tuple[int, str]:
    """Numbers by size, before names."""
    return (int(seed), "") if seed.isdigit() else (1 << 62, seed)
