"""Roses of the directions of elongated sites."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import SITE_CLASSES
from damascene.contracts.phase_descriptors import ALL_PANORAMAS
from damascene.figures import style
from damascene.sizes.measure import elongated_directions

_SECTOR_DEG = 15
_COLUMNS = 2
_ROSE_MM = 40
_SHOWN = tuple(label for label in style.LABEL_ORDER if label in SITE_CLASSES)


@matplotlib.rc_context(style.STYLE)
def draw_crack_directions(sites: pd.DataFrame, orientations: pd.DataFrame) -> Figure:
    """Draw a rose of directions for each class, the sites of all panoramas together.

    Areas of sectors, not their radii, are as the numbers of sites. A direction and its opposite are
    one, so that both halves of a rose are alike.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas.
    orientations : pandas.DataFrame
        `ORIENTATIONS`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    whole = sites[~(sites["touches_border"] | sites["touches_mask"])]
    together = orientations[orientations["panorama"] == ALL_PANORAMAS]
    told = (together if len(together) else orientations).set_index("class")
    rows = -(-len(_SHOWN) // _COLUMNS)
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=_ROSE_MM * rows)
    panels = figure.subplots(rows, _COLUMNS, subplot_kw={"projection": "polar"}).ravel()
    for axes, label in zip(panels, _SHOWN, strict=False):
        _draw_rose(
            axes, elongated_directions(whole[whole["class"] == label]), told.loc[label], label=label
        )
    for axes in panels[len(_SHOWN) :]:
        axes.axis("off")
        axes.text(
            *(0.5, 0.5),
            "x: along rows of the image\narea of a sector: number\nline: mean direction,\n"
            "arc: its interval",
            transform=axes.transAxes,
            ha="center",
            va="center",
        )
    return figure


def _draw_rose(axes, angles, row, *, label):
    axes.set_title(f"{style.shown(label)} (n = {row['elongated']})", loc="center", pad=2)
    axes.set_xticks(np.radians([0, 90, 180, 270]), ["x", "", "", ""])
    axes.tick_params(pad=-3)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["polar"].set_color("0.7")
    axes.spines["polar"].set_visible(True)
    few = pd.isna(row["resultant"])
    if few:
        style.say_nothing_to_show(axes, "too few")
        return
    edges = np.arange(-90, 91, _SECTOR_DEG)
    counts = np.histogram(np.where(angles >= 90, angles - 180, angles), edges)[0]
    radii = np.sqrt(np.tile(counts / counts.max(), 2))
    middle = np.radians(np.concatenate([edges[:-1], edges[:-1] + 180]) + _SECTOR_DEG / 2)
    axes.bar(
        middle,
        radii,
        width=np.radians(_SECTOR_DEG),
        color=style.COLOURS[label],
        edgecolor="white",
        linewidth=0.4,
    )
    axes.set_ylim(0, 1.12)
    if np.isfinite(row["mean_deg"]):
        mean = np.radians(row["mean_deg"])
        axes.plot([mean, mean + np.pi], [1.1, 1.1], color="black", linewidth=0.9)
        if np.isfinite(row["half_width_deg"]):
            half = np.radians(row["half_width_deg"])
            for turn in (0, np.pi):
                arc = mean + turn + np.linspace(-half, half, 20)
                axes.plot(arc, np.full(20, 1.06), color="black", linewidth=1.4)
