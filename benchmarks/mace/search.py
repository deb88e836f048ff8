"""The random search of Table 2, by decades of η: every run draws a configuration, and the paper shows the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from algorithms.mace import MACE, RANGES
from benchmarks import Budget, Cell, Claim, Decision, Exceeds, Figure, Floats, Row, mace
from benchmarks._judging.scores import Rate
from benchmarks.mace import BASELINES, CUMULATIVE, MILLION, Kind, Method, Totals, cell, of_interest, paid, place
from benchmarks.mace._plates import COLOURS
from results import Run

GAME: tuple[Kind, int, bool] = ("stag", 10, False)
PLACE = place(*GAME)
SEARCH = f"{PLACE}-search"
SEARCHED: tuple[Method, ...] = ("MACE", *BASELINES)
N_BEST = 5
RATE = Rate(MILLION)
CHANCE = cell("random walk", *GAME)


STRATA = (-6, -5, -4, -3, -2)
"""η lies between 10ᵏ and ten times that."""


def searched(method: Method, stratum: int) -> Cell:
    """A method with a configuration of its own in every run; run s has the same whatever the method."""
    assert method != "random walk"
    algorithm = MACE(policy=method, search=True, slowest=10.0**stratum, fastest=10.0 ** (stratum + 1))
    where = f"{SEARCH}{stratum}"
    return replace(cell(method, *GAME), environment=where, algorithm=algorithm, measure=Totals())


def by_method(runs: Sequence[Mapping[int, Run]]) -> list[dict[int, Run]]:
    """The runs of a method in all strata, one after the other; those of random play last."""
    n = len(STRATA)
    groups = [runs[k * n : (k + 1) * n] for k in range(len(SEARCHED))]
    merged = [[run for stratum in group for run in stratum.values()] for group in (*groups, runs[-1:])]
    return [dict(enumerate(group)) for group in merged]


def stratum_words(stratum: int) -> str:
    """η in words."""
    return f"η from 10^{stratum} to 10^{stratum + 1}"


def ranked(runs: Mapping[int, Run]) -> Floats:
    """What all runs have been paid over time, the best at the end first, those that have diverged last.

    Shapes: [n, N].
    """
    curves = np.stack([run.metrics[CUMULATIVE] for run in runs.values()]).astype(np.float64)
    ranked: Floats = curves[np.argsort(-np.nan_to_num(curves[:, -1], nan=-np.inf), kind="stable")]
    return ranked


@dataclass(frozen=True)
class BestPlate:
    """The best five runs of every method as the paper draws them."""

    title: str = "The best 5 runs"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every method, and chance."""
        return (*(searched(method, stratum) for method in SEARCHED for stratum in STRATA), CHANCE)

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Left: mean of the runs that are paid most at the end, shaded from the lowest to the highest of them; the "
            "best of many favour the method whose runs vary most."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Curves with their range; of chance the mean of all."""
        for method, of_method in zip((*SEARCHED, "random walk"), by_method(runs), strict=True):
            steps = np.append(0.0, next(iter(of_method.values())).steps / 1000)
            curves = ranked(of_method)[: None if method == "random walk" else N_BEST]
            curves = np.pad(curves, ((0, 0), (1, 0)))  # nothing is paid before the first step
            ls = "--" if method == "random walk" else "-"
            ax.plot(steps, curves.mean(axis=0), color=COLOURS[method], lw=1.6, ls=ls, label=method)
            if ls == "-":
                ax.fill_between(steps, curves.min(axis=0), curves.max(axis=0), color=COLOURS[method], alpha=0.16, lw=0)
        ax.set(xlabel="samples (thousands)", ylabel=CUMULATIVE)
        ax.set_xlim(left=0)
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False, loc="upper left")


@dataclass(frozen=True)
class RunsPlate:
    """What every run of every method has been paid."""

    title: str = "All runs, by learning rate"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """As the other plate."""
        return BestPlate().cells

    @property
    def words(self) -> str:
        """How it is to be read."""
        return (
            "Right: every run at the end, filled where it is among the best 5 of its method; lines: means of the runs "
            "that have not diverged; crosses at the bottom: those that have."
        )

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Dots over η; methods of one configuration a little apart."""
        for k, (method, of_method) in enumerate(zip(SEARCHED, by_method(runs), strict=False)):
            every = list(of_method.values())
            rate = np.array([run.metrics["drawn learning_rate"][-1] for run in every]) * 10 ** (0.06 * (k - 1))
            total = np.array([run.metrics[CUMULATIVE][-1] for run in every], dtype=np.float64)
            known, colour = np.isfinite(total), COLOURS[method]
            best = known & (total >= ranked(of_method)[:N_BEST, -1][-1])
            ax.plot(rate[known], total[known], "o", mfc="none", mec=colour, ms=5)
            ax.plot(rate[best], total[best], "o", color=colour, ms=5, label=method)
            at_the_bottom = np.zeros((~known).sum())
            ax.plot(rate[~known], at_the_bottom, "x", color=colour, ms=5, transform=ax.get_xaxis_transform())
            ax.axhline(total[known].mean() if known.any() else np.nan, color=colour, lw=1.0)
        chance = np.mean([run.metrics[CUMULATIVE][-1] for run in runs[-1].values()])
        ax.axhline(chance, color=COLOURS["random walk"], lw=1.0, ls="--")
        low, high = RANGES["learning_rate"]
        ax.set(xscale="log", xlim=(low / 2, 2 * high), xlabel="learning rate η", ylabel=CUMULATIVE)


