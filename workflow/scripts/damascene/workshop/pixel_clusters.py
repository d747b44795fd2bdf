"""DBSCAN on pixels, step by step: what is a core, a border and a noise pixel."""

import numpy as np

from damascene.clustering.dbscan import cluster_pixels

#: What DBSCAN makes of each pixel of a mask.
ROLES = ("outside", "core", "border", "noise")
OUTSIDE, CORE, BORDER, NOISE = range(4)


def pixel_roles(
    mask: np.ndarray, *, eps: float, min_samples: int, metric: str = "euclidean"
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster the true pixels of a mask with the clustering of this project.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
    eps, min_samples, metric
        As in `clustering.dbscan.dbscan`.

    Returns
    -------
    clusters : numpy.ndarray, int64, shape (rows, columns)
        Number of the cluster from 0, -1 elsewhere.
    roles : numpy.ndarray, int64, same shape
        Index in `ROLES`.
    """
    rows, columns = np.nonzero(mask)
    labels, is_core = cluster_pixels(rows, columns, eps=eps, min_samples=min_samples, metric=metric)
    clusters = np.full(mask.shape, -1)
    clusters[rows, columns] = labels
    roles = np.full(mask.shape, OUTSIDE)
    roles[rows, columns] = np.where(is_core, CORE, np.where(labels >= 0, BORDER, NOISE))
    return clusters, roles


def crescents_on_grid(*, edge_px: int, points: int, noise: int, seed: int) -> np.ndarray:
    """Draw two crescents, one in the other, a blob and some single pixels on a grid.

    Parameters
    ----------
    edge_px : int
        Edge of the grid.
    points : int
        Of each crescent and of the blob; those on one pixel count once.
    noise : int
        Single pixels.
    seed : int

    Returns
    -------
    numpy.ndarray, bool, shape (edge_px, edge_px)
    """
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, np.pi, size=points)
    upper = np.stack([-np.sin(angle), np.cos(angle)])
    lower = np.stack([np.sin(angle) - 0.5, 1 - np.cos(angle)])
    blob = rng.normal(loc=[[-0.95], [1.45]], scale=0.1, size=(2, points))
    places = np.concatenate([upper, lower, blob], axis=1)
    places = places + rng.normal(scale=0.05, size=places.shape)
    # From -1.3 to 1.0 down, and from -1.3 to 2.3 to the right.
    scaled = (places + 1.3) / [[2.3], [3.6]] * (edge_px - 1)
    scaled = np.concatenate([scaled, rng.uniform(0, edge_px - 1, size=(2, noise))], axis=1)
    rows, columns = np.clip(np.rint(scaled), 0, edge_px - 1).astype(int)
    mask = np.zeros((edge_px, edge_px), bool)
    mask[rows, columns] = True
    return mask
