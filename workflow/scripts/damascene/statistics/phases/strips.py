"""A map of phases as strips of full width, each as many whole rows of cells high."""

from collections.abc import Iterable, Iterator

import numpy as np

from damascene.images.pyramid import TILE_PX
from damascene.images.store import TiledImage, Window

#: Grey value of a map where there is no phase: outside of the valid area.
OUTSIDE = 0
#: Edge of a cell in which phases are counted, and its least number of pixels.
CELL_UM = 1.0
_LEAST_CELL_PX = 8


def cell_edge_px(pixel_size_nm: float) -> int:
    """Return the edge of a cell in pixels: about `CELL_UM`, but at least 8 pixels."""
    return max(round(1000 * CELL_UM / pixel_size_nm), _LEAST_CELL_PX)


def stored_strips(image: TiledImage, *, rows: int = TILE_PX) -> Iterator[np.ndarray]:
    """Read a map from top to bottom, `rows` rows at a time: whole tiles are decoded once."""
    height, width = image.shape
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield image.read(Window(top=top, left=0, bottom=bottom, right=width))


def whole_cells(strips: Iterable[np.ndarray], *, cell_px: int) -> Iterator[np.ndarray]:
    """Cut and join strips so that each, but the last, is a whole number of cells high.

    Parameters
    ----------
    strips : iterable of numpy.ndarray, shape (any, width)
    cell_px : int
    """
    left = None
    for strip in strips:
        joined = strip if left is None or not len(left) else np.concatenate([left, strip])
        rows = len(joined) // cell_px * cell_px
        if rows:
            yield joined[:rows]
        left = joined[rows:]
    if left is not None and len(left):
        yield left
