"""Where stitched frames lie, and how well their overlaps agree."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.figures import style

_ACCEPTED, _REJECTED = "#0072B2", "#D55E00"
_HIGHEST_MAP_MM, _LOWEST_MAP_MM = 130, 25
_HISTOGRAMS_MM = 48
_BINS = 30


@matplotlib.rc_context(style.STYLE)
def draw_stitching(frames: pd.DataFrame, pairs: pd.DataFrame, *, record: PanoramaRecord) -> Figure:
    """Draw the frames of a panorama with the links between them, and what the links measured.

    Parameters
    ----------
    frames, pairs : pandas.DataFrame
        Tables of `stitch_frames`.
    record : PanoramaRecord
        That of `stitch_frames`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    corners = frames[["placed_x_px", "placed_y_px"]].to_numpy(float)
    size = frames[["width_px", "height_px"]].iloc[0].to_numpy(float)
    width, height = np.ptp(corners, axis=0) + size
    map_mm = np.clip(0.8 * style.FULL_WIDTH_MM * height / width, _LOWEST_MAP_MM, _HIGHEST_MAP_MM)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=map_mm + _HISTOGRAMS_MM + 22)
    upper, lower = figure.subfigures(2, 1, height_ratios=[map_mm + 22, _HISTOGRAMS_MM])
    axes = upper.subplots()
    _draw_map(axes, frames, pairs, corners, size, scale=record.pixel_size_nm / 1e6)
    axes.set_title(f"(a) {record.panorama}: {_summary(record.stitching)}")
    panels = lower.subplots(1, 3)
    accepted, rejected = pairs[pairs["accepted"]], pairs[~pairs["accepted"]]
    moved = np.hypot(
        accepted["measured_dx_px"] - accepted["nominal_dx_px"],
        accepted["measured_dy_px"] - accepted["nominal_dy_px"],
    )
    _draw_histogram(panels[0], {"accepted": accepted["residual_px"]}, "Residual / px")
    _draw_histogram(panels[1], {"accepted": moved}, "Measured against nominal offset / px")
    correlations = {
        "accepted": accepted["correlation"],
        "rejected": rejected["correlation"].dropna(),
    }
    _draw_histogram(panels[2], correlations, "Correlation")
    panels[0].set_ylabel("Overlaps")
    for panel, letter in zip(panels, "bcd", strict=True):
        panel.set_title(f"({letter})")
    return figure


def _summary(fit) -> str:
    text = f"{fit.frames} frames, {fit.accepted_pairs} of {fit.pairs} overlaps accepted"
    if fit.rms_residual_px is None:
        return f"{text}, without loops"
    residual = f"{fit.rms_residual_px:.2f} px rms, {fit.largest_residual_px:.2f} px at most"
    return f"{text}, residual {residual}"


def _draw_map(axes: Axes, frames, pairs, corners, size, *, scale) -> None:
    nominal = (frames["placed_by"] == "nominal").to_numpy()
    thin = np.clip(8 / np.sqrt(len(frames)), 0.3, 1.0)
    for chosen, hatch in ((~nominal, None), (nominal, "////")):
        outlines = [Rectangle(corner * scale, *(size * scale)) for corner in corners[chosen]]
        # Overlaps are darker, as the faces are not opaque.
        axes.add_collection(
            PatchCollection(
                outlines, facecolor=(0, 0, 0, 0.07), edgecolor="0.45", linewidth=thin, hatch=hatch
            )
        )
    centres = pd.DataFrame((corners + size / 2) * scale, index=frames["file"])
    ends = np.stack([centres.loc[pairs[side]].to_numpy() for side in ("first", "second")], axis=1)
    accepted = pairs["accepted"].to_numpy()
    links = LineCollection(
        ends[accepted],
        array=pairs.loc[accepted, "residual_px"].to_numpy(),
        cmap="viridis_r",
        linewidth=2.5 * thin + 0.8,
        capstyle="round",
        zorder=3,
    )
    links.set_clim(0, max(pairs.loc[accepted, "residual_px"].max(), 0.1) if accepted.any() else 1)
    axes.add_collection(links)
    axes.add_collection(
        LineCollection(
            ends[~accepted], color=_REJECTED, linewidth=1.5 * thin + 0.5, linestyle="--", zorder=3
        )
    )
    axes.figure.colorbar(links, ax=axes, label="Residual / px", pad=0.01, fraction=0.04, aspect=15)
    axes.set(
        xlim=(0, (np.ptp(corners[:, 0]) + size[0]) * scale),
        ylim=((np.ptp(corners[:, 1]) + size[1]) * scale, 0),
        aspect="equal",
        xlabel="x / mm",
        ylabel="y / mm",
    )
    handles = []
    if not accepted.all():
        label = f"overlap not accepted ({(~accepted).sum()})"
        handles.append(Line2D([], [], color=_REJECTED, linestyle="--", label=label))
    if nominal.any():
        label = f"frame at its nominal position ({nominal.sum()})"
        handles.append(Patch(facecolor="0.93", edgecolor="0.45", hatch="////", label=label))
    if handles:
        axes.figure.legend(handles=handles, loc="outside lower center", ncols=2)


def _draw_histogram(axes: Axes, kinds: dict[str, pd.Series], label: str) -> None:
    axes.set_xlabel(label)
    every = np.concatenate(list(kinds.values()))
    if not len(every):
        style.say_nothing_to_show(axes, "no overlap accepted")
        return
    # Residuals of links without loops are 0 apart from rounding: they need no scale of their own.
    highest = every.max() if every.max() > 1e-3 else 1.0
    colours = {"accepted": _ACCEPTED, "rejected": _REJECTED}
    axes.hist(
        list(kinds.values()),
        bins=np.linspace(min(every.min(), 0), highest, _BINS + 1),
        stacked=True,
        color=[colours[kind] for kind in kinds],
        label=list(kinds),
    )
    axes.yaxis.get_major_locator().set_params(integer=True)
    if len(kinds.get("rejected", ())):
        axes.legend()
