"""Who learns: `S` seeds at once, each algorithm complete in its file.

An algorithm is a frozen dataclass of hyper-parameters. Everything that training owns (parameters, optimizers, replay,
random streams, counters) lies in one explicit state that goes in and comes out, so that a run can be stopped by a kill,
go on bit for bit, and be extended:

    algorithm = MADDPG(message_size=3)
    state = algorithm.init(env, Streams.of([0, 1, 2], "training", "cpu"))
    while state.steps < 100_000:
        algorithm.advance(env, state)                             # one learning iteration of all seeds
    actions = algorithm.policies(state)["greedy"](env, game)      # one tensor a role
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from algorithms._ledger import Ledger
from environments import Env, Offers

__all__ = ["Algorithm", "Learner", "Ledger", "Policy", "Standing", "TrainState"]

Policy = Callable[[Env[Any], Any], tuple[Tensor, ...]]
"""Joint actions, one tensor a role, from an environment and its state; without exploration noise."""


class TrainState(Protocol):
    """All that training owns. Implementations are dataclasses whose leaves are tensors with the seed axis in front,
    `Streams`, or plain integers that all seeds share; `algorithms._tree` turns them into named tensors and back."""

    steps: int
    """Environment steps taken so far, per seed, over all copies."""

    ledger: Ledger
    """Running totals of what happened while training."""


S = TypeVar("S", bound=TrainState)


class Algorithm(Protocol[S]):
    """A way to learn. Implementations are frozen dataclasses whose fields are the hyper-parameters."""

    version: ClassVar[int]
    """Raised when, and only when, the same call returns other numbers: it is part of every result's key."""

    metrics: ClassVar[Mapping[str, str]]
    """What the ledger counts: a name and, in words, its unit."""

    def init(self, env: Env[Any], streams: Any) -> S:
        """The state before the first step, for as many seeds as there are streams.

        Raises: ValueError where the environment is of a kind that the algorithm cannot play.
        """

    def advance(self, env: Env[Any], state: S) -> None:
        """One learning iteration of all seeds, in place."""

    def policies(self, state: S) -> Mapping[str, Policy]:
        """The greedy policies to be tested, by name."""


Learner = Annotated[Any, Offers(("init", "advance", "policies"))]
"""An `Algorithm` as a setting of another one."""


@runtime_checkable
class Standing(Protocol):
    """What an `Algorithm` also has where some of its policies change more rarely than they are tested."""

    def standing(self, state: Any) -> Mapping[str, int]:
        """Of each such policy the step since which it is as it is: a test after that step need not be made again."""
