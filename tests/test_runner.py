"""Training may be killed, stopped, extended, shared between processes and fed more seeds: the numbers stay the same."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from _histories import a_history
from _tiny import (
    BOTH,
    CTEDD_CELL,
    FIGURE,
    FIRST,
    GAME,
    MADDPG_CELL,
    MEASURED,
    OTHER,
    SECOND,
    THIRD,
    TRANSFERS,
    Blended,
    Sketch,
)
from _trials import (
    Begin,
    Told,
    alive,
    assert_same_end,
    bits,
    command_lines,
    contents,
    curves,
    descendants,
    failing,
    heard,
    loaded,
    outcome,
    saved,
    silent,
    states_of,
    trained,
    wait_for,
)
from torch import Tensor

from algorithms._tree import split
from benchmarks import Budget, Cell, Evaluation, Measured, Start, lineage, test_figures
from benchmarks import Line as Curve
from benchmarks import __main__ as command_line
from benchmarks._judging.desk import Desk, exhibition
from benchmarks._options import SIMULATED
from benchmarks._training import accelerated, engines, runner
from benchmarks._training import loop as training_module
from benchmarks._training import session as session_module
from benchmarks._training.loop import TEST_RETURN, Training
from benchmarks._training.repetition import Repetition, repeatable, repeated, repetitions
from benchmarks._training.runner import Trained, train_all
from benchmarks._training.session import Outcome, Progress, Released
from benchmarks._training.sources import digest
from benchmarks._training.work import Library, Work, budgets, missing_work, variants, with_teachers
from benchmarks.conftest import Session
from environments import Streams
from environments.spread import Spread
from reports._facts import chapters
from results import History, Lock, States, Store, StoreError, Stores

torch.set_num_threads(1)

ROOT = Path(__file__).parent.parent
TINY = Path(__file__).parent / "_tiny.py"
STREAMS = ".learner.streams"
PATIENCE = 300.0  # seconds until a test gives up waiting for another process

both_learners = pytest.mark.parametrize("cell", [MADDPG_CELL, CTEDD_CELL], ids=lambda cell: cell.name)


Batch = tuple[tuple[int, ...], int]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every iteration, and at every one a look at what is asked."""
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(session_module, "REPORT_SECONDS", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seeds of both cells, trained to step 400 together and without a break."""
    folder = tmp_path_factory.mktemp("whole")
    for cell in FIGURE.cells:
        assert trained(folder, cell, seeds=range(5))
    return folder


@pytest.fixture(scope="module")
def handed_on(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of every cell that starts from others, and of those, trained together and without a break."""
    folder = tmp_path_factory.mktemp("handed on")
    for cell in TRANSFERS.cells:
        assert trained(folder, cell, seeds=range(3), n_steps=TRANSFERS.budget("smoke", cell).n_steps)
    return folder


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The seeds that were trained together and the step that they went on from, in the order in which they were."""
    seen: list[Batch] = []
    train = training_module.train

    def noted(cell: Cell, seeds: Sequence[int], training: Training, n_steps: int, pause: Callable[[int], bool]) -> None:
        seen.append((tuple(seeds), training.learner.steps))
        train(cell, seeds, training, n_steps, pause)

    monkeypatch.setattr(accelerated, "train", noted)
    return seen


class Transferred(NamedTuple):
    """What a transfer was called with, and where the learners stood."""

    algorithm: Any
    env: Any
    steps: int
    teachers: tuple[tuple[Any, int], ...]


@pytest.fixture
def transfers(monkeypatch: pytest.MonkeyPatch) -> list[Transferred]:
    """Every transfer in this process."""
    seen: list[Transferred] = []
    transfer = Blended.__call__

    def noted(self: Blended, algorithm: Any, env: Any, learner: Any, teachers: Any) -> None:
        seen.append(Transferred(algorithm, env, learner.steps, tuple((game, state.steps) for game, state in teachers)))
        transfer(self, algorithm, env, learner, teachers)

    monkeypatch.setattr(Blended, "__call__", noted)
    return seen


class Killed(BaseException):
    """What a test dies of."""


def dies_after(n_calls: int, method: Callable[..., None]) -> Callable[..., None]:
    """The method until it has been called so often, then death instead of it."""
    calls = iter(range(n_calls))

    def instead(*arguments: Any, **named: Any) -> None:
        if next(calls, None) is None:
            raise Killed
        method(*arguments, **named)

    return instead


# ---- stopped and resumed --------------------------------------------------------------------------------------------


@both_learners
def test_stopping_after_every_iteration_changes_no_bit(
    cell: Cell, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n_calls in range(1, 400 // 50):
        assert not trained(tmp_path, cell, line=Told("stop"))
        assert [saved(tmp_path, cell, seed).steps for seed in (0, 1)] == [50 * n_calls] * 2
        assert Store(tmp_path).seeds(cell.key) == ()
    assert trained(tmp_path, cell)
    assert_same_end(tmp_path, whole, cell)


def test_the_time_limit_stops_at_a_checkpoint(tmp_path: Path) -> None:
    line = Told(ends=time.monotonic() + 0.2)
    assert not trained(tmp_path / "limited", CTEDD_CELL, n_steps=1_000_000, line=line)
    n_steps = saved(tmp_path / "limited", CTEDD_CELL, 0).steps // 100 * 100 + 100
    for folder in ("limited", "whole"):
        assert trained(tmp_path / folder, CTEDD_CELL, n_steps=n_steps)
    assert_same_end(tmp_path / "limited", tmp_path / "whole", CTEDD_CELL)


@pytest.mark.parametrize("n_saved", [0, 1, 4, 7])
def test_death_between_the_checkpoints_of_two_seeds_changes_no_bit(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_saved: int
) -> None:
    with monkeypatch.context() as dying, pytest.raises(Killed):
        dying.setattr(States, "save", dies_after(n_saved, States.save))
        trained(tmp_path, CTEDD_CELL)
    assert trained(tmp_path, CTEDD_CELL)
    assert_same_end(tmp_path, whole, CTEDD_CELL)


@pytest.mark.parametrize("n_saved", [0, 1])
def test_death_between_the_runs_of_two_seeds_loses_neither(
    whole: Path, tmp_path: Path, n_saved: int, batches: list[Batch]
) -> None:
    with pytest.MonkeyPatch.context() as dying, pytest.raises(Killed):
        dying.setattr(Store, "save", dies_after(n_saved, Store.save))
        trained(tmp_path, MADDPG_CELL)
    assert Store(tmp_path).seeds(MADDPG_CELL.key) == tuple(range(n_saved))
    assert trained(tmp_path, MADDPG_CELL)
    assert_same_end(tmp_path, whole, MADDPG_CELL)
    assert batches == [((0, 1), 0), (tuple(range(n_saved, 2)), 400)]


def test_a_checkpoint_is_made_when_it_is_due_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    monkeypatch.setattr(States, "save", lambda states, key, seed, steps_now, *rest: steps.append(steps_now))
    trained(tmp_path / "often", MADDPG_CELL, seeds=[0], n_steps=200)
    assert steps == [50, 100, 150, 200, 200]
    steps.clear()
    monkeypatch.setattr(session_module, "CHECKPOINT_SECONDS", math.inf)
    trained(tmp_path / "seldom", MADDPG_CELL, seeds=[0], n_steps=200)
    assert steps == [200]


def test_a_state_of_other_settings_is_refused_with_a_sentence(whole: Path) -> None:
    states = [saved(whole, MADDPG_CELL, seed) for seed in (0, 1)]
    silent = replace(MADDPG_CELL, algorithm=replace(MADDPG_CELL.algorithm, message_size=0))
    for other in (CTEDD_CELL, silent):
        with pytest.raises(ValueError, match=r"saved training state and the algorithm differ in .*: raise the version"):
            Training.resumed(other, (0, 1), states)


def test_states_at_different_steps_cannot_go_on_together(whole: Path, tmp_path: Path) -> None:
    trained(tmp_path, MADDPG_CELL, seeds=[0], n_steps=200)
    states = [saved(tmp_path, MADDPG_CELL, 0), saved(whole, MADDPG_CELL, 1)]
    with pytest.raises(ValueError, match=r"must agree on .*, got \[.*\]"):
        Training.resumed(MADDPG_CELL, (0, 1), states)


# ---- extended -------------------------------------------------------------------------------------------------------


@both_learners
def test_a_longer_budget_goes_on_where_the_shorter_one_ended(
    cell: Cell, whole: Path, tmp_path: Path, batches: list[Batch]
) -> None:
    trained(tmp_path, cell, n_steps=200)
    short = [loaded(tmp_path, cell, seed) for seed in (0, 1)]
    assert [run.steps.tolist() for run in short] == [[100, 200]] * 2
    trained(tmp_path, cell, n_steps=400)
    assert batches == [((0, 1), 0), ((0, 1), 200)]
    assert_same_end(tmp_path, whole, cell)
    assert [bits(loaded(tmp_path, cell, seed).upto(200)) for seed in (0, 1)] == [bits(run) for run in short]


def test_without_its_state_a_run_starts_anew_and_meets_its_own_numbers(
    whole: Path, tmp_path: Path, batches: list[Batch]
) -> None:
    trained(tmp_path, MADDPG_CELL, n_steps=200)
    shutil.rmtree(tmp_path / ".states")
    trained(tmp_path, MADDPG_CELL)
    assert batches == [((0, 1), 0), ((0, 1), 0)]
    assert_same_end(tmp_path, whole, MADDPG_CELL)


def test_a_run_that_goes_on_from_other_numbers_is_not_stored(whole: Path, tmp_path: Path) -> None:
    trained(tmp_path, MADDPG_CELL, n_steps=200)
    before = curves(tmp_path, MADDPG_CELL)
    foreign = saved(tmp_path, MADDPG_CELL, 1)
    states_of(tmp_path).save(MADDPG_CELL.key, 0, foreign.steps, foreign.tensors, foreign.metadata)
    said = failing(tmp_path, Work(MADDPG_CELL, (0, 1), 400))
    assert list(said) == [0] and re.search(r"stored with other numbers \(.* at step 100 .*train into another", said[0])
    assert curves(tmp_path, MADDPG_CELL)[0] == before[0]
    assert_same_end(tmp_path, whole, MADDPG_CELL, seeds=[1])  # which the other does not hold up


def test_what_is_there_is_not_trained_again(whole: Path, batches: list[Batch]) -> None:
    for n_steps in (400, 200):
        assert trained(whole, MADDPG_CELL, n_steps=n_steps)
    assert batches == []


# ---- more seeds -----------------------------------------------------------------------------------------------------


def test_more_seeds_train_only_the_new_ones(whole: Path, tmp_path: Path, batches: list[Batch]) -> None:
    trained(tmp_path, CTEDD_CELL)
    files = [tmp_path / CTEDD_CELL.key / f"seed-00{seed}.json" for seed in (0, 1)]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    trained(tmp_path, CTEDD_CELL, seeds=range(4))
    assert batches == [((0, 1), 0), ((2, 3), 0)]
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before
    assert_same_end(tmp_path, whole, CTEDD_CELL, range(4))


def test_seeds_that_stand_at_different_steps_train_in_groups(whole: Path, tmp_path: Path, batches: list[Batch]) -> None:
    for seeds, n_steps in [((1, 3), 100), ((4,), 200)]:
        trained(tmp_path, MADDPG_CELL, seeds=seeds, n_steps=n_steps)
    line = Told()
    trained(tmp_path, MADDPG_CELL, seeds=range(5), line=line)
    assert batches[2:] == [((0, 2), 0), ((1, 3), 100), ((4,), 200)]
    assert_same_end(tmp_path, whole, MADDPG_CELL, range(5))
    said = line.progress
    assert said[-1].done == said[-1].total == 5 * 400
    assert [progress.done for progress in said] == sorted(progress.done for progress in said)


# ---- tests and divergence -------------------------------------------------------------------------------------------


@both_learners
def test_testing_does_not_move_training(cell: Cell, whole: Path, tmp_path: Path) -> None:
    often = replace(cell, evaluation=Evaluation(every=50, n_episodes=8))
    assert often.key != cell.key
    trained(tmp_path, often)
    few, many = (
        Training.resumed(variant, (0, 1), [saved(folder, variant, seed) for seed in (0, 1)])
        for folder, variant in ((whole, cell), (tmp_path, often))
    )
    owned = [
        {name: values for name, values in seed.items() if name.startswith(".learner")}
        for training in (few, many)
        for seed in contents(training, 2)
    ]
    for one, other in zip(owned[:2], owned[2:], strict=True):
        assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_more_test_episodes_leave_the_training_curves_as_they_are(whole: Path, tmp_path: Path) -> None:
    more = replace(CTEDD_CELL, evaluation=replace(CTEDD_CELL.evaluation, n_episodes=8))
    trained(tmp_path, more)
    for few, many in zip(curves(whole, CTEDD_CELL), curves(tmp_path, more), strict=True):
        moved = {name for name in few if few[name] != many[name]}
        assert moved == {f"{TEST_RETURN} G", f"{TEST_RETURN} L-1"}


@both_learners
def test_a_seed_that_diverges_is_stored_as_nan_and_holds_up_no_other(cell: Cell, whole: Path, tmp_path: Path) -> None:
    trained(tmp_path, cell, n_steps=200)
    state = saved(tmp_path, cell, 0)
    networks = (".learner.actor", ".learner.students")
    ill = {
        name: values * math.nan if name.startswith(networks) and values.is_floating_point() else values
        for name, values in state.tensors.items()
    }
    states_of(tmp_path).save(cell.key, 0, state.steps, ill, state.metadata)
    assert trained(tmp_path, cell)
    run = loaded(tmp_path, cell, 0)
    assert run.steps.tolist() == [100, 200, 300, 400]
    returns = [values for name, values in run.metrics.items() if name.endswith("return") or TEST_RETURN in name]
    assert len(returns) >= 2
    assert all(np.isfinite(values[:2]).all() and np.isnan(values[2:]).all() for values in returns)
    assert_same_end(tmp_path, whole, cell, seeds=[1])


# ---- measures -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of the measured cell, trained to step 400 together and without a break."""
    folder = tmp_path_factory.mktemp("looked at")
    assert trained(folder, MEASURED, seeds=range(3))
    return folder


def test_a_measure_adds_curves_and_leaves_the_arrays_of_the_last_test(looked_at: Path) -> None:
    run = loaded(looked_at, MEASURED, 1)
    assert run.steps.tolist() == [100, 200, 300, 400]
    assert run.units["largest action"] == Sketch.metrics["largest action"] and run.units["counted"] == "steps so far"
    assert set(run.arrays) == {"actions", "counted", "weights"}
    assert (run.arrays["actions"].dtype.name, run.arrays["actions"].shape) == ("float32", (6, 2))
    assert (run.arrays["counted"].dtype.name, run.arrays["counted"].shape) == ("int64", ())
    assert run.arrays["counted"] == 400 and run.arrays["actions"].max() == run.metrics["largest action"][-1]
    assert len(set(run.metrics["largest action"].tolist())) == 4


def test_a_measure_draws_from_streams_of_its_own(looked_at: Path) -> None:
    training = Training.resumed(MEASURED, (0, 1), [saved(looked_at, MEASURED, seed) for seed in (0, 1)])
    before = training.learner.streams.save()
    found = Sketch()(
        MEASURED.algorithm, GAME, training.learner, Streams.of((0, 1), "measure after 400 steps", MEASURED.device)
    )
    assert torch.equal(found.arrays["actions"], training.arrays["actions"])
    assert torch.equal(training.learner.streams.save(), before)


def test_measuring_does_not_move_training(looked_at: Path, whole: Path) -> None:
    for seed in (0, 1):
        plain, run = bits(loaded(whole, MADDPG_CELL, seed)), bits(loaded(looked_at, MEASURED, seed))
        assert {name: run[name] for name in plain} == plain
        one, other = (
            {name: values for name, values in saved(folder, cell, seed).tensors.items() if name.startswith(".learner")}
            for folder, cell in ((whole, MADDPG_CELL), (looked_at, MEASURED))
        )
        streams = {name for name in one if name.startswith((STREAMS, ".learner.actors"))}
        assert streams and all(torch.equal(one[name], other[name]) for name in streams)


def test_a_seed_that_is_measured_alone_equals_the_same_seed_among_others(looked_at: Path, tmp_path: Path) -> None:
    assert trained(tmp_path, MEASURED, seeds=[1])
    assert_same_end(tmp_path, looked_at, MEASURED, seeds=[1])


def test_stopping_after_every_iteration_changes_no_bit_of_what_is_measured(
    looked_at: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(1, 400 // 50):
        assert not trained(tmp_path, MEASURED, line=Told("stop"))
    assert trained(tmp_path, MEASURED)
    assert_same_end(tmp_path, looked_at, MEASURED)


@pytest.mark.parametrize("n_steps", [300, 350])
def test_who_goes_on_after_the_last_test_still_has_its_arrays(tmp_path: Path, n_steps: int) -> None:
    with pytest.MonkeyPatch.context() as dying, pytest.raises(Killed):
        dying.setattr(Store, "save", dies_after(0, Store.save))
        trained(tmp_path / "stopped", MEASURED, n_steps=n_steps)
    assert saved(tmp_path / "stopped", MEASURED, 0).steps == n_steps
    for folder, until in (("stopped", n_steps), ("whole", 300), ("whole", n_steps)):
        assert trained(tmp_path / folder, MEASURED, n_steps=until)
    assert loaded(tmp_path / "stopped", MEASURED, 0).arrays["counted"] == 300
    assert_same_end(tmp_path / "stopped", tmp_path / "whole", MEASURED)


def test_a_longer_budget_replaces_what_the_shorter_one_had_measured(looked_at: Path, tmp_path: Path) -> None:
    for n_steps in (50, 200, 400):
        assert trained(tmp_path, MEASURED, n_steps=n_steps)
        assert ("counted" in loaded(tmp_path, MEASURED, 0).arrays) is (n_steps > 50)
    assert_same_end(tmp_path, looked_at, MEASURED)
    assert loaded(tmp_path, MEASURED, 0).upto(200).arrays == {}


NAMED = {name: torch.zeros(2) for name in Sketch.arrays}
LARGEST = {"largest action": torch.zeros(2)}


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (Measured({}, NAMED), r"\{\} and \{'actions'.*"),
        (Measured({**LARGEST, "more": torch.zeros(2)}, NAMED), r"\{'largest action': \(2,\), 'more': \(2,\)\} and .*"),
        (Measured({"largest action": torch.zeros(2, 1)}, NAMED), r"\{'largest action': \(2, 1\)\} and .*"),
        (Measured(LARGEST, {"counted": torch.zeros(2)}), r"\{'largest action': \(2,\)\} and \{'counted': \(2,\)\}"),
        (Measured(LARGEST, {**NAMED, "counted": torch.zeros(3, 2)}), r".* and \{.*'counted': \(3, 2\).*\}"),
        (Measured(LARGEST, {**NAMED, "counted": torch.tensor(0)}), r".* and \{.*'counted': \(\).*\}"),
    ],
)
def test_a_measure_that_does_not_return_what_it_announces_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Measured, seen: str
) -> None:
    monkeypatch.setattr(Sketch, "__call__", lambda *_: found)
    announced = r"metrics \['largest action'\] \[2\] and arrays \['actions', 'counted', 'weights'\] \[2, \.\.\.\]"
    said = failing(tmp_path, Work(MEASURED, (0, 1), 100))
    assert set(said) == {0, 1} and re.search(rf"Sketch must return {announced}, got {seen}$", said[0])


