"""Pictures: everything asked for is in them or named as missing, and the same numbers give the same bytes."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import matplotlib as mpl
import numpy as np
import pytest
from _histories import a_history
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Picture

from benchmarks import (
    About,
    Band,
    Budget,
    Cell,
    Claim,
    Evaluation,
    Exceeds,
    Figure,
    Floats,
    Gap,
    Level,
    Line,
    Metric,
    Panel,
    Paper,
    Row,
    Score,
)
from benchmarks._drawing.curves import Drawing, draw, keys_of, save
from benchmarks._drawing.numbers import MOST_POINTS, Numbers, limits, mean_and_band, thinned
from benchmarks._drawing.plates import MEAN, PRINTED, SEED, draw_printed, draw_seeds
from benchmarks._drawing.style import OF_NOBODY, Palette
from benchmarks._drawing.svg import CLIP_NAME, as_svg, views_of, with_counted_clips
from benchmarks._judging.desk import Desk, papers
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.scores import Final
from benchmarks._training.work import Library
from results import Run, Store, Stores

UNIT = "sum over agents and steps of the reward; mean over <4> & more episodes"
PAPER = Paper("synthetic", "Of <b>bold</b> claims & others", "A. Nobody", "Nowhere, 2000", "Nothing.")
N_TESTS = 40


@dataclass(frozen=True)
class Learner:
    size: int
    version: ClassVar[int] = 1


@dataclass(frozen=True)
class Game:
    horizon: int = 25
    version: ClassVar[int] = 1


def cell(name: str, size: int) -> Cell:
    return Cell(name, "Game", Learner(size), Game(), Evaluation(1000, 4))


GOOD, BAD, NEVER = cell("Good", 1), cell("Bad", 2), cell("Never", 3)


def figure(*panels: Panel, claims: tuple[Claim, ...] = (), name: str = "fig1", **settings: Any) -> Figure:
    budgets = {profile: {"Game": Budget(3, 1000 * N_TESTS)} for profile in ("smoke", "quick")}
    budgets["paper"] = {"Game": Budget(3, 8000 * N_TESTS)}
    return Figure(PAPER, name, "A title", "A caption.", panels, claims, budgets, **settings)


def line(of: Cell, label: str = "") -> Line:
    return Line(label or of.name, of, "test return greedy")


def beats(better: Cell, worse: Cell, label: str = "Good > Bad", about: About = "end") -> Row:
    left, right = (Score(side, Metric("test return greedy", better="larger"), Final(5)) for side in (better, worse))
    return Row(label, left, right, Exceeds(Gap(1.0)), about)


def curves(level: float, n_seeds: int = 3, n_tests: int = N_TESTS) -> Floats:
    noise = np.random.default_rng(abs(int(level))).normal(size=(n_seeds, n_tests))
    return level + np.linspace(-2.0, 0.0, n_tests) + noise


def stored(folder: Path, curves_of: dict[Cell, Floats]) -> Desk:
    store = Store(folder)
    for owner, values in curves_of.items():
        steps = 1000.0 * np.arange(1, values.shape[1] + 1, dtype=np.float64)
        for seed, curve in enumerate(values):
            metrics = {"test return greedy": curve.astype(np.float32)}
            store.save(owner, Run(owner.key, seed, steps, metrics, dict.fromkeys(metrics, UNIT), a_history()))
    return Desk(Library(Stores(store)), "quick")


def opened(desk: Desk, shown: Figure) -> Exhibit:
    (exhibit,) = desk.opened([shown])
    return exhibit


def drawing(desk: Desk, shown: Figure, band: Band | None = None) -> Drawing:
    return draw(opened(desk, shown), band)


def drawn(desk: Desk, shown: Figure, band: Band | None = None) -> Any:
    return drawing(desk, shown, band).picture


def texts(picture: Any) -> str:
    return "\n".join(
        artist.get_text() for artist in picture.findobj(mpl.text.Text) if artist.get_visible() and artist.get_text()
    )


def test_a_panel_that_counts_a_share_of_a_line_s_steps_draws_it_shorter_and_goes_no_further(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    lines = (Line("Good", GOOD, "test return greedy", share=0.1), line(BAD))
    ax = drawn(desk, figure(Panel("Game", lines, "test return"))).axes[0]
    ends = [np.asarray(drawn.get_xdata(), float)[-1] for drawn in ax.lines if drawn.get_linewidth() > 1]
    assert ends == pytest.approx([0.004 * N_TESTS, 0.04 * N_TESTS])
    assert ax.get_xlim() == pytest.approx((0, 0.004 * N_TESTS))


def test_picture_shows_mean_band_and_seeds_of_every_line(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    ax = drawn(desk, figure(Panel("Game", (line(GOOD), line(BAD)), "test return"))).axes[0]
    thick = [drawn for drawn in ax.lines if drawn.get_linewidth() > 1]
    assert (len(thick), len(ax.lines), len(ax.collections)) == (2, 4, 2)
    thin = np.asarray(next(drawn for drawn in ax.lines if drawn.get_linewidth() < 1).get_ydata(), float)
    np.testing.assert_array_equal(thin.reshape(3, -1)[:, :-1], curves(10).astype(np.float32))
    assert np.isnan(thin.reshape(3, -1)[:, -1]).all(), "a gap between seeds"
    np.testing.assert_allclose(
        np.asarray(thick[0].get_ydata(), float), curves(10).astype(np.float32).mean(axis=0), rtol=1e-6
    )
    np.testing.assert_allclose(np.asarray(thick[0].get_xdata(), float), np.linspace(0.04, 0.04 * N_TESTS, N_TESTS))
    assert "learning episodes (thousands)" in ax.get_xlabel()
    assert ax.get_ylabel() == "test return\n(sum over agents and steps)"


def test_picture_names_what_has_not_been_run(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5, n_seeds=2)})
    panels = (
        Panel("Game", (line(GOOD), line(BAD), line(NEVER)), "test return"),
        Panel("Empty", (line(NEVER),), "test return"),
        Panel("Other", (line(GOOD), line(BAD), line(NEVER)), "test return"),
    )
    shown = drawing(desk, figure(*panels))
    words = texts(shown.picture).replace("\n", " ")
    assert "Not run: Never; Empty." in words
    assert "Bad: 2 of 3 seeds" in words
    assert "3 seeds a line, 40,000 of 320,000 environment steps each (profile quick)" in words
    assert [title for title, _ in shown.views] == ["Game", "Other"]
    assert len(shown.picture.axes) == 2, "no frame around nothing"


def test_panels_with_other_names_say_each_what_has_not_been_run(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    panels = (
        Panel("a", (line(GOOD, "0.1"), line(NEVER, "0.2")), "y"),
        Panel("b", (line(GOOD, "0.2"), line(NEVER, "0.3")), "y"),
    )
    words = texts(drawn(desk, figure(*panels)))
    assert "not run: 0.2" in words and "not run: 0.3" in words and "Not run" not in words


def test_picture_of_nothing_says_so_and_is_small(tmp_path: Path) -> None:
    shown = drawing(stored(tmp_path, {}), figure(Panel("Game", (line(NEVER),), "test return")))
    assert "Nothing of this figure has been run: Game." in texts(shown.picture)
    assert shown.views == () and not shown.picture.axes
    assert shown.picture.get_size_inches()[1] < 0.5


def test_mean_ends_where_a_seed_diverges_and_the_seeds_go_on(tmp_path: Path) -> None:
    values = curves(10)
    values[1, 30:] = np.nan
    values[:, 0] = np.nan  # nothing could be measured yet
    desk = stored(tmp_path, {GOOD: values})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = drawn(desk, figure(Panel("Game", (line(GOOD),), "test return")))
    thick = next(drawn for drawn in picture.axes[0].lines if drawn.get_linewidth() > 1)
    assert np.isfinite(np.asarray(thick.get_ydata(), float)).tolist() == [False, *[True] * 29, *[False] * 10]
    assert np.isfinite(np.asarray(picture.axes[0].lines[0].get_ydata(), float))[30:N_TESTS].all()
    assert "Good: 1 of 3 seeds diverged" in texts(picture)


def test_curves_that_only_begin_late_have_not_diverged(tmp_path: Path) -> None:
    values = curves(10)
    values[:, :3] = np.nan
    desk = stored(tmp_path, {GOOD: values})
    assert "diverged" not in texts(drawn(desk, figure(Panel("Game", (line(GOOD),), "test return"))))


def test_axis_is_cut_at_a_transient_and_says_so(tmp_path: Path) -> None:
    values = curves(-500)
    values[:, :2] = -4012.0
    picture = drawn(stored(tmp_path, {GOOD: values}), figure(Panel("Game", (line(GOOD),), "test return")))
    assert picture.axes[0].get_ylim()[0] > -520
    assert "axis cut below at ▼: values reach −4,012" in texts(picture)


def test_axis_is_cut_at_a_transient_of_a_seventh_of_the_training() -> None:
    values = curves(-500, n_tests=100)
    values[:, :15] = -1200.0
    found = limits([values])
    assert found.low > -520 and found.cut_low == -1200.0


def test_levels_that_are_near_are_within_the_axis_and_far_ones_are_not() -> None:
    values = curves(10)  # from 6 to 12
    found = limits([values], [4.0, 13.0, 400.0])
    assert found.low < 4 and 13 < found.high < 20


def test_where_nobody_has_learnt_the_axis_shows_every_level() -> None:
    noise = np.random.default_rng(1).normal(size=(5, 80))
    assert limits([noise], [0.0, 100.0]).high > 100
    alone = limits([noise])
    assert alone.high - alone.low > 2.9 * np.ptp(noise)
    assert limits([noise + noise.max() - 2 * noise.min()]).low == 0.0
    learnt = noise + np.linspace(0.0, 10.0, 80)
    assert limits([learnt], [0.0, 100.0]).high < 50
    assert limits([noise, learnt], [0.0, 100.0]).high < 50


def test_where_one_seed_has_learnt_the_axis_is_as_long_as_what_is_drawn() -> None:
    """Of five seeds one is no mean that has moved beyond chance."""
    values = np.random.default_rng(1).normal(size=(5, 80))
    values[0, 40:] += 30.0
    found = limits([values])
    assert found.high - found.low < 1.2 * np.ptp(values)


def test_few_points_are_means_of_all_tests() -> None:
    values = np.random.default_rng(0).normal(size=(3, 7 * MOST_POINTS))
    x, few, every = thinned(np.arange(7.0 * MOST_POINTS), values)
    assert (few.shape, every) == ((3, MOST_POINTS), 7)
    np.testing.assert_allclose(few, values.reshape(3, -1, 7).mean(axis=-1))
    np.testing.assert_allclose(x, np.arange(7.0 * MOST_POINTS).reshape(-1, 7).mean(axis=-1))
    x, few, every = thinned(np.arange(130.0), np.ones((2, 130)), 50)
    assert every == 3 and len(x) == few.shape[1] == 44 and (few == 1.0).all()


def test_no_seed_is_cut_away() -> None:
    values = curves(-500)
    values[1] = -4000.0
    found = limits([values], [-480.0])
    assert found.low < -4000
    assert np.isnan([found.cut_low, found.cut_high]).all()


def test_learning_is_not_a_transient() -> None:
    slow = -700 + 300 * (1 - np.exp(-5 * np.linspace(0, 1, 100)))
    assert limits([np.stack([slow, slow + 5])]).low < -700


def test_ticks_that_lie_close_together_are_told_apart() -> None:
    written = Numbers().format_ticks
    assert written([-400, -200, 0]) == ["−400", "−200", "0"]
    assert written([0.25, 0.5]) == ["0.25", "0.5"]
    assert written([-200.0, -199.95, -199.9]) == ["−200.00", "−199.95", "−199.90"]
    assert written([12_000.0, 12_000.5]) == ["12,000.0", "12,000.5"]
    assert written([3.0]) == ["3"]


def test_limits_of_nothing_and_of_a_constant() -> None:
    assert limits([np.full((2, 3), np.nan)])[:2] == (0.0, 1.0)
    for n_tests in (3, 20):
        low, high, *_ = limits([np.zeros((2, n_tests))])
        assert -0.1 < low < 0 < high, "a total that has stayed 0 has nothing below it"


def test_band_is_student_t_by_hand() -> None:
    mean, low, high = mean_and_band(np.array([[1.0], [2.0], [3.0]]))
    assert mean[0] == 2.0
    assert high[0] - 2.0 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert 2.0 - low[0] == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)


def test_svg_has_the_same_bytes_twice_and_global_settings_stay(tmp_path: Path) -> None:
    desk = stored(tmp_path / "store", {GOOD: curves(10), BAD: curves(5)})
    shown = figure(Panel("Game", (line(GOOD), line(BAD)), "test return"))
    before = dict(mpl.rcParams)
    svg, png = save(opened(desk, shown), tmp_path / "one", png=True)
    other, other_png = save(opened(desk, shown), tmp_path / "two", png=True)
    assert (svg.name, png.name, svg.parent.name) == ("fig1.svg", "fig1.png", "synthetic")
    assert svg.read_bytes() == other.read_bytes()
    assert png.read_bytes() == other_png.read_bytes()
    assert b"<dc:date>" not in svg.read_bytes()
    assert b'"clip1"' in svg.read_bytes() and not CLIP_NAME.search(svg.read_text(encoding="utf-8"))
    assert dict(mpl.rcParams) == before
    assert save(opened(desk, shown), tmp_path / "three") == (tmp_path / "three" / "synthetic" / "fig1.svg",)


def lettered() -> Picture:
    """A picture with letters of every kind, at two sizes, and with images."""
    picture = Picture((4, 3))
    ax = picture.add_subplot(title="−10 ≈ office $x^2$", xlabel="10\nof ▲")
    ax.imshow([[1, 2], [3, 4]])
    ax.pcolormesh([[1, 2], [3, 4]], rasterized=True)
    ax.text(0.5, 0.5, "10", size=17, ha="center")
    ax.text(0.5, 1.5, "10", size=17, weight="bold")
    return picture


@mpl.rc_context({"svg.hashsalt": "a"})
def test_texts_are_written_as_matplotlib_does_however_often_they_stand_in_pictures() -> None:
    metadata: Any = {"Date": None, "Creator": None, "Title": "Letters"}
    for _ in range(2):
        by_matplotlib = io.StringIO()
        FigureCanvasSVG(lettered()).print_svg(by_matplotlib, metadata=metadata)  # type: ignore[no-untyped-call]
        assert as_svg(lettered(), "Letters") == by_matplotlib.getvalue()


def test_a_picture_of_long_curves_is_small(tmp_path: Path) -> None:
    cells = [cell(f"Method {i}", 10 + i) for i in range(8)]
    desk = stored(tmp_path / "store", {one: curves(10 * i, 3, 2000) for i, one in enumerate(cells)})
    lines = tuple(line(one) for one in cells)
    budgets = {profile: {"Game": Budget(3, 2_000_000)} for profile in ("smoke", "quick", "paper")}
    shown = replace(figure(*(Panel(str(i), lines, "test return") for i in range(8))), budgets=budgets)
    (svg,) = save(opened(desk, shown), tmp_path)
    assert svg.stat().st_size < 300_000


def test_a_picture_is_drawn_again_only_where_it_would_be_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = figure(Panel("Game", (line(GOOD),), "test return"))
    desk = stored(tmp_path / "store", {GOOD: curves(10)})
    (svg,) = save(opened(desk, shown), tmp_path)
    whole = svg.read_bytes()
    calls: list[Figure] = []

    def counted(exhibit: Exhibit, band: Band | None = None) -> Drawing:
        calls.append(exhibit.figure)
        return draw(exhibit, band)

    monkeypatch.setattr("benchmarks._drawing.curves.draw", counted)
    save(opened(stored(tmp_path / "store", {}), shown), tmp_path)
    assert not calls and svg.read_bytes() == whole
    svg.write_bytes(whole[:-100])  # cut off while it was written
    save(opened(desk, shown), tmp_path)
    assert len(calls) == 1 and svg.read_bytes() == whole
    again = stored(tmp_path / "other", {GOOD: curves(10) + 0.5})
    save(opened(again, shown), tmp_path)
    assert len(calls) == 2 and svg.read_bytes() != whole, "other values"
    save(opened(again, figure(Panel("Game", (line(GOOD, "Best"),), "test return"))), tmp_path)
    assert len(calls) == 3, "another name"
    with_level = figure(Panel("Game", (line(GOOD, "Best"),), "test return", levels=(Level("a", 9.0),)))
    save(opened(again, with_level), tmp_path)
    assert len(calls) == 4, "another level"
    monkeypatch.setattr("benchmarks._drawing.origins.code", lambda paper: "other code")
    save(opened(again, with_level), tmp_path)
    assert len(calls) == 5, "other code"


def test_every_panel_is_a_view_of_the_picture(tmp_path: Path) -> None:
    desk = stored(tmp_path / "store", {GOOD: curves(10)})
    titles = ("a", "b & c", "d")
    (svg,) = save(opened(desk, figure(*(Panel(title, (line(GOOD),), "y") for title in titles))), tmp_path)
    views = views_of(svg.read_text(encoding="utf-8"))
    assert [title for title, _, _ in views] == ["a", "b &amp; c", "d"]
    assert {width for _, width, _ in views} == {252.0}


def test_clips_are_called_by_their_order() -> None:
    one = (
        '<g clip-path="url(#p0123456789)"/><g clip-path="url(#pabcdef0123)"/><clipPath id="p0123456789"/> place1234567'
    )
    assert with_counted_clips(one) == (
        '<g clip-path="url(#clip1)"/><g clip-path="url(#clip2)"/><clipPath id="clip1"/> place1234567'
    )


def test_a_method_has_one_colour_in_all_figures_of_its_paper() -> None:
    from benchmarks._catalogue import figures  # noqa: PLC0415 - the papers, not the drawing, are looked at here

    for kin in papers(figures()):
        palette = Palette.of(kin[0], kin)
        for other in kin:
            assert Palette.of(other, kin).styles == palette.styles
            for panel in other.panels:
                styles = [palette.style(item) for item in panel.lines]
                assert len(set(styles)) == len(styles), f"{other.id} {panel.title}"
                assert {item.cell.name for item in panel.lines if palette.style(item) in OF_NOBODY.values()} <= set(
                    OF_NOBODY
                )


def test_plates_have_the_colours_of_curves() -> None:
    from benchmarks._catalogue import figures  # noqa: PLC0415
    from benchmarks.dimapg import METHODS  # noqa: PLC0415
    from benchmarks.dimapg._pursuit import COLOURS as PURSUIT  # noqa: PLC0415
    from benchmarks.mace._plates import COLOURS as MACE  # noqa: PLC0415

    kin = {paper[0].paper.name: paper for paper in papers(figures())}
    plates: dict[str, dict[str, str]] = {"mace": MACE, "dimapg": dict(zip(METHODS, PURSUIT, strict=True))}
    for name, colours in plates.items():
        styles = Palette.of(kin[name][0], kin[name]).styles
        assert {method: styles[method, ""].colour for method in colours} == colours


def test_a_legend_names_what_has_been_run_and_what_the_paper_prints(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    levels = (Level("printed of Good", 11.0, printed=True), Level("chance", 7.0))
    panel = Panel("Game", (line(GOOD), line(NEVER)), "test return", levels=levels)
    assert [key.label for key in keys_of(opened(desk, figure(panel)))] == ["Good", "printed in the paper"]
    assert "printed in the paper" in texts(drawn(desk, figure(panel)))


def test_panels_with_other_names_have_their_own_legends(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    same = drawn(desk, figure(*(Panel(t, (line(GOOD), line(BAD)), "test return") for t in "ab")))
    assert len(same.legends) == 1
    assert all(ax.get_legend() is None for ax in same.axes)
    other = drawn(desk, figure(Panel("a", (line(GOOD, "x"),), "y"), Panel("b", (line(BAD, "x"),), "y")))
    assert not other.legends
    assert all(ax.get_legend() is not None for ax in other.axes)


@dataclass(frozen=True)
class Marked:
    """A plate of our seeds beside a printed number."""

    title: str
    cells: tuple[Cell, ...]
    words: str = "Discs."

    def draw(self, ax: Any, runs: Any) -> None:
        values = np.array([run.metrics["test return greedy"][-1] for run in runs[0].values()], np.float64)
        draw_seeds(ax, 0, values, "#0072b2")
        draw_printed(ax, 0, 11.0, "#0072b2")


def test_plates_have_a_legend_of_what_is_ours_and_what_is_printed_and_views_of_what_has_been_run(
    tmp_path: Path,
) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    plates = (Marked("Here", (GOOD,)), Marked("There", (NEVER,)), Marked("Too", (GOOD,)))
    shown = drawing(desk, figure(plates=plates, published=("11",)))
    (legend,) = shown.picture.legends
    assert [text.get_text() for text in legend.get_texts()] == [SEED, MEAN, PRINTED]
    assert [title for title, _ in shown.views] == ["Here", "Too"]
    assert "Not run: There." in texts(shown.picture)
    (first, second) = (box for _, box in shown.views)
    assert first.x + first.width == pytest.approx(second.x) and second.x + second.width == pytest.approx(7.0)


# ---- as printed -----------------------------------------------------------------------------------------------------


def shades(picture: Any) -> Floats:
    """The band of the first line of the first panel, as drawn. Shapes: [2, N], low and high."""
    outline = picture.axes[0].collections[0].get_paths()[0].vertices
    by_x = {x: outline[outline[:, 0] == x, 1] for x in np.unique(outline[:, 0])}
    return np.array([[y.min(), y.max()] for y in by_x.values()]).T


@pytest.mark.parametrize(("deviations", "said"), [(0.5, "mean ± half a standard deviation"), (None, "lowest")])
def test_a_paper_s_own_band_is_drawn_without_the_seeds(tmp_path: Path, deviations: float | None, said: str) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    shown = figure(Panel("Game", (line(GOOD),), "test return"), printed_band=Band(deviations, smooth=4))
    picture = drawn(desk, shown, shown.printed_band)
    words = texts(picture).replace("\n", " ")
    assert said in words and "moving averages of 4 tests" in words
    (thick,) = picture.axes[0].lines
    values = curves(10).astype(np.float32).astype(np.float64)
    smooth = np.stack([values[:, i : i + 4].mean(axis=1) for i in range(N_TESTS - 3)], axis=1)
    half = 0.5 * smooth.std(axis=0, ddof=1)
    ends = (smooth.min(axis=0), smooth.max(axis=0))
    np.testing.assert_allclose(np.asarray(thick.get_ydata(), float), smooth.mean(axis=0))
    assert np.asarray(thick.get_xdata(), float)[0] == pytest.approx(0.16)
    band = (smooth.mean(axis=0) - half, smooth.mean(axis=0) + half) if deviations else ends
    np.testing.assert_allclose(shades(picture), band)


def test_the_picture_as_printed_is_a_second_one(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    shown = figure(Panel("Game", (line(GOOD),), "test return"), printed_band=Band(1.0))
    paths = save(opened(desk, shown), tmp_path)
    assert [path.name for path in paths] == ["fig1.svg", "fig1-as-printed.svg"]
    assert len({path.read_bytes() for path in paths}) == 2
    assert len(save(opened(desk, figure(Panel("Game", (line(GOOD),), "test return"))), tmp_path)) == 1


def test_one_legend_names_what_has_been_run_in_any_panel_and_long_names_stand_above(tmp_path: Path) -> None:
    other = cell("Good", 7)
    desk = stored(tmp_path, {BAD: curves(5), other: curves(10)})
    panels = (
        Panel("a", (line(GOOD), line(BAD)), "y"),
        Panel("b", (line(other), line(BAD)), "y"),
    )
    shown = drawn(desk, figure(*panels))
    (legend,) = shown.legends
    assert {text.get_text() for text in legend.get_texts()} == {"Good", "Bad"}
    long = drawn(desk, figure(Panel("a", (line(BAD, "a name that is too long for what is left beside"),), "y")))
    box = long.legends[0].get_window_extent()
    assert 0 <= box.x0 < box.x1 <= long.bbox.width


def test_what_is_not_counted_in_episodes_says_so(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    picture = drawn(desk, figure(Panel("Game", (line(GOOD),), "error", against="iterations")))
    (thick,) = (drawn for drawn in picture.axes[0].lines if drawn.get_linewidth() > 1)
    assert np.asarray(thick.get_xdata(), float)[-1] == N_TESTS
    assert picture.axes[0].get_xlabel() == "iterations (thousands)"
    assert "40,000 of 320,000 iterations each" in texts(picture).replace("\n", " ")


def test_long_names_above_a_figure_stand_in_as_many_rows_as_they_need(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    pairs = [(GOOD, "test return greedy"), (BAD, "test return greedy"), (NEVER, "test return greedy")]
    lines = tuple(Line(f"a name of a method that is long, {of.name}", of, metric) for of, metric in pairs)
    picture = drawn(desk, figure(*(Panel(title, lines, "test return") for title in ("one", "two"))))
    picture.canvas.draw()
    (legend,) = picture.legends
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= picture.bbox.width
    assert box.y0 > max(ax.get_window_extent().y1 for ax in picture.axes)


def test_levels_are_lines_where_the_axis_reaches_them_and_words_beyond_it(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10), BAD: curves(5)})
    measured = Score(BAD, Metric("test return greedy", "larger"), Final(window=3))
    levels = (Level("chance", 7.0), Level("chance, too", 7.0), Level("measured", measured), Level("script", 400.0))
    panel = Panel("Game", (line(GOOD), line(BAD)), "test return", levels=levels)
    picture = drawn(desk, figure(panel))
    (ax,) = picture.axes
    across = [item.get_ydata()[0] for item in ax.lines if list(item.get_xdata()) == [0, 1]]
    assert across[1:] == [7.0, 7.0]
    assert len(across) == 3
    said = [text.get_text() for text in ax.texts]
    assert "chance, chance, too" in said
    assert any("above: script 400" in text for text in said)


def boxes_of(picture: Any, written: list[Any]) -> list[Any]:
    """Where texts lie. Units: pixels."""
    canvas: Any = FigureCanvasAgg(picture)
    renderer = canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in written]


def test_names_of_levels_are_not_written_over_one_another(tmp_path: Path) -> None:
    values = np.linspace(-312.0, -190.0, N_TESTS) + np.random.default_rng(0).normal(size=(3, N_TESTS))
    levels = tuple(Level(f"level {value}", float(value)) for value in (-122, -150, -313))
    shown = figure(Panel("Game", (line(GOOD),), "test return", levels=levels))
    picture = drawn(stored(tmp_path, {GOOD: values}), shown)
    names = [text for text in picture.axes[0].texts if text.get_text().startswith("level")]
    first, second, third = boxes_of(picture, names)
    assert not (first.overlaps(second) or second.overlaps(third) or first.overlaps(third))


def test_long_names_and_ticks_stay_within_the_picture(tmp_path: Path) -> None:
    of_samples = {"quick": {"Game": Budget(3, 1_000_000)}}
    panels = [
        Panel(title, (line(GOOD),), "share of the episodes that succeed in time", against="samples") for title in "ab"
    ]
    shown = figure(*panels)
    desk = stored(tmp_path, {GOOD: curves(10, n_tests=1_000)})
    picture = drawn(desk, replace(shown, budgets={**shown.budgets, **of_samples}))
    picture.draw_without_rendering()
    assert len(picture.axes) == 2
    for ax in picture.axes:
        ticks = [label for label in ax.get_xticklabels() if label.get_text() == "1,000"]
        assert len(ticks) == 1
        (name,) = boxes_of(picture, [ax.yaxis.label])
        of_axes = ax.get_window_extent()
        assert of_axes.y0 - 1 < name.y0 and name.y1 < of_axes.y1 + 1
        for box in boxes_of(picture, [ax.yaxis.label, *ticks]):
            assert box.x0 >= 0 and box.x1 <= picture.bbox.x1


def test_a_level_that_nobody_has_run_is_left_out(tmp_path: Path) -> None:
    desk = stored(tmp_path, {GOOD: curves(10)})
    level = Level("chance", Score(NEVER, Metric("test return greedy", "larger"), Final(window=3)))
    (ax,) = drawn(desk, figure(Panel("Game", (line(GOOD),), "test return", levels=(level,)))).axes
    assert not [item for item in ax.lines if list(item.get_xdata()) == [0, 1]]
