"""Whether the algorithms find what is known to be best: no sign of a loss can be wrong and these tests pass.

In the game, every agent is put where its action says, and is rewarded, one step later, by how close it stands to a goal
of its own: r_i = −(x_i − g_i)², of the state that the step began in. So an action pays only through the critic's
bootstrap; the best action is the goal; and without knowing the goal it is 0, which loses Var(g) = 0.64/3 a step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms.ctedd import CTEDD, CTEDDState, Recent
from algorithms.maddpg import MADDPG, gaussian
from environments import Box, Role, Streams

torch.set_num_threads(1)

SEEDS = (0, 1)
FARTHEST = 0.8
IGNORANT = FARTHEST**2 / 3  # the loss a step of an agent that cannot know its goal: Var(g)
NEAR = 0.03


class Places(NamedTuple):
    position: Tensor  # [S, E, A, 1]
    goal: Tensor  # [S, E, A, 1]


@dataclass(frozen=True)
class Goals:
    """Two agents go to their goals; `seen_by` says who sees an agent's goal: itself, or only the other one."""

    seen_by: str = "itself"
    horizon: int = 5

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", 2, (1,), Box(1)),)

    def reset(self, streams: Streams, n_envs: int) -> Places:
        drawn = streams.uniform(n_envs, 2, 2, 1, low=-FARTHEST, high=FARTHEST)
        return Places(*(part.contiguous() for part in drawn.unbind(2)))

    def step(self, state: Places, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Places, Tensor, Tensor]:
        reward = -(state.position - state.goal).square().squeeze(-1)
        return Places(actions[0], state.goal), reward, torch.zeros(reward.shape[:2], dtype=torch.bool)

    def observe(self, state: Places) -> tuple[Tensor, ...]:
        goal = state.goal if self.seen_by == "itself" else state.goal.flip(2)
        return (goal,)  # not the position, which tells what the agent did, and so its goal

    def full_state(self, state: Places) -> Tensor:
        return torch.cat([field.flatten(2) for field in state], dim=-1)


OPEN, HIDDEN = Goals(), Goals(seen_by="the other")
SMALL: dict[str, Any] = {
    "hidden": 32,
    "batch_size": 128,
    "first_update": 500,
    "steps_per_update": 50,
    "n_envs": 25,
    "polyak": 0.9,
    "clip": 10.0,
}


@cache
def trained(algorithm: Any, env: Goals, n_updates: int) -> Any:
    """The state after that many updates."""
    state = algorithm.init(env, Streams.of(SEEDS, "training", "cpu"))
    while state.steps < algorithm.first_update + n_updates * algorithm.steps_per_update:
        algorithm.advance(env, state)
    return state


def losses_per_step(algorithm: Any, env: Goals, n_updates: int) -> dict[str, float]:
    """Of every policy, what the worse of the seeds and agents loses a step by not being at its goal."""
    state = trained(algorithm, env, n_updates)
    game = env.reset(Streams.of(SEEDS, "test", "cpu"), 500)
    with torch.no_grad():
        played = {name: policy(env, game)[0] for name, policy in algorithm.policies(state).items()}
    return {name: float((actions - game.goal).square().mean(dim=(1, 3)).max()) for name, actions in played.items()}


def spread(algorithm: CTEDD, state: CTEDDState, env: Goals) -> Tensor:
    """CTEDD's standard deviation of every seed, mean over states and actions. Shapes: [S]."""
    seen = env.full_state(env.reset(Streams.of(SEEDS, "test", "cpu"), 500))
    return algorithm._std(state.spread, state.actor.features(seen)).flatten(1).mean(1)


SILENT, TALKING = MADDPG(message_size=0, **SMALL), MADDPG(message_size=3, **SMALL)
EXPLORING = CTEDD(message_sizes=(0, 1), first_temperature=1e-3, distill_every=5_000, **SMALL)


