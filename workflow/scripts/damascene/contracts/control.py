"""The built-in control: whether the density of inclusions changes with strain."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    interval,
    number,
    text,
    whole,
)

CONTROL = contract(
    {
        "class": text(
            "`inclusion`, which deformation does not make, or `damage` for comparison",
            among=("inclusion", "damage"),
        ),
        "panoramas": whole("panoramas whose strain is known"),
        "strain_from_percent": number("their least strain", missing=True),
        "strain_to_percent": number("their greatest strain", missing=True),
        "count": whole("sites of the class in them"),
        "area_mm2": number("their valid area", NOT_NEGATIVE),
        "rate_ratio": number(
            "factor by which the density changes from the least to the greatest strain; missing "
            "where it is not tested",
            NOT_NEGATIVE,
            missing=True,
        ),
        **interval("the factor (score test, with the dispersion)"),
        "p_value": number(
            "probability of a change as great as this one or greater by chance, two-sided",
            FRACTION,
            missing=True,
        ),
        "dispersion": number(
            "variance of a count over its mean, 1 for Poisson counts: between blocks of a panorama "
            "or between panoramas, whichever is larger, and 1 at least",
            missing=True,
        ),
        "change": text(
            "`none`: the interval holds 1; `grows`; `falls`; `not_tested`: fewer than two strains, "
            "or no sites",
            among=("none", "grows", "falls", "not_tested"),
        ),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="the change of one class with strain",
    key=["class"],
)
