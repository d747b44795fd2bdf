"""Brightness of frames against each other, from the mean grey of their overlaps."""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

# Pulls every factor towards 1. Shading inside the frames says the same wrong thing at every
# overlap; without a pull it would add up to a slope over the whole panorama. Against a chain of
# frames this one lets through what changes within about ten frames.
_PULL = 0.01
# JPEG leaves saturated pixels a little below full scale.
_SATURATED = 0.99
#: Factors nearer to 1 than this are not worth a change of grey values.
LEAST_CHANGE = 0.01


def solve_gains(
    count: int, pairs: np.ndarray, first_levels: np.ndarray, second_levels: np.ndarray
) -> np.ndarray:
    """Return the factor for each frame that brings the levels of its overlaps together.

    Black stays black, as a change of the beam's current or of the contrast leaves it. Least
    squares on logarithms of the mean grey of overlaps, with a weak pull towards 1.

    Parameters
    ----------
    count : int
        Frames.
    pairs : numpy.ndarray, int64, shape (pairs, 2)
        Frames whose overlap is known.
    first_levels, second_levels : numpy.ndarray, float64, shape (pairs,)
        Mean grey of the overlap in either frame.

    Returns
    -------
    numpy.ndarray, float64, shape (count,)
        All 1 if no frame needs a change of at least a hundredth.
    """
    lit = (first_levels > 0) & (second_levels > 0)
    first, second = pairs[lit].T
    steps = np.log(first_levels[lit] / second_levels[lit])
    rows = np.arange(lit.sum())
    matrix = scipy.sparse.coo_array(
        (
            np.repeat([-1.0, 1.0, np.sqrt(_PULL)], [len(rows), len(rows), count]),
            (
                np.concatenate([rows, rows, len(rows) + np.arange(count)]),
                np.concatenate([first, second, np.arange(count)]),
            ),
        ),
        shape=(len(rows) + count, count),
    ).tocsr()
    right = np.concatenate([steps, np.zeros(count)])
    gains = np.exp(scipy.sparse.linalg.spsolve((matrix.T @ matrix).tocsc(), matrix.T @ right))
    return gains if np.abs(gains - 1).max() >= LEAST_CHANGE else np.ones(count)


def gain_table(gain: float, *, dtype: np.dtype) -> np.ndarray | None:
    """Return the table from grey values to brought-together ones, None where nothing changes.

    0 and values from 99 % of full scale stay: they mark what is black and what is saturated. No
    other value becomes one of them.

    Parameters
    ----------
    gain : float
    dtype : numpy.dtype
        uint8 or uint16.

    Returns
    -------
    numpy.ndarray of `dtype`, shape (256,) or (65536,), or None
    """
    if gain == 1:
        return None
    values = np.arange(np.iinfo(dtype).max + 1)
    saturated = int(_SATURATED * values[-1])
    table = np.where(values < saturated, np.clip(np.rint(values * gain), 0, saturated - 1), values)
    return table.astype(dtype)
