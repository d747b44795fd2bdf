"""The built-in control: inclusions come from production, so their density must not change.

References
----------
Przyborowski & Wilenski, Homogeneity of results in testing samples from Poisson series,
10.1093/biomet/31.3-4.313 (given their sum, Poisson counts are multinomial).
McCullagh & Nelder, Generalized Linear Models, chapter 6 (over-dispersion), 10.1201/9780203753736.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from damascene.classes import DAMAGE, INCLUSION
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.statistics.caveats import MARK
from damascene.statistics.density import by_class

#: Rows of the table: the control, and what it is to be compared with.
TESTED = (INCLUSION, DAMAGE)
# Logarithm of a rate ratio beyond which there is no bound.
_FARTHEST = 20.0


def control_table(
    sites: pd.DataFrame,
    blocks: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    strains_percent: Mapping[str, float],
    confidence: float,
) -> pd.DataFrame:
    """Test whether the density of inclusions, and of all damage, changes with strain.

    The density is taken as an exponential function of strain. Counts scatter as Poisson counts, or
    more: the dispersion is the larger of that of blocks about the mean of their panorama and, from
    three panoramas on, that of panoramas about the trend; at least 1. With panoramas at two
    strains alone nothing is known of how panoramas of one strain differ.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES`.
    blocks : pandas.DataFrame
        `QUALITY` of all panoramas.
    records : sequence of PanoramaRecord
        Of all panoramas.
    strains_percent : mapping of panorama to float
        NaN where it is not known; such panoramas take no part.
    confidence : float
        Of the intervals. A density changes where the interval of its ratio leaves out 1.

    Returns
    -------
    pandas.DataFrame
        `CONTROL`.
    """
    known = [one for one in records if not np.isnan(strains_percent[one.panorama])]
    strains = np.array([strains_percent[one.panorama] for one in known], float)
    areas_mm2 = np.array([one.valid_area_mm2 for one in known], float)
    members = dict(by_class(sites))
    rows = []
    for name in TESTED:
        counts = np.array(
            [(members[name]["panorama"] == one.panorama).sum() for one in known], float
        )
        row = {
            "class": name,
            "panoramas": len(known),
            "strain_from_percent": strains.min() if len(known) else np.nan,
            "strain_to_percent": strains.max() if len(known) else np.nan,
            "count": int(counts.sum()),
            "area_mm2": areas_mm2.sum(),
            **dict.fromkeys(("rate_ratio", "low", "high", "p_value", "dispersion"), np.nan),
            "change": "not_tested",
            "confidence": confidence,
        }
        if len(set(strains)) > 1 and counts.sum() > 0:
            scatter = block_dispersion(members[name], blocks, panoramas=[r.panorama for r in known])
            row |= rate_ratio(
                counts, areas_mm2, strains, least_dispersion=scatter, confidence=confidence
            )
            row["change"] = "grows" if row["low"] > 1 else "falls" if row["high"] < 1 else "none"
        rows.append(row)
    return pd.DataFrame(rows)


def rate_ratio(
    counts: np.ndarray,
    areas: np.ndarray,
    strains: np.ndarray,
    *,
    least_dispersion: float = 1.0,
    confidence: float,
) -> dict[str, float]:
    """Return by which factor a rate changes from the least to the greatest strain.

    The interval holds all ratios that a score test does not reject; at two strains without
    over-dispersion it is that of Wilson for the share of the counts at the greater strain.

    Parameters
    ----------
    counts, areas, strains : numpy.ndarray of float, shape (panoramas,)
        Strains take at least two values; one count at least is not 0.
    least_dispersion : float, optional
        Least variance of a count over its mean.
    confidence : float

    Returns
    -------
    dict
        rate_ratio, low, high (0 and infinite where all counts lie at one end), p_value (of a ratio
        of 1, two-sided), dispersion.
    """
    place = (strains - strains.min()) / np.ptp(strains)
    total, observed = counts.sum(), (counts * place).sum()

    def expected(slope):
        weight = areas * np.exp(slope * (place - (slope > 0)))
        return weight / weight.sum()

    def score(slope):
        share = expected(slope)
        mean = (share * place).sum()
        variance = (share * (place - mean) ** 2).sum()
        return (observed - total * mean) / np.sqrt(total * variance)

    slope = _root(score)
    fitted = total * expected(np.clip(slope, -_FARTHEST, _FARTHEST))
    dispersion = max(least_dispersion, 1.0)
    if len(counts) > 2:
        pearson = ((counts - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum()
        dispersion = max(dispersion, pearson / (len(counts) - 2))
    scale = np.sqrt(dispersion)
    far = stats.norm.ppf((1 + confidence) / 2) * scale
    return {
        "rate_ratio": np.exp(slope),
        "low": np.exp(_root(lambda one: score(one) - far)),
        "high": np.exp(_root(lambda one: score(one) + far)),
        "p_value": 2 * stats.norm.sf(abs(score(0.0)) / scale),
        "dispersion": dispersion,
    }


def _root(falling):
    """Return where a falling function is 0; infinite where it is not."""
    if falling(-_FARTHEST) <= 0:
        return -np.inf
    if falling(_FARTHEST) >= 0:
        return np.inf
    return optimize.brentq(falling, -_FARTHEST, _FARTHEST)


def block_dispersion(
    sites: pd.DataFrame, blocks: pd.DataFrame, *, panoramas: Sequence[str]
) -> float:
    """Return the variance of counts in blocks over their mean, within panoramas; NaN without any.

    Parameters
    ----------
    sites : pandas.DataFrame
        Of one class: panorama, x_px, y_px.
    blocks : pandas.DataFrame
        `QUALITY`: rectangular blocks and the fraction of each that is valid.
    panoramas : sequence of str
    """
    pearson, freedom = 0.0, 0
    for name in panoramas:
        own = blocks[(blocks["panorama"] == name) & (blocks["valid_fraction"] > 0)]
        here = sites[sites["panorama"] == name]
        left, top = own["left_px"].to_numpy(), own["top_px"].to_numpy()
        right, bottom = left + own["width_px"].to_numpy(), top + own["height_px"].to_numpy()
        x, y = here["x_px"].to_numpy()[:, None], here["y_px"].to_numpy()[:, None]
        counts = ((x >= left) & (x < right) & (y >= top) & (y < bottom)).sum(axis=0)
        if counts.sum() == 0:
            continue
        area = (own["width_px"] * own["height_px"] * own["valid_fraction"]).to_numpy(float)
        fitted = counts.sum() * area / area.sum()
        pearson += ((counts - fitted) ** 2 / fitted).sum()
        freedom += len(own) - 1
    return pearson / freedom if freedom else np.nan


def control_lines(table: pd.DataFrame) -> list[str]:
    """Return what the control says, for the headline; a caveat where inclusions change.

    Parameters
    ----------
    table : pandas.DataFrame
        `CONTROL`.
    """
    row = table[table["class"] == INCLUSION].iloc[0]
    if row["change"] == "not_tested":
        return [
            "Control: whether the density of inclusions stays the same was not tested: that needs "
            "panoramas at two known strains, and inclusions."
        ]
    span = f"from {row['strain_from_percent']:g} to {row['strain_to_percent']:g} % strain"
    factor = (
        f"by a factor of {row['rate_ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}] "
        f"(p = {row['p_value']:.2g})"
    )
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
