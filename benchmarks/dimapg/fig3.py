"""Figure 3: cooperative navigation with 3 and with 10 agents, what the agent gets that gets least."""

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Line, Panel, Row, Share, Statistic, dimapg
from benchmarks._scores import Area, Stretch, Window
from benchmarks.dimapg import (
    BASELINES,
    GAMES,
    HORIZON,
    LEARNERS,
    METHODS,
    chance_level,
    least,
    navigation,
)
from benchmarks.dimapg._measures import LEAST

LATE, LATER = Stretch(0.4, 0.6), Stretch(0.8, 1.0)
"""Before and after the 300 000 to 400 000 episodes after which slow methods converge: 200 000 to 300 000, 400 000 to
500 000 in profile `paper`."""

EARLY, SOON = Stretch(0.0, 0.2), Stretch(0.1, 0.2)
"""What quickly is read as: within 100 000 episodes, and from 50 000 to 100 000."""

FIRST = 16_000
"""Of DiMA-PG's 500 000 episodes in profile `paper` those that count if 25 of an iteration do, in round numbers."""


def outer(n_agents: int) -> int:
    """How many episodes DiMA-PG plays for each of the 25 of an iteration that θ alone plays."""
    algorithm, game = LEARNERS["DiMA-PG"], GAMES[n_agents]
    return int(algorithm.steps_per_iteration(game) // (algorithm.n_trajectories * HORIZON))


def first(n_episodes: int) -> Window:
    """Tests from the beginning of training."""
    return Window(0, n_episodes * HORIZON)


def beats(own: Statistic, others: Statistic) -> tuple[Row, ...]:
    """DiMA-PG against every baseline, with 10 agents."""
    return tuple(
        Row(
            f"10 agents: DiMA-PG > {method}",
            least(navigation("DiMA-PG", 10), own),
            least(navigation(method, 10), others),
            Exceeds(Share(chance_level(10))),
            "end",
            "replicate",
        )
        for method in BASELINES
    )


def panels(*, all_counted: bool) -> tuple[Panel, ...]:
    """Both games, with all episodes on the axis, or with 25 an iteration of DiMA-PG's."""
    return tuple(
        Panel(
            f"{n} agents" + ("" if all_counted else ", 25 an iteration"),
            tuple(
                Line(
                    method,
                    navigation(method, n),
                    LEAST,
                    share=1.0 if all_counted or method != "DiMA-PG" else 1 / outer(n),
                )
                for method in METHODS
            ),
            LEAST,
        )
        for n in GAMES
    )


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="fig3",
    title="Cooperative navigation with 3 and with 10 agents",
    caption="Return of the agent that gets least, actions drawn as in training. Above every episode counts that an "
    "algorithm plays, those in which DiMA-PG's agents adapt as well; below only the 25 of each of its iterations that "
    "all agents play with θ, as the paper may have counted. Curves that stop earlier have been trained for less.",
    panels=(*panels(all_counted=True), *panels(all_counted=False)),
    claims=(
        Claim(
            "DIMA-F3-1",
            "“performs very well and quickly converges”",
            "experiments, on Figure 3",
            "with 3 agents A3C-KitchenSink “performs very well and quickly converges”",
            tuple(
                Row(
                    f"3 agents, mean over training: A3C-KitchenSink > {method}",
                    least(navigation("A3C-KitchenSink", 3), Area()),
                    least(navigation(method, 3), Area()),
                    Exceeds(Share(chance_level(3))),
                    "end",
                    "replicate",
                )
                for method in ("MADDPG", "TRPO-KitchenSink")
            ),
        ),
        Claim(
            "DIMA-F3-2",
            "",
            "experiments, on Figure 3",
            "with 3 agents TRPO-KitchenSink and MADDPG do worse and converge after 300 000 to 400 000 episodes only",
            tuple(
                row
                for method in ("TRPO-KitchenSink", "MADDPG")
                for row in (
                    Row(
                        f"3 agents, mean over training: DiMA-PG > {method}",
                        least(navigation("DiMA-PG", 3), Area()),
                        least(navigation(method, 3), Area()),
                        Exceeds(Share(chance_level(3))),
                        "end",
                        "replicate",
                    ),
                    Row(
                        f"3 agents, {method}: after 400 000 episodes > after 200 000 to 300 000",
                        least(navigation(method, 3), LATER),
                        least(navigation(method, 3), LATE),
                        Exceeds(Share(chance_level(3))),
                        "end",
                        "replicate",
                    ),
                )
            ),
        ),
        Claim(
            "DIMA-F3-3",
            "",
            "experiments, on Figure 3",
            "with 10 agents only DiMA-PG learns quickly",
            beats(EARLY, EARLY),
            note="Quickly is read as the mean over the first fifth of training, 100 000 episodes, all of them counted.",
        ),
        Claim(
            "DIMA-F3-3-25",
            "",
            "experiments, on Figure 3",
            "with 10 agents only DiMA-PG learns quickly, if 25 episodes are counted of each of its iterations",
            beats(first(FIRST * outer(10)), first(FIRST)),
            note=f"The first {FIRST:,} counted episodes, in full {FIRST * outer(10):,} of DiMA-PG's: says what "
            f"{outer(10)} times as much experience is good for, not which method learns faster.",
        ),
        Claim(
            "DIMA-F3-4",
            "“converges quickly in both scenarios”",
            "experiments, on Figure 3",
            "DiMA-PG “converges quickly in both scenarios”",
            tuple(
                Row(
                    f"{n} agents: after 50 000 to 100 000 episodes ≈ after 400 000",
                    least(navigation("DiMA-PG", n), SOON),
                    least(navigation("DiMA-PG", n), LATER),
                    AboutEquals(Share(chance_level(n))),
                    "end",
                    "replicate",
                )
                for n in GAMES
            ),
        ),
    ),
    budgets=dimapg.budgets(),
    decisions=(*dimapg.DECISIONS, *dimapg.INCONSISTENCIES),
    printed_band=dimapg.PRINTED_BAND,
)
