"""The rules of spread and push box on numbers that can be checked with a pencil, and what the authors' runs began with.

The numbers named "logged" were read in the authors' public logs of February and March 2019, in which a return is
Σ_agents of the mean reward per step; "simulated" ones come from a reimplementation in NumPy, made to check this one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from environments import Env, Streams
from environments._particles import OPENAI, Particles
from environments.push_box import PushBox
from environments.spread import Spread, direction

Points = Sequence[tuple[float, float]]
Policy = Callable[[Particles, Streams], Tensor]

STILL = [(0.0, 0.0)] * 4
CALM = type(OPENAI)(contact_force=0.0)
"""Who overlaps stays where it is."""


def world(agents: Points, landmarks: Points, velocities: Points | None = None) -> Particles:
    """One seed, one copy, in float64."""
    fields = (agents, velocities or [(0.0, 0.0)] * len(agents), landmarks)
    return Particles(*(torch.tensor(field, dtype=torch.float64)[None, None] for field in fields))


def after(env: Env[Any], state: Particles, forces: Points = STILL) -> tuple[Particles, list[float]]:
    """The next state and every agent's reward."""
    actions = torch.tensor(forces[: env.roles[0].n_agents], dtype=torch.float64)[None, None]
    state, reward, _ = env.step(state, (actions,), Streams.of([0], "unused", "cpu"))
    return state, reward[0, 0].tolist()


def returns(env: Env[Any], policy: Policy, n_envs: int, seed: int = 0) -> Tensor:
    """Σ_t Σ_i r of every copy. Shapes: [E]."""
    streams, actors = Streams.of([seed], "game", "cpu"), Streams.of([seed], "actions", "cpu")
    state, total = env.reset(streams, n_envs), torch.zeros(1, n_envs)
    for _ in range(env.horizon):
        state, reward, _ = env.step(state, (policy(state, actors),), streams)
        total = total + reward.sum(-1)
    return total[0]


def at_random(state: Particles, actors: Streams) -> Tensor:
    return actors.integers(state.position.shape[1], state.landmark.shape[2], high=5)


def along_the_longer_axis(wanted: Tensor) -> Tensor:
    """The choice that goes towards `wanted`. Shapes: [S, E, A, 2] to [S, E, A]."""
    axis = wanted.abs().argmax(-1)
    positive = wanted.take_along_dim(axis.unsqueeze(-1), -1).squeeze(-1) > 0
    return 1 + 2 * axis + (~positive).long()


# Spread: where it starts

QUADRANTS = [(0.33, 1.0, 0.33, 1.0), (-1.0, -0.33, 0.33, 1.0), (-1.0, -0.33, -1.0, -0.33), (0.33, 1.0, -1.0, -0.33)]
AREAS = {
    2: [(-1.0, -0.5, -1.0, -0.5), (0.5, 1.0, 0.5, 1.0)],
    3: [QUADRANTS[0], QUADRANTS[2], QUADRANTS[3]],
    4: QUADRANTS,
}
"""x from, x to, y from, y to of every box."""


def fills(points: Tensor, area: tuple[float, float, float, float]) -> bool:
    """Whether the points are spread over the box, and nowhere else. Shapes: points [..., 2]."""
    x, y = points.flatten(0, -2).unbind(-1)
    ends = torch.stack([x.min(), x.max(), y.min(), y.max()])
    inside = ends[0] >= area[0] and ends[1] <= area[1] and ends[2] >= area[2] and ends[3] <= area[3]
    return bool(inside and (ends - torch.tensor(area)).abs().max() < 0.01)


@pytest.mark.parametrize(
    ("n_agents", "phase", "start"),
    [(2, "I", (0, 1)), (3, "I", (0, 1, 2)), (4, "I", (0, 1, 2, 3)), (2, "II", (1, 0)), (3, "II", (1, 2, 0))],
)
def test_agents_start_at_rest_in_fixed_boxes(n_agents: int, phase: Literal["I", "II"], start: tuple[int, ...]) -> None:
    state = Spread(n_agents, phase).reset(Streams.of(range(3), "start", "cpu"), 500)
    assert not state.velocity.any()
    for i in range(n_agents):
        assert fills(state.position[:, :, i], AREAS[n_agents][start[i]])
        assert fills(state.landmark[:, :, i], AREAS[n_agents][i])


