"""Predicted classes held against the truth: a label, or what the simulator put there."""

from damascene.classes import SITE_CLASSES, SITE_LABELS
from damascene.contracts.columns import (
    FRACTION,
    contract,
    interval,
    interval_over_groups,
    number,
    text,
    whole,
)

SCORES = contract(
    {
        "class": text("class, or `all`", among=(*SITE_CLASSES, "all")),
        "score": text(
            "`precision`, `recall`, `f1` of a class; of all: `macro_f1`, `accuracy`, "
            "`balanced_accuracy`, `kappa` (Cohen)"
        ),
        "value": number("its value; missing without sites of the class", missing=True),
        **interval_over_groups("the score"),
        "support": whole("sites of that true class"),
    },
    description="one score of one class",
    key=["class", "score"],
)

CONFUSION = contract(
    {
        "true_class": text("class of the truth", among=SITE_CLASSES),
        "predicted_class": text("class that the networks gave", among=SITE_LABELS),
        "count": whole("number of sites"),
        "share": number(
            "fraction of the sites of the true class; missing where it has none",
            FRACTION,
            missing=True,
        ),
        **interval("the share"),
        "groups": whole("groups of sites with the true class"),
        "interval": text(
            "`groups`: from leaving out each group of sites; `sites`: exact for a binomial count, "
            "where groups are too few or all alike: too narrow if sites of a group resemble each "
            "other; empty without a site",
            among=("", "groups", "sites"),
        ),
    },
    description="one pair of true and predicted class",
    key=["true_class", "predicted_class"],
)
