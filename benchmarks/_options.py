"""What a user may ask for, on the command line and of pytest: checked, or answered with one sentence."""

from __future__ import annotations

import math
import os
import sys
import tomllib
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from benchmarks import PROFILES, VARIES, Figure
from results import Store, Stores

NAME = "marl-reproducibility"
ROOT = Path(__file__).parent.parent
RECORDED = ROOT / "results" / "recorded"


def is_checkout(root: Path) -> bool:
    """Whether the packages lie in their project, as opposed to among those that are installed."""
    return (root / "pyproject.toml").is_file()


def own(root: Path) -> Path:
    """Where one's own files go: into the project, or where the system keeps what belongs to a user."""
    if is_checkout(root):
        return root
    usual = "Library/Application Support" if sys.platform == "darwin" else ".local/share"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / usual) / NAME


LOCAL = own(ROOT) / "results" / "local"
FRESH = own(ROOT) / "results" / "fresh"
REPORT = own(ROOT) / "reports"
VERDICTS = RECORDED / "verdicts.json"  # with their evidence and plans; written by `python -m benchmarks record`
SIMULATED = RECORDED / "characteristics.json"  # how often each claim comes to what, written beside them


def version() -> str:
    """The version of what runs: that of the project where it is one, else of what is installed."""
    if is_checkout(ROOT):
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version(NAME)


def stores_of(folder: Path) -> Stores:
    """One's own store, and the recorded one behind it."""
    recorded = Store(RECORDED)
    return Stores(recorded) if folder.resolve() == RECORDED.resolve() else Stores(Store(folder), recorded)


def reading(name: str, settings: Sequence[str]) -> str:
    """What a figure is read under: a reading by its name, or settings of one's own.

    Raises: ValueError where both are asked for.
    """
    if settings and name:
        raise ValueError(f"settings vary our own choice of everything, so no reading can be asked for, got {name!r}")
    if settings and not all(VARIES in text for text in settings):
        raise ValueError(f"a setting must be Class.field=value, got {next(t for t in settings if VARIES not in t)!r}")
    return ",".join(settings) or name


def apart(figures: Iterable[Figure], folder: Path) -> None:
    """Nothing, unless variants would come into the store of what is recorded.

    Raises: ValueError where they would.
    """
    if folder.resolve() == RECORDED.resolve() and any(figure.is_variant for figure in figures):
        raise ValueError(f"variants must be kept in a store of one's own, got {folder}, which is of the papers alone")


def profile(name: str) -> str:
    """A profile's name.

    Raises: ValueError where there is none of that name.
    """
    if name not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {name!r}")
    return name


def whole_number(what: str, text: str | None) -> int | None:
    """A number of at least one, or None where none was given.

    Raises: ValueError where it is something else.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ValueError(f"the number of {what} must be a whole number of at least 1, got {text!r}")
    return int(text)


def seconds(text: str | None) -> float | None:
    """A time such as 90s, 9m or 2h, or None where none was given.

    Raises: ValueError where it is something else.
    """
    if text is None:
        return None
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    try:
        value = float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError):
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"a time limit must be a number with s, m or h, such as 9m, got {text!r}")
    return value
