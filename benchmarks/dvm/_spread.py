"""What Figures 4 and 5 have in common: the same four curves and sentences, with MADDPG and with MA-SAC."""

from __future__ import annotations

from typing import Any

from benchmarks import About, AboutEquals, Claim, Exceeds, Figure, Line, Panel, Row, Score, Share, dvm
from benchmarks._scores import Area, Window
from benchmarks.dvm import FINAL, HORIZON, SPREAD_AGENTS, Method, tested
from benchmarks.dvm._logs import at_the_end, logs

BASELINES: tuple[Method, ...] = ("No DVM", "Distillation", "Value Matching")
HELD = Window(0, 40 * HORIZON)  # before there is enough in replay to learn from
AFTER = Window(60 * HORIZON, 300 * HORIZON)


def figure(number: int, algorithm: Any, learner: str, title: str) -> Figure:
    """Figure 4 or 5."""

    def better(label: str, n_agents: int, left: Score, right: Score, about: About) -> Row:
        level = dvm.uniform_level(algorithm, n_agents)
        return Row(f"{n_agents} agents: {label}", left, right, Exceeds(Share(level)), about, "replicate")

    def cell(n_agents: int, method: Method) -> Any:
        return dvm.phase_two(algorithm, n_agents, method)

    best = tuple(
        Claim(
            f"DVM-F{number}-1-{n}",
            "",
            f"section V, on Figure {number}",
            f"with {n} agents DVM outperforms all baselines and converges to a better policy more quickly ({learner})",
            tuple(
                better(
                    f"DVM > {method}, {when}",
                    n,
                    tested(cell(n, "DVM"), part),
                    tested(cell(n, method), part),
                    "end",
                )
                for method in BASELINES
                for when, part in (("speed", Area()), ("end", FINAL))
            ),
        )
        for n in SPREAD_AGENTS
    )
    matching = Claim(
        f"DVM-F{number}-3",
        "“value matching alone performs quite well relative to DVM”",
        f"section V, on Figures 4 and 5; here Figure {number}",
        f"“value matching alone performs quite well relative to DVM” ({learner}): better than distillation alone and "
        "than neither",
        tuple(
            better(
                f"Value Matching > {method}, mean over Phase II",
                n,
                tested(cell(n, "Value Matching"), Area()),
                tested(cell(n, method), Area()),
                "end",
            )
            for n in SPREAD_AGENTS
            for method in ("Distillation", "No DVM")
        ),
    )
    own = _diverging(better, cell) if number == 4 else _marginal(algorithm, cell)
    return Figure(
        paper=dvm.PAPER,
        name=f"fig{number}",
        title=title,
        caption="Test return in Phase II, against episodes since the switch.",
        panels=tuple(
            Panel(
                f"{n} agents",
                tuple(Line(method, cell(n, method), dvm.TEST) for method in dvm.METHODS),
                "test return",
            )
            for n in SPREAD_AGENTS
        ),
        claims=(*best, own, matching),
        budgets=dvm.budgets(),
        decisions=dvm.decisions(algorithm),
        printed_band=dvm.PRINTED_BAND,
        logged=at_the_end() if number == 4 else (),
        about_logs=f"{logs()['what']} Source: {logs()['source']}." if number == 4 else "",
    )


def _diverging(better: Any, cell: Any) -> Claim:
    return Claim(
        "DVM-F4-2",
        "“Distillation alone fails to maintain the distilled policy as the critic causes the policy to diverge”",
        "section V, on Figure 4",
        "“Distillation alone fails to maintain the distilled policy as the critic causes the policy to diverge”",
        tuple(
            row
            for n in SPREAD_AGENTS
            for row in (
                better(
                    "Distillation, before learning goes on > after 60 to 300 episodes",
                    n,
                    tested(cell(n, "Distillation"), HELD),
                    tested(cell(n, "Distillation"), AFTER),
                    "beginning",
                ),
                better(
                    "DVM > Distillation, after 60 to 300 episodes",
                    n,
                    tested(cell(n, "DVM"), AFTER),
                    tested(cell(n, "Distillation"), AFTER),
                    "beginning",
                ),
            )
        ),
    )


def _marginal(algorithm: Any, cell: Any) -> Claim:
    return Claim(
        "DVM-F5-2",
        "“only marginally better than not distilling at all”",
        "section V, on Figure 5c",
        "with growing complexity distillation without matching is “only marginally better than not distilling at all”",
        (
            Row(
                "4 agents: Distillation ≈ No DVM, mean over Phase II",
                tested(cell(4, "Distillation"), Area()),
                tested(cell(4, "No DVM"), Area()),
                AboutEquals(Share(dvm.uniform_level(algorithm, 4))),
                "end",
            ),
        ),
        note="Marginal is read as a difference of less than a tenth of the range from random play to the better side.",
    )
