"""Islands, chords and bands of phases."""

import pandera.pandas as pa

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole


def _length(description):
    return number(description, NOT_NEGATIVE, missing=True)


def _share(description):
    return number(f"{description}, as a part of the area of the phase", FRACTION, missing=True)


PHASE_SHAPES = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "phase": text("name in the configuration"),
        "mean_chord_um": _length(
            "mean length of the phase on test lines along x and y; missing without a border "
            "between phases"
        ),
        "mean_chord_x_um": _length("that on lines along x, the direction of the load"),
        "mean_chord_y_um": _length("that on lines along y, across the load"),
        "anisotropy_index": _length(
            "features met by lines along y over those met by lines along x (ASTM E1268): 1 "
            "without a direction, more where the phase is elongated along x"
        ),
        "islands": whole("connected regions (eight neighbours) from the limit on"),
        "islands_cut": whole(
            "of these, regions at the border of the map or beside what is not valid"
        ),
        "limit_um2": number("area from which on an island is counted", NOT_NEGATIVE),
        "below_limit_share": _share("regions that are smaller"),
        "cut_share": _share("regions that are cut"),
        "diameter_quartile_1_um": _length(
            "first quartile of the equivalent diameters of the islands that are not cut; large "
            "islands are cut more often, so that they are missing more often"
        ),
        "diameter_median_um": _length("their median"),
        "diameter_quartile_3_um": _length("their third quartile"),
        "diameter_median_by_area_um": _length(
            "equivalent diameter of the island in which the middle of the area lies when islands "
            "are sorted by size; cut islands count with the area that is seen, so it is a lower "
            "bound where `cut_share` is large"
        ),
        "largest_share": _share("the largest island"),
        "bands": text(
            "`bands`; `no_bands`, without a direction that is more than chance; `not_measured`, "
            "where the map is too small or of one phase; empty where none are sought",
            among=("bands", "no_bands", "not_measured", ""),
        ),
        "band_strength": number(
            "how much one direction dominates, 0 to 1: the resultant of the doubled directions of "
            "the structure tensor",
            FRACTION,
            missing=True,
        ),
        "band_angle_deg": number(
            "direction of the bands, counter-clockwise from x, the direction of the load "
            "(`orientation_deg` of sites counts clockwise)",
            pa.Check.in_range(-90, 90),
            missing=True,
        ),
        "band_spacing_um": _length(
            "mean distance of bands from centre to centre, across them (ASTM E1268); bands closer "
            "than 6 um are not told apart"
        ),
        "band_width_um": _length("mean width of a band"),
        "bands_across": _length(
            "bands side by side over the whole map: with few of them the spacing is uncertain"
        ),
    },
    description="one phase in one panorama",
    key=["panorama", "phase"],
)
