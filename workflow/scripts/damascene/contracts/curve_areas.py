"""Areas under the ROC and precision-recall curves."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import (
    FRACTION,
    contract,
    interval_over_groups,
    number,
    text,
    whole,
)

CURVE_AREAS = contract(
    {
        "class": text("class", among=SITE_CLASSES),
        "score": text("which area", among=("roc_auc", "average_precision")),
        "value": number("its value; missing where there is no curve", FRACTION, missing=True),
        **interval_over_groups("the area"),
        "sites": whole("labelled sites of the class"),
        "prevalence": number("fraction of all sites that are of the class", missing=True),
    },
    description="one area of one class; by chance 0.5 (ROC) or the prevalence (precision-recall)",
    key=["class", "score"],
)
