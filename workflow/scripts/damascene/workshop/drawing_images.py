"""Figures of the page on images as arrays."""

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from skimage.color import rgb2lab

from damascene.figures.overview import add_scale_bar
from damascene.figures.style import FULL_WIDTH_MM, new_figure
from damascene.workshop.drawing_learning import DASHES, GROUP_COLOURS
from damascene.workshop.thresholds import GREYS

MARK = GROUP_COLOURS[1]


def micrograph(axes: Axes, image: np.ndarray, *, pixel_um: float | None = None, **style) -> None:
    """Draw an image without axes, with a scale bar where the size of a pixel is known.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    image : numpy.ndarray, shape (rows, columns) or (rows, columns, 3)
        Grey values from 0 to 255, unless `style` says otherwise.
    pixel_um : float, optional
    style
        For `imshow`.
    """
    grey = {"cmap": "gray", "vmin": 0, "vmax": 255}
    axes.imshow(image, **(grey | style))
    axes.set(xticks=[], yticks=[])
    if pixel_um is not None:
        add_scale_bar(axes, width_um=image.shape[1] * pixel_um, portion=0.3)


def draw_row(
    images: Mapping[str, np.ndarray],
    *,
    pixel_um: float | None = None,
    per_row: int = 4,
    cmaps: Mapping[str, str] | None = None,
    **style,
) -> Figure:
    """Draw images side by side, each with its name above and a scale bar in the first.

    Parameters
    ----------
    images : mapping of str to numpy.ndarray
    pixel_um : float, optional
    per_row : int, optional
    cmaps : mapping of str to str, optional
        Colour map of each image, if not grey.
    style
        For `imshow`, the same for all.
    """
    columns = min(per_row, len(images))
    rows = -(-len(images) // columns)
    width_mm = FULL_WIDTH_MM * min(1, columns / 3)
    high, wide = next(iter(images.values())).shape[:2]
    figure = new_figure(width_mm=width_mm, height_mm=rows * (width_mm / columns * high / wide + 6))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for number, (name, image) in enumerate(images.items()):
        own = style | ({"cmap": cmaps[name]} if cmaps else {})
        micrograph(panels[number], image, pixel_um=None if number else pixel_um, **own)
        panels[number].set_title(name)
    for axes in panels[len(images) :]:
        axes.set_axis_off()
    return figure


def coloured(image: np.ndarray, name: str) -> np.ndarray:
    """Return grey values, uint8 (rows, columns), in a colour map: uint8 (rows, columns, 3)."""
    return mpl.colormaps[name](image, bytes=True)[..., :3]


def draw_numbers(
    image: np.ndarray, *, top: int, left: int, edge_px: int, pixel_um: float | None
) -> Figure:
    """Draw an image with a frame, and the pixels in the frame with their grey values.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    top, left, edge_px : int
        The frame.
    pixel_um : float or None
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=84)
    whole, part = figure.subplots(1, 2)
    micrograph(whole, image, pixel_um=pixel_um)
    width = max(edge_px, image.shape[1] // 25)
    middle = (left + (edge_px - width) / 2, top + (edge_px - width) / 2)
    whole.add_patch(Rectangle(middle, width, width, fill=False, edgecolor=MARK, linewidth=1.5))
    cut = image[top : top + edge_px, left : left + edge_px]
    extent = (left - 0.5, left + edge_px - 0.5, top + edge_px - 0.5, top - 0.5)
    part.imshow(cut, cmap="gray", vmin=0, vmax=255, extent=extent)
    for row, column in np.ndindex(cut.shape):
        grey = cut[row, column]
        colour = "black" if grey > 127 else "white"
        place = (left + column, top + row)
        part.text(*place, str(grey), color=colour, fontsize=7, ha="center", va="center")
    part.set(xlabel="column, x", ylabel="row, y", title="the pixels in the frame")
    return figure


def draw_histogram(counts: np.ndarray) -> Figure:
    """Draw how often each grey value occurs, on a linear and on a logarithmic axis.

    Parameters
    ----------
    counts : numpy.ndarray, int64, shape (256,)
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=55)
    for axes, scale in zip(figure.subplots(1, 2), ("linear", "log"), strict=True):
        axes.stairs(counts, np.arange(257) - 0.5, fill=True, color=GROUP_COLOURS[0])
        axes.set(yscale=scale, xlim=(-1, 256), xlabel="grey value", ylabel="pixels")
        axes.set_title(f"{scale}arithmic axis" if scale == "log" else f"{scale} axis")
    return figure


def draw_lightness(names: Sequence[str]) -> Figure:
    """Draw how light each colour of some colour maps is.

    Parameters
    ----------
    names : sequence of str
        Of colour maps of matplotlib.
    """
    figure = new_figure(width_mm=120, height_mm=60)
    axes = figure.subplots()
    for number, name in enumerate(names):
        lightness = rgb2lab(mpl.colormaps[name](GREYS)[:, :3])[:, 0]
        axes.plot(lightness, color=GROUP_COLOURS[number], linestyle=DASHES[number], label=name)
    axes.set(xlabel="grey value", ylabel="lightness L* of its colour", ylim=(0, 100))
    axes.legend()
    return figure


