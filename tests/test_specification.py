"""The specification curve of a claim: one comparison under every reading, on one axis."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from test_drawing import BAD, GOOD, beats

from benchmarks import Claim, Multiple, Outcome, Role, RowVerdict, Verdict
from benchmarks._judging.readings import Read
from benchmarks._judging.words import weakest
from reports._readings import specification

ROW = RowVerdict("a", "REPRODUCED", "REPRODUCED", 2.0, 1.0, 3.0, 0.5, *(0.01,) * 4, 6, 6, 0, 0, False, *(0.0,) * 4, "u")
CLAIM = Claim("S-1", "", "", "good beats bad", (beats(GOOD, BAD), beats(GOOD, BAD, "again")))


def read(name: str, *rows: RowVerdict, outcome: Outcome = "REPRODUCED", question: str = "Which?") -> Read:
    return Read(name, "analysis" if name else "default", question, name, Verdict("S-1", outcome, rows, "quick", ""))


def test_effects_stand_in_the_default_s_delta_and_sorted() -> None:
    other = replace(ROW, estimate=4.0, low=3.0, high=5.0, delta=1.0)
    curve = specification(CLAIM, [read("", ROW, replace(ROW, p=0.2)), read("large", other, other)])
    assert curve is not None
    assert curve.label == "again"
    assert [(mark.name, mark.estimate, mark.low, mark.high, mark.delta) for mark in curve.marks] == [
        ("large", 8.0, 6.0, 10.0, 2.0),
        ("", 4.0, 2.0, 6.0, 1.0),
    ]
    places = [curve.zero, curve.one, *(mark.at for mark in reversed(curve.marks))]
    assert places == sorted(places)
    assert curve.marks[0].bound > curve.marks[1].bound == curve.one
    assert [mark.is_default for mark in curve.marks] == [False, True]


def test_an_interval_beyond_the_axis_goes_on_and_stays_within_it() -> None:
    wide = replace(ROW, low=-math.inf, high=1e9)
    curve = specification(CLAIM, [read("", ROW, ROW), read("wide", wide, wide)])
    assert curve is not None
    (mark,) = (mark for mark in curve.marks if mark.name == "wide")
    assert (mark.left, mark.right, mark.open_low, mark.open_high) == (0.0, 100.0, True, True)


def test_ratios_are_counted_in_logarithms() -> None:
    times = replace(CLAIM, rows=(replace(CLAIM.rows[0], rule=Multiple(2.0)),))
    row = replace(ROW, estimate=4.0, low=1.0, high=8.0, delta=2.0)
    curve = specification(times, [read("", row), read("other", row)])
    assert curve is not None
    assert [(mark.estimate, mark.low, mark.high) for mark in curve.marks] == [pytest.approx((2.0, 0.0, 3.0))] * 2


def test_what_has_not_been_run_waits_and_is_named() -> None:
    empty = replace(ROW, estimate=math.nan)
    reads = [read("", ROW, ROW), read("short", ROW, ROW), read("kept", empty, empty, outcome="INCOMPLETE")]
    curve = specification(CLAIM, reads)
    assert curve is not None
    assert [waiting.name for waiting in curve.waiting] == ["kept"]
    assert (curve.robustness.judged, curve.robustness.waiting) == (2, 1)


def test_there_is_no_curve_of_one_reading_or_of_nothing_measured() -> None:
    empty = replace(ROW, estimate=math.nan)
    assert specification(CLAIM, [read("", ROW, ROW)]) is None
    assert specification(CLAIM, [read("", empty, empty), read("short", empty, empty)]) is None


@pytest.mark.parametrize("role", ["necessary", "doubt"])
def test_the_weakest_comparison_is_shown_and_none_that_is_necessary_or_in_doubt(role: Role) -> None:
    verdict = Verdict("S-1", "REPRODUCED", (ROW, replace(ROW, p=0.3)), "quick", "")
    assert weakest(CLAIM, verdict) == 1
    first = replace(CLAIM, rows=(CLAIM.rows[0], replace(CLAIM.rows[1], role=role)))
    assert weakest(first, verdict) == 0


def test_a_comparison_that_came_to_what_the_claim_did_is_shown_first() -> None:
    rows = (replace(ROW, outcome="NEGLIGIBLE"), replace(ROW, p=0.3))
    assert weakest(CLAIM, Verdict("S-1", "NEGLIGIBLE", rows, "quick", "")) == 0
