"""Both kitchen sinks, and what A3C's is made of."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from _darts import Darts
from torch import Tensor, distributions
from torch.nn import functional

from algorithms import _networks as networks
from algorithms._networks import tensors
from algorithms._tree import joined, split
from algorithms.kitchen_sink import (
    A3CKitchenSink,
    Joint,
    JointState,
    Memory,
    Recurrent,
    Segment,
    TRPOKitchenSink,
    convolved,
    elu,
    expected,
    n_step_returns,
    sigmoid,
)
from environments import Box, Env, Role, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_tag import SimpleTag

torch.set_num_threads(1)

TRPO = TRPOKitchenSink(hidden=16, n_trajectories=40, curvature_stride=1)
A3C = A3CKitchenSink(hidden=16, n_envs=20, n_steps=2, entropy_weight=0.01)
every_sink = pytest.mark.parametrize("algorithm", [TRPO, A3C], ids=["TRPO", "A3C"])


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0, 1), "kitchen sink", "cpu")


def trained(algorithm: Any, env: Env[Any], n_iterations: int, *seeds: int) -> Any:
    state = algorithm.init(env, streams(*seeds))
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return state


# ------------------------------------------------------------------------------------------------------- the joint game


def test_all_agents_of_a_role_are_one_that_gets_the_least_of_what_they_get() -> None:
    env = Darts(n_agents=3, n_mirrored=2)
    joint = Joint(env)
    assert joint.roles == (Role("thrower", 1, (6,), Box(3)), Role("mirror", 1, (6,), Box(2)))
    state = joint.reset(streams(), 4)
    first, second = joint.observe(state)
    seen = env.observe(state.game)
    assert torch.equal(first[0, 0, 0], torch.cat(list(seen[0][0, 0])))
    assert torch.equal(second[1, 2, 0], torch.cat(list(seen[1][1, 2])))
    actions = (streams().uniform(4, 1, 3), streams().uniform(4, 1, 2))
    after, reward, _ = joint.step(state, actions, streams())
    each = tuple(action[:, :, 0].unsqueeze(-1) for action in actions)
    _, of_agents, _ = env.step(state.game, each, streams())
    assert torch.equal(reward, torch.stack([of_agents[..., :3].amin(-1), of_agents[..., 3:].amin(-1)], -1))
    assert torch.equal(after.returns, of_agents)
    assert torch.equal(joint.step(after, actions, streams())[0].returns, 2 * of_agents)


@every_sink
def test_choices_are_refused_with_a_sentence(algorithm: Any) -> None:
    with pytest.raises(ValueError, match=r"^expected roles with vectors of observations and of actions, got "):
        algorithm.init(Darts(choices=True), streams())


# ---------------------------------------------------------------------------------------------------------- the network


@pytest.mark.parametrize(("n_rows", "n_columns"), [(3, 5), (1, 4)])
def test_a_convolution_is_pytorchs_padded_below_and_to_the_right(n_rows: int, n_columns: int) -> None:
    x = streams().normal(7, n_rows, n_columns, 3)
    (layer,) = networks.fan_in_uniform(streams(), (4 * 3, 5))
    for seed in range(2):
        kernel = layer.weight[seed].view(5, 2, 2, 3).permute(0, 3, 1, 2)
        image = functional.pad(x[seed].permute(0, 3, 1, 2), (0, 1, 0, 1))
        theirs = functional.conv2d(image, kernel, layer.bias[seed, 0])
        torch.testing.assert_close(convolved(x, layer)[seed], theirs.permute(0, 2, 3, 1))


def test_elu_and_sigmoid_are_pytorchs() -> None:
    x = torch.linspace(-30, 30, 61, requires_grad=True)
    for mine, theirs in ((elu, functional.elu), (sigmoid, torch.sigmoid)):
        torch.testing.assert_close(mine(x), theirs(x))
        gradients = [torch.autograd.grad(of(x).sum(), x)[0] for of in (mine, theirs)]
        torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-5)


def test_the_memory_is_pytorchs_lstm_with_a_bias_of_1_for_keeping() -> None:
    network = Recurrent.of(streams(), Role("agent", 2, (3,), Box(1)), 16)
    x, memory = streams(2, 3).normal(5, 16), Memory(*(streams(4, 5).normal(5, 16) for _ in range(2)))
    found = network.remembered(x, memory)
    assert not torch.equal(found.cell, network.remembered(x, network.blank(5)).cell)
    for seed in range(2):
        theirs = torch.nn.LSTMCell(16, 16)
        entering, new, kept, leaving = network.gates.weight[seed].chunk(4)
        weights = torch.cat([entering, kept, new, leaving])  # as PyTorch orders them
        bias = torch.cat([torch.zeros(16), torch.ones(16), torch.zeros(32)])
        theirs.load_state_dict(
            {"weight_ih": weights[:, :16], "weight_hh": weights[:, 16:], "bias_ih": bias, "bias_hh": torch.zeros(64)}
        )
        output, cell = theirs(x[seed], (memory.output[seed], memory.cell[seed]))
        torch.testing.assert_close(found.output[seed], output.detach())
        torch.testing.assert_close(found.cell[seed], cell.detach())


def test_returns_go_on_after_the_last_step() -> None:
    reward = torch.tensor([1.0, 2.0, 4.0])[None, :, None]
    assert n_step_returns(reward, torch.tensor([[8.0]]), 0.5).flatten().tolist() == [1 + 0.5 * 6, 2 + 0.5 * 8, 4 + 4]


@pytest.mark.parametrize("compared", [True, False])
def test_a3c_descends_its_loss(compared: bool) -> None:
    """The loss written down once more, with PyTorch's layers: the first moment is a tenth of its slope."""
    algorithm = A3CKitchenSink(hidden=16, n_envs=3, clip=1e9, entropy_weight=0.01, compared=compared)
    env = Darts(n_agents=2)
    state = algorithm.init(env, streams(0))
    drawing = streams(1)
    start = Memory(drawing.normal(3, 16), drawing.normal(3, 16))
    segment = Segment(drawing.normal(4, 3, 2, 2), drawing.normal(4, 3, 2), drawing.normal(4, 3), start, start)
    target = drawing.normal(4, 3)
    variables = networks.trainable(networks.clone(state.networks[0]))
    algorithm._learn(state, 0, segment, target)

    def slope() -> Tensor:
        cell, output = start.cell[0], start.output[0]
        total: Any = 0.0
        for t in range(4):
            x = segment.image[0, t].unsqueeze(1)  # [E, 1, A, D]
            for layer, channels in ((variables.first, 1), (variables.second, 16)):
                kernel = layer.weight[0].view(-1, 2, 2, channels).permute(0, 3, 1, 2)
                x = functional.elu(functional.conv2d(functional.pad(x, (0, 1, 0, 1)), kernel, layer.bias[0, 0]))
            x = functional.elu(plain(x.permute(0, 2, 3, 1).flatten(1), variables.dense))
            entering, new, kept, leaving = plain(torch.cat([x, output], 1), variables.gates).chunk(4, 1)
            cell = torch.sigmoid(kept + 1) * cell + torch.sigmoid(entering) * torch.tanh(new)
            output = torch.sigmoid(leaving) * torch.tanh(cell)
            value = plain(output, variables.value)[:, 0]
            policy = distributions.Normal(
                plain(output, variables.policy.network[0]), variables.policy.log_std[0].exp().expand(3, 2)
            )
            advantage = target[0, t] - value
            advantage = advantage - advantage.mean() if compared else advantage
            density = policy.log_prob(segment.action[0, t]).sum(1)
            loss = 0.25 * advantage**2 - density * advantage.detach() - 0.01 * policy.entropy().sum(1)
            total = total + loss.mean()
        slope: Tensor = total
        return slope

    for moment, theirs in zip(state.optimizers[0].first, torch.autograd.grad(slope(), tensors(variables)), strict=True):
        torch.testing.assert_close(10 * moment, theirs, rtol=1e-4, atol=1e-5)


