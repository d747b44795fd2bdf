"""Where sites lie: curves against distance with their envelopes, pairs of classes, density maps."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from damascene.classes import DAMAGE, SITE_CLASSES
from damascene.figures import style
from damascene.figures.overview import add_scale_bar, hatch
from damascene.space.intensity import DensityMap

_PANEL_MM = 38
_MATRIX_MM = 50
_RANDOM, _KNOWN = "0.82", "#56B4E9"
_ALONG, _ACROSS = "#D55E00", "#0072B2"
_SHOWN = tuple(label for label in style.LABEL_ORDER if label in SITE_CLASSES)
_SHORT = {"martensite": "mart.", "interface": "interf.", "inclusion": "incl.", "shadowing": "shad."}
# Ratios beyond these have the deepest colour.
_RATIOS = (0.5, 2.0)
_SMALL_RINGS = 3


@matplotlib.rc_context(style.STYLE)
def draw_space(
    curves: pd.DataFrame, summary: pd.DataFrame, labelling: pd.DataFrame, *, title: str
) -> Figure:
    """Draw what is known of where the damage of a panorama lies, and which classes lie together.

    Parameters
    ----------
    curves, summary, labelling : pandas.DataFrame
        `SPACE_CURVES`, `SPACE_SUMMARY` and `RANDOM_LABELLING` of one panorama.
    title : str
        Heading.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=3 * _PANEL_MM + _MATRIX_MM + 13
    )
    panels = figure.subplots(4, 1, height_ratios=[_PANEL_MM] * 3 + [_MATRIX_MM])
    told = summary[summary["class"] == DAMAGE].set_index("statistic")
    own = curves[curves["class"] == DAMAGE]
    by_name = {name: rows for name, rows in own.groupby("function")}
    reason = told.loc["ripley_l", "not_estimated"]
    for axes, name, heading, ylabel in (
        (panels[0], "ripley_l", "(a) Ripley's L of damage", "L − distance (µm)"),
        (panels[1], "pair_correlation", "(b) Pair correlation", "Pairs over random"),
    ):
        axes.set(ylabel=ylabel, xlabel="Distance (µm)", title=heading)
        if name not in by_name:
            _say(axes, reason)
            continue
        _draw_curve(axes, by_name[name], colour="black", fill=_RANDOM, name="sites (grey: random)")
        known = by_name.get(f"{name}_inhomogeneous")
        if known is not None:
            _draw_curve(
                axes, known, colour=_ACROSS, fill=None, name="given the hard phase (dashed: random)"
            )
        axes.axhline(0 if name == "ripley_l" else 1, color="0.5", linewidth=0.5, zorder=0)
        axes.set_xlim(0)
        if name == "pair_correlation":
            _limit_height(axes, [by_name[name], known])
    _draw_directions(panels[2], by_name, told, reason=reason)
    _draw_labelling(panels[3], labelling)
    # Curves leave no corner free in every panorama.
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper center",
        title=style.wrapped(title, width=40),
        title_fontsize=8,
        handlelength=1.6,
    )
    return figure


def _say(axes: Axes, reason: str) -> None:
    style.say_nothing_to_show(axes, style.wrapped(f"not estimated: {reason}", width=44))
    axes.set(xticks=[], yticks=[])


def _draw_curve(axes, rows, *, colour, fill, name):
    """Draw a curve and the envelope of random sites, filled or between dashed lines."""
    at = rows["distance_um"]
    if fill:
        axes.fill_between(at, rows["null_low"], rows["null_high"], color=fill, linewidth=0)
    else:
        for bound in ("null_low", "null_high"):
            axes.plot(at, rows[bound], color=colour, linewidth=0.7, linestyle=(0, (4, 2)))
    marker = "o" if fill else "s"
    axes.plot(at, rows["value"], color=colour, marker=marker, markersize=2, linewidth=1, label=name)


def _limit_height(axes, tables):
    """Cut off what envelopes reach in the smallest rings, where there are hardly any pairs."""
    tables = [rows for rows in tables if rows is not None]
    values = max(rows["value"].max() for rows in tables)
    beyond = max(rows["null_high"].iloc[_SMALL_RINGS:].max() for rows in tables)
    axes.set_ylim(0, 1.1 * max(values, beyond))


