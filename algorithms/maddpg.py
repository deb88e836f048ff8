"""MADDPG: decentralised actors trained by centralised critics (Lowe et al. 2017), as openai/maddpg runs it.

`message_size=0` is the original two-layer actor. With k > 0 the actor is CTEDD's Figure 2: every agent turns its
observation into a message of k numbers for all others, and acts on its observation and theirs. Gradients pass through
the channel.

What the public code does and a textbook would not, with where it does (openai/maddpg@3ceefa0, maddpg/trainer/maddpg.py
and experiments/train.py, unless said otherwise):

 1. agents update one after the other, each on a batch of its own; agent i+1 already sees agent i's new targets;
 2. target actions are samples of the target policies, not their means;
 3. the other agents' actions in the actor's loss are the replayed ones;
 4. target networks start from their own random numbers, not as copies (`U.initialize()`, train.py);
 5. gradients are clipped to 0.5 variable by variable (tf_util.py `minimize_and_clip`), not by their joint norm;
 6. Adam at 1e-2, ε outside of the bias correction;
 7. the actor's loss holds 1e-3 times the mean square of its raw outputs, mean and log-std alike;
 8. exploration is sampling from the policy, whose std is learnt; there is no other noise and no schedule;
 9. an episode cut by the time limit is bootstrapped through;
10. one update every 100 environment steps, the first when batch size × 25 = 25 600 transitions are there.

Where we differ: all agents' critics see the full state, not the concatenated observations, because CTEDD's text gives
it to its Q-network and only the actors should differ in the comparison; actions are clipped to their box wherever they
are drawn, for the environment clips them, and a critic that is asked about forces that nothing can exert was seen to
diverge; E copies play side by side. The clip is hard: an entry of an actor's draw that leaves the box has no gradient
through the critic, and where the std has grown that was seen of two thirds of a batch. What still moves such an actor
is the regulariser, which pulls its raw outputs back: without it, `regularizer=0`, an actor all of whose draws are
clipped stands still for good. `logs_clipping` records the share. Agents of several roles are one stack, in which the
shorter observations end with zeros; everybody's critic sees everybody's actions, and learns from the agent's own
reward.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._batches import FullBatch, full_batches
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT, Copies, by_role, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import LocalPolicies, stacked, teams
from algorithms._networks import MLP, of_agent, polyak, tensors, trainable
from algorithms._optimizers import Adam, Tensors, clip_by_norm, follow
from algorithms._replay import Replay
from environments import Amount, Count, Env, Positive, Share, Streams, Whole, check

Gradients = tuple[Tensor, ...]

STD, CLIPPED = "exploration std", "share clipped"
HIGHEST_LOG_STD = 80.0
"""Where e^x nears the end of float32. Actions are clipped, so that a std this large is as good as any smaller one that
exceeds the box; but infinity times the clip's zero gradient is NaN, and was seen to end a seed's training."""


@dataclass
class MADDPGState:
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
class MADDPG:
    """Multi-agent deep deterministic policy gradient for agents of any roles with a bounded vector of actions each."""

    message_size: Whole = 0
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
    shared_reward: bool = False
    """Whether every agent learns from the sum of the rewards of its role, as games do that are `collaborative` in
    openai/multiagent-particle-envs since 6ed7cac (July 2018); before, each learnt from its own in all games."""

    logs_clipping: bool = False
    """Whether to record the share of the actors' draws that the box clips while they are updated."""

    message_updates: Literal["every listener", "sender"] = "every listener"
    """Whose optimizer steps the layers that make a message: that of every agent that hears it, in its turn; or the
    sender's, once an iteration, by the sum of what those ask for."""

    version: ClassVar[int] = 1

    @property
    def metrics(self) -> Mapping[str, str]:
        """What is measured while training."""
        counted = {
            TRAINING_RETURN: TRAINING_RETURN_UNIT,
            STD: "standard deviation of the policy's Gaussian, in units of the action's half-range; mean over its "
            "entries",
        }
        if self.logs_clipping:
            counted[CLIPPED] = (
                "share of the entries of an actor's own draws in its batch that are clipped to the box, and so have no "
                "gradient through the critic; mean over agents"
            )
        return counted

    def __post_init__(self) -> None:
        check(self)
        if self.capacity < self.n_envs:
            raise ValueError(f"capacity must hold a transition of each of n_envs = {self.n_envs}, got {self.capacity}")
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> MADDPGState:
        """Fresh networks, empty replay, new episodes."""
        every = teams(env)
        if self.message_size and len(every) > 1:
            raise ValueError(f"agents of one role only can talk, got message_size = {self.message_size} in {env.roles}")
        n_agents, n_actions = sum(team.n_agents for team in every), every[0].n_actions
        copies = Copies.of(env, streams, self.n_envs)
        n_inputs = env.full_state(copies.game).shape[-1] + n_agents * n_actions
        critic_sizes = (n_inputs, self.hidden, self.hidden, 1)
        actors, target_actors = (
            stacked([LocalPolicies.of(streams, team, self.message_size, self.hidden, 2 * n_actions) for team in every])
            for _ in range(2)
        )
        critics, target_critics = (networks.xavier(streams, critic_sizes, (n_agents,)) for _ in range(2))
        actions = copies.returns.new_zeros(streams.n_seeds, self.n_envs, n_agents, n_actions)
        return MADDPGState(
            steps=0,
            streams=streams,
            copies=copies,
            replay=Replay.of(copies.game, actions, horizon=env.horizon, capacity=self.capacity),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actors=actors,
            target_actors=target_actors,
            critics=critics,
            target_critics=target_critics,
            actor_optimizers=self._actor_optimizers(actors, n_agents),
            critic_optimizers=[Adam.of(tensors(of_agent(critics, i))) for i in range(n_agents)],
        )

    def _actor_optimizers(self, actors: LocalPolicies, n_agents: int) -> list[Adam]:
        """One an agent; where senders step what makes their messages, one more for all of these together."""
        if self.message_updates == "every listener":
            return [Adam.of(tensors(actors.reaching(i))) for i in range(n_agents)]
        return [*(Adam.of(tensors(of_agent(actors.act, i))) for i in range(n_agents)), Adam.of(tensors(actors.speak))]

    def advance(self, env: Env[Any], state: MADDPGState) -> None:
        """Play `steps_per_update` steps, then update every agent once."""
        for _ in range(self.steps_per_update // self.n_envs):
            self._play(env, state)
        state.steps += self.steps_per_update
        if state.steps >= self.first_update:
            asked = [self._update(state, agent, batch) for agent, batch in enumerate(self._batches(env, state))]
            # Only its own agent asks a target critic, so that all of them follow at once.
            polyak(state.target_critics, state.critics, self.polyak)
            if self.message_updates == "sender":
                gradients = [functools.reduce(torch.add, by_agent) for by_agent in zip(*asked, strict=True)]
                self._step(tensors(state.actors.speak), gradients, state.actor_optimizers[-1])

    def policies(self, state: MADDPGState) -> Mapping[str, Policy]:
        """The means of the actors; the environment clips them."""

        def greedy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            mean, _ = gaussian(state.actors(seen(env, game)))
            return by_role(env, mean.transpose(1, 2))

        return {"greedy": greedy}

    def exploring(self, state: MADDPGState) -> Policy:
        """Samples of the actors, as in training, from copies of the streams, which training does not feel."""
        streams = state.streams.branched()

        @torch.no_grad()
        def policy(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            mean, std = gaussian(state.actors(seen(env, game)).transpose(1, 2))
            return by_role(env, sampled(mean, std, streams.normal(*mean.shape[1:])))

        return policy

    @torch.no_grad()
    def _play(self, env: Env[Any], state: MADDPGState) -> None:
        game = state.copies.game
        mean, std = gaussian(state.actors(seen(env, game)).transpose(1, 2))  # [S, E, A, n]
        actions = sampled(mean, std, state.streams.normal(*mean.shape[1:]))
        reward, reached = state.copies.step(env, actions, state.streams, state.ledger)
        state.replay.append(game, actions, pooled(env, reward) if self.shared_reward else reward, reached)
        state.ledger.enter(STD, std)

    @torch.no_grad()
    def _batches(self, env: Env[Any], state: MADDPGState) -> list[FullBatch]:
        """What every agent learns from, drawn one after the other."""
        n_agents, n_actions = state.replay.actions_shape
        draws = [
            (
                state.replay.drawn(state.streams, self.batch_size),
                state.streams.normal(n_agents, self.batch_size, n_actions),
                state.streams.normal(self.batch_size, n_actions),
            )
            for _ in range(n_agents)
        ]
        return full_batches(env, state.replay, draws)

    def _update(self, state: MADDPGState, agent: int, batch: FullBatch) -> Gradients:
        """One agent's critic, actor and its target; what it asks of the messages, where their senders step them."""
        target = self._target(state, batch, of_agent(state.target_critics, agent))
        self._update_critic(state, agent, batch, target)
        asked = self._update_actor(state, agent, batch)
        polyak(of_agent(state.target_actors, agent), of_agent(state.actors, agent), self.polyak)
        return asked

    @torch.no_grad()
    def _target(self, state: MADDPGState, batch: FullBatch, critic: MLP) -> Tensor:
        """What the agent's critic learns, where everybody acts next as the target policies do. Shapes: [S, B]."""
        mean, std = gaussian(state.target_actors(batch.next_observed))  # [S, A, B, n]
        actions = sampled(mean, std, batch.next_noise)
        joint = torch.cat([batch.next_full_state, *actions.unbind(1)], dim=-1)
        return losses.td_target(batch.reward, networks.value(joint, critic), self.discount)

    def _update_critic(self, state: MADDPGState, agent: int, batch: FullBatch, target: Tensor) -> None:
        variables = trainable(of_agent(state.critics, agent))
        value = networks.value(batch.joint, variables)
        self._follow((value,), (losses.squared_error_slope(value, target),), variables, state.critic_optimizers[agent])

    def _update_actor(self, state: MADDPGState, agent: int, batch: FullBatch) -> Gradients:
        """∇θ J = E[∇θ a · ∇a Q], as two derivatives: the critic's by its inputs, and the actor's in its direction."""
        actor, joint = trainable(state.actors.reaching(agent)), batch.joint
        raw = actor.of_agent(batch.observed, agent)  # [S, B, 2n]
        own = sampled(*gaussian(raw), batch.noise)
        if self.logs_clipping:
            state.ledger.enter(CLIPPED, own.abs() == 1.0)
        begin = joint.shape[-1] - (batch.observed.shape[1] - agent) * own.shape[-1]
        mine = slice(begin, begin + own.shape[-1])
        joint[..., mine] = own.detach()  # over the replayed action, which has been used for the last time
        value = networks.value(joint.requires_grad_(), of_agent(state.critics, agent))
        (slope,) = torch.autograd.grad(value, joint, losses.negative_value_slope(value))
        slopes = (slope[..., mine], losses.regularizer_slope(raw, self.regularizer))
        if self.message_updates == "every listener":
            self._follow((own, raw), slopes, actor, state.actor_optimizers[agent])
            return ()
        gradients = torch.autograd.grad((own, raw), tensors(actor), slopes)
        n_spoken = len(tensors(actor.speak))
        self._step(tensors(actor.act), gradients[n_spoken:], state.actor_optimizers[agent])
        return gradients[:n_spoken]

    def _follow(self, outputs: Tensors, slopes: Tensors, network: tuple[Any, ...], optimizer: Adam) -> None:
        follow(outputs, slopes, tensors(network), optimizer, learning_rate=self.learning_rate, clip=self.clip)

    @torch.no_grad()
    def _step(self, variables: list[Tensor], gradients: Sequence[Tensor], optimizer: Adam) -> None:
        optimizer.step(variables, clip_by_norm(list(gradients), self.clip), self.learning_rate)


def gaussian(raw: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and std that a policy's raw output stands for. Source: openai/maddpg@3ceefa0 `DiagGaussianPd`."""
    mean, log_std = raw.chunk(2, dim=-1)
    return mean, log_std.clamp(max=HIGHEST_LOG_STD).exp()


def pooled(env: Env[Any], reward: Tensor) -> Tensor:
    """To every agent the sum over its role. Shapes: [S, E, A]."""
    return torch.cat([part.sum(dim=2, keepdim=True).expand_as(part) for part in by_role(env, reward)], dim=2)


def sampled(mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """A draw from the policy, clipped to the box; the noise is standard normal. Shapes: [S, …, n]."""
    return (mean + std * noise).clamp(-1.0, 1.0)
