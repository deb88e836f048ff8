"""MACE: coordinated exploration with a hierarchical variational policy, and its two baselines (Zheng and Yue 2018).

All agents see the same picture s of a game on a grid, through one network φ. What differs is how they act on it:

- `Cloned`: every agent draws from one and the same distribution, P(aⁱ|s) ∝ exp(W·φ);
- `Shared`: every agent has a head Wⁱ of its own over φ and one shared layer μ(φ), P(aⁱ|s) ∝ exp(Wⁱ·[φ, μ]);
- `MACE`: in the place of μ there is a latent λ, drawn anew at every step and the same for all agents, so that what they
  try varies together (equations (9) to (15)):

      λ = μ(φ) + σ(φ)·ε,  ε ~ N(0, I);        P(a|s, λ) = Π_i P(aⁱ|s, λ) ∝ Π_i exp(Wⁱ·[φ, λ])

Each is trained by advantage actor-critic: minus

    Σ_t [Σ_i log P(aⁱ|s, λ)·Aⁱ + β·Σ_i H(P(·ⁱ|s, λ)) - α·½·Σ_i (Rⁱ - Vⁱ(s))² - β_KL·KL(N(μ, σ²) ‖ N(0, I))]

where Aⁱ is the generalised advantage of the agent's own reward, and the gradient reaches μ and σ through λ. Only agents
that can still act count in the first two sums.

With `latent_lasts="episode"` a copy of the game draws ε where an episode begins and keeps it until it ends; λ follows
μ(φ) and σ(φ) of every state, so that its gradient is that of the equation above, summed over all steps of the episode.

What the paper leaves open and how it is done here; where nothing else is said, as in ikostrikov/pytorch-a3c@21bb228
train.py, whose arguments (`tau`, `value-loss-coef`, …) are those of the paper's Table 2:

 1. A3C's asynchronous threads are `n_envs` copies of the game in step, with one update of all;
 2. the loss is summed over the steps of a rollout and over agents, and averaged over copies; its gradient is clipped to
    a joint norm of 40, so that rollouts without a reward, which are most, weigh no more than they should; Adam;
 3. V is taught the discounted reward of the rollout, Rⁱ, bootstrapped from V(s) after its last step;
 4. the time limit is an end, as it is a rule of these games: nothing is bootstrapped from the end of an episode;
 5. equation (8) weights the KL term by R, which would be nothing in all episodes that fail, and leave σ free to vanish;
    equation (10), called KL-controlled, has none: here it is added, with a weight β_KL of its own;
 6. φ is two convolutions of 3×3, stride 2, 16 and 32 wide, and a layer of 256; λ has 16 entries; Vⁱ sees φ alone;
 7. Shared's layer is as wide as λ and linear, as μ is: MACE without σ and without KL is Shared;
 8. a hunter that is frozen has no choice: of `Freezing` games it counts in V and its reward alone, for else most of the
    gradient would fall on choices that nobody plays (of Σ|Aⁱ| from reward, in the paid rollouts of random play with 10
    against 10: 90 % in Hare-Hunters, where one is free at the end, 96 to 99 % in Stag-Hunters);
 9. all weights are Xavier-uniform and biases zero, the heads' too, where pytorch-a3c begins with next to no preference:
    then λ would move nobody before training, which the paper's Figure 5 says it does. How much untrained agents stray
    hangs on it: `head_scale` multiplies the heads' first weights, `normalised` gives what follows φ a mean of 0 and a
    variance of 1 over φ's entries, and with `sees_time` φ also sees the share of the horizon that is over.

With `search`, every seed draws hyper-parameters of its own from Table 2 (`RANGES`), the same whatever the policy, and
so the seed axis is the random search; η between `slowest` and `fastest`, so that a search can be made stratum by
stratum. A `kl_weight` of 0 stays 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from algorithms import Policy
from algorithms import _grids as grids
from algorithms import _networks as networks
from algorithms._episodes import EPISODE_METRICS, Episodes
from algorithms._grids import Layers
from algorithms._ledger import Ledger
from algorithms._networks import Linear, tensors, trainable
from algorithms._optimizers import Adam, clip_by_joint_norm
from environments import Amount, Count, Discrete, Env, GridEnv, Positive, Share, Streams, check

ENTROPY, SIGMA, KL = "entropy", "latent std", "latent KL"
LOWEST_LOG_STD, HIGHEST_LOG_STD = -20.0, 2.0
RANGES = {
    "learning_rate": (1e-6, 1e-1),
    "discount": (0.9, 0.99),
    "trace_decay": (0.9, 0.99),
    "value_weight": (0.1, 0.5),
    "entropy_weight": (0.0, 0.01),
    "kl_weight": (1e-3, 1e-2),
}
"""Of the search: η, γ, GAE's τ, α and β as in Table 2; that of β_KL is ours. η is drawn log-uniformly, all else
uniformly."""


@runtime_checkable
class Freezing(Protocol):
    """What a game on a grid also has where agents freeze while it goes on, and are paid at its end all the same."""

    def free(self, state: Any) -> Tensor:
        """Who can still act; what the others choose is ignored. Shapes: [S, E, A] bool."""


@runtime_checkable
class Clocked(Protocol):
    """What a game on a grid also has where its state tells how long it has lasted."""

    def elapsed(self, state: Any) -> Tensor:
        """Steps. Shapes: [S, E]."""


class Network(NamedTuple):
    """All that is learnt. Rows of `heads` are agent 0's choices, then agent 1's …, i.e. the Wⁱ one after the other.

    `latent` is μ and log σ of MACE, μ of Shared, nothing of Cloned, which has one head and one value for all. The
    trunk is a `Trunk`, `Still` where nothing is learnt, and empty where several networks have one that lies elsewhere.
    """

    trunk: Any
    latent: tuple[Linear, ...]
    heads: Linear
    value: Linear


class Distribution(NamedTuple):
    """What agents may do, and why. Shapes: log_probability [S, B, A, n]; of λ [S, B, m], m = 0 where there is none."""

    log_probability: Tensor
    latent: Tensor
    mean: Tensor
    log_std: Tensor


class Decision(NamedTuple):
    """One step of all agents. λ is drawn from N(mean, std²), where it is drawn at all.

    Shapes: latent, mean and std [S, E, m], m = 0 where there is none; actions [S, E, A] int64, -1 where the policy has
    diverged.
    """

    latent: Tensor
    mean: Tensor
    std: Tensor
    actions: Tensor


@dataclass
class Settings:
    """The hyper-parameters that seeds may have of their own. Shapes: [S] each."""

    learning_rate: Tensor
    discount: Tensor
    trace_decay: Tensor
    value_weight: Tensor
    entropy_weight: Tensor
    kl_weight: Tensor


class Rollout(NamedTuple):
    """What was played.

    Shapes: T times Layers; noise [S, T·E, m]; free, actions and reward [S, T, E, A]; ended [S, T, E].
    """

    layers: list[Layers]
    noise: Tensor
    free: Tensor
    actions: Tensor
    reward: Tensor
    ended: Tensor


class Terms(NamedTuple):
    """What the loss of a step consists of, each summed over agents or over λ's entries. Shapes: [S, B] each.

    Gain and entropy are sums over agents that can act.
    """

    gain: Tensor
    error: Tensor
    entropy: Tensor
    divergence: Tensor


@dataclass
class MACEState:
    """What training owns. Shapes: noise [S, E, m], the ε of every copy's last step."""

    steps: int
    streams: Streams
    settings: Settings
    episodes: Episodes
    noise: Tensor
    ledger: Ledger
    network: Network
    optimizer: Adam