@pytest.mark.parametrize("name", ["training return", f"{TEST_RETURN} greedy", "counted"])
def test_two_metrics_or_arrays_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(Sketch, "metrics", {name: "another"})
    with pytest.raises(
        ValueError, match=rf"every metric and array of .* must have its own name, got .*'{name}', '{name}'"
    ):
        Training.of(MEASURED, [0])


def test_a_measure_is_asked_without_gradients(looked_at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = Training.resumed(MEASURED, (0,), [saved(looked_at, MEASURED, 0)])

    def recorded(*_: object) -> Measured:
        graded = torch.full((1,), float(torch.is_grad_enabled()))
        return Measured({"largest action": graded}, dict.fromkeys(Sketch.arrays, graded))

    monkeypatch.setattr(Sketch, "__call__", recorded)
    assert training_module.measured(MEASURED, Sketch(), training.learner, (0,)).metrics["largest action"] == 0


DRAWN = replace(
    FIGURE,
    panels=(replace(FIGURE.panels[0], lines=(Curve("Measured", MEASURED, "largest action"),)),),
    claims=(),
    budgets={profile: {"Tiny": Budget(2, n)} for profile, n in (("smoke", 400), ("quick", 300), ("paper", 500))},
)


def test_arrays_survive_whatever_hands_a_run_on(looked_at: Path, tmp_path: Path) -> None:
    runs = {seed: loaded(looked_at, MEASURED, seed) for seed in (0, 1)}
    for run in runs.values():
        Store(tmp_path).save(MEASURED, run)
    library = Library(Stores(Store(tmp_path / "none"), Store(tmp_path)))
    handed = library.load(MEASURED, 0, 400)
    assert handed is not None and bits(handed) == bits(runs[0])
    whole, part = Desk(library, "smoke"), Desk(library, "quick")
    drawn = whole.sample(DRAWN, MEASURED).measured
    assert {seed: bits(run) for seed, run in drawn.items()} == {seed: bits(run) for seed, run in runs.items()}
    shorter = part.sample(DRAWN, MEASURED)
    assert set(shorter.runs) == {0, 1} and shorter.measured == {}


def test_what_is_measured_is_compared_with_the_recorded_runs_drawn_and_reported(
    looked_at: Path, tmp_path: Path
) -> None:
    for seed in range(3):
        run = replace(loaded(looked_at, MEASURED, seed), history=a_history(device="another"))
        Store(tmp_path / "recorded").save(MEASURED, run)
    desk = Desk(Library(Stores(Store(looked_at))), "smoke", reference=Library(Stores(Store(tmp_path / "recorded"))))
    asked = Session(
        profile="smoke",
        n_seeds=None,
        device="cpu",
        engine=engines.processes,
        folder=tmp_path,
        fresh=False,
        strict=False,
        figures=(DRAWN,),
        time_limit=None,
        desk=desk,
        exhibits={exhibit.figure.id: exhibit for exhibit in desk.opened([DRAWN])},
    )
    (panel,) = DRAWN.panels
    test_figures.test_every_seed_is_there((DRAWN, MEASURED), asked)
    test_figures.test_curve_agrees_with_the_recorded_one((DRAWN, panel, panel.lines[0]), asked)
    test_figures.test_figure_is_drawn(DRAWN, asked)
    (chapter,) = chapters(exhibition({DRAWN.id: desk}, [DRAWN], SIMULATED))
    assert set(chapter.families[0].pages[0].units) == set(loaded(looked_at, MEASURED, 0).metrics)


def test_choices_of_a_seed_that_diverged_have_no_return_and_hold_up_no_other() -> None:
    cell = replace(MADDPG_CELL, env=Spread(2, "I", "discrete"))

    def policy(env: Any, game: Any) -> tuple[Tensor, ...]:
        choices = torch.zeros(2, cell.evaluation.n_episodes, 2, dtype=torch.int64)
        choices[1, 0, 1] = -1
        return (choices,)

    alone, lost = training_module.played(cell, policy, training_module.test_streams(cell, (0, 1), 0))
    assert alone.isfinite() and lost.isnan()


def test_without_test_episodes_there_is_what_training_measures(whole: Path, tmp_path: Path) -> None:
    untested = replace(MADDPG_CELL, evaluation=replace(MADDPG_CELL.evaluation, n_episodes=0))
    assert untested.key != MADDPG_CELL.key and trained(tmp_path, untested)
    run, tested = bits(loaded(tmp_path, untested, 0)), bits(loaded(whole, MADDPG_CELL, 0))
    assert run == {name: values for name, values in tested.items() if not name.startswith(TEST_RETURN)}


# ---- what is missing ------------------------------------------------------------------------------------------------


def test_work_is_what_the_store_lacks_in_whole_tests_the_longest_first(whole: Path, tmp_path: Path) -> None:
    library = Library(Stores(Store(tmp_path)))
    for seed in (0, 1):
        Store(tmp_path).save(MADDPG_CELL, loaded(whole, MADDPG_CELL, seed))
    figure = replace(FIGURE, budgets={"smoke": {"Tiny": Budget(3, 499)}})
    work = missing_work([figure, figure], "smoke", None, library)
    assert work == [Work(CTEDD_CELL, (0, 1, 2), 400), Work(MADDPG_CELL, (2,), 400)]
    assert missing_work([figure], "smoke", 1, library) == [Work(CTEDD_CELL, (0,), 400)]


def test_a_cell_of_two_figures_gets_the_larger_budget() -> None:
    small, large = (replace(FIGURE, budgets={"smoke": {"Tiny": budget}}) for budget in (Budget(2, 600), Budget(5, 400)))
    assert budgets([small, large], "smoke", None) == [(cell, Budget(5, 600)) for cell in FIGURE.cells]


def test_a_run_from_another_class_of_device_counts(whole: Path, tmp_path: Path) -> None:
    here = loaded(whole, MADDPG_CELL, 0)
    Store(tmp_path).save(MADDPG_CELL, here)
    _, gpu = variants(MADDPG_CELL)
    Store(tmp_path).save(gpu, replace(here, key=gpu.key, seed=1))
    library = Library(Stores(Store(tmp_path)))
    assert gpu.key != MADDPG_CELL.key
    assert library.missing(MADDPG_CELL, range(3), 400) == (2,)
    assert library.missing(gpu, range(3), 400) == (2,)
    found = library.load(MADDPG_CELL, 1, 400)
    assert found is not None and found.key == gpu.key


@pytest.mark.parametrize("history", [(), a_history(wall_seconds=0.0)], ids=["no history", "no time"])
def test_a_time_that_was_not_measured_is_no_estimate(whole: Path, tmp_path: Path, history: History) -> None:
    run = loaded(whole, MADDPG_CELL, 0)
    Store(tmp_path).save(MADDPG_CELL, replace(run, history=history))
    library = Library(Stores(Store(tmp_path)))
    assert math.isnan(library.steps_per_second(MADDPG_CELL)[0])


# ---- iterations that do not end where tests are due -----------------------------------------------------------------


def test_a_test_that_is_due_within_an_iteration_comes_at_its_end_and_nothing_is_missing(tmp_path: Path) -> None:
    algorithm = replace(MADDPG_CELL.algorithm, steps_per_update=100)
    cell = replace(MADDPG_CELL, algorithm=algorithm, evaluation=replace(MADDPG_CELL.evaluation, every=250))
    panel = replace(FIGURE.panels[0], lines=(Curve("MADDPG", cell, "test return greedy"),))
    library = Library(Stores(Store(tmp_path)))
    tests = [300, 500, 800, 1000]
    for n in (1, 2, 3, 4):
        budget = Budget(2, 250 * n)
        figure = replace(FIGURE, panels=(panel,), claims=(), budgets={"smoke": {"Tiny": budget}})
        (item,) = missing_work([figure], "smoke", None, library)
        assert item == Work(cell, (0, 1), budget.n_steps)
        line = Told()
        assert outcome(tmp_path, item, line=line).whole == (0, 1)
        assert missing_work([figure], "smoke", None, library) == []
        assert loaded(tmp_path, cell, 0).steps.tolist() == tests[:n]
        assert all(progress.done <= progress.total for progress in line.progress)
        assert Desk(library, "smoke").sample(figure, cell).bundle("test return greedy").steps.tolist() == tests[:n]
    run = library.load(cell, 0, 250)
    assert run is not None and run.steps.tolist() == [300]
    assert trained(tmp_path / "whole", cell, n_steps=1000)
    assert_same_end(tmp_path, tmp_path / "whole", cell)


# ---- started from other cells ---------------------------------------------------------------------------------------

every_pupil = pytest.mark.parametrize("cell", [SECOND, THIRD, BOTH], ids=lambda cell: cell.name)


def due(cell: Cell) -> int:
    """Where the tiny figure ends a cell."""
    return TRANSFERS.budget("smoke", cell).n_steps


def lent(folder: Path, to: Path, *cells: Cell) -> None:
    """The runs and the states of some cells, elsewhere."""
    for cell in cells:
        shutil.copytree(folder / cell.key, to / cell.key)
        shutil.copytree(states_of(folder).folder / cell.key, states_of(to).folder / cell.key)


def without_states(folder: Path, *cells: Cell) -> None:
    for cell in cells:
        shutil.rmtree(states_of(folder).folder / cell.key)


def files(folder: Path, cell: Cell) -> list[tuple[bytes, int]]:
    """The runs of a cell, and when they were written."""
    return [(path.read_bytes(), path.stat().st_mtime_ns) for path in sorted((folder / cell.key).glob("seed-*"))]


def needed(folder: Path, *work: Work) -> list[Work]:
    return with_teachers(work, states_of(folder), "cpu")


def all_trained(folder: Path, *work: Work) -> bool:
    """Trains here, one after the other, what processes of their own would, as far as nothing fails."""
    return all(outcome(folder, item).whole == item.all_seeds for item in needed(folder, *work))


def test_a_transfer_gets_the_fresh_learner_and_its_teachers_as_they_stood(
    handed_on: Path, tmp_path: Path, transfers: list[Transferred]
) -> None:
    lent(handed_on, tmp_path, FIRST, OTHER)
    trained(tmp_path, BOTH, seeds=[0])
    assert transfers == [Transferred(BOTH.algorithm, BOTH.env, 0, ((OTHER.env, 200), (FIRST.env, 200)))]
    assert FIRST.env != BOTH.env


def test_a_cell_begins_with_what_the_transfer_has_made_and_is_fresh_otherwise(handed_on: Path) -> None:
    start = Start(((FIRST, 200),), Blended(blur=0.0))
    cell = replace(SECOND, start=start)
    teacher = Training.resumed(FIRST, (0, 1), [saved(handed_on, FIRST, seed) for seed in (0, 1)])
    sources = zip(split(teacher, 2), split(Training.of(cell, (0, 1)), 2), strict=True)
    for begun, (taught, fresh) in zip(split(Training.started(cell, start, (0, 1), [teacher]), 2), sources, strict=True):
        changed = {name for name in begun if name.startswith(".learner.actors")}
        assert changed and all(torch.equal(begun[name], taught[name]) for name in changed)
        rest = {name for name in begun if name not in changed and not name.startswith((".learner.replay", STREAMS))}
        assert all(torch.equal(begun[name], fresh[name]) for name in rest)


def test_the_streams_after_a_transfer_are_not_those_before_it() -> None:
    before, after = (Training.of(cell, [0]).learner.streams.save() for cell in (MADDPG_CELL, SECOND))
    assert not torch.equal(before, after)


@every_pupil
def test_a_seed_that_starts_from_others_alone_equals_the_same_seed_among_others(
    handed_on: Path, tmp_path: Path, cell: Cell
) -> None:
    assert all_trained(tmp_path, Work(cell, (1,), due(cell)))
    for member in lineage(cell):
        assert_same_end(tmp_path, handed_on, member, seeds=[1])


@every_pupil
def test_stopped_after_every_iteration_a_started_cell_goes_on_without_its_teachers(
    handed_on: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: Cell
) -> None:
    teachers = lineage(cell)[:-1]
    work = Work(cell, (0, 1), due(cell))
    lent(handed_on, tmp_path, *teachers)
    for n_calls in range(1, due(cell) // 50):
        assert outcome(tmp_path, work, line=Told("stop")) == Outcome()
        assert [saved(tmp_path, cell, seed).steps for seed in (0, 1)] == [50 * n_calls] * 2
        if n_calls == 1:
            without_states(tmp_path, *teachers)
        assert needed(tmp_path, work) == [work]
    assert outcome(tmp_path, work) == Outcome(whole=(0, 1))
    assert_same_end(tmp_path, handed_on, cell)


def test_death_right_after_a_transfer_does_not_repeat_it(
    handed_on: Path, tmp_path: Path, transfers: list[Transferred]
) -> None:
    lent(handed_on, tmp_path, FIRST)
    with pytest.MonkeyPatch.context() as dying, pytest.raises(Killed):
        dying.setattr(accelerated, "train", dies_after(0, training_module.train))
        trained(tmp_path, SECOND, n_steps=200)
    without_states(tmp_path, FIRST)
    assert trained(tmp_path, SECOND, n_steps=200)
    assert len(transfers) == 1
    assert_same_end(tmp_path, handed_on, SECOND)


def test_death_between_the_first_checkpoints_of_two_seeds_begins_the_second_only(
    handed_on: Path, tmp_path: Path, batches: list[Batch], transfers: list[Transferred]
) -> None:
    lent(handed_on, tmp_path, FIRST)
    with pytest.MonkeyPatch.context() as dying, pytest.raises(Killed):
        dying.setattr(States, "save", dies_after(1, States.save))
        trained(tmp_path, SECOND, n_steps=200)
    assert trained(tmp_path, SECOND, n_steps=200)
    assert batches == [((1,), 0), ((0,), 0)] and len(transfers) == 2
    assert_same_end(tmp_path, handed_on, SECOND)


def test_a_transfer_shows_in_the_progress(handed_on: Path, tmp_path: Path) -> None:
    lent(handed_on, tmp_path, FIRST)
    line = Told()
    trained(tmp_path, SECOND, n_steps=200, line=line)
    first, *rest = line.progress
    assert (first.label, first.done, first.total, first.note) == ("second on Task II", 0, 400, "transfer")
    assert rest and all(progress.note == "" for progress in rest)


def test_how_far_a_state_is_stands_in_its_header(handed_on: Path, tmp_path: Path) -> None:
    states = states_of(handed_on)
    assert [states.steps(cell.key, 0) for cell in (FIRST, THIRD)] == [200, 400]
    assert states.steps(FIRST.key, 3) is None and states_of(tmp_path).steps(FIRST.key, 0) is None
    path = states_of(tmp_path).folder / FIRST.key / "seed-000.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no header")
    with pytest.raises(StoreError, match=r"seed-000\.safetensors is damaged: .*move it away, or let --set-aside"):
        states_of(tmp_path).steps(FIRST.key, 0)


# ---- what a started cell needs --------------------------------------------------------------------------------------


def test_where_all_is_there_teachers_cause_no_work(handed_on: Path) -> None:
    assert missing_work([TRANSFERS], "smoke", 3, Library(Stores(Store(handed_on)))) == []
    work = Work(BOTH, (0, 2), 600)
    assert needed(handed_on, work) == [work]


def test_a_cell_that_begins_needs_the_states_of_its_teachers_and_they_those_of_theirs(tmp_path: Path) -> None:
    both, third = Work(BOTH, (1,), 400), Work(THIRD, (0, 2), 400)
    again = [Work(cell, (), 200, taken=(0, 2)) for cell in (FIRST, SECOND)]
    assert needed(tmp_path, third) == [*again, third]
    merged = Work(FIRST, (), 200, taken=(0, 1, 2))
    assert needed(tmp_path, both, third) == [Work(OTHER, (), 200, taken=(1,)), merged, both, again[1], third]
    assert needed(tmp_path, third, Work(FIRST, (1, 2), 200))[0] == Work(FIRST, (1, 2), 200, taken=(0, 2))
    assert needed(tmp_path, *needed(tmp_path, both, third)) == needed(tmp_path, both, third)


def test_a_teacher_in_the_middle_that_has_begun_needs_no_teacher_of_its_own(handed_on: Path, tmp_path: Path) -> None:
    lent(handed_on, tmp_path, FIRST)
    trained(tmp_path, SECOND, seeds=[0], n_steps=100)
    without_states(tmp_path, FIRST)
    third = Work(THIRD, (0, 1), 400)
    assert needed(tmp_path, third) == [Work(FIRST, (), 200, (1,)), Work(SECOND, (), 200, (0, 1)), third]


def test_a_cell_on_another_device_needs_its_teachers_there(handed_on: Path) -> None:
    third = Work(THIRD, (3,), 400)
    lost = [Work(cell, (), 200, taken=(3,)) for cell in (FIRST, SECOND)]
    assert with_teachers([third], states_of(handed_on), "cpu") == [*lost, third]
    there = Work(SECOND, (0,), 200)
    assert with_teachers([there], states_of(handed_on), "cuda") == [Work(FIRST, (), 200, taken=(0,)), there]


def test_a_teacher_that_is_to_go_on_from_where_it_is_taken_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="first on Task I must end where others start from it, got 200 and 300 steps"):
        needed(tmp_path, Work(SECOND, (0,), 200), Work(FIRST, (0,), 300))


