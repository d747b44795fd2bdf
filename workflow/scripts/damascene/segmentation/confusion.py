"""How well two phase maps agree: counts of pixels by true and assigned phase, and what follows."""

import numpy as np


def phase_confusion(truth: np.ndarray, assigned: np.ndarray, *, phase_count: int) -> np.ndarray:
    """Count pixels by their true and their assigned phase.

    Parameters
    ----------
    truth, assigned : numpy.ndarray, uint8, of one shape
        Numbers of the phases from 1; pixels with 0 in either of them are left out.
    phase_count : int

    Returns
    -------
    numpy.ndarray, int64, shape (phase_count, phase_count)
        Rows are true phases.
    """
    edge = phase_count + 1
    pairs = np.bincount(
        truth.ravel().astype(np.int64) * edge + assigned.ravel(), minlength=edge * edge
    )
    return pairs.reshape(edge, edge)[1:, 1:]


def phase_iou(confusion: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each phase.

    Parameters
    ----------
    confusion : numpy.ndarray, int, shape (..., phases, phases)
        From `phase_confusion`.

    Returns
    -------
    numpy.ndarray, float, shape (..., phases)
        NaN for a phase that is neither true nor assigned anywhere.
    """
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(float)
    union = confusion.sum(axis=-1) + confusion.sum(axis=-2) - hits
    return np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)


def mean_iou(confusion: np.ndarray) -> np.ndarray:
    """Return the mean of `phase_iou` over the phases that are true somewhere, NaN without any.

    A phase that is assigned but nowhere true does not count by itself: its pixels are missing from
    the phases that they were taken from.
    """
    present = confusion.sum(axis=-1) > 0
    total = np.where(present, phase_iou(confusion), 0).sum(axis=-1)
    return np.divide(
        total, present.sum(axis=-1), out=np.full(total.shape, np.nan), where=present.any(axis=-1)
    )
