"""In which order to train, so that every hour decides as many of the papers' sentences as it can.

    by_value(figures, desk, work, seconds)      # stages, the best first

A sentence can be judged once all of its cells are there, so its cells are worth something together only, with all that
they start from. What comes next is therefore a whole sentence: the one with whose missing cells the most sentences an
hour become decidable, given what is trained before it. Others that need nothing further are decided with it. Checks
count for nothing, nor does a sentence that lacks a measurement, or one of whose comparisons a profile ends too early.
What no sentence waits for comes last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from benchmarks import Claim, Figure, scores_of
from benchmarks._judging.desk import Desk
from benchmarks._training.work import Work


class Stage(NamedTuple):
    """What is trained next, and which claims can be judged then; none where it is only drawn or checked."""

    claims: tuple[Claim, ...]
    work: tuple[Work, ...]


class Undecided(NamedTuple):
    """How many of the papers' sentences no training at this profile decides, by what is in the way."""

    untestable: int
    lacking: int  # a measurement that is not made yet
    too_early: int  # the profile ends before the end of training, of which they speak


def by_value(
    figures: Sequence[Figure], desk: Desk, work: Sequence[Work], seconds: Mapping[str, float]
) -> tuple[Stage, ...]:
    """The work in stages, by the greedy rule above; within a stage it keeps its order.

    `work` has teachers before what starts from them. `seconds` is what each costs by its cell's key.
    """
    items = {item.cell.key: item for item in work}
    left = {claim.id: needs for claim, needs in waiting(figures, desk, items)}
    by_id = {claim.id: claim for figure in figures for claim in figure.claims}
    stages, paid = [], frozenset[str]()
    while left:
        best = max(left.values(), key=lambda needs: _worth(needs, paid, left, seconds))
        decided = [name for name, needs in left.items() if needs <= paid | best]
        stages.append(Stage(tuple(by_id[name] for name in decided), _only(work, best - paid)))
        paid |= best
        left = {name: needs for name, needs in left.items() if name not in decided}
    rest = _only(work, items.keys() - paid)
    return (*stages, Stage((), rest)) if rest else tuple(stages)


def _worth(
    needs: frozenset[str], paid: frozenset[str], left: Mapping[str, frozenset[str]], seconds: Mapping[str, float]
) -> float:
    """How good it is to train some cells next: claims a second."""
    decided = sum(others <= paid | needs for others in left.values())
    return decided / max(math.fsum(seconds[key] for key in needs - paid), 1e-9)


def _only(work: Sequence[Work], keys: Set[str]) -> tuple[Work, ...]:
    return tuple(item for item in work if item.cell.key in keys)


def waiting(figures: Sequence[Figure], desk: Desk, items: Mapping[str, Work]) -> list[tuple[Claim, frozenset[str]]]:
    """The sentences that wait for training, each once, and the keys of all work that it waits for.

    These are the INCOMPLETE ones that could be judged: of which a cell misses seeds up to what their own figure asks.
    """
    found = {}
    pairs = [(figure, claim) for figure in figures for claim in figure.claims]
    for figure, claim in [pair for pair in pairs if obstacle(*pair, desk) is None]:
        cells = {score.cell.key: score.cell for row in claim.rows for score in scores_of(row)}
        missing = [key for key, cell in cells.items() if key in items and _misses(figure, desk, items[key])]
        if missing:
            found[claim.id] = claim, frozenset(key for name in missing for key in _with_teachers(name, items))
    return list(found.values())


def undecided(figures: Sequence[Figure], desk: Desk) -> Undecided:
    """How many sentences no training at this profile decides."""
    kinds = [obstacle(figure, claim, desk) for figure in figures for claim in figure.claims]
    return Undecided(*(kinds.count(kind) for kind in Undecided._fields))


def obstacle(figure: Figure, claim: Claim, desk: Desk) -> str | None:
    """What keeps training from deciding a claim: a field of `Undecided`, or "check"; None where nothing does."""
    if claim.kind == "check":
        return "check"
    if claim.untestable:
        return "untestable"
    if claim.lacks:
        return "lacking"
    ends = [row for row in claim.rows if row.about == "end" and not desk.is_to_the_end(figure, row)]
    return "too_early" if ends or desk.profile == "smoke" else None


def _misses(figure: Figure, desk: Desk, item: Work) -> bool:
    """Whether the figure itself asks for seeds that are missing; another one may ask for more of the same cell."""
    budget = desk.budget(figure, item.cell)
    seeds = [seed for seed in item.seeds if seed < budget.n_seeds]
    if not seeds or budget.n_steps == item.n_steps:
        return bool(seeds)
    return bool(desk.library.missing(item.cell, seeds, budget.n_steps))


def _with_teachers(key: str, items: Mapping[str, Work]) -> set[str]:
    """A cell that is to be trained, and all that it waits for."""
    if key not in items:
        return set()
    older = [_with_teachers(teacher.key, items) for teacher, _ in items[key].cell.teachers]
    return {key}.union(*older)
