"""Any game as a PettingZoo `ParallelEnv`, for other people's trainers: one seed, one copy, NumPy in and out.

    names()                                        # ("CN_V1", "CN_V2", …, "Survival"): the games that have a name
    env = made("SimpleTag")                        # or ParallelEnvironment(SimpleTag(action="force", n_prey=2))
    observations, infos = env.reset(seed=3)        # {"adversary_0": float32 [16], …, "good_0": float32 [14]}

What trainers rely on and the API leaves open:

- without a seed the first reset draws one from the operating system, so that no two copies play the same game, whether
  they were made, copied, unpickled or forked; later resets go on with the stream. With a seed it begins anew;
- where agents can die, `terminated` says so in the step of the death, and the agent leaves `agents`; what is still
  said for it is ignored, for some trainers speak for everybody;
- actions beyond a `Box` are clipped to it, as mpe2 does, and infinities are; a NaN, another shape, another kind of
  number, a choice that there is not, and a name that there is not are errors;
- `step` after the end returns nothing of nobody, as PettingZoo's converters do, until the next `reset`;
- all numbers are float32, whatever PyTorch's default is.

Agents that take turns (AEC): `pettingzoo.utils.parallel_to_aec(env)`. Nothing else imports PettingZoo or Gymnasium.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import operator
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
import pettingzoo
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from environments import Action, Bounded, Bounds, Box, Env, Mortal, Role, Streams
from environments._pictures import can_be_drawn, picture

RenderMode = Literal["rgb_array", "human"]
FPS = 10
"""Of the particle games, whose steps are tenths of a second."""


class ParallelEnvironment(pettingzoo.ParallelEnv):  # type: ignore[misc]
    """One game at a time, for code that speaks PettingZoo.

    Raises: ValueError where the game cannot be drawn, or not in this way, and it is asked to be.
    """

    def __init__(self, env: Env[Any], render_mode: RenderMode | None = None) -> None:
        first = env.reset(Streams.of([0], "sizes", "cpu"), 1)
        modes = ["rgb_array", "human"] if can_be_drawn(env, first) else []
        if render_mode is not None and render_mode not in modes:
            known = f"one of {modes}" if modes else "None, for nothing draws this game"
            raise ValueError(f"render_mode must be {known}, got {render_mode!r}")
        self.metadata: dict[str, Any] = {
            "name": name_of(env),
            "render_modes": modes,
            "render_fps": FPS,
            "is_parallelizable": True,
        }
        self.render_mode = render_mode
        self._env = env
        self._streams: Streams | None = None
        self._state: Any = None
        self._step = 0
        self._window: Any = None
        self.agents: list[str] = []
        self.possible_agents = [name for role in env.roles for name in _names(role)]
        # Made once: PettingZoo asks for the same object at every call, since spaces are sampled from.
        self.observation_spaces = dict(zip(self.possible_agents, _seen(env), strict=True))
        self.action_spaces = {name: _space(role.action) for role in env.roles for name in _names(role)}
        self.state_space = _state_space(env, first)

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """What `agent` may see; the same object at every call."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """What `agent` may do; the same object at every call."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, dict[str, Any]]]:
        """A fresh episode. Without a seed the stream of the last one goes on; the first one is then anybody's guess.

        There are no options; whatever is given as such is ignored, as PettingZoo's own test of the API demands.

        Raises: ValueError where the seed is no whole number of at least 0.
        """
        if seed is not None or self._streams is None:
            self._streams = Streams.of([_entropy() if seed is None else _seed(seed)], "pettingzoo", "cpu")
        self._state = self._env.reset(self._streams, 1)
        self._step = 0
        self.agents = list(self.possible_agents)
        self._show()
        return self._observations(), {name: {} for name in self.agents}

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[
        dict[str, NDArray[np.float32]], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:
        """One step of all living agents: observations, rewards, terminations, truncations, infos.

        Raises: ValueError where a name is unknown, a living agent's action is missing, or it is none (see above).
        """
        if self._streams is None:
            raise ValueError("step needs an episode: call reset first")
        unknown = sorted(set(actions) - set(self.possible_agents), key=str)
        if unknown:
            raise ValueError(f"actions must be of {_few(self.possible_agents)}, got one of {_few(unknown)}")
        if not self.agents:
            return {}, {}, {}, {}, {}
        missing = [name for name in self.agents if name not in actions]
        if missing:
            raise ValueError(f"actions must name every living agent, {_few(missing)} missing from {_few(actions)}")
        before = self.agents
        joint = tuple(self._stacked(role, actions) for role in self._env.roles)
        self._state, reward, terminated = self._env.step(self._state, joint, self._streams)
        self._step += 1
        ended = bool(terminated[0, 0])
        over = self._step >= self._env.horizon
        alive = self._alive()
        terminations = {name: ended or not alive[name] for name in before}
        truncations = {name: over and not terminations[name] for name in before}  # the limit may be a rule of the game
        paid = dict(zip(self.possible_agents, reward[0, 0].tolist(), strict=True))
        observations = self._observations()
        self.agents = [] if ended or over else [name for name in before if alive[name]]
        self._show()
        return (
            {name: observations[name] for name in before},
            {name: paid[name] for name in before},
            terminations,
            truncations,
            {name: {} for name in before},
        )

    def state(self) -> NDArray[np.float32]:
        """The full state as one vector.

        Raises: ValueError before the first reset.
        """
        if self._streams is None:
            raise ValueError("a state needs an episode: call reset first")
        return _array(self._env.full_state(self._state)[0, 0])

    def render(self) -> NDArray[np.uint8] | None:
        """The picture [H, W, 3] as "rgb_array"; nothing otherwise: a window is up to date after every step.

        Raises: ValueError before the first reset.
        """
        if self.render_mode is None:
            return None
        if self._streams is None:
            raise ValueError("a picture needs an episode: call reset first")
        if self.render_mode == "rgb_array":
            return picture(self._env, self._state)
        return None

    def close(self) -> None:
        """Closes the window, where there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def __getstate__(self) -> dict[str, Any]:
        """All but the window: each copy opens its own."""
        return self.__dict__ | {"_window": None}

    def _observations(self) -> dict[str, NDArray[np.float32]]:
        rows = [_array(row) for seen in self._env.observe(self._state) for row in seen[0, 0]]
        return dict(zip(self.possible_agents, rows, strict=True))

    def _alive(self) -> dict[str, bool]:
        if not isinstance(self._env, Mortal):
            return dict.fromkeys(self.possible_agents, True)
        return dict(zip(self.possible_agents, self._env.alive(self._state)[0, 0].tolist(), strict=True))

    def _stacked(self, role: Role, actions: Mapping[str, Any]) -> Tensor:
        """The actions of a role's agents, 0 for the dead. Shapes: [1, 1, A_role, n], or [1, 1, A_role] for choices."""
        playing = set(self.agents)
        rows = [
            _action(name, role.action, actions[name]) if name in playing else _rest(role.action)
            for name in _names(role)
        ]
        return from_numpy(np.stack(rows)).unsqueeze(0).unsqueeze(0)

    def _show(self) -> None:
        if self.render_mode == "human":
            if self._window is None:
                self._window = Window(self.metadata["name"])
            self._window.show(picture(self._env, self._state))


class Window:
    """A picture on the screen, by matplotlib; where there is no screen nothing is seen."""

    def __init__(self, title: str) -> None:
        pyplot = importlib.import_module("matplotlib.pyplot")
        self._pyplot: Any = pyplot
        self._figure: Any = pyplot.figure(title, frameon=False)
        self._image: Any = None

    def show(self, pixels: NDArray[np.uint8]) -> None:
        """Puts the picture up. Shapes: [H, W, 3]."""
        if self._image is None:
            axes = self._figure.add_axes((0, 0, 1, 1))
            axes.set_axis_off()
            self._image = axes.imshow(pixels)
            if getattr(self._figure.canvas, "required_interactive_framework", None):
                self._figure.show()
        self._image.set_data(pixels)
        self._figure.canvas.draw_idle()
        self._figure.canvas.flush_events()

    def close(self) -> None:
        """Takes it away."""
        self._pyplot.close(self._figure)


# ---- games by name --------------------------------------------------------------------------------------------------


@functools.cache
def games() -> Mapping[str, Env[Any]]:
    """Every game by its name: the instances that files of environments name, and every class as it is by default."""
    found: dict[str, Any] = {}
    classes: dict[str, Any] = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        if path != Path(__file__):
            module = importlib.import_module(f"{__package__}.{path.stem}")
            for name, thing in vars(module).items():
                if isinstance(thing, type) and thing.__module__ == module.__name__ and dataclasses.is_dataclass(thing):
                    classes[name] = thing()
                elif dataclasses.is_dataclass(thing) and type(thing).__module__ == module.__name__:
                    found[name] = thing
    return types.MappingProxyType(dict(sorted(found.items())) | dict(sorted(classes.items())))


def names() -> tuple[str, ...]:
    """The names of all games, for `made`."""
    return tuple(games())


def made(name: str, render_mode: RenderMode | None = None) -> ParallelEnvironment:
    """The game of this name. With other settings: `ParallelEnvironment(SimpleTag(n_prey=2))`.

    Raises: ValueError where there is none.
    """
    if name not in games():
        raise ValueError(f"name must be one of {', '.join(names())}, got {name!r}")
    return ParallelEnvironment(games()[name], render_mode)


def name_of(env: Env[Any]) -> str:
    """The game's name; that of its class where its settings have none of their own."""
    return next((name for name, game in games().items() if game == env), type(env).__name__)


# ---- spaces and actions ---------------------------------------------------------------------------------------------


def _names(role: Role) -> list[str]:
    return [f"{role.name}_{index}" for index in range(role.n_agents)]


def _seen(env: Env[Any]) -> list[gymnasium.Space[Any]]:
    """What each agent may see."""
    bounds = env.observation_bounds() if isinstance(env, Bounded) else (None,) * len(env.roles)
    return [
        _box(role.observation_shape, of_role)
        for role, of_role in zip(env.roles, bounds, strict=True)
        for _ in range(role.n_agents)
    ]


def _state_space(env: Env[Any], state: Any) -> gymnasium.Space[Any]:
    return _box((env.full_state(state).shape[-1],), env.state_bounds() if isinstance(env, Bounded) else None)


def _box(shape: tuple[int, ...], bounds: Bounds | None) -> gymnasium.Space[Any]:
    if bounds is None:
        return gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float32)
    return gymnasium.spaces.Box(_array(bounds.low), _array(bounds.high), shape, np.float32)


