"""The windows round sites: where they lie in a panorama."""

from collections.abc import Mapping

import numpy as np

from damascene import InputError
from damascene.images.store import TiledImage, Window
from damascene.units import length_px


def window_px(window: str, *, pixel_size_nm: float) -> int:
    """Return the edge of a window such as `5 um` or `100 px` in pixels, at least 1."""
    return max(round(length_px(window, pixel_size_nm=pixel_size_nm)), 1)


def clip_window(x_px: float, y_px: float, *, window_px: int, shape: tuple[int, int]) -> Window:
    """Return the square window round a site, shifted inside where it would leave the panorama.

    Parameters
    ----------
    x_px, y_px : float
        Column and row of the site; rounded to the pixel at the centre. An even window reaches one
        pixel further to the left and upwards.
    window_px : int
        Edge of the window.
    shape : tuple of int
        Rows and columns of the panorama.

    Raises
    ------
    InputError
        If the panorama is smaller than the window.
    """
    rows, columns = shape
    if window_px > min(rows, columns):
        raise InputError(
            f"A window of {window_px} px does not fit into a panorama of {columns} x {rows} px. "
            "Choose a smaller window, or check the pixel size of the panorama."
        )
    top = int(np.clip(np.floor(y_px + 0.5) - window_px // 2, 0, rows - window_px))
    left = int(np.clip(np.floor(x_px + 0.5) - window_px // 2, 0, columns - window_px))
    return Window(top=top, left=left, bottom=top + window_px, right=left + window_px)


def common_window_um(window: str, images: Mapping[str, TiledImage]) -> float:
    """Return the width at which clips of several panoramas share one scale bar, in micrometres.

    A window in pixels is shown as wide as in the coarsest panorama.
    """
    return max(
        length_px(window, pixel_size_nm=image.pixel_size_nm) * image.pixel_size_nm / 1000
        for image in images.values()
    )
