"""A figure as a picture: every line's mean over seeds, its 95 % interval, and every seed.

    paths = save(exhibit, Path("reports/figures"))     # reports/figures/ctedd/fig5.svg, .png

Where the paper shades something else, there is a second picture as the paper draws it: fig5-as-printed.svg, .png.

Nothing is left out in silence. A line that has not been run is named above its panel and in the legend; a mean over
seeds of which one diverged does not exist and is not drawn, the seeds are; where a few tests lie so far away that they
would flatten all others, the axis is cut, the cut is marked, and how far they reach is said.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Picture
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from benchmarks import Band, Figure, Floats, Line, Panel, Score
from benchmarks._drawing.plates import GREY
from benchmarks._drawing.style import Palette, Style, method, settings
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.samples import Bundle
from benchmarks._judging.statistics import mean_interval

WIDTH = 7.0  # inches: the text of a page of A4 or letter
PANEL_HEIGHT = 2.35
PLATE_HEIGHT = 3.3
DPI = 180
PNG_COLOURS = 256
CLIP_NAME = re.compile(r"\bp[0-9a-f]{10}\b")
NOTE_COLUMNS = 44  # characters of a line above a panel
UNIT_COLUMNS = 34  # and beside it
FOOT_COLUMNS = 116

FAR = 3.0  # an axis is cut where all values reach this many times as far as nine tenths of every seed's curve do
MARGIN = 0.6  # of those nine tenths' range, kept on the side that is cut


CLOSE = 0.06  # levels that are nearer to each other, as a share of the axis, have one label

AS_PRINTED = "-as-printed"


class Drawn(NamedTuple):
    """A line and its numbers. `asked` is how many seeds there should be, `x` where its tests are, in thousands."""

    line: Line
    bundle: Bundle
    asked: int
    x: Floats

    @property
    def diverged(self) -> int:
        """Seeds that have a value that is not finite after one that is, or no finite value at all."""
        return sum(not np.isfinite(curve[self.first :]).all() for curve in self.bundle.values)

    @property
    def first(self) -> int:
        """Where the metric begins: before it nothing could be measured in any seed."""
        known = np.isfinite(self.bundle.values).any(axis=0)
        return int(known.argmax()) if known.any() else 0


# ------------------------------------------------------------------------------------------------------------ drawing


def save(exhibit: Exhibit, folder: Path) -> tuple[Path, ...]:
    """`<folder>/<paper>/<figure>.svg` and `.png`, and both as printed; the same numbers give the same bytes of SVG."""
    figure = exhibit.figure
    written = _written(figure, draw(exhibit), folder / figure.id)
    if figure.printed_band is None:
        return written
    as_printed = draw(exhibit, figure.printed_band)
    return *written, *_written(figure, as_printed, folder / f"{figure.id}{AS_PRINTED}")


def _written(figure: Figure, picture: Picture, stem: Path) -> tuple[Path, Path]:
    """The picture in both formats, laid out once."""
    svg, png = (stem.with_name(f"{stem.name}.{kind}") for kind in ("svg", "png"))
    svg.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(settings(figure)):
        svg.write_text(with_counted_clips(_as_text(picture, figure.title)), encoding="utf-8")
        # With few colours, a quarter of the bytes.
        _as_pixels(picture).quantize(PNG_COLOURS, Image.Quantize.FASTOCTREE).save(png, dpi=(DPI, DPI))
    return svg, png


def _as_text(picture: Picture, title: str) -> str:
    """SVG, after which the places of the axes are settled."""
    text, dpi = io.StringIO(), picture.dpi  # the latter of images in it
    canvas: Any = FigureCanvasSVG(picture)
    engine: Any = picture.get_layout_engine()
    picture.set_dpi(72)
    engine.execute(picture)
    picture.set_layout_engine("none")
    picture.set_dpi(dpi)
    canvas.print_svg(text, metadata={"Date": None, "Creator": None, "Title": title})
    return text.getvalue()


def _as_pixels(picture: Picture) -> Image.Image:
    """The same at print resolution, without transparency."""
    picture.set_dpi(DPI)
    canvas: Any = FigureCanvasAgg(picture)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def with_counted_clips(svg: str) -> str:
    """The same picture with its clipping rectangles called clip1, clip2, … in the order in which they are used.

    matplotlib calls them by a hash of their coordinates, whose last bits are not the same in every process.
    """
    counted: dict[str, str] = {}
    return CLIP_NAME.sub(lambda found: counted.setdefault(found[0], f"clip{len(counted) + 1}"), svg)


def draw(exhibit: Exhibit, band: Band | None = None) -> Picture:
    """The figure at print width, with the 95 % interval and every seed, or with the `band` of the paper alone.

    It belongs to no window and no global list, so nothing has to be closed.
    """
    figure = exhibit.figure
    if figure.plates:
        return _draw_plates(exhibit)
    palette = Palette.of(figure, exhibit.kin)
    with mpl.rc_context(settings(figure)):
        n_columns = min(2, len(figure.panels))
        n_rows = -(-len(figure.panels) // n_columns)
        foot, foot_height = _foot(footnotes(exhibit, band))
        lines = [[gathered(exhibit, panel, line, band) for line in panel.lines] for panel in figure.panels]
        shared = alike(lines, palette)
        n_heads = -(-len(lines[0]) // head_columns(lines)) if shared and n_rows * n_columns == len(lines) else 0
        head_height = round(0.13 + 0.17 * n_heads, 2) if n_heads else 0.0
        legend_height = 0.0 if shared else 0.1 + 0.17 * max(-(-len(drawn) // legend_columns(drawn)) for drawn in lines)
        picture = _sheet(n_rows * (PANEL_HEIGHT + legend_height), head_height, foot, foot_height)
        axes: list[Axes] = list(picture.subplots(n_rows, n_columns, squeeze=False).ravel())
        notes = [_draw_panel(ax, drawn, palette, band) for ax, drawn in zip(axes, lines, strict=False)]
        for i, (ax, panel) in enumerate(zip(axes, figure.panels, strict=False)):
            notes[i] += _draw_levels(ax, exhibit, panel) if ax.lines else []
        for i, (ax, panel) in enumerate(zip(axes, figure.panels, strict=False)):
            row = i // n_columns * n_columns
            _write_title(ax, panel.title, notes[i], max(len(note) for note in notes[row : row + n_columns]))
            ax.set_xlim(0, reach(exhibit, panel))
            if i + n_columns >= len(figure.panels):
                ax.set_xlabel(f"{panel.against} (thousands)")
        labels = [ylabel(exhibit, panel) for panel in figure.panels]
        for i, (ax, label) in enumerate(zip(axes, labels, strict=False)):
            if i % n_columns == 0 or len(set(labels)) > 1:
                ax.set_ylabel(label)
        _add_legend(picture, axes, lines, palette, shared)
        for ax in axes[len(figure.panels) :]:
            ax.set_axis_off()
        _open_frames(picture)
        return picture


def _draw_plates(exhibit: Exhibit) -> Picture:
    """Plates side by side; one of which a cell has not been run stays empty and says so."""
    figure = exhibit.figure
    with mpl.rc_context(settings(figure)):
        n_columns = min(2, len(figure.plates))
        n_rows = -(-len(figure.plates) // n_columns)
        legends = dict.fromkeys(plate.words for plate in figure.plates if plate.words)
        foot, foot_height = _foot([f"{exhibit.extent} (profile {exhibit.profile}).", *legends])
        picture = _sheet(n_rows * PLATE_HEIGHT, 0.0, foot, foot_height)
        axes: list[Axes] = list(picture.subplots(n_rows, n_columns, squeeze=False).ravel())
        for ax, plate in zip(axes, figure.plates, strict=False):
            ax.set_title(plate.title, loc="left", fontweight="bold")
            runs = [exhibit.sample(cell).measured for cell in plate.cells]
            if all(runs):
                plate.draw(ax, runs)
            else:
                ax.set_xticks([])
                _write_not_run(ax)
        for ax in axes[len(figure.plates) :]:
            ax.set_axis_off()
        _open_frames(picture)
        return picture


def _open_frames(picture: Picture) -> None:
    """Leaves of every frame the left and the lower side."""
    for ax in picture.axes:
        for name in ("left", "bottom", "top", "right"):
            ax.spines[name].set_visible(name in ("left", "bottom"))


def _foot(texts: Iterable[str]) -> tuple[str, float]:
    """What stands below a picture, and how high that is in inches."""
    foot = "\n".join(line for text in texts for line in textwrap.wrap(text, FOOT_COLUMNS))
    return foot, 0.1 + 0.155 * (foot.count("\n") + 1)


def _sheet(axes_height: float, head_height: float, foot: str, foot_height: float) -> Picture:
    """A picture at print width without axes, with room for them. Units: inches."""
    height = axes_height + head_height + foot_height
    picture = Picture(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(picture)
    engine: Any = picture.get_layout_engine()
    inner = 1 - (head_height + foot_height) / height
    engine.set(rect=(0, foot_height / height, 1, inner), w_pad=0.05, h_pad=0.05)
    picture.text(0.008, 0.05 / height, foot, fontsize=8, color="0.3", va="bottom", linespacing=1.3)
    return picture


def gathered(exhibit: Exhibit, panel: Panel, line: Line, band: Band | None = None) -> Drawn:
    """A line with its numbers, smoothed as a band asks for."""
    bundle = exhibit.bundle(line.cell, line.metric)
    if band is not None and bundle.values.shape[1] >= band.smooth:
        smooth = sliding_window_view(bundle.values, band.smooth, axis=1).mean(axis=-1)
        bundle = Bundle(bundle.seeds, bundle.steps[band.smooth - 1 :], smooth)
    return Drawn(line, bundle, exhibit.budget(line.cell).n_seeds, thousands(panel, line, bundle.steps))


def thousands(panel: Panel, line: Line, steps: Floats) -> Floats:
    """Where on the axis of a panel steps are. Units: thousands of what the panel counts in."""
    return line.share * steps / 1000 / (line.cell.env.horizon if panel.against == "learning episodes" else 1)


def asked(exhibit: Exhibit, panel: Panel, line: Line) -> float:
    """How far a line of a panel goes, whether or not all of it has been run. Units: thousands of what it counts in."""
    return float(thousands(panel, line, np.asarray(exhibit.budget(line.cell).n_steps)))


def reach(exhibit: Exhibit, panel: Panel) -> float:
    """How far the axis of a panel goes. Units: thousands of what it counts in."""
    partly = [line for line in panel.lines if line.share != 1]
    return max(asked(exhibit, panel, line) for line in partly or panel.lines)


def _draw_panel(ax: Axes, drawn: Sequence[Drawn], palette: Palette, band: Band | None) -> list[str]:
    """Seeds below, bands above them, means on top. What is missing, diverged or cut comes back, in lines of text."""
    for item in drawn:
        style = palette.style(item.line)
        if band is None and item.bundle.seeds:
            known = np.where(np.isfinite(item.bundle.values), item.bundle.values, np.nan)
            ax.plot(item.x, known.T, color=style.colour, lw=0.5, alpha=0.35, zorder=2)
        if len(item.bundle.seeds) > 1:
            mean, low, high = mean_and_band(item.bundle.values, band)
            ax.fill_between(item.x, low, high, color=style.colour, alpha=0.16, lw=0, zorder=3)
            ax.plot(item.x, mean, color=style.colour, ls=style.dashes, lw=1.6, zorder=4)
    notes = shortcomings(drawn)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(Numbers())
    if any(item.bundle.seeds for item in drawn):
        notes += _limit(ax, drawn, palette)
        ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        ax.yaxis.set_major_formatter(Numbers())
    else:
        _write_not_run(ax)
    return [line for note in notes for line in textwrap.wrap(note, NOTE_COLUMNS)]


def _draw_levels(ax: Axes, exhibit: Exhibit, panel: Panel) -> list[str]:
    """A line for each level that the axis reaches; of those beyond it, which it leaves as it is, a text comes back."""
    low, high = ax.get_ylim()
    within: dict[float, str] = {}
    beyond: dict[str, list[str]] = {"below": [], "above": []}
    for level in panel.levels:
        values = exhibit.scores(level.value).values if isinstance(level.value, Score) else np.array([level.value])
        if not len(values) or not np.isfinite(values).all():
            continue
        value = float(values.mean())
        if not low < value < high:
            beyond["above" if value > low else "below"].append(f"{level.label} {number(value)}")
            continue
        if len(values) > 1:
            first, last = mean_interval(values)
            ax.axhspan(float(first), float(last), color=GREY, alpha=0.16, lw=0, zorder=1)
        ax.axhline(value, color=GREY, lw=0.8, ls=(0, (1, 1.5)), zorder=1)
        near = next((other for other in within if abs(other - value) < CLOSE * (high - low)), value)
        label = f"{within.pop(near)}, {level.label}" if near in within else level.label
        within[min(near, value)] = label
    for value, label in within.items():
        if value > high - CLOSE * (high - low):  # no place for a name over it
            beyond["dotted"] = [f"{label} {number(value)}"]
        else:
            _name_level(ax, value, label, under=value > low + CLOSE * (high - low))
    return [f"{where}: {', '.join(labels)}" for where, labels in beyond.items() if labels]


def _name_level(ax: Axes, value: float, label: str, *, under: bool) -> None:
    """The name of a level at the right, under its line or over it."""
    place: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points"}
    place |= {"xytext": (-2, -1.5 if under else 1.5), "va": "top" if under else "bottom", "ha": "right"}
    paper = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.6}
    ax.annotate(label, (1, value), fontsize=7, color="0.25", zorder=6, bbox=paper, **place)


def _write_not_run(ax: Axes) -> None:
    ax.set_yticks([])
    ax.text(0.5, 0.5, "not run", transform=ax.transAxes, ha="center", va="center", color="0.4", style="italic")


def _write_title(ax: Axes, title: str, notes: Sequence[str], n_lines: int) -> None:
    """The title, and below it the notes, in a space that is as high in all panels of a row."""
    ax.set_title(title, loc="left", fontweight="bold", pad=4 + 11 * n_lines)
    if notes:
        above: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "xytext": (0, 4),
            "va": "bottom",
        }
        ax.annotate("\n".join(notes), (0, 1), fontsize=8, color="0.3", linespacing=1.15, **above)


def _limit(ax: Axes, drawn: Sequence[Drawn], palette: Palette) -> list[str]:
    """Sets the y limits; where they cut, marks when and says how far the values go on."""
    low, high, cut_low, cut_high = limits([item.bundle.values for item in drawn])
    ax.set_ylim(low, high)
    notes = []
    for cut, edge, marker, word in ((cut_low, low, "v", "below"), (cut_high, high, "^", "above")):
        if not np.isfinite(cut):
            continue
        notes.append(f"axis cut {word} at {marker_name(marker)}: values reach {number(cut)}")
        for item in drawn:
            beyond = (item.bundle.values < low) if word == "below" else (item.bundle.values > high)
            x = item.x[beyond.any(axis=0)]
            if not len(x):
                continue
            colour = palette.style(item.line).colour
            ax.plot(x, np.full(len(x), edge), marker=marker, color=colour, ms=3.5, ls="", clip_on=False, zorder=5)
    return notes


def marker_name(marker: str) -> str:
    """The sign itself, as text."""
    return "▼" if marker == "v" else "▲"


def alike(lines: Sequence[Sequence[Drawn]], palette: Palette) -> bool:
    """Whether all panels use the same names for the same methods, so that one legend serves them."""
    named = [{(item.line.label, method(item.line, palette.main, palette.several)) for item in drawn} for drawn in lines]
    return all(names == named[0] for names in named)


def _add_legend(
    picture: Picture, axes: Sequence[Axes], lines: Sequence[Sequence[Drawn]], palette: Palette, shared: bool
) -> None:
    """One above the figure, or in its empty place, where it serves all panels; otherwise one below each."""
    if shared:
        run = {item.line.label for drawn in lines for item in drawn if item.bundle.seeds}
        handles = [_handle(item.line, palette.style(item.line), item.line.label in run) for item in lines[0]]
        frame: dict[str, Any] = {"frameon": False, "handlelength": 2.8, "columnspacing": 1.6}
        if len(axes) > len(lines):
            axes[-1].legend(handles=handles, loc="center", **frame)
        else:
            legend = picture.legend(
                handles=handles, loc="upper center", bbox_to_anchor=(0.5, 1.0), ncols=head_columns(lines), **frame
            )
            legend.set_in_layout(False)  # its room is kept free by the figure's rectangle
        return
    for ax, drawn in zip(axes, lines, strict=False):
        handles = [_handle(item.line, palette.style(item.line), bool(item.bundle.seeds)) for item in drawn]
        down = ScaledTranslation(0, -0.42 if ax.get_xlabel() else -0.22, picture.dpi_scale_trans)  # below the ticks
        below: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + down}
        ax.legend(
            handles=handles,
            ncols=legend_columns(drawn),
            frameon=False,
            handlelength=2.2,
            columnspacing=1,
            borderaxespad=0,
            **below,
        )


def head_columns(lines: Sequence[Sequence[Drawn]]) -> int:
    """How many names stand side by side above a figure, six at most: as many as its width holds of the longest ones."""
    run = {item.line.label for drawn in lines for item in drawn if item.bundle.seeds}
    names = sorted((item.line.label for item in lines[0]), key=len, reverse=True)
    widths = [0.55 + 0.07 * (len(name) + (0 if name in run else len(" (not run)"))) for name in names]
    return max((n for n in range(1, 7) if sum(sorted(widths, reverse=True)[:n]) <= WIDTH), default=1)


def legend_columns(drawn: Sequence[Drawn]) -> int:
    """Two where two names fit side by side below a panel, otherwise one."""
    longest = max(len(item.line.label) + (0 if item.bundle.seeds else len(" (not run)")) for item in drawn)
    return 2 if longest <= 18 else 1


def _handle(line: Line, style: Style, run: bool) -> Line2D:
    if run:
        return Line2D([], [], color=style.colour, ls=style.dashes, lw=1.6, label=line.label)
    return Line2D([], [], ls="", label=f"{line.label} (not run)")


# ------------------------------------------------------------------------------------------------------------ numbers


def mean_and_band(values: Floats, band: Band | None = None) -> tuple[Floats, Floats, Floats]:
    """Mean over seeds and its 95 % t interval, or a paper's band; NaN wherever one seed is not finite.

    Shapes: [S, N], S > 1 → [N].
    """
    whole = np.isfinite(values).all(axis=0)
    mean, low, high = (np.full(values.shape[1], np.nan) for _ in range(3))
    if whole.any():
        known = values[:, whole]
        mean[whole] = known.mean(axis=0)
        if band is None:
            low[whole], high[whole] = mean_interval(known)
        elif band.deviations is None:
            low[whole], high[whole] = known.min(axis=0), known.max(axis=0)
        else:
            half = band.deviations * known.std(axis=0, ddof=1)
            low[whole], high[whole] = mean[whole] - half, mean[whole] + half
    return mean, low, high


class Limits(NamedTuple):
    """Ends of an axis, and the furthest value beyond each (NaN where nothing is cut)."""

    low: float
    high: float
    cut_low: float
    cut_high: float


def limits(values: Iterable[Floats]) -> Limits:
    """All values and a little air; without the few that would flatten the rest.

    Nine tenths of every seed's curve stay visible, with a margin, so that no seed can vanish: only stretches shorter
    than a tenth of the training can be cut.
    """
    curves = [curve[np.isfinite(curve)] for metric in values for curve in metric]
    curves = [curve for curve in curves if curve.size]
    if not curves:
        return Limits(0.0, 1.0, np.nan, np.nan)
    lowest, highest = min(float(curve.min()) for curve in curves), max(float(curve.max()) for curve in curves)
    inner_low = min(float(np.quantile(curve, 0.1)) for curve in curves)
    inner_high = max(float(np.quantile(curve, 0.9)) for curve in curves)
    inner = inner_high - inner_low
    low, high = lowest, highest
    if inner > 0 and highest - lowest > FAR * inner:
        low, high = max(lowest, inner_low - MARGIN * inner), min(highest, inner_high + MARGIN * inner)
    air = 0.04 * (high - low) or abs(high) * 0.05 or 1.0
    cut_low = lowest if lowest < low else np.nan
    cut_high = highest if highest > high else np.nan
    return Limits(low if lowest < low else low - air, high if highest > high else high + air, cut_low, cut_high)


# -------------------------------------------------------------------------------------------------------------- words


def shortcomings(drawn: Sequence[Drawn]) -> list[str]:
    """What a panel should show and does not."""
    absent = [item.line.label for item in drawn if not item.bundle.seeds]
    notes = [f"not run: {', '.join(absent)}"] if absent and len(absent) < len(drawn) else []
    for item in drawn:
        if 0 < len(item.bundle.seeds) < item.asked:
            notes.append(f"{item.line.label}: {len(item.bundle.seeds)} of {item.asked} seeds")
        if item.diverged:
            notes.append(f"{item.line.label}: {item.diverged} of {len(item.bundle.seeds)} seeds diverged, mean ends")
    return notes


def footnotes(exhibit: Exhibit, band: Band | None = None) -> list[str]:
    """How many seeds, how much training, what the shades are, and the units in full."""
    figure = exhibit.figure
    budgets = {exhibit.budget(cell) for cell in figure.drawn}
    seeds = " or ".join(str(n) for n in sorted({budget.n_seeds for budget in budgets}))
    steps = " or ".join(f"{n:,}" for n in sorted({budget.n_steps for budget in budgets}))
    full = " or ".join(f"{n:,}" for n in sorted({figure.budget("paper", cell).n_steps for cell in figure.drawn}))
    of = f" of {full}" if full != steps else ""
    shades = (
        f"As the paper draws it: {band.words}."
        if band is not None
        else "Thick: mean over seeds. Thin: the seeds. "
        "Shaded: 95\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}t\N{NO-BREAK SPACE}interval of the mean."
    )
    first = f"{seeds} seeds a line, {steps}{of} {figure.step} each (profile {exhibit.profile}). {shades}"
    full_units = {(panel.ylabel, unit(exhibit, panel)): None for panel in figure.panels}
    return [first, *(f"{name.capitalize()}: {text}." for name, text in full_units if text)]


def ylabel(exhibit: Exhibit, panel: Panel) -> str:
    """What the panel measures and, where the runs that are there tell it in few words, what is summed over what."""
    text = unit(exhibit, panel).partition(" of ")[0]
    return f"{panel.ylabel}\n({text})" if 0 < len(text) <= UNIT_COLUMNS else panel.ylabel


def unit(exhibit: Exhibit, panel: Panel) -> str:
    """The unit in full, of the first run of what panels with this label show; empty where nothing has been run."""
    same = [panel, *(other for other in exhibit.figure.panels if other.ylabel == panel.ylabel)]
    for line in (line for other in same for line in other.lines):
        for run in exhibit.sample(line.cell).runs.values():
            return run.units[line.metric]
    return ""


class Numbers(Formatter):
    """Ticks as `number` writes them, or with as many decimals as it takes to tell neighbours apart."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """A place by itself."""
        return number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All ticks of an axis, in order."""
        if len(set(map(number, values))) == len(values):
            return [number(value) for value in values]
        step = min(after - before for before, after in pairwise(values))
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        return [f"{value:,.{decimals}f}".replace("-", "−") for value in values]


def number(value: float) -> str:
    """At most four digits, with a true minus and thousands apart: −4,012 or 0.25."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"
    return text.replace("-", "−")
