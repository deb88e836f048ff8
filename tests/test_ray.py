"""A Ray cluster trains what this machine's processes train, to the last bit, whoever is killed meanwhile."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from _cluster import CHAIN, LONG, N_STEPS, RAISES
from _tiny import MADDPG_CELL
from _trials import ROOT, Begin, Begun, assert_same_end, command_lines, heard, loaded, saved, states_of, wait_for

from benchmarks._training import engines
from benchmarks._training.afar import packed
from benchmarks._training.circumstances import commit
from benchmarks._training.engines import Task, engine
from benchmarks._training.session import Outcome, Progress, Released, sessions_of
from benchmarks._training.sharing import ALLOWANCE, bytes_needed
from benchmarks._training.work import Work
from results import Store

SCRIPT = Path(__file__).with_name("_cluster.py")
GIB = 1 << 30
WORK = Work(MADDPG_CELL, (0, 1), 400)

has_ray = importlib.util.find_spec("ray") is not None
needs_ray = pytest.mark.skipif(not has_ray, reason="ray is not installed: pip install -e '.[cluster]'")


def test_who_asks_for_ray_and_has_none_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"^engine ray needs ray, install it with pip install .*, found none$"):
        engine("ray")


def test_nobody_else_imports_ray() -> None:
    script = "import sys, benchmarks.__main__, benchmarks.conftest; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.split(".")[0] == "ray" or name.endswith("ray_engine")]


# ---- a cluster of two nodes -----------------------------------------------------------------------------------------

CELLS = (*LONG.cells, *CHAIN.cells)


@pytest.fixture
def start() -> Iterator[Begin]:
    with command_lines() as begin:
        yield begin


@pytest.fixture
def nodes() -> Iterator[subprocess.Popen[str]]:
    """Two nodes on this machine."""
    command = [sys.executable, str(SCRIPT), "nodes"]
    unsent = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # our code, for instance
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, start_new_session=True, env=unsent | {"PYTHONPATH": str(ROOT)}
    )
    yield process
    process.communicate()


def stand(folder: Path) -> list[int]:
    """How far the long cells are."""
    found = [states_of(folder).steps(cell.key, seed) for cell in LONG.cells for seed in (0, 1)]
    return [steps or 0 for steps in found]


def sessions(folder: Path) -> list[int]:
    """In how many sessions the long cells have come where they stand."""
    return [len(sessions_of(saved(folder, cell, 0))) for cell in LONG.cells]


@pytest.mark.long
@needs_ray
def test_whoever_is_killed_a_cluster_trains_the_same_bits(
    start: Begin, nodes: subprocess.Popen[str], tmp_path: Path
) -> None:
    whole, own, today = tmp_path / "whole", tmp_path / "own", commit()
    smoke, figures = ("--profile", "smoke", "--device", "cpu"), ("run", "long", "chain", "fails")
    undisturbed = start(*figures[:-1], *smoke, "--store", whole, script=SCRIPT.name)
    assert nodes.stdout is not None and nodes.stdin is not None
    address = nodes.stdout.readline().strip()
    where = ("--engine", "ray", "--address", address)
    tests = ("--repro-profile=smoke", "--repro-device=cpu", "-p", "no:cacheprovider", "-n0", "-k", "long")
    theirs = ("--repro-engine=ray", f"--repro-address={address}", f"--repro-store={own}")

    def advanced(process: Begun) -> None:
        """Waits until every long cell has come further than it stands now."""
        since = stand(own)

        def further() -> bool:
            return all(now > then for now, then in zip(stand(own), since, strict=True))

        wait_for(lambda: process.poll() is not None or further(), "checkpoints have come")
        assert process.poll() is None, heard(process)

    killed = start("pytest", *tests, *theirs, script=SCRIPT.name)
    advanced(killed)
    killed.kill()
    killed.wait()

    stopped = start(*figures, *smoke, *where, "--store", own, script=SCRIPT.name)
    advanced(stopped)
    stopped.send_signal(signal.SIGTERM)
    said = heard(stopped)
    assert (stopped.returncode, "Traceback" in said) == (3, False), said
    assert said.endswith("stopped; the same command goes on from the last checkpoint\n")

    last = start(*figures, *smoke, *where, "--store", own, script=SCRIPT.name)
    advanced(last)
    before = sessions(own)
    nodes.stdin.write("kill\n")
    nodes.stdin.flush()
    assert max(stand(own)) < N_STEPS, "the node must die in mid-training"
    said = heard(last)
    kept = re.findall(rf"failed: raises on Tiny, seed.* of {RAISES.key}: ArithmeticError: .*\(traceback: (.*)\)", said)
    assert last.returncode == 1 and 1 <= said.count("failed: ") == len(kept), said
    assert "in init\n" in Path(kept[0]).read_text()
    came = [now - then for now, then in zip(sessions(own), before, strict=True)]
    assert sorted(came) == [0, 1]  # of one the node is lost

    heard(undisturbed)
    assert undisturbed.returncode == 0
    for cell in CELLS:
        assert_same_end(own, whole, cell)
    assert {session.commit for cell in CELLS for session in loaded(own, cell, 0).history} == {today}


# ---- who asks a node, without one -----------------------------------------------------------------------------------


class Method:
    """A method of an actor, which notes what it is called with."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def remote(self, *arguments: Any) -> str:
        self.calls.append(arguments)
        return f"reference {len(self.calls)}"


