"""Random fields keyed by position: any window can be computed alone and is always the same."""

import functools

import numpy as np

# Standard deviation of a cubic B-spline surface over independent values of unit variance.
_SPLINE_SPREAD = 0.479


@functools.cache
def field_key(seed: int, name: str) -> int:
    """Return the 32-bit key of a named field under a seed."""
    return int(np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0])


def _mixed(values):
    """Mix the bits of uint32 values in place (the finaliser `lowbias32` of C. Wellons)."""
    values ^= values >> np.uint32(16)
    values *= np.uint32(0x7FEB352D)
    values ^= values >> np.uint32(15)
    values *= np.uint32(0x846CA68B)
    values ^= values >> np.uint32(16)
    return values


def _byte_sum(values):
    total = values & np.uint32(0xFF)
    total += (values >> np.uint32(8)) & np.uint32(0xFF)
    total += (values >> np.uint32(16)) & np.uint32(0xFF)
    total += values >> np.uint32(24)
    return total


def white_noise(rows: np.ndarray, columns: np.ndarray, *, key: int) -> np.ndarray:
    """Return independent, nearly normal values at integer positions.

    Each value is the sum of the eight bytes of two hashes of its position, scaled to mean 0 and
    variance 1; it reaches 4.9 standard deviations.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int, shapes (n,) and (m,)
        Positions, also negative ones.
    key : int
        From `field_key`.

    Returns
    -------
    numpy.ndarray, float32, shape (n, m)
    """
    by_row = _mixed(np.asarray(rows).astype(np.uint32) + np.uint32(key))
    by_column = np.asarray(columns).astype(np.uint32) * np.uint32(0x9E3779B1)
    values = _mixed(by_row[:, None] + by_column[None, :])
    total = _byte_sum(values)
    values += np.uint32(0x68E31DA4)
    total += _byte_sum(_mixed(values))
    noise = total.astype(np.float32)
    noise -= np.float32(8 * 127.5)
    # A byte has the variance (256² - 1) / 12.
    noise *= np.float32(1 / np.sqrt(8 * (256**2 - 1) / 12))
    return noise


def resample(
    values: np.ndarray,
    row_positions: np.ndarray,
    column_positions: np.ndarray,
    *,
    origin: tuple[int, int],
    smooth: bool,
) -> np.ndarray:
    """Evaluate a grid of values at the positions of a finer grid.

    The sums run in a fixed order, so that a pixel has the same value in every window.

    Parameters
    ----------
    values : numpy.ndarray, float32, shape (rows, columns)
    row_positions, column_positions : numpy.ndarray, shapes (n,) and (m,)
        In units of the grid; the grid must reach one value further down and two further up.
    origin : tuple of int
        Row and column position of the first value.
    smooth : bool
        True for a cubic B-spline (smooth, not through the values), False for the cubic convolution
        of Catmull and Rom (through the values).

    Returns
    -------
    numpy.ndarray, float32, shape (n, m)
    """
    weights = _spline_weights if smooth else _convolution_weights
    first, fraction = _split(row_positions, origin[0])
    along = _weighted_sum(values, first, weights(fraction), axis=0)
    first, fraction = _split(column_positions, origin[1])
    return _weighted_sum(along, first, weights(fraction), axis=1)


def _weighted_sum(values, first, taps, *, axis):
    shape = (-1, 1) if axis == 0 else (1, -1)
    result = np.take(values, first, axis=axis)
    result *= taps[0].reshape(shape)
    part = np.empty_like(result)
    for k in range(1, 4):
        # Mode "clip" lets `take` write into `out` at once; no index is out of range.
        np.take(values, first + k, axis=axis, out=part, mode="clip")
        part *= taps[k].reshape(shape)
        result += part
    return result


def _split(positions, origin):
    # The fraction is taken before the origin goes off, so that it does not depend on the origin.
    whole = np.floor(positions)
    return whole.astype(np.intp) - origin - 1, (positions - whole).astype(np.float32)


def _spline_weights(t):
    return (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )


def _convolution_weights(t):
    return (
        (-(t**3) + 2 * t**2 - t) / 2,
        (3 * t**3 - 5 * t**2 + 2) / 2,
        (-3 * t**3 + 4 * t**2 + t) / 2,
        (t**3 - t**2) / 2,
    )


def smooth_noise(
    y_um: np.ndarray, x_um: np.ndarray, *, cell_um: tuple[float, float], key: int
) -> np.ndarray:
    """Return a smooth random surface of mean 0 and about unit variance.

    Parameters
    ----------
    y_um, x_um : numpy.ndarray, shapes (n,) and (m,)
        Increasing positions in micrometres.
    cell_um : tuple of float
        Distance of the independent values in y and in x.
    key : int
        From `field_key`.

    Returns
    -------
    numpy.ndarray, float32, shape (n, m)
    """
    rows, columns = np.asarray(y_um) / cell_um[0], np.asarray(x_um) / cell_um[1]
    top, left = int(np.floor(rows[0])) - 1, int(np.floor(columns[0])) - 1
    lattice = white_noise(
        np.arange(top, int(np.floor(rows[-1])) + 3),
        np.arange(left, int(np.floor(columns[-1])) + 3),
        key=key,
    )
    surface = resample(lattice, rows, columns, origin=(top, left), smooth=True)
    surface /= np.float32(_SPLINE_SPREAD)
    return surface
