"""Figures of the page on what machine learning is."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure

from damascene.figures.style import FULL_WIDTH_MM, new_figure
from damascene.workshop.first_tasks import Descent, Tiles
from damascene.workshop.grid_world import MOVES, WALL, GridWorld, Learned, greedy_path

#: Colours of Okabe and Ito with a marker each, so that groups differ without colour as well.
GROUP_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
GROUP_MARKERS = ("o", "^", "s", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


def scatter_groups(
    axes: Axes, points: np.ndarray, group: np.ndarray, *, names: Sequence[str], size: float = 10
) -> None:
    """Draw points of numbered groups, each with a colour and a marker of its own.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    points : numpy.ndarray, float64, shape (points, 2)
    group : numpy.ndarray, int64, shape (points,)
        Number of the group from 0; those below 0 are drawn small and grey.
    names : sequence of str
        For the legend.
    size : float, optional
        Of the markers, in square points.
    """
    rest = group < 0
    axes.scatter(*points[rest].T, s=size / 3, color="0.55", marker=".", linewidths=0.4)
    for number, name in enumerate(names):
        axes.scatter(
            *points[group == number].T,
            s=size,
            color=GROUP_COLOURS[number % len(GROUP_COLOURS)],
            marker=GROUP_MARKERS[number % len(GROUP_MARKERS)],
            linewidths=0,
            alpha=0.8,
            label=name,
        )


def draw_regression(
    left: np.ndarray, right: np.ndarray, descent: Descent, *, shown: Sequence[int]
) -> Figure:
    """Draw pairs of pixels with the line at some steps of its descent, and the loss.

    Parameters
    ----------
    left, right : numpy.ndarray, float64, shape (pairs,)
        Grey values from 0 to 1.
    descent : Descent
    shown : sequence of int
        Steps whose line is drawn.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=70)
    points, loss = figure.subplots(1, 2)
    points.scatter(left, right, s=3, color="0.6", linewidths=0)
    ends = np.array([0.0, 1.0])
    for number, step in enumerate(shown):
        line = descent.slope[step] * ends + descent.intercept[step]
        colour, dash = GROUP_COLOURS[number], DASHES[::-1][number - len(shown)]
        points.plot(ends, line, color=colour, linestyle=dash, linewidth=1.6, label=f"step {step}")
        loss.plot(step, descent.loss[step], color=colour, marker=GROUP_MARKERS[number], ms=6)
    points.set(xlabel="grey of a pixel, x", ylabel="grey of its right neighbour, y")
    points.set(xlim=(0, 1), ylim=(0, 1), title="A line, y = w1 x + w0")
    points.legend(loc="upper left", frameon=True, edgecolor="none")
    loss.plot(descent.loss, color="black", zorder=0)
    loss.set(xlabel="step of the descent", ylabel="mean squared error", yscale="log")
    loss.set_title("What each step gains")
    return figure


