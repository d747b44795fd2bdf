"""How densities change with strain, class by class.

Inclusions come from production: deformation makes none, so that they are the built-in control.

References
----------
Cameron & Trivedi, Regression Analysis of Count Data, chapter 3, 10.1017/CBO9781139013567.
"""

import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from damascene.classes import INCLUSION
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.table import check_table
from damascene.problems import MARK
from damascene.statistics.panorama_blocks import COUNTED
from damascene.statistics.rates import (
    LEAST_FREEDOM,
    block_dispersion,
    bounds_text,
    p_text,
    pearson_dispersion,
    rate_ratio,
)

# A negative binomial regression is made where panoramas differ more than chance of this size lets.
_LEVEL = 0.05


def evolution_table(densities: pd.DataFrame, *, confidence: float) -> pd.DataFrame:
    """Test whether the density of each class changes with strain.

    The density is taken as an exponential function of strain: a regression of counts with the
    logarithm of the valid area as offset. Which law the counts follow is decided by the data: a
    Poisson law; one with the dispersion of blocks within panoramas, or of panoramas about the trend
    if that is larger; or, with at least six panoramas that differ significantly more than their
    blocks let expect, a negative binomial law. With panoramas at two strains alone nothing is known
    of how panoramas of one strain differ.

    Parameters
    ----------
    densities : pandas.DataFrame
        `DENSITIES`. Panoramas without strain, and those withheld, take no part.
    confidence : float
        Of the intervals. A density changes where the interval of its ratio leaves out 1.

    Returns
    -------
    pandas.DataFrame
        `EVOLUTION`.
    """
    rows = [
        _row(densities[densities["class"] == name], name=name, confidence=confidence)
        for name in COUNTED
    ]
    table = pd.DataFrame(rows, columns=list(EVOLUTION.columns))
    return check_table(table, EVOLUTION, source="evolution with strain")


def _row(own, *, name, confidence):
    known = own[own["strain_percent"].notna() & (own["not_estimated"] == "")]
    strains = known["strain_percent"].to_numpy(float)
    counts = known["count"].to_numpy(float)
    row = {
        "class": name,
        "not_estimated": _reason(own, known),
        "model": "",
        "model_reason": "",
        "panoramas": len(known),
        "left_out": len(own) - len(known),
        "strain_from_percent": strains.min() if len(known) else np.nan,
        "strain_to_percent": strains.max() if len(known) else np.nan,
        "count": int(counts.sum()),
        "area_mm2": known["area_mm2"].sum(),
        "change": "not_tested",
        "confidence": confidence,
    }
    if row["not_estimated"]:
        return row
    areas = known["area_mm2"].to_numpy(float)
    fit = fit_trend(
        counts, areas, strains, least_dispersion=block_dispersion(known), confidence=confidence
    )
    row |= fit
    for bound, ratio in (("", "rate_ratio"), ("_low", "low"), ("_high", "high")):
        row[f"ratio_per_percent{bound}"] = fit[ratio] ** (1 / np.ptp(strains))
    row["change"] = "grows" if fit["low"] > 1 else "falls" if fit["high"] < 1 else "none"
    return row


def _reason(own, known):
    if not len(known):
        withheld = own[own["not_estimated"] != ""]
        if len(withheld) == len(own) and len(own):
            return f"there is no count in any panorama: {withheld['not_estimated'].iloc[0]}"
        return "the strain of no panorama is known (strain_percent in the sample sheet)"
    if known["strain_percent"].nunique() < 2:
        unknown = int(own["strain_percent"].isna().sum())
        more = f", and {unknown} without strain do not help" if unknown else ""
        return f"all panoramas are at {known['strain_percent'].iloc[0]:g} % strain{more}"
    if not known["count"].sum():
        return "there is no site of this class"
    return ""


