"""Random changes of clips that leave their class as it is."""

import numpy as np

# Coarse grid of displacements by which `bend` distorts a clip.
_BEND_GRID = 4

#: Options of `augment_clips` by the names that the configuration gives them. `flips` changes no
#: grey value.
AUGMENTATIONS = {
    "none": None,
    "flips": {"shift": 0, "zoom": 0, "gain": 0, "offset": 0, "gamma": 0, "noise": 0},
    "mild": {"shift": 0.06, "zoom": 0.15, "gain": 0.15, "offset": 8, "gamma": 0.2, "noise": 6},
    "strong": {
        "shift": 0.1,
        "zoom": 0.3,
        "gain": 0.3,
        "offset": 16,
        "gamma": 0.4,
        "noise": 12,
        "bend": 0.03,
        "blur": 1,
    },
}


def augmentation_options(name: str, *, rotation_deg: float) -> dict | None:
    """Return the options of `augment_clips` for a name in `AUGMENTATIONS`; None for `none`."""
    options = AUGMENTATIONS[name]
    if options is None:
        return None
    return options | {"rotation_deg": 0 if name == "flips" else rotation_deg}


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
    bend: float = 0,
    blur: float = 0,
) -> np.ndarray:
    """Mirror, turn, shift, zoom and bend clips, and change their brightness, contrast and noise.

    The scales of a site are changed alike.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, rows, columns[, scales]), grey values 0 to 255
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
    bend : float, optional
        Standard deviation of smooth random displacements, as a share of the edge.
    blur : float, optional
        Largest weight, 0 to 1, of the clip's means over 3 x 3 pixels.

    Returns
    -------
    numpy.ndarray, float32, of the same shape, in [0, 255]

    References
    ----------
    Simard et al., Best practices for convolutional neural networks applied to visual document
    analysis, 10.1109/ICDAR.2003.1227801 (smooth displacements).
    """
    scales = clips[..., np.newaxis] if clips.ndim == 3 else clips

    def drawn(limit):
        return rng.uniform(-limit, limit, (len(clips), 1, 1)).astype(np.float32)

    y, x = _sampled_at(
        scales.shape[:3],
        angle=np.deg2rad(drawn(rotation_deg)),
        scale=np.exp(drawn(zoom)),
        mirror_x=rng.choice(np.float32([-1, 1]), (len(clips), 1, 1)),
        mirror_y=rng.choice(np.float32([-1, 1]), (len(clips), 1, 1)),
        shift_x=drawn(shift),
        shift_y=drawn(shift),
    )
    if bend:
        y, x = y + _bent(y.shape, bend, rng), x + _bent(x.shape, bend, rng)
    grey = _sample(scales.astype(np.float32), y, x)
    if blur:
        weight = np.abs(drawn(blur))[..., np.newaxis]
        grey = (1 - weight) * grey + weight * _means(grey)
    grey = 255 * (grey / 255) ** np.exp(drawn(gamma))[..., np.newaxis]
    grey = grey * np.exp(drawn(gain))[..., np.newaxis] + drawn(offset)[..., np.newaxis]
    deviation = np.abs(drawn(noise))[..., np.newaxis]
    grey += deviation * rng.standard_normal(grey.shape, dtype=np.float32)
    return np.clip(grey, 0, 255).reshape(clips.shape)


def _sampled_at(shape, *, angle, scale, mirror_x, mirror_y, shift_x, shift_y):
    """Return where the pixels of turned, scaled and shifted clips lie, in [-0.5, 0.5] an edge."""
    _, rows, columns = shape
    y, x = np.meshgrid(
        np.linspace(-0.5, 0.5, rows, dtype=np.float32),
        np.linspace(-0.5, 0.5, columns, dtype=np.float32),
        indexing="ij",
    )
    sine, cosine = np.sin(angle) * scale, np.cos(angle) * scale
    return (
        mirror_y * (sine * x + cosine * y) + shift_y,
        mirror_x * (cosine * x - sine * y) + shift_x,
    )


def _bent(shape, bend, rng):
    """Return displacements that vary smoothly between the points of a coarse grid."""
    count, rows, columns = shape
    coarse = bend * rng.standard_normal((count, _BEND_GRID, _BEND_GRID), dtype=np.float32)

    def weights(size):
        at = np.linspace(0, _BEND_GRID - 1, size)
        return np.maximum(1 - np.abs(at[:, None] - np.arange(_BEND_GRID)), 0).astype(np.float32)

    return weights(rows) @ coarse @ weights(columns).T


def _sample(clips, y, x):
    """Interpolate clips (n, rows, columns, scales) at positions, mirrored at the borders."""
    count, rows, columns, scales = clips.shape
    column, right = _pixel_and_rest(x, columns)
    row, down = _pixel_and_rest(y, rows)
    right, down = right[..., np.newaxis], down[..., np.newaxis]
    flat = clips.reshape(-1, scales)
    place = (np.arange(count)[:, None, None] * rows + row) * columns + column
    upper = flat[place] * (1 - right) + flat[place + 1] * right
    place += columns
    lower = flat[place] * (1 - right) + flat[place + 1] * right
    return upper * (1 - down) + lower * down


def _means(clips):
    """Return means over 3 x 3 pixels, mirrored at the borders."""
    padded = np.pad(clips, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    return (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) / 9


def _pixel_and_rest(position, size):
    """Return the pixel before a position in [-0.5, 0.5] across an axis, and the way past it."""
    # Positions outside come back in as in a mirror.
    inside = 1 - np.abs(1 - np.mod(position + 0.5, 2))
    exact = inside * np.float32(size - 1)
    pixel = np.minimum(exact.astype(np.int32), size - 2)
    return pixel, exact - pixel.astype(np.float32)
