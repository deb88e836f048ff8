"""CTEDD: centralised training and exploration, decentralised execution by policy distillation (Chen 2019).

One global policy sees the full state and moves all agents. It explores with a learnt Gaussian around its deterministic
part, and is trained by one central Q-network. Local policies that see and hear only what an agent can are then
distilled from it, on the states in replay, without another step in the environment.

    y = r + γ·Q′(s′, a′),  a′ ~ π̃′(s′)                                    equation (2)
    ∇_ω E[log π̃_ω(a|s)·(Q(s, a) - Q(s, π_θ(s))) + α·H(π̃_ω(·|s))]          equations (3), (5), on the newest steps
    ∇_θ E[Q(s, π_θ(s))]                                                    equation (4)
    ∇_φ Σ_s ‖π_φ(o) - π_θ(s)‖²                                             equation (6)

What the paper leaves open and how it is done here; the figures list every one with its reason:

 1. θ and the shared trunk learn by (4), ω by (5) alone: no gradient of (5) reaches the trunk;
 2. the target of (2) samples the target network's deterministic part plus the online spread; the spread has no target;
 3. (5) is on-policy: the batch is the steps since the last learning iteration; the advantage uses the online Q;
 4. log π̃ is of the sample before it is clipped to the box; replay holds the clipped action;
 5. the deterministic part is tanh-bounded; the spread lies in (0.001, 1) by a sigmoid, which has a gradient everywhere;
 6. targets start as copies;
 7. the entropy term of (5) is averaged over the batch, as the first term is;
 8. an iteration updates in the order of the equations, Q, θ, ω, so that (5) sees θ a step after the one that drew its
    samples; with `update_order="on-policy"` (5) comes before (4), and weighs samples of the very policy that drew them;
 9. at every `distill_every` steps fresh local policies learn from all states that replay holds, in the order of time,
    in batches of `batch_size`, each of them `distill_repeats` times, by the teacher as it is then. Between
    distillations they stand. They draw from streams of their own: the teacher does not know whether anybody is taught.

`distillations` may name other ways, each with students of every message size, by the same teacher in the same run:
"random" draws as many states, as often, from all that replay holds; "continued" students are never fresh, and learn
from the newest `distill_every` states alone. The students of the first way are "L-1" and "L-3", those of another have
its name behind theirs: "L-3 random".

All other constants are openai/maddpg's (see `maddpg.py`): γ, batch, replay, update period, first update, clip by
variable, regulariser, Adam, polyak averaging.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _losses as losses
from algorithms import _networks as networks
from algorithms._copies import TRAINING_RETURN, TRAINING_RETURN_UNIT, Copies, seen
from algorithms._ledger import Ledger
from algorithms._local_policies import LocalPolicies, single_team
from algorithms._networks import MLP, clone, polyak, tensors, trainable
from algorithms._optimizers import Adam, Tensors, clip_by_norm, descend, follow
from algorithms._replay import Replay
from environments import Amount, Count, Env, Positive, Share, Streams, Whole, check

STD = "exploration std"
DISTILLATION_STEPS = "environment steps in distillation"
LOWEST_STD = 1e-3

Distillation = Literal["chronological", "random", "continued"]


class Actor(NamedTuple):
    """The deterministic part of Figure 1: a trunk that sees the state, and a head for every agent."""

    trunk: MLP  # [S, hidden, D]
    heads: MLP  # [S, A, …]

    def features(self, full_state: Tensor) -> Tensor:
        """What all heads see. Shapes: [S, B, D] → [S, A, B, hidden]."""
        shared = networks.linear(full_state, self.trunk[0], rectified=True)
        return shared.unsqueeze(1).repeat(1, self.heads[0].weight.shape[1], 1, 1)

    def __call__(self, full_state: Tensor) -> Tensor:
        """The raw joint action, before tanh. Shapes: [S, B, D] → [S, A, B, n]."""
        return networks.mlp(self.features(full_state), self.heads)


@dataclass
class Student:
    """The local policies of one message size, and their optimizer."""

    policies: LocalPolicies
    optimizer: Adam


@dataclass
class CTEDDState:
    """What training owns."""

    steps: int
    streams: Streams
    copies: Copies
    replay: Replay
    ledger: Ledger
    actor: Actor
    spread: MLP  # the stochastic heads, [S, A, …]
    critic: MLP
    target_actor: Actor
    target_critic: MLP
    actor_optimizer: Adam
    spread_optimizer: Adam
    critic_optimizer: Adam
    students: list[Student]  # for every way of distillation, one of every message size
    distilled: int  # the step in which they were taught last
    births: Streams  # what fresh students begin with
    draws: Streams  # which states they learn from, where that is left to chance


class Recent(NamedTuple):
    """The steps since the last learning iteration, for equation (5)."""

    full_state: Tensor  # [S, B, D]
    sampled: Tensor  # [S, B, A, n] before clipping


@dataclass(frozen=True)
class CTEDD:
    """CTEDD for one team with a bounded vector of actions each; `fixed_std` replaces (5) by a constant spread."""

    message_sizes: tuple[Whole, ...] = (1, 3)
    fixed_std: Positive | None = None
    hidden: Count = 64
    learning_rate: Amount = 5e-3
    first_temperature: Amount = 0.1
    last_temperature: Amount = 1e-3
    temperature_steps: Count = 3_000_000
    distillations: tuple[Distillation, ...] = ("chronological",)
    distill_every: Count = 100_000
    distill_repeats: Whole = 4
    update_order: Literal["as numbered", "on-policy"] = "as numbered"
    discount: Share = 0.95
    batch_size: Count = 1024
    capacity: Count = 1_000_000
    first_update: Whole = 25_600
    steps_per_update: Count = 100
    n_envs: int = 25
    polyak: Share = 0.99
    clip: Positive = 0.5
    regularizer: Amount = 1e-3

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        STD: "standard deviation of the policy's Gaussian, in units of the action's half-range; mean over its entries",
        DISTILLATION_STEPS: "environment steps taken while local policies were distilled; mean over iterations",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.capacity < self.n_envs:
            raise ValueError(f"capacity must hold a transition of each of n_envs = {self.n_envs}, got {self.capacity}")
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")
        if self.distill_every % self.steps_per_update:
            raise ValueError(
                f"distill_every must be a multiple of steps_per_update = {self.steps_per_update}, "
                f"got {self.distill_every}"
            )

    def init(self, env: Env[Any], streams: Streams) -> CTEDDState:
        """Fresh networks, empty replay, new episodes."""
        team = single_team(env)
        copies = Copies.of(env, streams, self.n_envs)
        n_seen = env.full_state(copies.game).shape[-1]
        n_joint = team.n_agents * team.n_actions
        head_sizes = (self.hidden, self.hidden, team.n_actions)
        actor = Actor(
            networks.xavier(streams, (n_seen, self.hidden)), networks.xavier(streams, head_sizes, (team.n_agents,))
        )
        spread = networks.xavier(streams, head_sizes, (team.n_agents,))
        critic = networks.xavier(streams, (n_seen + n_joint, self.hidden, self.hidden, 1))
        births = streams.aside("births of students")
        born = self._born(env, births)
        actions = copies.returns.new_zeros(streams.n_seeds, self.n_envs, team.n_agents, team.n_actions)
        return CTEDDState(
            steps=0,
            streams=streams,
            copies=copies,
            replay=Replay.of(copies.game, actions, horizon=env.horizon, capacity=self.capacity),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            actor=actor,
            spread=spread,
            critic=critic,
            target_actor=clone(actor),
            target_critic=clone(critic),
            actor_optimizer=Adam.of(tensors(actor)),
            spread_optimizer=Adam.of(tensors(spread)),
            critic_optimizer=Adam.of(tensors(critic)),
            students=[student for _ in self.distillations for student in clone(born)],
            distilled=0,
            births=births,
            draws=streams.aside("draws of students"),
        )

    def advance(self, env: Env[Any], state: CTEDDState) -> None:
        """Play `steps_per_update` steps, update the global policy once, and distil where it is due."""
        played = [self._play(env, state) for _ in range(self.steps_per_update // self.n_envs)]
        state.steps += self.steps_per_update
        if state.steps >= self.first_update:
            self._update(env, state, Recent(*(torch.cat(parts, dim=1) for parts in zip(*played, strict=True))))
        before = state.steps
        if state.steps % self.distill_every == 0:
            self._distill(env, state)
        state.ledger.enter_number(DISTILLATION_STEPS, state.steps - before)

    def policies(self, state: CTEDDState) -> Mapping[str, Policy]:
        """The deterministic global policy "G", and the local ones, "L-k" for messages of k numbers."""

        def central(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
            return (torch.tanh(state.actor(env.full_state(game))).transpose(1, 2),)

        def local(student: Student) -> Policy:
            return lambda env, game: (torch.tanh(student.policies(seen(env, game))).transpose(1, 2),)

        students = zip(self._names, state.students, strict=True)
        return {"G": central} | {name: local(student) for name, student in students}

    def standing(self, state: CTEDDState) -> Mapping[str, int]:
        """Local policies stand as they are since the last distillation."""
        return dict.fromkeys(self._names, state.distilled)

    @property
    def _names(self) -> list[str]:
        first, *others = [[f"L-{size}" for size in self.message_sizes] for _ in self.distillations]
        ways = zip(self.distillations[1:], others, strict=True)
        return first + [f"{name} {way}" for way, names in ways for name in names]

    def temperature(self, steps: int) -> float:
        """α: linear from its first to its last value over `temperature_steps`, then constant."""
        done = min(1.0, steps / self.temperature_steps)
        return self.first_temperature + done * (self.last_temperature - self.first_temperature)

    def _std(self, spread: MLP, features: Tensor) -> Tensor:
        """σ_ω(s). Shapes: features [S, A, B, hidden] → [S, A, B, n]."""
        if self.fixed_std is not None:
            n_actions = spread[-1].weight.shape[-2]
            return features.new_full((*features.shape[:-1], n_actions), self.fixed_std)
        return losses.smooth_bounded(networks.mlp(features, spread), LOWEST_STD, 1.0)

    @torch.no_grad()
    def _play(self, env: Env[Any], state: CTEDDState) -> tuple[Tensor, Tensor]:
        game = state.copies.game
        full_state = env.full_state(game)
        features = state.actor.features(full_state)
        mean = torch.tanh(networks.mlp(features, state.actor.heads)).transpose(1, 2)  # [S, E, A, n]
        std = self._std(state.spread, features).transpose(1, 2)
        sampled = mean + std * state.streams.normal(*mean.shape[1:])
        clipped = sampled.clamp(-1.0, 1.0)
        reward, reached = state.copies.step(env, clipped, state.streams, state.ledger)
        state.replay.append(game, clipped, reward, reached)
        state.ledger.enter(STD, std)
        return full_state, sampled

    def _update(self, env: Env[Any], state: CTEDDState, recent: Recent) -> None:
        batch = state.replay.sample(state.streams, self.batch_size)
        full_state = env.full_state(batch.state)
        reward = batch.reward.mean(dim=-1)  # the team's reward, once: all agents are given the same
        self._update_critic(state, full_state, batch.actions, reward, env.full_state(batch.next_state))
        explores = self.fixed_std is None
        if explores and self.update_order == "on-policy":
            self._update_spread(state, recent)
        self._update_actor(state, full_state)
        if explores and self.update_order == "as numbered":
            self._update_spread(state, recent)
        polyak((state.target_critic, state.target_actor), (state.critic, state.actor), self.polyak)

    def _update_critic(
        self, state: CTEDDState, full_state: Tensor, actions: Tensor, reward: Tensor, next_full_state: Tensor
    ) -> None:
        with torch.no_grad():
            mean = torch.tanh(state.target_actor(next_full_state))  # [S, A, B, n]
            std = self._std(state.spread, state.actor.features(next_full_state))
            next_actions = (mean + std * state.streams.normal(*mean.shape[1:])).clamp(-1.0, 1.0)
            next_value = value(state.target_critic, next_full_state, next_actions)
            target = losses.td_target(reward, next_value, self.discount)
        critic = trainable(state.critic)
        predicted = value(critic, full_state, actions.transpose(1, 2))
        self._follow((predicted,), (losses.squared_error_slope(predicted, target),), critic, state.critic_optimizer)

    def _update_actor(self, state: CTEDDState, full_state: Tensor) -> None:
        actor = trainable(state.actor)
        raw = actor(full_state)
        q = value(state.critic, full_state, torch.tanh(raw))
        # Mean over each agent's own outputs, summed over agents, as every MADDPG agent has a term of its own.
        regularizer = losses.regularizer_slope(raw, self.regularizer * raw.shape[1])
        self._follow((q, raw), (losses.negative_value_slope(q), regularizer), actor, state.actor_optimizer)

    def _update_spread(self, state: CTEDDState, recent: Recent) -> None:
        with torch.no_grad():
            features = state.actor.features(recent.full_state)
            mean = torch.tanh(networks.mlp(features, state.actor.heads))
            sampled = recent.sampled.transpose(1, 2)  # [S, A, B, n]
            advantage = value(state.critic, recent.full_state, sampled.clamp(-1.0, 1.0)) - value(
                state.critic, recent.full_state, mean
            )
        spread = trainable(state.spread)
        std = self._std(spread, features)
        density = losses.gaussian_log_density(sampled.transpose(1, 2), mean.transpose(1, 2), std.transpose(1, 2))
        entropy = losses.gaussian_entropy(std.transpose(1, 2))
        loss = losses.exploration_loss(density, advantage, entropy, self.temperature(state.steps))
        descend(loss, tensors(spread), state.spread_optimizer, learning_rate=self.learning_rate, clip=self.clip)

    def _distill(self, env: Env[Any], state: CTEDDState) -> None:
        fresh = self._born(env, state.births)
        for place, way in enumerate(self.distillations):
            learning = slice(place * len(fresh), (place + 1) * len(fresh))
            if way != "continued":
                state.students[learning] = clone(fresh)
            for visited in self._visited(state, way):
                self._teach(env, state, state.students[learning], visited)
        state.distilled = state.steps

    def _born(self, env: Env[Any], streams: Streams) -> list[Student]:
        """A fresh student of every message size."""
        team = single_team(env)
        born = [LocalPolicies.of(streams, team, size, self.hidden, team.n_actions) for size in self.message_sizes]
        return [Student(policies, Adam.of(tensors(policies))) for policies in born]

    def _visited(self, state: CTEDDState, way: Distillation) -> Iterator[Any]:
        """The states that are learnt from, batch after batch. Shapes: every field [S, B, …]."""
        replay = state.replay
        newest = replay.n_steps * self.n_envs
        oldest = max(replay.oldest * self.n_envs, newest - self.distill_every if way == "continued" else 0)
        for first in range(oldest, newest, self.batch_size):
            last = min(first + self.batch_size, newest)
            batch = replay.sample(state.draws, last - first) if way == "random" else replay.numbered(first, last)
            yield batch.state

    @torch.no_grad()
    def _teach(self, env: Env[Any], state: CTEDDState, students: Sequence[Student], visited: Any) -> None:
        taught = torch.tanh(state.actor(env.full_state(visited))).mT.contiguous()  # [S, A, n, B]
        observed = seen(env, visited).mT.contiguous()
        for student in students:
            variables = tensors(student.policies)
            for _ in range(self.distill_repeats):
                gradients = clip_by_norm(student.policies.imitating(observed, taught), self.clip)
                student.optimizer.step(variables, gradients, self.learning_rate)

    def _follow(self, outputs: Tensors, slopes: Tensors, network: tuple[Any, ...], optimizer: Adam) -> None:
        follow(outputs, slopes, tensors(network), optimizer, learning_rate=self.learning_rate, clip=self.clip)


def value(critic: MLP, full_state: Tensor, actions: Tensor) -> Tensor:
    """Q(s, a). Shapes: full_state [S, B, D], actions [S, A, B, n] → [S, B]."""
    return networks.value(torch.cat([full_state, *actions.unbind(1)], dim=-1), critic)
