"""A figure for a paper: two tables as LaTeX (booktabs), the picture as PDF and, where LaTeX is installed, as PGF."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from benchmarks import Claim, Line, Panel
from benchmarks._drawing.curves import draw
from benchmarks._drawing.numbers import number
from benchmarks._drawing.style import settings
from benchmarks._exchange.dictionaries import ends
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.statistics import mean_interval

LATEX = "pdflatex"
"""With which PGF measures texts."""

WRITTEN = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "''",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "–": "--",
    "—": "---",
    "…": "\\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    **{
        sign: f"\\ensuremath{{{name}}}"
        for sign, name in {
            **{"α": "\\alpha", "γ": "\\gamma", "δ": "\\delta", "ε": "\\varepsilon", "η": "\\eta", "θ": "\\theta"},
            **{"λ": "\\lambda", "μ": "\\mu", "ω": "\\omega", "π": "\\pi", "ρ": "\\rho", "σ": "\\sigma", "τ": "\\tau"},
            **{"Δ": "\\Delta", "Σ": "\\Sigma", "×": "\\times", "±": "\\pm", "−": "-", "·": "\\cdot", "√": "\\surd"},
            **{"≈": "\\approx", "∼": "\\sim", "≥": "\\ge", "≤": "\\le", "≠": "\\ne", "→": "\\to", "∞": "\\infty"},
            **{"′": "'", "²": "^2", "½": "\\frac12", "∈": "\\in", "▼": "\\bigtriangledown", "▲": "\\bigtriangleup"},
        }.items()
    },
}

SIGNS = {sign: text for sign, text in WRITTEN.items() if not sign.isascii()}


def written(text: str) -> str:
    """A text as LaTeX reads it, with any engine.

    Raises: ValueError where it has a sign that is not known here.
    """
    unknown = sorted({sign for sign in text if sign not in WRITTEN and not sign.isascii()})
    if unknown:
        raise ValueError(
            f"a text for LaTeX must have signs that it has a name for, got {', '.join(unknown)} in {text!r}"
        )
    return "".join(WRITTEN.get(sign, sign) for sign in text)


def tables(exhibit: Exhibit) -> str:
    """Where the lines end, if it has any, and what the claims came to."""
    parts = ["% needs \\usepackage{booktabs}"]
    if exhibit.figure.panels:
        parts.append(_ends(exhibit))
    if exhibit.figure.claims:
        parts.append(_claims(exhibit))
    return "\n\n".join(parts) + "\n"


def _ends(exhibit: Exhibit) -> str:
    """A row for every line, a column for every panel: mean over seeds and the half-width of its 95 % t interval."""
    figure = exhibit.figure
    labels = list(dict.fromkeys(line.label for panel in figure.panels for line in panel.lines))
    rows = [[written(label), *(_end(exhibit, panel, label) for panel in figure.panels)] for label in labels]
    head = ["", *(written(panel.title) for panel in figure.panels)]
    measured = " or ".join(dict.fromkeys(panel.ylabel for panel in figure.panels))
    caption = (
        f"{figure.title}. {measured.capitalize()} at the end (mean of the last 10 tests, or a total's last value), "
        f"with the half-widths of 95 % t intervals over seeds. {exhibit.extent}, profile {exhibit.profile}."
    )
    return _table(head, rows, "l" + "r" * len(figure.panels), caption, f"tab:{figure.id}")


def _end(exhibit: Exhibit, panel: Panel, label: str) -> str:
    found = [line for line in panel.lines if line.label == label]
    return _mean(exhibit, found[0]) if found else "--"


def _mean(exhibit: Exhibit, line: Line) -> str:
    """The mean and its half-width; why there is none, where there is none."""
    values = np.array(list(ends(exhibit, line).values()), float)
    if not len(values):
        return "not run"
    if not np.isfinite(values).all():
        return f"{int((~np.isfinite(values)).sum())} of {len(values)} diverged"
    if len(values) == 1:
        return written(number(float(values[0])))
    _, high = mean_interval(values)
    return written(f"{number(float(values.mean()))} ± {number(float(high - values.mean()))}")


def _claims(exhibit: Exhibit) -> str:
    """A row for every claim."""
    rows = [_claim(exhibit, claim) for claim in exhibit.figure.claims]
    head = ["claim", "sentence", "verdict", "shown"]
    caption = f"{exhibit.figure.title}: what its sentences came to. {exhibit.extent}, profile {exhibit.profile}."
    return _table(head, rows, "lp{0.5\\linewidth}ll", caption, f"tab:{exhibit.figure.id}-claims")


def _claim(exhibit: Exhibit, claim: Claim) -> list[str]:
    verdict = exhibit.verdicts[claim.id]
    shown = sum(row.outcome == "REPRODUCED" for row in verdict.rows)
    compared = f"{shown} of {len(verdict.rows)}" if verdict.rows else "--"
    return [written(claim.id), written(claim.quote or claim.reading), written(verdict.outcome), compared]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], columns: str, caption: str, label: str) -> str:
    lines = [" & ".join(cells) + r" \\" for cells in (head, *rows)]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{written(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    )


# ------------------------------------------------------------------------------------------------------------- picture


def pictures(exhibit: Exhibit, stem: Path) -> tuple[tuple[Path, ...], str]:
    """`<stem>.pdf`, and `<stem>.pgf` where LaTeX is installed; why there is none where it is not."""
    pdf, pgf = (stem.with_name(f"{stem.name}.{kind}") for kind in ("pdf", "pgf"))
    look = settings(exhibit.figure)
    with mpl.rc_context({**look, "pdf.fonttype": 42}):
        draw(exhibit).picture.savefig(
            pdf, metadata={"CreationDate": None, "Producer": None, "Title": exhibit.figure.title}
        )
    if shutil.which(LATEX) is None:
        return (pdf,), f"no PGF, for which matplotlib needs {LATEX}, which is not installed here"
    known = "".join(f"\\DeclareUnicodeCharacter{{{ord(sign):04X}}}{{{text}}}" for sign, text in SIGNS.items())
    own: Any = {"pgf.texsystem": LATEX, "pgf.rcfonts": False, "pgf.preamble": known, "font.family": ["serif"]}
    with mpl.rc_context({**look, **own}):
        draw(exhibit).picture.savefig(pgf, backend="pgf")
    pgf.write_text(plain(pgf.read_text(encoding="utf-8")), encoding="utf-8")
    return (pdf, pgf), ""


def plain(text: str) -> str:
    """A text that is LaTeX already, with names for signs that not every document knows."""
    return "".join(SIGNS.get(sign, sign) for sign in text)
