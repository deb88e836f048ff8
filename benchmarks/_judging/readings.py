"""How a verdict moves with what the paper leaves open: every reading of a claim, judged as the claim itself is.

Two kinds. A *reading of the paper* (`benchmarks.Reading`) has other cells, which must be trained. An *analysis* reads
the same runs otherwise: it follows from the rules and statistics of a claim, and costs no training.

In both, all claims of the paper are judged anew, those that a reading does not concern as they are by default: the
family keeps its size.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

from benchmarks import Claim, Figure, Margin, Outcome, Printed, PrintedTime, Row, Share, Shorter, Verdict, mapped
from benchmarks._judging.scores import EpisodesTo, Final, Stretch, Window
from benchmarks._judging.statistics import ALPHA


class Judge(Protocol):
    """Gives the verdicts on the claims of some figures by their ids; `alpha` is the largest p that decides."""

    def __call__(
        self, paper: Sequence[Figure], alpha: float = ALPHA, wanted: Container[str] | None = None, /
    ) -> dict[str, Verdict]:
        """Of a paper, whose claims are corrected for one another; all of them, or those that are `wanted`."""


def unchanged(part: Any) -> Any:
    """Every part of a claim as it is."""
    return part


@dataclass(frozen=True)
class Analysis:
    """Another way to read the same runs; `change` maps a part of a claim to what stands there instead."""

    name: str
    question: str
    choice: str
    change: Callable[[Any], Any] = unchanged
    alpha: float = ALPHA

    def of(self, figure: Figure) -> Figure:
        """The figure with its claims read this way, under ids of their own; what cannot be judged yet has no rows."""
        return figure.once(self, lambda: self._of(figure))

    def _of(self, figure: Figure) -> Figure:
        judged = tuple(replace(claim, rows=()) if claim.lacks else claim for claim in figure.claims)
        claims: tuple[Claim, ...] = judged if self.change is unchanged else mapped(judged, self.change)
        return replace(figure, claims=tuple(replace(claim, id=f"{claim.id}~{self.name}") for claim in claims))

    def concerns(self, claim: Claim, read: Claim) -> bool:
        """Whether a claim that can be judged is another one when `read` this way."""
        return bool(claim.rows) and not claim.lacks and (self.alpha != ALPHA or read.rows != claim.rows)


def window(factor: float) -> Callable[[Any], Any]:
    """Every stretch of a curve that is averaged made longer or shorter; it ends where it did."""

    def change(part: Any) -> Any:
        match part:
            case Final(window=n):
                return replace(part, window=max(round(n * factor), 1))
            case EpisodesTo(smooth=n):
                return replace(part, smooth=max(round(n * factor), 1))
            case Window(first=first, last=last):
                return replace(part, first=max(round(last - factor * (last - first)), 0))
            case Stretch(first=first, last=last):
                return replace(part, first=max(last - factor * (last - first), 0.0))
        return part

    return change


def delta(factor: float) -> Callable[[Any], Any]:
    """The smallest difference of interest made larger or smaller, and so the tolerance of a number."""

    def change(part: Any) -> Any:
        match part:
            case Share(share=share):
                return replace(part, share=share * factor)
            case Margin(value=value):
                return replace(part, value=value * factor)
            case Shorter(ratio=None, smallest=smallest):
                return replace(part, smallest=1 + (smallest - 1) * factor)
            case Printed(tolerance=tolerance):
                return replace(part, tolerance=tolerance * factor)
            case PrintedTime(factor=within):
                return replace(part, factor=1 + (within - 1) * factor)
        return part

    return change


def level(share: float) -> Callable[[Any], Any]:
    """The level that a curve is to reach set higher by a share of its size, or lower."""

    def change(part: Any) -> Any:
        if isinstance(part, EpisodesTo):
            return replace(part, threshold=part.threshold + share * abs(part.threshold))
        return part

    return change


def taught(part: Any) -> Any:
    """Only those seeds whose own teachers had learnt."""
    return replace(part, seeds="taught") if isinstance(part, Row) and part.of_teachers else part


def even(part: Any) -> Any:
    """The right side after as many updates as the left has made, also where it is asked whether it has learnt."""
    if not isinstance(part, Row) or part.even is None:
        return part
    right, other = part.right, part.even
    return replace(mapped(part, lambda of: other if of == right else of), even=None)


WINDOW = "Over how much of a curve is averaged?"
DELTA = "What is the smallest difference of interest?"
LEVEL = "Which level counts as reached?"
SEEDS = "Which seeds are compared?"
UPDATES = "After how much training are two compared?"
CHANCE = "How likely may a verdict be by chance?"
ANALYSES = (
    Analysis("short-window", WINDOW, "half as much", window(0.5)),
    Analysis("long-window", WINDOW, "twice as much", window(2.0)),
    Analysis("small-delta", DELTA, "half of it", delta(0.5)),
    Analysis("large-delta", DELTA, "twice as much", delta(2.0)),
    Analysis("low-level", LEVEL, "one lower by 2.5 %", level(-0.025)),
    Analysis("high-level", LEVEL, "one higher by 2.5 %", level(0.025)),
    Analysis("taught-seeds", SEEDS, "those whose own teachers had learnt, at least six or all", taught),
    Analysis("equal-updates", UPDATES, "as many updates of both, where as many episodes make unlike many", even),
    Analysis("strict", CHANCE, "1 %", alpha=0.01),
    Analysis("lenient", CHANCE, "10 %", alpha=0.1),
)
"""Fixed before any result: what most often moves a verdict, by a factor of two to both sides."""


class Read(NamedTuple):
    """A claim under one reading; by default `name` is empty."""

    name: str
    kind: Literal["default", "analysis", "paper"]
    question: str
    choice: str
    verdict: Verdict


def family(paper: Iterable[Figure], name: str, shown: Iterable[Figure] = ()) -> list[Figure]:
    """The figures of a paper, those under a reading that have it; what is `shown` under it stands for itself."""
    there = {(figure.paper.name, figure.name): figure for figure in shown}
    read = [figure.under(name) if name in figure.readings else figure for figure in paper]
    return [there.get((figure.paper.name, figure.name), figure) for figure in read]


def verdicts_of(shown: Iterable[Figure], every: Sequence[Figure], judge: Judge) -> dict[str, Verdict]:
    """The verdicts on the claims of some figures, each under the reading that it is shown under; `every` figure of
    their papers is judged with it."""
    found: dict[str, Verdict] = {}
    for name, figures in grouped(shown).items():
        judged = judge(family(every, name, figures))
        found |= {claim.id: judged[claim.id] for figure in figures for claim in figure.claims}
    return found


def grouped(shown: Iterable[Figure]) -> dict[str, list[Figure]]:
    """Figures by the reading that they are shown under."""
    found: dict[str, list[Figure]] = {}
    for figure in shown:
        found.setdefault(figure.reading, []).append(figure)
    return found


def readings_of(
    paper: Sequence[Figure], judge: Judge, wanted: Container[str] | None = None
) -> dict[str, tuple[Read, ...]]:
    """Every claim of a paper, or those that are `wanted`, under every reading that concerns it, by its id; its default
    first.

    `judge` gives the verdicts of the figures of a paper, by the claims' ids.
    """
    default = judge(paper, ALPHA, wanted)
    found = {id_: [Read("", "default", "", "", verdict)] for id_, verdict in default.items()}
    claims = [claim for figure in paper for claim in figure.claims]
    for analysis in ANALYSES:
        others = [analysis.of(figure) for figure in paper]
        read = [claim for figure in others for claim in figure.claims]
        both = [(claim, other) for claim, other in zip(claims, read, strict=True) if claim.id in found]
        concerned = {other.id: claim.id for claim, other in both if analysis.concerns(claim, other)}
        judged = judge(others, analysis.alpha, concerned) if concerned else {}
        for id_, verdict in judged.items():
            choice = analysis.question, analysis.choice
            found[concerned[id_]].append(Read(analysis.name, "analysis", *choice, verdict))
    for name, figures in by_reading(paper).items():
        asked = {f"{claim.id}@{name}": (figure, claim) for figure in figures for claim in figure.claims}
        concerned = {id_: claim.id for id_, (_, claim) in asked.items() if claim.id in found}
        judged = judge(family(paper, name), ALPHA, concerned) if concerned else {}
        for id_, verdict in judged.items():
            decision, reading = asked[id_][0].readings[name]
            found[concerned[id_]].append(Read(name, "paper", decision.question, reading.choice, verdict))
    return {id_: tuple(reads) for id_, reads in found.items()}


def by_reading(paper: Iterable[Figure]) -> dict[str, list[Figure]]:
    """The figures of a paper that have a reading, by its name."""
    found: dict[str, list[Figure]] = {}
    for figure in paper:
        for name in figure.readings:
            found.setdefault(name, []).append(figure)
    return found


OPEN: tuple[Outcome, ...] = ("INCOMPLETE", "NOT ASSESSED", "UNTESTABLE", "INVALID")
"""Outcomes that say nothing of a claim."""


class Robustness(NamedTuple):
    """In how many of the readings that could be judged a claim comes to what it comes to by default.

    `questions` are those whose other answers change the verdict, and `waiting` readings have not been run.
    """

    same: int
    judged: int
    waiting: int
    questions: tuple[str, ...]

    @property
    def word(self) -> str:
        """Robust, fragile, or what it hangs on; empty where no other reading could be judged."""
        if self.judged <= 1:
            return ""
        if not self.questions:
            return "robust"
        return "hangs on one decision" if len(self.questions) == 1 else "fragile"


def robustness(reads: Sequence[Read]) -> Robustness:
    """How a verdict fares under its readings, the default first. Where that says nothing, nothing is counted."""
    default = reads[0].verdict.outcome
    if default in OPEN:
        return Robustness(0, 0, 0, ())
    judged = [read for read in reads if read.verdict.outcome not in OPEN]
    other = [read for read in judged if read.verdict.outcome != default]
    questions = tuple(dict.fromkeys(read.question for read in other))
    return Robustness(len(judged) - len(other), len(judged), len(reads) - len(judged), questions)
