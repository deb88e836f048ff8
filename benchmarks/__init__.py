"""What is claimed: the papers as data.

A figure or table is one file with one `FIGURE`: the curves it needs, the sentences that the paper says about them, how
it was drawn, and where we depart from it. Everything else is shared machinery.

    Figure → Cells → missing seeds → train · evaluate → Run per seed → Store → per-seed scores → Claim → Verdict → page
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from results import Run

Floats = NDArray[np.float64]

PROFILES = ("smoke", "quick", "paper")


@dataclass(frozen=True)
class Paper:
    """A publication that is re-implemented here."""

    name: str
    title: str
    authors: str
    venue: str
    summary: str


@dataclass(frozen=True)
class Budget:
    """How much of the paper's protocol a profile runs. Not part of a cell's key: a larger budget extends a smaller one.

    Units: `n_steps` are environment steps per seed, over all copies.
    """

    n_seeds: int
    n_steps: int


@dataclass(frozen=True)
class Evaluation:
    """Tests of the greedy policies, on fresh episodes that training never sees.

    Units: `every` in environment steps per seed; `n_episodes` per test and seed, 0 where only what training itself
    measures is recorded. The score of an episode is the sum over its steps and over all agents of the reward.
    """

    every: int
    n_episodes: int


class Measured(NamedTuple):
    """What a measure has found. Shapes: every metric [S], every array [S, ...]."""

    metrics: Mapping[str, Tensor]
    arrays: Mapping[str, Tensor]


class Measure(Protocol):
    """What a test looks at beside the return; it changes nothing. Implementations are frozen dataclasses."""

    version: ClassVar[int]
    """Raised when, and only when, the same call returns other numbers: it is part of the cell's key."""

    @property
    def metrics(self) -> Mapping[str, str]:
        """Further curves: their names, and their units in words."""

    arrays: ClassVar[Mapping[str, str]]
    """What is only looked at (maps, codes, snapshots): names, and what they are in words. The last test's are kept."""

    def __call__(self, algorithm: Any, env: Any, learner: Any, streams: Any) -> Measured:
        """All that is announced, without gradients. A seed draws from its own stream and depends on no other."""


@dataclass(frozen=True)
class Start:
    """Where a cell begins: the learners of other cells, each as it stood after so many steps, and what is made of them.

    `transfer` is a frozen dataclass with a `version`, called as `transfer(algorithm, env, learner, teachers)`. The
    learner, a fresh state of the algorithm in the environment, is changed in place, with draws from its own streams;
    `teachers` holds one `(env, state)` a teacher, in order. Seed s of the cell starts from seed s of every teacher.

    Units: environment steps per seed, at the end of an iteration of the teacher's.
    """

    teachers: tuple[tuple[Cell, int], ...]
    transfer: Any

    @property
    def settings(self) -> dict[str, Any]:
        """All that the beginning depends on, in full, as JSON values."""
        teachers = [{"settings": teacher.settings, "steps": steps} for teacher, steps in self.teachers]
        return {"transfer": described(self.transfer), "teachers": teachers}

    @property
    def distinctive(self) -> dict[str, Any]:
        """What a cell's digest is made of."""
        teachers = [[teacher.key, steps] for teacher, steps in self.teachers]
        return {"transfer": described(self.transfer, only_distinctive=True), "teachers": teachers}


