"""Counts of sites, raw and corrected for what the detector misses and what the networks confuse."""

from damascene.contracts.columns import FRACTION, NOT_NEGATIVE, contract, number, text, whole

_FOUND = "sites of the class among those that were found"

CORRECTED = contract(
    {
        "panorama": text("name in the sample sheet"),
        "strain_percent": number("strain; missing where it is not known", missing=True),
        "condition": text("condition in the sample sheet"),
        "class": text(
            "class, `damage`: the sum of the classes that deformation makes, or `all`: all sites, "
            "whatever their class"
        ),
        "count": whole("raw: sites that have the class by label or by network", missing=True),
        "density_per_mm2": number("raw density", NOT_NEGATIVE, missing=True),
        "low_per_mm2": number(
            "lower bound of the interval of the raw density, from blocks of the panorama, or by "
            "Poisson's law where there are too few",
            NOT_NEGATIVE,
            missing=True,
        ),
        "high_per_mm2": number("its upper bound", NOT_NEGATIVE, missing=True),
        "corrected_count": number(
            "corrected number of sites; missing where `not_estimated` says why. `damage`, and "
            "`all` where classes are corrected, are the sums of their classes",
            NOT_NEGATIVE,
            missing=True,
        ),
        "corrected_density_per_mm2": number("corrected density", NOT_NEGATIVE, missing=True),
        "corrected_low_per_mm2": number(
            "lower bound of its interval: blocks of the panorama, groups of the held-out labels "
            "and planted voids are drawn together; in relation to the density the interval is "
            "never narrower than the raw one",
            NOT_NEGATIVE,
            missing=True,
        ),
        "corrected_high_per_mm2": number("its upper bound", NOT_NEGATIVE, missing=True),
        "method": text(
            "what was corrected, and how: `pacc` (classes, by mean probabilities), `labels` (all "
            "sites are labelled), `recall` (detector); empty where nothing was"
        ),
        "labelled": whole("of the raw count, sites with the class of their label", missing=True),
        "acc_count": number(
            f"{_FOUND}, by the adjusted count of answers", NOT_NEGATIVE, missing=True
        ),
        "pacc_count": number(
            f"{_FOUND}, by adjusted mean probabilities", NOT_NEGATIVE, missing=True
        ),
        "emq_count": number(f"{_FOUND}, by expectation maximisation", NOT_NEGATIVE, missing=True),
        "recall": number(
            "sites that were found over voids as large and as dark as they are, `statistics/"
            "detection_recall.tsv`; of a sum its found sites over the sum of the corrected counts; "
            "missing where it was not estimated, as in a panorama without a counted site",
            FRACTION,
            missing=True,
        ),
        "recall_low": number("lower bound of its interval", FRACTION, missing=True),
        "recall_high": number("upper bound of its interval", FRACTION, missing=True),
        "note": text("what the correction leaves out; else empty"),
        "not_estimated": text("why there is no corrected count; empty where there is"),
        "confidence": number("confidence level of the intervals", FRACTION),
    },
    description="one class in one panorama, or all its sites",
    key=["panorama", "class"],
)
