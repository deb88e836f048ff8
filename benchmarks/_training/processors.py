"""How many processors this process may use: what the system has, its affinity allows, and its container is given."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath


def usable(root: Path = Path("/")) -> int:
    """How many processes with one thread each can compute at once here, at least one.

    A container's share of a processor's time counts as one of them, so that no part of it lies idle. `root` is where
    `proc` and `sys` are.
    """
    quota = min(quotas(root), default=math.inf)
    return max(1, allowed() if quota == math.inf else min(allowed(), math.ceil(quota)))


def allowed() -> int:
    """How many processors the process may run on."""
    if hasattr(os, "process_cpu_count"):  # since Python 3.13; it also heeds PYTHON_CPU_COUNT
        return int(os.process_cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quotas(root: Path) -> Iterator[float]:
    """What each control group that holds this process may use. Units: processors.

    Source: the Linux kernel's documentation, admin-guide/cgroup-v2 (`cpu.max`) and scheduler/sched-bwc (version 1).
    """
    for folder in folders(root):
        words = (*_words(folder / "cpu.max"), *_words(folder / "cpu.cfs_quota_us", folder / "cpu.cfs_period_us"))
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit() and int(words[1]):
            yield int(words[0]) / int(words[1])


def folders(root: Path) -> Iterator[Path]:
    """Those of the groups that hold this process, the innermost first; a container may see its own as the root."""
    mount = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, kinds, path = line.split(":", 2)
        if not kinds or "cpu" in kinds.split(","):
            own = PurePosixPath(path.lstrip("/"))
            for base in [mount] if not kinds else [mount / kinds, mount / "cpu"]:
                yield from (base / part for part in (own, *own.parents))


def _lines(path: Path) -> list[str]:
    """Of a file; none where it cannot be read, as where there are no control groups."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _words(*paths: Path) -> Iterable[str]:
    """Of one or more files, one after the other."""
    return [word for path in paths for line in _lines(path) for word in line.split()]