FIGURE = Figure(
    paper=mace.PAPER,
    name="search",
    title="Random search over hyper-parameters (Stag-Hunters, 10 against 10, frozen)",
    caption="Each run has hyper-parameters drawn from the ranges of Table 2: the best five as in Figure 3, and all.",
    panels=(),
    plates=(BestPlate(), RunsPlate()),
    claims=(
        Claim(
            "MACE-S-1",
            "",
            "our own, on Figure 3, Table 1 and Table 2",
            "with hyper-parameters drawn from the same ranges, in each decade of η MACE is paid more than Cloned and "
            "than Shared",
            tuple(
                Row(
                    f"{stratum_words(stratum)}: MACE > {method}",
                    paid(searched("MACE", stratum), RATE),
                    paid(searched(method, stratum), RATE),
                    Exceeds(of_interest("stag", PLACE, 10, MILLION)),
                    "beginning",
                )
                for stratum in STRATA
                for method in BASELINES
            ),
            kind="check",
            note="All runs are compared, a draw of hyper-parameters being part of a run. The best five, which the "
            "paper reports, are shown and not tested. Nobody is asked to have learnt: what is compared is what is "
            "paid, by exploration too.",
        ),
        Claim(
            "MACE-S-2",
            "",
            "our own, on Table 2",
            "with η above 0.01 every method is paid less than random play",
            tuple(
                Row(
                    f"{stratum_words(STRATA[-1])}: random walk > {method}",
                    paid(CHANCE, RATE),
                    paid(searched(method, STRATA[-1]), RATE),
                    Exceeds(of_interest("stag", PLACE, 10, MILLION)),
                    "beginning",
                )
                for method in SEARCHED
            ),
            kind="check",
        ),
    ),
    budgets={
        profile: {f"random walk on {PLACE}": by_chance, **{f"{SEARCH}{stratum}": size for stratum in STRATA}}
        for profile, by_chance, size in (
            ("smoke", Budget(2, 10_000), Budget(2, 10_000)),
            ("quick", Budget(6, 200_000), Budget(6, 200_000)),
            ("paper", Budget(10, 200_000), Budget(6, 200_000)),
        )
    },
    decisions=(
        Decision(
            "What does a run draw?",
            "η log-uniformly within its decade, six runs in each of the five; γ, τ, α and β uniformly from the ranges "
            "of Table 2, the weight of the KL term from 0.001 to 0.01. Run s has the same hyper-parameters with every "
            "method, and in every decade but for η.",
            "The paper prints ranges and no distribution, and none for the KL term.",
        ),
        Decision(
            "Are the best five compared?",
            "No. They are drawn as in the paper, with their mean, lowest and highest; all runs are compared.",
            "The paper shows the best five of each method. Those are no independent runs: the mean of the best five "
            "grows with the spread of a method as well as with its mean, and their own spread says little about how "
            "another search would end. Whoever takes the best five of a method must have searched, and pays for all "
            "runs.",
            departs=True,
        ),
        Decision(
            "How many configurations?",
            "30 for each method, to 200 000 samples. Random play is read up to there, too, for what is not over when "
            "a run ends is not paid: after a million samples its rate is higher by 6 %.",
            "The paper does not say how many. Strata cover five decades with few draws; four in each could not refute "
            "MACE-S-1, whose ten comparisons are corrected for one another. How fast a method is paid shows after "
            "200 000 samples; a million would take five times as long, for a game in which nobody learns.",
        ),
        Decision(
            "Which game?",
            "Stag-Hunters, 10 against 10, frozen.",
            "It pays in nearly every episode, so that a run tells configurations apart by more than luck; its printed "
            "gap is more than a fifth. All eight games would be 480 runs.",
            departs=True,
        ),
        *(
            decision
            for decision in mace.DECISIONS
            if decision.question not in ("Which hyper-parameters?", mace.TRAINING)
        ),
    ),
    family="random search",
)
