"""A figure as a picture: every line's mean over seeds, its 95 % interval, and every seed.

    paths = save(exhibit, Path("reports/figures"))     # reports/figures/ctedd/fig5.svg

Where the paper shades something else, there is a second picture as the paper draws it: fig5-as-printed.svg.

Nothing is left out in silence. What has not been run is named below the picture; a mean over seeds of which one
diverged does not exist and is not drawn, the seeds are; where an early transient would flatten all that follows, the
axis is cut, the cut is marked, and how far the values go is said.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from benchmarks import Band, Floats, Line, Panel, Score
from benchmarks._drawing import layout, svg
from benchmarks._drawing.layout import WIDTH, Box
from benchmarks._drawing.numbers import Limits, Numbers, limits, mean_and_band, number, points_of, thinned
from benchmarks._drawing.origins import origin
from benchmarks._drawing.plates import GREY, MEAN, PRINTED, SEED
from benchmarks._drawing.style import INK, Palette, Style, method, settings
from benchmarks._judging.exhibit import Exhibit
from benchmarks._judging.samples import Bundle
from benchmarks._judging.statistics import mean_interval

DPI = 180
PNG_COLOURS = 256
NOTE_COLUMNS = 48  # characters of a line above a panel
UNIT_COLUMNS = 34  # and beside it, of a unit
NAME_COLUMNS = 28  # and of what is measured
NAME = 0.075  # of an axis: what the name of a level needs above or below its line
CLOSE = 0.1  # levels that are nearer to each other, as a share of the axis, have one label

AS_PRINTED = "-as-printed"


class Drawn(NamedTuple):
    """A line and its numbers, of which every point is the mean of `every` tests at most.

    `asked` is how many seeds there should be, `x` where the points are, in thousands.
    """

    line: Line
    bundle: Bundle
    asked: int
    x: Floats
    every: int = 1

    @property
    def diverged(self) -> int:
        """Seeds that have a value that is not finite after one that is, or no finite value at all."""
        return sum(not np.isfinite(curve[self.first :]).all() for curve in self.bundle.values)

    @property
    def first(self) -> int:
        """Where the metric begins: before it nothing could be measured in any seed."""
        known = np.isfinite(self.bundle.values).any(axis=0)
        return int(known.argmax()) if known.any() else 0


class Across(NamedTuple):
    """A level: its mean over seeds and the ends of its interval, all the same where it is fixed."""

    label: str
    value: float
    low: float
    high: float
    is_printed: bool


class Prepared(NamedTuple):
    """A panel with all its numbers; `notes` are lines of text above it."""

    panel: Panel
    drawn: tuple[Drawn, ...]
    levels: tuple[Across, ...]
    limits: Limits
    notes: tuple[str, ...]


class Drawing(NamedTuple):
    """A picture, and where on it each panel is, by its title."""

    picture: Picture
    views: tuple[tuple[str, Box], ...]


# ------------------------------------------------------------------------------------------------------------ drawing


def save(exhibit: Exhibit, folder: Path, *, png: bool = False) -> tuple[Path, ...]:
    """`<folder>/<paper>/<figure>.svg`, and as printed; `png` asks for both as images as well.

    The same numbers give the same bytes. What lies there and was drawn from the same is left as it is.
    """
    figure = exhibit.figure
    bands = (None,) if figure.printed_band is None else (None, figure.printed_band)
    return tuple(path for band in bands for path in _saved(exhibit, band, folder / figure.id, png))


def _saved(exhibit: Exhibit, band: Band | None, stem: Path, png: bool) -> list[Path]:
    """One picture, drawn where it is not there."""
    name = stem.name if band is None else f"{stem.name}{AS_PRINTED}"
    target, image, drawn_from = stem.with_name(f"{name}.svg"), stem.with_name(f"{name}.png"), origin(exhibit, band)
    if png or not svg.is_of(target, drawn_from):
        target.parent.mkdir(parents=True, exist_ok=True)
        picture, views = draw(exhibit, band)
        with mpl.rc_context(settings(exhibit.figure)):
            text = svg.written(picture, exhibit.figure.title, views, drawn_from)
            target.write_text(text, encoding="utf-8")
            if png:  # with few colours, a quarter of the bytes
                image_of(picture).quantize(PNG_COLOURS, Image.Quantize.FASTOCTREE).save(image, dpi=(DPI, DPI))
    return [target, image] if png else [target]


def image_of(picture: Picture) -> Image.Image:
    """The same at print resolution, without transparency."""
    picture.set_dpi(DPI)
    canvas: Any = FigureCanvasAgg(picture)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def draw(exhibit: Exhibit, band: Band | None = None) -> Drawing:
    """The figure at print width, with the 95 % interval and every seed, or with the `band` of the paper alone.

    Panels of which nothing has been run are named and not drawn.
    """
    with mpl.rc_context(settings(exhibit.figure)):
        return _draw_plates(exhibit) if exhibit.figure.plates else _draw_panels(exhibit, band)


def _draw_panels(exhibit: Exhibit, band: Band | None) -> Drawing:
    """Panels of curves."""
    figure = exhibit.figure
    palette = Palette.of(figure, exhibit.kin)
    panels = [panel for panel in figure.panels if has_run(exhibit, panel)]
    shared = alike(panels, palette)
    never = never_run(exhibit) if shared else ()
    shown = [prepared(exhibit, panel, band, never) for panel in panels]
    foot = layout.foot_of(footnotes(exhibit, shown, never, band))
    handles = [handles_of(item, palette) for item in shown]
    every = list({handle.get_label(): handle for own in handles for handle in own}.values())
    beside = shared and len(shown) % 2 == 1 and max(widths(every)) <= layout.empty_place(len(shown))
    head = 0.13 + 0.17 * -(-len(every) // columns(every)) if shared and shown and not beside else 0.0
    names = [0 if shared else -(-len(of) // (2 if _is_short(of) else 1)) for of in handles]
    sheet = layout.panels([len(item.notes) for item in shown], names, head, foot)
    for i, (ax, item, own) in enumerate(zip(sheet.axes, shown, handles, strict=True)):
        _draw_panel(ax, exhibit, item, palette, band)
        _write_title(ax, item, max(len(other.notes) for other in shown[i // 2 * 2 : i // 2 * 2 + 2]))
        if not shared:
            _add_legend_below(ax, sheet.picture, own)
    if head:
        _add_legend_above(sheet.picture, every)
    elif beside:
        _add_legend_beside(sheet, every)
    return Drawing(sheet.picture, tuple(zip((item.panel.title for item in shown), sheet.boxes, strict=True)))


def _draw_plates(exhibit: Exhibit) -> Drawing:
    """Plates side by side."""
    figure = exhibit.figure
    runs = {plate: [exhibit.sample(cell).measured for cell in plate.cells] for plate in figure.plates}
    shown = [plate for plate in figure.plates if all(runs[plate])]
    absent = [plate.title for plate in figure.plates if plate not in shown]
    legends = dict.fromkeys(plate.words for plate in shown if plate.words)
    first = [f"{exhibit.extent} (profile {exhibit.profile})."] if shown else []
    head = 0.25 if figure.published and shown else 0.0
    sheet = layout.plates(len(shown), head, layout.foot_of([*first, *legends, *_not_run(absent, not shown)]))
    for ax, plate in zip(sheet.axes, shown, strict=True):
        ax.set_title(plate.title, loc="left", fontweight="bold")
        plate.draw(ax, runs[plate])
    if head:
        _add_legend_above(sheet.picture, marks(sheet.axes))
    return Drawing(sheet.picture, tuple(zip((p.title for p in shown), layout.settled(sheet).boxes, strict=True)))


def has_run(exhibit: Exhibit, panel: Panel) -> bool:
    """Whether any line of a panel has been run."""
    return any(exhibit.sample(line.cell).runs for line in panel.lines)


def never_run(exhibit: Exhibit) -> tuple[str, ...]:
    """Lines that have not been run in any panel, by their names, in order."""
    lines = [line for panel in exhibit.figure.panels for line in panel.lines]
    run = {line.label for line in lines if exhibit.sample(line.cell).runs}
    return tuple(dict.fromkeys(line.label for line in lines if line.label not in run))


def prepared(exhibit: Exhibit, panel: Panel, band: Band | None, never: Sequence[str]) -> Prepared:
    """A panel's numbers, how far its axis goes, and what is to be said above it."""
    most = points_of(n_curves(exhibit, band))
    drawn = tuple(gathered(exhibit, panel, line, band, most) for line in panel.lines)
    levels = tuple(level for level in across(exhibit, panel))
    found = limits([item.bundle.values for item in drawn if item.bundle.seeds], [level.value for level in levels])
    beyond = [
        f"{'above' if level.value > found.high else 'below'}: {level.label} {number(level.value)}"
        for level in levels
        if not found.low < level.value < found.high
    ]
    texts = [*shortcomings(drawn, never), *cuts(found), *([", ".join(beyond)] if beyond else [])]
    return Prepared(panel, drawn, levels, found, tuple(textwrap.wrap("; ".join(texts), NOTE_COLUMNS)))


