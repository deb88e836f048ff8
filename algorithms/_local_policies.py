"""Decentralised policies that may talk: CTEDD's Figure 2, for all agents of a team at once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.nn.functional import pad

from algorithms import _networks as networks
from algorithms._networks import MLP, Linear, tensors
from environments import Box, Discrete, Env, Role, Streams

T = TypeVar("T")
Weights = Sequence[Tensor]
"""Weight, bias, weight, … of one seed: [A, out, in] and [A, 1, out]."""


class Team(NamedTuple):
    """The sizes of a game that one group of like agents plays."""

    n_agents: int
    n_observations: int
    n_actions: int  # the length of a vector of actions, or the number of choices


def single_team(env: Env[Any], kind: type[Box] | type[Discrete] = Box) -> Team:
    """The one team of an environment, whose actions are vectors in [-1, 1] or choices.

    Raises: ValueError where there are several roles, other observations than vectors, or other actions.
    """
    if len(env.roles) == 1 and (team := _team(env.roles[0], kind)) is not None:
        return team
    actions = "vectors of actions in [-1, 1]" if kind is Box else "discrete actions"
    raise ValueError(f"expected one role with vectors of observations and {actions}, got {env.roles}")


def teams(env: Env[Any]) -> tuple[Team, ...]:
    """The team of every role of an environment, whose actions are vectors in [-1, 1] of one length.

    Raises: ValueError where there are other observations than vectors, or other actions.
    """
    found = [team for role in env.roles if (team := _team(role, Box)) is not None]
    if len(found) < len(env.roles) or len({team.n_actions for team in found}) > 1:
        wanted = "vectors of observations and vectors of actions in [-1, 1], as long in every role"
        raise ValueError(f"expected roles with {wanted}, got {env.roles}")
    return tuple(found)


def _team(role: Role, kind: type[Box] | type[Discrete]) -> Team | None:
    """The sizes of a role, or None where it is of another kind."""
    action = role.action
    if len(role.observation_shape) != 1 or not isinstance(action, kind):
        return None
    if isinstance(action, Box) and (action.low, action.high) != (-1.0, 1.0):
        return None
    return Team(role.n_agents, role.observation_shape[0], action.n)


class LocalPolicies(NamedTuple):
    """Networks stacked over agents, weights [S, A, out, in].

    `speak` turns an observation into the message to all others, tanh-bounded, with one hidden layer; `act` turns the
    observation and the others' messages into the output, with one hidden layer. Without messages `speak` is empty and
    `act` has two hidden layers.
    """

    speak: MLP
    act: MLP

    @classmethod
    def of(cls, streams: Streams, team: Team, message_size: int, hidden: int, n_outputs: int) -> LocalPolicies:
        """Fresh policies."""
        n_seen = team.n_observations
        if message_size == 0:
            return cls((), networks.xavier(streams, (n_seen, hidden, hidden, n_outputs), (team.n_agents,)))
        n_heard = (team.n_agents - 1) * message_size
        return cls(
            networks.xavier(streams, (n_seen, hidden, message_size), (team.n_agents,)),
            networks.xavier(streams, (n_seen + n_heard, hidden, n_outputs), (team.n_agents,)),
        )

    def __call__(self, observations: Tensor) -> Tensor:
        """The raw outputs of all agents. Shapes: [S, A, B, D] → [S, A, B, n]."""
        if not self.speak:
            return networks.mlp(observations, self.act)
        n_seen, n_known = observations.shape[-1], self.act[0].weight.shape[-1]
        if torch.is_grad_enabled():
            messages = self._messages(observations, self.speak).unbind(1)
            known = torch.stack(
                [torch.cat([own, *_others(messages, i)], dim=-1) for i, own in enumerate(observations.unbind(1))], dim=1
            )
        else:  # what is heard is written behind what is seen: nothing is copied twice
            known = observations.new_empty(*observations.shape[:-1], n_known)
            known[..., :n_seen] = observations
            _hear(self._messages(known[..., :n_seen], self.speak), known[..., n_seen:])
        return networks.mlp(known, self.act)

    @torch.no_grad()
    def imitating(self, observed: Tensor, taught: Tensor) -> list[Tensor]:
        """The gradients of Σ_s mean_b ‖tanh π(o) - taught‖² by all weights, in the order of `tensors`: equation (6).

        What autograd finds, in half of its time: seed after seed, so that all that is kept of a batch stays in the
        cache; and with the rows of a batch next to each other in memory, so that nothing is moved where messages are
        put together and taken apart.

        Shapes: observed [S, A, D, B], taught [S, A, n, B].
        """
        seeds = zip(*(tensor.unbind(0) for tensor in tensors(self)), strict=True)
        n_spoken = 2 * len(self.speak)
        gradients = [
            _imitating(weights[:n_spoken], weights[n_spoken:], *of_seed)
            for weights, *of_seed in zip(seeds, observed.unbind(0), taught.unbind(0), strict=True)
        ]
        return [torch.stack(of_seeds) for of_seeds in zip(*gradients, strict=True)]

    def of_agent(self, observations: Tensor, agent: int) -> Tensor:
        """The raw output of one agent, where `act` is that agent's alone and `speak` everybody's.

        Shapes: [S, A, B, D] → [S, B, n].
        """
        own = observations[:, agent]
        if not self.speak:
            return networks.mlp(own, self.act)
        speakers = networks.of_agents(self.speak, _indices_of_others(observations.shape[1], observations.device)[agent])
        messages = self._messages(torch.stack(_others(observations.unbind(1), agent), dim=1), speakers)
        return networks.mlp(torch.cat([own, *messages.unbind(1)], dim=-1), self.act)

    @staticmethod
    def _messages(observations: Tensor, speak: MLP) -> Tensor:
        """What every agent says. Shapes: [S, A, B, D] → [S, A, B, k]."""
        return torch.tanh(networks.mlp(observations, speak))

    def reaching(self, agent: int) -> LocalPolicies:
        """The part that shapes what one agent does: everybody's `speak` and its own `act`, as views."""
        return LocalPolicies(self.speak, networks.of_agent(self.act, agent))


