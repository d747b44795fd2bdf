"""From the sizes of sections to those of spheres: the method of Scheil, Schwartz and Saltykov.

A plane cuts few spheres through their middle, and large ones more often than small ones. Counted
from the largest class downwards, the sections that larger spheres make are taken away from each
class, and what is left belongs to spheres of that class. Sections below the detection limit are
not needed for it: they come from spheres of any size but only tell of those below the limit.

It holds for spheres that are cut at random. Voids are no spheres, and a slit that is cut across
looks like a small void: for crack-like voids the result is a bound, not an estimate.

References
----------
Saltykov, in Stereology, Proceedings of the Second International Congress (1967) 163-173.
Underwood, Quantitative Stereology (1970), chapter 5.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

#: Sites below which nothing is unfolded.
LEAST_SITES = 50
_LEAST_CLASSES, _MOST_CLASSES = 4, 12


def class_edges(diameters_um: ArrayLike, *, limit_um: float) -> np.ndarray:
    """Return the edges of classes of diameters from the detection limit to the largest section.

    Each is by the same factor wider than the one before, as sizes are skewed. Their number grows
    with the root of that of the sections, from 4 to 12.
    """
    diameters = np.asarray(diameters_um, float)
    classes = int(np.clip(np.sqrt(len(diameters)) / 2, _LEAST_CLASSES, _MOST_CLASSES))
    return np.geomspace(limit_um, diameters.max() * (1 + 1e-9), classes + 1)


def section_lengths(edges_um: np.ndarray) -> np.ndarray:
    """Return in how thick a layer the plane must lie to cut a sphere in a class of sections.

    Parameters
    ----------
    edges_um : numpy.ndarray, shape (k + 1,)
        Spheres of a class have its upper edge as diameter.

    Returns
    -------
    numpy.ndarray, float64, shape (k, k)
        In um: row i, sections of class i; column j, spheres of class j.
    """
    spheres = edges_um[1:]
    chords = np.sqrt(np.maximum(spheres[None] ** 2 - edges_um[:, None] ** 2, 0))
    return chords[:-1] - chords[1:]


def unfold(
    counts: ArrayLike, edges_um: np.ndarray, *, area_mm2: float, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of spheres per volume in each class.

    Parameters
    ----------
    counts : array_like of int, shape (k,)
        Sections in each class.
    edges_um : numpy.ndarray, shape (k + 1,)
    area_mm2 : float
        Area of the plane.
    confidence : float, optional
        Of the intervals: counts scatter as Poisson counts do, and errors of larger classes go on
        into smaller ones.

    Returns
    -------
    per_mm3, low, high : numpy.ndarray, float64, shape (k,)
        Negative where larger spheres make more sections than were found.
    """
    counts = np.asarray(counts, float)
    # Lengths in mm, so that volumes come out in mm3.
    back = np.linalg.inv(section_lengths(edges_um) / 1000)
    per_mm3 = back @ counts / area_mm2
    # A count of zero scatters, too.
    deviation = np.sqrt(back**2 @ np.maximum(counts, 1)) / area_mm2
    half = stats.norm.ppf((1 + confidence) / 2) * deviation
    return per_mm3, per_mm3 - half, per_mm3 + half
