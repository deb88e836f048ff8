"""Pictures of games: what is where, as pixels, for whoever watches.

    picture(env, env.reset(streams, 1))        # uint8 [400, 400, 3]

Particle games show the square of half-width 1.4 around the middle, with y upwards: landmarks grey, agents blue, and
where there are two roles the first red. Games on a grid show all of it, in the colours of their `marks`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from environments import Env
from environments._particles import Particles

SIDE = 400
"""Of a picture, in pixels."""
HALF_WIDTH = 1.4
"""Of what is shown of the plane."""
POINT = 0.05
"""The radius with which a place is shown that has no size."""
COLOURS = {
    "white": (255, 255, 255),
    "grey": (150, 150, 150),
    "light": (170, 185, 230),
    "blue": (60, 90, 200),
    "red": (210, 60, 50),
    "green": (70, 160, 80),
    "brown": (140, 90, 40),
}


class Mark(NamedTuple):
    """A cell (x, y), counted from the upper left, and the name of its colour."""

    x: int
    y: int
    colour: str


@runtime_checkable
class OnGrid(Protocol):
    """A game that says what is in the cells of its grid."""

    def marks(self, state: Any) -> tuple[int, list[tuple[int, int, str]]]:
        """How many cells a side has, and `Mark`s of one copy's state, later ones above. Shapes: fields [...]."""


@runtime_checkable
class OnPlane(Protocol):
    """A particle game whose bodies are of several sizes."""

    def radii(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of all bodies that move, and of the landmarks."""


def can_be_drawn(env: Env[Any], state: Any) -> bool:
    """Whether `picture` knows how."""
    sized = isinstance(env, OnPlane) or hasattr(env, "agent_size")
    return isinstance(env, OnGrid) or (isinstance(state, Particles) and sized)


def picture(env: Env[Any], state: Any, *, seed: int = 0, copy: int = 0) -> NDArray[np.uint8]:
    """One copy of one seed. Shapes: [SIDE, SIDE, 3]."""
    own = type(state)(*(field[seed, copy].cpu() for field in state))
    if isinstance(env, OnGrid):
        side, marks = env.marks(own)
        return _grid(side, marks)
    return _plane(env, own)


def _grid(side: int, marks: Iterable[tuple[int, int, str]]) -> NDArray[np.uint8]:
    cells = np.full((side, side, 3), COLOURS["white"], np.uint8)
    for x, y, colour in marks:
        cells[y, x] = COLOURS[colour]
    nearest = np.arange(SIDE) * side // SIDE
    return np.ascontiguousarray(cells[nearest][:, nearest])


def _plane(env: Any, state: Particles) -> NDArray[np.uint8]:
    """Landmarks, then bodies above them."""
    n_bodies, n_landmarks = len(state.position), len(state.landmark)
    if isinstance(env, OnPlane):
        of_bodies, of_landmarks = env.radii()
    else:
        of_bodies, of_landmarks = (env.agent_size,) * n_bodies, (POINT,) * n_landmarks
    *first, _ = (role.n_agents for role in env.roles)
    n_agents = sum(role.n_agents for role in env.roles)
    colours = ["red"] * sum(first) + ["blue"] * (n_agents - sum(first)) + ["brown"] * (n_bodies - n_agents)
    pixels = np.full((SIDE, SIDE, 3), COLOURS["white"], np.uint8)
    middle = (np.arange(SIDE) + 0.5) * (2 * HALF_WIDTH / SIDE) - HALF_WIDTH
    of_all = (
        (state.landmark, of_landmarks, ["grey"] * n_landmarks),
        (state.position, of_bodies, colours),
    )
    for places, radii, of_kind in of_all:
        for (x, y), radius, colour in zip(places.tolist(), radii, of_kind, strict=True):
            inside = (middle[None, :] - x) ** 2 + (middle[::-1, None] - y) ** 2 < radius**2
            pixels[inside] = COLOURS[colour]
    return pixels
