"""Intervals of numbers of sites that gather: each block of the panorama is left out once.

Sites that cluster say less than as many independent ones; blocks that hold whole clusters say so.

References
----------
Efron & Stein, The jackknife estimate of variance, 10.1214/aos/1176345462.
"""

import numpy as np
from scipy import stats

#: Blocks along each side of the panorama.
BLOCKS = 5
_LEAST = 5


def block_of(points_um: np.ndarray, extent_um: tuple[float, float]) -> np.ndarray:
    """Return the block of each point (n, 2) in a panorama of a width and a height."""
    parts = np.clip((points_um / np.asarray(extent_um) * BLOCKS).astype(int), 0, BLOCKS - 1)
    return parts[:, 1] * BLOCKS + parts[:, 0]


def ratio_interval(
    above: np.ndarray, below: np.ndarray, *, confidence: float
) -> tuple[float, float, float]:
    """Return the interval of a ratio of sums over blocks, and the p value of a ratio of one.

    The logarithm is taken, and Student's distribution with a degree of freedom less than blocks.

    Parameters
    ----------
    above, below : numpy.ndarray, shape (blocks,)
        What each block adds to the numerator and to the denominator.
    confidence : float

    Returns
    -------
    low, high, p_value : float
        NaN where fewer than five blocks hold anything, or all hold a part only one has.
    """
    held = (above > 0) | (below > 0)
    above, below = above[held], below[held]
    blocks = len(above)
    left = above.sum() - above, below.sum() - below
    if blocks < _LEAST or min(each.min() for each in left) <= 0:
        return np.nan, np.nan, np.nan
    without = np.log(left[0] / left[1])
    spread = np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum())
    value = np.log(above.sum() / below.sum())
    if not spread > 0:
        return np.nan, np.nan, np.nan
    half = stats.t.ppf((1 + confidence) / 2, blocks - 1) * spread
    p_value = 2 * stats.t.sf(abs(value) / spread, blocks - 1)
    return float(np.exp(value - half)), float(np.exp(value + half)), float(p_value)
