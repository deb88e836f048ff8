"""The tests of a benchmark: whole, in agreement with the reference, judged, drawn. All training comes before."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from benchmarks import Cell, Claim, Figure, Line, Panel
from benchmarks._campaign import ranges
from benchmarks._drawing.curves import save
from benchmarks._judging.plans import plan_of
from benchmarks._judging.reference import agreement, direction
from benchmarks._training.repetition import differing, same_place
from benchmarks.conftest import Session


def test_every_seed_is_there(cell_of: tuple[Figure, Cell], asked: Session) -> None:
    figure, cell = cell_of
    sample = asked.exhibits[figure.id].sample(cell)
    missing = set(range(sample.budget.n_seeds)) - set(sample.runs)
    if missing:
        pytest.fail(
            f"seeds {ranges(sorted(missing))} of {cell.key} are missing: leave --repro-no-train out", pytrace=False
        )


def test_curve_agrees_with_the_recorded_one(line_of: tuple[Figure, Panel, Line], asked: Session) -> None:
    figure, _, line = line_of
    shown = asked.exhibits[figure.id]
    own, recorded = shown.sample(line.cell).runs, shown.references[line.cell.key]
    for seed in set(own) & set(recorded):
        other = differing(own[seed], recorded[seed], line.metric)
        assert not other or not same_place(own[seed], recorded[seed]), f"seed {seed} on the same machine: {other}"
    if min(len(own), len(recorded)) < 2:
        pytest.skip("a comparison needs two seeds on both sides")
    steps = next(iter(own.values())).steps
    fresh, stored = (
        {seed: run.metrics[line.metric].astype(np.float64) for seed, run in runs.items()} for runs in (own, recorded)
    )
    found = agreement(fresh, stored, steps, asked.n_curves, direction(figure, line))
    asked.excluded[f"{figure.id} {line.cell.environment} {line.label}, {line.metric}"] = found.excluded
    if found.better:
        warnings.warn(f"{line.metric} is better than recorded, unexpectedly: {found.better}", stacklevel=1)
    assert not found.worse, f"{line.metric} is worse than recorded: {found.worse}"


def test_claim_is_judged_as_recorded(claim_of: tuple[Figure, Claim], asked: Session) -> None:
    figure, claim = claim_of
    outcome = asked.exhibits[figure.id].verdicts[claim.id].outcome
    moved = [] if claim.lacks else asked.kept.moved(claim.id, plan_of(figure, claim))
    assert not moved, f"{claim.id}: its plan has moved since its first verdict: {'; '.join(moved)}"
    if asked.strict:
        assert outcome == "REPRODUCED", f"{outcome}: {claim.sentence}"
    recorded = asked.kept.outcome(asked.exhibits[figure.id].profile, claim.id)
    if recorded is None or asked.n_seeds is not None:
        pytest.skip(f"judged {outcome}; no verdict is recorded for this profile and number of seeds")
    assert outcome == recorded, f"judged {outcome} where {recorded} is recorded: {claim.sentence}"


def test_figure_is_drawn(figure: Figure, asked: Session) -> None:
    paths = save(asked.exhibits[figure.id], asked.pictures)
    asked.drawn += paths
    assert all(path.stat().st_size > 0 for path in paths)
