"""DBSCAN on the pixel grid, from the dark pixels alone.

On a grid the neighbours of a pixel lie at a few fixed offsets, so they are found by looking up
pixel keys instead of building a tree over points. The labels are those of scikit-learn.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def dbscan(mask: np.ndarray, *, eps: float, min_samples: int) -> np.ndarray:
    """Cluster the true pixels of a mask by density.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
    eps : float
        Largest Euclidean distance between neighbours in pixels, inclusive.
    min_samples : int
        Neighbours, the pixel itself counted, that make a pixel a core pixel.

    Returns
    -------
    numpy.ndarray, int64, shape (true pixels,)
        Cluster of each true pixel in row-major order, -1 for noise.

    See Also
    --------
    dbscan_pixels : the same from coordinates, for images that do not fit into memory.
    """
    rows, columns = np.nonzero(mask)
    return dbscan_pixels(rows, columns, eps=eps, min_samples=min_samples)


def dbscan_pixels(
    rows: np.ndarray, columns: np.ndarray, *, eps: float, min_samples: int
) -> np.ndarray:
    """Cluster pixels given by their coordinates by density.

    Parameters
    ----------
    rows, columns : numpy.ndarray, int64, shape (pixels,)
        Different, non-negative coordinates in row-major order.
    eps : float
        Largest Euclidean distance between neighbours in pixels, inclusive.
    min_samples : int
        Neighbours, the pixel itself counted, that make a pixel a core pixel.

    Returns
    -------
    numpy.ndarray, int64, shape (pixels,)
        Cluster of each pixel, -1 for noise. Clusters are numbered by their first core pixel; a
        border pixel belongs to the lowest-numbered of the clusters it neighbours. These are the
        labels of `sklearn.cluster.DBSCAN`.

    References
    ----------
    Ester, Kriegel, Sander, Xu: A density-based algorithm for discovering clusters in large
    spatial databases with noise. Proc. KDD 1996, 226-231.
    """
    labels = np.full(len(rows), -1, np.int64)
    if not len(rows):
        return labels
    reach = int(eps)
    # Empty columns behind each row keep an offset from running into the next row.
    stride = int(columns.max()) + 1 + reach
    keys = np.asarray(rows, np.int64) * stride + columns
    ahead = _offsets_ahead(eps, stride=stride)

    is_core = _neighbour_counts(keys, ahead) >= min_samples
    core_keys = keys[is_core]
    labels[is_core] = _components(core_keys, ahead)

    border = np.flatnonzero(~is_core)
    reached = np.full(len(border), np.iinfo(np.int64).max)
    core_labels = labels[is_core]
    for offset in (*ahead, *(-step for step in ahead)):
        near, core = _pairs(keys[border], core_keys, offset)
        reached[near] = np.minimum(reached[near], core_labels[core])
    found = reached < np.iinfo(np.int64).max
    labels[border[found]] = reached[found]
    return labels


def _offsets_ahead(eps, *, stride):
    """Return the steps in keys to the neighbours that come later in row-major order."""
    reach = int(eps)
    # Near offsets first: they join most pixels, and little is left for the far ones.
    steps = sorted(
        (dy * dy + dx * dx, dy * stride + dx)
        for dy in range(reach + 1)
        for dx in range(-reach, reach + 1)
        if (dy, dx) > (0, 0) and dy * dy + dx * dx <= eps * eps
    )
    return [step for _, step in steps]


def _pairs(keys, others, offset):
    """Return indices i, j with keys[i] + offset == others[j]; both arrays are sorted."""
    if not len(others):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wanted = keys + offset
    place = np.searchsorted(others, wanted)
    place[place == len(others)] = 0
    hit = np.flatnonzero(others[place] == wanted)
    return hit, place[hit]


def _neighbour_counts(keys, ahead):
    counts = np.ones(len(keys), np.int64)
    for offset in ahead:
        first, second = _pairs(keys, keys, offset)
        counts[first] += 1
        counts[second] += 1
    return counts


def _components(keys, ahead):
    """Return the connected component of each pixel, numbered by its first pixel."""
    component = np.arange(len(keys))
    for offset in ahead:
        first, second = _pairs(keys, keys, offset)
        # Joining after each offset keeps memory at a few numbers a pixel for any eps.
        first, second = component[first], component[second]
        apart = first != second
        if not apart.any():
            continue
        first, second = first[apart], second[apart]
        size = int(component.max()) + 1
        graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(size, size))
        component = connected_components(graph, directed=False)[1].astype(np.int64)[component]
    # Backwards, so that the first pixel of a component is the one that is written last.
    first_pixel = np.zeros(int(component.max(initial=-1)) + 1, np.int64)
    first_pixel[component[::-1]] = np.arange(len(keys))[::-1]
    number = np.empty_like(first_pixel)
    number[np.argsort(first_pixel)] = np.arange(len(first_pixel))
    return number[component]
