"""MACE and its baselines: the sparse convolution, the equations by hand, and what they are known to learn."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
import torch
from _grids import Chase, Targets
from torch import Tensor, nn

from algorithms import _episodes, mace, untrained
from algorithms import _grids as grids
from algorithms._networks import Linear, tensors, trainable
from algorithms._optimizers import Adam
from algorithms._tree import leaves, rebuilt, split
from algorithms.mace import MACE, MACEState, Network, Rollout, Settings
from algorithms.untrained import Untrained
from environments import Planes, Streams
from environments.hunters import Hunters

torch.set_num_threads(1)

SMALL: dict[str, Any] = {"n_envs": 32, "steps_per_update": 64, "widths": (16, 16), "hidden": 32, "learning_rate": 1e-2}


# ---- the convolutions -----------------------------------------------------------------------------------------------

SIZES = [(50, 50), (30, 30), (10, 10), (25, 25), (6, 5), (3, 4), (2, 2), (1, 7)]


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0, 1), "test", "cpu")


def trunk_with_biases(planes: Planes, widths: tuple[int, int] = (16, 32), hidden: int = 24) -> grids.Trunk:
    """Biases are not zero, so that every place of the layers is alive in some channels and dead in others."""
    trunk = grids.trunk(streams(), planes, widths, hidden)
    for layer in trunk:
        layer.bias.copy_(streams().normal(*layer.bias.shape[1:]) * 0.1)
    return trunk


def dense(cells: Tensor, planes: Planes, trunk: grids.Trunk) -> Tensor:
    """φ of one seed's pictures as PyTorch's layers have it. Shapes: cells [B, K], weights without the seed axis."""
    picture = torch.zeros(len(cells), math.prod(planes))
    picture.scatter_add_(1, cells, torch.ones(cells.shape))
    x = picture.view(-1, *planes)
    first, second, full = trunk
    n_first, n_second = first.bias.shape[-1], second.bias.shape[-1]
    kernels = (
        first.weight.t().reshape(n_first, planes.n_planes, 3, 3),
        second.weight.view(n_second, 3, 3, n_first).permute(0, 3, 1, 2),
    )
    for kernel, bias in zip(kernels, (first.bias[0], second.bias[0]), strict=True):
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode="circular")
        x = nn.functional.conv2d(padded, kernel, bias, stride=2).relu()
    return (x.permute(0, 2, 3, 1).flatten(1) @ full.weight.t() + full.bias).relu()


def marks(planes: Planes, n_pictures: int, n_marks: int) -> Tensor:
    """Marks anywhere, in the corners, and one twice. Shapes: [S, B, K]."""
    anywhere = streams().integers(n_pictures, n_marks, high=math.prod(planes))
    area = planes.height * planes.width
    corners = torch.tensor([0, planes.width - 1, area - planes.width, area - 1])
    return torch.cat([anywhere, corners.expand(2, n_pictures, 4), anywhere[..., :1]], dim=-1)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_features_are_those_of_dense_circular_convolutions(height: int, width: int) -> None:
    planes = Planes(3, height, width)
    trunk, cells = trunk_with_biases(planes), marks(planes, 7, 6)
    seen = grids.seen(cells, planes, trunk).features
    for row, its_own in enumerate(split(trunk, 2)):
        expected = dense(cells[row], planes, joined_one(trunk, its_own))
        torch.testing.assert_close(seen[row], expected, rtol=1e-4, atol=1e-5)


def joined_one(trunk: grids.Trunk, one: dict[str, Tensor]) -> grids.Trunk:
    """One seed's weights, without the seed axis."""
    first, second, full = ((one[f".{i}.0"], one[f".{i}.1"]) for i in range(3))
    return grids.Trunk(grids.Marked(*first), Linear(*second), Linear(*full))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_so_are_the_gradients(height: int, width: int) -> None:
    planes = Planes(3, height, width)
    trunk = trunk_with_biases(planes)
    steps = [grids.seen(cells, planes, trunk) for cells in marks(planes, 8, 6).split([3, 5], dim=1)]
    ours, weight = trainable(trunk), streams().normal(8, 24)
    gradients = torch.autograd.grad((grids.features(steps, planes, ours) * weight).sum(), tensors(ours))
    for row, its_own in enumerate(split(trunk, 2)):
        own = trainable(joined_one(trunk, its_own))
        out = dense(torch.cat([step.cells for step in steps], dim=1)[row], planes, own)
        expected = torch.autograd.grad((out * weight[row]).sum(), tensors(own))
        for one, other in zip(gradients, expected, strict=True):
            torch.testing.assert_close(one[row], other, rtol=1e-4, atol=2e-4)


