"""What every environment keeps to, whatever is played in it."""

from __future__ import annotations

import dataclasses
import math
import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks._contract.cases import every
from benchmarks._contract.settings import assert_settings_are_checked
from environments import Box, Env, GridEnv, Streams
from environments.pettingzoo import ParallelEnvironment

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pettingzoo.test imports modules that pettingzoo deprecates
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
    from pettingzoo.utils import parallel_to_aec

every_environment = every("env", "environments")
every_variant = every("env", "variants")
every_mortal = every("env", "mortals")
every_grid = every("env", "grids")


N_ENVS = 7


def leaves_to_chance(env: Env[Any]) -> bool:
    """Whether steps draw, so that a row goes on as it was in its own place only."""
    streams = Streams.of([0], "game", "cpu")
    state, actions = env.reset(streams, 1), random_actions(env, streams, 1)
    before = streams.save()
    env.step(state, actions, streams)
    return not torch.equal(streams.save(), before)


def random_actions(env: Env[Any], streams: Streams, n_envs: int) -> tuple[torch.Tensor, ...]:
    return tuple(
        streams.uniform(n_envs, role.n_agents, role.action.n, low=role.action.low, high=role.action.high)
        if isinstance(role.action, Box)
        else streams.integers(n_envs, role.n_agents, high=role.action.n)
        for role in env.roles
    )


def episode(env: Env[Any], seeds: list[int], n_envs: int = N_ENVS, n_steps: int | None = None) -> list[torch.Tensor]:
    """Everything that comes out of two random episodes, the second after a second reset. Shapes: each [S, E, ...]."""
    streams, actors = Streams.of(seeds, "game", "cpu"), Streams.of(seeds, "actions", "cpu")
    seen: list[torch.Tensor] = []
    for _ in range(2):
        state = env.reset(streams, n_envs)
        for _ in range(n_steps or env.horizon):
            seen += [*state, *env.observe(state), env.full_state(state)]
            state, reward, terminated = env.step(state, random_actions(env, actors, n_envs), streams)
            seen += [reward, terminated]
    return seen


def played(env: Env[Any], n_steps: int = 5) -> Any:
    streams = Streams.of([0, 1], "game", "cpu")
    state = env.reset(streams, N_ENVS)
    for _ in range(n_steps):
        state, _, _ = env.step(state, random_actions(env, streams, N_ENVS), streams)
    return state


@every_variant
def test_axes_are_seeds_copies_agents_features(env: Env[Any]) -> None:
    state = played(env)
    after, reward, terminated = env.step(state, random_actions(env, Streams.of([0, 1], "a", "cpu"), N_ENVS), _streams())
    n_agents = sum(role.n_agents for role in env.roles)
    assert reward.shape == (2, N_ENVS, n_agents)
    assert terminated.shape == (2, N_ENVS)
    assert env.full_state(after).shape[:2] == (2, N_ENVS)
    for role, seen in zip(env.roles, env.observe(after), strict=True):
        assert seen.shape == (2, N_ENVS, role.n_agents, *role.observation_shape)
    assert [field.shape for field in after] == [field.shape for field in env.reset(_streams(), N_ENVS)]


@every_variant
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_types_follow_the_state(env: Env[Any], dtype: torch.dtype) -> None:
    """Fields of integers stay what they are, and what is told of nothing but integers is in float32."""
    given = played(env)
    state = type(given)(*(field.to(dtype) if field.is_floating_point() else field for field in given))
    after, reward, terminated = env.step(state, random_actions(env, _streams(), N_ENVS), _streams())
    assert [field.dtype for field in after] == [field.dtype for field in state]
    told = dtype if any(field.is_floating_point() for field in state) else torch.float32
    assert {seen.dtype for seen in env.observe(after)} == {told}
    assert env.full_state(after).dtype == reward.dtype == told
    assert terminated.dtype == torch.bool


@every_variant
def test_what_leaves_is_contiguous(env: Env[Any]) -> None:
    state, reward, _ = env.step(played(env), random_actions(env, _streams(), N_ENVS), _streams())
    assert all(x.is_contiguous() for x in (reward, env.full_state(state), *env.observe(state)))


@every_variant
def test_an_episode_is_finite_and_terminates_by_the_rules_of_the_game_only(env: Env[Any]) -> None:
    seen = episode(env, [0, 1])
    assert all(tensor.isfinite().all() for tensor in seen)
    terminated = torch.stack([tensor for tensor in seen if tensor.dtype == torch.bool])
    assert env.may_end or not terminated.any(), "a game that terminates must say so: may_end = True"


@every_variant
@pytest.mark.parametrize("n_envs", [1, 25])
def test_a_seed_alone_gives_the_bits_that_it_gives_among_others(env: Env[Any], n_envs: int) -> None:
    together = episode(env, [3, 14, 15], n_envs, n_steps=12)
    for row, seed in enumerate([3, 14, 15]):
        for alone, among in zip(episode(env, [seed], n_envs, n_steps=12), together, strict=True):
            assert torch.equal(alone[0], among[row])


