"""Files as three tools of the field write them.

marl-eval: {environment: {task: {algorithm: {run: {step: {"step_count": …, metric: [episodes]}, …}}}}}. BenchMARL
writes such a file for every seed, too.

BenchMARL: a folder for every seed with `scalars/<metric>.csv` in it, lines of iteration and value. What steps are is in
`counters_total_frames.csv`, and the seed in `texts/hparams0.txt` or in the JSON file beside it.

sacred, by which EPyMARL and PyMARL write: a folder for every run with `config.json` and `metrics.json` in it, or
`info.json`, of older versions alone.

Source: instadeepai/marl-eval, README; facebookresearch/BenchMARL 1.5.1, `experiment/logger.py`; pytorch/rl 0.14.1,
`record/loggers/csv.py`; uoe-agents/epymarl @cbc38c0, `src/utils/logging.py` and `src/runners/episode_runner.py`;
IDSIA/sacred 0.8.7, `observers/file_storage.py`.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._exchange.curves import Curves, gathered, number

LEVELS = ("environment", "task", "algorithm")
FRAMES = "counters_total_frames"
BENCHMARL = ("eval_reward_episode_reward_mean", "collection_reward_episode_reward_mean")
SACRED = ("test_return_mean", "test_total_return_mean", "return_mean", "total_return_mean")

BENCHMARL_SAYS = (
    "BenchMARL's episode rewards are means over agents, and its tables count iterations: steps here are its frames, "
    "which are environment steps"
)


class Point(NamedTuple):
    """A value of a seed, where it stands in a file."""

    seed: str
    steps: Any
    value: Any


# ----------------------------------------------------------------------------------------------------------- marl-eval


def read_marl_eval(paths: Sequence[Path], metric: str | None, where: Mapping[str, str]) -> Curves:
    """The one method in the one game that `where` leaves, from one file or from a file for every seed.

    Raises: ValueError where it leaves none or several, or a file is of another form.
    """
    runs: dict[tuple[str, ...], list[tuple[Path, str, Mapping[str, Any]]]] = {}
    for path in paths:
        for names, run, steps in _runs(path, loaded(path)):
            if all(dict(zip(LEVELS, names, strict=True)).get(level) == name for level, name in where.items()):
                runs.setdefault(names, []).append((path, run, steps))
    if len(runs) != 1:
        offered = "; ".join("/".join(names) for names in runs) or "none of these names"
        raise ValueError(
            f"{paths[0]} must leave one environment, task and algorithm, found {offered}; "
            "--where environment=…, --where task=… and --where algorithm=… choose"
        )
    ((names, found),) = runs.items()
    chosen = metric or _only_metric(found[0][0], found[0][2])
    points = [point for path, run, steps in found for point in _points(path, run, steps, chosen)]
    return gathered(paths[0], chosen, points, f"{'/'.join(names)}; a value is the mean of the episodes that it lists")


def _runs(path: Path, content: Any) -> Iterator[tuple[tuple[str, ...], str, Mapping[str, Any]]]:
    """Environment, task and algorithm, then the run's name and its steps."""
    try:
        for environment, tasks in content.items():
            for task, algorithms in tasks.items():
                for algorithm, runs in algorithms.items():
                    for run, steps in runs.items():
                        yield (environment, task, algorithm), run, dict(steps.items())
    except AttributeError:
        form = "environment → task → algorithm → run → step"
        raise ValueError(f"{path} must be as marl-eval has it, {form}, found something else") from None


def _only_metric(path: Path, steps: Mapping[str, Any]) -> str:
    """`return`, or the only metric that there is."""
    known = sorted({name for step in _tests(steps) for name in step if name not in ("step_count", "elapsed_time")})
    if "return" in known or len(known) == 1:
        return "return" if "return" in known else known[0]
    raise ValueError(f"{path} must have a metric called return, or one alone, got {', '.join(known)}; --metric chooses")


