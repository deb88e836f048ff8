"""Progress in words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks._training.session import Failure, Progress
from benchmarks._training.work import Work


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
    if math.isnan(seconds):
        return ""
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"


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


def plan(work: Sequence[Work], steps_per_second: Callable[[Work], float]) -> str:
    """What is missing and how long it takes, cell by cell."""
    lines = []
    for item in work:
        estimate = item.total / steps_per_second(item)
        known = "no recorded time" if math.isnan(estimate) else f"about {estimate / 60:.0f} min"
        seeds = f"{len(item.all_seeds)} seeds to {item.n_steps:,} steps"
        origins = [f"from {teacher.key} at {steps:,} steps" for teacher, steps in item.cell.teachers]
        again = [f"seeds {', '.join(map(str, item.again))} again for their states"] if item.again else []
        lines.append(f"  {item.cell.key} ({item.cell.name}): {', '.join([seeds, known, *origins, *again])}")
    n_missing = sum(bool(item.seeds) for item in work)
    n_again = len(work) - n_missing
    again_too = f", {n_again} are trained again because others start from them" if n_again else ""
    return "\n".join([f"{n_missing} cells are missing{again_too}", *lines])