@dataclass(frozen=True)
class MACE:
    """Advantage actor-critic for one team on a grid, with one of three policies.

    Units: `steps_per_update` in environment steps per seed, over all copies.
    Raises: ValueError where the copies do not share the steps of an update evenly.
    """

    policy: Literal["MACE", "Shared", "Cloned"] = "MACE"
    search: bool = False
    learning_rate: Amount = 1e-3
    discount: Share = 0.99
    trace_decay: Share = 0.95
    value_weight: Amount = 0.5
    entropy_weight: Amount = 0.001
    kl_weight: Amount = 3e-3
    clip: Positive = 40.0
    steps_per_update: Count = 320
    n_envs: int = 16
    widths: tuple[Count, Count] = (16, 32)
    hidden: Count = 256
    latent_size: Count = 16
    latent_lasts: Literal["step", "episode"] = "step"
    head_scale: Positive = 1.0
    normalised: bool = False
    sees_time: bool = False
    slowest: Positive = 1e-6
    fastest: Positive = 1e-1

    version: ClassVar[int] = 2

    def __post_init__(self) -> None:
        check(self)
        if self.steps_per_update % self.n_envs:
            raise ValueError(f"n_envs must divide steps_per_update = {self.steps_per_update}, got {self.n_envs}")

    @property
    def metrics(self) -> Mapping[str, str]:
        """What is measured while training; of a search also what was drawn, which never changes."""
        counted = dict(EPISODE_METRICS) | {
            ENTROPY: "entropy of an agent's choice given λ, in nats; mean over agents that can act",
        }
        if self.policy == "MACE":
            counted[SIGMA] = "standard deviation of λ given the state; mean over its entries"
            counted[KL] = "KL of λ's distribution from the standard normal, in nats, summed over its entries"
        if self.search:
            counted |= {f"drawn {field.name}": "the seed's hyper-parameter" for field in fields(Settings)}
        return counted

    def init(self, env: Env[Any], streams: Streams) -> MACEState:
        """Hyper-parameters, new episodes, and fresh networks, drawn in this order."""
        grid = self._playable(env)
        settings = self._settings(streams)
        episodes = Episodes.of(grid, streams, self.n_envs)
        network = self._network(grid, streams)
        return MACEState(
            steps=0,
            streams=streams,
            settings=settings,
            episodes=episodes,
            noise=torch.zeros(streams.n_seeds, self.n_envs, self.latent_size, device=streams.device),
            ledger=Ledger.of(self.metrics, streams.n_seeds, streams.device),
            network=network,
            optimizer=Adam.of(tensors(network)),
        )

    def advance(self, env: Env[Any], state: MACEState) -> None:
        """Play a rollout in every copy, then update once."""
        rollout = self._play(env, state)
        self._update(env, state, rollout)
        state.steps += self.steps_per_update
        if self.search:
            for field in fields(Settings):
                state.ledger.enter(f"drawn {field.name}", getattr(state.settings, field.name)[:, None])

    def policies(self, state: MACEState) -> Mapping[str, Policy]:
        """The policy as it plays, λ and actions drawn; from copies of the streams, which training does not feel.

        An ε that lasts an episode is drawn at the first call: games that are played with one policy begin together.
        """
        return {"sampled": sampled(self, state.network, state.streams.branched())}

    @torch.no_grad()
    def decision(self, env: Env[Any], game: Any, network: Network, noise: Tensor, unit: Tensor) -> Decision:
        """What λ is, and what the agents do, in one step of a game, by draws of ε and of U[0, 1).

        Shapes: noise [S, E, m], unit [S, E, A].
        """
        grid = on_a_grid(env)
        features = grids.phi(grid.cells(game), grid.planes, network.trunk, self.beside(env, game))
        acting = distribution(self.read(features), network, noise, unit.shape[2])
        return Decision(acting.latent, acting.mean, acting.log_std.exp(), drawn(acting.log_probability, unit))

    def beside(self, env: Env[Any], game: Any) -> Tensor | None:
        """What φ sees beside the picture. Shapes: [S, E, 1], or None."""
        if not self.sees_time:
            return None
        return (cast(Clocked, env).elapsed(game) / env.horizon).unsqueeze(-1)

    def read(self, features: Tensor) -> Tensor:
        """φ as what follows it reads it. Shapes: [S, B, hidden]."""
        return torch.nn.functional.layer_norm(features, features.shape[-1:]) if self.normalised else features

    def renewed(self, fresh: Tensor, kept: Tensor, begins: Tensor) -> Tensor:
        """The ε of a step: fresh, or that of the step before where it lasts and no episode begins.

        Shapes: fresh and kept [S, E, m], begins [S, E] bool; returns [S, E, m].
        """
        return fresh if self.latent_lasts == "step" else torch.where(begins.unsqueeze(-1), fresh, kept)

    def _playable(self, env: Env[Any]) -> GridEnv[Any]:
        """The same game, whose marks can be asked for.

        Raises: ValueError where it is none on a grid, or does not tell the time that is to be seen.
        """
        grid = on_a_grid(env)
        if self.sees_time and not isinstance(env, Clocked):
            raise ValueError(f"expected a game that tells how long it has lasted, because sees_time is set, got {env}")
        return grid

    def _settings(self, streams: Streams) -> Settings:
        """The seeds' hyper-parameters. Their draws are made even where there is no search."""
        names = [field.name for field in fields(Settings)]
        unit = streams.uniform(len(names)).tolist()
        rows = [[self._setting(name, u) for name, u in zip(names, row, strict=True)] for row in unit]
        return Settings(*torch.tensor(rows, device=streams.device).t().contiguous().unbind(0))

    def _setting(self, name: str, unit: float) -> float:
        """A hyper-parameter: the field's value, or in a search what a draw of U[0, 1) stands for."""
        own = float(getattr(self, name))
        if not self.search or (name == "kl_weight" and own == 0.0):
            return own
        low, high = (self.slowest, self.fastest) if name == "learning_rate" else RANGES[name]
        if name == "learning_rate":
            return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
        return low + unit * (high - low)

    def _network(self, grid: GridEnv[Any], streams: Streams) -> Network:
        """Fresh weights."""
        (role,) = grid.roles
        cloned = self.policy == "Cloned"
        n_heads, n_latents = (1, 0) if cloned else (role.n_agents, self.latent_size)
        n_layers = {"MACE": 2, "Shared": 1, "Cloned": 0}[self.policy]
        trunk = grids.trunk(streams, grid.planes, self.widths, self.hidden, int(self.sees_time))
        latent = tuple(networks.xavier(streams, (self.hidden, self.latent_size))[0] for _ in range(n_layers))
        (heads,) = networks.xavier(streams, (self.hidden + n_latents, role.action.n), (n_heads,))
        (value,) = networks.xavier(streams, (self.hidden, 1), (n_heads,))
        heads = heads._replace(weight=heads.weight * self.head_scale)
        return Network(trunk, latent, flat(heads), flat(value))

    @torch.no_grad()
    def _play(self, env: Env[Any], state: MACEState) -> Rollout:
        """`steps_per_update` steps over all copies."""
        grid, trunk = on_a_grid(env), state.network.trunk
        layers, steps = [], []
        for fresh, unit in self.draws(env, state.streams):
            game, state.noise = state.episodes.game, self.renewed(fresh, state.noise, state.episodes.elapsed == 0)
            layers.append(grids.seen(grid.cells(game), grid.planes, trunk, self.beside(env, game)))
            acting = distribution(self.read(layers[-1].features), state.network, state.noise, unit.shape[2])
            actions, able = drawn(acting.log_probability, unit), free(env, game, unit)
            came = state.episodes.step(grid, (actions,), state.streams, state.ledger)
            steps.append((state.noise, able, actions, *came))
        noise, *others = (torch.stack(column, dim=1) for column in zip(*steps, strict=True))
        return Rollout(layers, noise.flatten(1, 2), *others)

    def draws(self, env: Env[Any], streams: Streams) -> Iterator[tuple[Tensor, Tensor]]:
        """For every step of a rollout ε [S, E, m] and what choices are drawn by [S, E, A].

        Every policy makes the same draws, so that all of them meet the same episodes as long as they act alike.
        """
        (role,) = env.roles
        length = self.steps_per_update // self.n_envs
        noise = streams.normal(length, self.n_envs, self.latent_size)
        unit = streams.uniform(length, self.n_envs, role.n_agents)
        yield from zip(noise.unbind(1), unit.unbind(1), strict=True)

    def _update(self, env: Env[Any], state: MACEState, rollout: Rollout) -> None:
        """One step of Adam, every seed at its own rate."""
        grid, (role,) = on_a_grid(env), env.roles
        network = trainable(state.network)
        features = self.read(grids.features(rollout.layers, grid.planes, network.trunk))
        acting = distribution(features, network, rollout.noise, role.n_agents)
        value = valued(features, network, role.n_agents)
        with torch.no_grad():
            returns, advantage = judged(rollout, value, self._following(env, state), state.settings)
        able = rollout.free.flatten(1, 2)
        terms = terms_of(rollout.actions.flatten(1, 2), acting, returns - value, advantage, able)
        variables = tensors(network)
        gradients = torch.autograd.grad(loss(terms, state.settings) / self.n_envs, variables)
        with torch.no_grad():
            rate = state.settings.learning_rate
            state.optimizer.step(variables, clip_by_joint_norm(gradients, self.clip), rate, corrected_epsilon=True)
        state.ledger.enter(ENTROPY, terms.entropy / able.sum(dim=-1))
        if self.policy == "MACE":
            state.ledger.enter(SIGMA, acting.log_std.exp())
            state.ledger.enter(KL, terms.divergence)

    def _following(self, env: Env[Any], state: MACEState) -> Tensor:
        """V of where the rollout has ended. Shapes: [S, E, A]."""
        grid, game = on_a_grid(env), state.episodes.game
        features = grids.phi(grid.cells(game), grid.planes, state.network.trunk, self.beside(env, game))
        return valued(self.read(features), state.network, env.roles[0].n_agents)


