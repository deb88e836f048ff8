"""What a campaign costs, which claims it decides, and in which order every hour decides the most."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _histories import a_history
from _tiny import BOTH, CTEDD_CELL, FIGURE, FIRST, MADDPG_CELL, OTHER, SECOND, THIRD, TRANSFERS, Failing
from _trials import states_of

from benchmarks import Budget, Cell, Claim, Figure, Line, Metric, Printed, Row, Score
from benchmarks import __main__ as command_line
from benchmarks._campaign import Campaign, ranges
from benchmarks._judging.desk import Desk
from benchmarks._judging.scores import Last
from benchmarks._judging.value import Stage, by_value, undecided
from benchmarks._training.prices import Prices, bill
from benchmarks._training.progress import hours, span
from benchmarks._training.runner import Trained
from benchmarks._training.work import Library, Work, in_order, missing_work, with_teachers
from results import Run, Store, Stores

HOUR = 3600.0
RETURN = Metric("test return greedy", "larger")
A, B, C, D = (
    replace(MADDPG_CELL, name=name, algorithm=replace(MADDPG_CELL.algorithm, learning_rate=rate))
    for name, rate in (("A", 0.1), ("B", 0.2), ("C", 0.3), ("D", 0.4))
)


def row(cell: Cell, about: Any = "structure") -> Row:
    return Row("as printed", Score(cell, RETURN, Last()), None, Printed(1.0, 1.0, "to be simple"), about)


def claim(name: str, *cells: Cell, about: Any = "structure", **other: Any) -> Claim:
    return Claim(name, "", "nowhere", "says so", tuple(row(cell, about) for cell in cells), **other)


def figure(
    *claims: Claim, cells: Sequence[Cell] = (A, B, C, D), budget: Budget | None = None, name: str = "f"
) -> Figure:
    """A figure that draws some cells and claims something."""
    lines = tuple(Line(cell.name, cell, "test return greedy") for cell in cells)
    budgets = {profile: {"Tiny": budget or Budget(2, 400)} for profile in ("smoke", "quick", "paper")}
    return replace(FIGURE, name=name, panels=(replace(FIGURE.panels[0], lines=lines),), claims=claims, budgets=budgets)


def library(folder: Path) -> Library:
    return Library(Stores(Store(folder)))


def stages(
    folder: Path, *figures: Figure, profile: str = "paper", **priced: float
) -> list[tuple[list[str], list[str]]]:
    """The claims and the cells of every stage, where the named cells take so many hours, and others one."""
    desk = Desk(library(folder), profile)
    work = with_teachers(missing_work(figures, profile, None, desk.library), states_of(folder), "cpu")
    seconds = {item.cell.key: HOUR * priced.get(item.cell.name, 1.0) for item in work}
    found = by_value(figures, desk, work, seconds)
    return [([claim.id for claim in stage.claims], [item.cell.name for item in stage.work]) for stage in found]


def stored(folder: Path, cell: Cell, seed: int = 0, n_steps: int = 400, **session: Any) -> None:
    """A run that nobody has trained."""
    steps = np.arange(100.0, n_steps + 1, 100.0)
    metrics = {RETURN.name: np.linspace(0, 1 + seed, len(steps)).astype(np.float32)}
    Store(folder).save(cell, Run(cell.key, seed, steps, metrics, {RETURN.name: "return"}, a_history(**session)))


# ---- the order ------------------------------------------------------------------------------------------------------


def test_most_claims_an_hour_come_first_and_not_what_is_over_soonest(tmp_path: Path) -> None:
    many = figure(claim("a", A), claim("b1", B), claim("b2", B), cells=(A, B))
    assert stages(tmp_path, many, A=3.0, B=4.0) == [(["b1", "b2"], ["B"]), (["a"], ["A"])]
    assert stages(tmp_path, many, A=1.9, B=4.0) == [(["a"], ["A"]), (["b1", "b2"], ["B"])]


def test_what_is_paid_for_once_costs_later_claims_nothing(tmp_path: Path) -> None:
    shared = figure(claim("ab", A, B), claim("a", A), claim("bc", B, C), claim("d", D))
    found = stages(tmp_path, shared, A=2.0, B=1.0, C=1.0, D=1.5)
    assert found == [(["ab", "a"], ["A", "B"]), (["bc"], ["C"]), (["d"], ["D"])]


def test_a_claim_whose_cells_were_all_needed_before_is_decided_with_them(tmp_path: Path) -> None:
    found = stages(tmp_path, figure(claim("ab", A, B), claim("bc", B, C), claim("ac", A, C), cells=(A, B, C)))
    assert found == [(["ab"], ["A", "B"]), (["bc", "ac"], ["C"])]


def test_a_claim_is_worth_nothing_without_what_its_cells_start_from(tmp_path: Path) -> None:
    chain = replace(TRANSFERS, claims=(claim("third", THIRD), claim("both", BOTH)))
    found = stages(tmp_path, chain, second=5.0)
    assert found == [
        (["both"], ["first", "other first", "third after two"]),
        (["third"], ["second", "third"]),
    ]


def test_nobody_pays_for_a_teacher_whose_state_is_there(tmp_path: Path) -> None:
    for seed, cell in itertools.product(range(3), (FIRST, OTHER)):
        stored(tmp_path, cell, seed, 200)
        states_of(tmp_path).save(cell.key, seed, 200, {"x": torch.zeros(1)})
    chain = replace(TRANSFERS, claims=(claim("third", THIRD), claim("both", BOTH)))
    assert stages(tmp_path, chain) == [(["both"], ["third after two"]), (["third"], ["second", "third"])]


NOTHING_WORTH = (
    claim("check", A, kind="check"),
    claim("lacking", B, lacks="a camera"),
    Claim("untestable", "", "nowhere", "is so", (), untestable="nobody knows"),
    claim("end", C, about="end"),
)


def test_checks_and_what_training_does_not_decide_count_for_nothing(tmp_path: Path) -> None:
    budgets = {"quick": {"Tiny": Budget(2, 200)}, "paper": {"Tiny": Budget(2, 400)}}
    some = replace(figure(*NOTHING_WORTH, claim("d", D)), budgets=budgets)
    assert stages(tmp_path, some, profile="quick", D=99.0) == [(["d"], ["D"]), ([], ["A", "B", "C"])]
    assert stages(tmp_path, some, D=99.0) == [(["end"], ["C"]), (["d"], ["D"]), ([], ["A", "B"])]
    assert undecided([some], Desk(library(tmp_path), "quick")) == (1, 1, 1)
    assert undecided([some], Desk(library(tmp_path), "paper")) == (1, 1, 0)


def test_smoke_decides_nothing(tmp_path: Path) -> None:
    assert stages(tmp_path, figure(claim("a", A), cells=(A,)), profile="smoke") == [([], ["A"])]


def test_a_claim_does_not_wait_for_seeds_or_steps_that_only_another_figure_asks_for(tmp_path: Path) -> None:
    stored(tmp_path, A, 0)
    small = figure(claim("small", A), cells=(A,), budget=Budget(1, 400))
    more = figure(claim("more", A), cells=(A,), budget=Budget(3, 400), name="g")
    longer = figure(claim("longer", A), cells=(A,), budget=Budget(1, 800), name="h")
    for other in (more, longer):
        assert stages(tmp_path, small, other) == [([other.claims[0].id], ["A"])]


def test_what_waits_is_what_the_verdicts_call_incomplete(tmp_path: Path) -> None:
    for seed, cell in ((0, A), (1, A), (0, B)):
        stored(tmp_path, cell, seed)
    some = figure(*NOTHING_WORTH, *(claim(f"{one.name}{two.name}", one, two) for one in (A, B, C) for two in (A, D)))
    verdicts = Desk(library(tmp_path), "paper").verdicts([some])
    incomplete = {name for name, verdict in verdicts.items() if verdict.outcome == "INCOMPLETE"}
    waiting = {name for names, _ in stages(tmp_path, some) for name in names}
    assert incomplete - {"check", "lacking"} == waiting == {"AD", "BA", "BD", "CA", "CD", "end"}


# ---- prices ---------------------------------------------------------------------------------------------------------


def prices(folder: Path, device: Any = "cpu") -> Prices:
    return Prices(library(folder), states_of(folder), device, (A, B, C, D, CTEDD_CELL))


def test_a_cell_costs_what_its_own_run_took_and_one_that_was_never_trained_as_much_as_its_kin(tmp_path: Path) -> None:
    for cell, seconds in ((A, 4.0), (B, 8.0), (C, 100.0)):
        stored(tmp_path, cell, wall_seconds=seconds, seeds_together=2)  # 200, 100 and 8 steps a second
    own, of_kin = (prices(tmp_path).of(Work(cell, (1, 2), 1000)) for cell in (B, D))
    assert (own.seconds, own.estimated) == (20.0, False)
    assert (of_kin.seconds, of_kin.estimated) == (20.0, True)  # the median of three
    assert not own.rough and not of_kin.rough


def elsewhere(cell: Cell, n_agents: int = 3, every: int = 100) -> Cell:
    """The same in a game of its own, which was never played."""
    return replace(
        cell,
        environment="Elsewhere",
        env=replace(cell.env, n_agents=n_agents),
        evaluation=replace(cell.evaluation, every=every),
    )


def test_a_cell_whose_game_was_never_played_costs_roughly_what_its_algorithm_does_in_others(tmp_path: Path) -> None:
    stored(tmp_path, A, wall_seconds=8.0, seeds_together=2)  # 100 steps a second
    stored(tmp_path, CTEDD_CELL, wall_seconds=80.0, seeds_together=2)
    larger, rarely = elsewhere(A, n_agents=12), elsewhere(A, every=1600)
    found = [prices(tmp_path).of(Work(cell, (1, 2), 1000)) for cell in (larger, rarely, elsewhere(CTEDD_CELL))]
    assert [price.seconds for price in found] == pytest.approx([40.0, 5.0, 200.0])
    assert all(price.rough and not price.estimated for price in found)


def test_an_algorithm_that_was_never_trained_costs_roughly_what_the_middle_one_does(tmp_path: Path) -> None:
    for cell, seconds in ((A, 8.0), (B, 8.0), (CTEDD_CELL, 80.0)):
        stored(tmp_path, cell, wall_seconds=seconds, seeds_together=2)
    other = replace(A, algorithm=Failing("raises"))
    rough, own = (prices(tmp_path).of(Work(cell, (1, 2), 1000)) for cell in (other, A))
    assert rough.rough and rough.seconds == pytest.approx(110.0)  # between 20 s and 200 s, of two algorithms
    total = bill([rough, own])
    assert (total.n, total.n_estimated, total.n_rough, total.n_untimed) == (2, 0, 1, 0)


def test_where_nothing_was_ever_timed_there_is_no_price(tmp_path: Path) -> None:
    unknown = prices(tmp_path).of(Work(A, (1, 2), 1000))
    assert math.isnan(unknown.seconds) and not unknown.estimated and not unknown.rough
    assert bill([unknown]).n_untimed == 1


def test_a_speed_on_another_device_is_an_estimate(tmp_path: Path) -> None:
    stored(tmp_path, A, wall_seconds=4.0, seeds_together=2)
    found = prices(tmp_path, "cuda").of(Work(A, (1,), 1000))
    assert (found.seconds, found.estimated) == (5.0, True)


def test_who_stands_in_the_middle_pays_for_the_rest(tmp_path: Path) -> None:
    stored(tmp_path, A, wall_seconds=4.0, seeds_together=2)
    for seed, steps in ((1, 300), (2, 5000)):
        states_of(tmp_path).save(A.key, seed, steps, {"x": torch.zeros(1)})
    assert prices(tmp_path).steps_left(Work(A, (1, 3), 1000)) == 1700
    assert prices(tmp_path).steps_left(Work(A, (), 1000, taken=(1, 2))) == 1700  # who is beyond the place begins anew
    assert prices(tmp_path).of(Work(A, (1, 3), 1000)).seconds == 8.5


def test_a_longer_run_tells_the_speed_of_a_shorter_budget(tmp_path: Path) -> None:
    stored(tmp_path, A, n_steps=800, wall_seconds=4.0, seeds_together=1)
    assert prices(tmp_path).of(Work(A, (1,), 100)).seconds == 0.5


def test_states_that_are_there_take_no_new_room(tmp_path: Path) -> None:
    for seed, cell in enumerate((A, A, B)):
        states_of(tmp_path).save(cell.key, seed, 100, {"x": torch.zeros(1000 if cell == A else 3000)})
    sizes = states_of(tmp_path).sizes()
    assert prices(tmp_path).of(Work(A, (0, 1), 400)).n_bytes == 0
    assert prices(tmp_path).of(Work(A, (0, 1, 2, 3), 400)).n_bytes == 2 * sizes[A.key, 0]
    assert prices(tmp_path).of(Work(C, (0,), 400)).n_bytes == sizes[A.key, 0]  # the median of three of its kin
    assert math.isnan(prices(tmp_path).of(Work(CTEDD_CELL, (0,), 400)).n_bytes)


# ---- in words -------------------------------------------------------------------------------------------------------


def words(folder: Path, *figures: Figure, profile: str = "paper", n_jobs: int = 1) -> str:
    desk = Desk(library(folder), profile)
    return Campaign(figures, desk, states_of(folder), "cpu", desk.library).words(n_jobs)


def test_what_figures_share_counts_once_in_the_sum(tmp_path: Path) -> None:
    for cell in (A, B, C):
        stored(tmp_path, cell, wall_seconds=HOUR, seeds_together=1)  # a seed an hour
    one, two = figure(claim("a", A), cells=(A, B)), figure(claim("c", C), cells=(B, C), name="g")
    lines = words(tmp_path, one, two).splitlines()
    assert lines[0] == "profile paper: 3 cells are missing: 3.0 h on one core"
    table = lines.index("                          cells              on one core  claims decided")
    rows = [line.split() for line in lines[table + 1 : table + 4]]
    assert rows == [
        ["tiny/f", "2", "2.0", "h", "1"],
        ["tiny/g", "2", "2.0", "h", "1"],
        ["tiny", "in", "all", "3", "3.0", "h", "2"],
    ]


def test_a_stage_says_what_it_costs_decides_and_trains(tmp_path: Path) -> None:
    stored(tmp_path, A, wall_seconds=HOUR, seeds_together=1)
    said = words(tmp_path, figure(claim("a", A), cells=(A, B), budget=Budget(2, 400)))
    assert (
        "\n1. decides 1 claim: 60 min, 60 min so far\n"
        "   a  says so\n"
        f"      60 min  seeds 1                        400 steps  A ({A.key})\n"
        "\n2. decides no claim: ~2.0 h, 3.0 h so far\n"
        f"      ~2.0 h  seeds 0–1                      400 steps  B ({B.key})\n"
    ) in said
    assert "~: 1 cell, not timed on cpu; " in said


def test_a_rough_price_is_marked_and_takes_its_place_by_claims_an_hour(tmp_path: Path) -> None:
    stored(tmp_path, A, 0, wall_seconds=HOUR, seeds_together=1)
    brief, long = (replace(elsewhere(C, every=every), name=name) for name, every in (("brief", 400), ("long", 25)))
    budgets = {"paper": {"Tiny": Budget(2, 400), "Elsewhere": Budget(1, 1600)}}
    some = replace(
        figure(claim("long", long), claim("a", A), claim("brief", brief), cells=(A, brief, long)), budgets=budgets
    )
    said = words(tmp_path, some)
    assert re.findall(r"decides 1 claim: (.*)\n   (\w+)", said) == [
        ("60 min, 60 min so far", "a"),
        ("≈2.0 h, 3.0 h so far", "brief"),
        ("≈8.0 h, 11.0 h so far", "long"),
    ]
    assert "≈2.0 h  seeds 0  " in said
    assert "≈: 2 cells whose algorithm was never timed in their game; " in said


def test_where_nothing_was_ever_timed_the_fewest_steps_a_claim_come_first(tmp_path: Path) -> None:
    budgets = {"paper": {"A on Tiny": Budget(2, 800), "B on Tiny": Budget(2, 400)}}
    some = replace(figure(claim("a", A), claim("b", B), cells=(A, B)), budgets=budgets)
    said = words(tmp_path, some, n_jobs=2)
    assert re.findall(r"decides 1 claim: (.*)\n   (\w+)", said) == [("unknown time", "b"), ("unknown time", "a")]
    assert said.startswith("profile paper: 2 cells are missing: unknown time on one core\n")


def test_what_is_trained_again_and_what_nobody_can_price_is_said(tmp_path: Path) -> None:
    for seed in range(3):
        stored(tmp_path, FIRST, seed, 200, wall_seconds=0.0)
    said = words(tmp_path, TRANSFERS)
    assert said.startswith("profile paper: 4 cells are missing, 1 more are trained again: unknown time on one core\n")
    assert re.search(rf"unknown  seeds 0–2 again +200 steps  first \({FIRST.key}\)", said)
    assert re.search(rf"unknown  seeds 0–2 +200 steps  second \({SECOND.key}\)", said)
    assert "again: their runs are there, but not the training states from which others start." in said
    assert "unknown: 5 cells, as nothing was ever timed; ordered by their steps." in said
    assert "training states will take: unknown" in said


def test_more_jobs_take_less_time_as_far_as_teachers_allow(tmp_path: Path) -> None:
    for cell in (FIRST, OTHER, SECOND, THIRD, BOTH):
        stored(tmp_path, cell, n_steps=200, wall_seconds=200.0, seeds_together=1)  # a step a second
    chain = replace(TRANSFERS, budgets={"paper": {f"Task {n}": Budget(3, 200) for n in ("I", "II", "III")}})
    for n_jobs, takes in ((2, "17 min"), (3, "11 min"), (99, "10 min")):  # two seeds of three tasks and third
        assert f" on one core, at least {takes} with {n_jobs} jobs\n" in words(tmp_path, chain, n_jobs=n_jobs)


def test_a_time_is_never_a_large_number(tmp_path: Path) -> None:
    shown = [span(seconds) for seconds in (0.4, 89, 91, 5_399, 5_401, 172_799, 172_801, 82_839 * 60)]
    assert shown == ["0 s", "89 s", "2 min", "90 min", "1.5 h", "48.0 h", "2.0 days", "58 days"]
    assert [hours(seconds) for seconds in (60, 7_200, 82_839 * 60)] == ["60 s", "2.0 h", "1,381 h (58 days)"]


def test_neighbouring_seeds_are_one_range() -> None:
    assert [ranges(seeds) for seeds in ((), (3,), (0, 1, 2), (0, 2, 3, 9))] == ["", "3", "0–2", "0, 2–3, 9"]


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the command line gives to be trained, by name; nothing is trained."""
    work: list[list[str]] = []

    def train_all(items: Sequence[Work], *_: Any, **__: Any) -> Trained:
        work.append([item.cell.name for item in items])
        return Trained(complete=True)

    some = figure(claim("a", A), claim("b1", B), claim("b2", B), claim("d", D))
    stored(tmp_path, A, wall_seconds=400.0, seeds_together=1)
    monkeypatch.setattr(command_line, "train_all", train_all)
    monkeypatch.setattr(command_line, "chosen", lambda *_: (some,))
    monkeypatch.setattr(command_line, "figures", lambda: (some,))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return work


