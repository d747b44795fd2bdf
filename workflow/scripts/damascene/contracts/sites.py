"""Candidates with the class that the networks gave them, and what a person called them."""

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES, SITE_LABELS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.columns import contract, probability, text

#: Outputs of both networks.
PROBABILITIES = {
    "p_inclusion": probability("first network: probability of an inclusion"),
    **{
        f"p_{name}": probability(f"second network: probability of {name} if no inclusion")
        for name in DAMAGE_CLASSES
    },
}

PREDICTIONS = contract(
    {
        **CANDIDATES.columns,
        **PROBABILITIES,
        "predicted_class": text("class decided from the probabilities", among=SITE_LABELS),
        "confidence": probability(
            "calibrated probability that `predicted_class` is right, where classes are as frequent "
            "as among the labels. Another class can be more probable, as the networks decide one "
            "after the other. Missing for `not_classified`, and without labels"
        ),
        "prediction_set": text(
            "`predicted_class`, and each other class that the site may be at the chosen coverage, "
            "joined by `|`. Classes with too few labels to tell (see `models/calibration.json`) "
            "are neither in it nor ruled out, unless they are `predicted_class`. Empty where no "
            "class has enough labels"
        ),
    },
    description="one candidate with the class that the networks gave it",
    key=["panorama", "site_id"],
)

SITES = contract(
    {
        **PREDICTIONS.columns,
        "label": text(
            "class that people gave the site, which is that of most of them; empty where nobody "
            "labelled it or they do not agree",
            among=("", *SITE_CLASSES),
        ),
        "class": text(
            "the label where there is one, else `predicted_class`: what counts, densities, sizes "
            "and figures go by",
            among=SITE_LABELS,
        ),
    },
    description="one candidate with its class",
    key=["panorama", "site_id"],
)