@pytest.mark.parametrize("steps", [None, 100, 400])
def test_a_teacher_whose_state_is_elsewhere_is_trained_again_though_its_run_is_stored(
    handed_on: Path, tmp_path: Path, batches: list[Batch], steps: int | None
) -> None:
    lent(handed_on, tmp_path, FIRST)
    without_states(tmp_path, FIRST)
    if steps is not None:
        trained(tmp_path / "elsewhere", FIRST, n_steps=steps)
        shutil.copytree(states_of(tmp_path / "elsewhere").folder / FIRST.key, states_of(tmp_path).folder / FIRST.key)
        batches.clear()
    before = files(tmp_path, FIRST)
    assert all_trained(tmp_path, Work(SECOND, (0, 1), 200))
    assert batches == [((0, 1), 100 if steps == 100 else 0), ((0, 1), 0)]
    assert files(tmp_path, FIRST) == before
    for cell in (FIRST, SECOND):
        assert_same_end(tmp_path, handed_on, cell)


def test_only_the_seeds_whose_state_is_lost_are_trained_again(
    handed_on: Path, tmp_path: Path, batches: list[Batch]
) -> None:
    lent(handed_on, tmp_path, FIRST)
    (states_of(tmp_path).folder / FIRST.key / "seed-001.safetensors").unlink()
    assert all_trained(tmp_path, Work(SECOND, (0, 1, 2), 200))
    assert batches == [((1,), 0), ((0, 1, 2), 0)]
    assert_same_end(tmp_path, handed_on, SECOND, seeds=range(3))