def test_four_agents_start_phase_two_in_any_of_24_ways_and_each_copy_in_its_own() -> None:
    state = Spread(4, "II").reset(Streams.of(range(3), "start", "cpu"), 800)
    for i in range(4):
        assert fills(state.landmark[:, :, i], AREAS[4][i])
    x, y = (state.position > 0).unbind(-1)
    box = torch.where(y, torch.where(x, 0, 1), torch.where(x, 3, 2)).flatten(0, 1)  # [S · E, 4]
    ways, counts = torch.unique(box, dim=0, return_counts=True)
    assert sorted(map(tuple, ways.tolist())) == sorted(itertools.permutations(range(4)))
    # 100 each are expected, with a standard deviation of 9.8
    assert counts.min() > 60
    assert counts.max() < 140
    assert 0.5 < (box[1:] != box[:-1]).any(-1).double().mean() < 1.0


def test_spread_refuses_numbers_of_agents_without_boxes() -> None:
    with pytest.raises(ValueError, match=r"2, 3 or 4 agents in phase 'I' or 'II', got n_agents=5, phase='I'"):
        Spread(n_agents=5)


# Spread: what it pays

CORNERS = [(-1.0, -1.0), (1.0, 1.0)]


def test_in_spread_covering_all_landmarks_leaves_the_collision_with_oneself() -> None:
    assert after(Spread(action="force"), world(CORNERS, CORNERS))[1] == [-1.0, -1.0]
    assert after(Spread(action="force", self_collision=False), world(CORNERS, CORNERS))[1] == [0.0, 0.0]


def test_in_spread_all_get_the_mean_and_each_its_own_reward_where_it_is_not_shared() -> None:
    state = world([(0.0, 0.0), (0.2, 0.0), (5.0, 0.0)], [(0.0, 1.0), (5.0, 0.0), (5.0, -0.5)])
    own = Spread(3, action="force", shared_reward=False, physics=CALM)
    # −(1 + 0 + 0.5), and −2, −2, −1 collisions
    assert after(own, state)[1] == pytest.approx([-3.5, -3.5, -2.5])
    joint = Spread(3, action="force", physics=CALM)
    assert after(joint, state)[1] == pytest.approx([-9.5 / 3] * 3)


def test_in_spread_agents_collide_closer_than_two_radii() -> None:
    for gap, collisions in ((0.299, 2.0), (0.301, 1.0)):
        agents = [(0.0, 0.0), (gap, 0.0)]
        reward = after(Spread(action="force", physics=CALM), world(agents, agents))[1]
        assert reward == pytest.approx([-collisions] * 2)


def test_in_spread_agents_are_pushed_five_times_as_hard_as_they_choose() -> None:
    state, _, _ = Spread().step(world(CORNERS, CORNERS), (torch.tensor([[[1, 4]]]),), Streams.of([0], "unused", "cpu"))
    assert state.velocity[0, 0].tolist() == [[0.5, 0.0], [0.0, -0.5]]
    assert state.position[0, 0].tolist() == [pytest.approx([-0.95, -1.0]), pytest.approx([1.0, 0.95])]


# Spread: what it shows


def test_landmarks_and_others_are_seen_counter_clockwise_from_the_left() -> None:
    agents = [(0.0, 0.0), (1.0, 1.0), (-1.0, 0.0), (-1.0, -0.1)]
    landmarks = [(-2.0, 0.0), (0.0, 2.0), (0.0, -2.0), (2.0, 0.0)]
    state = world(agents, landmarks, [(7.0, 8.0), *STILL[1:]])
    first, second = Spread(4).observe(state)[0][0, 0, :2].tolist()
    assert first[:4] == [7, 8, 0, 0]
    assert first[4:12] == [0, -2, 2, 0, 0, 2, -2, 0]  # down, right, up, and left, which is π and not −π
    assert first[12:18] == [-1, -0.1, 1, 1, -1, 0]
    assert first[18:] == [0] * 6
    assert second[:4] == [0, 0, 1, 1]
    assert second[4:12] == [-3, -1, -1, -3, 1, -1, -1, 1]


