"""Calibration of probabilities: temperature scaling, and calibration errors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from damascene.classes import DAMAGE_CLASSES, NOT_CLASSIFIED, SITE_CLASSES

# A class that a network excludes altogether still has to be able to come back.
_SMALLEST = 1e-6
# Temperatures that are tried, as logarithms: between a twentieth and twenty.
_LOG_TEMPERATURES = (-3.0, 3.0)


def site_probabilities(sites: pd.DataFrame) -> np.ndarray:
    """Join the outputs of both networks to the probability of each class of a site.

    Parameters
    ----------
    sites : pandas.DataFrame
        With p_inclusion and the probability of each damage class given that the site is no
        inclusion.

    Returns
    -------
    numpy.ndarray, float64, shape (n, 5)
        In the order of `SITE_CLASSES`; rows add up to one.
    """
    inclusion = sites["p_inclusion"].to_numpy(float)[:, None]
    damage = sites[[f"p_{name}" for name in DAMAGE_CLASSES]].to_numpy(float)
    joined = np.hstack([inclusion, (1 - inclusion) * damage])
    return joined / joined.sum(axis=1, keepdims=True)


def class_indices(labels: Sequence[str]) -> np.ndarray:
    """Return the index of each label in `SITE_CLASSES`, -1 for `not_classified`."""
    places = {name: index for index, name in enumerate(SITE_CLASSES)} | {NOT_CLASSIFIED: -1}
    return np.array([places[label] for label in labels], np.intp)


def probability_of_class(probabilities: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return the probability of the class that each site was given, NaN where it was given none.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
    given : numpy.ndarray, int, shape (n,)
        From `class_indices`.
    """
    own = probabilities[np.arange(len(given)), given]
    return np.where(given < 0, np.nan, own)


def apply_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Soften (above 1) or sharpen (below 1) probabilities (n, classes); the order stays."""
    logits = np.log(np.maximum(probabilities, _SMALLEST)) / temperature
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return scaled / scaled.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature at which the true classes are most likely.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
        Of sites that did not train the networks.
    targets : numpy.ndarray, int, shape (n,)
        True classes.

    Returns
    -------
    float
        Between 0.05 and 20; 1 without sites.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger, On Calibration of Modern Neural Networks, arXiv 1706.04599.
    """
    if not len(targets):
        return 1.0

    def loss(log_temperature):
        scaled = apply_temperature(probabilities, np.exp(log_temperature))
        return -np.log(scaled[np.arange(len(targets)), targets]).mean()

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded").x))
