"""The quality of a panorama in a few figures, and what a reader should look at."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from damascene.contracts.panorama_record import ValidArea
from damascene.contracts.quality_record import Caveat, QualityRecord
from damascene.detection.darkness import DarkLimit
from damascene.detection.phase_greys import split_phases
from damascene.quality.blocks import Quality
from damascene.quality.measures import quantile
from damascene.versions import IMAGE_PACKAGES, package_versions

# A block stands out if it lies this many robust standard deviations from the median of all blocks
# (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993), and by a part that matters.
_DEVIATIONS = 3.5
_INNER_RANGE = (0.05, 0.95)
_MAD_TO_DEVIATION = 1.4826
_LEAST_BLOCKS = 8
_WARNINGS = (
    ("ferrite_grey", -1, 0.2, "much darker than the rest (grey of ferrite"),
    ("ferrite_grey", 1, 0.2, "much brighter than the rest (grey of ferrite"),
    ("noise_grey", 1, 0.3, "much noisier than the rest (standard deviation"),
    ("sharpness", -1, 0.2, "much more blurred than the rest (sharpness"),
    ("candidates_per_mm2", 1, 0.0, "much richer in candidates than the rest (per mm²"),
)


def outlying(
    values: np.ndarray, *, sign: int, least_change: float, least_deviation: float = 0
) -> np.ndarray:
    """Say which values lie far on one side of the others.

    Far is more than 3.5 robust standard deviations (1.4826 times the median absolute deviation)
    from the median, and more than a part of the median.

    Parameters
    ----------
    values : numpy.ndarray, float64, shape (blocks,)
        NaN never lies far, nor does any value among fewer than eight.
    sign : int
        1 for high values, -1 for low ones.
    least_change : float
        Part of the median.
    least_deviation : float, optional
        Standard deviation that is expected anyway.

    Returns
    -------
    numpy.ndarray of bool, shape (blocks,)
    """
    known = values[~np.isnan(values)]
    if len(known) < _LEAST_BLOCKS:
        return np.zeros(len(values), bool)
    middle = np.median(known)
    deviation = _MAD_TO_DEVIATION * np.median(np.abs(known - middle))
    limit = max(_DEVIATIONS * max(deviation, least_deviation), least_change * abs(middle))
    with np.errstate(invalid="ignore"):
        return sign * (values - middle) > limit


def summarise(
    quality: Quality,
    *,
    blocks: pd.DataFrame,
    limit: DarkLimit,
    caveats: Sequence[Caveat] = (),
) -> QualityRecord:
    """Return the figures of a panorama's quality as they go into its JSON file.

    Parameters
    ----------
    quality : Quality
    blocks : pandas.DataFrame
        Its blocks with thresholds and candidates: `QUALITY`.
    limit : DarkLimit
        Below which pixels were dark.
    caveats : sequence of Caveat, optional
        From `quality.caveats`.

    Returns
    -------
    QualityRecord
    """
    counts = quality.histogram
    ferrite, martensite = (float(level) for level in split_phases(counts))
    valid_px = max(counts.sum(), 1)
    thresholds = blocks["threshold_grey"]
    figures = {
        "median_grey": quantile(counts, 0.5),
        "ferrite_grey": ferrite,
        "martensite_grey": martensite,
        "black_fraction": counts[0] / valid_px,
        "saturated_fraction": counts[255] / valid_px,
        "noise_grey": blocks["noise_grey"].median(),
        "sharpness": blocks["sharpness"].median(),
        "threshold_grey": thresholds.median(),
        "low_threshold_grey": thresholds.quantile(_INNER_RANGE[0]),
        "high_threshold_grey": thresholds.quantile(_INNER_RANGE[1]),
    }
    return QualityRecord(
        panorama=str(blocks["panorama"].iloc[0]),
        fractions=ValidArea(**quality.fractions),
        **{name: _number(value) for name, value in figures.items()},
        blocks=len(blocks),
        measured_blocks=int(blocks["median_grey"].notna().sum()),
        levels=limit.levels and limit.levels.summary,
        caveats=tuple(caveats),
        notes=tuple(note for (*warning,) in _WARNINGS if (note := _note(blocks, *warning))),
        histogram=tuple(counts.tolist()),
        versions=package_versions(*IMAGE_PACKAGES),
    )


def _note(blocks, column, sign, least_change, what):
    values = blocks[column].to_numpy(float)
    compared, expected = values, 0.0
    if column == "candidates_per_mm2":
        compared, expected = evened_candidates(blocks), 1.0
    elif column == "ferrite_grey":
        # A single block may be filled by a band of martensite.
        compared = values = _median_of_neighbours(blocks, values)
    far = outlying(compared, sign=sign, least_change=least_change, least_deviation=expected)
    if not far.any():
        return ""
    word, extreme = ("up to", np.nanmax(values)) if sign > 0 else ("down to", np.nanmin(values))
    shown, middle = (
        f"{value:.{max(0, 2 - _digits(value))}f}" for value in (extreme, np.nanmedian(values))
    )
    are = "is" if far.sum() == 1 else "are"
    count = (~np.isnan(values)).sum()
    return f"{far.sum()} of {count} blocks {are} {what} {word} {shown}, median {middle})"


def _digits(value):
    return math.floor(math.log10(abs(value))) if value else 0


def evened_candidates(blocks):
    """Turn counts in a typical valid area into values of unit variance if they are Poisson counts.

    F. J. Anscombe, Biometrika 35 (1948) 246, doi:10.1093/biomet/35.3-4.246.
    """
    densities = blocks["candidates_per_mm2"].to_numpy(float)
    found = densities > 0
    area_mm2 = np.median(blocks["candidates"][found] / densities[found]) if found.any() else 0
    return 2 * np.sqrt(densities * area_mm2 + 3 / 8)


def _median_of_neighbours(blocks, values):
    """Median over 3 x 3 blocks of those that have a value; none where the middle has none."""
    grid = values.reshape(blocks["top_px"].nunique(), -1)
    around = np.pad(grid, 1, constant_values=np.nan)
    shifted = [around[i : i + len(grid), j : j + grid.shape[1]] for i, j in np.ndindex(3, 3)]
    medians = np.full(grid.shape, np.nan)
    known = ~np.isnan(grid)
    medians[known] = np.nanmedian(np.stack(shifted)[:, known], axis=0)
    return medians.ravel()


def _number(value):
    """JSON has no NaN."""
    return None if math.isnan(value) else float(value)
