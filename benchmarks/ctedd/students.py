"""Our own question: how far could local policies get with what they see and hear, if they were taught without end?

The teacher is the global policy of Figure 5, bit for bit, at the end of profile quick: nobody is taught on the way.
"""

from dataclasses import replace

from algorithms.tuition import Handover, Tuition
from benchmarks import Budget, Cell, Claim, Decision, Evaluation, Figure, Line, NoWorse, Panel, Row, Start, ctedd
from benchmarks._judging.scores import Last, Sparse, Window
from benchmarks.ctedd import ENVIRONMENTS, GRID, QUICK_STEPS, TEST, delta, learnt, tested, until

SIZES = (1, 3)
PASSES = 40
EVALUATION = Evaluation(every=4, n_episodes=400)
SEEDS = {"smoke": 2, "quick": 6, "paper": 10}


def teacher(environment: str) -> Cell:
    """Figure 5's global policy, without students."""
    return ctedd.cell("CTEDD without students", environment, replace(ctedd.PUBLISHED, message_sizes=()))


def taught(environment: str) -> Cell:
    """Students that learn from its buffer until nothing improves."""
    start = Start(((teacher(environment), QUICK_STEPS[environment]),), Handover())
    students = ctedd.cell("taught to the end", environment, Tuition(ctedd.PUBLISHED))
    return replace(students, evaluation=EVALUATION, start=start)


def leaves_little(environment: str, size: int) -> Row:
    """A local policy as it is distilled is not worse than one that is taught to the end."""
    n_steps, name = QUICK_STEPS[environment], f"L-{size}"
    as_printed = Sparse(Window(n_steps - GRID, n_steps), every=GRID)
    return Row(
        f"{environment}: {name} distilled as printed not below {name} taught to the end",
        tested(ctedd.ctedd(environment), as_printed, name),
        tested(taught(environment), Last(), name),
        NoWorse(delta(environment)),
        "beginning",
        "replicate",
        learnt(ctedd.ctedd(environment), by=until(n_steps)),
    )


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs. The teacher is whole in all of them: others start from it."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in SEEDS.items():
        smoke, found[profile] = profile == "smoke", {}
        for environment, n_steps in QUICK_STEPS.items():
            for name, size in (
                (environment, n_steps),
                (f"CTEDD on {environment}", 30_000 if smoke else n_steps),
                (f"Uniform on {environment}", 30_000 if smoke else n_steps),
                (f"taught to the end on {environment}", EVALUATION.every if smoke else PASSES),
            ):
                found[profile][name] = Budget(n_seeds, size)
    return found


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="students",
    title="How far local policies get when they are taught until nothing improves",
    caption="Test return of local policies that learn from the buffer of a trained global policy, against passes over "
    "it, beside that of their teacher. Not a figure of the paper.",
    panels=tuple(
        Panel(
            environment,
            (
                Line("CTEDD-G", taught(environment), TEST.format("G")),
                *(Line(f"L-{size}", taught(environment), TEST.format(f"L-{size}")) for size in SIZES),
            ),
            "test return",
            against="iterations",
        )
        for environment in ENVIRONMENTS
    ),
    claims=(
        Claim(
            "CTEDD-E-2",
            "",
            "a decision of this suite",
            "distillation as printed leaves little to be learnt from the same states: at the end of profile quick a "
            "local policy is not worse than one that is taught there until nothing improves",
            tuple(leaves_little(environment, size) for environment in ENVIRONMENTS for size in SIZES),
            kind="check",
            note="What then is still missing to the global policy is for want of information, of room in the network, "
            "or because students meet states that the teacher did not. To stop where nothing improves is the text's "
            "other rule, not the one that its experiments adopt.",
        ),
    ),
    budgets=budgets(),
    decisions=(
        Decision(
            "When does nothing improve?",
            "States are drawn at random from 24 of the 25 copies' part of the buffer. Where the loss of equation (6) "
            "on the last copy has not fallen by a thousandth in 3 passes, steps become a quarter as large; after the "
            "fourth such stage a student is done, 40 passes at most. It is tested as it was at its lowest loss.",
            "A constant step size ends in noise; states of the same episodes would be no test.",
        ),
        *ctedd.decisions(),
    ),
    family="decisions of this suite",
)
