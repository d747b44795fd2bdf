"""Sizes of sites: their distributions, their medians against strain, and their numbers in space."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from scipy import special

from damascene.classes import DAMAGE, DAMAGE_MECHANISMS
from damascene.contracts.phase_descriptors import ALL_PANORAMAS
from damascene.figures import style

_LINES = ("-", "--", "-.", ":")
_MOST_MARKERS = 8
_NAME_CHARACTERS = 45
# Names up to this length, with their counts, stand in two columns under a panel.
_SHORT_NAME_CHARACTERS = 15
_PANEL_MM = 52
_LEGEND_LINE_MM = 3.6
_AXES = {"strain_percent": "Strain (%)", "triaxiality": "Stress triaxiality"}
#: Panoramas that can be told apart in one panel.
MOST_DRAWN = 8


@matplotlib.rc_context(style.STYLE)
def draw_size_distributions(
    sites: pd.DataFrame,
    *,
    fits: pd.DataFrame | None = None,
    detection_limit_um2: float | None = None,
) -> Figure:
    """Draw the cumulative distribution of site areas by class and of damage by panorama.

    The upper panel takes the sites of a class from all panoramas together, so panoramas with many
    sites weigh more; the lower one, drawn for more than one panorama, has one curve a panorama for
    the sites of all damage mechanisms, and the fitted distribution above the limit. Sites that are
    not above the limit, which other panoramas cannot have, are left out.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas, in the order they are to be named; `panorama`, `class`
        and `area_um2` are used.
    fits : pandas.DataFrame, optional
        `SIZE_FITS`.
    detection_limit_um2 : float, optional
        Area that the sites of all panoramas exceed, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    names = sites["panorama"].drop_duplicates().tolist()
    if detection_limit_um2 is not None:
        sites = sites[sites["area_um2"] > detection_limit_um2]
    several = len(names) > 1
    columns = 2 if max(map(len, names), default=0) <= _SHORT_NAME_CHARACTERS else 1
    wrapped = [style.wrapped(name, width=_NAME_CHARACTERS) for name in names]
    legends_mm = [3 + _LEGEND_LINE_MM * math.ceil(len(style.LABEL_ORDER) / 2)]
    if several:
        lines = sum(name.count("\n") + 1 for name in wrapped)
        legends_mm.append(3 + _LEGEND_LINE_MM * math.ceil(lines / columns))
    heights = [mm for legend_mm in legends_mm for mm in (_PANEL_MM, legend_mm)]
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=sum(heights))
    places = figure.subplots(len(heights), 1, height_ratios=heights)
    panels, legends = places[::2], places[1::2]
    for label in style.LABEL_ORDER:
        _draw_steps(
            panels[0],
            sites.loc[sites["class"] == label, "area_um2"],
            name=style.shown(label),
            color=style.COLOURS[label],
            marker=style.MARKERS[label],
            linewidth=1.0,
        )
    panels[0].set_title("(a) By class, all panoramas" if several else "By class")
    if several:
        damage = sites[sites["class"].isin(DAMAGE_MECHANISMS)]
        colours = matplotlib.colormaps["cividis"](np.linspace(0, 0.85, len(names)))
        for index, name in enumerate(names):
            areas_um2 = damage.loc[damage["panorama"] == name, "area_um2"]
            _draw_steps(
                panels[1],
                areas_um2,
                name=wrapped[index],
                color=colours[index],
                linestyle=_LINES[index % len(_LINES)],
                linewidth=1.2,
            )
            if fits is not None and len(names) <= MOST_DRAWN:
                _draw_fit(panels[1], fits, name, areas_um2, colour=colours[index])
        panels[1].set_title("(b) Deformation damage by panorama")
    for axes, place, ncols in zip(panels, legends, (2, columns), strict=False):
        _finish(axes, sites["area_um2"], detection_limit_um2=detection_limit_um2)
        place.axis("off")
        place.legend(*axes.get_legend_handles_labels(), loc="upper center", ncols=ncols)
    return figure


