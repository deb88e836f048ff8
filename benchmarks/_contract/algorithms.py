"""What every algorithm keeps to, whatever it learns."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from algorithms._replay import Replay
from algorithms._tree import joined, leaves, split
from benchmarks._contract.cases import every
from benchmarks._contract.settings import assert_settings_are_checked
from benchmarks._training.circumstances import one_thread
from environments import Box, Discrete, Env, Streams

one_thread()  # as every process that trains

ITERATIONS = 11
STOPS = (1, 3, 5)  # iterations after which what stands there is kept


def nothing(trial: Trial, state: Any, seeds: list[int]) -> None:
    """The beginning is as it is."""


@dataclass(frozen=True)
class Trial:
    """A learner, the game that it plays, and what is done to a fresh state of it before it learns."""

    algorithm: Any
    game_of: Callable[[Any], Env[Any]]
    prepare: Callable[[Trial, Any, list[int]], None] = nothing

    @property
    def env(self) -> Env[Any]:
        """Its game, which is looked for when it is asked for."""
        return self.game_of(self.algorithm)


every_algorithm = every("algorithm", "algorithms")
every_variant = every("trial", "trials")
every_learner = every("trial", "learners")


def fresh(algorithm: Any, seeds: list[int], env: Env[Any]) -> Any:
    """The state before anything."""
    return algorithm.init(env, Streams.of(seeds, "training", "cpu"))


def begun(trial: Trial, seeds: list[int]) -> Any:
    """The beginning."""
    state = fresh(trial.algorithm, seeds, trial.env)
    trial.prepare(trial, state, seeds)
    return state


def advanced(trial: Trial, state: Any, n_iterations: int) -> Any:
    """The same state, some iterations later."""
    for _ in range(n_iterations):
        trial.algorithm.advance(trial.env, state)
    return state


def trained(trial: Trial, seeds: list[int], n_iterations: int = ITERATIONS) -> Any:
    """What has been trained from the beginning."""
    return advanced(trial, begun(trial, seeds), n_iterations)


def contents(state: Any, n_seeds: int) -> list[dict[str, Tensor]]:
    """Copies of all that is kept of each seed; of replay what it holds, not the memory that nothing was written to."""
    held = split(state, n_seeds)
    for replay in (part for part in vars(state).values() if isinstance(part, Replay) and part.n_steps):
        transitions = leaves(replay.between(replay.oldest, replay.n_steps))
        for row, seed in enumerate(held):
            seed[".replay.rows"] = torch.cat([x[row].flatten() for x in transitions.values() if isinstance(x, Tensor)])
    return [{name: tensor.clone() for name, tensor in seed.items()} for seed in held]


class Way(NamedTuple):
    """An unbroken training of seeds 0, 1 and 2: all that is kept of them, by the iteration, and the steps of each."""

    kept: dict[int, list[dict[str, Tensor]]]
    steps: list[int]


@cache
def way(trial: Trial) -> Way:
    """It goes this way once."""
    state, found = begun(trial, [0, 1, 2]), Way({}, [])
    found.steps.append(state.steps)
    for iteration in range(1, ITERATIONS):
        found.steps.append(advanced(trial, state, 1).steps)
        if iteration in STOPS:
            kept = [{name: tensor.clone() for name, tensor in seed.items()} for seed in split(state, 3)]
            found.kept[iteration] = kept
    found.kept[ITERATIONS] = contents(advanced(trial, state, 1), 3)
    return found


class Alone(NamedTuple):
    """Seed 2 after training by itself, without a break; nobody changes it."""

    state: Any
    moved: list[str]  # global generators that were not left alone


@cache
def alone(trial: Trial) -> Alone:
    """It is trained once."""
    before = generators()
    state = trained(trial, [2])
    return Alone(state, [name for name, now in generators().items() if now != before[name]])


def generators() -> dict[str, bytes]:
    """Where everybody's generators stand."""
    name, keys, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": np.asarray(keys).tobytes() + repr((name, rest)).encode(),
        "random": repr(random.getstate()).encode(),
    }


def straight(trial: Trial) -> list[dict[str, Tensor]]:
    """All that is kept of seeds 0, 1 and 2 after training without a break."""
    return way(trial).kept[ITERATIONS]


def after(trial: Trial, n_iterations: int, seeds: list[int]) -> Any:
    """Some of these seeds after so many iterations, in a state of their own."""
    return continued(trial, [way(trial).kept[n_iterations][seed] for seed in seeds], 0)


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    """The names of what is not the same to the last bit."""
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def continued(trial: Trial, saved: list[dict[str, Tensor]], n_iterations: int) -> Any:
    """Training goes on from what was saved; its streams, and its teachers, are not those of the fresh state."""
    kept = [{name: tensor.clone() for name, tensor in seed.items()} for seed in saved]
    template = fresh(trial.algorithm, list(range(100, 100 + len(kept))), trial.env)
    return advanced(trial, joined(template, kept), n_iterations)


