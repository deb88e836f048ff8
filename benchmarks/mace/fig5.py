"""Figure 5: two hunters of two frozen hares on 10 × 10 cells: what of λ goes with where they go."""

from benchmarks import (
    Budget,
    Cell,
    Claim,
    Decision,
    Evaluation,
    Exceeds,
    Figure,
    Line,
    Margin,
    Metric,
    Printed,
    Row,
    Score,
    mace,
)
from benchmarks._scores import Fixed, Last
from benchmarks.mace import METHODS, learner
from benchmarks.mace import _latents as latents
from benchmarks.mace._hunts import CorrelationPlate, CurvePlate, PathPlate
from benchmarks.mace._latents import Strategies, untrained
from environments.hunters import Hunters

PLACE, START = "hare-2-frozen", "hare-2-frozen-untrained"
GAME = Hunters(n_hunters=2, n_prey=2, grid=10, horizon=50)
EVALUATION = Evaluation(every=50_000, n_episodes=0)

AFTER = Cell("MACE", PLACE, learner("MACE"), GAME, EVALUATION, measure=Strategies())
BEFORE = untrained(AFTER, START)
OTHERS = tuple(Cell(method, PLACE, learner(method), GAME, EVALUATION) for method in METHODS if method != "MACE")
SEVERAL = 0.05
LENGTH = "How long is an episode?"


def ends(cell: Cell, metric: str) -> Score:
    """What its last test has measured."""
    return Score(cell, Metric(metric, better="neither"), Last())


def beyond(label: str, cell: Cell, metric: str, chance: str, delta: float) -> Row:
    """More than chance gives."""
    return Row(
        label,
        ends(cell, metric),
        ends(cell, chance),
        Exceeds(Margin(delta, "a tenth of all there is")),
        "end",
        "replicate",
    )


FIGURE = Figure(
    paper=mace.PAPER,
    name="fig5",
    title="λ and where hunters go (Hare-Hunters, 2 against 2, frozen, 10 × 10)",
    caption="Which entries of λ correlate with how hunters are displaced, and the two ways to divide the prey.",
    panels=(),
    plates=(
        CorrelationPlate("λ before training", BEFORE),
        CorrelationPlate("λ after training", AFTER),
        PathPlate("1 catches A, 2 catches B", AFTER, 1),
        PathPlate("1 catches B, 2 catches A", AFTER, -1),
        CurvePlate(
            "Is an episode's assignment told?",
            (
                Line("by λ", AFTER, latents.TOLD),
                Line("by a λ that nobody feels", AFTER, latents.TOLD_UNFELT),
                Line("by chance", AFTER, latents.TOLD_BY_CHANCE),
                Line("how often the rarer one comes", AFTER, latents.RARER),
            ),
            "share of episodes from one start",
            BEFORE,
        ),
        CurvePlate(
            "Success in training",
            tuple(Line(cell.name, cell, "episode reward") for cell in (AFTER, *OTHERS)),
            "share of episodes",
            scale=1 / GAME.n_hunters,
        ),
    ),
    claims=(
        Claim(
            "MACE-F5-1",
            "",
            "the text, on Figure 5",
            "many entries of λ correlate significantly with what the hunters do, before training and after it",
            (
                beyond(
                    "before: entries that correlate > by chance",
                    BEFORE,
                    latents.COMPONENTS,
                    latents.COMPONENTS_BY_CHANCE,
                    1.6,
                ),
                beyond(
                    "after: entries that correlate > by chance",
                    AFTER,
                    latents.COMPONENTS,
                    latents.COMPONENTS_BY_CHANCE,
                    1.6,
                ),
            ),
            note="That an entry correlates does not say that it steers: beside it stands a λ that is drawn in the same "
            "states and that nobody feels.",
        ),
        Claim(
            "MACE-F5-2",
            "",
            "the text, on Figure 5",
            "after training the entries of λ that correlate with the two hunters' strategies are disjoint, and λ "
            "separates the two ways to divide the prey, both of which appear",
            (
                Row(
                    "overlap of the two hunters' entries ≈ 0",
                    ends(AFTER, latents.OVERLAP),
                    None,
                    Printed(0.0, 0.1, "a tenth of all there is"),
                    "end",
                ),
                Row(
                    "overlap by chance > overlap",
                    ends(AFTER, latents.OVERLAP_BY_CHANCE),
                    ends(AFTER, latents.OVERLAP),
                    Exceeds(Margin(0.1, "a tenth of all there is")),
                    "end",
                ),
                Row(
                    "the rarer assignment comes in more than one of 20 episodes",
                    ends(AFTER, latents.RARER),
                    Score(AFTER, Metric(latents.RARER, better="neither"), Fixed(SEVERAL)),
                    Exceeds(Margin(SEVERAL, "as much again")),
                    "end",
                ),
                beyond("assignments told by λ > by chance", AFTER, latents.TOLD, latents.TOLD_BY_CHANCE, 0.1),
            ),
        ),
    ),
    budgets={
        "smoke": {PLACE: Budget(2, 50_000), START: Budget(2, 100)},
        "quick": {PLACE: Budget(5, 1_000_000), START: Budget(5, 200)},
        "paper": {PLACE: Budget(10, 1_000_000), START: Budget(10, 200)},
    },
    decisions=(
        Decision(
            LENGTH,
            "T = 50 on 10 × 10 cells, two hunters and two frozen hares.",
            "No T is given. With 50 steps random walkers succeed in about a third of the episodes, so that there is "
            "something to learn and something to learn from.",
        ),
        Decision(
            "What correlates with what?",
            "The mean over an episode of each of λ's 16 entries with each hunter's mean displacement a step in x and "
            "in y, not wrapped around the torus, over 100 episodes from random starts, λ and actions sampled; "
            "Pearson's r, two-sided t test, α = 0.1.",
            "The paper says that 100 episodes and a two-sided t test at that level were used, and not on what.",
        ),
        Decision(
            "How many correlations would chance give?",
            "Each entry has four chances at 0.1, so that 16·(1 − 0.9⁴) = 5.5 of 16 correlate if nothing is there. They "
            "are counted with the episodes of λ in 100 other orders and compared with that.",
            "The paper makes no correction; “many” is read as more than chance.",
        ),
        Decision(
            "Does an entry that correlates steer?",
            "A second λ is drawn in the same states and used for nothing: what correlates does so through μ(s).",
            "λ is drawn anew at every step. Where the game has been moves its mean, as it moves the hunters; that is "
            "correlation enough even if no hunter feels λ.",
        ),
        Decision(
            "From where are the two ways to divide the prey told apart?",
            "From one start for all episodes, with hunters and prey at the corners of a square of side 4.",
            "From random starts the start itself decides who is nearer to what, and μ(s) may tell it; from one start "
            "only draws differ. Up to 50 fresh draws an episode average out, so that λ can tell the assignment only as "
            "far as it decided early steps, or as μ(s) differs where the hunters have gone: the λ that nobody feels "
            "shows how much of it is the latter.",
        ),
        Decision(
            "When does λ separate them?",
            "When a linear rule, fitted to nine tenths of the successful episodes, tells the others' assignment from "
            "the mean of λ more often than with permuted assignments; right answers are averaged over both "
            "assignments, so that ½ is chance.",
            "The paper judges by eye.",
            departs=True,
        ),
        *(decision for decision in mace.DECISIONS if decision.question != LENGTH),
    ),
)
