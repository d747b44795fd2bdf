"""Distribution of the areas of sites."""

from damascene.contracts.columns import contract, number, text, whole


def _area(description):
    return number(f"{description} of the areas; missing where sites are too few", missing=True)


SIZES = contract(
    {
        "panorama": text("name in the sample sheet"),
        "class": text("class, `not_classified` or `damage`, as in the densities"),
        "count": whole("number of sites"),
        "labelled": whole("of these, sites with the class of their label"),
        "percentile_10_um2": _area("10th percentile"),
        "quartile_1_um2": _area("25th percentile"),
        "median_um2": _area("median"),
        "quartile_3_um2": _area("75th percentile"),
        "percentile_90_um2": _area("90th percentile"),
        "geometric_mean_um2": _area("geometric mean"),
        "geometric_standard_deviation": _area("geometric standard deviation, a factor,"),
    },
    description="one class in one panorama",
    key=["panorama", "class"],
)
