"""What a container is given of the processors bounds how many processes train side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks._training import processors
from benchmarks._training.processors import usable

V1 = "sys/fs/cgroup/cpu,cpuacct"


@pytest.fixture(autouse=True)
def _eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "allowed", lambda: 8)


def system(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A folder that looks like the root of a system."""
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def v1(quota: int) -> dict[str, str]:
    return {f"{V1}/cpu.cfs_quota_us": f"{quota}\n", f"{V1}/cpu.cfs_period_us": "100000\n"}


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "10000 100000\n"}, 1),
        ("0::/\n", {"sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 8),
        ("0::/a/b\n", {"sys/fs/cgroup/a/cpu.max": "200000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/a\n", {"sys/fs/cgroup/b/cpu.max": "100000 100000\n"}, 8),
        ("1:memory:/x\n2:cpu,cpuacct:/docker/1\n", v1(250_000), 3),
        ("1:memory:/x\n2:cpu,cpuacct:/\n", v1(-1), 8),
        ("1:memory:/\n", v1(100_000), 8),
    ],
)
def test_no_more_cores_than_the_container_is_given(
    tmp_path: Path, groups: str, files: dict[str, str], expected: int
) -> None:
    assert usable(system(tmp_path, groups, files)) == expected


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert usable(tmp_path) == 8
