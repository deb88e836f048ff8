"""DiMA-PG and what it is made of: policies that are learnt by their score, roll-outs, trust regions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from _darts import Board, Darts
from torch import Tensor, distributions
from torch.nn.functional import relu

from algorithms import _networks as networks
from algorithms._copies import LEAST_RETURN
from algorithms._networks import mapped, repeated, tensors
from algorithms._policies import (
    LOWEST_LOG_STD,
    Categorical,
    Gaussian,
    StochasticPolicy,
    in_the_box,
    policy_for,
    score,
)
from algorithms._rollouts import Baseline, Trajectories, advantages, discounted, features, fitted, play
from algorithms._surrogates import Adaptation, Judged, Objective, Scored, moved, summed
from algorithms._tree import joined, rebuilt, split
from algorithms._trust_region import conjugate_gradient, flat, shaped, trust_region_step
from algorithms.dimapg import (
    ACCEPTED,
    DIVERGENCE,
    GAIN,
    OUTER_SHARE,
    DiMAPG,
    DiMAPGState,
)
from environments import Box, Discrete, Env, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_tag import SimpleTag

torch.set_num_threads(1)


def streams(*seeds: int) -> Streams:
    return Streams.of(seeds or (0, 1), "dimapg", "cpu")


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fresh(kind: Box | Discrete, *seeds: int, n_seen: int = 3, hidden: int = 16) -> StochasticPolicy:
    """A policy in double precision, with parameters everywhere."""
    policy = policy_for(kind, streams(*seeds), (n_seen, hidden, hidden, kind.n))
    numbers = itertools.count()
    return mapped(policy, lambda part: part.double() + 0.1 * random(*part.shape, seed=next(numbers)))


KINDS = [Box(2), Box(1), Discrete(3)]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=["vector", "number", "choice"])


def described(policy: StochasticPolicy, raw: Tensor) -> Any:
    """The same distribution as PyTorch has it."""
    if isinstance(policy, Gaussian):
        return distributions.Independent(distributions.Normal(raw, policy.log_std.exp().expand_as(raw)), 1)
    return distributions.Categorical(logits=raw)


# ------------------------------------------------------------------------------------------------------------ policies


@every_kind
def test_policies_are_the_distributions_of_pytorch(kind: Box | Discrete) -> None:
    policy, other = fresh(kind, 0, 1), fresh(kind, 2, 3)
    seen = random(2, 5, 3)
    raw, other_raw = policy.raw(seen), other.raw(seen)
    theirs, others = described(policy, raw), described(other, other_raw)
    actions = theirs.sample()
    torch.testing.assert_close(policy.log_density(raw, actions), theirs.log_prob(actions))
    torch.testing.assert_close(policy.entropy(raw), theirs.entropy())
    divergence = distributions.kl_divergence(theirs, others)
    torch.testing.assert_close(policy.divergence(raw, other, other_raw), divergence)  # type: ignore[arg-type]
    torch.testing.assert_close(policy.mode(raw), theirs.base_dist.mean if isinstance(kind, Box) else theirs.mode)


def test_a_gaussian_starts_with_a_standard_deviation_of_1_and_never_falls_below_a_millionth() -> None:
    policy = policy_for(Box(2), streams(), (3, 16, 2))
    assert isinstance(policy, Gaussian)
    assert torch.equal(policy.log_std, torch.zeros(2, 1, 2))
    narrow = policy._replace(log_std=policy.log_std - 100)
    assert narrow.drawn(torch.zeros(2, 1, 2), torch.ones(2, 1, 2)).unique().item() == pytest.approx(1e-6)
    assert narrow.entropy(torch.zeros(2, 1, 2)).isfinite().all()
    assert pytest.approx(-13.8155, abs=1e-4) == LOWEST_LOG_STD


def test_choices_are_drawn_as_often_as_they_should_be() -> None:
    policy = Categorical(networks.xavier(streams(0), (3, 16, 4)))
    logits = torch.tensor([0.3, -1.0, 0.9, 0.0]).expand(1, 40_000, 4)
    drawn = policy.drawn(logits, streams(0).uniform(40_000))
    shares = torch.bincount(drawn[0], minlength=4) / 40_000
    torch.testing.assert_close(shares, torch.softmax(logits[0, 0], 0), atol=0.01, rtol=0.0)


def test_a_choice_of_undefined_logits_is_minus_one() -> None:
    policy = Categorical(networks.xavier(streams(0), (3, 16, 4)))
    logits = torch.tensor([[[0.0, 1.0, torch.nan, 0.0], [0.0, 1.0, 0.0, 0.0]]])
    assert policy.mode(logits).tolist() == [[-1, 1]]
    assert policy.drawn(logits, torch.full((1, 2), 0.999)).tolist() == [[-1, 3]]


def test_actions_between_minus_1_and_1_span_the_box() -> None:
    actions = torch.tensor([-7.0, -1.0, 0.0, 0.5, 3.0])
    assert in_the_box(Box(1), actions).tolist() == [-1.0, -1.0, 0.0, 0.5, 1.0]
    assert in_the_box(Box(1, 0.0, 4.0), actions).tolist() == [0.0, 0.0, 2.0, 3.0, 4.0]
    assert in_the_box(Discrete(9), torch.tensor([8])).tolist() == [8]


def plain(policy: StochasticPolicy, seen: Tensor) -> Any:
    """The distribution, by operations that can be differentiated twice. Shapes: [S, B, D]."""
    x = seen
    for i, (weight, bias) in enumerate(policy.network):
        x = x @ weight.transpose(1, 2) + bias
        x = relu(x) if i + 1 < len(policy.network) else x
    return described(policy, x)


@every_kind
def test_the_score_is_the_gradient_of_the_weighted_log_density_of_each_seed(kind: Box | Discrete) -> None:
    policy, seen, weights = fresh(kind, 0, 1), random(2, 7, 3), random(2, 7, seed=1)
    actions = described(policy, policy.raw(seen)).sample()
    for row in range(2):
        alone = networks.trainable(mapped(policy, itemgetter(slice(row, row + 1))))
        loss = (plain(alone, seen[row : row + 1]).log_prob(actions[row : row + 1])[0] * weights[row]).sum()
        expected = torch.autograd.grad(loss, tensors(alone))
        for mine, theirs in zip(tensors(score(policy, seen, actions, weights)), expected, strict=True):
            torch.testing.assert_close(mine[row], theirs[0])


@every_kind
def test_the_fisher_product_is_the_hessian_of_the_divergence(kind: Box | Discrete) -> None:
    policy = fresh(kind, 0, hidden=4)
    seen, weights = random(1, 6, 3), random(1, 6, seed=1).abs()
    theta = flat(policy)

    def mean_divergence(row: Tensor) -> Tensor:
        other = plain(shaped(row.unsqueeze(0), policy), seen)
        return (weights * distributions.kl_divergence(plain(policy, seen), other)).sum()

    hessian = torch.autograd.functional.hessian(mean_divergence, theta[0])
    v = random(*theta.shape, seed=2)
    fisher: Any = policy.fisher(seen, weights)
    torch.testing.assert_close(flat(fisher(shaped(v, policy)))[0], hessian @ v[0])


# -------------------------------------------------------------------------------------------------------- trust region


def matrices(n_seeds: int, n: int) -> Tensor:
    """Positive definite ones."""
    root = random(n_seeds, n, n)
    return root @ root.transpose(1, 2) + 0.5 * torch.eye(n, dtype=torch.float64)


def multiplied(a: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: (a @ x.unsqueeze(-1)).squeeze(-1)


def test_conjugate_gradients_solve_what_a_dense_solver_does() -> None:
    a, b = matrices(3, 6), random(3, 6, seed=1)
    found = conjugate_gradient(multiplied(a), b, n_iterations=40)
    torch.testing.assert_close(found, torch.linalg.solve(a, b), rtol=1e-4, atol=1e-4)


def test_every_seed_stops_for_itself() -> None:
    a, b = matrices(3, 6), random(3, 6, seed=1)
    b[0], b[1] = 1e-6, torch.nan  # the first is solved well enough by 0
    found = conjugate_gradient(multiplied(a), b)
    assert torch.equal(found[0], torch.zeros(6, dtype=torch.float64))
    alone = conjugate_gradient(multiplied(a[2:]), b[2:])
    torch.testing.assert_close(found[2:], alone, rtol=1e-12, atol=0.0)  # torch's own product differs in the last bit


def quadratic(a: Tensor, g: Tensor, worth: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """A change is worth `worth`·gᵀd and makes a divergence of ½dᵀAd."""
    return lambda d: (worth * (g * d).sum(1), 0.5 * (d * multiplied(a)(d)).sum(1))


def test_the_longest_step_is_taken_where_the_world_is_as_it_seems() -> None:
    a, g = matrices(2, 6), random(2, 6, seed=1)
    step = trust_region_step(g, multiplied(a), quadratic(1.0001 * a, g, torch.ones(2)), n_iterations=40, damping=0.0)
    best = torch.linalg.solve(a, g)
    best = best * (0.02 / (best * g).sum(1, keepdim=True)).sqrt()
    assert step.accepted.all()
    torch.testing.assert_close(step.change, 0.8 * best, rtol=1e-3, atol=1e-5)  # the first just misses the bound


def test_a_step_is_shortened_until_it_fits_and_refused_where_it_never_does() -> None:
    a, g = matrices(4, 6), random(4, 6, seed=1)
    worth = torch.tensor([1.0, -1.0, torch.nan, 1.0], dtype=torch.float64)
    tight = a * torch.tensor([7.0, 1.0, 1.0, 1e6], dtype=torch.float64)[:, None, None]
    step = trust_region_step(g, multiplied(a), quadratic(tight, g, worth), n_iterations=40)
    assert step.accepted.tolist() == [True, False, False, False]
    assert torch.equal(step.change[1:], torch.zeros(3, 6, dtype=torch.float64))
    assert torch.equal(step.divergence[1:], torch.zeros(3, dtype=torch.float64))
    assert 0.64 * 0.01 < step.divergence[0] <= 0.01


def gone_through(kind: Box | Discrete, *seeds: int, n_adapted: int = 2) -> tuple[Any, ...]:
    """θ, θ_n and two sets of trajectories, in single precision, all drawn from the seeds."""
    drawing = streams(*seeds)
    theta = policy_for(kind, drawing, (3, 16, 16, kind.n))
    theta_n = mapped(repeated(theta, n_adapted), lambda x: x + 0.1 * drawing.normal(*x.shape[1:]))

    def tau(policy: StochasticPolicy) -> Judged:
        seen = drawing.normal(n_adapted, 6, 4, 3)
        raw = policy.raw(seen.flatten(2, 3)) if policy is theta_n else policy.raw(seen.flatten(1, 3))
        action = policy.drawn(raw, policy.noise(drawing, *raw.shape[1:-1]))
        action = action.view(*seen.shape[:4], *([kind.n] if isinstance(kind, Box) else []))
        own = Trajectories(seen, action, drawing.normal(n_adapted, 6, 4), torch.ones(seen.shape[:4]))
        return Judged.of(own, 0.9)

    return theta, theta_n, tau(theta), tau(theta_n), drawing.normal(n_adapted)


@every_kind
def test_the_objective_grows_along_the_gradient_and_no_step_leaves_the_trust_region(kind: Box | Discrete) -> None:
    parts = gone_through(kind, 0, 1, 2)
    scored = Scored.of(*parts)
    gradient, objective = scored.gradient(), Objective.of(scored)
    step = trust_region_step(gradient, objective.curvature(), objective, max_divergence=0.01)
    assert step.accepted.all()
    gain, divergence = objective(step.change)
    assert (gain > 0).all()
    assert (divergence <= 0.01).all()
    assert (divergence > 0.003).all()
    torch.testing.assert_close(divergence, step.divergence)


@every_kind
def test_the_objectives_derivative_is_the_gradient(kind: Box | Discrete) -> None:
    theta, theta_n, before, after, pull = gone_through(kind, 0, 1)
    double: Any = [mapped(part, torch.Tensor.double) for part in (theta, theta_n)]
    judged = [
        Judged(
            Trajectories(*(x.double() if x.is_floating_point() else x for x in tau.own)),
            tau.advantage.double(),
            tau.fit,
        )
        for tau in (before, after)
    ]
    parts: Any = (*double, *judged, pull.double())
    scored = Scored.of(*parts)
    gradient, objective = scored.gradient(), Objective.of(scored)
    d = 1e-6 * random(*gradient.shape)
    slope = (objective(d)[0] - objective(-d)[0]) / 2
    torch.testing.assert_close(slope, (gradient * d).sum(1), rtol=1e-4, atol=1e-12)


@every_kind
def test_a_step_of_a_seed_alone_is_bit_for_bit_what_it_is_among_others(kind: Box | Discrete) -> None:
    def step(*seeds: int) -> Tensor:
        parts = gone_through(kind, *seeds)
        scored = Scored.of(*parts)
        objective = Objective.of(scored)
        return trust_region_step(scored.gradient(), objective.curvature(), objective).change

    together = step(3, 4, 5)
    for row, seed in enumerate((3, 4, 5)):
        assert torch.equal(step(seed)[0], together[row])


# ------------------------------------------------------------------------------------------------------------ roll-outs


def test_discounted_returns_are_summed_from_the_end() -> None:
    reward = torch.tensor([1.0, 2.0, 4.0])[None, None, :, None]
    assert discounted(reward, 0.5).flatten().tolist() == [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 4]


def test_features_are_rllabs() -> None:
    observation = torch.tensor([[3.0, -20.0], [0.5, 2.0]])[None, None, :, None, :]  # two steps
    first, second = features(observation)[0, 0]
    assert first.tolist() == [3.0, -10.0, 9.0, 100.0, 0.0, 0.0, 0.0, 1.0] + [0.0] * 8
    assert second[:8].tolist() == pytest.approx([0.5, 2.0, 0.25, 4.0, 0.01, 1e-4, 1e-6, 1.0])


def test_the_baseline_is_numpys_ridge_regression() -> None:
    x, y = random(2, 3, 50, 16), random(2, 3, 50, seed=1)
    found = fitted(x, y, 0.1)
    for s, p in np.ndindex(2, 3):
        a, b = x[s, p].numpy(), y[s, p].numpy()
        weights = np.linalg.lstsq(a.T @ a + 0.1 * np.eye(16), a.T @ b, rcond=None)[0]
        np.testing.assert_allclose(found[s, p].numpy(), a @ weights, rtol=1e-9)


def test_a_baseline_of_a_seed_alone_is_bit_for_bit_what_it_is_among_others() -> None:
    for n_seen in (3, 12, 14):
        x = features(random(3, 2, 20, 7, n_seen))
        y = random(3, 2, 140, seed=1)
        for seed, together in enumerate(fitted(x, y, 1e-5)):
            assert torch.equal(fitted(x[seed : seed + 1], y[seed : seed + 1], 1e-5)[0], together)


def test_a_baseline_of_undefined_numbers_is_undefined_where_they_are() -> None:
    x, y = random(2, 1, 50, 16), random(2, 1, 50, seed=1)
    whole = fitted(x, y, 1e-5)
    y[0, 0, 3] = torch.nan
    assert fitted(x, y, 1e-5).isnan().all(2).tolist() == [[True], [False]]
    assert torch.equal(fitted(x, y, 1e-5)[1], whole[1])


def trajectories(n_steps: int = 30, n_envs: int = 5) -> Trajectories:
    shape = (2, 3, n_steps, n_envs)
    return Trajectories(random(*shape, 4), random(*shape, 2), random(*shape, seed=1), torch.ones(shape).double())


def test_advantages_are_what_the_baseline_leaves_of_the_returns_centred_and_scaled() -> None:
    own = trajectories()
    returns = discounted(own.reward, 0.9).flatten(2)
    left = returns - fitted(features(own.observation), returns, 1e-5)
    found = advantages(own, 0.9)
    torch.testing.assert_close(found.mean(2), torch.zeros(2, 3).double())
    torch.testing.assert_close(found.std(2, correction=0), torch.ones(2, 3).double())
    centred = left - left.mean(2, keepdim=True)
    torch.testing.assert_close(found, centred / left.std(2, correction=0, keepdim=True))


def test_a_pooled_baseline_takes_all_agents_for_one_that_played_all_their_episodes() -> None:
    own = trajectories()
    one = Trajectories(*(part.transpose(1, 2).flatten(2, 3).unsqueeze(1) for part in own))  # [S, 1, T, P·E, …]
    expected = advantages(one, 0.9).view(2, 30, 3, 5).transpose(1, 2).flatten(2)
    torch.testing.assert_close(advantages(own, 0.9, Baseline(pooled=True)), expected)
    assert not torch.allclose(advantages(own, 0.9), expected, atol=0.01)


def test_a_baseline_that_sees_the_last_features_only_does_not_mind_the_others() -> None:
    own, part = trajectories(), Baseline(n_features=3)
    blind = own._replace(observation=own.observation[..., 1:])
    assert torch.equal(advantages(own, 0.9, part), advantages(blind, 0.9))
    assert not torch.equal(advantages(own, 0.9), advantages(blind, 0.9))
    with pytest.raises(
        ValueError, match=r"^n_features of Baseline must be a whole number of at least 1 or None, got 0"
    ):
        Baseline(n_features=0)


def test_steps_of_the_dead_count_for_nothing() -> None:
    own = trajectories()
    alive = own.alive.clone()
    alive[:, :, 20:, 2:] = 0.0
    reward = own.reward * alive
    dead = own._replace(alive=alive, reward=reward)
    other = dead._replace(observation=torch.where(alive.unsqueeze(-1) > 0, own.observation, 99.0))
    found = advantages(dead, 0.9)
    assert torch.equal(found, advantages(other, 0.9))
    assert (found[alive.flatten(2) == 0] == 0).all()
    torch.testing.assert_close(found.sum(2), torch.zeros(2, 3).double())
    weights = Judged(dead, found, torch.empty(0)).weights
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 3).double())
    assert weights[0, 0].unique().tolist() == pytest.approx([0.0, 1 / (30 * 5 - 10 * 3)])


def constant(value: float, n_seen: int, *lead: int) -> Gaussian:
    """A policy that always plays almost the same."""
    layers = tuple(
        networks.Linear(torch.zeros(*lead, n, m), torch.zeros(*lead, 1, n)) for m, n in ((n_seen, 16), (16, 1))
    )
    layers[-1].bias.fill_(value)
    return Gaussian(layers, torch.full((*lead, 1, 1), -20.0))


def test_whoever_differs_plays_in_games_of_its_own_among_agents_that_do_not() -> None:
    env = Darts(n_agents=3, n_mirrored=2, told=False, horizon=4)
    theta = (constant(0.1, 2, 2), constant(0.2, 3, 2))
    differing = (constant(0.0, 2, 2, 2), constant(-0.7, 3, 2, 1))
    differing[0].network[-1].bias[:, :, 0, 0] = torch.tensor([[0.3, 0.4], [0.5, 0.6]])
    chosen = (torch.tensor([[2, 0], [1, 2]]), torch.tensor([[1], [0]]))
    played = play(env, streams(), 5, theta, chosen, differing=differing)
    assert env.calls == [15] * 4  # three blocks of five
    goals = torch.tensor([0.5, -0.5, 0.5, 0.5, -0.5])  # of the mirrored ones: what they are to hit
    for seed in range(2):
        for block in range(3):
            action = torch.tensor([0.1, 0.1, 0.1, 0.2, 0.2])
            role, p = (0, block) if block < 2 else (1, 0)
            value = differing[role].network[-1].bias[seed, p, 0, 0]
            action[chosen[role][seed, p] + 3 * role] = value
            reward = -(action - goals).square()
            of_block = played.returns[seed, 5 * block : 5 * block + 5]
            torch.testing.assert_close(of_block, (4 * reward).expand(5, 5), atol=1e-4, rtol=0.0)
            own = played.chosen[role]
            torch.testing.assert_close(own.action[seed, p], value.expand(4, 5, 1), atol=1e-4, rtol=0.0)
            expected = reward[chosen[role][seed, p] + 3 * role]
            torch.testing.assert_close(own.reward[seed, p], expected.expand(4, 5), atol=1e-4, rtol=0.0)
    shapes = [[list(x.shape) for x in own] for own in played.chosen]
    assert shapes[0] == [[2, 2, 4, 5, 2], [2, 2, 4, 5, 1], [2, 2, 4, 5], [2, 2, 4, 5]]
    assert shapes[1] == [[2, 1, 4, 5, 3], [2, 1, 4, 5, 1], [2, 1, 4, 5], [2, 1, 4, 5]]


def test_where_nobody_differs_the_chosen_are_looked_at_in_the_same_games() -> None:
    env = Darts(n_agents=3, told=True, horizon=2)
    chosen = (torch.tensor([[2, 0], [1, 2]]),)
    played = play(env, streams(), 5, (constant(0.1, 2, 2),), chosen)
    assert env.calls == [5, 5]
    goal = env.reset(streams(), 5).goal  # [S, E, A, 1]
    for seed, p in np.ndindex(2, 2):
        seen = played.chosen[0].observation[seed, p]
        assert torch.equal(seen[1, :, 0], goal[seed, :, chosen[0][seed, p], 0])
    total = -2 * (0.1 - goal[..., 0]).square()
    torch.testing.assert_close(played.returns, total, atol=1e-4, rtol=0.0)


@dataclass(frozen=True)
class Perilous(Darts):
    """Agent 0 dies in the second step; the game ends in the fourth."""

    n_agents: int = 2
    horizon: int = 6
    told: bool = False

    may_end: ClassVar[bool] = True

    def step(self, state: Board, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Board, Tensor, Tensor]:
        after, reward, _ = super().step(state, actions, streams)
        return after, torch.ones_like(reward), after.t[..., 0] == 4

    def alive(self, state: Board) -> Tensor:
        alive = torch.ones(*state.goal.shape[:2], 2, dtype=torch.bool)
        alive[..., 0] = state.t[..., 0] < 2
        return alive


def test_the_dead_and_those_whose_game_is_over_get_nothing() -> None:
    chosen = (torch.tensor([[0, 1], [0, 1]]),)
    played = play(Perilous(), streams(), 3, (constant(0.1, 2, 2),), chosen)
    (own,) = played.chosen
    expected = torch.tensor([[1.0, 1, 0, 0, 0, 0], [1.0, 1, 1, 1, 0, 0]])  # the step in which it dies still counts
    assert torch.equal(own.alive, expected[None, :, :, None].expand(2, 2, 6, 3))
    assert torch.equal(own.reward, own.alive)
    assert played.returns[0].tolist() == [[2.0, 4.0]] * 3
    DiMAPG(hidden=16, n_trajectories=3).advance(Perilous(), DiMAPG(hidden=16).init(Perilous(), streams()))


# ------------------------------------------------------------------------------------------------------- the gradients


def enumerated(theta: Any, rate: float, *, exact: bool = False) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
    """A game of two agents with two choices each and one step, in which every trajectory can be written down.

    Returns the probability of each of the 4 × 4 pairs of a τ and a τ′, the estimate of the gradient (14) from each, and
    the exact value of agent 0 adapting by one inner step, as a function of a change d of its own parameters: in τ and,
    dθ_n/dθ being taken for the identity, in τ′. If `exact` it adapts anew from where d has brought it.
    """
    payoff = torch.tensor([[1.0, -0.5], [0.3, 2.0]]).double()
    pairs = torch.tensor(list(itertools.product(range(2), repeat=4)))  # own, other's, own after, other's after
    seen = torch.ones(16, 1, 1, 1, 3).double()
    every = mapped(theta, lambda x: x.expand(16, *x.shape[1:]).contiguous())

    def judged(own: Tensor, other: Tensor) -> Judged:
        reward = payoff[own, other]
        action = own[:, None, None, None]
        of_agent = Trajectories(seen, action, reward[:, None, None, None], torch.ones(16, 1, 1, 1).double())
        return Judged(of_agent, reward[:, None, None], torch.empty(0))

    before, after = judged(pairs[:, 0], pairs[:, 1]), judged(pairs[:, 2], pairs[:, 3])
    start = mapped(repeated(every, 1), torch.clone)
    step = Adaptation(start, before, rate)
    theta_n = step.taken()
    scored = Scored.of(every, theta_n, before, after, after.advantage[:, :, 0])
    estimate = scored.gradient([step] if exact else [])

    def shares(policy: Any) -> Tensor:  # [16, 2]
        return torch.softmax(policy.raw(seen.view(16, 1, 3)), -1)[:, 0]

    row = torch.arange(16)
    others = shares(every)[row, pairs[:, 1]] * shares(every)[row, pairs[:, 3]]

    def own(d: Tensor) -> Tensor:
        change = shaped(d.expand(16, -1), every)
        along = moved(theta_n, repeated(change, 1))
        anew = step._replace(theta_n=moved(start, repeated(change, 1))).taken()
        changed = mapped(anew if exact else along, lambda x: x[:, 0])
        return shares(moved(every, change))[row, pairs[:, 0]] * shares(changed)[row, pairs[:, 2]]

    def value(d: Tensor) -> Tensor:
        return (own(d) * others * payoff[pairs[:, 2], pairs[:, 3]]).sum()

    zero = torch.zeros(1, estimate.shape[1]).double()
    return own(zero) * others, estimate, value


@pytest.mark.parametrize("exact", [False, True], ids=["first order", "second order"])
def test_the_gradient_is_expected_to_be_the_derivative_of_the_adapted_value(exact: bool) -> None:
    probability, estimate, value = enumerated(fresh(Discrete(2), 0), rate=2.0, exact=exact)
    assert probability.sum() == pytest.approx(1.0)
    expected = (probability.unsqueeze(1) * estimate).sum(0)
    for seed in range(5):
        d = 1e-5 * random(1, estimate.shape[1], seed=seed)
        slope = (value(d) - value(-d)) / 2
        assert (expected * d).sum().item() == pytest.approx(slope.item(), rel=1e-5, abs=1e-12)


def test_a_lagged_baseline_is_nothing_at_first_and_then_what_was_fitted_before() -> None:
    env, lagged = Darts(n_agents=2, horizon=4), Baseline(lagged=True)
    first, second = (
        play(
            env,
            streams(),
            6,
            DiMAPG(hidden=16).init(env, streams(seed, seed + 1)).policies,
            [torch.tensor([[0, 1]] * 2)],
        ).chosen[0]
        for seed in (3, 5)
    )
    blank = lagged.blank(streams(), 2, first.observation.shape[-1])
    begun = Judged.of(first, 0.9, lagged, blank)
    returns = discounted(first.reward.double(), 0.9).flatten(2)
    centred = returns - returns.mean(dim=2, keepdim=True)
    by_hand = centred / (centred.square().mean(dim=2, keepdim=True).sqrt() + 1e-8)
    torch.testing.assert_close(begun.advantage.double(), by_hand, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(begun.fit, Judged.of(first, 0.9).fit)
    then, anew = (Judged.of(second, 0.9, lagged, fit) for fit in (begun.fit, blank))
    assert not torch.equal(then.advantage, anew.advantage)
    torch.testing.assert_close(then.fit, anew.fit)
    with pytest.raises(ValueError, match="a lagged baseline must be pooled where others adapt every time"):
        DiMAPG(baseline=lagged, n_adapted=2)


def test_theta_may_learn_from_all_who_act_with_it() -> None:
    env = Darts(n_agents=6)
    few, everybody = (
        DiMAPG("REINFORCE", hidden=16, n_trajectories=4, n_adapted=2, inner_steps=0, second_term=False, data=data)
        for data in ("sampled", "all")
    )
    moved_by = []
    for algorithm in (few, everybody):
        state = algorithm.init(env, streams())
        before = flat(state.policies[0])
        algorithm.advance(env, state)
        moved_by.append(flat(state.policies[0]) - before)
    chosen = few._chosen(env, streams())
    assert chosen[0].shape == (2, 2) and not torch.equal(*moved_by)
    state = everybody.init(env, streams())
    everybody._chosen(env, state.streams)  # draws as `advance` does
    own = play(env, state.streams, 4, state.policies, [torch.arange(6).expand(2, -1)]).chosen[0]
    tau = Judged.of(own, everybody.discount)
    scores = summed(score(repeated(state.policies[0], 6), *own.rows, tau.advantage * tau.weights))
    torch.testing.assert_close(moved_by[1] - moved_by[0], 0.05 * scores * 2 / 6, rtol=1e-3, atol=1e-6)
    with pytest.raises(ValueError, match="data must be sampled where θ moves by TRPO, got all"):
        DiMAPG(data="all")


@every_kind
def test_the_second_order_gradient_goes_through_all_inner_steps(kind: Box | Discrete) -> None:
    """Trajectories are held; what θ_n comes to from θ + d is worked out anew."""
    theta, _, *played, _ = gone_through(kind, 0, 1)
    start: Any = repeated(mapped(theta, torch.Tensor.double), 2)
    taus = [
        tau._replace(
            own=Trajectories(*(x.double() if x.is_floating_point() else x for x in tau.own)),
            advantage=tau.advantage.double(),
        )
        for tau in played
    ]

    def reached(d: Tensor) -> list[Adaptation]:
        steps = [Adaptation(moved(start, repeated(shaped(d, mapped(start, lambda x: x[:, 0])), 2)), taus[0], 0.5)]
        return [*steps, Adaptation(steps[0].taken(), taus[1], 0.5)]

    def worth(d: Tensor) -> Tensor:
        theta_n: Any = reached(d)[-1].taken()
        observations, actions = taus[0].own.rows
        density = theta_n.log_density(theta_n.raw(observations), actions)
        of_each: Tensor = density * taus[0].advantage * taus[0].weights
        return of_each.sum(dim=(1, 2))

    zero = torch.zeros(2, flat(mapped(start, lambda x: x[:, 0])).shape[1], dtype=torch.float64)
    inner = reached(zero)
    scored = Scored.of(start, inner[-1].taken(), taus[0], taus[0], None)
    through, identity = scored.gradient(inner), scored.gradient()
    d = 1e-7 * random(*zero.shape)  # further out there are kinks
    slope = (worth(d) - worth(-d)) / 2
    torch.testing.assert_close((through * d).sum(1), slope, rtol=1e-5, atol=1e-13)
    assert not torch.allclose((identity * d).sum(1), slope, rtol=1e-3, atol=1e-13)


def test_second_derivatives_make_no_difference_where_nobody_adapts() -> None:
    for settings in ({"inner_steps": 0}, {"inner_rate": 0.0}):
        pair = [DiMAPG("REINFORCE", **{**SMALL, **settings}, second_order=second) for second in (False, True)]
        moves = [tensors(trained(algorithm, Darts(n_mirrored=1), 2).policies) for algorithm in pair]
        assert all(map(torch.equal, *moves))
    pair = [DiMAPG("REINFORCE", **SMALL, inner_rate=0.5, second_order=second) for second in (False, True)]
    moves = [tensors(trained(algorithm, Darts(n_mirrored=1), 2).policies) for algorithm in pair]
    assert not all(map(torch.equal, *moves))


def test_the_inner_gradient_is_that_of_each_adapted_agent() -> None:
    _, theta_n, _, after, _ = gone_through(Box(2), 0, 1)
    taken = Adaptation(theta_n, after, 0.5).taken()
    steps = iter(tensors(taken))
    found = mapped(theta_n, lambda part: (next(steps) - part) / 0.5)
    for p in range(2):
        own = score(
            networks.of_agent(theta_n, p),
            after.own.observation[:, p].flatten(1, 2),
            after.own.action[:, p].flatten(1, 2),
            after.advantage[:, p] / 24,
        )
        for of_all, of_one in zip(tensors(found), tensors(own), strict=True):
            torch.testing.assert_close(of_all[:, p], of_one)


# ----------------------------------------------------------------------------------------------------------- reduction


def test_without_inner_steps_and_with_plain_ascent_it_is_reinforce() -> None:
    """Written down once more, agent by agent: sampling, returns, baseline, scaled advantages, gradient ascent."""
    env, n_envs = Darts(horizon=4), 30
    algorithm = DiMAPG("REINFORCE", hidden=16, n_trajectories=n_envs, inner_steps=0)
    state = algorithm.init(env, streams(5))
    drawing = streams(5)
    policy = mapped(policy_for(Box(1), drawing, (2, 16, 16, 1)), lambda x: x[0].clone())
    for _ in range(3):
        algorithm.advance(env, state)
        weights = [part.clone().requires_grad_() for part in tensors(policy)]
        goal = env.reset(drawing, n_envs).goal[0, :, :, 0]  # [E, A]
        seen, actions, reward = [], [], []
        for _ in range(4):
            noise = drawing.normal(n_envs, 2, 1)[0]
            seen.append(torch.stack([goal, torch.ones_like(goal)], -1))
            actions.append((forward(seen[-1], weights) + weights[6].exp() * noise).detach())
            reward.append(-(actions[-1][..., 0].clamp(-1, 1) - goal).square())
        objective: Any = 0.0
        for agent in range(2):
            worth = plain_advantages([o[:, agent] for o in seen], [r[:, agent] for r in reward])
            x, a = (torch.cat([part[:, agent] for part in parts]) for parts in (seen, actions))
            density = distributions.Normal(forward(x, weights), weights[6].exp()).log_prob(a)[:, 0]
            objective = objective + (density * worth).mean()
        gradients = torch.autograd.grad(objective, weights)
        policy = rebuilt(policy, partial(climbed, moves=iter(gradients)))
        for mine, theirs in zip(tensors(state.policies), tensors(policy), strict=True):
            torch.testing.assert_close(mine[0], theirs, rtol=1e-4, atol=1e-5)
    assert state.ledger.totals[GAIN][:, 0].item() == 0.0
    assert env.calls == [n_envs] * 12


def climbed(_: str, part: Any, moves: Iterator[Tensor]) -> Tensor:
    stepped: Tensor = part + 0.05 * next(moves)
    return stepped


def forward(x: Tensor, weights: list[Tensor]) -> Tensor:
    for i in (0, 2):
        x = relu(x @ weights[i].T + weights[i + 1])
    return x @ weights[4].T + weights[5]


def plain_advantages(seen: list[Tensor], reward: list[Tensor]) -> Tensor:
    """Of one agent. Shapes: T times [E, D], T times [E] → [T·E]."""
    returns: list[Tensor] = []
    total = torch.zeros_like(reward[0])
    for r in reversed(reward):
        total = r + 0.99 * total
        returns.insert(0, total)
    rows = []
    for t, o in enumerate(seen):
        al = torch.full((len(o), 1), t / 100)
        rows.append(torch.cat([o, o**2, al, al**2, al**3, torch.ones(len(o), 1)], 1))
    x, y = torch.cat(rows).double().numpy(), torch.cat(returns).double().numpy()
    fit = np.linalg.solve(x.T @ x + 1e-5 * np.eye(x.shape[1]), x.T @ y)
    left = y - x @ fit
    return torch.from_numpy((left - left.mean()) / left.std()).float()


# ------------------------------------------------------------------------------------------------------------ learning

SMALL: dict[str, Any] = {"hidden": 16, "n_trajectories": 40, "inner_steps": 2, "curvature_stride": 1}
CALM = {**SMALL, "second_term": False}  # whose noise is all that it adds where so few steps are played


def trained(algorithm: DiMAPG, env: Env[Any], n_iterations: int, *seeds: int) -> DiMAPGState:
    state = algorithm.init(env, streams(*seeds))
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return state


def missed_by(algorithm: DiMAPG, env: Darts, state: DiMAPGState) -> Tensor:
    """Mean squared distance of every agent's action from what it is to hit, or share of wrong choices. Shapes: [A]."""
    game = env.reset(streams(7, 8), 300)
    _, reward, _ = env.step(game, algorithm.policies(state)["greedy"](env, game), streams())
    return (1 - reward if env.choices else -reward).mean(dim=(0, 1))


