"""Tables of other people's runs: CSV by itself, Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks._exchange.curves import Columns, Curves, gathered

ONE_SEED = "0"
EXTRA = 'pip install "marl-reproducibility[parquet]"'


def read_table(path: Path, named: Columns) -> Curves:
    """A table in long form: a row for every seed and step. Without a column of seeds it is one seed's.

    Raises: ValueError where columns are missing, no row is meant, or a number is none.
    """
    rows = parquet_rows(path) if path.suffix == ".parquet" else csv_rows(path)
    return from_rows(path, rows, named)


def csv_rows(path: Path) -> list[Mapping[str, Any]]:
    """Every row by the names of its columns; separated by commas, semicolons or tabs, as its first line is.

    Raises: ValueError where it is no text in UTF-8, or a row is longer than the first one.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            rows = list(csv.DictReader(file, delimiter=max(",;\t", key=head.count)))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be a table as text in UTF-8, found something else: {error.reason}") from error
    if crooked := [i for i, row in enumerate(rows, start=2) if None in row]:
        raise ValueError(f"{path}: every line must have as many fields as the first one, line {crooked[0]} has more")
    return [dict(row) for row in rows]


def parquet_rows(path: Path) -> list[Mapping[str, Any]]:
    """Every row by the names of its columns.

    Raises: ValueError where pyarrow is not installed, or cannot read it.
    """
    arrow, parquet = pyarrow("pyarrow"), pyarrow("pyarrow.parquet")
    try:
        rows: list[Mapping[str, Any]] = parquet.read_table(path).to_pylist()
    except (arrow.ArrowException, OSError) as error:
        first = str(error).split("\n")[0]
        raise ValueError(f"{path} must be a Parquet file, but pyarrow says: {first}") from error
    return rows


def pyarrow(name: str) -> Any:
    """A module of pyarrow's.

    Raises: ValueError where it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(f"Parquet files need pyarrow, which is not installed here: {EXTRA}") from error


def from_rows(source: Path, rows: Sequence[Mapping[str, Any]], named: Columns) -> Curves:
    """Curves from the rows that are meant."""
    found = list(rows[0]) if rows else []
    for what, name in (("steps", named.steps), ("value", named.value), *((name, name) for name in named.where)):
        if name not in found:
            raise ValueError(
                f"{source} must have a column for {what}, got {', '.join(map(str, found)) or 'none'}; "
                "--columns seed=…,steps=…,value=… says how they are called"
            )
    meant = [row for row in rows if all(str(row[name]) == value for name, value in named.where.items())]
    if not meant:
        asked = " and ".join(f"{name} = {value}" for name, value in named.where.items())
        raise ValueError(f"{source} must have rows with {asked}, found none; {_offered(rows, named.where)}")
    points = ((_seed(row, named.seed), row[named.steps], row[named.value]) for row in meant)
    return gathered(source, named.value, points)


def _seed(row: Mapping[str, Any], column: str) -> str:
    seed = row.get(column, ONE_SEED)
    return str(int(seed)) if isinstance(seed, float) and seed.is_integer() else str(seed)


def _offered(rows: Iterable[Mapping[str, Any]], names: Iterable[str]) -> str:
    """What the columns hold that were asked for."""
    kept = list(rows)
    return "; ".join(f"{name}: {', '.join(sorted({str(row[name]) for row in kept})[:20])}" for name in names)
