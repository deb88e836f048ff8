"""Tests of the code: a warning is an error, and who meant a benchmark is told so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

pytest.register_assert_rewrite("benchmarks._contract")

LONGEST = (
    "test_algorithms_contract.py",
    "test_runner.py",
    "test_history.py",
    "test_interface.py",
    "test_campaigns.py",
    "test_outside.py",
    "test_waiting.py",
    "test_stretches.py",
    "test_kills.py",
    "test_guide.py",
    "test_slurm.py",
)
"""Files that take longest, which begin first, so that none of them is left alone at the end."""
MEMORY = Path("/dev/shm")
ROOM = 2e9  # bytes, several times of what the tests write before it is removed


def pytest_configure(config: pytest.Config) -> None:
    """Makes warnings errors, except that pytest cannot write its cache.

    The many processes that tests start compile the suite once: a third of what it takes to start one. What they write
    lies in memory where there is room: a store waits for the disk after every file, and no test pulls the plug.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if is_roomy(MEMORY):
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    config.addinivalue_line("filterwarnings", "error")
    config.addinivalue_line("filterwarnings", "ignore::pytest.PytestCacheWarning")


def is_roomy(folder: Path) -> bool:
    """Whether tests may write there, start what they have written, and do not fill it."""
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < ROOM:
        return False
    return not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the longest files first; within a file nothing moves."""
    rank = {name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Says how benchmarks are chosen, where -k names one and nobody said where to look."""
    keyword = config.option.keyword
    if not keyword or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    from benchmarks._catalogue import figures, selects  # noqa: PLC0415 - takes seconds

    found = [figure.id for figure in figures() if selects(keyword, figure.id)]
    if found:
        terminalreporter.write_line(
            f"these were tests of the code; `pytest benchmarks -k {keyword!r}` judges {', '.join(found)}"
        )