@pytest.mark.parametrize("settings", [CALM, SMALL], ids=["one term", "both terms"])
@pytest.mark.parametrize("outer", ["TRPO", "REINFORCE"])
def test_it_learns_to_hit_what_it_sees(outer: Any, settings: dict[str, Any]) -> None:
    algorithm, env = DiMAPG(outer, **settings), Darts(horizon=2)
    before = missed_by(algorithm, env, algorithm.init(env, streams()))
    after = missed_by(algorithm, env, trained(algorithm, env, 12 if outer == "TRPO" else 25))
    assert (before > 0.2).all()
    assert (after < 0.12).all()


def test_it_learns_to_hit_the_opposite_in_another_role() -> None:
    algorithm, env = DiMAPG(**CALM), Darts(n_mirrored=1, horizon=2)
    assert (missed_by(algorithm, env, trained(algorithm, env, 15)) < 0.12).all()


def test_it_learns_to_choose() -> None:
    algorithm, env = DiMAPG(**CALM), Darts(choices=True, horizon=2)
    assert (missed_by(algorithm, env, trained(algorithm, env, 10)) < 0.15).all()


def test_where_nobody_adapts_it_is_trpo_and_learns() -> None:
    algorithm, env = DiMAPG(hidden=16, n_trajectories=60, inner_steps=0, curvature_stride=1), Darts(horizon=2)
    assert (missed_by(algorithm, env, trained(algorithm, env, 15)) < 0.05).all()


