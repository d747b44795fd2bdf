"""Candidate sites of a panorama: its clusters of dark pixels, without small and doubled ones."""

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.contracts.candidate_counts import CandidateCounts
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import check_table, empty_table
from damascene.detection.clusters import STRIP_ROWS, Clusters, find_clusters
from damascene.detection.merging import merged, without_rim_fragments
from damascene.detection.parameters import DetectionParameters
from damascene.detection.published import merged_as_published
from damascene.images.store import TiledImage
from damascene.versions import IMAGE_PACKAGES, package_versions


def find_candidates(
    image: TiledImage,
    valid: TiledImage,
    *,
    panorama: str,
    parameters: DetectionParameters,
    tile_px: int = STRIP_ROWS,
    threads: int = 1,
) -> tuple[pd.DataFrame, CandidateCounts]:
    """Find the dark sites of a panorama.

    Dark pixels are clustered by density (DBSCAN) over the whole panorama. Clusters of no more than
    the minimum size are dropped, then those without a steep edge (if one is asked for), then
    those that lie in the footprint of a larger one and are fragments of its rim, then all but the
    largest of those that are close together.

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
    table : pandas.DataFrame
        `CANDIDATES`, in row-major order of the first pixel. Position, area and shape are
        those of the site with its holes filled, if the parameters fill them, its pixels taken as
        squares; greys are those of its dark pixels alone.
    counts : CandidateCounts
        What is left after each step.

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
) -> tuple[pd.DataFrame, CandidateCounts]:
    """Return the candidates among the clusters of a panorama; see `find_candidates`."""
    kept, left = choose_sites(clusters, parameters=parameters)
    if kept is None:
        raise InputError(
            f"{panorama}: the published code stops with an IndexError when it merges these "
            f"{left['edged'] - left['rim_fragments']} sites. "
            "Set detection: merge to corrected."
        )
    counts = CandidateCounts(panorama=panorama, **left, versions=package_versions(*IMAGE_PACKAGES))
    if not kept.any():
        return empty_table(CANDIDATES), counts
    chosen = pd.DataFrame({name: values[kept] for name, values in clusters.measures.items()})
    pixel_um = pixel_size_nm / 1000
    area = chosen["area_px"].to_numpy()
    table = chosen.assign(
        panorama=panorama,
        site_id=np.arange(len(chosen)),
        area_um2=area * pixel_um**2,
        equivalent_diameter_um=np.sqrt(4 * area / np.pi) * pixel_um,
    )
    return check_table(table, CANDIDATES, source=f"candidates of {panorama}"), counts


def choose_sites(
    clusters: Clusters, *, parameters: DetectionParameters
) -> tuple[np.ndarray | None, dict]:
    """Choose the clusters that are sites.

    Parameters
    ----------
    clusters : Clusters
        Found with the same parameters, or with a smaller minimum size.
    parameters : DetectionParameters
        The minimum size and the parameters of edges, of merging and of rim fragments.

    Returns
    -------
    kept : numpy.ndarray, bool, shape (clusters,), or None
        None where the public code, whose merging is asked for, stops with an error.
    counts : dict
        dark_pixels, filled_pixels (before clustering) and noise_pixels; clusters (or blobs) of any
        size; larger_than_minimum; edged, those of these with a steep enough edge; rim_fragments
        dropped of them; merged_corrected and merged_published, the sites left with either way of
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
    if parameters.drop_rim_fragments:
        chosen = chosen[without_rim_fragments(measures(chosen), clusters.hulls, hull=chosen)]
    counts["rim_fragments"] = counts["edged"] - len(chosen)

    remaining = {"none": np.ones(len(chosen), bool)}
    if parameters.merge != "none" and parameters.merge_distance_px > 0:
        options = {"distance_px": parameters.merge_distance_px}
        remaining["corrected"] = merged(measures(chosen), **options)
        remaining["published"] = merged_as_published(measures(chosen), **options)
    for way in ("corrected", "published"):
        left = remaining.get(way, remaining["none"])
        counts[f"merged_{way}"] = None if left is None else int(left.sum())
    left = remaining.get(parameters.merge, remaining["none"])
    if left is None:
        return None, {**counts, "candidates": None}
    kept = np.zeros(len(area), bool)
    kept[chosen[left]] = True
    return kept, {**counts, "candidates": int(left.sum())}


def funnel_lines(counts: CandidateCounts) -> list[str]:
    """Say in words what each step of the detection left, for a log."""
    lines = [
        f"{counts.dark_pixels:,} dark pixels, {counts.filled_pixels:,} filled; "
        f"{counts.noise_pixels:,} of them noise",
        f"{counts.clusters:,} clusters, {counts.larger_than_minimum:,} larger than the "
        f"minimum, {counts.edged:,} of these with a steep enough edge, "
        f"{counts.rim_fragments:,} fragments of a rim",
    ]
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
