"""What is done with a card in its first minutes, as far as it can be seen without one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from _tiny import BOTH, FIRST, MADDPG_CELL, OTHER

from benchmarks._options import RECORDED
from benchmarks._training.loop import Training, train
from benchmarks._training.work import Work
from benchmarks.speed import card
from benchmarks.speed._agreement import Numbers, apart, compared
from benchmarks.speed._rates import Rate
from results import States, Store

RATES = {"MADDPG on CooperativeNavigation": Rate(1_000, 100.0, 50.0)}  # 2 ms a step


def normal(seed: int, shift: float = 0.0) -> Numbers:
    return shift + np.random.default_rng(seed).normal(size=24)


def differing(here: Numbers, there: Numbers) -> list[str]:
    """Which of four curves differ, of which three do not."""
    alike = {f"alike {i}": normal(i) for i in range(3)}
    again = {f"alike {i}": normal(9 + i) for i in range(3)}
    found = list(compared("cell", alike | {"this": here}, again | {"this": there}))
    return [one.metric for one in apart(found)]


def test_what_is_alike_is_not_told_apart_and_what_differs_is() -> None:
    assert differing(normal(20), normal(21)) == []
    assert differing(normal(20), normal(21, shift=2.0)) == ["this"]
    assert differing(np.ones(24), np.ones(24)) == []
    assert differing(np.ones(24), np.ones(24) + 1e-6) == ["this"]
    assert differing(normal(20), np.full(24, np.inf)) == ["this"]  # everybody has diverged


def test_a_rare_false_alarm_stays_rare_among_many_curves() -> None:
    groups = [{str(i): normal(seed * 1_000 + i) for i in range(300)} for seed in (1, 2)]
    assert apart(list(compared("cell", *groups))) == []


def test_a_cell_takes_its_steps_and_those_of_what_it_starts_from() -> None:
    assert card._seconds(Work(MADDPG_CELL, (0,), 400), RATES) == pytest.approx(0.8)
    assert card._seconds(Work(BOTH, (0,), 400), RATES) == pytest.approx(0.8 + 2 * 0.4)
    assert card._seconds(Work(MADDPG_CELL, (0,), 400), {}) == 0.0


def test_stages_are_taken_that_still_end() -> None:
    first, second, third = (Work(cell, (0,), n) for cell, n in ((FIRST, 3_000), (MADDPG_CELL, 1_000), (OTHER, 2_000)))
    seconds = {item.cell.key: item.n_steps / 500 for item in (first, second, third)}  # 6, 2 and 4
    stages = [[first], [second, third]]
    assert card.affordable(stages, seconds, 1.0, 7.0) == [first]
    assert card.affordable(stages, seconds, 2.0, 6.0) == [first, second, third]
    assert card.affordable(stages, seconds, 1.0, 5.9) == []
    assert card.affordable(stages, seconds, 3.0, 5.0) == [second, third]  # the first alone takes longer


def test_what_has_not_ended_is_kept_as_far_as_it_has_come(tmp_path: Path) -> None:
    store, states = Store(tmp_path), States(tmp_path / ".states")
    seeds = (0, 1)
    training = Training.of(MADDPG_CELL, seeds)
    train(MADDPG_CELL, seeds, training, 250, lambda _: False)
    for seed, tensors in zip(seeds, training.saved(2), strict=True):
        states.save(MADDPG_CELL.key, seed, 250, tensors, {})
    item = Work(MADDPG_CELL, (0, 1), 10_000)
    assert card.keep_beginning(item, "cpu", store, states) == training.learner.steps
    for seed, row in zip(seeds, training.steps, strict=True):
        kept = store.load(MADDPG_CELL, seed)
        assert kept is not None and kept.steps.tolist() == row.tolist()
    assert card.keep_beginning(Work(MADDPG_CELL, (0, 7), 10_000), "cpu", store, states) == 0


def test_a_part_is_rehearsed_and_written_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of = ["--rehearse", "--out", str(tmp_path / "out"), "--only", "MADDPG on PushForward"]
    assert card.main([*of, "--skip", "sharing", "record"]) == 0
    found = json.loads((tmp_path / "out" / "card.json").read_text())
    assert {one["metric"] for one in found["agreement"]} == {
        "test return greedy",
        "training return",
        "exploration std",
    }
    assert found["rates"]["MADDPG on PushForward"]["kernels"] > 300
    assert "kernels" in capsys.readouterr().out


def test_what_is_recorded_is_looked_at_before_it_is_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert card.main(["--rehearse", "--out", str(tmp_path), "--store", str(RECORDED)]) == 1
    assert "must be a folder of its own" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert card.main(["--out", str(tmp_path)]) == 1
    assert "finds no CUDA device" in capsys.readouterr().err
