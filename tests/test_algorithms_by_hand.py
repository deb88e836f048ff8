"""The parts that algorithms are made of, against numbers computed by hand, SciPy, and torch's own autograd."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from scipy import stats
from torch import Tensor

from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._copies import TRAINING_RETURN, Copies, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import LocalPolicies, Team, single_team
from algorithms._networks import Linear
from algorithms._optimizers import Adam, clip_by_norm, descend
from algorithms._replay import Replay, Transitions
from algorithms.ctedd import CTEDD, LOWEST_STD, CTEDDState, Recent, Student, value
from algorithms.maddpg import MADDPG, gaussian, sampled
from environments import Box, Role, Streams
from environments.cooperative_navigation import CooperativeNavigation

torch.set_num_threads(1)


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0, 1), "by hand", "cpu")


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def rows(*numbers: list[float]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


# -------------------------------------------------------------------------------------------------------------- losses


def test_the_td_target_is_the_reward_and_the_discounted_value() -> None:
    assert losses.td_target(rows([1, 2]), rows([10, -4]), 0.95).tolist() == [[10.5, pytest.approx(-1.8)]]


def test_losses_are_means_over_the_batch_and_sums_over_seeds() -> None:
    x = rows([1, 3], [2, 6])
    assert losses.squared_error(x, rows([0, 1], [4, 2])) == (1 + 4) / 2 + (4 + 16) / 2
    assert losses.negative_value(x) == -(1 + 3) / 2 - (2 + 6) / 2
    assert losses.regularizer(torch.stack([x, 2 * x])) == (1 + 9 + 4 + 36) / 4 + 4 * (1 + 9 + 4 + 36) / 4


@pytest.mark.parametrize("n", [7, 64, 257, 1024])
def test_slopes_are_what_autograd_finds_to_the_last_bit(n: int) -> None:
    streams = Streams.of([0, 1, 2], "slopes", "cpu")
    x, target, raw = streams.normal(n), streams.normal(n), streams.normal(n, 3)

    def found(loss: Tensor, by: Tensor) -> Tensor:
        return torch.autograd.grad(loss, by)[0]

    for tensor in (x, raw):
        tensor.requires_grad_()
    assert torch.equal(found(losses.squared_error(x, target), x), losses.squared_error_slope(x, target))
    for weight in (1 / 2, 1 / 6):
        weighed = found(losses.squared_error(x, target) * weight, x)
        assert torch.equal(weighed, losses.squared_error_slope(x, target, weight))
    assert torch.equal(found(losses.negative_value(x), x), losses.negative_value_slope(x))
    assert torch.equal(found(1e-3 * losses.regularizer(raw), raw), losses.regularizer_slope(raw, 1e-3))


def test_gaussian_densities_are_scipys_summed_over_agents_and_entries() -> None:
    x, mean, std = random(2, 5, 3, 2), random(2, 5, 3, 2, seed=1), random(2, 5, 3, 2, seed=2).exp()
    expected = torch.from_numpy(stats.norm.logpdf(x.numpy(), mean.numpy(), std.numpy())).sum((-2, -1))
    torch.testing.assert_close(losses.gaussian_log_density(x, mean, std), expected)


def test_gaussian_entropies_are_scipys_summed_over_agents_and_entries() -> None:
    std = random(2, 5, 3, 2).exp()
    expected = torch.from_numpy(stats.norm.entropy(scale=std.numpy())).sum((-2, -1))
    torch.testing.assert_close(losses.gaussian_entropy(std), expected)


def test_the_exploration_loss_is_equation_5() -> None:
    density, entropy = rows([-1, -2], [-3, -4]), rows([5, 6], [7, 8])
    advantage = rows([2, -1], [0, 0.5]).requires_grad_()
    density.requires_grad_()
    loss = losses.exploration_loss(density, advantage, entropy, 0.1)
    assert loss.item() == pytest.approx(-((-2 + 0.5) + (2 + 0.6)) / 2 - ((0 + 0.7) + (-2 + 0.8)) / 2)
    loss.backward()
    assert advantage.grad is None
    torch.testing.assert_close(density.grad, -advantage.detach() / 2)


def test_the_distillation_loss_is_equation_6() -> None:
    local, central = random(2, 3, 5, 2).requires_grad_(), random(2, 3, 5, 2, seed=1).requires_grad_()
    loss = losses.distillation_loss(local, central)
    by_hand = sum(
        ((local[s, :, b] - central[s, :, b]) ** 2).sum().item() / 5 for s in range(2) for b in range(5)
    )  # ‖·‖² over agents and entries, mean over the batch, sum over seeds
    assert loss.item() == pytest.approx(by_hand)
    loss.backward()
    assert central.grad is None
    torch.testing.assert_close(local.grad, (2 / 5 * (local - central)).detach())


def test_smooth_bounds_are_a_sigmoids() -> None:
    x = torch.linspace(-8, 8, 33, dtype=torch.float64)
    torch.testing.assert_close(losses.smooth_bounded(x, 0.1, 0.7), 0.1 + 0.6 * torch.sigmoid(x))


@pytest.mark.parametrize("x", [-8.0, 8.0])
def test_smooth_bounds_can_be_left_again(x: float) -> None:
    raw = torch.tensor(x, requires_grad=True)
    losses.smooth_bounded(raw, LOWEST_STD, 1.0).backward()
    assert raw.grad is not None
    assert raw.grad > 1e-4


@pytest.mark.parametrize("bias", [-8.0, 8.0])
def test_the_spread_has_a_gradient_where_it_is_as_narrow_or_as_wide_as_it_can_be(bias: float) -> None:
    algorithm, state, _ = ready(first_temperature=0.1)
    state.spread[-1].bias.fill_(bias)
    for layer in state.spread[:-1]:
        layer.weight.abs_()
    recent = Recent(*algorithm._play(GAME, state))
    algorithm._update_spread(state, recent)
    assert (state.spread_optimizer.first[-1] != 0).all()
    assert all(moment.isfinite().all() for moment in state.spread_optimizer.first)


# ------------------------------------------------------------------------------------------------------------ networks

SHAPES = [((), 1), ((2,), 3), ((2,), 1), ((2, 3), 4), ((2, 3), 1)]


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize(("stack", "n_out"), SHAPES[1:])
def test_a_layer_is_a_stack_of_torchs_linear_layers(stack: tuple[int, ...], n_out: int, rectified: bool) -> None:
    x = random(*stack, 7, 5).requires_grad_()
    layer = Linear(*(part.requires_grad_() for part in (random(*stack, n_out, 5, seed=1), random(*stack, 1, n_out))))
    y = networks.linear(x, layer, rectified=rectified)
    assert y.shape == (*stack, 7, n_out)
    expected = torch.einsum("...bi,...oi->...bo", x, layer.weight) + layer.bias
    expected = expected.relu() if rectified else expected
    torch.testing.assert_close(y, expected)
    index = (0,) * len(stack)
    one = torch.nn.functional.linear(x[index], layer.weight[index], layer.bias[index][0])
    torch.testing.assert_close(y[index], one.relu() if rectified else one)
    upstream = random(*y.shape, seed=2)
    for mine, theirs in zip(
        torch.autograd.grad(y, (x, *layer), upstream), torch.autograd.grad(expected, (x, *layer), upstream), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


@pytest.mark.parametrize("rectified", [False, True])
@pytest.mark.parametrize("n_out", [1, 3])
def test_a_layers_gradients_are_its_finite_differences(n_out: int, rectified: bool) -> None:
    inputs = [part.requires_grad_() for part in (random(2, 3, 4, 5), random(2, 3, n_out, 5), random(2, 3, 1, n_out))]
    assert torch.autograd.gradcheck(
        lambda x, weight, bias: networks.linear(x, Linear(weight, bias), rectified=rectified), inputs
    )


def test_a_network_is_rectified_between_its_layers_and_linear_at_its_end() -> None:
    modules = [torch.nn.Linear(a, b, dtype=torch.float64) for a, b in ((5, 8), (8, 8), (8, 2))]
    for seed, module in enumerate(modules):
        module.weight.data, module.bias.data = random(*module.weight.shape, seed=seed), random(*module.bias.shape)
    net = torch.nn.Sequential(modules[0], torch.nn.ReLU(), modules[1], torch.nn.ReLU(), modules[2])
    layers = tuple(Linear(m.weight.detach()[None], m.bias.detach()[None, None]) for m in modules)
    x = random(9, 5, seed=7)
    variables = networks.trainable(layers)
    mine = torch.autograd.grad(networks.mlp(x[None], variables).square().sum(), networks.tensors(variables))
    theirs = torch.autograd.grad(net(x).square().sum(), [part for m in modules for part in (m.weight, m.bias)])
    torch.testing.assert_close(networks.mlp(x[None], layers)[0], net(x).detach())
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.flatten(), other.flatten())


def test_weights_start_xavier_uniform_and_biases_at_zero() -> None:
    for layer, (n_in, n_out) in zip(networks.xavier(streams(), (10, 64, 3), (4,)), ((10, 64), (64, 3)), strict=True):
        bound = math.sqrt(6 / (n_in + n_out))
        assert layer.weight.shape == (2, 4, n_out, n_in)
        assert layer.bias.shape == (2, 4, 1, n_out)
        assert not layer.bias.any()
        assert layer.weight.abs().max() <= bound
        assert stats.kstest(layer.weight.flatten().numpy(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 1e-3


def test_polyak_keeps_most_of_the_target() -> None:
    target, online = (Linear(random(2, 3, 4), random(2, 1, 3)),), (Linear(random(2, 3, 4, seed=1), random(2, 1, 3)),)
    expected = 0.99 * target[0].weight + 0.01 * online[0].weight
    source = online[0].weight.clone()
    networks.polyak(target, online, 0.99)
    torch.testing.assert_close(target[0].weight, expected)
    assert torch.equal(online[0].weight, source)


def test_some_agents_of_a_stack_are_theirs_in_memory_of_their_own_and_pass_gradients_on() -> None:
    stack = networks.trainable(networks.xavier(streams(), (4, 5, 2), (3,)))
    some = networks.of_agents(stack, torch.tensor([2, 0]))
    for of_all, of_some in zip(*map(networks.tensors, (stack, some)), strict=True):
        assert torch.equal(of_some, of_all[:, [2, 0]])
    loss = sum((tensor.square().sum() for tensor in networks.tensors(some)), torch.zeros(()))
    for tensor, gradient in zip(
        networks.tensors(stack), torch.autograd.grad(loss, networks.tensors(stack)), strict=True
    ):
        assert torch.equal(gradient[:, [2, 0]], 2 * tensor[:, [2, 0]])
        assert not gradient[:, 1].any()


def test_clones_have_memory_of_their_own_and_views_do_not() -> None:
    stack = networks.xavier(streams(), (3, 2), (4,))
    kept = networks.clone(stack)
    networks.of_agent(stack, 1)[0].weight.zero_()
    assert not stack[0].weight[:, 1].any()
    assert kept[0].weight[:, 1].any()


# ---------------------------------------------------------------------------------------------------------- optimizers


def test_adam_is_tensorflows() -> None:
    """lr_t = η·√(1-β₂ᵗ)/(1-β₁ᵗ); θ ← θ - lr_t·m/(√v + ε): ε is felt where gradients are as small as it."""
    theta, m, v = 1.0, 0.0, 0.0
    p = torch.tensor([theta], dtype=torch.float64)
    adam = Adam.of([p])
    for t in range(1, 30):
        g = 3e-8 * math.sin(t)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        theta -= 0.01 * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-8)
        adam.step([p], [torch.tensor([g], dtype=torch.float64)], 0.01)
        assert p.item() == pytest.approx(theta, rel=1e-12)


def test_every_variable_of_every_seed_and_agent_is_clipped_by_its_own_norm() -> None:
    weight, bias = torch.zeros(2, 2, 2, 2), torch.zeros(2, 2, 1, 2)
    weight[0, 0] = torch.tensor([[3.0, 0.0], [0.0, 4.0]])  # norm 5
    weight[1, 1, 0, 0] = 0.25
    bias[0, 1] = torch.tensor([[0.3, 0.4]])  # norm 0.5: just not clipped
    bias[1, 0] = torch.tensor([[-6.0, 8.0]])  # norm 10
    clipped_weight, clipped_bias = clip_by_norm([weight, bias], 0.5)
    torch.testing.assert_close(clipped_weight[0, 0], weight[0, 0] / 10)
    torch.testing.assert_close(clipped_bias[1, 0], bias[1, 0] / 20)
    assert torch.equal(clipped_weight[1, 1], weight[1, 1])
    torch.testing.assert_close(clipped_bias[0, 1], bias[0, 1])
    assert not clipped_weight[0, 1].any()


def test_a_descent_is_a_clipped_step_against_the_gradient() -> None:
    variable = torch.tensor([[[5.0, -5.0]]], requires_grad=True)
    adam = Adam.of([variable.detach()])
    descend(variable.square().sum(), [variable], adam, learning_rate=0.1, clip=0.5)
    torch.testing.assert_close(adam.first[0], 0.1 * 0.5 * torch.tensor([[[1.0, -1.0]]]) / math.sqrt(2))
    torch.testing.assert_close(variable.detach(), torch.tensor([[[4.9, -4.9]]]))


# -------------------------------------------------------------------------------------------------------------- replay


class Labels(NamedTuple):
    """A state that says what it is: seed, copy, episode, and steps since the episode began."""

    label: Tensor  # [S, E, 4]
    half: Tensor  # [S, E, 1, 2]: half of seed and copy, to have two fields of two shapes


S, E, H = 2, 3, 4


def label(episode: int, elapsed: int) -> Labels:
    seeds = torch.arange(S)[:, None].expand(S, E)
    copies = torch.arange(E).expand(S, E)
    parts = [seeds, copies, torch.full((S, E), episode), torch.full((S, E), elapsed)]
    numbers = torch.stack(parts, dim=-1).float()
    return Labels(numbers, 0.5 * numbers[:, :, None, :2])


def filled(n_steps: int, capacity: int = 10**6) -> Replay:
    replay = Replay.of(label(0, 0), torch.zeros(S, E, 2, 3), horizon=H, capacity=capacity)
    for step in range(n_steps):
        played(replay, step)
    return replay


def played(replay: Replay, step: int) -> None:
    episode, elapsed = divmod(step, H)
    chosen = step + torch.arange(6.0).view(2, 3) / 8 + label(0, 0).half.sum(-1, keepdim=True)
    reward = -step + label(0, 0).half.squeeze(2)
    replay.append(label(episode, elapsed), chosen, reward, label(episode, elapsed + 1))


def assert_intact(batch: Transitions) -> Tensor:
    """Every transition is one that was played; returns its step, [S, B]."""
    seed, copy, episode, elapsed = batch.state.label.unbind(-1)
    assert torch.equal(seed, torch.arange(S)[:, None].expand_as(seed).float())
    assert torch.equal(batch.next_state.label, batch.state.label + torch.tensor([0.0, 0.0, 0.0, 1.0])), (
        "the next state is of another step or another episode"
    )
    for state in (batch.state, batch.next_state):
        assert torch.equal(state.half[:, :, 0], 0.5 * torch.stack([seed, copy], dim=-1))
    step = episode * H + elapsed
    half = 0.5 * (seed + copy)
    expected = (step + half)[..., None, None] + torch.arange(6.0).view(2, 3) / 8
    assert torch.equal(batch.actions, expected)
    assert torch.equal(batch.reward, 0.5 * torch.stack([seed, copy], dim=-1) - step[..., None])
    long: Tensor = step.long()
    return long


@pytest.mark.parametrize("capacity", [16 * E * H, 40 * E * H], ids=["wraps early", "grows"])
def test_replay_gives_back_every_step_as_it_was_played_in_the_order_of_time(capacity: int) -> None:
    replay = filled(0, capacity)
    for n_steps in range(1, 5 * 16 * H):
        played(replay, n_steps - 1)
        batch = replay.between(replay.oldest, n_steps)
        steps = assert_intact(batch)
        expected = torch.arange(replay.oldest, n_steps).repeat_interleave(E)
        assert torch.equal(steps, expected.expand(S, -1))
        assert torch.equal(batch.state.label[0, :, 1], torch.arange(E).repeat(n_steps - replay.oldest).float())


def test_replay_grows_by_doubling_up_to_its_capacity_and_then_forgets_the_oldest() -> None:
    replay = filled(0, capacity=40 * E * H)
    rooms = {}
    for step in range(60 * H):
        played(replay, step)
        rooms[step + 1] = replay.rows.shape[2] // (H + 1)
        assert replay.oldest == (0 if step + 1 < 40 * H else step + 1 - (40 * H - 1))
    assert [rooms[n * H] for n in (15, 16, 31, 32, 59)] == [16, 32, 32, 40, 40]


@pytest.mark.parametrize("capacity", [E, 7, 100, E * H, 50 * E, 16 * E * H, 17 * E * H + 1])
def test_replay_holds_no_more_than_its_capacity_and_that_if_its_copies_share_it_evenly(capacity: int) -> None:
    replay = filled(300, capacity)
    held = (replay.n_steps - replay.oldest) * E
    spoilt = E if capacity % (E * H) == 0 and capacity >= 2 * E * H else 0  # of whole episodes one step is not drawn
    assert held == capacity // E * E - spoilt
    steps = assert_intact(replay.between(replay.oldest, replay.n_steps))
    assert steps.min() == replay.oldest


def test_replay_answers_for_what_it_does_not_hold_with_a_sentence() -> None:
    replay = filled(100, capacity=16 * E * H)
    for first, last in ((replay.oldest - 1, 90), (90, 101), (90, 90)):
        asked = rf"{E * first} … {E * last - 1}"
        with pytest.raises(
            ValueError, match=rf"^replay holds transitions {E * 37} … {E * 100 - 1}, asked for {asked};"
        ):
            replay.between(first, last)


def test_replay_gives_back_any_stretch_of_transitions_in_the_order_of_time() -> None:
    replay = filled(100, capacity=16 * E * H)
    whole = replay.between(replay.oldest, 100)
    for first, last in ((0, 1), (2, 9), (4, 180), (188, 189)):
        part = replay.numbered(E * replay.oldest + first, E * replay.oldest + last)
        assert_intact(part)
        assert torch.equal(part.state.label, whole.state.label[:, first:last])


def test_samples_are_transitions_that_were_played_of_all_that_are_held_with_equal_probability() -> None:
    replay = filled(100, capacity=16 * E * H)
    batch = replay.sample(streams(), 50_000)
    steps = assert_intact(batch)
    for seed in range(S):
        cell = (steps[seed] - replay.oldest) * E + batch.state.label[seed, :, 1].long()
        counts = torch.bincount(cell, minlength=(100 - replay.oldest) * E)
        assert len(counts) == (100 - replay.oldest) * E
        assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert not torch.equal(steps[0], steps[1])


def test_samples_reach_back_no_further_than_asked() -> None:
    steps = assert_intact(filled(100).sample(streams(), 2_000, oldest=93))
    assert steps.unique().tolist() == list(range(93, 100))
    assert assert_intact(filled(100, capacity=16 * E * H).sample(streams(), 5_000, oldest=3)).min() == 37


# --------------------------------------------------------------------------------------------------- ledger and copies


def test_the_ledger_holds_sums_and_numbers_of_every_seed() -> None:
    ledger = Ledger.of(["a", "b"], 2, torch.device("cpu"))
    ledger.enter("a", torch.tensor([[1.0, 2.0], [3.0, 5.0]]))
    ledger.enter("a", torch.tensor([[[1.0], [1.0], [1.0]], [[0.5], [0.0], [0.0]]], requires_grad=True))
    assert ledger.totals["a"].tolist() == [[6.0, 5.0], [8.5, 5.0]]
    assert ledger.totals["b"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    ledger.enter_number("b", 0.3)
    assert ledger.totals["b"].tolist() == [[torch.tensor(0.3).item(), 1.0]] * 2


class Sums(NamedTuple):
    total: Tensor  # [S, E, A]
    fresh: Tensor  # [S, E, 1]


@dataclass(frozen=True)
class Addition:
    """Two agents add their actions up and are rewarded with them."""

    horizon: int = 3

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", 2, (1,), Box(1)),)

    def reset(self, streams: Streams, n_envs: int) -> Sums:
        return Sums(torch.zeros(streams.n_seeds, n_envs, 2), streams.uniform(n_envs, 1))

    def step(self, state: Sums, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Sums, Tensor, Tensor]:
        reward = actions[0].squeeze(-1)
        return Sums(state.total + reward, state.fresh), reward, torch.zeros(reward.shape[:2], dtype=torch.bool)

    def observe(self, state: Sums) -> tuple[Tensor, ...]:
        return (state.total.unsqueeze(-1),)

    def full_state(self, state: Sums) -> Tensor:
        return torch.cat(list(state), dim=-1)


def test_returns_are_entered_when_episodes_end_and_only_then() -> None:
    env, rng, ledger = Addition(), streams(), Ledger.of([TRAINING_RETURN], 2, torch.device("cpu"))
    copies = Copies.of(env, rng, 5)
    first = copies.game.fresh
    entered = []
    for step in range(1, 8):
        reward, reached = copies.step(env, torch.full((2, 5, 2, 1), float(step)), rng, ledger)
        assert (reward == step).all()
        assert (reached.total == sum(range((step - 1) // 3 * 3 + 1, step + 1))).all()  # not the new episode's
        entered.append(ledger.totals[TRAINING_RETURN][0].tolist())
    one, two = 5 * 2 * (1 + 2 + 3), 5 * 2 * (4 + 5 + 6)
    assert entered == [[0, 0], [0, 0], [one, 5], [one, 5], [one, 5], [one + two, 10], [one + two, 10]]
    assert copies.elapsed == 1
    assert (copies.returns == 14).all()
    assert not torch.equal(copies.game.fresh, first)


def test_the_return_of_a_seed_that_diverged_is_not_a_number() -> None:
    env, rng, ledger = Addition(), streams(), Ledger.of([TRAINING_RETURN], 2, torch.device("cpu"))
    copies = Copies.of(env, rng, 5)
    actions = torch.ones(2, 5, 2, 1)
    actions[1, 2, 0] = torch.inf
    for _ in range(3):
        _, reached = copies.step(env, actions, rng, ledger)
        assert all(field.isfinite().all() for field in reached)
    assert ledger.totals[TRAINING_RETURN][:, 0].isnan().tolist() == [False, True]


def test_what_is_seen_has_agents_in_front() -> None:
    game = GAME.reset(streams(), 4)
    assert torch.equal(seen(GAME, game)[1, 2, 3], GAME.observe(game)[0][1, 3, 2])


# ------------------------------------------------------------------------------------------------------ local policies

TEAM = Team(n_agents=3, n_observations=5, n_actions=2)


def local(message_size: int) -> LocalPolicies:
    return LocalPolicies.of(streams(), TEAM, message_size, hidden=16, n_outputs=4)


def test_a_team_is_read_off_the_environment() -> None:
    assert single_team(CooperativeNavigation()) == Team(3, 12, 2)


@pytest.mark.parametrize("message_size", [0, 1, 3])
def test_the_policy_of_one_agent_is_its_row_of_all(message_size: int) -> None:
    policies, x = local(message_size), random(2, 3, 7, 5, dtype=torch.float32)
    for agent in range(3):
        torch.testing.assert_close(policies.reaching(agent).of_agent(x, agent), policies(x)[:, agent])


@pytest.mark.parametrize("message_size", [1, 3])
def test_agents_act_on_what_they_see_and_on_the_bounded_messages_of_the_others(message_size: int) -> None:
    policies, x = local(message_size), random(2, 3, 7, 5, dtype=torch.float32)
    s, agent, b = 1, 1, 4
    heard = []
    for other in (0, 2):
        first, second = policies.speak
        hidden = (first.weight[s, other] @ x[s, other, b] + first.bias[s, other, 0]).relu()
        heard.append(torch.tanh(second.weight[s, other] @ hidden + second.bias[s, other, 0]))
    first, second = policies.act
    hidden = (first.weight[s, agent] @ torch.cat([x[s, agent, b], *heard]) + first.bias[s, agent, 0]).relu()
    expected = second.weight[s, agent] @ hidden + second.bias[s, agent, 0]
    torch.testing.assert_close(policies(x)[s, agent, b], expected)


def test_messages_are_bounded_however_loud_one_speaks() -> None:
    policies = local(3)
    policies.act[0].weight[..., :5].zero_()  # only what is heard
    x = random(2, 3, 7, 5, dtype=torch.float32).abs() + 1
    for tensor in networks.tensors(policies.speak):
        tensor.fill_(100.0)
    loud = policies(x)
    for tensor in networks.tensors(policies.speak):
        tensor.fill_(1e6)
    assert torch.equal(policies(x), loud)
    all_ones = torch.ones(2, 3, 7, 5 + 2 * 3)
    torch.testing.assert_close(loud, networks.mlp(all_ones, policies.act))


def test_gradients_reach_what_the_others_say_and_not_what_one_says_oneself() -> None:
    policies, x = local(3), random(2, 3, 7, 5, dtype=torch.float32)
    for agent in range(3):
        part = networks.trainable(policies.reaching(agent))
        gradients = torch.autograd.grad(part.of_agent(x, agent).square().sum(), networks.tensors(part))
        said, done = gradients[: len(networks.tensors(part.speak))], gradients[len(networks.tensors(part.speak)) :]
        for gradient in said:
            reached = gradient.flatten(2).abs().sum(2) > 0
            assert reached.tolist() == [[other != agent for other in range(3)]] * 2
        assert all(gradient.any() for gradient in done)


def test_without_messages_agents_have_two_hidden_layers_and_nothing_to_say() -> None:
    policies = local(0)
    assert policies.speak == ()
    assert [tuple(layer.weight.shape) for layer in policies.act] == [(2, 3, 16, 5), (2, 3, 16, 16), (2, 3, 4, 16)]


# -------------------------------------------------------------------------------------------------------------- MADDPG

GAME = CooperativeNavigation(horizon=4)
SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 64, "first_update": 10**6, "steps_per_update": 50, "n_envs": 25}


def test_maddpgs_outputs_are_a_mean_and_the_log_of_a_std() -> None:
    mean, std = gaussian(torch.tensor([[0.5, -2.0, 0.0, math.log(3)]]))
    torch.testing.assert_close(mean, torch.tensor([[0.5, -2.0]]))
    torch.testing.assert_close(std, torch.tensor([[1.0, 3.0]]))


def test_maddpgs_gradient_is_a_number_however_wide_it_explores() -> None:
    raw = torch.tensor([[[0.0, 1000.0]]] * 2, requires_grad=True)
    actions = sampled(*gaussian(raw), streams().normal(1, 1))
    actions.sum().backward()
    assert (actions.abs() == 1).all()
    assert raw.grad is not None
    assert not raw.grad.any()


def test_maddpgs_actions_are_draws_clipped_to_the_box() -> None:
    noise = streams().normal(4000)
    assert torch.equal(
        sampled(torch.full((2, 4000), 0.2), torch.full((2, 4000), 0.5), noise), (0.2 + 0.5 * noise).clamp(-1, 1)
    )


def test_every_agent_of_maddpg_is_judged_by_its_own_reward() -> None:
    """Where γ = 0, the critic's gradient is that of (Q_i - r_i)²."""
    algorithm = MADDPG(discount=0.0, clip=1e9, **SMALL)
    state = algorithm.init(GAME, streams())
    algorithm.advance(GAME, state)
    state.replay.rows[..., -3:] = random(*state.replay.rows.shape[:3], 3, dtype=torch.float32)
    drawn, rng = deepcopy(state.streams), deepcopy(state.streams)
    for agent, batch in enumerate(algorithm._batches(GAME, replace(state, streams=drawn))):
        found = state.replay.sample(rng, 64)
        rng.normal(3, 64, 2), rng.normal(64, 2)
        critic = networks.trainable(networks.of_agent(state.critics, agent))
        q = value(critic, GAME.full_state(found.state), found.actions.transpose(1, 2))
        expected = torch.autograd.grad((q - found.reward[..., agent]).square().mean(1).sum(), networks.tensors(critic))
        target = algorithm._target(state, batch, networks.of_agent(state.target_critics, agent))
        algorithm._update_critic(state, agent, batch, target)
        for moment, gradient in zip(state.critic_optimizers[agent].first, expected, strict=True):
            torch.testing.assert_close(moment, 0.1 * gradient)


