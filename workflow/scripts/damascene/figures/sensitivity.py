"""How the number of candidates moves with each rule of detection."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, MaxNLocator, NullFormatter, NullLocator

from damascene.figures import style
from damascene.sensitivity.sweep import GRID, STUDY

_PANELS = {
    "threshold": ("Threshold", ""),
    "eps_px": ("DBSCAN eps", "eps (px)"),
    "min_samples": ("DBSCAN min_samples", "min_samples"),
    "minimum_area_px": ("Minimum area", "Sites are larger than (px²)"),
    "merge_distance_px": ("Merging", "Merge distance (px), 0: none"),
}
_THRESHOLDS = {
    "relative": "Depth below ferrite",
    "fixed": "Grey limit",
    "matched": "Grey limit after matching",
}
_BAND = (0.05, 0.95)
# Counts that differ more than this need a logarithmic axis.
_LINEAR_UP_TO = 8
#: The study, then the presets, in colours of Okabe and Ito; the marker says the same without any.
PRESET_MARKS = {
    STUDY: {"color": "black", "marker": "o"},
    "default": {"color": "#009E73", "marker": "P"},
    "reclik2017": {"color": "#E69F00", "marker": "s"},
    "kusche2019": {"color": "#0072B2", "marker": "^"},
    "medghalchi2020": {"color": "#CC79A7", "marker": "v"},
    "kerzel2024": {"color": "#D55E00", "marker": "D"},
}


@matplotlib.rc_context(style.STYLE)
def draw_sensitivity(counts: pd.DataFrame) -> Figure:
    """Draw candidates per area against each rule of detection, and with published settings.

    Parameters
    ----------
    counts : pandas.DataFrame
        Rows of `sweep.sweep_grid` and `count_presets` for all panoramas, with
        their `panorama`. Panoramas count together: candidates of all per area of all.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide. A panel a parameter: a line through the grid with the other parameters at the
        study's values, a band from the 5 to the 95 % quantile over all combinations with that
        value, and marks of the presets at their values. The last panel has all presets.
    """
    together = _together(counts)
    grid = together[together["settings"].isin([STUDY, GRID])]
    presets = together[~together["settings"].isin([STUDY, GRID])].set_index("settings")
    study = grid[grid["settings"] == STUDY].iloc[0]

    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=112)
    panels = figure.subplots(2, 3).ravel()
    shown = [study["density"], *presets["density"]]
    for letter, axes, (name, (title, label)) in zip("abcde", panels, _PANELS.items(), strict=False):
        by_value = grid.groupby(name)["density"]
        low, high = by_value.quantile(_BAND[0]), by_value.quantile(_BAND[1])
        others = [other for other in _PANELS if other != name]
        line = grid[(grid[others] == study[others]).all(axis=1)].sort_values(name)
        axes.fill_between(low.index, low, high, color="0.85", linewidth=0, zorder=1)
        axes.axvline(study[name], color="0.4", linewidth=0.8, linestyle=(0, (1, 1)), zorder=2)
        axes.plot(line[name], line["density"], "-o", color="black", markersize=2.5, zorder=3)
        for preset, row in presets.iterrows():
            if name != "threshold" or row["rule"] == study["rule"]:
                _mark(axes, row[name], row["density"], **PRESET_MARKS[preset])
        _mark(axes, study[name], study["density"], **PRESET_MARKS[STUDY])
        axes.set_title(f"({letter}) {title}")
        axes.set_xlabel(label or _THRESHOLDS[study["rule"]])
        if name == "threshold":
            # The grid is one of factors.
            axes.set_xscale("log")
        else:
            # Small values lie close together, and there may be a zero.
            axes.set_xscale("function", functions=(_signed_root, _signed_square))
        values = sorted({*by_value.groups, *line[name]})
        # Thresholds have more digits than other values.
        room = 0.14 if name == "threshold" else 0.07
        axes.xaxis.set_major_locator(FixedLocator(_apart(axes.xaxis, values, room=room)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(
            lambda value, _: f"{value:.2g}" if value < 1 else f"{value:g}"
        )
        shown += [*low, *high, *line["density"]]
    _draw_presets(panels[-1], counts, study, presets)
    single = counts.loc[counts["settings"].isin([STUDY, *presets.index]), "candidates_per_mm2"]
    shown += [*single.astype(float)]
    _scale(panels, np.array(shown, float))
    for axes in panels[:5:3]:
        axes.set_ylabel("Candidates per mm²")
    return figure


def _mark(axes, x, y, **mark):
    axes.plot(x, y, **mark, markersize=5, linestyle="none", clip_on=False, zorder=4)


def _together(counts):
    """Return one row per combination and preset, over all panoramas."""
    panoramas = counts["panorama"].nunique()
    groups = counts.groupby(["settings", "combination", "rule"], sort=False)
    totals = groups[[*_PANELS]].mean()
    totals["density"] = groups["candidates"].sum() / groups["area_mm2"].sum()
    # What could not be counted in every panorama has no total.
    totals.loc[groups["candidates"].count() < panoramas, "density"] = np.nan
    return totals.reset_index().astype({"density": float})


def _signed_root(values):
    return np.sign(values) * np.sqrt(np.abs(values))


def _signed_square(values):
    return np.sign(values) * np.square(values)


def _apart(axis, values, *, room):
    """Return the values whose labels do not run into that of the one before."""
    position = axis.get_transform().transform(np.array(values, float))
    kept = [0]
    for index in range(1, len(values)):
        if position[index] - position[kept[-1]] >= room * (position[-1] - position[0]):
            kept.append(index)
    return [values[index] for index in kept]


def _draw_presets(axes, counts, study, presets):
    names = [STUDY, *presets.index]
    density = {STUDY: study["density"], **presets["density"]}
    several = len(counts["panorama"].unique()) > 1
    for place, name in enumerate(names):
        if several:
            single = counts.loc[counts["settings"] == name, "candidates_per_mm2"].astype(float)
            axes.plot(single, np.full(len(single), place), "|", color="0.5", markersize=6, zorder=2)
        mark = PRESET_MARKS[name]
        _mark(axes, density[name], place, **mark)
        ratio = density[name] / study["density"] if study["density"] > 0 else np.nan
        text = "stops" if np.isnan(density[name]) else f"× {ratio:.2f}"
        if not np.isnan(ratio) or np.isnan(density[name]):
            axes.annotate(
                text,
                (1.02, place),
                xycoords=("axes fraction", "data"),
                va="center",
                color="0.3",
                annotation_clip=False,
            )
    axes.set_yticks(range(len(names)), ["this study", *names[1:]])
    axes.set_ylim(len(names) - 0.5, -0.6)
    axes.set_xlabel("Candidates per mm²")
    axes.set_title("(f) Published settings")


def _scale(panels, shown):
    """Give all axes of densities the same limits, logarithmic if they need it."""
    shown = shown[np.isfinite(shown)]
    above = shown[shown > 0]
    logarithmic = len(above) > 0 and above.max() > _LINEAR_UP_TO * above.min()
    limits = (above.min() / 1.3, above.max() * 1.3) if logarithmic else (0, shown.max() * 1.08 or 1)
    for axes in panels[:5]:
        axes.set_yscale("log" if logarithmic else "linear")
        axes.set_ylim(limits)
    panels[5].set_xscale("log" if logarithmic else "linear")
    panels[5].set_xlim(limits)
    # Numbers side by side need more room than numbers above each other.
    few = (1,) if limits[1] > 20 * limits[0] else (1, 2, 5)
    for axis in [*(axes.yaxis for axes in panels[:5]), panels[5].xaxis]:
        subs = few if axis is panels[5].xaxis else (1, 2, 5)
        axis.set_major_locator(LogLocator(subs=subs) if logarithmic else MaxNLocator(4))
        axis.set_minor_formatter(NullFormatter())
        axis.set_major_formatter("{x:,.7g}")
    for axes in panels[[1, 2, 4]]:
        axes.tick_params(labelleft=False)
