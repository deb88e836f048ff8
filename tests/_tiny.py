"""Three figures so small that they train in a second, and the two command lines with no other figures than these.

    python tests/_tiny.py run tiny --profile smoke --store folder       as python -m benchmarks run …
    python tests/_tiny.py pytest --repro-profile smoke                  as pytest benchmarks/test_figures.py …

Run as a script, here and in the processes that it starts, a checkpoint is made at every iteration.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
import torch

from algorithms._tree import leaves, rebuilt
from algorithms.ctedd import CTEDD
from algorithms.maddpg import MADDPG, MADDPGState
from benchmarks import (
    Budget,
    Cell,
    Claim,
    Evaluation,
    Figure,
    Line,
    Measured,
    Metric,
    Panel,
    Paper,
    Printed,
    Row,
    Score,
    Start,
)
from benchmarks import _catalogue as catalogue
from benchmarks._judging.scores import Last
from benchmarks._training import runner, session
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
            "",
            "nowhere",
            "no step is taken while distilling",
            (
                Row(
                    "steps while distilling = 0",
                    Score(CTEDD_CELL, Metric("environment steps in distillation", "smaller"), Last()),
                    None,
                    Printed(value=0.0, tolerance=0.0, reason="a counter"),
                    "structure",
                ),
            ),
        ),
    ),
    budgets={
        "smoke": {"Tiny": Budget(2, 400)},
        "quick": {"Tiny": Budget(2, 1_000_000)},  # longer than anybody waits for
        "paper": {"Tiny": Budget(3, 1_000_000)},
    },
)


@dataclass(frozen=True)
class Blended:
    """Begins with the mean of the teachers' actors, each weight blurred by a draw of the learner's own."""

    blur: float = 0.1

    version: ClassVar[int] = 1

    def __call__(
        self, algorithm: Any, env: Any, learner: MADDPGState, teachers: tuple[tuple[Any, MADDPGState], ...]
    ) -> None:
        """Changes the actors of the learner."""
        learnt = [leaves(teacher.actors) for _, teacher in teachers]

        def blended(name: str, fresh: Any) -> Any:
            mean = torch.stack([torch.as_tensor(actors[name]) for actors in learnt]).mean(dim=0)
            return mean + self.blur * learner.streams.normal(*fresh.shape[1:])

        learner.actors = rebuilt(learner.actors, blended)


# A first task is learnt, a second from there, and a third in two ways: after the second, or after two learners of the
# first.
FIRST = replace(MADDPG_CELL, name="first", environment="Task I", env=replace(GAME, horizon=5))
OTHER = replace(FIRST, name="other first", algorithm=replace(FIRST.algorithm, learning_rate=0.02))
SECOND = replace(MADDPG_CELL, name="second", environment="Task II", start=Start(((FIRST, 200),), Blended()))
THIRD = replace(SECOND, name="third", environment="Task III", start=Start(((SECOND, 200),), Blended()))
BOTH = replace(THIRD, name="third after two", start=Start(((OTHER, 200), (FIRST, 200)), Blended()))

TRANSFERS = replace(
    FIGURE,
    paper=replace(FIGURE.paper, name="transfers"),
    name="transfers",
    title="One learner after another",
    panels=(Panel("Task III", tuple(Line(cell.name, cell, "test return greedy") for cell in (THIRD, BOTH)), "return"),),
    claims=(),
    budgets={
        profile: {"Task I": Budget(n_seeds, 200), "Task II": Budget(n_seeds, 200), "Task III": Budget(n_seeds, n_steps)}
        for profile, n_seeds, n_steps in (("smoke", 2, 400), ("quick", 2, 1_000_000), ("paper", 3, 1_000_000))
    },
)


@dataclass(frozen=True)
class Sketch:
    """What the first agent does in a few states, of which none is a test's or another sketch's; and what it is."""

    n_states: int = 6  # products of three rows are rounded otherwise among others than alone

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {"largest action": "entry of the first agent's action"}
    arrays: ClassVar[Mapping[str, str]] = {
        "actions": "of the first agent, [state, entry]",
        "counted": "steps so far",
        "weights": "of the first layer of all actors",
    }

    def __call__(self, algorithm: Any, env: Any, learner: MADDPGState, streams: Any) -> Measured:
        """Plays one policy, counts, and hands out a tensor that the learner goes on changing."""
        (policy,) = algorithm.policies(learner).values()
        actions = policy(env, env.reset(streams, self.n_states))[0][:, :, 0]  # [S, E, n]
        counted = torch.full((streams.n_seeds,), learner.steps)
        weights = torch.as_tensor(next(iter(leaves(learner.actors).values())))
        arrays = {"actions": actions, "counted": counted, "weights": weights}
        return Measured({"largest action": actions.amax(dim=(1, 2))}, arrays)


MEASURED = replace(MADDPG_CELL, name="measured", measure=Sketch())


SKETCHED = replace(
    FIGURE,
    paper=replace(FIGURE.paper, name="sketched"),
    name="sketched",
    title="What a learner does",
    panels=(Panel("Tiny", (Line("Measured", MEASURED, "largest action"),), "largest action"),),
    claims=(),
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
    catalogue.figures = lambda: (FIGURE, TRANSFERS, SKETCHED)  # type: ignore[assignment]
    session.CHECKPOINT_SECONDS = 0.0
    session.REPORT_SECONDS = 0.2
    runner.HALVE_SECONDS = float(os.environ.get("TINY_HALVE_SECONDS", runner.HALVE_SECONDS))

if __name__ == "__main__":
    from benchmarks.__main__ import main

    if sys.argv[1] == "pytest":
        sys.exit(pytest.main([str(Path(catalogue.HERE) / "test_figures.py"), *sys.argv[2:]]))
    sys.exit(main(sys.argv[1:]))
