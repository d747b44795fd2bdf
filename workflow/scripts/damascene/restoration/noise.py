"""How noisy a panorama is."""

import numpy as np
import pywt

from damascene.images.store import TiledImage, Window

_WINDOW_PX = 256
_WINDOWS_A_SIDE = 8
_CLIPPED_FRACTION = 0.05
_WAVELET = "db2"
# Median of the absolute value of a normal variable of unit variance.
_NORMAL_MEDIAN = 0.6744897501960817


def measure_noise(image: TiledImage) -> float:
    """Return the standard deviation of the noise in grey levels.

    Up to 64 windows of 256 x 256 pixels are spread evenly over the panorama. In each, the noise is
    the median absolute deviation of the finest diagonal wavelet coefficients [1]_; the median over
    the windows is returned, so that scratches and large inclusions do not count. Windows in which
    more than 5 % of the pixels are black or white are left out: clipped or missing pixels carry no
    noise. The result depends on the panorama alone.

    Parameters
    ----------
    image : TiledImage

    Returns
    -------
    float
        0 if no window can be used.

    References
    ----------
    .. [1] D. L. Donoho, I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage,
       Biometrika 81 (1994) 425, doi:10.1093/biomet/81.3.425
    """
    estimates = []
    for top in _starts(image.shape[0]):
        for left in _starts(image.shape[1]):
            window = Window(
                top=top,
                left=left,
                bottom=min(top + _WINDOW_PX, image.shape[0]),
                right=min(left + _WINDOW_PX, image.shape[1]),
            )
            pixels = image.read(window)
            if np.isin(pixels, (0, 255)).mean() <= _CLIPPED_FRACTION and min(window.shape) > 1:
                estimates.append(noise_of(pixels))
    # Where there is no noise at all the estimate is NaN or the dust of floating point numbers.
    return round(float(np.median(np.nan_to_num(estimates))), 6) if estimates else 0.0


def noise_of(pixels: np.ndarray, usable: np.ndarray | None = None) -> float:
    """Return the standard deviation of the noise of an image by the method of `measure_noise`.

    Parameters
    ----------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    usable : numpy.ndarray of bool, same shape, optional
        Coefficients that any other pixel enters are left out.

    Returns
    -------
    float
        In grey levels; NaN where every coefficient is zero or left out.
    """
    diagonal = pywt.dwt2(pixels.astype(np.float64), _WAVELET)[1][2]
    kept = diagonal != 0
    if usable is not None and not usable.all():
        # Coefficient i takes in the pixels 2 i - 2 to 2 i + 1 along either axis.
        rows, columns = diagonal.shape
        barred = np.pad(~usable, 3, mode="symmetric")[1:, 1:]
        barred = np.logical_or.reduce([barred[k : k + 2 * rows : 2] for k in range(4)])
        barred = np.logical_or.reduce([barred[:, k : k + 2 * columns : 2] for k in range(4)])
        kept &= ~barred
    magnitudes = np.abs(diagonal[kept])
    return float(np.median(magnitudes)) / _NORMAL_MEDIAN if magnitudes.size else float("nan")


def _starts(length):
    last = max(length - _WINDOW_PX, 0)
    count = min(_WINDOWS_A_SIDE, -(-length // _WINDOW_PX))
    return [round(start) for start in np.linspace(0, last, count)]
