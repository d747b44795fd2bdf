"""Thresholds on the grey value, from the histogram alone."""

import numpy as np

#: Grey values of an image of eight bits.
GREYS = np.arange(256)


def grey_counts(image: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Return how often each grey value occurs.

    Parameters
    ----------
    image : numpy.ndarray, uint8, shape (rows, columns)
    valid : numpy.ndarray, bool, same shape, optional
        Pixels that count; all without.

    Returns
    -------
    numpy.ndarray, int64, shape (256,)
    """
    return np.bincount(image.ravel() if valid is None else image[valid], minlength=256)


def share_above(counts: np.ndarray) -> np.ndarray:
    """Return which part of the pixels is brighter than each threshold.

    Parameters
    ----------
    counts : numpy.ndarray, int64, shape (256,)

    Returns
    -------
    numpy.ndarray, float64, shape (256,)
        Entry t: the part of the pixels with a grey value above t.
    """
    return 1 - np.cumsum(counts) / counts.sum()


def variance_between(counts: np.ndarray) -> np.ndarray:
    """Return how far apart the two sides of each threshold lie: what Otsu makes largest.

    Parameters
    ----------
    counts : numpy.ndarray, int64, shape (256,)

    Returns
    -------
    numpy.ndarray, float64, shape (256,)
        Entry t: p (1 - p) (difference of the mean grey values)^2, where p is the part of the pixels
        up to t; 0 where one side is empty.

    References
    ----------
    Otsu, A threshold selection method from gray-level histograms, IEEE Transactions on Systems,
    Man, and Cybernetics 9 (1979) 62-66, 10.1109/TSMC.1979.4310076.
    """
    shares = counts / counts.sum()
    below = np.cumsum(shares)
    first = np.cumsum(shares * GREYS)
    both = below * (1 - below)
    # The last sum may miss 1 by rounding.
    empty = (np.cumsum(counts) == 0) | (np.cumsum(counts) == counts.sum())
    distance = first[-1] * below - first
    return np.where(empty, 0.0, distance**2 / np.where(empty, 1.0, both))


def otsu_threshold(counts: np.ndarray) -> int:
    """Return the threshold of Otsu: grey values up to it are dark.

    The first, where several are as good; the only grey value of an image that has just one.
    """
    if np.count_nonzero(counts) == 1:
        return int(counts.argmax())
    return int(variance_between(counts).argmax())
