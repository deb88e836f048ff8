"""Stretches of iterations that are recorded and run again, proven on the CPU with a tape in the place of a graph."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any
from unittest.mock import patch

import pytest
import torch
from _tape import tape
from torch import Tensor

from algorithms import _stretches
from algorithms._stand_ins import Recorder, Run
from algorithms._stretches import Stretches, recordable
from algorithms._tree import leaves
from benchmarks import Cell, Evaluation
from benchmarks._training import accelerated, loop
from benchmarks._training.accelerated import _Tests, in_stretches
from benchmarks._training.circumstances import one_thread
from benchmarks._training.loop import Training, played, train
from benchmarks.speed._samples import cells, small
from environments import Streams

one_thread()

FOUND = {name: small(cell) for name, cell in cells().items() if recordable(cell.algorithm)}
N_STEPS = 1_200


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stretches, "LEAST", 5)


def learning(cell: Cell) -> Cell:
    """Begins to learn, to distil, and to forget in the middle of everything."""
    changes = {"first_update": 200, "distill_every": 400, "random_steps": 240, "epsilon_steps": 240, "capacity": 480}
    own = {item.name: changes[item.name] for item in fields(cell.algorithm) if item.name in changes}
    return replace(cell, algorithm=replace(cell.algorithm, **own))


def begun(cell: Cell) -> Any:
    return cell.algorithm.init(cell.env, Streams.of([3, 5], "training", "cpu", ahead=True))


def tensors(state: Any) -> dict[str, Tensor]:
    found = leaves(state)
    streams = {name: leaf.save() for name, leaf in found.items() if isinstance(leaf, Streams)}
    numbers = {name: torch.tensor(leaf) for name, leaf in found.items() if isinstance(leaf, int)}
    return {name: leaf for name, leaf in found.items() if isinstance(leaf, Tensor)} | streams | numbers


def advanced(cell: Cell, recorder: Recorder, until: int, looking: int = N_STEPS) -> tuple[Any, list[int]]:
    """The learner, and the steps of every call."""
    state = begun(cell)
    stretches, calls = Stretches(cell.algorithm, cell.env, state, looking, recorder), []
    while state.steps < until:
        before = state.steps
        stretches.advance(min(until, (before // looking + 1) * looking))
        calls.append(state.steps - before)
    return state, calls


def by_hand(run: Run) -> Run:
    """Records nothing: every kernel is started by Python each time."""
    run()
    return run


@pytest.mark.parametrize("name", FOUND)
def test_what_is_recorded_trains_as_iteration_by_iteration(name: str) -> None:
    """Bit for bit, through tests of which no stretch goes beyond, resets, updates and distillations."""
    cell = learning(FOUND[name])
    by_stretches, calls = advanced(cell, tape, 800, looking=800)
    one_by_one, _ = advanced(cell, by_hand, 800, looking=cell.algorithm.steps_per_update)
    assert calls.count(max(calls)) >= 3  # listened to, recorded, run again
    expected, found = tensors(one_by_one), tensors(by_stretches)
    assert [key for key in expected if not torch.equal(expected[key], found[key])] == []


@pytest.mark.parametrize("name", FOUND)
def test_stand_ins_train_as_the_algorithm_does(name: str) -> None:
    """But for the rounding of the last step of Adam, which grows from update to update."""
    cell = learning(FOUND[name])
    plain = begun(cell)
    while plain.steps < 600:
        cell.algorithm.advance(cell.env, plain)
    state, _ = advanced(cell, tape, 600)
    expected, found = tensors(plain), tensors(state)
    for key in expected:
        n = expected[key].shape[2] if key == ".replay.rows" else None  # that of stand-ins is as long as it gets
        part = found[key][:, :, :n] if n else found[key]
        assert torch.allclose(expected[key].double(), part.double(), rtol=1e-2, atol=1e-4), key


def test_tests_come_when_they_came() -> None:
    """After the same steps, of which some lie within a stretch."""
    cell = replace(learning(FOUND["MADDPG on CooperativeNavigation"]), evaluation=Evaluation(every=300, n_episodes=2))
    found = {}
    for name, way in {"plain": train, "stretches": in_stretches}.items():
        training = Training.of(cell, (0, 1))
        training.learner = begun(cell)
        more: Any = {"recorder": tape} if way is in_stretches else {}
        way(cell, (0, 1), training, N_STEPS, lambda _: False, **more)
        found[name] = training
    assert torch.equal(found["plain"].steps, found["stretches"].steps)
    assert found["plain"].steps[0].tolist() == [300.0, 600.0, 900.0, 1200.0]
    for metric, curve in found["plain"].curves.items():
        assert torch.allclose(curve[:, :2], found["stretches"].curves[metric][:, :2], rtol=1e-2, equal_nan=True), metric


def test_new_memory_for_what_is_learnt_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that is run again would go on writing to the old."""
    cell = learning(FOUND["MADDPG on CooperativeNavigation"])
    learner: Any = type(cell.algorithm)
    play = learner._play

    def moving(self: Any, env: Any, state: Any) -> None:
        play(self, env, state)
        state.copies.returns = state.copies.returns + 0.0

    monkeypatch.setattr(learner, "_play", moving)
    with pytest.raises(ValueError, match=r"writes its state in place, got new memory for \['.copies.returns'\]"):
        advanced(cell, tape, N_STEPS)


@pytest.mark.parametrize("name", FOUND)
def test_a_test_that_is_recorded_finds_the_same(name: str) -> None:
    """Bit for bit, of a policy that goes on learning."""
    cell = learning(FOUND[name])
    training = Training.of(cell, (0, 1))
    tests = _Tests(cell, (0, 1), tape)
    for _ in range(4):
        cell.algorithm.advance(cell.env, training.learner)
        steps = training.learner.steps
        for policy_name, policy in loop.tested_policies(cell, training.learner).items():
            streams = [Streams.of((0, 1), f"{steps}", "cpu", ahead=True) for _ in range(2)]
            with patch.object(accelerated, "test_streams", lambda *_, own=streams[0]: own):
                found = tests(policy_name, policy, steps)
            assert torch.equal(found, played(cell, policy, streams[1]))
