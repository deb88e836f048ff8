"""MADDPG for discrete actions, MA-SAC and DVM's merging, against plain PyTorch of one seed and one agent at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torch.nn.functional import mse_loss

from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._copies import lost, playable
from algorithms._local_policies import Team, single_team
from algorithms._networks import MLP, Linear, clone, of_agent, tensors
from algorithms._optimizers import Adam, clip_by_joint_norm, descend_jointly
from algorithms._replay import Moments, Replay, Transitions
from algorithms._tree import rebuilt, split
from algorithms.discrete_maddpg import (
    EPSILON,
    DiscreteMADDPG,
    chosen,
    explored,
    gumbel,
    gumbel_softmax,
    likeliest,
    one_hot,
)
from algorithms.dvm import (
    DIVERGENCE,
    ERROR,
    STUDENTS_SENSITIVITY,
    TEACHERS_SENSITIVITY,
    Enrolment,
    Merging,
    Succession,
    in_order,
)
from algorithms.masac import MASAC, gaussian, squashed
from environments import Discrete, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.spread import Spread

torch.set_num_threads(1)

SEEDS = (0, 1)
CHOICES, FORCES = Spread(horizon=4), Spread(action="force", horizon=4)
SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 32, "first_update": 10**6, "steps_per_update": 40, "n_envs": 4}
DISCRETE, SOFT = DiscreteMADDPG(**SMALL), MASAC(**SMALL, random_steps=40)
both = pytest.mark.parametrize("algorithm", [DISCRETE, SOFT], ids=["DiscreteMADDPG", "MASAC"])


def streams(purpose: str = "by hand") -> Streams:
    return Streams.of(SEEDS, purpose, "cpu")


def streams_at(state: Any) -> Streams:
    """Streams that will draw what the state's will."""
    copy = streams()
    copy.load(state.streams.save())
    return copy


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def game_of(algorithm: Any) -> Spread:
    return CHOICES if isinstance(algorithm, DiscreteMADDPG) else FORCES


def in_double_precision(state: Any) -> Any:
    return rebuilt(state, lambda _, leaf: leaf.double() if isinstance(leaf, Tensor) else leaf)


def disturbed(state: Any, *names: str) -> None:
    """Make networks ones of their own, that other networks could not be taken for."""
    for number, tensor in enumerate(tensor for name in names for tensor in tensors(getattr(state, name))):
        tensor.add_(0.3 * random(*tensor.shape, seed=number))


def played(algorithm: Any, purpose: str = "training", n_iterations: int = 2) -> Any:
    """A learner that has seen something and learnt nothing."""
    state = algorithm.init(game_of(algorithm), streams(purpose))
    for _ in range(n_iterations):
        algorithm.advance(game_of(algorithm), state)
    return state


def learnt(algorithm: Any, purpose: str = "training") -> Any:
    """A learner whose networks, targets and optimizers have been somewhere."""
    return played(replace(algorithm, first_update=80), purpose, 5)


# --------------------------------------------------------------------------------------------------- plain networks


