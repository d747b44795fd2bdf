"""Figures of the page on convolution: grids of numbers, kernels on an image, functions."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from damascene.figures import style
from damascene.figures.overview import add_scale_bar
from damascene.workshop import activations
from damascene.workshop.convolution import output_size, positions

#: Colours of Okabe and Ito: what a kernel covers, and what it answers.
COVERED, ANSWER = "#D55E00", "#0072B2"
_RANGE_OF_FUNCTIONS = 4


def draw_grid(
    axes: Axes,
    values: np.ndarray,
    *,
    title: str = "",
    form: str = "g",
    limits: tuple[float, float] | None = None,
    covered: tuple[int, int, int] | None = None,
) -> None:
    """Draw a small array as a grid of its numbers on the colours of `cividis`.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    values : numpy.ndarray
        Shape (rows, columns).
    title : str, optional
    form : str, optional
        How numbers are written.
    limits : (float, float), optional
        Values of the darkest and the lightest colour; those of the array without it.
    covered : (row, column, edge), optional
        Square to outline.
    """
    rows, columns = values.shape
    low, high = limits or (float(values.min()), float(values.max()))
    if low == high:
        # The sign of equal numbers is all that a colour can show.
        low, high = -abs(low) - 1, abs(low) + 1
    axes.imshow(values, cmap="cividis", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(values):
        text = format(value, form)
        # No minus before a zero that rounding made.
        text = text.removeprefix("-") if not text.strip("-0.") else text
        light = value > (low + high) / 2
        axes.text(
            *(column, row, text),
            ha="center",
            va="center",
            color="black" if light else "white",
            fontsize=7.5,
        )
    axes.set_xticks(np.arange(columns + 1) - 0.5, labels=[])
    axes.set_yticks(np.arange(rows + 1) - 0.5, labels=[])
    axes.tick_params(length=0)
    axes.grid(color="white", linewidth=0.6)
    axes.set_axisbelow(False)
    axes.spines[:].set_visible(False)
    if covered:
        row, column, edge = covered
        square = Rectangle(
            (column - 0.5, row - 0.5), edge, edge, fill=False, edgecolor=COVERED, linewidth=2.2
        )
        square.set_zorder(5)
        square.set_clip_on(False)
        axes.add_patch(square)
    axes.set_title(title, loc="center")


def draw_row(
    grids: Mapping[str, np.ndarray], *, form: str = "g", limits=None, signs: str = ""
) -> Figure:
    """Draw arrays beside each other, with a sign such as `*` or `=` between neighbours.

    Parameters
    ----------
    grids : mapping of title to numpy.ndarray
    form, limits
        See `draw_grid`; `limits` hold for all.
    signs : str, optional
        One character for each gap.
    """
    widths = [values.shape[1] for values in grids.values()]
    tallest = max(values.shape[0] for values in grids.values())
    cell = min(style.FULL_WIDTH_MM / (sum(widths) + 1.2 * len(widths)), 8.0)
    figure = style.new_figure(
        width_mm=cell * (sum(widths) + 1.2 * len(widths)), height_mm=cell * tallest + 8
    )
    many = figure.subplots(1, len(grids), squeeze=False, width_ratios=widths)[0]
    for axes, (title, values) in zip(many, grids.items(), strict=True):
        draw_grid(axes, values, title=title, form=form, limits=limits)
    for axes, sign in zip(many[:-1], signs, strict=False):
        axes.text(
            *(1.02, 0.5, sign), transform=axes.transAxes, va="center", fontsize=12, clip_on=False
        )
    return figure


def draw_channels(image: np.ndarray, kernel: np.ndarray, parts: Mapping[str, float]) -> Figure:
    """Draw the channels of a padded corner above those of a kernel on its first place.

    Parameters
    ----------
    image, kernel : numpy.ndarray, shape (rows, columns, channels)
        The image without its padding of one pixel.
    parts : mapping of channel to number
        What each channel of the kernel gives there.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=92)
    panels = figure.subplots(2, len(parts), height_ratios=[2, 1])
    for band, (name, value) in enumerate(parts.items()):
        padded = np.pad(image[..., band], ((1, 0), (1, 0)))
        draw_grid(panels[0, band], padded, title=name, covered=(0, 0, len(kernel)))
        draw_grid(panels[1, band], kernel[..., band], title=f"kernel, {name}: {value:g}")
    return figure


def draw_steps(image: np.ndarray, kernel: np.ndarray) -> Figure:
    """Draw each place of a kernel on a small image, with what it answers there.

    Parameters
    ----------
    image, kernel : numpy.ndarray
        Small enough that all numbers can be read: up to 5 x 5 and 3 x 3.
    """
    places = list(positions(image, kernel))
    columns = image.shape[1] - kernel.shape[1] + 1
    rows = len(places) // columns
    figure = style.new_figure(width_mm=44 * columns, height_mm=48 * rows)
    for axes, place in zip(figure.subplots(rows, columns).flat, places, strict=True):
        covered = (place.row, place.column, len(kernel))
        title = f"row {place.row + 1}, column {place.column + 1}: {place.value:g}"
        draw_grid(axes, image, title=title, covered=covered)
        for (row, column), weight in np.ndenumerate(kernel):
            axes.text(
                place.column + column + 0.47,
                place.row + row + 0.48,
                f"×{weight:g}",
                ha="right",
                va="bottom",
                fontsize=7.5,
                color="black" if image[place.row + row, place.column + column] else "white",
            )
    return figure


