"""Exact distances in small masks, as whole squares of pixels.

`scipy.ndimage.distance_transform_edt` gives the same and takes 5 to 10 times as long: it neither
knows that few rows hold a site, nor that depths are asked for in a part of the clip alone. The
squares are found in two steps, along rows and then across them [1]_.

References
----------
.. [1] T. Saito, J.-I. Toriwaki, New algorithms for Euclidean distance transformation of an
   n-dimensional digitized picture with applications, Pattern Recognition 27 (1994),
   doi:10.1016/0031-3203(94)90133-3
"""

import numpy as np

#: Masks may not be larger: the square of their diagonal has to fit into 16 bits.
LARGEST_PX = 180


def squared_distances(site: np.ndarray) -> np.ndarray:
    """Return the squared distance from each pixel to the nearest pixel of a site.

    Parameters
    ----------
    site : numpy.ndarray, bool, shape (rows, columns)
        With at least one pixel; at most `LARGEST_PX` rows and columns.

    Returns
    -------
    numpy.ndarray, uint16, shape (rows, columns)
        In pixels; 0 in the site.
    """
    rows = np.flatnonzero(site.any(axis=1))
    if len(rows) > np.count_nonzero(site.any(axis=0)):
        return squared_distances(np.ascontiguousarray(site.T)).T
    squared = np.full(site.shape, np.iinfo(np.uint16).max, np.uint16)
    squares = (np.arange(len(site)) ** 2).astype(np.uint16)[:, None]
    for row, along in zip(rows, _squared_along_rows(site[rows]), strict=True):
        np.minimum(squared[row:], squares[: len(site) - row] + along, out=squared[row:])
        np.minimum(squared[:row], squares[row:0:-1] + along, out=squared[:row])
    return squared


def squared_depths(mask: np.ndarray, part: tuple[slice, slice]) -> np.ndarray:
    """Return the squared distance from pixels of a mask to the nearest pixel outside of it.

    Parameters
    ----------
    mask : numpy.ndarray, bool, shape (rows, columns)
        Its outermost pixels are False; at most `LARGEST_PX` rows and columns.
    part : tuple of slice
        The rows and columns that are asked for, with start and stop.

    Returns
    -------
    numpy.ndarray, uint16, of the shape of the part
        In pixels; 0 outside of the mask.
    """
    rows, columns = part
    along = np.ascontiguousarray(_squared_along_rows(~mask)[:, columns])
    squared = along[rows].copy()
    for step in range(1, len(mask)):
        square = np.uint16(step * step)
        # Rows that are farther away than the deepest pixel is deep change nothing.
        if square >= squared.max(initial=0):
            break
        above = along[max(rows.start - step, 0) : max(rows.stop - step, 0)]
        below = along[rows.start + step : rows.stop + step]
        lower, upper = squared[len(squared) - len(above) :], squared[: len(below)]
        np.minimum(lower, above + square, out=lower)
        np.minimum(upper, below + square, out=upper)
    return squared


def _squared_along_rows(site):
    """Return the squared distance to the nearest pixel of the same row; each row has one."""
    # Far enough never to be the nearest, and near enough for 16 bits.
    columns, far = np.arange(site.shape[1], dtype=np.int16), np.int16(2 * LARGEST_PX)
    left = np.maximum.accumulate(np.where(site, columns, -far), axis=1)
    right = np.minimum.accumulate(np.where(site, columns, far)[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(columns - left, right - columns).astype(np.uint16) ** 2
