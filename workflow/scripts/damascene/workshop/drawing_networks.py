"""Figures of the page on networks: small pictures, training, mistakes, and what a network sees."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from damascene.figures import style
from damascene.figures.overview import add_scale_bar
from damascene.workshop.drawing_convolution import draw_grid

#: Colours of Okabe and Ito, with line styles that say the same without any colour.
_COLOURS = ("#0072B2", "#D55E00", "#009E73")
# Cells of a larger part of their row are dark.
_DARK_SHARE = 0.6
# Labels of smaller squares stand beside them.
_ROOMY_PX = 60
_NUMBERS = 8


def draw_as_numbers(image: np.ndarray) -> Figure:
    """Draw a small picture beside its grey values, of a larger one those of every few pixels."""
    step = -(-image.shape[0] // _NUMBERS)
    figure = style.new_figure(width_mm=150, height_mm=78)
    left, right = figure.subplots(1, 2)
    left.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    left.set_axis_off()
    left.set_title("what we see", loc="center")
    every = f", every {step}th pixel" if step > 3 else ""
    draw_grid(right, image[::step, ::step], title=f"what a computer sees{every}", limits=(0, 255))
    return figure


def draw_kernels(kernels: Mapping[str, np.ndarray]) -> Figure:
    """Draw kernels, a row each state of them; below 0 orange, above 0 purple.

    Parameters
    ----------
    kernels : mapping of name to numpy.ndarray, shape (rows, columns, count)
        Each kernel is drawn from minus to plus its own largest weight.
    """
    count = max(each.shape[2] for each in kernels.values())
    edge_mm = min(style.FULL_WIDTH_MM / count, 30)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=len(kernels) * (edge_mm + 7))
    parts = np.atleast_1d(figure.subfigures(len(kernels), 1))
    for part, (name, each) in zip(parts, kernels.items(), strict=True):
        part.suptitle(name, x=0.01, ha="left")
        for axes, kernel in zip(
            part.subplots(1, count, squeeze=False)[0], np.moveaxis(each, 2, 0), strict=False
        ):
            largest = np.abs(kernel).max() or 1
            axes.imshow(kernel, cmap="PuOr", vmin=-largest, vmax=largest)
            axes.set_axis_off()
    return figure


def draw_pictures(images: np.ndarray, titles: Sequence[str], *, columns: int = 8) -> Figure:
    """Draw small grey pictures, each with a title.

    Parameters
    ----------
    images : numpy.ndarray, shape (n, rows, columns)
        From any black to any white.
    titles : sequence of str
        May have two lines.
    """
    rows = max(-(-len(images) // columns), 1)
    lines = 1 + max((title.count("\n") for title in titles), default=0)
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM,
        height_mm=rows * (style.FULL_WIDTH_MM / columns + 3.5 * lines),
    )
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    if not len(images):
        style.say_nothing_to_show(panels[0], "none")
    for axes, image, title in zip(panels, images, titles, strict=False):
        axes.imshow(image, cmap="gray", interpolation="nearest")
        axes.set_title(title, loc="center", fontsize=7.5)
    return figure


def draw_histories(histories: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw loss and accuracy of trainings against the epoch.

    Parameters
    ----------
    histories : mapping of network to pandas.DataFrame
        From `small_networks.train`, with validation.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=72)
    panels = figure.subplots(1, 2)
    for (name, history), colour in zip(histories.items(), _COLOURS, strict=False):
        for axes, measure in zip(panels, ("loss", "accuracy"), strict=True):
            epochs = history["epoch"]
            axes.plot(epochs, history[measure], "--", color=colour, label=f"{name}, learned from")
            axes.plot(
                *(epochs, history[f"val_{measure}"]),
                marker=".",
                color=colour,
                label=f"{name}, set aside",
            )
    for axes, label in zip(panels, ("loss (cross-entropy)", "accuracy"), strict=True):
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(color="0.9", linewidth=0.5)
    panels[0].set_ylim(bottom=0)
    panels[1].legend(loc="lower right")
    return figure


def draw_counts(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw a confusion matrix in numbers: rows are true classes, columns are answers."""
    figure = style.new_figure(width_mm=140, height_mm=112)
    axes = figure.add_subplot()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(
                *(column, row, count),
                ha="center",
                va="center",
                color="white" if shares[row, column] > _DARK_SHARE else "black",
            )
    turned = {"rotation": 40, "ha": "right"} if max(map(len, names)) > 2 else {}
    axes.set_xticks(range(len(names)), names, **turned)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(True)
    axes.set(xlabel="answer", ylabel="true class")
    return figure


