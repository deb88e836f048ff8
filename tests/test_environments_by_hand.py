"""The rules of every game on numbers that can be checked with a pencil."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from environments import Env, Streams, side_by_side
from environments._particles import MPE2, OPENAI, Particles, contact_forces, integrate, ordered_sum, reaches, thrust
from environments.cooperative_navigation import CN_V1, CN_V2, CooperativeNavigation, sparse
from environments.predator_prey import PredatorPrey
from environments.push_forward import PushForward, matched
from environments.simple_spread import SimpleSpread
from environments.simple_tag import SimpleTag, bound

Points = Sequence[tuple[float, float]]


def world(agents: Points, landmarks: Points, velocities: Points | None = None) -> Particles:
    """One seed, one copy, in float64."""
    fields = (agents, velocities or [(0.0, 0.0)] * len(agents), landmarks)
    return Particles(*(torch.tensor(field, dtype=torch.float64)[None, None] for field in fields))


def after(env: Env[Any], state: Particles, *forces: Points) -> tuple[Particles, list[float]]:
    """The next state and every agent's reward."""
    actions = tuple(torch.tensor(force, dtype=torch.float64)[None, None] for force in forces)
    state, reward, _ = env.step(state, actions, Streams.of([0], "unused", "cpu"))
    return state, reward[0, 0].tolist()


STILL = [(0.0, 0.0)] * 3
FAR = [(0.0, 5.0), (0.0, -5.0), (5.0, 0.0)]


# The physics


def test_openai_moves_with_the_new_velocity_and_mpe2_with_the_old() -> None:
    position, velocity, force = (torch.tensor([[[[x, 0.0]]]]) for x in (1.0, 2.0, 3.0))
    # v' = 0.75 · 2 + 3 · 0.1 = 1.8
    for physics, x in ((OPENAI, 1.0 + 0.18), (MPE2, 1.0 + 0.2)):
        moved, faster = integrate(physics, position, velocity, force)
        torch.testing.assert_close(faster, torch.tensor([[[[1.8, 0.0]]]]))
        torch.testing.assert_close(moved, torch.tensor([[[[x, 0.0]]]]))


def test_speed_is_cut_to_its_maximum_and_keeps_its_direction() -> None:
    still, force = torch.zeros(1, 1, 2, 2), torch.tensor([[[[30.0, 40.0], [3.0, 4.0]]]])
    _, velocity = integrate(OPENAI, still, still, force, torch.tensor([1.3, 1.3]))
    torch.testing.assert_close(velocity, torch.tensor([[[[0.78, 1.04], [0.3, 0.4]]]]))


def test_overlapping_discs_push_each_other_apart_with_equal_force() -> None:
    position = torch.tensor([[[[0.0, 0.0], [0.2, 0.0], [9.0, 9.0]]]], dtype=torch.float64)
    reach = reaches((0.15,) * 3, (0.15,) * 3, position.device, position.dtype)
    force = contact_forces(OPENAI, position, position, reach)
    # 100 · 0.001 · log(1 + exp(0.1 / 0.001)) = 10 to the last digit
    torch.testing.assert_close(force[0, 0], torch.tensor([[-10.0, 0], [10.0, 0], [0, 0]], dtype=torch.float64))


def test_discs_that_just_touch_push_with_the_soft_edge_and_coinciding_ones_do_not_push() -> None:
    position = torch.tensor([[[[0.0, 0.0], [0.3, 0.0], [5.0, 5.0], [5.0, 5.0]]]], dtype=torch.float64)
    reach = reaches((0.15,) * 4, (0.15,) * 4, position.device, position.dtype)
    force = contact_forces(OPENAI, position, position, reach)[0, 0]
    edge = 0.1 * math.log(2.0)
    torch.testing.assert_close(force[:2, 0], torch.tensor([-edge, edge], dtype=torch.float64))
    assert not force[2:].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_bits_of_a_contact_do_not_depend_on_where_in_a_batch_it_stands(dtype: torch.dtype) -> None:
    draws = Streams.of([0], "contacts", "cpu").uniform(301, 2).to(dtype)  # [1, E, 2]
    near = (0.3 + (draws - 0.5) * 0.01)[:, :, :1]  # a few widths of the soft edge around the contact
    position, obstacle = torch.zeros(1, 301, 1, 2, dtype=dtype), torch.stack([near, draws[:, :, 1:] * 0.001], -1)
    reach = reaches((0.15,), (0.15,), position.device, dtype)
    whole = contact_forces(OPENAI, position, obstacle, reach)
    for size in (1, 3, 10, 100):
        for start in range(0, 301, size):
            rows = slice(start, start + size)
            assert torch.equal(contact_forces(OPENAI, position[:, rows], obstacle[:, rows], reach), whole[:, rows])


