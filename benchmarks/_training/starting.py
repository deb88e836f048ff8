"""How a process begins that trains: as a copy of a server that has imported torch and the suite, where it may.

    context(cell.device).Process(target=trained, args=(dict(os.environ), …)).start()
    def trained(environment, …): settle(environment)

An import takes two seconds, a copy milliseconds. The server is started with the first process, computes nothing, has
one thread, and ends with those whom it serves. It serves on Linux and for processors only: a card is used by who has
imported torch himself. A run says which code it comes from: once files of ours are others than when the server was
started, a process imports them itself too.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

from benchmarks._training.circumstances import one_thread
from benchmarks._training.work import Device
from benchmarks._vocabulary.cells import OURS

PRELOADED = "benchmarks._training.engines"  # with all that every training process needs
HELD_BACK = (signal.SIGINT, signal.SIGTERM)  # from the server, and from its copies until they ignore them


def context(device: Device) -> ForkServerContext | SpawnContext:
    """How a process is to begin that trains on a device."""
    if sys.platform != "linux" or device != "cpu" or _changed():
        return multiprocessing.get_context("spawn")
    multiprocessing.set_forkserver_preload([PRELOADED])
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)  # and not whatever lies where a user works
    resource_tracker.ensure_running()  # which lets signals through once it has begun
    with _held_back(), _environment(PYTHONPATH=paths, PYTHONSAFEPATH="1", OPENBLAS_NUM_THREADS="1"):
        forkserver.ensure_running()
    return multiprocessing.get_context("forkserver")


def settle(environment: Mapping[str, str]) -> None:
    """A fresh process: one thread, the variables of who asked for it, no say in interrupts, which are that one's too,
    and no life after it."""
    _become(environment)
    for name in HELD_BACK:
        signal.signal(name, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_BACK)
    one_thread()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(starter: int) -> None:
    """Waits for the death of the process that asked for this one, or that started it: nobody else would tell."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    while parent.is_alive() and os.getppid() == starter:
        parent.join(timeout=1.0)
    os._exit(1)


@contextmanager
def _held_back() -> Iterator[None]:
    """Who is started within hears no interrupt and no SIGTERM: one to a whole group must not end the server."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_BACK)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Who is started within has these variables as well."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        _become(before)


def _become(environment: Mapping[str, str]) -> None:
    """These variables, and no others."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


def _changed() -> bool:
    """Whether a file of ours is another than when this was asked first."""
    return any(_written(path) != when for path, when in _files().items())


@functools.cache
def _files() -> dict[Path, int]:
    """When each file of ours was written that is in use here."""
    names = [name for name in sys.modules if name.split(".", maxsplit=1)[0] in OURS]
    files = [Path(file) for name in names if (file := sys.modules[name].__file__)]
    return {path: _written(path) for path in files}


def _written(path: Path) -> int:
    """When a file was written; 0 where there is none. Units: nanoseconds."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
