"""What every cell keeps to, and every figure of every paper."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

import pytest
from _tiny import BOTH, FIRST, OTHER, SECOND, THIRD, TRANSFERS, Blended, Sketch

from algorithms.maddpg import MADDPG
from benchmarks import (
    PROFILES,
    Budget,
    Cell,
    Evaluation,
    Figure,
    Line,
    Start,
    described,
    lineage,
)
from benchmarks._catalogue import chosen, figures
from benchmarks._contract.cases import parametrize
from benchmarks._contract.figures import *  # noqa: F403 - the tests
from benchmarks._contract.figures import cases_of
from benchmarks._options import RECORDED
from benchmarks._training.work import variants
from environments.cooperative_navigation import CN_V1, CN_V2
from results import Store

CELL = Cell("MADDPG-3", "CN-V1", MADDPG(message_size=3), CN_V1, Evaluation(every=10_000, n_episodes=400))


# ---- a cell ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inner:
    size: int = 3


@dataclass(frozen=True)
class Thing:
    """Settings of every kind."""

    rate: float
    inner: Inner = Inner()
    sizes: tuple[int, ...] = (64, 64)
    name: str | None = None

    version: ClassVar[int] = 7


@dataclass(frozen=True)
class Wider:
    """`Thing` as it may be in a year."""

    rate: float
    inner: Inner = Inner()
    sizes: tuple[int, ...] = (64, 64)
    name: str | None = None
    added: bool = False

    version: ClassVar[int] = 7


Wider.__name__ = "Thing"


def of(algorithm: Any) -> Cell:
    return replace(CELL, algorithm=algorithm)


def test_the_key_of_a_published_cell_is_what_it_was() -> None:
    # Results lie under it: where it changes, they are lost. It changes with a version or a setting, never by itself.
    assert (MADDPG.version, CN_V1.version) == (1, 1)
    assert CELL.key == "MADDPG/CN-V1/a3e0952124da"


def test_every_recorded_result_belongs_to_a_cell_of_a_figure() -> None:
    known = {variant.key for figure in EVERY for cell in figure.cells for variant in variants(cell)}
    assert set(Store(RECORDED).keys()) <= known


def test_equal_settings_have_equal_keys_and_the_name_is_no_setting() -> None:
    twin = Cell("another name", "CN-V1", MADDPG(message_size=3), CN_V1, Evaluation(10_000, 400))
    assert (twin.key, twin.settings) == (CELL.key, CELL.settings)


@pytest.mark.parametrize(
    "other",
    [
        replace(CELL, algorithm=MADDPG(message_size=1)),
        replace(CELL, algorithm=MADDPG(message_size=3, learning_rate=0.02)),
        replace(CELL, environment="CN-V2"),
        replace(CELL, env=CN_V2),
        replace(CELL, env=replace(CN_V1, physics=replace(CN_V1.physics, mass=2.0))),
        replace(CELL, evaluation=Evaluation(10_000, 100)),
        replace(CELL, evaluation=Evaluation(5_000, 400)),
        replace(CELL, device="cuda"),
    ],
)
def test_any_other_setting_has_another_key(other: Cell) -> None:
    assert other.key != CELL.key


def test_a_field_that_is_added_later_leaves_the_key_where_it_is_until_it_is_used() -> None:
    assert of(Wider(0.1)).key == of(Thing(0.1)).key
    assert of(Wider(0.1, added=True)).key != of(Thing(0.1)).key
    assert of(Wider(0.1)).settings["algorithm"]["added"] is False


def test_a_field_without_a_default_is_always_in_the_key() -> None:
    assert of(Thing(0.1)).key != of(Thing(0.2)).key


def test_a_raised_version_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = of(Thing(0.1)).key
    monkeypatch.setattr(Thing, "version", 8)
    assert of(Thing(0.1)).key != before


def test_settings_are_in_full_and_survive_json() -> None:
    assert described(Thing(0.1)) == {
        "class": "Thing",
        "version": 7,
        "rate": 0.1,
        "inner": {"class": "Inner", "version": None, "size": 3},
        "sizes": [64, 64],
        "name": None,
    }
    assert json.loads(json.dumps(CELL.settings)) == CELL.settings
    assert CELL.settings["algorithm"]["discount"] == 0.95 and CELL.settings["device"] == "cpu"


@pytest.mark.parametrize(("setting", "kind"), [({"a": 1}, "dict"), ([1], "list"), (MADDPG, "type"), (b"x", "bytes")])
def test_a_setting_that_json_cannot_hold_is_refused(setting: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"must be a number, a text, a tuple or a dataclass, got {kind}"):
        described(Thing(setting))


def test_what_is_measured_is_in_the_key_and_nothing_is_said_where_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "measure" not in CELL.settings
    thing, wider = (replace(CELL, measure=measure) for measure in (of(Thing(0.1)).algorithm, of(Wider(0.1)).algorithm))
    assert thing.key == wider.key and thing.settings != wider.settings
    measured = replace(CELL, measure=Sketch())
    assert measured.settings == CELL.settings | {"measure": {"class": "Sketch", "version": 1, "n_states": 6}}
    keys = {cell.key for cell in (CELL, measured, replace(CELL, measure=Sketch(n_states=4)), measured.on("cuda"))}
    monkeypatch.setattr(Sketch, "version", 2)
    assert len(keys | {replace(measured).key}) == 5


# ---- a cell that starts from others ---------------------------------------------------------------------------------


def starting(*teachers: tuple[Cell, int], blur: float = 0.1) -> Cell:
    return replace(CELL, start=Start(teachers, Blended(blur)))


STARTED = starting((CELL, 10_000), (of(Thing(0.1)), 20_000))


def test_a_cell_that_starts_afresh_says_nothing_of_a_start() -> None:
    assert "start" not in CELL.settings and CELL.teachers == ()
    assert lineage(CELL) == (CELL,)


def test_what_a_cell_starts_from_is_in_its_settings_in_full() -> None:
    assert STARTED.settings == CELL.settings | {
        "start": {
            "transfer": {"class": "Blended", "version": 1, "blur": 0.1},
            "teachers": [
                {"settings": CELL.settings, "steps": 10_000},
                {"settings": of(Thing(0.1)).settings, "steps": 20_000},
            ],
        }
    }
    assert json.loads(json.dumps(STARTED.settings)) == STARTED.settings


@pytest.mark.parametrize(
    "other",
    [
        CELL,
        starting((CELL, 20_000), (of(Thing(0.1)), 20_000)),
        starting((CELL, 10_000), (of(Thing(0.2)), 20_000)),
        starting((CELL, 10_000), (replace(of(Thing(0.1)), environment="CN-V2"), 20_000)),
        starting((of(Thing(0.1)), 20_000), (CELL, 10_000)),
        starting((CELL, 10_000)),
        starting((CELL, 10_000), (of(Thing(0.1)), 20_000), blur=0.2),
        starting((STARTED, 10_000), (of(Thing(0.1)), 20_000)),
        STARTED.on("cuda"),
    ],
)
def test_another_start_has_another_key(other: Cell) -> None:
    assert other.key != STARTED.key


def test_neither_a_teacher_s_name_nor_a_default_of_the_transfer_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = starting((replace(CELL, name="another"), 10_000), (of(Thing(0.1)), 20_000))
    assert (renamed.key, renamed.settings) == (STARTED.key, STARTED.settings)
    key = STARTED.key
    monkeypatch.setattr(Blended, "version", 2)
    assert replace(STARTED).key != key


def test_a_cell_and_all_that_it_starts_from_are_on_one_class_of_devices() -> None:
    assert [cell.device for cell in lineage(THIRD.on("cuda"))] == ["cuda"] * 3
    assert THIRD.on("cuda").on("cpu") == THIRD and variants(THIRD) == (THIRD, THIRD.on("cuda"))
    with pytest.raises(ValueError, match="third on cuda must start from cells there, not on cpu"):
        replace(THIRD, device="cuda")


def test_a_figure_has_what_its_cells_start_from_before_them_and_once() -> None:
    assert TRANSFERS.cells == (FIRST, SECOND, THIRD, OTHER, BOTH)


def budgeted(profile: str, environment: str, budget: Budget | None) -> Figure:
    """The tiny figure with one other budget."""
    budgets = {name: dict(sizes) for name, sizes in TRANSFERS.budgets.items()}
    if budget is None:
        del budgets[profile][environment]
    else:
        budgets[profile][environment] = budget
    return replace(TRANSFERS, budgets=budgets)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("environment", "budget", "sentence"),
    [
        ("Task I", Budget(3, 400), r"second starts from first on Task I after 200 steps, so profile .*, got .*=400"),
        ("Task I", Budget(3, 100), r"second starts from first on Task I after 200 steps, so profile .*, got .*=100"),
        ("Task II", Budget(1, 200), r"third starts from second on Task II .* at least [23] seeds, got .*n_seeds=1"),
        ("Task I", None, r"second starts from first on Task I after 200 steps, so profile .*, got .*n_steps=0"),
    ],
)
def test_a_figure_must_end_a_cell_where_others_start_from_it(
    profile: str, environment: str, budget: Budget | None, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^transfers/transfers: {sentence}".replace("profile", f"profile {profile}")):
        budgeted(profile, environment, budget)


def test_more_seeds_of_a_teacher_are_welcome() -> None:
    assert budgeted("smoke", "Task I", Budget(5, 200)).budget("smoke", FIRST).n_seeds == 5


def test_a_cell_may_have_a_budget_of_its_own_and_needs_some() -> None:
    sizes = {**TRANSFERS.budgets["quick"], f"{BOTH.name} on {BOTH.environment}": Budget(1, 900)}
    own = replace(TRANSFERS, budgets={**TRANSFERS.budgets, "quick": sizes})
    assert own.budget("quick", BOTH) == Budget(1, 900) != TRANSFERS.budget("quick", BOTH)
    assert own.budget("quick", FIRST) == TRANSFERS.budget("quick", FIRST)
    with pytest.raises(KeyError, match="transfers/transfers: profile quick has no budget for nobody on Nowhere"):
        own.budget("quick", replace(BOTH, name="nobody", environment="Nowhere"))


# ---- every figure ---------------------------------------------------------------------------------------------------

CASES = cases_of(figures())
EVERY = tuple(CASES["figures"].values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, CASES)


def test_the_glob_finds_the_figures_and_a_part_of_the_name_chooses() -> None:
    assert {"ctedd/fig4", "ctedd/fig5", "ctedd/fig6"} <= {figure.id for figure in figures()}
    assert [figure.id for figure in chosen("ctedd/fig5")] == ["ctedd/fig5"]
    assert chosen("ctedd") == tuple(figure for figure in figures() if figure.paper.name == "ctedd")


def test_no_two_figures_or_claims_have_the_same_id() -> None:
    ids = [figure.id for figure in EVERY] + [claim.id for figure in EVERY for claim in figure.claims]
    assert [name for name, n in Counter(ids).items() if n > 1] == []


def further_than_taken(several: Iterable[Figure]) -> list[str]:
    """The cells that some figure trains beyond where a figure starts another from them: that state is not kept."""
    every = list(several)
    taken = {teacher.key: steps for figure in every for cell in figure.cells for teacher, steps in cell.teachers}
    return [
        f"{figure.id}, {profile}: {cell.name} on {cell.environment}"
        for figure, profile in product(every, PROFILES)
        for cell in figure.cells
        if cell.key in taken and figure.budget(profile, cell).n_steps > taken[cell.key]
    ]


def test_no_figure_trains_a_cell_on_from_where_others_start_from_it() -> None:
    assert further_than_taken(EVERY) == []
    panel = replace(TRANSFERS.panels[0], lines=(Line("first", FIRST, "test return greedy"),))
    alone = replace(TRANSFERS, name="alone", panels=(panel,))
    assert further_than_taken([TRANSFERS, alone]) == []
    longer = replace(alone, budgets={**alone.budgets, "paper": {"Task I": Budget(3, 400)}})
    assert further_than_taken([TRANSFERS, longer]) == ["transfers/alone, paper: first on Task I"]
