"""How far students get: as far as they can, which is all the way where they see what their teacher sees."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms._networks import Linear
from algorithms.ctedd import CTEDD, CTEDDState
from algorithms.tuition import Handover, Tuition, TuitionState, parted
from environments import Streams
from environments.cooperative_navigation import CooperativeNavigation

torch.set_num_threads(1)

ALONE = CooperativeNavigation(n_agents=1, n_landmarks=1)
LEARNER = CTEDD(message_sizes=(0,), hidden=16, batch_size=64, capacity=4_000, n_envs=8, steps_per_update=40)
TUITION = Tuition(LEARNER)


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0,), "tuition", "cpu")


def seeing_no_more(state: CTEDDState) -> None:
    """A teacher whose trunk looks at what an agent sees: its velocity and the way to the landmark, both signs of each.

    Shapes: the full state is position, velocity, landmark; every field [x, y].
    """
    one, none = torch.eye(2), torch.zeros(2, 2)
    seen = torch.cat([torch.cat([none, one, none], dim=1), torch.cat([-one, none, one], dim=1)])  # [4, 6]
    trunk = torch.zeros_like(state.actor.trunk[0].weight)
    trunk[:, :8] = torch.cat([seen, -seen])
    state.actor = state.actor._replace(trunk=(Linear(trunk, torch.zeros_like(state.actor.trunk[0].bias)),))


@cache
def teacher(*seeds: int) -> CTEDDState:
    """Who has played and not learnt, so that its networks are as simple as a student's."""
    state = LEARNER.init(ALONE, streams(*seeds))
    seeing_no_more(state)
    for _ in range(90):
        replace(LEARNER, first_update=10**6).advance(ALONE, state)
    return state


def begun(tuition: Tuition, *seeds: int) -> TuitionState:
    state = tuition.init(ALONE, streams(*seeds))
    Handover()(tuition, ALONE, state, [(ALONE, teacher(*seeds))])
    return state


def taught(tuition: Tuition, state: TuitionState, n_passes: int) -> list[Tensor]:
    """The lowest held-out loss after every pass."""
    found = []
    for _ in range(n_passes):
        tuition.advance(ALONE, state)
        found.append(state.pupils[0].lowest.clone())
    return found


def test_a_student_that_can_be_what_its_teacher_is_becomes_that() -> None:
    state = begun(TUITION, 0)
    losses = taught(TUITION, state, 60)
    assert losses[-1] < 2e-3  # two random policies differ by about 1
    game = ALONE.reset(streams(5), 50)
    of_teacher, of_student = (TUITION.policies(state)[name](ALONE, game)[0] for name in ("G", "L-0"))
    assert (of_teacher - of_student).abs().max() < 0.2
    assert (of_teacher - of_student).abs().mean() < 0.03


def test_the_level_is_kept_and_teaching_ends_where_nothing_falls() -> None:
    impatient = replace(TUITION, patience=1, n_stages=2)
    state = begun(impatient, 0)
    losses = taught(impatient, state, 40)
    assert losses == sorted(losses, reverse=True)
    assert state.pupils[0].stage.item() == 2
    stood = deepcopy(state.pupils[0])
    drawn = state.streams.save()
    impatient.advance(ALONE, state)
    assert torch.equal(state.streams.save(), drawn)
    before, after = ((pupil.policies, pupil.best) for pupil in (stood, state.pupils[0]))
    for old, new in zip(networks.tensors(before), networks.tensors(after), strict=True):
        assert torch.equal(old, new)


def test_a_stage_ends_after_as_many_passes_as_said_and_its_steps_are_a_quarter() -> None:
    stuck = replace(TUITION, patience=2, learner=replace(LEARNER, learning_rate=0.0))
    state = begun(stuck, 0)
    stages = []
    for _ in range(6):
        stuck.advance(ALONE, state)
        stages.append((state.pupils[0].stage.item(), state.pupils[0].waited.item()))
    assert stages == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    moved = {}
    for stage in (0, 1):
        state = begun(TUITION, 0)
        state.pupils[0].stage += stage
        before = networks.clone(state.pupils[0].policies)
        batch = state.replay.sample(streams(3), 64)
        TUITION._teach(ALONE, state.actor, state.pupils, batch.state)
        pairs = zip(*map(networks.tensors, (before, state.pupils[0].policies)), strict=True)
        moved[stage] = max((new - old).abs().max().item() for old, new in pairs)
    assert moved[1] == pytest.approx(moved[0] / 4, rel=1e-3)


def test_a_student_stands_as_it_was_when_its_loss_was_lowest_and_no_later() -> None:
    state = begun(TUITION, 0)
    taught(TUITION, state, 3)
    pupil = state.pupils[0]
    best, lowest = networks.clone(pupil.best), pupil.lowest.clone()
    for weight in networks.tensors(pupil.policies):
        weight.add_(3.0)
    TUITION._examine(ALONE, state, state.pupils)
    assert torch.equal(pupil.lowest, lowest) and pupil.waited.item() == 1
    for old, new in zip(*map(networks.tensors, (best, pupil.best)), strict=True):
        assert torch.equal(old, new)


def test_a_student_of_a_teacher_that_diverged_is_no_number() -> None:
    state = begun(TUITION, 0)
    for weight in networks.tensors(state.actor):
        weight.fill_(torch.nan)
    taught(TUITION, state, 1)
    assert state.pupils[0].lowest.isnan().all()
    assert TUITION.policies(state)["L-0"](ALONE, ALONE.reset(streams(5), 2))[0].isnan().all()


def test_what_is_held_out_is_one_copy_and_is_not_learnt_from() -> None:
    replay = teacher(0).replay
    some, one = parted(replay)
    assert (some.n_envs, one.n_envs) == (7, 1)
    assert (some.oldest, one.oldest) == (replay.oldest, replay.oldest)
    every = replay.between(replay.oldest, replay.n_steps)
    parts = [part.between(replay.oldest, replay.n_steps) for part in (some, one)]
    for whole, *cut in zip(every.state, *(part.state for part in parts), strict=True):
        n_steps = replay.n_steps - replay.oldest
        copies = torch.cat([part.unflatten(1, (n_steps, -1)) for part in cut], dim=2)
        assert torch.equal(whole.unflatten(1, (n_steps, -1)), copies)


def test_seeds_end_when_they_end_and_not_when_others_do() -> None:
    impatient = replace(TUITION, patience=1, n_stages=1)
    both, alone = begun(impatient, 0, 1), begun(impatient, 1)
    for _ in range(15):
        impatient.advance(ALONE, both)
        impatient.advance(ALONE, alone)
    assert torch.equal(both.pupils[0].lowest[1:], alone.pupils[0].lowest)
    for of_both, own in zip(*(networks.tensors(of.pupils[0].best) for of in (both, alone)), strict=True):
        assert torch.equal(of_both[1:], own)


def test_a_learner_of_one_copy_has_none_to_hold_out() -> None:
    with pytest.raises(ValueError, match="n_envs of the learner must be 2 or more, got 1"):
        Tuition(CTEDD(n_envs=1))