def test_a_recorded_run_does_not_stand_for_a_state(handed_on: Path, tmp_path: Path) -> None:
    library = Library(Stores(Store(tmp_path), Store(handed_on)))
    figure = replace(TRANSFERS, panels=(replace(TRANSFERS.panels[0], lines=TRANSFERS.panels[0].lines[1:]),))
    longer = {"smoke": {**TRANSFERS.budgets["smoke"], "Task III": Budget(2, 500)}}
    (work,) = missing_work([replace(figure, budgets=longer)], "smoke", None, library)
    assert work == Work(BOTH, (0, 1), 500)
    assert all_trained(tmp_path, work)
    assert bits(loaded(tmp_path, BOTH, 1).upto(400)) == bits(loaded(handed_on, BOTH, 1))


def test_a_state_of_other_numbers_than_the_stored_run_is_nothing_to_start_from(handed_on: Path, tmp_path: Path) -> None:
    lent(handed_on, tmp_path, FIRST)
    foreign = saved(tmp_path, FIRST, 1)
    states_of(tmp_path).save(FIRST.key, 0, foreign.steps, foreign.tensors, foreign.metadata)
    (sentence,) = set(failing(tmp_path, Work(SECOND, (0, 1), 200)).values())
    assert re.search(r"seed-000\.json holds other numbers .*train into another store", sentence)
    assert Store(tmp_path).seeds(SECOND.key) == ()


