"""Stochastic policies that are learnt by their score, ∇ log π(a|o), and what trust regions need of them.

A network turns observations into the `raw` numbers of a distribution: the means of a Gaussian, whose log σ is a
parameter of its own and the same in every state, or the logits of choices. Parameters are stacked as everywhere,
[S, (P,) …]; rows of observations are [S, (P,) B, D].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from algorithms import Policy
from algorithms import _networks as networks
from algorithms._networks import MLP, Linear, tensors, trainable
from environments import Action, Box, Env, Streams

LOWEST_LOG_STD = math.log(1e-6)  # rllab's `min_std`
INITIAL_SCALE = 0.01
"""What the weights of a fresh policy's last layer are multiplied by, so that it begins near pure noise."""


class Gaussian(NamedTuple):
    """N(μ(o), σ²) with a learnt σ that does not depend on the observation. Shapes: log_std [*, 1, n].

    Source: rll/rllab `rllab/policies/gaussian_mlp_policy.py`, with ReLU in the place of tanh.
    """

    network: MLP
    log_std: Tensor

    def raw(self, observations: Tensor) -> Tensor:
        """μ. Shapes: [*, B, D] → [*, B, n]."""
        return networks.mlp(observations, self.network)

    def noise(self, streams: Streams, *shape: int) -> Tensor:
        """What `drawn` needs. Shapes: [S, *shape, n]."""
        return streams.normal(*shape, self.log_std.shape[-1])

    def drawn(self, raw: Tensor, noise: Tensor) -> Tensor:
        """a = μ + σ·ε. Shapes: [*, B, n]."""
        return raw + self._log_std.exp() * noise

    def mode(self, raw: Tensor) -> Tensor:
        """The likeliest action. Shapes: [*, B, n]."""
        return raw

    def log_density(self, raw: Tensor, actions: Tensor) -> Tensor:
        """log π(a|o). Shapes: [*, B, n] → [*, B]."""
        scaled = (actions - raw) * (-self._log_std).exp()
        return (-0.5 * scaled.square() - self._log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)

    def entropy(self, raw: Tensor) -> Tensor:
        """H(π(·|o)) in nats. Shapes: [*, B, n] → [*, B]."""
        entropy = (self._log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)
        return entropy.expand(raw.shape[:-1])

    def divergence(self, raw: Tensor, other: Gaussian, other_raw: Tensor) -> Tensor:
        """KL(π ‖ π′) in nats. Shapes: [*, B, n] → [*, B]."""
        spread = (2 * self._log_std).exp() + (raw - other_raw).square()
        scaled = 0.5 * spread * (-2 * other._log_std).exp()
        return (other._log_std - self._log_std + scaled - 0.5).sum(dim=-1)

    def fisher(self, observations: Tensor, weights: Tensor) -> Callable[[Gaussian], Gaussian]:
        """v ↦ F·v, where F is the Hessian in π′ of Σ_b w_b·KL(π ‖ π′) at π. Shapes: [S, B, D], [S, B]."""
        of_network = _gauss_newton(self.network, observations)
        precision = weights.unsqueeze(-1) * (-2 * self._log_std).exp()
        of_log_std = 2 * weights.sum(dim=-1)[..., None, None] * (self.log_std > LOWEST_LOG_STD)

        def product(v: Gaussian) -> Gaussian:
            return Gaussian(of_network(v.network, lambda change: precision * change), of_log_std * v.log_std)

        return product

    @property
    def _log_std(self) -> Tensor:
        return self.log_std.clamp(min=LOWEST_LOG_STD)


