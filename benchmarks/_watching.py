"""One episode of a trained policy beside one that has not been trained, as a moving picture.

watch("ctedd/fig5", "CN-V1/CTEDD", "L-3", out=Path("game.gif"))

Both begin in the same state and meet the same chance. Nothing is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image

from algorithms import Policy
from algorithms._copies import playable
from algorithms.uniform import Uniform
from benchmarks import Cell
from benchmarks._drawing.games import Episode, Frame, half_width, scene
from benchmarks._options import LOCAL
from benchmarks.actors import ON, cell_of, name_of, one_figure, trained, untrained
from environments import Streams

BESIDE = ("untrained", "chance", "nobody")
KINDS = (".gif", ".png", ".webp")
MOST_FRAMES = 150
FRAME_MS, LAST_MS = 100, 2000
COLOURS = 96


class Seen(NamedTuple):
    """What was watched: who, and what all agents of theirs were paid in all."""

    title: str
    episode: Episode

    @property
    def paid(self) -> float:
        """The sum over agents and steps."""
        return math.fsum(value for row in self.episode.paid for value in row)


def watch(
    figure: str,
    cell: str,
    policy: str,
    out: Path,
    *,
    seed: int = 0,
    episode: int = 0,
    beside: str = "untrained",
    store: Path = LOCAL,
) -> tuple[Seen, ...]:
    """Writes the picture and returns what is in it, the trained policy first.

    Raises: ValueError where there is no such thing, or it has not been trained.
    """
    if beside not in BESIDE:
        raise ValueError(f"--beside must be one of {', '.join(BESIDE)}, got {beside!r}")
    if out.suffix not in KINDS:
        raise ValueError(f"--out must end in one of {', '.join(KINDS)}, got {str(out)!r}")
    shown = cell_of(one_figure(figure), cell)
    learner = trained(shown, seed, store)
    name = name_of(shown, learner, policy)
    one = f"{shown.name} {name}" if len(shown.algorithm.policies(learner)) > 1 else shown.name
    first = Seen(one, played(shown, shown.algorithm.policies(learner)[name], episode))
    others = () if beside == "nobody" else (other_policy(shown, name, seed, beside),)
    seen = (first, *(Seen(beside, played(shown, other, episode)) for other in others))
    save(shown, seen, out)
    return seen


def other_policy(cell: Cell, name: str, seed: int, which: str) -> Policy:
    """The same policy before its training, or actions drawn uniformly."""
    if which == "untrained":
        return cell.algorithm.policies(untrained(cell, seed))[name]  # type: ignore[no-any-return]
    chance = Uniform()
    return chance.policies(chance.init(cell.env, Streams.of((seed,), "chance", ON)))["uniform"]


@torch.no_grad()
def played(cell: Cell, policy: Policy, episode: int) -> Episode:
    """One episode, whose beginning depends on its number alone."""
    streams = Streams.of((episode,), "watched", ON)
    game = cell.env.reset(streams, 1)
    states, paid = [_own(game)], [[0.0] * sum(role.n_agents for role in cell.env.roles)]
    for _ in range(cell.env.horizon):
        actions = tuple(map(playable, policy(cell.env, game)))
        game, reward, ended = cell.env.step(game, actions, streams)
        states.append(_own(game))
        paid.append(reward[0, 0].tolist())
        if bool(ended[0, 0]):
            break
    return Episode(states, paid)


def _own(game: Any) -> Any:
    """The state of the one copy, by itself."""
    return type(game)(*(field[0, 0].clone() for field in game))


def save(cell: Cell, seen: Sequence[Seen], out: Path) -> None:
    """Both episodes side by side; of a long one as many steps as make a picture that people watch to its end."""
    episodes = [one.episode for one in seen]
    n_steps = max(len(episode.states) for episode in episodes)
    stride = math.ceil(n_steps / MOST_FRAMES)
    steps = [*range(0, n_steps - 1, stride), n_steps - 1]
    team = [math.fsum(row) for episode in episodes for row in episode.paid]
    half = half_width(cell.env, episodes)
    frames = [_beside(cell, seen, step, half, (min(team), max(team))) for step in steps]
    durations = [FRAME_MS] * (len(frames) - 1) + [LAST_MS]
    out.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = alike(frames)
    first.save(out, save_all=True, append_images=rest, duration=durations, loop=0)


def _beside(cell: Cell, seen: Sequence[Seen], step: int, half: float, paid: tuple[float, float]) -> Image.Image:
    scenes = [scene(cell.env, one.episode, Frame(one.title, step), half, paid) for one in seen]
    width, height = scenes[0].size
    whole = Image.new("RGB", (len(scenes) * (width + 12) - 12, height), "white")
    for i, part in enumerate(scenes):
        whole.paste(part, (i * (width + 12), 0))
    return whole


def alike(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """Frames with the same few colours, those of the first, the middle one and the last."""
    width, height = frames[0].size
    sample = Image.new("RGB", (width, 3 * height))
    for i, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-1])):
        sample.paste(frame, (0, i * height))
    palette = sample.quantize(COLOURS)
    return [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
