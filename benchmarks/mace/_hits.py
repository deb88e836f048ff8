"""Entries of λ that correlate beyond false hits: with α = 0.1 and several tests an entry, many do without any relation.

How often an entry hits falsely is taken from the λ that nobody feels, which is drawn in the same states and tested in
the same episodes: u hits in two sets of m entries are q = u/2m. The episodes of the two assignments are others, so that
an entry that hits with chance x in one of them and has no relation to the other is in both sets with chance x·q.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from benchmarks import Curve
from benchmarks._judging.beside import beside
from benchmarks._judging.scores import Last

M = 16
"""Entries of λ."""


class Sets(NamedTuple):
    """How many entries there are in the sets of both assignments, in either, in both, and false hits of both sets."""

    added: float
    either: float
    both: float
    false: float

    @classmethod
    def of(cls, overlap: Curve, added: Curve, unfelt: Curve) -> Sets:
        """From Jaccard's index J and |A| + |B|, with |A∪B| = (|A| + |B|)/(1 + J)."""
        index, size, false = (Last()(curve) for curve in (overlap, added, unfelt))
        return cls(size, size / (1 + index), size * index / (1 + index), false)


@dataclass(frozen=True)
class InBoth:
    """Entries in both assignments' sets, beyond false hits; beside the overlap stand |A| + |B| and the same unfelt."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"of {M} entries, last value, beyond false hits"

    def __call__(self, curve: Curve) -> float:
        """|A∩B| − q·(|A| + |B|) + m·q², with q² estimated without bias by u(u−1)/(2m(2m−1)).

        Of an entry with chances x and y to hit this expects (x − q)(y − q): 0 where one of them is a false hit's.
        """
        added = beside(curve)
        found = Sets.of(curve, added, beside(added))
        q, q_squared = found.false / (2 * M), found.false * (found.false - 1) / (2 * M * (2 * M - 1))
        return found.both - q * found.added + M * q_squared


@dataclass(frozen=True)
class OfOneHunter:
    """Entries that correlate with one hunter alone, beyond false hits; beside the share that do with both stand the
    overlap of the assignments' entries, |A| + |B|, and the same unfelt."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""
        return f"of {M} entries, last value, beyond false hits"

    def __call__(self, curve: Curve) -> float:
        """Over entries Σ (x − q)·(1 − y) + (y − q)·(1 − x), where x and y say whether one hits with hunter 1 and 2.

        That is |A∪B|·(1 − share) − q·(2m − |A∪B|·(1 + share)). It expects 0 of an entry without any relation, and of
        one that hits with both hunters for certain; (1 − q)² of one that is related to one hunter alone.
        """
        overlap = beside(curve)
        added = beside(overlap)
        found, share = Sets.of(overlap, added, beside(added)), Last()(curve)
        q = found.false / (2 * M)
        return found.either * (1 - share) - q * (2 * M - found.either * (1 + share))
