"""Our games in other people's trainers, where these are installed: `pip install -e ".[trainers]"`.

SuperSuit (vectorised, black death, frames stacked), PPO of stable-baselines3 through it, and TorchRL.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from environments import Env
from environments.cooperative_navigation import CooperativeNavigation
from environments.hunters import Hunters
from environments.pettingzoo import ParallelEnvironment
from environments.simple_tag import SimpleTag
from environments.survival import Survival

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pettingzoo.test imports modules that pettingzoo deprecates
    from pettingzoo.test import parallel_api_test

SPREAD = CooperativeNavigation()
CROWD = Survival(n_agents=12, n_food=9, map_size=12, view_radius=3, horizon=60, agent_hp=1)
HUNT = Hunters("Stag-Hunters", 3, 4, moving=True, grid=6, horizon=12)
N_COPIES = 4

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs


def tool(name: str) -> Any:
    """What is imported of a trainer; without it the test is skipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name, reason=f"{name} is not installed: pip install -e '.[trainers]'")


def vectorised(env: Env[Any], base_class: str = "gymnasium", num_cpus: int = 1) -> Any:
    """Four copies of a game, side by side."""
    supersuit = tool("supersuit")
    game = supersuit.black_death_v3(ParallelEnvironment(env))
    copies = supersuit.pettingzoo_env_to_vec_env_v1(game)
    return supersuit.concat_vec_envs_v1(copies, N_COPIES, num_cpus=num_cpus, base_class=base_class)


def distinct(starts: Any) -> int:
    """How many of the copies start differently. Shapes: [copies · agents, D]."""
    return len({row.tobytes() for row in np.asarray(starts).reshape(N_COPIES, -1)})


@pytest.mark.parametrize("env", [SPREAD, CROWD, HUNT], ids=["spread", "crowd", "hunt"])
@pytest.mark.parametrize("num_cpus", [1, 2], ids=["one process", "processes"])
def test_supersuits_copies_differ_and_play_on_over_the_ends_of_episodes(env: Env[Any], num_cpus: int) -> None:
    copies = vectorised(env, num_cpus=num_cpus)
    starts, _ = copies.reset()
    assert distinct(starts) == N_COPIES
    n_ended = 0
    for _ in range(2 * env.horizon + 3):
        actions = np.stack([copies.action_space.sample() for _ in range(copies.num_envs)])
        seen, rewards, terminated, truncated, _ = copies.step(actions)
        assert np.isfinite(rewards).all() and np.isfinite(seen).all()
        n_ended += int(np.any(terminated)) + int(np.any(truncated))
    assert n_ended
    copies.close()


@pytest.mark.parametrize("env", [SPREAD, CROWD, HUNT], ids=["spread", "crowd", "hunt"])
@pytest.mark.parametrize("n_frames", [1, 3])
def test_supersuits_black_death_and_stacked_frames_pass_pettingzoos_test(env: Env[Any], n_frames: int) -> None:
    supersuit = tool("supersuit")
    game = supersuit.frame_stack_v2(supersuit.black_death_v3(ParallelEnvironment(env)), n_frames)
    parallel_api_test(game, num_cycles=2 * env.horizon + 3)


def test_roles_of_two_sizes_are_padded_by_supersuit() -> None:
    supersuit = tool("supersuit")
    game = supersuit.pad_action_space_v0(supersuit.pad_observations_v0(ParallelEnvironment(SimpleTag())))
    seen, _ = supersuit.pettingzoo_env_to_vec_env_v1(game).reset(seed=0)
    assert seen.shape == (4, 16)


class Starts:
    """What a vectorised game begins with whenever it begins anew, for whoever trains in it."""

    def __init__(self, copies: Any) -> None:
        self.copies = copies
        self.seen: set[bytes] = set()

    def __enter__(self) -> Starts:
        self._step = self.copies.step_wait

        def noted() -> Any:
            seen, rewards, done, infos = self._step()
            for row in np.flatnonzero(done):
                self.seen.add(seen[row].tobytes())
            return seen, rewards, done, infos

        self.copies.step_wait = noted
        return self

    def __exit__(self, *_: object) -> None:
        self.copies.step_wait = self._step


@pytest.mark.parametrize("env", [SPREAD, CROWD], ids=["spread", "crowd"])
def test_ppo_of_stable_baselines_learns_from_distinct_episodes(env: Env[Any]) -> None:
    stable_baselines = tool("stable_baselines3")
    copies = vectorised(env, base_class="stable_baselines3")
    assert distinct(copies.reset()) == N_COPIES
    with Starts(copies) as starts:
        model = stable_baselines.PPO(
            "MlpPolicy", copies, n_steps=64, batch_size=256, n_epochs=1, device="cpu", seed=None
        )
        model.learn(4_000)
    assert model.num_timesteps >= 4_000
    assert len(starts.seen) > 2 * N_COPIES
    assert all(bool(parameter.isfinite().all()) for parameter in model.policy.parameters())


@pytest.mark.parametrize(
    ("env", "settings"),
    [(SPREAD, {}), (SimpleTag(), {}), (HUNT, {}), (CROWD, {"use_mask": True, "done_on_any": False})],
    ids=["spread", "tag", "hunt", "crowd"],
)
def test_torchrl_finds_everything_within_its_specs(env: Env[Any], settings: dict[str, Any]) -> None:
    torchrl = tool("torchrl.envs")
    wrapped = torchrl.PettingZooWrapper(ParallelEnvironment(env), return_state=True, **settings)
    torchrl.check_env_specs(wrapped)
    played = wrapped.rollout(2 * env.horizon)
    assert len(played) <= env.horizon
    assert bool(played["next", "done"][-1])


def test_torchrls_copies_differ() -> None:
    torchrl = tool("torchrl.envs")
    copies = torchrl.SerialEnv(N_COPIES, [lambda: torchrl.PettingZooWrapper(ParallelEnvironment(SPREAD))] * N_COPIES)
    assert distinct(copies.reset()["agent", "observation"]) == N_COPIES