def test_terms_are_added_from_left_to_right() -> None:
    # In float32 1e8 + 1 is 1e8, so any other order gives another sum.
    terms = torch.tensor([1e8, 1.0, 1.0, 1.0, 1.0, -1e8, 1.0]).expand(1, 9, 7)
    assert ordered_sum(terms, -1).tolist() == [[1.0] * 9]


ROWS = torch.arange(2 * 4 * 9.0).view(2, 4, 9)  # two seeds, four copies
PARTS_OF_ROWS: dict[str, tuple[tuple[Tensor, ...], bool]] = {
    "neighbours": ((ROWS[..., :2], ROWS[..., 2:6].unflatten(-1, (2, 2)), ROWS[..., 6:7]), True),
    "one": ((ROWS[..., 3:5],), True),
    "in another order": ((ROWS[..., 2:6], ROWS[..., :2]), False),
    "with a gap": ((ROWS[..., :2], ROWS[..., 3:6]), False),
    "of the next copy": ((ROWS[:, :3, :2], ROWS[:, 1:, 2:6]), False),
    "agents last": ((ROWS[..., :2], ROWS[..., 2:6].unflatten(-1, (2, 2)).transpose(2, 3)), False),
    "elsewhere": ((ROWS[..., :2], ROWS.clone()[..., 2:6]), False),
    "otherwise apart": ((ROWS[:, ::2, :2], ROWS[:, :2, 2:6]), False),
}


@pytest.mark.parametrize("name", PARTS_OF_ROWS)
def test_parts_stand_side_by_side_and_are_copied_only_where_they_must_be(name: str) -> None:
    parts, uncopied = PARTS_OF_ROWS[name]
    row = side_by_side(parts)
    assert torch.equal(row, torch.cat([part.flatten(2) for part in parts], dim=-1))
    assert (row.data_ptr() == parts[0].data_ptr()) == uncopied


def test_parts_of_other_copies_make_no_row() -> None:
    with pytest.raises(RuntimeError):
        side_by_side((ROWS[:, :3, :2], ROWS[..., 2:6]))


def test_gradients_reach_all_parts_of_a_row() -> None:
    parts = [part.detach().requires_grad_() for part in ROWS.split([2, 4, 3], dim=-1)]
    weights = torch.arange(9.0)
    gradients = torch.autograd.grad((side_by_side(parts) * weights).sum(), parts)
    for gradient, weight in zip(gradients, weights.split([2, 4, 3]), strict=True):
        assert torch.equal(gradient, weight.expand_as(gradient))


def test_forces_are_clipped_to_the_box() -> None:
    force = thrust("force", torch.tensor([[[[3.0, -0.5], [-3.0, 1.0]]]]), torch.float32)
    assert force.tolist() == [[[[1.0, -0.5], [-1.0, 1.0]]]]


def test_soft_actions_are_differences_and_not_clipped() -> None:
    force = thrust("soft", torch.tensor([[[[9.0, 0.5, 0.25, 0.0, 4.0]]]]), torch.float32)
    assert force.tolist() == [[[[0.25, -4.0]]]]


def test_choices_are_rest_right_left_up_down() -> None:
    force = thrust("discrete", torch.tensor([[[0, 1, 2, 3, 4]]]), torch.float32)
    assert force[0, 0].tolist() == [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]]


