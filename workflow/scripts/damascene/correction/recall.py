"""Recall of the detector by size and contrast, and what it means for the counts of a panorama.

Curves are logistic in the logarithm of the area, the contrast, and their product: the larger a
void, the more its contrast alone decides, against a threshold that is the same for all.

One curve is for all voids that were planted: it tells what the settings of a study leave out. For
the counts another one is fitted to those voids that are sites by these settings, because without
noise enough of them is darker than the threshold. A site that was found stands for as many of these
as one over its recall (Horvitz and Thompson).

References
----------
Horvitz & Thompson, A generalization of sampling without replacement from a finite universe,
10.1080/01621459.1952.10483446.
Borchers, Buckland & Zucchini, Estimating Animal Abundance, 10.1007/978-1-4471-3708-5, chapter 7.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from damascene.statistics.intervals import proportion_interval

#: Planted voids without which there is no curve.
LEAST_VOIDS = 100
#: Of these, voids that are sites by the settings of the study.
LEAST_SITES = 40
#: A site stands for no more voids than one over this: the recall of small ones is uncertain.
LEAST_RECALL = 0.3
# Weak pull of the slopes of standardised variables towards 0, in units of the log-likelihood.
_PULL = 0.05
_STEPS = 50
# Weight of the void in the middle that is found, and of the one that is missed.
_HALF = 0.5
_AREA_FACTORS = (1.0, 2.0, 4.0, 8.0, 16.0)
_CONTRAST_PARTS = 4
_SITES_AT_A_TIME = 2_000_000


@dataclass(frozen=True, kw_only=True)
class RecallCurve:
    """Probability that a void is found: logistic in log area, contrast and their product.

    Attributes
    ----------
    coefficients : numpy.ndarray, float64, shape (4,)
        Of 1, ln(area in um2), contrast and their product, in the standardised variables.
    design : numpy.ndarray, float64, shape (voids, 4)
        These variables of the voids that the curve is fitted to.
    found : numpy.ndarray, float64, shape (voids,)
        One where a void was found.
    middle, spread : numpy.ndarray, float64, shape (2,)
        By which ln(area) and contrast are standardised.
    to_area, to_contrast : tuple of float
        Constant and slope by which ln(area) and contrast of a found site are turned into those of
        its void.
    most_um2 : float
        Largest planted area; larger ones have its recall.
    """

    coefficients: np.ndarray
    design: np.ndarray
    found: np.ndarray
    middle: np.ndarray
    spread: np.ndarray
    to_area: tuple[float, float]
    to_contrast: tuple[float, float]
    most_um2: float

    def of_voids(self, area_um2: np.ndarray, contrast: np.ndarray) -> np.ndarray:
        """Return the recall of voids of given areas and contrasts."""
        return special.expit(self._design(np.log(area_um2), contrast) @ self.coefficients)

    def of_sites(
        self, area_um2: np.ndarray, contrast: np.ndarray, coefficients: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the recall of found sites, `LEAST_RECALL` at least.

        Parameters
        ----------
        area_um2, contrast : numpy.ndarray, float, shape (n,)
            As measured on the sites.
        coefficients : numpy.ndarray, float, shape (replicates, 4), optional
            Others in place of those of the curve, one set a column of the result.

        Returns
        -------
        numpy.ndarray, float64, shape (n,) or (n, replicates)
        """
        log_area = self.to_area[0] + self.to_area[1] * np.log(area_um2)
        own = self.to_contrast[0] + self.to_contrast[1] * np.asarray(contrast)
        taken = self.coefficients if coefficients is None else np.asarray(coefficients).T
        recall = special.expit(self._design(log_area, own) @ taken)
        return np.maximum(recall, LEAST_RECALL)

    def drawn(self, *, replicates: int, seed: int) -> np.ndarray:
        """Return replicates of the coefficients, float64 (replicates, 4).

        By a smooth bootstrap: each void has a random weight of mean 1, so have the two halves that
        are added. Normal errors of the coefficients would be far too wide where nearly all voids
        of a kind were found.
        """
        random = np.random.default_rng(seed)
        weights = random.exponential(size=(replicates, len(self.found)))
        halves = random.gamma(_HALF, size=(replicates, 2))
        return _fitted(self.design, self.found, np.hstack([weights, halves]))

    def _design(self, log_area, contrast):
        log_area = np.minimum(log_area, np.log(self.most_um2))
        return _design(np.column_stack([log_area, contrast]), self.middle, self.spread)


