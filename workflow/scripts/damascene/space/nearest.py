"""Distances to the nearest site.

The nearest neighbour of a site near the border may lie outside. Only sites nearer to their
neighbour than to the border tell their true distance; each is weighted by one over the area in
which a site with this distance would tell it (Hanisch's estimator), so that long distances, which
are lost more often, count as often as they occur.

References
----------
Hanisch, Some remarks on estimators of the distribution function of nearest neighbour distance in
stationary spatial point processes, Statistics 15 (1984) 409-412.
Clark & Evans, Ecology 35 (1954) 445-453, 10.2307/1931034.
"""

import numpy as np
from scipy.spatial import cKDTree

from damascene.space.area import Area
from damascene.space.pairs import stacked


def nearest_um(points_um: np.ndarray, pattern: np.ndarray | None = None) -> np.ndarray:
    """Return the distance of each point to the nearest other one of its pattern.

    Parameters
    ----------
    points_um : numpy.ndarray, float64, shape (n, 2)
        At least two of each pattern.
    pattern : numpy.ndarray of int, shape (n,), optional
    """
    places = stacked(points_um, pattern, reach_um=1.0)
    return cKDTree(places).query(places, k=2)[0][:, 1]


def hanisch_weights(points_um: np.ndarray, distances_um: np.ndarray, area: Area) -> np.ndarray:
    """Return the weight of each distance, 0 for a site nearer to the border than to its neighbour.

    Parameters
    ----------
    points_um : numpy.ndarray, shape (n, 2)
    distances_um : numpy.ndarray, shape (n,)
        Of `nearest_um`.
    area : Area
    """
    eroded = area.eroded_um2(distances_um)
    told = (distances_um <= area.border_um(points_um)) & (eroded > 0)
    return np.divide(1.0, eroded, where=told, out=np.zeros(len(distances_um)))


def nearest_distribution(
    distances_um: np.ndarray,
    weights: np.ndarray,
    at_um: np.ndarray,
    *,
    pattern: np.ndarray | None = None,
    patterns: int = 1,
) -> np.ndarray:
    """Return G: the part of sites whose nearest neighbour is not farther than each distance.

    Parameters
    ----------
    distances_um, weights : numpy.ndarray, shape (n,)
        Of `nearest_um` and `hanisch_weights`; equal weights leave the border out of account.
    at_um : numpy.ndarray, shape (m,)
        Rising distances.
    pattern, patterns
        Pattern of each point and their number.

    Returns
    -------
    numpy.ndarray, float64, shape (patterns, m)
    """
    row = np.zeros(len(distances_um), int) if pattern is None else pattern
    place = np.searchsorted(at_um, distances_um, side="left")
    width = len(at_um) + 1
    sums = np.bincount(row * width + place, weights=weights, minlength=patterns * width)
    cumulated = np.cumsum(sums.reshape(patterns, width), axis=1)
    return cumulated[:, :-1] / np.maximum(cumulated[:, -1:], 1e-300)


def clark_evans(
    distances_um: np.ndarray,
    weights: np.ndarray,
    *,
    count: int,
    area_um2: float,
    pattern: np.ndarray | None = None,
    patterns: int = 1,
) -> np.ndarray:
    """Return the mean distance to the nearest site over that of random sites.

    Below 1 for clusters, above 1 where sites keep apart. Random sites of an intensity are half of
    one over its square root apart.

    Returns
    -------
    numpy.ndarray, float64, shape (patterns,)
        NaN where no site tells its distance.
    """
    row = np.zeros(len(distances_um), int) if pattern is None else pattern
    total = np.bincount(row, weights=weights, minlength=patterns)
    weighted = np.bincount(row, weights=weights * distances_um, minlength=patterns)
    mean = np.divide(weighted, total, where=total > 0, out=np.full(patterns, np.nan))
    return mean * 2 * np.sqrt(count / area_um2)
