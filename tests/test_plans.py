"""A plan cannot move unseen, and verdicts are kept whole: what is emptied, cut or edited is an error that names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_drawing import BAD, GOOD, beats, curves, figure, line, stored

from benchmarks import ALL, Budget, Claim, Exceeds, Figure, Gap, Margin, Panel
from benchmarks._catalogue import figures, read
from benchmarks._judging.desk import Desk
from benchmarks._judging.plans import Kept, differences, digest, disagreements, evidence_of, keep, plan_of
from benchmarks._judging.readings import verdicts_of
from benchmarks._judging.scores import Final
from benchmarks._options import RECORDED, VERDICTS
from benchmarks._training.work import Library
from results import Store, StoreError, Stores
from results._sealed import write

ROW = beats(GOOD, BAD, about="beginning")
CLAIM = Claim("S-1", "“good is better”", "section 1", "good ends above bad", (ROW,))


def of(claim: Claim, **settings: Any) -> Figure:
    return figure(Panel("Game", (line(GOOD), line(BAD)), "y"), claims=(claim,), **settings)


def plan(claim: Claim = CLAIM, **settings: Any) -> dict[str, Any]:
    return plan_of(of(claim, **settings), claim)


def with_row(**settings: Any) -> Claim:
    return replace(CLAIM, rows=(replace(ROW, **settings),))


# --------------------------------------------------------------------------------------------------------------- a plan


@pytest.mark.parametrize(
    ("other", "moved"),
    [
        (replace(CLAIM, holds="some"), 'holds: "all" became "some"'),
        (replace(CLAIM, kind="check"), 'kind: "sentence" became "check"'),
        (replace(CLAIM, rows=(ROW, ROW)), "rows: 1 became 2"),
        (with_row(about="end"), 'rows 1 about: "beginning" became "end"'),
        (with_row(role="necessary"), 'rows 1 role: "claim" became "necessary"'),
        (with_row(rule=Exceeds(Gap(2.0))), "rows 1 rule delta value: 1.0 became 2.0"),
        (with_row(rule=Exceeds(Margin(1.0, "…"))), 'rows 1 rule delta class: "Gap" became "Margin"'),
        (with_row(left=replace(ROW.left, statistic=Final(6))), "rows 1 left: "),
        (with_row(left=replace(ROW.left, metric=replace(ROW.left.metric, better="neither"))), "rows 1 left: "),
    ],
)
def test_whatever_decides_a_claim_is_in_its_plan_and_named_where_it_moves(other: Claim, moved: str) -> None:
    assert digest(plan(other)) != digest(plan())
    (said,) = differences(plan(), plan(other))
    assert said.startswith(moved)


def test_more_seeds_after_a_look_are_a_moved_plan() -> None:
    budgets = {name: dict(sizes) for name, sizes in of(CLAIM).budgets.items()}
    budgets["quick"]["Game"] = Budget(4, budgets["quick"]["Game"].n_steps)
    moved = differences(plan(), plan_of(replace(of(CLAIM), budgets=budgets), CLAIM))
    assert moved == ["looks quick Good on Game 1: 3 became 4", "looks quick Bad on Game 1: 3 became 4"]


def test_words_decide_nothing_and_may_change() -> None:
    reworded = replace(CLAIM, quote="“…”", place="elsewhere", reading="in other words", note="and so on")
    assert digest(plan(reworded)) == digest(plan())
    assert digest(plan(with_row(label="another label"))) == digest(plan())
    assert digest(plan(with_row(rule=Exceeds(Margin(1.0, "a"))))) == digest(
        plan(with_row(rule=Exceeds(Margin(1.0, "b"))))
    )


def test_what_an_analysis_compares_instead_decides_nothing() -> None:
    assert ROW.right is not None
    assert digest(plan(with_row(even=replace(ROW.right, statistic=Final(6))))) == digest(plan())


def test_every_claim_has_a_plan_that_json_holds() -> None:
    for shown in figures():
        for claim in shown.claims:
            assert json.loads(json.dumps(plan_of(shown, claim))) == plan_of(shown, claim), claim.id


# ------------------------------------------------------------------------------------------------------------- the file


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return stored(tmp_path_factory.mktemp("runs"), {GOOD: curves(10), BAD: curves(5)})


def kept(path: Path, desk: Desk, claim: Claim = CLAIM, **moving: str) -> Kept:
    verdicts = {"quick": desk.verdicts([of(claim)])}
    return keep(path, verdicts, {claim.id: plan(claim)}, moving)


def test_a_verdict_is_kept_with_its_evidence_and_its_plan(tmp_path: Path, desk: Desk) -> None:
    found = kept(tmp_path / "verdicts.json", desk)
    verdict = desk.verdicts([of(CLAIM)])["S-1"]
    stored_row = found.verdicts["quick"]["S-1"]["rows"][0]
    assert found.outcome("quick", "S-1") == verdict.outcome and found.outcome("paper", "S-1") is None
    assert found.verdicts["quick"]["S-1"]["reading"] == "default"
    for name in ("estimate", "low", "high", "p", "p_refuted", "delta", "n_left", "n_right"):
        assert stored_row[name] == pytest.approx(getattr(verdict.rows[0], name))
    assert found.plans["S-1"] == {"digest": digest(plan()), "plan": json.loads(json.dumps(plan())), "moved": []}
    assert found.moved("S-1", plan()) == []


def test_a_moved_plan_is_an_error_that_names_the_claim_and_what_moved(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "verdicts.json"
    kept(path, desk)
    before = path.read_bytes()
    easier = with_row(rule=Exceeds(Gap(0.5)))
    assert Kept.at(path).moved("S-1", plan(easier)) == ["rows 1 rule delta value: 1.0 became 0.5"]
    with pytest.raises(ValueError, match=r"S-1: its plan has moved .* rows 1 rule delta value: 1.0 became 0.5"):
        kept(path, desk, easier)
    assert path.read_bytes() == before


def test_a_plan_moves_openly_and_its_history_stays(tmp_path: Path, desk: Desk) -> None:
    path, easier = tmp_path / "verdicts.json", with_row(rule=Exceeds(Gap(0.5)))
    kept(path, desk)
    found = kept(path, desk, easier, **{"S-1": "the paper prints half"})
    assert found.plans["S-1"]["digest"] == digest(plan(easier))
    assert found.plans["S-1"]["moved"] == [{"digest": digest(plan()), "because": "the paper prints half"}]
    assert kept(path, desk, easier).plans == found.plans


def test_a_claim_that_has_had_a_verdict_does_not_go_unseen(tmp_path: Path, desk: Desk) -> None:
    path, other = tmp_path / "verdicts.json", replace(CLAIM, id="S-2")
    kept(path, desk)
    with pytest.raises(ValueError, match="S-1 has had a verdict and is gone"):
        kept(path, desk, other)
    assert set(kept(path, desk, other, **{"S-1": "it says the same as S-2"}).plans) == {"S-1", "S-2"}


def test_a_claim_that_waits_for_a_measurement_keeps_the_plan_that_it_had(tmp_path: Path, desk: Desk) -> None:
    path, other = tmp_path / "verdicts.json", replace(CLAIM, id="S-2")
    before = kept(path, desk).plans["S-1"]
    verdicts = {"quick": desk.verdicts([of(other)])}
    found = keep(path, verdicts, {"S-2": plan(other)}, waiting={"S-1"})
    assert set(found.verdicts["quick"]) == {"S-2"}
    assert found.plans["S-1"] == before


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"REPRODUCED", b"REVERSED", 1))


def plain(path: Path) -> None:
    path.write_text('{"quick": {"S-1": "REPRODUCED"}}')


def hollow(path: Path) -> None:
    write(path, {"verdicts": {"quick": {}}, "plans": {}})


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("spoilt", [emptied, cut, edited, plain, hollow, gone])
def test_a_file_that_is_not_as_it_was_written_is_an_error_that_names_it(
    tmp_path: Path, desk: Desk, spoilt: Callable[[Path], None]
) -> None:
    path = tmp_path / "verdicts.json"
    kept(path, desk)
    spoilt(path)
    with pytest.raises(StoreError, match=f"{path} (is damaged|is missing|holds no verdict)"):
        Kept.at(path)


def test_evidence_agrees_up_to_rounding_only(desk: Desk) -> None:
    first = evidence_of(desk.verdicts([of(CLAIM)])["S-1"])
    moved = json.loads(json.dumps(first))
    assert disagreements(first, moved) == []
    moved["rows"][0]["estimate"] *= 1 + 1e-9
    assert disagreements(first, moved) == []
    moved["rows"][0]["estimate"] *= 1.01
    (said,) = disagreements(first, moved)
    assert said.startswith("rows 1 estimate: ")


# ----------------------------------------------------------------------------------------------------- what is recorded


def test_what_is_recorded_is_what_the_recorded_runs_come_to_by_plans_that_have_not_moved() -> None:
    found = Kept.at(VERDICTS)
    library = Library(Stores(Store(RECORDED)))
    every = read(figures(), ALL)
    lacking = {claim.id for shown in every for claim in shown.claims if claim.lacks}
    for look in ("quick", "paper"):
        judged = verdicts_of(every, figures(), Desk(library, look).verdicts)
        judged = {id_: verdict for id_, verdict in judged.items() if id_ not in lacking}
        expected = {id_: evidence_of(v) for id_, v in judged.items() if v.outcome not in ("INCOMPLETE", "UNTESTABLE")}
        assert set(found.verdicts[look]) == set(expected)
        for claim, evidence in expected.items():
            assert disagreements(found.verdicts[look][claim], evidence) == [], f"{claim}, {look}"
    for shown in every:
        for claim_of in (one for one in shown.claims if not one.lacks):  # who lacks something has no plan
            assert found.moved(claim_of.id, plan_of(shown, claim_of)) == [], claim_of.id
