"""Decentralised policies that may talk: CTEDD's Figure 2, for all agents of a team at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from algorithms import _networks as networks
from algorithms._networks import MLP, mapped
from environments import Box, Discrete, Env, Streams


class Team(NamedTuple):
    """The sizes of a game that one group of like agents plays."""

    n_agents: int
    n_observations: int
    n_actions: int  # the length of a vector of actions, or the number of choices


def single_team(env: Env[Any], kind: type[Box] | type[Discrete] = Box) -> Team:
    """The one team of an environment, whose actions are vectors in [-1, 1] or choices.

    Raises: ValueError where there are several roles, other observations than vectors, or other actions.
    """
    roles = env.roles
    action = roles[0].action
    fits = len(roles) == 1 and len(roles[0].observation_shape) == 1 and isinstance(action, kind)
    if not fits or (isinstance(action, Box) and (action.low, action.high) != (-1.0, 1.0)):
        actions = "vectors of actions in [-1, 1]" if kind is Box else "discrete actions"
        raise ValueError(f"expected one role with vectors of observations and {actions}, got {roles}")
    return Team(roles[0].n_agents, roles[0].observation_shape[0], action.n)


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
        messages = torch.tanh(networks.mlp(observations, self.speak)).unbind(1)  # each [S, B, k]
        known = [
            torch.cat([own, *messages[:agent], *messages[agent + 1 :]], dim=-1)
            for agent, own in enumerate(observations.unbind(1))
        ]
        return networks.mlp(torch.stack(known, dim=1), self.act)

    def of_agent(self, observations: Tensor, agent: int) -> Tensor:
        """The raw output of one agent, where `act` is that agent's alone and `speak` everybody's.

        Shapes: [S, A, B, D] → [S, B, n].
        """
        own = observations[:, agent]
        if not self.speak:
            return networks.mlp(own, self.act)
        speakers = mapped(self.speak, lambda weight: _without(weight, agent))
        messages = torch.tanh(networks.mlp(_without(observations, agent), speakers)).unbind(1)  # each [S, B, k]
        return networks.mlp(torch.cat([own, *messages], dim=-1), self.act)

    def reaching(self, agent: int) -> LocalPolicies:
        """The part that shapes what one agent does: everybody's `speak` and its own `act`, as views."""
        return LocalPolicies(self.speak, networks.of_agent(self.act, agent))


def _without(tensor: Tensor, agent: int) -> Tensor:
    """All agents but one. Shapes: [S, A, …] → [S, A-1, …]."""
    return torch.cat([tensor[:, :agent], tensor[:, agent + 1 :]], dim=1)
