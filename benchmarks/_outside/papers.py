"""Papers of one's own, which lie outside of the suite: a Python package each, found where somebody says.

    MARL_REPRO_PAPERS=~/mypaper python -m benchmarks list     # the same as python -m benchmarks list --papers ~/mypaper

or installed, with an entry point of the group `marl_repro.papers` whose value is the package. A figure is a file of the
package that assigns `FIGURE`, and is called by the names of both: `mypaper/fig1`.

The variable is the one place where folders are kept: options write into it, and so every process that is started later
knows them. A package is imported by its name, from the folder around it, which joins the end of `sys.path`.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import keyword
import os
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from benchmarks import Figure

VARIABLE = "MARL_REPRO_PAPERS"
GROUP = "marl_repro.papers"
NEW = "`python -m benchmarks new paper NAME` makes one that works"


class Outside(NamedTuple):
    """A paper of somebody's: its name, the package, and the folder of that."""

    name: str
    module: str
    folder: Path


@contextmanager
def also(folders: Iterable[str | Path]) -> Iterator[None]:
    """Within, papers in these folders are found as well, also by processes that are started.

    Raises: ValueError where one of them holds no paper.
    """
    before = os.environ.get(VARIABLE)
    known = [str(at(folder).folder) for folder in folders]
    every = dict.fromkeys([*_named(), *known])
    if every:
        os.environ[VARIABLE] = os.pathsep.join(every)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def outside() -> tuple[Outside, ...]:
    """Every paper that the variable names or that is installed, each once.

    Raises: ValueError where there is none in such a place, or two have one name.
    """
    found = {paper.folder: paper for paper in (*map(at, _named()), *_installed())}
    names = Counter(paper.name for paper in found.values())
    for paper in found.values():
        if names[paper.name] > 1:
            places = ", ".join(str(other.folder) for other in found.values() if other.name == paper.name)
            raise ValueError(f"every paper must have a name of its own, got {paper.name} more than once: {places}")
    return tuple(found.values())


def are_named() -> bool:
    """Whether somebody has named papers, as opposed to having some installed."""
    return bool(_named())


def figures_of(papers: Sequence[Outside], ours: Sequence[Figure]) -> tuple[Figure, ...]:
    """The figures of such papers.

    Raises: ValueError where one cannot be imported, is called otherwise than its file, or has what is another's.
    """
    found = tuple(figure for paper in papers for figure in _figures(paper))
    taken = {claim.id: figure.id for figure in ours for claim in figure.claims}
    for figure in found:
        for claim in figure.claims:
            if claim.id in taken:
                raise ValueError(
                    f"{figure.id}: claim {claim.id} must have an id of its own, got that of one of {taken[claim.id]}"
                )
            taken[claim.id] = figure.id
    return found


def at(folder: str | Path) -> Outside:
    """The paper in a folder.

    Raises: ValueError where there is none.
    """
    path = Path(folder).expanduser().resolve()
    if not path.is_dir():
        raise ValueError(f"a paper must be a folder, found none at {path}: {NEW}")
    proper(path.name)
    if not (path / "__init__.py").is_file():
        raise ValueError(f"{path} must be a Python package with a PAPER, found no __init__.py in it: {NEW}")
    if not files(path):
        others = ", ".join(sorted(file.name for file in path.glob("*.py"))) or "nothing"
        raise ValueError(f"{path} must have a figure, a file such as fig1.py that assigns FIGURE, found {others}")
    return Outside(path.name, path.name, path)


def proper(name: str) -> str:
    """A name that a paper may have.

    Raises: ValueError where it is none, or that of one of our papers or of another package.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii() or name.startswith("_"):
        raise ValueError(
            f"a paper is a Python package, so that its name must be of letters, digits and _, and begin with a letter, "
            f"got {name!r}"
        )
    if name in _ours():
        raise ValueError(f"a paper must have a name of its own, got {name!r}, which is one of the suite's papers")
    return name


def holding(path: Path) -> Path | None:
    """The folder of the paper outside of the suite that a path is, or is a figure of; None where it is neither."""
    folder = path if path.is_dir() else path.parent
    if folder.is_relative_to(Path(__file__).parents[1]) or not (folder / "__init__.py").is_file():
        return None
    own = files(folder)
    return folder if own and (path.is_dir() or path in own) else None


def files(folder: Path) -> list[Path]:
    """The files of a package that assign FIGURE."""
    return [path for path in sorted(folder.glob("[!_]*.py")) if "FIGURE" in _assigned(path)]


def _ours() -> set[str]:
    return {path.parent.name for path in Path(__file__).parents[1].glob("[!_]*/__init__.py")}


def _named() -> list[str]:
    return [folder for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]


@functools.cache
def _installed() -> tuple[Outside, ...]:
    return tuple(_entry(point.name, point.value) for point in metadata.entry_points(group=GROUP))


def _entry(name: str, module: str) -> Outside:
    """An installed paper.

    Raises: ValueError where there is no such package, or it is called otherwise than the entry point.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"entry point {name} of {GROUP} must name an installed package, got {module!r}")
    paper = at(spec.submodule_search_locations[0])
    if paper.name != name:
        raise ValueError(f"entry point {name} of {GROUP} must have the name of its package, got {paper.name}")
    return paper._replace(module=module)


def _assigned(path: Path) -> set[str]:
    """The names that a file assigns at its top; none where it is no Python, which importing it will say."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return {"FIGURE"} if path.stem.startswith("fig") else set()
    assigned = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    annotated = [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return {target.id for target in (*assigned, *annotated) if isinstance(target, ast.Name)}


@functools.cache
def _figures(paper: Outside) -> tuple[Figure, ...]:
    if paper.module == paper.name:
        _reachable(paper)
    return tuple(_figure(paper, path) for path in files(paper.folder))


def _reachable(paper: Outside) -> None:
    """Lets a package be imported by its name.

    Raises: ValueError where that leads to another one.
    """
    if str(paper.folder.parent) not in sys.path:
        sys.path.append(str(paper.folder.parent))
    spec = importlib.util.find_spec(paper.name)
    found = spec.origin if spec is not None else None
    if found is None or Path(found).resolve() != paper.folder / "__init__.py":
        raise ValueError(
            f"{paper.folder} must have a name that no other package has, got {paper.name!r}, by which Python finds "
            f"{found or 'something else'}: rename the folder"
        )


def _figure(paper: Outside, path: Path) -> Figure:
    found = getattr(_imported(paper, path), "FIGURE", None)
    if not isinstance(found, Figure):
        raise ValueError(f"{path}: FIGURE must be a Figure, got {type(found).__name__}")
    if found.id != f"{paper.name}/{path.stem}":
        raise ValueError(
            f"{path}: FIGURE must be called as its folder and file are, {paper.name}/{path.stem} "
            f"(names of PAPER and of the figure), got {found.id}"
        )
    return found


def _imported(paper: Outside, path: Path) -> ModuleType:
    try:
        return importlib.import_module(f"{paper.module}.{path.stem}")
    except Exception as error:
        where = _line(paper, error) or str(path)
        raise ValueError(f"{where}: {type(error).__name__}: {error}") from error


def _line(paper: Outside, error: Exception) -> str:
    """The last line of the paper's own files that an error went through."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(paper.folder)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""
