"""Command lines of Python that begin in milliseconds: copies of a process that has imported torch and the suite.

    command = begin(["tests/_tiny.py", "run", "tiny"], cwd=folder, environment=variables)
    command.pid, command.communicate(), command.returncode      as of subprocess.Popen

Each is a process, a group and a session of its own, with its own arguments, variables, folder and end. What it starts
from `starting` comes from a server of its own too, which is a copy as well. Several tests begin without any of this.
"""

from __future__ import annotations

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import pairwise
from multiprocessing import util
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

IMPORTED = ("benchmarks.__main__", "pytest")

# ---- who begins one -------------------------------------------------------------------------------------------------


class Command:
    """A command line that runs, with what it says."""

    def __init__(self, line: socket.socket, said: int) -> None:
        self.line, self.stdout = line, open(said, "rb", buffering=0)  # noqa: SIM115
        self.pid = int(line.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it has ended, None where it has not."""
        return self.wait(0.0)

    def wait(self, timeout: float | None = None) -> int | None:
        """How it has ended, once it has or so many seconds have passed."""
        if self.returncode is None and _is_ready(self.line, timeout):
            self.returncode = int(self.line.recv(64))
            self.line.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """All that it says until it ends.

        Raises: TimeoutError where it says nothing for so many seconds.
        """
        parts = []
        while _is_ready(self.stdout, timeout) and (part := self.stdout.read(1 << 16)):
            parts.append(part)
        if self.wait(timeout) is None:
            raise TimeoutError(f"{self.pid} must end, and has said nothing for {timeout} s")
        return b"".join(parts).decode(), None

    def send_signal(self, name: int) -> None:
        """To itself, and not to those whom it has started."""
        if self.poll() is None:
            os.kill(self.pid, name)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


def begin(
    arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], line: socket.socket | None = None
) -> Command:
    """A script of Python with its arguments, asked for on a line of one's own or on one that was handed down."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    said, told = os.pipe()
    asked = json.dumps({"arguments": list(arguments), "cwd": str(cwd), "environment": dict(environment)})
    socket.send_fds(line or _original()[1], [asked.encode()], [told, there.fileno()])
    os.close(told)
    there.close()
    return Command(here, said)


def line() -> int:
    """The file number of the line on which copies are asked for, which a process that is started may be handed."""
    return _original()[1].fileno()


@cache
def _original() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """The process that all are copies of, and a line to it; it ends once nobody holds the other end of that."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    fd = there.fileno()
    process = subprocess.Popen([sys.executable, __file__, str(fd)], pass_fds=[fd], start_new_session=True)
    there.close()
    atexit.register(_end, process, here)
    return process, here


def _end(process: subprocess.Popen[bytes], line: socket.socket) -> None:
    line.close()
    process.wait()


def _is_ready(line: Any, timeout: float | None) -> bool:
    return bool(select.select([line], [], [], timeout)[0])


# ---- what they are copies of ----------------------------------------------------------------------------------------


def serve(line: socket.socket) -> dict[str, Any]:
    """Makes copies until nobody is left who asks; in every copy this returns what is to be done."""
    while True:
        asked, fds, *_ = socket.recv_fds(line, 1 << 18, 2)
        if not asked:
            sys.exit()
        if os.fork() == 0:
            line.close()
            return _copied(json.loads(asked), *fds)
        for fd in fds:
            os.close(fd)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:  # those who waited for copies that have ended
                pass


def _copied(asked: dict[str, Any], told: int, status: int) -> dict[str, Any]:
    """In a copy that says who it is; this process waits for its end."""
    with socket.socket(fileno=status) as line:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for fd in (1, 2):
                os.dup2(told, fd)
            line.send(str(os.getpid()).encode())
        os.close(told)
        if pid:
            line.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
            os._exit(0)
    return asked


def run(asked: dict[str, Any]) -> None:
    """What a fresh Python would do."""
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = asked["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    _with_server()
    runpy.run_path(sys.argv[0], run_name="__main__")


def _with_server() -> None:
    """Begins the server that training processes come from as long as nothing has been computed here."""
    from benchmarks._training import starting  # noqa: PLC0415 - only copies need it

    with mock.patch.object(util, "spawnv_passfds", _forked):
        starting.context("cpu")


def _forked(_: bytes, arguments: Sequence[str], kept: Sequence[int]) -> int:
    """A copy of this process that does what a Python is told to by `-c`, and has no other files than such a one."""
    pid = os.fork()
    return pid or _become(arguments[-1], kept)


def _become(text: str, kept: Sequence[int]) -> NoReturn:
    for low, high in pairwise([*sorted({0, 1, 2, *kept}), os.sysconf("SC_OPEN_MAX")]):
        os.closerange(low + 1, high)
    try:
        exec(text, {})
    finally:
        os._exit(0)


if __name__ == "__main__":
    import importlib

    original = socket.socket(fileno=int(sys.argv[1]))
    for name in IMPORTED:
        importlib.import_module(name)
    run(serve(original))
