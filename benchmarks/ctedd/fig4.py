"""Figure 4: learning performance in four environments, exploration included."""

from benchmarks import About, Claim, Exceeds, Figure, Line, Panel, Row, Statistic, ctedd
from benchmarks.ctedd import ENVIRONMENTS, FINAL, LACKS_GAMES, MILLION, RISE, delta, learnt, trained, until

CN = ("CN-V1", "CN-V2")
PLACE = "section 5.3, on Figure 4"


def beats_maddpg(environment: str, statistic: Statistic, by: Statistic, about: About) -> tuple[Row, ...]:
    """CTEDD against both baselines."""
    ours = ctedd.ctedd(environment)
    return tuple(
        Row(
            f"{environment}: CTEDD > {theirs.name}",
            trained(ours, statistic),
            trained(theirs, statistic),
            Exceeds(delta(environment)),
            about,
            "replicate",
            learnt(ours, theirs, by=by),
        )
        for theirs in (ctedd.maddpg(environment, size) for size in (1, 3))
    )


def message_sizes(environment: str, better: int, worse: int, statistic: Statistic, by: Statistic, about: About) -> Row:
    """One baseline against the other."""
    left, right = ctedd.maddpg(environment, better), ctedd.maddpg(environment, worse)
    return Row(
        f"{environment}: {left.name} > {right.name}",
        trained(left, statistic),
        trained(right, statistic),
        Exceeds(delta(environment)),
        about,
        "replicate",
        learnt(left, right, by=by),
    )


FIGURE = Figure(
    paper=ctedd.PAPER,
    name="fig4",
    title="Learning performance of CTEDD, MADDPG-1 and MADDPG-3",
    caption="Cumulative reward that all agents obtain together in an episode of training, with exploration.",
    panels=tuple(
        Panel(
            environment,
            (
                Line("CTEDD", ctedd.ctedd(environment), ctedd.TRAINING),
                Line("MADDPG-1", ctedd.maddpg(environment, 1), ctedd.TRAINING),
                Line("MADDPG-3", ctedd.maddpg(environment, 3), ctedd.TRAINING),
            ),
            "training return",
        )
        for environment in ENVIRONMENTS
    ),
    claims=(
        Claim(
            "CTEDD-F4-1",
            "“First, CTEDD can clearly learn faster and achieve higher effective-ness than MADDPG. In fact, CTEDD "
            "consistently outperformed MADDPG-1 and MADDPG-3 on all environments, confirming that the global policies "
            "trained by CTEDD can promote coordinated” “environment exploration and learning among all agents.”",
            PLACE,
            "higher effectiveness: at the end the training return of CTEDD, exploration included, is above that of "
            "either baseline in every game",
            tuple(row for environment in ENVIRONMENTS for row in beats_maddpg(environment, FINAL, FINAL, "end")),
            lacks=LACKS_GAMES,
        ),
        Claim(
            "CTEDD-F4-2",
            "“First, CTEDD can clearly learn faster and achieve higher effective-ness than MADDPG.”",
            PLACE,
            "faster: over the first million steps the training return of CTEDD rises more than that of either baseline "
            "in every game",
            tuple(
                row
                for environment in ENVIRONMENTS
                for row in beats_maddpg(environment, RISE, until(MILLION), "beginning")
            ),
            lacks=LACKS_GAMES,
            note="A rise is counted from the run's own tests before the first update, because untrained policies "
            "explore unequally: with a standard deviation of about 0.5 in CTEDD and of about 1 in MADDPG.",
        ),
        Claim(
            "CTEDD-F4-3a",
            "“But this may slow down the learning process. For example, on CN-V1 and CN-V2, MADDPG-3 improved slowly "
            "at the beginning but eventually surpassed MADDPG-1 in learning performance.”",
            PLACE,
            "slowly: over the first million steps the training return of MADDPG-3 rises less than that of MADDPG-1 in "
            "both games",
            tuple(message_sizes(environment, 1, 3, RISE, until(MILLION), "beginning") for environment in CN),
        ),
        Claim(
            "CTEDD-F4-3b",
            "“For example, on CN-V1 and CN-V2, MADDPG-3 improved slowly at the beginning but eventually surpassed "
            "MADDPG-1 in learning performance. This is easily understandable since” “this will enable agents to learn "
            "to cooperate more effectively at a later stage.”",
            PLACE,
            "eventually: at the end the training return of MADDPG-3 is above that of MADDPG-1 in both games",
            tuple(message_sizes(environment, 3, 1, FINAL, FINAL, "end") for environment in CN),
        ),
        Claim(
            "CTEDD-F4-4",
            "“exchanging more information among the learning agents can contribute positively to the final learning "
            "performance.”",
            PLACE,
            "can: in one game at least the training return of MADDPG-3 ends above that of MADDPG-1",
            tuple(message_sizes(environment, 3, 1, FINAL, FINAL, "end") for environment in ENVIRONMENTS),
            holds="some",
            lacks=LACKS_GAMES,
        ),
    ),
    budgets=ctedd.budgets(ctedd.QUICK_STEPS),
    decisions=ctedd.DECISIONS,
)
