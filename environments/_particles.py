"""The particle world: discs on an unbounded plane that accelerate, damp and push each other apart.

Every function is pure and works on any number of rows, in float32 and float64. Seeds must not notice each other, so
two rules hold here. No sum over agents or landmarks is left to a reduction kernel, whose order may follow the size of
the batch (`ordered_sum`). And `softplus`, `logaddexp` and `sigmoid` are not used: on the CPU their last bit depends on
whether an element falls into a vector register or into the remainder of the loop (torch 2.13), while `exp`, `log1p`
and `sqrt` give the same bits everywhere.

Tensors are indexed [S, E, A, 2] but stored with the copies next to each other in memory (`copies_innermost`), because
with two numbers in the innermost loop a pairwise difference takes twenty times as long. What leaves an environment as
an observation or a reward is contiguous. Pairs of agents are worked on in place: among many agents every temporary is
a megabyte or more, which malloc may give back to the system and fetch anew, page by page, at every step.

Source: openai/multiagent-particle-envs @83ba4d1, `multiagent/core.py`; mpe2 1.1.1, `_mpe_utils/core.py`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from environments import Action, Amount, Box, Discrete, Positive, Role, Share, check, side_by_side

ActionKind = Literal["force", "soft", "discrete"]


class Particles(NamedTuple):
    """Where everything is. Shapes: position and velocity [S, E, A, 2] of the agents, landmark [S, E, L, 2]."""

    position: Tensor
    velocity: Tensor
    landmark: Tensor


@dataclass(frozen=True)
class Physics:
    """The constants that all particle games share.

    Two integrators are in use, and they are not the same game: openai's updates the velocity first and moves with the
    new one; mpe2 (and PettingZoo from 1.23 on) moves with the old one, so that an action shows one step later.

    Units: lengths in half-widths of the arena, times in seconds.
    Source: openai/multiagent-particle-envs @83ba4d1, `World.__init__`, `Entity.__init__`, `World.integrate_state`;
        mpe2 1.1.1, `World.integrate_state`.
    """

    integrator: Literal["openai", "mpe2"] = "openai"
    dt: Positive = 0.1
    damping: Share = 0.25
    contact_force: Amount = 100.0
    contact_margin: Positive = 0.001
    mass: Positive = 1.0

    def __post_init__(self) -> None:
        check(self)


OPENAI = Physics(integrator="openai")
MPE2 = Physics(integrator="mpe2")

UNDERFLOW = {torch.float32: -104.0, torch.float64: -746.0}
"""Below this, exp is 0 to the last bit: half of the smallest subnormal number is exp(−103.97), or exp(−745.13)."""


def copies_innermost(x: Tensor) -> Tensor:
    """The same tensor, stored in the order [A, n, S, E]. Shapes: [S, E, A, n]."""
    return x.permute(2, 3, 0, 1).contiguous().permute(2, 3, 0, 1)


def stored_for_speed(state: Particles) -> Particles:
    """The same state, each field stored with `copies_innermost`."""
    return Particles(*map(copies_innermost, state))


def bodies(state: Particles) -> Tensor:
    """Where agents and then landmarks are, stored with `copies_innermost`. Shapes: [S, E, A + L, 2]."""
    # Joined as they are stored: a concatenation of transposed pieces takes three times as long and is not.
    return torch.cat([field.permute(2, 3, 0, 1) for field in (state.position, state.landmark)]).permute(2, 3, 0, 1)


def ordered_sum(terms: Tensor, dim: int) -> Tensor:
    """((x₁ + x₂) + x₃) + … along `dim`, in this order for any batch. Shapes: `terms` without `dim`."""
    return functools.reduce(torch.add, terms.unbind(dim))


def squares(vectors: Tensor) -> Tensor:
    """‖v‖₂². Shapes: [..., 2] to [...]."""
    x, y = vectors.square().unbind(-1)
    return x + y


def lengths(vectors: Tensor) -> Tensor:
    """‖v‖₂. Shapes: [..., 2] to [...]."""
    return squares(vectors).sqrt_()


def offsets(origin: Tensor, target: Tensor) -> Tensor:
    """target_j − origin_i for all pairs. Shapes: [..., A, 2] and [..., N, 2] to [..., A, N, 2]."""
    return target.unsqueeze(-3) - origin.unsqueeze(-2)


@functools.cache
def constant(values: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """`values` as a tensor that is made once, not at every step. Shapes: [n]."""
    return torch.tensor(values, device=device, dtype=dtype)


@functools.cache
def reaches(sizes: tuple[float, ...], others: tuple[float, ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """sᵢ + sⱼ: discs closer than this overlap. Shapes: [A, N]."""
    # Added as Python floats: 0.15 + 0.15 and 0.3 are different numbers in float32, and the predicate is strict.
    rows = [[size + other for other in others] for size in sizes]
    return torch.tensor(rows, device=device, dtype=dtype)


@functools.cache
def _others(n_agents: int, device: torch.device) -> Tensor:
    """For each agent in turn the indices of the others. Shapes: [A · (A-1)]."""
    pairs = [j for i in range(n_agents) for j in range(n_agents) if j != i]
    return torch.tensor(pairs, device=device, dtype=torch.int64)


def others_of(x: Tensor) -> Tensor:
    """x_j for all j ≠ i, in the order of j. Shapes: [S, E, A, 2] to [S, E, A, A-1, 2]."""
    n_seeds, n_envs, n_agents, n_features = x.shape
    others = x.index_select(2, _others(n_agents, x.device))
    return others.view(n_seeds, n_envs, n_agents, n_agents - 1, n_features)


def offsets_to_others(position: Tensor) -> Tensor:
    """x_j − x_i for all j ≠ i, in the order of j. Shapes: [S, E, A, 2] to [S, E, A, A-1, 2]."""
    return others_of(position) - position.unsqueeze(-2)


def contact_forces(physics: Physics, position: Tensor, obstacles: Tensor, reach: Tensor) -> Tensor:
    """Σⱼ f · (xᵢ − xⱼ)/d · k·log(1 + exp(−(d − reach)/k)): what pushes overlapping discs apart.

    The agents themselves belong to `obstacles`. A disc does not push itself, and two that lie exactly upon each other
    do not push either, where the sources divide by zero.

    Shapes: position [S, E, A, 2], obstacles [S, E, N, 2], reach [A, N]; returns [S, E, A, 2].
    Source: openai/multiagent-particle-envs @83ba4d1, `World.get_collision_force`.
    """
    distance = lengths(offsets(position, obstacles))  # [S, E, A, N]
    strength = softplus_((reach - distance).div_(physics.contact_margin))
    strength.mul_(-physics.contact_force * physics.contact_margin).div_(distance.clamp_min_(1e-12))
    # Offsets are made again, for they are the largest of all temporaries: to keep them would take longer.
    return ordered_sum(offsets(position, obstacles).mul_(strength.unsqueeze(-1)), -2)


def softplus_(x: Tensor) -> Tensor:
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)), in place of x; its bits do not depend on the batch.

    Where the second term is 0, or lost in the first, exp is not asked for: most discs are far apart, and an exp that
    is 0 or subnormal takes up to a hundred times as long as another (torch 2.13, float32).

    Shapes: any.
    """
    lowest = UNDERFLOW[x.dtype]
    width = (64.0 - lowest) / 2.0
    # 1 where the second term matters: a mask of numbers, because masks of truth values take ten times as long.
    matters = (x - (64.0 - width)).abs_().le_(width)
    tail = x.abs().neg_().mul_(matters).exp_().mul_(matters).log1p_()
    return x.clamp_min_(0.0).add_(tail)