def test_features_of_a_rollout_are_what_was_seen_while_playing() -> None:
    planes = Planes(3, 6, 5)
    trunk, cells = trunk_with_biases(planes), marks(planes, 8, 6)
    steps = [grids.seen(part, planes, trunk) for part in cells.split(2, dim=1)]
    remembered = grids.features(steps, planes, trunk)
    assert torch.equal(remembered, torch.cat([step.features for step in steps], dim=1))
    torch.testing.assert_close(remembered, grids.seen(cells, planes, trunk).features)


# ---- the equations --------------------------------------------------------------------------------------------------

CHASE = Chase()
TINY = MACE(n_envs=5, steps_per_update=50, widths=(16, 16), hidden=16)


def settings_of(**values: tuple[float, ...]) -> Settings:
    """Hyper-parameters of as many seeds as there are values; those that are not named are NaN."""
    (n_seeds,) = {len(numbers) for numbers in values.values()}
    rest = dict.fromkeys(mace.RANGES, (torch.nan,) * n_seeds)
    return Settings(**{name: torch.tensor(numbers) for name, numbers in (rest | values).items()})


def test_returns_and_advantages_by_hand() -> None:
    """Four steps of one copy and one agent, the second of which ends an episode with a reward of 4, in two seeds."""
    reward = torch.tensor([0.0, 4.0, 0.0, 1.0]).view(1, 4, 1, 1).expand(2, -1, -1, -1)
    ended = torch.tensor([False, True, False, False]).view(1, 4, 1).expand(2, -1, -1)
    value = torch.tensor([1.0, 2.0, 3.0, 5.0]).view(1, 4, 1).expand(2, -1, -1)
    following = torch.full((2, 1, 1), 8.0)
    rollout = Rollout([], torch.empty(0), torch.empty(0), torch.empty(0), reward, ended)
    settings = settings_of(discount=(0.5, 1.0), trace_decay=(0.5, 0.0))
    returns, advantage = mace.judged(rollout, value, following, settings)
    # γ = ½: from the end 1 + 8/2 = 5, 5/2, then 4 for nothing follows it, 4/2; with γ = 1: 9, 9, 4, 4.
    assert returns[..., 0].tolist() == [[2.0, 4.0, 2.5, 5.0], [4.0, 4.0, 9.0, 9.0]]
    # δ with γ = ½: 1 + 8/2 - 5 = 0, 5/2 - 3 = -½, 4 - 2 = 2, 2/2 - 1 = 0; and ¼ of the next step's A, if it follows.
    # With γ = 1 and τ = 0 it is δ: 1 + 8 - 5 = 4, 5 - 3 = 2, 4 - 2 = 2, 2 - 1 = 1.
    assert advantage[..., 0].tolist() == [[0.5, 2.0, -0.5, 0.0], [1.0, 2.0, 2.0, 4.0]]


def test_divergence_is_that_of_a_diagonal_gaussian_from_the_standard_normal() -> None:
    mean, log_std = torch.tensor([[0.0, 2.0]]), torch.tensor([[0.0, math.log(3.0)]])
    # ½·(2² + 3² - 1 - 2·log 3)
    torch.testing.assert_close(mace.divergence(mean, log_std), torch.tensor([0.5 * (12 - 2 * math.log(3))]))
    assert mace.divergence(torch.zeros(2, 4), torch.zeros(2, 4)).tolist() == [0.0, 0.0]
    mean, log_std = streams().normal(3, 7), streams(4, 5).normal(3, 7)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, log_std.exp()), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(mace.divergence(mean, log_std), theirs.sum(-1))


