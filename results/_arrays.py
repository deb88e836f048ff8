"""Arrays as one file that every numpy reads: an `.npz` without pickles, whose bytes depend on the numbers alone."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results._files import StoreError, absent, explained, replacing

Arrays = Mapping[str, NDArray[Any]]


def write(path: Path, arrays: Arrays) -> dict[str, Any]:
    """Writes the arrays, all at once, and returns what the seed's own file says of them: name and checksum."""
    data = packed(arrays)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return {"file": path.name, "sha256": _digest(data)}


def packed(arrays: Arrays) -> bytes:
    """The bytes of the file. `numpy.savez` cannot take every name, and keeps an array's layout in memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(arrays):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as entry:  # dated 1980, not today
                np.lib.format.write_array(entry, np.asarray(arrays[name], order="C"), allow_pickle=False)
    return file.getvalue()


def read(folder: Path, said: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The arrays of which `write` has said this.

    Raises: StoreError where the file is absent or holds another byte; KeyError or TypeError where `said` is not that.
    """
    path = folder / named(said)
    with explained(path):
        data = None if absent(path) else path.read_bytes()
    seen = "no file" if data is None else _digest(data)
    if data is None or seen != said["sha256"]:
        raise StoreError(
            f"{path} is absent, damaged or of another run: it must have the checksum {said['sha256']}, got {seen}; "
            "restore it from git or a backup, or move it and its run away and train again"
        )
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (zipfile.BadZipFile, AttributeError, EOFError, OSError) as error:
        raise ValueError(f"{path} must hold arrays, got {error!r}") from error


def named(said: Mapping[str, Any]) -> str:
    """The name of the file.

    Raises: KeyError, TypeError or ValueError where `said` is not what `write` returned.
    """
    name = said["file"]
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(".npz"):
        raise ValueError(f"arrays must lie in an .npz file beside their run, got {name!r}")
    return name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
