"""Damage as the map shows it against the candidates that the detection outlined."""

import numpy as np

from damascene.statistics.phases.reading import MapContent


def damage_row(content: MapContent, *, smallest_px: float) -> dict[str, float]:
    """Compare the damage of a map with the outlines of candidates, by area and by site.

    Parameters
    ----------
    content : MapContent
        With a phase that is damage.
    smallest_px : float
        Sites of the map are larger, as candidates of the detection are.

    Returns
    -------
    dict
        Areas, the part of one in the other, and sites of the one without a pixel of the other.
    """
    pixel_um2 = content.cells.pixel_um**2
    regions = content.islands[content.islands.phase == content.cells.damage]
    sites = regions[regions.area_px > smallest_px]
    map_px, candidates_px = regions.area_px.sum(), content.site_px.sum()
    # Counted in the regions of the map: a pixel that two candidates share is one pixel.
    common_px = regions.marked_px.sum()
    mapped_px = content.cells.mapped.sum()
    unseen = content.site_damage_px == 0
    alone = sites.marked_px == 0

    def part(some, of):
        return some / of if of else np.nan

    return {
        "mapped_area_um2": mapped_px * pixel_um2,
        "map_area_um2": map_px * pixel_um2,
        "map_fraction": part(map_px, mapped_px),
        "candidates_area_um2": candidates_px * pixel_um2,
        "candidates_fraction": part(candidates_px, mapped_px),
        "common_area_um2": common_px * pixel_um2,
        "area_precision": part(common_px, map_px),
        "area_recall": part(common_px, candidates_px),
        "map_sites": len(sites),
        "map_sites_no_candidate": int(alone.sum()),
        "map_area_no_candidate_um2": sites.area_px[alone].sum() * pixel_um2,
        "candidates": len(content.site_px),
        "candidates_not_in_map": int(unseen.sum()),
        "candidates_area_not_in_map_um2": content.site_px[unseen].sum() * pixel_um2,
        "smallest_site_um2": smallest_px * pixel_um2,
    }
