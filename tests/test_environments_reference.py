"""The particle worlds against mpe2, transition by transition, and against scores that are known.

What differs between openai's and mpe2's worlds on purpose is listed where it is tested: the integrator, the signs of
the five actions, collisions with oneself, and how rewards are shared.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from environments import Streams
from environments._particles import MPE2, Particles
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_spread import SimpleSpread
from environments.simple_tag import PREDATOR_PREY_12V4, SimpleTag

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pygame and pettingzoo warn about themselves when mpe2 is imported
    from mpe2 import simple_spread_v3, simple_tag_v3

MPE2_SPREAD = SimpleSpread(physics=MPE2, self_collision=False, shared_reward=False, local_ratio=0.5)
MPE2_TAG = SimpleTag(physics=MPE2)
N_STEPS = 10
CROWDED = 0.25
"""How much a random start is shrunk, so that discs overlap."""


def wheel(module: Any, **settings: Any) -> Any:
    """mpe2's game, a fresh episode of it."""
    game = module.parallel_env(continuous_actions=True, max_cycles=1000, **settings)
    game.reset(seed=0)
    return game


def world_of(game: Any) -> Any:
    return game.aec_env.unwrapped.world


def place(game: Any, positions: np.ndarray[Any, Any]) -> None:
    world = world_of(game)
    for entity, position in zip(world.entities, positions, strict=True):
        entity.state.p_pos = position.copy()


def state_of(game: Any) -> Particles:
    """What the wheel holds, in float64. Shapes: every field [1, 1, n, 2]."""
    world = world_of(game)
    fields = (
        [agent.state.p_pos for agent in world.agents],
        [agent.state.p_vel for agent in world.agents],
        [landmark.state.p_pos for landmark in world.landmarks],
    )
    return Particles(*(torch.from_numpy(np.array(field))[None, None] for field in fields))


def stepped(game: Any, actions: np.ndarray[Any, Any]) -> tuple[list[np.ndarray[Any, Any]], Tensor]:
    """Observations and rewards of the wheel. Its 5-vectors have the opposite signs of openai's."""
    mirrored = actions[:, [0, 2, 1, 4, 3]]
    observations, rewards, *_ = game.step(dict(zip(game.agents, mirrored, strict=True)))
    return list(observations.values()), torch.tensor([[list(rewards.values())]], dtype=torch.float64)


def chosen(random: np.random.Generator, n_agents: int) -> np.ndarray[Any, Any]:
    """Random 5-vectors, of the type of mpe2's action space."""
    return random.uniform(0, 1, (n_agents, 5)).astype(np.float32)


def split(actions: np.ndarray[Any, Any], sizes: Sequence[int]) -> tuple[Tensor, ...]:
    joint = torch.from_numpy(actions)[None, None]
    return tuple(part for part in joint.tensor_split(np.cumsum(sizes)[:-1].tolist(), dim=2))


def unused() -> Streams:
    return Streams.of([0], "unused", "cpu")


def contacts_among(places: Tensor, sizes: Sequence[float]) -> int:
    """Pairs of overlapping discs. Shapes: places [1, 1, N, 2]."""
    reach = torch.tensor(sizes)[:, None] + torch.tensor(sizes)
    return int((torch.cdist(places, places)[0, 0] < reach).triu(1).sum())


@pytest.mark.parametrize("seed", range(5))
def test_spread_moves_sees_and_rewards_as_mpe2_through_contacts(seed: int) -> None:
    random, game, contacts = np.random.default_rng(seed), wheel(simple_spread_v3), 0
    place(game, random.uniform(-1, 1, (6, 2)) * CROWDED)
    for _ in range(N_STEPS):
        before, actions = state_of(game), chosen(random, 3)
        contacts += contacts_among(before.position, [0.15] * 3)
        seen, rewards = stepped(game, actions)
        after, reward, _ = MPE2_SPREAD.step(before, split(actions, [3]), unused())
        torch.testing.assert_close(after.position, state_of(game).position, atol=1e-9, rtol=0)
        torch.testing.assert_close(after.velocity, state_of(game).velocity, atol=1e-9, rtol=0)
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)
        np.testing.assert_allclose(MPE2_SPREAD.observe(after)[0][0, 0].numpy(), np.array(seen), atol=1e-6, rtol=0)
    assert contacts > 0


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0])
def test_spread_mixes_rewards_with_mpe2s_local_ratio(ratio: float) -> None:
    random, game = np.random.default_rng(1), wheel(simple_spread_v3, local_ratio=ratio)
    env = SimpleSpread(physics=MPE2, self_collision=False, shared_reward=False, local_ratio=ratio)
    place(game, random.uniform(-1, 1, (6, 2)) * CROWDED)
    for _ in range(N_STEPS):
        before, actions = state_of(game), chosen(random, 3)
        _, rewards = stepped(game, actions)
        _, reward, _ = env.step(before, split(actions, [3]), unused())
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)


