"""What the image of a panorama is like, in numbers that have nothing to do with classes."""

import numpy as np
import pandas as pd

from damascene.detection.phase_greys import split_phases
from damascene.images.store import TiledImage, Window
from damascene.quality.measures import sharpness
from damascene.restoration.noise import noise_of

#: Edge of the windows that are looked at, and how many of them at most: the time of a panorama
#: does not grow with its size.
WINDOW_PX, MOST_WINDOWS = 512, 24
# Windows with a smaller valid part tell of the gap, not of the steel.
_LEAST_VALID = 0.5
# Lags in pixels at which the growth of grey differences is followed, as a geometric series.
_LAGS_PX = tuple(int(lag) for lag in np.unique(np.rint(np.geomspace(1, 160, 28))))
#: Columns of `measure_windows` that hold a measure.
WINDOW_MEASURES = ("median_grey", "contrast_grey", "noise_grey", "sharpness", "structure_um")


def measure_windows(
    image: TiledImage, valid: TiledImage, *, most: int = MOST_WINDOWS
) -> pd.DataFrame:
    """Measure windows of 512 x 512 pixels that are spread evenly over a panorama.

    Parameters
    ----------
    image : TiledImage
        The image in which sites are sought, denoised or not: it is what the networks see.
    valid : TiledImage
        Mask of its valid pixels.
    most : int, optional
        Windows at most.

    Returns
    -------
    pandas.DataFrame
        left_px, top_px, and `WINDOW_MEASURES`: the median grey of the valid pixels; the step from
        ferrite to martensite in grey levels (NaN without two phases); noise in grey levels
        (`restoration.noise.noise_of`); sharpness (`quality.measures.sharpness`); the length of the
        structure in micrometres (`structure_px`). One row a window of which at least half is
        valid; none where there is no such window.
    """
    rows = []
    for window in _spread(image.shape, valid, most=most):
        pixels, usable = image.read(window), valid.read(window) > 0
        counts = np.bincount(pixels[usable], minlength=256)
        ferrite, martensite = split_phases(counts)
        rows.append(
            {
                "left_px": window.left,
                "top_px": window.top,
                "median_grey": float(np.median(pixels[usable])),
                "contrast_grey": float(martensite - ferrite),
                "noise_grey": noise_of(pixels, usable),
                "sharpness": sharpness(pixels, usable),
                "structure_um": structure_px(pixels) * image.pixel_size_nm / 1000,
            }
        )
    return pd.DataFrame(rows, columns=["left_px", "top_px", *WINDOW_MEASURES])


def structure_px(pixels: np.ndarray) -> float:
    """Return the distance at which grey has changed half as much as it ever does, in pixels.

    With D(k) the mean squared difference of pixels k apart along rows and columns, it is the lag
    at which D has risen half-way from D(1), in which noise takes part, to its largest value. It
    grows with grains and islands, and with a wrong pixel size.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)

    Returns
    -------
    float
        NaN for an image without structure.
    """
    grey = pixels.astype(np.float32)
    lags = [lag for lag in _LAGS_PX if lag < min(grey.shape) // 2]
    growth = np.array([_mean_square(grey, lag) for lag in lags])
    if len(growth) < 2 or not growth.max() > growth[0]:
        return float("nan")
    half = (growth[0] + growth.max()) / 2
    first = int(np.argmax(growth >= half))
    before, after = growth[first - 1], growth[first]
    part = (half - before) / (after - before)
    return float(lags[first - 1] + part * (lags[first] - lags[first - 1]))


def _mean_square(grey, lag):
    # Every other row and column tells the same in half the time.
    along = (grey[::2, lag:] - grey[::2, :-lag]).ravel()
    across = (grey[lag:, ::2] - grey[:-lag, ::2]).ravel()
    return (np.dot(along, along) / along.size + np.dot(across, across) / across.size) / 2


def _spread(shape, valid, *, most):
    """Return windows on an even grid over an image, as far as they are valid."""
    height, width = (min(WINDOW_PX, edge) for edge in shape)
    rows, columns = _counts(shape, most=most)
    windows = [
        Window(top=top, left=left, bottom=top + height, right=left + width)
        for top in _starts(shape[0], height, rows)
        for left in _starts(shape[1], width, columns)
    ]
    kept = [one for one in windows if (valid.read(one) > 0).mean() >= _LEAST_VALID]
    return kept


def _counts(shape, *, most):
    """Return rows and columns of a grid of at most so many windows, as square as it can be."""
    full = [max(edge // WINDOW_PX, 1) for edge in shape]
    if full[0] * full[1] <= most:
        return full
    step = np.sqrt(full[0] * full[1] / most)
    rows = max(int(full[0] / step), 1)
    rows = min(rows, full[0])
    return rows, max(min(most // rows, full[1]), 1)


def _starts(length, edge, count):
    return [round(start) for start in np.linspace(0, length - edge, count)] if count > 1 else [0]
