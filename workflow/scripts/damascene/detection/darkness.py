"""Which pixels of a panorama are dark: below a fixed grey, or far below their surroundings."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import chain, islice, product
from pathlib import Path

import numpy as np

from damascene.clustering.pixels import DarkPixels
from damascene.detection.phase_greys import PhaseGreys, phase_greys
from damascene.images.store import TILE_PX, TiledImage, Window, open_pair
from damascene.images.tiles import DEFAULT_TILE_PX, WHOLE, strip_slice, tile_windows
from damascene.images.valid_area import VALID

# Cavities cannot lie as deep below dark ferrite as they should where black is cut off at 0.
_LEAST_PART_OF_FERRITE = 0.2


@dataclass(frozen=True, kw_only=True)
class FixedThreshold:
    """Dark is a grey below (`inclusive`: not above) one value for the whole panorama."""

    grey: float
    inclusive: bool = False


@dataclass(frozen=True, kw_only=True)
class RelativeThreshold:
    """Dark is a grey that lies far below the ferrite around it.

    Far is `depth` times the step from ferrite to martensite, so that brightness and contrast have
    no influence; but what is below a fifth of the ferrite's grey is always dark. `block_px` is the
    edge of the blocks in which the levels are taken: wider than the largest inclusion, narrower
    than the drift of the brightness.
    """

    depth: float
    block_px: int


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchedThreshold:
    """Dark is a grey below one value after the panorama was matched to a reference.

    `reference_histogram` (int64, shape (256,)) counts the valid greys of the reference, see
    `valid_histogram`. `inclusive`: not above the value.
    """

    grey: float
    reference_histogram: np.ndarray
    inclusive: bool = False


DarkRule = FixedThreshold | RelativeThreshold | MatchedThreshold


@dataclass(frozen=True, kw_only=True)
class DarkLimit:
    """The grey below which a pixel is dark, on a coarse grid of blocks.

    Attributes
    ----------
    greys : numpy.ndarray, float64, shape (block rows, block columns)
        Limits at the centres of the blocks; between them they are interpolated bilinearly.
    block_px : int
        Edge of a block; the grid is anchored at the upper left pixel.
    levels : PhaseGreys or None
        Those that a relative threshold follows, in the same blocks.
    """

    greys: np.ndarray
    block_px: int
    levels: PhaseGreys | None = None

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the limit at each pixel as float64."""
        if self.greys.size == 1:
            return np.full(np.broadcast_shapes(rows.shape, columns.shape), self.greys[0, 0])
        return grey_at(self.greys, rows, columns, block_px=self.block_px)

    def highest(self, strip: Window) -> np.ndarray:
        """Return a bound of the limit for each column of a strip as float64."""
        # Between the centres of two blocks the limit is highest at one end.
        centres = (np.arange(self.greys.shape[0]) + 0.5) * self.block_px - 0.5
        ends = np.concatenate([[strip.top, strip.bottom - 1], np.floor(centres), np.ceil(centres)])
        rows = ends[(ends >= strip.top) & (ends < strip.bottom)].astype(np.int64)
        columns = np.arange(strip.left, strip.right)
        # The margin is for the last digit of the interpolation.
        return self.at(rows[:, None], columns[None]).max(axis=0) + 1e-6


def dark_limit(
    image: TiledImage, valid: TiledImage, *, dark: DarkRule, threads: int = 1
) -> DarkLimit:
    """Return the grey below which the pixels of a panorama are dark.

    Parameters
    ----------
    image, valid : TiledImage
        Grey values, and `VALID` where they are valid; same shape.
    dark : FixedThreshold, RelativeThreshold or MatchedThreshold
    threads : int, optional
        Windows worked on at the same time; no effect on the result.
    """
    if isinstance(dark, RelativeThreshold):
        levels = phase_greys(image, valid, block_px=dark.block_px, threads=threads)
        greys = np.maximum(
            levels.ferrite - dark.depth * levels.step, _LEAST_PART_OF_FERRITE * levels.ferrite
        )
        return DarkLimit(greys=greys, block_px=dark.block_px, levels=levels)
    if isinstance(dark, MatchedThreshold):
        histogram = valid_histogram(image, valid, threads=threads)
        grey = _unmatched(dark, histogram)
    else:
        # Greys are whole numbers, so "not above 20" is "below 20.5".
        grey = np.floor(dark.grey) + 0.5 if dark.inclusive else float(dark.grey)
    return DarkLimit(greys=np.full((1, 1), grey), block_px=max(image.shape))


