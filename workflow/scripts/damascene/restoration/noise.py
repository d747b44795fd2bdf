"""How noisy a panorama is, and what kind of noise it is."""

import math
from collections.abc import Iterator

import numpy as np
import pywt

from damascene.contracts.noise_record import GreyNoise, NoiseRecord
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID
from damascene.restoration.flat_patches import (
    LAGS,
    FlatPatches,
    choose_flat,
    covariances,
    flat_patches,
    line_variance,
)
from damascene.versions import IMAGE_PACKAGES, package_versions

_WINDOW_PX = 256
_WINDOWS_A_SIDE = 8
_CLIPPED_FRACTION = 0.05
_LEAST_USABLE_FRACTION = 0.5
_WAVELET = "db2"
# Median of the absolute value of a normal variable of unit variance.
_NORMAL_MEDIAN = 0.6744897501960817
_LEAST_PATCHES = 30
# The flattest parts of all patches: for the skewness, for the covariances, and for offsets of rows
# and the finest part of noise, which structure disturbs less.
_FLAT_PARTS = {"skewness": 0.02, "covariance": 0.05, "fine": 0.15}
# Less flat than this, and neighbours alike in both directions: it may be noise or fine structure.
_FLAT_UP_TO, _ALIKE = 0.35, 0.25
_GREY_STEP = 16
_LEAST_GREY_RANGE = 24
# Rounding to whole grey levels alone is noise of 0.29.
_LEAST_SIGMA = 0.6
# Within so many standard deviations of black and white, clipping narrows the noise.
_CLEAR_OF_CLIPPING = 2.5
# Averaged electrons of a slow scan have a skewness near 0, simulated Gamma noise 0.8.
_GAUSSIAN_UP_TO, _GAMMA_FROM = 0.15, 0.35


def measure_noise(
    image: TiledImage, valid: TiledImage | None = None, *, panorama: str
) -> NoiseRecord:
    """Return the noise of a panorama, from flat areas of its valid pixels.

    Up to 64 windows of 256 x 256 pixels are spread evenly over the panorama and cut into patches
    of 16 x 16 pixels. Those whose surroundings are flattest are measured (`flat_patches`), each
    without the plane that fits it best. Where neighbouring pixels are alike in both directions and
    no area is flat, it may be noise or fine structure: then only the finest part is known. Not even
    that is, where no window has enough valid pixels, or neighbouring pixels do not differ. The
    result depends on the panorama alone.

    sigma, correlation
        From the flattest 5 % of the patches, corrected for what planes take away and structure
        adds (`flat_patches.covariances`).
    lines
        Offsets that patches beside each other share, row by row.
    grey
        The finest part of the noise of each grey, which edges hardly change, scaled to the whole,
        and the line through the variances: counted electrons give one that grows [1]_.
    distribution
        From the median of the skewness of patches: fast scans give Gamma-like noise [2]_.

    Parameters
    ----------
    image, valid : TiledImage
        The panorama as it was recorded, and its mask; everywhere valid without one.
    panorama : str

    Returns
    -------
    NoiseRecord

    References
    ----------
    .. [1] A. Foi et al., Practical Poissonian-Gaussian noise modeling and fitting for single-image
       raw-data, IEEE Transactions on Image Processing 17 (2008) 1737, doi:10.1109/TIP.2008.2001399
    .. [2] K. S. Sim, V. Teh, Estimation of the signal-to-noise ratio of scanning electron
       microscope images, Scanning 38 (2016) 771, doi:10.1002/sca.21327
    """
    windows = list(spread_windows(image, valid))
    found = FlatPatches.joined([flat_patches(pixels, usable) for pixels, usable in windows])
    return NoiseRecord(
        panorama=panorama,
        fine_grey=_fine_noise(windows),
        **_of_patches(found),
        versions=package_versions(*IMAGE_PACKAGES),
    )


def _of_patches(found):
    flat = {
        name: choose_flat(found, part=part, least=_LEAST_PATCHES)
        for name, part in _FLAT_PARTS.items()
    }
    lines = line_variance(flat["fine"])
    unknown = {
        "patches": 0,
        "sigma_grey": None,
        "correlation_along": None,
        "correlation_across": None,
        "line_grey": round(math.sqrt(lines), 4),
        "by_grey": (),
        "variance_slope": None,
        "variance_intercept": None,
        "skewness": None,
        "distribution": "undecided",
    }
    if len(found.greys) < _LEAST_PATCHES:
        return unknown
    usual = _usual(flat["covariance"])
    greys, fine, counts = _fine_by_grey(found)
    scale = np.interp(usual.greys, greys, fine) if len(greys) else 1.0
    covariance = covariances(usual, scale)
    variance = covariance[0, 0]
    sigma = math.sqrt(max(variance, 0.0))
    alike = min(covariance[0, 1], covariance[1, 0]) > _ALIKE * variance
    if variance <= 0 or (alike and np.median(usual.unevenness) > _FLAT_UP_TO):
        return unknown
    known = unknown | {"patches": len(usual.greys), "sigma_grey": round(sigma, 4)}
    if sigma < _LEAST_SIGMA:
        return known
    lines = min(lines, variance)
    pixels = max(variance - lines, 1e-9)
    by_grey = tuple(
        GreyNoise(
            grey=round(grey, 2),
            sigma_grey=round(sigma * math.sqrt(part / np.mean(scale)), 4),
            patches=count,
        )
        for grey, part, count in zip(greys, fine, counts, strict=True)
        if _CLEAR_OF_CLIPPING * sigma <= min(grey, 255 - grey)
    )
    residuals = flat["skewness"].residuals
    cubes, squares = ((residuals**power).mean(axis=(1, 2)) for power in (3, 2))
    skewness = float(np.median(cubes / squares**1.5))
    return known | {
        "correlation_along": _rounded((covariance[0, lag] - lines) / pixels for lag in LAGS),
        "correlation_across": _rounded(covariance[lag, 0] / pixels for lag in LAGS),
        "by_grey": by_grey,
        **_line_through(by_grey),
        "skewness": round(skewness, 4),
        "distribution": _distribution(skewness),
    }


