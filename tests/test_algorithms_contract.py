"""What every algorithm keeps to, asked of every algorithm that there is, with each of its switches."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from _grids import Brief, Chase
from torch import Tensor

import algorithms
from algorithms._networks import tensors
from algorithms._rollouts import Baseline
from algorithms._tree import joined, split
from algorithms.ctedd import CTEDD
from algorithms.dimapg import DiMAPG
from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Enrolment, Merging, Succession
from algorithms.egocentric import Egocentric
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.mace import MACE
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.tuition import Handover, Tuition
from algorithms.untrained import Untrained
from benchmarks._contract.algorithms import *  # noqa: F403 - the tests
from benchmarks._contract.algorithms import (
    ITERATIONS,
    Trial,
    advanced,
    after,
    alone,
    begun,
    contents,
    differing,
    every_algorithm,
    every_learner,
    every_variant,
    fresh,
    greedy,
    straight,
    trained,
    way,
)
from benchmarks._contract.cases import Cases, every, parametrize
from benchmarks._contract.settings import assert_settings_are_checked
from environments import Box, Discrete, Env, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_spread import SimpleSpread
from environments.simple_tag import SimpleTag
from environments.spread import Spread

FOLDER = Path(algorithms.__file__).parent
# An algorithm plays the first of these that it can.
FORCES, CHOICES, GRID = CooperativeNavigation(horizon=4), Spread(action="discrete", horizon=4), Chase()
WEIGHTS = CooperativeNavigation(action="soft", horizon=4)
GAMES: tuple[Env[Any], ...] = (FORCES, CHOICES, WEIGHTS, GRID)
# So small that ten iterations learn, distil, end episodes, let replay grow once, and then let it wrap around; and that
# all ways to explore are gone through.
SMALL: dict[str, Any] = {
    "hidden": 16,
    "batch_size": 32,
    "capacity": 480,
    "first_update": 100,
    "steps_per_update": 50,
    "n_envs": 5,
    "distill_every": 100,
    "epsilon_steps": 300,
    "random_steps": 150,
    "iterations_per_round": 2,
    "n_trajectories": 3,
    "inner_steps": 2,
    "n_steps": 3,
}
SWITCHES: tuple[tuple[str, Any], ...] = (
    ("message_size", 3),
    ("fixed_std", 0.3),
    ("distillations", ("random", "continued")),
    ("update_order", "on-policy"),
    ("permuted_critic", True),
    ("policy", "Shared"),
    ("policy", "Cloned"),
    ("search", True),
    ("latent_lasts", "episode"),
    ("head_scale", 0.01),
    ("normalised", True),
    ("sees_time", True),
    ("outer", "REINFORCE"),
    ("baseline", Baseline(n_features=3, pooled=True)),
    ("shared_reward", True),
    ("second_order", True),
    ("logs_clipping", True),
    ("baseline", Baseline(lagged=True)),
    ("data", {"outer": "REINFORCE", "data": "all"}),
)
FIXED = (Untrained, Egocentric)
# Every value of the arguments without which some algorithms do not exist.
NEEDED: dict[str, tuple[Any, ...]] = {
    "learner": (DiscreteMADDPG(), MASAC()),
    "part": ("actor", "critic"),
    "members": (((0, 0), (1, 1)),),
}


def found() -> Iterator[tuple[str, Any]]:
    """Every public algorithm as it is without arguments, or with all that it may need."""
    for path in sorted(FOLDER.glob("[!_]*.py")):
        module = importlib.import_module(f"algorithms.{path.stem}")
        for _, kind in sorted(vars(module).items()):
            if (
                isinstance(kind, type)
                and kind.__module__ == module.__name__
                and "version" in vars(kind)
                and hasattr(kind, "advance")
            ):
                yield from made(kind)


def made(kind: Any) -> Iterator[tuple[str, Any]]:
    """An algorithm with every combination of the arguments that it needs."""
    needed = [field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING]
    for values in itertools.product(*(NEEDED[name] for name in needed)):
        said: dict[str, Any] = {
            "learner": lambda learner: type(learner).__name__,
            "part": str,
            "members": lambda _: "of-two-teams",
        }
        name = "-".join([kind.__name__, *(said[name](value) for name, value in zip(needed, values, strict=True))])
        yield name, kind(**dict(zip(needed, values, strict=True)))


def with_settings(algorithm: Any, **settings: Any) -> Any:
    """The algorithm, and the learners that it may have, with those of the settings that they have."""
    fields = {field.name for field in dataclasses.fields(algorithm)}
    own = {name: value for name, value in settings.items() if name in fields}
    if "learner" in fields:
        own["learner"] = with_settings(algorithm.learner, **settings)
    return dataclasses.replace(algorithm, **own)


def switched(name: str, algorithm: Any) -> Iterator[tuple[str, Any]]:
    """The algorithm, and what it becomes with each of the switches that it has; some are nothing to some.

    `Untrained` plays all policies at once, and `Egocentric` is one of them.
    """
    yield name, algorithm
    for switch, setting in SWITCHES:
        if isinstance(algorithm, FIXED) and switch in ("policy", "latent_lasts"):
            continue
        together = setting if isinstance(setting, dict) else {switch: setting}
        variant = with_settings(algorithm, **together)
        if variant != algorithm:
            yield f"{name}-{switch}-{together.get(switch)}", variant


def plays(algorithm: Any) -> bool:
    """Whether it learns from games of its own."""
    return "batch_size" in {field.name for field in dataclasses.fields(algorithm)}


FOUND = dict(found())
VARIANTS = {name: variant for base, algorithm in FOUND.items() for name, variant in switched(base, algorithm)}
PLAYERS = {name: variant for name, variant in VARIANTS.items() if plays(variant)}
LEARNERS = PLAYERS | {name: variant for name, variant in VARIANTS.items() if isinstance(variant, Merging | MACE)}
every_player = every("full_size", "players")
every_small_player = every("trial", "small players")


@cache
def game_of(algorithm: Any) -> Env[Any]:
    """The first of the games that the algorithm can play."""
    for env in GAMES[:-1]:
        with contextlib.suppress(ValueError):
            fresh(algorithm, [0], env)
            return env
    return GAMES[-1]


@cache
def team(learner: Any, seeds: tuple[int, ...]) -> Any:
    return trained(of(learner), list(seeds), 4)


def taught(trial: Trial, state: Any, seeds: list[int]) -> None:
    """Merging and tuition begin with teachers that have learnt something."""
    algorithm, env = trial.algorithm, trial.env
    if isinstance(algorithm, Merging):
        teams = [tuple(seed + 20 * team for seed in seeds) for team in range(len(state.teachers))]
        Enrolment()(algorithm, env, state, [(env, team(algorithm.learner, members)) for members in teams])
    if isinstance(algorithm, Tuition):
        Handover()(algorithm, env, state, [(env, team(algorithm.learner, tuple(seeds)))])


def of(algorithm: Any) -> Trial:
    return Trial(algorithm, game_of, taught)


def small(algorithm: Any) -> Trial:
    return of(with_settings(algorithm, **SMALL))


CASES: Cases = {
    "algorithms": FOUND,
    "trials": {name: small(variant) for name, variant in VARIANTS.items()},
    "learners": {name: small(variant) for name, variant in LEARNERS.items()},
    "small players": {name: small(variant) for name, variant in PLAYERS.items()},
    "players": PLAYERS,
    "full-size learners": LEARNERS,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, CASES)


def test_the_glob_finds_the_algorithms() -> None:
    learners = {"MADDPG", "CTEDD", "DiscreteMADDPG", "MASAC", "DiMAPG", "A3CKitchenSink", "TRPOKitchenSink"}
    assert {"Uniform", *learners} <= set(FOUND)
    assert {"MADDPG-message_size-3", "CTEDD-fixed_std-0.3", "CTEDD-update_order-on-policy"} <= set(VARIANTS)
    merging = {name for name in FOUND if name.startswith("Merging")}
    taught, parts = ("DiscreteMADDPG", "MASAC"), ("actor", "critic")
    assert merging == {f"Merging-{learner}-{part}-of-two-teams" for learner in taught for part in parts}


def test_choices_are_played_where_forces_cannot_be() -> None:
    assert {type(algorithm) for algorithm in VARIANTS.values() if game_of(algorithm) is CHOICES} >= {DiscreteMADDPG}
    assert game_of(FOUND["MASAC"]) is FORCES
    assert {type(algorithm) for algorithm in VARIANTS.values() if game_of(algorithm) is GRID} == {
        MACE,
        Untrained,
        Egocentric,
    }


@every("full_size", "full-size learners")
def test_so_it_is_at_the_sizes_of_the_papers(full_size: Any) -> None:
    settings = {"first_update": 200, "distill_every": 200, "random_steps": 300, "iterations_per_round": 1}
    trial = of(with_settings(full_size, **settings))
    _, among = contents(trained(trial, [3, 14], 3), 2)
    (alone,) = contents(trained(trial, [14], 3), 1)
    assert differing(alone, among) == []


@every_small_player
def test_in_these_tests_every_network_learns_and_replay_wraps_around(trial: Trial) -> None:
    algorithm = trial.algorithm
    state = alone(trial).state
    (before,), (now,) = split(begun(trial, [2]), 1), split(state, 1)
    still = {name for name in before if torch.equal(before[name], now[name])}
    never = {".replay.horizon", ".replay.capacity"}
    if getattr(algorithm, "fixed_std", None) is not None:
        never |= {name for name in before if name.startswith(".spread")}
    if "random" not in getattr(algorithm, "distillations", ("random",)):
        never.add(".draws")
    # Every actor optimizer has moments for the agent's own messages too, which it does not hear: they stay zero.
    assert {name for name in still if ".episode" not in name and ".elapsed" not in name} == never
    assert now[".replay.rows"].shape[1] > before[".replay.rows"].shape[1]
    assert state.replay.oldest > 0


@every_variant
def test_networks_of_seeds_differ(trial: Trial) -> None:
    for network in networks_of(after(trial, 3, [0, 1])):
        assert not torch.equal(*tensors(network)[0])


@every_learner
def test_seeds_that_stand_at_different_steps_are_not_joined(trial: Trial) -> None:
    algorithm = trial.algorithm
    sets = [split(trained(trial, [seed], seed), 1)[0] for seed in (0, 1)]
    steps = rf"\[0, {steps_of_an_iteration(algorithm)}\]"
    with pytest.raises(ValueError, match=rf"seeds that train together must agree on '\.steps', got {steps}"):
        joined(begun(trial, [0, 1]), sets)


@every_learner
def test_a_state_of_another_algorithm_is_refused_with_a_sentence(trial: Trial) -> None:
    (saved,) = split(begun(trial, [0]), 1)
    part = next(name for name in (".critic", ".network", ".student") if any(key.startswith(name) for key in saved))
    with pytest.raises(ValueError, match=rf"differ in '\{part}.*': raise the version"):
        joined(begun(trial, [0]), [{name: x for name, x in saved.items() if not name.startswith(part)}])


def steps_of_an_iteration(algorithm: Any) -> int:
    if isinstance(algorithm, DiMAPG | A3CKitchenSink | TRPOKitchenSink):
        return algorithm.steps_per_iteration(game_of(algorithm))
    if isinstance(algorithm, Tuition):
        return 1
    if isinstance(algorithm, Untrained):
        return algorithm.learner.steps_per_update
    names = ("steps_per_update", "steps_per_iteration", "iterations_per_round")
    (steps,) = (getattr(algorithm, field.name) for field in dataclasses.fields(algorithm) if field.name in names)
    return int(steps)


@every_variant
def test_an_iteration_takes_the_steps_that_it_says(trial: Trial) -> None:
    algorithm = trial.algorithm
    steps = way(trial).steps
    assert steps == [iteration * steps_of_an_iteration(algorithm) for iteration in range(len(steps))]
    if plays(algorithm):
        assert after(trial, 5, [0, 1]).replay.n_steps * algorithm.n_envs == steps[5]


@every_variant
def test_the_ledger_counts_what_the_algorithm_announces(trial: Trial) -> None:
    totals = after(trial, 5, [0, 1]).ledger.totals
    counted = {metric for metric, total in totals.items() if total.any()}
    assert counted == trial.algorithm.metrics.keys()
    assert all((totals[metric][:, 1] > 0).all() for metric in counted)


@every_variant
def test_the_box_may_clip_what_policies_choose(trial: Trial) -> None:
    game = trial.env.reset(Streams.of([0, 1], "test", "cpu"), 7)
    policies = trial.algorithm.policies(after(trial, 5, [0, 1]))
    assert policies or getattr(trial.algorithm, "part", "actor") == "critic"
    for policy in policies.values() if trial.env is FORCES else ():
        assert_the_box_may_clip(trial.algorithm, game, policy(trial.env, game))


def assert_the_box_may_clip(algorithm: Any, game: Any, actions: tuple[Tensor, ...]) -> None:
    clipped = tuple(action.clamp(-1.0, 1.0) for action in actions)
    # MADDPG's means are unbounded: that they leave the box must make no difference to anybody.
    played, meant = (FORCES.step(game, chosen, Streams.of([0, 1], "test", "cpu")) for chosen in (actions, clipped))
    assert torch.equal(played[1], meant[1])
    assert torch.equal(FORCES.full_state(played[0]), FORCES.full_state(meant[0]))
    if algorithm.__class__.__name__ != "MADDPG":
        assert all(torch.equal(action, inside) for action, inside in zip(actions, clipped, strict=True))


@every_learner
@pytest.mark.parametrize("which", ["two roles", "other box", "other actions"])
def test_a_game_of_another_kind_is_answered_with_a_sentence(trial: Trial, which: str) -> None:
    algorithm = trial.algorithm
    game = game_of(algorithm)
    roles = "roles" if isinstance(algorithm, MADDPG | SoftMADDPG) else "one role"
    others: dict[str, Env[Any]] = {"two roles": SimpleTag(), "other box": SimpleSpread()}
    if game is WEIGHTS:
        others = {"two roles": SimpleTag(action="force"), "other box": FORCES}
    env = others.get(which, CHOICES if game is FORCES else FORCES)
    wanted = {
        FORCES: r"vectors of observations and vectors of actions in \[-1, 1\]",
        CHOICES: "vectors of observations and discrete actions",
        WEIGHTS: r"vectors of observations and soft weights in \[0, 1\]",
        GRID: "discrete actions in a game on a grid",
    }[game]
    with pytest.raises(ValueError, match=rf"^expected {roles} with {wanted}.*, got "):
        fresh(algorithm, [0], env)


BRIEF = (Brief(Box(2)), Brief(Discrete(5)), Brief(Box(5, 0.0, 1.0)))
"""With forces, with choices on a grid, and with soft weights."""
RETURNS = ("training return", "episode reward")


@every_algorithm
def test_a_learner_takes_an_end_for_what_it_is_or_refuses_a_game_that_may_end(algorithm: Any) -> None:
    """What is paid after the end belongs to no return: 3 steps pay 2 agents 1 each, though 25 could be taken."""
    algorithm = with_settings(algorithm, **SMALL)
    ended = "expected a game that only its horizon ends, got Brief.*, which may end by its rules"
    played = []
    for env in BRIEF:
        try:
            state = fresh(algorithm, [0, 1], env)
        except ValueError as error:
            assert re.match(f"^({ended}|expected .*, got .*)$", str(error)), str(error)
            played.append("refused" if re.match(ended, str(error)) else "other kind")
            continue
        for _ in range(4):
            algorithm.advance(env, state)
        for totals in (state.ledger.totals[metric] for metric in RETURNS if metric in state.ledger.totals):
            assert (totals[:, 0] / totals[:, 1]).tolist() == [Brief.LENGTH * env.n_agents] * 2
        played.append("played")
    assert set(played) - {"other kind"}, "one of them must be a game of its kind"


@pytest.mark.parametrize("settings", [Baseline(n_features=3), Succession(((0, 0), (1, 1)), actor=True, critic=False)])
def test_so_is_a_setting_of_a_part(settings: Any) -> None:
    assert_settings_are_checked(settings)


def test_what_is_taught_must_be_a_learner() -> None:
    with pytest.raises(ValueError, match=r"^learner of Frozen must be an object that can init, advance, policies, got"):
        Frozen(learner=MASAC)
    with pytest.raises(ValueError, match=r"^members must name a teacher and its agent for every agent, got \(\)$"):
        Merging(MASAC(), "actor", ())


def test_a_ramp_takes_at_least_a_step() -> None:
    with pytest.raises(
        ValueError, match=r"^epsilon_steps of DiscreteMADDPG must be a whole number of at least 1, got 0$"
    ):
        DiscreteMADDPG(epsilon_steps=0)
    with pytest.raises(ValueError, match=r"^temperature_steps of CTEDD must be a whole number of at least 1, got 0$"):
        CTEDD(temperature_steps=0)


def test_maddpg_records_how_much_of_its_batches_the_clip_leaves_without_gradient() -> None:
    """With all draws beyond the box nothing but the regulariser moves an actor; without it the actor stands still."""
    for regularizer, still in ((0.0, True), (1e-3, False)):
        algorithm = with_settings(MADDPG(regularizer=regularizer, logs_clipping=True), **SMALL)
        state = fresh(algorithm, [0, 1], FORCES)
        for layer in (state.actors.act[-1], state.target_actors.act[-1]):
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor([9.0, 9.0, -5.0, -5.0]))  # means, and logarithms of the deviations
        before = [tensor.clone() for tensor in tensors(state.actors)]
        for _ in range(3):
            algorithm.advance(FORCES, state)
        moved = any(not torch.equal(old, new) for old, new in zip(before, tensors(state.actors), strict=True))
        assert moved is not still
        totals = state.ledger.totals["share clipped"]
        assert (totals[:, 0] == totals[:, 1]).all() and (totals[:, 1] > 0).all()
    assert "share clipped" not in MADDPG().metrics


@pytest.mark.parametrize(
    "env", [SimpleTag(), SimpleSpread(action="discrete"), SimpleSpread()], ids=["two roles", "choices", "other box"]
)
def test_uniform_plays_any_game(env: Env[Any]) -> None:
    state = fresh(FOUND["Uniform"], [0, 1], env)
    game = env.reset(Streams.of([0, 1], "test", "cpu"), 400)
    actions = FOUND["Uniform"].policies(state)["uniform"](env, game)
    env.step(game, actions, Streams.of([0, 1], "test", "cpu"))
    for action, role in zip(actions, env.roles, strict=True):
        match role.action:
            case Discrete(n):
                assert set(action.unique().tolist()) == set(range(n))
            case Box(n, low, high):
                assert action.shape[-1] == n
                assert action.min() == pytest.approx(low, abs=0.02)
                assert action.max() == pytest.approx(high, abs=0.02)


@every_player
def test_a_replay_without_room_for_a_step_of_every_copy_is_refused(full_size: Any) -> None:
    sentence = rf"^capacity must hold a transition of each of n_envs = {full_size.n_envs}, got {full_size.n_envs - 1}$"
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(full_size, capacity=full_size.n_envs - 1)


@every_player
def test_copies_that_do_not_share_the_steps_evenly_are_refused(full_size: Any) -> None:
    with pytest.raises(ValueError, match=r"^n_envs must divide steps_per_update = 100, got 30$"):
        with_settings(full_size, n_envs=30)


def test_distillation_falls_on_the_end_of_an_iteration() -> None:
    with pytest.raises(ValueError, match=r"^distill_every must be a multiple of steps_per_update = 100, got 150$"):
        with_settings(FOUND["CTEDD"], distill_every=150)


@every_learner
def test_a_seed_that_diverged_has_no_return_and_disturbs_no_other(trial: Trial) -> None:
    broken = after(trial, 5, [0, 1, 2])
    for network in networks_of(broken):
        for tensor in tensors(network):
            tensor[1] = torch.nan
    others, undisturbed = contents(advanced(trial, broken, ITERATIONS - 5), 3), straight(trial)
    assert differing(others[0], undisturbed[0]) == []
    assert differing(others[2], undisturbed[2]) == []
    lost = {metric: totals.isnan().any(1).tolist() for metric, totals in broken.ledger.totals.items()}
    of_networks = ("training return", "divergence from the teachers", "matching error", "episode reward")
    assert [lost[metric] for metric in of_networks if metric in lost] == [[False, True, False]]
    for actions in greedy(trial, broken, [0, 1, 2]).values():
        no_action = actions.isnan() if actions.is_floating_point() else actions == -1
        assert no_action.flatten(1).all(1).tolist() == [False, True, False]
        assert no_action.flatten(1).any(1).tolist() == [False, True, False]


def test_a_teacher_that_diverged_has_a_student_that_does_and_disturbs_no_other() -> None:
    for name, full_size in LEARNERS.items():
        if name.startswith("Merging"):
            trial = small(full_size)
            state = joined(begun(trial, [0, 1, 2]), split(begun(trial, [0, 1, 2]), 3))
            for tensor in tensors(state.teachers[1].taught):
                tensor[1] = torch.nan
            others, together = contents(advanced(trial, state, ITERATIONS), 3), straight(trial)
            assert differing(others[0], together[0]) == differing(others[2], together[2]) == []
            assert all(tensor[1].isnan().any() for tensor in tensors(state.student))


def networks_of(state: Any) -> Iterator[tuple[Any, ...]]:
    """Everything in a training state that acts or judges."""
    for name, part in vars(state).items():
        if name == "students":
            yield from (student.policies for student in part)
        elif isinstance(part, tuple):
            yield part
