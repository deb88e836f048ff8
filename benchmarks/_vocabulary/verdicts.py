"""What comes out: the verdict on a claim, with its evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
