"""DBSCAN on the pixel grid, from the dark pixels alone.

On a grid the neighbours of a pixel lie at a few fixed offsets. They are counted by looking them up
in a small table of some rows, core pixels are joined as horizontal runs, and what is left takes
the lowest label it finds around it. The labels are those of scikit-learn.
"""

from collections.abc import Iterator

import numpy as np

from damascene.clustering.runs import joined, linked_runs, runs_of

# A table of this many cells stays in the cache of a processor.
_TABLE_CELLS = 2**19
# Offsets looked up before pixels whose fate is known are put aside.
_OFFSETS_AT_A_TIME = 8
_NO_LABEL = np.iinfo(np.int32).max


def dbscan(
    mask: np.ndarray, *, eps: float, min_samples: int, metric: str = "euclidean"
) -> np.ndarray:
    """Cluster the true pixels of a mask by density.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
    eps : float
        Largest distance between neighbours in pixels, inclusive.
    min_samples : int
        Neighbours, the pixel itself counted, that make a pixel a core pixel.
    metric : str, optional
        "euclidean", "manhattan" or "chebyshev".

    Returns
    -------
    numpy.ndarray, int64, shape (true pixels,)
        Cluster of each true pixel in row-major order, -1 for noise.

    See Also
    --------
    dbscan_pixels : the same from coordinates.
    damascene.detection.clusters.find_clusters : for images that do not fit into memory.
    """
    rows, columns = np.nonzero(mask)
    return dbscan_pixels(rows, columns, eps=eps, min_samples=min_samples, metric=metric)


def dbscan_pixels(
    rows: np.ndarray,
    columns: np.ndarray,
    *,
    eps: float,
    min_samples: int,
    metric: str = "euclidean",
) -> np.ndarray:
    """Cluster pixels given by their coordinates by density.

    Parameters
    ----------
    rows, columns : numpy.ndarray, int64, shape (pixels,)
        Different, non-negative coordinates in row-major order.
    eps : float
        Largest distance between neighbours in pixels, inclusive.
    min_samples : int
        Neighbours, the pixel itself counted, that make a pixel a core pixel.
    metric : str, optional
        "euclidean", "manhattan" or "chebyshev".

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
    return cluster_pixels(rows, columns, eps=eps, min_samples=min_samples, metric=metric)[0]


def cluster_pixels(
    rows: np.ndarray, columns: np.ndarray, *, eps: float, min_samples: int, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of `dbscan_pixels` and which pixels are core pixels (bool)."""
    labels = np.full(len(rows), -1, np.int64)
    if eps < 1 or not len(rows):
        # Every pixel is alone.
        is_core = np.full(len(rows), min_samples <= 1)
        labels[is_core] = np.arange(is_core.sum())
        return labels, is_core
    half_widths = neighbour_half_widths(eps, metric=metric)
    offsets = _offsets(half_widths)
    columns = columns - columns.min()

    is_core = _is_core(rows, columns, offsets, min_samples=min_samples)
    runs = runs_of(rows[is_core], columns[is_core])
    cluster = joined(*linked_runs(runs, half_widths=half_widths), nodes=len(runs.row))
    labels[is_core] = np.repeat(cluster, runs.length)
    if len(runs.row):
        _label_border_pixels(labels, rows, columns, offsets, is_core=is_core)
    return labels, is_core


def neighbour_half_widths(eps: float, *, metric: str = "euclidean") -> np.ndarray:
    """Return how many columns away neighbours may lie in each row around a pixel.

    Parameters
    ----------
    eps : float
        Largest distance between neighbours in pixels, inclusive.
    metric : str, optional
        "euclidean", "manhattan" or "chebyshev".

    Returns
    -------
    numpy.ndarray, int64, shape (reach + 1,)
        Half width 0, 1, ... `reach` rows away.
    """
    steps = np.arange(int(eps) + 1)
    dy, dx = steps[:, None], steps[None]
    # Whole numbers against the square of eps, as scikit-learn compares: a root would round. Where
    # eps is a root whose square falls short by rounding, such as that of 13, scikit-learn itself
    # takes such neighbours in one part of its tree and leaves them out in another.
    within = {
        "euclidean": dy * dy + dx * dx <= eps * eps,
        "manhattan": dy + dx <= eps,
        "chebyshev": np.maximum(dy, dx) <= eps,
    }[metric]
    return within.sum(axis=1) - 1


