"""Survival by hand, against the rules told in plain Python, and against the engine that the paper used."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from environments import Streams, _memory
from environments._views import EAST, NORTH, SOUTH, WEST, disc, views
from environments.survival import Crowd, Survival, block_cells, food_cells, ring_cells

Thing = tuple[int, ...]

MOVES = {(0, -2): 0, (-1, -1): 1, (0, -1): 2, (1, -1): 3, (-2, 0): 4, (-1, 0): 5, (0, 0): 6, (1, 0): 7, (2, 0): 8}
MOVES |= {(-1, 1): 9, (0, 1): 10, (1, 1): 11, (0, 2): 12}
"""The number of the move that leads to (dx, dy) for somebody who faces north."""
RIGHT, LEFT = 13, 14
ATTACKS = {(-1, -1): 15, (0, -1): 16, (1, -1): 17, (-1, 0): 18, (1, 0): 19, (-1, 1): 20, (0, 1): 21, (1, 1): 22}
STAY = MOVES[0, 0]
SIDE = 12
FAR = (10, 10)
"""Where food lies that only keeps the game going."""


def game(agents: int, food: int = 1, **settings: Any) -> Survival:
    return Survival(n_agents=agents, n_food=food, map_size=SIDE, **settings)


def crowd(env: Survival, agents: list[Thing], food: list[Thing] | None = None) -> Crowd:
    """One copy with agents (x, y), facing north, or (x, y, heading), and food (x, y), or (x, y, hit points)."""
    facing = [(*agent, NORTH)[:3] for agent in agents]
    lying = [(*thing, env.food_hp)[:3] for thing in food or [FAR]]
    return Crowd(
        position=torch.tensor([[[agent[:2] for agent in facing]]]),
        heading=torch.tensor([[[agent[2] for agent in facing]]]),
        hp=torch.full((1, 1, len(agents)), env.agent_hp),
        food_position=torch.tensor([[[thing[:2] for thing in lying]]]),
        food_hp=torch.tensor([[[thing[2] for thing in lying]]]),
        last_action=torch.full((1, 1, len(agents)), -1),
        last_reward=torch.zeros(1, 1, len(agents)),
    )


def play(
    env: Survival, state: Crowd, actions: list[int], turn: list[int] | None = None
) -> tuple[Crowd, list[float], bool]:
    """The step in which agents are asked in the order of `turn`; by their index where none is given."""
    order = torch.tensor([[turn or list(range(env.n_agents))]])
    after, reward, terminated = env.resolved(state, torch.tensor([[actions]]), order)
    return after, [round(number, 6) for number in reward[0, 0].tolist()], bool(terminated)


def places(state: Crowd) -> list[tuple[int, ...]]:
    return [tuple(place) for place in state.position[0, 0].tolist()]


def alive(state: Crowd) -> list[bool]:
    lives: list[bool] = state.alive[0, 0].tolist()
    return lives


# --- eating and killing --------------------------------------------------------------------------------------------


def test_eating_takes_five_hits_and_may_pay_at_the_last_only() -> None:
    env = game(1, 2, hit_reward=0.0)
    state = crowd(env, [(5, 5)], [(5, 4), FAR])
    paid, left = [], []
    for _ in range(5):
        state, reward, terminated = play(env, state, [ATTACKS[0, -1]])
        paid += reward
        left.append(int(state.food_hp[0, 0, 0]))
    assert paid == [-0.11, -0.11, -0.11, -0.11, 4.89]
    assert left == [19, 13, 7, 1, -5]
    assert not terminated
    assert play(env, state, [ATTACKS[0, -1]])[1] == [-0.11]  # nothing is left there, and nothing grows back


def test_each_hit_is_paid_as_in_magents_game() -> None:
    env = game(1, 2)
    state = crowd(env, [(5, 5)], [(5, 4), FAR])
    paid = []
    for _ in range(5):
        state, reward, _ = play(env, state, [ATTACKS[0, -1]])
        paid += reward
    assert paid == [0.39, 0.39, 0.39, 0.39, 4.89]


@pytest.mark.parametrize(("turn", "paid"), [([0, 1], [4.89, -0.11]), ([1, 0], [-0.11, 4.89])])
def test_of_two_who_eat_one_food_the_first_to_kill_it_is_paid(turn: list[int], paid: list[float]) -> None:
    env = game(2, 2)
    state = crowd(env, [(5, 5), (5, 3)], [(5, 4, 1), FAR])
    after, reward, _ = play(env, state, [ATTACKS[0, -1], ATTACKS[0, 1]], turn)
    assert reward == paid
    assert after.food_left[0, 0].tolist() == [False, True]


def test_the_hit_that_kills_is_the_fifth_whoever_it_comes_from() -> None:
    env = game(6, 2, hit_reward=0.5)
    around = {(-1, -1): 0, (0, -1): 1, (1, -1): 2, (-1, 0): 3, (1, 0): 4, (-1, 1): 5}
    state = crowd(env, [(5 + dx, 5 + dy) for dx, dy in around], [(5, 5), FAR])
    actions = [ATTACKS[-dx, -dy] for dx, dy in around]
    after, reward, _ = play(env, state, actions, [5, 4, 3, 2, 1, 0])
    assert reward == [-0.11, 4.89, 0.39, 0.39, 0.39, 0.39]  # the last of six hits what is no more
    assert after.food_hp[0, 0].tolist() == [-5, 25]


def test_attacking_in_a_group_can_pay() -> None:
    env = game(4, group_reward=1.0)
    # 0 and 1 stand beside 2, and strike; 3 is alone with nobody.
    state = crowd(env, [(5, 5), (6, 5), (5, 4), (9, 9)])
    strike = [ATTACKS[0, -1], ATTACKS[-1, -1], STAY, STAY]
    after, reward, _ = play(env, state, strike, [0, 1, 2, 3])
    assert reward == [0.89, -0.11, -1.0, -0.01]  # the second finds nobody: one blow kills
    assert alive(after) == [True, True, False, True]
    apart = crowd(env, [(5, 5), (8, 5), (5, 4), (9, 9)])
    assert play(env, apart, [ATTACKS[0, -1], STAY, STAY, STAY])[1] == [-0.11, -0.01, -1.0, -0.01]
    assert play(game(4), state, strike)[1][0] == -0.11
    fed = game(4, 2, group_reward=1.0)
    eater = crowd(fed, [(5, 5), (6, 5), (6, 4), (9, 9)], [(5, 4), FAR])
    assert play(fed, eater, [ATTACKS[0, -1], STAY, STAY, STAY])[1][0] == 0.39  # food is nobody


def test_hitting_nothing_or_the_wall_costs_as_much() -> None:
    env = game(2)
    state = crowd(env, [(5, 5), (1, 1)])
    after, reward, _ = play(env, state, [ATTACKS[0, -1], ATTACKS[-1, 0]])
    assert reward == [-0.11, -0.11]
    assert places(after) == [(5, 5), (1, 1)]


def test_killing_an_agent_costs_the_attack_and_the_victim_exactly_one() -> None:
    env = game(2)
    state = crowd(env, [(5, 5), (5, 4)])
    after, reward, terminated = play(env, state, [ATTACKS[0, -1], MOVES[0, -2]], [1, 0])
    assert reward == [-0.11, -1.0]
    assert alive(after) == [True, False]
    assert after.hp[0, 0].tolist() == [3, -3]
    assert not terminated


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_who_attack_each_other_the_first_lives(first: int) -> None:
    env = game(2)
    state = crowd(env, [(5, 5), (5, 4, SOUTH)])
    after, reward, _ = play(env, state, [ATTACKS[0, -1]] * 2, [first, 1 - first])
    assert alive(after) == [first == 0, first == 1]
    assert sorted(reward) == [-1.0, -0.11]


@pytest.mark.parametrize(
    ("turn", "lives"),
    [
        ([0, 1, 2, 3], [True, False, True, False]),  # 0 kills 1, so 2 lives to kill 3
        ([3, 2, 1, 0], [True, False, False, False]),  # each kills the next before it is killed itself
        ([1, 0, 2, 3], [True, False, False, True]),  # 1 kills 2 first, so 3 lives
    ],
)
def test_who_was_killed_before_its_turn_kills_nobody(turn: list[int], lives: list[bool]) -> None:
    env = game(4)
    state = crowd(env, [(5, 8), (5, 7), (5, 6), (5, 5)])
    after, reward, _ = play(env, state, [ATTACKS[0, -1]] * 3 + [STAY], turn)
    assert alive(after) == lives
    assert [number == -1.0 for number in reward] == [not living for living in lives]


def test_who_eats_and_is_killed_in_the_same_step_is_paid_for_death_alone() -> None:
    env = game(2, 2, hit_reward=0.5)
    state = crowd(env, [(5, 5), (5, 6)], [(5, 4, 1), FAR])
    after, reward, _ = play(env, state, [ATTACKS[0, -1]] * 2)
    assert reward == [-1.0, -0.11]
    assert after.food_left[0, 0].tolist() == [False, True]


def test_agents_may_be_made_to_need_several_blows() -> None:
    env = game(3, agent_hp=13)
    state = crowd(env, [(5, 5), (5, 4), (5, 3)])
    actions = [ATTACKS[0, -1], STAY, ATTACKS[0, 1]]
    state, reward, _ = play(env, state, actions)
    assert state.hp[0, 0].tolist() == [13, 1, 13]
    assert reward == [-0.11, -0.01, -0.11]
    assert env.observe(state)[0][0, 0, 1, -31] == pytest.approx(1 / 13)
    assert alive(play(env, state, actions)[0]) == [True, False, True]


def test_who_has_no_hit_points_left_lives_until_the_next_blow() -> None:
    env = game(1, 2, food_hp=12)
    state, hits = crowd(env, [(5, 5)], [(5, 4), FAR]), 0
    while state.food_left[0, 0, 0]:
        assert look(env, state, 0)[0][0, -1] == [0, 0, 0, 1, 1 - hits / 2]
        (state, _, _), hits = play(env, state, [ATTACKS[0, -1]]), hits + 1
    assert hits == 3


def test_the_dead_do_nothing_pay_nothing_and_see_nothing() -> None:
    env = game(3)
    state, _, _ = play(env, crowd(env, [(5, 5), (5, 4), (8, 8)]), [ATTACKS[0, -1], STAY, STAY])
    for action in (ATTACKS[0, 1], MOVES[0, -1], RIGHT):
        after, reward, _ = play(env, state, [STAY, action, STAY])
        assert reward == [-0.01, 0.0, -0.01]
        assert alive(after) == [True, False, True]
        assert places(after) == places(state)
        assert torch.equal(after.heading, state.heading)
        assert not env.observe(after)[0][0, 0, 1].any()
        state = after
    onto, _, _ = play(env, state, [MOVES[0, -1], STAY, STAY])
    assert places(onto)[0] == (5, 4)  # where the dead lay
    assert alive(onto) == [True, False, True]


@pytest.mark.parametrize("last", ["food", "agent"])
def test_the_game_ends_without_food_or_without_agents_and_then_stands_still(last: str) -> None:
    env = game(1) if last == "food" else game(2, agent_hp=1, damage=2)
    if last == "food":
        state, reward, terminated = play(env, crowd(env, [(5, 5)], [(5, 4, 1)]), [ATTACKS[0, -1]])
        assert reward == [4.89]
    else:
        state = crowd(env, [(5, 5), (5, 4)])._replace(hp=torch.tensor([[[-1, -1]]]))
        terminated = bool(env.resolved(state, torch.full((1, 1, 2), STAY), torch.tensor([[[0, 1]]]))[2])
    assert terminated
    after, reward, terminated = play(env, state, [MOVES[0, -1]] * env.n_agents)
    assert terminated
    assert reward == [0.0] * env.n_agents
    assert all(torch.equal(field, kept) for field, kept in zip(after, state, strict=True))


# --- moving and turning --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("heading", [EAST, SOUTH, WEST, NORTH])
def test_moves_and_attacks_turn_with_the_agent(heading: int) -> None:
    env = game(1, 2)
    # One cell ahead and two to the right, on a map where y grows to the south.
    ahead = {EAST: (1, 0), SOUTH: (0, 1), WEST: (-1, 0), NORTH: (0, -1)}[heading]
    right = {EAST: (0, 1), SOUTH: (-1, 0), WEST: (0, -1), NORTH: (1, 0)}[heading]
    for (dx, dy), action in MOVES.items():
        after, _, _ = play(env, crowd(env, [(5, 5, heading)], [FAR, (10, 9)]), [action])
        there = tuple(5 + dx * right[axis] - dy * ahead[axis] for axis in range(2))
        assert places(after) == [there]
    for (dx, dy), action in ATTACKS.items():
        there = tuple(5 + dx * right[axis] - dy * ahead[axis] for axis in range(2))
        after, _, _ = play(env, crowd(env, [(5, 5, heading)], [there, FAR]), [action])
        assert after.food_hp[0, 0].tolist() == [19, 25]


def test_turning_right_goes_east_south_west_north() -> None:
    env, headings = game(1), []
    state = crowd(env, [(5, 5, EAST)])
    for action in (RIGHT, RIGHT, RIGHT, RIGHT, LEFT, LEFT):
        state, reward, _ = play(env, state, [action])
        headings.append(int(state.heading))
        assert reward == [-0.01]
    assert headings == [SOUTH, WEST, NORTH, EAST, NORTH, WEST]
    assert places(state) == [(5, 5)]


def test_walls_food_and_agents_are_in_the_way_and_are_jumped_over() -> None:
    env = game(4, 2)
    state = crowd(env, [(1, 1), (5, 5), (5, 6), (8, 8)], [(5, 4), FAR])
    after, reward, _ = play(env, state, [MOVES[-2, 0], MOVES[0, -1], MOVES[0, -1], MOVES[0, 2]])
    assert places(after) == [(1, 1), (5, 5), (5, 6), (8, 10)]
    assert reward == [-0.01] * 4
    after, _, _ = play(env, state, [MOVES[-1, 0], MOVES[0, -2], MOVES[0, -2], STAY])
    assert places(after) == [(1, 1), (5, 3), (5, 6), (8, 8)]  # over food; but not onto it


@pytest.mark.parametrize("corner", [(1, 1), (10, 1), (1, 10), (10, 10)])
def test_nobody_leaves_through_a_corner(corner: tuple[int, int]) -> None:
    env = game(1)
    for (dx, dy), action in MOVES.items():
        after, _, _ = play(env, crowd(env, [corner], [(5, 5)]), [action])
        x, y = corner[0] + dx, corner[1] + dy
        assert places(after) == [(x, y) if 1 <= x <= 10 and 1 <= y <= 10 else corner]


@pytest.mark.parametrize(("turn", "there"), [([0, 1], [(5, 5), (7, 5)]), ([1, 0], [(4, 5), (5, 5)])])
def test_of_two_who_move_into_one_cell_the_first_gets_there(turn: list[int], there: list[tuple[int, int]]) -> None:
    env = game(2)
    state = crowd(env, [(4, 5), (7, 5)])
    assert places(play(env, state, [MOVES[1, 0], MOVES[-2, 0]], turn)[0]) == there


@pytest.mark.parametrize(
    ("turn", "there"),
    [
        ([0, 1, 2], [(6, 5), (5, 5), (4, 5)]),  # each finds that the one ahead has left
        ([2, 1, 0], [(6, 5), (4, 5), (3, 5)]),  # each finds the one ahead still there
        ([1, 0, 2], [(6, 5), (4, 5), (3, 5)]),  # the middle one was too early, and is in the way of the last
    ],
)
def test_a_cell_is_free_once_its_owner_has_left_it(turn: list[int], there: list[tuple[int, int]]) -> None:
    env = game(3)
    state = crowd(env, [(5, 5), (4, 5), (3, 5)])
    assert places(play(env, state, [MOVES[1, 0]] * 3, turn)[0]) == there


def test_the_cell_of_the_dead_is_free_in_the_step_that_kills_them() -> None:
    env = game(3, 2)
    state = crowd(env, [(5, 5), (5, 4), (4, 4)], [(8, 8, 1), FAR])
    after, _, _ = play(env, state, [ATTACKS[0, -1], MOVES[1, 0], MOVES[1, 0]], [2, 1, 0])
    assert alive(after) == [True, False, True]
    assert places(after) == [(5, 5), (5, 4), (5, 4)]


def test_two_do_not_change_places() -> None:
    env = game(2)
    state = crowd(env, [(4, 5), (5, 5)])
    for turn in ([0, 1], [1, 0]):
        assert places(play(env, state, [MOVES[1, 0], MOVES[-1, 0]], turn)[0]) == [(4, 5), (5, 5)]


# --- what is seen --------------------------------------------------------------------------------------------------


def look(env: Survival, state: Crowd, agent: int) -> tuple[dict[tuple[int, int], list[float]], list[float]]:
    """What an agent sees of each cell (dx, dy), and its condition."""
    cells = disc(env.view_radius)
    row = env.observe(state)[0][0, 0, agent]
    seen = row[: 5 * len(cells)].view(5, -1).T.tolist()
    return dict(zip(cells, seen, strict=True)), row[5 * len(cells) :].tolist()


def test_a_view_has_the_149_cells_of_magents_and_a_condition_of_32() -> None:
    env = Survival()
    assert len(disc(7)) == 149
    assert env.roles[0].observation_shape == (5 * 149 + 32,)
    assert env.roles[0].action.n == 23


@pytest.mark.parametrize("heading", [EAST, SOUTH, WEST, NORTH])
def test_the_view_turns_with_the_agent(heading: int) -> None:
    env = game(2, 2)
    ahead = {EAST: (1, 0), SOUTH: (0, 1), WEST: (-1, 0), NORTH: (0, -1)}[heading]
    right = {EAST: (0, 1), SOUTH: (-1, 0), WEST: (0, -1), NORTH: (1, 0)}[heading]
    food = (6 + 2 * ahead[0] + right[0], 6 + 2 * ahead[1] + right[1])
    other = (6 - 3 * ahead[0], 6 - 3 * ahead[1])
    seen, _ = look(env, crowd(env, [(6, 6, heading), (*other, NORTH)], [(*food, 13), (1, 1)]), 0)
    assert seen[0, 0] == [0, 1, 1, 0, 0]  # oneself
    assert seen[1, -2] == pytest.approx([0, 0, 0, 1, 0.52])
    assert seen[0, 3] == [0, 1, 1, 0, 0]
    assert seen[-1, -2] == seen[1, 2] == [0, 0, 0, 0, 0]
    # The walls are 6 cells away in the north and in the west, 5 in the south and in the east.
    distance = {EAST: 5, SOUTH: 5, WEST: 6, NORTH: 6}
    assert seen[0, -distance[heading]][0] == 1
    assert seen[0, 1 - distance[heading]][0] == 0
    assert (0, -7) in seen and seen[0, -7] == [0] * 5  # beyond the wall


def test_what_an_agent_knows_of_itself() -> None:
    env = game(1)
    state, _, _ = play(env, crowd(env, [(3, 6, WEST)]), [ATTACKS[1, 1]])
    _, condition = look(env, state, 0)
    alive_, hp, east, south, west, north, x, y, reward, *last = condition
    assert [alive_, hp, east, south, west, north] == [1, 1, 0, 0, 1, 0]
    assert [x, y, reward] == pytest.approx([0.25, 0.5, -0.11])
    assert last == [float(action == ATTACKS[1, 1]) for action in range(23)]
    assert not any(look(env, crowd(env, [(3, 6)]), 0)[1][8:])  # nothing has happened yet


def test_nothing_of_the_dead_is_seen() -> None:
    env = game(2, 2)
    state, _, _ = play(env, crowd(env, [(5, 5), (5, 4)], [(4, 4, -5), FAR]), [ATTACKS[0, -1], STAY])
    seen, _ = look(env, state, 0)
    assert seen[0, -1] == seen[-1, -1] == [0] * 5
    # Nor do they hide who stands upon them.
    onto, _, _ = play(env, state, [MOVES[0, -1], STAY])
    assert look(env, onto, 0)[0][0, 0] == [0, 1, 1, 0, 0]
    assert not env.observe(onto)[0][0, 0, 1].any()


def test_the_view_of_the_default_game_is_what_the_map_says() -> None:
    env = Survival()
    state = env.reset(Streams.of([0], "game", "cpu"), 2)
    food = set(food_cells(100, 160))
    for agent in (0, 57, 229):
        seen, condition = look(env, state, agent)
        x, y = places(state)[agent]
        people = set(places(state))
        turns = {EAST: (1, 0), SOUTH: (0, 1), WEST: (-1, 0), NORTH: (0, -1)}
        ahead, right = turns[int(state.heading[0, 0, agent])], turns[(int(state.heading[0, 0, agent]) + 1) % 4]
        for (dx, dy), values in seen.items():
            cell = (x + dx * right[0] - dy * ahead[0], y + dx * right[1] - dy * ahead[1])
            wall = {0, 99} & set(cell) and min(cell) >= 0 and max(cell) <= 99
            assert values == [bool(wall), cell in people, cell in people, cell in food, cell in food]
        assert condition[0] == 1


# --- the start -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_agents", "side", "gap"), [(230, 100, 2), (630, 200, 4), (60, 51, 1)])
def test_the_start_of_the_papers_games(n_agents: int, side: int, gap: int) -> None:
    env = Survival(n_agents=n_agents, map_size=side)
    state = env.reset(Streams.of([0, 1], "game", "cpu"), 3)
    assert len(set(places(state))) == n_agents
    assert state.food_position.shape == (2, 3, 160, 2)
    # Squares whose sides are 0.9, 0.8 and 0.7 of the map's, around squares of food up to 0.65 of it.
    margin = torch.minimum(state.position, side - 1 - state.position).amin(-1)
    assert set(margin.flatten().tolist()) == {max(1, round((1 - share) / 2 * side)) for share in (0.9, 0.8, 0.7)}
    of_food = torch.minimum(state.food_position, side - 1 - state.food_position).amin(-1)
    assert int(of_food.min()) - int(margin.max()) == gap
    if side >= 100:
        assert int(of_food.max()) < side // 2 - 0.1 * side  # nothing in the very middle
    assert (state.hp == 3).all() and (state.food_hp == 25).all()
    assert not torch.equal(state.heading[0], state.heading[1])
    assert torch.equal(state.position[0], state.position[1])
    counts = torch.bincount(state.heading.flatten(), minlength=4) / state.heading.numel()
    assert counts.tolist() == pytest.approx([0.25] * 4, abs=0.1)


@pytest.mark.parametrize(("n_agents", "side"), [(230, 100), (630, 200)])
def test_some_see_food_at_the_start_and_most_do_not(n_agents: int, side: int) -> None:
    env = Survival(n_agents=n_agents, map_size=side)
    start = env.reset(Streams.of([0], "game", "cpu"), 1)
    near = (start.position.unsqueeze(3) - start.food_position.unsqueeze(2)).square().sum(-1) <= env.view_radius**2
    assert 0.02 < float(near.any(-1).float().mean()) < 0.2


@pytest.mark.parametrize("side", [8, 12, 20, 33, 100, 200])
def test_food_lies_apart_within_the_innermost_agents(side: int) -> None:
    for n_food in (1, 7, len(block_cells(side))):
        food = food_cells(side, n_food)
        assert len(set(food)) == n_food and set(food) <= set(block_cells(side))


@pytest.mark.parametrize("side", [8, 12, 20, 33, 100])
def test_nobody_starts_in_a_wall_or_in_anothers_cell(side: int) -> None:
    cells = [*ring_cells(side), *block_cells(side)]
    assert len(set(cells)) == len(cells)
    assert min(map(min, cells)) >= 1 and max(map(max, cells)) <= side - 2


def test_what_does_not_fit_is_answered_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="a map of side 8 has room for 20 agents and 16 food, got 21 and 160"):
        Survival(n_agents=21, map_size=8)
    with pytest.raises(ValueError, match=r"hit points must lie in 1 … 126, got 3 and 300"):
        Survival(food_hp=300)
    with pytest.raises(ValueError, match="damage of Survival must be a whole number of at least 1, got 0"):
        Survival(damage=0)


# --- the rules, told in plain Python -------------------------------------------------------------------------------


@dataclass
class PlainCrowd:
    """One copy of the game, whose agents are asked one after the other."""

    env: Survival
    position: list[tuple[int, int]]
    heading: list[int]
    hp: list[int]
    food: list[tuple[int, int]]
    food_hp: list[int]

    @classmethod
    def of(cls, env: Survival, state: Crowd, s: int, e: int) -> PlainCrowd:
        rows = [field[s, e].tolist() for field in state]
        places, food = ([(x, y) for x, y in rows[column]] for column in (0, 3))
        return cls(env, places, rows[1], rows[2], food, rows[4])

    @property
    def over(self) -> bool:
        return max(self.hp) < 0 or max(self.food_hp) < 0

    def aim(self, agent: int, dx: int, dy: int) -> tuple[int, int]:
        x, y = self.position[agent]
        for _ in range((self.heading[agent] - NORTH) % 4):  # quarter turns, clockwise
            dx, dy = -dy, dx
        return x + dx, y + dy

    def step(self, actions: list[int], turn: list[int]) -> list[float]:
        reward = [0.0 if hp < 0 or self.over else self.env.step_reward for hp in self.hp]
        if self.over:
            return reward
        playing = [agent for agent in sorted(range(len(turn)), key=turn.__getitem__) if self.hp[agent] >= 0]
        where = {number: cell for cell, number in [*MOVES.items(), *ATTACKS.items()]}
        for agent in playing:
            if actions[agent] >= 15 and self.hp[agent] >= 0:
                reward[agent] += self.env.attack_reward + self.hit(self.aim(agent, *where[actions[agent]]))
        for agent in playing:
            if self.hp[agent] < 0:
                reward[agent] = self.env.death_reward
            elif actions[agent] in (RIGHT, LEFT):
                self.heading[agent] = (self.heading[agent] + (1 if actions[agent] == RIGHT else 3)) % 4
            elif actions[agent] < 13:
                cell = self.aim(agent, *where[actions[agent]])
                if self.blank(cell):
                    self.position[agent] = cell
        return reward

    def hit(self, cell: tuple[int, int]) -> float:
        """What hitting the cell pays beside its cost."""
        for other, place in enumerate(self.position):
            if place == cell and self.hp[other] >= 0:
                self.hp[other] -= self.env.damage
        for thing, place in enumerate(self.food):
            if place == cell and self.food_hp[thing] >= 0:
                self.food_hp[thing] -= self.env.damage
                return self.env.food_reward if self.food_hp[thing] < 0 else self.env.hit_reward
        return 0.0

    def blank(self, cell: tuple[int, int]) -> bool:
        taken = [place for place, hp in zip(self.position, self.hp, strict=True) if hp >= 0]
        taken += [place for place, hp in zip(self.food, self.food_hp, strict=True) if hp >= 0]
        return min(cell) >= 1 and max(cell) <= self.env.map_size - 2 and cell not in taken


CROWDED = [
    Survival(n_agents=24, n_food=12, map_size=10, hit_reward=0.5, horizon=30),
    Survival(n_agents=20, n_food=16, map_size=8, agent_hp=12, food_hp=18, horizon=30),
    Survival(n_agents=30, n_food=2, map_size=10, food_hp=126, hit_reward=0.0, horizon=30),
]


def scattered(env: Survival, streams: Streams, n_envs: int) -> Crowd:
    """A fresh game whose agents and food lie anywhere."""
    state, inner = env.reset(streams, n_envs), env.map_size - 2
    cell = streams.uniform(n_envs, inner * inner).argsort(-1)[..., : env.n_agents + env.n_food]
    place = torch.stack([cell % inner, cell // inner], -1) + 1
    position, food = place.split([env.n_agents, env.n_food], 2)
    return state._replace(position=position, food_position=food)


def orders(env: Survival, streams: Streams, n_envs: int) -> Tensor:
    return streams.uniform(n_envs, env.n_agents).argsort(-1)


@pytest.mark.parametrize("env", CROWDED, ids=["game", "several blows", "much to move"])
def test_random_play_is_that_of_the_rules_asked_one_after_the_other(env: Survival) -> None:
    streams, n_envs = Streams.of([0, 1], "plain", "cpu"), 4
    state = scattered(env, streams, n_envs)
    killed = 0
    for _ in range(env.horizon):
        # Moves twice as often as attacks, so that crowds last.
        action = streams.integers(n_envs, env.n_agents, high=23)
        action = torch.where(streams.uniform(n_envs, env.n_agents) < 0.5, action % 15, action)
        turn = orders(env, streams, n_envs)
        after, reward, terminated = env.resolved(state, action, turn)
        for s in range(2):
            for e in range(n_envs):
                plain = PlainCrowd.of(env, state, s, e)
                paid = plain.step(action[s, e].tolist(), turn[s, e].tolist())
                assert reward[s, e].tolist() == pytest.approx(paid, abs=1e-6)
                assert plain == PlainCrowd.of(env, after, s, e)
                assert plain.over == bool(terminated[s, e])
        killed += int((state.alive & ~after.alive).sum())
        state = after
    assert killed > 0


@pytest.mark.parametrize("env", CROWDED, ids=["game", "several blows", "much to move"])
def test_what_holds_at_every_step_of_random_play(env: Survival) -> None:
    streams, n_envs = Streams.of([2, 3], "random", "cpu"), 6
    state = scattered(env, streams, n_envs)
    for _ in range(env.horizon):
        after, reward, _ = env.step(state, (streams.integers(n_envs, env.n_agents, high=23),), streams)
        place = torch.cat([after.position, after.food_position], 2)
        there = torch.cat([after.alive, after.food_left], 2)
        cell = place[..., 1] * env.map_size + place[..., 0]
        cell = torch.where(there, cell, -1 - torch.arange(there.shape[-1])).sort(-1).values
        assert (cell.diff(dim=-1) > 0).all()  # no two in one cell
        assert (place[there] >= 1).all() and (place[there] <= env.map_size - 2).all()
        assert (after.alive <= state.alive).all() and (after.food_left <= state.food_left).all()
        assert not reward[~state.alive].any()
        died = state.alive & ~after.alive
        assert (reward[died] == env.death_reward).all()
        lost = torch.cat([state.hp - after.hp, state.food_hp - after.food_hp], -1)
        assert (lost % env.damage == 0).all() and (lost >= 0).all()
        attacks = (reward < env.step_reward + env.attack_reward / 2) | (reward > 0) | died
        assert (lost.sum(-1) // env.damage <= attacks.sum(-1)).all()  # no blow without a blow
        still = after.alive & (after.last_action >= 13)
        assert torch.equal(after.position[still], state.position[still])
        state = after


def test_the_order_is_drawn_anew_for_each_copy_and_step_and_favours_nobody() -> None:
    env, n_envs = game(2), 400
    alone = crowd(env, [(5, 5), (5, 4, SOUTH)])
    state = Crowd(*(field.expand(2, n_envs, *field.shape[2:]) for field in alone))
    streams = Streams.of([0, 1], "order", "cpu")
    action = torch.full((2, n_envs, 2), ATTACKS[0, -1])
    first = env.step(state, (action,), streams)[0].alive
    second = env.step(state, (action,), streams)[0].alive
    assert (first.sum(-1) == 1).all()
    assert first[..., 0].float().mean(-1).tolist() == pytest.approx([0.5, 0.5], abs=0.1)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


# --- views and memory ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("radius", [0, 1, 2, 5])
def test_views_of_any_radius(radius: int) -> None:
    place, drawn = torch.tensor([[[2, 2], [3, 2], [1, 3]]]), torch.tensor([[9, 7, 0]], dtype=torch.uint8)
    seen = views(place, drawn, torch.tensor([[EAST, NORTH, WEST]]), 6, radius)
    assert seen.shape == (1, 3, len(disc(radius)))
    first, second, third = (dict(zip(disc(radius), row.tolist(), strict=True)) for row in seen[0])
    assert first[0, 0] == 9 and second[0, 0] == 7
    assert not any(third.values())  # it is not there
    if radius:
        assert first[0, -1] == 7 and second[-1, 0] == 9
        assert first[0, 1] == second[0, 1] == 0
    if radius > 1:
        assert first[0, 2] == first[-2, 0] == second[0, -2] == second[2, 0] == 255


@pytest.mark.parametrize("radius", [0, 1, 3, 7])
def test_what_is_not_there_sees_nothing_whichever_way_it_faces(radius: int) -> None:
    place = torch.tensor([[x, y] for y in range(1, 9) for x in range(1, 9)]).expand(3, -1, -1)
    there = torch.rand(3, 64, generator=torch.Generator().manual_seed(0)) < 0.5
    heading = torch.arange(64).expand(3, -1) % 4
    seen = views(place, there.to(torch.uint8) * 9, heading, 10, radius)
    assert not seen[~there].any()
    assert (seen[there][:, len(disc(radius)) // 2] == 9).all()  # oneself


def test_the_memory_of_an_observation_is_used_again_once_nothing_refers_to_it() -> None:
    shape, kind = (1 << 23, 2), {"dtype": torch.float32, "device": torch.device("cpu")}
    first = _memory.room(*shape, **kind)  # type: ignore[arg-type]
    where, part, array = first.data_ptr(), first[5:6], first[7:8].numpy()
    del first
    second = _memory.room(*shape, **kind)  # type: ignore[arg-type]
    assert second.data_ptr() != where
    second.fill_(1.0)
    del part
    assert _memory.room(*shape, **kind).data_ptr() != where  # type: ignore[arg-type]
    array[:] = 3.0
    assert (second == 1.0).all()
    del array
    assert _memory.room(*shape, **kind).data_ptr() == where  # type: ignore[arg-type]
    _memory._free.clear()


# --- the engine ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Any:
    """MAgent2's engine, with one thread: with more it carries out attacks in no fixed order."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame warns about itself when magent2 is imported
        magent2 = pytest.importorskip("magent2", reason="pip install --no-deps magent2 brings the engine")
    if before is None:
        del os.environ["OMP_NUM_THREADS"]
    else:
        os.environ["OMP_NUM_THREADS"] = before
    return magent2


