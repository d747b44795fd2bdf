"""Which sites count as one: fragments of a rim, and sites close to each other."""

import numpy as np
from scipy.spatial import KDTree

from damascene.clustering.geometry import Hulls


def without_rim_fragments(
    measures: dict[str, np.ndarray], hulls: Hulls, *, hull: np.ndarray
) -> np.ndarray:
    """Mark the sites that do not lie in the footprint of a larger one.

    The footprint is the convex hull. From the largest down, a site that is kept drops the smaller
    ones whose centroids it holds; a site that is dropped drops none.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (sites,)
        As in `Clusters`.
    hulls : Hulls
    hull : numpy.ndarray, int64, shape (sites,)
        The number of each site in `hulls`.

    Returns
    -------
    numpy.ndarray, bool, shape (sites,)
    """
    rank = _rank(measures)
    if not len(rank):
        return np.empty(0, bool)
    x, y = measures["x_px"], measures["y_px"]
    width, height = measures["width_px"], measures["height_px"]
    centre = np.column_stack(
        [measures["left_px"] - 0.5 + width / 2, measures["top_px"] - 0.5 + height / 2]
    )
    tree = KDTree(np.column_stack([x, y]))
    inside = tree.query_ball_point(centre, np.maximum(width, height) / 2, p=np.inf)
    larger = np.repeat(np.arange(len(rank)), [len(members) for members in inside])
    smaller = np.concatenate([np.array(members, np.int64) for members in inside])
    may_do = rank[larger] < rank[smaller]
    larger, smaller = larger[may_do], smaller[may_do]
    held = hulls.hold(hull[larger], x[smaller], y[smaller])
    return _leading(larger[held], smaller[held], rank=rank)


def merged(measures: dict[str, np.ndarray], *, distance_px: float) -> np.ndarray:
    """Mark the sites that are left when the larger one of each close pair is kept.

    From the largest down, a site that is kept drops the smaller ones with centroids closer than
    the distance; a site that is dropped drops none.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (sites,)
        As in `Clusters`.
    distance_px : float

    Returns
    -------
    numpy.ndarray, bool, shape (sites,)
    """
    rank = _rank(measures)
    if not len(rank):
        return np.empty(0, bool)
    position = np.column_stack([measures["x_px"], measures["y_px"]])
    first, second = KDTree(position).query_pairs(distance_px, output_type="ndarray").T
    close = np.linalg.norm(position[first] - position[second], axis=1) < distance_px
    first, second = first[close], second[close]
    swap = rank[first] > rank[second]
    return _leading(np.where(swap, second, first), np.where(swap, first, second), rank=rank)


def _rank(measures):
    """Return the place of each site in the order of size; of equal ones the upper left leads."""
    by_size = np.lexsort((measures["left_px"], measures["top_px"], -measures["area_px"]))
    rank = np.empty(len(by_size), np.int64)
    rank[by_size] = np.arange(len(by_size))
    return rank


def _leading(larger, smaller, *, rank):
    """Go through pairs from the largest site down and drop the smaller of each."""
    kept = np.ones(len(rank), bool)
    order = np.argsort(rank[larger], kind="stable")
    for first, second in zip(larger[order].tolist(), smaller[order].tolist(), strict=True):
        if kept[first]:
            kept[second] = False
    return kept
