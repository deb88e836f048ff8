"""The game and the learner, by hand. What every game and every learner keeps to is asked by `benchmarks check`."""

from __future__ import annotations

import torch

from environments import Streams

from .fig1 import LEARNERS
from .game import Meeting, Places

BACK, STAY, ON = 0, 1, 2


def after(place: tuple[float, float], actions: tuple[int, int]) -> tuple[list[float], list[float]]:
    """Where both stand after a step, and what they are paid."""
    state, chosen = Places(torch.tensor([[place]])), torch.tensor([[actions]])
    state, reward, _ = Meeting().step(state, (chosen,), Streams.of([0], "game", "cpu"))
    return state.place[0, 0].tolist(), reward[0, 0].tolist()


def test_who_stand_in_one_place_are_paid() -> None:
    assert after((2, 3), (ON, STAY)) == ([3, 3], [1, 1])
    assert after((2, 2), (STAY, STAY)) == ([2, 2], [1, 1])


def test_who_go_towards_each_other_may_miss_each_other() -> None:
    assert after((2, 3), (ON, BACK)) == ([3, 2], [0, 0])


def test_the_ring_has_no_end() -> None:
    assert after((6, 0), (ON, STAY)) == ([0, 0], [1, 1])
    assert after((0, 6), (BACK, STAY)) == ([6, 6], [1, 1])


def test_agents_see_how_far_the_other_one_is_ahead() -> None:
    (seen,) = Meeting().observe(Places(torch.tensor([[[5.0, 1.0]]])))
    assert seen[0, 0].argmax(-1).tolist() == [3, 4]


def test_values_of_what_pays_rise() -> None:
    learner, game = LEARNERS.algorithm, LEARNERS.env
    state = learner.init(game, Streams.of([0, 1], "training", "cpu"))
    for _ in range(20):
        learner.advance(game, state)
    stays_together = state.values[:, :, 0, STAY]
    assert (stays_together > 1).all()
