"""A game whose agents see the time is the game, and shows the time."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from environments import Discrete, Env, Role, Streams
from environments.push_box import PushBox
from environments.spread import Spread
from environments.timed import Timed


@pytest.mark.parametrize("game", [Spread(3), PushBox(task="III")], ids=["spread", "push box"])
def test_all_numbers_are_the_game_s_and_the_last_one_is_the_time(game: Env[tuple[torch.Tensor, ...]]) -> None:
    env = Timed(game)
    streams, same = (Streams.of([3, 4], "game", "cpu") for _ in range(2))
    state, plain = env.reset(streams, 5), game.reset(same, 5)
    n_agents = game.roles[0].n_agents
    for t in range(game.horizon + 1):
        (seen,), (without,) = env.observe(state), game.observe(plain)
        assert torch.equal(seen[..., :-1], without)
        assert torch.equal(seen[..., -1], torch.full((2, 5, n_agents), t / game.horizon))
        assert torch.equal(env.full_state(state)[..., :-1], game.full_state(plain))
        action = torch.full((2, 5, n_agents), t % 5)
        state, reward, ended = env.step(state, (action,), streams)
        plain, paid, over = game.step(plain, (action,), same)
        assert torch.equal(reward, paid)
        assert torch.equal(ended, over)


def test_a_picture_has_no_place_for_the_time() -> None:
    roles = (Role("viewer", 1, (3, 8, 8), Discrete(5)),)
    viewed = SimpleNamespace(roles=roles, reset=len, step=len, observe=len, full_state=len)
    with pytest.raises(ValueError, match=r"behind a vector, got observations of shapes \[\(3, 8, 8\)\]"):
        Timed(viewed)
