"""Figures of the page on steel."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from skimage.measure import find_contours

from damascene.config.segmentation import Segmentation
from damascene.figures import style
from damascene.figures.overview import add_frame, add_scale_bar
from damascene.figures.phases import coloured
from damascene.images.store import Window
from damascene.workshop.steel import Steps, raw_share, window_at

# Colours of Okabe and Ito, which differ with any colour vision.
_DARK, _NOISE = "#E69F00", "#CC79A7"
_CLUSTERS = ("#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#E69F00")
_LINES = (("#0072B2", "o", "-"), ("#D55E00", "s", "--"), ("#009E73", "^", ":"))
_DETAIL_UM, _LEAST_DETAIL_PX = 7.0, 48


def detail_of(steps: Steps, *, pixel_um: float) -> Window:
    """Return a window of 7 micrometres round the largest site that is not cut off, or the middle.

    Parameters
    ----------
    steps : Steps
    pixel_um : float
    """
    rows, columns = steps.dark.shape
    sites = steps.found.candidates
    whole = sites[~sites["touches_border"]]
    centre = columns / 2, rows / 2
    if len(whole):
        centre = tuple(whole.loc[whole["area_px"].idxmax(), ["x_px", "y_px"]].astype(float))
    edge_px = max(round(_DETAIL_UM / pixel_um), _LEAST_DETAIL_PX)
    return window_at(*centre, edge_px=edge_px, shape=steps.dark.shape)


def draw_steps(pixels: np.ndarray, steps: Steps, *, pixel_um: float) -> Figure:
    """Draw the sites of a cut, and of a detail dark pixels, clusters and candidates.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    steps : Steps
    pixel_um : float

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    detail = detail_of(steps, pixel_um=pixel_um)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=185)
    (cut, dark), (clusters, sites) = figure.subplots(2, 2)
    whole = Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1])
    for axes, window in ((cut, whole), (dark, detail), (clusters, detail), (sites, detail)):
        show_window(axes, pixels, window, pixel_um=pixel_um)
    for site in steps.found.candidates.itertuples():
        cut.add_patch(
            Rectangle(
                (site.left_px - 4, site.top_px - 4),
                site.width_px + 8,
                site.height_px + 8,
                fill=False,
                edgecolor=_DARK,
                linewidth=1,
            )
        )
    add_frame(cut, detail)
    # Frames of sites at the border reach beyond the image.
    cut.set(xlim=(-0.5, whole.right - 0.5), ylim=(whole.bottom - 0.5, -0.5))
    here = detail.slices()
    _cover(dark, detail, steps.dark[here], _DARK)
    numbers = steps.clusters[here]
    for index, colour in enumerate(_CLUSTERS):
        _cover(clusters, detail, (numbers > 0) & (numbers % len(_CLUSTERS) == index), colour)
    _cover(clusters, detail, numbers == -1, _NOISE)
    _outline(sites, detail, steps.sites[here])
    cut.set_title("candidates of the cut; the detail in white")
    dark.set_title("dark pixels")
    clusters.set_title("clusters of DBSCAN; noise in pink")
    sites.set_title("candidates: joined, filled, large enough")
    return figure


def show_window(
    axes: Axes, pixels: np.ndarray, window: Window, *, pixel_um: float | None = None
) -> None:
    """Show a part of an image in its own coordinates, with a scale bar where pixels have a size.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    pixels : numpy.ndarray, uint8 (rows, columns), or float in [0, 1] (rows, columns, 3)
        The whole image.
    window : Window
    pixel_um : float, optional
    """
    extent = (window.left - 0.5, window.right - 0.5, window.bottom - 0.5, window.top - 0.5)
    axes.imshow(
        pixels[window.slices()],
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=extent,
        interpolation="nearest",
    )
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    if pixel_um:
        add_scale_bar(axes, width_um=window.shape[1] * pixel_um)


def _cover(axes, window, mask, colour):
    cover = np.zeros((*mask.shape, 4))
    cover[mask] = (*to_rgb(colour), 0.85)
    extent = (window.left - 0.5, window.right - 0.5, window.bottom - 0.5, window.top - 0.5)
    axes.imshow(cover, extent=extent, interpolation="nearest")


def _outline(axes, window, sites):
    for site in np.unique(sites[sites > 0]):
        for line in find_contours(np.pad(sites == site, 1).astype(float), 0.5):
            rows, columns = (line - 1).T
            axes.plot(columns + window.left, rows + window.top, color=_DARK, linewidth=1.4)


