"""Ratios of densities between conditions, to be pasted into a paper."""

from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    interval,
    number,
    text,
    whole,
)


def _density(of):
    return number(f"sites over valid area of {of}", NOT_NEGATIVE, missing=True)


RATE_RATIOS = contract(
    {
        "class": text("class, `not_classified`, `damage`, or `all`"),
        "condition": text("`condition` of the sample sheet"),
        "reference": text("the condition it is compared with, which comes first in the sheet"),
        "not_estimated": text("why there is no ratio; empty where there is"),
        "basis": text("what makes panoramas comparable: the strains they share, or an adjustment"),
        "panoramas": whole("panoramas of the condition that are compared"),
        "reference_panoramas": whole("panoramas of the reference"),
        "note": text(
            "what the interval does not know of differences between specimens, with the number of "
            "panoramas; empty where panoramas are enough"
        ),
        "count": whole("sites of the condition in them"),
        "reference_count": whole("sites of the reference in them"),
        "area_mm2": number("valid area of the panoramas of the condition", NOT_NEGATIVE),
        "reference_area_mm2": number("valid area of those of the reference", NOT_NEGATIVE),
        "density_per_mm2": _density("the condition"),
        "reference_density_per_mm2": _density("the reference"),
        "rate_ratio": number(
            "density of the condition over that of the reference; `inf`, as upper bounds may be, "
            "where the reference has no site",
            NOT_NEGATIVE,
            missing=True,
        ),
        **interval("the ratio, not corrected for the number of comparisons"),
        "p_value": number(
            "probability of such a ratio, or one further from 1, by chance; two-sided",
            FRACTION,
            missing=True,
        ),
        "comparisons": whole("ratios of the table that were tested"),
        "p_holm": number(
            "the same, corrected for the number of comparisons after Holm", FRACTION, missing=True
        ),
        "dispersion": number(
            "variance of a count over its mean, from blocks within panoramas or from panoramas of "
            "one condition, whichever is larger, and 1 at least",
            missing=True,
        ),
        "sentence": text("the result in one sentence, and the note"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="one class in two conditions",
    key=["class", "condition", "reference"],
)
