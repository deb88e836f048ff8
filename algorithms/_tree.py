"""Training states as named tensors, one set a seed, and back.

A training state is a tree of dataclasses, NamedTuples, tuples, lists and dicts. Its leaves are tensors with the seed
axis in front, `Streams`, and integers that all seeds share. Everything else (shapes, texts, types) is fixed by the
settings and comes from a freshly initialised state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from environments import Streams

Tree = TypeVar("Tree")
Leaf = Tensor | Streams | int


def rebuilt(tree: Tree, leaf: Callable[[str, Leaf], Leaf], name: str = "") -> Tree:
    """The same tree with every leaf passed through `leaf(name, value)`."""
    node: Any = tree
    if isinstance(node, Tensor | Streams) or type(node) is int:
        return leaf(name, node)  # type: ignore[return-value]
    if isinstance(node, dict):
        return {key: rebuilt(value, leaf, f"{name}.{key}") for key, value in node.items()}  # type: ignore[return-value]
    if isinstance(node, tuple | list) and not isinstance(node, torch.Size):
        items = [rebuilt(value, leaf, f"{name}.{i}") for i, value in enumerate(node)]
        return type(node)(*items) if hasattr(node, "_fields") else type(node)(items)  # type: ignore[return-value]
    if is_dataclass(node) and not isinstance(node, type):
        parts = {item.name: rebuilt(getattr(node, item.name), leaf, f"{name}.{item.name}") for item in fields(node)}
        return replace(node, **parts)  # type: ignore[return-value]
    return tree


def leaves(tree: object) -> dict[str, Leaf]:
    """Every leaf under its name, such as `.critics.0.weight`."""
    found: dict[str, Leaf] = {}

    def note(name: str, value: Leaf) -> Leaf:
        found[name] = value
        return value

    rebuilt(tree, note)
    return found


def split(tree: object, n_seeds: int) -> list[dict[str, Tensor]]:
    """One set of named tensors a seed; rows are views where that is possible."""
    sets: list[dict[str, Tensor]] = [{} for _ in range(n_seeds)]
    for name, value in leaves(tree).items():
        rows = value.save() if isinstance(value, Streams) else value
        for seed in range(n_seeds):
            sets[seed][name] = rows[seed] if isinstance(rows, Tensor) else torch.tensor(rows)
    return sets


def joined(template: Tree, sets: Sequence[Mapping[str, Tensor]]) -> Tree:
    """The state of several seeds from their sets of named tensors; `template` is a fresh state of as many seeds.

    Raises: ValueError where the sets do not have the template's leaves, or disagree on a shared integer.
    """
    expected = set(leaves(template))
    for tensors in sets:
        if set(tensors) != expected:
            odd = sorted(set(tensors) ^ expected)[0]
            raise ValueError(f"the saved training state and the algorithm differ in {odd!r}: raise the version")

    def leaf(name: str, value: Leaf) -> Leaf:
        rows = [tensors[name] for tensors in sets]
        if isinstance(value, Tensor):
            return torch.stack(rows).to(value.device)
        if isinstance(value, Streams):
            value.load(torch.stack(rows))
            return value
        shared = {int(row) for row in rows}
        if len(shared) != 1:
            raise ValueError(f"seeds that train together must agree on {name!r}, got {sorted(shared)}")
        return shared.pop()

    return rebuilt(template, leaf)
