"""Candidate sites of a panorama: its clusters of dark pixels, joined, without small ones."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import check_table, empty_table
from damascene.detection.clusters import STRIP_ROWS, Clusters, find_clusters
from damascene.detection.footprint import footprint_owners
from damascene.detection.joining import join_clusters
from damascene.detection.merging import close_owners, rim_owners
from damascene.detection.parameters import DetectionParameters
from damascene.detection.published import merged_as_published
from damascene.images.store import TiledImage
from damascene.versions import IMAGE_PACKAGES, package_versions


class Found(NamedTuple):
    """What the detection found in a panorama.

    Attributes
    ----------
    candidates : pandas.DataFrame
        `CANDIDATES`, in row-major order of the first pixel. Position, area and shape are those of
        all pixels of the site, with its holes filled if the parameters fill them, its pixels taken
        as squares; greys are those of its dark pixels alone.
    runs : pandas.DataFrame
        `CANDIDATE_RUNS`: these pixels.
    counts : CandidateCounts
        What is left after each step.
    """

    candidates: pd.DataFrame
    runs: pd.DataFrame
    counts: CandidateCounts


def find_candidates(
    image: TiledImage,
    valid: TiledImage,
    *,
    panorama: str,
    parameters: DetectionParameters,
    tile_px: int = STRIP_ROWS,
    threads: int = 1,
) -> Found:
    """Find the dark sites of a panorama.

    Dark pixels are clustered by density (DBSCAN) over the whole panorama. Clusters of no more than
    the minimum size are dropped, then those without a steep edge (if one is asked for). Those that
    lie in the convex hull of a larger one, or beside it with a gap that is narrow for its size, are
    pieces of it and belong to it, and the largest of those that are close together takes the
    others: a site has all pixels of its clusters.

    Parameters
    ----------
    image : TiledImage
        Grey values.
    valid : TiledImage
        Codes of `images.valid_area`; same shape. Invalid pixels are never dark.
    panorama : str
        Name for the first column.
    parameters : DetectionParameters
    tile_px, threads : int, optional
        Rows read at a time and strips worked on at the same time; no effect on the result.

    Returns
    -------
    Found

    Raises
    ------
    InputError
        If sites are to be merged as published where the public code stops with an error.

    References
    ----------
    Kusche et al., PLoS ONE 14(5) e0216493 (2019), https://doi.org/10.1371/journal.pone.0216493
    """
    clusters = find_clusters(image, valid, parameters=parameters, tile_px=tile_px, threads=threads)
    return candidates_of(
        clusters, panorama=panorama, parameters=parameters, pixel_size_nm=image.pixel_size_nm
    )


def candidates_of(
    clusters: Clusters, *, panorama: str, parameters: DetectionParameters, pixel_size_nm: float
) -> Found:
    """Return the candidates among the clusters of a panorama; see `find_candidates`."""
    owner, left = choose_sites(clusters, parameters=parameters)
    if owner is None:
        raise InputError(
            f"{panorama}: the published code stops with an IndexError when it merges these "
            f"{left['edged'] - left['rim_fragments']} sites. "
            "Set detection: merge to corrected."
        )
    counts = CandidateCounts(panorama=panorama, **left, versions=package_versions(*IMAGE_PACKAGES))
    if not counts.candidates:
        return Found(empty_table(CANDIDATES), empty_table(CANDIDATE_RUNS), counts)
    sites = join_clusters(clusters, owner)
    pixel_um = pixel_size_nm / 1000
    area = sites.measures["area_px"]
    table = pd.DataFrame(sites.measures).assign(
        panorama=panorama,
        site_id=np.arange(len(area)),
        area_um2=area * pixel_um**2,
        equivalent_diameter_um=np.sqrt(4 * area / np.pi) * pixel_um,
    )
    runs = pd.DataFrame(
        {
            "site_id": sites.run_site,
            "y_px": sites.runs.row,
            "left_px": sites.runs.first,
            "right_px": sites.runs.last,
        }
    )
    return Found(check_table(table, CANDIDATES, source=f"candidates of {panorama}"), runs, counts)


def choose_sites(
    clusters: Clusters, *, parameters: DetectionParameters
) -> tuple[np.ndarray | None, dict]:
    """Choose the clusters that are sites, and those that are parts of these.

    Parameters
    ----------
    clusters : Clusters
        Found with the same parameters, or with a smaller minimum size.
    parameters : DetectionParameters
        The minimum size and the parameters of edges, of merging and of rim fragments.

    Returns
    -------
    owner : numpy.ndarray, int64, shape (clusters,), or None
        The leading cluster of the site that each belongs to, its own number for one that leads,
        -1 for one that is dropped. None where the public code, whose merging is asked for, stops
        with an error.
    counts : dict
        dark_pixels, filled_pixels (before clustering) and noise_pixels; clusters (or blobs) of any
        size; larger_than_minimum; edged, those of these with a steep enough edge; rim_fragments
        of them; merged_corrected and merged_published, the sites left with either way of
        merging (None where the public code stops with IndexError); candidates.
    """
    counts = {
        "dark_pixels": clusters.dark_pixels,
        "filled_pixels": clusters.filled_pixels,
        "noise_pixels": clusters.noise_pixels,
        "clusters": clusters.found,
    }

    def measures(chosen):
        return {name: values[chosen] for name, values in clusters.measures.items()}

    area = clusters.measures["area_px"]
    chosen = np.flatnonzero(area > parameters.minimum_area_px)
    counts["larger_than_minimum"] = len(chosen)
    if parameters.minimum_edge > 0:
        chosen = chosen[clusters.measures["edge"][chosen] >= parameters.minimum_edge]
    counts["edged"] = len(chosen)
    owner = np.full(len(area), -1)
    owner[chosen] = chosen
    if parameters.drop_rim_fragments:
        owner[chosen] = chosen[rim_owners(measures(chosen), clusters.hulls, hull=chosen)]
        if parameters.footprint_gap_px > 0:
            owner = footprint_owners(clusters, owner, distance_px=parameters.footprint_gap_px)
        chosen = np.flatnonzero(owner == np.arange(len(owner)))
    counts["rim_fragments"] = counts["edged"] - len(chosen)

    alone = np.arange(len(chosen))
    ways = {"none": alone}
    if parameters.merge != "none" and parameters.merge_distance_px > 0:
        options = {"distance_px": parameters.merge_distance_px}
        ways["corrected"] = close_owners(measures(chosen), **options)
        kept = merged_as_published(measures(chosen), **options)
        ways["published"] = None if kept is None else np.where(kept, alone, -1)
    sites = {
        name: None if into is None else int((into == alone).sum()) for name, into in ways.items()
    }
    for way in ("corrected", "published"):
        counts[f"merged_{way}"] = sites.get(way, len(chosen))
    way = parameters.merge if parameters.merge in ways else "none"
    counts["candidates"] = sites[way]
    if ways[way] is None:
        return None, counts
    # What belongs to a cluster that is taken, or dropped, goes the same way.
    final = np.full(len(owner) + 1, -1)
    final[chosen] = np.where(ways[way] < 0, -1, chosen[ways[way]])
    return final[owner], counts


def funnel_lines(counts: CandidateCounts) -> list[str]:
    """Say in words what each step of the detection left, for a log."""
    lines = [
        f"{counts.dark_pixels:,} dark pixels, {counts.filled_pixels:,} filled; "
        f"{counts.noise_pixels:,} of them noise",
        f"{counts.clusters:,} clusters, {counts.larger_than_minimum:,} larger than the "
        f"minimum, {counts.edged:,} of these with a steep enough edge, "
        f"{counts.rim_fragments:,} fragments of a rim",
    ]
    if counts.levels:
        lines.append(
            f"{counts.levels.measured_blocks:,} of {counts.levels.blocks:,} blocks show the levels "
            "that the threshold follows"
        )
    corrected, published = counts.merged_corrected, counts.merged_published
    if published is None:
        lines.append(
            f"{corrected:,} sites after merging; the published code would stop with an IndexError"
        )
    elif counts.edged - counts.rim_fragments > min(corrected, published):
        lines.append(
            f"{corrected:,} sites after merging; merged as published: {published:,} "
            f"({published - corrected:+,})"
        )
    return [*lines, f"{counts.candidates:,} candidates"]
