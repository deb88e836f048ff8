"""From the p of rows to the outcome of claims, of one family or of B simulated ones at once.

| outcome        | a claim comes to it where, after correction over the family,                           |
|----------------|----------------------------------------------------------------------------------------|
| REPRODUCED     | all rows hold, each as large as printed                                                |
| PARTIAL        | all hold, some smaller than printed; or at least half of the replicates, none reversed |
| NEGLIGIBLE     | all hold, and some wholly inside ±δ: real, but smaller than of interest                |
| REVERSED       | the opposite of every row holds, and may matter: none wholly inside ±δ                 |
| NOT REPRODUCED | a row is below δ, by Simes' p of all rows; or reversed, but inside ±δ                  |
| NOT LEARNT     | nothing of this, and a precondition fails                                              |
| INCONCLUSIVE   | nothing of this: "not significant" is neither "equal" nor "refuted"                    |

A family is all testable claims of a kind in a paper, whatever has been run: what has not been assessed stands with
p = 1. Benjamini's and Hochberg's correction at .05 is made over it, once for each of four questions: do all rows hold,
do at least half of the replicates, is any row below δ, are all reversed. So of the claims that are decided a share of
at most .05 is in error, one way or the other, and a claim that is confirmed never makes another harder to confirm.

"All rows hold" is an intersection-union test: its p is the largest. "At least u of m replicates hold" is a partial
conjunction: (m − u + 1) · p₍ᵤ₎, by Bonferroni, so that it is told which hold; where the paper says "can", u is 1, and
all replicates must be refuted to refute it. A refutation is Simes' test of all rows at once: exact tests of few seeds
have a smallest p, and m times that would pass no family, whatever the rows say. So a sentence may be refuted without it
being told by which of its rows. Replicates of one group hold together: they are one replicate, whose p is the largest
of its rows, and which is refuted as a sentence of these rows is. Rows in doubt, of another way to read the sentence,
support nothing, and its refutation is an intersection-union test, too: its own rows are refuted, and those in doubt
are. Which rows of a claim were shown, or refuted, is told by Holm's correction within the claim.

An effect inside ±δ is NEGLIGIBLE only with its direction, which must be beyond chance over the family, as all that is
said of a claim. Where the family leaves it open, what is known is that the effect does not matter: NOT REPRODUCED,
whatever the rows come to by themselves. Were those enough, a twentieth of all sentences of one row without any effect
would be called true, but too small to matter.

Shapes: rows first, then B.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks import Floats, Role
from benchmarks._judging import statistics
from benchmarks._judging.comparisons import Names
from benchmarks._judging.statistics import ALPHA

SHOWN = ("REPRODUCED", "PARTIAL")
REFUTED = ("NOT REPRODUCED", "REVERSED")


class Rows(NamedTuple):
    """The rows of one claim. Shapes: every p and grade [m, B]; a row that has no say has p = 1."""

    roles: tuple[Role, ...]
    holds: Literal["all", "some"]
    support: Floats
    refuted: Floats
    opposite: Floats
    grade: Names
    groups: tuple[str, ...] = ()  # which replicates hold together, by name; none, or "" of a row by itself
    against: Names | None = None  # what the opposite of a row is called, [m, B]; None: REVERSED


class Questions(NamedTuple):
    """p of a claim: all holds, part of it does, it is refuted, it is reversed. Shapes: [B]."""

    whole: Floats
    part: Floats
    refuted: Floats
    reversed: Floats


def decided(family: Sequence[Rows], n_further: int = 0, alpha: float = ALPHA) -> list[tuple[Names, Questions, Names]]:
    """Outcome, corrected p and the rows' outcomes of every claim; `n_further` claims stand in the family with p = 1.

    `alpha` is the largest p that decides.

    Shapes: [B], four times [B], [m, B].
    """
    questions = corrected([questions_of(rows) for rows in family], n_further)
    found = []
    for rows, question in zip(family, questions, strict=True):
        outcome, outcomes = outcome_of(rows, question, alpha)
        found.append((outcome, question, outcomes))
    return found


def outcome_of(rows: Rows, question: Questions, alpha: float = ALPHA) -> tuple[Names, Names]:
    """What a claim comes to, and each of its rows, from its corrected p. Shapes: [B], [m, B]."""
    outcomes = row_outcomes(rows, question, alpha)
    return concluded(rows, question, outcomes, alpha), outcomes


def corrected(family: Iterable[Questions], n_further: int = 0) -> list[Questions]:
    """Benjamini's and Hochberg's p over the family, of each question by itself."""
    every = list(family)
    if not every:
        return []
    stacked = np.array(every)  # [claims, 4, B]
    ones = np.ones((n_further, *stacked.shape[1:]))
    adjusted = statistics.benjamini_hochberg(np.concatenate([stacked, ones]))
    return [Questions(*adjusted[i]) for i in range(len(every))]


def questions_of(rows: Rows) -> Questions:
    """The four p of a claim before any correction."""
    core, replicas = split(rows)
    of_core = rows.support[core].max(axis=0, initial=0.0)
    n, of_replicas = len(replicas), _largest(rows.support, replicas)
    asked = {"all": n, "some": min(n, 1)}[rows.holds]
    halves = asked if rows.holds == "some" or n < 2 else math.ceil(n / 2)
    return Questions(
        np.maximum(of_core, _at_least(of_replicas, asked)),
        np.maximum(of_core, _at_least(of_replicas, halves)),
        refutation(rows, core, replicas),
        rows.opposite.max(axis=0),
    )


def refutation(rows: Rows, core: list[int], replicas: list[list[int]]) -> Floats:
    """Simes' p of "no row is below δ"; of "can", the replicates count once, with their largest p.

    Where rows are in doubt, that of one of them is asked for, too.
    """
    if rows.holds == "all" or not replicas:
        of_sentence = rows.refuted[core + [i for group in replicas for i in group]]
    else:
        each = [statistics.simes(rows.refuted[group]) for group in replicas]
        of_sentence = np.concatenate([rows.refuted[core], np.max(each, axis=0, keepdims=True)])
    both = [of_sentence, *([rows.refuted[in_doubt(rows)]] if in_doubt(rows) else [])]
    found: Floats = np.max([statistics.simes(each) for each in both], axis=0)
    return found


def in_doubt(rows: Rows) -> list[int]:
    """The rows of another way to read the sentence."""
    return [i for i, role in enumerate(rows.roles) if role == "doubt"]


def split(rows: Rows) -> tuple[list[int], list[list[int]]]:
    """The rows that must hold, and the replicates, each with all rows that it is made of."""
    replicas: dict[str | int, list[int]] = {}
    for i, role in enumerate(rows.roles):
        if role == "replicate":
            replicas.setdefault((rows.groups and rows.groups[i]) or i, []).append(i)
    return [i for i, role in enumerate(rows.roles) if role in ("necessary", "claim")], list(replicas.values())


def _largest(p: Floats, replicas: list[list[int]]) -> Floats:
    """Of each replicate that of its rows. Shapes: [m, B] → [replicates, B]."""
    return np.stack([p[rows].max(axis=0) for rows in replicas]) if replicas else np.empty((0, *p.shape[1:]))


def _at_least(p: Floats, n_true: int) -> Floats:
    return statistics.partial_conjunction(p, n_true) if n_true else np.zeros(p.shape[1:])


def _all(holds: NDArray[np.bool_], replicas: list[list[int]]) -> NDArray[np.bool_]:
    """Whether all rows of each replicate do. Shapes: [m, B] → [replicates, B]."""
    found = [holds[rows].all(axis=0) for rows in replicas]
    return np.stack(found) if found else np.empty((0, *holds.shape[1:]), bool)


def row_outcomes(rows: Rows, question: Questions, alpha: float = ALPHA) -> Names:
    """What each row comes to, its p corrected within the claim; an only row has the claim's."""
    support, opposite = shown(rows, question.whole), within(rows.opposite, question.reversed)
    refuted = question.refuted[None] if len(rows.refuted) == 1 else statistics.holm(rows.refuted)
    return np.select(
        [support <= alpha, opposite <= alpha, refuted <= alpha],
        [rows.grade, _against(rows), np.full(rows.grade.shape, "NOT REPRODUCED")],
        "INCONCLUSIVE",
    )


