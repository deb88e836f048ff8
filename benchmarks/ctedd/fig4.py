"""Figure 4: learning performance in four environments, exploration included."""

from benchmarks import About, Claim, Exceeds, Figure, Line, Panel, Row, Share, Statistic, ctedd
from benchmarks.ctedd import BEGINNING, ENVIRONMENTS, FINAL, trained, uniform_level

CN = ("CN-V1", "CN-V2")


def beats_maddpg(environment: str, statistic: Statistic, about: About) -> tuple[Row, ...]:
    """CTEDD against both baselines."""
    return tuple(
        Row(
            f"{environment}: CTEDD > MADDPG-{size}",
            trained(ctedd.ctedd(environment), statistic),
            trained(ctedd.maddpg(environment, size), statistic),
            Exceeds(Share(uniform_level(environment))),
            about,
            "replicate",
        )
        for size in (1, 3)
    )


def message_sizes(environment: str, better: int, worse: int, statistic: Statistic, about: About) -> Row:
    """One baseline against the other."""
    return Row(
        f"{environment}: MADDPG-{better} > MADDPG-{worse}",
        trained(ctedd.maddpg(environment, better), statistic),
        trained(ctedd.maddpg(environment, worse), statistic),
        Exceeds(Share(uniform_level(environment))),
        about,
        "replicate",
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
            "“CTEDD consistently outperformed MADDPG-1 and MADDPG-3 on all environments”",
            tuple(row for environment in ENVIRONMENTS for row in beats_maddpg(environment, FINAL, "end")),
        ),
        Claim(
            "CTEDD-F4-2",
            "“can clearly learn faster”",
            "section 5, on Figure 4",
            "CTEDD “can clearly learn faster”",
            tuple(row for environment in ENVIRONMENTS for row in beats_maddpg(environment, BEGINNING, "beginning")),
            note="Speed is judged by the mean return over the first million steps, which needs no threshold.",
        ),
        Claim(
            "CTEDD-F4-3a",
            "“on CN-V1 and CN-V2, MADDPG-3 improved slowly at the beginning”",
            "section 5, on Figure 4",
            "“on CN-V1 and CN-V2, MADDPG-3 improved slowly at the beginning”",
            tuple(message_sizes(environment, 1, 3, BEGINNING, "beginning") for environment in CN),
        ),
        Claim(
            "CTEDD-F4-3b",
            "“eventually surpassed MADDPG-1”",
            "section 5, on Figure 4",
            "on CN-V1 and CN-V2, MADDPG-3 “eventually surpassed MADDPG-1”",
            tuple(message_sizes(environment, 3, 1, FINAL, "end") for environment in CN),
        ),
        Claim(
            "CTEDD-F4-4",
            "“can contribute positively to the final learning performance”",
            "section 5, on Figure 4",
            "exchanging more information “can contribute positively to the final learning performance”",
            tuple(message_sizes(environment, 3, 1, FINAL, "end") for environment in ENVIRONMENTS),
        ),
    ),
    budgets=ctedd.budgets(ctedd.QUICK_STEPS),
    decisions=ctedd.DECISIONS,
)
