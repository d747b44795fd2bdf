"""Labels, from the file to the split: what people, or the simulation's truth, said of sites."""

from damascene.classes import CLASSES, SITE_CLASSES
from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import FRACTION, contract, flag, number, text, whole

#: Between the answers of several annotators on one site, and the classes of a set.
ANSWER_SEPARATOR = "|"
#: Annotator of labels that are the truth of a simulation.
SIMULATED_ANNOTATOR = "simulation_truth"
#: What an annotator answers who cannot tell: an answer that is no vote.
UNCLEAR = "unclear"
#: Letters that stand for answers on label sheets, which are filled in by hand; `d` is decohesion.
ANSWER_LETTERS = {each.letter: each.name for each in CLASSES if each.letter} | {"u": UNCLEAR}

_PLACE = {"panorama": text("name in the sample sheet"), **POSITION}
_SITE_ID = whole(
    "the candidate that is meant; -1, -2, ... for places where no candidate is near: they still "
    "show the networks a class, but are no site and are not counted",
    None,
)

LABELS = contract(
    {
        **_PLACE,
        "label": text("class that the person gave", among=SITE_CLASSES),
        "annotator": text("who labelled; may be empty"),
    },
    description="one label that was given to a position",
)

GIVEN_ANSWERS = contract(
    {
        **_PLACE,
        "annotator": text("who answered; empty for the one person whom no file names"),
        "answer": text("class that the person gave, or `unclear`", among=(*SITE_CLASSES, UNCLEAR)),
        "agreed": text(
            "class in the label column of a file that has a column for each annotator: it decides "
            "where as many say one class as another; else empty",
            among=("", *SITE_CLASSES),
        ),
        "tile": text("tile or frame from whose corner the position was counted; may be empty"),
        "file": text("name of the label file, or `simulation`"),
        "row": whole("row of the file, as an editor shows it"),
    },
    description="one answer of one person, as a file has it",
)

ANSWERS = contract(
    {
        **GIVEN_ANSWERS.columns,
        "order": whole(
            "rank in time: by file in the order of the configuration, then by time or by row"
        ),
        "site_id": _SITE_ID,
        "counts": flag("the last answer of this person on this site, which is their vote"),
    },
    description="one answer of one person, before any choice",
)

POSITIONS = contract(
    {
        "file": text("name of the label file"),
        "panorama": text("name in the sample sheet"),
        "labels": whole("positions that were labelled"),
        "on_no_candidate": whole("of these, positions near no candidate"),
        "share": number("their share", FRACTION),
        "share_by_chance": number("share of positions at random near no candidate", FRACTION),
    },
    description="the labels of one file in one panorama",
    key=["file", "panorama"],
)

LABELLED_SITES = contract(
    {
        **_PLACE,
        "label": text("class that most annotators gave", among=SITE_CLASSES),
        "annotator": text("who labelled, by name, joined by `|`"),
        "answers": text("what each of them said last, in this order, joined by `|`"),
        "site_id": _SITE_ID,
        "clip_x_px": number("column of the centre of the clip"),
        "clip_y_px": number("row of the centre of the clip"),
    },
    description="one labelled site on whose class a majority agrees",
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
