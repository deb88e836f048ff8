"""A figure's numbers as others take them: written, and read back by pandas, rliable, marl-eval and LaTeX."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_oracles import oracle

from benchmarks import Figure
from benchmarks.__main__ import main
from benchmarks._catalogue import chosen, figures
from benchmarks._exchange import dictionaries, latex, tidy
from benchmarks._judging.desk import Desk
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.plans import Kept
from benchmarks._options import RECORDED, VERDICTS, stores_of
from benchmarks._training.work import Library


def opened(name: str, profile: str = "quick") -> Exhibit:
    (figure,) = chosen(name)
    return Desk(Library(stores_of(RECORDED)), profile).opened([figure], figures())[0]


@pytest.fixture(scope="module")
def exhibit() -> Exhibit:
    return opened("ctedd/fig5")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    for kind in ("csv", "rliable", "marl-eval"):
        assert main(["export", "ctedd/fig5", "--to", kind, "--profile", "quick", "--out", str(folder)]) == 0
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_value_of_every_seed_is_there_with_its_unit(exhibit: Exhibit, exported: Path) -> None:
    found = rows(exported / "ctedd-fig5.csv")
    assert tuple(found[0]) == tidy.CURVES
    lines = [(panel, line) for panel in exhibit.figure.panels for line in panel.lines]
    assert len(found) == sum(exhibit.bundle(line.cell, line.metric).values.size for _, line in lines)
    for panel, line in lines:
        own = [row for row in found if (row["panel"], row["line"]) == (panel.title, line.label)]
        for seed, run in exhibit.sample(line.cell).runs.items():
            of_seed = [row for row in own if row["seed"] == str(seed)]
            values = np.array([float(row["value"]) for row in of_seed], np.float32)
            np.testing.assert_array_equal(values, run.metrics[line.metric])
            np.testing.assert_array_equal([float(row["steps"]) for row in of_seed], run.steps)
            assert {row["unit"] for row in of_seed} == {run.units[line.metric]}
        horizon = line.cell.env.horizon
        assert all(float(row["episodes"]) == float(row["steps"]) / horizon for row in own)


def test_outcomes_are_those_that_are_recorded(exhibit: Exhibit) -> None:
    found = {str(record["claim"]): record["outcome"] for record in tidy.claims(exhibit)}
    recorded = Kept.at(VERDICTS)
    assert found == {claim: recorded.outcome("quick", claim) for claim in found}


def test_every_comparison_has_a_row_and_a_claim_without_one_too() -> None:
    shown = opened("mace/table1")
    found = tidy.claims(shown)
    for claim in shown.figure.claims:
        own = [record for record in found if record["claim"] == claim.id]
        assert len(own) == max(1, len(shown.verdicts[claim.id].rows))
        assert {record["quote"] for record in own} == {claim.quote}


def test_pandas_reads_the_tables(exhibit: Exhibit, exported: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_csv(exported / "ctedd-fig5.csv")
    assert table["value"].dtype == np.float64
    assert table["seed"].dtype == np.int64
    last = table[(table["line"] == "MADDPG-3") & (table["panel"] == "CN-V1")].groupby("steps")["value"].mean()
    panel = exhibit.figure.panels[0]
    (line,) = [line for line in panel.lines if line.label == "MADDPG-3"]
    np.testing.assert_allclose(last, exhibit.bundle(line.cell, line.metric).values.mean(axis=0), rtol=1e-6)
    claims = pandas.read_csv(exported / "ctedd-fig5-claims.csv")
    assert set(claims["claim"]) == {claim.id for claim in exhibit.figure.claims}


def test_parquet_has_the_same_table(exhibit: Exhibit, exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    records = tidy.curves(exhibit)
    if importlib.util.find_spec("pyarrow") is None:
        with pytest.raises(ValueError, match=r"need pyarrow, which is not installed here"):
            tidy.write(records, tidy.CURVES, path)
        pytest.skip("pyarrow is not installed")
    tidy.write(records, tidy.CURVES, path)
    found = importlib.import_module("pyarrow.parquet").read_table(path).to_pylist()
    assert [str(row["value"]) for row in found] == [row["value"] for row in rows(exported / "ctedd-fig5.csv")]


# ------------------------------------------------------------------------------------------------- rliable, marl-eval


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_scores_are_where_seeds_end_by_method_and_task(exhibit: Exhibit, exported: Path) -> None:
    (group,) = loaded(exported / "ctedd-fig5-rliable.json")["groups"]
    assert group["tasks"] == ["CN-V1", "CN-V2", "PF", "PP"]
    assert group["unit"].startswith("mean of the last 10 tests: sum over agents and steps of the reward")
    assert group["levels"]["CN-V1"]["uniform play"] == -688
    for i, panel in enumerate(exhibit.figure.panels):
        for line in panel.lines:
            ends = exhibit.bundle(line.cell, line.metric).values[:, -10:].mean(axis=1)
            np.testing.assert_allclose(np.array(group["scores"][line.label], float)[:, i], ends)


def test_rliable_takes_the_scores(exported: Path) -> None:
    library, metrics = oracle("rliable.library"), oracle("rliable.metrics")
    (group,) = loaded(exported / "ctedd-fig5-rliable.json")["groups"]
    scores = {name: np.array(values, float) for name, values in group["scores"].items()}
    found, _ = library.get_interval_estimates(scores, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=50)
    assert set(found) == set(scores)


def test_marl_eval_finds_its_format_and_the_same_scores(exported: Path) -> None:
    processing = oracle("marl_eval.utils.data_processing_utils")
    diagnosis = oracle("marl_eval.utils.diagnose_data_errors")
    content = loaded(exported / "ctedd-fig5-marl-eval.json")
    found = diagnosis.DiagnoseData(content).check_data()
    assert all(all(checks.values()) for checks in found.values()), found
    (group,) = loaded(exported / "ctedd-fig5-rliable.json")["groups"]
    for environment, tasks in content.items():
        processed = processing.data_process_pipeline(raw_data=content, metrics_to_normalize=[])
        ends, _ = processing.create_matrices_for_rliable(processed, environment, metrics_to_normalize=[])
        columns = [group["tasks"].index(task) for task in tasks]
        for name, scores in group["scores"].items():
            np.testing.assert_allclose(ends["mean_return"][name.lower()], np.array(scores)[:, columns])


def test_all_runs_of_an_environment_have_the_same_tests(exhibit: Exhibit, exported: Path) -> None:
    content = loaded(exported / "ctedd-fig5-marl-eval.json")
    assert [list(tasks) for tasks in content.values()] == [["CN-V1", "CN-V2"], ["PF", "PP"]]
    for tasks in content.values():
        runs = [run for task in tasks.values() for method in task.values() for run in method.values()]
        assert len({tuple(run) for run in runs}) == 1
        assert all(set(test) == {"step_count", "return"} for run in runs for test in list(run.values())[:-1])
    panel = exhibit.figure.panels[0]
    line = panel.lines[0]
    run = content["ctedd/fig5 1"]["CN-V1"][line.label]["seed_2"]
    values = exhibit.sample(line.cell).runs[2].metrics[line.metric]
    assert [np.float32(run[f"step_{i}"]["return"][0]) for i in range(len(values))] == list(values)
    assert run["step_3"]["step_count"] == 40_000


def test_names_lose_their_commas_for_marl_eval() -> None:
    shown = opened("dvm/online", "paper")
    (content,) = dictionaries.marl_eval(shown).values()
    names = [line.label for line in dictionaries.run_lines(shown, shown.figure.panels[0])]
    assert "distillation, critics in every order" in names
    assert list(content["2 agents"]) == [name.replace(",", ";") for name in names]


def test_a_figure_without_curves_has_no_scores_and_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["export", "mace/table1", "--to", "rliable", "--out", str(tmp_path)]) == 2
    assert "mace/table1 must show curves that have been run, found none" in capsys.readouterr().err


def test_what_has_not_been_run_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["export", "ctedd/students", "--to", "csv", "--out", str(tmp_path)]) == 0
    assert "not run, and not in it: CN-V1/CTEDD-G, " in capsys.readouterr().out


def test_a_wrong_format_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "ctedd/fig5", "--to", "xls"]) == 2
    assert "--to must be one of csv, parquet, rliable, marl-eval, latex, got 'xls'" in capsys.readouterr().err
    assert main(["export", "fig5", "--to", "csv"]) == 2
    assert "one figure must be named, got 'fig5', which is ctedd/fig5, dimapg/fig5" in capsys.readouterr().err


def test_what_is_exported_is_read_again_by_compare(exported: Path, tmp_path: Path) -> None:
    path = str(exported / "ctedd-fig5.csv")
    asked = ["compare", path, "ctedd/fig5", "--line", "CN-V2/CTEDD-G", "--margin", "60", "--profile", "quick"]
    assert main([*asked, "--where", "panel=CN-V2", "line=CTEDD-G", "--out", str(tmp_path)]) == 0


# ---------------------------------------------------------------------------------------------------------------- LaTeX


@pytest.mark.parametrize("figure", figures(), ids=lambda figure: figure.id)
def test_every_figure_has_tables_that_any_latex_reads(figure: Figure) -> None:
    text = latex.tables(Desk(Library(stores_of(RECORDED)), "quick").opened([figure])[0])
    assert text.isascii()
    assert text.count(r"\begin{table}") == bool(figure.panels) + bool(figure.claims)
    for line in text.split("\n"):
        assert not line.endswith(r"\\") or line.count(r"\&") < line.count("&")


def test_signs_are_written_as_latex_has_them() -> None:
    assert latex.written("50 % of λ_1 ≥ −2 & “x”") == (
        r"50 \% of \ensuremath{\lambda}\_1 \ensuremath{\ge} \ensuremath{-}2 \& ``x''"
    )
    with pytest.raises(ValueError, match="signs that it has a name for, got ☃"):
        latex.written("a ☃")


def test_a_line_ends_at_its_mean_and_the_half_width_of_its_interval(exhibit: Exhibit) -> None:
    panel = exhibit.figure.panels[0]
    line = panel.lines[-1]
    ends = exhibit.bundle(line.cell, line.metric).values[:, -10:].mean(axis=1)
    half = 2.570582 * ends.std(ddof=1) / np.sqrt(len(ends))  # t of 5 degrees of freedom
    assert len(ends) == 6
    assert f"{line.label} & \\ensuremath{{-}}{-ends.mean():.0f} \\ensuremath{{\\pm}} {half:.4g}" in latex.tables(
        exhibit
    )


def test_the_picture_is_the_same_file_each_time_and_reads_in_a_document(exhibit: Exhibit, tmp_path: Path) -> None:
    paths, said = latex.pictures(exhibit, tmp_path / "one")
    again, _ = latex.pictures(exhibit, tmp_path / "two")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    if shutil.which("pdflatex") is None:
        assert said == "no PGF, for which matplotlib needs pdflatex, which is not installed here"
        pytest.skip("pdflatex is not installed")
    assert [path.suffix for path in paths] == [".pdf", ".pgf"]
    (tmp_path / "tables.tex").write_text(latex.tables(exhibit))
    document = r"\documentclass{article}\usepackage{booktabs,pgf}\begin{document}\input{tables}\input{one.pgf}"
    (tmp_path / "a.tex").write_text(document + r"\end{document}")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
