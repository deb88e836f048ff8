"""How fast environments step, next to a Python loop on the same machine in the same run.

The loop is mpe2's for games of particles, and for the hunters' the rules in plain Python, as `_yardsticks` has them.

    pytest benchmarks/speed -k environments

Both run on one thread. The loop has no use for a second, and where the second core is busy, torch waits for it at the
end of every parallel operation: steps of 0.6 ms were seen to take 48.

Units: `steps_per_second` counts one step of one copy; a step includes observing, and for hunters finding the marks on
    the planes, which the plain loop is spared. Nothing is asserted about time.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks._yardsticks import PlainHunt
from environments import Box, Env, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.hunters import Hunt, Hunters
from environments.simple_spread import SimpleSpread

N_SEEDS, N_ENVS = 10, 100
ENVIRONMENTS = [CooperativeNavigation(), SimpleSpread()]
HUNTERS = [Hunters("Hare-Hunters", 20, 20), Hunters("Stag-Hunters", 20, 20, moving=True, horizon=1000)]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
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


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=lambda env: type(env).__name__)
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


def _actions(env: Env[Any], streams: Streams) -> tuple[torch.Tensor, ...]:
    return tuple(
        streams.uniform(N_ENVS, role.n_agents, role.action.n, low=role.action.low, high=role.action.high)
        if isinstance(role.action, Box)
        else streams.integers(N_ENVS, role.n_agents, high=role.action.n)
        for role in env.roles
    )
