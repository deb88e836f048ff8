"""What λ has to do with where hunters go: the episodes of Figures 5 and 6, and what is counted in them.

λ is drawn at every step, or ε once an episode, so that its mean over an episode has two parts. One is what the draws
happened to be: if λ steers, a hunter's mean step goes with it. The other is where the game has been, through μ(s): that
part goes with the steps of the hunters even if nobody feels λ. To tell them apart a second λ is drawn in the same
states, and used for nothing; and what chance alone would give is counted with the episodes of one side in another
order.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import Any, ClassVar, NamedTuple

import torch
from scipy.special import stdtr, stdtrit
from torch import Tensor

from algorithms._copies import lost, playable
from algorithms.frozen import Frozen
from algorithms.mace import MACE, Network
from benchmarks import Cell, Evaluation, Measured
from environments import Streams
from environments.hunters import Hunt, Hunters

ALPHA = 0.1
"""The level of the paper's two-sided t tests."""

CAUGHT = "episodes with all prey caught"
COMPONENTS, COMPONENTS_BY_CHANCE = "components that correlate", "components that correlate by chance"
COMPONENTS_UNFELT = "components that correlate unfelt"
SHARE, SHARE_BY_CHANCE, SHARE_UNFELT = "correlations", "correlations by chance", "correlations unfelt"
OVERLAP, OVERLAP_BY_CHANCE = "overlap of two hunters' components", "overlap by chance"
RARER, FIRST, SECOND = "share of the rarer assignment", "share of the first assignment", "share of the swapped one"
TOLD, TOLD_BY_CHANCE, TOLD_UNFELT = "assignments told by λ", "assignments told by chance", "assignments told unfelt"

MEANS, DISPLACEMENTS, R, P = "means of λ", "mean displacements", "correlation", "p of correlation"
HUNTERS, CAPTURED, PREY, HITS = (
    "snapshots of hunters",
    "snapshots of captures",
    "snapshots of prey",
    "snapshots of hits",
)
SNAPSHOTS = {HUNTERS: "hunters", CAPTURED: "captured", PREY: "prey", HITS: "hits"}
PATHS, ASSIGNMENTS, MEANS_FIXED = "paths from one start", "assignments from one start", "means of λ from one start"

FIRST_START = ((3, 3), (7, 7), (3, 7), (7, 3))
"""Hunter 1, hunter 2, prey A, prey B: corners of a square, so that each hunter has four steps to either prey."""


class Played(NamedTuple):
    """Episodes as they were played, each until its own end.

    Shapes: latent and unfelt [S, E, m], means over steps; displacement [S, E, N, 2], cells a step; paths
    [S, E, T+1, N, 2] int16, not wrapped around the torus, at rest after the end; end: E games; first: the first of
    them at its start, its middle and its end, three games.
    """

    latent: Tensor
    unfelt: Tensor
    displacement: Tensor
    paths: Tensor
    end: Hunt
    first: Hunt

    @property
    def caught(self) -> Tensor:
        """Whether all prey were. Shapes: [S, E] bool."""
        return (self.end.hits == 0).all(dim=-1)


