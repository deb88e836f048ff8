"""The rules of the hunters' games on boards that can be drawn by hand, against plain Python, and in random play.

The numbers of random play were measured here, with more episodes than a test has time for. They are none of the
paper's, whose tables know only policies that learn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from benchmarks.speed._yardsticks import PlainHunt
from environments import Streams
from environments.hunters import HARE_HUNTERS, LARGEST_GRID, STAG_HUNTERS, Hunt, Hunters

Cells = Sequence[tuple[int, int]]

REST, RIGHT, LEFT, UP, DOWN = range(5)

HARES, STAGS = 912.0, 4207.0
"""What ten hunters who act at random are paid by ten moving hares, or stags and hares, in 10⁶ steps of whole episodes.

Measured here on 3000 episodes each, of up to 2000 and 1000 steps, with standard errors of 38 and 37. It is what this
code gave, and so a check on what comes later; where a sentence of the rules is read in another way, it comes out
differently: 796 for stags (200 episodes, ± 55) if two hunters had to be beside one at the same time.
"""


def hare(n_hunters: int = 1, n_prey: int = 1, **changes: Any) -> Hunters:
    return Hunters("Hare-Hunters", n_hunters, n_prey, grid=10, horizon=9, **changes)


def stag(n_hunters: int, n_prey: int, **changes: Any) -> Hunters:
    """The first half of the prey are stags that need two."""
    return Hunters("Stag-Hunters", n_hunters, n_prey, grid=10, horizon=9, **changes)


def board(env: Hunters, hunters: Cells, prey: Cells, t: int = 0) -> Hunt:
    """One seed, one copy, nothing hit yet."""
    start = env.reset(Streams.of([0], "unused", "cpu"), 1)
    return start._replace(hunters=_one(hunters), prey=_one(prey), t=torch.full_like(start.t, t))


def play(env: Hunters, state: Hunt, *moves: Sequence[int]) -> tuple[Hunt, list[float], bool]:
    """The state after some joint actions, with the reward and the end that the last of them led to."""
    streams = Streams.of([0], "prey", "cpu")
    reward, ended = torch.empty(0), torch.empty(0)
    for actions in moves:
        state, reward, ended = env.step(state, (_one(actions),), streams)
    return state, reward[0, 0].tolist(), bool(ended)


def _one(numbers: Any) -> Tensor:
    return torch.tensor(numbers)[None, None]


def hit(state: Hunt) -> list[int]:
    return state.captured[0, 0].tolist()


# Who is near enough


@pytest.mark.parametrize(
    ("hunter", "caught"),
    [
        ((0, 0), True),
        ((9, 0), True),  # round the edge
        ((0, 9), True),
        ((1, 0), True),
        ((0, 1), True),
        ((1, 1), False),
        ((9, 9), False),
        ((9, 1), False),
        ((2, 0), False),
        ((8, 0), False),
        ((0, 5), False),
    ],
)
def test_a_hunter_hits_what_is_in_its_cell_or_on_one_of_four_sides_of_a_torus(
    hunter: tuple[int, int], caught: bool
) -> None:
    state, reward, ended = play(hare(), board(hare(), [hunter], [(0, 0)]), [REST])
    assert hit(state) == [0 if caught else -1]
    assert state.hits.tolist() == [[[0 if caught else 1]]]
    assert reward == [float(caught)]
    assert ended == caught


def test_hunters_go_first_and_hit_from_where_they_are_then() -> None:
    state, _, ended = play(hare(), board(hare(), [(7, 0)], [(9, 0)]), [RIGHT])
    assert ended
    assert state.hunters.tolist() == [[[[8, 0]]]]
    assert not play(hare(), board(hare(), [(8, 0)], [(9, 0)]), [LEFT])[2]


@pytest.mark.parametrize(
    ("action", "cell"), [(REST, (0, 9)), (RIGHT, (1, 9)), (LEFT, (9, 9)), (UP, (0, 0)), (DOWN, (0, 8))]
)
def test_a_hunter_stays_or_goes_to_one_of_four_sides_and_over_the_edge(action: int, cell: tuple[int, int]) -> None:
    state, _, _ = play(hare(), board(hare(), [(0, 9)], [(5, 5)]), [action])
    assert state.hunters.tolist() == [[[list(cell)]]]


# Who hits what


def test_one_of_two_hunters_beside_a_hare_is_frozen_the_one_with_the_lower_index() -> None:
    env = hare(3, 2)
    state, reward, ended = play(env, board(env, [(0, 0), (5, 4), (5, 6)], [(9, 5), (5, 5)]), [REST] * 3)
    assert hit(state) == [-1, 1, -1]
    assert state.hits.tolist() == [[[1, 0]]]
    assert (reward, ended) == ([0.0] * 3, False)


def test_a_hunter_beside_two_hares_hits_the_one_with_the_lower_index_and_the_next_hunter_the_other() -> None:
    env = hare(2, 3)
    state, _, _ = play(env, board(env, [(5, 5), (5, 5)], [(0, 0), (5, 4), (4, 5)]), [REST] * 2)
    assert hit(state) == [1, 2]


def test_what_another_has_just_hit_is_not_in_the_way_of_what_is_near() -> None:
    env = hare(3, 3)
    state, _, _ = play(env, board(env, [(5, 5), (5, 7), (5, 6)], [(5, 6), (5, 8), (5, 6)]), [REST] * 3)
    assert hit(state) == [0, 1, 2]


def test_a_stag_needs_two_hunters_who_need_not_come_together() -> None:
    env = stag(3, 2)
    state, reward, ended = play(env, board(env, [(5, 4), (5, 8), (5, 9)], [(5, 5), (0, 0)]), [REST, DOWN, REST])
    assert hit(state) == [0, -1, -1]
    assert state.hits.tolist() == [[[1, 1]]]
    assert (reward, ended) == ([0.0] * 3, False)
    state, _, ended = play(env, state, [REST, DOWN, DOWN], [REST, REST, DOWN])
    assert hit(state) == [0, 0, -1]
    assert state.hits.tolist() == [[[0, 1]]]
    assert not ended


def test_of_three_hunters_beside_a_stag_two_hit_it() -> None:
    env = stag(3, 2)
    state, _, _ = play(env, board(env, [(5, 4), (5, 6), (4, 5)], [(5, 5), (0, 0)]), [REST] * 3)
    assert hit(state) == [0, 0, -1]


# What is paid, and when


def test_hares_pay_one_to_every_hunter_and_only_if_all_are_caught() -> None:
    env = hare(3, 2)
    start = board(env, [(5, 4), (0, 3), (8, 8)], [(5, 5), (0, 0)])
    assert play(env, start, [REST, DOWN, REST])[1:] == ([0.0] * 3, False)
    assert play(env, start, *[[REST, DOWN, REST]] * 2)[1:] == ([1.0] * 3, True)


def test_hares_caught_in_the_last_step_pay_and_a_step_later_they_do_not() -> None:
    env = hare(2, 1)
    start = board(env, [(5, 3), (0, 0)], [(5, 5)], t=8)
    state, reward, ended = play(env, start, [UP, REST])
    assert (reward, ended) == ([1.0] * 2, True)
    late, reward, ended = play(env, start, [REST, REST])
    assert (reward, ended) == ([0.0] * 2, True)
    assert play(env, late, [UP, REST])[1:] == ([0.0] * 2, True)
    assert state.t.item() == late.t.item() == 9


def test_some_hares_are_worth_nothing_when_the_time_is_up() -> None:
    env = hare(2, 2)
    assert play(env, board(env, [(5, 4), (0, 0)], [(5, 5), (2, 8)], t=8), [REST] * 2)[1:] == ([0.0] * 2, True)


def test_stags_and_hares_pay_those_who_have_hit_them_and_are_kept_when_the_time_is_up() -> None:
    env = stag(6, 4)
    hunters = [
        (5, 4),
        (5, 6),
        (0, 1),
        (2, 8),
        (0, 4),
        (8, 3),
    ]  # two at a stag, one at a stag, two at hares, one nowhere
    start = board(env, hunters, [(5, 5), (0, 0), (2, 8), (0, 5)], t=7)
    state, reward, ended = play(env, start, [REST] * 6)
    assert hit(state) == [0, 0, 1, 2, 3, -1]
    assert (reward, ended) == ([0.0] * 6, False)
    _, reward, ended = play(env, state, [REST] * 6)
    assert reward == pytest.approx([1.0, 1.0, 0.0, 0.1, 0.1, 0.0])
    assert ended


def test_a_game_ends_when_every_hunter_is_frozen() -> None:
    env = stag(2, 4)
    start = board(env, [(0, 1), (2, 8)], [(5, 5), (0, 0), (2, 8), (0, 5)])
    _, reward, ended = play(env, start, [REST] * 2)
    assert reward == pytest.approx([0.0, 0.1])
    assert ended
    assert play(hare(1, 2), board(hare(1, 2), [(0, 1)], [(0, 0), (5, 5)]), [REST])[1:] == ([0.0], True)


# What stays where it is


def test_frozen_hunters_and_caught_prey_stay_while_the_others_go_on() -> None:
    env = stag(4, 4, moving=True)
    state, _, _ = play(env, board(env, [(5, 5), (5, 5), (0, 0), (9, 9)], [(5, 5), (0, 0), (2, 7), (7, 2)]), [REST] * 4)
    frozen, caught = state.captured >= 0, state.hits == 0
    assert frozen[0, 0, :2].all()
    assert caught[0, 0, 0]
    # The stag that one hunter has hit is still alive.
    wounded = state._replace(hits=_one([0, 1, 1, 1]), captured=_one([0, 0, 1, -1]), hunters=_one([(5, 5)] * 4))
    places = [wounded.prey]
    streams, after = Streams.of([0], "walk", "cpu"), wounded
    for _ in range(5):
        after, _, ended = env.step(after, (_one([UP, UP, UP, UP]),), streams)
        places.append(after.prey)
        assert not ended
    assert after.hunters[0, 0].tolist() == [[5, 5]] * 3 + [[5, 0]]
    walked = (torch.stack(places).diff(dim=0) != 0).flatten(0, 2).any(0).any(-1)
    assert walked.tolist() == [False, True, True, True]


def test_prey_stays_where_it_is_unless_it_is_moving() -> None:
    start = HARE_HUNTERS.reset(Streams.of([0], "start", "cpu"), 3)
    after, _, _ = HARE_HUNTERS.step(start, (torch.zeros(1, 3, 10, dtype=torch.int64),), Streams.of([0], "a", "cpu"))
    assert torch.equal(after.prey, start.prey)


def test_moving_prey_stays_or_goes_to_each_side_with_equal_probability() -> None:
    env = Hunters("Hare-Hunters", 1, 1, moving=True)
    state = env.reset(Streams.of([0], "start", "cpu"), 20_000)
    far = state._replace(hunters=(state.prey + 25) % 50)
    after, _, _ = env.step(far, (torch.zeros(1, 20_000, 1, dtype=torch.int64),), Streams.of([0], "walk", "cpu"))
    stride = (after.prey - far.prey + 1) % 50 - 1
    moves, counts = stride.flatten(0, 2).unique(dim=0, return_counts=True)
    assert sorted(moves.tolist()) == [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]
    assert (counts - 4000).abs().max() < 5 * math.sqrt(20_000 * 0.2 * 0.8)


def test_nothing_moves_and_nothing_is_paid_after_the_end() -> None:
    env = stag(2, 2, moving=True)
    ended = play(env, board(env, [(5, 4), (0, 1)], [(5, 5), (0, 0)], t=8), [REST] * 2)[0]
    for again in (play(env, ended, [UP, UP]), play(env, ended, [UP, UP], [LEFT, RIGHT])):
        assert all(torch.equal(field, kept) for field, kept in zip(again[0], ended, strict=True))
        assert again[1:] == ([0.0] * 2, True)


def test_a_learner_puts_a_fresh_game_in_the_place_of_one_that_has_ended() -> None:
    env = Hunters("Hare-Hunters", 2, 2, grid=5, horizon=20)
    streams, actors = Streams.of([0, 1], "game", "cpu"), Streams.of([0, 1], "actions", "cpu")
    state, n_games = env.reset(streams, 5), 0
    for _ in range(100):
        state, reward, ended = env.step(state, (actors.integers(5, 2, high=5),), streams)
        assert not reward[~ended].any()
        fresh = env.reset(streams, 5)
        state = Hunt(
            *(
                torch.where(ended.view(2, 5, *[1] * (old.dim() - 2)), new, old)
                for new, old in zip(fresh, state, strict=True)
            )
        )
        assert (state.t[ended] == 0).all()
        assert (state.t[~ended] > 0).all()
        n_games += int(ended.sum())
    assert n_games > 50


# What is seen


def test_a_hunter_sees_itself_the_others_and_the_prey_the_shorter_way_round() -> None:
    env = stag(2, 2)
    state = board(env, [(0, 5), (9, 5)], [(4, 0), (5, 9)], t=3)._replace(captured=_one([-1, 0]), hits=_one([1, 1]))
    seen = env.observe(state)[0][0, 0].tolist()
    status = [1.0, 1.0, 3 / 9]
    assert seen[0] == pytest.approx([-1.0, 0.0, -0.2, 0.0, 0.8, -1.0, -1.0, 0.8, 0.0, 1.0, *status])
    assert seen[1] == pytest.approx([0.8, 0.0, 0.2, 0.0, -1.0, -1.0, -0.8, 0.8, 1.0, 0.0, *status])


def test_marks_are_where_the_things_are_on_the_planes_of_what_they_are() -> None:
    env = stag(3, 6)
    prey = [(1, 0), (2, 0), (3, 0), (4, 7), (4, 7), (5, 0)]
    state = board(env, [(0, 9), (0, 9), (8, 7)], prey)
    state = state._replace(captured=_one([-1, -1, 0]), hits=_one([1, 2, 0, 1, 1, 0]))
    picture = torch.zeros(math.prod(env.planes), dtype=torch.int64)
    picture.index_add_(0, env.cells(state)[0, 0], torch.ones(2 * 3 + 6, dtype=torch.int64))
    marks = {
        tuple(at.tolist()): int(picture.view(*env.planes)[tuple(at)]) for at in picture.view(*env.planes).nonzero()
    }
    assert env.planes == (9, 10, 10)
    assert marks == {
        **{(0, 0, 9): 1, (1, 0, 9): 1, (2, 8, 7): 1},  # each alone
        **{(3, 0, 9): 2, (4, 8, 7): 1},  # free, frozen
        **{(5, 3, 0): 1, (5, 5, 0): 1},  # caught
        **{(6, 4, 7): 2},  # hares
        **{(7, 1, 0): 1, (8, 2, 0): 1},  # stags that need one, and two
    }


def test_there_are_no_planes_of_stags_where_there_are_none() -> None:
    assert HARE_HUNTERS.planes == (14, 50, 50)
    assert STAG_HUNTERS.planes == (16, 50, 50)


def test_a_game_that_is_neither_is_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^game of Hunters must be 'Hare-Hunters' or 'Stag-Hunters', got"):
        Hunters("Boar-Hunters")  # type: ignore[arg-type]


def test_stag_hunters_without_a_stag_is_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^the first half of the prey are stags: n_prey must be at least 2, got 1$"):
        Hunters("Stag-Hunters", n_prey=1)


def test_distances_hold_on_the_largest_grid_and_a_larger_one_is_answered_with_a_sentence() -> None:
    env = Hunters("Hare-Hunters", 1, 2, grid=LARGEST_GRID)
    start = board(env, [(0, 0)], [(LARGEST_GRID // 2, LARGEST_GRID // 2), (LARGEST_GRID - 1, 0)])
    assert hit(play(env, start, [REST])[0]) == [1]
    with pytest.raises(ValueError, match="grid must be at most 32767, got 32768"):
        Hunters(grid=LARGEST_GRID + 1)


# The same games in plain Python


GAMES: tuple[Hunters, ...] = (
    Hunters("Hare-Hunters", 4, 4, moving=True, grid=6, horizon=40),
    Hunters("Hare-Hunters", 7, 5, grid=8, horizon=40),
    Hunters("Stag-Hunters", 8, 6, moving=True, grid=7, horizon=40),
    Hunters("Stag-Hunters", 5, 8, moving=True, hits_per_stag=3, grid=5, horizon=40),
    Hunters("Stag-Hunters", 20, 20, grid=20, horizon=40),
)


@pytest.mark.parametrize("env", GAMES, ids=lambda env: f"{env.game}-{env.n_hunters}-{env.n_prey}")
def test_every_transition_is_that_of_plain_python(env: Hunters) -> None:
    shape = 2, 3
    walk, twin, actors = (Streams.of([4, 5], purpose, "cpu") for purpose in ("walk", "walk", "actions"))
    state = env.reset(Streams.of([4, 5], "start", "cpu"), shape[1])
    plain = {at: _plain(env, state, *at) for at in itertools.product(*map(range, shape))}
    paid = 0.0
    for _ in range(env.horizon + 2):
        actions = actors.integers(shape[1], env.n_hunters, high=5)
        strides = twin.integers(shape[1], env.n_prey, high=5) * env.moving
        state, reward, ended = env.step(state, (actions,), walk)
        paid += reward.sum().item()
        for at, hunt in plain.items():
            expected = hunt.step(actions[at].tolist(), strides[at].tolist())
            assert reward[at].tolist() == pytest.approx(expected)
            assert bool(ended[at]) == hunt.ended
            assert state.t[at].item() == hunt.t
            assert list(map(tuple, state.hunters[at].tolist())) == hunt.hunters
            assert list(map(tuple, state.prey[at].tolist())) == hunt.prey
            assert state.hits[at].tolist() == hunt.needs
            assert state.captured[at].tolist() == [-1 if prey is None else prey for prey in hunt.hit]
    assert paid > 0


def _plain(env: Hunters, state: Hunt, seed: int, copy: int) -> PlainHunt:
    hunters, prey = ([(x, y) for x, y in places[seed, copy].tolist()] for places in (state.hunters, state.prey))
    return PlainHunt(env.grid, env.horizon, env.n_stags, hunters, prey, state.hits[seed, copy].tolist())


# Random play


def random_play(env: Hunters, n_envs: int) -> tuple[Tensor, Tensor]:
    """The return, summed over hunters, and the length of one episode a copy. Shapes: both [E]."""
    streams, actors = Streams.of([0], "game", "cpu"), Streams.of([0], "actions", "cpu")
    state, total = env.reset(streams, n_envs), torch.zeros(n_envs)
    for _ in range(env.horizon):
        state, reward, _ = env.step(state, (actors.integers(n_envs, env.n_hunters, high=5),), streams)
        total += reward[0].sum(-1)
    return total, state.t[0, :, 0].float()


def per_million_steps(total: Tensor, length: Tensor) -> tuple[float, float]:
    """What all episodes paid in 10⁶ steps, and the standard error of that. Shapes: both [E]."""
    rate = total.sum() / length.sum()
    error = (total - rate * length).std() / length.mean() / math.sqrt(len(total))
    return 1e6 * rate.item(), 1e6 * error.item()


def test_hunters_at_random_catch_as_many_moving_hares_as_they_did_when_it_was_measured() -> None:
    rate, error = per_million_steps(*random_play(Hunters("Hare-Hunters", moving=True), 200))
    assert abs(rate - HARES) < 4 * error
    assert error < 0.25 * HARES


def test_hunters_at_random_catch_as_many_moving_stags_as_they_did_when_it_was_measured() -> None:
    rate, error = per_million_steps(*random_play(Hunters("Stag-Hunters", moving=True, horizon=1000), 200))
    assert abs(rate - STAGS) < 4 * error
    assert error < 0.05 * STAGS
