"""A scaled game of Survival: 60 agents and 42 pieces of food, as dense as 230 and 160, under every reading at once.

It is not the paper's. It says cheaply which reading leads to eating, and which to peace.
"""

from dataclasses import replace
from typing import Any

from benchmarks import Cell, Figure, Line, Panel, dimapg
from benchmarks.dimapg._survival import (
    ALL_DATA,
    FOOD,
    GROUP,
    REWARD,
    SURVIVAL_DECISIONS,
    SURVIVORS,
    UNPAID,
    budgets,
    trained,
)

SIZE = 60


def variant(name: str, cell: Cell) -> Cell:
    """Under a name of its own."""
    return replace(cell, name=f"DiMA-PG, {name}")


def by_trpo() -> Cell:
    """θ moved by TRPO, as in cooperative navigation."""
    learner: Any = replace(trained(SIZE).algorithm, outer="TRPO")
    return variant("TRPO", replace(trained(SIZE), algorithm=learner))


CELLS = (
    trained(SIZE),
    variant("all data", ALL_DATA.of(trained(SIZE))),
    by_trpo(),
    variant("group +1", GROUP.of(trained(SIZE))),
    variant("group +1, TRPO", GROUP.of(by_trpo())),
    variant("unpaid hits", UNPAID.of(trained(SIZE))),
)

FIGURE = Figure(
    paper=dimapg.PAPER,
    name="scaled",
    title="A scaled game of Survival: 60 agents, 42 pieces of food",
    caption="What is left of food and agents, and the sum of what all agents got, under every reading of the rewards "
    "and of the update. “DiMA-PG” is as with 230 agents. Everybody who goes straight for the nearest food eats all of "
    "it in some 40 steps, which pays 254; actions drawn uniformly eat nothing, leave 27 of 60 alive, and get −371.",
    panels=tuple(
        Panel(metric.capitalize(), tuple(Line(cell.name, cell, metric) for cell in CELLS), metric)
        for metric in (FOOD, SURVIVORS, REWARD)
    ),
    claims=(),
    budgets=budgets(SIZE),
    decisions=tuple(replace(decision, readings=()) for decision in SURVIVAL_DECISIONS),
)
