"""How far probabilities are from meaning what they say, before and after calibration."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.classification.calibration import (
    apply_temperature,
    class_indices,
    fit_temperature,
    probability_of_class,
    site_probabilities,
)
from damascene.contracts.calibration_record import Calibration
from damascene.evaluation.prediction_sets import coverage_table, cross_prediction_sets

# Temperature and thresholds of each part of the groups come from all other parts. With this many,
# or one for each group, they rest on nearly as many labels as those of new sites.
_PARTS = 20


def measure_calibration(
    predictions: pd.DataFrame, calibration: Calibration, *, confidence: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure probabilities and prediction sets on sites that did not train the networks.

    Parameters
    ----------
    predictions : pandas.DataFrame
        `HELD_OUT`.
    calibration : Calibration
        From `fit_calibration` on all of them: for which classes a coverage is promised. Each part
        of the groups is judged by temperature and thresholds fitted to all others.
    confidence : float
        Of the intervals of the coverage.
    seed : int

    Returns
    -------
    reliability : pandas.DataFrame
        `reliability_table` of the probabilities `as_given` and `calibrated`.
    errors : pandas.DataFrame
        probabilities, sites, groups, expected_calibration_error, by_chance; one row for each of
        the two. Sites that were given no class are left out.
    sets : pandas.DataFrame
        See `prediction_sets.coverage_table`.
    """
    probabilities = site_probabilities(predictions)
    targets, given = (class_indices(predictions[of]) for of in ("label", "predicted_class"))
    groups = predictions["group"].to_numpy()
    part = deal_groups(groups, parts=_PARTS, seed=seed)
    states = {
        "as_given": probabilities,
        "calibrated": cross_calibrated(probabilities, targets, part),
    }
    classified = given >= 0
    tables, errors = [], []
    for state, each in states.items():
        sure = probability_of_class(each, given)[classified]
        table = reliability_table(sure, (given == targets)[classified])
        tables.append(table.assign(probabilities=state))
        errors.append(
            {
                "probabilities": state,
                "sites": len(sure),
                "groups": len(np.unique(groups[classified])),
                "expected_calibration_error": expected_calibration_error(table),
                "by_chance": calibration_error_by_chance(sure, seed=seed),
            }
        )
    promised = ~np.isnan(calibration.set_thresholds)
    sets = coverage_table(
        cross_prediction_sets(
            probabilities, targets, given, part, level=calibration.coverage, promised=promised
        ),
        targets,
        promised=promised,
        groups=groups,
        confidence=confidence,
    )
    return pd.concat(tables), pd.DataFrame(errors), sets


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


def reliability_table(sure: np.ndarray, right: np.ndarray, *, bins: int = 10) -> pd.DataFrame:
    """Compare how sure the answers are with how many of them are right.

    Parameters
    ----------
    sure : numpy.ndarray, float, shape (n,)
        Probability of the class that was given.
    right : numpy.ndarray, bool, shape (n,)
    bins : int, optional
        Equally wide bins of the probability.

    Returns
    -------
    pandas.DataFrame
        low, high, count, confidence (mean probability), accuracy; one row per bin, with missing
        values where it is empty.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, one, bins) / count for one in (sure, right)]
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
    """Return the mean distance of confidence and accuracy over the sites of a reliability table.

    NaN without sites.
    """
    if not reliability["count"].any():
        return np.nan
    distance = (reliability["confidence"] - reliability["accuracy"]).abs()
    return float((distance * reliability["count"]).sum() / reliability["count"].sum())


def calibration_error_by_chance(sure: np.ndarray, *, seed: int) -> float:
    """Return the calibration error to be expected if the probabilities were exactly right.

    In bins of a few sites the fraction of right answers differs from its probability by chance, so
    that even a perfect classifier shows an error; what is above this counts.

    Parameters
    ----------
    sure : numpy.ndarray, float, shape (n,)
        Probability of the class that was given.
    seed : int
        Of the answers that are drawn to be right with these probabilities.

    Returns
    -------
    float
        Mean of 200 draws.
    """
    rng = np.random.default_rng(seed)
    drawn = [rng.random(len(sure)) < sure for _ in range(200)]
    errors = [expected_calibration_error(reliability_table(sure, right)) for right in drawn]
    return float(np.mean(errors))
