"""What few seeds can never decide is told from the rules themselves, by hand-computed p."""

from __future__ import annotations

from typing import Any

import pytest
from test_verdicts import FLOOR, ONE, claim, row

from benchmarks import AboutEquals, Exceeds, NoWorse, Oftener, Printed, PrintedTime, Rule, Scatters, Seldom, Shorter
from benchmarks._catalogue import figures
from benchmarks._judging.characteristics import LOOKED_AT
from benchmarks._judging.desk import papers
from benchmarks._judging.reach import Reach, at_best, reach
from reports._words import out_of_reach


@pytest.mark.parametrize(
    ("rule", "shown", "refuted"),
    [
        (Exceeds(ONE), FLOOR, FLOOR),
        (NoWorse(ONE), FLOOR, FLOOR),
        (AboutEquals(ONE), FLOOR, FLOOR),
        (Scatters(ONE), FLOOR, 1.0),  # only the opposite speaks against it
        (Shorter(), FLOOR, FLOOR),
        (Oftener(ONE), 2**-6, 0.0),  # a difference of all is excluded by any that has it not
        (Seldom(0.25, "…"), 0.75**6, 0.25**6),
        (Printed(3.0, 0.5, "…"), 0.0, 0.0),
        (PrintedTime(300.0, 2.0, "…"), 0.0, 0.0),
    ],
)
def test_the_smallest_p_of_a_row_is_that_of_its_test(rule: Rule, shown: float, refuted: float) -> None:
    best = at_best(claim(row(rule)), 6)
    assert float(best.whole[0]) == pytest.approx(shown, abs=1e-9)
    assert float(best.refuted[0]) == pytest.approx(refuted, abs=1e-9)


def test_of_several_rows_it_is_what_the_rules_make_of_them() -> None:
    rows: list[Any] = [row(Exceeds(ONE), f"left {i}", role="replicate") for i in range(4)]
    assert reach(claim(*rows), 21, 6) == pytest.approx(Reach(6, 21 * FLOOR, 21 * FLOOR, 0, 0))
    found = reach(claim(*rows, holds="some"), 21, 6)
    assert found == pytest.approx(Reach(6, 4 * 21 * FLOOR, 21 * FLOOR, 1, 0))
    assert out_of_reach(found) == (
        "With 6 seeds it cannot be shown, whatever they say, unless 1 other of the paper's is: p is 0.091 at best."
    )
    assert out_of_reach(reach(claim(*rows, holds="some"), 21, 10)) == ""


def test_pairs_of_six_seeds_are_told_to_decide_nothing_alone() -> None:
    found = reach(claim(row(Oftener(ONE))), 20, 6)
    assert found.shown == pytest.approx(20 / 64) and found.others_shown == 6
    of_three = reach(claim(row(Oftener(ONE))), 1, 3)
    assert of_three.others_shown is None
    assert out_of_reach(of_three) == "With 3 seeds it cannot be shown, whatever they say: p is 0.125 at best."


def test_every_sentence_of_the_papers_can_be_refuted_alone_but_one_of_pairs_of_seeds() -> None:
    open_to = {}
    for paper in papers(figures()):
        claims = [one for figure in paper for one in figure.claims if one.kind == "sentence" and not one.untestable]
        for one in claims:
            for n_seeds in LOOKED_AT:
                found = reach(one, len(claims), n_seeds)
                open_to[one.id, n_seeds] = (found.others_shown, found.others_refuted)
    assert {key: others for key, others in open_to.items() if others != (0, 0)} == {
        ("CTEDD-F4-4", 6): (1, 0),
        ("CTEDD-F6-4", 6): (1, 0),
        ("MACE-KL-1", 6): (6, 3),
    }