@dataclass(frozen=True)
class Cell:
    """One algorithm in one environment, tested in one way: what a seed is run of.

    `environment` is the name under which the paper knows the game ("CN-V1"). Without a `start` it begins afresh. The
    `measure` looks at the learner at every test.

    Raises: ValueError where it starts from a cell on another class of devices.
    """

    name: str
    environment: str
    algorithm: Any  # algorithms.Algorithm
    env: Any  # environments.Env
    evaluation: Evaluation
    device: Literal["cpu", "cuda"] = "cpu"  # a class of devices; their numbers differ in the last bits
    start: Start | None = None
    measure: Measure | None = None

    def __post_init__(self) -> None:
        for teacher, _ in self.teachers:
            if teacher.device != self.device:
                raise ValueError(f"{self.name} on {self.device} must start from cells there, not on {teacher.device}")

    @property
    def teachers(self) -> tuple[tuple[Cell, int], ...]:
        """The cells that it starts from, and after how many steps each."""
        return () if self.start is None else self.start.teachers

    def on(self, device: Literal["cpu", "cuda"]) -> Cell:
        """The same cell, and all that it starts from, on a class of devices."""
        teachers = tuple((teacher.on(device), steps) for teacher, steps in self.teachers)
        start = None if self.start is None else replace(self.start, teachers=teachers)
        return replace(self, device=device, start=start)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """All that the numbers depend on, in full, as JSON values."""
        settings = {
            "algorithm": described(self.algorithm),
            "environment": described(self.env),
            "evaluation": described(self.evaluation),
            "dtype": "float32",
            "device": self.device,
        }
        if self.start is not None:
            settings["start"] = self.start.settings
        if self.measure is not None:
            settings["measure"] = described(self.measure)
        return settings

    @cached_property
    def key(self) -> str:
        """`<algorithm>/<environment>/<digest>`: where the results of this cell lie.

        Fields at their default stay out of the digest, so that a field added later leaves older results where they are;
        the store compares the settings in full and refuses a result whose settings differ.
        """
        distinctive = {
            "algorithm": described(self.algorithm, only_distinctive=True),
            "environment": described(self.env, only_distinctive=True),
            "evaluation": described(self.evaluation, only_distinctive=True),
            "dtype": "float32",
            "device": self.device,
        }
        if self.start is not None:
            distinctive["start"] = self.start.distinctive
        if self.measure is not None:
            distinctive["measure"] = described(self.measure, only_distinctive=True)
        digest = hashlib.sha256(json.dumps(distinctive, sort_keys=True).encode()).hexdigest()[:12]
        return f"{type(self.algorithm).__name__}/{self.environment}/{digest}"


def lineage(cell: Cell) -> tuple[Cell, ...]:
    """All that a cell starts from, teachers before those that start from them, and the cell itself last."""
    return (*(older for teacher, _ in cell.teachers for older in lineage(teacher)), cell)


def described(thing: Any, *, only_distinctive: bool = False) -> Any:
    """A frozen dataclass (nested, with tuples) as JSON values, with its class and `version`.

    Raises: TypeError where a field is of a kind that JSON cannot hold.
    """
    if is_dataclass(thing) and not isinstance(thing, type):
        shown = {
            item.name: described(getattr(thing, item.name), only_distinctive=only_distinctive)
            for item in fields(thing)
            if not (only_distinctive and item.default is not MISSING and getattr(thing, item.name) == item.default)
        }
        return {"class": type(thing).__name__, "version": getattr(thing, "version", None), **shown}
    if isinstance(thing, tuple):
        return [described(item, only_distinctive=only_distinctive) for item in thing]
    if thing is None or isinstance(thing, bool | int | float | str):
        return thing
    raise TypeError(f"a setting must be a number, a text, a tuple or a dataclass, got {type(thing).__name__}")


class Statistic(Protocol):
    """A seed's curve turned into one number, fixed in advance. Implementations are frozen dataclasses."""

    @property
    def unit(self) -> str:
        """What the number is, in words."""

    def __call__(self, curve: Curve) -> float:
        """The number; NaN where the run diverged or has nothing to read; +inf where an event did not come in time."""