def draw_classification(tiles: Tiles, probability: np.ndarray, grid: np.ndarray) -> Figure:
    """Draw a sharp and a blurred tile, all tiles by what was measured, and the border learned.

    Parameters
    ----------
    tiles : Tiles
    probability : numpy.ndarray, float64, shape (rows, columns)
        Of being blurred, on a grid over the plane of the measures.
    grid : numpy.ndarray, float64, shape (2, rows, columns)
        Spread and step of each place of the grid.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=70)
    pictures, plane = figure.subfigures(1, 2, width_ratios=(1, 2))
    for axes, blurred in zip(pictures.subplots(2, 1), (False, True), strict=True):
        # The tile of the most contrast shows best what blurring does.
        which = np.flatnonzero(tiles.blurred == blurred)
        chosen = which[tiles.measures[which, 1].argmax()]
        axes.imshow(tiles.pictures[chosen], cmap="gray", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[], title="blurred" if blurred else "sharp")
    axes = plane.subplots()
    shades = ListedColormap(["#CFE3F2", "#FBE6BF"])
    axes.pcolormesh(*grid, probability > 0.5, cmap=shades, vmin=0, vmax=1, rasterized=True)
    axes.contour(*grid, probability, levels=[0.5], colors="black", linewidths=1.2)
    scatter_groups(axes, tiles.measures, tiles.blurred.astype(int), names=("sharp", "blurred"))
    axes.set(xlabel="spread of the grey values", ylabel="mean step between neighbours")
    axes.set_title("Two numbers of each tile, and the border that was learned")
    axes.legend(loc="upper left", frameon=True, edgecolor="none")
    return figure


def draw_experience(sizes: np.ndarray, scores: np.ndarray) -> Figure:
    """Draw how performance on unseen examples grows with experience.

    Parameters
    ----------
    sizes : numpy.ndarray, int64, shape (sizes,)
        Examples that were learned from.
    scores : numpy.ndarray, float64, shape (sizes, repeats)
        Part of the unseen examples that were named right.
    """
    figure = new_figure(width_mm=120, height_mm=62)
    axes = figure.subplots()
    axes.plot(np.repeat(sizes, scores.shape[1]), scores.ravel(), ".", color="0.65", ms=3)
    axes.plot(sizes, scores.mean(axis=1), "o-", color=GROUP_COLOURS[0], label="mean")
    axes.axhline(0.5, color="black", linestyle=":", label="by chance")
    axes.set(xscale="log", xlabel="experience E: examples learned from", ylim=(0.25, 1.02))
    axes.set_xticks(sizes, labels=[str(each) for each in sizes])
    axes.minorticks_off()
    axes.set_ylabel("performance P:\npart named right, unseen tiles")
    axes.legend(loc="lower right")
    return figure


def draw_clusters(
    image: np.ndarray, measures: np.ndarray, group: np.ndarray, *, edge_px: int
) -> Figure:
    """Draw tiles by what was measured of them, and where each group lies in the image.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    measures : numpy.ndarray, float64, shape (tiles, 2)
        Mean and spread of the grey values.
    group : numpy.ndarray, int64, shape (tiles,)
        From 0, tiles row by row.
    edge_px : int
        Edge of the tiles.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=75)
    plane, picture = figure.subplots(1, 2)
    names = [f"group {number + 1}" for number in range(group.max() + 1)]
    scatter_groups(plane, measures, group, names=names, size=6)
    plane.set(xlabel="mean grey value of a tile", ylabel="spread of its grey values")
    plane.legend(loc="upper right", frameon=True, edgecolor="none", markerscale=1.5)
    high, wide = (length // edge_px for length in image.shape)
    used = image[: high * edge_px, : wide * edge_px]
    colours = np.array([to_rgb(each) for each in GROUP_COLOURS[: len(names)]])
    painted = np.kron(group.reshape(high, wide), np.ones((edge_px, edge_px), int))
    picture.imshow((0.35 * colours[painted] + 0.65 * used[..., None] / 255).clip(0, 1))
    picture.set(xticks=[], yticks=[])
    return figure


def draw_plane(points: np.ndarray, patches: np.ndarray, *, labels: Sequence[str]) -> Figure:
    """Draw small pictures where two numbers each put them.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (patches, 2)
    patches : numpy.ndarray, float64, shape (patches, edge, edge)
    labels : sequence of str
        Of both axes.
    """
    figure = new_figure(width_mm=120, height_mm=80)
    axes = figure.subplots()
    axes.scatter(*points.T, s=3, color="0.7", linewidths=0)
    low, high = np.percentile(points, (1, 99), axis=0)
    step = (high - low) / (12, 8)
    taken = set()
    for point, patch in zip(points, patches, strict=True):
        cell = tuple(np.floor((point - low) / step).astype(int))
        if cell in taken or (point < low).any() or (point > high).any():
            continue
        taken.add(cell)
        # At the middle of its cell, so that pictures do not cover one another.
        left, bottom = low + np.array(cell) * step
        extent = (left, left + 0.9 * step[0], bottom, bottom + 0.9 * step[1])
        axes.imshow(patch, cmap="gray", vmin=0, vmax=255, extent=extent, aspect="auto", zorder=2)
    margin = 0.05 * (high - low)
    axes.set(xlim=(low[0] - margin[0], high[0] + 2 * margin[0]))
    axes.set(ylim=(low[1] - margin[1], high[1] + 2 * margin[1]))
    axes.set(xlabel=labels[0], ylabel=labels[1])
    return figure


def draw_semi_supervised(
    points: np.ndarray, truth: np.ndarray, known: np.ndarray, answers: Mapping[str, np.ndarray]
) -> Figure:
    """Draw the labelled points beside what two ways of learning make of all points.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (points, 2)
    truth : numpy.ndarray, int64, shape (points,)
    known : numpy.ndarray, bool, shape (points,)
        Whether the label may be learned from.
    answers : mapping of str to numpy.ndarray, int64, shape (points,)
        By the name of the way.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=58)
    panels = figure.subplots(1, 1 + len(answers), sharex=True, sharey=True)
    given = np.where(known, truth, -1)
    for axes, (name, group) in zip(panels, {"given": given, **answers}.items(), strict=True):
        scatter_groups(axes, points, group, names=("first", "second"), size=10)
        wrong = (group >= 0) & (group != truth)
        axes.scatter(*points[wrong].T, s=28, facecolor="none", edgecolor="black", linewidth=0.6)
        scatter_groups(axes, points[known], truth[known], names=("", ""), size=60)
        right = "" if name == "given" else f": {np.mean(group == truth):.0%} right"
        axes.set(title=name + right, xticks=[], yticks=[])
    return figure


def draw_world(world: GridWorld, learned: Mapping[str, Learned]) -> Figure:
    """Draw what agents know of a world: the worth of each field, the best action, the path.

    Parameters
    ----------
    world : GridWorld
    learned : mapping of str to Learned
        By what is written above.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=66)
    panels = figure.subplots(1, len(learned), squeeze=False)[0]
    rows, columns = world.shape
    for axes, (name, agent) in zip(panels, learned.items(), strict=True):
        worth = np.where(world.prizes > 0, np.nan, agent.q.max(axis=1)).reshape(world.shape)
        picture = axes.imshow(worth, cmap="Blues", vmin=0, vmax=world.prizes.max())
        path = greedy_path(world, agent.q)
        axes.plot(
            np.mod(path, columns), np.floor_divide(path, columns), color="0.25", lw=2, zorder=1
        )
        for field, letter in enumerate("".join(world.rows)):
            _draw_field(axes, letter, agent.q[field], *divmod(field, columns))
        axes.set(xticks=np.arange(columns + 1) - 0.5, yticks=np.arange(rows + 1) - 0.5, title=name)
        axes.set(xticklabels=[], yticklabels=[])
        axes.tick_params(length=0)
        axes.grid(color="0.4", linewidth=0.5)
    figure.colorbar(picture, ax=panels, label="worth of a field", shrink=0.7)
    return figure


