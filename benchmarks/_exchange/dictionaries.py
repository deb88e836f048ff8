"""A figure's lines as rliable and as marl-eval take them, both as JSON.

rliable takes {method: array [runs, tasks]}; a group of panels with the same methods and metric is one such dictionary:

    group = json.loads(text)["groups"][0]
    scores = {name: np.array(values, float) for name, values in group["scores"].items()}

marl-eval takes {environment: {task: {algorithm: {seed: {step: {"step_count": …, "return": [values]}}}}}}, with the same
algorithms, seeds and number of steps in all tasks of an environment; so panels that differ in these are environments of
their own. A value is the mean of a test's episodes. Its `absolute_metrics`, with which it aggregates, are here the mean
of the last tests, as for rliable, and not those of the best policy.

Source: google-research/rliable, README; instadeepai/marl-eval, README.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import Figure, Floats, Level, Line, Metric, Panel, Score
from benchmarks._exchange.tidy import short
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.samples import Bundle
from benchmarks._judging.scores import Final, Last

FINAL = Final(window=10)
SPOILT = str.maketrans({",": ";"})
"""No name of an algorithm may have a comma in marl-eval."""


def rliable(exhibit: Exhibit) -> dict[str, Any]:
    """Where every seed ends, by method and task.

    Raises: ValueError where the figure shows no curves, or none that has been run.
    """
    groups: dict[Any, list[Panel]] = {}
    for panel in panels(exhibit):
        labels = tuple(line.label for line in run_lines(exhibit, panel))
        groups.setdefault((panel.ylabel, labels), []).append(panel)
    return {
        "figure": exhibit.figure.id,
        "profile": exhibit.profile,
        "groups": [_group(exhibit, together) for together in groups.values()],
    }


def _group(exhibit: Exhibit, together: Sequence[Panel]) -> dict[str, Any]:
    """One dictionary of scores, with what its tasks and numbers are."""
    first = run_lines(exhibit, together[0])
    unit = next(iter(exhibit.sample(first[0].cell).runs.values())).units[first[0].metric]
    statistics = sorted({_statistic(line).unit for panel in together for line in panel.lines})
    return {
        "metric": together[0].ylabel,
        "unit": f"{' or '.join(statistics)}: {unit}",
        "tasks": [panel.title for panel in together],
        "levels": {panel.title: dict(_levels(exhibit, panel.levels)) for panel in together},
        "scores": {line.label: _matrix(exhibit, together, line.label) for line in first},
    }


def _matrix(exhibit: Exhibit, together: Sequence[Panel], label: str) -> list[list[float | None]]:
    """A method's scores, a list for every seed that all tasks have. None where a seed has diverged."""
    lines = [line for panel in together for line in panel.lines if line.label == label]
    scores = [ends(exhibit, line) for line in lines]
    seeds = [seed for seed in scores[0] if all(seed in of_task for of_task in scores)]
    return [[value if math.isfinite(value := of_task[seed]) else None for of_task in scores] for seed in seeds]


def ends(exhibit: Exhibit, line: Line) -> dict[int, float]:
    """Where every seed of a line ends: the mean of its last tests, or the last value of a running total."""
    scores = exhibit.scores(Score(line.cell, Metric(line.metric, "neither"), _statistic(line)))
    return dict(zip(scores.seeds, scores.values.tolist(), strict=True))


def _statistic(line: Line) -> Final | Last:
    return Last() if line.total else FINAL


def _levels(exhibit: Exhibit, levels: Sequence[Level]) -> Sequence[tuple[str, float]]:
    """What a score can be measured from, such as how far one gets without learning."""
    return [
        (
            level.label,
            float(exhibit.scores(level.value).values.mean() if isinstance(level.value, Score) else level.value),
        )
        for level in levels
    ]


def panels(exhibit: Exhibit) -> list[Panel]:
    """The panels of which a line has been run.

    Raises: ValueError where there is none.
    """
    found = [panel for panel in exhibit.figure.panels if run_lines(exhibit, panel)]
    if not found:
        raise ValueError(f"{exhibit.figure.id} must show curves that have been run, found none: --to csv has all else")
    return found


def run_lines(exhibit: Exhibit, panel: Panel) -> list[Line]:
    """The lines of a panel that have been run."""
    return [line for line in panel.lines if exhibit.bundle(line.cell, line.metric).seeds]


# ----------------------------------------------------------------------------------------------------------- marl-eval


def marl_eval(exhibit: Exhibit) -> dict[str, Any]:
    """Every test of every line.

    Raises: ValueError where nothing has been run, or two lines have one name in lower case, which is all that it keeps.
    """
    groups: dict[Any, list[tuple[Panel, Mapping[str, Any]]]] = {}
    for panel in panels(exhibit):
        lines = run_lines(exhibit, panel)
        _told_apart(exhibit.figure, panel, lines)
        bundles = {line.label: exhibit.bundle(line.cell, line.metric) for line in lines}
        steps, seeds = _common(list(bundles.values()))
        task = {
            line.label.translate(SPOILT): _runs(bundles[line.label], steps, seeds, ends(exhibit, line))
            for line in lines
        }
        groups.setdefault((tuple(task), len(steps), len(seeds)), []).append((panel, task))
    names = [exhibit.figure.id] if len(groups) == 1 else [f"{exhibit.figure.id} {i + 1}" for i in range(len(groups))]
    return {
        name: {panel.title: task for panel, task in together}
        for name, together in zip(names, groups.values(), strict=True)
    }


def _told_apart(figure: Figure, panel: Panel, lines: Sequence[Line]) -> None:
    names = [line.label.translate(SPOILT).lower() for line in lines]
    if len({*names}) < len(names):
        raise ValueError(f"{figure.id}, {panel.title}: marl-eval needs names that differ in lower case, got {names}")


def _common(bundles: Sequence[Bundle]) -> tuple[list[float], list[int]]:
    """The steps and the seeds that all lines have."""
    steps = set.intersection(*(set(bundle.steps.tolist()) for bundle in bundles))
    seeds = set.intersection(*(set(bundle.seeds) for bundle in bundles))
    return sorted(steps), sorted(seeds)


def _runs(
    bundle: Bundle, steps: Sequence[float], seeds: Sequence[int], ended: Mapping[int, float]
) -> dict[str, dict[str, Any]]:
    """Every seed's tests, then where it ends."""
    at = np.searchsorted(bundle.steps, steps)
    found = {}
    for seed in seeds:
        values: Floats = bundle.values[bundle.seeds.index(seed)][at]
        tests: dict[str, Any] = {
            f"step_{i}": {"step_count": int(step), "return": [short(np.float32(value))]}
            for i, (step, value) in enumerate(zip(steps, values, strict=True))
        }
        found[f"seed_{seed}"] = tests | {"absolute_metrics": {"return": [ended[seed]]}}
    return found
