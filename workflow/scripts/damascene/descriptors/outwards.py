"""The surroundings of a site, pixel by pixel from its outline outwards.

Once the pixels are in this order, a ring round the site is a range of them, and what is near the
site are the first of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from damascene.descriptors import CLIP_PX, PIXEL_UM

# Rows and columns of the pixels of a clip, one after the other.
_ROWS, _COLUMNS = np.indices((CLIP_PX, CLIP_PX), dtype=np.float32).reshape(2, -1)


@dataclass(frozen=True, kw_only=True)
class Outwards:
    """The pixels outside of a site, from its outline outwards.

    Attributes
    ----------
    place : numpy.ndarray, int64, shape (pixels,)
        Where they are in the flattened clip.
    distance : numpy.ndarray, float64, shape (pixels,)
        From the site in micrometres, ascending.
    centre : tuple of float
        Row and column of the centroid of the site.
    """

    place: np.ndarray
    distance: np.ndarray
    centre: tuple[float, float]

    @classmethod
    def from_squares(cls, squared: np.ndarray, *, centre: tuple[float, float]) -> "Outwards":
        """Sort the pixels by their squared distance, uint16 (CLIP_PX, CLIP_PX).

        Those at distance 0 are left out; those at the same distance stay in row-major order.
        """
        squared = squared.ravel()
        # Whole numbers of 16 bits are sorted without comparing them.
        place = np.argsort(squared, kind="stable")[np.count_nonzero(squared == 0) :]
        distance = np.sqrt(squared[place], dtype=float) * PIXEL_UM
        return cls(place=place, distance=distance, centre=centre)

    def first(self, count: int) -> "Outwards":
        """Return so many of the pixels, the nearest."""
        return Outwards(
            place=self.place[:count], distance=self.distance[:count], centre=self.centre
        )

    def within(self, radius: float) -> "Outwards":
        """Return the pixels nearer than a radius in um."""
        return self.first(np.searchsorted(self.distance, radius))

    def rings(self, radii: Sequence[float]) -> np.ndarray:
        """Return the bounds of rings between radii in um, the outer one included, int64."""
        return np.searchsorted(self.distance, radii, side="right")

    def of(self, image: np.ndarray) -> np.ndarray:
        """Return the values of an image (CLIP_PX, CLIP_PX) at the pixels."""
        return image.ravel()[self.place]

    def angles(self) -> np.ndarray:
        """Return the directions from the centroid to the pixels, from x towards y, in radians."""
        y, x = self.centre
        return np.arctan2(_ROWS[self.place] - y, _COLUMNS[self.place] - x)


def ring_means(values: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Return the mean of values (pixels,) in each ring, 0 where a ring is empty.

    `bounds` are those of `Outwards.rings`.
    """
    sums = [values[first:last].sum(dtype=float) for first, last in pairwise(bounds)]
    return sums / np.maximum(np.diff(bounds), 1)


def sector_means(
    values: np.ndarray, angles: np.ndarray, bounds: np.ndarray, *, sectors: int
) -> np.ndarray:
    """Return the means of values (pixels,) in rings and sectors, 0 where there is no pixel.

    Parameters
    ----------
    values, angles : numpy.ndarray, shape (pixels,)
    bounds : numpy.ndarray
        Those of `Outwards.rings`.
    sectors : int
        A power of two; the first sector is centred on angle 0.

    Returns
    -------
    numpy.ndarray, float64, shape (rings, sectors)
    """
    rings, own = len(bounds) - 1, slice(bounds[0], bounds[-1])
    ring = np.repeat(np.arange(rings), np.diff(bounds))
    sector = np.floor(angles[own] / (2 * np.pi / sectors) + 0.5).astype(int)
    # The remainder, of negative numbers too, and faster than a division.
    sector &= sectors - 1
    return means_by(ring * sectors + sector, values[own], rings * sectors).reshape(rings, -1)


def means_by(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Return the means of the values of each index below a count, 0 where there is none."""
    sums = np.bincount(index, weights=values, minlength=count)
    return sums / np.maximum(np.bincount(index, minlength=count), 1)


def mean(values: np.ndarray) -> float:
    """Return the mean, 0 of nothing."""
    return values.mean() if values.size else 0.0
