"""Labels, from the file to the split: what people, or the simulation's truth, said of sites."""

from damascene.classes import ANSWER_LETTERS as ANSWER_LETTERS
from damascene.classes import SITE_CLASSES, UNCLEAR
from damascene.contracts.candidates import POSITION
from damascene.contracts.columns import FRACTION, contract, flag, number, text, whole

#: Between the answers of several annotators on one site, and the classes of a set.
ANSWER_SEPARATOR = "|"
#: Annotator of labels that are the truth of a simulation.
SIMULATED_ANNOTATOR = "simulation_truth"

#: How an answer found its candidate: by the box of the reviewed site, or by its position.
TIES = ("outline", "position")
NO_CANDIDATE = "no candidate"
TWO_CANDIDATES = "two candidates"
LARGER_CANDIDATE = "part of a larger candidate"
OUTSIDE = "outside the valid area"
#: Why an answer belongs to no candidate though its panorama is there.
REASONS = (NO_CANDIDATE, TWO_CANDIDATES, LARGER_CANDIDATE, OUTSIDE)

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

#: What a review keeps of each answer; empty or missing where a file does not say.
KEPT = {
    "time": text("when it was given, ISO 8601 in UTC; may be empty"),
    "given_site_id": whole("number that the candidate had when it was reviewed", missing=True),
    **{
        f"{edge}_px": number(f"{words} of the site when it was reviewed", missing=True)
        for edge, words in (
            ("left", "first column of the bounding box"),
            ("top", "first row of the bounding box"),
            ("width", "columns of the bounding box"),
            ("height", "rows of the bounding box"),
        )
    },
    "model": text("short SHA-256 of the networks that had named the site; may be empty"),
    "previous_label": text("class that the person saw before answering; may be empty"),
    "drawn_by": text("why the site was shown, as `contracts/review_labels.py` says; may be empty"),
    "decides": flag("given to decide between answers that contradict each other"),
    "note": text("what the person wrote beside it; may be empty"),
}

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
        "file": text("name of the label file, with its folder where that was listed; `simulation`"),
        "row": whole("row of the file, as an editor shows it; in JSON the number of the object"),
        **KEPT,
    },
    description="one answer of one person, as a file has it",
)

ANSWERS = contract(
    {
        **GIVEN_ANSWERS.columns,
        "order": whole(
            "rank in time: files that the configuration lists in their order, each by time or by "
            "row; then those in `config/labels` by time"
        ),
        "site_id": _SITE_ID,
        "counts": flag("the last answer of this person on this site, which is their vote"),
        "tied_by": text(
            "how the candidate was found, `outline` or `position`, or why there is none, as in "
            "`labels/orphans.tsv`",
            among=(*TIES, *REASONS),
        ),
    },
    description="one answer of one person, before any choice",
)

ORPHANS = contract(
    {
        "file": text("name of the label file"),
        "row": whole("row of the file, as an editor shows it"),
        "panorama": text("name in the file"),
        "x_px": number("column in the file, in pixels of the panorama", missing=True),
        "y_px": number("row in the file, in pixels of the panorama", missing=True),
        "label": text("what the person said"),
        "annotator": text("who said it; may be empty"),
        "time": text("when; may be empty"),
        "reason": text(
            f"why it belongs to no site: `{NO_CANDIDATE}`: none lies there; `{TWO_CANDIDATES}`: "
            f"its outline fits two; `{LARGER_CANDIDATE}`: the site is now a small part of one; "
            f"`{OUTSIDE}`; or, in words, why it cannot be placed in a panorama of the sample sheet"
        ),
        "learned_from": flag(
            "whether networks learn the class from what is to be seen at this place, though it is "
            "no site and is not counted; answers that cannot be placed teach nothing"
        ),
    },
    description="one answer of a person that belongs to no site of this run; it stays in its file",
)

#: How a site got its label where answers contradict each other.
ADJUDICATED, MAJORITY, AGREED, UNDECIDED, LAST_WORD = (
    "adjudicated",
    "majority",
    "agreed",
    "undecided",
    "last word",
)
CONTRADICTIONS = contract(
    {
        "panorama": text("name in the sample sheet"),
        "site_id": _SITE_ID,
        **POSITION,
        "annotators": text("who answered, in the order of time, joined by `|`"),
        "answers": text("what each of them said, in this order, joined by `|`"),
        "times": text("when, in this order, joined by `|`; empty where a file does not say"),
        "label": text("class that the site got; empty for none"),
        "decided": text(
            f"`{ADJUDICATED}`: an answer that was given to decide; `{MAJORITY}`: most annotators; "
            f"`{AGREED}`: the label column beside the columns of annotators; `{UNDECIDED}`: by "
            f"nobody, so that the site has no label; `{LAST_WORD}`: one person called what is now "
            "one site by two classes, and the later answer counts",
            among=(ADJUDICATED, MAJORITY, AGREED, UNDECIDED, LAST_WORD),
        ),
    },
    description="one site of which people said different classes",
    key=["panorama", "site_id"],
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