def _against(rows: Rows) -> Names:
    return np.full(rows.grade.shape, "REVERSED") if rows.against is None else rows.against


def shown(rows: Rows, whole: Floats) -> Floats:
    """p of every row: where all must hold that of `within`; where some must, Holm's, or that of its replicate.

    Of a row in doubt it is Holm's.
    """
    _, replicas = split(rows)
    p = statistics.holm(rows.support) if len(rows.support) > 1 else whole[None].copy()
    if rows.holds == "all" or not replicas:
        return np.where(np.array([role == "doubt" for role in rows.roles])[:, None], p, within(rows.support, whole))
    for group in replicas:
        p[group] = np.minimum(p[group], np.maximum(len(replicas) * rows.support[group].max(axis=0), whole))
    return p


def within(p: Floats, of_claim: Floats) -> Floats:
    """Holm's p among the rows, at most that of their conjunction, with which each passes; of one row the claim's."""
    return of_claim[None] if len(p) == 1 else np.minimum(statistics.holm(p), of_claim)


def concluded(rows: Rows, question: Questions, outcomes: Names, alpha: float = ALPHA) -> Names:
    """The outcome of a claim from its corrected p and its rows' outcomes."""
    core, replicas = split(rows)
    asked = np.any if rows.holds == "some" and replicas else np.all
    holds = question.whole <= alpha
    cores, of_replicas = zip(
        *((of[core].all(axis=0), _all(of, replicas)) for of in (outcomes == "REPRODUCED", np.isin(outcomes, SHOWN))),
        strict=True,
    )
    full, less = (of & asked(each, axis=0) for of, each in zip(cores, of_replicas, strict=True))
    enough = cores[1] & (2 * of_replicas[1].sum(axis=0) >= max(len(replicas), 1))
    said = core + [i for group in replicas for i in group]
    part = (question.part <= alpha) & enough & ~(outcomes[said] == "REVERSED").any(axis=0)
    return np.select(
        [
            holds & full,
            holds & less,
            part,
            holds,
            (question.reversed <= alpha) & (_against(rows) == "REVERSED").all(axis=0),
            np.minimum(question.reversed, question.refuted) <= alpha,
            (rows.grade == "NOT LEARNT").any(axis=0),
        ],
        ["REPRODUCED", "PARTIAL", "PARTIAL", "NEGLIGIBLE", "REVERSED", "NOT REPRODUCED", "NOT LEARNT"],
        "INCONCLUSIVE",
    )