def _imitating(speak: Weights, act: Weights, observed: Tensor, taught: Tensor) -> list[Tensor]:
    """Of one seed. Shapes: observed [A, D, B], taught [A, n, B]."""
    n_agents, n_seen, n_rows = observed.shape
    spoken: list[Tensor] = []
    heard: list[list[Tensor]] = [[]] * n_agents
    if speak:
        spoken = _activations(observed, speak)
        messages = spoken[-1].tanh_().unbind(0)
        heard = [_others(messages, agent) for agent in range(n_agents)]
    known = torch.stack([torch.cat([own, *others]) for own, others in zip(observed.unbind(0), heard, strict=True)])
    done = _activations(known, act)
    played = done[-1].tanh_()
    wrong = (played - taught).mul_(2.0 / n_rows).mul_(1.0 - played.square())
    by_act, first = _gradients(wrong, done, act)
    if not speak:
        return by_act
    # [A, A - 1, k, B]: by what each has heard of each of the others.
    by_heard = torch.bmm(act[0][..., n_seen:].mT, first).unflatten(1, (n_agents - 1, -1))
    by_messages = [
        functools.reduce(torch.add, [by_heard[i, j - (j > i)] for i in range(n_agents) if i != j])
        for j in range(n_agents)
    ]
    by_speak, _ = _gradients(torch.stack(by_messages).mul_(1.0 - spoken[-1].square()), spoken, speak)
    return by_speak + by_act


def _activations(x: Tensor, layers: Weights) -> list[Tensor]:
    """The input of every layer, with a feature that is 1 behind the first, and the output of the last; ReLU between.

    Shapes: [A, features, B].
    """
    found = [torch.cat([x, torch.ones_like(x[:, :1])], dim=1)]
    for place in range(0, len(layers), 2):
        weight, bias = layers[place], layers[place + 1].mT
        y = torch.baddbmm(bias, weight, found[-1]) if place else torch.bmm(torch.cat([weight, bias], -1), found[0])
        found.append(y.relu_() if place + 2 < len(layers) else y)
    return found


def _gradients(g: Tensor, activations: Sequence[Tensor], layers: Weights) -> tuple[list[Tensor], Tensor]:
    """By all weights and biases, and by what the first layer gives before ReLU, from that by what the last gives.

    Shapes: g [A, out, B].
    """
    found: list[Tensor] = []
    for place in reversed(range(0, len(layers), 2)):
        x = activations[place // 2]
        by_weight = torch.bmm(g, x.mT)
        if not place:
            return [by_weight[..., :-1], by_weight[..., -1:].mT, *found], g
        found = [by_weight, g.sum(-1).unsqueeze(1), *found]
        g = torch.bmm(layers[place].mT, g)
        torch.ops.aten.threshold_backward.grad_input(g, x, 0, grad_input=g)
    raise ValueError("expected at least one layer, got none")


def stacked(policies: Sequence[LocalPolicies]) -> LocalPolicies:
    """The silent policies of several teams as those of one, for observations with zeros behind the shorter ones.

    What an agent does not see has weights of 0, which its zeros keep where they are.
    """
    if len(policies) == 1:
        return policies[0]

    def of_all(layers: tuple[Linear, ...]) -> Linear:
        widest = max(weight.shape[-1] for weight, _ in layers)
        weights = [pad(weight, (0, widest - weight.shape[-1])) for weight, _ in layers]
        return Linear(torch.cat(weights, dim=1), torch.cat([bias for _, bias in layers], dim=1))

    return LocalPolicies((), tuple(map(of_all, zip(*(policy.act for policy in policies), strict=True))))


def _others(parts: Sequence[T], agent: int) -> list[T]:
    """What belongs to all agents but one."""
    return [*parts[:agent], *parts[agent + 1 :]]


def _hear(messages: Tensor, place: Tensor) -> None:
    """Writes what everybody hears: the messages of all others, side by side.

    Shapes: messages [S, A, B, k], place [S, A, B, (A - 1)·k].
    """
    n_agents, n_spoken = messages.shape[1], messages.shape[3]
    heard = place.unflatten(-1, (n_agents - 1, n_spoken))
    others = _indices_of_others(n_agents, messages.device)[:, None, :, None]  # [A, 1, A - 1, 1]
    of_all = messages.transpose(1, 2).unsqueeze(1).expand(-1, n_agents, -1, -1, -1)  # [S, A, B, A, k]
    torch.gather(of_all, 3, others.expand(heard.shape), out=heard)


@functools.cache
def _indices_of_others(n_agents: int, device: torch.device) -> Tensor:
    """Shapes: [A, A - 1]."""
    agents = range(n_agents)
    return torch.tensor([_others(agents, agent) for agent in agents], device=device)
