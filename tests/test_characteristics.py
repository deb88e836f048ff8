"""How often whole families are judged wrongly, simulated with the real families' sizes, rows, pairs and spreads."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import (
    AboutEquals,
    Exceeds,
    Gap,
    Margin,
    Multiple,
    NoWorse,
    Oftener,
    Printed,
    PrintedTime,
    Role,
    Rule,
    Scatters,
    Seldom,
    Shorter,
)
from benchmarks._catalogue import figures
from benchmarks._judging import comparisons, decisions, statistics
from benchmarks._judging.characteristics import (
    SHAPES,
    Likeness,
    Sketch,
    characteristics,
    errors,
    interest,
    normal,
    simulated,
    splits_of,
)
from benchmarks._judging.comparisons import Sides
from benchmarks._judging.desk import Desk, papers
from benchmarks._judging.simulated import digest, of_family
from benchmarks._options import RECORDED, SIMULATED
from benchmarks._training.work import Library
from results import Store, Stores

ONE = Margin(1.0, "a test")


EXCEEDS = Exceeds(ONE)


def row(rule: Rule = EXCEEDS, role: Role = "replicate", delta: float = 1.0, **settings: float | bool | str) -> Likeness:
    return Likeness(rule, role, delta, **settings)  # type: ignore[arg-type]


def family(n_claims: int, *rows: Likeness) -> tuple[Sketch, ...]:
    return tuple(Sketch(f"claim {i}", rows or (row(),)) for i in range(n_claims))


LIKE_CTEDD = tuple(
    Sketch(f"{n} rows, {i}", (row(),) * n) for i, n in enumerate((1, 3, 3, 8, 8, 2, 2, 4, 8, 8, 8, 1, 1, 2, 6, 6))
)
"""Sixteen claims of one to eight rows, δ one standard deviation of a seed."""

MIXED = (
    Sketch("many games", (row(),) * 8),
    Sketch("printed gap", (row(Exceeds(Gap(1.0)), "claim"),)),
    Sketch("equal", (row(AboutEquals(ONE), delta=2.0), row(AboutEquals(ONE), delta=2.0))),
    Sketch("a number", (row(Printed(0.0, 1.0, "…"), "claim", 2.0),)),
    Sketch("no worse", (row(NoWorse(ONE), "claim"),)),
    Sketch("times", (row(Shorter(2.0)), row(Shorter(2.0), censored=0.6))),
    Sketch("many times", (row(Multiple(4.0), "claim", 0.5),)),
    Sketch("pairs", (row(paired=True, correlation=0.9), row(paired=True, correlation=-0.9))),
    Sketch("can", (row(),) * 3, "some"),
    Sketch("can, in groups", tuple(row(group=group) for group in "aaabbb"), "some"),
    Sketch("a time", (row(PrintedTime(150.0, 4 / 3, "…"), "claim", 2.0, censored=0.1),)),
    Sketch("scatter", (row(Scatters(ONE)),) * 2),
    Sketch("oftener", (row(Oftener(Margin(0.4, "…")), "claim"),)),
    Sketch("seldom", (row(Seldom(0.4, "…"), "claim"),)),
    *(Sketch(f"core and replicates {i}", (row(role="necessary"), *(row(),) * 4)) for i in range(3)),
)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("claims", [LIKE_CTEDD, MIXED], ids=["like CTEDD's", "of every kind"])
def test_at_most_a_twentieth_of_what_is_decided_is_wrong(claims: tuple[Sketch, ...], shape: str) -> None:
    first, second, both = errors(claims, shape, n_families=80)
    for found in (first, second, both):
        assert found.wrong <= 0.05
        assert found.supported_by_chance <= 0.05
        assert found.refuted_by_chance <= 0.05
    assert first.decided >= 0.2 and second.decided >= 0.6 and both.decided >= second.decided


def test_a_sentence_of_which_one_row_is_false_is_hardly_ever_called_reproduced() -> None:
    random = statistics.generator("one row is false")
    broken = Sketch("broken", (row(Exceeds(Gap(1.0)), "claim", 0.01), *(row(Exceeds(Gap(1.0)), "claim", 2.0),) * 4))
    first, second = simulated((broken,) * 8, np.ones((8, 200)), random, normal)
    for outcomes in (first, second):
        assert np.isin(outcomes, decisions.SHOWN).mean() <= 0.05


def test_the_rates_of_a_claim_are_of_its_own_rows() -> None:
    rates = characteristics(
        (Sketch("one game", (row(),)), Sketch("eight games", (row(role="claim"),) * 8), *family(6)), 300
    )
    true, half, false = ({claim: dict(lines[i].shares) for claim, lines in rates.items()} for i in range(3))
    assert true["one game"]["REPRODUCED"] > true["eight games"]["REPRODUCED"]
    assert false["one game"]["REPRODUCED"] + false["one game"]["PARTIAL"] <= 0.05
    assert half["one game"]["NOT REPRODUCED"] <= 0.05
    assert [line.n_seeds for line in rates["one game"]] == [6, 6, 6, 10, 10, 10]
    assert rates["one game"][3].shares["REPRODUCED"] >= true["one game"]["REPRODUCED"]
    for lines in rates.values():
        assert all(sum(line.shares.values()) == pytest.approx(1) for line in lines)


def test_a_smaller_delta_in_deviations_decides_less() -> None:
    near, far = (characteristics(family(10, row(delta=delta)), 200)["claim 0"][0] for delta in (0.3, 1.5))
    assert near.truth == far.truth == "true"
    assert near.shares["REPRODUCED"] < 0.3
    assert far.shares["REPRODUCED"] > 0.9


def test_rates_are_the_same_on_every_run() -> None:
    assert characteristics(family(3), 50) == characteristics(family(3), 50)


def test_what_a_simulation_depends_on_is_in_its_digest() -> None:
    claims = family(2)
    others = (
        family(3),
        family(2, row(delta=0.5)),
        family(2, row(role="claim")),
        family(2, row(Exceeds(Gap(1.0)))),
        family(2, row(paired=True)),
        family(2, row(Shorter(2.0))),
        family(2, row(Shorter(3.0))),
        family(2, row(PrintedTime(150.0, 2.0, "…"))),
        family(2, row(Scatters(ONE))),
        family(2, row(Oftener(ONE))),
        family(2, row(Oftener(Margin(0.1, "…")))),
        family(2, row(Seldom(0.25, "…"))),
        family(2, row(Seldom(0.5, "…"))),
        family(2, row(group="one")),
        tuple(replace(claim, holds="some") for claim in claims),
    )
    assert len({digest(each) for each in (claims, *others)}) == 1 + len(others)


def test_the_rates_that_the_report_quotes_are_of_the_papers_as_they_are_recorded_and_within_bounds() -> None:
    desk = Desk(Library(Stores(Store(RECORDED))), "quick")
    for paper in papers(figures()):
        claims = desk.sketches(paper)
        quoted = of_family(SIMULATED, claims)
        assert len(quoted.errors) == (9 if claims else 0), f"{paper[0].paper.name}: run python -m benchmarks record"
        for line in quoted.errors:
            assert line.wrong <= 0.05 and line.supported_by_chance <= 0.05 and line.refuted_by_chance <= 0.05
        assert set(quoted.claims) == {claim.id for claim in claims}


def test_the_spread_of_a_row_is_that_of_its_seeds() -> None:
    desk = Desk(Library(Stores(Store(RECORDED))), "quick")
    (found,) = (paper for paper in papers(figures()) if paper[0].paper.name == "dvm")
    for evidence in desk.weighed(found).values():
        for part in evidence:
            if isinstance(part.row.rule, Exceeds) and math.isfinite(part.spread) and part.spread > 0:
                assert interest(part) == pytest.approx(min(part.shown.delta / part.spread, 100.0))


@pytest.mark.parametrize("n", [6, 10])
@pytest.mark.parametrize(
    "sides",
    [
        [(0, 1), (1, 2)],
        [(0, 1), (1, 0)],
        [(0, 1), (1, 2), (2, 0)],
        [(0, i) if i < 5 else (i, 0) for i in range(1, 9)],
        [(0, i) for i in range(1, 9)],
    ],
    ids=["A > B > C", "A > B > A", "a ring", "left of some, right of others", "left of all"],
)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_sentence_whose_rows_share_sides_is_refuted_by_chance_no_oftener_than_it_says(
    sides: list[tuple[int, int]], shape: str, n: int
) -> None:
    """Every effect is exactly δ: 3 000 draws, of which .05 have a standard error of .004."""
    random = statistics.generator(f"shared sides {sides} {shape} {n}")
    runs = [SHAPES[shape](random, n, 3000, 0.0)[0] for _ in range(10)]
    ways = Sides(paired=False, splits=splits_of(n, random))
    p = np.stack([comparisons.ordered(runs[left], runs[right], ways).opposite for left, right in sides])
    assert np.mean(statistics.simes(p) <= 0.05) <= 0.06
