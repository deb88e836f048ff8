"""How fast environments step, next to a Python loop or an engine on the same machine in the same run.

The loop is mpe2's for games of particles, and for the hunters' the rules in plain Python, as `_yardsticks` has them;
the engine is MAgent2's, for crowds.

    pytest benchmarks/speed -k environments

All run on one thread and keep the memory that they free, as in training. The loop has no use for a second thread, and
where the second core is busy, torch waits for it at the end of every parallel operation: steps of 0.6 ms were seen to
take 48.

Units: `steps_per_second` counts one step of one copy; a step includes observing, and for hunters finding the marks on
    the planes, which the plain loop is spared. Of crowds one step of one agent is counted, by the clock and by the
    processor's time, which leaves out what others do meanwhile. Nothing is asserted about time.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._training.circumstances import one_thread
from benchmarks.speed._yardsticks import PlainHunt
from environments import Box, Env, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.goal_navigation import NAVIGATION_10
from environments.hunters import Hunt, Hunters
from environments.simple_spread import SimpleSpread
from environments.simple_tag import PREDATOR_PREY_12V4
from environments.survival import Survival

N_SEEDS, N_ENVS = 10, 100
ENVIRONMENTS: dict[str, Env[Any]] = {
    "CooperativeNavigation": CooperativeNavigation(),
    "SimpleSpread": SimpleSpread(),
    "GoalNavigation-10": NAVIGATION_10,
    "PredatorPrey-12v4": PREDATOR_PREY_12V4,
}
HUNTERS = [Hunters("Hare-Hunters", 20, 20), Hunters("Stag-Hunters", 20, 20, moving=True, horizon=1000)]
N_CROWDS = 32
CROWDS = [Survival(n_agents=230), Survival(n_agents=630)]


@pytest.fixture(autouse=True)
def _as_in_training() -> Iterator[None]:
    one_thread()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def loop_steps_per_second() -> float:
    """Steps a second of mpe2's simple_spread, stepped in a plain Python loop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame and pettingzoo warn about themselves when mpe2 is imported
        mpe2 = pytest.importorskip("mpe2.simple_spread_v3", reason="the yardstick is mpe2")
    game = mpe2.parallel_env(continuous_actions=True, max_cycles=25)
    _loop(game, 50)
    return max(_loop(game, 250) for _ in range(3))


def _loop(game: Any, n_steps: int) -> float:
    spaces = {agent: game.action_space(agent) for agent in game.possible_agents}
    actions = {agent: space.sample() for agent, space in spaces.items()}  # sampling is not what is timed
    started = time.perf_counter()
    for step in range(n_steps):
        if step % 25 == 0:
            game.reset(seed=step)
        game.step(actions)
    return n_steps / (time.perf_counter() - started)