class Actor:
    """On no node."""

    def __init__(self) -> None:
        self.taken, self.ask = Method(), Method()


@pytest.fixture
def engine_of_ray(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The engine, with no cluster."""
    from benchmarks._training import ray_engine  # noqa: PLC0415 - not everybody has Ray

    answers = SimpleNamespace(kill=lambda _: None, wait=lambda found, **_: (found, []), nodes=lambda: [])
    monkeypatch.setattr(ray_engine, "ray", answers)
    monkeypatch.setattr(ray_engine, "RETRY_SECONDS", 0.0)
    return ray_engine


def begun(ray_engine: Any, folder: Path, ends: float = math.inf) -> tuple[Any, Any]:
    """An engine, and somebody who trains two seeds."""
    task = Task((), Store(folder), states_of(folder), "cpu", None, ends, set_aside=False)
    cluster = ray_engine.Cluster(task, 0.0, most=9)
    _, home = packed(WORK, task)
    return cluster, ray_engine.Away(cluster, home, Actor())


def answered(ray_engine: Any, one: Any, answer: Any) -> list[Any]:
    """What is said when a node answers so, or not."""

    def get(_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    ray_engine.ray.get = get
    one.cluster.wait([one], 0.0)
    return list(one.heard())


@pytest.mark.long
@needs_ray
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_where_no_cluster_answers_one_sentence_says_so(address: str, tmp_path: Path) -> None:
    task = Task((), Store(tmp_path), states_of(tmp_path), "cpu", None, math.inf, set_aside=False)
    told = rf"^a Ray cluster must answer at {address}, got (ConnectionRefused|Value)Error: [^\n]+$"
    with pytest.raises(ValueError, match=told), engine("ray", address)(task):
        pass


@pytest.mark.long
@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_once_time_is_up_all_shall_stop_and_what_has_not_begun_ends(engine_of_ray: Any, tmp_path: Path) -> None:
    cluster, one = begun(engine_of_ray, tmp_path, ends=time.monotonic())
    cluster.wait([one], 0.0)
    assert one.ended and list(one.heard()) == [Outcome()]
    one.close()
    cluster, one = begun(engine_of_ray, tmp_path)
    actor = one.actor
    assert answered(engine_of_ray, one, (1, [Progress("a", 1, 9, 1.0)])) == [Progress("a", 1, 9, 1.0)]
    cluster.task = cluster.task._replace(ends=time.monotonic())
    cluster.wait([one], 0.0)
    assert not one.ended and actor.ask.calls == [("stop",)] and actor.taken.calls == [(0,), (1,)]
    one.kill()
    assert packed(WORK, cluster.task)[1].elsewhere == ()


@pytest.mark.long
@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_seeds_that_are_lost_again_and_again_fail(engine_of_ray: Any, tmp_path: Path) -> None:
    from ray.exceptions import ActorDiedError, ActorUnavailableError  # noqa: PLC0415 - not everybody has Ray

    cluster, one = begun(engine_of_ray, tmp_path)
    assert answered(engine_of_ray, one, ActorUnavailableError("who knows", None)) == []
    assert one.actor.taken.calls == [(0,), (0,)] and not one.ended
    for _ in range(engine_of_ray.LOSSES - 1):
        assert answered(engine_of_ray, one, ActorDiedError()) == [Released((0, 1)), Outcome()]
        one.close()
        one = engine_of_ray.Away(cluster, packed(WORK, cluster.task)[1], Actor())
        cluster.nodes, cluster.looked = ({"CPU": 1.0, "memory": 1e12},), math.inf
        assert "its node or its process was lost" in cluster._note(WORK, engine_of_ray.needs(WORK, 0.0))
    (said,) = answered(engine_of_ray, one, ActorDiedError())
    (failure,) = said.failures
    assert failure.seeds == (0, 1) and re.search(r"lost 3 times .*: the same command goes on", failure.sentence)
    assert one.ended
    one.close()


@pytest.mark.long
@needs_ray
@pytest.mark.filterwarnings("ignore")
def test_a_piece_of_work_needs_a_core_memory_and_a_share_of_a_card(engine_of_ray: Any) -> None:
    states = bytes_needed(WORK)
    here = engine_of_ray.needs(WORK, 0.0)
    assert here == (1, engine_of_ray.PROCESS + 2 * states, 0.0)
    assert here.fit({"CPU": 1.0, "memory": here.memory}) and not here.fit({"CPU": 8.0, "memory": here.memory - 1})
    there = WORK._replace(cell=WORK.cell.on("cuda"))
    share = (ALLOWANCE + states) / (0.9 * 80 * GIB)
    assert share <= engine_of_ray.needs(there, 80 * GIB).num_gpus < share + 0.01
    assert engine_of_ray.needs(there, GIB).num_gpus == 1.0
    assert engine_of_ray.needs(Work(RAISES, (0,), 400), 0.0).memory == engine_of_ray.PROCESS  # where it says why
    assert not engine_of_ray.needs(there, 80 * GIB).fit({"CPU": 8.0, "memory": 80.0 * GIB})
