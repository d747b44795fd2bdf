"""Sets of classes that hold the true one with a chosen probability, in every class."""

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