def on_a_grid(env: Env[Any]) -> GridEnv[Any]:
    """The same game, whose marks can be asked for.

    Raises: ValueError where it is not on a grid, or is not played by one role with choices.
    """
    roles = env.roles
    if len(roles) != 1 or not isinstance(roles[0].action, Discrete) or getattr(env, "planes", None) is None:
        raise ValueError(f"expected one role with discrete actions in a game on a grid, got {env}")
    return cast(GridEnv[Any], env)


def free(env: Env[Any], game: Any, like: Tensor) -> Tensor:
    """Who can still act: everybody, where a game freezes nobody. Shapes: as `like` [S, E, A], bool."""
    return env.free(game) if isinstance(env, Freezing) else torch.ones_like(like, dtype=torch.bool)


# ---- acting ---------------------------------------------------------------------------------------------------------


def distribution(features: Tensor, network: Network, noise: Tensor, n_agents: int) -> Distribution:
    """λ = μ(φ) + σ(φ)·ε, and log P(aⁱ|s, λ) of every choice. Shapes: [S, B, hidden], noise [S, B, m]."""
    empty = features[..., :0]
    mean, log_std = (*(networks.linear(features, layer) for layer in network.latent), empty, empty)[:2]
    if len(network.latent) == 2:
        log_std = log_std.clamp(LOWEST_LOG_STD, HIGHEST_LOG_STD)
        latent = mean + log_std.exp() * noise
    else:
        latent = mean
    logits = networks.linear(torch.cat([features, latent], dim=-1), network.heads)  # [S, B, heads·n]
    n_heads = network.value.weight.shape[1]
    log_probability = torch.log_softmax(logits.unflatten(2, (n_heads, -1)), dim=-1)
    return Distribution(log_probability.expand(-1, -1, n_agents, -1), latent, mean, log_std)


