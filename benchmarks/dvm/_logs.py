"""What the authors' logs say, beside what is measured here."""

from __future__ import annotations

from typing import Any

from benchmarks import Logged, Metric, Score, dvm
from benchmarks._judging.scores import Final
from benchmarks.dvm import Method
from results import published

TRAINED = Metric(dvm.TRAINING, better="larger")


def logs() -> dict[str, Any]:
    """The file as it stands."""
    return published("dvm")


def at_the_end() -> tuple[Logged, ...]:
    """Training returns at the end of Phase II of spread with MADDPG: about 15 episodes there, the last 30 here."""
    return tuple(
        Logged(
            panel=f"{entry['agents']} agents",
            curve=entry["method"],
            value=entry["mean"] * logs()["to_return"],
            deviation=entry["deviation"] * logs()["to_return"],
            score=Score(measured(entry["agents"], entry["method"]), TRAINED, Final(window=3)),
            source=f"one log, seed {entry['seed']}",
        )
        for entry in logs()["end"]
    )


def measured(n_agents: int, method: Method) -> Any:
    """The cell that a log is of."""
    return dvm.phase_two(dvm.DISCRETE, n_agents, method)