def test_an_update_of_one_agent_of_maddpg_leaves_the_others_actors_critics_and_targets_alone() -> None:
    algorithm = MADDPG(**SMALL)
    state = algorithm.init(GAME, streams())
    algorithm.advance(GAME, state)
    stacks = (state.actors, state.target_actors, state.critics)
    before = [networks.clone(stack) for stack in stacks]
    algorithm._update(state, 1, algorithm._batches(GAME, state)[1])
    for stack, kept in zip(stacks, before, strict=True):
        for tensor, old in zip(networks.tensors(stack), networks.tensors(kept), strict=True):
            assert [(tensor[:, agent] != old[:, agent]).any().item() for agent in range(3)] == [False, True, False]


def test_targets_of_maddpg_follow_once_an_iteration() -> None:
    algorithm = MADDPG(**SMALL)
    state = algorithm.init(GAME, streams())
    algorithm.advance(GAME, state)
    before = networks.clone((state.target_actors, state.target_critics))
    replace(algorithm, first_update=0).advance(GAME, state)
    followed = (state.target_actors, state.target_critics), before, (state.actors, state.critics)
    for target, old, online in zip(*map(networks.tensors, followed), strict=True):
        torch.testing.assert_close(target, 0.99 * old + 0.01 * online)


@pytest.mark.parametrize(("updates", "n_steps"), [("every listener", 2), ("sender", 1)])
def test_what_makes_a_message_takes_a_step_for_every_listener_or_one_for_all(updates: Any, n_steps: int) -> None:
    """Adam's first step is one of ± the learning rate in every entry that has a gradient."""
    algorithm = MADDPG(message_size=2, message_updates=updates, clip=1e9, learning_rate=0.01, **SMALL)
    state = algorithm.init(GAME, streams())
    before = networks.clone(state.actors)
    replace(algorithm, first_update=50).advance(GAME, state)
    moved = [
        [(new - old).abs().max().item() for new, old in zip(*map(networks.tensors, parts), strict=True)]
        for parts in ((state.actors.speak, before.speak), (state.actors.act, before.act))
    ]
    assert moved == [[pytest.approx(0.01 * n, rel=1e-2)] * 4 for n in (n_steps, 1)]


