"""What distillation alone is worth in Phase II of spread before anybody learns on. The paper draws no figure."""

from typing import Any

from benchmarks import Claim, Exceeds, Figure, Line, Panel, Row, dvm
from benchmarks.dvm import CONTINUOUS, DISCRETE, HELD, SPREAD_AGENTS, Method, delta, learnt, phase_two, tested

METHODS: tuple[Method, Method] = ("Distillation", "No DVM")
LEARNERS: tuple[tuple[str, Any], ...] = (("MADDPG", DISCRETE), ("MA-SAC", CONTINUOUS))
GAMES = tuple((learner, algorithm, n) for learner, algorithm in LEARNERS for n in SPREAD_AGENTS)

FIGURE = Figure(
    paper=dvm.PAPER,
    name="distilled",
    title="Phase II of spread with distilled policies and with those of Phase I",
    caption="Test return in Phase II, against episodes since the switch; learning begins after 40.",
    panels=tuple(
        Panel(
            f"{learner}, {n} agents",
            tuple(Line(method, phase_two(algorithm, n, method), dvm.TEST) for method in METHODS),
            "test return",
        )
        for learner, algorithm, n in GAMES
    ),
    claims=(
        Claim(
            "DVM-T-2",
            "“When agents have visited exclusively different regions of the state space (e.g., our simple spread "
            "domain in Figure 2), distillation acts as a sum operation by merging information from all agents.” “This "
            "allows agents to utilize new information that might have been distilled from other agents.”",
            "section III-A",
            "from starts that no agent knows but a colleague does, the distilled team is better than the old one "
            "before anybody learns on",
            tuple(
                Row(
                    f"{learner}, {n} agents: Distillation > No DVM, before learning goes on",
                    tested(phase_two(algorithm, n, "Distillation"), HELD),
                    tested(phase_two(algorithm, n, "No DVM"), HELD),
                    Exceeds(delta(algorithm, n)),
                    "beginning",
                    "replicate",
                    learnt(algorithm, n, *(phase_two(algorithm, n, method) for method in METHODS)),
                )
                for learner, algorithm, n in GAMES
            ),
        ),
    ),
    budgets=dvm.budgets(),
    decisions=(
        *(decision for decision in dvm.SPREAD_DECISIONS if decision is not dvm.ORDERS),
        dvm.EXPLORATION,
        *dvm.MASAC_DECISIONS,
    ),
    printed_band=dvm.PRINTED_BAND,
)
