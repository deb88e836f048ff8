"""One cell's seeds in training: the only place where an algorithm meets an environment.

Every number of a run comes out of this file, of the algorithm, the game, the measure and the transfer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms import Policy, Standing
from algorithms._copies import lost, playable
from algorithms._tree import joined, split
from benchmarks import Cell, Measure, Measured, Start
from environments import Streams
from results import History, Run, State

TEST_RETURN = "test return"


@dataclass
class Training:
    """The learner of several seeds and what has been seen of it so far: all that is saved to go on."""

    learner: Any  # algorithms.TrainState
    steps: Tensor  # [S, N] float64: when each test was
    curves: dict[str, Tensor]  # [S, N] float32
    read: dict[str, Tensor]  # [S, 2] float64: the ledger at the last test
    arrays: dict[str, Tensor]  # [S, ...]: of the last test; [S, 0] before the first

    @classmethod
    def of(cls, cell: Cell, seeds: Sequence[int]) -> Training:
        """The beginning; of a cell that starts from others, before anything comes from them."""
        purpose = "training" if cell.start is None else "training after transfer"
        learner = cell.algorithm.init(cell.env, Streams.of(seeds, purpose, cell.device))
        empty = torch.empty(len(seeds), 0)
        read = {metric: torch.zeros_like(total) for metric, total in learner.ledger.totals.items()}
        arrays = dict.fromkeys(array_units(cell), empty)
        return cls(learner, empty.double(), dict.fromkeys(units(cell, learner), empty), read, arrays)

    @classmethod
    def started(cls, cell: Cell, start: Start, seeds: Sequence[int], teachers: Sequence[Training]) -> Training:
        """The beginning of a cell that starts from others, each of which stands where it is taken."""
        training = cls.of(cell, seeds)
        learners = tuple((of.env, teacher.learner) for (of, _), teacher in zip(start.teachers, teachers, strict=True))
        start.transfer(cell.algorithm, cell.env, training.learner, learners)
        return training

    @classmethod
    def resumed(cls, cell: Cell, seeds: Sequence[int], states: Sequence[State]) -> Training:
        """Where the states stood, which must all stand at the same step."""
        return joined(cls.of(cell, seeds), [state.tensors for state in states])

    def saved(self, n_seeds: int) -> list[dict[str, Tensor]]:
        """One set of tensors a seed."""
        return split(self, n_seeds)


def units(cell: Cell, learner: Any) -> dict[str, str]:
    """Every metric that a cell records, and its unit in words.

    Raises: ValueError where two of them, or of the arrays, have the same name.
    """
    tested = (
        f"sum over agents and steps of the reward of an episode without exploration; "
        f"mean over {cell.evaluation.n_episodes} test episodes"
    )
    rarely = f"{tested}; tested again only once the policy has changed, and until then its last result stands"
    rare = standing(cell, learner)
    kinds = (
        {f"{TEST_RETURN} {policy}": rarely if policy in rare else tested for policy in tested_policies(cell, learner)},
        cell.algorithm.metrics,
        {} if cell.measure is None else cell.measure.metrics,
    )
    names = [name for kind in (*kinds, array_units(cell)) for name in kind]
    if len(set(names)) < len(names):
        raise ValueError(f"every metric and array of {cell.key} must have its own name, got {sorted(names)}")
    return {name: unit for kind in kinds for name, unit in kind.items()}


def array_units(cell: Cell) -> dict[str, str]:
    """Every array that a cell keeps, and what it is in words."""
    return {} if cell.measure is None else dict(cell.measure.arrays)


def train(cell: Cell, seeds: Sequence[int], training: Training, n_steps: int, pause: Callable[[int], bool]) -> None:
    """Go on until `n_steps`, testing when it is due; `pause(steps)` is asked after every iteration whether to stop.

    Units: `n_steps` in environment steps per seed.
    """

    def test(_: str, policy: Policy, steps: int) -> Tensor:
        return played(cell, policy, test_streams(cell, seeds, steps))

    learner = training.learner
    while learner.steps < n_steps:
        before = learner.steps
        cell.algorithm.advance(cell.env, learner)
        if learner.steps // cell.evaluation.every > before // cell.evaluation.every:
            record(cell, seeds, training, test)
        if pause(learner.steps):
            return


def tested_policies(cell: Cell, learner: Any) -> Mapping[str, Policy]:
    """The policies that are tested, by name: none where a test has no episodes."""
    return cell.algorithm.policies(learner) if cell.evaluation.n_episodes else {}


def standing(cell: Cell, learner: Any) -> Mapping[str, int]:
    """Of policies that change more rarely than they are tested, the step since which each is as it is."""
    return cell.algorithm.standing(learner) if isinstance(cell.algorithm, Standing) else {}


def test_streams(cell: Cell, seeds: Sequence[int], steps: int) -> Streams:
    """What a test draws from: all policies of one test meet the same episodes."""
    return Streams.of(seeds, f"test after {steps} steps", cell.device)


@torch.no_grad()
def played(cell: Cell, policy: Policy, streams: Streams) -> Tensor:
    """The mean return of a policy over the fresh episodes of a test. Shapes: [S]."""
    game = cell.env.reset(streams, cell.evaluation.n_episodes)
    total = torch.zeros(streams.n_seeds, cell.evaluation.n_episodes, device=cell.device)
    for _ in range(cell.env.horizon):
        actions = policy(cell.env, game)
        game, reward, _ = cell.env.step(game, tuple(map(playable, actions)), streams)
        total += (reward + torch.cat([lost(a) for a in actions], dim=-1)).sum(dim=-1)
    return total.mean(dim=1)


@torch.no_grad()
def measured(cell: Cell, measure: Measure, learner: Any, seeds: Sequence[int]) -> Measured:
    """What a measure finds, with draws of its own; the arrays on the CPU.

    Raises: ValueError where that is not what it announces.
    """
    streams = Streams.of(seeds, f"measure after {learner.steps} steps", cell.device)
    found = measure(cell.algorithm, cell.env, learner, streams)
    metrics, arrays = ({name: tuple(values.shape) for name, values in kind.items()} for kind in found)
    named = (set(metrics), set(arrays)) == (set(measure.metrics), set(measure.arrays))
    shaped = all(shape == (len(seeds),) for shape in metrics.values())
    if not (named and shaped and all(shape[:1] == (len(seeds),) for shape in arrays.values())):
        raise ValueError(
            f"{type(measure).__name__} must return metrics {sorted(measure.metrics)} [{len(seeds)}] and "
            f"arrays {sorted(measure.arrays)} [{len(seeds)}, ...], got {metrics} and {arrays}"
        )
    # Copies, because what is the learner's own goes on changing.
    kept = {name: array.detach().to("cpu", copy=True) for name, array in found.arrays.items()}
    return Measured({name: values.detach() for name, values in found.metrics.items()}, kept)


def runs(cell: Cell, seeds: Sequence[int], training: Training, histories: Sequence[History]) -> list[Run]:
    """What is stored of each seed, and where it comes from; arrays only once there has been a test."""
    arrays = training.arrays if training.steps.numel() else {}
    described = units(cell, training.learner) | (array_units(cell) if arrays else {})
    return [
        Run(
            key=cell.key,
            seed=seed,
            steps=training.steps[row].numpy(),
            metrics={name: values[row].numpy() for name, values in training.curves.items()},
            units=described,
            history=histories[row],
            arrays={name: values[row].numpy() for name, values in arrays.items()},
        )
        for row, seed in enumerate(seeds)
    ]


def record(cell: Cell, seeds: Sequence[int], training: Training, test: Callable[[str, Policy, int], Tensor]) -> None:
    """Tests and measures a learner where it stands; `test(name, policy, steps)` gives the mean returns [S]."""
    learner = training.learner
    steps = learner.steps
    values = {}
    since, last_test = standing(cell, learner), training.steps[0, -1] if training.steps.numel() else -1
    for name, policy in tested_policies(cell, learner).items():
        metric = f"{TEST_RETURN} {name}"
        stands = since.get(name, steps) <= last_test
        values[metric] = training.curves[metric][:, -1] if stands else test(name, policy, steps)
    for metric, total in learner.ledger.totals.items():
        window = total - training.read[metric]
        values[metric] = window[:, 0] / window[:, 1]  # NaN where nothing was entered
        training.read[metric] = total.clone()
    if cell.measure is not None:
        found = measured(cell, cell.measure, learner, seeds)
        values |= found.metrics
        training.arrays = dict(found.arrays)
    now = torch.full((len(seeds), 1), steps, dtype=torch.float64)
    training.steps = torch.cat([training.steps, now], dim=1)
    training.curves = {
        name: torch.cat([curve, values[name].float().cpu()[:, None]], dim=1) for name, curve in training.curves.items()
    }
