"""Where runs are kept: one folder a cell, one small JSON file a seed, readable without us.

    <folder>/<algorithm>/<environment>/<digest>/cell.json        the settings in full
    <folder>/<algorithm>/<environment>/<digest>/seed-003.json    curves, units, history, checksum
    <folder>/<algorithm>/<environment>/<digest>/seed-003-400.npz arrays that its last test, at step 400, has left
    <folder>/<algorithm>/<environment>/<digest>/certificates.json  later codes that have repeated the cell's numbers

Only cells with a measure leave arrays. Their file is named in the seed's, which holds its checksum. It has the step in
its name because two files cannot be replaced at once: the new arrays come first, then the seed's file, and then the
earlier arrays go, so that whoever dies in between leaves a whole run.

Nothing is deleted, and no number is ever replaced by another: a longer run replaces a shorter one that it begins with,
with its arrays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from results import _arrays, _certificates, _sealed
from results._certificates import Certificate
from results._files import StoreError, absent, explained, lock, made, place, probe
from results._run import Run, content, disagreement, from_content

CELL = "cell.json"
CERTIFICATES = "certificates.json"
SEED = re.compile(r"seed-(\d{3}|[1-9]\d{3,})\.json")


class Keyed(Protocol):
    """What the store must know of a cell: where its results lie, and all that they depend on, as JSON values."""

    @property
    def key(self) -> str:
        """`<algorithm>/<environment>/<digest>`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings in full, compared with the stored ones at every reading and writing."""


@dataclass(frozen=True)
class Store:
    """Runs in a folder. Any number of processes may read and write it at once."""

    folder: Path

    def keys(self) -> tuple[str, ...]:
        """Every cell that has been stored."""
        with explained(self.folder):
            found = sorted(path.parent.relative_to(self.folder) for path in self.folder.glob(f"[!.]*/*/*/{CELL}"))
        return tuple(path.as_posix() for path in found)

    def seeds(self, key: str) -> tuple[int, ...]:
        """The seeds of a cell that have been stored, however long."""
        folder = place(self.folder, key)
        with explained(folder):
            names = [] if absent(folder) else [path.name for path in folder.iterdir()]
        return tuple(sorted(int(match[1]) for match in map(SEED.fullmatch, names) if match))

    def load(self, cell: Keyed, seed: int) -> Run | None:
        """The run of a seed, or None where it is absent.

        Raises: StoreError where a file is damaged or foreign, or was made with other settings.
        """
        return self.runs(cell, (seed,)).get(seed)

    def runs(self, cell: Keyed, seeds: Iterable[int]) -> dict[int, Run]:
        """The runs of the seeds that are there; the settings are read and compared once for all of them.

        Raises: StoreError as in `load`.
        """
        there = set(self.seeds(cell.key))
        found = {seed: self._run(cell.key, seed) for seed in seeds if seed in there}
        runs = {seed: run for seed, run in found.items() if run is not None}
        if not self._settled(cell) and runs:  # after the runs: whoever writes, writes them in the other order
            raise self._homeless(cell.key)
        return runs

    def missing(self, cell: Keyed, seeds: Iterable[int], n_steps: float) -> tuple[int, ...]:
        """The seeds whose run is absent or ends before `n_steps`.

        Units: `n_steps` is when the last test is due, in environment steps per seed.
        Raises: StoreError as in `load`.
        """
        asked = tuple(seeds)
        runs = self.runs(cell, asked)
        return tuple(seed for seed in asked if seed not in runs or runs[seed].n_steps < n_steps)

    def save(self, cell: Keyed, run: Run) -> None:
        """Keeps a run, unless the stored one is as long or longer and begins with the same numbers.

        Raises: StoreError, with nothing changed, where the stored numbers or settings differ or cannot be read, or
        where the folder cannot be written; ValueError where the run is of another cell.
        """
        if run.key != cell.key:
            raise ValueError(f"a run of {cell.key} was expected, got one of {run.key}")
        folder = place(self.folder, cell.key)
        with explained(folder), lock(made(folder) / ".lock"):
            self._settle(cell)
            stored = self._run(cell.key, run.seed)
            if stored is None or self._goes_on(stored, run):
                self._write(run)

    def certificates(self, key: str) -> tuple[Certificate, ...]:
        """What later codes have repeated of a cell.

        Raises: StoreError where the file is damaged or foreign.
        """
        path = place(self.folder, key) / CERTIFICATES
        stored = _sealed.read(path)
        if stored is None:
            return ()
        try:
            if stored["key"] != key:
                raise ValueError(f"those of {stored['key']}")
            return _certificates.from_content(stored["certificates"])
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise StoreError(f"{path} must hold certificates of {key}, got {error!r}: move it away") from error

    def certify(self, key: str, certificate: Certificate) -> None:
        """Keeps a certificate, in place of an earlier one by the same code of the same seed.

        Raises: StoreError where the folder cannot be written, or what is there cannot be read.
        """
        folder = place(self.folder, key)
        with explained(folder), lock(made(folder) / ".lock"):
            earlier = self.certificates(key)
            new = certificate.sources, certificate.seed
            kept = tuple(one for one in earlier if (one.sources, one.seed) != new)
            value = {"key": key, "certificates": _certificates.content((*kept, certificate))}
            _sealed.write(folder / CERTIFICATES, value)

    def writable(self) -> None:
        """Tries what saving will do, so that a bad folder shows before training and not after.

        Raises: StoreError where the folder cannot be created, written or locked.
        """
        probe(self.folder)

    def _path(self, key: str, seed: int) -> Path:
        return place(self.folder, key) / f"seed-{seed:03d}.json"

    def _run(self, key: str, seed: int) -> Run | None:
        path = self._path(key, seed)
        stored = _sealed.read(path)
        if stored is None:
            return None
        seen = stored.get("seed"), stored.get("key")
        if seen != (seed, key):
            raise StoreError(
                f"{path} must hold seed {seed} of {key}, got seed {seen[0]} of {seen[1]}: move it to its own place"
            )
        try:
            arrays = _arrays.read(path.parent, stored["arrays"]) if "arrays" in stored else {}
            return from_content(stored, arrays)
        except StoreError:
            if _sealed.read(path) == stored:
                raise
            return self._run(key, seed)  # a longer run has taken its place meanwhile, and its arrays with it
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise StoreError(f"{path} must hold a run, got {error!r}: move it away and train again") from error

    def _write(self, run: Run) -> None:
        """Puts a run in its place, arrays first, and removes those of the run that was there."""
        path = self._path(run.key, run.seed)
        value, earlier = content(run), _named_arrays(_sealed.read(path))
        if run.arrays:
            value["arrays"] = _arrays.write(path.with_name(f"{path.stem}-{run.n_steps:.0f}.npz"), run.arrays)
        _sealed.write(path, value)
        if earlier is not None and earlier != _named_arrays(value):
            path.with_name(earlier).unlink(missing_ok=True)

    def _goes_on(self, stored: Run, run: Run) -> bool:
        """Whether `run` is longer than what is stored."""
        differing = disagreement(stored, run)
        if differing is not None:
            raise StoreError(
                f"{self._path(run.key, run.seed)} holds other numbers ({differing}), so they come from another machine "
                "or version: train into another store"
            )
        return run.steps.size > stored.steps.size

    def _settled(self, cell: Keyed) -> bool:
        """Whether the settings of a cell are stored, after comparing them in full."""
        path = place(self.folder, cell.key) / CELL
        stored = _sealed.read(path)
        if stored is None:
            return False
        if stored.get("key") != cell.key:
            raise StoreError(f"{path} must be of {cell.key}, got {stored.get('key')}: move it to its own place")
        there, here = stored.get("settings"), json.dumps(dict(cell.settings), sort_keys=True)
        if json.dumps(there, sort_keys=True) == here:  # nearly always, and far sooner known than where they differ
            return True
        changed = _changed(there, json.loads(here))
        if changed is not None:
            raise StoreError(f"{path} was made with other settings: {changed}; restore the value or raise the version")
        return True

    def _settle(self, cell: Keyed) -> None:
        """Stores the settings with the first run."""
        if self._settled(cell):
            return
        if self.seeds(cell.key):
            raise self._homeless(cell.key)
        _sealed.write(place(self.folder, cell.key) / CELL, {"key": cell.key, "settings": dict(cell.settings)})

    def _homeless(self, key: str) -> StoreError:
        path = place(self.folder, key) / CELL
        return StoreError(f"{path} must hold the settings of the seeds beside it, got no file: restore it from git")


class Stored(NamedTuple):
    """A run, and the folder of its cell in the store that holds it."""

    run: Run
    folder: Path


@dataclass(frozen=True)
class Stores:
    """One's own store, and behind it the recorded one, which is only read."""

    working: Store
    recorded: Store | None = None

    def load(self, cell: Keyed, seed: int, n_steps: float) -> Run | None:
        """The first run that reaches `n_steps`, one's own before the recorded one; otherwise the longest that there is.

        Raises: StoreError as in `Store.load`.
        """
        found = reaching(self.every(cell, (seed,))[seed], n_steps)
        return None if found is None else found.run

    def every(self, cell: Keyed, seeds: Iterable[int]) -> dict[int, tuple[Stored, ...]]:
        """All that is stored of some seeds, however long, one's own before what is recorded.

        Raises: StoreError as in `Store.load`.
        """
        asked = tuple(seeds)
        layers = [(store.runs(cell, asked), place(store.folder, cell.key)) for store in self._layers]
        return {seed: tuple(Stored(runs[seed], folder) for runs, folder in layers if seed in runs) for seed in asked}

    def missing(self, cell: Keyed, seeds: Iterable[int], n_steps: float) -> tuple[int, ...]:
        """The seeds that no store holds up to `n_steps`."""
        left = tuple(seeds)
        for store in self._layers:
            left = store.missing(cell, left, n_steps)
        return left

    def certificates(self, key: str) -> tuple[Certificate, ...]:
        """What later codes have repeated of a cell, in any of the stores.

        Raises: StoreError as in `Store.certificates`.
        """
        return tuple(one for store in self._layers for one in store.certificates(key))

    def save(self, cell: Keyed, run: Run) -> None:
        """Keeps a run among one's own."""
        self.working.save(cell, run)

    @property
    def _layers(self) -> tuple[Store, ...]:
        return (self.working,) if self.recorded is None else (self.working, self.recorded)


