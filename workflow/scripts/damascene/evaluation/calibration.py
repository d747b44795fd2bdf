"""How far probabilities are from meaning what they say, before and after calibration."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classification.calibration import (
    apply_temperature,
    class_indices,
    fit_temperature,
    site_probabilities,
)
from damascene.evaluation.prediction_sets import coverage_table, cross_prediction_sets

# Temperature and thresholds of each part of the sites come from all other parts.
_PARTS = 5


def measure_calibration(
    predictions: pd.DataFrame, *, coverage: float, confidence: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure probabilities and prediction sets on sites that did not train the networks.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `HELD_OUT`.
    coverage : float
        Proportion of the sites of each class whose set must hold the class.
    confidence : float
        Of the intervals of the coverage.
    seed : int

    Returns
    -------
    reliability : pandas.DataFrame
        `reliability_table` of the probabilities `as_given` and `calibrated`.
    errors : pandas.DataFrame
        probabilities, expected_calibration_error, by_chance; one row for each of the two.
    sets : pandas.DataFrame
        See `prediction_sets.coverage_table`.
    """
    given = site_probabilities(predictions)
    targets, groups = class_indices(predictions["label"]), predictions["group"]
    part = deal_groups(groups, parts=_PARTS, seed=seed)
    states = {"as_given": given, "calibrated": cross_calibrated(given, targets, part)}
    tables = {state: reliability_table(one, targets) for state, one in states.items()}
    reliability = pd.concat([table.assign(probabilities=state) for state, table in tables.items()])
    errors = pd.DataFrame(
        {
            "probabilities": state,
            "expected_calibration_error": expected_calibration_error(tables[state]),
            "by_chance": calibration_error_by_chance(one, seed=seed),
        }
        for state, one in states.items()
    )
    sets = coverage_table(
        cross_prediction_sets(given, targets, part, level=coverage),
        targets,
        groups=groups,
        confidence=confidence,
        seed=seed,
    )
    return reliability, errors, sets


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
