"""What an algorithm becomes in a special case that is known otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.functional import linear, relu

from algorithms import _networks as networks
from algorithms._tree import leaves, rebuilt
from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from environments import Box, Role, Streams
from environments.cooperative_navigation import CooperativeNavigation

torch.set_num_threads(1)


class Bead(NamedTuple):
    position: Tensor  # [S, E, 1, 2]
    velocity: Tensor  # [S, E, 1, 2]


@dataclass(frozen=True)
class Pushed:
    """One agent in double precision, so that two ways of training it stay together: it is to rest in the middle."""

    horizon: int = 6

    version: ClassVar[int] = 1
    may_end: ClassVar[bool] = False

    @property
    def roles(self) -> tuple[Role, ...]:
        return (Role("agent", 1, (4,), Box(2)),)

    def reset(self, streams: Streams, n_envs: int) -> Bead:
        position = streams.uniform(n_envs, 1, 2, low=-1.0, high=1.0).double()
        return Bead(position, torch.zeros_like(position))

    def step(self, state: Bead, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Bead, Tensor, Tensor]:
        velocity = 0.75 * state.velocity + 0.1 * actions[0]
        after = Bead(state.position + velocity, velocity)
        reward = -after.position.square().sum(-1)
        return after, reward, torch.zeros(reward.shape[:2], dtype=torch.bool)

    def observe(self, state: Bead) -> tuple[Tensor, ...]:
        return (torch.cat(list(state), dim=-1),)

    def full_state(self, state: Bead) -> Tensor:
        return torch.cat([field.flatten(2) for field in state], dim=-1)


Weights = list[Tensor]  # weight, bias, weight, bias, …


def plain(network: networks.MLP) -> Weights:
    """The weights of the one seed and the one agent, as variables."""
    weights = []
    for layer in network:
        weights += [layer.weight[0, 0].clone().requires_grad_(), layer.bias[0, 0, 0].clone().requires_grad_()]
    return weights


def forward(x: Tensor, weights: Weights) -> Tensor:
    hidden = relu(linear(x, weights[0], weights[1]))
    hidden = relu(linear(hidden, weights[2], weights[3]))
    return linear(hidden, weights[4], weights[5])


class PlainAdam:
    """TensorFlow's, after `tf.clip_by_norm` of every variable."""

    def __init__(self) -> None:
        self.t, self.m, self.v = 0, [0.0] * 6, [0.0] * 6

    def minimise(self, loss: Tensor, weights: Weights, rate: float, clip: float) -> None:
        self.t += 1
        for i, (w, gradient) in enumerate(zip(weights, torch.autograd.grad(loss, weights), strict=True)):
            g = gradient * min(1.0, clip / gradient.norm().item())
            self.m[i] = 0.9 * self.m[i] + 0.1 * g
            self.v[i] = 0.999 * self.v[i] + 0.001 * g**2
            step = rate * math.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
            w.data -= step * self.m[i] / (self.v[i] ** 0.5 + 1e-8)


def drawn(raw: Tensor, noise: Tensor) -> Tensor:
    mean, log_std = raw[..., :2], raw[..., 2:]
    return (mean + log_std.exp() * noise).clamp(-1, 1)


