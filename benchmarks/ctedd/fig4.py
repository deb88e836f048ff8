"""Figure 4: learning performance in four environments, exploration included."""

from benchmarks import Claim, Figure, Line, Outperforms, Panel, Row, Statistic, ctedd
from benchmarks.ctedd import BEGINNING, ENVIRONMENTS, FINAL, trained, uniform_level

CN = ("CN-V1", "CN-V2")


def beats_maddpg(environment: str, statistic: Statistic) -> tuple[Row, ...]:
    """CTEDD against both baselines."""
    return tuple(
        Row(
            f"{environment}: CTEDD > MADDPG-{size}",
            trained(ctedd.ctedd(environment), statistic),
            trained(ctedd.maddpg(environment, size), statistic),
            Outperforms(reference=uniform_level(environment)),
        )
        for size in (1, 3)
    )


def message_sizes(environment: str, better: int, worse: int, statistic: Statistic) -> Row:
    """One baseline against the other."""
    return Row(
        f"{environment}: MADDPG-{better} > MADDPG-{worse}",
        trained(ctedd.maddpg(environment, better), statistic),
        trained(ctedd.maddpg(environment, worse), statistic),
        Outperforms(reference=uniform_level(environment)),
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
            "“CTEDD consistently outperformed MADDPG-1 and MADDPG-3 on all environments”",
            "section 5, on Figure 4",
            tuple(row for environment in ENVIRONMENTS for row in beats_maddpg(environment, FINAL)),
        ),
        Claim(
            "CTEDD-F4-2",
            "CTEDD “can clearly learn faster”",
            "section 5, on Figure 4",
            tuple(row for environment in ENVIRONMENTS for row in beats_maddpg(environment, BEGINNING)),
            about="beginning",
            note="Speed is judged by the mean return over the first million steps, which needs no threshold.",
        ),
        Claim(
            "CTEDD-F4-3a",
            "“on CN-V1 and CN-V2, MADDPG-3 improved slowly at the beginning”",
            "section 5, on Figure 4",
            tuple(message_sizes(environment, 1, 3, BEGINNING) for environment in CN),
            about="beginning",
        ),
        Claim(
            "CTEDD-F4-3b",
            "on CN-V1 and CN-V2, MADDPG-3 “eventually surpassed MADDPG-1”",
            "section 5, on Figure 4",
            tuple(message_sizes(environment, 3, 1, FINAL) for environment in CN),
        ),
        Claim(
            "CTEDD-F4-4",
            "exchanging more information “can contribute positively to the final learning performance”",
            "section 5, on Figure 4",
            tuple(message_sizes(environment, 3, 1, FINAL) for environment in ENVIRONMENTS),
        ),
    ),
    budgets=ctedd.budgets(ctedd.QUICK_STEPS),
    decisions=ctedd.DECISIONS,
)
