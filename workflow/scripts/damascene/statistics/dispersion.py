"""Whether sites lie independently of each other, from their numbers in blocks.

References
----------
Fisher, Thornton & Mackenzie, The accuracy of the plating method, 10.1111/j.1744-7348.1922.tb05962.x
(index of dispersion).
Haldane, The exact value of the moments of the distribution of chi², 10.1093/biomet/29.1-2.133.
Simes, An improved Bonferroni procedure, 10.1093/biomet/73.3.751.
"""

import numpy as np
from scipy import stats

from damascene.statistics.blocks import Blocks, dispersion


def dispersion_p_value(blocks: Blocks) -> np.ndarray:
    """Return the probability that independent sites scatter over blocks as much or more.

    Given their number, independent sites fall into blocks by area. The sum of squared deviations
    over expected counts then follows about a chi-square law; that law is scaled to the exact mean
    and variance, which matters where a block holds few sites.

    Parameters
    ----------
    blocks : Blocks

    Returns
    -------
    numpy.ndarray, float64, shape (classes,)
        NaN with fewer than two sites or two blocks.
    """
    counts, share = blocks.counts, blocks.areas_mm2 / blocks.areas_mm2.sum()
    number, total = len(share), counts.sum(axis=0).astype(float)
    tested = total >= 2
    p_values = np.full(counts.shape[1], np.nan)
    if number < 2 or not tested.any():
        return p_values
    total = total[tested]
    expected = share[:, None] * total
    statistic = ((counts[:, tested] - expected) ** 2 / expected).sum(axis=0)
    mean = number - 1
    variance = 2 * mean + ((1 / share).sum() - number**2 - 2 * number + 2) / total
    p_values[tested] = stats.gamma.sf(statistic, mean**2 / variance, scale=variance / mean)
    return p_values


def simes(p_values: np.ndarray) -> np.ndarray:
    """Return one p value from those of several block sizes, along the first axis.

    It holds although the sizes look at the same sites; NaN where all are.
    """
    ordered = np.sort(p_values, axis=0)
    tests = np.isfinite(ordered).sum(axis=0)
    rank = np.arange(1, len(ordered) + 1)[:, None]
    bound = np.nanmin(np.where(np.isfinite(ordered), ordered * tests / rank, np.inf), axis=0)
    return np.where(tests > 0, np.minimum(bound, 1.0), np.nan)


def by_block_size(sizes: list[Blocks], *, chosen: int, index: int) -> list[dict]:
    """Return a row of `DISPERSION` for each size of blocks, for one class."""
    return [
        {
            "block_height_um": each.edge_um[0],
            "block_width_um": each.edge_um[1],
            "blocks": len(each.areas_mm2),
            "mean_count": each.counts[:, index].mean(),
            "dispersion": dispersion(each)[index],
            "p_value": dispersion_p_value(each)[index],
            "chosen": place == chosen,
        }
        for place, each in enumerate(sizes)
    ]