def n_curves(exhibit: Exhibit, band: Band | None) -> int:
    """Of a picture: means, both ends of bands, and seeds."""
    seeds = [len(exhibit.sample(line.cell).runs) for panel in exhibit.figure.panels for line in panel.lines]
    return sum(3 + (n if band is None else 0) for n in seeds if n)


def gathered(exhibit: Exhibit, panel: Panel, line: Line, band: Band | None, most: int) -> Drawn:
    """A line with its numbers, smoothed as a band asks for, in few points."""
    bundle = exhibit.bundle(line.cell, line.metric)
    asked_for = exhibit.budget(line.cell).n_seeds
    if band is not None and bundle.values.shape[1] >= band.smooth:
        smooth = sliding_window_view(bundle.values, band.smooth, axis=1).mean(axis=-1)
        bundle = Bundle(bundle.seeds, bundle.steps[band.smooth - 1 :], smooth)
    x = thousands(panel, line, bundle.steps)
    if not bundle.seeds:
        return Drawn(line, bundle, asked_for, x)
    few = thinned(x, bundle.values, most)
    return Drawn(line, Bundle(bundle.seeds, bundle.steps, few.values), asked_for, few.x, few.every)


def across(exhibit: Exhibit, panel: Panel) -> list[Across]:
    """The levels of a panel that are known."""
    found = []
    for level in panel.levels:
        values = exhibit.scores(level.value).values if isinstance(level.value, Score) else np.array([level.value])
        if not len(values) or not np.isfinite(values).all():
            continue
        value = float(values.mean())
        low, high = map(float, mean_interval(values)) if len(values) > 1 else (value, value)
        found.append(Across(level.label, value, low, high, level.printed))
    return found


