"""Policies that have been trained, to be looked at and played with; nothing is trained here.

    actor = load_policy("ctedd/fig5", cell="CN-V1/CTEDD", policy="L-3", seed=0)
    game = actor.game()                                     # a PettingZoo ParallelEnv
    observations, infos = game.reset(seed=3)
    while game.agents:
        observations, rewards, *_ = game.step(actor(game))

A policy comes from the training states of one's own store, else from the actors that the suite brings in
`results/actors`: of seed 0, where its recorded run ended, and of a learner no more than its policies read.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from algorithms import Policy
from algorithms._copies import playable
from algorithms._tree import Leaf, leaves, rebuilt
from benchmarks import Cell, Figure
from benchmarks._catalogue import chosen
from benchmarks._options import LOCAL, RECORDED, ROOT, stores_of
from benchmarks._training import loop
from benchmarks._training.loop import TEST_RETURN, Training
from benchmarks._training.standing import standing
from benchmarks._training.work import Library
from environments import Streams
from results import States

ACTORS = ROOT / "results" / "actors"
LEARNER = ".learner"
ON = "cpu"


@dataclass(frozen=True)
class Actor:
    """A policy with the game that it was trained in. `steps` is how long. Units: environment steps of its seed."""

    cell: Cell
    seed: int
    steps: int
    name: str
    policy: Policy

    def game(self, render_mode: str | None = None) -> Any:
        """Its game as a PettingZoo `ParallelEnv`."""
        return importlib.import_module("environments.pettingzoo").ParallelEnvironment(self.cell.env, render_mode)

    def __call__(self, game: Any) -> dict[str, Any]:
        """What every living agent of a `ParallelEnvironment` does now, for its `step`.

        Some policies see what no agent sees, so that the game is asked for and not what is observed.

        Raises: ValueError where it has not begun, or is another game than the policy was trained in.
        """
        if game._env != self.cell.env:
            raise ValueError(f"{self.cell.name} plays {self.cell.env}, got {game._env}")
        if game._state is None:
            raise ValueError("an actor needs an episode: call reset first")
        with torch.no_grad():
            joint = [playable(actions)[0, 0] for actions in self.policy(self.cell.env, game._state)]
        rows = [_action(row) for actions in joint for row in actions]
        named = dict(zip(game.possible_agents, rows, strict=True))
        return {name: named[name] for name in game.agents}


def _action(row: Tensor) -> Any:
    return row.numpy() if row.is_floating_point() else np.int64(row.item())


def load_policy(figure: str, cell: str, policy: str = "", seed: int = 0, store: Path = LOCAL) -> Actor:
    """A trained policy of a cell ("CN-V1/CTEDD") of a figure; without a name its only one.

    Raises: ValueError where there is no such figure, cell or policy, or it has not been trained.
    """
    found = cell_of(one_figure(figure), cell)
    learner = trained(found, seed, store)
    name = name_of(found, learner, policy)
    return Actor(found, seed, learner.steps, name, found.algorithm.policies(learner)[name])


def one_figure(name: str) -> Figure:
    """The figure of exactly this id, or the only one whose id holds it.

    Raises: ValueError where there is none, or several.
    """
    found = chosen(name)
    exact = [figure for figure in found if figure.id == name]
    if len(exact or found) != 1:
        raise ValueError(f"one figure must be named, got {name!r}, which is in {', '.join(one.id for one in found)}")
    return (exact or found)[0]


def cell_of(figure: Figure, name: str) -> Cell:
    """The cell that is called `environment/name`.

    Raises: ValueError where there is none.
    """
    known = {f"{cell.environment}/{cell.name}": cell for cell in figure.cells}
    if name not in known:
        raise ValueError(f"{figure.id} must have the cell that is named, got {name!r}; there are: {', '.join(known)}")
    return known[name]


def name_of(cell: Cell, learner: Any, name: str) -> str:
    """The name of a policy; without one, that of the only policy.

    Raises: ValueError where there is none of this name, or several.
    """
    known: list[str] = [*cell.algorithm.policies(learner)]
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        raise ValueError(f"the policy of {cell.name} must be one of {', '.join(known)}, got {name!r}")
    return name


def trained(cell: Cell, seed: int, store: Path) -> Any:
    """The learner of a seed as far as it has been trained: of one's own store, or of what the suite brings.

    Raises: ValueError where it has not been; StoreError where a file is damaged.
    """
    for folder in dict.fromkeys((store, RECORDED)):
        state = States(folder / ".states").latest(cell.key, seed)
        if state is not None:
            return Training.resumed(cell, (seed,), [state]).learner
    kept = States(ACTORS).latest(cell.key, seed)
    if kept is None:
        brought = ", ".join(str(of) for key, of in sorted(States(ACTORS).sizes()) if key == cell.key) or "none"
        raise ValueError(
            f"seed {seed} of {cell.name} on {cell.environment} has no training state in {store}, and the suite brings "
            f"{brought} of its seeds: train it with `python -m benchmarks run`"
        )
    return filled(untrained(cell, seed), kept.tensors)


def untrained(cell: Cell, seed: int) -> Any:
    """The learner before its first step, without what it may start from."""
    return cell.algorithm.init(cell.env, Streams.of((seed,), "training", ON))


def filled(learner: Any, kept: Mapping[str, Tensor]) -> Any:
    """A learner with those leaves that were kept."""

    def leaf(name: str, value: Leaf) -> Leaf:
        if name not in kept:
            return value
        if isinstance(value, Streams):
            value.load(kept[name].unsqueeze(0))
            return value
        return kept[name].unsqueeze(0) if isinstance(value, Tensor) else int(kept[name])

    return rebuilt(learner, leaf)


# ---- keeping them ---------------------------------------------------------------------------------------------------


class _Reads(TorchDispatchMode):
    """Notes the memory of every tensor that an operation reads."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.memory: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in tree_leaves((args, kwargs or {})):
            if isinstance(tensor, Tensor):
                self.memory.add(tensor.untyped_storage().data_ptr())
        return func(*args, **kwargs or {})