def test_a_cell_does_not_start_without_the_states_that_it_needs(handed_on: Path, tmp_path: Path) -> None:
    work = Work(SECOND, (0, 1), 200)
    sentence = failing(tmp_path, work)[0]
    assert re.search(r"seeds \[0, 1\] of .* training states at 200 steps to start from, got .*\[\]", sentence)
    trained(tmp_path, FIRST, n_steps=100)
    sentence = failing(tmp_path, work)[1]
    assert re.search(r"at 200 steps to start from, got them at \[100, 100\]: the same command", sentence)


def test_a_teacher_must_end_an_iteration_where_it_is_taken(tmp_path: Path) -> None:
    sentence = failing(tmp_path, Work(FIRST, (), 175, taken=(0,)))[0]
    assert re.search(r"must end an iteration at 175 steps, where .*, got one that ends at 200", sentence)


def test_what_others_wait_for_comes_before_what_takes_longer_by_itself(tmp_path: Path) -> None:
    work = missing_work([TRANSFERS], "smoke", None, Library(Stores(Store(tmp_path))))
    assert [item.cell.name for item in work] == ["first", "second", "other first", "third", "third after two"]


# ---- runs played again ----------------------------------------------------------------------------------------------


def test_a_recorded_run_comes_out_the_same_when_it_is_played_again_in_a_process_of_its_own(whole: Path) -> None:
    work = repeatable(FIGURE.cells, Store(whole), n_seeds=2)
    assert [(cell.name, seed) for cell, seed in work] == [(cell.name, s) for cell in FIGURE.cells for s in (0, 1)]
    found = list(repetitions(work, Store(whole), 60.0, 1))
    assert {(item.cell.key, item.seed) for item in found} == {(cell.key, seed) for cell, seed in work}
    for item in found:
        recorded = loaded(whole, item.cell, item.seed)
        assert (item.n_tests, item.steps) == (recorded.steps.size, recorded.n_steps)
        assert item.same_place and not item.failed
        assert item.words.startswith(f"same    {item.cell.name} on Tiny, seed {item.seed}: {item.n_tests} tests up to")


