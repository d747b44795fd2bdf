"""Sizes of the regions of a mask, and what the edge of the image does to their mean."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage.measure import label, regionprops_table

#: How means are taken, as a reader sees it.
ALL, WHOLE, WEIGHTED = "all, as they are cut", "whole ones only", "whole ones, weighted"
WAYS = (ALL, WHOLE, WEIGHTED)


def regions_of(
    mask: np.ndarray, *, least_px: int = 1, valid: np.ndarray | None = None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Find the connected regions of a mask and measure them.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
        Pixels that touch by an edge or a corner are connected.
    least_px : int, optional
        Smaller regions are left out.
    valid : numpy.ndarray, bool, same shape, optional
        Pixels that show something; others belong to no region. All without.

    Returns
    -------
    labels : numpy.ndarray, int64, shape (rows, columns)
        Number of the region from 1, 0 outside; regions that are left out keep their number.
    regions : pandas.DataFrame
        label, area_px, diameter_px (that of a circle of this area), height_px, width_px (of the
        upright box around it), whole (it touches neither the edge of the image nor a pixel that is
        not valid).
    """
    labels = label(mask if valid is None else mask & valid, connectivity=2)
    found = regionprops_table(labels, properties=("label", "area", "bbox"))
    top, left, bottom, right = (found[f"bbox-{side}"] for side in range(4))
    inside = (top > 0) & (left > 0) & (bottom < mask.shape[0]) & (right < mask.shape[1])
    if valid is not None and not valid.all():
        beside = ndimage.binary_dilation(~valid, np.ones((3, 3), bool))
        inside &= ~np.isin(found["label"], np.unique(labels[beside]))
    area_px = found["area"].astype(float)
    regions = pd.DataFrame(
        {
            "label": found["label"],
            "area_px": area_px,
            "diameter_px": np.sqrt(4 * area_px / np.pi),
            "height_px": bottom - top,
            "width_px": right - left,
            "whole": inside,
        }
    )
    return labels, regions[regions["area_px"] >= least_px].reset_index(drop=True)


def edge_weights(regions: pd.DataFrame, *, shape: tuple[int, int]) -> np.ndarray:
    """Return weights with which whole regions stand for all regions of the steel.

    A large region is seldom whole in an image, so that the mean of the whole ones is too small.
    Each is therefore weighted with the inverse of the chance that it lies wholly inside: the
    number of places at which its box fits into the image and does not touch the edge.

    Parameters
    ----------
    regions : pandas.DataFrame
        From `regions_of`.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    numpy.ndarray, float64, shape (regions,)
        0 for regions that touch the edge.

    References
    ----------
    Miles, On the elimination of edge effects in planar sampling, in: Stochastic Geometry, Wiley
    (1974) 228-247. Lantuéjoul, On the estimation of mean values in individual analysis of
    particles, Microscopica Acta Suppl. 4 (1980) 207-214.
    """
    # The outermost ring of pixels must stay free, else nobody knows whether the region goes on.
    rows = shape[0] - 2 - regions["height_px"].to_numpy() + 1
    columns = shape[1] - 2 - regions["width_px"].to_numpy() + 1
    whole = regions["whole"].to_numpy()
    return np.where(whole, 1 / np.where(whole, rows * columns, 1), 0.0)


def way_weights(regions: pd.DataFrame, *, way: str, shape: tuple[int, int]) -> np.ndarray:
    """Return the weight of each region in one of `WAYS` to take a mean."""
    if way == ALL:
        return np.ones(len(regions))
    if way == WHOLE:
        return regions["whole"].to_numpy().astype(float)
    return edge_weights(regions, shape=shape)


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> float:
    """Return a weighted mean; NaN without weight."""
    return float(np.average(values, weights=weights)) if weights.sum() else float("nan")


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the smallest value up to which half of the weight lies; NaN without weight."""
    if not weights.sum():
        return float("nan")
    return float(np.quantile(values, 0.5, weights=weights, method="inverted_cdf"))


def mean_sizes(regions: pd.DataFrame, *, shape: tuple[int, int]) -> pd.DataFrame:
    """Return number, mean and median equivalent diameter in each of the three ways.

    Parameters
    ----------
    regions : pandas.DataFrame
        From `regions_of`.
    shape : tuple of int
        Rows and columns of the image.

    Returns
    -------
    pandas.DataFrame
        way (as in `WAYS`), count, mean_px, median_px.
    """
    diameters = regions["diameter_px"].to_numpy()
    rows = []
    for way in WAYS:
        weights = way_weights(regions, way=way, shape=shape)
        rows.append(
            {
                "way": way,
                "count": int(np.count_nonzero(weights)),
                "mean_px": weighted_mean(diameters, weights),
                "median_px": weighted_median(diameters, weights),
            }
        )
    return pd.DataFrame(rows)


def sizes_by_threshold(
    grey: np.ndarray,
    thresholds: Sequence[int],
    *,
    bright: bool,
    least_px: int,
    valid: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return how the sizes of regions depend on the threshold.

    Parameters
    ----------
    grey : numpy.ndarray, shape (rows, columns)
        Smoothed, so that noise makes no regions.
    thresholds : sequence of int
    bright : bool
        Whether the regions are above the threshold, or up to it.
    least_px, valid
        As in `regions_of`.

    Returns
    -------
    pandas.DataFrame
        threshold, and count, mean_px and median_px of the whole regions, weighted.
    """
    rows = []
    for threshold in thresholds:
        above = grey > threshold
        _, regions = regions_of(above if bright else ~above, least_px=least_px, valid=valid)
        sizes = mean_sizes(regions, shape=grey.shape).set_index("way").loc[WEIGHTED]
        rows.append({"threshold": int(threshold), **sizes})
    return pd.DataFrame(rows).astype({"count": int, "mean_px": float, "median_px": float})