def test_a_sender_steps_by_the_sum_of_what_its_listeners_ask_for() -> None:
    algorithm = MADDPG(message_size=2, message_updates="sender", clip=1e9, **SMALL)
    state = algorithm.init(GAME, streams())
    algorithm.advance(GAME, state)
    alike = deepcopy(state)
    played = replace(algorithm, steps_per_update=25)
    played._play(GAME, alike)
    asked = [algorithm._update(alike, *of_agent) for of_agent in enumerate(algorithm._batches(GAME, alike))]
    for listener, gradients in enumerate(asked):
        for gradient in gradients:
            assert [gradient[:, sender].any().item() for sender in range(3)] == [i != listener for i in range(3)]
    for old, new in zip(*(networks.tensors(of.actors.speak) for of in (state, alike)), strict=True):
        assert torch.equal(old, new)  # no listener moves what its senders say
    replace(played, first_update=0).advance(GAME, state)
    for moment, gradients in zip(state.actor_optimizers[-1].first, zip(*asked, strict=True), strict=True):
        torch.testing.assert_close(moment, 0.1 * sum(gradients))


def test_maddpgs_targets_start_from_random_numbers_of_their_own_and_ctedds_as_copies() -> None:
    maddpg, ctedd = MADDPG(**SMALL).init(GAME, streams()), CTEDD(**SMALL).init(GAME, streams())
    assert not torch.equal(maddpg.actors.act[0].weight, maddpg.target_actors.act[0].weight)
    assert not torch.equal(maddpg.critics[0].weight, maddpg.target_critics[0].weight)
    for online, target in ((ctedd.actor, ctedd.target_actor), (ctedd.critic, ctedd.target_critic)):
        for one, other in zip(networks.tensors(online), networks.tensors(target), strict=True):
            assert torch.equal(one, other)
            assert one.data_ptr() != other.data_ptr()


