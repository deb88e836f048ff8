"""Whatever a user gets wrong ends in one sentence before anything is trained or stored; what is right needs no manual.

A whole `--repro-profile smoke --repro-fresh` of a figure of a paper takes minutes and is left to continuous
integration; here a tiny figure goes all the way.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from _histories import a_history
from _pytest.mark.expression import Expression
from _tiny import FIGURE
from _trials import aged, command_lines, heard, trained
from conftest import pytest_terminal_summary

from benchmarks.__main__ import main
from benchmarks._catalogue import chosen, figures, names_of, selects
from benchmarks._training.circumstances import one_thread
from benchmarks.ctedd import ctedd
from results import Run, Store

ROOT = Path(__file__).parent.parent
CELL = ctedd("CN-V1")
BROKEN = "seed-000.json is damaged"

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
no_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")


def python(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python in the repository."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **variables}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- stores in which something is wrong -----------------------------------------------------------------------------


def a_run(seed: int) -> Run:
    steps = np.arange(1.0, 4) * 10_000
    return Run(CELL.key, seed, steps, {"x": np.zeros(3, np.float32)}, {"x": "1"}, a_history())


def damaged(folder: Path) -> Path:
    """A store in which one letter has been changed."""
    Store(folder).save(CELL, a_run(0))
    path = folder / CELL.key / "seed-000.json"
    path.write_text(path.read_text().replace("10000", "10001"))
    return folder


def foreign(folder: Path) -> Path:
    """A store in which one seed has been copied to another's place."""
    Store(folder).save(CELL, a_run(1))
    path = folder / CELL.key / "seed-001.json"
    path.with_name("seed-000.json").write_bytes(path.read_bytes())
    return folder


def occupied(folder: Path) -> Path:
    """A file where a folder is expected."""
    folder.write_text("mine")
    return folder


class Wrong(NamedTuple):
    """What a user might write, and what the answer must say. `{…}` in the arguments stands for a store."""

    name: str
    command_line: tuple[str, ...]  # after `python -m benchmarks`
    session: tuple[str, ...]  # after `pytest benchmarks`
    answer: str
    marks: tuple[pytest.MarkDecorator, ...] = ()


def option(name: str, value: str, answer: str, *marks: pytest.MarkDecorator) -> Wrong:
    """A bad value of an option that both command lines have."""
    return Wrong(
        f"{name} {value!r}",
        ("run", "ctedd/fig5", f"--{name}={value}"),
        ("-k", "fig5", f"--repro-{name}={value}"),
        answer,
        marks,
    )