def module(network: MLP, *index: int) -> torch.nn.Sequential:
    """One network of a stack, of torch's own modules."""
    layers: list[torch.nn.Module] = []
    for layer in network:
        n_out, n_in = layer.weight.shape[-2:]
        own = torch.nn.Linear(n_in, n_out, dtype=torch.float64)
        own.weight.data, own.bias.data = layer.weight[index].clone(), layer.bias[index][0].clone()
        layers += [own, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def assert_same(network: MLP, net: torch.nn.Module, *index: int) -> None:
    for mine, theirs in zip(tensors(network), net.parameters(), strict=True):
        torch.testing.assert_close(mine[index].flatten(), theirs.detach().flatten(), rtol=1e-5, atol=1e-6)


def follow(target: torch.nn.Module, online: torch.nn.Module, share: float) -> None:
    for slow, quick in zip(target.parameters(), online.parameters(), strict=True):
        slow.data = (1 - share) * slow.data + share * quick.data


class Batch:
    """What one seed learns from, one tensor [B, n] an agent."""

    def __init__(self, env: Spread, batch: Transitions, seed: int) -> None:
        self.observed, self.following = (
            list(env.observe(state)[0][seed].unbind(1)) for state in (batch.state, batch.next_state)
        )
        self.actions = list(batch.actions[seed].double().unbind(1))
        self.reward = batch.reward[seed]
        self.done = (batch.elapsed[seed] == env.horizon - 1).double()


def rewards_of_replay(state: Any, seed: int) -> np.ndarray[Any, Any]:
    held = state.replay.between(state.replay.oldest, state.replay.n_steps)
    rewards: np.ndarray[Any, Any] = held.reward[seed].double().numpy()
    return rewards


def normalised(batch: Batch, rewards: np.ndarray[Any, Any], agent: int) -> Tensor:
    own = rewards[:, agent]
    found: Tensor = (batch.reward[:, agent] - own.mean()) / own.std()
    return found


# ------------------------------------------------------------------------------------------- losses and environments


def test_the_value_of_a_sample_is_what_is_expected_less_the_tempered_log_density() -> None:
    assert losses.soft_value(torch.tensor([[3.0, 1.0]]), torch.tensor([[-2.0, 5.0]]), 0.5).tolist() == [[4.0, -1.5]]


def test_teams_that_choose_and_teams_that_push_are_told_apart() -> None:
    assert single_team(CHOICES, Discrete) == Team(2, 12, 5)
    assert single_team(FORCES) == Team(2, 12, 2)
    with pytest.raises(ValueError, match=r"^expected one role with vectors of observations and discrete actions, got "):
        single_team(FORCES, Discrete)
    with pytest.raises(ValueError, match=r"vectors of actions in \[-1, 1\], got "):
        single_team(CHOICES)


def test_a_policy_that_diverged_rests_and_its_return_is_lost() -> None:
    choices = torch.tensor([[[3, -1]]])
    assert playable(choices).tolist() == [[[3, 0]]]
    torch.testing.assert_close(lost(choices), torch.tensor([[[0.0, torch.nan]]]), equal_nan=True)
    forces = torch.tensor([[[[0.5, -0.5], [torch.nan, 1.0], [torch.inf, 0.0]]]])
    assert playable(forces).tolist() == [[[[0.5, -0.5], [0.0, 1.0], [0.0, 0.0]]]]
    torch.testing.assert_close(lost(forces), torch.tensor([[[0.0, torch.nan, torch.nan]]]), equal_nan=True)


# --------------------------------------------------------------------------------------------- networks, optimizers


def test_fan_in_layers_start_as_torchs_linear_layers_do() -> None:
    layers = networks.fan_in_uniform(streams(), (10, 64, 3), (40,))
    for layer, (n_in, n_out) in zip(layers, ((10, 64), (64, 3)), strict=True):
        bound = 1 / math.sqrt(n_in)
        assert layer.weight.shape == (2, 40, n_out, n_in)
        assert layer.bias.shape == (2, 40, 1, n_out)
        torchs = torch.nn.Linear(n_in, n_out)
        for mine, theirs in zip(layer, (torchs.weight, torchs.bias), strict=True):
            assert mine.abs().max() <= bound
            assert theirs.abs().max() <= bound
            # All rows of both seeds, but not so many that the steps of float32 would show.
            assert stats.kstest(mine.flatten()[:5000].numpy(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3
            assert not torch.equal(mine[0], mine[1])


def test_a_network_is_repeated_as_views_of_the_one() -> None:
    single = networks.xavier(streams(), (3, 4, 2))
    stack = networks.repeated(single, 3)
    for agent in range(3):
        for one, other in zip(tensors(of_agent(stack, agent)), tensors(single), strict=True):
            assert torch.equal(one, other)
            assert one.data_ptr() == other.data_ptr()


@pytest.mark.parametrize("scale", [1.0, 1e-4, 3e-8])
def test_adam_with_a_corrected_epsilon_is_torchs(scale: float) -> None:
    """ε is felt where gradients are as small as it."""
    p, q = torch.ones(2, 3, dtype=torch.float64), torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    mine, theirs = Adam.of([p]), torch.optim.Adam([q], lr=0.01)
    for t in range(30):
        q.grad = scale * random(2, 3, seed=t)
        theirs.step()
        mine.step([p], [q.grad], 0.01, corrected_epsilon=True)
        torch.testing.assert_close(p, q.detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("limit", [0.5, 3.0, 100.0])
def test_a_joint_clip_is_torchs_over_all_variables_of_every_seed_by_itself(limit: float) -> None:
    gradients = [random(2, 4, 3), random(2, 1, 4, seed=1), random(2, 2, 2, 2, seed=2)]
    for gradient in gradients:
        gradient[1] *= 0.1  # a seed that another limit reaches
    clipped = clip_by_joint_norm([gradient.flatten(1, -2) for gradient in gradients], limit)
    for seed in range(2):
        variables = [torch.zeros_like(gradient[seed]).requires_grad_() for gradient in gradients]
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.grad = gradient[seed].clone()
        torch.nn.utils.clip_grad_norm_(variables, limit)
        for variable, mine in zip(variables, clipped, strict=True):
            assert variable.grad is not None
            torch.testing.assert_close(mine[seed].flatten(), variable.grad.flatten(), rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("clip", [0.5, None])
def test_a_joint_descent_is_a_step_of_torchs_adam(clip: float | None) -> None:
    weight, bias = torch.tensor([[[5.0, -5.0]]], requires_grad=True), torch.tensor([[[2.0]]], requires_grad=True)
    pair = [torch.tensor([5.0, -5.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)]
    mine, theirs = Adam.of([weight.detach(), bias.detach()]), torch.optim.Adam(pair, lr=0.1)
    for _ in range(5):
        loss = weight.square().sum() + bias.square().sum()
        descend_jointly(loss, [weight, bias], mine, learning_rate=0.1, clip=clip)
        theirs.zero_grad()
        (pair[0].square().sum() + pair[1].square().sum()).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(pair, clip)
        theirs.step()
    for variable, other in zip((weight, bias), pair, strict=True):
        torch.testing.assert_close(variable.detach().flatten(), other.detach())


# ------------------------------------------------------------------------------------------------ rewards in replay


@pytest.mark.parametrize(
    ("capacity", "n_held"), [(3, 1), (7, 2), (16 * 4 * 3, 16 * 4 - 1), (20 * 4 * 3, 20 * 4 - 1), (10**6, 10**6)]
)
def test_moments_are_those_of_the_rewards_in_replay_also_after_it_has_wrapped(capacity: int, n_held: int) -> None:
    """Of 4 steps an episode and 3 copies."""
    game = CHOICES.reset(streams(), 3)
    replay = Replay.of(game, torch.zeros(2, 3, 2, 5), horizon=4, capacity=capacity)
    moments = Moments.of(2, 2, torch.device("cpu"))
    rewards: list[Tensor] = []
    for step in range(200):
        rewards.append((10.0 + random(2, 3, 2, seed=step) * torch.tensor([1.0, 5.0])).float())
        moments.exchange(rewards[-1], replay.leaving())
        replay.append(game, torch.zeros(2, 3, 2, 5), rewards[-1], game)
        held = torch.stack(rewards[-n_held:], dim=1).flatten(1, 2).double().numpy()  # [S, N, A]
        batch = rewards[-1]
        expected = (batch.numpy() - held.mean(axis=1, keepdims=True)) / held.std(axis=1, keepdims=True)
        if step > 0 and n_held > 1:
            np.testing.assert_allclose(moments.normalised(batch).numpy(), expected, rtol=1e-4, atol=1e-4)
        # A step counts as long as it can be drawn, and no longer.
        assert torch.equal(replay.between(replay.oldest, replay.n_steps).reward[:, -3:], batch)
        assert held.shape[1] / 3 == replay.n_steps - replay.oldest
        assert (moments.totals[:, 0] == held.shape[1]).all()


def test_rewards_that_are_all_the_same_are_normalised_to_zero() -> None:
    moments = Moments.of(2, 2, torch.device("cpu"))
    for _ in range(3):
        moments.exchange(torch.full((2, 4, 2), -0.1), None)
    assert not moments.normalised(torch.full((2, 5, 2), -0.1)).any()


# ------------------------------------------------------------------------------------------ choices and exploration


def test_choices_and_one_hot_vectors() -> None:
    logits = torch.tensor([[0.1, 0.3, -1.0], [2.0, 2.0, 1.0], [0.0, torch.nan, 1.0]])
    assert chosen(logits).tolist() == [1, 0, -1]
    assert likeliest(logits[:2]).tolist() == [[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]  # a tie is both, as in the public code
    assert one_hot(torch.tensor([[2, 0]]), 3).tolist() == [[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]]
    assert not one_hot(torch.tensor([-1]), 3).any()


def test_gumbel_noise_is_distributed_so() -> None:
    noise = gumbel((5000,), streams())
    for row in noise:
        assert stats.kstest(row.numpy(), stats.gumbel_r.cdf).pvalue > 1e-3


def test_a_gumbel_softmax_is_one_hot_with_the_gradient_of_the_soft_sample() -> None:
    logits, weights = random(2, 7, 5).requires_grad_(), random(2, 7, 5, seed=1)
    noise = gumbel((7, 5), streams())
    sample, soft = gumbel_softmax(logits, noise), torch.softmax(logits + noise, dim=-1)
    torch.testing.assert_close(sample.detach(), torch.nn.functional.one_hot(soft.argmax(-1), 5).double())
    mine, theirs = (torch.autograd.grad((part * weights).sum(), logits)[0] for part in (sample, soft))
    torch.testing.assert_close(mine, theirs)
    assert mine.abs().max() > 0.01


LOGITS = torch.tensor([[0.3, 1.0, -0.4, 0.2, 0.0], [0.5, -0.5, 0.1, 1.5, 0.4]])  # of two agents


def test_a_gumbel_softmax_samples_the_softmax() -> None:
    drawn = gumbel_softmax(LOGITS.repeat_interleave(20_000, 0).view(2, 20_000, 5), gumbel((20_000, 5), streams()))
    for row, logits in zip(drawn, LOGITS, strict=True):
        expected = torch.softmax(logits.double(), -1).numpy() * 20_000
        assert stats.chisquare(row.sum(0).round().numpy(), expected).pvalue > 1e-3


@pytest.mark.parametrize("epsilon", [1.0, 0.5, 0.051, 0.05, 0.0])
def test_every_agent_explores_by_itself_and_below_a_twentieth_by_sampling(epsilon: float) -> None:
    n = 20_000
    choices = explored(LOGITS.expand(2, n, 2, 5), epsilon, streams())
    for of_seed in choices:
        if epsilon > 0.05:
            each = epsilon / 5 + (1 - epsilon) * one_hot(LOGITS.argmax(-1), 5).double()
        else:
            each = torch.softmax(LOGITS.double(), -1)
        expected = torch.outer(each[0], each[1]).flatten().numpy() * n
        counts = torch.bincount(of_seed[:, 0] * 5 + of_seed[:, 1], minlength=25).numpy()
        likely = expected > 1e-9
        assert not counts[~likely].any()
        assert stats.chisquare(counts[likely], expected[likely]).pvalue > 1e-3
    assert not torch.equal(choices[0], choices[1])


@pytest.mark.parametrize("epsilon", [1.0, 0.3, 0.0])
def test_an_agent_that_diverged_chooses_nothing_and_leaves_the_draws_of_others_alone(epsilon: float) -> None:
    logits = LOGITS.repeat(2, 50, 1, 1)
    broken = logits.clone()
    broken[0, :, 1, 2] = torch.nan
    whole, rest = explored(logits, epsilon, streams()), explored(broken, epsilon, streams())
    assert (rest[0, :, 1] == -1).all()
    assert torch.equal(rest[0, :, 0], whole[0, :, 0])
    assert torch.equal(rest[1], whole[1])


@pytest.mark.parametrize(
    ("steps", "epsilon"), [(0, 0.3), (25_000, 0.2), (62_500, 0.05), (75_000, 0.0), (75_100, 0.0), (10**7, 0.0)]
)
def test_epsilon_falls_from_three_tenths_to_nothing_in_3000_episodes(steps: int, epsilon: float) -> None:
    assert DiscreteMADDPG().epsilon(steps) == pytest.approx(epsilon, abs=1e-12)


def test_epsilon_is_that_of_the_beginning_of_an_iteration_and_is_written_down() -> None:
    state = played(replace(DISCRETE, epsilon_steps=100, last_epsilon=0.1), n_iterations=4)
    expected = 10 * sum(0.3 - 0.2 * steps / 100 for steps in (0, 40, 80)) + 10 * 0.1  # ten plays of four copies each
    for row in state.ledger.totals[EPSILON]:
        assert row.tolist() == [pytest.approx(expected), 40]


def test_what_is_kept_in_replay_is_what_was_chosen_and_how_it_was_rewarded() -> None:
    state = played(DISCRETE)
    held = state.replay.between(0, state.replay.n_steps)
    assert set(held.actions.unique().tolist()) == {0.0, 1.0}
    assert (held.actions.sum(-1) == 1).all()
    following, reward, _ = CHOICES.step(held.state, (held.actions.argmax(-1),), streams())
    torch.testing.assert_close(reward, held.reward)
    torch.testing.assert_close(following.position, held.next_state.position)
    assert held.elapsed[0].tolist() == [step % 4 for step in range(20) for _ in range(4)]


# ------------------------------------------------------------------------------------------------ MADDPG, discrete


class PlainMADDPG:
    """One seed of MADDPG with one-hot actions."""

    def __init__(self, algorithm: DiscreteMADDPG, state: Any, seed: int) -> None:
        self.algorithm, self.seed, self.norms = algorithm, seed, list[float]()
        stacks = (state.actors, state.target_actors, state.critics, state.target_critics)
        self.actors, self.target_actors, self.critics, self.target_critics = (
            [module(stack, seed, agent) for agent in range(2)] for stack in stacks
        )
        self.adams = {
            net: torch.optim.Adam(net.parameters(), lr=algorithm.learning_rate) for net in self.actors + self.critics
        }

    def update(self, batch: Batch, rewards: np.ndarray[Any, Any], uniform: Tensor, agent: int) -> None:
        critic = self.critics[agent]
        with torch.no_grad():
            following = [self.greedy(net(x)) for net, x in zip(self.target_actors, batch.following, strict=True)]
            beyond = self.target_critics[agent](torch.cat([*batch.following, *following], 1))[:, 0]
            if self.algorithm.timeout_terminal:
                beyond = beyond * (1 - batch.done)
            target = normalised(batch, rewards, agent) + self.algorithm.discount * beyond
        shown = [torch.cat([*batch.observed, *batch.actions], 1)]
        if self.algorithm.permuted_critic:
            shown.append(torch.cat([*batch.observed[::-1], *batch.actions[::-1]], 1))
        self.step(critic, torch.stack([mse_loss(critic(joint)[:, 0], target) for joint in shown]).mean())

        logits = self.actors[agent](batch.observed[agent])
        soft = torch.softmax(logits - torch.log(-torch.log(uniform.double())), 1)
        actions = [self.greedy(net(x)).detach() for net, x in zip(self.actors, batch.observed, strict=True)]
        actions[agent] = self.greedy(soft).detach() - soft.detach() + soft
        value = critic(torch.cat([*batch.observed, *actions], 1)).mean()
        self.step(self.actors[agent], -value + self.algorithm.regularizer * (logits**2).mean())

    def follow(self) -> None:
        for target, online in zip(self.target_actors + self.target_critics, self.actors + self.critics, strict=True):
            follow(target, online, 1 - self.algorithm.polyak)

    def step(self, net: torch.nn.Sequential, loss: Tensor) -> None:
        self.adams[net].zero_grad()
        loss.backward()
        self.norms.append(torch.nn.utils.clip_grad_norm_(net.parameters(), self.algorithm.clip).item())
        self.adams[net].step()

    def greedy(self, logits: Tensor) -> Tensor:
        return torch.nn.functional.one_hot(logits.argmax(1), logits.shape[1]).double()


@pytest.mark.parametrize("settings", [{}, {"timeout_terminal": False}, {"permuted_critic": True}])
def test_updates_of_discrete_maddpg_are_those_of_torchs_own_modules(
    settings: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    algorithm = replace(DISCRETE, regularizer=0.05, first_update=0, **settings)
    state = in_double_precision(played(DISCRETE))
    disturbed(state, "target_actors", "target_critics")
    monkeypatch.setattr(DiscreteMADDPG, "_play", lambda *_: None)
    rng, plain = streams_at(state), [PlainMADDPG(algorithm, state, seed) for seed in range(2)]
    for _ in range(4):
        for agent in range(2):
            batch, uniform = state.replay.sample(rng, 32), rng.uniform(32, 5)
            assert (batch.elapsed == 3).any()
            for seed, one in enumerate(plain):
                one.update(Batch(CHOICES, batch, seed), rewards_of_replay(state, seed), uniform[seed], agent)
        for one in plain:
            one.follow()
        algorithm.advance(CHOICES, state)
    for seed, one in enumerate(plain):
        for agent in range(2):
            assert_same(state.actors, one.actors[agent], seed, agent)
            assert_same(state.critics, one.critics[agent], seed, agent)
            assert_same(state.target_actors, one.target_actors[agent], seed, agent)
            assert_same(state.target_critics, one.target_critics[agent], seed, agent)
        assert min(one.norms) < 0.5 < max(one.norms)


def test_the_policy_of_discrete_maddpg_is_the_likeliest_choice_of_every_actor() -> None:
    state = played(DISCRETE)
    game = CHOICES.reset(streams("test"), 6)
    (choices,) = DISCRETE.policies(state)["greedy"](CHOICES, game)
    for seed, copy, agent in itertools.product(range(2), range(6), range(2)):
        logits = module(state.actors, seed, agent).float()(CHOICES.observe(game)[0][seed, copy, agent])
        assert choices[seed, copy, agent] == logits.argmax()


@both
def test_nothing_is_learnt_before_there_is_enough_to_learn_from(algorithm: Any) -> None:
    algorithm = replace(algorithm, first_update=120)
    state = algorithm.init(game_of(algorithm), streams())
    counts = []
    for _ in range(5):
        algorithm.advance(game_of(algorithm), state)
        counts.append([optimizer.count for optimizer in state.actor_optimizers + state.critic_optimizers])
    assert counts == [[0] * 4, [0] * 4, [1] * 4, [2] * 4, [3] * 4]


@both
def test_targets_start_as_copies_with_memory_of_their_own(algorithm: Any) -> None:
    state = algorithm.init(game_of(algorithm), streams())
    for pairs in algorithm.followed(state).values():
        for one, other in zip(*map(tensors, zip(*pairs, strict=True)), strict=True) if pairs else ():
            assert torch.equal(one, other)
            assert one.data_ptr() != other.data_ptr()


# ---------------------------------------------------------------------------------------------------------- MA-SAC


class PlainMASAC:
    """One seed of MA-SAC."""

    def __init__(self, algorithm: MASAC, state: Any, seed: int) -> None:
        self.algorithm, self.seed = algorithm, seed
        self.actors, self.values, self.targets = (
            [module(stack, seed, agent) for agent in range(2)]
            for stack in (state.actors, state.critics.v, state.target_values)
        )
        self.twins = [[module(state.critics.q, seed, agent, twin) for twin in range(2)] for agent in range(2)]
        nets = self.actors + self.values + [net for twins in self.twins for net in twins]
        self.adams = {net: torch.optim.Adam(net.parameters(), lr=algorithm.learning_rate) for net in nets}

    def update(self, batch: Batch, rewards: np.ndarray[Any, Any], noise: Tensor, agent: int) -> None:
        actor, value, twins, algorithm = self.actors[agent], self.values[agent], self.twins[agent], self.algorithm
        mean, log_std = actor(batch.observed[agent]).chunk(2, 1)
        log_std = log_std.clamp(-20, 2)
        before = mean + log_std.exp() * noise
        action = torch.tanh(before)
        density = torch.distributions.Normal(mean, log_std.exp()).log_prob(before) - torch.log(1 - action**2 + 1e-6)
        log_density = density.sum(1)

        actions = list(batch.actions)
        actions[agent] = action
        expected = torch.min(*(net(torch.cat([*batch.observed, *actions], 1))[:, 0] for net in twins))
        beyond = self.targets[agent](torch.cat(batch.following, 1))[:, 0].detach()
        if algorithm.timeout_terminal:
            beyond = beyond * (1 - batch.done)
        target = normalised(batch, rewards, agent) + algorithm.discount * beyond
        done = torch.cat([*batch.observed, *batch.actions], 1)
        soft = expected - algorithm.temperature * log_density
        parts = {actor: -soft.mean() + algorithm.regularizer * ((mean**2).mean() + (log_std**2).mean())}
        parts |= {net: mse_loss(net(done)[:, 0], target) for net in twins}
        parts[value] = mse_loss(value(torch.cat(batch.observed, 1))[:, 0], soft.detach())
        gradients = {
            net: torch.autograd.grad(loss, list(net.parameters()), retain_graph=True) for net, loss in parts.items()
        }
        for net, own in gradients.items():
            for parameter, gradient in zip(net.parameters(), own, strict=True):
                parameter.grad = gradient
            self.adams[net].step()
        follow(self.targets[agent], value, 1 - algorithm.polyak)


@pytest.mark.parametrize("timeout_terminal", [True, False])
def test_updates_of_masac_are_those_of_torchs_own_modules(
    timeout_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"regularizer": 0.05, "learning_rate": 0.01, "first_update": 0}
    algorithm = replace(SOFT, timeout_terminal=timeout_terminal, **settings)
    state = in_double_precision(played(SOFT))
    disturbed(state, "target_values", "actors")  # so much that some log σ are clamped
    state.actors[-1].bias[:, :, :, 2:] += 1.7
    monkeypatch.setattr(MASAC, "_play", lambda *_: None)
    rng, plain = streams_at(state), [PlainMASAC(algorithm, state, seed) for seed in range(2)]
    for _ in range(4):
        for agent in range(2):
            batch, noise = state.replay.sample(rng, 32), rng.normal(32, 2)
            assert (batch.elapsed == 3).any()
            for seed, one in enumerate(plain):
                one.update(Batch(FORCES, batch, seed), rewards_of_replay(state, seed), noise[seed], agent)
        algorithm.advance(FORCES, state)
    for seed, one in enumerate(plain):
        for agent in range(2):
            assert_same(state.actors, one.actors[agent], seed, agent)
            assert_same(state.critics.v, one.values[agent], seed, agent)
            assert_same(state.target_values, one.targets[agent], seed, agent)
            for twin in range(2):
                assert_same(state.critics.q, one.twins[agent][twin], seed, agent, twin)


def test_masacs_log_density_is_that_of_a_gaussian_through_tanh() -> None:
    mean, log_std = random(2, 300, 3), 0.5 * random(2, 300, 3, seed=1) - 0.5
    action, density = squashed(mean, log_std, streams().normal(300, 3))
    normal = torch.distributions.Normal(mean, log_std.exp())
    through_tanh = torch.distributions.TransformedDistribution(normal, [torch.distributions.TanhTransform()])
    inside = (action.abs() < 0.99).all(-1)  # nearer to the edge the 1e-6 in the logarithm is felt
    assert inside.float().mean() > 0.8
    expected = through_tanh.log_prob(action).sum(-1)
    torch.testing.assert_close(density[inside], expected[inside], rtol=0.0, atol=3e-4)
    torch.testing.assert_close(torch.atanh(action[inside]), (mean + log_std.exp() * streams().normal(300, 3))[inside])


def test_masacs_outputs_are_a_mean_and_the_clamped_log_of_a_std() -> None:
    mean, log_std = gaussian(torch.tensor([[50.0, -2.0, 0.5, 7.0], [0.0, 0.0, -30.0, 2.0]]))
    assert mean.tolist() == [[50.0, -2.0], [0.0, 0.0]]
    assert log_std.tolist() == [[0.5, 2.0], [-20.0, 2.0]]


def test_masacs_means_and_log_stds_are_two_heads_each_with_xaviers_bound() -> None:
    wide = replace(SOFT, hidden=64)
    *_, heads = wide.actors(FORCES, streams(), 40)
    assert heads.weight.shape == (2, 40, 4, 64)
    assert not heads.bias.any()
    bound = math.sqrt(6 / (64 + 2))
    for head in heads.weight.split(2, dim=2):
        assert stats.kstest(head.flatten()[:5000].numpy(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


def test_masac_is_tested_with_tanh_of_the_mean() -> None:
    state = played(SOFT)
    game = FORCES.reset(streams("test"), 6)
    (actions,) = SOFT.policies(state)["greedy"](FORCES, game)
    for seed, copy, agent in itertools.product(range(2), range(6), range(2)):
        raw = module(state.actors, seed, agent).float()(FORCES.observe(game)[0][seed, copy, agent])
        torch.testing.assert_close(actions[seed, copy, agent], torch.tanh(raw[:2]).detach())


def test_masac_acts_blindly_at_first_and_then_as_its_policy_does() -> None:
    algorithm = MASAC(hidden=16, first_update=10**6, random_steps=2_000, steps_per_update=1_000, n_envs=100)
    state = algorithm.init(FORCES, streams())
    for tensor in tensors(state.actors):
        tensor.zero_()
    state.actors[-1].bias[..., :2] = torch.tensor([0.3, -1.0])
    state.actors[-1].bias[..., 2:] = math.log(0.5)
    for _ in range(3):
        algorithm.advance(FORCES, state)
    blind, led = state.replay.between(0, 20).actions, state.replay.between(20, 30).actions
    for seed, agent, entry in itertools.product(range(2), range(2), range(2)):
        assert stats.kstest(blind[seed, :, agent, entry].numpy(), stats.uniform(-1, 2).cdf).pvalue > 1e-3
        before = torch.atanh(led[seed, :, agent, entry].double()).numpy()
        assert stats.kstest(before, stats.norm((0.3, -1.0)[entry], 0.5).cdf).pvalue > 1e-3
    for row in state.ledger.totals["exploration std"]:
        assert row.tolist() == [pytest.approx(0.5 * 30 * 100 * 4), 30 * 100 * 4]


# -------------------------------------------------------------------------------------------------- DVM: what is taught


def test_discrete_divergences_are_torchs() -> None:
    teacher, student = random(2, 7, 5), random(2, 7, 5, seed=1)
    categorical = (torch.distributions.Categorical(logits=logits) for logits in (teacher, student))
    torch.testing.assert_close(DISCRETE.divergence(teacher, student), torch.distributions.kl_divergence(*categorical))
    torch.testing.assert_close(DISCRETE.divergence(teacher, teacher + 3.0), torch.zeros(2, 7, dtype=torch.float64))


def test_gaussian_divergences_are_torchs_before_tanh() -> None:
    teacher, student = 0.5 * random(2, 7, 6), 0.5 * random(2, 7, 6, seed=1)
    normal = [torch.distributions.Normal(raw[..., :3], raw[..., 3:].exp()) for raw in (teacher, student)]
    expected = torch.distributions.kl_divergence(*normal).sum(-1)
    torch.testing.assert_close(SOFT.divergence(teacher, student), expected)
    torch.testing.assert_close(SOFT.divergence(teacher, teacher), torch.zeros(2, 7, dtype=torch.float64))


def test_masac_is_taught_the_smaller_of_the_twins_and_the_state_value() -> None:
    state = in_double_precision(played(SOFT))
    batch = state.replay.sample(streams(), 9)
    observed, actions = FORCES.observe(batch.state)[0].transpose(1, 2), batch.actions.transpose(1, 2)
    smaller, value = SOFT.valued(of_agent(state.critics, 1), observed, actions)
    one = Batch(FORCES, batch, 0)
    done = torch.cat([*one.observed, *one.actions], 1)
    twins = [module(state.critics.q, 0, 1, twin)(done)[:, 0] for twin in range(2)]
    torch.testing.assert_close(smaller[0], torch.min(*twins).detach())
    assert {bool(x) for x in twins[0] < twins[1]} == {True, False}
    torch.testing.assert_close(value[0], module(state.critics.v, 0, 1)(torch.cat(one.observed, 1))[:, 0].detach())


def test_an_order_says_whose_entries_stand_in_each_place() -> None:
    x = torch.arange(2 * 3 * 4 * 5).view(2, 3, 4, 5)
    order = torch.tensor([[1, 2, 0], [0, 2, 1]])
    moved = in_order(x, order)
    for seed, place in itertools.product(range(2), range(3)):
        assert torch.equal(moved[seed, place], x[seed, order[seed, place]])


def test_random_orders_are_all_equally_likely_and_every_seed_has_its_own() -> None:
    merging, rng = Merging(DISCRETE, "critic", ((0, 0),)), streams()
    drawn = torch.stack([merging._orders(rng, 3)[0] for _ in range(600)])  # [N, S, 3]
    names = (drawn * torch.tensor([9, 3, 1])).sum(-1)
    for seed in range(2):
        values, counts = names[:, seed].unique(return_counts=True)
        assert len(values) == 6
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert not torch.equal(names[:, 0], names[:, 1])


def test_all_orders_are_every_order_once() -> None:
    orders = Merging(DISCRETE, "critic", ((0, 0),), orders="all")._orders(streams(), 3)
    assert {tuple(order[seed].tolist()) for order in orders for seed in range(2)} == set(
        itertools.permutations(range(3))
    )
    assert len(orders) == 6


# ------------------------------------------------------------------------------------------------ DVM: how it is taught

Part = Literal["actor", "critic"]
ONE_TEAM, TWO_TEAMS = ((0, 0), (0, 1)), ((1, 0), (0, 1))


def teams(algorithm: Any, n_teams: int) -> list[Any]:
    return [learnt(algorithm, f"team {number}") for number in range(n_teams)]


def enrolled(merging: Merging, taught: Sequence[Any], env: Spread) -> Any:
    state = merging.init(env, streams("merging"))
    Enrolment()(merging, env, state, [(env, team) for team in taught])
    return state


@dataclass
class PlainStudent:
    """One seed of a student: a policy, a critic, or twins and the value of a state."""

    learner: Any
    nets: list[torch.nn.Module]

    @classmethod
    def of(cls, learner: Any, part: Part, network: Any, *index: int) -> PlainStudent:
        if part == "critic" and isinstance(learner, MASAC):
            twins = [module(network.q, *index, twin) for twin in range(2)]
            return cls(learner, [*twins, module(network.v, *index)])
        return cls(learner, [module(network, *index)])

    def distribution(self, observed: Tensor) -> Any:
        if isinstance(self.learner, DiscreteMADDPG):
            return torch.distributions.Categorical(logits=self.nets[0](observed))
        mean, log_std = self.nets[0](observed).chunk(2, 1)
        return torch.distributions.Independent(torch.distributions.Normal(mean, log_std.exp()), 1)

    def values(self, observed: list[Tensor], actions: list[Tensor]) -> list[Tensor]:
        joint = torch.cat([*observed, *actions], 1)
        if len(self.nets) == 1:
            return [self.nets[0](joint)[:, 0]]
        first, second, value = self.nets
        return [torch.min(first(joint), second(joint))[:, 0], value(torch.cat(observed, 1))[:, 0]]

    def groups(self) -> list[list[torch.nn.Parameter]]:
        """Variables that are clipped together."""
        return [list(net.parameters()) for net in self.nets]


@dataclass
class PlainMerging:
    """One seed of merging."""

    merging: Merging
    student: PlainStudent
    adam: torch.optim.Adam
    measured: list[float]
    norms: list[float]

    @classmethod
    def of(cls, merging: Merging, state: Any, seed: int) -> PlainMerging:
        student = PlainStudent.of(merging.learner, merging.part, state.student, seed)
        variables = [variable for group in student.groups() for variable in group]
        return cls(merging, student, torch.optim.Adam(variables, lr=merging.learner.learning_rate), [], [])

    def imitate(self, teacher: PlainStudent, observed: Tensor) -> None:
        taught, own = teacher.distribution(observed), self.student.distribution(observed)
        self.step([torch.distributions.kl_divergence(taught, own).mean()])

    def match(self, teacher: PlainStudent, batch: Batch, order: list[int]) -> None:
        taught = teacher.values(batch.observed, batch.actions)
        own = self.student.values([batch.observed[i] for i in order], [batch.actions[i] for i in order])
        self.step([mse_loss(mine, theirs.detach()) for mine, theirs in zip(own, taught, strict=True)])

    def step(self, parts: list[Tensor]) -> None:
        self.adam.zero_grad()
        for loss in parts:
            loss.backward()
            self.measured.append(loss.item())
        for group in self.student.groups():
            self.norms.append(torch.nn.utils.clip_grad_norm_(group, self.merging.clip).item())
        self.adam.step()


@both
@pytest.mark.parametrize("part", ["actor", "critic"])
@pytest.mark.parametrize("members", [ONE_TEAM, TWO_TEAMS], ids=["one team", "two teams"])
def test_merging_is_that_of_torchs_own_modules(
    algorithm: Any, part: Part, members: tuple[tuple[int, int], ...]
) -> None:
    env, learner = game_of(algorithm), replace(algorithm, learning_rate=0.01)
    merging = Merging(learner, part, members, clip=0.1, iterations_per_round=2)
    taught = in_double_precision(teams(algorithm, 1 + (members == TWO_TEAMS)))
    state = in_double_precision(enrolled(merging, taught, env))
    rng, plain = streams_at(state), [PlainMerging.of(merging, state, seed) for seed in range(2)]
    for _ in range(3 * 2):
        batches = [team.replay.sample(rng, 32) for team in taught]
        for team, agent in members:
            orders = rng.uniform(2).argsort(1) if part == "critic" else None
            for seed, one in enumerate(plain):
                batch = Batch(env, batches[team], seed)
                network = taught[team].actors if part == "actor" else taught[team].critics
                teacher = PlainStudent.of(learner, part, network, seed, agent)
                if orders is None:
                    one.imitate(teacher, batch.observed[agent])
                else:
                    one.match(teacher, batch, orders[seed].tolist())
    for _ in range(3):
        merging.advance(env, state)
    assert state.steps == 6
    for seed, one in enumerate(plain):
        expected = PlainStudent.of(learner, part, state.student, seed)
        for net, mine in zip(one.student.nets, expected.nets, strict=True):
            for theirs, parameter in zip(net.parameters(), mine.parameters(), strict=True):
                torch.testing.assert_close(parameter, theirs, rtol=1e-6, atol=1e-7)
        total, number = state.ledger.totals[DIVERGENCE if part == "actor" else ERROR][seed].tolist()
        assert total / number == pytest.approx(np.mean(one.measured), rel=1e-6)
        assert max(one.norms) > 0.1


@both
def test_with_all_orders_the_gradient_is_the_mean_over_them(algorithm: Any) -> None:
    env = replace(game_of(algorithm), n_agents=3)
    learner = replace(algorithm, first_update=80)
    team = learner.init(env, streams())
    for _ in range(3):
        learner.advance(env, team)
    merging = Merging(algorithm, "critic", ((0, 1),), clip=1e9, orders="all", iterations_per_round=1)
    team, state = in_double_precision(team), in_double_precision(merging.init(env, streams()))
    Enrolment()(merging, env, state, [(env, team)])
    rng, student = streams_at(state), networks.trainable(state.student)
    batch = team.replay.sample(rng, 32)
    observed, actions = env.observe(batch.state)[0].transpose(1, 2), batch.actions.transpose(1, 2)
    taught = algorithm.valued(of_agent(team.critics, 1), observed, actions)
    loss = torch.zeros((), dtype=torch.float64)
    for order in itertools.permutations(range(3)):
        values = algorithm.valued(student, observed[:, list(order)], actions[:, list(order)])
        for mine, theirs in zip(values, taught, strict=True):
            loss = loss + (mine - theirs).square().mean(1).sum() / 6
    gradients = torch.autograd.grad(loss, tensors(student))
    merging.advance(env, state)
    for moment, gradient in zip(state.optimizer.first, gradients, strict=True):
        torch.testing.assert_close(moment, 0.1 * gradient)
    assert torch.equal(state.streams.save(), rng.save())  # no order is drawn


@both
@pytest.mark.parametrize("part", ["actor", "critic"])
def test_merging_changes_its_student_and_nothing_of_its_teachers(algorithm: Any, part: Part) -> None:
    env, taught = game_of(algorithm), teams(algorithm, 2)
    merging = Merging(algorithm, part, TWO_TEAMS, iterations_per_round=1)
    state = enrolled(merging, taught, env)
    before = [clone(team) for team in taught]
    student = clone(state.student)
    merging.advance(env, state)
    for team, old in zip(taught, before, strict=True):
        for mine, theirs in zip(split(team, 2), split(old, 2), strict=True):
            assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert not any(map(torch.equal, tensors(state.student), tensors(student)))


@both
@pytest.mark.parametrize("part", ["actor", "critic"])
def test_enrolment_puts_trained_teams_in_the_place_of_fresh_ones(algorithm: Any, part: Part) -> None:
    env, taught = game_of(algorithm), teams(algorithm, 2)
    merging = Merging(algorithm, part, TWO_TEAMS)
    state = merging.init(env, streams("merging"))
    student = clone(state.student)
    assert [teacher.replay.n_steps for teacher in state.teachers] == [0, 0]
    Enrolment()(merging, env, state, [(env, team) for team in taught])
    for teacher, team in zip(state.teachers, taught, strict=True):
        assert teacher.taught is (team.actors if part == "actor" else team.critics)
        assert teacher.replay is team.replay
    assert all(map(torch.equal, tensors(state.student), tensors(student)))
    assert state.steps == state.optimizer.count == 0


def test_a_team_of_students_acts_with_the_student_in_every_place() -> None:
    for algorithm in (DISCRETE, SOFT):
        env = game_of(algorithm)
        merging = Merging(algorithm, "actor", ((0, 0), (0, 1)))
        state = merging.init(env, streams())
        game = env.reset(streams("test"), 6)
        alone: MLP = tuple(Linear(*(part.unsqueeze(1).repeat(1, 2, 1, 1) for part in layer)) for layer in state.student)
        (actions,) = merging.policies(state)["student"](env, game)
        assert torch.equal(actions, algorithm.acting(alone)(env, game)[0])
        assert Merging(algorithm, "critic", ((0, 0),)).policies(state) == {}


def means(state: Any, metric: str, since: Tensor | None = None) -> Tensor:
    """What was counted, as the mean of every seed. Shapes: [S]."""
    total, number = (state.ledger.totals[metric] - (0 if since is None else since)).unbind(1)
    mean: Tensor = total / number
    return mean


@both
def test_the_student_of_identical_teachers_becomes_one_of_them(algorithm: Any) -> None:
    env, learner = game_of(algorithm), replace(algorithm, learning_rate=0.01)
    team = learnt(algorithm)
    for tensor in tensors(team.actors):
        tensor[:, 1] = tensor[:, 0]
    merging = Merging(learner, "actor", ONE_TEAM, iterations_per_round=5)
    state = enrolled(merging, [team], env)
    merging.advance(env, state)
    first = means(state, DIVERGENCE)
    for _ in range(50):
        merging.advance(env, state)
    before = state.ledger.totals[DIVERGENCE].clone()
    merging.advance(env, state)
    assert (means(state, DIVERGENCE, since=before) < 0.02 * first).all()


def sensitivity(learner: Any, critic: Any, observed: Tensor, actions: Tensor) -> Tensor:
    """How far values lie apart over all orders, in standard deviations over the batch. Shapes: [S]."""
    orders = itertools.permutations(range(observed.shape[1]))
    values = torch.stack([learner.valued(critic, observed[:, list(o)], actions[:, list(o)])[0] for o in orders])
    return values.std(dim=0).mean(dim=1) / values.mean(dim=0).std(dim=1)


@both
def test_a_matched_critic_does_not_mind_the_order_of_the_agents(algorithm: Any) -> None:
    env, learner = game_of(algorithm), replace(algorithm, learning_rate=0.01, hidden=32, batch_size=64)
    team = played(replace(learner, first_update=80), n_iterations=20)
    merging = Merging(learner, "critic", ((0, 0),), iterations_per_round=10)
    state = enrolled(merging, [team], env)
    batch = team.replay.sample(streams("test"), 200)
    observed, actions = env.observe(batch.state)[0].transpose(1, 2), batch.actions.transpose(1, 2)
    teacher = of_agent(team.critics, 0)
    assert (sensitivity(learner, teacher, observed, actions) > 0.3).all()
    assert (sensitivity(learner, state.student, observed, actions) > 0.3).all()
    for _ in range(30):
        merging.advance(env, state)
    before = {metric: totals.clone() for metric, totals in state.ledger.totals.items()}
    merging.advance(env, state)
    assert (sensitivity(learner, state.student, observed, actions) < 0.2).all()
    assert (means(state, STUDENTS_SENSITIVITY, before[STUDENTS_SENSITIVITY]) < 0.3).all()
    assert (means(state, TEACHERS_SENSITIVITY, before[TEACHERS_SENSITIVITY]) > 0.5).all()
    own, taught = (learner.valued(critic, observed, actions)[0] for critic in (state.student, teacher))
    assert ((own - taught).square().mean(1) < 0.1 * taught.var(1)).all()


def test_sensitivity_is_how_far_values_move_when_agents_change_places_in_their_standard_deviations() -> None:
    merging = Merging(DISCRETE, "critic", ONE_TEAM, iterations_per_round=1)
    taught = in_double_precision(teams(DISCRETE, 1))
    state = in_double_precision(enrolled(merging, taught, CHOICES))
    batch = taught[0].replay.sample(streams_at(state), 32)
    merging.advance(CHOICES, state)
    for seed in range(2):
        one, apart = Batch(CHOICES, batch, seed), []
        for critic in [*(module(taught[0].critics, seed, agent) for agent in range(2)), module(state.student, seed)]:
            values, moved = (
                critic(torch.cat([*one.observed[::step], *one.actions[::step]], 1))[:, 0].detach().numpy()
                if step == 1
                else critic(torch.cat([*reversed(one.observed), *reversed(one.actions)], 1))[:, 0].detach().numpy()
                for step in (1, -1)
            )
            apart.append(np.abs(values - moved).mean() / values.std(ddof=1))
        assert means(state, TEACHERS_SENSITIVITY)[seed].item() == pytest.approx(np.mean(apart[:2]))
        assert means(state, STUDENTS_SENSITIVITY)[seed].item() == pytest.approx(apart[2])


# ----------------------------------------------------------------------------------------------- DVM: what is inherited


def of_actor(state: Any, agent: int) -> dict[str, Tensor]:
    """All that belongs to an agent's policy, by name."""
    return dict(named(actor=of_agent(state.actors, agent), target=of_agent(getattr(state, "target_actors", ()), agent)))


def of_critic(state: Any, agent: int) -> dict[str, Tensor]:
    """All that belongs to an agent's critic, by name."""
    if isinstance(state.critics, tuple) and hasattr(state.critics, "v"):
        followers = {"target of v": of_agent(state.target_values, agent)}
    else:
        followers = {"target": of_agent(state.target_critics, agent)}
    return dict(named(critic=of_agent(state.critics, agent), **followers))


def named(**parts: Any) -> Iterator[tuple[str, Tensor]]:
    for name, part in parts.items():
        for number, tensor in enumerate(tensors(part)):
            yield f"{name} {number}", tensor


def taught(algorithm: Any, part: Part, student: Any) -> dict[str, Tensor]:
    """The same for an agent that is a copy of a student."""
    if part == "actor":
        return dict(named(actor=student, target=student if isinstance(algorithm, DiscreteMADDPG) else ()))
    if isinstance(algorithm, MASAC):
        return dict(named(critic=student, **{"target of v": student.v}))
    return dict(named(critic=student, target=student))


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]), name
        assert tensor.data_ptr() != other[name].data_ptr(), name


@both
@pytest.mark.parametrize("members", [ONE_TEAM, TWO_TEAMS, ((0, 1), (0, 1))], ids=["one team", "two teams", "twice one"])
@pytest.mark.parametrize(
    ("actor", "critic"),
    [(False, False), (True, False), (False, True), (True, True)],
    ids=["No DVM", "Distillation", "Value Matching", "DVM"],
)
def test_agents_inherit_what_they_were_and_what_was_merged(
    algorithm: Any, members: tuple[tuple[int, int], ...], actor: bool, critic: bool
) -> None:
    env, former = game_of(algorithm), teams(algorithm, 1 + (members == TWO_TEAMS))
    parts: list[Part] = [*(["actor"] if actor else []), *(["critic"] if critic else [])]  # type: ignore[list-item]
    students = []
    for part in parts:
        merging = Merging(algorithm, part, members, iterations_per_round=1)
        students.append(enrolled(merging, former, env))
        merging.advance(env, students[-1])
    before = [clone(team) for team in former]
    learner = algorithm.init(env, streams("phase two"))
    drawn = learner.streams.save()
    Succession(members, actor, critic)(algorithm, env, learner, [(env, state) for state in (*former, *students)])

    for agent, (team, member) in enumerate(members):
        own_actor = taught(algorithm, "actor", students[0].student) if actor else of_actor(before[team], member)
        assert_equal(of_actor(learner, agent), own_actor)
        own_critic = taught(algorithm, "critic", students[-1].student) if critic else of_critic(before[team], member)
        assert_equal(of_critic(learner, agent), own_critic)
        for kind in ("actor_optimizers", "critic_optimizers"):
            mine, theirs = getattr(learner, kind)[agent], getattr(former[team], kind)[member]
            assert mine.count == theirs.count == 4
            for moments in ("first", "second"):
                assert_equal(dict(named(moments=getattr(mine, moments))), dict(named(moments=getattr(theirs, moments))))
    assert learner.steps == learner.replay.n_steps == learner.copies.elapsed == 0
    assert not learner.rewards.totals.any()
    assert torch.equal(learner.streams.save(), drawn)

    # What goes on is nobody else's: neither the teams nor the students move with it.
    kept = [clone(state.student) for state in students]
    once_more = replace(algorithm, first_update=0)
    once_more.advance(env, learner)
    assert all(map(torch.equal, tensors(kept), tensors([state.student for state in students])))
    for team, old in zip(former, before, strict=True):
        for mine, theirs in zip(split(team, 2), split(old, 2), strict=True):
            assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_these_games_are_of_the_kinds_that_the_tests_say() -> None:
    with pytest.raises(ValueError, match="discrete actions"):
        DISCRETE.init(CooperativeNavigation(), streams())
