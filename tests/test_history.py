"""A run says all of its history: other code and other machines are noticed, compared, and told, or refused."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from _histories import A_SESSION, a_history
from _tiny import CTEDD_CELL, FIGURE, FIRST, MADDPG_CELL, SECOND, TRANSFERS
from _trials import (
    OLD,
    ROOT,
    aged,
    assert_same_end,
    bits,
    curves,
    failing,
    loaded,
    outcome,
    saved,
    states_of,
    trained,
)

from algorithms.maddpg import MADDPG
from benchmarks import __main__ as command_line
from benchmarks._judging.desk import Desk
from benchmarks._judging.exhibit import Exhibit
from benchmarks._options import RECORDED
from benchmarks._training import circumstances
from benchmarks._training import session as session_module
from benchmarks._training.circumstances import one_thread
from benchmarks._training.session import Outcome
from benchmarks._training.sources import digest
from benchmarks._training.standing import standing_of
from benchmarks._training.work import Library, Work
from reports._facts import source
from results import Run, Store, StoreError, Stores

one_thread()

TO_400 = Work(MADDPG_CELL, (0, 1), 400)


@pytest.fixture(autouse=True)
def _signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command line takes these over, which is right for a process of its own."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both tiny cells, trained to step 400 without a break."""
    folder = tmp_path_factory.mktemp("whole")
    for cell in FIGURE.cells:
        assert trained(folder, cell)
    return folder


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory, whole: Path) -> Path:
    """One of them to step 200 only."""
    folder = tmp_path_factory.mktemp("half")
    assert trained(folder, MADDPG_CELL, n_steps=200)
    shutil.copytree(whole / CTEDD_CELL.key, folder / CTEDD_CELL.key)
    return folder


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps at which an iteration began, in this process."""
    seen: list[int] = []
    advance = MADDPG.advance

    def noted(self: MADDPG, env: Any, state: Any) -> None:
        seen.append(state.steps)
        advance(self, env, state)

    monkeypatch.setattr(MADDPG, "advance", noted)
    return seen


# ---- other code -----------------------------------------------------------------------------------------------------

LEARNT = "return losses.td_target(batch.reward, networks.value(joint, critic), self.discount)"
CHANGES = {
    "other words": ('"""Fresh networks, empty replay, new episodes."""', '"""Fresh networks."""  # and nothing else'),
    "another line": ("state.steps += self.steps_per_update", "state.steps = state.steps + self.steps_per_update"),
    "other numbers": (LEARNT, LEARNT.replace("self.discount", "0.9 * self.discount")),
}
SCRIPT = """
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from benchmarks import _catalogue as catalogue
from _tiny import FIGURE, MADDPG_CELL
from _trials import outcome
from benchmarks._training.circumstances import commit, one_thread
from benchmarks._training.sources import digest
from benchmarks._training.work import Work
from results import Store

catalogue.figures = lambda: (FIGURE,)
from benchmarks.__main__ import main

def command(*more):
    with redirect_stdout(StringIO()) as said:
        status = main(["run", "tiny", "--profile", "smoke", "--store", sys.argv[3], "--jobs", "1", *more])
    return status, said.getvalue(), Store(Path(sys.argv[3])).seeds(MADDPG_CELL.key)

