"""Exact and distribution-free confidence intervals."""

import functools

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import confint_poisson


def poisson_interval(
    count: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact two-sided interval for the mean of a Poisson count.

    Sites that gather in martensite bands scatter more than a Poisson count does; for them the
    interval is too narrow.

    Parameters
    ----------
    count : array_like of int
        Counts, zero included.
    confidence : float, optional
        Coverage that is reached at least, between 0 and 1.

    Returns
    -------
    low, high : numpy.ndarray of float64
        Same shape as `count`. The lower bound of a zero count is 0.

    Raises
    ------
    ValueError
        If a count is negative or `confidence` is not between 0 and 1.

    References
    ----------
    F. Garwood, Biometrika 28 (1936) 437-442, doi:10.1093/biomet/28.3-4.437
    """
    count = np.asarray(count, float)
    if (count < 0).any():
        raise ValueError("a count cannot be negative")
    low, high = confint_poisson(count, 1, method="exact-c", alpha=2 * _tail(confidence))
    return np.asarray(low), np.asarray(high)


def proportion_interval(
    successes: ArrayLike, total: ArrayLike, *, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact two-sided interval for a proportion.

    Parameters
    ----------
    successes, total : array_like of int
        Successes among `total` independent trials.
    confidence : float, optional
        Coverage that is reached at least, between 0 and 1.

    Returns
    -------
    low, high : numpy.ndarray of float64
        Broadcast shape of the counts; 0 and 1 where there was no trial.

    Raises
    ------
    ValueError
        If successes are negative or more than the trials, or `confidence` is not between 0 and 1.

    References
    ----------
    C. J. Clopper, E. S. Pearson, Biometrika 26 (1934) 404-413, doi:10.1093/biomet/26.4.404
    """
    successes, total = np.broadcast_arrays(np.asarray(successes, float), np.asarray(total, float))
    if (successes < 0).any() or (successes > total).any():
        raise ValueError("successes must lie between 0 and the number of trials")
    alpha = 2 * _tail(confidence)
    tried = total > 0
    low, high = np.zeros(total.shape), np.ones(total.shape)
    low[tried], high[tried] = proportion_confint(
        successes[tried], total[tried], alpha=alpha, method="beta"
    )
    return low, high


def median_interval(values: ArrayLike, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval between two order statistics that covers the median.

    It assumes independent values of one continuous distribution of any form.

    Parameters
    ----------
    values : array_like of float, one-dimensional
    confidence : float, optional
        Coverage that is reached at least, between 0 and 1.

    Returns
    -------
    low, high : float
        NaN where the values are too few for the coverage (fewer than six for 95 %).

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.

    References
    ----------
    W. R. Thompson, Annals of Mathematical Statistics 7 (1936) 122-128,
    doi:10.1214/aoms/1177732502
    """
    ordered = np.sort(np.asarray(values, float))
    # The interval from the k-th smallest to the k-th largest value misses the median only if fewer
    # than k values lie on one side of it.
    rank = _median_rank(len(ordered), _tail(confidence)) if len(ordered) else 0
    if rank == 0:
        return np.nan, np.nan
    return float(ordered[rank - 1]), float(ordered[-rank])


@functools.lru_cache(maxsize=4096)
def _median_rank(count, tail):
    return int(stats.binom.ppf(tail, count, 0.5))


def _tail(confidence):
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1")
    return (1 - confidence) / 2