def thousands(panel: Panel, line: Line, steps: Floats) -> Floats:
    """Where on the axis of a panel steps are. Units: thousands of what the panel counts in."""
    return line.share * steps / 1000 / (line.cell.env.horizon if panel.against == "learning episodes" else 1)


def reach(exhibit: Exhibit, panel: Panel) -> float:
    """How far the axis of a panel goes, whether or not all of it has been run. Units: as above."""
    partly = [line for line in panel.lines if line.share != 1]
    return max(
        float(thousands(panel, line, np.asarray(exhibit.budget(line.cell).n_steps))) for line in partly or panel.lines
    )


def _draw_panel(ax: Axes, exhibit: Exhibit, shown: Prepared, palette: Palette, band: Band | None) -> None:
    """Levels at the bottom, seeds, bands above them, means on top."""
    _draw_levels(ax, shown)
    for item in shown.drawn:
        if item.bundle.seeds:
            _draw_line(ax, item, palette.style(item.line), band)
    ax.set_ylim(shown.limits.low, shown.limits.high)
    ax.set_xlim(0, reach(exhibit, shown.panel))
    _mark_cuts(ax, shown, palette)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(Numbers())
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(Numbers())
    ax.set_xlabel(f"{shown.panel.against} (thousands)", labelpad=2)
    ax.set_ylabel(ylabel(exhibit, shown.panel))
    ax.yaxis.set_label_coords(-0.53, 0.5, transform=_inches_beside(ax))


