"""Where a panorama carries no noise: uniform squares and uniform runs along its border."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy import ndimage

from damascene.images.store import TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX, tile_windows

#: JPEG leaves this much around the grey of an empty area.
TOLERANCE = 2
#: Pixels from here on are saturated: JPEG leaves them a little below 255.
SATURATED_GREY = 253
#: Edge of the blocks that are measured.
BLOCK_PX = 8


@dataclass(frozen=True)
class Extremes:
    """Lowest and highest grey by block, and both along each border by pixel, as uint8.

    Where a block or pixel is not covered by an image these are 0 and 255. `saturated` counts the
    saturated pixels of each block; blocks that the panorama cuts count what continues their edge.
    """

    lowest: np.ndarray
    highest: np.ndarray
    saturated: np.ndarray
    borders: dict[str, tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class UniformAreas:
    """Middles of uniform squares (bool by block) and of runs along borders (bool by pixel)."""

    squares: np.ndarray
    borders: dict[str, np.ndarray]


def measure_extremes(image: TiledImage, cover: TiledImage | None, *, threads: int) -> Extremes:
    """Read a panorama once and return how uniform each block and each border pixel is.

    Parameters
    ----------
    image : TiledImage
    cover : TiledImage or None
        255 where there is an image, else 0; None for an image everywhere.
    threads : int
    """
    shape = tuple(-(-length // BLOCK_PX) for length in image.shape)
    lowest, highest, saturated = (np.empty(shape, np.uint8) for _ in range(3))

    def work(window):
        pixels = image.read(window)
        place = tuple(
            slice(start // BLOCK_PX, -(-stop // BLOCK_PX))
            for start, stop in ((window.top, window.bottom), (window.left, window.right))
        )
        lowest[place] = _reduced(np.minimum, pixels)
        highest[place] = _reduced(np.maximum, pixels)
        saturated[place] = _reduced(np.add, (pixels >= SATURATED_GREY).view(np.uint8))
        if cover is not None:
            outside = _reduced(np.minimum, cover.read(window)) == 0
            lowest[place][outside] = 0
            highest[place][outside] = 255

    windows = chain.from_iterable(tile_windows(image.shape, tile_px=DEFAULT_TILE_PX))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(work, windows))
    return Extremes(lowest, highest, saturated, _border_lines(image, cover))


def find_uniform_areas(extremes: Extremes, *, square_px: float, border_px: float) -> UniformAreas:
    """Find squares and runs along the border whose greys stay within twice the tolerance.

    Parameters
    ----------
    extremes : Extremes
    square_px : float
        Every uniform square of this size is found, wherever it lies; the smallest found may be two
        blocks smaller.
    border_px : float
        Length of the runs.
    """
    # As many whole blocks fit into any square of the asked size.
    blocks = max(int(square_px // BLOCK_PX) - 1, 1)
    return UniformAreas(
        squares=_uniform_middles(extremes.lowest, extremes.highest, blocks),
        borders={
            name: _uniform_middles(*line, int(border_px)) for name, line in extremes.borders.items()
        },
    )


def in_rectangles(extremes: Extremes, squares: np.ndarray, *, proportion: float) -> np.ndarray:
    """Say which uniform squares lie in a rectangle of uniform blocks.

    Bright or dark pixels of the picture that touch the rectangle spoil its outline, but not that
    of the whole blocks in it.

    Parameters
    ----------
    extremes : Extremes
    squares : numpy.ndarray of bool, shape (block rows, block columns)
    proportion : float
        Least part of its bounding box that a rectangle fills.
    """
    groups, count = ndimage.label(_is_uniform(extremes.lowest, extremes.highest))
    sides = [[side.stop - side.start for side in place] for place in ndimage.find_objects(groups)]
    areas = np.bincount(groups.ravel(), minlength=count + 1)
    rectangle = areas[1:] >= proportion * np.prod(np.reshape(sides, (-1, 2)), axis=1)
    return squares & np.concatenate([[False], rectangle])[groups]


def greys_of(extremes: Extremes, places: UniformAreas) -> list[int]:
    """Return the greys of uniform places, the commonest first, none within the tolerance of two."""
    found = [extremes.lowest[places.squares]]
    found += [extremes.borders[name][0][uniform] for name, uniform in places.borders.items()]
    counts = np.bincount(np.concatenate(found), minlength=256)
    greys = []
    for grey in np.argsort(-counts, kind="stable"):
        if counts[grey] and all(abs(int(grey) - other) > TOLERANCE for other in greys):
            greys.append(int(grey))
    return greys


def _reduced(operation, pixels):
    missing = [-length % BLOCK_PX for length in pixels.shape]
    if any(missing):
        pixels = np.pad(pixels, [(0, length) for length in missing], mode="edge")
    rows = operation.reduce(pixels.reshape(-1, BLOCK_PX, pixels.shape[1]), axis=1, dtype=np.uint8)
    return operation.reduce(rows.reshape(len(rows), -1, BLOCK_PX), axis=2, dtype=np.uint8)


def _border_lines(image, cover):
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


def _uniform_middles(low, high, size):
    """Say around which elements a square or run of `size` is uniform and inside the panorama."""
    return _is_uniform(
        ndimage.minimum_filter(low, size, mode="constant", cval=0),
        ndimage.maximum_filter(high, size, mode="constant", cval=255),
    )


def _is_uniform(lowest, highest):
    return highest - lowest <= 2 * TOLERANCE