def test_choices_are_drawn_by_their_probabilities() -> None:
    log_probability = torch.tensor([0.5, 0.0, 0.25, 0.25]).log().expand(8, 4)
    unit = torch.arange(8) / 8
    assert mace.drawn(log_probability, unit).tolist() == [0, 0, 0, 0, 2, 2, 3, 3]
    assert mace.drawn(log_probability, torch.full((8,), 1 - 2**-24)).tolist() == [3] * 8
    assert mace.drawn(torch.full((1, 4), torch.nan), unit[:1]).tolist() == [-1]


def begun(algorithm: MACE, env: Any = CHASE, seeds: tuple[int, ...] = (0,), n_iterations: int = 3) -> MACEState:
    """A learner after a few iterations, so that no weight is where it began."""
    state = algorithm.init(env, Streams.of(seeds, "training", "cpu"))
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return state


@dataclass(frozen=True)
class Frost(Chase):
    """Agents freeze by turns."""

    def free(self, state: Any) -> Tensor:
        turn: Tensor = state.step.unsqueeze(-1) + torch.arange(self.n_agents)
        return turn % self.n_agents != 0


def reference_loss(network: Network, algorithm: MACE, rollout: Rollout, following: Tensor) -> Tensor:
    """The loss of one seed in the words of PyTorch. Shapes: weights without the seed axis; following [E, A]."""
    cells = torch.cat([layers.cells for layers in rollout.layers], dim=1)[0]
    features = dense(cells, CHASE.planes, network.trunk)
    affine = nn.functional.linear
    mean, log_std = (affine(features, layer.weight, layer.bias[0]) for layer in network.latent)
    normal = torch.distributions.Normal(mean, log_std.exp())
    latent = normal.mean + normal.stddev * rollout.noise[0]
    value = affine(features, network.value.weight, network.value.bias[0])  # [T·E, A]
    logits = affine(torch.cat([features, latent], dim=1), network.heads.weight, network.heads.bias[0])
    acting = torch.distributions.Categorical(logits=logits.unflatten(1, (CHASE.n_agents, 5)))
    n_steps, n_envs, n_agents = rollout.reward.shape[1:]
    total = torch.zeros(())
    for e in range(n_envs):
        for i in range(n_agents):
            gae, expected = torch.zeros(()), following[e, i]
            next_value = following[e, i]
            for t in reversed(range(n_steps)):
                row, goes_on = t * n_envs + e, 1.0 - rollout.ended[0, t, e].float()
                expected = rollout.reward[0, t, e, i] + algorithm.discount * goes_on * expected
                delta = rollout.reward[0, t, e, i] + algorithm.discount * goes_on * next_value - value[row, i]
                gae = (delta + algorithm.discount * algorithm.trace_decay * goes_on * gae).detach()
                next_value = value[row, i].detach()
                total = total + algorithm.value_weight * 0.5 * (expected - value[row, i]).square()
                if rollout.free[0, t, e, i]:
                    total = total - acting.log_prob(rollout.actions[0].flatten(0, 1))[row, i] * gae
    prior = torch.distributions.Normal(0.0, 1.0)
    total = total - algorithm.entropy_weight * acting.entropy()[rollout.free[0].flatten(0, 1)].sum()
    total = total + algorithm.kl_weight * torch.distributions.kl_divergence(normal, prior).sum()
    averaged: Tensor = total / n_envs
    return averaged


@pytest.mark.parametrize("lasts", ["step", "episode"])
@pytest.mark.parametrize(("clip", "env"), [(1e9, CHASE), (0.5, CHASE), (1e9, Frost())])
def test_the_gradient_is_that_of_a_plain_implementation(clip: float, env: Chase, lasts: Any) -> None:
    algorithm = replace(TINY, clip=clip, kl_weight=0.1, entropy_weight=0.05, discount=0.9, trace_decay=0.8)
    algorithm = replace(algorithm, latent_lasts=lasts)
    state = begun(algorithm, env)
    rollout = algorithm._play(env, state)
    assert rollout.free.all() == (env == CHASE)
    assert rollout.ended.any()
    assert rollout.reward.any()
    own = trainable(without_seed(state.network))
    with torch.no_grad():
        after = dense(CHASE.cells(state.episodes.game)[0], CHASE.planes, own.trunk)
        following = nn.functional.linear(after, own.value.weight, own.value.bias[0])
    expected = torch.autograd.grad(reference_loss(own, algorithm, rollout, following), tensors(own))
    norm = torch.cat([g.flatten() for g in expected]).norm()
    assert norm > 0.6
    state.optimizer = type(state.optimizer).of(tensors(state.network))  # whose first moment is then a tenth of it
    algorithm._update(env, state, rollout)
    for first, gradient in zip(state.optimizer.first, expected, strict=True):
        clipped = gradient * min(1.0, clip / float(norm))
        torch.testing.assert_close(10 * first[0], clipped, rtol=1e-3, atol=1e-5)


