"""Each game as a small looping picture for the pages: who plays it best of those that the suite brings, beside chance.

    for glance in glances(figure): ...   # what is there of a figure's games
    for line in draw_all(): print(line)  # draws every game anew, as `python -m benchmarks actors --pictures` does

A game is shown by the first of these that there is: an actor that is brought along, a script, chance alone. Whoever
plays beside chance begins in the same state.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from algorithms import Policy
from benchmarks import Cell, Figure
from benchmarks._catalogue import ours
from benchmarks._drawing.games import RULE, Episode, bare, half_width, legend, view
from benchmarks._options import LOCAL
from benchmarks._watching import FRAME_MS, LAST_MS, alike, other_policy, played
from benchmarks.actors import ACTORS, trained, untrained
from results import States

PICTURES = ACTORS / "games"
SCRIPT = "Script"  # what a cell is called that plays by one
WORDS = "games.json"  # what each picture shows, by the name of its game
MOST_GAMES = 8  # of a page
MOST_FRAMES, MOST_STEPS = 60, 240
SMALL, GAP = 200, 2  # pixels
SEED = EPISODE = 0
NOWHERE = LOCAL / "nowhere"  # no training states of one's own: what is brought along plays


class Glance(NamedTuple):
    """A picture that is there, and what it shows."""

    game: str
    words: str
    legend: str
    watched: tuple[str, str] | None  # the cell and the policy that play, where these are an actor's

    @property
    def path(self) -> Path:
        """Where the picture lies."""
        return PICTURES / f"{self.game}.gif"


def glances(figure: Figure) -> tuple[Glance, ...]:
    """The pictures of a figure's games, as far as they have been drawn, and not more than a page can show."""
    known = {glance.game: glance for glance in drawn()}
    return tuple(known[name] for name in games_of(figure) if name in known)[:MOST_GAMES]


@cache
def drawn() -> tuple[Glance, ...]:
    """All pictures that have been drawn."""
    index = PICTURES / WORDS
    told = json.loads(index.read_text(encoding="utf-8")) if index.exists() else []
    return tuple(Glance(**one | {"watched": one["watched"] and tuple(one["watched"])}) for one in told)


def games_of(figure: Figure) -> tuple[str, ...]:
    """The names of those games of ours that look otherwise than one another."""
    names = game_names()
    return tuple(dict.fromkeys(names[game] for cell in figure.cells if (game := looks(cell)) in names))


@cache
def game_names() -> dict[Any, str]:
    """Every game's name, which is the shortest that a cell has for it.

    Games that an environment's name means more than once (with other actions, or another reward) share its picture.
    """
    found: dict[Any, str] = {}
    for cell in every_cell():
        game = looks(cell)
        found[game] = min(found.get(game, cell.environment), cell.environment, key=len)
    return found


def looks(cell: Cell) -> Any:
    """A cell's game without what is not to be seen: a clock, and how long it lasts."""
    return replace(bare(cell.env), horizon=1)


def every_cell() -> tuple[Cell, ...]:
    """The cells of all figures, in order."""
    return tuple(cell for figure in ours() for cell in figure.cells)


# ---- drawing them ----------------------------------------------------------------------------------------------------


def draw_all() -> Iterator[Glance]:
    """Draws every game."""
    names, players = game_names(), dict[str, list[Cell]]()
    for cell in every_cell():
        players.setdefault(names[looks(cell)], []).append(cell)
    PICTURES.mkdir(parents=True, exist_ok=True)
    found = []
    for game, cells in sorted(players.items()):
        found.append(draw(game, cells))
        yield found[-1]
    told = json.dumps([glance._asdict() for glance in found], indent=1, ensure_ascii=False)
    (PICTURES / WORDS).write_text(f"{told}\n", encoding="utf-8")
    drawn.cache_clear()


def draw(game: str, cells: Sequence[Cell]) -> Glance:
    """Draws a game as one of its cells plays it."""
    cell, policy, who, watched = player(cells)
    policies = [other_policy(cell, "", SEED, "chance")]
    if policy is not None:
        policies.insert(0, policy)
    episodes = [played(cell, one, EPISODE) for one in policies]
    n_steps = max(len(one.states) for one in episodes) - 1
    shown = min(n_steps, MOST_STEPS)
    part = f", the first {shown} steps" if shown < n_steps else ""
    sides = "actions drawn at random" if policy is None else f"left {who}, right actions drawn at random"
    glance = Glance(game, f"{sides}{part}", legend(cell.env), watched)
    half = half_width(cell.env, episodes)
    steps = (*range(0, shown, math.ceil(shown / MOST_FRAMES)), shown)
    first, *rest = alike([_beside(cell, episodes, step, half) for step in steps])
    times = [FRAME_MS] * len(rest) + [LAST_MS]
    first.save(glance.path, save_all=True, append_images=rest, duration=times, loop=0)
    return glance


class Player(NamedTuple):
    """A cell and who plays it, None where that is chance alone; in words, and by which names it is watched."""

    cell: Cell
    policy: Policy | None
    words: str
    watched: tuple[str, str] | None = None


def player(cells: Sequence[Cell]) -> Player:
    """Whoever of these is shown."""
    learners = {cell: trained(cell, SEED, NOWHERE) for cell in cells if (cell.key, SEED) in States(ACTORS).sizes()}
    for cell in sorted(learners, key=lambda cell: -learners[cell].steps)[:1]:
        policies = cell.algorithm.policies(learners[cell])
        name, policy = next(iter(policies.items()))
        who = f"{cell.name} {name}" if len(policies) > 1 else cell.name
        watched = (f"{cell.environment}/{cell.name}", name)
        return Player(cell, policy, f"{who} after {learners[cell].steps:,} steps", watched)
    for cell in cells:
        if cell.name == SCRIPT:
            (policy,) = cell.algorithm.policies(untrained(cell, SEED)).values()
            return Player(cell, policy, "a script")
    return Player(cells[0], None, "")


def _beside(cell: Cell, episodes: Sequence[Episode], step: int, half: float) -> Image.Image:
    """Their scenes, small, side by side; who is done stays where he is."""
    whole = Image.new("RGB", (len(episodes) * (SMALL + GAP) - GAP, SMALL), RULE)
    for i, episode in enumerate(episodes):
        square = view(cell.env, episode, min(step, len(episode.states) - 1), half)
        whole.paste(square.resize((SMALL, SMALL), Image.Resampling.LANCZOS), (i * (SMALL + GAP), 0))
    return whole
