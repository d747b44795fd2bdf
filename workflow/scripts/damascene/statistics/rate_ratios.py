"""Densities of two conditions compared, with a correction for the number of comparisons.

References
----------
Holm, A simple sequentially rejective multiple test procedure, https://www.jstor.org/stable/4615733.
"""

import warnings
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from damascene.classes import ALL, CLASSES, DAMAGE
from damascene.contracts.rate_ratios import RATE_RATIOS
from damascene.contracts.table import check_table
from damascene.statistics.rates import (
    LEAST_FREEDOM,
    block_dispersion,
    p_text,
    pearson_dispersion,
    rate_ratio,
)

# Logarithm of upper over lower bound of a ratio beyond which the regression has found none.
_WIDEST = 20.0
_ROWS = (DAMAGE, *(each.name for each in CLASSES), ALL)


def ratio_table(
    densities: pd.DataFrame, *, conditions: Mapping[str, str], confidence: float
) -> pd.DataFrame:
    """Compare the density of each class between every two conditions.

    Panoramas of strains that both conditions have are compared strain by strain, with one ratio
    for all strains. Where there is no such strain but the ranges of strain overlap, a regression
    takes the strain into account, as if density changed exponentially and alike in both. Otherwise
    nothing is compared.

    Parameters
    ----------
    densities : pandas.DataFrame
        `DENSITIES`. Panoramas whose classes are withheld take no part.
    conditions : mapping of panorama to str
        Column `condition` of the sample sheet; panoramas without one take no part.
    confidence : float

    Returns
    -------
    pandas.DataFrame
        `RATE_RATIOS`; the reference is the condition that comes first.
    """
    table = densities.assign(condition=densities["panorama"].map(conditions))
    names = [name for name in dict.fromkeys(table["condition"]) if name]
    rows = [
        _compare(table[table["class"] == label], label, pair, confidence=confidence)
        for pair in combinations(names, 2)
        for label in _ROWS
    ]
    if not rows:
        reason = "the sample sheet names no condition"
        if names:
            reason = f"the sample sheet names one condition, '{names[0]}'"
        rows = [_nothing(DAMAGE, (names[0] if names else "", ""), reason, confidence=confidence)]
    result = pd.DataFrame(rows, columns=list(RATE_RATIOS.columns))
    tested = result["p_value"].notna()
    if tested.any():
        result.loc[tested, "p_holm"] = multipletests(
            result.loc[tested, "p_value"].to_numpy(float), method="holm"
        )[1]
    result["comparisons"] = int(tested.sum())
    result["sentence"] = [_sentence(row) for _, row in result.iterrows()]
    return check_table(result, RATE_RATIOS, source="rate ratios")


def _nothing(label, pair, reason, *, confidence):
    counted = ("panoramas", "reference_panoramas", "count", "reference_count")
    return {
        "class": label,
        "condition": pair[1],
        "reference": pair[0],
        "not_estimated": reason,
        "basis": "",
        "note": "",
        **dict.fromkeys(counted, 0),
        **dict.fromkeys(("area_mm2", "reference_area_mm2"), 0.0),
        "confidence": confidence,
    }


def _compare(own, label, pair, *, confidence):
    known = own[own["condition"].isin(pair) & (own["not_estimated"] == "")]
    row = _nothing(label, pair, "", confidence=confidence)
    sides = [known[known["condition"] == name] for name in pair]
    for name, side in zip(pair, sides, strict=True):
        if not len(side):
            return row | {"not_estimated": f"no panorama of '{name}' has a count"}
    chosen, basis = _comparable(*sides)
    if chosen is None:
        return row | {"not_estimated": basis}
    is_second = (chosen["condition"] == pair[1]).to_numpy()
    counts, areas = chosen["count"].to_numpy(float), chosen["area_mm2"].to_numpy(float)
    for prefix, side in (("reference_", ~is_second), ("", is_second)):
        row |= {
            f"{prefix}panoramas": int(side.sum()),
            f"{prefix}count": int(counts[side].sum()),
            f"{prefix}area_mm2": areas[side].sum(),
            f"{prefix}density_per_mm2": counts[side].sum() / areas[side].sum(),
        }
    row["basis"] = basis
    if not counts.sum():
        return row | {"not_estimated": "there is no site of this class"}
    within = block_dispersion(chosen)
    strains = chosen["strain_percent"].to_numpy(float)
    options = {"least_dispersion": within, "confidence": confidence}
    if basis.startswith("adjusted"):
        if not (counts[is_second].sum() and counts[~is_second].sum()):
            return row | {"not_estimated": "one of the conditions has no site of this class"}
        found = adjusted_ratio(counts, areas, is_second, strains, **options)
        if not np.log(found["high"] / found["low"]) < _WIDEST:
            return row | {
                "not_estimated": "sites occur at some strains only, so that strain and condition "
                "cannot be told apart"
            }
    else:
        strata = np.nan_to_num(strains, nan=-1.0)
        found = rate_ratio(counts, areas, is_second.astype(float), strata=strata, **options)
    # Degrees of freedom that are left for how panoramas differ.
    freedom = len(chosen) - (
        3 if basis.startswith("adjusted") else chosen["strain_percent"].nunique(dropna=False) + 1
    )
    found |= {"note": _note(freedom, row["panoramas"], row["reference_panoramas"])}
    return row | {name: found[name] for name in found if name != "fitted"}