def test_a_choice_is_the_one_hot_soft_action() -> None:
    choices = torch.arange(5)[None, None]
    one_hot = torch.nn.functional.one_hot(choices, 5).float()
    assert torch.equal(thrust("discrete", choices, torch.float32), thrust("soft", one_hot, torch.float32))


@pytest.mark.parametrize("env", [CN_V1, PushForward(), PredatorPrey()], ids=lambda env: type(env).__name__)
def test_a_force_is_five_times_as_strong(env: Any) -> None:
    state, _ = after(env, world(FAR, FAR[: 2 if env == PredatorPrey() else 3]), [(1.0, 0.0), (0.0, -9.0), (0.0, 0.5)])
    torch.testing.assert_close(
        state.velocity[0, 0], torch.tensor([[0.5, 0], [0, -0.5], [0, 0.25]], dtype=torch.float64)
    )


# Cooperative navigation and simple spread


@pytest.mark.parametrize("env", [CN_V1, SimpleSpread(action="force")], ids=lambda env: type(env).__name__)
def test_covering_all_landmarks_leaves_the_collisions_with_oneself(env: Any) -> None:
    _, reward = after(env, world(FAR, FAR), STILL)
    assert reward == [-3.0] * 3


def test_every_agent_gets_the_sum_of_distances_and_collisions_over_agents() -> None:
    # Contacts are softened to nothing here, so that who overlaps stays where it is.
    calm = CooperativeNavigation(physics=type(OPENAI)(contact_force=0.0))
    agents = [(0.0, 0.0), (0.25, 0.0), (5.0, 0.0)]
    _, reward = after(calm, world(agents, [(0.0, 1.0), (5.0, 2.0), (5.0, -0.5)]), STILL)
    # each: −(1 + 2 + 0.5) and −2, −2, −1 collisions, oneself included
    assert reward == pytest.approx([3 * -3.5 - 5] * 3)


def test_a_collision_needs_less_than_two_radii() -> None:
    calm = CooperativeNavigation(physics=type(OPENAI)(contact_force=0.0))
    for gap, collided in ((0.299, 5), (0.301, 3)):
        agents = [(0.0, 0.0), (gap, 0.0), (5.0, 0.0)]
        _, reward = after(calm, world(agents, agents), STILL)
        assert reward == pytest.approx([-collided] * 3)


def test_collisions_with_oneself_and_sharing_can_be_switched_off() -> None:
    own = SimpleSpread(
        action="force", self_collision=False, shared_reward=False, physics=type(OPENAI)(contact_force=0.0)
    )
    _, reward = after(own, world([(0.0, 0.0), (0.2, 0.0), (5.0, 0.0)], [(0.0, 1.0), (5.0, 0.0), (5.0, 0.0)]), STILL)
    assert reward == pytest.approx([-2.0, -2.0, -1.0])


@pytest.mark.parametrize(
    ("distance", "penalised"),
    [
        ([(0.1, 2.0), (2.0, 0.5), (2.0, 0.5)], True),  # landmark 1 is reached best and two are closer to landmark 2
        ([(2.0, 0.1), (0.5, 2.0), (0.5, 2.0)], True),  # the same with the landmarks swapped
        ([(0.1, 2.0), (0.5, 2.0), (2.0, 0.5)], False),  # two agents at the one reached best
        ([(0.1, 2.0), (0.5, 2.0), (0.6, 2.0)], False),  # all three
        ([(0.1, 2.0), (0.7, 0.7), (2.0, 0.5)], False),  # an agent halfway counts for it
        ([(0.5, 2.0), (2.0, 0.5), (2.0, 0.5)], False),  # both are reached equally well
    ],
)
def test_the_landmark_reached_best_needs_two_agents(distance: Points, penalised: bool) -> None:
    assert sparse(torch.tensor(distance)[None, None]).item() is penalised