def _design(variables, middle, spread):
    standard = (variables - middle) / spread
    return np.column_stack([np.ones(len(standard)), standard, standard.prod(axis=1)])


def why_no_curve(planted: pd.DataFrame, least_area_um2: float) -> str:
    """Return why planted voids give no curve, or nothing where they do.

    Parameters
    ----------
    planted : pandas.DataFrame
        `PLANTED_VOIDS` of one panorama.
    least_area_um2 : float
        Area from which sites are counted.
    """
    count = len(planted)
    if count < LEAST_VOIDS:
        return (
            f"the panorama has room for {count} planted voids only (valid and without candidates), "
            f"and the recall needs {LEAST_VOIDS}"
        )
    sites = sites_of(planted, least_area_um2)
    if len(sites) < LEAST_SITES or not sites["found"].any():
        return (
            f"of {count} planted voids {len(sites)} are large and dark enough to be sites, and "
            f"{sites['found'].sum()} of these were found; the recall needs {LEAST_SITES}"
        )
    return ""


def sites_of(planted: pd.DataFrame, least_area_um2: float) -> pd.DataFrame:
    """Return the planted voids that are sites: more than the least area of them is dark."""
    sites = planted[planted["dark_area_um2"] > least_area_um2]
    return sites.assign(area_um2=sites["dark_area_um2"])


def fit_recall(planted: pd.DataFrame) -> RecallCurve:
    """Fit the curve to planted voids, which must allow it (`why_no_curve`).

    By penalised maximum likelihood; the penalty only keeps slopes finite where sizes or contrasts
    part the found from the missed completely. Half a void that is found and half a one that is
    missed are added in the middle, so that the recall stays uncertain where all were found.

    Parameters
    ----------
    planted : pandas.DataFrame
        `PLANTED_VOIDS` of one panorama.
    """
    log_area = np.log(planted["area_um2"].to_numpy(float))
    contrast = planted["contrast"].to_numpy(float)
    found = planted["found"].to_numpy(float)
    raw = np.column_stack([log_area, contrast])
    middle, spread = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-9)
    design = _design(raw, middle, spread)
    weights = np.append(np.ones(len(found)), [_HALF, _HALF])[None]
    seen = planted[planted["found"]]
    return RecallCurve(
        coefficients=_fitted(design, found, weights)[0],
        design=design,
        found=found,
        middle=middle,
        spread=spread,
        to_area=_line(np.log(seen["found_area_um2"]), np.log(seen["area_um2"])),
        to_contrast=_line(seen["found_contrast"], seen["contrast"]),
        most_um2=float(planted["area_um2"].max()),
    )


def _fitted(design, found, weights):
    """Return the coefficients of logistic curves, one set for each row of weights.

    The two last weights are those of a void in the middle that is found, and of one that is missed.
    """
    middle = np.zeros((2, design.shape[1]))
    middle[:, 0] = 1
    design, found = np.vstack([design, middle]), np.append(found, [1.0, 0.0])
    pull = _PULL * np.array([0.0, 1.0, 1.0, 1.0])
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    values = np.zeros((len(weights), design.shape[1]))
    for _ in range(_STEPS):
        chance = special.expit(values @ design.T)
        hessian = (weights * np.maximum(chance * (1 - chance), 1e-9)) @ outer
        hessian = hessian.reshape(len(weights), *pull.shape * 2) + np.diag(pull + 1e-9)
        slope = (weights * (found - chance)) @ design - pull * values
        step = np.linalg.solve(hessian, slope[:, :, None])[:, :, 0]
        largest = np.abs(step).max(axis=1, keepdims=True)
        values += step * np.minimum(1, 4 / np.maximum(largest, 1e-12))
        if largest.max() < 1e-8:
            break
    return values


def _line(x, y):
    """Return constant and slope, the slope between 0 and 1.5: the mean where there is none."""
    x, y = x.to_numpy(float), y.to_numpy(float)
    slope = 0.0
    if x.std() > 1e-9:
        slope = float(np.clip(np.cov(x, y, ddof=0)[0, 1] / x.var(), 0, 1.5))
    return float(y.mean() - slope * x.mean()), slope


