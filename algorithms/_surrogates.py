"""What trajectories say about a policy's parameters: by their score, and, within a trust region, by importance."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms._networks import mapped, repeated
from algorithms._policies import StochasticPolicy, score, score_change
from algorithms._rollouts import RLLAB, Baseline, Trajectories, judged
from algorithms._trust_region import flat, shaped


class Judged(NamedTuple):
    """Trajectories, what their steps were worth to those who took them, and the baseline that is fitted to them.

    Shapes: advantage [S, P, T·E], fit [S, P, F].
    """

    own: Trajectories
    advantage: Tensor
    fit: Tensor

    @classmethod
    def of(cls, own: Trajectories, discount: float, baseline: Baseline = RLLAB, before: Tensor | None = None) -> Judged:
        """Trajectories with their advantages; `before` is what a lagged baseline was fitted to last."""
        return cls(own, *judged(own, discount, baseline, before))

    @property
    def weights(self) -> Tensor:
        """What every step counts in a mean over the living ones. Shapes: [S, P, T·E]."""
        alive = self.own.alive.flatten(2)
        return alive / alive.sum(dim=2, keepdim=True).clamp_min(1.0)


class Adaptation(NamedTuple):
    """One step of equation (10), θ_n ← θ_n + α·mean ∇ log π_{θ_n}(τ)·A: where it began, by what, and α.

    Shapes: θ_n [S, P, …].
    """

    theta_n: StochasticPolicy
    tau: Judged
    rate: float

    def taken(self) -> StochasticPolicy:
        """Where it ends."""
        return moved(self.theta_n, score(self.theta_n, *self.tau.own.rows, self._weights), self.rate)

    def pulled_back(self, gradient: StochasticPolicy) -> StochasticPolicy:
        """(I + α·∇² log π)·v: of a gradient by where it ends, that by where it began; τ stays what it is."""
        change = score_change(self.theta_n, *self.tau.own.rows, self._weights, gradient)
        return moved(gradient, change, self.rate)

    @property
    def _weights(self) -> Tensor:
        return self.tau.advantage * self.tau.weights


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

    @classmethod
    def alone(cls, theta: StochasticPolicy, tau: Judged) -> Scored:
        """Of θ's own trajectories only. Shapes: θ [S, …], of τ [S, 1, …]."""
        return cls.of(theta, repeated(theta, 1), tau, tau, None)

    def gradient(self, inner: Sequence[Adaptation] = ()) -> Tensor:
        """Σ_n [mean ∇ log π_{θ_n}(τ′)·A + pull_n · mean ∇ log π_θ(τ)]: equation (14). Shapes: [S, N].

        dθ_n/dθ is the identity, or, where it is said by which steps θ_n came about, the product of their Jacobians.
        """
        own = score(self.players, *self.own.rows, self.weights)
        if inner:
            n_adapted = inner[0].tau.advantage.shape[1]
            before, after = (mapped(own, part) for part in (lambda x: x[:, :-n_adapted], lambda x: x[:, -n_adapted:]))
            for step in reversed(inner):
                after = step.pulled_back(after)
            kept = iter(networks.tensors(before))
            own = mapped(after, lambda part: torch.cat([next(kept), part], dim=1))
        return summed(own)


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