def wheel(magent2: Any, env: Survival, state: Crowd, seed: int) -> tuple[Any, Any]:
    """The engine with our actions, and everyone where they are in the only copy; and the handle of the agents."""
    gridworld = magent2.gridworld
    config = gridworld.Config()
    config.set({"map_width": env.map_size, "map_height": env.map_size, "turn_mode": True, "seed": seed})
    agents = {
        "width": 1,
        "length": 1,
        "hp": env.agent_hp,
        "speed": 2,
        "view_range": gridworld.CircleRange(env.view_radius),
        "attack_range": gridworld.CircleRange(1.5),
        "damage": env.damage,
        "step_recover": 0,
        "attack_in_group": 1,
        "step_reward": env.step_reward,
        "attack_penalty": env.attack_reward,
        "dead_penalty": env.death_reward,
    }
    food = {
        "width": 1,
        "length": 1,
        "hp": env.food_hp,
        "speed": 0,
        "view_range": gridworld.CircleRange(1),
        "attack_range": gridworld.CircleRange(0),
        "kill_reward": env.food_reward,
    }
    food_group = config.add_group(config.register_agent_type("food", food))
    agent_group = config.add_group(config.register_agent_type("agent", agents))
    eater, eaten = (gridworld.AgentSymbol(group, index="any") for group in (agent_group, food_group))
    config.add_reward_rule(gridworld.Event(eater, "attack", eaten), receiver=eater, value=env.hit_reward)
    world = magent2.GridWorld(config)
    world.reset()
    food_handle, agent_handle = world.get_handles()
    headed = torch.cat([state.position, state.heading.unsqueeze(-1)], -1)
    world.add_agents(agent_handle, method="custom", pos=headed[0, 0].tolist())  # first, so that ids are our indices
    world.add_agents(food_handle, method="custom", pos=state.food_position[0, 0].tolist())
    return world, agent_handle