# --------------------------------------------------------------------------------------------------------------- CTEDD


def ready(**settings: Any) -> tuple[CTEDD, CTEDDState, Transitions]:
    """CTEDD before its first update, whose gradients can be read off its optimizers: Adam's first moment is g/10."""
    algorithm = CTEDD(**{"clip": 1e9, "message_sizes": (0, 1, 3), **SMALL, **settings})
    state = algorithm.init(GAME, streams())
    for _ in range(3):
        algorithm.advance(GAME, state)
    return algorithm, state, state.replay.sample(streams(), 64)


def assert_gradients(optimizer: Adam, expected: tuple[Tensor, ...]) -> None:
    assert optimizer.count == 1
    for moment, gradient in zip(optimizer.first, expected, strict=True):
        torch.testing.assert_close(moment, 0.1 * gradient, rtol=1e-4, atol=1e-6)


def flat(state: CTEDDState, *names: str) -> list[Tensor]:
    return [tensor.clone() for name in names for tensor in networks.tensors(getattr(state, name))]


EVERYTHING = ("actor", "spread", "critic", "target_actor", "target_critic")


def untouched(state: CTEDDState, before: dict[str, list[Tensor]]) -> set[str]:
    """The networks that are bit for bit what they were."""
    return {name for name in EVERYTHING if all(map(torch.equal, flat(state, name), before[name]))}