@pytest.mark.parametrize(("n_agents", "size"), [(2, 12), (3, 18), (4, 24)])
def test_everything_is_seen_in_the_order_of_the_arc_tangent(n_agents: int, size: int) -> None:
    env, streams = Spread(n_agents, "II"), Streams.of([0], "seen", "cpu")
    state = env.reset(streams, 300)
    state, _, _ = env.step(state, (at_random(state, streams),), streams)
    seen = env.observe(state)[0]
    assert seen.shape == (1, 300, n_agents, size)
    position, velocity, landmark = (field[0].numpy() for field in state)
    for copy, i in itertools.product(range(300), range(n_agents)):
        others = [position[copy, j] for j in range(n_agents) if j != i]
        groups = [[place - position[copy, i] for place in places] for places in (landmark[copy], others)]
        ordered = [vector for group in groups for vector in sorted(group, key=lambda v: np.arctan2(v[1], v[0]))]
        expected = np.concatenate([velocity[copy, i], position[copy, i], *ordered, np.zeros(2 * (n_agents - 1))])
        np.testing.assert_array_equal(seen[0, copy, i].numpy(), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_directions_are_ordered_as_angles_are(dtype: torch.dtype) -> None:
    x, y = torch.cartesian_prod(torch.arange(-6, 7), torch.arange(-6, 7)).to(dtype).unbind(-1)
    angle, key = torch.atan2(y, x), direction(x, y)
    apart = (angle.unsqueeze(0) - angle.unsqueeze(1)).abs() > 1e-5
    smaller = angle.unsqueeze(0) < angle.unsqueeze(1)
    assert torch.equal(key.unsqueeze(0) < key.unsqueeze(1), smaller & apart)
    # the ends of the scale, with either sign of zero; (0, 0) counts as right
    corners = torch.tensor([[-1.0, 0.0], [-1.0, -0.0], [-1.0, -0.1], [1.0, 0.0], [0.0, 0.0], [0.0, -0.0]], dtype=dtype)
    assert direction(*corners.unbind(-1)).tolist()[:2] == [2.0, 2.0]
    assert direction(*corners.unbind(-1))[2] < -1.9
    assert not direction(*corners.unbind(-1))[3:].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_bits_of_a_direction_do_not_depend_on_where_in_a_batch_it_stands(dtype: torch.dtype) -> None:
    x, y = (Streams.of([0], "directions", "cpu").uniform(301, 2, low=-1.0)[0].to(dtype)).unbind(-1)
    x, y = x.contiguous(), y.contiguous()
    whole = direction(x, y)
    for size in (1, 3, 10, 100):
        for start in range(0, 301, size):
            rows = slice(start, start + size)
            assert torch.equal(direction(x[rows], y[rows]), whole[rows])


def test_things_in_the_same_direction_are_seen_in_the_order_of_their_indices() -> None:
    for landmarks in ([(1.0, 1.0), (2.0, 2.0), (0.5, 0.5)], [(0.5, 0.5), (2.0, 2.0), (1.0, 1.0)]):
        state = world([(0.0, 0.0), (3.0, 3.0), (4.0, 4.0)], landmarks)
        seen = Spread(3).observe(state)[0][0, 0, 0].tolist()
        assert seen[4:10] == [coordinate for landmark in landmarks for coordinate in landmark]
        assert seen[10:14] == [3, 3, 4, 4]


# Spread: what simple policies get

N_EPISODES = 2000


def greedy(state: Particles, actors: Streams) -> Tensor:
    """Every agent goes to the landmark of its box, along the axis on which it is farther away, and never rests."""
    return along_the_longer_axis(state.landmark - state.position)


def proportional(state: Particles, actors: Streams) -> Tensor:
    """Every agent pushes towards the landmark of its box with twice its distance."""
    return (2.0 * (state.landmark - state.position)).clamp(-1.0, 1.0)


def test_random_choices_get_in_spread_what_was_simulated() -> None:
    episodes = returns(Spread(), at_random, N_EPISODES) / 25
    # both are means of 2000 episodes, so their difference has √2 standard errors; and the anchor is rounded
    error = float(episodes.std()) * math.sqrt(2 / N_EPISODES)
    assert float(episodes.mean()) == pytest.approx(-4.056, abs=3 * error + 0.0005)


@pytest.mark.parametrize(
    ("n_agents", "logged"),
    [(2, (-4.16, -3.77, -3.76)), (3, (-9.66, -7.62, -8.38)), (4, (-12.14, -12.50, -13.48))],
)
def test_the_first_episodes_that_the_authors_logged_are_those_of_random_choices(
    n_agents: int, logged: tuple[float, ...]
) -> None:
    episodes = returns(Spread(n_agents), at_random, N_EPISODES) / 25
    low, high = torch.quantile(episodes, torch.tensor([0.01, 0.99])).tolist()
    assert all(low < value < high for value in logged)
    # three episodes say more than that about the mean
    error = float(episodes.std()) / math.sqrt(len(logged))
    assert float(episodes.mean()) == pytest.approx(sum(logged) / len(logged), abs=3 * error)


def test_going_straight_to_ones_own_landmark_gets_in_spread_what_was_simulated() -> None:
    assert float(returns(Spread(), greedy, N_EPISODES).mean()) / 25 == pytest.approx(-2.285, abs=0.05)
    forces = returns(Spread(action="force"), proportional, N_EPISODES)
    assert float(forces.mean()) / 25 == pytest.approx(-2.189, abs=0.05)


# Push box: when the box moves

FAR = [(0.0, 5.0), (0.0, -5.0)]
BEHIND = [(0.3, 0.0), (0.0, 0.3)]
"""Two agents, apart from each other, that overlap the box by 0.05."""
LEFT = [(-0.85, 0.0)]


def pushed(agents: Points, velocities: Points | None = None, forces: Points = STILL) -> tuple[Any, Any, Any, Any]:
    """Positions and velocities of the agents, then those of the box, one step after it was at (0, 0)."""
    env = PushBox(action="force")
    state, _ = after(env, world([*agents, (0.0, 0.0)], LEFT, velocities), forces)
    position, velocity = state.position[0, 0], state.velocity[0, 0]
    return position[:2].tolist(), velocity[:2].tolist(), position[2].tolist(), velocity[2].tolist()


def test_two_agents_that_touch_the_box_push_it_with_equal_and_opposite_forces() -> None:
    agents, velocities, box, velocity = pushed(BEHIND)
    # 100 · 0.05 = 5 on each agent of mass 1, and as much in either direction on the box of mass 5
    assert velocities == [pytest.approx([0.5, 0.0]), pytest.approx([0.0, 0.5])]
    assert agents == [pytest.approx([0.35, 0.0]), pytest.approx([0.0, 0.35])]
    assert velocity == pytest.approx([-0.1, -0.1])
    assert box == pytest.approx([-0.01, -0.01])


def test_one_agent_is_pushed_back_by_the_box_and_does_not_move_it() -> None:
    agents, velocities, box, velocity = pushed([BEHIND[0], FAR[0]])
    assert velocities[0] == pytest.approx([0.5, 0.0])
    assert agents[0] == pytest.approx([0.35, 0.0])
    assert (box, velocity) == ([0.0, 0.0], [0.0, 0.0])


def test_the_box_keeps_its_place_and_its_velocity_while_nobody_touches_it() -> None:
    for agents in (FAR, [BEHIND[0], FAR[0]]):
        _, _, box, velocity = pushed(agents, [*STILL[:2], (-2.0, 1.0)])
        assert (box, velocity) == ([0.0, 0.0], [-2.0, 1.0])


def test_who_touches_the_box_is_asked_after_agents_have_moved() -> None:
    rolling = (-1.0, 0.0)
    # they overlap and leave: x = 0.34 + 0.1 · (0.75 · 1 + 0.1 · 1)
    _, _, box, velocity = pushed([(0.34, 0.0), (0.0, 0.34)], [(1.0, 0.0), (0.0, 1.0), rolling])
    assert (box, velocity) == ([0.0, 0.0], [-1.0, 0.0])
    # they are apart and arrive: the box goes on, slowed by damping and not yet pushed
    _, _, box, velocity = pushed([(0.4, 0.0), (0.0, 0.4)], [(-1.0, 0.0), (0.0, -1.0), rolling])
    assert velocity == pytest.approx([-0.75, 0.0])
    assert box == pytest.approx([-0.075, 0.0])


def test_touching_begins_a_little_outside_the_box() -> None:
    # 100 · 0.001 · log(1 + exp(−x / 0.001)) is 0.005 at x = 0.00297
    for distance, touching in ((0.3529, True), (0.3531, False)):
        slow = [(distance, 0.0), (0.0, distance)]
        _, _, _, velocity = pushed(slow, [*STILL[:2], (-1.0, 0.0)])
        assert (velocity[0] == pytest.approx(-0.75, abs=0.001)) is touching


def test_agents_push_each_other_apart_and_choose_with_a_sensitivity_of_two() -> None:
    _, velocities, _, _ = pushed([(3.0, 0.0), (3.15, 0.0)], forces=[(0.0, 1.0), (0.0, -1.0)])
    assert velocities == [pytest.approx([-0.5, 0.2]), pytest.approx([0.5, -0.2])]


# Push box: what it pays and shows


def test_every_agent_pays_the_squared_distance_of_the_box_from_the_target() -> None:
    _, reward = after(PushBox(action="force"), world([*FAR, (0.2, 0.3)], [(-0.1, 0.7)]))
    assert reward == pytest.approx([-0.25, -0.25])


@pytest.mark.parametrize("task", ["I", "II", "III"])
def test_a_box_that_never_moves_costs_what_was_logged(task: Literal["I", "II", "III"]) -> None:
    env, streams = PushBox(task=task, action="force"), Streams.of([0], "start", "cpu")
    state = env.reset(streams, 50)
    far = torch.tensor([*FAR, (0.0, 0.0)]).expand(1, 50, 3, 2)
    state, total = state._replace(position=far), torch.zeros(1, 50, 2)
    for _ in range(env.horizon):
        state, reward, _ = env.step(state, (streams.uniform(50, 2, 2, low=-0.1, high=0.1),), streams)
        total = total + reward
    torch.testing.assert_close(total, torch.full_like(total, -72.25))


def test_the_target_is_left_or_right_or_one_of_three() -> None:
    streams = Streams.of(range(3), "start", "cpu")
    left, right, any_of = (PushBox(task=task).reset(streams, 400).landmark for task in ("I", "II", "III"))
    assert torch.equal(left, torch.tensor([-0.85, 0.0]).expand(3, 400, 1, 2))
    assert torch.equal(right, torch.tensor([0.85, 0.0]).expand(3, 400, 1, 2))
    targets, counts = torch.unique(any_of.flatten(0, 2), dim=0, return_counts=True)
    assert [target.tolist() for target in targets] == [
        pytest.approx(target, abs=1e-3) for target in ([-0.85, 0.0], [-0.601, -0.601], [0.85, 0.0])
    ]
    # 400 each are expected, with a standard deviation of 16
    assert counts.min() > 320


def test_push_box_starts_at_rest_with_agents_anywhere_and_the_box_in_the_middle() -> None:
    state = PushBox().reset(Streams.of(range(3), "start", "cpu"), 500)
    assert not state.velocity.any()
    assert not state.position[:, :, 2].any()
    assert fills(state.position[:, :, 0], (-1.0, 1.0, -1.0, 1.0))
    assert fills(state.position[:, :, 1], (-1.0, 1.0, -1.0, 1.0))


def test_push_box_refuses_other_tasks() -> None:
    with pytest.raises(ValueError, match=r"task of PushBox must be 'I', 'II' or 'III', got 'IV'"):
        PushBox(task="IV")  # type: ignore[arg-type]


def test_agents_see_the_box_the_target_and_each_other_relative_to_themselves() -> None:
    state = world([(1.0, 2.0), (4.0, 4.0), (0.0, 0.5)], LEFT, [(7.0, 8.0), (5.0, 6.0), (9.0, 9.0)])
    first, second = PushBox().observe(state)[0][0, 0].tolist()
    assert first == pytest.approx([7, 8, 1, 2, -1, -1.5, -1.85, -2, 3, 2])
    assert second == pytest.approx([5, 6, 4, 4, -4, -3.5, -4.85, -4, -3, -2])


# Push box: what pushing achieves


def pushing(state: Particles, n_pushing: int) -> Tensor:
    """Forces with which agents stay side by side behind the box and push it towards the target.

    Those that do not push stand still. Shapes: [S, E, 2, 2].
    """
    agents, box = state.position.split([2, 1], 2)
    forward = torch.nn.functional.normalize(state.landmark - box, dim=-1)  # [S, E, 1, 2]
    sideways = torch.stack([-forward[..., 1], forward[..., 0]], -1)
    aside = ((agents - box) * sideways).sum(-1, keepdim=True)  # [S, E, 2, 1]
    force: Tensor = forward + 10.0 * (aside.sign() * 0.105 - aside) * sideways
    idle = (torch.arange(2) >= n_pushing)[:, None]
    return force.clamp(-1.0, 1.0).masked_fill(idle, 0.0)


def pushed_for_an_episode(task: Literal["I", "II", "III"], n_pushing: int) -> tuple[Tensor, Tensor]:
    """The return of one agent and the last distance of the box from the target. Shapes: [E] each."""
    env, streams = PushBox(task=task, action="force"), Streams.of([0], "pushing", "cpu")
    state = env.reset(streams, 30)
    behind = -0.5 * torch.nn.functional.normalize(state.landmark, dim=-1)  # [S, E, 1, 2]
    sideways = torch.stack([-behind[..., 1], behind[..., 0]], -1) * 0.3
    position = torch.cat([behind + sideways, behind - sideways, torch.zeros_like(behind)], 2)
    state, total = state._replace(position=position), torch.zeros(1, 30)
    for _ in range(env.horizon):
        state, reward, _ = env.step(state, (pushing(state, n_pushing),), streams)
        total = total + reward[..., 0]
    return total[0], (state.position[:, :, 2] - state.landmark[:, :, 0]).norm(dim=-1)[0]


@pytest.mark.parametrize("task", ["I", "II", "III"])
def test_two_agents_behind_the_box_push_it_to_the_target(task: Literal["I", "II", "III"]) -> None:
    total, distance = pushed_for_an_episode(task, n_pushing=2)
    assert distance.max() < 0.1
    assert total.min() > -20.0


@pytest.mark.parametrize("n_pushing", [0, 1])
def test_fewer_than_two_agents_never_move_it(n_pushing: int) -> None:
    total, distance = pushed_for_an_episode("III", n_pushing)
    torch.testing.assert_close(total, torch.full_like(total, -72.25))
    torch.testing.assert_close(distance, torch.full_like(distance, 0.85))


def test_random_choices_hardly_ever_move_the_box() -> None:
    totals = returns(PushBox(), lambda state, actors: actors.integers(200, 2, high=5), 200) / 2
    assert (totals == totals.median()).double().mean() > 0.95
    assert float(totals.median()) == pytest.approx(-72.25, abs=1e-3)
