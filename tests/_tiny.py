"""One figure so small that it trains in a second, and the two command lines with no other figure than this one.

    python tests/_tiny.py run tiny --profile smoke --store folder       as python -m benchmarks run …
    python tests/_tiny.py pytest --repro-profile smoke                  as pytest benchmarks/test_figures.py …

Run as a script, here and in the processes that it starts, a checkpoint is made at every iteration.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG
from benchmarks import Budget, Cell, Claim, Evaluation, Figure, Line, Panel, Paper, Printed, Row, Score
from benchmarks import _catalogue as catalogue
from benchmarks import _runner as runner
from benchmarks._scores import Last
from environments.cooperative_navigation import CooperativeNavigation

GAME = CooperativeNavigation(horizon=4)
EVALUATION = Evaluation(every=100, n_episodes=4)
# Learns from step 100 on, ends episodes in every iteration; replay wraps around after step 320. With less than 16
# hidden units MKL rounds a product differently where its memory starts elsewhere, that is, in another row of seeds.
SIZES: dict[str, Any] = {"hidden": 16, "batch_size": 16, "capacity": 300, "first_update": 100}
MADDPG_CELL = Cell("MADDPG-1", "Tiny", MADDPG(message_size=1, steps_per_update=50, n_envs=5, **SIZES), GAME, EVALUATION)
CTEDD_CELL = Cell(
    "CTEDD",
    "Tiny",
    CTEDD(message_sizes=(1,), steps_per_update=50, n_envs=5, distill_every=100, **SIZES),
    GAME,
    EVALUATION,
)

FIGURE = Figure(
    paper=Paper("tiny", "A paper of its own", "nobody", "nowhere", "Nothing is claimed."),
    name="tiny",
    title="Two learners in a small game",
    caption="Test return.",
    panels=(
        Panel(
            "Tiny",
            (
                Line("CTEDD-G", CTEDD_CELL, "test return G"),
                Line("MADDPG-1", MADDPG_CELL, "test return greedy"),
            ),
            "test return",
        ),
    ),
    claims=(
        Claim(
            "TINY-1",
            "no step is taken while distilling",
            "nowhere",
            (
                Row(
                    "steps while distilling = 0",
                    Score(CTEDD_CELL, "environment steps in distillation", Last()),
                    None,
                    Printed(value=0.0, tolerance=0.0),
                ),
            ),
            about="structure",
        ),
    ),
    budgets={
        "smoke": {"Tiny": Budget(2, 400)},
        "quick": {"Tiny": Budget(2, 1_000_000)},  # longer than anybody waits for
        "paper": {"Tiny": Budget(3, 1_000_000)},
    },
)


@dataclass(frozen=True)
class Failing:
    """An algorithm that never gets anywhere."""

    how: Literal["raises", "dies"]

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {}

    def init(self, env: Any, streams: Any) -> Any:
        """Raises, or is killed."""
        if self.how == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        raise ArithmeticError("the loss is imaginary")


if __name__ in ("__main__", "__mp_main__"):
    catalogue.figures = lambda: (FIGURE,)  # type: ignore[assignment]
    runner.CHECKPOINT_SECONDS = 0.0

if __name__ == "__main__":
    from benchmarks.__main__ import main

    if sys.argv[1] == "pytest":
        sys.exit(pytest.main([str(Path(catalogue.HERE) / "test_figures.py"), *sys.argv[2:]]))
    sys.exit(main(sys.argv[1:]))