def _write_title(ax: Axes, shown: Prepared, n_lines: int) -> None:
    """The title, and below it the notes, in a space that is as high in all panels of a row."""
    ax.set_title(shown.panel.title, loc="left", fontweight="bold", pad=5 + 9.7 * n_lines)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top"}
    if shown.notes:
        text = "\n".join(shown.notes)
        ax.annotate(text, (0, 1), xytext=(0, 3 + 9.7 * n_lines), fontsize=7, color="0.3", linespacing=1.15, **above)


def _inches_beside(ax: Axes) -> Any:
    """Inches from the left side of the axes, and shares of their height."""
    picture: Any = ax.figure
    inches = picture.dpi_scale_trans
    return mpl.transforms.blended_transform_factory(
        inches + ScaledTranslation(ax.get_position().x0 * WIDTH, 0, inches), ax.transAxes
    )


def _draw_line(ax: Axes, item: Drawn, style: Style, band: Band | None) -> None:
    """Seeds as one line with gaps, the band, the mean."""
    values = np.where(np.isfinite(item.bundle.values), item.bundle.values, np.nan)
    if band is None:
        gap = np.full((len(values), 1), np.nan)
        x = np.tile(np.append(item.x, np.nan), len(values))
        ax.plot(x, np.hstack([values, gap]).ravel(), color=style.colour, lw=0.45, alpha=0.3, zorder=2)
    if len(item.bundle.seeds) > 1:
        mean, low, high = mean_and_band(item.bundle.values, band)
        ax.fill_between(item.x, low, high, color=style.colour, alpha=0.22, lw=0, zorder=3)
        ax.plot(item.x, mean, color=style.colour, ls=style.dashes, lw=1.6, zorder=4)


def _draw_levels(ax: Axes, shown: Prepared) -> None:
    """A line for each level within the axis, with its name; those that lie close together have one name."""
    low, high = shown.limits[:2]
    size = high - low
    names: dict[float, str] = {}
    for level in sorted(shown.levels, key=lambda level: level.value):
        if not low < level.value < high:
            continue
        if level.high > level.low:
            ax.axhspan(level.low, level.high, color=GREY, alpha=0.16, lw=0, zorder=1)
        dashes = (0, (6, 2)) if level.is_printed else (0, (1, 1.5))
        ax.axhline(level.value, color=INK if level.is_printed else GREY, lw=0.8, ls=dashes, zorder=1)
        if level.is_printed:
            ax.plot(1, level.value, "D", color=INK, ms=4, transform=ax.get_yaxis_transform(), clip_on=False, zorder=6)
        near = next((value for value in names if level.value - value < CLOSE * size), level.value)
        names[near] = f"{names[near]}, {level.label}" if near in names else level.label
    ends = [item.bundle.values[:, -1].mean() for item in shown.drawn if item.bundle.seeds]
    free = np.inf  # below what is written already, from above
    for value, name in sorted(names.items(), reverse=True):
        place: dict[str, Any] = {"xycoords": ax.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
        room_above, room_below = high - value > NAME * size, value - low > NAME * size
        over = room_above and (value > np.nanmean(ends) or not room_below) and value + NAME * size < free
        free = value if over else value - NAME * size
        place |= {"xytext": (-5, 1.5 if over else -1.5), "va": "bottom" if over else "top"}
        paper = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.65}
        ax.annotate(name, (1, value), fontsize=7, color="0.25", zorder=6, bbox=paper, **place)


def _mark_cuts(ax: Axes, shown: Prepared, palette: Palette) -> None:
    """A mark where a line goes beyond an axis that is cut."""
    low, high, cut_low, cut_high = shown.limits
    for cut, edge, marker in ((cut_low, low, "v"), (cut_high, high, "^")):
        for item in shown.drawn if np.isfinite(cut) else ():
            values = item.bundle.values
            x = item.x[((values < low) if marker == "v" else (values > high)).any(axis=0)]
            at_edge, colour = np.full(len(x), edge), palette.style(item.line).colour
            ax.plot(x, at_edge, marker=marker, color=colour, ms=3, ls="", clip_on=False, zorder=5)


# ------------------------------------------------------------------------------------------------------------- legends