def test_spread_in_openais_unit_is_mpe2s_reward_summed_and_a_collision_with_oneself() -> None:
    random, game = np.random.default_rng(2), wheel(simple_spread_v3, local_ratio=0.5)
    place(game, random.uniform(-1, 1, (6, 2)) * CROWDED)
    before, actions = state_of(game), chosen(random, 3)
    _, mixed = stepped(game, actions)
    # With ρ = 1/2 every agent has (global + local)/2, so the sum over agents is half of openai's without itself.
    _, reward, _ = SimpleSpread(physics=MPE2).step(before, split(actions, [3]), unused())
    torch.testing.assert_close(reward, (2 * mixed.sum() - 3).expand(1, 1, 3), atol=1e-9, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_tag_moves_sees_and_rewards_as_mpe2_through_contacts(seed: int) -> None:
    random, game, contacts, fastest = np.random.default_rng(seed), wheel(simple_tag_v3), 0, 0.0
    place(game, random.uniform(-1, 1, (6, 2)) * CROWDED)
    for _ in range(N_STEPS):
        before, actions = state_of(game), chosen(random, 4)
        contacts += contacts_among(torch.cat([before.position, before.landmark], 2), [0.075] * 3 + [0.05] + [0.2] * 2)
        seen, rewards = stepped(game, actions)
        after, reward, _ = MPE2_TAG.step(before, split(actions, [3, 1]), unused())
        fastest = max(fastest, float(after.velocity.norm(dim=-1).max()))
        torch.testing.assert_close(after.position, state_of(game).position, atol=1e-9, rtol=0)
        torch.testing.assert_close(after.velocity, state_of(game).velocity, atol=1e-9, rtol=0)
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)
        ours = [row.numpy() for role in MPE2_TAG.observe(after) for row in role[0, 0]]
        for row, expected in zip(ours, seen, strict=True):
            np.testing.assert_allclose(row, expected, atol=1e-6, rtol=0)
    assert contacts > 0
    assert fastest > 0.999  # the speed limits were at work


def test_tag_charges_prey_for_leaving_the_arena_as_mpe2() -> None:
    random, game = np.random.default_rng(0), wheel(simple_tag_v3)
    for distance in (0.85, 0.95, 0.999, 1.001, 1.5, 3.0):
        place(game, np.array([[9.0, 9.0], [8.0, 9.0], [9.0, 8.0], [distance, -distance / 2], [5.0, 5.0], [4.0, 5.0]]))
        before, actions = state_of(game), chosen(random, 4)
        _, rewards = stepped(game, actions)
        _, reward, _ = MPE2_TAG.step(before, split(actions, [3, 1]), unused())
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)


def test_two_prey_see_each_others_velocity_as_in_mpe2() -> None:
    random, game = np.random.default_rng(3), wheel(simple_tag_v3, num_good=2)
    env = SimpleTag(physics=MPE2, n_prey=2)
    for _ in range(3):
        before, actions = state_of(game), chosen(random, 5)
        seen, rewards = stepped(game, actions)
        after, reward, _ = env.step(before, split(actions, [3, 2]), unused())
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)
        ours = [row.numpy() for role in env.observe(after) for row in role[0, 0]]
        for row, expected in zip(ours, seen, strict=True):
            np.testing.assert_allclose(row, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("speed", "accel"), [(1.3, 4.0), (1.5, 4.5)])
