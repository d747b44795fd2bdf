"""Labels, from the file to the split: what a person, or the simulation's truth, said of a site."""

from damascene.classes import SITE_CLASSES
from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import contract, number, text, whole

#: Between the answers of several annotators on one site, and the classes of a set.
ANSWER_SEPARATOR = "|"

LABELS = contract(
    {
        "panorama": text("name in the sample sheet"),
        **POSITION,
        "label": text("class that the person gave", among=SITE_CLASSES),
        "annotator": text("who labelled; may be empty"),
        "answers": text(
            "what each annotator said, joined by `|`, empty between the bars where one said "
            "nothing; the label itself where one person labelled"
        ),
    },
    description="one label that was given to a position",
)

LABELLED_SITES = contract(
    {
        **LABELS.columns,
        "site_id": whole(
            "the candidate that is meant; -1, -2, ... where no candidate was near: the label still "
            "trains the networks, from its own position",
            None,
        ),
        "clip_x_px": number("column of the centre of the clip"),
        "clip_y_px": number("row of the centre of the clip"),
    },
    description="one labelled site",
    key=["panorama", "site_id"],
)

SPLIT = contract(
    {
        **LABELLED_SITES.columns,
        "group": text("sites of a group share image or neighbourhood and stay in one fold"),
        "fold": whole("the fold in which the site is held out"),
    },
    description="one labelled site with its group and fold",
    key=["panorama", "site_id"],
)
