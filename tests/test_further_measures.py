"""What is measured beside training, by hand: targets one by one, distances from prey, stags, and how Q is climbed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Merging, teacher_of
from algorithms.frozen import Frozen
from algorithms.mace import MACE
from algorithms.random_play import RandomPlay
from benchmarks import Curve
from benchmarks._judging.samples import curve_of
from benchmarks._judging.scores import InUnits, Last, NotReachedError, Reaches
from benchmarks._options import RECORDED
from benchmarks.dvm import _targets as targets
from benchmarks.dvm import fig8
from benchmarks.dvm._explained import UNEXPLAINED, Unexplained
from benchmarks.dvm._maps import SETTINGS, Climbs, _leaning, leaning
from benchmarks.dvm._push import third
from benchmarks.mace import CUMULATIVE, STAGS, TRAINED, StagTotals, Totals, cell
from benchmarks.mace import _distances as distances
from environments import Streams
from environments.hunters import Hunt, Hunters
from environments.push_box import PushBox
from environments.spread import Spread
from results import Store

torch.set_num_threads(1)


def streams(*seeds: int) -> Streams:
    return Streams.of(list(seeds) or [0, 1], "measure", "cpu")


# ---- targets --------------------------------------------------------------------------------------------------------


@dataclass
class Seen:
    """A team that rests, and remembers how games began."""

    games: list[Any]

    def policies(self, learner: Any) -> Any:
        def rest(env: Any, game: Any) -> tuple[Tensor, ...]:
            self.games.append(game)
            return (torch.zeros((*game.position.shape[:2], 2), dtype=torch.int64),)

        return {"greedy": rest}


def test_every_target_is_tested_from_the_same_starts() -> None:
    team, env = Seen([]), PushBox(task="III")
    targets.ByTarget(4)(team, env, None, streams())
    first = team.games[0]
    assert len(team.games) == env.horizon
    places = first.position.unflatten(1, (3, 4))
    assert torch.equal(places[:, 0], places[:, 1]) and torch.equal(places[:, 0], places[:, 2])
    where = first.landmark.unflatten(1, (3, 4))[0, :, :, 0].tolist()
    for i, target in enumerate([(-0.85, 0.0), (0.85, 0.0), (-0.601, -0.601)]):
        assert where[i] == [pytest.approx(target, abs=1e-3)] * 4


def test_what_a_team_gets_is_told_by_target() -> None:
    """A box that somebody has put at (0.85, 0) is worth 0 with the second target, with the first −2 · 100 · 1.7²."""
    env = replace(PushBox(task="III"), horizon=100)

    @dataclass(frozen=True)
    class There(PushBox):
        def reset(self, streams: Streams, n_envs: int) -> Any:
            game = super().reset(streams, n_envs)
            game.position[:, :, -1] = torch.tensor([0.85, 0.0])
            game.position[:, :, :-1] = torch.tensor([-0.9, 0.9])
            return game

    there = There(task="III", horizon=env.horizon)
    found = targets.ByTarget(2)(Seen([]), there, None, streams()).metrics
    assert found[targets.RIGHT].tolist() == pytest.approx([0.0, 0.0], abs=1e-3)
    assert found[targets.LEFT].tolist() == pytest.approx([-578.0] * 2, rel=1e-4)
    assert found[targets.COVERED].tolist() == [0.5, 0.5] and found[targets.THIRD_COVERED].tolist() == [0.0, 0.0]
    far = 0.85 * math.sqrt(2 + math.sqrt(2))  # from (1, 0) to (−√½, −√½) on the unit circle
    assert found[targets.THIRD].tolist() == pytest.approx([-200 * far**2] * 2, rel=1e-4)


@pytest.mark.parametrize(("away", "share"), [(0.24, 1.0), (0.26, 0.0)])
def test_a_target_is_covered_where_its_middle_lies_under_the_box(away: float, share: float) -> None:
    @dataclass(frozen=True)
    class Near(PushBox):
        def reset(self, streams: Streams, n_envs: int) -> Any:
            game = super().reset(streams, n_envs)
            game.position[:, :, -1] = torch.tensor([-0.601, -0.601 - away])
            game.position[:, :, :-1] = torch.tensor([0.9, 0.9])
            return game

    found = targets.ByTarget(2)(Seen([]), Near(task="III", horizon=3), None, streams()).metrics
    assert found[targets.THIRD_COVERED].tolist() == [share, share] and found[targets.COVERED].tolist() == [0.0, 0.0]


def test_who_has_diverged_covers_no_share_of_targets() -> None:
    class Gone(Seen):
        def policies(self, learner: Any) -> Any:
            return {"greedy": lambda env, game: (torch.tensor([-1, 0])[:, None, None].expand(-1, 6, 2),)}

    found = targets.ByTarget(2)(Gone([]), PushBox(task="III", horizon=3), None, streams()).metrics
    assert all(values[0].isnan() and not values[1].isnan() for values in found.values())


def test_measuring_by_target_leaves_recorded_cells_where_they_are_and_trains_alike() -> None:
    for measured, plain in ((targets.LEARNING, third("DVM")), (targets.FROZEN, third("DVM", frozen=True))):
        assert measured.key != plain.key and (measured.algorithm, measured.env) == (plain.algorithm, plain.env)
        assert measured.start == plain.start


# ---- values that are matched ----------------------------------------------------------------------------------------


def test_a_student_that_has_learnt_its_teacher_s_values_leaves_nothing_unexplained() -> None:
    env, learner = Spread(2, "I", "discrete"), DiscreteMADDPG(hidden=16, n_envs=4)
    merging = Merging(learner, "critic", ((0, 0), (0, 1)))
    state = merging.init(env, streams())
    trained = learner.init(env, streams())
    for _ in range(4):
        learner.advance(env, trained)
    state.teachers = [teacher_of("critic", trained)]
    measure = Unexplained(64)
    untaught = measure(merging, env, state, streams()).metrics[UNEXPLAINED]
    assert untaught.shape == (2,) and (untaught > 0.5).all()
    x = torch.arange(64.0)

    def left(student: Tensor, *team: Tensor) -> list[float]:
        """Where the student says this, and the agents of the team that."""
        values, told = iter([student, *team]), replace(learner)
        object.__setattr__(told, "valued", lambda *_: (next(values).repeat(2, 1),))
        found: list[float] = (
            measure(replace(merging, learner=told), env, state, streams()).metrics[UNEXPLAINED].tolist()
        )
        return found

    assert left(2 * x, x, 3 * x) == [0.0, 0.0], "the mean of a team that disagrees is all that one student can say"
    expected = float(x.square().mean() / (2 * x).var())
    assert left(x, x, 3 * x) == pytest.approx([expected] * 2)


# ---- distances ------------------------------------------------------------------------------------------------------


def hunt(hunters: list[Any], prey: list[Any], captured: list[int], hits: list[int]) -> Hunt:
    fields = (hunters, prey, hits, captured, [0])
    return Hunt(*(torch.tensor(field)[None, None] for field in fields))


def test_free_hunters_and_uncaught_prey_count_on_the_torus() -> None:
    game = hunt([[0, 0], [5, 5], [9, 9]], [[9, 0], [4, 5], [0, 0]], [-1, 0, -1], [1, 1, 0])
    counted, of_pairs, nearest = distances.apart(game, 10)  # the second hunter is frozen, the third prey caught
    assert counted.item()
    assert of_pairs.item() == (1 + 9 + 1 + 9) / 4
    assert nearest.item() == (1 + 1) / 2
    nobody = hunt([[0, 0], [5, 5]], [[9, 0], [4, 5]], [0, -1], [0, 0])
    assert not distances.apart(nobody, 10)[0].item()


def test_distances_are_averaged_over_the_steps_in_which_there_are_any() -> None:
    env = Hunters(n_hunters=1, n_prey=1, grid=1, horizon=5)  # caught in the first step
    frozen = Frozen(RandomPlay())
    found = distances.Distances(3)(frozen, env, frozen.init(env, streams()), streams()).metrics
    assert found[distances.APART].tolist() == found[distances.NEAREST].tolist() == [0.0, 0.0]
    wide = Hunters(n_hunters=2, n_prey=3, grid=12, horizon=30)
    alone, both = (
        distances.Distances(5)(frozen, wide, frozen.init(wide, streams(*seeds)), streams(*seeds)).metrics
        for seeds in ((1,), (0, 1))
    )
    assert alone[distances.APART].tolist() == both[distances.APART][1:].tolist()
    assert (both[distances.NEAREST] < both[distances.APART]).all() and both[distances.APART].mean() < 7


# ---- stags ----------------------------------------------------------------------------------------------------------


def test_a_stag_counts_once_it_has_been_hit_by_as_many_as_it_takes_and_a_hare_does_not() -> None:
    algorithm = MACE(n_envs=2)
    env = Hunters("Stag-Hunters", n_hunters=5, n_prey=4, grid=4, horizon=60)
    learner = algorithm.init(env, streams())
    found = StagTotals(n_episodes=8, after=-1)(algorithm, env, learner, streams())
    assert (found.metrics[STAGS] <= 2).all() and (found.metrics[STAGS] > 1).all()  # two stags, and three hits are one
    odd = replace(env, n_hunters=3, grid=1)  # everybody is near all: two hit the first stag, one the second
    assert StagTotals(4, -1).captured(algorithm, odd, algorithm.init(odd, streams()), streams()).tolist() == [1.0, 1.0]


def test_stags_are_not_counted_before_it_is_due_and_all_else_is_as_ever() -> None:
    algorithm, env = MACE(n_envs=2), Hunters("Stag-Hunters", n_hunters=2, n_prey=2, grid=5, horizon=10)
    learner = algorithm.init(env, streams())
    early = StagTotals()(algorithm, env, learner, streams())
    assert early.metrics[STAGS].isnan().all()
    plain = Totals()(algorithm, env, learner, streams())
    for name, values in plain.metrics.items():
        assert torch.equal(values, early.metrics[name])
    assert CUMULATIVE in early.metrics


def test_a_policy_that_has_diverged_captures_no_number_of_stags() -> None:
    algorithm, env = MACE(n_envs=2), Hunters("Stag-Hunters", n_hunters=2, n_prey=2, grid=5, horizon=10)
    learner = algorithm.init(env, streams())
    with torch.no_grad():
        for part in learner.network:
            for weight in part if isinstance(part, tuple) else (part,):
                if torch.is_tensor(weight):
                    weight[0] = torch.nan
    found = StagTotals(2, -1)(algorithm, env, learner, streams()).metrics[STAGS]
    assert found[0].isnan() and not found[1].isnan()


def test_only_who_is_trained_to_a_million_samples_counts_stags() -> None:
    for game in TRAINED:
        counts = isinstance(cell("MACE", *game).measure, StagTotals)
        assert counts == (game[0] == "stag")
        assert isinstance(cell("random walk", *game).measure, Totals)
    assert isinstance(cell("MACE", "stag", 20, False).measure, Totals)


# ---- Q is climbed ---------------------------------------------------------------------------------------------------


def maps(force: Any, value: Any) -> Curve:
    arrays = {"force": np.stack([force] * 2), "value": np.stack([value] * 2)}
    return Curve(np.array([1.0]), np.array([0.0]), 25, arrays=arrays)


def test_a_force_climbs_as_much_as_it_points_up() -> None:
    y, x = np.mgrid[0:5, 0:5].astype(float)
    up = np.stack([np.ones_like(x), 2 * np.ones_like(x)], axis=-1)
    for force, expected in ((up, 1.0), (-up, -1.0), (up[..., ::-1] * [1, -1], 0.0), (0 * up, 0.0)):
        assert Climbs("II")(maps(force, x + 2 * y)) == pytest.approx(expected)
    with pytest.raises(NotReachedError):
        Climbs("I")(Curve(np.array([1.0]), np.array([0.0]), 25))
    assert math.isnan(Climbs("I")(maps(up, np.full_like(x, math.nan))))


def test_gradients_of_recorded_maps_are_those_that_were_measured() -> None:
    run = Store(RECORDED).load(fig8.AFTER, 0)
    assert run is not None
    for row, setting in enumerate(SETTINGS):
        value = torch.from_numpy(run.arrays["value"][row].astype(np.float64))
        slope = torch.stack(torch.gradient(value, dim=(1, 0)), dim=-1)[None]
        side = torch.linspace(-1, 1, len(value), dtype=torch.float64)
        place = torch.stack(torch.meshgrid(side, side, indexing="xy"), dim=-1)[None]
        expected = run.metrics[leaning("slope", setting.phase)][-1]
        assert _leaning(slope, place, setting.goal).item() == pytest.approx(expected, abs=1e-4)
    score = fig8.FIGURE.claims[-1].rows[2].left
    assert 0 < score.statistic(curve_of(score.metric, run, 25)) < 1


# ---- statistics -----------------------------------------------------------------------------------------------------


def test_a_level_is_reached_in_the_mean_of_a_stretch_and_never_by_who_diverged() -> None:
    steps, ones = np.array([100.0, 200.0, 300.0]), np.ones(3)
    assert Reaches(1.0, 100, 300)(Curve(steps, ones, 25)) == 1
    assert Reaches(1.01, 100, 300)(Curve(steps, ones, 25)) == 0
    assert Reaches(0.5, 100, 300)(Curve(steps, np.array([1, 1, math.nan]), 25)) == 0
    assert Reaches(0.5, 0, 200)(Curve(steps, np.array([1, 0, math.nan]), 25)) == 1


def test_a_number_in_other_units_is_divided() -> None:
    assert InUnits(Last(), 4.0, "…")(Curve(np.array([1.0]), np.array([6.0]), 25)) == 1.5
