"""What the newest labels changed: labels, scores and densities before and after."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from damascene.classes import ALL, CLASSES, DAMAGE, NOT_CLASSIFIED
from damascene.evaluation.label_effect import NOT_OF_LABELS_ALONE
from damascene.figures import style

#: Panoramas that are drawn; the table has all of them.
MOST_PANORAMAS = 4
_CLASSES = tuple(each.name for each in CLASSES if each.name != NOT_CLASSIFIED)
_COUNTED = (DAMAGE, *_CLASSES)
_SCORES = {"macro_f1": "macro-F1", "kappa": "Cohen's kappa", "accuracy": "accuracy"}
_SCORED = (*((ALL, score) for score in _SCORES), *((name, "f1") for name in _CLASSES))
_QUANTITIES = {"density": "raw", "corrected density": "corrected"}
_ROW_MM, _FRAME_MM, _AXIS_MM = 3.9, 5, 5
_SMALL = 6


@matplotlib.rc_context(style.STYLE)
def draw_label_effect(table: pd.DataFrame, notes: Sequence[str]) -> Figure:
    """Draw what the newest labels changed.

    Parameters
    ----------
    table : pandas.DataFrame
        `LABEL_EFFECT`.
    notes : sequence of str
        From `evaluation.label_effect.effect_lines`: whether other things changed, too.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide. Labelled sites by class; scores before and after, and their difference; the
        change of raw and of corrected densities in up to four panoramas. Where there is nothing to
        compare with, scores and densities themselves. Marks without a bar have no interval.
    """
    compared = bool(table["before"].notna().any())
    densities = table[table["quantity"].isin(_QUANTITIES)]
    value = "difference" if compared else "after"
    shown = _some(list(densities["panorama"].unique()))
    # Corrected densities that nobody could estimate leave their place to the others.
    columns = [
        each
        for each in _QUANTITIES
        if densities[densities["quantity"] == each][value].notna().any()
    ]
    heights = [len(_CLASSES), len(_SCORED), *[len(_COUNTED)] * len(shown)]
    frames = _FRAME_MM * len(heights) + _AXIS_MM * 3 + 6
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=_ROW_MM * sum(heights) + frames
    )
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    counts = figure.add_subplot(grid[0, :])
    _draw_counts(counts, table[table["quantity"] == "labels"].set_index("class"))
    _draw_scores(figure, grid, table[table["quantity"] == "score"], compared=compared)
    drawn = densities[densities["panorama"].isin(shown)]
    for side, quantity in enumerate(columns):
        of_quantity = drawn[drawn["quantity"] == quantity].set_index(["panorama", "class"])
        for place, name in enumerate(shown):
            cell = grid[place + 2, :] if len(columns) == 1 else grid[place + 2, side]
            axes = figure.add_subplot(cell)
            _draw_densities(axes, of_quantity.loc[name], value)
            axes.set_xlim(*_range(of_quantity, value))
            axes.locator_params(axis="x", nbins=5 if len(columns) == 1 else 3)
            axes.tick_params(labelbottom=place == len(shown) - 1)
            _rows(axes, [style.shown(each) if side == 0 else "" for each in _COUNTED])
            if side == 0:
                axes.set_title(style.wrapped(name, width=44))
        what = f"{'change, ' * compared}{_QUANTITIES[quantity]}".capitalize()
        axes.set_xlabel(f"{what}\n(sites per mm²)")
    total = densities["panorama"].nunique()
    if len(shown) < total:
        figure.supxlabel(f"{len(shown)} of {total} panoramas", fontsize=7)
    _legend(figure, compared=compared)
    if any(note.startswith(NOT_OF_LABELS_ALONE) for note in notes):
        figure.suptitle("Settings or images changed, too: see label_effect.txt", x=0.01, ha="left")
    return figure


def _some(names):
    if len(names) <= MOST_PANORAMAS:
        return names
    chosen = np.linspace(0, len(names) - 1, MOST_PANORAMAS).round().astype(int)
    return [names[index] for index in chosen]


def _draw_counts(axes, rows):
    for place, name in enumerate(_CLASSES):
        row, colour = rows.loc[name], style.COLOURS[name]
        options = {"y": place, "height": 0.62, "edgecolor": colour, "linewidth": 0.8}
        before = 0 if np.isnan(row["before"]) else row["before"]
        axes.barh(width=row["after"], color=colour, alpha=0.45, **options)
        if before:
            axes.barh(width=before, color="white", hatch=style.HATCHES[name], **options)
        added = row["difference"]
        change = "" if np.isnan(added) or not added else f" ({_signed(added, digits=0)})"
        largest = max(row["after"], before)
        axes.text(largest, place, f" {row['after']:.0f}{change}", va="center", fontsize=_SMALL)
    _rows(axes, [style.shown(name) for name in _CLASSES])
    axes.set_xlabel("Labelled sites")
    axes.margins(x=0.2)


def _draw_scores(figure, grid, rows, *, compared):
    sites = rows["sites"].max()
    rows = rows.set_index(["class", "score"]).loc[list(_SCORED)]
    values = figure.add_subplot(grid[1, 0] if compared else grid[1, :])
    for place, (key, row) in enumerate(rows.iterrows()):
        for when, shift in (("before", -0.19), ("after", 0.19)):
            _point(values, row, when, place + shift if compared else place, **_look(key[0], when))
    labels = [*_SCORES.values(), *(f"F1 {style.shown(name)}" for name in _CLASSES)]
    _rows(values, labels)
    ends = rows[[f"{when}{end}" for when in ("before", "after") for end in ("", "_low")]]
    lowest = np.nanmin(ends.to_numpy(float)) if ends.notna().any(axis=None) else 0.0
    values.set_xlim(min(np.floor(10 * lowest) / 10, 0.9), 1.0)
    values.set_xlabel("Score on held-out sites")
    if not compared:
        return
    differences = figure.add_subplot(grid[1, 1])
    told = rows["difference"].notna()
    for place, (key, row) in enumerate(rows.iterrows()):
        _point(differences, row, "difference", place, **_look(key[0], "after"))
        if told.any() and not told.loc[key]:
            why = " not defined" if key[0] == ALL else " no such site"
            differences.text(0, place, why, va="center", fontsize=_SMALL, color="0.35")
    _rows(differences, [""] * len(_SCORED))
    if told.any():
        differences.axvline(0, color="0.5", linewidth=0.6, zorder=1)
        differences.set_xlim(*_range(rows, "difference"))
        differences.locator_params(axis="x", nbins=4)
        differences.set_xlabel(f"Difference on {sites:.0f} sites\nheld out both times")
        return
    differences.set_xticks([])
    style.say_nothing_to_show(differences, "not compared:\n" + _reason(sites))
    differences.set_xlabel("Difference")


def _reason(sites):
    if not sites > 0:
        return "no site was\nheld out both times"
    return f"{sites:.0f} site{'s were' if sites > 1 else ' was'}\nheld out both times"


def _look(name, when):
    colour = "black" if name == ALL else style.COLOURS[name]
    marker = "o" if name == ALL else style.MARKERS[name]
    return {"colour": colour, "face": "white" if when == "before" else colour, "marker": marker}


def _draw_densities(axes, rows, value):
    if value == "difference":
        axes.axvline(0, color="0.5", linewidth=0.6, zorder=1)
    for place, name in enumerate(_COUNTED):
        if name in rows.index:
            _point(axes, rows.loc[name], value, place, **_look(name, "after"))
            if np.isnan(rows.loc[name, value]):
                axes.text(*(0, place, " not estimated"), va="center", fontsize=_SMALL, color="0.35")


def _range(rows, value):
    """Return an axis that holds all intervals; differences have as much room to both sides."""
    ends = rows[[value, f"{value}_low", f"{value}_high"]].to_numpy(float)
    reach = 1.08 * max(np.nanmax(np.abs(ends), initial=0.0), 1e-3)
    return (-reach if value == "difference" else 0.0), reach


def _signed(value, *, digits=2):
    return f"{value:+.{digits}f}".replace("-", "−")


def _point(axes, row, column, place, *, colour, face, marker):
    value, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
    if np.isnan(value):
        return
    bounds = np.nan_to_num([[value - low], [high - value]]).clip(min=0)
    axes.errorbar(
        [value],
        [place],
        xerr=bounds,
        linestyle="none",
        marker=marker,
        markersize=3.6,
        markerfacecolor=face,
        markeredgecolor=colour,
        markeredgewidth=0.7,
        ecolor=colour,
        elinewidth=0.8,
        capsize=1.2,
        zorder=3,
        clip_on=False,
    )


def _rows(axes, names):
    axes.set_yticks(range(len(names)), names)
    if not any(names):
        axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", color="0.9", linewidth=0.5)


def _legend(figure, *, compared):
    """Explain open marks, which there are only where something is compared."""
    if not compared:
        return
    options = {"linestyle": "none", "marker": "o", "markersize": 3.6, "markeredgecolor": "black"}
    handles = [
        Line2D([], [], markerfacecolor=face, markeredgewidth=0.7, **options)
        for face in ("white", "black")
    ]
    names = ["before the newest labels", "with them"]
    figure.legend(handles, names, loc="outside lower left", ncols=2, columnspacing=1.2)
