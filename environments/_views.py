"""What agents on a map see: the cells around them, turned so that ahead is up.

The map of a game is drawn as a picture of one byte a cell, once for each of the four headings, so that the rows of what
an agent sees lie in one piece in the picture of its heading. Seeing is then copying a few short runs of bytes.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

EAST, SOUTH, WEST, NORTH = range(4)
"""Clockwise where y grows downwards.

Source: geek-ai/MAgent @2144dbd, `src/gridworld/grid_def.h` `Direction`.
"""
BLANK, WALL = 0, 255
"""What is drawn of a cell where nothing is, and of the border. Everything else takes a byte between them."""


def turned(dx: int, dy: int, heading: int) -> tuple[int, int]:
    """The step on the map that goes dx to the right and dy back, for somebody with this heading.

    Source: geek-ai/MAgent @2144dbd, `src/gridworld/Map.cc` `rela_to_abs`.
    """
    return {EAST: (-dy, dx), SOUTH: (-dx, -dy), WEST: (dy, -dx), NORTH: (dx, dy)}[heading]


def disc(radius: float) -> tuple[tuple[int, int], ...]:
    """The cells (dx, dy) within `radius`, row by row from the farthest ahead, each row from left to right.

    Source: geek-ai/MAgent @2144dbd, `src/gridworld/Range.h` `CircleRange`.
    """
    reach = range(-int(radius), int(radius) + 1)
    return tuple((dx, dy) for dy in reach for dx in reach if dx * dx + dy * dy <= radius * radius)


def views(place: Tensor, drawn: Tensor, heading: Tensor, side: int, radius: int) -> Tensor:
    """What is drawn of the cells within `radius` of each agent, in the order of `disc`; 0 beyond the border.

    The first A of the things look. A thing that is drawn as `BLANK` is not there: it hides nothing, and sees nothing.

    Shapes: place [R, A+F, 2] holds (x, y) on a map of `side` × `side` cells, drawn [R, A+F] uint8, heading [R, A];
        returns [R, A, n] uint8.
    """
    n_rows, n_agents = heading.shape
    wide = side + 2 * radius
    # What is not there is put into a corner of the pictures, where it overwrites nothing that anybody sees, and from
    # where nothing is seen but what lies beyond the borders.
    there = (drawn != BLANK).unsqueeze(-1)
    x, y = torch.where(there, place, -radius).unsqueeze(1).unbind(-1)  # [R, 1, A+F]
    to_right, to_below, origin = _axes(side, radius, place.device)
    cell = (x * to_right).addcmul_(y, to_below).add_(origin)  # [R, 4, A+F]
    pictures = _border(side, radius, place.device).repeat(n_rows, 1)  # [R, 4 · wide²]
    pictures.scatter_(1, cell.flatten(1), drawn.unsqueeze(1).expand(-1, 4, -1).reshape(n_rows, -1))
    centre = cell[:, :, :n_agents].gather(1, heading.unsqueeze(1))[:, 0]  # [R, A]
    first = torch.arange(n_rows, device=place.device).unsqueeze(1) * pictures.shape[1]
    corner = (centre + first - radius * (wide + 1)).flatten()  # the upper left one of each view
    n_corners = pictures.numel() - 2 * radius * (wide + 1)
    seen = torch.empty(len(corner), len(disc(radius)), dtype=torch.uint8, device=place.device)
    start = 0
    for row in range(2 * radius + 1):
        half = math.isqrt(radius * radius - (row - radius) ** 2)
        width = 2 * half + 1
        runs = pictures.as_strided((n_corners, width), (1, 1), row * wide + radius - half)
        torch.index_select(runs, 0, corner, out=seen[:, start : start + width])
        start += width
    return seen.view(n_rows, n_agents, -1)


@functools.cache
def _axes(side: int, radius: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """How far apart neighbours in x and in y are in the picture of each heading, and where (0, 0) is.

    Shapes: each [4, 1].
    """
    wide, last = side + 2 * radius, side - 1
    axes = {  # the row and the column of (x, y) in a picture where `heading` is up
        EAST: (-wide, 1, last * wide),  # row last − x, column y
        SOUTH: (-1, -wide, last * wide + last),  # row last − y, column last − x
        WEST: (wide, -1, last),  # row x, column last − y
        NORTH: (1, wide, 0),  # row y, column x
    }
    rows = [
        (along_x, along_y, origin + radius * (wide + 1) + heading * wide * wide)
        for heading, (along_x, along_y, origin) in sorted(axes.items())
    ]
    right, below, origin = torch.tensor(rows, device=device).unsqueeze(-1).unbind(1)
    return right, below, origin


@functools.cache
def _border(side: int, radius: int, device: torch.device) -> Tensor:
    """The four pictures of an empty map. Shapes: [4 · (side + 2 · radius)²] uint8."""
    picture = torch.full((side + 2 * radius, side + 2 * radius), BLANK, dtype=torch.uint8, device=device)
    picture[radius : radius + side, radius : radius + side] = WALL
    picture[radius + 1 : radius + side - 1, radius + 1 : radius + side - 1] = BLANK
    return picture.flatten().repeat(4)