class Shuffler:
    """The order in which the engine carries out attacks.

    Source: geek-ai/MAgent @2144dbd, `GridWorld::step`; its `std::default_random_engine` is `minstd_rand0` with GCC.
    """

    def __init__(self, seed: int) -> None:
        self.state = seed

    def shuffled(self, agents: list[int]) -> list[int]:
        for i in range(len(agents)):
            self.state = self.state * 16807 % (2**31 - 1)
            j = self.state % (i + 1)
            agents[i], agents[j] = agents[j], agents[i]
        return agents


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("env", CROWDED, ids=["game", "several blows", "much to move"])
def test_random_play_is_that_of_magents_engine(engine: Any, env: Survival, seed: int) -> None:
    env = replace(env, view_radius=4)
    streams = Streams.of([seed], "wheel", "cpu")
    state = scattered(env, streams, 1)
    (world, agents), shuffler = wheel(engine, env, state, seed), Shuffler(seed)
    window = [(dy + 4) * 9 + dx + 4 for dx, dy in disc(4)]
    died = 0
    for _ in range(env.horizon):
        action = streams.integers(1, env.n_agents, high=23)
        action = torch.where(streams.uniform(1, env.n_agents) < 0.5, action % 15, action)
        ids = world.get_agent_id(agents)
        views_, features = (part.copy() for part in world.get_observation(agents))
        ours = env.observe(state)[0][0, 0, ids].numpy()
        assert ids.tolist() == state.alive[0, 0].nonzero()[:, 0].tolist()
        theirs = views_.reshape(len(ids), 81, 5)[:, window].transpose(0, 2, 1).reshape(len(ids), -1)
        np.testing.assert_allclose(ours[:, : 5 * len(window)], theirs, atol=1e-6)
        np.testing.assert_allclose(ours[:, -23:], features[:, :23], atol=1e-6)
        np.testing.assert_allclose(ours[:, -24], features[:, 23], atol=1e-6)
        np.testing.assert_array_equal(world.get_pos(agents), state.position[0, 0, ids].numpy())
        # Attacks in the engine's order; moves by index, as it carries them out on a map of this size.
        turn = torch.arange(env.n_agents)
        attackers = [int(agent) for agent in ids if action[0, 0, agent] >= 15]
        turn[shuffler.shuffled(list(attackers))] = turn[attackers]
        world.set_action(agents, action[0, 0, ids].numpy().astype(np.int32))
        over = world.step()
        paid = torch.tensor(world.get_reward(agents))
        state, reward, terminated = env.resolved(state, action, turn.view(1, 1, -1))
        fallen = ~state.alive[0, 0, ids]
        torch.testing.assert_close(reward[0, 0, ids][~fallen], paid[~fallen], atol=1e-6, rtol=0)
        # The engine also pays for hits of those who then die.
        assert (reward[0, 0, ids][fallen] == -1).all()
        assert set(paid[fallen].tolist()) <= {-1.0, -1.0 + env.hit_reward}
        assert bool(terminated) == over
        died += int(fallen.sum())
        world.clear_dead()
        if over:
            break
    assert died > 0