def test_run_trains_in_the_order_that_is_asked_for(given: list[list[str]], tmp_path: Path) -> None:
    for order in ([], ["--by", "length"], ["--by", "value"]):
        assert (
            command_line.main(["run", "", "--profile", "paper", "--store", str(tmp_path), "--device", "cpu", *order])
            == 0
        )
    assert given == [["B", "C", "D", "A"], ["B", "C", "D", "A"], ["A", "B", "D", "C"]]


def test_the_order_of_value_puts_no_cell_before_what_it_starts_from(tmp_path: Path) -> None:
    chain = replace(TRANSFERS, claims=(claim("third", THIRD), claim("both", BOTH)))
    desk = Desk(library(tmp_path), "paper")
    campaign = Campaign((chain,), desk, states_of(tmp_path), "cpu", desk.library)
    ordered = in_order(campaign.missing, campaign.by_value)
    assert [item.cell.name for item in with_teachers(ordered, states_of(tmp_path), "cpu")] == [
        item.cell.name for stage in campaign.stages for item in stage.work
    ]
    assert {item.cell.key for item in ordered} == {cell.key for cell in chain.cells}


def test_a_stage_holds_every_piece_of_work_once(tmp_path: Path) -> None:
    desk = Desk(library(tmp_path), "paper")
    some = figure(claim("ab", A, B), claim("bc", B, C))
    found: Sequence[Stage] = Campaign((some,), desk, states_of(tmp_path), "cpu", desk.library).stages
    assert sorted(item.cell.name for stage in found for item in stage.work) == ["A", "B", "C", "D"]