def _draw_fit(axes, fits, name, areas_um2, *, colour):
    """Draw the fitted distribution above the limit, where there is one."""
    rows = fits[(fits["panorama"] == name) & (fits["class"] == DAMAGE)]
    row = rows.iloc[0] if len(rows) else None
    if row is None or row["not_estimated"] or not len(areas_um2):
        return
    at = np.geomspace(row["limit_um2"], areas_um2.max(), 100)
    z = np.log(at / row["median_area_um2"]) / np.log(row["deviation"])
    below = special.ndtr(z[0])
    part = (special.ndtr(z) - below) / (1 - below)
    axes.plot(at, part, color=colour, linewidth=0.6, label="_fit", zorder=1)


@matplotlib.rc_context(style.STYLE)
def draw_median_sizes(fits: pd.DataFrame, trends: pd.DataFrame) -> Figure:
    """Draw the median size of each class against strain, and triaxiality where it is given.

    A line stands for a trend whose interval holds no change of zero; without one, points alone.

    Parameters
    ----------
    fits, trends : pandas.DataFrame
        `SIZE_FITS` and `SIZE_TRENDS`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, a panel for each predictor.
    """
    predictors = trends["predictor"].drop_duplicates().tolist()
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=_PANEL_MM * len(predictors) + 14
    )
    panels = figure.subplots(len(predictors), 1, squeeze=False)[:, 0]
    shown = (*(label for label in style.LABEL_ORDER if label in set(fits["class"])), DAMAGE)
    drawn = set()
    for axes, predictor in zip(panels, predictors, strict=True):
        for slot, label in enumerate(shown):
            rows = fits[(fits["class"] == label) & fits[predictor].notna()]
            rows = rows[rows["seen_median_diameter_low_um"].notna()]
            if not len(rows):
                continue
            span = max(np.ptp(fits[predictor].dropna()), 1e-3)
            at = rows[predictor] + span * 0.05 * ((slot + 0.5) / len(shown) - 0.5)
            value = rows["seen_median_diameter_um"]
            axes.errorbar(
                at,
                value,
                [
                    value - rows["seen_median_diameter_low_um"],
                    rows["seen_median_diameter_high_um"] - value,
                ],
                fmt=style.MARKERS[label],
                color=style.COLOURS[label],
                markersize=3.5,
                elinewidth=0.8,
                label=style.shown(label) if label not in drawn else None,
            )
            drawn.add(label)
            _draw_trend(axes, trends, label, predictor, rows)
        if not axes.has_data():
            style.say_nothing_to_show(axes, f"no class with six sites and known {predictor}")
            axes.set(xticks=[], yticks=[])
        axes.set(xlabel=_AXES[predictor], ylabel="Median diameter (µm)")
        axes.set_ylim(bottom=0)
        # Points at the first and the last value keep a distance from the frame.
        axes.margins(x=0.08)
    if drawn:
        figure.legend(loc="outside lower center", ncols=4, columnspacing=1.2, handletextpad=0.3)
    return figure


def _draw_trend(axes, trends, label, predictor, rows):
    found = trends[(trends["class"] == label) & (trends["predictor"] == predictor)]
    if not len(found) or not found["low"].notna().all():
        return
    row = found.iloc[0]
    if row["low"] <= 1 <= row["high"]:
        return
    ends = np.array([rows[predictor].min(), rows[predictor].max()])
    logarithm = np.log(rows["seen_median_diameter_um"]).mean()
    line = np.exp(logarithm + np.log(row["change"]) * (ends - rows[predictor].mean()))
    axes.plot(ends, line, color=style.COLOURS[label], linewidth=0.8)


