"""Which code a run's numbers depend on, as one digest: does today's code still stand behind a recorded number?

    digest(cell)      # "4f0c…", the same until a line that the cell's run executes is another

What counts: the loop that trains, the algorithm and the game with every module that these import, and of the papers'
files the measure and the transfer themselves, with what they use there. Comments, docstrings, blank lines, and in which
module a definition lies do not count. What is data (settings, claims, budgets) does not either: it is in the cell's key
or has no say in its numbers.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from benchmarks import Cell

ROOT = Path(__file__).parents[2]
LOOP = "benchmarks._training.loop"
ACCELERATED = "benchmarks._training.accelerated"
VOCABULARY = "benchmarks"
CODE = ("algorithms", "environments")  # of whose modules all counts
OURS = (*CODE, "benchmarks")


class Piece(NamedTuple):
    """A module, or one definition of it."""

    module: str
    name: str = ""


def digest(cell: Cell) -> str:
    """SHA-256 over the code of all that a cell's run executes, its first twelve digits."""
    transfer = None if cell.start is None else cell.start.transfer
    accelerated = [Piece(ACCELERATED)] if cell.device == "cuda" else []
    return _digest_of(frozenset((*accelerated, *_classes((cell.algorithm, cell.env, cell.measure, transfer)))))


@functools.cache
def _digest_of(roots: frozenset[Piece]) -> str:
    found: set[Piece] = set()
    waiting = [Piece(LOOP), *roots]
    while waiting:
        piece = waiting.pop()
        if piece not in found:
            found.add(piece)
            waiting += _used(piece)
    statements = frozenset[str]().union(*map(_statements, found))
    return hashlib.sha256("\n".join(sorted(statements)).encode()).hexdigest()[:12]


def _classes(things: Iterable[Any]) -> Iterator[Piece]:
    """The classes of things and of all dataclasses and tuples within them."""
    for thing in things:
        if isinstance(thing, tuple):
            yield from _classes(thing)
        elif is_dataclass(thing):
            yield _piece(type(thing).__module__, type(thing).__name__)
            yield from _classes(getattr(thing, item.name) for item in fields(thing))


def _piece(module: str, name: str) -> Piece:
    """A definition; the whole module where all of such a one counts."""
    return Piece(module) if module.split(".", maxsplit=1)[0] in CODE else Piece(module, name)


@functools.cache
def _used(piece: Piece) -> tuple[Piece, ...]:
    """What of ours a piece of code uses directly."""
    tree = _tree(piece.module)
    imports = _imports(piece.module)
    if not piece.name:
        return tuple(target for target in imports.values() if target.module != VOCABULARY)
    mentioned = {node.id for node in ast.walk(_definition(piece)) if isinstance(node, ast.Name)}
    here = {name for statement in tree.body for name in _defined(statement)}
    others = [imports[name] for name in sorted(mentioned & imports.keys()) if imports[name].module != VOCABULARY]
    return (*others, *(Piece(piece.module, name) for name in sorted(mentioned & here)))


@functools.cache
def _imports(module: str) -> dict[str, Piece]:
    """Every name that a module imports from us, and what it stands for; also within functions."""
    found = {}
    for node in _nodes(module):
        if _imports_ours(node):
            for alias in node.names:
                module = str(node.module)
                inner = f"{module}.{alias.name}"
                target = Piece(inner) if _file(inner) is not None else _piece(module, alias.name)
                found[alias.asname or alias.name] = target
    return found


def _imports_ours(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and node.module is not None and node.module.split(".")[0] in OURS


def _definition(piece: Piece) -> ast.stmt:
    """The statement of a module that defines a name.

    Raises: LookupError where none does.
    """
    for statement in _tree(piece.module).body:
        if piece.name in _defined(statement):
            return statement
    raise LookupError(f"{piece.module} must define {piece.name} in a statement of its own, found none")


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a module defines."""
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Assign():
            return {node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


@functools.cache
def _statements(piece: Piece) -> frozenset[str]:
    """What it says at the top of its module, without comments, docstrings, blank lines, and imports of ours, which are
    followed instead."""
    lines = _bare(piece.module)
    found = set()
    for statement in [_definition(piece)] if piece.name else _tree(piece.module).body:
        decorators = [item.lineno for item in getattr(statement, "decorator_list", [])]
        first, last = min([statement.lineno, *decorators]), statement.end_lineno
        found.add("\n".join(filter(str.strip, lines[first - 1 : last])))
    return frozenset(found)


@functools.cache
def _bare(module: str) -> tuple[str, ...]:
    """The lines of a module, each without its comment, and those of docstrings and of imports from us empty."""
    text = _text(module)
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in _nodes(module):
        if _imports_ours(node) or _is_text(node):
            rows = range(node.lineno - 1, node.end_lineno or node.lineno)
            lines = [("" if row in rows else line) for row, line in enumerate(lines)]
    return tuple(line.rstrip() for line in lines)


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@functools.cache
def _nodes(module: str) -> tuple[ast.AST, ...]:
    """Everything in a module, however deep."""
    return tuple(ast.walk(_tree(module)))


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_text(module))


@functools.cache
def _text(module: str) -> str:
    path = _file(module) or Path(str(sys.modules[module].__file__))  # the latter where a script defines it
    return path.read_text()


@functools.cache
def _file(module: str) -> Path | None:
    """Where a module of ours lies, None where it is none."""
    stem = ROOT.joinpath(*module.split("."))
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