@pytest.mark.parametrize("algorithm", [SILENT, TALKING], ids=["MADDPG-0", "MADDPG-3"])
def test_maddpg_goes_to_goals_that_its_agents_see(algorithm: MADDPG) -> None:
    assert losses_per_step(algorithm, OPEN, 200)["greedy"] < NEAR


def test_maddpg_goes_to_goals_that_only_a_message_can_tell() -> None:
    assert losses_per_step(TALKING, HIDDEN, 500)["greedy"] < NEAR


def test_without_messages_maddpg_can_do_no_better_than_not_to_know() -> None:
    assert losses_per_step(SILENT, HIDDEN, 150)["greedy"] == pytest.approx(IGNORANT, rel=0.2)


def test_maddpg_learns_to_explore_less_where_noise_is_costly() -> None:
    state = trained(SILENT, OPEN, 200)
    game = OPEN.reset(Streams.of(SEEDS, "test", "cpu"), 500)
    raw = state.actors(OPEN.observe(game)[0].transpose(1, 2))
    assert (gaussian(raw)[1].flatten(1).mean(1) < 0.5).all()  # from about 1


@pytest.mark.parametrize("fixed_std", [None, 0.3])
def test_ctedds_global_policy_goes_to_the_goals(fixed_std: float | None) -> None:
    assert losses_per_step(replace(EXPLORING, fixed_std=fixed_std), HIDDEN, 400)["G"] < NEAR


def test_the_local_policies_go_where_the_global_one_does_if_they_may_talk() -> None:
    assert losses_per_step(EXPLORING, HIDDEN, 400)["L-1"] < NEAR


def test_silent_local_policies_do_the_best_that_can_be_done_without_knowing() -> None:
    assert losses_per_step(EXPLORING, HIDDEN, 400)["L-0"] == pytest.approx(IGNORANT, rel=0.2)


def test_ctedds_spread_shrinks_where_noise_is_costly() -> None:
    before = EXPLORING.init(HIDDEN, Streams.of(SEEDS, "training", "cpu"))
    assert (spread(EXPLORING, before, HIDDEN) > 0.35).all()
    assert (spread(EXPLORING, trained(EXPLORING, HIDDEN, 400), HIDDEN) < 0.1).all()


def test_ctedds_spread_settles_where_entropy_pays_for_the_noise() -> None:
    """An action loses γ·σ² a step, half of it as a mean over two agents; α·log σ - ½γ·σ² is greatest at σ = √(α/γ)."""
    algorithm = replace(EXPLORING, first_temperature=0.1, last_temperature=0.1)
    settled = spread(algorithm, trained(algorithm, HIDDEN, 400), HIDDEN)
    torch.testing.assert_close(settled, torch.full((2,), math.sqrt(0.1 / 0.95)), rtol=0.35, atol=0.0)


@pytest.mark.parametrize(("sign", "grows"), [(1.0, True), (-1.0, False)], ids=["pays", "costs"])
def test_ctedds_spread_grows_where_noise_pays_and_shrinks_where_it_costs(sign: float, grows: bool) -> None:
    """The critic is ±(|a_1| + |a_2|), the mean action 0."""
    algorithm = replace(EXPLORING, first_temperature=0.0, last_temperature=0.0)
    state = algorithm.init(OPEN, Streams.of(SEEDS, "training", "cpu"))
    for tensor in networks.tensors((state.actor.heads, state.critic)):
        tensor.zero_()
    for unit, (column, way) in enumerate([(4, 1.0), (4, -1.0), (5, 1.0), (5, -1.0)]):  # the actions' columns
        state.critic[0].weight[:, unit, column] = way
        state.critic[1].weight[:, unit, unit] = 1.0
        state.critic[2].weight[:, 0, unit] = sign
    before = spread(algorithm, state, OPEN)
    for _ in range(50):
        algorithm._update_spread(state, Recent(*algorithm._play(OPEN, state)))
    after = spread(algorithm, state, OPEN)
    assert ((after > before + 0.1) if grows else (after < before - 0.1)).all()
