"""Random sites: without any tie to each other, but not closer than sites can be found at all.

Sites closer than the merge distance are one site, so no pattern of sites has pairs below it. Random
patterns keep that distance, too: points are drawn one after another, and one too close to an
earlier one is drawn again (simple sequential inhibition).
"""

import numpy as np
from scipy.spatial import cKDTree

from damascene.space.area import Area
from damascene.space.pairs import stacked

#: Area of the discs of half the distance over the whole: far below the 0.547 that can be reached.
MOST_PACKED = 0.3
_MOST_ROUNDS = 200


class TooDense(ValueError):
    """So many sites cannot keep such a distance in this area."""


def random_patterns(
    area: Area,
    *,
    count: int,
    patterns: int,
    hard_core_um: float,
    rng: np.random.Generator,
    intensity: np.ndarray | None = None,
) -> np.ndarray:
    """Draw patterns of random sites.

    Parameters
    ----------
    area : Area
    count : int
        Sites of each pattern.
    patterns : int
    hard_core_um : float
        Least distance of two sites; 0 for none.
    rng : numpy.random.Generator
    intensity : numpy.ndarray, shape of the cells, optional
        Relative density of sites in each cell; the same everywhere if not given.

    Returns
    -------
    numpy.ndarray, float64, shape (patterns, count, 2)
        x and y in um.

    Raises
    ------
    TooDense
        If discs of the least distance would cover more than `MOST_PACKED` of the area.
    """
    if count * np.pi * hard_core_um**2 / 4 > MOST_PACKED * area.um2:
        raise TooDense
    weight = area.valid if intensity is None else area.valid * intensity
    cumulated = np.cumsum(weight.ravel())
    points = _drawn(area, cumulated, patterns * count, rng)
    if hard_core_um <= 0:
        return points.reshape(patterns, count, 2)
    pattern = np.repeat(np.arange(patterns), count)
    for _ in range(_MOST_ROUNDS):
        tree = cKDTree(stacked(points, pattern, reach_um=hard_core_um))
        close = tree.query_pairs(hard_core_um, output_type="ndarray")
        if not len(close):
            return points.reshape(patterns, count, 2)
        again = _refused(close)
        points[again] = _drawn(area, cumulated, len(again), rng)
    raise TooDense


def _drawn(area, cumulated, number, rng):
    cell = np.searchsorted(cumulated, rng.random(number) * cumulated[-1], side="right")
    row, column = np.divmod(cell, area.valid.shape[1])
    return (np.column_stack([column, row]) + rng.random((number, 2))) * area.cell_um


def _refused(close):
    """Return the later point of each close pair, unless the earlier one is drawn again itself."""
    refused = set()
    for first, second in np.sort(close, axis=1)[np.lexsort(np.sort(close, axis=1).T)]:
        if first not in refused:
            refused.add(int(second))
    return np.array(sorted(refused), int)