def recall_replicates(
    curve: RecallCurve,
    area_um2: np.ndarray,
    contrast: np.ndarray,
    members: np.ndarray,
    *,
    replicates: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the recall of each class of sites, and replicates of it.

    That of a class is its number of sites over the number of voids that they stand for.

    Parameters
    ----------
    curve : RecallCurve
    area_um2, contrast : numpy.ndarray, float, shape (n,)
        Of the sites.
    members : numpy.ndarray, float, shape (n, classes)
        How much each site belongs to each class.
    replicates, seed : int
        See `RecallCurve.drawn`.

    Returns
    -------
    recall : numpy.ndarray, float64, shape (classes,)
        That of all sites for a class without any; NaN without sites.
    drawn : numpy.ndarray, float64, shape (replicates, classes)
    """
    classes = members.shape[1]
    if not len(members):
        return np.full(classes, np.nan), np.full((replicates, classes), np.nan)
    weights = np.hstack([members, np.ones((len(members), 1))]).astype(float)
    total = weights.sum(axis=0)

    def of_classes(recall):
        stands_for = weights.T @ (1 / recall)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = total.reshape(-1, *[1] * (recall.ndim - 1)) / stands_for
        # A class without a site has the recall of all.
        return np.where(np.isfinite(each[:-1]), each[:-1], each[-1:])

    drawn = curve.drawn(replicates=replicates, seed=seed)
    step = max(1, _SITES_AT_A_TIME // len(members))
    parts = [
        of_classes(curve.of_sites(area_um2, contrast, drawn[first : first + step])).T
        for first in range(0, replicates, step)
    ]
    return of_classes(curve.of_sites(area_um2, contrast)), np.concatenate(parts)


def recall_table(
    planted: pd.DataFrame,
    *,
    panorama: str,
    least_area_um2: float,
    confidence: float,
) -> pd.DataFrame:
    """Return the recall of planted voids by ranges of size and contrast, and of all of them.

    Parameters
    ----------
    planted : pandas.DataFrame
        `PLANTED_VOIDS` of the panorama.
    panorama : str
    least_area_um2 : float
        Area from which sites are counted; ranges are multiples of it.
    confidence : float

    Returns
    -------
    pandas.DataFrame
        Columns of `DETECTION_RECALL`.
    """
    reason = why_no_curve(planted, least_area_um2)
    curve = None if reason else fit_recall(planted)
    area, contrast = planted["area_um2"].to_numpy(float), planted["contrast"].to_numpy(float)
    sizes = [0.0, *(factor * least_area_um2 for factor in _AREA_FACTORS), np.inf]
    depths = [0.0]
    if len(planted):
        low, high = np.quantile(contrast, [0.05, 0.95]).round(2)
        depths = [-np.inf, *np.linspace(low, high, _CONTRAST_PARTS + 1)[1:-1].round(2), np.inf]
    rows = [_recall_row(planted, np.ones(len(planted), bool), curve)]
    for smallest, largest in itertools.pairwise(sizes):
        for palest, darkest in itertools.pairwise(depths):
            chosen = (area >= smallest) & (area < largest)
            chosen &= (contrast >= palest) & (contrast < darkest)
            if chosen.any():
                bounds = {
                    "area_from_um2": smallest,
                    "area_to_um2": min(largest, area.max()),
                    "contrast_from": max(palest, contrast.min()),
                    "contrast_to": min(darkest, contrast.max()),
                }
                rows.append(_recall_row(planted, chosen, curve) | bounds)
    table = pd.DataFrame(rows)
    low, high = proportion_interval(table["found"], table["planted"], confidence=confidence)
    table = table.assign(
        panorama=panorama, low=low, high=high, not_estimated=reason, confidence=confidence
    )
    table.loc[table["planted"] == 0, ["low", "high"]] = np.nan
    missing = ("area_from_um2", "area_to_um2", "contrast_from", "contrast_to")
    table = table.assign(**{name: np.nan for name in missing if name not in table})
    return table


def _recall_row(planted, chosen, curve):
    part = planted[chosen]
    count, found = len(part), int(part["found"].sum())
    fitted = np.nan
    if curve is not None and count:
        fitted = float(
            curve.of_voids(part["area_um2"].to_numpy(), part["contrast"].to_numpy()).mean()
        )
    recall = found / count if count else np.nan
    return {"planted": count, "found": found, "recall": recall, "curve": fitted}