@pytest.mark.parametrize(
    ("steps", "temperature"),
    [(0, 0.1), (1_500_000, 0.0505), (3_000_000, 0.001), (3_000_100, 0.001), (8_000_000, 0.001)],
)
def test_the_temperature_falls_from_a_tenth_to_a_thousandth_in_3m_steps(steps: int, temperature: float) -> None:
    assert CTEDD().temperature(steps) == pytest.approx(temperature, rel=1e-12)


def test_equation_2_bootstraps_from_a_sample_of_the_target_policy() -> None:
    algorithm, state, batch = ready()
    full_state, reached = GAME.full_state(batch.state), GAME.full_state(batch.next_state)
    for tensor in networks.tensors((state.target_actor, state.target_critic)):
        tensor.add_(0.05)  # targets that are not the online networks
    reward = batch.reward.mean(-1)
    noise = streams_at(state).normal(3, 64, 2)
    std = algorithm._std(state.spread, state.actor.features(reached))
    following = (torch.tanh(state.target_actor(reached)) + std * noise).clamp(-1, 1)
    target = reward + 0.95 * value(state.target_critic, reached, following)
    critic = networks.trainable(state.critic)
    loss = (value(critic, full_state, batch.actions.transpose(1, 2)) - target).square().mean(1).sum()
    expected = torch.autograd.grad(loss, networks.tensors(critic))
    before = {name: flat(state, name) for name in EVERYTHING}
    algorithm._update_critic(state, full_state, batch.actions, reward, reached)
    assert_gradients(state.critic_optimizer, expected)
    assert untouched(state, before) == set(EVERYTHING) - {"critic"}


