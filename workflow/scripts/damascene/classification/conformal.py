"""Sets of classes that hold the true one with a chosen probability, in every class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.evaluation.scores import draw_groups

_RESAMPLES = 1000


def conformal_thresholds(
    probabilities: np.ndarray, targets: np.ndarray, *, level: float
) -> np.ndarray:
    """Return the probability from which on each class belongs to the set of a site.

    Of n calibration sites of a class, the rounded-up level times n + 1 have at least this
    probability of their class, so that the set of another site of the class holds it with at
    least the probability `level`. With too few sites to promise that, the threshold is -inf and
    the class is in every set.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
        Of sites that did not train the networks.
    targets : numpy.ndarray, int, shape (n,)
    level : float
        Between 0 and 1, for instance 0.9.

    Returns
    -------
    numpy.ndarray, float, shape (classes,)

    References
    ----------
    Vovk, Conditional validity of inductive conformal predictors, arXiv 1209.2673. Sadinle, Lei &
    Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error Levels,
    10.1080/01621459.2017.1395341.
    """
    thresholds = np.full(probabilities.shape[1], -np.inf)
    for index in range(len(thresholds)):
        own = np.sort(probabilities[targets == index, index])[::-1]
        # Rounding must not turn 0.9 of 10 sites into more than 9.
        rank = int(np.ceil((len(own) + 1) * level - 1e-9))
        if rank <= len(own):
            thresholds[index] = own[rank - 1]
    return thresholds


def prediction_sets(probabilities: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return which classes are in the set of each site, bool (n, classes)."""
    return probabilities >= thresholds


def shown_sets(sets: np.ndarray) -> list[str]:
    """Return each set as its classes joined by `ANSWER_SEPARATOR`."""
    names = np.array(SITE_CLASSES, dtype=object)
    return [ANSWER_SEPARATOR.join(names[one]) for one in sets]


def cross_prediction_sets(
    probabilities: np.ndarray, targets: np.ndarray, part: np.ndarray, *, level: float
) -> np.ndarray:
    """Return the sets of the sites of each part by thresholds from all other parts."""
    sets = np.empty(probabilities.shape, bool)
    for one in np.unique(part):
        inside = part == one
        thresholds = conformal_thresholds(probabilities[~inside], targets[~inside], level=level)
        sets[inside] = prediction_sets(probabilities[inside], thresholds)
    return sets


def coverage_table(
    sets: np.ndarray,
    targets: np.ndarray,
    *,
    groups: Sequence[str],
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Count how many sets hold the true class, and how many classes they hold.

    Parameters
    ----------
    sets : numpy.ndarray, bool, shape (n, classes)
    targets : numpy.ndarray, int, shape (n,)
    groups : sequence of str, length n
        Sites of a group are drawn together in the bootstrap.
    confidence : float
        Of the percentile intervals.
    seed : int

    Returns
    -------
    pandas.DataFrame
        class, sites, coverage, low, high (its interval), mean_size; first for all classes.
    """
    member, drawn = draw_groups(groups, resamples=_RESAMPLES, seed=seed)
    held = sets[np.arange(len(targets)), targets]
    tail = 50 * (1 - confidence)
    rows = []
    for index, name in ((None, ALL), *enumerate(SITE_CLASSES)):
        own = np.ones(len(targets), bool) if index is None else targets == index
        counts = np.bincount(member[own], minlength=drawn.shape[1])
        hits = np.bincount(member[own], held[own], drawn.shape[1])
        totals = drawn @ counts
        draws = (drawn @ hits)[totals > 0] / totals[totals > 0]
        low, high = np.percentile(draws, [tail, 100 - tail]) if len(draws) else (np.nan, np.nan)
        rows.append(
            {
                "class": name,
                "sites": int(own.sum()),
                "coverage": held[own].mean() if own.any() else np.nan,
                "low": low,
                "high": high,
                "mean_size": sets[own].sum(axis=1).mean() if own.any() else np.nan,
            }
        )
    return pd.DataFrame(rows)
