"""How many processes may share one accelerator.

A small network keeps a card busy for a few microseconds, and Python takes longer to start the next kernel: one cell at
a time would leave the card idle. Every process needs a core of the host for itself, and memory of the card.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor

from algorithms._replay import Replay
from algorithms._tree import leaves
from benchmarks._training.work import Work
from environments import Streams

ALLOWANCE = 3 << 29
"""What a process takes beside its training states: CUDA's context, libraries, what an update and a test hold for a
while. Assumed, not measured. Units: bytes."""
USED = 0.9
"""The share of the free memory that is given out."""


def processes(items: Sequence[Work], n_cores: int, free: int) -> int:
    """How many train side by side: one a core, as many as fit with the largest of the cells, no more than cells.

    Units: `free` in bytes.
    """
    largest = max((bytes_needed(item) for item in items), default=0)
    return max(1, min(n_cores, len(items), int(USED * free) // (ALLOWANCE + largest)))


def free_memory() -> int:
    """What the card has left, in bytes."""
    free, _ = torch.cuda.mem_get_info()
    return int(free)


def bytes_needed(item: Work) -> int:
    """What the training state of all seeds takes at most, replay as full as it gets, and both rings while it grows."""
    cell = item.cell.on("cpu")
    state = cell.algorithm.init(cell.env, Streams.of([0], "size", "cpu"))
    n_steps = max([item.n_steps, *(steps for _, steps in cell.teachers)])
    held = sum(leaf.nbytes for leaf in leaves(state).values() if isinstance(leaf, Tensor))
    grown = sum(_peak(replay, n_steps) - replay.rows.nbytes for replay in _replays(state))
    return len(item.all_seeds) * (held + grown)


def _replays(node: object) -> Iterator[Replay]:
    """Every replay of a training state."""
    if isinstance(node, Replay):
        yield node
    elif isinstance(node, tuple | list):
        for part in node:
            yield from _replays(part)
    elif is_dataclass(node) and not isinstance(node, type):
        yield from _replays([getattr(node, item.name) for item in fields(node)])


def _peak(replay: Replay, n_steps: int) -> int:
    """The bytes of a replay after so many steps, or at most until then, when an old ring and a new one are there."""
    ring: Any = replace(replay, rows=replay.rows.to("meta"))  # sizes without memory
    size: int = ring.rows.nbytes
    peak = size
    while True:
        ring.n_steps = ring._episodes * ring.horizon  # as if it had been filled
        if ring.n_steps > math.ceil(n_steps / ring.n_envs):
            return peak
        ring._grow()
        if ring.rows.nbytes == size:
            return peak
        peak, size = size + ring.rows.nbytes, ring.rows.nbytes
