"""One seed's curves, and their numbers as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results import _history
from results._history import LARGEST, History, Session, whole


@dataclass(frozen=True, eq=False)
class Run:
    """One seed's curves: what its tests measured, after how many steps; and the arrays that the last of them has left.

    Arrays are what people look at (maps, codes, snapshots) and no claim is judged by.
    `history` is where the numbers come from, one entry a session of training: told, never compared.

    Shapes: steps and every metric [N]; arrays any.
    Units: steps are environment steps per seed; `units` says of each metric what is summed over what, and of each array
    what it is.
    Raises: ValueError where shapes, names or kinds do not fit.
    """

    key: str
    seed: int
    steps: NDArray[np.float64]
    metrics: Mapping[str, NDArray[np.float32]]  # NaN where the run diverged
    units: Mapping[str, str]
    history: History = ()
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)  # of the last test

    def __post_init__(self) -> None:
        if not whole(self.seed) or self.seed < 0:
            raise ValueError(f"a seed must be a whole number that is not negative, got {self.seed!r}")
        if self.steps.dtype != np.float64 or self.steps.ndim != 1 or not _rises(self.steps):
            raise ValueError(f"steps must be rising float64 numbers [N], got {self.steps!r}")
        if sorted([*self.metrics, *self.arrays]) != sorted(self.units):
            named = f"{sorted(self.metrics)}, {sorted(self.arrays)} and {sorted(self.units)}"
            raise ValueError(f"every metric and array needs its own name and unit, got {named}")
        if not all(isinstance(text, str) for pair in self.units.items() for text in pair):
            raise TypeError(f"names and units must be texts, got {self.units!r}")
        if not all(isinstance(session, Session) for session in self.history):
            raise TypeError(f"a history must consist of sessions, got {self.history!r}")
        for name, values in self.metrics.items():
            if values.dtype != np.float32 or values.shape != self.steps.shape:
                raise ValueError(f"metric {name} must be float32 {self.steps.shape}, got {values.dtype} {values.shape}")
        for name, array in self.arrays.items():
            if array.dtype.kind not in "biuf" or not self.steps.size:
                raise ValueError(f"array {name} must be of numbers and of a test, got {array.dtype} and {self.steps}")

    @property
    def n_steps(self) -> float:
        """When the last test was; 0 where there was none. Units: environment steps per seed."""
        return float(self.steps[-1]) if self.steps.size else 0.0

    def upto(self, n_steps: float) -> Run:
        """The first part of the curves: all tests until `n_steps`, that one included; arrays where it is the last."""
        n = int(np.searchsorted(self.steps, n_steps, side="right"))
        if n == self.steps.size:
            return self
        metrics = {name: values[:n] for name, values in self.metrics.items()}
        units = {name: unit for name, unit in self.units.items() if name in metrics}
        return replace(self, steps=self.steps[:n], metrics=metrics, units=units, arrays={})


def disagreement(stored: Run, other: Run) -> str | None:
    """Where two runs first differ, bit for bit, on the part that both have; None where one begins the other."""
    there, here = ({name: run.units[name] for name in sorted(run.metrics)} for run in (stored, other))
    if there != here:
        return f"metrics and their units are {there} there and {here} here"
    n = min(stored.steps.size, other.steps.size)
    curves: list[tuple[str, NDArray[Any], NDArray[Any]]] = [("steps", stored.steps, other.steps)]
    curves += [(name, stored.metrics[name], other.metrics[name]) for name in sorted(stored.metrics)]
    for name, theirs, ours in curves:
        differing = np.flatnonzero(_bits(theirs[:n]) != _bits(ours[:n]))
        if differing.size:
            first = differing[0]
            return f"{name} at step {stored.steps[first]:.0f} is {theirs[first]} there and {ours[first]} here"
    return _other_arrays(stored, other) if stored.steps.size == other.steps.size else None


def _other_arrays(stored: Run, other: Run) -> str | None:
    """Where the arrays of two runs that are as long as each other first differ."""
    there, here = (
        {name: (array.dtype.name, array.shape, run.units[name]) for name, array in sorted(run.arrays.items())}
        for run in (stored, other)
    )
    if there != here:
        return f"arrays are {there} there and {here} here"
    for name in there:
        theirs, ours = stored.arrays[name].ravel(), other.arrays[name].ravel()
        differing = np.flatnonzero(_bits(theirs) != _bits(ours))
        if differing.size:
            first = differing[0]
            return f"array {name} at {first} is {theirs[first]} there and {ours[first]} here"
    return None


def content(run: Run) -> dict[str, Any]:
    """A run as JSON values; its arrays are written elsewhere."""
    return {
        "key": run.key,
        "seed": run.seed,
        "units": dict(run.units),
        "history": _history.content(run.history),
        "steps": [int(step) if step.is_integer() else step for step in run.steps.tolist()],
        "metrics": {name: _shortest(values) for name, values in run.metrics.items()},
    }


def from_content(value: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Run:
    """The run that `content` wrote, bit for bit, with its arrays.

    Runs from before histories were kept tell of their last session only, as "provenance".

    Raises: KeyError, TypeError, ValueError or OverflowError where it is something else.
    """
    curves, units = value["metrics"], value["units"]
    if not (isinstance(curves, dict) and isinstance(units, dict)):
        raise TypeError(f"metrics and units must be by name, got {type(curves).__name__} and {type(units).__name__}")
    history = _history.from_content(value["history"] if "history" in value else value["provenance"])
    metrics = {name: _numbers(values).astype(np.float32) for name, values in curves.items()}
    return Run(value["key"], value["seed"], _numbers(value["steps"]), metrics, units, history, arrays)


def _rises(steps: NDArray[np.float64]) -> bool:
    return bool((steps >= 0).all() and (steps <= LARGEST).all() and (np.diff(steps) > 0).all())


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    """The bits of numbers, with one NaN for all: JSON keeps no more of it."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.array(np.nan, values.dtype), values)
    return values.view(f"u{values.dtype.itemsize}")


def _shortest(values: NDArray[np.float32]) -> list[float | str | None]:
    """float32 numbers as the shortest decimals that read back as they were: 0.1, not 0.10000000149011612."""
    short = values.astype(str).astype(np.float64)
    # Reading rounds twice, to float64 and then to float32; where that would miss, the long decimal is exact.
    exact = np.where(short.astype(np.float32) == values, short, values.astype(np.float64))
    return [_json(value) for value in exact.tolist()]


def _json(value: float) -> float | str | None:
    """JSON has neither NaN nor infinity."""
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _numbers(values: list[float | str | None]) -> NDArray[np.float64]:
    """What `_json` wrote of each.

    Raises: TypeError or ValueError where it is something else.
    """
    kinds = set(map(type, values)) if isinstance(values, list) else {type(values)}
    if kinds <= {int, float}:
        return np.array(values, dtype=np.float64)
    if not isinstance(values, list) or bool in kinds:
        raise TypeError(f"a curve must be a list of numbers, got {values!r}")
    if unreadable := [value for value in values if isinstance(value, str) and value not in ("inf", "-inf")]:
        raise ValueError(f"a curve must be a list of numbers, got {unreadable[0]!r} among them")
    return np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)
