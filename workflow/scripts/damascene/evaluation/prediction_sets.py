"""Whether prediction sets hold the true class as often as was asked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES
from damascene.classification.prediction_sets import conformal_thresholds, prediction_sets
from damascene.statistics.jackknife import jackknife_interval, numbered


def cross_prediction_sets(
    probabilities: np.ndarray,
    targets: np.ndarray,
    given: np.ndarray,
    part: np.ndarray,
    *,
    level: float,
    promised: np.ndarray,
) -> np.ndarray:
    """Return the sets of the sites of each part by thresholds from all other parts.

    Parameters
    ----------
    probabilities, targets, level
        See `prediction_sets.conformal_thresholds`.
    given : numpy.ndarray, int, shape (n,)
        See `prediction_sets.prediction_sets`.
    part : numpy.ndarray, int, shape (n,)
        From `calibration.deal_groups`.
    promised : numpy.ndarray, bool, shape (classes,)
        Classes that have a threshold.

    Returns
    -------
    numpy.ndarray, bool, shape (n, classes)
    """
    sets = np.empty(probabilities.shape, bool)
    for one in np.unique(part):
        inside = part == one
        thresholds = conformal_thresholds(probabilities[~inside], targets[~inside], level=level)
        thresholds[~promised] = np.nan
        sets[inside] = prediction_sets(probabilities[inside], thresholds, given[inside])
    return sets


def coverage_table(
    sets: np.ndarray,
    targets: np.ndarray,
    *,
    promised: np.ndarray,
    groups: Sequence[str],
    confidence: float,
) -> pd.DataFrame:
    """Count how many sets hold the true class, and how many classes they hold.

    Parameters
    ----------
    sets : numpy.ndarray, bool, shape (n, classes)
    targets : numpy.ndarray, int, shape (n,)
    promised : numpy.ndarray, bool, shape (classes,)
        Classes for which a coverage is promised; the others have none, and do not count in `all`.
    groups : sequence of str, length n
        Sites of a group resemble each other.
    confidence : float
        Of the intervals; see `jackknife.jackknife_interval`.

    Returns
    -------
    pandas.DataFrame
        `PREDICTION_SETS`; first for all classes.
    """
    member, _ = numbered(groups)
    held = sets[np.arange(len(targets)), targets]
    rows = []
    for index, name in ((None, ALL), *enumerate(SITE_CLASSES)):
        own = promised[targets] if index is None else targets == index
        counted = own if index is None or promised[index] else np.zeros(len(own), bool)
        others = sets[~own, index] if index is not None and promised[index] else np.empty(0)
        counts, hits = np.bincount(member[counted]), np.bincount(member[counted], held[counted])
        counts, hits = counts[counts > 0], hits[counts > 0]
        # Where one group holds all, there is nothing without it, and no interval.
        left_out = (hits.sum() - hits) / np.maximum(counts.sum() - counts, 1)
        coverage = _mean(held[counted])
        low, high = jackknife_interval(coverage, left_out, confidence=confidence)
        rows.append(
            {
                "class": name,
                "sites": int(own.sum()),
                "groups": len(np.unique(member[own])),
                "promised": bool(promised.any() if index is None else promised[index]),
                "coverage": coverage,
                "low": low,
                "high": high,
                "mean_size": _mean(sets[counted].sum(axis=1)),
                "in_other_sets": _mean(others),
            }
        )
    return pd.DataFrame(rows)


def _mean(values):
    return values.mean() if len(values) else np.nan
