"""A reading of a paper: the same figure with other cells, and nothing that is recorded of our own choice touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import Cell, Decision, Figure, Reading, lineage
from benchmarks._catalogue import figures

FIGURES = {figure.id: figure for figure in figures()}
OFFERED = [(figure, name) for figure in figures() for name in figure.readings]


def slower(cell: Cell) -> Cell:
    if not hasattr(cell.algorithm, "learning_rate"):
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, learning_rate=cell.algorithm.learning_rate / 2))


def asked(figure: Figure, *readings: Reading) -> Figure:
    return replace(figure, decisions=(Decision("How fast?", "as printed", "it is printed", readings=readings),))


def reading(**changes: Any) -> Reading:
    return replace(Reading("slower", "half as fast", "it might be", under=slower), **changes)


@pytest.mark.parametrize("id_", ["ctedd/fig5", "dvm/fig4", "mace/fig5"])
def test_a_figure_is_read_with_other_cells_and_keeps_its_own(id_: str) -> None:
    figure = asked(FIGURES[id_], reading())
    before = [cell.key for cell in figure.cells]
    read = figure.under("slower")
    assert [cell.key for cell in figure.cells] == before
    assert read.id == f"{id_}@slower"
    assert [claim.id for claim in read.claims] == [f"{claim.id}@slower" for claim in figure.claims]
    assert [(cell.name, cell.environment) for cell in read.cells] == [(c.name, c.environment) for c in figure.cells]
    moved = {cell.key for cell in figure.cells if any(slower(one).key != one.key for one in lineage(cell))}
    assert {cell.key for cell in figure.cells} & {cell.key for cell in read.cells} == {*before} - moved
    assert moved


def test_what_a_cell_starts_from_is_read_too() -> None:
    read = asked(FIGURES["dvm/fig4"], reading()).under("slower")
    keys = {cell.key for cell in read.cells}
    assert all(teacher.key in keys for cell in read.cells for teacher, _ in cell.teachers)


def test_a_reading_that_changes_nothing_is_refused() -> None:
    figure = asked(FIGURES["ctedd/fig5"], reading(under=lambda cell: cell))
    with pytest.raises(ValueError, match="reading slower must change a cell, but leaves each of"):
        figure.under("slower")


def test_two_readings_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="every reading a name of its own, got slower, slower"):
        asked(FIGURES["ctedd/fig5"], reading(), reading())


def test_a_name_that_cannot_stand_in_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="letters, digits and hyphens, got 'a b'"):
        reading(name="a b")


def test_a_reading_gets_its_own_largest_budget_and_is_measured_by_the_papers() -> None:
    figure = asked(FIGURES["ctedd/fig5"], reading(most="quick"), reading(name="all", most="paper"))
    cell = figure.cells[0]
    quick, full = (figure.budget(profile, cell) for profile in ("quick", "paper"))
    assert quick != full
    read = figure.under("slower")
    assert (read.budget("paper", cell), read.in_full("paper", cell)) == (quick, full)
    assert read.budget("smoke", cell) == figure.budget("smoke", cell)
    assert figure.under("all").budget("paper", cell) == full


@pytest.mark.parametrize(("figure", "name"), OFFERED, ids=[f"{figure.id}@{name}" for figure, name in OFFERED])
def test_every_reading_that_is_offered_can_be_run(figure: Figure, name: str) -> None:
    read = figure.under(name)
    assert {cell.key for cell in read.cells} != {cell.key for cell in figure.cells}
    for cell in read.cells:
        assert read.budget("quick", cell).n_steps > 0
