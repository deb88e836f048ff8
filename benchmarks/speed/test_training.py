"""How fast training is, next to its yardsticks on the same machine in the same run.

    pytest benchmarks/speed -k training

1. one update of every algorithm, next to the bare matrix products that are in it: what is left is overhead. All
   products count, also those by which games measure what agents observe; next to the networks' alone it stands too;
2. training from end to end, next to a plain loop of PyTorch and mpe2 with one seed and one game;
3. the memory that ten seeds with a full replay take;
4. training on a grid, next to one seed at a time and to a plain network that sees all planes;
5. an iteration of what learns from whole episodes, and the part of it in which games are stepped;
6. a distillation of CTEDD's students, next to the training between two of them.

Everything runs on one thread, as training does. Units: `steps_per_second` are environment steps of all seeds together.
Nothing is asserted about time.

Measured elsewhere, on a quiet machine of two cores, simple_spread with three agents and batches of 1024: MADDPG at
64×64, BenchMARL 1.5.2 with its 10 copies 1929 steps/s and with 600 copies 5978, AgileRL 571, the plain loop below 1537;
MA-SAC at 256×256, BenchMARL 833 steps/s and 12.0 updates/s, a plain update of PyTorch 12.8.
"""

from __future__ import annotations

import math
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from algorithms._replay import Replay
from algorithms._tree import leaves
from algorithms.ctedd import CTEDD, Recent
from algorithms.dimapg import DiMAPG
from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.mace import MACE
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from benchmarks._training.circumstances import one_thread
from benchmarks.dimapg._survival import LEARNER as SURVIVOR
from environments import Env, Streams
from environments.cooperative_navigation import CN_V1
from environments.goal_navigation import NAVIGATION_3, NAVIGATION_10
from environments.hunters import HARE_HUNTERS
from environments.spread import Spread
from environments.survival import Survival

Benchmark = Any  # pytest_benchmark.fixture.BenchmarkFixture, whose `pedantic` has no types
HIDDEN, BATCH = 64, 1024


class Learner(NamedTuple):
    """An algorithm, the game that it learns, and as many seeds as its figures have."""

    algorithm: Any
    env: Env[Any]
    n_seeds: int


# Learning begins at once; everything else is as published.
LEARNERS = {
    "MADDPG-3": Learner(MADDPG(message_size=3, hidden=HIDDEN, batch_size=BATCH, first_update=100), CN_V1, 10),
    "CTEDD": Learner(CTEDD(hidden=HIDDEN, batch_size=BATCH, first_update=100), CN_V1, 10),
    "DiscreteMADDPG": Learner(DiscreteMADDPG(first_update=100), Spread(n_agents=3), 5),
    "MASAC": Learner(MASAC(first_update=100), Spread(n_agents=3, action="force"), 5),
}
every_learner = pytest.mark.parametrize("name", LEARNERS)


@pytest.fixture(autouse=True)
def _as_in_training() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one_thread()
    yield
    torch.set_num_threads(threads)


def begun(name: str, n_seeds: int, n_iterations: int) -> Any:
    """A learner after a few iterations."""
    algorithm, env, _ = LEARNERS[name]
    state = algorithm.init(env, Streams.of(range(n_seeds), "speed", "cpu"))
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return state


# ---- one update and the products in it ------------------------------------------------------------------------------


class Matrix(NamedTuple):
    """How a matrix, or a stack of them, lies in memory. Shapes: [*, n, m]."""

    size: tuple[int, ...]
    stride: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor) -> Matrix:
        """Of this one."""
        return cls(tuple(tensor.shape), tensor.stride())

    def random(self) -> Tensor:
        """Random numbers that lie in the same way."""
        length = 1 + sum((n - 1) * step for n, step in zip(self.size, self.stride, strict=True))
        return torch.randn(length).as_strided(self.size, self.stride)


PRODUCTS: dict[Any, Callable[..., Tensor]] = {
    torch.ops.aten.mm.default: torch.mm,
    torch.ops.aten.bmm.default: torch.bmm,
    torch.ops.aten.baddbmm.default: torch.baddbmm,
}


