"""Size distributions."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from damascene.classes import DAMAGE_MECHANISMS
from damascene.figures import style

_LINES = ("-", "--", "-.", ":")
_MOST_MARKERS = 8
_NAME_CHARACTERS = 45
# Names up to this length, with their counts, stand in two columns under a panel.
_SHORT_NAME_CHARACTERS = 15
_PANEL_MM = 65
_LEGEND_LINE_MM = 3.6


@matplotlib.rc_context(style.STYLE)
def draw_size_distributions(
    sites: pd.DataFrame, *, detection_limit_um2: float | None = None
) -> Figure:
    """Draw the cumulative distribution of site areas by class and of damage by panorama.

    The left panel takes the sites of a class from all panoramas together, so panoramas with many
    sites weigh more; the right one, drawn for more than one panorama, has one curve a panorama for
    the sites of all damage mechanisms.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas, in the order they are to be named; `panorama`, `class`
        and `area_um2` are used.
    detection_limit_um2 : float, optional
        Smallest area that the detection keeps, drawn as a line.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide for one panorama, else 175 mm.
    """
    names = sites["panorama"].drop_duplicates().tolist()
    several = len(names) > 1
    columns = 2 if max(map(len, names), default=0) <= _SHORT_NAME_CHARACTERS else 1
    lines = [len(style.LABEL_ORDER) / 2]
    if several:
        wrapped = [style.wrapped(name, width=_NAME_CHARACTERS) for name in names]
        lines.append(sum(name.count("\n") + 1 for name in wrapped) / columns)
    legend_mm = 3 + _LEGEND_LINE_MM * math.ceil(max(lines))
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM if several else style.COLUMN_WIDTH_MM,
        height_mm=_PANEL_MM + legend_mm,
    )
    panels, legends = figure.subplots(
        2, 1 + several, squeeze=False, height_ratios=[_PANEL_MM, legend_mm]
    )
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
            _draw_steps(
                panels[1],
                damage.loc[damage["panorama"] == name, "area_um2"],
                name=wrapped[index],
                color=colours[index],
                linestyle=_LINES[index % len(_LINES)],
                linewidth=1.2,
            )
        panels[1].set_title("(b) Deformation damage by panorama")
    for axes, place, ncols in zip(panels, legends, (2, columns), strict=False):
        _finish(axes, sites["area_um2"], detection_limit_um2=detection_limit_um2)
        place.axis("off")
        place.legend(*axes.get_legend_handles_labels(), loc="upper center", ncols=ncols)
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
