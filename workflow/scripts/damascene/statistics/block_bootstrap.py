"""Densities of a panorama from blocks of it that are drawn again and again.

Sites gather in martensite bands, so that single sites are no independent trials. Blocks wider than
such a gathering nearly are. Where blocks are few, their scatter is itself uncertain: it is scaled
up by the number of blocks over one less, and Student's t takes the place of the normal
distribution.

References
----------
Hall, Resampling a coverage pattern, 10.1016/0304-4149(85)90212-1.
Lahiri, Resampling Methods for Dependent Data, chapter 12, 10.1007/978-1-4757-3803-2.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from damascene.statistics.blocks import Blocks, dispersion

#: Drawings of a panorama; the standard error of a bound from them is about a tenth of its distance
#: from the density.
REPLICATES = 2000
# Drawings that are held in memory at a time, times blocks.
_CHUNK = 2_000_000


def bootstrap_densities(
    counts: np.ndarray,
    areas_mm2: np.ndarray,
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> np.ndarray:
    """Draw the blocks of a panorama with replacement and return the density of each class.

    All classes are counted in the same drawn blocks, so that what they have in common (a band) is
    in the replicates too. As drawn, replicates scatter less than they should where blocks are few,
    and not at all where no site was counted: `spread_densities` corrects this.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (blocks, classes)
    areas_mm2 : numpy.ndarray of float, shape (blocks,)
        Valid area of each block, greater than 0.
    seed : int
    replicates : int, optional

    Returns
    -------
    numpy.ndarray, float64, shape (replicates, classes)
        Sites per mm². Time grows linearly with blocks times replicates.

    Raises
    ------
    ValueError
        If there are fewer than two blocks, or a block without area.
    """
    counts, areas_mm2 = np.asarray(counts, float), np.asarray(areas_mm2, float)
    blocks = len(areas_mm2)
    if blocks < 2:
        raise ValueError("fewer than two blocks cannot be drawn")
    if not (areas_mm2 > 0).all():
        raise ValueError("every block needs a valid area")
    random = np.random.default_rng(seed)
    parts, step = [], max(1, _CHUNK // blocks)
    for first in range(0, replicates, step):
        size = min(step, replicates - first)
        drawn = random.multinomial(blocks, np.full(blocks, 1 / blocks), size=size)
        parts.append((drawn @ counts) / (drawn @ areas_mm2)[:, None])
    return np.concatenate(parts)


def spread_densities(
    counts: np.ndarray,
    areas_mm2: np.ndarray,
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> np.ndarray:
    """Return replicates of the density that scatter as widely as it is uncertain.

    Percentiles of them are bounds of a confidence interval: never narrower than the exact Poisson
    interval, that one where nothing was counted, and wider where blocks are few or differ. Use
    them where a density goes into something else (a corrected count, a ratio).

    Parameters
    ----------
    counts, areas_mm2, seed, replicates
        As in `bootstrap_densities`.

    Returns
    -------
    numpy.ndarray, float64, shape (replicates, classes)
    """
    drawn = bootstrap_densities(counts, areas_mm2, seed=seed, replicates=replicates)
    random = np.random.default_rng([seed, 1])
    blocks = Blocks(np.asarray(counts, float), np.asarray(areas_mm2, float), (np.nan, np.nan))
    scatter, total, area = dispersion(blocks), blocks.counts.sum(axis=0), blocks.areas_mm2.sum()
    spread = np.empty_like(drawn)
    # Quantiles at fewer levels than there are replicates; between them they are nearly straight.
    levels = special.ndtr(np.linspace(-4, 4, 401))
    for index in range(drawn.shape[1]):
        # Ranks keep what classes have in common; ties, of rare classes above all, fall at random.
        order = np.lexsort((random.random(replicates), drawn[:, index]))
        rank = np.empty(replicates)
        rank[order] = (np.arange(replicates) + 0.5) / replicates
        bounds = dispersed_quantiles(
            levels,
            total[index],
            dispersion=scatter[index] if total[index] else 0.0,
            freedom=len(blocks.areas_mm2) - 1,
        )
        spread[:, index] = np.interp(rank, levels, bounds) / area
    return spread


def dispersed_quantiles(
    level: np.ndarray, count: ArrayLike, *, dispersion: ArrayLike, freedom: float
) -> np.ndarray:
    """Return quantiles of the mean of a count that scatters more than a Poisson count.

    Without over-dispersion they are the exact Poisson bounds (Garwood). A dispersion makes the
    count tell as much as a Poisson count that many times smaller; that it was estimated, with so
    many degrees of freedom, makes it larger by the square of Student's t over the normal quantile.

    Parameters
    ----------
    level : numpy.ndarray of float
        Between 0 and 1: below a half lower bounds, above upper ones.
    count : array_like of float
        Broadcast with the levels.
    dispersion : array_like of float
        Variance of the count over its mean.
    freedom : float
        Degrees of freedom of the dispersion, 1 at least.
    """
    level = np.asarray(level, float)
    far = np.maximum(np.abs(stats.norm.ppf(level)), 1e-6)
    factor = np.abs(stats.t.isf(np.minimum(level, 1 - level), freedom)) / far
    # Blocks that differ less than chance does say nothing against a Poisson count.
    scale = np.maximum(dispersion * factor**2, 1.0)
    upper = level >= 0.5

    def bound(scale):
        return np.nan_to_num(scale * special.gammaincinv(count / scale + upper, level))

    exact, wider = bound(1.0), bound(scale)
    return np.where(upper, np.maximum(exact, wider), np.minimum(exact, wider))
