"""Pieces of one particle: clusters that are close for the size of the site they lie beside.

A particle that broke stands in its cavity, and what is seen of the cavity are pieces round the
remnants. Their centroids are far apart, but the gaps between them are narrow for the size of the
whole. Damage beside a particle has steel in between.
"""

import numpy as np
from scipy.spatial import KDTree

from damascene.clustering.runs import Runs
from damascene.detection.clusters import Clusters

# In diameters of the circle of the same area: of the site, the widest gap between its pieces; of
# its largest piece, how far the centroid of any other lies from its own. A crowd of dark spots is
# no particle, and without this bound it would become one.
_WIDEST_GAP = 0.25
_FARTHEST = 2.0
# Part of the area of the largest piece above which another leads on to further ones: specks do not.
_LEADS_ON = 0.1


def footprint_owners(clusters: Clusters, owner: np.ndarray, *, distance_px: float) -> np.ndarray:
    """Let sites take the smaller ones that lie beside them, and grow by these.

    From the largest down, a site takes each smaller one whose gap to it is at most a quarter of the
    diameter of the site, and no wider than the distance. Gaps count from its largest piece and from
    those of at least a tenth of that. With what it took it is larger, and looks again until nothing
    more is near enough; it does not reach beyond two diameters of its largest piece. The result
    does not depend on the order of looking.

    Parameters
    ----------
    clusters : Clusters
    owner : numpy.ndarray, int64, shape (clusters,)
        The leading cluster of the site that each belongs to, -1 for none.
    distance_px : float
        Widest gap between pieces of a site of any size.

    Returns
    -------
    numpy.ndarray, int64, shape (clusters,)
        The same after sites took others.
    """
    leads = np.flatnonzero(owner == np.arange(len(owner)))
    near = _near(clusters, leads, distance_px=distance_px)
    area = clusters.measures["area_px"]
    centroid = np.column_stack([clusters.measures["x_px"], clusters.measures["y_px"]])
    taken = np.arange(len(owner))
    # Of equal ones the upper left leads, as clusters are in that order.
    for lead in sorted(near, key=lambda number: (-area[number], number)):
        if taken[lead] != lead:
            continue
        pieces, beside = [lead], dict(near[lead])
        farthest = _FARTHEST * _diameter(area[lead])
        more = [lead]
        while more:
            widest = min(_WIDEST_GAP * _diameter(area[pieces].sum()), distance_px)
            more = [
                other
                for other, gap in beside.items()
                if gap <= widest
                and taken[other] == other
                and (-area[other], other) > (-area[lead], lead)
                and np.hypot(*(centroid[other] - centroid[lead])) <= farthest
            ]
            for other in more:
                taken[other] = lead
                pieces.append(other)
                if area[other] >= _LEADS_ON * area[lead]:
                    for further, gap in near[other].items():
                        beside[further] = min(gap, beside.get(further, gap))
    return np.where(owner < 0, -1, taken[owner])


def _diameter(area):
    return np.sqrt(4 * area / np.pi)


def _near(clusters, leads, *, distance_px):
    """Return for each site that has others within the distance their gaps: {site: {other: gap}}."""
    measures = {name: values[leads] for name, values in clusters.measures.items()}
    first, second = _close_boxes(measures, distance_px=distance_px)
    near = {}
    if not len(first):
        return near
    order = np.argsort(clusters.run_cluster, kind="stable")
    begin = np.searchsorted(clusters.run_cluster[order], leads)
    end = np.searchsorted(clusters.run_cluster[order], leads, side="right")

    def runs_of(number):
        return clusters.runs[order[begin[number] : end[number]]].astype(np.int64)

    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        gap = gap_px(runs_of(one), runs_of(other), most=distance_px)
        if gap <= distance_px:
            for here, there in ((leads[one], leads[other]), (leads[other], leads[one])):
                near.setdefault(int(here), {})[int(there)] = gap
    return near


def _close_boxes(measures, *, distance_px):
    """Return pairs of sites with bounding boxes within a distance."""
    none = np.empty(0, np.int64)
    if not len(measures["area_px"]):
        return none, none
    size = np.column_stack([measures["width_px"], measures["height_px"]])
    corner = np.column_stack([measures["left_px"], measures["top_px"]])
    centre = corner + size / 2
    # The longer one of a pair reaches the centre of the other within its own length.
    reach = size.max(axis=1) + distance_px + 1
    found = KDTree(centre).query_ball_point(centre, reach, p=np.inf)
    first = np.repeat(np.arange(len(size)), [len(members) for members in found])
    second = np.concatenate([np.array(members, np.int64) for members in found])
    pairs = np.unique(np.sort(np.column_stack([first, second])[first != second], axis=1), axis=0)
    first, second = pairs.T
    # Pixels side by side are at a distance of 1.
    apart = abs(centre[first] - centre[second]) - (size[first] + size[second]) / 2 + 1
    close = np.linalg.norm(np.maximum(apart, 0), axis=1) <= distance_px
    return first[close], second[close]


def gap_px(one: Runs, other: Runs, *, most: float) -> float:
    """Return the least distance between the pixels of two sites, infinite if it is above `most`."""
    parts = [one, other]
    for number in (0, 1, 0):
        # Only what lies near the other matters: few runs, however large the sites.
        box, runs = parts[1 - number], parts[number]
        if not len(box.row):
            return np.inf
        parts[number] = runs[
            (runs.row >= box.row.min() - most)
            & (runs.row <= box.row.max() + most)
            & (runs.last >= box.first.min() - most)
            & (runs.first <= box.last.max() + most)
        ]
    one, other = parts
    if not len(one.row) or not len(other.row):
        return np.inf
    rows = abs(one.row[:, None] - other.row)
    columns = np.maximum(one.first[:, None] - other.last, other.first - one.last[:, None])
    gap = float(np.sqrt((rows**2 + np.maximum(columns, 0) ** 2).min()))
    return gap if gap <= most else np.inf
