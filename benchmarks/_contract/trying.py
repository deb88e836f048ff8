"""The contract asked of one paper outside of the suite, as a plugin of pytest: `--contract-of=FOLDER`."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from benchmarks import lineage
from benchmarks._catalogue import lying_at
from benchmarks._contract.cases import MARKER, Cases, named, parametrize
from benchmarks._outside.papers import Outside, also, at
from environments import Mortal

for name in ("algorithms", "environments", "figures"):
    pytest.register_assert_rewrite(f"benchmarks._contract.{name}")

CASES = pytest.StashKey[Cases]()
OUTSIDE = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Whose contract is tried."""
    parser.addoption("--contract-of", required=True, help="the folder of a paper")


def pytest_configure(config: pytest.Config) -> None:
    """Imports the paper."""
    config.addinivalue_line("markers", MARKER)
    config.stash[OUTSIDE] = ExitStack()
    try:
        paper = at(config.getoption("--contract-of"))
        config.stash[OUTSIDE].enter_context(also([paper.folder]))
        config.stash[CASES] = cases_of(paper)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    """Forgets it."""
    config.stash[OUTSIDE].close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Asks every test of what there is."""
    parametrize(metafunc, metafunc.config.stash[CASES])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out tests of kinds of which the paper has nothing."""
    idle = [item for item in items if any(_empty(mark, config) for mark in item.iter_markers("every"))]
    if idle:
        config.hook.pytest_deselected(items=idle)
        items[:] = [item for item in items if item not in idle]


def _empty(mark: pytest.Mark, config: pytest.Config) -> bool:
    return not config.stash[CASES][mark.args[1]]


def cases_of(paper: Outside) -> Cases:
    """The games and learners of the paper's own that its figures run, and its figures."""
    from benchmarks._contract import algorithms, figures  # noqa: PLC0415 - tests, which pytest is to import first

    own = lying_at([paper.folder])
    cells = {cell.key: cell for figure in own for last in figure.cells for cell in lineage(last)}.values()
    games = named({cell.env: None for cell in cells if _is_of(paper, cell.env)}, _called)
    learners = {(cell.algorithm, cell.env): cell for cell in cells if _is_of(paper, cell.algorithm)}
    tried = [algorithms.Trial(cell.algorithm, partial(_game, cell.env)) for cell in learners.values()]
    trials = named(tried, lambda trial: _called(trial.algorithm))
    kinds = {
        "environments": games,
        "variants": games,
        "grids": {name: env for name, env in games.items() if hasattr(env, "cells")},
        "mortals": {name: env for name, env in games.items() if isinstance(env, Mortal)},
        "algorithms": named({algorithm: None for algorithm, _ in learners}, _called),
        "trials": trials,
        "learners": trials,
    }
    return {**kinds, **figures.cases_of(own)}


def _is_of(paper: Outside, thing: Any) -> bool:
    return type(thing).__module__.startswith(f"{paper.module}.") or type(thing).__module__ == paper.module


def _called(thing: Any) -> str:
    return type(thing).__name__


def _game(env: Any, _: Any) -> Any:
    return env
