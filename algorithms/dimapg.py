"""DiMA-PG: distributed multi-agent policy gradients (Khan et al. 2018), Algorithm 1.

All agents of a role start from one policy θ. Agent n adapts it to itself in k steps while everybody else acts with θ,
and θ moves to where such adaptation leads to more:

    θ_n ← θ_n + α·∇ log π_{θ_n}(τ)·A_n(τ),  k times from θ_n = θ                                    equation (10)
    θ   ← θ + ε·Σ_n [∇ log π_{θ_n}(τ′)·A_n(τ′) + L_n·∇ log π_θ(τ)]                                  equation (14)

with τ played by θ and τ′ by θ_n among agents with θ. What the paper leaves open and how it is done here:

 1. the first inner step uses the trajectories of θ, which all agents share; steps 2 … k play fresh ones under θ_n;
 2. dθ_n/dθ is taken for the identity in (14): the second derivative is dropped, as the paper says that it approximates.
    With `second_order` it is the product of I + α·∇² log π_{θ_n}(τ)·A over the inner steps, whose trajectories are
    held; TRPO's curvature and line search move θ_n along with θ all the same;
 3. ∇ log π is a mean over steps and trajectories, and A is centred and scaled to a standard deviation of 1, as rllab
    does; the sum over n is a sum. L_n, the mean of the discounted returns of τ′, is centred and scaled too:
    by a running mean of L over earlier iterations, which is no function of τ, and by the root mean square of how far
    the returns are from it, so that what (14) weighs τ with lies in [-1, 1] also where rewards are rare. That is an
    agent's own, or that of all agents where their baseline is `pooled`: of one episode only the sign would be left;
 4. the second term is the mean of (14)'s integrand over all pairs of a τ and a τ′; the exact derivative of what K
    trajectories lead to would be K times that;
 5. a baseline is linear in rllab's features of an agent's observations, fitted anew to each agent's trajectories, or
    to all agents' together where they are few and observations are large (`Baseline`); where it is lagged, what was
    played last is what it was fitted to, by θ, by the agents as they adapt, and by θ_n in turn;
 6. θ moves by plain gradient ascent, or by TRPO with rllab's constants. Its objective has importance weights in the
    place of ∇ log π, where θ_n moves along with θ; its trust region is a mean over all that was played, by θ and by
    every θ_n, for with the curvature of one alone the gradient of the other would point to where it is blind;
 7. in a large population `n_adapted` agents of each role, drawn anew in every iteration, adapt and are summed over;
 8. with `data="all"` θ also learns from all living agents of its role in the games that θ alone plays: the sum over n
    has P·mean ∇ log π_θ(τ)·A(τ) besides, P the number of those who adapt, as if as many more had adapted by 0 steps;
 9. actions are clipped to their box by the game, π is not; observations of any shape are taken as vectors.

Every step of every trajectory counts: an iteration plays (1 + P·k)·E episodes, where P agents adapt in E each.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms import Policy
from algorithms._copies import LEAST_RETURN, TRAINING_RETURN, TRAINING_RETURN_UNIT
from algorithms._ledger import Ledger
from algorithms._networks import mapped, repeated
from algorithms._policies import StochasticPolicy, acting, policy_for, score
from algorithms._rollouts import RLLAB, Baseline, Played, Trajectories, discounted, play
from algorithms._surrogates import Adaptation, Judged, Objective, Scored, mean_entropy, moved
from algorithms._trust_region import Step, flat, shaped, trust_region_step
from environments import Amount, Count, Env, Positive, Share, Streams, Whole, check

GAIN = "adaptation gain"
ADAPTATION = "divergence of adaptation"
DIVERGENCE = "divergence of a step"
ACCEPTED = "steps accepted"
ENTROPY = "entropy"
OUTER_SHARE = "outer share"

Policies = tuple[StochasticPolicy, ...]  # one a role


@dataclass
class DiMAPGState:
    """What training owns. `policies` hold θ of every role, `levels` [S, R] a running mean of L, `fits` b's weights."""

    steps: int
    iterations: int
    streams: Streams
    ledger: Ledger
    policies: Policies
    levels: Tensor
    fits: tuple[Tensor, ...]


