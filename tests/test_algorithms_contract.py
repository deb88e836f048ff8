"""What every algorithm keeps to, whatever it learns."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import itertools
import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from _grids import Brief, Chase
from _settings import assert_settings_are_checked
from torch import Tensor

import algorithms
from algorithms._networks import tensors
from algorithms._replay import Replay
from algorithms._rollouts import Baseline
from algorithms._tree import joined, leaves, split
from algorithms.ctedd import CTEDD
from algorithms.dimapg import DiMAPG
from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Enrolment, Merging, Succession
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.mace import MACE
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.tuition import Handover, Tuition
from algorithms.untrained import Untrained
from benchmarks._training.circumstances import one_thread
from environments import Box, Discrete, Env, Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_spread import SimpleSpread
from environments.simple_tag import SimpleTag
from environments.spread import Spread

one_thread()  # as every process that trains

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
ITERATIONS = 11
STOPS = (1, 3, 5)  # iterations after which what stands there is kept
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
                and {"version", "advance"} <= set(vars(kind))
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
    """The algorithm, and what it becomes with each of the switches that it has."""
    yield name, algorithm
    for switch, setting in SWITCHES:
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
every_algorithm = pytest.mark.parametrize("full_size", FOUND.values(), ids=FOUND.keys())
every_variant = pytest.mark.parametrize("full_size", VARIANTS.values(), ids=VARIANTS.keys())
every_player = pytest.mark.parametrize("full_size", PLAYERS.values(), ids=PLAYERS.keys())
every_learner = pytest.mark.parametrize("full_size", LEARNERS.values(), ids=LEARNERS.keys())


@cache
def game_of(algorithm: Any) -> Env[Any]:
    """The first of the games that the algorithm can play."""
    for env in GAMES[:-1]:
        with contextlib.suppress(ValueError):
            fresh(algorithm, [0], env)
            return env
    return GAMES[-1]


def fresh(algorithm: Any, seeds: list[int], env: Env[Any]) -> Any:
    return algorithm.init(env, Streams.of(seeds, "training", "cpu"))


def begun(algorithm: Any, seeds: list[int]) -> Any:
    """The beginning; of merging and tuition, with teachers that have learnt something."""
    env = game_of(algorithm)
    state = fresh(algorithm, seeds, env)
    if isinstance(algorithm, Merging):
        teams = [tuple(seed + 20 * team for seed in seeds) for team in range(len(state.teachers))]
        Enrolment()(algorithm, env, state, [(env, team(algorithm.learner, taught)) for taught in teams])
    if isinstance(algorithm, Tuition):
        Handover()(algorithm, env, state, [(env, team(algorithm.learner, tuple(seeds)))])
    return state


@cache
def team(learner: Any, seeds: tuple[int, ...]) -> Any:
    return trained(learner, list(seeds), 4)


def advanced(algorithm: Any, state: Any, n_iterations: int) -> Any:
    for _ in range(n_iterations):
        algorithm.advance(game_of(algorithm), state)
    return state


def trained(algorithm: Any, seeds: list[int], n_iterations: int = ITERATIONS) -> Any:
    return advanced(algorithm, begun(algorithm, seeds), n_iterations)


def contents(state: Any, n_seeds: int) -> list[dict[str, Tensor]]:
    """Copies of all that is kept of each seed; of replay what it holds, not the memory that nothing was written to."""
    held = split(state, n_seeds)
    for replay in (part for part in vars(state).values() if isinstance(part, Replay) and part.n_steps):
        transitions = leaves(replay.between(replay.oldest, replay.n_steps))
        for row, seed in enumerate(held):
            seed[".replay.rows"] = torch.cat([x[row].flatten() for x in transitions.values() if isinstance(x, Tensor)])
    return [{name: tensor.clone() for name, tensor in seed.items()} for seed in held]


@cache
def way(algorithm: Any) -> dict[int, list[dict[str, Tensor]]]:
    """All that is kept of seeds 0, 1 and 2, by the iteration: on their way, and at the end of an unbroken training."""
    state, found = begun(algorithm, [0, 1, 2]), {}
    for iteration in range(1, ITERATIONS):
        advanced(algorithm, state, 1)
        if iteration in STOPS:
            found[iteration] = [{name: tensor.clone() for name, tensor in seed.items()} for seed in split(state, 3)]
    found[ITERATIONS] = contents(advanced(algorithm, state, 1), 3)
    return found


def straight(algorithm: Any) -> list[dict[str, Tensor]]:
    """All that is kept of seeds 0, 1 and 2 after training without a break."""
    return way(algorithm)[ITERATIONS]


def after(algorithm: Any, n_iterations: int, seeds: list[int]) -> Any:
    """Some of these seeds after so many iterations, in a state of their own."""
    return continued(algorithm, [way(algorithm)[n_iterations][seed] for seed in seeds], 0)


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    """The names of what is not the same to the last bit."""
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def continued(algorithm: Any, saved: list[dict[str, Tensor]], n_iterations: int) -> Any:
    """Training goes on from what was saved; its streams, and its teachers, are not those of the fresh state."""
    kept = [{name: tensor.clone() for name, tensor in seed.items()} for seed in saved]
    template = fresh(algorithm, list(range(100, 100 + len(kept))), game_of(algorithm))
    return advanced(algorithm, joined(template, kept), n_iterations)


def greedy(algorithm: Any, state: Any, seeds: list[int]) -> dict[str, Tensor]:
    env = game_of(algorithm)
    game = env.reset(Streams.of(seeds, "test", "cpu"), 7)
    return {name: policy(env, game)[0] for name, policy in algorithm.policies(state).items()}


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
    assert {type(algorithm) for algorithm in VARIANTS.values() if game_of(algorithm) is GRID} == {MACE, Untrained}


@every_algorithm
def test_an_algorithm_is_a_frozen_dataclass_with_a_version(full_size: Any) -> None:
    assert type(full_size).__dataclass_params__.frozen
    assert hash(full_size) == hash(dataclasses.replace(full_size))
    assert isinstance(full_size.version, int)


@every_variant
def test_a_seed_alone_is_bit_for_bit_what_it_is_among_others(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    for seed in (0, 2):  # and seed 1 below, from the middle of training on
        (alone,) = contents(trained(algorithm, [seed]), 1)
        assert differing(alone, straight(algorithm)[seed]) == []


@every_learner
def test_so_it_is_at_the_sizes_of_the_papers(full_size: Any) -> None:
    settings = {"first_update": 200, "distill_every": 200, "random_steps": 300, "iterations_per_round": 1}
    algorithm = with_settings(full_size, **settings)
    _, among = contents(trained(algorithm, [3, 14], 3), 2)
    (alone,) = contents(trained(algorithm, [14], 3), 1)
    assert differing(alone, among) == []


@every_variant
def test_a_policy_of_a_seed_alone_plays_what_it_plays_among_others(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    together = greedy(algorithm, after(algorithm, 3, [0, 1, 2]), [3, 14, 15])
    for row, seed in enumerate([3, 14, 15]):
        for name, alone in greedy(algorithm, after(algorithm, 3, [row]), [seed]).items():
            assert torch.equal(alone[0], together[name][row])


@every_player
def test_in_these_tests_every_network_learns_and_replay_wraps_around(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    state = trained(algorithm, [0])
    (before,), (now,) = split(begun(algorithm, [0]), 1), split(state, 1)
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
def test_seeds_differ(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    state = after(algorithm, 3, [0, 1])
    for actions in greedy(algorithm, state, [5, 5]).values():
        assert not torch.equal(actions[0], actions[1])
    for network in networks_of(state):
        assert not torch.equal(*tensors(network)[0])


@every_variant
def test_the_global_generators_are_left_alone(full_size: Any) -> None:
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    algorithm = with_settings(full_size, **SMALL)
    greedy(algorithm, trained(algorithm, [0], 3), [0])
    now = torch.get_rng_state(), np.random.get_state(), random.getstate()
    assert torch.equal(before[0], now[0])
    np.testing.assert_equal(before[1], now[1])
    assert before[2] == now[2]


@every_variant
def test_what_was_stopped_at_once_goes_on_bit_for_bit(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    saved = split(trained(algorithm, [0, 1], 1), 2)
    resumed = contents(continued(algorithm, saved, ITERATIONS - 1), 2)
    for one, other in zip(resumed, straight(algorithm)[:2], strict=True):
        assert differing(one, other) == []


@every_variant
def test_what_was_stopped_in_the_middle_goes_on_bit_for_bit_however_seeds_are_grouped(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    first, second, third = way(algorithm)[5]
    (alone,) = contents(continued(algorithm, [second], ITERATIONS - 5), 1)
    regrouped = contents(continued(algorithm, [third, first], ITERATIONS - 5), 2)
    unbroken = straight(algorithm)
    assert differing(alone, unbroken[1]) == []
    assert differing(regrouped[0], unbroken[2]) == []
    assert differing(regrouped[1], unbroken[0]) == []


@every_learner
def test_seeds_that_stand_at_different_steps_are_not_joined(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    sets = [split(trained(algorithm, [seed], seed), 1)[0] for seed in (0, 1)]
    steps = rf"\[0, {steps_of_an_iteration(algorithm)}\]"
    with pytest.raises(ValueError, match=rf"seeds that train together must agree on '\.steps', got {steps}"):
        joined(begun(algorithm, [0, 1]), sets)


@every_learner
def test_a_state_of_another_algorithm_is_refused_with_a_sentence(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    (saved,) = split(begun(algorithm, [0]), 1)
    part = next(name for name in (".critic", ".network", ".student") if any(key.startswith(name) for key in saved))
    with pytest.raises(ValueError, match=rf"differ in '\{part}.*': raise the version"):
        joined(begun(algorithm, [0]), [{name: x for name, x in saved.items() if not name.startswith(part)}])


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
def test_an_iteration_takes_the_steps_that_it_says(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    state = begun(algorithm, [0, 1])
    assert state.steps == 0
    for iteration in range(1, 4):
        algorithm.advance(game_of(algorithm), state)
        assert state.steps == iteration * steps_of_an_iteration(algorithm)
    if plays(algorithm):
        assert state.replay.n_steps * algorithm.n_envs == state.steps


@every_variant
def test_the_ledger_counts_what_the_algorithm_announces(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    state = after(algorithm, 5, [0, 1])
    counted = {metric for metric, totals in state.ledger.totals.items() if totals.any()}
    assert counted == algorithm.metrics.keys()
    assert all(algorithm.metrics.values())
    for metric in counted:
        totals = state.ledger.totals[metric]
        assert totals.shape == (2, 2)
        assert totals.isfinite().all()
        assert (totals[:, 1] > 0).all()


@every_variant
def test_policies_choose_one_action_a_role_that_can_be_played(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    env = game_of(algorithm)
    game = env.reset(Streams.of([0, 1], "test", "cpu"), 7)
    policies = algorithm.policies(after(algorithm, 5, [0, 1]))
    assert policies or getattr(algorithm, "part", "actor") == "critic"
    for policy in policies.values():
        actions = policy(env, game)
        for action, role in zip(actions, env.roles, strict=True):
            match role.action:
                case Discrete(n):
                    assert action.shape == (2, 7, role.n_agents)
                    assert set(action.unique().tolist()) <= set(range(n))
                case Box(n):
                    assert action.shape == (2, 7, role.n_agents, n)
        if env is FORCES:
            assert_the_box_may_clip(algorithm, game, actions)


def assert_the_box_may_clip(algorithm: Any, game: Any, actions: tuple[Tensor, ...]) -> None:
    clipped = tuple(action.clamp(-1.0, 1.0) for action in actions)
    # MADDPG's means are unbounded: that they leave the box must make no difference to anybody.
    played, meant = (FORCES.step(game, chosen, Streams.of([0, 1], "test", "cpu")) for chosen in (actions, clipped))
    assert torch.equal(played[1], meant[1])
    assert torch.equal(FORCES.full_state(played[0]), FORCES.full_state(meant[0]))
    if algorithm.__class__.__name__ != "MADDPG":
        assert all(torch.equal(action, inside) for action, inside in zip(actions, clipped, strict=True))


@every_learner
def test_asking_a_policy_changes_nothing_in_training(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    state = after(algorithm, 5, [0, 1])
    before = contents(state, 2)
    once, again = greedy(algorithm, state, [0, 1]), greedy(algorithm, state, [0, 1])
    assert all(torch.equal(once[name], again[name]) for name in once)
    for one, other in zip(before, contents(state, 2), strict=True):
        assert differing(one, other) == []


@every_learner
@pytest.mark.parametrize("which", ["two roles", "other box", "other actions"])
def test_a_game_of_another_kind_is_answered_with_a_sentence(full_size: Any, which: str) -> None:
    algorithm = with_settings(full_size, **SMALL)
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
def test_a_learner_takes_an_end_for_what_it_is_or_refuses_a_game_that_may_end(full_size: Any) -> None:
    """What is paid after the end belongs to no return: 3 steps pay 2 agents 1 each, though 25 could be taken."""
    algorithm = with_settings(full_size, **SMALL)
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


@every_algorithm
def test_a_setting_that_is_none_is_answered_with_a_sentence(full_size: Any) -> None:
    assert_settings_are_checked(full_size)


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
def test_a_seed_that_diverged_has_no_return_and_disturbs_no_other(full_size: Any) -> None:
    algorithm = with_settings(full_size, **SMALL)
    broken = after(algorithm, 3, [0, 1, 2])
    for network in networks_of(broken):
        for tensor in tensors(network):
            tensor[1] = torch.nan
    others, undisturbed = contents(advanced(algorithm, broken, ITERATIONS - 3), 3), straight(algorithm)
    assert differing(others[0], undisturbed[0]) == []
    assert differing(others[2], undisturbed[2]) == []
    lost = {metric: totals.isnan().any(1).tolist() for metric, totals in broken.ledger.totals.items()}
    of_networks = ("training return", "divergence from the teachers", "matching error", "episode reward")
    assert [lost[metric] for metric in of_networks if metric in lost] == [[False, True, False]]
    for actions in greedy(algorithm, broken, [0, 1, 2]).values():
        no_action = actions.isnan() if actions.is_floating_point() else actions == -1
        assert no_action.flatten(1).all(1).tolist() == [False, True, False]
        assert no_action.flatten(1).any(1).tolist() == [False, True, False]


def test_a_teacher_that_diverged_has_a_student_that_does_and_disturbs_no_other() -> None:
    for name, full_size in LEARNERS.items():
        if name.startswith("Merging"):
            algorithm = with_settings(full_size, **SMALL)
            state = joined(begun(algorithm, [0, 1, 2]), split(begun(algorithm, [0, 1, 2]), 3))
            for tensor in tensors(state.teachers[1].taught):
                tensor[1] = torch.nan
            others, together = contents(advanced(algorithm, state, ITERATIONS), 3), straight(algorithm)
            assert differing(others[0], together[0]) == differing(others[2], together[2]) == []
            assert all(tensor[1].isnan().any() for tensor in tensors(state.student))


def networks_of(state: Any) -> Iterator[tuple[Any, ...]]:
    """Everything in a training state that acts or judges."""
    for name, part in vars(state).items():
        if name == "students":
            yield from (student.policies for student in part)
        elif isinstance(part, tuple):
            yield part
