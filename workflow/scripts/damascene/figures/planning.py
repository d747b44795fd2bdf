"""Figure of what a study costs."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.figures import style

_LINE_MM = 4.6
_LEAST_SHARE = 0.001
# Colours of Okabe and Ito, as for the classes; the hatch says the same.
_KINDS = ((True, "#D55E00", "////", "runs networks"), (False, "#0072B2", "", "other rules"))


@matplotlib.rc_context(style.STYLE)
def draw_costs(table: pd.DataFrame) -> Figure:
    """Draw the core-hours of each rule, the dearest on top; rules below 0.1 % are one bar.

    Parameters
    ----------
    table : pandas.DataFrame
        `planning/costs.tsv`: see `planning.preview.cost_table`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    total = table.core_hours.sum()
    small = table.core_hours < _LEAST_SHARE * total
    shown = table[~small].sort_values("core_hours")
    names = [*shown.rule]
    hours = [*shown.core_hours]
    jobs = [*shown.jobs]
    networks = [*(shown.gpu_hours > 0)]
    if small.any():
        names.insert(0, f"{small.sum()} further rules")
        hours.insert(0, table.core_hours[small].sum())
        jobs.insert(0, table.jobs[small].sum())
        networks.insert(0, False)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=20 + _LINE_MM * len(names))
    axes = figure.subplots()
    places, networks = np.arange(len(names)), np.array(networks)
    for kind, colour, hatch, label in _KINDS:
        rows = networks == kind
        axes.barh(
            places[rows],
            np.array(hours)[rows],
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0,
            label=label,
        )
    for place, hour, count in zip(places, hours, jobs, strict=True):
        counted = f"{count:,} jobs" if count > 1 else "1 job"
        axes.annotate(
            f"{hour:.3g} h, {counted}",
            (hour, place),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
        )
    axes.set_yticks(places, names)
    axes.margins(x=0.15)
    axes.set_xlim(left=0)
    axes.set_xlabel("core-hours")
    axes.grid(axis="x", linewidth=0.3, color="0.85")
    axes.legend(loc="lower right")
    return figure