@every_environment
def test_seeds_differ(env: Env[Any]) -> None:
    start = env.reset(Streams.of([0, 1], "game", "cpu"), N_ENVS)
    assert not torch.equal(env.full_state(start)[0], env.full_state(start)[1])


@every_environment
def test_the_global_generators_are_left_alone(env: Env[Any]) -> None:
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    episode(env, [0], n_steps=3)
    after = torch.get_rng_state(), np.random.get_state(), random.getstate()
    assert torch.equal(before[0], after[0])
    np.testing.assert_equal(before[1], after[1])
    assert before[2] == after[2]


@every_variant
def test_the_full_state_is_the_state_flattened(env: Env[Any]) -> None:
    state = played(env)
    assert torch.equal(env.full_state(state), torch.cat([field.flatten(2) for field in state], -1))


@every_variant
def test_a_replayed_row_is_seen_and_goes_on_as_it_was(env: Env[Any]) -> None:
    state = played(env)
    rows = torch.arange(N_ENVS) if leaves_to_chance(env) else torch.tensor([6, 0, 3, 3])
    replayed = rebuilt(state, env.full_state(state)[:, rows])
    for again, seen in zip(env.observe(replayed), env.observe(state), strict=True):
        assert torch.equal(again, seen[:, rows])
    assert torch.equal(env.full_state(replayed), env.full_state(state)[:, rows])
    actions, streams = random_actions(env, _streams(), N_ENVS), _streams()
    after, reward, _ = env.step(state, actions, streams)
    if not torch.equal(streams.save(), _streams().save()):  # what a step draws belongs to the place of a row
        rows = torch.arange(N_ENVS)
        replayed = rebuilt(state, env.full_state(state))
    again, same, _ = env.step(replayed, tuple(action[:, rows] for action in actions), _streams())
    assert torch.equal(env.full_state(again), env.full_state(after)[:, rows])
    assert torch.equal(same, reward[:, rows])


@every_variant
def test_a_step_does_not_change_the_state_that_it_was_given(env: Env[Any]) -> None:
    state = played(env)
    before = [field.clone() for field in state]
    actions = random_actions(env, _streams(), N_ENVS)
    given = [action.clone() for action in actions]
    env.step(state, actions, _streams())
    env.observe(state)
    assert all(torch.equal(field, kept) for field, kept in zip(state, before, strict=True))
    assert all(torch.equal(action, kept) for action, kept in zip(actions, given, strict=True))


@every_variant
def test_a_wrong_shape_is_answered_with_a_sentence(env: Env[Any]) -> None:
    actions = random_actions(env, _streams(), N_ENVS)
    with pytest.raises(ValueError, match=r"must have the shape \[2, 7, .*\], got \[2, 6, "):
        env.step(played(env), (actions[0][:, :-1], *actions[1:]), _streams())
    with pytest.raises(ValueError, match="must be one tensor a role"):
        env.step(played(env), (), _streams())


@every_variant
def test_an_action_that_is_no_number_or_no_choice_is_answered_with_a_sentence(env: Env[Any]) -> None:
    actions = random_actions(env, _streams(), N_ENVS)
    if isinstance(env.roles[0].action, Box):
        actions[0][1, 2, 0, 1] = torch.nan
        sentence = r"must be numbers, got NaN at \[1, 2, 0, 1\]"
    else:
        actions[0][1, 2, 0] = -1
        last = env.roles[0].action.n - 1
        actions[0][0, 0, 0] = last
        sentence = f"must lie in 0 … {last}, got -1 … {last}"
    with pytest.raises(ValueError, match=sentence):
        env.step(played(env), actions, _streams())
    wrong = tuple(action.to(torch.int32) for action in actions)
    with pytest.raises(ValueError, match=r"got torch\.int32"):
        env.step(played(env), wrong, _streams())


@every_environment
def test_a_setting_that_is_none_is_answered_with_a_sentence(env: Any) -> None:
    assert_settings_are_checked(env)
    for part in (getattr(env, field.name) for field in dataclasses.fields(env)):
        if dataclasses.is_dataclass(part):
            assert_settings_are_checked(part)


@every_grid
def test_marks_lie_on_the_planes_and_there_are_as_many_in_every_state(env: GridEnv[Any]) -> None:
    marks = [env.cells(state) for state in (env.reset(_streams(), N_ENVS), played(env), played(env, 30))]
    assert len({mark.shape for mark in marks}) == 1
    for mark in marks:
        assert mark.shape[:2] == (2, N_ENVS)
        assert mark.dtype == torch.int64
        assert mark.is_contiguous()
        assert 0 <= mark.min() <= mark.max() < math.prod(env.planes)


@every_environment
def test_pettingzoo_accepts_it(env: Env[Any]) -> None:
    parallel_api_test(ParallelEnvironment(env), num_cycles=2 * env.horizon + 3)
    parallel_seed_test(lambda: ParallelEnvironment(env), num_cycles=10)


