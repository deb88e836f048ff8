"""The kitchen sink: one policy that sees what all agents of a role see and acts for all of them (Khan et al. 2018).

It is rewarded by the least of its agents' rewards in every step. Where a game has several roles each has a kitchen
sink of its own. There are two, and what the paper leaves open is done so:

`TRPOKitchenSink`
 1. trust region policy optimisation with rllab's constants, features and baseline, on the joint observation as a vector
    and with the two layers of 100 that DiMA-PG's policies have: the paper does not say how TRPO would train a network
    with memory.

`A3CKitchenSink`
 1. all observations together are an image of agents × features with one channel, which passes two convolutions of
    2 × 2, a dense layer and an LSTM; that is the network of a public notebook (awjuliani/DeepRL-Agents, A3C-Doom), and
    what the paper is silent about is taken from there: γ = 0.99, thirty steps an update, half the squared error of the
    value with a weight of 0.5, gradients clipped to a joint norm of 40, and an episode's end has no value;
 2. images are padded with zeros, as much as keeps their size, for a role may have one agent and images one row;
 3. the policy is a Gaussian whose σ is a parameter and starts at 1, as DiMA-PG's; its entropy weighs 10⁻⁴, as Mnih et
    al. (2016) have it for actions that are vectors: with the notebook's 0.01, which is for three choices, σ was seen to
    grow in every iteration;
 4. its workers do not overtake each other: E copies play side by side, and an update is one step of Adam by the mean of
    their gradients, as long as one worker's. Sixteen workers' steps lead sixteen times as far where their gradients
    agree, and four times where noise prevails;
 5. copies are compared, which the paper does not say: the advantage, and the error by which V learns, is R - V less
    its mean over the copies at the same step. What is left of an episode falls with the time, which neither the image
    nor a memory that has not learnt to count tells: in cooperative navigation with 3 untrained agents R has a standard
    deviation of 15 over an episode, and of 0.75 over copies at one step. So compared, the mean of some 50 updates of
    the policy has as much signal as noise; else none was found in 210. V tells apart the states of one step, and its
    level is free: rewards need not be divided by 100, as the notebook's are, to keep it near 0. Nor may they be, for an
    untrained V tells copies apart by 0.14, whose returns then differ by 0.0075. rllab, by whose means the paper's
    methods are written, shows the time to baselines instead, and centres advantages. With `compared` off every copy
    learns by itself.

No rule may end a game of an `A3CKitchenSink`: one that may is refused. An iteration plays one episode of every copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from algorithms import Policy
from algorithms import _networks as networks
from algorithms._copies import LEAST_RETURN, TRAINING_RETURN, TRAINING_RETURN_UNIT, lost, playable, refuse_ends
from algorithms._ledger import Ledger
from algorithms._losses import smooth_bounded
from algorithms._networks import Linear, tensors, trainable
from algorithms._optimizers import Adam, descend_jointly
from algorithms._policies import Gaussian, StochasticPolicy, acting, in_the_box, policy_for
from algorithms._rollouts import RLLAB, Baseline, play
from algorithms._surrogates import Judged, Objective, Scored, mean_entropy, moved
from algorithms._trust_region import shaped, trust_region_step
from environments import Amount, Box, Count, Env, Positive, Role, Share, Streams, check

LEAST_RETURN_UNIT = (
    "sum over steps of the reward of the agent that got least in a training episode, with exploration; "
    "mean over the episodes since the last test"
)
ENTROPY = "entropy"
DIVERGENCE = "divergence of a step"
ACCEPTED = "steps accepted"
VALUE_ERROR = "value error"


# ---- a game as those see it who are all agents of a role ------------------------------------------------------------


class JointState(NamedTuple):
    """A game, what its agents have got so far, and whether it goes on. Shapes: returns [S, E, A], going [S, E, 1]."""

    game: Any
    returns: Tensor
    going: Tensor


@dataclass(frozen=True)
class Joint:
    """The same game with one agent a role, who sees, does and is what all of them see, do and get at the least."""

    env: Env[Any]

    version: ClassVar[int] = 1

    @property
    def may_end(self) -> bool:
        """As the game."""
        return self.env.may_end

    @property
    def horizon(self) -> int:
        """The game's."""
        return self.env.horizon

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every role as one agent."""
        return tuple(_joint(role) for role in self.env.roles)

    def reset(self, streams: Streams, n_envs: int) -> JointState:
        """The first state; nobody has got anything."""
        n_agents = sum(role.n_agents for role in self.env.roles)
        returns = torch.zeros(streams.n_seeds, n_envs, n_agents, device=streams.device)
        return JointState(self.env.reset(streams, n_envs), returns, torch.ones_like(returns[..., :1], dtype=torch.bool))

    def step(
        self, state: JointState, actions: tuple[Tensor, ...], streams: Streams
    ) -> tuple[JointState, Tensor, Tensor]:
        """One step of the game; the reward of a role is the least of its agents'. Shapes: reward [S, E, R].

        Nothing that is paid after the end is anybody's return.
        """
        game, reward, terminated = self.env.step(state.game, self.split(actions), streams)
        returns = state.returns + torch.where(state.going, reward, 0.0)
        after = JointState(game, returns, state.going & ~terminated.unsqueeze(-1))
        return after, least(self.env, reward), terminated

    def observe(self, state: JointState) -> tuple[Tensor, ...]:
        """What all agents of a role see, one after the other. Shapes: [S, E, 1, A·D]."""
        return tuple(observed.flatten(2).unsqueeze(2) for observed in self.env.observe(state.game))

    def full_state(self, state: JointState) -> Tensor:
        """The game's."""
        return self.env.full_state(state.game)

    def split(self, actions: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Joint actions as those of the agents. Shapes: [S, E, 1, A·n] → [S, E, A, n]."""
        return tuple(
            joint.squeeze(2).unflatten(-1, (role.n_agents, role.action.n))
            for joint, role in zip(actions, self.env.roles, strict=True)
        )


def _joint(role: Role) -> Role:
    """All agents of a role as one."""
    action = role.action
    if not isinstance(action, Box) or len(role.observation_shape) != 1:
        raise ValueError(f"expected roles with vectors of observations and of actions, got {role}")
    joint = Box(role.n_agents * action.n, action.low, action.high)
    return Role(role.name, 1, (role.n_agents * role.observation_shape[0],), joint)


def least(env: Env[Any], reward: Tensor) -> Tensor:
    """min_n r_n over the agents of every role. Shapes: [S, E, A] → [S, E, R]."""
    return torch.stack([part.amin(dim=-1) for part in reward.split([role.n_agents for role in env.roles], -1)], -1)


# ---- TRPO -----------------------------------------------------------------------------------------------------------


@dataclass
class TRPOState:
    """What training owns: one policy a role, and the weights of its baseline."""

    steps: int
    streams: Streams
    ledger: Ledger
    policies: tuple[StochasticPolicy, ...]
    fits: tuple[Tensor, ...]


@dataclass(frozen=True)
class TRPOKitchenSink:
    """Trust region policy optimisation for all agents of a role at once. Units: `n_trajectories` in episodes."""

    hidden: Count = 100
    n_trajectories: int = 25
    max_divergence: Positive = 0.01
    curvature_stride: Count = 5
    discount: Share = 0.99
    baseline: Baseline = RLLAB

    version: ClassVar[int] = 2
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        LEAST_RETURN: LEAST_RETURN_UNIT,
        DIVERGENCE: "KL, in nats, of a policy before a step to that after it; mean over roles and trajectories",
        ACCEPTED: "share of steps that the line search accepted; mean over roles",
        ENTROPY: "entropy of the joint policy in nats; mean over roles and trajectories",
    }

    def __post_init__(self) -> None:
        check(self)

    def init(self, env: Env[Any], streams: Streams) -> TRPOState:
        """A fresh policy for every role."""
        policies = tuple(
            policy_for(role.action, streams, (role.observation_shape[0], self.hidden, self.hidden, role.action.n))
            for role in Joint(env).roles
        )
        fits = tuple(self.baseline.blank(streams, 1, role.observation_shape[0]) for role in Joint(env).roles)
        return TRPOState(0, streams, Ledger.of(self.metrics, streams.n_seeds, streams.device), policies, fits)

    def steps_per_iteration(self, env: Env[Any]) -> int:
        """Environment steps per seed that one call of `advance` takes."""
        return env.horizon * self.n_trajectories

    def advance(self, env: Env[Any], state: TRPOState) -> None:
        """Play, and take one step within the trust region."""
        alone = torch.zeros(state.streams.n_seeds, 1, dtype=torch.int64, device=state.streams.device)
        joint = Joint(env)
        played = play(joint, state.streams, self.n_trajectories, state.policies, [alone] * len(state.policies))
        policies: list[StochasticPolicy] = []
        taus = [
            Judged.of(own, self.discount, self.baseline, fit)
            for own, fit in zip(played.chosen, state.fits, strict=True)
        ]
        state.fits = tuple(tau.fit for tau in taus)
        for policy, tau in zip(state.policies, taus, strict=True):
            scored = Scored.alone(policy, tau)
            objective = Objective.of(scored)
            step = trust_region_step(
                scored.gradient(),
                objective.curvature(self.curvature_stride),
                objective,
                max_divergence=self.max_divergence,
            )
            state.ledger.enter(DIVERGENCE, step.divergence.unsqueeze(1))
            state.ledger.enter(ACCEPTED, step.accepted.unsqueeze(1))
            state.ledger.enter(ENTROPY, mean_entropy(policy, tau).unsqueeze(1))
            policies.append(moved(policy, shaped(step.change, policy)))
        returns = played.last.returns + 0.0 * played.returns.sum(dim=-1, keepdim=True)  # NaN where a seed has diverged
        state.ledger.enter(TRAINING_RETURN, returns.sum(dim=-1))
        state.ledger.enter(LEAST_RETURN, returns.amin(dim=-1))
        state.policies = tuple(policies)
        state.steps += self.steps_per_iteration(env)

    def policies(self, state: TRPOState) -> Mapping[str, Policy]:
        """The means, and samples as in training, from copies of the streams, which training does not feel."""

        def split(central: Policy) -> Policy:
            def of_agents(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
                joint = Joint(env)
                return joint.split(central(joint, JointState(game, torch.empty(0), torch.empty(0))))

            return of_agents

        sampled = acting(state.policies, state.streams.branched())
        return {"greedy": split(acting(state.policies)), "sampled": split(sampled)}


# ---- A3C ------------------------------------------------------------------------------------------------------------


class Memory(NamedTuple):
    """An LSTM's. Shapes: [S, E, H]."""

    cell: Tensor
    output: Tensor


class Recurrent(NamedTuple):
    """Two convolutions, a dense layer and an LSTM, with a policy and a value of what it puts out."""

    first: Linear
    second: Linear
    dense: Linear
    gates: Linear
    policy: Gaussian
    value: Linear

    @classmethod
    def of(cls, streams: Streams, role: Role, hidden: int) -> Recurrent:
        """A fresh one for all agents of a role: 16 and 32 channels, `hidden` units, the policy's means near 0."""
        (n_inputs,) = _joint(role).observation_shape
        n_outputs = _joint(role).action.n
        sizes = ((4, 16), (4 * 16, 32), (32 * n_inputs, hidden), (2 * hidden, 4 * hidden), (hidden, n_outputs))
        first, second, dense, gates, mean = (networks.xavier(streams, layer)[0] for layer in sizes)
        policy = Gaussian((Linear(0.01 * mean.weight, mean.bias),), torch.zeros_like(mean.bias))
        return cls(first, second, dense, gates, policy, networks.xavier(streams, (hidden, 1))[0])

    def features(self, images: Tensor) -> Tensor:
        """What the LSTM sees. Shapes: [S, B, A, D] → [S, B, H]."""
        x = images.unsqueeze(-1)
        for layer in (self.first, self.second):
            x = elu(convolved(x, layer))
        return elu(networks.linear(x.flatten(2), self.dense))

    def remembered(self, x: Tensor, memory: Memory) -> Memory:
        """One step of the LSTM; what it keeps is biased by 1. Source: TensorFlow's `BasicLSTMCell`."""
        gates = networks.linear(torch.cat([x, memory.output], dim=-1), self.gates)
        entering, new, kept, leaving = gates.chunk(4, dim=-1)
        cell = memory.cell * sigmoid(kept + 1.0) + sigmoid(entering) * torch.tanh(new)
        return Memory(cell, torch.tanh(cell) * sigmoid(leaving))

    def blank(self, n_envs: int) -> Memory:
        """At an episode's beginning."""
        zero = self.gates.weight.new_zeros(self.gates.weight.shape[0], n_envs, self.dense.weight.shape[-2])
        return Memory(zero, zero)


def convolved(x: Tensor, layer: Linear) -> Tensor:
    """A convolution of 2 × 2 that keeps the image's size, by zeros below and to the right.

    Shapes: x [S, B, A, D, C], weight [S, C′, 4·C] → [S, B, A, D, C′].
    """
    n_rows, n_columns = x.shape[2:4]
    padded = pad(x, (0, 0, 0, 1, 0, 1))
    corners = [padded[:, :, i : i + n_rows, j : j + n_columns] for i in range(2) for j in range(2)]
    patches = torch.cat(corners, dim=-1)  # [S, B, A, D, 4·C]
    image: Tensor = networks.linear(patches.flatten(1, 3), layer).unflatten(1, x.shape[1:4])
    return image


def elu(x: Tensor) -> Tensor:
    """x where it is positive, else exp(x) - 1; with exp, not expm1, which rounds by where a number stands in memory."""
    return torch.where(x > 0, x, x.clamp(max=0.0).exp() - 1.0)


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return smooth_bounded(x, 0.0, 1.0)


class Segment(NamedTuple):
    """Some steps of one role, and its memory before the first and after the last of them.

    Shapes: image [S, T, E, A, D], action [S, T, E, n], reward, which is the least of the agents', [S, T, E].
    """

    image: Tensor
    action: Tensor
    reward: Tensor
    start: Memory
    end: Memory


@dataclass
class A3CState:
    """What training owns: one network a role."""

    steps: int
    streams: Streams
    ledger: Ledger
    networks: tuple[Recurrent, ...]
    optimizers: list[Adam]


@dataclass(frozen=True)
class A3CKitchenSink:
    """Advantage actor-critic with a memory for all agents of a role at once. Units: `n_steps` a copy and update."""

    hidden: Count = 256
    learning_rate: Amount = 1e-4
    discount: Share = 0.99
    n_steps: int = 30
    n_envs: int = 16
    reward_scale: Positive = 1.0
    compared: bool = True
    value_weight: Amount = 0.5
    entropy_weight: Amount = 1e-4
    clip: Positive = 40.0

    version: ClassVar[int] = 3
    metrics: ClassVar[Mapping[str, str]] = {
        TRAINING_RETURN: TRAINING_RETURN_UNIT,
        LEAST_RETURN: LEAST_RETURN_UNIT,
        VALUE_ERROR: "squared error of the value, without what all copies share at a step if they are compared, in "
        "squares of the scaled reward; mean over roles, steps and copies",
        ENTROPY: "entropy of the joint policy in nats; mean over roles",
    }

    def __post_init__(self) -> None:
        check(self)
        if self.compared and self.n_envs < 2:
            raise ValueError(f"n_envs must be at least 2 where copies are compared, got {self.n_envs}")

    def init(self, env: Env[Any], streams: Streams) -> A3CState:
        """A fresh network for every role."""
        refuse_ends(env)
        learnt = tuple(Recurrent.of(streams, role, self.hidden) for role in env.roles)
        return A3CState(
            steps=0,
            streams=streams,
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            networks=learnt,
            optimizers=[Adam.of(tensors(network)) for network in learnt],
        )

    def steps_per_iteration(self, env: Env[Any]) -> int:
        """Environment steps per seed that one call of `advance` takes."""
        return env.horizon * self.n_envs

    def advance(self, env: Env[Any], state: A3CState) -> None:
        """Play one episode of every copy, and learn after every `n_steps`."""
        game = env.reset(state.streams, self.n_envs)
        memories = [network.blank(self.n_envs) for network in state.networks]
        returns: Tensor | float = 0.0
        for first in range(0, env.horizon, self.n_steps):
            n_steps = min(self.n_steps, env.horizon - first)
            game, segments, got = self._played(env, state, game, memories, n_steps)
            over = first + n_steps == env.horizon
            for r, segment in enumerate(segments):
                network = state.networks[r]
                following = torch.zeros_like(segment.reward[:, 0])
                if not over:
                    following = expected(network, env.observe(game)[r], segment.end)
                target = n_step_returns(segment.reward, following, self.discount)
                self._learn(state, r, segment, target)
            memories, returns = [segment.end for segment in segments], returns + got
        assert isinstance(returns, Tensor)
        state.ledger.enter(TRAINING_RETURN, returns.sum(dim=-1))
        state.ledger.enter(LEAST_RETURN, returns.amin(dim=-1))
        state.steps += self.steps_per_iteration(env)

    def policies(self, state: A3CState) -> Mapping[str, Policy]:
        """The means, and samples as in training, from copies of the streams, which training does not feel.

        A policy remembers: it is played from the first step of an episode, whose end it knows.
        """

        def fresh(streams: Streams | None = None) -> Policy:
            memories: list[Memory] = []
            elapsed = 0

            @torch.no_grad()
            def play_one_step(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
                nonlocal elapsed
                observed = env.observe(game)
                if elapsed % env.horizon == 0:
                    memories[:] = [network.blank(observed[0].shape[1]) for network in state.networks]
                elapsed += 1
                actions = []
                for r, network in enumerate(state.networks):
                    memories[r] = network.remembered(network.features(observed[r]), memories[r])
                    raw = network.policy.raw(memories[r].output)
                    noise = None if streams is None else network.policy.noise(streams, raw.shape[1])
                    actions.append(raw if noise is None else network.policy.drawn(raw, noise))
                return played_by_each(env, actions)

            return play_one_step

        return {"greedy": fresh(), "sampled": fresh(state.streams.branched())}

    @torch.no_grad()
    def _played(
        self, env: Env[Any], state: A3CState, game: Any, memories: Sequence[Memory], n_steps: int
    ) -> tuple[Any, list[Segment], Tensor]:
        """Some steps of all copies: the game after them, what every role went through, and what every agent got."""
        now = list(memories)
        steps: list[list[tuple[Tensor, Tensor]]] = [[] for _ in now]
        rewards = []
        got: Tensor | float = 0.0
        for _ in range(n_steps):
            missing: Tensor | float = 0.0
            for r, image in enumerate(env.observe(game)):
                network = state.networks[r]
                now[r] = network.remembered(network.features(image), now[r])
                raw = network.policy.raw(now[r].output)
                action = network.policy.drawn(raw, network.policy.noise(state.streams, self.n_envs))
                steps[r].append((image, action))
                missing = missing + lost(action)
            game, reward, _ = env.step(
                game, played_by_each(env, [playable(of_role[-1][1]) for of_role in steps]), state.streams
            )
            assert isinstance(missing, Tensor)
            got = got + reward + missing.unsqueeze(-1)
            rewards.append(self.reward_scale * least(env, reward))
        assert isinstance(got, Tensor)
        of_roles = torch.stack(rewards, dim=1).unbind(-1)  # [S, T, E] each
        segments = [
            Segment(
                _in_order(image for image, _ in taken), _in_order(action for _, action in taken), reward, start, end
            )
            for taken, reward, start, end in zip(steps, of_roles, memories, now, strict=True)
        ]
        return game, segments, got

    def _learn(self, state: A3CState, r: int, segment: Segment, target: Tensor) -> None:
        """One step of Adam for a role, on losses summed over steps and averaged over copies."""
        network = trainable(state.networks[r])
        features = network.features(segment.image.flatten(1, 2)).unflatten(1, target.shape[1:])
        outputs, memory = [], segment.start
        for x in features.unbind(1):
            memory = network.remembered(x, memory)
            outputs.append(memory.output)
        output = torch.cat(outputs, dim=1)  # [S, T·E, H]
        raw, value = network.policy.raw(output), networks.value(output, (network.value,))
        error = target - value.unflatten(1, target.shape[1:])
        advantage = (among_copies(error) if self.compared else error).flatten(1)
        density = network.policy.log_density(raw, segment.action.flatten(1, 2))
        entropy = network.policy.entropy(raw)
        squared = advantage.square()
        of_value = self.value_weight * 0.5 * squared
        of_policy = -density * advantage.detach() - self.entropy_weight * entropy
        loss = (of_value + of_policy).sum() / self.n_envs
        descend_jointly(loss, tensors(network), state.optimizers[r], learning_rate=self.learning_rate, clip=self.clip)
        state.ledger.enter(VALUE_ERROR, squared)
        state.ledger.enter(ENTROPY, entropy)


def _in_order(steps: Iterable[Tensor]) -> Tensor:
    """Shapes: T times [S, E, …] → [S, T, E, …]."""
    return torch.stack(list(steps), dim=1)


@torch.no_grad()
def expected(network: Recurrent, image: Tensor, memory: Memory) -> Tensor:
    """V of a state that the memory leads up to. Shapes: image [S, E, A, D] → [S, E]."""
    output = network.remembered(network.features(image), memory).output
    return networks.value(output, (network.value,))


def n_step_returns(reward: Tensor, following: Tensor, discount: float) -> Tensor:
    """R_t = r_t + γ·R_{t+1}, where R after the last step is `following`. Shapes: [S, T, E], [S, E] → [S, T, E]."""
    returns = []
    for r in reversed(reward.unbind(1)):
        following = r + discount * following
        returns.append(following)
    return torch.stack(returns[::-1], dim=1)


def among_copies(x: Tensor) -> Tensor:
    """x_e - 1/E Σ_f x_f: what is above the mean of all copies at the same step. Shapes: [S, T, E]."""
    return x - x.mean(dim=2, keepdim=True)


def played_by_each(env: Env[Any], joint: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What every agent does where its role does so in all; NaN is kept. Shapes: [S, E, A·n] → [S, E, A, n] a role."""
    return tuple(
        in_the_box(role.action, action.unflatten(-1, (role.n_agents, -1)))
        for role, action in zip(env.roles, joint, strict=True)
    )