def test_in_cn_v2_the_penalty_of_ten_is_taken_once_from_what_all_get() -> None:
    landmarks = [(0.0, 0.0), (4.0, 0.0)]
    _, crowded = after(CN_V2, world([(0.0, 0.0), (0.0, 1.0), (4.0, 1.0)], landmarks), STILL)
    _, lonely = after(CN_V2, world([(0.0, 0.0), (4.0, -1.0), (4.0, 1.0)], landmarks), STILL)
    assert crowded == pytest.approx([-3.0 - 3.0] * 3)
    assert lonely == pytest.approx([-3.0 - 3.0 - 10.0] * 3)


def test_the_penalty_of_cn_v2_is_refused_for_other_numbers_of_landmarks() -> None:
    with pytest.raises(ValueError, match="2 landmarks, got n_landmarks=3"):
        CooperativeNavigation(sparse_penalty=10.0)


def test_agents_see_their_velocity_landmarks_and_others_relative_to_themselves() -> None:
    state = world([(0.0, 0.0), (1.0, 0.0), (0.0, 2.0)], [(3.0, 4.0), (0.0, 1.0)], [(7.0, 8.0), (0.0, 0.0), (0.0, 9.0)])
    vectors = CooperativeNavigation(n_landmarks=2).observe(state)[0][0, 0]
    assert vectors[0].tolist() == [7, 8, 3, 4, 0, 1, 1, 0, 0, 2]
    assert vectors[2].tolist() == [0, 9, 3, 2, 0, -1, 0, -2, 1, -2]
    distances = CooperativeNavigation(n_landmarks=2, observation="distance").observe(state)[0][0, 0]
    assert distances[0].tolist() == [7, 8, 5, 1, 1, 2]


@pytest.mark.parametrize(("env", "size"), [(CN_V1, 18), (CN_V2, 16), (PushForward(), 18), (PredatorPrey(), 16)])
def test_the_full_state_has_the_size_of_positions_velocities_and_landmarks(env: Any, size: int) -> None:
    assert env.full_state(env.reset(Streams.of([0], "size", "cpu"), 1)).shape == (1, 1, size)


def test_horizons_are_those_of_the_paper() -> None:
    assert [env.horizon for env in (CN_V1, CN_V2, PushForward(), PredatorPrey())] == [25, 25, 50, 50]


# Push forward

ZONES = [(-0.9, -0.8), (-0.9, 0.0), (-0.9, 0.8)]
RIGHT = [(1.0, 0.0)] * 3


def test_agents_in_zones_of_their_own_that_all_go_right_push_all_landmarks() -> None:
    state, reward = after(PushForward(), world([ZONES[2], ZONES[0], ZONES[1]], ZONES), RIGHT)
    assert state.landmark[0, 0].tolist() == [pytest.approx([-0.85, y]) for _, y in ZONES]
    # from rest an agent moves 0.05, as a landmark does: all distances stay 0, and 3 · (10 − 1) is shared
    assert reward == pytest.approx([27.0] * 3)


@pytest.mark.parametrize(
    ("agents", "forces"),
    [
        (ZONES, [(1.0, 0.0), (1.0, 0.0), (0.0, 0.0)]),  # one stands still
        (ZONES, [(1.0, 0.0), (1.0, 0.0), (-1.0, 0.0)]),  # one goes back
        ([ZONES[0], ZONES[1], (-0.9, 0.58)], RIGHT),  # one is 0.22 away
        ([ZONES[0], (-0.9, -0.6001), ZONES[2]], RIGHT),  # two share a zone
    ],
)
def test_one_agent_is_enough_to_prevent_a_push(agents: Points, forces: Points) -> None:
    state, reward = after(PushForward(), world(agents, ZONES), forces)
    assert state.landmark[0, 0].tolist() == [pytest.approx(zone) for zone in ZONES]
    assert max(reward) < 0.0


