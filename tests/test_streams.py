"""Numbers that are drawn ahead, as on accelerators: here on the CPU, where the same code runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest
from torch import Tensor

from algorithms._tree import joined, leaves
from benchmarks._training.circumstances import one_thread
from benchmarks._training.loop import Training
from benchmarks.speed._samples import advanced, begun, cells, small
from benchmarks.speed.kernels import counted
from environments import Streams, _streams

one_thread()

DRAWS: dict[str, Callable[[Streams], Tensor]] = {
    "uniform": lambda streams: streams.uniform(3, 5),
    "stretched": lambda streams: streams.uniform(3, 5, low=-0.3, high=0.7),
    "normal": lambda streams: streams.normal(3, 5),
    "integers": lambda streams: streams.integers(3, 5, high=7),
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())


@pytest.fixture(autouse=True)
def _small_stocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streams, "AHEAD", 64)  # four draws, and some that are lost


def streams_of(*seeds: int) -> Streams:
    return Streams.of(seeds, "ahead", "cpu", ahead=True)


def everything(streams: Streams, n: int) -> list[Tensor]:
    return [draw(streams) for _ in range(n) for draw in DRAWS.values()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_accelerators_draw_ahead_and_the_cpu_does_not() -> None:
    assert not Streams.of([0], "ahead", "cpu")._ahead
    assert streams_of(0)._ahead and streams_of(0).branched()._ahead and streams_of(0).aside("other")._ahead


def test_a_seed_alone_draws_what_it_draws_among_others() -> None:
    together = everything(streams_of(3, 1, 4), 20)
    alone = everything(streams_of(1), 20)
    assert same([draw[1:2] for draw in together], alone)


@every_draw
def test_nothing_is_handed_out_twice_and_seeds_differ(draw: Callable[[Streams], Tensor]) -> None:
    streams = streams_of(0, 1)
    drawn = [draw(streams) for _ in range(30)]
    rows = [x[seed] for x in drawn for seed in (0, 1)]
    assert len({tuple(row.flatten().tolist()) for row in rows}) == len(rows)


def test_numbers_are_distributed_as_they_should_be() -> None:
    streams = streams_of(*range(20))
    draws = [(streams.uniform(50), streams.normal(50), streams.integers(50, high=7)) for _ in range(40)]
    uniform, normal, integers = (torch.cat(column, dim=1).numpy() for column in zip(*draws, strict=True))  # [20, 2000]
    assert kstest(uniform.ravel(), "uniform").pvalue > 1e-3
    assert kstest(normal.ravel(), "norm").pvalue > 1e-3
    assert chisquare(np.bincount(integers.ravel(), minlength=7)).pvalue > 1e-3
    for numbers in (uniform, normal, integers):
        between = np.corrcoef(numbers)[np.triu_indices(20, 1)]  # of seeds
        behind = [np.corrcoef(row[:-1], row[1:])[0, 1] for row in numbers]  # of neighbours
        assert np.abs(between).max() < 5 / np.sqrt(2000) and np.abs(behind).max() < 5 / np.sqrt(2000)


def test_a_range_holds_its_lower_end_and_not_its_upper_one() -> None:
    nearly = torch.tensor([[0.0, 1.0 - 2.0**-24]])
    for low, high in ((-0.3, 0.7), (0.0, 1.0), (-1.0, 1.0), (1e3, 1e3 + 1e-3)):
        stretched = _streams._stretched(nearly, low, high)
        assert stretched.min() >= np.float32(low) and stretched.max() < np.float32(high)


@pytest.mark.parametrize("n_before", [0, 1, 7])
def test_what_was_saved_goes_on_bit_for_bit(n_before: int) -> None:
    streams = streams_of(0, 1)
    everything(streams, n_before)
    saved = streams.save()
    expected = everything(streams, 9)
    other = streams_of(8, 9)
    everything(other, 3)
    other.load(saved)
    assert same(everything(other, 9), expected)
    alone = streams_of(5)
    alone.load(saved[1:])
    assert same(everything(alone, 9), [draw[1:] for draw in expected])


def test_seeds_that_have_drawn_unequally_much_do_not_go_on_side_by_side() -> None:
    one, other = streams_of(0), streams_of(1)
    one.uniform(3), other.uniform(4)
    with pytest.raises(ValueError, match=r"must have drawn as much, got \[\[64, 3\], \[64, 4\]\]"):
        streams_of(2, 3).load(torch.cat([one.save(), other.save()]))


@every_draw
def test_a_branch_draws_what_would_come_and_is_not_felt(draw: Callable[[Streams], Tensor]) -> None:
    streams, twin = streams_of(0, 1), streams_of(0, 1)
    for _ in range(20):
        branch, aside = streams.branched(), streams.aside("other")
        drawn = draw(streams)
        expected = drawn.clone()
        drawn.zero_()  # whoever has drawn numbers may write over them
        assert torch.equal(draw(branch), expected) and torch.equal(draw(twin), expected)
        assert not torch.equal(draw(aside), expected)


@every_draw
def test_a_draw_of_all_seeds_is_a_few_kernels(draw: Callable[[Streams], Tensor]) -> None:
    streams = streams_of(*range(10))
    draw(streams)
    with counted() as kernels:
        draw(streams)
    assert kernels.total() <= 3


@pytest.mark.parametrize("name", ["CTEDD on CooperativeNavigation", "MADDPG on CooperativeNavigation"])
def test_training_goes_on_bit_for_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    of: Any = Streams.of
    monkeypatch.setattr(Streams, "of", lambda *where: of(*where, ahead=True))
    cell = small(cells()[name])
    straight = begun(cell, (0, 1))
    advanced(cell, (0, 1), straight, 3)
    kept = straight.saved(2)
    stopped = [{key: tensor.clone() for key, tensor in seed.items()} for seed in kept]
    resumed = Training.of(cell, (0, 1))
    resumed = joined(resumed, stopped)
    for training in (straight, resumed):
        advanced(cell, (0, 1), training, 3)
    one, other = (leaves(training.learner) for training in (straight, resumed))
    tensors = [key for key, leaf in one.items() if isinstance(leaf, Tensor)]
    assert [key for key in tensors if not torch.equal(one[key], other[key])] == []  # type: ignore[arg-type]
