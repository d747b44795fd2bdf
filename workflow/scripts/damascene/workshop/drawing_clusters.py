"""Figures of the page on learning without labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from damascene.figures.style import COLOURS, FULL_WIDTH_MM, LABEL_ORDER, MARKERS, new_figure, shown
from damascene.workshop.drawing_images import micrograph
from damascene.workshop.drawing_learning import GROUP_COLOURS, GROUP_MARKERS, scatter_groups
from damascene.workshop.pixel_clusters import BORDER, CORE, NOISE, ROLES

#: Colour and marker of core, border and noise pixels.
ROLE_STYLES = {
    CORE: (GROUP_COLOURS[0], "s"),
    BORDER: (GROUP_COLOURS[1], "D"),
    NOISE: (GROUP_COLOURS[3], "X"),
}


def draw_roles(clusters: np.ndarray, roles: np.ndarray) -> Figure:
    """Draw pixels by their cluster, and by their role in DBSCAN.

    Parameters
    ----------
    clusters, roles : numpy.ndarray, int64, shape (rows, columns)
        From `pixel_clusters.pixel_roles`.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=70)
    left, right = figure.subplots(1, 2)
    rows, columns = np.nonzero(roles)
    points = np.stack([columns, rows], axis=1)
    found = clusters[rows, columns]
    names = [f"cluster {number + 1}" for number in range(found.max(initial=-1) + 1)]
    scatter_groups(left, points, found, names=names, size=8)
    for role, (colour, marker) in ROLE_STYLES.items():
        chosen = points[roles[rows, columns] == role]
        right.scatter(*chosen.T, s=8, color=colour, marker=marker, lw=0, label=ROLES[role])
    for axes, title in ((left, "clusters (grey: none)"), (right, "roles")):
        axes.set(aspect="equal", xticks=[], yticks=[], title=title)
        axes.set(xlim=(-1, roles.shape[1]), ylim=(roles.shape[0], -1))
    right.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=3, markerscale=1.6)
    return figure


def draw_two_ways(mask: np.ndarray, ways: Mapping[str, np.ndarray]) -> Figure:
    """Draw the true pixels of a mask by the groups of several methods.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
    ways : mapping of str to numpy.ndarray, int64, shape (true pixels,)
        Groups from 0 by the name of the method, -1 for none.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=66)
    rows, columns = np.nonzero(mask)
    points = np.stack([columns, rows], axis=1)
    for axes, (name, group) in zip(figure.subplots(1, len(ways)), ways.items(), strict=True):
        scatter_groups(axes, points, group, names=[""] * (group.max() + 1), size=8)
        axes.set(aspect="equal", xticks=[], yticks=[], title=name)
        axes.set(xlim=(-1, mask.shape[1]), ylim=(mask.shape[0], -1))
    return figure


def draw_dark_pixels(
    image: np.ndarray, clusters: np.ndarray, roles: np.ndarray, *, pixel_um: float | None
) -> Figure:
    """Draw clusters of dark pixels in an image, and the largest that is whole pixel by pixel.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    clusters, roles : numpy.ndarray, int64, same shape
        From `pixel_clusters.pixel_roles`.
    pixel_um : float or None
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=100)
    whole, part = figure.subplots(1, 2)
    micrograph(whole, image, pixel_um=pixel_um)
    rows, columns = np.nonzero(clusters >= 0)
    frames = pd.DataFrame({"cluster": clusters[rows, columns], "row": rows, "column": columns})
    frames = frames.groupby("cluster").agg(["min", "max", "size"])
    for _, frame in frames.iterrows():
        top, left = frame["row", "min"] - 6, frame["column", "min"] - 6
        size = frame["column", "max"] - left + 6, frame["row", "max"] - top + 6
        whole.add_patch(Rectangle((left, top), *size, fill=False, color=GROUP_COLOURS[1], lw=1))
    whole.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    whole.set_title(f"{len(frames)} clusters of dark pixels")
    draw_pixel_roles(part, image, roles, around=_place_to_look_at(frames, image.shape))
    return figure


def _place_to_look_at(frames, shape):
    """Return the middle of the cluster of which most pixels are seen at once."""
    if not len(frames):
        return shape[0] // 2, shape[1] // 2
    extent = frames["row", "max"] - frames["row", "min"]
    extent = np.maximum(extent, frames["column", "max"] - frames["column", "min"])
    # Larger than the window would show no border.
    seen = frames["row", "size"].where(extent < 36, -extent)
    best = frames.loc[seen.idxmax()]
    return int(best["row"][["min", "max"]].mean()), int(best["column"][["min", "max"]].mean())


