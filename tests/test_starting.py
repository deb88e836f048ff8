"""Training processes are copies of a server: when they may be, what they inherit, and with whom they end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from _trials import alive, wait_for

from benchmarks._training import starting
from benchmarks._training.starting import context, settle

linux = pytest.mark.skipif(sys.platform != "linux", reason="there are no copies elsewhere")


def told(connection: Connection, environment: dict[str, str]) -> None:
    """Says of itself and of its server what can be asked, and waits."""
    before = os.environ.get("OF_WHO_ASKS")
    settle(environment)
    server, ignored = os.getppid(), [signal.getsignal(name) for name in starting.HELD_BACK]
    threads = len(list(Path(f"/proc/{server}/task").iterdir()))
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    names = ("OF_WHO_ASKS", "PYTHONSAFEPATH", "OPENBLAS_NUM_THREADS")
    variables = [before, *map(os.environ.get, names)]
    connection.send((server, threads, set(ignored), set(masked), variables, "torch" in sys.modules))
    connection.recv()


@pytest.fixture
def process() -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that was asked for after a variable had been set."""
    starts = context("cpu")
    with pytest.MonkeyPatch.context() as later:
        later.setenv("OF_WHO_ASKS", "1")
        here, there = starts.Pipe()
        process = starts.Process(target=told, args=(there, dict(os.environ)))
        process.start()
    yield process, here
    process.kill()
    process.join()


@linux
def test_a_copy_is_of_a_server_with_one_thread_and_has_the_variables_of_who_asks(
    process: tuple[BaseProcess, Connection],
) -> None:
    server, threads, ignored, masked, variables, has_torch = process[1].recv()
    assert server != os.getpid() and threads == 1 and has_torch
    assert ignored == {signal.SIG_IGN} and not masked & set(starting.HELD_BACK)
    assert variables == [None, "1", os.environ.get("PYTHONSAFEPATH"), os.environ.get("OPENBLAS_NUM_THREADS")]


@linux
def test_a_copy_does_not_outlive_its_server_and_the_next_one_comes_from_another(
    process: tuple[BaseProcess, Connection],
) -> None:
    server, *_ = process[1].recv()
    pid = process[0].pid
    assert pid is not None
    for name in starting.HELD_BACK:
        os.kill(server, name)
    process[0].join(timeout=0.5)
    assert alive(server) and alive(pid)
    os.kill(server, signal.SIGKILL)
    wait_for(lambda: not alive(pid), "the copy is gone")
    assert context("cpu").get_start_method() == "forkserver"


@linux
def test_a_server_begins_away_from_signals_and_from_the_folder_where_somebody_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[set[int], dict[str, str]]] = []

    def noted() -> None:
        seen.append((set(signal.pthread_sigmask(signal.SIG_BLOCK, ())), dict(os.environ)))

    monkeypatch.setattr(forkserver, "ensure_running", noted)
    monkeypatch.setattr(sys, "path", ["", "/somewhere"])
    before = dict(os.environ)
    context("cpu")
    ((masked, variables),) = seen
    assert set(starting.HELD_BACK) <= masked and not signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert variables["PYTHONPATH"] == f"{Path.cwd()}:/somewhere" and variables["PYTHONSAFEPATH"] == "1"
    assert dict(os.environ) == before


@linux
def test_who_uses_a_card_or_finds_other_code_than_the_server_imports_for_himself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert context("cpu").get_start_method() == "forkserver"
    assert context("cuda").get_start_method() == "spawn"
    monkeypatch.setattr(starting, "_written", lambda path: 1 if path.name == "loop.py" else starting._files()[path])
    assert context("cpu").get_start_method() == "spawn"
