"""MACE without the KL term: does σ vanish, and reward with it?"""

from dataclasses import replace

from algorithms.mace import MACE, SIGMA
from benchmarks import Claim, Exceeds, Figure, Line, Margin, Metric, Panel, Printed, Row, Score, Share, mace
from benchmarks._scores import At, Final, Fixed
from benchmarks.mace import CUMULATIVE, PAID, cell, paid, place

WITH = cell("MACE", "stag", 10, True)
WITHOUT = replace(WITH, name="MACE without KL", algorithm=MACE(kl_weight=0.0))
CHANCE = cell("random walk", "stag", 10, True)
SPREAD = Metric(SIGMA, better="neither")
TENTH = "a tenth of the prior's standard deviation"
END = Final(window=10)

FIGURE = Figure(
    paper=mace.PAPER,
    name="kl",
    title="MACE with and without the KL term (Stag-Hunters, 10 against 10, moving)",
    caption="Spread of λ given the state, and what training has been paid.",
    panels=(
        Panel("Spread", tuple(Line(of.name, of, SIGMA) for of in (WITH, WITHOUT)), "std of λ", against="samples"),
        Panel(
            "Reward",
            tuple(Line(of.name, of, CUMULATIVE) for of in (WITH, WITHOUT, CHANCE)),
            CUMULATIVE,
            against="samples",
        ),
    ),
    claims=(
        Claim(
            "MACE-KL-1",
            "",
            "the text, on the KL term",
            "without the KL term the variance of λ goes to 0",
            (
                Row(
                    "std of λ at the end: with > without",
                    Score(WITH, SPREAD, END),
                    Score(WITHOUT, SPREAD, END),
                    Exceeds(Margin(0.1, TENTH)),
                    "end",
                ),
                Row(
                    "std of λ at the end, without ≈ 0",
                    Score(WITHOUT, SPREAD, END),
                    None,
                    Printed(0.0, 0.1, TENTH),
                    "end",
                ),
            ),
        ),
        Claim(
            "MACE-KL-2",
            "",
            "the text, on the KL term",
            "without the KL term next to no reward is found",
            (
                Row(
                    "random walk > without",
                    paid(CHANCE, At(1_000_000)),
                    paid(WITHOUT, At(1_000_000)),
                    Exceeds(Share(Score(WITHOUT, PAID, Fixed(0.0)))),
                    "end",
                ),
            ),
            note="“Next to none” is read as less than chance is paid.",
        ),
    ),
    budgets=mace.budgets((place("stag", 10, True),)),
    decisions=mace.DECISIONS,
    family="ablations",
)
