"""Groups that were found without labels, held against labels where there are some."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler


def principal(values: np.ndarray, *, count: int, seed: int) -> tuple[np.ndarray, PCA]:
    """Return the first principal components of rows of numbers, and what found them.

    Parameters
    ----------
    values : numpy.ndarray, float, shape (n, m) or (n, rows, columns)
    count : int
        Components at most; fewer where there are fewer numbers or rows.
    seed : int
    """
    flat = values.reshape(len(values), -1).astype(float)
    pca = PCA(min(count, *flat.shape), random_state=seed, svd_solver="full")
    return pca.fit_transform(flat), pca


def comparable(measures: pd.DataFrame) -> np.ndarray:
    """Return measures as numbers of mean 0 and spread 1 each, so that no unit outweighs another.

    Columns with one value only become 0; missing values take the mean.
    """
    filled = measures.fillna(measures.mean()).fillna(0.0)
    return StandardScaler().fit_transform(filled.to_numpy(float))


def agreement(groups: Mapping[tuple[str, str], np.ndarray], classes: np.ndarray) -> pd.DataFrame:
    """Tell how well groups agree with classes that the grouping did not know.

    Parameters
    ----------
    groups : mapping of (str, str) to numpy.ndarray, int64, shape (n,)
        By what was grouped and by which method.
    classes : numpy.ndarray of str, shape (n,)
        Empty where there is none: these do not count.

    Returns
    -------
    pandas.DataFrame
        seen, method, groups; adjusted_rand and mutual_information (adjusted): 1 if groups are
        classes, about 0 if groups were drawn by chance.

    References
    ----------
    Hubert & Arabie, Comparing partitions, Journal of Classification 2 (1985) 193-218,
    10.1007/BF01908075. Vinh, Epps & Bailey, Information theoretic measures for clusterings
    comparison, Journal of Machine Learning Research 11 (2010) 2837-2854.
    """
    known = classes != ""
    return pd.DataFrame(
        [
            {
                "seen": seen,
                "method": method,
                "groups": len(np.unique(group)),
                "adjusted_rand": adjusted_rand_score(classes[known], group[known]),
                "mutual_information": adjusted_mutual_info_score(classes[known], group[known]),
            }
            for (seen, method), group in groups.items()
        ]
    )


def classes_in_groups(group: np.ndarray, classes: np.ndarray, names: list[str]) -> np.ndarray:
    """Count the classes in each group.

    Parameters
    ----------
    group : numpy.ndarray, int64, shape (n,)
        From 0.
    classes : numpy.ndarray of str, shape (n,)
    names : list of str
        Classes in the order of the columns.

    Returns
    -------
    numpy.ndarray, int64, shape (groups, classes)
    """
    counts = np.zeros((group.max() + 1, len(names)), np.int64)
    for column, name in enumerate(names):
        counts[:, column] = np.bincount(group[classes == name], minlength=len(counts))
    return counts


def nearest_members(points: np.ndarray, group: np.ndarray, *, count: int) -> list[np.ndarray]:
    """Return the members of each group that lie nearest to its mean.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (n, m)
        In which the groups were found.
    group : numpy.ndarray, int64, shape (n,)
    count : int
        Of each group at most.

    Returns
    -------
    list of numpy.ndarray, int64
        Numbers of the members, the nearest first.
    """
    nearest = []
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number)
        if not len(members):
            nearest.append(members)
            continue
        away = np.linalg.norm(points[members] - points[members].mean(axis=0), axis=1)
        nearest.append(members[np.argsort(away, kind="stable")[:count]])
    return nearest


def best_bandwidth(points: np.ndarray, bandwidths: np.ndarray, *, parts: int = 5) -> pd.DataFrame:
    """Tell how probable densities of several bandwidths call points that they have not seen.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (n, m)
    bandwidths : numpy.ndarray, float64
    parts : int, optional
        Each part in turn is left out and then asked for; of points in random order.

    Returns
    -------
    pandas.DataFrame
        bandwidth, log_likelihood (mean of an unseen point).
    """
    likelihoods = [
        cross_val_score(KernelDensity(bandwidth=width), points, cv=parts).sum() / len(points)
        for width in bandwidths
    ]
    return pd.DataFrame({"bandwidth": bandwidths, "log_likelihood": likelihoods})


def hills_by_criterion(points: np.ndarray, *, most: int, seed: int) -> pd.Series:
    """Return the Bayesian information criterion of mixtures with 1, 2, ... hills.

    Parameters
    ----------
    points : numpy.ndarray, float64, shape (n, m)
    most, seed : int

    Returns
    -------
    pandas.Series
        By number of hills; the lowest is best.

    References
    ----------
    Schwarz, Estimating the dimension of a model, Annals of Statistics 6 (1978) 461-464,
    10.1214/aos/1176344136.
    """
    counts = range(1, min(most, len(points)) + 1)
    fits = [GaussianMixture(count, n_init=2, random_state=seed).fit(points) for count in counts]
    return pd.Series([fit.bic(points) for fit in fits], index=list(counts))


def group_each(
    seen: Mapping[str, np.ndarray], *, count: int, seed: int
) -> dict[tuple[str, str], np.ndarray]:
    """Group the same examples by k-means and by a Gaussian mixture, from several points of view.

    Parameters
    ----------
    seen : mapping of str to numpy.ndarray, float64, shape (n, m)
    count : int
        Groups.
    seed : int

    Returns
    -------
    dict of (str, str) to numpy.ndarray, int64, shape (n,)
        By what was seen and the method. Mixtures work on ten components at most: in more
        dimensions the shapes of their hills have more numbers than there are examples.
    """
    found = {}
    for name, values in seen.items():
        found[name, "k-means"] = (
            KMeans(count, n_init=10, random_state=seed).fit_predict(values).astype(int)
        )
        few, _ = principal(values, count=10, seed=seed)
        # A little width keeps hills from shrinking onto one point.
        mixture = GaussianMixture(
            count, n_init=4, reg_covar=1e-3 * max(few.var(), 1e-9), random_state=seed
        )
        found[name, "Gaussian mixture"] = mixture.fit_predict(few).astype(int)
    return found


def best_rand_with(classes: np.ndarray, *, count: int) -> float:
    """Return the highest adjusted Rand index that a number of groups can reach.

    Parameters
    ----------
    classes : numpy.ndarray of str, shape (n,)
        Empty where nobody has named the example: these do not count.
    count : int
        Groups. Fewer than there are classes reach most if they join whole classes: every way to
        join them is tried.

    Returns
    -------
    float
        1 with as many groups as classes; NaN with more, for which splitting hurts by how much is
        split off.
    """
    known = classes[classes != ""]
    names, number = np.unique(known, return_inverse=True)
    if count > len(names):
        return float("nan")
    ways = product(range(count), repeat=len(names))
    return max(
        adjusted_rand_score(number, np.array(way)[number])
        for way in ways
        if _first_uses_in_order(way) and max(way) == count - 1
    )


def _first_uses_in_order(way):
    """Return whether the numbers of a grouping appear as 0, 1, 2 ...: each grouping once."""
    return all(number <= max(way[:place], default=-1) + 1 for place, number in enumerate(way))


def told_reach(classes: np.ndarray, *, count: int) -> str:
    """Say how well as many groups could agree with the classes at best; see `best_rand_with`."""
    known = len(np.unique(classes[classes != ""]))
    if count > known:
        return f"{count} groups for {known} classes must divide some, and so stay below 1."
    reach = best_rand_with(classes, count=count)
    return f"{count} groups for {known} classes can reach {reach:.2f}."


def told_best_class(tables: Mapping[str, np.ndarray], names: Sequence[str]) -> str:
    """Say which class is found best without labels: the group and class with the highest F1.

    Parameters
    ----------
    tables : mapping of str to numpy.ndarray, int64, shape (groups, classes)
        By the name of a method: sites of each class in each group.
    names : sequence of str
        Of the classes.
    """
    method, group, name, score = "", 0, 0, -1.0
    for each, table in tables.items():
        scores = 2 * table / (table.sum(axis=0) + table.sum(axis=1)[:, None]).clip(1)
        if scores.max() > score:
            method, score = each, float(scores.max())
            group, name = np.unravel_index(scores.argmax(), table.shape)
    table = tables[method]
    return (
        f"Found best: {names[name].replace('_', ' ')}, by {method}. One group holds "
        f"{table[group, name]} of {table[:, name].sum()}, and "
        f"{table[group].sum() - table[group, name]} of other classes."
    )
