"""Images as cells of 2 x 2 pixels, of which a denoising network sees some and answers some.

A network that never sees a pixel cannot learn to repeat its noise. Hiding pixels of each cell from
it makes that certain by construction, whatever its layers are.
"""

from dataclasses import dataclass

import numpy as np

#: Edge of a cell in pixels.
CELL_PX = 2


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which pixels of a cell a network sees, and which it answers.

    Pixels are numbered by rows: upper left, upper right, lower left, lower right.

    Attributes
    ----------
    seen, answered : tuple of int
    shifts : tuple of (int, int)
        Rows and columns by which cells are shifted, so that each pixel is answered once.
    """

    seen: tuple[int, ...]
    answered: tuple[int, ...]
    shifts: tuple[tuple[int, int], ...]

    @property
    def blind(self) -> bool:
        """Whether pixels are answered that are not seen."""
        return not set(self.answered) & set(self.seen)


#: `whole`: every pixel is seen. `pixel`: an answered pixel is hidden, all around it are seen.
#: `line`: all pixels of its row are hidden, for noise that pixels of a scan line share.
LAYOUTS = {
    "whole": Layout(seen=(0, 1, 2, 3), answered=(0, 1, 2, 3), shifts=((0, 0),)),
    "pixel": Layout(seen=(1, 2, 3), answered=(0,), shifts=((0, 0), (0, 1), (1, 0), (1, 1))),
    "line": Layout(seen=(2, 3), answered=(0, 1), shifts=((0, 0), (1, 0))),
}


def to_cells(pixels: np.ndarray) -> np.ndarray:
    """Return an image as cells.

    Parameters
    ----------
    pixels : numpy.ndarray, shape (..., rows, columns)
        With even numbers of rows and columns.

    Returns
    -------
    numpy.ndarray, shape (..., rows / 2, columns / 2, 4)
    """
    *first, rows, columns = pixels.shape
    split = pixels.reshape(*first, rows // CELL_PX, CELL_PX, columns // CELL_PX, CELL_PX)
    return np.moveaxis(split, -3, -2).reshape(*first, rows // CELL_PX, columns // CELL_PX, -1)


def put_cells(pixels: np.ndarray, cells: np.ndarray, places: tuple[int, ...]) -> None:
    """Write the pixels of cells at some places into an image, the reverse of `to_cells`.

    Parameters
    ----------
    pixels : numpy.ndarray, shape (rows, columns)
        Changed in place.
    cells : numpy.ndarray, shape (rows / 2, columns / 2, len(places))
    places : tuple of int
        Numbers of the pixels in a cell.
    """
    for number, place in enumerate(places):
        down, right = divmod(place, CELL_PX)
        pixels[down::CELL_PX, right::CELL_PX] = cells[..., number]
