"""Outlines of sites along the edges of their pixels."""

from collections import defaultdict

import numpy as np

#: Corners of a closed line, the first one only once: columns and rows of edges.
Ring = list[tuple[int, int]]
# Pixels that touch by a corner alone are two areas, as areas of geometry are.
_BY_EDGES = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]


def outline(rows: np.ndarray, columns: np.ndarray) -> list[list[Ring]]:
    """Return the outline of pixels: a polygon for each part that is connected by edges.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int
        Of the pixels.

    Returns
    -------
    list of list of Ring
        Of each polygon the outer ring, clockwise on the screen, and then its holes, the other way
        round. 0 is the corner of the upper left pixel. No ring touches itself.
    """
    # Here, as planning a study need not wait for it.
    from scipy import ndimage

    top, left = int(rows.min()), int(columns.min())
    pixels = np.zeros((int(rows.max()) - top + 3, int(columns.max()) - left + 3), bool)
    pixels[rows - top + 1, columns - left + 1] = True
    parts, count = ndimage.label(pixels, _BY_EDGES)
    polygons = []
    for number in range(1, count + 1):
        rings = [[(x + left - 1, y + top - 1) for x, y in ring] for ring in _rings(parts == number)]
        # The outer ring is the only one that goes clockwise.
        polygons.append(sorted(rings, key=_area, reverse=True))
    return polygons


def _rings(pixels):
    """Return the closed lines between pixels and what lies round them, with pixels on the right."""
    following = _edges(pixels)
    rings = []
    while following:
        start = next(iter(following))
        path, places = [start], {start: 0}
        while True:
            place = path[-1]
            ends = following[place]
            path.append(ends.pop())
            if not ends:
                del following[place]
            reached = path[-1]
            if reached not in places:
                places[reached] = len(path) - 1
                continue
            # A line that comes back to one of its corners has closed a ring there.
            ring = path[places[reached] : -1]
            rings.append(_corners(ring))
            del path[places[reached] + 1 :]
            for corner in ring[1:]:
                del places[corner]
            if len(path) == 1 and path[0] not in following:
                break
    return rings


def _edges(pixels):
    """Return the edges of unit length by the corner that they start from."""
    found = defaultdict(list)
    # Step to the neighbour, and start and end of the edge towards it.
    for (down, right), start, end in (
        ((-1, 0), (0, 0), (1, 0)),
        ((0, 1), (1, 0), (1, 1)),
        ((1, 0), (1, 1), (0, 1)),
        ((0, -1), (0, 1), (0, 0)),
    ):
        outside = pixels & ~np.roll(pixels, (-down, -right), axis=(0, 1))
        for row, column in np.argwhere(outside).tolist():
            found[column + start[0], row + start[1]].append((column + end[0], row + end[1]))
    return dict(found)


def _corners(ring):
    """Leave out the points at which a ring goes straight on."""
    before, after = ring[-1:] + ring[:-1], ring[1:] + ring[:1]
    return [
        here
        for last, here, following in zip(before, ring, after, strict=True)
        if (last[0] == here[0]) != (here[0] == following[0])
    ]


def _area(ring):
    x, y = np.array(ring).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
