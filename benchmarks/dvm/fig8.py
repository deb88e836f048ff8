"""Figure 8: what the first of two agents does and values in both phases, before and after DVM."""

from dataclasses import replace

from algorithms.frozen import Frozen
from benchmarks import (
    Budget,
    Cell,
    Claim,
    Decision,
    Evaluation,
    Exceeds,
    Figure,
    Margin,
    Metric,
    NoWorse,
    Row,
    Score,
    dvm,
)
from benchmarks._judging.scores import Fixed, Last
from benchmarks.dvm import CONTINUOUS, Method, phase_one_learnt, phase_two
from benchmarks.dvm._levels import LEADS, LEANS
from benchmarks.dvm._maps import FieldPlate, PolicyMap, leaning

PLACE = "continuous-spread-2-maps"
MERGING = dvm.place(CONTINUOUS, 2, "merging")


def at_the_switch(method: Method, name: str) -> Cell:
    """The learner with which Phase II begins; it stays as it is, is tested and mapped."""
    frozen, evaluation = Frozen(dvm.continued(CONTINUOUS)), Evaluation(every=100, n_episodes=10)
    begins = phase_two(CONTINUOUS, 2, method)
    return replace(begins, name=name, environment=PLACE, algorithm=frozen, evaluation=evaluation, measure=PolicyMap())


LEADING_IS = (
    "The paper judges by eye. Here a field leads to a goal if it leans there at least half as much as one that points "
    "straight to it."
)
SECTION = "section V-C, on Figure 8"
DELTA = Margin(LEANS, "a tenth of how much a field leans to the goal that points straight to it")
LEARNT = (phase_one_learnt(CONTINUOUS, 2),)
BEFORE, AFTER = at_the_switch("No DVM", "before"), at_the_switch("DVM", "after DVM")


def field(cell: Cell, metric: str) -> Score:
    """How much a field leans to the goal."""
    return Score(cell, Metric(metric, better="neither"), Last())


def fixed(cell: Cell, metric: str, value: float) -> Score:
    """What a field is held to."""
    return Score(cell, Metric(metric, better="neither"), Fixed(value))


def leads(label: str, cell: Cell, metric: str) -> Row:
    """A field leads to its goal: at least half as much as one that points straight to it."""
    return Row(label, field(cell, metric), fixed(cell, metric, LEADS), NoWorse(DELTA), "structure", learnt=LEARNT)


FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig8",
    title="Policy and value of the first of two agents, in both phases, before and after DVM (MA-SAC)",
    caption="After 3000 episodes of Phase I. In it the goal is at the lower left, in Phase II at the upper right.",
    pictured="Policy and value of Agent 1 in the starting configurations of Phase I and Phase II, before and after "
    "DVM. The text says that before DVM they are right in Phase I alone, and after DVM lead to the right "
    "target in both.",
    panels=(),
    plates=tuple(
        FieldPlate(f"Phase {phase}, {cell.name}", cell, phase) for cell in (BEFORE, AFTER) for phase in ("I", "II")
    ),
    claims=(
        Claim(
            "DVM-F8-1",
            "“After DVM, Agent 1 maintains the correct policy from Phase I while also learning to navigate to the UR "
            "target in Phase II (Phase II, DVM policy).”",
            SECTION,
            "after DVM the forces lead to the lower left in Phase I and to the upper right in Phase II",
            (
                leads("after DVM, Phase I: to the lower left", AFTER, leaning("force", "I")),
                leads("after DVM, Phase II: to the upper right", AFTER, leaning("force", "II")),
            ),
            note=LEADING_IS,
        ),
        Claim(
            "DVM-F8-2",
            "“As the agents train in Phase I, Agent 1 learns to navigate to the LL target. Without the distillation "
            "aspect of DVM, Agent 1 continues to navigate to the LL target even though it is much closer to the UR "
            "(Phase II, No DVM Policy).”",
            SECTION,
            "before DVM the forces lead to the lower left in Phase I, and in Phase II too, where it is the wrong goal",
            (
                leads("before, Phase I: to the lower left", BEFORE, leaning("force", "I")),
                Row(
                    "before, Phase II: to the lower left",
                    fixed(BEFORE, leaning("force", "II"), -LEADS),
                    field(BEFORE, leaning("force", "II")),
                    NoWorse(DELTA),
                    "structure",
                    learnt=LEARNT,
                ),
            ),
            note=f"{LEADING_IS} To lean to the lower left is to lean as much away from the upper right.",
        ),
        Claim(
            "DVM-F8-3",
            "“After value matching, the gradients in both configurations lead the agent to the correct targets (Phase "
            "II, DVM action-value).”",
            SECTION,
            "after DVM the gradients of Q lead to the lower left in Phase I and to the upper right in Phase II",
            (
                leads("after DVM, Phase I: slope to the lower left", AFTER, leaning("slope", "I")),
                leads("after DVM, Phase II: slope to the upper right", AFTER, leaning("slope", "II")),
            ),
            note=LEADING_IS,
        ),
        Claim(
            "DVM-F8-4",
            "“As before, the gradient of the action-value function is correct for the phase it was trained in. In the "
            "Phase II configuration, the action-value function is much less defined, and definitively does not lead "
            "the agent to the UR target.”",
            SECTION,
            "before DVM the gradient of Q leads to the goal in Phase I; in Phase II it does not, and points to the "
            "goal much less",
            (
                leads("before, Phase I: slope to the lower left", BEFORE, leaning("slope", "I")),
                Row(
                    "before, Phase II: slope does not lead to the upper right",
                    fixed(BEFORE, leaning("slope", "II"), LEADS),
                    field(BEFORE, leaning("slope", "II")),
                    Exceeds(DELTA),
                    "structure",
                    learnt=LEARNT,
                ),
                Row(
                    "before: less defined in Phase II than in Phase I",
                    field(BEFORE, leaning("slope", "I")),
                    field(BEFORE, leaning("slope", "II")),
                    Exceeds(DELTA),
                    "structure",
                    learnt=LEARNT,
                ),
            ),
            note=LEADING_IS,
        ),
        Claim(
            "DVM-F8-5",
            "“Agents will generally follow a policy that climbs the gradient.”",
            SECTION,
            "the cosine of the force and the gradient of Q, mean over places, is above 0: before DVM in Phase I, after "
            "it in both phases",
            (),
            lacks="That cosine is still to be measured; the maps that it is of are recorded.",
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
            "goal where the two ways are opposite. Its mean over the grid is 0.679 for a field that points straight to "
            "the goal everywhere; one leads there that has half of it, 0.34.",
            "The paper shows one run and judges by eye; a mean over the grid has one number a seed.",
            departs=True,
        ),
    ),
)
