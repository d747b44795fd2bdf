"""Filters and morphology on images, held against a known truth."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy import ndimage

#: Neighbours of a pixel along rows and columns, and the pixel itself.
CROSS = ndimage.generate_binary_structure(2, 1)

Filter = Callable[[np.ndarray], np.ndarray]

#: Those of the page, by the name that readers see.
FILTERS: Mapping[str, Filter] = {
    "none": lambda image: image.astype(float),
    "Gaussian, σ = 1 px": lambda image: ndimage.gaussian_filter(image.astype(float), 1),
    "Gaussian, σ = 3 px": lambda image: ndimage.gaussian_filter(image.astype(float), 3),
    "median, 3 x 3 px": lambda image: ndimage.median_filter(image, 3).astype(float),
    "median, 7 x 7 px": lambda image: ndimage.median_filter(image, 7).astype(float),
}


def with_noise(image: np.ndarray, *, spread: float, seed: int) -> np.ndarray:
    """Add noise of the normal distribution, as a short dwell time would; uint8 in and out."""
    noise = np.random.default_rng(seed).normal(scale=spread, size=image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


def with_defects(image: np.ndarray, *, share: float, seed: int) -> np.ndarray:
    """Make a share of the pixels black or white, half each: "salt and pepper"; uint8."""
    chance = np.random.default_rng(seed).random(image.shape)
    spoilt = np.where(chance < share / 2, np.uint8(0), image)
    return np.where(chance > 1 - share / 2, np.uint8(255), spoilt)


def error_of_filters(
    clean: np.ndarray, spoilt: Mapping[str, np.ndarray], *, filters: Mapping[str, Filter] = FILTERS
) -> pd.DataFrame:
    """Tell how far from a clean image each filter leaves spoilt ones.

    Parameters
    ----------
    clean : numpy.ndarray, uint8, shape (rows, columns)
    spoilt : mapping of str to numpy.ndarray, uint8, same shape
    filters : mapping of str to function, optional

    Returns
    -------
    pandas.DataFrame
        filter, and a column for each spoilt image: root of the mean squared error in grey values.
    """
    rows = []
    for name, applied in filters.items():
        errors = {
            kind: float(np.sqrt(np.mean((applied(image) - clean) ** 2)))
            for kind, image in spoilt.items()
        }
        rows.append({"filter": name} | errors)
    return pd.DataFrame(rows)


def sobel_edges(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return strength and direction of the edges of an image.

    Parameters
    ----------
    image : numpy.ndarray, shape (rows, columns)

    Returns
    -------
    strength : numpy.ndarray, float64, shape (rows, columns)
        Length of the gradient in grey values per pixel. The sums of Sobel are divided by 8, the
        sum of the absolute weights of one side times the distance of the columns that they compare.
    direction : numpy.ndarray, float64, same shape
        Of the steepest rise in degrees from -180 to 180: 0 to the right, 90 down.
    """
    grey = image.astype(float)
    down, right = ndimage.sobel(grey, axis=0), ndimage.sobel(grey, axis=1)
    return np.hypot(down, right) / 8, np.degrees(np.arctan2(down, right))


def four_operations(mask: np.ndarray, *, times: int = 1) -> dict[str, np.ndarray]:
    """Return erosion, dilation, opening and closing of a mask with a cross of five pixels.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
        Outside the image nothing changes: what lies there counts as the mask would need it.
    times : int, optional
        Steps of one pixel.

    Returns
    -------
    dict of str to numpy.ndarray, bool, same shape
    """

    def eroded(part):
        return ndimage.binary_erosion(part, CROSS, iterations=times, border_value=1)

    def dilated(part):
        return ndimage.binary_dilation(part, CROSS, iterations=times)

    return {
        "erosion": eroded(mask),
        "dilation": dilated(mask),
        "opening": dilated(eroded(mask)),
        "closing": eroded(dilated(mask)),
    }


def small_mask() -> np.ndarray:
    """Return a square with a hole and a single pixel, on which the operations are done on paper."""
    mask = np.zeros((9, 13), bool)
    mask[2:7, 2:7] = True
    mask[4, 4] = False
    mask[4, 10] = True
    return mask
