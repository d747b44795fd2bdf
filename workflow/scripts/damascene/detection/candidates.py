"""Candidate sites of a panorama: clusters of dark pixels, their footprints and their geometry."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, KDTree

from damascene import InputError, tables
from damascene.detection.darkness import DarkRule, find_dark_pixels
from damascene.detection.dbscan import dbscan_pixels
from damascene.images.store import TiledImage
from damascene.images.tiles import DEFAULT_TILE_PX


def find_candidates(
    image: TiledImage,
    valid: TiledImage,
    *,
    panorama: str,
    dark: DarkRule,
    eps_px: float,
    min_samples: int,
    minimum_area_px: float,
    merge_distance_px: float,
    tile_px: int = DEFAULT_TILE_PX,
    threads: int = 1,
) -> pd.DataFrame:
    """Find the dark sites of a panorama.

    Dark pixels are clustered by density (DBSCAN) over the whole panorama and the holes of each
    cluster are filled, so that a particle left in an inclusion counts as part of it. Of clusters
    that belong together the largest is kept: those whose centroids are closer than
    `merge_distance_px`, and those whose centroid lies in the convex hull of a larger one, which
    are fragments of its rim.

    Parameters
    ----------
    image : TiledImage
        Grey values.
    valid : TiledImage
        255 where the panorama holds a measurement, 0 elsewhere; same shape. Invalid pixels are
        never dark.
    panorama : str
        Name for the first column.
    dark : FixedThreshold or RelativeThreshold
        Which pixels are dark.
    eps_px : float
        Largest distance between neighbours of DBSCAN, inclusive, at least 1.
    min_samples : int
        Dark pixels within `eps_px`, the pixel itself counted, that make it a core pixel.
    minimum_area_px : float
        A site has more pixels than this, holes counted.
    merge_distance_px : float
        Sites have centroids at least this far apart.
    tile_px, threads : int, optional
        Edge of the tiles read at a time and tiles worked on at the same time; no effect on the
        result.

    Returns
    -------
    pandas.DataFrame
        `tables.CANDIDATES`, in row-major order of the first dark pixel. Position, area and shape
        are those of the filled cluster, its pixels taken as squares; greys are those of its dark
        pixels alone. `touches_border` tells that a dark pixel lies at the border of the panorama
        or beside an invalid one, so that part of the site may be missing.

    Raises
    ------
    InputError
        If `eps_px` is below one pixel.

    References
    ----------
    Kusche et al., PLoS ONE 14(5) e0216493 (2019), https://doi.org/10.1371/journal.pone.0216493
    """
    # A length given in micrometres may miss a whole number of pixels by its last digit.
    eps_px = round(eps_px, 6)
    if eps_px < 1:
        raise InputError(
            f"{panorama}: the clustering distance is {eps_px:g} pixels at "
            f"{image.pixel_size_nm:g} nm per pixel, so that no pixel has a neighbour. "
            "Set it to one pixel or more."
        )
    pixels = find_dark_pixels(image, valid, dark=dark, threads=threads)
    labels = dbscan_pixels(pixels.rows, pixels.columns, eps=eps_px, min_samples=min_samples)
    order, site = _pixels_of_sites(pixels, labels, minimum_area_px=minimum_area_px)
    if not len(order):
        return tables.empty(tables.CANDIDATES)
    rows, columns, greys = pixels.rows[order], pixels.columns[order], pixels.greys[order]
    runs = _filled_runs(site, rows, columns)

    starts = np.flatnonzero(np.diff(site, prepend=-1))
    top, left = rows[starts], np.minimum.reduceat(columns, starts)
    bottom, right = np.maximum.reduceat(rows, starts), np.maximum.reduceat(columns, starts)
    at_border = (
        (top == 0)
        | (left == 0)
        | (bottom == image.shape[0] - 1)
        | (right == image.shape[1] - 1)
        | np.logical_or.reduceat(pixels.beside_invalid[order], starts)
    )
    geometry = _geometry(runs, top=top, left=left)
    area = geometry["area_px"]
    pixel_um = image.pixel_size_nm / 1000
    found = pd.DataFrame(
        {
            "panorama": panorama,
            **geometry,
            "area_um2": area * pixel_um**2,
            "equivalent_diameter_um": np.sqrt(4 * area / np.pi) * pixel_um,
            "left_px": left,
            "top_px": top,
            "width_px": right - left + 1,
            "height_px": bottom - top + 1,
            "mean_grey": np.add.reduceat(greys, starts, dtype=np.float64)
            / np.diff(starts, append=len(greys)),
            "minimum_grey": np.minimum.reduceat(greys, starts),
            "touches_border": at_border,
        }
    )
    kept = area > minimum_area_px
    kept[kept] = _leading(found[kept], runs.of(kept), merge_distance_px=merge_distance_px)
    found = found[kept]
    first_pixel = (rows[starts] * image.shape[1] + columns[starts])[kept]
    found = found.iloc[np.argsort(first_pixel)]
    found["site_id"] = np.arange(len(found))
    return tables.check(found, tables.CANDIDATES, source=f"candidates of {panorama}")


def _pixels_of_sites(pixels, labels, *, minimum_area_px):
    """Return the pixels of clusters that may be large enough, cluster by cluster.

    A filled cluster is no larger than its bounding box. The second array numbers the clusters
    without gaps, one value a pixel.
    """
    order = np.flatnonzero(labels >= 0)
    order = order[np.argsort(labels[order], kind="stable")]
    if not len(order):
        return order, order
    label = labels[order]
    starts = np.flatnonzero(np.diff(label, prepend=-1))
    rows, columns = pixels.rows[order], pixels.columns[order]
    height = np.maximum.reduceat(rows, starts) - rows[starts] + 1
    width = np.maximum.reduceat(columns, starts) - np.minimum.reduceat(columns, starts) + 1
    may_do = height * width > minimum_area_px
    number = np.cumsum(may_do) - 1
    kept = may_do[label]
    return order[kept], number[label[kept]]


@dataclass(frozen=True)
class _Runs:
    """Horizontal runs of pixels: site, row, first and last column (inclusive)."""

    site: np.ndarray
    row: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def of(self, kept):
        """Return the runs of the sites marked in `kept`, numbered anew."""
        chosen = kept[self.site]
        number = np.cumsum(kept) - 1
        return _Runs(
            number[self.site[chosen]], self.row[chosen], self.first[chosen], self.last[chosen]
        )


def _filled_runs(site, rows, columns):
    """Return the runs of clusters with their holes filled.

    `site`, `rows`, `columns` are sorted by cluster and within a cluster row-major. A hole is a set
    of gaps between the runs of a cluster, joined across rows through shared edges, from which no
    way leads out. Working on runs costs as much as there are dark pixels, however large a cluster.
    """
    new_line = (np.diff(site, prepend=-1) != 0) | (np.diff(rows, prepend=-1) != 0)
    starts = np.flatnonzero(new_line | (np.diff(columns, prepend=-1) != 1))
    ends = np.append(starts[1:], len(site)) - 1
    runs = _Runs(site[starts], rows[starts], columns[starts], columns[ends])

    # A line is one row of one cluster.
    line = np.cumsum(new_line)[starts] - 1
    line_starts = np.flatnonzero(new_line[starts])
    line_site, line_row = runs.site[line_starts], runs.row[line_starts]
    line_first = runs.first[line_starts]
    line_last = runs.last[np.append(line_starts[1:], len(starts)) - 1]

    before = np.flatnonzero(line[1:] == line[:-1])
    gap_line = line[before]
    gap = _Runs(
        runs.site[before], runs.row[before], runs.last[before] + 1, runs.first[before + 1] - 1
    )

    def beside(step):
        """Tell which gaps have a line of their cluster in the next row, and which lead out."""
        other = np.clip(gap_line + step, 0, len(line_row) - 1)
        faces = (line_site[other] == gap.site) & (line_row[other] == gap.row + step)
        leaves = ~faces | (gap.first < line_first[other]) | (gap.last > line_last[other])
        return faces, leaves

    _, leaves_up = beside(-1)
    faces_down, leaves_down = beside(1)
    upper, lower = _overlaps(gap, gap_line, np.flatnonzero(faces_down))
    # One node more than there are gaps stands for the outside.
    outside = len(before)
    leaving = np.flatnonzero(leaves_up | leaves_down)
    first = np.concatenate([upper, leaving])
    second = np.concatenate([lower, np.full(len(leaving), outside)])
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(outside + 1,) * 2)
    component = connected_components(graph, directed=False)[1]
    hole = component[:outside] != component[outside]
    return _Runs(
        *(
            np.concatenate([getattr(runs, name), getattr(gap, name)[hole]])
            for name in ("site", "row", "first", "last")
        )
    )


def _overlaps(gap, gap_line, upper):
    """Return pairs of gaps that share an edge, the upper one from `upper`.

    The gaps of a line are apart and in order, so those under a gap are a range of the next line.
    """
    stride = int(gap.last.max(initial=0)) + 1
    below = (gap_line[upper] + 1) * stride
    begin = np.searchsorted(gap_line * stride + gap.last, below + gap.first[upper])
    end = np.searchsorted(gap_line * stride + gap.first, below + gap.last[upper], side="right")
    count = end - begin
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(upper, count), np.repeat(begin, count) + within


def _geometry(runs, *, top, left):
    """Return area, centroid, aspect ratio and orientation of each site from its runs."""

    def total(values):
        return np.bincount(runs.site, weights=values, minlength=len(top))

    # Counted from the corner of the site, the sums stay small and exact.
    y = runs.row - top[runs.site]
    first, last = runs.first - left[runs.site], runs.last - left[runs.site]
    count = last - first + 1
    run_x = (first + last) * count / 2
    area = total(count)
    mean_x, mean_y = total(run_x) / area, total(count * y) / area
    # A pixel is a square: 1/12 is its own second moment, and no line is infinitely thin.
    xx = total(_sum_of_squares(last) - _sum_of_squares(first - 1)) / area - mean_x**2 + 1 / 12
    yy = total(count * y * y) / area - mean_y**2 + 1 / 12
    xy = total(run_x * y) / area - mean_x * mean_y
    mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    orientation = np.degrees(np.arctan2(2 * xy, xx - yy) / 2)
    return {
        "x_px": mean_x + left,
        "y_px": mean_y + top,
        "area_px": area.astype(np.int64),
        "aspect_ratio": np.sqrt((mean + spread) / (mean - spread)),
        "orientation_deg": np.where(orientation >= 90, orientation - 180, orientation),
    }


def _sum_of_squares(last):
    return last * (last + 1) * (2 * last + 1) / 6


def _leading(found, runs, *, merge_distance_px):
    """Mark the sites that do not belong to a larger one.

    From the largest down (the first in order at equal area), a site that is kept drops the smaller
    ones that are close to it or lie in its hull; a site that is dropped drops none.
    """
    position = found[["x_px", "y_px"]].to_numpy()
    by_size = np.lexsort((found["left_px"], found["top_px"], -found["area_px"]))
    rank = np.empty(len(found), np.int64)
    rank[by_size] = np.arange(len(found))
    tree = KDTree(position)
    close = tree.query_pairs(merge_distance_px, output_type="ndarray").reshape(-1, 2)
    distance = np.linalg.norm(position[close[:, 0]] - position[close[:, 1]], axis=1)
    pairs = np.concatenate(
        [close[distance < merge_distance_px], _enclosed(found, runs, tree, rank=rank)]
    )
    larger_first = np.where(rank[pairs[:, :1]] < rank[pairs[:, 1:]], pairs, pairs[:, ::-1])
    kept = np.ones(len(found), bool)
    for larger, smaller in larger_first[np.argsort(rank[larger_first[:, 0]], kind="stable")]:
        if kept[larger]:
            kept[smaller] = False
    return kept


def _enclosed(found, runs, tree, *, rank):
    """Return pairs (larger, smaller) where a centroid lies in the convex hull of a larger site."""
    size = found[["width_px", "height_px"]].to_numpy()
    corner = found[["left_px", "top_px"]].to_numpy() - 0.5
    half = size / 2
    near = tree.query_ball_point(corner + half, half.max(axis=1), p=np.inf)
    order = np.argsort(runs.site, kind="stable")
    bounds = np.searchsorted(runs.site[order], np.arange(len(found) + 1))
    pairs = [np.empty((0, 2), np.int64)]
    for larger, members in enumerate(near):
        smaller = np.array([member for member in members if rank[member] > rank[larger]], np.int64)
        if not len(smaller):
            continue
        mine = order[bounds[larger] : bounds[larger + 1]]
        inside = smaller[
            _in_hull(
                tree.data[smaller],
                first=runs.first[mine],
                last=runs.last[mine],
                row=runs.row[mine],
            )
        ]
        pairs.append(np.column_stack([np.full(len(inside), larger), inside]))
    return np.concatenate(pairs)


def _in_hull(points, *, first, last, row):
    """Tell which points lie in the convex hull of runs of square pixels."""
    left, right, upper, lower = first - 0.5, last + 0.5, row - 0.5, row + 0.5
    x = np.concatenate([left, left, right, right])
    y = np.concatenate([upper, lower, upper, lower])
    faces = ConvexHull(np.column_stack([x, y])).equations
    return (points @ faces[:, :2].T + faces[:, 2] <= 1e-9).all(axis=1)