@pytest.mark.parametrize(
    ("env", "landmarks"),
    [
        (PushForward(), [(0.0, 6.0), (0.0, -5.5), (5.0, 0.0)]),
        (PredatorPrey(arena=20.0, prey_step=0.0), [(0.0, 6.0), (4.5, 0.0)]),
    ],
    ids=["PF", "PP"],
)
def test_who_stands_still_pays_the_distance_of_landmarks_from_their_closest_agents_and_overlaps_itself(
    env: Any, landmarks: Points
) -> None:
    _, reward = after(env, world(FAR, landmarks), STILL)
    # each: −(1 + 0.5) − 1
    assert reward == pytest.approx([-7.5] * 3)


@pytest.mark.parametrize("game", [PushForward, PredatorPrey], ids=["PF", "PP"])
def test_in_pf_and_pp_everyone_involved_in_a_collision_pays_for_it(game: Any) -> None:
    calm: dict[str, Any] = {"physics": type(OPENAI)(contact_force=0.0)} | (
        {"arena": 20.0, "prey_step": 0.0} if game is PredatorPrey else {}
    )

    def lost(gap: float, **settings: Any) -> float:
        agents = [(0.0, 5.0), (gap, 5.0), (9.0, 9.0)]
        _, reward = after(game(**calm, **settings), world(agents, agents[: 2 if game is PredatorPrey else 3]), STILL)
        assert len(set(reward)) == 1
        return -reward[0]

    # Contact begins at 2 · 0.1. −1 for oneself, and −1 more for each of the two who collide.
    assert lost(0.201) == pytest.approx(3.0)
    assert lost(0.199) == pytest.approx(5.0)
    assert lost(0.199, collision_penalty=7.0) == pytest.approx(35.0)
    assert lost(0.199, self_collision=False) == pytest.approx(2.0)


def test_collisions_and_distances_are_deducted_while_landmarks_are_pushed() -> None:
    # From rest the push takes all agents and landmarks 0.05 to the right; two agents are 0.19 apart throughout.
    calm = PushForward(physics=type(OPENAI)(contact_force=0.0))
    zones = [(-0.9, 0.0), (-0.9, 0.3), (-0.9, 0.8)]
    state, reward = after(calm, world([(-0.9, 0.05), (-0.9, 0.24), (-0.9, 0.8)], zones), RIGHT)
    assert state.landmark[0, 0].tolist() == [pytest.approx([-0.85, y]) for _, y in zones]
    # each: 10 − (0.05 + 0.06 + 0) and −2, −2, −1 collisions
    assert reward == pytest.approx([3 * (10.0 - 0.11) - 5.0] * 3)


def test_zones_are_matched_one_to_one() -> None:
    tables = [
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], True),
        ([[1, 1, 0], [1, 0, 0], [0, 1, 1]], True),
        ([[1, 1, 1], [1, 0, 0], [1, 0, 0]], False),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 0]], False),
    ]
    for inside, expected in tables:
        assert matched(torch.tensor(inside, dtype=torch.bool)[None, None]).item() is expected


def test_landmarks_start_on_the_left_and_apart() -> None:
    landmark = PushForward().reset(Streams.of(range(5), "start", "cpu"), 400).landmark
    gap = torch.stack([(landmark[:, :, i] - landmark[:, :, j]).norm(dim=-1) for i, j in ((0, 1), (0, 2), (1, 2))])
    assert gap.min() >= 0.5
    assert landmark[..., 0].min() >= -1.0
    assert landmark[..., 0].max() <= -0.2
    assert landmark[..., 1].abs().max() <= 1.0


# Predator and prey


AROUND = [(0.2, 0.0), (-0.2, 0.0), (0.0, 0.25)]
CORNER = (20.0, 20.0)
REST = PredatorPrey(prey_step=0.0, arena=20.0)


@pytest.mark.parametrize(("third", "paid"), [(0.25, 10.0), (0.31, 0.0)], ids=["within", "outside"])
def test_a_capture_takes_all_three_and_pays_ten_to_the_team_on_top_of_what_every_agent_loses(
    third: float, paid: float
) -> None:
    agents = [*AROUND[:2], (0.0, third)]
    _, reward = after(REST, world(agents, [(0.0, 0.0), CORNER]), STILL)
    to_corner = min(math.hypot(20.0 - x, 20.0 - y) for x, y in agents)
    assert reward == pytest.approx([paid - 3 * (0.2 + to_corner) - 3.0] * 3)


