"""Clusters of dark pixels in a panorama of any size.

The panorama is read in strips. Each step takes an iterator of strips and hands one on: dark pixels
(`darkness`), holes filled in their mask (`clustering.filling`), components that are complete
(`clustering.connected_components`). Within complete components DBSCAN is exact, so clusters are
measured there and their pixels forgotten. Memory follows the dark pixels of a strip, the components
still open, and a few numbers per cluster; strips of any height give the same clusters.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from damascene.clustering.connected_components import complete_components
from damascene.clustering.dbscan import cluster_pixels, neighbour_half_widths
from damascene.clustering.filling import fill_strips, holes_of_sites
from damascene.clustering.geometry import Hulls, hulls_of, moments
from damascene.clustering.pixels import FILLED, DarkPixels, Pixels, Strips
from damascene.clustering.runs import Runs, joined, linked_runs, run_starts, runs_of
from damascene.contracts.candidates import CANDIDATES
from damascene.detection.darkness import dark_pixels_by_strip
from damascene.detection.parameters import DetectionParameters
from damascene.detection.published import cluster_again
from damascene.images.store import TiledImage
from damascene.images.tiles import WHOLE

#: Rows read at a time: two rows of stored tiles.
STRIP_ROWS = 1024
# Half widths of the eight neighbours of a pixel.
_EIGHT = np.array([1, 1])
# Grey values; two phases differ by more than this.
_LEAST_STEP = 1.0


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Clusters (or blobs) of dark pixels, before any are dropped or joined to sites.

    Parameters
    ----------
    measures : dict of numpy.ndarray, shape (clusters,)
        Columns of `CANDIDATES` in pixels and greys, in row-major order of the first pixel,
        with `first_pixel` and `order`: sorted by `order`, clusters are in the order of
        scikit-learn's labels. Greys are those of dark pixels, not of filled ones; 255 where a
        cluster holds no dark pixel, which takes a hole much wider than its rim. `dark_px` and
        `grey_sum`: number of these pixels and sum of their greys. `edge`, where the
        pixels know their surroundings: how much brighter these are than the dark pixels, in steps
        from ferrite to martensite; infinite if nothing around is valid. Empty without clusters.
    hulls : Hulls
        Convex hulls of the same clusters.
    runs : Runs
        int32; the pixels of the same clusters with their holes, if these count, in any order.
    run_cluster : numpy.ndarray, int32, shape (runs,)
        The cluster of each run.
    dark_pixels, filled_pixels, noise_pixels : int
        Dark pixels, pixels filled before clustering, and those of both that no cluster took.
    found : int
        All clusters, also those too small to be in `measures`.
    """

    measures: dict[str, np.ndarray]
    hulls: Hulls
    runs: Runs
    run_cluster: np.ndarray
    dark_pixels: int
    filled_pixels: int
    noise_pixels: int
    found: int


def find_clusters(
    image: TiledImage,
    valid: TiledImage,
    *,
    parameters: DetectionParameters,
    tile_px: int = STRIP_ROWS,
    threads: int = 1,
) -> Clusters:
    """Find the clusters of dark pixels of a panorama.

    Parameters
    ----------
    image : TiledImage
        Grey values.
    valid : TiledImage
        Codes of `images.valid_area`; same shape. Invalid pixels are never dark.
    parameters : DetectionParameters
        All but the parameters of edges, of merging and of rim fragments. Clusters of no more than
        `minimum_area_px` are counted, not kept.
    tile_px, threads : int, optional
        Rows read at a time and tiles worked on at the same time; no effect on the result.

    Returns
    -------
    Clusters
    """
    dark = find_dark_pixels(image, valid, parameters=parameters, tile_px=tile_px, threads=threads)
    height = image.shape[0]
    strips = (
        (Pixels.of(pixels), min((number + 1) * tile_px, height))
        for number, pixels in enumerate(dark)
    )
    return clusters_of_strips(strips, shape=image.shape, parameters=parameters)


