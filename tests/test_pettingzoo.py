"""The door for other people's trainers: what they rely on beyond PettingZoo's own tests, which run over all games."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from environments import Env, Streams
from environments._pictures import COLOURS, picture
from environments.hunters import STAG_HUNTERS, Hunters
from environments.pettingzoo import ParallelEnvironment, made, name_of, names
from environments.simple_spread import SimpleSpread
from environments.simple_tag import SimpleTag
from environments.spread import Spread
from environments.survival import Survival

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pettingzoo.test imports modules that pettingzoo deprecates
    from pettingzoo.test import api_test, seed_test
    from pettingzoo.test.render_test import render_test
    from pettingzoo.test.state_test import state_test
    from pettingzoo.utils import parallel_to_aec

CROWD = Survival(n_agents=12, n_food=9, map_size=12, view_radius=3, horizon=60, agent_hp=1)
SOFT, CHOICES = SimpleTag(horizon=5), SimpleTag(horizon=5, action="discrete")
GAMES: dict[str, Any] = {
    "SimpleTag": SOFT,
    "SimpleTag-discrete": CHOICES,
    "Spread": Spread(horizon=8),
    "Hunters": Hunters("Stag-Hunters", 3, 4, moving=True, grid=6, horizon=12),
    "Survival": CROWD,
}
every_game = pytest.mark.parametrize("env", GAMES.values(), ids=GAMES.keys())


def first_of(game: ParallelEnvironment, seed: Any = None) -> NDArray[Any]:
    """What is seen after a reset, agents one after the other."""
    return np.concatenate(list(game.reset(seed=seed)[0].values()))


def sampled(game: ParallelEnvironment) -> dict[str, Any]:
    return {name: game.action_space(name).sample() for name in game.agents}


def seeded(env: Env[Any], seed: int = 0) -> ParallelEnvironment:
    game = ParallelEnvironment(env)
    game.reset(seed=seed)
    for index, name in enumerate(game.possible_agents):
        game.action_space(name).seed(index)
    return game


# --------------------------------------------------------------------------------------------------------- first resets


@every_game
def test_copies_that_nobody_has_seeded_differ(env: Env[Any]) -> None:
    game = ParallelEnvironment(env)
    copies = [game, ParallelEnvironment(env), copy.deepcopy(game), pickle.loads(pickle.dumps(game))]
    starts = [first_of(one) for one in copies]
    assert all(not np.array_equal(starts[i], starts[j]) for i in range(4) for j in range(i))


def _forked(game: ParallelEnvironment, pipe: Any) -> None:
    pipe.send(first_of(game).tolist())


def test_forked_copies_differ() -> None:
    game, context = ParallelEnvironment(Spread()), multiprocessing.get_context("fork")
    starts = []
    for _ in range(3):
        here, there = context.Pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
            process = context.Process(target=_forked, args=(game, there))
            process.start()
        starts.append(here.recv())
        process.join()
    assert len({tuple(start) for start in starts}) == 3


@every_game
def test_a_copy_of_a_running_game_goes_on_as_the_game_does(env: Env[Any]) -> None:
    game = seeded(env, 4)
    actions = sampled(game)
    twins = [copy.deepcopy(game), pickle.loads(pickle.dumps(game))]
    after = game.step(actions)
    for twin in twins:
        np.testing.assert_equal(twin.step(actions), after)
        np.testing.assert_equal(first_of(twin), first_of(copy.deepcopy(game)))


@every_game
def test_a_seed_may_be_of_numpy_and_begins_the_same_game(env: Env[Any]) -> None:
    assert np.array_equal(first_of(ParallelEnvironment(env), 7), first_of(ParallelEnvironment(env), np.int64(7)))


@pytest.mark.parametrize("seed", [-1, 1.0, True, "3"])
def test_a_seed_that_is_none_is_answered_with_a_sentence(seed: Any) -> None:
    with pytest.raises(ValueError, match=r"^seed must be a whole number of at least 0 or None, got .+$"):
        ParallelEnvironment(SOFT).reset(seed=seed)


@every_game
def test_a_seed_is_the_same_game_whatever_pytorchs_default_is(env: Env[Any]) -> None:
    game = seeded(env, 3)
    actions = sampled(game)
    usual = (first_of(game, 3), *game.step(actions), game.state())
    torch.set_default_dtype(torch.float64)
    try:
        other = ParallelEnvironment(env)
        same = (first_of(other, 3), *other.step(actions), other.state())
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_equal(same, usual)
    assert {x.dtype for x in same[1].values()} | {same[0].dtype, same[-1].dtype} == {np.dtype(np.float32)}


# --------------------------------------------------------------------------------------------------------------- deaths


def fights() -> Iterator[tuple[ParallelEnvironment, list[str], tuple[Any, ...]]]:
    """A game, who lived before each step, and what it said, until it is over."""
    game = seeded(CROWD)
    while game.agents:
        before = list(game.agents)
        yield game, before, game.step(sampled(game))


def test_the_dead_die_in_the_step_of_their_death_and_leave() -> None:
    died = 0
    for game, before, (observations, rewards, terminations, truncations, infos) in fights():
        for said in (observations, rewards, terminations, truncations, infos):
            assert list(said) == before
        dead = [name for name in before if terminations[name]]
        if game.agents:
            assert game.agents == [name for name in before if name not in dead]
            assert not any(truncations.values())
            assert all(rewards[name] == CROWD.death_reward for name in dead)
            died += len(dead)
        assert not any(terminations[name] and truncations[name] for name in before)
    assert died > 3, "somebody must die, or this shows nothing"


def test_what_is_said_for_the_dead_is_ignored_and_the_living_must_act() -> None:
    for game, _, _ in fights():
        dead = [name for name in game.possible_agents if name not in game.agents]
        if dead and game.agents:
            twin, actions = copy.deepcopy(game), sampled(game)
            np.testing.assert_equal(twin.step(actions | dict.fromkeys(dead, None)), game.step(actions))
            if game.agents:
                with pytest.raises(ValueError, match=rf"^actions must name every living agent, \['{game.agents[0]}'\]"):
                    game.step(dict.fromkeys(game.agents[1:], 0))
            return
    pytest.fail("nobody died")


@every_game
def test_after_the_end_a_step_is_of_nobody_until_the_next_reset(env: Env[Any]) -> None:
    game = ParallelEnvironment(env)
    with pytest.raises(ValueError, match=r"^step needs an episode: call reset first$"):
        game.step({})
    with pytest.raises(ValueError, match=r"^a state needs an episode: call reset first$"):
        game.state()
    game.reset()
    while game.agents:
        last = game.step(sampled(game))
    assert all(ended or over for ended, over in zip(last[2].values(), last[3].values(), strict=True))
    assert game.step({}) == game.step(dict.fromkeys(game.possible_agents, 0)) == ({}, {}, {}, {}, {})
    game.reset()
    assert game.agents == game.possible_agents


# -------------------------------------------------------------------------------------------------------------- actions


@pytest.mark.parametrize("given", [2.7, -0.5, True, np.bool_(True), "3", None, 5, -1, 2.0, np.float32(1), [1], np.nan])
def test_what_is_no_choice_is_refused_with_a_sentence_and_nothing_is_played(given: Any) -> None:
    game = seeded(CHOICES)
    before = game.state()
    with pytest.raises(ValueError, match=r"^the action of 'good_0' must (be a whole number in 0 … 4|have .*), got .+$"):
        game.step(sampled(game) | {"good_0": given})
    assert np.array_equal(game.state(), before)


@pytest.mark.parametrize("given", [3, np.int64(3), np.int32(3), np.uint8(3), np.array(3), torch.tensor(3)])
def test_whole_numbers_of_every_kind_are_choices(given: Any) -> None:
    games = [seeded(CHOICES), seeded(CHOICES)]
    for game, choice in zip(games, (3, given), strict=True):
        game.step(dict.fromkeys(game.agents, 0) | {"good_0": choice})
    assert np.array_equal(games[0].state(), games[1].state())


@pytest.mark.parametrize(
    ("given", "played"),
    [
        ([50.0] * 5, [1.0] * 5),
        ([np.inf, -np.inf, 1e300, 0.5, 2], [1.0, 0.0, 1.0, 0.5, 1.0]),
        (np.full(5, 0.25), [0.25] * 5),
        (np.array([0, 1, 0, 1, 7]), [0.0, 1.0, 0.0, 1.0, 1.0]),
    ],
)
def test_actions_beyond_the_box_are_clipped_to_it_as_mpe2_does(given: Any, played: list[float]) -> None:
    games = [seeded(SOFT), seeded(SOFT)]
    rest = dict.fromkeys(SOFT_NAMES, np.zeros(5, np.float32))
    after = [
        game.step(rest | {"good_0": one})
        for game, one in zip(games, (given, np.array(played, np.float32)), strict=True)
    ]
    np.testing.assert_equal(after[0], after[1])
    assert all(np.isfinite(reward) for reward in after[0][1].values())


SOFT_NAMES = ParallelEnvironment(SOFT).possible_agents


@pytest.mark.parametrize(
    "given", ["words", None, [True] * 5, [1j] * 5, [[1], [1, 2]], {}, [np.nan] * 5, 0.5, [0.5] * 4]
)
def test_what_is_no_vector_is_refused_with_a_sentence(given: Any) -> None:
    game = seeded(SOFT)
    with pytest.raises(
        ValueError, match=r"^the action of 'good_0' must (be 5 numbers|have the shape \[5\]|be numbers), got"
    ):
        game.step(sampled(game) | {"good_0": given})


@every_game
def test_names_that_do_not_exist_are_an_error(env: Env[Any]) -> None:
    game = seeded(env)
    with pytest.raises(ValueError, match=r"^actions must be of \[.*, got one of \['nobody_0'\]$"):
        game.step(sampled(game) | {"nobody_0": 0})


# ----------------------------------------------------------------------------------------------------- spaces and names


@every_game
def test_what_is_seen_lies_in_its_space_until_the_end(env: Env[Any]) -> None:
    for seed in range(3):
        game = seeded(env, seed)
        assert isinstance(game.state_space, gymnasium.spaces.Box)
        while game.agents:
            observations, *_ = game.step(sampled(game))
            assert all(game.observation_space(name).contains(seen) for name, seen in observations.items())
            assert game.state_space.contains(game.state())


def test_games_whose_numbers_are_bounded_say_so() -> None:
    for name in ("HARE_HUNTERS", "STAG_HUNTERS", "Survival"):
        game = made(name)
        for space in (game.state_space, game.observation_space(game.possible_agents[0])):
            assert isinstance(space, gymnasium.spaces.Box)
            assert space.is_bounded()


def test_every_game_has_a_name_of_its_own() -> None:
    assert {"CN_V1", "CN_V2", "STAG_HUNTERS", "SimpleTag", "Survival"} <= set(names())
    games = [made(name) for name in names() if name not in ("CooperativeNavigation", "GoalNavigation", "Hunters")]
    assert len({str(game) for game in games}) == len(games)
    assert str(made("CN_V2")) == made("CN_V2").metadata["name"] == "CN_V2"
    assert name_of(SimpleSpread(n_agents=5)) == "SimpleSpread"
    with pytest.raises(ValueError, match=r"^name must be one of CN_V1, .*, Survival, Timed, got 'CN-V1'$"):
        made("CN-V1")


# -------------------------------------------------------------------------------------------------------- AEC, pictures


@every_game
def test_pettingzoos_own_tests_accept_it_where_agents_take_turns(env: Env[Any]) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(infinity|equal|Observation|abnormal|Box|space|observation).*")
        api_test(parallel_to_aec(ParallelEnvironment(env)), num_cycles=200, verbose_progress=False)
        state_test(parallel_to_aec(ParallelEnvironment(env)), ParallelEnvironment(env), 30)
    seed_test(lambda: parallel_to_aec(ParallelEnvironment(env)), num_cycles=50)


@every_game
def test_it_is_drawn_as_pixels_and_in_a_window(env: Env[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    render_test(lambda render_mode: parallel_to_aec(ParallelEnvironment(env, render_mode=render_mode)))
    game = ParallelEnvironment(env, render_mode="rgb_array")
    game.reset(seed=0)
    before = game.render()
    assert before is not None and len(np.unique(before.reshape(-1, 3), axis=0)) > 1
    while game.agents:
        game.step(sampled(game))
    after = game.render()
    assert after is not None and not np.array_equal(before, after)
    assert ParallelEnvironment(env).render() is None


def test_a_way_to_draw_that_there_is_not_is_answered_with_a_sentence() -> None:
    sentence = r"^render_mode must be one of \['rgb_array', 'human'\], got 'ansi'$"
    with pytest.raises(ValueError, match=sentence):
        made("SimpleTag", "ansi")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^a picture needs an episode: call reset first$"):
        made("SimpleTag", "rgb_array").render()


def test_a_picture_shows_what_is_where() -> None:
    env = SimpleTag(n_predators=1, n_obstacles=1)
    state = env.reset(Streams.of([0], "game", "cpu"), 1)
    places = torch.tensor([[[[-1.0, 1.0], [1.0, -1.0]]]])
    pixels = picture(env, state._replace(position=places, landmark=torch.zeros(1, 1, 1, 2)))
    at = {
        (x, y): tuple(pixels[int((1.4 - y) / 2.8 * 400), int((1.4 + x) / 2.8 * 400)])
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    }
    assert at[-1, 1] == COLOURS["red"] and at[1, -1] == COLOURS["blue"] and at[0, 0] == COLOURS["grey"]
    assert {at[place] for place in at if place not in ((-1, 1), (1, -1), (0, 0))} == {COLOURS["white"]}
    stags = STAG_HUNTERS.reset(Streams.of([0], "game", "cpu"), 1)
    shown = {tuple(pixel) for pixel in picture(STAG_HUNTERS, stags).reshape(-1, 3)}
    assert shown >= {COLOURS["blue"], COLOURS["brown"], COLOURS["green"], COLOURS["white"]}
