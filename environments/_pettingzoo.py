"""Any environment as a PettingZoo `ParallelEnv`: one seed, one copy, NumPy in and out.

    env = ParallelEnvironment(SimpleTag())
    observations, infos = env.reset(seed=3)        # {"adversary_0": float32 [16], …, "good_0": float32 [14]}

Nothing else imports PettingZoo or Gymnasium.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pettingzoo
import torch
from numpy.typing import NDArray
from torch import Tensor

from environments import Action, Box, Env, Role, Streams


class ParallelEnvironment(pettingzoo.ParallelEnv):  # type: ignore[misc]
    """One game at a time, for code that speaks PettingZoo."""

    metadata: ClassVar[dict[str, Any]] = {"name": "environment", "render_modes": []}
    render_mode = None

    def __init__(self, env: Env[Any]) -> None:
        self._env = env
        self._streams: Streams | None = None
        self._state: Any = None
        self._step = 0
        self.agents: list[str] = []
        self.possible_agents = [name for role in env.roles for name in _names(role)]
        # Made once: PettingZoo asks for the same object at every call, since spaces are sampled from.
        self.observation_spaces = {name: _seen(role) for role in env.roles for name in _names(role)}
        self.action_spaces = {name: _space(role.action) for role in env.roles for name in _names(role)}

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """What `agent` may see; the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """What `agent` may do; the same object at every call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, dict[str, Any]]]:
        """A fresh episode. Without a seed the stream of the last one goes on; the first one then takes seed 0."""
        if seed is not None or self._streams is None:
            self._streams = Streams.of([seed or 0], "pettingzoo", "cpu")
        self._state = self._env.reset(self._streams, 1)
        self._step = 0
        self.agents = list(self.possible_agents)
        return self._observations(), {name: {} for name in self.agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[
        dict[str, NDArray[np.float32]], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """One step of all agents: observations, rewards, terminations, truncations, infos.

        Raises: ValueError where an agent's action is missing, has the wrong shape, is NaN or no known choice.
        """
        if self._streams is None or not self.agents:
            raise ValueError("step needs a running episode: call reset first")
        joint = tuple(_stacked(role, actions) for role in self._env.roles)
        self._state, reward, terminated = self._env.step(self._state, joint, self._streams)
        self._step += 1
        names = self.agents
        ended = bool(terminated[0, 0])
        truncated = self._step >= self._env.horizon and not ended  # the limit may be a rule of the game
        rewards = dict(zip(names, reward[0, 0].tolist(), strict=True))
        if ended or truncated:
            self.agents = []
        return (
            self._observations(),
            rewards,
            dict.fromkeys(names, ended),
            dict.fromkeys(names, truncated),
            {name: {} for name in names},
        )

    def state(self) -> NDArray[np.float32]:
        """The full state as one vector."""
        return _array(self._env.full_state(self._state)[0, 0])

    def render(self) -> None:
        """Nothing: there are no pictures."""

    def close(self) -> None:
        """Nothing: there is nothing to release."""

    def _observations(self) -> dict[str, NDArray[np.float32]]:
        rows = [_array(row) for seen in self._env.observe(self._state) for row in seen[0, 0]]
        return dict(zip(self.possible_agents, rows, strict=True))


def _names(role: Role) -> list[str]:
    return [f"{role.name}_{index}" for index in range(role.n_agents)]


def _seen(role: Role) -> gymnasium.Space[Any]:
    return gymnasium.spaces.Box(-np.inf, np.inf, role.observation_shape, np.float32)


def _space(action: Action) -> gymnasium.Space[Any]:
    if isinstance(action, Box):
        return gymnasium.spaces.Box(action.low, action.high, (action.n,), np.float32)
    return gymnasium.spaces.Discrete(action.n)


def _array(row: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = row.numpy().copy()
    return array


def _stacked(role: Role, actions: Mapping[str, Any]) -> Tensor:
    """The actions of a role's agents. Shapes: [1, 1, A_role, n], or [1, 1, A_role] for choices."""
    missing = [name for name in _names(role) if name not in actions]
    if missing:
        raise ValueError(f"actions must name every agent, {missing} missing from {sorted(actions)}")
    box = isinstance(role.action, Box)
    rows = [np.asarray(actions[name], dtype=np.float32 if box else np.int64) for name in _names(role)]
    expected = (role.action.n,) if box else ()
    for name, row in zip(_names(role), rows, strict=True):
        if row.shape != expected:
            raise ValueError(f"the action of {name!r} must have the shape {list(expected)}, got {list(row.shape)}")
    return torch.from_numpy(np.stack(rows)).unsqueeze(0).unsqueeze(0)
