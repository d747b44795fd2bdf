"""Bootstrap over groups of sites, which resemble each other within a group.

References
----------
Davison & Hinkley, Bootstrap Methods and their Application, section 3.8 (resampling of groups),
10.1017/CBO9780511802843.
"""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 1000


def draw_groups(
    groups: Sequence[str], *, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw groups with replacement, as many as there are, for a bootstrap over groups.

    Returns
    -------
    member : numpy.ndarray, int, shape (n,)
        Number of the group of each site.
    drawn : numpy.ndarray, int, shape (resamples, groups)
        How often each group was drawn; without groups there are no columns.
    """
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if not len(names):
        return member, np.zeros((resamples, 0), int)
    proportions = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), proportions, size=resamples)
    return member, drawn


def percentile_interval(draws: Sequence[float], *, confidence: float) -> tuple[float, float]:
    """Return the percentile interval of resampled values; nan without any."""
    if not len(draws):
        return np.nan, np.nan
    tail = 50 * (1 - confidence)
    low, high = np.percentile(draws, [tail, 100 - tail])
    return low, high
