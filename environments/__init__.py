"""What is played: every game as pure functions of tensors, `S` seeds times `E` copies at once.

An environment is a frozen dataclass of the game's constants. It keeps nothing between calls:

    env = SimpleSpread()
    streams = Streams.of(seeds=[0, 1], purpose="training", device="cpu")
    state = env.reset(streams, n_envs=25)                        # every field [S, E, ...]
    observations = env.observe(state)                            # one [S, E, A_role, *shape] a role
    state, reward, terminated = env.step(state, actions, streams)    # actions: one tensor a role

Axes stand in one order everywhere: S seeds, E copies, A agents, features. Nothing reduces, normalises, clips or draws
across axis 0, so a seed that runs alone gives the same numbers as the same seed among others.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from environments._rows import side_by_side
from environments._settings import Amount, Count, Offers, Positive, Share, Whole, check
from environments._streams import Streams

__all__ = [
    "Action",
    "Amount",
    "Bounded",
    "Bounds",
    "Box",
    "Count",
    "Discrete",
    "Env",
    "GridEnv",
    "Mortal",
    "Offers",
    "Planes",
    "Positive",
    "Role",
    "Share",
    "State",
    "Streams",
    "Whole",
    "check",
    "side_by_side",
]


class Box(NamedTuple):
    """A bounded vector: actions are float tensors `[S, E, A_role, n]` with entries in [low, high]."""

    n: int
    low: float = -1.0
    high: float = 1.0


class Discrete(NamedTuple):
    """One of `n` choices: actions are int64 tensors `[S, E, A_role]` with entries 0 … n-1."""

    n: int


Action = Box | Discrete


class Role(NamedTuple):
    """A group of interchangeable agents: same observation, same actions."""

    name: str
    n_agents: int
    observation_shape: tuple[int, ...]
    action: Action


State = TypeVar("State", bound=tuple[Tensor, ...])  # a NamedTuple of tensors, each [S, E, ...]


class Env(Protocol[State]):
    """A game. Implementations are frozen dataclasses whose fields are the game's constants."""

    version: ClassVar[int]
    """Raised when, and only when, the same call returns other numbers: it is part of every result's key."""

    @property
    def may_end(self) -> bool:
        """Whether the rules may end an episode before the horizon, or with it; otherwise nothing ever terminates."""

    @property
    def horizon(self) -> int:
        """Steps until an episode is truncated; truncation is never reported as termination.

        Where a limit on time belongs to the rules, a game that reaches it here has terminated and is not truncated.
        """

    @property
    def roles(self) -> tuple[Role, ...]:
        """The groups of agents, in the order of the agent axis: predators and prey are two roles."""

    def reset(self, streams: Streams, n_envs: int) -> State:
        """The first state of `n_envs` fresh episodes a seed. Shapes: every field [S, E, ...]."""

    def step(self, state: State, actions: tuple[Tensor, ...], streams: Streams) -> tuple[State, Tensor, Tensor]:
        """The next state, the reward [S, E, A] of every agent, and whether the game ended by its rules, [S, E] bool."""

    def observe(self, state: State) -> tuple[Tensor, ...]:
        """What each agent sees: one tensor [S, E, A_role, *observation_shape] a role."""

    def full_state(self, state: State) -> Tensor:
        """All that matters for the future, as a vector for centralised critics and policies. Shapes: [S, E, D]."""


@runtime_checkable
class Mortal(Protocol):
    """What an `Env` also has where its agents can die while the game goes on, for learners that must know."""

    def alive(self, state: Any) -> Tensor:
        """Who can still act. All can at first; the dead never can again, get nothing, and what they do is ignored.

        Shapes: [S, E, A] bool.
        """


class Bounds(NamedTuple):
    """The least and the largest that every entry of a vector can be; −inf and inf where nothing is known."""

    low: Tensor
    high: Tensor


@runtime_checkable
class Bounded(Protocol):
    """What an `Env` also has where its numbers lie within known bounds, for whoever scales what they learn from."""

    def observation_bounds(self) -> tuple[Bounds, ...]:
        """Of what the agents of each role see. Shapes: both [*observation_shape]."""

    def state_bounds(self) -> Bounds:
        """Of the full state. Shapes: both [D]."""


class Planes(NamedTuple):
    """A stack of grids, which are tori: the picture that a convolution sees."""

    n_planes: int
    height: int
    width: int


class GridEnv(Env[State], Protocol[State]):
    """A game on a grid whose state can be drawn with few marks: planes of zeros on which `K` marks count one each."""

    @property
    def planes(self) -> Planes:
        """How large the picture is."""

    def cells(self, state: State) -> Tensor:
        """Where the marks are, as indices into the flattened planes. One that stands twice counts twice.

        Shapes: [S, E, K] int64.
        """