def fit_trend(
    counts: np.ndarray,
    areas: np.ndarray,
    strains: np.ndarray,
    *,
    least_dispersion: float = 1.0,
    confidence: float,
) -> dict:
    """Fit an exponential change with strain to the counts of panoramas.

    Parameters
    ----------
    counts, areas, strains : numpy.ndarray of float, shape (panoramas,)
        Strains take at least two values; one count at least is not 0.
    least_dispersion : float, optional
        That of blocks within panoramas.
    confidence : float

    Returns
    -------
    dict
        model, model_reason, rate_ratio (from the least to the greatest strain), low, high, p_value,
        dispersion, panorama_variance (of the density over its squared mean; NaN unless the model
        is negative binomial), fitted_from_per_mm2 (density at the least strain).
    """
    found = rate_ratio(
        counts, areas, strains, least_dispersion=least_dispersion, confidence=confidence
    )
    fitted = found.pop("fitted")
    at_least_strain = strains.argmin()
    found |= {
        "fitted_from_per_mm2": fitted[at_least_strain] / areas[at_least_strain],
        "panorama_variance": np.nan,
    }
    freedom = len(counts) - 2
    between = pearson_dispersion(counts, fitted, parameters=2)
    if freedom >= LEAST_FREEDOM:
        p_value = stats.chi2.sf(between * freedom / least_dispersion, freedom)
        if p_value < _LEVEL:
            wider = _negative_binomial(counts, areas, strains, confidence=confidence)
            differ = f"{len(counts)} panoramas differ more than their blocks (p = {p_value:.2g})"
            if wider:
                reason = f"{differ}: the variance of panoramas is estimated, too"
                return found | wider | {"model": "negative_binomial", "model_reason": reason}
            reason = f"{differ}; a negative binomial regression did not converge"
            return found | {"model": "quasi_poisson", "model_reason": reason}
    if found["dispersion"] == 1:
        reason = "counts scatter no more than Poisson counts, within panoramas and between them"
        model = "poisson"
    else:
        where = "between panoramas" if between > least_dispersion else "within panoramas"
        reason = f"counts scatter more than Poisson counts {where}; errors are scaled for it"
        model = "quasi_poisson"
    if freedom < LEAST_FREEDOM:
        reason += (
            f". {len(counts)} panoramas say little, or nothing, of how panoramas of one strain "
            "differ"
        )
    return found | {"model": model, "model_reason": reason}


def _negative_binomial(counts, areas, strains, *, confidence):
    """Return the columns of a negative binomial regression; empty where it does not converge."""
    place = (strains - strains.min()) / np.ptp(strains)
    model = sm.NegativeBinomial(counts, sm.add_constant(place), exposure=areas)
    with warnings.catch_warnings():
        # What is warned of is checked below.
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(disp=0, maxiter=200)
        except np.linalg.LinAlgError:
            return {}
    error = fit.bse[1]
    if not fit.mle_retvals["converged"] or not np.isfinite(error) or abs(fit.params[1]) > 15:
        return {}
    freedom = len(counts) - 2
    half = stats.t.ppf((1 + confidence) / 2, freedom) * error
    low, ratio, high = np.exp(fit.params[1] + np.array([-half, 0, half]))
    return {
        "rate_ratio": ratio,
        "low": low,
        "high": high,
        "p_value": 2 * stats.t.sf(abs(fit.params[1]) / error, freedom),
        "panorama_variance": fit.params[2],
        "fitted_from_per_mm2": np.exp(fit.params[0]),
    }


def control_factor(table: pd.DataFrame) -> str:
    """Return by which factor inclusions change, with its interval; empty where not estimated.

    Parameters
    ----------
    table : pandas.DataFrame
        `EVOLUTION`.
    """
    row = table[table["class"] == INCLUSION].iloc[0]
    if row["not_estimated"]:
        return ""
    if np.isinf(row["high"]):
        return bounds_text(row["low"], row["high"], "{:.2f}")
    return f"{row['rate_ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def control_lines(table: pd.DataFrame) -> list[str]:
    """Return what the control says, for the headline; a warning where inclusions change.

    Parameters
    ----------
    table : pandas.DataFrame
        `EVOLUTION`.
    """
    row = table[table["class"] == INCLUSION].iloc[0]
    if row["not_estimated"]:
        return [
            "Control: whether the density of inclusions stays the same was not tested, because "
            f"{row['not_estimated']}."
        ]
    span = f"from {row['strain_from_percent']:g} to {row['strain_to_percent']:g} % strain"
    # Where the least strain has none, there is nothing to be divided by.
    word = "that is" if np.isinf(row["high"]) else "of"
    factor = f"by a factor {word} {control_factor(table)} ({p_text(row['p_value'])})"
    if row["change"] == "none":
        return [
            f"Control: {span} the density of inclusions changes {factor}. Chance alone can explain "
            "such a change."
        ]
    taken = {
        "grows": "damage is taken for inclusions",
        "falls": "inclusions are taken for damage or are not found",
    }
    return [
        f"{MARK}Control: {span} the density of inclusions {row['change']} {factor}. Deformation "
        f"makes no inclusions: read damage counts with care, because {taken[row['change']]}, or "
        "the panoramas differ in steel, preparation or imaging."
    ]