def without_seed(network: Network) -> Network:
    """The weights of the one seed there is, in memory of their own."""
    return rebuilt(network, lambda _, leaf: leaf[0].clone() if isinstance(leaf, Tensor) else leaf)


def test_what_lasts_an_episode_is_drawn_where_one_begins_and_kept_until_it_ends() -> None:
    algorithm = replace(TINY, latent_lasts="episode", steps_per_update=25)  # rollouts end within episodes
    state = algorithm.init(CHASE, streams())
    begins, last = torch.ones(2, 5, dtype=torch.bool), torch.full((2, 5, 16), torch.nan)
    drawn_so_far = []
    for _ in range(12):
        rollout = algorithm._play(CHASE, state)
        for noise, ended in zip(rollout.noise.unflatten(1, (5, 5)).unbind(1), rollout.ended.unbind(1), strict=True):
            assert torch.equal(noise[~begins], last[~begins])
            assert not (noise[begins] == last[begins]).any()
            drawn_so_far.append(noise[begins])
            begins, last = ended, noise
    every = torch.cat(drawn_so_far)
    assert len(every) > 60 and len(every.unique()) == every.numel()  # no draw is used in two episodes
    assert every.mean().abs() < 0.15 and every.std().item() == pytest.approx(1.0, abs=0.1)


def test_hunters_that_are_frozen_move_no_weight_by_their_choices() -> None:
    env = Hunters(n_hunters=3, n_prey=3, grid=6, horizon=20)
    algorithm = replace(TINY, entropy_weight=0.1)
    one, other = (begun(algorithm, env, n_iterations=1) for _ in range(2))
    rollout = algorithm._play(env, one)
    assert 0 < (~rollout.free).sum() < rollout.free.numel()
    algorithm._play(env, other)
    others = torch.where(rollout.free, rollout.actions, 4 - rollout.actions)
    algorithm._update(env, one, rollout)
    algorithm._update(env, other, rollout._replace(actions=others))
    assert all(itertools.starmap(torch.equal, zip(tensors(one.network), tensors(other.network), strict=True)))


# ---- untrained ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_what_does_not_learn_sees_what_learners_see(height: int, width: int) -> None:
    planes = Planes(3, height, width)
    trunk, cells = trunk_with_biases(planes), marks(planes, 7, 6)
    expected = grids.seen(cells, planes, trunk)
    torch.testing.assert_close(grids.phi(cells, planes, grids.still(trunk, planes)), expected.features)


def test_untrained_policies_play_as_learners_do_until_they_learn() -> None:
    env = Hunters(n_hunters=3, n_prey=3, grid=9, horizon=15, moving=True)
    for learner in (TINY, replace(TINY, head_scale=3.0, normalised=True, sees_time=True)):
        algorithm = Untrained(learner)
        state = algorithm.init(env, streams())
        algorithm.advance(env, state)
        assert [one.latent_lasts for one in algorithm.learners] == ["step", "episode", "step", "step"]
        for k, one in enumerate(algorithm.learners):
            learning = one.init(env, streams())
            one._play(env, learning)
            own = slice(5 * k, 5 * k + 5)
            for its, theirs in zip(learning.episodes.game, state.episodes.game, strict=True):
                assert torch.equal(its, theirs[:, own]), (k, one)
            assert torch.equal(learning.episodes.finished_reward, state.finished[:, k])
            for metric in _episodes.EPISODE_METRICS:
                assert torch.equal(
                    learning.ledger.totals[metric], state.ledger.totals[untrained.of(untrained.NAMES[k], metric)]
                )
        assert state.finished.sum() > 0


