"""Work on an image tile by tile, with a halo so that the result does not depend on the tiles."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from damascene.images.store import TiledImage, Window

DEFAULT_TILE_PX = 2048
#: The only strip: a panorama that is not divided among jobs.
WHOLE = (0, 1)


def tile_windows(shape: tuple[int, int], *, tile_px: int) -> list[list[Window]]:
    """Cut an image into rows of tiles, from top to bottom and left to right."""
    rows, columns = shape
    return [
        [
            Window(
                top=top,
                left=left,
                bottom=min(top + tile_px, rows),
                right=min(left + tile_px, columns),
            )
            for left in range(0, columns, tile_px)
        ]
        for top in range(0, rows, tile_px)
    ]


def strip_slice(count: int, *, strip: tuple[int, int], step: int = 1) -> slice:
    """Return the things that belong to one of several jobs that share a list.

    Parameters
    ----------
    count : int
        Length of the list.
    strip : (int, int)
        Number of the job, from 0, and how many there are.
    step : int, optional
        Strips begin at multiples of it.

    Returns
    -------
    slice
        Together the strips are the list, in order; they differ by no more than `step`. Some are
        empty if there are more jobs than steps.
    """
    number, jobs = strip
    steps = -(-count // step)
    start, stop = (steps * edge // jobs * step for edge in (number, number + 1))
    return slice(min(start, count), min(stop, count))


def map_tiles(
    function: Callable[[np.ndarray], np.ndarray],
    image: TiledImage,
    *,
    halo_px: int,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Apply a local function to tiles and yield the result as strips over the full width.

    Parameters
    ----------
    function : callable
        Takes uint8 (rows, columns), returns the same shape. A pixel of its result may depend on
        pixels at most `halo_px` away; then the strips equal the function of the whole image.
    image : TiledImage
    halo_px : int
        Pixels read around each tile and cut off from the result.
    tile_px : int, optional
        Edge of a tile.
    threads : int, optional
        Tiles worked on at the same time.
    strip : (int, int), optional
        Which part of the rows of tiles, see `strip_slice`; all of them if not given.

    Yields
    ------
    numpy.ndarray, uint8, shape (up to tile_px, width)
    """

    def work(window):
        outer = window.grown(margin=halo_px, within=image.shape)
        return function(image.read(outer))[window.slices(origin=outer)]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        rows = tile_windows(image.shape, tile_px=tile_px)
        for windows in rows[strip_slice(len(rows), strip=strip)]:
            yield np.concatenate(list(pool.map(work, windows)), axis=1)