def error_from_threshold(table: pd.DataFrame, *, chosen: int, by: int) -> Mapping[str, float]:
    """Return by how much mean and median change within some grey values of a threshold.

    Parameters
    ----------
    table : pandas.DataFrame
        From `sizes_by_threshold`, with the thresholds from `chosen - by` to `chosen + by`.
    chosen, by : int
        Grey values.

    Returns
    -------
    mapping of str to float
        mean_px and median_px: half the difference of the largest and the smallest.
    """
    near = table[(table["threshold"] - chosen).abs() <= by]
    return {
        name: float((near[name].max() - near[name].min()) / 2) for name in ("mean_px", "median_px")
    }


def resampled_error(
    regions: pd.DataFrame, *, shape: tuple[int, int], draws: int, seed: int
) -> Mapping[str, float]:
    """Return the standard error of weighted mean and median, by drawing regions again.

    Parameters
    ----------
    regions : pandas.DataFrame
        From `regions_of`.
    shape : tuple of int
    draws, seed : int

    Returns
    -------
    mapping of str to float
        mean_px and median_px; NaN with fewer than two whole regions.
    """
    weights = edge_weights(regions, shape=shape)
    whole = np.flatnonzero(weights)
    if len(whole) < 2:
        return {"mean_px": float("nan"), "median_px": float("nan")}
    diameters, weights = regions["diameter_px"].to_numpy()[whole], weights[whole]
    drawn = np.random.default_rng(seed).integers(len(whole), size=(draws, len(whole)))
    means = [weighted_mean(diameters[each], weights[each]) for each in drawn]
    medians = [weighted_median(diameters[each], weights[each]) for each in drawn]
    return {"mean_px": float(np.std(means)), "median_px": float(np.std(medians))}


def scattered_discs(
    diameters: Sequence[int], *, edge_px: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Place discs at random in a square, none touching another.

    Parameters
    ----------
    diameters : sequence of int
        In pixels; the largest are placed first.
    edge_px : int
    seed : int

    Returns
    -------
    mask : numpy.ndarray, bool, shape (edge_px, edge_px)
        The square wraps round: discs at one edge go on at the other.
    placed : numpy.ndarray, float64, shape (discs,)
        Equivalent diameters of the discs as they are drawn; those that found no place are missing.
    """
    rng = np.random.default_rng(seed)
    mask = np.zeros((edge_px, edge_px), bool)
    placed = []
    for diameter in sorted(diameters, reverse=True):
        # A ring of two pixels stays free.
        reach = diameter // 2 + 2
        down, across = np.ogrid[-reach : reach + 1, -reach : reach + 1]
        distance = np.hypot(down, across)
        for _ in range(200):
            row, column = rng.integers(edge_px, size=2)
            place = np.ix_(
                np.arange(row - reach, row + reach + 1) % edge_px,
                np.arange(column - reach, column + reach + 1) % edge_px,
            )
            if not (mask[place] & (distance <= diameter / 2 + 2)).any():
                disc = distance <= diameter / 2
                mask[place] |= disc
                placed.append(np.sqrt(4 * disc.sum() / np.pi))
                break
    return mask, np.array(placed)


def sizes_in_windows(mask: np.ndarray, *, edge_px: int, step_px: int) -> pd.DataFrame:
    """Measure the mean size in many windows of a large mask, in each of the three ways.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
    edge_px : int
        Edge of a window.
    step_px : int
        From window to window.

    Returns
    -------
    pandas.DataFrame
        way, mean_px: of all windows together, each region with its weight.
    """
    total = {way: np.zeros(2) for way in WAYS}
    shape = (edge_px, edge_px)
    for top in range(0, mask.shape[0] - edge_px + 1, step_px):
        for left in range(0, mask.shape[1] - edge_px + 1, step_px):
            _, regions = regions_of(mask[top : top + edge_px, left : left + edge_px])
            for way in WAYS:
                weights = way_weights(regions, way=way, shape=shape)
                total[way] += weights.sum(), (weights * regions["diameter_px"]).sum()
    return pd.DataFrame({"way": WAYS, "mean_px": [total[way][1] / total[way][0] for way in WAYS]})