@pytest.mark.parametrize("env", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_speed_of_a_step_and_what_is_seen(
    benchmark: BenchmarkFixture, env: Env[Any], loop_steps_per_second: float
) -> None:
    """1000 rows: ten seeds, a hundred copies each."""
    streams = Streams.of(range(N_SEEDS), "speed", "cpu")
    state, actions = env.reset(streams, N_ENVS), _actions(env, streams)

    def step() -> torch.Tensor:
        after, _, _ = env.step(state, actions, streams)
        return env.observe(after)[0]

    with torch.no_grad():
        seen = benchmark(step)
    assert seen.isfinite().all()
    if benchmark.stats is not None:  # None with --benchmark-disable
        steps_per_second = N_SEEDS * N_ENVS / benchmark.stats.stats.median
        benchmark.extra_info["rows"] = N_SEEDS * N_ENVS
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark.extra_info["steps_per_second"] = round(steps_per_second)
        benchmark.extra_info["mpe2_loop_steps_per_second"] = round(loop_steps_per_second)
        benchmark.extra_info["times_mpe2_loop"] = round(steps_per_second / loop_steps_per_second, 1)


@pytest.mark.parametrize("env", HUNTERS, ids=lambda env: f"{env.game}-{'moving' if env.moving else 'frozen'}")
def test_speed_of_a_step_of_hunters_and_where_the_marks_are(benchmark: BenchmarkFixture, env: Hunters) -> None:
    """1000 rows of fresh games, as the plain loop has them too: it gets cheaper as hunters freeze, and this does not.

    The fastest of both is compared, for on a busy machine the longer of two is interrupted more often.
    """
    streams = Streams.of(range(N_SEEDS), "speed", "cpu")
    state, actions = env.reset(streams, N_ENVS), _actions(env, streams)

    def step() -> torch.Tensor:
        after, _, _ = env.step(state, actions, streams)
        return env.cells(after)

    with torch.no_grad():
        marks = benchmark(step)
    assert marks.min() >= 0
    if benchmark.stats is not None:
        steps_per_second = N_SEEDS * N_ENVS / benchmark.stats.stats.min
        plain = max(_plain_hunt(env, state, copy) for copy in range(N_ENVS))
        benchmark.extra_info["rows"] = N_SEEDS * N_ENVS
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark.extra_info["steps_per_second"] = round(steps_per_second)
        benchmark.extra_info["plain_python_steps_per_second"] = round(plain)
        benchmark.extra_info["times_plain_python"] = round(steps_per_second / plain, 1)


def _plain_hunt(env: Hunters, start: Hunt, copy: int) -> float:
    """Steps a second of one copy's first 25 steps."""
    hunters, prey = ([(x, y) for x, y in places[0, copy].tolist()] for places in (start.hunters, start.prey))
    hunt = PlainHunt(env.grid, env.horizon, env.n_stags, hunters, prey, start.hits[0, copy].tolist())
    streams = Streams.of([copy], "plain", "cpu")
    actions = streams.integers(25, env.n_hunters, high=5)[0].tolist()
    strides = (streams.integers(25, env.n_prey, high=5)[0] * env.moving).tolist()
    started = time.perf_counter()
    for action, stride in zip(actions, strides, strict=True):
        hunt.step(action, stride)
    return len(actions) / (time.perf_counter() - started)


@pytest.fixture(scope="module")
def engine() -> Any:
    """MAgent2, whose engine plays the game that ours resembles."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # it would take half of the cores
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame warns about itself when magent2 is imported
        pytest.importorskip("magent2", reason="the yardstick is magent2")
        from magent2.environments.gather import gather  # noqa: PLC0415
    return gather


def _crowd_in_the_engine(gather: Any, env: Survival, n_steps: int) -> tuple[float, float]:
    """Agent-steps a second, and a second of the processor, of MAgent2's gathering with as many agents and as much food.

    Everyone walks: attacks would leave fewer agents to step.
    """
    config = gather.get_config(env.map_size, minimap_mode=False, seed=0, **gather.default_reward_args)
    world = gather.magent2.GridWorld(config)
    world.reset()
    start = env.reset(Streams.of([0], "speed", "cpu"), 1)
    food, agents = world.get_handles()
    world.add_agents(agents, method="custom", pos=start.position[0, 0].tolist())
    world.add_agents(food, method="custom", pos=start.food_position[0, 0].tolist())
    actions = np.random.default_rng(0).integers(0, 29, env.n_agents).astype(np.int32)

    def step() -> None:
        world.get_observation(agents)
        world.set_action(agents, actions)
        world.step()
        world.get_reward(agents)
        world.clear_dead()

    clock, processor = _seconds(step, n_steps)
    return env.n_agents / clock, env.n_agents / processor


def _seconds(step: Callable[[], Any], n_steps: int) -> tuple[float, float]:
    """How long a step takes, by the clock and by the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(n_steps):
        step()
    return (time.perf_counter() - clock) / n_steps, (time.process_time() - processor) / n_steps


@pytest.mark.parametrize("env", CROWDS, ids=lambda env: f"Survival-{env.n_agents}")
def test_speed_of_a_crowd(benchmark: BenchmarkFixture, env: Survival, engine: Any) -> None:
    """32 copies, in which everyone lives, and does anything."""
    streams = Streams.of([0], "speed", "cpu")
    state, actions = env.reset(streams, N_CROWDS), _actions(env, streams, N_CROWDS)

    def step() -> torch.Tensor:
        env.step(state, actions, streams)
        return env.observe(state)[0]

    with torch.no_grad():
        seen = benchmark(step)
    assert seen.isfinite().all()
    if benchmark.stats is not None:  # None with --benchmark-disable
        n_stepped = N_CROWDS * env.n_agents
        engine_rate, engine_cpu_rate = _crowd_in_the_engine(engine, env, 200)
        rate, cpu_rate = n_stepped / benchmark.stats.stats.median, n_stepped / _seconds(step, 20)[1]
        benchmark.extra_info["rows"] = N_CROWDS
        benchmark.extra_info["threads"] = torch.get_num_threads()
        benchmark.extra_info["agent_steps_per_second"] = round(rate)
        benchmark.extra_info["engine_agent_steps_per_second"] = round(engine_rate)
        benchmark.extra_info["agent_steps_per_cpu_second"] = round(cpu_rate)
        benchmark.extra_info["engine_agent_steps_per_cpu_second"] = round(engine_cpu_rate)
        benchmark.extra_info["times_engine"] = round(cpu_rate / engine_cpu_rate, 2)


def _actions(env: Env[Any], streams: Streams, n_envs: int = N_ENVS) -> tuple[torch.Tensor, ...]:
    return tuple(
        streams.uniform(n_envs, role.n_agents, role.action.n, low=role.action.low, high=role.action.high)
        if isinstance(role.action, Box)
        else streams.integers(n_envs, role.n_agents, high=role.action.n)
        for role in env.roles
    )
