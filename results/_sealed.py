"""Readable JSON in which no byte can change unnoticed.

The second line of a file holds the SHA-256 of all lines after it, so that anyone can check it without us:

    tail -n +3 seed-003.json | sha256sum
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from results._files import StoreError, absent, explained, replacing

FORMAT = 1


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes `content` with its format and checksum, all at once."""
    body = _text({"format": FORMAT, **content}).removeprefix("{\n").encode() + b"\n"
    with replacing(path) as temporary:
        temporary.write_bytes(_sealed(body))


def read(path: Path) -> dict[str, Any] | None:
    """What `write` wrote, or None where there is no such file.

    Raises: StoreError where a byte differs from what was written, or another format is met.
    """
    with explained(path):
        if absent(path):
            return None
        data = path.read_bytes()
    body = data.split(b"\n", 2)[-1]
    if data != _sealed(body):
        raise StoreError(
            f"{path} is damaged: its second line must hold the checksum {_digest(body)} of the lines after it, "
            f"got {data[:96]!r}; restore it from git or a backup, or move it away and make it again"
        )
    try:
        content = json.loads(b"{" + body)
        if b"\\u" in body:
            json.dumps(content, ensure_ascii=False).encode()  # refuses half a character, which nobody could write back
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} must hold JSON under its checksum, got {error}: restore it from git") from error
    if content.pop("format", None) != FORMAT:
        raise StoreError(f"{path} is of another format than {FORMAT}: read it with the version that wrote it")
    return dict(content)


def _sealed(body: bytes) -> bytes:
    return b'{\n "sha256": "' + _digest(body).encode() + b'",\n' + body


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _text(value: Any, depth: int = 0) -> str:
    """JSON with a field a line; a list (a curve) stays on one line."""
    if not isinstance(value, Mapping) or not value:
        return json.dumps(value, ensure_ascii=False)
    indent = " " * depth
    lines = (
        f"{indent} {json.dumps(name, ensure_ascii=False)}: {_text(item, depth + 1)}" for name, item in value.items()
    )
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