def test_what_all_copies_share_at_a_step_moves_nothing_where_they_are_compared() -> None:
    env, drawing = Darts(n_agents=2), streams(1, 2)
    start = Memory(drawing.normal(3, 16), drawing.normal(3, 16))
    segment = Segment(drawing.normal(4, 3, 2, 2), drawing.normal(4, 3, 2), drawing.normal(4, 3), start, start)
    target, of_the_time = drawing.normal(4, 3), 100.0 * drawing.normal(4, 1)

    def slopes(target: Tensor, *, compared: bool) -> list[Tensor]:
        algorithm = A3CKitchenSink(hidden=16, n_envs=3, clip=1e9, compared=compared)
        state = algorithm.init(env, streams())
        algorithm._learn(state, 0, segment, target)
        return state.optimizers[0].first

    apart, moved = (slopes(target + more, compared=False) for more in (0.0, of_the_time))
    assert all((one - other).abs().max() > 0.1 for one, other in zip(apart[:2], moved[:2], strict=True))
    for one, other in zip(*(slopes(target + more, compared=True) for more in (0.0, of_the_time)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_copies_cannot_be_compared_with_none() -> None:
    with pytest.raises(ValueError, match=r"^n_envs must be at least 2 where copies are compared, got 1$"):
        A3CKitchenSink(n_envs=1)
    assert A3CKitchenSink(n_envs=1, compared=False).n_envs == 1


def plain(x: Tensor, layer: networks.Linear) -> Tensor:
    return functional.linear(x, layer.weight[0], layer.bias[0, 0])


# ------------------------------------------------------------------------------------------------------------- learning


def missed_by(algorithm: Any, env: Darts, state: Any) -> Tensor:
    """Mean squared distance of every agent's action from what it is to hit. Shapes: [A]."""
    game = env.reset(streams(7, 8), 300)
    _, reward, _ = env.step(game, algorithm.policies(state)["greedy"](env, game), streams())
    return -reward.mean(dim=(0, 1))


def test_trpo_learns_to_hit_what_all_of_a_role_are_to_hit() -> None:
    env = Darts(n_mirrored=1, horizon=2)
    assert (missed_by(TRPO, env, TRPO.init(env, streams())) > 0.2).all()
    assert (missed_by(TRPO, env, trained(TRPO, env, 25)) < 0.12).all()


def test_a3c_learns_to_hit_what_all_of_a_role_are_to_hit() -> None:
    env = Darts(n_mirrored=1, horizon=2)
    algorithm = A3CKitchenSink(hidden=16, n_envs=60, learning_rate=2e-2)
    assert (missed_by(algorithm, env, algorithm.init(env, streams())) > 0.15).all()
    assert (missed_by(algorithm, env, trained(algorithm, env, 120)) < 0.1).all()


# ------------------------------------------------------------------------------------------------------------ contracts


@every_sink
def test_a_seed_alone_is_bit_for_bit_what_it_is_among_others_in_a_game_of_two_roles(algorithm: Any) -> None:
    env = SimpleTag(horizon=5)
    together = split(trained(algorithm, env, 2, 0, 1, 2), 3)
    for seed in range(3):
        (alone,) = split(trained(algorithm, env, 2, seed), 1)
        assert [name for name, part in alone.items() if not torch.equal(part, together[seed][name])] == []


@pytest.mark.parametrize("algorithm", [TRPOKitchenSink(), A3CKitchenSink()], ids=["TRPO", "A3C"])
def test_so_it_is_at_the_sizes_of_the_paper(algorithm: Any) -> None:
    env = CooperativeNavigation(horizon=10)
    together = split(trained(algorithm, env, 1, 3, 4), 2)[1]
    (alone,) = split(trained(algorithm, env, 1, 4), 1)
    assert [name for name, part in alone.items() if not torch.equal(part, together[name])] == []


@every_sink
def test_a_seed_that_diverged_has_no_return_and_disturbs_no_other(algorithm: Any) -> None:
    env = Darts(n_mirrored=1)
    healthy = trained(algorithm, env, 1, 0, 1, 2)
    broken = joined(algorithm.init(env, streams(5, 6, 7)), split(healthy, 3))
    for tensor in tensors(vars(broken).get("policies", vars(broken).get("networks"))):
        tensor[1] = torch.nan
    for state in (healthy, broken):
        algorithm.advance(env, state)
    kept, lost = split(healthy, 3), split(broken, 3)
    for row in (0, 2):
        assert [name for name, part in kept[row].items() if not torch.equal(part, lost[row][name])] == []
    for metric in ("training return", "least return"):
        assert broken.ledger.totals[metric].isnan().any(1).tolist() == [False, True, False]


@every_sink
def test_every_step_counts_and_returns_are_those_of_the_agents(algorithm: Any) -> None:
    env = Darts(n_agents=2, n_mirrored=1, horizon=5)
    state = trained(algorithm, env, 2)
    assert state.steps == sum(env.calls) == 2 * algorithm.steps_per_iteration(env)
    total, number = state.ledger.totals["training return"].unbind(1)
    least = state.ledger.totals["least return"][:, 0]
    assert (number == state.steps / env.horizon).all()
    assert (3 * least < total).all()
    assert (total < least).all()


def test_a_policy_with_a_memory_begins_anew_with_every_episode() -> None:
    env = CooperativeNavigation(horizon=3)
    state = trained(A3C, env, 1)
    game = env.reset(streams(), 4)
    policy = A3C.policies(state)["greedy"]
    played = [policy(env, game)[0] for _ in range(6)]
    assert not torch.equal(played[0], played[1])
    assert all(torch.equal(played[t], played[t + 3]) for t in range(3))
    (network,) = state.networks
    image = env.observe(game)[0]
    memory = network.remembered(network.features(image), network.blank(4))
    memory = network.remembered(network.features(image), memory)
    means = network.policy.raw(memory.output).unflatten(-1, (3, 2))
    torch.testing.assert_close(played[1], means.clamp(-1, 1))


def test_an_episodes_end_has_no_value_and_other_steps_that_of_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    env = Darts(horizon=5)
    state = A3C.init(env, streams())
    following: list[Tensor] = []

    def noted(*arguments: Any) -> Tensor:
        following.append(expected(*arguments))
        return following[-1]

    learnt: list[tuple[Segment, Tensor]] = []
    monkeypatch.setattr("algorithms.kitchen_sink.expected", noted)
    monkeypatch.setattr(A3CKitchenSink, "_learn", lambda _self, _state, _r, *parts: learnt.append(parts))
    A3C.advance(env, state)
    assert [target.shape[1] for _, target in learnt] == [2, 2, 1]
    for (segment, target), after in zip(learnt, [*following, torch.zeros(2, 20)], strict=True):
        torch.testing.assert_close(target[:, -1], segment.reward[:, -1] + 0.99 * after)


def test_the_joint_state_of_a_policy_needs_no_returns() -> None:
    env = CooperativeNavigation(horizon=3)
    game = env.reset(streams(), 4)
    (seen,) = Joint(env).observe(JointState(game, torch.empty(0), torch.empty(0)))
    assert seen.shape == (2, 4, 1, 36)
