"""Count the pixels of phases round one site, by distance and by direction from its outline.

All that is counted are whole numbers, and directions are compared as whole numbers, so that a
picture turned by 90 degrees gives the same counts with its sides exchanged.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: Kinds of pixels: neither phase, another phase, the hard phase.
NEITHER, OTHER, HARD = range(3)
KINDS = 3
#: Directions: each of x and y is backward, none or forward; both are 0 nowhere but between
#: opposite sides, and both differ from 0 on the diagonals.
DIRECTIONS = 9
_EIGHT_NEIGHBOURS = np.ones((3, 3), bool)


@dataclass(frozen=True, kw_only=True)
class SiteCounts:
    """What was counted round a site.

    Attributes
    ----------
    pixels : numpy.ndarray, int64, shape (rings, DIRECTIONS, DIRECTIONS, KINDS)
        Pixels by distance, direction against the axes of the picture, direction against the longer
        axis of the site, and kind.
    grey_sums : numpy.ndarray, float64, shape (rings, KINDS)
        Sums of their grey values.
    outline : numpy.ndarray, int64, shape (KINDS,)
        Edges of pixels between the site and each kind.
    nearest_px : float
        From the outline to the nearest hard phase; infinite where none is in reach.
    islands_px : numpy.ndarray, int64, shape (islands,)
        Pixels in reach of each island of hard phase in the first ring or beside the outline.
    """

    pixels: np.ndarray
    grey_sums: np.ndarray
    outline: np.ndarray
    nearest_px: float
    islands_px: np.ndarray


def ring_table(edges_px: np.ndarray) -> np.ndarray:
    """Return the ring of a pixel by its squared distance from the nearest pixel of the site.

    A pixel lies in a ring if its middle does; the outline is half a pixel from the middle of the
    outermost pixels of the site.

    Parameters
    ----------
    edges_px : numpy.ndarray, float, shape (rings,)
        Outer radii from the outline, ascending.

    Returns
    -------
    numpy.ndarray, int8
        Last entry: all pixels farther away, with the number of rings. The site itself has it, too.
    """
    farthest = int((edges_px[-1] + 0.5 + 1e-9) ** 2)
    distance = np.sqrt(np.arange(farthest + 2)) - 0.5
    # Radii in um over the pixel size miss whole pixels by rounding.
    ring = np.searchsorted(edges_px + 1e-9, distance, side="left")
    ring[[0, -1]] = len(edges_px)
    return ring.astype(np.int8)


def longer_axis(rows: np.ndarray, columns: np.ndarray) -> tuple[float, float]:
    """Return cosine and sine of twice the angle of the longer axis, from x towards y.

    Parameters
    ----------
    rows, columns : numpy.ndarray, int64
        Pixels of the site.

    Returns
    -------
    cosine, sine : float
        Both 0 where no axis is longer. A turn by 90 degrees changes their signs, and nothing else.
    """
    # Moments of whole numbers have no rounding error.
    rows, columns, count = rows - rows.min(), columns - columns.min(), len(rows)
    xx = count * int(columns @ columns) - int(columns.sum()) ** 2
    yy = count * int(rows @ rows) - int(rows.sum()) ** 2
    xy = count * int(columns @ rows) - int(columns.sum()) * int(rows.sum())
    length = np.hypot(xx - yy, 2 * xy)
    return ((xx - yy) / length, 2 * xy / length) if length else (0.0, 0.0)


def count_round_site(
    kinds: np.ndarray,
    grey: np.ndarray,
    site: np.ndarray,
    *,
    axis: tuple[float, float],
    rings: np.ndarray,
) -> SiteCounts:
    """Count the pixels round a site.

    The direction of a pixel is that in which the distance from the outline grows there, so that
    beside a long slit all pixels lie at its flanks.

    Parameters
    ----------
    kinds : numpy.ndarray, uint8, shape (rows, columns)
        `NEITHER`, `OTHER` or `HARD`; one pixel more on each side than the rings reach.
    grey : numpy.ndarray, uint8, same shape
    site : numpy.ndarray, bool, same shape
        Pixels of the site.
    axis : (float, float)
        From `longer_axis`.
    rings : numpy.ndarray
        From `ring_table`.
    """
    count = int(rings[-1])
    distance = ndimage.distance_transform_edt(~site)
    squared = np.rint(distance * distance).astype(np.int32)
    ring = rings[np.minimum(squared, len(rings) - 1)]
    inner = (slice(1, -1), slice(1, -1))
    places = np.flatnonzero(ring[inner] < count)
    # The difference of squared distances on both sides: a whole number, twice the way from the
    # outline, and 0 half way between two sides.
    x = (squared[1:-1, 2:] - squared[1:-1, :-2]).ravel()[places]
    y = (squared[2:, 1:-1] - squared[:-2, 1:-1]).ravel()[places]
    ring_of, kind_of = ring[inner].ravel()[places], kinds[inner].ravel()[places]
    index = ring_of.astype(np.int64) * DIRECTIONS + _directions(x, y)
    index = index * DIRECTIONS + _directions_of_site(x, y, axis=axis)
    size = (count, DIRECTIONS, DIRECTIONS, KINDS)
    pixels = np.bincount(index * KINDS + kind_of, minlength=np.prod(size)).reshape(size)
    ring_and_kind = ring_of.astype(np.int64) * KINDS + kind_of
    grey_sums = np.bincount(
        ring_and_kind, weights=grey[inner].ravel()[places], minlength=count * KINDS
    )
    hard = (kinds == HARD) & (ring < count)
    nearest = squared[hard].min(initial=np.iinfo(np.int32).max) if hard.any() else np.inf
    return SiteCounts(
        pixels=pixels,
        grey_sums=grey_sums.reshape(count, KINDS),
        outline=_outline(kinds, site),
        nearest_px=float(np.sqrt(nearest)) - 1,
        # Coarse pixels leave the first ring empty.
        islands_px=_islands(hard, (ring == 0) | (squared == 1)),
    )


def _directions(x, y):
    """Say to which of four sides each pixel lies, or between which two."""
    across = np.abs(y) - np.abs(x)
    return _numbered(np.sign(x) * (across <= 0), np.sign(y) * (across >= 0))


def _directions_of_site(x, y, *, axis):
    """Say the same against the longer axis of the site: ends forward and backward, and flanks."""
    cosine, sine = axis
    if not (cosine or sine):
        return np.full(len(x), DIRECTIONS // 2)
    # Positive where the direction is nearer to the axis than to its normal.
    along = (x * x - y * y) * cosine + 2 * x * y * sine
    half = np.arctan2(sine, cosine) / 2
    forward = x * np.cos(half) + y * np.sin(half)
    aside = y * np.cos(half) - x * np.sin(half)
    return _numbered(np.sign(forward) * (along >= 0), np.sign(aside) * (along <= 0))


def _numbered(first, second):
    return (first * 3 + second).astype(np.int64) + DIRECTIONS // 2


def _outline(kinds, site):
    """Count the edges between pixels of the site and of each kind."""
    rows, columns = np.flatnonzero(site.any(axis=1)), np.flatnonzero(site.any(axis=0))
    near = slice(rows[0] - 1, rows[-1] + 2), slice(columns[0] - 1, columns[-1] + 2)
    kinds, site = kinds[near], site[near]
    edges = np.zeros(KINDS, np.int64)
    for turned_kinds, turned_site in ((kinds, site), (kinds.T, site.T)):
        for one, other in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            beyond = turned_site[one] & ~turned_site[other]
            edges += np.bincount(turned_kinds[other][beyond], minlength=KINDS)
    return edges


def _islands(hard, close):
    """Return the pixels of each island that has a pixel close by."""
    if not (hard & close).any():
        return np.zeros(0, np.int64)
    islands, _ = ndimage.label(hard, structure=_EIGHT_NEIGHBOURS)
    touched = np.unique(islands[hard & close])
    return np.bincount(islands.ravel())[touched]
