"""Exploration before anything is learnt: what untrained policies are paid, and by how much more MACE than Cloned."""

from dataclasses import replace

from algorithms.untrained import Name, Untrained
from benchmarks import Budget, Cell, Claim, Decision, Figure, Metric, Multiple, Reading, Row, Score, mace
from benchmarks._judging.scores import Rate
from benchmarks.mace import CUMULATIVE, GAMES, MILLION, Game, cell, place, untrained
from benchmarks.mace._plates import Bar, RatePlate, named, untrained_bars
from results import published

LATENTS: tuple[Name, ...] = ("MACE", "MACE, λ kept")
STEADY = Rate(MILLION)
"""Nothing changes while untrained policies play: a rate needs no million samples."""


def as_printed(one: Game, latent: Name) -> Row:
    """Untrained MACE is paid at least as many times what untrained Cloned is as the paper prints of trained ones."""
    where, totals = place(*one), published("mace")["totals"]

    def paid(name: Name) -> Score:
        metric = Metric(f"{name}, untrained: {CUMULATIVE}", better="larger")
        return Score(untrained(*one), metric, STEADY)

    printed = totals["MACE"][where][1] / totals["Cloned"][where][1]
    return Row(f"{where}: {latent} > Cloned", paid(latent), paid("Cloned"), Multiple(printed), "structure")


def met(latent: Name, id_: str, when: str) -> Claim:
    """All printed ratios, with one reading of λ."""
    return Claim(
        id_,
        "",
        "our own, on Table 1",
        f"untrained MACE with λ {when} is paid at least as many times what untrained Cloned is as Table 1 prints of "
        "the trained ones after a million samples",
        tuple(as_printed(one, latent) for one in GAMES),
        kind="check",
        note="Ratios alone are comparable. Table 1's second halves pay MACE 1.42, 1.09, 0.97 and 0.86 times the first "
        "in Hare-Hunters, and 1.01, 1.03, 0.88 and 0.94 times in Stag-Hunters: its leads are there from the start.",
    )


def beginning(name: str, choice: str, reason: str, **settings: float | bool) -> Reading:
    """Untrained policies whose networks begin otherwise."""

    def under(of: Cell) -> Cell:
        if not isinstance(of.algorithm, Untrained):
            return of
        learner = replace(of.algorithm.learner, **settings)  # type: ignore[arg-type]
        return replace(of, algorithm=replace(of.algorithm, learner=learner))

    return Reading(name, choice, reason, under)


def longer(of: Cell) -> Cell:
    """Stag-Hunters with T = 2000."""
    return replace(of, env=replace(of.env, horizon=2_000)) if of.env.game == "Stag-Hunters" else of


def budgets() -> dict[str, dict[str, Budget]]:
    """Of untrained play and of random play."""
    sizes: dict[str, dict[str, Budget]] = {"smoke": {}, "quick": {}, "paper": {}}
    for one in GAMES:
        where = place(*one)
        sizes["smoke"][where] = Budget(2, 10_000)
        sizes["quick"][where] = Budget(10, 200_000)
        sizes["paper"][where] = Budget(10, MILLION)
    return sizes


FIGURE = Figure(
    paper=mace.PAPER,
    name="exploration",
    title="Untrained policies in Hare- and Stag-Hunters",
    caption="What policies are paid that are never trained, beside what Table 1 prints of trained ones.",
    panels=(),
    plates=tuple(
        RatePlate(
            named(one),
            place(*one),
            (*untrained_bars(one, printed=True), Bar("random walk", cell("random walk", *one), CUMULATIVE)),
        )
        for one in GAMES
    ),
    claims=(
        met("MACE", "MACE-X-1", "of every step"),
        met("MACE, λ kept", "MACE-X-1-kept", "kept for an episode"),
    ),
    budgets=budgets(),
    decisions=(
        Decision(
            "What is an untrained policy?",
            "The weights that each seed's training begins with, in as many copies of the game, sampled as in training; "
            "nothing is ever updated.",
            "The paper has no such line. It tells exploration from learning: what it is paid nobody has learnt.",
        ),
        Decision(
            mace.SCALE,
            "Xavier-uniform everywhere, the heads too.",
            "The paper does not say.",
            readings=(
                beginning(
                    "heads",
                    "Heads a hundredth as large.",
                    "So public implementations of the method that trains it begin: with next to no preference.",
                    head_scale=0.01,
                ),
                beginning(
                    "normalised",
                    "φ normalised: mean 0 and variance 1 over its 256 entries.",
                    "Whether features are normalised is not said, and it decides how strong preferences are.",
                    normalised=True,
                ),
            ),
        ),
        Decision(
            "How long is an episode of Stag-Hunters?",
            "T = 1000.",
            "So the caption of Figure 3; Table 1 prints no T.",
            readings=(
                Reading(
                    "longer",
                    "T = 2000, as in Hare-Hunters.",
                    "With T = 1000 the printed baselines, which are trained, are 0.80 to 1.12 times the random walk.",
                    under=longer,
                ),
            ),
        ),
        Decision(
            "Does the policy see the time?",
            "No.",
            "The paper's state is the grid, although pay comes at T.",
            readings=(
                beginning(
                    "time",
                    "t/T is a further input of φ.",
                    "A state from which the end follows holds the time.",
                    sees_time=True,
                ),
            ),
        ),
        replace(mace.LASTING, choice="For a step, and, beside it, for an episode.", readings=()),
        *(decision for decision in mace.DECISIONS if decision.question != mace.SCALE),
        *mace.INCONSISTENCIES,
    ),
)
