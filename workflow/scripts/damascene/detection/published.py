"""What published code does otherwise than its authors wrote, for studies that repeat its numbers.

Nothing here is used by the default parameters, except that every search also counts what the
published merging would have left.
"""

import numpy as np
from scipy.spatial import KDTree

from damascene.clustering.dbscan import cluster_pixels


def cluster_again(
    labels: np.ndarray,
    is_core: np.ndarray,
    *,
    rows: np.ndarray,
    columns: np.ndarray,
    passes: int,
    **options,
) -> None:
    """Run DBSCAN on the pixels that it kept, as published code does.

    Parameters
    ----------
    labels, is_core : numpy.ndarray, shape (pixels,)
        From `dbscan.cluster_pixels`; changed in place.
    rows, columns : numpy.ndarray, int64, shape (pixels,)
    passes : int
        How often DBSCAN is run in all, the first pass counted.
    **options
        See `dbscan.cluster_pixels`.
    """
    for _ in range(passes - 1):
        kept = np.flatnonzero(labels >= 0)
        labels[kept], is_core[kept] = cluster_pixels(rows[kept], columns[kept], **options)


def merged_as_published(
    measures: dict[str, np.ndarray], *, distance_px: float
) -> np.ndarray | None:
    """Mark the sites that the public code keeps, slip included.

    For each pair of centroids at most `distance_px` apart the public code takes an entry out of
    the list of sites: the one at the place that the first of the pair had when the list was
    complete. Entries behind one that was taken out have moved up by then, so that sites without a
    close neighbour are lost and close ones stay; with enough pairs the list ends before the place.
    Pairs come in the order of a Python set.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (sites,)
        As in `Clusters`.
    distance_px : float

    Returns
    -------
    numpy.ndarray, bool, shape (sites,), or None
        None where the public code stops with IndexError.

    References
    ----------
    Code of Kerzel et al., function `get_centroids` of the repository DamageClassification.
    """
    kept = np.zeros(len(measures["order"]), bool)
    if not len(kept):
        return kept
    by_label = np.argsort(measures["order"])
    centroids = np.column_stack([measures["y_px"], measures["x_px"]])[by_label]
    left = by_label.tolist()
    for place, _ in KDTree(centroids).query_pairs(distance_px):
        if place >= len(left):
            return None
        del left[place]
    kept[left] = True
    return kept