def ddpg(algorithm: MADDPG, env: Pushed, state: Any, n_iterations: int) -> tuple[Weights, ...]:
    """Single-agent DDPG with a Gaussian actor, as one would write it down, from the networks and draws of `state`."""
    rng = Streams.of([0], "another", "cpu")
    rng.load(state.streams.save())
    game, elapsed = state.copies.game, 0
    actor, target_actor = plain(state.actors.act), plain(state.target_actors.act)
    critic, target_critic = plain(state.critics), plain(state.target_critics)
    adam_actor, adam_critic = PlainAdam(), PlainAdam()
    memory: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    for iteration in range(1, n_iterations + 1):
        for _ in range(algorithm.steps_per_update // algorithm.n_envs):
            seen = env.observe(game)[0]
            with torch.no_grad():
                action = drawn(forward(seen, actor), rng.normal(algorithm.n_envs, 1, 2))
            following, reward, _ = env.step(game, (action,), rng)
            for copy in range(algorithm.n_envs):
                o, a, r, o2 = seen[0, copy, 0], action[0, copy, 0], reward[0, copy, 0], env.observe(following)[0]
                memory.append((o, a, r, o2[0, copy, 0]))
            game, elapsed = following, elapsed + 1
            if elapsed == env.horizon:  # the time limit is no end: what was stored bootstraps through it
                game, elapsed = env.reset(rng, algorithm.n_envs), 0
        if iteration * algorithm.steps_per_update < algorithm.first_update:
            continue
        chosen = [memory[i] for i in rng.integers(algorithm.batch_size, high=len(memory))[0].tolist()]
        o, a, r, o2 = (torch.stack(parts) for parts in zip(*chosen, strict=True))
        with torch.no_grad():
            a2 = drawn(forward(o2, target_actor), rng.normal(1, algorithm.batch_size, 2)[0, 0])
            y = r + algorithm.discount * forward(torch.cat([o2, a2], 1), target_critic)[:, 0]
        loss = ((forward(torch.cat([o, a], 1), critic)[:, 0] - y) ** 2).mean()
        adam_critic.minimise(loss, critic, algorithm.learning_rate, algorithm.clip)
        raw = forward(o, actor)
        a = drawn(raw, rng.normal(algorithm.batch_size, 2)[0])
        loss = -forward(torch.cat([o, a], 1), critic).mean() + algorithm.regularizer * (raw**2).mean()
        adam_actor.minimise(loss, actor, algorithm.learning_rate, algorithm.clip)
        for followers, sources in ((target_critic, critic), (target_actor, actor)):
            for follower, source in zip(followers, sources, strict=True):
                follower.data = algorithm.polyak * follower.data + (1 - algorithm.polyak) * source.data
    return actor, target_actor, critic, target_critic


def in_double_precision(state: Any) -> Any:
    return rebuilt(state, lambda _, leaf: leaf.double() if isinstance(leaf, Tensor) else leaf)


def test_maddpg_with_one_agent_is_ddpg() -> None:
    env = Pushed()
    algorithm = MADDPG(hidden=16, batch_size=32, first_update=100, steps_per_update=20, n_envs=5)
    state = in_double_precision(algorithm.init(env, Streams.of([0], "training", "cpu")))
    n_iterations = 64  # 60 of them with an update
    expected = ddpg(algorithm, env, state, n_iterations)
    before = networks.clone(state.actors)
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    found = (state.actors.act, state.target_actors.act, state.critics, state.target_critics)
    for network, weights in zip(found, expected, strict=True):
        for mine, theirs in zip(networks.tensors(network), weights, strict=True):
            torch.testing.assert_close(mine.flatten(), theirs.detach().flatten(), rtol=1e-5, atol=1e-5)
    assert (networks.tensors(state.actors)[0] - networks.tensors(before)[0]).abs().max() > 0.1


def sac(algorithm: MASAC, env: Pushed, state: Any, n_iterations: int) -> list[Weights]:
    """Single-agent SAC with V and its target, as in Haarnoja et al. (2018), from networks and draws of `state`.

    Rewards are normalised by what has been seen so far, and the last step of an episode ends it.
    """
    rng = Streams.of([0], "another", "cpu")
    rng.load(state.streams.save())
    game, elapsed = state.copies.game, 0
    twins = [
        plain(tuple(networks.Linear(*(part[:, :, twin] for part in layer)) for layer in state.critics.q))
        for twin in range(2)
    ]
    actor, value, target = plain(state.actors), plain(state.critics.v), plain(state.target_values)
    adam = torch.optim.Adam([w for weights in (actor, value, *twins) for w in weights], lr=algorithm.learning_rate)
    memory: list[tuple[Tensor, ...]] = []

    def policy(o: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_std = forward(o, actor).chunk(2, -1)
        log_std = log_std.clamp(-20, 2)
        gaussian = torch.distributions.Normal(mean, log_std.exp())
        before = mean + log_std.exp() * noise
        log_density = (gaussian.log_prob(before) - torch.log(1 - torch.tanh(before) ** 2 + 1e-6)).sum(-1)
        return torch.tanh(before), log_density, (mean**2).mean() + (log_std**2).mean()

    def q(weights: Weights, o: Tensor, a: Tensor) -> Tensor:
        return forward(torch.cat([o, a], 1), weights)[:, 0]

    for iteration in range(n_iterations):
        for _ in range(algorithm.steps_per_update // algorithm.n_envs):
            seen = env.observe(game)[0]
            if iteration * algorithm.steps_per_update < algorithm.random_steps:
                action = rng.uniform(algorithm.n_envs, 1, 2, low=-1.0, high=1.0).double()
            else:
                with torch.no_grad():
                    action = policy(seen, rng.normal(algorithm.n_envs, 1, 2))[0]
            game, reward, _ = env.step(game, (action,), rng)
            elapsed += 1
            following, ends = env.observe(game)[0], torch.tensor(elapsed == env.horizon)
            memory += [
                (seen[0, copy, 0], action[0, copy, 0], reward[0, copy, 0], following[0, copy, 0], ends)
                for copy in range(algorithm.n_envs)
            ]
            if elapsed == env.horizon:
                game, elapsed = env.reset(rng, algorithm.n_envs), 0
        if (iteration + 1) * algorithm.steps_per_update < algorithm.first_update:
            continue
        chosen = [memory[i] for i in rng.integers(algorithm.batch_size, high=len(memory))[0].tolist()]
        o, a, r, o2, end = (torch.stack(parts) for parts in zip(*chosen, strict=True))
        paid = torch.stack([transition[2] for transition in memory])
        r = (r - paid.mean()) / paid.std(correction=0)
        y = r + algorithm.discount * forward(o2, target)[:, 0].detach() * ~end
        own, log_density, size = policy(o, rng.normal(algorithm.batch_size, 2)[0])
        frozen = [[w.detach() for w in weights] for weights in twins]
        soft = torch.min(*(q(weights, o, own) for weights in frozen)) - algorithm.temperature * log_density
        loss = ((q(twins[0], o, a) - y) ** 2).mean() + ((q(twins[1], o, a) - y) ** 2).mean()
        loss = loss + ((forward(o, value)[:, 0] - soft.detach()) ** 2).mean()
        loss = loss - soft.mean() + algorithm.regularizer * size
        adam.zero_grad()
        loss.backward()
        adam.step()
        for slow, quick in zip(target, value, strict=True):
            slow.data = algorithm.polyak * slow.data + (1 - algorithm.polyak) * quick.data
    return [actor, value, target, *twins]


def test_masac_with_one_agent_is_sac() -> None:
    env = Pushed()
    algorithm = MASAC(
        hidden=16, batch_size=32, first_update=100, steps_per_update=20, n_envs=5, random_steps=200, learning_rate=3e-3
    )
    state = in_double_precision(algorithm.init(env, Streams.of([0], "training", "cpu")))
    n_iterations = 64  # 60 of them with an update
    expected = sac(algorithm, env, state, n_iterations)
    before = networks.clone(state.actors)
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    twins = [tuple(networks.Linear(*(part[:, :, t] for part in layer)) for layer in state.critics.q) for t in range(2)]
    found = [state.actors, state.critics.v, state.target_values, *twins]
    for network, weights in zip(found, expected, strict=True):
        for mine, theirs in zip(networks.tensors(network), weights, strict=True):
            torch.testing.assert_close(mine.flatten(), theirs.detach().flatten(), rtol=1e-5, atol=1e-5)
    assert (networks.tensors(state.actors)[0] - networks.tensors(before)[0]).abs().max() > 0.05


GAME = CooperativeNavigation(horizon=5)
SMALL: dict[str, Any] = {
    "hidden": 16,
    "batch_size": 64,
    "first_update": 100,
    "steps_per_update": 50,
    "n_envs": 25,
    "distill_every": 200,
}


def trained(**settings: Any) -> Any:
    algorithm = CTEDD(**{**SMALL, **settings})
    state = algorithm.init(GAME, Streams.of([0, 1], "training", "cpu"))
    for _ in range(20):
        algorithm.advance(GAME, state)
    return state


def everything(state: Any) -> list[Tensor]:
    networks_of_it = (state.actor, state.spread, state.critic, state.target_actor, state.target_critic)
    return networks.tensors(networks_of_it) + networks.tensors(tuple(student.policies for student in state.students))


STUDENTS = (".students", ".distilled", ".births", ".draws")


def equal(one: Any, other: Any) -> bool:
    return all(map(torch.equal, everything(one), everything(other)))


def test_a_fixed_spread_is_never_learnt() -> None:
    state = trained(fixed_std=0.25)
    fresh = CTEDD(**SMALL).init(GAME, Streams.of([0, 1], "training", "cpu"))
    assert all(map(torch.equal, networks.tensors(state.spread), networks.tensors(fresh.spread)))
    assert state.spread_optimizer.count == 0
    totals = state.ledger.totals["exploration std"]
    torch.testing.assert_close(totals[:, 0] / totals[:, 1], torch.full((2,), 0.25, dtype=torch.float64))


def test_with_a_fixed_spread_the_temperature_does_not_matter() -> None:
    assert equal(trained(fixed_std=0.25), trained(fixed_std=0.25, first_temperature=5.0))
    assert not equal(trained(), trained(first_temperature=5.0))


def test_a_temperature_that_falls_to_where_it_began_is_a_fixed_one() -> None:
    settings = {"first_temperature": 0.05, "last_temperature": 0.05}
    assert equal(trained(**settings, temperature_steps=300), trained(**settings))
    assert equal(trained(first_temperature=0.05, temperature_steps=10**15), trained(**settings))


@pytest.mark.parametrize(
    ("settings", "n_students"),
    [
        ({"distill_every": 500}, 2),
        ({"message_sizes": ()}, 0),
        ({"message_sizes": (0, 5, 1)}, 3),
        ({"distillations": ("random", "continued", "chronological"), "distill_repeats": 7}, 6),
    ],
    ids=["more rarely", "none", "others", "by other ways"],
)
def test_the_teacher_and_all_that_it_meets_are_the_same_to_the_last_bit_whatever_its_students_do(
    settings: dict[str, Any], n_students: int
) -> None:
    one, other = trained(), trained(**settings)
    own = {name: leaf for name, leaf in leaves(one).items() if not name.startswith(STUDENTS)}
    others = {name: leaf for name, leaf in leaves(other).items() if not name.startswith(STUDENTS)}
    assert own.keys() == others.keys()
    for name, leaf in own.items():
        mine, theirs = (x.save() if isinstance(x, Streams) else torch.as_tensor(x) for x in (leaf, others[name]))
        assert torch.equal(mine, theirs), name
    assert [len(state.students) for state in (one, other)] == [2, n_students]


def test_students_of_the_order_of_time_are_the_same_whether_others_learn_beside_them() -> None:
    alone, beside = trained(), trained(distillations=("chronological", "random"))
    in_order, at_random = beside.students[:2], beside.students[2:]
    assert all(map(torch.equal, networks.tensors(alone.students), networks.tensors(in_order)))
    assert not any(map(torch.equal, networks.tensors(at_random), networks.tensors(in_order)))
