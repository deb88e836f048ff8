"""MADDPG with the actions of its authors' own games: five soft weights an agent, u = (a₁ − a₂, a₃ − a₄).

All is as in `maddpg.py`, which says what the public code does and where, but for the policy. There, an agent's action
is a point of the simplex: softmax(logits + Gumbel noise), drawn anew wherever an action is needed, with the gradient of
the softmax. The regulariser is of the logits. Nothing has to be clipped, and no standard deviation can grow.

Where we differ: critics see the full state, not the concatenated observations; the last layer begins at a hundredth of
its scale, as that of all methods that DiMA-PG is compared with; E copies play side by side.

Source: openai/maddpg@3ceefa0, maddpg/common/distributions.py `SoftCategoricalPd`, maddpg/trainer/maddpg.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._batches import FullBatch, full_batches
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT, Copies, by_role, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import LocalPolicies, Team, stacked
from algorithms._networks import MLP, Linear, of_agent, polyak, tensors, trainable
from algorithms._optimizers import Adam, Tensors, follow
from algorithms._policies import INITIAL_SCALE
from algorithms._replay import Replay
from environments import Amount, Box, Count, Env, Positive, Role, Share, Streams, Whole, check

ENTROPY = "entropy"


@dataclass
class SoftMADDPGState:
    """What training owns. Networks are stacked over agents: weights [S, A, out, in]."""

    steps: int
    streams: Streams
    copies: Copies
    replay: Replay
    ledger: Ledger
    actors: LocalPolicies
    target_actors: LocalPolicies
    critics: MLP
    target_critics: MLP
    actor_optimizers: list[Adam]
    critic_optimizers: list[Adam]


@dataclass(frozen=True)
class SoftMADDPG:
    """Multi-agent deep deterministic policy gradient for agents that weigh the same few directions each."""

    hidden: Count = 64
    learning_rate: Amount = 1e-2
    discount: Share = 0.95
    batch_size: Count = 1024
    capacity: Count = 1_000_000
    first_update: Whole = 25_600
    steps_per_update: Count = 100
    n_envs: int = 25
    polyak: Share = 0.99
    clip: Positive = 0.5
    regularizer: Amount = 1e-3

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        ENTROPY: "entropy, in nats, of the direction that weighs most under the noise; mean over agents",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.capacity < self.n_envs:
            raise ValueError(f"capacity must hold a transition of each of n_envs = {self.n_envs}, got {self.capacity}")
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> SoftMADDPGState:
        """Fresh networks, empty replay, new episodes."""
        every = teams(env)
        n_agents, n_actions = sum(team.n_agents for team in every), every[0].n_actions
        copies = Copies.of(env, streams, self.n_envs)
        n_inputs = env.full_state(copies.game).shape[-1] + n_agents * n_actions
        critic_sizes = (n_inputs, self.hidden, self.hidden, 1)
        actors, target_actors = (stacked([self._actors(streams, team) for team in every]) for _ in range(2))
        critics, target_critics = (networks.xavier(streams, critic_sizes, (n_agents,)) for _ in range(2))
        actions = copies.returns.new_zeros(streams.n_seeds, self.n_envs, n_agents, n_actions)
        return SoftMADDPGState(
            steps=0,
            streams=streams,
            copies=copies,
            replay=Replay.of(copies.game, actions, horizon=env.horizon, capacity=self.capacity),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actors=actors,
            target_actors=target_actors,
            critics=critics,
            target_critics=target_critics,
            actor_optimizers=[Adam.of(tensors(actors.reaching(i))) for i in range(n_agents)],
            critic_optimizers=[Adam.of(tensors(of_agent(critics, i))) for i in range(n_agents)],
        )

    def advance(self, env: Env[Any], state: SoftMADDPGState) -> None:
        """Play `steps_per_update` steps, then update every agent once."""
        for _ in range(self.steps_per_update // self.n_envs):
            self._play(env, state)
        state.steps += self.steps_per_update
        if state.steps >= self.first_update:
            for agent, batch in enumerate(self._batches(env, state)):
                self._update(state, agent, batch)
            # Only its own agent asks a target critic, so that all of them follow at once.
            polyak(state.target_critics, state.critics, self.polyak)

    def policies(self, state: SoftMADDPGState) -> Mapping[str, Policy]:
        """The weights without noise, and samples as in training, from copies of the streams, which it does not feel."""
        streams = state.streams.branched()

        def playing(noisy: bool) -> Policy:
            @torch.no_grad()
            def policy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
                logits = state.actors(seen(env, game)).transpose(1, 2)
                uniform = streams.uniform(*logits.shape[1:]) if noisy else None
                return by_role(env, torch.softmax(logits, dim=-1) if uniform is None else sampled(logits, uniform))

            return policy

        return {"greedy": playing(False), "sampled": playing(True)}

    def _actors(self, streams: Streams, team: Team) -> LocalPolicies:
        """Fresh actors whose logits begin near 0."""
        fresh = LocalPolicies.of(streams, team, 0, self.hidden, team.n_actions)
        *hidden, last = fresh.act
        return fresh._replace(act=(*hidden, Linear(INITIAL_SCALE * last.weight, last.bias)))

    @torch.no_grad()
    def _play(self, env: Env[Any], state: SoftMADDPGState) -> None:
        game = state.copies.game
        logits = state.actors(seen(env, game)).transpose(1, 2)  # [S, E, A, n]
        actions = sampled(logits, state.streams.uniform(*logits.shape[1:]))
        reward, reached = state.copies.step(env, actions, state.streams, state.ledger)
        state.replay.append(game, actions, reward, reached)
        state.ledger.enter(ENTROPY, -(torch.softmax(logits, -1) * torch.log_softmax(logits, -1)).sum(dim=-1))

    @torch.no_grad()
    def _batches(self, env: Env[Any], state: SoftMADDPGState) -> list[FullBatch]:
        """What every agent learns from, drawn one after the other."""
        n_agents, n_actions = state.replay.actions_shape
        draws = [
            (
                state.replay.drawn(state.streams, self.batch_size),
                state.streams.uniform(n_agents, self.batch_size, n_actions),
                state.streams.uniform(self.batch_size, n_actions),
            )
            for _ in range(n_agents)
        ]
        return full_batches(env, state.replay, draws)

    def _update(self, state: SoftMADDPGState, agent: int, batch: FullBatch) -> None:
        target = self._target(state, batch, of_agent(state.target_critics, agent))
        self._update_critic(state, agent, batch, target)
        self._update_actor(state, agent, batch)
        polyak(of_agent(state.target_actors, agent), of_agent(state.actors, agent), self.polyak)

    @torch.no_grad()
    def _target(self, state: SoftMADDPGState, batch: FullBatch, critic: MLP) -> Tensor:
        """What the agent's critic learns, where everybody acts next as the target policies do. Shapes: [S, B]."""
        actions = sampled(state.target_actors(batch.next_observed), batch.next_noise)  # [S, A, B, n]
        joint = torch.cat([batch.next_full_state, *actions.unbind(1)], dim=-1)
        return losses.td_target(batch.reward, networks.value(joint, critic), self.discount)

    def _update_critic(self, state: SoftMADDPGState, agent: int, batch: FullBatch, target: Tensor) -> None:
        variables = trainable(of_agent(state.critics, agent))
        value = networks.value(batch.joint, variables)
        self._follow((value,), (losses.squared_error_slope(value, target),), variables, state.critic_optimizers[agent])

    def _update_actor(self, state: SoftMADDPGState, agent: int, batch: FullBatch) -> None:
        """∇θ J = E[∇θ a · ∇a Q], as two derivatives: the critic's by its inputs, and the actor's in its direction."""
        actor, joint = trainable(state.actors.reaching(agent)), batch.joint
        logits = actor.of_agent(batch.observed, agent)  # [S, B, n]
        own = sampled(logits, batch.noise)
        begin = joint.shape[-1] - (batch.observed.shape[1] - agent) * own.shape[-1]
        mine = slice(begin, begin + own.shape[-1])
        joint[..., mine] = own.detach()  # over the replayed action, which has been used for the last time
        value = networks.value(joint.requires_grad_(), of_agent(state.critics, agent))
        (slope,) = torch.autograd.grad(value, joint, losses.negative_value_slope(value))
        slopes = (slope[..., mine], losses.regularizer_slope(logits, self.regularizer))
        self._follow((own, logits), slopes, actor, state.actor_optimizers[agent])

    def _follow(self, outputs: Tensors, slopes: Tensors, network: tuple[Any, ...], optimizer: Adam) -> None:
        follow(outputs, slopes, tensors(network), optimizer, learning_rate=self.learning_rate, clip=self.clip)


def teams(env: Env[Any]) -> tuple[Team, ...]:
    """The team of every role of a game of soft weights.

    Raises: ValueError where there are other observations than vectors, or other actions.
    """
    found = [_team(role) for role in env.roles]
    if None in found or len({role.action.n for role in env.roles}) > 1:
        raise ValueError(f"expected roles with vectors of observations and soft weights in [0, 1], got {env.roles}")
    return tuple(team for team in found if team is not None)


def _team(role: Role) -> Team | None:
    """The sizes of a role, or None where it is of another kind."""
    action = role.action
    if len(role.observation_shape) != 1 or not isinstance(action, Box) or (action.low, action.high) != (0.0, 1.0):
        return None
    return Team(role.n_agents, role.observation_shape[0], action.n)


def sampled(logits: Tensor, uniform: Tensor) -> Tensor:
    """softmax(logits − log(−log u)), u uniform: a draw from the simplex. Shapes: [S, …, n]."""
    # u is 0 once in 2²⁴ draws, where the public code would get −∞, too: such a weight is 0.
    return torch.softmax(logits - (-uniform.log()).log(), dim=-1)
