"""Figures of what a network looks at, and of all sites by what it makes of them."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from damascene.figures import style
from damascene.figures.overview import add_scale_bar

_COLUMNS = 8
_MOST_MAPS = 4
_HEAT = "inferno"


def draw_explanation(explained) -> dict[str, Figure]:
    """Draw what a network looks at.

    Parameters
    ----------
    explained : evaluation.explanation.Explanation

    Returns
    -------
    dict of str to Figure
        filters, attention and feature_maps.
    """
    first_clips = {name: clips[0] for name, (clips, *_) in explained.examples.items()}
    return {
        "filters": draw_filters(explained.filters, names=explained.filter_names),
        "attention": draw_attention(
            explained.examples, window_um=explained.window_um, centre=explained.centre
        ),
        "feature_maps": draw_feature_maps(first_clips, explained.maps),
    }


@matplotlib.rc_context(style.STYLE)
def draw_filters(filters: Sequence[np.ndarray], *, names: Sequence[str]) -> Figure:
    """Draw the kernels of the first convolutions.

    Parameters
    ----------
    filters : sequence of numpy.ndarray, shape (kernel, kernel, count)
        One array a scale; at most the 48 of largest norm are shown.
    names : sequence of str
        What each of them sees.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide; each kernel from minus to plus its own largest weight.
    """
    shown = [_strongest(each, 48) for each in filters]
    rows = [-(-each.shape[2] // (2 * _COLUMNS)) for each in shown]
    edge_mm = style.FULL_WIDTH_MM / (2 * _COLUMNS)
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=sum(rows) * edge_mm + 8 * len(rows)
    )
    parts = np.atleast_1d(figure.subfigures(len(shown), 1, height_ratios=rows))
    for part, kernels, count, name in zip(parts, shown, rows, names, strict=True):
        part.suptitle(name, x=0.01, ha="left")
        panels = part.subplots(count, 2 * _COLUMNS, squeeze=False).ravel()
        for axes in panels:
            axes.set_axis_off()
        for axes, kernel in zip(panels, np.moveaxis(kernels, 2, 0), strict=False):
            largest = np.abs(kernel).max() or 1
            axes.imshow(kernel, cmap="PuOr", vmin=-largest, vmax=largest)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_attention(
    examples: Mapping[str, tuple[np.ndarray, np.ndarray, Sequence[str]]],
    *,
    window_um: float,
    centre: float | None,
) -> Figure:
    """Draw clips of each class beside the places that speak for the class.

    Parameters
    ----------
    examples : mapping of str to (clips, heat, captions)
        By class: clips, uint8 (n, size, size, scales), `explanation.grad_cam` of them, and the
        probability of the class in words. At most two are shown.
    window_um : float
        Width of the window in micrometres.
    centre : float or None
        Width of the second scale as a part of it.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide: for each site its scales, plain and under the heat.
    """
    scales = 1 if centre is None else 2
    columns = 4 * scales
    edge_mm = (style.FULL_WIDTH_MM - 18) / columns
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=len(examples) * (edge_mm + 4) + 6
    )
    panels = figure.subplots(len(examples), columns, squeeze=False)
    for row, (name, (clips, heat, captions)) in zip(panels, examples.items(), strict=True):
        for axes in row:
            _leave_bare(axes)
        row[0].set_ylabel(style.shown(name), rotation=0, ha="right", va="center")
        if not len(clips):
            style.say_nothing_to_show(row[0], "none")
        for site in range(min(len(clips), 2)):
            for scale in range(scales):
                plain, under = row[2 * scales * site + 2 * scale :][:2]
                plain.imshow(clips[site, ..., scale], cmap="gray", vmin=0, vmax=255)
                under.imshow(clips[site, ..., scale], cmap="gray", vmin=0, vmax=255)
                shown = heat[site, ..., min(scale, heat.shape[-1] - 1)]
                under.imshow(shown, cmap=_HEAT, vmin=0, vmax=1, alpha=0.55)
                if scale == 0:
                    plain.set_xlabel(captions[site], fontsize=6.5, labelpad=1.5)
                if not heat[site].any():
                    # A veil without light would pass for a fault of the figure.
                    under.set_xlabel("nothing", fontsize=6.5, labelpad=1.5)
    for column in range(0, columns, 2):
        scale = column // 2 % scales
        width_um = window_um * (centre if scale else 1)
        panels[0, column].set_title("centre" if scale else "window")
        # All clips below and to the right are as wide.
        if column < 2 * scales and panels[0, column].get_images():
            # Shorter bars have labels that are wider than the bar and leave the clip.
            add_scale_bar(panels[0, column], width_um=width_um, portion=0.55)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_feature_maps(
    clips: Mapping[str, np.ndarray],
    maps: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]],
) -> Figure:
    """Draw the strongest feature maps of the first and the last convolutions for one site a class.

    Parameters
    ----------
    clips : mapping of class to numpy.ndarray, uint8, shape (size, size, scales)
    maps : mapping of class to sequence of (first, last)
        One pair a scale, each of shape (rows, columns, channels).

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide: a row for each scale of each class with the clip, maps behind the first
        convolution and maps behind the last, each map scaled by itself.
    """
    columns = 1 + 2 * _MOST_MAPS
    rows = [(name, scale) for name in clips for scale in range(len(maps[name]))]
    edge_mm = (style.FULL_WIDTH_MM - 18) / columns
    figure = style.new_figure(
        width_mm=style.FULL_WIDTH_MM, height_mm=len(rows) * (edge_mm + 1.5) + 8
    )
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for axes in panels.ravel():
        _leave_bare(axes)
    for row, (name, scale) in zip(panels, rows, strict=True):
        row[0].imshow(clips[name][..., scale], cmap="gray", vmin=0, vmax=255)
        if scale == 0:
            row[0].set_ylabel(style.shown(name), rotation=0, ha="right", va="center")
        for place, values in enumerate(maps[name][scale]):
            strongest = np.moveaxis(_strongest(values, _MOST_MAPS), 2, 0)
            for axes, one in zip(row[1 + place * _MOST_MAPS :], strongest, strict=False):
                axes.imshow(one, cmap=_HEAT)
    title = panels[0, 0].set_title("clip")
    for place, name in enumerate(("first", "last")):
        axes = panels[0, 1 + place * _MOST_MAPS]
        # A title this long would widen its column; a text may run over the next ones.
        axes.annotate(
            f"behind the {name} convolution",
            (0, 1),
            xytext=(0, matplotlib.rcParams["axes.titlepad"]),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=title.get_fontsize(),
            annotation_clip=False,
        ).set_in_layout(False)
    return figure


@matplotlib.rc_context(style.STYLE)
def draw_embedding(table: pd.DataFrame, summary: Mapping, agreement: pd.DataFrame) -> Figure:
    """Draw all sites in the plane of the embedding, by class, panorama and group.

    Parameters
    ----------
    table : pandas.DataFrame
        panorama, predicted_class, axis_1, axis_2, k_means, mixture.
    summary : mapping
        See `embedding.embedding_map`.
    agreement : pandas.DataFrame
        `embedding.group_agreement`.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=150)
    panels = figure.subplots(2, 2, sharex=True, sharey=True).ravel()
    by_class, by_panorama, by_means, by_mixture = panels
    for name in [each for each in style.LABEL_ORDER if each in set(table["predicted_class"])]:
        part = table[table["predicted_class"] == name]
        by_class.scatter(
            part["axis_1"],
            part["axis_2"],
            s=6,
            color=style.COLOURS[name],
            marker=style.MARKERS[name],
            linewidths=0,
            alpha=0.7,
            label=f"{style.shown(name)} ({len(part)})",
        )
    by_class.set_title("(a) class")
    shades = matplotlib.colormaps["cividis"]
    for axes, column, title in (
        (by_panorama, "panorama", "(b) panorama"),
        (by_means, "k_means", "(c) k-means"),
        (by_mixture, "mixture", "(d) Gaussian mixture"),
    ):
        names = sorted(table[column].unique())
        for place, name in enumerate(names):
            part = table[table[column] == name]
            axes.scatter(
                part["axis_1"],
                part["axis_2"],
                s=6,
                # The lightest shades are lost on white.
                color=shades(0.8 * place / max(len(names) - 1, 1)),
                marker="osD^vP*X"[place % 8],
                linewidths=0,
                alpha=0.7,
                label=f"{name} ({len(part)})",
            )
        told = agreement[
            (agreement["groups"] == column) & (agreement["against"] == "predicted_class")
        ]
        if len(told):
            groups = "one group" if len(names) == 1 else f"{len(names)} groups"
            title += f": {groups}, Rand {told['adjusted_rand'].iloc[0]:.2f}"
        axes.set_title(title)
    for axes in panels:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), markerscale=1.5, handletextpad=0.2)
        axes.set(xticks=[], yticks=[])
    for axes in (by_means, by_mixture):
        axes.set_xlabel(f"first axis ({100 * summary['explained_1']:.0f} % of the variance)")
    for axes in (by_class, by_means):
        axes.set_ylabel(f"second axis ({100 * summary['explained_2']:.0f} %)")
    return figure


def _leave_bare(axes):
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _strongest(maps, count):
    """Return the maps (rows, columns, count) with the largest spread, in their order."""
    spread = maps.std(axis=(0, 1))
    return maps[..., np.sort(np.argsort(-spread, kind="stable")[:count])]
