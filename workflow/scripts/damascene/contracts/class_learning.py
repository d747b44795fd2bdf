"""What more labels of a class would bring."""

import pandera.pandas as pa

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import (
    FRACTION,
    NOT_NEGATIVE,
    contract,
    interval_over_groups,
    number,
    text,
    whole,
)

CLASS_LEARNING = contract(
    {
        "class": text("class of which labels were taken away", among=SITE_CLASSES),
        "share": number(
            "fraction of the groups with the class whose labels of it were kept",
            pa.Check.in_range(0, 1, include_min=False),
        ),
        "repeat": whole("number of the random draw of groups"),
        "labels": number("labels of the class to learn from, mean over the folds", NOT_NEGATIVE),
        "f1": number("F1 of the class", FRACTION),
        "recall": number("recall of the class", FRACTION),
    },
    description="one class after one draw; the labels of all other classes were kept",
    key=["class", "share", "repeat"],
)

LABELS_TO_ADD = contract(
    {
        "class": text("class", among=SITE_CLASSES),
        "labels": whole("labels of the class"),
        "more": whole("labels to add: 100, or as many again where there are fewer"),
        "f1": number("F1 of the class with all labels", FRACTION),
        "gain": number(
            "what F1 would gain, from a power law of 1 - F1 through the whole curve or its end, "
            "whichever promises less",
            missing=True,
        ),
        **interval_over_groups("the gain; the scatter of the draws is part of it"),
    },
    description="one class; no rows for classes whose labels lie in fewer than three groups",
    key=["class"],
)
