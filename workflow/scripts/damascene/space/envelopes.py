"""Global envelopes: one test for a whole curve, at all distances together.

Curves are ordered by how extreme they are: by the lowest rank that they take at any distance, then
by how often, then by the next rank (extreme rank length). The p value is exact for a simple
hypothesis, and the envelope shows where a curve leaves it if p is small.

References
----------
Myllymäki, Mrkvička, Grabarnik, Seijo & Hahn, Global envelope tests for spatial processes, Journal
of the Royal Statistical Society B 79 (2017) 381-404, 10.1111/rssb.12172.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, kw_only=True, eq=False)
class Envelope:
    """What a test says of a curve.

    Attributes
    ----------
    p_value : float
    mean, low, high : numpy.ndarray, shape (m,)
        Mean of the simulated curves, and the envelope that holds a curve of the hypothesis at all
        distances with the confidence asked for.
    """

    p_value: float
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def global_envelope(
    observed: np.ndarray, simulated: np.ndarray, *, confidence: float = 0.95
) -> Envelope:
    """Test a curve against simulated ones.

    Parameters
    ----------
    observed : numpy.ndarray, shape (m,)
    simulated : numpy.ndarray, shape (simulations, m)
    confidence : float, optional

    Returns
    -------
    Envelope
    """
    curves = np.vstack([observed, simulated])
    up = stats.rankdata(curves, axis=0)
    ranks = np.sort(np.minimum(up, len(curves) + 1 - up), axis=1)
    # The last key of a lexical sort is the first that counts.
    order = np.lexsort(ranks.T[::-1])
    position = np.empty(len(curves))
    position[order] = np.arange(len(curves))
    ordered = ranks[order]
    # Curves that are equally extreme share the greater position.
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    group = np.cumsum(new) - 1
    last = np.flatnonzero(np.concatenate([new[1:], [True]]))
    as_extreme = (last[group] + 1)[position.astype(int)]
    p_values = as_extreme / len(curves)
    # Rounding must not decide whether a p of exactly 5 % is inside.
    inside = curves[p_values > 1 - confidence + 1e-12]
    return Envelope(
        p_value=float(p_values[0]),
        mean=simulated.mean(axis=0),
        low=inside.min(axis=0),
        high=inside.max(axis=0),
    )


def monte_carlo_p(value: float, simulated: np.ndarray) -> float:
    """Return the two-sided p value of a number among simulated ones (Barnard 1963)."""
    simulated = simulated[np.isfinite(simulated)]
    if not np.isfinite(value) or not len(simulated):
        return float("nan")
    above, below = (simulated >= value).sum(), (simulated <= value).sum()
    return float(min(1.0, 2 * (1 + min(above, below)) / (1 + len(simulated))))
