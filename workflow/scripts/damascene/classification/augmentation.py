"""Random changes of clips that leave their class as it is."""

import numpy as np


def augment_clips(
    clips: np.ndarray,
    *,
    rotation_deg: float,
    rng: np.random.Generator,
    shift: float = 0.06,
    zoom: float = 0.15,
    gain: float = 0.15,
    offset: float = 8,
    gamma: float = 0.2,
    noise: float = 6,
) -> np.ndarray:
    """Mirror, turn, shift and zoom clips, and change their brightness, contrast and noise.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, rows, columns), grey values 0 to 255
    rotation_deg : float
        Largest turn to either side. Cracks are mostly perpendicular to the load, and a turn of
        more than some tens of degrees would take that hint away.
    rng : numpy.random.Generator
        Source of all randomness; the same state gives the same clips.
    shift : float, optional
        Largest shift as a share of the edge.
    zoom : float, optional
        Largest change of the logarithm of the scale.
    gain, gamma : float, optional
        Largest change of the logarithm of the factor and of the exponent of the grey values.
    offset : float, optional
        Largest shift of the grey values.
    noise : float, optional
        Largest standard deviation of the added noise in grey values.

    Returns
    -------
    numpy.ndarray, float32, shape (n, rows, columns), in [0, 255]
    """

    def drawn(limit):
        return rng.uniform(-limit, limit, (len(clips), 1, 1)).astype(np.float32)

    moved = _transformed(
        clips.astype(np.float32),
        angle=np.deg2rad(drawn(rotation_deg)),
        scale=np.exp(drawn(zoom)),
        mirror_x=rng.choice(np.float32([-1, 1]), (len(clips), 1, 1)),
        mirror_y=rng.choice(np.float32([-1, 1]), (len(clips), 1, 1)),
        shift_x=drawn(shift),
        shift_y=drawn(shift),
    )
    grey = 255 * (moved / 255) ** np.exp(drawn(gamma)) * np.exp(drawn(gain)) + drawn(offset)
    grey += np.abs(drawn(noise)) * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.clip(grey, 0, 255)


def _transformed(clips, *, angle, scale, mirror_x, mirror_y, shift_x, shift_y):
    """Sample clips on turned, scaled and shifted grids, mirrored at the borders."""
    count, rows, columns = clips.shape
    y, x = np.meshgrid(
        np.linspace(-0.5, 0.5, rows, dtype=np.float32),
        np.linspace(-0.5, 0.5, columns, dtype=np.float32),
        indexing="ij",
    )
    sine, cosine = np.sin(angle) * scale, np.cos(angle) * scale
    source_x = mirror_x * (cosine * x - sine * y) + shift_x
    source_y = mirror_y * (sine * x + cosine * y) + shift_y
    column, right = _pixel_and_rest(source_x, columns)
    row, down = _pixel_and_rest(source_y, rows)
    flat = clips.ravel()
    place = (np.arange(count)[:, None, None] * rows + row) * columns + column
    upper = flat[place] * (1 - right) + flat[place + 1] * right
    place += columns
    lower = flat[place] * (1 - right) + flat[place + 1] * right
    return upper * (1 - down) + lower * down


def _pixel_and_rest(position, size):
    """Return the pixel before a position in [-0.5, 0.5] across an axis, and the way past it."""
    # Positions outside come back in as in a mirror.
    inside = 1 - np.abs(1 - np.mod(position + 0.5, 2))
    exact = inside * np.float32(size - 1)
    pixel = np.minimum(exact.astype(np.int32), size - 2)
    return pixel, exact - pixel.astype(np.float32)
