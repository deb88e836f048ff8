"""A short episode of every environment, as it was when its version was set.

Where a trace is missing, because an environment is new or its version was raised, running this file as a script plays
the episode and writes it down; it never writes over the trace of a version that has one.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from environments import Box, Env, Streams
from environments._particles import Physics
from environments.hunters import Hunters
from environments.push_box import PushBox
from environments.spread import Spread
from environments.survival import Survival

FOLDER = Path(__file__).parent / "golden" / "environments"
N_STEPS = 10

MORE: dict[str, Env[Any]] = {
    "Spread-3-II": Spread(n_agents=3, phase="II"),
    "Spread-4-II-force": Spread(n_agents=4, phase="II", action="force"),
    "PushBox-III-moving": PushBox(task="III", agent_size=1.0, physics=Physics(contact_force=2.0)),
    "Hunters-hare-moving": Hunters("Hare-Hunters", 4, 4, moving=True, grid=5, horizon=9),
    "Hunters-stag-moving": Hunters("Stag-Hunters", 6, 4, moving=True, grid=7, horizon=9),
}
"""What the defaults leave out: more agents, the other phase, a box that large and soft agents move, and captures."""

SMALLER: dict[str, Env[Any]] = {
    "Survival": Survival(n_agents=40, n_food=16, map_size=12, view_radius=2, food_hp=7, agent_hp=7)
}
"""What stands in for an environment whose trace would be long: a crowd in which much happens in few steps."""


def chosen(env: Env[Any], streams: Streams) -> tuple[torch.Tensor, ...]:
    return tuple(
        streams.uniform(1, role.n_agents, role.action.n, low=role.action.low, high=role.action.high)
        if isinstance(role.action, Box)
        else streams.integers(1, role.n_agents, high=role.action.n)
        for role in env.roles
    )


def trace(env: Env[Any]) -> dict[str, Any]:
    """Rewards of a random episode, its last state and what is seen of it."""
    streams = Streams.of([2026], "golden", "cpu")
    state, rewards = env.reset(streams, 1), []
    for _ in range(N_STEPS):
        state, reward, _ = env.step(state, chosen(env, streams), streams)
        rewards.append(_numbers(reward))
    return {
        "version": env.version,
        "rewards": rewards,
        "full_state": _numbers(env.full_state(state)),
        "observations": [_numbers(seen) for seen in env.observe(state)],
    }


def instances() -> dict[str, Env[Any]]:
    """Every environment without arguments or smaller, every instance that its file names, and some more."""
    found: dict[str, Env[Any]] = dict(MORE)
    package = Path(importlib.import_module("environments").__path__[0])
    for path in sorted(package.glob("[!_]*.py")):
        module = importlib.import_module(f"environments.{path.stem}")
        for name, thing in vars(module).items():
            if isinstance(thing, type) and thing.__module__ == module.__name__ and hasattr(thing, "version"):
                found[name] = SMALLER.get(name) or thing()
            elif type(thing).__module__ == module.__name__:
                found[name] = thing
    return found


def _numbers(tensor: torch.Tensor) -> list[float]:
    return [round(number, 7) for number in tensor.flatten().tolist()]


@pytest.mark.parametrize(("name", "env"), instances().items(), ids=instances().keys())
def test_an_episode_is_what_it_was(name: str, env: Env[Any]) -> None:
    path = FOLDER / f"{name}.json"
    assert path.exists(), f"{name} has no golden trace: run python {Path(__file__)}"
    golden, now = json.loads(path.read_text()), trace(env)
    assert golden["version"] == now["version"], (
        f"the golden trace of {name} is of version {golden['version']}, the environment of {now['version']}: "
        f"run python {Path(__file__)}"
    )
    # The last bits differ between machines, and ten steps do not let them grow beyond this.
    assert _close(now, golden), f"{name}: behaviour moved: raise version or undo"


def _close(now: Any, golden: Any) -> bool:
    if isinstance(golden, dict):
        return now.keys() == golden.keys() and all(_close(now[key], golden[key]) for key in golden)
    if isinstance(golden, list):
        return len(now) == len(golden) and all(map(_close, now, golden))
    return bool(now == pytest.approx(golden, abs=1e-5, rel=1e-5))


def record() -> None:
    """Write the traces that are missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, env in instances().items():
        path = FOLDER / f"{name}.json"
        if not path.exists() or json.loads(path.read_text())["version"] != env.version:
            path.write_text(json.dumps(trace(env)) + "\n")


if __name__ == "__main__":
    record()
