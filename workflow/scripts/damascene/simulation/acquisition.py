"""What the microscope does to the scene: blur, brightness drift, lines and noise."""

import numpy as np
from scipy import ndimage

from damascene.simulation.fields import field_key, smooth_noise, white_noise

#: Standard deviation of the beam's blur.
BLUR_UM = 0.032
#: Largest relative change of the brightness over a panorama.
DRIFT = 0.12
_DRIFT_CELL_UM = (60.0, 70.0)
#: At and below this dwell time the noise is Gamma-like.
FAST_DWELL_NS = 500.0
_GAMMA_SHAPE = 6.0
#: Standard deviation of the brightness of a scan line in grey levels.
LINE_SPREAD = 0.5


def blur_halo_px(pixel_size_nm: float) -> int:
    """Return how far the blur reaches."""
    return int(np.ceil(3 * BLUR_UM * 1000 / pixel_size_nm)) + 1


def blurred(scene: np.ndarray, *, pixel_size_nm: float) -> np.ndarray:
    """Return the scene as a beam of finite width sees it."""
    return ndimage.gaussian_filter(
        scene, BLUR_UM * 1000 / pixel_size_nm, truncate=3.0, mode="nearest"
    )


def noise_level(dwell_time_ns: float) -> float:
    """Return the standard deviation of the noise in grey levels for a dwell time per pixel.

    Counted electrons grow with the dwell time: 25 grey levels at 100 ns fall as its square root,
    to which the detector adds 1.5.
    """
    return float(np.hypot(25.0 * np.sqrt(100.0 / dwell_time_ns), 1.5))


def shaded(
    scene: np.ndarray, *, rows: np.ndarray, columns: np.ndarray, pixel_size_nm: float, seed: int
) -> np.ndarray:
    """Return a blurred scene with the drift of brightness, as `record` has it, without noise.

    Parameters as for `record`.

    Returns
    -------
    numpy.ndarray, float32, shape (rows, columns)
    """
    drift = smooth_noise(
        rows * (pixel_size_nm / 1000),
        columns * (pixel_size_nm / 1000),
        cell_um=_DRIFT_CELL_UM,
        key=field_key(seed, "drift"),
    )
    return scene * (1 + np.float32(DRIFT) * np.tanh(drift))


def record(
    scene: np.ndarray,
    *,
    rows: np.ndarray,
    columns: np.ndarray,
    pixel_size_nm: float,
    dwell_time_ns: float,
    seed: int,
    scan: str = "",
) -> np.ndarray:
    """Return the 8-bit image of a blurred scene.

    Parameters
    ----------
    scene : numpy.ndarray, float32, shape (rows, columns)
        Grey values.
    rows, columns : numpy.ndarray of int
        Where in the panorama its pixels are.
    pixel_size_nm, dwell_time_ns : float
    seed : int
    scan : str, optional
        Name of a further scan of the scene, whose noise is its own.

    Returns
    -------
    numpy.ndarray, uint8
    """
    image = shaded(scene, rows=rows, columns=columns, pixel_size_nm=pixel_size_nm, seed=seed)
    noise = white_noise(rows, columns, key=field_key(seed, f"{scan}noise"))
    if dwell_time_ns <= FAST_DWELL_NS:
        noise = gamma_like(noise)
    noise *= np.float32(noise_level(dwell_time_ns))
    image += noise
    lines = white_noise(rows, np.zeros(1, int), key=field_key(seed, f"{scan}lines"))
    image += np.float32(LINE_SPREAD) * lines
    return np.rint(image).clip(0, 255).astype(np.uint8)


def gamma_like(normal):
    """Turn normal values into Gamma ones of mean 0 and variance 1 (Wilson and Hilferty, 1931)."""
    shape = _GAMMA_SHAPE
    gamma = (1 - 1 / (9 * shape) + normal * np.float32(1 / (3 * np.sqrt(shape)))) ** 3
    return (gamma - 1) * np.float32(np.sqrt(shape))