def test_a_box_of_another_size_is_filled() -> None:
    algorithm, env = DiMAPG(**CALM), Darts(bound=2.0, horizon=2)
    assert (missed_by(algorithm, env, trained(algorithm, env, 15)) < 0.1).all()


def test_agents_adapt_to_goals_that_one_policy_cannot_serve() -> None:
    """Who sees nothing can only learn by trying which of the two it is, -0.5 or 0.5."""
    algorithm = DiMAPG("REINFORCE", hidden=16, n_trajectories=60, inner_rate=0.1, outer_rate=0.0)
    env = Darts(told=False, horizon=1)
    state = trained(algorithm, env, 3)
    game = env.reset(streams(), 1)
    before = [x.clone() for x in tensors(state.policies)]
    (theta,) = algorithm.policies(state)["greedy"](env, game)
    (thrown,) = algorithm.adapted(env, state, Streams.of((0, 1), "adapting", "cpu"), 10)["greedy"](env, game)
    assert (theta[:, :, 0] == theta[:, :, 1]).all()
    assert (thrown[:, :, 0] > theta[:, :, 0] + 0.2).all()
    assert (thrown[:, :, 1] < theta[:, :, 1] - 0.2).all()
    assert all(map(torch.equal, before, tensors(state.policies)))
    totals = state.ledger.totals[GAIN]
    assert (totals[:, 0] / totals[:, 1] > 0.05).all()  # already in three inner steps of training