def integrate(
    physics: Physics, position: Tensor, velocity: Tensor, force: Tensor, max_speed: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Position and velocity one time step later: v' = (1 − damping)·v + F/m·dt, |v'| ≤ max_speed.

    Shapes: position, velocity, force [S, E, A, 2], max_speed [A] with inf for no limit.
    Source: `World.integrate_state` of openai (x' = x + v'·dt) and of mpe2 (x' = x + v·dt).
    """
    faster = velocity * (1.0 - physics.damping) + force * (physics.dt / physics.mass)
    if max_speed is not None:
        faster = faster * (max_speed / lengths(faster)).clamp_max(1.0).unsqueeze(-1)
    moving = faster if physics.integrator == "openai" else velocity
    return position + moving * physics.dt, faster


def action_space(kind: ActionKind) -> Action:
    """What an agent may choose from: a force, five soft weights, or one of five directions."""
    spaces: dict[str, Action] = {"force": Box(2, -1.0, 1.0), "soft": Box(5, 0.0, 1.0), "discrete": Discrete(5)}
    return spaces[kind]


def thrust(kind: ActionKind, action: Tensor, dtype: torch.dtype) -> Tensor:
    """The direction and strength u in which agents push themselves, before any sensitivity.

    "force" is u itself, clipped to the box. "soft" is openai's 5-vector, u = (a₁ − a₂, a₃ − a₄), not clipped.
    "discrete" is the index of a one-hot such vector: 0 rests, 1 goes +x, 2 −x, 3 +y, 4 −y; mpe2 has the opposite signs.

    Shapes: [S, E, A, 2], [S, E, A, 5] or [S, E, A] to [S, E, A, 2].
    Source: openai/multiagent-particle-envs @83ba4d1, `MultiAgentEnv._set_action`.
    """
    if kind == "force":
        return copies_innermost(action.clamp(-1.0, 1.0).to(dtype))
    if kind == "soft":
        return copies_innermost((action[..., 1::2] - action[..., 2::2]).to(dtype))
    directions = constant((0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0), action.device, dtype)
    return copies_innermost(directions.view(5, 2)[action])


def validate(roles: Sequence[Role], actions: Sequence[Tensor], rows: Sequence[int]) -> None:
    """Nothing, if every role's actions fit.

    Shapes and types are checked everywhere. Values are looked at on the CPU only, where it costs a few microseconds;
    on a GPU it would make every step wait for the device, and a NaN shows in the rewards instead.

    Raises: ValueError where the number of roles, a shape or a type is wrong, an entry is NaN or a choice unknown.
    """
    if len(actions) != len(roles):
        raise ValueError(f"actions must be one tensor a role, {len(roles)} in all, got {len(actions)}")
    for role, action in zip(roles, actions, strict=True):
        _validate_form(role, action, (*rows, role.n_agents))
        if action.device.type == "cpu":
            _validate_values(role, action)


def _validate_form(role: Role, action: Tensor, agents: tuple[int, ...]) -> None:
    box = isinstance(role.action, Box)
    expected = (*agents, role.action.n) if box else agents
    if action.shape != expected:
        raise ValueError(
            f"actions of role {role.name!r} must have the shape {list(expected)}, got {list(action.shape)}"
        )
    if not (action.is_floating_point() if box else action.dtype == torch.int64):
        kind = "floating point" if box else "int64"
        raise ValueError(f"actions of role {role.name!r} must be {kind}, got {action.dtype}")


def _validate_values(role: Role, action: Tensor) -> None:
    if isinstance(role.action, Box):
        # One reduction instead of a mask and its reduction: a NaN survives every sum.
        if math.isnan(action.sum().item()) and bool(action.isnan().any()):
            first = action.isnan().nonzero()[0].tolist()
            raise ValueError(f"actions of role {role.name!r} must be numbers, got NaN at {first}")
        return
    low, high = (int(end) for end in action.aminmax())
    if low < 0 or high >= role.action.n:
        raise ValueError(f"actions of role {role.name!r} must lie in 0 … {role.action.n - 1}, got {low} … {high}")


def shared(reward: Tensor) -> Tensor:
    """Σᵢ rᵢ for every agent. Shapes: [S, E, A] to [S, E, A].

    Source: openai/multiagent-particle-envs @83ba4d1, `MultiAgentEnv.step` with `world.collaborative`.
    """
    return ordered_sum(reward, -1).unsqueeze(-1).expand(reward.shape).contiguous()


def uncovered(distance: Tensor) -> Tensor:
    """Σ_l min_a d(a, l): how far landmarks are from their closest agents. Shapes: [S, E, A, L] to [S, E]."""
    closest = functools.reduce(torch.minimum, distance.unbind(-2))  # six times as fast as `amin`
    return ordered_sum(closest, -1)


def collisions(position: Tensor, reach: Tensor) -> Tensor:
    """How many discs each agent overlaps, itself included. Shapes: [S, E, A, 2] to [S, E, A]."""
    overlapping = lengths(offsets(position, position)).lt_(reach)  # 1 or 0: truth values take ten times as long
    return ordered_sum(overlapping, -1)


def expense(state: Particles, distance: Tensor, reach: Tensor, penalty: float, self_collision: bool) -> Tensor:
    """What every agent of CTEDD's games loses in a step: Σ_l min_a d(a, l) + penalty · #collisions.

    As in openai's `simple_spread`, an agent may count as colliding with itself: a constant.

    Shapes: distance [S, E, A, L]; returns [S, E, A].
    """
    collided = collisions(state.position, reach) - (0.0 if self_collision else 1.0)
    return uncovered(distance).unsqueeze(-1) + collided * penalty


def never(state: Particles) -> Tensor:
    """False for every copy: no particle game ends by its rules. Shapes: [S, E] bool."""
    return torch.zeros(state.position.shape[:2], dtype=torch.bool, device=state.position.device)


def joined(features: Sequence[Tensor]) -> Tensor:
    """The features of each agent one after the other, contiguous. Shapes: each [S, E, A, n]; returns [S, E, A, Σn]."""
    # Joined as they are stored and transposed once: a concatenation of transposed pieces takes three times as long.
    return torch.cat([feature.permute(2, 3, 0, 1) for feature in features], 1).permute(2, 3, 0, 1).contiguous()


def flattened(state: Particles) -> Tensor:
    """Positions, velocities, landmarks as one row, uncopied where they lie in memory so. Shapes: [S, E, 4A + 2L]."""
    return side_by_side(state)


def egocentric(state: Particles, observation: Literal["vectors", "distance"]) -> Tensor:
    """What agents of CTEDD's games measure: own velocity, then where all landmarks and the other agents are.

    "vectors" are relative positions; "distance" keeps their lengths only.

    Shapes: [S, E, A, 2 + 2L + 2(A-1)], or [S, E, A, 2 + L + A-1] for distances.
    """
    n_agents, n_landmarks = state.position.shape[-2], state.landmark.shape[-2]
    measuring = _measuring(n_agents, n_landmarks, state.position.device, state.position.dtype)
    measured: Tensor = (flattened(state) @ measuring).unflatten(-1, (n_agents, -1))
    if observation == "vectors":
        return measured
    return torch.cat([measured[..., :2], lengths(measured[..., 2:].unflatten(-1, (-1, 2)))], -1)


@functools.cache
def _measuring(n_agents: int, n_landmarks: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The matrix that turns a flattened state into all agents' vectors: every column has a 1, or a 1 and a -1.

    A product with it is exact but for the one subtraction, whatever the order of its terms, so that it equals the
    subtraction bit for bit. It takes a third of the time of subtracting and gathering.

    Shapes: [4A + 2L, A · (2 + 2L + 2(A-1))].
    """
    n_places = 2 * n_agents + n_landmarks  # positions, velocities, landmarks
    place = torch.eye(2 * n_places, device=device, dtype=dtype).unflatten(0, (n_places, 2))  # [n, 2, K]
    position, velocity, landmark = place.split([n_agents, n_agents, n_landmarks])
    columns = []
    for i in range(n_agents):
        columns += [velocity[i], *(landmark - position[i]), *(position[j] - position[i] for j in others(n_agents, i))]
    return torch.cat(columns).T.contiguous()


def others(n_agents: int, i: int) -> list[int]:
    """All agents but i."""
    return [j for j in range(n_agents) if j != i]


def egocentric_size(n_agents: int, n_landmarks: int, observation: Literal["vectors", "distance"]) -> int:
    """The length of what `egocentric` returns for one agent."""
    seen = n_landmarks + n_agents - 1
    return 2 + (2 * seen if observation == "vectors" else seen)
