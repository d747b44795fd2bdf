"""Blend placed frames into one image, strip by strip."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from damascene.images.headers import ImageHeader
from damascene.images.stitching.brightness_matching import gain_table
from damascene.images.stitching.frames import decode

STRIP_ROWS = 256


def place(corners_px: np.ndarray) -> np.ndarray:
    """Round positions to whole pixels from 0, all shifted alike so that they are moved least.

    Frames are not resampled: interpolation would smooth their noise and the edges of small voids,
    more in one frame than in the next, and detection counts dark pixels. What is given up is half
    a pixel at most.

    Parameters
    ----------
    corners_px : numpy.ndarray, float64, shape (frames, 2)

    Returns
    -------
    numpy.ndarray, int64, shape (frames, 2)
    """
    # The mean of the fractions of a pixel, on a circle: 0.9 and 0.1 are near each other.
    common = np.angle(np.exp(2j * np.pi * corners_px).sum(axis=0)) / (2 * np.pi)
    placed = np.rint(corners_px - common).astype(np.int64)
    return placed - placed.min(axis=0)


def blended_strips(
    headers: list[ImageHeader],
    placed_px: np.ndarray,
    gains: np.ndarray,
    *,
    strip_rows: int = STRIP_ROWS,
    threads: int = 1,
) -> Iterator[np.ndarray]:
    """Blend frames linearly: the weight of a frame falls from its middle to its edges.

    In the overlap of two frames the weights run straight from one to the other. Each frame is
    decoded once and kept as long as strips touch it.

    Parameters
    ----------
    headers : list of ImageHeader
        Of frames of one size and bit depth.
    placed_px : numpy.ndarray, int64, shape (frames, 2)
        Upper left corners (x, y), from 0.
    gains : numpy.ndarray, float64, shape (frames,)
        Factors on grey values.
    strip_rows : int, optional
        Rows of a strip; the image does not depend on it.
    threads : int, optional
        Frames decoded, and parts of a strip blended, at the same time.

    Yields
    ------
    numpy.ndarray, of the frames' type, shape (up to strip_rows, width)
        0 where no frame lies.
    """
    width, height = headers[0].width_px, headers[0].height_px
    dtype = np.uint16 if headers[0].bits == 16 else np.uint8
    columns, rows = placed_px.max(axis=0) + np.array([width, height])
    across, down = _ramp(width), _ramp(height)

    def load(index):
        pixels = decode(headers[index])
        table = gain_table(gains[index], dtype=pixels.dtype, full=headers[index].full_scale)
        return pixels if table is None else table[pixels]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        loaded = {}
        for top in range(0, rows, strip_rows):
            bottom = min(top + strip_rows, rows)
            touching = _touching(placed_px, height, top, bottom)
            loaded = {index: loaded[index] for index in touching if index in loaded}
            new = [index for index in touching if index not in loaded]
            loaded.update(zip(new, pool.map(load, new), strict=True))
            strip = np.zeros((bottom - top, columns), dtype)

            def blend(edges, top=top, bottom=bottom, strip=strip, touching=touching, kept=loaded):
                left, right = edges
                total = np.zeros((bottom - top, right - left), np.float32)
                weights = np.zeros_like(total)
                for index in touching:
                    x, y = placed_px[index]
                    low, high = max(left, x), min(right, x + width)
                    if low >= high:
                        continue
                    upper, lower = max(top, y), min(bottom, y + height)
                    weight = down[upper - y : lower - y, None] * across[None, low - x : high - x]
                    part = np.s_[upper - top : lower - top, low - left : high - left]
                    total[part] += weight * kept[index][upper - y : lower - y, low - x : high - x]
                    weights[part] += weight
                np.divide(total, weights, out=total, where=weights > 0)
                strip[:, left:right] = np.rint(total)

            # Parts of about a frame's width keep what is in work small.
            list(
                pool.map(
                    blend,
                    [(left, min(left + width, columns)) for left in range(0, columns, width)],
                )
            )
            yield strip


def covered_strips(
    placed_px: np.ndarray, *, width_px: int, height_px: int, strip_rows: int = STRIP_ROWS
) -> Iterator[np.ndarray]:
    """Yield, from top to bottom, which pixels of the panorama a frame covers.

    Parameters
    ----------
    placed_px : numpy.ndarray, int64, shape (frames, 2)
    width_px, height_px : int
        Size of a frame.
    strip_rows : int, optional

    Yields
    ------
    numpy.ndarray, bool, shape (up to strip_rows, width)
    """
    columns, rows = placed_px.max(axis=0) + np.array([width_px, height_px])
    for top in range(0, rows, strip_rows):
        bottom = min(top + strip_rows, rows)
        covered = np.zeros((bottom - top, columns), bool)
        for index in _touching(placed_px, height_px, top, bottom):
            x, y = placed_px[index]
            covered[max(y - top, 0) : y + height_px - top, x : x + width_px] = True
        yield covered


def _touching(placed_px, height, top, bottom):
    above = placed_px[:, 1]
    return np.flatnonzero((above < bottom) & (above + height > top)).tolist()


def _ramp(length):
    """Return the distance to the nearer edge, as a part of half the length."""
    places = np.arange(length)
    return ((np.minimum(places, length - 1 - places) + 0.5) * 2 / length).astype(np.float32)
