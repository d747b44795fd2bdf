"""Detection held against the truth of simulated panoramas."""

from damascene.classes import SITE_LABELS
from damascene.contracts.columns import FRACTION, contract, interval, number, text, whole

TRUTH_DETECTION = contract(
    {
        "scope": text(
            "part of the panoramas: `all`, or `outside_labelled_area`",
            among=("all", "outside_labelled_area"),
        ),
        "score": text(
            "`recall`: true sites that were found; `precision`: sites that are true",
            among=("recall", "precision"),
        ),
        "class": text(
            "true class for a recall; for a precision the class of the networks, also where a "
            "label gives the site another; or `all`",
            among=(*SITE_LABELS, "all"),
        ),
        "matched": whole("sites that have a partner"),
        "total": whole("sites asked for"),
        "value": number("matched over total; missing without sites", FRACTION, missing=True),
        **interval("the value (exact binomial)"),
        "confidence": number("confidence level of the interval", FRACTION),
    },
    description="one score of the detection in one class",
    key=["scope", "score", "class"],
)