def draw_pixel_roles(
    axes: Axes, image: np.ndarray, roles: np.ndarray, *, around: tuple[int, int], edge_px: int = 44
) -> None:
    """Draw the role of each dark pixel in a window of an image."""
    high, wide = (min(edge_px, length) for length in image.shape)
    top = int(np.clip(around[0] - high // 2, 0, image.shape[0] - high))
    left = int(np.clip(around[1] - wide // 2, 0, image.shape[1] - wide))
    window = (slice(top, top + high), slice(left, left + wide))
    micrograph(axes, image[window])
    for role, (colour, marker) in ROLE_STYLES.items():
        rows, columns = np.nonzero(roles[window] == role)
        name = f"{ROLES[role]}: {len(rows)}"
        axes.scatter(columns, rows, s=9, color=colour, marker=marker, lw=0, label=name)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, markerscale=1.5)
    axes.set_title(f"{high} x {wide} pixels of it")


def draw_groups(
    clips: np.ndarray, members: Sequence[np.ndarray], classes: np.ndarray, *, sizes: Sequence[int]
) -> Figure:
    """Draw a row of clips for each group, with their classes below.

    Parameters
    ----------
    clips : numpy.ndarray, float32, shape (n, edge, edge)
    members : sequence of numpy.ndarray, int64
        Clips of each group that are shown.
    classes : numpy.ndarray of str, shape (n,)
    sizes : sequence of int
        All members of each group.
    """
    columns = max(max(map(len, members)), 1)
    row_mm = (FULL_WIDTH_MM - 18) / columns + (4 if (classes != "").any() else 1)
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=len(members) * row_mm)
    panels = figure.subplots(len(members), columns, squeeze=False)
    for number, (row, chosen) in enumerate(zip(panels, members, strict=True)):
        row[0].set_ylabel(f"{number + 1}\n({sizes[number]})", rotation=0, ha="right", va="center")
        for axes in row:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, index in zip(row, chosen, strict=False):
            axes.imshow(clips[index], cmap="gray", vmin=0, vmax=1)
            axes.set_xlabel(shown(str(classes[index])), fontsize=7, labelpad=1)
    return figure


def scatter_classes(axes: Axes, points: np.ndarray, classes: np.ndarray) -> None:
    """Draw points with the colour and marker of their class; grey where there is none."""
    none = classes == ""
    axes.scatter(*points[none].T, s=6, color="0.55", marker=".", lw=0)
    for name in LABEL_ORDER:
        chosen = points[classes == name]
        if len(chosen):
            style = {"color": COLOURS[name], "marker": MARKERS[name]}
            axes.scatter(*chosen.T, s=11, lw=0, alpha=0.8, label=shown(name), **style)


def draw_plane_by_class(planes: Mapping[str, np.ndarray], classes: np.ndarray) -> Figure:
    """Draw two numbers of each clip, by class, for several ways to find these numbers.

    Parameters
    ----------
    planes : mapping of str to numpy.ndarray, float64, shape (n, 2)
    classes : numpy.ndarray of str, shape (n,)
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=66)
    panels = figure.subplots(1, len(planes), squeeze=False)[0]
    for axes, (name, points) in zip(panels, planes.items(), strict=True):
        scatter_classes(axes, points, classes)
        axes.set(xticks=[], yticks=[], title=name)
        axes.set(xlabel="first component", ylabel="second component")
    if (classes != "").any():
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=6, markerscale=1.5)
    return figure


def draw_mixture(
    points: np.ndarray, group: np.ndarray, means: np.ndarray, covariances: np.ndarray,
    criterion: pd.Series,
) -> Figure:  # fmt: skip
    """Draw a Gaussian mixture in a plane, and by which its number of hills was chosen.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (n, 2)
    group : numpy.ndarray, int64, shape (n,)
    means : numpy.ndarray, float64, shape (hills, 2)
    covariances : numpy.ndarray, float64, shape (hills, 2, 2)
    criterion : pandas.Series
        Bayesian information criterion by number of hills.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=70)
    plane, choice = figure.subplots(1, 2, width_ratios=(3, 2))
    names = [f"hill {number + 1}" for number in range(len(means))]
    scatter_groups(plane, points, group, names=names, size=8)
    for number, (mean, covariance) in enumerate(zip(means, covariances, strict=True)):
        lengths, axes = np.linalg.eigh(covariance)
        angle = np.degrees(np.arctan2(axes[1, 1], axes[0, 1]))
        colour = GROUP_COLOURS[number % len(GROUP_COLOURS)]
        for reach in (1, 2):
            width, height = 2 * reach * np.sqrt(lengths[::-1])
            style = {"fill": False, "edgecolor": colour, "linewidth": 1.2}
            plane.add_patch(Ellipse(mean, width, height, angle=angle, **style))
        marker = {"marker": GROUP_MARKERS[number % len(GROUP_MARKERS)], "s": 60}
        plane.scatter(*mean, color=colour, edgecolor="black", zorder=4, **marker)
    plane.set(xlabel="first component", ylabel="second component")
    choice.plot(criterion.index, criterion, "o-", color="black")
    choice.plot(criterion.idxmin(), criterion.min(), "o", ms=9, mfc="none", color=GROUP_COLOURS[5])
    choice.set(xlabel="number of hills", ylabel="Bayesian information criterion")
    return figure


def draw_density(
    points: np.ndarray, grid: np.ndarray, density: np.ndarray, rare: np.ndarray, clips: np.ndarray
) -> Figure:
    """Draw the density of points in a plane, and the clips of those where it is lowest.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (n, 2)
    grid : numpy.ndarray, float64, shape (2, rows, columns)
    density : numpy.ndarray, float64, shape (rows, columns)
    rare : numpy.ndarray, int64, shape (8,)
        Numbers of the points of the lowest density.
    clips : numpy.ndarray, float32, shape (n, edge, edge)
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=76)
    left, right = figure.subfigures(1, 2, width_ratios=(3, 2))
    axes = left.subplots()
    picture = axes.contourf(*grid, density, levels=9, cmap="Blues")
    axes.scatter(*points.T, s=3, color="0.35", lw=0)
    axes.scatter(*points[rare].T, s=26, facecolor="none", edgecolor=GROUP_COLOURS[5], lw=1)
    axes.set(xlabel="first component", ylabel="second component")
    figure.colorbar(picture, ax=axes, label="density p(x)", format="%.2g")
    panels = right.subplots(4, 2)
    for panel, index in zip(panels.ravel(), rare, strict=False):
        panel.imshow(clips[index], cmap="gray", vmin=0, vmax=1)
    for panel in panels.ravel():
        panel.set_axis_off()
    right.suptitle("the rarest clips")
    return figure


def draw_components(shares: np.ndarray, components: np.ndarray) -> Figure:
    """Draw how much variance components keep, and the first of them as pictures.

    Parameters
    ----------
    shares : numpy.ndarray, float64, shape (components,)
        Part of the variance that each keeps.
    components : numpy.ndarray, float64, shape (n, edge, edge)
        The first eight are drawn.
    """
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=60)
    left, right = figure.subfigures(1, 2, width_ratios=(2, 3))
    axes = left.subplots()
    axes.plot(np.arange(len(shares)) + 1, np.cumsum(shares), color="black")
    axes.set(xlabel="components", ylabel="part of the variance kept", ylim=(0, 1.02))
    panels = right.subplots(2, 4)
    for number, panel in enumerate(panels.ravel()):
        panel.set_axis_off()
        if number < len(components):
            most = np.abs(components[number]).max() or 1
            panel.imshow(components[number], cmap="gray", vmin=-most, vmax=most)
            panel.set_title(f"{number + 1}: {shares[number]:.0%}")
    return figure


def draw_redrawn(rows: Mapping[str, np.ndarray]) -> Figure:
    """Draw rows of clips below each other: as they were, and as few numbers draw them again.

    Parameters
    ----------
    rows : mapping of str to numpy.ndarray, float32, shape (n, edge, edge)
        By what is written beside the row.
    """
    count = min(len(each) for each in rows.values())
    clip_mm = (FULL_WIDTH_MM - 25) / count
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=len(rows) * (clip_mm + 1))
    panels = figure.subplots(len(rows), count, squeeze=False)
    for line, (name, clips) in zip(panels, rows.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
        for axes, clip in zip(line, clips, strict=False):
            axes.imshow(clip, cmap="gray", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
    return figure


def draw_classes_in_groups(tables: Mapping[str, np.ndarray], names: Sequence[str]) -> Figure:
    """Draw how many sites of each class are in each group, for several ways to group.

    Parameters
    ----------
    tables : mapping of str to numpy.ndarray, int64, shape (groups, classes)
    names : sequence of str
        The classes.
    """
    most = max(len(table) for table in tables.values())
    figure = new_figure(width_mm=FULL_WIDTH_MM, height_mm=24 + 7 * most)
    panels = figure.subplots(1, len(tables), squeeze=False)[0]
    for axes, (title, table) in zip(panels, tables.items(), strict=True):
        shares = table / np.maximum(table.sum(axis=0), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (group, column), count in np.ndenumerate(table):
            colour = "white" if shares[group, column] > 0.6 else "black"
            axes.text(column, group, str(count), ha="center", va="center", color=colour)
        axes.set_xticks(range(len(names)), labels=map(shown, names), rotation=35, ha="right")
        axes.set_yticks(range(len(table)), labels=range(1, len(table) + 1))
        axes.set(ylabel="group", title=title)
    return figure
