"""From answers on labels that no network saw to the calibration that new sites are given."""

import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.classification.calibration import (
    class_indices,
    fit_temperature,
    site_probabilities,
)
from damascene.classification.prediction_sets import conformal_thresholds, too_few
from damascene.contracts.calibration_record import Calibration, ClassCalibration
from damascene.versions import IMAGE_PACKAGES, package_versions


def fit_calibration(predictions: pd.DataFrame, *, coverage: float, tested: str) -> Calibration:
    """Return the temperature and the least probabilities of prediction sets.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `HELD_OUT`: labelled sites with the answers of networks that were not trained on them.
    coverage : float
        Proportion of the sites of each class whose set must hold the class.
    tested : str
        Which labels these are, in words.

    Returns
    -------
    Calibration
        Without a threshold for classes whose labels are too few, see `prediction_sets.too_few`,
        or whose threshold holds nothing off: so many labels of other classes have the class in
        their set that it might be drawn by lot.
    """
    probabilities = site_probabilities(predictions)
    targets = class_indices(predictions["label"])
    thresholds = conformal_thresholds(probabilities, targets, level=coverage)
    classes = {}
    for index, name in enumerate(SITE_CLASSES):
        own = targets == index
        count, groups = int(own.sum()), int(predictions["group"][own].nunique())
        reason = too_few(count, groups, level=coverage)
        others = probabilities[~own, index] >= thresholds[index]
        if not reason and others.size and others.mean() >= coverage:
            reason = f"{others.mean():.0%} of the labels of other classes would be in its sets, too"
        classes[name] = ClassCalibration(
            labels=count,
            groups=groups,
            share=count / max(len(targets), 1),
            set_threshold=None if reason else float(thresholds[index]),
            not_promised=reason,
        )
    return Calibration(
        tested=tested,
        labels=len(targets),
        groups=int(predictions["group"].nunique()),
        temperature=fit_temperature(probabilities, targets),
        coverage=coverage,
        classes=classes,
        versions=package_versions(*IMAGE_PACKAGES),
    )
