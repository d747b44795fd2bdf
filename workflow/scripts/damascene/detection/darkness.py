"""Which pixels of a panorama are dark: below a fixed grey, or far below their surroundings."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy import ndimage

from damascene.images.store import TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX, tile_windows

# Ferrite is the darker phase and more than a quarter of every dual-phase steel, so the lower
# quartile lies in it; the median would follow the local share of martensite.
_FERRITE_QUANTILE = 0.25
# Fewer valid pixels than this share of a block say too little about its surroundings.
_LEAST_VALID_SHARE = 0.25


@dataclass(frozen=True, kw_only=True)
class FixedThreshold:
    """Dark is a grey below (`inclusive`: not above) one value for the whole panorama."""

    grey: float
    inclusive: bool = False


@dataclass(frozen=True, kw_only=True)
class RelativeThreshold:
    """Dark is a grey below a fraction of the ferrite around it.

    `block_px` is the edge of the blocks in which the grey of the ferrite is taken: wider than the
    largest inclusion, narrower than the drift of the brightness.
    """

    fraction: float
    block_px: int


DarkRule = FixedThreshold | RelativeThreshold


@dataclass(frozen=True, kw_only=True)
class DarkPixels:
    """The dark pixels of a panorama in row-major order, as arrays of one length.

    `rows` and `columns` are int64, `greys` uint8; `beside_invalid` says whether one of the eight
    neighbours is invalid.
    """

    rows: np.ndarray
    columns: np.ndarray
    greys: np.ndarray
    beside_invalid: np.ndarray


def find_dark_pixels(
    image: TiledImage,
    valid: TiledImage,
    *,
    dark: DarkRule,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
) -> DarkPixels:
    """Return the valid pixels of a panorama that a rule calls dark.

    Parameters
    ----------
    image : TiledImage
        Grey values.
    valid : TiledImage
        255 where the panorama holds a measurement, 0 elsewhere; same shape.
    dark : FixedThreshold or RelativeThreshold
    tile_px : int, optional
        Edge of the tiles read at a time; no effect on the result.
    threads : int, optional
        Tiles worked on at the same time; no effect on the result.

    Returns
    -------
    DarkPixels
    """
    if isinstance(dark, RelativeThreshold):
        ferrite = ferrite_grey(image, valid, block_px=dark.block_px, threads=threads)
        brightest = dark.fraction * float(ferrite.max())
    else:
        ferrite = None
        # Greys are whole numbers, so "not above 20" is "below 20.5".
        brightest = np.floor(dark.grey) + 0.5 if dark.inclusive else dark.grey

    def work(window):
        pixels = image.read(window)
        around = window.grown(margin=1, within=image.shape)
        invalid = valid.read(around) == 0
        beside = np.zeros_like(invalid)
        is_dark = pixels < brightest
        if invalid.any():
            is_dark &= ~invalid[window.slices(origin=around)]
            beside = ndimage.binary_dilation(invalid, np.ones((3, 3)))
        row, column = np.nonzero(is_dark)
        if ferrite is not None:
            around_pixel = grey_at(
                ferrite, row + window.top, column + window.left, block_px=dark.block_px
            )
            below = pixels[row, column] < dark.fraction * around_pixel
            row, column = row[below], column[below]
        return (
            row + window.top,
            column + window.left,
            pixels[row, column],
            beside[window.slices(origin=around)][row, column],
        )

    with ThreadPoolExecutor(max_workers=threads) as pool:
        windows = chain.from_iterable(tile_windows(image.shape, tile_px=tile_px))
        rows, columns, greys, beside_invalid = (
            np.concatenate(part) for part in zip(*pool.map(work, windows), strict=True)
        )
    order = np.argsort(rows * image.shape[1] + columns, kind="stable")
    return DarkPixels(
        rows=rows[order],
        columns=columns[order],
        greys=greys[order],
        beside_invalid=beside_invalid[order],
    )


def ferrite_grey(
    image: TiledImage, valid: TiledImage, *, block_px: int, threads: int = 1
) -> np.ndarray:
    """Return the grey of the ferrite on a coarse grid: the lower quartile of each block.

    The grid of blocks is anchored at the upper left pixel. Blocks with few valid pixels take the
    value of the nearest block that has enough; a median over 3 x 3 blocks then keeps a block that
    one large inclusion fills from pulling the threshold down.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and 255 where they are valid; same shape.
    block_px : int
        Edge of a block.
    threads : int, optional
        Windows worked on at the same time; no effect on the result.

    Returns
    -------
    numpy.ndarray, float64, shape (block rows, block columns)
        All zero where not a single pixel is valid.
    """

    def work(window):
        pixels, inside = image.read(window), valid.read(window) > 0
        parts = [
            pixels[block.slices(origin=window)][inside[block.slices(origin=window)]]
            for block in _blocks(window, block_px)
        ]
        return [
            (part.size, np.quantile(part, _FERRITE_QUANTILE) if part.size else 0.0)
            for part in parts
        ]

    # Several blocks at a time, so that small blocks do not read every stored tile many times.
    window_px = block_px * max(1, DEFAULT_TILE_PX // block_px)
    windows = list(chain.from_iterable(tile_windows(image.shape, tile_px=window_px)))
    shape = (-(-image.shape[0] // block_px), -(-image.shape[1] // block_px))
    counts, greys = np.zeros(shape), np.zeros(shape)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for window, results in zip(windows, pool.map(work, windows), strict=True):
            for block, (count, grey) in zip(_blocks(window, block_px), results, strict=True):
                place = block.top // block_px, block.left // block_px
                counts[place], greys[place] = count, grey
    # A panorama smaller than a block has to make do with what it has.
    too_few = counts < min(_LEAST_VALID_SHARE * block_px**2, counts.max())
    nearest = ndimage.distance_transform_edt(too_few, return_distances=False, return_indices=True)
    return ndimage.median_filter(greys[tuple(nearest)], size=3, mode="nearest")


def _blocks(window, block_px):
    return [
        Window(
            top=window.top + block.top,
            left=window.left + block.left,
            bottom=window.top + block.bottom,
            right=window.left + block.right,
        )
        for block in chain.from_iterable(tile_windows(window.shape, tile_px=block_px))
    ]


def grey_at(
    greys: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, block_px: int
) -> np.ndarray:
    """Interpolate a grid of block greys bilinearly between the centres of the blocks.

    Parameters
    ----------
    greys : numpy.ndarray, float64, shape (block rows, block columns)
        As returned by `ferrite_grey`.
    rows, columns : numpy.ndarray, int64, shape (points,)
    block_px : int
        Edge of a block.

    Returns
    -------
    numpy.ndarray, float64, shape (points,)
        Outside the outermost centres the value of the nearest edge.
    """
    upper, lower, down = _between(rows, block_px=block_px, blocks=greys.shape[0])
    left, right, across = _between(columns, block_px=block_px, blocks=greys.shape[1])
    above = greys[upper, left] * (1 - across) + greys[upper, right] * across
    below = greys[lower, left] * (1 - across) + greys[lower, right] * across
    return above * (1 - down) + below * down


def _between(positions, *, block_px, blocks):
    """Return the blocks before and after each position and the share of the one after."""
    scaled = np.clip((positions + 0.5) / block_px - 0.5, 0, blocks - 1)
    before = scaled.astype(np.int64)
    return before, np.minimum(before + 1, blocks - 1), scaled - before