def valued(features: Tensor, network: Network, n_agents: int) -> Tensor:
    """Vⁱ(s). Shapes: [S, B, hidden] → [S, B, A]."""
    return networks.linear(features, network.value).expand(-1, -1, n_agents)


def drawn(log_probability: Tensor, unit: Tensor) -> Tensor:
    """The choices that draws of U[0, 1) stand for, -1 where a probability is NaN. Shapes: [..., n], [...] → [...]."""
    below = log_probability.exp().cumsum(dim=-1)[..., :-1] <= unit.unsqueeze(-1)
    return below.sum(dim=-1).masked_fill(log_probability.isnan().any(dim=-1), -1)


def sampled(algorithm: MACE, network: Network, streams: Streams) -> Policy:
    """The policy of a network, λ and actions drawn."""
    kept: list[Tensor] = []

    def play(env: Env[Any], game: Any) -> tuple[Tensor, ...]:
        (role,) = env.roles
        n_envs = on_a_grid(env).cells(game).shape[1]
        noise = streams.normal(n_envs, algorithm.latent_size)
        if algorithm.latent_lasts == "step" or not kept:
            kept[:] = [noise]
        return (algorithm.decision(env, game, network, kept[0], streams.uniform(n_envs, role.n_agents)).actions,)

    return play