def draw_filtered(
    image: np.ndarray, filtered: Mapping[str, np.ndarray], *, pixel_um: float | None
) -> Figure:
    """Draw a piece of a micrograph and what kernels make of it, each with its own range of greys.

    Parameters
    ----------
    image : numpy.ndarray
    filtered : mapping of name to numpy.ndarray
    pixel_um : float or None
        For the scale bar.
    """
    panels = {"image": image, **filtered}
    columns = 4
    rows = -(-len(panels) // columns)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=50 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, (name, values) in zip(grid, panels.items(), strict=False):
        low, high = np.percentile(values, [0.5, 99.5])
        if low < 0 < high and name != "image" and abs(values.mean()) < 0.2 * high:
            # Answers of both signs: no edge is the grey in the middle.
            high = max(-low, high)
            low = -high
        axes.imshow(values, cmap="gray", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(name, loc="center")
        if pixel_um:
            add_scale_bar(axes, width_um=values.shape[1] * pixel_um, portion=0.4)
    return figure


def draw_strides(size: int, kernel: int, *, strides: tuple[int, ...], padding: int = 0) -> Figure:
    """Draw where a kernel stands on a square image with several strides, and the maps it leaves."""
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=58)
    padded = size + 2 * padding
    for axes, stride in zip(figure.subplots(1, len(strides)), strides, strict=True):
        out = output_size(size, kernel, padding=padding, stride=stride)
        inside = np.zeros((padded, padded))
        inside[padding : padded - padding, padding : padded - padding] = 1
        axes.imshow(inside, cmap="Greys", vmin=-0.6, vmax=4)
        axes.set_xticks(np.arange(padded + 1) - 0.5, labels=[])
        axes.set_yticks(np.arange(padded + 1) - 0.5, labels=[])
        axes.tick_params(length=0)
        axes.grid(color="white", linewidth=0.8)
        axes.spines[:].set_visible(False)
        centre = (kernel - 1) / 2
        for row, column in np.ndindex(out, out):
            axes.plot(
                column * stride + centre, row * stride + centre, "o", color=ANSWER, markersize=5
            )
        for number, look in ((0, "-"), (1, "--")):
            if number < out:
                square = Rectangle(
                    (number * stride - 0.5, -0.5),
                    *(kernel, kernel),
                    fill=False,
                    edgecolor=COVERED,
                    linewidth=2.2,
                    linestyle=look,
                )
                square.set_clip_on(False)
                axes.add_patch(square)
        around = f", padding {padding}" if padding else ""
        axes.set_title(f"stride {stride}{around}: {size} × {size} → {out} × {out}", loc="center")
    return figure


@matplotlib.rc_context({"axes.grid": True, "grid.color": "0.9", "grid.linewidth": 0.5})
def draw_activations() -> Figure:
    """Draw six activation functions on the same axes."""
    x = np.linspace(-_RANGE_OF_FUNCTIONS, _RANGE_OF_FUNCTIONS, 401)
    weights, biases = np.array([[-0.5, 1.0]]), np.array([0.0, -1.0])
    curves = {
        "ReLU: max(0, x)": activations.relu(x),
        "sigmoid: 1 / (1 + exp(−x))": activations.sigmoid(x),
        "tanh(x)": activations.tanh(x),
        "leaky ReLU: max(0.1 x, x)": activations.leaky_relu(x),
        "maxout of −0.5 x and x − 1": activations.maxout(
            x[:, None], weights=weights, biases=biases
        ),
        "ELU: x, or exp(x) − 1 below 0": activations.elu(x),
    }
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=92)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, (name, y) in zip(panels.flat, curves.items(), strict=True):
        axes.axhline(0, color="0.6", linewidth=0.6)
        axes.axvline(0, color="0.6", linewidth=0.6)
        axes.plot(x, y, color=ANSWER, linewidth=1.8)
        axes.set_title(name, loc="center")
        axes.set_ylim(-2, _RANGE_OF_FUNCTIONS)
    for axes in panels[-1]:
        axes.set_xlabel("sum x")
    for axes in panels[:, 0]:
        axes.set_ylabel("answer y")
    return figure


def draw_digits(
    digits: Mapping[str, np.ndarray], detectors: Mapping[str, np.ndarray], answers: Mapping
) -> Figure:
    """Draw digits, detectors, and the answer of each detector to each digit.

    Parameters
    ----------
    digits, detectors : mapping of name to numpy.ndarray
        Of -1 and 1.
    answers : mapping of (digit, detector) to numpy.ndarray
        Feature maps, from -1 to 1.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=22 + 50 * len(digits))
    rows = len(digits) + 1
    grid = figure.subplots(
        rows, len(detectors) + 1, height_ratios=[3, *[7] * len(digits)], squeeze=False
    )
    grid[0, 0].set_axis_off()
    for axes, (name, detector) in zip(grid[0, 1:], detectors.items(), strict=True):
        draw_grid(axes, detector, title=f"{name} detector", limits=(-1, 1))
    for row, (digit, pixels) in zip(grid[1:], digits.items(), strict=True):
        draw_grid(row[0], pixels, title=f"digit {digit}", limits=(-1, 1))
        for axes, name in zip(row[1:], detectors, strict=True):
            draw_grid(axes, answers[digit, name], form=".2f", limits=(-1, 1), title="answers")
    return figure
