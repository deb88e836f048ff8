"""Whether somebody can learn in DiMA-PG's games, each as it is: an untrained learner is not worse than chance, a script
is far better, and methods get better.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch

from algorithms._tree import joined, split
from algorithms.dimapg import DiMAPG
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.uniform import Uniform
from benchmarks.dimapg import GAMES as NAVIGATION_GAMES
from benchmarks.dimapg import LEARNERS, METHODS, Method, _orders
from benchmarks.dimapg import game as navigation_game
from benchmarks.dimapg._levels import NAVIGATION, PURSUIT
from benchmarks.dimapg._measures import ADAPTED, LEAST, both_ways, least_return, sampled
from benchmarks.dimapg._orders import AVERAGES, Kept, Orders
from benchmarks.dimapg._pursuit import GAMES as PURSUIT_GAMES
from benchmarks.dimapg._pursuit import (
    HUNT,
    SCRIPT,
    TEAMS,
    UNIFORM,
    CrossPlay,
    Hunt,
    Meeting,
    Seated,
    forced,
    learner_of,
    own_game,
    pair,
    predators,
)
from benchmarks.dimapg._scripts import Scripted
from benchmarks.dimapg._survival import EATEN, FOOD, INNER, KILLS, LEARNER, OUTER, REWARD, SURVIVORS, Outcomes
from benchmarks.dimapg._survival import GAMES as SURVIVAL_GAMES
from benchmarks.dimapg._survival import TEAMS as IN_TEAMS
from environments import Streams
from environments.goal_navigation import GoalNavigation
from environments.simple_tag import SimpleTag

torch.set_num_threads(1)
SEEDS = (0, 1)


def streams(name: str = "test") -> Streams:
    return Streams.of(SEEDS, name, "cpu")


def begun(algorithm: Any, env: Any) -> Any:
    return algorithm.init(env, streams("training"))


def learnt(algorithm: Any, env: Any, n_episodes: int) -> Any:
    state = begun(algorithm, env)
    while state.steps < n_episodes * env.horizon:
        algorithm.advance(env, state)
    return state


# ---- navigation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_agents", NAVIGATION_GAMES)
def test_levels_of_navigation_are_what_is_said(n_agents: int) -> None:
    env, levels = NAVIGATION_GAMES[n_agents], NAVIGATION[n_agents]
    for algorithm, value, error in ((Uniform(), levels.uniform, 1.1), (Scripted("navigator"), levels.script, 2.0)):
        found = least_return(env, sampled(algorithm, begun(algorithm, env)), streams(), 100).mean()
        assert float(found) == pytest.approx(value, abs=4 * error)


@pytest.mark.parametrize("n_agents", NAVIGATION_GAMES)
@pytest.mark.parametrize("method", METHODS)
def test_an_untrained_navigator_is_not_worse_than_chance(method: Method, n_agents: int) -> None:
    env, algorithm = navigation_game(method, n_agents), LEARNERS[method]
    found = {
        way: float(least_return(env, policy, streams(), 30).mean())
        for way, policy in both_ways(algorithm, begun(algorithm, env)).items()
    }
    levels = NAVIGATION[n_agents]
    # σ = 1 clipped to ±1 pushes a quarter harder than a uniform force does.
    assert found["sampled"] > levels.uniform - levels.delta.value / 2
    assert found["greedy"] > levels.uniform + levels.delta.value


LEARNS: list[tuple[Method, int, int]] = [
    ("DiMA-PG", 3, 10_000),
    ("DiMA-PG", 10, 15_500),
    ("TRPO-KitchenSink", 3, 10_000),
    ("MADDPG", 3, 10_000),
    ("A3C-KitchenSink", 3, 1_000),
]


@pytest.mark.long
@pytest.mark.parametrize(("method", "n_agents", "n_episodes"), LEARNS)
def test_a_method_learns_to_navigate(method: Method, n_agents: int, n_episodes: int) -> None:
    env, algorithm = navigation_game(method, n_agents), LEARNERS[method]
    state = learnt(algorithm, env, n_episodes)
    found = least_return(env, sampled(algorithm, state), streams(), 50)
    levels = NAVIGATION[n_agents]
    assert float(found.mean()) > levels.uniform + levels.delta.value


class TwoGames:
    """One step, in which the agents of two copies get −1 and −3, and −4 and −2."""

    horizon = 1
    roles = GoalNavigation(n_agents=2).roles

    def reset(self, streams: Streams, n_envs: int) -> torch.Tensor:
        return torch.tensor([[[-1.0, -3.0], [-4.0, -2.0]]])

    def step(self, state: torch.Tensor, actions: Any, streams: Streams) -> tuple[torch.Tensor, torch.Tensor, None]:
        return state, state + actions[0].sum(dim=-1), None


class Still(Uniform):
    def cloned(self, learner: Any) -> dict[str, Any]:
        return {"sampled": lambda env, game: (torch.zeros(1, 2, 2, 2),)}


def test_the_average_of_the_least_is_told_from_the_least_of_the_averages() -> None:
    measure = Orders(TwoGames(), copies=True, n_episodes=2)  # type: ignore[arg-type]
    found = measure(Frozen(Still()), None, None, Streams.of([0], "test", "cpu")).metrics
    assert {name: float(value) for name, value in found.items()} == {LEAST: -3.5, LEAST + AVERAGES: -2.5}


@pytest.mark.parametrize("copies", [False, True])
def test_who_is_tested_again_plays_as_it_had_learnt_to(copies: bool) -> None:
    env, algorithm = GoalNavigation(horizon=6), DiMAPG(hidden=16, n_trajectories=2, inner_steps=1)
    own = GoalNavigation(horizon=6, n_agents=1, n_goals=3) if copies else env
    state, frozen = learnt(algorithm, own, 20), Frozen(algorithm)
    kept = begun(frozen, own)
    Kept()(frozen, own, kept, ((own, state),))
    trained, again = (
        algorithm.cloned(of)["greedy"] if copies else both_ways(algorithm, of)["greedy"] for of in (state, kept)
    )
    assert torch.equal(*(least_return(env, policy, streams(), 4) for policy in (trained, again)))
    assert kept.levels.abs().min() > 0 and torch.equal(kept.levels, state.levels)
    measure = Orders(env, copies=copies, n_episodes=4, inner_steps=1)
    found = measure(frozen, own, kept, streams()).metrics
    assert set(found) == set(measure.metrics)
    assert all((found[name + AVERAGES] >= found[name]).all() for name in measure.names)
    assert copies or not torch.equal(found[LEAST], found[ADAPTED]), "who has adapted plays otherwise"


@pytest.mark.parametrize("n_agents", NAVIGATION_GAMES)
def test_those_of_table_1_are_tested_in_its_games_with_all_agents(n_agents: int) -> None:
    game = NAVIGATION_GAMES[n_agents]
    assert _orders.tested("DiMA-PG", n_agents).measure == Orders(game)
    assert _orders.tested("Fine Tune", n_agents).measure == Orders(game, copies=True)


def test_theta_and_what_it_adapts_to_begin_in_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(_game: Any, _policy: Any, streams: Streams, n_episodes: int) -> torch.Tensor:
        return streams.uniform(n_episodes, 3)

    monkeypatch.setattr("benchmarks.dimapg._orders.each_return", drawn)
    env, frozen = GoalNavigation(horizon=6), Frozen(DiMAPG(hidden=16, n_trajectories=2, inner_steps=1))
    found = Orders(env, n_episodes=4, inner_steps=1)(frozen, env, begun(frozen, env), streams()).metrics
    assert torch.equal(found[LEAST], found[ADAPTED])
    assert torch.equal(found[LEAST + AVERAGES], found[ADAPTED + AVERAGES])


# ---- pursuit --------------------------------------------------------------------------------------------------------


@cache
def met(game: str) -> dict[str, float]:
    """What untrained teams, random players and a script get of each other."""
    env = PURSUIT_GAMES[game]
    learners = (*(learner_of(method, game) for method in METHODS), Uniform(100), Scripted("hunter", 100))
    meeting = Meeting(learners)
    teachers = [(own, begun(learner, own)) for learner in learners[:4] for own in (own_game(learner, env),)]
    state = begun(meeting, env)
    Seated()(meeting, env, state, tuple(teachers))
    found = CrossPlay(n_episodes=5)(meeting, env, state, streams()).metrics
    assert set(found) == set(CrossPlay().metrics)
    return {name: float(value.mean()) for name, value in found.items()}


@pytest.mark.parametrize("game", PURSUIT_GAMES)
def test_in_pursuit_a_script_is_far_better_than_chance_and_the_untrained_are_not_worse(game: str) -> None:
    found, levels = met(game), PURSUIT[game]
    assert found[pair(SCRIPT, UNIFORM)] == pytest.approx(levels.script, rel=0.3)
    assert found[pair(UNIFORM, SCRIPT)] < found[pair(UNIFORM, UNIFORM)] + levels.delta.value
    for team in METHODS:
        assert found[pair(team, UNIFORM)] > levels.uniform - levels.delta.value
        assert found[predators(SCRIPT)] > found[predators(team)] + levels.delta.value


def test_means_are_over_the_four_methods_and_without_ones_own() -> None:
    found = met("3v1")
    row = [found[pair("MADDPG", other)] for other in METHODS]
    assert found[predators("MADDPG")] == pytest.approx(sum(row) / 4, abs=1e-3)
    apart = [value for value, other in zip(row, METHODS, strict=True) if other != "MADDPG"]
    assert found[predators("MADDPG") + ", without its own team"] == pytest.approx(sum(apart) / 3, abs=1e-3)
    column = [found[pair(other, UNIFORM)] for other in METHODS]
    assert found[f"against prey of {UNIFORM}"] == pytest.approx(sum(column) / 4, abs=1e-3)
    assert len(TEAMS) == 6


def test_those_who_meet_are_saved_with_all_that_they_play_by() -> None:
    env = SimpleTag(action="force", horizon=8)
    learners: tuple[Any, ...] = (
        DiMAPG("REINFORCE", hidden=16, n_trajectories=2, inner_steps=1),
        SoftMADDPG(hidden=16, n_envs=4, first_update=0, batch_size=16, steps_per_update=40),
        A3CKitchenSink(hidden=16, n_envs=4),
        TRPOKitchenSink(hidden=16, n_trajectories=4),
    )
    meeting = Meeting((*learners, Uniform(100), Scripted("hunter", 100)))
    teachers = []
    for learner in learners:
        own = own_game(learner, env)
        teachers.append((own, learnt(learner, own, 1)))
    state = begun(meeting, env)
    Seated()(meeting, env, state, tuple(teachers))
    saved = [{name: part.clone() for name, part in seed.items()} for seed in split(state, 2)]
    measured = CrossPlay(n_episodes=2)
    expected = measured(meeting, env, state, streams()).metrics
    alone = joined(meeting.init(env, Streams.of([7], "training", "cpu")), saved[:1])
    found = measured(meeting, env, alone, Streams.of(SEEDS[:1], "test", "cpu")).metrics
    assert [name for name in expected if not torch.equal(expected[name][:1], found[name])] == []


def test_five_weights_push_as_their_differences_do() -> None:
    def soft(env: Any, game: Any) -> tuple[torch.Tensor, ...]:
        return (torch.tensor([0.1, 0.5, 0.2, 0.15, 0.05]).expand(1, 1, 2, 5),)

    (force,) = forced(soft)(PURSUIT_GAMES["3v1"], None)
    torch.testing.assert_close(force, torch.tensor([0.3, 0.1]).expand(1, 1, 2, 2))


@pytest.mark.long
@pytest.mark.parametrize("method", METHODS)
def test_predators_learn_to_hunt_their_own_prey_or_prey_to_flee(method: Method) -> None:
    env = own_game(learner_of(method, "3v1"), PURSUIT_GAMES["3v1"])
    algorithm = learner_of(method, "3v1")
    before = Hunt(50)(algorithm, env, begun(algorithm, env), streams()).metrics[HUNT]
    after = Hunt(50)(algorithm, env, learnt(algorithm, env, 5_000), streams()).metrics[HUNT]
    assert (before - after).abs().mean() > 5.0


# ---- survival -------------------------------------------------------------------------------------------------------


@cache
def outcome(name: str) -> dict[str, float]:
    """Of a few games of 60 agents."""
    env = SURVIVAL_GAMES[60]
    algorithm = {"untrained": LEARNER, "chance": Uniform(), "script": Scripted("eater")}[name]
    found = Outcomes(n_games=3)(algorithm, env, begun(algorithm, env), streams()).metrics
    return {metric: float(value.mean()) for metric, value in found.items()}


def test_everybody_who_goes_for_the_nearest_food_eats_all_and_nobody_dies() -> None:
    found = outcome("script")
    assert (found[FOOD], found[SURVIVORS]) == (0.0, 60.0)
    assert found[REWARD] == pytest.approx(254.0, abs=8.0)
    assert found[EATEN + INNER] > found[EATEN + OUTER]
    assert found[KILLS + INNER] == found[KILLS + OUTER] == found[IN_TEAMS + OUTER] == 0.0


def test_the_untrained_survive_as_those_who_play_at_random_do() -> None:
    untrained, chance = outcome("untrained"), outcome("chance")
    assert untrained[REWARD] > chance[REWARD] - 60.0
    assert outcome("script")[REWARD] > chance[REWARD] + 300.0
    killed = 60.0 - chance[SURVIVORS]
    assert 0.0 < chance[KILLS + INNER] < 2 * killed / 60.0


@pytest.mark.long
def test_agents_learn_to_earn_more_in_a_scaled_game_of_survival() -> None:
    env = SURVIVAL_GAMES[60]
    algorithm: DiMAPG = replace(LEARNER, data="all")
    before = Outcomes(10)(algorithm, env, begun(algorithm, env), streams()).metrics[REWARD]
    after = Outcomes(10)(algorithm, env, learnt(algorithm, env, 7_500), streams()).metrics[REWARD]
    assert (after > before + 100.0).all()
