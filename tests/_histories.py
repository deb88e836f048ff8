"""A session of training that nobody had, for runs that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from results import Session

A_SESSION = Session(
    commit="abc123",
    python="3.11",
    torch="2.0",
    numpy="2.0",
    system="Linux x86_64",
    device="chip",
    threads=1,
    seeds_together=3,
    wall_seconds=7.0,
    first=0,
    sources="0123456789ab",
)


def a_history(**other: Any) -> tuple[Session, ...]:
    """One session, with some of its entries changed."""
    return (replace(A_SESSION, **other),)