# ------------------------------------------------------------------------------------------------------------ contracts


@pytest.mark.parametrize("outer", ["TRPO", "REINFORCE"])
@pytest.mark.parametrize(
    "env",
    [SimpleTag(horizon=4), CooperativeNavigation(horizon=4, action="discrete", n_agents=4, n_landmarks=2)],
    ids=["two roles", "choices, and a part adapts"],
)
def test_a_seed_alone_is_bit_for_bit_what_it_is_among_others(env: Env[Any], outer: Any) -> None:
    algorithm = DiMAPG(outer, hidden=16, n_trajectories=16, inner_steps=2, n_adapted=3)
    together = split(trained(algorithm, env, 3, 0, 1, 2), 3)
    for seed in range(3):
        (alone,) = split(trained(algorithm, env, 3, seed), 1)
        assert [name for name, part in alone.items() if not torch.equal(part, together[seed][name])] == []


def test_so_it_is_at_the_sizes_of_the_paper() -> None:
    env = CooperativeNavigation(horizon=8)
    together = split(trained(DiMAPG(), env, 2, 3, 4), 2)[1]
    (alone,) = split(trained(DiMAPG(), env, 2, 4), 1)
    assert [name for name, part in alone.items() if not torch.equal(part, together[name])] == []


@pytest.mark.parametrize("env", [Darts(n_mirrored=1), Darts(choices=True)], ids=["vectors", "choices"])
@pytest.mark.parametrize("outer", ["TRPO", "REINFORCE"])
def test_a_seed_that_diverged_has_no_return_and_disturbs_no_other(env: Env[Any], outer: Any) -> None:
    algorithm = DiMAPG(outer, **SMALL)
    healthy = trained(algorithm, env, 2, 0, 1, 2)
    broken = joined(algorithm.init(env, streams(5, 6, 7)), split(healthy, 3))
    for tensor in tensors(broken.policies):
        tensor[1] = torch.nan
    for state in (healthy, broken):
        for _ in range(2):
            algorithm.advance(env, state)
    kept, lost = split(healthy, 3), split(broken, 3)
    for row in (0, 2):
        assert [name for name, part in kept[row].items() if not torch.equal(part, lost[row][name])] == []
    for metric in ("training return", LEAST_RETURN):
        assert broken.ledger.totals[metric].isnan().any(1).tolist() == [False, True, False]
    assert broken.ledger.totals[ACCEPTED].isfinite().all()
    for policy in algorithm.policies(broken).values():
        (action, *_) = policy(env, env.reset(streams(5, 6, 7), 4))
        missing = action.isnan() if action.is_floating_point() else action == -1
        assert missing.flatten(1).all(1).tolist() == missing.flatten(1).any(1).tolist() == [False, True, False]


