"""From answers on labels that no network saw to the calibration that new sites are given."""

import numpy as np
import pandas as pd

from damascene.classification.calibration import (
    class_indices,
    fit_temperature,
    site_probabilities,
)
from damascene.classification.prediction_sets import conformal_thresholds
from damascene.contracts.calibration_record import Calibration
from damascene.versions import IMAGE_PACKAGES, package_versions


def fit_calibration(predictions: pd.DataFrame, *, coverage: float) -> Calibration:
    """Return the temperature and the least probabilities of prediction sets.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Labelled sites with the answers of networks that were not trained on them.
    coverage : float
        Proportion of the sites of each class whose set must hold the class.

    Returns
    -------
    Calibration
    """
    probabilities = site_probabilities(predictions)
    targets = class_indices(predictions["label"])
    thresholds = conformal_thresholds(probabilities, targets, level=coverage)
    return Calibration(
        temperature=fit_temperature(probabilities, targets),
        # A class with too few labels is in every set: no probability is below 0.
        set_thresholds=np.maximum(thresholds, 0).tolist(),
        versions=package_versions(*IMAGE_PACKAGES),
    )
