"""The phase map of a panorama beside its image, whole and in detail."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from damascene.figures import style
from damascene.figures.overview import INVALID_GREY, add_frame, add_scale_bar, read_small
from damascene.images.store import TiledImage, Window

# Height of the detail as a part of the panorama's, and at most.
_DETAIL_PART, _DETAIL_PX = 0.25, 700
# More than each of the two images shows, which share the width of the figure.
_WHOLE_PX = 800
# Places along each axis among which that of the detail is chosen.
_PLACES = 5
_HIGHEST_MM = 95
# The image shows through the colours by so much, so that both can be compared.
_OPACITY = 0.5


@matplotlib.rc_context(style.STYLE)
def draw_phases(
    image: TiledImage,
    phases: TiledImage,
    *,
    colours: Mapping[str, str],
    fractions: Mapping[str, float],
    title: str,
    damage_phase: str = "",
) -> Figure:
    """Draw a panorama and, beside it, the same in the colours of its phases; below it a detail.

    Parameters
    ----------
    image : TiledImage
        The panorama at full size.
    phases : TiledImage
        Its phase map.
    colours : mapping of str to str
        Of the phases, in the order of their numbers from 1.
    fractions : mapping of str to float
        Part of the valid area that each takes up, for the legend.
    title : str
    damage_phase : str, optional
        Phase that is drawn without the image below it.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    detail = _detail_window(phases)
    wide_mm = style.FULL_WIDTH_MM / 2
    heights = [
        min(wide_mm * rows / columns, _HIGHEST_MM) for rows, columns in (image.shape, detail.shape)
    ]
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=sum(heights) + 24)
    axes = figure.subplots(2, 2, height_ratios=heights)
    pixel_um = image.pixel_size_nm / 1000
    solid = [name == damage_phase for name in colours]
    whole = Window(top=0, left=0, bottom=image.shape[0], right=image.shape[1])
    for row, (window, pixels, numbers) in enumerate(
        (
            (whole, *(read_small(each, figure_px=_WHOLE_PX) for each in (image, phases))),
            (detail, image.read(detail), phases.read(detail)),
        )
    ):
        grey = _stretched(pixels, numbers)
        overlay = coloured(grey, numbers, colours=list(colours.values()), solid=solid)
        grey = np.where(numbers == 0, INVALID_GREY, grey)
        extent = (window.left, window.right, window.bottom, window.top)
        for each, shown in zip(axes[row], (grey, overlay), strict=True):
            each.imshow(shown, cmap="gray", vmin=0, vmax=1, extent=extent, interpolation="nearest")
            add_scale_bar(each, width_um=window.shape[1] * pixel_um)
            _bare(each)
    for each in axes[0]:
        add_frame(each, detail)
    axes[0, 0].set_title(title)
    axes[0, 1].set_title("phases")
    axes[1, 0].set_title("detail, in the white frame above")
    figure.legend(
        handles=_legend(colours, fractions),
        title="Parts of the valid area",
        loc="outside lower center",
        ncols=4,
    )
    return figure


def _bare(axes: Axes):
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)


def _detail_window(phases):
    """Return a window, of those on a grid the one with most valid pixels next to the middle."""
    rows, columns = phases.shape
    height = min(max(round(_DETAIL_PART * rows), 64), _DETAIL_PX, rows)
    width = min(max(round(height * columns / rows), 64), 2 * _DETAIL_PX, columns)
    best, most = None, -1.0
    steps = np.linspace(0, 1, _PLACES)
    for y, x in sorted(
        ((y, x) for y in steps for x in steps), key=lambda place: np.hypot(*(np.array(place) - 0.5))
    ):
        top, left = round(y * (rows - height)), round(x * (columns - width))
        window = Window(top=top, left=left, bottom=top + height, right=left + width)
        share = float((phases.read(window) > 0).mean())
        if share > most:
            best, most = window, share
    return best


def _stretched(pixels, numbers):
    """Return greys from 0 to 1, stretched between their 0.5 and 99.5 % quantiles."""
    shown = pixels[numbers > 0] if (numbers > 0).any() else pixels
    # As Python's numbers, beside which float32 stays float32.
    low, high = map(float, np.quantile(shown, [0.005, 0.995]))
    return np.clip((pixels.astype(np.float32) - low) / max(high - low, 1), 0, 1)


def coloured(
    grey: np.ndarray, numbers: np.ndarray, *, colours: Sequence[str], solid: Sequence[bool]
) -> np.ndarray:
    """Return an image in the colours of its phases, float (rows, columns, 3) in [0, 1].

    Parameters
    ----------
    grey : numpy.ndarray, float, shape (rows, columns)
        From 0 to 1.
    numbers : numpy.ndarray of int, same shape
        Phase map: 0 where nothing is valid, then the phases from 1.
    colours : sequence of str
        Of the phases in their order.
    solid : sequence of bool
        Phases that hide the image below them.
    """
    opacities = np.array([0.0, *(1.0 if whole else _OPACITY for whole in solid)], np.float32)
    rgb = np.array([(0, 0, 0), *map(to_rgb, colours)], np.float32)
    seen = np.where(numbers == 0, INVALID_GREY, grey) * (1 - opacities)[numbers]
    return seen[..., None] + (rgb * opacities[:, None])[numbers]


def _legend(colours, fractions):
    handles = [
        Patch(
            facecolor=colour,
            edgecolor="0.3",
            linewidth=0.4,
            label=f"{style.shown(name)} {100 * fractions[name]:.3g} %",
        )
        for name, colour in colours.items()
    ]
    return [*handles, Patch(facecolor=str(INVALID_GREY), edgecolor="0.3", label="not valid")]