class Product(NamedTuple):
    """A product as it was called, with what it is added to, left and right."""

    call: Callable[..., Tensor]
    matrices: tuple[Matrix, ...]

    @property
    def operations(self) -> int:
        """2·B·n·k·m, an addition and a multiplication each."""
        left, right = self.matrices[-2:]
        return 2 * math.prod(left.size) * right.size[-1]

    @property
    def of_networks(self) -> bool:
        """Networks are stacked; what is left are the products by which games measure what agents observe."""
        return self.call is not torch.mm

    def ready(self, operands: dict[Matrix, Tensor]) -> Callable[[], Tensor]:
        """The product of random matrices, to be called.

        Products share the `operands` that lie alike, so that they find about as much in the caches as in an update.
        """
        tensors = [operands.setdefault(matrix, matrix.random()) for matrix in self.matrices]
        return lambda: self.call(*tensors)


class Noting(TorchDispatchMode):
    """Notes the shapes and strides of all matrix products, forward, and backward by input and by weight."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: list[Product] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in PRODUCTS:
            self.products.append(Product(PRODUCTS[func], tuple(map(Matrix.of, args))))
        return func(*args, **(kwargs or {}))


def products_in(call: Callable[[], object]) -> list[Product]:
    """Every matrix product of a call, in order."""
    noting = Noting()
    with noting:
        call()
    return noting.products


def update_of(name: str, state: Any) -> Callable[[], None]:
    """One update of all networks, without the game; CTEDD's distillation is not in it."""
    algorithm, env, _ = LEARNERS[name]
    if isinstance(algorithm, CTEDD):
        last = state.replay.n_steps
        newest = state.replay.between(last - algorithm.steps_per_update // algorithm.n_envs, last)
        recent = Recent(env.full_state(newest.state), newest.actions)
        return lambda: algorithm._update(env, state, recent)

    def every_agent() -> None:
        for agent in range(env.roles[0].n_agents):
            algorithm._update(env, state, agent)

    return every_agent


def one_after_the_other(calls: Sequence[Callable[[], object]]) -> None:
    """Every call, its result dropped before the next: kept, the results would fill memory that no update touches."""
    for call in calls:
        call()


def quickest(call: Callable[[], object], n_rounds: int) -> float:
    """Seconds that a call takes when nothing gets in its way."""
    seconds = []
    for _ in range(n_rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


@every_learner
def test_speed_of_an_update(benchmark: Benchmark, name: str) -> None:
    n_seeds = LEARNERS[name].n_seeds
    state = begun(name, n_seeds, n_iterations=20)
    update = update_of(name, state)
    update()
    products = products_in(update)
    operands: dict[Matrix, Tensor] = {}
    bare = [product.ready(operands) for product in products]
    of_networks = [ready for ready, product in zip(bare, products, strict=True) if product.of_networks]
    assert of_networks, "the products of networks are counted"
    all_seconds, networks_seconds = [], []

    def multiply() -> None:
        all_seconds.append(quickest(lambda: one_after_the_other(bare), 1))
        networks_seconds.append(quickest(lambda: one_after_the_other(of_networks), 1))

    # In turns, so that whatever else the machine does meets all.
    benchmark.pedantic(update, setup=multiply, rounds=20, warmup_rounds=1)
    if benchmark.stats is not None:  # None with --benchmark-disable
        updates_seconds = benchmark.stats.stats.data
        ratios = [one / other for one, other in zip(updates_seconds, all_seconds[1:], strict=True)]
        gflop = sum(product.operations for product in products) / 1e9
        benchmark.extra_info |= {
            "seeds": n_seeds,
            "updates_per_second": round(n_seeds / min(updates_seconds), 1),
            "products": len(products),
            "gflop": round(gflop, 3),
            "products_ms": round(1e3 * min(all_seconds), 2),
            "products_gflop_per_second": round(gflop / min(all_seconds), 1),
            "times_bare_products": round(min(updates_seconds) / min(all_seconds), 2),
            "times_bare_products_median": round(statistics.median(ratios), 2),
            "times_bare_products_of_networks": round(min(updates_seconds) / min(networks_seconds), 2),
        }


def test_products_that_are_replayed_lie_in_memory_as_those_that_were_called() -> None:
    weight = torch.randn(3, 5, 4)
    tensors = [torch.randn(3, 7, 4), weight.transpose(1, 2), torch.randn(3, 1, 5)]
    (product,) = products_in(lambda: torch.baddbmm(tensors[2], tensors[0], tensors[1]))
    assert product.operations == 2 * 3 * 7 * 4 * 5
    assert product.of_networks
    right = product.matrices[-1]
    assert right.stride == (20, 1, 4)
    assert right.random().stride() == tensors[1].stride()
    assert product.ready({})().shape == (3, 7, 5)


def test_products_are_noted_whoever_calls_them() -> None:
    x, w = torch.randn(6, 4), torch.randn(4, 5, requires_grad=True)
    products = products_in(lambda: (x @ w).sum().backward())
    assert [product.operations for product in products] == [2 * 6 * 4 * 5] * 2
    assert not any(product.of_networks for product in products)


# ---- from end to end ------------------------------------------------------------------------------------------------

N_ITERATIONS = 20  # of 100 steps a seed
N_WARM = 60  # until the memory has been touched once: before that every page is a fault


def steps_per_second(name: str, n_seeds: int, n_iterations: int, meet: Callable[[], object] = lambda: None) -> float:
    """Steps a second of all seeds of one process that learns in every iteration; `meet` comes before the clock runs."""
    algorithm, env, _ = LEARNERS[name]
    state = begun(name, n_seeds, n_iterations=N_WARM)
    meet()
    started = time.perf_counter()
    for _ in range(n_iterations):
        algorithm.advance(env, state)
    return float(n_seeds * n_iterations * algorithm.steps_per_update / (time.perf_counter() - started))


def trains(connection: Connection, name: str, n_seeds: int, n_iterations: int) -> None:
    """One of several processes that begin together: as many steps a second as it gets beside the others."""

    def meet() -> None:
        connection.send("ready")
        connection.recv()

    torch.set_num_threads(1)
    one_thread()
    connection.send(steps_per_second(name, n_seeds, n_iterations, meet))


def of_processes(name: str, n_processes: int) -> float:
    """Steps a second of cells side by side, each with half of the seeds in a process of one thread."""
    context = multiprocessing.get_context("spawn")
    ends = [context.Pipe() for _ in range(n_processes)]
    processes = [
        context.Process(
            target=trains, args=(there, name, max(1, LEARNERS[name].n_seeds // n_processes), N_ITERATIONS), daemon=True
        )
        for _, there in ends
    ]
    for process, (_, there) in zip(processes, ends, strict=True):
        process.start()
        there.close()  # so that the death of a process is heard
    for here, _ in ends:
        here.recv()
    for here, _ in ends:
        here.send("go")
    rates = [float(here.recv()) for here, _ in ends]
    for process in processes:
        process.join()
    return sum(rates)


@every_learner
def test_speed_of_training(benchmark: Benchmark, name: str, loop_steps_per_second: float) -> None:
    """One learning iteration every 100 steps; no tests."""
    algorithm, env, n_seeds = LEARNERS[name]
    state = begun(name, n_seeds, n_iterations=N_WARM)

    def iterate() -> None:
        for _ in range(N_ITERATIONS // 4):
            algorithm.advance(env, state)

    benchmark.pedantic(iterate, rounds=4)
    if benchmark.stats is not None:
        steps = n_seeds * (N_ITERATIONS // 4) * algorithm.steps_per_update
        one = steps / benchmark.stats.stats.median
        two = of_processes(name, 2)
        benchmark.extra_info |= {
            "seeds": n_seeds,
            "steps_per_second": round(one),
            "steps_per_second_of_two_processes": round(two),
        }
        if env is CN_V1:  # the loop's networks are those of its learners
            benchmark.extra_info |= {
                "plain_loop_steps_per_second": round(loop_steps_per_second),
                "times_plain_loop": round(one / loop_steps_per_second, 1),
                "times_plain_loop_two_processes": round(two / loop_steps_per_second, 1),
            }


@pytest.fixture(scope="module")
def loop_steps_per_second() -> float:
    """Steps a second of the plain loop, learning every 100 steps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame and pettingzoo warn about themselves when mpe2 is imported
        mpe2 = pytest.importorskip("mpe2.simple_spread_v3", reason="the yardstick is mpe2")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    loop = PlainLoop(mpe2.parallel_env(continuous_actions=True, max_cycles=25))
    loop.play(BATCH + 200)
    started = time.perf_counter()
    loop.play(500)
    return 500 / (time.perf_counter() - started)


class PlainLoop:
    """MADDPG as one would write it down: one seed, one game, `nn.Module`, `torch.optim.Adam`.

    Sizes, batch and period are those of the learners above; no messages, so that it has less to do than MADDPG-3.
    """

    def __init__(self, game: Any) -> None:
        self.game, self.agents = game, game.possible_agents
        n_seen = game.observation_space(self.agents[0]).shape[0]
        n_actions = game.action_space(self.agents[0]).shape[0]
        n_joint = len(self.agents) * (n_seen + n_actions)
        self.actors = [network(n_seen, n_actions) for _ in self.agents]
        self.target_actors = [network(n_seen, n_actions) for _ in self.agents]
        self.critics = [network(n_joint, 1) for _ in self.agents]
        self.target_critics = [network(n_joint, 1) for _ in self.agents]
        self.actor_optimizers = [torch.optim.Adam(actor.parameters(), lr=1e-2) for actor in self.actors]
        self.critic_optimizers = [torch.optim.Adam(critic.parameters(), lr=1e-2) for critic in self.critics]
        self.replay: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def play(self, n_steps: int) -> None:
        """Step the game, and update every agent after every hundredth step."""
        for step in range(n_steps):
            if step % 25 == 0:
                seen, _ = self.game.reset(seed=step)
            observations = self._stacked(seen)
            with torch.no_grad():
                means = [torch.sigmoid(actor(o)) for actor, o in zip(self.actors, observations, strict=True)]
                actions = (torch.stack(means) + 0.1 * torch.randn(len(means), len(means[0]))).clamp(0.0, 1.0)
            seen, rewards, _, _, _ = self.game.step(dict(zip(self.agents, actions.numpy(), strict=True)))
            reward = torch.tensor([rewards[agent] for agent in self.agents], dtype=torch.float32)
            self.replay.append((observations, actions, reward, self._stacked(seen)))
            if step % 100 == 99 and len(self.replay) >= BATCH:
                for agent in range(len(self.agents)):
                    self._update(agent)

    def _stacked(self, seen: dict[str, Any]) -> Tensor:
        return torch.stack([torch.as_tensor(seen[agent], dtype=torch.float32) for agent in self.agents])

    def _update(self, agent: int) -> None:
        drawn = torch.randint(len(self.replay), (BATCH,)).tolist()
        columns = zip(*(self.replay[i] for i in drawn), strict=True)
        observations, actions, reward, following = (torch.stack(column) for column in columns)
        with torch.no_grad():
            chosen = [torch.sigmoid(actor(following[:, i])) for i, actor in enumerate(self.target_actors)]
            next_value = self.target_critics[agent](torch.cat([following.flatten(1), *chosen], dim=1))[:, 0]
            target = reward[:, agent] + 0.95 * next_value
        value = self.critics[agent](torch.cat([observations.flatten(1), actions.flatten(1)], dim=1))[:, 0]
        self._descend((value - target).square().mean(), self.critics[agent], self.critic_optimizers[agent])
        joint = list(actions.unbind(1))
        joint[agent] = torch.sigmoid(self.actors[agent](observations[:, agent]))
        value = self.critics[agent](torch.cat([observations.flatten(1), *joint], dim=1))
        self._descend(-value.mean(), self.actors[agent], self.actor_optimizers[agent])
        with torch.no_grad():
            for target_network, network_ in (
                (self.target_critics[agent], self.critics[agent]),
                (self.target_actors[agent], self.actors[agent]),
            ):
                for followed, source in zip(target_network.parameters(), network_.parameters(), strict=True):
                    followed.lerp_(source, 0.01)

    def _descend(self, loss: Tensor, module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 0.5)
        optimizer.step()


def network(n_in: int, n_out: int) -> nn.Module:
    """Two hidden layers with ReLU."""
    sizes = (n_in, HIDDEN, HIDDEN, n_out)
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


# ---- memory ---------------------------------------------------------------------------------------------------------


def n_bytes(thing: object) -> int:
    """What the tensors of a training state hold."""
    return sum(leaf.nbytes for leaf in leaves(thing).values() if isinstance(leaf, Tensor))


def grown(replay: Replay) -> tuple[int, int]:
    """The bytes of a replay at its capacity, and at most while it grew, when the old ring and the new one are there.

    `replay` holds tensors of the device "meta", which have sizes but no memory.
    """
    peak = size = replay.rows.nbytes
    while True:
        replay.n_steps = replay._episodes * replay.horizon  # as if it had been filled
        replay._grow()
        if replay.rows.nbytes == size:
            return size, peak
        peak, size = size + replay.rows.nbytes, replay.rows.nbytes


@every_learner
def test_memory_of_a_training_state_with_a_full_replay(benchmark: Benchmark, name: str) -> None:
    """A million transitions a seed. What is timed is the first reading of the sizes, which says nothing."""
    algorithm, env, n_seeds = LEARNERS[name]
    state = begun(name, n_seeds, n_iterations=1)
    assert state.replay.capacity == 1_000_000
    game = type(state.copies.game)(*(field.to("meta") for field in state.copies.game))
    actions = torch.empty(n_seeds, algorithm.n_envs, *state.replay.actions_shape, device="meta")
    replay = Replay.of(game, actions, horizon=env.horizon, capacity=algorithm.capacity)
    full, peak = benchmark.pedantic(lambda: grown(replay), rounds=1)
    rest = n_bytes(state) - state.replay.rows.nbytes
    assert replay.rows.shape[2] // (env.horizon + 1) * env.horizon * algorithm.n_envs >= algorithm.capacity
    benchmark.extra_info |= {
        "seeds": n_seeds,
        "replay_mib": round(full / 2**20),
        "all_else_mib": round(rest / 2**20, 1),
        "peak_mib": round((peak + rest) / 2**20),
        "replay_bytes_per_transition": round(full / n_seeds / algorithm.capacity, 1),
    }


# ---- on a grid ------------------------------------------------------------------------------------------------------

N_ROWS = 5


def hunting_steps_per_second(n_seeds: int, n_iterations: int) -> float:
    """Steps a second of all seeds of MACE, ten hunters and ten hares on 50 × 50 cells; one step moves all hunters."""
    algorithm = MACE()
    state = algorithm.init(HARE_HUNTERS, Streams.of(range(n_seeds), "speed", "cpu"))
    algorithm.advance(HARE_HUNTERS, state)
    seconds = quickest(lambda: algorithm.advance(HARE_HUNTERS, state), n_iterations)
    return n_seeds * algorithm.steps_per_update / seconds


class PlainHunter:
    """MACE's network for one seed as one would write it down: all planes in full, `nn.Module`, `torch.optim.Adam`.

    Its rollouts are always the same pictures: there is no game, no draw of actions, and no advantage.
    """

    def __init__(self, algorithm: MACE, cells: Tensor) -> None:
        self.cells, self.n_steps = cells, algorithm.steps_per_update // algorithm.n_envs
        (first, second), hidden, size = algorithm.widths, algorithm.hidden, algorithm.latent_size
        n_agents = HARE_HUNTERS.n_hunters
        side = (((HARE_HUNTERS.grid + 1) // 2) + 1) // 2
        settings: dict[str, Any] = {"stride": 2, "padding": 1, "padding_mode": "circular"}
        self.trunk = nn.Sequential(
            nn.Conv2d(HARE_HUNTERS.planes.n_planes, first, 3, **settings),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, **settings),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(second * side * side, hidden),
            nn.ReLU(),
        )
        self.latent, self.value = nn.Linear(hidden, 2 * size), nn.Linear(hidden, n_agents)
        self.heads = nn.Linear(hidden + size, n_agents * 5)
        modules = nn.ModuleList([self.trunk, self.latent, self.value, self.heads])
        self.optimizer = torch.optim.Adam(modules.parameters())

    def iterate(self) -> None:
        """Every step forward, and all of them back."""
        loss = torch.zeros(())
        for _ in range(self.n_steps):
            planes = torch.zeros(len(self.cells), *HARE_HUNTERS.planes)
            planes.flatten(1).scatter_add_(1, self.cells, torch.ones(self.cells.shape))
            features = self.trunk(planes)
            mean, log_std = self.latent(features).chunk(2, dim=1)
            latent = mean + log_std.exp() * torch.randn_like(mean)
            logits = self.heads(torch.cat([features, latent], dim=1)).unflatten(1, (-1, 5))
            loss = loss + logits.log_softmax(dim=-1)[..., 0].mean() + self.value(features).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def test_speed_of_training_on_a_grid(benchmark: Benchmark) -> None:
    algorithm = MACE()
    state = algorithm.init(HARE_HUNTERS, Streams.of(range(N_ROWS), "speed", "cpu"))
    benchmark.pedantic(lambda: algorithm.advance(HARE_HUNTERS, state), rounds=4, warmup_rounds=1)
    if benchmark.stats is not None:
        together = N_ROWS * algorithm.steps_per_update / benchmark.stats.stats.min
        alone = hunting_steps_per_second(1, 4)
        plain = PlainHunter(algorithm, HARE_HUNTERS.cells(state.episodes.game)[0])
        plain.iterate()
        plain_steps_per_second = algorithm.steps_per_update / quickest(plain.iterate, 4)
        benchmark.extra_info |= {
            "seeds": N_ROWS,
            "steps_per_second": round(together),
            "steps_per_second_of_one_seed": round(alone),
            "plain_network_steps_per_second": round(plain_steps_per_second),
            "times_plain_network": round(together / plain_steps_per_second, 1),
        }


# ---- whole episodes -------------------------------------------------------------------------------------------------

# As in DiMA-PG's figures: 200 steps, five seeds.
EPISODES = {
    "DiMAPG-3": Learner(DiMAPG(), NAVIGATION_3, 5),
    "DiMAPG-10": Learner(DiMAPG(), NAVIGATION_10, 5),
    "DiMAPG-REINFORCE-3": Learner(DiMAPG("REINFORCE"), NAVIGATION_3, 5),
    "DiMAPG-Survival-230": Learner(SURVIVOR, Survival(n_agents=230), 5),
    "TRPOKitchenSink-3": Learner(TRPOKitchenSink(), NAVIGATION_3, 5),
    "A3CKitchenSink-3": Learner(A3CKitchenSink(), NAVIGATION_3, 5),
}


class Clocked:
    """An environment that adds up the time in which it is stepped."""

    def __init__(self, env: Any) -> None:
        self.env, self.seconds = env, 0.0
        self.horizon, self.roles = env.horizon, env.roles
        self.reset, self.observe, self.full_state = env.reset, env.observe, env.full_state
        if hasattr(env, "alive"):
            self.alive = env.alive

    def step(self, *arguments: Any) -> Any:
        """The environment's."""
        started = time.perf_counter()
        after = self.env.step(*arguments)
        self.seconds += time.perf_counter() - started
        return after


@pytest.mark.parametrize("name", EPISODES)
def test_speed_of_learning_from_whole_episodes(benchmark: Benchmark, name: str) -> None:
    algorithm, env, n_seeds = EPISODES[name]
    clocked: Any = Clocked(env)
    state = algorithm.init(env, Streams.of(range(n_seeds), "speed", "cpu"))
    algorithm.advance(clocked, state)
    clocked.seconds = 0.0
    benchmark.pedantic(lambda: algorithm.advance(clocked, state), rounds=2)
    if benchmark.stats is not None:
        steps = algorithm.steps_per_iteration(env)
        seconds = benchmark.stats.stats.min
        benchmark.extra_info |= {
            "seeds": n_seeds,
            "episodes_of_an_iteration_and_seed": steps // env.horizon,
            "iterations_per_second": round(1 / seconds, 3),
            "episodes_per_second": round(n_seeds * steps / env.horizon / seconds, 1),
            "steps_per_second": round(n_seeds * steps / seconds),
            "percent_of_it_in_steps_of_the_game": round(100 * clocked.seconds / benchmark.stats.stats.total),
        }


# ---- distillation ---------------------------------------------------------------------------------------------------


def test_speed_of_distillation(benchmark: Benchmark) -> None:
    """A batch for all students, in turns with as many iterations of training, both in time of the processor.

    While replay grows to what it can hold, in the first million steps, a distillation takes 55 % of what it takes then.
    """
    algorithm, env, n_seeds = CTEDD(update_order="on-policy", first_update=100), CN_V1, 6
    state = algorithm.init(env, Streams.of(range(n_seeds), "speed", "cpu"))
    for _ in range(N_WARM):
        algorithm.advance(env, state)
    training, distilling = [], []

    def in_turns() -> None:
        started = time.process_time()
        algorithm.advance(env, state)
        begun = time.process_time()
        algorithm._teach(env, state, state.students, next(algorithm._visited(state, "chronological")))
        training.append(begun - started)
        distilling.append(time.process_time() - begun)

    benchmark.pedantic(in_turns, rounds=30, warmup_rounds=2)
    if benchmark.stats is not None:
        batches = algorithm.capacity / algorithm.batch_size
        iterations = algorithm.distill_every / algorithm.steps_per_update
        between, full = (
            statistics.median(seconds) * times for seconds, times in ((training, iterations), (distilling, batches))
        )
        benchmark.extra_info |= {
            "seeds": n_seeds,
            "students": len(state.students),
            "training_between_distillations_s": round(between, 1),
            "distillation_of_full_replay_s": round(full, 1),
            "times_training": round(full / between, 2),
            "times_training_in_first_million": round(0.55 * full / between, 2),
        }
