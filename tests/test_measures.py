"""What benchmarks measure on learners, by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from _grids import Chase

from algorithms.frozen import Frozen
from algorithms.mace import MACE
from algorithms.masac import MASAC
from benchmarks.dvm._maps import LOWER_LEFT, SETTINGS, UPPER_RIGHT, PolicyMap, _leaning, leaning
from benchmarks.mace import CUMULATIVE, LENGTHS, MEDIAN, TENTH, Totals, quantile
from environments import Streams
from environments.spread import Spread

torch.set_num_threads(1)


def streams(purpose: str = "training") -> Streams:
    return Streams.of([0, 1], purpose, "cpu")


@pytest.mark.parametrize(("share", "expected"), [(0.1, 0.05), (0.5, 0.05), (0.51, 0.1), (1.0, 0.1)])
def test_a_quantile_is_the_end_of_the_bin_in_which_it_lies(share: float, expected: float) -> None:
    counts = torch.zeros(3, 100, dtype=torch.int64)
    counts[1, 4], counts[1, 9] = 3, 3
    counts[2, 99] = 1
    torch.testing.assert_close(quantile(counts, share), torch.tensor([1.0, expected, 1.0]))


def test_totals_are_what_the_episodes_have_counted() -> None:
    env, algorithm = Chase(), MACE(hidden=16, n_envs=4, steps_per_update=40, widths=(16, 16))
    state = algorithm.init(env, streams())
    for _ in range(3):
        algorithm.advance(env, state)
    found = Totals()(algorithm, env, state, streams("measure"))
    assert found.arrays[LENGTHS].sum() > 0
    torch.testing.assert_close(found.metrics[CUMULATIVE], state.episodes.finished_reward.float())
    assert (found.metrics[TENTH] <= found.metrics[MEDIAN]).all() and (found.metrics[MEDIAN] <= env.horizon).all()


def field_to(place: torch.Tensor, goal: tuple[float, float]) -> torch.Tensor:
    return place.new_tensor(goal) - place


@pytest.mark.parametrize(("goal", "away"), [(UPPER_RIGHT, LOWER_LEFT), (LOWER_LEFT, UPPER_RIGHT)])
def test_a_field_leans_to_where_it_points(goal: Any, away: Any) -> None:
    line = torch.linspace(-0.5, 0.5, 5)
    place = torch.stack([line, line], dim=-1).view(1, 1, 5, 2)  # on the diagonal the two ways are opposite
    torch.testing.assert_close(_leaning(field_to(place, goal), place, goal), torch.tensor([1.0]))
    torch.testing.assert_close(_leaning(field_to(place, away), place, goal), torch.tensor([-1.0]))
    assert _leaning(torch.zeros_like(place), place, goal) == 0


def test_a_map_shows_what_the_policy_does_at_every_place() -> None:
    env, algorithm = Spread(2, "II", "force"), Frozen(MASAC(hidden=16, n_envs=4))
    state = algorithm.init(env, streams())
    measure = PolicyMap(n=5)
    found = measure(algorithm, env, state, streams("measure"))
    assert found.arrays["force"].shape == (2, 2, 5, 5, 2) and found.arrays["value"].shape == (2, 2, 5, 5)
    assert set(found.metrics) == {leaning(of, setting.phase) for of in ("force", "slope") for setting in SETTINGS}
    game = measure._game(SETTINGS[1], streams())
    where = 5 * 3 + 1  # the fourth row from below, the second column
    assert game.position[0, where, 0].tolist() == [-0.5, 0.5]
    (actions,) = algorithm.policies(state)["greedy"](env, game)
    assert torch.equal(actions[:, where, 0], found.arrays["force"][:, 1, 3, 1])
    assert not torch.equal(found.arrays["force"][0], found.arrays["force"][1])
