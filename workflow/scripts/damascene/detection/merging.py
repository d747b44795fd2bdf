"""Which clusters are one site: fragments of a rim, and clusters close to each other."""

import numpy as np
from scipy.spatial import KDTree

from damascene.clustering.geometry import Hulls


def rim_owners(measures: dict[str, np.ndarray], hulls: Hulls, *, hull: np.ndarray) -> np.ndarray:
    """Tell which cluster each one is a fragment of: a larger one whose footprint it lies in.

    The footprint is the convex hull. From the largest down, a cluster that is no fragment takes the
    smaller ones whose centroids it holds; a fragment takes none.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (clusters,)
        As in `Clusters`.
    hulls : Hulls
    hull : numpy.ndarray, int64, shape (clusters,)
        The number of each cluster in `hulls`.

    Returns
    -------
    numpy.ndarray, int64, shape (clusters,)
        The place of the owner; its own for a cluster that is no fragment.
    """
    rank = _rank(measures)
    if not len(rank):
        return np.empty(0, np.int64)
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
    return _owners(larger[held], smaller[held], rank=rank)


def close_owners(measures: dict[str, np.ndarray], *, distance_px: float) -> np.ndarray:
    """Tell which cluster each one belongs to when the larger of each close pair takes the other.

    From the largest down, a cluster that no other has taken takes the smaller ones with centroids
    closer than the distance; one that was taken takes none. In a chain of clusters the largest
    thus takes its neighbours, but not theirs. Distances are those of the clusters as they were
    found, so that the number of sites does not depend on the order of joining.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (clusters,)
        As in `Clusters`.
    distance_px : float

    Returns
    -------
    numpy.ndarray, int64, shape (clusters,)
        The place of the owner; its own for a cluster that none took.
    """
    rank = _rank(measures)
    if not len(rank):
        return np.empty(0, np.int64)
    position = np.column_stack([measures["x_px"], measures["y_px"]])
    first, second = KDTree(position).query_pairs(distance_px, output_type="ndarray").T
    close = np.linalg.norm(position[first] - position[second], axis=1) < distance_px
    first, second = first[close], second[close]
    swap = rank[first] > rank[second]
    return _owners(np.where(swap, second, first), np.where(swap, first, second), rank=rank)


def _rank(measures):
    """Return the place of each site in the order of size; of equal ones the upper left leads."""
    by_size = np.lexsort((measures["left_px"], measures["top_px"], -measures["area_px"]))
    rank = np.empty(len(by_size), np.int64)
    rank[by_size] = np.arange(len(by_size))
    return rank


def _owners(larger, smaller, *, rank):
    """Go through pairs from the largest cluster down and let the larger of each take the other."""
    owner = np.arange(len(rank))
    order = np.argsort(rank[larger], kind="stable")
    for first, second in zip(larger[order].tolist(), smaller[order].tolist(), strict=True):
        if owner[first] == first and owner[second] == second:
            owner[second] = first
    return owner
