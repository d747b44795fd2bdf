"""The area in which sites can lie: a coarse mask, what two shifted copies share, and its border.

The mask of a panorama is averaged in square cells. All that follows is exact for that coarse mask:
the common area of the mask and a shifted copy (its set covariance) comes from one Fourier
transform, whatever the outline and its holes, and is interpolated between whole cells. For a
rectangle of whole cells it is exact for every shift, as it is linear in both parts of the shift.

References
----------
Ohser & Mücklich, Statistical Analysis of Microstructures in Materials Science (2000), chapter 7.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft, ndimage

from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID

#: Most cells along the longer side of a panorama.
MOST_CELLS = 1024
_STRIP_ROWS = 1024


@dataclass(frozen=True, kw_only=True, eq=False)
class Area:
    """Where sites can lie.

    Attributes
    ----------
    valid : numpy.ndarray, float64, shape (rows, columns)
        Valid part of each cell, 0 to 1.
    cell_um : float
        Edge of a cell. The origin of coordinates is the upper left corner of the first cell; x goes
        along the columns, y along the rows.
    """

    valid: np.ndarray
    cell_um: float

    @property
    def um2(self) -> float:
        """Valid area in square micrometres."""
        return float(self.valid.sum()) * self.cell_um**2

    @cached_property
    def side_um(self) -> float:
        """Shorter side of the rectangle around all that is valid."""
        spans = []
        for axis in (0, 1):
            places = np.flatnonzero(self.valid.any(axis=axis))
            spans.append(places[-1] - places[0] + 1 if len(places) else 0)
        return min(spans) * self.cell_um

    @cached_property
    def _border(self):
        inside = np.pad(self.valid >= 0.5, 1)
        # From the centre of a cell to the edge of the first cell outside.
        distance = ndimage.distance_transform_edt(inside) - 0.5
        return np.maximum(distance[1:-1, 1:-1], 0) * self.cell_um

    @cached_property
    def _depths(self):
        """Return all depths that occur, rising, and the cells that lie at each or deeper."""
        depths, place = np.unique(self._border, return_inverse=True)
        cells = np.bincount(place.ravel(), self.valid.ravel(), len(depths))
        return depths, np.concatenate([[0.0], np.cumsum(cells[::-1])])[::-1]

    def border_um(self, points_um: np.ndarray) -> np.ndarray:
        """Return the distance of points (n, 2), as (x, y), to what is not valid, to half a cell."""
        places = points_um[:, ::-1].T / self.cell_um - 0.5
        return ndimage.map_coordinates(self._border, places, order=1, mode="nearest")

    def eroded_um2(self, distances_um: np.ndarray) -> np.ndarray:
        """Return the area farther than each distance from what is not valid."""
        depths, beyond = self._depths
        return beyond[np.searchsorted(depths, distances_um)] * self.cell_um**2

    def covariance(self, reach_um: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Return a function: the area that the mask and a copy shifted by (dx, dy) have in common.

        Parameters
        ----------
        reach_um : float
            Longest shift that will be asked for.
        """
        lag = int(np.ceil(reach_um / self.cell_um)) + 1
        shape = [fft.next_fast_len(size + lag + 1, real=True) for size in self.valid.shape]
        spectrum = fft.rfft2(self.valid, shape)
        common = fft.irfft2(np.abs(spectrum) ** 2, shape)
        rows, columns = (np.arange(-lag, lag + 1) % size for size in shape)
        common = np.maximum(common[np.ix_(rows, columns)], 0) * self.cell_um**2
        width = common.shape[1]
        flat = common.ravel()

        def shared(dx_um, dy_um):
            x, y = dx_um / self.cell_um + lag, dy_um / self.cell_um + lag
            left, top = x.astype(np.intp), y.astype(np.intp)
            x, y = x - left, y - top
            first = top * width + left
            above = flat[first] * (1 - x) + flat[first + 1] * x
            below = flat[first + width] * (1 - x) + flat[first + width + 1] * x
            return above * (1 - y) + below * y

        return shared

    def at(self, field: np.ndarray, points_um: np.ndarray) -> np.ndarray:
        """Return the values of a field of cells at points (n, 2), as (x, y)."""
        rows, columns = (
            np.clip((points_um[:, axis] / self.cell_um).astype(int), 0, size - 1)
            for axis, size in zip((1, 0), self.valid.shape, strict=True)
        )
        return field[rows, columns]


def read_area(mask: TiledImage) -> Area:
    """Read the mask of a panorama strip by strip.

    Cells have 1, 2, 4, 8 ... pixels along an edge, so that most panoramas have whole cells only.

    Parameters
    ----------
    mask : TiledImage
        255 where valid.
    """
    edge_px = cell_px(mask.shape)
    counts = []
    for window in strips(mask.shape, edge_px):
        if mask.holds_only(window, VALID):
            strip = np.ones(window.shape, np.uint8)
        else:
            strip = (mask.read(window) == VALID).view(np.uint8)
        counts.append(summed(strip, edge_px))
    valid = np.concatenate(counts) / edge_px**2
    return Area(valid=valid, cell_um=edge_px * mask.pixel_size_nm / 1000)


def cell_px(shape: tuple[int, int]) -> int:
    """Return the edge of a cell in pixels for a panorama of a shape."""
    return 2 ** max(int(np.ceil(np.log2(max(shape) / MOST_CELLS))), 0)


def strips(shape: tuple[int, int], edge_px: int) -> Iterator[Window]:
    """Yield windows over the full width of whole rows of cells, from the top."""
    rows = max(_STRIP_ROWS // edge_px, 1) * edge_px
    for top in range(0, shape[0], rows):
        yield Window(top=top, left=0, bottom=min(top + rows, shape[0]), right=shape[1])


def summed(strip: np.ndarray, edge_px: int) -> np.ndarray:
    """Return the sums of the pixels in each cell of a strip, float64."""
    tops, lefts = (np.arange(0, size, edge_px) for size in strip.shape)
    # Columns first, in the narrowest type: most of the work is on whole pixels.
    down = np.add.reduceat(strip, tops, axis=0, dtype=np.uint16)
    return np.add.reduceat(down, lefts, axis=1, dtype=np.int64).astype(float)
