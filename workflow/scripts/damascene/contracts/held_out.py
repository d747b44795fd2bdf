"""Labelled sites classified by networks that did not learn from them."""

from damascene.classes import SITE_LABELS
from damascene.contracts.columns import contract, text
from damascene.contracts.labels import SPLIT
from damascene.contracts.sites import PROBABILITIES

HELD_OUT = contract(
    {
        **SPLIT.columns,
        **PROBABILITIES,
        "predicted_class": text("class decided from the probabilities", among=SITE_LABELS),
    },
    description="one labelled site of a held-out fold with the answers of the networks",
    key=["panorama", "site_id"],
)
