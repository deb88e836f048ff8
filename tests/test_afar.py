"""What is trained away from the store comes back as if it had been trained beside it: numbers, states and sentences."""

from __future__ import annotations

import math
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from _tiny import EVALUATION, GAME, MADDPG_CELL, TRANSFERS, Failing
from _trials import assert_same_end, bits, curves, loaded, outcome, saved, states_of, trained

from benchmarks import Cell
from benchmarks._training import session as session_module
from benchmarks._training.afar import Broken, Ended, Home, Letter, Luggage, Post, packed, train_away
from benchmarks._training.circumstances import COMMIT, commit, one_thread
from benchmarks._training.engines import Task
from benchmarks._training.session import Outcome, Progress, Released
from benchmarks._training.sources import modules
from benchmarks._training.work import Work
from results import Run, Store, StoreError

one_thread()

WORK = Work(MADDPG_CELL, (0, 1), 400)
RAISES = Cell("raises", "Tiny", Failing("raises"), GAME, EVALUATION)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every iteration, and at every one a look at what is asked."""
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds, trained beside their store and without a break."""
    folder = tmp_path_factory.mktemp("whole")
    assert trained(folder, MADDPG_CELL)
    return folder


def task(folder: Path, *, set_aside: bool = False) -> Task:
    return Task((), Store(folder), states_of(folder), "cpu", None, math.inf, set_aside)


def written(luggage: Luggage, *, asks: str = "") -> list[Letter]:
    """All letters of somebody who trains that; of states and progress the latest."""
    post = Post()
    if asks == "stop":
        post.ask("stop")
    train_away(pickle.dumps(luggage), post)
    return post.taken(0, 0.0)[1]


def carried(folder: Path, item: Work, *, asks: str = "", set_aside: bool = False) -> Outcome:
    """Trains away what `outcome` trains here."""
    luggage, home = packed(item, task(folder, set_aside=set_aside))
    if not luggage.item.all_seeds:
        return home.outcome()
    said = [home.take_in(letter) for letter in written(luggage, asks=asks)]
    home.release(tuple(home.locks))
    (found,) = (one for one in said if isinstance(one, Outcome))
    return found


# ---- the same numbers -----------------------------------------------------------------------------------------------


def test_what_starts_from_others_does_so_elsewhere_to_the_last_bit(tmp_path: Path) -> None:
    for cell in TRANSFERS.cells:
        n_steps = TRANSFERS.budget("smoke", cell).n_steps
        assert trained(tmp_path / "here", cell, n_steps=n_steps)
        assert carried(tmp_path / "away", Work(cell, (0, 1), n_steps)) == Outcome(whole=(0, 1))
        assert_same_end(tmp_path / "away", tmp_path / "here", cell)


def test_who_is_stopped_goes_on_elsewhere_from_where_it_stood(whole: Path, tmp_path: Path) -> None:
    for n in (1, 2, 3):
        assert carried(tmp_path, WORK, asks="stop") == Outcome()
        assert [saved(tmp_path, MADDPG_CELL, seed).steps for seed in (0, 1)] == [50 * n] * 2
    assert carried(tmp_path, WORK) == Outcome(whole=(0, 1))
    assert_same_end(tmp_path, whole, MADDPG_CELL)
    assert [session.first for session in loaded(tmp_path, MADDPG_CELL, 0).history] == [0, 50, 100, 150]


def test_what_is_whole_is_found_whole(whole: Path) -> None:
    before = curves(whole, MADDPG_CELL)
    assert carried(whole, WORK) == Outcome(whole=(0, 1)) and curves(whole, MADDPG_CELL) == before


def test_a_state_that_others_start_from_comes_back_though_its_run_is_there(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "runs", ignore=shutil.ignore_patterns(".states"))
    again = WORK._replace(seeds=(), taken=(0, 1))
    luggage, home = packed(again, task(tmp_path / "runs"))
    letters = written(luggage)
    assert not any(isinstance(letter, Run) for letter in letters)  # of which a lost node would leave no state
    assert [home.take_in(letter) for letter in letters][-1] == Outcome(whole=(0, 1))
    home.release((0, 1))
    assert_same_end(tmp_path / "runs", whole, MADDPG_CELL)


def test_the_commit_of_code_that_was_sent_is_that_of_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks._training.circumstances.ROOT", tmp_path)
    assert commit() == ""
    monkeypatch.setenv(COMMIT, "abc+")
    assert commit() == "abc+"


def test_code_that_is_not_ours_is_sent_too() -> None:
    tiny = Path(__file__).with_name("_tiny.py")
    assert [modules(cell) for cell in (MADDPG_CELL, RAISES)] == [set(), {tiny}]
    assert {path for cell in TRANSFERS.cells for path in modules(cell)} == {tiny}


# ---- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_cell_that_fails_says_elsewhere_what_it_says_here(tmp_path: Path) -> None:
    (here,) = outcome(tmp_path / "here", Work(RAISES, (0, 1), 400)).failures
    (away,) = carried(tmp_path / "away", Work(RAISES, (0, 1), 400)).failures
    assert away._replace(traceback=None) == here._replace(traceback=None)
    assert away.traceback is not None and away.traceback.is_relative_to(tmp_path / "away")
    assert "in init\n" in away.traceback.read_text() and "the loss is imaginary" in away.traceback.read_text()


