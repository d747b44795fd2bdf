"""Whether prediction sets hold the true class as often as was asked."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classes import ALL, SITE_CLASSES
from damascene.classification.prediction_sets import conformal_thresholds, prediction_sets
from damascene.evaluation.bootstrap import RESAMPLES, draw_groups, percentile_interval


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
    member, drawn = draw_groups(groups, resamples=RESAMPLES, seed=seed)
    held = sets[np.arange(len(targets)), targets]
    rows = []
    for index, name in ((None, ALL), *enumerate(SITE_CLASSES)):
        own = np.ones(len(targets), bool) if index is None else targets == index
        counts = np.bincount(member[own], minlength=drawn.shape[1])
        hits = np.bincount(member[own], held[own], drawn.shape[1])
        totals = drawn @ counts
        draws = (drawn @ hits)[totals > 0] / totals[totals > 0]
        low, high = percentile_interval(draws, confidence=confidence)
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