def reaching(stored: Sequence[Stored], n_steps: float) -> Stored | None:
    """The first run that reaches `n_steps`, otherwise the longest; None where there is none."""
    longest = max(stored, key=lambda one: one.run.n_steps, default=None)
    return next((one for one in stored if one.run.n_steps >= n_steps), longest)


def _named_arrays(stored: Mapping[str, Any] | None) -> str | None:
    """The file of arrays that a seed's own file names."""
    return None if stored is None or "arrays" not in stored else _arrays.named(stored["arrays"])


def _changed(stored: Any, given: Any, field: str = "") -> str | None:
    """The first stored setting that is another or no longer exists; None where only new ones came."""
    if isinstance(stored, dict) and isinstance(given, dict):
        gone = next((name for name in stored if name not in given), None)
        if gone is not None:
            return f"{f'{field}.{gone}'.lstrip('.')} is stored and no longer exists"
        pairs = [(stored[name], given[name], f"{field}.{name}".lstrip(".")) for name in stored]
    elif isinstance(stored, list) and isinstance(given, list) and len(stored) == len(given):
        pairs = [(one, other, f"{field}[{i}]") for i, (one, other) in enumerate(zip(stored, given, strict=True))]
    else:  # as text, because True == 1 == 1.0
        seen, now = json.dumps(stored), json.dumps(given)
        return None if seen == now else f"{field} is {seen} in the file and {now} in the code"
    return next((found for pair in pairs if (found := _changed(*pair)) is not None), None)