def damaged(folder: Path) -> Path:
    """A folder in which a byte of a state is another."""
    (path,) = folder.glob(".states/*/*/*/seed-000.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    return folder


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A folder in which two seeds stand at step 50."""
    carried(tmp_path / "stopped", WORK, asks="stop")
    return tmp_path / "stopped"


def test_a_damaged_state_fails_alone_and_says_what_it_says_here(stopped: Path, whole: Path, tmp_path: Path) -> None:
    damaged(stopped)
    shutil.copytree(stopped, tmp_path / "here")
    here, away = outcome(tmp_path / "here", WORK), carried(stopped, WORK)
    assert away.whole == here.whole == (1,)
    ((this,), (that,)) = here.failures, away.failures
    assert that.sentence == this.sentence.replace(str(tmp_path / "here"), str(stopped)) and that.seeds == (0,)
    assert_same_end(stopped, whole, MADDPG_CELL, seeds=[1])


def asides(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.aside-*")]


def test_a_damaged_state_is_set_aside_where_that_is_allowed(stopped: Path, whole: Path) -> None:
    assert carried(damaged(stopped), WORK, set_aside=True) == Outcome(whole=(0, 1))
    assert asides(stopped) == ["seed-000.safetensors.aside-1"]
    assert_same_end(stopped, whole, MADDPG_CELL)


def test_a_state_that_is_set_aside_elsewhere_is_set_aside_where_it_comes_from(stopped: Path, whole: Path) -> None:
    state = saved(stopped, MADDPG_CELL, 1)
    states_of(stopped).save(MADDPG_CELL.key, 1, state.steps, state.tensors, {"sessions": "none"})
    assert [failure.seeds for failure in carried(stopped, WORK).failures] == [(1,)]
    assert asides(stopped) == []
    assert carried(stopped, WORK, set_aside=True) == Outcome(whole=(0, 1))
    assert asides(stopped) == ["seed-001.safetensors.aside-1"]
    assert_same_end(stopped, whole, MADDPG_CELL)


def test_other_code_elsewhere_fails_before_it_trains(tmp_path: Path) -> None:
    luggage, home = packed(WORK, task(tmp_path))
    (letter,) = written(luggage._replace(key="MADDPG/Tiny/other"))
    assert isinstance(letter, Broken)
    said: Any = home.take_in(letter)
    assert said.failures[0].sentence.startswith("ValueError: MADDPG/Tiny/other has other settings in this process")
    assert said.failures[0].seeds == (0, 1) and said.whole == ()
    home.release((0, 1))


def test_other_numbers_than_those_that_have_come_meanwhile_are_not_stored(whole: Path, tmp_path: Path) -> None:
    luggage, home = packed(WORK, task(tmp_path))
    letters = written(luggage)
    run = loaded(whole, MADDPG_CELL, 1)
    other = replace(run, metrics={name: values + 1 for name, values in run.metrics.items()})
    Store(tmp_path).save(MADDPG_CELL, other)
    said: Any = [home.take_in(letter) for letter in letters][-1]
    assert said.whole == (0,) and [failure.seeds for failure in said.failures] == [(1,)]
    assert bits(loaded(tmp_path, MADDPG_CELL, 1)) == bits(other)
    home.release((0, 1))


def test_a_full_disk_where_the_store_is_fails_its_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    luggage, home = packed(WORK, task(tmp_path))
    letters = written(luggage)

    def full(*_: object, **__: object) -> None:
        raise StoreError("No space left on device")

    monkeypatch.setattr(type(home.task.states), "save", full)
    said: Any = [home.take_in(letter) for letter in letters][-1]
    assert said.whole == () and [failure.seeds for failure in said.failures] == [(0,), (1,)]
    assert home.left == ()
    home.release((0, 1))


# ---- who trains what ------------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Two seeds that are trained elsewhere, of which nothing has come yet."""
    _, found = packed(WORK, task(tmp_path))
    yield found
    found.release(tuple(found.locks))


def test_while_seeds_are_trained_elsewhere_nobody_else_trains_them(home: Home, tmp_path: Path) -> None:
    assert packed(WORK, task(tmp_path))[1].outcome() == Outcome(elsewhere=(0, 1))
    assert home.take_in(Released((1,))) == Released((1,))
    _, other = packed(WORK, task(tmp_path))
    assert other.item.all_seeds == (1,) and other.elsewhere == (0,)
    other.release((1,))


def test_what_is_left_is_of_what_neither_a_run_nor_a_failure_has_come(home: Home, whole: Path) -> None:
    assert list(home.left) == [0, 1] and home.progress.done == 0
    home.take_in(loaded(whole, MADDPG_CELL, 0))
    assert list(home.left) == [1]
    (failure,) = home.take_in(Broken("no", "")).failures  # type: ignore[union-attr]
    assert failure.seeds == (1,) and failure.traceback is None
    assert home.take_in(Ended(Outcome(whole=(0,)), ())) == Outcome(whole=(0,))


def test_letters_that_were_lost_on_the_way_are_sent_again() -> None:
    post = Post()
    for n in range(3):
        post.put(Progress("a", n, 9, 1.0))
        post.put(Released((n,)))
    first = post.taken(0, 0.0)
    assert first == (6, [Released((0,)), Released((1,)), Progress("a", 2, 9, 1.0), Released((2,))])
    post.put(Released((3,)))
    assert post.taken(0, 0.0) == (7, [*first[1], Released((3,))])
    assert post.taken(6, 0.0) == (7, [Released((3,))])
    assert post.taken(7, 0.0) == (7, [])


def test_who_shall_stop_is_told_so_until_it_does() -> None:
    post = Post()
    post.ask("halve")
    assert [post.asked(), post.asked()] == ["halve", ""]
    post.ask("stop")
    assert [post.asked(), post.asked()] == ["stop", "stop"]
