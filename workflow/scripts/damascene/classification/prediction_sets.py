"""Sets of classes that hold the true one with a chosen probability, in every class."""

import math
from collections.abc import Sequence

import numpy as np

from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR


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
        rank = _rank(len(own), level=level)
        if rank <= len(own):
            thresholds[index] = own[rank - 1]
    return thresholds


def too_few(labels: int, groups: int, *, level: float) -> str:
    """Say why a coverage cannot be promised for a class; nothing where it can.

    At least one label must lie below the threshold: otherwise the threshold is the probability of
    the one label that the networks know worst, another such label would move it anywhere, and it
    may be so low that the class is in every set. Sites of a group resemble each other, so that in
    the worst case each group counts as one label: they must be enough for a threshold, too.

    Parameters
    ----------
    labels, groups : int
        Labels of the class, and the groups in which they lie.
    level : float
        Asked coverage.

    References
    ----------
    Dunn, Wasserman & Ramdas, Distribution-free prediction sets for two-layer hierarchical models,
    10.1080/01621459.2022.2060112 (one site of each group).
    """
    enough = _rank(labels, level=level) < labels and _rank(groups, level=level) <= groups
    if enough:
        return ""
    groups_needed = math.ceil(1 / (1 - level) - 1 - 1e-9)
    labels_needed = math.ceil(2 / (1 - level) - 1 - 1e-9)
    return f"{labels} labels in {groups} group(s); {labels_needed} in {groups_needed} are needed"


def _rank(count, *, level):
    """Return which of so many labels, from the most probable, the threshold lies at."""
    # Rounding must not turn 0.9 of 10 sites into more than 9.
    return math.ceil((count + 1) * level - 1e-9)


def prediction_sets(
    probabilities: np.ndarray, thresholds: Sequence[float], given: np.ndarray
) -> np.ndarray:
    """Return which classes are in the set of each site.

    The set always holds the class that the site was given, which can only raise the coverage. It
    is empty only where no class has a threshold.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
    thresholds : sequence of float, length classes
        NaN for a class for which nothing can be promised: it is in the set of a site only if the
        site was given this class.
    given : numpy.ndarray, int, shape (n,)
        Class that each site was given; below 0 if it was given none: then an empty set gets the
        most probable class.

    Returns
    -------
    numpy.ndarray, bool, shape (n, classes)
    """
    thresholds = np.asarray(thresholds, float)
    if np.isnan(thresholds).all():
        return np.zeros(probabilities.shape, bool)
    # Comparisons with NaN are false.
    sets = probabilities >= thresholds
    sets[np.flatnonzero(given >= 0), given[given >= 0]] = True
    empty = np.flatnonzero(~sets.any(axis=1))
    sets[empty, probabilities[empty].argmax(axis=1)] = True
    return sets


def shown_sets(sets: np.ndarray) -> list[str]:
    """Return each set as its classes joined by `ANSWER_SEPARATOR`."""
    names = np.array(SITE_CLASSES, dtype=object)
    return [ANSWER_SEPARATOR.join(names[one]) for one in sets]
