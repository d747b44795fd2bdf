"""Candidates with the class that the networks gave them."""

from damascene.classes import DAMAGE_CLASSES, SITE_LABELS
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

SITES = contract(
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
    description="one candidate with its class",
    key=["panorama", "site_id"],
)
