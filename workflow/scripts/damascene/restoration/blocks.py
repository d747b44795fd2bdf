"""Apply a function that is not local block by block, so that the result has no seams."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from damascene.images.store import TiledImage, Window
from damascene.images.tiles import WHOLE, strip_slice

BLOCK_PX = 512
OVERLAP_PX = 32


def blend_blocks(
    function: Callable[[np.ndarray], np.ndarray],
    image: TiledImage,
    *,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Apply a function to overlapping blocks and yield their blend as strips over the full width.

    The blocks cut the panorama every 512 pixels, counted from its upper left corner, and reach 32
    pixels over each cut; across these 64 pixels their results are mixed with weights that run
    linearly from 0 to 1. The blocks are a property of the panorama: the result depends on neither
    the tile size nor the number of threads.

    Parameters
    ----------
    function : callable
        Takes uint8 (rows, columns), returns float of the same shape.
    image : TiledImage
    threads : int, optional
        Blocks worked on at the same time.
    strip : (int, int), optional
        Which part of the rows of blocks, see `tiles.strip_slice`; all of them if not given. The row
        of blocks above is worked on as well, for what it leaves in the first overlap.

    Yields
    ------
    numpy.ndarray, uint8, shape (up to 544, width)
    """
    rows, columns = image.shape

    def work(window):
        weights = np.outer(
            _weights(window.top, window.bottom, rows), _weights(window.left, window.right, columns)
        )
        return weights * function(image.read(window))

    carried = np.zeros((0, columns), np.float32)
    extents = _extents(rows)
    own = strip_slice(len(extents), strip=strip)
    first = max(own.start - 1, 0) if own.start < own.stop else own.stop
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for index in range(first, own.stop):
            top, bottom = extents[index]
            windows = [
                Window(top=top, left=left, bottom=bottom, right=right)
                for left, right in _extents(columns)
            ]
            mixed = np.zeros((bottom - top, columns), np.float32)
            mixed[: len(carried)] = carried
            # In the order of the blocks, whichever is done first: sums of floats depend on it.
            for window, block in zip(windows, pool.map(work, windows), strict=True):
                mixed[:, window.left : window.right] += block
            done = len(mixed) if bottom == rows else len(mixed) - 2 * OVERLAP_PX
            if index >= own.start:
                yield to_grey(mixed[:done])
            carried = mixed[done:]


def block_rows(height: int, *, strip: tuple[int, int]) -> list[int]:
    """Return the rows that each strip of `blend_blocks` has, of a panorama of this height."""
    bottoms = [bottom for _, bottom in _extents(height)]
    cuts = [0, *(bottom - 2 * OVERLAP_PX for bottom in bottoms[:-1]), height]
    return np.diff(cuts).tolist()[strip_slice(len(bottoms), strip=strip)]


def to_grey(values: np.ndarray) -> np.ndarray:
    """Return values rounded to the nearest grey level, cut at 0 and 255, as uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _extents(length):
    # A remainder that the overlap would swallow belongs to the block before it.
    count = max((length - OVERLAP_PX - 1) // BLOCK_PX, 0) + 1
    return [
        (
            max(index * BLOCK_PX - OVERLAP_PX, 0),
            length if index == count - 1 else (index + 1) * BLOCK_PX + OVERLAP_PX,
        )
        for index in range(count)
    ]


def _weights(start, stop, length):
    """Return the weight of each row (or column) of a block; over all blocks they add up to 1."""
    weights = np.ones(stop - start, np.float32)
    ramp = ((np.arange(2 * OVERLAP_PX) + 0.5) / (2 * OVERLAP_PX)).astype(np.float32)
    if start > 0:
        weights[: len(ramp)] = ramp
    if stop < length:
        weights[-len(ramp) :] = ramp[::-1]
    return weights
