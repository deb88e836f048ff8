"""DVM: policy distillation and value matching in multiagent reinforcement learning (Wadhwania et al. 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from algorithms.discrete_maddpg import DiscreteMADDPG
from algorithms.dvm import Enrolment, Merging, Succession
from algorithms.masac import MASAC
from algorithms.uniform import Uniform
from benchmarks import (
    Arm,
    Band,
    Budget,
    Cell,
    Decision,
    Evaluation,
    Learnt,
    Margin,
    Metric,
    Paper,
    Reading,
    Score,
    Start,
    Statistic,
    mapped,
)
from benchmarks._judging.scores import Final, Window
from benchmarks.dvm._levels import CONTINUOUS_SPREAD, DISCRETE_SPREAD, Levels
from environments.push_box import PushBox
from environments.spread import Spread
from environments.timed import Timed

PAPER = Paper(
    name="dvm",
    title="Policy Distillation and Value Matching in Multiagent Reinforcement Learning",
    authors="Samir Wadhwania, Dong-Ki Kim, Shayegan Omidshafiei, Jonathan P. How",
    venue="IROS 2019, arXiv 1903.06592",
    summary="Agents that have learnt different parts of a task are merged: their policies are distilled into one, and "
    "their critics matched into one that does not mind the order of the agents. They then learn on, each knowing what "
    "all knew.",
)

SPREAD_AGENTS = (2, 3, 4)
HORIZON = 25

PHASE_I = {2: 3_000, 3: 4_000, 4: 5_000}
"""Episodes of Phase I, by the number of agents (the authors' scripts; the paper prints none)."""

PHASE_II = {2: 7_000, 3: 6_000, 4: 10_000}
"""Episodes of Phase II: what is left of the scripts' 10 000, 10 000 and 15 000."""

SMOKE_II = dict.fromkeys(SPREAD_AGENTS, 100)
QUICK_II_CONTINUOUS = {**PHASE_II, 4: 1_500}
"""Profile quick plays all of Phase II but with four agents and MA-SAC, which takes hours."""

ITERATIONS = 2_048
"""Of distillation and of value matching (printed)."""

EVALUATION = Evaluation(every=10 * HORIZON, n_episodes=10)
"""Every ten episodes."""

MERGING_EVALUATION = Evaluation(every=128, n_episodes=100)

PRINTED_BAND = Band(deviations=0.5, smooth=5)
"""Half a standard deviation is printed; the moving average of 50 episodes is that of the authors' scripts."""

Method = Literal["No DVM", "Distillation", "Value Matching", "DVM"]
METHODS: tuple[Method, ...] = ("DVM", "No DVM", "Distillation", "Value Matching")

DISCRETE = DiscreteMADDPG()
CONTINUOUS = MASAC()


def place(algorithm: Any, n_agents: int, stage: Literal["I", "II", "merging"]) -> str:
    """How spread is called in a stage."""
    return f"{'spread' if is_discrete(algorithm) else 'continuous-spread'}-{n_agents}-{stage}"


def is_discrete(algorithm: Any) -> bool:
    """Whether agents choose one of five directions, and not a force."""
    return isinstance(algorithm, DiscreteMADDPG)


def variant(algorithm: Any) -> str:
    """What is added to the names of cells of another algorithm than the published ones."""
    return "" if algorithm in (DISCRETE, CONTINUOUS) else ", critics in every order"


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs in every stage. Phase I and the merging are whole in all of them: others start from it."""
    found = {}
    for profile, n_seeds, discrete, continuous in (
        ("smoke", 2, SMOKE_II, SMOKE_II),
        ("quick", 5, PHASE_II, QUICK_II_CONTINUOUS),
        ("paper", 10, PHASE_II, PHASE_II),
    ):
        found[profile] = {
            name: Budget(n_seeds, n_steps)
            for algorithm, phase_two in ((DISCRETE, discrete), (CONTINUOUS, continuous))
            for n in SPREAD_AGENTS
            for name, n_steps in (
                (place(algorithm, n, "I"), PHASE_I[n] * HORIZON),
                (place(algorithm, n, "merging"), ITERATIONS),
                (place(algorithm, n, "II"), phase_two[n] * HORIZON),
            )
        }
    return found


def spread(algorithm: Any, n_agents: int, phase: Literal["I", "II"]) -> Spread:
    """The game as an algorithm plays it: one of five directions with MADDPG, a force with MA-SAC."""
    return Spread(n_agents=n_agents, phase=phase, action="discrete" if is_discrete(algorithm) else "force")


def phase_one(algorithm: Any, n_agents: int) -> Cell:
    """The agents learn from starts of their own."""
    name = f"Phase I{variant(algorithm)}"
    return Cell(name, place(algorithm, n_agents, "I"), algorithm, spread(algorithm, n_agents, "I"), EVALUATION)


def merging(algorithm: Any, n_agents: int, part: Literal["actor", "critic"]) -> Cell:
    """All actors, or all critics, of Phase I are made one."""
    name = "policy distillation" if part == "actor" else "value matching"
    teachers = ((phase_one(algorithm, n_agents), PHASE_I[n_agents] * HORIZON),)
    return Cell(
        f"{name}{variant(algorithm)}",
        place(algorithm, n_agents, "merging"),
        Merging(algorithm, part, members(n_agents)),
        spread(algorithm, n_agents, "I"),
        MERGING_EVALUATION,
        start=Start(teachers, Enrolment()),
    )


def members(n_agents: int) -> tuple[tuple[int, int], ...]:
    """Every agent stays itself."""
    return tuple((0, agent) for agent in range(n_agents))


def phase_two(algorithm: Any, n_agents: int, method: Method) -> Cell:
    """The agents start from each other's boxes and learn on."""
    actor, critic = method in ("DVM", "Distillation"), method in ("DVM", "Value Matching")
    students = [merging(algorithm, n_agents, "actor")] * actor + [merging(algorithm, n_agents, "critic")] * critic
    teachers = (
        (phase_one(algorithm, n_agents), PHASE_I[n_agents] * HORIZON),
        *((student, ITERATIONS) for student in students),
    )
    return Cell(
        method,
        place(algorithm, n_agents, "II"),
        continued(algorithm),
        spread(algorithm, n_agents, "II"),
        EVALUATION,
        start=Start(teachers, Succession(members(n_agents), actor, critic)),
    )


def continued(algorithm: Any) -> Any:
    """The algorithm as it goes on in Phase II: ε begins anew, at twice its first value; no action is drawn blindly."""
    return replace(algorithm, **({"first_epsilon": 0.6} if is_discrete(algorithm) else {"random_steps": 0}))


def uniform(algorithm: Any, n_agents: int) -> Cell:
    """Actions drawn uniformly in Phase II: the level from which effects are measured."""
    env = spread(algorithm, n_agents, "II")
    return Cell("Uniform", place(algorithm, n_agents, "II"), Uniform(), env, Evaluation(every=2_500, n_episodes=400))


TEST = "test return greedy"
TRAINING = "training return"
UNIFORM = Metric("test return uniform", better="larger")
FINAL = Final(window=50)  # the last 500 episodes


def tested(cell: Cell, statistic: Statistic) -> Score:
    """How well a team does without exploration."""
    return Score(cell, Metric(TEST, better="larger"), statistic)


def uniform_level(algorithm: Any, n_agents: int) -> Score:
    """How well a team does that plays at random."""
    return Score(uniform(algorithm, n_agents), UNIFORM, Final(window=100))


HELD = Window(0, 40 * HORIZON)  # before there is enough in replay to learn from


def levels(algorithm: Any, n_agents: int) -> Levels:
    """How far one gets in Phase II of spread without learning."""
    return (DISCRETE_SPREAD if is_discrete(algorithm) else CONTINUOUS_SPREAD)[n_agents]


def delta(algorithm: Any, n_agents: int) -> Margin:
    """The smallest difference of interest in spread."""
    uniform, script, tenth = levels(algorithm, n_agents)
    return Margin(tenth, f"a tenth of the way from uniform play ({uniform:g}) to a script ({script:g})")


def phase_one_learnt(algorithm: Any, n_agents: int) -> Learnt:
    """Phase I ends above its own tests before the first update."""
    cell = phase_one(algorithm, n_agents)
    untrained = tested(cell, HELD)
    return Learnt((Arm(tested(cell, FINAL), untrained),), untrained, delta(algorithm, n_agents))


def phase_two_learnt(algorithm: Any, n_agents: int, *cells: Cell) -> Learnt:
    """One of these ends Phase II above uniform play, wherever it started."""
    level = uniform_level(algorithm, n_agents)
    return Learnt(tuple(Arm(tested(cell, FINAL), level) for cell in cells), level, delta(algorithm, n_agents))


def learnt(algorithm: Any, n_agents: int, *cells: Cell) -> tuple[Learnt, ...]:
    """Phase I has been learnt, and one of these cells of Phase II is not at the level of uniform play."""
    return phase_one_learnt(algorithm, n_agents), phase_two_learnt(algorithm, n_agents, *cells)


def every_order(cell: Cell) -> Cell:
    """Value matching in all orders of the agents at once."""
    if not isinstance(cell.algorithm, Merging) or cell.algorithm.part != "critic":
        return cell
    return replace(cell, algorithm=replace(cell.algorithm, orders="all"))


def bootstrapped(cell: Cell) -> Cell:
    """A learner whose episodes are cut off by their time limit, and do not end with it."""

    def change(part: Any) -> Any:
        return replace(part, timeout_terminal=False) if hasattr(part, "timeout_terminal") else part

    return replace(cell, algorithm=mapped(cell.algorithm, change))


def with_time(cell: Cell) -> Cell:
    """The same in a game whose agents see t/T, which matters to who learns or has learnt."""
    if isinstance(cell.algorithm, Uniform) or not isinstance(cell.env, Spread | PushBox):
        return cell
    return replace(cell, env=Timed(cell.env))


TIME = Decision(
    "Do agents see the time?",
    "No.",
    "The paper does not say so. In the authors' code two agents of spread and those of push box see it, three and four "
    "agents do not, although the limit of time is an end to all.",
    readings=(
        Reading(
            "timed",
            "Yes, t/T behind all else, also three and four agents.",
            "In the authors' code some do, and where the limit is an end the value depends on it.",
            under=with_time,
        ),
    ),
)

ORDERS = Decision(
    "In which orders does the student see the agents in value matching?",
    "In one random order for every critic and iteration.",
    "Equation (6) sums over all permutations and Algorithm 1 loops over them; the code takes one, which is the mean in "
    "expectation, with n! times fewer steps.",
    departs=True,
    readings=(
        Reading(
            "every-order",
            "In all orders, the mean of their errors, for every critic and iteration.",
            "Equation (6), up to a factor; one step, where the algorithm takes one for each order.",
            under=every_order,
        ),
    ),
)

COMMON_DECISIONS = (
    Decision(
        "When is a policy tested?",
        "Every 10 episodes, on 10 fresh episodes, with the likeliest action or tanh(μ).",
        "“Every 10 steps” in the paper, every 10 episodes with one episode in the code. There MADDPG is tested with "
        "Gumbel samples, although the paper says “no noise”.",
    ),
    Decision(
        "Is the time limit an end?",
        "Yes: nothing is bootstrapped from the last step of an episode.",
        "So in the last version of the authors' code.",
        readings=(
            Reading(
                "bootstrapped",
                "No: the last step bootstraps as any other does.",
                "So in earlier versions of the authors' code.",
                under=bootstrapped,
            ),
        ),
    ),
    Decision(
        "Are rewards normalised?",
        "By mean and standard deviation of the rewards in replay, in every batch.",
        "So in the authors' code; the paper does not say.",
    ),
    TIME,
    ORDERS,
    Decision(
        "What is distilled?",
        "Softmax outputs at temperature 1; Gaussians before tanh. The mean over the batch, one step of Adam for every "
        "teacher in turn, 2048 iterations; a fresh student.",
        "The paper's τ has no value, and the code's is not used. The code sums Gaussian divergences over the batch, "
        "yet the gradient is clipped to 0.5 in either case.",
    ),
    Decision(
        "What becomes of replay and of the optimizers?",
        "Replay starts empty in Phase II and learning begins at 1024 transitions; the moments of the agents' "
        "optimizers are kept.",
        "So in the authors' code.",
    ),
    Decision(
        "How many copies of the game are played?",
        "4, in step, with one update every 100 steps of all together. The authors have one copy.",
        "The same number of steps between two updates; of spread, whose episodes have 25, also of episodes.",
        departs=True,
    ),
)
"""Of spread and of push box."""

MASAC_DECISIONS = (
    Decision(
        "Which value does MA-SAC bootstrap from?",
        "V̄ of the next observations, as equation (12) says.",
        "The authors' code takes V̄ of the present ones.",
    ),
    Decision(
        "What happens to the entropy temperature of MA-SAC?",
        "α = 0.1, fixed, in the target of V and in the actor's loss.",
        "α = 0.1 is printed; equations (7) and (10) leave it out.",
    ),
)

SPREAD_DECISIONS = (
    Decision(
        "How many episodes has each phase?",
        "2, 3, 4 agents: Phase I 3000, 4000, 5000; both phases together 10 000, 10 000, 15 000.",
        "The paper prints none; these are the numbers in the scripts of the authors' code.",
    ),
    Decision(
        "What is an episode's return?",
        "The sum over 25 steps and over agents of the reward. Every agent's reward is the mean over agents of their "
        "own: minus the distances of landmarks from their closest agents, minus collisions, with itself too.",
        "The paper's reward is joint and speaks of distances only. The authors' code keeps the collisions of the "
        "particle game and gives every agent its own; the two differ only where collisions are unequal. Their logs "
        "hold the return over 25.",
    ),
    Decision(
        "Do the four conditions share Phase I?",
        "Yes: one Phase I a seed, from which all four start.",
        "The authors' logs of one seed are the same up to the switch.",
    ),
    *COMMON_DECISIONS,
)

EXPLORATION = Decision(
    "How does MADDPG explore?",
    "ε-greedy, from 0.3 to 0 over 3000 episodes of Phase I, and anew from 0.6 to 0 over 3000 of Phase II; samples "
    "of the softmax where ε ≤ 0.05.",
    "The paper says ε-greedy; the schedule is that of the last version of the authors' code.",
)


def decisions(algorithm: Any) -> tuple[Decision, ...]:
    """Those of spread with one algorithm."""
    return (*SPREAD_DECISIONS, *((EXPLORATION,) if is_discrete(algorithm) else MASAC_DECISIONS))
