"""The command line of the suite as shells start it, by a copy of a process that has imported torch and the suite.

COMMANDS=5 python tests/_warm.py list        5 is the file number that `_commands.line` has given
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import _commands

MAIN = Path(__file__).parent.parent / "benchmarks" / "__main__.py"

if __name__ == "__main__":
    with socket.socket(fileno=int(os.environ.pop("COMMANDS"))) as line:
        command = _commands.begin([str(MAIN), *sys.argv[1:]], cwd=Path.cwd(), environment=os.environ, line=line)
    print(command.communicate()[0], end="", flush=True)
    sys.exit(command.returncode)