def test_equation_4_reaches_the_trunk_and_the_heads_and_nothing_else() -> None:
    algorithm, state, batch = ready(regularizer=0.01)
    full_state = GAME.full_state(batch.state)
    actor = networks.trainable(state.actor)
    raw = actor(full_state)  # [S, A, B, n]
    loss = -value(state.critic, full_state, torch.tanh(raw)).mean(1).sum() + 0.01 * raw.square().mean((2, 3)).sum()
    expected = torch.autograd.grad(loss, networks.tensors(actor))
    assert all(gradient.any() for gradient in expected)
    before = {name: flat(state, name) for name in EVERYTHING}
    algorithm._update_actor(state, full_state)
    assert_gradients(state.actor_optimizer, expected)
    assert untouched(state, before) == set(EVERYTHING) - {"actor"}


def test_equation_5_reaches_the_spread_heads_alone_also_not_the_trunk() -> None:
    algorithm, state, _ = ready(first_temperature=0.3, last_temperature=0.3)
    recent = Recent(*algorithm._play(GAME, state))
    spread = networks.trainable(state.spread)
    mean = torch.tanh(state.actor(recent.full_state))  # [S, A, B, n]
    std = LOWEST_STD + (1 - LOWEST_STD) * torch.sigmoid(networks.mlp(state.actor.features(recent.full_state), spread))
    policy = torch.distributions.Normal(mean, std)
    drawn = recent.sampled.transpose(1, 2)
    advantage = value(state.critic, recent.full_state, drawn.clamp(-1, 1)) - value(
        state.critic, recent.full_state, mean
    )
    density, entropy = (x.sum((1, 3)) for x in (policy.log_prob(drawn), policy.entropy()))  # [S, B]
    loss = -(density * advantage + 0.3 * entropy).mean(1).sum()
    expected = torch.autograd.grad(loss, networks.tensors(spread))
    before = {name: flat(state, name) for name in EVERYTHING}
    algorithm._update_spread(state, recent)
    assert_gradients(state.spread_optimizer, expected)
    assert untouched(state, before) == set(EVERYTHING) - {"spread"}


