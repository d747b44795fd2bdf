"""Fill gaps of an image from what surrounds them: for people and networks, never for counts."""

import numpy as np
from scipy import ndimage

from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import BLANK, NO_IMAGE, VALID

# Standard deviations of the Gaussian means, from narrow to wide.
_WIDTHS_PX = (1.5, 4.0, 12.0, 36.0)
_TRUNCATE = 3.0
# A mean counts in full where its weights reach this part of those without a gap.
_ENOUGH = 0.2


def fill_gaps(pixels: np.ndarray, gaps: np.ndarray, wanted: np.ndarray | None = None) -> np.ndarray:
    """Fill gaps with Gaussian means of the pixels around them.

    Normalised convolution [1]_: the filtered image over the filtered mask. Narrow means count where
    pixels are near, wider ones further inside, in a time that grows with the image alone. What is
    filled never leaves the range of the greys around. A biharmonic surface does: it goes on with
    the slope that noise has at the border, and gave up to 3 % of the pixels of a gap the grey of a
    cavity (12 pixels wide, real steel with noise of 25 grey levels); its time grows with the cube
    of the width of a gap.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    gaps : numpy.ndarray of bool, same shape
    wanted : numpy.ndarray of bool, same shape, optional
        Which of the gaps to fill; all of them if not given.

    Returns
    -------
    numpy.ndarray, uint8
        The same array where there is no gap, or nothing else.

    References
    ----------
    .. [1] H. Knutsson, C.-F. Westin, Normalized and differential convolution, CVPR (1993),
       doi:10.1109/CVPR.1993.341081
    """
    wanted = gaps if wanted is None else wanted
    if not wanted.any() or gaps.all():
        return pixels
    known = (~gaps).astype(np.float32)
    grey = pixels * known
    means = []
    for width in _WIDTHS_PX:
        options = {"sigma": width, "truncate": _TRUNCATE, "mode": "nearest"}
        weights = ndimage.gaussian_filter(known, **options)[wanted]
        sums = ndimage.gaussian_filter(grey, **options)[wanted]
        share = np.minimum(weights / _ENOUGH, 1)
        means.append((sums / np.maximum(weights, 1e-6), share))
        if share.min() == 1:
            break
    # Far from any pixel: the mean of all.
    values = np.full(len(share), grey.sum(dtype=np.float64) / known.sum())
    for mean, share in reversed(means):
        values += share * (mean - values)
    filled = pixels.copy()
    filled[wanted] = np.clip(np.rint(values), 0, 255)
    return filled


def gaps_in(valid: TiledImage, window: Window) -> np.ndarray | None:
    """Return where a window of a panorama holds no picture, None if it holds one everywhere.

    Areas that charging has saturated are no gaps: the microscope saw them, and bright rims belong
    to inclusions.
    """
    if valid.holds_only(window, VALID):
        return None
    mask = valid.read(window)
    gaps = (mask == NO_IMAGE) | (mask == BLANK)
    return gaps if gaps.any() else None


def shown_gaps(
    pixels: np.ndarray, gaps: np.ndarray, *, width_px: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fill narrow gaps of an image that is looked at, and leave wide ones visibly empty.

    Returns
    -------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
        Filled where gaps are narrower than `width_px`, white in the others.
    wide : numpy.ndarray of bool, same shape
        The others.
    """
    narrow = narrow_gaps(gaps, width_px=width_px)
    wide = gaps & ~narrow
    return np.where(wide, np.uint8(255), fill_gaps(pixels, gaps, narrow)), wide


def narrow_gaps(gaps: np.ndarray, *, width_px: int) -> np.ndarray:
    """Return the part of gaps into which no square of this edge fits."""
    # Gaps go on beyond the border.
    padded = np.pad(gaps, width_px, mode="edge")
    wide = ndimage.binary_opening(padded, np.ones((width_px, width_px)))
    return gaps & ~wide[width_px:-width_px, width_px:-width_px]
