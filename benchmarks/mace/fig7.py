"""Figure 7, of the appendix: as Figure 3 with T = 1000 in both games. The paper claims nothing of it."""

from benchmarks import Figure, mace
from benchmarks.mace import GAMES, place
from benchmarks.mace._curves import PRINTED_BAND, panel

T = 1_000

FIGURE = Figure(
    paper=mace.PAPER,
    name="fig7",
    title="Training in Hare- and Stag-Hunters (T = 1000)",
    caption="Cumulative terminal reward while training.",
    panels=tuple(panel(*game, T) for game in GAMES),
    claims=(),
    budgets=mace.budgets(tuple(place(*game, T) for game in GAMES)),
    decisions=mace.DECISIONS,
    printed_band=PRINTED_BAND,
)
