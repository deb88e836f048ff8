"""Two curves of one run, one beside the other: how a student follows its teacher, and what it does once left behind.

A student is left behind at t*: the first test from which its teacher is, twice in a row, at the level where the student
stays, or above; never where that does not come within the run. Both are read at multiples of `every` steps alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from benchmarks import Curve, Statistic
from benchmarks._judging.scores import EpisodesTo, NothingSeenError, Sparse, Window


@dataclass(frozen=True)
class Following:
    """Mean of a student's tests until it is left behind, or with `teacher` of its teacher's tests until then.

    The curve is that of whose tests are averaged; the other one lies beside it. `level` is where a student stays.
    """

    level: Statistic
    every: int
    teacher: bool = False

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean until the teacher passes the student's {self.level.unit}, at multiples of {self.every:,} steps"

    def __call__(self, curve: Curve) -> float:
        """Mean of y_i over 0 < step_i ≤ t*."""
        student, teacher = (beside(curve), curve) if self.teacher else (curve, beside(curve))
        left = left_behind(student, teacher, self.level, self.every)
        return math.nan if math.isnan(left) else _mean(curve, 0.0, left, self.every)


@dataclass(frozen=True)
class LeftBehind:
    """Mean of a student's tests in the first `steps` after it has been left behind by its teacher, whose curve is
    beside. Units: environment steps."""

    level: Statistic
    every: int
    steps: int

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"mean over the {self.steps:,} steps after the teacher has passed the student's {self.level.unit}"

    def __call__(self, curve: Curve) -> float:
        """Mean of y_i over t* < step_i ≤ t* + steps.

        Raises: NothingSeenError where the run ends before.
        """
        left = left_behind(curve, beside(curve), self.level, self.every)
        if left + self.steps > curve.steps[-1]:
            raise NothingSeenError
        return math.nan if math.isnan(left) else _mean(curve, left, left + self.steps, self.every)


def left_behind(student: Curve, teacher: Curve, level: Statistic, every: int) -> float:
    """t*; +inf where it does not come, NaN where one of them has diverged. Units: environment steps."""
    stays = level(student)
    return math.nan if math.isnan(stays) else teacher.horizon * Sparse(EpisodesTo(stays, stay=2), every)(teacher)


def beside(curve: Curve) -> Curve:
    """The other curve.

    Raises: ValueError where there is none.
    """
    if curve.beside is None:
        raise ValueError("a score that looks at two curves must name the metric beside its own, found none")
    return curve.beside


def _mean(curve: Curve, first: float, last: float, every: int) -> float:
    """Of the tests after `first` and up to `last`, or up to the end of the run."""
    return Sparse(Window(int(first), int(min(last, curve.steps[-1]))), every)(curve)