@every_environment
def test_pettingzoo_accepts_it_where_agents_take_turns(env: Env[Any]) -> None:
    with warnings.catch_warnings():
        # Of spaces without bounds, and of what never changes.
        warnings.filterwarnings("ignore", message=r".*(infinity|equal|Observation|abnormal|space|observation).*")
        api_test(parallel_to_aec(ParallelEnvironment(env)), num_cycles=50)


@every_environment
def test_pettingzoo_plays_the_same_episode_from_the_same_seed(env: Env[Any]) -> None:
    first, again, other = (pettingzoo_episode(env, seed) for seed in (5, 5, 6))
    assert len(first) == env.horizon + 1 or (env.may_end and len(first) <= env.horizon)
    np.testing.assert_equal(first, again)
    assert not np.array_equal(first[0], other[0])


@every_environment
def test_pettingzoo_starts_over_when_it_is_reset_with_the_same_seed(env: Env[Any]) -> None:
    game = ParallelEnvironment(env)
    first, following, again = (game.reset(seed=seed)[0] for seed in (5, None, 5))
    np.testing.assert_equal(first, again)
    assert any(not np.array_equal(first[agent], following[agent]) for agent in first)


@every_environment
def test_pettingzoo_truncates_at_the_horizon_where_the_game_does_not_terminate(env: Env[Any]) -> None:
    game = ParallelEnvironment(env)
    game.reset(seed=0)
    for step in range(1, env.horizon + 1):
        actions = {agent: game.action_space(agent).sample() for agent in game.agents}
        _, _, terminations, truncations, _ = game.step(actions)
        over = step == env.horizon
        assert all(truncations[agent] == (over and not terminations[agent]) for agent in truncations)
        assert env.may_end or not any(terminations.values())
        if not game.agents:
            break
    assert game.agents == []


@every_environment
def test_pettingzoo_answers_a_wrong_action_with_a_sentence(env: Env[Any]) -> None:
    game = ParallelEnvironment(env)
    game.reset(seed=0)
    actions = {agent: game.action_space(agent).sample() for agent in game.agents}
    last = game.agents[-1]
    with pytest.raises(ValueError, match=f"the action of '{last}' must have the shape"):
        game.step({**actions, last: np.zeros(3)})
    with pytest.raises(ValueError, match=rf"\['{last}'\] missing"):
        game.step({agent: action for agent, action in actions.items() if agent != last})
    if isinstance(env.roles[-1].action, Box):
        with pytest.raises(ValueError, match="must be numbers, got NaN"):
            game.step({**actions, last: np.full(env.roles[-1].action.n, np.nan)})


def _streams() -> Streams:
    return Streams.of([0, 1], "another game", "cpu")


def rebuilt(like: Any, rows: torch.Tensor) -> Any:
    """The state from rows of the full state, each field in its own type. Shapes: rows [S, B, D]."""
    sizes = [field[0, 0].numel() for field in like]
    pieces = torch.split(rows, sizes, dim=-1)
    fields = (
        piece.view(*rows.shape[:2], *field.shape[2:]).to(field.dtype) for piece, field in zip(pieces, like, strict=True)
    )
    return type(like)(*fields)


def pettingzoo_episode(env: Env[Any], seed: int) -> list[Any]:
    game = ParallelEnvironment(env)
    for agent in game.possible_agents:
        game.action_space(agent).seed(seed)
    observations, _ = game.reset(seed=seed)
    trace = [np.concatenate([*observations.values(), game.state()])]
    while game.agents:
        actions = {agent: game.action_space(agent).sample() for agent in game.agents}
        observations, rewards, _, _, _ = game.step(actions)
        trace.append(np.concatenate([*observations.values(), game.state(), list(rewards.values())]))
    return trace


@every_mortal
def test_the_dead_stay_dead_get_nothing_and_what_they_do_changes_nothing(env: Any) -> None:
    streams, actors = Streams.of([0, 1], "game", "cpu"), Streams.of([0, 1], "actions", "cpu")
    state = env.reset(streams, N_ENVS)
    alive = env.alive(state)
    n_agents = sum(role.n_agents for role in env.roles)
    assert alive.dtype == torch.bool and alive.shape == (2, N_ENVS, n_agents) and alive.all()
    for _ in range(env.horizon):
        actions = random_actions(env, actors, N_ENVS)
        others = random_actions(env, actors, N_ENVS)
        spans = alive.split([role.n_agents for role in env.roles], dim=2)
        mixed = tuple(
            torch.where(able if act.dim() == 3 else able.unsqueeze(-1), act, other)
            for act, other, able in zip(actions, others, spans, strict=True)
        )
        again = streams.branched()
        state_of_others, *_ = env.step(state, mixed, again)
        state, reward, _ = env.step(state, actions, streams)
        assert all(torch.equal(a, b) for a, b in zip(state, state_of_others, strict=True))
        assert (reward[~alive] == 0).all()
        following = env.alive(state)
        assert not (following & ~alive).any()
        alive = following
    assert (~alive).any(), "random play must kill somebody, or this shows nothing"
