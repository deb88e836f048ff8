"""DiMA-PG: distributed multi-agent policy gradients (Khan et al. 2018), Algorithm 1.

All agents of a role start from one policy θ. Agent n adapts it to itself in k steps while everybody else acts with θ,
and θ moves to where such adaptation leads to more:

    θ_n ← θ_n + α·∇ log π_{θ_n}(τ)·A_n(τ),  k times from θ_n = θ                                    equation (10)
    θ   ← θ + ε·Σ_n [∇ log π_{θ_n}(τ′)·A_n(τ′) + L_n·∇ log π_θ(τ)]                                  equation (14)

with τ played by θ and τ′ by θ_n among agents with θ. What the paper leaves open and how it is done here:

 1. the first inner step uses the trajectories of θ, which all agents share; steps 2 … k play fresh ones under θ_n;
 2. dθ_n/dθ is taken for the identity in (14): the second derivative is dropped, as the paper says that it approximates;
 3. ∇ log π is a mean over steps and trajectories, and A is centred and scaled to a standard deviation of 1, as rllab
    does; the sum over n is a sum. L_n, the mean of the discounted returns of τ′, is centred and scaled too:
    by a running mean of L over earlier iterations, which is no function of τ, and by the root mean square of how far
    the returns are from it, so that what (14) weighs τ with lies in [-1, 1] also where rewards are rare;
 4. the second term is the mean of (14)'s integrand over all pairs of a τ and a τ′; the exact derivative of what K
    trajectories lead to would be K times that;
 5. a baseline is linear in rllab's features of an agent's observations, fitted anew to each agent's trajectories;
 6. θ moves by plain gradient ascent, or by TRPO with rllab's constants. Its objective has importance weights in the
    place of ∇ log π, where θ_n moves along with θ; its trust region is a mean over all that was played, by θ and by
    every θ_n, for with the curvature of one alone the gradient of the other would point to where it is blind;
 7. in a large population `n_adapted` agents of each role, drawn anew in every iteration, adapt and are summed over;
 8. actions are clipped to their box by the game, π is not; observations of any shape are taken as vectors.

Every step of every trajectory counts: an iteration plays (1 + P·k)·E episodes, where P agents adapt in E each.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _networks as networks
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT
from algorithms._ledger import Ledger
from algorithms._networks import mapped, repeated
from algorithms._policies import StochasticPolicy, in_the_box, policy_for, score
from algorithms._rollouts import Played, Trajectories, advantages, discounted, play
from algorithms._trust_region import Step, flat, shaped, trust_region_step
from environments import Env, Streams

LEAST_RETURN = "least return"
GAIN = "adaptation gain"
DIVERGENCE = "divergence of a step"
ACCEPTED = "steps accepted"
ENTROPY = "entropy"
OUTER_SHARE = "outer share"

Policies = tuple[StochasticPolicy, ...]  # one a role


class Judged(NamedTuple):
    """Trajectories and what their steps were worth to those who took them.

    Shapes: advantage [S, P, T·E] of mean 0 and standard deviation 1.
    """

    own: Trajectories
    advantage: Tensor

    @property
    def weights(self) -> Tensor:
        """What every step counts in a mean over the living ones. Shapes: [S, P, T·E]."""
        alive = self.own.alive.flatten(2)
        return alive / alive.sum(dim=2, keepdim=True).clamp_min(1.0)


@dataclass
class DiMAPGState:
    """What training owns. `policies` hold θ of every role, `levels` [S, R] a running mean of L."""

    steps: int
    iterations: int
    streams: Streams
    ledger: Ledger
    policies: Policies
    levels: Tensor


@dataclass(frozen=True)
class DiMAPG:
    """Distributed multi-agent policy gradients, for any game.

    Units: `n_trajectories` in episodes of every adapted agent; `n_adapted` in agents of a role, all by default.
    """

    outer: Literal["TRPO", "REINFORCE"] = "TRPO"
    hidden: int = 100
    n_trajectories: int = 25
    inner_steps: int = 3
    inner_rate: float = 0.01
    outer_rate: float = 0.05
    max_divergence: float = 0.01
    curvature_stride: int = 5
    discount: float = 0.99
    n_adapted: int | None = None
    second_term: bool = True
    level_memory: float = 0.9

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        LEAST_RETURN: "sum over steps of the reward of the agent that got least in an episode under θ, with "
        "exploration; mean over the episodes since the last test",
        GAIN: "return of an adapted agent under θ_n less its return under θ, both with exploration; mean over agents",
        DIVERGENCE: "KL, in nats, of a policy before a step to that after it; mean over roles, players, trajectories",
        ACCEPTED: "share of steps that TRPO's line search accepted; 1 for REINFORCE; mean over roles",
        ENTROPY: "entropy of θ's policy in nats; mean over roles and trajectories of θ",
        OUTER_SHARE: "share of an iteration's episodes that are one agent's adapted ones, which is all that a count of "
        "the trajectories for θ alone would see",
    }

    def __post_init__(self) -> None:
        if self.outer not in ("TRPO", "REINFORCE"):
            raise ValueError(f"outer must be 'TRPO' or 'REINFORCE', got {self.outer!r}")

    def init(self, env: Env[Any], streams: Streams) -> DiMAPGState:
        """A fresh θ for every role."""
        policies = tuple(
            policy_for(role.action, streams, (_size(role.observation_shape), self.hidden, self.hidden, role.action.n))
            for role in env.roles
        )
        return DiMAPGState(
            steps=0,
            iterations=0,
            streams=streams,
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            policies=policies,
            levels=torch.zeros(streams.n_seeds, len(env.roles), device=streams.device),
        )

    def steps_per_iteration(self, env: Env[Any]) -> int:
        """Environment steps per seed that one call of `advance` takes."""
        adapting = sum(self._n_adapting(role.n_agents) for role in env.roles)
        return env.horizon * self.n_trajectories * (1 + adapting * self.inner_steps)

    def advance(self, env: Env[Any], state: DiMAPGState) -> None:
        """Play with θ, adapt, play with what has become of it, and move θ."""
        chosen = self._chosen(env, state.streams)
        before = play(env, state.streams, self.n_trajectories, state.policies, chosen)
        adapted = self._adapted(
            env, state.streams, state.policies, chosen=chosen, before=before, inner_steps=self.inner_steps
        )
        after = before
        if self.inner_steps:
            after = play(env, state.streams, self.n_trajectories, state.policies, chosen, differing=adapted)
        steps = []
        for r, theta in enumerate(state.policies):
            tau, tau_adapted = (self._judged(played.chosen[r]) for played in (before, after))
            pull = self._pull(state, r, tau_adapted)
            steps.append((tau, self._step(Scored.of(theta, adapted[r], tau, tau_adapted, pull))))
        self._enter(state, before, after, steps)
        state.policies = tuple(
            moved(theta, shaped(step.change, theta)) for theta, (_, step) in zip(state.policies, steps, strict=True)
        )
        state.iterations += 1
        state.steps += self.steps_per_iteration(env)

    def policies(self, state: DiMAPGState) -> Mapping[str, Policy]:
        """θ for all agents: its likeliest actions, and samples as the paper's trajectories have them.

        The draws are those that training would make next, and leave its stream where it is.
        """
        return {"greedy": acting(state.policies), "sampled": acting(state.policies, copied(state.streams))}

    def adapted(self, env: Env[Any], state: DiMAPGState, streams: Streams, inner_steps: int) -> Policy:
        """Every agent with parameters of its own, θ_n after so many inner steps, all together; likeliest actions.

        Nothing in `state` changes. What is drawn comes from `streams`.
        """
        everyone = replace(self, n_adapted=None)
        chosen = everyone._chosen(env, streams)
        before = play(env, streams, self.n_trajectories, state.policies, chosen)
        return acting(
            everyone._adapted(env, streams, state.policies, chosen=chosen, before=before, inner_steps=inner_steps)
        )

    def cloned(self, state: DiMAPGState) -> Policy:
        """What one agent learnt alone, played by every agent of a game with more of them; likeliest actions.

        An agent that never met others knows nothing of them: it sees the first features only, as many as it learnt
        with, which must mean the same in both games.
        """
        return acting(state.policies, n_seen=state.policies[0].network[0].weight.shape[-1])

    def _n_adapting(self, n_agents: int) -> int:
        return n_agents if self.n_adapted is None else min(self.n_adapted, n_agents)

    def _chosen(self, env: Env[Any], streams: Streams) -> tuple[Tensor, ...]:
        """Who adapts in every role: all in order, or as many as may, drawn without replacement. Shapes: [S, P]."""
        chosen = []
        for role in env.roles:
            n_adapting = self._n_adapting(role.n_agents)
            if n_adapting == role.n_agents:
                everyone = torch.arange(role.n_agents, device=streams.device)
                chosen.append(everyone.expand(streams.n_seeds, -1))
            else:
                chosen.append(streams.uniform(role.n_agents).argsort(dim=1)[:, :n_adapting])
        return tuple(chosen)

    def _adapted(
        self,
        env: Env[Any],
        streams: Streams,
        policies: Policies,
        *,
        chosen: Sequence[Tensor],
        before: Played,
        inner_steps: int,
    ) -> Policies:
        """θ_n of every chosen agent after some steps of equation (10). Shapes: [S, P, …]."""
        adapted = tuple(
            mapped(repeated(theta, agents.shape[1]), torch.clone)
            for theta, agents in zip(policies, chosen, strict=True)
        )
        played = before
        for step in range(inner_steps):
            if step:
                played = play(env, streams, self.n_trajectories, policies, chosen, differing=adapted)
            adapted = tuple(
                moved(theta_n, inner_gradient(theta_n, self._judged(own)), self.inner_rate)
                for theta_n, own in zip(adapted, played.chosen, strict=True)
            )
        return adapted

    def _judged(self, own: Trajectories) -> Judged:
        return Judged(own, advantages(own, self.discount))

    def _pull(self, state: DiMAPGState, r: int, adapted: Judged) -> Tensor | None:
        """L_n, centred and scaled, which equation (14) weighs τ with; moves the level. Shapes: [S, P]."""
        returns = discounted(adapted.own.reward, self.discount)[:, :, 0]  # [S, P, E]
        reached = returns.mean(dim=2)
        now = reached.mean(dim=1)
        level = state.levels[:, r] if state.iterations else now
        state.levels[:, r] = level + (1 - self.level_memory) * (now - level)
        if not (self.second_term and self.inner_steps):  # without adaptation θ_n is θ and does not depend on τ
            return None
        distance = (returns - level[:, None, None]).square().mean(dim=2).sqrt()
        return (reached - level.unsqueeze(1)) / (distance + 1e-8)

    def _step(self, scored: Scored) -> Step:
        gradient, objective = scored.gradient(), Objective.of(scored)
        if self.outer == "TRPO":
            product = objective.curvature(self.curvature_stride)
            return trust_region_step(gradient, product, objective, max_divergence=self.max_divergence)
        change = self.outer_rate * gradient
        _, divergence = objective(change)
        return Step(change, divergence, torch.ones_like(divergence, dtype=torch.bool))

    def _enter(self, state: DiMAPGState, before: Played, after: Played, steps: Sequence[tuple[Judged, Step]]) -> None:
        ledger = state.ledger
        ledger.enter(TRAINING_RETURN, before.returns.sum(dim=-1))
        ledger.enter(LEAST_RETURN, before.returns.amin(dim=-1))
        for theta, one, other, (tau, step) in zip(state.policies, before.chosen, after.chosen, steps, strict=True):
            ledger.enter(GAIN, other.reward.sum(dim=2).mean(dim=2) - one.reward.sum(dim=2).mean(dim=2))
            ledger.enter(DIVERGENCE, step.divergence.unsqueeze(1))
            ledger.enter(ACCEPTED, step.accepted.unsqueeze(1))
            ledger.enter(ENTROPY, mean_entropy(theta, tau).unsqueeze(1))
        adapting = sum(own.reward.shape[1] for own in before.chosen)
        ledger.enter(OUTER_SHARE, torch.full_like(state.levels[:, :1], 1 / (1 + adapting * self.inner_steps)))


def inner_gradient(theta_n: StochasticPolicy, tau: Judged) -> StochasticPolicy:
    """mean ∇ log π_{θ_n}(a|o)·A of every adapted agent: equation (10). Shapes: [S, P, …]."""
    return score(theta_n, *tau.own.rows, tau.advantage * tau.weights)


class Scored(NamedTuple):
    """All trajectories that equation (14) learns from, by whom they were played, and what each step weighs there.

    θ_n played τ′, with A's mean for a weight; θ played τ, once for every n that adapted to it, with L_n's. So the stack
    has Q = 2P policies and their trajectories, or, where nobody adapts, P of θ.

    Shapes: players [S, Q, …], weights and shares [S, Q, T·E]; `shares` are those of a mean over all that were played.
    """

    players: StochasticPolicy
    own: Trajectories
    weights: Tensor
    shares: Tensor

    @classmethod
    def of(
        cls, theta: StochasticPolicy, theta_n: StochasticPolicy, before: Judged, after: Judged, pull: Tensor | None
    ) -> Scored:
        """Of what was played before and after adapting. Shapes: pull [S, P], None without adaptation."""
        weights = after.advantage * after.weights
        if pull is None:
            return cls(theta_n, after.own, weights, after.weights / weights.shape[1])
        thetas = iter(networks.tensors(repeated(theta, pull.shape[1])))
        shares = torch.cat([before.weights, after.weights], dim=1)
        return cls(
            mapped(theta_n, lambda part: torch.cat([next(thetas), part], dim=1)),
            Trajectories(*(torch.cat(both, dim=1) for both in zip(before.own, after.own, strict=True))),
            torch.cat([pull.unsqueeze(2) * before.weights, weights], dim=1),
            shares / shares.shape[1],
        )

    def gradient(self) -> Tensor:
        """Σ_n [mean ∇ log π_{θ_n}(τ′)·A + pull_n · mean ∇ log π_θ(τ)]: equation (14). Shapes: [S, N]."""
        return summed(score(self.players, *self.own.rows, self.weights))


@dataclass(frozen=True)
class Objective:
    """What TRPO improves, and how far it may go.

    J(d) = Σ_q Σ_b w_qb · π_{θ_q + d}(a_qb|o_qb) / π_{θ_q}(a_qb|o_qb); all move with θ, and its derivative at 0 is (14).
    The divergence is the mean of KL(π_{θ_q} ‖ π_{θ_q + d}) over all that was played. Shapes: changes d [S, N].
    """

    scored: Scored
    raw: Tensor  # [S, Q, T·E, n]
    log_density: Tensor  # [S, Q, T·E]

    @classmethod
    @torch.no_grad()
    def of(cls, scored: Scored) -> Objective:
        """With all that does not depend on d."""
        observations, actions = scored.own.rows
        raw = scored.players.raw(observations)
        return cls(scored, raw, scored.players.log_density(raw, actions))

    def curvature(self, stride: int = 1) -> Callable[[Tensor], Tensor]:
        """x ↦ F·x, with F the divergence's Hessian at d = 0, measured on every so manieth step. Shapes: [S, N]."""
        own = Trajectories(*(part[:, :, ::stride] for part in self.scored.own))
        alive = own.alive.flatten(2)
        shares = alive / alive.sum(dim=2, keepdim=True).clamp_min(1.0) / alive.shape[1]
        fisher: Any = self.scored.players.fisher(own.rows[0], shares)
        return lambda x: summed(fisher(self._of_each(x)))

    @torch.no_grad()
    def __call__(self, change: Tensor) -> tuple[Tensor, Tensor]:
        """J(d) - J(0), and the divergence. Shapes: [S, N] → [S], [S]."""
        players, own, weights, shares = self.scored
        observations, actions = own.rows
        moving = moved(players, self._of_each(change))
        raw = moving.raw(observations)
        growth = (moving.log_density(raw, actions) - self.log_density).exp() - 1
        divergence: Tensor = players.divergence(self.raw, moving, raw)  # type: ignore[arg-type]
        return (growth * weights).sum(dim=2).sum(dim=1), (divergence * shares).sum(dim=2).sum(dim=1)

    def _of_each(self, row: Tensor) -> StochasticPolicy:
        """The same change for every player, as views. Shapes: [S, N] → [S, Q, …]."""
        one = mapped(self.scored.players, lambda part: part[:, 0])
        return repeated(shaped(row, one), self.raw.shape[1])


