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
        "confidence": probability("calibrated probability that the most probable class is right"),
        "prediction_set": text(
            "classes that the site may be at the chosen coverage, joined by `|`; empty where no "
            "labels allow to say"
        ),
    },
    description="one candidate with its class",
    key=["panorama", "site_id"],
)
