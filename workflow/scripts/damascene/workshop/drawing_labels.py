"""Figures of the page on learning with labels."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from damascene.figures import style
from damascene.figures.overview import add_scale_bar
from damascene.workshop.examples import Examples, Plane

# Colours of Okabe and Ito, each with a mark and a line of its own.
FIRST, SECOND, THIRD, FOURTH = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
_LINES = ((FIRST, "-", "o"), (SECOND, "--", "s"), (THIRD, ":", "^"), (FOURTH, "-.", "D"))
_GRID = 120
_CLIPS_EACH = 8


def draw_examples(examples: Examples) -> Figure:
    """Draw the first clips of each class, a row for each.

    Returns
    -------
    matplotlib.figure.Figure
        150 mm wide.
    """
    classes = examples.classes
    figure = style.new_figure(width_mm=150, height_mm=16 * len(classes) + 4)
    panels = figure.subplots(len(classes), _CLIPS_EACH, squeeze=False)
    for name, row in zip(classes, panels, strict=True):
        own = examples.clips[examples.labels == name][:_CLIPS_EACH]
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, clip in zip(row, own, strict=False):
            axes.imshow(clip, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        row[0].set_ylabel(style.shown(name), rotation=0, ha="right", va="center")
    return figure


def draw_line(
    x: np.ndarray, y: np.ndarray, weights: Sequence[float], *, names: tuple[str, str]
) -> Figure:
    """Draw points, and the line weights[0] + weights[1] x.

    Returns
    -------
    matplotlib.figure.Figure
        110 mm wide.
    """
    figure = style.new_figure(width_mm=110, height_mm=75)
    axes = figure.subplots()
    axes.plot(x, y, ".", color=FIRST, alpha=0.5, markersize=4, label="examples")
    ends = np.array([x.min(), x.max()])
    axes.plot(
        ends, weights[0] + weights[1] * ends, color=SECOND, linewidth=1.6, label="least squares"
    )
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.legend()
    return figure


def draw_planes(
    plane: Plane,
    models: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    *,
    supports: Mapping[str, np.ndarray] | None = None,
    levels: Sequence[float] = (0.5,),
) -> Figure:
    """Draw the examples of a plane, and what models say everywhere in it.

    Parameters
    ----------
    plane : Plane
    models : mapping of str to callable
        Title to a function of points (n, 2) that returns a number for each: above the middle
        level the second class.
    supports : mapping of str to numpy.ndarray, optional
        Points that are ringed, for some of the models.
    levels : sequence of float, optional
        Lines that are drawn: three for a margin, whose middle one decides; one else.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide for two models, 100 mm for one.
    """
    figure = style.new_figure(
        width_mm=100 if len(models) == 1 else style.FULL_WIDTH_MM, height_mm=82
    )
    low, high = plane.points.min(axis=0), plane.points.max(axis=0)
    low, high = low - 0.06 * (high - low), high + 0.06 * (high - low)
    x, y = (np.linspace(*ends, _GRID) for ends in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    middle = levels[len(levels) // 2]
    for axes, (title, model) in zip(
        np.atleast_1d(figure.subplots(1, len(models), sharey=True)), models.items(), strict=True
    ):
        said = model(grid.reshape(-1, 2)).reshape(_GRID, _GRID)
        axes.contourf(
            x, y, said > middle, levels=[-0.5, 0.5, 1.5], colors=[FIRST, SECOND], alpha=0.2
        )
        if said.min() < middle < said.max():
            styles = ["--", "-", "--"] if len(levels) == 3 else ["-"]
            axes.contour(
                x, y, said, levels=list(levels), colors="black", linewidths=1.2, linestyles=styles
            )
        draw_points(axes, plane)
        for points in [(supports or {}).get(title)]:
            if points is not None:
                axes.plot(*points.T, "o", markersize=9, fillstyle="none", color="black", alpha=0.7)
        axes.set_title(title)
        axes.set_xlabel(plane.names[0])
    figure.axes[0].set_ylabel(plane.names[1])
    figure.axes[0].legend(loc="best", frameon=True, framealpha=0.8)
    return figure


def draw_points(axes: Axes, plane: Plane) -> None:
    """Draw the examples of both classes, each with its colour and mark."""
    for chosen, colour, marker, name in (
        (~plane.second, FIRST, "o", plane.classes[0]),
        (plane.second, SECOND, "^", plane.classes[1]),
    ):
        axes.plot(
            *plane.points[chosen].T,
            marker,
            color=colour,
            markersize=4,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=style.shown(name),
        )


def draw_curves(
    panels: Sequence[tuple[str, str, Mapping[str, tuple[np.ndarray, np.ndarray]]]],
    *,
    marks: bool = False,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """Draw curves in one or more panels beside each other.

    Parameters
    ----------
    panels : sequence of (str, str, mapping)
        Labels of x and y, and the curves: name to x and y.
    marks : bool, optional
        Mark the points of the curves.
    log_x, log_y : bool, optional
        Logarithmic axes.

    Returns
    -------
    matplotlib.figure.Figure
        110 mm wide for one panel, 175 mm for more.
    """
    wide = len(panels) > 1
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM if wide else 110, height_mm=75)
    for axes, (x_name, y_name, curves) in zip(
        np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True
    ):
        for (name, (x, y)), (colour, line, marker) in zip(curves.items(), _LINES, strict=False):
            axes.plot(
                x, y, linestyle=line, color=colour, marker=marker if marks else "", label=name
            )
        axes.set(xlabel=x_name, ylabel=y_name)
        if log_x:
            axes.set_xscale("log")
        if log_y:
            axes.set_yscale("log")
        # One curve needs no name.
        if len(curves) > 1:
            axes.legend()
    return figure


def draw_polynomials(
    points: tuple[np.ndarray, np.ndarray],
    fits: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    *,
    truth: Callable[[np.ndarray], np.ndarray],
) -> Figure:
    """Draw noisy points, the curve they come from, and fits to them, a panel for each.

    Parameters
    ----------
    points : (numpy.ndarray, numpy.ndarray)
    fits : mapping of str to callable
        Title to the fitted curve.
    truth : callable
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=62)
    x = np.linspace(-1, 1, 300)
    panels = np.atleast_1d(figure.subplots(1, len(fits), sharey=True))
    for axes, (title, fit) in zip(panels, fits.items(), strict=True):
        axes.plot(*points, "o", color="0.35", markersize=3, label="training points")
        axes.plot(x, truth(x), color=FIRST, linestyle="--", label="where they come from")
        axes.plot(x, fit(x), color=SECOND, label="fit")
        axes.set(title=title, xlabel="x", ylim=(-2, 2))
    panels[0].set_ylabel("y")
    panels[0].legend(fontsize=6.5)
    return figure


