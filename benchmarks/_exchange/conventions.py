"""In which other units a curve of the same game may be: what follows from the game, and nothing that is written down.

The first cause of "cannot reproduce" is a unit. A return here is the sum over agents and steps of an episode's reward.
Others take means, over the n agents or over the T steps; add a reward that all agents share once, or n times more;
leave out what the game takes from everyone at every step whatever they do; play longer episodes; count episodes, or
the steps of every agent, instead of the environment's. Each is ours = factor · theirs + shift, at stride · steps.

    for convention in conventions(env, unit): convention.factor, convention.words

n and T are the game's; whether its reward is shared, and what it takes from everyone, is seen by playing a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from benchmarks import mapped
from environments import Box, Env, Streams

OVER_AGENTS = "sum over agents"
OVER_STEPS = "sum over agents and steps"
LONGER = (0.5, 2.0, 4.0)
"""Episodes of other lengths that are tried, in the game's own, and never with anything else: three quarters of a return
would come of it, and explain whatever is worse."""


@dataclass(frozen=True)
class Convention:
    """ours = factor · theirs + shift, after stride · their steps.

    `words` are what the numbers then are, one text for each way that comes to the same; none where they are in our
    unit. `changes` is how many things are otherwise, `guessed` whether it holds only about.
    """

    factor: float = 1.0
    shift: float = 0.0
    stride: float = 1.0
    words: tuple[str, ...] = ()
    changes: int = 0
    guessed: bool = False

    def beside(self, other: Convention) -> Convention:
        """Both, this one first: other is in a unit that this one leads to, or counts steps."""
        words = tuple(" and ".join(filter(None, pair)) for pair in _pairs(self.words, other.words))
        return Convention(
            self.factor * other.factor,
            self.shift * other.factor + other.shift,
            self.stride * other.stride,
            words,
            self.changes + other.changes,
            self.guessed or other.guessed,
        )

    @property
    def formula(self) -> str:
        """How theirs become ours."""
        parts = []
        if self.factor != 1:
            parts.append(f"values × {self.factor:.6g}" if self.factor > 1 else f"values / {1 / self.factor:.6g}")
        if self.shift:
            parts.append(f"{'+' if self.shift > 0 else '−'} {abs(self.shift):.6g}")
        value = " ".join(parts)
        steps = f"steps × {self.stride:.6g}" if self.stride > 1 else f"steps / {1 / self.stride:.6g}"
        return ", ".join(filter(None, (value, steps if self.stride != 1 else ""))) or "as they are"


AS_IT_IS = Convention()


@runtime_checkable
class OverlapsItself(Protocol):
    """A game in which an agent may count as overlapping itself, which costs everyone the same at every step."""

    @property
    def self_collision(self) -> bool:
        """Whether it does."""


def conventions(env: Env[Any], unit: str, *, counts_known: bool = False) -> tuple[Convention, ...]:
    """All that may be, our own first and then by how much is otherwise; what comes to the same is one, with all words.

    `unit` is what the stored curve says of itself: what is no sum over agents or steps has no other unit here. What
    steps are is not asked where the `counts_known` are.
    """
    n_agents = sum(role.n_agents for role in env.roles)
    sums, returns = unit.startswith(OVER_AGENTS), unit.startswith(OVER_STEPS)
    agents = list(over_agents(n_agents, shared=shares(env))) if sums else []
    steps = list(over_steps(env.horizon)) if returns else []
    constants = list(without_constant(env)) if returns else []
    found: dict[tuple[float, ...], Convention] = {}
    counted = [] if counts_known else list(counts(n_agents, env.horizon))
    kinds = [(AS_IT_IS, *kind) for kind in (agents, steps, constants, counted)]
    for by_agents, by_steps, constant, by_count in product(*kinds):
        if (by_agents.factor - 1) * (by_steps.factor - 1) < 0:
            continue  # too often in one way and too rarely in the other
        if not (by_steps.guessed and by_agents.changes + constant.changes + by_count.changes):
            _keep(found, by_agents.beside(by_steps).beside(constant).beside(by_count))
    return tuple(sorted(found.values(), key=lambda one: one.changes))


def over_agents(n: int, *, shared: bool) -> Iterator[Convention]:
    """Means, and a reward that all share counted another number of times."""
    if n < 2:
        return
    once = f"a mean over the {n} agents, or a reward that they share added once instead of {n} times"
    yield Convention(n, words=(once if shared else f"a mean over the {n} agents",), changes=1)
    if shared:
        twice = f"a mean over the {n} agents of what they share, which is a mean of their own rewards, not the sum"
        yield Convention(n**2, words=(twice,), changes=1)
        more = f"a sum over the {n} agents of what they share, which is a sum over them already: {n} times too often"
        yield Convention(1 / n, words=(more,), changes=1)


def over_steps(horizon: int) -> Iterator[Convention]:
    """Means, sums of sums, and episodes of another length."""
    yield Convention(horizon, words=(f"a mean over the {horizon} steps of an episode, that is, per step",), changes=1)
    again = f"an episode's return added at each of its {horizon} steps"
    yield Convention(1 / horizon, words=(again,), changes=1)
    for length in LONGER:
        if length * horizon == int(length * horizon):
            longer = f"sums over episodes of {length * horizon:g} steps, where the game's have {horizon}, about"
            yield Convention(1 / length, words=(longer,), changes=1, guessed=True)


def without_constant(env: Env[Any]) -> Iterator[Convention]:
    """The same game in which an agent does not count as overlapping itself, or does."""
    other = mapped(env, _otherwise)
    if other == env:
        return
    constant = env.horizon * (reward_of(env) - reward_of(other))
    shift = round(float(constant.sum()), 3)
    if shift:
        what = "without what the game takes from every agent for overlapping itself"
        if shift > 0:
            what = "with something taken from every agent for overlapping itself"
        yield Convention(shift=shift, words=(f"{what}, {abs(shift):g} an episode in our unit",), changes=1)


def counts(n: int, horizon: int) -> Iterator[Convention]:
    """What may be counted instead of environment steps."""
    yield Convention(stride=horizon, words=(f"counted in episodes of {horizon} steps",), changes=1)
    if n > 1:
        yield Convention(stride=1 / n, words=(f"counted in steps of agents, {n} an environment step",), changes=1)


def shares(env: Env[Any]) -> bool:
    """Whether all agents get the same, in a step in which there is something to get."""
    reward = reward_of(env)
    return bool((reward == reward[0]).all() and reward[0] != 0)


def reward_of(env: Env[Any]) -> Tensor:
    """What every agent gets in the first step of the first episode, in which nobody does anything. Shapes: [A]."""
    streams = Streams.of([0], "units", "cpu")
    state = env.reset(streams, 1)
    actions = tuple(
        torch.zeros(1, 1, role.n_agents, role.action.n)
        if isinstance(role.action, Box)
        else torch.zeros(1, 1, role.n_agents, dtype=torch.int64)
        for role in env.roles
    )
    _, reward, _ = env.step(state, actions, streams)
    first: Tensor = reward[0, 0].double()
    return first


def _otherwise(part: Any) -> Any:
    if isinstance(part, OverlapsItself) and not isinstance(part, type):
        return replace(part, self_collision=not part.self_collision)  # type: ignore[type-var]
    return part


def _pairs(left: tuple[str, ...], right: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(one, other) for one in left or ("",) for other in right or ("",)] if left or right else []


def _keep(found: dict[tuple[float, ...], Convention], one: Convention) -> None:
    """Adds one, or its words to those of another that comes to the same."""
    place = tuple(float(f"{value:.9g}") for value in (one.factor, one.shift, one.stride))
    known = found.get(place)
    if known is None or one.changes < known.changes:
        found[place] = one
    elif one.changes == known.changes and one.words:
        both = tuple(dict.fromkeys((*known.words, *one.words)))
        found[place] = replace(known, words=both, guessed=known.guessed and one.guessed)