def test_equation_5_learns_from_samples_as_they_were_before_clipping() -> None:
    algorithm, state, _ = ready(fixed_std=2.0)
    full_state, drawn = algorithm._play(GAME, state)
    newest = state.replay.between(state.replay.n_steps - 1, state.replay.n_steps)
    assert drawn.abs().max() > 1
    assert torch.equal(newest.actions, drawn.clamp(-1, 1))
    assert torch.equal(GAME.full_state(newest.state), full_state)


@pytest.mark.parametrize("which", [0, 1, 2], ids=["L-0", "L-1", "L-3"])
def test_equation_6_reaches_one_student_and_not_its_teacher(which: int) -> None:
    algorithm, state, batch = ready(distill_repeats=1)
    student = state.students[which]
    policies = networks.trainable(student.policies)
    taught = torch.tanh(state.actor(GAME.full_state(batch.state)))
    loss = losses.distillation_loss(torch.tanh(policies(seen(GAME, batch.state))), taught)
    torch.testing.assert_close(
        loss, (torch.tanh(policies(seen(GAME, batch.state))) - taught).square().sum() / 64, rtol=1e-5, atol=0.0
    )
    expected = torch.autograd.grad(loss, networks.tensors(policies))
    assert all(gradient.any() for gradient in expected)
    before = {name: flat(state, name) for name in EVERYTHING}
    algorithm._teach(GAME, state, [student], batch.state)
    assert_gradients(student.optimizer, expected)
    assert untouched(state, before) == set(EVERYTHING)
    assert [other.optimizer.count for other in state.students] == [int(i == which) for i in range(3)]


