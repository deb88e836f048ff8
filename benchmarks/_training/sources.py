"""Which code a run's numbers depend on, as one digest: does today's code still stand behind a recorded number?

    digest(cell)      # "4f0c…", the same until a line that the cell's run executes is another

What counts: the loop that trains, the algorithm and the game with every module that these import, and of the papers'
files the measure and the transfer themselves, with what they use there. So do an algorithm and a game of another
package, such as a paper's outside of the suite: with all that they use there and of ours. Comments, docstrings, blank
lines, and in which module a definition lies do not count. What is data (settings, claims, budgets) does not either: it
is in the cell's key or has no say in its numbers.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from benchmarks import Cell
from benchmarks._vocabulary.cells import OURS

ROOT = Path(__file__).parents[2]
LOOP = "benchmarks._training.loop"
ACCELERATED = "benchmarks._training.accelerated"
VOCABULARY = "benchmarks"
CODE = ("algorithms", "environments")  # of whose modules all counts
TEXT_OR_COMMENT = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*''', re.DOTALL
)
"""What holds all that looks like a comment; to read a module token by token takes twenty times as long."""
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # where statements stand in others


class Piece(NamedTuple):
    """A module, or one definition of it."""

    module: str
    name: str = ""


def digest(cell: Cell) -> str:
    """SHA-256 over the code of all that a cell's run executes, its first twelve digits."""
    transfer = None if cell.start is None else cell.start.transfer
    accelerated = [Piece(ACCELERATED)] if cell.device == "cuda" else []
    return _digest_of(frozenset((*accelerated, *_classes((cell.algorithm, cell.env, cell.measure, transfer)))))


def modules(cell: Cell) -> frozenset[Path]:
    """The packages and modules of others that a cell's classes come from: the folder or the file of each."""
    transfer = None if cell.start is None else cell.start.transfer
    pieces = _classes((cell.algorithm, cell.env, cell.measure, transfer))
    names = {piece.module.split(".", maxsplit=1)[0] for piece in pieces} - set(OURS)
    found = [sys.modules[name] for name in names]
    return frozenset(Path(next(iter(getattr(module, "__path__", [module.__file__])))) for module in found)


@functools.cache
def _digest_of(roots: frozenset[Piece]) -> str:
    found: set[Piece] = set()
    waiting = [Piece(LOOP), *roots]
    while waiting:
        piece = _defining(waiting.pop())
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
    always = {name for name in imports if name == "*" or "." in name}
    others = [
        imports[name] for name in sorted(mentioned & imports.keys() | always) if imports[name].module != VOCABULARY
    ]
    return (*others, *(Piece(piece.module, name) for name in sorted(mentioned & here)))


@functools.cache
def _imports(module: str) -> dict[str, Piece]:
    """Every name that a module imports from us, or from its own package, and what it stands for; also in functions."""
    found = {}
    for node in _nodes(module):
        if not _imports_ours(node, module):
            continue
        source = _source(node, module) if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            inner = f"{source}.{alias.name}" if source else alias.name
            whole = alias.name == "*" or not source or _file(inner) is not None
            target = Piece(inner.removesuffix(".*")) if whole else _piece(source, alias.name)
            if source or _is_own(inner, module):
                found[alias.asname or alias.name] = target
    return found


def _imports_ours(node: ast.AST, module: str) -> TypeGuard[ast.ImportFrom | ast.Import]:
    """Whether a statement of a module imports from us or from the module's own package."""
    if isinstance(node, ast.Import):  # which we never do ourselves
        return module.split(".", maxsplit=1)[0] not in OURS and any(_is_own(one.name, module) for one in node.names)
    return isinstance(node, ast.ImportFrom) and _is_own(_source(node, module), module)


def _is_own(name: str, module: str) -> bool:
    """Whether one module is of ours or of the package of another one."""
    first = name.split(".", maxsplit=1)[0]
    return first in OURS or first == module.split(".", maxsplit=1)[0]


def _source(node: ast.ImportFrom, module: str) -> str:
    """The module that a statement imports from, by its full name also where it says where that lies from here."""
    if not node.level:
        return str(node.module)
    is_package = (_file(module) or Path()).name == "__init__.py"
    parts = module.split(".")
    above = parts[: len(parts) - node.level + is_package]
    return ".".join([*above, *filter(None, [node.module])])


def _defining(piece: Piece) -> Piece:
    """Where a definition stands that a module may only hand on; where no statement of its own defines it, all of it."""
    if not piece.name or any(piece.name in _defined(statement) for statement in _tree(piece.module).body):
        return piece
    handed_on = _imports(piece.module).get(piece.name)
    return Piece(piece.module) if handed_on is None else _defining(handed_on)


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
    for row, column in comments(text):
        lines[row] = lines[row][:column]
    for node in _nodes(module):
        if _imports_ours(node, module) or _is_text(node):
            for row in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[row] = ""
    return tuple(line.rstrip() for line in lines)


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Where each comment begins: row and column, from 0."""
    row = start = 0  # of the last comment
    for found in TEXT_OR_COMMENT.finditer(text):
        if found[0].startswith("#"):
            row += text.count("\n", start, found.start())
            start = found.start()
            yield row, start - text.rfind("\n", 0, start) - 1


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@functools.cache
def _nodes(module: str) -> tuple[ast.AST, ...]:
    """Every statement of a module, however deep, those that are less deep first."""
    found: list[ast.AST] = [_tree(module)]
    for node in found:  # which grows meanwhile
        found += [inner for block in BLOCKS for inner in getattr(node, block, ())]
    return tuple(found)


@functools.cache
def _tree(module: str) -> ast.Module:
    return ast.parse(_text(module))


@functools.cache
def _text(module: str) -> str:
    path = _file(module) or Path(str(sys.modules[module].__file__))  # the latter where a script defines it
    return path.read_text()


@functools.cache
def _file(module: str) -> Path | None:
    """Where a module of ours lies, or of a package that is imported; None where it is none."""
    first, *rest = module.split(".")
    package = getattr(sys.modules.get(first), "__path__", None)
    stem = ROOT.joinpath(first, *rest) if first in OURS or not package else Path(package[0]).joinpath(*rest)
    return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
