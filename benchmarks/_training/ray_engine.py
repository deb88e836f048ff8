"""Cells trained on a Ray cluster, whose machines need no folder in common with this one.

Every piece of work is an actor on some node, a process with one core, the memory that its cells need and, on cards, a
share of one. What it begins with goes there and every checkpoint comes back through Ray's object store; this process
writes them, and holds the locks. Ray never begins anything again by itself: what has been on a node that is lost goes
on elsewhere from the last checkpoint that came back.

The nodes run the code of this process, which is sent to them. They must have Python, Ray and the libraries in the same
versions; a run says which it was made with.
"""

from __future__ import annotations

import math
import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import ray
import torch
from ray.exceptions import ActorUnavailableError, ObjectLostError, RayError

from benchmarks import Cell, lineage
from benchmarks._training import processors, session
from benchmarks._training.afar import Home, Letter, Post, packed, train_away
from benchmarks._training.circumstances import ARITHMETIC, COMMIT, commit, one_thread
from benchmarks._training.engines import GOES_ON, Engine, Opened, Said, Task, Worker, held
from benchmarks._training.session import Outcome, Released
from benchmarks._training.sharing import ALLOWANCE, USED, bytes_needed
from benchmarks._training.sources import ROOT, modules
from benchmarks._training.work import Work

PACKAGES = ("environments", "algorithms", "benchmarks", "results")
CHECKPOINT_SECONDS = 240.0
"""Between the checkpoints of a node. A minute less than elsewhere, for the way: five minutes are lost at most."""
LOOK_SECONDS = 2.0  # between looks at which nodes there are
PROCESS = 1 << 29
"""What a process takes beside training states: Python, torch, Ray. A tiny cell's was seen to take 0.3 GB without Ray.
Units: bytes."""
RETRY_SECONDS = 0.5  # until an actor is asked again that did not answer
LOSSES = 3  # after so many in a row without a checkpoint in between, a seed has failed


def cluster(address: str | None) -> Opened:
    """The Ray cluster at an address ("auto": the one that this machine belongs to), or one of this machine's cores."""

    @contextmanager
    def opened(task: Task) -> Iterator[Engine]:
        with tempfile.TemporaryDirectory(prefix="marl-reproducibility-") as code:
            staged(Path(code), (item.cell for item in task.items))
            with _signals_kept():
                _connect(address, task, code)
            try:
                yield Cluster(task, _card(task, address), most=task.n_jobs or 1 << 30)
            finally:
                ray.shutdown()

    return opened


def staged(folder: Path, cells: Iterable[Cell]) -> None:
    """Copies the code that trains cells into a folder: ours, and the packages of theirs that are not."""
    for name in PACKAGES:
        for path in (ROOT / name).rglob("*"):
            if path.suffix == ".py" or path.parent == ROOT / "results" / "published":
                _copied(path, folder / path.relative_to(ROOT))
    for path in {found for cell in cells for link in lineage(cell) for found in modules(link)}:
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            _copied(file, folder / file.relative_to(path.parent))


def _copied(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)


def _connect(address: str | None, task: Task, code: str) -> None:
    """Connects this process with a cluster.

    Raises: ValueError where there is none.
    """
    rounding = {name: os.environ[name] for name in ARITHMETIC if name in os.environ}
    env_vars = {"OMP_NUM_THREADS": "1", COMMIT: commit(), **rounding}
    own = {"num_cpus": task.n_jobs or processors.usable(), "include_dashboard": False}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told of a cluster of this machine's
    try:
        _reach(address)
        ray.init(
            address=address or "local",
            runtime_env={"working_dir": code, "env_vars": env_vars},
            log_to_driver=False,
            logging_level="error",
            **({} if address else own),
        )
    except (ConnectionError, RuntimeError, ValueError, OSError, RayError) as error:
        where = f"a Ray cluster must answer at {address}" if address else "a Ray cluster must start here"
        raise ValueError(f"{where}, got {type(error).__name__}: {' '.join(str(error).split())}") from error


