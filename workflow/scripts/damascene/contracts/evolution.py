"""How densities change with strain; inclusions, which must not change, are the control."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    interval,
    number,
    text,
    whole,
)

EVOLUTION = contract(
    {
        "class": text("class, `not_classified`, `damage`, or `all`; `inclusion` is the control"),
        "not_estimated": text("why the change was not estimated; empty where it was"),
        "model": text(
            "law of the counts: `poisson`; `quasi_poisson`, with errors scaled by the dispersion; "
            "`negative_binomial`, with a variance of panoramas",
            among=("poisson", "quasi_poisson", "negative_binomial", ""),
        ),
        "model_reason": text("why this law"),
        "panoramas": whole("panoramas whose strain is known"),
        "left_out": whole("panoramas without strain, or without a count"),
        "strain_from_percent": number("least strain", missing=True),
        "strain_to_percent": number("greatest strain", missing=True),
        "count": whole("sites of the class in these panoramas"),
        "area_mm2": number("their valid area", NOT_NEGATIVE),
        "fitted_from_per_mm2": number(
            "density of the fit at the least strain", NOT_NEGATIVE, missing=True
        ),
        "rate_ratio": number(
            "factor by which the density changes from the least to the greatest strain; `inf`, as "
            "upper bounds may be, where sites occur towards the greatest strain only",
            NOT_NEGATIVE,
            missing=True,
        ),
        **interval("the factor"),
        "ratio_per_percent": number(
            "factor by which the density changes per percent of strain", NOT_NEGATIVE, missing=True
        ),
        "ratio_per_percent_low": number("lower bound of its interval", NOT_NEGATIVE, missing=True),
        "ratio_per_percent_high": number("upper bound of its interval", NOT_NEGATIVE, missing=True),
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
        "panorama_variance": number(
            "relative variance of the density between panoramas of one strain; given with a "
            "negative binomial law only",
            missing=True,
        ),
        "change": text(
            "`none`: the interval holds 1; `grows`; `falls`; `not_tested`",
            among=("none", "grows", "falls", "not_tested"),
        ),
        "confidence": number("confidence level of the intervals", FRACTION),
    },
    description="the change of one class with strain; without numbers where it is not estimated",
    key=["class"],
)
