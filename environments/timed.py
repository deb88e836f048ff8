"""Any game whose agents also see the time: where its limit is an end, what is left of it says what is still to come."""

from __future__ import annotations

import functools
from collections import namedtuple
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

from environments import Role, Streams
from environments._settings import Offers, check
from environments.spread import Spread


@dataclass(frozen=True)
class Timed:
    """Every agent sees t/T behind all else that it sees; all other numbers are those of the game.

    The state is the game's and, behind its fields, `elapsed` [S, E, 1], how many steps have been played.

    Raises: ValueError where an agent sees no vector, such as a picture.
    """

    version: ClassVar[int] = 1

    game: Annotated[Any, Offers(("reset", "step", "observe", "full_state"))] = field(default_factory=Spread)

    def __post_init__(self) -> None:
        check(self)
        shapes = [role.observation_shape for role in self.game.roles]
        if any(len(shape) != 1 for shape in shapes):
            raise ValueError(f"the time is seen behind a vector, got observations of shapes {shapes}")

    @property
    def may_end(self) -> bool:
        """As in the game."""
        return bool(self.game.may_end)

    @property
    def horizon(self) -> int:
        """As in the game."""
        return int(self.game.horizon)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Those of the game, each seeing one number more."""
        return tuple(role._replace(observation_shape=(role.observation_shape[0] + 1,)) for role in self.game.roles)

    def reset(self, streams: Streams, n_envs: int) -> Any:
        """The game's first state, at time 0."""
        return _timed(self.game.reset(streams, n_envs), torch.zeros(streams.n_seeds, n_envs, 1, device=streams.device))

    def step(self, state: Any, actions: tuple[Tensor, ...], streams: Streams) -> tuple[Any, Tensor, Tensor]:
        """A step of the game."""
        game, reward, ended = self.game.step(_game(state), actions, streams)
        return _timed(game, state.elapsed + 1), reward, ended

    def observe(self, state: Any) -> tuple[Tensor, ...]:
        """What the game shows, and t/T."""
        time = (state.elapsed / self.horizon).unsqueeze(2)  # [S, E, 1, 1]
        return tuple(torch.cat([seen, time.expand(*seen.shape[:3], 1)], -1) for seen in self.game.observe(_game(state)))

    def full_state(self, state: Any) -> Tensor:
        """The game's, and the steps that have been played."""
        return torch.cat([self.game.full_state(_game(state)), state.elapsed], -1)


def _timed(game: Any, elapsed: Tensor) -> Any:
    return _kind(type(game))(*game, elapsed)  # type: ignore[arg-type]


def _game(state: Any) -> Any:
    return type(state).game_kind(*state[:-1])


@functools.cache
def _kind(game: Any) -> Any:
    """The type of a state with the time behind its fields."""
    kind = namedtuple(f"Timed{game.__name__}", (*game._fields, "elapsed"))  # type: ignore[misc]
    kind.game_kind = game  # type: ignore[attr-defined]
    return kind
