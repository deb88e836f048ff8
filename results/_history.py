"""Where a run comes from: one entry for every stretch of its training, as things were when that stretch began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CHANGED = "+"
LARGEST = 2**53  # beyond which not every whole number is a float64
PLACE = ("python", "torch", "numpy", "system", "device", "threads", "arithmetic")
"""Where all of these agree, the same code and seed must give the same bits."""


@dataclass(frozen=True)
class Session:
    """One stretch of training, without a break, by one process.

    `first` is the step at which it began; None where that is not known, because the run was recorded before histories
    were kept and only its last session is told. `sources` is the digest of the code that the run imports, "" where
    nobody has read it. `arithmetic` holds the environment variables that were set and that change how numbers round.

    Units: `first` in environment steps per seed; `wall_seconds` of all `seeds_together`, in this session.
    Raises: TypeError or ValueError where a value is of another kind.
    """

    commit: str  # with "+" where the code had been changed since; "" outside of a checkout
    python: str
    torch: str
    numpy: str
    system: str
    device: str
    threads: int
    seeds_together: int
    wall_seconds: float
    first: int | None = None
    sources: str = ""
    arithmetic: str = ""  # such as "MKL_CBWR=AVX2"

    def __post_init__(self) -> None:
        told = (self.commit, self.python, self.torch, self.numpy, self.system)
        texts = (*told, self.device, self.sources, self.arithmetic)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError(f"commit, sources, versions and device of a session must be texts, got {texts}")
        for name in ("threads", "seeds_together"):
            if not whole(getattr(self, name)) or not 1 <= getattr(self, name) <= LARGEST:
                raise ValueError(f"{name} of a session must be a number of at least 1, got {getattr(self, name)!r}")
        if self.first is not None and (not whole(self.first) or not 0 <= self.first <= LARGEST):
            raise ValueError(f"a session must begin at a step, got {self.first!r}")
        if isinstance(self.wall_seconds, bool) or not isinstance(self.wall_seconds, int | float):
            raise TypeError(f"wall_seconds of a session must be a number, got {self.wall_seconds!r}")
        if not 0 <= self.wall_seconds < 1e12:
            raise ValueError(f"wall_seconds of a session must be a time, got {self.wall_seconds!r}")

    @property
    def changed(self) -> bool:
        """Whether it ran with code that is not known: changed since its commit, or of none."""
        return not self.commit or self.commit.endswith(CHANGED)

    def elsewhere(self, other: Session) -> str:
        """In what two sessions differ that rounding may depend on; empty where their bits must agree."""
        pairs = [(name, getattr(self, name), getattr(other, name)) for name in PLACE]
        return ", ".join(f"{name} {one or 'not set'} and {two or 'not set'}" for name, one, two in pairs if one != two)


History = tuple[Session, ...]


def whole(value: object) -> bool:
    """Whether something is a whole number, which True is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def content(history: History) -> list[dict[str, Any]]:
    """A history as JSON values."""
    return [asdict(session) for session in history]


def from_content(value: Any) -> History:
    """The history that `content` wrote; or, from before histories were kept, what was told of the last session.

    Raises: TypeError or ValueError where it is something else.
    """
    told = [value] if isinstance(value, Mapping) else value
    if not isinstance(told, list):
        raise TypeError(f"a history must be a list of sessions, got {type(value).__name__}")
    return tuple(Session(**dict(session)) for session in told)