def test_every_prey_that_is_captured_pays() -> None:
    _, reward = after(REST, world(AROUND, [(0.0, 0.0), (0.01, 0.0)]), STILL)
    assert reward == pytest.approx([20.0 - 3 * (0.2 + 0.19) - 3.0] * 3)


def test_a_capture_pays_at_every_step_or_when_it_begins() -> None:
    begun, agents = [(0.9, 0.0), *AROUND[1:]], world(AROUND, [(0.0, 0.0), (0.01, 0.0)])
    for pays, paid in (("every step", 20.0), ("once", 0.0)):
        env = PredatorPrey(prey_step=0.0, arena=20.0, capture_pays=pays)  # type: ignore[arg-type]
        _, reward = after(env, agents, STILL)
        assert reward == pytest.approx([paid - 3 * (0.2 + 0.19) - 3.0] * 3)
        # One is too far from both and comes in one step, at v = −6.5: x' = 0.9 − 0.1 · 6.5 = 0.25.
        coming = world(begun, [(0.0, 0.0), (0.01, 0.0)], [(-6.5 / 0.75, 0.0), (0.0, 0.0), (0.0, 0.0)])
        state, reward = after(env, coming, STILL)
        assert state.position[0, 0, 0].tolist() == pytest.approx([0.25, 0.0])
        assert reward == pytest.approx([20.0 - 3 * (0.2 + 0.21) - 3.0] * 3)


def test_where_a_capture_is_easier_the_radius_is_a_field() -> None:
    wide = PredatorPrey(prey_step=0.0, arena=20.0, capture_radius=0.6)
    wider = [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.55)]
    gained = [after(env, world(wider, [(0.0, 0.0), CORNER]), STILL)[1][0] for env in (wide, REST)]
    assert gained[0] - gained[1] == pytest.approx(10.0)


def test_prey_run_straight_away_from_agents() -> None:
    state, _ = after(PredatorPrey(), world([(-1.0, 0.0)] * 3, [(0.0, 0.0), (-1.0, 0.5)]), STILL)
    assert state.landmark[0, 0].tolist() == [pytest.approx([0.05, 0.0]), pytest.approx([-1.0, 0.55])]


def test_prey_run_from_where_agents_are_about_to_be() -> None:
    # At x = −0.1 with v = 2 they are to the left of the prey now, and at x = +0.1 when they have moved.
    agents, velocities = [(-0.1, y) for y in (-4.0, 0.0, 4.0)], [(2.0, 0.0)] * 3
    state, _ = after(PredatorPrey(), world(agents, [(0.0, 0.0), (0.9, 0.9)], velocities), STILL)
    assert state.landmark[0, 0, 0].tolist() == pytest.approx([-0.05, 0.0])


def test_prey_know_the_acceleration_of_agents() -> None:
    # From rest a force of 5 adds ½ · 5 · 0.1² = 0.025: from x = −0.01 to x = +0.015, past the prey.
    env = PredatorPrey(physics=type(OPENAI)(contact_force=0.0))
    agents = [(-0.01, 0.0)] * 3
    for force, x in ((1.0, -0.05), (0.0, 0.05)):
        state, _ = after(env, world(agents, [(0.0, 0.0), (0.9, 0.9)]), [(force, 0.0)] * 3)
        assert state.landmark[0, 0, 0].tolist() == pytest.approx([x, 0.0])


def test_prey_stay_in_the_arena() -> None:
    state, _ = after(PredatorPrey(), world([(0.0, 0.0)] * 3, [(1.0, 0.0), (0.99, -0.99)]), STILL)
    assert state.landmark.abs().max() <= 1.0
    assert state.landmark[0, 0, 1].tolist() == pytest.approx([1.0, -1.0])


# Simple tag

CHASE = [(0.0, 0.0), (5.0, 5.0), (5.0, -5.0)]