def test_untrained_policies_do_not_change() -> None:
    algorithm = Untrained(TINY)
    state = algorithm.init(CHASE, streams())
    before = [tensor.clone() for tensor in (*tensors(state.trunk), *tensors(state.networks))]
    for _ in range(3):
        algorithm.advance(CHASE, state)
    assert all(map(torch.equal, before, (*tensors(state.trunk), *tensors(state.networks))))


def test_every_seed_descends_at_its_own_rate() -> None:
    gradients = [streams(1, 2, 3).normal(4, 5) for _ in range(2)]
    rates = (0.1, 0.0, 0.003)
    stacked = [torch.ones(3, 4, 5)]
    optimizer = Adam.of(stacked)
    for gradient in gradients:
        optimizer.step(stacked, [gradient], torch.tensor(rates), corrected_epsilon=True)
    for row, rate in enumerate(rates):
        alone = [torch.ones(1, 4, 5)]
        its_own = Adam.of(alone)
        for gradient in gradients:
            its_own.step(alone, [gradient[row : row + 1]], rate, corrected_epsilon=True)
        torch.testing.assert_close(stacked[0][row], alone[0][0])
    assert torch.equal(stacked[0][1], torch.ones(4, 5))


def test_without_a_spread_and_without_kl_mace_is_shared() -> None:
    full = replace(TINY, kl_weight=0.0)
    state = begun(full, seeds=(0, 1))
    spread = state.network.latent[1]
    spread.weight.zero_()
    spread.bias.fill_(-100.0)  # e⁻²⁰ after the clamp
    baseline = replace(full, policy="Shared")
    shared = begun(baseline, seeds=(0, 1))
    for own, its in zip(tensors(shared.network), tensors(without_spread(state.network)), strict=True):
        own.copy_(its)
    shared.episodes, shared.streams = replace(state.episodes), state.streams.branched()
    one, other = full._play(CHASE, state), baseline._play(CHASE, shared)
    assert torch.equal(one.actions, other.actions)
    assert torch.equal(one.reward, other.reward)
    for learner, learning, rollout in ((full, state, one), (baseline, shared, other)):
        learning.optimizer = Adam.of(tensors(learning.network))  # whose first moments are then tenths of the gradients
        learner._update(CHASE, learning, rollout)
    gradients = dict(zip(leaves(state.network), state.optimizer.first, strict=True))
    for name, its in zip(leaves(shared.network), shared.optimizer.first, strict=True):
        torch.testing.assert_close(gradients[name], its, rtol=1e-4, atol=1e-6)


def without_spread(network: Network) -> Network:
    return network._replace(latent=network.latent[:1])


# ---- episodes and hyper-parameters ----------------------------------------------------------------------------------


