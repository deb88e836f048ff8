"""That a later code has repeated recorded numbers: what makes results count again that earlier code has made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Certificate:
    """A seed of a cell played again, with the same numbers.

    `sources` is the digest of the code that repeated them, `of` the digests of the codes that a run of the cell was
    made with ("" where nobody has read it). `exact`: every bit was the same; otherwise, on another machine or with
    other versions, the first test agreed but for rounding.

    Units: `steps` in environment steps.
    Raises: TypeError where a value is of another kind.
    """

    sources: str
    of: tuple[str, ...]
    seed: int
    n_tests: int
    steps: float
    exact: bool
    commit: str
    device: str

    def __post_init__(self) -> None:
        texts = (self.sources, self.commit, self.device, *self.of)
        numbers = (self.seed, self.n_tests, self.steps)
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.exact, bool):
            raise TypeError(f"a certificate must name codes, commit and device in texts, got {self}")
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise TypeError(f"seed, n_tests and steps of a certificate must be numbers, got {self}")


def content(certificates: tuple[Certificate, ...]) -> list[dict[str, Any]]:
    """Certificates as JSON values."""
    return [{**asdict(one), "of": list(one.of)} for one in certificates]


def from_content(value: Any) -> tuple[Certificate, ...]:
    """What `content` wrote.

    Raises: TypeError or KeyError where it is something else.
    """
    if not isinstance(value, list) or not all(isinstance(one["of"], list) for one in value):
        raise TypeError(f"certificates must be a list, each of a list of codes, got {value!r}")
    names = [item.name for item in fields(Certificate)]
    return tuple(Certificate(**{name: one[name] for name in names} | {"of": tuple(one["of"])}) for one in value)
