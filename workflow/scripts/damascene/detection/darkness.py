"""Which pixels of a panorama are dark: below a fixed grey, or far below their surroundings."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product

import numpy as np
from scipy import ndimage

from damascene.images.store import TILE_PX, TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX, tile_windows
from damascene.images.valid_area import VALID

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


@dataclass(frozen=True, kw_only=True)
class DarkLimit:
    """The grey below which a pixel is dark, on a coarse grid of blocks.

    Attributes
    ----------
    greys : numpy.ndarray, float64, shape (block rows, block columns)
        Limits at the centres of the blocks; between them they are interpolated bilinearly.
    block_px : int
        Edge of a block; the grid is anchored at the upper left pixel.
    """

    greys: np.ndarray
    block_px: int

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the limit at each pixel as float64."""
        return grey_at(self.greys, rows, columns, block_px=self.block_px)


def dark_limit(
    image: TiledImage, valid: TiledImage, *, dark: DarkRule, threads: int = 1
) -> DarkLimit:
    """Return the grey below which the pixels of a panorama are dark.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and `VALID` where they are valid; same shape.
    dark : FixedThreshold or RelativeThreshold
    threads : int, optional
        Windows worked on at the same time; no effect on the result.
    """
    if isinstance(dark, RelativeThreshold):
        ferrite = ferrite_grey(image, valid, block_px=dark.block_px, threads=threads)
        return DarkLimit(greys=dark.fraction * ferrite, block_px=dark.block_px)
    # Greys are whole numbers, so "not above 20" is "below 20.5".
    grey = np.floor(dark.grey) + 0.5 if dark.inclusive else float(dark.grey)
    return DarkLimit(greys=np.full((1, 1), grey), block_px=max(image.shape))


def dark_pixels_by_strip(
    image: TiledImage,
    valid: TiledImage,
    *,
    dark: DarkRule,
    strip_rows: int = TILE_PX,
    threads: int = 1,
) -> Iterator[DarkPixels]:
    """Yield the valid pixels of a panorama that a rule calls dark, strip by strip.

    Strips are read ahead of the consumer, as many as there are threads: memory holds two strips a
    thread, and decoding goes on while the consumer works.

    Parameters
    ----------
    image : TiledImage
        Grey values.
    valid : TiledImage
        `VALID` where the panorama holds a measurement; same shape.
    dark : FixedThreshold or RelativeThreshold
    strip_rows : int, optional
        Rows of a strip, best a multiple of the stored tiles; joined, the strips are the same for
        any.
    threads : int, optional
        Strips worked on at the same time; no effect on the result.

    Yields
    ------
    DarkPixels
        Of consecutive strips of full width from top to bottom, row-major; empty ones, too.
    """
    limit = dark_limit(image, valid, dark=dark, threads=threads)
    ahead = deque()
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for top in range(0, image.shape[0], strip_rows):
            strip = Window(
                top=top,
                left=0,
                bottom=min(top + strip_rows, image.shape[0]),
                right=image.shape[1],
            )
            ahead.append(pool.submit(_dark_pixels, image, valid, strip, limit))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _dark_pixels(image, valid, strip, limit):
    pixels = image.read(strip)
    around = strip.grown(margin=1, within=image.shape)
    invalid = valid.read(around) != VALID
    # As whole numbers, greys are compared without turning a gigapixel into floating point.
    darkest_bright = int(np.ceil(limit.greys.max()))
    is_dark = pixels <= min(darkest_bright - 1, 255) if darkest_bright > 0 else pixels < 0
    some_invalid = invalid.any()
    if some_invalid:
        is_dark &= ~invalid[strip.slices(origin=around)]
    # Faster than `nonzero` of two dimensions.
    rows, columns = np.divmod(np.flatnonzero(is_dark), strip.shape[1])
    greys = pixels[rows, columns]
    rows += strip.top
    if limit.greys.size > 1:
        below = greys < limit.at(rows, columns)
        rows, columns, greys = rows[below], columns[below], greys[below]
    beside = np.zeros(len(rows), bool)
    if some_invalid:
        for row_step, column_step in product((-1, 0, 1), repeat=2):
            # Beyond the border of the panorama there is nothing to be beside of.
            row = np.clip(rows + row_step, around.top, around.bottom - 1) - around.top
            beside |= invalid[row, np.clip(columns + column_step, 0, around.right - 1)]
    return DarkPixels(rows=rows, columns=columns, greys=greys, beside_invalid=beside)


def find_dark_pixels(
    image: TiledImage, valid: TiledImage, *, dark: DarkRule, threads: int = 1
) -> DarkPixels:
    """Return the dark pixels of a whole panorama; see `dark_pixels_by_strip`."""
    strips = list(dark_pixels_by_strip(image, valid, dark=dark, threads=threads))
    return DarkPixels(
        **{
            name: np.concatenate([getattr(strip, name) for strip in strips])
            for name in ("rows", "columns", "greys", "beside_invalid")
        }
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
        pixels, inside = image.read(window), valid.read(window) == VALID
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