def _unmatched(dark, histogram):
    """Return the limit in greys of the panorama that follows from one after matching."""
    matched = matched_greys(histogram, reference=dark.reference_histogram)
    is_dark = matched <= dark.grey if dark.inclusive else matched < dark.grey
    # Matching keeps the order of greys; those that do not occur do not matter.
    return float(np.flatnonzero(is_dark & (histogram > 0)).max(initial=-1)) + 1


def matched_greys(histogram: np.ndarray, *, reference: np.ndarray) -> np.ndarray:
    """Return the grey that each grey becomes when a histogram is matched to a reference.

    Parameters
    ----------
    histogram, reference : numpy.ndarray of int, shape (256,)

    Returns
    -------
    numpy.ndarray, float64, shape (256,)
        The grey of the reference with the same proportion of pixels at or below it, interpolated
        between the greys that occur there.

    References
    ----------
    R. C. Gonzalez, R. E. Woods, Digital Image Processing, section on histogram specification.
    """
    if not histogram.any() or not reference.any():
        return np.arange(256.0)
    occurring = np.flatnonzero(reference)
    proportions = np.cumsum(reference)[occurring] / reference.sum()
    return np.interp(np.cumsum(histogram) / histogram.sum(), proportions, occurring)


def valid_histogram(image: TiledImage, valid: TiledImage, *, threads: int = 1) -> np.ndarray:
    """Count the grey values of the valid pixels of a panorama.

    Returns
    -------
    numpy.ndarray, int64, shape (256,)
    """

    def work(window):
        pixels = image.read(window)
        if not valid.holds_only(window, VALID):
            pixels = pixels[valid.read(window) == VALID]
        return np.bincount(pixels.ravel(), minlength=256)

    windows = chain.from_iterable(tile_windows(image.shape, tile_px=DEFAULT_TILE_PX))
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return sum(pool.map(work, windows), np.zeros(256, np.int64))


def reference_histogram(
    paths: tuple[str | Path, str | Path] | None, *, threads: int = 1
) -> np.ndarray | None:
    """Return `valid_histogram` of the reference panorama, None if there is none.

    Parameters
    ----------
    paths : (image, mask) or None
    threads : int, optional
    """
    if paths is None:
        return None
    with open_pair(*paths) as (image, valid):
        return valid_histogram(image, valid, threads=threads)


