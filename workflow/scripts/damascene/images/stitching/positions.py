"""Positions of all frames from the offsets measured between neighbours."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

# Ties the otherwise free shift of each connected group to the nominal positions, and is too weak
# to bend even a chain of a thousand frames by a hundredth of a pixel.
_ANCHOR = 1e-9
# Residuals from which an offset loses weight, and which it may have at least.
_SOFT_PX = 1.0
_LEAST_LIMIT_PX = 2.0
_LIMIT_SPREADS = 5
_STRICTER = 0.8
_ROUNDS = 60


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where frames lie, and which measured offsets say so.

    `corners_px`: float64 (frames, 2), upper left corners (x, y), from 0. `used`: bool (pairs,),
    offsets that the positions rest on. `residual_px`: float64 (pairs,), distance between the
    measured offset and that of the positions, NaN where none was measured. `group`: int64
    (frames,), the same for frames connected by used offsets. `nominal_px`: float64 (frames, 2),
    nominal corners after correction for scale and rotation of the stage.
    """

    corners_px: np.ndarray
    used: np.ndarray
    residual_px: np.ndarray
    group: np.ndarray
    nominal_px: np.ndarray


def solve_positions(
    nominal_px: np.ndarray,
    pairs: np.ndarray,
    offsets_px: np.ndarray,
    weights: np.ndarray,
) -> Positions:
    """Find the positions that agree best with the measured offsets, by weighted least squares.

    Offsets that contradict the others lose their weight (Cauchy's, iterated) and are left out of
    the last solution if they are off by more than 2 px and five times the usual spread. Groups of
    frames that no used offset connects lie to their neighbours as the nominal positions say,
    corrected for the scale and rotation of the stage that the measured offsets show.

    Parameters
    ----------
    nominal_px : numpy.ndarray, float64, shape (frames, 2)
        Nominal upper left corners (x, y).
    pairs : numpy.ndarray, int64, shape (pairs, 2)
        Indices of neighbouring frames.
    offsets_px : numpy.ndarray, float64, shape (pairs, 2)
        Measured corner of the second frame minus that of the first, NaN where not measured.
    weights : numpy.ndarray, float64, shape (pairs,)
        0 for offsets not to be trusted.

    Returns
    -------
    Positions
    """
    measured = np.isfinite(offsets_px).all(axis=1)
    trusted = measured & (weights > 0)
    nominal_px = _without_stage_error(nominal_px, pairs[trusted], offsets_px[trusted])
    # Unknowns are deviations from the nominal positions: small numbers round less.
    deviations = offsets_px - (nominal_px[pairs[:, 1]] - nominal_px[pairs[:, 0]])
    used = trusted.copy()
    factors, soft_px = np.ones(len(pairs)), np.inf
    for _ in range(_ROUNDS):
        moved = _solve(
            len(nominal_px), pairs[trusted], deviations[trusted], (weights * factors)[trusted]
        )
        residuals = _residuals(moved, pairs, deviations)
        # From mild to strict, so that many offsets decide first which few are false.
        soft_px = max(min(soft_px, residuals[trusted].max(initial=0)) * _STRICTER, _SOFT_PX)
        before, factors = factors, 1 / (1 + (np.nan_to_num(residuals) / soft_px) ** 2)
        if soft_px == _SOFT_PX and np.abs(factors - before)[trusted].max(initial=0) < 1e-3:
            break
    if trusted.any():
        spread = 1.4826 * np.median(residuals[trusted])
        used &= residuals <= max(_LEAST_LIMIT_PX, _LIMIT_SPREADS * spread)
    moved = _solve(len(nominal_px), pairs[used], deviations[used], weights[used])
    group = _connected_components(len(nominal_px), pairs[used])
    moved = _join_components(moved, group, pairs)
    corners = nominal_px + moved
    return Positions(
        corners_px=corners - corners.min(axis=0),
        used=used,
        residual_px=_residuals(moved, pairs, deviations),
        group=group,
        nominal_px=nominal_px,
    )


def _without_stage_error(nominal_px, pairs, offsets_px):
    """Correct for a linear error of the stage: its scale along each axis, rotation and shear."""
    steps = nominal_px[pairs[:, 1]] - nominal_px[pairs[:, 0]]
    wrong = offsets_px - steps
    if not len(pairs):
        return nominal_px
    linear = np.zeros((2, 2))
    for _ in range(_ROUNDS):
        distance = np.linalg.norm(wrong - steps @ linear, axis=1)
        usual = max(np.median(distance), _SOFT_PX)
        weight = np.sqrt(1 / (1 + (distance / usual) ** 2))[:, None]
        # The smallest solution: a direction without neighbours stays as it is.
        before, linear = linear, np.linalg.lstsq(steps * weight, wrong * weight, rcond=1e-3)[0]
        if np.abs(linear - before).max() < 1e-6:
            break
    return nominal_px + (nominal_px - nominal_px.mean(axis=0)) @ linear


def _solve(count, pairs, deviations, weights):
    """Return the shift of each node that meets the differences between nodes best."""
    first, second = pairs.T
    nodes = np.concatenate([first, second])
    on_diagonal = np.bincount(nodes, np.concatenate([weights, weights]), minlength=count)
    matrix = scipy.sparse.coo_array(
        (
            np.concatenate([on_diagonal + _ANCHOR, -weights, -weights]),
            (
                np.concatenate([np.arange(count), first, second]),
                np.concatenate([np.arange(count), second, first]),
            ),
        ),
        shape=(count, count),
    ).tocsc()
    right = np.zeros((count, 2))
    np.add.at(right, second, weights[:, None] * deviations)
    np.add.at(right, first, -weights[:, None] * deviations)
    solver = scipy.sparse.linalg.splu(matrix)
    return solver.solve(right)


def _residuals(moved, pairs, deviations):
    return np.linalg.norm(moved[pairs[:, 1]] - moved[pairs[:, 0]] - deviations, axis=1)


def _connected_components(count, pairs):
    links = scipy.sparse.coo_array((np.ones(len(pairs)), tuple(pairs.T)), shape=(count, count))
    return scipy.sparse.csgraph.connected_components(links, directed=False)[1].astype(np.int64)


def _join_components(moved, group, pairs):
    """Shift whole components so that across their borders the nominal offsets hold on average."""
    across = pairs[group[pairs[:, 0]] != group[pairs[:, 1]]]
    if not len(across):
        return moved
    gaps = moved[across[:, 0]] - moved[across[:, 1]]
    shifts = _solve(group.max() + 1, group[across], gaps, np.ones(len(across)))
    return moved + shifts[group]
