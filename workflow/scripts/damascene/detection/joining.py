"""From clusters to sites that consist of one or several of them."""

from dataclasses import dataclass

import numpy as np

from damascene.clustering.geometry import shapes
from damascene.clustering.runs import Runs, united
from damascene.detection.clusters import Clusters

# What follows from the pixels of a site.
_SHAPE = ("x_px", "y_px", "area_px", "aspect_ratio", "orientation_deg", "convexity")


@dataclass(frozen=True, kw_only=True)
class Sites:
    """The sites of a panorama, in row-major order of the first pixel.

    Attributes
    ----------
    measures : dict of numpy.ndarray, shape (sites,)
        Columns of `CANDIDATES` in pixels and greys.
    runs : Runs
        Their pixels, holes among them if these count; sorted by site, then row-major.
    run_site : numpy.ndarray, int64, shape (runs,)
        The site of each run.
    """

    measures: dict[str, np.ndarray]
    runs: Runs
    run_site: np.ndarray


def join_clusters(clusters: Clusters, owner: np.ndarray) -> Sites:
    """Join clusters to sites; a site has all pixels of its clusters and is measured with them.

    Parameters
    ----------
    clusters : Clusters
    owner : numpy.ndarray, int64, shape (clusters,)
        The leading cluster of the site that each belongs to, -1 for none.
    """
    measures = clusters.measures
    members = np.flatnonzero(owner >= 0)
    members = members[np.argsort(owner[members], kind="stable")]
    first = np.flatnonzero(np.diff(owner[members], prepend=-1))
    fragments = np.diff(np.append(first, len(members)))
    if not len(members):
        runs, run_site = united(clusters.runs[:0], clusters.run_cluster[:0])
        return Sites(measures={}, runs=runs, run_site=run_site)

    def of_sites(function, name):
        return function.reduceat(measures[name][members], first)

    order = np.argsort(of_sites(np.minimum, "first_pixel"), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    site = np.full(len(owner), -1)
    site[members] = np.repeat(number, fragments)
    run_site = site[clusters.run_cluster]
    runs, run_site = united(clusters.runs[run_site >= 0], run_site[run_site >= 0])

    left, top = of_sites(np.minimum, "left_px"), of_sites(np.minimum, "top_px")
    right = np.maximum.reduceat((measures["left_px"] + measures["width_px"])[members], first)
    bottom = np.maximum.reduceat((measures["top_px"] + measures["height_px"])[members], first)
    dark_px = of_sites(np.add, "dark_px")
    mean_grey = of_sites(np.add, "grey_sum") / np.maximum(dark_px, 1)
    # What only one cluster has stays as it is.
    leading = owner[members[first]]
    joined = {name: measures[name][leading][order] for name in _SHAPE} | {
        name: values[order]
        for name, values in {
            "fragments": fragments,
            "left_px": left,
            "top_px": top,
            "width_px": right - left,
            "height_px": bottom - top,
            "mean_grey": np.where(dark_px > 0, mean_grey, 255),
            "minimum_grey": of_sites(np.minimum, "minimum_grey"),
            "touches_border": of_sites(np.logical_or, "touches_border"),
            "touches_mask": of_sites(np.logical_or, "touches_mask"),
        }.items()
    }
    several = np.flatnonzero(joined["fragments"] > 1)
    if len(several):
        place = np.full(len(order), -1)
        place[several] = np.arange(len(several))
        chosen = place[run_site] >= 0
        shape = shapes(runs[chosen], place[run_site[chosen]])
        for name in _SHAPE:
            joined[name][several] = shape[name]
    return Sites(measures=joined, runs=runs, run_site=run_site)
