"""Settings of one's own: other cells beside those of a figure, never in their place, never among what is recorded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _tiny import FIGURE
from _trials import command_lines, heard

from benchmarks import Figure, lineage, variant
from benchmarks.__main__ import main
from benchmarks._catalogue import chosen, figures
from benchmarks._judging.desk import Desk
from benchmarks._options import RECORDED
from benchmarks._training.work import Library
from results import Store, Stores

FIGURES = {figure.id: figure for figure in figures()}
FIG5 = FIGURES["ctedd/fig5"]
TEXT = "MADDPG.learning_rate=0.02"


def keys(figure: Figure) -> set[str]:
    return {cell.key for cell in figure.cells}


def test_a_variant_has_cells_claims_and_a_name_of_its_own_beside_those_that_it_varies() -> None:
    varied = variant(FIG5, TEXT)
    assert varied.id == f"ctedd/fig5@{TEXT}"
    assert keys(FIG5) < keys(varied)
    new = [cell for cell in varied.cells if cell.key not in keys(FIG5)]
    assert {cell.algorithm.learning_rate for cell in new} == {0.02}
    assert all(cell.name.endswith(f"@{TEXT}") for cell in new)
    assert not {cell.name for cell in FIG5.cells} & {cell.name for cell in new}
    assert [claim.id for claim in varied.claims] == [f"{claim.id}@{TEXT}" for claim in FIG5.claims]
    judged = {score.cell.key for c in varied.claims for row in c.rows for score in (row.left, row.right) if score}
    plain = {score.cell.key for c in FIG5.claims for row in c.rows for score in (row.left, row.right) if score}
    assert {cell.key for cell in new} <= judged
    assert not {cell.key for cell in FIG5.cells if type(cell.algorithm).__name__ == "MADDPG"} & plain & judged
    for own, other in zip(FIG5.panels, varied.panels, strict=True):
        assert other.lines[: len(own.lines)] == own.lines
        assert len({line.label for line in other.lines}) == len(other.lines) == len(own.lines) + 2


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
def test_every_figure_has_a_variant_that_is_budgeted_as_it_is(figure: Figure) -> None:
    one = next(cell for cell in figure.cells if hasattr(cell.env, "horizon"))
    owner, value = type(one.env).__name__, one.env.horizon + 1
    field = "horizon" if "horizon" in one.settings["environment"] else None
    if field is None:
        pytest.skip("its horizon is no setting")
    varied = variant(figure, f"{owner}.{field}={value}")
    new = [cell for cell in varied.cells if cell.key not in keys(figure)]
    assert new
    for cell in new:
        plain = next(c for c in figure.cells if (c.name, c.environment) == (cell.name.split("@")[0], cell.environment))
        assert varied.budget("paper", cell) == figure.budget("paper", plain)


def test_what_starts_from_a_varied_cell_is_varied_too() -> None:
    figure = FIGURES["dvm/fig4"]
    teacher = next(teacher for cell in figure.cells for teacher, _ in cell.teachers)
    varied = variant(figure, f"{type(teacher.algorithm).__name__}.discount=0.5")
    new = {cell.key: cell for cell in varied.cells if cell.key not in keys(figure)}
    assert any(cell.teachers for cell in new.values())
    assert all("@" in cell.name for last in new.values() for cell in lineage(last) if cell.key in new)


def test_however_a_number_is_written_its_variant_has_one_name() -> None:
    assert variant(FIG5, "MADDPG.learning_rate=2e-2").id == variant(FIG5, f" {TEXT} ").id
    both = variant(FIG5, "MADDPG.learning_rate=1,MADDPG.hidden=32")
    new = [cell.algorithm for cell in both.cells if cell.key not in keys(FIG5)]
    assert {(one.learning_rate, type(one.learning_rate), one.hidden) for one in new} == {(1.0, float, 32)}
    (found,) = chosen(f"ctedd/fig5@{TEXT}")
    assert found.id == f"ctedd/fig5@{TEXT}"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("MADDPG.learning_rate", r"a setting must be Class\.field=value, got 'MADDPG\.learning_rate'"),
        ("learning_rate=1", r"a setting must be Class\.field=value, such as .*, got 'learning_rate=1'"),
        ("MADDPH.hidden=1", r"ctedd/fig5 must have the class that is set, got MADDPH; there are CTEDD, .*MADDPG"),
        ("MADDPG.rate=1", r"MADDPG must have the field that is set, got 'rate' of message_size, .*learning_rate"),
        ("MADDPG.learning_rate=fast", r"learning_rate of MADDPG must be like 0\.01, .*, got 'fast'"),
        ("MADDPG.learning_rate=-1.0", r"learning_rate of MADDPG must be a finite number of at least 0, got -1\.0"),
        ("MADDPG.message_updates=nobody", r"message_updates of MADDPG must be 'every listener' or 'sender'"),
        ("MADDPG.learning_rate=0.01", r"reading MADDPG.learning_rate=0\.01 must change a cell"),
        ("MADDPG.hidden=1,MADDPG.hidden=2", r"every field must be set once"),
        ("MADDPG.message_updates=../x", r"a setting must be Class\.field=value"),
    ],
)
def test_what_cannot_be_set_is_answered_in_one_sentence(
    text: str, answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "ctedd/fig5", "--set", text, "--store", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert re.search(f"error: .*{answer}", line), line


def test_a_variant_never_comes_among_what_is_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("plan", "run"):
        assert main([command, "ctedd/fig5", "--set", TEXT, "--store", str(RECORDED)]) == 2
        assert "variants must be kept in a store of one's own" in capsys.readouterr().err
    assert main([command, f"ctedd/fig5@{TEXT}", "--store", str(RECORDED)]) == 2


def test_a_variant_is_judged_among_the_claims_of_its_paper(tmp_path: Path) -> None:
    desk = Desk(Library(Stores(Store(tmp_path), Store(RECORDED))), "quick")
    varied = variant(FIG5, TEXT)
    every = figures()
    own, other = desk.opened((FIG5, varied), every)
    assert [claim.id for claim in varied.claims] == [*other.verdicts]
    assert own.verdicts.keys() == {claim.id for claim in FIG5.claims}


def test_a_reading_and_settings_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "ctedd/fig5", "--set", TEXT, "--reading", "distance"]) == 2
    assert "settings vary our own choice of everything" in capsys.readouterr().err


def test_a_variant_is_trained_judged_and_drawn_beside_what_it_varies(tmp_path: Path) -> None:
    tiny = "MADDPG.learning_rate=0.02"
    command = [
        "pytest",
        "-q",
        "-k",
        "tiny",
        f"--repro-set={tiny}",
        "--repro-profile=smoke",
        f"--repro-store={tmp_path}",
    ]
    with command_lines() as start:
        done = start(*command)
        said = heard(done)
    assert done.returncode == 0, said
    assert re.search(r"^TINY-1 +", said, re.M)
    assert re.search(rf"^TINY-1@{re.escape(tiny)} +", said, re.M)
    drawn = {path.name for path in (tmp_path / "figures" / "tiny").glob("*.svg")}
    assert drawn == {"tiny.svg", f"tiny@{tiny}.svg"}
    assert {cell.key for cell in variant(FIGURE, tiny).cells} <= set(Store(tmp_path).keys())
