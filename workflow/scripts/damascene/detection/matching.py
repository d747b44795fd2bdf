"""Which found site is which known one: a true site of the simulator, or a person's label."""

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from skimage.measure import points_in_poly


def match_to_outlines(
    candidates: pd.DataFrame, truth: pd.DataFrame, *, tolerance_px: float
) -> pd.DataFrame:
    """Pair found sites with true sites, one to one.

    A pair is possible where the centroid of the found site lies in the true outline grown by the
    tolerance, or the true centre in the bounding box of the found site grown by it. Of all
    assignments with the most pairs the one with the least sum of distances is taken.

    Parameters
    ----------
    candidates : pandas.DataFrame
        `CANDIDATES` of one panorama.
    truth : pandas.DataFrame
        `TRUTH` of the same panorama.
    tolerance_px : float

    Returns
    -------
    pandas.DataFrame
        Columns site_id, truth_id (int64) and distance_px between the centres, one row per pair, by
        site_id.
    """
    site, known = _possible_pairs(candidates, truth, tolerance_px=tolerance_px)
    distance = np.linalg.norm(
        candidates[["x_px", "y_px"]].to_numpy()[site] - truth[["x_px", "y_px"]].to_numpy()[known],
        axis=1,
    )
    chosen = _assigned(site, known, distance, sites=len(candidates), known_sites=len(truth))
    pairs = pd.DataFrame(
        {
            "site_id": candidates["site_id"].to_numpy(np.int64)[site[chosen]],
            "truth_id": truth["truth_id"].to_numpy(np.int64)[known[chosen]],
            "distance_px": distance[chosen],
        }
    )
    return pairs.sort_values("site_id", ignore_index=True)


def _possible_pairs(candidates, truth, *, tolerance_px):
    """Return row numbers of candidates and of truth that may be the same site."""
    site_xy = candidates[["x_px", "y_px"]].to_numpy(float)
    known_xy = truth[["x_px", "y_px"]].to_numpy(float)
    in_box = _in_boxes(known_xy, candidates, tolerance_px=tolerance_px)
    pairs = [np.column_stack(in_box)]
    if len(candidates) and len(truth):
        tree = KDTree(site_xy)
        reach = [
            max(np.ptp(x), np.ptp(y)) + tolerance_px
            for x, y in zip(truth["outline_x_px"], truth["outline_y_px"], strict=True)
        ]
        outlines = zip(truth["outline_x_px"], truth["outline_y_px"], strict=True)
        near = tree.query_ball_point(known_xy, reach, p=np.inf)
        for known, ((x, y), members) in enumerate(zip(outlines, near, strict=True)):
            members = np.array(members, np.int64)
            outline = np.column_stack([x, y]).astype(float)
            inside = members[_in_grown(site_xy[members], outline, margin=tolerance_px)]
            pairs.append(np.column_stack([inside, np.full(len(inside), known)]))
    site, known = np.unique(np.concatenate(pairs), axis=0).T
    return site, known


def _in_boxes(points, candidates, *, tolerance_px):
    """Return all pairs (row of a candidate, point) where the grown box holds the point."""
    if not len(points) or not len(candidates):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    size = candidates[["width_px", "height_px"]].to_numpy(float)
    # Edges of the pixels, not their centres.
    centre = candidates[["left_px", "top_px"]].to_numpy(float) - 0.5 + size / 2
    half = size / 2 + tolerance_px
    near = KDTree(points).query_ball_point(centre, half.max(axis=1), p=np.inf)
    site = np.repeat(np.arange(len(candidates)), [len(members) for members in near])
    point = np.fromiter((member for members in near for member in members), np.int64, len(site))
    inside = (np.abs(points[point] - centre[site]) <= half[site]).all(axis=1)
    return site[inside], point[inside]


def _in_grown(points, outline, *, margin):
    """Tell which points lie in a closed polygon or at most `margin` away from it."""
    if not len(points):
        return np.zeros(0, bool)
    ends = np.roll(outline, -1, axis=0)
    along = ends - outline
    length = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    offset = points[:, None] - outline
    fraction = np.clip((offset * along).sum(axis=2) / length, 0, 1)
    distance = np.linalg.norm(offset - fraction[..., None] * along, axis=2).min(axis=1)
    return (distance <= margin) | points_in_poly(points, outline)


def _assigned(site, known, distance, *, sites, known_sites):
    """Mark the pairs of the assignment with most pairs, then least distance."""
    chosen = np.zeros(len(site), bool)
    graph = coo_array(
        (np.ones(len(site), bool), (site, sites + known)), shape=(sites + known_sites,) * 2
    )
    # Sites that compete form small groups; each is solved by itself, so that cost stays linear.
    group = connected_components(graph, directed=False)[1][site]
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(members) <= 1:
            chosen[members] = True
            continue
        row_names, rows = np.unique(site[members], return_inverse=True)
        column_names, columns = np.unique(known[members], return_inverse=True)
        # A pair that is not possible costs more than all possible ones together.
        forbidden = distance[members].sum() + 1
        cost = np.full((len(row_names), len(column_names)), forbidden)
        cost[rows, columns] = distance[members]
        taken = np.zeros(cost.shape, bool)
        taken[linear_sum_assignment(cost)] = True
        chosen[members] = taken[rows, columns]
    return chosen


def match_points(
    points_xy: np.ndarray, candidates: pd.DataFrame, *, tolerance_px: float
) -> np.ndarray:
    """Return the candidate that each labelled position means.

    A position belongs to the candidate whose bounding box, grown by the tolerance, holds it; of
    several, to the one with the nearest centroid. Two positions may belong to one candidate.

    Parameters
    ----------
    points_xy : numpy.ndarray, float, shape (points, 2)
        x_px and y_px.
    candidates : pandas.DataFrame
        `CANDIDATES` of one panorama.
    tolerance_px : float

    Returns
    -------
    numpy.ndarray, int64, shape (points,)
        site_id, or -1 where no candidate is near.
    """
    points = np.asarray(points_xy, float).reshape(-1, 2)
    site, point = _in_boxes(points, candidates, tolerance_px=tolerance_px)
    centroids = candidates[["x_px", "y_px"]].to_numpy(float)
    distance = np.linalg.norm(points[point] - centroids[site], axis=1)
    # Farthest first: the nearest, and among equals the first candidate, is written last.
    order = np.lexsort((-site, -distance))
    matched = np.full(len(points), -1, np.int64)
    matched[point[order]] = candidates["site_id"].to_numpy(np.int64)[site[order]]
    return matched
