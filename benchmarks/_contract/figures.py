"""What every figure of every paper keeps to."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable

from benchmarks import ALL, PROFILES, Figure
from benchmarks._catalogue import figures, read
from benchmarks._contract.cases import Cases, every
from benchmarks._outside.fitting import called, fit

every_figure = every("figure", "figures")
every_default = every("figure", "defaults")


def cases_of(shown: Iterable[Figure]) -> Cases:
    """Figures as they are, and under each of their readings."""
    known = tuple(shown)
    return {
        "defaults": {figure.id: figure for figure in known},
        "figures": {figure.id: figure for figure in read(known, ALL)},
    }


@every_figure
def test_a_figure_says_what_it_is_and_what_was_decided(figure: Figure) -> None:
    assert figure.id.count("/") == 1
    assert figure.title and figure.caption, f"{figure.id} must have a title and a caption"
    assert figure.panels or figure.plates
    assert figure.decisions, (
        f"{figure.id} has no decisions: what the paper leaves open, how it is answered here, and why, each as "
        "Decision(question, choice, reason); no paper says everything"
    )
    for decision in figure.decisions:
        assert decision.question and decision.choice and decision.reason, f"{figure.id}: {decision} must say all three"


@every_figure
def test_a_claim_says_what_is_claimed_and_can_be_judged_or_says_what_is_in_the_way(figure: Figure) -> None:
    assert figure.claims or not figure.published
    for claim in figure.claims:
        assert claim.sentence.strip() and claim.place.strip(), f"{claim.id} must say what is claimed, and where"
        quoted = claim.quote.startswith("“") and claim.quote.endswith("”")
        assert not claim.quote or quoted, f"{claim.id}: a quote stands between “ and ”, got {claim.quote}"
        assert not (claim.untestable and (claim.rows or claim.lacks)), claim.id
        assert claim.rows or claim.untestable or claim.lacks, f"{claim.id} must have rows, or say what is in the way"
        assert len({row.label for row in claim.rows}) == len(claim.rows), f"{claim.id}: two rows have one label"


@every_figure
def test_every_cell_of_a_figure_is_there_once_and_two_cells_never_share_a_key(figure: Figure) -> None:
    assert len({cell.key for cell in figure.cells}) == len(figure.cells)
    names = Counter(map(called, figure.cells))
    assert [name for name, n in names.items() if n > 1] == [], f"{figure.id}: cells of other settings need other names"


@every_default
def test_every_line_and_score_reads_a_metric_that_its_cell_records(figure: Figure) -> None:
    fit([figure])


@every_figure
def test_every_line_has_a_name_of_its_own_in_its_panel(figure: Figure) -> None:
    for panel in figure.panels:
        assert len({line.label for line in panel.lines}) == len(panel.lines), f"{figure.id}, panel {panel.title}"


@functools.cache
def _taken() -> frozenset[str]:
    """The cells from which others start."""
    every_one = read(figures(), ALL)
    return frozenset(teacher.key for figure in every_one for cell in figure.cells for teacher, _ in cell.teachers)


@every_figure
def test_budgets_are_whole_tests_and_every_profile_extends_the_one_before(figure: Figure) -> None:
    assert tuple(figure.budgets) == PROFILES
    taken = _taken()
    for cell in figure.cells:
        sizes = [figure.budget(profile, cell) for profile in PROFILES]
        what = f"{figure.id}, {called(cell)}: {sizes}"
        assert all(size.n_steps % cell.evaluation.every == 0 for size in sizes), f"{what}, in whole tests"
        if cell.key not in taken:  # which all profiles end where others start from it
            assert sizes[0].n_steps < sizes[1].n_steps <= sizes[2].n_steps, what
        assert [size.n_seeds for size in sizes] == sorted(size.n_seeds for size in sizes), what
        assert sizes[0].n_seeds >= 2 and sizes[0].n_steps > 0, what
