"""What benchmarks measure on learners, by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy
import torch
from _grids import Chase

from algorithms._networks import tensors
from algorithms._tree import split
from algorithms.dimapg import DiMAPG
from algorithms.frozen import Frozen
from algorithms.kitchen_sink import A3CKitchenSink, TRPOKitchenSink
from algorithms.mace import MACE
from algorithms.masac import MASAC
from benchmarks.dimapg._measures import ADAPTED, LEAST, LIKELIEST, Adapted, Cloned, Least, least_return
from benchmarks.dimapg._pursuit import APART, CrossPlay, Meeting, crossed, pair, predators, prey
from benchmarks.dimapg._survival import AGENTS, FOOD, PIECES, REWARD, SHARE, SURVIVORS, Outcomes
from benchmarks.dimapg._survival import LEARNER as SURVIVOR
from benchmarks.dvm._maps import LOWER_LEFT, SETTINGS, UPPER_RIGHT, PolicyMap, _leaning, leaning
from benchmarks.mace import CUMULATIVE, LENGTHS, MEDIAN, TENTH, Totals, quantile, search
from benchmarks.mace import _assignments as assignments
from benchmarks.mace import _latents as latents
from benchmarks.mace._latents import Latents
from benchmarks.mace._strategies import Strategies
from environments import Streams
from environments.goal_navigation import GoalNavigation
from environments.hunters import Hunters
from environments.simple_tag import SimpleTag
from environments.spread import Spread
from environments.survival import Survival
from results import Run

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


# ---- λ and where hunters go -----------------------------------------------------------------------------------------

PAIR = Hunters(n_hunters=2, n_prey=2, grid=10, horizon=12)
LEARNER = MACE(hidden=16, n_envs=4, steps_per_update=40, widths=(16, 16), learning_rate=1e-2)
MEASURE = Strategies(Latents(n_episodes=20, n_orders=5), n_orders=5, n_assigned=30)


def noise(*shape: int) -> torch.Tensor:
    return Streams.of([3, 4], "noise", "cpu").normal(*shape)


def test_correlations_and_their_p_are_those_of_scipy() -> None:
    one, other = noise(30, 4), noise(30, 6)[..., :3]
    one[0, :, 1] += 0.5 * other[0, :, 2]
    r = latents.correlation(one, other)
    p = latents.p_of(r, 30)
    for seed, i, j in np.ndindex(2, 4, 3):
        expected = scipy.stats.pearsonr(one[seed, :, i].double(), other[seed, :, j].double())
        assert r[seed, i, j].item() == pytest.approx(expected.statistic, abs=1e-12)
        assert p[seed, i, j].item() == pytest.approx(expected.pvalue, rel=1e-9)


def test_what_does_not_vary_correlates_with_nothing_and_what_is_equal_with_certainty() -> None:
    one, other = noise(30, 4), torch.full((2, 30, 2), 0.1)
    assert (latents.correlation(one, other) == 0).all() and (latents.p_of(torch.zeros(2), 30) == 1).all()
    assert (latents.p_of(latents.correlation(one, one), 30).diagonal(dim1=1, dim2=2) < 1e-12).all()


def test_other_orders_correlate_as_often_as_the_level_says() -> None:
    one, other = noise(100, 16), noise(100, 4)
    orders = Streams.of([3, 4], "orders", "cpu").uniform(100, 100).argsort(dim=-1)
    one += other.repeat(1, 1, 4)
    beyond = latents._beyond(latents._standardised(one), latents._standardised(other), orders)
    assert beyond.double().mean().item() == pytest.approx(latents.ALPHA, abs=0.01)
    in_order = torch.arange(100).expand(2, 1, 100)
    same = latents._beyond(latents._standardised(one), latents._standardised(other), in_order)[:, 0]
    assert torch.equal(same, latents.p_of(latents.correlation(one, other), 100) < latents.ALPHA)


def test_overlap_is_jaccard_s_index_and_chance_s_that_of_random_sets() -> None:
    sets = torch.zeros(3, 16, 2, dtype=torch.bool)
    sets[0, :4, 0], sets[0, 2:6, 1] = True, True  # two of six
    sets[1, :4, 0], sets[1, 4:, 1] = True, True  # disjoint
    found = latents.overlaps(sets)
    torch.testing.assert_close(found[latents.OVERLAP], torch.tensor([1 / 3, 0.0, 0.0], dtype=torch.float64))
    one, other = (noise(10_000, 16)[0].argsort(dim=-1).argsort(dim=-1) < 4 for _ in range(2))
    other = other[torch.arange(10_000).roll(1)]
    drawn = ((one & other).sum(1) / (one | other).sum(1)).mean().item()
    assert found[latents.OVERLAP_BY_CHANCE][0].item() == pytest.approx(drawn, abs=0.01)
    assert found[latents.OVERLAP_BY_CHANCE][2].item() == 0


def test_labels_that_can_be_told_are_and_those_of_noise_are_not() -> None:
    x, labels = noise(100, 16), torch.where(noise(100) > 0.5, 1, -1)
    labels[:, ::5] = 0
    apart = x.clone()
    apart[..., 3] += 10 * labels
    assert (latents.told(apart, labels, 10) == 1).all()
    assert (latents.told(-apart, labels, 10) == 1).all()
    keys = Streams.of([3, 4], "keys", "cpu").uniform(200, 100)
    permuted = latents.shuffled(labels, keys)
    assert torch.equal(permuted.sort(dim=-1).values, labels.unsqueeze(1).expand(-1, 200, -1).sort(dim=-1).values)
    assert torch.equal(permuted == 0, (labels == 0).unsqueeze(1).expand(-1, 200, -1))
    by_chance = latents.told(apart.unsqueeze(1).expand(-1, 200, -1, -1), permuted, 10)
    assert by_chance.std() > 0.02 and by_chance.mean().item() == pytest.approx(0.5, abs=0.02)


def test_nothing_is_told_where_only_one_label_appears() -> None:
    labels = torch.ones(2, 100, dtype=torch.int64)
    assert (latents.told(noise(100, 16), labels, 10) == 0.5).all()
    assert (latents.told(noise(100, 16), torch.zeros_like(labels), 10) == 0.5).all()


def learnt(*seeds: int) -> Any:
    state = LEARNER.init(PAIR, Streams.of(seeds, "training", "cpu"))
    for _ in range(5):
        LEARNER.advance(PAIR, state)
    return state


def test_episodes_are_measured_until_their_end_and_paths_are_not_wrapped() -> None:
    state = learnt(0, 1)
    game = PAIR.reset(streams("measure"), 50)
    found = latents.played(LEARNER, PAIR, state.network, game, streams("measure"))
    paths = found.paths.long()
    assert paths.shape == (2, 50, PAIR.horizon + 1, 2, 2) and torch.equal(paths[:, :, 0], game.hunters)
    assert torch.equal(paths[:, :, -1] % PAIR.grid, found.end.hunters)
    assert (paths.diff(dim=2).abs().sum(dim=-1) <= 1).all() and (paths < 0).any()
    length = found.end.t[..., 0]
    assert 0 < found.caught.sum() < 100 and length.min() < PAIR.horizon
    expected = (paths[:, :, -1] - paths[:, :, 0]) / length[..., None, None]
    torch.testing.assert_close(found.displacement, expected)
    longer = latents.played(LEARNER, replace(PAIR, horizon=20), state.network, game, streams("measure"))
    over = length < PAIR.horizon
    for name in ("latent", "unfelt", "displacement"):
        assert torch.equal(getattr(found, name)[over], getattr(longer, name)[over]), name
        assert not torch.equal(getattr(found, name)[~over], getattr(longer, name)[~over]), name
    assert torch.equal(found.first.hunters[:, 0], game.hunters[:, 0])
    assert torch.equal(found.first.hunters[:, 2], found.end.hunters[:, 0])
    for seed in range(2):
        assert torch.equal(found.first.hunters[seed, 1], paths[seed, 0, length[seed, 0] // 2] % PAIR.grid)


def test_what_is_measured_of_a_seed_does_not_depend_on_the_others_and_costs_training_nothing() -> None:
    together, alone = learnt(0, 1), learnt(1)
    before = [{name: x.clone() for name, x in part.items()} for part in split(together, 2)]
    found = MEASURE(LEARNER, PAIR, together, Streams.of([0, 1], "measure", "cpu"))
    after = split(together, 2)
    assert all(torch.equal(part[name], then[name]) for part, then in zip(after, before, strict=True) for name in part)
    same = MEASURE(Frozen(LEARNER), PAIR, alone, Streams.of([1], "measure", "cpu"))
    assert set(found.metrics) == set(MEASURE.metrics) and set(found.arrays) == set(MEASURE.arrays)
    for theirs, ours in ((found.metrics, same.metrics), (found.arrays, same.arrays)):
        assert [name for name in ours if not torch.allclose(theirs[name][1:], ours[name], 0, 0, equal_nan=True)] == []


def test_a_seed_that_has_diverged_has_no_numbers_and_leaves_the_others_theirs() -> None:
    state, sound = learnt(0, 1), learnt(0, 1)
    state.network.heads.bias[0] = torch.nan
    found, expected = (MEASURE(LEARNER, PAIR, of, Streams.of([0, 1], "measure", "cpu")) for of in (state, sound))
    for name, values in found.metrics.items():
        assert values[0].isnan() and torch.equal(values[1].nan_to_num(), expected.metrics[name][1].nan_to_num()), name


def test_entries_are_told_apart_by_assignment_and_by_hunter() -> None:
    assignment = torch.where(noise(300)[:2] > -0.5, 1, -1)
    assignment[:, ::7] = 0
    moved, latent = noise(300, 2, 2), noise(300, 16) * 1e-9
    first = (assignment == 1).unsqueeze(-1)
    latent[..., :4] = torch.where(first, moved.flatten(2).sum(2, keepdim=True), 0)  # all four with both, in one
    latent[..., 4:6] = torch.where(first, 0, moved[:, :, 1])  # one hunter alone, in the other
    zeros = torch.zeros(2, 300, 1, 2, 2)
    hunt = PAIR.reset(streams(), 300)
    found = assignments.by_assignment(latents.Played(latent, latent * 0, moved, zeros, hunt, hunt), assignment)
    assert (found[assignments.ENTRIES] - 6 >= 0).all() and (found[assignments.ENTRIES_UNFELT] == 0).all()
    parts, n = assignments.thinned(assignment)
    assert all((part.sum(1) == n).all() for part in parts) and (n >= assignments.FEWEST).all()
    for seed, (part, which) in product(range(2), zip(parts, (1, -1), strict=True)):
        chosen = part[seed]
        assert (assignment[seed, chosen] == which).all()
        one, other = latent[seed, chosen][None], moved.flatten(2)[seed, chosen][None]
        p = latents.p_of(latents.correlation(one, other), int(n[seed]))
        told = assignments.correlating(latent, moved.flatten(2), part, n)[seed]
        assert torch.equal(told[:6], (p < latents.ALPHA).unflatten(2, (2, 2)).any(-1)[0, :6])
    few = torch.where(assignment == -1, 0, assignment)
    lost = assignments.by_assignment(latents.Played(latent, latent, moved, zeros, hunt, hunt), few)
    assert [name for name, values in lost.items() if not values.isnan().all()] == [assignments.ASSIGNED]


def test_from_one_start_assignments_are_who_caught_what() -> None:
    env, measure = replace(PAIR, horizon=50), replace(MEASURE, latents=Latents(n_episodes=60, n_orders=5))
    found = measure(LEARNER, env, learnt(0, 1), streams("measure"))
    paths, assignment = found.arrays[latents.PATHS].long(), found.arrays[latents.ASSIGNMENTS]
    start = torch.tensor(latents.FIRST_START)
    assert (paths[:, :, 0] == start[:2]).all()
    apart = (paths[:, :, -1].unsqueeze(3) - start[2:]).remainder(PAIR.grid)
    near = torch.minimum(apart, PAIR.grid - apart).sum(dim=-1) <= 1  # [S, E, hunter, prey]
    assert {1, -1, 0} == set(assignment.flatten().tolist())
    assert near[assignment == 1].diagonal(dim1=1, dim2=2).all()
    assert near[assignment == -1].flip(2).diagonal(dim1=1, dim2=2).all()
    for metric, which in ((latents.FIRST, 1), (latents.SECOND, -1)):
        torch.testing.assert_close(found.metrics[metric], (assignment == which).float().mean(dim=1))
    torch.testing.assert_close(
        found.metrics[latents.RARER], torch.minimum(found.metrics[latents.FIRST], found.metrics[latents.SECOND])
    )
    with pytest.raises(ValueError, match="expected two hunters of two hares"):
        latents.square(Hunters(), 2, 3, torch.device("cpu"))


def test_the_best_runs_come_first_and_diverged_ones_last() -> None:
    ends = (3.0, np.nan, 5.0, 4.0)
    runs = {
        seed: Run(
            "key",
            seed,
            np.array([1.0, 2.0]),
            {CUMULATIVE: np.array([1.0, end], dtype=np.float32)},
            {CUMULATIVE: "reward"},
        )
        for seed, end in enumerate(ends)
    }
    np.testing.assert_array_equal(search.ranked(runs)[:, -1], [5.0, 4.0, 3.0, np.nan])


# ---- DVM's maps -----------------------------------------------------------------------------------------------------


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


def test_the_least_is_found_in_every_episode_before_the_mean() -> None:
    env = GoalNavigation(n_agents=2, horizon=12, reward_limit=10.0)

    def push(env: Any, game: Any) -> tuple[torch.Tensor, ...]:
        return (torch.full_like(game.position, 0.5),)

    found = least_return(env, push, streams(), 6)
    own = streams()
    game, total = env.reset(own, 6), torch.zeros(2, 6, 2)
    for _ in range(12):
        game, reward, _ = env.step(game, push(env, game), own)
        total += reward
    by_hand = torch.stack([torch.stack([min(episode) for episode in seed]).mean() for seed in total])
    torch.testing.assert_close(found, by_hand)
    assert (found < total.mean(dim=1).amin(dim=1)).all()


@torch.no_grad()  # as measures are called
def test_without_inner_steps_adapted_agents_are_theta_in_the_same_episodes() -> None:
    env, algorithm = GoalNavigation(n_agents=2, horizon=4, reward_limit=10.0), DiMAPG(hidden=16, n_trajectories=4)
    state = algorithm.init(env, streams())
    found = Adapted(n_episodes=4, inner_steps=0)(algorithm, env, state, streams("measure")).metrics
    torch.testing.assert_close(found[ADAPTED + LIKELIEST], found[LEAST + LIKELIEST])
    adapted = Adapted(n_episodes=4, inner_steps=2)(algorithm, env, state, streams("measure")).metrics
    assert (adapted[ADAPTED + LIKELIEST] != adapted[LEAST + LIKELIEST]).all()


def test_copies_of_one_agent_are_tested_in_the_other_game() -> None:
    alone, many = (GoalNavigation(n_agents=n, n_goals=3, horizon=4, reward_limit=10.0) for n in (1, 3))
    algorithm = DiMAPG(hidden=16, n_trajectories=4)
    state = algorithm.init(alone, streams())
    among_many, by_itself = (
        Cloned(game, n_episodes=4)(algorithm, alone, state, streams("measure")).metrics[LEAST] for game in (many, alone)
    )
    least = Least(n_episodes=4)(algorithm, alone, state, streams("measure")).metrics
    torch.testing.assert_close(by_itself, least[LEAST])
    assert (least[LEAST] != least[LEAST + LIKELIEST]).all()
    expected = least_return(many, algorithm.cloned(state)["sampled"], streams("measure"), 4)
    torch.testing.assert_close(among_many, expected)
    assert (among_many != by_itself).all()


def test_outcomes_of_survival_are_those_of_the_games_that_are_shown() -> None:
    env = Survival(n_agents=12, n_food=9, map_size=12, view_radius=3, horizon=20, food_hp=5, attack_reward=0.0)
    algorithm = replace(SURVIVOR, hidden=16)
    state = algorithm.init(env, streams())
    found = Outcomes(n_games=1)(algorithm, env, state, streams("measure"))
    agents, pieces = found.arrays[AGENTS], found.arrays[PIECES]
    assert agents.shape == (2, 3, 12, 4) and pieces.shape == (2, 3, 9, 3)
    assert (agents[:, 0, :, 3] == 3).all() and (pieces[:, 0, :, 2] == 5).all()
    living, left = (agents[..., 3] >= 0).sum(dim=2), (pieces[..., 2] >= 0).sum(dim=2)  # [S, moment]
    torch.testing.assert_close(found.metrics[SURVIVORS], living[:, 2].float())
    torch.testing.assert_close(found.metrics[SHARE], living[:, 2] / 12)
    torch.testing.assert_close(found.metrics[FOOD], left[:, 2].float())
    assert (living.diff() <= 0).all() and (living[:, 2] < 12).all()
    # 5 for a piece, -1 for a death, -0.01 a step, of which those that died had some; attacks are free here
    dead = 12 - living[:, 2]
    most = 5 * (9 - left[:, 2]) - dead - 0.01 * 20 * living[:, 2]
    assert (found.metrics[REWARD] < most + 1e-4).all() and (found.metrics[REWARD] > most - 0.01 * 20 * dead).all()


def test_outcomes_are_means_over_games() -> None:
    env = Survival(n_agents=12, n_food=9, map_size=12, view_radius=3, horizon=10, food_hp=5)
    algorithm = replace(SURVIVOR, hidden=16)
    state = algorithm.init(env, streams())
    several = Outcomes(n_games=8)(algorithm, env, state, streams("measure")).metrics
    assert (several[SURVIVORS] * 8 % 1 == 0).all() and (several[SURVIVORS] % 1 != 0).any()
    assert (several[SURVIVORS] <= 12).all()


# ----------------------------------------------------------------------------------------------------------- cross-play

TAG = SimpleTag(action="force", horizon=12, predator_size=0.4)  # so large that somebody is caught
TEAMS = ("first", "second", "third")
MEETING = Meeting(
    (
        DiMAPG("REINFORCE", hidden=16, n_trajectories=4, inner_steps=1),
        A3CKitchenSink(hidden=16, n_envs=4),
        TRPOKitchenSink(hidden=16, n_trajectories=4),
    )
)


def met() -> Any:
    """Those who have learnt a little."""
    state = MEETING.init(TAG, streams())
    for learner, own in zip(MEETING.learners, state.learners, strict=True):
        learner.advance(TAG, own)
    return state


def likeliest(state: Any) -> list[Any]:
    """How each plays without noise, from the first step of an episode."""
    return [learner.policies(own)["greedy"] for learner, own in zip(MEETING.learners, state.learners, strict=True)]


def played(state: Any, one: int, other: int, n_episodes: int) -> torch.Tensor:
    """What the predators of one get from the prey of another, pair by pair and step by step."""
    drawing = streams("measure")
    game = TAG.reset(drawing, n_episodes)
    hunts, flees = (likeliest(state)[i] for i in (one, other))  # anew for every pair: one of them remembers
    total = torch.zeros(2, n_episodes)
    for _ in range(TAG.horizon):
        game, reward, _ = TAG.step(game, (hunts(TAG, game)[0], flees(TAG, game)[1]), drawing)
        total += reward[:, :, 0]  # predators are paid alike
    return total.mean(dim=1)


def test_every_teams_predators_meet_every_teams_prey() -> None:
    state = met()
    table = crossed(likeliest(state), TAG, streams("measure"), 10)  # [S, P, Q]
    expected = torch.stack([torch.stack([played(state, p, q, 10) for q in range(3)], dim=1) for p in range(3)], dim=1)
    torch.testing.assert_close(table, expected)
    assert len(table.unique()) > 3 and not torch.equal(table, table.transpose(1, 2))


def test_a_team_is_judged_by_all_that_it_meets() -> None:
    state = met()
    measure = CrossPlay(TEAMS, n_learnt=3, n_episodes=10)
    found = measure(MEETING, TAG, state, streams("measure")).metrics
    assert set(found) == set(measure.metrics)
    table = torch.stack([torch.stack([found[pair(p, q)] for q in TEAMS]) for p in TEAMS])  # [P, Q, S]
    undrawn = crossed(likeliest(state), TAG, streams("measure"), 10)
    assert not torch.equal(table, undrawn.permute(1, 2, 0))  # actions are drawn
    torch.testing.assert_close(torch.stack([found[predators(team)] for team in TEAMS]), table.mean(dim=1))
    torch.testing.assert_close(torch.stack([found[prey(team)] for team in TEAMS]), table.mean(dim=0))
    torch.testing.assert_close(found[predators("second") + APART], table[1, [0, 2]].mean(dim=0))
    torch.testing.assert_close(found[prey("third") + APART], table[:2, 2].mean(dim=0))


def test_a_team_that_diverged_has_no_number_and_the_pairs_of_others_have() -> None:
    state = met()
    for tensor in tensors(state.learners[1].networks[0]):  # of its predators, in one seed
        tensor[0] = torch.nan
    found = CrossPlay(TEAMS, n_learnt=3, n_episodes=4)(MEETING, TAG, state, streams("measure")).metrics
    undefined = {name for name, values in found.items() if values.isnan().any()}
    own = predators("second"), predators("second") + APART
    met_by_it = {*map(prey, TEAMS), *(prey(team) + APART for team in TEAMS if team != "second")}
    assert undefined == {*(pair("second", team) for team in TEAMS), *own, *met_by_it}
    assert all(values[1].isfinite() for values in found.values())
