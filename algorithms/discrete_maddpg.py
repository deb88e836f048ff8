"""MADDPG for discrete actions, as shariqiqbal2810/maddpg-pytorch and DVM's authors run it (Lowe et al. 2017).

Next to openai/maddpg (`maddpg.py`) nearly every choice is another one, so that it is an algorithm of its own rather
than a switch in that one. What the public code does, with where it does (SamirW/maddpg-pytorch@01d1741
algorithms/maddpg.py, utils/agents.py and utils/buffer.py, main.py; @0f4bfb5 for 3 and 8):

 1. agents update one after the other, each on a batch of its own; all targets follow after the last of them;
 2. in the actor's loss an agent's own action is a hard Gumbel-softmax sample at temperature 1 with the gradient of the
    soft one; the others' actions are the argmax of their present policies, not the replayed ones;
 3. exploration is ε-greedy, every agent by itself, ε falling linearly with the episodes; where ε ≤ 0.05 actions are
    Gumbel samples instead;
 4. target actions are the argmax of the target policies; targets start as copies;
 5. rewards are normalised by the mean and standard deviation of all rewards in replay;
 6. gradients are clipped to a norm of 0.5 over all variables of a network;
 7. the actor's loss holds 1e-3 times the mean square of its logits;
 8. the time limit is an end: nothing is bootstrapped from the last step of an episode (`timeout_terminal`);
 9. one update every 100 environment steps as soon as 1024 transitions are there;
10. layers start as `torch.nn.Linear` does, U(±1/√in), biases included.

Where we differ: E copies play side by side; batches are drawn with replacement; greedy tests take the argmax, where
the authors' tests draw a Gumbel sample although the paper says “no noise”.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._batches import ViewBatch, view_batches
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT, Copies, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import single_team
from algorithms._networks import MLP, clone, of_agent, polyak, tensors, trainable
from algorithms._optimizers import Adam, Tensors, follow_jointly
from algorithms._replay import Moments, Replay
from environments import Amount, Count, Discrete, Env, Positive, Share, Streams, Whole, check

EPSILON = "exploration rate"
GUMBEL_BELOW = 0.05


@dataclass
class DiscreteMADDPGState:
    """What training owns. Networks are stacked over agents: weights [S, A, out, in]."""

    steps: int
    streams: Streams
    copies: Copies
    replay: Replay
    rewards: Moments
    ledger: Ledger
    actors: MLP
    target_actors: MLP
    critics: MLP
    target_critics: MLP
    actor_optimizers: list[Adam]
    critic_optimizers: list[Adam]


@dataclass(frozen=True)
class DiscreteMADDPG:
    """Multi-agent deep deterministic policy gradient for one team that chooses among a few actions each.

    Units: `epsilon_steps`, over which ε goes from its first to its last value, in environment steps per seed.
    """

    hidden: Count = 256
    learning_rate: Amount = 1e-2
    discount: Share = 0.95
    batch_size: Count = 1024
    capacity: Count = 1_000_000
    first_update: Whole = 1_024
    steps_per_update: Count = 100
    n_envs: int = 4
    polyak: Share = 0.99
    clip: Positive = 0.5
    regularizer: Amount = 1e-3
    first_epsilon: Share = 0.3
    last_epsilon: Share = 0.0
    epsilon_steps: Count = 75_000
    timeout_terminal: bool = True
    permuted_critic: bool = False
    """Critics learn every batch with the agents in every order: `flip_critic` in the authors' last scripts."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        EPSILON: "ε, the share of actions drawn uniformly; Gumbel samples instead where it is at most 0.05",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.capacity < self.n_envs:
            raise ValueError(f"capacity must hold a transition of each of n_envs = {self.n_envs}, got {self.capacity}")
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> DiscreteMADDPGState:
        """Fresh networks, empty replay, new episodes."""
        copies = Copies.of(env, streams, self.n_envs)
        n_agents = single_team(env, Discrete).n_agents
        actors, critics = self.actors(env, streams, n_agents), self.critics(env, streams, n_agents)
        n_actions = actors[-1].weight.shape[-2]
        actions = copies.returns.new_zeros(streams.n_seeds, self.n_envs, n_agents, n_actions)
        return DiscreteMADDPGState(
            steps=0,
            streams=streams,
            copies=copies,
            replay=Replay.of(copies.game, actions, horizon=env.horizon, capacity=self.capacity),
            rewards=Moments.of(streams.n_seeds, n_agents, streams.device),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actors=actors,
            target_actors=clone(actors),
            critics=critics,
            target_critics=clone(critics),
            actor_optimizers=[Adam.of(tensors(of_agent(actors, i))) for i in range(n_agents)],
            critic_optimizers=[Adam.of(tensors(of_agent(critics, i))) for i in range(n_agents)],
        )

    def actors(self, env: Env[Any], streams: Streams, n: int) -> MLP:
        """Fresh actors, n of them. Shapes: weights [S, n, out, in]."""
        team = single_team(env, Discrete)
        sizes = (team.n_observations, self.hidden, self.hidden, team.n_actions)
        return networks.fan_in_uniform(streams, sizes, (n,))

    def critics(self, env: Env[Any], streams: Streams, n: int) -> MLP:
        """Fresh critics of all observations and actions, n of them. Shapes: weights [S, n, out, in]."""
        team = single_team(env, Discrete)
        n_inputs = team.n_agents * (team.n_observations + team.n_actions)
        return networks.fan_in_uniform(streams, (n_inputs, self.hidden, self.hidden, 1), (n,))

    def advance(self, env: Env[Any], state: DiscreteMADDPGState) -> None:
        """Play `steps_per_update` steps, then update every agent once, then all targets."""
        for _ in range(self.steps_per_update // self.n_envs):
            self._play(env, state)
        state.steps += self.steps_per_update
        if state.steps >= self.first_update:
            for agent, batch in enumerate(self._batches(env, state)):
                self._update(state, agent, batch)
            polyak(state.target_critics, state.critics, self.polyak)
            polyak(state.target_actors, state.actors, self.polyak)

    def policies(self, state: DiscreteMADDPGState) -> Mapping[str, Policy]:
        """Every actor's likeliest choice."""
        return {"greedy": self.acting(state.actors)}

    def acting(self, actors: MLP) -> Policy:
        """Every actor's likeliest choice; -1 from an actor that has diverged."""

        def greedy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            return (chosen(networks.mlp(seen(env, game), actors)).transpose(1, 2),)

        return greedy

    def divergence(self, teacher: Tensor, student: Tensor) -> Tensor:
        """KL of the softmaxes of two sets of logits. Shapes: [S, B, n] → [S, B]."""
        difference = torch.log_softmax(teacher, dim=-1) - torch.log_softmax(student, dim=-1)
        return (torch.softmax(teacher, dim=-1) * difference).sum(dim=-1)

    def valued(self, critic: MLP, observations: Tensor, actions: Tensor) -> tuple[Tensor, ...]:
        """Q alone. Shapes: [S, A, B, D], [S, A, B, n] → [S, B]."""
        return (value(critic, observations, actions),)

    def valuing(self, critic: MLP) -> tuple[MLP, ...]:
        """The network of Q."""
        return (critic,)

    def followed(self, state: DiscreteMADDPGState) -> Mapping[str, tuple[tuple[MLP, MLP], ...]]:
        """Targets beside what they follow."""
        return {
            "actor": ((state.target_actors, state.actors),),
            "critic": ((state.target_critics, state.critics),),
        }

    def epsilon(self, steps: int) -> float:
        """ε: linear from its first to its last value over `epsilon_steps`, then constant."""
        done = min(1.0, steps / self.epsilon_steps)
        return self.first_epsilon + done * (self.last_epsilon - self.first_epsilon)

    @torch.no_grad()
    def _play(self, env: Env[Any], state: DiscreteMADDPGState) -> None:
        game = state.copies.game
        logits = networks.mlp(seen(env, game), state.actors).transpose(1, 2)  # [S, E, A, n]
        epsilon = self.epsilon(state.steps)
        choices = explored(logits, epsilon, state.streams)
        reward, reached = state.copies.step(env, choices, state.streams, state.ledger)
        state.rewards.exchange(reward, state.replay.leaving())
        state.replay.append(game, one_hot(choices, logits.shape[-1]), reward, reached)
        state.ledger.enter_number(EPSILON, epsilon)

    @torch.no_grad()
    def _batches(self, env: Env[Any], state: DiscreteMADDPGState) -> list[ViewBatch]:
        """What every agent learns from, drawn one after the other."""
        n_agents, n_actions = state.replay.actions_shape
        draws = [
            (state.replay.drawn(state.streams, self.batch_size), gumbel((self.batch_size, n_actions), state.streams))
            for _ in range(n_agents)
        ]
        return view_batches(env, state.replay, draws, state.rewards, timeout_terminal=self.timeout_terminal)

    def _update(self, state: DiscreteMADDPGState, agent: int, batch: ViewBatch) -> None:
        observed = batch.observed
        with torch.no_grad():
            next_actions = likeliest(networks.mlp(batch.next_observed, state.target_actors))
            next_value = value(of_agent(state.target_critics, agent), batch.next_observed, next_actions)
            target = losses.td_target(batch.reward, next_value * batch.following, self.discount)
        critic = trainable(of_agent(state.critics, agent))
        values = [value(critic, *joint) for joint in self._shown(observed, batch.actions)]
        slopes = [losses.squared_error_slope(q, target, 1 / len(values)) for q in values]
        self._follow(values, slopes, critic, state.critic_optimizers[agent])

        actor = trainable(of_agent(state.actors, agent))
        logits = networks.mlp(observed[:, agent], actor)  # [S, B, n]
        with torch.no_grad():
            present = likeliest(networks.mlp(observed, state.actors))
        own = gumbel_softmax(logits, batch.noise)
        joint = torch.cat([present[:, :agent], own.unsqueeze(1), present[:, agent + 1 :]], dim=1)
        q = value(of_agent(state.critics, agent), observed, joint)
        slopes = [losses.negative_value_slope(q), losses.regularizer_slope(logits, self.regularizer)]
        self._follow([q, logits], slopes, actor, state.actor_optimizers[agent])

    def _shown(self, observed: Tensor, actions: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What critics learn from a batch: the agents as they are, or in every order. Shapes: [S, A, B, …]."""
        if not self.permuted_critic:
            return [(observed, actions)]
        orders = itertools.permutations(range(observed.shape[1]))
        return [(observed[:, order], actions[:, order]) for order in map(list, orders)]

    def _follow(self, outputs: Tensors, slopes: Tensors, network: MLP, optimizer: Adam) -> None:
        follow_jointly(outputs, slopes, tensors(network), optimizer, learning_rate=self.learning_rate, clip=self.clip)


def value(critic: MLP, observations: Tensor, actions: Tensor) -> Tensor:
    """Q(o₁ … o_n, a₁ … a_n). Shapes: [S, A, B, D], [S, A, B, n] → [S, B]."""
    of_all = [part.transpose(1, 2).flatten(2) for part in (observations, actions)]
    return networks.value(torch.cat(of_all, dim=-1), critic)


def likeliest(logits: Tensor) -> Tensor:
    """One-hot vectors of the largest entries. Shapes: [..., n]. Source: utils/misc.py `onehot_from_logits`."""
    return (logits == logits.amax(dim=-1, keepdim=True)).to(logits.dtype)


def chosen(logits: Tensor) -> Tensor:
    """The index of the largest entry, -1 where one is NaN. Shapes: [..., n] → [...] int64."""
    largest, index = logits.max(dim=-1)
    return index.masked_fill(largest.isnan(), -1)


def one_hot(choices: Tensor, n: int) -> Tensor:
    """Nothing but zeros for -1. Shapes: [...] int64 → [..., n]."""
    return _units(n, choices.device)[choices]


@functools.cache
def _units(n: int, device: torch.device) -> Tensor:
    """The rows of the unit matrix, and a last one of zeros. Shapes: [n + 1, n]."""
    return torch.eye(n + 1, n, device=device, dtype=torch.float32)


def gumbel(shape: tuple[int, ...], streams: Streams) -> Tensor:
    """-log(-log U): noise whose argmax with logits is a sample of their softmax. Shapes: [S, *shape]."""
    return -(1e-20 - (streams.uniform(*shape) + 1e-20).log()).log()


def gumbel_softmax(logits: Tensor, noise: Tensor) -> Tensor:
    """A one-hot sample of softmax(logits) whose gradient is the soft sample's; noise as of `gumbel`. Shapes: [S, B, n].

    Source: utils/misc.py `gumbel_softmax` with hard=True and temperature 1.
    """
    soft = torch.softmax(logits + noise, dim=-1)
    return (likeliest(soft) - soft).detach() + soft


def explored(logits: Tensor, epsilon: float, streams: Streams) -> Tensor:
    """ε-greedy choices, or samples of the softmax where ε ≤ 0.05. Shapes: [S, E, A, n] → [S, E, A] int64.

    Source: utils/agents.py@19d3ee7 `DDPGAgent.step`.
    """
    if epsilon <= GUMBEL_BELOW:
        return chosen(logits + gumbel(logits.shape[1:], streams))
    greedy = chosen(logits)
    drawn = streams.integers(*greedy.shape[1:], high=logits.shape[-1])
    explores = streams.uniform(*greedy.shape[1:]) <= epsilon
    return torch.where(explores & (greedy >= 0), drawn, greedy)
