"""Calibration of probabilities: temperature scaling, and calibration errors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES

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
    """Return the index of each label in `SITE_CLASSES`."""
    return np.array([SITE_CLASSES.index(label) for label in labels], np.intp)


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


def deal_groups(groups: Sequence[str], *, parts: int, seed: int) -> np.ndarray:
    """Deal groups at random into parts of as equal a number of groups as possible, int (n,)."""
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % parts
    return dealt[member]


def cross_calibrated(
    probabilities: np.ndarray, targets: np.ndarray, part: np.ndarray
) -> np.ndarray:
    """Scale the probabilities of each part by the temperature fitted to all other parts.

    Judged on the sites that it was fitted to, a temperature would look better than it is.
    """
    scaled = np.empty_like(probabilities, dtype=float)
    for one in np.unique(part):
        inside = part == one
        temperature = fit_temperature(probabilities[~inside], targets[~inside])
        scaled[inside] = apply_temperature(probabilities[inside], temperature)
    return scaled


def reliability_table(
    probabilities: np.ndarray, targets: np.ndarray, *, bins: int = 10
) -> pd.DataFrame:
    """Compare how sure the answers are with how many of them are right.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
    targets : numpy.ndarray, int, shape (n,)
    bins : int, optional
        Equally wide bins of the probability of the most probable class.

    Returns
    -------
    pandas.DataFrame
        low, high, count, confidence (mean probability), accuracy; one row per bin, with missing
        values where it is empty.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == targets
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, one, bins) / count for one in (confidence, right)]
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "count": count,
            "confidence": means[0],
            "accuracy": means[1],
        }
    )


def expected_calibration_error(reliability: pd.DataFrame) -> float:
    """Return the mean distance of confidence and accuracy over the sites of a reliability table."""
    distance = (reliability["confidence"] - reliability["accuracy"]).abs()
    return float((distance * reliability["count"]).sum() / reliability["count"].sum())


def calibration_error_by_chance(probabilities: np.ndarray, *, seed: int) -> float:
    """Return the calibration error to be expected if the probabilities were exactly right.

    In bins of a few sites the fraction of right answers differs from its probability by chance, so
    that even a perfect classifier shows an error; what is above this counts.

    Parameters
    ----------
    probabilities : numpy.ndarray, float, shape (n, classes)
    seed : int
        Of the answers that are drawn with these probabilities.

    Returns
    -------
    float
        Mean of 200 draws.
    """
    rng = np.random.default_rng(seed)
    reached = probabilities.cumsum(axis=1) / probabilities.sum(axis=1, keepdims=True)
    errors = []
    for _ in range(200):
        drawn = (rng.uniform(size=(len(probabilities), 1)) > reached).sum(axis=1)
        drawn = np.minimum(drawn, probabilities.shape[1] - 1)
        errors.append(expected_calibration_error(reliability_table(probabilities, drawn)))
    return float(np.mean(errors))