@both_learners
def test_playing_again_ends_after_a_test_when_the_time_is_up(cell: Cell, whole: Path) -> None:
    found = repeated(cell, Store(whole), 0, 0.0)
    assert (found.n_tests, found.differing) == (1, "")
    assert "1 test up to step" in found.words


@pytest.mark.parametrize("device", ["this one", "another"])
def test_other_numbers_than_the_recorded_are_named_and_an_error_on_the_same_machine(
    device: str, whole: Path, tmp_path: Path
) -> None:
    run = loaded(whole, MADDPG_CELL, 0)
    shifted = {name: np.nextafter(values, np.float32(np.inf)) for name, values in run.metrics.items()}
    history = run.history if device == "this one" else (replace(run.history[0], device=device),)
    Store(tmp_path).save(MADDPG_CELL, replace(run, metrics=shifted, history=history))
    found = repeated(MADDPG_CELL, Store(tmp_path), 0, 0.0)
    assert found.failed == (device == "this one")
    assert found.words.startswith("DIFFERS" if found.failed else "drifts ")
    assert f"at step {run.steps[0]:,.0f} is " in found.words


@pytest.mark.parametrize(("parted", "status"), [("", 0), ("x is 1 and not the recorded 2", 1)])
def test_the_command_says_what_came_of_every_run_and_fails_where_one_differs(
    parted: str, status: int, handed_on: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found(work: Sequence[tuple[Cell, int]], *_: Any) -> Iterator[Repetition]:
        yield from (Repetition(cell, seed, 3, 300.0, True, parted, True, (digest(cell),)) for cell, seed in work)

    monkeypatch.setattr(signal, "signal", lambda *_: None)  # which the command line takes over
    monkeypatch.setattr(command_line, "chosen", lambda *_: (TRANSFERS,))
    monkeypatch.setattr(command_line, "repetitions", found)
    assert command_line.main(["repeat", "tiny", "--store", str(handed_on), "--chains", "0.001s"]) == status
    *lines, last = capsys.readouterr().out.splitlines()
    beginners = sum(cell.start is None for cell in TRANSFERS.cells)
    assert [line.split()[0] for line in lines] == ["DIFFERS" if parted else "same"] * beginners
    left_out = f"{len(TRANSFERS.cells) - beginners} that start from others were left out, their chains are longer"
    assert last == f"{status * beginners} of {beginners} differ; {left_out} than --chains"


# ---- two trainers in one store --------------------------------------------------------------------------------------


def held(folder: Path, cell: Cell, seed: int) -> Lock:
    """The right to train a seed, which another process would have."""
    lock = states_of(folder).try_lock(cell.key, seed)
    assert lock is not None
    return lock


def test_a_seed_that_another_process_trains_is_left_to_it(whole: Path, tmp_path: Path, batches: list[Batch]) -> None:
    work = Work(MADDPG_CELL, (0, 1, 2), 400)
    with held(tmp_path, MADDPG_CELL, 1):
        assert outcome(tmp_path, work) == Outcome(whole=(0, 2), elsewhere=(1,))
        Store(tmp_path).save(MADDPG_CELL, loaded(whole, MADDPG_CELL, 1))
    line = Told()
    assert outcome(tmp_path, work, line=line) == Outcome(whole=(0, 1, 2))
    assert batches == [((0, 2), 0)]
    assert [(said.done, said.total) for said in line.progress] == [(1200, 1200)]
    assert curves(tmp_path, MADDPG_CELL, range(3)) == curves(whole, MADDPG_CELL, range(3))


def test_what_another_process_trains_comes_after_all_else(tmp_path: Path) -> None:
    work = [Work(cell, (0, 1), 200) for cell in FIGURE.cells]
    lock = held(tmp_path, work[0].cell, 1)
    notes: set[str] = set()

    def report(latest: Sequence[Progress], _: float) -> None:
        notes.update(one.note for one in latest)
        if Store(tmp_path).missing(work[1].cell, (0, 1), 200) == ():
            lock.release()

    trained = train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", n_jobs=1, report=report)
    assert trained == Trained(complete=True)
    assert [Store(tmp_path).missing(item.cell, (0, 1), 200) for item in work] == [(), ()]
    assert notes == {"", "another process trains it"}


def test_waiting_for_another_process_ends_when_the_time_is_up(tmp_path: Path) -> None:
    work = [Work(MADDPG_CELL, (0,), 200)]
    with held(tmp_path, MADDPG_CELL, 0):
        trained = train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", time_limit=3.0, report=silent)
    assert trained == Trained(complete=False) and Store(tmp_path).keys() == ()


@pytest.mark.parametrize("line", [Told("stop"), Told(ends=time.monotonic())], ids=["interrupt", "time limit"])
def test_once_training_shall_stop_no_second_group_of_seeds_begins(
    tmp_path: Path, batches: list[Batch], line: Told
) -> None:
    trained(tmp_path, MADDPG_CELL, seeds=[1], n_steps=50)
    batches.clear()
    assert not trained(tmp_path, MADDPG_CELL, line=line)
    assert batches == [((0,), 0)] and Store(tmp_path).seeds(MADDPG_CELL.key) == (1,)
    assert [saved(tmp_path, MADDPG_CELL, seed).steps for seed in (0, 1)] == [50, 50]


# ---- processes ------------------------------------------------------------------------------------------------------


@pytest.fixture
def start() -> Iterator[Begin]:
    """Starts the command line on the tiny figures; ends it with the test."""
    with command_lines() as begin:
        yield begin


def test_kill_9_leaves_no_process_behind_and_training_goes_on_bit_for_bit(start: Begin, tmp_path: Path) -> None:
    command = ("run", "tiny", "--profile", "quick", "--seeds", 2, "--store", tmp_path / "killed", "--jobs", 2)
    killed = start(*command, cold=True)

    def tested_once(cell: Cell) -> bool:
        states = [states_of(tmp_path / "killed").latest(cell.key, seed) for seed in (0, 1)]
        return all(state is not None and state.steps > cell.evaluation.every for state in states)

    wait_for(lambda: killed.poll() is not None or all(map(tested_once, FIGURE.cells)), "checkpoints are there")
    assert killed.poll() is None, killed.communicate()
    workers = descendants(killed.pid)
    assert len(workers) >= 3  # with what multiprocessing keeps beside them
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    try:
        wait_for(lambda: not any(map(alive, workers)), "the training processes are gone")
    finally:
        for pid in filter(alive, workers):
            os.kill(pid, signal.SIGKILL)
    for cell in FIGURE.cells:
        assert Store(tmp_path / "killed").seeds(cell.key) == ()
        n_steps = max(saved(tmp_path / "killed", cell, seed).steps for seed in (0, 1)) // 100 * 100 + 200
        for folder in ("killed", "whole"):
            assert trained(tmp_path / folder, cell, n_steps=n_steps)
        assert_same_end(tmp_path / "killed", tmp_path / "whole", cell)


def test_two_command_lines_at_once_on_the_same_cells_both_succeed(start: Begin, whole: Path, tmp_path: Path) -> None:
    command = ["run", "tiny", "--profile", "smoke", "--store", tmp_path, "--jobs", 2]
    processes = [start(*command) for _ in range(2)]
    for process in processes:
        assert heard(process).endswith("complete\n") and process.returncode == 0
    for cell in FIGURE.cells:
        assert Store(tmp_path).seeds(cell.key) == (0, 1)
        assert_same_end(tmp_path, whole, cell)


def test_once_the_time_is_up_nothing_more_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.Processes, "begin", None)
    work = [Work(cell, (0, 1), 400) for cell in FIGURE.cells]
    trained = train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", time_limit=0.0, report=silent)
    assert trained == Trained(complete=False)


