"""MACE without the KL term: does σ vanish, and reward with it?"""

from dataclasses import replace

from algorithms.mace import MACE, SIGMA
from benchmarks import Claim, Figure, Line, Outperforms, Panel, Printed, Row, Score, mace
from benchmarks._scores import At, Final
from benchmarks.mace import CUMULATIVE, cell, paid, place

WITH = cell("MACE", "stag", 10, True)
WITHOUT = replace(WITH, name="MACE without KL", algorithm=MACE(kl_weight=0.0))
CHANCE = cell("random walk", "stag", 10, True)
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
            "without the KL term the variance of λ goes to 0",
            "the text, on the KL term",
            (
                Row(
                    "std of λ at the end: with > without",
                    Score(WITH, SIGMA, END),
                    Score(WITHOUT, SIGMA, END),
                    Outperforms(),
                ),
                Row("std of λ at the end, without ≈ 0", Score(WITHOUT, SIGMA, END), None, Printed(0.0, 0.1)),
            ),
        ),
        Claim(
            "MACE-KL-2",
            "without the KL term next to no reward is found",
            "the text, on the KL term",
            (
                Row(
                    "random walk > without",
                    paid(CHANCE, At(1_000_000)),
                    paid(WITHOUT, At(1_000_000)),
                    Outperforms(reference=paid(CHANCE, At(1_000_000))),
                ),
            ),
            note="“Next to none” is read as less than chance is paid.",
        ),
    ),
    budgets=mace.budgets((place("stag", 10, True),)),
    decisions=mace.DECISIONS,
    family="ablations",
)