def draw_sweep(
    table: pd.DataFrame, *, key: str, value: float, eps_px: float, floor: float | None = None
) -> Figure:
    """Draw dark pixels and candidates against the threshold, a line for each eps.

    Parameters
    ----------
    table : pandas.DataFrame
        From `steel.sweep_detection`.
    key : str
        Name of the threshold: `depth` or `grey`.
    value, eps_px : float
        Threshold and eps of the study, which are marked.
    floor : float, optional
        Threshold from which on nothing changes: the part behind it is grey.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=70)
    dark, candidates = figure.subplots(1, 2)
    # They do not depend on eps.
    one = table[table["eps_px"] == table["eps_px"].min()]
    dark.plot(one["threshold"], one["dark_pixels"], color="black", marker="o")
    lines = zip(table.groupby("eps_px"), _LINES, strict=False)
    for (eps, rows), (colour, marker, line) in lines:
        own = " (the study's)" if eps == eps_px else ""
        candidates.plot(
            rows["threshold"],
            rows["candidates"],
            color=colour,
            marker=marker,
            linestyle=line,
            label=f"eps {eps:g} px{own}",
        )
    for axes, name in ((dark, "dark pixels"), (candidates, "candidates")):
        axes.axvline(value, color="0.5", linewidth=0.8)
        if floor is not None:
            axes.axvspan(floor, table["threshold"].max(), color="0.9", zorder=0)
        axes.set(xlabel=f"threshold ({key}); the line marks the study's", ylabel=name)
        axes.set_ylim(bottom=0)
    candidates.legend()
    return figure


def draw_scans(
    shown: Mapping[str, np.ndarray], *, pixel_um: float, titles: Mapping[str, str]
) -> Figure:
    """Draw the same detail as several scans and denoisers show it, two in a row.

    Parameters
    ----------
    shown : mapping of str to numpy.ndarray, uint8, shape (rows, columns)
    pixel_um : float
    titles : mapping of str to str
        A title for each.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    rows = -(-len(shown) // 2)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=92 * rows)
    panels = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    for axes, (name, pixels) in zip(panels, shown.items(), strict=False):
        whole = Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1])
        show_window(axes, pixels, whole, pixel_um=pixel_um)
        axes.set_title(titles[name])
    return figure


def draw_phase_cut(
    pixels: np.ndarray, numbers: np.ndarray, *, pixel_um: float, settings: Segmentation
) -> Figure:
    """Draw a cut and, beside it, the cut in the colours of its phases.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    numbers : numpy.ndarray, uint8, same shape
        Phase map: 0 outside, then the phases in their order from 1.
    pixel_um : float
    settings : Segmentation
        Names and colours of the phases.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=100)
    image, map_ = figure.subplots(1, 2)
    whole = Window(top=0, left=0, bottom=pixels.shape[0], right=pixels.shape[1])
    show_window(image, pixels, whole, pixel_um=pixel_um)
    show_window(map_, coloured_phases(pixels, numbers, settings=settings), whole, pixel_um=pixel_um)
    image.set_title("image")
    map_.set_title("its phase map over it")
    figure.legend(
        handles=[
            Patch(facecolor=phase.colour, edgecolor="0.3", label=style.shown(name))
            for name, phase in settings.phases.items()
        ],
        loc="outside lower center",
        ncols=4,
    )
    return figure


def coloured_phases(
    pixels: np.ndarray, numbers: np.ndarray, *, settings: Segmentation
) -> np.ndarray:
    """Return an image in the colours of its phases, float (rows, columns, 3) in [0, 1].

    Parameters as for `draw_phase_cut`; damage is drawn without the image below it.
    """
    colours = {name: phase.colour for name, phase in settings.phases.items()}
    solid = [name == settings.damage_phase for name in colours]
    return coloured(pixels / 255, numbers, colours=list(colours.values()), solid=solid)


def draw_bias(pairs: Sequence[tuple[float, float]], *, example: tuple[float, float]) -> Figure:
    """Draw the share that networks give a class against its true share.

    Parameters
    ----------
    pairs : sequence of (float, float)
        Recall, and rate of false answers, of up to three networks.
    example : (float, float)
        True and raw share of a worked example, which is marked.

    Returns
    -------
    matplotlib.figure.Figure
        120 mm wide.
    """
    figure = style.new_figure(width_mm=120, height_mm=90)
    axes = figure.subplots()
    true = np.linspace(0, 1, 101)
    axes.plot([0, 100], [0, 100], color="0.6", linewidth=0.8, label="raw = true")
    for (recall, false_rate), (colour, _, line) in zip(pairs, _LINES, strict=False):
        raw = raw_share(true, recall=recall, false_rate=false_rate)
        axes.plot(
            100 * true,
            100 * raw,
            color=colour,
            linestyle=line,
            label=f"recall {100 * recall:.0f} %, {100 * false_rate:.0f} % of others taken for it",
        )
    axes.plot(*(100 * share for share in example), "o", color="black", label="worked example")
    axes.set(xlabel="true share of the class / %", ylabel="share in the raw counts / %")
    axes.legend(loc="upper left")
    return figure
