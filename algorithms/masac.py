"""MA-SAC: soft actor-critic with centralised critics and decentralised actors (Wadhwania et al. 2019).

Every agent has a stochastic policy of its own observation, twin Q-networks of everybody's observations and actions, and
a state value of everybody's observations, with a slow copy V̄:

    J_V = E[(V(o) - (min Q(o, a) - α·log π(aⁱ|oⁱ)))²],  aⁱ ~ π                     equations (7), (8)
    J_Q = E[(Q(o, a) - (r + γ·V̄(o′)))²]                                            equations (9), (12)
    J_π = E[α·log π(aⁱ|oⁱ) - min Q(o, a)],  aⁱ = tanh(μ + σ·ε)                      equations (10), (11)

What the paper leaves open and how it is done here, mostly as its authors' code does (SamirW/pytorch-soft-actor-critic
@7810569 algorithms/sac.py, utils/model.py; @6f2f7ee main.py):

 1. α multiplies log π in both places, where the equations leave it out, and stays at 0.1;
 2. the other agents' actions in J_V and J_π are the replayed ones, as an expectation over aⁱ alone says;
 3. min Q is over the twins; log π has the term of the squashing, log(1 - a² + 1e-6);
 4. log σ is clamped to [-20, 2]; the actor's loss holds 1e-3 times the mean squares of μ and of log σ;
 5. rewards are normalised by the mean and standard deviation of all rewards in replay;
 6. actions are uniform for the first 500 episodes, `random_steps`;
 7. the time limit is an end (`timeout_terminal`);
 8. all gradients of an update are taken at the parameters before it; there is no clip.

Where we differ from the authors' code: it bootstraps Q from V̄(o) where equation (12) has V̄(o′), which is done here; and
it steps one optimizer over both twins twice an update, once with either one's gradient, where here they step together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._batches import ViewBatch, view_batches
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT, Copies, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import single_team
from algorithms._networks import MLP, Linear, clone, of_agent, polyak, tensors, trainable
from algorithms._optimizers import Adam
from algorithms._replay import Moments, Replay
from environments import Amount, Count, Env, Share, Streams, Whole, check

STD = "exploration std"
LOWEST_LOG_STD, HIGHEST_LOG_STD = -20.0, 2.0


class Critics(NamedTuple):
    """Twin Q-networks, weights [S, A, 2, out, in], and a state value, weights [S, A, out, in]; or of one agent."""

    q: MLP
    v: MLP


@dataclass
class MASACState:
    """What training owns. Networks are stacked over agents."""

    steps: int
    streams: Streams
    copies: Copies
    replay: Replay
    rewards: Moments
    ledger: Ledger
    actors: MLP
    critics: Critics
    target_values: MLP
    actor_optimizers: list[Adam]
    critic_optimizers: list[Adam]


@dataclass(frozen=True)
class MASAC:
    """Multi-agent soft actor-critic for one team with a bounded vector of actions each.

    Units: `random_steps`, in which actions are uniform, in environment steps per seed.
    """

    hidden: Count = 256
    learning_rate: Amount = 3e-4
    temperature: Amount = 0.1
    discount: Share = 0.99
    batch_size: Count = 1024
    capacity: Count = 1_000_000
    random_steps: Whole = 12_500
    first_update: Whole = 1_024
    steps_per_update: Count = 100
    n_envs: int = 4
    polyak: Share = 0.995
    regularizer: Amount = 1e-3
    timeout_terminal: bool = True

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        STD: "standard deviation of the Gaussian before tanh; mean over its entries",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.capacity < self.n_envs:
            raise ValueError(f"capacity must hold a transition of each of n_envs = {self.n_envs}, got {self.capacity}")
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> MASACState:
        """Fresh networks, empty replay, new episodes."""
        team = single_team(env)
        copies = Copies.of(env, streams, self.n_envs)
        actors = self.actors(env, streams, team.n_agents)
        critics = self.critics(env, streams, team.n_agents)
        actions = copies.returns.new_zeros(streams.n_seeds, self.n_envs, team.n_agents, team.n_actions)
        agents = range(team.n_agents)
        return MASACState(
            steps=0,
            streams=streams,
            copies=copies,
            replay=Replay.of(copies.game, actions, horizon=env.horizon, capacity=self.capacity),
            rewards=Moments.of(streams.n_seeds, team.n_agents, streams.device),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actors=actors,
            critics=critics,
            target_values=clone(critics.v),
            actor_optimizers=[Adam.of(tensors(of_agent(actors, i))) for i in agents],
            critic_optimizers=[Adam.of(tensors(of_agent(critics, i))) for i in agents],
        )

    def actors(self, env: Env[Any], streams: Streams, n: int) -> MLP:
        """Fresh actors, n of them, whose last layer is the head of μ over that of log σ. Shapes: [S, n, out, in]."""
        team = single_team(env)
        trunk = networks.xavier(streams, (team.n_observations, self.hidden, self.hidden), (n,))
        heads = [networks.xavier(streams, (self.hidden, team.n_actions), (n,))[0] for _ in range(2)]
        weight, bias = (torch.cat(parts, dim) for parts, dim in zip(zip(*heads, strict=True), (-2, -1), strict=True))
        return (*trunk, Linear(weight, bias))

    def critics(self, env: Env[Any], streams: Streams, n: int) -> Critics:
        """Fresh critics, n of them."""
        team = single_team(env)
        n_seen, n_joint = team.n_agents * team.n_observations, team.n_agents * team.n_actions
        return Critics(
            networks.xavier(streams, (n_seen + n_joint, self.hidden, self.hidden, 1), (n, 2)),
            networks.xavier(streams, (n_seen, self.hidden, self.hidden, 1), (n,)),
        )

    def advance(self, env: Env[Any], state: MASACState) -> None:
        """Play `steps_per_update` steps, then update every agent once."""
        for _ in range(self.steps_per_update // self.n_envs):
            self._play(env, state)
        state.steps += self.steps_per_update
        if state.steps >= self.first_update:
            for agent, batch in enumerate(self._batches(env, state)):
                self._update(state, agent, batch)
            # Only its own agent asks a target value, so that all of them follow at once.
            polyak(state.target_values, state.critics.v, self.polyak)

    def policies(self, state: MASACState) -> Mapping[str, Policy]:
        """tanh(μ) of every actor."""
        return {"greedy": self.acting(state.actors)}

    def acting(self, actors: MLP) -> Policy:
        """tanh(μ) of every actor."""

        def greedy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            mean, _ = gaussian(networks.mlp(seen(env, game), actors))
            return (torch.tanh(mean).transpose(1, 2),)

        return greedy

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """KL of two Gaussians, before tanh. Shapes: [S, B, 2n] → [S, B]."""
        (mean, log_std), (its_mean, its_log_std) = gaussian(teacher), gaussian(student)
        spread = (2 * log_std).exp() + (mean - its_mean).square()
        return (its_log_std - log_std + 0.5 * spread * (-2 * its_log_std).exp() - 0.5).sum(dim=-1)

    def valued(self, critic: Critics, observations: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
        """The smaller of the twins, and V. Shapes: [S, A, B, D], [S, A, B, n] → [S, B] each."""
        return twin_values(critic.q, observations, actions).amin(dim=1), state_value(critic.v, observations)

    def valuing(self, critic: Critics) -> tuple[MLP, ...]:
        """The twins, and the network of V."""
        return (critic.q, critic.v)

    def followed(self, state: MASACState) -> Mapping[str, tuple[tuple[MLP, MLP], ...]]:
        """V̄ beside V; actors have no target."""
        return {"actor": (), "critic": ((state.target_values, state.critics.v),)}

    @torch.no_grad()
    def _play(self, env: Env[Any], state: MASACState) -> None:
        game = state.copies.game
        mean, log_std = gaussian(networks.mlp(seen(env, game), state.actors).transpose(1, 2))  # [S, E, A, n]
        std = log_std.exp()
        if state.steps < self.random_steps:
            actions = state.streams.uniform(*mean.shape[1:], low=-1.0, high=1.0)
        else:
            actions = torch.tanh(mean + std * state.streams.normal(*mean.shape[1:]))
        reward, reached = state.copies.step(env, actions, state.streams, state.ledger)
        state.rewards.exchange(reward, state.replay.leaving())
        state.replay.append(game, actions, reward, reached)
        state.ledger.enter(STD, std)

    @torch.no_grad()
    def _batches(self, env: Env[Any], state: MASACState) -> list[ViewBatch]:
        """What every agent learns from, drawn one after the other."""
        n_agents, n_actions = state.replay.actions_shape
        draws = [
            (state.replay.drawn(state.streams, self.batch_size), state.streams.normal(self.batch_size, n_actions))
            for _ in range(n_agents)
        ]
        return view_batches(env, state.replay, draws, state.rewards, timeout_terminal=self.timeout_terminal)

    def _update(self, state: MASACState, agent: int, batch: ViewBatch) -> None:
        observed, actions = batch.observed, batch.actions
        actor = trainable(of_agent(state.actors, agent))
        critic = trainable(of_agent(state.critics, agent))

        mean, log_std = gaussian(networks.mlp(observed[:, agent], actor))  # [S, B, n]
        own, log_density = squashed(mean, log_std, batch.noise)
        joint = torch.cat([actions[:, :agent], own.unsqueeze(1), actions[:, agent + 1 :]], dim=1)
        expected = twin_values(of_agent(state.critics, agent).q, observed, joint).amin(dim=1)
        with torch.no_grad():
            next_value = state_value(of_agent(state.target_values, agent), batch.next_observed)
            target = losses.td_target(batch.reward, next_value * batch.following, self.discount)
            soft_value = losses.soft_value(expected, log_density, self.temperature)
        q_loss = sum(losses.squared_error(q, target) for q in twin_values(critic.q, observed, actions).unbind(1))
        v_loss = losses.squared_error(state_value(critic.v, observed), soft_value)
        policy_loss = losses.negative_value(losses.soft_value(expected, log_density, self.temperature))
        regularizer = losses.regularizer(mean) + losses.regularizer(log_std)

        of_critic, of_actor = tensors(critic), tensors(actor)
        loss = q_loss + v_loss + policy_loss + self.regularizer * regularizer
        gradients = torch.autograd.grad(loss, of_critic + of_actor)
        with torch.no_grad():
            for optimizer, variables, own_gradients in (
                (state.critic_optimizers[agent], of_critic, gradients[: len(of_critic)]),
                (state.actor_optimizers[agent], of_actor, gradients[len(of_critic) :]),
            ):
                optimizer.step(variables, own_gradients, self.learning_rate, corrected_epsilon=True)


def gaussian(raw: Tensor) -> tuple[Tensor, Tensor]:
    """μ and log σ that a policy's raw output stands for. Shapes: [..., 2n] → [..., n] each."""
    mean, log_std = raw.chunk(2, dim=-1)
    return mean, log_std.clamp(LOWEST_LOG_STD, HIGHEST_LOG_STD)


def squashed(mean: Tensor, log_std: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """A draw a = tanh(μ + σ·ε) with its gradient, and log π(a). Shapes: [S, B, n] → [S, B, n], [S, B]."""
    action = torch.tanh(mean + log_std.exp() * noise)
    density = -0.5 * noise.square() - log_std - 0.5 * math.log(2 * math.pi) - (1 - action.square() + 1e-6).log()
    return action, density.sum(dim=-1)


def twin_values(q: MLP, observations: Tensor, actions: Tensor) -> Tensor:
    """Q₁ and Q₂ of everybody's observations and actions. Shapes: [S, A, B, D], [S, A, B, n] → [S, 2, B]."""
    inputs = torch.cat([part.transpose(1, 2).flatten(2) for part in (observations, actions)], dim=-1)
    return networks.value(inputs.unsqueeze(1).expand(-1, 2, -1, -1), q)


def state_value(v: MLP, observations: Tensor) -> Tensor:
    """V of everybody's observations. Shapes: [S, A, B, D] → [S, B]."""
    return networks.value(observations.transpose(1, 2).flatten(2), v)