@dataclass(frozen=True)
class Curve:
    """One metric of one seed; `empty` tests have seen nothing, and their values say nothing.

    Shapes: steps, values and empty [N]. Units: steps are environment steps per seed.
    """

    steps: Floats
    values: Floats
    horizon: int
    empty: NDArray[np.bool_] | None = None

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The tests that have seen something."""
        return np.ones(len(self.values), bool) if self.empty is None else ~self.empty

    @property
    def episodes(self) -> Floats:
        """Learning episodes at each point."""
        return self.steps / self.horizon


@dataclass(frozen=True)
class Metric:
    """A curve that scores read, by the name under which runs hold it; declared once, where its name is.

    `better` says which way is better. A diverged seed counts as the worst value seen; where neither way is better there
    is no worst value, and it supports nothing.

    `empty` says what a test without a finite value means. "never": no test is empty, so that the seed has diverged.
    "skipped": nothing was entered since the test before (no episode has ended); the test is left out. A number: it
    counts as that. A seed has diverged in any case where `witness`, another curve of the run, is not finite: it tells
    divergence from an empty test, and from a count that stands still.
    """

    name: str
    better: Literal["larger", "smaller", "neither"]
    empty: Literal["never", "skipped"] | float = "never"
    witness: str = ""

    def __post_init__(self) -> None:
        if self.empty != "never" and not self.witness:
            raise ValueError(f"{self.name}: only a witness tells an empty test from a diverged seed, found none")


@dataclass(frozen=True)
class Score:
    """One number a seed: a statistic of a metric of a cell."""

    cell: Cell
    metric: Metric
    statistic: Statistic

    @property
    def label(self) -> str:
        """How tables call it."""
        return f"{self.cell.name} {self.metric.name}"


# ------------------------------------------------------------------------------- δ: the smallest difference of interest


@dataclass(frozen=True)
class Share:
    """δ is a share of the range from a level, such as random play, to the better side. The level is neither side."""

    reference: Score
    share: float = 0.1

    def __post_init__(self) -> None:
        _positive("a share of a range as δ", self.share)


@dataclass(frozen=True)
class Margin:
    """δ is a number in the unit of the score, for a reason."""

    value: float
    reason: str

    def __post_init__(self) -> None:
        _positive("δ", self.value)
        _reasoned("δ", self.reason)


@dataclass(frozen=True)
class Gap:
    """The paper prints the difference G: δ is a third of it, and a whole success has G within its interval."""

    value: float

    def __post_init__(self) -> None:
        _positive("a printed gap, from which δ is taken,", self.value)


Delta = Share | Margin | Gap


def _positive(what: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{what} must be above 0, because any noise is above 0, got {value}")


def _reasoned(what: str, reason: str) -> None:
    if not reason.strip():
        raise ValueError(f"{what} must have a reason, got none")


# --------------------------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True)
class Exceeds:
    """`left` is larger than `right`, by δ or more as far as the interval tells. Of a cost, the winner stands right."""

    delta: Delta


@dataclass(frozen=True)
class NoWorse:
    """`left` is not smaller than `right` by δ or more."""

    delta: Share | Margin


@dataclass(frozen=True)
class AboutEquals:
    """`left` and `right` differ by less than δ."""

    delta: Share | Margin


@dataclass(frozen=True)
class Shorter:
    """`left` is a shorter time than `right`, such as the episodes until a threshold is reached, or the steps of an
    episode; `ratio` is how many times shorter, where printed, and otherwise `smallest` the least ratio of interest."""

    ratio: float | None = None
    smallest: float = 1.1

    def __post_init__(self) -> None:
        _above_one(self.ratio)
        _above_one(self.smallest)


@dataclass(frozen=True)
class Multiple:
    """`left` is `ratio` times as large as `right`, both positive: the ratio of two means, as printed."""

    ratio: float

    def __post_init__(self) -> None:
        _above_one(self.ratio)


@dataclass(frozen=True)
class Printed:
    """`left` equals a number that the paper prints, within a tolerance that has a reason. `n_runs` is how many runs it
    is the mean of. A tolerance of 0 stands for what holds by construction: every seed has the number, or it fails."""

    value: float
    tolerance: float
    reason: str
    n_runs: int = 1

    def __post_init__(self) -> None:
        _reasoned(f"a tolerance of {self.tolerance:g}", self.reason)


def _above_one(ratio: float | None) -> None:
    if ratio is not None and not ratio > 1:
        raise ValueError(f"a ratio must be above 1, got {ratio}: exchange the sides")


Rule = Exceeds | NoWorse | AboutEquals | Shorter | Multiple | Printed


# ------------------------------------------------------------------------------------------------------ rows and claims

About = Literal["beginning", "end", "structure"]
Role = Literal["necessary", "claim", "replicate"]


@dataclass(frozen=True)
class Arm:
    """A learner, and the same one before it has learnt: an early stretch of its own curve, or a frozen copy."""

    trained: Score
    untrained: Score


@dataclass(frozen=True)
class Learnt:
    """One of the arms has learnt: it is better than chance by δ, and better than it was before, each shown at .05.

    Better is what the metric says. Two of these in a row's `learnt` ask that either holds of its own arms.
    """

    arms: tuple[Arm, ...]
    chance: Score
    delta: Share | Margin


@dataclass(frozen=True)
class Row:
    """One comparison of a claim.

    `about` says what it speaks of: the "beginning" of training, which a truncated budget has too; its "end", which is
    not assessed before; or "structure", that is, nothing about training, such as a property of a game.

    `role`: a "claim" and a "necessary" condition (true of every success, but trivial by itself) must hold, or the
    sentence does not; a "replicate" is the sentence once more elsewhere (another game, size or rival), of which PARTIAL
    counts how many hold.

    `learnt` holds preconditions. Where one fails the row is NOT LEARNT, which refutes nothing.

    Raises: ValueError where a side is missing, or δ is measured from one of the two sides.
    """

    label: str
    left: Score
    right: Score | None
    rule: Rule
    about: About
    role: Role = "claim"
    learnt: tuple[Learnt, ...] = ()

    def __post_init__(self) -> None:
        if (self.right is None) != isinstance(self.rule, Printed):
            found = "no right side" if self.right is None else "a right side"
            raise ValueError(f"{self.label}: Printed has one side and every other rule two, found {found}")
        if reference_of(self.rule) in (self.left, self.right) and reference_of(self.rule) is not None:
            raise ValueError(f"{self.label}: δ must not be measured from one of the two sides: give another level")

    @property
    def paired(self) -> bool:
        """Whether seed s of both sides comes from one run or lineage, so that sides are compared seed by seed."""
        if self.right is None:
            return False
        left, right = ({cell.key for cell in lineage(side.cell)} for side in (self.left, self.right))
        return bool(left & right)


def reference_of(rule: Rule) -> Score | None:
    """The level from which a rule measures δ, where it does."""
    delta = rule.delta if isinstance(rule, Exceeds | NoWorse | AboutEquals) else None
    return delta.reference if isinstance(delta, Share) else None


@dataclass(frozen=True)
class Claim:
    """A falsifiable sentence, and the comparisons that decide it.

    `quote` is the paper's sentence verbatim, with “…” around each piece, and `place` where it stands; `reading` says in
    our words what is judged. The kind "sentence" is the paper's and could have failed; a "check" is ours, or cannot
    fail, and the headline does not count it; it may do without a quote.

    `lacks` says what must be measured, and is not yet, before the sentence can be judged: its rows, none or some of
    those that it needs, are shown, and it is counted in its family.

    `holds`: of its replicates "all" must hold, or "some" where the paper says that something can be.

    `untestable` says why nothing could decide it. `lacks` says what must be measured, and is not yet, before it can be
    judged; until then its rows are what of it can be said already, perhaps none, and it is counted but not judged.

    Claims of a kind in a paper are one family: they are corrected for one another, whatever has been run.
    """

    id: str
    quote: str
    place: str
    reading: str
    rows: tuple[Row, ...]
    kind: Literal["sentence", "check"] = "sentence"
    holds: Literal["all", "some"] = "all"
    untestable: str = ""
    lacks: str = ""
    note: str = ""

    @property
    def sentence(self) -> str:
        """What it says, in one line: the paper's words where it has any, and ours."""
        if not self.quote or self.reading in ("", self.quote):
            return self.quote or self.reading
        return f"{self.quote} ({self.reading})"


