"""Pairs of sites by distance and direction, each weighted for the border of the area.

A pair at the vector h can only be seen from places of which both ends are valid: it is weighted by
the area of the mask over what the mask has in common with a copy of it shifted by h (translation
correction; Ohser 1983). Many patterns are worked on at once: they lie in one tree of three
dimensions, far apart along the third.

References
----------
Ohser, On estimators for the reduced second moment measure of point processes, Mathematische
Operationsforschung und Statistik 14 (1983) 63-71.
Baddeley, Rubak & Turner, Spatial Point Patterns (2015), 10.1201/b19708, chapter 7.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

#: A function of dx and dy, see `Area.covariance`.
Shared = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Pairs of points up to a distance, each once.

    Attributes
    ----------
    first, second : numpy.ndarray of int, shape (pairs,)
        Rows of the points.
    distance_um : numpy.ndarray of float64, shape (pairs,)
    weight : numpy.ndarray of float64, shape (pairs,)
        One over the area in which such a pair is seen, in 1/um².
    along : numpy.ndarray of bool, shape (pairs,)
        Whether the pair lies rather along the direction of the bands than across it.
    """

    first: np.ndarray
    second: np.ndarray
    distance_um: np.ndarray
    weight: np.ndarray
    along: np.ndarray


def find_pairs(
    points_um: np.ndarray,
    *,
    reach_um: float,
    shared: Shared,
    pattern: np.ndarray | None = None,
    direction_deg: float = 0.0,
) -> Pairs:
    """Find all pairs of points up to a distance.

    Parameters
    ----------
    points_um : numpy.ndarray, float64, shape (n, 2)
        x and y.
    reach_um : float
        Longest distance.
    shared : function
        Of `Area.covariance`, for at least this reach.
    pattern : numpy.ndarray of int, shape (n,), optional
        Pattern of each point: pairs are of one pattern.
    direction_deg : float, optional
        Direction of the bands, counter-clockwise from x as seen; y counts downwards.
    """
    tree = cKDTree(stacked(points_um, pattern, reach_um=reach_um))
    first, second = tree.query_pairs(reach_um, output_type="ndarray").T
    dx, dy = (points_um[second] - points_um[first]).T
    angle = np.radians(2 * direction_deg)
    # Positive where the part of the vector along the direction is longer than that across it.
    along = (dx * dx - dy * dy) * np.cos(angle) - 2 * dx * dy * np.sin(angle)
    return Pairs(
        first=first,
        second=second,
        distance_um=np.sqrt(dx * dx + dy * dy),
        # No pair is seen from less than a cell; without a bound rounding could make it none.
        weight=1 / np.maximum(shared(dx, dy), 1e-9),
        along=along >= 0,
    )


def stacked(points_um: np.ndarray, pattern: np.ndarray | None, *, reach_um: float) -> np.ndarray:
    """Return points with a third coordinate that keeps patterns apart by more than the reach."""
    if pattern is None:
        return points_um
    extent = np.ptp(points_um, axis=0).max(initial=0) if len(points_um) else 0
    return np.column_stack([points_um, pattern * (4.0 * (extent + reach_um))])


def ring_sums(
    pairs: Pairs,
    edges_um: np.ndarray,
    *,
    pattern: np.ndarray | None = None,
    patterns: int = 1,
    marks: np.ndarray | None = None,
) -> np.ndarray:
    """Sum up the weights of pairs in rings of distance.

    Parameters
    ----------
    pairs : Pairs
    edges_um : numpy.ndarray, shape (rings + 1,)
        Rising. What is closer than the first one counts in the first column of the result.
    pattern : numpy.ndarray of int, shape (n,), optional
        Pattern of each point.
    patterns : int, optional
        How many there are.
    marks : numpy.ndarray of float, shape (n,), optional
        Factors on the weight of a pair, one for each of its points; for instance one over the
        intensity there.

    Returns
    -------
    numpy.ndarray, float64, shape (2, patterns, rings + 1)
        Ordered pairs, so each twice: along the bands and across them; those closer than the first
        edge, then by ring.
    """
    rings = len(edges_um)
    place = np.searchsorted(edges_um, pairs.distance_um, side="left")
    weight = 2 * pairs.weight
    if marks is not None:
        weight = weight * marks[pairs.first] * marks[pairs.second]
    kept = place < rings
    index = np.where(pairs.along, 0, patterns) + (0 if pattern is None else pattern[pairs.first])
    sums = np.bincount(
        (index * rings + place)[kept], weights=weight[kept], minlength=2 * patterns * rings
    )
    return sums.reshape(2, patterns, rings)


def ripley_k(sums: np.ndarray, *, count: float | np.ndarray, area_um2: float) -> np.ndarray:
    """Return Ripley's K at the edges of the rings, in um².

    Parameters
    ----------
    sums : numpy.ndarray, shape (..., rings + 1)
        Of `ring_sums`, of both directions together.
    count : int or array
        Points of each pattern; the square of the intensity is estimated by n (n - 1) over the
        squared area, which is unbiased.
    area_um2 : float
    """
    return np.cumsum(sums, axis=-1) * area_um2**2 / (count * (count - 1.0))


def ripley_l(k_um2: np.ndarray) -> np.ndarray:
    """Return L, the square root of K over pi, in um: the distance itself for random sites."""
    return np.sqrt(np.maximum(k_um2, 0) / np.pi)


def pair_correlation(
    sums: np.ndarray,
    edges_um: np.ndarray,
    *,
    count: float | np.ndarray,
    area_um2: float,
    part: float = 1.0,
) -> np.ndarray:
    """Return the pair correlation in rings: pairs over those of random sites.

    No kernel and no width of one is needed: a value is the mean over its ring.

    Parameters
    ----------
    sums, count, area_um2
        See `ripley_k`.
    edges_um : numpy.ndarray, shape (rings + 1,)
    part : float, optional
        Part of all directions that the sums hold: a half for those along bands.
    """
    rings_um2 = np.pi * np.diff(edges_um**2) * part
    return sums[..., 1:] * area_um2**2 / (count * (count - 1.0)) / rings_um2