def _reach(address: str | None) -> None:
    """Nothing, where somebody listens at host:port; Ray itself would try for minutes.

    Raises: OSError where nobody does, ValueError where that is no address.
    """
    if address not in (None, "auto"):
        host, _, port = str(address).rpartition(":")
        socket.create_connection((host, int(port)), timeout=10.0).close()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """What signals do stays as it was, which Ray would change."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


# ---- what a piece of work needs --------------------------------------------------------------------------------------


class Needs(NamedTuple):
    """What Ray sets aside for a piece of work. Units: memory in bytes."""

    num_cpus: float
    memory: int
    num_gpus: float

    @property
    def words(self) -> str:
        """In words."""
        card = f", {self.num_gpus:.0%} of a card" if self.num_gpus else ""
        return f"a core, {self.memory / 1e9:.1f} GB{card}"

    def fit(self, has: dict[str, float]) -> bool:
        """Whether a node could ever give it."""
        wanted = {"CPU": self.num_cpus, "memory": self.memory, "GPU": self.num_gpus}
        return all(has.get(name, 0.0) >= number for name, number in wanted.items())


def needs(item: Work, card: float) -> Needs:
    """One core, and memory for the states twice, since they are read and joined; of a card of so many bytes a share.

    Without a card nothing of one. What a cell needs that cannot begin is not known, but where it is begun it says why.
    """
    states = 0
    with suppress(Exception):
        states = bytes_needed(item)
    if item.cell.device == "cpu":
        return Needs(1, PROCESS + 2 * states, 0.0)
    share = math.ceil(100 * (ALLOWANCE + states) / (USED * card)) / 100
    return Needs(1, PROCESS + 2 * states, min(1.0, share))


def _card(task: Task, address: str | None) -> float:
    """The memory of a card of the cluster in bytes; 0 where none is asked for.

    Raises: ValueError where there is none.
    """
    if task.device == "cpu":
        return 0.0
    if not ray.cluster_resources().get("GPU"):
        raise ValueError(f"device cuda was asked for, but the Ray cluster at {address or 'this machine'} has no card")
    return float(ray.get(ray.remote(num_gpus=0.01)(_memory).remote()))


def _memory() -> int:
    """Of the card that this process may use, in bytes."""
    return int(torch.cuda.mem_get_info()[1])


# ---- on a node -------------------------------------------------------------------------------------------------------


class Site:
    """A process of the cluster that trains some seeds of a cell. While one thread trains, others listen and tell."""

    def __init__(self, checkpoint_seconds: float, report_seconds: float) -> None:
        session.CHECKPOINT_SECONDS, session.REPORT_SECONDS = checkpoint_seconds, report_seconds
        self.post = Post()

    def train(self, luggage: bytes) -> None:
        """Trains until the end, or until it shall stop."""
        one_thread()
        train_away(luggage, self.post)

    def taken(self, after: int) -> tuple[int, list[Letter]]:
        """What there is to tell, after the letter of that number."""
        return self.post.taken(after, 10.0)

    def ask(self, what: Literal["stop", "halve"]) -> None:
        """Asks the training thread for something."""
        self.post.ask(what)


# ---- the one who asks ------------------------------------------------------------------------------------------------


@dataclass
class Cluster:
    """The nodes of a Ray cluster, as many workers as they have cores."""

    task: Task
    card: float
    most: int
    losses: Counter[tuple[str, int]] = field(default_factory=Counter)  # by key and seed, in a row
    nodes: tuple[dict[str, float], ...] = ()  # what each that is alive has
    looked: float = -math.inf

    @property
    def splits(self) -> bool:
        """Whether free workers take seeds of cells that others have begun."""
        return self.task.device == "cpu"

    @property
    def n_jobs(self) -> int:
        """One a core of those that have a card where one is needed; nodes may come and go."""
        self._look()
        kind = [node for node in self.nodes if self.task.device == "cpu" or node.get("GPU")]
        return max(1, min(self.most, int(sum(node.get("CPU", 0.0) for node in kind))))

    def held(self, item: Work) -> tuple[int, ...]:
        """The seeds that somebody else trains now."""
        return held(self.task.states, item)

    def begin(self, item: Work) -> Away:
        """Somebody on a node who trains some seeds of a cell."""
        luggage, home = packed(item, self.task)
        if not luggage.item.all_seeds:
            return Away(self, home)
        wanted = needs(luggage.item, self.card)
        often = min(CHECKPOINT_SECONDS, session.CHECKPOINT_SECONDS), session.REPORT_SECONDS
        actor = ray.remote(Site).options(max_concurrency=4, **wanted._asdict()).remote(*often)
        actor.train.remote(pickle.dumps(luggage))
        return Away(self, home, actor, self._note(luggage.item, wanted))

    def _note(self, item: Work, wanted: Needs) -> str:
        """What is to be said of a piece of work that begins."""
        self._look()
        if not any(wanted.fit(node) for node in self.nodes):
            return f"waits for a node with {wanted.words}"
        lost = any(self.losses[item.cell.key, seed] for seed in item.all_seeds)
        return "goes on from the last checkpoint, for its node or its process was lost" if lost else ""

    def wait(self, workers: Sequence[Worker], seconds: float) -> None:
        """Until one of them has said something or ended, but no longer than that; once time is up, all shall stop."""
        left = self.task.ends - time.monotonic()
        for one in workers if left <= 0 else ():
            one.ask("stop")
        awaited = {one.coming: one for one in workers if isinstance(one, Away) and not one.ended}
        most = min(seconds, left) if left > 0 else seconds
        if len(awaited) < len(workers):
            return  # one of them has ended
        if not awaited:
            time.sleep(most)
            return
        ray.wait(list(awaited), num_returns=1, timeout=most, fetch_local=False)
        arrived, _ = ray.wait(list(awaited), num_returns=len(awaited), timeout=0, fetch_local=False)
        for reference in arrived:
            awaited[reference].arrived = True

    def _look(self) -> None:
        """Which nodes there are."""
        if time.monotonic() - self.looked >= LOOK_SECONDS:
            self.nodes = tuple(node["Resources"] for node in ray.nodes() if node["Alive"])
            self.looked = time.monotonic()


class Away:
    """Some seeds that train on a node."""

    def __init__(self, cluster: Cluster, home: Home, actor: Any = None, note: str = "") -> None:
        self.cluster, self.home, self.actor = cluster, home, actor
        self.note = note  # what is to be said before anything has come
        self.last = 0  # the number of the last letter
        self.begun = self.arrived = False
        self.unsaid: list[Said] = [home.outcome()] if actor is None else []
        self.coming: Any = None if actor is None else actor.taken.remote(0)

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.actor is None

    def heard(self) -> Iterator[Said]:
        """All that has been said, what it brings being kept."""
        if self.note:
            yield self.home.progress._replace(note=self.note)
        if self.arrived:
            self._fetch()
        self.note = ""
        said, self.unsaid = self.unsaid, []
        yield from said

    def ask(self, what: Literal["stop", "halve"]) -> None:
        """Asks for something; what has not begun by then has nothing to lose, and ends."""
        if self.actor is None:
            return
        if what == "stop" and not self.begun:
            self._end(self.home.outcome())
        else:
            self.actor.ask.remote(what)

    def close(self) -> str:
        """Lets others train its seeds. What came of it has always been said."""
        self.home.release(tuple(self.home.locks))
        return ""

    def kill(self) -> None:
        """Ends it at once."""
        if self.actor is not None:
            ray.kill(self.actor)
            self.actor = None
        self.close()

    def _fetch(self) -> None:
        """Takes in what has come, and waits for more."""
        self.arrived = False
        try:
            self.last, letters = ray.get(self.coming)
        except (ActorUnavailableError, ObjectLostError):  # perhaps it is dead; the next answer says so, or is all of it
            time.sleep(RETRY_SECONDS)
            letters = []
        except RayError as error:
            self._lost(error)
            return
        else:
            self.begun = True
        for letter in letters:
            said = self.home.take_in(letter)
            if isinstance(said, Outcome):
                self._end(said)
            elif said is not None:
                self.unsaid.append(said)
        if self.actor is not None:
            self.coming = self.actor.taken.remote(self.last)
            if not self.home.left:
                self.ask("stop")

    def _lost(self, error: RayError) -> None:
        """Its node or its process is gone: the seeds go on elsewhere, unless that has happened again and again."""
        home, losses, key = self.home, self.cluster.losses, self.home.item.cell.key
        for seed in home.left:
            losses[key, seed] = 1 + (0 if seed in home.advanced else losses[key, seed])
        tired = tuple(seed for seed in home.left if losses[key, seed] >= LOSSES)
        again = tuple(seed for seed in home.left if seed not in tired)
        why = " ".join(str(error).split())
        sentence = f"its process was lost {LOSSES} times with no checkpoint in between ({why}): {GOES_ON}"
        failures = (home.failed(tired, sentence),) if tired else ()
        if again:
            self.unsaid.append(Released(again))
        self._end(home.outcome(failures, tuple(home.stored)))

    def _end(self, outcome: Outcome) -> None:
        self.unsaid.append(outcome)
        with suppress(RayError):
            ray.kill(self.actor)
        self.actor = self.coming = None
