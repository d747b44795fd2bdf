"""Whether probabilities and prediction sets promise what they keep."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import FRACTION, contract, interval, number, text, whole

_STATES = ("as_given", "calibrated")
_STATE = text("probabilities `as_given` by the networks, or `calibrated`", among=_STATES)

RELIABILITY = contract(
    {
        "low": number("lower edge of the bin of the highest probability", FRACTION),
        "high": number("upper edge of the bin", FRACTION),
        "count": whole("sites in the bin"),
        "confidence": number(
            "mean highest probability; missing in an empty bin", FRACTION, missing=True
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
        "sites": whole("labelled sites that were held out"),
        "coverage": number(
            "fraction of sets that hold the true class; missing without sites",
            FRACTION,
            missing=True,
        ),
        **interval("the coverage, from a bootstrap over groups of sites"),
        "mean_size": number("mean number of classes in a set", missing=True),
    },
    description="the prediction sets of one true class",
    key=["class"],
)
