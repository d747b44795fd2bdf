"""Random changes of clips that leave their class as it is."""

import functools

import numpy as np

# Coarse grid of displacements by which `bend` distorts a clip.
_BEND_GRID = 4
# Pieces of noise to choose from; drawing new noise takes as long as all other changes together.
_NOISE_PIECES = 2**18
# So many pixels are changed together: their arrays stay in the processor's cache, and are small
# enough to come from memory the process already has.
_VALUES_AT_ONCE = 2**15

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

    All scales of a site are changed alike, except for the noise. Grey values change first, then the
    clip is blurred, moved with linear interpolation, mirrored at its borders, and given noise.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, rows, columns[, scales]), grey values 0 to 255
    rotation_deg : float
        Largest turn to either side. Cracks are mostly perpendicular to the load, and a turn of
        more than some tens of degrees would take that hint away.
    rng : numpy.random.Generator
        Source of all randomness; the same state gives the same clips.
    shift : float, optional
        Largest shift as a proportion of the edge.
    zoom : float, optional
        Largest change of the logarithm of the scale.
    gain, gamma : float, optional
        Largest change of the logarithm of the factor and of the exponent of the grey values.
    offset : float, optional
        Largest shift of the grey values.
    noise : float, optional
        Largest standard deviation of the added noise in grey values. It is normal, a piece of one
        long row of deviates that begins anywhere.
    bend : float, optional
        Standard deviation of smooth random displacements, as a proportion of the edge.
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
    changed = np.empty(scales.shape, np.float32)
    # One plane a scale: passes over planes are several times as fast as over pairs of scales.
    planes, result = np.moveaxis(scales, -1, 0), np.moveaxis(changed, -1, 0)
    draws = _drawn(
        rng,
        planes.shape,
        limits=(np.deg2rad(rotation_deg), zoom, shift, shift, gamma, gain, offset, blur, noise),
        bend=bend,
    )
    at_once = max(_VALUES_AT_ONCE // scales[:1].size, 1)
    for start in range(0, len(clips), at_once):
        part = slice(start, start + at_once)
        grey = _changed(planes[:, part], **{name: draw[part] for name, draw in draws.items()})
        np.clip(grey, 0, 255, out=result[:, part])
    return changed.reshape(clips.shape)


def _drawn(rng, shape, *, limits, bend):
    """Draw what `_changed` does to each of n clips; every array begins with their axis."""
    scales, count, rows, columns = shape
    uniform = rng.uniform(-1, 1, (len(limits), count, 1, 1))
    angle, zoom, down, right, gamma, gain, offset, blur, noise = (
        np.reshape(limits, (-1, 1, 1, 1)) * uniform
    ).astype(np.float32)
    mirror_y, mirror_x = rng.choice(np.float32([-1, 1]), (2, count, 1, 1))
    coarse = bend * rng.standard_normal((count, 2, _BEND_GRID, _BEND_GRID), dtype=np.float32)
    sine, cosine = np.sin(angle) * np.exp(zoom), np.cos(angle) * np.exp(zoom)
    y = np.arange(rows, dtype=np.float32)[:, np.newaxis] - np.float32((rows - 1) / 2)
    x = np.arange(columns, dtype=np.float32) - np.float32((columns - 1) / 2)
    part = np.linspace(0, 1, 256, dtype=np.float32)
    return {
        "y_of_row": mirror_y * cosine * y + (down + 0.5) * (rows - 1),
        "y_of_column": mirror_y * sine * x,
        "x_of_row": -mirror_x * sine * y,
        "x_of_column": mirror_x * cosine * x + (right + 0.5) * (columns - 1),
        "coarse": coarse * np.float32([[[rows - 1]], [[columns - 1]]]),
        "values": (255 * part ** np.exp(gamma) * np.exp(gain) + offset)[:, 0],
        "blur": np.abs(blur),
        "noise": noise,
        "pieces": rng.integers(0, _NOISE_PIECES, (count, scales)),
    }


def _changed(
    planes, *, y_of_row, y_of_column, x_of_row, x_of_column, coarse, values, blur, noise, pieces
):
    """Return changed planes, float32 (scales, n, rows, columns), of uint8 ones."""
    rows, columns = planes.shape[2:]
    y, x = y_of_row + y_of_column, x_of_row + x_of_column
    if coarse.any():
        # Displacements that vary smoothly between the points of a coarse grid.
        bent = _bend_weights(rows) @ coarse @ _bend_weights(columns).T
        y += bent[:, 0]
        x += bent[:, 1]
    # A table says what becomes of each of 256 grey values.
    tables = 256 * np.arange(len(values))[:, np.newaxis, np.newaxis]
    grey = values.ravel().take(planes + tables)
    if blur.any():
        grey = _blurred(grey, blur)
    grey = _sample(grey, y, x)
    if noise.any():
        grey += noise * _deviates(rows * columns)[pieces.T].reshape(grey.shape)
    return grey


@functools.lru_cache
def _bend_weights(size):
    """Return the matrix (size, grid) that interpolates one axis of the coarse grid."""
    at = np.linspace(0, _BEND_GRID - 1, size)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(_BEND_GRID)), 0).astype(np.float32)


@functools.lru_cache
def _deviates(pixels):
    """Return all pieces of so many pixels of a row of normal deviates."""
    row = np.random.default_rng(0).standard_normal(_NOISE_PIECES + pixels - 1, dtype=np.float32)
    return np.lib.stride_tricks.sliding_window_view(row, pixels)


def _blurred(planes, weight):
    """Mix planes, which are lost, with their means over 3 x 3 pixels, mirrored at the borders."""
    upright = planes.copy()
    upright[:, :, 1:] += planes[:, :, :-1]
    upright[:, :, :-1] += planes[:, :, 1:]
    upright[:, :, 0] += planes[:, :, 1]
    upright[:, :, -1] += planes[:, :, -2]
    upright *= weight / 9
    planes *= 1 - weight
    planes += upright
    planes[..., 1:] += upright[..., :-1]
    planes[..., :-1] += upright[..., 1:]
    planes[..., 0] += upright[..., 1]
    planes[..., -1] += upright[..., -2]
    return planes


def _sample(planes, y, x):
    """Interpolate planes (scales, n, rows, columns) at positions, mirrored at the borders."""
    scales, count, rows, columns = planes.shape
    row, down = _pixel_and_rest(y, rows)
    column, right = _pixel_and_rest(x, columns)
    row *= columns
    row += column
    place = row.astype(np.intp)
    place += rows * columns * np.arange(count)[:, np.newaxis, np.newaxis]
    # `take` is several times as fast as an index in brackets.
    flat = planes.reshape(scales, -1)
    upper = flat.take(place, axis=1)
    _approach(upper, flat.take(place + 1, axis=1), right)
    place += columns
    lower = flat.take(place, axis=1)
    _approach(lower, flat.take(place + 1, axis=1), right)
    _approach(upper, lower, down)
    return upper


def _pixel_and_rest(position, size):
    """Return the pixel before positions along an axis, and the way past it; both float32."""
    last = np.float32(size - 1)
    # Positions outside come back in as in a mirror.
    position = np.abs(position)
    if position.max() > 2 * last:
        position %= 2 * last
    position -= last
    np.abs(position, out=position)
    np.subtract(last, position, out=position)
    pixel = np.floor(position)
    np.minimum(pixel, last - 1, out=pixel)
    position -= pixel
    return pixel, position


def _approach(values, others, weight):
    """Move values a part of the way to others, which are lost."""
    others -= values
    others *= weight
    values += others
