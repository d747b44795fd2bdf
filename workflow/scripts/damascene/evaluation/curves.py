"""How well probabilities rank sites: ROC and precision-recall curves of each class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from damascene.classes import SITE_CLASSES
from damascene.classification.calibration import class_indices, site_probabilities
from damascene.statistics.jackknife import jackknife_interval, numbered

_AREAS = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}


def curves_and_areas(
    predictions: pd.DataFrame, *, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `curve_table` and `area_table` of held-out predictions.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `HELD_OUT`.
    confidence : float
        See `area_table`.
    """
    probabilities = site_probabilities(predictions)
    targets = class_indices(predictions["label"])
    areas = area_table(probabilities, targets, groups=predictions["group"], confidence=confidence)
    return curve_table(probabilities, targets), areas


def curve_table(probabilities: np.ndarray, targets: np.ndarray) -> pd.DataFrame:
    """Return the points of both curves of each class.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, 5)
        In the order of `SITE_CLASSES`, of sites that did not train the networks.
    targets : numpy.ndarray, int, shape (n,)
        True classes.

    Returns
    -------
    pandas.DataFrame
        class, curve, x, y: for `roc` the false and the true positive rate, for `precision_recall`
        recall and precision. Classes without a site, or of all sites, have no curve.
    """
    parts = [pd.DataFrame(columns=["class", "curve", "x", "y"])]
    for index, name in enumerate(SITE_CLASSES):
        own = targets == index
        if own.all() or not own.any():
            continue
        false_positive, true_positive, _ = roc_curve(own, probabilities[:, index])
        precision, recall, _ = precision_recall_curve(own, probabilities[:, index])
        for curve, x, y in (
            ("roc", false_positive, true_positive),
            ("precision_recall", recall, precision),
        ):
            parts.append(pd.DataFrame({"class": name, "curve": curve, "x": x, "y": y}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def area_table(
    probabilities: np.ndarray,
    targets: np.ndarray,
    *,
    groups: Sequence[str],
    confidence: float,
) -> pd.DataFrame:
    """Return the area under both curves of each class, with intervals over groups.

    Parameters
    ----------
    probabilities, targets
        See `curve_table`.
    groups : sequence of str, length n
        Sites of a group resemble each other.
    confidence : float
        Of the intervals; see `jackknife.jackknife_interval`.

    Returns
    -------
    pandas.DataFrame
        class, score (`roc_auc`, `average_precision`), value, low, high, groups (that hold the
        class), sites, prevalence. By chance the first score is 0.5, the second the prevalence.
        Missing where there is no curve.

    References
    ----------
    Saito & Rehmsmeier, The precision-recall plot is more informative than the ROC plot when
    evaluating binary classifiers on imbalanced datasets, 10.1371/journal.pone.0118432.
    """
    member, _ = numbered(groups)
    rows = []
    for index, name in enumerate(SITE_CLASSES):
        own, ranked = targets == index, probabilities[:, index]
        # Other groups hold negatives alone; of these there are many, and the class decides.
        holding = np.unique(member[own])
        for score, area in _AREAS.items():
            value, left_out = np.nan, []
            if own.any() and not own.all():
                value = area(own, ranked)
                for one in holding:
                    kept = member != one
                    possible = own[kept].any() and not own[kept].all()
                    left_out.append(area(own[kept], ranked[kept]) if possible else np.nan)
            low, high = jackknife_interval(value, left_out, confidence=confidence)
            rows.append(
                {
                    "class": name,
                    "score": score,
                    "value": value,
                    "low": low,
                    "high": high,
                    "groups": len(holding),
                    "sites": int(own.sum()),
                    "prevalence": own.mean(),
                }
            )
    return pd.DataFrame(rows)