def needed(cell: Cell, learner: Any) -> dict[str, Tensor]:
    """What the policies of a learner of one seed read, and its streams and counters, by name."""
    game = cell.env.reset(Streams.of((0,), "needed", ON), 2)
    reads = _Reads()
    with torch.no_grad(), reads:
        for policy in cell.algorithm.policies(learner).values():
            policy(cell.env, game)
    kept: dict[str, Tensor] = {}
    for name, value in leaves(learner).items():
        if isinstance(value, Streams):
            kept[name] = value.save()[0]
        elif isinstance(value, int):
            kept[name] = torch.tensor(value)
        elif value.numel() and value.untyped_storage().data_ptr() in reads.memory:
            kept[name] = value[0].clone()
    return kept


class Kept(NamedTuple):
    """What came of a cell: why it was not kept, "" where it was."""

    cell: Cell
    why_not: str


def keep(cells: Iterable[Cell], states: States, seed: int = 0) -> Iterable[Kept]:
    """Keeps the actors of recorded runs, where their states stand at the end and today's code is that of the runs."""
    library = Library(stores_of(RECORDED))
    for cell in cells:
        why_not = _keep(cell, states, seed, library)
        yield Kept(cell, why_not)


def _keep(cell: Cell, states: States, seed: int, library: Library) -> str:
    run, state = library.stores.working.load(cell, seed), states.latest(cell.key, seed)
    if run is None or state is None:
        return "it has no recorded run" if run is None else "its training state is not there"
    if standing(cell, {seed: run}, library).other_code:
        return "it was recorded with other code"
    learner = Training.resumed(cell, (seed,), [state]).learner
    if learner.steps != run.n_steps:
        return f"its state is at step {learner.steps} and its run ends at {run.n_steps:.0f}"
    kept = needed(cell, learner)
    if not _play_alike(cell, learner, filled(untrained(cell, seed), kept)):
        return "what its policies read does not play like the whole"
    again = last_test(cell, filled(untrained(cell, seed), kept), seed)
    other = [name for name, value in again.items() if value != float(run.metrics[name][-1])]
    if other:
        return f"its last test comes out otherwise: {', '.join(other)}"
    States(ACTORS).save(cell.key, seed, learner.steps, kept, {"sources": run.history[-1].sources})
    return ""


@torch.no_grad()
def _play_alike(cell: Cell, one: Any, other: Any) -> bool:
    """Whether the policies of two learners do the same, bit for bit, where a game begins."""
    game = cell.env.reset(Streams.of((0,), "alike", ON), 8)
    policies = cell.algorithm.policies(other)
    return all(
        torch.equal(mine, its)
        for name, policy in cell.algorithm.policies(one).items()
        for mine, its in zip(policy(cell.env, game), policies[name](cell.env, game), strict=True)
    )


def last_test(cell: Cell, learner: Any, seed: int) -> dict[str, float]:
    """What the policies that are tested at this step come to, by the names of the metrics."""
    since, now = loop.standing(cell, learner), learner.steps
    return {
        f"{TEST_RETURN} {name}": loop.played(cell, policy, loop.test_streams(cell, (seed,), now)).item()
        for name, policy in loop.tested_policies(cell, learner).items()
        if since.get(name, now) == now
    }
