"""What every environment keeps to, asked of every environment that there is, with each of its switches."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

import environments
from benchmarks._contract.cases import Cases, parametrize
from benchmarks._contract.environments import *  # noqa: F403 - the tests
from benchmarks._contract.environments import episode
from environments import Env, Mortal, Streams
from environments._particles import MPE2, ActionKind
from environments.goal_navigation import GoalNavigation
from environments.hunters import Hunters
from environments.pettingzoo import ParallelEnvironment
from environments.push_box import PushBox
from environments.spread import Spread
from environments.survival import Survival

FOLDER = Path(environments.__file__).parent


SWITCHES: tuple[tuple[str, Any], ...] = (
    ("action", "force"),
    ("action", "discrete"),
    ("observation", "distance"),
    ("physics", MPE2),
    ("n_agents", 4),
    ("n_prey", 2),
    ("moving", True),
)

LONG, SHORT = 100, 25
"""An environment whose episodes have more steps than the one is played here with the other."""

PHASES: tuple[Literal["I", "II"], ...] = ("I", "II")
ACTIONS: tuple[ActionKind, ...] = ("force", "discrete")
MORE: dict[str, Any] = {
    f"Spread-{n_agents}-{phase}-{action}": Spread(n_agents, phase, action)
    for n_agents, phase, action in itertools.product((2, 3, 4), PHASES, ACTIONS)
} | {
    "PushBox-II": PushBox(task="II"),
    "PushBox-III-force": PushBox(task="III", action="force"),
    "GoalNavigation-alone": GoalNavigation(n_agents=1, n_goals=3, horizon=SHORT),
    "Hunters-stag-moving": Hunters("Stag-Hunters", 3, 4, moving=True, horizon=25),
}
"""What no single switch leads to: other phases and tasks, with forces and with choices."""

SMALLER: dict[str, Any] = {"Survival": Survival(n_agents=12, n_food=9, map_size=12, view_radius=3, horizon=25)}
"""What stands in for an environment that is too large to keep all that it gives in whole episodes."""


def found() -> Iterator[tuple[str, Any]]:
    """Every public environment as it is without arguments, or smaller, and every instance that its file names."""
    for path in sorted(FOLDER.glob("[!_]*.py")):
        module = importlib.import_module(f"environments.{path.stem}")
        for name, thing in sorted(vars(module).items()):
            if isinstance(thing, type) and thing.__module__ == module.__name__ and dataclasses.is_dataclass(thing):
                yield name, SMALLER.get(name) or shortened(thing())
            elif type(thing).__module__ == module.__name__:
                yield name, shortened(thing)


def shortened(env: Any) -> Any:
    """The same game with `SHORT` steps, if it has more than `LONG`."""
    return dataclasses.replace(env, horizon=SHORT) if env.horizon > LONG else env


def switched(name: str, env: Any) -> Iterator[tuple[str, Any]]:
    """The environment, and what it becomes with each of the switches that it has."""
    yield name, env
    fields = {field.name for field in dataclasses.fields(env)}
    for switch, setting in SWITCHES:
        if switch in fields:
            yield (
                f"{name}-{setting if isinstance(setting, str) else switch}",
                dataclasses.replace(env, **{switch: setting}),
            )


FOUND = dict(found())
ALL = {env: name for name, env in (FOUND | MORE).items()}
SWITCHED = {env: name for base, found_env in FOUND.items() for name, env in switched(base, found_env)} | ALL
GRIDS = {env: name for env, name in SWITCHED.items() if hasattr(env, "cells")}
MORTALS = {env: name for env, name in SWITCHED.items() if isinstance(env, Mortal)}
CASES: Cases = {
    kind: {name: env for env, name in envs.items()}
    for kind, envs in {"environments": ALL, "variants": SWITCHED, "grids": GRIDS, "mortals": MORTALS}.items()
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, CASES)


def test_games_say_whether_they_may_end_by_their_rules() -> None:
    may_end = {type(env).__name__ for env in SWITCHED if env.may_end}
    assert may_end == {"Hunters", "Survival"}


@pytest.mark.parametrize("env", [env for env in SWITCHED if env.may_end], ids=repr)
def test_where_the_limit_on_time_is_a_rule_it_terminates_the_game(env: Env[Any]) -> None:
    terminated = torch.stack([seen for seen in episode(env, [0, 1]) if seen.dtype == torch.bool])
    assert terminated[env.horizon - 1 :: env.horizon].all() == isinstance(env, Hunters)
    game = ParallelEnvironment(env)
    game.reset(seed=0)
    while game.agents:
        _, _, terminations, _, _ = game.step({agent: game.action_space(agent).sample() for agent in game.agents})
    assert all(terminations.values()) or isinstance(env, Survival)


def test_the_glob_finds_the_environments() -> None:
    navigation = {"CN_V1", "CN_V2", "CooperativeNavigation", "SimpleSpread", "Spread"}
    assert navigation | {"Hunters", "PredatorPrey", "PushBox", "PushForward", "SimpleTag", "Survival"} <= set(FOUND)
    assert {"GoalNavigation", "NAVIGATION_10", "PREDATOR_PREY_3V1", "PREDATOR_PREY_12V4"} <= set(FOUND)


def test_pettingzoo_names_agents_by_role_and_keeps_its_spaces() -> None:
    tag = importlib.import_module("environments.simple_tag").SimpleTag()
    game = ParallelEnvironment(tag)
    assert game.possible_agents == ["adversary_0", "adversary_1", "adversary_2", "good_0"]
    assert game.action_space("good_0") is game.action_space("good_0")
    assert game.observation_space("adversary_1") is game.observation_space("adversary_1")


# ---- games whose agents can die -------------------------------------------------------------------------------------


def test_survival_is_a_game_whose_agents_can_die() -> None:
    assert any(isinstance(env, Survival) for env in MORTALS)


def test_streams_aside_are_others_and_move_nothing() -> None:
    streams, twin = Streams.of([3, 7], "game", "cpu"), Streams.of([3, 7], "game", "cpu")
    aside = streams.aside("students").uniform(5)
    assert torch.equal(streams.save(), twin.save())
    assert torch.equal(aside, twin.aside("students").uniform(5))
    others = [twin.uniform(5), Streams.of([3, 7], "game", "cpu").aside("teachers").uniform(5), twin.uniform(5)]
    assert not any(bool((aside == other).any()) for other in others)
    assert torch.equal(Streams.of([7], "game", "cpu").aside("students").uniform(5)[0], aside[1])
    assert not torch.equal(aside[0], aside[1])
    assert not torch.equal(twin.aside("students").uniform(5), aside)  # it depends on where the streams stand
