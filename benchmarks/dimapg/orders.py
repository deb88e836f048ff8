"""Table 1 in the other order: the least of the agents' averages, beside the average of what the least gets."""

from dataclasses import replace

from benchmarks import Budget, Figure, dimapg
from benchmarks.dimapg import GAMES, HORIZON, N_SEEDS, QUICK_EPISODES
from benchmarks.dimapg._orders import orders_plate, tested, training

N_TESTS = {"smoke": 1, "quick": 4, "paper": 4}


def budgets() -> dict[str, dict[str, Budget]]:
    """What each profile runs. Who is tested has trained as long in all of them."""
    found: dict[str, dict[str, Budget]] = {}
    for profile, n_seeds in N_SEEDS.items():
        found[profile] = {}
        for method in ("DiMA-PG", "Fine Tune"):
            for n in GAMES:
                cell, trained = tested(method, n), training(method, n)
                n_steps = QUICK_EPISODES[method][n] * HORIZON
                found[profile][f"{trained.name} on {trained.environment}"] = Budget(n_seeds, n_steps)
                n_steps = N_TESTS[profile] * cell.evaluation.every
                found[profile][f"{cell.name} on {cell.environment}"] = Budget(n_seeds, n_steps)
    return found


FIGURE = Figure(
    paper=dimapg.PAPER,
    name="orders",
    title="Table 1: the average of the least, or the least of the averages?",
    caption="Those of Table 1 after training, tested again: what the agent gets that gets least, averaged over "
    "episodes, and the least of what the agents get on average. Not a figure of the paper.",
    pictured="The caption of Table 1 says “Min. reward across all agents after training (avg. over 100 episodes)”, and "
    "not which of the two comes first.",
    panels=(),
    plates=tuple(map(orders_plate, GAMES)),
    claims=(),
    budgets=budgets(),
    decisions=tuple(replace(decision, readings=()) for decision in dimapg.DECISIONS),
    family="decisions of this suite",
)