def test_a_store_that_cannot_be_written_shows_before_any_process_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(engines.Processes, "begin", None)
    with pytest.raises(StoreError, match="choose another folder"):
        train_all([Work(MADDPG_CELL, (0,), 200)], Store(tmp_path / "file"), states_of(tmp_path), "cpu", report=silent)


# ---- started cells, in processes ------------------------------------------------------------------------------------


class Puppet:
    """A process that trains nothing, says what it is told to say, and ends when it is told to."""

    exitcode = 0

    def __init__(self, item: Work) -> None:
        self.item = item
        self.connection, self.line = Pipe()
        self.sentinel, self.alive = Pipe()

    def is_alive(self) -> bool:
        return not self.alive.closed

    def join(self) -> None:
        self.sentinel.close()

    def ended(self, outcome: Outcome | None = None) -> None:
        """Ends, with all its seeds whole where nothing else came of them."""
        self.line.send(outcome or Outcome(self.item.all_seeds))
        self.alive.close()
        self.line.close()


class Pool:
    """A campaign of puppets."""

    def __init__(self, items: Sequence[Work], n_jobs: int = 9) -> None:
        self.begun: list[Puppet] = []
        self.elsewhere: set[int] = set()  # seeds that another process trains
        self.n_jobs, self.splits = n_jobs, True
        self.campaign = runner._Campaign(items, self, math.inf)

    def begin(self, item: Work) -> engines.Process:
        process: Any = Puppet(item)
        self.begun.append(process)
        return engines.Process(process, process.connection)

    def wait(self, workers: Sequence[engines.Worker], seconds: float) -> None:
        """Everything is said at once."""

    def held(self, item: Work) -> tuple[int, ...]:
        return tuple(seed for seed in item.all_seeds if seed in self.elsewhere)

    def watched(self) -> list[str]:
        """What has begun since the last time, or "the end"."""
        n_begun = len(self.begun)
        going = self.campaign._step()
        return [puppet.item.cell.name for puppet in self.begun[n_begun:]] if going else ["the end"]

    def ends(self, cell: Cell, came_of_it: Callable[[tuple[int, ...]], Outcome] = Outcome) -> None:
        """Ends a cell's process, and takes that in; unless something else came of it, all its seeds are whole."""
        (puppet,) = (one for one in self.begun if one.item.cell == cell and one.is_alive())
        puppet.ended(came_of_it(puppet.item.all_seeds))
        for one in list(self.campaign.running):
            self.campaign._hear(one)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign waits for nobody."""
    monkeypatch.setattr(runner, "REPORT_SECONDS", 0.0)


@pytest.mark.usefixtures("_impatient")
def test_a_cell_begins_as_soon_as_its_teachers_have_ended(tmp_path: Path) -> None:
    pool = Pool(needed(tmp_path, Work(BOTH, (0,), 400), Work(THIRD, (0,), 400)))
    assert pool.watched() == ["other first", "first"]
    pool.ends(OTHER)
    assert pool.watched() == []
    pool.ends(FIRST)
    assert pool.watched() == ["third after two", "second"]
    pool.ends(BOTH)
    assert pool.watched() == []
    pool.ends(SECOND)
    assert pool.watched() == ["third"]
    pool.ends(THIRD)
    assert pool.watched() == ["the end"]


@pytest.mark.usefixtures("_impatient")
def test_what_becomes_ready_goes_before_what_comes_after_it(tmp_path: Path) -> None:
    pool = Pool([*needed(tmp_path, Work(SECOND, (0,), 400)), Work(OTHER, (0,), 400)], n_jobs=1)
    assert pool.watched() == ["first"]
    pool.ends(FIRST)
    assert pool.watched() == ["second"]
    pool.ends(SECOND)
    assert pool.watched() == ["other first"]


def test_what_another_process_trains_is_tried_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(runner, "REPORT_SECONDS", 2.0)
    monkeypatch.setattr(runner, "time", SimpleNamespace(monotonic=lambda: now))

    def elsewhere(seeds: tuple[int, ...]) -> Outcome:
        return Outcome(elsewhere=seeds)

    pool = Pool([Work(FIRST, (0,), 200), Work(OTHER, (0,), 200), Work(MADDPG_CELL, (0,), 200)], n_jobs=1)
    assert pool.watched() == ["first"]
    pool.ends(FIRST, elsewhere)
    assert pool.watched() == ["other first"]
    now = 2.0
    pool.ends(OTHER, elsewhere)
    assert pool.watched() == [MADDPG_CELL.name]
    pool.ends(MADDPG_CELL)
    assert pool.watched() == ["first"]
    pool.ends(FIRST)
    assert pool.watched() == []  # the other one is not due
    now += 2.0
    assert pool.watched() == ["other first"]
    pool.ends(OTHER)
    assert pool.watched() == ["the end"]


@pytest.mark.usefixtures("_impatient")
def test_no_process_begins_only_to_find_its_seeds_taken() -> None:
    pool = Pool([Work(FIRST, (0, 1, 2), 200), Work(OTHER, (1,), 200)], n_jobs=2)
    pool.elsewhere = {1}
    assert pool.watched() == ["first", "first"]
    assert [puppet.item.seeds for puppet in pool.begun] == [(0,), (2,)]
    pool.elsewhere = set()
    for puppet in pool.begun:
        puppet.ended()
    assert pool.watched() == []  # which hears of their ends
    assert pool.campaign.open[FIRST.key] == {1}
    assert sorted(pool.watched()) == ["first", "other first"]
    assert [puppet.item.seeds for puppet in pool.begun[2:]] == [(1,), (1,)]


@pytest.mark.usefixtures("_impatient")
def test_where_a_process_is_free_the_seeds_of_the_one_with_most_left_are_shared_out_while_they_train() -> None:
    pool = Pool([Work(FIRST, (0, 1, 2), 200), Work(OTHER, (0, 1), 200), Work(MADDPG_CELL, (5,), 200)], n_jobs=3)
    assert pool.watched() == ["first", "other first", MADDPG_CELL.name]
    first, other, third = pool.begun
    pool.campaign.running[0].latest = Progress("", 0, 600, 600 / (runner.HALVE_SECONDS + 9))
    pool.campaign.running[1].latest = Progress("", 0, 400, 400 / (runner.HALVE_SECONDS + 1))
    assert not first.line.poll()  # nobody is free
    third.ended()
    assert pool.watched() == [] and pool.watched() == []
    assert first.line.recv() == "halve" and not first.line.poll() and not other.line.poll()
    first.line.send(Released((2,)))
    assert pool.watched() == [] and pool.watched() == ["first"]
    assert [puppet.item.seeds for puppet in pool.begun if puppet.item.cell == FIRST] == [(0, 1, 2), (2,)]
    assert [one.item.seeds for one in pool.campaign.running] == [(0, 1), (0, 1), (2,)]
    first.ended(Outcome(whole=(0, 1)))
    pool.begun[-1].ended(Outcome(whole=(2,)))
    other.ended()
    assert pool.watched() == [] and pool.watched() == ["the end"]
    assert not any(pool.campaign.open.values())


def test_the_time_left_is_reckoned_at_the_speed_of_each_algorithm() -> None:
    begun = [Progress("a", 500, 1000, 100.0, algorithm="MADDPG"), Progress("b", 0, 10, 1.0, algorithm="Merging")]
    waiting = [Progress("c", 0, 1000, math.nan, algorithm="MADDPG"), Progress("d", 0, 5, math.nan, algorithm="Merging")]
    assert runner.time_left([*begun, *waiting], 2) == (5 + 10 + 10 + 5) / 2
    assert math.isnan(runner.time_left(waiting, 2))


@pytest.mark.usefixtures("_impatient")
def test_what_starts_from_a_cell_that_was_stopped_does_not_begin(tmp_path: Path) -> None:
    pool = Pool(needed(tmp_path, Work(THIRD, (0,), 400)))
    assert pool.watched() == ["first"]
    pool.ends(FIRST, lambda _: Outcome())
    assert pool.watched() == ["the end"]


def test_cells_and_what_starts_from_them_are_trained_by_one_call(handed_on: Path, tmp_path: Path) -> None:
    work = missing_work([TRANSFERS], "smoke", None, Library(Stores(Store(tmp_path))))
    assert train_all(work[::-1], Store(tmp_path), states_of(tmp_path), "cpu", n_jobs=2, report=silent).complete
    for cell in TRANSFERS.cells:
        assert_same_end(tmp_path, handed_on, cell)
    without_states(tmp_path, OTHER, FIRST)
    work = [Work(BOTH, (2,), 400)]
    assert train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", n_jobs=2, report=silent).complete
    assert_same_end(tmp_path, handed_on, BOTH, seeds=range(3))


def test_a_time_limit_that_ends_a_teacher_ends_what_starts_from_it(tmp_path: Path) -> None:
    endless = replace(FIRST, env=GAME)
    pupil = replace(SECOND, start=Start(((endless, 100_000_000),), Blended()))
    work = [Work(pupil, (0, 1), 200)]
    trained = train_all(work, Store(tmp_path), states_of(tmp_path), "cpu", time_limit=5.0, report=silent)
    assert trained == Trained(complete=False)
    assert Store(tmp_path).keys() == () and states_of(tmp_path).steps(pupil.key, 0) is None


def test_two_command_lines_at_once_train_what_starts_from_other_cells(
    start: Begin, handed_on: Path, tmp_path: Path
) -> None:
    processes = [start("run", "transfers", "--profile", "smoke", "--store", tmp_path, "--jobs", 2) for _ in range(2)]
    for process in processes:
        assert heard(process).endswith("complete\n") and process.returncode == 0
    for cell in TRANSFERS.cells:
        assert_same_end(tmp_path, handed_on, cell)
    planned = heard(start("plan", "transfers", "--profile", "smoke", "--seeds", 3, "--store", tmp_path))
    assert re.search(r"seeds 2 +200 steps +second ", planned), planned
