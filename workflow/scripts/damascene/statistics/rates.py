"""Ratios of rates: how a density changes from panorama to panorama.

References
----------
Przyborowski & Wilenski, Homogeneity of results in testing samples from Poisson series,
10.1093/biomet/31.3-4.313 (given their sum, Poisson counts are multinomial).
McCullagh & Nelder, Generalized Linear Models, chapter 6 (over-dispersion), 10.1201/9780203753736.
"""

import numpy as np
import pandas as pd
from scipy import optimize, stats

#: Degrees of freedom from which the scatter of panoramas is known well enough for Student's t.
LEAST_FREEDOM = 4
# Logarithm of a rate ratio beyond which there is no bound.
_FARTHEST = 20.0


def rate_ratio(
    counts: np.ndarray,
    areas: np.ndarray,
    places: np.ndarray,
    *,
    strata: np.ndarray | None = None,
    least_dispersion: float = 1.0,
    confidence: float,
) -> dict[str, float]:
    """Return by which factor a rate changes from the least to the greatest place.

    The logarithm of the rate is a line over the place (a strain, or 0 and 1 for two conditions),
    with a height of its own in each stratum: a Poisson regression with the logarithm of the area
    as offset. The interval holds all ratios that a score test does not reject, which stands also
    where one end has no site; for two counts without over-dispersion it is that of Wilson for the
    share of one of them.

    Parameters
    ----------
    counts, areas, places : numpy.ndarray of float, shape (panoramas,)
        Places take at least two values in one stratum.
    strata : numpy.ndarray, shape (panoramas,), optional
        Names of groups whose level is not compared, for instance strains.
    least_dispersion : float, optional
        Least variance of a count over its mean. That of panoramas about the fit takes its place
        where it is larger.
    confidence : float

    Returns
    -------
    dict
        rate_ratio, low, high (0 and infinite where nothing bounds them), p_value (of a ratio of 1,
        two-sided), dispersion, fitted (counts, shape (panoramas,)).
    """
    strata = np.zeros(len(counts)) if strata is None else strata
    _, member = np.unique(strata, return_inverse=True)
    place = (places - places.min()) / np.ptp(places)
    total, observed = np.bincount(member, counts), (counts * place).sum()

    def expected(slope):
        weight = areas * np.exp(slope * (place - (slope > 0)))
        return weight / np.bincount(member, weight)[member]

    def score(slope):
        share = expected(slope)
        mean = np.bincount(member, share * place)
        variance = np.bincount(member, share * (place - mean[member]) ** 2)
        return (observed - (total * mean).sum()) / np.sqrt((total * variance).sum())

    slope = _root(score)
    fitted = total[member] * expected(np.clip(slope, -_FARTHEST, _FARTHEST))
    scatter = pearson_dispersion(counts, fitted, parameters=len(total) + 1)
    dispersion = max(least_dispersion, 1.0, scatter if np.isfinite(scatter) else 0.0)
    freedom = len(counts) - len(total) - 1
    known = scatter < dispersion or freedom < LEAST_FREEDOM
    law = stats.norm if known else stats.t(freedom)
    far = law.ppf((1 + confidence) / 2) * np.sqrt(dispersion)
    return {
        "rate_ratio": np.exp(slope),
        "low": np.exp(_root(lambda one: score(one) - far)),
        "high": np.exp(_root(lambda one: score(one) + far)),
        "p_value": 2 * law.sf(abs(score(0.0)) / np.sqrt(dispersion)),
        "dispersion": dispersion,
        "fitted": fitted,
    }


def pearson_dispersion(counts: np.ndarray, fitted: np.ndarray, *, parameters: int) -> float:
    """Return the scatter of counts about fitted ones over that of Poisson counts, or NaN."""
    freedom = len(counts) - parameters
    if freedom < 1:
        return np.nan
    return float(((counts - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum() / freedom)


def block_dispersion(rows: pd.DataFrame) -> float:
    """Return the dispersion within panoramas, pooled over them by their blocks; at least 1.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `DENSITIES`, one class: dispersion, blocks.
    """
    known = rows[rows["dispersion"].notna()]
    freedom = known["blocks"].to_numpy(float) - 1
    if not freedom.sum() > 0:
        return 1.0
    return max(1.0, float((known["dispersion"].to_numpy(float) * freedom).sum() / freedom.sum()))


def bounds_text(low: float, high: float, digits: str) -> str:
    """Write the bounds of a ratio, the upper one of which may be missing.

    Parameters
    ----------
    low, high : float
    digits : str
        A format, for instance "{:.3g}".
    """
    if np.isinf(high):
        return f"from {digits.format(low)} on"
    return f"{digits.format(low)} to {digits.format(high)}"


def p_text(value: float) -> str:
    """Write a probability of chance; that of a ratio near 1 is never exactly 1."""
    if value > 0.99:
        return "p > 0.99"
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def _root(falling):
    """Return where a falling function is 0; infinite where it is not."""
    if falling(-_FARTHEST) <= 0:
        return -np.inf
    if falling(_FARTHEST) >= 0:
        return np.inf
    return optimize.brentq(falling, -_FARTHEST, _FARTHEST)
