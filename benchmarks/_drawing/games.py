"""A game as a picture for people: who is where, where everybody comes from and goes to, and what is paid.

    image = scene(env, episode, Frame("trained", 12), half_width, paid)

Particle games show landmarks grey, the box brown, agents blue, and where there are two roles the first red; the line
behind an agent is where it has been, and the one in front its velocity. Games on a grid show their marks, and behind
everybody the cells that it has left. Below stands what all are paid together, step by step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

from benchmarks._vocabulary.cells import package_of
from environments import Env
from environments._particles import Particles
from environments._pictures import COLOURS, HALF_WIDTH, POINT, OnGrid, OnPlane
from environments.timed import Timed

SIDE, HEAD, FOOT = 360, 44, 84  # pixels
FINE = 2  # so many times larger it is drawn, for smooth edges
TRAIL = 12  # steps
AHEAD = 3  # steps: the line in front of an agent is so much of its velocity
SECONDS = 0.1  # of a step
INK, PALE, RULE = (40, 40, 40), (120, 120, 120), (215, 215, 215)


class Frame(NamedTuple):
    """Which step is shown of a game, and of whom."""

    title: str
    step: int


class Episode(NamedTuple):
    """One copy's states from the first to the last, and what every agent was paid in the step that led to each.

    Shapes: paid[t][agent], the first all zeros.
    """

    states: Sequence[Any]
    paid: Sequence[Sequence[float]]


def scene(env: Env[Any], episode: Episode, frame: Frame, half_width: float, paid: tuple[float, float]) -> Image.Image:
    """One step of an episode. `paid` is the least and the most that any team gets in a step, for one scale."""
    step = min(frame.step, len(episode.states) - 1)
    image = Image.new("RGB", (SIDE * FINE, (HEAD + SIDE + FOOT) * FINE), "white")
    draw = ImageDraw.Draw(image)
    image.paste(view(env, episode, step, half_width), (0, HEAD * FINE))
    _head(draw, env, frame.title, step, ended=step < frame.step)
    _foot(draw, env, episode, step, paid)
    return image.resize((SIDE, HEAD + SIDE + FOOT), Image.Resampling.LANCZOS)


def view(env: Env[Any], episode: Episode, step: int, half_width: float) -> Image.Image:
    """The plane or the grid alone, a square; whoever leaves it is not seen."""
    game, state, past = bare(env), episode.states[step], episode.states[max(step - TRAIL, 0) : step + 1]
    if isinstance(game, OnGrid):
        return _grid(game, state, past)
    plane = Image.new("RGB", (SIDE * FINE, SIDE * FINE), "white")
    _plane(ImageDraw.Draw(plane), game, state, past, half_width)
    return plane


def bare(env: Any) -> Any:
    """A game without the clock that its agents may see."""
    return env.game if isinstance(env, Timed) else env


def half_width(env: Env[Any], episodes: Sequence[Episode]) -> float:
    """How much of the plane is shown: as far as anybody goes, but not more than twice the usual."""
    states = [state for episode in episodes for state in episode.states if hasattr(state, "velocity")]
    furthest = max((float(state.position.abs().max()) for state in states), default=0.0)
    return min(max(HALF_WIDTH, furthest + 0.1), 2 * HALF_WIDTH)


# ---- the plane ------------------------------------------------------------------------------------------------------


def _plane(draw: Any, env: Any, state: Particles, past: Sequence[Particles], half: float) -> None:
    n_bodies, n_agents = len(state.position), sum(role.n_agents for role in env.roles)
    bodies, marks = (
        env.radii() if isinstance(env, OnPlane) else ((env.agent_size,) * n_bodies, (POINT,) * len(state.landmark))
    )
    colours = colours_of(env, n_bodies)

    def at(place: Any) -> tuple[float, float]:
        x, y = place.tolist()
        return (x / half + 1) * SIDE * FINE / 2, (1 - y / half) * SIDE * FINE / 2

    scale = SIDE * FINE / 2 / half
    for place, radius in zip(state.landmark, marks, strict=True):
        _disc(draw, at(place), radius * scale, COLOURS["grey"])
    for i, (place, radius, colour) in enumerate(zip(state.position, bodies, colours, strict=True)):
        line = [at(earlier.position[i]) for earlier in past]
        if len(line) > 1:
            draw.line(line, fill=_faded(colour), width=2 * FINE)
        _disc(draw, at(place), radius * scale, colour)
        ahead = place + state.velocity[i] * SECONDS * AHEAD
        draw.line([at(place), at(ahead)], fill=INK, width=2 * FINE)
        if i < n_agents:
            _text(draw, at(place), str(i), size=9, colour="white" if radius * scale > 7 * FINE else INK, anchor="mm")


def _disc(draw: Any, middle: tuple[float, float], radius: float, colour: Any) -> None:
    (x, y), r = middle, max(radius, 2.0 * FINE)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


# ---- the grid -------------------------------------------------------------------------------------------------------


def _grid(env: OnGrid, state: Any, past: Sequence[Any]) -> Image.Image:
    side, marks = env.marks(state)
    cells = Image.new("RGB", (side, side), "white")
    for age, earlier in enumerate(past[:-1]):
        for x, y in _walkers(earlier):
            cells.putpixel((x, y), _faded(COLOURS["blue"], 0.92 - 0.3 * age / TRAIL))
    for x, y, colour in marks:
        cells.putpixel((x, y), COLOURS[colour])
    end = SIDE * FINE
    image = cells.resize((end, end), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    if side <= SIDE // 8:
        for k in range(side + 1):
            at = round(k * end / side)
            draw.line((at, 0, at, end), fill=RULE)
            draw.line((0, at, end, at), fill=RULE)
    draw.rectangle((0, 0, end - 1, end - 1), outline=RULE)
    return image


def _walkers(state: Any) -> list[list[int]]:
    """The cells of all that walk and live; nobody in a game of somebody's, whose marks say all."""
    if not hasattr(state, "hunters") and not hasattr(state, "alive"):
        return []
    walking = state.hunters if hasattr(state, "hunters") else state.position[state.alive]
    return walking.tolist()  # type: ignore[no-any-return]


