"""Damage in the map of phases against the outlines of candidates."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole


def _area(description):
    return number(description, NOT_NEGATIVE)


def _part(description):
    return number(description, FRACTION, missing=True)


PHASE_DAMAGE = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "phase": text("name of the phase that is damage"),
        "mapped_area_um2": _area("area of all phases: the valid area"),
        "map_area_um2": _area("damage of the map"),
        "map_fraction": _part("that over the area of all phases; missing where nothing is mapped"),
        "candidates_area_um2": _area("area within the outlines of candidates"),
        "candidates_fraction": _part("that over the area of all phases"),
        "common_area_um2": _area("damage of the map within outlines"),
        "area_precision": _part("that over the damage of the map; missing without any"),
        "area_recall": _part("that over the area within outlines; missing without candidates"),
        "map_sites": whole(
            "connected regions of damage (eight neighbours) that are larger than candidates must be"
        ),
        "map_sites_no_candidate": whole("of these, regions without a pixel of a candidate"),
        "map_area_no_candidate_um2": _area("area of these regions"),
        "candidates": whole("candidates of the detection"),
        "candidates_not_in_map": whole("of these, candidates without a pixel of damage"),
        "candidates_area_not_in_map_um2": _area("area of these candidates"),
        "smallest_site_um2": _area("area that a candidate or a site of the map must exceed"),
    },
    description="one panorama; no row where no phase is damage",
    key=["panorama"],
)