class Categorical(NamedTuple):
    """One of n choices, with the softmax of the network's logits for probabilities."""

    network: MLP

    def raw(self, observations: Tensor) -> Tensor:
        """Logits. Shapes: [*, B, D] → [*, B, n]."""
        return networks.mlp(observations, self.network)

    def noise(self, streams: Streams, *shape: int) -> Tensor:
        """What `drawn` needs. Shapes: [S, *shape]."""
        return streams.uniform(*shape)

    def drawn(self, raw: Tensor, noise: Tensor) -> Tensor:
        """How many cumulated probabilities u exceeds; -1 where logits are NaN. Shapes: [*, B, n], [*, B] → [*, B]."""
        cumulated = torch.softmax(raw, dim=-1).cumsum(dim=-1)[..., :-1]
        return _known(raw, (cumulated <= noise.unsqueeze(-1)).sum(dim=-1))

    def mode(self, raw: Tensor) -> Tensor:
        """The likeliest choice; -1 where logits are NaN. Shapes: [*, B, n] → [*, B]."""
        return _known(raw, raw.argmax(dim=-1))

    def log_density(self, raw: Tensor, actions: Tensor) -> Tensor:
        """log π(a|o); NaN where there is no choice. Shapes: [*, B, n], [*, B] → [*, B]."""
        chosen = actions.clamp_min(0).unsqueeze(-1)
        return torch.log_softmax(raw, dim=-1).gather(-1, chosen).squeeze(-1).masked_fill(actions < 0, torch.nan)

    def entropy(self, raw: Tensor) -> Tensor:
        """H(π(·|o)) in nats. Shapes: [*, B, n] → [*, B]."""
        return -(torch.softmax(raw, dim=-1) * torch.log_softmax(raw, dim=-1)).sum(dim=-1)

    def divergence(self, raw: Tensor, other: Categorical, other_raw: Tensor) -> Tensor:
        """KL(π ‖ π′) in nats. Shapes: [*, B, n] → [*, B]."""
        difference = torch.log_softmax(raw, dim=-1) - torch.log_softmax(other_raw, dim=-1)
        return (torch.softmax(raw, dim=-1) * difference).sum(dim=-1)

    def fisher(self, observations: Tensor, weights: Tensor) -> Callable[[Categorical], Categorical]:
        """v ↦ F·v, where F is the Hessian in π′ of Σ_b w_b·KL(π ‖ π′) at π. Shapes: [S, B, D], [S, B]."""
        of_network = _gauss_newton(self.network, observations)
        probabilities = torch.softmax(self.raw(observations), dim=-1)

        def curved(change: Tensor) -> Tensor:
            centred = change - (probabilities * change).sum(dim=-1, keepdim=True)
            return weights.unsqueeze(-1) * probabilities * centred

        return lambda v: Categorical(of_network(v.network, curved))


StochasticPolicy = Gaussian | Categorical
P = TypeVar("P", bound=Gaussian | Categorical)


def policy_for(action: Action, streams: Streams, sizes: Sequence[int]) -> StochasticPolicy:
    """A fresh policy with layers of these sizes; the last is the length of the action, or the number of choices.

    σ starts at 1, means and logits near 0: with a last layer at full scale means grow with the distance behind
    rectifiers, agents fly away from an arena without walls, and a trust region is spent on where they have gone.
    Source: rllab's defaults, `init_std=1.0` and Glorot-uniform weights; its layers are tanh, which bound such means.
    """
    *hidden, last = networks.xavier(streams, sizes)
    network = (*hidden, Linear(INITIAL_SCALE * last.weight, last.bias))
    if isinstance(action, Box):
        return Gaussian(network, torch.zeros_like(network[-1].bias))
    return Categorical(network)


def in_the_box(action: Action, actions: Tensor) -> Tensor:
    """Actions as the game takes them: [-1, 1] spans the box, beyond it they are clipped; choices are as they are.

    Source: rllab's `NormalizedEnv.step`.
    """
    if not isinstance(action, Box):
        return actions
    clipped = actions.clamp(-1.0, 1.0)
    if (action.low, action.high) == (-1.0, 1.0):
        return clipped
    return action.low + 0.5 * (action.high - action.low) * (clipped + 1.0)


def acting(policies: Sequence[StochasticPolicy], streams: Streams | None = None, n_seen: int | None = None) -> Policy:
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


