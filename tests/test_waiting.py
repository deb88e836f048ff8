"""Training never waits for an accelerator: every algorithm in every game that figures use, on the CPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from _waiting import WaitingError, never_waiting

from benchmarks._training.circumstances import one_thread
from benchmarks.speed._samples import advanced, begun, cells, small

one_thread()

SEEDS = (0, 1)
CELLS = cells()
WAITED: dict[str, set[tuple[str, str]]] = {}
ROUNDS = "rounds until nothing changes any more, of which most steps need one or two; as many as might be needed, as \
kernels that are not waited for, would take longer than to ask"
MARKS = "places near marks are few, and as many as there are is asked: untrained play alone, once a step"
ALLOWED = {
    ("environments/_particles.py", "_validate_values"): "asked on the CPU only",
    ("environments/hunters.py", "_captures"): ROUNDS,
    ("environments/survival.py", "_attack"): ROUNDS,
    ("environments/survival.py", "_move"): ROUNDS,
    ("algorithms/_grids.py", "_first_where_marked"): MARKS,
    ("algorithms/_grids.py", "_second_where_marked"): MARKS,
    ("algorithms/tuition.py", "advance"): "whether a student still improves, once a pass over the replay",
    ("algorithms/_trust_region.py", "trust_region_step"): "a line search of fifteen steps at most, mostly one",
    ("benchmarks/_training/loop.py", "record"): "what a test has found goes to the host, once a test",
}


@pytest.mark.parametrize("name", CELLS)
def test_an_iteration_a_test_and_a_reset_do_not_wait(name: str) -> None:
    cell = small(CELLS[name])
    training = begun(cell, SEEDS)
    advanced(cell, SEEDS, training, 2)  # what is made once has been made
    with never_waiting(ALLOWED) as waited:
        advanced(cell, SEEDS, training, 4)
    WAITED[name] = waited()


def test_what_may_wait_still_does() -> None:
    """An excuse that nobody needs any more would hide what comes later."""
    if len(WAITED) < len(CELLS):
        pytest.skip("known once all cells have been looked at")
    assert set().union(*WAITED.values()) == set(ALLOWED)


WAYS: dict[str, Any] = {
    "item": lambda x: x.sum().item(),
    "bool": lambda x: bool(x.sum() > 0),
    "float": lambda x: float(x.sum()),
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "mask": lambda x: x[x > 0],
    "masked assignment": lambda x: x.clone().__setitem__(x > 0, 0.0),
    "masked_select": lambda x: x.masked_select(x > 0),
    "nonzero": lambda x: x.nonzero(),
    "where": lambda x: torch.where(x > 0),
    "unique": lambda x: x.unique(),
    "equal": lambda x: torch.equal(x, x),
    "list index": lambda x: x[:, [0, 1]],
    "tensor": lambda x: torch.tensor([0, 1]),
    "as_tensor": lambda x: torch.as_tensor([0.0, 1.0]),
    "cpu": lambda x: x.cpu(),
    "to": lambda x: x.to("cpu"),
    "another device": lambda x: x.to(torch.device("meta")),
}


@pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS.keys())
def test_it_would_be_noticed(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = small(CELLS["MADDPG on CooperativeNavigation"])
    learner: Any = cell.algorithm
    training = begun(cell, SEEDS)
    advanced(cell, SEEDS, training, 1)
    play = type(learner)._play

    def looking(self: Any, env: Any, state: Any) -> None:
        play(self, env, state)
        ask(state.copies.returns)

    monkeypatch.setattr(type(learner), "_play", looking)
    with (
        never_waiting(ALLOWED),
        pytest.raises(WaitingError, match=r"would wait for an accelerator, in algorithms/maddpg\.py"),
    ):
        advanced(cell, SEEDS, training, 1)
