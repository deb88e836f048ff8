"""Files that are whole or absent: atomic replacement, locks, and one sentence for everything that goes wrong."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

try:
    import fcntl
except ModuleNotFoundError as error:
    raise ImportError(
        "results are kept with file locks of Linux and macOS, which this system does not have: "
        "on Windows, use the Windows Subsystem for Linux"
    ) from error


class StoreError(Exception):
    """A result or a state that cannot be read, written or trusted, in a sentence: where, what was seen, what to do."""


def place(folder: Path, key: str) -> Path:
    """The folder of a cell.

    Raises: ValueError where the key is not `<algorithm>/<environment>/<digest>`.
    """
    parts = key.split("/")
    if len(parts) != 3 or any(not part or part.startswith(".") or "\0" in part for part in parts):
        raise ValueError(f"a key must be <algorithm>/<environment>/<digest>, got {key!r}")
    return folder.joinpath(*parts)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses into a `StoreError`."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{error.filename or path} cannot be read or written ({error.strerror or error}): "
            "make room or permit it, or choose another folder"
        ) from error


def absent(path: Path) -> bool:
    """Whether there is nothing of that name: not even a link, whatever it points to.

    Raises: OSError where the system cannot say, for instance because a folder on the way is a file.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    return False


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`; what was written to it becomes `path` at the end, all at once and durably.

    After a failure nothing is left of it; after a kill a stray file whose name starts with a dot may be.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        _sync(temporary, os.O_RDWR)
        temporary.replace(path)
        _sync(path.parent, os.O_RDONLY)  # without it a power cut may forget the new name
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def made(folder: Path) -> Path:
    """The folder, created durably with its parents where it was absent."""
    if not folder.is_dir():
        made(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent, os.O_RDONLY)
    return folder


def probe(folder: Path) -> None:
    """Does once, with a file that is removed again, all that saving will do.

    Raises: StoreError where the folder cannot be created, written or locked.
    """
    with explained(folder):
        path = made(folder) / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(b"probe\n")
            lock(path).release()
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)


class Lock:
    """A lock that this process holds until `release`, the end of a `with`, or its death, however it dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Lets the next one in; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock(path: Path) -> Lock:
    """The lock on `path`, waited for. The file stays: were it removed, two processes could hold two of one name."""
    return _locked(path, fcntl.LOCK_EX)


def try_lock(path: Path) -> Lock | None:
    """The lock on `path`, or None where another holds it."""
    try:
        return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return None
        raise


def _locked(path: Path, how: int) -> Lock:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


def _sync(path: Path, flags: int) -> None:
    """Waits until a file or a folder is on the disk."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
