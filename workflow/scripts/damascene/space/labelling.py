"""Whether sites of two classes lie together more often than their numbers and places make likely.

The places stay, and the classes are exchanged among them at random (random labelling): whatever
draws sites together, such as bands, is in the places and not in the answer.

References
----------
Dixon, Testing spatial segregation using a nearest-neighbor contingency table, Ecology 75 (1994)
1940-1948, 10.2307/1941598.
Holm, Scandinavian Journal of Statistics 6 (1979) 65-70 (correction for the number of pairs).
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from statsmodels.stats.multitest import multipletests

from damascene.space.area import Area

#: Neighbours that a site has on average within the distance that counts as near.
NEIGHBOURS = 5
#: Pairs to expect from which on a ratio is given.
LEAST_EXPECTED = 5.0
PERMUTATIONS = 999
_BLOCK = 2**23
_COLUMNS = (
    *("class", "other_class", "sites", "other_sites", "near_um", "pairs", "expected", "ratio"),
    *("null_low", "null_high", "p_value", "p_adjusted", "not_estimated"),
)


def random_labelling(
    points_um: np.ndarray,
    labels: np.ndarray,
    *,
    area: Area,
    classes: Sequence[str],
    least_sites: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Test for each pair of classes whether they are neighbours more or less often than by chance.

    Parameters
    ----------
    points_um : numpy.ndarray, shape (n, 2)
    labels : numpy.ndarray of str, shape (n,)
        Class of each; sites of other classes than `classes` are left out.
    area : Area
    classes : sequence of str
    least_sites : int
        Sites that each class of a pair needs.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        class, other_class, sites, other_sites, near_um, pairs, expected, ratio, null_low,
        null_high (of the ratio, middle 95 % of the permutations), p_value, p_adjusted (Holm, for
        all pairs tested), not_estimated.
    """
    chosen = np.isin(labels, list(classes))
    points_um, labels = points_um[chosen], labels[chosen]
    near_um = np.sqrt(NEIGHBOURS * area.um2 / (np.pi * max(len(points_um), 1)))
    codes = pd.Index(classes).get_indexer(labels)
    observed, permuted = _counts(points_um, codes, len(classes), near_um, rng)
    numbers = np.bincount(codes, minlength=len(classes)) if len(codes) else [0] * len(classes)
    rows = []
    for one, other in combinations_with_replacement(range(len(classes)), 2):
        few = [classes[each] for each in {one, other} if numbers[each] < least_sites]
        row = {
            "class": classes[one],
            "other_class": classes[other],
            "sites": numbers[one],
            "other_sites": numbers[other],
            "near_um": near_um if len(points_um) else np.nan,
            "pairs": int(observed[one, other]),
        }
        by_chance = permuted[:, one, other]
        expected = by_chance.mean()
        if few:
            reason = f"fewer than {least_sites} sites of {' and of '.join(sorted(few))}"
        elif expected < LEAST_EXPECTED:
            reason = f"fewer than {LEAST_EXPECTED:g} such pairs to expect"
        else:
            reason = ""
            low, high = np.quantile(by_chance / expected, [0.025, 0.975])
            above = (by_chance >= observed[one, other]).sum()
            below = (by_chance <= observed[one, other]).sum()
            p_value = min(1.0, 2 * (1 + min(above, below)) / (1 + PERMUTATIONS))
            row |= {
                "expected": expected,
                "ratio": observed[one, other] / expected,
                "null_low": low,
                "null_high": high,
                "p_value": p_value,
            }
        rows.append(row | {"not_estimated": reason})
    table = pd.DataFrame(rows).reindex(columns=_COLUMNS)
    table["p_adjusted"] = holm(table["p_value"])
    return table


def holm(p_values: pd.Series) -> pd.Series:
    """Return p values corrected by Holm for the number of those that are not missing."""
    corrected = p_values.astype(float).copy()
    given = corrected.notna()
    if given.any():
        corrected[given] = multipletests(corrected[given], method="holm")[1]
    return corrected


def _counts(points_um, codes, classes, near_um, rng):
    """Return the pairs by class, observed (classes, classes) and permuted, once each."""
    observed = np.zeros((classes, classes), np.int64)
    permuted = np.zeros((PERMUTATIONS, classes, classes), np.int64)
    if len(points_um) < 2:
        return observed, permuted
    first, second = cKDTree(points_um).query_pairs(near_um, output_type="ndarray").T
    observed = _tabled(codes[None], first, second, classes)[0]
    step = max(_BLOCK // max(len(first), len(codes), 1), 1)
    for start in range(0, PERMUTATIONS, step):
        stop = min(start + step, PERMUTATIONS)
        shuffled = rng.permuted(np.tile(codes, (stop - start, 1)), axis=1)
        permuted[start:stop] = _tabled(shuffled, first, second, classes)
    return observed, permuted


def _tabled(codes, first, second, classes):
    rows = len(codes)
    one, other = codes[:, first], codes[:, second]
    index = np.minimum(one, other) * classes + np.maximum(one, other)
    index += np.arange(rows)[:, None] * classes**2
    counts = np.bincount(index.ravel(), minlength=rows * classes**2)
    return counts.reshape(rows, classes, classes)
