"""Labelled sites that the networks gave another class than the label."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import FRACTION, contract, number, text
from damascene.contracts.labels import LABELLED_SITES

_SITE = LABELLED_SITES.columns

MISTAKES = contract(
    {
        **{name: _SITE[name] for name in ("panorama", "x_px", "y_px", "label", "answers")},
        "predicted_class": text("class decided from the probabilities", among=SITE_CLASSES),
        "probability": number("its probability, before calibration", FRACTION),
        "p_label": number("probability of the class of the label, before calibration", FRACTION),
        **{name: _SITE[name] for name in ("site_id", "clip_x_px", "clip_y_px")},
    },
    description="one labelled site, by falling probability of the mistake",
    key=["panorama", "site_id"],
)
