"""How noisy a panorama is."""

import numpy as np
from skimage.restoration import estimate_sigma

from damascene.images.store import TiledImage, Window

_WINDOW_PX = 256
_WINDOWS_A_SIDE = 8
_CLIPPED_FRACTION = 0.05


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
                estimates.append(estimate_sigma(pixels.astype(np.float64)))
    # Where there is no noise at all the estimate is NaN or the dust of floating point numbers.
    return round(float(np.median(np.nan_to_num(estimates))), 6) if estimates else 0.0


def _starts(length):
    last = max(length - _WINDOW_PX, 0)
    count = min(_WINDOWS_A_SIDE, -(-length // _WINDOW_PX))
    return [round(start) for start in np.linspace(0, last, count)]