# ---- learning -------------------------------------------------------------------------------------------------------


def judged(rollout: Rollout, value: Tensor, following: Tensor, settings: Settings) -> tuple[Tensor, Tensor]:
    """The discounted rewards Rⁱ of a rollout, bootstrapped from what follows it, and the advantages Aⁱ.

        R_t = r_t + γ·(1 - ended_t)·R_{t+1},                            R_T = V(s_T)
        A_t = r_t + γ·(1 - ended_t)·(V(s_{t+1}) + τ·A_{t+1}) - V(s_t),    A_T = 0

    Shapes: value [S, T·E, A], following [S, E, A]; returns two of [S, T·E, A].
    """
    reward, goes_on = rollout.reward, (~rollout.ended).unsqueeze(-1)
    discount, decay = (x[:, None, None] for x in (settings.discount, settings.trace_decay))
    values = value.view_as(reward).unbind(1)
    expected, advantage, next_value = following, torch.zeros_like(following), following
    judgements = []
    for t in reversed(range(reward.shape[1])):
        kept = discount * goes_on[:, t]
        expected = reward[:, t] + kept * expected
        advantage = reward[:, t] + kept * (next_value + decay * advantage) - values[t]
        next_value = values[t]
        judgements.append((expected, advantage))
    returns, advantages = (torch.stack(column[::-1], dim=1) for column in zip(*judgements, strict=True))
    return returns.flatten(1, 2), advantages.flatten(1, 2)