# ------------------------------------------------------------------------------------------------------------- verdicts

Outcome = Literal[
    "REPRODUCED",
    "PARTIAL",
    "NEGLIGIBLE",
    "NOT REPRODUCED",
    "REVERSED",
    "INCONCLUSIVE",
    "NOT LEARNT",
    "NOT ASSESSED",
    "INCOMPLETE",
    "INVALID",
    "UNTESTABLE",
]

LOOKS: Mapping[str, str] = {"quick": "first", "paper": "second"}
"""A claim is looked at twice and no more."""


@dataclass(frozen=True)
class RowVerdict:
    """What one comparison came to. Differences are `left - right`; of ratios the estimate is the ratio.

    `at_this_budget` is what it would come to if this much training were all that it is about; it counts for nothing
    where `outcome` says otherwise. Every p is one-sided: of the row as claimed, of its refutation (the effect is
    smaller than δ), of the opposite; NaN where the rule makes no such test. `p_corrected` is corrected in the claim.
    """

    label: str
    outcome: Outcome
    at_this_budget: Outcome
    estimate: float
    low: float  # ends of the 90 % interval
    high: float
    delta: float
    p: float
    p_corrected: float
    p_refuted: float
    p_opposite: float
    n_left: int
    n_right: int
    diverged_left: int
    diverged_right: int
    paired: bool
    standardised: float  # difference in pooled standard deviations; of a paired row, of the differences
    improvement: float  # probability that a seed of left beats a seed of right
    left_mean: float
    right_mean: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a claim came to, with the evidence of each row. Its p are corrected over the paper's claims."""

    claim: str
    outcome: Outcome
    rows: tuple[RowVerdict, ...]
    profile: str
    budget: str
    p: float = math.nan  # of all that it says
    p_part: float = math.nan  # of at least half of its replicates
    p_refuted: float = math.nan
    p_reversed: float = math.nan
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One curve of a panel: which metric of which cell, under the paper's name for it.

    `share` is how much of the cell's steps the panel counts, where a paper may have counted less than all.
    """

    label: str
    cell: Cell
    metric: str
    share: float = 1.0


@dataclass(frozen=True)
class Panel:
    """One set of axes. `against` is what steps are counted in: whole episodes, or what one step of the cells is.

    Where it counts a share of some lines' steps, it goes as far as the furthest of those.
    """

    title: str
    lines: tuple[Line, ...]
    ylabel: str
    against: Literal["learning episodes", "iterations", "samples"] = "learning episodes"


@dataclass(frozen=True)
class Band:
    """What a paper shades around a mean: some standard deviations to both sides, or from the lowest to the highest.

    `smooth` is over how many tests its curves are averaged.
    """

    deviations: float | None  # None: the range
    smooth: int = 1

    @property
    def words(self) -> str:
        """What is shaded."""
        shade = "from the lowest to the highest seed"
        if self.deviations is not None:
            share = {0.5: "half a standard deviation", 1.0: "one standard deviation"}
            shade = f"mean ± {share.get(self.deviations, f'{self.deviations:g} standard deviations')} over seeds"
        return shade if self.smooth == 1 else f"{shade}; moving averages of {self.smooth} tests"


class Plate(Protocol):
    """One set of axes that shows something else than curves. Implementations are frozen dataclasses of one figure."""

    @property
    def title(self) -> str:
        """What stands above it."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What it shows."""

    @property
    def words(self) -> str:
        """How it is to be read."""

    def draw(self, ax: Any, runs: Sequence[Mapping[int, Run]]) -> None:
        """Draws on a `matplotlib.axes.Axes`, from the runs of every cell, at least one each."""