def test_a_fresh_episode_begins_where_one_has_ended_and_nowhere_else() -> None:
    state = begun(TINY, seeds=(0, 1))
    seen_ends = torch.zeros(2, 5, dtype=torch.int64)
    for _ in range(40):
        before = state.episodes.game
        actions = state.streams.integers(5, 3, high=5)
        _, ended = state.episodes.step(CHASE, (actions,), state.streams, state.ledger)
        after = state.episodes.game
        assert torch.equal(after.step, state.episodes.elapsed)  # the game counts as well
        assert torch.equal(after.step == 0, ended)
        apart = (after.agents - before.agents).abs()
        moved = torch.minimum(apart, torch.tensor([CHASE.height, CHASE.width]) - apart).sum(dim=-1)
        assert (moved[~ended] <= 1).all()
        assert not state.episodes.reward[ended].any()
        seen_ends += ended
    assert (seen_ends >= 40 // CHASE.horizon).all()


def test_episodes_are_counted() -> None:
    state = begun(TINY, seeds=(0, 1), n_iterations=6)
    totals, episodes = state.ledger.totals, state.episodes
    n_ended = totals[_episodes.EPISODE_LENGTH][:, 1]
    assert (n_ended >= 6 * 50 / CHASE.horizon - 5).all()
    assert torch.equal(episodes.lengths.sum(dim=1).double(), n_ended)
    # With a horizon of 8 there is a bin for every length: 0, 12, 25 …
    lengths = torch.arange(1, 9)
    counts = episodes.lengths[:, (lengths - 1) * 100 // 8]
    assert torch.equal((counts * lengths).sum(dim=1).double(), totals[_episodes.EPISODE_LENGTH][:, 0])
    assert torch.equal(counts[:, :-1].sum(dim=1).double(), totals[_episodes.EARLY][:, 0])
    assert torch.equal(episodes.finished_reward, totals[_episodes.EPISODE_REWARD][:, 0])
    assert torch.equal(episodes.finished_reward, totals[_episodes.STEP_REWARD][:, 0])
    assert (totals[_episodes.STEP_REWARD][:, 1] == state.steps).all()
    assert (episodes.finished_reward > 0).all()


@pytest.mark.parametrize(
    ("length", "horizon", "expected"),
    [(1, 2000, 0), (20, 2000, 0), (21, 2000, 1), (2000, 2000, 99), (1, 1, 0), (3, 3, 66)],
)
def test_a_bin_holds_a_hundredth_of_the_horizon(length: int, horizon: int, expected: int) -> None:
    state = TINY.init(CHASE, streams())
    one = torch.ones(2, 1)
    state.episodes._enter(state.ledger, one.bool(), one, (one * length).long(), horizon)
    assert state.episodes.lengths.nonzero().tolist() == [[0, expected], [1, expected]]


def test_a_seed_that_diverges_leaves_no_lengths_and_no_total() -> None:
    state = begun(TINY, seeds=(0, 1))
    known = state.episodes.lengths.clone()
    for tensor in tensors(state.network):
        tensor[1] = torch.nan
    for _ in range(3):
        TINY.advance(CHASE, state)
    assert torch.equal(state.episodes.lengths[1], known[1])
    assert (state.episodes.lengths[0] - known[0]).sum() > 0
    assert state.episodes.finished_reward.isnan().tolist() == [False, True]


def drawn_settings(algorithm: MACE, n_seeds: int = 40) -> dict[str, Tensor]:
    return vars(algorithm.init(CHASE, Streams.of(range(n_seeds), "training", "cpu")).settings)


def test_a_search_draws_from_the_ranges_whatever_the_policy() -> None:
    drawn = {
        policy: drawn_settings(replace(TINY, policy=policy, search=True)) for policy in ("MACE", "Shared", "Cloned")
    }
    for name, (low, high) in mace.RANGES.items():
        values = drawn["MACE"][name]
        assert values.min() >= low
        assert values.max() <= high
        assert len(values.unique()) == 40
        assert torch.equal(values, drawn["Shared"][name])
        assert torch.equal(values, drawn["Cloned"][name])
        spread = values.log() if name == "learning_rate" else values
        ends = [math.log(end) if name == "learning_rate" else end for end in (low, high)]
        assert spread.mean() == pytest.approx(sum(ends) / 2, abs=0.15 * (ends[1] - ends[0]))
    assert not drawn_settings(replace(TINY, search=True, kl_weight=0.0))["kl_weight"].any()


def test_a_stratum_of_a_search_draws_from_it_and_all_else_as_before() -> None:
    whole = replace(TINY, search=True)
    part = replace(whole, slowest=1e-3, fastest=1e-2)
    everywhere, within = drawn_settings(whole), drawn_settings(part)
    rates = within.pop("learning_rate")
    assert rates.min() >= 1e-3 and rates.max() <= 1e-2 and rates.log10().mean().item() == pytest.approx(-2.5, abs=0.15)
    assert all(torch.equal(values, everywhere[name]) for name, values in within.items())


def test_without_a_search_every_seed_has_the_settings_of_the_fields() -> None:
    for name, values in drawn_settings(TINY, 3).items():
        assert torch.equal(values, torch.full((3,), getattr(TINY, name)))


def test_every_weight_learns() -> None:
    for policy in ("MACE", "Shared", "Cloned"):
        algorithm = replace(TINY, policy=policy)
        before = tensors(begun(algorithm, n_iterations=0).network)
        for one, other in zip(before, tensors(begun(algorithm, n_iterations=1).network), strict=True):
            assert not torch.equal(one, other)


def test_a_seed_alone_is_what_it_is_among_others_on_the_papers_grid() -> None:
    env = Chase(n_agents=10, height=50, width=50, horizon=2000)
    algorithm = MACE(n_envs=4, steps_per_update=16, clip=0.1)  # so that it clips
    alone, among = (split(begun(algorithm, env, seeds, 2), len(seeds)) for seeds in ((14,), (3, 14, 15)))
    assert [name for name in alone[0] if not torch.equal(alone[0][name], among[1][name])] == []


def test_an_unknown_policy_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^policy of MACE must be 'MACE', 'Shared' or 'Cloned', got 'Copied'$"):
        MACE(policy="Copied")  # type: ignore[arg-type]


# ---- learning what is known to be best ------------------------------------------------------------------------------

TARGETS = Targets()
N_UPDATES = 80


@cache
def learnt(algorithm: MACE) -> MACEState:
    return begun(algorithm, TARGETS, seeds=(0, 1), n_iterations=N_UPDATES)


def right_choices(algorithm: MACE) -> list[float]:
    """Of every seed, how many agents choose their own target, by the number of agents."""
    state, game = learnt(algorithm), TARGETS.reset(streams(), 500)
    (actions,) = algorithm.policies(state)["sampled"](TARGETS, game)
    share: list[float] = (actions == TARGETS.right(game)).float().mean(dim=(1, 2)).tolist()
    return share


@pytest.mark.parametrize("policy", ["MACE", "Shared"])
def test_agents_with_heads_of_their_own_learn_to_choose_different_targets(policy: Any) -> None:
    assert min(right_choices(MACE(policy=policy, **SMALL))) > 0.95


def test_agents_that_are_clones_cannot() -> None:
    assert right_choices(MACE(policy="Cloned", **SMALL)) == pytest.approx([0.25] * 2, abs=0.04)


def spread_of(algorithm: MACE) -> Tensor:
    """σ, mean over λ's entries and states. Shapes: [S]."""
    cells = TARGETS.cells(TARGETS.reset(streams(), 100))
    network = learnt(algorithm).network
    features = grids.seen(cells, TARGETS.planes, network.trunk).features
    noise = torch.zeros(2, 100, algorithm.latent_size)
    return mace.distribution(features, network, noise, TARGETS.n_agents).log_std.exp().mean(dim=(1, 2))


def test_without_kl_the_spread_shrinks_and_with_it_it_stays() -> None:
    assert (spread_of(MACE(kl_weight=0.0, **SMALL)) < 0.4).all()
    assert (spread_of(MACE(kl_weight=0.1, **SMALL)) > 0.9).all()


def test_a_decision_tells_the_latent_that_the_agents_shared() -> None:
    algorithm = MACE(**SMALL)
    state = learnt(algorithm)
    game = type(TARGETS.reset(streams(), 1))(torch.zeros(2, 4000, dtype=torch.int64))  # one state, many draws
    noise, unit = streams().normal(4000, 16), streams().uniform(4000, 4)
    decided = algorithm.decision(TARGETS, game, state.network, noise, unit)
    latent, actions = decided.latent, decided.actions
    assert actions.shape == (2, 4000, 4)
    features = grids.seen(TARGETS.cells(game), TARGETS.planes, state.network.trunk).features
    stated = mace.distribution(features, state.network, torch.zeros_like(latent), 4)
    assert torch.equal(decided.mean, stated.mean) and torch.equal(decided.std, stated.log_std.exp())
    torch.testing.assert_close(latent.mean(dim=1), decided.mean[:, 0], rtol=0.0, atol=0.07)
    torch.testing.assert_close(latent.std(dim=1), decided.std[:, 0], rtol=0.06, atol=0.0)
    cloned = MACE(policy="Cloned", **SMALL)
    assert cloned.decision(TARGETS, game, learnt(cloned).network, noise, unit).latent.shape == (2, 4000, 0)
