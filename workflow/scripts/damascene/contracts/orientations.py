"""Directions of elongated sites, and sizes in three dimensions."""

import pandera.pandas as pa

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, flag, number, text, whole
from damascene.contracts.phase_descriptors import ALL_PANORAMAS

_WHICH = f"name in the sample sheet, or `{ALL_PANORAMAS}` where there are several"
_CLASS = "class, `not_classified`, or `damage`: the sum of the classes that deformation makes"

ORIENTATIONS = contract(
    {
        "panorama": text(_WHICH),
        "class": text(_CLASS),
        "sites": whole(
            "sites that are not cut off; missing where classes are withheld", missing=True
        ),
        "elongated": whole(
            "of these, sites with an aspect ratio of 1.5 or more, which count here", missing=True
        ),
        "mean_deg": number(
            "mean direction of their longer axes, counter-clockwise from x, the direction of the "
            "load, as seen (`orientation_deg` of sites counts clockwise); missing where "
            "`not_estimated` says why",
            pa.Check.in_range(-90, 90),
            missing=True,
        ),
        "half_width_deg": number(
            "its interval reaches so far to both sides; missing where it would be wider than 45",
            NOT_NEGATIVE,
            missing=True,
        ),
        "resultant": number(
            "length of the mean of the doubled directions: 0 where all directions are alike, 1 "
            "where there is one",
            FRACTION,
            missing=True,
        ),
        "rayleigh_p": number(
            "p value against directions that are all alike, for one preferred direction",
            FRACTION,
            missing=True,
        ),
        "kuiper_p": number("the same for any departure", FRACTION, missing=True),
        "not_estimated": text("why there is no direction; empty where there is one"),
    },
    description="one class in one panorama",
    key=["panorama", "class"],
)

SIZES_3D = contract(
    {
        "panorama": text(_WHICH),
        "class": text(_CLASS),
        "low_um": number("lower edge of the class of diameters", NOT_NEGATIVE, missing=True),
        "high_um": number(
            "upper edge, taken for the diameter of spheres of the class", NOT_NEGATIVE, missing=True
        ),
        "sections": whole(
            "sites of such an equivalent diameter that are not cut off; missing where classes are "
            "withheld",
            missing=True,
        ),
        "per_mm3": number(
            "spheres in a cubic millimetre; for voids that are no spheres a bound",
            NOT_NEGATIVE,
            missing=True,
        ),
        "low_per_mm3": number("lower bound of its interval", NOT_NEGATIVE, missing=True),
        "high_per_mm3": number("upper bound of its interval", NOT_NEGATIVE, missing=True),
        "negative": flag(
            "whether larger spheres make more sections than were found, so that the number came "
            "out below 0 and is given as 0: there are no spheres, or sites are not spheres"
        ),
        "not_estimated": text("why nothing was unfolded; empty where it was"),
    },
    description="one class of diameters of one class of sites; one row alone where sites are few",
    key=["panorama", "class", "low_um"],
)
