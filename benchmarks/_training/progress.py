"""Progress in words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks._training.session import Failure, Progress


class Reporter:
    """One line that is written over where that is possible, and a new one every half minute elsewhere."""

    def __init__(self, write: Callable[[str], None], *, over: bool) -> None:
        self.write = write
        self.over = over
        self.last = -math.inf

    def report(self, progress: Sequence[Progress], left: float) -> None:
        """Says how far everything is."""
        if self.over:
            self.write(f"\r\x1b[K{described(progress, left)}")
        elif time.monotonic() - self.last >= 30:
            self.last = time.monotonic()
            self.write(f"{described(progress, left)}\n")


def described(progress: Sequence[Progress], left: float) -> str:
    """Share of the work, time left, and the cells at work with their speed in steps of all seeds together."""
    done, total = sum(item.done for item in progress), sum(item.total for item in progress)
    active = [item for item in progress if 0 < item.done < item.total]
    cells = ", ".join(f"{item.label} {item.done / item.total:.0%} at {item.steps_per_second:,.0f}/s" for item in active)
    notes = ", ".join(f"{item.label}: {item.note}" for item in progress if item.note)
    share = f"trained {done / max(total, 1):.0%}"
    return ", ".join(part for part in (share, duration(left), cells, notes) if part)


def duration(seconds: float) -> str:
    """Time left, or nothing where it is not known."""
    return "" if math.isnan(seconds) else f"{span(seconds)} left"


def span(seconds: float) -> str:
    """A time in the unit in which it is a small number, up to days."""
    for below, unit, factor, digits in ((90, "s", 1, 0), (5_400, "min", 60, 0), (172_800, "h", 3_600, 1)):
        if seconds < below:
            return f"{seconds / factor:.{digits}f} {unit}"
    days = seconds / 86_400
    return f"{days:.1f} days" if days < 20 else f"{days:,.0f} days"


def hours(seconds: float) -> str:
    """A time in hours, and in days as well where it is longer than two; less than two hours in a smaller unit."""
    if seconds < 7_200:
        return span(seconds)
    return f"{seconds / 3_600:,.1f} h" if seconds < 172_800 else f"{seconds / 3_600:,.0f} h ({span(seconds)})"


def failed(failures: Sequence[Failure]) -> str:
    """What has failed, a line each: cell, seeds, what happened, and where the traceback is."""
    lines = []
    for failure in failures:
        seeds = f"seed{'s' if len(failure.seeds) > 1 else ''} {', '.join(map(str, failure.seeds))}"
        where = f" (traceback: {failure.traceback})" if failure.traceback else ""
        lines.append(f"failed: {failure.label}, {seeds} of {failure.key}: {failure.sentence}{where}")
    return "\n".join(lines)


def size(n_bytes: float) -> str:
    """A size on the disk."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000 or unit == "GB":
            break
        n_bytes /= 1000
    return f"{n_bytes:.0f} {unit}" if unit == "bytes" else f"{n_bytes:.1f} {unit}"


def disk(sizes: Mapping[Any, int], spare: Mapping[Any, int]) -> str:
    """What training states take."""
    said = f"training states take {size(sum(sizes.values()))}"
    return f"{said}, of which `clean` frees {size(sum(spare.values()))}" if spare else said