# ---- what is said ---------------------------------------------------------------------------------------------------


def colours_of(env: Any, n_bodies: int) -> list[tuple[int, int, int]]:
    """Of all that moves: the first of two roles red, the last blue, what is no agent brown."""
    *first, last = (role.n_agents for role in env.roles)
    names = ["red"] * sum(first) + ["blue"] * last
    return [COLOURS[name] for name in (*names, *["brown"] * (n_bodies - len(names)))]


def legend(env: Any) -> str:
    """Who is who, by colour."""
    game = bare(env)
    if hasattr(game, "n_hunters"):
        return "blue: hunters (pale: done), green: hares, brown: stags, grey: caught"
    if package_of(type(game)):
        return ""  # of a game of somebody's nobody here knows
    if isinstance(game, OnGrid):
        return "blue: agents, green: food"
    if len(game.roles) > 1:
        return "red: predators, blue: prey, grey: obstacles"
    if hasattr(game, "box_size"):
        return "blue: agents, brown: box, grey: target"
    return f"blue: agents, grey: {'prey' if type(game).__name__ == 'PredatorPrey' else 'landmarks'}"


def _head(draw: Any, env: Env[Any], title: str, step: int, *, ended: bool) -> None:
    end = ", ended" if ended else ""
    _text(draw, (6 * FINE, 13 * FINE), title, size=13)
    _text(draw, ((SIDE - 6) * FINE, 13 * FINE), f"step {step} of {env.horizon}{end}", size=11, colour=PALE, anchor="rm")
    _text(draw, (6 * FINE, 32 * FINE), legend(env), size=10, colour=PALE)


def _foot(draw: Any, env: Env[Any], episode: Episode, step: int, paid: tuple[float, float]) -> None:
    """What all agents together were paid: a bar a step, and the sum."""
    team = [math.fsum(row) for row in episode.paid]
    top, high = (HEAD + SIDE + 26) * FINE, (FOOT - 32) * FINE
    low, most = min(paid[0], 0.0), max(paid[1], 0.0)
    zero = top + high * most / (most - low or 1.0)
    width = SIDE * FINE / max(env.horizon, 1)
    for t in range(1, step + 1):
        value = zero - high * team[t] / (most - low or 1.0)
        colour = COLOURS["green"] if team[t] > 0 else COLOURS["red"]
        left, right = (t - 1) * width, max(t * width - 1, (t - 1) * width)
        draw.rectangle((left, min(value, zero), right, max(value, zero)), fill=colour)
    draw.line((0, zero, SIDE * FINE, zero), fill=PALE)
    said = f"paid to all now {team[step]:,.1f}, so far {math.fsum(team[: step + 1]):,.1f}"
    _text(draw, (6 * FINE, (HEAD + SIDE + 13) * FINE), said, size=12)


def _faded(colour: tuple[int, int, int], share: float = 0.6) -> tuple[int, int, int]:
    red, green, blue = (round(part + (255 - part) * share) for part in colour)
    return red, green, blue


def _text(
    draw: Any, place: tuple[float, float], text: str, *, size: int, colour: Any = INK, anchor: str = "lm"
) -> None:
    draw.text(place, text, fill=colour, font=_font(size * FINE), anchor=anchor)


@functools.cache
def _font(size: int) -> Any:
    """One that comes with matplotlib, so that letters are the same everywhere."""
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size)