def _draw_directions(axes, by_name, told, *, reason):
    axes.set(xlabel="Distance (µm)", ylabel="Pairs over random")
    along, across = (by_name.get(f"pair_correlation_{side}") for side in ("along", "across"))
    row = told.loc["along_over_across"]
    angle = row["direction_deg"]
    # Adding 0 turns -0 into 0.
    which = "" if pd.isna(angle) else f", bands at {round(angle) + 0:d}°"
    axes.set_title(f"(c) Along and across bands{which}")
    if along is None:
        _say(axes, reason)
        return
    axes.fill_between(
        along["distance_um"], along["null_low"], along["null_high"], color=_RANDOM, linewidth=0
    )
    for rows, colour, marker, name in (
        (along, _ALONG, "o", "along"),
        (across, _ACROSS, "s", "across"),
    ):
        axes.plot(
            *(rows["distance_um"], rows["value"]),
            color=colour,
            marker=marker,
            markersize=2,
            label=name,
        )
    axes.axhline(1, color="0.5", linewidth=0.5, zorder=0)
    axes.set_xlim(0)
    axes.legend(loc="best", handlelength=1.6)


def _draw_labelling(axes, labelling):
    """Draw pairs over those of exchanged classes as a matrix; bold where p is small."""
    ratio, p_value = (np.full((len(_SHOWN), len(_SHOWN)), np.nan) for _ in range(2))
    place = {label: index for index, label in enumerate(_SHOWN)}
    for row in labelling.itertuples(index=False):
        one, other = sorted(
            (place[row[labelling.columns.get_loc("class")]], place[row.other_class])
        )
        ratio[other, one], p_value[other, one] = row.ratio, row.p_adjusted
    names = [style.shown(label) for label in _SHOWN]
    axes.set_xticks(range(len(_SHOWN)), [_SHORT.get(label, label) for label in _SHOWN])
    axes.set_yticks(range(len(_SHOWN)), names)
    axes.set_title("(d) Near pairs over those of exchanged classes")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    norm = TwoSlopeNorm(0.0, -1.0, 1.0)
    shade = np.log(np.clip(ratio, *_RATIOS)) / np.log(_RATIOS[1])
    axes.imshow(shade, cmap="PuOr_r", norm=norm, aspect="auto")
    for (other, one), value in np.ndenumerate(ratio):
        if one > other:
            continue
        small = p_value[other, one] <= 0.05
        dark = abs(shade[other, one]) > 0.7
        axes.text(
            *(one, other),
            "–" if np.isnan(value) else f"{value:.2f}{'*' if small else ''}",
            ha="center",
            va="center",
            color="white" if dark else "black",
            weight="bold" if small else "normal",
            fontsize=7,
        )


@matplotlib.rc_context(style.STYLE)
def draw_density_map(density: DensityMap | None, points_um: np.ndarray, *, title: str) -> Figure:
    """Draw the density of damage over a panorama, with its sites.

    Parameters
    ----------
    density : DensityMap or None
        None where sites are too few.
    points_um : numpy.ndarray, shape (n, 2)
        Sites, as x and y from the upper left corner.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    if density is None:
        figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=30)
        axes = figure.add_subplot()
        axes.set_title(title)
        axes.spines[:].set_visible(False)
        _say(axes, f"damage at {len(points_um)} sites only, or classes not to be told apart")
        return figure
    per_mm2, cell_um = density.per_mm2, density.cell_um
    rows, columns = per_mm2.shape
    height = min(style.COLUMN_WIDTH_MM * rows / columns, 150)
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=height + 24)
    axes = figure.add_subplot()
    extent = (0, columns * cell_um, rows * cell_um, 0)
    shown = axes.imshow(per_mm2, cmap="viridis", vmin=0, extent=extent)
    invalid = np.isnan(per_mm2)
    if invalid.any():
        hatch(axes, invalid, extent=extent)
    size = float(np.clip(400 / len(points_um), 0.3, 4))
    axes.scatter(
        *points_um.T,
        s=size,
        color="white",
        edgecolors="black",
        linewidths=0.3,
        rasterized=len(points_um) > 2000,
    )
    add_scale_bar(axes, width_um=columns * cell_um)
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(True)
    bar = figure.colorbar(shown, ax=axes, orientation="horizontal", aspect=30, pad=0.04)
    kernel = style.length_text(float(f"{density.bandwidth_um:.2g}"))
    bar.set_label(f"Damage sites per mm² (n = {len(points_um)}, kernel {kernel})")
    return figure