def _note(freedom, panoramas, reference_panoramas):
    """Say what the interval does not know of differences between specimens."""
    if freedom >= LEAST_FREEDOM:
        return ""
    numbers = f"n = {panoramas} and {reference_panoramas} panoramas"
    if freedom < 1:
        return f"differences between specimens are not in the interval ({numbers})"
    return f"the interval knows little of differences between specimens ({numbers})"


def _comparable(first, second):
    """Return the panoramas of two conditions that can be compared, and on what ground."""
    strains = [side["strain_percent"] for side in (first, second)]
    both = pd.concat([first, second])
    shared = sorted(set(strains[0].dropna()) & set(strains[1].dropna()))
    if shared:
        at = ", ".join(f"{each:g}" for each in shared)
        return both[both["strain_percent"].isin(shared)], f"at {at} % strain"
    if strains[0].isna().all() and strains[1].isna().all():
        return both, "strains not known"
    if strains[0].isna().all() or strains[1].isna().all():
        return None, "the strain of the panoramas of one condition is not known"
    if max(each.min() for each in strains) > min(each.max() for each in strains):
        return None, "the ranges of strain of the conditions do not overlap"
    known = both[both["strain_percent"].notna()]
    return known, "adjusted for strain"


def adjusted_ratio(
    counts: np.ndarray,
    areas: np.ndarray,
    is_second: np.ndarray,
    strains: np.ndarray,
    *,
    least_dispersion: float = 1.0,
    confidence: float,
) -> dict[str, float]:
    """Return the ratio of two rates by a Poisson regression that also has a slope over strain.

    Parameters
    ----------
    counts, areas, strains : numpy.ndarray of float, shape (panoramas,)
    is_second : numpy.ndarray of bool, shape (panoramas,)
        Of the condition that is compared with the other.
    least_dispersion : float, optional
        See `rates.rate_ratio`.
    confidence : float

    Returns
    -------
    dict
        rate_ratio, low, high, p_value, dispersion.
    """
    design = np.stack([np.ones(len(counts)), strains - strains.mean(), is_second], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = sm.GLM(
            counts, design.astype(float), family=sm.families.Poisson(), exposure=areas
        ).fit()
    scatter = pearson_dispersion(counts, fit.fittedvalues, parameters=3)
    dispersion = max(least_dispersion, 1.0, scatter if np.isfinite(scatter) else 0.0)
    freedom = len(counts) - 3
    known = scatter < dispersion or freedom < LEAST_FREEDOM
    law = stats.norm if known else stats.t(freedom)
    error = fit.bse[2] * np.sqrt(dispersion)
    half = law.ppf((1 + confidence) / 2) * error
    low, ratio, high = np.exp(fit.params[2] + np.array([-half, 0, half]))
    return {
        "rate_ratio": ratio,
        "low": low,
        "high": high,
        "p_value": 2 * law.sf(abs(fit.params[2]) / error),
        "dispersion": dispersion,
    }


def _sentence(row):
    sites = {ALL: "all sites"}.get(row["class"], f"{row['class'].replace('_', ' ')} sites")
    if row["not_estimated"]:
        between = f"{row['condition']} to {row['reference']}"
        compared = f" of {between}" if row["condition"] else ""
        return f"The ratio{compared} was not estimated for {sites}, because {row['not_estimated']}."
    ratio, low, high = _ratio_texts(row["rate_ratio"], row["low"], row["high"])
    basis = {"strains not known": "at strains that are not known"}.get(row["basis"], row["basis"])
    said = f"is {ratio} times that in {row['reference']}"
    if np.isinf(row["rate_ratio"]):
        said = f"has no upper limit over that in {row['reference']}, which has no site"
    interval = f"from {low} on" if np.isinf(row["high"]) else f"{low} to {high}"
    many = "s" * (row["comparisons"] != 1)
    note = f" {row['note'][0].upper()}{row['note'][1:]}." if row["note"] else ""
    return (
        f"{basis[0].upper()}{basis[1:]}, the density of {sites} in {row['condition']} {said} "
        f"({100 * row['confidence']:g} % CI {interval}, not corrected for the number of "
        f"comparisons; {p_text(row['p_holm'])}, corrected for {row['comparisons']} "
        f"comparison{many} after Holm): {_found_in(row, '')} against "
        f"{_found_in(row, 'reference_')}.{note}"
    )


def _found_in(row, prefix):
    count, panoramas = row[f"{prefix}count"], row[f"{prefix}panoramas"]
    return (
        f"{count} site{'s' * (count != 1)} in {row[f'{prefix}area_mm2']:.3g} mm² of "
        f"{panoramas} panorama{'s' * (panoramas != 1)}"
    )


def _ratio_texts(ratio, low, high):
    """Write a ratio and its bounds with as many decimals each, which the ratio decides."""
    known = next((each for each in (ratio, low, high) if 0 < each < np.inf), 1.0)
    power = int(np.floor(np.log10(known)))
    decimals = max(2 - power, 0) if power >= 0 else 1 - power
    least = 10.0**-decimals

    def text(value):
        return (
            f"less than {least:.{decimals}f}" if 0 < value < least / 2 else f"{value:.{decimals}f}"
        )

    return text(ratio), text(low), text(high)
