"""Whatever a user has: the tool that wrote it is told from the file or the folder itself."""

from __future__ import annotations

from pathlib import Path

from benchmarks._exchange import tools
from benchmarks._exchange.curves import Columns, Curves
from benchmarks._exchange.tables import read_table

KINDS = (
    "a CSV or Parquet table in long form, a JSON file of marl-eval, a folder of BenchMARL's CSV files, "
    "or of sacred's JSON, as EPyMARL writes it"
)


def read(path: Path, named: Columns, metric: str | None = None) -> Curves:
    """The curves of one method in one game.

    Raises: ValueError where nothing is there, or it is none of these.
    """
    if not path.exists():
        raise ValueError(f"there must be a file or folder of curves at {path}, found nothing")
    if path.is_file():
        return _of_file(path, named, metric)
    if tools.scalars(path):
        return tools.read_benchmarl(path, metric)
    if tools.sacred_runs(path):
        return tools.read_sacred(path, metric)
    if files := sorted(path.rglob("*.json")):
        return tools.read_marl_eval(files, metric, named.where)
    raise ValueError(f"{path} must be {KINDS}, found neither in the folder")


def _of_file(path: Path, named: Columns, metric: str | None) -> Curves:
    if path.suffix in (".csv", ".tsv", ".txt", ".parquet"):
        return read_table(path, named._replace(value=metric) if metric else named)
    if path.suffix != ".json":
        raise ValueError(f"{path} must be {KINDS}, and end in .csv, .tsv, .parquet or .json, got {path.suffix!r}")
    if path.name in ("metrics.json", "info.json") and (path.parent / "config.json").exists():
        return tools.read_sacred(path.parent, metric)
    return tools.read_marl_eval([path], metric, named.where)