def draw_maps(
    maps: Mapping[str, np.ndarray], *, classes: int, pixel_um: float | None = None
) -> Figure:
    """Draw an image and maps of it beside each other; maps are whole numbers from 0.

    Parameters
    ----------
    maps : mapping of str to numpy.ndarray
        uint8 images are drawn in greys from 0 to 255, all others as maps.
    classes : int
    pixel_um : float, optional
        Edge of a pixel, for a scale bar in the first panel.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=56)
    for axes, (title, values) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        is_image = values.dtype == np.uint8
        axes.imshow(
            values,
            cmap="gray" if is_image else "cividis",
            vmin=0,
            vmax=255 if is_image else max(classes - 1, 1),
            interpolation="nearest",
        )
        axes.set(title=title, xticks=[], yticks=[])
    if pixel_um:
        first = figure.axes[0]
        add_scale_bar(first, width_um=next(iter(maps.values())).shape[1] * pixel_um)
    return figure


def draw_folds(folds: Sequence[tuple[np.ndarray, np.ndarray]], groups: np.ndarray) -> Figure:
    """Draw which examples test in which fold, sorted by their groups.

    Parameters
    ----------
    folds : sequence of (numpy.ndarray, numpy.ndarray)
        Training and test rows.
    groups : numpy.ndarray of int, shape (n,)
    """
    order = np.argsort(groups, kind="stable")
    tests = np.array([np.isin(order, test) for _, test in folds])
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=42)
    axes = figure.subplots()
    axes.imshow(tests, cmap="cividis", aspect="auto", interpolation="nearest", vmin=0, vmax=1)
    axes.set(
        xlabel="examples, sorted by neighbourhood (yellow: test, blue: training)",
        ylabel="fold",
        yticks=range(len(folds)),
        yticklabels=range(1, len(folds) + 1),
    )
    return figure


def draw_matrix(counts: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix of counts, true classes in rows.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (classes, classes)
    classes : sequence of str
    """
    edge = 40 + 12 * len(classes)
    figure = style.new_figure(width_mm=edge + 10, height_mm=edge)
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    shown = [style.shown(name) for name in classes]
    axes.set(xticks=range(len(shown)), yticks=range(len(shown)), xlabel="answer", ylabel="truth")
    axes.set_xticklabels(shown, rotation=30, ha="right")
    axes.set_yticklabels(shown)
    return figure


def draw_few_labels(table: pd.DataFrame) -> Figure:
    """Draw accuracy against the number of labels, a line with its scatter for each method.

    Parameters
    ----------
    table : pandas.DataFrame
        From `few_labels.accuracy_with_few_labels`.
    """
    figure = style.new_figure(width_mm=120, height_mm=80)
    axes = figure.subplots()
    groups = table.groupby("method", sort=False)
    for (name, rows), (colour, line, marker) in zip(groups, _LINES, strict=False):
        axes.errorbar(
            rows["labels"],
            rows["accuracy"],
            yerr=rows["scatter"],
            color=colour,
            linestyle=line,
            marker=marker,
            capsize=2,
            label=name,
        )
    axes.set(xscale="log", xlabel="labels in all", ylabel="accuracy on the test fold", ylim=(0, 1))
    labels = sorted(table["labels"].unique())
    axes.set_xticks(labels, [str(number) for number in labels])
    axes.minorticks_off()
    axes.legend(loc="lower right")
    return figure