@pytest.mark.parametrize("inner_steps", [0, 1, 3])
def test_every_step_of_every_trajectory_counts(inner_steps: int) -> None:
    env = Darts(n_agents=4, n_mirrored=1)
    algorithm = DiMAPG(hidden=16, n_trajectories=6, inner_steps=inner_steps, n_adapted=2)
    state = trained(algorithm, env, 2)
    assert state.steps == sum(env.calls) == 2 * algorithm.steps_per_iteration(env)
    assert state.steps == 2 * 3 * 6 * (
        1 + 3 * inner_steps
    )  # horizon, trajectories; two agents of one role, one of other
    share, number = state.ledger.totals[OUTER_SHARE][0]
    assert share / number == pytest.approx(1 / (1 + 3 * inner_steps))


def test_a_part_of_a_population_that_adapts_is_drawn_anew_for_every_seed() -> None:
    env = Darts(n_agents=9)
    algorithm = DiMAPG(n_adapted=4)
    drawing = streams()
    drawn = [algorithm._chosen(env, drawing)[0] for _ in range(40)]
    assert all(len(row.unique()) == 4 for both in drawn for row in both)
    assert not torch.equal(drawn[0][0], drawn[0][1])
    assert torch.stack(drawn).unique().tolist() == list(range(9))
    assert replace(algorithm, n_adapted=None)._chosen(env, streams())[0].tolist() == [list(range(9))] * 2