def draw_maps(image: np.ndarray, maps: Sequence[np.ndarray], *, columns: int = 8) -> Figure:
    """Draw a picture and the feature maps of each convolution below each other.

    Parameters
    ----------
    image : numpy.ndarray, shape (rows, columns)
    maps : sequence of numpy.ndarray, shape (rows, columns, maps)
        Of this picture, a layer each; all from the smallest to the largest answer of the layer.
    """
    rows = [-(-layer.shape[2] // columns) for layer in maps]
    edge_mm = style.FULL_WIDTH_MM / columns
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=(1 + sum(rows)) * edge_mm + 7 * (len(maps) + 1)
    )
    parts = figure.subfigures(len(maps) + 1, 1, height_ratios=[1, *rows])
    first = parts[0].subplots(1, columns)
    for axes in first:
        axes.set_axis_off()
    first[0].imshow(image, cmap="gray", interpolation="nearest")
    parts[0].suptitle("picture", x=0.01, ha="left")
    for number, (part, layer, count) in enumerate(zip(parts[1:], maps, rows, strict=True), 1):
        part.suptitle(
            f"convolution {number}: {layer.shape[2]} maps of {layer.shape[0]} × {layer.shape[1]}",
            x=0.01,
            ha="left",
        )
        panels = part.subplots(count, columns, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, one in zip(panels, np.moveaxis(layer, 2, 0), strict=False):
            axes.imshow(
                one, cmap="viridis", vmin=layer.min(), vmax=layer.max(), interpolation="nearest"
            )
    return figure


def draw_fields(
    image: np.ndarray, edges_px: Mapping[str, int], *, pixel_um: float | None
) -> Figure:
    """Draw on a micrograph how large a piece one number before the dense layers depends on.

    Parameters
    ----------
    image : numpy.ndarray, shape (rows, columns)
    edges_px : mapping of network to int
        Edge of its receptive field.
    pixel_um : float or None
        For the scale bar.
    """
    # Small pictures lie in the middle of the largest square.
    size = int(1.3 * max(edges_px.values()))
    rows, columns = (min(size, length) for length in image.shape)
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    piece = image[top : top + rows, left : left + columns]
    right, bottom = (size + columns) / 2, (size + rows) / 2
    figure = style.new_figure(width_mm=110, height_mm=112)
    axes = figure.add_subplot(facecolor="0.8")
    axes.imshow(
        piece,
        cmap="gray",
        vmin=0,
        vmax=255,
        interpolation="nearest",
        extent=(right - columns, right, bottom, bottom - rows),
    )
    looks = zip(edges_px.items(), ("-", "--", ":"), ("white", "#F0E442", "#56B4E9"), strict=False)
    for (name, field), line, colour in looks:
        start = (size - field) / 2
        for width, shade in ((4.0, "black"), (2.0, colour)):
            axes.add_patch(
                Rectangle(
                    (start, start),
                    *(field, field),
                    fill=False,
                    edgecolor=shade,
                    linestyle="-" if shade == "black" else line,
                    linewidth=width,
                )
            )
        aside = field + 5 if field < _ROOMY_PX else 3
        axes.text(
            start + aside,
            start + 3,
            f"{name}: {field} px",
            color=colour,
            va="top",
            fontsize=8,
            bbox={"facecolor": "black", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        )
    axes.set(xlim=(0, size), ylim=(size, 0), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if pixel_um:
        add_scale_bar(axes, width_um=size * pixel_um, portion=0.3)
    return figure
