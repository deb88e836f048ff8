"""The paper: who wrote it and what it says. A file beside this one that assigns `FIGURE` is a figure of it."""

from __future__ import annotations

from benchmarks import Paper

PAPER = Paper(
    name="mypaper",  # as this folder is called
    title="A paper of one's own",
    authors="Nobody et al.",
    venue="nowhere yet",
    summary="Two agents learn, each by itself, to meet on a ring.",
)