NUMBER = r"the number of seeds must be a whole number of at least 1, got '{}'"
LIMIT = r"a time limit must be a number with s, m or h, such as 9m, got '{}'"
WRONG = (
    option("profile", "huge", r"profile must be one of smoke, quick, paper, got 'huge'"),
    option("device", "tpu", r"device must be auto, cpu or cuda, got 'tpu'"),
    option("device", "cuda", r"device cuda was asked for, but torch .* finds no CUDA device here", no_cuda),
    *(option("seeds", seeds, NUMBER.format(re.escape(seeds))) for seeds in ("0", "-1", "three", "2.5", "²", "")),
    *(option("time-limit", limit, LIMIT.format(limit)) for limit in ("soon", "0s", "-3m", "9", "nanh", "")),
    option("engine", "slurm", r"engine must be processes or ray, got 'slurm'"),
    option("address", "auto", r"an address is a Ray cluster's and needs engine ray, got 'auto' with processes"),
    option("store", "{occupied}", r"occupied.* cannot be read or written \(Not a directory\): .*another folder"),
    option("store", "/proc/nowhere", r"/proc.* cannot be read or written \(.*\): .*choose another folder", no_proc),
    option("store", "{damaged}", r"seed-000\.json is damaged: .*move it away and make it again"),
    option("store", "{foreign}", r"seed-000\.json must hold seed 0 of .*, got seed 1 of .*: move it to its own place"),
    Wrong("no such figure", ("run", "fig99"), ("-k", "fig99"), r"'fig99'.*; there are: ctedd/ablations, .*ctedd/fig6"),
    Wrong("no such paper", ("plan", "lowe"), ("-k", "lowe and fig5"), r"'lowe.*'.*; there are: ctedd/ablations, "),
)
COMMAND_LINES = (
    *WRONG,
    Wrong("jobs 0", ("run", "fig5", "--jobs", "0"), (), r"the number of jobs must be a whole .*, got '0'"),
    Wrong("order", ("run", "fig5", "--by", "luck"), (), r"--by must be length or value, got 'luck'"),
    Wrong("plan damaged", ("plan", "fig5", "--store", "{damaged}"), (), r"seed-000\.json is damaged"),
    Wrong("repeat nothing", ("repeat", "fig5"), (), r"/empty must hold runs that can be repeated, found none of these"),
    Wrong("repeat damaged", ("repeat", "fig5", "--store", "{damaged}"), (), r"seed-000\.json is damaged"),
    Wrong("repeat 0", ("repeat", "fig5", "--seeds", "0"), (), r"the number of seeds must be a whole .*, got '0'"),
    Wrong("repeat soon", ("repeat", "fig5", "--time-limit", "soon"), (), r"a time limit must be .*, got 'soon'"),
    Wrong("one of two", ("plan", "fig5", "fig99"), (), r"no figure, cell or claim is called 'fig99'; there are: "),
)
SESSIONS = (
    *WRONG,
    Wrong("plan", (), ("-k", "fig5", "--repro-plan", "--repro-store={damaged}"), r"seed-000\.json is damaged"),
    Wrong("no train", (), ("-k", "fig5", "--repro-no-train", "--repro-store={foreign}"), r"must hold seed 0"),
    Wrong("fresh", (), ("-k", "fig5", "--repro-fresh", "--repro-store={occupied}"), r"Not a directory"),
)


def cases(wrong: tuple[Wrong, ...]) -> list[Any]:
    return [pytest.param(case, id=case.name, marks=case.marks) for case in wrong]


def filled(arguments: tuple[str, ...], folder: Path) -> list[str]:
    """The arguments with every store in its place; where none is named, an empty one."""
    stores = {name: folder / name for name in ("occupied", "damaged", "foreign")}
    return [argument.format(**stores) if argument.count("{") == 1 else argument for argument in arguments]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of every wrong kind."""
    folder = tmp_path_factory.mktemp("stores")
    occupied(folder / "occupied")
    damaged(folder / "damaged")
    foreign(folder / "foreign")
    return folder


def assert_one_sentence(said: str, answer: str) -> None:
    (line,) = [line for line in said.splitlines() if line.strip()]
    assert re.search(answer, line), said
    assert "Traceback" not in said


# ---- python -m benchmarks -------------------------------------------------------------------------------------------


@pytest.fixture
def _signals() -> Iterator[None]:
    """The command line takes these over, which is right for a process of its own."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("wrong", cases(COMMAND_LINES))
