"""The digest of a run's code moves with every line that the run executes, and with nothing else."""

from __future__ import annotations

import ast
import functools
import shutil
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from algorithms.maddpg import MADDPG
from benchmarks import Cell, Evaluation
from benchmarks._training import sources
from benchmarks._vocabulary.cells import OURS
from benchmarks.dimapg import navigation
from benchmarks.dvm.matching import FIGURE as MATCHING
from environments.cooperative_navigation import CN_V1

PLAIN = Cell("MADDPG-3", "CN-V1", MADDPG(message_size=3), CN_V1, Evaluation(10_000, 400))
MEASURED = navigation("TRPO-KitchenSink", 3)
STARTED = next(cell for cell in MATCHING.cells if cell.start is not None)

Digest = Callable[[Cell], str]


def forget() -> None:
    """What has been read of files that are about to change."""
    for cached in vars(sources).values():
        if isinstance(cached, functools._lru_cache_wrapper):
            cached.cache_clear()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the code, of which digests are taken."""
    for package in OURS:
        source = sources.ROOT / package
        shutil.copytree(source, tmp_path / package, ignore=lambda _, names: {"__pycache__", "speed"} & set(names))
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


def digest(cell: Cell) -> str:
    """Of the code as it is now."""
    forget()
    return sources.digest(cell)


UNEDITED: dict[str, str] = {}  # by key: every copy begins with the same code, so that one look at it is enough


def before_editing(cell: Cell) -> str:
    """Of the code of a copy in which nothing has been changed yet."""
    if cell.key not in UNEDITED:
        UNEDITED[cell.key] = digest(cell)
    return UNEDITED[cell.key]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def after_the_imports(path: Path, line: str) -> None:
    """Puts a line of code, or of none, before the first definition of a module."""
    text = path.read_text()
    at = min(found for word in ("\nclass ", "\ndef ", "\n@") if (found := text.find(word)) >= 0)
    path.write_text(text[:at] + f"\n{line}\n" + text[at:])


EXECUTED = [
    (PLAIN, "algorithms/maddpg.py"),
    (PLAIN, "algorithms/_replay.py"),  # which the algorithm imports
    (PLAIN, "algorithms/_tree.py"),  # and what that imports
    (PLAIN, "environments/cooperative_navigation.py"),
    (PLAIN, "environments/_particles.py"),
    (PLAIN, "environments/_streams.py"),
    (MEASURED, "algorithms/kitchen_sink.py"),
    (MEASURED, "algorithms/_trust_region.py"),
    (STARTED, "algorithms/dvm.py"),
]
NOT_EXECUTED = [
    (PLAIN, "algorithms/ctedd.py"),
    (PLAIN, "environments/push_box.py"),
    (PLAIN, "benchmarks/_drawing/curves.py"),
    (PLAIN, "benchmarks/_judging/verdicts.py"),
    (PLAIN, "benchmarks/_training/runner.py"),
    (MEASURED, "benchmarks/dimapg/fig3.py"),
    (STARTED, "algorithms/maddpg.py"),
]


def name(case: object) -> str:
    return case.name if isinstance(case, Cell) else str(case)


@pytest.mark.parametrize(("cell", "path"), EXECUTED, ids=name)
def test_a_line_that_the_run_executes_moves_the_digest(root: Path, cell: Cell, path: str) -> None:
    before = before_editing(cell)
    after_the_imports(root / path, "HALF = 0.5")
    assert digest(cell) != before


@pytest.mark.parametrize(("cell", "path"), NOT_EXECUTED, ids=name)
def test_a_line_that_it_does_not_execute_leaves_the_digest(root: Path, cell: Cell, path: str) -> None:
    before = before_editing(cell)
    after_the_imports(root / path, "HALF = 0.5")
    assert digest(cell) == before


@pytest.mark.parametrize("line", ["# A comment.", '"""A remark."""', "\n\n"], ids=["comment", "docstring", "blank"])
@pytest.mark.parametrize(("cell", "path"), EXECUTED[::3], ids=name)
def test_words_leave_the_digest(root: Path, cell: Cell, path: str, line: str) -> None:
    before = before_editing(cell)
    after_the_imports(root / path, line)
    assert digest(cell) == before


def test_comments_are_where_python_sees_them() -> None:
    """Also in texts that look like one, and behind quotes in comments."""
    odd = 'a = \'#\' # it\'s\nb = """\n# no \\""" #\n"""  # yes\nc = \'\\\n#\'\n# "\n'
    files = [path for name in OURS for path in (sources.ROOT / name).rglob("*.py")]
    assert len(files) > 200
    for text in (odd, *map(Path.read_text, files)):
        tokens = tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__)
        seen = [token.start for token in tokens if token.type == tokenize.COMMENT]
        assert [(row + 1, column) for row, column in sources.comments(text)] == seen


def test_the_loop_that_trains_moves_it_and_what_is_said_there_does_not(root: Path) -> None:
    before, loop = before_editing(PLAIN), root / "benchmarks" / "_training/loop.py"
    edit(loop, "Go on until `n_steps`", "Go on and on until `n_steps`")
    edit(loop, "# NaN where nothing was entered", "# NaN where there was nothing")
    assert digest(PLAIN) == before
    edit(loop, "return total.mean(dim=1)", "return total.median(dim=1).values")
    assert digest(PLAIN) != before


def source_of(root: Path, thing: object) -> Path:
    """The file in the copy that holds the class of a thing."""
    stem = root.joinpath(*type(thing).__module__.split("."))
    return next(path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.exists())


def test_the_measure_moves_it_and_what_lies_beside_it_does_not(root: Path) -> None:
    path, before = source_of(root, MEASURED.measure), before_editing(MEASURED)
    after_the_imports(path, "HALF = 0.5")
    assert digest(MEASURED) == before
    edit(path, "    def __call__", "    half = 0.5\n\n    def __call__")
    assert digest(MEASURED) != before


def test_settings_are_no_code(root: Path) -> None:
    other = replace(PLAIN, algorithm=replace(PLAIN.algorithm, learning_rate=0.5), evaluation=Evaluation(1, 1))
    assert other.key != PLAIN.key and digest(other) == digest(PLAIN)


def test_in_which_module_a_definition_lies_does_not_matter(root: Path) -> None:
    before, path = before_editing(PLAIN), root / "algorithms" / "_replay.py"
    text = path.read_text()
    tree = ast.parse(text)
    moved = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    first = min([moved.lineno, *(item.lineno for item in moved.decorator_list)]) - 1
    lines = text.splitlines(keepends=True)
    imports = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept = [*lines[:first], f"from algorithms._moved import {moved.name}\n", *lines[moved.end_lineno :]]
    path.write_text("".join(kept))
    path.with_name("_moved.py").write_text("\n".join([*imports, *map(str.rstrip, lines[first : moved.end_lineno]), ""]))
    assert digest(PLAIN) == before
    after_the_imports(path.with_name("_moved.py"), "HALF = 0.5")
    assert digest(PLAIN) != before


def test_two_runs_of_one_code_have_one_digest_and_of_two_algorithms_two() -> None:
    assert sources.digest(PLAIN) == sources.digest(replace(PLAIN, name="another"))
    assert len({sources.digest(cell) for cell in (PLAIN, MEASURED, STARTED)}) == 3
