"""Whole episodes of a population in which one agent at a time may have parameters of its own, and what they are worth.

An agent that differs from its role plays in a block of games of its own, where all others act with their role's θ:
the copies' axis is [blocks · E]. All blocks step together.

Axes: S seeds, P agents that differ, T time, E copies, D features; R roles are tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from algorithms._copies import lost, playable
from algorithms._policies import StochasticPolicy, in_the_box
from environments import Amount, Env, Mortal, Streams, check


class Trajectories(NamedTuple):
    """What some agents of a role saw, did and got, each in its own games.

    Shapes: observation [S, P, T, E, D], action [S, P, T, E, n] or [S, P, T, E] int64, reward and alive [S, P, T, E];
    `alive` is 1 where the agent could act at all, else 0, and nothing is rewarded or learnt there.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    alive: Tensor

    @property
    def rows(self) -> tuple[Tensor, Tensor]:
        """Observations and actions with T and E as one axis. Shapes: [S, P, T·E, D], [S, P, T·E, (n)]."""
        return self.observation.flatten(2, 3), self.action.flatten(2, 3)


class Played(NamedTuple):
    """Episodes: what the chosen agents of every role went through, what every agent got in all, and the last state.

    Units: `returns` [S, blocks · E, A] are sums over the steps of an episode, undiscounted.
    """

    chosen: tuple[Trajectories, ...]
    returns: Tensor
    last: Any


@torch.no_grad()
def play(
    env: Env[Any],
    streams: Streams,
    n_envs: int,
    policies: Sequence[StochasticPolicy],
    chosen: Sequence[Tensor],
    *,
    differing: Sequence[StochasticPolicy] | None = None,
) -> Played:
    """One episode of every copy, E = `n_envs` copies a block; every agent samples its actions.

    Without `differing` there is one block, in which all agents act with their role's policy and the chosen ones are
    looked at. With it there is one block for each of the chosen, role after role, who acts there with its own.

    Shapes: policies [S, …], chosen [S, P] int64 and differing [S, P, …] for every role.
    """
    sizes = [agents.shape[1] for agents in chosen]
    n_blocks = 1 if differing is None else sum(sizes)
    spans = list(pairwise(accumulate(sizes, initial=0)))
    firsts = list(accumulate((role.n_agents for role in env.roles), initial=0))
    game = env.reset(streams, n_blocks * n_envs)
    going = torch.ones(streams.n_seeds, n_blocks * n_envs, 1, dtype=torch.bool, device=streams.device)
    returns: Tensor | float = 0.0
    steps: list[list[tuple[Tensor, ...]]] = [[] for _ in env.roles]
    for _ in range(env.horizon):
        able = going & env.alive(game) if isinstance(env, Mortal) else going
        seen_and_done, actions = [], []
        for r, observed in enumerate(env.observe(game)):
            own = None if differing is None else (spans[r], differing[r])
            seen, done, action = _acted(
                observed, policies[r], streams, n_blocks=n_blocks, chosen=chosen[r], differing=own
            )
            seen_and_done.append((seen, done))
            actions.append(in_the_box(env.roles[r].action, playable(action)))
        game, reward, terminated = env.step(game, tuple(actions), streams)
        reward = torch.where(able, reward, 0.0)
        returns = returns + reward
        able = able.expand_as(reward)
        for r, of_role in enumerate(seen_and_done):
            agents, span = chosen[r] + firsts[r], None if differing is None else spans[r]
            got = (_of_chosen(x.unsqueeze(-1), n_blocks, agents, span).squeeze(-1) for x in (reward, able))
            steps[r].append((*of_role, *got))
        going = going & ~terminated.unsqueeze(-1)
    trajectories = tuple(_stacked(of_role, policy) for of_role, policy in zip(steps, policies, strict=True))
    assert isinstance(returns, Tensor)
    # A seed that has diverged plays on at rest, so that the others are not held up, and its returns are NaN.
    missing = sum(_lost(own) for own in trajectories)
    return Played(trajectories, returns + missing, game)


