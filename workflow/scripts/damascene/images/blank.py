"""Areas of one grey that are not steel: margins and gaps that stitching left in an image.

Every real pixel carries noise, so an area without any is either empty or clipped at black or white.
Clipped are the inside of cavities and charging; what tells an empty area from these is its size,
how far it runs along the border of the panorama, and straight edges.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from damascene.images.store import TiledImage, Window
from damascene.images.uniform_areas import (
    BLOCK_PX,
    TOLERANCE,
    Extremes,
    find_uniform_areas,
    greys_of,
    in_rectangles,
)

#: An area of one grey that takes in a square of this size is blank. The clipped inside of the
#: largest inclusions (20 x 30 µm) takes in a square of 17 µm.
SQUARE_UM = 32.0
#: So is one that covers the border of the panorama without a break over this length: an
#: inclusion that the border cuts is shorter.
BORDER_UM = 40.0
#: So is a rectangle of this length: cavities have no straight edges.
RECTANGLE_UM = 4.0
_RECTANGLE_PROPORTION = 0.98
_RECTANGLE_LEAST_WIDTH_PX = 4
# Rectangles are looked for where there is a run of their length along the border or a square of
# this size.
_RECTANGLE_SQUARE_UM = 8.0
# At a coarse pixel size lengths in µm would be too few pixels to tell noise from none.
_LEAST_SQUARE_PX, _LEAST_BORDER_PX, _LEAST_RECTANGLE_PX = 128, 128, 64
# JPEG scatters dark pixels around the edges of a black area, which would pass for dark sites.
# Connected pixels are black up to the first grey; in uneven blocks, and those beside them, up to
# the second.
_BLACK_UP_TO, _RINGING_UP_TO = 8, 24
_JPEG_BLOCK_PX = 8
#: Height of the strips in which areas are traced; a multiple of the block.
STRIP_ROWS = 512


@dataclass(frozen=True)
class BlankArea:
    """The blank area of a panorama, which strips of `STRIP_ROWS` rows ask for their part.

    `labels` holds the numbers of the blank parts by grey and by first row of the strip, as
    `scipy.ndimage.label` gives them to the pixels of that grey.
    """

    labels: dict[int, dict[int, np.ndarray]]

    def reaches(self, top: int) -> bool:
        """Say whether any pixel of the strip that begins at row `top` is blank."""
        return any(top in by_strip for by_strip in self.labels.values())

    def in_strip(self, pixels: np.ndarray, inside: np.ndarray | None, *, top: int) -> np.ndarray:
        """Return which pixels of a strip are blank.

        Parameters
        ----------
        pixels : numpy.ndarray, uint8, shape (rows, width)
            Grey values of the strip that begins at row `top`.
        inside : numpy.ndarray of bool, same shape, or None
            Where there is an image; None for everywhere.
        top : int
            A multiple of `STRIP_ROWS`.

        Returns
        -------
        numpy.ndarray of bool, same shape
        """
        blank = np.zeros(pixels.shape, bool)
        for grey, by_strip in self.labels.items():
            if top in by_strip:
                parts, count = _parts(pixels, inside, grey)
                chosen = np.zeros(count + 1, bool)
                chosen[by_strip[top]] = True
                area = chosen[parts]
                if _is_black(grey):
                    area |= _ringing(pixels, area & (pixels != grey))
                blank |= area
        return blank


@dataclass(frozen=True)
class _StripParts:
    """Connected parts of one grey in a strip, as far as they may be or continue a blank area.

    Of each part: its label in the strip, area, bounds in the panorama (top, left, bottom, right)
    and whether it is known to be blank. `first` and `last` hold, for the first and the last row of
    the strip, the position of the part in these arrays or -1.
    """

    labels: np.ndarray
    areas: np.ndarray
    bounds: np.ndarray
    known: np.ndarray
    first: np.ndarray
    last: np.ndarray


def find_blank_area(
    image: TiledImage, cover: TiledImage | None, extremes: Extremes, *, threads: int = 1
) -> BlankArea:
    """Find the areas of a panorama that hold no picture.

    Such an area is a group of 4-connected pixels whose grey differs by at most 2 from that of
    the filling (any grey from black to white), and

    - takes in a square of `SQUARE_UM` x `SQUARE_UM`,
    - or covers `BORDER_UM` of the panorama's border without a break,
    - or is a rectangle along the axes, at least `RECTANGLE_UM` long and 4 pixels wide (98 % of
      its bounding box).

    Its edges are exact to the pixel, except where pixels of the picture happen to have its grey.
    The panorama is only read if there are suspicious places.

    Parameters
    ----------
    image : TiledImage
        The panorama at full size.
    cover : TiledImage or None
        255 where there is an image, else 0, which is ignored; None for an image everywhere.
    extremes : Extremes
        Of the panorama, by `uniform_areas.measure_extremes`.
    threads : int, optional
        No effect on the result.

    Returns
    -------
    BlankArea
    """
    pixel_um = image.pixel_size_nm / 1000
    rectangle_px = max(RECTANGLE_UM / pixel_um, _LEAST_RECTANGLE_PX)
    suspects = find_uniform_areas(
        extremes,
        square_px=max(_RECTANGLE_SQUARE_UM / pixel_um, _LEAST_RECTANGLE_PX),
        border_px=rectangle_px,
    )
    greys = greys_of(extremes, suspects)
    if not greys:
        return BlankArea({})
    certain = find_uniform_areas(
        extremes,
        square_px=max(SQUARE_UM / pixel_um, _LEAST_SQUARE_PX),
        border_px=max(BORDER_UM / pixel_um, _LEAST_BORDER_PX),
    )
    filled = in_rectangles(extremes, suspects.squares, proportion=_RECTANGLE_PROPORTION)
    certain.squares[filled] = True
    strips = list(
        _trace_strips(image, cover, greys, certain, least_px=rectangle_px, threads=threads)
    )
    return BlankArea(
        {
            grey: _blank_labels([parts[grey] for parts in strips], rectangle_px=rectangle_px)
            for grey in greys
        }
    )


def _parts(pixels, inside, grey):
    """Return the numbers of the connected parts of one grey, and how many there are."""
    upper = _BLACK_UP_TO if _is_black(grey) else min(grey + TOLERANCE, 255)
    mask = (pixels >= max(grey - TOLERANCE, 0)) & (pixels <= upper)
    if inside is not None:
        mask &= inside
    return ndimage.label(mask)


def _is_black(grey):
    return grey <= TOLERANCE


def _ringing(pixels, uneven):
    """Return the dark pixels that JPEG scattered around the edges of a black area, if it did."""
    if not uneven.any():
        return uneven
    rows, columns = pixels.shape
    padded = np.pad(uneven, [(0, -rows % _JPEG_BLOCK_PX), (0, -columns % _JPEG_BLOCK_PX)])
    shape = (len(padded) // _JPEG_BLOCK_PX, _JPEG_BLOCK_PX, -1, _JPEG_BLOCK_PX)
    ringing = ndimage.binary_dilation(padded.reshape(shape).any(axis=(1, 3)))
    near = ringing.repeat(_JPEG_BLOCK_PX, axis=0).repeat(_JPEG_BLOCK_PX, axis=1)
    return near[:rows, :columns] & (pixels <= _RINGING_UP_TO)


def _trace_strips(image, cover, greys, certain, *, least_px, threads) -> Iterator[dict]:
    """Yield the parts of each grey in each strip, from top to bottom."""
    rows, columns = image.shape

    def work(top):
        window = Window(top=top, left=0, bottom=min(top + STRIP_ROWS, rows), right=columns)
        pixels = image.read(window)
        inside = None if cover is None else cover.read(window) > 0
        traced = {}
        for grey in greys:
            parts, count = _parts(pixels, inside, grey)
            known = np.zeros(count + 1, bool)
            known[_labels_at(certain, parts, top=top, image_rows=rows)] = True
            known[0] = False
            traced[grey] = _summarised(parts, known, top=top, least_px=least_px)
        return traced

    tops = range(0, rows, STRIP_ROWS)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for first in range(0, len(tops), threads):
            yield from pool.map(work, tops[first : first + threads])


def _labels_at(certain, parts, *, top, image_rows):
    """Return the labels of a strip's parts at the middles of uniform squares and runs."""
    height = len(parts)
    blocks = certain.squares[top // BLOCK_PX : -(-(top + height) // BLOCK_PX)]
    found = [parts[::BLOCK_PX, ::BLOCK_PX][blocks]]
    for name, column in (("left", 0), ("right", -1)):
        found.append(parts[certain.borders[name][top : top + height], column])
    if top == 0:
        found.append(parts[0, certain.borders["top"]])
    if top + height == image_rows:
        found.append(parts[-1, certain.borders["bottom"]])
    return np.concatenate(found)


def _summarised(parts, known, *, top, least_px):
    """Keep what is blank, may be a rectangle, or goes on in the strip above or below."""
    areas = np.bincount(parts.ravel(), minlength=len(known))
    kept = known | (areas >= least_px * _RECTANGLE_LEAST_WIDTH_PX)
    kept[parts[0]] = kept[parts[-1]] = True
    kept[0] = False
    labels = np.flatnonzero(kept)
    position = np.full(len(known), -1, np.int32)
    position[labels] = np.arange(len(labels))
    bounds = (
        [
            (top + rows.start, columns.start, top + rows.stop, columns.stop)
            for rows, columns in ndimage.find_objects((position + 1)[parts])
        ]
        if len(labels)
        else []
    )
    return _StripParts(
        labels=labels,
        areas=areas[labels],
        bounds=np.array(bounds, np.int64).reshape(-1, 4),
        known=known[labels],
        first=position[parts[0]],
        last=position[parts[-1]],
    )


def _blank_labels(strips, *, rectangle_px):
    """Join the parts of strips that touch and return the labels of the blank ones by first row."""
    starts = np.cumsum([0, *(len(strip.labels) for strip in strips)])
    pairs = [np.empty((0, 2), np.int64)]
    for index, (above, below) in enumerate(pairwise(strips)):
        both = (above.last >= 0) & (below.first >= 0)
        joined = [above.last[both] + starts[index], below.first[both] + starts[index + 1]]
        pairs.append(np.unique(np.stack(joined, axis=1), axis=0))
    one, other = np.concatenate(pairs).T
    graph = sparse.coo_array((np.ones(len(one), bool), (one, other)), shape=(starts[-1],) * 2)
    count, whole = csgraph.connected_components(graph, directed=False)

    areas = np.bincount(whole, np.concatenate([strip.areas for strip in strips]), minlength=count)
    known = np.zeros(count, bool)
    np.logical_or.at(known, whole, np.concatenate([strip.known for strip in strips]))
    bounds = np.concatenate([strip.bounds for strip in strips])
    start = np.full((count, 2), np.iinfo(np.int64).max)
    stop = np.zeros((count, 2), np.int64)
    np.minimum.at(start, whole, bounds[:, :2])
    np.maximum.at(stop, whole, bounds[:, 2:])
    sides = stop - start
    rectangle = (
        (areas >= _RECTANGLE_PROPORTION * sides.prod(axis=1))
        & (sides.max(axis=1) >= rectangle_px)
        & (sides.min(axis=1) >= _RECTANGLE_LEAST_WIDTH_PX)
    )
    blank = (known | rectangle)[whole]
    return {
        index * STRIP_ROWS: strip.labels[chosen]
        for index, strip in enumerate(strips)
        if (chosen := blank[starts[index] : starts[index + 1]]).any()
    }
