"""Work on an image tile by tile, with a halo so that the result does not depend on the tiles."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from damascene.images.store import TiledImage, Window

DEFAULT_TILE_PX = 2048


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


def map_tiles(
    function: Callable[[np.ndarray], np.ndarray],
    image: TiledImage,
    *,
    halo_px: int,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
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

    Yields
    ------
    numpy.ndarray, uint8, shape (up to tile_px, width)
    """

    def work(window):
        outer = window.grown(margin=halo_px, within=image.shape)
        return function(image.read(outer))[window.slices(origin=outer)]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        for windows in tile_windows(image.shape, tile_px=tile_px):
            yield np.concatenate(list(pool.map(work, windows)), axis=1)
