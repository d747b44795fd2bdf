"""Denoisers, judged by the sites that are found: a point a method."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from damascene.evaluation.denoiser_scores import ALL, SIMPLEST, recommend
from damascene.evaluation.denoisers import CLEAN
from damascene.figures import style

# Colours of Okabe and Ito; each marker is there once.
_MARKS = {
    "none": ("#000000", "X"),
    "gaussian": ("#56B4E9", "o"),
    "median": ("#56B4E9", "s"),
    "wavelet": ("#0072B2", "^"),
    "total_variation": ("#0072B2", "v"),
    "non_local_means": ("#0072B2", "D"),
    "simulated": ("#D55E00", "P"),
    "self_supervised": ("#D55E00", "*"),
    "paired": ("#E69F00", "p"),
    CLEAN: ("#009E73", "h"),
}
_OTHER = ("#CC79A7", "<")
_NAMES = {CLEAN: "without noise", "none": "not denoised"}
# Marks are alike within this part of recall and precision, and are set aside by so many points.
_ALIKE = 0.005
_ASIDE_PT = 4.5
_LARGER = {"*": 8, "X": 6, "P": 6.5, "p": 6.5, "h": 6.5}


@matplotlib.rc_context(style.STYLE)
def draw_denoising(scores: pd.DataFrame) -> Figure:
    """Draw recall against precision of sites, and false sites in areas without damage.

    Parameters
    ----------
    scores : pandas.DataFrame
        `DENOISING`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide. Panel (b) names the marks of panel (a), in bold that of `recommend`.
    """
    rows = scores[(scores["panorama"] == ALL) & (scores["size"] == ALL)].set_index("method")
    recommended, _ = recommend(scores)
    order = [CLEAN, *SIMPLEST]
    names = sorted(rows.index, key=lambda name: order.index(name) if name in order else len(order))
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=30 + 5.5 * max(len(names), 8))
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    for place, name in enumerate(names):
        _point(right, rows.loc[name], name, x="false_per_mm2", place=place)
    for name, aside in zip(names, _asides(rows.loc[names]), strict=True):
        _point(left, rows.loc[name], name, x="precision", y="recall", aside=aside)
    left.set_xlabel("Precision: real among the sites found")
    left.set_ylabel("Recall: found among the sites that are there")
    left.set_title("(a) Sites kept and invented")
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    left.set_xlim(right=min(left.get_xlim()[1], 1.02))
    left.set_ylim(top=min(left.get_ylim()[1], 1.02))
    left.grid(color="0.9", linewidth=0.5)
    if not np.isfinite(rows[["precision", "recall"]].to_numpy(float)).any():
        style.say_nothing_to_show(left, "no sites to compare")
    right.set_yticks(range(len(names)), [_NAMES.get(name, style.shown(name)) for name in names])
    for label, name in zip(right.get_yticklabels(), names, strict=True):
        label.set_fontweight("bold" if name == recommended else "normal")
    right.set_ylim(len(names) - 0.5, -0.5)
    right.set_xlim(left=0)
    right.xaxis.set_major_locator(MaxNLocator(5))
    right.set_xlabel("False sites per mm² away from damage")
    right.set_title("(b) Invented where there is no damage")
    right.grid(axis="x", color="0.9", linewidth=0.5)
    return figure


def _asides(rows):
    """Return by how many steps each mark is set aside, so that it covers none before it."""
    places = np.round(rows[["precision", "recall"]].to_numpy(float) / _ALIKE)
    return [
        int((places[:number] == places[number]).all(axis=1).sum()) for number in range(len(places))
    ]


def _point(axes, row, name, *, x, y=None, place=0, aside=0):
    colour, marker = _MARKS.get(name, _OTHER)
    at = (row[x], place if y is None else row[y])
    if not np.isfinite(at).all():
        return
    errors = {f"{axis}err": _error(row, key) for axis, key in (("x", x), ("y", y)) if key}
    axes.errorbar(
        *([value] for value in at), **errors, fmt="none", ecolor=colour, elinewidth=0.6, alpha=0.6
    )
    aside_in = -aside * _ASIDE_PT / 72
    axes.plot(
        *at,
        marker=marker,
        color=colour,
        markersize=_LARGER.get(marker, 5),
        markeredgecolor="white",
        markeredgewidth=0.5,
        linestyle="none",
        zorder=3,
        clip_on=False,
        transform=axes.transData
        + ScaledTranslation(aside_in, aside_in, axes.figure.dpi_scale_trans),
    )


def _error(row, key):
    return [[max(row[key] - row[f"{key}_low"], 0)], [max(row[f"{key}_high"] - row[key], 0)]]