def _space(action: Action) -> gymnasium.Space[Any]:
    if isinstance(action, Box):
        return gymnasium.spaces.Box(action.low, action.high, (action.n,), np.float32)
    return gymnasium.spaces.Discrete(action.n)


def _array(row: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = row.numpy().astype(np.float32)  # a copy
    return array


def _action(name: str, space: Action, given: Any) -> NDArray[Any]:
    """What an agent does, as the game takes it.

    Raises: ValueError where it is no action.
    """
    return _vector(name, space, given) if isinstance(space, Box) else _choice(name, space.n, given)


def _rest(space: Action) -> NDArray[Any]:
    """What stands in the place of a dead agent's action, and is ignored."""
    return np.full(space.n, space.low, np.float32) if isinstance(space, Box) else np.zeros((), np.int64)


def _vector(name: str, space: Box, given: Any) -> NDArray[np.float32]:
    try:
        row = np.asarray(given)
    except ValueError:  # of lists of different lengths
        row = np.asarray(None)
    if row.dtype.kind not in "iuf":
        raise ValueError(f"the action of {name!r} must be {space.n} numbers, got {_brief(given)}")
    if row.shape != (space.n,):
        raise ValueError(f"the action of {name!r} must have the shape {[space.n]}, got {list(row.shape)}")
    if np.isnan(row).any():
        raise ValueError(f"the action of {name!r} must be numbers, got NaN in {_brief(row.tolist())}")
    clipped: NDArray[np.float32] = np.clip(row, space.low, space.high).astype(np.float32)
    return clipped


def _choice(name: str, n: int, given: Any) -> NDArray[np.int64]:
    try:
        row = np.asarray(given)
    except ValueError:
        row = np.asarray(None)
    if row.shape != ():
        raise ValueError(f"the action of {name!r} must have the shape [], got {list(row.shape)}")
    if row.dtype.kind not in "iu" or not 0 <= row < n:
        raise ValueError(f"the action of {name!r} must be a whole number in 0 … {n - 1}, got {_brief(given)}")
    return row.astype(np.int64)


def _seed(seed: Any) -> int:
    try:
        number = operator.index(seed)
    except TypeError:
        number = -1
    if number < 0 or isinstance(seed, bool):
        raise ValueError(f"seed must be a whole number of at least 0 or None, got {_brief(seed)}")
    return number


def _entropy() -> int:
    """From the operating system: no global generator is touched, and no two processes share it."""
    entropy = np.random.SeedSequence().entropy
    assert isinstance(entropy, int)
    return entropy


def _few(of: Any) -> str:
    """The first of many names, as a list."""
    listed = list(of)
    return f"{listed}" if len(listed) <= 6 else f"{listed[:5]} and {len(listed) - 5} more"


def _brief(value: Any) -> str:
    """A value on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"
