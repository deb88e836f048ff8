"""Table 1: what training has been paid after 500 000 and after 1 000 000 samples."""

from benchmarks import Claim, Exceeds, Figure, Gap, Multiple, Row, Share, mace
from benchmarks._scores import At
from benchmarks.mace import BASELINES, GAMES, Kind, cell, paid, place
from benchmarks.mace._plates import RatePlate
from results import published

HALF, ALL = At(500_000), At(1_000_000)
KINDS: tuple[Kind, ...] = ("hare", "stag")


def printed_gap(method: str, other: str, where: str, column: int) -> float:
    """How much more is printed for one method than for another."""
    totals = published("mace")["totals"]
    return float(totals[method][where][column] - totals[other][where][column])


FIGURE = Figure(
    paper=mace.PAPER,
    name="table1",
    title="Total terminal reward in Hare- and Stag-Hunters",
    caption="Each game of Table 1, with random play beside the paper's methods.",
    panels=(),
    plates=tuple(RatePlate(*game) for game in GAMES),
    claims=(
        Claim(
            "MACE-T1-1",
            "",
            "Table 1",
            "MACE is paid more than Cloned and than Shared in all 16 cells of the table",
            tuple(
                Row(
                    f"{place(*game)}, {samples}: MACE > {method}",
                    paid(cell("MACE", *game), at),
                    paid(cell(method, *game), at),
                    Exceeds(Gap(printed_gap("MACE", method, place(*game), column))),
                    "end",
                    "replicate",
                )
                for game in GAMES
                for column, (samples, at) in enumerate((("500k", HALF), ("1M", ALL)))
                for method in BASELINES
            ),
        ),
        Claim(
            "MACE-T1-2",
            "",
            "the text and Table 1",
            "MACE achieves up to 10 times the reward of the baselines (200 against 20 in Hare-Hunters, 20 against 20, "
            "frozen)",
            (
                Row(
                    "hare-20-frozen, 500k: MACE > Cloned",
                    paid(cell("MACE", "hare", 20, False), HALF),
                    paid(cell("Cloned", "hare", 20, False), HALF),
                    Multiple(10.0),
                    "end",
                ),
            ),
        ),
        Claim(
            "MACE-T1-3",
            "",
            "Table 1, every row",
            "prey that moves is easier to catch than frozen prey",
            tuple(
                Row(
                    f"{kind}, {n}v{n}, {method}: moving > frozen",
                    paid(cell(method, kind, n, True), ALL),
                    paid(cell(method, kind, n, False), ALL),
                    Exceeds(Share(paid(cell("random walk", kind, n, False), ALL))),
                    "end",
                    "replicate",
                )
                for kind in KINDS
                for n in (10, 20)
                for method in ("MACE", *BASELINES)
            ),
            note="Random walkers find it so too: moving prey comes to them.",
        ),
    ),
    budgets=mace.budgets(tuple(place(*game) for game in GAMES)),
    decisions=(*mace.DECISIONS, *mace.INCONSISTENCIES),
    published=(
        "Hare-Hunters, 20 against 20, frozen: MACE 200.0 after 500 000 samples and 393.3 after a million, Shared 65.0 "
        "and 105.0, Cloned 20.0 and 70.0; all numbers are drawn beside ours.",
    ),
)