def summed(players: StochasticPolicy) -> Tensor:
    """Σ_q over the players. Shapes: [S, Q, …] → [S, N]."""
    return flat(mapped(players, lambda part: functools.reduce(torch.add, part.unbind(1))))


@torch.no_grad()
def mean_entropy(theta: StochasticPolicy, tau: Judged) -> Tensor:
    """Over the living steps of τ. Shapes: [S]."""
    entropy = theta.entropy(theta.raw(tau.own.observation.flatten(1, 3)))
    return (entropy * tau.weights.flatten(1)).sum(dim=1) / tau.weights.shape[1]


def moved(theta: StochasticPolicy, direction: StochasticPolicy, rate: float = 1.0) -> StochasticPolicy:
    """θ + η·d."""
    steps = iter(networks.tensors(direction))
    return mapped(theta, lambda part: part + rate * next(steps))


def copied(streams: Streams) -> Streams:
    """Streams that draw what these will draw, and leave them where they are."""
    twin = Streams.of([0] * streams.n_seeds, "copy", streams.device)
    twin.load(streams.save())
    return twin


def acting(policies: Policies, streams: Streams | None = None, n_seen: int | None = None) -> Policy:
    """Likeliest actions, or samples from `streams`, of a policy for each role or, [S, A, …], for each agent.

    With `n_seen` agents see the first features only.
    """

    @torch.no_grad()
    def play_one_step(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
        actions = []
        for role, policy, observed in zip(env.roles, policies, env.observe(game), strict=True):
            seen = observed.flatten(3)[..., :n_seen].transpose(1, 2)  # [S, A, E, D]
            first = policy.network[0].weight
            if seen.shape[-1] != first.shape[-1]:
                raise ValueError(f"expected observations of {first.shape[-1]} features, got {seen.shape[-1]}")
            of_each = first.dim() == 4
            rows = seen.to(first.dtype) if of_each else seen.to(first.dtype).flatten(1, 2)
            raw = policy.raw(rows)
            noise = None if streams is None else policy.noise(streams, *rows.shape[1:-1])
            action = policy.mode(raw) if noise is None else policy.drawn(raw, noise)
            action = action if of_each else action.unflatten(1, (role.n_agents, -1))
            actions.append(in_the_box(role.action, action.transpose(1, 2)))
        return tuple(actions)

    return play_one_step


def _size(shape: tuple[int, ...]) -> int:
    return functools.reduce(lambda a, b: a * b, shape)
