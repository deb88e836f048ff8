"""Numbers that papers print, or that stand in their authors' logs: typed in by hand, then sealed like what is measured.

published("mace")["totals"]
seal(Path("results/published/mace.json"))     # after checking every number against the paper
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from results import _sealed
from results._files import StoreError, explained

FOLDER = Path(__file__).parent / "published"


@functools.cache
def published(paper: str) -> dict[str, Any]:
    """What the file of a paper says.

    Raises: StoreError where it is absent, or a byte was changed since it was sealed.
    """
    path = FOLDER / f"{paper}.json"
    content = _sealed.read(path)
    if content is None:
        raise StoreError(f"{path} must hold the numbers that the paper prints, got no file: restore it from git")
    return content


def seal(path: Path) -> None:
    """Seals a file of JSON values as it stands, whoever has written it.

    Raises: StoreError where it cannot be read or written, or holds no JSON values by name.
    """
    with explained(path):
        text = path.read_text(encoding="utf-8")
        try:
            content = json.loads(text)
        except ValueError as error:
            raise StoreError(f"{path} must hold JSON, got {error}") from error
        if not isinstance(content, dict):
            raise StoreError(f"{path} must hold values by name, got {type(content).__name__}")
        _sealed.write(path, {name: value for name, value in content.items() if name not in ("sha256", "format")})