def lessons(algorithm: CTEDD, state: CTEDDState) -> list[tuple[Tensor, list[Student]]]:
    """What is taught in a distillation, batch after batch, and to whom."""
    given: list[tuple[Tensor, list[Student]]] = []
    teach = algorithm._teach

    def noting(env: Any, state: CTEDDState, students: list[Student], visited: Any) -> None:
        given.append((GAME.full_state(visited), students))
        teach(env, state, students, visited)

    object.__setattr__(algorithm, "_teach", noting)
    algorithm._distill(GAME, state)
    return given


def test_fresh_students_learn_all_that_replay_holds_in_the_order_of_time_each_batch_repeatedly() -> None:
    algorithm, state, _ = ready(distill_repeats=3, distill_every=50)
    for student in state.students:
        student.optimizer.count = 1000  # older students, whose place is taken
    given = lessons(algorithm, state)
    held = GAME.full_state(state.replay.between(0, state.replay.n_steps).state)
    assert [batch.shape[1] for batch, _ in given] == [64, 64, 22]  # three iterations of 50 steps
    assert torch.equal(torch.cat([batch for batch, _ in given], dim=1), held)
    # In the order of time: a step of all 25 copies, then the next.
    step = state.replay.between(1, 2)
    assert torch.equal(held[:, 25:50], GAME.full_state(step.state))
    assert [student.optimizer.count for student in state.students] == [3 * 3] * 3
    assert [len(students) for _, students in given] == [3, 3, 3]


def test_random_students_learn_as_many_states_of_all_that_replay_holds_and_begin_as_those_of_the_order_of_time() -> (
    None
):
    algorithm, state, _ = ready(distillations=("chronological", "random"), distill_repeats=0)
    given = lessons(algorithm, state)
    in_order, at_random = given[:3], given[3:]
    assert [batch.shape for batch, _ in in_order] == [batch.shape for batch, _ in at_random]
    held = [set(map(tuple, torch.cat([batch for batch, _ in way], dim=1)[0].tolist())) for way in (in_order, at_random)]
    assert held[1] < held[0]
    assert len(held[1]) > 0.55 * len(held[0])  # with replacement 1 - 1/e of them are met
    for one, other in zip(state.students[:3], state.students[3:], strict=True):
        assert all(map(torch.equal, networks.tensors(one.policies), networks.tensors(other.policies)))
        assert networks.tensors(one.policies)[0].data_ptr() != networks.tensors(other.policies)[0].data_ptr()


def test_continued_students_go_on_with_the_newest_states_alone() -> None:
    algorithm, state, _ = ready(distillations=("continued",), distill_every=50)  # taught three times by now
    counts = [student.optimizer.count for student in state.students]
    assert counts == [3 * 4] * 3
    ((batch, _),) = lessons(algorithm, state)
    newest = state.replay.between(state.replay.n_steps - 2, state.replay.n_steps)
    assert torch.equal(batch, GAME.full_state(newest.state))
    assert [student.optimizer.count for student in state.students] == [count + 4 for count in counts]


def test_students_are_named_after_their_messages_and_all_but_the_first_way_of_distillation() -> None:
    algorithm, state, _ = ready(message_sizes=(1, 3), distillations=("chronological", "random"), distill_every=100)
    assert list(algorithm.policies(state)) == ["G", "L-1", "L-3", "L-1 random", "L-3 random"]
    assert algorithm.standing(state) == dict.fromkeys(["L-1", "L-3", "L-1 random", "L-3 random"], 100)


def test_distillation_takes_no_step_in_the_environment() -> None:
    algorithm, state, _ = ready(distill_every=50)
    totals = state.ledger.totals["environment steps in distillation"]
    assert totals.tolist() == [[0.0, 3.0], [0.0, 3.0]]
    n_steps, elapsed = state.replay.n_steps, state.copies.elapsed
    algorithm._distill(GAME, state)
    assert (state.replay.n_steps, state.copies.elapsed) == (n_steps, elapsed)


def streams_at(state: CTEDDState) -> Streams:
    """Streams that will draw what the state's will."""
    copy = streams()
    copy.load(state.streams.save())
    return copy


def test_an_update_of_ctedd_draws_the_targets_one_step_after_the_online_networks() -> None:
    algorithm, state, _ = ready()
    algorithm = replace(algorithm, first_update=0)
    before = {name: flat(state, name) for name in EVERYTHING}
    algorithm.advance(GAME, state)
    for target, online in (("target_actor", "actor"), ("target_critic", "critic")):
        for now, old, followed in zip(flat(state, target), before[target], flat(state, online), strict=True):
            torch.testing.assert_close(now, 0.99 * old + 0.01 * followed)
    assert untouched(state, before) == set()
