"""Labelled sites whose most probable class is not that of the label."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.columns import FRACTION, contract, number, text
from damascene.contracts.labels import LABELLED_SITES

_SITE = LABELLED_SITES.columns

MISTAKES = contract(
    {
        **{name: _SITE[name] for name in ("panorama", "x_px", "y_px", "label", "answers")},
        "most_probable": text("class to which the networks give most", among=SITE_CLASSES),
        "probability": number("its probability", FRACTION),
        "p_label": number("probability of the class of the label", FRACTION),
        **{name: _SITE[name] for name in ("site_id", "clip_x_px", "clip_y_px")},
    },
    description="one labelled site, by falling probability of the mistake",
    key=["panorama", "site_id"],
)
