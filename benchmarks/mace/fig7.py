"""Figure 7, of the appendix: as Figure 3 with T = 1000 in both games."""

from dataclasses import replace

from benchmarks import Claim, Exceeds, Figure, Margin, Row, mace
from benchmarks._judging.scores import Rate
from benchmarks.mace import BASELINES, GAMES, MILLION, TRAINED, Game, Rival, cell, gains_more, paid, place
from benchmarks.mace._curves import PRINTED_BAND, panel

T = 1_000
HARES = tuple(game for game in GAMES if game[0] == "hare")
LONGER = tuple(place(*game) for game in HARES)
"""The games of Figure 3, where T is 2000: only random play in them is compared."""

BUDGETS = mace.budgets(GAMES, T)


def gained_in(game: Game, rival: Rival) -> Row:
    """MACE is paid more than a rival in the second half too, as than the other one in the same game."""
    return replace(gains_more(game, rival, horizon=T, role="replicate"), group=place(*game, T))


FIGURE = Figure(
    paper=mace.PAPER,
    name="fig7",
    title="Training in Hare- and Stag-Hunters (T = 1000)",
    caption="Cumulative terminal reward while training.",
    pictured="As Figure 3, with T = 1000 in all eight games: cumulative terminal reward while training, mean, least "
    "and most of the best 5 runs of each model. The caption says that MACE gains increasingly more than the "
    "baselines.",
    panels=tuple(panel(game, T) for game in GAMES),
    claims=(
        Claim(
            "MACE-F7-1",
            "“MACE accumulates increasingly higher rewards compared to the baselines.”",
            "the caption of Figure 7",
            "with T = 1000 MACE is paid more than Shared and than Cloned in the second half of a million samples too, "
            "in Hare-Hunters, and as in Figure 3 in Stag-Hunters, judged in the four games of 10 against 10",
            tuple(gained_in(game, rival) for game in TRAINED for rival in BASELINES),
            note="Both rivals are asked for in a game; a game counts once. Games of Stag-Hunters are the same runs as "
            "in Figure 3.",
        ),
        Claim(
            "MACE-T-1",
            "“Comparing Hare-Hunters and Stag-Hunters, we also see the impact of the time limit T. Since we use "
            "terminal rewards only, as T gets larger, the reward becomes very sparse and models need more samples to "
            "discover good policies.”",
            "section 4",
            "a larger T makes rewards sparser, and learning slower",
            (),
            untestable="The comparison changes the game, H, the rewards and T at once, and no number is printed where "
            "T alone is changed. Moments of pay per sample fall as 1/T by construction, while of random play more "
            "episodes succeed if T is larger.",
        ),
        Claim(
            "MACE-T-1c",
            "",
            "our own, on what is said of T",
            "random hunters of hares are paid more per million samples with T = 1000 than with T = 2000",
            tuple(
                Row(
                    f"{place(*game)}, random walk: T = 1000 > T = 2000",
                    paid(cell("random walk", *game, T), Rate(MILLION)),
                    paid(cell("random walk", *game), Rate(MILLION)),
                    Exceeds(Margin(float(game[1]), "one success")),
                    "structure",
                )
                for game in HARES
            ),
            kind="check",
            note="The opposite would be shown as reversed.",
        ),
    ),
    budgets={
        profile: sizes | {f"random walk on {where}": sizes[f"untrained on {place(*HARES[0], T)}"] for where in LONGER}
        for profile, sizes in BUDGETS.items()
    },
    decisions=(mace.LASTING, *mace.DECISIONS, *mace.INCONSISTENCIES),
    printed_band=PRINTED_BAND,
)
