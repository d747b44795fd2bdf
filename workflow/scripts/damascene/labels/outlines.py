"""Find a reviewed site again among candidates, which other parameters may have found otherwise."""

import numpy as np
import pandas as pd

from damascene.contracts.labels import LARGER_CANDIDATE, NO_CANDIDATE, TWO_CANDIDATES
from damascene.detection.matching import match_points
from damascene.labels.kept import BOX, has_box

# Boxes of one site found by two sets of parameters share at least this part of what both cover: a
# tenth, as where a site grew threefold along each edge.
_SAME = 0.1
# A second candidate that fits at least so well, in parts of the first, leaves open which is meant.
_AS_WELL = 0.5


def find_again(
    answers: pd.DataFrame, candidates: pd.DataFrame, *, tolerance_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidate that each answer of a panorama means, and how it was found.

    An answer with the box of the site that was reviewed belongs to the candidate whose box fits it
    best (intersection over union), if it fits at all. Of two that fit about as well, it belongs to
    the only one that holds the position, or to neither. Where no box fits, it belongs to the
    nearest centroid within the tolerance. An answer without a box is matched by its position alone
    (`match_points`).

    Parameters
    ----------
    answers : pandas.DataFrame
        With `x_px`, `y_px` and the columns of the box, NaN where there is none.
    candidates : pandas.DataFrame
        `CANDIDATES` of the panorama.
    tolerance_px : float
        How far outside a box a position may lie, and how far a centroid may move.

    Returns
    -------
    site_id : numpy.ndarray, int64, shape (answers,)
        -1 where there is none.
    how : numpy.ndarray of str
        `TIES` or `REASONS` of `contracts.labels`.
    """
    points = answers[["x_px", "y_px"]].to_numpy(float)
    site_id = match_points(points, candidates, tolerance_px=tolerance_px)
    how = np.where(site_id < 0, NO_CANDIDATE, "position").astype(object)
    boxes = candidates[BOX].to_numpy(float)
    centroids = candidates[["x_px", "y_px"]].to_numpy(float)
    ids = candidates["site_id"].to_numpy(np.int64)
    for row in np.flatnonzero(has_box(answers).to_numpy()):
        chosen, how[row] = _fitting(
            answers[BOX].iloc[row].to_numpy(float),
            points[row],
            boxes,
            centroids,
            tolerance_px=tolerance_px,
        )
        site_id[row] = -1 if chosen is None else ids[chosen]
    return site_id, how


def _fitting(box, point, boxes, centroids, *, tolerance_px):
    """Return the row of the candidate that a box means, None for none, and how it was found."""
    fit = box_overlap(box, boxes)
    near = np.flatnonzero(fit >= _SAME)
    fitting = near[np.argsort(-fit[near], kind="stable")][:2]
    if len(fitting) == 2 and fit[fitting[1]] >= _AS_WELL * fit[fitting[0]]:
        corners = boxes[fitting, :2] - 0.5
        holds = ((point >= corners) & (point <= corners + boxes[fitting, 2:])).all(axis=1)
        if holds.sum() != 1:
            return None, TWO_CANDIDATES
        return fitting[int(np.flatnonzero(holds)[0])], "outline"
    if len(fitting):
        return fitting[0], "outline"
    if len(centroids):
        distance = np.linalg.norm(centroids - point, axis=1)
        nearest = int(np.argmin(distance))
        if distance[nearest] <= tolerance_px:
            return nearest, "position"
    return None, LARGER_CANDIDATE if (fit > 0).any() else NO_CANDIDATE


def box_overlap(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the intersection over the union of a box with each of others.

    Parameters
    ----------
    box : numpy.ndarray, float, shape (4,)
        Left, top, width and height in pixels.
    boxes : numpy.ndarray, float, shape (n, 4)

    Returns
    -------
    numpy.ndarray, float64, shape (n,)
        Between 0 and 1.
    """
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared / (boxes[:, 2:].prod(axis=1) + box[2:].prod() - shared)
