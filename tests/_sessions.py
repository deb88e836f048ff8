"""Several pytest sessions over the benchmarks in one process, which imports torch once.

    python tests/_sessions.py [tiny] '[["--repro-profile", "huge"], ["-k", "fig99"]]'

takes the arguments of every session and answers with `[[exit status, what was said], …]`; with `tiny` no other figure
than the tiny one is there. A session whose first argument is `recorded=FOLDER` has that for its recorded runs, and
nowhere to write; one with `at=PATH` looks there instead of at the figures' tests.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from unittest import mock

import pytest

from benchmarks import _catalogue as catalogue
from benchmarks import _options as options

TESTS = str(Path(catalogue.HERE) / "test_figures.py")


def session(arguments: list[str]) -> tuple[int, str]:
    """Exit status, and everything that was said."""
    if arguments[0].startswith("recorded="):
        recorded, nowhere = Path(arguments[0].removeprefix("recorded=")), Path("/proc/nowhere")
        with mock.patch.multiple(options, RECORDED=recorded, LOCAL=nowhere):
            return session([*arguments[1:], "-p", "cacheprovider", "-o", f"cache_dir={nowhere}"])
    tests = TESTS
    if arguments[0].startswith("at="):
        tests, arguments = arguments[0].removeprefix("at="), arguments[1:]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main([tests, "-p", "no:cacheprovider", *arguments])
    return int(status), said.getvalue()


if __name__ == "__main__":
    if "tiny" in sys.argv:
        from _tiny import FIGURE

        catalogue.figures = lambda: (FIGURE,)
    print(json.dumps([session(arguments) for arguments in json.loads(sys.argv[-1])]))
