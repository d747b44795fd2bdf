"""Densities of the panoramas of one condition and strain together."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole

CONDITIONS = contract(
    {
        "condition": text("`condition` of the sample sheet; empty where it is not given"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "class": text("class, `not_classified`, `damage`, or `all`"),
        "not_estimated": text("why there is no density; empty where there is"),
        "panoramas": whole("panoramas with a count"),
        "left_out": whole("panoramas without one"),
        "count": whole("sites in them"),
        "area_mm2": number("their valid area", NOT_NEGATIVE),
        "density_per_mm2": number("sites over valid area", NOT_NEGATIVE, missing=True),
        "low_per_mm2": number(
            "lower bound of its interval, from how panoramas differ, or blocks within them where "
            "that is more; of a single panorama from its blocks",
            NOT_NEGATIVE,
            missing=True,
        ),
        "high_per_mm2": number("upper bound of its interval", NOT_NEGATIVE, missing=True),
        "dispersion_within": number(
            "variance of a count over its mean, from blocks within the panoramas, 1 at least",
            missing=True,
        ),
        "panorama_variance": number(
            "variance of the density between panoramas over its squared mean, beyond the scatter "
            "within them; missing where `variance_note` says why",
            NOT_NEGATIVE,
            missing=True,
        ),
        "p_value": number(
            "probability that panoramas of one density differ as much; missing as the variance",
            FRACTION,
            missing=True,
        ),
        "variance_note": text("what the variance between panoramas rests on, or why there is none"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="one class at one strain of one condition",
    key=["condition", "strain_percent", "class"],
)
