"""Distributions of sizes that are fitted, median sizes, area fractions, and their trends."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole

_CLASS = "class, `not_classified`, or `damage`: the sum of the classes that deformation makes"


def _missing(description, check=NOT_NEGATIVE):
    return number(description, check, missing=True)


def _with_bounds(name, unit, description):
    return {
        f"{name}{unit}": _missing(description),
        f"{name}_low{unit}": _missing("lower bound of its interval"),
        f"{name}_high{unit}": _missing("upper bound of its interval"),
    }


SIZE_FITS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "triaxiality": number("stress triaxiality; missing where none is given", missing=True),
        "class": text(_CLASS),
        "sites": whole(
            "sites of the class, cut-off ones included; missing where classes are withheld",
            missing=True,
        ),
        "fitted": whole(
            "of these, sites that are not cut off, from which the sizes come", missing=True
        ),
        "limit_um2": number("detection limit: sites of this area or less are missing"),
        **_with_bounds(
            "seen_median_diameter",
            "_um",
            "median equivalent diameter of the sites that were found, all above the limit; "
            "distribution-free interval, missing below six sites",
        ),
        **_with_bounds(
            "median_diameter",
            "_um",
            "median equivalent diameter of the fitted lognormal distribution, sites below the "
            "limit included; interval from the profile of the likelihood",
        ),
        **_with_bounds("median_area", "_um2", "median area of the same distribution"),
        **_with_bounds(
            "deviation",
            "",
            "its geometric standard deviation of areas, a factor; that of "
            "diameters is its square root",
        ),
        "hidden_fraction": _missing(
            "part of the sites that lies below the limit if the distribution goes on there",
            FRACTION,
        ),
        "fit_p_value": _missing(
            "chi-squared test of the fit: small where areas are not lognormal; missing with too "
            "few bins",
            FRACTION,
        ),
        **_with_bounds(
            "area_fraction",
            "",
            "area of all sites, cut-off ones included, over valid area; interval from leaving out "
            "blocks, missing where fewer than five of them hold sites",
        ),
        "confidence": number("confidence level of the intervals", FRACTION),
        "not_estimated": text("why no distribution was fitted; empty where one was"),
    },
    description="one class in one panorama",
    key=["panorama", "class"],
)

SIZE_TRENDS = contract(
    {
        "class": text(_CLASS),
        "predictor": text("`strain_percent` or `triaxiality`"),
        "panoramas": whole("panoramas with a value of it and six sites of the class at least"),
        "change": _missing(
            "factor on the median diameter of the sites found, for each unit of the predictor", None
        ),
        "low": _missing(
            "lower bound of its interval, from the scatter of panoramas around the line", None
        ),
        "high": _missing("upper bound", None),
        "p_value": _missing("p value of no change, two-sided (Student)", FRACTION),
        "not_estimated": text("why there is no trend; empty where there is one"),
    },
    description="how the median size of a class changes with strain or triaxiality",
    key=["class", "predictor"],
)
