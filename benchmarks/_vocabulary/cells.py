"""What is run: cells, what they begin from, what a test looks at, and how much of it a profile asks."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from torch import Tensor

PROFILES = ("smoke", "quick", "paper")
OURS = ("algorithms", "environments", "benchmarks")  # packages with code that runs depend on


@dataclass(frozen=True)
class Budget:
    """How much of the paper's protocol a profile runs. Not part of a cell's key: a larger budget extends a smaller one.

    Units: `n_steps` are environment steps per seed, over all copies.
    """

    n_seeds: int
    n_steps: int


@dataclass(frozen=True)
class Evaluation:
    """Tests of the greedy policies, on fresh episodes that training never sees.

    Units: `every` in environment steps per seed; `n_episodes` per test and seed, 0 where only what training itself
    measures is recorded. The score of an episode is the sum over its steps and over all agents of the reward.
    """

    every: int
    n_episodes: int


class Measured(NamedTuple):
    """What a measure has found. Shapes: every metric [S], every array [S, ...]."""

    metrics: Mapping[str, Tensor]
    arrays: Mapping[str, Tensor]


class Measure(Protocol):
    """What a test looks at beside the return; it changes nothing. Implementations are frozen dataclasses."""

    version: ClassVar[int]
    """Raised when, and only when, the same call returns other numbers: it is part of the cell's key."""

    @property
    def metrics(self) -> Mapping[str, str]:
        """Further curves: their names, and their units in words."""

    arrays: ClassVar[Mapping[str, str]]
    """What is only looked at (maps, codes, snapshots): names, and what they are in words. The last test's are kept."""

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Any) -> Measured:
        """All that is announced, without gradients. A seed draws from its own stream and depends on no other."""


@dataclass(frozen=True)
class Start:
    """Where a cell begins: the learners of other cells, each as it stood after so many steps, and what is made of them.

    `transfer` is a frozen dataclass with a `version`, called as `transfer(algorithm, env, learner, teachers)`. The
    learner, a fresh state of the algorithm in the environment, is changed in place, with draws from its own streams;
    `teachers` holds one `(env, state)` a teacher, in order. Seed s of the cell starts from seed s of every teacher.

    Units: environment steps per seed, at the end of an iteration of the teacher's.
    """

    teachers: tuple[tuple[Cell, int], ...]
    transfer: Any

    @property
    def settings(self) -> dict[str, Any]:
        """All that the beginning depends on, in full, as JSON values."""
        teachers = [{"settings": teacher.settings, "steps": steps} for teacher, steps in self.teachers]
        return {"transfer": described(self.transfer), "teachers": teachers}

    @property
    def distinctive(self) -> dict[str, Any]:
        """What a cell's digest is made of."""
        teachers = [[teacher.key, steps] for teacher, steps in self.teachers]
        return {"transfer": described(self.transfer, only_distinctive=True), "teachers": teachers}


@dataclass(frozen=True)
class Cell:
    """One algorithm in one environment, tested in one way: what a seed is run of.

    `environment` is the name under which the paper knows the game ("CN-V1"). Without a `start` it begins afresh. The
    `measure` looks at the learner at every test.

    Raises: ValueError where it starts from a cell on another class of devices.
    """

    name: str
    environment: str
    algorithm: Any  # algorithms.Algorithm
    env: Any  # environments.Env
    evaluation: Evaluation
    device: Literal["cpu", "cuda"] = "cpu"  # a class of devices; their numbers differ in the last bits
    start: Start | None = None
    measure: Measure | None = None

    def __post_init__(self) -> None:
        for teacher, _ in self.teachers:
            if teacher.device != self.device:
                raise ValueError(f"{self.name} on {self.device} must start from cells there, not on {teacher.device}")

    def __hash__(self) -> int:
        """Of its key, which is known, where that of all its settings takes long."""
        return hash(self.key)

    @property
    def teachers(self) -> tuple[tuple[Cell, int], ...]:
        """The cells that it starts from, and after how many steps each."""
        return () if self.start is None else self.start.teachers

    @cached_property
    def elders(self) -> tuple[Cell, ...]:
        """All cells that it starts from, teachers before those that start from them."""
        return tuple(older for teacher, _ in self.teachers for older in lineage(teacher))

    def on(self, device: Literal["cpu", "cuda"]) -> Cell:
        """The same cell, and all that it starts from, on a class of devices."""
        if device == self.device:
            return self
        teachers = tuple((teacher.on(device), steps) for teacher, steps in self.teachers)
        start = None if self.start is None else replace(self.start, teachers=teachers)
        return replace(self, device=device, start=start)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All that the numbers depend on, in full, as JSON values."""
        settings = {
            "algorithm": described(self.algorithm),
            "environment": described(self.env),
            "evaluation": described(self.evaluation),
            "dtype": "float32",
            "device": self.device,
        }
        if self.start is not None:
            settings["start"] = self.start.settings
        if self.measure is not None:
            settings["measure"] = described(self.measure)
        return settings

    @cached_property
    def key(self) -> str:
        """`<algorithm>/<environment>/<digest>`: where the results of this cell lie.

        Fields at their default stay out of the digest, so that a field added later leaves older results where they are;
        the store compares the settings in full and refuses a result whose settings differ.
        """
        distinctive = {
            "algorithm": described(self.algorithm, only_distinctive=True),
            "environment": described(self.env, only_distinctive=True),
            "evaluation": described(self.evaluation, only_distinctive=True),
            "dtype": "float32",
            "device": self.device,
        }
        if self.start is not None:
            distinctive["start"] = self.start.distinctive
        if self.measure is not None:
            distinctive["measure"] = described(self.measure, only_distinctive=True)
        digest = hashlib.sha256(json.dumps(distinctive, sort_keys=True).encode()).hexdigest()[:12]
        return f"{type(self.algorithm).__name__}/{self.environment}/{digest}"


def lineage(cell: Cell) -> tuple[Cell, ...]:
    """All that a cell starts from, teachers before those that start from them, and the cell itself last."""
    return (*cell.elders, cell)


def described(thing: Any, *, only_distinctive: bool = False) -> Any:
    """A frozen dataclass (nested, with tuples) as JSON values, with its class and `version`, and whose package it is of
    where that is not ours: two papers of somebody's may have classes of one name.

    Raises: TypeError where a field is of a kind that JSON cannot hold.
    """
    if is_dataclass(thing) and not isinstance(thing, type):
        shown = {
            item.name: described(getattr(thing, item.name), only_distinctive=only_distinctive)
            for item in fields(thing)
            if not (only_distinctive and item.default is not MISSING and getattr(thing, item.name) == item.default)
        }
        kind = type(thing)
        home = {"package": package} if (package := package_of(kind)) else {}
        return {"class": kind.__name__, **home, "version": getattr(thing, "version", None), **shown}
    if isinstance(thing, tuple):
        return [described(item, only_distinctive=only_distinctive) for item in thing]
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    raise TypeError(f"a setting must be a number, a text, a tuple or a dataclass, got {type(thing).__name__}")


def package_of(kind: type) -> str:
    """The package that a class is of; empty where it is one of ours, or the class is of none."""
    name = kind.__module__.partition(".")[0]
    return name if name not in OURS and hasattr(sys.modules.get(name), "__path__") else ""
