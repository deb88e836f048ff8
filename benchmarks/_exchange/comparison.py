"""Other people's curves held against a stored line: first as they are, then in the unit that they are found to be in.

found = compared(read(path, Columns()), stored(exhibit, "CN-V1/MADDPG-3"))
found.verdict, found.unit.taken.convention.words
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks._exchange.conventions import Convention, conventions
from benchmarks._exchange.curves import Curves, Track
from benchmarks._exchange.equivalence import Answer, Equivalence, Span, Tracks, equivalence, span
from benchmarks._exchange.levels import Reached, reached
from benchmarks._exchange.lines import Stored, ends
from benchmarks._exchange.units import Smoothing, Unit, smoothed, smoothing, unit_of


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    `theirs` are their curves in our unit, `ours` the stored ones, smoothed where theirs are, and `n_stored` is how many
    of theirs are stored curves.
    """

    given: Curves
    stored: Stored
    unit: Unit
    smoothing: Smoothing
    found: Equivalence
    theirs: Tracks
    ours: Tracks
    levels: tuple[Reached, ...]
    n_stored: int

    @property
    def verdict(self) -> Answer:
        """Whether they agree, in the unit that was found."""
        return self.found.verdict

    @property
    def convention(self) -> Convention:
        """The unit that was found."""
        return self.unit.taken.convention


def compared(given: Curves, line: Stored, *, counts_known: bool = False) -> Comparison:
    """A comparison in the best of the units that follow from the line's game.

    Raises: ValueError where two of theirs are one run, or nothing lies where ours are.
    """
    twins = twins_of(given.tracks)
    if twins:
        raise ValueError(f"{given.source}: independent runs never have the same curve, but {' and '.join(twins)} have")
    if span(given.tracks, line.tracks) is None:
        raise ValueError(f"{given.source}: {_apart(given.tracks, line)}")
    offered = conventions(line.line.cell.env, line.unit, counts_known=counts_known)
    unit = unit_of(given, line.tracks, line.margin, offered)
    one = unit.taken.convention
    theirs = given.converted(one.factor, one.shift, one.stride).tracks
    smooth = smoothing(theirs, line.tracks)
    ours = smoothed(line.tracks, smooth.width) if smooth.width > 1 else line.tracks
    within = span(theirs, ours)
    if within is None:
        raise ValueError(f"{given.source}: {_apart(theirs, line)}")
    found = equivalence(theirs, ours, line.margin, line.better, within)
    return Comparison(
        given=given,
        stored=line,
        unit=unit,
        smoothing=smooth,
        found=found,
        theirs=theirs,
        ours=ours,
        levels=_levels(theirs, ours, line, found, within),
        n_stored=sum(is_one_of(track, ours) for track in theirs.values()),
    )


def _levels(theirs: Tracks, ours: Tracks, line: Stored, found: Equivalence, within: Span) -> tuple[Reached, ...]:
    """How soon each comes up to levels; none where ours has not left chance by the margin."""
    chance, _ = ends(line.exhibit, line.panel, (line.line,))
    top = float(found.parts[-1].ours.mean())
    gained = top - chance if line.better == "larger" else chance - top
    if gained < line.margin.value:
        return ()
    kept = {seed: track for seed, track in theirs.items() if seed not in found.diverged}
    return reached(kept, ours, within, (chance, top), line.horizon)


def _apart(theirs: Tracks, line: Stored) -> str:
    """That two sets of curves have nothing in common, and what that may come from."""
    first, last = (f"{end:,.0f}" for end in _reach(theirs))
    tests = [f"{step:,.0f}" for step in _reach(line.tracks)]
    return (
        f"curves must share two of our tests to be compared, but yours have steps {first} to {last} and ours "
        f"{tests[0]} to {tests[1]}; --counted episodes or agent-steps says what else yours count"
    )


def _reach(tracks: Tracks) -> tuple[float, float]:
    return max(track.steps[0] for track in tracks.values()), min(track.steps[-1] for track in tracks.values())


def twins_of(tracks: Tracks) -> tuple[str, ...]:
    """Two seeds that are the same run, none where there are none; curves that never move may be alike."""
    seen: dict[bytes, str] = {}
    for seed, track in tracks.items():
        if np.ptp(track.values) == 0:
            continue
        content = track.steps.tobytes() + track.values.tobytes()
        if content in seen:
            return seen[content], seed
        seen[content] = seed
    return ()


def is_one_of(theirs: Track, ours: Tracks) -> bool:
    """Whether a curve is one of ours, to four digits."""
    for track in ours.values():
        both, mine, other = np.intersect1d(theirs.steps, track.steps, return_indices=True)
        if len(both) > 2 and np.allclose(theirs.values[mine], track.values[other], rtol=1e-4, atol=0):
            return True
    return False
