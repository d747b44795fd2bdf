"""Noise of a scan, added to an image that has little."""

import numpy as np

from damascene.images.store import Window
from damascene.simulation.acquisition import LINE_SPREAD, gamma_like
from damascene.simulation.fields import field_key, white_noise


def with_noise(
    pixels: np.ndarray, *, window: Window, kind: str, noise_grey: float, seed: int
) -> np.ndarray:
    """Return a window of a panorama with noise.

    Parameters
    ----------
    pixels : numpy.ndarray, shape (rows, columns)
        Grey values, 0 to 255.
    window : Window
        Where they are in the panorama; the noise of a place does not depend on the window.
    kind : {"gaussian", "gamma"}
        `gamma` is the noise of simulated fast scans: skewed as a Gamma variable of shape 6, with
        the brightness of a line varying by half a grey level.
    noise_grey : float
        Standard deviation in grey levels, without the lines.
    seed : int

    Returns
    -------
    numpy.ndarray, uint8, shape (rows, columns)
    """
    rows = np.arange(window.top, window.bottom)
    noise = white_noise(
        rows, np.arange(window.left, window.right), key=field_key(seed, "added noise")
    )
    if kind == "gamma":
        lines = white_noise(rows, np.zeros(1, int), key=field_key(seed, "added lines"))
        noise = np.float32(noise_grey) * gamma_like(noise) + np.float32(LINE_SPREAD) * lines
    elif kind == "gaussian":
        noise = np.float32(noise_grey) * noise
    else:
        raise ValueError(f"unknown noise {kind!r}")
    return np.rint(pixels + noise).clip(0, 255).astype(np.uint8)
