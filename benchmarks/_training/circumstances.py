"""Under what a session of training runs, read when it begins, and how a process is set up for it."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks import Cell
from benchmarks._training.sources import ROOT, digest
from results import Session

ARITHMETIC = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)
"""Variables by which libraries choose how they round."""
COMMIT = "MARL_REPRO_COMMIT"
"""The variable that says of which commit code is that was sent here without its checkout."""


def session(cell: Cell, n_seeds: int, first: int) -> Session:
    """A session of some seeds of a cell that begins now, at a step; no time has passed in it."""
    return Session(
        commit=commit(),
        python=platform.python_version(),
        torch=torch.__version__,
        numpy=np.__version__,
        system=f"{platform.system()} {platform.machine()}",
        device=torch.cuda.get_device_name() if cell.device == "cuda" else _processor(),
        threads=torch.get_num_threads(),
        seeds_together=n_seeds,
        wall_seconds=0.0,
        first=first,
        sources=digest(cell),
        arithmetic=" ".join(f"{name}={os.environ[name]}" for name in ARITHMETIC if name in os.environ),
    )


def commit() -> str:
    """The commit of the code, with "+" where a line of it has been changed since; "" outside of a checkout.

    Installed packages are outside, though their folder may lie in a checkout of something else. Code that was sent here
    from a checkout is of that one's commit.
    """
    if not (ROOT / ".git").exists():
        return os.environ.get(COMMIT, "")
    found = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "*.py")
    if not found or changed is None:
        return ""
    return found + ("+" if changed else "")


def known_commit() -> str:
    """The commit of the code.

    Raises: ValueError where the code is not that of a commit: what is recorded must say what it comes from.
    """
    found = commit()
    if not found or found.endswith("+"):
        seen = f"changes since {found[:-1]}" if found else "no checkout of git"
        raise ValueError(f"what is recorded must come from a commit, found {seen}: commit first, or use another store")
    return found


def one_thread() -> None:
    """Sets this process up for training: one thread, because another number gives other bits, and its memory kept.

    glibc returns every block of more than a few hundred kilobytes to the system and takes it anew, page by page, at the
    next operation; that alone makes training a third slower. So no block is mapped by itself, however large: no
    threshold goes beyond 32 MiB, and ten seeds of four agents' layers are larger. Other C libraries are left as they are.
    """
    torch.set_num_threads(1)
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        trim_threshold, top_pad, mmap_max = -1, -2, -4  # names of malloc.h
        libc.mallopt(mmap_max, 0)
        libc.mallopt(trim_threshold, 2**31 - 1)
        libc.mallopt(top_pad, 64 << 20)


def fixed_card() -> None:
    """Has cuBLAS round the same however a kernel is started, before anything is computed on a card.

    Left alone it chooses its way by the memory that a stream has, and was seen to round otherwise within a graph.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this file lies in; None where it cannot."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


@functools.cache
def _processor() -> str:
    """The processor's name, family and model, and the vector instructions that torch uses on it."""
    facts: dict[str, str] = {}
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            facts.setdefault(name.strip(), value.strip())
    if "model name" not in facts:
        return f"{platform.processor()} ({torch.backends.cpu.get_cpu_capability()})"
    model = f"family {facts.get('cpu family')}, model {facts.get('model')}"
    return f"{facts['model name']} ({model}, {torch.backends.cpu.get_cpu_capability()})"