def terms_of(actions: Tensor, acting: Distribution, error: Tensor, advantage: Tensor, able: Tensor) -> Terms:
    """The terms of the loss of every step. Shapes: actions, error, advantage, able [S, B, A]; returns [S, B] each."""
    taken = acting.log_probability.gather(-1, actions.clamp_min(0).unsqueeze(-1)).squeeze(-1)  # [S, B, A]
    entropy = -(acting.log_probability.exp() * acting.log_probability).sum(dim=-1)
    return Terms(
        gain=(taken * advantage * able).sum(dim=-1),
        error=0.5 * error.square().sum(dim=-1),
        entropy=(entropy * able).sum(dim=-1),
        divergence=divergence(acting.mean, acting.log_std),
    )


def divergence(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) = ½·Σ (μ² + σ² - 1 - 2·log σ); 0 where there is no σ. Shapes: [..., m] → [...]."""
    if log_std.shape[-1] == 0:
        return mean.new_zeros(mean.shape[:-1])
    return 0.5 * (mean.square() + (2 * log_std).exp() - 1.0 - 2 * log_std).sum(dim=-1)


def loss(terms: Terms, settings: Settings) -> Tensor:
    """Σ_s Σ_t (-gain + α·error - β·entropy + β_KL·KL)."""
    summed = Terms(*(term.sum(dim=1) for term in terms))  # [S] each
    return (
        settings.value_weight * summed.error
        - summed.gain
        - settings.entropy_weight * summed.entropy
        + settings.kl_weight * summed.divergence
    ).sum()


def flat(layers: Linear) -> Linear:
    """Layers of many agents as one. Shapes: weight [S, A, n, in] and bias [S, A, 1, n] → [S, A·n, in], [S, 1, A·n]."""
    return Linear(layers.weight.flatten(1, 2), layers.bias.transpose(1, 2).flatten(2))