def _acted(
    observed: Tensor,
    policy: StochasticPolicy,
    streams: Streams,
    *,
    n_blocks: int,
    chosen: Tensor,
    differing: tuple[tuple[int, int], StochasticPolicy] | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """What the chosen see and do, and the actions of all. Shapes: [S, P, E, D], [S, P, E, (n)], [S, M, A, (n)]."""
    observed = observed.flatten(3).to(policy.network[0].weight.dtype)
    n_copies, n_agents = observed.shape[1:3]
    noise = policy.noise(streams, n_copies, n_agents)
    action = policy.drawn(policy.raw(observed.flatten(1, 2)), noise.flatten(1, 2)).unflatten(1, (n_copies, n_agents))
    discrete = not action.is_floating_point()
    full = action.unsqueeze(-1) if discrete else action
    if differing is None:
        seen, done = (_of_chosen(x, n_blocks, chosen, None) for x in (observed, full))
        return seen, done.squeeze(-1) if discrete else done, action
    (first, last), own_policy = differing
    seen = _of_chosen(observed, n_blocks, chosen, (first, last))
    own_noise = _of_chosen(noise.unsqueeze(-1) if discrete else noise, n_blocks, chosen, (first, last))
    done = own_policy.drawn(own_policy.raw(seen), own_noise.squeeze(-1) if discrete else own_noise)
    blocks = full.view(full.shape[0], n_blocks, -1, *full.shape[2:])[:, first:last]  # [S, P, E, A, n]
    place = chosen[..., None, None, None].expand(*blocks.shape[:3], 1, blocks.shape[-1])
    blocks.scatter_(3, place, (done.unsqueeze(-1) if discrete else done).unsqueeze(3))
    return seen, done, action


def _of_chosen(x: Tensor, n_blocks: int, chosen: Tensor, span: tuple[int, int] | None) -> Tensor:
    """Of every copy the row of one agent: of each of the chosen, or of each in its own block.

    Shapes: x [S, n_blocks · E, A, D], chosen [S, P] → [S, P, E, D].
    """
    blocks = x.unflatten(1, (n_blocks, -1))
    blocks = blocks.expand(-1, chosen.shape[1], -1, -1, -1) if span is None else blocks[:, span[0] : span[1]]
    place = chosen[..., None, None, None].expand(*blocks.shape[:3], 1, blocks.shape[-1])
    rows: Tensor = blocks.gather(3, place).squeeze(3)
    return rows


def _stacked(steps: Sequence[tuple[Tensor, ...]], policy: StochasticPolicy) -> Trajectories:
    """Steps as trajectories: T comes behind P."""
    seen, done, reward, able = (torch.stack(parts, dim=2) for parts in zip(*steps, strict=True))
    dtype = policy.network[0].weight.dtype
    return Trajectories(seen, done, reward.to(dtype), able.to(dtype))


def _lost(own: Trajectories) -> Tensor:
    """NaN for every seed whose policy has diverged, else 0. Shapes: [S, 1, 1]."""
    per_agent = lost(own.action.flatten(1, 3))  # [S, P·T·E]
    missing: Tensor = per_agent.sum(dim=1)[:, None, None]
    return missing


def discounted(reward: Tensor, discount: float) -> Tensor:
    """R_t = Σ_{u≥t} γᵘ⁻ᵗ·r_u. Shapes: [S, P, T, E]."""
    following = list(reward.unbind(2))
    for t in range(len(following) - 2, -1, -1):
        following[t] = following[t] + discount * following[t + 1]
    return torch.stack(following, dim=2)


@dataclass(frozen=True)
class Baseline:
    """b(o, t), linear in `features` and fitted to the very returns that it is subtracted from.

    `lagged`, it is the one that was fitted before to the returns that came before, at first 0, and is then fitted anew:
    so rllab has it. Fitted to the very returns it takes a part of the gradient away with the noise, but learns faster.

    Every agent has its own, or, `pooled`, all agents of a role have one, as if all had played as the same agent: where
    they have few steps each. With `n_features` it sees that many of an observation's last features: where there are too
    many for a matrix of all.
    """

    ridge: Amount = 1e-5
    n_features: int | None = None
    pooled: bool = False
    lagged: bool = False

    def __post_init__(self) -> None:
        check(self)

    def blank(self, streams: Streams, n_agents: int, n_observations: int) -> Tensor:
        """The weights before the first fit. Shapes: [S, P, F], with P = 1 where they are pooled."""
        n = 2 * min(n_observations, n_observations if self.n_features is None else self.n_features) + 4
        return torch.zeros(streams.n_seeds, 1 if self.pooled else n_agents, n + -n % 16, device=streams.device)

    def seen(self, observation: Tensor) -> Tensor:
        """What of the observations it sees. Shapes: [..., D] → [..., at most D]."""
        return observation if self.n_features is None else observation[..., -self.n_features :]


RLLAB = Baseline()
"""Source: rll/rllab `rllab/baselines/linear_feature_baseline.py`."""


def advantages(own: Trajectories, discount: float, baseline: Baseline = RLLAB) -> Tensor:
    """As of `judged`, by a baseline that is fitted to these trajectories."""
    return judged(own, discount, baseline, None)[0]


def judged(own: Trajectories, discount: float, baseline: Baseline, before: Tensor | None) -> tuple[Tensor, Tensor]:
    """(R_t - b(o_t, t)) / σ, of mean 0 and standard deviation 1 over the living steps of those who share b; and b.

    With λ = 1 generalised advantages are just this difference. Dead steps have 0. A baseline that is `lagged` has the
    weights of `before`; what is returned are those that are fitted to these trajectories.

    Shapes: [S, P, T·E], weights [S, P, F].
    Source: rll/rllab `rllab/algos/util.py` `center_advantages`.
    """
    n_agents = own.reward.shape[1]
    returns = discounted(own.reward.double(), discount).flatten(2)
    alive = own.alive.double().flatten(2)
    seen = features(baseline.seen(own.observation).double()) * alive.unsqueeze(-1)  # [S, P, T·E, F]
    if baseline.pooled:
        returns, alive, seen = (x.flatten(1, 2).unsqueeze(1) for x in (returns, alive, seen))  # [S, 1, P·T·E, …]
    weights = fit(seen, returns * alive, baseline.ridge)
    used = before if baseline.lagged and before is not None else weights
    left = returns - predicted(seen, used.double())
    n_alive = alive.sum(dim=2, keepdim=True).clamp_min(1.0)
    centred = (left - (left * alive).sum(dim=2, keepdim=True) / n_alive) * alive
    deviation = (centred.square().sum(dim=2, keepdim=True) / n_alive).sqrt()
    scaled = (centred / (deviation + 1e-8)).to(own.reward.dtype)
    return scaled.view(scaled.shape[0], n_agents, -1), weights.float()


def features(observation: Tensor) -> Tensor:
    """[o, o², t/100, (t/100)², (t/100)³, 1] with o clipped to ±10, and zeros up to a multiple of 16.

    Zeros change nothing, but with them every matrix of a stack begins at a like place in memory, and BLAS rounds alike.

    Shapes: [S, P, T, E, D] → [S, P, T·E, F].
    """
    clipped = observation.clamp(-10.0, 10.0)
    time = torch.arange(observation.shape[2], device=observation.device, dtype=observation.dtype)[:, None, None] / 100.0
    powers = torch.cat([time, time**2, time**3, torch.ones_like(time)], dim=-1)  # [T, 1, 4]
    powers = powers.expand(*observation.shape[:-1], 4)
    padding = observation.new_zeros(()).expand(*observation.shape[:-1], -(2 * observation.shape[-1] + 4) % 16)
    return torch.cat([clipped, clipped.square(), powers, padding], dim=-1).flatten(2, 3)


def fitted(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """x·w with the w that minimises ‖y - x·w‖² + ridge·‖w‖². Shapes: [S, P, B, F], [S, P, B] → [S, P, B]."""
    return predicted(x, fit(x, y, ridge))


def fit(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """The w that minimises ‖y - x·w‖² + ridge·‖w‖², for every leading index.

    Infinite or undefined numbers give undefined numbers, in their own seed only.

    Shapes: [S, P, B, F], [S, P, B] → [S, P, F].
    """
    stack = x.flatten(0, 1)
    targets = pad(y.flatten(0, 1).unsqueeze(-1), (0, 15))  # a product with one column would be rounded otherwise
    gram = torch.bmm(stack.transpose(1, 2), stack)
    gram = gram + ridge * torch.eye(gram.shape[-1], device=x.device, dtype=x.dtype)
    factor, _ = torch.linalg.cholesky_ex(gram)
    weights: Tensor = torch.cholesky_solve(torch.bmm(stack.transpose(1, 2), targets), factor)[..., 0]
    of_each: Tensor = weights.unflatten(0, x.shape[:2])
    return of_each


def predicted(x: Tensor, weights: Tensor) -> Tensor:
    """x·w. Shapes: [S, P, B, F], [S, P, F] → [S, P, B]."""
    columns = pad(weights.flatten(0, 1).unsqueeze(-1), (0, 15))
    product: Tensor = torch.bmm(x.flatten(0, 1), columns)[..., 0]
    of_each: Tensor = product.unflatten(0, x.shape[:2])
    return of_each