def dark_pixels_by_strip(
    image: TiledImage,
    valid: TiledImage,
    *,
    dark: DarkRule,
    strip_rows: int = TILE_PX,
    around_px: int = 0,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
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
    dark : FixedThreshold, RelativeThreshold or MatchedThreshold
    strip_rows : int, optional
        Rows of a strip, best a multiple of the stored tiles; joined, the strips are the same for
        any.
    around_px : int, optional
        Distance at which the greys around each dark pixel are summed up, in eight directions; 0:
        not at all. Only for relative thresholds. Rows beyond a strip are those decoded for the
        strips beside it.
    threads : int, optional
        Strips worked on at the same time; no effect on the result.
    strip : (int, int), optional
        Which part of the strips, see `tiles.strip_slice`; all of them if not given.

    Yields
    ------
    DarkPixels
        Of consecutive strips of full width from top to bottom, row-major; empty ones, too.
    """
    limit = dark_limit(image, valid, dark=dark, threads=threads)
    height, width = image.shape
    strips = [
        Window(top=top, left=0, bottom=min(top + strip_rows, height), right=width)
        for top in range(0, height, strip_rows)
    ]
    beyond = -(-around_px // strip_rows)
    decoded, ahead = deque(maxlen=2 * beyond + 1), deque()
    own = strip_slice(len(strips), strip=strip)
    before = min(own.start, beyond)

    def work(window, parts):
        if not around_px:
            return dark_pixels_of(image.read(window), valid, window, limit)
        seen = window.grown(margin=around_px, within=image.shape)
        rows = [
            part.result()[max(seen.top - place.top, 0) : max(seen.bottom - place.top, 0)]
            for place, part in parts
        ]
        pixels = dark_pixels_of(np.concatenate(rows), valid, seen, limit, around_px=around_px)
        return _within(pixels, window)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        # Decoding never waits and is always asked for before what waits for it.
        in_reach = strips[own.start - before : own.stop + beyond] if around_px else []
        to_decode = ((window, pool.submit(image.read, window)) for window in in_reach)
        decoded.extend(islice(to_decode, before + beyond))
        for window in strips[own]:
            if around_px:
                decoded.extend(islice(to_decode, 1))
            ahead.append(pool.submit(work, window, list(decoded)))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _within(pixels, strip):
    """Keep the dark pixels in the rows of a strip."""
    rows = slice(*np.searchsorted(pixels.rows, (strip.top, strip.bottom)))
    return DarkPixels(**{field.name: getattr(pixels, field.name)[rows] for field in fields(pixels)})


def dark_pixels_of(
    pixels: np.ndarray, valid: TiledImage, window: Window, limit: DarkLimit, *, around_px: int = 0
) -> DarkPixels:
    """Return the dark pixels of a window of a panorama.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape of the window
        Its greys, or others that are to be judged in their place.
    valid : TiledImage
        Mask of the whole panorama.
    window : Window
        Its place in the panorama.
    limit : DarkLimit
        Of the panorama.
    around_px : int, optional
        See `dark_pixels_by_strip`; surroundings beyond the window do not count.

    Returns
    -------
    DarkPixels
        At their places in the panorama.
    """
    around = window.grown(margin=1, within=valid.shape)
    some_invalid = not valid.holds_only(around, VALID)
    # As whole numbers, greys are compared without turning a gigapixel into floating point.
    is_dark = pixels <= np.clip(np.ceil(limit.highest(window)) - 1, 0, 255).astype(np.uint8)
    if some_invalid:
        invalid = valid.read(around) != VALID
        is_dark &= ~invalid[window.slices(origin=around)]
    # Faster than `nonzero` of two dimensions.
    rows, columns = np.divmod(np.flatnonzero(is_dark), window.shape[1])
    greys = pixels[rows, columns]
    rows += window.top
    columns += window.left
    below = greys < limit.at(rows, columns)
    rows, columns, greys = rows[below], columns[below], greys[below]
    beside = np.zeros(len(rows), bool)
    if some_invalid:
        for row_step, column_step in product((-1, 0, 1), repeat=2):
            # Beyond the border of the panorama there is nothing to be beside of.
            row = np.clip(rows + row_step, around.top, around.bottom - 1) - around.top
            column = np.clip(columns + column_step, around.left, around.right - 1) - around.left
            beside |= invalid[row, column]
    dark = {"rows": rows, "columns": columns, "greys": greys, "beside_invalid": beside}
    if not around_px:
        return DarkPixels(**dark)
    is_dark[:] = False
    place = rows - window.top, columns - window.left
    is_dark[place] = True
    # Invalid pixels do not count as surroundings, nor do dark ones.
    left_out = is_dark | invalid[window.slices(origin=around)] if some_invalid else is_dark
    sums = _sums_around(pixels, left_out, *place, distance_px=around_px)
    steps = grey_at(limit.levels.step, rows, columns, block_px=limit.block_px)
    return DarkPixels(**dark, around=np.column_stack([*sums, steps]).astype(np.float32))


def _sums_around(pixels, left_out, rows, columns, *, distance_px):
    """Return sum and number of the greys at a distance in eight directions, except some."""
    total, count = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    diagonal = max(round(distance_px / np.sqrt(2)), 1)
    for row_step, column_step in product((-1, 0, 1), repeat=2):
        if not (row_step or column_step):
            continue
        distance = diagonal if row_step and column_step else distance_px
        row, column = rows + row_step * distance, columns + column_step * distance
        inside = (row >= 0) & (row < pixels.shape[0]) & (column >= 0) & (column < pixels.shape[1])
        row, column = np.where(inside, row, 0), np.where(inside, column, 0)
        counts = inside & ~left_out[row, column]
        total += np.where(counts, pixels[row, column], 0)
        count += counts
    return total, count


def grey_at(
    greys: np.ndarray, rows: np.ndarray, columns: np.ndarray, *, block_px: int
) -> np.ndarray:
    """Interpolate a grid of block greys bilinearly between the centres of the blocks.

    Parameters
    ----------
    greys : numpy.ndarray, float64, shape (block rows, block columns)
        Values at the centres of the blocks.
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
    """Return the blocks before and after each position and the weight of the one after."""
    scaled = np.clip((positions + 0.5) / block_px - 0.5, 0, blocks - 1)
    before = scaled.astype(np.int64)
    return before, np.minimum(before + 1, blocks - 1), scaled - before
