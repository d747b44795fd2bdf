"""Sites per area."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole

DENSITIES = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "class": text(
            "class, `not_classified`, `damage`: the sum of the classes that deformation makes, or "
            "`all`: all sites, whatever their class"
        ),
        "not_estimated": text(
            "why there is no count and nothing that follows from it; empty where there is"
        ),
        "count": whole("number of sites", missing=True),
        "labelled": whole("of these, sites with the class of their label", missing=True),
        "count_cut_off": whole(
            "of these, sites at the border or beside what is not valid", missing=True
        ),
        "area_mm2": number("valid area", NOT_NEGATIVE),
        "density_per_mm2": number("sites over valid area", NOT_NEGATIVE, missing=True),
        "density_low_per_mm2": number(
            "lower bound of its exact Poisson interval", NOT_NEGATIVE, missing=True
        ),
        "density_high_per_mm2": number(
            "upper bound of its exact Poisson interval", NOT_NEGATIVE, missing=True
        ),
        "block_low_per_mm2": number(
            "lower bound of the interval of the block bootstrap, which knows that sites gather; "
            "missing where `block_note` says why",
            NOT_NEGATIVE,
            missing=True,
        ),
        "block_high_per_mm2": number("its upper bound", NOT_NEGATIVE, missing=True),
        "block_note": text("why there is no such interval, or what limits it; else empty"),
        "block_um": number(
            "shorter edge of its blocks, beyond which the dispersion of all sites does not grow; "
            "missing without blocks",
            missing=True,
        ),
        "block_long_um": number("longer edge of its blocks", missing=True),
        "blocks": whole("blocks with valid area", missing=True),
        "dispersion": number(
            "variance of the number of sites in these blocks over its mean, 1 for independent "
            "sites; missing without sites or with fewer than two blocks",
            NOT_NEGATIVE,
            missing=True,
        ),
        "dispersion_p_value": number(
            "probability that independent sites scatter as much or more, from all sizes of blocks; "
            "missing with fewer than two sites or two blocks",
            FRACTION,
            missing=True,
        ),
        "share": number(
            "fraction of all sites of the panorama; missing without sites", FRACTION, missing=True
        ),
        "median_area_um2": number("median area of a site; missing without sites", missing=True),
        "median_area_low_um2": number(
            "lower bound of its distribution-free interval; missing where sites are too few",
            missing=True,
        ),
        "median_area_high_um2": number("upper bound of its interval", missing=True),
        "area_fraction": number("area of the sites over valid area", NOT_NEGATIVE, missing=True),
        "confidence": number("confidence level of the intervals", FRACTION),
    },
    description="one class in one panorama",
    key=["panorama", "class"],
)
