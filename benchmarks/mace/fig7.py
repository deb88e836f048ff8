"""Figure 7: cumulative terminal reward against samples, with T = 1000 in both games."""

from benchmarks import Claim, Figure, Outperforms, Row, mace
from benchmarks._scores import At
from benchmarks.mace import BASELINES, GAMES, cell, paid, place
from benchmarks.mace._curves import PRINTED_BAND, panel

T = 1_000
END = At(1_000_000)

FIGURE = Figure(
    paper=mace.PAPER,
    name="fig7",
    title="Training in Hare- and Stag-Hunters (T = 1000)",
    caption="Cumulative terminal reward while training.",
    panels=tuple(panel(*game, T) for game in GAMES),
    claims=(
        Claim(
            "MACE-F7-1",
            "with T = 1000 too MACE is paid more than Shared and than Cloned",
            "appendix, Figure 7",
            tuple(
                Row(
                    f"{place(*game)}: MACE > {method}",
                    paid(cell("MACE", *game, T), END),
                    paid(cell(method, *game, T), END),
                    Outperforms(reference=paid(cell("random walk", *game, T), END)),
                )
                for game in GAMES
                for method in BASELINES
            ),
        ),
    ),
    budgets=mace.budgets(tuple(place(*game, T) for game in GAMES)),
    decisions=mace.DECISIONS,
    printed_band=PRINTED_BAND,
)