def _draw_field(axes, letter, q, row, column):
    """Draw a wall, the start, a prize, or an arrow where one action is the best."""
    if letter == WALL:
        axes.fill_between([column - 0.5, column + 0.5], row - 0.5, row + 0.5, color="0.25")
        return
    if letter.isdigit():
        style = {"facecolor": "#E69F00", "edgecolor": "black", "boxstyle": "circle"}
        axes.text(column, row, letter, ha="center", va="center", bbox=style, zorder=3)
        return
    if letter == "S":
        axes.text(column - 0.42, row + 0.4, "start", fontsize=7, va="bottom", zorder=3)
    if q.max() > 0:
        down, right = list(MOVES.values())[q.argmax()]
        tail, head = (column - 0.22 * right, row - 0.22 * down), (0.3 * right, 0.3 * down)
        axes.arrow(*tail, *head, width=0.04, head_width=0.2, color="#D55E00", zorder=2)


def draw_returns(learned: Mapping[float, Sequence[Learned]], *, best: float) -> Figure:
    """Draw what agents earned in each episode, the mean over agents and twenty episodes.

    Parameters
    ----------
    learned : mapping of epsilon to sequence of Learned
    best : float
        What the best agent earns from the start on.
    """
    figure = new_figure(width_mm=130, height_mm=68)
    axes = figure.subplots()
    for number, (epsilon, agents) in enumerate(learned.items()):
        mean = np.mean([agent.returns for agent in agents], axis=0)
        smooth = np.convolve(mean, np.full(20, 1 / 20), mode="valid")
        dash = DASHES[number % len(DASHES)]
        colour = GROUP_COLOURS[number % len(GROUP_COLOURS)]
        axes.plot(np.arange(len(smooth)) + 20, smooth, dash, color=colour, label=f"ε = {epsilon:g}")
    axes.axhline(best, color="black", linewidth=0.6, linestyle=":")
    axes.text(20, best * 0.985, "best possible", fontsize=7, va="top")
    axes.set(xlabel="episode", ylabel="discounted reward of an episode", ylim=(0, best * 1.05))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
