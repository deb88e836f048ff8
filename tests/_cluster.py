"""Command lines that train tiny figures elsewhere. `_tiny` is a module here, so that its code can be sent to nodes.

    python tests/_cluster.py run long --profile smoke --engine ray --address host:port
    python tests/_cluster.py pytest --repro-profile smoke --repro-engine ray --repro-address host:port

A checkpoint is made at every iteration. And two nodes on this machine, with one core each:

    python tests/_cluster.py nodes

which says their address, kills the second one at a line that it reads, and ends with its input.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from _tiny import EVALUATION, FIGURE, GAME, SECOND, TRANSFERS, Failing

from benchmarks import Budget, Cell, Line, Panel
from benchmarks import _catalogue as catalogue
from benchmarks._training import session

N_STEPS = 3_000  # long enough to be killed in
LONG = replace(
    FIGURE,
    paper=replace(FIGURE.paper, name="long"),
    name="long",
    claims=(),
    budgets={name: {"Tiny": Budget(2, N_STEPS)} for name in ("smoke", "quick", "paper")},
)
CHAIN = replace(
    TRANSFERS,
    paper=replace(FIGURE.paper, name="chain"),
    name="chain",
    panels=(Panel("Task II", (Line("second", SECOND, "test return greedy"),), "return"),),
    budgets={name: {"Task I": Budget(2, 200), "Task II": Budget(2, 400)} for name in ("smoke", "quick", "paper")},
)
RAISES = Cell("raises", "Tiny", Failing("raises"), GAME, EVALUATION)
FAILS = replace(
    FIGURE,
    paper=replace(FIGURE.paper, name="fails"),
    name="fails",
    panels=(Panel("Tiny", (Line("Fails", RAISES, "test return greedy"),), "test return"),),
    claims=(),
    budgets={name: {"Tiny": Budget(1, N_STEPS)} for name in ("smoke", "quick", "paper")},
)


def nodes() -> None:
    """Two nodes of a Ray cluster, of which the second dies at once, with all its processes, when it shall."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - not everybody has Ray

    size = {"num_cpus": 1, "object_store_memory": 80 << 20}
    soon = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    cluster = Cluster()
    cluster.add_node(**size, include_dashboard=False, _system_config=soon)
    second = cluster.add_node(**size)
    print(cluster.address, flush=True)
    if sys.stdin.readline():
        cluster.remove_node(second, allow_graceful=False)
    sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    from benchmarks.__main__ import main

    catalogue.figures = lambda: (LONG, CHAIN, FAILS)
    session.CHECKPOINT_SECONDS, session.REPORT_SECONDS = 0.0, 0.2
    if sys.argv[1] == "nodes":
        nodes()
        sys.exit()
    if sys.argv[1] == "pytest":
        sys.exit(pytest.main([str(Path(catalogue.HERE) / "test_figures.py"), *sys.argv[2:]]))
    sys.exit(main(sys.argv[1:]))
