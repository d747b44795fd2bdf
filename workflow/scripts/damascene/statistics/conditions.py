"""Densities of a condition: what several panoramas of one state say together.

References
----------
Cochran, Sampling Techniques, chapter 6 (ratio estimators), ISBN 978-0-471-16240-7.
DerSimonian & Laird, Meta-analysis in clinical trials, 10.1016/0197-2456(86)90046-2.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from damascene.contracts.conditions import CONDITIONS
from damascene.contracts.table import check_table
from damascene.statistics.block_bootstrap import dispersed_quantiles
from damascene.statistics.panorama_blocks import COUNTED
from damascene.statistics.rates import block_dispersion


def condition_table(
    densities: pd.DataFrame, *, conditions: Mapping[str, str], confidence: float
) -> pd.DataFrame:
    """Sum up the panoramas of each condition and strain, and how much they differ.

    A panorama is a draw from its condition, and blocks are draws from a panorama. The density is
    that of all panoramas together. Its interval rests on how their counts differ from it, or on
    the scatter of blocks within them where that is larger.

    Parameters
    ----------
    densities : pandas.DataFrame
        `DENSITIES`. Panoramas whose classes are withheld take no part.
    conditions : mapping of panorama to str
        Column `condition` of the sample sheet, empty where it is not given.
    confidence : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        `CONDITIONS`, by condition and strain in the order of the panoramas.
    """
    table = densities.assign(condition=densities["panorama"].map(conditions))
    rows = [
        {
            "condition": condition,
            "strain_percent": strain,
            "class": name,
            **pooled_density(own[own["class"] == name], confidence=confidence),
        }
        for (condition, strain), own in table.groupby(
            ["condition", "strain_percent"], sort=False, dropna=False
        )
        for name in COUNTED
    ]
    result = pd.DataFrame(rows, columns=list(CONDITIONS.columns))
    return check_table(result, CONDITIONS, source="conditions")


def pooled_density(own: pd.DataFrame, *, confidence: float) -> dict:
    """Return the density of some panoramas together, and how much they differ.

    Parameters
    ----------
    own : pandas.DataFrame
        Rows of `DENSITIES` of one class.
    confidence : float

    Returns
    -------
    dict
        Columns of `CONDITIONS`.
    """
    known = own[own["not_estimated"] == ""]
    row = {
        "not_estimated": "",
        "panoramas": len(known),
        "left_out": len(own) - len(known),
        "variance_note": "",
        "confidence": confidence,
    }
    if not len(known):
        return row | {"not_estimated": own["not_estimated"].iloc[0], "count": 0, "area_mm2": 0.0}
    counts, areas = known["count"].to_numpy(float), known["area_mm2"].to_numpy(float)
    count, area = counts.sum(), areas.sum()
    within = block_dispersion(known)
    row |= {
        "count": int(count),
        "area_mm2": area,
        "density_per_mm2": count / area,
        "dispersion_within": within,
    }
    levels = np.array([1 - confidence, 1 + confidence]) / 2
    # Degrees of freedom of the scatter within panoramas. Panoramas of one block tell nothing of it:
    # their counts are taken as Poisson counts, as in the table of densities.
    freedom = float((known["blocks"].fillna(1).to_numpy(float) - 1).sum())
    scatter = {"dispersion": within if freedom else 0.0, "freedom": max(freedom, 1.0)}
    if len(known) < 2:
        return row | {
            "variance_note": "not estimated, because one panorama: how panoramas of this condition "
            "differ is not in the interval",
            **_bounds(levels, known.iloc[0], count, area, scatter),
        }
    if not count:
        row["variance_note"] = "not estimated, because there is no site"
        low, high = dispersed_quantiles(levels, 0, dispersion=0.0, freedom=1) / area
        return row | {"low_per_mm2": low, "high_per_mm2": high}
    number = len(known)
    squares = ((counts - areas * count / area) ** 2).sum()
    between = squares * number / (number - 1) / count
    expected = areas * count / area
    chi2 = ((counts - expected) ** 2 / expected).sum()
    # Moments: what panoramas differ beyond the scatter within them.
    beyond = max(0.0, chi2 - within * (number - 1))
    variance = beyond / (count - (areas**2).sum() * count / area**2)
    inside = dispersed_quantiles(levels, count, **scatter)
    outside = dispersed_quantiles(levels, count, dispersion=between, freedom=number - 1)
    return row | {
        "low_per_mm2": min(inside[0], outside[0]) / area,
        "high_per_mm2": max(inside[1], outside[1]) / area,
        "panorama_variance": variance,
        "p_value": stats.chi2.sf(chi2 / within, number - 1),
        "variance_note": f"from {number} panoramas" + (" alone" if number < 5 else ""),
    }


def _bounds(levels, panorama, count, area, scatter):
    """Return the bounds of one panorama: those of its blocks, where there are any."""
    low, high = panorama["block_low_per_mm2"], panorama["block_high_per_mm2"]
    if pd.isna(low):
        low, high = dispersed_quantiles(levels, count, **scatter) / area
    return {"low_per_mm2": low, "high_per_mm2": high}
