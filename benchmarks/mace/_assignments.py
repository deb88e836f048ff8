"""Which entries of λ go with where hunters go, in the episodes of each of the two assignments by itself."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from benchmarks.mace._latents import ALPHA, OVERLAP, OVERLAP_BY_CHANCE, Played, overlaps, p_of

ENTRIES, ENTRIES_UNFELT = "entries that correlate in either assignment", "entries that correlate in either one unfelt"
SHARED, SHARED_BY_CHANCE = "overlap of the assignments' entries", "overlap of the assignments' entries by chance"
BOTH, BOTH_BY_CHANCE = "entries that correlate with both hunters", "entries that correlate with both by chance"
ASSIGNED = "share that ends in an assignment"
FEWEST = 40
METRICS: Mapping[str, str] = {
    ENTRIES: "entries of λ that correlate in the episodes of one assignment, and of the other, added",
    ENTRIES_UNFELT: "the same of a λ that is drawn in the same states and used for nothing",
    SHARED: "Jaccard's index of the two assignments' entries of λ; nothing where either has none",
    SHARED_BY_CHANCE: "the same of random sets of entries of these sizes",
    BOTH: "of the entries that correlate in either assignment, the share that do with both hunters",
    BOTH_BY_CHANCE: "the same of random sets of entries for each hunter, of the sizes found",
    ASSIGNED: "share of the episodes from one start that end in either assignment",
}


def by_assignment(found: Played, assignment: Tensor) -> dict[str, Tensor]:
    """The metrics; NaN but for the last where an assignment has fewer than `FEWEST` episodes.

    Of the commoner assignment the first episodes count, as many as there are of the other.

    Shapes: assignment [S, E] in {-1, 0, 1}; returns [S] each.
    """
    parts, n = thinned(assignment)
    moved = found.displacement.flatten(2)
    sets, unfelt = (
        torch.stack([correlating(latent, moved, part, n) for part in parts], dim=-1)
        for latent in (found.latent, found.unfelt)
    )  # [S, m, N, 2]
    of_assignments, of_hunters = sets.any(dim=2), sets.any(dim=3)
    apart, both = overlaps(of_assignments), overlaps(of_hunters)
    some = of_assignments.any(dim=1).all(dim=1)
    known = {
        ENTRIES: of_assignments.sum(dim=(1, 2)).double(),
        ENTRIES_UNFELT: unfelt.any(dim=2).sum(dim=(1, 2)).double(),
        SHARED: apart[OVERLAP].masked_fill(~some, torch.nan),
        SHARED_BY_CHANCE: apart[OVERLAP_BY_CHANCE].masked_fill(~some, torch.nan),
        BOTH: both[OVERLAP].masked_fill(~some, torch.nan),
        BOTH_BY_CHANCE: both[OVERLAP_BY_CHANCE].masked_fill(~some, torch.nan),
    }
    few = n < FEWEST
    ends = (assignment != 0).double().mean(dim=1)
    return {name: values.masked_fill(few, torch.nan) for name, values in known.items()} | {ASSIGNED: ends}


def thinned(assignment: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """The episodes of each assignment, as many of both, and how many. Shapes: [S, E] → two of [S, E] bool, [S]."""
    first, second = assignment == 1, assignment == -1
    n = torch.minimum(first.sum(dim=1), second.sum(dim=1))
    one, other = (of & (of.cumsum(dim=1) <= n.unsqueeze(1)) for of in (first, second))
    return (one, other), n


def correlating(latent: Tensor, moved: Tensor, used: Tensor, n: Tensor) -> Tensor:
    """Which entries correlate with which hunter's displacement, over the episodes that are used, n of every seed.

    Shapes: latent [S, E, m], moved [S, E, 2·N], used [S, E], n [S] → [S, m, N] bool.
    """
    r = (_standardised(latent, used).unsqueeze(3) * _standardised(moved, used).unsqueeze(2)).sum(dim=1)
    p = p_of(r, n.clamp_min(3)[:, None, None])
    found: Tensor = (p < ALPHA).unflatten(2, (-1, 2)).any(dim=-1)
    return found


def _standardised(x: Tensor, used: Tensor) -> Tensor:
    """With mean 0 and norm 1 over the episodes that are used, 0 elsewhere and where nothing varies."""
    weight = used.double().unsqueeze(-1)
    mean = (x.double() * weight).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True).clamp_min(1.0)
    centred = (x.double() - mean) * weight
    norm = centred.square().sum(dim=1, keepdim=True).sqrt()
    return torch.where(norm > 1e-9, centred / norm.clamp_min(1e-9), 0.0)