def greedy(trial: Trial, state: Any, seeds: list[int]) -> dict[str, Tensor]:
    """What every policy chooses for the first role, in seven fresh copies of the game a seed."""
    game = trial.env.reset(Streams.of(seeds, "test", "cpu"), 7)
    return {name: policy(trial.env, game)[0] for name, policy in trial.algorithm.policies(state).items()}


@every_algorithm
def test_an_algorithm_is_a_frozen_dataclass_with_a_version(algorithm: Any) -> None:
    assert type(algorithm).__dataclass_params__.frozen
    assert hash(algorithm) == hash(dataclasses.replace(algorithm))
    assert isinstance(algorithm.version, int)


@every_algorithm
def test_a_setting_that_is_none_is_answered_with_a_sentence(algorithm: Any) -> None:
    assert_settings_are_checked(algorithm)


@every_variant
def test_a_seed_alone_is_bit_for_bit_what_it_is_among_others(trial: Trial) -> None:
    """The last of three; and the second below, from the middle of training on."""
    (among,) = contents(alone(trial).state, 1)
    assert differing(among, straight(trial)[2]) == []


@every_variant
def test_a_policy_of_a_seed_alone_plays_what_it_plays_among_others(trial: Trial) -> None:
    together = greedy(trial, after(trial, 3, [0, 1, 2]), [3, 14, 15])
    for row, seed in enumerate([3, 14, 15]):
        for name, alone in greedy(trial, after(trial, 3, [row]), [seed]).items():
            assert torch.equal(alone[0], together[name][row])


@every_variant
def test_seeds_differ(trial: Trial) -> None:
    for actions in greedy(trial, after(trial, 3, [0, 1]), [5, 5]).values():
        assert not torch.equal(actions[0], actions[1])


@every_variant
def test_the_global_generators_are_left_alone(trial: Trial) -> None:
    trained_alone, before = alone(trial), generators()
    greedy(trial, trained_alone.state, [2])
    assert trained_alone.moved == [] and generators() == before


@every_variant
def test_what_was_stopped_at_once_goes_on_bit_for_bit(trial: Trial) -> None:
    """As far as to where the next test goes on from."""
    resumed = contents(continued(trial, way(trial).kept[1][:2], 4), 2)
    for one, other in zip(resumed, contents(after(trial, 5, [0, 1]), 2), strict=True):
        assert differing(one, other) == []


@every_variant
def test_what_was_stopped_in_the_middle_goes_on_bit_for_bit_however_seeds_are_grouped(trial: Trial) -> None:
    first, second, third = way(trial).kept[5]
    (single,) = contents(continued(trial, [second], ITERATIONS - 5), 1)
    regrouped = contents(continued(trial, [third, first], ITERATIONS - 5), 2)
    unbroken = straight(trial)
    assert differing(single, unbroken[1]) == []
    assert differing(regrouped[0], unbroken[2]) == []
    assert differing(regrouped[1], unbroken[0]) == []


@every_variant
def test_every_iteration_takes_steps(trial: Trial) -> None:
    steps = way(trial).steps
    told = "an iteration must add the steps of the game that it took to state.steps"
    assert steps[0] == 0 and all(before < after for before, after in pairwise(steps)), told


@every_variant
def test_the_ledger_has_the_metrics_that_are_announced_of_every_seed(trial: Trial) -> None:
    """One that announces nothing may keep another learner's ledger, and leave it empty."""
    announced, totals = trial.algorithm.metrics, after(trial, 5, [0, 1]).ledger.totals
    entered = {metric for metric, total in totals.items() if total.any()}
    assert totals.keys() == announced.keys() or not (announced or entered), "Ledger.of(self.metrics, …) makes it"
    assert all(announced.values()), "every metric has a unit, in words"
    for metric, total in totals.items():
        assert total.shape == (2, 2), metric
        assert total.isfinite().all(), metric


@every_variant
def test_policies_choose_one_action_a_role_that_can_be_played(trial: Trial) -> None:
    env = trial.env
    game = env.reset(Streams.of([0, 1], "test", "cpu"), 7)
    for policy in trial.algorithm.policies(after(trial, 5, [0, 1])).values():
        for action, role in zip(policy(env, game), env.roles, strict=True):
            match role.action:
                case Discrete(n):
                    assert action.shape == (2, 7, role.n_agents)
                    assert set(action.unique().tolist()) <= set(range(n))
                case Box(n):
                    assert action.shape == (2, 7, role.n_agents, n)


@every_learner
def test_asking_a_policy_changes_nothing_in_training(trial: Trial) -> None:
    state = after(trial, 5, [0, 1])
    before = contents(state, 2)
    once, again = greedy(trial, state, [0, 1]), greedy(trial, state, [0, 1])
    assert all(torch.equal(once[name], again[name]) for name in once)
    for one, other in zip(before, contents(state, 2), strict=True):
        assert differing(one, other) == []