def alike(panels: Sequence[Panel], palette: Palette) -> bool:
    """Whether all panels use the same names for the same methods, so that one legend serves them."""
    named = [{(line.label, method(line, palette.main, palette.several)) for line in panel.lines} for panel in panels]
    return all(names == named[0] for names in named)


class Key(NamedTuple):
    """An entry of a legend; dashes in widths of the line, none where it goes through."""

    label: str
    colour: str
    dashes: tuple[float, ...]


def keys_of(exhibit: Exhibit) -> tuple[Key, ...]:
    """The legend of a figure of curves, each method once."""
    palette = Palette.of(exhibit.figure, exhibit.kin)
    lines = [line for panel in exhibit.figure.panels for line in panel.lines if exhibit.sample(line.cell).runs]
    styles = {line.label: palette.style(line) for line in lines}
    found = [Key(name, style.colour, () if style.dashes == "-" else style.dashes[1]) for name, style in styles.items()]
    is_printed = any(level.printed for panel in exhibit.figure.panels for level in panel.levels)
    return (*found, Key(PRINTED, INK, (6, 2))) if is_printed else tuple(found)


def handles_of(shown: Prepared, palette: Palette) -> list[Line2D]:
    """What a panel's legend shows: every line that has been run, and what is printed."""
    found = [_handle(item.line.label, palette.style(item.line)) for item in shown.drawn if item.bundle.seeds]
    if any(level.is_printed for level in shown.levels):
        found.append(Line2D([], [], color=INK, ls=(0, (6, 2)), lw=0.8, marker="D", ms=4, label=PRINTED))
    return found


def marks(axes: Sequence[Axes]) -> list[Line2D]:
    """A legend of the marks that plates share, as far as they are there; whose they are, colours and places tell."""
    kinds = {SEED: (".", 4), MEAN: ("o", 6), PRINTED: ("D", 5)}
    there = {label for ax in axes for label in ax.get_legend_handles_labels()[1]}
    known = ((label, *kind) for label, kind in kinds.items() if label in there)
    return [Line2D([], [], color=INK, ls="", marker=marker, ms=size, label=label) for label, marker, size in known]


def _handle(label: str, style: Style) -> Line2D:
    return Line2D([], [], color=style.colour, ls=style.dashes, lw=1.6, label=label)


def widths(handles: Sequence[Line2D]) -> list[float]:
    """How wide the entries of a legend are, about. Units: inches."""
    return [0.6 + 0.068 * len(str(handle.get_label())) for handle in handles]


def columns(handles: Sequence[Line2D]) -> int:
    """How many names stand side by side above a figure, six at most, in rows of about the same length."""
    longest = sorted(widths(handles), reverse=True)
    most = max((n for n in range(1, 7) if sum(longest[:n]) <= WIDTH), default=1)
    n_rows = -(-len(handles) // most)
    return -(-len(handles) // n_rows)


def _is_short(handles: Sequence[Line2D]) -> bool:
    """Whether two names fit side by side below a panel."""
    return all(len(str(handle.get_label())) <= 18 for handle in handles)


FRAME: dict[str, Any] = {"frameon": False, "columnspacing": 1.6, "borderaxespad": 0.0}


def _add_legend_above(picture: Picture, handles: list[Line2D]) -> None:
    if not handles:
        return
    top = 1 - 0.05 / picture.get_size_inches()[1]
    where: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, top), "handlelength": 2.8}
    legend = picture.legend(handles=handles, ncols=columns(handles), **where, **FRAME)
    legend.set_in_layout(False)  # its room is kept free


def _add_legend_beside(sheet: layout.Sheet, handles: list[Line2D]) -> None:
    """In the place that is empty, as high as the last axes."""
    last = sheet.axes[-1].get_position()
    where: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (last.x1 + 0.06, (last.y0 + last.y1) / 2)}
    sheet.picture.legend(handles=handles, handlelength=2.8, **where, **FRAME)


def _add_legend_below(ax: Axes, picture: Picture, handles: list[Line2D]) -> None:
    down = ScaledTranslation(0, -0.42, picture.dpi_scale_trans)  # below the ticks and the label
    where: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + down}
    ax.legend(handles=handles, ncols=2 if _is_short(handles) else 1, handlelength=2.2, **where, **FRAME)


