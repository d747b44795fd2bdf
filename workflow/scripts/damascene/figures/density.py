"""Densities and shares of the classes."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS
from damascene.figures import style

_PANELS = (
    ("(a) Deformation damage", (DAMAGE, *DAMAGE_MECHANISMS)),
    (
        "(b) Other sites",
        tuple(label for label in style.LABEL_ORDER if label not in DAMAGE_MECHANISMS),
    ),
)
_NAME_CHARACTERS, _NAME_BESIDE = 28, 14
# Panoramas side by side that a column has room for.
_MOST_IN_A_COLUMN = 8
# A curve through fewer sites says more than they do.
_LEAST_SITES_OF_A_TREND = 10
_MOST_BARS = 30
_BAR_MM = 4
_TEXT_LINE_MM = 3
# A share narrower than this has no room for its count.
_SMALLEST_WRITTEN_SHARE = 0.12


@matplotlib.rc_context(style.STYLE)
def draw_density_against_strain(
    density: pd.DataFrame, evolution: pd.DataFrame | None = None
) -> Figure:
    """Draw the density of each class against strain, with intervals.

    Damage mechanisms and their sum are above, the classes that deformation does not make below.
    Intervals are those of the block bootstrap, exact Poisson ones where there are none. Points are
    shifted sideways. Curves are the regressions; a class has none where its change was not
    estimated or rests on fewer than ten sites. If a strain is unknown, the panoramas stand side by
    side instead.

    Parameters
    ----------
    density : pandas.DataFrame
        `DENSITIES`.
    evolution : pandas.DataFrame, optional
        `EVOLUTION`; no curves without it.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, 175 mm with more than eight panoramas side by side.
    """
    panoramas = density.drop_duplicates("panorama")[["panorama", "strain_percent"]]
    by_strain = bool(panoramas["strain_percent"].notna().all())
    if by_strain:
        positions = panoramas.set_index("panorama")["strain_percent"]
    else:
        positions = pd.Series(np.arange(len(panoramas), dtype=float), index=panoramas["panorama"])
        evolution = None
    wide = not by_strain and len(panoramas) > _MOST_IN_A_COLUMN
    width = style.FULL_WIDTH_MM if wide else style.COLUMN_WIDTH_MM
    figure = style.new_figure(width_mm=width, height_mm=125 if by_strain else 145)
    panels = figure.subplots(2, 1, sharex=True)
    for axes, (title, labels) in zip(panels, _PANELS, strict=True):
        _draw_panel(axes, density, labels=labels, positions=positions, evolution=evolution)
        axes.set(title=title, ylabel="Sites per mm²")
        # Densities start at zero; the legend has its room above the points.
        axes.set_ylim(bottom=0, top=1.35 * axes.get_ylim()[1])
        axes.legend(loc="upper left", ncols=2)
    if by_strain:
        panels[-1].set_xlabel("Strain (%)")
    else:
        _name_panoramas(panels[-1], panoramas)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_class_shares(density: pd.DataFrame) -> Figure:
    """Draw the share of every class among the sites of each panorama, with counts.

    Parameters
    ----------
    density : pandas.DataFrame
        Result of `statistics.density.density_table`.

    Returns
    -------
    matplotlib.figure.Figure
        85 mm wide, higher with more panoramas. Of more than thirty, those of one strain are one
        bar, withheld ones left out.
    """
    if density["panorama"].nunique() > _MOST_BARS:
        density = _by_strain(density)
    panoramas = density.drop_duplicates("panorama")[["panorama", "strain_percent"]]
    table = density.set_index(["panorama", "class"])["count"].fillna(0).astype(int)
    counts = {
        label: table.xs(label, level="class").loc[panoramas["panorama"]].to_numpy()
        for label in style.LABEL_ORDER
    }
    totals = table.xs(ALL, level="class").loc[panoramas["panorama"]].to_numpy()
    withheld = set(density.loc[density["not_estimated"] != "", "panorama"])
    names = [_panorama_text(row, width=_NAME_BESIDE) for row in panoramas.itertuples()]
    bar_mm = _BAR_MM + _TEXT_LINE_MM * max(name.count("\n") + 1 for name in names)
    figure = style.new_figure(
        width_mm=style.COLUMN_WIDTH_MM, height_mm=30 + bar_mm * len(panoramas)
    )
    axes = figure.add_subplot()
    places = np.arange(len(panoramas))
    left = np.zeros(len(panoramas))
    for label in style.LABEL_ORDER:
        share = 100 * counts[label] / np.maximum(totals, 1)
        axes.barh(
            places,
            share,
            left=left,
            height=0.75,
            color=style.COLOURS[label],
            edgecolor="white",
            linewidth=0.5,
            hatch=style.HATCHES[label],
            label=style.shown(label),
        )
        for place, start, width, count in zip(places, left, share, counts[label], strict=True):
            if width >= 100 * _SMALLEST_WRITTEN_SHARE:
                text = axes.text(start + width / 2, place, count, ha="center", va="center")
                text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        left += share
    for place, total, name in zip(places, totals, panoramas["panorama"], strict=True):
        axes.text(101, place, f"n = {total}", va="center")
        if total == 0 or name in withheld:
            said = "no sites" if total == 0 else "classes not estimated"
            axes.text(1, place, said, va="center", color="0.35")
    axes.set(
        xlim=(0, 100),
        ylim=(len(panoramas) - 0.5, -0.5),
        xlabel="Share of the sites (%); in the bars: number",
    )
    axes.set_yticks(places, names)
    figure.legend(loc="outside upper center", ncols=3, columnspacing=1.4)
    return figure


def _by_strain(density):
    """Return counts summed up over the panoramas of one strain, as far as shares need them."""
    withheld = density.loc[density["not_estimated"] != "", "panorama"]
    known = density[~density["panorama"].isin(withheld)]
    summed = []
    for strain, own in known.groupby("strain_percent", dropna=False):
        number = own["panorama"].nunique()
        at = "unknown strain" if pd.isna(strain) else f"{strain:g} %"
        counts = own.groupby("class", as_index=False)["count"].sum()
        name = f"{number} panorama{'s' * (number > 1)}, {at}"
        summed.append(counts.assign(panorama=name, strain_percent=np.nan, not_estimated=""))
    if not summed:
        return density[density["panorama"].isin(density["panorama"].unique()[:_MOST_BARS])]
    return pd.concat(summed, ignore_index=True)


def _draw_panel(axes, density, *, labels, positions, evolution):
    values = np.unique(positions)
    dodge = _dodge_width(values)
    for slot, label in enumerate(labels):
        rows = density[(density["class"] == label) & density["count"].notna()]
        shift = dodge * ((slot + 0.5) / len(labels) - 0.5)
        at = positions.loc[rows["panorama"]].to_numpy(float)
        repeat = pd.Series(at).groupby(at).cumcount().to_numpy()
        repeats = pd.Series(at).groupby(at).transform("size").to_numpy()
        # Panoramas of the same strain share the place of their class.
        x = at + shift + dodge / len(labels) * 0.8 * ((repeat + 0.5) / repeats - 0.5)
        centre = rows["density_per_mm2"].to_numpy(float)
        low, high = (
            rows[f"block_{bound}_per_mm2"].fillna(rows[f"density_{bound}_per_mm2"]).to_numpy(float)
            for bound in ("low", "high")
        )
        colour = style.COLOURS[label]
        drawn = axes.errorbar(
            x,
            centre,
            yerr=[centre - low, high - centre],
            linestyle="none",
            marker=style.MARKERS[label],
            markersize=6 if label == DAMAGE else 4,
            markerfacecolor=colour,
            markeredgecolor="black",
            markeredgewidth=0.4,
            ecolor=colour,
            elinewidth=0.9,
            capsize=1.5,
            label=style.shown(label) if label != DAMAGE else "damage (sum)",
            zorder=3,
        )
        # A count of zero sits on the axis and is to be seen whole.
        drawn.lines[0].set_clip_on(False)
        if evolution is not None:
            _draw_trend(axes, evolution, label=label, shift=shift)
    axes.set_xlim(values.min() - 0.8 * dodge, values.max() + 0.8 * dodge)
    if len(values) == 1:
        # The points of a single strain are shifted, which must not be read off the axis.
        axes.set_xticks(values)


def _draw_trend(axes, evolution, *, label, shift):
    (row,) = evolution[evolution["class"] == label].to_dict("records")
    if row["not_estimated"] or row["count"] < _LEAST_SITES_OF_A_TREND:
        return
    # From no site to some there is no exponential curve.
    if not (np.isfinite(row["rate_ratio"]) and row["rate_ratio"] > 0):
        return
    way = np.linspace(0, 1, 50)
    start, end = row["strain_from_percent"], row["strain_to_percent"]
    axes.plot(
        start + way * (end - start) + shift,
        row["fitted_from_per_mm2"] * row["rate_ratio"] ** way,
        color=style.COLOURS[label],
        linewidth=0.7,
        alpha=0.6,
        zorder=2,
    )


def _dodge_width(values):
    """Return the width over which the points of one strain are spread."""
    if len(values) < 2:
        return 0.6
    span = values[-1] - values[0]
    # Less than the distance to the neighbour, but wide enough to separate the points.
    return float(np.clip(0.6 * np.diff(values).min(), 0.05 * span, 0.12 * span))


def _name_panoramas(axes, panoramas):
    names = [_panorama_text(row) for row in panoramas.itertuples()]
    turned = len(names) > 4
    axes.set_xticks(
        np.arange(len(names)),
        names,
        rotation=45 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else "default",
    )
    axes.set_xlabel("Panorama")


def _panorama_text(row, *, width=_NAME_CHARACTERS):
    name = style.wrapped(row.panorama, width=width)
    if pd.isna(row.strain_percent):
        return name
    strain = f"({row.strain_percent:g} %)"
    fits = len(name.split("\n")[-1]) + 1 + len(strain) <= width
    return name + (" " if fits else "\n") + strain
