"""Sites and the hard phase: how much of it stands round them, and where they are dense."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.classes import DAMAGE, SITE_CLASSES
from damascene.contracts.phase_descriptors import ALL_PANORAMAS, SQUARE_UM
from damascene.figures import style

_PER_MM2 = "Sites per mm² of such area"
_DRAWN = tuple(label for label in style.LABEL_ORDER if label in SITE_CLASSES)
_HEIGHT_MM = 78


@matplotlib.rc_context(style.STYLE)
def draw_phase_surroundings(
    profiles: pd.DataFrame, density: pd.DataFrame, *, hard_phase: str
) -> Figure:
    """Draw the fraction of hard phase against distance, and densities by distance and fraction.

    Sites of all panoramas are taken together; the table has each panorama.

    Parameters
    ----------
    profiles : pandas.DataFrame
        `PHASE_PROFILES`.
    density : pandas.DataFrame
        `DENSITY_BY_PHASE`.
    hard_phase : str
        Its name.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=_HEIGHT_MM)
    panels = figure.subplots(1, 3)
    profiles, density = _together(profiles), _together(density)
    _draw_profiles(panels[0], profiles, hard_phase=hard_phase)
    _draw_density(panels[1], density[density["measure"] == "distance"], by="distance")
    panels[1].set(
        xlabel=f"Outline to {hard_phase}, up to (µm)",
        title=f"(b) Sites near {hard_phase}",
        ylabel=_PER_MM2,
    )
    _draw_density(panels[2], density[density["measure"] == "fraction"], by="fraction")
    panels[2].set(
        xlabel=f"{hard_phase.capitalize()} in {SQUARE_UM:g} µm squares, up to",
        title="(c) Sites by local fraction",
    )
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _together(table):
    """Return the rows of all panoramas together, those of the only one where there is one."""
    together = table[table["panorama"] == ALL_PANORAMAS]
    return together if len(together) else table


def _draw_profiles(axes, profiles, *, hard_phase):
    """Draw a point a ring and class, beside each other within the ring."""
    for label in _DRAWN:
        rows = profiles[(profiles["class"] == label) & profiles["hard_fraction"].notna()]
        if not len(rows):
            continue
        # Rings get wider outwards, so that their number is the axis.
        place = rows["high_um"].rank().to_numpy() - 1 + _offset(label)
        _points(
            axes,
            place,
            rows[["hard_fraction", "low", "high"]].to_numpy().T,
            label=label,
            name=f"{style.shown(label)} (n = {rows['sites'].max()})",
        )
    rings = profiles["high_um"].drop_duplicates()
    axes.set_xticks(range(len(rings)), [f"{high:g}" for high in rings])
    mean = profiles["panorama_fraction"].iloc[0]
    axes.axhline(mean, color="0.3", linewidth=0.9, linestyle="--", label="whole area")
    axes.set(
        xlabel="Ring round the outline, up to (µm)",
        ylabel=f"Fraction of {hard_phase}",
        title=f"(a) {hard_phase.capitalize()} round sites",
        ylim=(0, 1),
    )


def _draw_density(axes, density, *, by):
    bands = density[["low", "high"]].drop_duplicates().to_numpy()
    for label in (*_DRAWN, DAMAGE):
        rows = density[(density["class"] == label) & density["density_per_mm2"].notna()]
        if not rows["count"].sum():
            continue
        place = rows["low"].map({low: index for index, (low, _) in enumerate(bands)}).to_numpy()
        values = rows[["density_per_mm2", "density_low_per_mm2", "density_high_per_mm2"]]
        # The first panel names the classes, the second their sum, which the first does not have.
        name = "damage (sum)" if label == DAMAGE and by == "distance" else None
        _points(
            axes, place + _offset(label), values.to_numpy().T, label=label, name=name, zeros=True
        )
    names = [f"{high:g}" if np.isfinite(high) else f"> {low:g}" for low, high in bands]
    axes.set_xticks(range(len(bands)), names)
    axes.set(yscale="log", xlim=(-0.5, len(bands) - 0.5))


def _offset(label):
    place = (*_DRAWN, DAMAGE).index(label)
    return 0.12 * (place - len(_DRAWN) / 2)


def _points(axes, place, values, *, label, name, zeros=False):
    """Draw values with their intervals; of a zero count the upper bound alone."""
    value, low, high = values
    drawn = value > 0 if zeros else np.isfinite(value)
    error = np.nan_to_num(np.array([value - low, high - value]))[:, drawn]
    marks = axes.errorbar(
        place[drawn],
        value[drawn],
        error,
        fmt=style.MARKERS[label],
        color=style.COLOURS[label],
        markersize=3.2,
        elinewidth=0.8,
        label=name,
    )
    marks.lines[0].set_clip_on(False)
    if zeros and (~drawn).any():
        axes.plot(place[~drawn], high[~drawn], "_", color=style.COLOURS[label], markersize=4)
