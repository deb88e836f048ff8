"""Push box, of Figures 6 and 7: two tasks are learnt apart, and one agent of each goes on to a third."""

from __future__ import annotations

from typing import Literal

from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Enrolment, Merging, Succession
from algorithms.frozen import Frozen
from algorithms.uniform import Uniform
from benchmarks import Arm, Budget, Cell, Decision, Evaluation, Learnt, Level, Margin, Score, Start
from benchmarks._judging.scores import Final, Fixed, Window
from benchmarks.dvm import COMMON_DECISIONS, DISCRETE, ITERATIONS, MERGING_EVALUATION, UNIFORM, Method, tested
from benchmarks.dvm._levels import OPTIMUM, PUSH_DELTA, TEAM, UNMOVED
from environments.push_box import PushBox

HORIZON = 100
EPISODES: dict[Literal["I", "II"], int] = {"I": 10_000, "II": 20_000}
"""Of pre-training. In the authors' log the second task was learnt after twice as many episodes as the first."""

EPISODES_III = {"smoke": 40, "quick": 1_500, "paper": 5_000}
EVALUATION = Evaluation(every=10 * HORIZON, n_episodes=10)
MEMBERS = ((0, 0), (1, 0))  # one agent of each task

PRETRAINING = DiscreteMADDPG(first_epsilon=1.0, last_epsilon=0.03, epsilon_steps=4_000 * HORIZON)
LEARNING = DiscreteMADDPG(epsilon_steps=3_000 * HORIZON)
FROZEN = Frozen(LEARNING)


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs. The first two tasks and the merging are whole in all of them."""
    return {
        profile: {
            **{task(name): Budget(n_seeds, n * HORIZON) for name, n in EPISODES.items()},
            "push-merging": Budget(n_seeds, ITERATIONS),
            task("III"): Budget(n_seeds, EPISODES_III[profile] * HORIZON),
        }
        for profile, n_seeds in (("smoke", 2), ("quick", 5), ("paper", 10))
    }


def task(name: Literal["I", "II", "III"]) -> str:
    """How a task is called."""
    return f"push-{name}"


def pretraining(name: Literal["I", "II"]) -> Cell:
    """Both agents learn one of the first two tasks."""
    return Cell(f"Task {name}", task(name), PRETRAINING, PushBox(task=name), EVALUATION)


def teams() -> tuple[tuple[Cell, int], ...]:
    """The teams of both tasks, at the end of their training."""
    return tuple((pretraining(name), n * HORIZON) for name, n in EPISODES.items())


def merging(part: Literal["actor", "critic"]) -> Cell:
    """The actors, or the critics, of one agent of each task are made one."""
    name = "policy distillation" if part == "actor" else "value matching"
    return Cell(
        name,
        "push-merging",
        Merging(DISCRETE, part, MEMBERS),
        PushBox(task="I"),
        MERGING_EVALUATION,
        start=Start(teams(), Enrolment()),
    )


def third(method: Method, *, frozen: bool = False) -> Cell:
    """One agent of each task in the third, which learn on, or do not."""
    actor, critic = method in ("DVM", "Distillation"), method in ("DVM", "Value Matching")
    students = [merging("actor")] * actor + [merging("critic")] * critic
    return Cell(
        f"{method}, frozen" if frozen else method,
        task("III"),
        FROZEN if frozen else LEARNING,
        PushBox(task="III"),
        EVALUATION,
        start=Start((*teams(), *((student, ITERATIONS) for student in students)), Succession(MEMBERS, actor, critic)),
    )


def uniform_level() -> Score:
    """How well a team does that plays at random."""
    cell = Cell("Uniform", task("III"), Uniform(), PushBox(task="III"), Evaluation(every=2_000, n_episodes=400))
    return Score(cell, UNIFORM, Final(window=100))


PUSH_LEVELS = (
    Level("box unmoved", UNMOVED),
    Level("authors' logs, optimum", OPTIMUM),
    Level("uniform play", uniform_level()),
)

HELD = Window(0, 10 * HORIZON)  # before there is enough in replay to learn from
DELTA = Margin(PUSH_DELTA, f"a tenth of the way from a box that never moves ({UNMOVED:g}) to the optimum ({OPTIMUM:g})")


def optimum(cell: Cell) -> Score:
    """What the return of a cell is held to: no number of the paper's, but of the authors' logs."""
    return tested(cell, Fixed(OPTIMUM))


def teams_learnt() -> tuple[Learnt, ...]:
    """Both teams have learnt to push the box, each in its task, before anything is merged."""
    learnt = Margin(TEAM - UNMOVED, f"to {TEAM:g}, near the optimum of {OPTIMUM:g}")
    return tuple(
        Learnt((Arm(tested(cell, Final(window=20)), tested(cell, HELD)),), tested(cell, Fixed(UNMOVED)), learnt)
        for cell in (pretraining(name) for name in EPISODES)
    )


PUSH_DECISIONS = (
    Decision(
        "How long is pre-training?",
        "10 000 episodes of Task I and 20 000 of Task II, 100 steps each, with ε from 1 to 0.03 over the first 4000; "
        "Task III has 5000, with ε from 0.3 to 0 over the first 3000.",
        "No number is printed. In the authors' log of one seed Task I reached −30 after 10 000 episodes, where it "
        "began with −72.25 an agent, and Task II −29 only after 21 000.",
    ),
    Decision(
        "What is an episode's return?",
        "The sum over 100 steps and over both agents of −‖box − target‖², which is −144.5 where nobody moves the box.",
        "The reward is printed; the authors' logs hold the return of one agent.",
    ),
    Decision(
        "How heavy is the box, and where are the targets of Task III?",
        "Its mass is 5; (−0.85, 0), (0.85, 0) and (−0.60, −0.60).",
        "The paper says that the three are equally far from the box. The numbers are those of the authors' forks.",
    ),
    Decision(
        "Who goes on to Task III?",
        "The first agent of each task. Each teacher is asked about what its own team saw and did.",
        "“One of each”; so in the last version of the authors' distillation.",
    ),
    Decision(
        "What does “the box moves only if both agents apply force” mean?",
        "It moves in a step after which two agents touch it, by a contact force of 0.005 or more.",
        "So in a later fork of the authors' games, made for this experiment.",
    ),
    *COMMON_DECISIONS,
)
