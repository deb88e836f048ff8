"""Training states: what a run needs to go on bit for bit. Large, outside git, loaded without pickle.

    <folder>/<algorithm>/<environment>/<digest>/seed-003.safetensors

A state is a checkpoint and not a result: the next one takes its place, once that is safely on the disk.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from results._files import Lock, StoreError, absent, explained, made, place, probe, replacing, try_lock

FORMAT = "1"
STATE = re.compile(r"seed-(\d{3}|[1-9]\d{3,})\.safetensors")


class State(NamedTuple):
    """A seed in the middle of its training, and what else was saved with it.

    Units: steps are environment steps of this seed.
    """

    steps: int
    tensors: dict[str, Tensor]
    metadata: dict[str, str]


@dataclass(frozen=True)
class States:
    """The latest training state of every seed, in a folder. Whoever saves holds the lock of the cell."""

    folder: Path

    def save(
        self, key: str, seed: int, steps: int, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Keeps a state in place of the seed's earlier one, which stays until the new one is whole and on the disk.

        Raises: StoreError where the folder cannot be written.
        """
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        header = {"format": FORMAT, "key": key, "seed": str(seed), "steps": str(steps)}
        header["metadata"] = json.dumps(dict(metadata or {}))
        header["sha256"] = _digest(header, held)
        path = self._path(key, seed)
        with explained(path):
            made(path.parent)
            for stray in path.parent.glob(f".{path.name}.*.tmp"):  # of killed writers; they may be large
                stray.unlink(missing_ok=True)
            with replacing(path) as temporary:
                try:
                    save_file(held, temporary, metadata=header)
                except SafetensorError as error:
                    raise OSError(str(error)) from error

    def latest(self, key: str, seed: int) -> State | None:
        """The state of a seed, or None where it is absent. The tensors are on the CPU and may be written to.

        Raises: StoreError where the file is damaged or of another seed.
        """
        path = self._path(key, seed)
        with explained(path):
            if absent(path):
                return None
        try:
            header, tensors = _opened(path)
            metadata, steps = json.loads(header["metadata"]), int(header["steps"])
            seen = header["key"], header["seed"]
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise _damaged(path, error) from error
        if seen != (key, str(seed)):
            raise StoreError(f"{path} must hold seed {seed} of {key}, got seed {seen[1]} of {seen[0]}: move it back")
        return State(steps, tensors, metadata)

    def steps(self, key: str, seed: int) -> int | None:
        """How far the state of a seed is, or None where it is absent; of the file only the header is read.

        Raises: StoreError where that cannot be read.
        """
        path = self._path(key, seed)
        with explained(path):
            if absent(path):
                return None
        try:
            with safe_open(path, framework="pt") as file:
                return int(file.metadata()["steps"])
        except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
            raise _damaged(path, error) from error

    def try_lock(self, key: str, seed: int) -> Lock | None:
        """The right to train a seed, or None where another process has it: two never train the same one at once."""
        path = place(self.folder, key)
        with explained(path):
            return try_lock(made(path) / f".seed-{seed:03d}.training.lock")

    def set_aside(self, key: str, seed: int) -> Path:
        """Gives a seed's state another name, under which nobody looks for it, and returns that; the seed then begins.

        Raises: StoreError where the folder cannot be written.
        """
        path = self._path(key, seed)
        with explained(path):
            free = (path.with_name(f"{path.name}.aside-{n}") for n in count(1))
            aside = next(name for name in free if absent(name))
            return path.rename(aside)

    def sizes(self) -> dict[tuple[str, int], int]:
        """What every state takes on the disk, by key and seed. Units: bytes."""
        with explained(self.folder):
            paths = [path for path in self.folder.glob("[!.]*/*/*/seed-*") if STATE.fullmatch(path.name)]
            return {self._owner(path): path.stat().st_size for path in paths}

    def drop(self, key: str, seed: int) -> bool:
        """Deletes a seed's state; False where another process trains it, and it stays.

        Raises: StoreError where the folder cannot be written.
        """
        lock = self.try_lock(key, seed)
        if lock is None:
            return False
        with lock, explained(self.folder):
            self._path(key, seed).unlink(missing_ok=True)
        return True

    def _owner(self, path: Path) -> tuple[str, int]:
        """Whose state a file holds, by its name."""
        return path.parent.relative_to(self.folder).as_posix(), int(path.name.removeprefix("seed-").split(".")[0])

    def writable(self) -> None:
        """Tries what saving will do.

        Raises: StoreError where the folder cannot be created, written or locked.
        """
        probe(self.folder)

    def _path(self, key: str, seed: int) -> Path:
        return place(self.folder, key) / f"seed-{seed:03d}.safetensors"


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged: a state of format {FORMAT} with its checksum was expected, got {error!r}; "
        "move it away, or let --set-aside do so, and the seed starts again"
    )


def _opened(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Header and tensors of a file, of one and the same where a writer replaces it meanwhile.

    safetensors opens a file by its name once for the header and once for the tensors.

    Raises: ValueError where the checksum is another; whatever safetensors raises where it cannot read the file.
    """
    while True:
        opened = _identity(path)
        try:
            return _read(path)
        except Exception:
            if _identity(path) == opened:
                raise


def _identity(path: Path) -> tuple[int, int]:
    """Another number for every file that ever had this name."""
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        header: dict[str, str] = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a mapping)
    expected = header.pop("sha256")
    seen = _digest(header, tensors)
    if (header["format"], seen) != (FORMAT, expected):
        raise ValueError(f"format {header['format']} and checksum {seen} where {expected} is written")
    return header, tensors


def _digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over all that a state holds; safetensors itself would not notice a flipped bit in a tensor."""
    shapes = {name: (str(tensor.dtype), list(tensor.shape)) for name, tensor in tensors.items()}
    digest = hashlib.sha256(json.dumps([dict(header), shapes], sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(_bytes(tensors[name]))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> Any:
    """The memory of a contiguous tensor, uncopied. Shapes: [n_bytes]."""
    return tensor.reshape(-1).view(torch.uint8).numpy()