@dataclass(frozen=True)
class Decision:
    """Something that the paper leaves open or that we do otherwise: what, which way, why."""

    question: str
    choice: str
    reason: str
    departs: bool = False


@dataclass(frozen=True)
class Logged:
    """A number from logs of the paper's authors, which is not a published one, beside the score that measures it here.

    Units: `value` and `deviation`, over the episodes that it is the mean of, are those of the score.
    """

    panel: str
    curve: str
    value: float
    deviation: float
    score: Score
    source: str


@dataclass(frozen=True)
class Figure:
    """A figure or table of a paper, with all that it takes to draw and to judge it: panels of curves, or plates.

    Raises: ValueError where it has both or none, or a profile does not end a cell exactly where others start from it,
    or gives it fewer seeds.
    """

    paper: Paper
    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    claims: tuple[Claim, ...]
    budgets: Mapping[str, Mapping[str, Budget]]  # profile, environment or one cell: "CN-V1" or "MADDPG on CN-V1"
    decisions: tuple[Decision, ...] = ()
    family: str = "figures"
    plates: tuple[Plate, ...] = ()
    printed_band: Band | None = None  # where the paper shades something else than a 95 % interval
    published: tuple[str, ...] = field(default=())
    logged: tuple[Logged, ...] = field(default=())
    about_logs: str = ""

    def __post_init__(self) -> None:
        if bool(self.panels) == bool(self.plates):
            kinds = f"{len(self.panels)} panels and {len(self.plates)} plates"
            raise ValueError(f"{self.id} must have panels of curves or else plates, got {kinds}")
        pairs = [(cell, teacher, steps) for cell in self.cells for teacher, steps in cell.teachers]
        for profile, (cell, teacher, steps) in product(self.budgets, pairs):
            asked = self._asked(profile, teacher) or Budget(0, 0)
            n_seeds = self.budget(profile, cell).n_seeds
            if asked.n_steps != steps or asked.n_seeds < n_seeds:
                raise ValueError(
                    f"{self.id}: {cell.name} starts from {teacher.name} on {teacher.environment} after {steps} steps, "
                    f"so profile {profile} must give that cell as many, and at least {n_seeds} seeds, got {asked}"
                )

    @property
    def id(self) -> str:
        """`ctedd/fig5`."""
        return f"{self.paper.name}/{self.name}"

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell that a panel or a claim needs, each once, in order of first use; what it starts from before it."""
        scores = [score for claim in self.claims for row in claim.rows for score in scores_of(row)]
        used = [*self.drawn, *(score.cell for score in scores)]
        return tuple({cell.key: cell for last in used for cell in lineage(last)}.values())

    @property
    def drawn(self) -> tuple[Cell, ...]:
        """The cell of every line, or all cells of every plate."""
        lines = [line.cell for panel in self.panels for line in panel.lines]
        return (*lines, *(cell for plate in self.plates for cell in plate.cells))

    @property
    def step(self) -> str:
        """What one step of its cells is, in the plural."""
        counted = {panel.against for panel in self.panels} - {"learning episodes"}
        return " or ".join(sorted(counted)) or "environment steps"

    def budget(self, profile: str, cell: Cell) -> Budget:
        """What a profile asks of a cell of this figure.

        Raises: KeyError where it asks nothing.
        """
        budget = self._asked(profile, cell)
        if budget is None:
            raise KeyError(f"{self.id}: profile {profile} has no budget for {cell.name} on {cell.environment}")
        return budget

    def _asked(self, profile: str, cell: Cell) -> Budget | None:
        """The cell's own budget, or that of all cells in its environment."""
        sizes = self.budgets[profile]
        return sizes.get(f"{cell.name} on {cell.environment}", sizes.get(cell.environment))


def scores_of(row: Row) -> tuple[Score, ...]:
    """Every score that a row reads: its sides, the level of δ, and those of its preconditions."""
    sides = (row.left, row.right, reference_of(row.rule))
    return (
        *(score for score in sides if score is not None),
        *(of for learnt in row.learnt for of in scores_in(learnt)),
    )


def scores_in(learnt: Learnt) -> tuple[Score, ...]:
    """Every score that a precondition reads."""
    levels = [learnt.delta.reference] if isinstance(learnt.delta, Share) else []
    return (*(score for arm in learnt.arms for score in (arm.trained, arm.untrained)), learnt.chance, *levels)
