"""Whether prediction sets hold the true class as often as was asked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES
from damascene.classification.prediction_sets import conformal_thresholds, prediction_sets
from damascene.evaluation.bootstrap import RESAMPLES, draw_groups, percentile_interval


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
    seed: int,
) -> pd.DataFrame:
    """Count how many sets hold the true class, and how many classes they hold.

    Parameters
    ----------
    sets : numpy.ndarray, bool, shape (n, classes)
    targets : numpy.ndarray, int, shape (n,)
    promised : numpy.ndarray, bool, shape (classes,)
        Classes for which a coverage is promised; the others have none, and do not count in `all`.
    groups : sequence of str, length n
        Sites of a group are drawn together in the bootstrap.
    confidence : float
        Of the percentile intervals.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `PREDICTION_SETS`; first for all classes.
    """
    groups = np.asarray(groups)
    member, drawn = draw_groups(groups, resamples=RESAMPLES, seed=seed)
    held = sets[np.arange(len(targets)), targets]
    rows = []
    for index, name in ((None, ALL), *enumerate(SITE_CLASSES)):
        own = promised[targets] if index is None else targets == index
        counted = own if index is None or promised[index] else np.zeros(len(own), bool)
        others = sets[~own, index] if index is not None and promised[index] else np.empty(0)
        counts = np.bincount(member[counted], minlength=drawn.shape[1])
        hits = np.bincount(member[counted], held[counted], drawn.shape[1])
        totals = drawn @ counts
        draws = (drawn @ hits)[totals > 0] / totals[totals > 0]
        low, high = percentile_interval(draws, confidence=confidence)
        rows.append(
            {
                "class": name,
                "sites": int(own.sum()),
                "groups": len(np.unique(groups[own])),
                "promised": bool(promised.any() if index is None else promised[index]),
                "coverage": _mean(held[counted]),
                "low": low,
                "high": high,
                "mean_size": _mean(sets[counted].sum(axis=1)),
                "in_other_sets": _mean(others),
            }
        )
    return pd.DataFrame(rows)


def _mean(values):
    return values.mean() if len(values) else np.nan