def _offsets(half_widths):
    """Return the (rows, columns) steps to the neighbours, the nearest first."""
    reach = len(half_widths) - 1
    steps = [
        (dy, dx)
        for dy in range(-reach, reach + 1)
        for dx in range(-half_widths[abs(dy)], half_widths[abs(dy)] + 1)
        if (dy, dx) != (0, 0)
    ]
    return sorted(steps, key=lambda step: step[0] ** 2 + step[1] ** 2)


def _is_core(rows, columns, offsets, *, min_samples):
    needed = min_samples - 1
    if needed <= 0 or needed > len(offsets):
        return np.full(len(rows), needed <= 0)
    is_core = np.zeros(len(rows), bool)
    reach = max((dy for dy, _ in offsets), default=0)
    tables = _tables(rows, columns, np.ones(len(rows), np.uint8), reach=reach, empty=0)
    for pixels, table, place, shift in tables:
        undecided = np.arange(pixels.start, pixels.stop)
        count = np.zeros(len(place), np.int32)
        for begin in range(0, len(offsets), _OFFSETS_AT_A_TIME):
            for offset in offsets[begin : begin + _OFFSETS_AT_A_TIME]:
                count += table[shift(offset) :][place]
            is_core[undecided[count >= needed]] = True
            left = len(offsets) - begin - _OFFSETS_AT_A_TIME
            open_still = (count < needed) & (count + left >= needed)
            undecided, place, count = undecided[open_still], place[open_still], count[open_still]
    return is_core


def _label_border_pixels(labels, rows, columns, offsets, *, is_core):
    """Give pixels beside a core pixel the lowest label around them."""
    reach = max((dy for dy, _ in offsets), default=0)
    known = np.where(is_core, labels, _NO_LABEL).astype(np.int32)
    for pixels, table, place, shift in _tables(rows, columns, known, reach=reach, empty=_NO_LABEL):
        border = np.flatnonzero(~is_core[pixels])
        place = place[border]
        lowest = np.full(len(border), _NO_LABEL, np.int32)
        for offset in offsets:
            np.minimum(lowest, table[shift(offset) :][place], out=lowest)
        found = lowest < _NO_LABEL
        labels[pixels.start + border[found]] = lowest[found]


def _tables(rows, columns, values, *, reach, empty) -> Iterator[tuple]:
    """Lay the values of pixels out as tables of some rows, with a margin of `reach` around.

    Yields the slice of the pixels that a table is for, the flat table, the place of each of these
    pixels, and a function: the table begun at `shift((dy, dx))` holds, at the place of a pixel,
    the value of its neighbour there.
    """
    stride = int(columns.max()) + 1 + 2 * reach
    most_rows = max(1, _TABLE_CELLS // stride)
    height = min(most_rows, int(rows[-1] - rows[0]) + 1)
    # One row more below: the columns left and right of the outermost rows lie in it.
    table = np.full((height + 2 * reach + 1) * stride, empty, values.dtype)

    def shift(offset):
        dy, dx = offset
        return (dy + reach) * stride + dx + reach

    begin = 0
    while begin < len(rows):
        top = int(rows[begin])
        end = int(np.searchsorted(rows, top + height))
        around = slice(
            int(np.searchsorted(rows, top - reach)),
            int(np.searchsorted(rows, top + height + reach)),
        )
        place = (rows[around] - top) * stride + columns[around]
        filled = place + shift((0, 0))
        table[filled] = values[around]
        yield slice(begin, end), table, place[begin - around.start : end - around.start], shift
        table[filled] = empty
        begin = end
