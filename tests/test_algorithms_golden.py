"""A short training of every algorithm, as it went when its version was set.

Where a trace is missing, because an algorithm is new or its version was raised,

    PYTHONPATH=. python tests/test_algorithms_golden.py

trains and writes it down; it never writes over the trace of a version that has one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from _grids import Chase

from algorithms.ctedd import CTEDD
from algorithms.dimapg import DiMAPG
from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Enrolment, Merging
from algorithms.egocentric import Egocentric
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.mace import MACE
from algorithms.maddpg import MADDPG
from algorithms.masac import MASAC
from algorithms.random_play import RandomPlay
from algorithms.soft_maddpg import SoftMADDPG
from algorithms.tuition import Handover, Tuition
from algorithms.uniform import Uniform
from algorithms.untrained import Untrained
from environments import Streams
from environments.cooperative_navigation import CooperativeNavigation
from environments.simple_tag import SimpleTag
from environments.spread import Spread

torch.set_num_threads(1)

FILE = Path(__file__).parent / "golden" / "algorithms.json"
FOLDER = Path(__file__).parent.parent / "algorithms"
N_ITERATIONS = 30
IN_TWO_ROUNDS = (Merging, Tuition, DiMAPG, A3CKitchenSink, TRPOKitchenSink)
TEAM = ((0, 0), (0, 1))
ON_A_GRID: dict[str, Any] = {"hidden": 16, "n_envs": 4, "steps_per_update": 20, "widths": (16, 16)}
SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 64, "first_update": 2_500, "n_envs": 25}
ALGORITHMS: dict[str, Any] = {
    "MADDPG-0": MADDPG(**SMALL),
    "MADDPG-3": MADDPG(message_size=3, **SMALL),
    "MADDPG-3-sender": MADDPG(message_size=3, message_updates="sender", **SMALL),
    "MADDPG-two-roles": MADDPG(shared_reward=True, **SMALL),
    "SoftMADDPG": SoftMADDPG(**SMALL),
    "CTEDD": CTEDD(distill_every=1_000, **SMALL),
    "CTEDD-std-0.3": CTEDD(fixed_std=0.3, message_sizes=(0,), distill_every=1_000, **SMALL),
    "CTEDD-students": CTEDD(
        distillations=("continued", "random"), message_sizes=(1,), distill_every=1_000, distill_repeats=1, **SMALL
    ),
    "CTEDD-on-policy": CTEDD(update_order="on-policy", message_sizes=(0,), distill_every=1_000, **SMALL),
    "Tuition": Tuition(CTEDD(**SMALL)),
    "DiscreteMADDPG": DiscreteMADDPG(**SMALL),
    "MASAC": MASAC(random_steps=1_000, **SMALL),
    "Merging-actor": Merging(MASAC(**SMALL), "actor", TEAM),
    "Merging-critic": Merging(DiscreteMADDPG(**SMALL), "critic", TEAM),
    "Frozen": Frozen(MASAC(**SMALL)),
    "DiscreteMADDPG-permuted": DiscreteMADDPG(permuted_critic=True, **SMALL),
    "Uniform": Uniform(),
    "RandomPlay": RandomPlay(n_envs=4, steps_per_iteration=20),
    "MACE": MACE(**ON_A_GRID),
    "MACE-Shared": MACE(policy="Shared", **ON_A_GRID),
    "MACE-Cloned": MACE(policy="Cloned", **ON_A_GRID),
    "MACE-search": MACE(search=True, **ON_A_GRID),
    "MACE-kept": MACE(latent_lasts="episode", **ON_A_GRID),
    "MACE-reading": MACE(head_scale=0.01, normalised=True, sees_time=True, **ON_A_GRID),
    "Egocentric": Egocentric(**ON_A_GRID),
    "Untrained": Untrained(MACE(**ON_A_GRID)),
    "A3CKitchenSink": A3CKitchenSink(hidden=16, n_envs=4),
    "A3CKitchenSink-apart": A3CKitchenSink(hidden=16, n_envs=4, compared=False, reward_scale=0.01),
    "TRPOKitchenSink": TRPOKitchenSink(hidden=16, n_trajectories=20),
    "DiMAPG-TRPO": DiMAPG(hidden=8, n_trajectories=25),
    "DiMAPG-REINFORCE": DiMAPG("REINFORCE", hidden=16, n_trajectories=6),
}
TAG = SimpleTag(action="force")


def game_of(algorithm: Any) -> Any:
    """What it plays."""
    learner = getattr(algorithm, "learner", algorithm)
    if learner == ALGORITHMS["MADDPG-two-roles"]:
        return TAG
    if isinstance(learner, MACE | RandomPlay):
        return Chase()
    if isinstance(learner, SoftMADDPG):
        return SimpleTag()
    if isinstance(learner, DiscreteMADDPG):
        return Spread()
    return Spread(action="force") if isinstance(learner, MASAC) else CooperativeNavigation()


def trace(algorithm: Any) -> dict[str, Any]:
    """What was counted in 30 iterations, five of them with an update, and what every policy then does in one state.

    Merging and tuition have two rounds, with a teacher that has only played; what learns in every iteration has two,
    and DiMA-PG with TRPO one: whether its longest step is just short enough hangs on how a processor rounds.
    """
    env = game_of(algorithm)
    state = algorithm.init(env, Streams.of([2026], "golden", "cpu"))
    if isinstance(algorithm, Merging | Tuition):
        teacher = algorithm.learner.init(env, Streams.of([2026], "teacher", "cpu"))
        for _ in range(2):
            algorithm.learner.advance(env, teacher)
        begin: Any = Enrolment() if isinstance(algorithm, Merging) else Handover()
        begin(algorithm, env, state, [(env, teacher)])
    n_rounds = 1 if algorithm == ALGORITHMS["DiMAPG-TRPO"] else 2
    for _ in range(n_rounds if isinstance(algorithm, IN_TWO_ROUNDS) else N_ITERATIONS):
        algorithm.advance(env, state)
    game = env.reset(Streams.of([2026], "test", "cpu"), 1)
    actions = {
        name: torch.cat([of_role.flatten() for of_role in policy(env, game)])
        for name, policy in algorithm.policies(state).items()
    }
    return {
        "version": algorithm.version,
        "ledger": {metric: _numbers(totals) for metric, totals in state.ledger.totals.items()},
        "actions": {name: _numbers(action) for name, action in actions.items()},
    }


def _numbers(tensor: torch.Tensor) -> list[float]:
    return [float(f"{number:.7g}") for number in tensor.flatten().tolist()]


def test_every_algorithm_has_a_golden_trace() -> None:
    traced = {type(algorithm).__module__.removeprefix("algorithms.") for algorithm in ALGORITHMS.values()}
    assert traced == {path.stem for path in FOLDER.glob("[!_]*.py")}
    assert set(json.loads(FILE.read_text())) == set(ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_training_goes_as_it_went(name: str) -> None:
    golden, now = json.loads(FILE.read_text())[name], trace(ALGORITHMS[name])
    assert golden["version"] == now["version"], (
        f"the golden trace of {name} is of version {golden['version']}, the algorithm of {now['version']}: "
        f"run PYTHONPATH=. python tests/{Path(__file__).name}"
    )
    # The last bits differ between machines, and few updates do not let them grow beyond this.
    assert _close(now, golden), f"{name}: behaviour moved: raise the version or undo"


def _close(now: Any, golden: Any) -> bool:
    if isinstance(golden, dict):
        return now.keys() == golden.keys() and all(_close(now[key], golden[key]) for key in golden)
    if isinstance(golden, list):
        return len(now) == len(golden) and all(map(_close, now, golden))
    return bool(now == pytest.approx(golden, rel=1e-3, abs=1e-3))


def record() -> None:
    """Write the traces that are missing."""
    traces = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name, algorithm in ALGORITHMS.items():
        if name not in traces or traces[name]["version"] != algorithm.version:
            traces[name] = trace(algorithm)
    FILE.write_text(json.dumps(traces, indent=1) + "\n")


if __name__ == "__main__":
    record()
