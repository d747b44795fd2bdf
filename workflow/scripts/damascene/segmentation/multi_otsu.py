"""Phase maps by multi-Otsu: thresholds on the grey value, set for each panorama by itself.

Which phase is the darkest, and how much is to be smoothed before, is learned from label images.

References
----------
Liao, Chen & Chung, A fast algorithm for multilevel thresholding, Journal of Information Science and
Engineering 17 (2001), 10.6688/JISE.2001.17.5.1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_multiotsu

from damascene import InputError
from damascene.images.blocks import BLOCK_PX
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import WHOLE, map_tiles
from damascene.images.valid_area import VALID
from damascene.segmentation.confusion import mean_iou

#: Standard deviations of the Gaussian before multi-Otsu among which the labels choose, in pixels.
SIGMAS_PX = (1, 2, 4, 8)
OTSU_HALO_PX = 4 * max(SIGMAS_PX)


@dataclass(frozen=True, kw_only=True)
class MultiOtsu:
    """Thresholds on the grey value, set for each panorama by itself.

    Attributes
    ----------
    sigma_px : float
        Standard deviation of the Gaussian that smooths before.
    order : tuple of int
        Number of the phase, from 0, of each range of grey values, the darkest first.
    """

    sigma_px: float
    order: tuple[int, ...]


def smoothed_grey(grey: np.ndarray, *, sigma_px: float) -> np.ndarray:
    """Return grey values after a Gaussian of this standard deviation, as uint8."""
    return np.rint(ndimage.gaussian_filter(grey.astype(np.float32), sigma_px)).astype(np.uint8)


def multi_otsu_thresholds(histogram: np.ndarray, *, phase_count: int) -> np.ndarray:
    """Return the grey values up to which each range but the brightest goes.

    Parameters
    ----------
    histogram : numpy.ndarray, int, shape (256,)
        Of smoothed grey values.
    phase_count : int
        At least 2.

    Returns
    -------
    numpy.ndarray, int, shape (phase_count - 1,)

    Raises
    ------
    InputError
        If there are fewer grey values than phases.
    """
    values = np.count_nonzero(histogram)
    if values < phase_count:
        raise InputError(
            f"Multi-Otsu cannot divide {values} grey value(s) into {phase_count} phases. Choose "
            "another segmentation.method, or look whether the panorama is blank."
        )
    thresholds = threshold_multiotsu(hist=(histogram, np.arange(256)), classes=phase_count)
    return np.asarray(thresholds, int)


def phases_by_grey(
    smoothed: np.ndarray, thresholds: np.ndarray, *, order: Sequence[int]
) -> np.ndarray:
    """Return the number of the phase, from 1, of each smoothed grey value, as uint8."""
    return (np.asarray(order, np.uint8) + 1)[np.digitize(smoothed, thresholds, right=True)]


def fit_multi_otsu(
    panoramas: Sequence[tuple[TiledImage, TiledImage, Callable[[Window], np.ndarray]]],
    *,
    phase_count: int,
) -> MultiOtsu:
    """Choose the order of the phases and the smoothing that suit labelled panoramas best.

    Parameters
    ----------
    panoramas : sequence of (image, valid, labels)
        Grey values and mask of valid pixels; `labels` returns, for a window, 0 where nothing is
        known or may be learned from, else the number of the phase from 1.
    phase_count : int

    Returns
    -------
    MultiOtsu
        The order is that of the mean grey values of the labels; of the smoothings the one with the
        highest mean intersection over union is taken.
    """
    models = []
    for sigma_px in SIGMAS_PX:
        greys = [_grey_counts(*each, sigma_px=sigma_px, count=phase_count) for each in panoramas]
        known = sum(labelled for _, labelled in greys)
        means = (known * np.arange(256)).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        order = tuple(int(each) for each in np.argsort(means, kind="stable"))
        confusion = np.zeros((phase_count, phase_count), np.int64)
        for histogram, labelled in greys:
            if not labelled.any():
                continue
            thresholds = multi_otsu_thresholds(histogram, phase_count=phase_count)
            assigned = phases_by_grey(np.arange(256), thresholds, order=order) - 1
            np.add.at(confusion.T, assigned, labelled.T)
        models.append((mean_iou(confusion), MultiOtsu(sigma_px=sigma_px, order=order)))
    # Of equal ones the first.
    return max(models, key=lambda each: each[0])[1]


def _grey_counts(image, valid, labels, *, sigma_px, count):
    """Return how often each smoothed grey value is valid, and is labelled as each phase."""
    histogram, labelled = np.zeros(256, np.int64), np.zeros((count, 256), np.int64)
    top = 0
    for rows in _smoothed(image, sigma_px):
        window = Window(top=top, left=0, bottom=top + len(rows), right=image.shape[1])
        histogram += np.bincount(rows[valid.read(window) == VALID], minlength=256)
        number = labels(window).astype(np.int64)
        pairs = np.bincount((number * 256 + rows).ravel(), minlength=(count + 1) * 256)
        labelled += pairs.reshape(count + 1, 256)[1:]
        top = window.bottom
    return histogram, labelled


def multi_otsu_map(
    image: TiledImage,
    valid: TiledImage,
    model: MultiOtsu,
    *,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Yield the phases of a panorama by thresholds on its smoothed grey values.

    The thresholds follow from the valid pixels of the whole panorama, also for a strip of it.

    Parameters
    ----------
    image, valid : TiledImage
    model : MultiOtsu
    threads, strip
        See `tiles.map_tiles`.

    Yields
    ------
    numpy.ndarray, uint8, shape (rows, width)
        Numbers of the phases from 1.
    """
    histogram = np.zeros(256, np.int64)
    top = 0
    for rows in _smoothed(image, model.sigma_px, threads=threads):
        window = Window(top=top, left=0, bottom=top + len(rows), right=image.shape[1])
        histogram += np.bincount(rows[valid.read(window) == VALID], minlength=256)
        top = window.bottom
    # Where nothing is valid, any thresholds do.
    thresholds = np.zeros(len(model.order) - 1, int)
    if histogram.any():
        thresholds = multi_otsu_thresholds(histogram, phase_count=len(model.order))
    for rows in _smoothed(image, model.sigma_px, threads=threads, strip=strip):
        yield phases_by_grey(rows, thresholds, order=model.order)


def _smoothed(image, sigma_px, *, threads=1, strip=WHOLE):
    return map_tiles(
        lambda grey: smoothed_grey(grey, sigma_px=sigma_px),
        image,
        halo_px=OTSU_HALO_PX,
        tile_px=BLOCK_PX,
        threads=threads,
        strip=strip,
    )