@matplotlib.rc_context(style.STYLE)
def draw_sizes_3d(in_space: pd.DataFrame) -> Figure:
    """Draw how many spheres of each diameter would make the sections that were found.

    Parameters
    ----------
    in_space : pandas.DataFrame
        `SIZES_3D`; the damage of each panorama is drawn, of eight at most.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    own = in_space[(in_space["class"] == DAMAGE) & (in_space["panorama"] != ALL_PANORAMAS)]
    told = own[own["not_estimated"] == ""]
    names = told["panorama"].drop_duplicates().tolist()
    drawn = names[:MOST_DRAWN]
    wrapped = [style.wrapped(name, width=_NAME_CHARACTERS) for name in drawn]
    lines = sum(name.count("\n") + 1 for name in wrapped)
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=_PANEL_MM + 6 + _LEGEND_LINE_MM * lines
    )
    axes = figure.add_subplot()
    axes.set(xlabel="Diameter (µm)", ylabel="Spheres per mm³", title="Damage, unfolded")
    if not drawn:
        reason = own["not_estimated"].iloc[0] if len(own) else "no sites"
        style.say_nothing_to_show(axes, f"not estimated: {reason}")
        axes.set(xticks=[], yticks=[])
        return figure
    colours = matplotlib.colormaps["cividis"](np.linspace(0, 0.85, len(drawn)))
    for index, name in enumerate(drawn):
        rows = told[(told["panorama"] == name) & ~told["negative"] & (told["per_mm3"] > 0)]
        low = np.maximum(rows["low_per_mm3"], rows["per_mm3"] / 1e3)
        middle = np.sqrt(rows["low_um"] * rows["high_um"])
        axes.errorbar(
            middle * 1.015 ** (index - len(drawn) / 2),
            rows["per_mm3"],
            [rows["per_mm3"] - low, rows["high_per_mm3"] - rows["per_mm3"]],
            fmt="os^Dv<>P"[index],
            linestyle=_LINES[index % len(_LINES)],
            color=colours[index],
            linewidth=0.9,
            elinewidth=0.8,
            markersize=3.2,
            label=wrapped[index],
        )
    axes.set(xscale="log", yscale="log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    lowest = told.loc[told["per_mm3"] > 0, "per_mm3"].min()
    axes.set_ylim(bottom=lowest / 5)
    axes.axvline(told["low_um"].min(), color="0.4", linewidth=0.8, linestyle=(0, (1, 1)))
    figure.legend(loc="outside lower center")
    return figure


def _draw_steps(axes, areas_um2, *, name, **line):
    count = len(areas_um2)
    if count == 0:
        return
    ordered = np.sort(areas_um2.to_numpy(float))
    axes.step(
        # The first point lets the curve rise from zero.
        np.concatenate([ordered[:1], ordered]),
        np.arange(count + 1) / count,
        where="post",
        label=f"{name} (n = {count})",
        markersize=3.5,
        markevery=max(count // _MOST_MARKERS, 1),
        **line,
    )


def _finish(axes, areas_um2, *, detection_limit_um2):
    axes.set(xlabel="Area of a site (µm²)", ylabel="Fraction of sites not larger", ylim=(0, 1.02))
    if not axes.lines:
        style.say_nothing_to_show(axes, "no sites")
        axes.set(xticks=[])
        return
    axes.set_xscale("log")
    smallest, largest = areas_um2.min(), areas_um2.max()
    if detection_limit_um2 is not None:
        smallest = min(smallest, detection_limit_um2)
        axes.axvline(
            detection_limit_um2, color="0.4", linewidth=0.8, linestyle=(0, (1, 1)), zorder=1
        )
        axes.annotate(
            "detection limit",
            (detection_limit_um2, 0.99),
            xytext=(2, 0),
            textcoords="offset points",
            rotation=90,
            va="top",
            color="0.3",
            fontsize=7,
        )
    axes.set_xlim(smallest / 1.3, largest * 1.3)
    # The fewer decades, the more numbers have room and are needed.
    decades = math.log10(largest / smallest)
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if decades > 2.5 else (1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("{x:g}" if decades < 0.5 else NullFormatter())
