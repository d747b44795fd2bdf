"""Phase maps in numbers: fractions, their convergence, and shapes."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from damascene.figures import style

_MARKERS = "osD^vP*X"
_NAME_CHARACTERS = 28
#: Panoramas with a curve and a name of their own.
_MOST_CURVES = 8
_LINES = ("-", "--", "-.", ":")
_LIMITS_POINTS = (2, 1)
_ROW_MM = 7.0
# Round a point without an interval.
_RING = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 8,
    "markerfacecolor": "none",
    "markeredgecolor": "0.4",
    "markeredgewidth": 0.6,
}
_LEGEND_LINE_MM = 3.8


@matplotlib.rc_context(style.STYLE)
def draw_phases_against_strain(
    phases: pd.DataFrame, *, colours: Mapping[str, str], damage_phase: str
) -> Figure:
    """Draw the fraction of each phase against strain, with intervals.

    The phases of the steel are above, damage, of which there is much less, below. If a strain is
    unknown, the panoramas stand side by side instead.

    Parameters
    ----------
    phases : pandas.DataFrame
        `PHASES`.
    colours : mapping of str to str
        Of all phases, in the order of the configuration.
    damage_phase : str
        Empty for none.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, 175 mm for panoramas side by side.
    """
    rows = phases[phases["panorama"] != ""]
    panoramas = rows.drop_duplicates("panorama")[["panorama", "strain_percent"]]
    by_strain = bool(panoramas["strain_percent"].notna().all())
    places = panoramas["strain_percent"] if by_strain else np.arange(len(panoramas))
    places = pd.Series(np.asarray(places, float), index=panoramas["panorama"])
    steel = [name for name in colours if name != damage_phase]
    groups = [steel, [damage_phase]] if damage_phase else [steel]
    if by_strain:
        figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=14 + 50 * len(groups))
        panels = figure.subplots(len(groups), 1, squeeze=False, sharex=True)
    else:
        figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=40 + 50 * len(groups))
        panels = figure.subplots(len(groups), 1, squeeze=False, sharex=True)
    panels = panels.ravel()
    for axes, names, letter in zip(panels, groups, "ab", strict=False):
        for slot, name in enumerate(names):
            _draw_fractions(
                axes,
                rows[rows["phase"] == name],
                places=places,
                shift=((slot + 0.5) / len(names) - 0.5) * _dodge(places),
                colour=colours[name],
                marker=_MARKERS[slot % len(_MARKERS)],
            )
        whole = "mapped area" if names == [damage_phase] else "steel"
        title = style.shown(damage_phase) if names == [damage_phase] else "Phases of the steel"
        title = title[:1].upper() + title[1:]
        axes.set(
            title=f"({letter}) {title}" if len(groups) > 1 else title,
            ylabel=f"Fraction of the {whole} (%)",
        )
        axes.set_ylim(bottom=0, top=1.15 * axes.get_ylim()[1])
        unsure = rows[rows["phase"].isin(names)]["low"].isna().any()
        if unsure:
            axes.plot([], [], label="without interval", **_RING)
        axes.legend(loc="upper left", ncols=3 if len(names) < 4 else 2)
        if axes is panels[-1]:
            _label_places(axes, places, by_strain=by_strain)
    return figure


def _draw_fractions(axes, rows, *, places, shift, colour, marker):
    at = places.loc[rows["panorama"]].to_numpy()
    # Panoramas of one strain stand side by side.
    repeat = pd.Series(at).groupby(at).cumcount().to_numpy()
    repeats = pd.Series(at).groupby(at).transform("size").to_numpy()
    at = at + shift + _dodge(places) * 0.3 * ((repeat + 0.5) / repeats - 0.5)
    fraction = 100 * rows["fraction"].to_numpy()
    reach = [
        np.nan_to_num(np.abs(fraction - 100 * rows[bound].to_numpy())) for bound in ("low", "high")
    ]
    sure = rows["low"].notna().to_numpy()
    drawn = axes.errorbar(
        at,
        fraction,
        yerr=reach,
        linestyle="none",
        marker=marker,
        markerfacecolor=colour,
        markeredgecolor="black",
        markeredgewidth=0.4,
        ecolor=colour,
        elinewidth=1.0,
        capsize=2,
        label=style.shown(rows["phase"].iloc[0]) if len(rows) else None,
        zorder=3,
    )
    drawn.lines[0].set_clip_on(False)
    axes.plot(at[~sure], fraction[~sure], **_RING)


def _dodge(places):
    steps = np.diff(np.unique(places))
    return 0.5 * steps.min() if len(steps) else 0.5


def _label_places(axes, places, *, by_strain):
    dodge = _dodge(places)
    axes.set_xlim(places.min() - dodge, places.max() + dodge)
    if by_strain:
        axes.set_xlabel("Strain (%)")
        axes.set_xticks(np.unique(places) if places.nunique() < 8 else axes.get_xticks())
        axes.set_xlim(places.min() - dodge, places.max() + dodge)
        return
    names = [style.wrapped(name, width=_NAME_CHARACTERS) for name in places.index]
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_xlabel("Panorama")


@matplotlib.rc_context(style.STYLE)
def draw_phase_convergence(
    convergence: pd.DataFrame, phases: pd.DataFrame, *, phase: str
) -> Figure:
    """Draw how much the fraction of a phase scatters between windows, against their edge.

    The standard error of the fraction of the whole panorama, taken back from its interval, stands
    at the edge of a square of its area.

    Parameters
    ----------
    convergence : pandas.DataFrame
        `PHASE_CONVERGENCE`.
    phases : pandas.DataFrame
        `PHASES`.
    phase : str

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide.
    """
    figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=78)
    axes = figure.add_subplot()
    rows = convergence[(convergence["phase"] == phase) & (convergence["standard_deviation"] > 0)]
    whole = phases[(phases["panorama"] != "") & (phases["phase"] == phase)]
    axes.set(
        xlabel="Edge of the windows (µm)",
        ylabel=f"Standard deviation of the fraction\nof {style.shown(phase)} (percentage points)",
    )
    if rows.empty:
        style.say_nothing_to_show(axes, "too few windows, or one phase alone")
        axes.set(xticks=[], yticks=[])
        return figure
    names = rows["panorama"].drop_duplicates().tolist()
    few = len(names) <= _MOST_CURVES
    colours = matplotlib.colormaps["cividis"](np.linspace(0, 0.85, len(names)))
    for index, name in enumerate(names):
        each = rows[rows["panorama"] == name]
        colour = colours[index] if few else "0.6"
        axes.plot(
            each["edge_um"],
            100 * each["standard_deviation"],
            color=colour,
            linestyle=_LINES[index % len(_LINES)] if few else "-",
            marker=_MARKERS[index % len(_MARKERS)] if few else None,
            markersize=3.5,
            linewidth=1.0 if few else 0.5,
            label=style.wrapped(name, width=_NAME_CHARACTERS) if few else None,
        )
        own = whole[whole["panorama"] == name]
        axes.plot(
            np.sqrt(own["whole_area_um2"]),
            _standard_error_points(own),
            linestyle="none",
            marker="_",
            markersize=9,
            markeredgewidth=1.6,
            color=colour,
        )
    for points in _LIMITS_POINTS:
        axes.axhline(points, color="0.5", linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
    axes.plot(
        [],
        [],
        linestyle="none",
        marker="_",
        markersize=9,
        markeredgewidth=1.6,
        color="0.3",
        label="whole panorama",
    )
    if not few:
        axes.plot([], [], color="0.6", linewidth=0.5, label=f"{len(names)} panoramas")
    axes.set(xscale="log", yscale="log")
    lowest = min(axes.get_ylim()[0], 0.8)
    axes.set_ylim(bottom=lowest)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(matplotlib.ticker.NullFormatter())
    figure.legend(loc="outside lower center", ncols=1 if few and max(map(len, names)) > 15 else 2)
    return figure


def _standard_error_points(rows):
    half = (rows["high"] - rows["low"]) / 2
    return 100 * half / stats.t.ppf((1 + rows["confidence"]) / 2, rows["groups"] - 1)


@matplotlib.rc_context(style.STYLE)
def draw_islands_and_bands(
    shapes: pd.DataFrame, *, phase: str, colours: Mapping[str, str], damage_phase: str
) -> Figure:
    """Draw islands, chords and bands, one line a panorama.

    Parameters
    ----------
    shapes : pandas.DataFrame
        `PHASE_SHAPES`.
    phase : str
        Whose islands and bands are drawn.
    colours : mapping of str to str
        Of all phases.
    damage_phase : str
        Whose chords are left out; empty for none.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, higher with more panoramas.
    """
    names = shapes["panorama"].drop_duplicates().tolist()
    own = shapes[shapes["phase"] == phase].set_index("panorama").loc[names]
    banded = bool((own["bands"] != "").any())
    count = 4 if banded else 2
    chords = shapes[shapes["phase"] != damage_phase]
    panel_mm = 26 + _ROW_MM * (len(names) - 1)
    legend_mm = 4 + _LEGEND_LINE_MM * max(3, 2 + chords["phase"].nunique())
    rows = count // 2
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=rows * (panel_mm + legend_mm)
    )
    grid = figure.subplots(2 * rows, 2, sharey="row", height_ratios=[panel_mm, legend_mm] * rows)
    panels, legends = grid[::2].ravel(), grid[1::2].ravel()
    y = np.arange(len(names))
    _draw_islands(panels[0], own, y, colour=colours[phase], phase=phase)
    _draw_chords(panels[1], chords, pd.Series(y, index=names), colours=colours)
    if banded:
        _draw_bands(panels[2], own, y, colour=colours[phase])
        _draw_directions(panels[3], own, y, colour=colours[phase])
    for axes, place, letter in zip(panels, legends, "abcd", strict=False):
        axes.set_title(f"({letter}) {axes.get_title(loc='left')}")
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="y", color="0.9", linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        place.axis("off")
        if axes.get_legend_handles_labels()[0]:
            place.legend(*axes.get_legend_handles_labels(), loc="upper center")
    for axes in grid[::2, 0]:
        axes.set_yticks(y, [style.wrapped(name, width=_NAME_CHARACTERS) for name in names])
    return figure


def _point(axes, x, y, *, colour, marker, label, filled=True, size=4.5):
    axes.plot(
        x,
        y,
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor=colour if filled else "white",
        markeredgecolor="black",
        markeredgewidth=0.5,
        label=label,
        zorder=3,
    )


def _draw_islands(axes, own, y, *, colour, phase):
    axes.hlines(
        y,
        own["diameter_quartile_1_um"],
        own["diameter_quartile_3_um"],
        color=colour,
        linewidth=3,
        label="quartiles",
    )
    _point(axes, own["diameter_median_um"], y, colour=colour, marker="o", label="median, by number")
    _point(
        axes,
        own["diameter_median_by_area_um"],
        y,
        colour=colour,
        marker="D",
        filled=False,
        label="median, by area",
    )
    title = style.shown(phase)
    axes.set(title=f"{title[:1].upper()}{title[1:]} islands", xlabel="Equivalent diameter (µm)")
    if own["diameter_median_um"].notna().any():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(numticks=5))
        axes.xaxis.set_major_formatter("{x:g}")


def _draw_chords(axes, shapes, places, *, colours):
    for name in shapes["phase"].drop_duplicates():
        rows = shapes[shapes["phase"] == name]
        y = places.loc[rows["panorama"]]
        for column, marker in (("mean_chord_x_um", ">"), ("mean_chord_y_um", "^")):
            _point(axes, rows[column], y, colour=colours[name], marker=marker, label=None)
        _point(axes, [], [], colour=colours[name], marker="s", label=style.shown(name))
    for marker, label in ((">", "along the load"), ("^", "across the load")):
        _point(axes, [], [], colour="white", marker=marker, label=label)
    axes.set(title="Chords", xlabel="Mean chord (µm)")
    axes.set_xlim(left=0)


def _draw_bands(axes, own, y, *, colour):
    axes.barh(y, own["band_spacing_um"], height=0.5, color="0.85", label="spacing")
    axes.barh(y, own["band_width_um"], height=0.28, color=colour, label="width")
    for place, found in zip(y, own["bands"], strict=True):
        if found != "bands":
            axes.text(
                0.02,
                place,
                style.shown(found),
                va="center",
                color="0.35",
                transform=axes.get_yaxis_transform(),
            )
    axes.set(title="Bands", xlabel="Across the bands (µm)")
    axes.set_xlim(left=0)


def _draw_directions(axes, own, y, *, colour):
    label = "angle; strength beside"
    _point(axes, own["band_angle_deg"], y, colour=colour, marker="o", label=label)
    for place, angle, strength in zip(y, own["band_angle_deg"], own["band_strength"], strict=True):
        if np.isfinite(strength):
            side = angle if np.isfinite(angle) else 0.0
            axes.annotate(
                f"{strength:.2f}",
                (side, place),
                xytext=(5 if side < 45 else -5, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side < 45 else "right",
            )
    axes.axvline(0, color="0.6", linewidth=0.6, linestyle=(0, (2, 2)), zorder=1)
    axes.set(title="Direction", xlabel="Angle to the load (°)", xlim=(-95, 95))
    axes.set_xticks([-90, -45, 0, 45, 90])