@torch.no_grad()
def played(algorithm: MACE, env: Hunters, network: Network, game: Hunt, streams: Streams) -> Played:
    """The episodes that begin with `game`, λ and actions sampled; NaN in the λ of a policy that has diverged."""
    device = game.t.device
    going = torch.ones(game.t.shape[:2], dtype=torch.bool, device=device)
    length, latent, unfelt = (torch.zeros((), device=device) for _ in range(3))
    place, paths, first = game.hunters, [game.hunters.short()], [first_of(game)]
    shape = game.t.shape[1], algorithm.latent_size
    for t in range(env.horizon):
        if t == 0 or algorithm.latent_lasts == "step":
            noise, unheard = streams.normal(*shape), streams.normal(*shape)
        decided = algorithm.decision(env, game, network, noise, streams.uniform(shape[0], env.n_hunters))
        other = decided.mean + decided.std * unheard
        latent = latent + (decided.latent + lost(decided.actions)[..., :1]) * going.unsqueeze(-1)
        unfelt = unfelt + other * going.unsqueeze(-1)
        length = length + going
        following, _, ended = env.step(game, (playable(decided.actions),), streams)
        place = place + (following.hunters - game.hunters + 1) % env.grid - 1  # strides are of one cell
        game, going = following, going & ~ended
        paths.append(place.short())
        first.append(first_of(game))
    half = torch.stack([torch.zeros_like(length), length // 2, length], dim=-1)[:, 0].long()  # [S, 3]
    seeds = torch.arange(len(half), device=device)[:, None]
    return Played(
        latent / length.unsqueeze(-1),
        unfelt / length.unsqueeze(-1),
        (place - paths[0]) / length[..., None, None],
        torch.stack(paths, dim=2),
        game,
        Hunt(*(torch.stack(field, dim=1)[seeds, half] for field in zip(*first, strict=True))),
    )


def first_of(game: Hunt) -> Hunt:
    """The first episode, apart from the others. Shapes: fields [S, ...]."""
    return Hunt(*(field[:, 0].clone() for field in game))


def untrained(cell: Cell, environment: str) -> Cell:
    """The learner of a cell as it begins, seed by seed, measured alike and never trained."""
    evaluation, frozen = Evaluation(every=100, n_episodes=0), Frozen(cell.algorithm)
    return replace(
        cell, name=f"{cell.name}, untrained", environment=environment, algorithm=frozen, evaluation=evaluation
    )


def player(algorithm: Any) -> MACE:
    """The algorithm itself, of one that has stopped learning too."""
    found: MACE = algorithm.learner if isinstance(algorithm, Frozen) else algorithm
    return found


@dataclass(frozen=True)
class Latents:
    """Do entries of λ, as means over an episode, correlate with how hunters are displaced in it?"""

    n_episodes: int = 100
    n_orders: int = 100
    """Random orders of the episodes, for what chance gives."""

    version: ClassVar[int] = 1
    metrics: ClassVar[Mapping[str, str]] = {
        CAUGHT: "share of the measured episodes in which all prey were caught in time",
        COMPONENTS: f"entries of λ that correlate (p < {ALPHA}) with a coordinate of a hunter's displacement",
        COMPONENTS_BY_CHANCE: "the same with the episodes of λ in another order; mean over orders",
        COMPONENTS_UNFELT: "the same of a λ that is drawn in the same states and used for nothing",
        SHARE: f"share of all pairs of an entry of λ and a coordinate of a displacement that correlate (p < {ALPHA})",
        SHARE_BY_CHANCE: "the same with the episodes of λ in another order; mean over orders",
        SHARE_UNFELT: "the same of a λ that is drawn in the same states and used for nothing",
        OVERLAP: "entries of λ that correlate with both of two hunters, by those that do with either; mean over pairs",
        OVERLAP_BY_CHANCE: "what it is on average if both hunters have as many entries, but any; mean over pairs",
    }
    arrays: ClassVar[Mapping[str, str]] = {
        MEANS: "of an episode; [episode, entry]",
        DISPLACEMENTS: "in cells a step, x and y; [episode, hunter, axis]",
        R: "Pearson's r of an entry of λ and a displacement, over episodes; [entry, hunter, axis]",
        P: "two-sided p of that, by Student's t; [entry, hunter, axis]",
        HUNTERS: "cells of the first episode at its start, its middle and its end; [time, hunter, axis]",
        CAPTURED: "which prey each hunter has hit, -1 while free; [time, hunter]",
        PREY: "cells; [time, prey, axis]",
        HITS: "that prey still needs; [time, prey]",
    }

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Streams) -> Measured:
        """Plays from random starts."""
        orders = streams.uniform(self.n_orders, self.n_episodes).argsort(dim=-1)
        game = env.reset(streams, self.n_episodes)
        found = played(player(algorithm), env, learner.network, game, streams)
        moved = found.displacement.flatten(2)
        r = correlation(found.latent, moved)
        p, axes = p_of(r, self.n_episodes), (env.n_hunters, 2)
        significant = (p < ALPHA).unflatten(2, axes)  # [S, m, N, 2]
        by_chance = _beyond(_standardised(found.latent), _standardised(moved), orders)  # [S, K, m, 2N]
        unfelt = p_of(correlation(found.unfelt, moved), self.n_episodes) < ALPHA
        metrics = {
            CAUGHT: found.caught.double().mean(dim=1),
            COMPONENTS: _components(significant.flatten(2)),
            COMPONENTS_BY_CHANCE: _components(by_chance).mean(dim=1),
            COMPONENTS_UNFELT: _components(unfelt),
            SHARE: significant.double().flatten(1).mean(dim=1),
            SHARE_BY_CHANCE: by_chance.double().flatten(1).mean(dim=1),
            SHARE_UNFELT: unfelt.double().flatten(1).mean(dim=1),
            **overlaps(significant.any(dim=-1)),
        }
        arrays = {
            MEANS: found.latent,
            DISPLACEMENTS: found.displacement,
            R: r.unflatten(2, axes).float(),
            P: p.unflatten(2, axes).float(),
            **{name: getattr(found.first, field).to(torch.int16) for name, field in SNAPSHOTS.items()},
        }
        return Measured(known(metrics, found.latent), arrays)


# ---- correlation ----------------------------------------------------------------------------------------------------


def correlation(one: Tensor, other: Tensor) -> Tensor:
    """Pearson's r over episodes, 0 where a side does not vary. Shapes: [S, E, m], [S, E, k] → [S, m, k] float64."""
    return (_standardised(one).unsqueeze(3) * _standardised(other).unsqueeze(2)).sum(dim=1)


def p_of(r: Tensor, n: int | Tensor) -> Tensor:
    """Two-sided p of r over n episodes, by Student's t = r·√((n-2)/(1-r²)) with n-2 degrees of freedom."""
    t = r.abs() * ((n - 2) / (1 - r.square()).clamp_min(0.0)).sqrt()
    degrees = torch.as_tensor(n - 2, dtype=torch.float64).cpu().numpy()
    return torch.as_tensor(2 * stdtr(degrees, -t.cpu().numpy()), device=r.device)


def overlaps(sets: Tensor) -> dict[str, Tensor]:
    """Jaccard's index of every two hunters' entries of λ, |A∩B|/|A∪B|, 0 of two empty sets; and what chance gives.

    Shapes: sets [S, m, N] bool → [S] each.
    """
    one, other = (sets[..., list(hunters)] for hunters in zip(*combinations(range(sets.shape[2]), 2), strict=True))
    both, either = ((one & other).sum(dim=1), (one | other).sum(dim=1))
    chance = _expected_overlap(sets.shape[1], sets.device)[one.sum(dim=1), other.sum(dim=1)]
    return {
        OVERLAP: (both / either.clamp_min(1).double()).mean(dim=1),
        OVERLAP_BY_CHANCE: chance.mean(dim=1),
    }


@functools.cache
def _expected_overlap(m: int, device: torch.device) -> Tensor:
    """E |A∩B|/|A∪B| of two sets of a and of b out of m, drawn uniformly. Shapes: [m+1, m+1] float64."""

    def of(a: int, b: int) -> float:
        ways = ((k, comb(a, k) * comb(m - a, b - k)) for k in range(max(1, a + b - m), min(a, b) + 1))
        return sum(k / (a + b - k) * n for k, n in ways) / comb(m, b)

    return torch.tensor([[of(a, b) for b in range(m + 1)] for a in range(m + 1)], dtype=torch.float64, device=device)


def _standardised(x: Tensor) -> Tensor:
    """With mean 0 and norm 1 over episodes, 0 where nothing varies. Shapes: [S, E, k] → the same in float64."""
    centred = x.double() - x.double().mean(dim=1, keepdim=True)
    varies = x.amax(dim=1, keepdim=True) > x.amin(dim=1, keepdim=True)
    norm = torch.where(varies, centred.square().sum(dim=1, keepdim=True).sqrt(), torch.inf)
    return centred / norm


def _beyond(one: Tensor, other: Tensor, orders: Tensor) -> Tensor:
    """Which r are significant with the episodes of one side in other orders.

    Shapes: standardised [S, E, m] and [S, E, k], orders [S, K, E] → [S, K, m, k] bool.
    """
    n = one.shape[1]
    t = float(stdtrit(n - 2, 1 - ALPHA / 2))
    seeds = torch.arange(len(one), device=one.device)[:, None, None]
    r = one[seeds, orders].transpose(2, 3) @ other.unsqueeze(1)
    critical: float = t / (n - 2 + t * t) ** 0.5
    return r.abs() > critical


def _components(significant: Tensor) -> Tensor:
    """How many entries correlate with anything. Shapes: [..., m, k] bool → [...]."""
    return significant.any(dim=-1).double().sum(dim=-1)


# ---- assignments ----------------------------------------------------------------------------------------------------


def square(env: Hunters, n_seeds: int, n_envs: int, device: torch.device) -> Hunt:
    """Two hunters and two hares at `FIRST_START`.

    Raises: ValueError where the game is another one.
    """
    if (env.game, env.n_hunters, env.n_prey) != ("Hare-Hunters", 2, 2) or env.grid <= max(map(max, FIRST_START)):
        raise ValueError(f"expected two hunters of two hares on a grid that holds {FIRST_START}, got {env}")
    cell = torch.tensor(FIRST_START, device=device).expand(n_seeds, n_envs, 4, 2)
    hunters, prey = (part.contiguous() for part in cell.split(2, dim=2))
    return Hunt(
        hunters,
        prey,
        torch.ones_like(prey[..., 0]),
        torch.full_like(hunters[..., 0], -1),
        torch.zeros_like(hunters[:, :, :1, 0]),
    )


def shuffled(labels: Tensor, keys: Tensor) -> Tensor:
    """The labels that are not 0 in the order of some keys, each 0 where it was.

    Shapes: labels [S, E], keys [S, K, E] → [S, K, E].
    """
    none = (labels == 0).unsqueeze(1).expand_as(keys)
    places = none.long().argsort(dim=-1, stable=True)  # those with a label first
    order = keys.masked_fill(none, torch.inf).argsort(dim=-1, stable=True)
    seen = labels.unsqueeze(1).expand_as(keys)
    return seen.scatter(-1, places, seen.gather(-1, order))


def told(x: Tensor, labels: Tensor, n_folds: int, ridge: float = 0.1) -> Tensor:
    """Share of labels that least squares tell from x when they are fitted to the other folds; mean over both labels.

    Each label weighs one half, and the weights of x, standardised, are penalised by `ridge`. Episodes with label 0 are
    left out. ½ where a label has fewer than two episodes: nothing can be told apart.

    Shapes: x [..., E, m], labels [..., E] in {-1, 0, 1} → [...].
    """
    y = labels.double()
    used = (labels != 0).double().unsqueeze(-1)
    n_used = used.sum(dim=-2, keepdim=True).clamp_min(1.0)
    x = x.double().nan_to_num(0.0)
    x = (x - (x * used).sum(dim=-2, keepdim=True) / n_used) * used
    x = x / (x.square().sum(dim=-2, keepdim=True) / n_used).sqrt().clamp_min(1e-12)
    x = torch.cat([x, used], dim=-1)  # [..., E, m+1]
    n_episodes, n_columns = x.shape[-2:]
    fold = torch.arange(n_episodes, device=x.device) % n_folds
    fitted = (fold != torch.arange(n_folds, device=x.device)[:, None]).double()  # [K, E]
    weight = torch.zeros((), device=x.device)
    for label in (-1, 1):
        of_label = (labels == label).double().unsqueeze(-2) * fitted
        weight = weight + of_label / (2 * of_label.sum(dim=-1, keepdim=True).clamp_min(1.0))
    weighted = (weight.unsqueeze(-1) * x.unsqueeze(-3)).transpose(-1, -2)  # [..., K, m+1, E]
    penalty = torch.full((n_columns,), ridge, dtype=x.dtype, device=x.device)
    penalty[-1] = 1e-9  # the constant is free
    matrix = weighted @ x.unsqueeze(-3) + penalty.diag()
    # Sums, not products with one column, which are rounded otherwise for one seed than for several.
    vector = (weighted * y[..., None, None, :]).sum(dim=-1, keepdim=True)
    solution = torch.linalg.solve(matrix, vector).transpose(-1, -2)  # [..., K, 1, m+1]
    said = (x.unsqueeze(-3) * solution).sum(dim=-1)  # [..., K, E]
    right = (said * y.unsqueeze(-2) > 0) & (fitted == 0)
    shares, fewest = torch.zeros((), device=x.device), torch.full((), torch.inf, device=x.device)
    for label in (-1, 1):
        count = (labels == label).sum(dim=-1).double()
        shares = shares + (right.any(dim=-2) & (labels == label)).sum(dim=-1) / (2 * count.clamp_min(1.0))
        fewest = torch.minimum(fewest, count)
    return torch.where(fewest < 2, 0.5, shares)


# ---- what is kept ---------------------------------------------------------------------------------------------------


def known(metrics: Mapping[str, Tensor], latent: Tensor) -> dict[str, Tensor]:
    """The same, NaN for seeds whose policy has diverged."""
    diverged = ~latent.isfinite().all(dim=-1).all(dim=-1)
    return {name: values.float().masked_fill(diverged, torch.nan) for name, values in metrics.items()}
