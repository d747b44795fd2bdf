"""Areas of one grey that are no picture: margins and gaps that stitching left in an image.

Every real pixel carries noise, so an area without any is either empty or clipped at black or white.
Clipped are the inside of cavities and charging; what tells an empty area from these is its size,
how far it runs along the border of the panorama, and straight edges.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from damascene.images.store import TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX, tile_windows

#: An area of one grey that takes in a square of this size is blank. The clipped inside of the
#: largest inclusions (20 x 30 µm) takes in a square of 17 µm.
SQUARE_UM = 32.0
#: So is one that covers the border of the panorama without a break over this length: an
#: inclusion that the border cuts is shorter.
BORDER_UM = 40.0
#: So is a rectangle of this length: cavities have no straight edges.
RECTANGLE_UM = 4.0
_RECTANGLE_SHARE = 0.98
_RECTANGLE_LEAST_WIDTH_PX = 4
# Rectangles are looked for where there is a run of their length along the border or a square of
# this size.
_RECTANGLE_SQUARE_UM = 8.0
# At a coarse pixel size lengths in µm would be too few pixels to tell noise from none.
_LEAST_SQUARE_PX, _LEAST_BORDER_PX, _LEAST_RECTANGLE_PX = 128, 128, 64
# JPEG leaves this much around the grey of an empty area.
_TOLERANCE = 2
_JPEG_BLOCK_PX = 8
_RINGING_GREY = 24
_BLOCK_PX = 16
#: Height of the strips in which areas are traced; a multiple of the block.
STRIP_ROWS = 512


@dataclass(frozen=True)
class BlankArea:
    """The blank area of a panorama, which strips of `STRIP_ROWS` rows ask for their part.

    `labels` holds the numbers of the blank parts by grey and by first row of the strip, as
    `scipy.ndimage.label` gives them to the pixels of that grey.
    """

    labels: dict[int, dict[int, np.ndarray]]

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
                if grey <= _TOLERANCE:
                    area |= _ringing(pixels, area)
                blank |= area
        return blank


@dataclass(frozen=True)
class _Flat:
    """Middles of flat squares (by block) and of flat runs along the four borders (by pixel)."""

    squares: np.ndarray
    borders: dict[str, np.ndarray]


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
    image: TiledImage, cover: TiledImage | None = None, *, threads: int = 1
) -> BlankArea:
    """Find the areas of a panorama that hold no picture.

    Such an area is a group of 4-connected pixels whose grey differs by at most 2 from that of
    the filling (any grey from black to white), and

    - takes in a square of `SQUARE_UM` x `SQUARE_UM`,
    - or covers `BORDER_UM` of the panorama's border without a break,
    - or is a rectangle along the axes, at least `RECTANGLE_UM` long and 4 pixels wide (98 % of
      its bounding box).

    Its edges are exact to the pixel, but for pixels of the picture that happen to have its grey.
    The panorama is read once if it has no such area and twice if it has.

    Parameters
    ----------
    image : TiledImage
        The panorama at full size.
    cover : TiledImage, optional
        255 where there is an image, else 0; what lies outside is not looked at.
    threads : int, optional
        No effect on the result.

    Returns
    -------
    BlankArea
    """
    pixel_um = image.pixel_size_nm / 1000
    lowest, highest = _block_extremes(image, cover, threads=threads)
    lines = _border_lines(image, cover)
    suspects = _find_flat(
        lowest,
        highest,
        lines,
        square_px=max(_RECTANGLE_SQUARE_UM / pixel_um, _LEAST_RECTANGLE_PX),
        border_px=max(RECTANGLE_UM / pixel_um, _LEAST_RECTANGLE_PX),
    )
    certain = _find_flat(
        lowest,
        highest,
        lines,
        square_px=max(SQUARE_UM / pixel_um, _LEAST_SQUARE_PX),
        border_px=max(BORDER_UM / pixel_um, _LEAST_BORDER_PX),
    )
    greys = _filling_greys(suspects, lowest, lines)
    if not greys:
        return BlankArea({})
    certain.squares[_in_rectangles(lowest, highest, suspects.squares)] = True
    rectangle_px = max(RECTANGLE_UM / pixel_um, _LEAST_RECTANGLE_PX)
    strips = list(
        _trace_strips(image, cover, greys, certain, least_px=rectangle_px, threads=threads)
    )
    return BlankArea(
        {
            grey: _blank_labels([parts[grey] for parts in strips], rectangle_px=rectangle_px)
            for grey in greys
        }
    )


def _block_extremes(image, cover, *, threads):
    """Lowest and highest grey of each block, 0 and 255 where a part of it is not covered."""
    shape = tuple(-(-length // _BLOCK_PX) for length in image.shape)
    lowest, highest = np.empty(shape, np.uint8), np.empty(shape, np.uint8)

    def work(window):
        pixels = image.read(window)
        place = tuple(
            slice(start // _BLOCK_PX, -(-stop // _BLOCK_PX))
            for start, stop in ((window.top, window.bottom), (window.left, window.right))
        )
        lowest[place] = _reduced(np.minimum, pixels)
        highest[place] = _reduced(np.maximum, pixels)
        if cover is not None:
            outside = _reduced(np.minimum, cover.read(window)) == 0
            lowest[place][outside] = 0
            highest[place][outside] = 255

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(
            pool.map(work, chain.from_iterable(tile_windows(image.shape, tile_px=DEFAULT_TILE_PX)))
        )
    return lowest, highest


def _reduced(extreme, pixels):
    missing = [-length % _BLOCK_PX for length in pixels.shape]
    if any(missing):
        pixels = np.pad(pixels, [(0, length) for length in missing], mode="edge")
    rows = extreme.reduce(pixels.reshape(-1, _BLOCK_PX, pixels.shape[1]), axis=1)
    return extreme.reduce(rows.reshape(len(rows), -1, _BLOCK_PX), axis=2)


def _border_lines(image, cover):
    """Lowest and highest possible grey along each border, 0 and 255 where it is not covered."""
    rows, columns = image.shape
    windows = {
        "top": Window(top=0, left=0, bottom=1, right=columns),
        "bottom": Window(top=rows - 1, left=0, bottom=rows, right=columns),
        "left": Window(top=0, left=0, bottom=rows, right=1),
        "right": Window(top=0, left=columns - 1, bottom=rows, right=columns),
    }
    lines = {}
    for name, window in windows.items():
        line = image.read(window).ravel()
        low, high = line.copy(), line.copy()
        if cover is not None:
            outside = cover.read(window).ravel() == 0
            low[outside], high[outside] = 0, 255
        lines[name] = low, high
    return lines


def _find_flat(lowest, highest, lines, *, square_px, border_px):
    # A square of this many blocks fits into any square of the asked size, wherever it lies.
    blocks = max(int(square_px // _BLOCK_PX) - 1, 1)
    return _Flat(
        squares=_flat_middles(lowest, highest, blocks),
        borders={name: _flat_middles(*line, int(border_px)) for name, line in lines.items()},
    )


def _flat_middles(low, high, size):
    """Say around which elements a square (or run) of `size` stays within the tolerance."""
    lowest = ndimage.minimum_filter(low, size, mode="constant", cval=0)
    highest = ndimage.maximum_filter(high, size, mode="constant", cval=255)
    return highest - lowest <= 2 * _TOLERANCE


def _filling_greys(suspects, lowest, lines):
    """Return the greys of flat places, the commonest first, none within the tolerance of two."""
    found = [lowest[suspects.squares]]
    found += [lines[name][0][flat] for name, flat in suspects.borders.items()]
    counts = np.bincount(np.concatenate(found), minlength=256)
    greys = []
    for grey in np.argsort(-counts, kind="stable"):
        if counts[grey] and all(abs(int(grey) - other) > _TOLERANCE for other in greys):
            greys.append(int(grey))
    return greys


def _in_rectangles(lowest, highest, squares):
    """Say which of the flat squares lie in a rectangle of flat blocks.

    Bright or dark pixels of the picture that touch the rectangle spoil its outline, but not that
    of the whole blocks in it.
    """
    groups, count = ndimage.label(highest - lowest <= 2 * _TOLERANCE)
    sides = [[side.stop - side.start for side in place] for place in ndimage.find_objects(groups)]
    areas = np.bincount(groups.ravel(), minlength=count + 1)
    rectangle = areas[1:] >= _RECTANGLE_SHARE * np.prod(np.reshape(sides, (-1, 2)), axis=1)
    return squares & np.concatenate([[False], rectangle])[groups]


def _parts(pixels, inside, grey):
    """Return the numbers of the connected parts of one grey, and how many there are."""
    mask = (pixels >= max(grey - _TOLERANCE, 0)) & (pixels <= min(grey + _TOLERANCE, 255))
    if inside is not None:
        mask &= inside
    return ndimage.label(mask)


def _ringing(pixels, area):
    """Return the dark pixels that JPEG scattered around the edges of a black area.

    They would pass for dark sites. JPEG confines them to blocks that the edge crosses.
    """
    rows, columns = pixels.shape
    around = np.pad(area, [(0, -rows % _JPEG_BLOCK_PX), (0, -columns % _JPEG_BLOCK_PX)])
    shape = (len(around) // _JPEG_BLOCK_PX, _JPEG_BLOCK_PX, -1, _JPEG_BLOCK_PX)
    touched = ndimage.binary_dilation(around.reshape(shape).any(axis=(1, 3)))
    near = touched.repeat(_JPEG_BLOCK_PX, axis=0).repeat(_JPEG_BLOCK_PX, axis=1)
    return near[:rows, :columns] & (pixels <= _RINGING_GREY)


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
    """Return the labels of a strip's parts at the middles of flat squares and runs."""
    height = len(parts)
    blocks = certain.squares[top // _BLOCK_PX : -(-(top + height) // _BLOCK_PX)]
    found = [parts[::_BLOCK_PX, ::_BLOCK_PX][blocks]]
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
    position = np.full(len(known), -1)
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
        (areas >= _RECTANGLE_SHARE * sides.prod(axis=1))
        & (sides.max(axis=1) >= rectangle_px)
        & (sides.min(axis=1) >= _RECTANGLE_LEAST_WIDTH_PX)
    )
    blank = (known | rectangle)[whole]
    return {
        index * STRIP_ROWS: strip.labels[chosen]
        for index, strip in enumerate(strips)
        if (chosen := blank[starts[index] : starts[index + 1]]).any()
    }