def test_samples_are_theta_with_noise_and_leave_the_training_stream_where_it_is() -> None:
    env = Darts()
    algorithm = DiMAPG(**SMALL)
    state = trained(algorithm, env, 1)
    stood, game = state.streams.save(), env.reset(streams(), 2_000)
    greedy, sampled = (algorithm.policies(state)[name](env, game)[0] for name in ("greedy", "sampled"))
    assert torch.equal(state.streams.save(), stood)
    assert torch.equal(algorithm.policies(state)["sampled"](env, game)[0], sampled)
    assert (sampled - greedy).abs().mean() > 0.2
    policy = algorithm.policies(state)["sampled"]
    assert not torch.equal(policy(env, game)[0], policy(env, game)[0])


def test_an_agent_that_learnt_alone_is_cloned_into_a_game_with_others_whom_it_does_not_see() -> None:
    alone, many = (CooperativeNavigation(n_agents=n, n_landmarks=3, horizon=4) for n in (1, 3))
    algorithm = DiMAPG(**SMALL)
    state = trained(algorithm, alone, 1)
    game = many.reset(streams(), 5)
    (actions,) = algorithm.cloned(state)["greedy"](many, game)
    for agent in range(3):
        own = game._replace(position=game.position[:, :, agent : agent + 1], velocity=game.velocity[:, :, :1])
        (expected,) = algorithm.policies(state)["greedy"](alone, own)
        torch.testing.assert_close(actions[:, :, agent], expected[:, :, 0])
    with pytest.raises(ValueError, match=r"^expected observations of 8 features, got 12$"):
        algorithm.policies(state)["greedy"](many, game)


def test_an_outer_optimiser_that_does_not_exist_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"^outer of DiMAPG must be 'TRPO' or 'REINFORCE', got 'Adam'$"):
        DiMAPG("Adam")  # type: ignore[arg-type]


def test_trpo_keeps_every_step_within_its_region_while_it_learns() -> None:
    algorithm, env = DiMAPG(max_divergence=0.003, **SMALL), Darts()
    state = trained(algorithm, env, 10)
    accepted, divergence = (state.ledger.totals[name] for name in (ACCEPTED, DIVERGENCE))
    assert (divergence[:, 0] <= 0.003 * accepted[:, 0]).all()
    assert (divergence[:, 0] > 0.001 * accepted[:, 0]).all()
    assert (accepted[:, 0] >= 8).all()
