"""Figure 4: how long training episodes are, 10 against 10, frozen prey."""

from benchmarks import Claim, Figure, Metric, Row, Score, Shorter, mace
from benchmarks._scores import Length
from benchmarks.mace import BASELINES, CUMULATIVE, MEDIAN, TENTH, Kind, cell, place
from benchmarks.mace._plates import LengthPlate

GAMES: tuple[tuple[Kind, str], ...] = (("hare", MEDIAN), ("stag", TENTH))


def length(quantile: str) -> Metric:
    """How long the shorter half, or tenth, of all episodes are at most."""
    return Metric(quantile, better="smaller", witness=CUMULATIVE)


FIGURE = Figure(
    paper=mace.PAPER,
    name="fig4",
    title="Lengths of training episodes (10 against 10, frozen prey)",
    caption="How many training episodes lasted at most so long.",
    panels=(),
    plates=tuple(LengthPlate(kind, 10, False) for kind, _ in GAMES),
    claims=(
        Claim(
            "MACE-F4-1",
            "",
            "the text, on Figure 4",
            "with MACE more than 20 % faster in 50 % of the episodes of Hare-Hunters, and in 10 % of those of "
            "Stag-Hunters",
            tuple(
                Row(
                    f"{kind}: {metric}, MACE 1.25 times shorter than {method}",
                    Score(cell("MACE", kind, 10, False), length(metric), Length()),
                    Score(cell(method, kind, 10, False), length(metric), Length()),
                    Shorter(ratio=1.25),
                    "end",
                    "replicate",
                )
                for kind, metric in GAMES
                for method in BASELINES
            ),
            note="Episodes are matched by their rank: the shorter half of one method's with that of another's.",
        ),
    ),
    budgets=mace.budgets(tuple(place(kind, 10, False) for kind, _ in GAMES)),
    decisions=mace.DECISIONS,
)