def test_the_command_line_answers_what_is_wrong_with_one_sentence(
    wrong: Wrong, stores: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks._training.engines.Processes.begin", None)  # training would need it
    before = files(stores)
    arguments = filled(wrong.command_line, stores)
    if not any(argument.startswith("--store") for argument in arguments):
        arguments.append(f"--store={stores / 'empty'}")
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ")
    assert_one_sentence(err, wrong.answer)
    assert files(stores) == before


@pytest.mark.usefixtures("_signals")
def test_list_names_every_figure_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [line.split(maxsplit=1) for line in lines] == [[figure.id, figure.title] for figure in figures()]


@pytest.mark.usefixtures("_signals")
def test_plan_names_what_is_missing_and_creates_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "ctedd/fig5", "--profile", "paper", "--seeds", "12", "--store", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    (figure,) = (figure for figure in figures() if figure.id == "ctedd/fig5")
    assert said.startswith(f"profile paper: {len(figure.cells)} cells are missing: ")
    for cell in figure.cells:
        assert re.search(rf"seeds 0–11 +8,000,000 steps  {re.escape(f'{cell.name} ({cell.key})')}\n", said)
    assert not (tmp_path / "new").exists()


def test_a_real_command_line_ends_with_a_sentence_and_a_status() -> None:
    done = python("-m", "benchmarks", "run", "ctedd/fig5", "--profile", "huge")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: profile must be one of smoke, quick, paper, got 'huge'\n"


# ---- pytest benchmarks ----------------------------------------------------------------------------------------------

Answers = dict[str, tuple[int, str]]


def sessions(asked: dict[str, list[str]], *flags: str) -> Answers:
    """What pytest answers to each."""
    with command_lines() as start:
        done = start(*flags, json.dumps(list(asked.values())), script="_sessions.py", COLUMNS="120")
        said = heard(done)
    assert done.returncode == 0, said
    found = json.loads(said.splitlines()[-1])
    return {name: (status, said) for name, (status, said) in zip(asked, found, strict=True)}


@pytest.fixture(scope="module")
def answers(stores: Path) -> Answers:
    """The answers to all that is wrong, from one process. Nothing in the stores changes meanwhile."""
    before = files(stores)
    asked = {}
    for wrong in SESSIONS:
        asked[wrong.name] = filled(wrong.session, stores)
        if not any(argument.startswith("--repro-store") for argument in wrong.session):
            asked[wrong.name].append(f"--repro-store={stores / 'empty'}")
    found = sessions({name: ["-q", *arguments] for name, arguments in asked.items()})
    assert files(stores) == before
    return found


@pytest.mark.parametrize("wrong", cases(SESSIONS))
def test_pytest_answers_what_is_wrong_with_one_sentence(wrong: Wrong, answers: Answers) -> None:
    status, said = answers[wrong.name]
    assert status == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    assert_one_sentence("\n".join(errors), wrong.answer)
    assert "Traceback" not in said and "INTERNALERROR" not in said
    assert not re.search(r"\d+ (passed|failed|skipped|error)", said)


def test_a_real_pytest_ends_with_a_sentence_and_a_status() -> None:
    done = python("-m", "pytest", "benchmarks", "--repro-device=tpu", "-p", "no:cacheprovider")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == "ERROR: device must be auto, cpu or cuda, got 'tpu'"


# ---- a tiny figure, all the way -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def way(folder: Path) -> Answers:
    """The sessions of somebody who looks first, judges too early, trains, and looks again."""
    one_thread()
    for cell in FIGURE.cells:
        assert trained(folder / "today", cell)
    aged(folder / "today", folder / "older", *FIGURE.cells)
    smoke = ["-q", "--repro-profile=smoke"]
    new, own, fresh, older = (f"--repro-store={folder / name}" for name in ("new", "own", "fresh", "older"))
    return sessions(
        {
            "plan": [*smoke, new, "--repro-plan"],
            "workers too early": [*smoke, new, "-n2"],
            "too early": [*smoke, own, "--repro-no-train"],
            "train": [*smoke, own],
            "look again": [*smoke, own, "--repro-no-train"],
            "strict": [*smoke, own, "--repro-strict"],
            "one kind": [*smoke, own, "-k", "judged"],
            "workers": [*smoke, own, "-n1"],
            "read-only": [f"recorded={folder / 'own'}", *smoke],
            "plan again": [*smoke, own, "--repro-plan"],
            "older": [*smoke, older, "--repro-no-train"],
            "fresh": [*smoke, fresh, "--repro-fresh", "--repro-plan"],
        },
        "tiny",
    )


def test_a_plan_lists_what_is_missing_and_trains_nothing(way: Answers, folder: Path) -> None:
    for name in ("plan", "fresh"):
        status, said = way[name]
        assert status == 0
        assert "profile smoke: 2 cells are missing" in said
        assert re.search(r"seeds 0–1 +400 steps  CTEDD \(CTEDD/Tiny/", said)
    assert not (folder / "new").exists() and not (folder / "fresh").exists()
    assert "profile smoke: nothing is missing" in way["plan again"][1]


def test_judging_without_training_says_which_seeds_are_missing(way: Answers) -> None:
    status, said = way["too early"]
    assert status == pytest.ExitCode.TESTS_FAILED
    assert re.search(r"\nseeds 0–1 of CTEDD/Tiny/\w+ are missing: leave --repro-no-train out\n", said)
    assert "2 failed" in said and "training 2 cells" not in said and not re.search(r"test_figures\.py:\d", said)
    assert "2 curves are not run: nothing to compare" in said


def test_training_comes_before_the_tests_which_then_judge_and_draw(way: Answers, folder: Path) -> None:
    status, said = way["train"]
    assert status == 0, said
    assert f"training 2 cells into {folder / 'own'}" in said
    assert "3 passed" in said and "1 skipped" in said
    assert "2 curves are without a recorded reference: nothing to compare" in said
    board = r"tiny/tiny, smoke: .*\nTINY-1 +NOT ASSESSED +smoke, 0\.0 % of the paper's steps\n +no step is taken while"
    assert re.search(board, said)
    (drawn,) = re.findall(r"drawn: (.*\.svg)", said)
    assert Path(drawn).is_relative_to(folder) and Path(drawn).stat().st_size > 0
    keys = Store(folder / "own").keys()
    assert len(keys) == 2 and all(Store(folder / "own").seeds(key) == (0, 1) for key in keys)


def test_what_is_there_is_judged_again_without_training(way: Answers) -> None:
    status, said = way["look again"]
    assert status == 0, said
    assert "3 passed" in said and "training" not in said


def test_what_other_code_has_recorded_is_judged_and_said_to_be_so(way: Answers) -> None:
    status, said = way["older"]
    assert status == 0, said
    assert "4 of 4 runs: recorded with other code than is here now; `python -m benchmarks repeat` certifies it" in said
    assert "other code" not in way["look again"][1]


def test_under_strict_every_claim_must_be_reproduced(way: Answers) -> None:
    status, said = way["strict"]
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "NOT ASSESSED: no step is taken while distilling" in said and "1 failed" in said


def test_a_session_in_which_everything_was_skipped_has_failed(way: Answers) -> None:
    status, said = way["one kind"]
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "every benchmark was skipped: nothing has been shown" in said


def test_workers_of_xdist_are_refused_where_something_is_to_be_trained(way: Answers, folder: Path) -> None:
    status, said = way["workers too early"]
    assert status == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in said.splitlines() if line.startswith("ERROR: ")]
    assert_one_sentence("\n".join(errors), r"2 cells must be trained first, which -n 2 does not help, .*: leave -n out")
    assert "INTERNALERROR" not in said and not (folder / "new").exists()