def _tests(steps: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [step for step in steps.values() if isinstance(step, dict) and "step_count" in step]


def _points(path: Path, run: str, steps: Mapping[str, Any], metric: str) -> list[Point]:
    """One value a test: the mean of its episodes."""
    seed = run.removeprefix("seed_").removeprefix("run_")
    tests = [test for test in _tests(steps) if metric in test]
    return [Point(seed, test["step_count"], _mean(path, metric, test[metric])) for test in tests]


def _mean(path: Path, metric: str, episodes: Any) -> float:
    listed = episodes if isinstance(episodes, list) else [episodes]
    return float(np.mean([number(path, metric, one) for one in listed])) if listed else float("nan")


# ----------------------------------------------------------------------------------------------------------- BenchMARL


def scalars(folder: Path) -> list[Path]:
    """Every folder below that BenchMARL's CSV logger has written."""
    return sorted(path.parent for path in folder.rglob("scalars") if (path / f"{FRAMES}.csv").exists())


def read_benchmarl(folder: Path, metric: str | None) -> Curves:
    """One metric of every run below a folder.

    Raises: ValueError where a run has no such metric, or its seed is written nowhere.
    """
    found = scalars(folder)
    chosen = metric.replace("/", "_") if metric else next((name for name in BENCHMARL if _has(found[0], name)), "")
    points = []
    for run in found:
        if not _has(run, chosen):
            known = sorted(path.stem for path in (run / "scalars").glob("*reward*mean.csv"))
            raise ValueError(f"{run} must hold {chosen or BENCHMARL[0]!r}, found {', '.join(known)}; --metric chooses")
        frames = dict(_lines(run / "scalars" / f"{FRAMES}.csv"))
        seed = seed_of(run)
        for iteration, value in _lines(run / "scalars" / f"{chosen}.csv"):
            points.append(Point(seed, _frames(run, frames, iteration), value))
    return gathered(folder, chosen, points, BENCHMARL_SAYS)


def _has(run: Path, name: str) -> bool:
    return (run / "scalars" / f"{name}.csv").exists()


def _lines(path: Path) -> list[tuple[float, float]]:
    """Iteration and value, line by line."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if any(len(row) != 2 for row in rows):
        raise ValueError(f"{path} must have lines of iteration and value, got {next(r for r in rows if len(r) != 2)}")
    return [(number(path, "iteration", row[0]), number(path, "value", row[1])) for row in rows]


def _frames(run: Path, frames: Mapping[float, float], iteration: float) -> float:
    if iteration not in frames:
        raise ValueError(f"{run} must say in {FRAMES}.csv how many frames iteration {iteration:g} ended with")
    return frames[iteration]


def seed_of(run: Path) -> str:
    """The seed of a run, from its hyper-parameters or from the JSON file beside it.

    Raises: ValueError where neither is there.
    """
    for path in sorted((run / "texts").glob("hparams*.txt")):
        if found := re.search(r"^seed: (\d+)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE):
            return found[1]
    for path in sorted(run.parent.glob("*.json")):
        for _, name, _ in _runs(path, loaded(path)):
            return name.removeprefix("seed_")
    raise ValueError(f"{run} must have its seed in texts/hparams0.txt or in the JSON file beside it, found neither")


# -------------------------------------------------------------------------------------------------------------- sacred


def sacred_runs(folder: Path) -> list[Path]:
    """Every folder below in which sacred has kept a run."""
    kept = {path.parent for name in ("metrics.json", "info.json") for path in folder.rglob(name)}
    return sorted(run for run in kept if (run / "config.json").exists())


def read_sacred(folder: Path, metric: str | None) -> Curves:
    """One metric of every run below a folder.

    Raises: ValueError where runs are of several settings, or one has no such metric.
    """
    runs = sacred_runs(folder)
    settings = {run: loaded(run / "config.json") for run in runs}
    first = settings[runs[0]]
    differing = sorted(name for name in first if any(first[name] != other.get(name) for other in settings.values()))
    if others := [name for name in differing if not _is_seed(first, name)]:
        raise ValueError(f"{folder} must hold runs that differ in their seed alone, these also in {', '.join(others)}")
    measured = {run: _measured(run) for run in runs}
    chosen = metric or next((name for name in SACRED if name in measured[runs[0]]), SACRED[0])
    points = []
    for run, metrics in measured.items():
        if chosen not in metrics:
            known = sorted(name for name in metrics if name.endswith("return_mean")) or sorted(metrics)
            raise ValueError(f"{run} must hold {chosen!r}, found {', '.join(known)}; --metric chooses")
        seed = str(settings[run].get("seed", run.name))
        points += [Point(seed, step, value) for step, value in metrics[chosen]]
    return gathered(folder, chosen, points, *_said(first))


def _is_seed(settings: Mapping[str, Any], name: str) -> bool:
    """Whether a setting is the seed, or holds it among others."""
    return name == "seed" or (isinstance(settings[name], dict) and "seed" in settings[name])


def _said(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What EPyMARL does with the agents' rewards before it adds them up."""
    if not {"common_reward", "reward_scalarisation"} <= set(settings):
        return ()
    how = settings["reward_scalarisation"]
    if settings["common_reward"]:
        return (f"EPyMARL has played with the {how} of the agents' rewards as the reward of all, added up once",)
    return ("EPyMARL has played with the agents' own rewards",)


def _measured(run: Path) -> dict[str, list[tuple[Any, Any]]]:
    """Every metric's steps and values."""
    if (run / "metrics.json").exists():
        content = loaded(run / "metrics.json")
        try:
            return {name: list(zip(of["steps"], of["values"], strict=True)) for name, of in content.items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise ValueError(f"{run}/metrics.json must hold steps and values of every metric") from None
    info = loaded(run / "info.json")
    return {
        name: [(_bare(step), _bare(value)) for step, value in zip(info[f"{name}_T"], info[name], strict=False)]
        for name in info
        if f"{name}_T" in info
    }


def _bare(value: Any) -> Any:
    """A number of NumPy's as info.json has it, {"py/object": …, "value": …}, or the number itself."""
    return value.get("value") if isinstance(value, dict) else value


def loaded(path: Path) -> Any:
    """A JSON file.

    Raises: ValueError where it is none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be JSON, but {error}") from error
