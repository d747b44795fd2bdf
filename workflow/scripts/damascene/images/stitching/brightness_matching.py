"""Brightness of frames against each other, from the mean grey of their overlaps."""

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

# Pulls every factor towards 1, so that small errors of many overlaps do not add up to a slope over
# the whole panorama.
_PULL = 0.01
# Weight that a step common to all overlaps is charged with, far below that of a slope over many
# frames and above that of one step between two.
_SHADING = 0.1
# JPEG leaves saturated pixels a little below full scale.
_SATURATED = 0.99
#: Factors nearer to 1 than this are not worth a change of grey values.
LEAST_CHANGE = 0.01


def solve_gains(
    directions: np.ndarray, pairs: np.ndarray, first_greys: np.ndarray, second_greys: np.ndarray
) -> np.ndarray:
    """Return the factor for each frame that brings the levels of its overlaps together.

    Black stays black, as a change of the beam's current or of the contrast leaves it. Least
    squares on logarithms of the mean grey of overlaps, with a weak pull towards 1. A step that all
    overlaps of one direction have in common comes from shading inside the frames and is left:
    corrected, it would add up to a slope over the whole panorama.

    Parameters
    ----------
    directions : numpy.ndarray, float64, shape (frames, 2)
        Positions of the frames, in sizes of a frame.
    pairs : numpy.ndarray, int64, shape (pairs, 2)
        Frames whose overlap is known.
    first_greys, second_greys : numpy.ndarray, float64, shape (pairs,)
        Mean grey of the overlap in either frame.

    Returns
    -------
    numpy.ndarray, float64, shape (frames,)
        All 1 if no frame needs a change of at least a hundredth.
    """
    count = len(directions)
    lit = (first_greys > 0) & (second_greys > 0)
    first, second = pairs[lit].T
    steps = np.log(first_greys[lit] / second_greys[lit])
    rows = np.arange(len(steps))
    differences = scipy.sparse.coo_array(
        (np.repeat([-1.0, 1.0], len(rows)), (np.tile(rows, 2), np.concatenate([first, second]))),
        shape=(len(rows), count),
    )
    # Unknowns: logarithms of the factors, and the step that goes with one size of a frame.
    matrix = scipy.sparse.block_array(
        [
            [differences, directions[second] - directions[first]],
            [np.sqrt(_PULL) * scipy.sparse.eye_array(count), None],
            [None, np.sqrt(_SHADING) * np.eye(2)],
        ]
    ).tocsc()
    right = np.concatenate([steps, np.zeros(count + 2)])
    solution = scipy.sparse.linalg.spsolve(matrix.T @ matrix, matrix.T @ right)
    gains = np.exp(solution[:count])
    return gains if np.abs(gains - 1).max() >= LEAST_CHANGE else np.ones(count)


def gain_table(gain: float, *, dtype: np.dtype, full: int) -> np.ndarray | None:
    """Return the table from grey values to brought-together ones, None where nothing changes.

    0 and values from 99 % of full scale stay: they mark what is black and what is saturated. No
    other value becomes one of them.

    Parameters
    ----------
    gain : float
    dtype : numpy.dtype
        uint8 or uint16.
    full : int
        Full scale of the grey values, at most the largest value of the type.

    Returns
    -------
    numpy.ndarray of `dtype`, shape (256,) or (65536,), or None
    """
    if gain == 1:
        return None
    values = np.arange(np.iinfo(dtype).max + 1)
    saturated = int(_SATURATED * full)
    table = np.where(values < saturated, np.clip(np.rint(values * gain), 0, saturated - 1), values)
    return table.astype(dtype)
