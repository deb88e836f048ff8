"""What Figures 4 and 5 have in common: the same four curves and sentences, with MADDPG and with MA-SAC."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks import AboutEquals, Claim, Exceeds, Figure, Level, Line, Margin, NoWorse, Panel, Row, Score, dvm
from benchmarks._judging.scores import Area, Fixed, InUnits, Window
from benchmarks.dvm import FINAL, HELD, HORIZON, SPREAD_AGENTS, Method, delta, learnt, levels, tested
from benchmarks.dvm._logs import at_the_end, logs

BASELINES: tuple[Method, ...] = ("No DVM", "Distillation", "Value Matching")
ALONE: tuple[Method, Method] = ("Distillation", "No DVM")
MERGED: tuple[Method, Method] = ("Value Matching", "Distillation")
AFTER = Window(60 * HORIZON, 300 * HORIZON)


def figure(number: int, algorithm: Any, learner: str, title: str) -> Figure:
    """Figure 4 or 5."""
    place = f"section V-B-1, on Figures 4 and 5; here Figure {number}, {learner}"
    marginal = _marginal(algorithm, place) if number == 5 else ()
    return Figure(
        paper=dvm.PAPER,
        name=f"fig{number}",
        title=title,
        caption="Test return in Phase II, against episodes since the switch.",
        pictured="Evaluation curves of Phase II of the spread domain with two, three and four agents, one panel each, "
        "of DVM and its three baselines. The text says that DVM converges to a better policy more quickly "
        "than all of them, that distillation alone does not hold its policy, and that value matching alone "
        "does quite well.",
        panels=tuple(
            Panel(
                f"{n} agents",
                tuple(Line(method, dvm.phase_two(algorithm, n, method), dvm.TEST) for method in dvm.METHODS),
                "test return",
                levels=(
                    Level("uniform play", levels(algorithm, n).uniform),
                    Level("straight to the landmarks", levels(algorithm, n).script),
                ),
            )
            for n in SPREAD_AGENTS
        ),
        claims=(
            *(_best(f"DVM-F{number}-1-{n}", algorithm, n, place) for n in SPREAD_AGENTS),
            _diverging("DVM-F4-2" if number == 4 else "DVM-F5-4", algorithm, place),
            *marginal,
            _matching(f"DVM-F{number}-3", algorithm, place),
            _critics("DVM-F4-4" if number == 4 else "DVM-F5-5", algorithm, place),
        ),
        budgets=dvm.budgets(),
        decisions=dvm.decisions(algorithm),
        printed_band=dvm.PRINTED_BAND,
        logged=at_the_end() if number == 4 else (),
        about_logs=f"{logs()['what']} Source: {logs()['source']}." if number == 4 else "",
    )


def _best(name: str, algorithm: Any, n_agents: int, place: str) -> Claim:
    panel = SPREAD_AGENTS.index(n_agents) + (1 if dvm.is_discrete(algorithm) else 4)
    ours = dvm.phase_two(algorithm, n_agents, "DVM")
    return Claim(
        name,
        "“We evaluated the performance of DVM with both a discrete action space using MADDPG (Figure 4) and a "
        "continuous action space using MA-SAC (Figure 5). DVM outperforms all baselines, converging to a better policy "
        "more quickly than the rest.”",
        f"{place}, panel {panel} of 6",
        f"with {n_agents} agents DVM is above each baseline at the end, a better policy, and in the mean over Phase "
        "II, more quickly",
        tuple(
            Row(
                f"{n_agents} agents: DVM > {method}, {when}",
                tested(ours, part),
                tested(dvm.phase_two(algorithm, n_agents, method), part),
                Exceeds(delta(algorithm, n_agents)),
                "end",
                learnt=learnt(algorithm, n_agents, ours, dvm.phase_two(algorithm, n_agents, method)),
            )
            for when, part in (("end", FINAL), ("speed", Area()))
            for method in BASELINES
        ),
        note=f"One sentence about six panels; this is panel {panel}.",
    )


def _diverging(name: str, algorithm: Any, place: str) -> Claim:
    return Claim(
        name,
        "“Distillation alone fails to maintain the distilled policy as the critic causes the policy to diverge.”",
        place,
        "once learning goes on, a team with distilled actors and old critics falls; with the same actors and matched "
        "critics less is lost",
        tuple(row for n in SPREAD_AGENTS for row in _lost(algorithm, n)),
    )


def _lost(algorithm: Any, n_agents: int) -> tuple[Row, ...]:
    """The policy was worth something, is lost, and is lost less with a matched critic; a game counts once for both."""
    alone, both = (dvm.phase_two(algorithm, n_agents, method) for method in ("Distillation", "DVM"))
    rule = Exceeds(delta(algorithm, n_agents))
    game = f"{n_agents} agents"
    phase_one = (dvm.phase_one_learnt(algorithm, n_agents),)
    return (
        Row(
            f"{n_agents} agents: Distillation, before learning goes on > after 60 to 300 episodes",
            tested(alone, HELD),
            tested(alone, AFTER),
            rule,
            "beginning",
            "replicate",
            phase_one,
            game,
        ),
        Row(
            f"{n_agents} agents: DVM > Distillation, after 60 to 300 episodes",
            tested(both, AFTER),
            tested(alone, AFTER),
            rule,
            "beginning",
            "replicate",
            learnt(algorithm, n_agents, both, alone),
            game,
        ),
        Row(
            f"{n_agents} agents: Distillation, before learning goes on > uniform play",
            tested(alone, HELD),
            tested(alone, Fixed(levels(algorithm, n_agents).uniform)),
            rule,
            "beginning",
            "necessary",
            phase_one,
        ),
    )


def _matching(name: str, algorithm: Any, place: str) -> Claim:
    def far(n_agents: int) -> Margin:
        return Margin(2 * levels(algorithm, n_agents).delta, "a fifth of the way from uniform play to a script")

    return Claim(
        name,
        "“Interestingly, value matching alone performs quite well relative to DVM.”",
        place,
        "quite well: in the mean over Phase II value matching alone loses less than a fifth of the way from uniform "
        "play to a script",
        tuple(
            Row(
                f"{n} agents: Value Matching not far below DVM, mean over Phase II",
                tested(dvm.phase_two(algorithm, n, "Value Matching"), Area()),
                tested(dvm.phase_two(algorithm, n, "DVM"), Area()),
                NoWorse(far(n)),
                "end",
                "replicate",
                learnt(algorithm, n, dvm.phase_two(algorithm, n, "DVM")),
            )
            for n in SPREAD_AGENTS
        ),
    )


def _critics(name: str, algorithm: Any, place: str) -> Claim:
    cells = {n: tuple(dvm.phase_two(algorithm, n, method) for method in MERGED) for n in SPREAD_AGENTS}
    return Claim(
        name,
        "“We hypothesize that, if the continuation of learning is necessary, updating the critic is far more important "
        "than distilling an actor.”",
        place,
        "in the mean over Phase II value matching alone is clearly better than distillation alone",
        tuple(
            Row(
                f"{n} agents: Value Matching > Distillation, mean over Phase II",
                tested(matched, Area()),
                tested(distilled, Area()),
                Exceeds(delta(algorithm, n)),
                "end",
                "replicate",
                learnt(algorithm, n, matched, distilled),
            )
            for n, (matched, distilled) in cells.items()
        ),
    )


def _advantage(algorithm: Any, n_agents: int) -> Score:
    """What distillation alone has over neither, seed by seed, of the way from uniform play to a script."""
    level = levels(algorithm, n_agents)
    part = InUnits(Area(), round(level.script - level.uniform, 1), "the way from uniform play to a script")
    distilled, neither = (tested(dvm.phase_two(algorithm, n_agents, method), part) for method in ALONE)
    return replace(distilled, less=neither)


def _marginal(algorithm: Any, place: str) -> tuple[Claim, ...]:
    distilled, neither = (dvm.phase_two(algorithm, 4, method) for method in ("Distillation", "No DVM"))
    both_learnt = (dvm.phase_two_learnt(algorithm, 4, cell) for cell in (distilled, neither))
    quote = (
        "“As the complexity increases, distillation without value matching does only marginally better than not” "
        "“distilling at all (Figure 5c).”"
    )
    return (
        Claim(
            "DVM-F5-2",
            quote,
            place,
            "only marginally: with 4 agents, in the mean over Phase II, the two differ by less than is of interest",
            (
                Row(
                    "4 agents: Distillation ≈ No DVM, mean over Phase II",
                    tested(distilled, Area()),
                    tested(neither, Area()),
                    AboutEquals(delta(algorithm, 4)),
                    "end",
                    learnt=(dvm.phase_one_learnt(algorithm, 4), *both_learnt),
                ),
            ),
            note="The sign of so small a difference is not judged.",
        ),
        Claim(
            "DVM-F5-2b",
            quote,
            place,
            "as the complexity increases: the advantage of distillation over neither, as a share of the way from "
            "uniform play to a script, is smaller with 4 agents than with 2",
            (
                Row(
                    "Distillation above No DVM, of the way to a script, mean over Phase II: 2 agents > 4 agents",
                    _advantage(algorithm, 2),
                    _advantage(algorithm, 4),
                    Exceeds(Margin(0.1, "a tenth of the way from uniform play to a script")),
                    "end",
                    learnt=(
                        *learnt(algorithm, 2, *(dvm.phase_two(algorithm, 2, method) for method in ALONE)),
                        *learnt(algorithm, 4, *(dvm.phase_two(algorithm, 4, method) for method in ALONE)),
                    ),
                ),
            ),
            note="Each seed's two conditions share their Phase I and are compared with each other before numbers of "
            "agents are. That the advantage falls with three agents too is not asked.",
        ),
    )