def test_workers_of_xdist_cost_no_scoreboard_where_nothing_is_missing(way: Answers) -> None:
    status, said = way["workers"]
    assert status == 0, said
    assert "TINY-1 " in said and "drawn: " in said and "3 passed" in said


@no_proc
def test_who_can_write_nowhere_judges_everything(way: Answers) -> None:
    status, said = way["read-only"]
    assert status == 0, said
    assert "3 passed" in said and "TINY-1 " in said
    assert "2 curves are the recorded reference themselves: nothing to compare" in said
    (drawn,) = re.findall(r"drawn: (.*\.svg)", said)
    assert Path(drawn).stat().st_size > 0
    for folder in {parent for parent in Path(drawn).parents if parent.name.startswith("figures-")}:
        shutil.rmtree(folder)


# ---- what is chosen --------------------------------------------------------------------------------------------------


class Holding(NamedTuple):
    """Whether a name holds a part, for pytest's own reading of a selection."""

    whole: str

    def __call__(self, name: str, /, **kwargs: object) -> bool:
        return name.lower() in self.whole.lower()


@pytest.mark.parametrize(
    "selection",
    ["ctedd", "CTEDD-F5-4", "ctedd and (fig4 or fig5)", "not ctedd", "fig5 and not (mace or dvm)", "CN-V1/CTEDD", ""],
)
def test_both_front_ends_choose_the_same(selection: str) -> None:
    for figure in figures():
        for name in names_of(figure):
            assert selects(selection, name) == (not selection or Expression.compile(selection).evaluate(Holding(name)))


