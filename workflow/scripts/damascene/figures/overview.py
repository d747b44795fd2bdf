"""The panorama as a whole with its sites."""

import math

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from damascene.figures import style
from damascene.images.filling import fill_gaps, narrow_gaps
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import BLANK, NO_IMAGE, VALID

# More than the figure can show, so that marks sit on a sharp image.
_IMAGE_PX = 1600
_STRIP_ROWS = 1024
_NARROW_PX = 5
# Numbers of sites that an image can hold beside the marks.
_MOST_NAMED = 60
_DIGIT_MM, _NAME_MM = 1.5, 3.0
# Above this number marks become pixels in the SVG, which a browser could not draw otherwise.
_MOST_VECTOR_MARKS = 2000
_HIGHEST_MM = 190
#: Grey, from 0 to 1, on which the hatches of what is not valid lie.
INVALID_GREY = 0.82


@matplotlib.rc_context(style.STYLE)
def draw_overview(
    image: TiledImage,
    sites: pd.DataFrame,
    *,
    title: str,
    valid: TiledImage | None = None,
) -> Figure:
    """Draw a panorama with a mark of the class's colour and shape at every site.

    The image comes from the smallest level of the pyramid that fills the figure; its grey values
    are stretched between their 0.5 and 99.5 % quantiles in the valid area.

    Parameters
    ----------
    image : TiledImage
        The panorama at full size.
    sites : pandas.DataFrame
        `SITES` of this panorama; `site_id`, `x_px`, `y_px`, `area_um2` and `class` are used.
        Numbers stand beside the largest sites, as many as have room.
    title : str
        Heading; a new line where it would be too long is up to the caller.
    valid : TiledImage, optional
        Mask of the panorama; what is not valid is shown hatched, except gaps so narrow that they
        could hardly be seen: these are filled from their surroundings.

    Returns
    -------
    matplotlib.figure.Figure
        175 mm wide.
    """
    rows, columns = image.shape
    pixels, invalid = read_shown(image, valid)
    # The legend and the title need about this height beside the image itself.
    image_height = min(style.FULL_WIDTH_MM * rows / columns, _HIGHEST_MM)
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=image_height + 16)
    axes = figure.add_subplot()
    extent = (-0.5, columns - 0.5, rows - 0.5, -0.5)
    shown = pixels[~invalid] if not invalid.all() else pixels
    darkest, brightest = np.quantile(shown, [0.005, 0.995])
    axes.imshow(pixels, cmap="gray", vmin=darkest, vmax=max(brightest, darkest + 1), extent=extent)
    if invalid.any():
        hatch(axes, invalid, extent=extent)
    _mark_sites(axes, sites, side_mm=(style.FULL_WIDTH_MM, image_height))
    _name_sites(axes, sites, mm_per_px=style.FULL_WIDTH_MM / columns)
    add_scale_bar(axes, width_um=columns * image.pixel_size_nm / 1000)
    axes.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.set_title(title)
    has_invalid = bool(invalid.any())
    figure.legend(
        handles=_legend_handles(sites, with_invalid=has_invalid),
        loc="outside lower center",
        ncols=4 if has_invalid else 6,
        columnspacing=1.4,
        handlelength=1.2,
        handletextpad=0.5,
    )
    return figure


def add_frame(axes: Axes, window: Window) -> None:
    """Draw a white frame round a part of an image that is shown in its own coordinates."""
    corner = (window.left, window.top)
    height, width = window.shape
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=1.2))


def add_scale_bar(axes: Axes, *, width_um: float, portion: float = 0.2) -> None:
    """Put a scale bar of a round length on the lower right of an image.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes that show the image over their whole width.
    width_um : float
        Width of the image in micrometres.
    portion : float, optional
        Longest bar as a part of the width.
    """
    length_um = style.nice_length(portion * width_um)
    part = length_um / width_um
    inwards = ScaledTranslation(-5 / 72, 5 / 72, axes.figure.dpi_scale_trans)
    corner = axes.transAxes + inwards
    axes.plot(
        [1 - part, 1],
        [0, 0],
        transform=corner,
        color="white",
        linewidth=2.5,
        solid_capstyle="butt",
        path_effects=[withStroke(linewidth=6, foreground="black")],
        zorder=6,
    )
    axes.text(
        1 - part / 2,
        0,
        style.length_text(length_um),
        transform=corner + ScaledTranslation(0, 4 / 72, axes.figure.dpi_scale_trans),
        color="white",
        fontsize=7,
        ha="center",
        va="bottom",
        bbox={"facecolor": "black", "alpha": 0.8, "edgecolor": "none", "pad": 1},
        zorder=6,
    )


def read_small(image: TiledImage, *, figure_px: int = _IMAGE_PX) -> np.ndarray:
    """Read the smallest level of the pyramid whose longer side has at least `figure_px` pixels."""
    level = math.floor(math.log2(max(*image.shape, figure_px) / figure_px))
    with TiledImage(image.path, level=min(level, image.level_count - 1)) as small:
        return small.read()


