"""What came of a comparison, in sentences and rows, for the terminal and the page alike."""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmarks._drawing.numbers import number
from benchmarks._exchange.comparison import Comparison
from benchmarks._exchange.equivalence import Part, Tracks, lone
from benchmarks._exchange.levels import Reached
from benchmarks._judging.statistics import MOST_SEEDS

VERDICTS = {
    "AGREE": "They agree",
    "DIFFER": "They differ",
    "UNDECIDED": "Neither agreement nor a difference is shown",
}

NOTHING = 1e-4  # of a margin: what rounding leaves


class Table(NamedTuple):
    """A head and rows of texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sides(found: Comparison) -> list[tuple[str, str]]:
    """What is compared with what, and by which margin: a name and a text each."""
    line, given = found.stored, found.given
    exhibit = line.exhibit
    told = [
        ("yours", f"{given.source}, {given.metric}: {_extent(given.tracks)}"),
        *(("", note) for note in given.notes),
        ("ours", f"{exhibit.figure.id}, {line.name}: {_extent(line.tracks)}, profile {exhibit.profile}"),
        ("", line.unit),
    ]
    if said := exhibit.standings[line.line.cell.key].words:
        told.append(("", said))
    return [*told, ("margin", f"{number(line.margin.value)}, {line.margin.reason}")]


def _extent(tracks: Tracks) -> str:
    first, last = (max(t.steps[0] for t in tracks.values()), min(t.steps[-1] for t in tracks.values()))
    return f"{seeds(len(tracks))}, steps {first:,.0f} to {last:,.0f}"


def seeds(n: int) -> str:
    """So many seeds."""
    return "1 seed" if n == 1 else f"{n} seeds"


def unit(found: Comparison) -> list[str]:
    """Which unit theirs are in, and whether they are smoothed; nothing where both are as ours."""
    said = []
    taken, as_it_is = found.unit.taken, found.unit.as_it_is
    if found.unit.is_other:
        ways = "; or ".join(taken.convention.words)
        far = f"{margins(as_it_is.misfit)} from ours" if math.isfinite(as_it_is.misfit) else "nowhere near ours"
        near = "fits" if taken.misfit <= 1 else "comes nearest, though it does not fit"
        said.append(
            f"Yours are in another unit. As they are, they lie {far}; what {near} ({margins(taken.misfit)}) is: "
            f"{ways}. Compared again with {taken.convention.formula}."
        )
        others = [f"{'; or '.join(fit.convention.words)} ({margins(fit.misfit)})" for fit in found.unit.rivals]
        said += [f"These fit about as well, and numbers alone cannot tell: {' | '.join(others)}."] if others else []
    elif as_it_is.misfit > 1:
        said.append(f"Yours lie {margins(as_it_is.misfit)} from ours, and no other unit of this game explains it.")
    if found.smoothing.width > 1:
        said.append(
            f"Yours scatter {found.smoothing.less:.2g} times less from test to test, as if averaged over about "
            f"{found.smoothing.width} tests, or each of so many more episodes; ours are averaged alike in what follows."
        )
    if found.n_stored:
        said.append(f"Stored curves themselves: {found.n_stored} of your {len(found.theirs)}.")
    return said


def margins(misfit: float) -> str:
    """How far a curve is from ours."""
    if misfit < 0.01:
        return "less than 0.01 margins"
    return f"{misfit:,.0f} margins" if misfit >= 10 else f"{misfit:.2g} margins"


def verdict(found: Comparison) -> str:
    """The answer, and what it rests on."""
    result = found.found
    where = f"between steps {result.span.first:,.0f} and {result.span.last:,.0f}"
    margin = number(result.margin.value)
    if result.diverged:
        n = len(result.diverged)
        return f"{VERDICTS['DIFFER']}: {seeds(n)} of yours diverged ({', '.join(result.diverged)}), none of ours."
    match result.verdict:
        case "AGREE":
            reason = f"in every quarter {where} the means differ by less than {margin}, each shown at .05"
        case "DIFFER":
            far = result.clearest
            way = "higher" if float(far.found.estimate) > 0 else "lower"
            reason = f"up to step {far.span.last:,.0f} yours are {way} by more than {margin}, shown at .05"
        case _:
            reason = f"{where} the means may differ by more than {margin} or by less{_decided_by(found)}"
    return f"{VERDICTS[result.verdict]}: {reason}."


def _decided_by(found: Comparison) -> str:
    result = found.found
    n = result.seeds_to_decide
    if not n:
        return "; one seed is too few to tell"
    have = min(len(found.theirs), len(found.ours))
    if n <= have:
        return ""
    return f"; if there were no difference, {n if n < MOST_SEEDS else f'{n} or more'} seeds a side would show it"


def excluded(found: Comparison) -> str:
    """How much worse theirs may be at the end."""
    loss = found.found.loss
    if not math.isfinite(loss):
        return ""
    return f"In the last quarter a loss of more than {number(loss)} is excluded, with 95 % confidence."


def single(found: Comparison) -> list[str]:
    """What can be said of one run: whether it lies where single runs like ours do."""
    said = []
    for part in found.found.parts:
        one = lone(part)
        if one is not None:
            place = "lies" if one.inside else "does not lie"
            ends = f"{number(one.low)} to {number(one.high)}"
            said.append(f"Up to step {part.span.last:,.0f} it {place} where 95 % of single runs like ours do, {ends}.")
    return said


def quarters(found: Comparison) -> Table:
    """Both means of every quarter, their difference and its interval."""
    head = ("up to step", "yours", "ours", "difference", "90 % interval", "within the margin", "beyond it")
    return Table(head, tuple(_quarter(part, found.found.margin.value) for part in found.found.parts))


def _quarter(part: Part, margin: float) -> tuple[str, ...]:
    estimate = float(part.found.estimate)
    ends = [float(part.found.low), float(part.found.high)]
    between = f"{number(ends[0])} … {number(ends[1])}" if all(map(math.isfinite, ends)) else "–"
    return (
        f"{part.span.last:,.0f}",
        number(float(part.theirs.mean())),
        number(float(part.ours.mean())),
        number(estimate if abs(estimate) > NOTHING * margin else 0.0),
        between,
        f"p = {float(part.found.support):.2g}",
        f"p = {float(part.found.refuted):.2g}",
    )


def levels(found: Comparison) -> Table:
    """How soon both come to levels; no rows where ours has not left chance."""
    counted = "episodes" if found.stored.horizon > 1 else "steps"
    head = ("level", f"yours, {counted}", f"ours, {counted}", "times as soon", "90 % interval")
    return Table(head, tuple(_level(found, one) for one in found.levels))


def _level(found: Comparison, one: Reached) -> tuple[str, ...]:
    known = math.isfinite(one.ratio)
    return (
        f"{number(one.level)} ({one.share:.0%} of the way)",
        _time(one.theirs, one.n_theirs, len(found.theirs) - len(found.found.diverged)),
        _time(one.ours, one.n_ours, len(found.ours)),
        f"{one.ratio:.2g}" if known else "–",
        f"{one.low:.2g} … {one.high:.2g}".replace("inf", "∞") if known else "–",
    )


def _time(mean: float, n: int, of: int) -> str:
    """When those that arrive do, and how many that are where it is not all."""
    if not n:
        return "not reached"
    return number(mean) if n == of else f"{number(mean)} ({n} of {of} seeds)"


def text(found: Comparison) -> str:
    """All of it, for a terminal."""
    told = [f"{name:8}{what}" for name, what in sides(found)]
    said = [*unit(found), verdict(found), excluded(found), *single(found)]
    parts = ["\n".join(told), "\n".join(line for line in said if line), columns(quarters(found))]
    if found.levels:
        parts.append(columns(levels(found)))
    return "\n\n".join(parts)


def columns(table: Table) -> str:
    """A table as text, its columns apart."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(f"  {line}" for line in lines)