one_thread()
folder, aside = Path(sys.argv[1]), Path(sys.argv[2])
work = Work(MADDPG_CELL, (0, 1), 400)
found = [outcome(folder, work), outcome(aside, work, set_aside=True)]
said = [(one.whole, [(failure.seeds, failure.sentence) for failure in one.failures]) for one in found]
commanded = [command(), command("--set-aside")] if sys.argv[3:] else []
print(json.dumps([commit(), digest(MADDPG_CELL), *said, commanded]))
"""


class Elsewhere(NamedTuple):
    """Another version of the code, and what became there of seeds that this one had begun."""

    commit: str
    digest: str
    folder: Path
    whole: tuple[int, ...]
    failures: dict[int, str]
    aside: Path  # the same with --set-aside
    whole_aside: tuple[int, ...]
    states: Path  # the same states without a run, for the command line
    commanded: list[tuple[int, str, list[int]]]  # what it answers without and with --set-aside, and which runs it left


def another_version(folder: Path, change: str) -> Path:
    """A checkout of its own, in which one line of one algorithm is another, and all is committed."""
    ignored = shutil.ignore_patterns("__pycache__", "recorded", "local", "fresh", "speed")
    for package in ("algorithms", "benchmarks", "environments", "results"):
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    (folder / "tests").mkdir()
    for name in ("_commands.py", "_tiny.py", "_trials.py"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    path, (old, new) = folder / "algorithms" / "maddpg.py", CHANGES[change]
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    git = ["git", "-C", str(folder), "-c", "user.name=nobody", "-c", "user.email=nobody@nowhere"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", change]):
        subprocess.run([*git, *arguments], check=True)
    return folder


@pytest.fixture(scope="module", params=CHANGES)
def elsewhere(request: pytest.FixtureRequest, half: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """Goes on with another version of the code, in a process of its own, from where this one had come to."""
    folder = tmp_path_factory.mktemp("elsewhere")
    root = another_version(folder / "code", request.param)
    runs, aside, states = folder / "runs", folder / "aside", folder / "states"
    for copy in (runs, aside, states):
        shutil.copytree(half, copy)
    shutil.rmtree(states / MADDPG_CELL.key)
    asked = [runs, aside, *([states] if request.param == "other numbers" else [])]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, asked)],
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root / 'tests'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    commit, sources, (of_it, failures), (of_it_aside, _), commanded = json.loads(done.stdout)
    said = {seed: sentence for seeds, sentence in failures for seed in seeds}
    return Elsewhere(commit, sources, runs, tuple(of_it), said, aside, tuple(of_it_aside), states, commanded)


@pytest.mark.parametrize("elsewhere", ["other words"], indirect=True)
def test_who_only_words_it_otherwise_goes_on_as_the_same_code(elsewhere: Elsewhere, whole: Path) -> None:
    assert (elsewhere.whole, elsewhere.failures) == ((0, 1), {})
    assert_same_end(elsewhere.folder, whole, MADDPG_CELL)
    history = loaded(elsewhere.folder, MADDPG_CELL, 0).history
    assert [session.first for session in history] == [0, 200]
    assert {session.sources for session in history} == {digest(MADDPG_CELL)} == {elsewhere.digest}
    assert [session.commit for session in history] == [circumstances.commit(), elsewhere.commit]


@pytest.mark.parametrize("elsewhere", ["another line"], indirect=True)
def test_other_code_that_gives_the_same_numbers_goes_on_and_the_run_tells_of_both(
    elsewhere: Elsewhere, whole: Path
) -> None:
    assert (elsewhere.whole, elsewhere.failures) == ((0, 1), {})
    assert_same_end(elsewhere.folder, whole, MADDPG_CELL)
    history = loaded(elsewhere.folder, MADDPG_CELL, 1).history
    assert [session.first for session in history] == [0, 200]
    assert [session.sources for session in history] == [digest(MADDPG_CELL), elsewhere.digest]
    assert elsewhere.digest != digest(MADDPG_CELL)


@pytest.mark.parametrize("elsewhere", ["other numbers"], indirect=True)
def test_other_code_that_gives_other_numbers_is_refused_and_begins_anew_where_that_is_asked_for(
    elsewhere: Elsewhere, half: Path, whole: Path
) -> None:
    assert elsewhere.whole == () and set(elsewhere.failures) == {0, 1}
    code = f"code of commit {re.escape(circumstances.commit())} and of {elsewhere.commit}"
    for seed, sentence in elsewhere.failures.items():
        assert re.search(rf"^seed {seed} of {MADDPG_CELL.key} was trained to 200 steps under other .*{code}", sentence)
        assert re.search(r"give other numbers \(.* at step [12]00 is .* there and .* here\): .*--set-aside$", sentence)
    assert curves(elsewhere.folder, MADDPG_CELL) == curves(half, MADDPG_CELL)
    assert saved(elsewhere.folder, MADDPG_CELL, 0).steps == 200
    # What is stored by the first code stands in the way of the numbers of the second, in the same store.
    assert elsewhere.whole_aside == () and curves(elsewhere.aside, MADDPG_CELL) == curves(half, MADDPG_CELL)
    for seed in (0, 1):
        aside = states_of(elsewhere.aside).folder / MADDPG_CELL.key / f"seed-{seed:03d}.safetensors.aside-1"
        assert aside.exists()


@pytest.mark.parametrize("elsewhere", ["other numbers"], indirect=True)
def test_the_command_line_of_other_code_says_what_differs_and_with_set_aside_begins_anew(
    elsewhere: Elsewhere, half: Path
) -> None:
    (refused, why, stored), (begun, said, _) = elsewhere.commanded
    assert (refused, stored) == (1, []), why
    assert re.search(rf"failed: MADDPG-1 on Tiny, .*and of {elsewhere.commit}\), and those of now give other", why)
    assert begun == 0 and said.endswith("complete\n"), said
    (session,) = loaded(elsewhere.states, MADDPG_CELL, 0).history
    assert (session.first, session.sources, session.commit) == (0, elsewhere.digest, elsewhere.commit)
    assert curves(elsewhere.states, MADDPG_CELL)[0] != curves(half, MADDPG_CELL)[0]


# ---- other machines -------------------------------------------------------------------------------------------------


def test_on_another_machine_the_beginning_is_played_again_before_a_seed_goes_on(
    half: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, played: list[int]
) -> None:
    shutil.copytree(half, tmp_path / "runs")
    monkeypatch.setattr(circumstances, "_processor", lambda: "another chip")
    assert outcome(tmp_path / "runs", TO_400) == Outcome(whole=(0, 1))
    assert played == [0, 50, 100, 150, 200, 250, 300, 350]  # one seed stands for both, from where they come
    assert_same_end(tmp_path / "runs", whole, MADDPG_CELL)
    assert [session.device for session in loaded(tmp_path / "runs", MADDPG_CELL, 0).history][1:] == ["another chip"]


def test_where_it_rounds_otherwise_the_seed_does_not_go_on_and_the_machines_are_named(
    half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(half, tmp_path / "runs")
    monkeypatch.setattr(circumstances, "_processor", lambda: "another chip")
    shutil.rmtree(tmp_path / "runs" / MADDPG_CELL.key)
    monkeypatch.setattr(session_module, "disagreement", lambda *_: "x at step 100 is 1.0 there and 2.0 here")
    said = failing(tmp_path / "runs", TO_400)
    chip = re.escape(loaded(half, MADDPG_CELL, 0).history[0].device)
    assert set(said) == {0, 1}
    assert all(re.search(rf"\(device {chip} and another chip\).*\(x at step 100", one) for one in said.values())


def test_on_the_same_machine_with_the_same_code_nothing_is_played_again(
    half: Path, tmp_path: Path, played: list[int]
) -> None:
    shutil.copytree(half, tmp_path / "runs")
    assert outcome(tmp_path / "runs", TO_400) == Outcome(whole=(0, 1))
    assert played == [200, 250, 300, 350]


def test_a_state_that_does_not_say_where_it_comes_from_is_not_gone_on_from(
    half: Path, whole: Path, tmp_path: Path, played: list[int]
) -> None:
    state = saved(half, MADDPG_CELL, 0)
    for seed, metadata in ((0, {}), (1, {"sessions": "[]"})):
        states_of(tmp_path).save(MADDPG_CELL.key, seed, state.steps, state.tensors, metadata)
    assert outcome(tmp_path, TO_400) == Outcome(whole=(0, 1))
    assert played == list(range(0, 400, 50))
    assert_same_end(tmp_path, whole, MADDPG_CELL)


@pytest.mark.parametrize("told", ["{}", "[1]", '[{"commit": 3}]', "not JSON", '[{"first": -1}]'])
def test_a_state_whose_history_makes_no_sense_is_an_error_of_its_seed(half: Path, tmp_path: Path, told: str) -> None:
    state = saved(half, MADDPG_CELL, 0)
    states_of(tmp_path).save(MADDPG_CELL.key, 0, state.steps, state.tensors, {"sessions": told})
    found = outcome(tmp_path, TO_400)
    assert told == "{}" or (found.whole, found.failures[0].seeds) == ((1,), (0,))
    assert outcome(tmp_path, TO_400, set_aside=True) == Outcome(whole=(0, 1))


def test_a_session_says_under_what_it_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    monkeypatch.setattr(circumstances, "commit", lambda: "0123456789ab+")
    assert trained(tmp_path, MADDPG_CELL, n_steps=100) and trained(tmp_path, MADDPG_CELL, n_steps=200)
    first, second = loaded(tmp_path, MADDPG_CELL, 0).history
    assert (first.first, second.first) == (0, 100)
    assert first.arithmetic == "ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE"
    assert (first.commit, first.threads, first.seeds_together) == ("0123456789ab+", 1, 2) and first.changed
    assert first.sources == digest(MADDPG_CELL)
    assert all((first.python, first.torch, first.numpy, first.system, first.device)) and first.wall_seconds > 0
    monkeypatch.delenv("MKL_CBWR")
    now = circumstances.session(MADDPG_CELL, 2, 200)
    assert first.elsewhere(now) == (
        "arithmetic ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE and ATEN_CPU_CAPABILITY=default"
    )


def test_what_a_session_says_is_read_when_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = MADDPG.advance

    def committing(self: MADDPG, env: Any, state: Any) -> None:
        monkeypatch.setattr(circumstances, "commit", lambda: "later")
        advance(self, env, state)

    monkeypatch.setattr(circumstances, "commit", lambda: "earlier")
    monkeypatch.setattr(MADDPG, "advance", committing)
    assert trained(tmp_path, MADDPG_CELL, n_steps=100)
    assert [session.commit for session in loaded(tmp_path, MADDPG_CELL, 0).history] == ["earlier"]


@pytest.mark.parametrize("wrong", ["threads", "seeds_together", "first", "wall_seconds", "commit", "sources"])
@pytest.mark.parametrize("value", [-1, True, "x", None, [], 1e400, float("nan")])
def test_a_session_that_makes_no_sense_is_refused(wrong: str, value: Any) -> None:
    if (isinstance(value, str) and wrong in ("commit", "sources")) or (value is None and wrong == "first"):
        return
    with pytest.raises((TypeError, ValueError), match=r"of a session|must begin at a step"):
        replace(A_SESSION, **{wrong: value})


# ---- stored runs of other numbers -----------------------------------------------------------------------------------


def tampered(run: Run) -> Run:
    """The same run, with one bit of its first test changed."""
    values = {name: curve.copy() for name, curve in run.metrics.items()}
    first = values["training return"]
    first[0] = np.nextafter(first[0], np.float32(np.inf))
    return replace(run, metrics=values)


def test_a_stored_run_of_other_numbers_is_met_at_the_first_test_and_not_after_the_whole_cost(
    whole: Path, tmp_path: Path, played: list[int]
) -> None:
    Store(tmp_path).save(MADDPG_CELL, tampered(loaded(whole, MADDPG_CELL, 0)))
    before = curves(tmp_path, MADDPG_CELL, [0])
    said = failing(tmp_path, Work(MADDPG_CELL, (0,), 800))
    assert played == [0, 50]
    assert re.search(r"^seed 0 of .* is stored with other numbers \(training return at step 100 .*\): train", said[0])
    assert curves(tmp_path, MADDPG_CELL, [0]) == before


# ---- what other code has recorded -----------------------------------------------------------------------------------

SAID = "recorded with other code than is here now; `python -m benchmarks repeat` certifies it"


def opened(library: Library) -> Exhibit:
    (exhibit,) = Desk(library, "smoke").opened([FIGURE])
    return exhibit


def said_by(capsys: pytest.CaptureFixture[str], status: int, *arguments: object) -> str:
    """What a command says that ends with this status."""
    assert command_line.main([str(argument) for argument in arguments]) == status
    return capsys.readouterr().out


def test_results_of_other_code_are_said_to_be_so_until_today_s_has_repeated_them(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "chosen", lambda *_: (FIGURE,))
    monkeypatch.setattr(command_line, "figures", lambda: (FIGURE,))
    aged(whole, tmp_path, *FIGURE.cells)
    of = ("tiny", "--store", tmp_path)
    library = Library(Stores(Store(tmp_path)))
    for command in ("plan", "run"):
        assert f"4 of 4 runs: {SAID}\n" in said_by(capsys, 0, command, *of, "--profile", "smoke")
    assert source(opened(library), MADDPG_CELL).standing == f"2 of 2 runs: {SAID}"
    assert not list(tmp_path.rglob("certificates.json"))
    assert said_by(capsys, 0, "repeat", *of, "--jobs", 1, "--time-limit", "60s").endswith("0 of 2 differ\n")
    for cell in FIGURE.cells:
        (certificate,) = Store(tmp_path).certificates(cell.key)
        assert (certificate.sources, certificate.of, certificate.exact) == (digest(cell), (OLD,), True)
        assert (certificate.seed, certificate.n_tests, certificate.steps) == (0, 4, 400)
    for command in ("plan", "run"):
        assert SAID not in said_by(capsys, 0, command, *of, "--profile", "smoke")
    assert source(opened(library), MADDPG_CELL).standing == ""
    assert standing_of(FIGURE.cells, library, 10).words == ""


def test_a_repeat_that_differs_certifies_nothing(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "chosen", lambda *_: (FIGURE,))
    run = tampered(loaded(whole, MADDPG_CELL, 0))
    Store(tmp_path / "other").save(MADDPG_CELL, run)
    aged(tmp_path / "other", tmp_path / "store", MADDPG_CELL, seeds=(0,))
    said = said_by(capsys, 1, "repeat", "tiny", "--store", tmp_path / "store", "--jobs", 1, "--time-limit", "1s")
    assert said.startswith("DIFFERS MADDPG-1 on Tiny, seed 0: ") and said.endswith("1 of 1 differ\n")
    assert not list((tmp_path / "store").rglob("certificates.json"))
    assert standing_of([MADDPG_CELL], Library(Stores(Store(tmp_path / "store"))), 10).other_code == 1


def test_what_starts_from_others_is_repeated_by_training_its_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "chosen", lambda *_: (TRANSFERS,))
    for cell in TRANSFERS.cells:
        assert trained(tmp_path / "whole", cell, [0], TRANSFERS.budget("smoke", cell).n_steps)
    aged(tmp_path / "whole", tmp_path / "store", *TRANSFERS.cells, seeds=(0,))
    of = ("repeat", "transfers", "--store", tmp_path / "store", "--jobs", 2, "--time-limit", "0.1s")
    assert said_by(capsys, 0, *of, "--chains", "0.001s").endswith(" are longer than --chains\n")
    assert not Store(tmp_path / "store").certificates(SECOND.key)
    said = said_by(capsys, 0, *of)
    for cell in TRANSFERS.cells:
        assert f"same    {cell.name} on {cell.environment}, seed 0: " in said
        assert {one.of for one in Store(tmp_path / "store").certificates(cell.key)} == {(OLD,)}
    assert standing_of(TRANSFERS.cells, Library(Stores(Store(tmp_path / "store"))), 10).words == ""
    assert bits(loaded(tmp_path / "store", FIRST, 0)) == bits(loaded(tmp_path / "whole", FIRST, 0))


def test_code_that_was_changed_since_its_commit_is_said_to_be_so(whole: Path, tmp_path: Path) -> None:
    run = loaded(whole, MADDPG_CELL, 0)
    Store(tmp_path).save(MADDPG_CELL, replace(run, history=a_history(commit="abc+", sources=digest(MADDPG_CELL))))
    found = standing_of([MADDPG_CELL], Library(Stores(Store(tmp_path))), 10)
    assert found.words == "1 of 1 runs: recorded from code that had been changed since its commit"
    assert (found.other_code, found.changed_code, found.short_history) == (0, 1, 0)


@pytest.mark.parametrize("commit", ["", "0123456789ab+"])
def test_nothing_is_recorded_from_code_that_is_of_no_commit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], commit: str
) -> None:
    monkeypatch.setattr(circumstances, "commit", lambda: commit)
    for arguments in (["record"], ["run", "ctedd/copies", "--store", str(RECORDED)]):
        assert command_line.main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == "" and err.startswith("error: what is recorded must come from a commit, found ")


def test_a_certificate_that_cannot_be_read_is_an_error_of_one_sentence(whole: Path, tmp_path: Path) -> None:
    aged(whole, tmp_path, MADDPG_CELL)
    (tmp_path / MADDPG_CELL.key / "certificates.json").write_text("{}")
    with pytest.raises(StoreError, match=r"certificates\.json is damaged"):
        standing_of([MADDPG_CELL], Library(Stores(Store(tmp_path))), 10)


def test_a_run_that_goes_on_under_other_code_still_tells_of_the_first(whole: Path, tmp_path: Path) -> None:
    """Not the whole of it is of today's code, so it does not count as that."""
    aged(whole, tmp_path, MADDPG_CELL)
    run = loaded(tmp_path, MADDPG_CELL, 0)
    both = (*run.history, replace(run.history[0], sources=digest(MADDPG_CELL), first=200))
    Store(tmp_path / "both").save(MADDPG_CELL, replace(run, history=both))
    assert standing_of([MADDPG_CELL], Library(Stores(Store(tmp_path / "both"))), 10).other_code == 1
