"""λ before training and in three stretches of it, against a λ that nobody feels and against chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import About, Arm, Cell, Exceeds, Learnt, Margin, Metric, Row, Score, Statistic
from benchmarks._judging.scores import Last, Window
from benchmarks.mace._latents import CAUGHT

EARLY, MIDDLE, LATE = Window(0, 200_000), Window(400_000, 600_000), Window(800_000, 1_000_000)
LATER_STILL = Window(600_000, 800_000)
SUCCESS = Metric(CAUGHT, better="larger")
TENTH = Margin(0.1, "a tenth of all episodes")


@dataclass(frozen=True)
class Phase:
    """A stretch of training, or the learner before it."""

    name: str
    cell: Cell
    statistic: Statistic
    about: About

    def score(self, metric: str) -> Score:
        """Of what is correlated neither way is better."""
        return Score(self.cell, Metric(metric, better="neither"), self.statistic)


def phases(before: Cell, after: Cell) -> tuple[Phase, ...]:
    """“All phases of training”; what an untrained learner does says nothing about training."""
    return (
        Phase("before training", before, Last(), "structure"),
        Phase("the first 200 000 samples", after, EARLY, "beginning"),
        Phase("around 500 000 samples", after, MIDDLE, "end"),
        Phase("the last 200 000 of a million samples", after, LATE, "end"),
    )


def felt(
    of: tuple[Phase, ...],
    felt_unfelt_chance: tuple[str, str, str],
    delta: Margin,
    learnt: Callable[[Phase], tuple[Learnt, ...]],
) -> tuple[Row, ...]:
    """In every phase more correlates than with a λ that nobody feels, and than by chance."""
    name, unfelt, chance = felt_unfelt_chance
    return tuple(
        row
        for phase in of
        for row in (
            Row(
                f"{phase.name}: {name} > unfelt",
                phase.score(name),
                phase.score(unfelt),
                Exceeds(delta),
                phase.about,
                learnt=learnt(phase),
            ),
            Row(
                f"{phase.name}: {name} > by chance",
                phase.score(name),
                phase.score(chance),
                Exceeds(delta),
                phase.about,
                "necessary",
                learnt(phase),
            ),
        )
    )


def risen(before: Cell, after: Cell, statistic: Statistic = LATE) -> Learnt:
    """More episodes succeed than before training: what a sentence says of chance is not asked of it beforehand."""
    untrained = Score(before, SUCCESS, Last())
    return Learnt((Arm(Score(after, SUCCESS, statistic), untrained),), untrained, TENTH)


def successful(before: Cell, after: Cell, chance: Score, statistic: Statistic = LATE) -> Learnt:
    """More episodes succeed than before training, and than by chance."""
    arm = Arm(Score(after, SUCCESS, statistic), Score(before, SUCCESS, Last()))
    return Learnt((arm,), chance, TENTH)
