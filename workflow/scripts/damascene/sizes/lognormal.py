"""Lognormal distribution of areas that is cut off at the detection limit.

Sites below the limit were not looked for. A distribution that is fitted without saying so comes out
too narrow and its median too large. Areas are counts of pixels: each stands for the areas within
half a pixel of it, which matters for sites of a few pixels.

References
----------
Cohen, Truncated and Censored Samples (1991).
Venzon & Moolgavkar, Applied Statistics 37 (1988) 87-94, 10.2307/2347496 (profile likelihood).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special, stats

#: Sites below which no distribution is fitted.
LEAST_SITES = 30
#: Part below the limit above which the fit would be a guess at what was not seen.
MOST_HIDDEN = 0.9
_BINS = 10
_LEAST_EXPECTED = 5.0
_WIDEST = 4.0


@dataclass(frozen=True, kw_only=True)
class LognormalFit:
    """A fitted distribution of areas.

    Attributes
    ----------
    median_um2, median_low_um2, median_high_um2 : float
        Median of all sites, those below the limit included, with its interval.
    deviation, deviation_low, deviation_high : float
        Geometric standard deviation of areas, a factor; that of diameters is its square root.
    hidden : float
        Part of the sites that lies below the limit if the distribution goes on there.
    p_value : float
        Of a chi-squared test of the fit; NaN with too few bins.
    not_estimated : str
        Why there is no fit; empty where there is one.
    """

    median_um2: float = np.nan
    median_low_um2: float = np.nan
    median_high_um2: float = np.nan
    deviation: float = np.nan
    deviation_low: float = np.nan
    deviation_high: float = np.nan
    hidden: float = np.nan
    p_value: float = np.nan
    not_estimated: str = ""


def fit_lognormal(
    area_px: ArrayLike, *, pixel_um2: float, limit_px: float, confidence: float = 0.95
) -> LognormalFit:
    """Fit a truncated lognormal distribution by maximum likelihood.

    Parameters
    ----------
    area_px : array_like of int, shape (n,)
        Areas in pixels, all above the limit.
    pixel_um2 : float
        Area of a pixel.
    limit_px : float
        Sites of this area or less are not found.
    confidence : float, optional
        Of the intervals, from the profile of the likelihood.

    Returns
    -------
    LognormalFit
    """
    areas, counts = np.unique(np.asarray(area_px, np.int64), return_counts=True)
    if counts.sum() < LEAST_SITES:
        return LognormalFit(not_estimated=f"fewer than {LEAST_SITES} sites")
    if len(areas) < 3:
        return LognormalFit(not_estimated="areas of fewer than three sizes")
    likelihood = _Likelihood(areas, counts, limit_px)
    best = likelihood.best()
    mean, spread = best.x[0], np.exp(best.x[1])
    hidden = float(special.ndtr((likelihood.limit - mean) / spread))
    if not best.success or hidden > MOST_HIDDEN:
        return LognormalFit(
            not_estimated="most of the distribution lies below the detection limit: the sites that "
            "were found do not tell its median"
        )
    drop = stats.chi2.ppf(confidence, 1) / 2
    bounds = [likelihood.bounds(best, which, drop) for which in (0, 1)]
    if not np.isfinite(bounds).all():
        return LognormalFit(
            not_estimated="so much of the distribution may lie below the detection limit that its "
            "median has no lower bound"
        )
    (low, high), (narrow, wide) = bounds
    return LognormalFit(
        median_um2=float(np.exp(mean)) * pixel_um2,
        median_low_um2=float(np.exp(low)) * pixel_um2,
        median_high_um2=float(np.exp(high)) * pixel_um2,
        deviation=float(np.exp(spread)),
        deviation_low=float(np.exp(np.exp(narrow))),
        deviation_high=float(np.exp(np.exp(wide))),
        hidden=hidden,
        p_value=likelihood.goodness(mean, spread),
    )


class _Likelihood:
    """Likelihood of mean and logarithm of the standard deviation of the logarithms of areas."""

    def __init__(self, areas, counts, limit_px):
        self.areas, self.counts = areas, counts
        # The smallest area that is kept stands for what rounds to it.
        self.limit = np.log(np.floor(limit_px) + 0.5) if limit_px >= 1 else np.log(0.5)
        self.lower, self.upper = np.log(areas - 0.5), np.log(areas + 0.5)

    def loss(self, at):
        """Return the negative logarithm of the likelihood."""
        mean, spread = at[0], np.exp(at[1])
        z = (np.stack([self.lower, self.upper]) - mean) / spread
        # From the tail in which the difference of two numbers near 1 is none of rounding.
        sign = np.where(z.sum(axis=0) > 0, -1.0, 1.0)
        one, other = special.log_ndtr(sign * z[0]), special.log_ndtr(sign * z[1])
        large, small = np.maximum(one, other), np.minimum(one, other)
        within = large + np.log(-np.expm1(np.minimum(small - large, -1e-300)))
        above = special.log_ndtr((mean - self.limit) / spread)
        return float(-(self.counts * (within - above)).sum())

    def best(self):
        logarithms = np.log(self.areas)
        mean = np.average(logarithms, weights=self.counts)
        spread = np.sqrt(np.average((logarithms - mean) ** 2, weights=self.counts))
        start = [mean, np.log(max(spread, 0.05))]
        options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 2000}
        return optimize.minimize(self.loss, start, method="Nelder-Mead", options=options)

    def bounds(self, best, which, drop):
        """Return the bounds of one parameter, the other chosen best for each of its values."""
        other = best.x[1 - which]

        def excess(value):
            def loss(free):
                return self.loss((value, free) if which == 0 else (free, value))

            found = optimize.minimize_scalar(loss, bracket=(other - 0.05, other + 0.05))
            return found.fun - best.fun - drop

        found = []
        for sign in (-1, 1):
            step = 0.02
            while (past := excess(best.x[which] + sign * step)) < 0 and step < _WIDEST:
                step *= 2
            if not past > 0:
                return np.nan, np.nan
            root = optimize.brentq(excess, best.x[which], best.x[which] + sign * step, xtol=1e-5)
            found.append(root)
        return found

    def goodness(self, mean, spread):
        """Return the p value of a chi-squared test in bins of equal expected counts."""
        total = self.counts.sum()
        bins = int(min(_BINS, total // _LEAST_EXPECTED))
        below = special.ndtr((self.limit - mean) / spread)
        levels = below + (1 - below) * np.arange(1, bins) / bins
        # Bins end between two pixels.
        edges = np.unique(np.floor(np.exp(mean + spread * special.ndtri(levels))) + 0.5)
        inner = special.ndtr((np.log(edges) - mean) / spread)
        share = np.diff(np.concatenate([[below], inner, [1.0]])) / (1 - below)
        place = np.searchsorted(edges, self.areas)
        found = np.bincount(place, self.counts, len(share))
        freedom = len(share) - 3
        if freedom < 1 or (share <= 0).any():
            return np.nan
        return float(stats.chi2.sf(((found - total * share) ** 2 / (total * share)).sum(), freedom))