@dataclass(frozen=True)
class DiMAPG:
    """Distributed multi-agent policy gradients, for any game.

    Units: `n_trajectories` in episodes of every adapted agent; `n_adapted` in agents of a role, all by default.
    """

    outer: Literal["TRPO", "REINFORCE"] = "TRPO"
    hidden: Count = 100
    n_trajectories: int = 25
    inner_steps: Whole = 3
    inner_rate: Amount = 0.01
    outer_rate: Amount = 0.05
    max_divergence: Positive = 0.01
    curvature_stride: Count = 5
    discount: Share = 0.99
    n_adapted: int | None = None
    second_term: bool = True
    level_memory: Share = 0.9
    baseline: Baseline = RLLAB
    second_order: bool = False
    data: Literal["sampled", "all"] = "sampled"

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        LEAST_RETURN: "sum over steps of the reward of the agent that got least in an episode under θ, with "
        "exploration; mean over the episodes since the last test",
        GAIN: "return of an adapted agent under θ_n less its return under θ, both with exploration; mean over agents",
        ADAPTATION: "KL, in nats, of θ to θ_n after all inner steps, on every fifth step that θ played; mean over "
        "agents",
        DIVERGENCE: "KL, in nats, of a policy before a step to that after it; mean over roles, players, trajectories",
        ACCEPTED: "share of steps that TRPO's line search accepted; 1 for REINFORCE; mean over roles",
        ENTROPY: "entropy of θ's policy in nats; mean over roles and trajectories of θ",
        OUTER_SHARE: "share of an iteration's episodes that are one agent's adapted ones, which is all that a count of "
        "the trajectories for θ alone would see",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.baseline.lagged and self.n_adapted is not None and not self.baseline.pooled:
            raise ValueError(
                f"a lagged baseline must be pooled where others adapt every time, got n_adapted = {self.n_adapted}"
            )
        if self.data == "all" and self.outer == "TRPO":
            raise ValueError("data must be sampled where θ moves by TRPO, got all")

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
            fits=tuple(
                self.baseline.blank(streams, self._n_adapting(role.n_agents), _size(role.observation_shape))
                for role in env.roles
            ),
        )

    def steps_per_iteration(self, env: Env[Any]) -> int:
        """Environment steps per seed that one call of `advance` takes."""
        adapting = sum(self._n_adapting(role.n_agents) for role in env.roles)
        return env.horizon * self.n_trajectories * (1 + adapting * self.inner_steps)

    def advance(self, env: Env[Any], state: DiMAPGState) -> None:
        """Play with θ, adapt, play with what has become of it, and move θ."""
        chosen, fits = self._chosen(env, state.streams), list(state.fits)
        looked_at = chosen if self.data == "sampled" else everyone(env, state.streams)
        played = play(env, state.streams, self.n_trajectories, state.policies, looked_at)
        before = played if self.data == "sampled" else played._replace(chosen=_those(played.chosen, chosen))
        tau = self._judged(before, fits)
        adapted, inner = self._adapted(
            env, state.streams, state.policies, chosen=chosen, tau=tau, inner_steps=self.inner_steps, fits=fits
        )
        after, tau_adapted = before, tau
        if self.inner_steps:
            after = play(env, state.streams, self.n_trajectories, state.policies, chosen, differing=adapted)
            tau_adapted = self._judged(after, fits)
        steps = []
        for r, theta in enumerate(state.policies):
            pull = self._pull(state, r, tau_adapted[r])
            scored = Scored.of(theta, adapted[r], tau[r], tau_adapted[r], pull)
            steps.append((tau[r], self._step(scored, [step[r] for step in inner], self._of_all(theta, played, r))))
        state.fits = tuple(fits)
        self._enter_adaptation(state, before, adapted)
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
        return both_ways(state.policies, state.streams)

    def adapted(self, env: Env[Any], state: DiMAPGState, streams: Streams, inner_steps: int) -> Mapping[str, Policy]:
        """Every agent with parameters of its own, θ_n after so many inner steps, all together; as `policies`.

        Nothing in `state` changes. What is drawn comes from `streams`.
        """
        chosen, fits = everyone(env, streams), list(state.fits)
        tau = self._judged(play(env, streams, self.n_trajectories, state.policies, chosen), fits)
        adapted, _ = self._adapted(
            env, streams, state.policies, chosen=chosen, tau=tau, inner_steps=inner_steps, fits=fits
        )
        return both_ways(adapted, streams)

    def cloned(self, state: DiMAPGState) -> Mapping[str, Policy]:
        """What one agent learnt alone, played by every agent of a game with more of them; as `policies`.

        An agent that never met others knows nothing of them: it sees the first features only, as many as it learnt
        with, which must mean the same in both games.
        """
        return both_ways(state.policies, state.streams, n_seen=state.policies[0].network[0].weight.shape[-1])

    def _n_adapting(self, n_agents: int) -> int:
        return n_agents if self.n_adapted is None else min(self.n_adapted, n_agents)

    def _chosen(self, env: Env[Any], streams: Streams) -> tuple[Tensor, ...]:
        """Who adapts in every role: all in order, or as many as may, drawn without replacement. Shapes: [S, P]."""
        chosen = []
        for role in env.roles:
            n_adapting = self._n_adapting(role.n_agents)
            if n_adapting == role.n_agents:
                chosen.append(torch.arange(role.n_agents, device=streams.device).expand(streams.n_seeds, -1))
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
        tau: list[Judged],
        inner_steps: int,
        fits: list[Tensor],
    ) -> tuple[Policies, list[tuple[Adaptation, ...]]]:
        """θ_n of every chosen agent after some steps of equation (10), and the steps where they are asked for again.

        Shapes: [S, P, …].
        """
        adapted = tuple(
            mapped(repeated(theta, agents.shape[1]), torch.clone)
            for theta, agents in zip(policies, chosen, strict=True)
        )
        inner = []
        for step in range(inner_steps):
            if step:
                played = play(env, streams, self.n_trajectories, policies, chosen, differing=adapted)
                tau = self._judged(played, fits)
            taken = tuple(Adaptation(theta_n, own, self.inner_rate) for theta_n, own in zip(adapted, tau, strict=True))
            adapted = tuple(of_role.taken() for of_role in taken)
            if self.second_order:
                inner.append(taken)
        return adapted, inner

    def _judged(self, played: Played, fits: list[Tensor]) -> list[Judged]:
        """What was played, with its advantages; `fits` become the baselines that are fitted to it."""
        found = [
            Judged.of(own, self.discount, self.baseline, fit) for own, fit in zip(played.chosen, fits, strict=True)
        ]
        fits[:] = [of_role.fit for of_role in found]
        return found

    def _of_all(self, theta: StochasticPolicy, played: Played, r: int) -> Tensor | float:
        """P · mean ∇ log π_θ(τ)·A(τ) over all agents of a role; 0 where only those count who adapt. Shapes: [S, N]."""
        if self.data == "sampled":
            return 0.0
        own = played.chosen[r]
        n_agents = own.reward.shape[1]
        tau = Judged.of(own, self.discount, replace(self.baseline, lagged=False))
        weights = tau.advantage * tau.weights * (self._n_adapting(n_agents) / n_agents)
        seen, done = (rows.flatten(1, 2) for rows in own.rows)
        return flat(score(theta, seen, done, weights.flatten(1)))

    def _pull(self, state: DiMAPGState, r: int, adapted: Judged) -> Tensor | None:
        """L_n, centred and scaled, which equation (14) weighs τ with; moves the level. Shapes: [S, P]."""
        returns = discounted(adapted.own.reward, self.discount)[:, :, 0]  # [S, P, E]
        reached = returns.mean(dim=2)
        now = reached.mean(dim=1)
        level = state.levels[:, r] if state.iterations else now
        state.levels[:, r] = level + (1 - self.level_memory) * (now - level)
        if not (self.second_term and self.inner_steps):  # without adaptation θ_n is θ and does not depend on τ
            return None
        squares = (returns - level[:, None, None]).square().mean(dim=2)
        distance = (squares.mean(dim=1, keepdim=True) if self.baseline.pooled else squares).sqrt()
        return (reached - level.unsqueeze(1)) / (distance + 1e-8)

    def _step(self, scored: Scored, inner: Sequence[Adaptation], of_all: Tensor | float) -> Step:
        gradient, objective = scored.gradient(inner) + of_all, Objective.of(scored)
        if self.outer == "TRPO":
            product = objective.curvature(self.curvature_stride)
            return trust_region_step(gradient, product, objective, max_divergence=self.max_divergence)
        change = self.outer_rate * gradient
        _, divergence = objective(change)
        return Step(change, divergence, torch.ones_like(divergence, dtype=torch.bool))

    @torch.no_grad()
    def _enter_adaptation(self, state: DiMAPGState, before: Played, adapted: Policies) -> None:
        """How far the agents have moved, as far as observations tell that θ alone met."""
        for theta, theta_n, own in zip(state.policies, adapted, before.chosen, strict=True):
            seen = own.observation[:, :, ::5].flatten(2, 3)
            thetas: Any = mapped(repeated(theta, seen.shape[1]), torch.clone)
            divergence = thetas.divergence(thetas.raw(seen), theta_n, theta_n.raw(seen))
            state.ledger.enter(ADAPTATION, divergence.mean(dim=2))

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


def everyone(env: Env[Any], streams: Streams) -> tuple[Tensor, ...]:
    """All agents of every role, in order. Shapes: [S, A]."""
    return tuple(torch.arange(role.n_agents, device=streams.device).expand(streams.n_seeds, -1) for role in env.roles)


def _those(of_roles: Sequence[Trajectories], chosen: Sequence[Tensor]) -> tuple[Trajectories, ...]:
    """Of all agents' trajectories those of some. Shapes: chosen [S, P]."""
    return tuple(
        Trajectories(*(torch.stack([x[s, i] for s, i in enumerate(agents)]) for x in own))
        for own, agents in zip(of_roles, chosen, strict=True)
    )


def both_ways(policies: Policies, streams: Streams, n_seen: int | None = None) -> dict[str, Policy]:
    """Likeliest actions, and samples, which leave the streams where they are; as of `acting`."""
    return {"greedy": acting(policies, None, n_seen), "sampled": acting(policies, streams.branched(), n_seen)}


def _size(shape: tuple[int, ...]) -> int:
    return functools.reduce(lambda a, b: a * b, shape)
