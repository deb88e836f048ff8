"""Figure 8: what the first of two agents does and values in both phases, before and after DVM."""

from dataclasses import replace

from algorithms.frozen import Frozen
from benchmarks import Budget, Cell, Claim, Decision, Evaluation, Exceeds, Figure, Margin, Metric, Row, Score, dvm
from benchmarks._scores import Fixed, Last
from benchmarks.dvm import CONTINUOUS, Method, phase_two
from benchmarks.dvm._maps import FieldPlate, PolicyMap, leaning

PLACE = "continuous-spread-2-maps"
MERGING = dvm.place(CONTINUOUS, 2, "merging")


def at_the_switch(method: Method, name: str) -> Cell:
    """The learner with which Phase II begins; it stays as it is, is tested and mapped."""
    frozen, evaluation = Frozen(dvm.continued(CONTINUOUS)), Evaluation(every=100, n_episodes=10)
    begins = phase_two(CONTINUOUS, 2, method)
    return replace(begins, name=name, environment=PLACE, algorithm=frozen, evaluation=evaluation, measure=PolicyMap())


SEEN = Margin(0.1, "a twentieth of the range of a cosine")
BEFORE, AFTER = at_the_switch("No DVM", "before"), at_the_switch("DVM", "after DVM")


def leans(label: str, cell: Cell, metric: str, *, away: bool = False) -> Row:
    """A field leans to a goal, or away from it: its mean cosine is above 0, or below."""
    mean_cosine = Metric(metric, better="neither")
    leaning, level = Score(cell, mean_cosine, Last()), Score(cell, mean_cosine, Fixed(0.0))
    left, right = (level, leaning) if away else (leaning, level)
    return Row(label, left, right, Exceeds(SEEN), "beginning")


FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig8",
    title="Policy and value of the first of two agents, in both phases, before and after DVM (MA-SAC)",
    caption="After 3000 episodes of Phase I. In it the goal is at the lower left, in Phase II at the upper right.",
    panels=(),
    plates=tuple(
        FieldPlate(f"Phase {phase}, {cell.name}", cell, phase) for cell in (BEFORE, AFTER) for phase in ("I", "II")
    ),
    claims=(
        Claim(
            "DVM-F8-1",
            "",
            "section V, on Figure 8",
            "after DVM the first agent goes to the upper right in Phase II and to the lower left in Phase I",
            (
                leans("after DVM, Phase II: to the upper right", AFTER, leaning("force", "II")),
                leans("after DVM, Phase I: to the lower left", AFTER, leaning("force", "I")),
            ),
        ),
        Claim(
            "DVM-F8-2",
            "",
            "section V, on Figure 8",
            "before DVM the first agent goes to the lower left in Phase II too",
            (
                leans("before, Phase I: to the lower left", BEFORE, leaning("force", "I")),
                leans("before, Phase II: away from the upper right", BEFORE, leaning("force", "II"), away=True),
            ),
        ),
        Claim(
            "DVM-F8-3",
            "",
            "section V, on Figure 8",
            "after DVM the gradients of Q point to the right landmark in both phases",
            (
                leans("after DVM, Phase II: slope to the upper right", AFTER, leaning("slope", "II")),
                leans("after DVM, Phase I: slope to the lower left", AFTER, leaning("slope", "I")),
            ),
        ),
    ),
    budgets={
        profile: stages | {PLACE: Budget(stages[MERGING].n_seeds, 100 if profile == "smoke" else 200)}
        for profile, stages in dvm.budgets().items()
    },
    decisions=(
        Decision(
            "What is the figure of?",
            "MA-SAC with 2 agents, where Phase II begins: the agents of Phase I as they are, and after 2048 iterations "
            "of distillation and of value matching.",
            "The paper does not name the algorithm; arrows of any direction need continuous actions, and the authors' "
            "script draws the smaller of two critics, which only MA-SAC has.",
        ),
        Decision(
            "Where does everything stand?",
            "The first agent on a grid of 21 × 21 places in [−1, 1]², the other at (0.33, 0.33) in Phase I and "
            "(−0.33, −0.33) in Phase II, landmarks at (−0.75, −0.75) and (0.75, 0.75), nobody moves.",
            "So in the authors' script.",
        ),
        Decision(
            "When does a field point to a landmark?",
            "The cosine with the way there, less that with the way to the other landmark, halved: 1 straight to the "
            "goal where the two ways are opposite. The mean over the grid is compared with 0.",
            "The paper shows one run and judges by eye; a mean over the grid has one number a seed.",
            departs=True,
        ),
    ),
)
