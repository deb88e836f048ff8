"""Papers outside of the suite: found, run into a store of one's own, and every mistake answered in a sentence."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from itertools import count
from pathlib import Path

import pytest
from _trials import command_lines, heard

from benchmarks import Cell, Figure
from benchmarks import _catalogue as catalogue
from benchmarks.__main__ import main
from benchmarks._judging.plans import Kept, plan_of
from benchmarks._options import RECORDED, verdicts_file
from benchmarks._outside import papers
from benchmarks._outside.fitting import fit
from benchmarks._outside.making import made
from benchmarks._training import sources
from benchmarks._training.explaining import explained
from benchmarks._training.loop import Training
from reports.__main__ import main as report
from results import Store

ROOT = Path(__file__).parent.parent
NUMBERS = count()


@pytest.fixture
def paper(tmp_path: Path) -> Iterator[Path]:
    """A new paper, under a name that no test has used."""
    before = list(sys.path)
    yield made(tmp_path / f"paper{next(NUMBERS)}")
    sys.path[:] = before


def figure_of(folder: Path) -> Figure:
    with papers.also([folder]):
        return next(figure for figure in catalogue.theirs() if figure.paper.name == folder.name)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def refused(folder: Path) -> str:
    """The sentence in which a paper is refused."""
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught, papers.also([folder]):
        catalogue.theirs()
    return str(caught.value)


# ---- how one is found -----------------------------------------------------------------------------------------------


def test_a_paper_is_known_where_it_is_named_and_only_there(paper: Path) -> None:
    name = f"{paper.name}/fig1"
    with papers.also([paper]):
        assert [figure.id for figure in catalogue.chosen(paper.name)] == [name]
        assert os.environ[papers.VARIABLE] == str(paper)
        assert [figure.id for figure in catalogue.lying_at([paper / "fig1.py"])] == [name]
        assert name not in {figure.id for figure in catalogue.ours()}
    assert papers.VARIABLE not in os.environ and catalogue.theirs() == ()
    with pytest.raises(ValueError, match="no figure, cell or claim is called"):
        catalogue.chosen(paper.name)


def test_the_variable_names_several(paper: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = made(tmp_path / "elsewhere" / f"paper{next(NUMBERS)}")
    monkeypatch.setenv(papers.VARIABLE, os.pathsep.join([str(paper), str(other)]))
    assert [figure.paper.name for figure in catalogue.theirs()] == [paper.name, other.name]


def test_an_installed_package_names_its_own(paper: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(paper.parent))
    point = metadata.EntryPoint(paper.name, paper.name, papers.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point] if group == papers.GROUP else [])
    papers._installed.cache_clear()
    try:
        assert [figure.id for figure in catalogue.theirs()] == [f"{paper.name}/fig1"]
        with papers.also([paper]):  # named and installed is one
            assert len(catalogue.theirs()) == 1
    finally:
        papers._installed.cache_clear()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("my-paper", "must be of letters, digits and _, and begin with a letter, got 'my-paper'"),
        ("class", "got 'class'"),
        ("2nd", "got '2nd'"),
        ("ctedd", "got 'ctedd', which is one of the suite's papers"),
    ],
)
def test_a_name_that_no_paper_can_have_is_refused(
    tmp_path: Path, name: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "paper", str(tmp_path / name)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_overwritten(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "paper", str(paper)]) == 2
    assert "must not be there yet, found a folder" in capsys.readouterr().err


def test_what_is_no_paper_is_refused(tmp_path: Path) -> None:
    assert "a paper must be a folder, found none at" in refused(tmp_path / "nowhere")
    bare = tmp_path / "bare"
    bare.mkdir()
    assert "found no __init__.py in it: `python -m benchmarks new paper NAME` makes one" in refused(bare)
    (bare / "__init__.py").touch()
    (bare / "game.py").touch()
    assert "must have a figure, a file such as fig1.py that assigns FIGURE, found __init__.py, game.py" in refused(bare)


def test_the_name_of_another_package_is_refused(tmp_path: Path) -> None:
    assert "must have a name that no other package has, got 'json', by which Python finds" in refused(
        made(tmp_path / "json")
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("game.py", "class Meeting:", "class Meeting(Unknown):", r"game\.py, line \d+: NameError: .*'Unknown'"),
        ("fig1.py", "FIGURE = Figure(", "FIGURE = Figure((", r"fig1\.py, line \d+: SyntaxError: "),
        ("fig1.py", 'name="fig1"', 'name="figure1"', r"called as its folder and file are, .*/fig1 .*/figure1$"),
        ("fig1.py", "FIGURE = Figure(", "FIGURE = dict(", r"fig1\.py: FIGURE must be a Figure, got dict"),
        ("fig1.py", 'id="PAPER', 'id="CTEDD-F4-1", note="PAPER', "id of its own, got that of one of ctedd/fig4$"),
        ("fig1.py", "panels=(", "panels=() and (", "ValueError: .*/fig1 must have panels of curves or else plates"),
    ],
    ids=["name", "syntax", "file", "no figure", "claim", "panels"],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said_with_its_place(
    paper: Path, file: str, old: str, new: str, sentence: str
) -> None:
    edit(paper / file, old, new)
    assert re.search(sentence, refused(paper))


# ---- what it may be written with ------------------------------------------------------------------------------------


def test_a_metric_that_no_cell_records_is_named_with_the_cell_and_those_that_there_are(paper: Path) -> None:
    edit(paper / "fig1.py", '"test return greedy", better', '"test return gredy", better')
    sentence = (
        r"^paper\d+/fig1: claim PAPER\d+-F1-1 reads 'test return gredy' of IQL on Ring, which records 'test return "
        r"greedy', 'training return'; `python -m benchmarks list metrics paper\d+/fig1` says what each is$"
    )
    with pytest.raises(ValueError, match=sentence):
        fit([figure_of(paper)])


def test_a_budget_that_is_missing_is_named_with_the_cell(paper: Path) -> None:
    edit(paper / "fig1.py", '"quick": {"Ring"', '"quick": {"Rong"')
    with pytest.raises(ValueError, match=r"profile quick must have a budget for IQL on Ring, got one for 'Rong'$"):
        fit([figure_of(paper)])
    other = replace(figure_of(paper), budgets={})
    with pytest.raises(ValueError, match=r"budgets must be of smoke, quick, paper, in this order, got none$"):
        fit([other])


def test_a_learner_that_cannot_begin_is_named(paper: Path) -> None:
    edit(paper / "fig1.py", 'Cell("IQL", "Ring", IndependentQ(), Meeting()', 'Cell("IQL", "Ring", IndependentQ(), None')
    with pytest.raises(ValueError, match=r"IQL on Ring cannot begin: AttributeError: "):
        fit([figure_of(paper)])


ENTRIES = [
    ("state.returns", "state.returns.mean(1)", r"two axes in all and seeds in front, got \[2\]; .*unsqueeze\(1\)"),
    ("state.returns", "state.returns.T", r"enter 'training return' .* each of its 2 seeds, .* got \[20, 2\]"),
    ("state.returns", "1.0", "got float"),
    ("TRAINING_RETURN", '"loss"', "IndependentQ enters 'loss' into .* must announce .* got 'training return'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), ENTRIES, ids=["a number a seed", "turned", "float", "unknown"])
def test_a_wrong_entry_of_a_ledger_is_said_with_its_line(paper: Path, old: str, new: str, sentence: str) -> None:
    entry = "state.ledger.enter(TRAINING_RETURN, state.returns)"
    edit(paper / "learner.py", entry, entry.replace(old, new))
    cell = figure_of(paper).cells[0]
    training = Training.of(cell, [0, 1])
    with pytest.raises(Exception) as caught:
        for _ in range(5):
            cell.algorithm.advance(cell.env, training.learner)
    said = explained(caught.value, cell)
    assert re.search(sentence, said), said
    assert re.search(rf" \({paper.name}/learner\.py, line \d+\)$", said)


@pytest.mark.parametrize(
    ("what", "known"),
    [
        (["statistics"], ["Final(window)", "mean of the last", "EpisodesTo(threshold, smooth=1, stay=1)"]),
        (["rules"], ["Exceeds(delta)", "Printed(value, tolerance, reason, n_runs=1)", "Margin(value, reason)"]),
        (["metrics", "ctedd/fig4"], ["'training return'", "MADDPG-3 on CN-V1"]),
    ],
    ids=["statistics", "rules", "metrics"],
)
def test_what_a_figure_is_written_with_is_listed(
    what: list[str], known: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", *what]) == 0
    said = " ".join(capsys.readouterr().out.split()).lower()
    assert all(part.lower() in said for part in known), said


def test_metrics_are_those_of_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "metrics"]) == 2
    assert "whose metrics must be said, such as `list metrics ctedd/fig5`, got no figure" in capsys.readouterr().err


# ---- what becomes of its runs ---------------------------------------------------------------------------------------


def test_two_papers_with_classes_of_one_name_share_no_result(paper: Path, tmp_path: Path) -> None:
    other = made(tmp_path / f"paper{next(NUMBERS)}")
    one, two = (figure_of(folder).cells[0] for folder in (paper, other))
    assert one.settings["algorithm"]["package"] == one.settings["environment"]["package"] == paper.name
    assert one.key != two.key and one.key.rsplit("/", 1)[0] == two.key.rsplit("/", 1)[0]
    ours = catalogue.ours()[0].cells[0]
    assert "package" not in ours.settings["algorithm"]


def test_it_trains_into_ones_own_store_in_fresh_processes(paper: Path, tmp_path: Path) -> None:
    named = ["--papers", str(paper), "--store", str(tmp_path / "store"), "--profile", "smoke"]
    assert main(["run", f"{paper.name}/fig1", *named]) == 0
    cell = figure_of(paper).cells[0]
    run = Store(tmp_path / "store").load(cell, 1)
    assert run is not None and run.n_steps == 1_000 and run.history[-1].sources == sources.digest(cell)
    assert main(["plan", paper.name, *named]) == 0


def test_its_verdict_is_kept_in_that_store_and_its_plan_with_it(paper: Path, tmp_path: Path) -> None:
    edit(paper / "fig1.py", "Budget(n_seeds=5, n_steps=10_000)", "Budget(n_seeds=5, n_steps=2_000)")
    edit(paper / "fig1.py", 'about="end"', 'about="beginning"')
    where = ["--papers", str(paper), "--store", str(tmp_path / "store")]
    assert main(["record", *where]) == 2  # nothing has been run
    assert main(["run", paper.name, "--jobs", "2", *where]) == 0
    assert main(["record", *where]) == 0
    kept = Kept.at(verdicts_file(tmp_path / "store", paper.name))
    (claim,) = figure_of(paper).claims
    assert kept.outcome("quick", claim.id) == "REPRODUCED"
    moved = replace(figure_of(paper), claims=(replace(claim, kind="check"),))
    assert kept.moved(claim.id, plan_of(moved, moved.claims[0])) == ['kind: "sentence" became "check"']
    assert main(["watch", f"{paper.name}/fig1", "--cell", "Ring/IQL", "--out", str(tmp_path / "game.gif"), *where]) == 0
    assert report(where) == 0
    assert (tmp_path / "store" / "report" / "site" / paper.name / "fig1.html").exists()


def test_the_recorded_store_refuses_it(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", paper.name, "--papers", str(paper), "--store", str(RECORDED)]) == 2
    assert f"{paper.name}/fig1 must be kept in a store of one's own, got {RECORDED}" in capsys.readouterr().err


def forget() -> None:
    for cached in vars(sources).values():
        if isinstance(cached, functools._lru_cache_wrapper):
            cached.cache_clear()


def digest(cell: Cell) -> str:
    forget()
    return sources.digest(cell)


EXECUTED = [
    ("game.py", "actions[0] - 1", "actions[0] - 2"),
    ("learner.py", "argmax(-1).transpose", "argmin(-1).transpose"),  # in a function beside the class
    ("steps.py", "ONE = 1", "ONE = 2"),  # in what it imports from beside itself, whichever way
    ("more.py", "TWO = 2", "TWO = 3"),
    ("handed.py", "THREE = 3", "THREE = 4"),
]
UNEXECUTED = [
    ("game.py", "# raise it whenever", "# always raise it whenever"),
    ("fig1.py", "n_steps=10_000", "n_steps=11_000"),
    ("beside.py", "FOUR = 4", "FOUR = 5"),
]


@pytest.fixture
def branching(paper: Path) -> Path:
    """A paper whose game uses other files of it: by their places from here, by their full names, and handed on."""
    for name, text in (("steps", "ONE = 1"), ("more", "TWO = 2"), ("handed", "THREE = 3"), ("beside", "FOUR = 4")):
        (paper / f"{name}.py").write_text(f"{text}\n")
    (paper / "handing.py").write_text("from .handed import THREE\n")
    imports = f"import {paper.name}.more\nfrom {paper.name}.handing import THREE\n\nfrom . import steps\n"
    edit(paper / "game.py", "from environments import Count", f"{imports}from environments import Count")
    edit(paper / "game.py", "- 1).rem", f"- steps.ONE + 0 * {paper.name}.more.TWO + 0 * THREE).rem")
    return paper


def test_the_digest_of_its_code_moves_with_what_its_runs_execute(branching: Path) -> None:
    edit(branching / "game.py", "actions[0] - steps.ONE", "actions[0] - 1 + steps.ONE - 1")
    cell = figure_of(branching).cells[0]
    for file, old, new in EXECUTED:
        before = digest(cell)
        edit(branching / file, old, new)
        assert digest(cell) != before, file
    for file, old, new in UNEXECUTED:
        before = digest(cell)
        edit(branching / file, old, new)
        assert digest(cell) == before, file
    forget()


# ---- pytest ---------------------------------------------------------------------------------------------------------


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def session(*arguments: str) -> tuple[int, str]:
    """The same in a copy of a process that has imported: exit status, and what is said."""
    with command_lines() as start:
        done = start(json.dumps([arguments]), script="_sessions.py", COLUMNS="120")
        said = heard(done)
    assert done.returncode == 0, said
    ((status, answer),) = json.loads(said.splitlines()[-1])
    return status, answer


def test_pytest_judges_the_files_of_its_figures_and_runs_its_own_tests(paper: Path, tmp_path: Path) -> None:
    arguments = ["--repro-profile=smoke", "--repro-store", str(tmp_path / "store"), "-p", "no:cacheprovider"]
    done = pytest_in(tmp_path, paper.name, *arguments, "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{paper.name}/fig1, smoke" in done.stdout
    assert re.search(r"^8 passed, 1 skipped, 2 deselected", done.stdout, re.MULTILINE), done.stdout
    named = [f"at={ROOT / 'benchmarks'}", "--repro-papers", str(paper), "-k", f"{paper.name} and {paper.name.upper()}"]
    status, said = session(*named, *arguments, "--collect-only", "-q", "-n0")
    assert status == 0 and f"[{paper.name}/fig1/{paper.name.upper()}-F1-1]" in said, said


def test_a_paper_that_is_wrong_is_a_usage_error_there(paper: Path) -> None:
    edit(paper / "fig1.py", "Line(", "Lines(")
    status, said = session(f"at={paper / 'fig1.py'}")
    assert status == pytest.ExitCode.USAGE_ERROR and "NameError: name 'Lines' is not defined" in said, said


def test_what_is_made_is_what_lies_in_the_suite(paper: Path) -> None:
    """Ours is tried with ruff and mypy; a new one differs in its name alone."""
    original = Path(papers.__file__).parent / "mypaper"
    assert {path.name for path in paper.iterdir() if path.is_file()} == {path.name for path in original.glob("*.*")}
    for path in original.glob("*.*"):
        again = (paper / path.name).read_text().replace(paper.name, "mypaper").replace(paper.name.upper(), "MYPAPER")
        assert again == path.read_text()