def test_bound_is_free_then_steep_then_exponential_then_flat() -> None:
    x = torch.tensor([0.0, 0.89, 0.95, 1.0, 1.5, 9.0], dtype=torch.float64)
    assert bound(x).tolist() == pytest.approx([0.0, 0.0, 0.5, 1.0, math.e, 10.0])


def test_every_predator_is_rewarded_for_every_touch_and_the_prey_pays() -> None:
    calm = SimpleTag(action="force", physics=type(OPENAI)(contact_force=0.0))
    state = world([*CHASE, (0.1, 0.0)], [(9.0, 9.0), (8.0, 8.0)])
    assert after(calm, state, STILL, [(0.0, 0.0)])[1] == [10.0, 10.0, 10.0, -10.0]
    both = world([CHASE[0], (0.2, 0.0), CHASE[2], (0.1, 0.0)], [(9.0, 9.0), (8.0, 8.0)])
    assert after(calm, both, STILL, [(0.0, 0.0)])[1] == [20.0, 20.0, 20.0, -20.0]
    apart = world([*CHASE, (0.126, 0.0)], [(9.0, 9.0), (8.0, 8.0)])
    assert after(calm, apart, STILL, [(0.0, 0.0)])[1] == [0.0, 0.0, 0.0, 0.0]


def test_only_prey_pay_for_leaving_and_for_each_dimension() -> None:
    state = world([*CHASE, (0.95, -1.5)], [(9.0, 9.0), (8.0, 8.0)])
    reward = after(SimpleTag(action="force"), state, STILL, [(0.0, 0.0)])[1]
    assert reward == pytest.approx([0.0, 0.0, 0.0, -0.5 - math.e])


def test_prey_accelerate_faster_and_reach_a_higher_speed() -> None:
    state = world([*CHASE, (0.0, 5.0)], [(90.0, 9.0), (8.0, 80.0)])
    first, _ = after(SimpleTag(action="force"), state, RIGHT, [(1.0, 0.0)])
    assert first.velocity[0, 0, :, 0].tolist() == pytest.approx([0.3, 0.3, 0.3, 0.4])
    last = state
    for _ in range(50):
        last, _ = after(SimpleTag(action="force"), last, RIGHT, [(1.0, 0.0)])
    # without a limit they would reach 4 · 0.3 and 4 · 0.4
    assert last.velocity[0, 0, :, 0].tolist() == pytest.approx([1.0, 1.0, 1.0, 1.3])


def test_obstacles_push_and_stay() -> None:
    state = world([*CHASE, (0.0, 5.0)], [(0.2, 0.0), (8.0, 80.0)])
    moved, _ = after(SimpleTag(action="force"), state, STILL, [(0.0, 0.0)])
    # overlap 0.2 + 0.075 − 0.2, so a force of 7.5 to the left, cut to the top speed of 1 only above it
    assert moved.velocity[0, 0, 0].tolist() == pytest.approx([-0.75, 0.0])
    assert torch.equal(moved.landmark, state.landmark)


def test_predators_see_the_velocity_of_prey_and_prey_do_not_see_theirs() -> None:
    velocities = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 5.0)]
    state = world([(0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 3.0)], [(0.0, 1.0), (0.0, -1.0)], velocities)
    predators, prey = SimpleTag().observe(state)
    assert predators[0, 0, 1].tolist() == [2, 2, 1, 0, -1, 1, -1, -1, -1, 0, 1, 0, 2, 3, 4, 5]
    assert prey[0, 0, 0].tolist() == [4, 5, 3, 3, -3, -2, -3, -4, -3, -3, -2, -3, -1, -3]


def test_a_reset_starts_at_rest_inside_the_arena() -> None:
    state = SimpleTag().reset(Streams.of(range(3), "start", "cpu"), 500)
    assert not state.velocity.any()
    assert _widest(state.position) == pytest.approx(1.0, abs=0.01)
    assert _widest(state.landmark) == pytest.approx(0.9, abs=0.01)


def _widest(points: Tensor) -> float:
    return float(points.abs().max())
