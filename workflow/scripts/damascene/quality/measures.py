"""What a part of an SEM image says about its quality."""

import numpy as np

# Lags of one, two and six pixels: the first two tell sharp edges from soft ones, the last one takes
# in the whole edge.
_NEAR, _NEXT, _FAR = 1, 2, 6
# What makes straight, sharp and distant edges 1.
_SHARP = (_FAR - _NEAR) / (_NEXT - _NEAR)


def quantile(counts: np.ndarray, proportion: float) -> float:
    """Return the grey that at least this fraction of a histogram does not exceed (NaN if empty)."""
    cumulated = np.cumsum(counts)
    if not cumulated[-1]:
        return float("nan")
    return float(np.searchsorted(cumulated, proportion * cumulated[-1]))


def sharpness(pixels: np.ndarray, usable: np.ndarray | None = None) -> float:
    """Return how sharp the edges in an image are, independent of noise, brightness and contrast.

    With D(k) the mean squared difference of pixels k apart, along rows and columns, the sharpness
    is 5 (D(2) - D(1)) / (D(6) - D(1)). White noise adds the same to D at every lag and drops out,
    as it only enters the autocorrelation at lag zero [1]_; a factor or an offset of the grey drops
    out, too. Sharp straight edges give 1, for D is then proportional to k; a blur much wider than
    six pixels gives 0.43, for D is then proportional to k squared; thin bright lines give more
    than 1.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    usable : numpy.ndarray of bool, same shape, optional
        Pairs with any other pixel are left out.

    Returns
    -------
    float
        NaN where there are no pairs or no structure.

    References
    ----------
    .. [1] K. S. Sim, V. Teh, Estimation of the signal-to-noise ratio of scanning electron
       microscope images, Scanning 38 (2016) 771, doi:10.1002/sca.21327
    """
    if usable is not None and usable.all():
        usable = None
    near, next_, far = (_mean_square(pixels, usable, lag) for lag in (_NEAR, _NEXT, _FAR))
    return _SHARP * (next_ - near) / (far - near) if far > near else float("nan")


def _mean_square(pixels, usable, lag):
    """Mean squared difference of pixels a lag apart, along columns and along rows alike."""
    grey = pixels.astype(np.float64)
    means = []
    for one, other in ((np.s_[lag:], np.s_[:-lag]), (np.s_[:, lag:], np.s_[:, :-lag])):
        difference = (grey[one] - grey[other]).ravel()
        if usable is not None:
            difference = difference[(usable[one] & usable[other]).ravel()]
        if difference.size:
            means.append(float(difference @ difference) / difference.size)
    return sum(means) / len(means) if means else float("nan")
