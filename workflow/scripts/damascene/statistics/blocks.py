"""Blocks of a panorama that are wider than sites gather.

The cells are the blocks in which the quality of a panorama was measured (about 20 µm), with their
valid area. They are joined to larger blocks, up to strips across the whole panorama, as martensite
bands may run through all of it.

The variance of the number of sites in a block over its mean grows with the block as long as sites
of neighbouring blocks have something to do with each other, and no further. So the chosen blocks
are the smallest beyond which it does not grow.

References
----------
Flyvbjerg & Petersen, Error estimates on averages of correlated data, 10.1063/1.457480.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage, stats

#: With fewer blocks their scatter tells next to nothing; smaller ones are then kept.
LEAST_BLOCKS = 4
# Larger blocks are taken where their dispersion is greater than it is in seven of ten cases by
# chance. The price of too large blocks is a wider interval, that of too small ones a wrong one.
# Tuned on other simulated panoramas than those of `benchmarks/density_coverage.py`.
_LEVEL = 0.7


@dataclass(frozen=True)
class Cells:
    """Cells of a panorama, a grid of rows and columns.

    Attributes
    ----------
    counts : numpy.ndarray of int, shape (rows, columns, classes)
    areas_mm2 : numpy.ndarray of float, shape (rows, columns)
        Valid area of each.
    edge_um : tuple of float
        Mean height and width of a cell.
    """

    counts: np.ndarray
    areas_mm2: np.ndarray
    edge_um: tuple[float, float]


@dataclass(frozen=True)
class Blocks:
    """Blocks of a panorama, each of some cells.

    Attributes
    ----------
    counts : numpy.ndarray of int, shape (blocks, classes)
    areas_mm2 : numpy.ndarray of float, shape (blocks,)
        Greater than 0: blocks without valid area are left out.
    edge_um : tuple of float
        Mean height and width of a block.
    """

    counts: np.ndarray
    areas_mm2: np.ndarray
    edge_um: tuple[float, float]


def count_in_cells(
    sites: pd.DataFrame,
    members: np.ndarray,
    quality: pd.DataFrame,
    *,
    pixel_size_nm: float,
) -> Cells:
    """Count the sites of a panorama in its cells, class by class.

    Parameters
    ----------
    sites : pandas.DataFrame
        Of one panorama: x_px, y_px.
    members : numpy.ndarray of bool or float, shape (sites, classes)
        Which classes each site is counted in, or how much it counts there.
    quality : pandas.DataFrame
        `QUALITY` of the panorama.
    pixel_size_nm : float
    """
    tops, rows = np.unique(quality["top_px"], return_inverse=True)
    lefts, columns = np.unique(quality["left_px"], return_inverse=True)
    pixel_mm2 = (pixel_size_nm * 1e-6) ** 2
    areas = np.zeros((len(tops), len(lefts)))
    valid_px = quality["valid_fraction"] * quality["width_px"] * quality["height_px"]
    areas[rows, columns] = valid_px * pixel_mm2
    # Pixel centres are whole numbers, as are the first pixels of cells.
    row = np.searchsorted(tops, sites["y_px"].to_numpy(float) + 0.5, side="right") - 1
    column = np.searchsorted(lefts, sites["x_px"].to_numpy(float) + 0.5, side="right") - 1
    place = _nearest_valid(areas > 0)[row.clip(0), column.clip(0)]
    members = np.asarray(members)
    counts = np.stack(
        [np.bincount(place, weights=each, minlength=areas.size) for each in members.T], axis=-1
    )
    counts = counts.astype(np.int64) if members.dtype == bool else counts
    edge = (quality["height_px"].mean(), quality["width_px"].mean())
    return Cells(
        counts.reshape(*areas.shape, -1),
        areas,
        tuple(float(each) * pixel_size_nm * 1e-3 for each in edge),
    )


def _nearest_valid(valid):
    """Return the number of the nearest cell with valid area, for each cell.

    The centre of a curved site may lie beside what is valid, in a cell that belongs to no block.
    """
    numbers = np.arange(valid.size).reshape(valid.shape)
    if valid.all() or not valid.any():
        return numbers
    rows, columns = ndimage.distance_transform_edt(
        ~valid, return_distances=False, return_indices=True
    )
    return numbers[rows, columns]


def joined(cells: Cells, rows: int, columns: int) -> Blocks:
    """Join neighbouring cells, so many rows by so many columns of them, to blocks.

    Where the number of cells is no multiple, blocks are of nearly equal size, and none is smaller.
    """
    parts = [
        np.arange(blocks) * cells_in_all // blocks
        for cells_in_all, each in zip(cells.areas_mm2.shape, (rows, columns), strict=True)
        for blocks in [max(cells_in_all // each, 1)]
    ]

    def summed(values):
        by_row = np.add.reduceat(values, parts[0], axis=0)
        return np.add.reduceat(by_row, parts[1], axis=1)

    counts, areas = summed(cells.counts), summed(cells.areas_mm2).ravel()
    counts = counts.reshape(len(areas), -1)
    edge_um = tuple(
        length * in_all / len(part)
        for length, in_all, part in zip(cells.edge_um, cells.areas_mm2.shape, parts, strict=True)
    )
    return Blocks(counts[areas > 0], areas[areas > 0], edge_um)


def block_sizes(cells: Cells) -> list[Blocks]:
    """Return the panorama in blocks of one cell, of more, and in strips, the smallest first.

    Sizes double along each side. Blocks are at least `LEAST_BLOCKS`, unless there are fewer cells.
    """
    found = [
        joined(cells, rows, columns)
        for rows in _doubled(cells.areas_mm2.shape[0])
        for columns in _doubled(cells.areas_mm2.shape[1])
    ]
    enough = [each for each in found if len(each.areas_mm2) >= LEAST_BLOCKS]
    return enough or found[:1]


def dispersion(blocks: Blocks) -> np.ndarray:
    """Return the variance of the count in a panorama over its mean, float (classes,), from blocks.

    It is 1 for sites that lie independently of each other, up to chance, and the square of the
    standard error that the block bootstrap gives in the limit of many drawings, with blocks over
    blocks - 1 for few of them, over that of a Poisson count. NaN without sites, or with one block.
    """
    counts, areas = blocks.counts, blocks.areas_mm2
    number, total = len(areas), counts.sum(axis=0)
    if number < 2:
        return np.full(counts.shape[1], np.nan)
    density = total / areas.sum()
    squares = ((counts - areas[:, None] * density) ** 2).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, squares * number / (number - 1) / total, np.nan)


def choose_blocks(sizes: list[Blocks], *, among: int) -> int:
    """Return which size of blocks is the smallest beyond which the dispersion does not grow.

    Parameters
    ----------
    sizes : list of Blocks
        Result of `block_sizes`.
    among : int
        Index of the class whose sites decide; take all sites, which are the most.
    """
    scatter = [dispersion(each)[among] for each in sizes]
    chosen = 0
    while np.isfinite(scatter[chosen]) and scatter[chosen] > 0:
        now = sizes[chosen]
        excess = {
            index: stats.f.sf(
                scatter[index] / scatter[chosen], len(one.areas_mm2) - 1, len(now.areas_mm2) - 1
            )
            for index, one in enumerate(sizes)
            if index != chosen
            and all(new >= old for new, old in zip(one.edge_um, now.edge_um, strict=True))
        }
        best = min(excess, key=excess.get, default=None)
        if best is None or excess[best] > 1 - _LEVEL:
            break
        chosen = best
    return chosen


def _doubled(cells):
    """Return 1, 2, 4, ... cells as long as two blocks fit, and all of them."""
    sizes = [1]
    while 4 * sizes[-1] <= cells:
        sizes.append(2 * sizes[-1])
    return list(dict.fromkeys([*sizes, cells]))
