"""Agents of several roles: MADDPG of all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from _darts import Board, Darts
from torch import Tensor

from algorithms._networks import tensors
from algorithms._tree import joined, split
from algorithms.maddpg import MADDPG, MADDPGState, pooled
from environments import Box, Env, Role, Streams
from environments.simple_tag import SimpleTag

torch.set_num_threads(1)

TAG = SimpleTag(n_predators=2, n_prey=4, action="force", horizon=4)
SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 32, "first_update": 100, "steps_per_update": 50, "n_envs": 5}
TWO_ROLES = Darts(n_agents=1, n_mirrored=1, horizon=4)


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0, 1), "roles", "cpu")


def trained(algorithm: Any, env: Env[Any], n_iterations: int, *seeds: int) -> Any:
    state = algorithm.init(env, streams(*seeds))
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return state


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


# -------------------------------------------------------------------------------------------------------------- MADDPG


@dataclass(frozen=True)
class Merged:
    """Darts of two roles as a game of one, whose agents all see as much as those who see most: the rest is 0."""

    env: Darts

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    @property
    def horizon(self) -> int:
        return self.env.horizon

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("player", 2, (3,), Box(1)),)

    def reset(self, streams: Streams, n_envs: int) -> Board:
        return self.env.reset(streams, n_envs)

    def step(self, state: Board, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Board, Tensor, Tensor]:
        return self.env.step(state, (actions[0][:, :, :1], actions[0][:, :, 1:]), streams)

    def observe(self, state: Board) -> tuple[Tensor, ...]:
        thrower, mirror = self.env.observe(state)
        return (torch.cat([torch.cat([thrower, torch.zeros_like(thrower[..., :1])], -1), mirror], 2),)

    def full_state(self, state: Board) -> Tensor:
        return self.env.full_state(state)


def test_two_roles_learn_what_one_role_of_the_same_agents_does() -> None:
    algorithm, merged = MADDPG(**SMALL), Merged(TWO_ROLES)
    one = algorithm.init(merged, streams())
    two = joined(algorithm.init(TWO_ROLES, streams(5, 6)), split(algorithm.init(merged, streams()), 2))
    begun = [tensor.clone() for tensor in tensors(one.actors)]
    for _ in range(8):
        algorithm.advance(merged, one)
        algorithm.advance(TWO_ROLES, two)
    assert not any(map(torch.equal, begun, tensors(one.actors)))
    for alone, among in zip(split(one, 2), split(two, 2), strict=True):
        assert differing(alone, among) == []
    game = TWO_ROLES.reset(streams(), 7)
    (of_all,) = algorithm.policies(one)["greedy"](merged, game)
    of_roles = algorithm.policies(two)["greedy"](TWO_ROLES, game)
    assert [part.shape for part in of_roles] == [(2, 7, 1, 1)] * 2
    assert torch.equal(torch.cat(of_roles, 2), of_all)


def test_an_actor_has_the_size_of_what_its_role_sees() -> None:
    algorithm = MADDPG(**SMALL)
    n_predator, n_prey = (role.observation_shape[0] for role in TAG.roles)
    assert n_predator > n_prey
    for state in (algorithm.init(TAG, streams()), trained(algorithm, TAG, 6)):
        first = state.actors.act[0].weight
        assert first.shape == (2, 6, 16, n_predator)
        assert (first[:, 2:, :, n_prey:] == 0).all()
        assert (first[:, :2] != 0).all() and (first[:, 2:, :, :n_prey] != 0).all()
    fresh = algorithm.init(TAG, streams()).actors.act[0].weight
    for role, n_seen in ((fresh[:, :2], n_predator), (fresh[:, 2:], n_prey)):
        bound = (6 / (n_seen + 16)) ** 0.5
        assert 0.97 * bound < role.abs().max() <= bound  # Xavier's, of its own fan-in


def test_a_seed_of_two_roles_alone_is_bit_for_bit_what_it_is_among_others() -> None:
    for algorithm in (MADDPG(**SMALL), MADDPG(shared_reward=True, **SMALL)):
        together = split(trained(algorithm, TAG, 6, 0, 1, 2), 3)
        for seed in range(3):
            (alone,) = split(trained(algorithm, TAG, 6, seed), 1)
            assert differing(alone, together[seed]) == []


def test_so_it_is_at_the_sizes_of_the_paper() -> None:
    env, algorithm = SimpleTag(action="force", horizon=8), MADDPG(first_update=200)
    together = split(trained(algorithm, env, 3, 3, 4), 2)[1]
    (alone,) = split(trained(algorithm, env, 3, 4), 1)
    assert differing(alone, together) == []


def missed_by(algorithm: MADDPG, env: Darts, state: MADDPGState) -> Tensor:
    """Mean squared distance of every agent's throw from what it is to hit. Shapes: [A]."""
    game = env.reset(streams(7, 8), 300)
    _, reward, _ = env.step(game, algorithm.policies(state)["greedy"](env, game), streams())
    return -reward.mean(dim=(0, 1))


def test_two_roles_learn_opposite_things_from_rewards_of_their_own() -> None:
    sizes = {**SMALL, "hidden": 32, "batch_size": 128, "n_envs": 25, "polyak": 0.9, "clip": 10.0}
    algorithm, env = MADDPG(**sizes), Darts(n_agents=1, n_mirrored=1, horizon=2)
    assert (missed_by(algorithm, env, algorithm.init(env, streams())) > 0.15).all()
    assert (missed_by(algorithm, env, trained(algorithm, env, 200)) < 0.03).all()


def test_a_shared_reward_is_the_sum_over_a_role_and_what_is_counted_stays_what_was_paid() -> None:
    reward = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0, 32.0]).expand(2, 5, 6)
    assert pooled(TAG, reward)[0, 0].tolist() == [3.0, 3.0, 60.0, 60.0, 60.0, 60.0]
    own, sharing = (trained(MADDPG(shared_reward=shared, **SMALL), TAG, 1) for shared in (False, True))
    paid, learnt = (state.replay.between(0, state.replay.n_steps).reward for state in (own, sharing))
    assert torch.equal(pooled(TAG, paid), learnt) and not torch.equal(paid, learnt)
    assert torch.equal(own.ledger.totals["training return"], sharing.ledger.totals["training return"])


def test_agents_of_several_roles_do_not_talk() -> None:
    with pytest.raises(ValueError, match=r"^agents of one role only can talk, got message_size = 3 in "):
        MADDPG(message_size=3, **SMALL).init(TAG, streams())