@torch.enable_grad()
def score(policy: P, observations: Tensor, actions: Tensor, weights: Tensor) -> P:
    """∇_θ Σ_b w_b·log π_θ(a_b|o_b), for every leading index by itself. Shapes: [*, B, D], [*, B, (n)], [*, B]."""
    variables = trainable(policy)
    density = variables.log_density(variables.raw(observations), actions)
    gradients = iter(torch.autograd.grad((weights * density).sum(), tensors(variables)))
    return networks.mapped(policy, lambda _: next(gradients))


def score_change(policy: P, observations: Tensor, actions: Tensor, weights: Tensor, direction: P) -> P:
    """∇²_θ Σ_b w_b·log π_θ(a_b|o_b)·v: how `score` changes along v, for every leading index by itself.

    Shapes: as of `score`; v as θ.
    """
    variables = trainable(policy)
    density = variables.log_density(_raw(variables.network, observations), actions)
    slopes = torch.autograd.grad((weights * density).sum(), tensors(variables), create_graph=True)
    changes = torch.autograd.grad(slopes, tensors(variables), tensors(direction), materialize_grads=True)
    products = iter(changes)
    return networks.mapped(policy, lambda _: next(products))


def _raw(network: MLP, observations: Tensor) -> Tensor:
    """What `networks.mlp` puts out, by operations that can be differentiated twice. Shapes: [*, B, D] → [*, B, n]."""
    groups, n_outputs = network[-1].weight.shape[:-2], network[-1].weight.shape[-2]
    x = observations.flatten(0, -3)
    for i, (weight, bias) in enumerate(network):
        alone = weight.shape[-2] == 1  # a product with one column would be rounded otherwise
        columns = pad(weight, (0, 0, 0, int(alone))).flatten(0, -3).transpose(1, 2)
        x = torch.baddbmm(pad(bias, (0, int(alone))).flatten(0, -3), x, columns)
        x = torch.relu(x) if i + 1 < len(network) else x
    raw: Tensor = x[..., :n_outputs].unflatten(0, groups)
    return raw


def _known(raw: Tensor, choice: Tensor) -> Tensor:
    return choice.masked_fill(raw.isnan().any(dim=-1), -1)


def _gauss_newton(network: MLP, observations: Tensor) -> Callable[[MLP, Callable[[Tensor], Tensor]], MLP]:
    """(v, M) ↦ Jᵀ·M(J·v), where J is the derivative of the network's outputs by its parameters."""
    variables = trainable(network)
    with torch.enable_grad():
        raw = networks.mlp(observations, variables)
    with torch.no_grad():
        reached = list(_layer_inputs(network, observations))

    def product(v: MLP, curved: Callable[[Tensor], Tensor]) -> MLP:
        with torch.no_grad():
            cotangent = curved(_tangent(network, v, reached))
        gradients = iter(torch.autograd.grad(raw, tensors(variables), cotangent, retain_graph=True))
        return networks.mapped(network, lambda _: next(gradients))

    return product


def _layer_inputs(network: MLP, observations: Tensor) -> list[Tensor]:
    """What every layer sees. Shapes: [S, B, in]."""
    inputs = [observations]
    for layer in network[:-1]:
        inputs.append(networks.linear(inputs[-1], layer, rectified=True))
    return inputs


def _tangent(network: MLP, v: MLP, inputs: Sequence[Tensor]) -> Tensor:
    """J·v: how the outputs change as the parameters move along v. Shapes: [S, B, n]."""
    change: Tensor | None = None
    for i, (layer, moving, x) in enumerate(zip(network, v, inputs, strict=True)):
        by_parameters = networks.linear(x, moving)
        change = by_parameters if change is None else networks.linear(change, Linear(layer.weight, by_parameters))
        if i + 1 < len(network):
            change = torch.ops.aten.threshold_backward(change, inputs[i + 1], 0)
    assert change is not None
    return change
