"""Our own question: does it matter that 25 copies of the game collect experience where openai/maddpg has one?"""

from dataclasses import replace

from benchmarks import AboutEquals, Budget, Cell, Claim, Figure, Line, Panel, Row, ctedd
from benchmarks._judging.scores import Window
from benchmarks.ctedd import TEST, TRAINING, delta, greedy, learnt, trained, until

ENVIRONMENT = "CN-V1"
QUICK_STEPS = 500_000
SHORT = Window(0, QUICK_STEPS)


def one_copy(cell: Cell) -> Cell:
    """The same cell with a single game: 100 steps of it between two updates."""
    return replace(cell, name=f"{cell.name}, one copy", algorithm=replace(cell.algorithm, n_envs=1))


MADDPG = ctedd.maddpg(ENVIRONMENT, 3)
CTEDD = ctedd.ctedd(ENVIRONMENT)


def budgets() -> dict[str, dict[str, Budget]]:
    """Nobody goes on where nothing is asked."""
    sizes = ctedd.budgets(QUICK_STEPS)
    shared = dict.fromkeys(sizes["paper"], Budget(10, QUICK_STEPS))
    return sizes | {"paper": shared}


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="copies",
    title="One copy of the game against 25, on CN-V1",
    caption="Training and test return. Not a figure of the paper: it checks a decision of this suite.",
    panels=tuple(
        Panel(
            f"{cell.name}, {title}",
            (Line("25 copies", cell, metric), Line("1 copy", one_copy(cell), metric)),
            f"{title} return",
        )
        for cell, policy in ((MADDPG, "greedy"), (CTEDD, "G"))
        for title, metric in (("training", TRAINING), ("test", TEST.format(policy)))
    ),
    claims=(
        Claim(
            "CTEDD-E-1",
            "",
            "a decision of this suite",
            "the number of copies that collect the 100 steps between two updates does not move the curve",
            tuple(
                Row(
                    f"CN-V1: {cell.name}, {what}: 25 copies ≈ 1",
                    score(cell, SHORT),
                    score(one_copy(cell), SHORT),
                    AboutEquals(delta(ENVIRONMENT)),
                    "beginning",
                    "replicate",
                    learnt(cell, one_copy(cell), by=until(QUICK_STEPS)),
                )
                for cell in (MADDPG, CTEDD)
                for what, score in (("training", trained), ("test", greedy))
            ),
            kind="check",
        ),
    ),
    budgets=budgets(),
    decisions=ctedd.decisions(),
    family="decisions of this suite",
)
