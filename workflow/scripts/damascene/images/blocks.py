"""Work on an image by blocks of a fixed grid, so that the result has no seams.

The grid cuts a panorama every 512 pixels, counted from its upper left corner. It is a property of
the panorama: results depend on neither the strips of a study nor the number of threads.
"""

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
    """Apply a function that is not local to overlapping blocks, and yield their blend as strips.

    The blocks reach 32 pixels over each cut; see `mixed_blocks`.

    Parameters
    ----------
    function : callable
        Takes uint8 (rows, columns), returns float of the same shape.
    image : TiledImage
    threads, strip
        See `mixed_blocks`.

    Yields
    ------
    numpy.ndarray, uint8, shape (up to 544, width)
    """
    strips = mixed_blocks(
        lambda window: function(image.read(window)), image.shape, threads=threads, strip=strip
    )
    yield from map(to_grey, strips)


def mixed_blocks(
    work: Callable[[Window], np.ndarray],
    shape: tuple[int, int],
    *,
    channels: int | None = None,
    block_px: int = BLOCK_PX,
    overlap_px: int = OVERLAP_PX,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Work on the blocks of a panorama and yield what becomes of them as strips of full width.

    Where blocks overlap, their results are mixed with weights that run linearly from 0 to 1.

    Parameters
    ----------
    work : callable
        Takes the window of a block, returns float (rows, columns[, channels]) for it.
    shape : (int, int)
        Rows and columns of the panorama.
    channels : int, optional
        Length of the last axis of the results; without it they have two axes.
    block_px : int, optional
        Distance of the cuts.
    overlap_px : int, optional
        How far a block reaches over each cut, less than half a block; with 0 nothing is mixed.
    threads : int, optional
        Blocks worked on at the same time.
    strip : (int, int), optional
        Which part of the rows of blocks, see `tiles.strip_slice`; all of them if not given. Where
        blocks overlap, the row of blocks above is worked on as well, for what it leaves in the
        first overlap.

    Yields
    ------
    numpy.ndarray, float32, shape (up to block_px + overlap_px, width[, channels])
    """
    rows, columns = shape
    deeper = () if channels is None else (channels,)

    def weighted(window):
        weights = np.outer(
            _weights(window.top, window.bottom, rows, overlap_px=overlap_px),
            _weights(window.left, window.right, columns, overlap_px=overlap_px),
        )
        return weights.reshape(*weights.shape, *(1 for _ in deeper)) * work(window)

    grid = {"block_px": block_px, "overlap_px": overlap_px}
    carried = np.zeros((0, columns, *deeper), np.float32)
    extents = _extents(rows, **grid)
    own = strip_slice(len(extents), strip=strip)
    first = max(own.start - (overlap_px > 0), 0) if own.start < own.stop else own.stop
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for index in range(first, own.stop):
            top, bottom = extents[index]
            windows = [
                Window(top=top, left=left, bottom=bottom, right=right)
                for left, right in _extents(columns, **grid)
            ]
            mixed = np.zeros((bottom - top, columns, *deeper), np.float32)
            mixed[: len(carried)] = carried
            # In the order of the blocks, whichever is done first: sums of floats depend on it.
            for window, block in zip(windows, pool.map(weighted, windows), strict=True):
                mixed[:, window.left : window.right] += block
            done = len(mixed) if bottom == rows else len(mixed) - 2 * overlap_px
            carried = mixed[done:]
            if index >= own.start:
                yield mixed[:done]


def block_rows(height: int, *, strip: tuple[int, int], overlap_px: int = OVERLAP_PX) -> list[int]:
    """Return the rows that each strip of `mixed_blocks` has, of a panorama of this height."""
    bottoms = [bottom for _, bottom in _extents(height, block_px=BLOCK_PX, overlap_px=overlap_px)]
    cuts = [0, *(bottom - 2 * overlap_px for bottom in bottoms[:-1]), height]
    return np.diff(cuts).tolist()[strip_slice(len(bottoms), strip=strip)]


def to_grey(values: np.ndarray) -> np.ndarray:
    """Return values rounded to the nearest grey level, cut at 0 and 255, as uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def read_mirrored(image: TiledImage, window: Window) -> np.ndarray:
    """Return the pixels of a window that may leave the image, which is mirrored at its borders.

    The pixels at the border themselves are not repeated, so that noise beyond it is as grained as
    within.

    Returns
    -------
    numpy.ndarray, uint8, shape of the window
    """
    inside = Window(
        top=max(window.top, 0),
        left=max(window.left, 0),
        bottom=min(window.bottom, image.shape[0]),
        right=min(window.right, image.shape[1]),
    )
    if inside == window:
        return image.read(window)
    rows = _mirrored(window.top, window.bottom, image.shape[0])
    columns = _mirrored(window.left, window.right, image.shape[1])
    source = Window(
        top=int(rows.min()),
        left=int(columns.min()),
        bottom=int(rows.max()) + 1,
        right=int(columns.max()) + 1,
    )
    return image.read(source)[np.ix_(rows - source.top, columns - source.left)]


def _mirrored(start, stop, length):
    """Return where each position from start to stop lies in a mirrored axis of this length."""
    period = max(2 * (length - 1), 1)
    position = np.arange(start, stop) % period
    return np.minimum(position, period - position) if length > 1 else np.zeros_like(position)


def _extents(length, *, block_px, overlap_px):
    # A remainder that the overlap would swallow belongs to the block before it.
    count = max((length - overlap_px - 1) // block_px, 0) + 1
    return [
        (
            max(index * block_px - overlap_px, 0),
            length if index == count - 1 else (index + 1) * block_px + overlap_px,
        )
        for index in range(count)
    ]


def _weights(start, stop, length, *, overlap_px):
    """Return the weight of each row (or column) of a block; over all blocks they add up to 1."""
    weights = np.ones(stop - start, np.float32)
    ramp = ((np.arange(2 * overlap_px) + 0.5) / max(2 * overlap_px, 1)).astype(np.float32)
    if start > 0:
        weights[: len(ramp)] = ramp
    if stop < length:
        weights[len(weights) - len(ramp) :] = ramp[::-1]
    return weights
