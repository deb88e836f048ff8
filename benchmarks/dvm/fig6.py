"""Figure 6: Task III of push box, by what its two agents begin with."""

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Line, NoWorse, Panel, Row, Scatters, dvm
from benchmarks._judging.scores import Area, Final, Fixed
from benchmarks.dvm import FINAL, METHODS, Method, tested
from benchmarks.dvm._levels import OPTIMUM
from benchmarks.dvm._push import DELTA, PUSH_DECISIONS, PUSH_LEVELS, budgets, optimum, teams_learnt, third
from benchmarks.dvm._targets import LEARNING, THIRD, reached

OPTIMUM_IS = "The optimum is -60, twice what the authors' logs of Tasks I and II reach; no number is printed."
FINAL_BY_TARGET = Final(window=25)  # the last 500 episodes, as `FINAL`
PLACE = "section V-B-2, on Figure 6"
BASELINES: tuple[Method, ...] = ("No DVM", "Distillation", "Value Matching")

FIGURE = Figure(
    paper=dvm.PAPER,
    name="fig6",
    title="Task III of push box, MADDPG, 2 agents that have learnt Task I or Task II",
    caption="Test return in Task III.",
    pictured="Evaluation curves of Task III of push box, of DVM and its three baselines. The text says that DVM "
    "converges to the optimal policy, that distillation alone and value matching alone are alike and do not "
    "reach it, and that the baselines vary much.",
    panels=(
        Panel(
            "Task III",
            tuple(Line(method, third(method), dvm.TEST) for method in METHODS),
            "test return",
            levels=PUSH_LEVELS,
        ),
    ),
    claims=(
        Claim(
            "DVM-F6-1",
            "“As before, DVM outperforms all baselines.”",
            PLACE,
            "as before: DVM is above each baseline at the end and in the mean over Task III",
            tuple(
                Row(
                    f"DVM > {method}, {when}",
                    tested(third("DVM"), part),
                    tested(third(method), part),
                    Exceeds(DELTA),
                    "end",
                    learnt=teams_learnt(),
                )
                for when, part in (("end", FINAL), ("mean over Task III", Area()))
                for method in BASELINES
            ),
        ),
        Claim(
            "DVM-F6-2",
            "“Both distillation-only and value-matching-only methods perform similarly, but do not reach an optimal "
            "policy within the number of testing periods.”",
            PLACE,
            "the two end about equally, and both clearly below the optimum",
            (
                Row(
                    "Distillation ≈ Value Matching, end",
                    tested(third("Distillation"), FINAL),
                    tested(third("Value Matching"), FINAL),
                    AboutEquals(DELTA),
                    "end",
                    learnt=teams_learnt(),
                ),
                *(
                    Row(
                        f"{method} below the optimum, end",
                        optimum(third(method)),
                        tested(third(method), FINAL),
                        Exceeds(DELTA),
                        "end",
                        learnt=teams_learnt(),
                    )
                    for method in BASELINES[1:]
                ),
            ),
            note=OPTIMUM_IS,
        ),
        Claim(
            "DVM-F6-3",
            "“DVM outperforms all baselines, converging to the optimal policy even though Task III includes a target "
            "location not present in either of the pre-training tasks.” “they quickly recover and converge on an "
            "optimal policy. Even though the environment has changed with the introduction of the third target, the "
            "DVM agents learn the correct policy”",
            "Figure 6, and section V-B-2, on Figure 7",
            "DVM ends not below the optimum, and neither does it where the target is the third",
            (
                Row(
                    "DVM reaches the optimum, end",
                    tested(third("DVM"), FINAL),
                    optimum(third("DVM")),
                    NoWorse(DELTA),
                    "end",
                    learnt=teams_learnt(),
                ),
                Row(
                    "DVM reaches the optimum where the target is the third, end",
                    reached(LEARNING, THIRD, FINAL_BY_TARGET),
                    reached(LEARNING, THIRD, Fixed(OPTIMUM)),
                    NoWorse(DELTA),
                    "end",
                    learnt=teams_learnt(),
                ),
            ),
            note=OPTIMUM_IS,
        ),
        Claim(
            "DVM-F6-4",
            "“We speculate that the high variance in the three baselines is a result of adding the third target in "
            "Task III.”",
            PLACE,
            "at the end the seeds of each baseline scatter more than those of DVM; the cause is not judged",
            tuple(
                Row(
                    f"{method} scatters more than DVM, end",
                    tested(third(method), FINAL),
                    tested(third("DVM"), FINAL),
                    Scatters(DELTA),
                    "end",
                    learnt=teams_learnt(),
                )
                for method in BASELINES
            ),
            note="Scatter is how far seeds lie from the median of their arm, in the mean. It is never refuted as too "
            "small: with a few seeds that fail, no test of scatter keeps its level. Seeds whose teams have not learnt "
            "scatter in every arm. Ten seeds that scatter ten times as much come to a p of about .008: enough only "
            "where several sentences of the paper hold.",
        ),
    ),
    budgets=budgets(),
    decisions=PUSH_DECISIONS,
    printed_band=dvm.PRINTED_BAND,
)
