"""Figure 3: cumulative terminal reward against samples, with the time limits of Table 1."""

from benchmarks import Claim, Exceeds, Figure, Gap, Metric, Row, Score, mace
from benchmarks._scores import Final
from benchmarks.mace import CUMULATIVE, GAMES, Method, cell, place
from benchmarks.mace._curves import PRINTED_BAND, panel

GAPS: tuple[tuple[Method, float], ...] = (("Shared", 6.61 - 6.22), ("Cloned", 6.61 - 4.64))
EPISODE = Metric("episode reward", better="larger", empty="skipped", witness=CUMULATIVE)
END = Final(window=10)  # the last 100 000 samples

FIGURE = Figure(
    paper=mace.PAPER,
    name="fig3",
    title="Training in Hare- and Stag-Hunters (T = 2000 and 1000)",
    caption="Cumulative terminal reward while training.",
    panels=tuple(panel(*game) for game in GAMES),
    claims=(
        Claim(
            "MACE-F3-1",
            "",
            "the text, on Figure 3",
            "in Stag-Hunters, 10 against 10, frozen, MACE is paid more an episode than Shared and than Cloned: 6.61, "
            "6.22, 4.64",
            tuple(
                Row(
                    f"MACE > {method}",
                    Score(cell("MACE", "stag", 10, False), EPISODE, END),
                    Score(cell(method, "stag", 10, False), EPISODE, END),
                    Exceeds(Gap(gap)),
                    "end",
                    "replicate",
                )
                for method, gap in GAPS
            ),
        ),
    ),
    budgets=mace.budgets(tuple(place(*game) for game in GAMES)),
    decisions=(*mace.DECISIONS, *mace.INCONSISTENCIES),
    printed_band=PRINTED_BAND,
    published=("Stag-Hunters, 10 against 10, frozen, reward an episode: MACE 6.61, Shared 6.22, Cloned 4.64.",),
)
