"""Raw and corrected counts side by side, and the recall of the detector."""

import textwrap

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import CLASSES, DAMAGE, NOT_CLASSIFIED
from damascene.figures import style

#: Panoramas that are drawn; the table has all of them.
MOST_PANORAMAS = 6
_ROWS = (DAMAGE, *(each.name for each in CLASSES if each.name != NOT_CLASSIFIED))
_ROW_MM, _FRAME_MM = 4.6, 13
_RAW_COLOUR = "0.45"
_CHARACTERS, _REASON_MM = 48, 9


@matplotlib.rc_context(style.STYLE)
def draw_corrected_counts(corrected: pd.DataFrame) -> Figure:
    """Draw the raw and the corrected density of each class with intervals, panorama by panorama.

    Parameters
    ----------
    corrected : pandas.DataFrame
        `CORRECTED`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide; a panel for each panorama, of more than six for six that are spread evenly.
    """
    names = list(corrected["panorama"].unique())
    shown = names
    if len(names) > MOST_PANORAMAS:
        chosen = np.linspace(0, len(names) - 1, MOST_PANORAMAS).round().astype(int)
        shown = [names[index] for index in chosen]
    by_panorama = {name: corrected[corrected["panorama"] == name] for name in shown}
    reasons = {name: _reason(rows) for name, rows in by_panorama.items()}
    # What holds for all of them is said once.
    shared = "" if len(set(reasons.values())) > 1 else reasons[shown[0]]
    told = 1 if shared else sum(map(bool, reasons.values()))
    height = len(shown) * (_FRAME_MM + _ROW_MM * len(_ROWS)) + 8 + told * _REASON_MM
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=height)
    panels = figure.subplots(len(shown), 1, squeeze=False, sharex=True)[:, 0]
    for axes, name in zip(panels, shown, strict=True):
        _draw_panorama(axes, by_panorama[name].set_index("class"))
        axes.set_title(style.wrapped(name, width=40))
        if reasons[name] and not shared:
            axes.set_xlabel(reasons[name], fontsize=6, color="0.25")
    # Panels share their axis: it is set once all of them are drawn.
    panels[0].set_xlim(left=0)
    below = panels[-1].get_xlabel() or shared
    panels[-1].set_xlabel("Sites per mm²" + (f"\n{below}" if below else ""), fontsize=7)
    _legend(figure, panels[0])
    if len(shown) < len(names):
        figure.supxlabel(f"{len(shown)} of {len(names)} panoramas", fontsize=7)
    return figure


def _draw_panorama(axes, rows):
    places = np.arange(len(_ROWS))
    for place, name in zip(places, _ROWS, strict=True):
        row = rows.loc[name]
        colour, marker = style.COLOURS[name], style.MARKERS[name]
        if not pd.isna(row["density_per_mm2"]):
            _point(
                axes,
                row["density_per_mm2"],
                (row["low_per_mm2"], row["high_per_mm2"]),
                place - 0.17,
                colour=_RAW_COLOUR,
                marker=marker,
                face="white",
            )
        if row["not_estimated"]:
            continue
        _point(
            axes,
            row["corrected_density_per_mm2"],
            (row["corrected_low_per_mm2"], row["corrected_high_per_mm2"]),
            place + 0.17,
            colour=colour,
            marker=marker,
            face=colour,
        )
    axes.set_yticks(places, [style.shown(name) for name in _ROWS])
    axes.set_ylim(len(_ROWS) - 0.5, -0.5)
    axes.tick_params(labelbottom=True)
    axes.grid(axis="x", color="0.9", linewidth=0.5)


def _reason(rows):
    """Return why classes of a panorama are not corrected, in lines that fit below its panel."""
    reasons = [text for text in rows["not_estimated"] if text]
    if not reasons:
        return ""
    text = f"Not corrected: {reasons[0]}"
    return textwrap.fill(textwrap.shorten(text, 3 * _CHARACTERS, placeholder=" ..."), _CHARACTERS)


def _point(axes, value, bounds, place, *, colour, marker, face):
    low, high = bounds
    axes.errorbar(
        [value],
        [place],
        xerr=[[max(value - low, 0)], [max(high - value, 0)]],
        linestyle="none",
        marker=marker,
        markersize=4.5,
        markerfacecolor=face,
        markeredgecolor="black" if face != "white" else colour,
        markeredgewidth=0.5,
        ecolor=colour,
        elinewidth=1.0,
        capsize=1.5,
        zorder=3,
        clip_on=False,
    )


def _legend(figure, axes):
    options = {"linestyle": "none", "marker": "o", "markersize": 4.5, "markeredgewidth": 0.5}
    handles = [
        axes.plot([], [], markerfacecolor="white", markeredgecolor=_RAW_COLOUR, **options)[0],
        axes.plot([], [], markerfacecolor="black", markeredgecolor="black", **options)[0],
    ]
    figure.legend(handles, ["raw", "corrected"], loc="outside upper right", ncols=2)