# -------------------------------------------------------------------------------------------------------------- words


def shortcomings(drawn: Sequence[Drawn], never: Sequence[str]) -> list[str]:
    """What a panel should show and does not, but for what is `never` shown, which is said below the picture."""
    absent = [item.line.label for item in drawn if not item.bundle.seeds and item.line.label not in never]
    notes = [f"not run: {', '.join(absent)}"] if absent else []
    for item in drawn:
        if 0 < len(item.bundle.seeds) < item.asked:
            notes.append(f"{item.line.label}: {len(item.bundle.seeds)} of {item.asked} seeds")
        if item.diverged:
            notes.append(f"{item.line.label}: {item.diverged} of {len(item.bundle.seeds)} seeds diverged, mean ends")
    return notes


def cuts(found: Limits) -> list[str]:
    """How far values go beyond an axis that is cut."""
    ends = ((found.cut_low, "below at ▼"), (found.cut_high, "above at ▲"))
    return [f"axis cut {where}: values reach {number(cut)}" for cut, where in ends if np.isfinite(cut)]


def footnotes(exhibit: Exhibit, shown: Sequence[Prepared], never: Sequence[str], band: Band | None = None) -> list[str]:
    """How many seeds, how much training, what the shades are, the units in full, and what has not been run."""
    figure = exhibit.figure
    titles = {item.panel.title for item in shown}
    absent = [panel.title for panel in figure.panels if panel.title not in titles]
    if not shown:
        return _not_run(absent, True)
    cells = [item.line.cell for prepared in shown for item in prepared.drawn if item.bundle.seeds]
    budgets = {exhibit.budget(cell) for cell in cells}
    seeds = _either(str(n) for n in sorted({budget.n_seeds for budget in budgets}))
    steps = _either(f"{n:,}" for n in sorted({budget.n_steps for budget in budgets}))
    full = _either(f"{n:,}" for n in sorted({figure.in_full("paper", cell).n_steps for cell in cells}))
    of = f" of {full}" if full != steps else ""
    every = max(item.every for prepared in shown for item in prepared.drawn)
    points = "" if every == 1 else f" A point is the mean of up to {every} tests."
    shades = (
        f"As the paper draws it: {band.words}."
        if band is not None
        else "Thick: mean over seeds. Thin: the seeds. "
        "Shaded: 95\N{NO-BREAK SPACE}%\N{NO-BREAK SPACE}t\N{NO-BREAK SPACE}interval of the mean."
    )
    first = f"{seeds} seeds a line, {steps}{of} {figure.step} each (profile {exhibit.profile}). {shades}{points}"
    units = {(item.panel.ylabel, unit(exhibit, item.panel)): None for item in shown}
    return [
        first,
        *(f"{name.capitalize()}: {text}." for name, text in units if text),
        *_not_run([*never, *absent], False),
    ]


def _not_run(titles: Sequence[str], all_of_them: bool) -> list[str]:
    """Panels and plates that have no place in the picture."""
    if not titles:
        return []
    return [f"{'Nothing of this figure has been run' if all_of_them else 'Not run'}: {'; '.join(titles)}."]


def _either(parts: Any) -> str:
    return " or ".join(parts)


def ylabel(exhibit: Exhibit, panel: Panel) -> str:
    """What the panel measures and, where the runs that are there tell it in few words, what is summed over what."""
    text = unit(exhibit, panel).partition(" of ")[0]
    name = "\n".join(textwrap.wrap(panel.ylabel, NAME_COLUMNS))
    return f"{name}\n({text})" if 0 < len(text) <= UNIT_COLUMNS and "\n" not in name else name


def unit(exhibit: Exhibit, panel: Panel) -> str:
    """The unit in full, of the first run of what panels with this label show; empty where nothing has been run."""
    same = [panel, *(other for other in exhibit.figure.panels if other.ylabel == panel.ylabel)]
    for line in (line for other in same for line in other.lines):
        for run in exhibit.sample(line.cell).runs.values():
            return run.units[line.metric]
    return ""