def _usual(patches):
    """Return the patches whose variance is within a factor of three of the median."""
    variances = patches.variances
    middle = np.median(variances)
    return patches.chosen((variances >= middle / 3) & (variances <= 3 * middle))


def _rounded(values):
    return tuple(round(float(np.clip(value, -1, 1)), 4) for value in values)


def _distribution(skewness):
    if abs(skewness) <= _GAUSSIAN_UP_TO:
        return "gaussian"
    return "gamma" if skewness >= _GAMMA_FROM else "undecided"


def _fine_by_grey(found):
    """Return the finest part of the variance of the flattest patches of each range of greys.

    With the mean grey and the number of these patches; ranges of few patches are left out.
    """
    steps = (found.greys // _GREY_STEP).astype(int)
    measured = []
    for step in np.unique(steps):
        here = found.chosen(steps == step)
        flat = choose_flat(here, part=_FLAT_PARTS["fine"], least=_LEAST_PATCHES)
        fine = float(np.median(flat.fine_variances))
        if len(flat.greys) >= _LEAST_PATCHES and fine > 0:
            measured.append((float(flat.greys.mean()), fine, len(flat.greys)))
    return tuple(zip(*measured, strict=True)) if measured else ((), (), ())


def _line_through(by_grey):
    unknown = {"variance_slope": None, "variance_intercept": None}
    if not by_grey or by_grey[-1].grey - by_grey[0].grey < _LEAST_GREY_RANGE:
        return unknown
    greys, sigmas, patches = np.array([(b.grey, b.sigma_grey, b.patches) for b in by_grey]).T
    # The error of a variance grows with the variance.
    weights = np.sqrt(patches) / sigmas**2
    slope, intercept = np.polyfit(greys, sigmas**2, 1, w=weights)
    return {
        "variance_slope": round(float(slope), 4),
        "variance_intercept": round(float(intercept), 4),
    }


def spread_windows(
    image: TiledImage, valid: TiledImage | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield up to 64 windows of 256 x 256 pixels that are spread evenly over a panorama.

    Yields
    ------
    pixels : numpy.ndarray, uint8, shape (rows, columns)
    usable : numpy.ndarray of bool, same shape
        Valid pixels that are neither black nor white: those are clipped and carry no noise.
    """
    for top in _starts(image.shape[0]):
        for left in _starts(image.shape[1]):
            window = Window(
                top=top,
                left=left,
                bottom=min(top + _WINDOW_PX, image.shape[0]),
                right=min(left + _WINDOW_PX, image.shape[1]),
            )
            pixels = image.read(window)
            usable = (pixels > 0) & (pixels < 255)
            if valid is not None:
                usable &= valid.read(window) == VALID
            yield pixels, usable


def fine_noise(image: TiledImage, valid: TiledImage | None = None) -> float:
    """Return the standard deviation of what neighbouring pixels do not share, in grey levels.

    In each of up to 64 windows (`spread_windows`) it is the median absolute deviation of the finest
    diagonal wavelet coefficients [1]_; the median over the windows is returned, so that scratches
    and large inclusions do not count. Windows in which more than 5 % of the pixels are black, white
    or not valid are left out; if there are no others, those up to 50 % are measured without these
    pixels.

    Returns
    -------
    float
        0 if it cannot be measured: no window can be used, or neighbouring pixels do not differ.

    References
    ----------
    .. [1] D. L. Donoho, I. M. Johnstone, Ideal spatial adaptation by wavelet shrinkage,
       Biometrika 81 (1994) 425, doi:10.1093/biomet/81.3.425
    """
    return _fine_noise(spread_windows(image, valid)) or 0.0


def _fine_noise(windows):
    """Return it as `fine_noise`; None where no window can be used or neighbours do not differ."""
    whole, parts = [], []
    for pixels, usable in windows:
        if min(pixels.shape) > 1:
            share = usable.mean()
            if share >= 1 - _CLIPPED_FRACTION:
                whole.append(noise_of(pixels))
            elif share >= _LEAST_USABLE_FRACTION and not whole:
                parts.append(noise_of(pixels, usable))
    estimates = whole or parts
    if not estimates:
        return None
    # Where all pixels are alike the estimate is NaN or the dust of floating point numbers.
    return round(float(np.median(np.nan_to_num(estimates))), 6) or None


def noise_of(pixels: np.ndarray, usable: np.ndarray | None = None) -> float:
    """Return the standard deviation of the noise of an image by the method of `fine_noise`.

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