def find_dark_pixels(
    image: TiledImage,
    valid: TiledImage,
    *,
    parameters: DetectionParameters,
    tile_px: int = STRIP_ROWS,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[DarkPixels]:
    """Yield the dark pixels of a panorama strip by strip, or those of one of its strips.

    Parameters as for `find_clusters`; `strip` as for `images.tiles.strip_slice`.
    """
    return dark_pixels_by_strip(
        image,
        valid,
        dark=parameters.dark,
        strip_rows=tile_px,
        around_px=parameters.around_px,
        threads=threads,
        strip=strip,
    )


def clusters_of_strips(
    strips: Strips, *, shape: tuple[int, int], parameters: DetectionParameters
) -> Clusters:
    """Cluster dark pixels that come in strips; see `find_clusters`."""
    counts = {"dark_pixels": 0, "filled_pixels": 0, "noise_pixels": 0, "found": 0}
    parts = []
    for pixels in _components(strips, height=shape[0], parameters=parameters):
        labels, is_core = _labels(pixels, parameters)
        filled = int((pixels.greys == FILLED).sum())
        counts["dark_pixels"] += len(pixels) - filled
        counts["filled_pixels"] += filled
        counts["noise_pixels"] += int((labels < 0).sum())
        counts["found"] += int(labels.max(initial=-1)) + 1
        parts.append(_measured(pixels, labels, is_core, shape=shape, parameters=parameters))
    return Clusters(**_in_order(parts), **counts)


def _components(strips, *, height, parameters) -> Iterator[Pixels]:
    if parameters.fill_holes == "before":
        strips = fill_strips(strips, height=height)
    half_widths = neighbour_half_widths(parameters.eps_px, metric=parameters.metric)
    if parameters.sites == "blobs" and (len(half_widths) == 1 or half_widths[1] < 1):
        # Blobs join pixels across corners, where DBSCAN with a short reach may not.
        half_widths = _EIGHT
    return complete_components(strips, half_widths=half_widths)


def _labels(pixels, parameters):
    """Return the site of each pixel, -1 for none, and which pixels count for the order of sites."""
    options = {
        "eps": parameters.eps_px,
        "min_samples": parameters.min_samples,
        "metric": parameters.metric,
    }
    labels, is_core = cluster_pixels(pixels.rows, pixels.columns, **options)
    if parameters.passes > 1:
        places = {"rows": pixels.rows, "columns": pixels.columns}
        cluster_again(labels, is_core, **places, passes=parameters.passes, **options)
    if parameters.sites == "blobs":
        is_core = labels >= 0
        runs = runs_of(pixels.rows[is_core], pixels.columns[is_core])
        blob = joined(*linked_runs(runs, half_widths=_EIGHT), nodes=len(runs.row))
        labels[is_core] = np.repeat(blob, runs.length)
    return labels, is_core


def _measured(pixels, labels, is_core, *, shape, parameters):
    """Return measures, hulls, pixels and their cluster of the clusters that are large enough."""
    starts = run_starts(pixels.rows, pixels.columns)
    starts[1:] |= labels[1:] != labels[:-1]
    starts = np.flatnonzero(starts)
    ends = np.append(starts[1:], len(pixels)) - 1 if len(starts) else starts
    by_site = np.argsort(labels[starts], kind="stable")
    by_site = by_site[np.searchsorted(labels[starts[by_site]], 0) :]
    site = labels[starts[by_site]]
    runs = Runs(row=pixels.rows[starts], first=pixels.columns[starts], last=pixels.columns[ends])
    runs = runs[by_site]
    kept, holes, hole_site = _large_enough(runs, site, parameters=parameters)
    if not kept.any():
        return None
    number = np.cumsum(kept) - 1
    chosen = kept[site]
    runs, site, by_site = runs[chosen], number[site[chosen]], by_site[chosen]
    chosen = kept[hole_site]
    holes, hole_site = holes[chosen], number[hole_site[chosen]]

    first = np.flatnonzero(np.diff(site, prepend=-1))
    top, bottom = runs.row[first], runs.row[np.append(first[1:], len(site)) - 1]
    left, right = np.minimum.reduceat(runs.first, first), np.maximum.reduceat(runs.last, first)
    filled, filled_site = runs.followed_by(holes), np.concatenate([site, hole_site])
    geometry = moments(filled, filled_site, top=top, left=left)
    hulls = hulls_of(runs, site)
    cores = np.flatnonzero(is_core)[::-1]
    first_core = np.empty(len(kept), np.int64)
    # Backwards, so that the first core pixel of a cluster is the one that is written last.
    first_core[labels[cores]] = pixels.rows[cores] * shape[1] + pixels.columns[cores]

    def of_sites(function, values):
        return function.reduceat(function.reduceat(values, starts)[by_site], first)

    is_dark = pixels.greys != FILLED
    dark_area = of_sites(np.add, is_dark.astype(np.int64))
    grey_sum = of_sites(np.add, np.where(is_dark, pixels.greys, 0).astype(np.int64))
    mean_grey = np.where(dark_area > 0, grey_sum / np.maximum(dark_area, 1), 255)
    edge = {}
    if pixels.around is not None:
        # Sums of whole numbers and a maximum: the same in any order.
        total, number = (of_sites(np.add, pixels.around[:, i].astype(np.int64)) for i in (0, 1))
        step = np.maximum(of_sites(np.maximum, pixels.around[:, 2]), _LEAST_STEP)
        rise = total / np.maximum(number, 1) - mean_grey
        edge["edge"] = np.where(number > 0, rise / step, np.inf)
    measures = {
        **geometry,
        **edge,
        "convexity": geometry["area_px"] / hulls.areas(len(first)),
        "left_px": left,
        "top_px": top,
        "width_px": right - left + 1,
        "height_px": bottom - top + 1,
        "dark_px": dark_area,
        "grey_sum": grey_sum,
        "mean_grey": mean_grey,
        "minimum_grey": of_sites(np.minimum, np.where(is_dark, pixels.greys, 255)),
        "touches_border": (
            (top == 0) | (left == 0) | (bottom == shape[0] - 1) | (right == shape[1] - 1)
        ),
        "touches_mask": of_sites(np.logical_or, pixels.beside_invalid),
        "first_pixel": top * shape[1] + runs.first[first],
        "order": first_core[kept],
    }
    # They wait until the end of the panorama: half the memory.
    return measures, hulls, filled.astype(np.int32), filled_site.astype(np.int32)


def _large_enough(runs, site, *, parameters):
    """Mark the clusters above the minimum size and return the holes that count towards it."""
    first = np.flatnonzero(np.diff(site, prepend=-1))
    holes, hole_site = runs[:0], site[:0]
    if not len(first):
        return np.empty(0, bool), holes, hole_site
    area = np.add.reduceat(runs.length, first)
    if parameters.fill_holes == "after":
        # A filled cluster is no larger than its bounding box.
        height = runs.row[np.append(first[1:], len(site)) - 1] - runs.row[first] + 1
        width = np.maximum.reduceat(runs.last, first) - np.minimum.reduceat(runs.first, first) + 1
        may_do = (height * width > parameters.minimum_area_px)[site]
        holes, hole_site = holes_of_sites(runs[may_do], site[may_do])
        area += np.bincount(hole_site, weights=holes.length, minlength=len(area)).astype(np.int64)
    return area > parameters.minimum_area_px, holes, hole_site


def _in_order(parts):
    """Join the clusters of all components, in row-major order of the first pixel."""
    found = [part for part in parts if part is not None]
    if not found:
        names = (*CANDIDATES.columns, "first_pixel", "order", "edge", "dark_px", "grey_sum")
        none = np.empty(0, np.int64)
        return {
            "measures": dict.fromkeys(names, none),
            "hulls": Hulls.none(),
            "runs": Runs(row=none, first=none, last=none),
            "run_cluster": none,
        }
    measures, hulls, runs, run_cluster = zip(*found, strict=True)
    measures = {name: np.concatenate([part[name] for part in measures]) for name in measures[0]}
    order = np.argsort(measures["first_pixel"])
    number = np.empty(len(order), np.int32)
    number[order] = np.arange(len(order))
    numbers = np.split(number, np.cumsum([len(part["order"]) for part, *_ in found])[:-1])
    return {
        "measures": {name: values[order] for name, values in measures.items()},
        "hulls": Hulls.joined(
            [part.numbered(own) for part, own in zip(hulls, numbers, strict=True)]
        ),
        "runs": Runs.joined(runs),
        "run_cluster": np.concatenate(
            [own[part] for part, own in zip(run_cluster, numbers, strict=True)]
        ),
    }
