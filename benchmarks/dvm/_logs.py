"""What the authors' logs say, beside what is measured here."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from benchmarks import Logged, Metric, Score, dvm
from benchmarks._scores import Final
from benchmarks.dvm import Method

TRAINED = Metric(dvm.TRAINING, better="larger")
FILE = Path(__file__).parents[2] / "results" / "published" / "dvm.json"


@functools.cache
def logs() -> dict[str, Any]:
    """The file as it stands."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


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
