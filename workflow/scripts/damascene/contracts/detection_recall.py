"""How many voids the detector finds, by size and contrast."""

from damascene.contracts.columns import FRACTION, contract, interval, number, text, whole

DETECTION_RECALL = contract(
    {
        "panorama": text("name in the sample sheet"),
        "area_from_um2": number(
            "area of the voids from here on; missing for all of them", missing=True
        ),
        "area_to_um2": number("and below this; missing for all of them", missing=True),
        "contrast_from": number(
            "contrast of the voids from here on, in steps from ferrite to martensite; missing for "
            "all of them",
            missing=True,
        ),
        "contrast_to": number("and below this; missing for all of them", missing=True),
        "planted": whole("voids that were planted into the panorama"),
        "found": whole("of these, voids that the search found"),
        "recall": number("found over planted; missing without voids", FRACTION, missing=True),
        **interval("the recall (exact binomial)"),
        "curve": number(
            "mean of the smooth curve over the same voids; missing where there is none",
            FRACTION,
            missing=True,
        ),
        "not_estimated": text("why there is no curve for the panorama; empty where there is one"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="simulated voids of one range of sizes and contrasts in a panorama, or all of them",
    key=["panorama", "area_from_um2", "contrast_from"],
)