def draw_criterion(
    counts: np.ndarray, between: np.ndarray, marks: Mapping[str, Sequence[int]]
) -> Figure:
    """Draw the histogram and the criterion of Otsu, with thresholds marked.

    Parameters
    ----------
    counts : numpy.ndarray, int64, shape (256,)
    between : numpy.ndarray, float64, shape (256,)
        From `thresholds.variance_between`.
    marks : mapping of str to sequence of int
        Thresholds by name.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=75)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    upper.stairs(np.maximum(counts, 0.5), np.arange(257) - 0.5, fill=True, color="0.75")
    upper.set(yscale="log", ylabel="pixels", ylim=(0.5, None))
    lower.plot(between, color="black")
    lower.set(xlabel="threshold (grey value)", ylabel="variance between", xlim=(-1, 256))
    _mark(upper, marks, label=True)
    _mark(lower, marks)
    upper.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _mark(axes, marks, *, label=False):
    for number, (name, thresholds) in enumerate(marks.items()):
        style = {"color": GROUP_COLOURS[number], "linestyle": DASHES[number], "linewidth": 1.5}
        for index, threshold in enumerate(thresholds):
            axes.axvline(threshold, label=name if label and not index else None, **style)


def draw_area_fraction(share: np.ndarray, marks: Mapping[str, Sequence[int]]) -> Figure:
    """Draw the area fraction against the threshold, with the chosen thresholds and their answers.

    Parameters
    ----------
    share : numpy.ndarray, float64, shape (256,)
        From `thresholds.share_above`.
    marks : mapping of str to sequence of int
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=72)
    axes = figure.subplots()
    axes.plot(share, color="black")
    for number, (name, thresholds) in enumerate(marks.items()):
        colour = GROUP_COLOURS[number]
        for index, threshold in enumerate(thresholds):
            axes.plot([threshold, threshold, -1], [0, share[threshold], share[threshold]],
                      color=colour, linestyle=DASHES[number], linewidth=1.2,
                      label=None if index else name)  # fmt: skip
            axes.plot(threshold, share[threshold], "o", color=colour)
            axes.annotate(f"{share[threshold]:.1%}", (threshold, share[threshold]),
                          xytext=(4, 3), textcoords="offset points")  # fmt: skip
    axes.set(xlim=(-1, 256), ylim=(0, 1.03), xlabel="threshold (grey value)")
    axes.set_ylabel("area fraction brighter than it")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_regions(
    image: np.ndarray, labels: np.ndarray, regions: pd.DataFrame, *, pixel_um: float | None
) -> Figure:
    """Tint regions on the image by whether they touch its edge, and draw how large they are.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    labels : numpy.ndarray, int64, same shape
    regions : pandas.DataFrame
        From `particles.regions_of`.
    pixel_um : float or None
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=88)
    picture, bars = figure.subplots(1, 2)
    painted = np.repeat(image[..., None] * 0.8 / 255, 3, axis=2)
    for whole, colour in ((True, GROUP_COLOURS[4]), (False, GROUP_COLOURS[1])):
        chosen = regions.loc[regions["whole"] == whole, "label"].to_numpy()
        inside = np.isin(labels, chosen)
        painted[inside] = 0.4 * painted[inside] + 0.6 * np.array(mpl.colors.to_rgb(colour))
    micrograph(picture, painted, pixel_um=pixel_um)
    unit, factor = ("µm", pixel_um) if pixel_um else ("px", 1)
    diameters = [
        regions.loc[regions["whole"] == whole, "diameter_px"] * factor for whole in (True, False)
    ]
    largest = regions["diameter_px"].max() * factor if len(regions) else 1
    bars.hist(
        diameters, bins=np.linspace(0, largest, 21), stacked=True,
        color=[GROUP_COLOURS[4], GROUP_COLOURS[1]], label=["whole", "touch the edge"],
    )  # fmt: skip
    bars.set(xlabel=f"equivalent diameter ({unit})", ylabel="regions")
    bars.legend()
    return figure


def draw_sizes_by_threshold(
    table: pd.DataFrame, *, chosen: int, by: int, pixel_um: float | None
) -> Figure:
    """Draw mean and median size, and the number of regions, against the threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        From `particles.sizes_by_threshold`.
    chosen, by : int
        The threshold, and the grey values around it whose error is told.
    pixel_um : float or None
    """
    unit, factor = ("µm", pixel_um) if pixel_um else ("px", 1)
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=62)
    sizes, counts = figure.subplots(1, 2)
    for number, name in enumerate(("mean", "median")):
        style = {"color": GROUP_COLOURS[number], "linestyle": DASHES[number], "label": name}
        sizes.plot(table["threshold"], table[f"{name}_px"] * factor, **style)
    counts.plot(table["threshold"], table["count"], color="black")
    for axes in (sizes, counts):
        axes.axvspan(chosen - by, chosen + by, color="0.9", zorder=0)
        axes.axvline(chosen, color="0.4", linewidth=0.8, linestyle=":")
        axes.set(xlabel="threshold (grey value)", ylim=(0, None))
    sizes.set_ylabel(f"equivalent diameter ({unit})")
    counts.set_ylabel("whole regions")
    sizes.legend()
    return figure


def draw_small_masks(masks: Mapping[str, np.ndarray]) -> Figure:
    """Draw small masks as squares, each with its number of pixels."""
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=36)
    for axes, (name, mask) in zip(figure.subplots(1, len(masks)), masks.items(), strict=True):
        axes.pcolormesh(mask[::-1], cmap="Blues", vmin=0, vmax=1.4, edgecolor="0.6", linewidth=0.4)
        axes.set(aspect="equal", xticks=[], yticks=[], title=f"{name}: {mask.sum()} px")
    return figure