def test_twelve_against_four_move_see_and_are_rewarded_as_in_mpe2(speed: float, accel: float) -> None:
    random, game = np.random.default_rng(5), wheel(simple_tag_v3, num_good=4, num_adversaries=12, num_obstacles=2)
    env = dataclasses.replace(PREDATOR_PREY_12V4, physics=MPE2, action="soft", velocities="prey")
    env = dataclasses.replace(env, prey_max_speed=speed, prey_sensitivity=accel)
    for prey in world_of(game).agents[12:]:
        prey.max_speed, prey.accel = speed, accel
    place(game, random.uniform(-1, 1, (18, 2)) * 0.4)
    contacts, caught, fastest = 0, 0.0, 0.0
    for _ in range(N_STEPS):
        before, actions = state_of(game), chosen(random, 16)
        places = torch.cat([before.position, before.landmark], 2)
        contacts += contacts_among(places, [0.075] * 12 + [0.05] * 4 + [0.2] * 2)
        seen, rewards = stepped(game, actions)
        after, reward, _ = env.step(before, split(actions, [12, 4]), unused())
        caught = max(caught, float(reward.max()))
        fastest = max(fastest, float(after.velocity[:, :, 12:].norm(dim=-1).max()))
        torch.testing.assert_close(after.position, state_of(game).position, atol=1e-9, rtol=0)
        torch.testing.assert_close(after.velocity, state_of(game).velocity, atol=1e-9, rtol=0)
        torch.testing.assert_close(reward, rewards, atol=1e-9, rtol=0)
        ours = [row.numpy() for role in env.observe(after) for row in role[0, 0]]
        for row, expected in zip(ours, seen, strict=True):
            np.testing.assert_allclose(row, expected, atol=1e-6, rtol=0)
    assert contacts > 0
    assert caught > 10.0  # more than one pair at once
    assert fastest == pytest.approx(speed)


def test_observations_have_the_sizes_of_mpe2() -> None:
    assert [role.observation_shape for role in SimpleSpread().roles] == [(18,)]
    assert [role.observation_shape for role in SimpleTag().roles] == [(16,), (14,)]


def test_mpe2_is_one_step_behind_openai_where_nothing_touches() -> None:
    random, game = np.random.default_rng(4), wheel(simple_spread_v3)
    place(game, np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    env, state = SimpleSpread(), state_of(game)
    start, ahead = state.position, list[Tensor]()
    for step in range(N_STEPS):
        actions = chosen(random, 3)
        stepped(game, actions)
        behind = state_of(game).position
        torch.testing.assert_close(behind, ahead[-1] if ahead else start, atol=1e-9, rtol=0)
        state, _, _ = env.step(state, split(actions, [3]), unused())
        ahead.append(state.position)
        assert step == 0 or not torch.equal(behind, start)


def test_discrete_actions_have_the_opposite_signs_of_mpe2() -> None:
    game = simple_spread_v3.parallel_env(continuous_actions=False)
    game.reset(seed=0)
    place(game, np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    env, mirrored = SimpleSpread(physics=MPE2, action="discrete"), [0, 2, 1, 4, 3]
    for choices in ([0, 1, 2], [3, 4, 1]):
        before = state_of(game)
        game.step({agent: mirrored[choice] for agent, choice in zip(game.agents, choices, strict=True)})
        after, _, _ = env.step(before, (torch.tensor([[choices]]),), unused())
        torch.testing.assert_close(after.velocity, state_of(game).velocity, atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    "env", [SimpleSpread(action="force"), CooperativeNavigation()], ids=lambda env: type(env).__name__
)
def test_standing_still_scores_minus_654(env: Any) -> None:
    """In the unit of openai's `episode_rewards`: summed over steps and over agents, each with the shared sum.

    −654 ± 3 was found with an independent simulation of openai's rules; contacts move agents that start overlapping.
    """
    n_envs, streams = 20_000, Streams.of([0], "standing still", "cpu")
    state, total = env.reset(streams, n_envs), torch.zeros(1, n_envs)
    for _ in range(env.horizon):
        state, reward, _ = env.step(state, (torch.zeros(1, n_envs, 3, 2),), streams)
        total += reward.sum(-1)
    assert float(total.mean()) == pytest.approx(-654, abs=3)
