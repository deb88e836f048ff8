"""Several pytest sessions over the benchmarks in one process, which imports torch once.

    echo '[["--repro-profile", "huge"], ["-k", "fig99"]]' | python tests/_sessions.py [tiny]

reads the arguments of every session and answers with `[[exit status, what was said], …]`; with `tiny` no other figure
than the tiny one is there.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

from benchmarks import _catalogue as catalogue

TESTS = str(Path(catalogue.HERE) / "test_figures.py")


def session(arguments: list[str]) -> tuple[int, str]:
    """Exit status, and everything that was said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = pytest.main([TESTS, "-p", "no:cacheprovider", *arguments])
    return int(status), said.getvalue()


if __name__ == "__main__":
    if "tiny" in sys.argv:
        from _tiny import FIGURE

        catalogue.figures = lambda: (FIGURE,)  # type: ignore[assignment]
    print(json.dumps([session(arguments) for arguments in json.load(sys.stdin)]))
