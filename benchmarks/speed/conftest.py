"""The numbers of the speed benchmarks that are no times, below pytest-benchmark's table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

NUMBERS = pytest.StashKey[list[tuple[str, dict[str, Any]]]]()


@pytest.fixture(autouse=True)
def _numbers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Keeps what a benchmark has noted in its `extra_info`."""
    benchmark = request.getfixturevalue("benchmark") if "benchmark" in request.fixturenames else None
    yield
    if benchmark is not None:
        request.config.stash.setdefault(NUMBERS, []).append((request.node.name, dict(benchmark.extra_info)))


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """One block a benchmark, one number a line."""
    noted = [(name, numbers) for name, numbers in config.stash.get(NUMBERS, []) if numbers]
    if noted:
        terminalreporter.section("speed, beside its yardsticks")
    for name, numbers in noted:
        terminalreporter.write_line(name)
        for what, number in numbers.items():
            terminalreporter.write_line(f"  {what.replace('_', ' '):34} {number:>12,}")
