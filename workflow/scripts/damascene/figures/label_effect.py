"""What the newest labels changed: labels, scores and densities before and after."""

import textwrap
from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import ALL, CLASSES, DAMAGE, NOT_CLASSIFIED
from damascene.figures import style

#: Panoramas that are drawn; the table has all of them.
MOST_PANORAMAS = 4
_CLASSES = tuple(each.name for each in CLASSES if each.name != NOT_CLASSIFIED)
_SCORES = {"macro_f1": "macro-F1", "kappa": "Cohen's kappa", "accuracy": "accuracy"}
_RAW_COLOUR = "0.45"
_ROW_MM, _FRAME_MM, _LINE_MM = 4.6, 12, 3.2
_CHARACTERS = 125


@matplotlib.rc_context(style.STYLE)
def draw_label_effect(table: pd.DataFrame, notes: Sequence[str]) -> Figure:
    """Draw what the newest labels changed.

    Parameters
    ----------
    table : pandas.DataFrame
        `LABEL_EFFECT`.
    notes : sequence of str
        What must be known of the comparison; stands above it.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide. Left labels and scores; right the densities of up to four panoramas. Open
        marks are the labels before, filled ones the newest.
    """
    densities = table[table["quantity"].str.endswith("density")]
    names = list(densities["panorama"].unique())
    shown = names
    if len(names) > MOST_PANORAMAS:
        chosen = np.linspace(0, len(names) - 1, MOST_PANORAMAS).round().astype(int)
        shown = [names[index] for index in chosen]
    told = "\n".join(textwrap.fill(note, _CHARACTERS) for note in notes)
    lines = told.count("\n") + 1
    left_rows = len(_CLASSES) + len(_SCORES) + len(_CLASSES) + 2
    right_rows = max(len(shown), 1) * (len(_CLASSES) + 1)
    height = max(left_rows * _ROW_MM + 2 * _FRAME_MM, right_rows * _ROW_MM + len(shown) * _FRAME_MM)
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=height + 12 + lines * _LINE_MM
    )
    figure.suptitle(told, x=0.01, ha="left", fontsize=7)
    left, right = figure.subfigures(1, 2, width_ratios=[1, 0.95])
    counts, scores = left.subplots(
        2, 1, height_ratios=[len(_CLASSES) + 1, len(_CLASSES) + len(_SCORES) + 1]
    )
    _draw_counts(counts, table[table["quantity"] == "labels"].set_index("class"))
    _draw_scores(scores, table[table["quantity"] == "score"])
    panels = right.subplots(max(len(shown), 1), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(panels, shown, strict=False):
        _draw_densities(axes, densities[densities["panorama"] == name])
        axes.set_title(style.wrapped(name, width=44))
    if not shown:
        style.say_nothing_to_show(panels[0], "no density")
    panels[0].set_xlim(left=0)
    more = f"\n{len(shown)} of {len(names)} panoramas" if len(shown) < len(names) else ""
    panels[-1].set_xlabel(f"Sites per mm²{more}")
    _legend(figure, compared=table["before"].notna().any())
    return figure


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
        axes.text(largest, place, f" {row['after']:.0f}{change}", va="center", fontsize=6.5)
    _rows(axes, [style.shown(name) for name in _CLASSES])
    axes.set_xlabel("Labelled sites")
    axes.margins(x=0.25)


def _draw_scores(axes, rows):
    compared = rows["before"].notna().any()
    rows = rows.set_index(["class", "score"])
    keys = [*((ALL, score) for score in _SCORES), *((name, "f1") for name in _CLASSES)]
    for place, key in enumerate(keys):
        row = rows.loc[key]
        colour = "black" if key[0] == ALL else style.COLOURS[key[0]]
        marker = "o" if key[0] == ALL else style.MARKERS[key[0]]
        for when, shift in (("before", -0.17), ("after", 0.17)):
            _point(axes, row, when, place + shift, colour=colour, marker=marker)
        if compared:
            axes.text(1.02, place, _difference(row), va="center", fontsize=6.5, clip_on=False)
    labels = [*_SCORES.values(), *(f"F1 {style.shown(name)}" for name in _CLASSES)]
    _rows(axes, labels)
    axes.axhline(len(_SCORES) - 0.5, color="0.8", linewidth=0.5)
    # Kappa may be below 0.
    lowest = np.nanmin([0.0, *rows.loc[keys, ["before", "before_low", "after", "after_low"]].min()])
    axes.set_xlim(lowest, 1.0)
    beside = "; right: difference on common sites" if compared else ""
    axes.set_xlabel(f"Score on held-out labels{beside}")


def _difference(row):
    """Return the difference of a score with its interval, in words of a few characters."""
    if np.isnan(row["difference"]):
        return "–"
    text = _signed(row["difference"])
    if np.isnan(row["difference_low"]):
        return text
    return f"{text} [{_signed(row['difference_low'])}, {_signed(row['difference_high'])}]"


def _signed(value, *, digits=2):
    return f"{value:+.{digits}f}".replace("-", "−")


def _draw_densities(axes, rows):
    rows = rows.set_index(["quantity", "class"])
    names = (DAMAGE, *_CLASSES)
    shifts = {"density": (-0.3, -0.1), "corrected density": (0.1, 0.3)}
    for place, name in enumerate(names):
        for quantity, pair in shifts.items():
            if (quantity, name) not in rows.index:
                continue
            row = rows.loc[quantity, name]
            colour = _RAW_COLOUR if quantity == "density" else style.COLOURS[name]
            for when, shift in zip(("before", "after"), pair, strict=True):
                _point(axes, row, when, place + shift, colour=colour, marker=style.MARKERS[name])
    _rows(axes, [style.shown(name) for name in names])
    axes.tick_params(labelbottom=True)


def _point(axes, row, when, place, *, colour, marker):
    value, low, high = (row[f"{when}{end}"] for end in ("", "_low", "_high"))
    if np.isnan(value):
        return
    bounds = np.nan_to_num([[value - low], [high - value]]).clip(min=0)
    axes.errorbar(
        [value],
        [place],
        xerr=bounds,
        linestyle="none",
        marker=marker,
        markersize=4,
        markerfacecolor="white" if when == "before" else colour,
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
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", color="0.9", linewidth=0.5)


def _legend(figure, *, compared):
    axes = figure.axes[0]
    options = {"linestyle": "none", "marker": "o", "markersize": 4, "markeredgewidth": 0.7}
    filled = {"before": "white", "after": "black"} if compared else {"after": "black"}
    handles, names = [], []
    for when, face in filled.items():
        handles += axes.plot([], [], markerfacecolor=face, markeredgecolor="black", **options)
        names.append(f"{when} the newest labels" if when == "before" else "with the newest labels")
    handles += axes.plot(
        [], [], markerfacecolor=_RAW_COLOUR, markeredgecolor=_RAW_COLOUR, **options
    )
    figure.legend(
        handles,
        [*names, "raw (grey), corrected (in colour)"],
        loc="outside lower left",
        ncols=3,
        columnspacing=1.2,
    )
