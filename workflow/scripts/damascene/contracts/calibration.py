"""Whether probabilities and prediction sets promise what they keep."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import FRACTION, contract, flag, interval, number, text, whole

_STATES = ("as_given", "calibrated")
_STATE = text("probabilities `as_given` by the networks, or `calibrated`", among=_STATES)

RELIABILITY = contract(
    {
        "low": number("lower edge of the bin of the probability of `predicted_class`", FRACTION),
        "high": number("upper edge of the bin", FRACTION),
        "count": whole("sites in the bin"),
        "confidence": number(
            "mean probability of `predicted_class`; missing in an empty bin", FRACTION, missing=True
        ),
        "accuracy": number(
            "fraction of sites that are right; missing in an empty bin", FRACTION, missing=True
        ),
        "probabilities": _STATE,
    },
    description="one bin of probabilities of labelled sites that were held out",
)

CALIBRATION_ERRORS = contract(
    {
        "probabilities": _STATE,
        "sites": whole("labelled sites that were held out and given a class"),
        "groups": whole("groups of sites in which they lie"),
        "expected_calibration_error": number(
            "mean distance of confidence and accuracy over sites; missing without sites",
            FRACTION,
            missing=True,
        ),
        "by_chance": number(
            "the error to be expected if the probabilities were exactly right",
            FRACTION,
            missing=True,
        ),
    },
    description="probabilities before or after calibration",
    key=["probabilities"],
)

PREDICTION_SETS = contract(
    {
        "class": text("class, or `all`", among=("all", *SITE_CLASSES)),
        "sites": whole("labelled sites that were held out; of `all`, those of promised classes"),
        "groups": whole("groups of sites in which they lie"),
        "promised": flag(
            "whether the labels suffice to promise the coverage; `models/calibration.json` says "
            "why not"
        ),
        "coverage": number(
            "fraction of sets that hold the true class; missing where none is promised",
            FRACTION,
            missing=True,
        ),
        **interval(
            "the coverage, from leaving out each group of sites; missing below three groups"
        ),
        "mean_size": number(
            "mean number of classes in a set; missing where no coverage is promised", missing=True
        ),
        "in_other_sets": number(
            "fraction of sites of other classes whose set also holds this class; missing for `all` "
            "and where no coverage is promised",
            FRACTION,
            missing=True,
        ),
    },
    description="the prediction sets of one true class",
    key=["class"],
)
