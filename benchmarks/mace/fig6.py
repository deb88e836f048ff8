"""Figure 6: ten hunters of ten frozen hares on 30 × 30 cells: λ and three moments of an episode."""

from benchmarks import Budget, Cell, Claim, Decision, Evaluation, Figure, Line, mace
from benchmarks.mace import _latents as latents
from benchmarks.mace import learner
from benchmarks.mace._hunts import CorrelationPlate, CurvePlate, SnapshotPlate
from benchmarks.mace._latents import Latents, untrained
from benchmarks.mace.fig5 import LENGTH, beyond
from environments.hunters import Hunters

PLACE, START = "hare-10-frozen-small", "hare-10-frozen-small-untrained"
GAME = Hunters(n_hunters=10, n_prey=10, grid=30, horizon=1_000)

AFTER = Cell("MACE", PLACE, learner("MACE"), GAME, Evaluation(every=100_000, n_episodes=0), measure=Latents())
BEFORE = untrained(AFTER, START)

FIGURE = Figure(
    paper=mace.PAPER,
    name="fig6",
    title="λ and where hunters go (Hare-Hunters, 10 against 10, frozen, 30 × 30)",
    caption="Which entries of λ correlate with how hunters are displaced, and three moments of an episode.",
    panels=(),
    plates=(
        CorrelationPlate("λ before training", BEFORE),
        CorrelationPlate("λ after training", AFTER),
        SnapshotPlate("Start", AFTER, 0),
        SnapshotPlate("Middle", AFTER, 1),
        SnapshotPlate("End", AFTER, 2),
        CurvePlate(
            "How much correlates",
            (
                Line("with λ", AFTER, latents.SHARE),
                Line("with a λ that nobody feels", AFTER, latents.SHARE_UNFELT),
                Line("by chance", AFTER, latents.SHARE_BY_CHANCE),
            ),
            "share of entry-displacement pairs",
            BEFORE,
            top=0.5,
        ),
    ),
    claims=(
        Claim(
            "MACE-F6-1",
            "",
            "the text, on Figure 6",
            "many entries of λ correlate significantly with what the hunters do, before training and after it",
            tuple(
                beyond(f"{when}: correlations > by chance", cell, latents.SHARE, latents.SHARE_BY_CHANCE, 0.1)
                for when, cell in (("before", BEFORE), ("after", AFTER))
            ),
            note="Shares of pairs are compared, not of entries: with twenty displacements at α = 0.1 nine of ten "
            "entries correlate with one of them by chance.",
        ),
    ),
    budgets={
        "smoke": {PLACE: Budget(2, 100_000), START: Budget(2, 100)},
        "quick": {PLACE: Budget(5, 200_000), START: Budget(5, 200)},
        "paper": {PLACE: Budget(10, 1_000_000), START: Budget(10, 200)},
    },
    decisions=(
        Decision(
            "Which moments are shown?",
            "The start, the middle and the end of the first measured episode of the first seed, whatever came of it.",
            "The paper shows three, and does not say how they were chosen.",
        ),
        Decision(
            "What correlates with what?",
            "As in Figure 5: means over an episode of λ's entries and of hunters' displacements, 100 episodes from "
            "random starts, Pearson's r, two-sided t test, α = 0.1; beside it what chance gives, and a λ that nobody "
            "feels.",
            "The paper shows the same of a larger game.",
        ),
        Decision(
            LENGTH,
            "T = 1000 on 30 × 30 cells, ten hunters and ten frozen hares.",
            "So the figure's caption.",
        ),
        *(decision for decision in mace.DECISIONS if decision.question != LENGTH),
    ),
)