def test_a_selection_chooses_every_figure_of_which_a_test_is_called_so() -> None:
    assert [figure.id for figure in chosen("CTEDD-F5-4")] == ["ctedd/fig5"]
    assert [figure.id for figure in chosen("ctedd and (fig4 or fig5)")] == ["ctedd/fig4", "ctedd/fig5"]
    assert chosen("") == figures()
    assert [figure.id for figure in chosen("ctedd/fig5@distance")] == ["ctedd/fig5@distance"]


@pytest.mark.parametrize("selection", ["ctedd and", "and", "(ctedd", "ctedd)", "ctedd fig5", "not", "()"])
def test_a_selection_that_makes_no_sense_is_refused(selection: str) -> None:
    with pytest.raises(ValueError, match="names are joined by and, or, not and parentheses"):
        chosen(selection)


def test_a_selection_has_one_reading() -> None:
    with pytest.raises(ValueError, match="one reading, got kept and mean in"):
        chosen("mace/table1@kept or fig3@mean")


def test_files_of_figures_and_folders_of_papers_choose_too(chosen_by_path: Answers) -> None:
    def counted(name: str) -> set[str]:
        status, said = chosen_by_path[name]
        assert status == 0, said
        return set(re.findall(r"drawn\[([^\]]*)\]", said))

    assert counted("file") == {"ctedd/fig5"}
    assert counted("paper") == {figure.id for figure in figures() if figure.paper.name == "mace"}
    assert counted("file and reading") == {"ctedd/fig5@distance"}
    assert counted("reading") == {"ctedd/fig5@distance"}
    assert counted("whole") == {figure.id for figure in figures()}
    status, said = chosen_by_path["no figure"]
    assert status == pytest.ExitCode.USAGE_ERROR
    assert_one_sentence(said.replace("\n", ""), r"_levels\.py must be a figure's file or a paper's folder")


@pytest.fixture(scope="module")
def chosen_by_path() -> Answers:
    """What is collected of paths, each session's own."""
    folder, collect = ROOT / "benchmarks", ["--collect-only", "-q"]
    asked = {
        "file": [f"at={folder / 'ctedd' / 'fig5.py'}", *collect],
        "paper": [f"at={folder / 'mace'}", *collect],
        "file and reading": [f"at={folder / 'ctedd' / 'fig5.py'}", *collect, "--repro-reading=distance"],
        "reading": [*collect, "-k", "ctedd/fig5@distance"],
        "whole": [f"at={folder}", *collect],
        "no figure": [f"at={folder / 'ctedd' / '_levels.py'}", *collect],
    }
    return sessions(asked)


@pytest.mark.parametrize(("arguments", "told"), [(["-k", "fig5"], True), (["-k", "store"], False), ([], False)])
def test_who_forgot_the_path_is_told_how_benchmarks_are_chosen(
    arguments: list[str], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    config: Any = SimpleNamespace(
        option=SimpleNamespace(keyword=arguments[-1] if arguments else ""),
        args_source=pytest.Config.ArgsSource.TESTPATHS,
    )
    pytest_terminal_summary(SimpleNamespace(write_line=print), config)  # type: ignore[arg-type]
    said = capsys.readouterr().out
    assert ("`pytest benchmarks -k 'fig5'` judges ctedd/fig5, dimapg/fig5" in said) == told


@pytest.mark.usefixtures("_signals")
def test_a_terminal_that_knows_ascii_only_is_listed_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(said, encoding="ascii"))
    assert main(["list"]) == 0
    assert all(figure.id in said.getvalue().decode("ascii") for figure in figures())


NOBODY_READS = """
import os, sys
from benchmarks.__main__ import main
from benchmarks._catalogue import figures
figures()  # for all of them
for command in sys.argv[1:]:
    if not os.fork():
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        sys.exit(main(command.split()))
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


def test_who_reads_no_further_ends_every_command_without_a_word(tmp_path: Path) -> None:
    """As of other tools of the shell: `plan | head -3`. Each is a process of its own with a pipe that is closed."""
    store = f"--store {tmp_path}"
    commands = ["--help", "list", f"plan ctedd/copies {store}", f"clean ctedd/copies {store}", "judge --collect-only"]
    done = python("-c", NOBODY_READS, *commands, PYTHONUNBUFFERED="")
    assert (done.stdout.split(), done.stderr) == (["141"] * len(commands), "")
