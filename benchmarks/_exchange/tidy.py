"""A figure as two tables for others: every value of every seed with its unit, and every comparison of every claim.

CSV needs nothing. Parquet needs pyarrow, and has the same columns.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import Cell, Claim, RowVerdict
from benchmarks._exchange.tables import pyarrow
from benchmarks._judging.exhibit import Exhibit
from results import Run

Value = str | int | float
Record = Mapping[str, Value]

CURVES = (
    *("figure", "profile", "panel", "line", "environment", "method", "metric", "unit"),
    *("seed", "steps", "episodes", "value", "key"),
)
"""`steps` are environment steps per seed; `value` is not finite where the seed has diverged or a test saw nothing."""
CLAIMS = (
    *("figure", "profile", "claim", "kind", "quote", "place", "reading", "outcome", "p_claim", "budget"),
    *("comparison", "role", "comparison_outcome", "unit", "n_left", "n_right", "left_mean", "right_mean"),
    *("estimate", "low_90", "high_90", "delta", "p", "p_corrected", "p_refuted", "standardised", "note"),
)
"""`estimate` is left less right, or a ratio; the p are one-sided, `p_claim` is of all that it says."""


class Shown(NamedTuple):
    """A curve under the names that a figure has for it."""

    panel: str
    line: str
    cell: Cell
    metric: str


def shown(exhibit: Exhibit) -> Iterator[Shown]:
    """Every line; of plates all that their cells have measured, under the cell's name."""
    for panel in exhibit.figure.panels:
        for line in panel.lines:
            yield Shown(panel.title, line.label, line.cell, line.metric)
    for plate in exhibit.figure.plates:
        for cell in plate.cells:
            for metric in sorted({name for run in exhibit.sample(cell).runs.values() for name in run.metrics}):
                yield Shown(plate.title, cell.name, cell, metric)


def curves(exhibit: Exhibit) -> list[Record]:
    """Every value of every seed."""
    return [
        record
        for one in shown(exhibit)
        for run in exhibit.sample(one.cell).runs.values()
        for record in _values(exhibit, one, run)
    ]


def _values(exhibit: Exhibit, one: Shown, run: Run) -> Iterator[Record]:
    horizon = one.cell.env.horizon
    names = (exhibit.figure.id, exhibit.profile, one.panel, one.line, one.cell.environment, one.cell.name, one.metric)
    for step, value in zip(run.steps.tolist(), run.metrics[one.metric], strict=True):
        row = (*names, run.units[one.metric], run.seed, int(step), step / horizon, short(value), run.key)
        yield dict(zip(CURVES, row, strict=True))


def short(value: np.float32) -> float:
    """A float32 as the shortest decimal that reads back as it was: 0.1, not 0.10000000149011612."""
    return float(str(value))


def claims(exhibit: Exhibit) -> list[Record]:
    """Every comparison of every claim; a claim without one has a row of its own."""
    return [record for claim in exhibit.figure.claims for record in _comparisons(exhibit, claim)]


def _comparisons(exhibit: Exhibit, claim: Claim) -> Iterator[Record]:
    verdict = exhibit.verdicts[claim.id]
    names = (exhibit.figure.id, exhibit.profile, claim.id, claim.kind, claim.quote, claim.place, claim.reading)
    first = (*names, verdict.outcome, verdict.p, verdict.budget)
    for row, found in zip(claim.rows, verdict.rows, strict=False):
        yield dict(zip(CLAIMS, (*first, row.label, row.role, *_numbers(found)), strict=True))
    if not verdict.rows:
        nothing = ("", "", "", "", 0, 0, *(float("nan"),) * 10, verdict.note)
        yield dict(zip(CLAIMS, (*first, *nothing), strict=True))


def _numbers(found: RowVerdict) -> tuple[Value, ...]:
    return (
        *(found.outcome, found.unit, found.n_left, found.n_right, found.left_mean, found.right_mean),
        *(found.estimate, found.low, found.high, found.delta, found.p, found.p_corrected, found.p_refuted),
        *(found.standardised, found.note),
    )


def write(records: Sequence[Record], columns: Sequence[str], path: Path) -> None:
    """A table, as the end of its name says.

    Raises: ValueError where it is Parquet and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        arrow, parquet = pyarrow("pyarrow"), pyarrow("pyarrow.parquet")
        table = arrow.table({name: [record[name] for record in records] for name in columns})
        parquet.write_table(table, path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