def read_shown(image: TiledImage, valid: TiledImage | None) -> tuple[np.ndarray, np.ndarray]:
    """Read a panorama for a figure, and where it is to be marked as not valid.

    Gaps narrower than five pixels of the figure, about half a millimetre, are filled: lines between
    tiles would be seen as structure.

    Returns
    -------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
        Of `read_small`.
    invalid : numpy.ndarray of bool, same shape
    """
    pixels = read_small(image)
    if valid is None:
        return pixels, np.zeros(pixels.shape, bool)
    invalid, touched = _small_masks(valid, pixels.shape)
    narrow = narrow_gaps(touched, width_px=_NARROW_PX)
    return fill_gaps(pixels, touched, narrow), invalid & ~narrow


def _small_masks(valid, shape):
    """Sample what is not valid at the pixels of a smaller image; say which of them gaps touch."""
    rows = ((np.arange(shape[0]) + 0.5) * valid.shape[0] / shape[0]).astype(int)
    columns = ((np.arange(shape[1]) + 0.5) * valid.shape[1] / shape[1]).astype(int)
    starts = -(-np.arange(shape[1]) * valid.shape[1] // shape[1])
    invalid, touched = np.zeros(shape, bool), np.zeros(shape, bool)
    for top in range(0, valid.shape[0], _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, valid.shape[0])
        window = Window(top=top, left=0, bottom=bottom, right=valid.shape[1])
        if valid.holds_only(window, VALID):
            continue
        strip = valid.read(window)
        inside = np.flatnonzero((rows >= top) & (rows < bottom))
        invalid[inside] = strip[np.ix_(rows[inside] - top, columns)] != VALID
        gaps = np.logical_or.reduceat((strip == NO_IMAGE) | (strip == BLANK), starts, axis=1)
        np.logical_or.at(touched, np.arange(top, bottom) * shape[0] // valid.shape[0], gaps)
    return invalid, touched


def hatch(axes: Axes, invalid: np.ndarray, *, extent: tuple) -> None:
    """Cover the True pixels of a small mask in hatched grey; `extent` as for `imshow`."""
    cover = np.zeros((*invalid.shape, 4))
    cover[invalid] = (INVALID_GREY, INVALID_GREY, INVALID_GREY, 1)
    axes.imshow(cover, extent=extent, interpolation="nearest")
    left, right, bottom, top = extent
    # Bounds of the hatched area may be coarse, as the grey below has the exact ones.
    step = max(max(invalid.shape) // 400, 1)
    coarse = np.pad(invalid[::step, ::step], 1, mode="edge").astype(float)
    rows, columns = np.array(coarse.shape) - 2
    axes.contourf(
        left + (np.arange(columns + 2) - 0.5) * (right - left) / columns,
        top + (np.arange(rows + 2) - 0.5) * (bottom - top) / rows,
        coarse,
        levels=[0.5, 1.5],
        colors="none",
        hatches=["////"],
    )


def _mark_sites(axes, sites, *, side_mm):
    # Marks shrink where there are many, so that they cover a tenth of the image at most.
    points2 = math.prod(side_mm) * (72 / style.MM_PER_INCH) ** 2
    size = float(np.clip(0.1 * points2 / max(len(sites), 1), 3, 40))
    linewidth = 0.9 if size > 10 else 0.6
    for label in reversed(style.LABEL_ORDER):
        chosen = sites[sites["class"] == label]
        # A light rim under the coloured line keeps it visible on black and on grey.
        for colour, extra in (("white", 1.0), (style.COLOURS[label], 0)):
            axes.scatter(
                chosen["x_px"],
                chosen["y_px"],
                s=size,
                marker=style.MARKERS[label],
                facecolors="none",
                edgecolors=colour,
                linewidths=linewidth + extra,
                rasterized=len(sites) > _MOST_VECTOR_MARKS,
                zorder=4,
            )


def _name_sites(axes, sites, *, mm_per_px):
    """Write the `site_id` beside the largest sites, where no other number stands."""
    taken = np.zeros((0, 2))
    right, bottom = axes.get_images()[0].get_extent()[1:3]
    for site in sites.sort_values("area_um2", ascending=False, kind="stable").itertuples():
        if len(taken) == _MOST_NAMED:
            break
        text = str(site.site_id)
        width, place = _DIGIT_MM * len(text) + 2, np.array([site.x_px, site.y_px]) * mm_per_px
        apart = np.abs(taken - place)
        if ((apart[:, 0] < 2 * width) & (apart[:, 1] < _NAME_MM)).any():
            continue
        inside = site.x_px * mm_per_px + width < right * mm_per_px
        above = _NAME_MM < place[1] < bottom * mm_per_px - _NAME_MM
        if not (inside and above):
            continue
        taken = np.vstack([taken, place])
        axes.annotate(
            text,
            (site.x_px, site.y_px),
            xytext=(3, 2),
            textcoords="offset points",
            fontsize=7,
            color="white",
            path_effects=[withStroke(linewidth=1.6, foreground="black")],
            zorder=5,
        )


def _legend_handles(sites, *, with_invalid):
    counts = sites["class"].value_counts()
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=style.MARKERS[label],
            markerfacecolor="none",
            markeredgecolor=style.COLOURS[label],
            markersize=5,
            label=f"{style.shown(label)} {counts.get(label, 0)}",
        )
        for label in style.LABEL_ORDER
    ]
    if with_invalid:
        handles.append(
            Patch(facecolor=str(INVALID_GREY), edgecolor="black", hatch="////", label="not valid")
        )
    return handles
